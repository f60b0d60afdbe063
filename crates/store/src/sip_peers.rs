//! `sip_node_addresses`: where the sipd nodes of a platform reach each other.

use crate::dialect::push_upsert;
use crate::error::StoreError;
use crate::follower::on_connection;
use crate::store::{Db, Store};
use crate::tx::{Actor, on};
use sqlx::QueryBuilder;

impl Store {
    /// Says where other nodes reach this one: a SIP URI of at most 255 characters; `None` when it ends.
    pub async fn set_sip_node_address(
        &self,
        node: &str,
        uri: Option<&str>,
    ) -> Result<(), StoreError> {
        self.write(&Actor::system("set_sip_node_address"), |tx| {
            Box::pin(async move {
                on!(tx, c => {
                    let mut query = match uri {
                        Some(uri) => {
                            let mut query = QueryBuilder::<DB>::new(
                                "INSERT INTO sip_node_addresses (node, uri) ",
                            );
                            query.push_values([uri], |mut tuple, uri| {
                                tuple.push_bind(node).push_bind(uri);
                            });
                            push_upsert(&mut query, "node", &["uri"]);
                            query
                        }
                        None => {
                            let mut query = QueryBuilder::<DB>::new(
                                "DELETE FROM sip_node_addresses WHERE node = ",
                            );
                            query.push_bind(node);
                            query
                        }
                    };
                    query.build().execute(&mut *c).await.map(drop)
                })
            })
        })
        .await
        .map(drop)
    }

    /// Names and addresses of the nodes that were alive at `since` (milliseconds since 1970 UTC) or later.
    pub async fn sip_node_addresses(
        &self,
        since: i64,
    ) -> Result<Vec<(String, String)>, StoreError> {
        on_connection!(self, c => {
            sqlx::query_as::<DB, (String, String)>(
                "SELECT a.node, a.uri FROM sip_node_addresses a \
                 JOIN sip_nodes n ON n.node = a.node WHERE n.alive_at >= ? ORDER BY a.node",
            )
            .bind(since)
            .fetch_all(&mut *c)
            .await
        })
    }
}
