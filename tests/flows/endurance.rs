//! sipd keeps its promises over crashes and outages: the small size of `make endure`.

use std::time::Duration;

use ngn_tests::database::Backend;
use ngn_tests::endurance::crowd::Pace;
use ngn_tests::endurance::{bindings, calls, outage};
use ngn_tests::platform::Platform;

/// Slow enough for an unoptimised server on a busy machine.
const PACE: Pace = Pace { per_second: 200, in_flight: 20 };

/// RFC 3261 section 16.6 step 4 (what a dialog needs is in its messages), B76: calls survive kill -9 of sipd, with their
/// records and limits.
fn calls_last(backend: Backend) {
    _ = calls::run(&mut Platform::start_apart(backend), 200, 4, PACE);
}

#[test]
fn calls_survive_on_sqlite_when_sipd_crashes() {
    calls_last(Backend::Sqlite);
}

#[test]
fn calls_survive_on_mariadb_when_sipd_crashes() {
    calls_last(Backend::MariaDb);
}

/// What was acknowledged is served after each of three crashes.
fn bindings_last(backend: Backend) {
    let moment = |kill: usize| 500 + 700 * kill as u64;
    let report = bindings::run(&mut Platform::start_apart(backend), 500, 3, PACE, moment);
    assert_eq!(report.restarts.len(), 3);
    assert_eq!(report.acknowledged, 500, "{}", report.statuses);
}

#[test]
fn many_bindings_survive_on_sqlite_when_sipd_crashes() {
    bindings_last(Backend::Sqlite);
}

#[test]
fn many_bindings_survive_on_mariadb_when_sipd_crashes() {
    bindings_last(Backend::MariaDb);
}

/// MariaDB hangs, and is shut down, while phones call and register.
#[test]
fn nobody_notices_that_the_database_is_away() {
    let away = Duration::from_secs(4);
    let size = outage::Size { accounts: 40, registrations: 20, calls: 5, away };
    let report = outage::run(size);
    assert_eq!(report.refused, 0, "{report:?}");
    let (before, most) = report.memory;
    assert!(most < before + (128 << 20), "{before} octets became {most}");
}
