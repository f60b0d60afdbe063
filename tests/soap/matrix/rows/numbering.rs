//! ENUM ranges and numbers, DNS zones and records.

use crate::matrix::oracle::{Rule, all_of_each, that_one};
use crate::matrix::row::{Cell, Row};
use crate::matrix::world::World;
use ngn_tests::{Value, matching, record};

fn fresh_digits(c: &Cell) -> String {
    format!("44{:05}", c.fresh)
}

fn fresh_zone(c: &Cell) -> String {
    format!("fresh-{}.example", c.fresh)
}

fn range(prefix: &str) -> Value {
    record! { prefix: prefix, tld: "e164.arpa" }
}

fn number(digits: &str) -> Value {
    record! { number: digits, tld: "e164.arpa" }
}

/// A number in the target's range that only this cell names.
fn fresh_number(c: &Cell) -> String {
    format!("{}7{:05}", c.target.prefix, c.fresh)
}

fn add_range(world: &World, c: &Cell) -> i64 {
    let range = record! { id: range(&fresh_digits(c)), customer: c.target.customer, nameservers: ["ns.example.net"] };
    world.reseller_of(c.target).ok("Enum.addRange", record! { range: range });
    1
}

fn add_number(world: &World, c: &Cell) -> i64 {
    world.admin.ok("Enum.addNumber", record! { number: record! { id: number(&fresh_number(c)) } });
    1
}

fn add_zone(world: &World, c: &Cell) -> i64 {
    let zone = record! { name: fresh_zone(c), customer: c.target.customer, nameservers: ["ns.example.net"] };
    world.reseller_of(c.target).ok("Dns.addZone", record! { zone: zone });
    1
}

fn text_record(c: &Cell) -> Value {
    let name = format!("fresh-{}.{}", c.fresh, c.target.zone);
    record! { zone: &c.target.zone, name: name, r#type: "TXT", value: "a text" }
}

fn web_record(c: &Cell) -> Value {
    text_record(c).with("type", "URL").with("value", "http://fresh.example/")
}

fn or_made(c: &Cell, own: i64) -> Value {
    record! { recordId: if c.made == 0 { own } else { c.made } }
}

fn everything(_: &Cell) -> Value {
    matching(Value::empty())
}

fn of_customer(c: &Cell) -> Value {
    matching(record! { customer: c.target.customer, reseller: c.target.reseller })
}

pub(super) const ENUM: &[Row] = &[
    Row::write("addRange", Rule::Name(3001), |c| {
        let prefix = if c.target.tag == "absent" { fresh_digits(c) } else { c.target.prefix.clone() };
        record! { range: record! { id: range(&prefix), nameservers: ["ns.example.net"] } }
    })
    .about("prefix"),
    Row::write("addRange", Rule::Owner(5000), |c| {
        let id = range(&fresh_digits(c));
        record! { range: record! { id: id, customer: c.target.customer, nameservers: ["ns.example.net"] } }
    })
    .about("customer")
    .owner(|_, _, answer| (Some(answer.int_at("customer")), answer.int_at("reseller"))),
    Row::write("updateRange", Rule::Hidden(3000), |c| {
        record! { range: record! { id: range(&c.target.prefix), ttl: 600 } }
    }),
    Row::write("updateRange", Rule::Owner(5000), |c| {
        let prefix = if c.made == 0 { c.home.prefix.clone() } else { fresh_digits(c) };
        record! { range: record! { id: range(&prefix), customer: c.target.customer } }
    })
    .about("customer")
    .before(|world, c| add_range(world, &Cell { target: c.home, ..*c }))
    .owner(|world, c, _| {
        let found = world.admin.ok("Enum.getRanges", matching(record! { prefix: fresh_digits(c) }));
        (Some(found.int_at("ranges/0/customer")), found.int_at("ranges/0/reseller"))
    })
    .with_own_records(),
    Row::write("deleteRange", Rule::Hidden(3000), |c| {
        record! { range: range(if c.made == 0 { c.target.prefix.clone() } else { fresh_digits(c) }.as_str()) }
    })
    .before(add_range),
    Row::list("getRanges", "ranges", all_of_each, everything),
    Row::list("getRanges", "ranges", that_one, |c| matching(record! { prefix: &c.target.prefix }))
        .about("prefix"),
    Row::list("getRanges", "ranges", that_one, of_customer).about("customer"),
    Row::write("addNumber", Rule::Hidden(3004), |c| {
        record! { number: record! { id: number(&fresh_number(c)) } }
    }),
    Row::write("updateNumber", Rule::Hidden(3002), |c| {
        let mapping = record! { r#type: "sip", mapto: "sip:x@example.org" };
        record! { number: record! { id: number(&c.target.number), mappings: vec![mapping] } }
    })
    .inside(),
    Row::write("deleteNumber", Rule::Hidden(3002), |c| {
        let digits = if c.made == 0 { c.target.number.clone() } else { fresh_number(c) };
        record! { enumId: number(&digits) }
    })
    .inside()
    .before(add_number),
    Row::read("getNumber", Rule::Hidden(3002), |c| record! { enumId: number(&c.target.number) })
        .inside(),
    Row::list("getNumbers", "numbers", all_of_each, everything),
    Row::list("getNumbers", "numbers", that_one, |c| matching(record! { number: &c.target.number }))
        .about("number")
        .inside(),
    Row::list("getNumbers", "numbers", that_one, |c| {
        matching(record! { r#type: "sip", mapto: format!("hush-{}@example.org", c.target.tag) })
    })
    .about("mapto"),
    Row::list("getNumbers", "numbers", that_one, of_customer).about("customer"),
];

pub(super) const DNS: &[Row] = &[
    Row::write("addZone", Rule::Name(7001), |c| {
        let name = if c.target.tag == "absent" { fresh_zone(c) } else { c.target.zone.clone() };
        record! { zone: record! { name: name, nameservers: ["ns.example.net"] } }
    })
    .about("name"),
    Row::write("addZone", Rule::Owner(5000), |c| {
        let zone = record! { name: fresh_zone(c), nameservers: ["ns.example.net"] };
        record! { zone: zone.with("customer", c.target.customer) }
    })
    .about("customer")
    .owner(|_, _, answer| (Some(answer.int_at("customer")), answer.int_at("reseller"))),
    Row::write("updateZone", Rule::Hidden(7000), |c| {
        record! { zone: record! { name: &c.target.zone, ttl: 600 } }
    }),
    Row::write("updateZone", Rule::Owner(5000), |c| {
        let name = if c.made == 0 { c.home.zone.clone() } else { fresh_zone(c) };
        record! { zone: record! { name: name, customer: c.target.customer } }
    })
    .about("customer")
    .before(|world, c| add_zone(world, &Cell { target: c.home, ..*c }))
    .owner(|world, c, _| {
        let found = world.admin.ok("Dns.getZone", record! { zone: fresh_zone(c) });
        (Some(found.int_at("customer")), found.int_at("reseller"))
    })
    .with_own_records(),
    Row::write("deleteZone", Rule::Hidden(7000), |c| {
        record! { zone: if c.made == 0 { c.target.zone.clone() } else { fresh_zone(c) } }
    })
    .before(add_zone),
    Row::read("getZone", Rule::Hidden(7000), |c| record! { zone: &c.target.zone }),
    Row::list("getZones", "zones", all_of_each, everything),
    Row::list("getZones", "zones", that_one, |c| matching(record! { name: &c.target.zone })).about("name"),
    Row::list("getZones", "zones", that_one, of_customer).about("customer"),
    Row::write("addRecord", Rule::Hidden(7000), |c| record! { record: text_record(c) }),
    Row::write("addFancyRecord", Rule::Hidden(7000), |c| record! { record: web_record(c) }),
    Row::write("updateRecord", Rule::Hidden(7002), |c| {
        record! { record: record! { id: c.target.record, r#type: "TXT", value: "changed" } }
    })
    .inside(),
    // B118: an import names zone, name and type beside an id of another server.
    Row::write("updateRecord", Rule::Hidden(7002), |c| {
        let names = c.target;
        let text = record! { id: 995_555, zone: &names.zone, name: &names.record_name, r#type: "TXT", value: "x" };
        record! { record: text }
    })
    .about("name")
    .inside(),
    // The id of another's record beside the names of the caller's own: only those may be meant.
    Row::write("updateRecord", Rule::Free, |c| {
        let names = c.home;
        let text = record! { zone: &names.zone, name: &names.record_name, r#type: "TXT", value: "x" };
        record! { record: text.with("id", c.target.record) }
    })
    .about("id beside own names")
    .with_own_records(),
    Row::write("updateFancyRecord", Rule::Hidden(7002), |c| {
        let web = record! { id: c.target.fancy, r#type: "URL", value: "http://changed.example/" };
        record! { record: web }
    })
    .inside(),
    Row::write("deleteRecord", Rule::Hidden(7002), |c| or_made(c, c.target.record)).inside().before(
        |world, c| {
            world.admin.ok("Dns.addRecord", record! { record: text_record(c) }).int_at("id")
        },
    ),
    Row::write("deleteFancyRecord", Rule::Hidden(7002), |c| or_made(c, c.target.fancy))
        .inside()
        .before(|world, c| {
            world.admin.ok("Dns.addFancyRecord", record! { record: web_record(c) }).int_at("id")
        }),
    Row::read("getRecord", Rule::Hidden(7002), |c| record! { recordId: c.target.record }).inside(),
    Row::read("getFancyRecord", Rule::Hidden(7002), |c| record! { recordId: c.target.fancy })
        .inside(),
    Row::list("getRecords", "records", all_of_each, everything),
    Row::list("getRecords", "records", that_one, |c| {
        matching(record! { zone: &c.target.zone, r#type: "TXT" })
    })
    .about("zone"),
    Row::list("getRecords", "records", that_one, |c| matching(record! { id: c.target.record }))
        .about("id")
        .inside(),
    Row::list("getRecords", "records", that_one, of_customer).about("customer"),
    Row::list("getFancyRecords", "records", all_of_each, everything),
    Row::list("getFancyRecords", "records", that_one, |c| matching(record! { zone: &c.target.zone }))
        .about("zone"),
    Row::list("getFancyRecords", "records", that_one, of_customer).about("customer"),
];
