//! SIP aliases (B16, B79).

use super::credit::{self, Credit};
use super::{
    Call, Outcome, query_parts, required, sip_accounts, sip_domains, wire_time, wire_total,
};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use crate::rules::sip_account::read_id;
use ngn_model::{Aor, Entity, Ownership};
use ngn_soap::fault::code;
use ngn_soap::types::{SipAlias, SipAliases, SipId};
use ngn_soap::{Fault, sip};
use ngn_store::{AddressKind, Filter, SipAliasRow, StoreError, Tx};
use serde_json::{Value, json};

/// `addAlias`.
pub async fn add(call: &Call<'_>, request: sip::AddAlias) -> Outcome<SipAlias> {
    let who = call.require(Need::Create)?;
    let given = required(request.alias, "alias")?;
    let alias = read_id(given.id.as_ref(), "alias.id")?;
    let target = read_id(given.target.as_ref(), "alias.target")?;
    let owner = given.owner.unwrap_or_default();
    let (who, alias, target) = (&who, &alias, &target);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let domain = tx.hold_sip_domain(alias.domain()).await?;
                let parent = domain
                    .filter(|parent| who.reaches(*parent))
                    .ok_or_else(|| sip_domains::not_found(alias.domain()))?;
                sip_accounts::visible(tx, who, target).await?;
                if let Some(kind) = tx.address_kind(alias).await? {
                    return Err(taken(alias, kind).into());
                }
                credit::check(call, tx, who, Credit::SipAliases, parent).await?;
                match tx.claim_address(alias, AddressKind::Alias).await {
                    Err(StoreError::Duplicate { .. }) => {
                        return Err(taken(alias, AddressKind::Alias).into());
                    }
                    other => other?,
                }
                tx.put_sip_alias(alias, target, owner).await?;
                tx.journal(Entity::SipAlias, alias, None, None, Some(snapshot(target, owner)));
                Ok::<_, OpError>(wire(visible(tx, who, alias).await?))
            })
        })
        .await
}

/// `updateAlias`.
pub async fn update(call: &Call<'_>, request: sip::UpdateAlias) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let given = required(request.alias, "alias")?;
    let alias = read_id(given.id.as_ref(), "alias.id")?;
    let target = read_id(given.target.as_ref(), "alias.target")?;
    let owner = given.owner.unwrap_or_default();
    let (who, alias, target) = (&who, &alias, &target);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let old = visible(tx, who, alias).await?;
                sip_accounts::visible(tx, who, target).await?;
                tx.put_sip_alias(alias, target, owner).await?;
                let before = json!({
                    "target": format!("{}@{}", old.username, old.domain), "owner": old.owner,
                });
                let after = snapshot(target, owner);
                tx.journal(Entity::SipAlias, alias, None, Some(before), Some(after));
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `deleteAlias`.
pub async fn delete(call: &Call<'_>, request: sip::DeleteAlias) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let alias = read_id(request.id.as_ref(), "id")?;
    let (who, alias) = (&who, &alias);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let old = visible(tx, who, alias).await?;
                remove(tx, &old).await?;
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getAlias`.
pub async fn get(call: &Call<'_>, request: sip::GetAlias) -> Outcome<SipAlias> {
    let who = call.require(Need::Login)?;
    let alias = read_id(request.id.as_ref(), "id")?;
    let (who, alias) = (&who, &alias);
    let row = call.store.read(|tx| Box::pin(visible(tx, who, alias))).await?;
    Ok((wire(row), None))
}

/// `getAliasesForAccount`.
pub async fn of_account(
    call: &Call<'_>,
    request: sip::GetAliasesForAccount,
) -> Outcome<Vec<SipAlias>> {
    let who = call.require(Need::Login)?;
    let target = read_id(request.target.as_ref(), "target")?;
    let (who, target) = (&who, &target);
    let rows = call
        .store
        .read(|tx| {
            Box::pin(async move {
                sip_accounts::visible(tx, who, target).await?;
                Ok::<_, OpError>(tx.aliases_of(target).await?)
            })
        })
        .await?;
    let seen = rows.into_iter().filter(|row| who.reaches(owner(row)));
    Ok((seen.map(wire).collect(), None))
}

/// `getAliases`.
pub async fn list(call: &Call<'_>, request: sip::GetAliases) -> Outcome<SipAliases> {
    let who = call.require(Need::Login)?;
    let (wanted, order, range) = query_parts!(request.query);
    let mut filter = Filter::new();
    filter
        .text_lower("a.alias_username", wanted.alias_username.as_deref())
        .text_lower("a.alias_domain", wanted.alias_domain.as_deref())
        .text_lower("a.username", wanted.target_username.as_deref())
        .text_lower("a.domain", wanted.target_domain.as_deref())
        .number("a.owner", wanted.owner)
        .number("d.customer", wanted.customer)
        .number("d.reseller_id", wanted.reseller);
    who.restrict(&mut filter, "d.customer", "d.reseller_id");
    let range = call.range(range.as_ref());
    let (filter, order) = (&filter, &order);
    let page = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let page = tx.list_sip_aliases(filter.clone(), order.as_ref(), range).await?;
                Ok::<_, OpError>(page)
            })
        })
        .await?;
    let total = wire_total(page.total);
    Ok((SipAliases { aliases: Some(page.rows.into_iter().map(wire).collect()), total }, None))
}

/// Removes an alias that was found.
pub(super) async fn remove(tx: &mut Tx<'_>, row: &SipAliasRow) -> Result<(), OpError> {
    let alias = address(&row.alias_username, &row.alias_domain)?;
    let target = address(&row.username, &row.domain)?;
    tx.delete_sip_alias(&alias).await?;
    tx.release_address(&alias).await?;
    tx.journal(Entity::SipAlias, &alias, None, Some(snapshot(&target, row.owner)), None);
    Ok(())
}

fn address(username: &str, domain: &str) -> Result<Aor, OpError> {
    Aor::new(username, domain)
        .map_err(|error| StoreError::corrupt("address of an alias", error).into())
}

async fn visible(tx: &mut Tx<'_>, who: &Principal, alias: &Aor) -> Result<SipAliasRow, OpError> {
    tx.sip_alias(alias).await?.filter(|row| who.reaches(owner(row))).ok_or_else(|| {
        let text = format!("there is no alias {alias}; getAliases lists those that you may see");
        Fault::client(code::ALIAS_NOT_FOUND, text).into()
    })
}

fn taken(alias: &Aor, kind: AddressKind) -> Fault {
    match kind {
        AddressKind::Account => Fault::client(
            code::ALIAS_IS_ACCOUNT,
            format!("{alias} is the address of a SIP account, so it cannot be an alias"),
        ),
        AddressKind::Alias => Fault::client(
            code::ALIAS_EXISTS,
            format!("the alias {alias} exists already; delete it first or choose another one"),
        ),
    }
}

fn owner(row: &SipAliasRow) -> Ownership {
    Ownership { customer: row.customer, reseller: row.reseller_id }
}

fn wire(row: SipAliasRow) -> SipAlias {
    let id = |username, domain| Some(SipId { username: Some(username), domain: Some(domain) });
    SipAlias {
        id: id(row.alias_username, row.alias_domain),
        target: id(row.username, row.domain),
        owner: Some(row.owner),
        customer: Some(row.customer),
        reseller: Some(row.reseller_id),
        change_date: wire_time(row.change_date),
    }
}

fn snapshot(target: &Aor, owner: i64) -> Value {
    json!({ "target": target.to_string(), "owner": owner })
}
