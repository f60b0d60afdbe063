//! Some of the queries, noted in the log.
//!
//! Whoever answers decides by a count of its own whether a query is one of those, and puts it into a bounded queue that a task writes
//! from; when that one is slow, or there are too many in a second, they are left out.

use crate::config;
use crate::snapshot::now;
use crate::via::Via;
use ngn_dns::answer::{Answered, question};
use ngn_dns::name::Name;
use ngn_dns::rdata::RecordType;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How many may wait to be written.
const WAITING: usize = 256;

/// A query that is noted.
#[derive(Debug)]
pub(crate) struct Entry {
    client: IpAddr,
    via: Via,
    /// The name that was asked for, in wire form.
    name: Box<[u8]>,
    answered: Answered,
    /// Of the answer.
    octets: usize,
    took: Duration,
}

/// Which queries are noted; settings may change at any time.
#[derive(Debug)]
pub(crate) struct QueryLog {
    one_in: AtomicU32,
    per_second: AtomicU32,
    /// How many began to answer.
    begun: AtomicU32,
    /// The second in the upper half, and how many were noted in it.
    noted: AtomicU64,
    entries: mpsc::Sender<Entry>,
}

impl QueryLog {
    /// Notes as the settings say; what the receiver gets is to be written.
    pub(crate) fn new(settings: &config::QueryLog) -> (Self, mpsc::Receiver<Entry>) {
        let (entries, out) = mpsc::channel(WAITING);
        let config::QueryLog { one_in, per_second } = *settings;
        let log = Self {
            one_in: one_in.into(),
            per_second: per_second.into(),
            begun: AtomicU32::new(0),
            noted: AtomicU64::new(0),
            entries,
        };
        (log, out)
    }

    /// Notes as other settings say from now on.
    pub(crate) fn set(&self, settings: &config::QueryLog) {
        self.one_in.store(settings.one_in, Ordering::Relaxed);
        self.per_second.store(settings.per_second, Ordering::Relaxed);
    }

    /// Whether one more may be noted in this second.
    fn may(&self) -> bool {
        let (second, most) = (now() << 32, u64::from(self.per_second.load(Ordering::Relaxed)));
        let update = self.noted.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |noted| {
            let here = if noted >> 32 == second >> 32 { noted } else { second };
            (here - second < most).then_some(here + 1)
        });
        update.is_ok()
    }
}

/// Chooses for one thread or connection.
#[derive(Debug)]
pub(crate) struct Sampler {
    log: Arc<QueryLog>,
    count: u32,
}

impl Sampler {
    /// Those who answer few queries each begin at different places, so that all of theirs are counted alike.
    pub(crate) fn new(log: &Arc<QueryLog>) -> Self {
        let count = log.begun.fetch_add(1, Ordering::Relaxed);
        Self { log: Arc::clone(log), count }
    }

    /// When the next query is one that is noted: the time now.
    pub(crate) fn begin(&mut self) -> Option<Instant> {
        let one_in = self.log.one_in.load(Ordering::Relaxed);
        if one_in == 0 {
            return None;
        }
        self.count = self.count.wrapping_add(1);
        (self.count.is_multiple_of(one_in) && self.log.may()).then(Instant::now)
    }

    /// Notes a query that was answered with so many octets.
    pub(crate) fn note(
        &self,
        began: Instant,
        (client, via): (IpAddr, Via),
        query: &[u8],
        answered: Answered,
        octets: usize,
    ) {
        let name = question(query).unwrap_or_default().into();
        let took = began.elapsed();
        // When too many wait, this one is left out.
        let _ = self.log.entries.try_send(Entry { client, via, name, answered, octets, took });
    }
}

/// Writes what is noted, until nobody is left who notes.
pub(crate) async fn write(mut entries: mpsc::Receiver<Entry>) {
    while let Some(entry) = entries.recv().await {
        let Entry { client, via, name, answered, octets, took } = entry;
        let name = Name::from_wire(&name).map_or_else(|_| String::new(), |name| name.to_string());
        let kind = answered.qtype.map_or_else(String::new, |code| RecordType(code).to_string());
        tracing::info!(
            target: "enumd::query",
            %client,
            transport = via.name(),
            name,
            r#type = kind,
            dnssec_ok = answered.dnssec_ok,
            rcode = answered.rcode.name(),
            truncated = answered.truncated,
            octets,
            microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            "query"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(one_in: u32, per_second: u32, queries: usize) -> usize {
        let (log, _out) = QueryLog::new(&config::QueryLog { one_in, per_second });
        let mut sampler = Sampler::new(&Arc::new(log));
        (0..queries).filter(|_| sampler.begin().is_some()).count()
    }

    #[test]
    fn one_of_so_many_is_noted() {
        assert_eq!(noted(0, 1_000, 100), 0);
        assert_eq!(noted(1, 1_000, 100), 100);
        assert_eq!(noted(10, 1_000, 1_000), 100);
        assert_eq!(noted(1, 0, 100), 0);
        // A second may end meanwhile.
        let many = noted(1, 5, 1_000);
        assert!((5..=50).contains(&many), "{many}");
    }

    #[test]
    fn connections_with_one_query_each_are_counted_together() {
        let settings = config::QueryLog { one_in: 10, per_second: 10_000 };
        let (log, mut out) = QueryLog::new(&settings);
        let log = Arc::new(log);
        let one = || Sampler::new(&log).begin().is_some();
        assert_eq!((0..1_000).filter(|_| one()).count(), 100);
        log.set(&config::QueryLog { one_in: 0, ..settings });
        assert!((0..100).all(|_| !one()));
        assert!(out.try_recv().is_err(), "nothing was noted yet");
    }
}
