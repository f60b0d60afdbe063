//! What became of new requests, so that one that comes again is not refused while it is served, and the ACK of a refusal is known.

use memchr::memmem;
use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many are remembered at most: those of half a minute, the life of a transaction, at 2,000 in a second. Of what is
/// forgotten sooner the engine hears.
const SLOTS: usize = 65_536;
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

/// What became of the latest new requests. Later ones take the places of earlier ones.
#[derive(Debug)]
pub(super) struct Fates {
    hasher: RandomState,
    /// Numbers, whose last bit says that it was refused.
    slots: Box<[AtomicU64]>,
}

impl Fates {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            slots: std::iter::repeat_with(AtomicU64::default).take(SLOTS).collect(),
        }
    }

    /// What a request has in common with its retransmissions and with the ACK of its refusal, and with no other request: where
    /// it came from, and the branch of its first Via. One without such a branch has its beginning, which its ACK does not have.
    pub(super) fn number(&self, remote: SocketAddr, octets: &[u8]) -> u64 {
        let beginning = octets.get(..BEGINNING).unwrap_or(octets);
        let branch = memmem::find(beginning, BRANCH).and_then(|at| {
            let branch = beginning.get(at + BRANCH.len()..)?;
            let ends = |octet: &u8| matches!(octet, b';' | b',' | b' ' | b'\t' | b'\r' | b'\n');
            branch.get(..branch.iter().position(ends)?).filter(|branch| !branch.is_empty())
        });
        // 0 is the number of nothing, and 1 would be its refusal.
        self.hasher.hash_one((remote, branch.unwrap_or(beginning))).max(2) & !1
    }

    pub(super) fn note(&self, number: u64, fate: Fate) {
        if let Some(slot) = self.slot(number) {
            slot.store(number | u64::from(fate == Fate::Refused), Ordering::Relaxed);
        }
    }

    pub(super) fn of(&self, number: u64) -> Option<Fate> {
        let noted = self.slot(number)?.load(Ordering::Relaxed);
        let fate = if noted & 1 == 0 { Fate::Given } else { Fate::Refused };
        (noted & !1 == number).then_some(fate)
    }

    fn slot(&self, number: u64) -> Option<&AtomicU64> {
        let slots = u64::try_from(self.slots.len()).unwrap_or(u64::MAX);
        let place = (number >> 1).checked_rem(slots)?;
        self.slots.get(usize::try_from(place).ok()?)
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
}
