//! Trusted peers (B18, B43, B145-B148).

use super::{Call, Outcome, query_parts, required, stored, wire_int, wire_time, wire_total};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use crate::rules::pstn::{read_digits, read_host, read_prepend};
use crate::rules::sip_account::check_not_negative;
use ngn_model::Entity;
use ngn_soap::fault::code;
use ngn_soap::types::{TrustedPeer, TrustedPeerProtocol, TrustedPeers};
use ngn_soap::{Fault, sip};
use ngn_store::{Filter, TrustedPeerRow, Tx};
use serde_json::{Value, json};

/// `addTrustedPeer`.
pub async fn add(call: &Call<'_>, request: sip::AddTrustedPeer) -> Outcome<TrustedPeer> {
    let who = call.require(Need::CreatePstn)?;
    let given = required(request.peer, "peer")?;
    let row = attributes(&given)?;
    let (who, given, row) = (&who, &given, &row);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let owner = super::stamp(tx, who, given.customer, given.reseller).await?;
                if tx.trusted_peer(&row.ip).await?.is_some() {
                    return Err(exists(&row.ip).into());
                }
                let mut row = TrustedPeerRow {
                    customer: owner.customer,
                    reseller_id: owner.reseller,
                    ..row.clone()
                };
                tx.insert_trusted_peer(&row).await.map_err(|error| {
                    if error.is_duplicate() { exists(&row.ip).into() } else { OpError::from(error) }
                })?;
                tx.journal(Entity::TrustedPeer, &row.ip, None, None, Some(snapshot(&row)));
                row.change_date = tx.now();
                Ok::<_, OpError>(wire(row))
            })
        })
        .await
}

/// `updateTrustedPeer`: replaces all attributes; protocol, tag and owner stay when they are missing (B146). Whoever is not
/// the administrator changes customer, strip, prefix and token only.
pub async fn update(call: &Call<'_>, request: sip::UpdateTrustedPeer) -> Outcome<()> {
    let who = call.require(Need::Pstn)?;
    let given = required(request.peer, "peer")?;
    let row = attributes(&given)?;
    let (who, given, row) = (&who, &given, &row);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let old = lock(tx, who, &row.ip).await?;
                let before = old.ownership();
                let owner = super::restamp(tx, who, given.customer, given.reseller, before).await?;
                let mut new = row.clone();
                if !who.is_administrator() {
                    new = TrustedPeerRow {
                        auth_token: row.auth_token.clone(),
                        strip: row.strip,
                        prefix: row.prefix.clone(),
                        ..old.clone()
                    };
                } else {
                    if given.protocol.is_none() {
                        new.protocol.clone_from(&old.protocol);
                    }
                    if given.tag.is_none() {
                        new.tag.clone_from(&old.tag);
                    }
                    if given.owner.is_none() {
                        new.owner = old.owner;
                    }
                }
                new.customer = owner.customer;
                new.reseller_id = owner.reseller;
                tx.update_trusted_peer(&new).await?;
                let (before, after) = (snapshot(&old), snapshot(&new));
                tx.journal(Entity::TrustedPeer, &row.ip, None, Some(before), Some(after));
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `deleteTrustedPeer`.
pub async fn delete(call: &Call<'_>, request: sip::DeleteTrustedPeer) -> Outcome<()> {
    let who = call.require(Need::Pstn)?;
    let ip = read_host(request.ip.as_deref(), "ip")?;
    let (who, ip) = (&who, &ip);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let old = lock(tx, who, ip).await?;
                tx.delete_trusted_peer(ip).await?;
                tx.journal(Entity::TrustedPeer, ip, None, Some(snapshot(&old)), None);
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getTrustedPeers` (B43, B148).
pub async fn list(call: &Call<'_>, request: sip::GetTrustedPeers) -> Outcome<TrustedPeers> {
    let who = call.require(Need::Pstn)?;
    let (wanted, order, range) = query_parts!(request.query);
    let mut filter = Filter::new();
    filter
        .text_lower("ip", wanted.ip.as_deref())
        .text("description", wanted.description.as_deref())
        .text("tenant", wanted.tenant.as_deref())
        .text("tags", wanted.tags.as_deref())
        .text("billing_id", wanted.billing_id.as_deref())
        .text_lower("protocol", wanted.protocol.as_deref())
        .text("tag", wanted.tag.as_deref())
        .number("owner", wanted.owner)
        .number("customer", wanted.customer)
        .number("reseller_id", wanted.reseller);
    if let Some(msteams) = wanted.msteams {
        filter.equals("msteams", msteams);
    }
    if let Some(blocked) = wanted.blocked {
        filter.equals("blocked", i64::from(blocked));
    }
    who.restrict(&mut filter, "customer", "reseller_id");
    let range = call.range(range.as_ref());
    let (filter, order) = (&filter, &order);
    let page = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let page = tx.list_trusted_peers(filter.clone(), order.as_ref(), range).await?;
                Ok::<_, OpError>(page)
            })
        })
        .await?;
    let total = wire_total(page.total);
    Ok((TrustedPeers { peers: Some(page.rows.into_iter().map(wire).collect()), total }, None))
}

/// A peer that exists and may be changed, kept from others.
async fn lock(tx: &mut Tx<'_>, who: &Principal, ip: &str) -> Result<TrustedPeerRow, OpError> {
    let row = tx.lock_trusted_peer(ip).await?;
    row.filter(|row| who.reaches(row.ownership())).ok_or_else(|| {
        Fault::client(
            code::TRUSTED_PEER_NOT_FOUND,
            format!("there is no trusted peer {ip}; getTrustedPeers lists those that you may see"),
        )
        .into()
    })
}

fn exists(ip: &str) -> Fault {
    Fault::client(
        code::TRUSTED_PEER_EXISTS,
        format!("the trusted peer {ip} exists already; change it with updateTrustedPeer"),
    )
}

/// What a caller may set.
fn attributes(given: &TrustedPeer) -> Result<TrustedPeerRow, Fault> {
    let count = |value: Option<i32>, member: &str| {
        check_not_negative(value, member).map(|value| i64::from(value.unwrap_or(0)))
    };
    Ok(TrustedPeerRow {
        ip: read_host(given.ip.as_deref(), "peer.ip")?,
        protocol: given.protocol.unwrap_or(TrustedPeerProtocol::Any).as_str().to_owned(),
        tag: stored(given.tag.clone()),
        description: given.description.clone().unwrap_or_default(),
        call_limit: count(given.call_limit, "peer.callLimit")?,
        msteams: given.msteams.unwrap_or(false),
        tenant: stored(given.tenant.clone()),
        auth_token: stored(given.auth_token.clone()),
        prepaid: given.prepaid.unwrap_or(false),
        blocked: count(given.blocked, "peer.blocked")?,
        enum_lookup: given.enum_lookup.unwrap_or(true),
        transit: given.transit.unwrap_or(false),
        carrier_name: stored(given.carrier_name.clone()),
        originator: stored(given.originator.clone()),
        billing_id: stored(given.billing_id.clone()),
        tags: stored(given.tags.clone()),
        strip: read_digits(given.strip, "peer.strip")?,
        prefix: stored(Some(read_prepend(given.prefix.as_deref(), "peer.prefix")?)),
        owner: given.owner.unwrap_or_default().max(0),
        ..Default::default()
    })
}

fn wire(row: TrustedPeerRow) -> TrustedPeer {
    TrustedPeer {
        ip: Some(row.ip),
        protocol: TrustedPeerProtocol::from_name(&row.protocol),
        tag: row.tag,
        description: Some(row.description),
        call_limit: wire_int(row.call_limit),
        msteams: Some(row.msteams),
        tenant: row.tenant,
        auth_token: row.auth_token,
        prepaid: Some(row.prepaid),
        blocked: wire_int(row.blocked),
        enum_lookup: Some(row.enum_lookup),
        transit: Some(row.transit),
        carrier_name: row.carrier_name,
        originator: row.originator,
        billing_id: row.billing_id,
        tags: row.tags,
        strip: wire_int(row.strip),
        prefix: row.prefix,
        owner: Some(row.owner),
        customer: Some(row.customer),
        reseller: Some(row.reseller_id),
        change_date: wire_time(row.change_date),
    }
}

fn snapshot(row: &TrustedPeerRow) -> Value {
    json!({
        "protocol": row.protocol, "tag": row.tag, "description": row.description,
        "call_limit": row.call_limit, "msteams": row.msteams, "tenant": row.tenant,
        "auth_token": row.auth_token, "prepaid": row.prepaid, "blocked": row.blocked,
        "enum_lookup": row.enum_lookup, "transit": row.transit, "carrier_name": row.carrier_name,
        "originator": row.originator, "billing_id": row.billing_id, "tags": row.tags,
        "strip": row.strip, "prefix": row.prefix, "owner": row.owner, "customer": row.customer,
        "reseller": row.reseller_id,
    })
}
