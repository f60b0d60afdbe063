//! Enum.addNumber.

use ngn_tests::fixture::{enum_id, enum_number, enum_range, generous, person, range, reseller};
use ngn_tests::soap::Login;
use ngn_tests::{Value, both, matching, record};

both! {
    fn refuses_what_fits_no_range(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        acme.client.ok("Enum.addRange", record! {
            range: enum_range("3120").with("minDigits", 6).with("maxDigits", 8).with("size", 2),
        });
        let add = |client: &ngn_tests::soap::Client, code, number: &str| {
            client.refused(code, "Enum.addNumber", record! { number: enum_number(number, "sip:a@example.com") });
        };
        // B100.
        add(&acme.client, 3004, "3130123");
        add(&other.client, 3004, "3120123");
        acme.client.refused(3004, "Enum.addNumber", record! { number: record! {
            id: record! { number: "3120123", tld: "e164.example" },
        } });
        // B102.
        add(&acme.client, 3007, "31201");
        add(&acme.client, 3007, "312012345");
        acme.client.ok("Enum.addNumber", record! { number: enum_number("312001", "sip:a@example.com") });
        add(&acme.client, 3003, "312001");
        acme.client.ok("Enum.addNumber", record! { number: enum_number("31200002", "sip:a@example.com") });
        add(&acme.client, 3006, "312003");
        add(&acme.client, 3003, "312001");
        for bad in ["", "31x01", "3120-001"] {
            let code = acme.client.fault("Enum.addNumber", record! { number: enum_number(bad, "sip:a@example.com") }).code;
            assert!(matches!(code, 9000 | 9001), "{bad:?}: {code}");
        }
        acme.client.refused(9001, "Enum.addNumber", Value::empty());
    }

    // B104, B105.
    fn refuses_bad_mappings(p) {
        let acme = reseller(p, "acme");
        range(&acme.client, "3120");
        let with = |list: Vec<Value>| record! { number: record! { id: enum_id("31201"), mappings: list } };
        let mapping = |kind: &str, target: &str| record! { r#type: kind, mapto: target };
        let six: Vec<Value> = (0..6).map(|n| mapping("sip", &format!("sip:{n}@example.com"))).collect();
        acme.client.refused(3008, "Enum.addNumber", with(six));
        acme.client.refused(3009, "Enum.addNumber", with(vec![mapping("carrier-pigeon", "loft:1")]));
        acme.client.refused(3009, "Enum.addNumber", with(vec![mapping("sip", "mailto:a@example.com")]));
        acme.client.refused(3009, "Enum.addNumber", with(vec![mapping("web:http", "https://example.com")]));
        acme.client.refused(3002, "Enum.getNumber", record! { enumId: enum_id("31201") });
    }

    // B103, B105, B106, B107, B15.
    fn normalises_mappings(p) {
        let acme = reseller(p, "acme");
        range(&acme.client, "3120");
        let added = acme.client.ok("Enum.addNumber", record! { number: record! {
            id: record! { number: "+31201", tld: "e164.arpa" }, info: "desk", owner: 42, customer: 4711,
            mappings: vec![
                record! { r#type: "web:https", mapto: "example.com/~a", ttl: 0, priority: 9 },
                record! { r#type: "sip", mapto: "a@example.com", ttl: 0, priority: 0 },
                record! { r#type: "sip", mapto: "sip:a@example.com", ttl: 0, priority: 1 },
                record! { r#type: "mailto", mapto: "a@example.com", ttl: 60, priority: 2 },
            ],
        } });
        assert_eq!(added.text_at("id/number"), "31201");
        let stored = acme.client.ok("Enum.getNumber", record! { enumId: enum_id("31201") });
        assert_eq!((stored.text_at("info"), stored.int_at("owner")), ("desk", 42));
        assert_eq!((stored.int_at("customer"), stored.int_at("reseller")), (acme.id, acme.id));
        // Duplicates collapse; the order is by priority.
        let mapto = stored.column("mappings", "mapto");
        assert_eq!(mapto, ["mailto:a@example.com", "sip:a@example.com", "https://example.com/~a"]);
        assert_eq!(stored.column("mappings", "priority"), ["2", "5", "9"]);
        assert_eq!(stored.column("mappings", "ttl"), ["60", "3600", "3600"]);
        assert!(stored.column("mappings", "id").iter().all(|id| id.parse::<i64>().unwrap() > 0));
    }

    // B100: the longest prefix takes the number, also into another customer's range.
    fn takes_the_longest_prefix(p) {
        let acme = reseller(p, "acme");
        range(&p.admin(), "31");
        range(&acme.client, "3120");
        p.admin().ok("Enum.addNumber", record! { number: enum_number("31201", "sip:a@example.com") });
        p.admin().ok("Enum.addNumber", record! { number: enum_number("31301", "sip:b@example.com") });
        let found = acme.client.ok("Enum.getNumbers", matching(record! {}));
        assert_eq!(found.column("numbers", "id/number"), ["31201"]);
        let used = |prefix: &str| p.admin().ok("Enum.getRanges", matching(record! { prefix: prefix })).int_at("ranges/0/used");
        assert_eq!((used("31"), used("3120")), (1, 1));
    }

    fn counts_credits(p) {
        let Value::List(mut properties) = generous() else { unreachable!() };
        properties[3] = properties[3].clone().with("value", "1");
        p.admin().ok("Customer.addAccount", record! {
            account: person("acme").with("resellerActive", true).with("properties", properties),
        });
        let acme = p.client(Login::customer("acme", "acme-password"));
        range(&acme, "3120");
        acme.ok("Enum.addNumber", record! { number: enum_number("31201", "sip:a@example.com") });
        acme.refused(8002, "Enum.addNumber", record! { number: enum_number("31202", "sip:a@example.com") });
        acme.ok("Enum.deleteNumber", record! { enumId: enum_id("31201") });
        acme.ok("Enum.addNumber", record! { number: enum_number("31202", "sip:a@example.com") });
    }
}
