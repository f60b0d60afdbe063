//! `sipd` beside Kamailio: `make bench-sip`.
//!
//! Both serve the same accounts out of the same MariaDB, on one processor with it; SIPp loads them from another one, in
//! turns, at the same rates. Printed is the processor time of the server and of the database for 1,000 cycles: a
//! registration with its challenge, a call with challenge and hanging up, a call that a busy callee diverts, an OPTIONS.
//! `sipd` keeps each registration durably and writes call records meanwhile; Kamailio does neither.
//!
//! `NGN_BENCH_ACCOUNTS`, `NGN_BENCH_ROUNDS` and `NGN_BENCH_SECONDS` set other sizes, `NGN_BENCH_CYCLES=OPTIONS,call` measures
//! these alone, and no memory, `NGN_BENCH_HIGHEST=1` looks for the
//! highest rates too (=only: nothing else), `NGN_BENCH_NICE=-15` puts all that takes part before other users of the machine (root).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod load;
mod servers;

use std::fs;
use std::thread;
use std::time::Duration;

use ngn_tests::usage::{self, Usage};

use load::{Cycle, Load, Run};
use servers::{Peer, start};

/// Accounts; the upper half is busy and diverts to the lower half.
const ACCOUNTS: u64 = 20_000;
/// How often each is measured.
const ROUNDS: u64 = 5;
/// How long each time, in seconds.
const SECONDS: u64 = 4;
/// How long each rate is offered when the highest one is looked for, in seconds.
const STEP_SECONDS: u64 = 3;
/// Nothing above this is offered.
const MOST: u64 = 40_000;
/// Until transactions that are over have been forgotten (RFC 3261: timers D and J, 32 s).
const FORGOTTEN: Duration = Duration::from_secs(45);

fn main() {
    let number = |name: &str, else_: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(else_)
    };
    let accounts = number("NGN_BENCH_ACCOUNTS", ACCOUNTS);
    let (rounds, seconds) =
        (number("NGN_BENCH_ROUNDS", ROUNDS), number("NGN_BENCH_SECONDS", SECONDS));
    if let Ok(nice) = std::env::var("NGN_BENCH_NICE") {
        // Where sessions share the processor, it is the session's that counts.
        fs::write("/proc/self/autogroup", nice).expect("a priority, as root");
    }
    let directory = tempfile::Builder::new().prefix("ngn-bench-").tempdir().expect("a directory");
    let (peers, database) = start(directory.path(), accounts);
    let mut load = Load::new(directory.path(), accounts);

    let search = std::env::var("NGN_BENCH_HIGHEST").unwrap_or_default();
    if search != "only" {
        compare(&peers, database, &mut load, (accounts, rounds, seconds));
    }
    if !search.is_empty() {
        println!(
            "\nhighest rate at which at most one cycle in 1,000 fails or repeats a message, to a tenth, and what each costs at the lower one"
        );
        for cycle in wanted() {
            thread::sleep(FORGOTTEN);
            let mut lower = MOST;
            for peer in &peers {
                let (rate, more) = highest(peer, &mut load, cycle);
                println!("  {:<16} {:<9} {rate}/s{more}", cycle.name(), peer.name);
                lower = lower.min(rate);
            }
            compare_at(&peers, database, &mut load, cycle, lower.max(1), (rounds, STEP_SECONDS));
        }
    }
}

/// The cycles that are to be measured.
fn wanted() -> Vec<Cycle> {
    let names = std::env::var("NGN_BENCH_CYCLES").ok();
    let is_wanted = |cycle: &Cycle| {
        names.as_ref().is_none_or(|names| names.split(',').any(|name| name == cycle.name()))
    };
    Cycle::ALL.into_iter().filter(is_wanted).collect()
}

/// Measures memory, and processor time at fixed rates.
fn compare(
    peers: &[Peer],
    database: u32,
    load: &mut Load,
    (accounts, rounds, seconds): (u64, u64, u64),
) {
    let wanted = wanted();
    let is_all = wanted == Cycle::ALL;
    if is_all {
        println!("{accounts} accounts; one after the other registers all of them");
    }
    for peer in peers.iter().filter(|_| is_all) {
        let before = usage::memory(peer.id());
        let each = |after: u64| (after.saturating_sub(before)) as f64 / accounts as f64;
        for time in ["first", "again"] {
            let run = load.run(peer, Cycle::Register, Cycle::Register.rate(), accounts);
            let at_once = usage::memory(peer.id());
            thread::sleep(FORGOTTEN);
            let later = usage::memory(peer.id());
            println!(
                "  {:<9} {time}: {:>6} of {accounts} registered; KiB for each: {:.2} at once, \
                 {:.2} when transactions are forgotten",
                peer.name,
                run.succeeded,
                each(at_once),
                each(later),
            );
        }
    }
    println!(
        "\nCPU ms for 1,000 cycles, server + database; medians of {rounds} rounds of {seconds} s in turns"
    );
    for cycle in wanted {
        // What is left to do for the cycles before does not count for these.
        thread::sleep(FORGOTTEN);
        for rate in cycle.rates() {
            compare_at(peers, database, load, cycle, *rate, (rounds, seconds));
        }
    }
}

/// Measures processor time at one rate, in turns.
fn compare_at(
    peers: &[Peer],
    database: u32,
    load: &mut Load,
    cycle: Cycle,
    rate: u64,
    (rounds, seconds): (u64, u64),
) {
    let mut all: Vec<Vec<(Run, Usage)>> = vec![Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (peer, of) in peers.iter().zip(&mut all) {
            of.push(measure(peer, database, load, cycle, rate, seconds));
        }
    }
    let medians: Vec<[f64; 3]> = all.iter().map(|of| medians(of)).collect();
    for (peer, (of, [server, database, total])) in peers.iter().zip(all.iter().zip(&medians)) {
        let bad: u64 = of.iter().map(|(run, _)| run.failed + run.repeated).sum();
        println!(
            "  {:<16} {:<9} {rate:>5}/s {server:>6.0} + {database:>4.0} = {total:>5.0}   failed or repeated {bad}",
            cycle.name(),
            peer.name,
        );
    }
    println!("  {:<16} ratio {:.2}", cycle.name(), medians[1][2] / medians[0][2]);
}

fn measure(
    peer: &Peer,
    database: u32,
    load: &mut Load,
    cycle: Cycle,
    rate: u64,
    seconds: u64,
) -> (Run, Usage) {
    let before = Usage::now(peer.id(), database);
    let run = load.run(peer, cycle, rate, rate * seconds);
    (run, Usage::now(peer.id(), database).since(before))
}

/// Of the server, the database and both, in ms for 1,000 cycles.
fn medians(of: &[(Run, Usage)]) -> [f64; 3] {
    let median = |pick: fn(&Usage) -> f64| {
        let cycles = |run: &Run| (run.succeeded + run.failed).max(1) as f64;
        let mut all: Vec<f64> =
            of.iter().map(|(run, usage)| pick(usage) * 1e6 / cycles(run)).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    [
        median(|usage| usage.server),
        median(|usage| usage.database),
        median(|usage| usage.server + usage.database),
    ]
}

/// The highest rate that holds, to a tenth: doubled until it does not, then halved in between.
fn highest(peer: &Peer, load: &mut Load, cycle: Cycle) -> (u64, &'static str) {
    let mut holds = |rate: u64| {
        // A second chance, since others use the machine too.
        (0..2).any(|_| {
            let run = load.run(peer, cycle, rate, rate * STEP_SECONDS);
            let bad =
                run.failed + run.repeated + (rate * STEP_SECONDS).saturating_sub(run.succeeded);
            // Who falls behind offers less than was asked for.
            bad * 1_000 <= rate * STEP_SECONDS && run.seconds <= STEP_SECONDS as f64 * 1.2
        })
    };
    let (mut good, mut bad) = (0, cycle.rate());
    while holds(bad) {
        (good, bad) = (bad, bad * 2);
        if good >= MOST {
            return (good, " or more");
        }
    }
    while bad - good > good / 10 {
        let rate = (good + bad) / 2;
        if holds(rate) {
            good = rate;
        } else {
            bad = rate;
        }
        if bad < 10 {
            break;
        }
    }
    (good, "")
}
