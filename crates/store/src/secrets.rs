//! Secrets that the nodes of one platform share: the `secrets` table.
//!
//! They are neither journalled nor logged.

use crate::dialect::Spelling;
use crate::error::StoreError;
use crate::store::Store;
use crate::tx::{Actor, on};
use sqlx::QueryBuilder;

impl Store {
    /// The secret with this name. When there is none, `candidate` becomes it; of several who come at once, one
    /// wins and all get the same. The candidate must come from a generator that cannot be predicted.
    ///
    /// # Errors
    ///
    /// When the database fails, or holds something that is not 32 octets long.
    pub async fn shared_secret(
        &self,
        name: &str,
        candidate: [u8; 32],
    ) -> Result<[u8; 32], StoreError> {
        let (value, _) = self
            .write(&Actor::system("shared_secret"), |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    on!(tx, c => {
                        let mut insert = QueryBuilder::<DB>::new(
                            "INSERT INTO secrets (name, value, created_at) VALUES (",
                        );
                        insert.push_bind(name.to_owned()).push(", ");
                        insert.push_bind(candidate.to_vec()).push(", ").push_bind(now).push(")");
                        insert.push(<DB as Spelling>::keep_existing("name"));
                        insert.build().execute(&mut *c).await?;
                        // The row is committed now, or ours: the INSERT waited for whoever was about to make it.
                        let mut select = QueryBuilder::<DB>::new("SELECT value FROM secrets WHERE name = ");
                        select.push_bind(name.to_owned()).push(<DB as Spelling>::FOR_SHARE);
                        select.build_query_scalar::<Vec<u8>>().fetch_one(&mut *c).await
                    })
                })
            })
            .await?;
        value.try_into().map_err(|_| StoreError::corrupt("a secret", "it is not 32 octets long"))
    }
}
