//! Sip.updateCarrier.

use ngn_tests::fixture::{carrier, customer, gateway, gateway_rule, reseller, route};
use ngn_tests::{Value, both, matching, record};

both! {
    // B17: gateways, rules and routes follow their carrier, also to another reseller. B136: names are filled in.
    fn hands_everything_over(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let id = carrier(&acme.client, "Telco");
        let gateway = gateway(&acme.client, id, "gw");
        gateway_rule(&acme.client, gateway, "0031");
        acme.client.ok("Sip.addRoutes", record! { routes: vec![route(id, "0031"), route(id, "")] });
        p.admin().ok("Sip.updateCarrier", record! { carrier: record! { id: id, name: "New", reseller: other.id } });
        for (operation, list) in [
            ("Sip.getCarriers", "carriers"), ("Sip.getGateways", "gateways"),
            ("Sip.getGatewayRules", "gateway_rules"), ("Sip.getRoutes", "routes"),
        ] {
            assert_eq!(acme.client.ok(operation, matching(Value::empty())).int_at("total"), 0, "{operation}");
            let seen = other.client.ok(operation, matching(record! { reseller: other.id }));
            assert!(seen.int_at("total") > 0, "{operation}");
            assert_eq!(seen.int_at(&format!("{list}/0/reseller")), other.id, "{operation}");
            let name = if list == "carriers" { "name" } else { "carrier" };
            assert_eq!(seen.text_at(&format!("{list}/0/{name}")), "New", "{operation}");
        }
        // Without a reseller in the call it stays.
        other.client.ok("Sip.updateCarrier", record! { carrier: record! { id: id, name: "Newer" } });
        p.admin().ok("Sip.updateCarrier", record! { carrier: record! { id: id, name: "Newest" } });
        let seen = other.client.ok("Sip.getCarriers", matching(record! { id: id }));
        assert_eq!(seen.column("carriers", "name"), ["Newest"]);
        // Resellers give nothing away.
        other.client.ok("Sip.updateCarrier", record! { carrier: record! { id: id, name: "x", reseller: acme.id } });
        assert_eq!(other.client.ok("Sip.getCarriers", matching(record! { id: id })).int_at("total"), 1);
    }

    // B139: 8001 for another reseller's.
    fn refuses_what_cannot_be(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        let id = carrier(&acme.client, "Telco");
        carrier(&acme.client, "Second");
        let update = |id: i64, name: &str| record! { carrier: record! { id: id, name: name } };
        other.client.refused(8001, "Sip.updateCarrier", update(id, "x"));
        child.client.refused(8003, "Sip.updateCarrier", update(id, "x"));
        acme.client.refused(1070, "Sip.updateCarrier", update(id + 1000, "x"));
        acme.client.refused(1071, "Sip.updateCarrier", update(id, "Second"));
        acme.client.refused(9001, "Sip.updateCarrier", update(id, ""));
        acme.client.refused(9001, "Sip.updateCarrier", record! { carrier: record! { name: "x" } });
        acme.client.refused(9000, "Sip.updateCarrier", update(-1, "x"));
        p.admin().refused(5000, "Sip.updateCarrier", record! {
            carrier: record! { id: id, name: "x", reseller: 4711 },
        });
    }
}
