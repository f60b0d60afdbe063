//! How long an answer may be kept.

use super::request::{HEADER, Header, Record, name_in};
use crate::zone::codes;

/// Type of the pseudo-record of EDNS, whose "TTL" is none.
const OPT: u16 = 41;

/// For how many seconds an answer of ours may be kept by caches of HTTP (RFC 8484 section 5.1): the smallest TTL of the answer
/// section; without answers, that for which a negative one holds (RFC 2308 section 5), or the smallest TTL of the name
/// servers that it refers to. 0 for what has no records, and for what cannot be read.
#[must_use]
pub fn freshness(answer: &[u8]) -> u32 {
    smallest(answer).unwrap_or(0)
}

fn smallest(answer: &[u8]) -> Option<u32> {
    let [questions, answers, authorities, _] = Header::read(answer)?.counts();
    let mut at = HEADER;
    match questions {
        0 => {}
        1 => at += name_in(answer)?.len() + 4,
        _ => return None,
    }
    let section = if answers > 0 { answers } else { authorities };
    let mut least = None;
    for _ in 0..section {
        let record = Record::read(answer, &mut at)?;
        let ttl = u32::from_be_bytes(record.ttl);
        let ttl = match record.rtype {
            OPT => continue,
            codes::SOA if answers == 0 => ttl.min(minimum(record.rdata)?),
            _ => ttl,
        };
        least = Some(least.map_or(ttl, |least: u32| least.min(ttl)));
    }
    least
}

/// The last field of a SOA record.
fn minimum(rdata: &[u8]) -> Option<u32> {
    rdata.last_chunk::<4>().map(|octets| u32::from_be_bytes(*octets))
}
