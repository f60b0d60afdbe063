//! The cells of the Enum port.

use super::{Cell, play};
use ngn_tests::fixture::{enum_id, enum_number, enum_range, range};
use ngn_tests::{Value, both, matching, record};

/// The id of a range.
fn range_id(prefix: &str) -> Value {
    record! { prefix: prefix, tld: "e164.arpa" }
}

fn ranges(prefix: &str) -> Value {
    matching(record! { prefix: prefix })
}

/// A number with so many mappings of this type.
fn mapped(number: &str, kind: &str, target: &str, count: usize) -> Value {
    let mapping = |n| record! { r#type: kind, mapto: format!("{target}{n}@example.com") };
    let mappings: Vec<Value> = (0..count).map(mapping).collect();
    record! { number: record! { id: enum_id(number), mappings: mappings } }
}

both! {
    fn cells_of_the_port(p) {
        play(p, CELLS);
    }
}

pub(super) const CELLS: &[Cell] = &[
    Cell::success("Enum.addRange", |s| {
        let prefix = s.digits();
        s.act(&s.child.client, record! { range: enum_range(&prefix) }).names(&prefix).then(
            "Enum.getRanges",
            ranges(&prefix),
            s.child.id,
        )
    }),
    Cell::fault("Enum.addRange", 3001, |s| {
        let prefix = s.digits();
        range(&s.other.client, &prefix);
        s.act(&s.acme.client, record! { range: enum_range(&prefix) }).names(&prefix)
    }),
    Cell::fault("Enum.addRange", 5000, |s| {
        let given = enum_range(&s.digits()).with("customer", 987_654);
        s.act(&s.admin, record! { range: given }).names("987654")
    }),
    Cell::fault("Enum.addRange", 5003, |s| {
        s.act(&s.idle.client, record! { range: enum_range(&s.digits()) }).names(s.idle.id)
    }),
    Cell::fault("Enum.addRange", 8001, |s| {
        let prefix = s.digits();
        range(&s.other.client, &prefix);
        let number = enum_number(&format!("{prefix}55"), "sip:a@example.com");
        s.other.client.ok("Enum.addNumber", record! { number: number });
        let inside = format!("{prefix}5");
        s.act(&s.acme.client, record! { range: enum_range(&inside) }).names(&inside)
    }),
    Cell::fault("Enum.addRange", 8002, |s| {
        s.act(&s.poor.client, record! { range: enum_range(&s.digits()) }).names("enum_range_credit")
    }),
    Cell::fault("Enum.addRange", 8003, |s| {
        s.act(&s.acme.client, record! { range: enum_range("44") }).names("44")
    }),
    Cell::fault("Enum.addRange", 9001, |s| s.act(&s.acme.client, Value::empty()).names("range")),
    Cell::success("Enum.updateRange", |s| {
        let prefix = s.digits();
        range(&s.acme.client, &prefix);
        let info = s.word("info");
        s.act(&s.acme.client, record! { range: enum_range(&prefix).with("info", &info) }).then(
            "Enum.getRanges",
            ranges(&prefix),
            info,
        )
    }),
    Cell::fault("Enum.updateRange", 3000, |s| {
        let prefix = s.digits();
        range(&s.other.client, &prefix);
        s.act(&s.acme.client, record! { range: enum_range(&prefix) }).names(prefix)
    }),
    Cell::fault("Enum.updateRange", 5000, |s| {
        let prefix = s.digits();
        range(&s.acme.client, &prefix);
        let given = enum_range(&prefix).with("customer", 987_654);
        s.act(&s.admin, record! { range: given }).names("987654")
    }),
    Cell::fault("Enum.updateRange", 9001, |s| {
        let given = record! { id: record! { prefix: s.digits() } };
        s.act(&s.acme.client, record! { range: given }).names("range.id.tld")
    }),
    Cell::success("Enum.deleteRange", |s| {
        let prefix = s.digits();
        range(&s.acme.client, &prefix);
        s.act(&s.acme.client, record! { range: range_id(&prefix) }).without(
            "Enum.getRanges",
            ranges(&prefix),
            prefix,
        )
    }),
    Cell::fault("Enum.deleteRange", 3000, |s| {
        let prefix = s.digits();
        s.act(&s.admin, record! { range: range_id(&prefix) }).names(prefix)
    }),
    Cell::fault("Enum.deleteRange", 3005, |s| {
        let prefix = s.digits();
        range(&s.acme.client, &prefix);
        let number = enum_number(&format!("{prefix}1"), "sip:a@example.com");
        s.acme.client.ok("Enum.addNumber", record! { number: number });
        s.act(&s.acme.client, record! { range: range_id(&prefix) }).names(&prefix).then(
            "Enum.getRanges",
            ranges(&prefix),
            &prefix,
        )
    }),
    Cell::fault("Enum.deleteRange", 9001, |s| s.act(&s.acme.client, Value::empty()).names("range")),
    Cell::success("Enum.getRanges", |s| {
        let prefix = s.digits();
        range(&s.acme.client, &prefix);
        s.act(&s.acme.client, ranges(&prefix)).names(&prefix)
    }),
    Cell::success("Enum.addNumber", |s| {
        let prefix = s.digits();
        range(&s.acme.client, &prefix);
        let number = format!("{prefix}1");
        s.act(&s.acme.client, record! { number: enum_number(&number, "sip:a@example.com") })
            .names(&number)
            .then("Enum.getNumber", record! { enumId: enum_id(&number) }, "sip:a@example.com")
    }),
    Cell::fault("Enum.addNumber", 3003, |s| {
        let prefix = s.digits();
        range(&s.acme.client, &prefix);
        let number = enum_number(&format!("{prefix}1"), "sip:a@example.com");
        s.acme.client.ok("Enum.addNumber", record! { number: number.clone() });
        s.act(&s.acme.client, record! { number: number }).names(format!("{prefix}1"))
    }),
    Cell::fault("Enum.addNumber", 3004, |s| {
        let prefix = s.digits();
        range(&s.other.client, &prefix);
        let number = format!("{prefix}1");
        let given = enum_number(&number, "sip:a@example.com");
        s.act(&s.acme.client, record! { number: given }).names(number)
    }),
    Cell::fault("Enum.addNumber", 3006, |s| {
        let prefix = s.digits();
        s.acme.client.ok("Enum.addRange", record! { range: enum_range(&prefix).with("size", 1) });
        let number = |last: &str| enum_number(&format!("{prefix}{last}"), "sip:a@example.com");
        s.acme.client.ok("Enum.addNumber", record! { number: number("1") });
        s.act(&s.acme.client, record! { number: number("2") }).names(&prefix)
    }),
    Cell::fault("Enum.addNumber", 3007, |s| {
        let prefix = s.digits();
        let short = enum_range(&prefix).with("maxDigits", 8);
        s.acme.client.ok("Enum.addRange", record! { range: short });
        let number = format!("{prefix}12");
        let given = enum_number(&number, "sip:a@example.com");
        s.act(&s.acme.client, record! { number: given }).names(number)
    }),
    Cell::fault("Enum.addNumber", 3008, |s| {
        let prefix = s.digits();
        range(&s.acme.client, &prefix);
        s.act(&s.acme.client, mapped(&prefix, "sip", "sip:", 6)).names("5 mappings")
    }),
    Cell::fault("Enum.addNumber", 3009, |s| {
        let prefix = s.digits();
        range(&s.acme.client, &prefix);
        s.act(&s.acme.client, mapped(&prefix, "carrier-pigeon", "loft:", 1)).names("carrier-pigeon")
    }),
    Cell::fault("Enum.addNumber", 5003, |s| {
        let given = enum_number(&s.digits(), "sip:a@example.com");
        s.act(&s.idle.client, record! { number: given }).names(s.idle.id)
    }),
    Cell::fault("Enum.addNumber", 8002, |s| {
        let prefix = s.digits();
        let given = enum_range(&prefix).with("customer", s.poor.id).with("reseller", s.poor.id);
        s.admin.ok("Enum.addRange", record! { range: given });
        let number = enum_number(&format!("{prefix}1"), "sip:a@example.com");
        s.act(&s.poor.client, record! { number: number }).names("enum_number_credit")
    }),
    Cell::fault("Enum.addNumber", 9001, |s| {
        s.act(&s.acme.client, record! { number: record! { info: "no id" } }).names("number.id")
    }),
    Cell::success("Enum.updateNumber", |s| {
        let number = s.digits();
        range(&s.acme.client, &number);
        s.acme.client.ok("Enum.addNumber", mapped(&number, "sip", "sip:a", 1));
        s.act(&s.acme.client, mapped(&number, "sip", "sip:b", 1))
            .then("Enum.getNumber", record! { enumId: enum_id(&number) }, "sip:b0@example.com")
            .without("Enum.getNumber", record! { enumId: enum_id(&number) }, "sip:a0@example.com")
    }),
    Cell::fault("Enum.updateNumber", 3002, |s| {
        let number = s.digits();
        range(&s.acme.client, &number);
        s.act(&s.acme.client, mapped(&number, "sip", "sip:a", 1)).names(number)
    }),
    Cell::fault("Enum.updateNumber", 3008, |s| {
        let number = s.digits();
        range(&s.acme.client, &number);
        s.acme.client.ok("Enum.addNumber", mapped(&number, "sip", "sip:a", 1));
        s.act(&s.acme.client, mapped(&number, "sip", "sip:b", 6)).names("5 mappings").then(
            "Enum.getNumber",
            record! { enumId: enum_id(&number) },
            "sip:a0@example.com",
        )
    }),
    Cell::fault("Enum.updateNumber", 3009, |s| {
        let number = s.digits();
        range(&s.acme.client, &number);
        s.acme.client.ok("Enum.addNumber", mapped(&number, "sip", "sip:a", 1));
        s.act(&s.acme.client, mapped(&number, "sip", "mailto:b", 1)).names("mailto:").then(
            "Enum.getNumber",
            record! { enumId: enum_id(&number) },
            "sip:a0@example.com",
        )
    }),
    Cell::fault("Enum.updateNumber", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("number")
    }),
    Cell::success("Enum.deleteNumber", |s| {
        let number = s.digits();
        range(&s.acme.client, &number);
        s.acme.client.ok("Enum.addNumber", mapped(&number, "sip", "sip:a", 1));
        let id = record! { enumId: enum_id(&number) };
        s.act(&s.acme.client, id.clone()).gone("Enum.getNumber", id, 3002)
    }),
    Cell::fault("Enum.deleteNumber", 3002, |s| {
        let number = s.digits();
        range(&s.other.client, &number);
        s.other.client.ok("Enum.addNumber", mapped(&number, "sip", "sip:a", 1));
        let id = record! { enumId: enum_id(&number) };
        s.act(&s.acme.client, id.clone()).names(&number).then("Enum.getNumber", id, &number)
    }),
    Cell::fault("Enum.deleteNumber", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("enumId")
    }),
    Cell::success("Enum.getNumber", |s| {
        let number = s.digits();
        range(&s.acme.client, &number);
        s.acme.client.ok("Enum.addNumber", mapped(&number, "sip", "sip:a", 1));
        s.act(&s.acme.client, record! { enumId: enum_id(&number) }).names("sip:a0@example.com")
    }),
    Cell::fault("Enum.getNumber", 3002, |s| {
        let number = s.digits();
        s.act(&s.acme.client, record! { enumId: enum_id(&number) }).names(number)
    }),
    Cell::fault("Enum.getNumber", 9001, |s| {
        s.act(&s.acme.client, record! { enumId: record! { tld: "e164.arpa" } })
            .names("enumId.number")
    }),
    Cell::success("Enum.getNumbers", |s| {
        let number = s.digits();
        range(&s.acme.client, &number);
        s.acme.client.ok("Enum.addNumber", mapped(&number, "sip", "sip:a", 1));
        s.act(&s.acme.client, matching(record! { number: &number })).names(&number)
    }),
];
