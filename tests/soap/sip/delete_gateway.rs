//! Sip.deleteGateway.

use ngn_tests::fixture::{carrier, customer, gateway, gateway_rule, reseller};
use ngn_tests::{Value, both, matching, record};

both! {
    // B137: its rules go with it, each with its row in the journal.
    fn deletes_its_rules(p) {
        let acme = reseller(p, "acme");
        let carrier_id = carrier(&acme.client, "Telco");
        let (id, stays) = (gateway(&acme.client, carrier_id, "gw"), gateway(&acme.client, carrier_id, "stays"));
        gateway_rule(&acme.client, id, "0031");
        gateway_rule(&acme.client, id, "");
        gateway_rule(&acme.client, stays, "");
        acme.client.ok("Sip.deleteGateway", record! { id: id });
        let rules = acme.client.ok("Sip.getGatewayRules", matching(Value::empty()));
        assert_eq!(rules.column("gateway_rules", "gateway"), ["stays"]);
        let rows = p.database.sql("SELECT entity FROM journal WHERE operation = 'Sip:deleteGateway' ORDER BY id");
        assert_eq!(rows.split_whitespace().collect::<Vec<_>>(), ["gateway_rule", "gateway_rule", "gateway"]);
        acme.client.refused(1073, "Sip.deleteGateway", record! { id: id });
    }

    // Older clients name what they delete; contract B1.
    fn takes_a_name(p) {
        let acme = reseller(p, "acme");
        let (first, second) = (carrier(&acme.client, "First"), carrier(&acme.client, "Second"));
        gateway(&acme.client, first, "gw");
        gateway(&acme.client, second, "gw");
        gateway(&acme.client, second, "other");
        acme.client.refused(9000, "Sip.deleteGateway", record! { name: "gw" });
        acme.client.ok("Sip.deleteGateway", record! { name: "other" });
        acme.client.refused(1073, "Sip.deleteGateway", record! { name: "other" });
    }

    fn refuses_strangers(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        let id = gateway(&acme.client, carrier(&acme.client, "Telco"), "gw");
        other.client.refused(8001, "Sip.deleteGateway", record! { id: id });
        child.client.refused(8003, "Sip.deleteGateway", record! { id: id });
        acme.client.refused(9001, "Sip.deleteGateway", record! { id: 0 });
        acme.client.refused(9000, "Sip.deleteGateway", record! { id: -1 });
    }
}
