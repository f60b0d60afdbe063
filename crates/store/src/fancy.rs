//! Fancy records (B125) as those see them who act on them: web redirects, and forwarded mail.

use crate::error::StoreError;
use crate::store::Store;
use crate::tx::{Tx, on};
use crate::zone_rows::RecordOrigin;
use ngn_model::DomainName;
use sqlx::QueryBuilder;

/// How many records one statement asks for.
const CHUNK: usize = 500;

/// A fancy record.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FancyRecord {
    /// Its identifier.
    pub id: i64,
    /// The name of its zone.
    pub zone: String,
    /// The name that visitors use, or `user@domain`.
    pub name: String,
    /// Where they, or mails, go.
    pub value: String,
}

/// A name of a zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub struct ZoneName {
    /// The zone's row in `domains`.
    pub domain_id: i64,
    /// The zone's name.
    pub zone: String,
    /// The name, fully qualified; of mail forwardings `user@domain`.
    pub name: String,
}

const RECORDS: &str = "SELECT r.id, d.name AS zone, r.name, COALESCE(r.value, r.content, '') AS value \
     FROM records r JOIN domains d ON d.id = r.domain_id WHERE r.type = ";

impl Store {
    /// All fancy records of a type, `URL` or `MBOXFW`, by name and then by age.
    pub async fn fancy_records(&self, rtype: &str) -> Result<Vec<FancyRecord>, StoreError> {
        self.read(|tx| {
            Box::pin(async move {
                on!(tx, c => {
                    let mut query = QueryBuilder::<DB>::new(RECORDS);
                    query.push_bind(rtype).push(" AND r.origin = ").push_bind(RecordOrigin::Fancy.code());
                    query.push(" ORDER BY r.name, r.id");
                    query.build_query_as::<FancyRecord>().fetch_all(&mut *c).await
                })
            })
        })
        .await
    }

    /// Those of a type that are in some zones or have some identifiers.
    pub async fn fancy_records_of(
        &self,
        rtype: &str,
        zones: &[DomainName],
        ids: &[i64],
    ) -> Result<Vec<FancyRecord>, StoreError> {
        self.read(|tx| {
            Box::pin(async move {
                let mut found: Vec<FancyRecord> = Vec::new();
                for part in zones.chunks(CHUNK) {
                    let rows: Vec<FancyRecord> = on!(tx, c => {
                        let mut query = QueryBuilder::<DB>::new(RECORDS);
                        query.push_bind(rtype).push(" AND r.origin = ");
                        query.push_bind(RecordOrigin::Fancy.code()).push(" AND d.name IN (");
                        let mut list = query.separated(", ");
                        for zone in part {
                            list.push_bind(zone.as_str());
                        }
                        query.push(")");
                        query.build_query_as::<FancyRecord>().fetch_all(&mut *c).await
                    })?;
                    found.extend(rows);
                }
                for part in ids.chunks(CHUNK) {
                    let rows: Vec<FancyRecord> = on!(tx, c => {
                        let mut query = QueryBuilder::<DB>::new(RECORDS);
                        query.push_bind(rtype).push(" AND r.origin = ");
                        query.push_bind(RecordOrigin::Fancy.code()).push(" AND r.id IN (");
                        let mut list = query.separated(", ");
                        for id in part {
                            list.push_bind(*id);
                        }
                        query.push(")");
                        query.build_query_as::<FancyRecord>().fetch_all(&mut *c).await
                    })?;
                    found.extend(rows);
                }
                Ok::<_, StoreError>(found)
            })
        })
        .await
    }
}

impl Tx<'_> {
    /// The names of all fancy records, and of all records that were made of some: of one zone, or of all.
    pub async fn fancy_names(
        &mut self,
        domain_id: Option<i64>,
    ) -> Result<Vec<ZoneName>, StoreError> {
        on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(
                "SELECT DISTINCT r.domain_id, d.name AS zone, r.name FROM records r \
                 JOIN domains d ON d.id = r.domain_id WHERE r.origin IN (",
            );
            query.push_bind(RecordOrigin::Fancy.code()).push(", ");
            query.push_bind(RecordOrigin::Derived.code()).push(")");
            if let Some(id) = domain_id {
                query.push(" AND r.domain_id = ").push_bind(id);
            }
            query.build_query_as::<ZoneName>().fetch_all(&mut *c).await
        })
    }

    /// Whether mail to some user of a domain is forwarded.
    pub async fn forwards_mail(
        &mut self,
        domain_id: i64,
        domain: &str,
    ) -> Result<bool, StoreError> {
        // Names of domains have nothing that LIKE takes for something else, but for `_`, which is looked at again.
        let names: Vec<String> = on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(
                "SELECT name FROM records WHERE type = 'MBOXFW' AND domain_id = ",
            );
            query.push_bind(domain_id).push(" AND origin = ").push_bind(RecordOrigin::Fancy.code());
            query.push(" AND name LIKE ").push_bind(format!("%@{domain}"));
            query.build_query_scalar::<String>().fetch_all(&mut *c).await
        })?;
        Ok(names.iter().any(|name| name.rsplit_once('@').is_some_and(|(_, of)| of == domain)))
    }
}
