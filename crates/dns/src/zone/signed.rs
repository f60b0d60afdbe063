//! Signed zones: the records that signing adds to the apex, and the order of names that denials of existence need.
//!
//! `order` holds all names in canonical order, those that are given away too: these are skipped when a name is looked for,
//! which takes one step, since they lie below the delegation or DNAME that gives them away. `hashes` holds hashes with
//! their names, of the names that are not given away only, since nobody could skip the others.

use super::entry::Rr;
use super::ordered::Ordered;
use super::{Node, Zone, codes};
use crate::dnssec::canonical::type_bitmap;
use crate::dnssec::denial::{HASH, PARAMETERS, owner};
use crate::dnssec::{Denial, Order, Signing, nsec3_hash, ordering_key};
use crate::name::ancestors;
use std::sync::Arc;

/// What a signed zone has beside its names.
#[derive(Debug, Clone)]
pub(super) struct Signatures {
    signing: Arc<Signing>,
    /// What signing adds to the apex.
    added: Arc<Vec<Rr>>,
    order: Ordered,
    hashes: Option<Ordered>,
}

/// A record that is made for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) owner: Vec<u8>,
    pub(crate) rtype: u16,
    pub(crate) ttl: u32,
    pub(crate) rdata: Vec<u8>,
}

/// Types that a signed zone makes itself, so that those of the database do not count.
const fn is_made(rtype: u16, at_apex: bool) -> bool {
    match rtype {
        codes::RRSIG | codes::NSEC | codes::NSEC3 | codes::NSEC3PARAM => true,
        codes::DNSKEY | codes::CDS | codes::CDNSKEY => at_apex,
        _ => false,
    }
}

impl Zone {
    /// How it is signed, if it is.
    #[must_use]
    pub fn signing(&self) -> Option<&Signing> {
        self.signatures.as_ref().map(|signatures| &*signatures.signing)
    }

    /// The zone signed like this, with the keys that are published at `now`, in seconds since 1970 UTC; or not signed.
    #[must_use]
    pub fn with_signing(&self, signing: Option<Signing>, now: i64) -> Self {
        let mut zone = self.clone();
        let apex = zone.apex.clone();
        let mut records = zone.records_of(apex.as_wire());
        if zone.signatures.is_some() || signing.is_some() {
            records.retain(|rr| !is_made(rr.rtype, true));
        }
        zone.signatures = match signing {
            None => None,
            Some(signing) => {
                let added = Arc::new(signing.records(apex.as_wire(), now));
                let kept = zone.signatures.filter(|kept| kept.signing.denial() == signing.denial());
                let (order, hashes) = match kept {
                    Some(kept) => (kept.order, kept.hashes),
                    None => self.orders(signing.denial()),
                };
                Some(Signatures { signing: Arc::new(signing), added, order, hashes })
            }
        };
        zone.replace(&apex, records);
        zone
    }

    /// Whether it would have other records at its apex at `now`, because a key came or went.
    #[must_use]
    pub fn is_outdated(&self, now: i64) -> bool {
        let same =
            |kept: &Signatures| *kept.added == kept.signing.records(self.apex.as_wire(), now);
        self.signatures.as_ref().is_some_and(|kept| !same(kept))
    }

    /// The zone with the keys that are published at `now`.
    #[must_use]
    pub fn refreshed(&self, now: i64) -> Self {
        self.with_signing(self.signing().cloned(), now)
    }

    /// Restores what [`Self::with_signing`] made, when the records of the apex are there already.
    pub(super) fn restore_signing(&mut self, signing: Signing) {
        let mut added = self.records_of(self.apex.as_wire());
        added.retain(|rr| is_made(rr.rtype, true));
        added.sort_by(|a, b| (a.rtype, &a.rdata).cmp(&(b.rtype, &b.rdata)));
        let (order, hashes) = self.orders(signing.denial());
        let (signing, added) = (Arc::new(signing), Arc::new(added));
        self.signatures = Some(Signatures { signing, added, order, hashes });
    }

    pub(super) fn records_of(&self, name: &[u8]) -> Vec<Rr> {
        let sets = self.node(name).into_iter().flat_map(Node::rrsets);
        let records = sets.flat_map(|set| {
            set.rdata().map(move |rdata| Rr {
                rtype: set.rtype,
                ttl: set.ttl,
                rdata: rdata.to_vec(),
            })
        });
        records.collect()
    }

    /// All names in the orders that a denial needs.
    fn orders(&self, denial: Denial) -> (Ordered, Option<Ordered>) {
        let mut keys: Vec<Vec<u8>> = self.nodes().map(|node| ordering_key(node.name())).collect();
        keys.sort_unstable();
        let order = Ordered::from_sorted(&keys);
        drop(keys);
        let hashes = (denial == Denial::Nsec3).then(|| {
            let names = self.nodes().map(Node::name).filter(|name| !self.is_below_cut(name));
            let mut hashed: Vec<Vec<u8>> = names.map(hashed).collect();
            hashed.sort_unstable();
            Ordered::from_sorted(&hashed)
        });
        (order, hashes)
    }

    /// The records of a name as a signed zone has them.
    pub(super) fn as_signed(&self, name: &[u8], mut records: Vec<Rr>) -> Vec<Rr> {
        let Some(signatures) = &self.signatures else { return records };
        let at_apex = name == self.apex.as_wire();
        records.retain(|rr| !is_made(rr.rtype, at_apex));
        if at_apex {
            records.extend(signatures.added.iter().cloned());
        }
        records
    }

    /// Notes that a name came or went.
    pub(super) fn order_changed(&mut self, name: &[u8]) {
        let exists = self.node(name).is_some();
        let hash = exists && !self.is_below_cut(name);
        let Some(signatures) = &mut self.signatures else { return };
        let key = ordering_key(name);
        if exists {
            signatures.order.insert(&key)
        } else {
            signatures.order.remove(&key)
        }
        signatures.hash_changed(name, hash);
    }

    /// Notes that what lies below a name was given away, or came back.
    pub(super) fn cut_changed(&mut self, name: &[u8]) {
        let Some(signatures) = &self.signatures else { return };
        if signatures.hashes.is_none() {
            return;
        }
        let order = signatures.order.clone();
        let top = ordering_key(name);
        let mut key = order.after(&top);
        while let Some(here) = key.filter(|key| key.starts_with(&top)) {
            let below = Order::name(&here);
            let hash = !self.is_below_cut(&below);
            if let Some(signatures) = &mut self.signatures {
                signatures.hash_changed(&below, hash);
            }
            key = order.after(&here);
        }
    }

    /// The name of the delegation or DNAME closest to the apex that a name lies below.
    fn cut_above(&self, name: &[u8]) -> Option<&[u8]> {
        let above = |count: usize, rtype| {
            if count > 0 { self.above(name, rtype, 1).map(|(node, _)| node.name()) } else { None }
        };
        let found = [above(self.cuts, codes::NS), above(self.dnames, codes::DNAME)];
        found.into_iter().flatten().min_by_key(|name| name.len())
    }

    fn is_below_cut(&self, name: &[u8]) -> bool {
        self.cut_above(name).is_some()
    }

    /// Whether records of a name are not for this zone to sign: glue, and what a DNAME hides.
    pub(crate) fn is_given_away(&self, name: &[u8]) -> bool {
        self.is_cut(name) || self.is_below_cut(name)
    }

    /// Of the types at a name those that the zone answers for.
    fn types(&self, name: &[u8]) -> Vec<u16> {
        let cut = self.is_cut(name);
        let types = self.node(name).into_iter().flat_map(Node::rrsets).map(|set| set.rtype);
        types.filter(|rtype| !cut || matches!(*rtype, codes::NS | codes::DS)).collect()
    }

    /// The NSEC or NSEC3 records that say what there is at these names, or that they do not exist; each once.
    pub(crate) fn denials<'n>(&self, names: impl IntoIterator<Item = &'n [u8]>) -> Vec<Made> {
        let mut made: Vec<Made> = Vec::new();
        for record in names.into_iter().filter_map(|name| self.denial_of(name)) {
            if !made.contains(&record) {
                made.push(record);
            }
        }
        made
    }

    fn denial_of(&self, name: &[u8]) -> Option<Made> {
        match self.signatures.as_ref()?.signing.denial() {
            Denial::Nsec => self.nsec(name),
            Denial::Nsec3 => self.nsec3(&nsec3_hash(name)),
        }
    }

    /// The NSEC record at a name, or the one before it (RFC 4034 section 4). Names without records have none.
    fn nsec(&self, name: &[u8]) -> Option<Made> {
        let order = &self.signatures.as_ref()?.order;
        let mut at = order.at_or_before(&ordering_key(name))?;
        let owner = loop {
            let here = Order::name(&at);
            match self.cut_above(&here) {
                Some(cut) => break cut.to_vec(),
                None if !self.types(&here).is_empty() => break here,
                None => at = before(order, &at)?,
            }
        };
        let next = self.next_name(order, &owner);
        let types = self.types(&owner).into_iter().chain([codes::RRSIG, codes::NSEC]);
        let rdata = [next, type_bitmap(types)].concat();
        Some(Made { owner, rtype: codes::NSEC, ttl: self.denial_ttl(), rdata })
    }

    /// The next name with records in canonical order, the apex after the last one.
    fn next_name(&self, order: &Ordered, name: &[u8]) -> Vec<u8> {
        let mut at = ordering_key(name);
        let gives_away = |name: &[u8]| {
            self.is_cut(name)
                || self.node(name).is_some_and(|node| node.rrset(codes::DNAME).is_some())
        };
        let mut here = name.to_vec();
        loop {
            // What lies below begins with the same octets, of which the last one is 0.
            if gives_away(&here)
                && let Some(end) = at.last_mut()
            {
                *end = 1;
            }
            let Some(next) = order.after(&at) else { return self.apex.as_wire().to_vec() };
            here = Order::name(&next);
            if self.cut_above(&here).is_none() && !self.types(&here).is_empty() {
                return here;
            }
            at = next;
        }
    }

    /// The NSEC3 record of a hash, or the one before it (RFC 5155 section 3).
    fn nsec3(&self, hash: &[u8; HASH]) -> Option<Made> {
        let hashes = self.signatures.as_ref()?.hashes.as_ref()?;
        // All names of this hash come before; they have one octet at least.
        let at = hashes.at_or_before(&[hash, [0xff; 2].as_slice()].concat());
        let (here, name) = split(at.or_else(|| hashes.last())?)?;
        let next = hashes.after(&[&here, [0xff; 2].as_slice()].concat());
        let (next, _) = split(next.or_else(|| hashes.first())?)?;
        let mut types = self.types(&name);
        let is_signed =
            if self.is_cut(&name) { types.contains(&codes::DS) } else { !types.is_empty() };
        types.extend(is_signed.then_some(codes::RRSIG));
        let mut rdata = PARAMETERS.to_vec();
        rdata.push(u8::try_from(HASH).unwrap_or(0));
        rdata.extend_from_slice(&next);
        rdata.extend(type_bitmap(types.into_iter()));
        let owner = owner(&here, self.apex.as_wire());
        Some(Made { owner, rtype: codes::NSEC3, ttl: self.denial_ttl(), rdata })
    }

    /// RFC 9077 section 3.
    fn denial_ttl(&self) -> u32 {
        self.soa().map_or(0, |soa| soa.negative_ttl)
    }

    /// All NSEC or NSEC3 records.
    pub(crate) fn all_denials(&self) -> impl Iterator<Item = Made> + Send + '_ {
        let (mut at, mut started) = (Vec::new(), false);
        std::iter::from_fn(move || {
            let signatures = self.signatures.as_ref()?;
            if let Some(hashes) = &signatures.hashes {
                let next = if started { hashes.after(&at) } else { hashes.first() }?;
                (at, started) = (next.clone(), true);
                return self.nsec3(&split(next)?.0);
            }
            let apex = self.apex.as_wire();
            let name = if started { self.next_name(&signatures.order, &at) } else { apex.to_vec() };
            if started && name == apex {
                return None;
            }
            (at, started) = (name, true);
            self.nsec(&at)
        })
    }

    /// The name that exists closest above one that does not, with the name directly below it towards that one
    /// (RFC 5155 section 1.3), and the wildcard below it.
    pub(crate) fn closest<'n>(&self, name: &'n [u8]) -> (&'n [u8], &'n [u8], Vec<u8>) {
        let mut next = name;
        for above in ancestors(name) {
            if self.node(above).is_some() {
                return (above, next, [b"\x01*", above].concat());
            }
            next = above;
        }
        (name, name, name.to_vec())
    }
}

impl Signatures {
    fn hash_changed(&mut self, name: &[u8], is_there: bool) {
        if let Some(hashes) = &mut self.hashes {
            let hashed = hashed(name);
            if is_there { hashes.insert(&hashed) } else { hashes.remove(&hashed) }
        }
    }
}

/// The hash of a name, then the name.
fn hashed(name: &[u8]) -> Vec<u8> {
    [nsec3_hash(name).as_slice(), name].concat()
}

fn split(hashed: Vec<u8>) -> Option<([u8; HASH], Vec<u8>)> {
    let (hash, name) = hashed.split_first_chunk()?;
    Some((*hash, name.to_vec()))
}

/// The string before one that is there.
fn before(order: &Ordered, key: &[u8]) -> Option<Vec<u8>> {
    // The end octet is 0, so that nothing lies between the key without it and the key.
    order.at_or_before(key.get(..key.len().checked_sub(1)?)?)
}

#[cfg(test)]
impl Zone {
    /// Whether the orders are those of a zone that is signed anew.
    pub(crate) fn orders_agree(&self) -> bool {
        let Some(kept) = &self.signatures else { return true };
        let (order, hashes) = self.orders(kept.signing.denial());
        let all = |set: &Ordered| {
            let mut at = set.first();
            std::iter::from_fn(move || {
                let here = at.take()?;
                at = set.after(&here);
                Some(here)
            })
            .collect::<Vec<_>>()
        };
        all(&order) == all(&kept.order)
            && hashes.as_ref().map(&all) == kept.hashes.as_ref().map(all)
    }
}
