//! `billing_customers` and the `reloadRating` row of `settings`: what CDRTool's rating engine reads (B175-B178).

use crate::dialect::push_upsert;
use crate::error::StoreError;
use crate::tx::{Tx, on};
use sqlx::QueryBuilder;

/// The rating profiles of one entity. Of gateway, domain and subscriber exactly one is not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct RatingProfilesRow {
    /// The reseller.
    pub reseller_id: i64,
    /// A gateway's address, or empty.
    pub gateway: String,
    /// A domain's name, or empty.
    pub domain: String,
    /// An account as `user@domain`, or empty.
    pub subscriber: String,
    /// Profile on working days.
    pub profile_name1: String,
    /// Fallback profile on working days.
    pub profile_name1_alt: String,
    /// Profile on week-ends.
    pub profile_name2: String,
    /// Fallback profile on week-ends.
    pub profile_name2_alt: String,
    /// Time zone by its name in the tz database.
    pub timezone: String,
    /// Seconds that calls are rounded up to.
    pub increment: Option<i64>,
    /// Seconds that are charged at least.
    pub min_duration: Option<i64>,
}

/// The unique key.
const KEY: &str = "gateway, domain, subscriber";

impl Tx<'_> {
    /// The rating profiles of an entity, of whose three names exactly one is not empty.
    pub async fn rating_profiles(
        &mut self,
        gateway: &str,
        domain: &str,
        subscriber: &str,
    ) -> Result<Option<RatingProfilesRow>, StoreError> {
        on!(self, c => {
            sqlx::query_as::<DB, RatingProfilesRow>(
                "SELECT reseller_id, gateway, domain, subscriber, profile_name1, profile_name1_alt, \
                 profile_name2, profile_name2_alt, timezone, CAST(increment AS SIGNED) AS increment, \
                 CAST(min_duration AS SIGNED) AS min_duration FROM billing_customers \
                 WHERE gateway = ? AND domain = ? AND subscriber = ?",
            )
            .bind(gateway)
            .bind(domain)
            .bind(subscriber)
            .fetch_optional(&mut *c)
            .await
        })
    }

    /// Writes the rating profiles of an entity, new or not (B176), and asks the rating engine to read them.
    pub async fn put_rating_profiles(&mut self, row: &RatingProfilesRow) -> Result<(), StoreError> {
        on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(
                "INSERT INTO billing_customers (reseller_id, gateway, domain, subscriber, profile_name1, \
                 profile_name1_alt, profile_name2, profile_name2_alt, timezone, increment, min_duration) ",
            );
            query.push_values([row], |mut tuple, row| {
                tuple
                    .push_bind(row.reseller_id)
                    .push_bind(row.gateway.as_str())
                    .push_bind(row.domain.as_str())
                    .push_bind(row.subscriber.as_str())
                    .push_bind(row.profile_name1.as_str())
                    .push_bind(row.profile_name1_alt.as_str())
                    .push_bind(row.profile_name2.as_str())
                    .push_bind(row.profile_name2_alt.as_str())
                    .push_bind(row.timezone.as_str())
                    .push_bind(row.increment)
                    .push_bind(row.min_duration);
            });
            push_upsert(
                &mut query,
                KEY,
                &[
                    "reseller_id", "profile_name1", "profile_name1_alt", "profile_name2",
                    "profile_name2_alt", "timezone", "increment", "min_duration",
                ],
            );
            query.build().execute(&mut *c).await.map(drop)
        })?;
        self.ask_to_reload_rating().await
    }

    /// Removes the rating profiles of an entity and asks the rating engine to forget them; whether there were any.
    pub async fn delete_rating_profiles(
        &mut self,
        gateway: &str,
        domain: &str,
        subscriber: &str,
    ) -> Result<bool, StoreError> {
        let found = on!(self, c => {
            sqlx::query::<DB>(
                "DELETE FROM billing_customers WHERE gateway = ? AND domain = ? AND subscriber = ?",
            )
            .bind(gateway)
            .bind(domain)
            .bind(subscriber)
            .execute(&mut *c)
            .await
            .map(|done| done.rows_affected() > 0)
        })?;
        if found {
            self.ask_to_reload_rating().await?;
        }
        Ok(found)
    }

    /// Sets `reloadRating`, which the engine sets back when it has read its tables (B178). It is always written: a
    /// flag that is set already may be taken back before this transaction becomes visible.
    async fn ask_to_reload_rating(&mut self) -> Result<(), StoreError> {
        on!(self, c => {
            let asked = sqlx::query::<DB>(
                "UPDATE settings SET var_value = '1' WHERE var_name = 'reloadRating'",
            )
            .execute(&mut *c)
            .await?
            .rows_affected();
            if asked == 0 {
                sqlx::query::<DB>(
                    "INSERT INTO settings (billing_party, var_name, var_value, var_module) \
                     VALUES ('', 'reloadRating', '1', 'rating')",
                )
                .execute(&mut *c)
                .await?;
            }
            Ok(())
        })
    }
}
