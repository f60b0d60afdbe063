//! What sipd promises over crashes and outages, each as a program whose size is a parameter: [`calls`], [`bindings`],
//! [`outage`]. The tests run a small size, `make endure` the full one.

pub mod bindings;
pub mod calls;
pub mod crowd;
pub mod outage;

use std::thread;

use crate::fixture::{carrier, domain, route, subscriber};
use crate::platform::Platform;
use crate::sip::{Phone, Request};
use crate::{Value, record};

use crowd::{Crowd, Job, Outcome};

/// The domain of all accounts here.
pub const DOMAIN: &str = "sip.example";

/// The address of an account.
#[must_use]
pub fn address(account: usize) -> String {
    format!("u{account}@{DOMAIN}")
}

/// Adds the domain and accounts with the password `secret` that may call numbers, each `limit` at a time; 0: any number.
pub fn accounts(p: &Platform, count: usize, limit: i64) {
    let admin = p.admin();
    domain(&admin, DOMAIN);
    thread::scope(|scope| {
        for worker in 0..4 {
            let admin = &admin;
            scope.spawn(move || {
                for n in (worker..count).step_by(4) {
                    let groups = Value::List(vec!["free-pstn".into()]);
                    let account = subscriber(&address(n)).with("groups", groups);
                    let account =
                        if limit > 0 { account.with("callLimit", limit) } else { account };
                    admin.ok("Sip.addAccount", record! { account: account });
                }
            });
        }
    });
    p.settle();
}

/// A crowd of callers, and one that answers every number.
#[must_use]
pub fn crowds(p: &Platform) -> (Crowd, Crowd) {
    let callers = Crowd::new(Phone::new(p.sip_address(), &address(0), "secret"));
    let callees = Crowd::new(Phone::new(p.sip_address(), "gateway@carrier.example", ""));
    let admin = p.admin();
    let carrier_id = carrier(&admin, "Telco");
    let gateway = record! {
        name: "gw", carrier_id: carrier_id, ip: "localhost",
        port: i64::from(callees.phone().local().port()),
    };
    _ = admin.ok("Sip.addGateway", record! { gateway: gateway });
    let routes = Value::List(vec![route(carrier_id, "")]);
    admin.ok("Sip.addRoutes", record! { routes: routes });
    p.settle();
    (callers, callees)
}

/// An account's call to a number.
#[must_use]
pub fn invite(crowd: &Crowd, account: usize, number: usize) -> Job {
    let user = format!("u{account}");
    let to = format!("sip:+4312{number:07}@{DOMAIN}");
    let contact = format!("<sip:{user}@{}>", crowd.phone().local());
    let request = Request::new("INVITE", &to, &format!("sip:{}", address(account)), &to);
    Job { request: request.with("Contact", &contact), user }
}

/// How often each status came; 0 is no answer.
#[must_use]
pub fn statuses(outcomes: &[Outcome]) -> String {
    let mut counts = std::collections::BTreeMap::<u16, usize>::new();
    for outcome in outcomes {
        *counts.entry(outcome.status()).or_default() += 1;
    }
    let words = counts.iter().map(|(status, count)| format!("{count} x {status}"));
    words.collect::<Vec<_>>().join(", ")
}

/// Fails unless all have that status.
#[track_caller]
pub fn assert_all(what: &str, outcomes: &[Outcome], status: u16) {
    let other = outcomes.iter().find(|outcome| outcome.status() != status);
    assert!(other.is_none(), "{what}: {}; such as {other:?}", statuses(outcomes));
}

/// Resident memory of a process, in octets.
#[must_use]
pub fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
