//! Drops the rows of bindings that ended long ago.
//!
//! No index says which those are, since each registration would have to change it: all rows are looked at now and then, a few at a
//! time, beside everything else.

use ngn_daemon::wall_clock;
use ngn_store::{ENDED_KEPT, Store};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often all rows are looked at.
const LOOK: Duration = Duration::from_secs(600);
/// How many rows are looked at together, and how long it is until the next ones.
const ROWS: u32 = 1_000;
const PAUSE: Duration = Duration::from_millis(50);

/// Drops them until `shutdown`. When the database is away, the rest waits for the next time.
pub(crate) async fn run(store: Store, shutdown: CancellationToken) {
    let dropping = async {
        loop {
            tokio::time::sleep(LOOK).await;
            drop_ended(&store).await;
        }
    };
    tokio::select! {
        () = dropping => {}
        () = shutdown.cancelled() => {}
    }
}

async fn drop_ended(store: &Store) {
    let mut after = Some(String::new());
    while let Some(row) = after {
        let before = wall_clock().saturating_sub(2 * ENDED_KEPT);
        after = match store.delete_expired_bindings(before, &row, ROWS).await {
            Ok((_, next)) => next,
            Err(error) => {
                tracing::debug!(%error, "cannot drop bindings that ended");
                None
            }
        };
        tokio::time::sleep(PAUSE).await;
    }
}
