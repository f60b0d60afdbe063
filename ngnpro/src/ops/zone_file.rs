//! Zones from master files: all of a file in one transaction, by the rules of the Dns port (B115-B124, B129a, B129b).

mod plan;

use super::{Call, derived, dns_records, dns_zones};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use crate::rules::dns_record;
use ngn_dns::master::{Entry, Mistake};
use ngn_model::{CustomerId, DomainName, Position};
use ngn_soap::Fault;
use ngn_soap::fault::code;
use ngn_soap::types::DnsZone;
use ngn_store::{DnsRecordRow, DnsZoneRow, NewRecord, RecordAtName, RecordOrigin, Tx};
use plan::{Plan, plan};
use std::collections::{HashMap, HashSet};

/// How many records are written together at most, and of how many octets.
const TOGETHER: usize = 512;
const OCTETS: usize = 1 << 20;

/// What becomes of a zone that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// The file is refused.
    Refuse,
    /// It gets what it does not have; its SOA and what the file does not hold stay.
    Merge,
    /// It becomes what the file says.
    Replace,
}

/// What is wanted.
#[derive(Debug)]
pub struct Wanted {
    /// The zone.
    pub zone: DomainName,
    /// The records of the file.
    pub entries: Vec<Entry>,
    /// What becomes of the zone when it exists.
    pub existing: Existing,
    /// Who gets the zone when it is new.
    pub customer: Option<CustomerId>,
    /// The reseller who gets it.
    pub reseller: Option<CustomerId>,
    /// Whether to write nothing.
    pub dry_run: bool,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Whether the zone is new.
    pub created: bool,
    /// Whether its attributes (SOA and NS) changed.
    pub attributes: bool,
    /// How many records are new.
    pub added: usize,
    /// How many have another time to live.
    pub changed: usize,
    /// How many are gone.
    pub removed: usize,
    /// How many were there before.
    pub left: usize,
    /// What is otherwise than the file has it, a sentence each.
    pub notes: Vec<String>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum NotImported {
    /// Lines of the file break rules.
    #[error("{} lines are wrong", .0.len())]
    Wrong(Vec<Mistake>),
    /// The file as a whole does not go, or the database failed.
    #[error(transparent)]
    Refused(#[from] OpError),
}

/// Writes the records of a file. Fancy records are no part of files, and stay.
///
/// # Errors
///
/// What is wrong; then nothing was written.
pub async fn import(
    call: &Call<'_>,
    wanted: &Wanted,
) -> Result<(Imported, Option<Position>), NotImported> {
    let plan = plan(&wanted.zone, &wanted.entries).map_err(NotImported::Wrong)?;
    let who = call.require(Need::Create).map_err(OpError::from)?;
    let (who, plan) = (&who, &plan);
    if !wanted.dry_run {
        let written = call.store.write(&call.actor, |tx| {
            Box::pin(async move { write(tx, call, who, wanted, plan).await })
        });
        return Ok(written.await?);
    }
    let (store, held) = call.store.holding(None);
    let written = store
        .write(&call.actor, |tx| Box::pin(async move { write(tx, call, who, wanted, plan).await }));
    let (imported, _) = written.await?;
    held.roll_back().await;
    Ok((imported, None))
}

async fn write(
    tx: &mut Tx<'_>,
    call: &Call<'_>,
    who: &Principal,
    wanted: &Wanted,
    plan: &Plan,
) -> Result<Imported, OpError> {
    let apex = &wanted.zone;
    let mut done = Imported { notes: plan.notes.clone(), ..Imported::default() };
    let mut records: Vec<&NewRecord> = plan.records.iter().collect();
    let found = tx.lock_dns_zone(apex).await?;
    let zone = match (found, wanted.existing) {
        (Some(_), Existing::Refuse) => {
            let text = format!(
                "there is a zone {apex}; --merge adds what it does not have, --replace makes it what the file says"
            );
            return Err(Fault::client(code::DNS_ZONE_EXISTS, text).into());
        }
        (Some(zone), Existing::Merge) => {
            // The zone's own name servers stay, and others are records (B129a).
            records.extend(&plan.name_servers);
            if plan.zone.is_some() {
                done.notes.push(
                    "the SOA record stays as it is; --replace takes that of the file".to_owned(),
                );
            }
            dns_zones::reached(Some(zone), who, apex)?
        }
        (Some(zone), Existing::Replace) => {
            let old = dns_zones::reached(Some(zone), who, apex)?;
            let (given, row) = attributes(plan, apex)?;
            done.attributes = differ(&old, row);
            if done.attributes {
                let given = DnsZone {
                    customer: Some(old.customer),
                    reseller: Some(old.reseller),
                    ..given.clone()
                };
                let row = DnsZoneRow { info: old.info.clone(), ..row.clone() };
                dns_zones::update_in(tx, call, who, &given, &old, &row).await?
            } else {
                old
            }
        }
        (None, _) => {
            let (given, row) = attributes(plan, apex)?;
            done.created = true;
            // A zone that was never here goes on with its serial: each record is one journal row, the zone another.
            let rows = i64::try_from(records.len()).unwrap_or(i64::MAX).saturating_add(1);
            tx.start_serial_at(apex.as_str(), i64::from(plan.serial).saturating_sub(rows)).await?;
            let given =
                DnsZone { customer: wanted.customer, reseller: wanted.reseller, ..given.clone() };
            dns_zones::add_in(tx, call, who, &given, apex, row).await?.0
        }
    };
    let remove = wanted.existing == Existing::Replace;
    write_records(tx, &zone, apex, &records, remove, &mut done).await?;
    derived::follow_zone(tx, call, zone.domain_id).await?;
    Ok(done)
}

fn attributes<'p>(
    plan: &'p Plan,
    apex: &DomainName,
) -> Result<(&'p DnsZone, &'p DnsZoneRow), Fault> {
    let zone = plan.zone.as_ref().map(|(given, row)| (given, row));
    zone.ok_or_else(|| {
        let text = format!(
            "the file has no SOA record of {apex}, which a zone begins with; --merge needs none"
        );
        Fault::client(code::INVALID_ARGUMENT, text)
    })
}

/// Whether the zone's own records change.
fn differ(old: &DnsZoneRow, new: &DnsZoneRow) -> bool {
    let of = |row: &DnsZoneRow| {
        let DnsZoneRow { ttl, email, nameservers, refresh, retry, expire, minimum, .. } =
            row.clone();
        (ttl, email, nameservers, [refresh, retry, expire, minimum])
    };
    of(old) != of(new)
}

/// Makes the records of a zone these; others go when `remove` says so, before new ones come.
async fn write_records(
    tx: &mut Tx<'_>,
    zone: &DnsZoneRow,
    apex: &DomainName,
    records: &[&NewRecord],
    remove: bool,
    done: &mut Imported,
) -> Result<(), OpError> {
    let wanted: HashSet<&String> =
        records.iter().filter_map(|record| record.record_key.as_ref()).collect();
    let mut standing: HashMap<String, Vec<RecordAtName>> = HashMap::new();
    for mut row in tx.lock_records(zone.domain_id).await? {
        let priority = u16::try_from(row.prio).unwrap_or_default();
        // Rows that something else wrote have no key.
        let key = row.record_key.get_or_insert_with(|| {
            dns_record::key(apex, &row.name, &row.rtype, &row.content, priority)
        });
        if row.origin == RecordOrigin::Derived.code() {
            continue;
        }
        if remove && row.origin == RecordOrigin::Api.code() && !wanted.contains(key) {
            let old = tx.dns_record(row.id).await?;
            tx.delete_record(row.id).await?;
            dns_records::note(tx, old.as_ref(), None);
            done.removed += 1;
        } else {
            standing.entry(row.name.clone()).or_default().push(row);
        }
    }
    let mut new = New::default();
    for record in records {
        let here = standing.entry(record.name.clone()).or_default();
        let same = here.iter_mut().find(|row| row.record_key == record.record_key);
        if let Some(same) = same {
            // The TTL of the zone's own name servers is the zone's (B129a).
            let own = same.origin != RecordOrigin::Api.code();
            if own || same.ttl == i64::from(record.ttl) {
                done.left += 1;
                continue;
            }
            // What follows may be about others of the RRset.
            new.write(tx, zone).await?;
            if let Some(old) = tx.dns_record(same.id).await? {
                let ttl = i64::from(record.ttl);
                let record = NewRecord {
                    value: Some(old.value.clone()),
                    owner: old.owner,
                    ..(*record).clone()
                };
                tx.update_record(same.id, &record).await?;
                dns_records::note(tx, Some(&old), Some(&DnsRecordRow { ttl, ..old.clone() }));
                same.ttl = ttl;
                dns_records::one_ttl(tx, &record, here).await?;
                done.changed += 1;
            }
            continue;
        }
        let record = NewRecord { domain_id: zone.domain_id, ..(*record).clone() };
        dns_records::admissible(apex, &record, here, None)?;
        new.octets += record.content.len() + record.value.as_ref().map_or(0, String::len);
        new.records.push(record.clone());
        if dns_records::differs(&record, here) || new.is_full() {
            new.write(tx, zone).await?;
            dns_records::one_ttl(tx, &record, here).await?;
        }
        here.push(RecordAtName {
            // Nobody asks for it: a file has each record once.
            id: 0,
            name: record.name,
            rtype: record.rtype,
            content: record.content,
            ttl: i64::from(record.ttl),
            record_key: record.record_key,
            disabled: false,
            prio: i64::from(record.priority),
            origin: RecordOrigin::Api.code(),
        });
        done.added += 1;
    }
    new.write(tx, zone).await
}

/// Records that are written together: one statement for each would take most of the time of a large file.
#[derive(Debug, Default)]
struct New {
    records: Vec<NewRecord>,
    /// Octets of their contents and values.
    octets: usize,
}

impl New {
    /// Whether more would make the statement too long.
    const fn is_full(&self) -> bool {
        self.records.len() >= TOGETHER || self.octets >= OCTETS
    }

    /// Writes them, and notes them in the journal.
    async fn write(&mut self, tx: &mut Tx<'_>, zone: &DnsZoneRow) -> Result<(), OpError> {
        let ids = tx.insert_records(&self.records).await?;
        for (id, record) in ids.into_iter().zip(&self.records) {
            let row = row(id, zone, record, tx.now());
            dns_records::note(tx, None, Some(&row));
        }
        self.records.clear();
        self.octets = 0;
        Ok(())
    }
}

/// A record that was just written, as it is read.
fn row(id: i64, zone: &DnsZoneRow, record: &NewRecord, now: i64) -> DnsRecordRow {
    DnsRecordRow {
        id,
        domain_id: zone.domain_id,
        zone: zone.name.clone(),
        name: record.name.clone(),
        rtype: record.rtype.clone(),
        ttl: i64::from(record.ttl),
        prio: i64::from(record.priority),
        value: record.value.clone().unwrap_or_else(|| record.content.clone()),
        owner: record.owner,
        change_date: now,
        customer: zone.customer,
        reseller: zone.reseller,
        fancy: false,
    }
}
