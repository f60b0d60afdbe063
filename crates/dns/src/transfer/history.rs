//! What changed between states of zones, kept for incremental transfers (RFC 1995), within bounds.

use crate::name::Name;
use crate::zone::{Node, Zone, codes};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Octets that a record costs besides its owner and its data.
const OVERHEAD: usize = 64;

/// A record that came or went.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Changed {
    pub(super) owner: Box<[u8]>,
    pub(super) rtype: u16,
    pub(super) ttl: u32,
    pub(super) rdata: Box<[u8]>,
}

impl Changed {
    fn octets(&self) -> usize {
        self.owner.len() + self.rdata.len() + OVERHEAD
    }

    fn soa(zone: &Zone) -> Option<Self> {
        let rrset = zone.soa()?.rrset;
        let mut rdata: Box<[u8]> = rrset.rdata().next()?.into();
        // The serial is that of the zone, not the one that stands there.
        if let Some(numbers) = rdata.last_chunk_mut::<20>()
            && let Some(serial) = numbers.first_chunk_mut()
        {
            *serial = zone.serial().to_be_bytes();
        }
        Some(Self { owner: zone.apex().as_wire().into(), rtype: codes::SOA, ttl: rrset.ttl, rdata })
    }
}

/// What changed from one serial of a zone to a later one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    from: u32,
    to: u32,
    pub(super) old_soa: Changed,
    pub(super) new_soa: Changed,
    pub(super) deleted: Vec<Changed>,
    pub(super) added: Vec<Changed>,
    octets: usize,
}

impl Difference {
    /// Compares two states of a zone, at the names that may have changed; `None` for all names.
    ///
    /// Gives `None` when one of them has no SOA or when the difference has more than `limit` octets.
    #[must_use]
    pub fn between(
        old: &Zone,
        new: &Zone,
        at: Option<&BTreeSet<Name>>,
        limit: usize,
    ) -> Option<Self> {
        let (old_soa, new_soa) = (Changed::soa(old)?, Changed::soa(new)?);
        let octets = old_soa.octets() + new_soa.octets();
        let (deleted, added) = (Vec::new(), Vec::new());
        let (from, to) = (old.serial(), new.serial());
        let mut difference = Self { from, to, old_soa, new_soa, deleted, added, octets };
        let mut compare = |name: &[u8]| {
            difference.compare(old.node(name), new.node(name));
            difference.octets <= limit
        };
        let whole = match at {
            Some(names) => names.iter().all(|name| compare(name.as_wire())),
            None => {
                old.nodes().all(|node| compare(node.name()))
                    && new
                        .nodes()
                        .filter(|node| old.node(node.name()).is_none())
                        .all(|node| compare(node.name()))
            }
        };
        whole.then_some(difference)
    }

    fn compare(&mut self, old: Option<Node<'_>>, new: Option<Node<'_>>) {
        let (old, new) = (records(old), records(new));
        for record in old.difference(&new) {
            self.octets += record.octets();
            self.deleted.push(record.clone());
        }
        for record in new.difference(&old) {
            self.octets += record.octets();
            self.added.push(record.clone());
        }
    }

    /// One difference in place of several that follow one another (RFC 1995 section 5); `None` when there is none.
    #[must_use]
    pub fn condensed(chain: &[Arc<Self>]) -> Option<Self> {
        let (first, last) = (chain.first()?, chain.last()?);
        let (mut deleted, mut added) = (BTreeSet::new(), BTreeSet::new());
        for difference in chain {
            for record in &difference.deleted {
                if !added.remove(record) {
                    deleted.insert(record);
                }
            }
            for record in &difference.added {
                if !deleted.remove(record) {
                    added.insert(record);
                }
            }
        }
        let (deleted, added): (Vec<Changed>, Vec<Changed>) =
            (deleted.into_iter().cloned().collect(), added.into_iter().cloned().collect());
        let (old_soa, new_soa) = (first.old_soa.clone(), last.new_soa.clone());
        let octets = [&old_soa, &new_soa].into_iter().chain(&deleted).chain(&added);
        let octets = octets.map(Changed::octets).sum();
        Some(Self { from: first.from, to: last.to, old_soa, new_soa, deleted, added, octets })
    }

    /// How many records came and went, the SOA not counted.
    #[must_use]
    pub const fn record_count(&self) -> usize {
        self.deleted.len() + self.added.len()
    }
}

/// All records of a name but the SOA, whose serial changes anyway.
fn records(node: Option<Node<'_>>) -> BTreeSet<Changed> {
    let Some(node) = node else { return BTreeSet::new() };
    let sets = node.rrsets().filter(|set| set.rtype != codes::SOA);
    let records = sets.flat_map(|set| {
        set.rdata().map(move |rdata| Changed {
            owner: node.name().into(),
            rtype: set.rtype,
            ttl: set.ttl,
            rdata: rdata.into(),
        })
    });
    records.collect()
}

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Differences of one zone.
    pub differences: usize,
    /// Octets of one zone's differences.
    pub zone_octets: usize,
    /// Octets of all differences.
    pub octets: usize,
}

/// The differences that led to the states of zones that are served; of each zone those that follow one another.
#[derive(Debug)]
pub struct History {
    bounds: Bounds,
    zones: BTreeMap<Name, Chain>,
    /// Which zone each difference belongs to, in the order in which they came.
    order: BTreeMap<u64, Name>,
    next: u64,
    octets: usize,
}

#[derive(Debug, Default)]
struct Chain {
    differences: VecDeque<(u64, Arc<Difference>)>,
    octets: usize,
}

impl History {
    /// Knows nothing yet.
    #[must_use]
    pub const fn new(bounds: Bounds) -> Self {
        Self { bounds, zones: BTreeMap::new(), order: BTreeMap::new(), next: 0, octets: 0 }
    }

    /// Octets of the largest difference worth making.
    #[must_use]
    pub fn largest(&self) -> usize {
        self.bounds.zone_octets.min(self.bounds.octets)
    }

    /// Octets of all differences.
    #[must_use]
    pub const fn octets(&self) -> usize {
        self.octets
    }

    /// Notes what changed in a zone. The oldest differences go when there are too many.
    ///
    /// What does not follow the one before, or does not raise the serial, ends what is known of the zone: nobody could
    /// be told how to get from there to here.
    pub fn push(&mut self, apex: &Name, difference: Difference) {
        if difference.from == difference.to && difference.record_count() == 0 {
            return;
        }
        let last = self.zones.get(apex).and_then(|chain| chain.differences.back());
        if last.is_some_and(|(_, last)| last.to != difference.from) {
            self.forget(apex);
        }
        let too_large = difference.octets > self.largest() || self.bounds.differences == 0;
        if too_large || !is_later(difference.to, difference.from) {
            self.forget(apex);
            return;
        }
        let chain = self.zones.entry(apex.clone()).or_default();
        chain.octets += difference.octets;
        self.octets += difference.octets;
        chain.differences.push_back((self.next, Arc::new(difference)));
        self.order.insert(self.next, apex.clone());
        self.next += 1;
        while let Some(chain) = self.zones.get(apex)
            && (chain.octets > self.bounds.zone_octets
                || chain.differences.len() > self.bounds.differences)
        {
            self.shorten(apex);
        }
        while self.octets > self.bounds.octets
            && let Some((_, oldest)) = self.order.first_key_value()
        {
            let oldest = oldest.clone();
            self.shorten(&oldest);
        }
    }

    /// Forgets the oldest difference of a zone.
    fn shorten(&mut self, apex: &Name) {
        let Some(chain) = self.zones.get_mut(apex) else { return };
        if let Some((number, difference)) = chain.differences.pop_front() {
            chain.octets -= difference.octets;
            self.octets -= difference.octets;
            self.order.remove(&number);
        }
        if chain.differences.is_empty() {
            self.zones.remove(apex);
        }
    }

    /// Forgets all of a zone.
    pub fn forget(&mut self, apex: &Name) {
        let Some(chain) = self.zones.remove(apex) else { return };
        self.octets -= chain.octets;
        for (number, _) in chain.differences {
            self.order.remove(&number);
        }
    }

    /// Forgets all zones.
    pub fn clear(&mut self) {
        *self = Self::new(self.bounds);
    }

    /// The differences that lead from one serial to another; `None` when they are not all known.
    #[must_use]
    pub fn between(&self, apex: &Name, from: u32, to: u32) -> Option<Vec<Arc<Difference>>> {
        let chain = self.zones.get(apex)?.differences.iter().map(|(_, difference)| difference);
        let mut found: Vec<Arc<Difference>> =
            chain.skip_while(|difference| difference.from != from).cloned().collect();
        let end = found.iter().position(|difference| difference.to == to)?;
        found.truncate(end + 1);
        Some(found)
    }
}

/// Whether a serial comes after another one (RFC 1982 section 3.2).
#[must_use]
pub const fn is_later(serial: u32, than: u32) -> bool {
    let ahead = serial.wrapping_sub(than);
    ahead != 0 && ahead < 1 << 31
}

/// From, to and octets of a difference.
#[cfg(test)]
type Link = (u32, u32, usize);

#[cfg(test)]
impl History {
    /// The differences of each zone.
    pub(crate) fn zones_for_test(&self) -> Vec<(Name, Vec<Link>)> {
        let link = |(_, d): &(u64, Arc<Difference>)| (d.from, d.to, d.octets);
        let zones = self.zones.iter();
        zones
            .map(|(apex, chain)| (apex.clone(), chain.differences.iter().map(link).collect()))
            .collect()
    }
}
