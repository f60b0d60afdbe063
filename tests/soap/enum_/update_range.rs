//! Enum.updateRange.

use ngn_tests::fixture::{customer, enum_id, enum_number, enum_range, range, reseller};
use ngn_tests::{both, matching, record};

both! {
    // B15, B112: numbers report what their range says.
    fn hands_numbers_over_with_the_range(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        range(&acme.client, "3120");
        acme.client.ok("Enum.addNumber", record! { number: enum_number("31201", "sip:a@example.com") });
        other.client.refused(3000, "Enum.updateRange", record! { range: enum_range("3120") });
        acme.client.refused(3000, "Enum.updateRange", record! { range: enum_range("3130") });
        acme.client.ok("Enum.updateRange", record! {
            range: enum_range("3120").with("customer", child.id).with("info", "given").with("ttl", 120).with("serial", 0),
        });
        let number = child.client.ok("Enum.getNumber", record! { enumId: enum_id("31201") });
        assert_eq!((number.int_at("customer"), number.int_at("reseller")), (child.id, acme.id));
        let found = child.client.ok("Enum.getRanges", matching(record! { prefix: "3120" }));
        let range = found.at("ranges/0");
        assert_eq!((range.text_at("info"), range.int_at("ttl"), range.int_at("used")), ("given", 120, 1));
    }

    // B110: the serial rises with every change of the range or of a number in it, whatever the caller sends.
    fn raises_the_serial(p) {
        let acme = reseller(p, "acme");
        range(&acme.client, "3120");
        let serial = || acme.client.ok("Enum.getRanges", matching(record! { prefix: "3120" })).int_at("ranges/0/serial");
        let mut last = serial();
        let mut rises = |what: &str| {
            let now = serial();
            assert!(now > last, "{what}: {now} is not above {last}");
            last = now;
        };
        acme.client.ok("Enum.updateRange", record! { range: enum_range("3120").with("serial", 0) });
        rises("updateRange");
        acme.client.ok("Enum.addNumber", record! { number: enum_number("31201", "sip:a@example.com") });
        rises("addNumber");
        acme.client.ok("Enum.updateNumber", record! { number: enum_number("31201", "sip:b@example.com") });
        rises("updateNumber");
        acme.client.ok("Enum.deleteNumber", record! { enumId: enum_id("31201") });
        rises("deleteNumber");
    }
}
