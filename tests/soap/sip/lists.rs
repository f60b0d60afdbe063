//! Sip.setRejectMembers, getRejectMembers, setBarringPrefixes and getBarringPrefixes.

use ngn_tests::fixture::{account, domain, reseller};
use ngn_tests::soap::Client;
use ngn_tests::{Value, both, record, sip_id};

fn alice() -> Value {
    record! { sipId: sip_id("alice@example.com") }
}

fn list(client: &Client, operation: &str) -> Vec<String> {
    client.ok(operation, alice()).children.into_iter().map(|child| child.text).collect()
}

fn items(items: &[&str]) -> Value {
    Value::List(items.iter().map(|item| Value::from(*item)).collect())
}

both! {
    // B97.
    fn reject_members_are_replaced(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let client = &acme.client;
        assert!(list(client, "Sip.getRejectMembers").is_empty());
        let given = items(&["sip:Spam@example.net", "%@example.org", "", "sip:spam@example.net"]);
        client.ok("Sip.setRejectMembers", alice().with("members", given));
        assert_eq!(list(client, "Sip.getRejectMembers"), ["sip:spam@example.net", "sip:%@example.org"]);
        client.ok("Sip.setRejectMembers", alice().with("members", items(&["sip:z@example.net", "sip:a@example.net"])));
        assert_eq!(list(client, "Sip.getRejectMembers"), ["sip:z@example.net", "sip:a@example.net"]);
        client.ok("Sip.setRejectMembers", alice().with("members", items(&[])));
        assert!(list(client, "Sip.getRejectMembers").is_empty());
    }

    // B96.
    fn barring_prefixes_are_replaced(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let client = &acme.client;
        assert!(list(client, "Sip.getBarringPrefixes").is_empty());
        client.ok("Sip.setBarringPrefixes", alice().with("prefixes", items(&["+31900", "+44", "", "+44"])));
        assert_eq!(list(client, "Sip.getBarringPrefixes"), ["+31900", "+44"]);
        client.ok("Sip.setBarringPrefixes", alice().with("prefixes", items(&["+1"])));
        assert_eq!(list(client, "Sip.getBarringPrefixes"), ["+1"]);
        client.ok("Sip.setBarringPrefixes", alice().with("prefixes", items(&[])));
        assert!(list(client, "Sip.getBarringPrefixes").is_empty());
    }

    fn long_lists_are_kept_in_order(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let many: Vec<String> = (0..1000).map(|i| format!("+1{}", 999 - i)).collect();
        let refs: Vec<&str> = many.iter().map(String::as_str).collect();
        acme.client.ok("Sip.setBarringPrefixes", alice().with("prefixes", items(&refs)));
        assert_eq!(list(&acme.client, "Sip.getBarringPrefixes"), many);
        let more: Vec<&str> = refs.iter().copied().chain(["+2"]).collect();
        acme.client.refused(9000, "Sip.setBarringPrefixes", alice().with("prefixes", items(&more)));
    }

    fn refuses_what_cannot_be_there(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let client = &acme.client;
        for bad in ["31900", "0031900", "+0", "+", "+31 900", "+1234567890123456", "+31x"] {
            let fault = client.fault("Sip.setBarringPrefixes", alice().with("prefixes", items(&["+44", bad])));
            assert_eq!(fault.code, 9000, "{bad}");
            assert!(fault.text.contains("prefixes[1]") && fault.text.contains(bad), "{fault:?}");
        }
        for bad in ["sip:a b@example.net", "<sip:a@example.net>"] {
            client.refused(9000, "Sip.setRejectMembers", alice().with("members", items(&[bad])));
        }
        for (set, get, member) in [
            ("Sip.setRejectMembers", "Sip.getRejectMembers", "members"),
            ("Sip.setBarringPrefixes", "Sip.getBarringPrefixes", "prefixes"),
        ] {
            client.refused(9001, set, alice());
            client.refused(9001, get, Value::empty());
            client.refused(1010, get, record! { sipId: sip_id("zoe@example.com") });
            client.refused(1010, set, record! { sipId: sip_id("zoe@example.com") }.with(member, items(&["+44"])));
            other.client.refused(1010, set, alice().with(member, items(&["+44"])));
            other.client.refused(1010, get, alice());
            assert!(list(client, get).is_empty());
        }
    }
}
