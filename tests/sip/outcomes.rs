//! How calls begin and what becomes of them, over each transport: answered, refused, cancelled, forked, given up.

use std::time::Duration;

use ngn_tests::sip::{Message, Phone, Request};
use ngn_tests::{record, sip_id};

use crate::fixture::DOMAIN;
use crate::pstn::call;
use crate::world::{
    ALL, Dialog, Over, Tcp, Tls, Udp, World, hang_up, outcome, over, over_in, reply, reply_with,
    tag, take, told,
};

/// Several phones of one account, registered with this preference.
fn phones(world: &World, over: Over, preferences: &[&str]) -> Vec<Phone> {
    let user = world.account("bob");
    let phone = |q: &&str| {
        let mut phone = world.phone(&user, over);
        let contact = format!("<{}>;q={q}", phone.contact());
        assert_eq!(phone.register_with(&[("Contact", &contact)]).unwrap().status(), 200);
        phone
    };
    preferences.iter().map(phone).collect()
}

/// The caller acknowledges a refusal.
fn acknowledge(phone: &Phone, invite: &Request, answer: &Message) {
    phone.send(&invite.ack(answer).bytes(phone)).unwrap();
}

/// Calls, is answered so, and says what the caller heard.
fn answered_so(alice: &Phone, bob: &Phone, status: &str) -> Message {
    let invite = call(alice, &bob.aor(), &[]);
    let arrived = take(bob, "INVITE");
    reply(bob, &arrived, status, "callee");
    // Section 17.1.1.3: the element before the callee acknowledges, with the tag that it was given.
    let ack = take(bob, "ACK");
    assert_eq!(
        (tag(&ack, "to"), ack.header("cseq")),
        (
            "callee".to_owned(),
            arrived.header("cseq").map(|c| c.replace("INVITE", "ACK")).as_deref()
        )
    );
    let answer = outcome(alice, &invite);
    acknowledge(alice, &invite, &answer);
    answer
}

// RFC 3261 sections 16.7 and 21: refusals come back as they are, reason and all; a 503 of somebody else becomes 500 (step 6),
// and what a phone wants to know from the caller goes to the caller.
#[test]
fn refusals_come_back() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        for status in [
            "486 Busy Here",
            "480 In a Meeting",
            "404 Moved Away",
            "488 No Codec",
            "600 Busy Everywhere",
            "603 Decline",
            "606 Not Acceptable",
        ] {
            assert_eq!(answered_so(&alice, &bob, status).start, format!("SIP/2.0 {status}"));
        }
        assert_eq!(answered_so(&alice, &bob, "503 Service Unavailable").status(), 500);
    });
}

// RFC 3261 section 9, 16.10: CANCEL is answered by itself (200), the phone is told, and the call ends with 487.
#[test]
fn a_ringing_call_is_cancelled() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let invite = call(&alice, &bob.aor(), &[]);
        let arrived = take(&bob, "INVITE");
        reply(&bob, &arrived, "180 Ringing", "callee");
        told(&alice, 180);
        alice.send(&invite.cancel().bytes(&alice)).unwrap();
        let cancel = take(&bob, "CANCEL");
        // Section 9.1: it has the Request-URI, Call-ID, CSeq number and the one top Via of what it cancels.
        assert_eq!(cancel.header("via"), arrived.header("via"));
        assert_eq!(cancel.all("via").len(), 1);
        assert_eq!(cancel.start.replace("CANCEL", "INVITE"), arrived.start);
        reply(&bob, &cancel, "200 OK", "callee");
        reply(&bob, &arrived, "487 Request Terminated", "callee");
        take(&bob, "ACK");
        let is_of =
            |m: &Message, method: &str| m.header("cseq").is_some_and(|c| c.ends_with(method));
        let mut seen = Vec::new();
        while seen.len() < 2 {
            let message = alice.receive_where(|m| m.status() >= 200).unwrap();
            seen.push((
                message.status(),
                if is_of(&message, "CANCEL") { "CANCEL" } else { "INVITE" },
            ));
        }
        seen.sort_unstable();
        assert_eq!(seen, [(200, "CANCEL"), (487, "INVITE")]);
    });
}

// RFC 3261 section 9.2: a CANCEL right behind its INVITE finds it, also when both come at once.
#[test]
fn a_cancel_right_behind_its_invite() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        for _ in 0..5 {
            let contact = format!("<{}>", alice.contact());
            let invite = Request::new("INVITE", &bob.aor(), &alice.aor(), &bob.aor())
                .with("Contact", &contact);
            let challenge = alice.transact(&invite).unwrap();
            acknowledge(&alice, &invite, &challenge);
            let invite = invite.answer(&challenge, &alice.user, &alice.password).unwrap();
            let both = [invite.bytes(&alice), invite.cancel().bytes(&alice)];
            if matches!(over, Tcp | Tls) {
                alice.send(&both.concat()).unwrap();
            } else {
                both.iter().for_each(|one| alice.send(one).unwrap());
            }
            let cancel = format!("{} CANCEL", invite.cseq);
            let of_cancel = |m: &Message| m.status() > 0 && m.header("cseq") == Some(&cancel);
            assert_eq!(alice.receive_where(of_cancel).unwrap().status(), 200);
            // Section 9.1: the phone hears of it as soon as it has shown a sign of life.
            let arrived = take(&bob, "INVITE");
            reply(&bob, &arrived, "180 Ringing", "callee");
            reply(&bob, &take(&bob, "CANCEL"), "200 OK", "callee");
            reply(&bob, &arrived, "487 Request Terminated", "callee");
            let ended = told(&alice, 487);
            acknowledge(&alice, &invite, &ended);
            take(&bob, "ACK");
        }
    });
}

// RFC 3261 section 9.1, 13.2.2.4, 16.7 step 5: an answer that crosses the CANCEL is an answer, and the caller hangs up.
#[test]
fn an_answer_that_crosses_the_cancel() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let invite = call(&alice, &bob.aor(), &[]);
        let arrived = take(&bob, "INVITE");
        reply(&bob, &arrived, "180 Ringing", "callee");
        told(&alice, 180);
        alice.send(&invite.cancel().bytes(&alice)).unwrap();
        let cancel = take(&bob, "CANCEL");
        reply(&bob, &arrived, "200 OK", "callee");
        reply(&bob, &cancel, "200 OK", "callee");
        let answered = alice
            .receive_where(|m| {
                m.status() == 200 && m.header("cseq").is_some_and(|c| c.ends_with("INVITE"))
            })
            .unwrap();
        let mut dialog = Dialog::caller(&invite, &answered);
        alice.send(&dialog.request("ACK").bytes(&alice)).unwrap();
        take(&bob, "ACK");
        hang_up(&alice, &bob, &mut dialog);
    });
}

// RFC 3261 section 9.2: what is cancelled must be there.
#[test]
fn a_cancel_of_nothing() {
    over(ALL, |world, over| {
        let alice = world.online("alice", over);
        let nothing = Request::new("CANCEL", &alice.aor(), &alice.aor(), &alice.aor());
        assert_eq!(alice.transact(&nothing).unwrap().status(), 481);
    });
}

// RFC 3261 sections 16.6 and 16.7 step 10: all phones of one preference ring at once; the first answer ends the others.
#[test]
fn all_phones_ring_and_the_first_wins() {
    over(ALL, |world, over| {
        let alice = world.online("alice", over);
        let bobs = phones(world, over, &["1.0", "1.0", "1.0"]);
        let invite = call(&alice, &bobs[0].aor(), &[]);
        let arrived: Vec<_> = bobs.iter().map(|bob| take(bob, "INVITE")).collect();
        for (n, (bob, arrived)) in bobs.iter().zip(&arrived).enumerate() {
            reply(bob, arrived, "180 Ringing", &format!("t{n}"));
        }
        reply(&bobs[1], &arrived[1], "200 OK", "t1");
        let answered = outcome(&alice, &invite);
        assert_eq!((answered.status(), tag(&answered, "to").as_str()), (200, "t1"));
        for n in [0, 2] {
            let cancel = take(&bobs[n], "CANCEL");
            reply(&bobs[n], &cancel, "200 OK", &format!("t{n}"));
            reply(&bobs[n], &arrived[n], "487 Request Terminated", &format!("t{n}"));
            take(&bobs[n], "ACK");
        }
        let mut dialog = Dialog::caller(&invite, &answered);
        alice.send(&dialog.request("ACK").bytes(&alice)).unwrap();
        take(&bobs[1], "ACK");
        hang_up(&alice, &bobs[1], &mut dialog);
    });
}

// RFC 3261 section 16.7 steps 5 and 10: both answers of two phones that answer at once reach the caller.
#[test]
fn two_phones_answer_at_once() {
    over(ALL, |world, over| {
        let alice = world.online("alice", over);
        let bobs = phones(world, over, &["1.0", "1.0"]);
        let invite = call(&alice, &bobs[0].aor(), &[]);
        for (n, bob) in bobs.iter().enumerate() {
            let arrived = take(bob, "INVITE");
            if n == 1 {
                // The other one has answered already.
                reply(&bobs[1], &arrived, "200 OK", "t1");
            } else {
                reply(bob, &arrived, "200 OK", "t0");
            }
        }
        let mut tags: Vec<_> = (0..2).map(|_| tag(&outcome(&alice, &invite), "to")).collect();
        tags.sort();
        assert_eq!(tags, ["t0", "t1"]);
    });
}

// RFC 3261 section 16.7 step 6: of several refusals the best one comes back, when all have refused.
#[test]
fn the_best_refusal_comes_back() {
    over(ALL, |world, over| {
        let alice = world.online("alice", over);
        for (first, second, best) in [
            ("486 Busy Here", "404 Not Found", "486|404"),
            ("500 Broken", "486 Busy Here", "486"),
            ("480 Away", "415 Unsupported Media Type", "415"),
            ("503 Service Unavailable", "500 Broken", "500"),
        ] {
            let bobs = phones(world, over, &["1.0", "1.0"]);
            let invite = call(&alice, &bobs[0].aor(), &[]);
            for (bob, status) in bobs.iter().zip([first, second]) {
                let arrived = take(bob, "INVITE");
                reply(bob, &arrived, status, "x");
                take(bob, "ACK");
            }
            let answer = outcome(&alice, &invite);
            acknowledge(&alice, &invite, &answer);
            assert!(
                best.contains(&answer.status().to_string()),
                "{first}, {second}: {}",
                answer.start
            );
        }
    });
}

// RFC 3261 section 16.7 step 5: a 6xx ends what rings elsewhere, and nobody else is tried.
#[test]
fn a_global_refusal_ends_all() {
    over(ALL, |world, over| {
        let alice = world.online("alice", over);
        let bobs = phones(world, over, &["1.0", "1.0", "0.5"]);
        let invite = call(&alice, &bobs[0].aor(), &[]);
        let at_first = take(&bobs[0], "INVITE");
        let at_second = take(&bobs[1], "INVITE");
        reply(&bobs[1], &at_second, "180 Ringing", "b");
        reply(&bobs[0], &at_first, "603 Decline", "a");
        let cancel = take(&bobs[1], "CANCEL");
        reply(&bobs[1], &cancel, "200 OK", "b");
        reply(&bobs[1], &at_second, "487 Request Terminated", "b");
        assert_eq!(outcome(&alice, &invite).status(), 603);
        assert!(bobs[2].receive_within(Duration::from_millis(300)).is_err(), "is not tried");
    });
}

// RFC 3261 section 16.5 and 16.6: those of lesser preference ring when the others have refused, or have rung long enough.
#[test]
fn lesser_preferences_ring_later() {
    over(ALL, |world, over| {
        let alice = world.online("alice", over);
        let bobs = phones(world, over, &["0.3", "0.7"]);
        let invite = call(&alice, &bobs[0].aor(), &[]);
        let arrived = take(&bobs[1], "INVITE");
        assert!(bobs[0].receive_within(Duration::from_millis(200)).is_err(), "rings too early");
        reply(&bobs[1], &arrived, "480 Temporarily Unavailable", "x");
        let arrived = take(&bobs[0], "INVITE");
        reply(&bobs[0], &arrived, "200 OK", "y");
        assert_eq!(outcome(&alice, &invite).status(), 200);
    });
}

// B78, RFC 3261 section 16.8: a phone that rings longer than its account wants is cancelled, and the caller gets 408.
#[test]
fn nobody_answers() {
    let world = World::with("[proxy]\nanswer_timeout = 1\n");
    over_in(&world, ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let invite = call(&alice, &bob.aor(), &[]);
        let arrived = take(&bob, "INVITE");
        reply(&bob, &arrived, "180 Ringing", "callee");
        let cancel = take(&bob, "CANCEL");
        reply(&bob, &cancel, "200 OK", "callee");
        reply(&bob, &arrived, "487 Request Terminated", "callee");
        assert_eq!(outcome(&alice, &invite).status(), 408);
    });
}

// B81 FNOA, RFC 3261 section 16.7 step 10: the diverted phone rings, and the first one does not any more.
#[test]
fn nobody_answers_and_another_phone_rings() {
    over(ALL, |world, over| {
        let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| world.online(name, over));
        let id = sip_id(&format!("{}@{DOMAIN}", bob.user));
        let admin = world.p.admin();
        admin.ok("Sip.updateAccount", record! { account: record! { id: id.clone(), timeout: 1 } });
        let diversions = record! { FNOA: carol.aor().as_str() };
        admin.ok("Sip.setCallDiversions", record! { sipId: id, diversions: diversions });
        world.p.settle();
        let invite = call(&alice, &bob.aor(), &[]);
        let arrived = take(&bob, "INVITE");
        reply(&bob, &arrived, "180 Ringing", "b");
        let cancel = take(&bob, "CANCEL");
        reply(&bob, &cancel, "200 OK", "b");
        reply(&bob, &arrived, "487 Request Terminated", "b");
        let arrived = take(&carol, "INVITE");
        reply(&carol, &arrived, "200 OK", "c");
        let answered = outcome(&alice, &invite);
        assert_eq!((answered.status(), tag(&answered, "to").as_str()), (200, "c"));
    });
}

// RFC 3261 section 13.3.1.3, 16.7 step 4: a redirection by a phone comes back with its contacts, which are the caller's to call.
#[test]
fn a_phone_redirects() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let invite = call(&alice, &bob.aor(), &[]);
        let arrived = take(&bob, "INVITE");
        let elsewhere = "<sip:bob@elsewhere.example>;q=0.7";
        let response = ngn_tests::sip::response(
            &arrived,
            "302 Moved Temporarily",
            "x",
            &[("Contact", elsewhere)],
        );
        bob.send(&response).unwrap();
        let answer = outcome(&alice, &invite);
        assert_eq!((answer.status(), answer.header("contact")), (302, Some(elsewhere)));
    });
}

// RFC 3261 section 17.1.1.2, 16.7 step 10: an answer that is not acknowledged is repeated by the callee, and each one passes.
#[test]
fn answers_are_repeated_until_they_are_acknowledged() {
    over(&[Udp], |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let invite = call(&alice, &bob.aor(), &[]);
        let arrived = take(&bob, "INVITE");
        for _ in 0..3 {
            reply(&bob, &arrived, "200 OK", "callee");
            assert_eq!(outcome(&alice, &invite).status(), 200);
        }
    });
}

// RFC 3261 section 17.2.1 and 8.2.2.2: an INVITE that comes again is not passed again, and is answered as before.
#[test]
fn repeated_requests_ring_once() {
    over(&[Udp, Tcp], |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let invite = call(&alice, &bob.aor(), &[]);
        let arrived = take(&bob, "INVITE");
        reply(&bob, &arrived, "180 Ringing", "callee");
        told(&alice, 180);
        for _ in 0..3 {
            alice.send(&invite.bytes(&alice)).unwrap();
            told(&alice, 180);
        }
        assert!(bob.receive_within(Duration::from_millis(300)).is_err(), "it came twice");
        reply(&bob, &arrived, "486 Busy Here", "callee");
        assert_eq!(outcome(&alice, &invite).status(), 486);
    });
}

// RFC 3261 sections 16.5 and 21.4: nobody of that name, nobody there, nobody at that domain.
#[test]
fn nobody_is_there() {
    over(ALL, |world, over| {
        let (alice, offline) = (world.online("alice", over), world.account("bob"));
        for (to, status) in
            [(format!("sip:nobody@{DOMAIN}"), 404), (format!("sip:{offline}@{DOMAIN}"), 480)]
        {
            let invite = call(&alice, &to, &[]);
            let answer = outcome(&alice, &invite);
            acknowledge(&alice, &invite, &answer);
            assert_eq!(answer.status(), status, "{to}");
        }
        // A stranger's call to a stranger is not ours (section 26.3.2).
        let stranger = Phone::over(world.wire(over), "stranger@elsewhere.example", "");
        let invite = Request::new(
            "INVITE",
            "sip:bob@other.example",
            &stranger.aor(),
            "sip:bob@other.example",
        )
        .with("Contact", &format!("<{}>", stranger.contact()));
        assert_eq!(stranger.transact(&invite).unwrap().status(), 403);
    });
}

// RFC 3960, RFC 3261 section 16.7 step 5: early media of several phones: each provisional response passes, with its own tag.
#[test]
fn early_dialogs_of_a_forked_call() {
    over(ALL, |world, over| {
        let alice = world.online("alice", over);
        let bobs = phones(world, over, &["1.0", "1.0"]);
        let invite = call(&alice, &bobs[0].aor(), &[]);
        for (n, bob) in bobs.iter().enumerate() {
            let arrived = take(bob, "INVITE");
            let tag_here = format!("t{n}");
            reply_with(bob, &arrived, "183 Session Progress", &tag_here, &[("X-From", &tag_here)]);
            let progress = told(&alice, 183);
            assert_eq!(
                (tag(&progress, "to").as_str(), progress.header("x-from")),
                (tag_here.as_str(), Some(tag_here.as_str()))
            );
        }
        alice.send(&invite.cancel().bytes(&alice)).unwrap();
        for bob in &bobs {
            take(bob, "CANCEL");
        }
    });
}
