//! Signed messages (TSIG, RFC 8945) with HMAC-SHA-256, -384 and -512: keys, checking, signing. The time is an argument.

mod key;
mod verifier;

pub use key::{Algorithm, Key, KeyError, Keys};
pub use verifier::{Unverified, Verifier};

use crate::answer::request::HEADER;
use crate::name::MAX_NAME;
use key::{Digest, MAX_MAC};

/// Number of the type.
pub(crate) const TSIG: u16 = 250;
/// Class ANY.
const ANY: u16 = 255;
/// How many seconds the clocks of both may differ (RFC 8945 section 10).
const FUDGE: u16 = 300;
/// Octets of a TSIG record besides its names, its MAC and its other data.
const FIXED: usize = 10 + 16;
/// Octets of the time in BADTIME answers.
const TIME: usize = 6;

/// The TSIG record of a message, not checked yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signature<'q> {
    /// Where in the message it begins.
    start: usize,
    /// The key's name as it stands there, any case.
    name: &'q [u8],
    algorithm: &'q [u8],
    time: u64,
    fudge: u16,
    mac: &'q [u8],
    original_id: [u8; 2],
    error: u16,
    other: &'q [u8],
}

impl<'q> Signature<'q> {
    /// Reads the record that begins at `start` and has this RDATA; `None` when it makes no sense. Its names must not be
    /// compressed.
    pub(crate) fn read(
        query: &'q [u8],
        start: usize,
        class: u16,
        ttl: [u8; 4],
        rdata: &'q [u8],
    ) -> Option<Self> {
        let (name, _) = split_name(query.get(start..)?)?;
        let (algorithm, rest) = split_name(rdata)?;
        let (fixed, rest) = rest.split_first_chunk::<10>()?;
        let [t0, t1, t2, t3, t4, t5, f0, f1, m0, m1] = *fixed;
        let length = usize::from(u16::from_be_bytes([m0, m1]));
        let (mac, rest) = rest.split_at_checked(length)?;
        let (fixed, other) = rest.split_first_chunk::<6>()?;
        let [i0, i1, e0, e1, o0, o1] = *fixed;
        let whole = other.len() == usize::from(u16::from_be_bytes([o0, o1]));
        (whole && class == ANY && ttl == [0; 4]).then_some(Self {
            start,
            name,
            algorithm,
            time: u64::from_be_bytes([0, 0, t0, t1, t2, t3, t4, t5]),
            fudge: u16::from_be_bytes([f0, f1]),
            mac,
            original_id: [i0, i1],
            error: u16::from_be_bytes([e0, e1]),
            other,
        })
    }

    /// Checks who signed a query (RFC 8945 section 5.2). `now` is in seconds since 1970 UTC.
    pub(crate) fn check<'k>(&self, query: &[u8], keys: &'k Keys, now: u64) -> Auth<'k> {
        let key = keys.find(self.name).filter(|key| {
            let algorithm = key.algorithm().wire();
            algorithm.eq_ignore_ascii_case(self.algorithm)
        });
        let Some(key) = key else { return Auth::Failed(Failure::BadKey) };
        let length = key.algorithm().mac_length();
        if self.mac.len() != length {
            // RFC 8945 section 5.2.2.1.
            let shortest = (length / 2).max(10);
            let known = (shortest..length).contains(&self.mac.len());
            return Auth::Failed(if known { Failure::BadTrunc } else { Failure::Malformed });
        }
        let Some((header, rest)) = self.message(query) else {
            return Auth::Failed(Failure::Malformed);
        };
        let mut digest = Digest::new(key);
        digest.update(&header);
        digest.update(rest);
        variables(&mut digest, key, self.time, self.fudge, self.error, self.other);
        // In constant time.
        if !digest.verify(self.mac) {
            return Auth::Failed(Failure::BadSig);
        }
        let signer = Signer::after(key, self.mac);
        if now.abs_diff(self.time) > u64::from(self.fudge) {
            return Auth::Late { signer, time: self.time, now };
        }
        Auth::Signed(signer)
    }

    /// The message as it was before it was signed: its header, and the rest.
    fn message<'m>(&self, octets: &'m [u8]) -> Option<([u8; HEADER], &'m [u8])> {
        let (header, rest) = octets.get(..self.start)?.split_first_chunk::<HEADER>()?;
        let mut header = *header;
        let [i0, i1, .., a0, a1] = &mut header;
        [*i0, *i1] = self.original_id;
        [*a0, *a1] = u16::from_be_bytes([*a0, *a1]).saturating_sub(1).to_be_bytes();
        Some((header, rest))
    }

    /// Octets of the TSIG record of an answer to it.
    pub(crate) const fn answer_length(&self) -> usize {
        self.name.len() + self.algorithm.len() + FIXED + MAX_MAC + TIME
    }

    /// Appends a TSIG record without MAC that says why (RFC 8945 section 5.3.2).
    pub(crate) fn refuse(&self, failure: Failure, now: u64, out: &mut Vec<u8>) {
        let Some(error) = failure.code() else { return };
        let record = Appended { name: self.name, algorithm: self.algorithm, time: now };
        record.append(&[], error, &[], out);
    }
}

/// Who signed a query.
#[derive(Debug, Clone)]
pub enum Auth<'k> {
    /// Nobody.
    Unsigned,
    /// Somebody who has the key; answers are signed with it.
    Signed(Signer<'k>),
    /// Somebody who has the key, at another time than now: the answer tells them the time (RFC 8945 section 5.2.3).
    Late {
        /// Signs the answer.
        signer: Signer<'k>,
        /// When the query was signed, in seconds since 1970 UTC.
        time: u64,
        /// The time here.
        now: u64,
    },
    /// Who knows who.
    Failed(Failure),
}

/// Why a signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The MAC has an impossible length.
    Malformed,
    /// The MAC is wrong (BADSIG).
    BadSig,
    /// There is no such key (BADKEY).
    BadKey,
    /// The MAC is truncated (BADTRUNC).
    BadTrunc,
}

impl Failure {
    /// The code in the TSIG record of the answer; a malformed query's answer has none.
    const fn code(self) -> Option<u16> {
        match self {
            Self::Malformed => None,
            Self::BadSig => Some(16),
            Self::BadKey => Some(17),
            Self::BadTrunc => Some(22),
        }
    }
}

/// Code BADTIME.
const BADTIME: u16 = 18;

/// Signs messages one after the other: a request, or the answers to one (RFC 8945 section 5.3).
#[derive(Debug, Clone)]
pub struct Signer<'k> {
    key: &'k Key,
    /// The MAC of the request, or of the message before.
    prior: [u8; MAX_MAC],
    length: usize,
    first: bool,
}

impl<'k> Signer<'k> {
    /// Signs a request.
    #[must_use]
    pub const fn request(key: &'k Key) -> Self {
        Self { key, prior: [0; MAX_MAC], length: 0, first: true }
    }

    fn after(key: &'k Key, mac: &[u8]) -> Self {
        let mut signer = Self::request(key);
        signer.keep(mac);
        signer
    }

    fn keep(&mut self, mac: &[u8]) {
        if let Some(place) = self.prior.get_mut(..mac.len()) {
            place.copy_from_slice(mac);
            self.length = mac.len();
        }
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &'k Key {
        self.key
    }

    /// How many octets [`Self::sign`] appends.
    #[must_use]
    pub fn length(&self) -> usize {
        let names = self.key.name().as_wire().len() + self.key.algorithm().wire().len();
        names + FIXED + self.key.algorithm().mac_length()
    }

    /// Appends a TSIG record to a message. `now` is in seconds since 1970 UTC.
    pub fn sign(&mut self, now: u64, out: &mut Vec<u8>) {
        self.sign_with(now, 0, &[], out);
    }

    /// Signs an answer that tells the time to somebody whose clock is wrong.
    pub(crate) fn sign_late(&mut self, time: u64, now: u64, out: &mut Vec<u8>) {
        let [_, _, here @ ..] = now.to_be_bytes();
        self.sign_with(time, BADTIME, &here, out);
    }

    /// Signs a message and those that were sent before it without a signature of their own.
    #[cfg(test)]
    pub(crate) fn sign_after(&mut self, before: &[u8], now: u64, out: &mut Vec<u8>) {
        let mut together = [before, out].concat();
        self.sign(now, &mut together);
        // The record is the same; the header counts it.
        out.extend_from_slice(together.get(before.len() + out.len()..).unwrap_or_default());
        count_in(out);
    }

    fn sign_with(&mut self, time: u64, error: u16, other: &[u8], out: &mut Vec<u8>) {
        let mut digest = Digest::new(self.key);
        if self.length > 0 {
            digest.update(&u16::try_from(self.length).unwrap_or(0).to_be_bytes());
            digest.update(self.prior.get(..self.length).unwrap_or_default());
        }
        digest.update(out);
        if self.first {
            variables(&mut digest, self.key, time, FUDGE, error, other);
        } else {
            let [_, _, time @ ..] = time.to_be_bytes();
            digest.update(&time);
            digest.update(&FUDGE.to_be_bytes());
        }
        let (mac, length) = digest.finish();
        let mac = mac.get(..length).unwrap_or_default();
        self.keep(mac);
        self.first = false;
        let (name, algorithm) = (self.key.name().as_wire(), self.key.algorithm().wire());
        Appended { name, algorithm, time }.append(mac, error, other, out);
    }
}

/// What a TSIG record has besides its MAC.
struct Appended<'a> {
    name: &'a [u8],
    algorithm: &'a [u8],
    time: u64,
}

impl Appended<'_> {
    /// Appends the record and counts it in the header.
    fn append(&self, mac: &[u8], error: u16, other: &[u8], out: &mut Vec<u8>) {
        let id = out.first_chunk::<2>().copied().unwrap_or_default();
        let count = |octets: &[u8]| u16::try_from(octets.len()).unwrap_or(0).to_be_bytes();
        let length = self.algorithm.len() + 16 + mac.len() + other.len();
        out.extend_from_slice(self.name);
        out.extend_from_slice(&TSIG.to_be_bytes());
        out.extend_from_slice(&ANY.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&u16::try_from(length).unwrap_or(0).to_be_bytes());
        out.extend_from_slice(self.algorithm);
        let [_, _, time @ ..] = self.time.to_be_bytes();
        out.extend_from_slice(&time);
        out.extend_from_slice(&FUDGE.to_be_bytes());
        out.extend_from_slice(&count(mac));
        out.extend_from_slice(mac);
        out.extend_from_slice(&id);
        out.extend_from_slice(&error.to_be_bytes());
        out.extend_from_slice(&count(other));
        out.extend_from_slice(other);
        count_in(out);
    }
}

/// Counts one more additional record in the header.
fn count_in(out: &mut [u8]) {
    if let Some([.., a0, a1]) = out.first_chunk_mut::<HEADER>() {
        [*a0, *a1] = u16::from_be_bytes([*a0, *a1]).saturating_add(1).to_be_bytes();
    }
}

/// What is signed besides the message (RFC 8945 section 4.3.3).
fn variables(digest: &mut Digest, key: &Key, time: u64, fudge: u16, error: u16, other: &[u8]) {
    digest.update(key.name().as_wire());
    digest.update(&ANY.to_be_bytes());
    digest.update(&[0; 4]);
    digest.update(key.algorithm().wire());
    let [_, _, time @ ..] = time.to_be_bytes();
    digest.update(&time);
    digest.update(&fudge.to_be_bytes());
    digest.update(&error.to_be_bytes());
    digest.update(&u16::try_from(other.len()).unwrap_or(0).to_be_bytes());
    digest.update(other);
}

/// An uncompressed name and what follows it.
fn split_name(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut at = 0;
    loop {
        let label = usize::from(*octets.get(at)?);
        at += 1 + label;
        if label > 63 || at > MAX_NAME {
            return None;
        }
        if label == 0 {
            return octets.split_at_checked(at);
        }
    }
}

#[cfg(test)]
mod tests;
