//! Durable registrations by group commit, and those that other nodes accepted.
//!
//! The engine hands over what a REGISTER changed, numbered; this task writes all that came in the meantime in one
//! transaction and says up to which number everything is written. Only then does the engine answer 200, so that nothing
//! acknowledged is lost by `kill -9`.
//!
//! When the database is down, answers are let go at once ([`Committed::later`]): registrations are served
//! from memory, and the newest state of each contact waits here until the database is back. A database that hangs is down
//! after eight seconds.
//!
//! Between two transactions it looks whose bindings other nodes changed, and reads those: one task does both, so that
//! what it read holds everything that it wrote before ([`News::Changed`]).

use crate::pace::Pace;
use ngn_daemon::Readiness;
use ngn_model::binding::{BindingKey, Removal};
use ngn_model::{Aor, Binding};
use ngn_store::{BindingChanges, BindingFollower, Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Counts changes.
pub type Number = u64;

/// The most changes that go into one transaction.
const BATCH: usize = 2_000;
/// How far apart transactions begin: a REGISTER waits at most so long for others, and for the commit.
const GAP: Duration = Duration::from_millis(25);
/// How long to wait before the database is tried again.
const RETRY: Duration = Duration::from_millis(500);
/// How long a transaction may take before the database counts as down: long before phones give up, which they do after 32
/// seconds (RFC 3261 section 17.1.2.2, timer F).
const HUNG: Duration = Duration::from_secs(8);
/// At most so soon after another look it is looked again what other nodes changed.
const SOON: Duration = Duration::from_millis(5);
/// How long one look may keep registrations waiting.
const LOOK_LIMIT: Duration = Duration::from_secs(2);
/// How many addresses are read at once.
const READ: usize = 1_000;
/// How often old rows about changes are dropped.
const TRIM: Duration = Duration::from_secs(60);

/// What the admin port says meanwhile.
const WAITING: &str = "registrations wait in memory for the database";

/// What one REGISTER changed.
#[derive(Debug, Default)]
pub struct Change {
    /// Each has a higher one than those before.
    pub number: Number,
    /// An answer waits for it.
    pub is_awaited: bool,
    /// Contacts to write.
    pub upserts: Vec<Binding>,
    /// Contacts to remove.
    pub deletes: Vec<Removal>,
    /// Addresses whose bindings are to be read after this was written.
    pub reread: Vec<Aor>,
}

/// Answers that may go out now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The changes whose answers wait.
    pub awaited: Vec<Number>,
    /// Up to which number everything is in the database.
    pub written: Number,
    /// Whether the database is down, so that the changes will be written later.
    pub later: bool,
}

/// What the engine is told.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// Changes of ours were written, or wait for the database.
    Committed(Committed),
    /// What some addresses have, since other nodes changed it.
    Changed {
        /// The last change of ours that is in it.
        as_of: Number,
        /// All bindings of each address.
        bindings: Vec<(Aor, Vec<Binding>)>,
    },
    /// What all addresses have.
    Everything {
        /// The last change of ours that is in it.
        as_of: Number,
        /// All bindings.
        bindings: Vec<Binding>,
        /// The database went back to an earlier state: what phones were told since is not in it.
        went_back: bool,
    },
}

/// What is to become of a contact.
#[derive(Debug)]
enum State {
    Saved(Box<Binding>),
    Removed(Removal),
}

/// Changes that wait to be written: the newest state of each contact.
#[derive(Debug, Default)]
struct Backlog {
    contacts: BTreeMap<BindingKey, State>,
    awaited: Vec<Number>,
    /// The last change that was handed over.
    last: Number,
}

impl Backlog {
    fn add(&mut self, change: Change, unread: &mut BTreeSet<Aor>) {
        self.last = self.last.max(change.number);
        // Deletions first: a REGISTER may remove a contact and bind it anew under another key.
        for removal in change.deletes {
            self.contacts.insert(removal.key.clone(), State::Removed(removal));
        }
        for binding in change.upserts {
            self.contacts.insert(binding.key(), State::Saved(Box::new(binding)));
        }
        self.awaited.extend(change.is_awaited.then_some(change.number));
        unread.extend(change.reread);
    }

    /// Takes over what came later.
    fn append(&mut self, later: Self) {
        self.last = self.last.max(later.last);
        self.contacts.extend(later.contacts);
        self.awaited.extend(later.awaited);
    }

    /// Takes out what is to be saved, and what removed.
    fn take(&mut self) -> (Vec<Binding>, Vec<Removal>) {
        let (mut upserts, mut deletes) = (Vec::with_capacity(self.contacts.len()), Vec::new());
        for state in std::mem::take(&mut self.contacts).into_values() {
            match state {
                State::Saved(binding) => upserts.push(*binding),
                State::Removed(removal) => deletes.push(removal),
            }
        }
        (upserts, deletes)
    }

    /// Puts back what was taken out and not written, when nothing has come since.
    fn put_back(&mut self, upserts: &[Binding], deletes: &[Removal]) {
        let saved = |one: &Binding| (one.key(), State::Saved(Box::new(one.clone())));
        self.contacts.extend(upserts.iter().map(saved));
        let removed = |one: &Removal| (one.key.clone(), State::Removed(one.clone()));
        self.contacts.extend(deletes.iter().map(removed));
    }
}

/// How the engine and this task reach each other. The engine never waits for this task, so this one may wait.
#[derive(Debug)]
pub struct Queues {
    /// From the engine.
    pub changes: mpsc::Receiver<Change>,
    /// To the engine.
    pub news: mpsc::Sender<News>,
}

/// Looks what other nodes changed.
struct Watch {
    store: Store,
    node: String,
    follower: BindingFollower,
    /// Addresses that were named and not read yet.
    unread: BTreeSet<Aor>,
    /// Everything has to be read; whether since the database went back.
    anew: Option<bool>,
    next: Instant,
    next_trim: Instant,
}

/// Writes changes until the queue ends or, after `shutdown`, until what came before it is written or refused once.
/// `follower` looks for what other nodes change since before the directory was loaded.
pub async fn run(
    store: Store,
    (node, follower): (String, BindingFollower),
    queues: Queues,
    readiness: Readiness,
    shutdown: CancellationToken,
) {
    let Queues { mut changes, news } = queues;
    let mut backlog = Backlog::default();
    let mut watch = Watch::new(store.clone(), node.clone(), follower);
    let mut down = false;
    let mut pace = Pace::new(GAP);
    loop {
        if backlog.contacts.is_empty() && backlog.awaited.is_empty() {
            tokio::select! {
                biased;
                change = changes.recv() => match change {
                    Some(change) => backlog.add(change, &mut watch.unread),
                    None => return,
                },
                () = tokio::time::sleep_until(watch.next) => {}
            }
        }
        if !down && !backlog.contacts.is_empty() {
            pace.turn().await;
        }
        while backlog.awaited.len() < BATCH {
            match changes.try_recv() {
                Ok(change) => backlog.add(change, &mut watch.unread),
                Err(_) => break,
            }
        }
        if down {
            // Nobody waits for a database that is known to be down.
            release(&mut backlog, &news).await;
        }
        let (upserts, deletes) = backlog.take();
        let saving = store.save_bindings(&node, &upserts, &deletes);
        tokio::pin!(saving);
        let (mut later, mut reread) = (Backlog::default(), BTreeSet::new());
        let patience = if down { Duration::ZERO } else { HUNG };
        let saved = match tokio::time::timeout(patience, &mut saving).await {
            Ok(saved) => saved,
            Err(_) => {
                if !down {
                    tracing::error!("the database hangs: registrations are kept in memory");
                }
                down = true;
                readiness.set_ready(true, WAITING);
                release(&mut backlog, &news).await;
                // What is being written must not be touched; what comes meanwhile follows it.
                loop {
                    tokio::select! {
                        saved = &mut saving => break saved,
                        Some(change) = changes.recv() => {
                            later.add(change, &mut reread);
                            release(&mut later, &news).await;
                        }
                    }
                }
            }
        };
        match saved {
            Ok(noted) => {
                watch.follower.wrote(&noted);
                if down {
                    tracing::info!(
                        written = upserts.len(),
                        "database is back, registrations written"
                    );
                    readiness.set_ready(true, "");
                    // Another node may have accepted something newer meanwhile, which stays.
                    let late = upserts.iter().map(|binding| &binding.aor);
                    watch.unread.extend(late.cloned());
                }
                down = false;
                if !upserts.is_empty() || !deletes.is_empty() || !backlog.awaited.is_empty() {
                    let awaited = std::mem::take(&mut backlog.awaited);
                    let written = backlog.last;
                    let committed = Committed { awaited, written, later: false };
                    let _ = news.send(News::Committed(committed)).await;
                }
                watch.look_when_due(backlog.last, &news).await;
                backlog.append(later);
                watch.unread.extend(reread);
            }
            Err(error) => {
                backlog.put_back(&upserts, &deletes);
                backlog.append(later);
                watch.unread.extend(reread);
                if !down {
                    tracing::error!(%error, "registrations are kept in memory until the database is back");
                }
                down = true;
                // It serves, so it is ready; but whoever asks is told.
                readiness.set_ready(true, WAITING);
                release(&mut backlog, &news).await;
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
                                backlog.add(change, &mut watch.unread);
                                release(&mut backlog, &news).await;
                            }
                            None => break,
                        },
                    }
                }
            }
        }
    }
}

/// Lets answers go although their changes wait for the database.
async fn release(backlog: &mut Backlog, news: &mpsc::Sender<News>) {
    if !backlog.awaited.is_empty() {
        let awaited = std::mem::take(&mut backlog.awaited);
        let _ = news.send(News::Committed(Committed { awaited, written: 0, later: true })).await;
    }
}

impl Watch {
    fn new(store: Store, node: String, follower: BindingFollower) -> Self {
        let now = Instant::now();
        let (unread, next_trim) = (BTreeSet::new(), now + TRIM);
        Self { store, node, follower, unread, anew: None, next: now, next_trim }
    }

    /// Looks when it is time; a database that does not answer is left alone for a while.
    async fn look_when_due(&mut self, as_of: Number, news: &mpsc::Sender<News>) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        let looked = self.look(as_of, news).await;
        self.next = match looked {
            Ok(()) => self.follower.next_look().max(now.into_std() + SOON).into(),
            Err(_) => Instant::now() + RETRY,
        };
        if let Err(error) = looked {
            tracing::debug!(%error, "cannot see what other nodes registered");
        } else if now >= self.next_trim {
            self.next_trim = now + TRIM;
            let trim = self.store.trim_binding_changes(ngn_daemon::wall_clock());
            if let Err(error) = in_time(trim).await {
                tracing::debug!(%error, "cannot drop what is known about changed bindings");
            }
        }
    }

    async fn look(&mut self, as_of: Number, news: &mpsc::Sender<News>) -> Result<(), StoreError> {
        if self.anew.is_none() {
            match in_time(self.follower.changed()).await {
                Ok(BindingChanges::At(aors)) => self.unread.extend(aors),
                Ok(BindingChanges::Missed) => self.anew = Some(false),
                Err(StoreError::Rewound { .. }) => self.anew = Some(true),
                Err(error) => return Err(error),
            }
        }
        if let Some(went_back) = self.anew {
            tracing::warn!(went_back, "changes of registrations are missing; loading all of them");
            self.follower = self.store.follow_bindings(&self.node).await?;
            let bindings = self.store.all_bindings().await?;
            (self.anew, self.unread) = (None, BTreeSet::new());
            let _ = news.send(News::Everything { as_of, bindings, went_back }).await;
        }
        while !self.unread.is_empty() {
            let aors: Vec<Aor> = self.unread.iter().take(READ).cloned().collect();
            let bindings = in_time(self.store.bindings(&aors, ngn_daemon::wall_clock())).await?;
            for aor in &aors {
                self.unread.remove(aor);
            }
            let _ = news.send(News::Changed { as_of, bindings }).await;
        }
        Ok(())
    }
}

/// Registrations wait while it is looked; not for long.
async fn in_time<T>(look: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match tokio::time::timeout(LOOK_LIMIT, look).await {
        Ok(outcome) => outcome,
        Err(_) => Err(StoreError::timed_out()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(contact: &str) -> BindingKey {
        let aor = Aor::new("alice", "example.com").expect("an address");
        BindingKey::Contact { aor, contact: contact.to_owned() }
    }

    fn removal(contact: &str, until: i64) -> Removal {
        Removal { key: key(contact), until, call_id: "one".to_owned(), cseq: 7 }
    }

    fn change(number: Number, deletes: &[(&str, i64)], upserts: &[&str]) -> Change {
        let deletes = deletes.iter().map(|(contact, until)| removal(contact, *until)).collect();
        let aor = || key("").aor().clone();
        let upserts = upserts.iter().map(|contact| Binding::new(aor(), *contact, 99)).collect();
        Change { number, is_awaited: true, deletes, upserts, ..Change::default() }
    }

    #[test]
    fn what_came_while_the_database_hung_follows_what_was_being_written() {
        let (mut backlog, mut later) = (Backlog::default(), Backlog::default());
        let mut unread = BTreeSet::new();
        backlog.add(change(1, &[("a", 10), ("b", 10), ("c", 10)], &["d"]), &mut unread);
        later.add(change(2, &[("b", 20), ("d", 20)], &["c"]), &mut unread);
        let (upserts, deletes) = backlog.take();
        assert!(backlog.contacts.is_empty());
        backlog.put_back(&upserts, &deletes);
        backlog.append(later);
        let (upserts, deletes) = backlog.take();
        // As when all came one after the other: what a phone asked for stays, and its newest wish counts.
        assert_eq!(deletes, [removal("a", 10), removal("b", 20), removal("d", 20)]);
        assert_eq!(upserts.iter().map(Binding::key).collect::<Vec<_>>(), [key("c")]);
        assert_eq!((backlog.last, backlog.awaited), (2, vec![1, 2]));
    }
}
