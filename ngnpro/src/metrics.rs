//! What ngnpro counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Labels of a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    operation: &'static str,
    fault: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RedirectLabels {
    status: u16,
}

/// The counters.
#[derive(Debug)]
pub struct Metrics {
    redirects: Family<RedirectLabels, Counter>,
    calls: Family<CallLabels, Counter>,
    seconds: Histogram,
    all: AtomicU64,
    faults: AtomicU64,
}

impl Metrics {
    /// Makes the counters and registers them.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let bounds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];
        let metrics = Self {
            redirects: Family::default(),
            calls: Family::default(),
            seconds: Histogram::new(bounds),
            all: AtomicU64::new(0),
            faults: AtomicU64::new(0),
        };
        registry.register(
            "ngnpro_calls",
            "SOAP calls by operation and fault code, 0 for success",
            metrics.calls.clone(),
        );
        registry.register(
            "ngnpro_redirects",
            "Web requests for URL records by the status that was answered",
            metrics.redirects.clone(),
        );
        registry.register("ngnpro_call_seconds", "Duration of SOAP calls", metrics.seconds.clone());
        metrics
    }

    /// Counts a call; `fault` is 0 for success.
    pub fn count(&self, operation: &'static str, fault: u16, took: Duration) {
        self.calls.get_or_create(&CallLabels { operation, fault }).inc();
        self.seconds.observe(took.as_secs_f64());
        self.all.fetch_add(1, Ordering::Relaxed);
        if fault != 0 {
            self.faults.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a web request for a URL record.
    pub fn count_redirect(&self, status: u16) {
        self.redirects.get_or_create(&RedirectLabels { status }).inc();
    }

    /// What the heartbeat tells: calls and faults since the start.
    #[must_use]
    pub fn totals(&self) -> Vec<(&'static str, u64)> {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        vec![("calls", read(&self.all)), ("faults", read(&self.faults))]
    }
}
