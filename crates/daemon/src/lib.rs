//! What every daemon shares: configuration, logging, signals, HTTP serving and the admin port.
//!
//! A daemon's `main` is one call of [`run`]: it reads the configuration, starts logging, calls
//! [`Daemon::start`], prints the `ready` line, waits for a signal and shuts down in order.

pub mod admin;
pub mod config;
pub mod datagrams;
pub mod http;
pub mod logging;
pub mod prefix;
pub mod readiness;
mod reload;
mod run;

pub use readiness::Readiness;
pub use reload::{Reload, reload_on_hangup};
pub use run::{Alone, Daemon, Running, Start, notify_systemd, run, settings, shutdown_signal};
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970 UTC, by the system's clock.
#[must_use]
pub fn wall_clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
