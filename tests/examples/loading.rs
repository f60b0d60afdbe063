//! A platform with a million accounts and routes: `make bench-routes`.
//!
//! The rows are written into MariaDB by hand, a platform is started on them, and it prints what loading took by the log
//! of `ngn up` itself (time, octets of an account and of a route), the resident memory of the process, and how long it
//! takes until a changed route shows in the plan of a call. The time runs from the moment that the SOAP reply has been
//! read; the plan is what `/explain` of the admin port tells.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::time::{Duration, Instant};

use ngn_tests::database::Backend;
use ngn_tests::fixture::{carrier, gateway, route};
use ngn_tests::platform::Platform;

use ngn_tests::{Value, http, record};

/// Accounts and routes; `NGN_BENCH_ROUTES` sets another number.
const ROWS: u64 = 1_000_000;
/// Changed routes; `NGN_BENCH_CHANGES` sets another number.
const CHANGES: usize = 200;

fn main() {
    let number = |name| std::env::var(name).ok().and_then(|n| n.parse().ok());
    let rows = number("NGN_BENCH_ROUTES").unwrap_or(ROWS);
    let changes = number("NGN_BENCH_CHANGES").and_then(|n| n.try_into().ok()).unwrap_or(CHANGES);
    let mut p = Platform::start(Backend::MariaDb);
    let carriers: Vec<i64> = (0..40).map(|n| carrier(&p.admin(), &format!("c{n}"))).collect();
    for of in &carriers {
        for n in 0..3 {
            _ = gateway(&p.admin(), *of, &format!("g{n}"));
        }
    }
    let empty = resident(&mut p);
    println!("resident without accounts and routes: {} MiB", empty >> 20);
    p.stop();
    let started = Instant::now();
    fill(&p, rows, carriers[0]);
    println!("{rows} accounts and routes written in {:.1} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    p.launch();
    println!("ready after {:.1} s", started.elapsed().as_secs_f64());
    let log = p.program().log();
    let told = |line: &&str| line.contains("ngn::load");
    log.lines().filter(told).for_each(|line| println!("  {}", line.trim()));
    println!("resident: {} MiB", resident(&mut p) >> 20);
    let mut times: Vec<Duration> = (0..changes).map(|n| change(&p, carriers[n % 40], n)).collect();
    times.sort_unstable();
    let at = |share: usize| {
        times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1_000.0
    };
    println!("{changes} routes added, each seen in a plan after ms: p50, p90, p99, max");
    println!("{:.1} {:.1} {:.1} {:.1}", at(50), at(90), at(99), at(100));
}

/// Writes domains, accounts with a group each, and routes, as the operations would have.
fn fill(p: &Platform, rows: u64, carrier: i64) {
    let statements = [
        "INSERT INTO domain (domain) SELECT CONCAT('d', seq, '.example') FROM seq_0_to_999"
            .to_owned(),
        format!(
            "INSERT INTO subscriber (id, username, domain, ha1, ha1_sha256, rpid) \
             SELECT seq, CONCAT('u', seq), CONCAT('d', seq % 1000, '.example'), MD5(seq), SHA2(seq, 256), \
             CONCAT('+312', LPAD(seq, 8, '0')) FROM seq_1_to_{rows}"
        ),
        format!(
            "INSERT INTO grp (username, domain, grp, subscriber_id) \
             SELECT CONCAT('u', seq), CONCAT('d', seq % 1000, '.example'), 'free-pstn', seq FROM seq_1_to_{rows}"
        ),
        // Prefixes of one to seven digits behind the country code, one in twenty for a domain.
        format!(
            "INSERT IGNORE INTO routes (prefix, originator, carrier_id, priority) \
             SELECT CONCAT('00', SUBSTRING(RPAD(CONV(SUBSTRING(MD5(seq), 1, 12), 16, 10), 12, '7'), 1, 6 + seq % 4)), \
             IF(seq % 20 = 0, CONCAT('d', seq % 1000, '.example'), ''), {carrier} + seq % 40, seq % 3 \
             FROM seq_1_to_{rows}"
        ),
    ];
    for statement in statements {
        _ = p.database.sql(&statement);
    }
}

/// Adds a route that no call took before, and waits until a call would take it.
fn change(p: &Platform, carrier: i64, n: usize) -> Duration {
    // Longer than all that there are.
    let prefix = format!("00991234{n:05}");
    let target = format!("/explain?from=u1@d1.example&to={prefix}1234");
    let seen = format!("prefix {prefix},");
    let shown = || http::get(p.admin_address(), &target).unwrap().text().contains(&seen);
    assert!(!shown());
    p.admin().ok("Sip.addRoutes", record! { routes: Value::List(vec![route(carrier, &prefix)]) });
    let changed = Instant::now();
    while !shown() {
        assert!(changed.elapsed() < Duration::from_secs(10), "{prefix} is not seen");
    }
    changed.elapsed()
}

/// Octets of memory that the process has.
fn resident(p: &mut Platform) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", p.program().id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
