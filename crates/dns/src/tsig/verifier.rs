//! Checking the messages that answer a signed request (RFC 8945 section 5.3.1): the first and the last one are signed, and of
//! those between at least each hundredth, for itself and those before it.

use super::key::{Digest, Key, MAX_MAC};
use super::{Signature, Signer, variables};
use std::sync::Arc;

/// How many messages in a row may come without a signature of their own.
const MAX_UNSIGNED: u32 = 99;

/// Why messages are not from who they are said to be from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// Nothing is signed where it must be.
    #[error("a signature (TSIG) is missing")]
    Missing,
    /// It is signed with another key or by another algorithm than the request.
    #[error("it is signed with another key (TSIG)")]
    Key,
    /// The signature is wrong.
    #[error("the signature (TSIG) is wrong")]
    Signature,
    /// It was signed at another time than now.
    #[error("the clocks differ by more than the signature (TSIG) allows")]
    Time,
    /// The other side does not take our signature.
    #[error("our signature is not taken (TSIG error {0}: 16 wrong, 17 unknown key, 18 wrong time)")]
    Told(u16),
}

/// Checks the messages that answer a request, one after the other.
pub struct Verifier {
    key: Arc<Key>,
    digest: Digest,
    first: bool,
    /// Messages since the last one that was signed.
    unsigned: u32,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("key", &self.key).finish_non_exhaustive()
    }
}

fn begin(key: &Key, prior: &[u8]) -> Digest {
    let mut digest = Digest::new(key);
    digest.update(&u16::try_from(prior.len()).unwrap_or(0).to_be_bytes());
    digest.update(prior);
    digest
}

impl Verifier {
    /// For the answers to a request, which is signed here.
    #[must_use]
    pub fn sign(key: &Arc<Key>, now: u64, request: &mut Vec<u8>) -> Self {
        let mut signer = Signer::request(key);
        signer.sign(now, request);
        let Signer { prior, length, .. } = signer;
        let digest = begin(key, prior.get(..length.min(MAX_MAC)).unwrap_or_default());
        Self { key: Arc::clone(key), digest, first: true, unsigned: 0 }
    }

    /// Takes the next message, with its TSIG record when it has one. `now` is in seconds since 1970 UTC.
    ///
    /// # Errors
    ///
    /// When it is not from who has the key; then nothing of what came before counts either.
    pub(crate) fn take(
        &mut self,
        octets: &[u8],
        signature: Option<&Signature<'_>>,
        now: u64,
    ) -> Result<(), Unverified> {
        let Some(signature) = signature else {
            self.unsigned += 1;
            if self.first || self.unsigned > MAX_UNSIGNED {
                return Err(Unverified::Missing);
            }
            self.digest.update(octets);
            return Ok(());
        };
        let algorithm = self.key.algorithm();
        if !signature.name.eq_ignore_ascii_case(self.key.name().as_wire())
            || !signature.algorithm.eq_ignore_ascii_case(algorithm.wire())
        {
            return Err(Unverified::Key);
        }
        if signature.error != 0 && signature.mac.is_empty() {
            return Err(Unverified::Told(signature.error));
        }
        let (header, rest) = signature.message(octets).ok_or(Unverified::Signature)?;
        let next = begin(&self.key, signature.mac);
        let mut digest = std::mem::replace(&mut self.digest, next);
        digest.update(&header);
        digest.update(rest);
        let Signature { time, fudge, error, other, .. } = *signature;
        if self.first {
            variables(&mut digest, &self.key, time, fudge, error, other);
        } else {
            let [_, _, time @ ..] = time.to_be_bytes();
            digest.update(&time);
            digest.update(&fudge.to_be_bytes());
        }
        if signature.mac.len() != algorithm.mac_length() || !digest.verify(signature.mac) {
            return Err(Unverified::Signature);
        }
        if error != 0 {
            return Err(Unverified::Told(error));
        }
        if now.abs_diff(time) > u64::from(fudge) {
            return Err(Unverified::Time);
        }
        (self.first, self.unsigned) = (false, 0);
        Ok(())
    }

    /// Whether everything so far is covered by a signature.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        !self.first && self.unsigned == 0
    }
}
