//! Sip.updateAlias.

use ngn_tests::fixture::{account, domain, reseller};
use ngn_tests::{Value, both, record, sip_id};

fn alias(id: &str, target: &str) -> Value {
    record! { alias: record! { id: sip_id(id), target: sip_id(target) } }
}

both! {
    fn moves_an_alias(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        account(&acme.client, "bob@example.com");
        acme.client.ok("Sip.addAlias", alias("info@example.com", "alice@example.com"));
        acme.client.refused(1020, "Sip.updateAlias", alias("x@example.com", "bob@example.com"));
        other.client.refused(1020, "Sip.updateAlias", alias("info@example.com", "bob@example.com"));
        acme.client.refused(1010, "Sip.updateAlias", alias("info@example.com", "carol@example.com"));
        acme.client.ok("Sip.updateAlias", alias("info@example.com", "bob@example.com"));
        let found = acme.client.ok("Sip.getAlias", record! { id: sip_id("info@example.com") });
        assert_eq!(found.text_at("target/username"), "bob");
    }
}
