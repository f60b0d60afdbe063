//! Enum.deleteRange.

use ngn_tests::fixture::{enum_id, enum_number, range, reseller};
use ngn_tests::{both, matching, record};

both! {
    // B111. The parameter is called `range` and holds an id.
    fn refuses_unknown_foreign_and_used_ranges(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        range(&acme.client, "3120");
        acme.client.ok("Enum.addNumber", record! { number: enum_number("31201", "sip:a@example.com") });
        let id = |prefix: &str| record! { range: record! { prefix: prefix, tld: "e164.arpa" } };
        acme.client.refused(3000, "Enum.deleteRange", id("3130"));
        other.client.refused(3000, "Enum.deleteRange", id("3120"));
        acme.client.refused(3005, "Enum.deleteRange", id("3120"));
        acme.client.ok("Enum.deleteNumber", record! { enumId: enum_id("31201") });
        acme.client.ok("Enum.deleteRange", id("3120"));
        acme.client.refused(3000, "Enum.deleteRange", id("3120"));
        assert_eq!(acme.client.ok("Enum.getRanges", matching(record! {})).int_at("total"), 0);
        range(&other.client, "3120");
    }
}
