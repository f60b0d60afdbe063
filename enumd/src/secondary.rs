//! Zones that others master: who they are, and who may tell of changes.
//!
//! `fetch` asks masters and takes transfers → `run` decides by `ngn_dns::secondary::Timers` when, and hands new states to
//! [`crate::served`] → `keep` has copies on disk, beside the snapshot.

mod fetch;
mod keep;
mod run;
#[cfg(test)]
mod tests;

pub(crate) use run::Fetcher;

use crate::config::SecondaryZone;
use ngn_dns::answer::Rcode;
use ngn_dns::name::Name;
use ngn_dns::tsig::{Key, Keys};
use ngn_dns::zone::Zones;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// The zones that others master.
#[derive(Debug, Default)]
pub(crate) struct Secondaries(BTreeMap<Name, Arc<Secondary>>);

/// A zone that others master.
#[derive(Debug)]
pub(crate) struct Secondary {
    apex: Name,
    masters: Vec<SocketAddr>,
    key: Option<Arc<Key>>,
    /// Somebody who may do so told that the zone changed.
    told: Notify,
    /// Who it was: other masters may not know it yet.
    teller: Mutex<Option<IpAddr>>,
}

impl Secondaries {
    /// The zones of settings that were checked.
    pub(crate) fn new(settings: &[SecondaryZone], keys: &Keys) -> Self {
        let secondary = |settings: &SecondaryZone| {
            let apex = Name::parse(&settings.zone).ok()?;
            let key = settings.key.as_ref().and_then(|key| keys.get(&Name::parse(key).ok()?));
            let (masters, key) = (settings.masters.clone(), key.map(Arc::clone));
            let (told, teller) = (Notify::new(), Mutex::default());
            Some((apex.clone(), Arc::new(Secondary { apex, masters, key, told, teller })))
        };
        Self(settings.iter().filter_map(secondary).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn has(&self, apex: &Name) -> bool {
        self.0.contains_key(apex)
    }

    pub(crate) fn apexes(&self) -> impl Iterator<Item = &Name> {
        self.0.keys()
    }

    /// Somebody tells that a zone changed: masters may, and who signs with the zone's key (RFC 1996 section 3.10). `apex` is in
    /// wire form and lower case.
    pub(crate) fn hear(
        &self,
        zones: &Zones,
        apex: &[u8],
        key: Option<&Key>,
        from: IpAddr,
    ) -> Rcode {
        let Some(zone) = self.0.get(apex) else {
            // Zones of ours have nobody above them.
            return if zones.get(apex).is_some() { Rcode::Refused } else { Rcode::NotAuth };
        };
        let from = from.to_canonical();
        let is_master = zone.masters.iter().any(|master| master.ip().to_canonical() == from);
        let has_key =
            key.is_some_and(|key| zone.key.as_ref().is_some_and(|k| k.name() == key.name()));
        if !is_master && !has_key {
            return Rcode::Refused;
        }
        *zone.teller.lock().unwrap_or_else(PoisonError::into_inner) = Some(from);
        zone.told.notify_one();
        Rcode::NoError
    }
}

impl Secondary {
    /// The masters, with the one that told of a change first.
    fn masters(&self) -> Vec<SocketAddr> {
        let teller = self.teller.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut masters = self.masters.clone();
        masters.sort_by_key(|master| Some(master.ip().to_canonical()) != teller);
        masters
    }
}
