//! Calls to numbers that ENUM knows (RFC 6116): those of our own ranges, and those that the DNS has.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use ngn_tests::database::Backend;
use ngn_tests::fixture::{carrier, enum_id, enum_number, range, route};
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::sip::{Message, Phone};
use ngn_tests::{http, record, sip_id};

use crate::fixture::DOMAIN;
use crate::pstn::{
    SETTINGS, answer, call, caller, gateway, ngn, on_both, outcome, request_user, routes, stand_in,
    uri,
};

/// The settings of a platform that asks a name server about numbers that are not its own.
fn asking(server: SocketAddr, more: &str) -> String {
    format!(
        "{SETTINGS}\n[enum]\ndns_trees = [\"e164.arpa\"]\n{more}\n[dns]\nservers = [\"{server}\"]\nattempts = 0\n"
    )
}

/// A gateway that takes every number.
fn telco(p: &Platform) -> Phone {
    let gw = stand_in(p);
    let telco = carrier(&p.admin(), "Telco");
    gateway(p, telco, "gw", gw.local());
    routes(p, vec![route(telco, "")]);
    gw
}

// B100, B105, B106: a number of ours leads to an account, without the telephone network, and changes are followed.
#[test]
fn b105_numbers_of_our_ranges() {
    on_both(SETTINGS, |p| {
        // Who may call no number calls those that are accounts.
        let alice = caller(p, "alice", &[], "");
        let (mut bob, mut carol) = (caller(p, "bob", &[], ""), caller(p, "carol", &[], ""));
        let admin = p.admin();
        range(&admin, "43720");
        let number = enum_number("43720555", &format!("sip:bob@{DOMAIN}"));
        admin.ok("Enum.addNumber", record! { number: number });
        p.settle();
        assert_eq!(bob.register(300).unwrap().status(), 200);
        assert_eq!(carol.register(300).unwrap().status(), 200);
        for dialled in ["+43720555", "0043720555"] {
            call(&alice, &uri(dialled), &[]);
            assert_eq!(request_user(&answer(&bob, "486 Busy Here")), "bob");
            alice.receive_where(|m| m.status() == 486).unwrap();
        }
        // B166: who was reached received the call; rating sees how.
        let window = record! { fromDate: 0, toDate: i64::from(i32::MAX), limit: 9 };
        let query = record! { sipId: sip_id(&format!("bob@{DOMAIN}")), query: record! { received: window } };
        eventually("both calls are recorded", || {
            let found = p.admin().ok("Sip.getCalls", query.clone());
            (found.at("received").children.len() == 2).then_some(())
        });
        let trees = p.database.sql("SELECT DISTINCT ENUMtld FROM radacct");
        assert_eq!(trees.trim(), "e164.arpa");
        let at = p.admin_address().to_string();
        let from = format!("alice@{DOMAIN}");
        let told = ngn(p, &["explain", "--from", &from, "--to", "0043720555", "--admin", &at]);
        assert!(told.contains("B105") && told.contains("+43720555"), "{told}");

        let number = enum_number("43720555", &format!("sip:carol@{DOMAIN}"));
        admin.ok("Enum.updateNumber", record! { number: number });
        p.settle();
        call(&alice, &uri("+43720555"), &[]);
        assert_eq!(request_user(&answer(&carol, "480 Temporarily Unavailable")), "carol");
        alice.receive_where(|m| m.status() == 480).unwrap();

        admin.ok("Enum.deleteNumber", record! { enumId: enum_id("43720555") });
        p.settle();
        call(&alice, &uri("+43720555"), &[]);
        assert_eq!(alice.receive_where(|m| m.status() == 403).unwrap().status(), 403, "B66");
    });
}

// RFC 6116 section 3: a number of somebody else's range is asked for in the DNS; what that does not have is a gateway's.
#[test]
fn numbers_that_the_dns_has() {
    let foreign = Platform::start(Backend::Sqlite);
    let settings = asking(foreign.dns_address(), "");
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        let p = &Platform::start_with(backend, &[("sipd", &settings)]);
        let phone = caller(p, "alice", &["free-pstn"], "");
        let (gw, other) = (telco(p), stand_in(p));
        let number = format!("+4420{}", other.local().port());
        let admin = foreign.admin();
        if backend == Backend::Sqlite {
            range(&admin, "4420");
        }
        let number_there = enum_number(&number, &format!("sip:info@{}", other.local()));
        admin.ok("Enum.addNumber", record! { number: number_there });
        foreign.settle();
        call(&phone, &uri(&number), &[]);
        let invite = answer(&other, "486 Busy Here");
        assert_eq!(request_user(&invite), "info");
        assert_eq!(outcome(&phone).status(), 486);
        // B130: when that cannot be reached, a gateway takes the number.
        call(&phone, &uri(&number), &[]);
        answer(&other, "503 Service Unavailable");
        let expected = number.replace('+', "00");
        assert_eq!(request_user(&answer(&gw, "480 Temporarily Unavailable")), expected);
        phone.receive_where(|m| m.status() == 480).unwrap();
        call(&phone, &uri(&number), &[]);
        answer(&other, "200 OK");
        phone.receive_where(|m| m.status() == 200).unwrap();
        call(&phone, &uri(&number), &[]);
        answer(&other, "500 Server Internal Error");
        answer(&gw, "200 OK");
        phone.receive_where(|m| m.status() == 200).unwrap();
        // Whose call ENUM led, and whose a gateway took instead.
        let trees = "SELECT CASE ENUMtld WHEN '' THEN 'none' ELSE ENUMtld END FROM radacct \
                     WHERE SipResponseCode = 200 ORDER BY RadAcctId";
        eventually("both calls are recorded", || {
            let trees = p.database.sql(trees);
            (trees.lines().count() == 2).then(|| assert_eq!(trees.trim(), "e164.arpa\nnone"))
        });

        call(&phone, &uri("+44209999"), &[]);
        assert_eq!(request_user(&answer(&gw, "404 Not Found")), "0044209999");
        phone.receive_where(|m| m.status() == 404).unwrap();
        let shown = http::get(p.admin_address(), "/metrics").unwrap().text();
        let found = shown.lines().find(|l| l.contains("enum_lookups") && l.contains("\"found\""));
        assert!(found.is_some_and(|line| line.ends_with(" 4")), "{found:?}");

        // The number's range is ours now: nobody else is asked.
        range(&p.admin(), "4420");
        p.settle();
        call(&phone, &uri(&number), &[]);
        assert_eq!(request_user(&answer(&gw, "410 Gone")), expected);
        phone.receive_where(|m| m.status() == 410).unwrap();
        admin.ok("Enum.deleteNumber", record! { enumId: enum_id(&number) });
    }
}

// A name server that says nothing keeps no call from a gateway, and a call that waits for it can be given up.
#[test]
fn calls_go_on_without_the_dns() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let settings = asking(silent.local_addr().unwrap(), "timeout_milliseconds = 300");
    let p = &Platform::start_with(Backend::Sqlite, &[("sipd", &settings)]);
    let phone = caller(p, "alice", &["free-pstn"], "");
    let gw = telco(p);
    for number in ["0044201", "0044202", "0044202", "0044203", "0044204"] {
        call(&phone, &uri(number), &[]);
        assert_eq!(request_user(&answer(&gw, "486 Busy Here")), number);
        phone.receive_where(|m| m.status() == 486).unwrap();
    }

    let patient = "timeout_milliseconds = 10000";
    let settings = asking(silent.local_addr().unwrap(), patient)
        .replace("attempts = 0", "attempts = 0\ntimeout_milliseconds = 10000");
    let p = &Platform::start_with(Backend::Sqlite, &[("sipd", &settings)]);
    let phone = caller(p, "alice", &["free-pstn"], "");
    let gw = telco(p);
    let invite = call(&phone, &uri("0044201"), &[]);
    phone.receive_where(|m| m.status() == 100).unwrap();
    let trying = |m: &Message| m.status() > 100;
    phone.send(&invite.cancel().bytes(&phone)).unwrap();
    let cancelled =
        phone.receive_where(|m| m.header("cseq").unwrap().contains("INVITE") && trying(m));
    assert_eq!(cancelled.unwrap().status(), 487, "RFC 3261 section 9.2");
    assert!(gw.receive_within(Duration::from_millis(200)).is_err(), "it was given up");
    let account = sip_id(&format!("alice@{DOMAIN}"));
    let window = record! { fromDate: 0, toDate: i64::from(i32::MAX), limit: 9 };
    let query = record! { sipId: account, query: record! { placed: window } };
    eventually("the call leaves its record", || {
        let found = p.admin().ok("Sip.getCalls", query.clone());
        format!("{found:?}").contains("487").then_some(())
    });
}
