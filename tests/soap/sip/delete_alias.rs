//! Sip.deleteAlias and getAlias.

use ngn_tests::fixture::{account, domain, reseller};
use ngn_tests::{Value, both, record, sip_id};

both! {
    fn deletes_once(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        acme.client.ok("Sip.addAlias", record! { alias: record! {
            id: sip_id("info@example.com"), target: sip_id("alice@example.com"),
        } });
        let id = || record! { id: sip_id("Info@example.com") };
        for operation in ["Sip.getAlias", "Sip.deleteAlias"] {
            other.client.refused(1020, operation, id());
            acme.client.refused(1020, operation, record! { id: sip_id("x@example.com") });
            acme.client.refused(9001, operation, Value::empty());
        }
        let found = acme.client.ok("Sip.getAlias", id());
        assert_eq!(found.text_at("target/domain"), "example.com");
        acme.client.ok("Sip.deleteAlias", id());
        acme.client.refused(1020, "Sip.deleteAlias", id());
        acme.client.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
    }
}
