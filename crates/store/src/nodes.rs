//! `nodes`: which daemons run, and what each counts; and what the calls and registrations of the SIP nodes add up to.
//!
//! A daemon notes every ten seconds that it is alive ([`Store::beat`]) and takes its row away when it ends in good order.
//! Whoever asks takes a row of the last 35 seconds for a daemon that runs.

use crate::dialect::push_upsert;
use crate::error::StoreError;
use crate::store::Store;
use crate::time::utc;
use crate::tx::{Actor, Tx, now_millis, on};
use sqlx::QueryBuilder;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// How often a daemon says that it is alive.
const BEAT: Duration = Duration::from_secs(10);
/// How long the last note may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// For how long a daemon counts as running that has said nothing since, in milliseconds.
const ALIVE: i64 = 35_000;
/// When the row of a daemon that was killed is dropped, in milliseconds.
const FORGOTTEN: i64 = 86_400_000;
/// How far back a call may have begun that still lasts, in milliseconds.
const LONGEST_CALL: i64 = 7 * 86_400_000;

/// Who says that it is alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeIdentity {
    /// The daemon: `ngnpro`, `sipd` or `enumd`.
    pub daemon: &'static str,
    /// Which one of its kind: the host and port that others see, at most 128 characters.
    pub node: String,
    /// Its address, or the name that it advertises, at most 64 characters.
    pub ip: String,
    /// Its version.
    pub version: &'static str,
}

/// A daemon that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// The daemon: `ngnpro`, `sipd` or `enumd`.
    pub daemon: String,
    /// Which one of its kind.
    pub node: String,
    /// Its address or name.
    pub ip: String,
    /// Its version.
    pub version: String,
    /// When it started, in milliseconds since 1970 UTC.
    pub started_at: i64,
    /// What it counts, by name.
    pub counters: BTreeMap<String, u64>,
}

/// Counts of one SIP domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DomainCounts {
    /// Accounts.
    pub total_accounts: u64,
    /// Accounts that are registered.
    pub online_accounts: u64,
    /// Calls in progress to or from the domain.
    pub sessions: u64,
    /// Calls in progress that the domain placed.
    pub caller: u64,
    /// Calls in progress that it receives.
    pub callee: u64,
}

/// Counts of each domain.
pub type ByDomain = BTreeMap<String, DomainCounts>;

/// What the SIP nodes have to do, as the database knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SipLoad {
    /// All nodes together.
    pub all: ByDomain,
    /// What one node alone serves: registrations over its own connections, and its calls; accounts are every node's.
    pub of_node: BTreeMap<String, ByDomain>,
}

impl NodeIdentity {
    /// A daemon at an address; `advertised` is the name or address that others know it by.
    #[must_use]
    pub fn new(
        daemon: &'static str,
        version: &'static str,
        bound: std::net::SocketAddr,
        advertised: Option<&str>,
    ) -> Self {
        let ip: String = match (advertised, bound.ip()) {
            (Some(name), _) => name.to_owned(),
            (None, IpAddr::V4(ip)) => ip.to_string(),
            (None, IpAddr::V6(ip)) => ip.to_string(),
        };
        let node = match advertised {
            Some(name) => format!("{name}:{}", bound.port()),
            None => bound.to_string(),
        };
        let cut = |text: &str, longest| text.chars().take(longest).collect();
        Self { daemon, node: cut(&node, 128), ip: cut(&ip, 64), version }
    }
}

impl Store {
    /// Notes now and every ten seconds that a daemon is alive and what `counters` gives, until `ended`; then takes the
    /// row away. A database that is down is tried again at the next beat.
    pub async fn beat<C, E>(self, who: NodeIdentity, counters: C, ended: E)
    where
        C: Fn() -> Vec<(&'static str, u64)> + Send,
        E: Future<Output = ()> + Send,
    {
        let started_at = now_millis();
        let mut ended = std::pin::pin!(ended);
        loop {
            let counters = counters();
            let beat = async {
                let noted = self.note_node(&who, started_at, now_millis(), &counters).await;
                if let Err(error) = noted {
                    tracing::debug!(%error, "cannot note that this daemon is alive");
                }
                tokio::time::sleep(BEAT).await;
            };
            tokio::select! {
                () = beat => {}
                () = &mut ended => break,
            }
        }
        // A database that is away keeps nobody from ending; the row goes when it is old.
        match tokio::time::timeout(FAREWELL, self.forget_node(&who)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "cannot note that this daemon ends"),
            Err(_) => tracing::debug!("no time to note that this daemon ends"),
        }
    }

    /// Notes that a daemon is alive at `now`, in milliseconds since 1970 UTC.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn note_node(
        &self,
        who: &NodeIdentity,
        started_at: i64,
        now: i64,
        counters: &[(&'static str, u64)],
    ) -> Result<(), StoreError> {
        let counters: BTreeMap<&str, u64> = counters.iter().copied().collect();
        let counters = serde_json::to_string(&counters)
            .map_err(|error| StoreError::corrupt("counters of a node", error))?;
        let counters = &counters;
        self.write(&Actor::system("note_node"), |tx| {
            Box::pin(async move {
                on!(tx, c => {
                    sqlx::query::<DB>("DELETE FROM nodes WHERE alive_at < ?")
                        .bind(now - FORGOTTEN)
                        .execute(&mut *c)
                        .await?;
                    let mut query = QueryBuilder::<DB>::new(
                        "INSERT INTO nodes (daemon, node, ip, version, started_at, alive_at, counters) ",
                    );
                    query.push_values([who], |mut tuple, who| {
                        tuple
                            .push_bind(who.daemon)
                            .push_bind(who.node.as_str())
                            .push_bind(who.ip.as_str())
                            .push_bind(who.version)
                            .push_bind(started_at)
                            .push_bind(now)
                            .push_bind(counters.as_str());
                    });
                    let columns = ["ip", "version", "started_at", "alive_at", "counters"];
                    push_upsert(&mut query, "daemon, node", &columns);
                    query.build().execute(&mut *c).await.map(drop)
                })
            })
        })
        .await
        .map(drop)
    }

    /// The daemons that ended without a word: alive within the last day, but not within the last 35 seconds before `now`
    /// (milliseconds since 1970 UTC), with when they last were.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn silent_nodes(&self, now: i64) -> Result<Vec<(String, String, i64)>, StoreError> {
        self.read(|tx| {
            Box::pin(async move {
                on!(tx, c => {
                    sqlx::query_as::<DB, (String, String, i64)>(
                        "SELECT daemon, node, alive_at FROM nodes WHERE alive_at < ? AND alive_at >= ? \
                         ORDER BY daemon, node",
                    )
                    .bind(now - ALIVE)
                    .bind(now - FORGOTTEN)
                    .fetch_all(&mut *c)
                    .await
                })
            })
        })
        .await
    }

    /// Notes that a daemon ended.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn forget_node(&self, who: &NodeIdentity) -> Result<(), StoreError> {
        self.write(&Actor::system("forget_node"), |tx| {
            Box::pin(async move {
                on!(tx, c => {
                    sqlx::query::<DB>("DELETE FROM nodes WHERE daemon = ? AND node = ?")
                        .bind(who.daemon)
                        .bind(who.node.as_str())
                        .execute(&mut *c)
                        .await
                        .map(drop)
                })
            })
        })
        .await
        .map(drop)
    }
}

/// Daemon, node, ip, version, started_at, counters.
type Columns = (String, String, String, String, i64, String);

impl Tx<'_> {
    /// The daemons that were alive within the last 35 seconds, by daemon and node.
    pub async fn running_nodes(&mut self) -> Result<Vec<NodeRow>, StoreError> {
        let since = self.now() - ALIVE;
        let rows: Vec<Columns> = on!(self, c => {
            sqlx::query_as::<DB, Columns>(
                "SELECT daemon, node, ip, version, started_at, counters FROM nodes WHERE alive_at >= ? \
                 ORDER BY daemon, node",
            )
            .bind(since)
            .fetch_all(&mut *c)
            .await
        })?;
        rows.into_iter()
            .map(|(daemon, node, ip, version, started_at, counters)| {
                let counters = serde_json::from_str(&counters)
                    .map_err(|error| StoreError::corrupt("counters of a node", error))?;
                Ok(NodeRow { daemon, node, ip, version, started_at, counters })
            })
            .collect()
    }

    /// Accounts, registrations and calls in progress of each SIP domain. Reads whole tables: nothing for every minute
    /// of many clients.
    pub async fn sip_load(&mut self) -> Result<SipLoad, StoreError> {
        let now = self.now();
        let mut load = SipLoad::default();
        let domains: Vec<(String, i64)> = on!(self, c => {
            sqlx::query_as::<DB, (String, i64)>(
                "SELECT d.domain, COUNT(s.id) FROM domain d LEFT JOIN subscriber s ON s.domain = d.domain \
                 GROUP BY d.domain",
            )
            .fetch_all(&mut *c)
            .await
        })?;
        for (domain, count) in domains {
            load.all.entry(domain).or_default().total_accounts = unsigned(count);
        }
        // Most registrations are every node's; those over a connection belong to the node that has it.
        let online: Vec<(String, i64)> = on!(self, c => {
            sqlx::query_as::<DB, (String, i64)>(
                "SELECT domain, COUNT(DISTINCT username) FROM location WHERE expires_at > ? GROUP BY domain",
            )
            .bind(now)
            .fetch_all(&mut *c)
            .await
        })?;
        for (domain, count) in online {
            if let Some(counts) = load.all.get_mut(&domain) {
                counts.online_accounts = unsigned(count);
            }
        }
        let held: Vec<(String, String, i64)> = on!(self, c => {
            sqlx::query_as::<DB, (String, String, i64)>(
                "SELECT node, domain, COUNT(DISTINCT username) FROM location \
                 WHERE expires_at > ? AND node <> '' GROUP BY node, domain",
            )
            .bind(now)
            .fetch_all(&mut *c)
            .await
        })?;
        for (node, domain, count) in held {
            if load.all.contains_key(&domain) {
                let of_node = load.of_node.entry(node).or_default();
                of_node.entry(domain).or_default().online_accounts = unsigned(count);
            }
        }
        let oldest = utc(now - LONGEST_CALL);
        let calls: Vec<(String, Option<String>, String)> = on!(self, c => {
            sqlx::query_as::<DB, (String, Option<String>, String)>(
                "SELECT NASPortId, Realm, CanonicalURI FROM radacct \
                 WHERE AcctStopTime IS NULL AND AcctStartTime >= ?",
            )
            .bind(&oldest)
            .fetch_all(&mut *c)
            .await
        })?;
        for (node, realm, canonical) in calls {
            let of_node = load.of_node.entry(node).or_default();
            let known = |domain: &str| load.all.contains_key(domain).then(|| domain.to_owned());
            let caller = realm.as_deref().and_then(known);
            let callee = canonical.rsplit_once('@').and_then(|(_, domain)| known(domain));
            for counts in [of_node, &mut load.all] {
                count_call(counts, caller.as_deref(), callee.as_deref());
            }
        }
        Ok(load)
    }
}

fn count_call(counts: &mut ByDomain, caller: Option<&str>, callee: Option<&str>) {
    if let Some(domain) = caller {
        let counts = counts.entry(domain.to_owned()).or_default();
        (counts.caller, counts.sessions) = (counts.caller + 1, counts.sessions + 1);
    }
    if let Some(domain) = callee {
        let counts = counts.entry(domain.to_owned()).or_default();
        counts.callee += 1;
        if caller != callee {
            counts.sessions += 1;
        }
    }
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_within_a_domain_is_one_session() {
        let mut counts = ByDomain::new();
        count_call(&mut counts, Some("a"), Some("a"));
        count_call(&mut counts, Some("a"), Some("b"));
        count_call(&mut counts, None, Some("b"));
        count_call(&mut counts, None, None);
        let of = |name: &str| {
            let c = counts.get(name).copied().expect(name);
            (c.sessions, c.caller, c.callee)
        };
        assert_eq!((of("a"), of("b")), ((2, 2, 1), (2, 0, 2)));
    }

    #[test]
    fn nodes_are_known_by_what_they_advertise() {
        let bound = "[::1]:5060".parse().expect("an address");
        let plain = NodeIdentity::new("sipd", "1", bound, None);
        assert_eq!((&*plain.node, &*plain.ip), ("[::1]:5060", "::1"));
        let named = NodeIdentity::new("sipd", "1", bound, Some("sip.example.com"));
        assert_eq!((&*named.node, &*named.ip), ("sip.example.com:5060", "sip.example.com"));
    }
}
