//! Globally routable user agent URIs (RFC 5627): one phone of an account is called, wherever it is.

use ngn_tests::sip::{Message, Phone, Request};
use ngn_tests::{Value, record, sip_id};

use crate::fixture::DOMAIN;
use crate::pstn::{call, last};
use crate::world::{
    ALL, Dialog, Udp, World, hang_up, outcome, over, over_in, reply_with, take, told,
};

/// A name that a phone gives itself (RFC 5626 section 4.1).
pub(crate) fn name(number: u32) -> String {
    format!("urn:uuid:00000000-0000-1000-8000-{number:012}")
}

/// Registers with a name, for so many seconds; gives the public and the temporary GRUU.
#[track_caller]
pub(crate) fn register(phone: &mut Phone, instance: &str, expires: u32) -> (String, String) {
    let contact = format!("<{}>;+sip.instance=\"<{instance}>\"", phone.contact());
    let expires = expires.to_string();
    let fields = [("Contact", &*contact), ("Expires", &*expires), ("Supported", "gruu")];
    let registered = phone.register_with(&fields).unwrap();
    assert_eq!(registered.status(), 200, "{}", registered.start);
    let own = registered.all("contact").into_iter().find(|one| one.contains(instance));
    let own = own.unwrap_or_default().to_owned();
    (parameter(&own, "pub-gruu"), parameter(&own, "temp-gruu"))
}

/// A quoted parameter of a contact; empty when there is none.
fn parameter(contact: &str, name: &str) -> String {
    let (_, rest) = contact.split_once(&format!(";{name}=\"")).unwrap_or_default();
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// Who answers this call gets it, and it is ended again; gives the INVITE that came.
#[track_caller]
pub(crate) fn answers(caller: &Phone, callee: &Phone, uri: &str) -> Message {
    let invite = call(caller, uri, &[]);
    let arrived = take(callee, "INVITE");
    reply_with(callee, &arrived, "200 OK", "callee", &[]);
    let mut ours = Dialog::caller(&invite, &outcome(caller, &invite));
    caller.send(&ours.request("ACK").bytes(caller)).unwrap();
    take(callee, "ACK");
    hang_up(caller, callee, &mut ours);
    arrived
}

/// The status that a call gets.
#[track_caller]
pub(crate) fn refused(caller: &Phone, uri: &str) -> u16 {
    let invite = call(caller, uri, &[]);
    let answer = last(caller, &invite);
    caller.send(&invite.ack(&answer).bytes(caller)).unwrap();
    answer.status()
}

// RFC 5627 sections 5 and 6.1: a call to a GRUU rings at that phone and at no other, and a diversion does not catch it.
#[test]
fn a_gruu_leads_to_one_phone() {
    over(ALL, |world, over| {
        let alice = world.online("alice", over);
        let user = world.account("bob");
        let (mut desk, mut mobile) = (world.phone(&user, over), world.phone(&user, over));
        let (public, temporary) = register(&mut desk, &name(1), 300);
        let (other, _) = register(&mut mobile, &name(2), 300);
        assert!(public.starts_with(&format!("sip:{user}@{DOMAIN};gr=")) && public != other);
        assert!(temporary.ends_with(&format!("@{DOMAIN};gr")) && !temporary.contains(&user));
        for (uri, phone, silent) in
            [(&public, &desk, &mobile), (&temporary, &desk, &mobile), (&other, &mobile, &desk)]
        {
            let arrived = answers(&alice, phone, uri);
            // Section 6.1: the phone is called by its contact.
            let target = arrived.start.split(' ').nth(1).unwrap();
            assert_eq!(target, phone.contact());
            let patience = std::time::Duration::from_millis(200);
            assert!(silent.receive_within(patience).is_err(), "the other phone rings too");
        }
        // The address itself still leads to both.
        let invite = call(&alice, &desk.aor(), &[]);
        for phone in [&desk, &mobile] {
            reply_with(phone, &take(phone, "INVITE"), "486 Busy Here", "busy", &[]);
        }
        alice.send(&invite.ack(&outcome(&alice, &invite)).bytes(&alice)).unwrap();
    });
}

// RFC 5627 section 6.1: 480 while the phone is not registered, 404 when there was never such a phone; 5.4: a temporary
// GRUU ends with the registration, and when the phone registers with another Call-ID.
#[test]
fn gruus_end_with_what_they_name() {
    over(ALL, |world, over| {
        let alice = world.online("alice", over);
        let user = world.account("bob");
        let mut bob = world.phone(&user, over);
        let (public, first) = register(&mut bob, &name(1), 300);
        let (same, second) = register(&mut bob, &name(1), 300);
        assert_eq!(same, public);
        assert_ne!(first, second);
        // All of one Call-ID hold together.
        for uri in [&first, &second] {
            answers(&alice, &bob, uri);
        }
        assert_eq!(refused(&alice, &public.replace("000001~", "000009~")), 404, "not signed");
        assert_eq!(refused(&alice, &format!("sip:{user}@{DOMAIN};gr={}", name(1))), 404);
        assert_eq!(refused(&alice, &second.replace("sip:", "sip:A")), 404);
        // Another Call-ID.
        let mut anew = world.phone(&user, over);
        let (same, third) = register(&mut anew, &name(1), 300);
        assert_eq!(same, public);
        for uri in [&first, &second] {
            assert_eq!(refused(&alice, uri), 404, "its Call-ID is over");
        }
        answers(&alice, &anew, &third);
        answers(&alice, &anew, &public);
        register(&mut anew, &name(1), 0);
        register(&mut bob, &name(1), 0);
        assert_eq!(refused(&alice, &public), 480);
        assert_eq!(refused(&alice, &third), 404);
    });
}

// RFC 5627 sections 3.5 and 4.4: both sides give their GRUUs as Contact; what is said in the dialog reaches them.
#[test]
fn dialogs_go_through_gruus() {
    let world = World::with("[calls]\nprobe_interval = 1\nprobe_failures = 2\n");
    over_in(&world, ALL, |world, over| {
        let (a, b) = (world.account("alice"), world.account("bob"));
        let (mut alice, mut bob) = (world.phone(&a, over), world.phone(&b, over));
        let (ours, _) = register(&mut alice, &name(1), 300);
        let (theirs, _) = register(&mut bob, &name(2), 300);
        let invite = Request::new("INVITE", &bob.aor(), &alice.aor(), &bob.aor())
            .with("Contact", &format!("<{ours}>"));
        alice.send(&invite.bytes(&alice)).unwrap();
        let challenge = told(&alice, 407);
        alice.send(&invite.ack(&challenge).bytes(&alice)).unwrap();
        let invite = invite.answer(&challenge, &alice.user, &alice.password).unwrap();
        alice.send(&invite.bytes(&alice)).unwrap();
        let arrived = take(&bob, "INVITE");
        assert_eq!(arrived.header("contact"), Some(&*format!("<{ours}>")));
        let contact = format!("<{theirs}>");
        let answer = ngn_tests::sip::response(&arrived, "200 OK", "b", &[("Contact", &contact)]);
        bob.send(&answer).unwrap();
        let answered = outcome(&alice, &invite);
        let mut at_alice = Dialog::caller(&invite, &answered);
        let mut at_bob = Dialog::callee(&arrived, "b");
        let ack = at_alice.request("ACK");
        assert_eq!(ack.uri, theirs);
        alice.send(&ack.bytes(&alice)).unwrap();
        let acknowledged = take(&bob, "ACK");
        assert_eq!(acknowledged.start.split(' ').nth(1), Some(&*bob.contact()));
        // We ask them too whether the call goes on.
        for phone in [&alice, &bob] {
            let asked = take(phone, "OPTIONS");
            assert_eq!(asked.start.split(' ').nth(1), Some(&*phone.contact()));
            reply_with(phone, &asked, "200 OK", "", &[]);
        }
        for (from, to, dialog, target) in
            [(&alice, &bob, &mut at_alice, &theirs), (&bob, &alice, &mut at_bob, &ours)]
        {
            let info = dialog.request("INFO");
            assert_eq!(&info.uri, target);
            from.send(&info.bytes(from)).unwrap();
            let passed = take(to, "INFO");
            assert_eq!(passed.start.split(' ').nth(1), Some(&*to.contact()));
            reply_with(to, &passed, "200 OK", "", &[]);
            assert_eq!(outcome_of(from, &info).status(), 200);
        }
        hang_up(&bob, &alice, &mut at_bob);
    });
}

/// The final response to a request in a dialog.
fn outcome_of(phone: &Phone, request: &Request) -> Message {
    let cseq = format!("{} {}", request.cseq, request.method);
    phone.receive_where(|m| m.status() >= 200 && m.header("cseq") == Some(&cseq)).unwrap()
}

// RFC 5627 section 3.1.2: whoever calls as its temporary GRUU proves who it is, and shows its name to nobody.
#[test]
fn temporary_gruus_hide_who_calls() {
    over(ALL, |world, over| {
        let (a, bob) = (world.account("alice"), world.online("bob", over));
        let mut alice = world.phone(&a, over);
        let (_, temporary) = register(&mut alice, &name(1), 300);
        let as_whom = |from: &str| {
            let invite = Request::new("INVITE", &bob.aor(), from, &bob.aor())
                .with("Contact", &format!("<{temporary}>"));
            alice.send(&invite.bytes(&alice)).unwrap();
            let challenge = outcome_of(&alice, &invite);
            alice.send(&invite.ack(&challenge).bytes(&alice)).unwrap();
            assert_eq!(challenge.status(), 407);
            let again = invite.answer(&challenge, &alice.user, &alice.password).unwrap();
            alice.send(&again.bytes(&alice)).unwrap();
            again
        };
        let invite = as_whom(&temporary);
        let arrived = take(&bob, "INVITE");
        assert!(arrived.header("from").unwrap().contains(&temporary), "{arrived:?}");
        reply_with(&bob, &arrived, "486 Busy Here", "b", &[]);
        alice.send(&invite.ack(&outcome(&alice, &invite)).bytes(&alice)).unwrap();
        let invite = as_whom(&temporary.replace("sip:", "sip:A"));
        let refused = outcome(&alice, &invite);
        assert_eq!(refused.status(), 403, "it was not made here");
        alice.send(&invite.ack(&refused).bytes(&alice)).unwrap();
    });
}

// RFC 5627 section 5.1: a GRUU is no place to be registered at; a phone without a name, or that does not ask, gets none.
#[test]
fn registrations_get_gruus_that_ask_for_them() {
    let world = World::new();
    let user = world.account("bob");
    let mut bob = world.phone(&user, Udp);
    let (public, _) = register(&mut bob, &name(1), 300);
    let instance = format!(";+sip.instance=\"<{}>\"", name(1));
    let with = |bob: &mut Phone, contact: &str, fields: &[(&str, &str)]| {
        let fields = [&[("Contact", contact), ("Expires", "300")], fields].concat();
        bob.register_with(&fields).unwrap()
    };
    let refused = with(&mut bob, &format!("<{public}>{instance}"), &[("Supported", "gruu")]);
    assert_eq!(refused.start, "SIP/2.0 403 Contact Is a GRUU");
    let contact = format!("<{}>", bob.contact());
    for (contact, supported) in
        [(contact.clone(), "gruu"), (format!("{contact}{instance}"), "path")]
    {
        let registered = with(&mut bob, &contact, &[("Supported", supported)]);
        assert_eq!(registered.status(), 200);
        let shown = registered.all("contact");
        assert!(
            !shown.iter().any(|one| one.contains(&bob.contact())
                && one.contains("gruu")
                && supported == "path"),
            "{shown:?}"
        );
    }
    let required = with(
        &mut bob,
        &format!("{contact}{instance}"),
        &[("Require", "gruu"), ("Supported", "gruu")],
    );
    assert_eq!(required.status(), 200);
    assert!(required.all("contact").iter().any(|one| parameter(one, "pub-gruu") == public));
}

// RFC 5627 section 3.1: GRUUs outlive the server, and diversions lead to them.
#[test]
fn gruus_outlive_a_restart() {
    let mut world = World::new();
    let alice = world.online("alice", Udp);
    let (user, carol) = (world.account("bob"), world.account("carol"));
    let (mut desk, mut mobile) = (world.phone(&user, Udp), world.phone(&user, Udp));
    let (public, temporary) = register(&mut desk, &name(1), 300);
    register(&mut mobile, &name(2), 300);
    let diversion = Value::empty().with("FUNC", public.as_str());
    let diverted =
        record! { sipId: sip_id(&format!("{carol}@{DOMAIN}")) }.with("diversions", diversion);
    world.p.admin().ok("Sip.setCallDiversions", diverted);
    world.p.kill();
    world.p.launch();
    world.p.settle();
    answers(&alice, &desk, &public);
    answers(&alice, &desk, &temporary);
    let carol = format!("sip:{carol}@{DOMAIN}");
    answers(&alice, &desk, &carol);
    assert!(mobile.receive_within(std::time::Duration::from_millis(200)).is_err());
}
