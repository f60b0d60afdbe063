//! `dbaliases`: further addresses of SIP accounts.

use crate::error::StoreError;
use crate::filter::{Filter, Listing, Order, Page, Range};
use crate::tx::{Tx, on};
use ngn_model::{Aor, Ownership};

/// An alias as it is provisioned. Its owners are those of its domain (B15, B16).
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct SipAliasRow {
    /// User name of the alias.
    pub alias_username: String,
    /// Domain of the alias.
    pub alias_domain: String,
    /// User name of the account.
    pub username: String,
    /// Domain of the account.
    pub domain: String,
    /// The owner attribute (B13).
    pub owner: i64,
    /// When it last changed, in milliseconds since 1970 UTC.
    pub change_date: i64,
    /// Its domain's customer.
    pub customer: i64,
    /// Its domain's reseller.
    pub reseller_id: i64,
}

const COLUMNS: &str = "a.alias_username, a.alias_domain, a.username, a.domain, a.owner, a.change_date, \
     d.customer, d.reseller_id";
const FROM: &str = "dbaliases a JOIN domain d ON d.domain = a.alias_domain";
const ORDER: &[(&str, &str)] = &[
    ("changeDate", "a.change_date"),
    ("aliasUsername", "a.alias_username"),
    ("aliasDomain", "a.alias_domain"),
    ("targetUsername", "a.username"),
    ("targetDomain", "a.domain"),
];
const KEY: &[&str] = &["a.alias_username", "a.alias_domain"];

impl Tx<'_> {
    /// An alias.
    pub async fn sip_alias(&mut self, alias: &Aor) -> Result<Option<SipAliasRow>, StoreError> {
        let mut filter = Filter::new();
        filter
            .equals("a.alias_username", alias.username())
            .equals("a.alias_domain", alias.domain().as_str());
        let one = Range { start: 0, count: Some(1) };
        Ok(self.list_sip_aliases(filter, None, one).await?.rows.pop())
    }

    /// The aliases that lead to an account.
    pub async fn aliases_of(&mut self, target: &Aor) -> Result<Vec<SipAliasRow>, StoreError> {
        let mut filter = Filter::new();
        filter.equals("a.username", target.username()).equals("a.domain", target.domain().as_str());
        Ok(self.list_sip_aliases(filter, None, Range::default()).await?.rows)
    }

    /// A list of aliases; columns are those of `dbaliases a` and `domain d`.
    pub async fn list_sip_aliases(
        &mut self,
        filter: Filter,
        order: Option<&(String, String)>,
        range: Range,
    ) -> Result<Page<SipAliasRow>, StoreError> {
        let (attribute, direction) = order.map(|(a, d)| (&**a, &**d)).unzip();
        let order = Order::by(ORDER, attribute, direction, KEY);
        Listing { columns: COLUMNS, from: FROM, filter, order, range }.fetch(self).await
    }

    /// Writes an alias, new or not; a new one's address was claimed.
    pub async fn put_sip_alias(
        &mut self,
        alias: &Aor,
        target: &Aor,
        owner: i64,
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.delete_sip_alias(alias).await?;
        on!(self, c => {
            sqlx::query::<DB>(
                "INSERT INTO dbaliases (alias_username, alias_domain, username, domain, owner, \
                 create_date, change_date) VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(alias.username())
            .bind(alias.domain().as_str())
            .bind(target.username())
            .bind(target.domain().as_str())
            .bind(owner)
            .bind(now)
            .bind(now)
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Removes an alias.
    pub async fn delete_sip_alias(&mut self, alias: &Aor) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM dbaliases WHERE alias_username = ? AND alias_domain = ?")
                .bind(alias.username())
                .bind(alias.domain().as_str())
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    /// How many aliases lie in the domains of a customer, or of a reseller (B36).
    pub async fn count_sip_aliases(&mut self, owner: Ownership) -> Result<u64, StoreError> {
        let mut filter = Filter::new();
        filter.number("d.customer", Some(owner.customer));
        filter.number("d.reseller_id", Some(owner.reseller));
        let order = Order::by_key(KEY);
        let range = Range::default();
        Listing { columns: "a.id", from: FROM, filter, order, range }.count(self).await
    }
}
