//! A database of its own for each test, and raw SQL on it.

use ngn_store::{Actor, Store};
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use std::io::Write;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Once};
use tempfile::TempDir;

pub(crate) struct Backend {
    pub(crate) url: String,
    /// Migrated.
    pub(crate) store: Store,
    pub(crate) raw: Raw,
    directory: Option<TempDir>,
}

/// Connections beside the store's, for what other programs do.
pub(crate) enum Raw {
    My(MySqlPool),
    Lite(SqlitePool),
}

impl Backend {
    pub(crate) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("ngn.db");
        let url = format!("sqlite:{}", path.display());
        let store = Store::open(&url).await.expect("a store");
        store.migrate().await.expect("a schema");
        let options = SqliteConnectOptions::new().filename(&path).foreign_keys(true);
        let raw = SqlitePoolOptions::new().connect_with(options).await.expect("raw connections");
        Self { url, store, raw: Raw::Lite(raw), directory: Some(directory) }
    }

    pub(crate) async fn mysql() -> Option<Self> {
        let (url, options) = empty_mysql().await?;
        let store = Store::open(&url).await.expect("a store");
        store.migrate().await.expect("a schema");
        let raw = MySqlPoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await
            .expect("raw connections");
        Some(Self { url, store, raw: Raw::My(raw), directory: None })
    }

    pub(crate) async fn remove(self) {
        self.store.close().await;
        match self.raw {
            Raw::Lite(pool) => pool.close().await,
            Raw::My(pool) => {
                let database = pool.connect_options().get_database().expect("a name").to_owned();
                let _ = pool.execute(AssertSqlSafe(format!("DROP DATABASE {database}"))).await;
                pool.close().await;
            }
        }
        drop(self.directory);
    }

    /// Runs SQL text, any number of statements.
    pub(crate) async fn sql(&self, sql: impl Into<String>) {
        let sql = AssertSqlSafe(sql.into());
        match &self.raw {
            Raw::My(pool) => drop(pool.execute(sql).await.expect("the statement")),
            Raw::Lite(pool) => drop(pool.execute(sql).await.expect("the statement")),
        }
    }

    /// One number.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        match &self.raw {
            Raw::My(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.expect("a number"),
            Raw::Lite(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.expect("a number"),
        }
    }

    /// One text.
    pub(crate) async fn text(&self, sql: &'static str) -> String {
        match &self.raw {
            Raw::My(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.expect("a text"),
            Raw::Lite(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.expect("a text"),
        }
    }

    /// Writes a journal row under a number chosen here, as if it became visible only now.
    pub(crate) async fn journal_row(&self, id: u64, key: &str) {
        self.sql(format!(
            "INSERT INTO journal (id, at, login, source, operation, entity, entity_key) \
             VALUES ({id}, {}, 'l', 's', 'o', 'customer', '{key}')",
            millis()
        ))
        .await;
    }

    pub(crate) fn mysql_pool(&self) -> &MySqlPool {
        match &self.raw {
            Raw::My(pool) => pool,
            Raw::Lite(_) => panic!("a test for MySQL alone"),
        }
    }
}

/// A new database without tables: its address and how to connect to it.
pub(crate) async fn empty_mysql() -> Option<(String, MySqlConnectOptions)> {
    static SAID: Once = Once::new();
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let Ok(base) = std::env::var("NGN_TEST_MYSQL_URL") else {
        // Past the test harness, which swallows what passing tests print.
        SAID.call_once(|| {
            let _ = writeln!(
                std::io::stderr(),
                "NGN_TEST_MYSQL_URL is not set: the store's contract is NOT tested on MySQL"
            );
        });
        return None;
    };
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = format!("ngn_test_{}_{count}", std::process::id());
    let options = MySqlConnectOptions::from_str(&base).expect("an address in NGN_TEST_MYSQL_URL");
    let mut server = MySqlConnectOptions::new().username(options.get_username());
    if let Some(password) = password_of(&base) {
        server = server.password(&password);
    }
    server = match options.get_socket() {
        Some(socket) => server.socket(socket),
        None => server.host(options.get_host()).port(options.get_port()),
    };
    let mut connection = server.connect().await.expect("the server in NGN_TEST_MYSQL_URL");
    let create = format!("DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}");
    connection.execute(AssertSqlSafe(create)).await.expect("a database");
    connection.close().await.expect("the connection");
    let (head, query) = base.split_once('?').map_or((base.as_str(), None), |(h, q)| (h, Some(q)));
    let head = head.rsplit_once('/').map_or(head, |(head, _)| head);
    let query = query.map_or(String::new(), |query| format!("?{query}"));
    Some((format!("{head}/{name}{query}"), options.database(&name)))
}

fn password_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let (credentials, _) = rest.rsplit_once('@')?;
    credentials.split_once(':').map(|(_, password)| password.to_owned())
}

pub(crate) fn actor() -> &'static Actor {
    static ACTOR: LazyLock<Actor> = LazyLock::new(|| Actor {
        login: "tester".to_owned(),
        impersonated: Some(7),
        source: "192.0.2.1".to_owned(),
        operation: "Test:contract".to_owned(),
    });
    &ACTOR
}

pub(crate) fn millis() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a time after 1970");
    i64::try_from(since.as_millis()).expect("a time before the end of time")
}
