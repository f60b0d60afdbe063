//! What enumd's configuration file says; `etc/enumd.toml` explains each key.

mod https;
mod keys;
mod limits;
mod secondary;
mod watch;

pub use https::Https;
pub use keys::KeySettings;
pub use limits::Limits;
pub use secondary::{Fetching, SecondaryZone};
pub use watch::{Counting, QueryLog};

use crate::rate::Rate;
use ngn_daemon::prefix::Prefix;
use ngn_dns::name::Name;
use ngn_dns::transfer::Bounds;
use ngn_dns::tsig::{Key, Keys};
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
    /// Secrets that are shared with others (TSIG).
    pub keys: Vec<KeySettings>,
    /// Who may have whole zones.
    pub transfer: Transfer,
    /// What DNS over TLS and DNS over HTTPS are served with.
    pub tls: Tls,
    /// How DNS over HTTPS is served.
    pub https: Https,
    /// Who is told of changes.
    pub notify: Notify,
    /// Zones that others master.
    pub secondary: Vec<SecondaryZone>,
    /// How these are fetched.
    pub fetching: Fetching,
    /// Signed zones.
    pub dnssec: Dnssec,
    /// How many answers one network gets.
    pub rate: Rate,
    /// Limits on what the network may cost.
    pub limits: Limits,
    /// Which queries are noted.
    pub query_log: QueryLog,
    /// What is counted.
    pub metrics: Counting,
    /// Logging, as `ngn_daemon` reads it.
    pub log: String,
}

/// Signed zones (DNSSEC). Which ones are signed, and by what, is in the database.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dnssec {
    /// The file with the keys that private keys of zones are encrypted with, that of ngnpro's passwords; none is read when it
    /// is empty.
    pub key_file: PathBuf,
    /// How many signatures are kept in memory.
    pub signatures: usize,
}

impl Default for Dnssec {
    fn default() -> Self {
        Self { key_file: PathBuf::from("data/password-key"), signatures: 100_000 }
    }
}

/// Where DNS is served.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// UDP addresses.
    pub udp: Vec<SocketAddr>,
    /// TCP addresses. Port 0 takes the port of the UDP address with the same place in the list.
    pub tcp: Vec<SocketAddr>,
    /// Addresses of DNS over TLS; none at first.
    pub tls: Vec<SocketAddr>,
    /// Addresses of DNS over HTTPS; none at first.
    pub https: Vec<SocketAddr>,
}

/// The certificate that DNS over TLS and DNS over HTTPS are served with, both read again at SIGHUP.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The file with the certificate and those that it was issued with, PEM.
    pub certificate: PathBuf,
    /// The file with its private key, PEM.
    pub private_key: PathBuf,
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
    /// Names of keys whose owners may, from anywhere.
    pub keys: Vec<String>,
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
        Self {
            allow: Vec::new(),
            keys: Vec::new(),
            differences: 100,
            zone_octets: 1 << 20,
            all_octets: 64 << 20,
        }
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
    /// The name of the key that signs what it is told.
    #[serde(default)]
    pub key: Option<String>,
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
            keys: Vec::new(),
            transfer: Transfer::default(),
            tls: Tls::default(),
            https: Https::default(),
            notify: Notify::default(),
            secondary: Vec::new(),
            fetching: Fetching::default(),
            dnssec: Dnssec::default(),
            rate: Rate::default(),
            limits: Limits::default(),
            query_log: QueryLog::default(),
            metrics: Counting::default(),
            log: "info".to_owned(),
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            udp: vec![SocketAddr::new(LOCALHOST, 53)],
            tcp: vec![SocketAddr::new(LOCALHOST, 53)],
            tls: Vec::new(),
            https: Vec::new(),
        }
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Self { file: PathBuf::new(), interval_seconds: 300 }
    }
}

impl Config {
    /// Finds what is well-formed and still makes no sense; the text names the key and what to write.
    pub fn check(&self) -> Result<(), String> {
        if self.listen.udp.is_empty() && self.listen.tcp.is_empty() {
            return Err("listen: neither `udp` nor `tcp` has an address".to_owned());
        }
        if self.tls.certificate.as_os_str().is_empty()
            != self.tls.private_key.as_os_str().is_empty()
        {
            return Err("tls: `certificate` and `private_key` belong together".to_owned());
        }
        if !self.listen.tls.is_empty() && self.tls.certificate.as_os_str().is_empty() {
            return Err("tls.certificate: needed for `listen.tls`".to_owned());
        }
        https::check(self)?;
        if !(1..=86_400).contains(&self.snapshot.interval_seconds) {
            return Err("snapshot.interval_seconds: must be 1 to 86400".to_owned());
        }
        self.limits.check()?;
        if self.metrics.zones > 1_000 {
            return Err("metrics.zones: must be at most 1000".to_owned());
        }
        let keys = self.load_keys()?;
        let known = |name: &String| Name::parse(name).is_ok_and(|name| keys.get(&name).is_some());
        if let Some(name) = self.transfer.keys.iter().find(|name| !known(name)) {
            return Err(format!("transfer.keys: `{name}` is not among `keys`"));
        }
        let mut secondaries = self.notify.secondaries.iter().filter_map(|s| s.key.as_ref());
        if let Some(name) = secondaries.find(|name| !known(name)) {
            return Err(format!("notify.secondaries: `{name}` is not among `keys`"));
        }
        secondary::check(&self.secondary, &keys)?;
        self.fetching.check()
    }

    /// The keys, those in files included.
    ///
    /// # Errors
    ///
    /// Keys that make no sense and files that cannot be read; the text names the key.
    pub fn load_keys(&self) -> Result<Keys, String> {
        let keys = self
            .keys
            .iter()
            .map(|key| key.load().map_err(|error| format!("keys: `{}`: {error}", key.name)));
        let keys = keys.collect::<Result<Vec<Key>, String>>()?;
        let twice = keys
            .iter()
            .enumerate()
            .find(|(at, key)| keys.iter().take(*at).any(|other| other.name() == key.name()));
        match twice {
            Some((_, key)) => Err(format!("keys: `{}` is there twice", key.name())),
            None => Ok(keys.into_iter().collect()),
        }
    }
}

#[cfg(test)]
mod tests;
