//! ENUM numbers and their mappings (B100-B109, B112-B114).

use super::credit::{self, Credit};
use super::enum_ranges::apex_of;
use super::{Call, Outcome, query_parts, required, stored, wire_int, wire_time, wire_total};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use crate::rules::enum_::{self as rules, Mapping};
use ngn_model::{DomainName, E164, Entity};
use ngn_soap::fault::code;
use ngn_soap::types::{EnumId, EnumMapping, EnumNumber, EnumNumbers};
use ngn_soap::{Fault, enum_};
use ngn_store::{
    EnumMappingRow, EnumNumberRow, EnumRangeRow, Filter, NewRecord, RangeHold, RecordOrigin,
    StoreError, Tx,
};
use serde_json::{Value, json};

/// How often a range is looked for anew when others change it meanwhile.
const LOOKS: usize = 16;

/// `addNumber`.
pub async fn add(call: &Call<'_>, request: enum_::AddNumber) -> Outcome<EnumNumber> {
    let who = call.require(Need::Create)?;
    let given = required(request.number, "number")?;
    let (number, tld) = rules::read_id(given.id.as_ref(), "number.id")?;
    let mappings = read_mappings(&given)?;
    let (who, given, number, tld, mappings) = (&who, &given, &number, &tld, &mappings);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let range = range_of(tx, number, tld).await?;
                let range = range
                    .filter(|range| who.reaches(range.owner()))
                    .ok_or_else(|| fits_no_range(number, tld))?;
                if tx.enum_number(number, tld).await?.is_some() {
                    return Err(exists(number, tld).into());
                }
                rules::check_length(number, range.min_digits, range.max_digits)?;
                check_size(tx, &range).await?;
                credit::check(call, tx, who, Credit::EnumNumbers, range.owner()).await?;
                let mut row = EnumNumberRow {
                    range_id: range.id,
                    number: number.to_string(),
                    tld: tld.to_string(),
                    info: stored(given.info.clone()),
                    owner: given.owner.unwrap_or_default(),
                    customer: range.customer,
                    reseller: range.reseller,
                    change_date: tx.now(),
                    ..Default::default()
                };
                row.id = tx.insert_enum_number(&row).await.map_err(|error| {
                    if error.is_duplicate() {
                        exists(number, tld).into()
                    } else {
                        OpError::from(error)
                    }
                })?;
                write_mappings(tx, row.id, &[], mappings).await?;
                let kept = mappings_of(tx, &row).await?;
                publish(tx, &range, number, tld, mappings).await?;
                let after = snapshot(&row, &kept);
                tx.journal(Entity::EnumNumber, key(number, tld), None, None, Some(after));
                Ok::<_, OpError>(wire(row, kept))
            })
        })
        .await
}

/// `updateNumber`: replaces the mappings and attributes (B106, B109).
pub async fn update(call: &Call<'_>, request: enum_::UpdateNumber) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let given = required(request.number, "number")?;
    let (number, tld) = rules::read_id(given.id.as_ref(), "number.id")?;
    let mappings = read_mappings(&given)?;
    let (who, given, number, tld, mappings) = (&who, &given, &number, &tld, &mappings);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let (old, range) = lock(tx, who, number, tld).await?;
                let before = mappings_of(tx, &old).await?;
                let row = EnumNumberRow {
                    info: stored(given.info.clone()),
                    owner: given.owner.unwrap_or_default(),
                    ..old.clone()
                };
                tx.update_enum_number(&row).await?;
                write_mappings(tx, row.id, &before, mappings).await?;
                withdraw(tx, &range, number, tld).await?;
                publish(tx, &range, number, tld, mappings).await?;
                let after = mappings_of(tx, &row).await?;
                let (before, after) = (snapshot(&old, &before), snapshot(&row, &after));
                let key = key(number, tld);
                tx.journal(Entity::EnumNumber, key, None, Some(before), Some(after));
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `deleteNumber`.
pub async fn delete(call: &Call<'_>, request: enum_::DeleteNumber) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let (number, tld) = rules::read_id(request.enum_id.as_ref(), "enumId")?;
    let (who, number, tld) = (&who, &number, &tld);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let (old, range) = lock(tx, who, number, tld).await?;
                let before = mappings_of(tx, &old).await?;
                tx.delete_enum_number(old.id).await?;
                withdraw(tx, &range, number, tld).await?;
                publish(tx, &range, number, tld, &[]).await?;
                let before = snapshot(&old, &before);
                tx.journal(Entity::EnumNumber, key(number, tld), None, Some(before), None);
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getNumber` (B113).
pub async fn get(call: &Call<'_>, request: enum_::GetNumber) -> Outcome<EnumNumber> {
    let who = call.require(Need::Login)?;
    let (number, tld) = rules::read_id(request.enum_id.as_ref(), "enumId")?;
    let (who, number, tld) = (&who, &number, &tld);
    let (row, mappings) = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let row = visible(tx, who, number, tld).await?;
                let mappings = mappings_of(tx, &row).await?;
                Ok::<_, OpError>((row, mappings))
            })
        })
        .await?;
    Ok((wire(row, mappings), None))
}

/// `getNumbers` (B47).
pub async fn list(call: &Call<'_>, request: enum_::GetNumbers) -> Outcome<EnumNumbers> {
    let who = call.require(Need::Login)?;
    let (wanted, order, range) = query_parts!(request.query);
    let mut filter = Filter::new();
    let number = wanted.number.as_deref().map(|text| text.strip_prefix('+').unwrap_or(text));
    filter
        .text_lower("n.number", number)
        .text_lower("n.tld", wanted.tld.as_deref())
        .number("n.owner", wanted.owner)
        .number("r.customer", wanted.customer)
        .number("r.reseller", wanted.reseller)
        .enum_mapping(wanted.r#type.as_deref(), wanted.mapto.as_deref(), rules::bare);
    who.restrict(&mut filter, "r.customer", "r.reseller");
    let range = call.range(range.as_ref());
    let (filter, order) = (&filter, &order);
    let (page, mut mappings) = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let page = tx.list_enum_numbers(filter.clone(), order.as_ref(), range).await?;
                let ids: Vec<i64> = page.rows.iter().map(|row| row.id).collect();
                let mappings = tx.enum_mappings(&ids).await?;
                Ok::<_, OpError>((page, mappings))
            })
        })
        .await?;
    let total = wire_total(page.total);
    let numbers = page.rows.into_iter().map(|row| {
        let of_row = mappings.remove(&row.id).unwrap_or_default();
        wire(row, of_row)
    });
    Ok((EnumNumbers { numbers: Some(numbers.collect()), total }, None))
}

fn read_mappings(given: &EnumNumber) -> Result<Vec<Mapping>, Fault> {
    rules::read_mappings(given.mappings.as_deref().unwrap_or_default(), "number.mappings")
}

/// The range that takes a number, the one with the longest prefix (B100), held so that it stays. It is held
/// exclusively when its numbers come close to its size; others add to it at the same time.
async fn range_of(
    tx: &mut Tx<'_>,
    number: &E164,
    tld: &DomainName,
) -> Result<Option<EnumRangeRow>, OpError> {
    for _ in 0..LOOKS {
        let Some(id) = tx.enum_ranges_around(number, tld).await?.first().copied() else {
            return Ok(None);
        };
        let room = tx.room_in_enum_range(id).await?;
        let close = room.is_some_and(|room| room <= credit::ROOM);
        let hold = if close { RangeHold::Exclusive } else { RangeHold::Shared };
        let held = tx.hold_enum_range(id, hold).await?;
        // A longer one may have been added, or this one removed, while this transaction waited for it.
        if held.is_some() && tx.enum_ranges_around(number, tld).await?.first() == Some(&id) {
            return Ok(held);
        }
    }
    Ok(None)
}

/// Checks that a range can take one more number (B102).
async fn check_size(tx: &mut Tx<'_>, range: &EnumRangeRow) -> Result<(), OpError> {
    if range.size > 0 && tx.room_in_enum_range(range.id).await? == Some(0) {
        return Err(Fault::client(
            code::ENUM_RANGE_FULL,
            format!(
                "the range {} holds its {} numbers; raise its size or delete some",
                range.prefix, range.size
            ),
        )
        .into());
    }
    Ok(())
}

/// A number that exists and may be changed, locked, and its range, held.
async fn lock(
    tx: &mut Tx<'_>,
    who: &Principal,
    number: &E164,
    tld: &DomainName,
) -> Result<(EnumNumberRow, EnumRangeRow), OpError> {
    for _ in 0..LOOKS {
        let found = visible(tx, who, number, tld).await?;
        let held = tx.hold_enum_range(found.range_id, RangeHold::Shared).await?;
        let Some(range) = held.filter(|range| who.reaches(range.owner())) else { continue };
        // It may have moved to a longer range meanwhile.
        if tx.lock_enum_number(found.id).await? == Some(range.id) {
            return Ok((visible(tx, who, number, tld).await?, range));
        }
    }
    Err(not_found(number, tld).into())
}

async fn visible(
    tx: &mut Tx<'_>,
    who: &Principal,
    number: &E164,
    tld: &DomainName,
) -> Result<EnumNumberRow, OpError> {
    let row = tx.enum_number(number, tld).await?;
    row.filter(|row| who.reaches(row.ownership())).ok_or_else(|| not_found(number, tld).into())
}

async fn mappings_of(
    tx: &mut Tx<'_>,
    row: &EnumNumberRow,
) -> Result<Vec<EnumMappingRow>, StoreError> {
    Ok(tx.enum_mappings(&[row.id]).await?.remove(&row.id).unwrap_or_default())
}

/// Replaces the mappings of a number; one with the id of an old one keeps it (B106).
async fn write_mappings(
    tx: &mut Tx<'_>,
    number_id: i64,
    old: &[EnumMappingRow],
    new: &[Mapping],
) -> Result<(), StoreError> {
    let mut left: Vec<i64> = old.iter().map(|row| row.id).collect();
    for mapping in new {
        let known = left.iter().position(|id| Some(*id) == mapping.id);
        let id = known.map_or(0, |at| left.swap_remove(at));
        let row = EnumMappingRow {
            id,
            number_id,
            kind: mapping.kind.to_owned(),
            mapto: mapping.mapto.clone(),
            mapto_bare: mapping.bare.clone(),
            priority: i64::from(mapping.priority),
            ttl: i64::from(mapping.ttl),
        };
        if id == 0 {
            tx.insert_enum_mapping(&row).await?;
        } else {
            tx.update_enum_mapping(&row).await?;
        }
    }
    for id in left {
        tx.delete_enum_mapping(id).await?;
    }
    Ok(())
}

fn owner_name(number: &E164, tld: &DomainName) -> Result<DomainName, OpError> {
    ngn_dns::enum_name::owner(number, tld).map_err(|error| {
        Fault::client(code::INVALID_ARGUMENT, format!("number.id: {error}")).into()
    })
}

/// Takes the NAPTR records of a number out of its zone.
async fn withdraw(
    tx: &mut Tx<'_>,
    range: &EnumRangeRow,
    number: &E164,
    tld: &DomainName,
) -> Result<(), OpError> {
    let owner = owner_name(number, tld)?;
    tx.delete_records_at(range.domain_id, owner.as_str(), RecordOrigin::Enum).await?;
    Ok(())
}

/// Puts the NAPTR records of a number into its zone, which has none of it, and tells DNS servers (B110, B114).
async fn publish(
    tx: &mut Tx<'_>,
    range: &EnumRangeRow,
    number: &E164,
    tld: &DomainName,
    mappings: &[Mapping],
) -> Result<(), OpError> {
    let owner = owner_name(number, tld)?;
    let apex = apex_of(range)?;
    for mapping in mappings {
        let record = NewRecord {
            domain_id: range.domain_id,
            name: owner.to_string(),
            rtype: "NAPTR".to_owned(),
            content: mapping.content.clone(),
            ttl: rules::rrset_ttl(mappings),
            priority: 0,
            origin: RecordOrigin::Enum,
            value: None,
            owner: 0,
            record_key: None,
        };
        tx.insert_record(&record).await?;
    }
    tx.journal(Entity::RrSet, format!("{apex} {owner}"), Some(apex.as_str()), None, None);
    Ok(())
}

/// Key of a number in the journal.
fn key(number: &E164, tld: &DomainName) -> String {
    format!("{number}@{tld}")
}

fn fits_no_range(number: &E164, tld: &DomainName) -> Fault {
    Fault::client(
        code::NUMBER_FITS_NO_RANGE,
        format!("{number} lies in none of your ENUM ranges in {tld}; add one with addRange first"),
    )
}

fn not_found(number: &E164, tld: &DomainName) -> Fault {
    Fault::client(
        code::ENUM_NUMBER_NOT_FOUND,
        format!("there is no ENUM number {number} in {tld}; add it with addNumber"),
    )
}

fn exists(number: &E164, tld: &DomainName) -> Fault {
    Fault::client(
        code::ENUM_NUMBER_EXISTS,
        format!("the ENUM number {number} in {tld} exists already; change it with updateNumber"),
    )
}

fn wire(row: EnumNumberRow, mappings: Vec<EnumMappingRow>) -> EnumNumber {
    let mappings = mappings.into_iter().map(|mapping| EnumMapping {
        id: wire_int(mapping.id),
        r#type: Some(mapping.kind),
        mapto: Some(mapping.mapto),
        priority: wire_int(mapping.priority),
        ttl: wire_int(mapping.ttl),
    });
    EnumNumber {
        id: Some(EnumId { number: Some(row.number), tld: Some(row.tld) }),
        mappings: Some(mappings.collect()),
        info: row.info,
        owner: Some(row.owner),
        customer: Some(row.customer),
        reseller: Some(row.reseller),
        change_date: wire_time(row.change_date),
    }
}

fn snapshot(row: &EnumNumberRow, mappings: &[EnumMappingRow]) -> Value {
    let mappings: Vec<Value> = mappings
        .iter()
        .map(|mapping| {
            json!({
                "id": mapping.id, "type": mapping.kind, "mapto": mapping.mapto,
                "priority": mapping.priority, "ttl": mapping.ttl,
            })
        })
        .collect();
    json!({ "info": row.info, "owner": row.owner, "mappings": mappings })
}
