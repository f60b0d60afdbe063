//! Guards of provisioning: an address belongs to one account or one alias, and to a domain that stays.

use crate::dialect::Spelling;
use crate::error::StoreError;
use crate::tx::{Tx, on};
use ngn_model::{Aor, DomainName, Ownership};
use sqlx::QueryBuilder;
use std::collections::HashSet;

/// What an address of record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressKind {
    /// An account's own address.
    Account,
    /// An alias.
    Alias,
}

impl AddressKind {
    fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Alias => "alias",
        }
    }
}

impl Tx<'_> {
    /// Takes an address for an account or an alias; fails with [`StoreError::Duplicate`] when it is taken,
    /// also by the other kind (B53), and also when that happened in the same moment.
    pub async fn claim_address(&mut self, aor: &Aor, kind: AddressKind) -> Result<(), StoreError> {
        self.claim_addresses(&[aor], kind).await
    }

    /// Takes several addresses, all or none of them; as [`Self::claim_address`].
    pub async fn claim_addresses(
        &mut self,
        aors: &[&Aor],
        kind: AddressKind,
    ) -> Result<(), StoreError> {
        if aors.is_empty() {
            return Ok(());
        }
        on!(self, c => {
            let mut query =
                QueryBuilder::<DB>::new("INSERT INTO addresses (username, domain, kind) ");
            query.push_values(aors, |mut tuple, aor| {
                tuple
                    .push_bind(aor.username())
                    .push_bind(aor.domain().as_str())
                    .push_bind(kind.name());
            });
            query.build().execute(&mut *c).await.map(drop)
        })
    }

    /// Which of some user names of a domain are taken at this moment, by accounts or aliases.
    pub async fn taken_usernames(
        &mut self,
        domain: &DomainName,
        usernames: &[&str],
    ) -> Result<HashSet<String>, StoreError> {
        if usernames.is_empty() {
            return Ok(HashSet::new());
        }
        let taken: Vec<String> = on!(self, c => {
            let mut query =
                QueryBuilder::<DB>::new("SELECT username FROM addresses WHERE domain = ");
            query.push_bind(domain.as_str()).push(" AND username IN (");
            let mut list = query.separated(", ");
            for username in usernames {
                list.push_bind(*username);
            }
            query.push(")");
            query.build_query_scalar().fetch_all(&mut *c).await
        })?;
        Ok(taken.into_iter().collect())
    }

    /// Gives an address free again.
    pub async fn release_address(&mut self, aor: &Aor) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM addresses WHERE username = ? AND domain = ?")
                .bind(aor.username())
                .bind(aor.domain().as_str())
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    /// What an address is at this moment; `None` when it is free.
    pub async fn address_kind(&mut self, aor: &Aor) -> Result<Option<AddressKind>, StoreError> {
        let kind: Option<String> = on!(self, c => {
            sqlx::query_scalar::<DB, String>(
                "SELECT kind FROM addresses WHERE username = ? AND domain = ?",
            )
            .bind(aor.username())
            .bind(aor.domain().as_str())
            .fetch_optional(&mut *c)
            .await
        })?;
        match kind.as_deref() {
            None => Ok(None),
            Some("account") => Ok(Some(AddressKind::Account)),
            Some("alias") => Ok(Some(AddressKind::Alias)),
            Some(other) => Err(StoreError::corrupt("kind of an address", other)),
        }
    }

    /// The owners of a SIP domain, which from now until the end of this transaction cannot be removed or given
    /// to others; for adding accounts and aliases. Any number of transactions can hold a domain so.
    pub async fn hold_sip_domain(
        &mut self,
        domain: &DomainName,
    ) -> Result<Option<Ownership>, StoreError> {
        self.sip_domain_ownership(domain, false).await
    }

    /// The owners of a SIP domain that this transaction changes or removes: waits for transactions that hold it.
    pub async fn lock_sip_domain(
        &mut self,
        domain: &DomainName,
    ) -> Result<Option<Ownership>, StoreError> {
        self.sip_domain_ownership(domain, true).await
    }

    async fn sip_domain_ownership(
        &mut self,
        domain: &DomainName,
        exclusive: bool,
    ) -> Result<Option<Ownership>, StoreError> {
        let row: Option<(i64, i64)> = on!(self, c => {
            let mut query =
                QueryBuilder::<DB>::new("SELECT customer, reseller_id FROM domain WHERE domain = ");
            query.push_bind(domain.as_str());
            query.push(if exclusive {
                <DB as Spelling>::FOR_UPDATE
            } else {
                <DB as Spelling>::FOR_SHARE
            });
            query.build_query_as::<(i64, i64)>().fetch_optional(&mut *c).await
        })?;
        Ok(row.map(|(customer, reseller)| Ownership { customer, reseller }))
    }
}
