//! Migrations, and that both databases have the same tables.

use crate::backend::{Backend, Raw, empty_mysql};
use crate::{on_both, on_mysql};
use ngn_store::{Store, StoreError};
use sqlx::Row;
use std::collections::BTreeMap;

on_both!(migrates_once, refuses_newer, knows_older, ecosystem_versions);
on_mysql!(interrupted_migration_is_resumed, both_have_the_same_tables);

async fn migrates_once(backend: &Backend) {
    let version = backend.store.schema_version().await.expect("a version");
    assert!(version > 0);
    let report = backend.store.migrate().await.expect("nothing to do");
    assert_eq!((report.from, report.to), (version, version));
    backend.store.check_schema().await.expect("the right schema");
    // Several daemons that start at once.
    let again = (0..4).map(|_| {
        let url = backend.url.clone();
        tokio::spawn(async move { Store::open(&url).await.expect("a store").migrate().await })
    });
    for task in again.collect::<Vec<_>>() {
        task.await.expect("no panic").expect("nothing to do");
    }
}

async fn refuses_newer(backend: &Backend) {
    backend
        .sql(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'later', 1, 'x', 0)",
        )
        .await;
    let error = backend.store.migrate().await.expect_err("a newer schema");
    assert!(matches!(error, StoreError::SchemaTooNew { found: 9999, .. }), "{error}");
    backend.store.check_schema().await.expect("daemons that do not migrate go on");
}

async fn knows_older(backend: &Backend) {
    let version = backend.store.schema_version().await.expect("a version");
    backend.sql(format!("DELETE FROM _sqlx_migrations WHERE version = {version}")).await;
    let older = backend.store.schema_version().await.expect("a version");
    assert!(older < version, "{older}");
    let error = backend.store.check_schema().await.expect_err("an older schema");
    assert!(matches!(error, StoreError::SchemaTooOld { .. }), "{error}");
    // On MySQL every statement can be repeated. SQLite undoes a migration that is interrupted, as here by hand: it cannot add a
    // column that is there already.
    if matches!(backend.raw, Raw::Lite(_)) {
        backend.sql("ALTER TABLE radacct DROP COLUMN dialog").await;
    }
    let report = backend.store.migrate().await.expect("the rest");
    assert_eq!((report.from, report.to), (older, version));
}

async fn ecosystem_versions(backend: &Backend) {
    // What Kamailio 5.6 asks for at start-up.
    for (table, version) in
        [("version", 1), ("subscriber", 7), ("domain", 2), ("domain_attrs", 1), ("grp", 2)]
    {
        let sql = format!(
            "UPDATE version SET table_version = table_version WHERE table_name = '{table}'"
        );
        backend.sql(sql).await;
        let found = match &backend.raw {
            Raw::My(pool) => {
                sqlx::query_scalar::<_, i64>(
                    "SELECT CAST(table_version AS SIGNED) FROM version WHERE table_name = ?",
                )
                .bind(table)
                .fetch_one(pool)
                .await
            }
            Raw::Lite(pool) => {
                sqlx::query_scalar("SELECT table_version FROM version WHERE table_name = ?")
                    .bind(table)
                    .fetch_one(pool)
                    .await
            }
        };
        assert_eq!(found.expect("a version"), version, "{table}");
    }
}

async fn interrupted_migration_is_resumed(backend: &Backend) {
    backend
        .sql(
            "UPDATE _sqlx_migrations SET success = 0 WHERE version = 4; \
             DELETE FROM _sqlx_migrations WHERE version = 5; DROP TABLE radacct",
        )
        .await;
    backend.store.migrate().await.expect("the migration to be resumed");
    backend.store.check_schema().await.expect("the right schema");
    assert_eq!(backend.number("SELECT COUNT(*) FROM radacct").await, 0);
    // And from nothing, by a store that finds an empty database.
    let (url, options) = empty_mysql().await.expect("a database");
    let store = Store::open(&url).await.expect("a store");
    assert_eq!(store.schema_version().await.expect("a version"), 0);
    assert_eq!(store.migrate().await.expect("a schema").from, 0);
    store.close().await;
    let name = options.get_database().expect("a name");
    backend.sql(format!("DROP DATABASE {name}")).await;
}

/// Per table: per column whether it may be NULL and, for a text with a limit, the limit; and the unique keys.
type Shape = BTreeMap<String, (BTreeMap<String, (bool, Option<i64>)>, Vec<Vec<String>>)>;

async fn both_have_the_same_tables(mysql: &Backend) {
    let sqlite = Backend::sqlite().await;
    let (my, lite) = (mysql_shape(mysql).await, sqlite_shape(&sqlite).await);
    assert!(my.len() > 45, "{} tables", my.len());
    assert_eq!(my.keys().collect::<Vec<_>>(), lite.keys().collect::<Vec<_>>());
    for (table, shape) in &my {
        assert_eq!(shape, &lite[table], "{table}");
    }
    sqlite.remove().await;
}

async fn mysql_shape(backend: &Backend) -> Shape {
    let pool = backend.mysql_pool();
    let mut shape = Shape::new();
    let rows = sqlx::query(
        "SELECT CAST(table_name AS CHAR) t, CAST(column_name AS CHAR) c, is_nullable = 'YES' AS n, \
         CAST(IF(data_type = 'varchar', character_maximum_length, NULL) AS SIGNED) AS l \
         FROM information_schema.columns WHERE table_schema = DATABASE()",
    );
    for row in rows.fetch_all(pool).await.expect("columns") {
        let (table, column): (String, String) = (row.get("t"), row.get("c"));
        let entry = shape.entry(table).or_default();
        entry.0.insert(column, (row.get::<i64, _>("n") != 0, row.get("l")));
    }
    let rows = sqlx::query(
        "SELECT CAST(table_name AS CHAR) t, CAST(index_name AS CHAR) i, CAST(column_name AS CHAR) c \
         FROM information_schema.statistics WHERE table_schema = DATABASE() AND non_unique = 0 \
         ORDER BY table_name, index_name, seq_in_index",
    );
    let mut keys: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for row in rows.fetch_all(pool).await.expect("keys") {
        keys.entry((row.get("t"), row.get("i"))).or_default().push(row.get("c"));
    }
    for ((table, _), columns) in keys {
        shape.get_mut(&table).expect("its table").1.push(columns);
    }
    finish(shape)
}

async fn sqlite_shape(backend: &Backend) -> Shape {
    let Raw::Lite(pool) = &backend.raw else { panic!("SQLite") };
    let mut shape = Shape::new();
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
    )
    .fetch_all(pool)
    .await
    .expect("tables");
    for (table, sql) in tables {
        let entry = shape.entry(table.clone()).or_default();
        let columns: Vec<(String, bool, i64)> =
            sqlx::query_as("SELECT name, \"notnull\", pk FROM pragma_table_xinfo(?)")
                .bind(&table)
                .fetch_all(pool)
                .await
                .expect("columns");
        let mut primary: Vec<(i64, String)> = Vec::new();
        for (name, not_null, pk) in columns {
            let limit = [format!("length({name}) <= "), format!("length(`{name}`) <= ")]
                .iter()
                .find_map(|check| sql.split_once(check.as_str()))
                .and_then(|(_, rest)| rest.split_once(')')?.0.parse().ok());
            // A primary key is never NULL; SQLite says so only when it is told.
            entry.0.insert(name.clone(), (!not_null && pk == 0, limit));
            if pk > 0 {
                primary.push((pk, name));
            }
        }
        primary.sort();
        entry.1.push(primary.into_iter().map(|(_, name)| name).collect());
        let indexes: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM pragma_index_list(?) WHERE \"unique\" = 1 AND origin = 'c'",
        )
        .bind(&table)
        .fetch_all(pool)
        .await
        .expect("indexes");
        for index in indexes {
            let columns: Vec<String> =
                sqlx::query_scalar("SELECT name FROM pragma_index_info(?) ORDER BY seqno")
                    .bind(&index)
                    .fetch_all(pool)
                    .await
                    .expect("index columns");
            entry.1.push(columns);
        }
    }
    finish(shape)
}

fn finish(mut shape: Shape) -> Shape {
    // The migrator's own.
    shape.remove("_sqlx_migrations");
    for (_, keys) in shape.values_mut() {
        keys.sort();
    }
    shape
}

#[cfg(unix)]
#[tokio::test]
async fn sqlite_file_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("new.db");
    let store = Store::open(&format!("sqlite:{}", path.display())).await.expect("a store");
    store.migrate().await.expect("a schema");
    for suffix in ["", "-wal", "-shm"] {
        let file = format!("{}{suffix}", path.display());
        let mode = std::fs::metadata(&file).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    store.close().await;
}
