//! Durable registrations by group commit.
//!
//! The engine hands over what a REGISTER changed together with a ticket; this task writes all that came in the
//! meantime in one transaction and gives the tickets back. Only then does the engine answer 200, so that nothing
//! acknowledged is lost by `kill -9`.
//!
//! When the database is down, tickets come back at once as [`Committed::later`]: registrations are served
//! from memory, and the newest state of each contact waits here until the database is back.

use ngn_daemon::Readiness;
use ngn_model::Binding;
use ngn_model::binding::BindingKey;
use ngn_store::Store;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Names a REGISTER whose answer waits.
pub type Ticket = u64;

/// The most changes that go into one transaction.
const BATCH: usize = 2_000;
/// How long to wait before the database is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// What one REGISTER changed.
#[derive(Debug)]
pub struct Change {
    /// Whose answer waits; `None` for what nobody waits for (expired contacts).
    pub ticket: Option<Ticket>,
    /// Contacts to write.
    pub upserts: Vec<Binding>,
    /// Contacts to remove.
    pub deletes: Vec<BindingKey>,
}

/// Answers that may go out now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Whose.
    pub tickets: Vec<Ticket>,
    /// Whether the database is down, so that the changes will be written later.
    pub later: bool,
}

/// Changes that wait to be written: the newest state of each contact, `None` when it is to be removed.
#[derive(Debug, Default)]
struct Backlog {
    contacts: BTreeMap<BindingKey, Option<Binding>>,
    tickets: Vec<Ticket>,
}

impl Backlog {
    fn add(&mut self, change: Change) {
        // Deletions first: a REGISTER may remove a contact and bind it anew under another key.
        for key in change.deletes {
            self.contacts.insert(key, None);
        }
        for binding in change.upserts {
            self.contacts.insert(binding.key(), Some(binding));
        }
        self.tickets.extend(change.ticket);
    }

    fn parts(&self) -> (Vec<Binding>, Vec<BindingKey>) {
        let mut upserts = Vec::new();
        let mut deletes = Vec::new();
        for (key, binding) in &self.contacts {
            match binding {
                Some(binding) => upserts.push(binding.clone()),
                None => deletes.push(key.clone()),
            }
        }
        (upserts, deletes)
    }
}

/// How the engine and this task reach each other. The engine never waits for this task, so this one may wait.
#[derive(Debug)]
pub struct Queues {
    /// From the engine.
    pub changes: mpsc::Receiver<Change>,
    /// To the engine.
    pub committed: mpsc::Sender<Committed>,
}

/// Writes changes until the queue ends or, after `shutdown`, until what came before it is written or refused once.
pub async fn run(store: Store, queues: Queues, readiness: Readiness, shutdown: CancellationToken) {
    let Queues { mut changes, committed } = queues;
    let mut backlog = Backlog::default();
    let mut down = false;
    loop {
        if backlog.contacts.is_empty() && backlog.tickets.is_empty() {
            match changes.recv().await {
                Some(change) => backlog.add(change),
                None => return,
            }
        }
        while backlog.tickets.len() < BATCH {
            match changes.try_recv() {
                Ok(change) => backlog.add(change),
                Err(_) => break,
            }
        }
        if down {
            // Nobody waits for a database that is known to be down.
            release(&mut backlog, &committed, true).await;
        }
        let (upserts, deletes) = backlog.parts();
        match store.save_bindings(&upserts, &deletes).await {
            Ok(()) => {
                if down {
                    tracing::info!(
                        written = upserts.len(),
                        "database is back, registrations written"
                    );
                }
                if down {
                    readiness.set_ready(true, "");
                }
                down = false;
                backlog.contacts.clear();
                release(&mut backlog, &committed, false).await;
            }
            Err(error) => {
                if !down {
                    tracing::error!(%error, "registrations are kept in memory until the database is back");
                }
                down = true;
                // It serves, so it is ready; but whoever asks is told.
                readiness.set_ready(true, "registrations wait in memory for the database");
                release(&mut backlog, &committed, true).await;
                if shutdown.is_cancelled() {
                    tracing::error!(
                        lost = backlog.contacts.len(),
                        "registrations could not be written"
                    );
                    return;
                }
                let wait = tokio::time::sleep(RETRY);
                tokio::pin!(wait);
                // Answers go on while the database is away.
                loop {
                    tokio::select! {
                        () = &mut wait => break,
                        () = shutdown.cancelled() => break,
                        change = changes.recv() => match change {
                            Some(change) => {
                                backlog.add(change);
                                release(&mut backlog, &committed, true).await;
                            }
                            None => break,
                        },
                    }
                }
            }
        }
    }
}

async fn release(backlog: &mut Backlog, committed: &mpsc::Sender<Committed>, later: bool) {
    if !backlog.tickets.is_empty() {
        let tickets = std::mem::take(&mut backlog.tickets);
        let _ = committed.send(Committed { tickets, later }).await;
    }
}
