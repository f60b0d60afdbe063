//! Calls of a node that was killed do not last forever: the node notes that it is alive, and when it starts again
//! it closes what it left open at the moment when it last was. For a node that does not come back (or comes back under
//! another address) another one does so after an hour.

use crate::elsewhere;
use ngn_store::{LastingCall, Store, StoreError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the node says so; the end of an interrupted call is at most this much too early.
const BEAT: Duration = Duration::from_secs(10);

/// How long the last beat may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// After how long, in milliseconds, a node that says nothing does not come back.
const SILENCE: i64 = 3_600_000;

/// Closes calls that the node left open, if any; gives those that may last all the same, and when the node was last alive.
/// Times are in milliseconds since 1970 UTC.
///
/// # Errors
///
/// When the database fails.
pub async fn begin(
    store: &Store,
    node: &str,
    now: i64,
) -> Result<(Vec<LastingCall>, i64), StoreError> {
    let before = store.sip_node_is_alive(node, now).await?;
    if let Some(alive_at) = before {
        let closed = store.close_interrupted_cdrs(node, alive_at, now).await?;
        if closed > 0 {
            tracing::warn!(closed, "calls lasted when this node ended; they are closed");
        }
    }
    let calls = elsewhere::own_calls(store, node, before, now).await?;
    Ok((calls, before.unwrap_or(now)))
}

/// Beats until `shutdown`, and once more then; a database that does not answer keeps nobody from ending.
pub async fn run(store: Store, node: String, shutdown: CancellationToken) {
    let beats = async {
        loop {
            tokio::time::sleep(BEAT).await;
            note(&store, &node).await;
            if let Err(error) = bury(&store, ngn_daemon::wall_clock()).await {
                tracing::debug!(%error, "cannot close calls of nodes that are gone");
            }
        }
    };
    tokio::select! {
        () = beats => {}
        () = shutdown.cancelled() => {}
    }
    // Without it the calls that last end, for the records, at the beat before; and others send requests here for a while.
    let farewell = async {
        note(&store, &node).await;
        if let Err(error) = store.set_sip_node_address(&node, None).await {
            tracing::debug!(%error, "cannot tell other nodes that this one ends");
        }
    };
    if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
        tracing::debug!("no time to note that this node ends");
    }
}

async fn note(store: &Store, node: &str) {
    if let Err(error) = store.sip_node_is_alive(node, ngn_daemon::wall_clock()).await {
        tracing::debug!(%error, "cannot note that this node is alive");
    }
}

/// Closes the calls of nodes that do not come back. Should one be alive and only cut off from the database, the BYEs
/// of its calls replace what is assumed here.
async fn bury(store: &Store, now: i64) -> Result<(), StoreError> {
    for (node, alive_at) in store.silent_sip_nodes(now.saturating_sub(SILENCE)).await? {
        let closed = store.close_interrupted_cdrs(&node, alive_at, now).await?;
        store.lasting_calls(&node, i64::MAX).await?;
        store.interrupted_calls(&node, i64::MAX, now).await?;
        tracing::warn!(node, closed, "a node is gone; its calls are closed");
        store.set_sip_node_address(&node, None).await?;
        store.forget_sip_node(&node, alive_at).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_store::Cdr;

    #[tokio::test(start_paused = true)]
    async fn a_database_that_does_not_answer_keeps_nobody_from_ending() {
        // It takes connections and says nothing.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let store = Store::open(&format!("mysql://u:p@{address}/d")).await.expect("a store");
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        let begun = tokio::time::Instant::now();
        run(store, "here".to_owned(), shutdown).await;
        // By the clock of the runtime, which waits for nobody.
        assert!(begun.elapsed() <= FAREWELL + Duration::from_millis(10), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn nodes_that_do_not_come_back_are_buried_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("t.sqlite").display());
        let store = Store::open(&url).await.expect("a store");
        store.migrate().await.expect("a schema");
        let now = 1_772_323_200_000;
        let call = |node: &str| Cdr {
            session_id: node.to_owned(),
            started_at: now - 2 * SILENCE,
            node: node.to_owned(),
            status: 200,
            ..Cdr::default()
        };
        store.insert_cdrs(&[call("gone"), call("here")]).await.expect("recorded");
        store.sip_node_is_alive("gone", now - SILENCE - 1).await.expect("noted");
        store.sip_node_is_alive("here", now - SILENCE + 1).await.expect("noted");
        bury(&store, now).await.expect("buried");
        assert_eq!(store.silent_sip_nodes(now).await.expect("nodes").len(), 1);
        // What it closed is closed; what is left belongs to the node that is here.
        assert_eq!(store.close_interrupted_cdrs("gone", now, now).await.expect("closed"), 0);
        assert_eq!(store.close_interrupted_cdrs("here", now, now).await.expect("closed"), 1);
    }
}
