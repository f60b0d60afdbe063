//! All accounts, some at a time: for what looks at every one of them without holding them all.

use super::{Directory, accounts_at, enums, load_domains, pstn, voicemail};
use crate::error::StoreError;
use crate::store::Store;
use crate::tx::{Tx, on};
use ngn_model::{Account, Aor};

/// An account in a page of them.
#[derive(Debug, Clone)]
pub struct PagedAccount {
    /// The row, after which the next page begins.
    pub id: i64,
    /// `username@domain` as they are stored.
    pub address: String,
    /// The account; `None` when SIP servers leave it out, since its domain is not served or its row cannot be read.
    pub account: Option<Account>,
}

pub(super) async fn without_accounts(tx: &mut Tx<'_>) -> Result<Directory, StoreError> {
    let pstn = pstn::Pstn::load(tx).await?;
    Ok(Directory {
        domains: load_domains(tx).await?,
        trusted_peers: pstn.trusted_peers,
        carriers: pstn.carriers,
        gateways: pstn.gateways,
        gateway_rules: pstn.gateway_rules,
        routes: pstn.routes,
        emergency: pstn.emergency,
        balances: pstn.balances,
        enum_ranges: enums::load_ranges(tx).await?,
        voicemail_servers: voicemail::load(tx).await?,
        ..Directory::default()
    })
}

impl Store {
    /// Loads what calls depend on besides accounts, aliases, bindings and ENUM numbers, which are left out.
    pub async fn load_without_accounts(&self) -> Result<Directory, StoreError> {
        self.snapshot(|tx| Box::pin(without_accounts(tx))).await
    }

    /// The accounts after a row, at most `limit` of them, by row; none when there are no more. 0 begins.
    pub async fn accounts_after(
        &self,
        row: i64,
        limit: u32,
    ) -> Result<Vec<PagedAccount>, StoreError> {
        self.read(|tx| {
            Box::pin(async move {
                let rows: Vec<(i64, String, String)> = on!(tx, c => {
                    sqlx::query_as::<DB, (i64, String, String)>(
                        "SELECT CAST(id AS SIGNED INTEGER) id, username, domain FROM subscriber \
                         WHERE id > ? ORDER BY id LIMIT ?",
                    )
                    .bind(row)
                    .bind(i64::from(limit))
                    .fetch_all(&mut *c)
                    .await
                })?;
                let aors: Vec<Aor> = rows
                    .iter()
                    .filter_map(|(_, user, domain)| Aor::new(user, domain).ok())
                    .collect();
                let mut accounts = accounts_at(tx, &aors).await?;
                let paged = |(id, username, domain): (i64, String, String)| {
                    let account = Aor::new(&username, &domain).ok();
                    let account = account.and_then(|aor| accounts.remove(&aor));
                    PagedAccount { id, address: format!("{username}@{domain}"), account }
                };
                Ok(rows.into_iter().map(paged).collect())
            })
        })
        .await
    }

    /// How many accounts there are.
    pub async fn count_accounts(&self) -> Result<u64, StoreError> {
        let count: i64 = self
            .read(|tx| {
                Box::pin(async move {
                    on!(tx, c => {
                        sqlx::query_scalar::<DB, i64>("SELECT COUNT(*) FROM subscriber")
                            .fetch_one(&mut *c)
                            .await
                    })
                })
            })
            .await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }
}
