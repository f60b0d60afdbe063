//! Opening a database and holding its connections.

use crate::counts::Counts;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::held::Slot;
use crate::keyring::Keyring;
use crate::tails::Last;
use ngn_model::Position;
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Executor};
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::Duration;
use tokio::sync::watch;

/// The platform's database, MySQL or SQLite. Clones share their connections.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    /// Where writes through this handle wait for the word to commit; see [`Store::holding`].
    held: Option<Arc<Slot>>,
}

struct Inner {
    db: Db,
    /// Tells the followers of this process that rows were appended to the journal.
    wake: Arc<watch::Sender<u64>>,
    /// One migration at a time within this process.
    migrating: tokio::sync::Mutex<()>,
    /// By what passwords are encrypted at rest.
    keyring: RwLock<Option<Arc<Keyring>>>,
    counts: Counts,
    tails: Last,
    /// Where the registry below holds this store.
    path: Option<PathBuf>,
}

/// The connections of either database.
pub(crate) enum Db {
    /// MySQL or MariaDB: any connection writes.
    My {
        /// The connections.
        pool: MySqlPool,
    },
    /// SQLite: one connection writes, several read.
    Lite {
        /// Connections that only read.
        readers: SqlitePool,
        /// The one that writes.
        writer: SqlitePool,
    },
}

/// Connections to a MySQL server unless the address says `pool=N`.
const MYSQL_CONNECTIONS: u32 = 32;
/// Reading connections to an SQLite file.
const SQLITE_READERS: u32 = 8;
/// How long a call waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that was idle for longer is checked before it is used again.
const TRUSTED_IDLE: Duration = Duration::from_secs(2);

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL holds a password.
        f.debug_struct("Store").field("dialect", &self.dialect()).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens a database: `sqlite:PATH`, or `mysql://user:password@host:port/database` with `?socket=PATH` for a
    /// Unix socket and `?pool=N` for the number of connections.
    ///
    /// A MySQL server need not be reachable yet: connections are made when they are needed. An SQLite file is
    /// made, readable by its owner only, when it does not exist. Opening one SQLite file again in the same
    /// process gives the same connections, so that there stays one writer and every follower is woken at once.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Self::open_sqlite(Path::new(path.strip_prefix("//").unwrap_or(path))).await;
        }
        if url.starts_with("mysql://") || url.starts_with("mariadb://") {
            return Self::open_mysql(url);
        }
        Err(StoreError::Address(without_password(url)))
    }

    /// Which database is behind the store.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.inner.db {
            Db::My { .. } => Dialect::MySql,
            Db::Lite { .. } => Dialect::Sqlite,
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        match &self.inner.db {
            Db::My { pool } => pool.acquire().await?.ping().await?,
            Db::Lite { readers, .. } => readers.acquire().await?.ping().await?,
        }
        Ok(())
    }

    /// Closes all connections after their transactions; later calls fail.
    pub async fn close(&self) {
        if let Some(path) = &self.inner.path {
            registered().remove(path);
        }
        match &self.inner.db {
            Db::My { pool } => {
                pool.close().await;
                self.inner.tails.close().await;
            }
            Db::Lite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }

    /// The same store through a handle whose writes are held back.
    pub(crate) fn with_slot(&self, slot: Arc<Slot>) -> Self {
        Self { inner: Arc::clone(&self.inner), held: Some(slot) }
    }

    /// Where this handle's writes are held back, if they are.
    pub(crate) fn slot(&self) -> Option<&Arc<Slot>> {
        self.held.as_ref()
    }

    pub(crate) fn db(&self) -> &Db {
        &self.inner.db
    }

    /// What was counted a moment ago.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.inner.counts
    }

    pub(crate) fn last_tails(&self) -> &Last {
        &self.inner.tails
    }

    pub(crate) fn keyring(&self) -> Option<Arc<Keyring>> {
        self.inner.keyring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_keyring(&self, keyring: Option<Arc<Keyring>>) {
        *self.inner.keyring.write().unwrap_or_else(PoisonError::into_inner) = keyring;
    }

    pub(crate) fn migrating(&self) -> &tokio::sync::Mutex<()> {
        &self.inner.migrating
    }

    /// Tells this process's followers that the journal reaches `position`.
    pub(crate) fn wake(&self, position: Position) {
        self.inner.wake.send_modify(|latest| *latest = (*latest).max(position.0));
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.inner.wake.subscribe()
    }

    async fn open_sqlite(path: &Path) -> Result<Self, StoreError> {
        let address = || StoreError::Address(format!("sqlite:{}", path.display()));
        if path.as_os_str().is_empty() || path.to_string_lossy().contains(":memory:") {
            return Err(address());
        }
        create_private(path).map_err(|error| StoreError::from(sqlx::Error::Io(error)))?;
        let path = path.canonicalize().map_err(|_| address())?;
        if let Some(inner) = registered().get(&path).and_then(Weak::upgrade) {
            return Ok(Self { inner, held: None });
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            // A success that was reported must survive a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .pragma("temp_store", "memory")
            .pragma("cache_size", "-8000")
            // What is deleted or overwritten does not stay behind in its page.
            .pragma("secure_delete", "fast")
            // Rows cross from the driver's thread one by one; a longer queue means fewer switches when much
            // is loaded.
            .row_buffer_size(1000)
            .disable_statement_logging();
        // The writer comes first: it puts a new file into WAL mode.
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(options.pragma("query_only", "on"));
        let mut registered = registered();
        if let Some(inner) = registered.get(&path).and_then(Weak::upgrade) {
            return Ok(Self { inner, held: None });
        }
        let inner = Arc::new(Inner {
            db: Db::Lite { readers, writer },
            wake: Arc::new(watch::Sender::new(0)),
            migrating: tokio::sync::Mutex::default(),
            keyring: RwLock::default(),
            counts: Counts::default(),
            tails: Last::default(),
            path: Some(path.clone()),
        });
        registered.retain(|_, inner| inner.strong_count() > 0);
        registered.insert(path, Arc::downgrade(&inner));
        Ok(Self { inner, held: None })
    }

    fn open_mysql(url: &str) -> Result<Self, StoreError> {
        let address = || StoreError::Address(without_password(url));
        let options = MySqlConnectOptions::from_str(url).map_err(|_| address())?;
        if options.get_database().is_none_or(str::is_empty) {
            return Err(address());
        }
        let connections = match query_parameter(url, "pool") {
            Some(text) => text.parse().ok().filter(|n| *n > 0).ok_or_else(address)?,
            None => MYSQL_CONNECTIONS,
        };
        let pool = MySqlPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(Duration::from_secs(20))
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > TRUSTED_IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(|connection, _| Box::pin(prepare_session(connection)))
            .connect_lazy_with(options.charset("utf8mb4").disable_statement_logging());
        Ok(Self {
            held: None,
            inner: Arc::new(Inner {
                db: Db::My { pool },
                wake: shared_wake(url),
                migrating: tokio::sync::Mutex::default(),
                keyring: RwLock::default(),
                counts: Counts::default(),
                tails: Last::default(),
                path: None,
            }),
        })
    }
}

/// Sets what the statements of this crate rely on, and limits that end a transaction whose client went away.
pub(crate) async fn prepare_session(
    connection: &mut sqlx::MySqlConnection,
) -> Result<(), sqlx::Error> {
    connection
        .execute(
            "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,\
             ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,PIPES_AS_CONCAT,ONLY_FULL_GROUP_BY', \
             time_zone = '+00:00', innodb_lock_wait_timeout = 5; \
             SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        )
        .await?;
    let version: String =
        sqlx::query_scalar("SELECT VERSION()").fetch_one(&mut *connection).await?;
    if version.contains("MariaDB") {
        connection.execute("SET SESSION idle_write_transaction_timeout = 25").await?;
    } else {
        // MySQL has no limit of its own for open transactions; the pool closes idle connections sooner.
        connection.execute("SET SESSION wait_timeout = 25").await?;
    }
    Ok(())
}

/// Makes the file, when it is missing, so that only its owner can read it.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// The open SQLite files of this process.
fn registered() -> MutexGuard<'static, HashMap<PathBuf, Weak<Inner>>> {
    static OPEN: LazyLock<Mutex<HashMap<PathBuf, Weak<Inner>>>> = LazyLock::new(Mutex::default);
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One wake-up channel for all stores of this process that were opened by the same address.
fn shared_wake(url: &str) -> Arc<watch::Sender<u64>> {
    type Channels = Mutex<HashMap<String, Weak<watch::Sender<u64>>>>;
    static CHANNELS: LazyLock<Channels> = LazyLock::new(Mutex::default);
    let mut channels = CHANNELS.lock().unwrap_or_else(PoisonError::into_inner);
    channels.retain(|_, wake| wake.strong_count() > 0);
    if let Some(wake) = channels.get(url).and_then(Weak::upgrade) {
        return wake;
    }
    let wake = Arc::new(watch::Sender::new(0));
    channels.insert(url.to_owned(), Arc::downgrade(&wake));
    wake
}

fn query_parameter<'u>(url: &'u str, name: &str) -> Option<&'u str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(k, _)| *k == name).map(|p| p.1)
}

/// An address as it may stand in an error message.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://...@{rest}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_password() {
        for (url, shown) in [
            ("mysql://u:p@h/db", "mysql://...@h/db"),
            ("mysql://u:p@q@h/db", "mysql://...@h/db"),
            ("postgres", "postgres"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn finds_parameters() {
        assert_eq!(query_parameter("mysql://h/d?socket=/s&pool=7", "pool"), Some("7"));
        assert_eq!(query_parameter("mysql://h/d", "pool"), None);
    }

    #[tokio::test]
    async fn refuses_what_is_no_address() {
        for url in ["", "postgres://u@h/d", "sqlite:", "sqlite::memory:", "mysql://u:p@h"] {
            assert!(matches!(Store::open(url).await, Err(StoreError::Address(_))), "{url}");
        }
    }
}
