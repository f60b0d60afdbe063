//! What the records of a master file are by the rules of the Dns port, before any of them is written.

use crate::ops::dns_zones;
use crate::rules::{dns_record, dns_zone};
use ngn_dns::master::{Entry, Mistake, Place};
use ngn_dns::name::Name;
use ngn_dns::rdata::RecordType;
use ngn_model::DomainName;
use ngn_soap::Fault;
use ngn_soap::types::{DnsRecordType, DnsZone};
use ngn_store::{DnsZoneRow, NewRecord, RecordOrigin};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A zone as a file has it.
#[derive(Debug)]
pub(super) struct Plan {
    /// Its attributes, when the file has an SOA record.
    pub(super) zone: Option<(DnsZone, DnsZoneRow)>,
    /// The serial of that.
    pub(super) serial: u32,
    /// The records at its apex that are the zone's own when the zone is made of the file (B117).
    pub(super) name_servers: Vec<NewRecord>,
    /// All others, each once; their zone's row is not known yet.
    pub(super) records: Vec<NewRecord>,
    /// What is taken otherwise than the file has it, a sentence each.
    pub(super) notes: Vec<String>,
}

/// Reads the entries by the rules; what is wrong is told with its place.
pub(super) fn plan(apex: &DomainName, entries: &[Entry]) -> Result<Plan, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let name = Name::from(apex);
    let mut soa: Option<&Entry> = None;
    let mut data: Vec<&Entry> = Vec::with_capacity(entries.len());
    let mut signatures = 0_usize;
    for entry in entries {
        let mistake = |what: String| Mistake { place: entry.place, what };
        if !entry.owner.is_within(&name) {
            let what = format!(
                "{} lies outside of the zone {apex}; name another zone, or take it out",
                entry.owner
            );
            mistakes.push(mistake(what));
        } else if entry.kind == RecordType::SOA {
            if entry.owner != name {
                mistakes.push(mistake(format!(
                    "an SOA record stands at {apex} alone, and not at {}",
                    entry.owner
                )));
            } else if let Some(first) = soa {
                mistakes.push(mistake(format!(
                    "the zone has its SOA record at {} already",
                    first.place
                )));
            } else {
                soa = Some(entry);
            }
        } else if is_signing(entry.kind) {
            signatures += 1;
        } else {
            data.push(entry);
        }
    }
    alone(apex, &data, &mut mistakes);
    let mut notes = Vec::new();
    if signatures > 0 {
        notes.push(format!(
            "{signatures} records of DNSSEC are left out: `ngn zone sign` signs a zone with keys of its own"
        ));
    }
    let records = records(apex, &data, &mut mistakes, &mut notes);
    let (name_servers, records): (Vec<NewRecord>, Vec<NewRecord>) = records
        .into_iter()
        .partition(|record| record.rtype == "NS" && record.name == apex.as_str());
    let zone = soa.map(|soa| zone(apex, soa, &name_servers, &mut notes));
    let zone = match zone {
        Some(Err(mistake)) => {
            mistakes.push(mistake);
            None
        }
        Some(Ok((serial, zone, row))) => Some((serial, (zone, row))),
        None => None,
    };
    if !mistakes.is_empty() {
        mistakes.sort_by_key(|mistake| mistake.place);
        return Err(mistakes);
    }
    let (serial, zone) = zone.unzip();
    Ok(Plan { zone, serial: serial.unwrap_or_default(), name_servers, records, notes })
}

/// What a server that signs makes by itself (RFC 4034, RFC 5155, RFC 7344).
const fn is_signing(kind: RecordType) -> bool {
    matches!(
        kind,
        RecordType::RRSIG
            | RecordType::NSEC
            | RecordType::NSEC3
            | RecordType::NSEC3PARAM
            | RecordType::DNSKEY
            | RecordType::CDS
            | RecordType::CDNSKEY
    )
}

/// A CNAME is alone at its name, and none is at the apex (B119).
fn alone(apex: &DomainName, data: &[&Entry], mistakes: &mut Vec<Mistake>) {
    let mut at: HashMap<&Name, Vec<&Entry>> = HashMap::new();
    for entry in data {
        at.entry(&entry.owner).or_default().push(entry);
    }
    let name = Name::from(apex);
    for entry in data.iter().filter(|entry| entry.kind == RecordType::CNAME) {
        let others = at.get(&entry.owner).map(Vec::as_slice).unwrap_or_default();
        let other =
            others.iter().find(|other| other.kind != entry.kind || other.value != entry.value);
        let what = if entry.owner == name {
            format!(
                "a CNAME cannot stand at {apex}, where SOA and NS are; write A or AAAA records there"
            )
        } else if let Some(other) = other {
            format!(
                "a CNAME must be the only record of {}, and a {} stands at {}",
                entry.owner, other.kind, other.place
            )
        } else {
            continue;
        };
        mistakes.push(Mistake { place: entry.place, what });
    }
}

fn records(
    apex: &DomainName,
    data: &[&Entry],
    mistakes: &mut Vec<Mistake>,
    notes: &mut Vec<String>,
) -> Vec<NewRecord> {
    let mut records: Vec<NewRecord> = Vec::with_capacity(data.len());
    let mut seen: BTreeSet<String> = BTreeSet::new();
    // One RRset has one TTL, the latest written (B129b).
    let mut ttls: BTreeMap<(String, String), u32> = BTreeMap::new();
    let (mut twice, mut zero, mut several) = (0_usize, 0_usize, 0_usize);
    for entry in data {
        zero += usize::from(entry.ttl == 0);
        match record(apex, entry) {
            Err((place, fault)) => mistakes.push(Mistake { place, what: fault.text }),
            Ok(record) => {
                let set = (record.name.clone(), record.rtype.clone());
                let before = ttls.insert(set, record.ttl);
                several += usize::from(before.is_some_and(|ttl| ttl != record.ttl));
                if record.record_key.as_ref().is_some_and(|key| !seen.insert(key.clone())) {
                    twice += 1;
                } else {
                    records.push(record);
                }
            }
        }
    }
    for record in &mut records {
        if let Some(ttl) = ttls.get(&(record.name.clone(), record.rtype.clone())) {
            record.ttl = *ttl;
        }
    }
    let mut note = |count: usize, text: &str| {
        if count > 0 {
            notes.push(format!("{count} {text}"));
        }
    };
    note(twice, "records stand there twice and are taken once");
    note(zero, "records have no time to live and get 3600 seconds");
    note(
        several,
        "records have another time to live than those before of their name and type; the last one counts",
    );
    records
}

/// A record by the rules of `addRecord`; types that the port does not know are stored as they are served.
fn record(apex: &DomainName, entry: &Entry) -> Result<NewRecord, (Place, Fault)> {
    let owner = format!("{}.", entry.owner);
    let name = dns_record::owner_name(Some(&owner), apex).map_err(|fault| (entry.place, fault))?;
    let rtype = entry.kind.to_string();
    let written = if DnsRecordType::from_name(&rtype).is_some() {
        let written = dns_record::write(&rtype, &entry.value, Some(entry.priority), 0, apex);
        written.map_err(|fault| (entry.data_place, fault))?
    } else {
        let content = ngn_dns::master::content(entry.kind, &entry.value);
        dns_record::Written { content, value: None, priority: 0 }
    };
    let ttl =
        dns_zone::ttl(Some(entry.ttl), "the time to live").map_err(|fault| (entry.place, fault))?;
    let key = dns_record::key(apex, &name, &rtype, &written.content, written.priority);
    Ok(NewRecord {
        domain_id: 0,
        name,
        rtype,
        content: written.content,
        ttl,
        priority: written.priority,
        origin: RecordOrigin::Api,
        value: written.value,
        owner: 0,
        record_key: Some(key),
    })
}

/// The attributes of the zone (B115, B117): those of its SOA and NS records, and its serial.
fn zone(
    apex: &DomainName,
    soa: &Entry,
    servers: &[NewRecord],
    notes: &mut Vec<String>,
) -> Result<(u32, DnsZone, DnsZoneRow), Mistake> {
    let wrong = |what: String| Mistake { place: soa.data_place, what };
    let words: Vec<&str> = soa.value.split(' ').collect();
    let [mname, rname, serial, refresh, retry, expire, minimum] = words.as_slice() else {
        return Err(wrong("an SOA record has seven words".to_owned()));
    };
    let email = email(rname).ok_or_else(|| {
        wrong(format!("`{rname}` is no mail address; write the address with a dot instead of @, and a final dot"))
    })?;
    let time = |word: &str| word.parse::<i32>().ok();
    let mut names: Vec<String> =
        servers.iter().map(|record| format!("{}.", record.content)).collect();
    match names.iter().position(|name| name.eq_ignore_ascii_case(mname)) {
        Some(at) => names.swap(0, at),
        None => notes.extend(names.first().map(|first| {
            format!("the SOA record names {mname}, which is no name server of the zone; it will name {first}")
        })),
    }
    let given = DnsZone {
        name: Some(apex.to_string()),
        ttl: Some(soa.ttl),
        nameservers: Some(names),
        email: Some(email),
        refresh: time(refresh),
        retry: time(retry),
        expire: time(expire),
        minimum: time(minimum),
        ..DnsZone::default()
    };
    let row = dns_zones::attributes(&given, apex).map_err(|fault| wrong(fault.text))?;
    Ok((serial.parse().unwrap_or_default(), given, row))
}

/// The mail address of a name: the first label is what stands before the @ (RFC 1035 section 8).
fn email(rname: &str) -> Option<String> {
    let name = Name::parse(rname).ok()?;
    let length = usize::from(*name.as_wire().first()?);
    let local = std::str::from_utf8(name.as_wire().get(1..=length)?).ok()?;
    let domain = name.parent().filter(|parent| parent.label_count() > 0)?;
    (!local.is_empty()).then(|| format!("{local}@{domain}"))
}
