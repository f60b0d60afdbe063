//! ENUM ranges and numbers, DNS zones and records.

use super::{Change, Inverse, at, unsupported, whole};
use crate::ops::{Call, dns_records, enum_numbers, enum_ranges};
use crate::undo::NotUndone;
use crate::undo::record::Record;
use ngn_soap::types as t;
use ngn_soap::{Request, dns, enum_};
use ngn_store::AuditRow;

pub(super) async fn enum_range(
    call: &Call<'_>,
    key: &str,
    change: Change,
) -> Result<Inverse, NotUndone> {
    let (prefix, tld) = at(key);
    let id = Some(t::EnumRangeId { prefix: prefix.clone(), tld });
    let build = |record: &Record| t::EnumRange {
        id: id.clone(),
        ttl: record.number("ttl"),
        min_digits: record.number("min_digits"),
        max_digits: record.number("max_digits"),
        size: record.number("size"),
        nameservers: Some(record.texts("nameservers")),
        customer: record.number("customer"),
        reseller: record.number("reseller"),
        info: record.text("info"),
        ..Default::default()
    };
    Ok(match change {
        Change::Added => {
            let filter = t::EnumRangeFilter { prefix, ..Default::default() };
            let query = t::EnumRangeQuery { filter: Some(filter), ..Default::default() };
            let (found, _) =
                enum_ranges::list(call, enum_::GetRanges { query: Some(query) }).await?;
            let ranges = found.ranges.unwrap_or_default();
            let used = ranges.iter().find(|range| range.id == id).and_then(|range| range.used);
            if let Some(used) = used.filter(|used| *used > 0) {
                return Err(NotUndone::More(format!("the {used} numbers of the range")));
            }
            whole(enum_::DeleteRange { range: id })
        }
        Change::Removed(record) => whole(enum_::AddRange { range: Some(build(&record)) }),
        Change::Changed(record, _) => whole(enum_::UpdateRange { range: Some(build(&record)) }),
    })
}

pub(super) async fn enum_number(
    call: &Call<'_>,
    key: &str,
    change: Change,
) -> Result<Inverse, NotUndone> {
    let (number, tld) = at(key);
    let id = Some(t::EnumId { number, tld });
    let build = |record: &Record, standing: &[t::EnumMapping]| {
        let mapping = |mapping: &Record| {
            let number: Option<i32> = mapping.number("id");
            t::EnumMapping {
                id: number.filter(|_| standing.iter().any(|standing| standing.id == number)),
                r#type: mapping.text("type"),
                mapto: mapping.text("mapto"),
                priority: mapping.number("priority"),
                ttl: mapping.number("ttl"),
            }
        };
        Some(t::EnumNumber {
            id: id.clone(),
            mappings: Some(record.list("mappings").iter().map(mapping).collect()),
            info: record.text("info"),
            owner: record.number("owner"),
            ..Default::default()
        })
    };
    Ok(match change {
        Change::Added => whole(enum_::DeleteNumber { enum_id: id.clone() }),
        Change::Removed(record) => whole(enum_::AddNumber { number: build(&record, &[]) }),
        Change::Changed(record, _) => {
            let (now, _) =
                enum_numbers::get(call, enum_::GetNumber { enum_id: id.clone() }).await?;
            let standing = now.mappings.unwrap_or_default();
            whole(enum_::UpdateNumber { number: build(&record, &standing) })
        }
    })
}

pub(super) async fn dns_zone(
    call: &Call<'_>,
    key: &str,
    change: Change,
) -> Result<Inverse, NotUndone> {
    let name = Some(key.to_owned());
    let build = |record: &Record| {
        Some(t::DnsZone {
            name: name.clone(),
            ttl: record.number("ttl"),
            nameservers: Some(record.texts("nameservers")),
            email: record.text("email"),
            refresh: record.number("refresh"),
            retry: record.number("retry"),
            expire: record.number("expire"),
            minimum: record.number("minimum"),
            customer: record.number("customer"),
            reseller: record.number("reseller"),
            info: record.text("info"),
            ..Default::default()
        })
    };
    Ok(match change {
        Change::Added => {
            let filter = t::DnsRecordFilter { zone: name.clone(), ..Default::default() };
            let query = t::DnsRecordQuery { filter: Some(filter), ..Default::default() };
            let (found, _) = dns_records::list(call, dns::GetRecords { query: Some(query) }).await?;
            let records = found.records.unwrap_or_default();
            let own = |record: &&t::DnsRecord| {
                let apex = record.name == name;
                record.zone == name && !(apex && matches!(record.r#type.map(t::DnsRecordType::as_str), Some("SOA" | "NS")))
            };
            let count = records.iter().filter(own).count();
            if count > 0 {
                return Err(NotUndone::More(format!("the {count} records of the zone")));
            }
            whole(dns::DeleteZone { zone: name })
        }
        Change::Removed(record) => Inverse {
            request: Request::from(dns::AddZone { zone: build(&record) }),
            losses: vec!["deleteZone removed the zone's records, which the journal does not hold; the zone would \
                          come back with its SOA and NS records alone"
                .to_owned()],
        },
        Change::Changed(record, _) => whole(dns::UpdateZone { zone: build(&record) }),
    })
}

pub(super) fn dns_record(row: &AuditRow, key: &str, change: &Change) -> Result<Inverse, NotUndone> {
    let id: Option<i64> = key.parse().ok();
    let (record, fresh) = match change {
        Change::Added => return Ok(whole(dns::DeleteRecord { record_id: id })),
        Change::Removed(record) => (record, true),
        Change::Changed(record, _) => (record, false),
    };
    let id = id.filter(|_| !fresh);
    let kind = record.text("type").unwrap_or_default();
    let zone = record.text("zone");
    let (name, value) = (record.text("name"), record.text("value"));
    let owner = record.number("owner");
    if let Some(kind) = t::DnsFancyRecordType::from_name(&kind) {
        let record = t::DnsFancyRecord {
            id,
            zone,
            name,
            r#type: Some(kind),
            value,
            owner,
            ..Default::default()
        };
        let record = Some(record);
        return Ok(if fresh {
            whole(dns::AddFancyRecord { record })
        } else {
            whole(dns::UpdateFancyRecord { record })
        });
    }
    let Some(kind) = t::DnsRecordType::from_name(&kind) else {
        return Err(unsupported(row, "its type is not one that the API writes"));
    };
    let record = Some(t::DnsRecord {
        id,
        zone,
        name,
        r#type: Some(kind),
        ttl: record.number("ttl"),
        value,
        priority: record.number("priority"),
        owner,
        ..Default::default()
    });
    Ok(if fresh { whole(dns::AddRecord { record }) } else { whole(dns::UpdateRecord { record }) })
}
