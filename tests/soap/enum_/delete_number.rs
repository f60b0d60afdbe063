//! Enum.deleteNumber.

use ngn_tests::fixture::{enum_id, enum_number, range, reseller};
use ngn_tests::{Value, both, matching, record};

both! {
    fn deletes_once(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        range(&acme.client, "3120");
        acme.client.ok("Enum.addNumber", record! { number: enum_number("31201", "sip:a@example.com") });
        other.client.refused(3002, "Enum.deleteNumber", record! { enumId: enum_id("31201") });
        acme.client.refused(3002, "Enum.deleteNumber", record! { enumId: enum_id("31202") });
        acme.client.refused(9001, "Enum.deleteNumber", Value::empty());
        acme.client.ok("Enum.deleteNumber", record! { enumId: enum_id("31201") });
        acme.client.refused(3002, "Enum.deleteNumber", record! { enumId: enum_id("31201") });
        assert_eq!(acme.client.ok("Enum.getRanges", matching(record! {})).int_at("ranges/0/used"), 0);
        assert_eq!(acme.client.ok("Enum.getNumbers", matching(record! {})).int_at("total"), 0);
    }
}
