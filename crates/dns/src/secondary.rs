//! Zones that other servers master: what they are asked, what their answers lead to (AXFR, RFC 5936; IXFR, RFC 1995), and when
//! they have to be asked (RFC 1035 section 3.3.13, RFC 1996). The messages and the time are arguments.
//!
//! [`ask`] makes a request → [`Incoming`] takes the messages that come → an [`Outcome`], of which nothing counts before the last
//! message is there and, with a key, signed. [`Timers`] says when to ask again.

mod content;
mod incoming;
mod message;
mod timers;

pub use content::Limits;
pub use incoming::{Incoming, Invalid, Outcome};
pub use timers::{Step, Timers, Times};

use crate::name::Name;
use crate::tsig::{Key, Verifier};
use crate::zone::{Zone, codes};
use std::sync::Arc;

/// What is known before a master is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'k> {
    /// The zone.
    pub apex: &'k Name,
    /// What we have of it.
    pub held: Option<&'k Arc<Zone>>,
    /// Asks for what changed since; without a zone that is held the whole zone is asked for anyway.
    pub incremental: bool,
    /// Signs the request; then the answer must be signed too.
    pub key: Option<&'k Arc<Key>>,
    /// The most that is taken.
    pub limits: Limits,
}

/// Makes a request and what takes its answers. `id` should be one that nobody can guess; `now` is in seconds since 1970 UTC.
#[must_use]
pub fn ask(asking: &Asking<'_>, id: u16, now: u64) -> (Vec<u8>, Incoming) {
    let Asking { apex, held, incremental, key, limits } = *asking;
    let since = held.filter(|zone| incremental && zone.soa().is_some());
    let qtype = if since.is_some() { codes::IXFR } else { codes::AXFR };
    let [i0, i1] = id.to_be_bytes();
    let authorities = u8::from(since.is_some());
    let mut octets = vec![i0, i1, 0, 0, 0, 1, 0, 0, 0, authorities, 0, 0];
    octets.extend_from_slice(apex.as_wire());
    octets.extend_from_slice(&qtype.to_be_bytes());
    octets.extend_from_slice(&[0, 1]);
    if let Some(zone) = since {
        // RFC 1995 section 3: of the SOA the serial counts.
        octets.extend_from_slice(&[0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0]);
        octets.extend_from_slice(&zone.serial().to_be_bytes());
        octets.extend_from_slice(&[0; 16]);
    }
    let verifier = key.map(|key| Verifier::sign(key, now, &mut octets));
    (octets, Incoming::new(apex, id, qtype, held.cloned(), limits, verifier))
}

#[cfg(test)]
mod tests;
