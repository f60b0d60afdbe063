//! Response rate limiting: who is answered more often than anybody needs is probably not the one who asks.
//!
//! Answers are counted for each network and what they are about: one name and type, or, where a name tells nothing new (it
//! does not exist, or a wildcard stands for it), the zone. Each count is a bucket that lets so many answers a second pass
//! and as many at once (generic cell rate algorithm). Of those that do not pass, some are sent cut short (TC), so that
//! somebody who really asks can do so over TCP, where nobody's address is borrowed; the others are not sent.

use crate::answer::{About, Answered, Rcode, request};
use crate::cookie::siphash::siphash24;
use crate::name::MAX_NAME;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// Buckets, a power of two; half a mebibyte.
const BUCKETS: usize = 1 << 16;
/// Buckets that a key may have.
const WAYS: usize = 4;
/// Bits of a bucket that say until when its answers are paid; the others tell keys apart.
const TIME_BITS: u32 = 44;
/// Units of time in a second; 44 bits of them are four years.
const SECOND: u64 = 125_000;
/// Octets of a network, of what an answer is about, of a type and of a name.
const KEY: usize = 8 + 1 + 2 + MAX_NAME;

/// How many answers a network may have in a second; 0 for any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Answers about one name and type, or delegations, wildcards and missing types of one zone.
    pub responses: u32,
    /// Answers that a name of one zone does not exist.
    pub nxdomains: u32,
    /// Refusals and other errors.
    pub errors: u32,
    /// One of so many answers that are too many is sent cut short; 0 for none.
    pub slip: u32,
}

/// What to do with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Send it.
    Send,
    /// Send it cut short.
    Truncate,
    /// Do not send it.
    Drop,
}

/// Counts of answers, shared by all threads without a lock. Two that count at the same moment may lose one.
#[derive(Debug)]
pub struct Limiter {
    rates: Rates,
    secret: [u8; 16],
    buckets: Box<[AtomicU64]>,
    too_many: AtomicU32,
}

impl Limiter {
    /// Counts nothing yet. Without the secret, 16 octets that nobody can guess, no one can make others share a bucket.
    #[must_use]
    pub fn new(rates: Rates, secret: [u8; 16]) -> Self {
        let buckets = (0..BUCKETS).map(|_| AtomicU64::new(0)).collect();
        Self { rates, secret, buckets, too_many: AtomicU32::new(0) }
    }

    /// Counts an answer to a query in a datagram. `now` is the time since the limiter was made.
    #[must_use]
    pub fn count(&self, from: IpAddr, query: &[u8], answered: &Answered, now: Duration) -> Verdict {
        let Rates { responses, nxdomains, errors, slip } = self.rates;
        let (class, rate) = match (answered.about, answered.rcode) {
            (About::Nothing, _) => (0, errors),
            (About::Zone { .. }, Rcode::NxDomain) => (1, nxdomains),
            (About::Zone { .. }, _) => (2, responses),
            (About::Name { .. }, _) => (3, responses),
        };
        if rate == 0 || self.debit(self.key(from, query, answered, class), rate, units(now)) {
            return Verdict::Send;
        }
        let number = self.too_many.fetch_add(1, Ordering::Relaxed);
        if slip > 0 && number.is_multiple_of(slip) { Verdict::Truncate } else { Verdict::Drop }
    }

    fn key(&self, from: IpAddr, query: &[u8], answered: &Answered, class: u8) -> u64 {
        let mut key = [0; KEY];
        let mut length = 0;
        let mut push = |octets: &[u8], fold: bool| {
            if let Some(place) = key.get_mut(length..length + octets.len()) {
                place.copy_from_slice(octets);
                if fold {
                    place.make_ascii_lowercase();
                }
                length += octets.len();
            }
        };
        push(&network(from), false);
        push(&[class], false);
        // The name in the query is not compressed.
        let name = request::name_in(query).unwrap_or_default();
        match answered.about {
            About::Nothing => {}
            About::Zone { .. } => push(answered.zone(query).unwrap_or_default(), true),
            About::Name { .. } => {
                push(&answered.qtype.unwrap_or_default().to_be_bytes(), false);
                push(name, true);
            }
        }
        siphash24(&self.secret, key.get(..length).unwrap_or_default())
    }

    /// Takes one answer out of a bucket; `false` when there is none in it.
    fn debit(&self, key: u64, rate: u32, now: u64) -> bool {
        let each = (SECOND / u64::from(rate)).max(1);
        let (tag, times) = (key >> TIME_BITS, (1 << TIME_BITS) - 1);
        let first = usize::try_from(key & times).unwrap_or(0) % (BUCKETS / WAYS) * WAYS;
        let Some(set) = self.buckets.get(first..first + WAYS) else { return true };
        let load = |bucket: &AtomicU64| bucket.load(Ordering::Relaxed);
        let own = set.iter().find(|bucket| load(bucket) >> TIME_BITS == tag);
        // What was not used for longest is given to somebody else.
        let Some(bucket) = own.or_else(|| set.iter().min_by_key(|bucket| load(bucket) & times))
        else {
            return true;
        };
        let paid = if own.is_some() { load(bucket) & times } else { 0 };
        let paid = paid.max(now);
        if paid - now > SECOND {
            return false;
        }
        bucket.store(tag << TIME_BITS | (paid + each) & times, Ordering::Relaxed);
        true
    }
}

/// What an address shares with its neighbours: 24 bits of IPv4, 56 of IPv6.
fn network(address: IpAddr) -> [u8; 8] {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            [4, a, b, c, 0, 0, 0, 0]
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, e, f, g, ..] = address.octets();
            [6, a, b, c, d, e, f, g]
        }
    }
}

fn units(time: Duration) -> u64 {
    u64::try_from(time.as_micros() / 8).unwrap_or(u64::MAX) & ((1 << TIME_BITS) - 1)
}

#[cfg(test)]
mod tests;
