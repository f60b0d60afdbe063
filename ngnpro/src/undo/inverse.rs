//! The request that takes a change back, for each kind of record.

use super::NotUndone;
use super::record::Record;
use crate::ops::{
    Call, customers, dns_records, enum_numbers, enum_ranges, sip_accounts, sip_domains,
};
use ngn_model::Entity;
use ngn_soap::types as t;
use ngn_soap::{Request, customer, dns, enum_, sip};
use ngn_store::AuditRow;

/// A request, and what it does not bring back.
pub(super) struct Inverse {
    pub(super) request: Request,
    pub(super) losses: Vec<String>,
}

/// What a change did.
enum Change {
    Added,
    Removed(Record),
    Changed(Record, Record),
}

/// Finds the request that takes a change back.
pub(super) async fn inverse(
    call: &Call<'_>,
    row: &AuditRow,
    entity: Option<Entity>,
) -> Result<Inverse, NotUndone> {
    let (before, after) = (Record::read(row.before.as_deref()), Record::read(row.after.as_deref()));
    let change = match (before, after) {
        (None, Some(_)) => Change::Added,
        (Some(before), None) => Change::Removed(before),
        (Some(before), Some(after)) => Change::Changed(before, after),
        (None, None) => return Err(unsupported(row, "the journal does not say what it was")),
    };
    let key = row.key.as_str();
    match entity {
        Some(Entity::SipDomain) => sip_domain(call, key, change).await,
        Some(Entity::SipAccount) => sip_account(call, key, change).await,
        Some(Entity::SipAlias) => Ok(sip_alias(key, &change)),
        Some(Entity::Customer) => customer(call, key, change).await,
        Some(Entity::EnumRange) => enum_range(call, key, change).await,
        Some(Entity::EnumNumber) => Ok(enum_number(call, key, change).await?),
        Some(Entity::DnsZone) => dns_zone(call, key, change).await,
        Some(Entity::DnsRecord) => dns_record(row, key, &change),
        _ => Err(unsupported(
            row,
            "SIP domains, accounts with their groups, aliases, customers, ENUM ranges and numbers, DNS zones and \
             records can be; set the others to what `ngn journal` shows as before",
        )),
    }
}

fn unsupported(row: &AuditRow, what: &'static str) -> NotUndone {
    NotUndone::Unsupported { entity: row.entity.clone(), what }
}

/// Nothing of the change is lost.
fn whole(request: impl Into<Request>) -> Inverse {
    Inverse { request: request.into(), losses: Vec::new() }
}

fn at(key: &str) -> (Option<String>, Option<String>) {
    let (left, right) = key.rsplit_once('@').unwrap_or((key, ""));
    (Some(left.to_owned()), Some(right.to_owned()))
}

fn sip_id(address: &str) -> Option<t::SipId> {
    let (username, domain) = at(address);
    Some(t::SipId { username, domain })
}

async fn sip_domain(call: &Call<'_>, key: &str, change: Change) -> Result<Inverse, NotUndone> {
    let name = Some(key.to_owned());
    let build = |record: &Record, private_key| t::SipDomain {
        domain: name.clone(),
        customer: record.number("customer"),
        reseller: record.number("reseller"),
        certificate: record.text("certificate"),
        private_key,
        match_ip_address: record.text("match_ip_address"),
        match_sip_domain: record.text("match_sip_domain"),
        verify_cert: record.truth("verify_cert"),
        require_cert: record.truth("require_cert"),
        change_date: None,
    };
    let losses = |record: &Record, then: &str| {
        let lost = record.lost("private_key");
        lost.then(|| format!("the journal does not hold the TLS key; {then}")).into_iter().collect()
    };
    Ok(match change {
        Change::Added => whole(sip::DeleteDomain { domain: name }),
        Change::Removed(record) => Inverse {
            request: Request::from(sip::AddDomain { domain: Some(build(&record, None)) }),
            losses: losses(&record, "the domain would have none until updateDomain sets one"),
        },
        Change::Changed(record, _) => {
            let filter = t::SipDomainFilter { domain: name.clone(), ..Default::default() };
            let query = t::SipDomainQuery { filter: Some(filter), ..Default::default() };
            let (found, _) =
                sip_domains::list(call, sip::GetDomains { query: Some(query) }).await?;
            let now = found.domains.unwrap_or_default().into_iter().find(|d| d.domain == name);
            let kept = now.and_then(|domain| domain.private_key);
            let kept = kept.filter(|_| record.text("private_key").is_some());
            Inverse {
                request: Request::from(sip::UpdateDomain { domain: Some(build(&record, kept)) }),
                losses: losses(&record, "the one of now would stay"),
            }
        }
    })
}

fn sip_alias(key: &str, change: &Change) -> Inverse {
    let build = |record: &Record| t::SipAlias {
        id: sip_id(key),
        target: record.text("target").as_deref().and_then(sip_id),
        owner: record.number("owner"),
        ..Default::default()
    };
    match change {
        Change::Added => whole(sip::DeleteAlias { id: sip_id(key) }),
        Change::Removed(record) => whole(sip::AddAlias { alias: Some(build(record)) }),
        Change::Changed(record, _) => whole(sip::UpdateAlias { alias: Some(build(record)) }),
    }
}

async fn sip_account(call: &Call<'_>, key: &str, change: Change) -> Result<Inverse, NotUndone> {
    Ok(match change {
        Change::Added => whole(sip::DeleteAccount { sip_id: sip_id(key) }),
        Change::Removed(record) => {
            let mut account = t::SipAccount { id: sip_id(key), ..Default::default() };
            restore_account(&mut account, &record);
            Inverse {
                request: Request::from(sip::AddAccount { account: Some(account) }),
                losses: vec![
                    "the journal does not hold the password; nobody can log in until updateAccount sets one"
                        .to_owned(),
                    "free properties and what else belonged to the account (call diversions, barring, phone book, \
                     balance, devices) do not come back"
                        .to_owned(),
                ],
            }
        }
        Change::Changed(before, after) if !before.has("email") => {
            // addToGroup and removeFromGroup name the groups alone.
            let (old, new) = (before.texts("groups"), after.texts("groups"));
            let sip_id = sip_id(key);
            match (new.iter().find(|g| !old.contains(g)), old.iter().find(|g| !new.contains(g))) {
                (Some(added), _) => {
                    whole(sip::RemoveFromGroup { sip_id, group: Some(added.clone()) })
                }
                (None, removed) => whole(sip::AddToGroup { sip_id, group: removed.cloned() }),
            }
        }
        Change::Changed(before, _) => {
            let request = sip::GetAccount { sip_id: sip_id(key) };
            let (mut account, _) = sip_accounts::get(call, request).await?;
            // Without one, the password stays (B58).
            account.password = None;
            account.ha1 = None;
            restore_account(&mut account, &before);
            let lost =
                ["password", "ha1", "ha1b", "ha1_sha256"].iter().any(|name| before.lost(name));
            let loss = "the journal does not hold the password; the one of now would stay";
            Inverse {
                request: Request::from(sip::UpdateAccount { account: Some(account) }),
                losses: lost.then(|| loss.to_owned()).into_iter().collect(),
            }
        }
    })
}

fn restore_account(account: &mut t::SipAccount, record: &Record) {
    account.email = record.text("email");
    account.rpid = record.text("rpid");
    account.first_name = record.text("first_name");
    account.last_name = record.text("last_name");
    account.timezone = record.text("timezone");
    account.quota = record.number("quota");
    account.prepaid = record.truth("prepaid");
    account.quickdial_prefix = record.text("quickdial_prefix");
    account.region = record.text("region");
    account.timeout = record.number("timeout");
    account.call_limit = record.number("call_limit");
    account.owner = record.number("owner");
    account.groups = Some(record.texts("groups"));
    let entry = |entry: &Record| t::SubscriberACL {
        ip: entry.text("ip"),
        mask: entry.number("mask"),
        tag: entry.text("tag"),
    };
    account.acl = Some(record.written_list("acl").iter().map(entry).collect());
}

async fn customer(call: &Call<'_>, key: &str, change: Change) -> Result<Inverse, NotUndone> {
    let id: Option<i64> = key.parse().ok();
    Ok(match change {
        Change::Added => whole(customer::DeleteAccount { id }),
        Change::Removed(record) => {
            let mut account = t::CustomerAccount::default();
            restore_customer(&mut account, &record);
            account.properties = Some(properties(&record, &[]));
            // A reseller is its own; it gets another number.
            account.reseller = account.reseller.filter(|reseller| Some(*reseller) != id);
            let mut losses = vec![
                format!("the customer gets another number than {key}"),
                "the journal does not hold the password; nobody can log in until updateAccount sets one".to_owned(),
            ];
            losses.extend(lost_properties(&record));
            Inverse {
                request: Request::from(customer::AddAccount { account: Some(account) }),
                losses,
            }
        }
        Change::Changed(before, _) => {
            let (mut account, _) = customers::get(call, customer::GetAccount { id }).await?;
            account.password = None;
            if before.has("username") {
                restore_customer(&mut account, &before);
            }
            let now = account.properties.take().unwrap_or_default();
            account.properties = Some(properties(&before, &now));
            let loss = "the journal does not hold the password; the one of now would stay";
            let mut losses: Vec<String> =
                before.lost("password").then(|| loss.to_owned()).into_iter().collect();
            losses.extend(lost_properties(&before));
            Inverse {
                request: Request::from(customer::UpdateAccount { account: Some(account) }),
                losses,
            }
        }
    })
}

fn restore_customer(account: &mut t::CustomerAccount, record: &Record) {
    account.reseller = record.number("reseller");
    account.impersonate = record.number("impersonate");
    account.username = record.text("username");
    account.first_name = record.text("first_name");
    account.last_name = record.text("last_name");
    account.organization = record.text("organization");
    account.vat_number = record.text("vat_number");
    account.email = record.text("email");
    account.web = record.text("web");
    account.tel = record.text("tel");
    account.fax = record.text("fax");
    account.mobile = record.text("mobile");
    account.sip = record.text("sip");
    account.r#enum = record.text("enum");
    account.address = record.text("address");
    account.postcode = record.text("postcode");
    account.city = record.text("city");
    account.state = record.text("state");
    account.country = record.text("country");
    account.timezone = record.text("timezone");
    account.language = record.text("language");
    account.bank_account = record.text("bank_account");
    account.billing_address = record.text("billing_address");
    account.billing_email = record.text("billing_email");
    account.balance = record.number("balance").map(crate::ops::customers::from_millionths);
    account.credit = record.number("credit").map(crate::ops::customers::from_millionths);
    account.company_code = record.text("company_code");
    account.reseller_active = record.truth("reseller_active");
}

/// The properties of before; secret ones as they are now.
fn properties(record: &Record, now: &[t::CustomerProperty]) -> Vec<t::CustomerProperty> {
    record
        .list("properties")
        .iter()
        .filter_map(|property| {
            let name = property.text("name");
            let standing = now.iter().find(|now| now.name == name);
            if property.lost("text") {
                return standing.cloned();
            }
            Some(t::CustomerProperty {
                name,
                value: property.text("text"),
                category: standing.and_then(|standing| standing.category.clone()),
                permission: property.text("permission"),
            })
        })
        .collect()
}

fn lost_properties(record: &Record) -> Vec<String> {
    let hidden = record.list("properties").into_iter().filter(|property| property.lost("text"));
    hidden
        .filter_map(|property| property.text("name"))
        .map(|name| {
            format!("the journal does not hold the property {name}; it would be as it is now")
        })
        .collect()
}

async fn enum_range(call: &Call<'_>, key: &str, change: Change) -> Result<Inverse, NotUndone> {
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

async fn enum_number(call: &Call<'_>, key: &str, change: Change) -> Result<Inverse, NotUndone> {
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

async fn dns_zone(call: &Call<'_>, key: &str, change: Change) -> Result<Inverse, NotUndone> {
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

fn dns_record(row: &AuditRow, key: &str, change: &Change) -> Result<Inverse, NotUndone> {
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
