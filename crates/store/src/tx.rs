//! Transactions: read snapshots, and writes that are tried again whole.

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::journal::PendingRow;
use crate::store::{Db, Store};
use futures::future::BoxFuture;
use ngn_model::{CustomerId, Position};
use sqlx::{MySql, Sqlite, Transaction};
use std::marker::PhantomData;
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
    now: i64,
    read_only: bool,
    retry: bool,
    _env: PhantomData<&'env ()>,
}

/// The transaction of either driver.
pub(crate) enum Conn {
    /// MySQL or MariaDB.
    My(Transaction<'static, MySql>),
    /// SQLite.
    Lite(Transaction<'static, Sqlite>),
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
            $crate::tx::Conn::My(transaction) => {
                #[allow(dead_code)]
                type DB = sqlx::MySql;
                #[allow(unused_mut)]
                let $c: &mut sqlx::MySqlConnection = &mut **transaction;
                $crate::tx::typed(async { $body }).await
            }
            $crate::tx::Conn::Lite(transaction) => {
                #[allow(dead_code)]
                type DB = sqlx::Sqlite;
                #[allow(unused_mut)]
                let $c: &mut sqlx::SqliteConnection = &mut **transaction;
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
const ATTEMPTS: u32 = 3;

/// How long one attempt may take. Followers wait twice as long for a row whose number they have seen passed
/// over before they stop holding the others back for it.
pub(crate) const ATTEMPT_LIMIT: Duration = Duration::from_secs(25);

impl Store {
    /// Runs `work` in one write transaction and commits it; an `Err` from `work` rolls everything back.
    ///
    /// When other transactions are in the way (deadlock, lock wait, cluster certification, busy file, a broken
    /// connection before the commit) the whole closure runs again, at most three times in all, so it must not
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
    /// The position is that of the last journal row of the transaction; `None` when it wrote none.
    pub async fn write<'env, T, E, F>(
        &self,
        actor: &Actor,
        mut work: F,
    ) -> Result<(T, Option<Position>), E>
    where
        T: Send,
        E: From<StoreError> + Send,
        F: for<'t> FnMut(&'t mut Tx<'env>) -> BoxFuture<'t, Result<T, E>> + Send,
    {
        let mut attempt = 1;
        loop {
            let last = attempt == ATTEMPTS;
            match self.attempt(actor, &mut work).await {
                Attempt::Done(value, position) => return Ok((value, position)),
                Attempt::Failed(error) => return Err(error),
                Attempt::Again(error) if last => return Err(error),
                Attempt::Again(_) => {
                    tracing::debug!(store.attempt = attempt, "transaction is tried again");
                    tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 5)).await;
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
        let mut tx = match Tx::begin_write(self).await {
            Ok(tx) => tx,
            Err(error) => {
                let retry = error.is_retryable();
                return Attempt::from_error(retry, error.into());
            }
        };
        let outcome = match tokio::time::timeout(ATTEMPT_LIMIT, work(&mut tx)).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => {
                tx.abandon();
                return Attempt::Failed(StoreError::timed_out().into());
            }
        };
        let value = match outcome {
            Ok(value) => value,
            Err(error) => {
                let retry = tx.retry;
                tx.rollback().await;
                return Attempt::from_error(retry, error);
            }
        };
        let position = match tx.append_journal(actor).await {
            Ok(position) => position,
            Err(error) => {
                let retry = tx.retry;
                tx.rollback().await;
                return Attempt::from_error(retry, error.into());
            }
        };
        match tx.commit().await {
            Ok(()) => {
                if let Some(position) = position {
                    self.wake(position);
                }
                Attempt::Done(value, position)
            }
            // A conflict at commit means that nothing was committed; a lost connection leaves it open.
            Err(error) => {
                let retry = matches!(error, StoreError::Contention(_));
                Attempt::from_error(retry, error.into())
            }
        }
    }

    /// Runs `work` on one consistent snapshot of the database. Nothing can be written in it.
    pub async fn read<'env, T, E, F>(&self, work: F) -> Result<T, E>
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

enum Attempt<T, E> {
    Done(T, Option<Position>),
    Failed(E),
    Again(E),
}

impl<T, E> Attempt<T, E> {
    fn from_error(retry: bool, error: E) -> Self {
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
            Db::My { pool } => Conn::My(pool.begin().await?),
            // A plain BEGIN takes the write lock only at the first write, and fails there instead of waiting
            // when another connection wrote since the first read.
            Db::Lite { writer, .. } => Conn::Lite(writer.begin_with("BEGIN IMMEDIATE").await?),
        };
        Ok(Self::new(conn, false))
    }

    pub(crate) async fn begin_read(store: &Store) -> Result<Self, StoreError> {
        let conn = match store.db() {
            Db::My { pool } => {
                // The session runs at READ COMMITTED, which has no snapshot; SET holds for the next one only.
                Conn::My(
                    pool.begin_with(
                        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
                         START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
                    )
                    .await?,
                )
            }
            Db::Lite { readers, .. } => Conn::Lite(readers.begin().await?),
        };
        Ok(Self::new(conn, true))
    }

    fn new(conn: Conn, read_only: bool) -> Self {
        Self {
            conn,
            pending: Vec::new(),
            now: now_millis(),
            read_only,
            retry: false,
            _env: PhantomData,
        }
    }

    /// Maps the driver's error and notes whether the transaction should be tried again.
    pub(crate) fn check<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        result.map_err(|error| {
            let error = StoreError::from(error);
            self.retry |= error.is_retryable();
            error
        })
    }

    async fn commit(self) -> Result<(), StoreError> {
        match self.conn {
            Conn::My(transaction) => transaction.commit().await?,
            Conn::Lite(transaction) => transaction.commit().await?,
        }
        Ok(())
    }

    /// Ends the transaction without effect. A failure only means that the server has ended it already.
    pub(crate) async fn rollback(self) {
        let result = match self.conn {
            Conn::My(transaction) => transaction.rollback().await,
            Conn::Lite(transaction) => transaction.rollback().await,
        };
        if let Err(error) = result {
            tracing::debug!(error = %error, "rollback failed");
        }
    }

    /// Gives up a transaction whose statement is still running: dropping it rolls back.
    fn abandon(self) {
        drop(self.conn);
    }
}

/// The time now, in milliseconds since 1970 UTC.
pub(crate) fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
