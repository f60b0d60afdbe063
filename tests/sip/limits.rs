//! Limits of simultaneous calls (B76), which hold for the whole platform.

use std::time::{SystemTime, UNIX_EPOCH};

use ngn_tests::Value;
use ngn_tests::database::Backend;
use ngn_tests::fixture::{carrier, route, subscriber};
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::record;
use ngn_tests::sip::{Message, Phone, Request, response};

use crate::fixture::DOMAIN;
use crate::operation::lines;
use crate::pstn::{SETTINGS, answer, call, caller, gateway, routes, stand_in, uri};

/// An account that may have one call at one time, and a gateway that takes every number.
pub(crate) fn limited(p: &Platform) -> (Phone, Phone) {
    let alice = caller(p, "alice", &[], "");
    let groups = Value::List(vec!["free-pstn".into()]);
    let limited = subscriber(&format!("alice@{DOMAIN}")).with("groups", groups);
    p.admin().ok("Sip.updateAccount", record! { account: limited.with("callLimit", 1) });
    let gw = stand_in(p);
    let telco = carrier(&p.admin(), "Telco");
    gateway(p, telco, "gw", gw.local());
    routes(p, vec![route(telco, "")]);
    (alice, gw)
}

/// A call that is answered, and is in the database.
pub(crate) fn lasting_call(p: &Platform, alice: &Phone, gw: &Phone) -> (Request, Message) {
    let invite = call(alice, &uri("+431234567"), &[]);
    answer(gw, "200 OK");
    let answered = alice.receive_where(|m| m.status() == 200).unwrap();
    eventually("the call is noted", || {
        (p.database.sql("SELECT COUNT(*) FROM lasting_calls").trim() == "1").then_some(())
    });
    (invite, answered)
}

/// The status line that one more call gets; a gateway that gets it is busy.
pub(crate) fn one_more(alice: &Phone, gw: &Phone) -> String {
    let invite = call(alice, &uri("+431234568"), &[]);
    let is_last = |m: &Message| {
        m.header("call-id") == Some(&invite.call_id) && m.status() > 199 && m.status() != 407
    };
    // Refused, or at the gateway.
    for _ in 0..100 {
        let patience = std::time::Duration::from_millis(100);
        if let Ok(arrived) = gw.receive_within(patience)
            && arrived.header("call-id") == Some(&invite.call_id)
            && arrived.method() == "INVITE"
        {
            gw.send(&response(&arrived, "486 Busy Here", "gw", &[])).unwrap();
        }
        if let Ok(message) = alice.receive_within(patience)
            && is_last(&message)
        {
            alice.send(&invite.ack(&message).bytes(alice)).unwrap();
            return message.start;
        }
    }
    panic!("the call has no outcome");
}

pub(crate) const REFUSED: &str = "SIP/2.0 403 Call Limit Reached";
pub(crate) const BUSY: &str = "SIP/2.0 486 Busy Here";

/// Hangs up, as the caller.
fn hang_up(alice: &Phone, gw: &Phone, (invite, answered): &(Request, Message)) {
    let bye = invite.bye(answered);
    alice.send(&bye.bytes(alice)).unwrap();
    let over = gw.receive_where(|m| m.method() == "BYE").unwrap();
    gw.send(&response(&over, "200 OK", "callee", &[])).unwrap();
    alice.receive_where(|m| m.header("cseq").is_some_and(|c| c.ends_with("BYE"))).unwrap();
}

// B76: a call counts until it is over, also when the server was killed meanwhile.
#[test]
fn b76_calls_count_after_a_restart() {
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        let mut p = Platform::start_with(backend, &[("sipd", SETTINGS)]);
        let (alice, gw) = limited(&p);
        let lasting = lasting_call(&p, &alice, &gw);
        assert_eq!(one_more(&alice, &gw), REFUSED);
        let account = format!("alice@{DOMAIN}");
        p.kill();
        p.launch();
        // It is shown as what it is.
        let shown = lines(&p, &["calls"]).pop().unwrap();
        assert_eq!(
            (&shown["before_start"], &shown["state"]),
            (&true.into(), &"established".into())
        );
        assert_eq!(shown["call_id"], lasting.0.call_id.as_str());
        assert_eq!((&shown["account"], &shown["caller"]), (&account.into(), &alice.aor().into()));
        assert_eq!(one_more(&alice, &gw), REFUSED, "after the restart");
        hang_up(&alice, &gw, &lasting);
        assert_eq!(lines(&p, &["calls"]).len(), 0);
        assert_eq!(one_more(&alice, &gw), BUSY);
        eventually("the call is forgotten", || {
            (p.database.sql("SELECT COUNT(*) FROM lasting_calls").trim() == "0").then_some(())
        });
    }
}

// B76: calls on other nodes that are alive count too.
#[test]
fn b76_calls_count_on_every_node() {
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        let p = Platform::start_with(backend, &[("sipd", SETTINGS)]);
        let (alice, gw) = limited(&p);
        assert_eq!(one_more(&alice, &gw), BUSY);
        // What another node writes.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let node = "192.0.2.1:5060";
        _ = p
            .database
            .sql(&format!("INSERT INTO sip_nodes (node, alive_at) VALUES ('{node}', {now})"));
        _ = p.database.sql(&format!(
            "INSERT INTO lasting_calls (node, session_id, from_tag, to_tag, payer, started_at) \
             VALUES ('{node}', 'c', 'a', 'b', 'alice@{DOMAIN}', {now})"
        ));
        eventually("the call counts here", || (one_more(&alice, &gw) == REFUSED).then_some(()));
        _ = p.database.sql("DELETE FROM lasting_calls");
        eventually("the call is over", || (one_more(&alice, &gw) == BUSY).then_some(()));
    }
}
