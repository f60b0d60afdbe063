//! What became of new requests, so that one that comes again is not refused while it is served, and the ACK of a refusal is known.

use memchr::memmem::Finder;
use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many sets of fates there are, and how many are remembered in each: those of half a minute, the life of a transaction, at
/// 2,000 in a second. Of what is forgotten sooner the engine hears.
const SETS: usize = 8_192;
/// As many as a line of the processor's cache holds.
const EACH: usize = 8;
/// In so many octets of a request its first Via is looked for.
const BEGINNING: usize = 512;
/// How a branch begins that no other request has (RFC 3261 section 8.1.1.7).
const BRANCH: &[u8] = b"branch=z9hG4bK";

/// What became of a new request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The engine got it.
    Given,
    /// It was told 503.
    Refused,
}

/// What became of the latest new requests. In each set a later one takes the place of the earliest: what is a moment old stays
/// known also in a flood.
#[derive(Debug)]
pub(super) struct Fates {
    hasher: RandomState,
    /// Finds [`BRANCH`].
    branch: Finder<'static>,
    sets: Box<[Set]>,
}

/// Numbers, the latest first, whose last bit says that it was refused.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Set([AtomicU64; EACH]);

impl Fates {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            branch: Finder::new(BRANCH),
            sets: std::iter::repeat_with(Set::default).take(SETS).collect(),
        }
    }

    /// What a request has in common with its retransmissions and with the ACK of its refusal, and with no other request: where
    /// it came from, and the branch of its first Via. One without such a branch has its beginning, which its ACK does not have.
    pub(super) fn number(&self, remote: SocketAddr, octets: &[u8]) -> u64 {
        let beginning = octets.get(..BEGINNING).unwrap_or(octets);
        let branch = self.branch.find(beginning).and_then(|at| {
            let branch = beginning.get(at + BRANCH.len()..)?;
            let ends = |octet: &u8| matches!(octet, b';' | b',' | b' ' | b'\t' | b'\r' | b'\n');
            branch.get(..branch.iter().position(ends)?).filter(|branch| !branch.is_empty())
        });
        // 0 is the number of nothing, and 1 would be its refusal.
        self.hasher.hash_one((remote, branch.unwrap_or(beginning))).max(2) & !1
    }

    /// Takes note of a fate. When two threads do at one time, one may be lost.
    pub(super) fn note(&self, number: u64, fate: Fate) {
        let Some(Set(set)) = self.set(number) else { return };
        let mut noted = number | u64::from(fate == Fate::Refused);
        for place in set {
            // Those before it move on, up to where it stood.
            noted = place.swap(noted, Ordering::Relaxed);
            if noted & !1 == number {
                break;
            }
        }
    }

    pub(super) fn of(&self, number: u64) -> Option<Fate> {
        let Set(set) = self.set(number)?;
        let mut noted = set.iter().map(|place| place.load(Ordering::Relaxed));
        let noted = noted.find(|noted| noted & !1 == number)?;
        Some(if noted & 1 == 0 { Fate::Given } else { Fate::Refused })
    }

    fn set(&self, number: u64) -> Option<&Set> {
        let sets = u64::try_from(self.sets.len()).unwrap_or(u64::MAX);
        let place = (number >> 1).checked_rem(sets)?;
        self.sets.get(usize::try_from(place).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(fates: &Fates, port: u16, start: &str, via: &str) -> u64 {
        let text = format!("{start} SIP/2.0\r\nVia: SIP/2.0/UDP a;{via}\r\nTo: <sip:b>\r\n\r\n");
        fates.number(SocketAddr::from(([127, 0, 0, 1], port)), text.as_bytes())
    }

    #[test]
    fn requests_are_told_apart_and_know_their_ack() {
        let fates = Fates::new();
        let of = |port, start, via| number(&fates, port, start, via);
        let invite = of(1, "INVITE sip:b", "branch=z9hG4bK1;rport");
        assert_eq!(invite, of(1, "INVITE sip:b", "branch=z9hG4bK1;rport"));
        assert_eq!(invite, of(1, "ACK sip:b", "rport;branch=z9hG4bK1"));
        for other in [
            of(2, "INVITE sip:b", "branch=z9hG4bK1"),
            of(1, "INVITE sip:b", "branch=z9hG4bK12"),
            of(1, "INVITE sip:b", "branch=z9hG4bK"),
            of(1, "INVITE sip:b", "branch=1"),
            of(1, "INVITE sip:b", "x"),
        ] {
            assert_ne!(invite, other);
        }
        // A branch of RFC 2543 is no number.
        assert_ne!(of(1, "INVITE sip:b", "branch=1"), of(1, "INVITE sip:c", "branch=1"));
        assert_ne!(of(1, "INVITE sip:b", "branch=z9hG4bK"), of(1, "ACK sip:b", "branch=z9hG4bK"));
    }

    #[test]
    fn the_latest_fate_counts() {
        let fates = Fates::new();
        let number = number(&fates, 1, "INVITE sip:b", "branch=z9hG4bK1");
        assert_eq!(fates.of(number), None);
        for fate in [Fate::Refused, Fate::Given, Fate::Refused] {
            fates.note(number, fate);
            assert_eq!(fates.of(number), Some(fate));
        }
        assert_eq!(fates.of(number ^ 2), None);
    }

    #[test]
    fn what_is_a_moment_old_is_known_in_a_flood() {
        let fates = Fates::new();
        let of = |n: u32| number(&fates, 1, "INVITE sip:b", &format!("branch=z9hG4bK{n}"));
        for n in 0..40_000 {
            fates.note(of(n), if n % 2 == 0 { Fate::Given } else { Fate::Refused });
        }
        // Half a second ago at 20,000 in a second: eight later ones in one of 8,192 sets are hardly ever met.
        let is_known = |n: &u32| fates.of(of(*n)) == Some(Fate::Given);
        let known = (30_000..40_000).step_by(2).filter(is_known).count();
        assert!(known >= 4_995, "{known}");
    }
}
