//! What an operator is told before it hurts: certificates that expire, a database that does not answer, daemons that
//! stopped saying that they are alive.

use crate::metrics::Metrics;
use crate::tls::Profiles;
use ngn_daemon::Readiness;
use ngn_daemon::wall_clock;
use ngn_store::Store;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How long before its end a certificate is warned of, in seconds.
const EARLY: i64 = 14 * 86_400;
/// How often it is, in seconds.
const AGAIN: i64 = 86_400;
/// How often certificates are looked at when nothing happens to them.
const CERTIFICATES: Duration = Duration::from_secs(60);
/// How often the database is asked.
const DATABASE: Duration = Duration::from_secs(5);
/// After how long an answer that has not come counts as none.
const PATIENCE: Duration = Duration::from_secs(4);

/// Watches certificates until `shutdown`.
pub async fn certificates(profiles: Profiles, metrics: Metrics, shutdown: CancellationToken) {
    let mut reads = profiles.reads();
    let (mut told, mut read) = (Told::default(), *reads.borrow_and_update());
    loop {
        let now = wall_clock().div_euclid(1000);
        let validity = profiles.validity();
        for (domain, left) in told.due(&validity, now) {
            let days = left.div_euclid(86_400);
            if left < 0 {
                tracing::error!(domain, days, "a certificate has expired");
            } else {
                tracing::warn!(domain, days, "a certificate expires soon");
            }
        }
        let left: Vec<(String, i64)> =
            validity.into_iter().map(|(domain, end)| (domain, end - now)).collect();
        metrics.certificates(&left);
        tokio::select! {
            changed = reads.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = tokio::time::sleep(CERTIFICATES) => {}
            () = shutdown.cancelled() => return,
        }
        let reads_now = *reads.borrow_and_update();
        if std::mem::replace(&mut read, reads_now) != reads_now {
            // The files were read again: everything is said again.
            told = Told::default();
        }
    }
}

/// Which certificates were warned of, with their end and when.
#[derive(Debug, Default)]
struct Told(HashMap<String, (i64, i64)>);

impl Told {
    /// Those to be warned of now, with the seconds that they are good for; times are in seconds since 1970 UTC.
    fn due(&mut self, validity: &[(String, i64)], now: i64) -> Vec<(String, i64)> {
        self.0.retain(|domain, _| validity.iter().any(|(known, _)| known == domain));
        let mut due = Vec::new();
        for (domain, end) in validity {
            let is_told = self.0.get(domain).is_some_and(|(known, at)| {
                // One that has ended since is said to have.
                let has_ended = *end < now && *end >= *at;
                known == end && now - at < AGAIN && !has_ended
            });
            if end - now < EARLY && !is_told {
                self.0.insert(domain.clone(), (*end, now));
                due.push((domain.clone(), end - now));
            }
        }
        due
    }
}

/// Watches the database, how far behind it this node is, and the other daemons, until `shutdown`.
pub async fn database(
    store: Store,
    readiness: Readiness,
    metrics: Metrics,
    shutdown: CancellationToken,
) {
    let (mut is_up, mut silent) = (true, Silent::default());
    loop {
        let begun = Instant::now();
        let ask = async {
            let end = store.journal_end().await?.0;
            Ok::<_, ngn_store::StoreError>((end, store.silent_nodes(wall_clock()).await?))
        };
        let why = match tokio::time::timeout(PATIENCE, ask).await {
            Ok(Ok((end, nodes))) => {
                metrics.database_answer.set(begun.elapsed().as_secs_f64());
                let behind = end.saturating_sub(readiness.position());
                metrics.journal_lag.set(i64::try_from(behind).unwrap_or(i64::MAX));
                crate::metrics::set(&metrics.silent_nodes, nodes.len());
                silent.compare(nodes);
                None
            }
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        metrics.database_up.set(i64::from(why.is_none()));
        match (&why, is_up) {
            (Some(error), true) => tracing::error!(error, "the database is not reachable"),
            (None, false) => tracing::warn!("the database is reachable again"),
            _ => {}
        }
        is_up = why.is_none();
        tokio::select! {
            () = tokio::time::sleep(DATABASE) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// The daemons that are known to be silent, with when they last were alive.
#[derive(Debug, Default)]
struct Silent {
    known: BTreeMap<(String, String), i64>,
}

impl Silent {
    /// Says which ones fell silent, and which ones are back.
    fn compare(&mut self, nodes: Vec<(String, String, i64)>) -> usize {
        let mut said = 0;
        let now: BTreeSet<(String, String)> =
            nodes.iter().map(|(daemon, node, _)| (daemon.clone(), node.clone())).collect();
        let back = self.known.extract_if(.., |name, _| !now.contains(name));
        for ((daemon, node), _) in back {
            tracing::warn!(daemon, node, "a daemon that was silent is back, or given up");
            said += 1;
        }
        for (daemon, node, alive_at) in nodes {
            let name = (daemon.clone(), node.clone());
            if self.known.insert(name, alive_at) != Some(alive_at) {
                let seconds = wall_clock().saturating_sub(alive_at) / 1000;
                tracing::warn!(daemon, node, seconds, "a daemon has not said that it is alive");
                said += 1;
            }
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_warned_of_early_and_once_a_day() {
        let (mut told, end) = (Told::default(), 100 * AGAIN);
        let all = |end| vec![("a.example".to_owned(), end), ("far.example".to_owned(), end * 9)];
        let is_due = |told: &mut Told, end: i64, now: i64| !told.due(&all(end), now).is_empty();
        assert!(!is_due(&mut told, end, end - EARLY));
        assert!(is_due(&mut told, end, end - EARLY + 1));
        assert!(!is_due(&mut told, end, end - EARLY + AGAIN));
        assert!(is_due(&mut told, end, end - EARLY + 1 + AGAIN));
        // Another one in its place, which is no better.
        assert!(is_due(&mut told, end + 1, end - EARLY + 2 + AGAIN));
        // That it has ended is said at once.
        assert_eq!(told.due(&all(end + 1), end), [("a.example".to_owned(), 1)]);
        assert_eq!(told.due(&all(end + 1), end + 2), [("a.example".to_owned(), -1)]);
        assert!(!is_due(&mut told, end + 1, end + 3));
        assert!(!is_due(&mut told, end * 2, end + 4), "a better one");
    }

    #[test]
    fn daemons_are_said_to_be_silent_once() {
        let mut silent = Silent::default();
        let one = |alive_at| vec![("enumd".to_owned(), "n:53".to_owned(), alive_at)];
        assert_eq!(silent.compare(one(1)), 1);
        assert_eq!(silent.compare(one(1)), 0);
        assert_eq!(silent.compare(one(2)), 1, "it was back meanwhile");
        assert_eq!(silent.compare(Vec::new()), 1);
        assert_eq!(silent.compare(Vec::new()), 0);
    }
}
