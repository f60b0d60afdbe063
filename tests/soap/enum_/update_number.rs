//! Enum.updateNumber.

use ngn_tests::fixture::{enum_id, enum_number, range, reseller};
use ngn_tests::{Value, both, record};

both! {
    fn refuses_unknown_and_foreign_numbers(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        range(&acme.client, "3120");
        acme.client.ok("Enum.addNumber", record! { number: enum_number("31201", "sip:a@example.com") });
        acme.client.refused(3002, "Enum.updateNumber", record! { number: enum_number("31202", "sip:a@example.com") });
        other.client.refused(3002, "Enum.updateNumber", record! { number: enum_number("31201", "sip:a@example.com") });
        acme.client.refused(3009, "Enum.updateNumber", record! { number: record! {
            id: enum_id("31201"), mappings: vec![record! { r#type: "sip", mapto: "tel:+1" }],
        } });
        let stored = acme.client.ok("Enum.getNumber", record! { enumId: enum_id("31201") });
        assert_eq!(stored.column("mappings", "mapto"), ["sip:a@example.com"]);
    }

    // B106, B109: mappings are replaced; one with a known id keeps it.
    fn replaces_the_mappings(p) {
        let acme = reseller(p, "acme");
        range(&acme.client, "3120");
        acme.client.ok("Enum.addNumber", record! {
            number: enum_number("31201", "sip:a@example.com").with("info", "desk").with("owner", 42),
        });
        let get = || acme.client.ok("Enum.getNumber", record! { enumId: enum_id("31201") });
        let first = get().int_at("mappings/0/id");
        // As the screen adds one: the old ones with their ids, the new one without.
        acme.client.ok("Enum.updateNumber", record! { number: record! {
            id: enum_id("31201"),
            mappings: vec![
                record! { r#type: "sip", mapto: "sip:changed@example.com", ttl: 60, priority: 7, id: first },
                record! { r#type: "mailto", mapto: "mailto:a@example.com", ttl: 0, priority: 0 },
            ],
        } });
        let stored = get();
        assert_eq!(stored.column("mappings", "mapto"), ["mailto:a@example.com", "sip:changed@example.com"]);
        assert_eq!(stored.int_at("mappings/1/id"), first);
        assert_ne!(stored.int_at("mappings/0/id"), first);
        assert_eq!(stored.text_at("info"), "");
        // An empty list leaves a number without mappings.
        acme.client.ok("Enum.updateNumber", record! {
            number: record! { id: enum_id("31201"), mappings: Value::List(vec![]) },
        });
        assert_eq!(get().at("mappings").children.len(), 0);
    }
}
