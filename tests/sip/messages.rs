//! Requests outside of calls, over each transport: messages, subscriptions, publications, transfers, queries.

use ngn_tests::sip::{Message, PATIENCE, Phone, Request, response};

use crate::fixture::DOMAIN;
use crate::world::{ALL, Dialog, Tcp, Tls, Udp, World, over, pass, reply, reply_with, take};

/// Sends a request of a subscriber, who shows the password; gives the request that has it.
pub(crate) fn send(phone: &Phone, request: &Request) -> Request {
    let challenge = phone.transact(request).unwrap();
    assert_eq!(challenge.status(), 407, "{}", challenge.start);
    let again = request.answer(&challenge, &phone.user, &phone.password).unwrap();
    phone.send(&again.bytes(phone)).unwrap();
    again
}

fn request(method: &str, from: &Phone, to: &str) -> Request {
    Request::new(method, to, &from.aor(), to)
}

/// What a request of a subscriber looks like at the other end, and what comes back.
fn through(alice: &Phone, bob: &Phone, request: &Request, status: &str) -> (Message, Message) {
    let sent = send(alice, request);
    let arrived = take(bob, &request.method);
    reply(bob, &arrived, status, "callee");
    (arrived, outcome_of(alice, &sent))
}

fn outcome_of(phone: &Phone, request: &Request) -> Message {
    let cseq = format!("{} {}", request.cseq, request.method);
    phone.receive_where(|m| m.status() >= 200 && m.header("cseq") == Some(&cseq)).unwrap()
}

// RFC 3428: a message, with a body that is passed octet by octet, and the answer of the phone.
#[test]
fn messages_pass() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let mut message =
            request("MESSAGE", &alice, &bob.aor()).with("Content-Type", "text/plain;charset=UTF-8");
        message.body = "Grüße,\r\n\r\nALICE sip:x SIP/2.0\r\n".to_owned();
        let (arrived, answer) = through(&alice, &bob, &message, "200 OK");
        assert_eq!((&arrived.body, answer.status()), (&message.body, 200));
        assert!(arrived.header("proxy-authorization").is_none(), "RFC 3261 section 22.3");
        let next = "Digest username=\"a\", realm=\"next.example\", nonce=\"n\", uri=\"sip:b@next.example\", response=\"0\"";
        let plain = request("MESSAGE", &alice, &bob.aor());
        let challenge = alice.transact(&plain).unwrap();
        let shown = plain.answer(&challenge, &alice.user, &alice.password).unwrap();
        let both = shown.with("Proxy-Authorization", next);
        alice.send(&both.bytes(&alice)).unwrap();
        let arrived = take(&bob, "MESSAGE");
        reply(&bob, &arrived, "200 OK", "callee");
        let answer = outcome_of(&alice, &both);
        let others = arrived.all("proxy-authorization");
        assert_eq!((others, answer.status()), (vec![next], 200), "RFC 3261 section 22.3");
        // RFC 3428 section 4: no dialog, so no route is recorded that anybody could use.
        let (_, answer) = through(
            &alice,
            &bob,
            &request("MESSAGE", &alice, &bob.aor()),
            "415 Unsupported Media Type",
        );
        assert_eq!(answer.status(), 415);
    });
}

// RFC 3428, RFC 3261 section 16.6: a message goes to all phones of somebody, and one answer comes back.
#[test]
fn messages_reach_all_phones() {
    over(ALL, |world, over| {
        let alice = world.online("alice", over);
        let user = world.account("bob");
        let bobs = [0, 1].map(|_| {
            let mut bob = world.phone(&user, over);
            assert_eq!(bob.register(300).unwrap().status(), 200);
            bob
        });
        let sent = send(&alice, &request("MESSAGE", &alice, &bobs[0].aor()));
        let arrived = [take(&bobs[0], "MESSAGE"), take(&bobs[1], "MESSAGE")];
        reply(&bobs[0], &arrived[0], "480 Temporarily Unavailable", "a");
        reply(&bobs[1], &arrived[1], "200 OK", "b");
        assert_eq!(outcome_of(&alice, &sent).status(), 200);
    });
}

// RFC 6665: a subscription makes a dialog: its notifications come along the routes that were recorded, and so does its end.
#[test]
fn subscriptions_are_notified() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let subscribe = request("SUBSCRIBE", &alice, &bob.aor())
            .with("Event", "presence")
            .with("Expires", "600")
            .with("Contact", &format!("<{}>", alice.contact()));
        let sent = send(&alice, &subscribe);
        let arrived = take(&bob, "SUBSCRIBE");
        assert_eq!(arrived.header("event"), Some("presence"));
        assert!(arrived.header("record-route").is_some(), "section 4.1: it makes a dialog");
        reply_with(&bob, &arrived, "200 OK", "callee", &[("Expires", "600")]);
        let accepted = outcome_of(&alice, &sent);
        assert_eq!(accepted.header("expires"), Some("600"));
        let mut watcher = Dialog::caller(&sent, &accepted);
        let mut watched = Dialog::callee(&arrived, "callee");
        for state in ["active;expires=599", "terminated;reason=timeout"] {
            let mut notify = watched.request("NOTIFY").with("Event", "presence");
            notify = notify
                .with("Subscription-State", state)
                .with("Content-Type", "application/pidf+xml");
            notify.body = "<presence/>".to_owned();
            let (came, answer) = pass(&bob, &alice, &notify, "200 OK", "");
            assert_eq!((came.header("subscription-state"), answer.status()), (Some(state), 200));
            assert_eq!(came.body, "<presence/>");
        }
        let refresh = watcher.request("SUBSCRIBE").with("Event", "presence").with("Expires", "0");
        let (came, answer) = pass(&alice, &bob, &refresh, "200 OK", "");
        assert_eq!((came.header("expires"), answer.status()), (Some("0"), 200));
    });
}

// RFC 6665 section 8.2.2, RFC 3903: refusals of events and publications are the phone's, not the proxy's.
#[test]
fn events_that_nobody_has() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        for method in ["SUBSCRIBE", "PUBLISH"] {
            let strange = request(method, &alice, &bob.aor())
                .with("Event", "weather")
                .with("Contact", &format!("<{}>", alice.contact()));
            let (arrived, answer) = through(&alice, &bob, &strange, "489 Bad Event");
            assert_eq!((arrived.header("event"), answer.status()), (Some("weather"), 489));
        }
    });
}

// RFC 3515, RFC 4538: a transfer that is asked for outside of the call.
#[test]
fn referrals_outside_of_calls() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let to = format!("<sip:carol@{DOMAIN};method=INVITE?Subject=x%20y>");
        let refer = request("REFER", &alice, &bob.aor())
            .with("Refer-To", &to)
            .with(
                "Target-Dialog",
                "fa77as7dad8-sd98ajzz@host.example.com;local-tag=kkaz-;remote-tag=6544",
            )
            .with("Contact", &format!("<{}>", alice.contact()));
        let (arrived, answer) = through(&alice, &bob, &refer, "202 Accepted");
        assert_eq!((arrived.header("refer-to"), answer.status()), (Some(to.as_str()), 202));
        assert!(arrived.header("target-dialog").unwrap().contains("remote-tag=6544"));
    });
}

// RFC 3261 section 11: a phone is asked what it can; the platform answers for itself (11.2).
#[test]
fn capabilities() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let asked = request("OPTIONS", &alice, &bob.aor()).with("Accept", "application/sdp");
        let sent = send(&alice, &asked);
        let arrived = take(&bob, "OPTIONS");
        reply_with(
            &bob,
            &arrived,
            "200 OK",
            "callee",
            &[("Allow", "INVITE, ACK, X"), ("Supported", "gruu")],
        );
        let answer = outcome_of(&alice, &sent);
        assert_eq!(
            (answer.header("allow"), answer.header("supported")),
            (Some("INVITE, ACK, X"), Some("gruu"))
        );
        let own = alice.transact(&request("OPTIONS", &alice, &format!("sip:{DOMAIN}"))).unwrap();
        assert_eq!(own.status(), 200);
        assert!(own.header("allow").unwrap().contains("REGISTER"), "{:?}", own.headers);
        assert!(own.header("supported").unwrap().contains("outbound"));
    });
}

// RFC 4320: a request other than INVITE that nobody answers is not answered 408.
#[test]
fn messages_that_nobody_answers() {
    over(&[Tcp], |world, over| {
        let (alice, mut bob) = (world.online("alice", over), world.offline("bob", Udp));
        // Nobody listens there.
        let contact = format!("<sip:bob@127.0.0.1:{}>", ngn_tests::net::free_port());
        assert_eq!(bob.register_with(&[("Contact", &contact)]).unwrap().status(), 200);
        let sent = send(&alice, &request("MESSAGE", &alice, &bob.aor()));
        let came = alice.receive_within(std::time::Duration::from_secs(2));
        if let Ok(answer) = came {
            assert_ne!(answer.status(), 408, "{} to {}", answer.start, sent.branch);
        }
    });
}

// RFC 3261 section 22.1, 26.3.2: who speaks for an account of ours is asked for its password, whatever the method.
#[test]
fn every_method_is_authenticated() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        for method in [
            "INVITE",
            "MESSAGE",
            "SUBSCRIBE",
            "NOTIFY",
            "REFER",
            "PUBLISH",
            "INFO",
            "OPTIONS",
            "FROBNICATE",
        ] {
            let asked = request(method, &alice, &bob.aor())
                .with("Contact", &format!("<{}>", alice.contact()));
            let challenge = alice.transact(&asked).unwrap();
            assert_eq!(challenge.status(), 407, "{method}: {}", challenge.start);
            assert!(challenge.header("proxy-authenticate").unwrap().contains(DOMAIN));
            if method == "INVITE" {
                alice.send(&asked.ack(&challenge).bytes(&alice)).unwrap();
            }
            let wrong = asked.answer(&challenge, &alice.user, "wrong").unwrap();
            let refused = alice.transact(&wrong).unwrap();
            assert!(matches!(refused.status(), 407 | 403), "{method}: {}", refused.start);
            if method == "INVITE" {
                alice.send(&wrong.ack(&refused).bytes(&alice)).unwrap();
            }
            // In the name of another one, with one's own password.
            let mut forged = Request { from: bob.aor(), ..asked.clone() };
            forged.branch.push('f');
            let challenge = alice.transact(&forged).unwrap();
            let answer = forged.answer(&challenge, &alice.user, &alice.password).unwrap();
            assert!(matches!(alice.transact(&answer).unwrap().status(), 403 | 407), "{method}");
        }
        assert!(
            bob.receive_within(std::time::Duration::from_millis(200)).is_err(),
            "it got through"
        );
    });
}

// RFC 3261 section 16.4, RFC 5658: a message between transports.
#[test]
fn messages_between_transports() {
    let world = World::new();
    for (one, other) in [(Udp, Tls), (Tls, Tcp), (Tcp, Udp)] {
        let (alice, bob) = (world.online("alice", one), world.online("bob", other));
        let (_, answer) = through(&alice, &bob, &request("MESSAGE", &alice, &bob.aor()), "200 OK");
        assert_eq!(answer.status(), 200, "{one:?} {other:?}");
        assert_eq!(answer.all("via").len(), 1, "section 16.7 step 3");
    }
}

// RFC 3261 section 25.1 has display names in UTF-8. Older phones have them in Latin-1: nothing depends on them, and they pass as
// they are.
#[test]
fn display_names_that_are_no_utf_8() {
    over(&[Udp, Tcp, Tls], |world, over| {
        let (alice, bob) = (world.offline("alice", over), world.online("bob", over));
        let named = |octets: Vec<u8>| {
            let text = String::from_utf8(octets).unwrap();
            let text = text.replace("From: <", "From: \"J\u{fffd}rg\" <");
            latin_1(&text.replace("To: <", "To: J\u{fffd} <"))
        };
        let receive = |phone: &Phone| {
            let octets = phone.wire().receive(PATIENCE).unwrap();
            let message = Message::parse(String::from_utf8_lossy(&octets).as_bytes()).unwrap();
            let has = |part: &[u8]| octets.windows(part.len()).any(|some| some == part);
            assert!(has(b": \"J\xf6rg\" <") && has(b": J\xf6 <"), "{message:?}");
            message
        };
        let request = Request::new("MESSAGE", &bob.aor(), &alice.aor(), &bob.aor());
        alice.send(&named(request.bytes(&alice))).unwrap();
        let challenge = receive(&alice);
        assert_eq!(challenge.status(), 407, "{}", challenge.start);
        let again = request.answer(&challenge, &alice.user, &alice.password).unwrap();
        alice.send(&named(again.bytes(&alice))).unwrap();
        let arrived = receive(&bob);
        assert_eq!(arrived.method(), "MESSAGE");
        let contact = format!("\"J\u{fffd}rg\" <{}>", bob.contact());
        let answer = response(&arrived, "200 OK", "b", &[("Contact", &contact)]);
        bob.send(&latin_1(&String::from_utf8(answer).unwrap())).unwrap();
        assert_eq!(receive(&alice).status(), 200);
    });
}

/// Text with the octet 0xF6 (Latin-1) in place of each U+FFFD.
fn latin_1(text: &str) -> Vec<u8> {
    let parts: Vec<_> = text.split('\u{fffd}').map(str::as_bytes).collect();
    parts.join(&0xf6)
}
