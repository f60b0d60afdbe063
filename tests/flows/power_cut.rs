//! kill -9 in the middle of the work: whatever was acknowledged is there afterwards.

mod ports;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use hickory_proto::rr::RecordType::{NAPTR, SOA};
use ngn_tests::database::Backend;
use ngn_tests::dns::answers;
use ngn_tests::fixture::{domain, enum_number, range, subscriber};
use ngn_tests::platform::Platform;
use ngn_tests::sip::Phone;
use ngn_tests::soap::Client;
use ngn_tests::{matching, record};

/// How many acknowledgements the work gets before the power is cut.
const ENOUGH: usize = 60;

/// Four clients write until they fail; the platform is killed once enough was acknowledged. Gives what was.
fn write_until_killed(p: &mut Platform, round: usize) -> (BTreeSet<String>, BTreeSet<String>) {
    let admin = Client { transcript: Default::default(), ..p.admin() };
    let acknowledged = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let (admin, acknowledged, stop) = (&admin, &acknowledged, &stop);
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                scope.spawn(move || {
                    let mut done = Vec::new();
                    for n in 0.. {
                        let name = format!("u{round}x{writer}x{n}");
                        let number = format!("3120{round}{writer}{n:04}");
                        let (operation, parameters, key) = if n % 2 == 0 {
                            let account = subscriber(&format!("{name}@example.com"));
                            ("Sip.addAccount", record! { account: account }, name)
                        } else {
                            let target = format!("sip:{name}@example.com");
                            (
                                "Enum.addNumber",
                                record! { number: enum_number(&number, &target) },
                                number,
                            )
                        };
                        match admin.try_call(operation, &parameters) {
                            Ok(answer) => {
                                answer.outcome.unwrap();
                                done.push(key);
                                acknowledged.fetch_add(1, Ordering::SeqCst);
                            }
                            Err(_) => break,
                        }
                        if stop.load(Ordering::SeqCst) && n > 100_000 {
                            break;
                        }
                    }
                    done
                })
            })
            .collect();
        while acknowledged.load(Ordering::SeqCst) < ENOUGH {
            thread::sleep(Duration::from_millis(1));
        }
        p.kill_daemon("ngnpro");
        stop.store(true, Ordering::SeqCst);
        let done = writers.into_iter().flat_map(|w| w.join().unwrap());
        done.partition(|key| key.starts_with('u'))
    })
}

fn nothing_acknowledged_is_lost(mut p: Platform) {
    let backend = p.backend;
    domain(&p.admin(), "example.com");
    range(&p.admin(), "3120");
    for round in 0..2 {
        let (accounts, numbers) = write_until_killed(&mut p, round);
        assert!(accounts.len() + numbers.len() >= ENOUGH);
        p.launch();
        let found = p.admin().ok("Sip.getAccounts", matching(record! { domain: "example.com" }));
        let stored: BTreeSet<String> =
            found.column("accounts", "id/username").into_iter().map(str::to_owned).collect();
        let lost: Vec<_> = accounts.difference(&stored).collect();
        assert!(lost.is_empty(), "accounts lost on {backend}: {lost:?}");
        let found = p.admin().ok("Enum.getNumbers", matching(record! { number: "3120%" }));
        let stored: BTreeSet<String> =
            found.column("numbers", "id/number").into_iter().map(str::to_owned).collect();
        let lost: Vec<_> = numbers.difference(&stored).collect();
        assert!(lost.is_empty(), "numbers lost on {backend}: {lost:?}");
        // And what is stored is served.
        p.settle();
        for number in &numbers {
            let name = number.chars().rev().map(String::from).collect::<Vec<_>>().join(".");
            assert_eq!(answers(p.dns_address(), &format!("{name}.e164.arpa"), NAPTR).len(), 1);
        }
        for user in accounts.iter().take(5) {
            let mut phone = Phone::new(p.sip_address(), &format!("{user}@example.com"), "secret");
            assert_eq!(phone.register(60).unwrap().status(), 200);
        }
    }
}

#[test]
fn provisioning_survives_on_sqlite() {
    nothing_acknowledged_is_lost(Platform::start(Backend::Sqlite));
}

#[test]
fn provisioning_survives_on_sqlite_when_ngnpro_crashes() {
    nothing_acknowledged_is_lost(Platform::start_apart(Backend::Sqlite));
}

#[test]
fn provisioning_survives_on_mariadb() {
    nothing_acknowledged_is_lost(Platform::start(Backend::MariaDb));
}

#[test]
fn provisioning_survives_on_mariadb_when_ngnpro_crashes() {
    nothing_acknowledged_is_lost(Platform::start_apart(Backend::MariaDb));
}

fn no_binding_is_lost(mut p: Platform) {
    let backend = p.backend;
    domain(&p.admin(), "example.com");
    for n in 0..40 {
        let account = subscriber(&format!("u{n}@example.com"));
        p.admin().ok("Sip.addAccount", record! { account: account });
    }
    p.settle();
    let address = p.sip_address();
    let acknowledged = AtomicUsize::new(0);
    let is_cut = AtomicBool::new(false);
    let bound: Vec<(String, String)> = thread::scope(|scope| {
        let (acknowledged, is_cut) = (&acknowledged, &is_cut);
        let registering: Vec<_> = (0..4)
            .map(|worker| {
                scope.spawn(move || {
                    let mut bound = Vec::new();
                    for n in (worker..40).step_by(4) {
                        let user = format!("u{n}@example.com");
                        let mut phone = Phone::new(address, &user, "secret");
                        phone.attempts = 3;
                        if is_cut.load(Ordering::SeqCst) {
                            // Nobody will answer.
                            break;
                        }
                        if phone.register(600).is_ok_and(|r| r.status() == 200) {
                            bound.push((user, phone.contact()));
                            acknowledged.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                    bound
                })
            })
            .collect();
        while acknowledged.load(Ordering::SeqCst) < 20 {
            thread::sleep(Duration::from_millis(1));
        }
        is_cut.store(true, Ordering::SeqCst);
        p.kill_daemon("sipd");
        registering.into_iter().flat_map(|r| r.join().unwrap()).collect()
    });
    assert!(bound.len() >= 20);
    p.launch();
    for (user, contact) in bound {
        let response = Phone::new(p.sip_address(), &user, "secret").register_with(&[]).unwrap();
        let listed = response.all("contact").join(",");
        assert!(listed.contains(&contact), "{user} lost {contact} on {backend}: {listed:?}");
    }
}

#[test]
fn bindings_survive_on_sqlite() {
    no_binding_is_lost(Platform::start(Backend::Sqlite));
}

#[test]
fn bindings_survive_on_sqlite_when_sipd_crashes() {
    no_binding_is_lost(Platform::start_apart(Backend::Sqlite));
}

#[test]
fn bindings_survive_on_mariadb() {
    no_binding_is_lost(Platform::start(Backend::MariaDb));
}

#[test]
fn bindings_survive_on_mariadb_when_sipd_crashes() {
    no_binding_is_lost(Platform::start_apart(Backend::MariaDb));
}

/// The serial in the SOA record of the range's zone.
fn serial(p: &Platform) -> u32 {
    let answer = answers(p.dns_address(), "0.2.1.3.e164.arpa", SOA).remove(0);
    answer.split_whitespace().nth(5).and_then(|serial| serial.parse().ok()).expect("a serial")
}

/// enumd crashes while numbers are added: what was added is served by the next one, and the serial never falls.
fn numbers_are_served_by_the_next_enumd(backend: Backend) {
    let mut p = Platform::start_apart(backend);
    range(&p.admin(), "3120");
    p.settle();
    let mut last = serial(&p);
    for round in 0..3 {
        for n in 0..10 {
            if n == 5 {
                p.kill_daemon("enumd");
            }
            let number = enum_number(&format!("3120{round}{n}"), "sip:a@example.com");
            p.admin().ok("Enum.addNumber", record! { number: number });
        }
        p.launch();
        p.settle();
        for n in 0..10 {
            let name = format!("{n}.{round}.0.2.1.3.e164.arpa");
            assert_eq!(answers(p.dns_address(), &name, NAPTR).len(), 1, "{name} on {backend}");
        }
        let now = serial(&p);
        assert!(now >= last + 10, "the serial went from {last} to {now} over ten changes");
        last = now;
    }
}

#[test]
fn numbers_survive_on_sqlite_when_enumd_crashes() {
    numbers_are_served_by_the_next_enumd(Backend::Sqlite);
}

#[test]
fn numbers_survive_on_mariadb_when_enumd_crashes() {
    numbers_are_served_by_the_next_enumd(Backend::MariaDb);
}
