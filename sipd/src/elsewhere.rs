//! What other nodes are doing, as of a moment ago: their calls count towards the limits of those who pay (B76, B147), and
//! their phones are reached through them.

use ngn_model::Aor;
use ngn_model::call_plan::Payer;
use ngn_store::{LastingCall, Store, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// How often the others' calls are counted.
const EVERY: Duration = Duration::from_secs(2);
/// At most so soon after another they are counted again because of a node that nobody knew.
const SOON: Duration = Duration::from_millis(20);
/// After how long, in milliseconds, a node that says nothing is gone: its calls do not count any more, and nothing is
/// sent there.
const SILENCE: i64 = 30_000;
/// After how long a call does not count any more whose end was never seen.
pub(crate) const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// How long, in milliseconds, a node may have been away without missing the end of a call: whoever hangs up repeats the
/// BYE for 32 s (RFC 3261 section 17.1.2.2), and the last beat may be 10 s older than the node's end.
const AWAY: i64 = 42_000;

/// How many calls others have.
pub type Calls = HashMap<Payer, u32>;

/// What is known of the other nodes that are alive.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Elsewhere {
    /// How many calls they have.
    pub calls: Calls,
    /// The SIP URI at which each is reached.
    pub nodes: BTreeMap<String, String>,
}

/// Who pays, as `lasting_calls` has it: accounts have an `@`, trusted peers' keys none.
pub(crate) fn payer(text: &str) -> Option<Payer> {
    if text.contains('@') {
        return text.parse::<Aor>().ok().map(Payer::Account);
    }
    (!text.is_empty()).then(|| Payer::Peer(text.to_owned()))
}

/// The calls that this node had when it ended and that still last, as far as it can know: those that count, once for each
/// who pays, and those whose sides can be asked. After a longer absence the end of some has passed it by, and none is taken
/// for lasting. Times are in milliseconds since 1970 UTC.
pub(crate) async fn own_calls(
    store: &Store,
    node: &str,
    alive_at: Option<i64>,
    now: i64,
) -> Result<Vec<LastingCall>, StoreError> {
    let is_back_soon = alive_at.is_some_and(|alive_at| now.saturating_sub(alive_at) <= AWAY);
    let since = if is_back_soon { now.saturating_sub(longest()) } else { i64::MAX };
    let mut calls = store.lasting_calls(node, since).await?;
    calls.extend(store.interrupted_calls(node, since, now).await?);
    Ok(calls)
}

fn longest() -> i64 {
    i64::try_from(LONGEST.as_millis()).unwrap_or(i64::MAX)
}

/// Looks every two seconds, and soon when `stranger` says that a phone is registered at a node that is not known, until
/// `shutdown` or the engine's end. While the database is away nobody else's calls count, and nodes are
/// where they were.
pub(crate) async fn run(
    store: Store,
    node: String,
    engine: mpsc::Sender<Elsewhere>,
    stranger: Arc<Notify>,
    shutdown: CancellationToken,
) {
    let mut told = Elsewhere::default();
    let mut every = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = every.tick() => {}
            () = stranger.notified() => tokio::time::sleep(SOON).await,
        }
        let now = ngn_daemon::wall_clock();
        let since = now.saturating_sub(longest());
        let found = store.lasting_calls_elsewhere(&node, since, now.saturating_sub(SILENCE)).await;
        let found = found.unwrap_or_else(|error| {
            tracing::debug!(%error, "cannot count the calls of other nodes");
            Vec::new()
        });
        let calls: Calls = found
            .into_iter()
            .filter_map(|(text, calls)| {
                Some((payer(&text)?, u32::try_from(calls).unwrap_or(u32::MAX)))
            })
            .collect();
        let nodes = match store.sip_node_addresses(now.saturating_sub(SILENCE)).await {
            Ok(found) => found.into_iter().filter(|(other, _)| *other != node).collect(),
            Err(error) => {
                tracing::debug!(%error, "cannot see where other nodes are");
                told.nodes.clone()
            }
        };
        let now_known = Elsewhere { calls, nodes };
        if now_known != told {
            told.clone_from(&now_known);
            if engine.send(now_known).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_store::Cdr;

    #[test]
    fn payers_are_read_back() {
        let alice = Payer::Account("alice@example.com".parse().expect("an address"));
        let peers = ["192.0.2.1", "2001:db8::1", "trunk.example"];
        let peers = peers.map(|key| Payer::Peer(key.to_owned()));
        for one in peers.into_iter().chain([alice]) {
            assert_eq!(payer(&one.to_string()), Some(one));
        }
        assert_eq!((payer(""), payer("a b@")), (None, None));
    }

    #[tokio::test]
    async fn calls_outlive_a_short_absence_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("t.sqlite").display());
        let store = Store::open(&url).await.expect("a store");
        store.migrate().await.expect("a schema");
        let now = 1_772_323_200_000;
        let call = |session: &str, started_at| Cdr {
            session_id: session.to_owned(),
            node: "here".to_owned(),
            status: 200,
            started_at,
            counts_for: vec!["alice@example.com".to_owned()],
            ..Cdr::default()
        };
        let old = now - longest() - 1;
        store.insert_cdrs(&[call("new", now - 60_000), call("old", old)]).await.expect("recorded");
        let found = own_calls(&store, "here", Some(now - AWAY), now).await.expect("calls");
        assert_eq!(found.iter().map(|c| c.session_id.as_str()).collect::<Vec<_>>(), ["new"]);
        let found = own_calls(&store, "here", Some(now - AWAY - 1), now).await.expect("calls");
        assert!(found.is_empty(), "{found:?}");
        let found = own_calls(&store, "here", Some(now), now).await.expect("calls");
        assert!(found.is_empty(), "they are forgotten");
    }
}
