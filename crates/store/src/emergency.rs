//! `emergency_mapping`: where calls to emergency numbers go (B165); the guide's table, which other programs may read.

use crate::error::StoreError;
use crate::tx::{Tx, on};
use ngn_model::EmergencyMapping;

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    username: String,
    domain: String,
    region: String,
    target: String,
}

impl Tx<'_> {
    /// The whole mapping, by number, domain and region.
    pub async fn list_emergency(&mut self) -> Result<Vec<EmergencyMapping>, StoreError> {
        let rows: Vec<Row> = on!(self, c => {
            sqlx::query_as::<DB, Row>(
                "SELECT CAST(id AS SIGNED) AS id, username, domain, region, target FROM emergency_mapping \
                 ORDER BY username, domain, region, id",
            )
            .fetch_all(&mut *c)
            .await
        })?;
        let mapping = |row: Row| EmergencyMapping {
            id: row.id,
            number: row.username,
            domain: row.domain,
            region: row.region,
            target: row.target,
        };
        Ok(rows.into_iter().map(mapping).collect())
    }

    /// Adds a row and gives its id; the one in `row` does not count.
    pub async fn insert_emergency(&mut self, row: &EmergencyMapping) -> Result<i64, StoreError> {
        let id = on!(self, c => {
            sqlx::query::<DB>(
                "INSERT INTO emergency_mapping (username, domain, region, target) VALUES (?, ?, ?, ?)",
            )
            .bind(&row.number)
            .bind(&row.domain)
            .bind(&row.region)
            .bind(&row.target)
            .execute(&mut *c)
            .await
            .map(|done| crate::journal::InsertId::insert_id(&done))
        })?;
        Ok(id.cast_signed())
    }

    /// Changes where the calls of a row go.
    pub async fn update_emergency(&mut self, id: i64, target: &str) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("UPDATE emergency_mapping SET target = ? WHERE id = ?")
                .bind(target)
                .bind(id)
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    /// Removes a row.
    pub async fn delete_emergency(&mut self, id: i64) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM emergency_mapping WHERE id = ?")
                .bind(id)
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }
}
