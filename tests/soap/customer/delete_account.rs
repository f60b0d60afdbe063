//! Customer.deleteAccount.

use ngn_tests::fixture::{account, customer, domain, enum_range, person, range, reseller, zone};
use ngn_tests::{Value, both, record, sip_id};

both! {
    fn refuses_what_it_cannot_find_or_touch(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        p.admin().refused(5000, "Customer.deleteAccount", record! { id: 999 });
        other.client.refused(5000, "Customer.deleteAccount", record! { id: child.id });
        p.admin().refused(9001, "Customer.deleteAccount", Value::empty());
        p.admin().refused(9000, "Customer.deleteAccount", record! { id: "seven" });
    }

    // B29: a customer that still owns something stays.
    fn refuses_an_owner(p) {
        let acme = reseller(p, "acme");
        let of_domain = customer(p, &acme, "a");
        domain(&of_domain.client, "example.com");
        acme.client.refused(5002, "Customer.deleteAccount", record! { id: of_domain.id });
        let of_range = customer(p, &acme, "b");
        range(&of_range.client, "31201");
        acme.client.refused(5002, "Customer.deleteAccount", record! { id: of_range.id });
        let of_zone = customer(p, &acme, "c");
        zone(&of_zone.client, "example.net");
        acme.client.refused(5002, "Customer.deleteAccount", record! { id: of_zone.id });
        // A reseller with children.
        p.admin().refused(5002, "Customer.deleteAccount", record! { id: acme.id });
        of_domain.client.ok("Sip.deleteDomain", record! { domain: "example.com" });
        acme.client.ok("Customer.deleteAccount", record! { id: of_domain.id });
        acme.client.refused(5000, "Customer.getAccount", record! { id: of_domain.id });
    }

    // B29, second half: being named as `owner` blocks nothing; the name is taken out.
    fn resets_the_owner_of_records(p) {
        let acme = reseller(p, "acme");
        let friend = customer(p, &acme, "friend");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let alice = acme.client.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        assert_eq!(alice.at("owner").text.trim_start_matches('0'), "");
        acme.client.ok("Sip.updateAccount", record! { account: record! {
            id: sip_id("alice@example.com"), owner: friend.id,
        } });
        acme.client.ok("Enum.addRange", record! { range: enum_range("3120") });
        acme.client.ok("Enum.addNumber", record! { number: record! {
            id: record! { number: "31201", tld: "e164.arpa" }, owner: friend.id,
        } });
        acme.client.ok("Customer.deleteAccount", record! { id: friend.id });
        let alice = acme.client.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        assert_eq!(alice.at("owner").text.trim_start_matches('0'), "");
        let number = acme.client.ok("Enum.getNumber", record! {
            enumId: record! { number: "31201", tld: "e164.arpa" },
        });
        assert_eq!(number.at("owner").text.trim_start_matches('0'), "");
    }

    // The name is free again, and the id is not given out twice.
    fn frees_the_name(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        acme.client.ok("Customer.deleteAccount", record! { id: child.id.to_string() });
        child.client.refused(8000, "Customer.getAccount", record! { id: child.id });
        let again = acme.client.ok("Customer.addAccount", record! { account: person("child") });
        assert!(again.int_at("id") > child.id);
    }
}
