//! The Dns and Enum ports.

use super::{Order, order};
use crate::cells::stage::Stage;
use ngn_tests::fixture::{dns_record, dns_zone, enum_number, enum_range, range, zone};
use ngn_tests::{Value, record};

/// More seconds than DNS can say, or a minute.
fn ttl(too_long: bool) -> i64 {
    if too_long { 4_000_000_000 } else { 60 }
}

/// A customer that does not exist, or nobody.
fn nobody(unknown: bool) -> i64 {
    if unknown { 987_654 } else { 0 }
}

/// A zone of the reseller without credit, made by the administrator.
fn poor_zone(s: &Stage<'_>) -> String {
    let given = dns_zone(&s.domain()).with("customer", s.poor.id).with("reseller", s.poor.id);
    s.admin.ok("Dns.addZone", record! { zone: given });
    s.domain()
}

/// A range of the reseller without credit, made by the administrator.
fn poor_range(s: &Stage<'_>) -> String {
    let given = enum_range(&s.digits()).with("customer", s.poor.id).with("reseller", s.poor.id);
    s.admin.ok("Enum.addRange", record! { range: given });
    s.digits()
}

fn record_in(zone: &str) -> Value {
    dns_record(zone, "www", "A", "192.0.2.1")
}

pub(super) const ORDERS: &[Order] = &[
    order("Dns.addZone", 9000, 7001, |s, both| {
        zone(&s.acme.client, &s.domain());
        s.act(&s.acme.client, record! { zone: dns_zone(&s.domain()).with("ttl", ttl(both)) })
    }),
    order("Dns.addZone", 9000, 8002, |s, both| {
        let email = if both { "nobody" } else { "somebody@example.com" };
        s.act(&s.poor.client, record! { zone: dns_zone(&s.domain()).with("email", email) })
    }),
    order("Dns.addZone", 5000, 7001, |s, both| {
        zone(&s.acme.client, &s.domain());
        s.act(&s.admin, record! { zone: dns_zone(&s.domain()).with("customer", nobody(both)) })
    }),
    order("Dns.addZone", 7001, 8002, |s, both| {
        if both {
            zone(&s.other.client, &s.domain());
        }
        s.act(&s.poor.client, record! { zone: dns_zone(&s.domain()) })
    }),
    order("Dns.updateZone", 9000, 7000, |s, both| {
        s.act(&s.acme.client, record! { zone: dns_zone(&s.domain()).with("ttl", ttl(both)) })
    }),
    order("Dns.updateZone", 9000, 7000, |s, both| {
        let server = if both { "ns 1.example.net" } else { "ns1.example.net" };
        s.act(&s.acme.client, record! { zone: dns_zone(&s.domain()).with("nameservers", [server]) })
    }),
    order("Dns.addRecord", 9001, 7000, |s, both| {
        let value = if both { Value::Null } else { "192.0.2.1".into() };
        s.act(&s.acme.client, record! { record: record_in(&s.domain()).with("value", value) })
    }),
    order("Dns.addRecord", 9000, 7000, |s, both| {
        s.act(&s.acme.client, record! { record: record_in(&s.domain()).with("ttl", ttl(both)) })
    }),
    order("Dns.addFancyRecord", 7003, 8002, |s, both| {
        let name = poor_zone(s);
        let mailbox =
            |user: &str| dns_record(&name, &format!("{user}@{name}"), "MBOXFW", "me@example.org");
        s.admin.ok("Dns.addFancyRecord", record! { record: mailbox("info") });
        s.act(&s.poor.client, record! { record: mailbox(if both { "info" } else { "new" }) })
    }),
    order("Dns.updateRecord", 9000, 7002, |s, both| {
        let given = record_in(&s.domain()).with("id", 987_654).with("ttl", ttl(both));
        s.act(&s.acme.client, record! { record: given })
    }),
    order("Dns.updateRecord", 9001, 7002, |s, both| {
        let value = if both { Value::Null } else { "192.0.2.1".into() };
        let given = record_in(&s.domain()).with("id", 987_654).with("value", value);
        s.act(&s.acme.client, record! { record: given })
    }),
    // B101.
    order("Enum.addRange", 8003, 9000, |s, both| {
        let prefix = if both { "44".to_owned() } else { s.digits() };
        s.act(&s.acme.client, record! { range: enum_range(&prefix).with("ttl", ttl(true)) })
    }),
    order("Enum.addRange", 9000, 3001, |s, both| {
        range(&s.acme.client, &s.digits());
        s.act(&s.acme.client, record! { range: enum_range(&s.digits()).with("ttl", ttl(both)) })
    }),
    order("Enum.addRange", 5000, 3001, |s, both| {
        range(&s.acme.client, &s.digits());
        let given = enum_range(&s.digits()).with("customer", nobody(both));
        s.act(&s.admin, record! { range: given })
    }),
    order("Enum.addRange", 8001, 8002, |s, both| {
        let inside = format!("{}5", s.digits());
        if both {
            range(&s.other.client, &s.digits());
            let number = enum_number(&format!("{inside}5"), "sip:a@example.com");
            s.other.client.ok("Enum.addNumber", record! { number: number });
        }
        s.act(&s.poor.client, record! { range: enum_range(&inside) })
    }),
    order("Enum.addRange", 3001, 8002, |s, both| {
        if both {
            range(&s.other.client, &s.digits());
        }
        s.act(&s.poor.client, record! { range: enum_range(&s.digits()) })
    }),
    order("Enum.updateRange", 9000, 3000, |s, both| {
        s.act(&s.acme.client, record! { range: enum_range(&s.digits()).with("ttl", ttl(both)) })
    }),
    order("Enum.deleteRange", 3000, 3005, |s, both| {
        range(&s.other.client, &s.digits());
        let number = enum_number(&format!("{}1", s.digits()), "sip:a@example.com");
        s.other.client.ok("Enum.addNumber", record! { number: number });
        let who = if both { &s.acme } else { &s.other };
        let id = record! { prefix: s.digits(), tld: "e164.arpa" };
        s.act(&who.client, record! { range: id })
    }),
    order("Enum.addNumber", 3009, 3004, |s, both| {
        let target = if both { "ftp://example.com/" } else { "sip:a@example.com" };
        s.act(&s.acme.client, record! { number: enum_number(&s.digits(), target) })
    }),
    order("Enum.addNumber", 3003, 8002, |s, both| {
        let prefix = poor_range(s);
        let number = |last| enum_number(&format!("{prefix}{last}"), "sip:a@example.com");
        s.admin.ok("Enum.addNumber", record! { number: number("1") });
        s.act(&s.poor.client, record! { number: number(if both { "1" } else { "2" }) })
    }),
    order("Enum.updateNumber", 3009, 3002, |s, both| {
        let target = if both { "ftp://example.com/" } else { "sip:a@example.com" };
        s.act(&s.acme.client, record! { number: enum_number(&s.digits(), target) })
    }),
];
