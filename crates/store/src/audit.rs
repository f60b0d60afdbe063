//! The journal as auditors read it: newest first, page by page along its primary key or the index
//! of what is asked for.

use crate::error::StoreError;
use crate::journal::position;
use crate::store::Store;
use crate::tx::{Tx, on};
use ngn_model::{CustomerId, Entity, Position};
use sqlx::QueryBuilder;

/// A journal row as auditors see it.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// Where it stands.
    pub position: Position,
    /// When it was written, in milliseconds since 1970 UTC.
    pub at: i64,
    /// The login that made the change.
    pub login: String,
    /// The customer in whose name it was made.
    pub impersonated: Option<CustomerId>,
    /// The address it came from.
    pub source: String,
    /// The operation.
    pub operation: String,
    /// The kind of record, by its name in the journal.
    pub entity: String,
    /// Which record.
    pub key: String,
    /// The zone whose serial it raised.
    pub zone: Option<String>,
    /// The record before the change, as JSON.
    pub before: Option<String>,
    /// The record after the change, as JSON.
    pub after: Option<String>,
}

/// Which rows an auditor wants; `None` does not restrict.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Only rows before this position.
    pub before: Option<Position>,
    /// Only rows after this position.
    pub after: Option<Position>,
    /// Only this kind of record.
    pub entity: Option<Entity>,
    /// Only records with this key.
    pub key: Option<String>,
    /// Only changes made by this login.
    pub login: Option<String>,
    /// Only changes of this operation.
    pub operation: Option<String>,
    /// Only changes made in the name of this customer (B5) or by its own login, those of its own record, and those
    /// of records that name it as their owner.
    pub customer: Option<CustomerId>,
    /// Only changes since this time, in milliseconds since 1970 UTC.
    pub since: Option<i64>,
    /// Only changes until this time, in milliseconds since 1970 UTC.
    pub until: Option<i64>,
}

/// Rows that one statement looks at when no index leads to those that match.
const STRETCH: u64 = 20_000;
/// Rows become visible somewhat out of order, so that a later one may carry an earlier time: a transaction ends
/// within half a minute. In milliseconds.
const DISORDER: i64 = 60_000;

/// A way in which a row is about a customer.
#[derive(Clone, Copy)]
enum Way<'a> {
    /// Made in its name (B5).
    Impersonated(CustomerId),
    /// Made by its own login.
    Login(&'a str),
    /// Of its own record.
    Record(CustomerId),
    /// Of a record that names it as its owner.
    Owner(CustomerId),
}

/// All ways in which a row is about a customer, each with an index; one without restriction for no customer.
fn ways(customer: Option<CustomerId>, login: Option<&str>) -> Vec<Option<Way<'_>>> {
    let Some(id) = customer else { return vec![None] };
    let ways = [Way::Impersonated(id), Way::Record(id), Way::Owner(id)].into_iter();
    ways.chain(login.map(Way::Login)).map(Some).collect()
}

#[derive(sqlx::FromRow)]
struct AuditSql {
    id: i64,
    at: i64,
    login: String,
    impersonated: Option<i64>,
    source: String,
    operation: String,
    entity: String,
    entity_key: String,
    zone: Option<String>,
    before: Option<String>,
    after: Option<String>,
}

impl Store {
    /// The newest rows of the journal that match, newest first, at most `limit`. Each page is one snapshot of its
    /// own; the next one starts before the last row's position.
    pub async fn audit(
        &self,
        wanted: &AuditQuery,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.read(|tx| Box::pin(tx.audit(wanted, limit))).await
    }
}

impl Tx<'_> {
    /// As [`Store::audit`], with what this transaction sees.
    pub async fn audit(
        &mut self,
        wanted: &AuditQuery,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let newest = self.newest_position().await?;
        let mut above = wanted.after.map_or(0, |position| position.0);
        let mut below = wanted.before.map_or(u64::MAX, |position| position.0).min(newest + 1);
        if let Some(since) = wanted.since {
            above = above.max(self.first_at(since.saturating_sub(DISORDER), newest).await?);
        }
        if let Some(until) = wanted.until {
            let past = self.first_at(until.saturating_add(DISORDER), newest).await?;
            below = below.min(past.saturating_add(2));
        }
        let login = match wanted.customer {
            Some(customer) => self.customer_login(customer).await?,
            None => None,
        };
        // An index leads to the rows of one record, login or customer, and ends with the primary key; without one of
        // them the journal is gone through in stretches.
        let led = wanted.login.is_some() || (wanted.entity.is_some() && wanted.key.is_some());
        let stretch = if led || wanted.customer.is_some() { u64::MAX } else { STRETCH };
        let mut rows: Vec<AuditSql> = Vec::new();
        while below > above.saturating_add(1) && rows.len() < limit as usize {
            let from = below.saturating_sub(stretch).max(above.saturating_add(1));
            let missing =
                i64::from(limit).saturating_sub(i64::try_from(rows.len()).unwrap_or(i64::MAX));
            for way in ways(wanted.customer, login.as_deref()) {
                rows.extend(self.audit_stretch(wanted, way, from, below, missing).await?);
            }
            below = from;
        }
        // The same row may have been found in several ways.
        rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.id));
        rows.dedup_by_key(|row| row.id);
        rows.truncate(limit as usize);
        Ok(rows.into_iter().map(AuditRow::from).collect())
    }

    async fn newest_position(&mut self) -> Result<u64, StoreError> {
        let newest: Option<i64> = on!(self, c => {
            sqlx::query_scalar::<DB, Option<i64>>("SELECT MAX(id) FROM journal").fetch_one(&mut *c).await
        })?;
        Ok(newest.map_or(0, |id| position(id).0))
    }

    /// A position that no row at or after a time stands before, by halving: rows are in order of time but for
    /// [`DISORDER`].
    async fn first_at(&mut self, at: i64, newest: u64) -> Result<u64, StoreError> {
        let (mut low, mut high) = (0, newest);
        while low < high {
            let middle = low + (high - low) / 2;
            let found: Option<(i64, i64)> = on!(self, c => {
                sqlx::query_as::<DB, (i64, i64)>(
                    "SELECT id, at FROM journal WHERE id > ? ORDER BY id LIMIT 1",
                )
                .bind(middle.cast_signed())
                .fetch_optional(&mut *c)
                .await
            })?;
            match found {
                Some((_, time)) if time >= at => high = middle,
                Some((id, _)) => low = position(id).0,
                None => high = middle,
            }
        }
        Ok(low)
    }

    async fn audit_stretch(
        &mut self,
        wanted: &AuditQuery,
        way: Option<Way<'_>>,
        from: u64,
        below: u64,
        limit: i64,
    ) -> Result<Vec<AuditSql>, StoreError> {
        let (table, id) = match way {
            Some(Way::Owner(_)) => {
                ("journal_customers o JOIN journal ON id = journal_id", "journal_id")
            }
            _ => ("journal", "id"),
        };
        on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(
                "SELECT id, at, login, impersonated, source, operation, entity, entity_key, \
                 zone, `before`, `after` FROM ",
            );
            query.push(table).push(" WHERE ").push(id).push(" >= ").push_bind(from.cast_signed());
            query.push(" AND ").push(id).push(" < ");
            query.push_bind(i64::try_from(below).unwrap_or(i64::MAX));
            if let Some(entity) = wanted.entity {
                query.push(" AND entity = ").push_bind(entity.as_str());
            }
            let texts = [
                (" AND entity_key = ", &wanted.key),
                (" AND login = ", &wanted.login),
                (" AND operation = ", &wanted.operation),
            ];
            for (condition, value) in texts {
                if let Some(value) = value {
                    query.push(condition).push_bind(value.as_str());
                }
            }
            match way {
                None => {}
                Some(Way::Impersonated(id)) => _ = query.push(" AND impersonated = ").push_bind(id),
                Some(Way::Login(login)) => {
                    query.push(" AND impersonated IS NULL AND login = ").push_bind(login.to_owned());
                }
                Some(Way::Record(id)) => {
                    query.push(" AND entity = 'customer' AND entity_key = ").push_bind(id.to_string());
                }
                Some(Way::Owner(customer)) => _ = query.push(" AND customer = ").push_bind(customer),
            }
            if let Some(since) = wanted.since {
                query.push(" AND at >= ").push_bind(since);
            }
            if let Some(until) = wanted.until {
                query.push(" AND at <= ").push_bind(until);
            }
            query.push(" ORDER BY ").push(id).push(" DESC LIMIT ").push_bind(limit);
            query.build_query_as::<AuditSql>().fetch_all(&mut *c).await
        })
    }
}

impl From<AuditSql> for AuditRow {
    fn from(row: AuditSql) -> Self {
        Self {
            position: position(row.id),
            at: row.at,
            login: row.login,
            impersonated: row.impersonated,
            source: row.source,
            operation: row.operation,
            entity: row.entity,
            key: row.entity_key,
            zone: row.zone,
            before: row.before,
            after: row.after,
        }
    }
}
