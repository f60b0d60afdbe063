//! Sip.deleteDomain.

use ngn_tests::fixture::{account, domain, reseller};
use ngn_tests::{both, matching, record, sip_id};

both! {
    fn refuses_unknown_foreign_and_used_domains(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        domain(&acme.client, "example.com");
        domain(&acme.client, "aliases.example");
        account(&acme.client, "alice@example.com");
        acme.client.ok("Sip.addAlias", record! { alias: record! {
            id: sip_id("a@aliases.example"), target: sip_id("alice@example.com"),
        } });
        p.admin().refused(1000, "Sip.deleteDomain", record! { domain: "nowhere.example" });
        other.client.refused(1000, "Sip.deleteDomain", record! { domain: "example.com" });
        // B52.
        acme.client.refused(1002, "Sip.deleteDomain", record! { domain: "example.com" });
        acme.client.refused(1002, "Sip.deleteDomain", record! { domain: "aliases.example" });
        acme.client.ok("Sip.deleteAccount", record! { sipId: sip_id("alice@example.com") });
        acme.client.ok("Sip.deleteDomain", record! { domain: "Example.com" });
        acme.client.ok("Sip.deleteDomain", record! { domain: "aliases.example" });
        assert_eq!(p.admin().ok("Sip.getDomains", matching(record! {})).int_at("total"), 0);
        acme.client.refused(1000, "Sip.deleteDomain", record! { domain: "example.com" });
        domain(&other.client, "example.com");
    }
}
