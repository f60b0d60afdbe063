//! Sip.addGateway.

use ngn_tests::fixture::{carrier, customer, gateway, reseller};
use ngn_tests::{Value, both, record};

both! {
    // B17, B134, B136.
    fn fills_in_defaults(p) {
        let acme = reseller(p, "acme");
        let id = carrier(&acme.client, "Telco");
        let add = |gateway: Value| p.admin().ok("Sip.addGateway", record! { gateway: gateway });
        let added = add(record! { name: "gw", carrier_id: id, ip: "GW.Example.com", carrier: "x", reseller: 7 });
        assert_eq!((added.text_at("transport"), added.int_at("port")), ("udp", 5060));
        assert_eq!((added.text_at("ip"), added.text_at("carrier")), ("gw.example.com", "Telco"));
        assert_eq!((added.int_at("carrier_id"), added.int_at("reseller")), (id, acme.id));
        assert!(!added.text_at("changeDate").is_empty());
        for transport in ["tcp", "TLS"] {
            let added = add(record! {
                name: transport, carrier_id: id, ip: "2001:DB8::0:1", port: 5070, transport: transport,
            });
            assert_eq!(added.text_at("transport"), transport.to_lowercase());
            assert_eq!((added.text_at("ip"), added.int_at("port")), ("2001:db8::1", 5070));
        }
    }

    fn refuses_what_cannot_be(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        let id = carrier(&acme.client, "Telco");
        gateway(&acme.client, id, "gw");
        let good = record! { name: "new", carrier_id: id, ip: "192.0.2.1" };
        let add = |code, gateway: Value| acme.client.refused(code, "Sip.addGateway", record! { gateway: gateway });
        add(1074, good.clone().with("name", "gw"));
        add(1070, good.clone().with("carrier_id", id + 1000));
        add(9001, Value::Null);
        add(9001, good.clone().with("carrier_id", 0));
        add(9001, good.clone().with("name", ""));
        add(9001, good.clone().with("ip", ""));
        add(9000, good.clone().with("ip", "192.0.2.256"));
        add(9000, good.clone().with("port", 65536));
        add(9000, good.clone().with("transport", "sctp"));
        // D3: a carrier that the caller may not see.
        other.client.refused(1070, "Sip.addGateway", record! { gateway: good.clone() });
        child.client.refused(8003, "Sip.addGateway", record! { gateway: good });
    }
}
