//! Zones as they are served: immutable, cheap to copy, with a change costing little whatever the zone's size.
//!
//! Every name that exists has an entry, empty non-terminals too (RFC 8020), so that one look-up tells an answer from
//! NODATA and from NXDOMAIN. Only zones that have delegations or wildcards need to look at ancestors.

mod build;
mod codec;
pub(crate) mod codes;
mod entry;
mod index;
mod ordered;
mod records;
mod signed;
mod trie;
mod wildcards;

pub use build::Builder;
pub use codec::CodecError;
pub use entry::{Rr, RrSet};
pub use index::Zones;
pub use records::{BadReason, BadRecord};
pub(crate) use records::{by_owner, served};
pub(crate) use signed::Made;

use crate::name::{MAX_NAME, Name, ancestors};
pub(crate) use entry::Entry;
use ngn_model::zone::{RecordRow, ZoneRows};
use signed::Signatures;
pub(crate) use trie::Probe;
use trie::{Keyed as _, Trie};
use wildcards::Wildcards;

/// A zone: its records by name, in wire form. A copy shares its memory with the original.
#[derive(Debug, Clone)]
pub struct Zone {
    apex: Name,
    serial: u32,
    names: Trie<Entry>,
    records: usize,
    /// Names with NS below the apex.
    cuts: usize,
    /// Names with DNAME.
    dnames: usize,
    /// Names that begin with the label `*`.
    wildcards: Wildcards,
    /// When it is signed.
    signatures: Option<Signatures>,
}

/// A name that exists in a zone.
#[derive(Debug, Clone, Copy)]
pub struct Node<'z>(&'z Entry);

impl<'z> Node<'z> {
    /// The name in wire form.
    #[must_use]
    pub fn name(self) -> &'z [u8] {
        self.0.key()
    }

    /// All RRsets in the order of their types; none at an empty non-terminal.
    pub fn rrsets(self) -> impl Iterator<Item = RrSet<'z>> {
        self.0.rrsets()
    }

    /// The RRset of a type.
    #[must_use]
    pub fn rrset(self, rtype: u16) -> Option<RrSet<'z>> {
        self.0.rrset(rtype)
    }
}

/// What a zone knows of a name (RFC 1034 section 4.3.2, RFC 4592).
#[derive(Debug, Clone, Copy)]
pub enum Lookup<'z> {
    /// The name exists.
    Exact(Node<'z>),
    /// The name does not exist and this wildcard stands for it.
    Wildcard(Node<'z>),
    /// The name lies at or below a delegation, which has these name servers.
    Referral(Node<'z>, RrSet<'z>),
    /// The name lies below this one, whose whole subtree stands for another one (DNAME).
    Renamed(Node<'z>, RrSet<'z>),
    /// There is no such name, and nothing below it in this zone.
    NoName,
}

/// What an answer needs of a zone's SOA.
#[derive(Debug, Clone, Copy)]
pub struct Soa<'z> {
    /// The RRset, whose serial is not that of the zone.
    pub rrset: RrSet<'z>,
    /// How long negative answers live: the lower one of TTL and MINIMUM (RFC 2308 section 5).
    pub negative_ttl: u32,
}

impl Zone {
    /// A zone without records.
    #[must_use]
    pub fn new(apex: Name, serial: u32) -> Self {
        let mut names = Trie::default();
        names.insert(Entry::new(apex.as_wire(), 0, Vec::new()));
        let (records, cuts, dnames, wildcards) = (0, 0, 0, Wildcards::default());
        Self { apex, serial, names, records, cuts, dnames, wildcards, signatures: None }
    }

    /// Makes a zone of what the database holds, not signed. Records that make no sense are left out and come back with the reason.
    #[must_use]
    pub fn build(rows: &ZoneRows) -> (Self, Vec<BadRecord>) {
        Self::builder(rows).finish()
    }

    fn builder(rows: &ZoneRows) -> Builder {
        let mut builder = Builder::new(Name::from(&rows.apex), rows.serial);
        rows.records.iter().for_each(|row| builder.add(row.into()));
        builder
    }

    /// As [`Self::build`], signed as the database says, with the keys that are published at `now`, in seconds since 1970 UTC.
    #[must_use]
    pub fn build_signed(rows: &ZoneRows, now: i64) -> (Self, Vec<BadRecord>) {
        Self::builder(rows).finish_signed(rows.signing.as_ref(), now)
    }

    /// The zone with these as the only records at `owner`; records of other names among them are left out, like
    /// all that make no sense, and come back with the reason.
    #[must_use]
    pub fn with(&self, owner: &Name, rows: &[RecordRow]) -> (Self, Vec<BadRecord>) {
        let mut bad = Vec::new();
        let mut zone = self.clone();
        if !owner.is_within(&zone.apex) {
            bad.extend(rows.iter().map(|row| BadRecord::new(row, BadReason::OutOfZone)));
            return (zone, bad);
        }
        let mut here = Vec::new();
        for row in rows {
            match Name::parse(&row.name) {
                Ok(name) if name == *owner => here.push(row),
                Ok(_) => bad.push(BadRecord::new(row, BadReason::OtherOwner)),
                Err(error) => bad.push(BadRecord::new(row, error.into())),
            }
        }
        let records = records::encode(&zone.apex, owner, &here, &mut bad);
        zone.replace(owner, records);
        (zone, bad)
    }

    /// The zone with another serial.
    #[must_use]
    pub fn with_serial(&self, serial: u32) -> Self {
        Self { serial, ..self.clone() }
    }

    /// The apex.
    #[must_use]
    pub const fn apex(&self) -> &Name {
        &self.apex
    }

    /// The serial that SOA answers carry.
    #[must_use]
    pub const fn serial(&self) -> u32 {
        self.serial
    }

    /// How many records it has.
    #[must_use]
    pub const fn record_count(&self) -> usize {
        self.records
    }

    /// How many names exist, empty non-terminals included.
    #[must_use]
    pub fn name_count(&self) -> usize {
        self.names.len()
    }

    /// All names, in no useful order.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        self.names.iter().map(Node)
    }

    /// A name that exists, whatever lies above it. `name` is in wire form and lower case.
    #[must_use]
    pub fn node(&self, name: &[u8]) -> Option<Node<'_>> {
        self.names.get(name).map(Node)
    }

    /// [`Self::node`] step by step.
    pub(crate) fn probe(&self, name: &[u8]) -> Probe<'_, Entry> {
        self.names.probe(name)
    }

    /// The SOA; a zone without one is not to be served.
    #[must_use]
    pub fn soa(&self) -> Option<Soa<'_>> {
        let rrset = self.node(self.apex.as_wire())?.rrset(codes::SOA)?;
        let minimum = u32::from_be_bytes(*rrset.rdata().next()?.last_chunk()?);
        Some(Soa { rrset, negative_ttl: rrset.ttl.min(minimum) })
    }

    /// Whether the zone delegates exactly this name.
    #[must_use]
    pub fn is_cut(&self, name: &[u8]) -> bool {
        self.cuts > 0
            && name != self.apex.as_wire()
            && self.names.get(name).is_some_and(|entry| entry.rrset(codes::NS).is_some())
    }

    /// What the zone knows of a name at or below its apex, in wire form and lower case.
    ///
    /// `at_parent` is for types that live on the parent's side of a delegation (DS): then the delegation of `name`
    /// itself is no referral.
    #[must_use]
    pub fn lookup(&self, name: &[u8], at_parent: bool) -> Lookup<'_> {
        let above = |count: usize, rtype: u16, skip: usize| {
            if count > 0 { self.above(name, rtype, skip) } else { None }
        };
        let cut = above(self.cuts, codes::NS, usize::from(at_parent));
        // What both hold is given away by the one closer to the apex.
        match (cut, above(self.dnames, codes::DNAME, 1)) {
            (Some((node, servers)), renamed)
                if renamed.is_none_or(|(other, _)| node.name().len() <= other.name().len()) =>
            {
                return Lookup::Referral(node, servers);
            }
            (_, Some((node, target))) => return Lookup::Renamed(node, target),
            (..) => {}
        }
        if let Some(node) = self.node(name) {
            return Lookup::Exact(node);
        }
        if !self.wildcards.may_cover(name) {
            return Lookup::NoName;
        }
        let wildcard = self.encloser(name).and_then(|node| self.wildcard(node));
        wildcard.map_or(Lookup::NoName, Lookup::Wildcard)
    }

    /// The longest ancestor of a name that exists. Everything above a name that exists does too, so that halving finds it in
    /// seven steps at most, however many labels the name has.
    fn encloser(&self, name: &[u8]) -> Option<Node<'_>> {
        let apex = self.apex.as_wire().len();
        // Where the ancestors begin, the longest first.
        let mut starts = [0_u8; MAX_NAME / 2 + 1];
        let mut known = 0;
        let within = ancestors(name).skip(1).take_while(|suffix| suffix.len() >= apex);
        for (place, suffix) in starts.iter_mut().zip(within) {
            *place = u8::try_from(name.len() - suffix.len()).unwrap_or(u8::MAX);
            known += 1;
        }
        let mut starts = starts.get(..known)?;
        let mut found = None;
        while let Some(start) = starts.get(starts.len() / 2) {
            let (longer, shorter) = starts.split_at(starts.len() / 2);
            match name.get(usize::from(*start)..).and_then(|suffix| self.node(suffix)) {
                Some(node) => (found, starts) = (Some(node), longer),
                None => starts = shorter.get(1..).unwrap_or_default(),
            }
        }
        found
    }

    /// The one closest to the apex of those among a name and its ancestors in the zone that have records of a type; the
    /// first `skip` of them are not looked at, and neither are name servers of the apex.
    fn above(&self, name: &[u8], rtype: u16, skip: usize) -> Option<(Node<'_>, RrSet<'_>)> {
        let apex = self.apex.as_wire().len() + usize::from(rtype == codes::NS);
        ancestors(name)
            .skip(skip)
            .take_while(|suffix| suffix.len() >= apex)
            .filter_map(|suffix| {
                let node = self.node(suffix)?;
                Some((node, node.rrset(rtype)?))
            })
            .last()
    }

    /// The wildcard directly below a closest encloser (RFC 4592 section 3.3.1).
    fn wildcard(&self, encloser: Node<'_>) -> Option<Node<'_>> {
        let mut name = [0; MAX_NAME];
        let (label, rest) = name.split_first_chunk_mut::<2>()?;
        *label = *b"\x01*";
        let length = encloser.name().len();
        rest.get_mut(..length)?.copy_from_slice(encloser.name());
        self.node(name.get(..length + 2)?)
    }

    /// Puts the records of a name in place of those that it had. `owner` lies in the zone.
    pub(crate) fn replace(&mut self, owner: &Name, records: Vec<Rr>) {
        let name = owner.as_wire();
        let records = self.as_signed(name, records);
        let old = self.names.get(name).cloned();
        self.put(name, old, |children| Entry::new(name, children, records));
    }

    /// Puts an entry in place of the one that is there, given how many names exist directly below.
    fn put(&mut self, name: &[u8], old: Option<Entry>, entry: impl FnOnce(u32) -> Entry) {
        let is_apex = *name == *self.apex.as_wire();
        let children = old.as_ref().map_or(0, Entry::children);
        if let Some(old) = &old {
            self.records -= old.rrsets().map(|set| usize::from(set.count)).sum::<usize>();
            self.cuts -= usize::from(!is_apex && old.rrset(codes::NS).is_some());
            self.dnames -= usize::from(old.rrset(codes::DNAME).is_some());
        }
        let new = entry(children);
        self.records += new.rrsets().map(|set| usize::from(set.count)).sum::<usize>();
        self.cuts += usize::from(!is_apex && new.rrset(codes::NS).is_some());
        self.dnames += usize::from(new.rrset(codes::DNAME).is_some());
        let gives_away = |entry: &Entry| {
            let has = |rtype| entry.rrset(rtype).is_some();
            (!is_apex && has(codes::NS)) || has(codes::DNAME)
        };
        let cut_changed = children > 0 && old.as_ref().is_some_and(gives_away) != gives_away(&new);
        if is_apex || children > 0 || new.rrsets().next().is_some() {
            self.names.insert(new);
            if old.is_none() {
                self.appeared(name);
            }
        } else if old.is_some() {
            self.names.remove(name);
            self.vanished(name);
        }
        if cut_changed {
            self.cut_changed(name);
        }
    }

    /// Counts a new name at its parent, making the empty non-terminals above it as needed.
    fn appeared(&mut self, name: &[u8]) {
        let apex = self.apex.as_wire().len();
        self.wildcards.appeared(name);
        self.order_changed(name);
        for parent in ancestors(name).skip(1).take_while(|parent| parent.len() >= apex) {
            if self.names.change(parent, |entry| entry.set_children(entry.children() + 1)) {
                return;
            }
            self.names.insert(Entry::new(parent, 1, Vec::new()));
            self.wildcards.appeared(parent);
            self.order_changed(parent);
        }
    }

    /// Discounts a name that is gone at its parent, with the empty non-terminals above it that end with it.
    fn vanished(&mut self, name: &[u8]) {
        let apex = self.apex.as_wire().len();
        self.wildcards.vanished(name);
        self.order_changed(name);
        for parent in ancestors(name).skip(1).take_while(|parent| parent.len() >= apex) {
            let Some(entry) = self.names.get(parent) else { return };
            let children = entry.children().saturating_sub(1);
            if children > 0 || parent.len() == apex || entry.rrsets().next().is_some() {
                self.names.change(parent, |entry| entry.set_children(children));
                return;
            }
            self.names.remove(parent);
            self.wildcards.vanished(parent);
            self.order_changed(parent);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
