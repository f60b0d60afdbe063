//! What sipd promises over crashes and outages, at full size: `make endure`, or one of `calls`, `bindings` and `outage` with
//! the size as numbers behind it.
//!
//! - `calls COUNT ACCOUNTS`: so many calls last while sipd is killed; all are changed and ended afterwards.
//! - `bindings COUNT RATE KILLS`: so many contacts register while sipd is killed at random moments.
//! - `outage ACCOUNTS RATE CALLS SECONDS`: MariaDB hangs for so long and is shut down for so long, under load.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ngn_tests::Platform;
use ngn_tests::database::Backend;
use ngn_tests::endurance::crowd::Pace;
use ngn_tests::endurance::{bindings, calls, outage};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    let numbers: Vec<u32> = arguments.map(|text| text.parse().expect("a number")).collect();
    let number = |place: usize, default: u32| numbers.get(place).copied().unwrap_or(default);
    let size = |place: usize, default: u32| usize::try_from(number(place, default)).unwrap();
    match what.as_str() {
        "calls" => {
            let mut p = Platform::start_apart(Backend::MariaDb);
            let pace = Pace { per_second: 500, in_flight: 100 };
            let report = calls::run(&mut p, size(0, 10_000), size(1, 20), pace);
            println!("{report:#?}");
        }
        "bindings" => {
            let mut p = Platform::start_apart(Backend::MariaDb);
            let pace = Pace { per_second: number(1, 500), in_flight: 500 };
            let kills = size(2, 10);
            let apart = 1_000 * number(0, 100_000) / pace.per_second.max(1) / number(2, 10).max(1);
            // Random, and printed so that it can be done again.
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
            println!("seed {now}");
            let moment = |kill: usize| {
                let mixed = (u64::from(now) + kill as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                (mixed >> 33) % u64::from(apart.max(1))
            };
            let report = bindings::run(&mut p, size(0, 100_000), kills, pace, moment);
            println!("{report:#?}");
            let worst = report.restarts.iter().max().copied().unwrap_or_default();
            println!("served again after {:.2} s at most", worst.as_secs_f64());
        }
        "outage" => {
            let away = Duration::from_secs(u64::from(number(3, 300)));
            let size = outage::Size {
                accounts: size(0, 1_000),
                registrations: number(1, 100),
                calls: number(2, 20),
                away,
            };
            let report = outage::run(size);
            println!("{report:#?}");
            assert_eq!(report.refused, 0, "somebody noticed");
        }
        other => {
            eprintln!("`{other}` is none of calls, bindings, outage");
            std::process::exit(2);
        }
    }
    println!("all kept");
}
