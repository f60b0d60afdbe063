//! Zones that others master.

use ngn_dns::name::Name;
use ngn_dns::secondary::Limits;
use ngn_dns::tsig::Keys;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// A zone that others master.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondaryZone {
    /// Its name.
    pub zone: String,
    /// The servers that it is fetched from, over TCP, and that may tell of changes; at least one.
    pub masters: Vec<SocketAddr>,
    /// The name of the key that requests are signed with; then answers must be, too.
    #[serde(default)]
    pub key: Option<String>,
}

/// How zones that others master are fetched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fetching {
    /// Records that a zone may have.
    pub records: usize,
    /// Octets in memory that the records of one transfer may have.
    pub octets: usize,
    /// Seconds that a transfer may last, 1 to 86,400.
    pub seconds: u64,
    /// Transfers at one time, 1 to 1,000.
    pub at_once: usize,
    /// Refresh and retry of an SOA count as at least so many seconds, 1 to 86,400.
    pub least_seconds: u32,
}

impl Default for Fetching {
    fn default() -> Self {
        Self { records: 1_000_000, octets: 256 << 20, seconds: 600, at_once: 8, least_seconds: 30 }
    }
}

impl Fetching {
    pub(crate) const fn limits(&self) -> Limits {
        Limits { records: self.records, octets: self.octets }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if !(1..=86_400).contains(&self.seconds) {
            return Err("fetching.seconds: must be 1 to 86400".to_owned());
        }
        if !(1..=1_000).contains(&self.at_once) {
            return Err("fetching.at_once: must be 1 to 1000".to_owned());
        }
        if !(1..=86_400).contains(&self.least_seconds) {
            return Err("fetching.least_seconds: must be 1 to 86400".to_owned());
        }
        Ok(())
    }
}

pub(super) fn check(zones: &[SecondaryZone], keys: &Keys) -> Result<(), String> {
    let mut apexes = BTreeSet::new();
    for SecondaryZone { zone, masters, key } in zones {
        let apex = Name::parse(zone).map_err(|error| format!("secondary: `{zone}`: {error}"))?;
        if !apexes.insert(apex) {
            return Err(format!("secondary: `{zone}` is there twice"));
        }
        if masters.is_empty() {
            return Err(format!("secondary: `{zone}`: masters: needs at least one address"));
        }
        let known = |key: &String| Name::parse(key).is_ok_and(|name| keys.get(&name).is_some());
        if let Some(key) = key.as_ref().filter(|key| !known(key)) {
            return Err(format!("secondary: `{zone}`: the key `{key}` is not among `keys`"));
        }
    }
    Ok(())
}
