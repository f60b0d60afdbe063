//! Who calls whom, however it is written: forms of From and of numbers, callers that hide, and who pays.

use ngn_tests::database::Backend;
use ngn_tests::fixture::{carrier, route};
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::sip::{Phone, Request};
use ngn_tests::{Value, record, sip_id};

use crate::fixture::DOMAIN;
use crate::pstn::{
    SETTINGS, answer, call, call_without_password, caller, end, gateway, last, registered,
    request_user, routes, stand_in, uri,
};

fn platform() -> Platform {
    Platform::start_with(Backend::Sqlite, &[("sipd", SETTINGS)])
}

/// A gateway that takes all numbers.
fn gateway_for_all(p: &Platform) -> Phone {
    let gw = stand_in(p);
    let telco = carrier(&p.admin(), "Telco");
    gateway(p, telco, "gw", gw.local());
    routes(p, vec![route(telco, "")]);
    gw
}

fn set(p: &Platform, user: &str, operation: &str, member: &str, value: Value) {
    let request = record! { sipId: sip_id(&format!("{user}@{DOMAIN}")) }.with(member, value);
    p.admin().ok(operation, request);
    p.settle();
}

/// Some columns of a call's record, when it is there.
fn recorded(p: &Platform, invite: &Request, columns: &str) -> String {
    let query = format!("SELECT {columns} FROM radacct WHERE AcctSessionId = '{}'", invite.call_id);
    eventually("the call is recorded", || {
        Some(p.database.sql(&query).trim().to_owned()).filter(|row| !row.is_empty())
    })
}

// B97, RFC 3261 section 19.1.4: neither a port nor a password nor escaped characters make somebody else of a caller.
#[test]
fn b97_rejected_callers_however_they_are_written() {
    let p = platform();
    let bob = registered(&p, "bob", &[]);
    set(&p, "bob", "Sip.setRejectMembers", "members", ["sip:eve@elsewhere.example"].into());
    let stranger = Phone::new(p.sip_address(), "eve@elsewhere.example", "");
    for (from, rejected) in [
        ("sip:eve@elsewhere.example:5080", true),
        ("sip:%65ve@elsewhere.example", true),
        ("sip:eve:word@ELSEWHERE.example;user=phone", true),
        ("sips:eve@elsewhere.example.", true),
        ("sip:eve2@elsewhere.example:5080", false),
    ] {
        let mut invite = Request::new("INVITE", &uri("bob"), from, &uri("bob"));
        invite = invite.with("Contact", &format!("<{}>", stranger.contact()));
        stranger.send(&invite.bytes(&stranger)).unwrap();
        if !rejected {
            answer(&bob, "486 Busy Here");
        }
        let expected = if rejected { 603 } else { 486 };
        assert_eq!(last(&stranger, &invite).status(), expected, "{from}");
    }
}

// RFC 3966, B79: what an account dials as a tel URI it dials in its own domain, so that nobody pays for a call to a number
// that somebody has there.
#[test]
fn rfc3966_numbers_without_a_domain_are_those_of_the_callers() {
    let p = platform();
    let (alice, bob) = (caller(&p, "alice", &["free-pstn"], ""), registered(&p, "bob", &[]));
    let id = sip_id(&format!("+43720@{DOMAIN}"));
    let alias = record! { id: id, target: sip_id(&format!("bob@{DOMAIN}")) };
    p.admin().ok("Sip.addAlias", record! { alias: alias });
    let gw = gateway_for_all(&p);
    let invite = call(&alice, "tel:+43-720", &[]);
    answer(&bob, "486 Busy Here");
    assert_eq!(end(&alice, &invite).status(), 486);
    let row = recorded(&p, &invite, "CanonicalURI");
    assert_eq!(row, format!("bob@{DOMAIN}"));
    let invite = call(&alice, "tel:+43-721", &[]);
    assert_eq!(request_user(&answer(&gw, "486 Busy Here")), "0043721");
    assert_eq!(end(&alice, &invite).status(), 486);
    // A trunk's are looked for in all domains, as those that it sends to our address are.
    let trunk = Phone::at("127.0.0.2", p.sip_address(), "+4366412345@trunk.example", "");
    p.admin().ok("Sip.addTrustedPeer", record! { peer: record! { ip: "127.0.0.2" } });
    p.settle();
    let invite = call_without_password(&trunk, "tel:+43720");
    answer(&bob, "486 Busy Here");
    assert_eq!(last(&trunk, &invite).status(), 486);
}

// RFC 3323 section 4.1.1.3, RFC 3325 sections 5 and 9.2: an account whose From says nothing proves who it is, calls as itself,
// and is shown to nobody but gateways.
#[test]
fn rfc3323_accounts_that_hide_show_their_password() {
    let p = platform();
    let (alice, bob) = (caller(&p, "alice", &["free-pstn"], "+43555"), registered(&p, "bob", &[]));
    let gw = gateway_for_all(&p);
    let nobody = "sip:anonymous@anonymous.invalid";
    let hidden = |to: &str, more: &[(&str, &str)]| {
        let contact = format!("<{}>", alice.contact());
        let invite = Request::new("INVITE", to, nobody, to).with("Contact", &contact);
        let invite = more.iter().fold(invite, |invite, (name, value)| invite.with(name, value));
        alice.send(&invite.bytes(&alice)).unwrap();
        invite
    };
    let proved = |invite: Request| {
        let challenge = alice.receive_where(|message| message.status() == 407).unwrap();
        alice.send(&invite.ack(&challenge).bytes(&alice)).unwrap();
        let again = invite.answer(&challenge, "alice", "secret").unwrap();
        alice.send(&again.bytes(&alice)).unwrap();
        again
    };
    // It says to the proxy who it is, or calls what only accounts may call.
    let told = format!("\"A\" <sip:alice@{DOMAIN}>");
    for (to, more) in [
        (uri("bob"), vec![("P-Preferred-Identity", told.as_str())]),
        (uri("+431234567"), vec![("P-Preferred-Identity", &told), ("Privacy", "id")]),
        (uri("+431234567"), vec![]),
    ] {
        let invite = proved(hidden(&to, &more));
        let is_number = to != uri("bob");
        let arrived = answer(if is_number { &gw } else { &bob }, "486 Busy Here");
        assert_eq!(end(&alice, &invite).status(), 486, "{to}");
        let text = format!("{arrived:?}");
        assert_eq!(text.contains("+43555"), is_number, "{text}");
        assert!(
            !text.contains("P-Preferred-Identity") && !text.contains("sip:alice@sip"),
            "{text}"
        );
        assert_eq!(arrived.header("privacy"), is_number.then_some("id"));
        let row = recorded(&p, &invite, "UserName || ' ' || Realm || ' ' || CallingStationId");
        assert_eq!(row, format!("alice@{DOMAIN} {DOMAIN} anonymous@anonymous.invalid"));
    }
    // Anybody else who hides is nobody, and still reaches accounts.
    let invite = hidden(&uri("bob"), &[("P-Preferred-Identity", "<sip:eve@elsewhere.example>")]);
    answer(&bob, "486 Busy Here");
    assert_eq!(last(&alice, &invite).status(), 486);
    // B66: who takes no anonymous calls takes none of accounts either.
    set(&p, "bob", "Sip.addToGroup", "group", "anonymous-reject".into());
    let invite = proved(hidden(&uri("bob"), &[("P-Preferred-Identity", &told)]));
    assert_eq!(end(&alice, &invite).status(), 433);
    // B97: it is still the account that was rejected.
    set(&p, "bob", "Sip.setRejectMembers", "members", [uri("alice").as_str()].into());
    let invite = proved(hidden(&uri("bob"), &[("P-Preferred-Identity", &told)]));
    assert_eq!(end(&alice, &invite).status(), 603);
}

// B66: who is blocked calls nobody, and so diverts to nobody either, neither to numbers nor to other domains.
#[test]
fn b66_blocked_accounts_divert_to_nobody_outside() {
    let p = platform();
    caller(&p, "alice", &["free-pstn"], "");
    let gw = gateway_for_all(&p);
    let elsewhere = stand_in(&p);
    let stranger = Phone::new(p.sip_address(), "eve@elsewhere.example", "");
    for (to, place) in [(uri("+431234567"), &gw), (elsewhere.contact(), &elsewhere)] {
        set(
            &p,
            "alice",
            "Sip.setCallDiversions",
            "diversions",
            Value::empty().with("FUNC", to.as_str()),
        );
        let invite = call_without_password(&stranger, &uri("alice"));
        answer(place, "486 Busy Here");
        assert_eq!(last(&stranger, &invite).status(), 486, "{to}");
        set(&p, "alice", "Sip.addToGroup", "group", "blocked".into());
        let invite = call_without_password(&stranger, &uri("alice"));
        assert_eq!(last(&stranger, &invite).status(), 403, "{to}");
        set(&p, "alice", "Sip.removeFromGroup", "group", "blocked".into());
    }
}

// B80: a forwarded call is at the cost of the account that forwards it; who called is told all the same.
#[test]
fn b80_who_diverts_to_a_number_pays() {
    let p = platform();
    let bob = caller(&p, "bob", &[], "+43111");
    caller(&p, "alice", &["free-pstn"], "+43555");
    let gw = gateway_for_all(&p);
    let to = Value::empty().with("FUNC", uri("+431234567").as_str());
    set(&p, "alice", "Sip.setCallDiversions", "diversions", to);
    let stranger = Phone::new(p.sip_address(), "eve@elsewhere.example", "");
    let columns = "UserName || '|' || BillingPartyId || '|' || SipRPID || '|' || CanonicalURI";
    let invite = call(&bob, &uri("alice"), &[]);
    answer(&gw, "200 OK");
    assert_eq!(end(&bob, &invite).status(), 200);
    let row = recorded(&p, &invite, columns);
    assert_eq!(row, format!("bob@{DOMAIN}|alice@{DOMAIN}|+43555|alice@{DOMAIN}"));
    let invite = call_without_password(&stranger, &uri("alice"));
    answer(&gw, "200 OK");
    assert_eq!(last(&stranger, &invite).status(), 200);
    let row = recorded(&p, &invite, columns);
    assert_eq!(row, format!("|alice@{DOMAIN}|+43555|alice@{DOMAIN}"));
    // Both calls were placed at its cost, as it sees them.
    let query = record! { placed: record! { limit: 9 } };
    let request = record! { sipId: sip_id(&format!("alice@{DOMAIN}")), query: query };
    let placed = p.admin().ok("Sip.getCalls", request);
    assert_eq!(placed.child("placed").unwrap().children.len(), 2, "{placed:?}");
}

// RFC 3261 section 16.3: a call does not go back to the gateway that it came from; phones and trunks on the machine of a
// gateway are none.
#[test]
fn rfc3261_16_3_phones_and_trunks_beside_a_gateway_use_it() {
    let p = platform();
    let alice = caller(&p, "alice", &["free-pstn"], "");
    let (gw, other) = (stand_in(&p), stand_in(&p));
    let telco = carrier(&p.admin(), "Telco");
    for (name, at) in [("gw", &gw), ("other", &other)] {
        let port = i64::from(at.local().port());
        let gateway = record! { name: name, carrier_id: telco, ip: "127.0.0.1", port: port };
        p.admin().ok("Sip.addGateway", record! { gateway: gateway });
    }
    routes(&p, vec![route(telco, "")]);
    let invite = call(&alice, &uri("+431234567"), &[]);
    answer(&gw, "486 Busy Here");
    assert_eq!(end(&alice, &invite).status(), 486);
    p.admin().ok("Sip.addTrustedPeer", record! { peer: record! { ip: "127.0.0.1" } });
    p.settle();
    let trunk = Phone::new(p.sip_address(), "+4366412345@trunk.example", "");
    let invite = call_without_password(&trunk, &uri("+431234567"));
    answer(&gw, "486 Busy Here");
    assert_eq!(last(&trunk, &invite).status(), 486);
    // The gateway itself.
    let invite = call_without_password(&gw, &uri("+431234567"));
    answer(&other, "486 Busy Here");
    assert_eq!(last(&gw, &invite).status(), 486);
}

// B70, RFC 3261 section 26.3.2.4: a gateway lets us in by our address; who may not call numbers does not get there by asking to be
// sent there, whatever names it, and who may gets there by a number alone.
#[test]
fn b70_nobody_is_sent_to_a_gateway_who_just_asks_for_it() {
    let p = platform();
    let (alice, carol) = (caller(&p, "alice", &[], ""), caller(&p, "carol", &["free-pstn"], ""));
    let bob = registered(&p, "bob", &[]);
    let (gw, beside) = (stand_in(&p), stand_in(&p));
    let telco = carrier(&p.admin(), "Telco");
    let port = i64::from(gw.local().port());
    let gateway = record! { name: "gw", carrier_id: telco, ip: "127.0.0.1", port: port };
    p.admin().ok("Sip.addGateway", record! { gateway: gateway });
    routes(&p, vec![route(telco, "")]);
    p.settle();
    let at = gw.local();
    let lead_there = [
        (format!("sip:00431234567@{at}"), None),
        (format!("sip:00431234567@{at};transport=tcp"), None),
        (format!("sip:00431234567@localhost:{port}"), None),
        (format!("sip:00431234567@elsewhere.example:{port};maddr=127.0.0.1"), None),
        ("sip:00431234567@elsewhere.example".to_owned(), Some(format!("<sip:{at};lr>"))),
        (bob.aor(), Some(format!("<sip:{at};lr>"))),
        (bob.aor(), Some(format!("<sip:{DOMAIN};lr>, <sip:{at}>"))),
    ];
    for (uri, route) in lead_there {
        let route: Vec<_> = route.iter().map(|route| ("Route", route.as_str())).collect();
        let invite = call(&alice, &uri, &route);
        let refused = end(&alice, &invite);
        assert_eq!(refused.status(), 403, "{uri} {route:?}");
        alice.send(&invite.ack(&refused).bytes(&alice)).unwrap();
    }
    // Others on that machine are as good as anybody.
    let invite = call(&alice, &format!("sip:somebody@{}", beside.local()), &[]);
    answer(&beside, "486 Busy Here");
    assert_eq!(end(&alice, &invite).status(), 486);
    let invite = call(&carol, &uri("+431234567"), &[]);
    let heard = answer(&gw, "486 Busy Here");
    assert_eq!(heard.header("call-id"), Some(invite.call_id.as_str()), "the only call");
    assert_eq!(end(&carol, &invite).status(), 486);
}
