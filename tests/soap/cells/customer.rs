//! The cells of the Customer port.

use super::stage::Stage;
use super::{Cell, play};
use ngn_tests::fixture::{domain, person};
use ngn_tests::{Value, both, matching, record};

both! {
    fn cells_of_the_port(p) {
        play(p, CELLS);
    }
}

fn numbered(id: i64) -> Value {
    record! { id: id }
}

fn of(id: i64) -> Value {
    record! { customer: id }
}

/// A new customer of the active reseller, with the user name of this cell.
fn made(s: &Stage<'_>) -> i64 {
    let account = record! { account: person(&s.word("user")) };
    s.acme.client.ok("Customer.addAccount", account).int_at("id")
}

/// The parameters of an update that gives a customer a city.
fn moved(s: &Stage<'_>, id: i64, city: &str) -> Value {
    record! { account: person(&s.word("user")).with("id", id).with("city", city) }
}

fn property(name: &str, value: &str, permission: &str) -> Value {
    Value::from([record! { name: name, value: value, category: "web", permission: permission }])
}

pub(super) const CELLS: &[Cell] = &[
    Cell::success("Customer.addAccount", |s| {
        let name = s.word("user");
        s.act(&s.acme.client, record! { account: person(&name) }).names(&name).then(
            "Customer.getCustomers",
            matching(record! { username: &name }),
            s.acme.id,
        )
    }),
    Cell::fault("Customer.addAccount", 5001, |s| {
        made(s);
        // B23: compared without regard to case, over all resellers.
        let name = s.word("USER");
        s.act(&s.other.client, record! { account: person(&name) }).names(name)
    }),
    Cell::fault("Customer.addAccount", 5003, |s| {
        s.act(&s.idle.client, record! { account: person(&s.word("user")) }).names(s.idle.id)
    }),
    Cell::fault("Customer.addAccount", 8003, |s| {
        s.act(&s.child.client, record! { account: person(&s.word("user")) }).names("reseller")
    }),
    Cell::fault("Customer.addAccount", 9001, |s| {
        s.act(&s.acme.client, record! { account: record! { city: "Paris" } })
            .names("account.username")
    }),
    Cell::success("Customer.updateAccount", |s| {
        let id = made(s);
        s.act(&s.acme.client, moved(s, id, "Paris")).then(
            "Customer.getAccount",
            numbered(id),
            "Paris",
        )
    }),
    Cell::fault("Customer.updateAccount", 5000, |s| {
        let id = made(s);
        s.act(&s.other.client, moved(s, id, "Paris")).names(id).without(
            "Customer.getAccount",
            numbered(id),
            "Paris",
        )
    }),
    Cell::fault("Customer.updateAccount", 5001, |s| {
        let id = made(s);
        let account = person("other").with("id", id).with("city", "Paris");
        s.act(&s.acme.client, record! { account: account }).names("other").without(
            "Customer.getAccount",
            numbered(id),
            "Paris",
        )
    }),
    Cell::fault("Customer.updateAccount", 5003, |s| {
        let id = made(s);
        let account = person(&s.word("user")).with("id", id).with("reseller", s.child.id);
        s.act(&s.admin, record! { account: account }).names(s.child.id).then(
            "Customer.getAccount",
            numbered(id),
            s.acme.id,
        )
    }),
    Cell::fault("Customer.updateAccount", 9001, |s| {
        s.act(&s.acme.client, record! { account: person(&s.word("user")) }).names("account.id")
    }),
    Cell::success("Customer.deleteAccount", |s| {
        let id = made(s);
        s.act(&s.acme.client, numbered(id)).gone("Customer.getAccount", numbered(id), 5000)
    }),
    Cell::fault("Customer.deleteAccount", 5000, |s| {
        let id = made(s);
        s.act(&s.other.client, numbered(id)).names(id).then(
            "Customer.getAccount",
            numbered(id),
            s.word("user"),
        )
    }),
    Cell::fault("Customer.deleteAccount", 5002, |s| {
        let id = made(s);
        domain(&s.admin.impersonating(id), &s.domain());
        s.act(&s.acme.client, numbered(id)).names(id).then(
            "Customer.getAccount",
            numbered(id),
            s.word("user"),
        )
    }),
    Cell::fault("Customer.deleteAccount", 8001, |s| {
        let id = made(s);
        s.act(&s.admin.impersonating(id), numbered(id)).names(id).then(
            "Customer.getAccount",
            numbered(id),
            s.word("user"),
        )
    }),
    Cell::fault("Customer.deleteAccount", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("id")
    }),
    Cell::success("Customer.getAccount", |s| {
        let id = made(s);
        s.act(&s.acme.client, numbered(id)).names(s.word("user"))
    }),
    Cell::fault("Customer.getAccount", 5000, |s| {
        s.act(&s.child.client, numbered(s.acme.id)).names(s.acme.id)
    }),
    Cell::fault("Customer.getAccount", 9001, |s| s.act(&s.acme.client, Value::empty()).names("id")),
    Cell::success("Customer.getCustomers", |s| {
        made(s);
        s.act(&s.acme.client, matching(record! { username: s.word("user") })).names(s.word("user"))
    }),
    Cell::success("Customer.getResellers", |s| {
        s.act(&s.admin, matching(record! { username: "ac%" })).names("acme")
    }),
    Cell::success("Customer.setProperties", |s| {
        let id = made(s);
        let given = of(id).with("properties", property("language", &s.word("l"), "customer"));
        s.act(&s.admin.impersonating(id), given).then("Customer.getProperties", of(id), s.word("l"))
    }),
    Cell::fault("Customer.setProperties", 5000, |s| {
        let id = made(s);
        let given = of(id).with("properties", property("language", &s.word("l"), "customer"));
        s.act(&s.other.client, given).names(id).without(
            "Customer.getProperties",
            of(id),
            "language",
        )
    }),
    Cell::fault("Customer.setProperties", 5004, |s| {
        let id = made(s);
        let given = of(id).with("properties", property("pstn_access", "1", "customer"));
        s.act(&s.admin.impersonating(id), given).names("pstn_access").without(
            "Customer.getProperties",
            of(id),
            "pstn_access",
        )
    }),
    Cell::fault("Customer.setProperties", 9001, |s| {
        let given = record! { properties: property("language", "fr", "customer") };
        s.act(&s.acme.client, given).names("customer")
    }),
    Cell::success("Customer.getProperties", |s| {
        s.act(&s.acme.client, of(s.acme.id)).names("dns_zone_credit")
    }),
    Cell::fault("Customer.getProperties", 5000, |s| {
        s.act(&s.acme.client, of(s.other.id)).names(s.other.id)
    }),
    Cell::fault("Customer.getProperties", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("customer")
    }),
];
