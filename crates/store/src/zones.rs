//! Reading what DNS servers serve: `domains`, `records` and the zones' serials.
//!
//! The serial of a zone is not stored anywhere as one number that every writer would have to raise. It is
//! `base + counted + number of journal rows of the zone after counted_to` (table `zone_serials`): rows only
//! become more, so it only rises, and writers of one zone do not wait for one another.

use crate::dialect::Spelling;
use crate::error::StoreError;
use crate::follower::{Follower, Start};
use crate::journal::position;
use crate::seen::Seen;
use crate::store::Store;
use crate::time::serial_base;
use crate::tx::{Tx, on};
use futures::TryStreamExt;
use ngn_model::zone::{RecordRef, RecordRow, ZoneRows};
use ngn_model::{DomainName, Position};
use sqlx::{ColumnIndex, Decode, QueryBuilder, Row, Type};
use std::collections::HashMap;
use std::time::Duration;

/// How long reading one zone for a server may take.
const ZONE_LIMIT: Duration = Duration::from_secs(300);
/// How many names one statement asks for.
const CHUNK: usize = 200;

/// The columns of a record; rows without a type are PowerDNS's empty non-terminals.
const RECORD_COLUMNS: &str = "r.name, r.type AS rtype, COALESCE(r.content, '') AS content, \
                              COALESCE(r.ttl, 0) AS ttl, COALESCE(r.prio, 0) AS prio";
/// How many these are.
const COLUMNS: usize = 5;

/// What loading all zones gives, piece by piece.
#[derive(Debug)]
pub enum Loaded<'r> {
    /// A zone without its records. Zones are counted from 0 as they come, and all come before the first record.
    Zone(ZoneRows),
    /// A record of the zone with this number. Those of a zone need not come together, nor those of a name.
    Record(usize, RecordRef<'r>),
}

#[derive(sqlx::FromRow)]
struct RecordSql {
    name: String,
    rtype: String,
    content: String,
    ttl: i64,
    prio: i64,
}

impl From<RecordSql> for RecordRow {
    fn from(row: RecordSql) -> Self {
        Self {
            name: row.name,
            rtype: row.rtype,
            content: row.content,
            ttl: u32::try_from(row.ttl).unwrap_or(0),
            priority: u16::try_from(row.prio).unwrap_or(0),
        }
    }
}

impl Store {
    /// Gives every zone and then every record to `each`, all from one snapshot; the follower that comes back gives
    /// what was committed after that snapshot. Records are not kept, and come as the database sends them.
    ///
    /// A zone whose name is no domain name is left out, with a warning in the log.
    pub async fn load_zones<F>(&self, each: F) -> Result<Follower, StoreError>
    where
        F: FnMut(Loaded<'_>) + Send,
    {
        let start = self
            .snapshot(|tx| {
                Box::pin(async move {
                    let start = Start::of_snapshot(tx).await?;
                    load_all(tx, each).await?;
                    Ok::<_, StoreError>(start)
                })
            })
            .await?;
        Ok(start.follow(self))
    }

    /// One zone with its records; `None` when there is none of that name.
    pub async fn zone(&self, apex: &DomainName) -> Result<Option<ZoneRows>, StoreError> {
        self.read(|tx| Box::pin(async move { load_one(tx, apex).await })).await
    }

    /// One zone with its records, and the positions of those of its journal rows that its serial counts but that a
    /// follower who has seen `seen` was not given yet; both from one snapshot.
    ///
    /// A server that goes on counting the rows it is given must begin with the serial less the number of these, or
    /// it would count them twice.
    pub async fn zone_for(
        &self,
        apex: &DomainName,
        seen: &Seen,
    ) -> Result<Option<(ZoneRows, Vec<Position>)>, StoreError> {
        let work = self.snapshot(|tx| {
            Box::pin(async move {
                let Some(zone) = load_one(tx, apex).await? else { return Ok(None) };
                let ids: Vec<i64> = on!(tx, c => {
                    sqlx::query_scalar::<DB, i64>(
                        "SELECT id FROM journal WHERE zone = ? AND id > ? ORDER BY id",
                    )
                    .bind(apex.as_str())
                    .bind(seen.complete_to().0.cast_signed())
                    .fetch_all(&mut *c)
                    .await
                })?;
                let positions = ids.into_iter().map(position);
                Ok(Some((zone, positions.filter(|position| !seen.contains(*position)).collect())))
            })
        });
        // A zone may be large, and a connection that broke silently must not be waited for without end.
        let outcome = tokio::time::timeout(ZONE_LIMIT, work).await;
        outcome.unwrap_or_else(|_elapsed| Err(StoreError::timed_out()))
    }

    /// The records at some names, each given as zone and owner name without final dot; every name comes back,
    /// with an empty list when nothing is there.
    pub async fn records_at(
        &self,
        names: &[(String, String)],
    ) -> Result<Vec<((String, String), Vec<RecordRow>)>, StoreError> {
        let found = self.read(|tx| Box::pin(async move { records_at(tx, names).await })).await?;
        Ok(in_order(names, found))
    }

    /// The serial of each zone as an SOA answer must carry it now; a zone that never was has serial 0.
    pub async fn zone_serials(&self, zones: &[String]) -> Result<Vec<(String, u32)>, StoreError> {
        self.read(|tx| {
            Box::pin(async move {
                let names: Vec<&str> = zones.iter().map(String::as_str).collect();
                tx.serials(&names).await
            })
        })
        .await
    }
}

impl Tx<'_> {
    /// Makes sure that a zone has a serial to count from. Called when a zone is made; a zone that existed
    /// before goes on from where it was.
    pub async fn start_serial(&mut self, zone: &str) -> Result<(), StoreError> {
        let base = serial_base(self.now());
        self.start_serial_at(zone, base).await
    }

    /// Like [`Self::start_serial`] with the first serial given, for zones that come from elsewhere.
    pub async fn start_serial_at(&mut self, zone: &str, base: i64) -> Result<(), StoreError> {
        on!(self, c => {
            let mut query =
                QueryBuilder::<DB>::new("INSERT INTO zone_serials (zone, base) VALUES (");
            query.push_bind(zone).push(", ").push_bind(base).push(")");
            query.push(<DB as Spelling>::keep_existing("zone"));
            query.build().execute(&mut *c).await.map(drop)
        })
    }

    /// The serials of some zones, in the order asked for; rows this transaction noted but did not write yet
    /// do not count.
    pub async fn serials(&mut self, zones: &[&str]) -> Result<Vec<(String, u32)>, StoreError> {
        let mut found: HashMap<String, u32> = HashMap::new();
        for chunk in zones.chunks(CHUNK) {
            let rows: Vec<(String, i64)> = on!(self, c => {
                let mut query = QueryBuilder::<DB>::new(SERIALS);
                query.push(" WHERE z.zone IN (");
                let mut list = query.separated(", ");
                for zone in chunk {
                    list.push_bind(*zone);
                }
                query.push(")");
                query.build_query_as::<(String, i64)>().fetch_all(&mut *c).await
            })?;
            found.extend(rows.into_iter().map(|(zone, serial)| (zone, wrap(serial))));
        }
        Ok(zones
            .iter()
            .map(|zone| ((*zone).to_owned(), found.get(*zone).copied().unwrap_or(0)))
            .collect())
    }
}

const SERIALS: &str = "SELECT z.zone, z.base + z.counted + \
                       (SELECT COUNT(*) FROM journal j WHERE j.zone = z.zone AND j.id > z.counted_to) AS serial \
                       FROM zone_serials z";

/// Serials count modulo 2^32 (RFC 1982).
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn wrap(serial: i64) -> u32 {
    serial as u32
}

async fn load_one(tx: &mut Tx<'_>, apex: &DomainName) -> Result<Option<ZoneRows>, StoreError> {
    let id: Option<i64> = on!(tx, c => {
        sqlx::query_scalar::<DB, i64>("SELECT id FROM domains WHERE name = ?")
            .bind(apex.as_str())
            .fetch_optional(&mut *c)
            .await
    })?;
    let Some(id) = id else { return Ok(None) };
    let serial = tx.serials(&[apex.as_str()]).await?.pop().map_or(0, |(_, serial)| serial);
    let records: Vec<RecordSql> = on!(tx, c => {
        let mut query = QueryBuilder::<DB>::new("SELECT ");
        query.push(RECORD_COLUMNS);
        query.push(" FROM records r WHERE r.disabled = 0 AND r.type <> '' AND r.domain_id = ");
        query.push_bind(id).push(" ORDER BY r.name, r.id");
        query.build_query_as::<RecordSql>().fetch_all(&mut *c).await
    })?;
    let records = records.into_iter().map(RecordRow::from).collect();
    let signing = tx.zone_signing(id).await?;
    Ok(Some(ZoneRows { apex: apex.clone(), serial, records, signing }))
}

async fn load_all<F>(tx: &mut Tx<'_>, mut each: F) -> Result<(), StoreError>
where
    F: FnMut(Loaded<'_>) + Send,
{
    let zones: Vec<(i64, String)> = on!(tx, c => {
        sqlx::query_as::<DB, (i64, String)>("SELECT id, name FROM domains ORDER BY id")
            .fetch_all(&mut *c)
            .await
    })?;
    let serials: Vec<(String, i64)> = on!(tx, c => {
        sqlx::query_as::<DB, (String, i64)>(SERIALS).fetch_all(&mut *c).await
    })?;
    let serials: HashMap<String, i64> = serials.into_iter().collect();
    let mut signings = tx.signings(None).await?;
    let mut numbers: HashMap<i64, usize> = HashMap::with_capacity(zones.len());
    for (id, name) in zones {
        match DomainName::new(&name) {
            Ok(apex) => {
                let serial = serials.get(apex.as_str()).copied().map_or(0, wrap);
                let signing = signings.remove(&id);
                numbers.insert(id, numbers.len());
                each(Loaded::Zone(ZoneRows { apex, serial, records: Vec::new(), signing }));
            }
            Err(error) => {
                tracing::warn!(dns.zone = name, error = %error, "zone is left out");
            }
        }
    }
    on!(tx, c => {
        // In the order in which the rows lie: any other one would have the database sort all of them.
        let mut query = QueryBuilder::<DB>::new("SELECT ");
        query.push(RECORD_COLUMNS);
        query.push(", r.domain_id FROM records r WHERE r.disabled = 0 AND r.type <> '' ORDER BY r.id");
        let mut rows = query.build().fetch(&mut *c);
        // Records of one zone often lie together.
        let mut last = (0, None);
        while let Some(row) = rows.try_next().await? {
            let Some(id) = row.try_get::<Option<i64>, _>(COLUMNS)? else { continue };
            if last.0 != id {
                last = (id, numbers.get(&id).copied());
            }
            if let Some(zone) = last.1 {
                each(Loaded::Record(zone, record(&row)?));
            }
        }
        Ok(())
    })
}

/// A row that begins with [`RECORD_COLUMNS`]. The text stays where it is: a million numbers have millions of records.
fn record<'r, R>(row: &'r R) -> Result<RecordRef<'r>, sqlx::Error>
where
    R: Row,
    usize: ColumnIndex<R>,
    Option<&'r str>: Decode<'r, R::Database> + Type<R::Database>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
{
    let text = |at: usize| row.try_get::<Option<&str>, _>(at).map(Option::unwrap_or_default);
    Ok(RecordRef {
        name: text(0)?,
        rtype: text(1)?,
        content: text(2)?,
        ttl: u32::try_from(row.try_get::<i64, _>(3)?).unwrap_or(0),
        priority: u16::try_from(row.try_get::<i64, _>(4)?).unwrap_or(0),
    })
}

async fn records_at(
    tx: &mut Tx<'_>,
    names: &[(String, String)],
) -> Result<HashMap<(String, String), Vec<RecordRow>>, StoreError> {
    let mut found: HashMap<(String, String), Vec<RecordRow>> = HashMap::new();
    for chunk in names.chunks(CHUNK) {
        let rows: Vec<ZonedRecord> = on!(tx, c => {
            let mut query = QueryBuilder::<DB>::new("SELECT d.name AS zone, ");
            query.push(RECORD_COLUMNS);
            query.push(
                " FROM records r JOIN domains d ON d.id = r.domain_id \
                 WHERE r.disabled = 0 AND r.type <> '' AND r.name IN (",
            );
            let mut list = query.separated(", ");
            for (_, owner) in chunk {
                list.push_bind(owner.as_str());
            }
            query.push(") ORDER BY r.id");
            query.build_query_as::<ZonedRecord>().fetch_all(&mut *c).await
        })?;
        // The same owner name may stand in several zones; only those asked for are kept, and each once even
        // when its name was asked for twice.
        let mut here: HashMap<(String, String), Vec<RecordRow>> = HashMap::new();
        for ZonedRecord { zone, record } in rows {
            here.entry((zone, record.name.clone())).or_default().push(record.into());
        }
        for name in chunk {
            if let Some(records) = here.remove(name) {
                found.insert(name.clone(), records);
            }
        }
    }
    Ok(found)
}

#[derive(sqlx::FromRow)]
struct ZonedRecord {
    zone: String,
    #[sqlx(flatten)]
    record: RecordSql,
}

fn in_order(
    names: &[(String, String)],
    found: HashMap<(String, String), Vec<RecordRow>>,
) -> Vec<((String, String), Vec<RecordRow>)> {
    names.iter().map(|name| (name.clone(), found.get(name).cloned().unwrap_or_default())).collect()
}
