//! What is served, and answering from it.

use crate::config::Dnssec;
use crate::metrics::{Limited, Metrics};
use crate::rate::{Rate, RateLimit};
use crate::signer::ZoneSigner;
use crate::snapshot::now;
use arc_swap::{ArcSwap, Cache};
use ngn_dns::answer::{Limits, Outcome, Server, Transport, answer_for, cut_short};
use ngn_dns::cookie::Secrets;
use ngn_dns::dnssec::Signer;
use ngn_dns::name::Name;
use ngn_dns::rate::Verdict;
use ngn_dns::transfer::{Bounds, Difference, History};
use ngn_dns::tsig::Keys;
use ngn_dns::zone::Zones;
use prometheus_client::registry::Registry;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The zones as they are served now, replaced as a whole by the follower and read by every thread.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    zones: Arc<ArcSwap<Zones>>,
    /// What led to them; never behind them.
    history: Arc<Mutex<History>>,
    /// Zones that changed since somebody looked.
    pub(crate) changed: Arc<Changed>,
    /// The keys of signed queries.
    pub(crate) keys: Arc<Keys>,
    /// Makes cookies; none when the system has no randomness.
    cookies: Option<Arc<Secrets>>,
    /// Who gets how many answers; none when nothing is limited.
    rate: Option<Arc<RateLimit>>,
    /// The counters.
    pub(crate) metrics: Arc<Metrics>,
    /// Signs for signed zones.
    pub(crate) signer: Arc<ZoneSigner>,
}

impl Served {
    /// Serves no zone yet.
    #[must_use]
    pub(crate) fn new(metrics: Metrics, keys: Keys, bounds: Bounds, rate: &Rate) -> Self {
        Self {
            zones: Arc::new(ArcSwap::from_pointee(Zones::new())),
            history: Arc::new(Mutex::new(History::new(bounds))),
            changed: Arc::default(),
            keys: Arc::new(keys),
            cookies: secret().map(|secret| Arc::new(Secrets::new(secret, None))),
            rate: RateLimit::new(rate, secret().unwrap_or_default()).map(Arc::new),
            metrics: Arc::new(metrics),
            signer: Arc::new(ZoneSigner::new(&Dnssec::default())),
        }
    }

    /// Signs as the settings say.
    #[must_use]
    pub(crate) fn with_signer(mut self, settings: &Dnssec, registry: &mut Registry) -> Self {
        let signer = ZoneSigner::new(settings);
        signer.counts.register(registry);
        self.signer = Arc::new(signer);
        self
    }

    /// The zones that are served now.
    #[must_use]
    pub(crate) fn zones(&self) -> Arc<Zones> {
        self.zones.load_full()
    }

    /// Serves other zones from now on, which have nothing to do with those before.
    pub(crate) fn replace(&self, zones: Zones) {
        let apexes: Vec<Name> = zones.iter().map(|zone| zone.apex().clone()).collect();
        self.history().clear();
        self.signer.learn_all(&zones);
        self.zones.store(Arc::new(zones));
        self.changed.note(apexes);
    }

    /// Serves zones that came of those before by these differences; `None` where it is not known or too large.
    pub(crate) fn change(&self, zones: Zones, differences: Vec<(Name, Option<Difference>)>) {
        let mut apexes = Vec::new();
        let mut history = self.history();
        for (apex, difference) in differences {
            match difference {
                Some(difference) => history.push(&apex, difference),
                None => history.forget(&apex),
            }
            if let Some(zone) = zones.get(apex.as_wire()) {
                self.signer.learn(zone);
            }
            apexes.push(apex);
        }
        self.metrics.set_history(history.octets());
        drop(history);
        self.zones.store(Arc::new(zones));
        self.changed.note(apexes);
    }

    /// What led to the zones that are served.
    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something that answers, for one thread or connection.
    pub(crate) fn responder(&self, limits: Limits) -> Responder {
        Responder {
            zones: Cache::new(Arc::clone(&self.zones)),
            keys: Arc::clone(&self.keys),
            cookies: self.cookies.clone(),
            rate: self.rate.clone().filter(|_| limits.transport == Transport::Udp),
            metrics: Arc::clone(&self.metrics),
            signer: Arc::clone(&self.signer),
            limits,
            out: Vec::new(),
        }
    }
}

/// A secret of this process alone; none when the system has no randomness.
fn secret() -> Option<[u8; 16]> {
    let mut secret = [0; 16];
    getrandom::fill(&mut secret).ok()?;
    Some(secret)
}

/// Names of zones that changed, each once however often it did.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    apexes: Mutex<BTreeSet<Name>>,
    wake: Notify,
}

impl Changed {
    fn note(&self, apexes: Vec<Name>) {
        self.apexes.lock().unwrap_or_else(PoisonError::into_inner).extend(apexes);
        self.wake.notify_one();
    }

    /// Waits until there are some; they are given once.
    pub(crate) async fn next(&self) -> BTreeSet<Name> {
        loop {
            let found =
                std::mem::take(&mut *self.apexes.lock().unwrap_or_else(PoisonError::into_inner));
            if !found.is_empty() {
                return found;
            }
            self.wake.notified().await;
        }
    }
}

/// Answers queries one after the other into the same buffer.
#[derive(Debug)]
pub(crate) struct Responder {
    zones: Cache<Arc<ArcSwap<Zones>>, Arc<Zones>>,
    keys: Arc<Keys>,
    cookies: Option<Arc<Secrets>>,
    rate: Option<Arc<RateLimit>>,
    metrics: Arc<Metrics>,
    signer: Arc<ZoneSigner>,
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
    pub(crate) fn respond(&mut self, query: &[u8], from: IpAddr) -> Response<'_> {
        let zones: &Zones = self.zones.load();
        let (limits, out) = (self.limits, &mut self.out);
        let cookies = self.cookies.as_deref().map(|secrets| (secrets, from));
        let signer: Option<&dyn Signer> = Some(&*self.signer);
        let server = Server { limits, keys: &self.keys, now: now(), cookies, signer };
        // A fault in our code costs this query, not the process. What it may have left half done is the buffer, which
        // the next answer overwrites.
        let outcome = catch_unwind(AssertUnwindSafe(|| answer_for(zones, query, &server, out)));
        let Ok(outcome) = outcome else {
            self.metrics.count_panic();
            return Response::None;
        };
        if let Outcome::Answered(answered) = outcome {
            let verdict = self.rate.as_ref().map(|rate| rate.count(from, query, &answered));
            match verdict.unwrap_or(Verdict::Send) {
                Verdict::Send if answered.is_transfer() => return Response::Transfer,
                Verdict::Send => {}
                Verdict::Truncate => {
                    self.metrics.count_limited(Limited::Truncated);
                    let outcome = cut_short(query, &server, &mut self.out);
                    self.metrics.count(limits.transport, outcome);
                    return Response::Message(&self.out);
                }
                Verdict::Drop => {
                    self.metrics.count_limited(Limited::Dropped);
                    return Response::None;
                }
            }
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
