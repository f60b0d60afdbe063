//! SIP domains (B50-B52).

use super::{Call, Outcome, query_parts, required, stored, wire_time, wire_total};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use crate::rules::sip_account::read_domain;
use ngn_model::{DomainName, Entity, Ownership};
use ngn_soap::fault::code;
use ngn_soap::types::{SipDomain, SipDomains};
use ngn_soap::{Fault, sip};
use ngn_store::{Filter, SipDomainRecord, Tx};
use serde_json::{Value, json};

/// `addDomain`.
pub async fn add(call: &Call<'_>, request: sip::AddDomain) -> Outcome<SipDomain> {
    let who = call.require(Need::Create)?;
    let domain = required(request.domain, "domain")?;
    let name = read_domain(domain.domain.as_deref(), "domain.domain")?;
    let (who, domain, name) = (&who, &domain, &name);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let owner = super::stamp(tx, who, domain.customer, domain.reseller).await?;
                if tx.sip_domain(name).await?.is_some() {
                    return Err(exists(name).into());
                }
                let mut row = SipDomainRecord { domain: name.to_string(), ..Default::default() };
                row.customer = owner.customer;
                row.reseller_id = owner.reseller;
                attributes(&mut row, domain);
                let inserted = tx.insert_sip_domain(&row).await;
                inserted.map_err(|error| {
                    if error.is_duplicate() { exists(name).into() } else { OpError::from(error) }
                })?;
                tx.journal(Entity::SipDomain, name, None, None, Some(snapshot(&row)));
                row.change_date = tx.now();
                Ok::<_, OpError>(wire(row))
            })
        })
        .await
}

/// `updateDomain`: replaces all attributes.
pub async fn update(call: &Call<'_>, request: sip::UpdateDomain) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let domain = required(request.domain, "domain")?;
    let name = read_domain(domain.domain.as_deref(), "domain.domain")?;
    let (who, domain, name) = (&who, &domain, &name);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                tx.lock_sip_domain(name).await?;
                let old = visible(tx, who, name).await?;
                let owner = if who.has_reseller_rights() {
                    let before = Ownership { customer: old.customer, reseller: old.reseller_id };
                    super::restamp(tx, who, domain.customer, domain.reseller, before).await?
                } else {
                    Ownership { customer: old.customer, reseller: old.reseller_id }
                };
                let mut row = SipDomainRecord { domain: name.to_string(), ..Default::default() };
                row.customer = owner.customer;
                row.reseller_id = owner.reseller;
                attributes(&mut row, domain);
                tx.update_sip_domain(&row).await?;
                let (before, after) = (snapshot(&old), snapshot(&row));
                tx.journal(Entity::SipDomain, name, None, Some(before), Some(after));
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `deleteDomain` (B52).
pub async fn delete(call: &Call<'_>, request: sip::DeleteDomain) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let name = read_domain(request.domain.as_deref(), "domain")?;
    let (who, name) = (&who, &name);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                tx.lock_sip_domain(name).await?;
                let old = visible(tx, who, name).await?;
                if tx.sip_domain_in_use(name).await? {
                    return Err(Fault::client(
                        code::SIP_DOMAIN_IN_USE,
                        format!(
                            "the SIP domain {name} still has accounts or aliases; delete them first"
                        ),
                    )
                    .into());
                }
                tx.delete_sip_domain(name).await?;
                tx.journal(Entity::SipDomain, name, None, Some(snapshot(&old)), None);
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getDomains`.
pub async fn list(call: &Call<'_>, request: sip::GetDomains) -> Outcome<SipDomains> {
    let who = call.require(Need::Login)?;
    let (wanted, order, range) = query_parts!(request.query);
    let mut filter = Filter::new();
    filter
        .text_lower("domain", wanted.domain.as_deref())
        .number("customer", wanted.customer)
        .number("reseller_id", wanted.reseller);
    who.restrict(&mut filter, "customer", "reseller_id");
    let range = call.range(range.as_ref());
    let (filter, order) = (&filter, &order);
    let page = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let page = tx.list_sip_domains(filter.clone(), order.as_ref(), range).await?;
                Ok::<_, OpError>(page)
            })
        })
        .await?;
    let total = wire_total(page.total);
    Ok((SipDomains { domains: Some(page.rows.into_iter().map(wire).collect()), total }, None))
}

/// A domain that exists and may be seen.
pub(super) async fn visible(
    tx: &mut Tx<'_>,
    who: &Principal,
    name: &DomainName,
) -> Result<SipDomainRecord, OpError> {
    let row = tx.sip_domain(name).await?;
    row.filter(|row| who.reaches(owner(row))).ok_or_else(|| not_found(name).into())
}

/// The fault for a domain that does not exist or may not be seen.
pub(super) fn not_found(name: &DomainName) -> Fault {
    Fault::client(
        code::SIP_DOMAIN_NOT_FOUND,
        format!("there is no SIP domain {name}; add it with addDomain first"),
    )
}

fn exists(name: &DomainName) -> Fault {
    Fault::client(
        code::SIP_DOMAIN_EXISTS,
        format!("the SIP domain {name} exists already; change it with updateDomain"),
    )
}

fn owner(row: &SipDomainRecord) -> Ownership {
    Ownership { customer: row.customer, reseller: row.reseller_id }
}

fn attributes(row: &mut SipDomainRecord, domain: &SipDomain) {
    row.certificate = stored(domain.certificate.clone());
    row.private_key = stored(domain.private_key.clone());
    row.match_ip_address = stored(domain.match_ip_address.clone());
    row.match_sip_domain = stored(domain.match_sip_domain.clone());
    row.verify_cert = domain.verify_cert.unwrap_or(false);
    row.require_cert = domain.require_cert.unwrap_or(false);
}

fn wire(row: SipDomainRecord) -> SipDomain {
    SipDomain {
        domain: Some(row.domain),
        customer: Some(row.customer),
        reseller: Some(row.reseller_id),
        certificate: row.certificate,
        private_key: row.private_key,
        match_ip_address: row.match_ip_address,
        match_sip_domain: row.match_sip_domain,
        verify_cert: Some(row.verify_cert),
        require_cert: Some(row.require_cert),
        change_date: wire_time(row.change_date),
    }
}

fn snapshot(row: &SipDomainRecord) -> Value {
    json!({
        "domain": row.domain, "customer": row.customer, "reseller": row.reseller_id,
        "certificate": row.certificate, "private_key": row.private_key,
        "match_ip_address": row.match_ip_address, "match_sip_domain": row.match_sip_domain,
        "verify_cert": row.verify_cert, "require_cert": row.require_cert,
    })
}
