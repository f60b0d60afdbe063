//! What answers from signed zones have besides: signatures and proofs (RFC 4035 section 3.1, RFC 5155 section 7.2).

use super::resolve::{Step, Walk};
use super::writer::{Record, Section, Written};
use super::{Rcode, Transport};
use crate::dnssec::{By, Denial, Signed, Signer, rrsigs};
use crate::zone::{Made, Node, RrSet, Soa, Zone, codes};

/// What signs, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Secure<'s> {
    pub(super) signer: &'s dyn Signer,
    /// Seconds since 1970 UTC.
    pub(super) now: i64,
}

/// What has to be proven.
#[derive(Debug, Clone, Copy)]
pub(super) enum Proof<'n> {
    /// The name exists and has no records of a type (RFC 4035 section 3.1.3.1, RFC 5155 sections 7.2.3 and 7.2.4).
    NoData(&'n [u8]),
    /// The name does not exist, and neither does a wildcard for it, or that one has no records of a type (RFC 4035
    /// sections 3.1.3.2 and 3.1.3.4, RFC 5155 sections 7.2.2 and 7.2.5).
    NoName(&'n [u8]),
    /// Nothing is closer to the name than the wildcard that stands for it (RFC 4035 section 3.1.3.3, RFC 5155 section
    /// 7.2.6).
    Expanded(&'n [u8]),
}

impl Proof<'_> {
    fn records(self, zone: &Zone, denial: Denial) -> Vec<Made> {
        match self {
            Self::NoData(name) => zone.denials([name]),
            Self::NoName(name) => {
                let (encloser, next, wildcard) = zone.closest(name);
                // The NSEC record that covers the next closer name covers all below it, and says that the encloser exists.
                let hashed = (denial == Denial::Nsec3).then_some(encloser);
                zone.denials(hashed.into_iter().chain([next, wildcard.as_slice()]))
            }
            Self::Expanded(name) => zone.denials([zone.closest(name).1]),
        }
    }
}

impl<'z> Walk<'_, 'z, '_> {
    /// Appends the signatures of an RRset that was just written, when they are asked for; `false` when they do not fit.
    /// `source` is its owner in the zone.
    pub(super) fn signatures(
        &mut self,
        section: Section,
        zone: &Zone,
        source: &[u8],
        set: &Written<'_>,
    ) -> bool {
        !self.dnssec_ok || self.signatures_anyway(section, zone, source, set)
    }

    fn signatures_anyway(
        &mut self,
        section: Section,
        zone: &Zone,
        source: &[u8],
        set: &Written<'_>,
    ) -> bool {
        let (Some(secure), Some(signing)) = (self.secure, zone.signing()) else { return true };
        let Secure { signer, now } = secure;
        let RrSet { rtype, ttl, .. } = set.rrset;
        let rdata: Vec<&[u8]> = set.rrset.rdata().collect();
        let signed = Signed { owner: source, rtype, ttl, rdata: &rdata, serial: zone.serial() };
        let by = By { signing, apex: zone.apex().as_wire(), now, signer, keep: true };
        let Some(made) = rrsigs(&signed, by) else {
            self.unsigned = true;
            return true;
        };
        let ttl = set.ttl.unwrap_or(ttl);
        self.rrsigs(section, set.owner, ttl, &made)
    }

    fn rrsigs(&mut self, section: Section, owner: &[u8], ttl: u32, made: &[Vec<u8>]) -> bool {
        let record = |rdata| Record { owner, rtype: codes::RRSIG, ttl, rdata, serial: 0 };
        self.writer.records(section, made.iter().map(Vec::as_slice).map(record))
    }

    /// Whether an answer from this zone shows proofs.
    fn proves(&self, zone: &Zone) -> Option<Denial> {
        let signing = zone.signing().filter(|_| self.dnssec_ok && self.secure.is_some())?;
        Some(signing.denial())
    }

    /// Keeps a proof until the answer section is complete.
    pub(super) fn promise(&mut self, zone: &'z Zone, proof: Proof<'_>) {
        let Some(denial) = self.proves(zone) else { return };
        for made in proof.records(zone, denial) {
            // Aliases may lead to names that the same record speaks of.
            let known = |(at, other): &(&Zone, Made)| std::ptr::eq(*at, zone) && *other == made;
            if !self.promised.iter().any(known) {
                self.promised.push((zone, made));
            }
        }
    }

    /// Writes what was promised; `false` when it does not fit.
    pub(super) fn keep_promises(&mut self) -> bool {
        while let Some((zone, made)) = self.promised.get(self.kept).cloned() {
            self.kept += 1;
            if !self.made(Section::Authority, zone, &made.owner, &made) {
                return false;
            }
        }
        true
    }

    /// Appends a proof; `false` when it does not fit.
    pub(super) fn prove(&mut self, zone: &'z Zone, proof: Proof<'_>) -> bool {
        self.promise(zone, proof);
        self.keep_promises()
    }

    /// Appends an NSEC or NSEC3 record with its signature. `owner` differs from the record's where a wildcard stands for it.
    fn made(&mut self, section: Section, zone: &Zone, owner: &[u8], made: &Made) -> bool {
        let Made { owner: source, rtype, ttl, rdata } = made;
        let (rtype, ttl, serial) = (*rtype, *ttl, zone.serial());
        if !self.writer.records(section, [Record { owner, rtype, ttl, rdata, serial }].into_iter())
        {
            return false;
        }
        let (Some(secure), Some(signing)) =
            (self.secure.filter(|_| self.dnssec_ok), zone.signing())
        else {
            return true;
        };
        let Secure { signer, now } = secure;
        let signed = Signed { owner: source, rtype, ttl, rdata: &[rdata], serial };
        let by = By { signing, apex: zone.apex().as_wire(), now, signer, keep: true };
        match rrsigs(&signed, by) {
            Some(rrsig) => self.rrsigs(section, owner, ttl, &rrsig),
            None => {
                self.unsigned = true;
                true
            }
        }
    }

    /// Answers with what stands for signatures and for NSEC in a signed zone: they are records that can be asked for. `None`
    /// when something else is asked for.
    pub(super) fn asked_for_made(
        &mut self,
        zone: &'z Zone,
        soa: Soa<'z>,
        name: &[u8],
        node: Node<'z>,
    ) -> Option<Step<'z>> {
        let signing = zone.signing()?;
        let done = |fits: bool| if fits { Step::Done(Rcode::NoError) } else { Step::Full };
        match self.qtype {
            codes::RRSIG => {
                self.secure?;
                let mut sets: Vec<RrSet<'z>> = node.rrsets().collect();
                if sets.is_empty() {
                    return Some(self.no_data(zone, soa, name, node));
                }
                // As for all types (RFC 8482 section 4.1).
                if self.transport == Transport::Udp {
                    sets.truncate(1);
                }
                let fits = sets.into_iter().all(|rrset| {
                    let written = Written { owner: name, rrset, ttl: None, serial: zone.serial() };
                    self.signatures_anyway(Section::Answer, zone, node.name(), &written)
                });
                Some(done(fits))
            }
            codes::NSEC if signing.denial() == Denial::Nsec => {
                let made = zone.denials([node.name()]).pop()?;
                // Empty non-terminals have none.
                if made.owner != node.name() {
                    return None;
                }
                if node.name() != name {
                    self.promise(zone, Proof::Expanded(name));
                }
                Some(done(self.made(Section::Answer, zone, name, &made)))
            }
            _ => None,
        }
    }

    /// The DS records of a delegation, or the proof that there are none (RFC 4035 section 3.1.4, RFC 5155 section 7.2.7).
    pub(super) fn delegation(&mut self, zone: &'z Zone, cut: Node<'z>) -> bool {
        if self.proves(zone).is_none() {
            return true;
        }
        let Some(rrset) = cut.rrset(codes::DS) else {
            return self.prove(zone, Proof::NoData(cut.name()));
        };
        let set = Written { owner: cut.name(), rrset, ttl: None, serial: zone.serial() };
        self.writer.rrset(Section::Authority, &set)
            && self.signatures(Section::Authority, zone, cut.name(), &set)
    }
}
