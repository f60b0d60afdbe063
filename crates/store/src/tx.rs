//! Transactions: read snapshots, and writes that are tried again whole.

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::journal::PendingRow;
use crate::keyring::Keyring;
use crate::store::{Db, Store};
use futures::future::BoxFuture;
use ngn_model::{CustomerId, Position};
use sqlx::pool::PoolConnection;
use sqlx::{Database, Executor, MySql, Sqlite};
use std::hash::{BuildHasher as _, RandomState};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Who makes a change, in whose name, from where and by which operation: the journal's attribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The login that was checked.
    pub login: String,
    /// The customer in whose name the login acts (B5).
    pub impersonated: Option<CustomerId>,
    /// The address the request came from.
    pub source: String,
    /// The operation, such as `Sip:addAccount`.
    pub operation: String,
}

impl Actor {
    /// The platform itself, doing what no login asked for.
    #[must_use]
    pub fn system(operation: &str) -> Self {
        Self {
            login: "system".to_owned(),
            impersonated: None,
            source: String::new(),
            operation: operation.to_owned(),
        }
    }
}

/// An open transaction.
///
/// `'env` only ties borrowed values of a closure to the call that runs it; see [`Store::write`].
pub struct Tx<'env> {
    pub(crate) conn: Conn,
    pub(crate) pending: Vec<PendingRow>,
    /// By what passwords are encrypted at rest.
    pub(crate) keys: Option<Arc<Keyring>>,
    /// How far apart the numbers are that one statement gives to its rows, once that was asked.
    pub(crate) step: Option<u64>,
    now: i64,
    read_only: bool,
    retry: bool,
    _env: PhantomData<&'env ()>,
}

/// The connection of either driver. The driver's own transaction type is not used: it gives a connection back
/// to the pool also when a statement on it was never answered, where it would wait for that answer.
pub(crate) enum Conn {
    /// MySQL or MariaDB.
    My(Leased<MySql>),
    /// SQLite.
    Lite(Leased<Sqlite>),
}

/// A connection with an open transaction. One that was left in the middle, since its caller went away or the
/// server did not answer, is closed.
pub(crate) struct Leased<D: Database> {
    connection: PoolConnection<D>,
    /// Whether COMMIT or ROLLBACK was answered, so that the connection can be used again.
    ended: bool,
}

impl<D: Database> From<PoolConnection<D>> for Leased<D> {
    fn from(connection: PoolConnection<D>) -> Self {
        Self { connection, ended: false }
    }
}

impl<D: Database> Deref for Leased<D> {
    type Target = D::Connection;
    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl<D: Database> DerefMut for Leased<D> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.connection
    }
}

impl<D: Database> Drop for Leased<D> {
    fn drop(&mut self) {
        if !self.ended {
            self.connection.close_on_drop();
        }
    }
}

/// Runs one piece of driver code on whichever database a transaction is open.
///
/// `on!(tx, c => sqlx::query_as::<DB, Row>("select ... where id = ?").bind(id).fetch_optional(&mut *c).await)`
///
/// The body is compiled once for each driver, with `DB` as its type and `c` as its connection; it evaluates to
/// a `Result<_, sqlx::Error>`, may use `?` and may await. The whole evaluates to `Result<_, StoreError>` and
/// notes in the transaction whether it should be tried again.
macro_rules! on {
    ($tx:expr, $c:ident => $body:expr) => {{
        let tx: &mut $crate::tx::Tx<'_> = $tx;
        let result = match &mut tx.conn {
            $crate::tx::Conn::My(connection) => {
                #[allow(dead_code)]
                type DB = sqlx::MySql;
                #[allow(unused_mut)]
                let $c: &mut sqlx::MySqlConnection = &mut **connection;
                $crate::tx::typed(async { $body }).await
            }
            $crate::tx::Conn::Lite(connection) => {
                #[allow(dead_code)]
                type DB = sqlx::Sqlite;
                #[allow(unused_mut)]
                let $c: &mut sqlx::SqliteConnection = &mut **connection;
                $crate::tx::typed(async { $body }).await
            }
        };
        tx.check(result)
    }};
}
pub(crate) use on;

/// Pins down the error type of a body given to [`on!`].
pub(crate) async fn typed<T>(
    body: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    body.await
}

/// How often a transaction is tried when others are in its way.
const ATTEMPTS: u32 = 6;

/// How long one attempt may take from its begin to its commit. Followers wait more than twice as long for a
/// row whose number was passed over before they stop holding the others back for it.
pub(crate) const ATTEMPT_LIMIT: Duration = Duration::from_secs(25);

/// How long the work in a read may take.
const READ_LIMIT: Duration = Duration::from_secs(60);

impl Store {
    /// Runs `work` in one write transaction and commits it; an `Err` from `work` rolls everything back.
    ///
    /// When other transactions are in the way (deadlock, lock wait, cluster certification, busy file, a broken
    /// connection before the commit) the whole closure runs again, at most six times in all, so it must not
    /// have effects of its own. Borrow what it needs; it cannot move values out:
    ///
    /// ```ignore
    /// let (id, position) = store.write(&actor, |tx| Box::pin(async move {
    ///     let id = tx.insert_thing(&thing).await?;
    ///     tx.journal(Entity::Customer, id, None, None, Some(after.clone()));
    ///     Ok::<_, OpError>(id)
    /// })).await?;
    /// ```
    ///
    /// The position is that of the last journal row of the transaction; `None` when it wrote none, or when the
    /// transaction is held back ([`Store::holding`]).
    pub async fn write<'env, T, E, F>(
        &self,
        actor: &Actor,
        work: F,
    ) -> Result<(T, Option<Position>), E>
    where
        T: Send,
        E: From<StoreError> + Send,
        F: for<'t> FnMut(&'t mut Tx<'env>) -> BoxFuture<'t, Result<T, E>> + Send,
    {
        let (value, positions) = self.write_each(actor, work).await?;
        Ok((value, positions.last().copied()))
    }

    /// As [`Self::write`], with the positions of all journal rows of the transaction in the order in which they were
    /// noted: for a transaction that several share ([`Tx::journal_for`]).
    pub async fn write_each<'env, T, E, F>(
        &self,
        actor: &Actor,
        mut work: F,
    ) -> Result<(T, Vec<Position>), E>
    where
        T: Send,
        E: From<StoreError> + Send,
        F: for<'t> FnMut(&'t mut Tx<'env>) -> BoxFuture<'t, Result<T, E>> + Send,
    {
        let mut attempt = 1;
        loop {
            let last = attempt == ATTEMPTS;
            match self.attempt(actor, &mut work).await {
                Attempt::Done(value, positions) => return Ok((value, positions)),
                Attempt::Failed(error) => return Err(error),
                Attempt::Again(error) if last => return Err(error),
                Attempt::Again(_) => {
                    tracing::debug!(store.attempt = attempt, "transaction is tried again");
                    tokio::time::sleep(pause(attempt)).await;
                    attempt += 1;
                }
            }
        }
    }

    async fn attempt<'env, T, E, F>(&self, actor: &Actor, work: &mut F) -> Attempt<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
        F: for<'t> FnMut(&'t mut Tx<'env>) -> BoxFuture<'t, Result<T, E>> + Send,
    {
        if let Some(slot) = self.slot() {
            let held = self.attempt_held(slot, actor, work);
            return match tokio::time::timeout(ATTEMPT_LIMIT, held).await {
                Ok(outcome) => outcome,
                Err(_elapsed) => Attempt::Failed(StoreError::timed_out().into()),
            };
        }
        let tried = async {
            let mut tx = match Tx::begin_write(self).await {
                Ok(tx) => tx,
                Err(error) => return Attempt::from_error(error.is_retryable(), error.into()),
            };
            let value = match work(&mut tx).await {
                Ok(value) => value,
                Err(error) => {
                    let retry = tx.retry;
                    tx.rollback().await;
                    return Attempt::from_error(retry, error);
                }
            };
            let positions = match tx.append_journal(actor).await {
                Ok(positions) => positions,
                Err(error) => {
                    tx.rollback().await;
                    return Attempt::from_error(error.is_retryable(), error.into());
                }
            };
            match tx.commit().await {
                Ok(()) => Attempt::Done(value, positions),
                // A conflict at commit means that nothing was committed; a lost connection leaves it open.
                Err(error) => {
                    let retry = matches!(error, StoreError::Contention(_));
                    Attempt::from_error(retry, error.into())
                }
            }
        };
        let outcome = match tokio::time::timeout(ATTEMPT_LIMIT, tried).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => Attempt::Failed(StoreError::timed_out().into()),
        };
        if let Attempt::Done(_, positions) = &outcome
            && let Some(last) = positions.last()
        {
            self.wake(*last);
        }
        outcome
    }

    /// Runs `work` on one consistent snapshot of the database, for at most a minute. Nothing can be written
    /// in it.
    pub async fn read<'env, T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
        F: for<'t> FnOnce(&'t mut Tx<'env>) -> BoxFuture<'t, Result<T, E>> + Send,
    {
        match tokio::time::timeout(READ_LIMIT, self.snapshot(work)).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => Err(StoreError::timed_out().into()),
        }
    }

    /// Like [`Self::read`] without a limit, for loading everything.
    pub(crate) async fn snapshot<'env, T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
        F: for<'t> FnOnce(&'t mut Tx<'env>) -> BoxFuture<'t, Result<T, E>> + Send,
    {
        let mut tx = Tx::begin_read(self).await?;
        let outcome = work(&mut tx).await;
        tx.rollback().await;
        outcome
    }
}

/// How one attempt ended.
pub(crate) enum Attempt<T, E> {
    /// It is done, with the positions of its journal rows.
    Done(T, Vec<Position>),
    /// It failed for good.
    Failed(E),
    /// It failed, and another attempt may not.
    Again(E),
}

impl<T, E> Attempt<T, E> {
    pub(crate) fn from_error(retry: bool, error: E) -> Self {
        if retry { Self::Again(error) } else { Self::Failed(error) }
    }
}

impl Tx<'_> {
    /// When the transaction began, in milliseconds since 1970 UTC: the time that its rows carry.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Which database the transaction runs on.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.conn {
            Conn::My(_) => Dialect::MySql,
            Conn::Lite(_) => Dialect::Sqlite,
        }
    }

    /// Whether nothing can be written in this transaction.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    pub(crate) async fn begin_write(store: &Store) -> Result<Self, StoreError> {
        let conn = match store.db() {
            Db::My { pool } => Conn::My(pool.acquire().await?.into()),
            Db::Lite { writer, .. } => Conn::Lite(writer.acquire().await?.into()),
        };
        let mut tx = Self::new(conn, store.keyring(), false);
        match &mut tx.conn {
            Conn::My(connection) => connection.execute("BEGIN").await.map(drop)?,
            // A plain BEGIN takes the write lock only at the first write, and fails there instead of waiting
            // when another connection wrote since the first read.
            Conn::Lite(connection) => connection.execute("BEGIN IMMEDIATE").await.map(drop)?,
        }
        Ok(tx)
    }

    async fn begin_read(store: &Store) -> Result<Self, StoreError> {
        let conn = match store.db() {
            Db::My { pool } => Conn::My(pool.acquire().await?.into()),
            Db::Lite { readers, .. } => Conn::Lite(readers.acquire().await?.into()),
        };
        let mut tx = Self::new(conn, store.keyring(), true);
        match &mut tx.conn {
            // The session runs at READ COMMITTED, which has no snapshot; SET holds for the next one only.
            Conn::My(connection) => connection
                .execute(
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
                     START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
                )
                .await
                .map(drop)?,
            Conn::Lite(connection) => connection.execute("BEGIN").await.map(drop)?,
        }
        Ok(tx)
    }

    fn new(conn: Conn, keys: Option<Arc<Keyring>>, read_only: bool) -> Self {
        Self {
            conn,
            pending: Vec::new(),
            keys,
            step: None,
            now: now_millis(),
            read_only,
            retry: false,
            _env: PhantomData,
        }
    }

    /// The same transaction for another call.
    pub(crate) fn handed_on<'next>(self) -> Tx<'next> {
        let Self { conn, pending, keys, step, now, read_only, retry, _env } = self;
        Tx { conn, pending, keys, step, now, read_only, retry, _env: PhantomData }
    }

    /// Whether an error of this transaction is a reason to run it again.
    pub(crate) fn wants_retry(&self) -> bool {
        self.retry
    }

    /// Maps the driver's error and notes whether the transaction should be tried again.
    pub(crate) fn check<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        result.map_err(|error| {
            let error = StoreError::from(error);
            self.retry |= error.is_retryable();
            error
        })
    }

    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        self.end("COMMIT").await?;
        Ok(())
    }

    /// Ends the transaction without effect. A failure only means that the server has ended it already.
    pub(crate) async fn rollback(mut self) {
        if let Err(error) = self.end("ROLLBACK").await {
            tracing::debug!(error = %error, "rollback failed");
        }
    }

    async fn end(&mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        match &mut self.conn {
            Conn::My(leased) => {
                leased.execute(statement).await?;
                leased.ended = true;
            }
            Conn::Lite(leased) => {
                leased.execute(statement).await?;
                leased.ended = true;
            }
        }
        Ok(())
    }
}

/// How long to wait before a transaction is tried again: those that were in each other's way, many at one name for
/// instance, must not all come back at the same moment. At most 10 ms at first, and twice as much each time.
fn pause(attempt: u32) -> Duration {
    let most = 10_000_u64 << attempt.clamp(1, 6).saturating_sub(1);
    Duration::from_micros(RandomState::new().hash_one(attempt) % most)
}

/// The time now, in milliseconds since 1970 UTC.
pub(crate) fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
