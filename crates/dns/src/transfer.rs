//! Zone transfers: whole zones (AXFR, RFC 5936) and what changed in them (IXFR, RFC 1995), as messages that are made one after the other while they are sent.
//!
//! A transfer shows one immutable state of its zone, with one serial, whatever happens to the zone meanwhile. Who may have
//! it is for the caller to decide, before anything is read from the zone.

mod history;

pub use history::{Bounds, Difference, History, is_later};

use crate::answer::request::{Header, Request};
use crate::answer::writer::{Record, Writer};
use crate::answer::{Limits, MAX_TCP, OPT_LENGTH, Rcode};
use crate::dnssec::{By, Signed, Signer, rrsigs};
use crate::tsig::{Auth, Keys};
use crate::zone::{Made, RrSet, Zone, Zones, codes};
use std::borrow::Cow;
use std::sync::Arc;

/// A message ends after the record with which it has this many octets: pointers reach no farther than 16 KiB.
const ENOUGH: usize = 16 * 1024;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The whole zone.
    Axfr,
    /// What changed since a serial.
    Ixfr {
        /// The serial that the asker has.
        serial: u32,
    },
}

/// A query for a transfer.
#[derive(Debug, Clone, Copy)]
pub struct Query<'q> {
    octets: &'q [u8],
    request: Request<'q>,
    kind: Kind,
}

impl<'q> Query<'q> {
    /// Reads a query; `None` when it asks for no transfer or makes no sense, and then [`crate::answer::answer`] has the
    /// answer.
    #[must_use]
    pub fn read(octets: &'q [u8]) -> Option<Self> {
        let header = Header::read(octets).filter(|h| !h.is_response() && h.opcode() == 0)?;
        let request = Request::read(header, octets).filter(|request| !request.malformed)?;
        let kind = match (request.question.qclass, request.question.qtype, request.serial) {
            (1, codes::AXFR, _) => Kind::Axfr,
            (1, codes::IXFR, Some(serial)) => Kind::Ixfr { serial },
            _ => return None,
        };
        request.edns.is_none_or(|edns| edns.version == 0).then_some(Self { octets, request, kind })
    }

    /// What is asked for.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The zone that is asked for: the one that begins at this very name.
    #[must_use]
    pub fn zone<'z>(&self, zones: &'z Zones) -> Option<&'z Arc<Zone>> {
        zones.get(self.request.question.name())
    }

    /// Who signed it; messages that follow are to be signed too, and to leave room for that. `now` is in seconds since 1970
    /// UTC.
    #[must_use]
    pub fn auth<'k>(&self, keys: &'k Keys, now: u64) -> Auth<'k> {
        self.request.tsig.map_or(Auth::Unsigned, |tsig| tsig.check(self.octets, keys, now))
    }

    /// Writes an answer without records; `out` is overwritten.
    pub fn refuse(&self, rcode: Rcode, max_udp: u16, out: &mut Vec<u8>) {
        let mut writer = Writer::new(out, MAX_TCP);
        writer.question(&self.request);
        self.finish(writer, rcode, false, max_udp);
    }

    fn finish(&self, mut writer: Writer<'_>, rcode: Rcode, authoritative: bool, max_udp: u16) {
        if let Some(edns) = self.request.edns {
            writer.opt(max_udp, rcode, edns.dnssec_ok, None);
        }
        let counts = writer.counts();
        writer.header(&self.request.header.reply(rcode, authoritative, false, counts));
    }
}

/// Why a transfer cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A record fits into no message.
    #[error("a record has more octets than a message")]
    RecordTooLong,
    /// The zone is signed, and its private keys are not there.
    #[error("a record cannot be signed")]
    Unsigned,
}

/// A record of a transfer, from the zone or made for it.
struct Piece<'a> {
    owner: Cow<'a, [u8]>,
    rtype: u16,
    ttl: u32,
    rdata: Cow<'a, [u8]>,
    serial: u32,
}

impl Piece<'_> {
    fn record(&self) -> Record<'_> {
        let Self { rtype, ttl, serial, .. } = *self;
        Record { owner: &self.owner, rtype, ttl, rdata: &self.rdata, serial }
    }
}

impl<'a> From<Record<'a>> for Piece<'a> {
    fn from(record: Record<'a>) -> Self {
        let Record { owner, rtype, ttl, rdata, serial } = record;
        Self { owner: owner.into(), rtype, ttl, rdata: rdata.into(), serial }
    }
}

type Pieces<'a> = Box<dyn Iterator<Item = Result<Piece<'a>, Broken>> + Send + 'a>;

/// The messages of a transfer.
pub struct Messages<'a> {
    query: Query<'a>,
    records: Pieces<'a>,
    /// Did not fit into the message before.
    pending: Option<Result<Piece<'a>, Broken>>,
    max_udp: u16,
    limit: usize,
}

impl std::fmt::Debug for Messages<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Messages").field("query", &self.query).finish_non_exhaustive()
    }
}

impl<'a> Messages<'a> {
    /// A whole zone: its SOA, all other records, its SOA again (RFC 5936 section 2.2). With `signer` and the time in seconds
    /// since 1970 UTC a signed zone comes with its signatures and denials of existence.
    ///
    /// `reserved` octets of each message stay free. `None` when the zone has no SOA.
    #[must_use]
    pub fn axfr(
        query: Query<'a>,
        zone: &'a Zone,
        limits: Limits,
        reserved: usize,
        signer: Option<(&'a dyn Signer, i64)>,
    ) -> Option<Self> {
        let soa = soa(zone)?;
        let signatures = Signatures::new(zone, signer);
        let others = zone.nodes().flat_map(move |node| {
            let signs = signatures.filter(|_| !zone.is_given_away(node.name()));
            // At a delegation the zone answers for DS only.
            let signs_ds = signatures.filter(|_| zone.is_cut(node.name()));
            node.rrsets().flat_map(move |set| {
                let plain =
                    set.rdata().filter(move |_| set.rtype != codes::SOA).map(move |rdata| {
                        let (owner, serial) = (node.name(), soa.serial);
                        Ok(Record { owner, rtype: set.rtype, ttl: set.ttl, rdata, serial }.into())
                    });
                let by = signs.or(signs_ds.filter(|_| set.rtype == codes::DS));
                plain.chain(by.into_iter().flat_map(move |by| by.of(node.name(), set)))
            })
        });
        let denials = signatures.into_iter().flat_map(move |by| {
            zone.all_denials().flat_map(move |made| {
                let rrsigs = by.of_made(&made);
                let Made { owner, rtype, ttl, rdata } = made;
                let (owner, rdata) = (owner.into(), rdata.into());
                std::iter::once(Ok(Piece { owner, rtype, ttl, rdata, serial: 0 })).chain(rrsigs)
            })
        });
        let records = std::iter::once(Ok(soa.into())).chain(others).chain(denials);
        Some(Self::new(query, Box::new(records.chain([Ok(soa.into())])), limits, reserved))
    }

    /// The zone's SOA alone: the asker has the same state, or shall ask over TCP (RFC 1995 sections 2 and 4). `None` when the
    /// zone has no SOA.
    #[must_use]
    pub fn soa(query: Query<'a>, zone: &'a Zone, limits: Limits, reserved: usize) -> Option<Self> {
        let records = Box::new(std::iter::once(Ok(soa(zone)?.into())));
        Some(Self::new(query, records, limits, reserved))
    }

    /// What changed, as one difference: the new SOA, the old SOA, what went, the new SOA, what came, the new SOA (RFC 1995
    /// section 4).
    #[must_use]
    pub fn ixfr(
        query: Query<'a>,
        difference: &'a Difference,
        limits: Limits,
        reserved: usize,
    ) -> Self {
        let (old, new) = (changed(&difference.old_soa), changed(&difference.new_soa));
        let records = [new, old].into_iter().chain(difference.deleted.iter().map(changed));
        let records = records.chain([new]).chain(difference.added.iter().map(changed));
        let records = records.chain([new]).map(|record| Ok(record.into()));
        Self::new(query, Box::new(records), limits, reserved)
    }

    fn new(query: Query<'a>, mut records: Pieces<'a>, limits: Limits, reserved: usize) -> Self {
        let edns = query.request.edns;
        let limit = limits.octets(edns).saturating_sub(reserved + edns.map_or(0, |_| OPT_LENGTH));
        let pending = records.next();
        Self { query, records, pending, max_udp: limits.max_udp, limit }
    }

    /// Whether all messages were written.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.pending.is_none()
    }

    /// Writes the next message over `out`; `false` after the last one.
    ///
    /// # Errors
    ///
    /// When the transfer cannot go on.
    pub fn next(&mut self, out: &mut Vec<u8>) -> Result<bool, Broken> {
        let Some(piece) = self.pending.take() else { return Ok(false) };
        let mut writer = Writer::new(out, self.limit);
        writer.question(&self.query.request);
        if !writer.record(&piece?.record()) {
            return Err(Broken::RecordTooLong);
        }
        loop {
            self.pending = self.records.next();
            let Some(next) = &self.pending else { break };
            let Ok(piece) = next else { break };
            if writer.length() >= ENOUGH || !writer.record(&piece.record()) {
                break;
            }
        }
        self.query.finish(writer, Rcode::NoError, true, self.max_udp);
        Ok(true)
    }
}

/// What signs a zone that is given away whole.
#[derive(Clone, Copy)]
struct Signatures<'a> {
    zone: &'a Zone,
    by: By<'a>,
}

impl<'a> Signatures<'a> {
    fn new(zone: &'a Zone, signer: Option<(&'a dyn Signer, i64)>) -> Option<Self> {
        let ((signer, now), signing) = (signer?, zone.signing()?);
        // All of a zone would push out what is asked for often.
        let by = By { signing, apex: zone.apex().as_wire(), now, signer, keep: false };
        Some(Self { zone, by })
    }

    fn of(
        self,
        owner: &'a [u8],
        set: RrSet<'a>,
    ) -> impl Iterator<Item = Result<Piece<'a>, Broken>> {
        let rdata: Vec<&[u8]> = set.rdata().collect();
        self.rrsigs(owner.into(), set.rtype, set.ttl, &rdata)
    }

    fn of_made(self, made: &Made) -> impl Iterator<Item = Result<Piece<'a>, Broken>> + use<'a> {
        self.rrsigs(made.owner.clone().into(), made.rtype, made.ttl, &[&made.rdata])
    }

    fn rrsigs(
        self,
        owner: Cow<'a, [u8]>,
        rtype: u16,
        ttl: u32,
        rdata: &[&[u8]],
    ) -> impl Iterator<Item = Result<Piece<'a>, Broken>> + use<'a> {
        let signed = Signed { owner: &owner, rtype, ttl, rdata, serial: self.zone.serial() };
        let made = rrsigs(&signed, self.by);
        let broken = made.is_none().then_some(Err(Broken::Unsigned));
        let pieces = made.into_iter().flatten().map(move |rdata| {
            let (owner, rdata) = (owner.clone(), rdata.into());
            Ok(Piece { owner, rtype: codes::RRSIG, ttl, rdata, serial: 0 })
        });
        pieces.chain(broken)
    }
}

fn changed(record: &history::Changed) -> Record<'_> {
    let history::Changed { owner, rtype, ttl, rdata } = record;
    let serial = rdata.last_chunk::<20>().and_then(|numbers| numbers.first_chunk());
    let serial = serial.map_or(0, |serial| u32::from_be_bytes(*serial));
    Record { owner, rtype: *rtype, ttl: *ttl, rdata, serial }
}

/// A zone's SOA with its serial.
fn soa(zone: &Zone) -> Option<Record<'_>> {
    let rrset = zone.soa()?.rrset;
    Some(Record {
        owner: zone.apex().as_wire(),
        rtype: codes::SOA,
        ttl: rrset.ttl,
        rdata: rrset.rdata().next()?,
        serial: zone.serial(),
    })
}

#[cfg(test)]
mod tests;
