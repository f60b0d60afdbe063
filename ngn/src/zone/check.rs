//! `ngn zone check`: what a zone's parent must publish and does, what its servers answer, and whether telephones find the
//! servers of our SIP domains in it (RFC 3263).

mod ask;
mod live;
mod phones;
#[cfg(test)]
mod tests;

use super::{keys, named};
use crate::say;
use crate::table::shown;
use anyhow::{anyhow, ensure};
use ask::{Servers, system_resolver};
use ngn_model::DomainName;
use ngn_ngnpro::ops::Call;
use ngn_store::{Filter, Range, Store, StoreError};
use phones::{TCP, TLS, UDP, Way};
use serde_json::json;
use std::net::SocketAddr;

/// Which zones, and what is done about them.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("which").required(true)))]
pub(super) struct Options {
    /// The zone.
    #[arg(value_name = "ZONE", group = "which")]
    zone: Option<String>,
    /// All zones.
    #[arg(long, group = "which")]
    all: bool,
    /// Adds the records that telephones look for (NAPTR, SRV) to zones that lack them.
    #[arg(long)]
    fix: bool,
    /// The host name of the SIP servers, for the SRV records that --fix adds; without it the one that other SRV records name.
    #[arg(long, value_name = "NAME")]
    sip_server: Option<String>,
    /// Asks no servers.
    #[arg(long)]
    offline: bool,
    /// Who is asked for the zones above; without it the resolver of this machine.
    #[arg(long, value_name = "ADDRESS")]
    resolver: Option<SocketAddr>,
    /// The port of name servers.
    #[arg(long, value_name = "PORT", default_value_t = 53)]
    port: u16,
    /// One JSON object for each finding, in a line of its own.
    #[arg(long)]
    json: bool,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// What the parent has to publish, and what is as it should be.
    Note,
    /// It works now, and may not always.
    Doubt,
    /// It does not work, or cannot be known.
    Wrong,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Doubt => "doubt",
            Self::Wrong => "wrong",
        }
    }
}

/// What was found about a zone.
#[derive(Debug, Default)]
struct Findings(Vec<(Level, String)>);

impl Findings {
    fn note(&mut self, what: String) {
        self.0.push((Level::Note, what));
    }

    fn doubt(&mut self, what: String) {
        self.0.push((Level::Doubt, what));
    }

    fn wrong(&mut self, what: String) {
        self.0.push((Level::Wrong, what));
    }
}

/// Checks and prints. Fails when anything is wrong.
pub(super) async fn run(
    call: &Call<'_>,
    options: Options,
    sipd: &ngn_sipd::config::Config,
) -> anyhow::Result<()> {
    let store = call.store;
    let all: Vec<String> =
        store.zone_summaries("%").await?.into_iter().map(|zone| zone.name).collect();
    let zones: Vec<DomainName> = match &options.zone {
        Some(zone) => vec![named(zone)?],
        None => all.iter().filter_map(|zone| DomainName::new(zone).ok()).collect(),
    };
    let servers = if options.offline {
        None
    } else {
        let resolver = options.resolver.map_or_else(system_resolver, Ok)?;
        Some(Servers { resolver, port: options.port })
    };
    let ways = ways(sipd);
    let domains = sip_domains(store).await?;
    let mut wrong = 0_usize;
    for zone in &zones {
        let mut found = Findings::default();
        let read = || async {
            let rows = store.zone(zone).await?;
            rows.ok_or_else(|| anyhow!("there is no zone {zone}; `ngn zone list` lists all"))
        };
        let mut rows = read().await?;
        let mut missing = String::new();
        for domain in domains.iter().filter(|domain| nearest(domain, &all) == Some(zone.as_str())) {
            let (what, lines) = phones::check(&rows, domain, &ways, options.sip_server.as_deref());
            if options.fix && !lines.is_empty() {
                missing.push_str(&lines);
            } else {
                found.0.extend(what.0);
            }
        }
        if !missing.is_empty() {
            let added = super::master::merge(call, zone, &missing).await?;
            found.note(format!("{added} records were added by which telephones find the servers"));
            rows = read().await?;
        }
        let ds = keys::ds_of(store, zone).await?;
        live::delegation(&rows, &ds, &mut found);
        if let Some(servers) = &servers {
            live::check(servers, &rows, &ds, &mut found).await;
        }
        wrong += found.0.iter().filter(|(level, _)| *level == Level::Wrong).count();
        tell(zone, &found, options.json);
    }
    ensure!(wrong == 0, "{wrong} things are wrong in {} zones", zones.len());
    Ok(())
}

/// The ways by which sipd is reached.
fn ways(sipd: &ngn_sipd::config::Config) -> Vec<Way> {
    let listen = &sipd.listen;
    [(UDP, &listen.udp), (TCP, &listen.tcp), (TLS, &listen.tls)]
        .into_iter()
        .filter(|(_, addresses)| !addresses.is_empty())
        .map(|(way, _)| way)
        .collect()
}

async fn sip_domains(store: &Store) -> anyhow::Result<Vec<String>> {
    let read = store.read(|tx| {
        Box::pin(async move {
            let page = tx.list_sip_domains(Filter::new(), None, Range::default()).await?;
            Ok::<_, StoreError>(page.rows)
        })
    });
    Ok(read.await?.into_iter().map(|row| row.domain.to_string()).collect())
}

/// The zone that a domain lies in.
fn nearest<'z>(domain: &str, zones: &'z [String]) -> Option<&'z str> {
    let inside = |zone: &&String| {
        let head = domain.strip_suffix(zone.as_str());
        head.is_some_and(|head| head.is_empty() || head.ends_with('.'))
    };
    zones.iter().filter(inside).max_by_key(|zone| zone.len()).map(String::as_str)
}

fn tell(zone: &DomainName, found: &Findings, json: bool) {
    for (level, what) in &found.0 {
        let level = level.as_str();
        say(&if json {
            json!({ "zone": zone.as_str(), "level": level, "what": what }).to_string()
        } else {
            format!("{zone}: {level}: {}", shown(what))
        });
    }
}
