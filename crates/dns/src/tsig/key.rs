//! Keys and their algorithms.

use crate::name::{MAX_NAME, Name};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Sha256, Sha384, Sha512};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Longest MAC in octets.
pub(super) const MAX_MAC: usize = 64;
/// Least octets of a secret: half of the shortest hash.
const LEAST_SECRET: usize = 16;

/// How messages are signed (RFC 8945 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `hmac-sha256`
    HmacSha256,
    /// `hmac-sha384`
    HmacSha384,
    /// `hmac-sha512`
    HmacSha512,
}

impl Algorithm {
    /// Its name in wire form.
    pub(super) const fn wire(self) -> &'static [u8] {
        match self {
            Self::HmacSha256 => b"\x0bhmac-sha256\0",
            Self::HmacSha384 => b"\x0bhmac-sha384\0",
            Self::HmacSha512 => b"\x0bhmac-sha512\0",
        }
    }

    /// Octets of its MACs.
    #[must_use]
    pub const fn mac_length(self) -> usize {
        match self {
            Self::HmacSha256 => 32,
            Self::HmacSha384 => 48,
            Self::HmacSha512 => 64,
        }
    }
}

/// Why something is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The algorithm is not known.
    #[error("`{0}` is no algorithm; write hmac-sha256, hmac-sha384 or hmac-sha512")]
    Algorithm(String),
    /// The secret can be guessed.
    #[error("the secret has {0} octets; it needs at least 16")]
    Short(usize),
}

impl FromStr for Algorithm {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        match text {
            "hmac-sha256" => Ok(Self::HmacSha256),
            "hmac-sha384" => Ok(Self::HmacSha384),
            "hmac-sha512" => Ok(Self::HmacSha512),
            _ => Err(KeyError::Algorithm(text.to_owned())),
        }
    }
}

/// A secret that two share, by its name.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    name: Name,
    algorithm: Algorithm,
    secret: Box<[u8]>,
}

impl fmt::Debug for Key {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("name", &self.name)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl Key {
    /// Makes a key.
    ///
    /// # Errors
    ///
    /// A secret of less than 16 octets.
    pub fn new(name: Name, algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < LEAST_SECRET {
            return Err(KeyError::Short(secret.len()));
        }
        Ok(Self { name, algorithm, secret: secret.into() })
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// How it signs.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// The keys of a server.
#[derive(Debug, Clone, Default)]
pub struct Keys(BTreeMap<Name, Arc<Key>>);

impl Keys {
    /// No key.
    #[must_use]
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// The key with this name.
    #[must_use]
    pub fn get(&self, name: &Name) -> Option<&Arc<Key>> {
        self.0.get(name)
    }

    /// The key with this name in wire form, in any case.
    pub(super) fn find(&self, name: &[u8]) -> Option<&Key> {
        let mut lower = [0; MAX_NAME];
        let lower = lower.get_mut(..name.len())?;
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        self.0.get(&*lower).map(|key| &**key)
    }
}

impl FromIterator<Key> for Keys {
    fn from_iter<I: IntoIterator<Item = Key>>(keys: I) -> Self {
        Self(keys.into_iter().map(|key| (key.name.clone(), Arc::new(key))).collect())
    }
}

/// A MAC in the making. It lies on the stack, since queries are checked without allocation.
#[allow(clippy::large_enum_variant, reason = "short-lived, on the stack")]
pub(super) enum Digest {
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    Sha512(Hmac<Sha512>),
    /// Never: an HMAC takes a secret of any length.
    Broken,
}

impl Digest {
    pub(super) fn new(key: &Key) -> Self {
        let secret = &key.secret;
        match key.algorithm {
            Algorithm::HmacSha256 => {
                Hmac::new_from_slice(secret).map_or(Self::Broken, Self::Sha256)
            }
            Algorithm::HmacSha384 => {
                Hmac::new_from_slice(secret).map_or(Self::Broken, Self::Sha384)
            }
            Algorithm::HmacSha512 => {
                Hmac::new_from_slice(secret).map_or(Self::Broken, Self::Sha512)
            }
        }
    }

    pub(super) fn update(&mut self, octets: &[u8]) {
        match self {
            Self::Sha256(mac) => mac.update(octets),
            Self::Sha384(mac) => mac.update(octets),
            Self::Sha512(mac) => mac.update(octets),
            Self::Broken => {}
        }
    }

    /// Compares in constant time.
    pub(super) fn verify(self, mac: &[u8]) -> bool {
        match self {
            Self::Sha256(ours) => ours.verify_slice(mac).is_ok(),
            Self::Sha384(ours) => ours.verify_slice(mac).is_ok(),
            Self::Sha512(ours) => ours.verify_slice(mac).is_ok(),
            Self::Broken => false,
        }
    }

    /// The MAC and how many octets of it count.
    pub(super) fn finish(self) -> ([u8; MAX_MAC], usize) {
        let mut out = [0; MAX_MAC];
        let mut put = |mac: &[u8]| {
            if let Some(place) = out.get_mut(..mac.len()) {
                place.copy_from_slice(mac);
            }
            mac.len()
        };
        let length = match self {
            Self::Sha256(mac) => put(&mac.finalize().into_bytes()),
            Self::Sha384(mac) => put(&mac.finalize().into_bytes()),
            Self::Sha512(mac) => put(&mac.finalize().into_bytes()),
            Self::Broken => 0,
        };
        (out, length)
    }
}
