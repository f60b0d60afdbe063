//! What was counted a moment ago, so that a limit that is far away is not counted up to with every new record.
//!
//! A table gives every new row a number that is higher than all before. So no more rows were added since a count than its
//! highest number rose by, and those whose transactions were open then. Rows that came to another owner meanwhile are not
//! seen by that; a count is forgotten after ten seconds.

use crate::error::StoreError;
use crate::tx::{Tx, on};
use ngn_model::{CustomerId, Ownership};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a count is remembered.
const LIFE: Duration = Duration::from_secs(10);
/// The most counts that are remembered.
const MOST: usize = 10_000;

/// Counts of this process.
#[derive(Debug, Default)]
pub struct Counts {
    entries: Mutex<HashMap<(&'static str, Ownership), Counted>>,
}

impl CreditFacts {
    /// The property's value, of a customer that has it.
    #[must_use]
    pub fn value(&self, id: CustomerId) -> Option<&str> {
        self.values.iter().find(|(customer, _)| *customer == id).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Clone, Copy)]
struct Counted {
    count: u64,
    newest: u64,
    since: Instant,
}

/// What a new record is checked against.
#[derive(Debug, Clone, Default)]
pub struct CreditFacts {
    /// The highest number in the table of the kind.
    pub newest: u64,
    /// The property's values, of those who have it.
    pub values: Vec<(CustomerId, String)>,
}

impl Counts {
    /// How many of a kind an owner has at most, if that was counted and `newest` is the highest number now. Rows of
    /// transactions that were open when it was counted come on top.
    #[must_use]
    pub fn at_most(&self, kind: &'static str, owner: Ownership, newest: u64) -> Option<u64> {
        let counted = self.entries().get(&(kind, owner)).copied()?;
        let fresh = counted.since.elapsed() < LIFE;
        fresh.then(|| counted.count.saturating_add(newest.saturating_sub(counted.newest)))
    }

    /// Remembers a count that was made after `newest` was read.
    pub fn remember(&self, kind: &'static str, owner: Ownership, newest: u64, count: u64) {
        let mut entries = self.entries();
        if entries.len() >= MOST {
            entries.clear();
        }
        entries.insert((kind, owner), Counted { count, newest, since: Instant::now() });
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<(&'static str, Ownership), Counted>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tx<'_> {
    /// A property of up to two customers, and the highest number in `table`, one of this crate's that has an `id`.
    pub async fn credit_facts(
        &mut self,
        table: &'static str,
        property: &str,
        customers: [CustomerId; 2],
    ) -> Result<CreditFacts, StoreError> {
        let rows: Vec<(i64, Option<i64>, Option<String>)> = on!(self, c => {
            let mut query = sqlx::QueryBuilder::<DB>::new("SELECT m.newest, p.customer, p.value FROM \
                 (SELECT CAST(COALESCE(MAX(id), 0) AS SIGNED) AS newest FROM ");
            query.push(table).push(") m LEFT JOIN customer_properties p ON p.name = ");
            query.push_bind(property).push(" AND p.customer IN (").push_bind(customers[0]);
            query.push(", ").push_bind(customers[1]).push(")");
            query.build_query_as().fetch_all(&mut *c).await
        })?;
        let newest = rows.first().map_or(0, |row| u64::try_from(row.0).unwrap_or(0));
        let values = rows.into_iter();
        let values = values.filter_map(|(_, id, value)| Some((id?, value.unwrap_or_default())));
        Ok(CreditFacts { newest, values: values.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_numbers_rose_by() {
        let counts = Counts::default();
        let owner = Ownership { customer: 0, reseller: 5 };
        assert_eq!(counts.at_most("a", owner, 100), None);
        counts.remember("a", owner, 100, 40);
        assert_eq!(counts.at_most("a", owner, 100), Some(40));
        assert_eq!(counts.at_most("a", owner, 107), Some(47));
        assert_eq!(counts.at_most("b", owner, 107), None);
        assert_eq!(counts.at_most("a", Ownership { customer: 5, reseller: 0 }, 107), None);
        counts.remember("a", owner, 107, 41);
        assert_eq!(counts.at_most("a", owner, 108), Some(42));
    }
}
