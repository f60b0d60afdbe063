//! Nonces that prove themselves.
//!
//! A nonce is 64 hexadecimal digits: the time it was made (8 octets), a random number (8) and the first half
//! of an HMAC-SHA256 over both and the realm (16). Any server with the key can tell whether it is one of
//! ours, and when it ends, without having kept it. A phone that changes its address may go on using its nonce:
//! for whom it was made, which half of the random number tells, matters only when credentials are wrong.

use super::{hex, read_hex};
use crate::proxy::secret::keyed;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::fmt;

/// The secret under which nonces are made. A new one makes all nonces in use stale, which costs each phone
/// one more round trip and nothing else.
#[derive(Clone)]
pub struct NonceKey(Hmac<Sha256>);

/// What a nonce turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonceState {
    /// Ours, and not too old.
    Valid {
        /// Its random number.
        id: u64,
        /// When it was made, in milliseconds since 1970 UTC.
        issued: i64,
    },
    /// Ours, but too old.
    Expired,
    /// Not made with this key for this realm.
    Foreign,
}

impl NonceKey {
    /// Takes a key; it must come from a generator that cannot be predicted.
    #[must_use]
    pub fn from_bytes(key: [u8; 32]) -> Self {
        // What depends on the key alone is computed once.
        Self(keyed(key))
    }

    /// Makes a nonce. `now` is in milliseconds since 1970 UTC.
    #[must_use]
    pub fn make(&self, realm: &str, now: i64, random: [u8; 8]) -> String {
        let mut nonce = [0; 32];
        let mac = self.mac(realm, now.to_be_bytes(), random);
        let parts = now.to_be_bytes().into_iter().chain(random).chain(mac);
        for (octet, part) in nonce.iter_mut().zip(parts) {
            *octet = part;
        }
        hex(&nonce)
    }

    /// Judges a nonce. One from the future is foreign beyond five seconds, which the clocks of two nodes may
    /// differ by.
    #[must_use]
    pub fn check(&self, nonce: &str, realm: &str, now: i64, lifetime: i64) -> NonceState {
        let mut octets = [0; 32];
        if !read_hex(nonce, &mut octets) {
            return NonceState::Foreign;
        }
        let (issued, random, mac) = split(octets);
        if !bool::from(subtle::ConstantTimeEq::ct_eq(
            &self.mac(realm, issued, random)[..],
            &mac[..],
        )) {
            return NonceState::Foreign;
        }
        let issued = i64::from_be_bytes(issued);
        match now.saturating_sub(issued) {
            age if age < -5000 => NonceState::Foreign,
            age if age > lifetime => NonceState::Expired,
            _ => NonceState::Valid { id: u64::from_be_bytes(random), issued },
        }
    }

    /// The random number of a nonce for a source: four octets that cannot be foreseen, and four by which
    /// [`is_for`](Self::is_for) knows for whom it was made.
    #[must_use]
    pub fn random_for(&self, source: &[u8], seed: [u8; 4]) -> [u8; 8] {
        let mark = self.mac_of(&[b"source", &seed, source]);
        let mut octets = seed.into_iter().chain(mark);
        std::array::from_fn(|_| octets.next().unwrap_or_default())
    }

    /// Whether a nonce was made for a source; says nothing about whether it is one of ours.
    #[must_use]
    pub fn is_for(&self, nonce: &str, source: &[u8]) -> bool {
        let mut octets = [0; 32];
        if !read_hex(nonce, &mut octets) {
            return false;
        }
        let (_, random, _) = split(octets);
        let [a, b, c, d, ..] = random;
        self.random_for(source, [a, b, c, d]) == random
    }

    fn mac(&self, realm: &str, issued: [u8; 8], random: [u8; 8]) -> [u8; 16] {
        self.mac_of(&[&issued, &random, realm.as_bytes()])
    }

    fn mac_of(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut half = [0; 16];
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        for (to, from) in half.iter_mut().zip(mac.finalize().into_bytes()) {
            *to = from;
        }
        half
    }
}

impl fmt::Debug for NonceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NonceKey(redacted)")
    }
}

fn split(octets: [u8; 32]) -> ([u8; 8], [u8; 8], [u8; 16]) {
    let mut octets = octets.into_iter();
    let mut take = || octets.next().unwrap_or_default();
    (
        std::array::from_fn(|_| take()),
        std::array::from_fn(|_| take()),
        std::array::from_fn(|_| take()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_own() {
        let key = NonceKey::from_bytes([7; 32]);
        let nonce = key.make("example.com", 1_000_000, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(nonce.len(), 64);
        let check = |nonce: &str, realm, now| key.check(nonce, realm, now, 1000);
        let valid = NonceState::Valid { id: 0x0102_0304_0506_0708, issued: 1_000_000 };
        assert_eq!(check(&nonce, "example.com", 1_000_000), valid);
        assert_eq!(check(&nonce, "example.com", 1_001_000), valid);
        assert_eq!(check(&nonce, "example.com", 1_001_001), NonceState::Expired);
        assert_eq!(check(&nonce, "example.com", 995_000), valid);
        assert_eq!(check(&nonce, "example.com", 994_999), NonceState::Foreign);
        assert_eq!(check(&nonce, "example.org", 1_000_000), NonceState::Foreign);
        let other = NonceKey::from_bytes([8; 32]);
        assert_eq!(other.check(&nonce, "example.com", 1_000_000, 1000), NonceState::Foreign);
        for at in 0..64 {
            let mut text = nonce.clone();
            let digit = if text.get(at..=at) == Some("0") { "1" } else { "0" };
            text.replace_range(at..=at, digit);
            assert_eq!(check(&text, "example.com", 1_000_000), NonceState::Foreign, "{at}");
        }
        for text in ["", "0", "zz", &nonce[1..], &format!("{nonce}0")] {
            assert_eq!(check(text, "example.com", 1_000_000), NonceState::Foreign);
        }
    }
}
