//! What enumd counts.

use crate::via::Via;
use ngn_dns::answer::{Answered, Outcome, Rcode};
use prometheus_client::encoding::EncodeLabelValue;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::OnceLock;

/// Metrics of one name, told apart by so many labels.
pub(crate) type By<M, V = &'static str, const LABELS: usize = 1> =
    Family<[(&'static str, V); LABELS], M>;

/// What became of a transfer that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum TransferEnd {
    /// A whole zone was sent.
    Axfr,
    /// Differences, or that there are none, were sent.
    Ixfr,
    /// It was refused.
    Refused,
    /// It could not be finished.
    Broken,
}

/// What became of looking at the master of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Fetched {
    /// The whole zone came.
    Axfr,
    /// What changed came.
    Ixfr,
    /// There is nothing new.
    Current,
    /// No master gave anything that could be used.
    Failed,
}

/// How a zone that another server masters stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, EncodeLabelValue)]
pub(crate) enum Standing {
    /// It is served.
    Served,
    /// It never came.
    Missing,
    /// No master was seen for too long.
    Expired,
}

impl Standing {
    pub(crate) const ALL: [Self; 3] = [Self::Served, Self::Missing, Self::Expired];
}

/// What became of an answer that was one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Limited {
    /// It was sent cut short.
    Truncated,
    /// It was not sent.
    Dropped,
}

/// The types that are counted by name; what is asked for decides, so that the number of labels must not grow.
const TYPES: [(u16, &str); 12] = [
    (1, "A"),
    (2, "NS"),
    (5, "CNAME"),
    (6, "SOA"),
    (12, "PTR"),
    (15, "MX"),
    (16, "TXT"),
    (28, "AAAA"),
    (33, "SRV"),
    (35, "NAPTR"),
    (43, "DS"),
    (255, "ANY"),
];
/// Those types, others, and queries without a question.
const ROWS: usize = TYPES.len() + 2;

/// Counters that were used, so that counting neither locks nor allocates.
type ByQuery = [[[OnceLock<Counter>; Rcode::ALL.len()]; ROWS]; Via::ALL.len()];

/// The counters.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    queries: By<Counter, &'static str, 3>,
    by_query: ByQuery,
    truncated: Counter,
    dropped: Counter,
    panics: Counter,
    transfers: By<Counter, TransferEnd>,
    limited: By<Counter, Limited>,
    refused_connections: Counter,
    bad_records: Counter,
    notifies: Counter,
    notifies_acknowledged: Counter,
    fetched: By<Counter, Fetched>,
    secondaries: By<Gauge, Standing>,
    told: By<Counter>,
    handshakes: Counter,
    failed_handshakes: Counter,
    zones: Gauge,
    records: Gauge,
    position: Gauge,
    database: Gauge,
    lag: Gauge,
    snapshot_time: Gauge,
    history: Gauge,
}

impl Metrics {
    /// Makes the counters and registers them.
    #[must_use]
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "enumd_queries",
            "Answers by transport, type asked for and response code",
            metrics.queries.clone(),
        );
        registry.register(
            "enumd_transfers",
            "Zone transfers that were asked for, by what became of them",
            metrics.transfers.clone(),
        );
        registry.register(
            "enumd_rate_limited",
            "Answers that were one too many for their network, by what became of them",
            metrics.limited.clone(),
        );
        registry.register(
            "enumd_secondary_fetches",
            "Looks at the masters of zones that others master, by what became of them",
            metrics.fetched.clone(),
        );
        registry.register(
            "enumd_secondary_zones",
            "Zones that others master, by how they stand",
            metrics.secondaries.clone(),
        );
        registry.register(
            "enumd_notifies_received",
            "NOTIFY messages that came, by whether they were of a master",
            metrics.told.clone(),
        );
        for (name, help, counter) in [
            ("enumd_truncated", "Answers with TC set", &metrics.truncated),
            ("enumd_dropped", "Packets that were no queries and got no answer", &metrics.dropped),
            ("enumd_panics", "Queries that made the server panic", &metrics.panics),
            ("enumd_notifies", "NOTIFY messages to secondaries", &metrics.notifies),
            (
                "enumd_notifies_acknowledged",
                "Answers of secondaries to NOTIFY",
                &metrics.notifies_acknowledged,
            ),
            (
                "enumd_tls_handshakes",
                "TLS connections that stood, those of HTTPS too",
                &metrics.handshakes,
            ),
            (
                "enumd_tls_handshakes_failed",
                "TLS connections that did not come to stand",
                &metrics.failed_handshakes,
            ),
            (
                "enumd_refused_connections",
                "TCP connections above the limit",
                &metrics.refused_connections,
            ),
            (
                "enumd_bad_records",
                "Records left out since they make no sense",
                &metrics.bad_records,
            ),
        ] {
            registry.register(name, help, counter.clone());
        }
        for (name, help, gauge) in [
            ("enumd_zones", "Zones that are served", &metrics.zones),
            (
                "enumd_history_octets",
                "Octets of what is known of changes, for incremental transfers",
                &metrics.history,
            ),
            ("enumd_records", "Records that are served", &metrics.records),
            ("enumd_journal_position", "Journal position that is served", &metrics.position),
            ("enumd_database_up", "Whether the journal could be read last time", &metrics.database),
            (
                "enumd_journal_lag",
                "Journal rows that the database had and that were not served yet, when last looked at",
                &metrics.lag,
            ),
            (
                "enumd_snapshot_time_seconds",
                "When the snapshot on disk was written, in seconds since 1970 UTC; 0 when never",
                &metrics.snapshot_time,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
        metrics
    }

    /// Counts what became of a query.
    pub(crate) fn count(&self, via: Via, outcome: Outcome) {
        let Outcome::Answered(Answered { rcode, qtype, truncated, .. }) = outcome else {
            self.dropped.inc();
            return;
        };
        if truncated {
            self.truncated.inc();
        }
        let (row, qtype) = match qtype {
            None => (TYPES.len(), "none"),
            Some(qtype) => match TYPES.iter().position(|(known, _)| *known == qtype) {
                Some(row) => (row, TYPES.get(row).map_or("other", |(_, name)| *name)),
                None => (TYPES.len() + 1, "other"),
            },
        };
        let transport = Via::ALL.iter().position(|known| *known == via).unwrap_or(0);
        let column = Rcode::ALL.iter().position(|known| *known == rcode).unwrap_or(0);
        let place = self.by_query.get(transport).and_then(|rows| rows.get(row));
        if let Some(place) = place.and_then(|columns| columns.get(column)) {
            let labels = [("transport", via.name()), ("qtype", qtype), ("rcode", rcode.name())];
            place.get_or_init(|| self.queries.get_or_create_owned(&labels)).inc();
        }
    }

    /// What the heartbeat tells: queries since the start, and what is served.
    pub(crate) fn totals(&self) -> Vec<(&'static str, u64)> {
        let used = self.by_query.iter().flatten().flatten().filter_map(OnceLock::get);
        let gauge = |gauge: &Gauge| u64::try_from(gauge.get()).unwrap_or(0);
        vec![
            ("queries", used.map(Counter::get).sum()),
            ("zones", gauge(&self.zones)),
            ("records", gauge(&self.records)),
        ]
    }

    /// Counts an answer that was one too many.
    pub(crate) fn count_limited(&self, answer: Limited) {
        self.limited.get_or_create(&[("answer", answer)]).inc();
    }

    /// Counts a transfer.
    pub(crate) fn count_transfer(&self, end: TransferEnd) {
        self.transfers.get_or_create(&[("end", end)]).inc();
    }

    /// Counts a NOTIFY.
    pub(crate) fn count_notify(&self) {
        self.notifies.inc();
    }

    /// Counts an answer to a NOTIFY.
    pub(crate) fn count_notify_acknowledged(&self) {
        self.notifies_acknowledged.inc();
    }

    /// Counts a look at the master of a zone.
    pub(crate) fn count_fetched(&self, end: Fetched) {
        self.fetched.get_or_create(&[("end", end)]).inc();
    }

    /// Counts a TLS connection, or an attempt at one.
    pub(crate) fn count_handshake(&self, stands: bool) {
        if stands { &self.handshakes } else { &self.failed_handshakes }.inc();
    }

    /// Counts a NOTIFY that came.
    pub(crate) fn count_told(&self, accepted: bool) {
        let accepted = if accepted { "yes" } else { "no" };
        self.told.get_or_create(&[("accepted", accepted)]).inc();
    }

    /// Says how many zones of others there are in a state.
    pub(crate) fn set_secondaries(&self, state: Standing, zones: usize) {
        let zones = i64::try_from(zones).unwrap_or(i64::MAX);
        self.secondaries.get_or_create(&[("state", state)]).set(zones);
    }

    /// Counts a panic.
    pub(crate) fn count_panic(&self) {
        self.panics.inc();
    }

    /// Counts a connection that was not accepted.
    pub(crate) fn count_refused_connection(&self) {
        self.refused_connections.inc();
    }

    /// Counts records that were left out.
    pub(crate) fn count_bad_records(&self, count: usize) {
        self.bad_records.inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Says what is served.
    pub(crate) fn set_served(&self, zones: usize, records: usize, position: u64) {
        self.set_zones(zones, records);
        self.position.set(i64::try_from(position).unwrap_or(i64::MAX));
    }

    /// Says how many zones and records are served.
    pub(crate) fn set_zones(&self, zones: usize, records: usize) {
        self.zones.set(i64::try_from(zones).unwrap_or(i64::MAX));
        self.records.set(i64::try_from(records).unwrap_or(i64::MAX));
    }

    /// Says how much is known of changes, in octets.
    pub(crate) fn set_history(&self, octets: usize) {
        self.history.set(i64::try_from(octets).unwrap_or(i64::MAX));
    }

    /// Says whether the database answers.
    pub(crate) fn set_database(&self, up: bool) {
        self.database.set(i64::from(up));
    }

    /// Says how many journal rows are not served yet.
    pub(crate) fn set_lag(&self, rows: u64) {
        self.lag.set(i64::try_from(rows).unwrap_or(i64::MAX));
    }

    /// Says when the snapshot was written, in seconds since 1970 UTC.
    pub(crate) fn set_snapshot_time(&self, seconds: u64) {
        self.snapshot_time.set(i64::try_from(seconds).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_dns::answer::About;

    #[test]
    fn queries_are_counted_by_what_they_are() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        for (qtype, rcode) in [
            (Some(35), Rcode::NoError),
            (Some(35), Rcode::NoError),
            (Some(65_280), Rcode::NxDomain),
            (None, Rcode::FormErr),
        ] {
            let answered = Answered {
                rcode,
                qtype,
                truncated: qtype.is_none(),
                about: About::Nothing,
                proven: false,
                dnssec_ok: false,
            };
            metrics.count(Via::Udp, Outcome::Answered(answered));
        }
        metrics.count(Via::Tcp, Outcome::Dropped);
        let mut text = String::new();
        prometheus_client::encoding::text::encode_registry(&mut text, &registry).expect("text");
        for line in [
            r#"enumd_queries_total{transport="udp",qtype="NAPTR",rcode="NOERROR"} 2"#,
            r#"enumd_queries_total{transport="udp",qtype="other",rcode="NXDOMAIN"} 1"#,
            r#"enumd_queries_total{transport="udp",qtype="none",rcode="FORMERR"} 1"#,
            "enumd_truncated_total 1",
            "enumd_dropped_total 1",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
