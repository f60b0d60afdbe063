//! What is served, and answering from it.

use crate::by_zone::{ByZone, Tally};
use crate::config::{self, Counting, Dnssec};
use crate::metrics::{Limited, Metrics};
use crate::query_log::{QueryLog, Sampler};
use crate::rate::{Rate, RateLimit};
use crate::secondary::Secondaries;
use crate::signer::ZoneSigner;
use crate::snapshot::now;
use crate::via::Via;
use arc_swap::{ArcSwap, Cache};
use ngn_dns::answer::{
    Limits, Outcome, Rcode, Server, Transport, answer_for, cut_short, look_ahead,
};
use ngn_dns::cookie::Secrets;
use ngn_dns::dnssec::Signer;
use ngn_dns::name::Name;
use ngn_dns::notify;
use ngn_dns::rate::Verdict;
use ngn_dns::transfer::{Bounds, Difference, History};
use ngn_dns::tsig::Keys;
use ngn_dns::zone::{Zone, Zones};
use prometheus_client::registry::Registry;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The zones as they are served now, replaced as a whole and read by every thread. The follower brings ours, and
/// [`crate::secondary`] those of others.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    zones: Arc<ArcSwap<Zones>>,
    /// Held while zones are replaced, since those who do so begin with what is there.
    replacing: Arc<Mutex<()>>,
    /// Zones that others master.
    pub(crate) secondaries: Arc<Secondaries>,
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
    /// Notes some of the queries.
    query_log: Arc<QueryLog>,
    /// Counts those of each zone.
    by_zone: Arc<ByZone>,
}

impl Served {
    /// Serves no zone yet.
    #[must_use]
    pub(crate) fn new(metrics: Metrics, keys: Keys, bounds: Bounds, rate: &Rate) -> Self {
        Self {
            zones: Arc::new(ArcSwap::from_pointee(Zones::new())),
            replacing: Arc::default(),
            secondaries: Arc::default(),
            history: Arc::new(Mutex::new(History::new(bounds))),
            changed: Arc::default(),
            keys: Arc::new(keys),
            cookies: secret().map(|secret| Arc::new(Secrets::new(secret, None))),
            rate: RateLimit::new(rate, secret().unwrap_or_default()).map(Arc::new),
            metrics: Arc::new(metrics),
            signer: Arc::new(ZoneSigner::new(&Dnssec::default())),
            query_log: Arc::new(QueryLog::new(&config::QueryLog::default()).0),
            by_zone: Arc::new(ByZone::new(0)),
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

    /// Notes and counts queries for those who look after the server.
    #[must_use]
    pub(crate) fn watched(
        self,
        query_log: Arc<QueryLog>,
        settings: &Counting,
        registry: &mut Registry,
    ) -> Self {
        let by_zone = Arc::new(ByZone::new(settings.zones));
        by_zone.register(registry);
        Self { query_log, by_zone, ..self }
    }

    /// Serves zones of others too.
    #[must_use]
    pub(crate) fn with_secondaries(mut self, secondaries: Secondaries) -> Self {
        self.secondaries = Arc::new(secondaries);
        self
    }

    /// The zones that are served now.
    #[must_use]
    pub(crate) fn zones(&self) -> Arc<Zones> {
        self.zones.load_full()
    }

    /// The zones that are served now, without those that others master.
    #[must_use]
    pub(crate) fn own_zones(&self) -> Arc<Zones> {
        let zones = self.zones();
        if self.secondaries.is_empty() {
            return zones;
        }
        let mut own = Zones::clone(&zones);
        self.secondaries.apexes().for_each(|apex| own.remove(apex));
        Arc::new(own)
    }

    /// Serves other zones of ours from now on, which have nothing to do with those before.
    pub(crate) fn replace(&self, mut zones: Zones) {
        let _replacing = self.replacing();
        for apex in self.keep_others(&mut zones) {
            let (setting, zone) = ("secondary", apex);
            tracing::warn!(dns.zone = %zone, setting, "the zone in the database is not served: the settings name masters");
        }
        let apexes: Vec<Name> = zones.iter().map(|zone| zone.apex().clone()).collect();
        self.history().clear();
        self.signer.learn_all(&zones);
        self.zones.store(Arc::new(zones));
        self.changed.note(apexes);
    }

    /// Changes zones of ours. `edit` has the largest number of octets that a difference may have, and gives what changed in
    /// each zone, `None` where it is not known or too large.
    pub(crate) fn change<T>(
        &self,
        edit: impl FnOnce(&mut Zones, usize) -> (Vec<(Name, Option<Difference>)>, T),
    ) -> T {
        let _replacing = self.replacing();
        let mut zones = Zones::clone(&self.zones());
        let largest = self.history().largest();
        let (mut differences, told) = edit(&mut zones, largest);
        self.keep_others(&mut zones);
        differences.retain(|(apex, _)| !self.secondaries.has(apex));
        self.store(zones, differences);
        told
    }

    /// Serves a new state of a zone that another server masters; one without records is answered with SERVFAIL.
    pub(crate) fn take(&self, zone: Arc<Zone>, difference: Option<Difference>) {
        let _replacing = self.replacing();
        let mut zones = Zones::clone(&self.zones());
        let apex = zone.apex().clone();
        zones.insert(zone);
        self.metrics.set_zones(zones.len(), zones.record_count());
        self.store(zones, vec![(apex, difference)]);
    }

    /// Puts zones of others back where they were; gives those that had others in their place.
    fn keep_others(&self, zones: &mut Zones) -> Vec<Name> {
        let (mut others, before) = (Vec::new(), self.zones());
        for apex in self.secondaries.apexes() {
            let kept = before.get(apex.as_wire());
            let found = zones.get(apex.as_wire());
            if found.is_some_and(|found| kept.is_none_or(|kept| !Arc::ptr_eq(kept, found))) {
                others.push(apex.clone());
            }
            match kept {
                Some(kept) => zones.insert(Arc::clone(kept)),
                None => zones.remove(apex),
            }
        }
        others
    }

    fn store(&self, zones: Zones, differences: Vec<(Name, Option<Difference>)>) {
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

    fn replacing(&self) -> MutexGuard<'_, ()> {
        self.replacing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What led to the zones that are served.
    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something that answers, for one thread or connection.
    pub(crate) fn responder(&self, limits: Limits) -> Responder {
        let via = limits.transport.into();
        Responder {
            zones: Cache::new(Arc::clone(&self.zones)),
            keys: Arc::clone(&self.keys),
            cookies: self.cookies.clone(),
            rate: self.rate.clone().filter(|_| limits.transport == Transport::Udp),
            metrics: Arc::clone(&self.metrics),
            signer: Arc::clone(&self.signer),
            secondaries: Arc::clone(&self.secondaries),
            limits,
            via,
            sampler: Sampler::new(&self.query_log),
            tally: Tally::new(&self.by_zone, via),
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

/// Answers queries one after the other.
#[derive(Debug)]
pub(crate) struct Responder {
    zones: Cache<Arc<ArcSwap<Zones>>, Arc<Zones>>,
    keys: Arc<Keys>,
    cookies: Option<Arc<Secrets>>,
    rate: Option<Arc<RateLimit>>,
    metrics: Arc<Metrics>,
    signer: Arc<ZoneSigner>,
    secondaries: Arc<Secondaries>,
    limits: Limits,
    via: Via,
    sampler: Sampler,
    tally: Tally,
}

/// What to do about a query.
#[derive(Debug)]
pub(crate) enum Response {
    /// Nothing is to be sent.
    None,
    /// The answer is to be sent.
    Message,
    /// It asks for a transfer, which [`crate::transfer`] gives or refuses.
    Transfer,
}

impl Responder {
    /// The same for queries that come in another way, for those who count.
    #[must_use]
    pub(crate) fn over(self, via: Via) -> Self {
        Self { via, ..self }
    }

    /// Makes answering these queries faster, when it comes next.
    pub(crate) fn look_ahead<'q>(&mut self, queries: impl Iterator<Item = &'q [u8]>) {
        look_ahead(self.zones.load(), queries);
    }

    /// Writes the answer to a query over what was in `out`.
    pub(crate) fn respond(&mut self, query: &[u8], from: IpAddr, out: &mut Vec<u8>) -> Response {
        let zones: &Zones = self.zones.load();
        let limits = self.limits;
        let cookies = self.cookies.as_deref().map(|secrets| (secrets, from));
        let signer: Option<&dyn Signer> = Some(&*self.signer);
        let (began, now) = (self.sampler.begin(), now());
        let server = Server { limits, keys: &self.keys, now, cookies, signer };
        // A fault in our code costs this query, not the process. What it may have left half done is the buffer, which
        // the next answer overwrites.
        let told = notify::is_one(query);
        let (secondaries, metrics) = (&self.secondaries, &self.metrics);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            if !told {
                return answer_for(zones, query, &server, out);
            }
            notify::answer(query, &server, out, |apex, key| {
                let code = secondaries.hear(zones, apex, key, from);
                metrics.count_told(code == Rcode::NoError);
                code
            })
        }));
        let Ok(outcome) = outcome else {
            self.metrics.count_panic();
            return Response::None;
        };
        if let Outcome::Answered(answered) = outcome {
            let verdict = self.rate.as_ref().map(|rate| rate.count(from, query, &answered));
            match verdict.unwrap_or(Verdict::Send) {
                Verdict::Send if answered.is_transfer() => return Response::Transfer,
                Verdict::Send => {}
                // Who tells of a change tells it again.
                Verdict::Truncate if !told => {
                    self.metrics.count_limited(Limited::Truncated);
                    let outcome = cut_short(query, &server, out);
                    self.metrics.count(self.via, outcome);
                    return Response::Message;
                }
                Verdict::Truncate | Verdict::Drop => {
                    self.metrics.count_limited(Limited::Dropped);
                    return Response::None;
                }
            }
        }
        self.metrics.count(self.via, outcome);
        let Outcome::Answered(answered) = outcome else { return Response::None };
        if let Some(apex) = answered.zone(query) {
            self.tally.count(apex, answered.rcode, now);
        }
        if let Some(began) = began {
            self.sampler.note(began, (from, self.via), query, answered, out.len());
        }
        Response::Message
    }

    /// Lets go of zones that are not served any more, and tells what it counted.
    pub(crate) fn rest(&mut self) {
        self.tally.tell();
        let _ = self.zones.load();
    }
}
