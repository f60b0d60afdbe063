//! `location_changes`: whose registered contacts changed, for the nodes that did not accept the change themselves.
//!
//! Each transaction that changes bindings appends rows with the addresses of record ([`note`]); a node looks for rows of
//! others ([`BindingFollower::changed`]) and reads what those addresses have now. Rows are kept for ten minutes; a node
//! that was away for longer reads everything again ([`BindingChanges::Missed`]).

use crate::appended;
use crate::error::StoreError;
use crate::follower::{CHECK_HISTORY, Start, on_connection};
use crate::journal::InsertId as _;
use crate::location;
use crate::seen::Seen;
use crate::store::{Db, Store};
use crate::tails::POLL;
use crate::tx::{Actor, Tx, on};
use ngn_model::{Aor, Binding};
use std::collections::BTreeSet;
use std::time::Instant;

/// How many addresses one row holds: some 30 kB of text.
const ADDRESSES: usize = 100;
/// How long rows are kept, in milliseconds.
const KEPT: i64 = 600_000;

/// What came since the last look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BindingChanges {
    /// Other nodes changed the bindings of these addresses.
    At(Vec<Aor>),
    /// What came is not kept any more: all bindings may be others.
    Missed,
}

/// Looks which bindings other nodes changed.
#[derive(Debug)]
pub struct BindingFollower {
    store: Store,
    node: String,
    seen: Seen,
    /// When the highest row was written, to notice a database that went back.
    high_at: Option<i64>,
    checked: Option<Instant>,
    /// What was committed before this moment was seen.
    looked: Instant,
}

/// The rows about one transaction's changes: their ids, and when they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noted(Vec<(u64, i64)>);

impl Noted {
    pub(crate) fn ids(&self) -> impl Iterator<Item = u64> {
        self.0.iter().map(|(id, _)| *id)
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    at: i64,
    node: String,
    addresses: String,
}

/// Appends rows about what a node changed.
pub(crate) async fn note(
    tx: &mut Tx<'_>,
    node: &str,
    changed: &BTreeSet<&Aor>,
) -> Result<Noted, StoreError> {
    let (at, mut noted) = (tx.now(), Noted::default());
    let addresses: Vec<String> = changed.iter().map(ToString::to_string).collect();
    for chunk in addresses.chunks(ADDRESSES) {
        let text = serde_json::to_string(chunk)
            .map_err(|error| StoreError::corrupt("addresses whose bindings changed", error))?;
        let id = on!(tx, c => {
            sqlx::query::<DB>("INSERT INTO location_changes (at, node, addresses) VALUES (?, ?, ?)")
                .bind(at)
                .bind(node)
                .bind(&text)
                .execute(&mut *c)
                .await
                .map(|done| done.insert_id())
        })?;
        noted.0.push((id, at));
    }
    Ok(noted)
}

impl Store {
    /// Looks from now on which bindings other nodes than `node` change. Whoever loads all bindings afterwards misses none.
    pub async fn follow_bindings(&self, node: &str) -> Result<BindingFollower, StoreError> {
        let start = self
            .read(|tx| Box::pin(async move { Start::of_table(tx, "location_changes").await }))
            .await?;
        Ok(BindingFollower {
            store: self.clone(),
            node: node.to_owned(),
            seen: start.seen,
            high_at: start.high_at,
            checked: Some(Instant::now()),
            looked: Instant::now(),
        })
    }

    /// All bindings that have not ended.
    pub async fn all_bindings(&self) -> Result<Vec<Binding>, StoreError> {
        self.snapshot(|tx| Box::pin(async move { location::load(tx).await })).await
    }

    /// Forgets changes of more than ten minutes before `now` (milliseconds since 1970 UTC), the last one excepted, by
    /// which followers see that nothing is missing.
    pub async fn trim_binding_changes(&self, now: i64) -> Result<(), StoreError> {
        let newest: Option<i64> = on_connection!(self, c => {
            sqlx::query_scalar::<DB, Option<i64>>("SELECT MAX(id) FROM location_changes")
                .fetch_one(&mut *c)
                .await
        })?;
        let Some(newest) = newest else { return Ok(()) };
        self.write(&Actor::system("trim_binding_changes"), |tx| {
            Box::pin(async move {
                on!(tx, c => {
                    sqlx::query::<DB>("DELETE FROM location_changes WHERE at < ? AND id < ?")
                        .bind(now.saturating_sub(KEPT))
                        .bind(newest)
                        .execute(&mut *c)
                        .await
                        .map(drop)
                })
            })
        })
        .await
        .map(drop)
    }
}

impl BindingFollower {
    /// Says which node this is: what it changes itself is not given.
    pub fn set_node(&mut self, node: &str) {
        node.clone_into(&mut self.node);
    }

    /// Takes note of rows that this node has written itself and that are committed: nothing needs to be asked about them.
    pub fn wrote(&mut self, noted: &Noted) {
        let now = Instant::now();
        for &(id, at) in &noted.0 {
            if id > self.seen.high() {
                self.high_at = Some(at);
            }
            self.seen.observe(id, now);
        }
    }

    /// When [`changed`](Self::changed) should be called again: what was committed by then is seen at the latest.
    #[must_use]
    pub fn next_look(&self) -> Instant {
        self.looked + POLL
    }

    /// What came since the last look; it does not wait for anything. What another process wrote in the last few milliseconds
    /// may not be in it. An address that was given is not given again
    /// before it changes once more, whatever becomes of this look's caller.
    ///
    /// # Errors
    ///
    /// [`StoreError::Rewound`] when the database went back to an earlier state: what is known may be newer than what it
    /// holds. Then, and after [`BindingChanges::Missed`], another follower has to be begun.
    pub async fn changed(&mut self) -> Result<BindingChanges, StoreError> {
        if self.checked.is_none_or(|checked| checked.elapsed() >= CHECK_HISTORY) {
            self.checked = None;
            if !self.is_history_whole().await? {
                return Ok(BindingChanges::Missed);
            }
            self.checked = Some(Instant::now());
        }
        let now = Instant::now();
        if self.seen.due(now).is_empty() {
            let tails = self.store.tails().await?;
            self.looked = tails.asked;
            if tails.bindings <= self.seen.high() {
                return Ok(BindingChanges::At(Vec::new()));
            }
        }
        let now = Instant::now();
        self.looked = now;
        let select = "SELECT id, at, node, addresses FROM location_changes";
        let mut rows: Vec<Row> =
            appended::rows(&self.store, select, self.seen.high(), &self.seen.due(now)).await?;
        // No await below: a dropped future has noted everything or nothing.
        self.seen.looked_up(now);
        rows.sort_unstable_by_key(|row| row.id);
        let mut found = BTreeSet::new();
        for row in rows {
            let id = u64::try_from(row.id).unwrap_or(0);
            if id > self.seen.high() {
                self.high_at = Some(row.at);
            }
            if !self.seen.observe(id, now) || row.node == self.node {
                continue;
            }
            match serde_json::from_str::<Vec<String>>(&row.addresses) {
                Ok(texts) => found.extend(texts.iter().filter_map(|text| text.parse::<Aor>().ok())),
                Err(error) => tracing::warn!(%error, id, "a change of bindings cannot be read"),
            }
        }
        Ok(BindingChanges::At(found.into_iter().collect()))
    }

    /// Whether the rows go on where this follower is. They do not when it was away for so long that some were dropped.
    async fn is_history_whole(&self) -> Result<bool, StoreError> {
        let Some(expected) = self.high_at else { return Ok(true) };
        let high = self.seen.high();
        let (oldest, at): (Option<i64>, Option<i64>) = on_connection!(self.store, c => {
            sqlx::query_as::<DB, (Option<i64>, Option<i64>)>(
                "SELECT (SELECT MIN(id) FROM location_changes), \
                 (SELECT at FROM location_changes WHERE id = ?)",
            )
            .bind(high.cast_signed())
            .fetch_one(&mut *c)
            .await
        })?;
        match (at, oldest) {
            (Some(at), _) if at == expected => Ok(true),
            (None, Some(oldest)) if oldest > high.cast_signed() => Ok(false),
            _ => Err(StoreError::Rewound { position: high }),
        }
    }
}
