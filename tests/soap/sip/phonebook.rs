//! Sip.addPhonebookEntry, updatePhonebookEntry, deletePhonebookEntry and getPhonebookEntries.

use ngn_tests::fixture::{account, domain, reseller};
use ngn_tests::soap::Client;
use ngn_tests::xml::Node;
use ngn_tests::{Value, both, record, sip_id};

fn entry(uri: &str, name: &str, group: &str) -> Value {
    record! {
        sipId: sip_id("alice@example.com"), entry: record! { uri: uri, name: name, group: group },
    }
}

fn find(client: &Client, pattern: Value, start: i64, count: i64) -> Node {
    client.ok("Sip.getPhonebookEntries", record! {
        sipId: sip_id("alice@example.com"), r#match: pattern, range: record! { start: start, count: count },
    })
}

fn uris(found: &Node) -> String {
    found.column("entries", "uri").join(" ")
}

both! {
    // B98.
    fn keeps_what_is_added(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let client = &acme.client;
        client.ok("Sip.addPhonebookEntry", entry("Xavier@Example.NET", "Xavier", "vip"));
        let fault = client.fault("Sip.addPhonebookEntry", entry("xavier@example.net", "Again", ""));
        assert_eq!(fault.code, 1041);
        assert!(fault.text.contains("xavier@example.net"), "{fault:?}");
        client.ok("Sip.addPhonebookEntry", record! { sipId: sip_id("alice@example.com"), entry: record! {
            uri: "%@example.org", firstName: "Yvonne", lastName: "Example",
        } });
        let found = find(client, Value::empty(), 0, 100);
        assert_eq!(found.int_at("total"), 2);
        assert_eq!(uris(&found), "%@example.org xavier@example.net");
        let first = &found.at("entries").children[0];
        assert_eq!((first.text_at("firstName"), first.text_at("lastName")), ("Yvonne", "Example"));
        assert_eq!((first.text_at("group"), first.is_nil_at("name")), ("", true));
        let second = &found.at("entries").children[1];
        assert_eq!((second.text_at("name"), second.text_at("group")), ("Xavier", "vip"));
    }

    // B98: name and group are replaced; the panel sends no first and last name.
    fn changes_the_entry_of_a_uri(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let client = &acme.client;
        client.ok("Sip.addPhonebookEntry", record! { sipId: sip_id("alice@example.com"), entry: record! {
            uri: "x@example.net", name: "X", group: "vip", firstName: "Xavier",
        } });
        client.ok("Sip.updatePhonebookEntry", entry("X@example.net", "Xaver", ""));
        let found = find(client, Value::empty(), 0, 100);
        let entry_found = &found.at("entries").children[0];
        assert_eq!((entry_found.text_at("name"), entry_found.text_at("group")), ("Xaver", ""));
        assert_eq!(entry_found.text_at("firstName"), "Xavier");
        client.refused(1040, "Sip.updatePhonebookEntry", entry("y@example.net", "Y", ""));
    }

    fn deletes_by_uri(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        account(&acme.client, "bob@example.com");
        let client = &acme.client;
        client.ok("Sip.addPhonebookEntry", entry("x@example.net", "X", ""));
        let of = |who: &str, uri: &str| record! { sipId: sip_id(who), uri: uri };
        client.refused(1040, "Sip.deletePhonebookEntry", of("alice@example.com", "y@example.net"));
        // Another account's book is another book.
        client.refused(1040, "Sip.deletePhonebookEntry", of("bob@example.com", "x@example.net"));
        client.ok("Sip.deletePhonebookEntry", of("alice@example.com", "X@example.net"));
        client.refused(1040, "Sip.deletePhonebookEntry", of("alice@example.com", "x@example.net"));
        assert_eq!(find(client, Value::empty(), 0, 100).int_at("total"), 0);
    }

    // B99: URI or name, and group; an empty group is no group.
    fn searches_by_pattern(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        account(&acme.client, "bob@example.com");
        let client = &acme.client;
        for (uri, name, group) in [
            ("ann@example.net", "Ann", "vip"), ("ben@example.net", "Hannah", ""), ("cem@example.org", "Cem", "family"),
            ("dora@example.org", "Dora", ""), ("31201234567@example.org", "Office", "vip"),
        ] {
            client.ok("Sip.addPhonebookEntry", entry(uri, name, group));
        }
        client.ok("Sip.addPhonebookEntry", record! {
            sipId: sip_id("bob@example.com"), entry: record! { uri: "ann@example.net" },
        });
        let both = |text: &str| record! { uri: text, name: text };
        for (pattern, expected) in [
            (both("%%%"), "31201234567@example.org ann@example.net ben@example.net cem@example.org dora@example.org"),
            (both("%ann%"), "ann@example.net ben@example.net"),
            (both("%ANN%").with("group", "vip"), "ann@example.net"),
            (both("%%").with("group", ""), "ben@example.net dora@example.org"),
            (both("%%").with("group", "vip"), "31201234567@example.org ann@example.net"),
            (record! { uri: "%.org" }, "31201234567@example.org cem@example.org dora@example.org"),
            (record! { uri: "", name: "Dora" }, "dora@example.org"),
            (record! { name: "Nobody" }, ""),
        ] {
            let found = find(client, pattern.clone(), 0, 100);
            assert_eq!(uris(&found), expected, "{pattern:?}");
            let count = i64::try_from(expected.split_whitespace().count()).unwrap();
            assert_eq!(found.int_at("total"), count, "{pattern:?}");
        }
        // B45: a page, and the total of all.
        let page = find(client, both("%%"), 1, 2);
        assert_eq!((uris(&page).as_str(), page.int_at("total")), ("ann@example.net ben@example.net", 5));
        let beyond = find(client, both("%%"), 9, 2);
        assert_eq!((uris(&beyond).as_str(), beyond.int_at("total")), ("", 5));
        let all = client.ok("Sip.getPhonebookEntries", record! { sipId: sip_id("alice@example.com") });
        assert_eq!(all.int_at("total"), 5);
    }

    fn refuses_what_cannot_be_an_entry(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let client = &acme.client;
        let nobody = || record! { sipId: sip_id("zoe@example.com"), entry: record! { uri: "x@example.net" } };
        for operation in ["Sip.addPhonebookEntry", "Sip.updatePhonebookEntry"] {
            client.refused(9001, operation, record! { sipId: sip_id("alice@example.com") });
            client.refused(9001, operation, entry(" ", "X", ""));
            client.refused(9000, operation, entry("a b@example.net", "X", ""));
            client.refused(9000, operation, entry(&format!("{}@example.net", "x".repeat(300)), "X", ""));
            client.refused(9000, operation, entry("x@example.net", &"x".repeat(300), ""));
            client.refused(9000, operation, entry("x@example.net", "X", &"x".repeat(65)));
            client.refused(1010, operation, nobody());
            other.client.refused(1010, operation, entry("x@example.net", "X", ""));
        }
        let one = record! { sipId: sip_id("alice@example.com"), uri: "x@example.net" };
        client.refused(9001, "Sip.deletePhonebookEntry", record! { sipId: sip_id("alice@example.com") });
        client.refused(1010, "Sip.deletePhonebookEntry", record! { sipId: sip_id("zoe@example.com"), uri: "x@example.net" });
        other.client.refused(1010, "Sip.deletePhonebookEntry", one);
        other.client.refused(1010, "Sip.getPhonebookEntries", record! { sipId: sip_id("alice@example.com") });
        client.refused(9001, "Sip.getPhonebookEntries", Value::empty());
        assert_eq!(find(client, Value::empty(), 0, 100).int_at("total"), 0);
    }
}
