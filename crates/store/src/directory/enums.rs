//! What SIP servers read of ENUM ranges and numbers: whose a number is, and the SIP URIs that it leads to.

use super::CHUNK;
use crate::error::StoreError;
use crate::store::Store;
use crate::tx::{Tx, on};
use futures::TryStreamExt;
use sqlx::QueryBuilder;
use std::collections::{HashMap, HashSet};

/// Prefix or number, digits with country code, and the tree below which it lies, such as `e164.arpa`.
pub type EnumKey = (String, String);

/// A number and the SIP URIs that it leads to, by priority and then id (B106).
pub type EnumTargets = (EnumKey, Vec<String>);

const NUMBERS: &str = "SELECT n.number, n.tld, m.mapto FROM enum_numbers n \
                       JOIN enum_mappings m ON m.number_id = n.id WHERE m.type = 'sip'";
const ORDER: &str = " ORDER BY n.number, n.tld, m.priority, m.id";

/// All ranges.
pub(super) async fn load_ranges(tx: &mut Tx<'_>) -> Result<Vec<EnumKey>, StoreError> {
    on!(tx, c => {
        sqlx::query_as::<DB, EnumKey>("SELECT prefix, tld FROM enum_ranges ORDER BY prefix, tld")
            .fetch_all(&mut *c)
            .await
    })
}

/// All numbers that have SIP mappings.
pub(super) async fn load_numbers(tx: &mut Tx<'_>) -> Result<Vec<EnumTargets>, StoreError> {
    let mut loaded: Vec<EnumTargets> = Vec::new();
    on!(tx, c => {
        let mut query = QueryBuilder::<DB>::new(NUMBERS);
        query.push(ORDER);
        let mut rows = query.build_query_as::<(String, String, String)>().fetch(&mut *c);
        while let Some((number, tld, uri)) = rows.try_next().await? {
            match loaded.last_mut() {
                Some(((last, tree), uris)) if *last == number && *tree == tld => uris.push(uri),
                _ => loaded.push(((number, tld), vec![uri])),
            }
        }
        Ok(())
    })?;
    Ok(loaded)
}

impl Store {
    /// Re-reads ENUM ranges; every key comes back, with whether there is such a range.
    pub async fn enum_ranges(&self, keys: &[EnumKey]) -> Result<Vec<(EnumKey, bool)>, StoreError> {
        let found: HashSet<EnumKey> = self
            .read(|tx| {
                Box::pin(async move {
                    let mut found = HashSet::new();
                    for chunk in keys.chunks(CHUNK) {
                        let rows: Vec<EnumKey> = on!(tx, c => {
                            let mut query = QueryBuilder::<DB>::new(
                                "SELECT prefix, tld FROM enum_ranges WHERE ",
                            );
                            let mut list = query.separated(" OR ");
                            for (prefix, tld) in chunk {
                                list.push("(prefix = ").push_bind_unseparated(prefix.as_str());
                                list.push_unseparated(" AND tld = ");
                                list.push_bind_unseparated(tld.as_str()).push_unseparated(")");
                            }
                            query.build_query_as::<EnumKey>().fetch_all(&mut *c).await
                        })?;
                        found.extend(rows);
                    }
                    Ok::<_, StoreError>(found)
                })
            })
            .await?;
        Ok(keys.iter().map(|key| (key.clone(), found.contains(key))).collect())
    }

    /// Re-reads ENUM numbers; every key comes back, without URIs when the number has no SIP mapping or is gone.
    pub async fn enum_numbers(&self, keys: &[EnumKey]) -> Result<Vec<EnumTargets>, StoreError> {
        let mut found: HashMap<EnumKey, Vec<String>> = self
            .read(|tx| {
                Box::pin(async move {
                    let mut found: HashMap<EnumKey, Vec<String>> = HashMap::new();
                    for chunk in keys.chunks(CHUNK) {
                        let rows: Vec<(String, String, String)> = on!(tx, c => {
                            let mut query = QueryBuilder::<DB>::new(NUMBERS);
                            query.push(" AND (");
                            let mut list = query.separated(" OR ");
                            for (number, tld) in chunk {
                                list.push("(n.number = ").push_bind_unseparated(number.as_str());
                                list.push_unseparated(" AND n.tld = ");
                                list.push_bind_unseparated(tld.as_str()).push_unseparated(")");
                            }
                            query.push(")").push(ORDER);
                            let query = query.build_query_as::<(String, String, String)>();
                            query.fetch_all(&mut *c).await
                        })?;
                        for (number, tld, uri) in rows {
                            found.entry((number, tld)).or_default().push(uri);
                        }
                    }
                    Ok::<_, StoreError>(found)
                })
            })
            .await?;
        Ok(keys.iter().map(|key| (key.clone(), found.remove(key).unwrap_or_default())).collect())
    }
}
