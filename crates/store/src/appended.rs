//! Reading tables that rows are only appended to (`journal`, `location_changes`), by their rising ids.

use crate::error::StoreError;
use crate::follower::on_connection;
use crate::store::{Db, Store};
use sqlx::mysql::MySqlRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, QueryBuilder};

/// How many new rows are taken at once.
pub(crate) const PAGE: i64 = 2000;
/// How many ranges of passed-over ids one statement asks for.
const RANGES: usize = 100;

/// The rows after the id `high`, at most [`PAGE`], and those in ranges of ids, both ends included.
///
/// `select` says the columns and the table: `SELECT … FROM …`.
pub(crate) async fn rows<R>(
    store: &Store,
    select: &'static str,
    high: u64,
    ranges: &[(u64, u64)],
) -> Result<Vec<R>, StoreError>
where
    R: for<'r> FromRow<'r, MySqlRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    let mut rows: Vec<R> = on_connection!(store, c => {
        let mut query = QueryBuilder::<DB>::new(select);
        query.push(" WHERE id > ").push_bind(high.cast_signed());
        query.push(" ORDER BY id LIMIT ").push_bind(PAGE);
        query.build_query_as::<R>().fetch_all(&mut *c).await
    })?;
    for ranges in ranges.chunks(RANGES) {
        let found: Vec<R> = on_connection!(store, c => {
            let mut query = QueryBuilder::<DB>::new(select);
            for (i, (first, last)) in ranges.iter().enumerate() {
                query.push(if i == 0 { " WHERE id BETWEEN " } else { " OR id BETWEEN " });
                query.push_bind(first.cast_signed()).push(" AND ").push_bind(last.cast_signed());
            }
            query.build_query_as::<R>().fetch_all(&mut *c).await
        })?;
        rows.extend(found);
    }
    Ok(rows)
}
