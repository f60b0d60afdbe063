//! More work than there is room or time for: what is turned away first, and who must not notice.

use std::time::Duration;

use ngn_tests::bystanders::Bystanders;
use ngn_tests::database::Backend;
use ngn_tests::load::{Callee, Caller};
use ngn_tests::platform::Platform;
use ngn_tests::sip::{Phone, Request, response, unique};

use crate::emergencies::emergency_centre;
use crate::fixture::DOMAIN;
use crate::pstn::{SETTINGS, answer, caller, last, request_user, uri};

// RFC 3261 section 21.5.4: registrations and the like first, then calls; what belongs to calls and calls for help are served.
#[test]
fn what_is_turned_away_first() {
    let settings = format!("{SETTINGS}\n[limits]\ntransactions = 60\n");
    let p = Platform::start_with(Backend::Sqlite, &[("sipd", &settings)]);
    let alice = caller(&p, "alice", &[], "");
    let mut bob = caller(&p, "bob", &[], "");
    assert_eq!(bob.register(300).unwrap().status(), 200);
    let centre = emergency_centre(&p, &format!("alice@{DOMAIN}"));
    let stranger = || Phone::new(p.sip_address(), "eve@elsewhere.example", "");
    let invite = |phone: &Phone| {
        let invite = Request::new("INVITE", &uri("bob"), &phone.aor(), &uri("bob"))
            .with("Contact", &format!("<{}>", phone.contact()));
        phone.send(&invite.bytes(phone)).unwrap();
        invite
    };
    let talker = stranger();
    let talk = invite(&talker);
    answer(&bob, "200 OK");
    let answered = last(&talker, &talk);
    let mut in_dialog = talk.bye(&answered);
    let ack = Request { method: "ACK".to_owned(), cseq: 1, ..in_dialog.clone() };
    talker.send(&ack.bytes(&talker)).unwrap();

    // Phones ring until there is no room.
    let (mut ringing, mut options_refused) = (Vec::new(), None);
    let calls_refused = loop {
        let asks = stranger();
        let to = format!("sip:{DOMAIN}");
        let options = Request::new("OPTIONS", &to, &asks.aor(), &to);
        asks.send(&options.bytes(&asks)).unwrap();
        if last(&asks, &options).status() == 503 {
            options_refused.get_or_insert(ringing.len());
        }
        let phone = stranger();
        let call = invite(&phone);
        let told = phone.receive_where(|m| m.header("call-id") == Some(&call.call_id)).unwrap();
        if told.status() == 503 {
            assert!(told.header("retry-after").is_some());
            break ringing.len();
        }
        let at_bob = bob.receive_where(|m| m.header("call-id") == Some(&call.call_id)).unwrap();
        bob.send(&response(&at_bob, "180 Ringing", "bob", &[])).unwrap();
        ringing.push((phone, call));
        assert!(ringing.len() < 60);
    };
    let options_refused = options_refused.expect("OPTIONS are refused before calls");
    assert!(options_refused < calls_refused, "{options_refused} {calls_refused}");

    in_dialog.method = "INFO".to_owned();
    talker.send(&in_dialog.bytes(&talker)).unwrap();
    let info = bob.receive_where(|m| m.method() == "INFO").unwrap();
    bob.send(&response(&info, "200 OK", "bob", &[])).unwrap();
    talker.receive_where(|m| m.header("cseq").is_some_and(|c| c.ends_with("INFO"))).unwrap();
    let to = uri("112");
    let help = Request::new("INVITE", &to, &alice.aor(), &to)
        .with("Contact", &format!("<{}>", alice.contact()));
    alice.send(&help.bytes(&alice)).unwrap();
    assert_eq!(request_user(&answer(&centre, "200 OK")), "help");
    assert_eq!(last(&alice, &help).status(), 200);
    in_dialog.method = "BYE".to_owned();
    in_dialog.cseq += 1;
    in_dialog.branch = format!("z9hG4bK{}", unique("bye"));
    talker.send(&in_dialog.bytes(&talker)).unwrap();
    let bye = bob.receive_where(|m| m.method() == "BYE").unwrap();
    bob.send(&response(&bye, "200 OK", "bob", &[])).unwrap();
    talker.receive_where(|m| m.header("cseq").is_some_and(|c| c.ends_with("BYE"))).unwrap();
}

// The small version of `make bench-sip-overload`: calls that go on and calls for help are served through a flood.
#[test]
fn a_flood_is_not_noticed() {
    // Whatever waits a millisecond is too much.
    let overload = "registrations_milliseconds = 1\ncalls_milliseconds = 1\n";
    let settings = format!("{SETTINGS}\n[overload]\n{overload}");
    let p = Platform::start_with(Backend::Sqlite, &[("sipd", &settings)]);
    let alice = caller(&p, "alice", &[], "");
    let mut bob = caller(&p, "bob", &[], "");
    assert_eq!(bob.register(300).unwrap().status(), 200);
    let centre = emergency_centre(&p, &format!("alice@{DOMAIN}"));
    let _callees = [Callee::start(bob.socket()), Callee::start(centre.socket())];
    let mut bystanders = Bystanders::default();
    for _ in 0..5 {
        let phone = Phone::new(p.sip_address(), "talker@elsewhere.example", "");
        bystanders.call(phone, &uri("bob"), Duration::from_millis(200));
    }
    bystanders.help(alice, &uri("112"), Duration::from_millis(200));
    let flood = Caller {
        server: p.sip_address(),
        from: "sip:load@elsewhere.example".to_owned(),
        to: uri("bob"),
        rate: 1_000,
        lasts: Duration::from_secs(3),
    };
    let outcome = flood.run();
    let served = bystanders.end();
    assert!(served.served > 20 && served.failed == 0, "{served:?} {outcome:?}");
    assert!(outcome.done > 0, "{outcome:?}");
    let refused = outcome.refused.get(&503).copied().unwrap_or_default();
    assert_eq!(
        outcome.refused.values().sum::<usize>(),
        refused,
        "only for want of time: {outcome:?}"
    );
}
