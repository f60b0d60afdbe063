//! Carriers (B17, B18, B130, B137, B139).

use super::{Call, Outcome, query_parts, required, wire_time, wire_total};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use crate::rules::pstn::{read_id, read_name};
use ngn_model::{Entity, Ownership};
use ngn_soap::fault::code;
use ngn_soap::types::{Carrier, Carriers};
use ngn_soap::{Fault, sip};
use ngn_store::{CarrierRow, Filter, Range, StoreError, Tx};
use serde_json::{Value, json};

/// `addCarrier`.
pub async fn add(call: &Call<'_>, request: sip::AddCarrier) -> Outcome<Carrier> {
    let who = call.require(Need::CreatePstn)?;
    let given = required(request.carrier, "carrier")?;
    let name = read_name(given.name.as_deref(), "carrier.name")?;
    let (who, given, name) = (&who, &given, &name);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let reseller = super::stamp(tx, who, None, given.reseller).await?.reseller;
                let mut row = CarrierRow { name: name.clone(), reseller, ..Default::default() };
                row.id = tx.insert_carrier(&row).await.map_err(|error| duplicate(error, name))?;
                tx.journal(Entity::Carrier, row.id, None, None, Some(snapshot(&row)));
                row.change_date = tx.now();
                Ok::<_, OpError>(wire(row))
            })
        })
        .await
}

/// `updateCarrier`: the reseller stays when it is missing.
pub async fn update(call: &Call<'_>, request: sip::UpdateCarrier) -> Outcome<()> {
    let who = call.require(Need::Pstn)?;
    let given = required(request.carrier, "carrier")?;
    let id = read_id(given.id, "carrier.id")?;
    let name = read_name(given.name.as_deref(), "carrier.name")?;
    let (who, given, name) = (&who, &given, &name);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let old = lock(tx, who, id).await?;
                let wanted = given.reseller.or(Some(old.reseller));
                let reseller = super::stamp(tx, who, None, wanted).await?.reseller;
                let row = CarrierRow { name: name.clone(), reseller, ..old.clone() };
                tx.update_carrier(&row).await.map_err(|error| duplicate(error, name))?;
                let (before, after) = (snapshot(&old), snapshot(&row));
                tx.journal(Entity::Carrier, id, None, Some(before), Some(after));
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `deleteCarrier` (B137), by id or, as older clients do, by name.
pub async fn delete(call: &Call<'_>, request: sip::DeleteCarrier) -> Outcome<()> {
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
                if let Some(what) = tx.carrier_in_use(id).await? {
                    return Err(Fault::client(
                        code::CARRIER_IN_USE,
                        format!("the carrier {} still has {what}; delete them first", old.name),
                    )
                    .into());
                }
                tx.delete_carrier(id).await?;
                tx.journal(Entity::Carrier, id, None, Some(snapshot(&old)), None);
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getCarriers`.
pub async fn list(call: &Call<'_>, request: sip::GetCarriers) -> Outcome<Carriers> {
    let who = call.require(Need::Pstn)?;
    let (wanted, order, range) = query_parts!(request.query);
    let mut filter = Filter::new();
    filter
        .number("id", wanted.id)
        .text("name", wanted.name.as_deref())
        .number("reseller", wanted.reseller);
    who.restrict(&mut filter, "reseller", "reseller");
    let range = call.range(range.as_ref());
    let (filter, order) = (&filter, &order);
    let page = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let page = tx.list_carriers(filter.clone(), order.as_ref(), range).await?;
                Ok::<_, OpError>(page)
            })
        })
        .await?;
    let total = wire_total(page.total);
    Ok((Carriers { carriers: Some(page.rows.into_iter().map(wire).collect()), total }, None))
}

/// The one carrier of that name that the caller may change.
async fn named(tx: &mut Tx<'_>, who: &Principal, name: &str) -> Result<i64, OpError> {
    let mut filter = Filter::new();
    filter.equals("name", name);
    who.restrict(&mut filter, "reseller", "reseller");
    let found = tx.list_carriers(filter, None, Range { start: 0, count: Some(2) }).await?;
    super::only_one(found.rows.iter().map(|row| row.id), "carrier", name)?
        .ok_or_else(|| not_found(name).into())
}

/// A carrier that may be changed, kept from others (B139).
async fn lock(tx: &mut Tx<'_>, who: &Principal, id: i64) -> Result<CarrierRow, OpError> {
    let row = tx.lock_carrier(id).await?.ok_or_else(|| not_found(id))?;
    super::own_pstn(who, row.reseller, "carrier", id)?;
    Ok(row)
}

/// A carrier that the caller may give gateways and routes, kept as it is.
pub(super) async fn parent(
    tx: &mut Tx<'_>,
    who: &Principal,
    id: i64,
) -> Result<CarrierRow, OpError> {
    let row = tx.hold_carrier(id).await?;
    row.filter(|row| who.reaches(Ownership { customer: 0, reseller: row.reseller }))
        .ok_or_else(|| not_found(id).into())
}

fn not_found(key: impl std::fmt::Display) -> Fault {
    Fault::client(
        code::CARRIER_NOT_FOUND,
        format!("there is no carrier {key}; getCarriers lists those that you may see"),
    )
}

fn duplicate(error: StoreError, name: &str) -> OpError {
    if !error.is_duplicate() {
        return error.into();
    }
    Fault::client(
        code::CARRIER_EXISTS,
        format!("its reseller has a carrier {name} already; choose another name"),
    )
    .into()
}

fn wire(row: CarrierRow) -> Carrier {
    Carrier {
        id: Some(row.id),
        name: Some(row.name),
        reseller: Some(row.reseller),
        change_date: wire_time(row.change_date),
    }
}

fn snapshot(row: &CarrierRow) -> Value {
    json!({ "name": row.name, "reseller": row.reseller })
}
