//! Reading the messages of a transfer: names are decompressed, and data is what its type asks for.

use crate::answer::request::{HEADER, Header, Record, name_in};
use crate::name::{MAX_NAME, Name};
use crate::rdata::RecordType;
use crate::tsig::{Signature, TSIG};
use crate::zone::codes;

/// A response, not checked any further.
#[derive(Debug)]
pub(super) struct Message<'m> {
    octets: &'m [u8],
    pub(super) header: Header,
    /// Name in any case, type and class.
    pub(super) question: Option<&'m [u8]>,
    /// Where each record of the answer section begins.
    answers: Vec<(usize, Record<'m>)>,
    pub(super) signature: Option<Signature<'m>>,
}

/// A record of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) owner: Name,
    pub(super) rtype: u16,
    pub(super) class: u16,
    /// In seconds.
    pub(super) ttl: u32,
    /// Uncompressed, names in lower case.
    pub(super) rdata: Box<[u8]>,
}

impl<'m> Message<'m> {
    /// `None` when it cannot be read.
    pub(super) fn read(octets: &'m [u8]) -> Option<Self> {
        let header = Header::read(octets).filter(|header| header.is_response())?;
        let [questions, answered, authorities, additionals] = header.counts();
        let (question, mut at) = match questions {
            0 => (None, HEADER),
            1 => {
                let end = HEADER + name_in(octets)?.len() + 4;
                (Some(octets.get(HEADER..end)?), end)
            }
            _ => return None,
        };
        let (mut answers, mut signature) = (Vec::new(), None);
        for _ in 0..answered {
            answers.push((at, Record::read(octets, &mut at)?));
        }
        for number in 1..=u32::from(authorities) + u32::from(additionals) {
            let start = at;
            let record = Record::read(octets, &mut at)?;
            if record.rtype == TSIG {
                let last = number == u32::from(authorities) + u32::from(additionals);
                let Record { class, ttl, rdata, .. } = record;
                let read = Signature::read(octets, start, class, ttl, rdata);
                signature = Some(read.filter(|_| last && additionals > 0)?);
            }
        }
        (at == octets.len()).then_some(Self { octets, header, question, answers, signature })
    }

    /// Whether the answer section has no record.
    pub(super) const fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// The records of the answer section; `None` for those whose data is not what their type asks for.
    pub(super) fn answers(&self) -> impl Iterator<Item = Option<Received>> {
        self.answers.iter().map(|(start, record)| self.received(*start, record))
    }

    fn received(&self, start: usize, record: &Record<'_>) -> Option<Received> {
        let (owner, end) = name_at(self.octets, start)?;
        let rdata = rdata(self.octets, record.rtype, end + 10, record.rdata.len())?;
        // RFC 2181 section 8: a TTL with its highest bit set is none.
        let ttl = u32::from_be_bytes(record.ttl);
        let ttl = if ttl > i32::MAX.unsigned_abs() { 0 } else { ttl };
        Some(Received { owner, rtype: record.rtype, class: record.class, ttl, rdata })
    }
}

/// A name and where it ends. Each pointer leads further back than anything before it, so that this ends.
fn name_at(octets: &[u8], start: usize) -> Option<(Name, usize)> {
    let mut wire = Vec::with_capacity(MAX_NAME);
    let (mut at, mut lowest, mut end) = (start, start, None);
    loop {
        let label = *octets.get(at)?;
        match label {
            0 => {
                wire.push(0);
                let name = Name::from_wire(&wire).ok()?;
                return Some((name, end.unwrap_or(at + 1)));
            }
            1..=63 => {
                let next = at + 1 + usize::from(label);
                wire.extend_from_slice(octets.get(at..next)?);
                at = next;
                if wire.len() >= MAX_NAME {
                    return None;
                }
            }
            192.. => {
                let [high, low] = *octets.get(at..)?.first_chunk::<2>()?;
                let target = usize::from(u16::from_be_bytes([high & 0x3f, low]));
                if target < HEADER || target >= lowest {
                    return None;
                }
                end.get_or_insert(at + 2);
                (at, lowest) = (target, target);
            }
            _ => return None,
        }
    }
}

/// A part of a record's data.
#[derive(Debug, Clone, Copy)]
enum Field {
    /// A name, which may be compressed.
    Name,
    /// So many octets.
    Octets(usize),
    /// An octet with the length, then as many.
    String,
    /// One or more of these.
    Strings,
    /// Whatever is left.
    Rest,
}

/// What the data of a type is made of; only these types' names may be compressed, now or once (RFC 3597 section 4).
const fn fields(rtype: u16) -> &'static [Field] {
    use Field::{Name, Octets, Rest, String, Strings};
    match RecordType(rtype) {
        RecordType::A => &[Octets(4)],
        RecordType::AAAA => &[Octets(16)],
        RecordType::NS | RecordType::CNAME | RecordType::PTR | RecordType::DNAME => &[Name],
        RecordType::SOA => &[Name, Name, Octets(20)],
        RecordType::MX => &[Octets(2), Name],
        RecordType::TXT => &[Strings],
        RecordType::HINFO => &[String, String],
        RecordType::SRV => &[Octets(6), Name],
        RecordType::NAPTR => &[Octets(4), String, String, String, Name],
        RecordType::DS => &[Octets(4), Rest],
        // MD, MF, MB, MG and MR (RFC 1035).
        RecordType(3 | 4 | 7 | 8 | 9) => &[Name],
        // MINFO (RFC 1035) and RP (RFC 1183).
        RecordType(14 | 17) => &[Name, Name],
        // AFSDB and RT (RFC 1183), KX (RFC 2230).
        RecordType(18 | 21 | 36) => &[Octets(2), Name],
        // PX (RFC 2163).
        RecordType(26) => &[Octets(2), Name, Name],
        _ => &[Rest],
    }
}

fn rdata(octets: &[u8], rtype: u16, start: usize, length: usize) -> Option<Box<[u8]>> {
    let end = start.checked_add(length)?;
    let mut out = Vec::with_capacity(length);
    let mut at = start;
    let string = |at: usize, out: &mut Vec<u8>| {
        let next = at + 1 + usize::from(*octets.get(at)?);
        out.extend_from_slice(octets.get(at..next)?);
        (next <= end).then_some(next)
    };
    for field in fields(rtype) {
        at = match field {
            Field::Name => {
                let (name, next) = name_at(octets, at)?;
                out.extend_from_slice(name.as_wire());
                next
            }
            Field::Octets(count) => {
                out.extend_from_slice(octets.get(at..at + count)?);
                at + count
            }
            Field::String => string(at, &mut out)?,
            Field::Strings => {
                let mut next = string(at, &mut out)?;
                while next < end {
                    next = string(next, &mut out)?;
                }
                next
            }
            Field::Rest => {
                out.extend_from_slice(octets.get(at..end)?);
                end
            }
        };
        if at > end {
            return None;
        }
    }
    // A record's data must go into a record again.
    (at == end && out.len() <= usize::from(u16::MAX)).then(|| out.into())
}

/// The serial in the data of an SOA.
pub(super) fn serial(soa: &[u8]) -> u32 {
    let numbers = soa.last_chunk::<20>().and_then(|numbers| numbers.first_chunk());
    numbers.map_or(0, |serial| u32::from_be_bytes(*serial))
}

/// Whether a type belongs to signed zones, which only their own keys can answer for.
pub(super) const fn is_of_signed(rtype: u16) -> bool {
    matches!(rtype, codes::RRSIG | codes::NSEC | codes::DNSKEY | codes::NSEC3 | codes::NSEC3PARAM)
}
