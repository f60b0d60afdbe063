//! SIP traces and media sessions, as JSON (B169, B170).
//!
//! Traces are for administrators and resellers; a reseller sees those of calls that one of its domains took part in.

use super::{Call, Outcome, required};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use ngn_model::{DomainName, Ownership};
use ngn_soap::fault::code;
use ngn_soap::{Fault, sip};
use ngn_store::{MediaSessionRow, NodeRow, SipTraceRow, Tx};
use serde_json::{Value, json};

/// The daemon under which a media relay stands in the table of nodes.
const MEDIA_RELAY: &str = "media_relay";

/// `getSipTrace`: the recorded messages of a call.
pub async fn sip_trace(call: &Call<'_>, request: sip::GetSipTrace) -> Outcome<String> {
    let who = call.require(Need::Reseller)?;
    let filter = required(request.filter, "filter")?;
    let call_id = call_id(filter.call_id)?;
    let from_tag = filter.from_tag.unwrap_or_default();
    let (who, call_id, from_tag) = (&who, &call_id, &from_tag);
    let rows = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let rows = tx.sip_trace(call_id, from_tag).await?;
                let domains = rows.iter().flat_map(|row| row.trace_attrs.split(' '));
                let domains = domains.map(str::to_owned).collect();
                if rows.is_empty() || !takes_part(tx, who, domains).await? {
                    return Err(OpError::from(no_trace(call_id)));
                }
                Ok(rows)
            })
        })
        .await?;
    Ok((Value::Array(rows.iter().map(message).collect()).to_string(), None))
}

/// `getMediaTrace`: the streams of a call.
pub async fn media_trace(call: &Call<'_>, request: sip::GetMediaTrace) -> Outcome<String> {
    let who = call.require(Need::Reseller)?;
    let filter = required(request.filter, "filter")?;
    let call_id = call_id(filter.call_id)?;
    let (from_tag, to_tag) =
        (filter.from_tag.unwrap_or_default(), filter.to_tag.unwrap_or_default());
    let (who, call_id, from_tag, to_tag) = (&who, &call_id, &from_tag, &to_tag);
    let found = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let rows = tx.media_of_call(call_id, from_tag, to_tag).await?;
                let domains = tx.domains_of_call(call_id).await?;
                if !takes_part(tx, who, domains).await? {
                    return Ok::<_, OpError>(None);
                }
                Ok(rows.iter().find_map(info))
            })
        })
        .await?;
    let found = found.ok_or_else(|| no_trace(call_id))?;
    Ok((trace(&found).to_string(), None))
}

/// `getMediaSummary`: the media relays that run.
pub async fn media_summary(call: &Call<'_>) -> Outcome<String> {
    call.require(Need::Administrator)?;
    let nodes = call
        .store
        .read(|tx| Box::pin(async move { Ok::<_, OpError>((tx.running_nodes().await?, tx.now())) }))
        .await?;
    let (nodes, now) = nodes;
    let relays = nodes.iter().filter(|node| node.daemon == MEDIA_RELAY);
    Ok((Value::Array(relays.map(|node| relay(node, now)).collect()).to_string(), None))
}

/// `getMediaSessions`: the sessions that last.
pub async fn media_sessions(call: &Call<'_>) -> Outcome<String> {
    call.require(Need::Administrator)?;
    let rows = call
        .store
        .read(|tx| Box::pin(async move { Ok::<_, OpError>(tx.recent_media_sessions().await?) }))
        .await?;
    let lasting = rows.iter().filter_map(session);
    Ok((Value::Array(lasting.collect()).to_string(), None))
}

fn call_id(text: Option<String>) -> Result<String, Fault> {
    text.filter(|text| !text.is_empty()).ok_or_else(|| {
        Fault::client(
            code::MISSING_ARGUMENT,
            "filter.callId is missing; send the Call-ID, as getCalls returns it in sessionId",
        )
    })
}

fn no_trace(call_id: &str) -> Fault {
    Fault::client(
        code::NO_TRACE,
        format!(
            "nothing was recorded of the session `{call_id}`; sipd records the accounts and addresses that its \
             settings name under [trace]"
        ),
    )
}

/// Whether one of the domains is the caller's.
async fn takes_part(
    tx: &mut Tx<'_>,
    who: &Principal,
    mut domains: Vec<String>,
) -> Result<bool, OpError> {
    if who.is_administrator() {
        return Ok(true);
    }
    domains.sort_unstable();
    domains.dedup();
    for domain in domains.iter().take(50).filter_map(|name| DomainName::new(name).ok()) {
        let Some(row) = tx.sip_domain(&domain).await? else { continue };
        if who.reaches(Ownership { customer: row.customer, reseller: row.reseller_id }) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn message(row: &SipTraceRow) -> Value {
    json!({
        "id": row.id, "direction": row.direction, "method": row.method, "status": row.status,
        "time_stamp": ngn_store::utc(row.time_us / 1000), "message": row.msg,
        "from_proto": row.from_proto, "from_ip": row.from_ip, "from_port": row.from_port,
        "to_proto": row.to_proto, "to_ip": row.to_ip, "to_port": row.to_port,
    })
}

/// A relay's JSON, if it is an object.
fn info(row: &MediaSessionRow) -> Option<Value> {
    serde_json::from_str(&row.info).ok().filter(Value::is_object)
}

fn trace(info: &Value) -> Value {
    json!({
        "duration": info.get("duration").cloned().unwrap_or_else(|| json!(0)),
        "streams": streams(info),
    })
}

fn streams(info: &Value) -> Value {
    info.get("streams").filter(|streams| streams.is_array()).cloned().unwrap_or_else(|| json!([]))
}

/// A session of which some stream has not ended.
fn session(row: &MediaSessionRow) -> Option<Value> {
    let info = info(row)?;
    let streams = streams(&info);
    let lasts = |stream: &Value| stream.get("end_time").is_none_or(Value::is_null);
    if !streams.as_array().is_some_and(|list| list.iter().any(lasts)) {
        return None;
    }
    let text = |name: &str| info.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(json!({
        "call_id": row.call_id, "from_uri": text("from_uri"), "to_uri": text("to_uri"),
        "caller_ua": text("caller_ua"), "callee_ua": text("callee_ua"),
        "duration": info.get("duration").cloned().unwrap_or_else(|| json!(0)), "streams": streams,
    }))
}

fn relay(node: &NodeRow, now: i64) -> Value {
    let count = |name: &str| node.counters.get(name).copied().unwrap_or(0);
    json!({
        "ip": node.ip, "version": node.version, "status": "active",
        "uptime": (now - node.started_at).max(0) / 1000, "session_count": count("sessions"),
        "stream_count": { "audio": count("audio"), "video": count("video") },
        "bps_relayed": count("bps_relayed"),
    })
}
