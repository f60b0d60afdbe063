//! The cells of the Dns port.

use super::stage::Stage;
use super::{Cell, play};
use ngn_tests::fixture::{dns_record, dns_zone, zone};
use ngn_tests::{Value, both, matching, record};

both! {
    fn cells_of_the_port(p) {
        play(p, CELLS);
    }
}

fn named(name: &str) -> Value {
    record! { zone: name }
}

fn numbered(id: i64) -> Value {
    record! { recordId: id }
}

/// A new zone of the active reseller.
fn own_zone(s: &Stage<'_>) -> String {
    zone(&s.acme.client, &s.domain());
    s.domain()
}

/// A zone of the reseller that has no credit.
fn poor_zone(s: &Stage<'_>) -> String {
    let given = dns_zone(&s.domain()).with("customer", s.poor.id).with("reseller", s.poor.id);
    s.admin.ok("Dns.addZone", record! { zone: given });
    s.domain()
}

/// The parameter of an operation on records, in the zone of this cell.
fn plain(s: &Stage<'_>, name: &str, kind: &str, value: &str) -> Value {
    record! { record: dns_record(&s.domain(), name, kind, value) }
}

fn plain_with_id(s: &Stage<'_>, name: &str, kind: &str, value: &str, id: i64) -> Value {
    record! { record: dns_record(&s.domain(), name, kind, value).with("id", id) }
}

/// The id of a new address record `www`.
fn address(s: &Stage<'_>, value: &str) -> i64 {
    s.acme.client.ok("Dns.addRecord", plain(s, "www", "A", value)).int_at("id")
}

/// The id of a new web redirection `old`.
fn redirect(s: &Stage<'_>, value: &str) -> i64 {
    s.acme.client.ok("Dns.addFancyRecord", plain(s, "old", "URL", value)).int_at("id")
}

pub(super) const CELLS: &[Cell] = &[
    Cell::success("Dns.addZone", |s| {
        let name = s.domain();
        s.act(&s.child.client, record! { zone: dns_zone(&name) }).names(&name).then(
            "Dns.getZone",
            named(&name),
            s.child.id,
        )
    }),
    Cell::fault("Dns.addZone", 5000, |s| {
        let given = dns_zone(&s.domain()).with("customer", 987_654);
        s.act(&s.admin, record! { zone: given }).names("987654").gone(
            "Dns.getZone",
            named(&s.domain()),
            7000,
        )
    }),
    Cell::fault("Dns.addZone", 5003, |s| {
        s.act(&s.idle.client, record! { zone: dns_zone(&s.domain()) }).names(s.idle.id)
    }),
    Cell::fault("Dns.addZone", 7001, |s| {
        zone(&s.other.client, &s.domain());
        s.act(&s.acme.client, record! { zone: dns_zone(&s.domain()) }).names(s.domain())
    }),
    Cell::fault("Dns.addZone", 8002, |s| {
        s.act(&s.poor.client, record! { zone: dns_zone(&s.domain()) })
            .names("dns_zone_credit")
            .gone("Dns.getZone", named(&s.domain()), 7000)
    }),
    Cell::fault("Dns.addZone", 9001, |s| {
        s.act(&s.acme.client, record! { zone: record! { info: "no name" } }).names("zone.name")
    }),
    Cell::success("Dns.updateZone", |s| {
        let name = own_zone(s);
        let info = s.word("info");
        s.act(&s.acme.client, record! { zone: dns_zone(&name).with("info", &info) }).then(
            "Dns.getZone",
            named(&name),
            info,
        )
    }),
    Cell::fault("Dns.updateZone", 5000, |s| {
        let given = dns_zone(&own_zone(s)).with("reseller", 987_654);
        s.act(&s.admin, record! { zone: given }).names("987654")
    }),
    Cell::fault("Dns.updateZone", 7000, |s| {
        let name = own_zone(s);
        s.act(&s.other.client, record! { zone: dns_zone(&name) }).names(name)
    }),
    Cell::fault("Dns.updateZone", 9001, |s| s.act(&s.acme.client, Value::empty()).names("zone")),
    Cell::success("Dns.deleteZone", |s| {
        let name = own_zone(s);
        s.act(&s.acme.client, named(&name)).gone("Dns.getZone", named(&name), 7000)
    }),
    Cell::fault("Dns.deleteZone", 7000, |s| {
        let name = own_zone(s);
        s.act(&s.other.client, named(&name)).names(&name).then("Dns.getZone", named(&name), &name)
    }),
    Cell::fault("Dns.deleteZone", 9001, |s| s.act(&s.acme.client, named(" ")).names("zone")),
    Cell::success("Dns.getZone", |s| {
        let name = own_zone(s);
        s.act(&s.acme.client, named(&name)).names(format!("hostmaster@{name}"))
    }),
    Cell::fault("Dns.getZone", 7000, |s| {
        let name = s.domain();
        s.act(&s.acme.client, named(&name)).names(name)
    }),
    Cell::fault("Dns.getZone", 9001, |s| s.act(&s.acme.client, Value::empty()).names("zone")),
    Cell::success("Dns.getZones", |s| {
        let name = own_zone(s);
        s.act(&s.acme.client, matching(record! { name: &name })).names(name)
    }),
    Cell::success("Dns.addRecord", |s| {
        let name = own_zone(s);
        s.act(&s.acme.client, plain(s, "www", "A", "192.0.2.1")).names(format!("www.{name}")).then(
            "Dns.getRecords",
            matching(named(&name)),
            "192.0.2.1",
        )
    }),
    Cell::fault("Dns.addRecord", 5003, |s| {
        s.act(&s.idle.client, plain(s, "www", "A", "192.0.2.1")).names(s.idle.id)
    }),
    Cell::fault("Dns.addRecord", 7000, |s| {
        let name = own_zone(s);
        s.act(&s.other.client, plain(s, "www", "A", "192.0.2.1")).names(name)
    }),
    Cell::fault("Dns.addRecord", 7003, |s| {
        let name = own_zone(s);
        address(s, "192.0.2.1");
        s.act(&s.acme.client, plain(s, "www", "A", "192.0.2.1")).names(format!("www.{name}"))
    }),
    Cell::fault("Dns.addRecord", 7004, |s| {
        let name = own_zone(s);
        s.act(&s.acme.client, plain(s, "www", "A", "192.0.2.256")).names("192.0.2.256").without(
            "Dns.getRecords",
            matching(named(&name)),
            format!("www.{name}"),
        )
    }),
    Cell::fault("Dns.addRecord", 9001, |s| {
        let given = record! { zone: own_zone(s), name: "www", r#type: "A" };
        s.act(&s.acme.client, record! { record: given }).names("record.value")
    }),
    Cell::success("Dns.addFancyRecord", |s| {
        let name = own_zone(s);
        let mailbox = format!("info@{name}");
        s.act(&s.acme.client, plain(s, &mailbox, "MBOXFW", "me@example.org")).names(&mailbox).then(
            "Dns.getFancyRecords",
            matching(named(&name)),
            "me@example.org",
        )
    }),
    Cell::fault("Dns.addFancyRecord", 5003, |s| {
        s.act(&s.idle.client, plain(s, "old", "URL", "https://example.org/")).names(s.idle.id)
    }),
    Cell::fault("Dns.addFancyRecord", 7000, |s| {
        let name = s.domain();
        s.act(&s.acme.client, plain(s, "old", "URL", "https://example.org/")).names(name)
    }),
    Cell::fault("Dns.addFancyRecord", 7003, |s| {
        let name = own_zone(s);
        redirect(s, "https://example.org/");
        s.act(&s.acme.client, plain(s, "old", "URL", "https://example.org/"))
            .names(format!("old.{name}"))
    }),
    Cell::fault("Dns.addFancyRecord", 7004, |s| {
        let name = own_zone(s);
        s.act(&s.acme.client, plain(s, "old", "URL", "gopher://example.org/"))
            .names("gopher://example.org/")
            .without("Dns.getFancyRecords", matching(named(&name)), format!("old.{name}"))
    }),
    Cell::fault("Dns.addFancyRecord", 8002, |s| {
        let name = poor_zone(s);
        let mailbox = format!("info@{name}");
        s.act(&s.poor.client, plain(s, &mailbox, "MBOXFW", "me@example.org"))
            .names("email_credit")
            .without("Dns.getFancyRecords", matching(named(&name)), mailbox)
    }),
    Cell::fault("Dns.addFancyRecord", 9001, |s| {
        let given = record! { zone: own_zone(s), name: "old", value: "https://example.org/" };
        s.act(&s.acme.client, record! { record: given }).names("record.type")
    }),
    Cell::success("Dns.updateRecord", |s| {
        own_zone(s);
        let id = address(s, "192.0.2.1");
        s.act(&s.acme.client, plain_with_id(s, "www", "A", "192.0.2.2", id)).then(
            "Dns.getRecord",
            numbered(id),
            "192.0.2.2",
        )
    }),
    Cell::fault("Dns.updateRecord", 7002, |s| {
        own_zone(s);
        let id = address(s, "192.0.2.1");
        s.act(&s.other.client, plain_with_id(s, "www", "A", "192.0.2.2", id)).names(id).then(
            "Dns.getRecord",
            numbered(id),
            "192.0.2.1",
        )
    }),
    Cell::fault("Dns.updateRecord", 7003, |s| {
        let name = own_zone(s);
        let id = address(s, "192.0.2.1");
        address(s, "192.0.2.2");
        s.act(&s.acme.client, plain_with_id(s, "www", "A", "192.0.2.2", id))
            .names(format!("www.{name}"))
            .then("Dns.getRecord", numbered(id), "192.0.2.1")
    }),
    Cell::fault("Dns.updateRecord", 7004, |s| {
        own_zone(s);
        let id = address(s, "192.0.2.1");
        s.act(&s.acme.client, plain_with_id(s, "www", "A", "far", id)).names("far").then(
            "Dns.getRecord",
            numbered(id),
            "192.0.2.1",
        )
    }),
    Cell::fault("Dns.updateRecord", 9001, |s| {
        own_zone(s);
        let id = address(s, "192.0.2.1");
        s.act(&s.acme.client, record! { record: record! { id: id } }).names("record.value")
    }),
    Cell::success("Dns.updateFancyRecord", |s| {
        own_zone(s);
        let id = redirect(s, "https://example.org/");
        s.act(&s.acme.client, plain_with_id(s, "old", "URL", "https://example.net/", id)).then(
            "Dns.getFancyRecord",
            numbered(id),
            "https://example.net/",
        )
    }),
    Cell::fault("Dns.updateFancyRecord", 7002, |s| {
        own_zone(s);
        let id = address(s, "192.0.2.1");
        s.act(&s.acme.client, plain_with_id(s, "www", "URL", "https://example.org/", id))
            .names(id)
            .then("Dns.getRecord", numbered(id), "192.0.2.1")
    }),
    Cell::fault("Dns.updateFancyRecord", 7003, |s| {
        let name = own_zone(s);
        let id = redirect(s, "https://example.org/");
        redirect(s, "https://example.net/");
        s.act(&s.acme.client, plain_with_id(s, "old", "URL", "https://example.net/", id))
            .names(format!("old.{name}"))
            .then("Dns.getFancyRecord", numbered(id), "https://example.org/")
    }),
    Cell::fault("Dns.updateFancyRecord", 7004, |s| {
        own_zone(s);
        let id = redirect(s, "https://example.org/");
        s.act(&s.acme.client, plain_with_id(s, "old", "URL", "https://", id))
            .names("https://")
            .then("Dns.getFancyRecord", numbered(id), "https://example.org/")
    }),
    Cell::fault("Dns.updateFancyRecord", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("record")
    }),
    Cell::success("Dns.deleteRecord", |s| {
        own_zone(s);
        let id = address(s, "192.0.2.1");
        s.act(&s.acme.client, numbered(id)).gone("Dns.getRecord", numbered(id), 7002)
    }),
    Cell::fault("Dns.deleteRecord", 7002, |s| {
        own_zone(s);
        let id = address(s, "192.0.2.1");
        s.act(&s.other.client, numbered(id)).names(id).then(
            "Dns.getRecord",
            numbered(id),
            "192.0.2.1",
        )
    }),
    Cell::fault("Dns.deleteRecord", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("recordId")
    }),
    Cell::success("Dns.deleteFancyRecord", |s| {
        own_zone(s);
        let id = redirect(s, "https://example.org/");
        s.act(&s.acme.client, numbered(id)).gone("Dns.getFancyRecord", numbered(id), 7002)
    }),
    Cell::fault("Dns.deleteFancyRecord", 7002, |s| {
        own_zone(s);
        let id = address(s, "192.0.2.1");
        s.act(&s.acme.client, numbered(id)).names(id).then(
            "Dns.getRecord",
            numbered(id),
            "192.0.2.1",
        )
    }),
    Cell::fault("Dns.deleteFancyRecord", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("recordId")
    }),
    Cell::success("Dns.getRecord", |s| {
        own_zone(s);
        let id = address(s, "192.0.2.1");
        s.act(&s.acme.client, numbered(id)).names("192.0.2.1")
    }),
    Cell::fault("Dns.getRecord", 7002, |s| {
        own_zone(s);
        let id = redirect(s, "https://example.org/");
        s.act(&s.acme.client, numbered(id)).names(id)
    }),
    Cell::fault("Dns.getRecord", 9001, |s| s.act(&s.acme.client, Value::empty()).names("recordId")),
    Cell::success("Dns.getFancyRecord", |s| {
        own_zone(s);
        let id = redirect(s, "https://example.org/");
        s.act(&s.acme.client, numbered(id)).names("https://example.org/")
    }),
    Cell::fault("Dns.getFancyRecord", 7002, |s| {
        s.act(&s.acme.client, numbered(987_654)).names("987654")
    }),
    Cell::fault("Dns.getFancyRecord", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("recordId")
    }),
    Cell::success("Dns.getRecords", |s| {
        let name = own_zone(s);
        address(s, "192.0.2.1");
        s.act(&s.acme.client, matching(named(&name))).names(format!("www.{name}"))
    }),
    Cell::success("Dns.getFancyRecords", |s| {
        let name = own_zone(s);
        redirect(s, "https://example.org/");
        s.act(&s.acme.client, matching(named(&name))).names(format!("old.{name}"))
    }),
];
