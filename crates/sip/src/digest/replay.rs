//! Which uses of a nonce have been accepted.

use crate::room::GiveBack as _;
use std::collections::{HashMap, VecDeque};

/// Remembers accepted nonce counts, in bounded space.
///
/// Of each nonce it holds the highest count and the 64 counts below it, so requests may overtake one another. Nonces that
/// have ended are forgotten. Where there are too many, the one that was first used first is dropped and its time noted: an
/// unknown nonce of that age or older may have been used before, so it is refused. Refusing costs an honest phone one
/// round trip (`stale=true`).
///
/// All of it lies in two large pieces of memory, since what is small and is kept for minutes would hold the pages that
/// it shares with what lives for seconds.
#[derive(Debug, Clone)]
pub struct ReplayWindow {
    entries: HashMap<Nonce, Entry>,
    /// The same nonces, as they were first used.
    order: VecDeque<Nonce>,
    capacity: usize,
    /// Nonces made up to this time may have been dropped.
    dropped_until: Option<i64>,
}

/// When a nonce was made, and its random number.
type Nonce = (i64, u64);

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// The highest count that was accepted.
    highest: u32,
    /// Bit n: the count `highest - n` was accepted.
    accepted: u64,
}

impl ReplayWindow {
    /// Room for this many nonces that are in use at one time; 48 octets each, in tables that are half empty at worst.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let (entries, order) = (HashMap::new(), VecDeque::new());
        Self { entries, order, capacity: capacity.max(1), dropped_until: None }
    }

    /// Takes one use of a valid nonce; `false` when it was taken before or that cannot be known.
    pub fn accept(&mut self, id: u64, issued: i64, count: u32, now: i64, lifetime: i64) -> bool {
        if let Some(entry) = self.entries.get_mut(&(issued, id)) {
            return entry.accept(count);
        }
        if self.dropped_until.is_some_and(|until| issued <= until) {
            return false;
        }
        self.drop_ended(now, lifetime);
        while self.order.len() >= self.capacity {
            let Some(oldest) = self.order.pop_front() else { break };
            self.entries.remove(&oldest);
            self.dropped_until = self.dropped_until.max(Some(oldest.0));
        }
        self.order.push_back((issued, id));
        self.entries.insert((issued, id), Entry { highest: count, accepted: 1 });
        true
    }

    /// Forgets nonces that have ended, and gives back the room that they took; to be called now and then.
    pub fn forget(&mut self, now: i64, lifetime: i64) {
        self.drop_ended(now, lifetime);
        self.entries.give_back();
        self.order.give_back();
    }

    /// They are valid no more, and so need not be known.
    fn drop_ended(&mut self, now: i64, lifetime: i64) {
        while let Some(first) = self.order.front()
            && now.saturating_sub(first.0) > lifetime
        {
            self.entries.remove(first);
            self.order.pop_front();
        }
    }
}

impl Entry {
    fn accept(&mut self, count: u32) -> bool {
        if count > self.highest {
            let step = count - self.highest;
            self.accepted = self.accepted.checked_shl(step).unwrap_or(0) | 1;
            self.highest = count;
            return true;
        }
        let bit = 1_u64.checked_shl(self.highest - count).unwrap_or(0);
        let is_new = bit != 0 && self.accepted & bit == 0;
        self.accepted |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_each_count_once() {
        let mut window = ReplayWindow::new(8);
        let mut accept = |count| window.accept(5, 0, count, 0, 1000);
        for (count, taken) in [
            (3, true),
            (3, false),
            (1, true),
            (1, false),
            (2, true),
            (4, true),
            (4, false),
            (67, true),
            (4, false),
            (3, false),
            (66, true),
            (1000, true),
            (67, false),
            (937, true),
            (936, false),
            (u32::MAX, true),
            (u32::MAX, false),
            (1000, false),
        ] {
            assert_eq!(accept(count), taken, "{count}");
        }
    }

    #[test]
    fn refuses_what_it_may_have_forgotten() {
        let mut window = ReplayWindow::new(8);
        for id in 0..8 {
            assert!(window.accept(id, 100 + i64::try_from(id).expect("small"), 1, 200, 1000));
        }
        // The ninth nonce pushes the oldest one (made at 100) out; nothing of that age is taken any more.
        assert!(window.accept(8, 150, 1, 200, 1000));
        assert!(!window.accept(0, 100, 2, 200, 1000));
        assert!(!window.accept(9, 100, 1, 200, 1000));
        assert!(window.accept(1, 101, 2, 200, 1000));
    }

    #[test]
    fn ended_nonces_make_room() {
        let mut window = ReplayWindow::new(8);
        for id in 0..8 {
            assert!(window.accept(id, 0, 1, 0, 1000));
        }
        assert!(window.accept(8, 1001, 1, 1001, 1000));
        assert!(window.accept(9, 500, 1, 1001, 1000));
        assert_eq!(window.entries.len(), 2);
    }

    #[test]
    fn nothing_is_kept_of_nonces_that_have_ended() {
        let mut window = ReplayWindow::new(200_000);
        for id in 0..50_000 {
            assert!(window.accept(id, i64::try_from(id).expect("small"), 1, 50_000, 100_000));
        }
        window.forget(100_000 + 49_989, 100_000);
        assert_eq!((window.entries.len(), window.order.len()), (11, 11));
        assert!(window.entries.capacity() < 100 && window.order.capacity() < 100);
        assert!(!window.accept(49_990, 49_990, 1, 149_990, 100_000), "it is still known");
        assert!(window.accept(49_990, 49_990, 2, 149_990, 100_000));
    }
}
