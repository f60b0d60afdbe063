//! Registrations and calls by SIPp; every unexpected message is a failure.

use ngn_tests::database::Backend;
use ngn_tests::platform::Platform;
use ngn_tests::sipp::Scenario;
use ngn_tests::{record, sip_id};

use crate::fixture::{DOMAIN, accounts, call, registration};

/// A run of a scenario with what all of them need.
fn scenario(p: &Platform, name: &str, calls: usize, transport: &str) -> Scenario {
    let calls = u32::try_from(calls).unwrap();
    Scenario::new(name, p.sip_address(), calls, p.directory())
        .with(&["-key", "domain", DOMAIN, "-t", transport, "-r", "50", "-rp", "1000"])
}

/// Registers accounts with the contact of a callee.
fn register(p: &Platform, users: &[String], callee: &Scenario, transport: &str) {
    let lines: Vec<String> = users.iter().map(|u| registration(u)).collect();
    scenario(p, "register", users.len(), transport)
        .with(&["-key", "contact", &format!("127.0.0.1:{}", callee.port())])
        .fields(&lines)
        .run()
        .unwrap();
}

/// Calls from each account to the next one, against a callee that plays its part.
fn play(p: &Platform, caller: &str, callee: &str, users: &[String], transport: &str) {
    let answering = scenario(p, callee, users.len(), transport);
    register(p, users, &answering, transport);
    let running = answering.start().unwrap();
    let lines: Vec<String> =
        (0..users.len()).map(|n| call(&users[n], &users[(n + 1) % users.len()])).collect();
    let made = scenario(p, caller, users.len(), transport).fields(&lines).run();
    let answered = running.finish();
    let made = made.unwrap();
    let answered = answered.unwrap();
    assert_eq!(made.successful, answered.successful);
}

fn users(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}{n}")).collect()
}

/// A thousand accounts register, and each calls the next one: challenged, answered, acknowledged and ended along the
/// recorded route.
fn a_thousand_calls(backend: Backend) {
    let p = Platform::start(backend);
    accounts(&p, "u", 1_000);
    play(&p, "call_uac", "call_uas", &users("u", 1_000), "u1");
    let found = p.admin().ok("Sip.getAccounts", ngn_tests::matching(record! { domain: DOMAIN }));
    assert_eq!(found.int_at("total"), 1_000);
}

#[test]
fn a_thousand_registrations_and_calls_on_sqlite() {
    a_thousand_calls(Backend::Sqlite);
}

#[test]
fn a_thousand_registrations_and_calls_on_mariadb() {
    a_thousand_calls(Backend::MariaDb);
}

#[test]
fn calls_end_in_every_way() {
    let p = Platform::start(Backend::Sqlite);
    accounts(&p, "u", 20);
    let online = users("u", 10);
    for transport in ["u1", "t1"] {
        play(&p, "call_uac", "call_uas", &online, transport);
        play(&p, "busy_uac", "busy_uas", &online, transport);
        play(&p, "cancel_uac", "cancel_uas", &online, transport);
        let to_nobody: Vec<String> = online.iter().map(|u| call(u, "nobody")).collect();
        scenario(&p, "unknown_uac", 10, transport).fields(&to_nobody).run().unwrap();
        let to_offline: Vec<String> = online.iter().map(|u| call(u, "u15")).collect();
        scenario(&p, "offline_uac", 10, transport).fields(&to_offline).run().unwrap();
    }
}

// RFC 3261 section 14: re-INVITEs along the recorded route, each with its answer and its ACK.
#[test]
fn calls_are_held() {
    let p = Platform::start(Backend::Sqlite);
    accounts(&p, "u", 10);
    for transport in ["u1", "t1"] {
        play(&p, "hold_uac", "hold_uas", &users("u", 10), transport);
    }
}

// B66: a blocked account neither calls nor registers, from the moment that the SOAP call has returned.
#[test]
fn blocked_accounts_are_refused() {
    let p = Platform::start(Backend::Sqlite);
    accounts(&p, "u", 10);
    let blocked = users("u", 10);
    for user in &blocked {
        let id = sip_id(&format!("{user}@{DOMAIN}"));
        p.admin().ok("Sip.addToGroup", record! { sipId: id, group: "blocked" });
    }
    p.settle();
    for transport in ["u1", "t1"] {
        let lines: Vec<String> = blocked.iter().map(|u| call(u, "u1")).collect();
        scenario(&p, "blocked_uac", 10, transport).fields(&lines).run().unwrap();
        let lines: Vec<String> = blocked.iter().map(|u| registration(u)).collect();
        scenario(&p, "refused_register", 10, transport)
            .with(&["-key", "contact", "127.0.0.1:5099"])
            .fields(&lines)
            .run()
            .unwrap();
    }
}
