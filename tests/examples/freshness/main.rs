//! How soon SIP and DNS show what SOAP has stored: `make bench-freshness`.
//!
//! For each database, changes are made one after another over SOAP; the time runs from the moment that the SOAP reply
//! has been read until the first answer that shows the change. SIP: a new account's first successful REGISTER. DNS:
//! the NAPTR record of a new ENUM number.
//!
//! `make bench-freshness-loaded` measures DNS with a million numbers (`NGN_BENCH_LOADED`) in a MariaDB while dnsperf asks
//! 20,000 questions a second (`NGN_BENCH_RATE`), and while others change the same zone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod loaded;

use std::time::{Duration, Instant};

use hickory_proto::rr::RecordType::NAPTR;
use ngn_tests::database::Backend;
use ngn_tests::dns::ask;
use ngn_tests::fixture::{domain, enum_number, range, subscriber};
use ngn_tests::platform::Platform;
use ngn_tests::record;
use ngn_tests::sip::{Phone, Request};

/// Changes per database and protocol; `NGN_BENCH_CHANGES` sets another number.
const CHANGES: usize = 1_000;

fn main() {
    let number = |name| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let changes = number("NGN_BENCH_CHANGES").and_then(|n| n.try_into().ok()).unwrap_or(CHANGES);
    println!("{changes} changes each; milliseconds from the SOAP reply until the change is seen");
    println!("{:<36} {:>8} {:>8} {:>8} {:>8}", "", "p50", "p90", "p99", "max");
    if let Some(numbers) = number("NGN_BENCH_LOADED") {
        let rate = number("NGN_BENCH_RATE").unwrap_or(loaded::RATE);
        for apart in [false, true] {
            loaded::run(numbers, rate, changes, apart);
        }
        return;
    }
    let both = [Backend::Sqlite, Backend::MariaDb];
    for (backend, apart) in both.map(|b| (b, false)).into_iter().chain(both.map(|b| (b, true))) {
        let p = if apart { Platform::start_apart(backend) } else { Platform::start(backend) };
        let shape = if apart { "three processes" } else { "one process" };
        domain(&p.admin(), "example.com");
        range(&p.admin(), "3120");
        p.settle();
        report(
            &format!("{backend}, {shape}, SIP"),
            &mut (0..changes).map(|n| sip(&p, n)).collect::<Vec<_>>(),
        );
        report(
            &format!("{backend}, {shape}, DNS"),
            &mut (0..changes).map(|n| dns(&p, &format!("3120{n:05}"))).collect::<Vec<_>>(),
        );
    }
}

/// Adds an account and registers it.
fn sip(p: &Platform, n: usize) -> Duration {
    let address = format!("u{n}@example.com");
    let phone = Phone::new(p.sip_address(), &address, "secret");
    let aor = phone.aor();
    let register = || {
        Request::new("REGISTER", "sip:example.com", &aor, &aor)
            .with("Contact", &format!("<{}>", phone.contact()))
            .with("Expires", "60")
    };
    // A challenge beforehand: the first attempt after the change can carry an answer.
    let mut challenge = phone.transact(&register()).unwrap();
    p.admin().ok("Sip.addAccount", record! { account: subscriber(&address) });
    let changed = Instant::now();
    loop {
        let attempt = register().answer(&challenge, &phone.user, &phone.password).unwrap();
        let response = phone.transact(&attempt).unwrap();
        if response.status() == 200 {
            return changed.elapsed();
        }
        assert!(changed.elapsed() < Duration::from_secs(10), "{address}: {}", response.start);
        if response.status() == 401 {
            challenge = response;
        }
    }
}

/// Adds a number and asks for it.
fn dns(p: &Platform, number: &str) -> Duration {
    let name = ngn_tests::numbers::name(number);
    p.admin().ok("Enum.addNumber", record! { number: enum_number(number, "sip:a@example.com") });
    let changed = Instant::now();
    loop {
        if !ask(p.dns_address(), &name, NAPTR).unwrap().answers.is_empty() {
            return changed.elapsed();
        }
        assert!(changed.elapsed() < Duration::from_secs(10), "{number} is not seen");
    }
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: usize| {
        let index = (times.len() * share / 100).min(times.len() - 1);
        times[index].as_secs_f64() * 1_000.0
    };
    println!("{what:<36} {:>8.2} {:>8.2} {:>8.2} {:>8.2}", at(50), at(90), at(99), at(100));
}
