//! Call detail records on their way to the database: batched, kept and tried again while it is down.

mod backlog;
pub(crate) mod record;

use crate::metrics::{self, Metrics};
use crate::pace::Pace;
use backlog::Backlog;
use ngn_store::{Cdr, CdrMove, CdrStop, Store};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The most records of one transaction.
const BATCH: usize = 500;
/// The most records kept here while the database is down. What comes then stays in the queue, which the engine watches:
/// it refuses new calls before it is full.
const BACKLOG: usize = 100_000;
/// How far apart transactions begin: a record waits at most so long for others.
const GAP: Duration = Duration::from_millis(100);
/// How long to wait before the database is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// Something to be recorded.
#[derive(Debug, Clone)]
pub enum Record {
    /// A call was answered, or failed.
    Call(Box<Cdr>),
    /// The sides of a call that was answered are elsewhere now.
    Moved(CdrMove),
    /// A call that was answered is over.
    Stop(CdrStop),
}

/// Writes records until the queue ends; after `shutdown` what cannot be written is given up.
pub async fn run(
    store: Store,
    mut records: mpsc::Receiver<Record>,
    metrics: Metrics,
    shutdown: CancellationToken,
) {
    let mut backlog = Backlog::default();
    let mut pace = Pace::new(GAP);
    loop {
        if backlog.len() == 0 {
            match records.recv().await {
                Some(record) => backlog.add(record),
                None => return,
            }
        }
        pace.turn().await;
        while backlog.len() < BACKLOG {
            match records.try_recv() {
                Ok(record) => backlog.add(record),
                Err(_) => break,
            }
        }
        metrics::set(&metrics.records_waiting, backlog.len());
        let written = write(&store, &mut backlog, &metrics).await;
        metrics::set(&metrics.records_waiting, backlog.len());
        if let Err(error) = written {
            tracing::error!(%error, waiting = backlog.len(), "call records wait for the database");
            if shutdown.is_cancelled() {
                let lost = backlog.len() + records.len();
                tracing::error!(lost, "call records could not be written");
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(RETRY) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }
}

async fn write(
    store: &Store,
    backlog: &mut Backlog,
    metrics: &Metrics,
) -> Result<(), ngn_store::StoreError> {
    loop {
        let calls = backlog.next_calls(BATCH);
        if calls.is_empty() {
            break;
        }
        store.insert_cdrs(calls).await?;
        let (written, lasting) =
            (calls.len(), calls.iter().filter(|cdr| cdr.stopped_at.is_none()).count());
        backlog.calls_written(written);
        metrics.calls_established.inc_by(i64::try_from(lasting).unwrap_or(0));
    }
    loop {
        let moves = backlog.next_moves(BATCH);
        if moves.is_empty() {
            break;
        }
        store.move_cdrs(moves).await?;
        let written = moves.len();
        backlog.moves_written(written);
    }
    loop {
        let stops = backlog.next_stops(BATCH);
        if stops.is_empty() {
            break;
        }
        let (written, stopped) = (stops.len(), store.stop_cdrs(stops).await?);
        backlog.stops_written(written);
        metrics.calls_established.dec_by(i64::try_from(stopped).unwrap_or(0));
    }
    backlog.shrink();
    Ok(())
}
