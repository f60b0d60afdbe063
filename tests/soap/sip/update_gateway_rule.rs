//! Sip.updateGatewayRule.

use ngn_tests::fixture::{carrier, customer, gateway, gateway_rule, reseller};
use ngn_tests::{Value, both, matching, record};

both! {
    // B58, but for what would make the rule another one: gateway and prefix.
    fn replaces_attributes(p) {
        let acme = reseller(p, "acme");
        let carrier_id = carrier(&acme.client, "Telco");
        let (first, second) = (gateway(&acme.client, carrier_id, "a"), gateway(&acme.client, carrier_id, "b"));
        let id = gateway_rule(&acme.client, first, "0031");
        let read = || {
            acme.client.ok("Sip.getGatewayRules", matching(record! { id: id })).at("gateway_rules/0").clone()
        };
        acme.client.ok("Sip.updateGatewayRule", record! { rule: record! { id: id, prepend: "00" } });
        let now = read();
        assert_eq!((now.text_at("prefix"), now.text_at("prepend"), now.int_at("strip")), ("0031", "00", 0));
        assert_eq!(now.text_at("gateway"), "a");
        acme.client.ok("Sip.updateGatewayRule", record! {
            rule: record! { id: id, prefix: "", gateway_id: second, minLength: 3 },
        });
        let now = read();
        assert_eq!((now.text_at("prefix"), now.text_at("gateway"), now.int_at("minLength")), ("", "b", 3));
    }

    fn refuses_what_cannot_be(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        let gateway_id = gateway(&acme.client, carrier(&acme.client, "Telco"), "gw");
        let foreign = gateway(&other.client, carrier(&other.client, "Telco"), "gw");
        let id = gateway_rule(&acme.client, gateway_id, "0031");
        gateway_rule(&acme.client, gateway_id, "0032");
        let good = record! { id: id, prefix: "0033" };
        let update = |code, rule: Value| acme.client.refused(code, "Sip.updateGatewayRule", record! { rule: rule });
        update(1076, good.clone().with("id", id + 1000));
        update(1073, good.clone().with("gateway_id", foreign));
        update(1077, good.clone().with("prefix", "0032"));
        update(9001, good.clone().with("id", 0));
        update(9000, good.clone().with("prefix", "x"));
        // B139.
        other.client.refused(8001, "Sip.updateGatewayRule", record! { rule: good.clone() });
        child.client.refused(8003, "Sip.updateGatewayRule", record! { rule: good });
    }
}
