//! Enum.getNumber.

use ngn_tests::fixture::{enum_id, enum_number, range, reseller};
use ngn_tests::{both, record};

both! {
    // B113: the client decides between adding and updating by this fault.
    fn faults_on_what_is_not_there(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        range(&acme.client, "3120");
        acme.client.refused(3002, "Enum.getNumber", record! { enumId: enum_id("31201") });
        acme.client.refused(3002, "Enum.getNumber", record! { enumId: enum_id("4930") });
        acme.client.ok("Enum.addNumber", record! { number: enum_number("31201", "sip:a@example.com") });
        other.client.refused(3002, "Enum.getNumber", record! { enumId: enum_id("31201") });
        let found = acme.client.ok("Enum.getNumber", record! { enumId: enum_id("31201") });
        assert_eq!(found.text_at("id/number"), "31201");
        assert_eq!(found.text_at("mappings/0/type"), "sip");
        // B108: a plus sign in the request is only decoration.
        acme.client.ok("Enum.getNumber", record! { enumId: enum_id("+31201") });
    }
}
