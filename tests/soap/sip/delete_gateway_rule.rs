//! Sip.deleteGatewayRule.

use ngn_tests::fixture::{carrier, customer, gateway, gateway_rule, reseller};
use ngn_tests::{Value, both, matching, record};

both! {
    fn deletes_once(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        let gateway_id = gateway(&acme.client, carrier(&acme.client, "Telco"), "gw");
        let id = gateway_rule(&acme.client, gateway_id, "0031");
        gateway_rule(&acme.client, gateway_id, "0032");
        // B10, B18.
        other.client.refused(8001, "Sip.deleteGatewayRule", record! { id: id });
        child.client.refused(8003, "Sip.deleteGatewayRule", record! { id: id });
        acme.client.refused(9001, "Sip.deleteGatewayRule", record! { id: Value::Null });
        acme.client.refused(9000, "Sip.deleteGatewayRule", record! { id: -1 });
        acme.client.ok("Sip.deleteGatewayRule", record! { id: id });
        acme.client.refused(1076, "Sip.deleteGatewayRule", record! { id: id });
        let left = acme.client.ok("Sip.getGatewayRules", matching(Value::empty()));
        assert_eq!(left.column("gateway_rules", "prefix"), ["0032"]);
    }
}
