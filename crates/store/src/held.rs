//! Writes that are held back: all done but the commit, for a caller that decides afterwards.
//!
//! A dry run looks at what would be written and rolls back. A write with an idempotency key is committed together
//! with its answer, which is known only after the write returned.

use crate::error::StoreError;
use crate::idempotency::Claim;
use crate::journal::JournalEntry;
use crate::store::Store;
use crate::tx::{ATTEMPT_LIMIT, Actor, Attempt, Tx};
use futures::future::BoxFuture;
use ngn_model::Position;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Where a handle keeps the transaction that waits for its commit.
#[derive(Default)]
pub(crate) struct Slot {
    waiting: Mutex<Option<(Tx<'static>, Actor)>>,
    /// What the transaction claims before its first statement.
    claim: Option<Claim>,
    /// Whether somebody else had claimed that before.
    repeated: AtomicBool,
}

impl Slot {
    fn take(&self) -> Option<(Tx<'static>, Actor)> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, tx: Tx<'static>, actor: Actor) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some((tx, actor));
    }
}

/// What a handle of [`Store::holding`] did and did not commit. Dropped without a word, nothing is committed.
pub struct Held {
    store: Store,
    slot: Arc<Slot>,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}

impl Store {
    /// Whether the writes of this handle are held back.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        self.slot().is_some()
    }

    /// A handle on the same database whose writes are held back until [`Held::commit`]: everything is done but the
    /// journal rows, whose numbers others wait for, and the commit. Reads through it do not see what is held back.
    /// All writes through the handle are one transaction, so no other write may be waited for meanwhile.
    ///
    /// With a `claim`, the transaction begins with it, and a write fails with [`StoreError::Duplicate`] when
    /// somebody made the same claim before; [`Held::repeated`] then says so.
    #[must_use]
    pub fn holding(&self, claim: Option<Claim>) -> (Self, Held) {
        let slot = Arc::new(Slot { claim, ..Slot::default() });
        let held = Held { store: self.clone(), slot: Arc::clone(&slot) };
        (self.with_slot(slot), held)
    }

    pub(crate) async fn attempt_held<'env, T, E, F>(
        &self,
        slot: &Slot,
        actor: &Actor,
        work: &mut F,
    ) -> Attempt<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
        F: for<'t> FnMut(&'t mut Tx<'env>) -> BoxFuture<'t, Result<T, E>> + Send,
    {
        let (mut tx, first) = match slot.take() {
            Some((tx, _)) => (tx.handed_on(), false),
            None => match self.begin_held(slot).await {
                Ok(tx) => (tx, true),
                Err(error) => return Attempt::from_error(error.is_retryable(), error.into()),
            },
        };
        match work(&mut tx).await {
            Ok(value) => {
                slot.put(tx.handed_on(), actor.clone());
                Attempt::Done(value, Vec::new())
            }
            Err(error) => {
                // A later write cannot be tried again alone: the first one went with it.
                let retry = first && tx.wants_retry();
                tx.rollback().await;
                Attempt::from_error(retry, error)
            }
        }
    }

    async fn begin_held<'env>(&self, slot: &Slot) -> Result<Tx<'env>, StoreError> {
        let mut tx = Tx::begin_write(self).await?;
        if let Some(claim) = &slot.claim
            && let Err(error) = tx.claim(claim).await
        {
            slot.repeated.store(error.is_duplicate(), Ordering::Release);
            tx.rollback().await;
            return Err(error);
        }
        Ok(tx)
    }
}

impl Held {
    /// Whether a write was refused because its claim had been made before.
    #[must_use]
    pub fn repeated(&self) -> bool {
        self.slot.repeated.load(Ordering::Acquire)
    }

    /// The journal rows that [`Self::commit`] would write; nothing when nothing is held back.
    #[must_use]
    pub fn entries(&self) -> Vec<JournalEntry> {
        let waiting = self.slot.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.as_ref().map(|(tx, _)| tx.journal_entries()).unwrap_or_default()
    }

    /// Looks at the database with what is held back in it. An error rolls back. `None` when nothing is held back.
    pub async fn look<T, E, F>(&self, work: F) -> Result<Option<T>, E>
    where
        T: Send,
        E: From<StoreError> + Send,
        F: for<'t> FnOnce(&'t mut Tx<'static>) -> BoxFuture<'t, Result<T, E>> + Send,
    {
        let Some((mut tx, actor)) = self.slot.take() else { return Ok(None) };
        match work(&mut tx).await {
            Ok(value) => {
                self.slot.put(tx, actor);
                Ok(Some(value))
            }
            Err(error) => {
                tx.rollback().await;
                Err(error)
            }
        }
    }

    /// Commits what was held back, with `answer` as what a repeated request gets. The position is that of the last
    /// journal row; `None` when there was none or nothing was held back.
    ///
    /// # Errors
    ///
    /// [`StoreError::Contention`] when others were in the way: nothing was committed and all may be done again.
    pub async fn commit(self, answer: Option<&str>) -> Result<Option<Position>, StoreError> {
        let Some((mut tx, actor)) = self.slot.take() else { return Ok(None) };
        let finish = async {
            let done = async {
                let position = tx.append_journal(&actor).await?.last().copied();
                if let (Some(claim), Some(answer)) = (&self.slot.claim, answer) {
                    tx.answer_claim(claim, answer, position).await?;
                }
                Ok(position)
            }
            .await;
            match done {
                Ok(position) => tx.commit().await.map(|()| position),
                Err(error) => {
                    tx.rollback().await;
                    Err(error)
                }
            }
        };
        let position = match tokio::time::timeout(ATTEMPT_LIMIT, finish).await {
            Ok(finished) => finished?,
            Err(_elapsed) => return Err(StoreError::timed_out()),
        };
        if let Some(position) = position {
            self.store.wake(position);
        }
        Ok(position)
    }

    /// Ends what was held back without effect.
    pub async fn roll_back(self) {
        if let Some((tx, _)) = self.slot.take() {
            tx.rollback().await;
        }
    }
}
