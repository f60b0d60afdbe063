//! Sip.updateGateway.

use ngn_tests::fixture::{carrier, customer, gateway, reseller};
use ngn_tests::{Value, both, matching, record};

both! {
    // B58: what is missing is cleared; the carrier is no attribute that can be.
    fn replaces_attributes(p) {
        let acme = reseller(p, "acme");
        let (first, second) = (carrier(&acme.client, "First"), carrier(&acme.client, "Second"));
        let id = acme.client.ok("Sip.addGateway", record! { gateway: record! {
            name: "gw", carrier_id: first, ip: "192.0.2.1", port: 5070, transport: "tls",
        } }).int_at("id");
        let read = || acme.client.ok("Sip.getGateways", matching(record! { id: id })).at("gateways/0").clone();
        acme.client.ok("Sip.updateGateway", record! { gateway: record! { id: id, name: "new", ip: "192.0.2.2" } });
        let now = read();
        assert_eq!((now.text_at("name"), now.text_at("ip"), now.int_at("port")), ("new", "192.0.2.2", 5060));
        assert_eq!((now.text_at("transport"), now.text_at("carrier")), ("udp", "First"));
        acme.client.ok("Sip.updateGateway", record! {
            gateway: record! { id: id, name: "new", ip: "192.0.2.2", carrier_id: second, carrier: "x" },
        });
        assert_eq!(read().text_at("carrier"), "Second");
    }

    fn refuses_what_cannot_be(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        let carrier_id = carrier(&acme.client, "Telco");
        let foreign = carrier(&other.client, "Telco");
        let id = gateway(&acme.client, carrier_id, "gw");
        gateway(&acme.client, carrier_id, "second");
        let good = record! { id: id, name: "gw", ip: "192.0.2.1" };
        let update = |code, gateway: Value| acme.client.refused(code, "Sip.updateGateway", record! { gateway: gateway });
        update(1073, good.clone().with("id", id + 1000));
        update(1070, good.clone().with("carrier_id", foreign));
        update(1074, good.clone().with("name", "second"));
        update(9001, good.clone().with("id", 0));
        update(9001, good.clone().with("name", Value::Null));
        update(9000, good.clone().with("port", -1));
        // B139.
        other.client.refused(8001, "Sip.updateGateway", record! { gateway: good.clone() });
        child.client.refused(8003, "Sip.updateGateway", record! { gateway: good });
    }
}
