//! `sealed_passwords`: passwords of customers and SIP accounts, encrypted by the store's [`Keyring`].
//!
//! A password stands either in its record's own column in clear text, or here, never in both.

use crate::dialect::push_upsert;
use crate::error::StoreError;
use crate::keyring::{Keyring, KeyringError};
use crate::store::Store;
use crate::tx::{Actor, Tx, on};
use crate::zone_keys::zone_key_pkcs8;
use ngn_model::Aor;
use sqlx::QueryBuilder;
use std::sync::Arc;

/// Records of one transaction when all are gone through.
const BATCH: i64 = 200;

/// Whose password it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A customer, by `customers.id`.
    Customer(i64),
    /// A SIP account, by `subscriber.id`.
    Account(i64),
}

impl Owner {
    fn kind(self) -> i64 {
        match self {
            Self::Customer(_) => 1,
            Self::Account(_) => 2,
        }
    }

    fn record(self) -> i64 {
        match self {
            Self::Customer(id) | Self::Account(id) => id,
        }
    }

    /// What is bound to the sealed value.
    fn name(self) -> String {
        match self {
            Self::Customer(id) => format!("customer {id}"),
            Self::Account(id) => format!("sip account {id}"),
        }
    }
}

/// What going through all passwords did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resealed {
    /// Passwords and private keys of zones that were encrypted anew, or for the first time, or put back into clear text.
    pub changed: u64,
    /// Passwords that no key could open and that were removed.
    pub removed: u64,
}

impl From<KeyringError> for StoreError {
    fn from(error: KeyringError) -> Self {
        let cause = std::error::Error::source(&error).map_or(String::new(), |e| format!(": {e}"));
        Self::corrupt("passwords", format!("{error}{cause}"))
    }
}

impl Store {
    /// Uses these keys for the passwords that are read and written from now on.
    pub fn use_keyring(&self, keyring: Arc<Keyring>) {
        self.set_keyring(Some(keyring));
    }

    /// Whether some password, or private key of a zone, in the database is encrypted.
    pub async fn has_sealed_passwords(&self) -> Result<bool, StoreError> {
        let key = self.one_sealed_zone_key().await?;
        Ok(key.is_some() || self.one_sealed_password().await?.is_some())
    }

    /// Makes sure that the keys open what the database holds.
    ///
    /// # Errors
    ///
    /// A text that names the missing key and says what to do.
    pub async fn check_keyring(&self, keyring: &Keyring) -> Result<(), StoreError> {
        if let Some((owner, sealed)) = self.one_sealed_password().await? {
            keyring.open_sealed(&owner.name(), &sealed)?;
        }
        if let Some(key) = self.one_sealed_zone_key().await? {
            zone_key_pkcs8(&key, Some(keyring))?;
        }
        Ok(())
    }

    async fn one_sealed_password(&self) -> Result<Option<(Owner, String)>, StoreError> {
        self.read(|tx| {
            Box::pin(async move {
                let row: Option<(i64, i64, String)> = on!(tx, c => {
                    sqlx::query_as::<DB, (i64, i64, String)>(
                        "SELECT CAST(kind AS SIGNED), record, sealed FROM sealed_passwords LIMIT 1",
                    )
                    .fetch_optional(&mut *c)
                    .await
                })?;
                Ok::<_, StoreError>(row.map(|(kind, record, sealed)| {
                    let owner =
                        if kind == 1 { Owner::Customer(record) } else { Owner::Account(record) };
                    (owner, sealed)
                }))
            })
        })
        .await
    }

    /// Goes through all passwords and brings them to the state that the store's keys ask for: encrypted with the
    /// current key, or in clear text when new ones are not encrypted. `give_up_lost` removes those that no key opens.
    ///
    /// Records change in batches of a few hundred, so that others need not wait; it can be stopped and begun again.
    ///
    /// # Errors
    ///
    /// When the database fails, or, without `give_up_lost`, at the first password that no key opens.
    pub async fn reseal_passwords(&self, give_up_lost: bool) -> Result<Resealed, StoreError> {
        let mut all = Resealed::default();
        for owner in [Owner::Customer, Owner::Account] {
            let mut after = 0;
            while let Some((last, done)) = self.reseal_batch(owner, after, give_up_lost).await? {
                all.changed += done.changed;
                all.removed += done.removed;
                after = last;
            }
        }
        all.changed += self.reseal_zone_keys(give_up_lost).await?;
        Ok(all)
    }

    async fn reseal_batch(
        &self,
        owner: fn(i64) -> Owner,
        after: i64,
        give_up_lost: bool,
    ) -> Result<Option<(i64, Resealed)>, StoreError> {
        // `subscriber` and `customers` both have `id` and `password`.
        let table = match owner(0) {
            Owner::Customer(_) => "customers",
            Owner::Account(_) => "subscriber",
        };
        let kind = owner(0).kind();
        let (batch, _) = self
            .write(&Actor::system("reseal_passwords"), |tx| {
                Box::pin(async move {
                    let Some(keys) = tx.keys.clone() else { return Ok(None) };
                    let rows: Vec<(i64, Option<String>, Option<String>)> = on!(tx, c => {
                        let mut query = QueryBuilder::<DB>::new(
                            "SELECT CAST(r.id AS SIGNED), r.password, p.sealed FROM ",
                        );
                        query.push(table).push(" r LEFT JOIN sealed_passwords p ON p.kind = ");
                        query.push_bind(kind).push(" AND p.record = r.id WHERE r.id > ");
                        query.push_bind(after).push(" ORDER BY r.id LIMIT ").push_bind(BATCH);
                        query.push(<DB as crate::dialect::Spelling>::FOR_UPDATE);
                        query.build_query_as().fetch_all(&mut *c).await
                    })?;
                    let Some((last, _, _)) = rows.last() else { return Ok(None) };
                    let (last, mut done) = (*last, Resealed::default());
                    for (id, clear, sealed) in rows {
                        let who = owner(id);
                        let clear = clear.filter(|text| !text.is_empty());
                        let is_done = match (&clear, &sealed) {
                            (None, None) => true,
                            (None, Some(sealed)) => keys.seals() && keys.is_current(sealed),
                            (Some(_), None) => !keys.seals(),
                            (Some(_), Some(_)) => false,
                        };
                        if is_done {
                            continue;
                        }
                        let password = match (clear, sealed) {
                            (Some(clear), _) => Some(clear),
                            (None, Some(sealed)) => match keys.open_sealed(&who.name(), &sealed) {
                                Ok(clear) => Some(clear),
                                Err(KeyringError::UnknownKey { .. } | KeyringError::Damaged)
                                    if give_up_lost =>
                                {
                                    done.removed += 1;
                                    None
                                }
                                Err(error) => return Err(error.into()),
                            },
                            (None, None) => None,
                        };
                        done.changed += u64::from(password.is_some());
                        let column = tx.store_password(who, password.as_deref()).await?;
                        tx.set_clear_password(table, id, column).await?;
                    }
                    Ok::<_, StoreError>(Some((last, done)))
                })
            })
            .await?;
        Ok(batch)
    }
}

impl Tx<'_> {
    /// Stores the password of a record: gives what its own column is to hold, which is nothing when the password was
    /// encrypted.
    pub(crate) async fn store_password<'p>(
        &mut self,
        owner: Owner,
        password: Option<&'p str>,
    ) -> Result<Option<&'p str>, StoreError> {
        let password = password.filter(|text| !text.is_empty());
        let sealing = self.keys.clone().filter(|keys| keys.seals());
        let (Some(clear), Some(keys)) = (password, sealing) else {
            self.delete_sealed_password(owner).await?;
            return Ok(password);
        };
        let sealed = keys.seal(&owner.name(), clear)?;
        on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(
                "INSERT INTO sealed_passwords (kind, record, sealed) VALUES (",
            );
            query.push_bind(owner.kind()).push(", ").push_bind(owner.record()).push(", ");
            query.push_bind(sealed.as_str()).push(")");
            push_upsert(&mut query, "kind, record", &["sealed"]);
            query.build().execute(&mut *c).await.map(drop)
        })?;
        Ok(None)
    }

    /// Encrypts the passwords of records that were just made.
    pub(crate) async fn seal_new_passwords<'p>(
        &mut self,
        passwords: impl Iterator<Item = (Owner, &'p str)> + Send,
    ) -> Result<(), StoreError> {
        let Some(keys) = self.keys.clone() else { return Ok(()) };
        let mut sealed = Vec::new();
        for (owner, clear) in passwords.filter(|(_, clear)| !clear.is_empty()) {
            sealed.push((owner, keys.seal(&owner.name(), clear)?));
        }
        if sealed.is_empty() {
            return Ok(());
        }
        on!(self, c => {
            let mut query =
                QueryBuilder::<DB>::new("INSERT INTO sealed_passwords (kind, record, sealed) ");
            query.push_values(&sealed, |mut tuple, (owner, sealed)| {
                tuple.push_bind(owner.kind()).push_bind(owner.record()).push_bind(sealed.as_str());
            });
            push_upsert(&mut query, "kind, record", &["sealed"]);
            query.build().execute(&mut *c).await.map(drop)
        })
    }

    /// The password of a record as it was set: what its own column holds, or what was encrypted.
    pub(crate) fn read_password(
        &self,
        owner: Owner,
        column: Option<String>,
        sealed: Option<String>,
    ) -> Result<Option<String>, StoreError> {
        let (None, Some(sealed)) = (column.as_deref().filter(|text| !text.is_empty()), sealed)
        else {
            return Ok(column);
        };
        let keys = self.keys.as_ref().ok_or_else(|| {
            StoreError::corrupt("passwords", "they are encrypted, and no key file was opened")
        })?;
        Ok(Some(keys.open_sealed(&owner.name(), &sealed)?))
    }

    /// Removes what is encrypted of a record.
    pub(crate) async fn delete_sealed_password(&mut self, owner: Owner) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM sealed_passwords WHERE kind = ? AND record = ?")
                .bind(owner.kind())
                .bind(owner.record())
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    /// The row of a SIP account, to which its password belongs.
    pub(crate) async fn subscriber_row(&mut self, aor: &Aor) -> Result<Option<i64>, StoreError> {
        on!(self, c => {
            sqlx::query_scalar::<DB, i64>(
                "SELECT CAST(id AS SIGNED) FROM subscriber WHERE username = ? AND domain = ?",
            )
            .bind(aor.username())
            .bind(aor.domain().as_str())
            .fetch_optional(&mut *c)
            .await
        })
    }

    async fn set_clear_password(
        &mut self,
        table: &'static str,
        id: i64,
        column: Option<&str>,
    ) -> Result<(), StoreError> {
        on!(self, c => {
            let mut query = QueryBuilder::<DB>::new("UPDATE ");
            query.push(table).push(" SET password = ");
            // `subscriber` allows no NULL, and `customers` reads an empty text as none.
            query.push_bind(column.unwrap_or_default()).push(" WHERE id = ").push_bind(id);
            query.build().execute(&mut *c).await.map(drop)
        })
    }
}
