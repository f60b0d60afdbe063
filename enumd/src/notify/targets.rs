//! The name servers of zones, and their addresses.

use ngn_dns::name::Name;
use ngn_dns::zone::{Zone, Zones};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const A: u16 = 1;
const NS: u16 = 2;
const AAAA: u16 = 28;
/// Where servers listen.
const PORT: u16 = 53;
/// How long addresses of others' names are remembered.
const REMEMBER: Duration = Duration::from_secs(300);
/// How many of others' names are remembered.
const REMEMBERED: usize = 10_000;
/// How long the system may look for an address.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most servers of a zone that are told.
const MOST: usize = 32;

/// Finds servers' addresses.
#[derive(Debug)]
pub(super) struct Servers {
    own: Vec<SocketAddr>,
    known: Mutex<BTreeMap<String, (Instant, Vec<IpAddr>)>>,
}

impl Servers {
    pub(super) fn new(own: &[SocketAddr]) -> Self {
        Self { own: own.to_vec(), known: Mutex::default() }
    }

    /// Where a zone's name servers listen, without this server.
    pub(super) async fn of(&self, zones: &Zones, apex: &Name) -> BTreeSet<SocketAddr> {
        let mut found = BTreeSet::new();
        let Some(zone) = zones.get(apex.as_wire()) else { return found };
        for name in names(zone) {
            let addresses = match zones.find(name.as_wire()) {
                Some(zone) => addresses(zone, &name),
                None => self.elsewhere(&name).await,
            };
            found.extend(addresses.into_iter().map(|address| SocketAddr::new(address, PORT)));
        }
        found.retain(|address| !self.own.contains(address));
        found
    }

    /// Asks the system, and remembers what it says, be it nothing.
    async fn elsewhere(&self, name: &Name) -> Vec<IpAddr> {
        let name = name.to_string();
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, addresses)) = known().get(&name)
            && at.elapsed() < REMEMBER
        {
            return addresses.clone();
        }
        let asked = async {
            let found = tokio::net::lookup_host((&*name, PORT)).await.ok()?;
            Some(found.map(|address| address.ip()).collect::<Vec<IpAddr>>())
        };
        let addresses = tokio::time::timeout(PATIENCE, asked).await.ok().flatten();
        let addresses = addresses.unwrap_or_default();
        let mut known = known();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(name, (Instant::now(), addresses.clone()));
        addresses
    }
}

/// The names of a zone's servers, without the one that the SOA names as the primary (RFC 1996 section 2.1).
fn names(zone: &Zone) -> Vec<Name> {
    let primary = zone.soa().and_then(|soa| soa.rrset.rdata().next());
    let primary = primary.and_then(|rdata| Name::from_wire(rdata).ok());
    let servers = zone.node(zone.apex().as_wire()).and_then(|node| node.rrset(NS));
    let names = servers.into_iter().flat_map(|servers| servers.rdata());
    let names = names.filter_map(|rdata| Name::from_wire(rdata).ok());
    names.filter(|name| Some(name) != primary.as_ref()).take(MOST).collect()
}

fn addresses(zone: &Zone, name: &Name) -> Vec<IpAddr> {
    let Some(node) = zone.node(name.as_wire()) else { return Vec::new() };
    let v4 = node.rrset(A).into_iter().flat_map(|set| set.rdata());
    let v4 = v4.filter_map(|rdata| Some(Ipv4Addr::from(*rdata.first_chunk::<4>()?).into()));
    let v6 = node.rrset(AAAA).into_iter().flat_map(|set| set.rdata());
    v4.chain(v6.filter_map(|rdata| Some(Ipv6Addr::from(*rdata.first_chunk::<16>()?).into())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_model::DomainName;
    use ngn_model::zone::{RecordRow, ZoneRows};

    fn zone(apex: &str, lines: &[(&str, &str, &str)]) -> Zone {
        let record = |(name, rtype, content): &(&str, &str, &str)| RecordRow {
            name: (*name).to_owned(),
            rtype: (*rtype).to_owned(),
            content: (*content).to_owned(),
            ttl: 60,
            priority: 0,
        };
        let records = lines.iter().map(record).collect();
        let (zone, bad) = Zone::build(&ZoneRows {
            apex: DomainName::new(apex).unwrap(),
            serial: 1,
            records,
            signing: None,
        });
        assert!(bad.is_empty(), "{bad:?}");
        zone
    }

    #[tokio::test]
    async fn servers_are_found_in_our_zones_first() {
        let zones: Zones = [
            zone(
                "a.example",
                &[
                    ("a.example", "SOA", "ns1.a.example h.a.example 1 2 3 4 5"),
                    ("a.example", "NS", "ns1.a.example"),
                    ("a.example", "NS", "ns2.a.example"),
                    ("a.example", "NS", "ns.b.example"),
                    ("a.example", "NS", "none.b.example"),
                    ("a.example", "NS", "localhost"),
                    ("ns1.a.example", "A", "192.0.2.1"),
                    ("ns2.a.example", "A", "192.0.2.2"),
                    ("ns2.a.example", "AAAA", "2001:db8::2"),
                ],
            ),
            zone(
                "b.example",
                &[("ns.b.example", "A", "192.0.2.3"), ("ns.b.example", "A", "192.0.2.4")],
            ),
        ]
        .into_iter()
        .collect();
        let own: SocketAddr = "192.0.2.4:53".parse().unwrap();
        let servers = Servers::new(&[own]);
        let mut found = servers.of(&zones, &Name::parse("a.example").unwrap()).await;
        // The system knows where localhost is.
        assert!(found.remove(&"127.0.0.1:53".parse().unwrap()), "{found:?}");
        found.retain(|address| !address.ip().is_loopback());
        let found: Vec<String> = found.iter().map(SocketAddr::to_string).collect();
        assert_eq!(found, ["192.0.2.2:53", "192.0.2.3:53", "[2001:db8::2]:53"]);
        assert!(servers.of(&zones, &Name::parse("c.example").unwrap()).await.is_empty());
    }
}
