//! Enum.getRanges.

use ngn_tests::fixture::{enum_number, enum_range, range, reseller};
use ngn_tests::{both, query, record};

both! {
    fn lists_and_filters(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        acme.client.ok("Enum.addRange", record! { range: enum_range("3120").with("info", "Amsterdam").with("size", 3) });
        range(&acme.client, "3130");
        range(&other.client, "3140");
        acme.client.ok("Enum.addNumber", record! { number: enum_number("31201", "sip:a@example.com") });
        let list = |client: &ngn_tests::soap::Client, filter| {
            let found = client.ok("Enum.getRanges", query(filter, "prefix", "ASC", 0, 500));
            let names = found.column("ranges", "id/prefix");
            assert_eq!(found.int_at("total"), i64::try_from(names.len()).unwrap());
            names.join(" ")
        };
        let all = record! { prefix: "", tld: "", info: "", customer: 0, reseller: 0 };
        assert_eq!(list(&p.admin(), all.clone()), "3120 3130 3140");
        assert_eq!(list(&acme.client, all), "3120 3130");
        assert_eq!(list(&p.admin(), record! { info: "amster%" }), "3120");
        assert_eq!(list(&p.admin(), record! { prefix: "31_0", reseller: other.id }), "3140");
        let found = acme.client.ok("Enum.getRanges", query(record! { prefix: "3120" }, "changeDate", "DESC", 0, 1));
        let range = found.at("ranges/0");
        assert_eq!((range.int_at("used"), range.int_at("size")), (1, 3));
        assert_eq!(range.at("nameservers").children.len(), 2);
        assert_eq!(range.text_at("changeDate").len(), 19);
    }
}
