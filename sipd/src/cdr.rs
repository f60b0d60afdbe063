//! Call detail records on their way to the database: batched, kept and tried again while it is down.

pub(crate) mod record;

use crate::metrics::{self, Metrics};
use ngn_store::{Cdr, CdrStop, Store};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The most records of one transaction.
const BATCH: usize = 500;
/// The most records kept here while the database is down. What comes then stays in the queue, which the engine watches:
/// it refuses new calls before it is full.
const BACKLOG: usize = 100_000;
/// How long to wait before the database is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// Something to be recorded.
#[derive(Debug, Clone)]
pub enum Record {
    /// A call was answered, or failed.
    Call(Box<Cdr>),
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
    let mut backlog = VecDeque::new();
    loop {
        if backlog.is_empty() {
            match records.recv().await {
                Some(record) => backlog.push_back(record),
                None => return,
            }
        }
        while backlog.len() < BACKLOG {
            match records.try_recv() {
                Ok(record) => backlog.push_back(record),
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

/// Writes from the front, in order: a call's end must find its beginning.
async fn write(
    store: &Store,
    backlog: &mut VecDeque<Record>,
    metrics: &Metrics,
) -> Result<(), ngn_store::StoreError> {
    loop {
        let calls: Vec<Cdr> = backlog
            .iter()
            .take(BATCH)
            .map_while(|record| match record {
                Record::Call(cdr) => Some((**cdr).clone()),
                Record::Stop(_) => None,
            })
            .collect();
        if !calls.is_empty() {
            store.insert_cdrs(&calls).await?;
            backlog.drain(..calls.len());
            let lasting = calls.iter().filter(|cdr| cdr.stopped_at.is_none()).count();
            metrics.calls_established.inc_by(i64::try_from(lasting).unwrap_or(0));
        }
        let stops: Vec<CdrStop> = backlog
            .iter()
            .take(BATCH)
            .map_while(|record| match record {
                Record::Stop(stop) => Some(stop.clone()),
                Record::Call(_) => None,
            })
            .collect();
        if !stops.is_empty() {
            let stopped = store.stop_cdrs(&stops).await?;
            backlog.drain(..stops.len());
            metrics.calls_established.dec_by(i64::try_from(stopped).unwrap_or(0));
        }
        if backlog.is_empty() {
            return Ok(());
        }
    }
}
