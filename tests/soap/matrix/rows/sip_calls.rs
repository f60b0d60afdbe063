//! What hangs on a SIP account: phone book, call options, credit, calls, traces.

use crate::matrix::oracle::{Level, Rule};
use crate::matrix::row::{Cell, Row};
use crate::matrix::world::{World, card};
use ngn_tests::{Value, record, sip_id};

/// The parameter `sipId` of the account in question.
fn id(c: &Cell) -> Value {
    record! { sipId: sip_id(&c.target.account) }
}

fn fresh_uri(c: &Cell) -> String {
    format!("sip:fresh-{}@example.org", c.fresh)
}

fn add_entry(world: &World, c: &Cell) -> i64 {
    let entry = record! { uri: fresh_uri(c) };
    world.admin.ok("Sip.addPhonebookEntry", id(c).with("entry", entry));
    1
}

/// A card that the account's reseller sold.
fn sell(world: &World, c: &Cell) -> i64 {
    let id = i64::from(c.fresh) + 10_000;
    card(world.p, id, c.target.reseller, "fresh");
    id
}

fn redeem(c: &Cell) -> Value {
    let (id, number) = match c.made {
        0 => (c.target.card, format!("hush-{}-{}", c.target.tag, c.target.card)),
        made => (made, format!("fresh-{made}")),
    };
    record! { id: id, number: number }
}

/// A list of the account in question.
fn one(c: &Cell) -> Value {
    record! { sipIds: vec![sip_id(&c.target.account)] }
}

/// A list of the caller's own account and the one in question.
fn two(c: &Cell) -> Value {
    record! { sipIds: vec![sip_id(&c.home.account), sip_id(&c.target.account)] }
}

fn trace(c: &Cell) -> Value {
    record! { filter: record! { nodeIp: "", callId: &c.target.call, fromTag: "f", toTag: "t" } }
}

/// An operation that reads what belongs to an account.
const fn of_account(operation: &'static str, request: fn(&Cell) -> Value) -> Row {
    Row::read(operation, Rule::Hidden(1010), request).inside()
}

/// An operation that changes what belongs to an account.
const fn on_account(operation: &'static str, request: fn(&Cell) -> Value) -> Row {
    Row::write(operation, Rule::Hidden(1010), request).inside()
}

pub(super) const ROWS: &[Row] = &[
    on_account("addBalance", |c| id(c).with("value", "1.5").with("description", "a test")),
    on_account("addBalanceFromVoucher", |c| id(c).with("card", redeem(c))).before(sell),
    Row::read("getPrepaidStatus", Rule::Free, one).inside(),
    Row::read("getPrepaidStatus", Rule::Beside, two).about("beside own").inside(),
    of_account("getCreditHistory", |c| id(c).with("count", 10)),
    on_account("addPhonebookEntry", |c| id(c).with("entry", record! { uri: fresh_uri(c) })),
    on_account("updatePhonebookEntry", |c| {
        id(c).with("entry", record! { uri: &c.target.entry, name: "Ada" })
    }),
    on_account("deletePhonebookEntry", |c| {
        id(c).with("uri", if c.made == 0 { c.target.entry.clone() } else { fresh_uri(c) })
    })
    .before(add_entry),
    of_account("getPhonebookEntries", id),
    of_account("getPhonebookEntries", |c| id(c).with("match", record! { uri: "%", name: "%" }))
        .about("match"),
    on_account("setRejectMembers", |c| id(c).with("members", ["sip:x@example.org"])),
    of_account("getRejectMembers", id),
    on_account("setAcceptRules", |c| {
        let rule = record! { days: 1, start: "09:00", stop: "10:00", groups: ["vip"] };
        id(c).with("rules", record! { persistent: vec![rule] })
    }),
    of_account("getAcceptRules", id),
    on_account("setBarringPrefixes", |c| id(c).with("prefixes", ["+31900"])),
    of_account("getBarringPrefixes", id),
    on_account("setCallDiversions", |c| {
        id(c).with("diversions", record! { FUNC: "sip:x@example.org" })
    }),
    of_account("getCallDiversions", id),
    of_account("getCalls", |c| {
        let window = || record! { fromDate: 1_770_000_000, toDate: 1_780_000_000, limit: 10 };
        id(c).with("query", record! { placed: window(), received: window(), missed: window() })
    }),
    of_account("getCallStatistics", |c| {
        let window = || record! { fromDate: 1_770_000_000, toDate: 1_780_000_000, limit: 1 };
        id(c).with("query", record! { placed: window(), received: window() })
    }),
    Row::read("getSipDeviceLocations", Rule::Free, one).inside(),
    Row::read("getSipDeviceLocations", Rule::Beside, two).about("beside own").inside(),
    Row::read("getSipTrace", Rule::Hidden(1060), trace).need(Level::Reseller),
    Row::read("getMediaTrace", Rule::Hidden(1060), trace).need(Level::Reseller),
    Row::read("getMediaSummary", Rule::None, |_| Value::empty()).need(Level::Administrator),
    Row::read("getMediaSessions", Rule::None, |_| Value::empty()).need(Level::Administrator),
];
