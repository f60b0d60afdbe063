//! Answers to writes that carried a key, so that a repeated request is answered and not done again.

use crate::error::StoreError;
use crate::journal::position;
use crate::store::Store;
use crate::tx::{Tx, now_millis, on};
use ngn_model::Position;

/// How long an answer is kept, in hours.
pub const IDEMPOTENCY_HOURS: i64 = 24;

/// A key as it is stored. Each login has keys of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who uses the key, at most 255 characters.
    pub login: String,
    /// The key, 1 to 255 characters.
    pub key: String,
    /// A digest of what was asked, at most 64 characters.
    pub digest: String,
}

/// What was answered to the first request with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstAnswer {
    /// The digest of what was asked.
    pub digest: String,
    /// The answer.
    pub response: String,
    /// The journal position of the change.
    pub position: Option<Position>,
}

/// The time before which a key counts no more.
fn horizon() -> i64 {
    now_millis().saturating_sub(IDEMPOTENCY_HOURS * 3_600_000)
}

impl Store {
    /// The answer that was given to the first request with this key within [`IDEMPOTENCY_HOURS`].
    pub async fn first_answer(
        &self,
        login: &str,
        key: &str,
    ) -> Result<Option<FirstAnswer>, StoreError> {
        type Row = (String, Option<String>, Option<i64>);
        let row: Option<Row> = self
            .read(|tx| {
                Box::pin(async move {
                    on!(tx, c => sqlx::query_as::<DB, Row>(
                        "SELECT request_digest, response, journal_id FROM idempotency \
                         WHERE login = ? AND request_key = ? AND created_at >= ?",
                    )
                    .bind(login)
                    .bind(key)
                    .bind(horizon())
                    .fetch_optional(&mut *c)
                    .await)
                })
            })
            .await?;
        Ok(row.map(|(digest, response, journal)| FirstAnswer {
            digest,
            response: response.unwrap_or_default(),
            position: journal.map(position),
        }))
    }

    /// Removes the answers that are older than [`IDEMPOTENCY_HOURS`], and says how many.
    pub async fn forget_answers(&self) -> Result<u64, StoreError> {
        let actor = crate::Actor::system("idempotency");
        let (gone, _) = self
            .write(&actor, |tx| {
                Box::pin(async move {
                    on!(tx, c => sqlx::query::<DB>("DELETE FROM idempotency WHERE created_at < ?")
                        .bind(horizon())
                        .execute(&mut *c)
                        .await
                        .map(|done| done.rows_affected()))
                })
            })
            .await?;
        Ok(gone)
    }
}

impl Tx<'_> {
    /// Takes a key for this transaction, waiting for another one that has just taken it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Duplicate`] when the key was used within [`IDEMPOTENCY_HOURS`].
    pub(crate) async fn claim(&mut self, claim: &Claim) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>(
                "DELETE FROM idempotency WHERE login = ? AND request_key = ? AND created_at < ?",
            )
            .bind(claim.login.as_str())
            .bind(claim.key.as_str())
            .bind(horizon())
            .execute(&mut *c)
            .await?;
            sqlx::query::<DB>(
                "INSERT INTO idempotency (login, request_key, request_digest, created_at) VALUES (?, ?, ?, ?)",
            )
            .bind(claim.login.as_str())
            .bind(claim.key.as_str())
            .bind(claim.digest.as_str())
            .bind(now_millis())
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Notes the answer beside a key that this transaction took.
    pub(crate) async fn answer_claim(
        &mut self,
        claim: &Claim,
        answer: &str,
        position: Option<Position>,
    ) -> Result<(), StoreError> {
        on!(self, c => sqlx::query::<DB>(
            "UPDATE idempotency SET status = 200, response = ?, journal_id = ? \
             WHERE login = ? AND request_key = ?",
        )
        .bind(answer)
        .bind(position.map(|position| position.0.cast_signed()))
        .bind(claim.login.as_str())
        .bind(claim.key.as_str())
        .execute(&mut *c)
        .await
        .map(drop))
    }
}
