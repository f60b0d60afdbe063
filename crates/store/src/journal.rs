//! The journal: appended by every write transaction, read by followers and auditors.
//!
//! Rows are kept in the transaction and written in one statement right before the commit, so that the time
//! between taking a number and becoming visible is as short as it can be.

use crate::error::StoreError;
use crate::tx::{Actor, Conn, Tx, now_millis, on};
use ngn_model::{CustomerId, Entity, Position};
use serde_json::Value;
use sqlx::QueryBuilder;
use std::fmt::Display;
use std::sync::Arc;

/// A journal row that its transaction has not written yet.
pub(crate) struct PendingRow {
    entity: Entity,
    key: String,
    zone: Option<String>,
    before: Option<String>,
    after: Option<String>,
    /// Whom the record names as its owner before and after the change.
    customers: [Option<CustomerId>; 2],
    /// Who made the change, when it is not the one who wrote the transaction.
    actor: Option<Arc<Actor>>,
}

/// A journal row before it has a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// The kind of record.
    pub entity: Entity,
    /// Which record.
    pub key: String,
    /// The zone whose serial the change raises, if any.
    pub zone: Option<String>,
    /// The record before the change, as JSON without secrets.
    pub before: Option<String>,
    /// The record after the change, as JSON without secrets.
    pub after: Option<String>,
}

/// Rows per statement: far below every limit on placeholders.
const ROWS: usize = 500;
/// Bytes per statement, unless one row has more: far below the server's limit on packets (16 MiB).
const BYTES: usize = 1 << 20;

/// How many rows go into the next statement, at least one.
fn one_statement(rows: &[PendingRow]) -> usize {
    let mut bytes = 0;
    let fits = |row: &&PendingRow| {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        bytes += row.key.len() + text(&row.before) + text(&row.after);
        bytes <= BYTES
    };
    rows.iter().take(ROWS).take_while(fits).count().clamp(1, rows.len().max(1))
}

impl Tx<'_> {
    /// Notes a change for the journal; it is written when the transaction commits.
    ///
    /// `key` is what [`Entity`] documents for that kind. `zone` names the DNS zone whose serial this row
    /// raises. `before` and `after` are the record as JSON; secrets in them are replaced by `changed` or
    /// `unchanged`.
    pub fn journal(
        &mut self,
        entity: Entity,
        key: impl Display,
        zone: Option<&str>,
        before: Option<Value>,
        after: Option<Value>,
    ) {
        self.note(None, (entity, key.to_string()), zone, before, after);
    }

    /// As [`Self::journal`], for one of several who share a transaction ([`Store::write_each`]).
    ///
    /// [`Store::write_each`]: crate::Store::write_each
    pub fn journal_for(
        &mut self,
        actor: &Arc<Actor>,
        entity: Entity,
        key: impl Display,
        after: Value,
    ) {
        let actor = Some(Arc::clone(actor));
        self.note(actor, (entity, key.to_string()), None, None, Some(after));
    }

    fn note(
        &mut self,
        actor: Option<Arc<Actor>>,
        (entity, key): (Entity, String),
        zone: Option<&str>,
        before: Option<Value>,
        after: Option<Value>,
    ) {
        let owner = |record: &Option<Value>| record.as_ref()?.get("customer")?.as_i64();
        let customers = [owner(&before), owner(&after)];
        let (before, after) = redacted(before, after);
        self.pending.push(PendingRow {
            actor,
            customers,
            entity,
            key,
            zone: zone.map(str::to_owned),
            before: before.map(|value| value.to_string()),
            after: after.map(|value| value.to_string()),
        });
    }

    /// The rows that the transaction will append to the journal so far, as they will stand there.
    #[must_use]
    pub fn journal_entries(&self) -> Vec<JournalEntry> {
        let entry = |row: &PendingRow| JournalEntry {
            entity: row.entity,
            key: row.key.clone(),
            zone: row.zone.clone(),
            before: row.before.clone(),
            after: row.after.clone(),
        };
        self.pending.iter().map(entry).collect()
    }

    /// How many rows the transaction will append to the journal so far.
    #[must_use]
    pub fn journal_len(&self) -> usize {
        self.pending.len()
    }

    /// Writes the noted rows and gives their positions in the order in which they were noted.
    pub(crate) async fn append_journal(
        &mut self,
        actor: &Actor,
    ) -> Result<Vec<Position>, StoreError> {
        let pending = std::mem::take(&mut self.pending);
        let at = now_millis();
        let mut positions = Vec::with_capacity(pending.len());
        let mut rest = pending.as_slice();
        while !rest.is_empty() {
            let (rows, others) = rest.split_at(one_statement(rest));
            let (first, step) = self.insert_journal(actor, at, rows).await?;
            self.insert_customers(rows, first, step).await?;
            positions.extend((0..).zip(rows).map(|(n, _)| Position(first + n * step)));
            rest = others;
        }
        Ok(positions)
    }

    /// Writes rows; gives the number of the first one and how far apart the numbers are.
    async fn insert_journal(
        &mut self,
        actor: &Actor,
        at: i64,
        rows: &[PendingRow],
    ) -> Result<(u64, u64), StoreError> {
        let inserted = on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(
                "INSERT INTO journal (at, login, impersonated, source, operation, entity, entity_key, \
                 zone, `before`, `after`) ",
            );
            query.push_values(rows, |mut tuple, row| {
                let actor = row.actor.as_deref().unwrap_or(actor);
                tuple
                    .push_bind(at)
                    .push_bind(actor.login.as_str())
                    .push_bind(actor.impersonated)
                    .push_bind(actor.source.as_str())
                    .push_bind(actor.operation.as_str())
                    .push_bind(row.entity.as_str())
                    .push_bind(row.key.as_str())
                    .push_bind(row.zone.as_deref())
                    .push_bind(row.before.as_deref())
                    .push_bind(row.after.as_deref());
            });
            let result = query.build().execute(&mut *c).await?;
            Ok(InsertId::insert_id(&result))
        })?;
        self.numbers(inserted, rows.len()).await
    }

    /// Notes which customers the written rows name as owners.
    async fn insert_customers(
        &mut self,
        rows: &[PendingRow],
        first: u64,
        step: u64,
    ) -> Result<(), StoreError> {
        let mut named = Vec::new();
        for (row, number) in rows.iter().zip(0u64..) {
            let [before, after] = row.customers;
            let id = first + number * step;
            named.extend(before.filter(|_| before != after).map(|customer| (customer, id)));
            named.extend(after.map(|customer| (customer, id)));
        }
        if named.is_empty() {
            return Ok(());
        }
        on!(self, c => {
            let mut query =
                QueryBuilder::<DB>::new("INSERT INTO journal_customers (customer, journal_id) ");
            query.push_values(&named, |mut tuple, (customer, id)| {
                tuple.push_bind(*customer).push_bind(id.cast_signed());
            });
            query.build().execute(&mut *c).await.map(drop)
        })
    }
}

impl Tx<'_> {
    /// The numbers that one INSERT gave to its rows: the first one, and how far apart they are.
    ///
    /// MySQL tells the first number of a statement, which takes its numbers in equal steps; the step is the number of
    /// nodes in a Galera cluster. SQLite tells the last one.
    pub(crate) async fn numbers(
        &mut self,
        inserted: u64,
        rows: usize,
    ) -> Result<(u64, u64), StoreError> {
        let after_first = rows.saturating_sub(1) as u64;
        if matches!(self.conn, Conn::Lite(_)) {
            return Ok((inserted.saturating_sub(after_first), 1));
        }
        if after_first == 0 {
            return Ok((inserted, 1));
        }
        if let Some(step) = self.step {
            return Ok((inserted, step));
        }
        let step: i64 = on!(self, c => {
            sqlx::query_scalar::<DB, i64>("SELECT CAST(@@SESSION.auto_increment_increment AS SIGNED)")
                .fetch_one(&mut *c)
                .await
        })?;
        let step = u64::try_from(step).unwrap_or(1);
        self.step = Some(step);
        Ok((inserted, step))
    }
}

/// The number that an INSERT gave to its row.
pub(crate) trait InsertId {
    /// MySQL: of the first row. SQLite: of the last row.
    fn insert_id(&self) -> u64;
}

impl InsertId for sqlx::mysql::MySqlQueryResult {
    fn insert_id(&self) -> u64 {
        self.last_insert_id()
    }
}

impl InsertId for sqlx::sqlite::SqliteQueryResult {
    fn insert_id(&self) -> u64 {
        u64::try_from(self.last_insert_rowid()).unwrap_or(0)
    }
}

/// A journal id as a position; ids are never negative.
pub(crate) fn position(id: i64) -> Position {
    Position(u64::try_from(id).unwrap_or(0))
}

/// Members whose values never enter the journal, in lower case without `_`.
const SECRETS: [&str; 12] = [
    "password",
    "webpassword",
    "ha1",
    "ha1b",
    "ha1sha256",
    "privatekey",
    "authtoken",
    "secret",
    "pin",
    "token",
    "pushnotificationsserverprivate",
    "yubikey",
];

fn is_secret(name: &str) -> bool {
    let plain: String =
        name.chars().filter(|c| *c != '_' && *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    SECRETS.contains(&plain.as_str())
}

/// Replaces secrets by whether they changed between the two.
fn redacted(before: Option<Value>, after: Option<Value>) -> (Option<Value>, Option<Value>) {
    let redact_against = |value: &Option<Value>, other: &Option<Value>| {
        value.clone().map(|mut value| {
            redact(&mut value, other.as_ref());
            value
        })
    };
    (redact_against(&before, &after), redact_against(&after, &before))
}

fn redact(value: &mut Value, other: Option<&Value>) {
    match value {
        Value::Object(members) => {
            // A property list holds objects of a name and a value: the name says whether it is a secret.
            let names_secret = members.get("name").and_then(Value::as_str).is_some_and(is_secret);
            for (name, member) in members.iter_mut() {
                let other = other.and_then(|other| other.get(name));
                if is_secret(name) || (names_secret && name == "value") {
                    hide(member, other);
                } else {
                    redact(member, other);
                }
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter_mut().enumerate() {
                let same_name = |candidate: &&Value| {
                    item.get("name").is_some() && candidate.get("name") == item.get("name")
                };
                let other = other.and_then(Value::as_array);
                let counterpart = other
                    .and_then(|items| items.iter().find(same_name))
                    .or_else(|| other.and_then(|items| items.get(i)));
                redact(item, counterpart);
            }
        }
        _ => {}
    }
}

fn hide(value: &mut Value, other: Option<&Value>) {
    let empty = matches!(value, Value::Null) || value.as_str() == Some("");
    if empty {
        return;
    }
    *value = if other == Some(&*value) { "unchanged".into() } else { "changed".into() };
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_secret_enters_the_journal() {
        let before = json!({
            "username": "alice", "password": "s3cret", "ha1": "00ff", "authToken": null,
            "properties": [{"name": "language", "value": "en"}, {"name": "web_password", "value": "w1"}],
        });
        let after = json!({
            "username": "alice", "password": "s3cret", "ha1": "11ff", "authToken": "",
            "properties": [{"name": "web_password", "value": "w2"}, {"name": "auth_token", "value": "t"}],
            "nested": {"private_key": "PEM"},
        });
        let (before, after) = redacted(Some(before), Some(after));
        assert_eq!(
            before,
            Some(json!({
                "username": "alice", "password": "unchanged", "ha1": "changed", "authToken": null,
                "properties": [{"name": "language", "value": "en"},
                               {"name": "web_password", "value": "changed"}],
            }))
        );
        assert_eq!(
            after,
            Some(json!({
                "username": "alice", "password": "unchanged", "ha1": "changed", "authToken": "",
                "properties": [{"name": "web_password", "value": "changed"},
                               {"name": "auth_token", "value": "changed"}],
                "nested": {"private_key": "changed"},
            }))
        );
    }

    #[test]
    fn large_rows_are_spread_over_statements() {
        let row = |bytes: usize| PendingRow {
            entity: Entity::Customer,
            key: String::new(),
            zone: None,
            before: None,
            after: Some("x".repeat(bytes)),
            customers: [None; 2],
            actor: None,
        };
        let rows = |sizes: &[usize]| sizes.iter().map(|n| row(*n)).collect::<Vec<_>>();
        assert_eq!(one_statement(&rows(&[10; 700])), ROWS);
        assert_eq!(one_statement(&rows(&[BYTES / 2, BYTES / 2, 1])), 2);
        assert_eq!(one_statement(&rows(&[BYTES * 3, 1])), 1);
        assert_eq!(one_statement(&rows(&[1])), 1);
    }

    #[test]
    fn created_and_deleted_records_are_redacted_too() {
        let (before, after) = redacted(None, Some(json!({"password": "x"})));
        assert_eq!((before, after), (None, Some(json!({"password": "changed"}))));
    }
}
