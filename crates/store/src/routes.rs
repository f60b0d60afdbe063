//! `routes`: which carrier takes the numbers of a prefix (B131-B133). There may be a hundred thousand.
//!
//! A route has the reseller of its carrier (B17); the row repeats it, so that lists and their counts are read from one
//! index. Whoever adds a route holds the carrier, whoever changes a carrier's reseller locks it.

use crate::dialect::Spelling;
use crate::error::StoreError;
use crate::filter::{Filter, Listing, Order, Page, Range};
use crate::tx::{Tx, on};
use sqlx::QueryBuilder;

/// How many routes one statement is about.
const CHUNK: usize = 100;

/// A route as it is provisioned.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct RouteRow {
    /// Its id; 0 before it is added.
    pub id: i64,
    /// Its carrier.
    pub carrier_id: i64,
    /// Its carrier's name; read only.
    pub carrier: String,
    /// The digits that a number must begin with.
    pub prefix: String,
    /// Whose calls it is for, in lower case; empty for everybody's.
    pub originator: String,
    /// The lowest comes first.
    pub priority: i64,
    /// Its carrier's reseller.
    pub reseller: i64,
    /// When it last changed, in milliseconds since 1970 UTC.
    pub change_date: i64,
}

/// What no two routes have in common: prefix, originator, carrier.
pub type RouteKey = (String, String, i64);

impl RouteRow {
    /// What no two routes have in common.
    #[must_use]
    pub fn key(&self) -> RouteKey {
        (self.prefix.clone(), self.originator.clone(), self.carrier_id)
    }

    /// The query behind [`Tx::list_routes`].
    #[must_use]
    pub fn listing(filter: Filter, order: Option<&(String, String)>, range: Range) -> Listing {
        let (attribute, direction) = order.map(|(a, d)| (&**a, &**d)).unzip();
        let order = Order::by(ORDER, attribute, direction, &["r.id"]);
        Listing { columns: COLUMNS, from: "routes r", filter, order, range }
    }
}

const COLUMNS: &str = "r.id, r.carrier_id, (SELECT c.name FROM carriers c WHERE c.id = r.carrier_id) AS carrier, \
     r.prefix, r.originator, r.priority, r.reseller, r.change_date";
const ORDER: &[(&str, &str)] = &[
    ("prefix", "r.prefix"),
    ("priority", "r.priority"),
    ("changeDate", "r.change_date"),
    ("carrier", "carrier"),
];

impl Tx<'_> {
    /// A list of routes; columns are those of `routes r`.
    pub async fn list_routes(
        &mut self,
        filter: Filter,
        order: Option<&(String, String)>,
        range: Range,
    ) -> Result<Page<RouteRow>, StoreError> {
        RouteRow::listing(filter, order, range).fetch(self).await
    }

    /// The routes with these ids that exist, kept from others until this transaction ends.
    pub async fn lock_routes(&mut self, ids: &[i64]) -> Result<Vec<RouteRow>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let rows: Vec<RouteRow> = on!(self, c => {
                let mut query = QueryBuilder::<DB>::new("SELECT ");
                query.push(COLUMNS).push(" FROM routes r WHERE r.id IN (");
                let mut list = query.separated(", ");
                for id in chunk {
                    list.push_bind(*id);
                }
                query.push(") ORDER BY r.id").push(<DB as Spelling>::FOR_UPDATE);
                query.build_query_as::<RouteRow>().fetch_all(&mut *c).await
            })?;
            found.extend(rows);
        }
        Ok(found)
    }

    /// The ids of the routes with these keys that exist.
    pub async fn route_ids(
        &mut self,
        keys: &[RouteKey],
    ) -> Result<Vec<(i64, RouteKey)>, StoreError> {
        let mut found = Vec::new();
        for chunk in keys.chunks(CHUNK) {
            let rows: Vec<(i64, String, String, i64)> = on!(self, c => {
                let mut query = QueryBuilder::<DB>::new(
                    "SELECT id, prefix, originator, carrier_id FROM routes",
                );
                for (i, (prefix, originator, carrier_id)) in chunk.iter().enumerate() {
                    query.push(if i == 0 { " WHERE (" } else { " OR (" });
                    query.push("carrier_id = ").push_bind(*carrier_id);
                    query.push(" AND prefix = ").push_bind(prefix.clone());
                    query.push(" AND originator = ").push_bind(originator.clone()).push(")");
                }
                query.build_query_as::<(i64, String, String, i64)>().fetch_all(&mut *c).await
            })?;
            found.extend(rows.into_iter().map(|(id, p, o, c)| (id, (p, o, c))));
        }
        Ok(found)
    }

    /// Adds routes, those with an id under that id; their change date becomes now.
    ///
    /// # Errors
    ///
    /// [`StoreError::Duplicate`] when one is there already.
    pub async fn insert_routes(&mut self, rows: &[RouteRow]) -> Result<(), StoreError> {
        let now = self.now();
        for chunk in rows.chunks(CHUNK) {
            on!(self, c => {
                let mut query = QueryBuilder::<DB>::new(
                    "INSERT INTO routes (id, reseller, prefix, originator, carrier_id, priority, change_date) ",
                );
                query.push_values(chunk, |mut tuple, row| {
                    // NULL asks for the next id.
                    tuple
                        .push_bind((row.id > 0).then_some(row.id))
                        .push_bind(row.reseller)
                        .push_bind(row.prefix.clone())
                        .push_bind(row.originator.clone())
                        .push_bind(row.carrier_id)
                        .push_bind(row.priority)
                        .push_bind(now);
                });
                query.build().execute(&mut *c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Removes routes.
    pub async fn delete_routes(&mut self, ids: &[i64]) -> Result<(), StoreError> {
        for chunk in ids.chunks(CHUNK) {
            on!(self, c => {
                let mut query = QueryBuilder::<DB>::new("DELETE FROM routes WHERE id IN (");
                let mut list = query.separated(", ");
                for id in chunk {
                    list.push_bind(*id);
                }
                query.push(")");
                query.build().execute(&mut *c).await.map(drop)
            })?;
        }
        Ok(())
    }
}
