//! SIP domains and accounts.

use super::super::Cell;
use super::super::stage::Stage;
use super::{NO_NAME, alice, id, own_domain, poor_alice};
use ngn_tests::fixture::{domain, subscriber};
use ngn_tests::{Value, matching, record};

fn named(name: &str) -> Value {
    record! { domain: name }
}

/// The parameter of an operation that adds or changes a domain.
fn given(name: &str) -> Value {
    record! { domain: record! { domain: name } }
}

/// The parameter of an operation that adds or changes an account, with the first name of this cell.
fn person(s: &Stage<'_>, address: &str) -> Value {
    record! { account: subscriber(address).with("firstName", s.word("Ada")) }
}

fn in_groups(address: &str, group: &str) -> Value {
    record! { account: subscriber(address).with("groups", [group]) }
}

/// A domain that no SIP domain can be.
const NO_DOMAIN: &str = "c x.example";

pub(super) const CELLS: &[Cell] = &[
    Cell::success("Sip.addDomain", |s| {
        let name = s.domain();
        s.act(&s.child.client, given(&name)).names(&name).then(
            "Sip.getDomains",
            matching(named(&name)),
            s.child.id,
        )
    }),
    Cell::fault("Sip.addDomain", 1001, |s| {
        domain(&s.other.client, &s.domain());
        s.act(&s.acme.client, given(&s.domain())).names(s.domain())
    }),
    Cell::fault("Sip.addDomain", 1012, |s| {
        s.act(&s.acme.client, given(NO_DOMAIN)).names(NO_DOMAIN)
    }),
    Cell::fault("Sip.addDomain", 5000, |s| {
        let given = record! { domain: s.domain(), customer: 987_654 };
        s.act(&s.admin, record! { domain: given }).names("987654").without(
            "Sip.getDomains",
            matching(named(&s.domain())),
            s.domain(),
        )
    }),
    Cell::fault("Sip.addDomain", 5003, |s| {
        s.act(&s.idle.client, given(&s.domain())).names(s.idle.id)
    }),
    Cell::fault("Sip.addDomain", 9001, |s| {
        s.act(&s.acme.client, record! { domain: record! { customer: 0 } }).names("domain.domain")
    }),
    Cell::success("Sip.updateDomain", |s| {
        let name = own_domain(s);
        let changed = record! { domain: &name, match_ip_address: "192.0.2.77" };
        s.act(&s.acme.client, record! { domain: changed }).then(
            "Sip.getDomains",
            matching(named(&name)),
            "192.0.2.77",
        )
    }),
    Cell::fault("Sip.updateDomain", 1000, |s| {
        let name = own_domain(s);
        s.act(&s.other.client, given(&name)).names(name)
    }),
    Cell::fault("Sip.updateDomain", 1012, |s| {
        s.act(&s.acme.client, given(NO_DOMAIN)).names(NO_DOMAIN)
    }),
    Cell::fault("Sip.updateDomain", 5000, |s| {
        let given = record! { domain: own_domain(s), reseller: 987_654 };
        s.act(&s.admin, record! { domain: given }).names("987654").then(
            "Sip.getDomains",
            matching(named(&s.domain())),
            s.acme.id,
        )
    }),
    Cell::fault("Sip.updateDomain", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("domain")
    }),
    Cell::success("Sip.deleteDomain", |s| {
        let name = own_domain(s);
        s.act(&s.acme.client, named(&name)).without("Sip.getDomains", matching(named(&name)), name)
    }),
    Cell::fault("Sip.deleteDomain", 1000, |s| {
        let name = own_domain(s);
        s.act(&s.other.client, named(&name)).names(&name).then(
            "Sip.getDomains",
            matching(named(&name)),
            &name,
        )
    }),
    Cell::fault("Sip.deleteDomain", 1002, |s| {
        let address = alice(s);
        s.act(&s.acme.client, named(&s.domain())).names(s.domain()).then(
            "Sip.getAccount",
            id(&address),
            "alice",
        )
    }),
    Cell::fault("Sip.deleteDomain", 1012, |s| {
        s.act(&s.acme.client, named(NO_DOMAIN)).names(NO_DOMAIN)
    }),
    Cell::fault("Sip.deleteDomain", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("domain")
    }),
    Cell::success("Sip.getDomains", |s| {
        let name = own_domain(s);
        s.act(&s.acme.client, matching(named(&name))).names(name)
    }),
    Cell::success("Sip.addAccount", |s| {
        own_domain(s);
        let address = s.address("alice");
        s.act(&s.acme.client, person(s, &address)).names("alice").then(
            "Sip.getAccount",
            id(&address),
            s.word("Ada"),
        )
    }),
    Cell::fault("Sip.addAccount", 1000, |s| {
        domain(&s.other.client, &s.domain());
        s.act(&s.acme.client, person(s, &s.address("alice"))).names(s.domain())
    }),
    Cell::fault("Sip.addAccount", 1011, |s| {
        let address = alice(s);
        s.act(&s.acme.client, person(s, &address)).names(&address).then(
            "Sip.getAccount",
            id(&address),
            "Ada",
        )
    }),
    Cell::fault("Sip.addAccount", 1012, |s| {
        s.act(&s.acme.client, person(s, NO_NAME)).names("no body")
    }),
    Cell::fault("Sip.addAccount", 1032, |s| {
        own_domain(s);
        let address = s.address("alice");
        let group = "g".repeat(65);
        s.act(&s.acme.client, in_groups(&address, &group)).names(group).gone(
            "Sip.getAccount",
            id(&address),
            1010,
        )
    }),
    Cell::fault("Sip.addAccount", 5003, |s| {
        s.act(&s.idle.client, person(s, &s.address("alice"))).names(s.idle.id)
    }),
    Cell::fault("Sip.addAccount", 8002, |s| {
        poor_alice(s);
        let address = s.address("bob");
        s.act(&s.poor.client, person(s, &address)).names("sip_credit").gone(
            "Sip.getAccount",
            id(&address),
            1010,
        )
    }),
    Cell::fault("Sip.addAccount", 8005, |s| {
        poor_alice(s);
        let address = s.address("bob");
        s.act(&s.poor.client, in_groups(&address, "free-pstn")).names("pstn_access").gone(
            "Sip.getAccount",
            id(&address),
            1010,
        )
    }),
    Cell::fault("Sip.addAccount", 9001, |s| {
        s.act(&s.acme.client, record! { account: record! { firstName: "Ada" } }).names("account.id")
    }),
    Cell::success("Sip.updateAccount", |s| {
        let address = alice(s);
        s.act(&s.acme.client, person(s, &address)).then(
            "Sip.getAccount",
            id(&address),
            s.word("Ada"),
        )
    }),
    Cell::fault("Sip.updateAccount", 1010, |s| {
        let address = alice(s);
        s.act(&s.other.client, person(s, &address)).names(&address).then(
            "Sip.getAccount",
            id(&address),
            "Ada",
        )
    }),
    Cell::fault("Sip.updateAccount", 1012, |s| {
        s.act(&s.acme.client, person(s, NO_NAME)).names("no body")
    }),
    Cell::fault("Sip.updateAccount", 1032, |s| {
        let address = alice(s);
        let group = "g".repeat(65);
        s.act(&s.acme.client, in_groups(&address, &group)).names(group)
    }),
    Cell::fault("Sip.updateAccount", 8005, |s| {
        let address = poor_alice(s);
        s.act(&s.poor.client, in_groups(&address, "free-pstn")).names("pstn_access").without(
            "Sip.getGroups",
            id(&address),
            "free-pstn",
        )
    }),
    Cell::fault("Sip.updateAccount", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("account")
    }),
    Cell::success("Sip.deleteAccount", |s| {
        let address = alice(s);
        s.act(&s.acme.client, id(&address)).gone("Sip.getAccount", id(&address), 1010)
    }),
    Cell::fault("Sip.deleteAccount", 1010, |s| {
        let address = alice(s);
        s.act(&s.other.client, id(&address)).names(&address).then(
            "Sip.getAccount",
            id(&address),
            "alice",
        )
    }),
    Cell::fault("Sip.deleteAccount", 1012, |s| s.act(&s.acme.client, id(NO_NAME)).names("no body")),
    Cell::fault("Sip.deleteAccount", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("sipId")
    }),
    Cell::success("Sip.getAccount", |s| {
        let address = alice(s);
        s.act(&s.acme.client, id(&address)).names(address)
    }),
    Cell::fault("Sip.getAccount", 1010, |s| {
        let address = alice(s);
        s.act(&s.other.client, id(&address)).names(address)
    }),
    Cell::fault("Sip.getAccount", 1012, |s| s.act(&s.acme.client, id(NO_NAME)).names("no body")),
    Cell::fault("Sip.getAccount", 9001, |s| s.act(&s.acme.client, Value::empty()).names("sipId")),
    Cell::success("Sip.getAccounts", |s| {
        alice(s);
        s.act(&s.acme.client, matching(named(&s.domain()))).names("alice")
    }),
];
