//! What can go wrong between the platform and its database, mapped once from both drivers.

use std::fmt;

/// Why the store could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is full, read-only or shutting down; the same call may work later.
    #[error("the database is not available")]
    Unavailable(#[source] Cause),
    /// Other transactions were in the way each time the work was tried; the same call may work later.
    #[error("the database could not put the transaction in order with others")]
    Contention(#[source] Cause),
    /// A row with the same key exists.
    #[error("a row with the same key exists ({key})")]
    Duplicate {
        /// The unique key in the database's own words: an index name, or `table.column, ...`.
        key: String,
    },
    /// A row that this one belongs to does not exist, or rows that belong to this one do.
    #[error("a row that this one depends on is missing, or others depend on this one")]
    Reference(#[source] Cause),
    /// A value does not fit its column.
    #[error("a value does not fit its column")]
    Invalid(#[source] Cause),
    /// What is stored cannot be read as what it should be.
    #[error("what is stored as {what} cannot be read: {why}")]
    Corrupt {
        /// The kind of record and its key.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// The database was migrated by a newer release.
    #[error("the schema is at version {found}, this program knows versions up to {known}")]
    SchemaTooNew {
        /// The version found.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// The database has not been migrated to what this program needs.
    #[error("the schema is at version {found}, this program needs version {needed}")]
    SchemaTooOld {
        /// The version found, 0 when there is none.
        found: i64,
        /// The version needed.
        needed: i64,
    },
    /// A migration that was applied is not the one this program holds.
    #[error("schema version {version} was applied with another content")]
    SchemaDiffers {
        /// The version that differs.
        version: i64,
    },
    /// The journal lost rows that were read before (restored backup, lossy failover): load everything anew.
    #[error("the journal went back behind position {position}")]
    Rewound {
        /// The position that was read before and is gone.
        position: u64,
    },
    /// The address of the database cannot be understood.
    #[error("`{0}` is not the address of a database")]
    Address(String),
    /// The store was used in a way that it does not allow; a fault of this program.
    #[error("the database refused a statement")]
    Internal(#[source] Cause),
}

/// The driver's own error, kept apart so that callers do not depend on the driver.
#[derive(Debug)]
pub struct Cause(sqlx::Error);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl StoreError {
    /// Makes the error for a stored value that cannot be read.
    pub fn corrupt(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::Corrupt { what: what.to_string(), why: why.to_string() }
    }

    /// The work of a transaction took longer than it may.
    #[must_use]
    pub fn timed_out() -> Self {
        let text = "the transaction took longer than it may";
        Self::Unavailable(Cause(sqlx::Error::Io(std::io::Error::new(
            std::io::ErrorKind::TimedOut,
            text,
        ))))
    }

    /// Whether a row with the same key exists.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Duplicate { .. })
    }

    /// Whether the same call may work later without any change.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Contention(_))
    }

    /// Whether running the whole transaction again at once is worth while, as long as nothing was committed.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::Contention(_) | Self::Reference(_) => true,
            // A connection that broke is replaced by the pool; waiting for one in vain is no reason to wait again.
            Self::Unavailable(Cause(sqlx::Error::Io(_))) => true,
            _ => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => match classify(database.as_ref()) {
                Class::Duplicate => {
                    Self::Duplicate { key: duplicate_key(database.message()).to_owned() }
                }
                Class::Reference => Self::Reference(Cause(error)),
                Class::Invalid => Self::Invalid(Cause(error)),
                Class::Contention => Self::Contention(Cause(error)),
                Class::Unavailable => Self::Unavailable(Cause(error)),
                Class::Corrupt => Self::corrupt("the database file", database.message()),
                Class::Other => Self::Internal(Cause(error)),
            },
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(Cause(error)),
            sqlx::Error::ColumnDecode { index, source } => {
                Self::corrupt(format_args!("column {index}"), source)
            }
            _ => Self::Internal(Cause(error)),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Duplicate,
    Reference,
    Invalid,
    Contention,
    Unavailable,
    Corrupt,
    Other,
}

fn classify(error: &dyn sqlx::error::DatabaseError) -> Class {
    if error.is_unique_violation() {
        return Class::Duplicate;
    }
    if error.is_foreign_key_violation() {
        return Class::Reference;
    }
    if error.is_check_violation() {
        return Class::Invalid;
    }
    if let Some(mysql) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return classify_mysql(mysql.number());
    }
    // SQLite's result code; the low eight bits are the primary code.
    match error.code().and_then(|code| code.parse::<u32>().ok()) {
        Some(code) => classify_sqlite(code & 0xff),
        None => Class::Other,
    }
}

/// Server error numbers of MySQL and MariaDB.
fn classify_mysql(number: u16) -> Class {
    match number {
        // lock wait timeout, deadlock, Galera: node not prepared or certification failed; changed row under
        // MariaDB's snapshot isolation; error during commit.
        1205 | 1213 | 1047 | 1020 | 1180 => Class::Contention,
        // too long, out of range, wrong value for the column's type or character set
        1406 | 1264 | 1366 | 1292 | 1265 | 3988 => Class::Invalid,
        // disk full, too many connections, handshake refused, host blocked, shutting down, read-only server,
        // user limits, statement or transaction time limits, killed connection
        1021
        | 1040
        | 1042
        | 1043
        | 1044
        | 1045
        | 1049
        | 1053
        | 1114
        | 1129
        | 1130
        | 1158..=1161
        | 1203
        | 1226
        | 1290
        | 1792
        | 1836
        | 1927
        | 1969
        | 3024
        | 4031 => Class::Unavailable,
        _ => Class::Other,
    }
}

/// Primary result codes of SQLite.
fn classify_sqlite(code: u32) -> Class {
    match code {
        5 | 6 => Class::Contention,
        8 | 10 | 13 | 14 | 15 => Class::Unavailable,
        11 | 26 => Class::Corrupt,
        18 | 20 => Class::Invalid,
        _ => Class::Other,
    }
}

/// The key's name out of the server's text; the text also holds the value, which is nobody's business here.
fn duplicate_key(message: &str) -> &str {
    let name = match message.rsplit_once("for key ") {
        Some((_, key)) => key.trim_matches('\''),
        None => message.rsplit_once("failed: ").map_or("unknown", |(_, columns)| columns),
    };
    // MySQL 8 says `table.key`, MariaDB `key`; SQLite's list of columns stays as it is.
    if name.contains(',') { name } else { name.rsplit_once('.').map_or(name, |(_, key)| key) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_key_without_the_value() {
        for (message, key) in [
            ("Duplicate entry 'a@b' for key 'account_idx'", "account_idx"),
            ("Duplicate entry 'for key x' for key 'subscriber.account_idx'", "account_idx"),
            (
                "UNIQUE constraint failed: subscriber.username, subscriber.domain",
                "subscriber.username, subscriber.domain",
            ),
            ("UNIQUE constraint failed: domain.domain", "domain"),
            ("something else", "unknown"),
        ] {
            assert_eq!(duplicate_key(message), key, "{message}");
        }
    }

    #[test]
    fn sorts_server_errors_by_what_the_caller_can_do() {
        for (number, class) in [
            (1213, Class::Contention),
            (1205, Class::Contention),
            (1047, Class::Contention),
            (1406, Class::Invalid),
            (1040, Class::Unavailable),
            (1064, Class::Other),
        ] {
            assert_eq!(classify_mysql(number), class, "{number}");
        }
        assert_eq!(classify_sqlite(517 & 0xff), Class::Contention);
        assert_eq!(classify_sqlite(13), Class::Unavailable);
        assert_eq!(classify_sqlite(11), Class::Corrupt);
    }
}
