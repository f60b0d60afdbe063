//! All zones at a glance: those of the Dns port, those of ENUM ranges, and those that something else put there.

use crate::error::StoreError;
use crate::store::Store;
use crate::tx::{Tx, on};
use ngn_model::Ownership;
use sqlx::QueryBuilder;

/// What makes a zone what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneKind {
    /// The Dns port.
    Dns,
    /// An ENUM range.
    Enum,
    /// Neither: rows that something else wrote.
    Other,
}

impl ZoneKind {
    /// Its name: `dns`, `enum` or `other`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Enum => "enum",
            Self::Other => "other",
        }
    }
}

/// A zone at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneSummary {
    /// Its name, lower case, without final dot.
    pub name: String,
    /// What it comes from.
    pub kind: ZoneKind,
    /// Who owns it.
    pub owner: Ownership,
    /// The serial that its SOA has now.
    pub serial: u32,
    /// How many records DNS servers see, SOA and NS included.
    pub records: u64,
    /// Octets of their names and values as text.
    pub octets: u64,
    /// When it or one of its records was last written, in milliseconds since 1970 UTC; 0 when nobody knows.
    pub change_date: i64,
}

#[derive(sqlx::FromRow)]
struct SummarySql {
    name: String,
    dns: Option<i64>,
    range_id: Option<i64>,
    customer: i64,
    reseller: i64,
    records: i64,
    octets: i64,
    changed: i64,
}

const SUMMARIES: &str = "SELECT d.name, z.domain_id AS dns, e.id AS range_id, \
     COALESCE(z.customer, e.customer, 0) AS customer, COALESCE(z.reseller, e.reseller, 0) AS reseller, \
     COALESCE(r.records, 0) AS records, CAST(COALESCE(r.octets, 0) AS SIGNED) AS octets, \
     CASE WHEN COALESCE(r.changed, 0) > COALESCE(z.change_date, e.change_date, 0) THEN r.changed \
     ELSE COALESCE(z.change_date, e.change_date, 0) END AS changed \
     FROM domains d LEFT JOIN dns_zones z ON z.domain_id = d.id LEFT JOIN enum_ranges e ON e.domain_id = d.id \
     LEFT JOIN (SELECT domain_id, COUNT(*) AS records, SUM(LENGTH(name) + LENGTH(content)) AS octets, \
     MAX(change_date) AS changed FROM records WHERE disabled = 0 AND type <> '' GROUP BY domain_id) r \
     ON r.domain_id = d.id WHERE d.name LIKE ";

impl Store {
    /// The zones whose names match a pattern of LIKE (`%` and `_`), in order of their names, all from one snapshot.
    pub async fn zone_summaries(&self, pattern: &str) -> Result<Vec<ZoneSummary>, StoreError> {
        self.snapshot(|tx| Box::pin(async move { summaries(tx, pattern).await })).await
    }
}

async fn summaries(tx: &mut Tx<'_>, pattern: &str) -> Result<Vec<ZoneSummary>, StoreError> {
    let rows: Vec<SummarySql> = on!(tx, c => {
        let mut query = QueryBuilder::<DB>::new(SUMMARIES);
        query.push_bind(pattern).push(" ORDER BY d.name");
        query.build_query_as::<SummarySql>().fetch_all(&mut *c).await
    })?;
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let serials = tx.serials(&names).await?;
    let zones = rows.into_iter().zip(serials).map(|(row, (_, serial))| ZoneSummary {
        kind: match (row.dns, row.range_id) {
            (Some(_), _) => ZoneKind::Dns,
            (None, Some(_)) => ZoneKind::Enum,
            (None, None) => ZoneKind::Other,
        },
        name: row.name,
        owner: Ownership { customer: row.customer, reseller: row.reseller },
        serial,
        records: row.records.unsigned_abs(),
        octets: row.octets.unsigned_abs(),
        change_date: row.changed,
    });
    Ok(zones.collect())
}
