//! Composing answers: names are compressed, RRsets go in whole or not at all.

use super::Rcode;
use super::request::{HEADER, Request};
use crate::cookie;
use crate::name::{MAX_NAME, ancestors};
use crate::zone::{RrSet, codes};

/// How many names can be pointed to; further ones are written out.
const KNOWN: usize = 64;
/// A pointer has 14 bits.
const MAX_OFFSET: usize = 0x3fff;

/// The sections of an answer behind the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Answer,
    Authority,
    Additional,
}

/// An RRset as it goes into an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'z> {
    /// The owner in wire form, lower case.
    pub(crate) owner: &'z [u8],
    pub(crate) rrset: RrSet<'z>,
    /// The TTL, when it is not that of the RRset.
    pub(crate) ttl: Option<u32>,
    /// The serial of the zone, which goes into the SOA.
    pub(crate) serial: u32,
}

/// One record as it goes into an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'z> {
    /// The owner in wire form, lower case.
    pub(crate) owner: &'z [u8],
    pub(crate) rtype: u16,
    pub(crate) ttl: u32,
    pub(crate) rdata: &'z [u8],
    /// What an SOA has for its serial.
    pub(crate) serial: u32,
}

/// An answer in the making.
#[derive(Debug)]
pub(crate) struct Writer<'o> {
    out: &'o mut Vec<u8>,
    limit: usize,
    counts: [u16; 4],
    /// Where names behind the question and their ancestors begin in `out`, and how many octets they have written out.
    offsets: [(u16, u8); KNOWN],
    known: usize,
    /// How many octets the question's name has, which needs no places of its own; 0 without a question.
    asked: usize,
    /// Octets that there are with the question alone.
    begin: usize,
}

impl<'o> Writer<'o> {
    /// An answer of at most `limit` octets; OPT, which [`Self::opt`] appends at the end, does not count.
    pub(crate) fn new(out: &'o mut Vec<u8>, limit: usize) -> Self {
        out.clear();
        out.extend_from_slice(&[0; HEADER]);
        let (counts, offsets) = ([0; 4], [(0, 0); KNOWN]);
        Self { out, limit, counts, offsets, known: 0, asked: 0, begin: HEADER }
    }

    /// How many records each section has.
    pub(crate) const fn counts(&self) -> [u16; 4] {
        self.counts
    }

    /// Repeats the question, letter by letter; comes first.
    pub(crate) fn question(&mut self, request: &Request<'_>) {
        let [questions, ..] = &mut self.counts;
        *questions = 1;
        self.out.extend_from_slice(request.question.octets);
        self.asked = request.question.name().len();
        self.begin = self.out.len();
    }

    /// Takes back everything behind the question.
    pub(crate) fn clear(&mut self) {
        self.out.truncate(self.begin);
        self.known = 0;
        let [questions, ..] = self.counts;
        self.counts = [questions, 0, 0, 0];
    }

    /// Asks a question of our own, of a name with its type and class; comes first.
    pub(crate) fn plain_question(&mut self, name: &[u8], fixed: [u8; 4]) {
        let [questions, ..] = &mut self.counts;
        *questions = 1;
        self.out.extend_from_slice(name);
        self.out.extend_from_slice(&fixed);
        self.asked = name.len();
    }

    /// Where a name is in the question, as its end; case does not matter, since the question keeps its own.
    fn in_question(&self, name: &[u8]) -> Option<u16> {
        let offset = HEADER + self.asked.checked_sub(name.len())?;
        let end = self.out.get(offset..HEADER + self.asked)?;
        // Lengths of labels are no letters. The same octets may begin within a label.
        let is_name = end.eq_ignore_ascii_case(name) && self.begins_label(offset);
        u16::try_from(offset).ok().filter(|_| is_name)
    }

    /// Whether a label of the question's name begins here.
    fn begins_label(&self, offset: usize) -> bool {
        let mut at = HEADER;
        while at < offset {
            at += 1 + self.out.get(at).map_or(MAX_NAME, |length| usize::from(*length));
        }
        at == offset
    }

    /// Writes the header over the place that was kept for it.
    pub(crate) fn header(&mut self, header: &[u8; HEADER]) {
        if let Some(place) = self.out.first_chunk_mut() {
            *place = *header;
        }
    }

    /// Appends the OPT record (RFC 6891 section 6.1.2), with DO as in the query (RFC 3225 section 3) and with cookies.
    pub(crate) fn opt(
        &mut self,
        payload: u16,
        rcode: Rcode,
        dnssec_ok: bool,
        cookie: Option<[u8; cookie::WHOLE]>,
    ) {
        let [.., additionals] = &mut self.counts;
        *additionals += 1;
        let [upper, lower] = (rcode.code() >> 4).to_be_bytes();
        debug_assert_eq!(upper, 0, "extended codes have twelve bits");
        let flags = if dnssec_ok { 0x80 } else { 0 };
        let [t0, t1] = codes::OPT.to_be_bytes();
        let [p0, p1] = payload.to_be_bytes();
        self.out.extend_from_slice(&[0, t0, t1, p0, p1, lower, 0, flags, 0, 0]);
        let Some(cookie) = cookie else {
            self.out.push(0);
            return;
        };
        let [c0, c1] = cookie::OPTION.to_be_bytes();
        // The cookies and their head; the length of the RDATA begins with the zero above.
        self.out.extend_from_slice(&[28, c0, c1, 0, 24]);
        self.out.extend_from_slice(&cookie);
    }

    /// Octets so far.
    pub(crate) fn length(&self) -> usize {
        self.out.len()
    }

    /// Appends an RRset; `false` when it does not fit, and then nothing is appended.
    pub(crate) fn rrset(&mut self, section: Section, set: &Written<'_>) -> bool {
        let before = (self.out.len(), self.known);
        let mut records = 0_u16;
        let rtype = set.rrset.rtype;
        let ttl = set.ttl.unwrap_or(set.rrset.ttl);
        for rdata in set.rrset.rdata() {
            let record = Record { owner: set.owner, rtype, ttl, rdata, serial: set.serial };
            if !self.append(&record) {
                self.out.truncate(before.0);
                self.known = before.1;
                return false;
            }
            records = records.saturating_add(1);
        }
        self.count(section, records);
        true
    }

    /// Appends a record to the answer section; `false` when it does not fit, and then nothing is appended.
    pub(crate) fn record(&mut self, record: &Record<'_>) -> bool {
        self.records(Section::Answer, [*record].into_iter())
    }

    /// Appends records; `false` when they do not all fit, and then nothing is appended.
    pub(crate) fn records<'r>(
        &mut self,
        section: Section,
        records: impl Iterator<Item = Record<'r>>,
    ) -> bool {
        let before = (self.out.len(), self.known, self.counts);
        for record in records {
            let [_, answers, ..] = self.counts;
            if answers == u16::MAX || !self.append(&record) {
                self.out.truncate(before.0);
                (self.known, self.counts) = (before.1, before.2);
                return false;
            }
            self.count(section, 1);
        }
        true
    }

    fn append(&mut self, record: &Record<'_>) -> bool {
        let [t0, t1] = record.rtype.to_be_bytes();
        let [l0, l1, l2, l3] = record.ttl.to_be_bytes();
        self.name(record.owner);
        self.out.extend_from_slice(&[t0, t1, 0, 1, l0, l1, l2, l3, 0, 0]);
        let start = self.out.len();
        self.rdata(record.rtype, record.rdata);
        if record.rtype == codes::SOA {
            self.serial(record.serial);
        }
        // Compression shortens, so that it is no more than the RDLENGTH that it came from.
        let length = u16::try_from(self.out.len() - start).unwrap_or(u16::MAX);
        if let Some(place) = self.out.get_mut(start - 2..start) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        self.out.len() <= self.limit
    }

    fn count(&mut self, section: Section, records: u16) {
        let [_, answers, authorities, additionals] = &mut self.counts;
        let count = match section {
            Section::Answer => answers,
            Section::Authority => authorities,
            Section::Additional => additionals,
        };
        *count = count.saturating_add(records);
    }

    /// Only names in types of RFC 1035 may be compressed (RFC 3597 section 4).
    fn rdata(&mut self, rtype: u16, rdata: &[u8]) {
        let (prefix, names) = match rtype {
            codes::NS | codes::CNAME | codes::PTR => (0, 1),
            codes::MX => (2, 1),
            codes::SOA => (0, 2),
            _ => (rdata.len(), 0),
        };
        let (prefix, mut rest) = rdata.split_at_checked(prefix).unwrap_or((rdata, &[]));
        self.out.extend_from_slice(prefix);
        for _ in 0..names {
            let length =
                ancestors(rest).last().map_or(rest.len(), |root| rest.len() - root.len() + 1);
            let (name, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            self.name(name);
            rest = after;
        }
        self.out.extend_from_slice(rest);
    }

    /// Puts the zone's serial into the SOA that was just written: five numbers end it, the serial is the first.
    fn serial(&mut self, serial: u32) {
        if let Some(numbers) = self.out.last_chunk_mut::<20>()
            && let Some(place) = numbers.first_chunk_mut()
        {
            *place = serial.to_be_bytes();
        }
    }

    fn name(&mut self, name: &[u8]) {
        for suffix in ancestors(name) {
            let Some((&length, rest)) = suffix.split_first().filter(|(length, _)| **length > 0)
            else {
                break;
            };
            if let Some(offset) = self.find(suffix) {
                self.out.extend_from_slice(&(offset | 0xc000).to_be_bytes());
                return;
            }
            self.remember(self.out.len(), suffix);
            self.out.push(length);
            self.out.extend_from_slice(rest.get(..usize::from(length)).unwrap_or_default());
        }
        self.out.push(0);
    }

    fn remember(&mut self, offset: usize, name: &[u8]) {
        if let (Ok(offset), Ok(length)) = (u16::try_from(offset), u8::try_from(name.len()))
            && usize::from(offset) <= MAX_OFFSET
            && let Some(place) = self.offsets.get_mut(self.known)
        {
            *place = (offset, length);
            self.known += 1;
        }
    }

    fn find(&self, name: &[u8]) -> Option<u16> {
        if let Some(offset) = self.in_question(name) {
            return Some(offset);
        }
        let known = self.offsets.get(..self.known).unwrap_or_default();
        let same = |known: &&(u16, u8)| usize::from(known.1) == name.len();
        known.iter().filter(same).map(|known| known.0).find(|offset| self.is_at(*offset, name))
    }

    /// Whether the name at an offset is `name`; case does not matter, since the question keeps its own.
    fn is_at(&self, offset: u16, name: &[u8]) -> bool {
        let mut at = usize::from(offset);
        let mut name = name;
        loop {
            let Some(&here) = self.out.get(at) else { return false };
            if here >= 0xc0 {
                let Some(&low) = self.out.get(at + 1) else { return false };
                // Ours point back to what was there before, so this ends.
                at = usize::from(u16::from_be_bytes([here & 0x3f, low]));
                continue;
            }
            let length = usize::from(here) + 1;
            let Some((label, rest)) = name.split_at_checked(length) else { return false };
            let Some(written) = self.out.get(at..at + length) else { return false };
            if !written.eq_ignore_ascii_case(label) {
                return false;
            }
            if here == 0 {
                return true;
            }
            at += length;
            name = rest;
        }
    }
}
