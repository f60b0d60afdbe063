//! kill -9 while every port is written to. What was acknowledged is there afterwards; who got no answer asks again
//! with the same `Idempotency-Key` and has the change once (doc/safe-writes.md). The Network port has no writes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ngn_tests::database::Backend;
use ngn_tests::fixture::{
    account, carrier, dns_record, domain, enum_number, person, range, reseller, route, subscriber,
    trusted_peer, zone,
};
use ngn_tests::platform::{Platform, on_both};
use ngn_tests::soap::{Client, Fault, post_with, read_reply};
use ngn_tests::xml::Node;
use ngn_tests::{Value, matching, record, sip_id};

/// How many acknowledgements the work gets before the power is cut.
const ENOUGH: usize = 90;
/// How many writers there are, each of which may wait for one answer when the power is cut.
const WRITERS: usize = 4;
/// How many kinds of changes there are.
const KINDS: usize = 15;

/// What the changes are about.
#[derive(Clone, Copy)]
struct World {
    customer: i64,
    carrier: i64,
}

fn world(p: &Platform) -> World {
    let admin = p.admin();
    let customer = reseller(p, "acme").id;
    domain(&admin, "example.com");
    account(&admin, "alice@example.com");
    let payer = subscriber("payer@example.com").with("prepaid", true);
    admin.ok("Sip.addAccount", record! { account: payer });
    zone(&admin, "example.com");
    range(&admin, "3120");
    World { customer, carrier: carrier(&admin, "carrier") }
}

/// The change of a kind that a token names, and the key under which it shows afterwards. Those of one token build on
/// one another, in order.
fn change(kind: usize, token: usize, world: World) -> (&'static str, Value, String) {
    let user = format!("u{token}");
    let address = format!("{user}@example.com");
    let alice = || record! { sipId: sip_id("alice@example.com") };
    match kind {
        0 => {
            let name = format!("c{token}");
            ("Customer.addAccount", record! { account: person(&name) }, name)
        }
        1 => {
            let name = format!("p{token}");
            let property =
                record! { name: &name, value: "1", category: "web", permission: "customer" };
            let all = record! { customer: world.customer, properties: vec![property] };
            ("Customer.setProperties", all, name)
        }
        2 => {
            let name = format!("d{token}.example.com");
            ("Sip.addDomain", record! { domain: record! { domain: &name } }, name)
        }
        3 => ("Sip.addAccount", record! { account: subscriber(&address) }, user),
        4 => {
            let name = format!("a{token}");
            let id = sip_id(&format!("{name}@example.com"));
            ("Sip.addAlias", record! { alias: record! { id: id, target: sip_id(&address) } }, name)
        }
        5 => {
            let uri = format!("{user}@example.net");
            let entry = record! { uri: &uri, name: "x", group: "vip" };
            ("Sip.addPhonebookEntry", alice().with("entry", entry), uri)
        }
        6 => {
            let ip = format!("10.{}.{}.{}", token >> 16 & 255, token >> 8 & 255, token & 255);
            ("Sip.addTrustedPeer", trusted_peer(&ip), ip)
        }
        7 => {
            let prefix = format!("00{token}");
            ("Sip.addRoutes", record! { routes: vec![route(world.carrier, &prefix)] }, prefix)
        }
        8 => {
            let group = record! { sipId: sip_id(&address), group: "trunking" };
            ("Sip.addToGroup", group, user)
        }
        9 => {
            let number = format!("3120{token:07}");
            let record = enum_number(&number, &format!("sip:{address}"));
            ("Enum.addNumber", record! { number: record }, number)
        }
        10 => {
            let name = format!("w{token}.example.com");
            let record = dns_record("example.com", &name, "A", "192.0.2.1");
            ("Dns.addRecord", record! { record: record }, name)
        }
        11 => {
            let record = dns_record("example.com", &address, "MBOXFW", "x@example.net");
            ("Dns.addFancyRecord", record! { record: record }, address)
        }
        12 => {
            let account = record! {
                sipId: sip_id(&address), name: "x", password: "1234", email: "x@example.net",
            };
            ("Voicemail.addAccount", record! { account: account }, user)
        }
        13 => {
            let entity = format!("subscriber://{address}");
            let profiles = record! { entity: &entity, profileWeekday: "441", timezone: "UTC" };
            ("Rating.setEntityProfiles", record! { profiles: profiles }, entity)
        }
        _ => {
            let payment = record! {
                sipId: sip_id("payer@example.com"), value: 0.25, description: "x",
            };
            ("Sip.addBalance", payment, format!("{token}"))
        }
    }
}

/// Those of the keys that do not show.
fn missing(p: &Platform, kind: usize, keys: &BTreeSet<String>, world: World) -> Vec<String> {
    let admin = p.admin();
    let list = |operation: &str, filter: Value, array: &str, member: &str| -> BTreeSet<String> {
        let found = admin.ok(operation, matching(filter));
        found.column(array, member).into_iter().map(str::to_owned).collect()
    };
    let in_group = |group: &str| {
        let filter = record! { groups: [group] };
        list("Sip.getAccounts", filter, "accounts", "id/username")
    };
    let stored = match kind {
        0 => list("Customer.getCustomers", record! { username: "c%" }, "accounts", "username"),
        1 => {
            let found = admin.ok("Customer.getProperties", record! { customer: world.customer });
            found.column("", "name").into_iter().map(str::to_owned).collect()
        }
        2 => list("Sip.getDomains", record! { domain: "d%" }, "domains", "domain"),
        3 => list("Sip.getAccounts", record! { username: "u%" }, "accounts", "id/username"),
        4 => list("Sip.getAliases", record! { aliasUsername: "a%" }, "aliases", "id/username"),
        5 => {
            let all = record! {
                sipId: sip_id("alice@example.com"), range: record! { start: 0, count: 5000 },
            };
            let found = admin.ok("Sip.getPhonebookEntries", all);
            found.column("entries", "uri").into_iter().map(str::to_owned).collect()
        }
        6 => list("Sip.getTrustedPeers", record! { ip: "10.%" }, "peers", "ip"),
        7 => list("Sip.getRoutes", record! { prefix: "00%" }, "routes", "prefix"),
        8 => in_group("trunking"),
        9 => list("Enum.getNumbers", record! { number: "3120%" }, "numbers", "id/number"),
        10 => list("Dns.getRecords", record! { zone: "example.com" }, "records", "name"),
        11 => list("Dns.getFancyRecords", record! { r#type: "MBOXFW" }, "records", "name"),
        12 => in_group("voicemail"),
        13 => {
            let is_there = |entity: &&String| {
                let asked = record! { entity: *entity };
                admin.call("Rating.getEntityProfiles", &asked).outcome.is_ok()
            };
            keys.iter().filter(is_there).cloned().collect()
        }
        // Payments show in the sum alone.
        _ => keys.clone(),
    };
    keys.difference(&stored).cloned().collect()
}

/// The balance that the payments have made, in quarters.
fn quarters(p: &Platform) -> f64 {
    let asked = record! { sipIds: vec![sip_id("payer@example.com")] };
    p.admin().ok("Sip.getPrepaidStatus", asked).double_at("0/balance") * 4.0
}

/// What came back.
struct Answer {
    outcome: Result<Node, Fault>,
    is_repeated: bool,
    text: String,
}

/// Makes a change under a key of its own; nothing when there was no answer.
fn attempt(client: &Client, kind: usize, token: usize, world: World) -> Option<Answer> {
    let (operation, parameters, _) = change(kind, token, world);
    let (port, name) = operation.split_once('.').unwrap();
    let envelope = client.envelope(port, name, &parameters);
    let key = format!("{kind}-{token}");
    let fields = [("Idempotency-Key", key.as_str())];
    let reply = post_with(client.address, "/", &fields, envelope.as_bytes()).ok()?;
    let outcome = read_reply(&reply, port, name, client.style);
    Some(Answer {
        // Half an answer, cut off by the crash, is none.
        outcome: outcome.ok()?,
        is_repeated: reply.header("idempotency-replayed") == Some("true"),
        text: reply.text(),
    })
}

/// Kind and token.
type Change = (usize, usize);

/// Writers that go through all kinds, token by token, until they hear nothing any more. Gives what was acknowledged
/// and what was not heard of.
fn write_until_killed(p: &mut Platform, round: usize, world: World) -> (Vec<Change>, Vec<Change>) {
    let admin = p.admin();
    let acknowledged = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (admin, acknowledged) = (&admin, &acknowledged);
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn(move || {
                    let mut done = Vec::new();
                    for n in 0.. {
                        let token = (round * WRITERS + writer) * 10_000 + n / KINDS + 1;
                        let kind = n % KINDS;
                        let Some(answer) = attempt(admin, kind, token, world) else {
                            return (done, (kind, token));
                        };
                        if let Err(fault) = answer.outcome {
                            panic!("kind {kind} of {token}: {}", fault.text);
                        }
                        done.push((kind, token));
                        acknowledged.fetch_add(1, Ordering::SeqCst);
                    }
                    unreachable!("the power is cut before")
                })
            })
            .collect();
        while acknowledged.load(Ordering::SeqCst) < ENOUGH {
            assert!(writers.iter().any(|writer| !writer.is_finished()), "all writers failed");
            thread::sleep(Duration::from_millis(1));
        }
        p.kill_daemon("ngnpro");
        let (mut done, mut unheard) = (Vec::new(), Vec::new());
        for writer in writers {
            let (its, last) = writer.join().unwrap();
            done.extend(its);
            unheard.push(last);
        }
        (done, unheard)
    })
}

fn nothing_is_lost_on_any_port(mut p: Platform) {
    let backend = p.backend;
    let world = world(&p);
    let mut payments = 0;
    for round in 0..2 {
        let (done, unheard) = write_until_killed(&mut p, round, world);
        assert!(done.len() >= ENOUGH);
        p.launch();
        let check = |changes: &[Change]| {
            for kind in 0..KINDS {
                let of_kind = changes.iter().filter(|change| change.0 == kind);
                let keys = of_kind.map(|(kind, token)| change(*kind, *token, world).2).collect();
                let lost = missing(&p, kind, &keys, world);
                let operation = change(kind, 0, world).0;
                assert!(lost.is_empty(), "{operation} lost {lost:?} on {backend}");
            }
        };
        check(&done);
        // Whether the crash came before or after the commit: asked again, it is done once.
        let admin = p.admin();
        for (kind, token) in &unheard {
            let answer = attempt(&admin, *kind, *token, world).expect("an answer");
            let operation = change(*kind, *token, world).0;
            assert!(answer.outcome.is_ok(), "{operation} again: {}", answer.text);
        }
        check(&unheard);
        // And what was acknowledged before the crash is answered from memory that survived it.
        for (kind, token) in done.iter().rev().take(KINDS) {
            let answer = attempt(&admin, *kind, *token, world).expect("an answer");
            let operation = change(*kind, *token, world).0;
            assert!(answer.is_repeated && answer.outcome.is_ok(), "{operation}: {}", answer.text);
        }
        payments += done.iter().chain(&unheard).filter(|(kind, _)| *kind == KINDS - 1).count();
        assert_eq!(quarters(&p), payments as f64, "payments on {backend}");
    }
}

#[test]
fn every_port_survives_on_sqlite() {
    nothing_is_lost_on_any_port(Platform::start(Backend::Sqlite));
}

#[test]
fn every_port_survives_on_sqlite_when_ngnpro_crashes() {
    nothing_is_lost_on_any_port(Platform::start_apart(Backend::Sqlite));
}

#[test]
fn every_port_survives_on_mariadb() {
    nothing_is_lost_on_any_port(Platform::start(Backend::MariaDb));
}

#[test]
fn every_port_survives_on_mariadb_when_ngnpro_crashes() {
    nothing_is_lost_on_any_port(Platform::start_apart(Backend::MariaDb));
}

// The same key, the same answer, no second change; without a key each says what it says to who asks twice (B189).
#[test]
fn every_port_repeats_its_answer() {
    on_both(|p| {
        let world = world(p);
        let admin = p.admin();
        let rows = |p: &Platform| p.database.sql("select count(*) from journal");
        for kind in 0..KINDS {
            let operation = change(kind, 1, world).0;
            let first = attempt(&admin, kind, 1, world).expect("an answer");
            assert!(first.outcome.is_ok() && !first.is_repeated, "{operation}: {}", first.text);
            let before = rows(p);
            let again = attempt(&admin, kind, 1, world).expect("an answer");
            assert!(again.is_repeated, "{operation}");
            assert_eq!((again.text, rows(p)), (first.text, before), "{operation}");
            let plain = admin.call(operation, &change(kind, 1, world).1).outcome;
            let code = plain.err().map_or(0, |fault| fault.code);
            let expected =
                [5001, 0, 1001, 1011, 1021, 1041, 1051, 1079, 1030, 3003, 7003, 7003, 2001, 0, 0];
            assert_eq!(code, expected[kind], "{operation} without a key");
        }
        assert_eq!(quarters(p), 2.0);
    });
}
