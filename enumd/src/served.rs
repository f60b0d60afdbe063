//! What is served, and answering from it.

use crate::metrics::Metrics;
use arc_swap::{ArcSwap, Cache};
use ngn_dns::answer::{Limits, Outcome, answer};
use ngn_dns::zone::Zones;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The zones as they are served now, replaced as a whole by the follower and read by every thread.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    zones: Arc<ArcSwap<Zones>>,
    /// The counters.
    pub(crate) metrics: Arc<Metrics>,
}

impl Served {
    /// Serves no zone yet.
    #[must_use]
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self { zones: Arc::new(ArcSwap::from_pointee(Zones::new())), metrics: Arc::new(metrics) }
    }

    /// The zones that are served now.
    #[must_use]
    pub(crate) fn zones(&self) -> Arc<Zones> {
        self.zones.load_full()
    }

    /// Serves other zones from now on.
    pub(crate) fn replace(&self, zones: Zones) {
        self.zones.store(Arc::new(zones));
    }

    /// Something that answers, for one thread or connection.
    pub(crate) fn responder(&self, limits: Limits) -> Responder {
        Responder {
            zones: Cache::new(Arc::clone(&self.zones)),
            metrics: Arc::clone(&self.metrics),
            limits,
            out: Vec::new(),
        }
    }
}

/// Answers queries one after the other into the same buffer.
#[derive(Debug)]
pub(crate) struct Responder {
    zones: Cache<Arc<ArcSwap<Zones>>, Arc<Zones>>,
    metrics: Arc<Metrics>,
    limits: Limits,
    out: Vec<u8>,
}

/// What to do about a query.
#[derive(Debug)]
pub(crate) enum Response<'r> {
    /// Nothing is to be sent.
    None,
    /// This is to be sent.
    Message(&'r [u8]),
    /// It asks for a transfer, which [`crate::transfer`] gives or refuses.
    Transfer,
}

impl Responder {
    /// The answer to a query.
    pub(crate) fn respond(&mut self, query: &[u8]) -> Response<'_> {
        let zones: &Zones = self.zones.load();
        let (limits, out) = (self.limits, &mut self.out);
        // A fault in our code costs this query, not the process. What it may have left half done is the buffer, which
        // the next answer overwrites.
        let outcome = catch_unwind(AssertUnwindSafe(|| answer(zones, query, limits, out)));
        let Ok(outcome) = outcome else {
            self.metrics.count_panic();
            return Response::None;
        };
        if let Outcome::Answered(answered) = outcome
            && answered.is_transfer()
        {
            return Response::Transfer;
        }
        self.metrics.count(limits.transport, outcome);
        match outcome {
            Outcome::Dropped => Response::None,
            Outcome::Answered(_) => Response::Message(&self.out),
        }
    }

    /// Lets go of zones that are not served any more.
    pub(crate) fn rest(&mut self) {
        let _ = self.zones.load();
    }
}
