//! The few places where the two databases are spelled differently.
//!
//! Everything else is one SQL text for both: `?` as placeholder, backticks around reserved words, and `||` for
//! concatenation (sessions on MySQL run with PIPES_AS_CONCAT).

use std::fmt;

/// Which database is behind a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite, embedded.
    Sqlite,
    /// MySQL, MariaDB or a compatible cluster.
    MySql,
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::MySql => "mysql",
        })
    }
}

/// What differs, as constants of the driver's database type.
pub(crate) trait Spelling: sqlx::Database {
    /// The dialect.
    const DIALECT: Dialect;
    /// Ends a SELECT whose rows must neither change nor go before this transaction ends.
    const FOR_SHARE: &'static str;
    /// Ends a SELECT whose rows this transaction is about to change.
    const FOR_UPDATE: &'static str;
    /// Between `LOWER(column)` or `column` and the pattern: a LIKE that ignores case.
    const FOLD_OPEN: &'static str;
    /// After the column of a LIKE that ignores case.
    const FOLD_CLOSE: &'static str;
    /// Ends an INSERT that may meet an existing row with the same `key`; assignments follow, separated by commas.
    fn on_conflict(key: &'static str) -> String;
    /// The value that the INSERT wanted to give to `column`, inside [`Self::on_conflict`].
    fn proposed(column: &'static str) -> String;
    /// The whole tail of an INSERT that leaves an existing row with the same `key` as it is.
    fn keep_existing(key: &'static str) -> String;
}

impl Spelling for sqlx::MySql {
    const DIALECT: Dialect = Dialect::MySql;
    // Understood by MySQL 5.7 to 8 and by MariaDB, unlike FOR SHARE.
    const FOR_SHARE: &'static str = " LOCK IN SHARE MODE";
    const FOR_UPDATE: &'static str = " FOR UPDATE";
    const FOLD_OPEN: &'static str = "LOWER(";
    const FOLD_CLOSE: &'static str = ")";

    fn on_conflict(_key: &'static str) -> String {
        " ON DUPLICATE KEY UPDATE ".to_owned()
    }

    fn proposed(column: &'static str) -> String {
        format!("VALUES({column})")
    }

    fn keep_existing(key: &'static str) -> String {
        // Not INSERT IGNORE, which would also swallow values that do not fit.
        let first = key.split(',').next().unwrap_or(key).trim();
        format!(" ON DUPLICATE KEY UPDATE {first} = {first}")
    }
}

impl Spelling for sqlx::Sqlite {
    const DIALECT: Dialect = Dialect::Sqlite;
    // One writer at a time: nothing can change meanwhile.
    const FOR_SHARE: &'static str = "";
    const FOR_UPDATE: &'static str = "";
    // LIKE ignores the case of ASCII letters by itself.
    const FOLD_OPEN: &'static str = "";
    const FOLD_CLOSE: &'static str = "";

    fn on_conflict(key: &'static str) -> String {
        format!(" ON CONFLICT ({key}) DO UPDATE SET ")
    }

    fn proposed(column: &'static str) -> String {
        format!("excluded.{column}")
    }

    fn keep_existing(key: &'static str) -> String {
        format!(" ON CONFLICT ({key}) DO NOTHING")
    }
}

/// Appends the assignments of an upsert: every column takes the proposed value.
pub(crate) fn push_upsert<DB: Spelling>(
    query: &mut sqlx::QueryBuilder<DB>,
    key: &'static str,
    columns: &[&'static str],
) {
    query.push(DB::on_conflict(key));
    for (i, column) in columns.iter().enumerate() {
        if i > 0 {
            query.push(", ");
        }
        query.push(*column).push(" = ").push(DB::proposed(column));
    }
}
