//! Emergency calls (B165): nothing keeps anybody who is known from calling for help.

use std::thread;

use ngn_tests::database::Backend;
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::record;
use ngn_tests::sip::{Message, Phone, Request, response};

use crate::fixture::DOMAIN;
use crate::limits::limited;
use crate::pstn::{
    SETTINGS, answer, call, call_without_password, caller, last, ngn, on_both, request_user,
    stand_in, uri,
};

/// Calls to 112 go to a stand-in; waits until the platform knows.
pub(crate) fn emergency_centre(p: &Platform, from: &str) -> Phone {
    let centre = stand_in(p);
    let target = format!("sip:help@{}", centre.local());
    ngn(p, &["emergency", "add", "112", &target]);
    let at = p.admin_address().to_string();
    eventually("the mapping is known", || {
        let told = ngn(p, &["explain", "--from", from, "--to", "112", "--admin", &at]);
        told.contains(&target).then_some(())
    });
    centre
}

/// Calls for help without a password and is answered.
fn is_helped(phone: &Phone, centre: &Phone, to: &str) {
    let help = call_without_password(phone, to);
    assert_eq!(request_user(&answer(centre, "200 OK")), "help");
    assert_eq!(last(phone, &help).status(), 200);
}

// B66, B165: accounts that are not registered, or blocked, are not asked for a password; others are nobody.
#[test]
fn b165_no_password_for_those_who_are_known() {
    on_both(SETTINGS, |p| {
        let alice = caller(p, "alice", &[], "");
        let blocked = caller(p, "mallory", &["blocked"], "");
        let centre = emergency_centre(p, &format!("alice@{DOMAIN}"));
        is_helped(&alice, &centre, &uri("112"));
        is_helped(&blocked, &centre, &uri("112"));
        is_helped(&alice, &centre, "urn:service:sos");
        is_helped(&alice, &centre, "urn:service:sos.fire");
        // Nothing else goes without, and a name that nobody has proves nothing.
        let other = call_without_password(&alice, &uri("+431234567"));
        assert_eq!(last(&alice, &other).status(), 407);
        let nobody = Phone::new(p.sip_address(), &format!("nobody@{DOMAIN}"), "");
        let help = call_without_password(&nobody, &uri("112"));
        assert_eq!(last(&nobody, &help).status(), 407);
        let stranger = Phone::new(p.sip_address(), "eve@elsewhere.example", "");
        let help = call_without_password(&stranger, &uri("112"));
        assert!(matches!(last(&stranger, &help).status(), 403 | 404));
    });
}

// B165: the guide has operators fill the table by SQL, which no journal tells of.
#[test]
fn b165_rows_that_are_written_by_sql_are_noticed() {
    on_both(SETTINGS, |p| {
        let alice = caller(p, "alice", &[], "");
        let (centre, other) = (stand_in(p), stand_in(p));
        let at = p.admin_address().to_string();
        let from = format!("alice@{DOMAIN}");
        let leads_to = |target: &str| {
            eventually("the mapping is known", || {
                let told = ngn(p, &["explain", "--from", &from, "--to", "144", "--admin", &at]);
                told.contains(target).then_some(())
            });
        };
        let [first, second] = [&centre, &other].map(|phone| format!("sip:help@{}", phone.local()));
        let columns = "(username, domain, region, target)";
        _ = p.database.sql(&format!(
            "INSERT INTO emergency_mapping {columns} VALUES ('144', '', '', '{first}')"
        ));
        leads_to(&first);
        is_helped(&alice, &centre, &uri("144"));
        _ = p.database.sql(&format!(
            "UPDATE emergency_mapping SET target = '{second}' WHERE username = '144'"
        ));
        leads_to(&second);
        is_helped(&alice, &other, &uri("144"));
        // What is written by command afterwards leaves it as it is.
        ngn(p, &["emergency", "add", "133", &first]);
        leads_to(&second);
        _ = p.database.sql("DELETE FROM emergency_mapping WHERE username = '144'");
        leads_to("404");
    });
}

// B165: the settings may ask for more.
#[test]
fn b165_who_needs_no_password_can_be_chosen() {
    for callers in ["registered", "nobody"] {
        let settings = format!("{SETTINGS}\n[emergency]\nwithout_password = \"{callers}\"\n");
        let p = &Platform::start_with(Backend::Sqlite, &[("sipd", &settings)]);
        let mut alice = caller(p, "alice", &[], "");
        let centre = emergency_centre(p, &format!("alice@{DOMAIN}"));
        let help = call_without_password(&alice, &uri("112"));
        assert_eq!(last(&alice, &help).status(), 407, "{callers}");
        // A password is as good as ever.
        call(&alice, &uri("112"), &[]);
        answer(&centre, "200 OK");
        alice.receive_where(|m| m.status() == 200).unwrap();
        assert_eq!(alice.register(300).unwrap().status(), 200);
        let help = call_without_password(&alice, &uri("112"));
        if callers == "registered" {
            centre
                .receive_where(|m| m.header("call-id") == Some(&help.call_id))
                .map(|m| centre.send(&response(&m, "486 Busy Here", "c", &[])).unwrap())
                .unwrap();
            assert_eq!(last(&alice, &help).status(), 486, "{callers}");
        } else {
            assert_eq!(last(&alice, &help).status(), 407, "{callers}");
        }
    }
}

// B76, B147, B165: a limit of simultaneous calls holds for everything else.
#[test]
fn b165_beyond_limits_of_calls() {
    on_both(SETTINGS, |p| {
        let (alice, gw) = limited(p);
        let centre = emergency_centre(p, &format!("alice@{DOMAIN}"));
        call(&alice, &uri("+431234567"), &[]);
        answer(&gw, "200 OK");
        alice.receive_where(|m| m.status() == 200).unwrap();
        call(&alice, &uri("+431234568"), &[]);
        let refused = alice.receive_where(|m| m.status() == 403).unwrap();
        assert_eq!(refused.start, "SIP/2.0 403 Call Limit Reached");
        is_helped(&alice, &centre, &uri("112"));

        let trunk = Phone::at("127.0.0.2", p.sip_address(), "+4366412345@trunk.example", "");
        let peer = record! { ip: "127.0.0.2", blocked: 1 };
        p.admin().ok("Sip.addTrustedPeer", record! { peer: peer });
        p.settle();
        let at_us = |user: &str| format!("sip:{user}@{}", p.sip_address());
        let other = call_without_password(&trunk, &at_us("+431234567"));
        assert_eq!(last(&trunk, &other).status(), 403);
        is_helped(&trunk, &centre, &at_us("112"));
    });
}

// RFC 3261 section 21.5.4: a server that takes no new calls takes emergency calls.
#[test]
fn emergency_calls_are_not_shed() {
    let mut p = Platform::start_with(Backend::Sqlite, &[("sipd", SETTINGS)]);
    let alice = caller(&p, "alice", &[], "");
    let mut bob = caller(&p, "bob", &[], "");
    assert_eq!(bob.register(300).unwrap().status(), 200);
    let centre = emergency_centre(&p, &format!("alice@{DOMAIN}"));
    // A call that was answered.
    let lasting = call(&alice, &uri("bob"), &[]);
    answer(&bob, "200 OK");
    let answered = last(&alice, &lasting);
    assert_eq!(answered.status(), 200);
    // While a call rings, the server that is told to end goes on for some seconds, and refuses new requests.
    call(&alice, &uri("bob"), &[]);
    bob.receive_where(|m| m.method() == "INVITE").unwrap();
    let server = p.sip_address();
    thread::scope(|scope| {
        let stopping = scope.spawn(|| p.stop());
        eventually("new requests are refused", || {
            let other = Phone::new(server, &format!("alice@{DOMAIN}"), "secret");
            let options = Request::new("OPTIONS", &uri("bob"), &other.aor(), &uri("bob"));
            other.send(&options.bytes(&other)).unwrap();
            (last(&other, &options).status() == 503).then_some(())
        });
        is_helped(&alice, &centre, &uri("112"));
        // Whoever talks can still hang up.
        alice.send(&lasting.bye(&answered).bytes(&alice)).unwrap();
        let bye = bob.receive_where(|m| m.method() == "BYE").unwrap();
        bob.send(&response(&bye, "200 OK", "callee", &[])).unwrap();
        let of_it = |m: &Message| m.header("cseq").is_some_and(|cseq| cseq.ends_with(" BYE"));
        assert_eq!(alice.receive_where(of_it).unwrap().status(), 200);
        stopping.join().unwrap();
    });
}

// Calls that last keep a server that is told to end for some seconds, and no longer than they do.
#[test]
fn whoever_talks_can_hang_up_while_the_server_ends() {
    let mut p = Platform::start_with(Backend::Sqlite, &[("sipd", SETTINGS)]);
    let alice = caller(&p, "alice", &[], "");
    let mut bob = caller(&p, "bob", &[], "");
    assert_eq!(bob.register(300).unwrap().status(), 200);
    let lasting = call(&alice, &uri("bob"), &[]);
    answer(&bob, "200 OK");
    let answered = last(&alice, &lasting);
    p.program().signal("TERM").unwrap();
    let server = p.sip_address();
    eventually("new calls are refused", || {
        let other = Phone::new(server, &format!("alice@{DOMAIN}"), "secret");
        let invite = call_without_password(&other, &uri("bob"));
        (last(&other, &invite).status() == 503).then_some(())
    });
    alice.send(&lasting.bye(&answered).bytes(&alice)).unwrap();
    let bye = bob.receive_where(|m| m.method() == "BYE").unwrap();
    bob.send(&response(&bye, "200 OK", "callee", &[])).unwrap();
    let of_it = |m: &Message| m.header("cseq").is_some_and(|cseq| cseq.ends_with(" BYE"));
    assert_eq!(alice.receive_where(of_it).unwrap().status(), 200);
    assert!(p.program().wait().unwrap().success());
}

// B165, RFC 6442: where the caller is goes along untouched, and another target takes over from one that fails or is silent.
#[test]
fn b165_location_goes_along_and_targets_take_over() {
    let settings = SETTINGS.replace("[pstn]\n", "[pstn]\nsilent_seconds = 1\n");
    on_both(&settings, |p| {
        let alice = caller(p, "alice", &[], "");
        // Those for the domain come before the default.
        let (first, second) = (stand_in(p), stand_in(p));
        let near = format!("sip:near@{}", first.local());
        ngn(p, &["emergency", "add", "112", &near, "--domain", DOMAIN]);
        let far = format!("sip:help@{}", second.local());
        ngn(p, &["emergency", "add", "112", &far]);
        let at = p.admin_address().to_string();
        eventually("both targets are known", || {
            let from = format!("alice@{DOMAIN}");
            let told = ngn(p, &["explain", "--from", &from, "--to", "112", "--admin", &at]);
            (told.contains(&near) && told.contains(&far)).then_some(())
        });
        let place =
            "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"pres:alice@sip.example\"/>";
        let located = || {
            let mut help = Request::new("INVITE", &uri("112"), &alice.aor(), &uri("112"))
                .with("Contact", &format!("<{}>", alice.contact()))
                .with("Geolocation", "<cid:alice@sip.example>")
                .with("Geolocation-Routing", "yes")
                .with("Content-Type", "application/pidf+xml");
            help.body = place.to_owned();
            alice.send(&help.bytes(&alice)).unwrap();
            help
        };
        let arrives = |at: &Phone, user: &str| {
            let invite = at.receive_where(|message| message.method() == "INVITE").unwrap();
            assert_eq!(request_user(&invite), user);
            assert_eq!(invite.header("geolocation"), Some("<cid:alice@sip.example>"));
            assert_eq!(invite.header("geolocation-routing"), Some("yes"));
            assert_eq!(invite.body, place);
            invite
        };
        let answered = |at: &Phone, invite: &Message, status: &str| {
            let contact = format!("<{}>", at.contact());
            at.send(&response(invite, status, "centre", &[("Contact", &contact)])).unwrap();
        };
        for status in [Some("503 Service Unavailable"), Some("486 Busy Here"), None] {
            let help = located();
            let invite = arrives(&first, "near");
            if let Some(status) = status {
                answered(&first, &invite, status);
            }
            let invite = arrives(&second, "help");
            answered(&second, &invite, "200 OK");
            assert_eq!(last(&alice, &help).status(), 200, "{status:?}");
        }
    });
}
