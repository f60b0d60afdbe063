//! What other programs write into tables that they share with us, and that no journal row tells of: the emergency mapping,
//! which the guide has operators fill by SQL (B165), and the balances that a rating engine debits (B71, B163).

use crate::error::StoreError;
use crate::store::Store;
use crate::tx::on;
use ngn_model::{Aor, EmergencyMapping};

/// How many rows of the credit history behind the newest one are looked at again: ids of transactions that run at the same
/// time become visible out of order.
const OVERLAP: i64 = 32;
/// How many rows of the credit history are read at once.
const MOST: i64 = 10_000;

impl Store {
    /// The whole emergency mapping as it is.
    pub async fn emergency_table(&self) -> Result<Vec<EmergencyMapping>, StoreError> {
        self.read(|tx| Box::pin(tx.list_emergency())).await
    }

    /// The id of the newest row of the credit history that is known, 0 without any, and the accounts of which rows tell
    /// that came after `seen`, or shortly before; without `seen` those of the newest rows. None when nothing came.
    pub async fn charged_since(&self, seen: Option<i64>) -> Result<(i64, Vec<Aor>), StoreError> {
        let rows: Vec<(i64, String, String)> = self
            .read(|tx| {
                Box::pin(async move {
                    let Some(seen) = seen else {
                        return on!(tx, c => {
                            sqlx::query_as::<DB, (i64, String, String)>(
                                "SELECT CAST(id AS SIGNED), username, domain FROM prepaid_history \
                                 ORDER BY id DESC LIMIT ?",
                            )
                            .bind(OVERLAP)
                            .fetch_all(&mut *c)
                            .await
                        });
                    };
                    on!(tx, c => {
                        sqlx::query_as::<DB, (i64, String, String)>(
                            "SELECT CAST(id AS SIGNED), username, domain FROM prepaid_history \
                             WHERE id > ? ORDER BY id LIMIT ?",
                        )
                        .bind(seen.saturating_sub(OVERLAP))
                        .bind(MOST)
                        .fetch_all(&mut *c)
                        .await
                    })
                })
            })
            .await?;
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
}
