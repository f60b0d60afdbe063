//! DNS records (B15, B117-B124, B129-B129c), and what plain and fancy ones have in common.

mod given;

pub(super) use given::Given;

use super::credit::{self, Credit};
use super::{Call, Outcome, derived, dns_zones, query_parts, required, wire_time, wire_total};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use ngn_model::{DomainName, Entity, Ownership};
use ngn_soap::fault::code;
use ngn_soap::types::{DnsRecord, DnsRecordType, DnsRecords};
use ngn_soap::{Fault, dns};
use ngn_store::{DnsRecordRow, DnsZoneRow, Filter, NewRecord, RecordAtName, RecordOrigin, Tx};
use serde_json::{Value, json};

/// `addRecord`.
pub async fn add(call: &Call<'_>, request: dns::AddRecord) -> Outcome<DnsRecord> {
    let given = Given::from(required(request.record, "record")?);
    let (row, position) = add_given(call, given).await?;
    Ok((wire(row), position))
}

/// `updateRecord`.
pub async fn update(call: &Call<'_>, request: dns::UpdateRecord) -> Outcome<()> {
    update_given(call, Given::from(required(request.record, "record")?)).await
}

/// `deleteRecord`; also of a fancy record, since bulk actions know no other operation.
pub async fn delete(call: &Call<'_>, request: dns::DeleteRecord) -> Outcome<()> {
    delete_id(call, required(request.record_id, "recordId")?, &[false, true]).await
}

/// `getRecord`.
pub async fn get(call: &Call<'_>, request: dns::GetRecord) -> Outcome<DnsRecord> {
    let id = required(request.record_id, "recordId")?;
    Ok((wire(get_id(call, id, false).await?), None))
}

/// `getRecords`.
pub async fn list(call: &Call<'_>, request: dns::GetRecords) -> Outcome<DnsRecords> {
    let (wanted, order, range) = query_parts!(request.query);
    let mut filter = Filter::new();
    filter
        .number("r.id", wanted.id)
        .text_lower("d.name", wanted.zone.as_deref())
        .text_lower("r.name", wanted.name.as_deref())
        .text("r.type", wanted.r#type.as_deref())
        .text(VALUE, wanted.value.as_deref())
        .number("r.owner", wanted.owner)
        .number("z.customer", wanted.customer)
        .number("z.reseller", wanted.reseller);
    let (rows, total) = list_rows(call, filter, false, order, call.range(range.as_ref())).await?;
    let records = rows.into_iter().map(wire).collect();
    Ok((DnsRecords { records: Some(records), total: wire_total(total) }, None))
}

/// The column that the filter `value` looks at.
pub(super) const VALUE: &str = "COALESCE(r.value, r.content)";

/// Adds a record.
pub(super) async fn add_given(call: &Call<'_>, given: Given) -> Outcome<DnsRecordRow> {
    let who = call.require(Need::Create)?;
    let apex = given.zone()?;
    required(given.rtype, "record.type")?;
    required(given.value.as_deref(), "record.value")?;
    given.ttl()?;
    let (who, given, apex) = (&who, &given, &apex);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let zone = dns_zones::reached(tx.hold_dns_zone(apex).await?, who, apex)?;
                let record = given.record(&zone, apex, given.name(apex)?, None)?;
                let standing = tx.lock_records_at(zone.domain_id, &record.name).await?;
                admissible(apex, &record, &standing, None)?;
                if given.is_mailbox() {
                    let owner = dns_zones::owner(&zone);
                    credit::check(call, tx, who, Credit::MailForwardings, owner).await?;
                }
                let inserted = tx.insert_record(&record).await;
                let id = inserted.map_err(|error| duplicate(error, &record))?;
                let standing = settled(tx, apex, &record, standing, id).await?;
                one_ttl(tx, &record, &standing).await?;
                let row = tx.dns_record(id).await?.ok_or_else(|| not_found(id))?;
                note(tx, None, Some(&row));
                derive(tx, call, &row).await?;
                Ok::<_, OpError>(row)
            })
        })
        .await
}

/// Replaces a record.
pub(super) async fn update_given(call: &Call<'_>, given: Given) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    if given.id.is_none_or(|id| id == 0) {
        given.zone()?;
    }
    required(given.value.as_deref(), "record.value")?;
    given.ttl()?;
    let (who, given) = (&who, &given);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let found = locate(tx, who, given).await?;
                let apex = &stored_name(&found.zone)?;
                let (zone, old, standing) = held(tx, who, &found, apex).await?;
                let record = given.record(&zone, apex, old.name.clone(), Some(&old))?;
                admissible(apex, &record, &standing, Some(old.id))?;
                let updated = tx.update_record(old.id, &record).await;
                updated.map_err(|error| duplicate(error, &record))?;
                one_ttl(tx, &record, &standing).await?;
                let row = tx.dns_record(old.id).await?.ok_or_else(|| not_found(old.id))?;
                note(tx, Some(&old), Some(&row));
                derive(tx, call, &row).await?;
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// Deletes a record that is plain or fancy as `kinds` allows.
pub(super) async fn delete_id(call: &Call<'_>, id: i64, kinds: &[bool]) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let who = &who;
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let found = visible(tx, who, id, kinds).await?;
                let apex = &stored_name(&found.zone)?;
                let (_, old, _) = held(tx, who, &found, apex).await?;
                tx.delete_record(old.id).await?;
                note(tx, Some(&old), None);
                derive(tx, call, &old).await?;
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// Brings up to date what DNS servers see of fancy records at the name of a record that changed.
async fn derive(tx: &mut Tx<'_>, call: &Call<'_>, row: &DnsRecordRow) -> Result<(), OpError> {
    derived::follow(tx, call, (row.domain_id, &row.zone), (&row.name, &row.rtype)).await
}

/// Reads a record.
pub(super) async fn get_id(call: &Call<'_>, id: i64, fancy: bool) -> Result<DnsRecordRow, OpError> {
    let who = call.require(Need::Login)?;
    let who = &who;
    call.store.read(|tx| Box::pin(async move { visible(tx, who, id, &[fancy]).await })).await
}

/// Reads a list of records and how many there are in all.
pub(super) async fn list_rows(
    call: &Call<'_>,
    mut filter: Filter,
    fancy: bool,
    order: Option<(String, String)>,
    range: ngn_store::Range,
) -> Result<(Vec<DnsRecordRow>, u64), OpError> {
    let who = call.require(Need::Login)?;
    who.restrict(&mut filter, "z.customer", "z.reseller");
    let (filter, order) = (&filter, &order);
    let page = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let listed = tx.list_dns_records(filter.clone(), fancy, order.as_ref(), range);
                Ok::<_, OpError>(listed.await?)
            })
        })
        .await?;
    Ok((page.rows, page.total))
}

async fn visible(
    tx: &mut Tx<'_>,
    who: &Principal,
    id: i64,
    kinds: &[bool],
) -> Result<DnsRecordRow, OpError> {
    seen(tx, who, id, kinds).await?.ok_or_else(|| not_found(id).into())
}

async fn seen(
    tx: &mut Tx<'_>,
    who: &Principal,
    id: i64,
    kinds: &[bool],
) -> Result<Option<DnsRecordRow>, OpError> {
    let row = tx.dns_record(id).await?;
    Ok(row.filter(|row| kinds.contains(&row.fancy) && who.reaches(owner(row))))
}

/// The record that an update means (B118): the one with its id if zone and name fit, else the one with its zone, name
/// and type, and of several the one with its value.
async fn locate(tx: &mut Tx<'_>, who: &Principal, given: &Given) -> Result<DnsRecordRow, OpError> {
    let id = given.id.unwrap_or_default();
    let with_id = seen(tx, who, id, &[given.fancy]).await?;
    let with_id = with_id.filter(|row| given.zone.is_none() || given.is_in(&row.zone));
    if let Some(row) = &with_id
        && (given.name.is_none() || given.name(&stored_name(&row.zone)?)? == row.name)
    {
        return Ok(row.clone());
    }
    let missing = || OpError::from(with_id.as_ref().map_or_else(|| not_found(id), other_name));
    let (Some(rtype), Ok(apex)) = (given.rtype, given.zone()) else { return Err(missing()) };
    let zone = tx.dns_zone(&apex).await?.filter(|zone| who.reaches(dns_zones::owner(zone)));
    let Some(zone) = zone else { return Err(missing()) };
    let name = given.name(&apex)?;
    let mut rows = tx.dns_records_like(zone.domain_id, &name, rtype, given.fancy).await?;
    let wanted = given.record(&zone, &apex, name, None).ok();
    let same = wanted.and_then(|wanted| {
        let value = wanted.value.unwrap_or(wanted.content);
        let priority = i64::from(wanted.priority);
        rows.iter().position(|row| row.value == value && row.prio == priority)
    });
    match same {
        Some(at) => Ok(rows.swap_remove(at)),
        None if rows.len() == 1 => Ok(rows.swap_remove(0)),
        None => Err(missing()),
    }
}

/// The fault for an update that names a record by id and gives it another name (B118).
fn other_name(row: &DnsRecordRow) -> Fault {
    let text = format!(
        "the DNS record {} is named {}, and there is none of the name in the call; an update changes no name: add the \
         record with its new name and delete this one",
        row.id, row.name
    );
    Fault::client(code::DNS_RECORD_NOT_FOUND, text)
}

/// Holds the zone of a record that was found and locks what stands at its name.
async fn held(
    tx: &mut Tx<'_>,
    who: &Principal,
    found: &DnsRecordRow,
    apex: &DomainName,
) -> Result<(DnsZoneRow, DnsRecordRow, Vec<RecordAtName>), OpError> {
    let zone = tx.hold_dns_zone(apex).await?.filter(|zone| who.reaches(dns_zones::owner(zone)));
    let zone = zone.ok_or_else(|| not_found(found.id))?;
    let standing = tx.lock_records_at(zone.domain_id, &found.name).await?;
    let row = tx.dns_record(found.id).await?.ok_or_else(|| not_found(found.id))?;
    Ok((zone, row, standing))
}

/// What stands at a record's name once it is written. A name that was empty could not be locked, so somebody else may
/// have found it empty too.
async fn settled(
    tx: &mut Tx<'_>,
    apex: &DomainName,
    record: &NewRecord,
    before: Vec<RecordAtName>,
    own: i64,
) -> Result<Vec<RecordAtName>, OpError> {
    if !before.is_empty() {
        return Ok(before);
    }
    let standing = tx.lock_records_at(record.domain_id, &record.name).await?;
    admissible(apex, record, &standing, Some(own))?;
    Ok(standing)
}

/// Whether a record may stand at its name beside what is there (B119); `own` is the row that it replaces.
pub(super) fn admissible(
    apex: &DomainName,
    record: &NewRecord,
    standing: &[RecordAtName],
    own: Option<i64>,
) -> Result<(), Fault> {
    let name = &record.name;
    // What was made of fancy records gives way.
    let made = RecordOrigin::Derived.code();
    let others = || standing.iter().filter(|row| Some(row.id) != own && row.origin != made);
    if others().any(|row| row.record_key == record.record_key) {
        return Err(exists(record));
    }
    if record.origin == RecordOrigin::Fancy {
        return Ok(());
    }
    let alone = record.rtype == "CNAME";
    if alone && name == apex.as_str() {
        let text = format!(
            "a CNAME cannot stand at the apex of {apex}, where SOA and NS are; add A or AAAA records there"
        );
        return Err(Fault::client(code::DNS_RECORD_INVALID, text));
    }
    let conflict = others().find(|row| !row.disabled && (alone || row.rtype == "CNAME"));
    match conflict {
        None => Ok(()),
        Some(row) => {
            let text = format!(
                "{name} has a record of type {}, and a CNAME must be the only record at its name; delete one or \
                 choose another name",
                row.rtype
            );
            Err(Fault::client(code::DNS_RECORD_INVALID, text))
        }
    }
}

/// Gives the whole RRset the time to live of the record that was written last (B129b).
pub(super) async fn one_ttl(
    tx: &mut Tx<'_>,
    record: &NewRecord,
    standing: &[RecordAtName],
) -> Result<(), OpError> {
    if differs(record, standing) {
        tx.set_rrset_ttl(record.domain_id, &record.name, &record.rtype, record.ttl).await?;
    }
    Ok(())
}

/// Whether others of its RRset have another time to live.
pub(super) fn differs(record: &NewRecord, standing: &[RecordAtName]) -> bool {
    let ttl = i64::from(record.ttl);
    let differs = |row: &RecordAtName| !row.disabled && row.rtype == record.rtype && row.ttl != ttl;
    record.origin != RecordOrigin::Fancy && standing.iter().any(differs)
}

/// Notes the change of a record, and for DNS servers the name that they read again.
pub(super) fn note(tx: &mut Tx<'_>, before: Option<&DnsRecordRow>, after: Option<&DnsRecordRow>) {
    let Some(row) = after.or(before) else { return };
    tx.journal(Entity::DnsRecord, row.id, None, before.map(snapshot), after.map(snapshot));
    if !row.fancy {
        let key = format!("{} {}", row.zone, row.name);
        tx.journal(Entity::RrSet, key, Some(&row.zone), None, None);
    }
}

fn stored_name(zone: &str) -> Result<DomainName, OpError> {
    DomainName::new(zone)
        .map_err(|error| ngn_store::StoreError::corrupt("name of a zone", error).into())
}

fn not_found(id: i64) -> Fault {
    let text = format!(
        "there is no DNS record {id}; getRecords and getFancyRecords list those that you may see"
    );
    Fault::client(code::DNS_RECORD_NOT_FOUND, text)
}

fn exists(record: &NewRecord) -> Fault {
    let text = format!(
        "{} has a record of type {} with this value already; change it with an update",
        record.name, record.rtype
    );
    Fault::client(code::DNS_RECORD_EXISTS, text)
}

fn duplicate(error: ngn_store::StoreError, record: &NewRecord) -> OpError {
    if error.is_duplicate() { exists(record).into() } else { error.into() }
}

fn owner(row: &DnsRecordRow) -> Ownership {
    Ownership { customer: row.customer, reseller: row.reseller }
}

fn wire(row: DnsRecordRow) -> DnsRecord {
    DnsRecord {
        id: Some(row.id),
        zone: Some(row.zone),
        name: Some(row.name),
        r#type: DnsRecordType::from_name(&row.rtype),
        ttl: u32::try_from(row.ttl).ok(),
        value: Some(row.value),
        priority: u16::try_from(row.prio).ok(),
        owner: Some(row.owner),
        customer: Some(row.customer),
        reseller: Some(row.reseller),
        change_date: wire_time(row.change_date),
    }
}

/// A record as the journal keeps it.
pub(super) fn snapshot(row: &DnsRecordRow) -> Value {
    json!({
        "id": row.id, "zone": row.zone, "name": row.name, "type": row.rtype, "ttl": row.ttl,
        "value": row.value, "priority": row.prio, "owner": row.owner,
    })
}
