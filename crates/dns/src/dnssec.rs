//! Signed zones (RFC 4033, 4034, 4035, 5155): keys, canonical forms, signatures and what denies existence.
//!
//! Zones are signed while answers are made. What is stored are records and keys; a signature is made when somebody asks
//! for it, by a [`Signer`] that remembers as many as it likes. Nothing here knows a private key, a clock or randomness:
//! the time is an argument, and validity is cut into days, so that all servers of a zone make signatures of the same
//! content, before and after a restart.

pub(crate) mod canonical;
pub(crate) mod denial;
mod key;
mod sign;

pub use canonical::{Order, ordering_key};
pub use denial::{base32hex, nsec3_hash};
pub use key::{DNSKEY_TTL, Denial, Key, KeyState, Role, Signing};
pub(crate) use sign::{By, Signed, rrsigs};
pub use sign::{SIGNATURE, Signer, Window, signed_octets, window};
