//! Bringing the schema up to date.
//!
//! The numbered files of `schema/mysql` and `schema/sqlite` are part of the program. Statements on MySQL
//! cannot be rolled back together, so each can be repeated; a migration that was interrupted is run again.

use crate::error::StoreError;
use crate::store::{Db, Store, prepare_session};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{ConnectOptions, Connection, Executor};
use std::time::Duration;

static MYSQL: Migrator = sqlx::migrate!("../../schema/mysql");
static SQLITE: Migrator = sqlx::migrate!("../../schema/sqlite");

/// What a migration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MigrationReport {
    /// The version before; 0 for an empty database.
    pub from: i64,
    /// The version now.
    pub to: i64,
}

impl Store {
    /// Brings the schema to this program's version; does nothing when it is there already, and refuses a
    /// database that a newer release has migrated.
    pub async fn migrate(&self) -> Result<MigrationReport, StoreError> {
        let _one_at_a_time = self.migrating().lock().await;
        let from = self.schema_version().await?;
        let mut result = self.run_migrations().await;
        // Another process may be at it: SQLite has no lock that outlives a transaction. The next run finds
        // its work done.
        for _ in 0..5 {
            if !matches!(&result, Err(StoreError::Contention(_) | StoreError::Duplicate { .. })) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            result = self.run_migrations().await;
        }
        result?;
        Ok(MigrationReport { from, to: self.schema_version().await? })
    }

    /// The version of the schema in the database; 0 when there is none.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        let version: Result<Option<i64>, sqlx::Error> = match self.db() {
            Db::My { pool } => {
                sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations WHERE success = 1")
                    .fetch_one(pool)
                    .await
            }
            Db::Lite { readers, .. } => {
                sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations WHERE success = 1")
                    .fetch_one(readers)
                    .await
            }
        };
        match version {
            Ok(version) => Ok(version.unwrap_or(0)),
            Err(error) if is_missing_table(&error) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the schema is the one that this program was written for. Daemons that do not migrate by
    /// themselves ask this at start-up; a newer schema is fine for them as long as it only added things
    /// (the expand/contract rule of `schema/README.md`).
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        let found = self.schema_version().await?;
        let needed = known_version(migrator(self));
        if found < needed {
            return Err(StoreError::SchemaTooOld { found, needed });
        }
        Ok(())
    }

    async fn run_migrations(&self) -> Result<(), StoreError> {
        match self.db() {
            Db::Lite { writer, .. } => {
                let mut connection = writer.acquire().await?;
                let result = SQLITE.run_direct(None, &mut *connection, false).await;
                result.map_err(|error| map_error(error, &SQLITE))
            }
            Db::My { pool } => {
                // A connection of its own: a failed run leaves its lock behind, which ends with the connection.
                let mut connection = pool.connect_options().connect().await?;
                prepare_session(&mut connection).await?;
                let mut result = MYSQL.run_direct(None, &mut connection, false).await;
                while let Err(MigrateError::Dirty(version)) = result {
                    tracing::warn!(schema.version = version, "resuming an interrupted migration");
                    connection.execute("DELETE FROM _sqlx_migrations WHERE success = 0").await?;
                    result = MYSQL.run_direct(None, &mut connection, false).await;
                }
                connection.close().await?;
                result.map_err(|error| map_error(error, &MYSQL))
            }
        }
    }
}

fn migrator(store: &Store) -> &'static Migrator {
    match store.db() {
        Db::My { .. } => &MYSQL,
        Db::Lite { .. } => &SQLITE,
    }
}

fn known_version(migrator: &Migrator) -> i64 {
    migrator.iter().map(|migration| migration.version).max().unwrap_or(0)
}

fn map_error(error: MigrateError, migrator: &Migrator) -> StoreError {
    match error {
        MigrateError::VersionMissing(found) => {
            StoreError::SchemaTooNew { found, known: known_version(migrator) }
        }
        MigrateError::VersionMismatch(version) => StoreError::SchemaDiffers { version },
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => StoreError::corrupt("the schema", other),
    }
}

fn is_missing_table(error: &sqlx::Error) -> bool {
    let Some(error) = error.as_database_error() else { return false };
    match error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        Some(error) => error.number() == 1146,
        None => error.message().starts_with("no such table"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_databases_have_the_same_numbers() {
        let numbers = |migrator: &Migrator| {
            migrator.iter().map(|m| (m.version, m.description.clone())).collect::<Vec<_>>()
        };
        assert_eq!(numbers(&MYSQL), numbers(&SQLITE));
        assert!(known_version(&MYSQL) > 0);
    }
}
