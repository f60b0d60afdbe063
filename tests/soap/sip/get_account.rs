//! Sip.getAccount.

use ngn_tests::fixture::{account, customer, domain, reseller};
use ngn_tests::{Value, both, record, sip_id};

both! {
    fn refuses_what_the_caller_may_not_see(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let (child, sibling) = (customer(p, &acme, "child"), customer(p, &acme, "sibling"));
        domain(&child.client, "example.com");
        account(&child.client, "alice@example.com");
        for client in [&other.client, &sibling.client] {
            client.refused(1010, "Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        }
        let admin = p.admin();
        admin.refused(1010, "Sip.getAccount", record! { sipId: sip_id("bob@example.com") });
        admin.refused(1010, "Sip.getAccount", record! { sipId: sip_id("alice@nowhere.example") });
        admin.refused(9001, "Sip.getAccount", Value::empty());
        // B19: whoever may see the account sees its password.
        for client in [&child.client, &acme.client, &admin] {
            let found = client.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
            assert_eq!(found.text_at("password"), "secret");
        }
        admin.ok("Sip.getAccount", record! { sipId: sip_id("ALICE@EXAMPLE.COM") });
    }

    // R3, R6: an account of which nothing is known has all members, lists empty, booleans false.
    fn carries_every_member(p) {
        let admin = p.admin();
        domain(&admin, "example.com");
        admin.ok("Sip.addAccount", record! { account: record! { id: sip_id("bare@example.com"), password: "x" } });
        let found = admin.ok("Sip.getAccount", record! { sipId: sip_id("bare@example.com") });
        let members: Vec<&str> = found.children.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(members, [
            "id", "password", "firstName", "lastName", "email", "acl", "groups", "properties", "timezone",
            "rpid", "quota", "quickdialPrefix", "callLimit", "prepaid", "region", "timeout", "owner",
            "customer", "reseller", "changeDate", "createDate", "ha1",
        ]);
        assert_eq!(found.text_at("prepaid"), "false");
        for list in ["acl", "groups", "properties"] {
            assert!(!found.is_nil_at(list) && found.at(list).children.is_empty());
        }
    }
}
