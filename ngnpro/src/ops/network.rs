//! The Network port: which daemons run and what they have to do, as JSON (B169, B170, contract B7).
//!
//! The daemons tell it through the table `nodes`; calls, registrations and accounts are counted in the tables they
//! stand in.

use super::{Call, Outcome};
use crate::fault::OpError;
use crate::principal::Need;
use ngn_daemon::wall_clock;
use ngn_store::{ByDomain, NodeRow, SipLoad};
use serde_json::{Map, Value, json};

/// The role of a node in the network image of the original client.
fn role(daemon: &str) -> &str {
    match daemon {
        "sipd" => "sip_proxy",
        "enumd" => "thor_dnsmanager",
        "ngnpro" => "provisioning_server",
        other => other,
    }
}

/// `getStatus`: the daemons that run, by `daemon@host:port`.
pub async fn status(call: &Call<'_>) -> Outcome<String> {
    call.require(Need::Administrator)?;
    let nodes = call
        .store
        .read(|tx| Box::pin(async move { Ok::<_, OpError>(tx.running_nodes().await?) }))
        .await?;
    Ok((status_json(&nodes, wall_clock()).to_string(), None))
}

/// `getStatistics`: per role, section and domain, for all nodes together (`summary`) and for each address.
pub async fn statistics(call: &Call<'_>) -> Outcome<String> {
    call.require(Need::Administrator)?;
    let (nodes, load) = call
        .store
        .read(|tx| {
            Box::pin(
                async move { Ok::<_, OpError>((tx.running_nodes().await?, tx.sip_load().await?)) },
            )
        })
        .await?;
    Ok((statistics_json(&nodes, &load).to_string(), None))
}

fn status_json(nodes: &[NodeRow], now: i64) -> Value {
    let entries = nodes.iter().map(|node| {
        let mut entry = json!({
            "ip": node.ip,
            "version": node.version,
            "roles": [role(&node.daemon)],
            "daemon": node.daemon,
            "address": node.node,
            "started": ngn_store::utc(node.started_at),
            "uptime": (now - node.started_at).max(0) / 1000,
        });
        if let Value::Object(members) = &mut entry {
            members.extend(node.counters.iter().map(|(name, count)| (name.clone(), json!(count))));
        }
        (format!("{}@{}", node.daemon, node.node), entry)
    });
    Value::Object(entries.collect())
}

fn statistics_json(nodes: &[NodeRow], load: &SipLoad) -> Value {
    if nodes.is_empty() {
        return json!({});
    }
    let mut all = Map::new();
    all.insert("summary".to_owned(), json!({ "sip_proxy": sections(&load.all) }));
    for node in nodes {
        let of_role = if node.daemon == "sipd" {
            sections(&served_by(&node.node, load))
        } else {
            // These count nothing by domain.
            node.counters.iter().map(|(name, n)| (name.clone(), json!({ "total": n }))).collect()
        };
        let entry = all.entry(node.ip.clone()).or_insert_with(|| json!({}));
        if let Value::Object(roles) = entry {
            merge(roles.entry(role(&node.daemon)).or_insert_with(|| json!({})), of_role);
        }
    }
    Value::Object(all)
}

/// What one SIP node serves. Every node serves every account; a registration belongs to one node alone when only that
/// one can reach the phone, and a call to the node that set it up.
fn served_by(node: &str, load: &SipLoad) -> ByDomain {
    let mut counts = load.all.clone();
    for counts in counts.values_mut() {
        (counts.sessions, counts.caller, counts.callee) = (0, 0, 0);
    }
    for (owner, domains) in &load.of_node {
        for (domain, theirs) in domains {
            let counts = counts.entry(domain.clone()).or_default();
            if owner == node {
                counts.sessions = theirs.sessions;
                (counts.caller, counts.callee) = (theirs.caller, theirs.callee);
            } else {
                counts.online_accounts =
                    counts.online_accounts.saturating_sub(theirs.online_accounts);
            }
        }
    }
    counts
}

fn sections(counts: &ByDomain) -> Map<String, Value> {
    let section = |read: fn(&ngn_store::DomainCounts) -> u64| -> Value {
        counts.iter().map(|(domain, counts)| (domain.clone(), json!(read(counts)))).collect()
    };
    let mut sections = Map::new();
    sections.insert("online_accounts".to_owned(), section(|c| c.online_accounts));
    sections.insert("total_accounts".to_owned(), section(|c| c.total_accounts));
    sections.insert("sessions".to_owned(), section(|c| c.sessions));
    sections.insert("caller".to_owned(), section(|c| c.caller));
    sections.insert("callee".to_owned(), section(|c| c.callee));
    sections
}

/// Adds up nodes of one role at one address; accounts and registrations are the same for both.
fn merge(into: &mut Value, sections: Map<String, Value>) {
    let Value::Object(into) = into else { return };
    for (name, section) in sections {
        let is_shared = name.ends_with("_accounts");
        let (Value::Object(here), Value::Object(more)) =
            (into.entry(name).or_insert_with(|| json!({})), section)
        else {
            continue;
        };
        for (domain, count) in more {
            let (old, new) = (here.get(&domain).and_then(Value::as_u64), count.as_u64());
            let (old, new) = (old.unwrap_or(0), new.unwrap_or(0));
            let both = if is_shared { old.max(new) } else { old.saturating_add(new) };
            here.insert(domain, json!(both));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_store::DomainCounts;
    use std::collections::BTreeMap;

    fn node(daemon: &str, node: &str, ip: &str, counters: &[(&str, u64)]) -> NodeRow {
        NodeRow {
            daemon: daemon.to_owned(),
            node: node.to_owned(),
            ip: ip.to_owned(),
            version: "1.2.3".to_owned(),
            started_at: 1_000_000,
            counters: counters.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect(),
        }
    }

    fn counts(online: u64, total: u64, calls: u64) -> DomainCounts {
        DomainCounts {
            total_accounts: total,
            online_accounts: online,
            sessions: calls,
            caller: calls,
            callee: 0,
        }
    }

    #[test]
    fn b169_nothing_runs() {
        assert_eq!(status_json(&[], 0).to_string(), "{}");
        assert_eq!(statistics_json(&[], &SipLoad::default()).to_string(), "{}");
    }

    #[test]
    fn status_names_what_runs() {
        let nodes = [node("sipd", "192.0.2.1:5060", "192.0.2.1", &[("requests", 7)])];
        assert_eq!(
            status_json(&nodes, 1_061_999),
            json!({ "sipd@192.0.2.1:5060": {
                "ip": "192.0.2.1", "version": "1.2.3", "roles": ["sip_proxy"], "daemon": "sipd",
                "address": "192.0.2.1:5060", "started": "1970-01-01 00:16:40", "uptime": 61, "requests": 7,
            } })
        );
    }

    #[test]
    fn statistics_by_node_role_section_and_domain() {
        let one = |counts| BTreeMap::from([("example.com".to_owned(), counts)]);
        let load = SipLoad {
            all: one(counts(5, 9, 3)),
            of_node: BTreeMap::from([
                ("192.0.2.1:5060".to_owned(), one(counts(2, 0, 1))),
                ("192.0.2.2:5060".to_owned(), one(counts(0, 0, 2))),
            ]),
        };
        let nodes = [
            node("sipd", "192.0.2.1:5060", "192.0.2.1", &[]),
            node("sipd", "192.0.2.2:5060", "192.0.2.2", &[]),
            node("enumd", "192.0.2.1:53", "192.0.2.1", &[("queries", 11)]),
        ];
        let all = statistics_json(&nodes, &load);
        let of = |ip: &str, section: &str| {
            all[ip]["sip_proxy"][section]["example.com"].as_u64().expect("a number")
        };
        for (ip, expected) in [
            ("summary", [5, 9, 3, 3, 0]),
            ("192.0.2.1", [5, 9, 1, 1, 0]),
            ("192.0.2.2", [3, 9, 2, 2, 0]),
        ] {
            let sections = ["online_accounts", "total_accounts", "sessions", "caller", "callee"];
            assert_eq!(sections.map(|section| of(ip, section)), expected, "{ip}");
        }
        assert_eq!(all["192.0.2.1"]["thor_dnsmanager"], json!({ "queries": { "total": 11 } }));
    }
}
