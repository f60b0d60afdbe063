//! Strangers that guess, scan, flood and borrow addresses: what they get, and that nobody else notices.

use std::time::{Duration, Instant};

use ngn_tests::database::Backend;
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::sip::{Message, Phone, Request, response, unique};
use ngn_tests::{http, record};
use serde_json::Value as Json;

use crate::emergencies::emergency_centre;
use crate::fixture::DOMAIN;
use crate::operation::lines;
use crate::pstn::{
    SETTINGS, answer, call, call_without_password, caller, last, ngn, request_user, uri,
};

/// However busy the machine is, it is no overload.
pub(crate) const PATIENT: &str = "registrations_milliseconds = 30000\ncalls_milliseconds = 30000\n\
                       dialogs_milliseconds = 30000\n";

/// A platform that takes every address on loopback for a stranger's.
fn guarded(more: &str) -> Platform {
    let settings = format!("{SETTINGS}\n[overload]\n{PATIENT}\n[guard]\nexempt = []\n{more}\n");
    Platform::start_with(Backend::Sqlite, &[("sipd", &settings)])
}

/// A phone of an account at an address.
fn at(p: &Platform, ip: &str, user: &str, password: &str) -> Phone {
    Phone::at(ip, p.sip_address(), &format!("{user}@{DOMAIN}"), password)
}

/// Registers once; gives the status.
fn register(phone: &mut Phone) -> u16 {
    phone.register(300).unwrap().status()
}

/// Everything that comes within a time.
fn all(phone: &Phone, time: Duration) -> Vec<Message> {
    let until = Instant::now() + time;
    let mut came = Vec::new();
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        came.extend(phone.receive_within(left.max(Duration::from_millis(1))));
    }
    came
}

/// The value of a metric.
fn metric(p: &Platform, name: &str) -> u64 {
    let text = http::get(p.admin_address(), "/metrics").unwrap().text();
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in {text}"))
}

fn is_helped(phone: &Phone, centre: &Phone, agent: &str) {
    let contact = format!("<{}>", phone.contact());
    let to = uri("112");
    let help = Request::new("INVITE", &to, &phone.aor(), &to)
        .with("Contact", &contact)
        .with("User-Agent", agent);
    phone.send(&help.bytes(phone)).unwrap();
    assert_eq!(request_user(&answer(centre, "200 OK")), "help");
    assert_eq!(last(phone, &help).status(), 200);
}

// A source that guesses passwords hears the same whatever it says, its neighbours and those whom it wants to be do not.
#[test]
fn guessing_from_one_source() {
    let mut p = guarded("source_failures = 5\naccount_failures = 1000\n");
    let mut alice = caller(&p, "alice", &[], "");
    caller(&p, "bob", &[], "");
    caller(&p, "carol", &[], "");
    assert_eq!(register(&mut alice), 200);
    let mut carol = at(&p, "127.0.0.9", "carol", "secret");
    assert_eq!(register(&mut carol), 200);
    let tries: Vec<u16> = (0..5)
        .map(|n| register(&mut at(&p, "127.0.0.9", ["alice", "nobody"][n % 2], "guess")))
        .collect();
    assert_eq!(tries, [401; 5], "known or not");
    let answers: Vec<(String, Vec<String>)> =
        [("alice", "guess"), ("bob", "secret"), ("nobody", "x")]
            .into_iter()
            .map(|(user, password)| {
                let told = at(&p, "127.0.0.9", user, password).register(300).unwrap();
                let names = told.headers.iter().map(|(name, _)| name.clone()).collect();
                (told.start, names)
            })
            .collect();
    assert!(answers[0].0.starts_with("SIP/2.0 403"), "{answers:?}");
    assert!(answers.iter().all(|one| *one == answers[0]), "{answers:?}");
    assert!(answers[0].1.iter().all(|name| !name.contains("authenticate")));
    // Calls are no way around it.
    let eve = at(&p, "127.0.0.9", "bob", "secret");
    let invite = call_without_password(&eve, &uri("alice"));
    assert_eq!(last(&eve, &invite).status(), 403);
    // Those who were there before are served, at home and beside the one who guesses.
    assert_eq!((register(&mut alice), register(&mut carol)), (200, 200));
    assert_eq!(register(&mut at(&p, "127.0.0.8", "bob", "secret")), 200);
    // Nobody is kept from calling for help.
    let centre = emergency_centre(&p, &format!("alice@{DOMAIN}"));
    is_helped(&eve, &centre, "phone");
    assert_eq!(metric(&p, "sipd_guard_bans_total{of=\"source, wrong passwords\"}"), 1);
    assert_eq!(metric(&p, "sipd_guard_failures_total{what=\"wrong password\"}"), 5);
    let log = p.program().log();
    assert_eq!(log.matches("a source is banned").count(), 1, "{log}");
    assert!(!log.contains("127.0.0.9") && !log.contains("guess"), "{log}");
}

// A ban ends.
#[test]
fn a_ban_ends() {
    let p = guarded("source_failures = 2\nban_seconds = 1\n");
    caller(&p, "alice", &[], "");
    for _ in 0..2 {
        assert_eq!(register(&mut at(&p, "127.0.0.9", "alice", "guess")), 401);
    }
    let mut alice = at(&p, "127.0.0.9", "alice", "secret");
    assert_eq!(register(&mut alice), 403);
    eventually("the ban is over", || (register(&mut alice) == 200).then_some(()));
}

// The operator sees who is banned, and lets them in again.
#[test]
fn bans_are_seen_and_lifted() {
    let p = guarded("source_failures = 2\naccount_failures = 2\nban_seconds = 3600\n");
    caller(&p, "alice", &[], "");
    caller(&p, "bob", &[], "");
    assert_eq!(lines(&p, &["bans"]), Vec::<Json>::new());
    for _ in 0..2 {
        assert_eq!(register(&mut at(&p, "127.0.0.9", "alice", "guess")), 401);
    }
    let (mut bob, mut alice) =
        (at(&p, "127.0.0.9", "bob", "secret"), at(&p, "127.0.0.8", "alice", "secret"));
    assert_eq!((register(&mut bob), register(&mut alice)), (403, 403));
    let of = |ban: &Json| (ban["who"].as_str().unwrap().to_owned(), ban["why"].clone());
    let [source, account] = &lines(&p, &["bans"])[..] else { panic!("two bans") };
    let name = format!("alice@{DOMAIN}");
    assert_eq!(of(source), ("127.0.0.9".to_owned(), "wrong passwords".into()));
    assert_eq!(of(account), (name.clone(), "guarded".into()));
    assert!((3_000..=3_600).contains(&source["seconds"].as_u64().unwrap()), "{source}");
    for (filter, count) in [
        (["--address", "127.0.0.9"], 1),
        (["--address", "127.0.0.8"], 0),
        (["--account", &name], 1),
        (["--account", "bob@sip.example"], 0),
    ] {
        assert_eq!(lines(&p, &[&["bans"], &filter[..]].concat()).len(), count, "{filter:?}");
    }
    assert_eq!(of(&lines(&p, &["bans", "lift", "127.0.0.9"])[0]), of(source));
    assert_eq!(register(&mut bob), 200);
    assert_eq!(register(&mut alice), 403, "that is another ban");
    assert_eq!(of(&lines(&p, &["bans", "lift", &name])[0]), of(account));
    assert_eq!(register(&mut alice), 200);
    let admin = p.admin_address().to_string();
    assert!(ngn(&p, &["bans", "--admin", &admin]).contains("0 bans on "));
    let request = b"DELETE /bans HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let wrong = http::exchange(p.admin_address(), request).unwrap();
    assert_eq!((wrong.status, wrong.text()), (400, "name one `address` or one `account`\n".into()));
}

// An account that many sources guess at stays open for where its user is.
#[test]
fn guessing_from_many_sources() {
    let p = guarded("source_failures = 5\naccount_failures = 10\n");
    let mut alice = caller(&p, "alice", &[], "");
    caller(&p, "bob", &[], "");
    assert_eq!(register(&mut alice), 200);
    for n in 0..10 {
        assert_eq!(register(&mut at(&p, &format!("127.0.1.{n}"), "alice", "guess")), 401);
    }
    assert_eq!(register(&mut at(&p, "127.0.2.1", "alice", "secret")), 403, "a new place");
    assert_eq!(register(&mut at(&p, "127.0.2.1", "alice", "guess")), 403, "the same answer");
    assert_eq!(register(&mut alice), 200, "her place");
    call(&alice, &uri("bob"), &[]);
    assert!(alice.receive_where(|m| m.status() >= 400).unwrap().status() != 403);
    assert_eq!(register(&mut at(&p, "127.0.2.1", "bob", "secret")), 200, "another account");
    assert_eq!(metric(&p, "sipd_guard_bans_total{of=\"account, wrong passwords\"}"), 1);
}

// RFC 3261 section 26.3.2.4: nobody learns from an answer which accounts exist.
#[test]
fn unknown_accounts_look_like_known_ones() {
    let p = guarded("");
    caller(&p, "alice", &[], "");
    // What is different each time: the nonce, tags, and what the request said.
    let shape = |message: &Message| {
        let mask = |(name, value): &(String, String)| match name.as_str() {
            "www-authenticate" | "proxy-authenticate" => {
                let kept: Vec<&str> =
                    value.split(',').filter(|part| !part.contains("nonce")).collect();
                (name.clone(), kept.join(","), value.len())
            }
            _ => (name.clone(), String::new(), 0),
        };
        (message.start.clone(), message.headers.iter().map(mask).collect::<Vec<_>>())
    };
    let mut seen = Vec::new();
    for user in ["alice", "nobody"] {
        let mut phone = at(&p, "127.0.0.9", user, "guess");
        let mut shapes = vec![shape(&phone.register(300).unwrap())];
        for method in ["INVITE", "OPTIONS", "MESSAGE"] {
            let request = Request::new(method, &uri("alice"), &phone.aor(), &uri("alice"));
            phone.send(&request.bytes(&phone)).unwrap();
            let challenge = last(&phone, &request);
            shapes.push(shape(&challenge));
            phone.send(&request.ack(&challenge).bytes(&phone)).unwrap();
            let again = request.answer(&challenge, user, "guess").unwrap();
            phone.send(&again.bytes(&phone)).unwrap();
            let is_second = |m: &Message| m.header("cseq").is_some_and(|c| c.starts_with("2 "));
            shapes.push(shape(&phone.receive_where(is_second).unwrap()));
        }
        seen.push(shapes);
    }
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].iter().all(|(start, _)| start.contains("40")), "{seen:?}");
}

// Scanners by name are not answered, unless they are trusted or call for help.
#[test]
fn scanners_are_not_answered() {
    let p = guarded("");
    caller(&p, "alice", &[], "");
    let centre = emergency_centre(&p, &format!("alice@{DOMAIN}"));
    let options = |phone: &Phone, agent: &str, from: &str| {
        let to = format!("sip:{DOMAIN}");
        let request = Request::new("OPTIONS", &to, from, &to).with("User-Agent", agent);
        phone.send(&request.bytes(phone)).unwrap();
        phone.receive_within(Duration::from_millis(500)).map(|answer| answer.status()).ok()
    };
    let eve = at(&p, "127.0.0.9", "alice", "secret");
    assert_eq!(options(&eve, "phone", "sip:a@elsewhere.example"), Some(200));
    assert_eq!(options(&eve, "friendly-scanner", "sip:a@elsewhere.example"), None);
    assert_eq!(options(&eve, "SIPVicious 0.3", "sip:a@elsewhere.example"), None);
    assert_eq!(options(&eve, "phone", "sip:pplsip@elsewhere.example"), None);
    is_helped(&eve, &centre, "friendly-scanner");
    assert_eq!(metric(&p, "sipd_guard_refused_total{why=\"scanner\"}"), 3);
    p.admin().ok("Sip.addTrustedPeer", record! { peer: record! { ip: "127.0.0.9" } });
    p.settle();
    assert_eq!(options(&eve, "friendly-scanner", "sip:a@elsewhere.example"), Some(200));
}

// Whoever asks for many users that do not exist is not answered any more.
#[test]
fn probing_for_users() {
    let mut p = guarded("unknown_names = 6\n");
    caller(&p, "bob", &[], "");
    caller(&p, "alice", &[], "");
    let mut neighbour = at(&p, "127.0.0.9", "bob", "secret");
    assert_eq!(register(&mut neighbour), 200);
    let stranger = Phone::at("127.0.0.9", p.sip_address(), "eve@elsewhere.example", "");
    let asks = |user: &str| {
        let request = Request::new("OPTIONS", &uri(user), &stranger.aor(), &uri(user));
        stranger.send(&request.bytes(&stranger)).unwrap();
        stranger.receive_within(Duration::from_millis(500)).map(|answer| answer.status()).ok()
    };
    for _ in 0..20 {
        assert_eq!(asks("100"), Some(404), "one wrong number, again and again");
    }
    // Some share their bit with others.
    let answered = (101..140).filter(|n| asks(&n.to_string()).is_some()).count();
    assert!((5..20).contains(&answered), "{answered}");
    assert_eq!(asks("alice"), None);
    assert_eq!(register(&mut neighbour), 200);
    let log = p.program().log();
    assert!(log.contains("users that do not exist"), "{log}");
}

// Requests of one source are limited; emergency calls, calls that there are, and trusted peers are not.
#[test]
fn rates_of_one_source() {
    let p = guarded("requests_per_second = 2\nrequest_burst = 20\n");
    caller(&p, "alice", &[], "");
    let mut bob = caller(&p, "bob", &[], "");
    assert_eq!(register(&mut bob), 200);
    let centre = emergency_centre(&p, &format!("alice@{DOMAIN}"));
    let alice = at(&p, "127.0.0.9", "alice", "secret");
    let invite = call(&alice, &uri("bob"), &[]);
    answer(&bob, "200 OK");
    let answered = last(&alice, &invite);
    let answered = if answered.status() == 200 { answered } else { last(&alice, &invite) };
    let to = format!("sip:{DOMAIN}");
    let flood = |phone: &Phone| {
        for _ in 0..100 {
            let request = Request::new("OPTIONS", &to, "sip:a@elsewhere.example", &to);
            phone.send(&request.bytes(phone)).unwrap();
        }
        let came = all(phone, Duration::from_secs(1));
        let of = |status| came.iter().filter(|m| m.status() == status).count();
        let is_spread = |m: &Message| {
            let seconds = m.header("retry-after").and_then(|text| text.parse::<u32>().ok());
            m.status() != 503 || seconds.is_some_and(|seconds| (5..=30).contains(&seconds))
        };
        assert!(came.iter().all(is_spread), "{came:?}");
        (of(200), of(503))
    };
    let (served, told) = flood(&alice);
    assert!((10..=22).contains(&served) && (1..=3).contains(&told), "{served} {told}");
    // What belongs to the call, and help.
    let _ = flood(&alice);
    let bye = invite.bye(&answered);
    alice.send(&bye.bytes(&alice)).unwrap();
    let over = bob.receive_where(|m| m.method() == "BYE").unwrap();
    bob.send(&response(&over, "200 OK", "callee", &[])).unwrap();
    alice.receive_where(|m| m.header("cseq").is_some_and(|c| c.ends_with("BYE"))).unwrap();
    is_helped(&alice, &centre, "phone");
    // Others are served meanwhile.
    assert_eq!(register(&mut at(&p, "127.0.0.8", "alice", "secret")), 200);
    p.admin().ok("Sip.addTrustedPeer", record! { peer: record! { ip: "127.0.0.9" } });
    p.settle();
    assert_eq!(flood(&alice), (100, 0));
}

// New calls have a limit of their own.
#[test]
fn calls_of_one_source() {
    let p = guarded("calls_per_second = 1\ncall_burst = 4\n");
    caller(&p, "alice", &[], "");
    let stranger = Phone::at("127.0.0.9", p.sip_address(), "eve@elsewhere.example", "");
    for _ in 0..20 {
        call_without_password(&stranger, &uri("alice"));
    }
    let came = all(&stranger, Duration::from_millis(700));
    let refused = came.iter().filter(|m| m.status() == 503).count();
    let handled = came.iter().filter(|m| m.status() == 480).count();
    assert!((4..=6).contains(&handled) && (1..=10).contains(&refused), "{handled} {refused}");
    // Other requests are not calls.
    let to = format!("sip:{DOMAIN}");
    let request = Request::new("OPTIONS", &to, "sip:a@elsewhere.example", &to);
    stranger.send(&request.bytes(&stranger)).unwrap();
    assert_eq!(last(&stranger, &request).status(), 200);
}

// RFC 3261 section 26.3.2.4: who proves nothing gets about as many octets as it sends, so its address is not worth borrowing.
#[test]
fn no_amplification() {
    let p = guarded("");
    caller(&p, "alice", &[], "");
    for (user, domain) in [("alice", DOMAIN), ("nobody", DOMAIN), ("eve", "elsewhere.example")] {
        let phone = Phone::at("127.0.0.9", p.sip_address(), &format!("{user}@{domain}"), "");
        for method in ["REGISTER", "INVITE", "OPTIONS", "MESSAGE", "SUBSCRIBE", "BYE", "NONSENSE"] {
            for (to, tag) in [("alice", ""), ("nobody", ""), ("alice", ";tag=x")] {
                let target = if method == "REGISTER" { format!("sip:{DOMAIN}") } else { uri(to) };
                let mut request = Request::new(method, &target, &phone.aor(), &uri(to));
                request.to_parameters = tag.to_owned();
                let sent = request.bytes(&phone);
                phone.send(&sent).unwrap();
                // An INVITE's response would come again after 500 and 1,500 milliseconds.
                let time = if method == "INVITE" { 1_700 } else { 100 };
                let is_of_it = |m: &Message| m.header("call-id") == Some(&request.call_id);
                let mut came = vec![phone.receive_where(is_of_it).unwrap()];
                came.extend(all(&phone, Duration::from_millis(time)).into_iter().filter(is_of_it));
                let octets: usize = came.iter().map(size).sum();
                let what = format!("{method} {to}{tag} of {user}@{domain}: {came:?}");
                assert!(octets <= 2 * sent.len(), "{octets} octets for {}: {what}", sent.len());
                assert!(came.len() <= 1, "{what}");
            }
        }
    }
    // A Via does not send answers to somebody else.
    let (eve, victim) = (
        Phone::at("127.0.0.9", p.sip_address(), "eve@elsewhere.example", ""),
        Phone::at("127.0.0.7", p.sip_address(), "victim@elsewhere.example", ""),
    );
    let text = format!(
        "OPTIONS sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {0};branch=z9hG4bK{1};maddr=127.0.0.7\r\n\
         From: <sip:eve@elsewhere.example>;tag=1\r\nTo: <sip:{DOMAIN}>\r\nCall-ID: {1}\r\n\
         CSeq: 1 OPTIONS\r\n\r\n",
        victim.local(),
        unique("maddr")
    );
    eve.send(text.as_bytes()).unwrap();
    assert!(victim.receive_within(Duration::from_millis(300)).is_err());
}

/// About as many octets as a message had.
fn size(message: &Message) -> usize {
    let fields = message.headers.iter().map(|(name, value)| name.len() + value.len() + 4);
    message.start.len() + 4 + fields.sum::<usize>() + message.body.len()
}
