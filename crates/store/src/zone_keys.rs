//! `zone_signing`, `zone_keys`: which zones are signed (RFC 4035), and by what.
//!
//! Private keys are made here, are encrypted by the store's [`Keyring`] where passwords are, and are in no journal row. What
//! changes is noted as [`Entity::ZoneKeys`] with the zone, whose serial rises, so that secondaries fetch it.

use crate::dialect::Spelling;
use crate::error::StoreError;
use crate::keyring::{Keyring, KeyringError};
use crate::store::Store;
use crate::tx::{Actor, Tx, on};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ngn_model::zone::{ZoneKey, ZoneSigning};
use ngn_model::{DomainName, Entity};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use sqlx::QueryBuilder;
use std::collections::{BTreeMap, HashMap};

const KEY_COLUMNS: &str = "k.domain_id, k.id, CAST(k.ksk AS SIGNED) AS ksk, k.public_key, k.secret, k.publish_at, \
                           k.active_at, k.retire_at, k.remove_at";

/// Zone, nsec3, withdrawn, renewed.
type SigningSql = (i64, i64, i64, i64);

#[derive(sqlx::FromRow)]
struct KeySql {
    domain_id: i64,
    id: i64,
    ksk: i64,
    public_key: String,
    secret: String,
    publish_at: i64,
    active_at: i64,
    retire_at: Option<i64>,
    remove_at: Option<i64>,
}

impl From<KeySql> for ZoneKey {
    fn from(row: KeySql) -> Self {
        Self {
            id: row.id,
            ksk: row.ksk != 0,
            // What is no key has no use, and is left out by those who look at its length.
            public: STANDARD_NO_PAD.decode(&row.public_key).unwrap_or_default(),
            secret: row.secret,
            publish_at: row.publish_at,
            active_at: row.active_at,
            retire_at: row.retire_at,
            remove_at: row.remove_at,
        }
    }
}

/// When a new key does what, in seconds since 1970 UTC, as in [`ZoneKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewZoneKey {
    /// Whether it is a key signing key.
    pub ksk: bool,
    /// From when on it is published.
    pub publish_at: i64,
    /// From when on it is active.
    pub active_at: i64,
}

/// What is bound to an encrypted private key.
fn owner(public: &str) -> String {
    format!("zone key {public}")
}

/// The private key of a zone key, as PKCS #8.
///
/// # Errors
///
/// When it is encrypted and `keyring` cannot open it.
pub fn zone_key_pkcs8(key: &ZoneKey, keyring: Option<&Keyring>) -> Result<Vec<u8>, KeyringError> {
    let clear = match (key.secret.contains('.'), keyring) {
        (false, _) => key.secret.clone(),
        (true, Some(keyring)) => {
            keyring.open_sealed(&owner(&STANDARD_NO_PAD.encode(&key.public)), &key.secret)?
        }
        (true, None) => return Err(KeyringError::None),
    };
    STANDARD_NO_PAD.decode(clear).map_err(|_| KeyringError::Damaged)
}

impl Store {
    /// How zones are signed; none for those that are not, or that do not exist.
    pub async fn zone_signings(
        &self,
        zones: &[DomainName],
    ) -> Result<Vec<(DomainName, Option<ZoneSigning>)>, StoreError> {
        self.read(|tx| {
            Box::pin(async move {
                let mut found = Vec::new();
                for zone in zones {
                    let signing = match tx.zone_id(zone).await? {
                        Some(id) => tx.zone_signing(id).await?,
                        None => None,
                    };
                    found.push((zone.clone(), signing));
                }
                Ok(found)
            })
        })
        .await
    }

    /// Notes that secondaries have to fetch a signed zone anew, unless somebody else did for this number or a higher one;
    /// tells whether it was noted.
    pub async fn renew_zone(&self, zone: &DomainName, number: i64) -> Result<bool, StoreError> {
        let actor = Actor::system("renew_zone");
        let write = self.write::<_, StoreError, _>(&actor, |tx| {
            Box::pin(async move {
                let Some(id) = tx.zone_id(zone).await? else { return Ok(false) };
                let changed = on!(tx, c => {
                    sqlx::query::<DB>("UPDATE zone_signing SET renewed = ? WHERE domain_id = ? AND renewed < ?")
                        .bind(number)
                        .bind(id)
                        .bind(number)
                        .execute(&mut *c)
                        .await
                        .map(|done| done.rows_affected())
                })?;
                if changed > 0 {
                    tx.journal(Entity::ZoneKeys, zone, Some(zone.as_str()), None, None);
                }
                Ok(changed > 0)
            })
        });
        Ok(write.await?.0)
    }

    /// Encrypts the private keys of zones anew, as [`Store::reseal_passwords`] does with passwords. Those that no key opens
    /// stay as they are when `give_up_lost` is set: their zones need new keys. Tells how many were changed.
    pub(crate) async fn reseal_zone_keys(&self, give_up_lost: bool) -> Result<u64, StoreError> {
        let actor = Actor::system("reseal_passwords");
        let write = self.write::<_, StoreError, _>(&actor, |tx| {
            Box::pin(async move {
                let Some(keyring) = tx.keys.clone() else { return Ok(0) };
                let zones: Vec<(i64, String)> = on!(tx, c => {
                    sqlx::query_as::<DB, (i64, String)>(
                        "SELECT d.id, d.name FROM domains d JOIN zone_signing z ON z.domain_id = d.id ORDER BY d.id",
                    )
                    .fetch_all(&mut *c)
                    .await
                })?;
                let mut changed = 0;
                for (id, name) in zones {
                    let before = changed;
                    for key in tx.zone_signing(id).await?.into_iter().flat_map(|s| s.keys) {
                        let sealed = key.secret.contains('.');
                        let done = if sealed { keyring.is_current(&key.secret) } else { false };
                        if (keyring.seals() && done) || (!keyring.seals() && !sealed) {
                            continue;
                        }
                        let clear = match zone_key_pkcs8(&key, Some(&keyring)) {
                            Ok(clear) => clear,
                            Err(KeyringError::UnknownKey { .. } | KeyringError::Damaged)
                                if give_up_lost =>
                            {
                                continue;
                            }
                            Err(error) => return Err(error.into()),
                        };
                        let public = STANDARD_NO_PAD.encode(&key.public);
                        let secret = tx.stored_secret(&public, &clear)?;
                        on!(tx, c => {
                            sqlx::query::<DB>("UPDATE zone_keys SET secret = ? WHERE id = ?")
                                .bind(secret.as_str())
                                .bind(key.id)
                                .execute(&mut *c)
                                .await
                                .map(drop)
                        })?;
                        changed += 1;
                    }
                    if changed > before {
                        // Servers keep what stands here on disk; what they serve stays the same.
                        tx.journal(Entity::ZoneKeys, &name, None, None, None);
                    }
                }
                Ok(changed)
            })
        });
        Ok(write.await?.0)
    }

    /// An encrypted private key, if there is one, to see whether a keyring opens it.
    pub(crate) async fn one_sealed_zone_key(&self) -> Result<Option<ZoneKey>, StoreError> {
        self.read(|tx| {
            Box::pin(async move {
                let row: Option<KeySql> = on!(tx, c => {
                    let mut query = QueryBuilder::<DB>::new("SELECT ");
                    query.push(KEY_COLUMNS);
                    query.push(" FROM zone_keys k WHERE k.secret LIKE '%.%' LIMIT 1");
                    query.build_query_as::<KeySql>().fetch_optional(&mut *c).await
                })?;
                Ok::<_, StoreError>(row.map(ZoneKey::from))
            })
        })
        .await
    }
}

impl Tx<'_> {
    /// How a zone is signed; none when it is not.
    pub async fn zone_signing(
        &mut self,
        domain_id: i64,
    ) -> Result<Option<ZoneSigning>, StoreError> {
        Ok(self.signings(Some(domain_id)).await?.remove(&domain_id))
    }

    /// How zones are signed, by their row ids: one, or all that are.
    pub(crate) async fn signings(
        &mut self,
        domain_id: Option<i64>,
    ) -> Result<HashMap<i64, ZoneSigning>, StoreError> {
        let signings: Vec<SigningSql> = on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(
                "SELECT domain_id, CAST(nsec3 AS SIGNED), CAST(withdrawn AS SIGNED), renewed FROM zone_signing",
            );
            if let Some(id) = domain_id {
                query.push(" WHERE domain_id = ").push_bind(id);
            }
            query.build_query_as().fetch_all(&mut *c).await
        })?;
        let keys: Vec<KeySql> = on!(self, c => {
            let mut query = QueryBuilder::<DB>::new("SELECT ");
            query.push(KEY_COLUMNS).push(" FROM zone_keys k");
            if let Some(id) = domain_id {
                query.push(" WHERE k.domain_id = ").push_bind(id);
            }
            query.push(" ORDER BY k.id");
            query.build_query_as().fetch_all(&mut *c).await
        })?;
        let mut of_zone: BTreeMap<i64, Vec<ZoneKey>> = BTreeMap::new();
        for row in keys {
            of_zone.entry(row.domain_id).or_default().push(row.into());
        }
        let signing = |(id, nsec3, withdrawn, renewed): SigningSql| {
            let keys = of_zone.remove(&id).unwrap_or_default();
            (id, ZoneSigning { nsec3: nsec3 != 0, withdrawn: withdrawn != 0, renewed, keys })
        };
        Ok(signings.into_iter().map(signing).collect())
    }

    /// Makes a zone signed, or changes how; its keys stay.
    pub async fn set_zone_signing(
        &mut self,
        domain_id: i64,
        nsec3: bool,
        withdrawn: bool,
    ) -> Result<(), StoreError> {
        on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(
                "INSERT INTO zone_signing (domain_id, nsec3, withdrawn, renewed) VALUES (",
            );
            query.push_bind(domain_id).push(", ").push_bind(i64::from(nsec3)).push(", ");
            query.push_bind(i64::from(withdrawn)).push(", 0)");
            query.push(<DB as Spelling>::on_conflict("domain_id"));
            for (number, column) in ["nsec3", "withdrawn"].into_iter().enumerate() {
                query.push(if number > 0 { ", " } else { "" }).push(column).push(" = ");
                query.push(<DB as Spelling>::proposed(column));
            }
            query.build().execute(&mut *c).await.map(drop)
        })
    }

    /// Makes a zone unsigned and removes its keys.
    pub async fn delete_zone_signing(&mut self, domain_id: i64) -> Result<(), StoreError> {
        for table in ["zone_keys", "zone_signing"] {
            on!(self, c => {
                let mut query = QueryBuilder::<DB>::new("DELETE FROM ");
                query.push(table).push(" WHERE domain_id = ").push_bind(domain_id);
                query.build().execute(&mut *c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Makes a new key of a zone.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers, or the key that encrypts cannot be used.
    pub async fn insert_zone_key(
        &mut self,
        domain_id: i64,
        key: NewZoneKey,
    ) -> Result<(), StoreError> {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let failed = |_| StoreError::from(KeyringError::Random);
        let made = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(failed)?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, made.as_ref(), &random)
            .map_err(|_| StoreError::from(KeyringError::Damaged))?;
        // The first octet says that the point is not compressed (RFC 6605 section 4 leaves it out).
        let public = pair.public_key().as_ref().get(1..).unwrap_or_default();
        let public = STANDARD_NO_PAD.encode(public);
        let secret = self.stored_secret(&public, made.as_ref())?;
        on!(self, c => {
            sqlx::query::<DB>(
                "INSERT INTO zone_keys (domain_id, ksk, public_key, secret, publish_at, active_at) \
                 VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(domain_id)
            .bind(i64::from(key.ksk))
            .bind(public.as_str())
            .bind(secret.as_str())
            .bind(key.publish_at)
            .bind(key.active_at)
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Says until when a key is active and published.
    pub async fn retire_zone_key(
        &mut self,
        id: i64,
        retire_at: Option<i64>,
        remove_at: Option<i64>,
    ) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("UPDATE zone_keys SET retire_at = ?, remove_at = ? WHERE id = ?")
                .bind(retire_at)
                .bind(remove_at)
                .bind(id)
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    /// Deletes the keys of a zone that are published no more at a time, in seconds since 1970 UTC.
    pub async fn delete_removed_zone_keys(
        &mut self,
        domain_id: i64,
        now: i64,
    ) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM zone_keys WHERE domain_id = ? AND remove_at <= ?")
                .bind(domain_id)
                .bind(now)
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    /// The highest TTL of a zone's records, in seconds.
    pub async fn highest_ttl(&mut self, domain_id: i64) -> Result<i64, StoreError> {
        let ttl: Option<i64> = on!(self, c => {
            sqlx::query_scalar::<DB, Option<i64>>(
                "SELECT CAST(MAX(ttl) AS SIGNED) FROM records WHERE domain_id = ? AND disabled = 0",
            )
            .bind(domain_id)
            .fetch_one(&mut *c)
            .await
        })?;
        Ok(ttl.unwrap_or(0))
    }

    fn stored_secret(&self, public: &str, pkcs8: &[u8]) -> Result<String, StoreError> {
        let clear = STANDARD_NO_PAD.encode(pkcs8);
        match self.keys.as_ref().filter(|keys| keys.seals()) {
            Some(keys) => Ok(keys.seal(&owner(public), &clear)?),
            None => Ok(clear),
        }
    }
}
