//! Enum.getNumbers.

use ngn_tests::fixture::{enum_id, enum_number, range, reseller};
use ngn_tests::{both, query, record};

both! {
    // B47: type and mapto must be met by one mapping, with or without its scheme; the whole number is returned.
    fn lists_and_filters(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        range(&acme.client, "3120");
        range(&other.client, "3130");
        acme.client.ok("Enum.addNumber", record! { number: record! {
            id: enum_id("31201"), owner: 42, mappings: vec![
                record! { r#type: "sip", mapto: "sip:alice@example.com" },
                record! { r#type: "mailto", mapto: "mailto:mail@example.com" },
            ],
        } });
        acme.client.ok("Enum.addNumber", record! { number: enum_number("31202", "sip:bob@example.com") });
        other.client.ok("Enum.addNumber", record! { number: enum_number("31301", "sip:alice@example.com") });
        let list = |client: &ngn_tests::soap::Client, filter| {
            let found = client.ok("Enum.getNumbers", query(filter, "number", "ASC", 0, 1000));
            let names = found.column("numbers", "id/number");
            assert_eq!(found.int_at("total"), i64::try_from(names.len()).unwrap());
            names.join(" ")
        };
        let all = record! { number: "", tld: "", r#type: "", mapto: "", owner: 0, customer: 0, reseller: 0 };
        assert_eq!(list(&p.admin(), all.clone()), "31201 31202 31301");
        assert_eq!(list(&acme.client, all), "31201 31202");
        assert_eq!(list(&acme.client, record! { number: "3120%" }), "31201 31202");
        assert_eq!(list(&p.admin(), record! { r#type: "sip", mapto: "alice@example.com" }), "31201 31301");
        assert_eq!(list(&p.admin(), record! { r#type: "sip", mapto: "sip:alice@%" }), "31201 31301");
        assert_eq!(list(&p.admin(), record! { r#type: "mailto", mapto: "alice@example.com" }), "");
        assert_eq!(list(&acme.client, record! { owner: 42 }), "31201");
        assert_eq!(list(&acme.client, record! { tld: "e164.example" }), "");
        let found = acme.client.ok("Enum.getNumbers", query(record! { r#type: "mailto" }, "changeDate", "ASC", 0, 10));
        assert_eq!(found.at("numbers/0/mappings").children.len(), 2);
    }
}
