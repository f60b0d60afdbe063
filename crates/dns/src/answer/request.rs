//! Reading queries (RFC 1035 section 4.1, RFC 6891 section 6.1).

use super::Rcode;
use crate::cookie::{self, Shown};
use crate::name::MAX_NAME;
use crate::tsig::{Signature, TSIG};
use crate::zone::codes;

/// Octets of a message's header.
pub(crate) const HEADER: usize = 12;

/// The name of a query's question in wire form, as it is written there; `None` when it cannot be read.
pub(crate) fn name_in(query: &[u8]) -> Option<&[u8]> {
    let rest = query.get(HEADER..)?;
    let mut length = 0;
    loop {
        let label = usize::from(*rest.get(length)?);
        length += 1 + label;
        if label > 63 || length > MAX_NAME {
            return None;
        }
        if label == 0 {
            return rest.get(..length);
        }
    }
}

/// The header of a query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    id: [u8; 2],
    flags: [u8; 2],
    counts: [u16; 4],
}

impl Header {
    pub(crate) fn read(query: &[u8]) -> Option<Self> {
        let (head, _) = query.split_first_chunk::<HEADER>()?;
        let [i0, i1, f0, f1, q0, q1, a0, a1, n0, n1, r0, r1] = *head;
        let count = |high, low| u16::from_be_bytes([high, low]);
        let counts = [count(q0, q1), count(a0, a1), count(n0, n1), count(r0, r1)];
        Some(Self { id: [i0, i1], flags: [f0, f1], counts })
    }

    pub(crate) const fn is_response(self) -> bool {
        let [first, _] = self.flags;
        first & 0x80 != 0
    }

    pub(crate) const fn opcode(self) -> u8 {
        let [first, _] = self.flags;
        (first >> 3) & 0x0f
    }

    pub(crate) const fn id(self) -> u16 {
        u16::from_be_bytes(self.id)
    }

    pub(crate) const fn is_truncated(self) -> bool {
        let [first, _] = self.flags;
        first & 0x02 != 0
    }

    /// The code that a response has, without what EDNS adds.
    pub(crate) const fn code(self) -> u8 {
        let [_, second] = self.flags;
        second & 0x0f
    }

    /// How many questions, answers, authority and additional records there are.
    pub(crate) const fn counts(self) -> [u16; 4] {
        self.counts
    }

    /// The header of the answer: id, operation and RD as in the query; RA, AD and CD are clear, since this server
    /// does not recurse (RFC 4035 section 3.1.6).
    pub(crate) fn reply(
        self,
        rcode: Rcode,
        authoritative: bool,
        truncated: bool,
        counts: [u16; 4],
    ) -> [u8; HEADER] {
        let [id0, id1] = self.id;
        let [first, _] = self.flags;
        let aa = if authoritative { 0x04 } else { 0 };
        let tc = if truncated { 0x02 } else { 0 };
        let [_, code] = rcode.code().to_be_bytes();
        let [[q0, q1], [a0, a1], [n0, n1], [r0, r1]] = counts.map(u16::to_be_bytes);
        let flags = 0x80 | (first & 0x79) | aa | tc;
        [id0, id1, flags, code & 0x0f, q0, q1, a0, a1, n0, n1, r0, r1]
    }
}

/// The one question of a query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'q> {
    /// As it stands in the query, type and class included.
    pub(crate) octets: &'q [u8],
    /// The name in lower case.
    name: [u8; MAX_NAME],
    length: usize,
    pub(crate) qtype: u16,
    pub(crate) qclass: u16,
}

impl<'q> Question<'q> {
    /// The name in wire form and lower case.
    pub(crate) fn name(&self) -> &[u8] {
        self.name.get(..self.length).unwrap_or_default()
    }

    /// A pointer in the first name of a message has nowhere to point, so none is accepted.
    fn read(query: &'q [u8]) -> Option<(Self, usize)> {
        let length = name_in(query)?.len();
        let octets = query.get(HEADER..HEADER + length + 4)?;
        let (written, fixed) = octets.split_at_checked(length)?;
        let mut name = [0; MAX_NAME];
        let lower = name.get_mut(..length)?;
        lower.copy_from_slice(written);
        lower.make_ascii_lowercase();
        let [t0, t1, c0, c1] = *fixed.first_chunk::<4>()?;
        let qtype = u16::from_be_bytes([t0, t1]);
        let qclass = u16::from_be_bytes([c0, c1]);
        Some((Self { octets, name, length, qtype, qclass }, HEADER + length + 4))
    }
}

/// What a query says of itself by EDNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edns {
    pub(crate) payload: u16,
    pub(crate) version: u8,
    pub(crate) dnssec_ok: bool,
}

/// A query whose question can be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'q> {
    pub(crate) header: Header,
    pub(crate) question: Question<'q>,
    /// None also when it is malformed.
    pub(crate) edns: Option<Edns>,
    /// The serial of an SOA in the authority section, where IXFR has that of the asker (RFC 1995 section 3).
    pub(crate) serial: Option<u32>,
    /// The cookies that it shows.
    pub(crate) cookie: Option<Shown<'q>>,
    /// Who says to have signed it, not checked yet; none also when it is malformed.
    pub(crate) tsig: Option<Signature<'q>>,
    /// Something behind the question makes no sense.
    pub(crate) malformed: bool,
}

impl<'q> Request<'q> {
    /// `None` when there is not exactly one question or when it cannot be read.
    pub(crate) fn read(header: Header, query: &'q [u8]) -> Option<Self> {
        let [1, ..] = header.counts else { return None };
        let (question, behind) = Question::read(query)?;
        let behind = Behind::read(header, query, behind);
        let malformed = behind.is_none();
        let Behind { edns, cookie, serial, tsig } = behind.unwrap_or_default();
        Some(Self { header, question, edns, serial, cookie, tsig, malformed })
    }
}

/// What the records behind the question say.
#[derive(Debug, Default)]
struct Behind<'q> {
    edns: Option<Edns>,
    cookie: Option<Shown<'q>>,
    serial: Option<u32>,
    tsig: Option<Signature<'q>>,
}

impl<'q> Behind<'q> {
    /// `None` when they are malformed.
    fn read(header: Header, query: &'q [u8], mut at: usize) -> Option<Self> {
        let [_, answers, authorities, additionals] = header.counts;
        let mut behind = Self::default();
        for number in 0..u32::from(answers) + u32::from(authorities) {
            let record = Record::read(query, &mut at)?;
            if matches!(record.rtype, codes::OPT | TSIG) {
                return None;
            }
            if number >= u32::from(answers) && record.rtype == codes::SOA {
                behind.serial = Some(record.serial()?);
            }
        }
        for number in 1..=additionals {
            let start = at;
            let record = Record::read(query, &mut at)?;
            if record.rtype == codes::OPT {
                // RFC 6891 section 6.1.1: one OPT, whose owner is the root.
                if behind.edns.is_some() {
                    return None;
                }
                let (edns, cookie) = record.edns()?;
                (behind.edns, behind.cookie) = (Some(edns), cookie);
            } else if record.rtype == TSIG {
                // RFC 8945 section 5.1: the last one.
                if number < additionals {
                    return None;
                }
                let (class, ttl) = (record.class, record.ttl);
                behind.tsig = Some(Signature::read(query, start, class, ttl, record.rdata)?);
            }
        }
        (at == query.len()).then_some(behind)
    }
}

/// A record behind the question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'q> {
    at_root: bool,
    pub(crate) rtype: u16,
    pub(crate) class: u16,
    pub(crate) ttl: [u8; 4],
    pub(crate) rdata: &'q [u8],
}

impl<'q> Record<'q> {
    /// Reads the record that begins at `at`, which is put behind it.
    pub(crate) fn read(query: &'q [u8], at: &mut usize) -> Option<Self> {
        let start = *at;
        let mut end = start;
        loop {
            let label = usize::from(*query.get(end)?);
            match label {
                0 => {
                    end += 1;
                    break;
                }
                1..=63 => end += 1 + label,
                // A pointer ends a name, and points back.
                192.. => {
                    let [high, low] = *query.get(end..)?.first_chunk::<2>()?;
                    let target = usize::from(u16::from_be_bytes([high & 0x3f, low]));
                    if target < HEADER || target >= start {
                        return None;
                    }
                    end += 2;
                    break;
                }
                _ => return None,
            }
            if end - start > MAX_NAME {
                return None;
            }
        }
        let (fixed, rest) = query.get(end..)?.split_first_chunk::<10>()?;
        let [t0, t1, c0, c1, l0, l1, l2, l3, r0, r1] = *fixed;
        let rdata = rest.get(..usize::from(u16::from_be_bytes([r0, r1])))?;
        *at = end + 10 + rdata.len();
        Some(Self {
            at_root: end - start == 1,
            rtype: u16::from_be_bytes([t0, t1]),
            class: u16::from_be_bytes([c0, c1]),
            ttl: [l0, l1, l2, l3],
            rdata,
        })
    }

    /// The serial of an SOA: two names, which may be one octet each, then five numbers (RFC 1035 section 3.3.13).
    fn serial(&self) -> Option<u32> {
        let numbers = self.rdata.last_chunk::<20>().filter(|_| self.rdata.len() >= 22)?;
        numbers.first_chunk().map(|serial| u32::from_be_bytes(*serial))
    }

    /// RFC 6891 sections 6.1.2 and 6.1.3.
    fn edns(&self) -> Option<(Edns, Option<Shown<'q>>)> {
        let mut options = self.rdata;
        let mut cookie = None;
        while !options.is_empty() {
            let (head, rest) = options.split_first_chunk::<4>()?;
            let [c0, c1, high, low] = *head;
            let length = usize::from(u16::from_be_bytes([high, low]));
            let (data, rest) = rest.split_at_checked(length)?;
            options = rest;
            // RFC 7873 section 5.2.2: with an impossible length the query is malformed; the first one counts.
            if u16::from_be_bytes([c0, c1]) == cookie::OPTION && cookie.is_none() {
                cookie = Some(Shown::read(data)?);
            }
        }
        let [_, version, flags, _] = self.ttl;
        let dnssec_ok = flags & 0x80 != 0;
        self.at_root.then_some((Edns { payload: self.class, version, dnssec_ok }, cookie))
    }
}
