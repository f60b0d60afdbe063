//! Calls of an account and its registered devices (B166-B168).

use super::sip_accounts::visible;
use super::{Call, Outcome, required, stored, wire_int};
use crate::fault::OpError;
use crate::principal::Need;
use crate::rules::calls::{device, month_start, window};
use crate::rules::sip_account::read_id;
use ngn_model::Aor;
use ngn_model::binding::Binding;
use ngn_soap::sip;
use ngn_soap::types::{
    Call as WireCall, CallQuery, CallStatistics, CallStatisticsEntry, Calls, SipDeviceLocations,
};
use ngn_store::{CallRow, CallSide, CallSums, CallWindow};
use std::collections::HashMap;

/// `getCalls` (B166): the lists that are asked for, newest first; the others are empty.
pub async fn list(call: &Call<'_>, request: sip::GetCalls) -> Outcome<Calls> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let query = request.query.unwrap_or_default();
    let sides = [
        (CallSide::Placed, query.placed),
        (CallSide::Received, query.received),
        (CallSide::Missed, query.missed),
    ];
    let most = call.settings.page;
    let (who, aor, sides) = (&who, &aor, &sides);
    let calls = call
        .store
        .read(|tx| {
            Box::pin(async move {
                visible(tx, who, aor).await?;
                let mut lists = Vec::with_capacity(sides.len());
                for (side, query) in sides {
                    let Some(query) = query else {
                        lists.push(Vec::new());
                        continue;
                    };
                    let limit = query.limit.and_then(|limit| u64::try_from(limit).ok());
                    let limit = limit.filter(|limit| *limit > 0).unwrap_or(most).min(most);
                    let rows = tx.calls(aor, *side, window(query), limit).await?;
                    lists.push(rows.into_iter().map(wire).collect());
                }
                let mut lists = lists.into_iter();
                Ok::<_, OpError>(Calls {
                    placed: lists.next(),
                    received: lists.next(),
                    missed: lists.next(),
                })
            })
        })
        .await?;
    Ok((calls, None))
}

/// `getCallStatistics` (B167): sums over a window; without dates the account's current calendar month.
pub async fn statistics(
    call: &Call<'_>,
    request: sip::GetCallStatistics,
) -> Outcome<CallStatistics> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let query = request.query.unwrap_or_default();
    let (who, aor, query) = (&who, &aor, &query);
    let statistics = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let row = visible(tx, who, aor).await?;
                let this_month = month_start(tx.now().div_euclid(1000), &row.timezone);
                let of = |query: Option<&CallQuery>| match query.map(window) {
                    Some(window) if window != CallWindow::default() => window,
                    _ => CallWindow { from: Some(this_month), to: None },
                };
                let placed = of(query.placed.as_ref());
                let placed = tx.call_sums(aor, CallSide::Placed, placed).await?;
                let received = of(query.received.as_ref());
                let received = tx.call_sums(aor, CallSide::Received, received).await?;
                Ok::<_, OpError>(CallStatistics {
                    placed: Some(sums(placed)),
                    received: Some(sums(received)),
                })
            })
        })
        .await?;
    Ok((statistics, None))
}

/// `getSipDeviceLocations` (B168): as many results as were asked for, in the same order.
pub async fn locations(
    call: &Call<'_>,
    request: sip::GetSipDeviceLocations,
) -> Outcome<Vec<SipDeviceLocations>> {
    let who = call.require(Need::Login)?;
    let ids = required(request.sip_ids, "sipIds")?;
    let aors: Vec<Option<Aor>> = ids.iter().map(|id| read_id(Some(id), "sipIds").ok()).collect();
    let mut wanted: Vec<Aor> = aors.iter().flatten().cloned().collect();
    wanted.sort_unstable();
    wanted.dedup();
    let (who, wanted) = (&who, &wanted);
    let (seen, now): (Vec<Aor>, i64) = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let owners = tx.sip_account_owners(wanted).await?;
                let seen = owners.into_iter().filter(|(_, owner)| who.reaches(*owner));
                Ok::<_, OpError>((seen.map(|(aor, _)| aor).collect(), tx.now()))
            })
        })
        .await?;
    let bindings: HashMap<Aor, Vec<Binding>> =
        call.store.bindings(&seen, now).await?.into_iter().collect();
    let result = ids.into_iter().zip(aors).map(|(id, aor)| {
        let bindings = aor.and_then(|aor| bindings.get(&aor)).map(Vec::as_slice);
        let devices = bindings.unwrap_or_default().iter().map(|binding| device(binding, now));
        SipDeviceLocations { id: Some(id), locations: Some(devices.collect()) }
    });
    Ok((result.collect(), None))
}

fn wire(row: CallRow) -> WireCall {
    WireCall {
        application_types: Some(stored(Some(row.application)).into_iter().collect()),
        from_uri: Some(row.from_uri),
        to_uri: Some(row.to_uri),
        from_header: Some(row.from_header),
        session_id: Some(row.session_id),
        from_tag: Some(row.from_tag),
        to_tag: Some(row.to_tag),
        start_time: wire_int(row.start),
        stop_time: wire_int(row.stop.unwrap_or(0)),
        duration: wire_int(row.duration),
        status: wire_int(row.status),
        price: row.price.map(ngn_model::Amount::to_double),
        rate: None,
        proxy_ip: Some(row.proxy_ip),
    }
}

fn sums(sums: CallSums) -> CallStatisticsEntry {
    CallStatisticsEntry {
        calls: wire_int(sums.calls),
        price: Some(sums.price.to_double()),
        duration: wire_int(sums.duration),
    }
}
