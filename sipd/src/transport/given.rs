//! Which new requests the engine has, so that one that comes again is not refused while it is served.

use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many are remembered at most: those of half a minute, the life of a transaction, at 2,000 in a second.
const SLOTS: usize = 65_536;
/// So many octets of a request tell it from others of its sender: its start line, and the first Via with its branch.
const BEGINNING: usize = 300;

/// New requests that were handed over lately. Later ones take the places of earlier ones.
#[derive(Debug)]
pub(super) struct Given {
    hasher: RandomState,
    slots: Box<[AtomicU64]>,
}

impl Given {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            slots: std::iter::repeat_with(AtomicU64::default).take(SLOTS).collect(),
        }
    }

    /// What a request and its retransmissions have in common, and no other request.
    pub(super) fn number(&self, remote: SocketAddr, octets: &[u8]) -> u64 {
        let beginning = octets.get(..BEGINNING).unwrap_or(octets);
        // 0 is the number of nothing.
        self.hasher.hash_one((remote, beginning)).max(1)
    }

    pub(super) fn note(&self, number: u64) {
        if let Some(slot) = self.slot(number) {
            slot.store(number, Ordering::Relaxed);
        }
    }

    pub(super) fn has(&self, number: u64) -> bool {
        self.slot(number).is_some_and(|slot| slot.load(Ordering::Relaxed) == number)
    }

    fn slot(&self, number: u64) -> Option<&AtomicU64> {
        let slots = u64::try_from(self.slots.len()).unwrap_or(u64::MAX);
        let place = number.checked_rem(slots)?;
        self.slots.get(usize::try_from(place).ok()?)
    }
}
