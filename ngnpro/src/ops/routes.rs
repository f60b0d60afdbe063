//! Routes from prefixes to carriers (B17, B18, B130-B133, B136, B138, B139).
//!
//! Each operation takes a list and does all of it or nothing (B138).

use super::{Call, Outcome, carriers, query_parts, required, wire_int, wire_time, wire_total};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use crate::rules::pstn::{read_id, read_originator, read_prefix};
use ngn_model::{Entity, Ownership};
use ngn_soap::fault::code;
use ngn_soap::types::{Route, Routes};
use ngn_soap::{Fault, sip};
use ngn_store::{CarrierRow, Filter, RouteKey, RouteRow, StoreError, Tx};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

/// `addRoutes`.
pub async fn add(call: &Call<'_>, request: sip::AddRoutes) -> Outcome<()> {
    let who = call.require(Need::CreatePstn)?;
    let given = required(request.routes, "routes")?;
    let mut rows = Vec::with_capacity(given.len());
    for (i, route) in given.iter().enumerate() {
        let mut row = attributes(route, i)?;
        row.carrier_id = read_id(route.carrier_id, &format!("routes[{i}].carrier_id"))?;
        rows.push(row);
    }
    let (who, rows) = (&who, &rows);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let carriers = carriers_of(tx, who, rows).await?;
                let mut new = rows.clone();
                take_resellers(&mut new, &carriers);
                let keys = check_free(tx, &new).await?;
                tx.insert_routes(&new).await.map_err(raced)?;
                let ids: HashMap<RouteKey, i64> =
                    tx.route_ids(&keys).await?.into_iter().map(|(id, key)| (key, id)).collect();
                for row in &new {
                    let id = ids.get(&row.key()).copied().unwrap_or_default();
                    tx.journal(Entity::Route, id, None, None, Some(snapshot(row)));
                }
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `updateRoutes`: replaces all attributes; carrier and prefix stay when they are missing.
pub async fn update(call: &Call<'_>, request: sip::UpdateRoutes) -> Outcome<()> {
    let who = call.require(Need::Pstn)?;
    let given = required(request.routes, "routes")?;
    let mut rows = Vec::with_capacity(given.len());
    let mut seen = HashSet::new();
    for (i, route) in given.iter().enumerate() {
        let mut row = attributes(route, i)?;
        row.id = read_id(route.id, &format!("routes[{i}].id"))?;
        if !seen.insert(row.id) {
            return Err(Fault::invalid(
                format_args!("routes[{i}].id"),
                format!("the route {} stands twice in the list", row.id),
            )
            .into());
        }
        row.carrier_id = route.carrier_id.unwrap_or_default();
        rows.push(row);
    }
    let (who, given, rows) = (&who, &given, &rows);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
                let old = lock(tx, who, &ids).await?;
                let mut new = rows.clone();
                for ((row, old), given) in new.iter_mut().zip(&old).zip(given) {
                    if row.carrier_id == 0 {
                        row.carrier_id = old.carrier_id;
                    }
                    // Without its prefix a route would take every number.
                    if given.prefix.is_none() {
                        row.prefix.clone_from(&old.prefix);
                    }
                }
                let carriers = carriers_of(tx, who, &new).await?;
                take_resellers(&mut new, &carriers);
                // Routes of one list may change places with each other: all go before the first comes back.
                tx.delete_routes(&ids).await?;
                check_free(tx, &new).await?;
                tx.insert_routes(&new).await.map_err(raced)?;
                for (old, new) in old.iter().zip(&new) {
                    let (before, after) = (snapshot(old), snapshot(new));
                    tx.journal(Entity::Route, new.id, None, Some(before), Some(after));
                }
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `deleteRoutes`: each by its id, or by prefix, originator and carrier.
pub async fn delete(call: &Call<'_>, request: sip::DeleteRoutes) -> Outcome<()> {
    let who = call.require(Need::Pstn)?;
    let given = required(request.routes, "routes")?;
    let mut ids = Vec::new();
    let mut keys = Vec::new();
    for (i, route) in given.iter().enumerate() {
        match (route.id.unwrap_or_default(), route.carrier_id.unwrap_or_default()) {
            (0, 0) => {
                return Err(Fault::client(
                    code::MISSING_ARGUMENT,
                    format!(
                        "routes[{i}].id is missing; send it, or prefix, originator and carrier_id"
                    ),
                )
                .into());
            }
            (0, carrier_id) => {
                let row = attributes(route, i)?;
                keys.push(RouteRow { carrier_id, ..row }.key());
            }
            (id, _) => ids.push(read_id(Some(id), &format!("routes[{i}].id"))?),
        }
    }
    let (who, ids, keys) = (&who, &ids, &keys);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let found: HashMap<RouteKey, i64> =
                    tx.route_ids(keys).await?.into_iter().map(|(id, key)| (key, id)).collect();
                let mut all = ids.clone();
                let mut named = Vec::with_capacity(keys.len());
                for key in keys {
                    named.push(*found.get(key).ok_or_else(|| not_found(describe(key)))?);
                }
                // Whoever sends no id is not told that of another's route.
                let hidden = |row: &&RouteRow| {
                    !who.reaches(Ownership { customer: 0, reseller: row.reseller })
                };
                if let Some(row) = tx.lock_routes(&named).await?.iter().find(hidden) {
                    return Err(not_found(describe(&row.key())).into());
                }
                all.extend(named);
                all.sort_unstable();
                all.dedup();
                let old = lock(tx, who, &all).await?;
                tx.delete_routes(&all).await?;
                for old in &old {
                    tx.journal(Entity::Route, old.id, None, Some(snapshot(old)), None);
                }
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getRoutes`.
pub async fn list(call: &Call<'_>, request: sip::GetRoutes) -> Outcome<Routes> {
    let who = call.require(Need::Pstn)?;
    let (wanted, order, range) = query_parts!(request.query);
    let mut filter = Filter::new();
    filter
        .number("r.id", wanted.id)
        .text_digits("r.prefix", wanted.prefix.as_deref())
        .number("r.carrier_id", wanted.carrier_id)
        .number("r.reseller", wanted.reseller)
        .number("r.priority", wanted.priority.map(i64::from))
        .text_lower("r.originator", wanted.originator.as_deref());
    who.restrict(&mut filter, "r.reseller", "r.reseller");
    let range = call.range(range.as_ref());
    let (filter, order) = (&filter, &order);
    let page = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let page = tx.list_routes(filter.clone(), order.as_ref(), range).await?;
                Ok::<_, OpError>(page)
            })
        })
        .await?;
    let total = wire_total(page.total);
    Ok((Routes { routes: Some(page.rows.into_iter().map(wire).collect()), total }, None))
}

/// Routes that may be changed, kept from others, in the order of their ids in the list (B139).
async fn lock(tx: &mut Tx<'_>, who: &Principal, ids: &[i64]) -> Result<Vec<RouteRow>, OpError> {
    let rows = tx.lock_routes(ids).await?;
    let mut rows: HashMap<i64, RouteRow> = rows.into_iter().map(|row| (row.id, row)).collect();
    let mut ordered = Vec::with_capacity(ids.len());
    for id in ids {
        ordered.push(rows.remove(id).ok_or_else(|| not_found(id))?);
    }
    for row in &ordered {
        super::own_pstn(who, row.reseller, "route", row.id)?;
    }
    Ok(ordered)
}

/// The carriers of routes, each of which the caller may give routes; they stay as they are.
async fn carriers_of(
    tx: &mut Tx<'_>,
    who: &Principal,
    rows: &[RouteRow],
) -> Result<HashMap<i64, CarrierRow>, OpError> {
    let mut ids: Vec<i64> = rows.iter().map(|row| row.carrier_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found = HashMap::with_capacity(ids.len());
    for id in ids {
        found.insert(id, carriers::parent(tx, who, id).await?);
    }
    Ok(found)
}

/// B17: the reseller of a route is its carrier's.
fn take_resellers(rows: &mut [RouteRow], carriers: &HashMap<i64, CarrierRow>) {
    for row in rows {
        if let Some(carrier) = carriers.get(&row.carrier_id) {
            row.reseller = carrier.reseller;
        }
    }
}

/// Checks that no two routes of a list and none of the table have one key; gives the keys.
async fn check_free(tx: &mut Tx<'_>, rows: &[RouteRow]) -> Result<Vec<RouteKey>, OpError> {
    let keys: Vec<RouteKey> = rows.iter().map(RouteRow::key).collect();
    let mut seen = HashSet::with_capacity(keys.len());
    for key in &keys {
        if !seen.insert(key) {
            return Err(exists(format!("{} stands twice in the list", describe(key))).into());
        }
    }
    if let Some((id, key)) = tx.route_ids(&keys).await?.first() {
        return Err(exists(format!("{} exists already as {id}", describe(key))).into());
    }
    Ok(keys)
}

fn describe((prefix, originator, carrier): &RouteKey) -> String {
    format!("with prefix `{prefix}`, originator `{originator}` and carrier {carrier}")
}

fn exists(which: String) -> Fault {
    Fault::client(
        code::ROUTE_EXISTS,
        format!("the route {which}; nothing was changed, take it out of the list"),
    )
}

/// Somebody else added one of the routes at the same moment.
fn raced(error: StoreError) -> OpError {
    if error.is_duplicate() {
        return exists("of one of the items exists already".to_owned()).into();
    }
    error.into()
}

fn not_found(key: impl std::fmt::Display) -> Fault {
    Fault::client(
        code::ROUTE_NOT_FOUND,
        format!(
            "there is no route {key}; nothing was changed, getRoutes lists those that you may see"
        ),
    )
}

/// What a caller may set, but for the carrier.
fn attributes(route: &Route, i: usize) -> Result<RouteRow, Fault> {
    Ok(RouteRow {
        prefix: read_prefix(route.prefix.as_deref(), &format!("routes[{i}].prefix"))?,
        originator: read_originator(
            route.originator.as_deref(),
            &format!("routes[{i}].originator"),
        )?,
        priority: route.priority.unwrap_or_default().into(),
        ..Default::default()
    })
}

fn wire(row: RouteRow) -> Route {
    Route {
        id: Some(row.id),
        carrier_id: Some(row.carrier_id),
        carrier: Some(row.carrier),
        prefix: Some(row.prefix),
        originator: Some(row.originator),
        priority: wire_int(row.priority),
        reseller: Some(row.reseller),
        change_date: wire_time(row.change_date),
    }
}

fn snapshot(row: &RouteRow) -> Value {
    json!({
        "carrier_id": row.carrier_id, "prefix": row.prefix, "originator": row.originator,
        "priority": row.priority,
    })
}
