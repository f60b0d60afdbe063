//! Takes a change of the journal back: the inverse change, by the same operations and rules, as a new change.
//!
//! The journal holds no secrets, and some records go together with others, so that not everything can come back.
//! Everything is tried in a transaction that is held back, what would come back is compared with what was there, and
//! only then is it committed or refused.

mod inverse;
mod record;
mod whole;

use crate::dispatch::dispatch;
use crate::fault::OpError;
use crate::ops::Call;
use inverse::{Inverse, inverse};
use ngn_model::{Entity, Position};
use ngn_soap::{Fault, Style};
use ngn_store::{AuditQuery, AuditRow, JournalEntry, StoreError};
use record::differences;
pub use whole::undo_whole;

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// The change to take back.
    pub position: Position,
    /// Whether to go on when something of it cannot come back.
    pub partial: bool,
    /// Whether to commit nothing.
    pub dry_run: bool,
}

/// What was done.
#[derive(Debug)]
pub struct Undone {
    /// The change that was taken back.
    pub row: AuditRow,
    /// The position of the new change; none after a dry run.
    pub position: Option<Position>,
    /// What the new change wrote into the journal.
    pub entries: Vec<JournalEntry>,
    /// What did not come back, a sentence each.
    pub losses: Vec<String>,
    /// Other records that the same request changed, with the positions to take those back by.
    pub beside: Vec<AuditRow>,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum NotUndone {
    /// There is no such position.
    #[error("the journal has no position {0}; `ngn journal` lists them")]
    Unknown(Position),
    /// The row is about what follows from another one.
    #[error(
        "position {position} only tells servers about a change ({entity} {key}); take back the change itself: {whose}"
    )]
    Derived {
        /// The position.
        position: Position,
        /// The kind of record.
        entity: String,
        /// Which record.
        key: String,
        /// Where the change itself stands.
        whose: String,
    },
    /// There is no inverse for this kind of record.
    #[error("a change of {entity} cannot be taken back; {what}")]
    Unsupported {
        /// The kind of record.
        entity: String,
        /// What can be done instead.
        what: &'static str,
    },
    /// Something newer touched the record.
    #[error("{entity} {key} was changed again since: {by}; take back the newest change first")]
    Newer {
        /// The kind of record.
        entity: String,
        /// Which record.
        key: String,
        /// By what.
        by: String,
    },
    /// Not everything would come back.
    #[error("not everything would come back: {}. --partial takes back the rest", .0.join("; "))]
    Losses(Vec<String>),
    /// More would be changed than the change itself.
    #[error("this would also change {0}; take back those changes first")]
    More(String),
    /// The request changed too much.
    #[error("the request changed more than {0} records; take its changes back one by one")]
    TooMany(u32),
    /// A rule forbids it.
    #[error("the rules do not allow it: {0}")]
    Refused(Fault),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<OpError> for NotUndone {
    fn from(error: OpError) -> Self {
        match error {
            OpError::Refused(fault) => Self::Refused(fault),
            OpError::Store(error) => Self::Store(error),
        }
    }
}

/// How many newer changes are named.
const NAMED: u32 = 3;
/// How far the rows of one request are looked for around one of them.
const AROUND: u32 = 200;

/// Takes a change back in the name of `call`.
///
/// # Errors
///
/// Why it was not done; then nothing was changed.
pub async fn undo(call: &Call<'_>, wanted: Wanted) -> Result<Undone, NotUndone> {
    let position = wanted.position;
    let row = row_at(call, position).await?;
    let beside = beside(call, &row).await?;
    if row.before.is_none() && row.after.is_none() {
        return Err(derived(&row, &beside));
    }
    let entity = Entity::from_name(&row.entity);
    let newer = newer_than(&row, position);
    refuse_newer(&row, &call.store.audit(&newer, NAMED).await?)?;
    let Inverse { request, mut losses } = inverse(call, &row, entity).await?;
    if !losses.is_empty() && !wanted.partial {
        return Err(NotUndone::Losses(losses));
    }
    let (store, held) = call.store.holding(None);
    let through = call.on(&store);
    dispatch(&through, request, Style::Encoded).await?;
    let entries = held.entries();
    let checked = check(&row, &entries, wanted.partial, &mut losses);
    // Once more, now that the record is ours: what was committed in between shows here.
    let newest = held
        .look(|tx| Box::pin(async move { tx.audit(&newer, NAMED).await }))
        .await?
        .unwrap_or_default();
    if let Err(refusal) = checked.and_then(|()| refuse_newer(&row, &newest)) {
        held.roll_back().await;
        return Err(refusal);
    }
    let position = if wanted.dry_run {
        held.roll_back().await;
        None
    } else {
        held.commit(None).await?
    };
    Ok(Undone { row, position, entries, losses, beside })
}

async fn row_at(call: &Call<'_>, position: Position) -> Result<AuditRow, NotUndone> {
    let query = AuditQuery {
        before: Some(Position(position.0.saturating_add(1))),
        after: Some(Position(position.0.saturating_sub(1))),
        ..AuditQuery::default()
    };
    call.store.audit(&query, 1).await?.pop().ok_or(NotUndone::Unknown(position))
}

/// What changed the record of a row after a position.
fn newer_than(row: &AuditRow, position: Position) -> AuditQuery {
    AuditQuery {
        after: Some(position),
        entity: Entity::from_name(&row.entity),
        key: Some(row.key.clone()),
        ..AuditQuery::default()
    }
}

fn refuse_newer(row: &AuditRow, newer: &[AuditRow]) -> Result<(), NotUndone> {
    if newer.is_empty() {
        return Ok(());
    }
    let by: Vec<String> = newer
        .iter()
        .map(|row| format!("{} by {} ({})", row.position, row.login, row.operation))
        .collect();
    Err(NotUndone::Newer { entity: row.entity.clone(), key: row.key.clone(), by: by.join(", ") })
}

/// Compares what would be written with what is to come back.
fn check(
    row: &AuditRow,
    entries: &[JournalEntry],
    partial: bool,
    losses: &mut Vec<String>,
) -> Result<(), NotUndone> {
    let told = |entity: Entity| matches!(entity, Entity::Zone | Entity::RrSet);
    let own = |entry: &&JournalEntry| entry.entity.as_str() == row.entity;
    let more: Vec<String> = entries
        .iter()
        .filter(|entry| !told(entry.entity) && !own(entry))
        .map(|entry| format!("{} {}", entry.entity.as_str(), entry.key))
        .collect();
    if !more.is_empty() {
        return Err(NotUndone::More(more.join(", ")));
    }
    let after = entries.iter().find(own).and_then(|entry| entry.after.as_deref());
    let different = differences(row.before.as_deref(), after);
    if !different.is_empty() {
        losses.extend(different);
        if !partial {
            return Err(NotUndone::Losses(std::mem::take(losses)));
        }
    }
    Ok(())
}

/// The other rows of the request that wrote a row: one transaction writes them at one time, side by side.
async fn beside(call: &Call<'_>, row: &AuditRow) -> Result<Vec<AuditRow>, StoreError> {
    let query = AuditQuery {
        after: Some(Position(row.position.0.saturating_sub(u64::from(AROUND)))),
        before: Some(Position(row.position.0.saturating_add(u64::from(AROUND)))),
        login: Some(row.login.clone()),
        operation: Some(row.operation.clone()),
        since: Some(row.at),
        until: Some(row.at),
        ..AuditQuery::default()
    };
    let mut rows = call.store.audit(&query, AROUND * 2).await?;
    rows.retain(|other| {
        let same = other.at == row.at && other.source == row.source;
        same && other.position != row.position && (other.before.is_some() || other.after.is_some())
    });
    rows.reverse();
    Ok(rows)
}

fn derived(row: &AuditRow, beside: &[AuditRow]) -> NotUndone {
    let whose: Vec<String> =
        beside.iter().map(|row| format!("{} ({} {})", row.position, row.entity, row.key)).collect();
    NotUndone::Derived {
        position: row.position,
        entity: row.entity.clone(),
        key: row.key.clone(),
        whose: if whose.is_empty() { "none is left".to_owned() } else { whose.join(", ") },
    }
}
