//! Routes.

use super::super::Cell;
use super::super::stage::Stage;
use ngn_tests::fixture::{carrier, route};
use ngn_tests::soap::Client;
use ngn_tests::{Value, matching, record};

fn list(items: Vec<Value>) -> Value {
    record! { routes: items }
}

/// A carrier of somebody, with a route for 0031.
fn routed(s: &Stage<'_>, who: &Client) -> i64 {
    let of = carrier(who, &s.word("carrier"));
    who.ok("Sip.addRoutes", list(vec![route(of, "0031")]));
    of
}

fn of_carrier(id: i64) -> Value {
    matching(record! { carrier_id: id })
}

/// The id of the first route of a carrier.
fn first(s: &Stage<'_>, carrier_id: i64) -> i64 {
    s.admin.ok("Sip.getRoutes", of_carrier(carrier_id)).int_at("routes/0/id")
}

pub(super) const CELLS: &[Cell] =
    &[
        Cell::success("Sip.addRoutes", |s| {
            let of = carrier(&s.acme.client, &s.word("carrier"));
            s.act(&s.acme.client, list(vec![route(of, "0031"), route(of, "0032")]))
                .then("Sip.getRoutes", of_carrier(of), "0031")
                .then("Sip.getRoutes", of_carrier(of), "0032")
        }),
        Cell::fault("Sip.addRoutes", 1070, |s| {
            let of = carrier(&s.acme.client, &s.word("carrier"));
            s.act(&s.acme.client, list(vec![route(of, "0031"), route(987_654, "0032")]))
                .names("987654")
                .without("Sip.getRoutes", of_carrier(of), "0031")
        }),
        Cell::fault("Sip.addRoutes", 1079, |s| {
            let of = routed(s, &s.acme.client);
            s.act(&s.acme.client, list(vec![route(of, "0032"), route(of, "0031")]))
                .names("0031")
                .without("Sip.getRoutes", of_carrier(of), "0032")
        }),
        Cell::fault("Sip.addRoutes", 5003, |s| {
            s.act(&s.idle.client, list(vec![route(1, "0031")])).names(s.idle.id)
        }),
        Cell::fault("Sip.addRoutes", 8003, |s| {
            s.act(&s.child.client, list(vec![route(1, "0031")])).names("reseller rights")
        }),
        Cell::fault("Sip.addRoutes", 9001, |s| {
            let items = vec![record! { prefix: "0031" }];
            s.act(&s.acme.client, list(items)).names("routes[0].carrier_id")
        }),
        Cell::success("Sip.updateRoutes", |s| {
            let of = routed(s, &s.acme.client);
            let id = first(s, of);
            s.act(&s.acme.client, list(vec![route(of, "0032").with("id", id)]))
                .then("Sip.getRoutes", of_carrier(of), "0032")
                .without("Sip.getRoutes", of_carrier(of), "0031")
        }),
        Cell::fault("Sip.updateRoutes", 1070, |s| {
            let of = routed(s, &s.acme.client);
            let id = first(s, of);
            s.act(&s.acme.client, list(vec![route(987_654, "0032").with("id", id)]))
                .names("987654")
                .then("Sip.getRoutes", of_carrier(of), "0031")
        }),
        Cell::fault("Sip.updateRoutes", 1078, |s| {
            let of = routed(s, &s.acme.client);
            let known = route(of, "0032").with("id", first(s, of));
            s.act(&s.acme.client, list(vec![known, route(of, "0033").with("id", 987_654)]))
                .names("987654")
                .without("Sip.getRoutes", of_carrier(of), "0032")
        }),
        Cell::fault("Sip.updateRoutes", 1079, |s| {
            let of = routed(s, &s.acme.client);
            let id = first(s, of);
            s.acme.client.ok("Sip.addRoutes", list(vec![route(of, "0032")]));
            s.act(&s.acme.client, list(vec![route(of, "0032").with("id", id)])).names("0032").then(
                "Sip.getRoutes",
                of_carrier(of),
                "0031",
            )
        }),
        Cell::fault("Sip.updateRoutes", 8001, |s| {
            let of = routed(s, &s.other.client);
            let id = first(s, of);
            s.act(&s.acme.client, list(vec![record! { id: id, priority: 7 }])).names(id).without(
                "Sip.getRoutes",
                of_carrier(of),
                "7",
            )
        }),
        Cell::fault("Sip.updateRoutes", 8003, |s| {
            s.act(&s.child.client, list(vec![record! { id: 1 }])).names("reseller rights")
        }),
        Cell::fault("Sip.updateRoutes", 9001, |s| {
            s.act(&s.acme.client, list(vec![route(1, "0031")])).names("routes[0].id")
        }),
        Cell::success("Sip.deleteRoutes", |s| {
            let of = routed(s, &s.acme.client);
            let id = first(s, of);
            s.act(&s.acme.client, list(vec![record! { id: id }])).without(
                "Sip.getRoutes",
                of_carrier(of),
                "0031",
            )
        }),
        Cell::fault("Sip.deleteRoutes", 1078, |s| {
            let of = routed(s, &s.acme.client);
            s.act(&s.acme.client, list(vec![route(of, "0031"), route(of, "0032")]))
                .names("0032")
                .then("Sip.getRoutes", of_carrier(of), "0031")
        }),
        Cell::fault("Sip.deleteRoutes", 8001, |s| {
            let of = routed(s, &s.other.client);
            let id = first(s, of);
            s.act(&s.acme.client, list(vec![record! { id: id }])).names(id).then(
                "Sip.getRoutes",
                of_carrier(of),
                "0031",
            )
        }),
        Cell::fault("Sip.deleteRoutes", 8003, |s| {
            s.act(&s.child.client, list(vec![record! { id: 1 }])).names("reseller rights")
        }),
        Cell::fault("Sip.deleteRoutes", 9001, |s| {
            s.act(&s.acme.client, list(vec![record! { prefix: "0031" }])).names("routes[0].id")
        }),
        Cell::success("Sip.getRoutes", |s| {
            let of = routed(s, &s.acme.client);
            s.act(&s.acme.client, of_carrier(of)).names("0031")
        }),
        Cell::fault("Sip.getRoutes", 8003, |s| {
            s.act(&s.child.client, Value::empty()).names("reseller rights")
        }),
    ];
