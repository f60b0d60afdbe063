//! ENUM ranges (B100-B103, B110, B111); each makes a zone (B114, B129a).

use super::credit::{self, Credit};
use super::{Call, Outcome, query_parts, required, stored, wire_int, wire_time, wire_total};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use crate::rules::dns_zone::{self, DEFAULT_TIMES, DEFAULT_TTL};
use crate::rules::enum_::{is_country, read_limit, read_nameservers, read_range_id};
use ngn_model::{DomainName, E164, Entity};
use ngn_soap::fault::code;
use ngn_soap::types::{EnumRange, EnumRangeId, EnumRanges};
use ngn_soap::{Fault, enum_};
use ngn_store::{EnumRangeRow, Filter, NewRecord, RangeHold, RecordOrigin, StoreError, Tx};
use serde_json::{Value, json};

/// The property of a reseller that holds the mail address of its zones (B115).
const EMAIL_PROPERTY: &str = "dns_admin_email";

/// `addRange`.
pub async fn add(call: &Call<'_>, request: enum_::AddRange) -> Outcome<EnumRange> {
    let who = call.require(Need::Create)?;
    let given = required(request.range, "range")?;
    let (prefix, tld) = read_range_id(given.id.as_ref(), "range.id")?;
    if is_country(&prefix) && !who.is_administrator() {
        return Err(Fault::client(
            code::ADMINISTRATOR_ONLY,
            format!("the prefix {prefix} holds a whole country; ask the administrator, or add a longer prefix"),
        )
        .into());
    }
    let apex = ngn_dns::enum_name::apex(&prefix, &tld)
        .map_err(|error| Fault::client(code::INVALID_ARGUMENT, format!("range.id: {error}")))?;
    let mut row = attributes(call, &given, None)?;
    row.prefix = prefix.to_string();
    row.tld = tld.to_string();
    row.zone = apex.to_string();
    let (who, given, row, prefix, tld, apex) = (&who, &given, &row, &prefix, &tld, &apex);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let owner = super::stamp(tx, who, given.customer, given.reseller).await?;
                let around = enclosing(tx, who, prefix, tld).await?;
                if tx.enum_range(prefix, tld).await?.is_some() || tx.zone_id(apex).await?.is_some()
                {
                    return Err(exists(row).into());
                }
                credit::check(call, tx, who, Credit::EnumRanges, owner).await?;
                let mut row = EnumRangeRow {
                    customer: owner.customer,
                    reseller: owner.reseller,
                    ..row.clone()
                };
                let duplicate = |error: StoreError, row: &EnumRangeRow| {
                    if error.is_duplicate() { exists(row).into() } else { OpError::from(error) }
                };
                row.domain_id =
                    tx.insert_zone(apex).await.map_err(|error| duplicate(error, &row))?;
                row.id =
                    tx.insert_enum_range(&row).await.map_err(|error| duplicate(error, &row))?;
                let serial = write_apex(tx, &row, apex).await?;
                let key = key(prefix, tld);
                tx.journal(Entity::EnumRange, key, None, None, Some(snapshot(&row)));
                tx.journal(Entity::Zone, apex, Some(apex.as_str()), None, None);
                if let Some(around) = around {
                    row.used = i64::try_from(tx.move_enum_numbers(&around, &row).await?)
                        .unwrap_or(i64::MAX);
                    if row.used > 0 {
                        let zone = around.zone.as_str();
                        tx.journal(Entity::Zone, zone, Some(zone), None, None);
                    }
                }
                row.change_date = tx.now();
                Ok::<_, OpError>(wire(row, serial))
            })
        })
        .await
}

/// The next shorter range, held exclusively: its numbers that begin with the prefix will move (B114).
async fn enclosing(
    tx: &mut Tx<'_>,
    who: &Principal,
    prefix: &E164,
    tld: &DomainName,
) -> Result<Option<EnumRangeRow>, OpError> {
    for id in tx.enum_ranges_around(prefix, tld).await? {
        let Some(range) = tx.hold_enum_range(id, RangeHold::Exclusive).await? else { continue };
        if range.prefix == prefix.digits() {
            return Ok(None);
        }
        if !who.reaches(range.owner()) && tx.enum_range_reaches(id, prefix).await? {
            return Err(Fault::client(
                code::NO_PERMISSION,
                format!("numbers that begin with {prefix} are in use by somebody else; ask the administrator"),
            )
            .into());
        }
        return Ok(Some(range));
    }
    Ok(None)
}

/// `updateRange`: replaces all attributes; missing name servers stay.
pub async fn update(call: &Call<'_>, request: enum_::UpdateRange) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let given = required(request.range, "range")?;
    let (prefix, tld) = read_range_id(given.id.as_ref(), "range.id")?;
    let row = attributes(call, &given, Some(""))?;
    let (who, given, prefix, tld, row) = (&who, &given, &prefix, &tld, &row);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let old = lock(tx, who, prefix, tld).await?;
                let owner = if who.has_reseller_rights() {
                    let before = old.owner();
                    super::restamp(tx, who, given.customer, given.reseller, before).await?
                } else {
                    old.owner()
                };
                let mut row = row.clone();
                if given.nameservers.is_none() {
                    row.nameservers.clone_from(&old.nameservers);
                }
                row.id = old.id;
                row.prefix.clone_from(&old.prefix);
                row.tld.clone_from(&old.tld);
                row.domain_id = old.domain_id;
                row.zone.clone_from(&old.zone);
                row.customer = owner.customer;
                row.reseller = owner.reseller;
                tx.update_enum_range(&row).await?;
                let apex = apex_of(&row)?;
                let zone = apex.as_str();
                tx.delete_records_at(row.domain_id, zone, RecordOrigin::Zone).await?;
                write_apex(tx, &row, &apex).await?;
                let (before, after) = (snapshot(&old), snapshot(&row));
                tx.journal(Entity::EnumRange, key(prefix, tld), None, Some(before), Some(after));
                tx.journal(Entity::RrSet, format!("{zone} {zone}"), Some(zone), None, None);
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `deleteRange` (B111).
pub async fn delete(call: &Call<'_>, request: enum_::DeleteRange) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let (prefix, tld) = read_range_id(request.range.as_ref(), "range")?;
    let (who, prefix, tld) = (&who, &prefix, &tld);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let old = lock(tx, who, prefix, tld).await?;
                if tx.enum_range_in_use(old.id).await? {
                    return Err(Fault::client(
                        code::ENUM_RANGE_IN_USE,
                        format!("the range {prefix} still has numbers; delete them first"),
                    )
                    .into());
                }
                tx.delete_enum_range(old.id).await?;
                tx.delete_zone(old.domain_id).await?;
                tx.journal(Entity::EnumRange, key(prefix, tld), None, Some(snapshot(&old)), None);
                let zone = old.zone.as_str();
                tx.journal(Entity::Zone, zone, Some(zone), None, None);
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getRanges`.
pub async fn list(call: &Call<'_>, request: enum_::GetRanges) -> Outcome<EnumRanges> {
    let who = call.require(Need::Login)?;
    let (wanted, order, range) = query_parts!(request.query);
    let mut filter = Filter::new();
    filter
        .text_lower("r.prefix", wanted.prefix.as_deref())
        .text_lower("r.tld", wanted.tld.as_deref())
        .text("r.info", wanted.info.as_deref())
        .number("r.customer", wanted.customer)
        .number("r.reseller", wanted.reseller);
    who.restrict(&mut filter, "r.customer", "r.reseller");
    let range = call.range(range.as_ref());
    let (filter, order) = (&filter, &order);
    let (page, serials) = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let page = tx.list_enum_ranges(filter.clone(), order.as_ref(), range).await?;
                let zones: Vec<&str> = page.rows.iter().map(|row| row.zone.as_str()).collect();
                let serials = tx.serials(&zones).await?;
                Ok::<_, OpError>((page, serials))
            })
        })
        .await?;
    let total = wire_total(page.total);
    let rows = page.rows.into_iter().zip(serials);
    let ranges = rows.map(|(row, (_, serial))| wire(row, serial)).collect();
    Ok((EnumRanges { ranges: Some(ranges), total }, None))
}

/// A range that exists and may be changed, held exclusively.
async fn lock(
    tx: &mut Tx<'_>,
    who: &Principal,
    prefix: &E164,
    tld: &DomainName,
) -> Result<EnumRangeRow, OpError> {
    let row = match tx.enum_range(prefix, tld).await? {
        Some(row) => tx.hold_enum_range(row.id, RangeHold::Exclusive).await?,
        None => None,
    };
    row.filter(|row| who.reaches(row.owner())).ok_or_else(|| {
        Fault::client(
            code::ENUM_RANGE_NOT_FOUND,
            format!(
                "there is no ENUM range {prefix} in {tld}; getRanges lists those that you may see"
            ),
        )
        .into()
    })
}

fn exists(row: &EnumRangeRow) -> Fault {
    Fault::client(
        code::ENUM_RANGE_EXISTS,
        format!("the ENUM range {}, or the DNS zone {}, exists already", row.prefix, row.zone),
    )
}

/// Key of a range in the journal.
fn key(prefix: &E164, tld: &DomainName) -> String {
    format!("{prefix}@{tld}")
}

/// The name of a range's zone.
pub(super) fn apex_of(row: &EnumRangeRow) -> Result<DomainName, OpError> {
    DomainName::new(&row.zone)
        .map_err(|error| StoreError::corrupt("zone of an ENUM range", error).into())
}

/// Writes SOA and NS of a range's zone; gives the serial that it has once the transaction commits with one
/// journal row of the zone.
async fn write_apex(
    tx: &mut Tx<'_>,
    row: &EnumRangeRow,
    apex: &DomainName,
) -> Result<u32, OpError> {
    let zone = apex.as_str();
    let serial = tx.serials(&[zone]).await?.pop().map_or(0, |(_, serial)| serial);
    let serial = serial.wrapping_add(1);
    let names = nameservers(row);
    let ttl = u32::try_from(row.ttl).unwrap_or(DEFAULT_TTL);
    let email = stored(tx.customer_property(row.reseller, EMAIL_PROPERTY).await?);
    let soa = |email: &str| dns_zone::soa(apex, &names, email, serial, DEFAULT_TIMES);
    // What stands in the property may be no address; the caller of this operation cannot help that.
    let soa = match email.map(|email| soa(email.trim())) {
        Some(Ok(content)) => content,
        _ => soa(&format!("hostmaster@{apex}"))?,
    };
    let soa = ("SOA", soa);
    for (rtype, content) in std::iter::once(soa).chain(names.into_iter().map(|name| ("NS", name))) {
        let record = NewRecord {
            domain_id: row.domain_id,
            name: zone.to_owned(),
            rtype: rtype.to_owned(),
            content,
            ttl,
            priority: 0,
            origin: RecordOrigin::Zone,
            value: None,
            owner: 0,
            record_key: None,
        };
        tx.insert_record(&record).await?;
    }
    Ok(serial)
}

fn nameservers(row: &EnumRangeRow) -> Vec<String> {
    serde_json::from_str(&row.nameservers).unwrap_or_default()
}

/// What a caller may set. `kept` are the name servers, as JSON, of a range that names none.
fn attributes(
    call: &Call<'_>,
    given: &EnumRange,
    kept: Option<&str>,
) -> Result<EnumRangeRow, Fault> {
    let names = match (&given.nameservers, kept) {
        (None, Some(kept)) => kept.to_owned(),
        (given, _) => {
            let names = given.as_deref().unwrap_or_default();
            let mut names = read_nameservers(names, "range.nameservers")?;
            if names.is_empty() {
                names = read_nameservers(&call.settings.nameservers, "the server's name servers")?;
            }
            json!(names).to_string()
        }
    };
    let row = EnumRangeRow {
        ttl: i64::from(dns_zone::ttl(given.ttl, "range.ttl")?),
        min_digits: read_limit(given.min_digits, "range.minDigits")?,
        max_digits: read_limit(given.max_digits, "range.maxDigits")?,
        size: read_limit(given.size, "range.size")?,
        nameservers: names,
        info: stored(given.info.clone()),
        ..Default::default()
    };
    if row.max_digits > 0 && row.max_digits < row.min_digits {
        return Err(Fault::client(
            code::INVALID_ARGUMENT,
            format!(
                "range.maxDigits {} is less than range.minDigits {}",
                row.max_digits, row.min_digits
            ),
        ));
    }
    Ok(row)
}

fn wire(row: EnumRangeRow, serial: u32) -> EnumRange {
    let nameservers = Some(nameservers(&row));
    EnumRange {
        id: Some(EnumRangeId { prefix: Some(row.prefix), tld: Some(row.tld) }),
        ttl: u32::try_from(row.ttl).ok(),
        min_digits: wire_int(row.min_digits),
        max_digits: wire_int(row.max_digits),
        size: wire_int(row.size),
        nameservers,
        used: wire_int(row.used),
        serial: wire_int(i64::from(serial)),
        customer: Some(row.customer),
        reseller: Some(row.reseller),
        change_date: wire_time(row.change_date),
        info: row.info,
    }
}

fn snapshot(row: &EnumRangeRow) -> Value {
    json!({
        "zone": row.zone, "ttl": row.ttl, "min_digits": row.min_digits, "max_digits": row.max_digits,
        "size": row.size, "nameservers": nameservers(row), "info": row.info, "customer": row.customer,
        "reseller": row.reseller,
    })
}
