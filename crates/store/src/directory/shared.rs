//! What other programs write into tables that they share with us, and that no journal row tells of: the emergency mapping,
//! which the guide has operators fill by SQL (B165), the balances that a rating engine debits (B71, B163), and the groups that
//! keep an account from calling or hide it, `quota` above all, which jobs set and clear (B66, B70, B180).

use super::pstn::readable_balance;
use crate::dialect::{Dialect, Spelling};
use crate::error::StoreError;
use crate::follower::on_connection;
use crate::prepaid::steps;
use crate::store::{Db, Store};
use crate::tx::on;
use ngn_model::{Amount, Aor, EmergencyMapping};
use std::collections::BTreeSet;
use std::time::Duration;

/// How far back changed balances are looked for beyond what was asked for: a transaction is seen later than the time that its
/// rows say, by as long as it took.
const LATE: Duration = Duration::from_secs(30);

/// How many rows of the credit history behind the newest one are looked at again: ids of transactions that run at the same
/// time become visible out of order.
const OVERLAP: i64 = 32;
/// How many rows of the credit history are read at once.
const MOST: i64 = 10_000;

/// Balances in steps of [`Amount`], and what follows the time from which on they count.
macro_rules! changed_since {
    ($since:literal) => {
        concat!(
            "SELECT account, ",
            steps!("balance"),
            " AS balance FROM prepaid WHERE change_date >= ",
            $since,
            " ORDER BY change_date DESC LIMIT ?"
        )
    };
}

/// The groups that few are in, and that keep an account from calling or hide it (B66).
macro_rules! restricted {
    ($columns:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM grp WHERE grp IN ('blocked', 'quota', 'anonymous', 'anonymous-reject')"
        )
    };
}

impl Store {
    /// The whole emergency mapping as it is.
    pub async fn emergency_table(&self) -> Result<Vec<EmergencyMapping>, StoreError> {
        self.read(|tx| Box::pin(tx.list_emergency())).await
    }

    /// The id of the newest row of the credit history that is known, 0 without any, and the accounts of which rows tell
    /// that came after `seen`, or shortly before; without `seen` those of the newest rows. None when nothing came.
    pub async fn charged_since(&self, seen: Option<i64>) -> Result<(i64, Vec<Aor>), StoreError> {
        let rows: Vec<(i64, String, String)> = on_connection!(self, c => {
            let query = match seen {
                None => sqlx::query_as::<DB, (i64, String, String)>(
                    "SELECT CAST(id AS SIGNED), username, domain FROM prepaid_history \
                     ORDER BY id DESC LIMIT ?",
                )
                .bind(OVERLAP),
                Some(seen) => sqlx::query_as::<DB, (i64, String, String)>(
                    "SELECT CAST(id AS SIGNED), username, domain FROM prepaid_history \
                     WHERE id > ? ORDER BY id LIMIT ?",
                )
                .bind(seen.saturating_sub(OVERLAP))
                .bind(MOST),
            };
            query.fetch_all(&mut *c).await
        })?;
        let newest = rows.iter().map(|(id, ..)| *id).chain(seen).max().unwrap_or(0);
        if seen == Some(newest) {
            return Ok((newest, Vec::new()));
        }
        let accounts = rows.iter().filter_map(|(_, user, domain)| Aor::new(user, domain).ok());
        let mut accounts: Vec<Aor> = accounts.collect();
        accounts.sort_unstable();
        accounts.dedup();
        Ok((newest, accounts))
    }

    /// The balances that were changed within the time before now, by the database's clock, and somewhat before; at most the
    /// latest ten thousand.
    pub async fn balances_changed(
        &self,
        within: Duration,
    ) -> Result<Vec<(Aor, Amount)>, StoreError> {
        let seconds = i64::try_from((within + LATE).as_secs()).unwrap_or(i64::MAX);
        let rows: Vec<(String, i64)> = on_connection!(self, c => {
            sqlx::query_as::<DB, (String, i64)>(match DB::DIALECT {
                Dialect::MySql => changed_since!("CURRENT_TIMESTAMP - INTERVAL ? SECOND"),
                Dialect::Sqlite => changed_since!("datetime('now', '-' || ? || ' seconds')"),
            })
            .bind(seconds)
            .bind(MOST)
            .fetch_all(&mut *c)
            .await
        })?;
        Ok(rows.into_iter().filter_map(|(key, steps)| readable_balance(&key, steps)).collect())
    }

    /// What the members of these groups are told apart by: how many there are, and the sum of their ids. Read from the index alone.
    pub async fn restricted_mark(&self) -> Result<(i64, i64), StoreError> {
        on_connection!(self, c => {
            sqlx::query_as::<DB, (i64, i64)>(restricted!(
                "COUNT(*), CAST(COALESCE(SUM(id), 0) AS SIGNED)"
            ))
            .fetch_one(&mut *c)
            .await
        })
    }

    /// Who is in which of the groups `blocked`, `quota`, `anonymous` and `anonymous-reject`.
    pub async fn restricted(&self) -> Result<BTreeSet<(Aor, String)>, StoreError> {
        let rows: Vec<(String, String, String)> = self
            .read(|tx| {
                Box::pin(async move {
                    on!(tx, c => {
                        sqlx::query_as::<DB, (String, String, String)>(restricted!(
                            "username, domain, grp"
                        ))
                        .fetch_all(&mut *c)
                        .await
                    })
                })
            })
            .await?;
        let members = rows.into_iter();
        Ok(members
            .filter_map(|(user, domain, group)| Some((Aor::new(&user, &domain).ok()?, group)))
            .collect())
    }
}
