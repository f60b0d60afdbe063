//! Aliases and groups.

use super::super::Cell;
use super::super::stage::Stage;
use super::{NO_NAME, alice, id, own_domain, poor_alice};
use ngn_tests::fixture::{account, domain};
use ngn_tests::{Value, matching, record, sip_id};

fn given(alias: &str, target: &str) -> Value {
    record! { alias: record! { id: sip_id(alias), target: sip_id(target) } }
}

fn of(alias: &str) -> Value {
    record! { id: sip_id(alias) }
}

fn to(target: &str) -> Value {
    record! { target: sip_id(target) }
}

/// A new alias `info` of a new account.
fn info(s: &Stage<'_>) -> String {
    let target = alice(s);
    s.acme.client.ok("Sip.addAlias", given(&s.address("info"), &target));
    s.address("info")
}

fn member(address: &str, group: &str) -> Value {
    id(address).with("group", group)
}

pub(super) const CELLS: &[Cell] = &[
    Cell::success("Sip.addAlias", |s| {
        let target = alice(s);
        let alias = s.address("info");
        s.act(&s.acme.client, given(&alias, &target)).names("info").then(
            "Sip.getAlias",
            of(&alias),
            "alice",
        )
    }),
    Cell::fault("Sip.addAlias", 1000, |s| {
        let target = alice(s);
        let elsewhere = format!("not-{}", s.domain());
        domain(&s.other.client, &elsewhere);
        s.act(&s.acme.client, given(&format!("info@{elsewhere}"), &target)).names(elsewhere)
    }),
    Cell::fault("Sip.addAlias", 1010, |s| {
        own_domain(s);
        let target = s.address("nobody");
        s.act(&s.acme.client, given(&s.address("info"), &target)).names(target)
    }),
    Cell::fault("Sip.addAlias", 1012, |s| {
        s.act(&s.acme.client, given(NO_NAME, &s.address("alice"))).names("no body")
    }),
    Cell::fault("Sip.addAlias", 1021, |s| {
        let alias = info(s);
        s.act(&s.acme.client, given(&alias, &s.address("alice"))).names(alias)
    }),
    Cell::fault("Sip.addAlias", 1022, |s| {
        let target = alice(s);
        account(&s.acme.client, &s.address("bob"));
        s.act(&s.acme.client, given(&s.address("bob"), &target)).names(s.address("bob")).then(
            "Sip.getAccount",
            id(&s.address("bob")),
            "bob",
        )
    }),
    Cell::fault("Sip.addAlias", 5003, |s| {
        let alias = given(&s.address("info"), &s.address("alice"));
        s.act(&s.idle.client, alias).names(s.idle.id)
    }),
    Cell::fault("Sip.addAlias", 8002, |s| {
        let target = poor_alice(s);
        let alias = s.address("info");
        s.act(&s.poor.client, given(&alias, &target)).names("sip_alias_credit").gone(
            "Sip.getAlias",
            of(&alias),
            1020,
        )
    }),
    Cell::fault("Sip.addAlias", 9001, |s| {
        let given = record! { id: sip_id(&s.address("info")) };
        s.act(&s.acme.client, record! { alias: given }).names("alias.target")
    }),
    Cell::success("Sip.updateAlias", |s| {
        let alias = info(s);
        account(&s.acme.client, &s.address("bob"));
        s.act(&s.acme.client, given(&alias, &s.address("bob"))).then(
            "Sip.getAlias",
            of(&alias),
            "bob",
        )
    }),
    Cell::fault("Sip.updateAlias", 1010, |s| {
        let alias = info(s);
        let target = s.address("nobody");
        s.act(&s.acme.client, given(&alias, &target)).names(target).then(
            "Sip.getAlias",
            of(&alias),
            "alice",
        )
    }),
    Cell::fault("Sip.updateAlias", 1012, |s| {
        s.act(&s.acme.client, given(&s.address("info"), NO_NAME)).names("no body")
    }),
    Cell::fault("Sip.updateAlias", 1020, |s| {
        let target = alice(s);
        s.act(&s.acme.client, given(&s.address("info"), &target)).names(s.address("info"))
    }),
    Cell::fault("Sip.updateAlias", 9001, |s| s.act(&s.acme.client, Value::empty()).names("alias")),
    Cell::success("Sip.deleteAlias", |s| {
        let alias = info(s);
        s.act(&s.acme.client, of(&alias)).gone("Sip.getAlias", of(&alias), 1020)
    }),
    Cell::fault("Sip.deleteAlias", 1012, |s| s.act(&s.acme.client, of(NO_NAME)).names("no body")),
    Cell::fault("Sip.deleteAlias", 1020, |s| {
        let alias = info(s);
        s.act(&s.other.client, of(&alias)).names(&alias).then("Sip.getAlias", of(&alias), "alice")
    }),
    Cell::fault("Sip.deleteAlias", 9001, |s| s.act(&s.acme.client, Value::empty()).names("id")),
    Cell::success("Sip.getAlias", |s| {
        let alias = info(s);
        s.act(&s.acme.client, of(&alias)).names("alice")
    }),
    Cell::fault("Sip.getAlias", 1012, |s| s.act(&s.acme.client, of(NO_NAME)).names("no body")),
    Cell::fault("Sip.getAlias", 1020, |s| {
        let address = alice(s);
        s.act(&s.acme.client, of(&address)).names(address)
    }),
    Cell::fault("Sip.getAlias", 9001, |s| {
        s.act(&s.acme.client, record! { id: record! { username: "info" } }).names("id.domain")
    }),
    Cell::success("Sip.getAliasesForAccount", |s| {
        info(s);
        s.act(&s.acme.client, to(&s.address("alice"))).names("info")
    }),
    Cell::fault("Sip.getAliasesForAccount", 1010, |s| {
        let address = alice(s);
        s.act(&s.other.client, to(&address)).names(address)
    }),
    Cell::fault("Sip.getAliasesForAccount", 1012, |s| {
        s.act(&s.acme.client, to(NO_NAME)).names("no body")
    }),
    Cell::fault("Sip.getAliasesForAccount", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("target")
    }),
    Cell::success("Sip.getAliases", |s| {
        info(s);
        let filter = record! { targetUsername: "alice", targetDomain: s.domain() };
        s.act(&s.acme.client, matching(filter)).names("info")
    }),
    Cell::success("Sip.addToGroup", |s| {
        let address = alice(s);
        s.act(&s.acme.client, member(&address, "vip")).then("Sip.getGroups", id(&address), "vip")
    }),
    Cell::fault("Sip.addToGroup", 1010, |s| {
        let address = alice(s);
        s.act(&s.other.client, member(&address, "vip")).names(&address).without(
            "Sip.getGroups",
            id(&address),
            "vip",
        )
    }),
    Cell::fault("Sip.addToGroup", 1012, |s| {
        s.act(&s.acme.client, member(NO_NAME, "vip")).names("no body")
    }),
    Cell::fault("Sip.addToGroup", 1030, |s| {
        let address = alice(s);
        s.acme.client.ok("Sip.addToGroup", member(&address, "vip"));
        s.act(&s.acme.client, member(&address, "vip")).names(address).names("vip")
    }),
    Cell::fault("Sip.addToGroup", 1032, |s| {
        let address = alice(s);
        s.act(&s.acme.client, member(&address, "intercept")).names("intercept").without(
            "Sip.getGroups",
            id(&address),
            "intercept",
        )
    }),
    Cell::fault("Sip.addToGroup", 8005, |s| {
        let address = poor_alice(s);
        s.act(&s.poor.client, member(&address, "free-pstn")).names("pstn_access").without(
            "Sip.getGroups",
            id(&address),
            "free-pstn",
        )
    }),
    Cell::fault("Sip.addToGroup", 9001, |s| {
        s.act(&s.acme.client, id(&s.address("alice"))).names("group")
    }),
    Cell::success("Sip.removeFromGroup", |s| {
        let address = alice(s);
        s.acme.client.ok("Sip.addToGroup", member(&address, "vip"));
        s.act(&s.acme.client, member(&address, "vip")).without("Sip.getGroups", id(&address), "vip")
    }),
    Cell::fault("Sip.removeFromGroup", 1010, |s| {
        let address = alice(s);
        s.acme.client.ok("Sip.addToGroup", member(&address, "vip"));
        s.act(&s.other.client, member(&address, "vip")).names(&address).then(
            "Sip.getGroups",
            id(&address),
            "vip",
        )
    }),
    Cell::fault("Sip.removeFromGroup", 1012, |s| {
        s.act(&s.acme.client, member(NO_NAME, "vip")).names("no body")
    }),
    Cell::fault("Sip.removeFromGroup", 1031, |s| {
        let address = alice(s);
        s.act(&s.acme.client, member(&address, "vip")).names(address).names("vip")
    }),
    Cell::fault("Sip.removeFromGroup", 1032, |s| {
        let address = alice(s);
        s.admin.ok("Sip.addToGroup", member(&address, "intercept"));
        s.act(&s.acme.client, member(&address, "intercept")).names("intercept").then(
            "Sip.getGroups",
            id(&address),
            "intercept",
        )
    }),
    Cell::fault("Sip.removeFromGroup", 9001, |s| {
        s.act(&s.acme.client, record! { group: "vip" }).names("sipId")
    }),
    Cell::success("Sip.getGroups", |s| {
        let address = alice(s);
        s.acme.client.ok("Sip.addToGroup", member(&address, "vip"));
        s.act(&s.acme.client, id(&address)).names("vip")
    }),
    Cell::fault("Sip.getGroups", 1010, |s| {
        let address = s.address("nobody");
        s.act(&s.acme.client, id(&address)).names(address)
    }),
    Cell::fault("Sip.getGroups", 1012, |s| s.act(&s.acme.client, id(NO_NAME)).names("no body")),
    Cell::fault("Sip.getGroups", 9001, |s| s.act(&s.acme.client, Value::empty()).names("sipId")),
];
