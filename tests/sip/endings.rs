//! Calls end when they ended, also when nobody says so: session timers (RFC 4028), and questions inside the dialog.

use std::ops::Range;
use std::time::{Duration, Instant};

use ngn_tests::database::Backend;
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::sip::{Message, Phone};

use crate::abuse::PATIENT;
use crate::limits::{BUSY, REFUSED, lasting_call, limited, one_more};
use crate::pstn::{SETTINGS, call};
use crate::world::{
    ALL, Dialog, Udp, World, hang_up, outcome, over, over_in, pass, reply, reply_with, tag, take,
    talk, told,
};

/// Both sides are asked each second, and sessions may be short; a machine that is busy refuses nobody.
pub(crate) fn soon() -> String {
    format!(
        "[calls]\nsession_expires = 0\nmin_session_expires = 1\nprobe_interval = 1\n\
         probe_failures = 2\n[overload]\n{PATIENT}\n"
    )
}

/// The number of CSeq.
pub(crate) fn number(request: &Message) -> u32 {
    request.header("cseq").unwrap().split(' ').next().unwrap().parse().unwrap()
}

/// What the record says of the end of a call, when it has one: seconds and cause.
pub(crate) fn ending(p: &Platform, call_id: &str) -> Option<(i64, String)> {
    let row = p.database.sql(&format!(
        "SELECT AcctSessionTime, AcctTerminateCause FROM radacct \
         WHERE AcctStopTime IS NOT NULL AND AcctSessionId = '{call_id}'"
    ));
    let row = row.trim().replace(['(', ')', '\'', ','], " ").replace('|', " ");
    let mut words = row.split_whitespace();
    Some((words.next()?.parse().unwrap(), words.next().unwrap_or_default().to_owned()))
}

#[track_caller]
fn ends(p: &Platform, call_id: &str, cause: &str, seconds: Range<Duration>) {
    let (lasted, said) = eventually("the record is closed", || ending(p, call_id));
    assert_eq!(said, cause);
    let (least, most) = (seconds.start.as_secs().saturating_sub(1), seconds.end.as_secs() + 1);
    let lasted = u64::try_from(lasted).unwrap();
    assert!((least..=most).contains(&lasted), "{lasted} s, not {seconds:?}");
}

/// Waits as long as it takes for a request, and lives meanwhile: answers what it is asked.
#[track_caller]
pub(crate) fn live_until(phone: &Phone, method: &str) -> Message {
    let until = Instant::now() + Duration::from_secs(100);
    while Instant::now() < until {
        let Ok(message) = phone.receive_within(Duration::from_secs(1)) else { continue };
        if message.method() == method {
            return message;
        }
        if message.method() == "OPTIONS" {
            reply(phone, &message, "200 OK", "");
        }
    }
    panic!("no {method} came");
}

/// Who gets a BYE that nobody sent says 200; gives the BYE.
#[track_caller]
pub(crate) fn is_told(phone: &Phone) -> Message {
    let bye = live_until(phone, "BYE");
    reply(phone, &bye, "200 OK", "");
    assert!(bye.header("reason").is_some_and(|reason| reason.contains("408")), "{bye:?}");
    // A BYE asks for no description (RFC 3261 section 15.1.1).
    assert_eq!(bye.header("accept"), None, "{bye:?}");
    bye
}

pub(crate) fn call_id(dialog: &mut Dialog) -> String {
    dialog.request("ACK").call_id
}

// RFC 4028 sections 8.1 and 8.2: the proxy asks for a session timer, and refuses one that is too short.
#[test]
fn sessions_are_timed() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let invite = call(&alice, &bob.aor(), &[("Supported", "timer"), ("Session-Expires", "89")]);
        let refused = outcome(&alice, &invite);
        assert_eq!((refused.status(), refused.header("min-se")), (422, Some("90")));
        alice.send(&invite.ack(&refused).bytes(&alice)).unwrap();
        // Nobody asks: we do; the caller alone knows what to do about it.
        let invite = call(&alice, &bob.aor(), &[("Supported", "timer")]);
        let arrived = take(&bob, "INVITE");
        assert_eq!(arrived.all("session-expires"), ["1800"]);
        assert_eq!(arrived.header("supported"), Some("timer"));
        reply(&bob, &arrived, "200 OK", "b");
        let answered = outcome(&alice, &invite);
        assert_eq!(answered.all("session-expires"), ["1800;refresher=uac"]);
        assert_eq!(answered.all("require"), ["timer"]);
        let mut ours = Dialog::caller(&invite, &answered);
        alice.send(&ours.request("ACK").bytes(&alice)).unwrap();
        take(&bob, "ACK");
        let short = ours.request("UPDATE").with("Supported", "timer").with("Session-Expires", "60");
        alice.send(&short.bytes(&alice)).unwrap();
        assert_eq!(told(&alice, 422).header("min-se"), Some("90"));
        let refresh =
            ours.request("UPDATE").with("Supported", "timer").with("Session-Expires", "1800");
        let (passed, answer) = pass(&alice, &bob, &refresh, "200 OK", "");
        assert_eq!(passed.header("session-expires"), Some("1800"));
        assert_eq!(answer.header("session-expires"), Some("1800;refresher=uac"));
        hang_up(&alice, &bob, &mut ours);
        // A caller who knows no timers is told of none, and the callee's answer is passed as it is.
        let invite = call(&alice, &bob.aor(), &[("Session-Expires", "60;refresher=uas")]);
        let arrived = take(&bob, "INVITE");
        assert_eq!(arrived.all("session-expires"), ["90;refresher=uas"]);
        assert_eq!(arrived.all("min-se"), ["90"]);
        reply_with(&bob, &arrived, "200 OK", "b", &[("Session-Expires", "90;refresher=uas")]);
        let answered = outcome(&alice, &invite);
        assert_eq!(answered.all("session-expires"), ["90;refresher=uas"]);
        assert_eq!(answered.header("require"), None);
    });
}

// RFC 4028 section 8.3: a session that was refreshed by both sides, and then by nobody, is over since then.
#[test]
fn sessions_run_out() {
    let world = World::with(&soon());
    over_in(&world, ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let timer = [("Supported", "timer")];
        let invite = call(&alice, &bob.aor(), &[timer[0], ("Session-Expires", "60")]);
        let arrived = take(&bob, "INVITE");
        let begun = Instant::now();
        let granted = [("Session-Expires", "60;refresher=uac"), ("Require", "timer")];
        reply_with(&bob, &arrived, "200 OK", "callee", &granted);
        let answered = outcome(&alice, &invite);
        let answered_at = Instant::now();
        let mut ours = Dialog::caller(&invite, &answered);
        alice.send(&ours.request("ACK").bytes(&alice)).unwrap();
        take(&bob, "ACK");
        let mut theirs = Dialog::callee(&arrived, "callee");
        let contact = format!("<{}>", bob.contact());
        let refresh = theirs.request("INVITE").with("Contact", &contact).with("Supported", "timer");
        bob.send(&refresh.bytes(&bob)).unwrap();
        let again = take(&alice, "INVITE");
        reply_with(&alice, &again, "200 OK", "", &[("Session-Expires", "50;refresher=uas")]);
        told(&bob, 200);
        bob.send(&theirs.request("ACK").bytes(&bob)).unwrap();
        take(&alice, "ACK");
        std::thread::sleep(Duration::from_secs(2));
        let alive_at = Instant::now();
        let update = ours.request("UPDATE").with("Supported", "timer");
        alice.send(&update.bytes(&alice)).unwrap();
        let arrived = take(&bob, "UPDATE");
        reply_with(&bob, &arrived, "200 OK", "", &[("Session-Expires", "3;refresher=uac")]);
        told(&alice, 200);
        let lasted = alive_at - answered_at..begun.elapsed();
        ends(&world.p, &invite.call_id, "Session-Timeout", lasted);
        // The phones end their sides themselves, and nobody is told.
        for phone in [&alice, &bob] {
            while let Ok(message) = phone.receive_within(Duration::from_millis(200)) {
                assert!(!["BYE", "OPTIONS"].contains(&message.method()), "{message:?}");
            }
        }
    });
}

// RFC 3261 section 12.2.1.2: who knows nothing of the call any more has ended it; the other side is told (15.1.1).
#[test]
fn who_knows_nothing_of_the_call_ended_it() {
    let world = World::with(&soon());
    over_in(&world, ALL, |world, over| {
        for callee_forgets in [true, false] {
            let (alice, bob) = (world.online("alice", over), world.online("bob", over));
            let before = Instant::now();
            let (mut ours, _) = talk(&alice, &bob);
            let answered_at = Instant::now();
            let (lives, forgets) = if callee_forgets { (&alice, &bob) } else { (&bob, &alice) };
            let mut alive = answered_at..answered_at;
            std::thread::scope(|scope| {
                let told = scope.spawn(|| {
                    let first = live_until(lives, "OPTIONS");
                    reply(lives, &first, "200 OK", "");
                    (first, live_until(lives, "BYE"))
                });
                // RFC 3261 section 12.2.2: no question has a number above those of the calls' own requests.
                let asked = live_until(forgets, "OPTIONS");
                assert!(number(&asked) <= 2, "{asked:?}");
                assert!(!tag(&asked, "to").is_empty());
                alive.start = Instant::now();
                reply(forgets, &asked, "200 OK", "");
                let asked = take(forgets, "OPTIONS");
                alive.end = Instant::now();
                reply(forgets, &asked, "481 Call/Transaction Does Not Exist", "");
                let asked = take(forgets, "OPTIONS");
                reply(forgets, &asked, "481 Call/Transaction Does Not Exist", "");
                let (first, bye) = told.join().unwrap();
                assert!(number(&bye) > number(&first), "{bye:?}");
                // A number that is too low even so is not said twice.
                reply(lives, &bye, "500 Server Internal Error", "");
                let mut last = is_told(lives);
                while number(&last) == number(&bye) {
                    // It was sent again before our answer came.
                    last = is_told(lives);
                }
                assert!(number(&last) > number(&bye), "{last:?}");
            });
            let lasted = alive.start - answered_at..alive.end - before;
            ends(&world.p, &call_id(&mut ours), "Lost-Carrier", lasted);
        }
    });
}

// RFC 5057 section 5.1: who answers 481 when the session is changed knows nothing of it, and is not waited for.
#[test]
fn who_refuses_a_change_with_481_ended_the_call() {
    let once = "[calls]\nsession_expires = 0\nprobe_interval = 600\nprobe_failures = 1\n";
    let world = World::with(once);
    over_in(&world, ALL, |world, over| {
        for method in ["INVITE", "UPDATE"] {
            let (alice, bob) = (world.online("alice", over), world.online("bob", over));
            let (mut ours, _) = talk(&alice, &bob);
            // Neither is any other refusal an end, nor what is said of other requests.
            let (_, answer) = pass(&alice, &bob, &ours.request("INFO"), "481 No Such Thing", "");
            assert_eq!(answer.status(), 481);
            for status in ["488 Not Acceptable Here", "481 Call Does Not Exist"] {
                assert_eq!(ending(&world.p, &call_id(&mut ours)), None);
                let change = ours.request(method);
                let change = change.with("Contact", &format!("<{}>", alice.contact()));
                let (_, answer) = pass(&alice, &bob, &change, status, "");
                assert_eq!(answer.start, format!("SIP/2.0 {status}"));
                if method == "INVITE" {
                    alice.send(&change.ack(&answer).bytes(&alice)).unwrap();
                }
            }
            let told = live_until(&alice, "BYE");
            reply(&alice, &told, "200 OK", "");
            ends(
                &world.p,
                &call_id(&mut ours),
                "Lost-Carrier",
                Duration::ZERO..Duration::from_secs(10),
            );
        }
    });
}

// RFC 3261 section 12.2.2: whatever else somebody says, the call goes on, and its own requests are not disturbed.
#[test]
fn any_other_answer_keeps_the_call() {
    let world = World::with(&soon());
    over_in(&world, ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let (mut ours, mut theirs) = talk(&alice, &bob);
        for status in
            ["200 OK", "405 Method Not Allowed", "501 Not Implemented", "500 Out of Order"]
        {
            for phone in [&alice, &bob] {
                reply(phone, &take(phone, "OPTIONS"), status, "");
            }
        }
        // One failure is none: the next answer counts.
        for status in ["481 Call Does Not Exist", "200 OK", "408 Request Timeout", "200 OK"] {
            reply(&bob, &take(&bob, "OPTIONS"), status, "");
            reply(&alice, &take(&alice, "OPTIONS"), "200 OK", "");
        }
        let (_, answer) = pass(&alice, &bob, &ours.request("INFO"), "200 OK", "");
        assert_eq!(answer.status(), 200);
        assert_eq!(ending(&world.p, &call_id(&mut ours)), None);
        hang_up(&bob, &alice, &mut theirs);
        let (_, cause) =
            eventually("the record is closed", || ending(&world.p, &call_id(&mut ours)));
        assert_eq!(cause, "User-Request");
    });
}

// RFC 3261 section 12.2.1.2: who says nothing at all is gone, on either side, or on both.
#[test]
fn who_vanishes_ends_the_call() {
    let world = World::with(&soon().replace("failures = 2", "failures = 1"));
    let vanish = |over, stays: [bool; 2], [alice, bob]: [Phone; 2]| {
        let before = Instant::now();
        let (mut ours, _) = talk(&alice, &bob);
        let lasted = Duration::ZERO..before.elapsed();
        let (stay, vanish): (Vec<_>, Vec<_>) =
            [alice, bob].into_iter().zip(stays).partition(|(_, stays)| *stays);
        // A connection is closed; a socket only says nothing any more.
        let silent = if over == Udp {
            vanish
        } else {
            drop(vanish);
            Vec::new()
        };
        stay.iter().for_each(|(phone, _)| drop(is_told(phone)));
        let id = call_id(&mut ours);
        let until = Instant::now() + Duration::from_secs(100);
        while ending(&world.p, &id).is_none() && Instant::now() < until {
            std::thread::sleep(Duration::from_secs(1));
        }
        ends(&world.p, &id, "Lost-Carrier", lasted);
        drop(silent);
    };
    std::thread::scope(|scope| {
        let mut running = Vec::new();
        for stays in [[true, false], [false, true], [false, false]] {
            for over in ALL {
                let vanish = &vanish;
                let phones = ["alice", "bob"].map(|name| world.online(name, *over));
                running.push(scope.spawn(move || vanish(*over, stays, phones)));
            }
        }
        assert!(running.into_iter().map(|one| one.join()).all(|result| result.is_ok()));
    });
}

// B76: a call that is over so counts no more, and the gateway is told that it is (RFC 3261 section 15.1.1).
#[test]
fn b76_limits_are_released() {
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        let p = Platform::start_with(backend, &[("sipd", &format!("{SETTINGS}\n{}", soon()))]);
        let (alice, gw) = limited(&p);
        let (invite, _) = lasting_call(&p, &alice, &gw);
        assert_eq!(one_more(&alice, &gw), REFUSED);
        // The caller's phone was started anew.
        std::thread::scope(|scope| {
            scope.spawn(|| is_told(&gw));
            for _ in 0..2 {
                reply(&alice, &take(&alice, "OPTIONS"), "481 Call Does Not Exist", "");
            }
        });
        ends(&p, &invite.call_id, "Lost-Carrier", Duration::ZERO..Duration::from_secs(10));
        assert_eq!(one_more(&alice, &gw), BUSY);
        eventually("the call is forgotten", || {
            (p.database.sql("SELECT COUNT(*) FROM lasting_calls").trim() == "0").then_some(())
        });
    }
}

// RFC 4028 section 8.3: the session of a call from before a restart is kept from its next refresh on.
#[test]
fn sessions_from_before_a_restart_run_out() {
    let settings = format!("{SETTINGS}\n{}", soon());
    let mut p = Platform::start_with(Backend::Sqlite, &[("sipd", &settings)]);
    let (alice, gw) = limited(&p);
    let (invite, answered) = lasting_call(&p, &alice, &gw);
    p.kill();
    p.launch();
    assert_eq!(one_more(&alice, &gw), REFUSED);
    let before = Instant::now();
    let update = Dialog::caller(&invite, &answered).request("UPDATE").with("Supported", "timer");
    alice.send(&update.bytes(&alice)).unwrap();
    reply_with(&gw, &take(&gw, "UPDATE"), "200 OK", "", &[("Session-Expires", "3;refresher=uac")]);
    told(&alice, 200);
    eventually("the record is closed", || {
        ending(&p, &invite.call_id).filter(|(_, cause)| cause == "Session-Timeout")
    });
    assert!(before.elapsed() >= Duration::from_secs(3), "not before it ran out");
    assert_eq!(one_more(&alice, &gw), BUSY);
}
