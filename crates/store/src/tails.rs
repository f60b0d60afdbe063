//! How far the tables reach that rows are only appended to (`journal`, `location_changes`): one cheap statement, whose answer
//! all who follow them through one store share.

use crate::error::StoreError;
use crate::follower::on_connection;
use crate::store::{Db, Store};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often it is asked how far they reach.
pub(crate) const POLL: Duration = Duration::from_millis(25);
/// How old an answer may be that is taken. Whoever takes one asks next when who had it does: so they keep step.
const FRESH: Duration = Duration::from_millis(12);

/// The highest ids of both tables, 0 for an empty one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tails {
    /// Of `journal`.
    pub(crate) journal: u64,
    /// Of `location_changes`.
    pub(crate) bindings: u64,
    /// What was committed before this moment is in it.
    pub(crate) asked: Instant,
}

/// What is known of them.
#[derive(Debug, Default)]
pub(crate) struct Last {
    answer: tokio::sync::Mutex<Option<Tails>>,
    /// How far `location_changes` reaches at least, by what was written through this store.
    written: AtomicU64,
}

impl Store {
    /// How far the tables reach, as of now or, as to what other processes wrote, of a few milliseconds ago.
    pub(crate) async fn tails(&self) -> Result<Tails, StoreError> {
        // Who comes meanwhile waits for the answer that is on its way.
        let since = Instant::now();
        let known = self.last_tails();
        let mut last = known.answer.lock().await;
        let written = known.written.load(Ordering::Acquire);
        let is_fresh = |last: &Tails| last.asked >= since || last.asked.elapsed() <= FRESH;
        if let Some(last) = last.filter(is_fresh) {
            return Ok(Tails { bindings: last.bindings.max(written), ..last });
        }
        let asked = Instant::now();
        let (journal, bindings): (Option<i64>, Option<i64>) = on_connection!(self, c => {
            sqlx::query_as::<DB, (Option<i64>, Option<i64>)>(
                "SELECT (SELECT MAX(id) FROM journal), (SELECT MAX(id) FROM location_changes)",
            )
            .fetch_one(&mut *c)
            .await
        })?;
        let [journal, bindings] =
            [journal, bindings].map(|id| u64::try_from(id.unwrap_or(0)).unwrap_or(0));
        let tails = Tails { journal, bindings, asked };
        *last = Some(tails);
        Ok(tails)
    }

    /// Takes note of a row of `location_changes` that was committed through this store.
    pub(crate) fn wrote_bindings(&self, id: u64) {
        self.last_tails().written.fetch_max(id, Ordering::AcqRel);
    }
}
