//! What enumd's configuration file says; `etc/enumd.toml` explains each key.

use crate::access::Prefix;
use ngn_dns::transfer::Bounds;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// The whole file. A missing key has the value that `etc/enumd.toml` shows.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// URL of the database, `sqlite:PATH` or `mysql://user:password@host:port/name`.
    pub database: String,
    /// Where DNS is served.
    pub listen: Listen,
    /// Address of the admin HTTP port.
    pub admin: SocketAddr,
    /// Allows `admin` to be reachable from other machines.
    pub admin_beyond_loopback: bool,
    /// The copy of the zones on disk.
    pub snapshot: Snapshot,
    /// Who may have whole zones.
    pub transfer: Transfer,
    /// Who is told of changes.
    pub notify: Notify,
    /// Limits on what the network may cost.
    pub limits: Limits,
    /// Logging, as `ngn_daemon` reads it.
    pub log: String,
}

/// Where DNS is served.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// UDP addresses.
    pub udp: Vec<SocketAddr>,
    /// TCP addresses. Port 0 takes the port of the UDP address with the same place in the list.
    pub tcp: Vec<SocketAddr>,
}

/// The copy of the zones on disk, to start from while the database is down.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Snapshot {
    /// The file; none is kept when it is empty.
    pub file: PathBuf,
    /// Seconds between two writes, when something changed; 1 to 86,400. It is written at the end as well.
    pub interval_seconds: u64,
}

/// Who may have whole zones (AXFR, IXFR).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transfer {
    /// Addresses and prefixes that may; none at first.
    pub allow: Vec<Prefix>,
    /// How many changes of a zone are kept for incremental transfers.
    pub differences: usize,
    /// How many octets the changes of one zone may have.
    pub zone_octets: usize,
    /// How many octets the changes of all zones may have.
    pub all_octets: usize,
}

impl Transfer {
    /// What is kept of changes.
    pub(crate) const fn bounds(&self) -> Bounds {
        let Self { differences, zone_octets, all_octets: octets, .. } = *self;
        Bounds { differences, zone_octets, octets }
    }
}

impl Default for Transfer {
    fn default() -> Self {
        Self { allow: Vec::new(), differences: 100, zone_octets: 1 << 20, all_octets: 64 << 20 }
    }
}

/// Who is told of changes (NOTIFY).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notify {
    /// Servers that are told of all zones.
    pub secondaries: Vec<Secondary>,
    /// Whether the name servers of each zone are told of it.
    pub name_servers: bool,
}

/// A server that is told of all zones.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secondary {
    /// Where it listens.
    pub address: SocketAddr,
}

/// Limits on what the network may cost.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Longest answer over UDP, in octets, 512 to 4096.
    pub udp_octets: u16,
    /// Threads and sockets per UDP address, 0 to 256; 0 takes one for each core.
    pub udp_threads: usize,
    /// Size of the UDP sockets' receive buffer, in octets.
    pub receive_buffer: usize,
    /// TCP connections at one time.
    pub connections: usize,
    /// TCP connections of one address at one time.
    pub connections_per_address: usize,
    /// Seconds in which a TCP client must send its next whole query and take its answers; 1 to 3600.
    pub idle_seconds: u64,
}

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl Default for Config {
    fn default() -> Self {
        Self {
            database: "sqlite:data/ngn.sqlite".to_owned(),
            listen: Listen::default(),
            admin: SocketAddr::new(LOCALHOST, 9282),
            admin_beyond_loopback: false,
            snapshot: Snapshot::default(),
            transfer: Transfer::default(),
            notify: Notify::default(),
            limits: Limits::default(),
            log: "info".to_owned(),
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            udp: vec![SocketAddr::new(LOCALHOST, 53)],
            tcp: vec![SocketAddr::new(LOCALHOST, 53)],
        }
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Self { file: PathBuf::new(), interval_seconds: 300 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            udp_octets: 1_232,
            udp_threads: 0,
            receive_buffer: 4 << 20,
            connections: 2_000,
            connections_per_address: 200,
            idle_seconds: 15,
        }
    }
}

impl Config {
    /// Finds what is well-formed and still makes no sense; the text names the key and what to write.
    pub fn check(&self) -> Result<(), String> {
        if self.listen.udp.is_empty() && self.listen.tcp.is_empty() {
            return Err("listen: neither `udp` nor `tcp` has an address".to_owned());
        }
        if !(1..=86_400).contains(&self.snapshot.interval_seconds) {
            return Err("snapshot.interval_seconds: must be 1 to 86400".to_owned());
        }
        if !(512..=4_096).contains(&self.limits.udp_octets) {
            return Err("limits.udp_octets: must be 512 to 4096".to_owned());
        }
        if self.limits.udp_threads > 256 {
            return Err("limits.udp_threads: must be at most 256".to_owned());
        }
        if self.limits.connections == 0 {
            return Err("limits.connections: must be at least 1".to_owned());
        }
        if self.limits.connections_per_address == 0 {
            return Err("limits.connections_per_address: must be at least 1".to_owned());
        }
        if !(1..=3_600).contains(&self.limits.idle_seconds) {
            return Err("limits.idle_seconds: must be 1 to 3600".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_make_sense() {
        assert_eq!(Config::default().check(), Ok(()));
    }

    #[test]
    fn the_shipped_file_shows_every_default() {
        let text = include_str!("../../etc/enumd.toml");
        let shipped: Config =
            ngn_daemon::config::parse(text, "etc/enumd.toml", "ENUMD", Vec::new())
                .expect("the shipped file is read");
        assert_eq!(shipped, Config::default());
        // `deny_unknown_fields` finds keys that are too many; this finds those that are missing.
        for key in [
            "database",
            "admin",
            "admin_beyond_loopback",
            "log",
            "udp",
            "tcp",
            "file",
            "interval_seconds",
            "allow",
            "differences",
            "zone_octets",
            "all_octets",
            "secondaries",
            "name_servers",
            "udp_octets",
            "udp_threads",
            "receive_buffer",
            "connections",
            "connections_per_address",
            "idle_seconds",
        ] {
            let begins = format!("{key} = ");
            assert!(text.lines().any(|line| line.starts_with(&begins)), "{key} is not shown");
        }
    }

    #[test]
    fn nonsense_is_named() {
        type Spoil = fn(&mut Config);
        let cases: [(Spoil, &str); 7] = [
            (|c| c.listen = Listen { udp: vec![], tcp: vec![] }, "listen"),
            (|c| c.snapshot.interval_seconds = 0, "snapshot.interval_seconds"),
            (|c| c.limits.udp_octets = 100, "limits.udp_octets"),
            (|c| c.limits.udp_threads = 1_000, "limits.udp_threads"),
            (|c| c.limits.connections = 0, "limits.connections:"),
            (|c| c.limits.connections_per_address = 0, "limits.connections_per_address"),
            (|c| c.limits.idle_seconds = 0, "limits.idle_seconds"),
        ];
        for (spoil, key) in cases {
            let mut config = Config::default();
            spoil(&mut config);
            let error = config.check().expect_err(key);
            assert!(error.starts_with(key), "{error}");
        }
    }
}
