//! Writing `domains` and `records`: what the Dns port and the ENUM port have in common.
//!
//! Nothing here writes to the journal; callers note an [`ngn_model::Entity::Zone`] or
//! [`ngn_model::Entity::RrSet`] row for what DNS servers must reload, with the zone whose serial rises.

use crate::error::StoreError;
use crate::journal::InsertId;
use crate::pieces::pieces;
use crate::tx::{Tx, on};
use ngn_model::{CustomerId, DomainName};
use sqlx::QueryBuilder;

/// Where a row of `records` comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordOrigin {
    /// A record of the Dns port.
    Api,
    /// SOA and NS, made from a zone's attributes.
    Zone,
    /// A NAPTR compiled from a mapping of an ENUM number.
    Enum,
    /// A fancy record (URL, MBOXFW); it is no DNS data and never served.
    Fancy,
    /// What DNS servers see of fancy records; not seen by the Dns port.
    Derived,
}

impl RecordOrigin {
    /// The number that stands in the table.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Api => 0,
            Self::Zone => 1,
            Self::Enum => 2,
            Self::Fancy => 3,
            Self::Derived => 4,
        }
    }
}

/// A row of `records` to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// The zone's row in `domains`.
    pub domain_id: i64,
    /// Owner name, fully qualified, lower case, without final dot.
    pub name: String,
    /// Type mnemonic.
    pub rtype: String,
    /// RDATA in PowerDNS's presentation form.
    pub content: String,
    /// Time to live in seconds.
    pub ttl: u32,
    /// Priority of MX and SRV; 0 otherwise.
    pub priority: u16,
    /// Where it comes from.
    pub origin: RecordOrigin,
    /// The value as the API shows it, when that differs from `content`.
    pub value: Option<String>,
    /// The owner that the caller chose (B13).
    pub owner: CustomerId,
    /// A digest of what makes two records duplicates (B119); two rows cannot have the same one.
    pub record_key: Option<String>,
}

impl Tx<'_> {
    /// Adds a zone without records and makes sure that it has a serial; gives its row id. Fails with
    /// [`StoreError::Duplicate`] when there is a zone of that name.
    pub async fn insert_zone(&mut self, apex: &DomainName) -> Result<i64, StoreError> {
        self.start_serial(apex.as_str()).await?;
        let id = on!(self, c => {
            sqlx::query::<DB>("INSERT INTO domains (name, type) VALUES (?, 'NATIVE')")
                .bind(apex.as_str())
                .execute(&mut *c)
                .await
                .map(|done| InsertId::insert_id(&done))
        })?;
        Ok(id.cast_signed())
    }

    /// The row id of a zone.
    pub async fn zone_id(&mut self, apex: &DomainName) -> Result<Option<i64>, StoreError> {
        on!(self, c => {
            sqlx::query_scalar::<DB, i64>("SELECT id FROM domains WHERE name = ?")
                .bind(apex.as_str())
                .fetch_optional(&mut *c)
                .await
        })
    }

    /// Removes a zone with its records and attributes; its serial goes on when it is made again.
    pub async fn delete_zone(&mut self, id: i64) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM domains WHERE id = ?")
                .bind(id)
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    /// Adds a record and gives its row id. Fails with [`StoreError::Duplicate`] when its `record_key` is taken
    /// and with [`StoreError::Reference`] when the zone went in the same moment.
    pub async fn insert_record(&mut self, record: &NewRecord) -> Result<i64, StoreError> {
        let ids = self.insert_records(std::slice::from_ref(record)).await?;
        Ok(ids.first().copied().unwrap_or_default())
    }

    /// Adds records and gives their row ids, in the order of the records. Fails with [`StoreError::Duplicate`] when a
    /// record key is taken.
    pub async fn insert_records(&mut self, records: &[NewRecord]) -> Result<Vec<i64>, StoreError> {
        let now = self.now();
        let mut ids = Vec::with_capacity(records.len());
        for piece in pieces(records) {
            let inserted = on!(self, c => {
                let mut query = QueryBuilder::<DB>::new(
                    "INSERT INTO records (domain_id, name, type, content, ttl, prio, disabled, origin, value, owner, \
                     record_key, change_date) ",
                );
                query.push_values(piece, |mut tuple, record| {
                    tuple
                        .push_bind(record.domain_id)
                        .push_bind(record.name.as_str())
                        .push_bind(record.rtype.as_str())
                        .push_bind(record.content.as_str())
                        .push_bind(i64::from(record.ttl))
                        .push_bind(i64::from(record.priority))
                        .push_bind(record.origin == RecordOrigin::Fancy)
                        .push_bind(record.origin.code())
                        .push_bind(record.value.as_deref())
                        .push_bind(record.owner)
                        .push_bind(record.record_key.as_deref())
                        .push_bind(now);
                });
                query.build().execute(&mut *c).await.map(|done| InsertId::insert_id(&done))
            })?;
            let (first, step) = self.numbers(inserted, piece.len()).await?;
            ids.extend((0..).zip(piece).map(|(n, _)| (first + n * step).cast_signed()));
        }
        Ok(ids)
    }

    /// Removes a zone's records of one origin at one name; tells how many there were.
    pub async fn delete_records_at(
        &mut self,
        domain_id: i64,
        name: &str,
        origin: RecordOrigin,
    ) -> Result<u64, StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM records WHERE domain_id = ? AND name = ? AND origin = ?")
                .bind(domain_id)
                .bind(name)
                .bind(origin.code())
                .execute(&mut *c)
                .await
                .map(|done| done.rows_affected())
        })
    }
}
