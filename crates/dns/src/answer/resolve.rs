//! The walk through zones, aliases and delegations (RFC 1034 section 4.3.2).

mod names;

use super::request::Question;
use super::secure::{Proof, Secure};
use super::writer::{Record, Section, Writer, Written};
use super::{About, Rcode, Reply, Transport};
use crate::name::ancestors;
use crate::zone::{Lookup, Made, Node, RrSet, Soa, Zone, Zones, codes};
use names::{NewName, Seen, Targets, target};

/// How many names of a chain of aliases are looked up; the rest is for the asker to look up.
const MAX_ALIASES: usize = 12;
/// How many RRsets have their names looked up for the additional section.
const MAX_SETS: usize = 8;

/// Answers a question of class IN.
pub(super) fn resolve(
    zones: &Zones,
    question: &Question<'_>,
    asked: Asked<'_>,
    writer: &mut Writer<'_>,
) -> Reply {
    let (qtype, sets) = (question.qtype, [None; MAX_SETS]);
    let Asked { transport, dnssec_ok, secure } = asked;
    let (unsigned, promised, about) = (false, Vec::new(), About::Nothing);
    let mut walk = Walk {
        renames: [&[]; MAX_ALIASES],
        zones,
        qtype,
        transport,
        dnssec_ok,
        secure,
        writer,
        sets,
        about,
        promised,
        kept: 0,
        unsigned,
    };
    let mut reply = Reply { rcode: Rcode::NoError, authoritative: true, truncated: false, about };
    walk.follow(question.name(), None, &mut reply);
    if !reply.truncated {
        reply.truncated = !walk.keep_promises();
    }
    if !reply.truncated {
        walk.additional();
    }
    if walk.unsigned {
        // Others may have the keys; validators would take an answer without signatures for a forged one.
        walk.writer.clear();
        return Reply { about: reply.about, ..Reply::error(Rcode::ServFail) };
    }
    reply
}

/// How something is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'s> {
    pub(super) transport: Transport,
    /// DO (RFC 3225).
    pub(super) dnssec_ok: bool,
    /// What signs; none when nothing does.
    pub(super) secure: Option<Secure<'s>>,
}

/// What one name led to.
#[expect(clippy::large_enum_variant, reason = "a box would ask for memory")]
pub(super) enum Step<'z> {
    /// The answer is complete.
    Done(Rcode),
    /// Something that must be there does not fit.
    Full,
    /// Others serve the name; not `complete` when not all mandatory glue fits.
    Delegated { complete: bool },
    /// The name stands for another one.
    Alias(&'z [u8]),
    /// The name lies below one that stands for another one, and so stands for this one.
    Renamed(NewName),
    /// No zone of ours, or none that can be served.
    NotOurs(Rcode),
}

pub(super) struct Walk<'w, 'z, 'o> {
    zones: &'z Zones,
    pub(super) qtype: u16,
    pub(super) transport: Transport,
    pub(super) dnssec_ok: bool,
    pub(super) secure: Option<Secure<'w>>,
    pub(super) writer: &'w mut Writer<'o>,
    /// RRsets that were written and hold names whose addresses help.
    sets: [Option<RrSet<'z>>; MAX_SETS],
    /// Names of the DNAME records that were written: a chain may come by one again.
    renames: [&'z [u8]; MAX_ALIASES],
    /// What the last step was about.
    about: About,
    /// Proofs for the authority section, while records go into the answer section.
    pub(super) promised: Vec<(&'z Zone, Made)>,
    /// How many of them were written.
    pub(super) kept: usize,
    /// Whether a signature could not be made.
    pub(super) unsigned: bool,
}

impl<'z> Walk<'_, 'z, '_> {
    /// Looks a name up, and what it stands for.
    fn follow(&mut self, name: &[u8], before: Option<&Seen<'_>>, reply: &mut Reply) {
        let hop = before.map_or(0, |before| before.hop + 1);
        // An alias that leads back, or too many of them.
        if hop >= MAX_ALIASES || before.is_some_and(|before| before.has(name)) {
            return;
        }
        let seen = Seen { name, before, hop };
        let step = self.step(name);
        if hop == 0 {
            reply.about = self.about;
        }
        match step {
            Step::Alias(target) => self.follow(target, Some(&seen), reply),
            Step::Renamed(target) => self.follow(target.octets(), Some(&seen), reply),
            // RFC 6604: the code speaks of the last name.
            Step::Done(rcode) => reply.rcode = rcode,
            Step::Full => reply.truncated = true,
            // AA speaks of the first name (RFC 1035 section 4.1.1).
            Step::Delegated { complete } => {
                reply.authoritative = hop > 0;
                reply.truncated = !complete;
            }
            Step::NotOurs(rcode) if hop == 0 => {
                *reply = Reply::error(rcode);
            }
            // What an alias outside of our zones leads to is for the asker to look up.
            Step::NotOurs(_) => {}
        }
    }

    fn step(&mut self, name: &[u8]) -> Step<'z> {
        let at_parent = self.qtype == codes::DS;
        let Some(zone) = self.zone_of(name, at_parent) else {
            return Step::NotOurs(Rcode::Refused);
        };
        let Some(soa) = zone.soa() else { return Step::NotOurs(Rcode::ServFail) };
        self.about = About::name(zone);
        let step = match zone.lookup(name, at_parent) {
            Lookup::Exact(node) => return self.node(zone, soa, name, node),
            Lookup::Referral(cut, servers) => self.referral(zone, cut, servers),
            Lookup::Renamed(node, target) => self.renamed(zone, name, node, target),
            // Nobody may say that what lies above an apex of ours does not exist, nor let a wildcard stand for it.
            Lookup::Wildcard(_) | Lookup::NoName if self.zones.has_below(name) => {
                self.negative(zone, soa, Rcode::NoError, Proof::NoName(name))
            }
            Lookup::Wildcard(node) => self.node(zone, soa, name, node),
            Lookup::NoName => self.negative(zone, soa, Rcode::NxDomain, Proof::NoName(name)),
        };
        self.about = About::zone(zone);
        step
    }

    /// The zone that answers for a name. A DS belongs to the parent (RFC 4035 section 3.1.4.1), when that one
    /// delegates the name.
    fn zone_of(&self, name: &[u8], at_parent: bool) -> Option<&'z Zone> {
        let zone = self.zones.find(name)?;
        if at_parent
            && zone.apex().as_wire() == name
            && let Some(parent) = self.zones.parent_of(name)
            && parent.is_cut(name)
        {
            return Some(parent);
        }
        Some(zone)
    }

    fn node(&mut self, zone: &'z Zone, soa: Soa<'z>, name: &[u8], node: Node<'z>) -> Step<'z> {
        if self.qtype == codes::ANY {
            return self.any(zone, soa, name, node);
        }
        if let Some(step) = self.asked_for_made(zone, soa, name, node) {
            return step;
        }
        if let Some(rrset) = node.rrset(self.qtype) {
            return if self.answer(zone, name, node, rrset) {
                Step::Done(Rcode::NoError)
            } else {
                Step::Full
            };
        }
        let Some(alias) = node.rrset(codes::CNAME) else {
            return self.no_data(zone, soa, name, node);
        };
        if !self.answer(zone, name, node, alias) {
            return Step::Full;
        }
        alias.rdata().next().map_or(Step::Done(Rcode::NoError), Step::Alias)
    }

    /// What lies below a DNAME: the record, and the alias that it makes for this name (RFC 6672 section 3.2).
    fn renamed(
        &mut self,
        zone: &'z Zone,
        name: &[u8],
        node: Node<'z>,
        dname: RrSet<'z>,
    ) -> Step<'z> {
        if !self.answer(zone, node.name(), node, dname) {
            return Step::Full;
        }
        let Some(target) = dname.rdata().next() else { return Step::Done(Rcode::NoError) };
        let below = name.get(..name.len() - node.name().len()).unwrap_or_default();
        let Some(new) = NewName::new(below, target) else { return Step::Done(Rcode::YxDomain) };
        let (rtype, ttl, serial) = (codes::CNAME, dname.ttl, zone.serial());
        let alias = Record { owner: name, rtype, ttl, rdata: new.octets(), serial };
        if !self.writer.record(&alias) {
            return Step::Full;
        }
        match self.qtype {
            codes::CNAME | codes::ANY => Step::Done(Rcode::NoError),
            _ => Step::Renamed(new),
        }
    }

    /// All types over TCP, one RRset over UDP (RFC 8482 section 4.1): the smallest.
    fn any(&mut self, zone: &'z Zone, soa: Soa<'z>, name: &[u8], node: Node<'z>) -> Step<'z> {
        let Some(smallest) = node.rrsets().min_by_key(RrSet::size) else {
            return self.no_data(zone, soa, name, node);
        };
        let fits = match self.transport {
            Transport::Udp => self.answer(zone, name, node, smallest),
            Transport::Tcp => node.rrsets().all(|rrset| self.answer(zone, name, node, rrset)),
        };
        if fits { Step::Done(Rcode::NoError) } else { Step::Full }
    }

    /// Writes an RRset of a node that stands for a name into the answer section.
    fn answer(&mut self, zone: &'z Zone, name: &[u8], node: Node<'z>, rrset: RrSet<'z>) -> bool {
        if rrset.rtype == codes::DNAME && name == node.name() {
            if self.renames.contains(&node.name()) {
                return true;
            }
            // Each name of the chain adds one at most.
            if let Some(place) = self.renames.iter_mut().find(|place| place.is_empty()) {
                *place = node.name();
            }
        }
        self.note(rrset);
        let set = Written { owner: name, rrset, ttl: None, serial: zone.serial() };
        if name != node.name() {
            self.promise(zone, Proof::Expanded(name));
        }
        self.writer.rrset(Section::Answer, &set)
            && self.signatures(Section::Answer, zone, node.name(), &set)
    }

    pub(super) fn no_data(
        &mut self,
        zone: &'z Zone,
        soa: Soa<'z>,
        name: &[u8],
        node: Node<'z>,
    ) -> Step<'z> {
        let exact = node.name() == name;
        let proof = if exact { Proof::NoData(name) } else { Proof::NoName(name) };
        self.negative(zone, soa, Rcode::NoError, proof)
    }

    /// NODATA and NXDOMAIN carry the SOA with the time for which they hold (RFC 2308 section 3).
    fn negative(
        &mut self,
        zone: &'z Zone,
        soa: Soa<'z>,
        rcode: Rcode,
        proof: Proof<'_>,
    ) -> Step<'z> {
        self.about = About::zone(zone);
        let written = Written {
            owner: zone.apex().as_wire(),
            rrset: soa.rrset,
            ttl: Some(soa.negative_ttl),
            serial: zone.serial(),
        };
        let section = Section::Authority;
        let fits = self.writer.rrset(section, &written)
            && self.signatures(section, zone, zone.apex().as_wire(), &written)
            && self.prove(zone, proof);
        if fits { Step::Done(rcode) } else { Step::Full }
    }

    fn referral(&mut self, zone: &'z Zone, cut: Node<'z>, servers: RrSet<'z>) -> Step<'z> {
        let written =
            Written { owner: cut.name(), rrset: servers, ttl: None, serial: zone.serial() };
        let fits = self.writer.rrset(Section::Authority, &written)
            && self.delegation(zone, cut)
            && self.keep_promises();
        if !fits {
            return Step::Delegated { complete: false };
        }
        // RFC 9471 section 3.1: glue for servers below the cut must be there; that for others may.
        let in_domain = |target: &&[u8]| ancestors(target).any(|suffix| suffix == cut.name());
        let mut complete = true;
        for target in servers.rdata().filter(in_domain) {
            complete &= zone.node(target).is_none_or(|node| self.addresses(zone, node, false));
        }
        let mut siblings = Targets::default();
        for target in servers.rdata().filter(|target| !in_domain(target)) {
            if complete && siblings.is_new(target) {
                let (zone, node) = match zone.node(target) {
                    Some(node) => (zone, node),
                    None => match self.elsewhere(target) {
                        Some(found) => found,
                        None => continue,
                    },
                };
                self.addresses(zone, node, false);
            }
        }
        Step::Delegated { complete }
    }

    fn elsewhere(&self, target: &[u8]) -> Option<(&'z Zone, Node<'z>)> {
        let zone: &Zone = self.zones.find(target)?;
        Some((zone, zone.node(target)?))
    }

    /// Adds the addresses of a name, and its SRV records when asked to; `false` when not all of them fit.
    fn addresses(&mut self, zone: &Zone, node: Node<'z>, services: bool) -> bool {
        let serial = zone.serial();
        let signed = self.dnssec_ok && !zone.is_given_away(node.name());
        let wanted = |set: &RrSet<'_>| match set.rtype {
            codes::A | codes::AAAA => true,
            codes::SRV => services,
            _ => false,
        };
        node.rrsets().filter(wanted).all(|rrset| {
            let written = Written { owner: node.name(), rrset, ttl: None, serial };
            let fits = self.writer.rrset(Section::Additional, &written);
            // RFC 4035 section 3.1.1: without room for its signatures an RRset stays here nevertheless.
            if fits && signed {
                self.signatures(Section::Additional, zone, node.name(), &written);
            }
            fits
        })
    }

    fn note(&mut self, rrset: RrSet<'z>) {
        if matches!(rrset.rtype, codes::NS | codes::MX | codes::SRV | codes::NAPTR)
            && let Some(place) = self.sets.iter_mut().find(|place| place.is_none())
        {
            *place = Some(rrset);
        }
    }

    /// Addresses that the asker would ask for next; they are left out when they do not fit.
    fn additional(&mut self) {
        let mut targets = Targets::default();
        for set in self.sets.into_iter().flatten() {
            for rdata in set.rdata() {
                let Some(target) = target(set.rtype, rdata).filter(|name| targets.is_new(name))
                else {
                    continue;
                };
                if let Some((zone, node)) = self.elsewhere(target)
                    && !self.addresses(zone, node, set.rtype == codes::NAPTR)
                {
                    return;
                }
            }
        }
    }
}
