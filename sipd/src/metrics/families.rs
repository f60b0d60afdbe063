//! Metrics of gateways and of the guard.

use super::{counters, handle};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What tells gateways apart: id and name.
pub(super) type GatewayLabel = [(&'static str, String); 2];

/// What is counted of one gateway.
#[derive(Debug, Clone)]
pub struct GatewayMetrics {
    /// Calls that were sent to it.
    pub calls: Counter,
    /// Those of them that it did not answer, or that ended in 408 or 5xx.
    pub failures: Counter,
    /// 1 while it is up, else 0.
    pub up: Gauge,
    pub(super) label: GatewayLabel,
    pub(super) families:
        (Family<GatewayLabel, Counter>, Family<GatewayLabel, Counter>, Family<GatewayLabel, Gauge>),
}

impl GatewayMetrics {
    /// Shows it no longer.
    pub fn forget(&self) {
        self.families.0.remove(&self.label);
        self.families.1.remove(&self.label);
        self.families.2.remove(&self.label);
    }
}

/// What the guard keeps out.
#[derive(Debug, Clone)]
pub struct GuardMetrics {
    /// Requests of clients that name themselves after scanners.
    pub scanners: Counter,
    /// Requests of sources that looked for too many users.
    pub probing: Counter,
    /// Requests beyond a rate that were told 503.
    pub told: Counter,
    /// Requests beyond a rate that were not answered.
    pub ignored: Counter,
    /// Requests whose credentials were not looked at.
    pub unproven: Counter,
    /// Wrong passwords.
    pub failures: Counter,
    /// Bans of sources for wrong passwords.
    pub banned: Counter,
    /// Accounts that began to be guarded.
    pub guarded: Counter,
    /// Bans of sources for looking for users.
    pub probers: Counter,
    /// Sources that are remembered.
    pub sources: Gauge,
}

impl GuardMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let dropped = counters(registry, "guard_refused", "Requests that were kept out");
        let bans = counters(registry, "guard_bans", "Bans that began");
        let wrong = counters(registry, "guard_failures", "What counts towards bans");
        let sources = Gauge::default();
        registry.register("guard_sources", "Sources that are remembered", sources.clone());
        Self {
            scanners: handle(&dropped, [("why", "scanner")]),
            probing: handle(&dropped, [("why", "probing")]),
            told: handle(&dropped, [("why", "rate, told 503")]),
            ignored: handle(&dropped, [("why", "rate, not answered")]),
            unproven: handle(&dropped, [("why", "too many wrong passwords")]),
            failures: handle(&wrong, [("what", "wrong password")]),
            banned: handle(&bans, [("of", "source, wrong passwords")]),
            guarded: handle(&bans, [("of", "account, wrong passwords")]),
            probers: handle(&bans, [("of", "source, unknown users")]),
            sources,
        }
    }
}
