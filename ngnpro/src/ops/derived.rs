//! What DNS servers see of fancy records (B125): names of web redirects have the addresses of the redirect service, domains
//! of forwarded mail have the mail host. What the zone's owner wrote at the name goes before that.

use super::Call;
use crate::config::Provisioning;
use crate::fault::OpError;
use crate::rules::dns_zone::DEFAULT_TTL;
use ngn_model::Entity;
use ngn_store::{Actor, NewRecord, RecordAtName, RecordOrigin, Store, StoreError, Tx};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Preference of the mail host.
const PREFERENCE: u16 = 10;

/// Whether changes of a type of records say anything about what is made here.
fn matters(rtype: &str) -> bool {
    matches!(rtype, "URL" | "MBOXFW" | "A" | "AAAA" | "MX" | "CNAME")
}

/// Brings up to date what a zone has at the name of a record that changed.
pub(super) async fn follow(
    tx: &mut Tx<'_>,
    call: &Call<'_>,
    (domain_id, zone): (i64, &str),
    (name, rtype): (&str, &str),
) -> Result<(), OpError> {
    if matters(rtype) {
        at(tx, call.settings, (domain_id, zone), host(name)).await?;
    }
    Ok(())
}

/// The same for all names of a zone that have, or had, a fancy record.
pub(super) async fn follow_zone(
    tx: &mut Tx<'_>,
    call: &Call<'_>,
    domain_id: i64,
) -> Result<(), OpError> {
    let names = tx.fancy_names(Some(domain_id)).await?;
    all(tx, call.settings, names).await.map(drop).map_err(OpError::from)
}

/// Brings all zones up to date with the settings, which may have changed. Tells how many names changed.
///
/// # Errors
///
/// When the database fails.
pub async fn settle(store: &Store, settings: &Provisioning) -> Result<u64, StoreError> {
    let actor = Actor {
        login: "ngnpro".to_owned(),
        impersonated: None,
        source: "ngnpro".to_owned(),
        operation: "fancy:settings".to_owned(),
    };
    let work = store.write(&actor, |tx| {
        Box::pin(async move {
            let names = tx.fancy_names(None).await?;
            all(tx, settings, names).await
        })
    });
    Ok(work.await?.0)
}

async fn all(
    tx: &mut Tx<'_>,
    settings: &Provisioning,
    names: Vec<ngn_store::ZoneName>,
) -> Result<u64, StoreError> {
    let hosts: BTreeSet<(i64, &str, &str)> =
        names.iter().map(|name| (name.domain_id, name.zone.as_str(), host(&name.name))).collect();
    let mut changed = 0;
    for (domain_id, zone, host) in hosts {
        changed += u64::from(at(tx, settings, (domain_id, zone), host).await?);
    }
    Ok(changed)
}

/// The name that DNS servers are asked for.
fn host(name: &str) -> &str {
    name.rsplit_once('@').map_or(name, |(_, domain)| domain)
}

/// Brings one name up to date; tells whether anything changed.
async fn at(
    tx: &mut Tx<'_>,
    settings: &Provisioning,
    (domain_id, zone): (i64, &str),
    host: &str,
) -> Result<bool, StoreError> {
    let standing = tx.lock_records_at(domain_id, host).await?;
    let derived = RecordOrigin::Derived.code();
    let mail = !settings.mail_host.is_empty() && tx.forwards_mail(domain_id, host).await?;
    let wanted = wanted(settings, &standing, mail);
    let mut now: Vec<(&str, &str)> = standing
        .iter()
        .filter(|row| row.origin == derived)
        .map(|row| (row.rtype.as_str(), row.content.as_str()))
        .collect();
    now.sort_unstable();
    let same =
        now.iter().copied().eq(wanted.iter().map(|(kind, content)| (*kind, content.as_str())));
    if same {
        return Ok(false);
    }
    tx.delete_records_at(domain_id, host, RecordOrigin::Derived).await?;
    for (rtype, content) in wanted {
        let record = NewRecord {
            domain_id,
            name: host.to_owned(),
            rtype: rtype.to_owned(),
            content,
            ttl: DEFAULT_TTL,
            priority: if rtype == "MX" { PREFERENCE } else { 0 },
            origin: RecordOrigin::Derived,
            value: None,
            owner: 0,
            record_key: None,
        };
        tx.insert_record(&record).await?;
    }
    tx.journal(Entity::RrSet, format!("{zone} {host}"), Some(zone), None, None);
    Ok(true)
}

/// Types and contents of what a name should have, sorted.
fn wanted(
    settings: &Provisioning,
    standing: &[RecordAtName],
    mail: bool,
) -> Vec<(&'static str, String)> {
    let derived = RecordOrigin::Derived.code();
    let own = |kinds: &[&str]| {
        let is = |row: &&RecordAtName| {
            !row.disabled && row.origin != derived && kinds.contains(&row.rtype.as_str())
        };
        standing.iter().any(|row| is(&row))
    };
    let mut wanted = Vec::new();
    if own(&["CNAME"]) {
        return wanted;
    }
    let redirects = standing.iter().any(|row| row.disabled && row.rtype == "URL");
    if redirects && !own(&["A", "AAAA"]) {
        wanted.extend(settings.redirect_addresses.iter().map(|address| match address {
            IpAddr::V4(address) => ("A", address.to_string()),
            IpAddr::V6(address) => ("AAAA", address.to_string()),
        }));
    }
    if mail && !own(&["MX"]) {
        wanted.push(("MX", settings.mail_host.trim_end_matches('.').to_ascii_lowercase()));
    }
    wanted.sort();
    wanted.dedup();
    wanted
}
