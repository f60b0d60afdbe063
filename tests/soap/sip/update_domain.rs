//! Sip.updateDomain.

use ngn_tests::fixture::{account, customer, domain, reseller};
use ngn_tests::{both, matching, record, sip_id};

both! {
    fn refuses_unknown_and_foreign_domains(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        domain(&acme.client, "example.com");
        p.admin().refused(1000, "Sip.updateDomain", record! { domain: record! { domain: "nowhere.example" } });
        other.client.refused(1000, "Sip.updateDomain", record! { domain: record! { domain: "example.com" } });
    }

    // B15: accounts and aliases report what their domain says, at once.
    fn hands_accounts_over_with_the_domain(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        acme.client.ok("Sip.addAlias", record! { alias: record! {
            id: sip_id("a@example.com"), target: sip_id("alice@example.com"),
        } });
        acme.client.ok("Sip.updateDomain", record! { domain: record! { domain: "example.com", customer: child.id } });
        let alice = child.client.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        assert_eq!((alice.int_at("customer"), alice.int_at("reseller")), (child.id, acme.id));
        let alias = child.client.ok("Sip.getAlias", record! { id: sip_id("a@example.com") });
        assert_eq!(alias.int_at("customer"), child.id);
        p.admin().ok("Sip.updateDomain", record! { domain: record! {
            domain: "example.com", customer: other.id, reseller: other.id,
        } });
        child.client.refused(1010, "Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        other.client.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
    }

    // B58 for domains: what is not supplied is cleared.
    fn replaces_the_attributes(p) {
        let admin = p.admin();
        admin.ok("Sip.addDomain", record! { domain: record! {
            domain: "example.com", certificate: "c", verify_cert: true,
        } });
        admin.ok("Sip.updateDomain", record! { domain: record! { domain: "EXAMPLE.com", private_key: "k" } });
        let found = admin.ok("Sip.getDomains", matching(record! { domain: "example.com" }));
        assert_eq!(found.text_at("domains/0/private_key"), "k");
        assert_eq!(found.text_at("domains/0/certificate"), "");
        assert_eq!(found.text_at("domains/0/verify_cert"), "false");
    }
}
