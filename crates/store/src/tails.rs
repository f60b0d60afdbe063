//! How far the tables reach that rows are only appended to (`journal`, `location_changes`): one cheap statement, whose answer
//! all who follow them through one store share.

use crate::error::StoreError;
use crate::follower::{ANSWER_LIMIT, on_connection};
use crate::store::{Db, Store};
use sqlx::Connection as _;
use sqlx::mysql::{MySql, MySqlConnection, MySqlPool};
use std::io::ErrorKind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often it is asked how far they reach.
pub(crate) const POLL: Duration = Duration::from_millis(25);
/// How old an answer may be that is taken. Whoever takes one asks next when who had it does: so they keep step.
const FRESH: Duration = Duration::from_millis(12);

/// The statement.
const ASK: &str = "SELECT (SELECT MAX(id) FROM journal), (SELECT MAX(id) FROM location_changes)";

/// The highest ids of both tables, if there are any.
type Highest = (Option<i64>, Option<i64>);

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

/// What the database said last.
#[derive(Debug, Default)]
struct Known {
    answer: Option<Tails>,
    /// By what it is asked. A pool would ask each connection that comes back whether it is there, which is as much again.
    connection: Option<MySqlConnection>,
}

/// What is known of them.
#[derive(Debug, Default)]
pub(crate) struct Last {
    known: tokio::sync::Mutex<Known>,
    /// How far `location_changes` reaches at least, by what was written through this store.
    written: AtomicU64,
}

impl Store {
    /// How far the tables reach, as of now or, as to what other processes wrote, of a few milliseconds ago.
    pub(crate) async fn tails(&self) -> Result<Tails, StoreError> {
        // Who comes meanwhile waits for the answer that is on its way.
        let since = Instant::now();
        let last = self.last_tails();
        let mut known = last.known.lock().await;
        let written = last.written.load(Ordering::Acquire);
        let is_fresh = |tails: &Tails| tails.asked >= since || tails.asked.elapsed() <= FRESH;
        if let Some(tails) = known.answer.filter(is_fresh) {
            return Ok(Tails { bindings: tails.bindings.max(written), ..tails });
        }
        let asked = Instant::now();
        let (journal, bindings): Highest = match self.db() {
            Db::My { pool } => ask(pool, &mut known.connection).await?,
            Db::Lite { .. } => on_connection!(self, c => {
                sqlx::query_as::<DB, Highest>(ASK).fetch_one(&mut *c).await
            })?,
        };
        let [journal, bindings] =
            [journal, bindings].map(|id| u64::try_from(id.unwrap_or(0)).unwrap_or(0));
        let tails = Tails { journal, bindings, asked };
        known.answer = Some(tails);
        Ok(tails)
    }

    /// Takes note of a row of `location_changes` that was committed through this store.
    pub(crate) fn wrote_bindings(&self, id: u64) {
        self.last_tails().written.fetch_max(id, Ordering::AcqRel);
    }
}

impl Last {
    /// Says good-bye to the database.
    pub(crate) async fn close(&self) {
        if let Some(connection) = self.known.lock().await.connection.take() {
            // It ends in either case.
            let _ = connection.close().await;
        }
    }
}

/// Asks by the connection that is kept, or by a new one, which is kept then.
async fn ask(pool: &MySqlPool, kept: &mut Option<MySqlConnection>) -> Result<Highest, StoreError> {
    // One whose answer nobody waits for any more is not used again.
    if let Some(connection) = kept.take().filter(|_| !pool.is_closed()) {
        match ask_by(connection).await {
            Ok((answer, connection)) => {
                *kept = Some(connection);
                return Ok(answer);
            }
            Err(sqlx::Error::Io(error)) if error.kind() == ErrorKind::TimedOut => {
                return Err(sqlx::Error::Io(error).into());
            }
            // It may have ended long ago.
            Err(_) => {}
        }
    }
    let (answer, connection) = ask_by(pool.acquire().await?.detach()).await?;
    *kept = Some(connection);
    Ok(answer)
}

async fn ask_by(
    mut connection: MySqlConnection,
) -> Result<(Highest, MySqlConnection), sqlx::Error> {
    let asking = sqlx::query_as::<MySql, Highest>(ASK).fetch_one(&mut connection);
    let answer = tokio::time::timeout(ANSWER_LIMIT, asking).await;
    let answer = answer.unwrap_or(Err(sqlx::Error::Io(ErrorKind::TimedOut.into())))?;
    Ok((answer, connection))
}
