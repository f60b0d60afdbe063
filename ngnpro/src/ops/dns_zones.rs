//! DNS zones (B115-B117, B127, B128, B129a).

use super::credit::{self, Credit};
use super::{Call, Outcome, query_parts, required, stored, wire_time, wire_total};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use crate::rules::{dns_record, dns_zone};
use ngn_model::{CustomerId, DomainName, Entity, Ownership};
use ngn_soap::fault::code;
use ngn_soap::types::{DnsZone, DnsZones};
use ngn_soap::{Fault, dns};
use ngn_store::{DnsZoneRow, Filter, NewRecord, RecordOrigin, Tx};
use serde_json::{Value, json};

/// `addZone`.
pub async fn add(call: &Call<'_>, request: dns::AddZone) -> Outcome<DnsZone> {
    let who = call.require(Need::Create)?;
    let given = required(request.zone, "zone")?;
    let name = dns_zone::read_name(given.name.as_deref(), "zone.name")?;
    let row = attributes(&given, &name)?;
    let (who, given, name, row) = (&who, &given, &name, &row);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let (row, serial) = add_in(tx, call, who, given, name, row).await?;
                Ok::<_, OpError>(wire(row, serial))
            })
        })
        .await
}

/// Adds a zone with the attributes of a call; gives it with its serial.
pub(super) async fn add_in(
    tx: &mut Tx<'_>,
    call: &Call<'_>,
    who: &Principal,
    given: &DnsZone,
    name: &DomainName,
    row: &DnsZoneRow,
) -> Result<(DnsZoneRow, u32), OpError> {
    let owner = super::stamp(tx, who, given.customer, given.reseller).await?;
    if tx.zone_id(name).await?.is_some() {
        return Err(exists(name).into());
    }
    let mut row = row.clone();
    complete(tx, &mut row, name, owner, &call.settings.nameservers).await?;
    credit::check(call, tx, who, Credit::DnsZones, owner).await?;
    row.domain_id = tx.insert_zone(name).await.map_err(|error| {
        if error.is_duplicate() { exists(name).into() } else { OpError::from(error) }
    })?;
    tx.insert_dns_zone(&row).await?;
    let serial = next_serial(tx, name).await?;
    write_apex(tx, name, &row, serial).await?;
    tx.journal(Entity::DnsZone, name, None, None, Some(snapshot(&row)));
    tx.journal(Entity::Zone, name, Some(name.as_str()), None, None);
    row.change_date = tx.now();
    Ok((row, serial))
}

/// `updateZone`: replaces all attributes; missing name servers stay (B127).
pub async fn update(call: &Call<'_>, request: dns::UpdateZone) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let given = required(request.zone, "zone")?;
    let name = dns_zone::read_name(given.name.as_deref(), "zone.name")?;
    let row = attributes(&given, &name)?;
    let (who, given, name, row) = (&who, &given, &name, &row);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let old = reached(tx.lock_dns_zone(name).await?, who, name)?;
                update_in(tx, call, who, given, &old, row).await?;
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// Gives a zone that this transaction locked the attributes of a call; gives it as it is then.
pub(super) async fn update_in(
    tx: &mut Tx<'_>,
    call: &Call<'_>,
    who: &Principal,
    given: &DnsZone,
    old: &DnsZoneRow,
    row: &DnsZoneRow,
) -> Result<DnsZoneRow, OpError> {
    let name = &DomainName::new(&old.name)
        .map_err(|error| ngn_store::StoreError::corrupt("name of a zone", error))?;
    let owner = if who.has_reseller_rights() {
        super::restamp(tx, who, given.customer, given.reseller, owner(old)).await?
    } else {
        owner(old)
    };
    let mut row = DnsZoneRow { domain_id: old.domain_id, ..row.clone() };
    let servers = match &given.nameservers {
        Some(_) if !call.settings.nameservers.is_empty() => &call.settings.nameservers,
        _ => &old.nameservers,
    };
    complete(tx, &mut row, name, owner, servers).await?;
    tx.update_dns_zone(&row).await?;
    let serial = next_serial(tx, name).await?;
    write_apex(tx, name, &row, serial).await?;
    tx.journal(Entity::DnsZone, name, None, Some(snapshot(old)), Some(snapshot(&row)));
    let apex = format!("{name} {name}");
    tx.journal(Entity::RrSet, apex, Some(name.as_str()), None, None);
    Ok(row)
}

/// `deleteZone`: with its records (B128).
pub async fn delete(call: &Call<'_>, request: dns::DeleteZone) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let name = dns_zone::read_name(request.zone.as_deref(), "zone")?;
    let (who, name) = (&who, &name);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let found = tx.lock_dns_zone(name).await?;
                let old = reached(found, who, name)?;
                tx.delete_zone(old.domain_id).await?;
                tx.journal(Entity::DnsZone, name, None, Some(snapshot(&old)), None);
                tx.journal(Entity::Zone, name, Some(name.as_str()), None, None);
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getZone`.
pub async fn get(call: &Call<'_>, request: dns::GetZone) -> Outcome<DnsZone> {
    let who = call.require(Need::Login)?;
    let name = dns_zone::read_name(request.zone.as_deref(), "zone")?;
    let (who, name) = (&who, &name);
    let zone = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let row = reached(tx.dns_zone(name).await?, who, name)?;
                Ok::<_, OpError>(with_serials(tx, vec![row]).await?.pop())
            })
        })
        .await?;
    Ok((zone.ok_or_else(|| not_found(name))?, None))
}

/// `getZones`.
pub async fn list(call: &Call<'_>, request: dns::GetZones) -> Outcome<DnsZones> {
    let who = call.require(Need::Login)?;
    let (wanted, order, range) = query_parts!(request.query);
    let mut filter = Filter::new();
    filter
        .text_lower("d.name", wanted.name.as_deref())
        .text("z.info", wanted.info.as_deref())
        .number("z.customer", wanted.customer)
        .number("z.reseller", wanted.reseller);
    who.restrict(&mut filter, "z.customer", "z.reseller");
    let range = call.range(range.as_ref());
    let (filter, order) = (&filter, &order);
    let (zones, total) = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let page = tx.list_dns_zones(filter.clone(), order.as_ref(), range).await?;
                Ok::<_, OpError>((with_serials(tx, page.rows).await?, page.total))
            })
        })
        .await?;
    Ok((DnsZones { zones: Some(zones), total: wire_total(total) }, None))
}

/// A zone that exists and may be seen.
///
/// # Errors
///
/// 7000 otherwise.
pub(super) fn reached(
    row: Option<DnsZoneRow>,
    who: &Principal,
    name: &DomainName,
) -> Result<DnsZoneRow, Fault> {
    row.filter(|row| who.reaches(owner(row))).ok_or_else(|| not_found(name))
}

/// Who owns a zone and its records (B15).
pub(super) fn owner(row: &DnsZoneRow) -> Ownership {
    Ownership { customer: row.customer, reseller: row.reseller }
}

fn not_found(name: &DomainName) -> Fault {
    let text = format!("there is no DNS zone {name}; add it with addZone first");
    Fault::client(code::DNS_ZONE_NOT_FOUND, text)
}

pub(super) fn exists(name: &DomainName) -> Fault {
    let text = format!("the DNS zone {name} exists already; change it with updateZone");
    Fault::client(code::DNS_ZONE_EXISTS, text)
}

/// The attributes of a call; name servers and mail address are empty when it names none.
pub(super) fn attributes(given: &DnsZone, name: &DomainName) -> Result<DnsZoneRow, Fault> {
    let [refresh, retry, expire, minimum] = dns_zone::DEFAULT_TIMES;
    let email = given.email.as_deref().unwrap_or_default().trim();
    let servers = given.nameservers.as_deref().unwrap_or_default();
    let row = DnsZoneRow {
        name: name.to_string(),
        ttl: dns_zone::ttl(given.ttl, "zone.ttl")?,
        nameservers: dns_zone::nameservers(servers, name)?,
        refresh: dns_zone::time(given.refresh, refresh, false, "zone.refresh")?,
        retry: dns_zone::time(given.retry, retry, false, "zone.retry")?,
        expire: dns_zone::time(given.expire, expire, false, "zone.expire")?,
        minimum: dns_zone::time(given.minimum, minimum, true, "zone.minimum")?,
        email: email.to_owned(),
        info: stored(given.info.clone()),
        ..Default::default()
    };
    if !email.is_empty() {
        dns_zone::soa(name, &row.nameservers, email, 0, dns_zone::DEFAULT_TIMES)?;
    }
    Ok(row)
}

/// Fills in the owner and what the call does not name; `servers` stand for its name servers.
async fn complete(
    tx: &mut Tx<'_>,
    row: &mut DnsZoneRow,
    name: &DomainName,
    owner: Ownership,
    servers: &[String],
) -> Result<(), OpError> {
    row.customer = owner.customer;
    row.reseller = owner.reseller;
    if row.nameservers.is_empty() {
        row.nameservers = dns_zone::nameservers(servers, name)?;
    }
    if row.email.is_empty() {
        row.email = default_email(tx, owner.reseller, name).await?;
    }
    Ok(())
}

/// The reseller's property, then hostmaster of the zone (B115).
async fn default_email(
    tx: &mut Tx<'_>,
    reseller: CustomerId,
    name: &DomainName,
) -> Result<String, OpError> {
    let properties =
        if reseller > 0 { tx.customer_properties(reseller).await? } else { Vec::new() };
    let property = properties.into_iter().find(|property| property.name == "dns_admin_email");
    let email = property.and_then(|property| property.value);
    let email = email.map(|email| email.trim().to_owned()).filter(|email| !email.is_empty());
    Ok(email.unwrap_or_else(|| format!("hostmaster@{name}")))
}

/// Writes the SOA and NS records of a zone anew (B117, B129a). A name server that was a record of its own becomes the
/// zone's, and all NS records at the apex get the zone's time to live: an RRset has one (B129b).
async fn write_apex(
    tx: &mut Tx<'_>,
    name: &DomainName,
    zone: &DnsZoneRow,
    serial: u32,
) -> Result<(), OpError> {
    let times = [zone.refresh, zone.retry, zone.expire, zone.minimum];
    let soa = dns_zone::soa(name, &zone.nameservers, &zone.email, serial, times)?;
    let standing = tx.lock_records_at(zone.domain_id, name.as_str()).await?;
    tx.delete_records_at(zone.domain_id, name.as_str(), RecordOrigin::Zone).await?;
    let record = |rtype: &str, content: String, record_key| NewRecord {
        domain_id: zone.domain_id,
        name: name.to_string(),
        rtype: rtype.to_owned(),
        content,
        ttl: zone.ttl,
        priority: 0,
        origin: RecordOrigin::Zone,
        value: None,
        owner: 0,
        record_key,
    };
    tx.insert_record(&record("SOA", soa, None)).await?;
    for server in &zone.nameservers {
        let key = Some(dns_record::key(name, name.as_str(), "NS", server, 0));
        for same in standing.iter().filter(|row| row.record_key == key) {
            if let Some(old) = tx.dns_record(same.id).await? {
                tx.delete_record(same.id).await?;
                tx.journal(
                    Entity::DnsRecord,
                    same.id,
                    None,
                    Some(super::dns_records::snapshot(&old)),
                    None,
                );
            }
        }
        tx.insert_record(&record("NS", server.clone(), key)).await?;
    }
    if standing.iter().any(|row| row.rtype == "NS" && row.ttl != i64::from(zone.ttl)) {
        tx.set_rrset_ttl(zone.domain_id, name.as_str(), "NS", zone.ttl).await?;
    }
    Ok(())
}

/// The serial that the zone has once this transaction is committed; it notes one row for the zone.
async fn next_serial(tx: &mut Tx<'_>, name: &DomainName) -> Result<u32, OpError> {
    let now = tx.serials(&[name.as_str()]).await?.pop().map_or(0, |(_, serial)| serial);
    Ok(now.wrapping_add(1))
}

async fn with_serials(tx: &mut Tx<'_>, rows: Vec<DnsZoneRow>) -> Result<Vec<DnsZone>, OpError> {
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let serials = tx.serials(&names).await?;
    Ok(rows.into_iter().zip(serials).map(|(row, (_, serial))| wire(row, serial)).collect())
}

fn wire(row: DnsZoneRow, serial: u32) -> DnsZone {
    let seconds = |seconds: u32| Some(i32::try_from(seconds).unwrap_or(i32::MAX));
    DnsZone {
        name: Some(row.name),
        ttl: Some(row.ttl),
        nameservers: Some(row.nameservers),
        email: Some(row.email),
        // On the wire it is a signed number of 32 bits (R14).
        serial: Some(serial.cast_signed()),
        refresh: seconds(row.refresh),
        retry: seconds(row.retry),
        expire: seconds(row.expire),
        minimum: seconds(row.minimum),
        customer: Some(row.customer),
        reseller: Some(row.reseller),
        change_date: wire_time(row.change_date),
        info: row.info,
    }
}

fn snapshot(row: &DnsZoneRow) -> Value {
    json!({
        "name": row.name, "customer": row.customer, "reseller": row.reseller, "ttl": row.ttl,
        "email": row.email, "nameservers": row.nameservers, "refresh": row.refresh, "retry": row.retry,
        "expire": row.expire, "minimum": row.minimum, "info": row.info,
    })
}
