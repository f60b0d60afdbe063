//! The cells of the Rating port; those of a database that fails stand in `common`.

use super::stage::Stage;
use super::{Cell, play};
use ngn_tests::fixture::{account, domain};
use ngn_tests::{Value, both, record};

both! {
    fn cells_of_the_port(p) {
        play(p, CELLS);
    }
}

fn profiles(entity: &str, weekday: &str) -> Value {
    record! { profiles: record! { entity: entity, profileWeekday: weekday } }
}

fn of(entity: &str) -> Value {
    record! { entity: entity }
}

/// The entity of a new account of the active reseller.
fn subscriber(s: &Stage<'_>) -> String {
    domain(&s.acme.client, &s.domain());
    account(&s.acme.client, &s.address("alice"));
    format!("subscriber://{}", s.address("alice"))
}

/// The same, with profiles.
fn rated(s: &Stage<'_>) -> String {
    let entity = subscriber(s);
    s.acme.client.ok("Rating.setEntityProfiles", profiles(&entity, &s.word("w")));
    entity
}

pub(super) const CELLS: &[Cell] = &[
    Cell::success("Rating.setEntityProfiles", |s| {
        let entity = subscriber(s);
        let weekday = s.word("w");
        s.act(&s.acme.client, profiles(&entity, &weekday)).then(
            "Rating.getEntityProfiles",
            of(&entity),
            weekday,
        )
    }),
    Cell::fault("Rating.setEntityProfiles", 1000, |s| {
        let name = s.domain();
        s.act(&s.acme.client, profiles(&format!("domain://{name}"), "w")).names(name)
    }),
    Cell::fault("Rating.setEntityProfiles", 1010, |s| {
        domain(&s.acme.client, &s.domain());
        let address = s.address("nobody");
        s.act(&s.acme.client, profiles(&format!("subscriber://{address}"), "w")).names(address)
    }),
    Cell::fault("Rating.setEntityProfiles", 4001, |s| {
        s.act(&s.acme.client, profiles("", "w")).names("subscriber://user@domain")
    }),
    Cell::fault("Rating.setEntityProfiles", 8003, |s| {
        s.act(&s.acme.client, profiles("gateway://192.0.2.1", "w")).names("administrator")
    }),
    Cell::fault("Rating.setEntityProfiles", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("profiles")
    }),
    Cell::success("Rating.deleteEntityProfiles", |s| {
        let entity = rated(s);
        s.act(&s.acme.client, of(&entity)).gone("Rating.getEntityProfiles", of(&entity), 4001)
    }),
    Cell::fault("Rating.deleteEntityProfiles", 4001, |s| {
        let entity = subscriber(s);
        s.act(&s.acme.client, of(&entity)).names(entity)
    }),
    Cell::fault("Rating.deleteEntityProfiles", 8003, |s| {
        s.admin.ok("Rating.setEntityProfiles", profiles("gateway://192.0.2.2", "w"));
        s.act(&s.acme.client, of("gateway://192.0.2.2")).names("administrator").then(
            "Rating.getEntityProfiles",
            of("gateway://192.0.2.2"),
            "w",
        )
    }),
    Cell::success("Rating.getEntityProfiles", |s| {
        let entity = rated(s);
        s.act(&s.acme.client, of(&entity)).names(s.word("w"))
    }),
    Cell::fault("Rating.getEntityProfiles", 4001, |s| {
        let entity = rated(s);
        s.act(&s.other.client, of(&entity)).names(entity)
    }),
    Cell::fault("Rating.getEntityProfiles", 8003, |s| {
        s.act(&s.acme.client, of("gateway://192.0.2.3")).names("administrator")
    }),
];
