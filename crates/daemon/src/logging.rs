//! Logs: for people on a terminal, JSON otherwise.

use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// Starts logging to standard error. `filter` is a level (`info`) or directives (`info,ngn_sipd=debug`); the
/// environment variable `RUST_LOG` goes over it. A second call changes nothing.
///
/// # Errors
///
/// A text when `filter` cannot be read.
pub fn start(filter: &str) -> Result<(), String> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(directives) if !directives.is_empty() => directives,
        _ => filter.to_owned(),
    };
    let filter = EnvFilter::try_new(&filter).map_err(|error| {
        format!(
            "log: `{filter}` is neither a level (error, warn, info, debug) nor a filter ({error})"
        )
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error only says that logging has been started before.
    let _ = if std::io::stderr().is_terminal() {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    Ok(())
}
