//! Sip.addGatewayRule.

use ngn_tests::fixture::{carrier, customer, gateway, gateway_rule, reseller};
use ngn_tests::{Value, both, record};

both! {
    // B17, B135, B136.
    fn keeps_what_was_sent(p) {
        let acme = reseller(p, "acme");
        let carrier_id = carrier(&acme.client, "Telco");
        let gateway_id = gateway(&acme.client, carrier_id, "gw");
        let added = acme.client.ok("Sip.addGatewayRule", record! { rule: record! {
            gateway_id: gateway_id, prefix: "0031", prepend: "1234#", strip: 2, minLength: 9, maxLength: 15,
        } });
        for (member, value) in [
            ("gateway", "gw"), ("carrier", "Telco"), ("prefix", "0031"), ("prepend", "1234#"), ("strip", "2"),
            ("minLength", "9"), ("maxLength", "15"),
        ] {
            assert_eq!(added.text_at(member), value, "{member}");
        }
        let ids = ["gateway_id", "carrier_id", "reseller"].map(|member| added.int_at(member));
        assert_eq!(ids, [gateway_id, carrier_id, acme.id]);
        // Nothing at all: every number as it is. Other lengths are another rule.
        let added = acme.client.ok("Sip.addGatewayRule", record! { rule: record! { gateway_id: gateway_id } });
        assert_eq!((added.text_at("prefix"), added.text_at("prepend"), added.int_at("strip")), ("", "", 0));
        acme.client.ok("Sip.addGatewayRule", record! { rule: record! { gateway_id: gateway_id, minLength: 5 } });
    }

    fn refuses_what_cannot_be(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        let gateway_id = gateway(&acme.client, carrier(&acme.client, "Telco"), "gw");
        gateway_rule(&acme.client, gateway_id, "0031");
        let good = record! { gateway_id: gateway_id, prefix: "0032" };
        let add = |code, rule: Value| acme.client.refused(code, "Sip.addGatewayRule", record! { rule: rule });
        add(1077, good.clone().with("prefix", "0031"));
        add(1073, good.clone().with("gateway_id", gateway_id + 1000));
        add(9001, Value::Null);
        add(9001, good.clone().with("gateway_id", 0));
        for prefix in ["+31", "0031%", "00 31"] {
            add(9000, good.clone().with("prefix", prefix));
        }
        add(9000, good.clone().with("prepend", "sip:"));
        add(9000, good.clone().with("strip", -1));
        add(9000, good.clone().with("minLength", 65));
        add(9000, good.clone().with("minLength", 9).with("maxLength", 8));
        other.client.refused(1073, "Sip.addGatewayRule", record! { rule: good.clone() });
        child.client.refused(8003, "Sip.addGatewayRule", record! { rule: good });
    }
}
