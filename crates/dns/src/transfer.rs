//! Zone transfers: whole zones (AXFR, RFC 5936) and what changed in them (IXFR, RFC 1995), as messages that are made one after the other while they are sent.
//!
//! A transfer shows one immutable state of its zone, with one serial, whatever happens to the zone meanwhile. Who may have
//! it is for the caller to decide, before anything is read from the zone.

mod history;

pub use history::{Bounds, Difference, History, is_later};

use crate::answer::request::{Header, Request};
use crate::answer::writer::{Record, Writer};
use crate::answer::{Limits, MAX_TCP, OPT_LENGTH, Rcode};
use crate::tsig::{Auth, Keys};
use crate::zone::{Zone, Zones, codes};
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

/// A record has more octets than a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record has more octets than a message")]
pub struct RecordTooLong;

/// The messages of a transfer.
pub struct Messages<'a> {
    query: Query<'a>,
    records: Box<dyn Iterator<Item = Record<'a>> + Send + 'a>,
    /// Did not fit into the message before.
    pending: Option<Record<'a>>,
    max_udp: u16,
    limit: usize,
}

impl std::fmt::Debug for Messages<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Messages").field("query", &self.query).finish_non_exhaustive()
    }
}

impl<'a> Messages<'a> {
    /// A whole zone: its SOA, all other records, its SOA again (RFC 5936 section 2.2).
    ///
    /// `reserved` octets of each message stay free. `None` when the zone has no SOA.
    #[must_use]
    pub fn axfr(query: Query<'a>, zone: &'a Zone, limits: Limits, reserved: usize) -> Option<Self> {
        let soa = soa(zone)?;
        let others = zone.nodes().flat_map(move |node| {
            let sets = node.rrsets().filter(|set| set.rtype != codes::SOA);
            sets.flat_map(move |set| {
                set.rdata().map(move |rdata| Record {
                    owner: node.name(),
                    rtype: set.rtype,
                    ttl: set.ttl,
                    rdata,
                    serial: soa.serial,
                })
            })
        });
        let records = std::iter::once(soa).chain(others).chain([soa]);
        Some(Self::new(query, Box::new(records), limits, reserved))
    }

    /// The zone's SOA alone: the asker has the same state, or shall ask over TCP (RFC 1995 sections 2 and 4). `None` when the
    /// zone has no SOA.
    #[must_use]
    pub fn soa(query: Query<'a>, zone: &'a Zone, limits: Limits, reserved: usize) -> Option<Self> {
        let records = Box::new(std::iter::once(soa(zone)?));
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
        Self::new(query, Box::new(records.chain([new])), limits, reserved)
    }

    fn new(
        query: Query<'a>,
        mut records: Box<dyn Iterator<Item = Record<'a>> + Send + 'a>,
        limits: Limits,
        reserved: usize,
    ) -> Self {
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
    /// When a record fits into no message; the transfer cannot go on.
    pub fn next(&mut self, out: &mut Vec<u8>) -> Result<bool, RecordTooLong> {
        let Some(mut record) = self.pending.take() else { return Ok(false) };
        let mut writer = Writer::new(out, self.limit);
        writer.question(&self.query.request);
        if !writer.record(&record) {
            return Err(RecordTooLong);
        }
        loop {
            self.pending = self.records.next();
            let Some(next) = self.pending else { break };
            record = next;
            if writer.length() >= ENOUGH || !writer.record(&record) {
                break;
            }
        }
        self.query.finish(writer, Rcode::NoError, true, self.max_udp);
        Ok(true)
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
