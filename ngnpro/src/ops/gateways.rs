//! Gateways of carriers (B17, B18, B130, B134, B136, B137, B139).

use super::{Call, Outcome, carriers, query_parts, required, wire_int, wire_time, wire_total};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use crate::rules::pstn::{read_host, read_id, read_name, read_port, read_transport};
use ngn_model::{Entity, Ownership};
use ngn_soap::fault::code;
use ngn_soap::types::{Gateway, Gateways};
use ngn_soap::{Fault, sip};
use ngn_store::{CarrierRow, Filter, GatewayRow, Range, StoreError, Tx};
use serde_json::{Value, json};

/// `addGateway`.
pub async fn add(call: &Call<'_>, request: sip::AddGateway) -> Outcome<Gateway> {
    let who = call.require(Need::CreatePstn)?;
    let given = required(request.gateway, "gateway")?;
    let row = attributes(&given)?;
    let carrier_id = read_id(given.carrier_id, "gateway.carrier_id")?;
    let (who, row) = (&who, &row);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let carrier = carriers::parent(tx, who, carrier_id).await?;
                let mut row = of(row, &carrier);
                row.id = tx.insert_gateway(&row).await.map_err(|error| duplicate(error, &row))?;
                tx.journal(Entity::Gateway, row.id, None, None, Some(snapshot(&row)));
                row.change_date = tx.now();
                Ok::<_, OpError>(wire(row))
            })
        })
        .await
}

/// `updateGateway`: replaces all attributes; the carrier stays when it is missing.
pub async fn update(call: &Call<'_>, request: sip::UpdateGateway) -> Outcome<()> {
    let who = call.require(Need::Pstn)?;
    let given = required(request.gateway, "gateway")?;
    let id = read_id(given.id, "gateway.id")?;
    let row = attributes(&given)?;
    let carrier_id = given.carrier_id.filter(|id| *id != 0);
    let (who, row) = (&who, &row);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let old = lock(tx, who, id).await?;
                let carrier_id = carrier_id.unwrap_or(old.carrier_id);
                let carrier = carriers::parent(tx, who, carrier_id).await?;
                let row = GatewayRow { id, ..of(row, &carrier) };
                tx.update_gateway(&row).await.map_err(|error| duplicate(error, &row))?;
                let (before, after) = (snapshot(&old), snapshot(&row));
                tx.journal(Entity::Gateway, id, None, Some(before), Some(after));
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `deleteGateway` with its rules (B137), by id or, as older clients do, by name.
pub async fn delete(call: &Call<'_>, request: sip::DeleteGateway) -> Outcome<()> {
    let who = call.require(Need::Pstn)?;
    let key = super::id_or_name(request.id, request.name.as_deref())?;
    let (who, key) = (&who, &key);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let id = match key {
                    Ok(id) => *id,
                    Err(name) => named(tx, who, name).await?,
                };
                let old = lock(tx, who, id).await?;
                let mut of_it = Filter::new();
                of_it.equals("r.gateway_id", id);
                let rules = tx.list_gateway_rules(of_it, None, Range::default()).await?;
                tx.delete_gateway(id).await?;
                for rule in &rules.rows {
                    let before = Some(super::gateway_rules::snapshot(rule));
                    tx.journal(Entity::GatewayRule, rule.id, None, before, None);
                }
                tx.journal(Entity::Gateway, id, None, Some(snapshot(&old)), None);
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getGateways`. Gateways have no customer, so that a filter for one restricts nothing.
pub async fn list(call: &Call<'_>, request: sip::GetGateways) -> Outcome<Gateways> {
    let who = call.require(Need::Pstn)?;
    let (wanted, order, range) = query_parts!(request.query);
    let mut filter = Filter::new();
    filter
        .number("g.id", wanted.id)
        .text("g.name", wanted.name.as_deref())
        .number("g.carrier_id", wanted.carrier_id)
        .number("c.reseller", wanted.reseller);
    who.restrict(&mut filter, "c.reseller", "c.reseller");
    let range = call.range(range.as_ref());
    let (filter, order) = (&filter, &order);
    let page = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let page = tx.list_gateways(filter.clone(), order.as_ref(), range).await?;
                Ok::<_, OpError>(page)
            })
        })
        .await?;
    let total = wire_total(page.total);
    Ok((Gateways { gateways: Some(page.rows.into_iter().map(wire).collect()), total }, None))
}

/// The one gateway of that name that the caller may change.
async fn named(tx: &mut Tx<'_>, who: &Principal, name: &str) -> Result<i64, OpError> {
    let mut filter = Filter::new();
    filter.equals("g.name", name);
    who.restrict(&mut filter, "c.reseller", "c.reseller");
    let found = tx.list_gateways(filter, None, Range { start: 0, count: Some(2) }).await?;
    super::only_one(found.rows.iter().map(|row| row.id), "gateway", name)?
        .ok_or_else(|| not_found(name).into())
}

/// A gateway that may be changed, kept from others (B139).
async fn lock(tx: &mut Tx<'_>, who: &Principal, id: i64) -> Result<GatewayRow, OpError> {
    let row = tx.lock_gateway(id).await?.ok_or_else(|| not_found(id))?;
    super::own_pstn(who, row.reseller, "gateway", id)?;
    Ok(row)
}

/// A gateway that the caller may give rules, kept as it is.
pub(super) async fn parent(
    tx: &mut Tx<'_>,
    who: &Principal,
    id: i64,
) -> Result<GatewayRow, OpError> {
    let row = tx.hold_gateway(id).await?;
    row.filter(|row| who.reaches(Ownership { customer: 0, reseller: row.reseller }))
        .ok_or_else(|| not_found(id).into())
}

fn not_found(key: impl std::fmt::Display) -> Fault {
    Fault::client(
        code::GATEWAY_NOT_FOUND,
        format!("there is no gateway {key}; getGateways lists those that you may see"),
    )
}

fn duplicate(error: StoreError, row: &GatewayRow) -> OpError {
    if !error.is_duplicate() {
        return error.into();
    }
    Fault::client(
        code::GATEWAY_EXISTS,
        format!(
            "the carrier {} has a gateway {} already; choose another name",
            row.carrier, row.name
        ),
    )
    .into()
}

/// What a caller may set, but for the carrier.
fn attributes(given: &Gateway) -> Result<GatewayRow, Fault> {
    Ok(GatewayRow {
        name: read_name(given.name.as_deref(), "gateway.name")?,
        transport: read_transport(given.transport.as_deref(), "gateway.transport")?.to_string(),
        ip: read_host(given.ip.as_deref(), "gateway.ip")?,
        port: read_port(given.port, "gateway.port")?.into(),
        ..Default::default()
    })
}

fn of(row: &GatewayRow, carrier: &CarrierRow) -> GatewayRow {
    GatewayRow {
        carrier_id: carrier.id,
        carrier: carrier.name.clone(),
        reseller: carrier.reseller,
        ..row.clone()
    }
}

fn wire(row: GatewayRow) -> Gateway {
    Gateway {
        id: Some(row.id),
        name: Some(row.name),
        carrier_id: Some(row.carrier_id),
        carrier: Some(row.carrier),
        transport: Some(row.transport),
        ip: Some(row.ip),
        port: wire_int(row.port),
        reseller: Some(row.reseller),
        change_date: wire_time(row.change_date),
    }
}

fn snapshot(row: &GatewayRow) -> Value {
    json!({
        "name": row.name, "carrier_id": row.carrier_id, "transport": row.transport, "ip": row.ip,
        "port": row.port,
    })
}
