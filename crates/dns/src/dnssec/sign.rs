//! Signatures of RRsets (RFC 4034 section 3).

use super::canonical::{canonical, labels};
use super::key::{ALGORITHM, Key, Signing};
use crate::zone::codes;

/// Octets of a signature.
pub const SIGNATURE: usize = 64;
/// For how long signatures of a name stay the same, in seconds.
const QUANTUM: i64 = 86_400;
/// How far the clocks of validators may be behind, in seconds.
const SKEW: i64 = 3 * 3600;
/// For how long signatures hold from when they are first given, in seconds.
const VALIDITY: i64 = 14 * 86_400;

/// What signs. It remembers signatures, so that what is asked for often is not signed each time.
pub trait Signer: std::fmt::Debug + Sync {
    /// The signature of `data` by a key, r and s (RFC 6605 section 4); `None` when the private key is not there. One that is
    /// not to be kept is of something that is hardly asked for again.
    fn sign(&self, key: &Key, data: &[u8], keep: bool) -> Option<[u8; SIGNATURE]>;
}

/// When signatures hold, in seconds since 1970 UTC modulo 2^32 (RFC 4034 section 3.1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// From when on.
    pub inception: u32,
    /// Until when.
    pub expiration: u32,
}

/// When signatures of an owner's records that are given now hold: the same for a day, which begins at another moment for
/// each owner, so that not all signatures of a zone have to be made at once.
#[must_use]
pub fn window(owner: &[u8], now: i64) -> Window {
    let spread = spread(owner, QUANTUM);
    let start = (now + spread) / QUANTUM * QUANTUM - spread;
    let wrapped = |time: i64| u32::try_from(time.rem_euclid(1 << 32)).unwrap_or(0);
    Window { inception: wrapped(start - SKEW), expiration: wrapped(start + VALIDITY) }
}

/// A number from 0 up to `below` that depends on a name only (FNV-1a).
pub(super) fn spread(name: &[u8], below: i64) -> i64 {
    let hash = name.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3)
    });
    i64::try_from(hash >> 1).unwrap_or(0).rem_euclid(below.max(1))
}

/// An RRset to be signed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signed<'a> {
    /// The owner in the zone: the wildcard, when that stands for another name.
    pub(crate) owner: &'a [u8],
    pub(crate) rtype: u16,
    /// The TTL in the zone.
    pub(crate) ttl: u32,
    pub(crate) rdata: &'a [&'a [u8]],
    /// What an SOA has for its serial.
    pub(crate) serial: u32,
}

/// When and by what to sign.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By<'a> {
    pub(crate) signing: &'a Signing,
    pub(crate) apex: &'a [u8],
    pub(crate) now: i64,
    pub(crate) signer: &'a dyn Signer,
    pub(crate) keep: bool,
}

/// RDATA of the RRSIG records of an RRset, one for each key that signs it; `None` when none can be made.
pub(crate) fn rrsigs(set: &Signed<'_>, by: By<'_>) -> Option<Vec<Vec<u8>>> {
    let Window { inception, expiration } = window(set.owner, by.now);
    let mut rdata: Vec<Vec<u8>> =
        set.rdata.iter().map(|rdata| canonical(set.rtype, rdata)).collect();
    if set.rtype == codes::SOA {
        for numbers in rdata.iter_mut().filter_map(|rdata| rdata.last_chunk_mut::<20>()) {
            if let Some(place) = numbers.first_chunk_mut() {
                *place = set.serial.to_be_bytes();
            }
        }
    }
    rdata.sort_unstable();
    rdata.dedup();
    let mut made = Vec::new();
    for key in by.signing.signers(set.rtype, by.now) {
        let mut rrsig = Vec::with_capacity(18 + by.apex.len() + SIGNATURE);
        rrsig.extend_from_slice(&set.rtype.to_be_bytes());
        rrsig.extend_from_slice(&[ALGORITHM, labels(set.owner)]);
        rrsig.extend_from_slice(&set.ttl.to_be_bytes());
        rrsig.extend_from_slice(&expiration.to_be_bytes());
        rrsig.extend_from_slice(&inception.to_be_bytes());
        rrsig.extend_from_slice(&key.tag().to_be_bytes());
        rrsig.extend_from_slice(by.apex);
        let data = signed_octets(&rrsig, set.owner, set.rtype, set.ttl, &rdata);
        rrsig.extend_from_slice(&by.signer.sign(key, &data, by.keep)?);
        made.push(rrsig);
    }
    (!made.is_empty()).then_some(made)
}

/// What a signature is of (RFC 4034 section 3.1.8.1): RRSIG's RDATA without the signature, then the records in canonical
/// form and order. `rdata` is both already.
#[must_use]
pub fn signed_octets(
    rrsig: &[u8],
    owner: &[u8],
    rtype: u16,
    ttl: u32,
    rdata: &[Vec<u8>],
) -> Vec<u8> {
    let each: usize = rdata.iter().map(|rdata| owner.len() + 10 + rdata.len()).sum();
    let mut data = Vec::with_capacity(rrsig.len() + each);
    data.extend_from_slice(rrsig);
    for rdata in rdata {
        data.extend_from_slice(owner);
        data.extend_from_slice(&rtype.to_be_bytes());
        data.extend_from_slice(&[0, 1]);
        data.extend_from_slice(&ttl.to_be_bytes());
        data.extend_from_slice(&u16::try_from(rdata.len()).unwrap_or(u16::MAX).to_be_bytes());
        data.extend_from_slice(rdata);
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_hold_a_day_and_cover_now() {
        let owner = b"\x03www\x07example\x00";
        let now = 1_800_000_000;
        let mut windows = Vec::new();
        for hour in 0..72 {
            let time = now + hour * 3600;
            let found = window(owner, time);
            assert!(i64::from(found.inception) + SKEW <= time);
            assert!(i64::from(found.expiration) >= time + VALIDITY - QUANTUM);
            windows.push(found);
        }
        windows.dedup();
        assert!((3..=4).contains(&windows.len()), "{windows:?}");
        assert_ne!(window(b"\x01a\x00", now), window(b"\x01b\x00", now), "spread by name");
        // 2106: the numbers begin anew (RFC 4034 section 3.1.5).
        let late = window(owner, (1 << 32) + 5);
        assert!(late.inception > late.expiration);
    }
}
