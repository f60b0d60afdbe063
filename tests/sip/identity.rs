//! Who is said to call, to whom it is said, and what is told of diversions: RFC 3323, 3325, 5806 and 7044.

use ngn_tests::database::Backend;
use ngn_tests::fixture::{carrier, route};
use ngn_tests::platform::Platform;
use ngn_tests::sip::{Message, Phone, Request, response};
use ngn_tests::{Value, record, sip_id};

use crate::fixture::DOMAIN;
use crate::pstn::{
    SETTINGS, answer, call, caller, end, gateway, last, registered, routes, stand_in, uri,
};

/// What somebody says about itself whom nobody should believe.
const FORGED: [(&str, &str); 5] = [
    ("P-Asserted-Identity", "<sip:+1900@evil.example>"),
    ("P-Preferred-Identity", "<sip:+1900@evil.example>"),
    ("Remote-Party-ID", "<sip:+1900@evil.example>"),
    ("Diversion", "<sip:+1900@evil.example>;reason=unknown"),
    ("History-Info", "<sip:+1900@evil.example>;index=1"),
];

fn platform() -> Platform {
    Platform::start_with(Backend::Sqlite, &[("sipd", SETTINGS)])
}

/// Calls without a password, with further fields.
fn invite(phone: &Phone, to: &str, more: &[(&str, &str)]) -> Request {
    let contact = format!("<{}>", phone.contact());
    let mut invite = Request::new("INVITE", to, &phone.aor(), to).with("Contact", &contact);
    for (name, value) in more {
        invite = invite.with(name, value);
    }
    phone.send(&invite.bytes(phone)).unwrap();
    invite
}

fn asserted(message: &Message) -> Vec<&str> {
    message.all("p-asserted-identity")
}

fn divert(p: &Platform, user: &str, condition: &str, to: &str) {
    let diversions = Value::empty().with(condition, to);
    let of = record! { sipId: sip_id(&format!("{user}@{DOMAIN}")), diversions: diversions };
    p.admin().ok("Sip.setCallDiversions", of);
    p.settle();
}

// RFC 3325 section 5: who proved who it is is asserted to be that, and nobody else is believed.
#[test]
fn who_is_asserted() {
    let p = platform();
    let (alice, bob) = (caller(&p, "alice", &[], ""), registered(&p, "bob", &[]));
    let hidden = caller(&p, "hidden", &["anonymous"], "");
    let none: Vec<&str> = Vec::new();
    let told = |phone: &Phone, more: &[(&str, &str)]| {
        let more: Vec<(&str, &str)> = FORGED.iter().chain(more).copied().collect();
        let invite = call(phone, &uri("bob"), &more);
        let arrived = answer(&bob, "486 Busy Here");
        assert_eq!(end(phone, &invite).status(), 486);
        arrived
    };
    let is_clean = |arrived: &Message| {
        let text = format!("{arrived:?}");
        assert!(!text.contains("evil.example"), "{text}");
    };
    let plain = told(&alice, &[]);
    assert_eq!(asserted(&plain), [format!("<sip:alice@{DOMAIN}>")]);
    is_clean(&plain);
    let private = told(&alice, &[("Privacy", "id")]);
    assert_eq!(asserted(&private), none);
    is_clean(&private);
    assert_eq!(private.header("privacy"), Some("id"));
    assert_eq!(asserted(&told(&hidden, &[])), none);
    let stranger = Phone::new(p.sip_address(), "eve@elsewhere.example", "");
    let request = invite(&stranger, &uri("bob"), &FORGED);
    let arrived = answer(&bob, "486 Busy Here");
    assert_eq!(last(&stranger, &request).status(), 486);
    assert_eq!(asserted(&arrived), none);
    is_clean(&arrived);
}

// RFC 3325 sections 5 and 7: a trunk is believed, and what it says is kept from those who may not know it.
#[test]
fn trunks_are_believed() {
    let p = platform();
    let (bob, gw) = (registered(&p, "bob", &[]), stand_in(&p));
    let trunk = Phone::at("127.0.0.2", p.sip_address(), "+4366412345@trunk.example", "");
    p.admin().ok("Sip.addTrustedPeer", record! { peer: record! { ip: "127.0.0.2" } });
    let telco = carrier(&p.admin(), "Telco");
    gateway(&p, telco, "gw", gw.local());
    routes(&p, vec![route(telco, "")]);
    let identity = "<sip:+4366412345@trunk.example>";
    let told = |to: &str, at: &Phone, privacy: &str| {
        let more = [("P-Asserted-Identity", identity), ("Privacy", privacy)];
        let request = invite(&trunk, to, &more);
        let arrived = answer(at, "486 Busy Here");
        assert_eq!(last(&trunk, &request).status(), 486);
        asserted(&arrived).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let number = format!("sip:+431234567@{}", p.sip_address());
    assert_eq!(told(&uri("bob"), &bob, "none"), [identity]);
    assert!(told(&uri("bob"), &bob, "id").is_empty());
    assert_eq!(told(&number, &gw, "none"), [identity]);
    assert_eq!(told(&number, &gw, "id"), [identity], "gateways are trusted");
}

// RFC 3325 section 5: answers, and requests within a dialog, say no more about anybody than is believed.
#[test]
fn answers_assert_nothing_that_is_not_proved() {
    let p = platform();
    let (alice, bob) = (caller(&p, "alice", &[], ""), registered(&p, "bob", &[]));
    let trunk = Phone::at("127.0.0.2", p.sip_address(), "+4366412345@trunk.example", "");
    p.admin().ok("Sip.addTrustedPeer", record! { peer: record! { ip: "127.0.0.2" } });
    p.settle();
    let forged = &FORGED[..3];
    let told = |message: &Message| {
        let names = forged.iter().map(|(name, _)| name.to_ascii_lowercase());
        names.filter(|name| message.header(name).is_some()).count()
    };
    let contact = format!("<{}>", bob.contact());
    let fields: Vec<_> =
        [("Contact", contact.as_str())].into_iter().chain(forged.iter().copied()).collect();
    for (phone, is_believed) in [(&alice, false), (&trunk, true)] {
        let request = match is_believed {
            true => invite(phone, &uri("bob"), &[]),
            false => call(phone, &uri("bob"), &[]),
        };
        let arrived = bob.receive_where(|message| message.method() == "INVITE").unwrap();
        let [_, answered] = ["180 Ringing", "200 OK"].map(|status| {
            bob.send(&response(&arrived, status, "callee", &fields)).unwrap();
            let answer = phone.receive_where(|message| message.start.ends_with(status)).unwrap();
            assert_eq!(told(&answer), 0, "{answer:?}");
            answer
        });
        let mut bye = request.bye(&answered);
        for (name, value) in forged {
            bye = bye.with(name, value);
        }
        phone.send(&bye.bytes(phone)).unwrap();
        let ended = bob.receive_where(|message| message.method() == "BYE").unwrap();
        assert_eq!(told(&ended), if is_believed { forged.len() } else { 0 }, "{ended:?}");
        bob.send(&response(&ended, "200 OK", "", &[])).unwrap();
    }
}

// RFC 3323 sections 4.2 and 5: as far as a proxy can.
#[test]
fn privacy_of_the_header() {
    let p = platform();
    let (alice, bob) = (caller(&p, "alice", &[], ""), registered(&p, "bob", &[]));
    let personal = [("Subject", "Hello"), ("User-Agent", "Phone 7"), ("Organization", "Example")];
    let told = |privacy: &str| {
        let more: Vec<(&str, &str)> =
            personal.iter().copied().chain([("Privacy", privacy)]).collect();
        let invite = call(&alice, &uri("bob"), &more);
        let arrived = answer(&bob, "486 Busy Here");
        assert_eq!(end(&alice, &invite).status(), 486);
        let names = personal.iter().map(|(name, _)| name.to_ascii_lowercase());
        names.filter(|name| arrived.header(name).is_some()).count()
    };
    assert_eq!(["none", "id", "header", "user"].map(told), [3, 3, 0, 0]);
    let invite = call(&alice, &uri("bob"), &[("Privacy", "header;critical")]);
    let refused = end(&alice, &invite);
    assert_eq!(refused.start, "SIP/2.0 500 Privacy Unavailable");
    // What can be done is not refused.
    let invite = call(&alice, &uri("bob"), &[("Privacy", "id;critical")]);
    answer(&bob, "486 Busy Here");
    assert_eq!(end(&alice, &invite).status(), 486);
}

// RFC 3323 sections 4.3 and 5: who wants to be sure that privacy is kept says so to proxies, and further ones need not know
// how where it was done; what only phones and their proxies can hide is asked of those still.
#[test]
fn privacy_that_proxies_must_know() {
    let p = platform();
    let (alice, bob) = (caller(&p, "alice", &[], ""), registered(&p, "bob", &[]));
    let told = |privacy: &str| {
        let more = [("Privacy", privacy), ("Proxy-Require", "privacy")];
        let invite = call(&alice, &uri("bob"), &more);
        let arrived = answer(&bob, "486 Busy Here");
        assert_eq!(end(&alice, &invite).status(), 486);
        assert!(arrived.header("p-asserted-identity").is_none() || privacy == "none", "{privacy}");
        arrived.header("proxy-require").map(str::to_owned)
    };
    assert_eq!(["none", "id", "user"].map(told), [None, None, None]);
    assert_eq!(told("header;id").as_deref(), Some("privacy"));
}

// RFC 5806, RFC 7044: whom a diverted call was for.
#[test]
fn diverted_calls_tell_their_history() {
    let p = platform();
    let alice = caller(&p, "alice", &[], "");
    let (bob, carol) = (registered(&p, "bob", &["free-pstn"]), registered(&p, "carol", &[]));
    caller(&p, "hidden", &["anonymous"], "");
    let gw = stand_in(&p);
    let telco = carrier(&p.admin(), "Telco");
    gateway(&p, telco, "gw", gw.local());
    routes(&p, vec![route(telco, "")]);
    divert(&p, "hidden", "FUNC", &uri("bob"));
    divert(&p, "bob", "FBUS", &uri("carol"));

    let invite = call(&alice, &uri("bob"), &FORGED);
    let first = answer(&bob, "486 Busy Here");
    assert!(first.header("diversion").is_none() && first.header("history-info").is_none());
    let arrived = answer(&carol, "486 Busy Here");
    assert_eq!(end(&alice, &invite).status(), 486);
    let who = format!("<sip:bob@{DOMAIN}>;reason=user-busy;counter=1;privacy=off");
    assert_eq!(arrived.all("diversion"), [who]);
    let history = format!(
        "<sip:bob@{DOMAIN}?Reason=SIP%3Bcause%3D486>;index=1, <sip:carol@{DOMAIN}>;index=1.1;mp=1"
    );
    assert_eq!(arrived.all("history-info"), [history]);

    // Through somebody who does not want to be shown.
    let invite = call(&alice, &uri("hidden"), &[]);
    answer(&bob, "486 Busy Here");
    let arrived = answer(&carol, "486 Busy Here");
    assert_eq!(end(&alice, &invite).status(), 486);
    let (diversion, history) =
        (arrived.header("diversion").unwrap(), arrived.header("history-info").unwrap());
    assert!(diversion.starts_with(&format!("<sip:bob@{DOMAIN}>;reason=user-busy")), "{diversion}");
    assert!(diversion.contains("anonymous.invalid>;reason=unconditional"), "{diversion}");
    assert!(!diversion.contains("hidden") && !history.contains("hidden"), "{history}");
    assert!(history.ends_with(";index=1.1.1;mp=1.1"), "{history}");

    // A gateway is told.
    divert(&p, "hidden", "FUNC", &uri("bob"));
    divert(&p, "bob", "FUNC", &uri("+431234567"));
    let invite = call(&alice, &uri("hidden"), &[]);
    let arrived = answer(&gw, "486 Busy Here");
    assert_eq!(end(&alice, &invite).status(), 486);
    let diversion = arrived.header("diversion").unwrap();
    assert!(
        diversion.contains(&format!(
            "<sip:hidden@{DOMAIN}>;reason=unconditional;counter=1;privacy=full"
        ))
    );
}

// RFC 5806 section 6: diversions elsewhere and here do not send a call round and round.
#[test]
fn diversions_through_others_are_bounded() {
    let p = platform();
    let (bob, carol) = (registered(&p, "bob", &[]), registered(&p, "carol", &[]));
    divert(&p, "bob", "FUNC", &uri("carol"));
    let trunk = Phone::at("127.0.0.2", p.sip_address(), "+4366412345@trunk.example", "");
    p.admin().ok("Sip.addTrustedPeer", record! { peer: record! { ip: "127.0.0.2" } });
    p.settle();
    for (counter, diverted) in [(1, true), (4, true), (5, false), (1000, false)] {
        let before = format!("<sip:x@y.example>;reason=unknown;counter={counter}");
        let request = invite(&trunk, &uri("bob"), &[("Diversion", &before)]);
        let arrived = answer(if diverted { &carol } else { &bob }, "486 Busy Here");
        assert_eq!(last(&trunk, &request).status(), 486, "{counter}");
        let told = arrived.all("diversion").join(", ");
        assert!(told.ends_with(&before), "{told}");
        assert_eq!(told.contains("reason=unconditional"), diverted, "{told}");
    }
}
