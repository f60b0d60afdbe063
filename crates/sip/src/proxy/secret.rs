//! The node's secret and what is made with it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;

/// The secret under which this element signs what it writes into messages for itself: branches and
/// Record-Route parameters.
///
/// It must come from a generator that cannot be predicted and must outlive the process: calls that were set
/// up under one secret can no longer be routed under another.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

/// What a signature is for, so that one kind cannot pass as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Numbers that cannot be guessed.
    Random = 1,
    /// The part of a branch that shows a loop.
    Loop = 2,
    /// The part of a branch that shows that it is ours.
    Branch = 3,
    /// A Record-Route parameter.
    Route = 4,
    /// A Route parameter for the node that owns a connection.
    Flow = 7,
    /// To tags of responses of our own.
    Tag = 5,
    /// Branches of requests that are forwarded without state.
    Stateless = 6,
    /// Public GRUUs.
    PublicGruu = 8,
    /// Temporary GRUUs.
    TemporaryGruu = 9,
    /// Marks of phones and Call-IDs in temporary GRUUs.
    GruuMark = 10,
    /// What temporary GRUUs are encrypted with.
    GruuStream = 11,
}

impl Secret {
    /// Takes a secret.
    #[must_use]
    pub fn from_bytes(secret: [u8; 32]) -> Self {
        // What depends on the secret alone is computed once.
        Self(keyed(secret))
    }

    /// Signs a list of parts; where one ends and the next begins counts.
    pub(crate) fn sign(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(&[purpose as u8]);
        for part in parts {
            mac.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The first octets of a signature.
    pub(crate) fn sign_short<const N: usize>(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; N] {
        let mut short = [0; N];
        for (octet, signed) in short.iter_mut().zip(self.sign(purpose, parts)) {
            *octet = signed;
        }
        short
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// HMAC under a key, ready for messages. A key that is shorter than a block is one with zeros behind it (RFC 2104).
pub(crate) fn keyed(key: [u8; 32]) -> Hmac<Sha256> {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    block.iter_mut().zip(key).for_each(|(octet, of_key)| *octet = of_key);
    Hmac::new(&block)
}

/// Compares signatures in constant time.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    bool::from(subtle::ConstantTimeEq::ct_eq(a, b))
}

/// Writes octets in letters, digits, `-` and `_`, all of which may stand in a token and in a URI parameter.
pub(crate) fn encode(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Numbers that cannot be guessed, out of a secret, a seed and a counter.
#[derive(Debug)]
pub(crate) struct Numbers {
    secret: Secret,
    seed: [u8; 32],
    counter: u64,
}

impl Numbers {
    pub(crate) const fn new(secret: Secret, seed: [u8; 32]) -> Self {
        Self { secret, seed, counter: 0 }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(1);
        let counter = self.counter.to_be_bytes();
        u64::from_be_bytes(self.secret.sign_short(Purpose::Random, &[&self.seed, &counter]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_depend_on_purpose_parts_and_borders() {
        let secret = Secret::from_bytes([7; 32]);
        let base = secret.sign(Purpose::Tag, &[b"ab", b"c"]);
        assert_eq!(base, secret.sign(Purpose::Tag, &[b"ab", b"c"]));
        assert_ne!(base, secret.sign(Purpose::Route, &[b"ab", b"c"]));
        assert_ne!(base, secret.sign(Purpose::Tag, &[b"a", b"bc"]));
        assert_ne!(base, Secret::from_bytes([8; 32]).sign(Purpose::Tag, &[b"ab", b"c"]));
        assert_eq!(format!("{secret:?}"), "Secret");
    }

    #[test]
    fn numbers_differ_and_repeat_with_the_seed() {
        let take = |seed| {
            let mut numbers = Numbers::new(Secret::from_bytes([7; 32]), [seed; 32]);
            [numbers.next(), numbers.next(), numbers.next()]
        };
        let [a, b, c] = take(1);
        assert!(a != b && b != c && a != c);
        assert_eq!(take(1), [a, b, c]);
        assert_ne!(take(2), [a, b, c]);
    }
}
