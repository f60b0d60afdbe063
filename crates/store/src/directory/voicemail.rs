//! What SIP servers read of resellers' own voicemail servers: the property `voicemail_server` (B39).

use super::CHUNK;
use crate::error::StoreError;
use crate::store::Store;
use crate::tx::{Tx, on};
use ngn_model::CustomerId;
use sqlx::QueryBuilder;
use std::collections::HashMap;

/// Of resellers only: accounts name a reseller, and a customer's own property is about its screens.
const SELECT: &str = "SELECT c.id, p.value FROM customers c JOIN customer_properties p \
     ON p.customer = c.id AND p.name = 'voicemail_server' WHERE c.reseller = c.id AND p.value <> ''";

/// The voicemail servers of all resellers that have one, by reseller.
pub(super) async fn load(tx: &mut Tx<'_>) -> Result<Vec<(CustomerId, String)>, StoreError> {
    on!(tx, c => {
        let mut query = QueryBuilder::<DB>::new(SELECT);
        query.push(" ORDER BY c.id");
        query.build_query_as::<(CustomerId, String)>().fetch_all(&mut *c).await
    })
}

impl Store {
    /// Re-reads the voicemail servers of resellers, as they wrote them; every id comes back, with `None` for customers
    /// that are no resellers or have none.
    pub async fn voicemail_servers(
        &self,
        customers: &[CustomerId],
    ) -> Result<Vec<(CustomerId, Option<String>)>, StoreError> {
        let mut found: HashMap<CustomerId, String> = self
            .read(|tx| {
                Box::pin(async move {
                    let mut found = HashMap::new();
                    for chunk in customers.chunks(CHUNK) {
                        let rows: Vec<(CustomerId, String)> = on!(tx, c => {
                            let mut query = QueryBuilder::<DB>::new(SELECT);
                            query.push(" AND c.id IN (");
                            let mut list = query.separated(", ");
                            for id in chunk {
                                list.push_bind(*id);
                            }
                            query.push(")");
                            query.build_query_as::<(CustomerId, String)>().fetch_all(&mut *c).await
                        })?;
                        found.extend(rows);
                    }
                    Ok::<_, StoreError>(found)
                })
            })
            .await?;
        Ok(customers.iter().map(|id| (*id, found.remove(id))).collect())
    }
}
