//! How `sipd` does under ten times the calls that it can take: `make bench-sip-overload`.
//!
//! Strangers call one account whose phone answers at once; each call is INVITE, ACK and BYE with their answers, and one call
//! record. First the rate is looked for at which at least 99 of 100 calls are done and all records are written within a second
//! (the rated load). Then ten times as many are offered for some seconds, while fifty calls go on (INFO in each every half
//! second) and somebody calls for help five times a second. `NGN_BENCH_RATES=2000,3000` offers these one after the other and
//! does nothing else. The platform has one processor and the load program the others; what the system does to deliver a
//! datagram counts for its sender's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::net::UdpSocket;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use ngn_tests::bystanders::Bystanders;
use ngn_tests::database::Backend;
use ngn_tests::fixture::{account, domain};
use ngn_tests::load::{Callee, Caller, Outcome};
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::program::run;
use ngn_tests::sip::{Phone, Request};
use ngn_tests::{binaries, http};

/// The domain of the accounts.
const DOMAIN: &str = "example.com";
/// How long each rate is offered, in seconds; `NGN_BENCH_SECONDS` sets another number.
const SECONDS: u64 = 5;
/// Calls that go on meanwhile.
const CALLS: usize = 50;
/// How long records may take to be written.
const RECORDS: Duration = Duration::from_secs(120);
/// How many times the rated load is offered.
const FACTOR: u32 = 10;

fn main() -> ExitCode {
    let seconds =
        std::env::var("NGN_BENCH_SECONDS").ok().and_then(|n| n.parse().ok()).unwrap_or(SECONDS);
    let p = Platform::start_with(Backend::Sqlite, &[("sipd", "[pstn]\nprobe_seconds = 0\n")]);
    domain(&p.admin(), DOMAIN);
    for user in ["bob", "alice"] {
        account(&p.admin(), &format!("{user}@{DOMAIN}"));
    }
    p.settle();
    let others = std::thread::available_parallelism().map_or(0, |all| all.get().saturating_sub(1));
    if others > 0 {
        pin(p.process("sipd"), "0");
        pin(std::process::id(), &format!("1-{others}"));
    }
    let mut bob = Phone::new(p.sip_address(), &format!("bob@{DOMAIN}"), "secret");
    assert_eq!(bob.register(3600).unwrap().status(), 200);
    let callee = Callee::start(bob.socket());
    let centre = Callee::start(UdpSocket::bind("127.0.0.1:0").unwrap());
    emergency(&p, &centre);

    let offer = |rate: u32, seconds: u64| {
        let caller = Caller {
            server: p.sip_address(),
            from: "sip:load@elsewhere.example".to_owned(),
            to: format!("sip:bob@{DOMAIN}"),
            rate,
            lasts: Duration::from_secs(seconds),
        };
        let outcome = caller.run();
        let since = Instant::now();
        while !are_written(&p) && since.elapsed() < RECORDS {
            std::thread::sleep(Duration::from_millis(50));
        }
        let written = since.elapsed();
        show(rate, seconds, &outcome, written);
        (outcome, written)
    };
    println!(
        "{:>9} {:>8} {:>8} {:>9} {:>7} {:>9} {:>7}  refused",
        "offered/s", "calls", "done", "in time/s", "again", "written s", "lost"
    );
    if let Ok(rates) = std::env::var("NGN_BENCH_RATES") {
        for rate in rates.split(',') {
            offer(rate.trim().parse().expect("a rate"), seconds);
        }
        counted(&p);
        return ExitCode::SUCCESS;
    }
    let is_taken = |(outcome, written): &(Outcome, Duration)| {
        outcome.done * 100 >= outcome.offered * 99 && written.as_secs() == 0
    };
    let (mut good, mut bad) = (25, 0);
    while bad == 0 || bad > good + good / 8 {
        let rate = if bad == 0 { good * 2 } else { (good + bad) / 2 };
        if is_taken(&offer(rate, seconds)) {
            good = rate;
        } else {
            bad = rate;
        }
    }
    let (rated, _) = offer(good, seconds);
    let rated = rated.done as f64 / seconds as f64;
    println!("rated load: {rated:.0} calls a second");

    let (mut calls, mut help) = (Bystanders::default(), Bystanders::default());
    for n in 0..CALLS {
        let phone = Phone::new(p.sip_address(), &format!("talker{n}@elsewhere.example"), "");
        calls.call(phone, &format!("sip:bob@{DOMAIN}"), Duration::from_millis(500));
    }
    let alice = Phone::new(p.sip_address(), &format!("alice@{DOMAIN}"), "");
    help.help(alice, &format!("sip:112@{DOMAIN}"), Duration::from_millis(200));
    let (flood, _) = offer(good * FACTOR, seconds * 2);
    let (calls, help) = (calls.end(), help.end());
    let goodput = in_time(&flood, seconds * 2);
    println!("done in each second: {:?}", flood.each_second);
    println!(
        "goodput: {goodput:.0} calls a second, {:.0} % of the rated load",
        100.0 * goodput / rated
    );
    println!("in dialogs: {calls:?}; emergency calls: {help:?}");
    println!("datagrams that the callees lost: {} and {}", callee.lost(), centre.lost());
    counted(&p);
    let is_fine = goodput >= 0.9 * rated && calls.failed + help.failed == 0;
    println!("{}", if is_fine { "as it should be" } else { "NOT as it should be" });
    if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How many calls were done in a second while they were offered. The first second, in which queues fill, counts too; what is done
/// afterwards does not.
fn in_time(outcome: &Outcome, seconds: u64) -> f64 {
    let during: usize = outcome.each_second.iter().take(usize::try_from(seconds).unwrap()).sum();
    during as f64 / seconds as f64
}

fn show(rate: u32, seconds: u64, outcome: &Outcome, written: Duration) {
    let Outcome { offered, done, again, refused, lost, .. } = outcome;
    let (each, written) = (in_time(outcome, seconds), written.as_secs_f64());
    println!(
        "{rate:>9} {offered:>8} {done:>8} {each:>9.0} {again:>7} {written:>9.1} {lost:>7}  {refused:?}"
    );
}

/// Shows what the platform lost, refused and sent again.
fn counted(p: &Platform) {
    let metrics = http::get(p.admin_address(), "/metrics").unwrap().text();
    let names = ["sipd_datagrams_lost", "sipd_shed", "sipd_stack_events_total"];
    for line in metrics.lines().filter(|line| names.iter().any(|name| line.starts_with(name))) {
        println!("{line}");
    }
}

/// Keeps a process on some processors.
fn pin(process: u32, processors: &str) {
    run(Command::new("taskset").args(["-apc", processors, &process.to_string()])).unwrap();
}

/// Whether no call record waits for the database.
fn are_written(p: &Platform) -> bool {
    let metrics = http::get(p.admin_address(), "/metrics").unwrap().text();
    let waiting = "sipd_queue_length{queue=\"call_records\"} ";
    metrics.lines().any(|line| line.strip_prefix(waiting).is_some_and(|waits| waits == "0"))
}

/// Makes the callee the emergency centre.
fn emergency(p: &Platform, centre: &Callee) {
    let target = format!("sip:help@{}", centre.local());
    let mut add = Command::new(binaries::program("ngn"));
    add.args(["emergency", "add", "112", &target]);
    add.env("NGN_DATABASE", &p.database.url).env("USER", "operator");
    assert!(add.status().unwrap().success());
    let phone = Phone::new(p.sip_address(), &format!("alice@{DOMAIN}"), "");
    eventually("the emergency centre is known", || {
        let to = format!("sip:112@{DOMAIN}");
        let invite = Request::new("INVITE", &to, &phone.aor(), &to)
            .with("Contact", &format!("<{}>", phone.contact()));
        (phone.transact(&invite).ok()?.status() == 200).then_some(())
    });
}
