//! Rules by which gateways get their numbers (B17, B18, B130, B135, B136, B139).

use super::{Call, Outcome, gateways, query_parts, required, wire_int, wire_time, wire_total};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use crate::rules::pstn::{read_digits, read_id, read_prefix, read_prepend};
use ngn_model::Entity;
use ngn_soap::fault::code;
use ngn_soap::types::{GatewayRule, GatewayRules};
use ngn_soap::{Fault, sip};
use ngn_store::{Filter, GatewayRow, GatewayRuleRow, StoreError, Tx};
use serde_json::{Value, json};

/// `addGatewayRule`.
pub async fn add(call: &Call<'_>, request: sip::AddGatewayRule) -> Outcome<GatewayRule> {
    let who = call.require(Need::CreatePstn)?;
    let given = required(request.rule, "rule")?;
    let row = attributes(&given)?;
    let gateway_id = read_id(given.gateway_id, "rule.gateway_id")?;
    let (who, row) = (&who, &row);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let gateway = gateways::parent(tx, who, gateway_id).await?;
                let mut row = of(row, &gateway);
                let added = tx.insert_gateway_rule(&row).await;
                row.id = added.map_err(|error| duplicate(error, &row))?;
                tx.journal(Entity::GatewayRule, row.id, None, None, Some(snapshot(&row)));
                row.change_date = tx.now();
                Ok::<_, OpError>(wire(row))
            })
        })
        .await
}

/// `updateGatewayRule`: replaces all attributes; gateway and prefix stay when they are missing.
pub async fn update(call: &Call<'_>, request: sip::UpdateGatewayRule) -> Outcome<()> {
    let who = call.require(Need::Pstn)?;
    let given = required(request.rule, "rule")?;
    let id = read_id(given.id, "rule.id")?;
    let row = attributes(&given)?;
    let (who, given, row) = (&who, &given, &row);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let old = lock(tx, who, id).await?;
                let gateway_id = given.gateway_id.filter(|id| *id != 0).unwrap_or(old.gateway_id);
                let gateway = gateways::parent(tx, who, gateway_id).await?;
                let mut row = GatewayRuleRow { id, ..of(row, &gateway) };
                // Without its prefix a rule would hold for every number.
                if given.prefix.is_none() {
                    row.prefix.clone_from(&old.prefix);
                }
                tx.update_gateway_rule(&row).await.map_err(|error| duplicate(error, &row))?;
                let (before, after) = (snapshot(&old), snapshot(&row));
                tx.journal(Entity::GatewayRule, id, None, Some(before), Some(after));
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `deleteGatewayRule`.
pub async fn delete(call: &Call<'_>, request: sip::DeleteGatewayRule) -> Outcome<()> {
    let who = call.require(Need::Pstn)?;
    let id = read_id(request.id, "id")?;
    let who = &who;
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let old = lock(tx, who, id).await?;
                tx.delete_gateway_rule(id).await?;
                tx.journal(Entity::GatewayRule, id, None, Some(snapshot(&old)), None);
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getGatewayRules`. Rules have no customer, so that a filter for one restricts nothing.
pub async fn list(call: &Call<'_>, request: sip::GetGatewayRules) -> Outcome<GatewayRules> {
    let who = call.require(Need::Pstn)?;
    let (wanted, order, range) = query_parts!(request.query);
    let mut filter = Filter::new();
    filter
        .number("r.id", wanted.id)
        .number("r.gateway_id", wanted.gateway_id)
        .number("g.carrier_id", wanted.carrier_id)
        .text_digits("r.prefix", wanted.prefix.as_deref())
        .number("c.reseller", wanted.reseller);
    who.restrict(&mut filter, "c.reseller", "c.reseller");
    let range = call.range(range.as_ref());
    let (filter, order) = (&filter, &order);
    let page = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let page = tx.list_gateway_rules(filter.clone(), order.as_ref(), range).await?;
                Ok::<_, OpError>(page)
            })
        })
        .await?;
    let total = wire_total(page.total);
    let gateway_rules = Some(page.rows.into_iter().map(wire).collect());
    Ok((GatewayRules { gateway_rules, total }, None))
}

/// A rule that may be changed, kept from others (B139).
async fn lock(tx: &mut Tx<'_>, who: &Principal, id: i64) -> Result<GatewayRuleRow, OpError> {
    let row = tx.lock_gateway_rule(id).await?.ok_or_else(|| {
        Fault::client(
            code::GATEWAY_RULE_NOT_FOUND,
            format!("there is no gateway rule {id}; getGatewayRules lists those that you may see"),
        )
    })?;
    super::own_pstn(who, row.reseller, "gateway rule", id)?;
    Ok(row)
}

fn duplicate(error: StoreError, row: &GatewayRuleRow) -> OpError {
    if !error.is_duplicate() {
        return error.into();
    }
    Fault::client(
        code::GATEWAY_RULE_EXISTS,
        format!(
            "the gateway {} has a rule for the prefix `{}` with the same lengths already; change it with \
             updateGatewayRule",
            row.gateway, row.prefix
        ),
    )
    .into()
}

/// What a caller may set, but for the gateway.
fn attributes(given: &GatewayRule) -> Result<GatewayRuleRow, Fault> {
    let row = GatewayRuleRow {
        prefix: read_prefix(given.prefix.as_deref(), "rule.prefix")?,
        strip: read_digits(given.strip, "rule.strip")?,
        prepend: read_prepend(given.prepend.as_deref(), "rule.prepend")?,
        min_length: read_digits(given.min_length, "rule.minLength")?,
        max_length: read_digits(given.max_length, "rule.maxLength")?,
        ..Default::default()
    };
    if row.max_length > 0 && row.max_length < row.min_length {
        return Err(Fault::invalid(
            "rule.maxLength",
            format!(
                "{} is less than rule.minLength {}; 0 is no limit",
                row.max_length, row.min_length
            ),
        ));
    }
    Ok(row)
}

fn of(row: &GatewayRuleRow, gateway: &GatewayRow) -> GatewayRuleRow {
    GatewayRuleRow {
        gateway_id: gateway.id,
        gateway: gateway.name.clone(),
        carrier_id: gateway.carrier_id,
        carrier: gateway.carrier.clone(),
        reseller: gateway.reseller,
        ..row.clone()
    }
}

fn wire(row: GatewayRuleRow) -> GatewayRule {
    GatewayRule {
        id: Some(row.id),
        gateway_id: Some(row.gateway_id),
        gateway: Some(row.gateway),
        carrier_id: Some(row.carrier_id),
        carrier: Some(row.carrier),
        prefix: Some(row.prefix),
        strip: wire_int(row.strip),
        prepend: Some(row.prepend),
        min_length: wire_int(row.min_length),
        max_length: wire_int(row.max_length),
        reseller: Some(row.reseller),
        change_date: wire_time(row.change_date),
    }
}

pub(super) fn snapshot(row: &GatewayRuleRow) -> Value {
    json!({
        "gateway_id": row.gateway_id, "prefix": row.prefix, "strip": row.strip, "prepend": row.prepend,
        "min_length": row.min_length, "max_length": row.max_length,
    })
}
