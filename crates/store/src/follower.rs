//! Following the journal: every committed row once, also those that become visible late.

use crate::appended::{self, PAGE};
use crate::error::StoreError;
use crate::journal::position;
use crate::seen::Seen;
use crate::store::{Db, Store};
use crate::tails::POLL;
use crate::tx::{Tx, on};
use ngn_model::{Entity, JournalRow, Position};
use sqlx::QueryBuilder;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often a follower makes sure that the journal still holds what it has read.
pub(crate) const CHECK_HISTORY: Duration = Duration::from_secs(2);
/// How long the answer to one question may take.
pub(crate) const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// A follower that starts looks this far back for ids that were passed over, in milliseconds by the journal's
/// own times: rows of transactions that were open when its snapshot was taken.
const LOOK_BACK: i64 = 120_000;

/// A reader of the journal that starts at a snapshot and gives every row committed since.
pub struct Follower {
    store: Store,
    seen: Seen,
    /// When the highest row was written, to notice a journal that went back.
    high_at: Option<i64>,
    wake: watch::Receiver<u64>,
    failures: u32,
    /// When the journal's history was checked; not yet when it goes on from a kept position.
    checked: Option<Instant>,
    /// What was committed before this moment was seen.
    looked: Option<Instant>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    at: i64,
    entity: String,
    entity_key: String,
    zone: Option<String>,
}

/// Runs one piece of driver code on a connection outside of a transaction: a single statement that reads.
macro_rules! on_connection {
    ($store:expr, $c:ident => $body:expr) => {
        match $store.db() {
            Db::My { pool } => {
                #[allow(dead_code)]
                type DB = sqlx::MySql;
                let mut connection = pool.acquire().await?;
                let answer = {
                    let $c = &mut *connection;
                    tokio::time::timeout(
                        $crate::follower::ANSWER_LIMIT,
                        $crate::tx::typed(async { $body }),
                    )
                    .await
                };
                answer.unwrap_or_else(|_elapsed| {
                    // Its answer would be waited for before the connection is used again.
                    connection.close_on_drop();
                    Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))
                })
            }
            Db::Lite { readers, .. } => {
                #[allow(dead_code)]
                type DB = sqlx::Sqlite;
                let mut connection = readers.acquire().await?;
                let $c = &mut *connection;
                $crate::tx::typed(async { $body }).await
            }
        }
        .map_err(StoreError::from)
    };
}
pub(crate) use on_connection;

impl Store {
    /// Goes on where another follower was, of an earlier process perhaps. Nothing is asked of the database yet; when
    /// its journal does not reach back that far any more, the first [`Follower::next`] says [`StoreError::Rewound`].
    #[must_use]
    pub fn resume(&self, resume: &Resume) -> Follower {
        Follower {
            wake: self.subscribe(),
            store: self.clone(),
            seen: Seen::with_gaps(resume.high, &resume.gaps, Instant::now()),
            high_at: resume.high_at,
            failures: 0,
            checked: None,
            looked: None,
        }
    }

    /// The position of the newest row of the journal; 0 when there is none.
    pub async fn journal_end(&self) -> Result<Position, StoreError> {
        let newest: Option<i64> = on_connection!(self, c => {
            sqlx::query_scalar::<DB, Option<i64>>("SELECT MAX(id) FROM journal")
                .fetch_one(&mut *c)
                .await
        })?;
        Ok(position(newest.unwrap_or(0)))
    }

    /// Follows the journal from now on.
    pub async fn follow(&self) -> Result<Follower, StoreError> {
        self.read(|tx| Box::pin(Start::of_snapshot(tx)))
            .await
            .map(|start: Start| start.follow(self))
    }
}

/// Where a follower was, to be kept outside of this process beside what it had loaded by then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resume {
    /// The highest position seen.
    pub high: u64,
    /// When that row was written, by which a journal that went back is noticed.
    pub high_at: Option<i64>,
    /// First and last of the positions below that were not seen and may still turn up.
    pub gaps: Vec<(u64, u64)>,
}

/// The state of a follower that starts at a snapshot.
pub(crate) struct Start {
    pub(crate) seen: Seen,
    /// When the highest row was written.
    pub(crate) high_at: Option<i64>,
}

impl Start {
    /// Finds what is visible in the snapshot of `tx`: what was loaded in the same transaction holds exactly
    /// these changes.
    pub(crate) async fn of_snapshot(tx: &mut Tx<'_>) -> Result<Self, StoreError> {
        Self::of_table(tx, "journal").await
    }

    /// The same for a table that has `id` and `at` as the journal has.
    pub(crate) async fn of_table(tx: &mut Tx<'_>, table: &'static str) -> Result<Self, StoreError> {
        let mut newest_first: Vec<u64> = Vec::new();
        let mut high_at: Option<i64> = None;
        let mut oldest_at = i64::MAX;
        let mut below = i64::MAX;
        loop {
            let page: Vec<(i64, i64)> = on!(tx, c => {
                let mut query = QueryBuilder::<DB>::new("SELECT id, at FROM ");
                query.push(table).push(" WHERE id < ").push_bind(below);
                query.push(" ORDER BY id DESC LIMIT ").push_bind(PAGE);
                query.build_query_as::<(i64, i64)>().fetch_all(&mut *c).await
            })?;
            for (id, at) in &page {
                high_at.get_or_insert(*at);
                oldest_at = oldest_at.min(*at);
                newest_first.push(position(*id).0);
            }
            let Some((last, _)) = page.last() else { break };
            below = *last;
            if high_at.is_some_and(|newest| oldest_at < newest.saturating_sub(LOOK_BACK)) {
                break;
            }
        }
        // When the beginning of the journal is that young, ids before its first row may still turn up.
        let reached_start = high_at.is_none_or(|at| oldest_at >= at.saturating_sub(LOOK_BACK));
        let lowest = newest_first.last().copied().unwrap_or(1);
        let mut seen = Seen::starting_after(if reached_start { 0 } else { lowest - 1 });
        let now = Instant::now();
        for id in newest_first.into_iter().rev() {
            seen.observe(id, now);
        }
        Ok(Self { seen, high_at })
    }

    pub(crate) fn follow(self, store: &Store) -> Follower {
        Follower {
            wake: store.subscribe(),
            store: store.clone(),
            seen: self.seen,
            high_at: self.high_at,
            failures: 0,
            checked: Some(Instant::now()),
            looked: None,
        }
    }
}

impl Follower {
    /// Waits for journal rows that were not given before, and gives them in the order of their positions.
    ///
    /// After an error it may be called again at once: it pauses by itself before it asks the database again,
    /// and goes on where it was. [`StoreError::Rewound`] alone is final: what was loaded no longer matches the
    /// database and must be loaded anew. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Vec<JournalRow>, StoreError> {
        if self.failures > 0 {
            let pause = Duration::from_millis(50 << self.failures.min(5));
            tokio::time::sleep(pause).await;
        }
        loop {
            // Somebody in this process says that there is more.
            let is_told = *self.wake.borrow_and_update() > self.seen.high();
            match self.poll(is_told).await {
                Ok(rows) if rows.is_empty() => {}
                Ok(rows) => return Ok(rows),
                Err(error) => {
                    self.failures = self.failures.saturating_add(1);
                    return Err(error);
                }
            }
            let pause = if self.seen.has_young_gap(Instant::now()) {
                Duration::from_millis(5)
            } else {
                let ago = self.looked.map_or(Duration::ZERO, |looked| looked.elapsed());
                POLL.saturating_sub(ago).max(POLL / 5)
            };
            // Only a closed channel makes this fail, and the store that holds its sender lives in `self`.
            let _ = tokio::time::timeout(pause, self.wake.changed()).await;
        }
    }

    /// The low-water mark: every row up to here was given by [`Self::next`].
    #[must_use]
    pub fn position(&self) -> Position {
        self.seen.low_water(Instant::now())
    }

    /// Whether the row at a position was given by [`Self::next`] or stood in the snapshot.
    #[must_use]
    pub fn has_seen(&self, position: Position) -> bool {
        self.seen.contains(position)
    }

    /// What has been seen so far, to be handed to others once it has been applied.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen.clone()
    }

    /// Where it is, for [`Store::resume`].
    #[must_use]
    pub fn resume_point(&self) -> Resume {
        Resume { high: self.seen.high(), high_at: self.high_at, gaps: self.seen.gaps() }
    }

    async fn poll(&mut self, is_told: bool) -> Result<Vec<JournalRow>, StoreError> {
        let recently = |checked: Instant| checked.elapsed() < CHECK_HISTORY;
        if self.failures > 0 || !self.checked.is_some_and(recently) {
            self.check_history().await?;
            self.checked = Some(Instant::now());
        }
        if !is_told && self.seen.due(Instant::now()).is_empty() {
            let tails = self.store.tails().await?;
            self.looked = Some(tails.asked);
            if tails.journal <= self.seen.high() {
                self.failures = 0;
                return Ok(Vec::new());
            }
        }
        // New rows first: when they are the later part of a transaction whose earlier part was passed over,
        // the look at the gaps that follows finds that part.
        let now = Instant::now();
        self.looked = Some(now);
        let select = "SELECT id, at, entity, entity_key, zone FROM journal";
        let mut rows: Vec<Row> =
            appended::rows(&self.store, select, self.seen.high(), &self.seen.due(now)).await?;
        // No await below: a dropped future has either noted and returned everything or nothing.
        self.failures = 0;
        self.seen.looked_up(now);
        rows.sort_unstable_by_key(|row| row.id);
        let observed = Instant::now();
        let mut given = Vec::with_capacity(rows.len());
        for row in rows {
            let position = position(row.id);
            if position.0 > self.seen.high() {
                self.high_at = Some(row.at);
            }
            if !self.seen.observe(position.0, observed) {
                continue;
            }
            match Entity::from_name(&row.entity) {
                Some(entity) => {
                    let (key, zone) = (row.entity_key, row.zone);
                    given.push(JournalRow { position, entity, key, zone });
                }
                // Written by a newer release; what this one does not know it does not serve.
                None => {
                    tracing::debug!(journal.id = row.id, "unknown kind of record in the journal")
                }
            }
        }
        Ok(given)
    }

    /// The database may have become another one: a restored backup, or a replica that lacked the last
    /// transactions. Then ids are given out again and rows with low ids would never be seen.
    async fn check_history(&self) -> Result<(), StoreError> {
        let Some(expected) = self.high_at else { return Ok(()) };
        let high = self.seen.high();
        let at: Option<i64> = on_connection!(self.store, c => {
            sqlx::query_scalar::<DB, i64>("SELECT at FROM journal WHERE id = ?")
                .bind(high.cast_signed())
                .fetch_optional(&mut *c)
                .await
        })?;
        if at == Some(expected) { Ok(()) } else { Err(StoreError::Rewound { position: high }) }
    }
}
