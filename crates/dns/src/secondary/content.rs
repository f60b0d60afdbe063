//! The records of a zone while a transfer brings them.

use super::incoming::Invalid;
use super::message::Received;
use crate::name::Name;
use crate::zone::{Rr, Zone, codes};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Octets that a record costs besides its owner and its data.
const OVERHEAD: usize = 96;

/// The most that is taken from a master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Records of a zone, and of a transfer.
    pub records: usize,
    /// Octets of a transfer's records in memory.
    pub octets: usize,
}

/// All records of a name: the TTL by type and data.
type AtName = BTreeMap<(u16, Box<[u8]>), u32>;

/// Records by name. SOA records are kept apart.
#[derive(Debug)]
pub(super) struct Content {
    /// What the changes are made to; none when the whole zone comes.
    base: Option<Arc<Zone>>,
    /// With a base, the names that change.
    names: BTreeMap<Name, AtName>,
    limits: Limits,
    records: usize,
    octets: usize,
}

impl Content {
    pub(super) const fn new(base: Option<Arc<Zone>>, limits: Limits) -> Self {
        Self { base, names: BTreeMap::new(), limits, records: 0, octets: 0 }
    }

    fn count(&mut self, record: &Received) -> Result<(), Invalid> {
        self.records += 1;
        self.octets += record.owner.as_wire().len() + record.rdata.len() + OVERHEAD;
        if self.records > self.limits.records || self.octets > self.limits.octets {
            return Err(Invalid::TooLarge);
        }
        Ok(())
    }

    fn at(&mut self, owner: &Name) -> &mut AtName {
        let base = self.base.as_deref();
        self.names.entry(owner.clone()).or_insert_with(|| {
            let node = base.and_then(|zone| zone.node(owner.as_wire()));
            let sets = node.into_iter().flat_map(|node| node.rrsets());
            let sets = sets.filter(|set| set.rtype != codes::SOA);
            sets.flat_map(|set| set.rdata().map(move |data| ((set.rtype, data.into()), set.ttl)))
                .collect()
        })
    }

    /// Adds a record. One that is there already does not fit into a change (RFC 1995); in a whole zone it counts once
    /// (RFC 2181 section 5).
    pub(super) fn add(&mut self, record: Received) -> Result<(), Invalid> {
        self.count(&record)?;
        let incremental = self.base.is_some();
        let Received { owner, rtype, ttl, rdata, .. } = record;
        let before = self.at(&owner).insert((rtype, rdata), ttl);
        if incremental && before.is_some() { Err(Invalid::DoesNotFit) } else { Ok(()) }
    }

    /// Takes a record away, which has to be there. Its TTL does not matter (RFC 2136 section 2.4.5 for the same reason).
    pub(super) fn delete(&mut self, record: Received) -> Result<(), Invalid> {
        self.count(&record)?;
        let Received { owner, rtype, rdata, .. } = record;
        self.at(&owner).remove(&(rtype, rdata)).map(drop).ok_or(Invalid::DoesNotFit)
    }

    /// The zone with this SOA, and the names that may have changed when not all may.
    pub(super) fn finish(
        mut self,
        soa: Received,
        serial: u32,
    ) -> Result<(Zone, Option<BTreeSet<Name>>), Invalid> {
        let apex = soa.owner.clone();
        self.at(&apex);
        let changed = self.base.is_some().then(|| self.names.keys().cloned().collect());
        let mut zone = match &self.base {
            Some(base) => base.with_serial(serial),
            None => Zone::new(apex.clone(), serial),
        };
        let mut soa = Some(soa);
        for (owner, records) in self.names {
            check(&owner, &apex, &records)?;
            let mut rrs: Vec<Rr> = records
                .into_iter()
                .map(|((rtype, rdata), ttl)| Rr { rtype, ttl, rdata: rdata.into() })
                .collect();
            if owner == apex
                && let Some(Received { rtype, ttl, rdata, .. }) = soa.take()
            {
                rrs.push(Rr { rtype, ttl, rdata: rdata.into() });
            }
            zone.replace(&owner, rrs);
        }
        if zone.record_count() > self.limits.records {
            return Err(Invalid::TooLarge);
        }
        Ok((zone, changed))
    }
}

/// What may stand at one name (RFC 1034 section 3.6.2, RFC 6672 section 2.4).
fn check(owner: &Name, apex: &Name, records: &AtName) -> Result<(), Invalid> {
    let of = |rtype: u16| records.keys().filter(|(found, _)| *found == rtype).count();
    let aliases = of(codes::CNAME);
    if aliases > 0 && (records.len() > 1 || owner == apex) {
        return Err(Invalid::CnameNotAlone(owner.clone()));
    }
    if of(codes::DNAME) > 1 {
        return Err(Invalid::SeveralDnames(owner.clone()));
    }
    // So many go into no message.
    if records.len() > usize::from(u16::MAX) { Err(Invalid::TooLarge) } else { Ok(()) }
}
