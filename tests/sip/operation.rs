//! What the operator sees of a running sipd: calls, registrations, messages, metrics, and how it ends.

use ngn_tests::database::Backend;
use std::process::Command;

use ngn_tests::binaries::program;
use ngn_tests::certificates::Authority;
use ngn_tests::fixture::{account, carrier, domain, route};
use ngn_tests::hep::Collector;
use ngn_tests::http;
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::program::Program;
use ngn_tests::sip::{Phone, Request, response};
use serde_json::Value as Json;

use crate::fixture::DOMAIN;
use crate::pstn::{SETTINGS, call, caller, gateway, ngn, on_both, outcome, routes, stand_in, uri};
use crate::secure;

/// What a command says about a platform, one JSON value for each line.
pub(crate) fn lines(p: &Platform, arguments: &[&str]) -> Vec<Json> {
    let admin = p.admin_address().to_string();
    let told = ngn(p, &[arguments, &["--json", "--admin", &admin]].concat());
    told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A call is seen in setup, while it rings, and when it was answered, with where it went; then no more.
#[test]
fn calls_are_seen_as_they_stand() {
    on_both(SETTINGS, |p| {
        let phone = caller(p, "alice", &["free-pstn"], "");
        let gw = stand_in(p);
        let telco = carrier(&p.admin(), "Telco");
        gateway(p, telco, "gw", gw.local());
        routes(p, vec![route(telco, "")]);
        assert_eq!(lines(p, &["calls"]), Vec::<Json>::new());
        let invite = call(&phone, &uri("+31201234567"), &[]);
        let asked = gw.receive_where(|message| message.method() == "INVITE").unwrap();
        let one = |state: &str| {
            eventually(state, || lines(p, &["calls"]).pop().filter(|call| call["state"] == state))
        };
        let seen = one("setup");
        assert_eq!(seen["call_id"], invite.call_id.as_str());
        assert_eq!((&seen["gateway"], &seen["target"]), (&"".into(), &"".into()));
        assert_eq!(seen["account"], format!("alice@{DOMAIN}"));
        assert_eq!(seen["source"], format!("udp:{}", phone.local()));
        gw.send(&response(&asked, "180 Ringing", "callee", &[])).unwrap();
        assert_eq!(one("ringing")["gateway"], "gw");
        let contact = format!("<{}>", gw.contact());
        gw.send(&response(&asked, "200 OK", "callee", &[("Contact", &contact)])).unwrap();
        let answered = outcome(&phone);
        let seen = one("established");
        assert!(seen["target"].as_str().unwrap().contains("0031201234567@"), "{seen}");

        for (arguments, count) in [
            (["--account", "alice@sip.example"], 1),
            (["--account", "bob@sip.example"], 0),
            (["--domain", DOMAIN], 1),
            (["--domain", "other.example"], 0),
            (["--number", "0031201234567"], 1),
            (["--number", "+31209999999"], 0),
        ] {
            assert_eq!(
                lines(p, &[&["calls"], &arguments[..]].concat()).len(),
                count,
                "{arguments:?}"
            );
        }
        let admin = p.admin_address().to_string();
        let told = ngn(p, &["calls", "--admin", &admin]);
        assert!(told.starts_with("STATE") && told.contains("gateway gw"), "{told}");

        phone.send(&invite.bye(&answered).bytes(&phone)).unwrap();
        let bye = gw.receive_where(|message| message.method() == "BYE").unwrap();
        gw.send(&response(&bye, "200 OK", "callee", &[])).unwrap();
        eventually("its end", || lines(p, &["calls"]).is_empty().then_some(()));
    });
}

/// Registrations of several domains, from the memory of sipd and from the database alike.
#[test]
fn registrations_are_seen_by_account_domain_and_address() {
    on_both("", |p| {
        for name in ["one.example", "two.example"] {
            domain(&p.admin(), name);
        }
        for name in ["alice@one.example", "bob@one.example", "alice@two.example"] {
            account(&p.admin(), name);
        }
        p.settle();
        let phone = |name| Phone::new(p.sip_address(), name, "secret");
        let mut alice = phone("alice@one.example");
        let mut others = [phone("bob@one.example"), phone("alice@two.example")];
        let more = [
            ("Contact", "<sip:alice@10.0.0.1:5060>"),
            ("Expires", "300"),
            ("User-Agent", "phone/1 (a test)"),
        ];
        assert_eq!(alice.register_with(&more).unwrap().status(), 200);
        for other in &mut others {
            assert_eq!(other.register(300).unwrap().status(), 200);
        }
        let one = &lines(p, &["registrations", "--account", "alice@one.example"])[0];
        assert_eq!(one["contact"], "sip:alice@10.0.0.1:5060");
        assert_eq!(
            (&one["received"], &one["nat"]),
            (&alice.local().to_string().into(), &true.into())
        );
        assert_eq!(
            (&one["user_agent"], &one["transport"]),
            (&"phone/1 (a test)".into(), &"udp".into())
        );
        assert!((1..=300).contains(&one["expires"].as_i64().unwrap()), "{one}");
        let port = alice.local().to_string();
        for (arguments, count) in [
            (&["registrations"][..], 3),
            (&["registrations", "--account", "alice"], 2),
            (&["registrations", "--domain", "one.example"], 2),
            (&["registrations", "--address", "127.0.0.0/8"], 3),
            (&["registrations", "--address", &port], 1),
            (&["registrations", "--address", "192.0.2.1"], 0),
        ] {
            assert_eq!(lines(p, arguments).len(), count, "{arguments:?}");
            let stored = [arguments, &["--json", "--database", &p.database.url]].concat();
            assert_eq!(ngn(p, &stored).lines().count(), count, "{arguments:?} in the database");
        }
        let counts = &lines(p, &["registrations", "--count"])[0];
        assert_eq!((&counts["one.example"], &counts["two.example"]), (&2.into(), &1.into()));
        let admin = p.admin_address().to_string();
        let told = ngn(p, &["registrations", "--admin", &admin]);
        assert!(told.contains(" NAT ") && told.ends_with("3 registrations\n"), "{told}");
        let reply = http::get(p.admin_address(), "/registrations?address=nowhere").unwrap();
        assert_eq!(reply.status, 400, "{}", reply.text());
    });
}

/// Pages go on where the one before ended, and each holds what it may and no more.
#[test]
fn registrations_come_in_pages() {
    let p = Platform::start(Backend::Sqlite);
    crate::fixture::accounts(&p, "u", 5);
    for n in 0..5 {
        let mut phone = Phone::new(p.sip_address(), &format!("u{n}@{DOMAIN}"), "secret");
        assert_eq!(phone.register(300).unwrap().status(), 200);
    }
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let reply =
            http::get(p.admin_address(), &format!("/registrations?limit=2{after}")).unwrap();
        let page: Json = serde_json::from_str(&reply.text()).unwrap();
        let found = page["registrations"].as_array().unwrap();
        assert!(found.len() <= 2, "{page}");
        seen.extend(found.iter().map(|one| one["account"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    let all: Vec<String> = (0..5).map(|n| format!("u{n}@{DOMAIN}")).collect();
    assert_eq!(seen, all);
}

/// Somebody who watches, once the server has let them in.
fn watch(p: &Platform, arguments: &[&str]) -> Program {
    let mut command = Command::new(program("ngn"));
    command.arg("trace").args(arguments).args(["--admin", &p.admin_address().to_string()]);
    command.env("TZ", "UTC");
    let mut watcher = Program::start("ngn trace", command).unwrap();
    watcher.wait_for("being let in", |line| line.contains("watching").then_some(())).unwrap();
    watcher
}

/// What was seen when a watcher has ended by itself, one JSON value for each message.
fn seen(mut watcher: Program) -> Vec<Json> {
    assert!(watcher.wait().unwrap().success(), "{}", watcher.log());
    // Its last words may still be on their way.
    let count = |log: &str| log.lines().filter(|line| line.starts_with('{')).count();
    let mut log = watcher.log();
    eventually("all of them", || {
        let before = std::mem::replace(&mut log, watcher.log());
        (count(&before) > 0 && before == log).then_some(())
    });
    let lines = log.lines().filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A registration as it happens: of the account that is named, whole, with time and both ends, and without secrets.
#[test]
fn messages_are_watched_as_they_come_and_go() {
    let p = Platform::start(Backend::Sqlite);
    crate::fixture::accounts(&p, "u", 2);
    let alice = format!("u0@{DOMAIN}");
    let by_account = watch(&p, &["--account", &alice, "--json", "--count", "4"]);
    let mut phone = Phone::new(p.sip_address(), &alice, "secret");
    let mut other = Phone::new(p.sip_address(), &format!("u1@{DOMAIN}"), "secret");
    let address = phone.local().to_string();
    let by_address = watch(&p, &["--address", &address, "--method", "REGISTER", "--count", "4"]);
    assert_eq!(other.register(60).unwrap().status(), 200);
    assert_eq!(phone.register(60).unwrap().status(), 200);
    let messages = seen(by_account);
    let of =
        |name: &str| messages.iter().map(|one| one[name].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(of("direction"), ["in", "out", "in", "out"]);
    assert_eq!(of("status"), ["", "401", "", "200"]);
    let (there, here) = (address.as_str(), p.sip_address().to_string());
    assert_eq!(of("source"), [there, &here, there, &here]);
    assert_eq!(of("destination"), [&here, there, &here, there]);
    assert!(of("message").iter().all(|text| text.ends_with("\r\n\r\n")), "{messages:?}");
    let answer = of("message")[2];
    assert!(
        answer.contains("Authorization: Digest") && answer.contains("response=\"masked\""),
        "{answer}"
    );
    let mut by_address = by_address;
    assert!(by_address.wait().unwrap().success());
    let told = eventually("the end", || {
        let log = by_address.log();
        log.contains("SIP/2.0 200").then_some(log)
    });
    assert!(told.contains(&format!(" UTC in udp {there} -> {here}")), "{told}");
    assert!(!told.contains("u1@"), "{told}");
}

/// What comes over TLS is shown as it was said.
#[test]
fn messages_over_tls_are_watched_as_plain_text() {
    let (p, authority, server): (Platform, Authority, _) = secure::platform("DNS:own.example");
    domain(&p.admin(), "sip.example");
    p.settle();
    let watcher = watch(&p, &["--method", "OPTIONS", "--json", "--count", "2"]);
    let mut connection = authority.connect(server, "own.example").unwrap();
    assert!(secure::answers(&mut connection, "sip.example"));
    let messages = seen(watcher);
    assert!(messages.iter().all(|one| one["transport"] == "tls"), "{messages:?}");
    assert!(messages[0]["message"].as_str().unwrap().starts_with("OPTIONS sip:sip.example"));
    assert!(messages[1]["message"].as_str().unwrap().starts_with("SIP/2.0 200"));
}

/// Collectors get packets by the specification: of all messages by the settings, of those that somebody watches by hand.
#[test]
fn collectors_are_sent_messages_by_hep() {
    let (always, by_hand) = (Collector::start().unwrap(), Collector::start().unwrap());
    let settings = format!("[trace]\nhep = \"{}\"\nhep_id = 7\n", always.address().unwrap());
    let p = Platform::start_with(Backend::Sqlite, &[("sipd", &settings)]);
    crate::fixture::accounts(&p, "u", 1);
    let place = format!("{}:9", by_hand.address().unwrap());
    let mut watcher = watch(&p, &["--hep", &place, "--count", "4"]);
    let mut phone = Phone::new(p.sip_address(), &format!("u0@{DOMAIN}"), "secret");
    assert_eq!(phone.register(60).unwrap().status(), 200);
    for (collector, id) in [(&always, 7), (&by_hand, 9)] {
        let mut last = None;
        for n in 0..4 {
            let one = collector.receive().unwrap();
            let (from, to) = (phone.local(), p.sip_address());
            let ends = if n % 2 == 0 { (from, to) } else { (to, from) };
            assert_eq!((one.source, one.destination), ends);
            assert_eq!((one.protocol, one.capture_id), (17, id));
            assert!(one.seconds > 1_700_000_000 && one.microseconds < 1_000_000, "{one:?}");
            assert!(
                one.message.contains(&format!("Call-ID: {}\r\n", one.correlation_id)),
                "{one:?}"
            );
            last = Some((one.message, n));
            if n == 2 {
                let (message, _) = last.as_ref().unwrap();
                assert!(
                    message.starts_with("REGISTER ") && message.contains("response=\"masked\""),
                    "{message}"
                );
            }
        }
        assert!(last.unwrap().0.starts_with("SIP/2.0 200"));
    }
    assert!(watcher.wait().unwrap().success());
    watcher.wait_for("the sum", |line| line.contains("4 messages sent").then_some(())).unwrap();
}

/// While it stops, what was begun goes on, what is new is turned away, and the admin port says so.
#[test]
fn the_end_can_be_watched() {
    let mut p = Platform::start_with(Backend::Sqlite, &[("sipd", SETTINGS)]);
    let phone = caller(&p, "alice", &["free-pstn"], "");
    let gw = stand_in(&p);
    let telco = carrier(&p.admin(), "Telco");
    gateway(&p, telco, "gw", gw.local());
    routes(&p, vec![route(telco, "")]);
    let invite = call(&phone, &uri("+31201234567"), &[]);
    let asked = gw.receive_where(|message| message.method() == "INVITE").unwrap();
    let contact = format!("<{}>", gw.contact());
    gw.send(&response(&asked, "200 OK", "callee", &[("Contact", &contact)])).unwrap();
    let answered = outcome(&phone);

    p.program().signal("TERM").unwrap();
    let admin = p.admin_address();
    let ready = eventually("it stops", || {
        let reply = http::get(admin, "/ready").unwrap();
        (reply.status == 503).then(|| reply.text())
    });
    assert!(ready.contains("it is stopping"), "{ready}");
    assert!(http::get(admin, "/metrics").unwrap().text().ends_with("# EOF\n"));
    assert_eq!(lines(&p, &["calls"]).len(), 1);
    let stranger = Phone::new(p.sip_address(), "eve@elsewhere.example", "");
    let to = format!("sip:{DOMAIN}");
    let refused = stranger.transact(&Request::new("OPTIONS", &to, &stranger.aor(), &to)).unwrap();
    assert_eq!(refused.status(), 503);
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    phone.send(&invite.bye(&answered).bytes(&phone)).unwrap();
    let bye = gw.receive_where(|message| message.method() == "BYE").unwrap();
    gw.send(&response(&bye, "200 OK", "callee", &[])).unwrap();
    assert_eq!(outcome(&phone).status(), 200);
    assert!(p.program().wait().unwrap().success());
}
