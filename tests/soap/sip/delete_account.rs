//! Sip.deleteAccount.

use ngn_tests::fixture::{account, domain, enum_number, range, reseller};
use ngn_tests::{Value, both, record, sip_id};

both! {
    fn refuses_unknown_and_foreign_accounts(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        acme.client.refused(1010, "Sip.deleteAccount", record! { sipId: sip_id("bob@example.com") });
        other.client.refused(1010, "Sip.deleteAccount", record! { sipId: sip_id("alice@example.com") });
        acme.client.refused(9001, "Sip.deleteAccount", Value::empty());
    }

    // B57: what hangs on the account goes with it; ENUM numbers that point to it stay.
    fn takes_groups_and_aliases_along(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        account(&acme.client, "bob@example.com");
        for (alias, target) in [("a1", "alice"), ("a2", "alice"), ("b1", "bob")] {
            acme.client.ok("Sip.addAlias", record! { alias: record! {
                id: record! { username: alias, domain: "example.com" },
                target: record! { username: target, domain: "example.com" },
            } });
        }
        acme.client.ok("Sip.addToGroup", record! { sipId: sip_id("alice@example.com"), group: "vip" });
        range(&acme.client, "3120");
        acme.client.ok("Enum.addNumber", record! { number: enum_number("31201", "sip:alice@example.com") });
        acme.client.ok("Sip.deleteAccount", record! { sipId: sip_id("Alice@example.com") });
        acme.client.refused(1010, "Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        acme.client.refused(1010, "Sip.getGroups", record! { sipId: sip_id("alice@example.com") });
        acme.client.refused(1020, "Sip.getAlias", record! { id: sip_id("a1@example.com") });
        acme.client.ok("Sip.getAlias", record! { id: sip_id("b1@example.com") });
        let number = acme.client.ok("Enum.getNumber", record! {
            enumId: record! { number: "31201", tld: "e164.arpa" },
        });
        assert_eq!(number.text_at("mappings/0/mapto"), "sip:alice@example.com");
        // The address is free, and a new account there starts without the old one's groups.
        account(&acme.client, "alice@example.com");
        let groups = acme.client.ok("Sip.getGroups", record! { sipId: sip_id("alice@example.com") });
        assert_eq!(groups.children.len(), 0);
    }
}
