//! Calls of a node that was killed do not last forever: the node notes that it is alive, and when it starts again
//! it closes what it left open at the moment when it last was.

use ngn_store::{Store, StoreError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the node says so; the end of an interrupted call is at most this much too early.
const BEAT: Duration = Duration::from_secs(10);

/// Closes calls that the node left open, if any; `now` is in milliseconds since 1970 UTC.
///
/// # Errors
///
/// When the database fails.
pub async fn begin(store: &Store, node: &str, now: i64) -> Result<(), StoreError> {
    if let Some(alive_at) = store.sip_node_is_alive(node, now).await? {
        let closed = store.close_interrupted_cdrs(node, alive_at, now).await?;
        if closed > 0 {
            tracing::warn!(closed, "calls lasted when this node ended; they are closed");
        }
    }
    Ok(())
}

/// Beats until `shutdown`, and once more then.
pub async fn run(store: Store, node: String, shutdown: CancellationToken) {
    loop {
        let is_over = tokio::select! {
            () = tokio::time::sleep(BEAT) => false,
            () = shutdown.cancelled() => true,
        };
        if let Err(error) = store.sip_node_is_alive(&node, crate::wall_clock()).await {
            tracing::debug!(%error, "cannot note that this node is alive");
        }
        if is_over {
            return;
        }
    }
}
