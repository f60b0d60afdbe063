//! What is set about the calls of an account: phone books, reject members, accept rules, barring and diversions.

use super::super::Cell;
use super::super::stage::{Act, Stage};
use super::{NO_NAME, alice, id};
use ngn_tests::{Value, record};

const BOB: &str = "sip:bob@example.com";

fn entry(s: &Stage<'_>, address: &str) -> Value {
    id(address).with("entry", record! { uri: BOB, name: s.word("Bob") })
}

/// A new account with an entry in its phone book.
fn with_entry(s: &Stage<'_>) -> String {
    let address = alice(s);
    let given = id(&address).with("entry", record! { uri: BOB, name: "Robert" });
    s.acme.client.ok("Sip.addPhonebookEntry", given);
    address
}

fn uri(address: &str) -> Value {
    id(address).with("uri", BOB)
}

fn members(address: &str) -> Value {
    id(address).with("members", [BOB])
}

fn rules(address: &str) -> Value {
    let rule = record! { days: 31, start: "08:15", stop: "17:45", groups: ["everybody"] };
    id(address).with("rules", record! { persistent: vec![rule] })
}

fn prefixes(address: &str) -> Value {
    id(address).with("prefixes", ["+3190"])
}

fn diversions(address: &str) -> Value {
    id(address).with("diversions", record! { FBUS: BOB })
}

/// Another reseller's call for an account of the active one.
fn stranger(s: &Stage<'_>, given: fn(&str) -> Value) -> Act {
    let address = alice(s);
    s.act(&s.other.client, given(&address)).names(address)
}

/// A call for an account that there is not.
fn nobody(s: &Stage<'_>, given: fn(&str) -> Value) -> Act {
    let address = s.address("nobody");
    s.act(&s.acme.client, given(&address)).names(address)
}

fn no_name(s: &Stage<'_>, given: fn(&str) -> Value) -> Act {
    s.act(&s.acme.client, given(NO_NAME)).names("no body")
}

/// A call with nothing but the account.
fn incomplete(s: &Stage<'_>, member: &str) -> Act {
    s.act(&s.acme.client, id(&s.address("alice"))).names(member)
}

fn empty(s: &Stage<'_>) -> Act {
    s.act(&s.acme.client, Value::empty()).names("sipId")
}

/// Something set for a new account, and the call that reads it.
fn read(s: &Stage<'_>, set: &str, given: fn(&str) -> Value) -> Act {
    let address = alice(s);
    s.acme.client.ok(set, given(&address));
    s.act(&s.acme.client, id(&address))
}

pub(super) const CELLS: &[Cell] = &[
    Cell::success("Sip.addPhonebookEntry", |s| {
        let address = alice(s);
        s.act(&s.acme.client, entry(s, &address)).then(
            "Sip.getPhonebookEntries",
            id(&address),
            s.word("Bob"),
        )
    }),
    Cell::fault("Sip.addPhonebookEntry", 1010, |s| {
        let address = alice(s);
        s.act(&s.other.client, entry(s, &address)).names(&address).without(
            "Sip.getPhonebookEntries",
            id(&address),
            BOB,
        )
    }),
    Cell::fault("Sip.addPhonebookEntry", 1012, |s| {
        s.act(&s.acme.client, entry(s, NO_NAME)).names("no body")
    }),
    Cell::fault("Sip.addPhonebookEntry", 1041, |s| {
        let address = with_entry(s);
        s.act(&s.acme.client, entry(s, &address)).names(BOB).then(
            "Sip.getPhonebookEntries",
            id(&address),
            "Robert",
        )
    }),
    Cell::fault("Sip.addPhonebookEntry", 9001, |s| incomplete(s, "entry")),
    Cell::success("Sip.updatePhonebookEntry", |s| {
        let address = with_entry(s);
        s.act(&s.acme.client, entry(s, &address)).then(
            "Sip.getPhonebookEntries",
            id(&address),
            s.word("Bob"),
        )
    }),
    Cell::fault("Sip.updatePhonebookEntry", 1010, |s| {
        let address = with_entry(s);
        s.act(&s.other.client, entry(s, &address)).names(&address).then(
            "Sip.getPhonebookEntries",
            id(&address),
            "Robert",
        )
    }),
    Cell::fault("Sip.updatePhonebookEntry", 1012, |s| {
        s.act(&s.acme.client, entry(s, NO_NAME)).names("no body")
    }),
    Cell::fault("Sip.updatePhonebookEntry", 1040, |s| {
        let address = alice(s);
        s.act(&s.acme.client, entry(s, &address)).names(BOB)
    }),
    Cell::fault("Sip.updatePhonebookEntry", 9001, |s| {
        let given = id(&s.address("alice")).with("entry", record! { name: "Bob" });
        s.act(&s.acme.client, given).names("entry.uri")
    }),
    Cell::success("Sip.deletePhonebookEntry", |s| {
        let address = with_entry(s);
        s.act(&s.acme.client, uri(&address)).without("Sip.getPhonebookEntries", id(&address), BOB)
    }),
    Cell::fault("Sip.deletePhonebookEntry", 1010, |s| {
        let address = with_entry(s);
        s.act(&s.other.client, uri(&address)).names(&address).then(
            "Sip.getPhonebookEntries",
            id(&address),
            BOB,
        )
    }),
    Cell::fault("Sip.deletePhonebookEntry", 1012, |s| no_name(s, uri)),
    Cell::fault("Sip.deletePhonebookEntry", 1040, |s| {
        let address = alice(s);
        s.act(&s.acme.client, uri(&address)).names(address).names(BOB)
    }),
    Cell::fault("Sip.deletePhonebookEntry", 9001, |s| incomplete(s, "uri")),
    Cell::success("Sip.getPhonebookEntries", |s| {
        let address = with_entry(s);
        s.act(&s.acme.client, id(&address).with("match", record! { uri: "%bob%" })).names("Robert")
    }),
    Cell::fault("Sip.getPhonebookEntries", 1010, |s| stranger(s, id)),
    Cell::fault("Sip.getPhonebookEntries", 1012, |s| no_name(s, id)),
    Cell::fault("Sip.getPhonebookEntries", 9001, empty),
    Cell::success("Sip.setRejectMembers", |s| {
        let address = alice(s);
        s.act(&s.acme.client, members(&address)).then("Sip.getRejectMembers", id(&address), BOB)
    }),
    Cell::fault("Sip.setRejectMembers", 1010, |s| {
        stranger(s, members).without("Sip.getRejectMembers", id(&s.address("alice")), BOB)
    }),
    Cell::fault("Sip.setRejectMembers", 1012, |s| no_name(s, members)),
    Cell::fault("Sip.setRejectMembers", 9001, |s| incomplete(s, "members")),
    Cell::success("Sip.getRejectMembers", |s| read(s, "Sip.setRejectMembers", members).names(BOB)),
    Cell::fault("Sip.getRejectMembers", 1010, |s| nobody(s, id)),
    Cell::fault("Sip.getRejectMembers", 1012, |s| no_name(s, id)),
    Cell::fault("Sip.getRejectMembers", 9001, empty),
    Cell::success("Sip.setAcceptRules", |s| {
        let address = alice(s);
        s.act(&s.acme.client, rules(&address)).then("Sip.getAcceptRules", id(&address), "08:15")
    }),
    Cell::fault("Sip.setAcceptRules", 1010, |s| {
        stranger(s, rules).without("Sip.getAcceptRules", id(&s.address("alice")), "08:15")
    }),
    Cell::fault("Sip.setAcceptRules", 1012, |s| no_name(s, rules)),
    Cell::fault("Sip.setAcceptRules", 9001, |s| incomplete(s, "rules")),
    Cell::success("Sip.getAcceptRules", |s| read(s, "Sip.setAcceptRules", rules).names("17:45")),
    Cell::fault("Sip.getAcceptRules", 1010, |s| nobody(s, id)),
    Cell::fault("Sip.getAcceptRules", 1012, |s| no_name(s, id)),
    Cell::fault("Sip.getAcceptRules", 9001, empty),
    Cell::success("Sip.setBarringPrefixes", |s| {
        let address = alice(s);
        s.act(&s.acme.client, prefixes(&address)).then(
            "Sip.getBarringPrefixes",
            id(&address),
            "+3190",
        )
    }),
    Cell::fault("Sip.setBarringPrefixes", 1010, |s| {
        stranger(s, prefixes).without("Sip.getBarringPrefixes", id(&s.address("alice")), "+3190")
    }),
    Cell::fault("Sip.setBarringPrefixes", 1012, |s| no_name(s, prefixes)),
    Cell::fault("Sip.setBarringPrefixes", 9001, |s| incomplete(s, "prefixes")),
    Cell::success("Sip.getBarringPrefixes", |s| {
        read(s, "Sip.setBarringPrefixes", prefixes).names("+3190")
    }),
    Cell::fault("Sip.getBarringPrefixes", 1010, |s| nobody(s, id)),
    Cell::fault("Sip.getBarringPrefixes", 1012, |s| no_name(s, id)),
    Cell::fault("Sip.getBarringPrefixes", 9001, empty),
    Cell::success("Sip.setCallDiversions", |s| {
        let address = alice(s);
        s.act(&s.acme.client, diversions(&address)).then("Sip.getCallDiversions", id(&address), BOB)
    }),
    Cell::fault("Sip.setCallDiversions", 1010, |s| {
        stranger(s, diversions).without("Sip.getCallDiversions", id(&s.address("alice")), BOB)
    }),
    Cell::fault("Sip.setCallDiversions", 1012, |s| no_name(s, diversions)),
    Cell::fault("Sip.setCallDiversions", 9001, |s| incomplete(s, "diversions")),
    Cell::success("Sip.getCallDiversions", |s| {
        read(s, "Sip.setCallDiversions", diversions).names(BOB)
    }),
    Cell::fault("Sip.getCallDiversions", 1010, |s| nobody(s, id)),
    Cell::fault("Sip.getCallDiversions", 1012, |s| no_name(s, id)),
    Cell::fault("Sip.getCallDiversions", 9001, empty),
];
