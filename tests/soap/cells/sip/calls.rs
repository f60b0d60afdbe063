//! Balances, calls, devices and traces.

use super::super::Cell;
use super::super::stage::Stage;
use super::{NO_NAME, alice, id, poor_alice, prepaid};
use ngn_tests::fixture::subscriber;
use ngn_tests::{Value, record, sip_id};

fn value(address: &str, value: f64) -> Value {
    id(address).with("value", value).with("description", "cell")
}

fn history(address: &str) -> Value {
    id(address).with("count", 10)
}

/// A card as CDRTool makes one, with an id of this cell's own; gives the call that redeems it.
fn card(s: &Stage<'_>, columns: &str) -> Value {
    let digits = s.digits();
    let (names, values) = columns.split_once('=').unwrap_or(("batch", "'b'"));
    _ = s.p.database.sql(&format!(
        "INSERT INTO prepaid_cards (id, number, value, {names}) VALUES ({digits}, '9{digits}', 12.5, {values})"
    ));
    redeem(&s.address("alice"), &digits)
}

fn redeem(address: &str, digits: &str) -> Value {
    id(address).with("card", record! { id: digits, number: format!("9{digits}") })
}

fn several(address: &str) -> Value {
    record! { sipIds: vec![sip_id(address)] }
}

/// A call of the account of this cell, as the accounting writes it.
fn accounted(s: &Stage<'_>) -> Value {
    let address = alice(s);
    let (call, bob) = (s.word("call"), s.address("bob"));
    _ = s.p.database.sql(&format!(
        "INSERT INTO radacct (AcctSessionId, SipFromTag, SipToTag, UserName, CallingStationId, CanonicalURI, \
         CalledStationId, FromHeader, SipApplicationType, NASIPAddress, AcctStartTime, AcctStopTime, AcctSessionTime, \
         SipResponseCode, Price) VALUES ('{call}', 'a', 'b', '{address}', '{address}', '{bob}', '{bob}', \
         '<sip:{address}>', 'audio', '192.0.2.1', '2026-01-02 03:04:05', '2026-01-02 03:05:05', 60, 200, 0.25)"
    ));
    id(&address)
}

fn of_call(call_id: &str) -> Value {
    record! { filter: record! { callId: call_id } }
}

pub(super) const CELLS: &[Cell] = &[
    Cell::success("Sip.addBalance", |s| {
        let address = prepaid(s);
        s.act(&s.acme.client, value(&address, 12.25)).names("12.25").then(
            "Sip.getPrepaidStatus",
            several(&address),
            "12.25",
        )
    }),
    Cell::fault("Sip.addBalance", 1010, |s| {
        let address = prepaid(s);
        s.act(&s.other.client, value(&address, 12.25)).names(&address).without(
            "Sip.getPrepaidStatus",
            several(&address),
            "12.25",
        )
    }),
    Cell::fault("Sip.addBalance", 1012, |s| {
        s.act(&s.acme.client, value(NO_NAME, 1.5)).names("no body")
    }),
    Cell::fault("Sip.addBalance", 1080, |s| {
        let address = alice(s);
        s.act(&s.acme.client, value(&address, 1.5)).names(address)
    }),
    Cell::fault("Sip.addBalance", 8005, |s| {
        let address = poor_alice(s);
        let account = subscriber(&address).with("prepaid", true);
        s.admin.ok("Sip.updateAccount", record! { account: account });
        s.act(&s.poor.client, value(&address, 12.25)).names("prepaid_changes").without(
            "Sip.getPrepaidStatus",
            several(&address),
            "12.25",
        )
    }),
    Cell::fault("Sip.addBalance", 9001, |s| {
        s.act(&s.acme.client, id(&s.address("alice"))).names("value")
    }),
    Cell::success("Sip.addBalanceFromVoucher", |s| {
        let address = prepaid(s);
        s.act(&s.acme.client, card(s, "")).names("12.5").then(
            "Sip.getPrepaidStatus",
            several(&address),
            "12.5",
        )
    }),
    Cell::fault("Sip.addBalanceFromVoucher", 1010, |s| {
        let address = s.address("nobody");
        s.act(&s.acme.client, redeem(&address, "1")).names(address)
    }),
    Cell::fault("Sip.addBalanceFromVoucher", 1012, |s| {
        s.act(&s.acme.client, redeem(NO_NAME, "1")).names("no body")
    }),
    Cell::fault("Sip.addBalanceFromVoucher", 1080, |s| {
        let address = alice(s);
        s.act(&s.acme.client, card(s, "")).names(address)
    }),
    // The number of a card is a secret: the refusals do not repeat it.
    Cell::fault("Sip.addBalanceFromVoucher", 1081, |s| {
        let address = prepaid(s);
        s.act(&s.acme.client, redeem(&address, "1")).names("does not exist")
    }),
    Cell::fault("Sip.addBalanceFromVoucher", 1082, |s| {
        let address = prepaid(s);
        s.act(&s.acme.client, card(s, "blocked=1")).names("is blocked").without(
            "Sip.getPrepaidStatus",
            several(&address),
            "12.5",
        )
    }),
    Cell::fault("Sip.addBalanceFromVoucher", 1083, |s| {
        let address = prepaid(s);
        s.act(&s.acme.client, card(s, "date_active='2100-01-01'")).names("2100-01-01").without(
            "Sip.getPrepaidStatus",
            several(&address),
            "12.5",
        )
    }),
    Cell::fault("Sip.addBalanceFromVoucher", 9001, |s| {
        let given = id(&s.address("alice")).with("card", record! { id: 1 });
        s.act(&s.acme.client, given).names("card.number")
    }),
    Cell::success("Sip.getPrepaidStatus", |s| {
        let address = prepaid(s);
        s.acme.client.ok("Sip.addBalance", value(&address, 7.75));
        s.act(&s.acme.client, several(&address)).names("7.75")
    }),
    Cell::fault("Sip.getPrepaidStatus", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("sipIds")
    }),
    Cell::success("Sip.getCreditHistory", |s| {
        let address = prepaid(s);
        s.acme.client.ok("Sip.addBalance", value(&address, 7.75));
        s.act(&s.acme.client, history(&address)).names("7.75").names("cell")
    }),
    Cell::fault("Sip.getCreditHistory", 1010, |s| {
        let address = prepaid(s);
        s.act(&s.other.client, history(&address)).names(address)
    }),
    Cell::fault("Sip.getCreditHistory", 1012, |s| {
        s.act(&s.acme.client, history(NO_NAME)).names("no body")
    }),
    Cell::fault("Sip.getCreditHistory", 9001, |s| {
        s.act(&s.acme.client, record! { count: 10 }).names("sipId")
    }),
    Cell::success("Sip.getCalls", |s| {
        let query = record! { placed: record! { limit: 5 } };
        s.act(&s.acme.client, accounted(s).with("query", query)).names(s.word("call"))
    }),
    Cell::fault("Sip.getCalls", 1010, |s| {
        s.act(&s.other.client, accounted(s)).names(s.address("alice"))
    }),
    Cell::fault("Sip.getCalls", 1012, |s| s.act(&s.acme.client, id(NO_NAME)).names("no body")),
    Cell::fault("Sip.getCalls", 9001, |s| s.act(&s.acme.client, Value::empty()).names("sipId")),
    Cell::success("Sip.getCallStatistics", |s| {
        let window = record! { fromDate: 1_767_312_000, toDate: 1_767_398_400 };
        let query = record! { placed: window };
        s.act(&s.acme.client, accounted(s).with("query", query)).names("0.25").names("60")
    }),
    Cell::fault("Sip.getCallStatistics", 1010, |s| {
        s.act(&s.other.client, accounted(s)).names(s.address("alice"))
    }),
    Cell::fault("Sip.getCallStatistics", 1012, |s| {
        s.act(&s.acme.client, id(NO_NAME)).names("no body")
    }),
    Cell::fault("Sip.getCallStatistics", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("sipId")
    }),
    Cell::success("Sip.getSipDeviceLocations", |s| {
        let address = alice(s);
        s.act(&s.acme.client, several(&address)).names("alice").names(s.domain())
    }),
    Cell::fault("Sip.getSipDeviceLocations", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("sipIds")
    }),
    Cell::success("Sip.getSipTrace", |s| {
        let call = s.word("call");
        _ = s.p.database.sql(&format!(
            "INSERT INTO sip_trace (time_us, callid, method, msg) VALUES (1000000, '{call}', 'INVITE', 'm')"
        ));
        s.act(&s.admin, of_call(&call)).holds("INVITE")
    }),
    Cell::fault("Sip.getSipTrace", 1060, |s| {
        s.act(&s.acme.client, of_call(&s.word("call"))).names(s.word("call"))
    }),
    Cell::fault("Sip.getSipTrace", 8003, |s| {
        s.act(&s.child.client, of_call(&s.word("call"))).names("reseller rights")
    }),
    Cell::fault("Sip.getSipTrace", 9001, |s| {
        s.act(&s.acme.client, record! { filter: record! { fromTag: "a" } }).names("filter.callId")
    }),
    Cell::success("Sip.getMediaTrace", |s| {
        let call = s.word("call");
        let info = "{\"duration\": 4711, \"streams\": [{\"end_time\": 12}]}";
        _ = s.p.database.sql(&format!(
            "INSERT INTO media_sessions (call_id, from_tag, to_tag, info) VALUES ('{call}', 'a', 'b', '{info}')"
        ));
        s.act(&s.admin, of_call(&call)).holds("4711")
    }),
    Cell::fault("Sip.getMediaTrace", 1060, |s| {
        s.act(&s.acme.client, of_call(&s.word("call"))).names(s.word("call"))
    }),
    Cell::fault("Sip.getMediaTrace", 8003, |s| {
        s.act(&s.child.client, of_call(&s.word("call"))).names("reseller rights")
    }),
    Cell::fault("Sip.getMediaTrace", 9001, |s| {
        s.act(&s.acme.client, of_call("")).names("filter.callId")
    }),
    Cell::success("Sip.getMediaSummary", |s| {
        let (word, far) = (s.word("relay"), 99_999_999_999_999_i64);
        _ = s.p.database.sql(&format!(
            "INSERT INTO nodes (daemon, node, ip, version, started_at, alive_at, counters) VALUES \
             ('media_relay', '{word}', '192.0.2.5', '{word}', {far}, {far}, '{{\"sessions\": 3}}')"
        ));
        s.act(&s.admin, Value::empty()).holds(&s.word("relay"))
    }),
    Cell::fault("Sip.getMediaSummary", 8003, |s| {
        s.act(&s.acme.client, Value::empty()).names("administrator")
    }),
    Cell::success("Sip.getMediaSessions", |s| {
        let call = s.word("call");
        let info = "{\"streams\": [{\"end_time\": null}]}";
        _ = s.p.database.sql(&format!(
            "INSERT INTO media_sessions (call_id, from_tag, to_tag, info) VALUES ('{call}', 'a', 'b', '{info}')"
        ));
        s.act(&s.admin, Value::empty()).holds(&s.word("call"))
    }),
    Cell::fault("Sip.getMediaSessions", 8003, |s| {
        s.act(&s.acme.client, Value::empty()).names("administrator")
    }),
];
