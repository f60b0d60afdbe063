//! Trusted peers, carriers, gateways, gateway rules and routes.

use super::{Change, Inverse, whole};
use crate::ops::{Call, trusted_peers};
use crate::undo::NotUndone;
use crate::undo::record::Record;
use ngn_soap::types as t;
use ngn_soap::{Request, sip};

pub(super) async fn trusted_peer(
    call: &Call<'_>,
    key: &str,
    change: Change,
) -> Result<Inverse, NotUndone> {
    let ip = Some(key.to_owned());
    let build = |record: &Record, auth_token| t::TrustedPeer {
        ip: ip.clone(),
        protocol: record.text("protocol").and_then(|p| t::TrustedPeerProtocol::from_name(&p)),
        tag: record.text("tag"),
        description: record.text("description"),
        call_limit: record.number("call_limit"),
        msteams: record.truth("msteams"),
        tenant: record.text("tenant"),
        auth_token,
        prepaid: record.truth("prepaid"),
        blocked: record.number("blocked"),
        enum_lookup: record.truth("enum_lookup"),
        transit: record.truth("transit"),
        carrier_name: record.text("carrier_name"),
        originator: record.text("originator"),
        billing_id: record.text("billing_id"),
        tags: record.text("tags"),
        strip: record.number("strip"),
        prefix: record.text("prefix"),
        owner: record.number("owner"),
        customer: record.number("customer"),
        reseller: record.number("reseller"),
        change_date: None,
    };
    let losses = |record: &Record, then: &str| {
        let lost = record.lost("auth_token");
        let loss = || format!("the journal does not hold the Teams token; {then}");
        lost.then(loss).into_iter().collect()
    };
    Ok(match change {
        Change::Added => whole(sip::DeleteTrustedPeer { ip }),
        Change::Removed(record) => Inverse {
            request: Request::from(sip::AddTrustedPeer { peer: Some(build(&record, None)) }),
            losses: losses(&record, "the peer would have none until updateTrustedPeer sets one"),
        },
        Change::Changed(record, _) => {
            let filter = t::TrustedPeerFilter { ip: ip.clone(), ..Default::default() };
            let query = t::TrustedPeerQuery { filter: Some(filter), ..Default::default() };
            let request = sip::GetTrustedPeers { query: Some(query) };
            let (found, _) = trusted_peers::list(call, request).await?;
            let now = found.peers.unwrap_or_default().into_iter().find(|peer| peer.ip == ip);
            let kept = now.and_then(|peer| peer.auth_token);
            let kept = kept.filter(|_| record.text("auth_token").is_some());
            Inverse {
                request: Request::from(sip::UpdateTrustedPeer { peer: Some(build(&record, kept)) }),
                losses: losses(&record, "the one of now would stay"),
            }
        }
    })
}

/// What other records name by its number.
fn renumbered(request: impl Into<Request>, what: &str, key: &str) -> Inverse {
    let loss =
        format!("the {what} gets another number than {key}; what named it must name the new one");
    Inverse { request: request.into(), losses: vec![loss] }
}

pub(super) fn carrier(key: &str, change: &Change) -> Inverse {
    let id: Option<i64> = key.parse().ok();
    let build = |record: &Record, id| {
        let (name, reseller) = (record.text("name"), record.number("reseller"));
        Some(t::Carrier { id, name, reseller, change_date: None })
    };
    match change {
        Change::Added => whole(sip::DeleteCarrier { id, name: None }),
        Change::Removed(record) => {
            renumbered(sip::AddCarrier { carrier: build(record, None) }, "carrier", key)
        }
        Change::Changed(record, _) => whole(sip::UpdateCarrier { carrier: build(record, id) }),
    }
}

pub(super) fn gateway(key: &str, change: &Change) -> Inverse {
    let id: Option<i64> = key.parse().ok();
    let build = |record: &Record, id| {
        Some(t::Gateway {
            id,
            name: record.text("name"),
            carrier_id: record.number("carrier_id"),
            transport: record.text("transport"),
            ip: record.text("ip"),
            port: record.number("port"),
            ..Default::default()
        })
    };
    match change {
        Change::Added => whole(sip::DeleteGateway { id, name: None }),
        Change::Removed(record) => {
            renumbered(sip::AddGateway { gateway: build(record, None) }, "gateway", key)
        }
        Change::Changed(record, _) => whole(sip::UpdateGateway { gateway: build(record, id) }),
    }
}

pub(super) fn gateway_rule(key: &str, change: &Change) -> Inverse {
    let id: Option<i64> = key.parse().ok();
    let build = |record: &Record, id| {
        Some(t::GatewayRule {
            id,
            gateway_id: record.number("gateway_id"),
            prefix: record.text("prefix"),
            strip: record.number("strip"),
            prepend: record.text("prepend"),
            min_length: record.number("min_length"),
            max_length: record.number("max_length"),
            ..Default::default()
        })
    };
    match change {
        Change::Added => whole(sip::DeleteGatewayRule { id }),
        Change::Removed(record) => whole(sip::AddGatewayRule { rule: build(record, None) }),
        Change::Changed(record, _) => whole(sip::UpdateGatewayRule { rule: build(record, id) }),
    }
}

pub(super) fn route(key: &str, change: &Change) -> Inverse {
    let id: Option<i64> = key.parse().ok();
    let build = |record: &Record, id| {
        let route = t::Route {
            id,
            carrier_id: record.number("carrier_id"),
            prefix: record.text("prefix"),
            originator: record.text("originator"),
            priority: record.number("priority"),
            ..Default::default()
        };
        Some(vec![route])
    };
    match change {
        Change::Added => {
            let route = t::Route { id, ..Default::default() };
            whole(sip::DeleteRoutes { routes: Some(vec![route]) })
        }
        Change::Removed(record) => whole(sip::AddRoutes { routes: build(record, None) }),
        Change::Changed(record, _) => whole(sip::UpdateRoutes { routes: build(record, id) }),
    }
}
