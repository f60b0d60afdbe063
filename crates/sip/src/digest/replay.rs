//! Which uses of a nonce have been accepted.

use std::collections::{BTreeMap, HashMap};

/// Nonces are kept together whose times lie within such a part of their lifetime.
const PARTS: i64 = 32;

/// Remembers accepted nonce counts, in bounded space.
///
/// Of each nonce it holds the highest count and the 64 counts below it, so requests may overtake one another. Nonces that
/// were made at about the same time lie together and are forgotten together when the last of them has ended. Where there
/// are too many, the oldest are dropped and their time noted: an unknown nonce of that age or older may have been used
/// before, so it is refused. Refusing costs an honest phone one round trip (`stale=true`).
///
/// There are few pieces of memory, and large ones: what is small and is kept for minutes would hold the pages that it
/// shares with what lives for seconds.
#[derive(Debug, Clone)]
pub struct ReplayWindow {
    /// By their times, in parts of the lifetime.
    parts: BTreeMap<i64, Part>,
    /// How many milliseconds a part has; 0 at first.
    part_length: i64,
    length: usize,
    capacity: usize,
    /// Nonces made up to this time may have been dropped.
    dropped_until: Option<i64>,
}

/// Nonces by a number made of their random one and their time. Should two have the same in centuries, the second one is
/// refused.
type Part = HashMap<u64, Entry>;

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// The highest count that was accepted.
    highest: u32,
    /// Bit n: the count `highest - n` was accepted.
    accepted: u64,
}

impl ReplayWindow {
    /// Room for this many nonces that are in use at one time; 25 octets each, in tables that are half empty at worst.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let parts = BTreeMap::new();
        Self { parts, part_length: 0, length: 0, capacity: capacity.max(1), dropped_until: None }
    }

    /// Takes one use of a valid nonce; `false` when it was taken before or that cannot be known. All times are in
    /// milliseconds. Should `lifetime` change, all nonces have to be made anew.
    pub fn accept(&mut self, id: u64, issued: i64, count: u32, now: i64, lifetime: i64) -> bool {
        self.set_lifetime(now, lifetime);
        let length = self.part_length;
        let part = issued.div_euclid(length);
        let key = id ^ issued.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        if let Some(entry) = self.parts.get_mut(&part).and_then(|nonces| nonces.get_mut(&key)) {
            return entry.accept(count);
        }
        if self.dropped_until.is_some_and(|until| issued <= until) {
            return false;
        }
        self.forget(now, lifetime);
        while self.length >= self.capacity {
            let Some((oldest, nonces)) = self.parts.pop_first() else { break };
            self.length = self.length.saturating_sub(nonces.len());
            let last = oldest.saturating_add(1).saturating_mul(length).saturating_sub(1);
            self.dropped_until = self.dropped_until.max(Some(last.min(now)));
        }
        if self.dropped_until.is_some_and(|until| issued <= until) {
            return false;
        }
        self.length += 1;
        let entry = Entry { highest: count, accepted: 1 };
        self.parts.entry(part).or_default().insert(key, entry);
        true
    }

    fn set_lifetime(&mut self, now: i64, lifetime: i64) {
        let length = (lifetime / PARTS).max(1);
        if self.part_length != length {
            if !self.parts.is_empty() {
                self.parts.clear();
                self.dropped_until = self.dropped_until.max(Some(now));
            }
            (self.part_length, self.length) = (length, 0);
        }
    }

    /// Forgets nonces that have ended; to be called now and then.
    pub fn forget(&mut self, now: i64, lifetime: i64) {
        self.set_lifetime(now, lifetime);
        let length = self.part_length;
        // The last that may be in a part ends so much later than the first.
        let over = now.saturating_sub(lifetime).div_euclid(length);
        while let Some(first) = self.parts.first_entry()
            && *first.key() < over
        {
            self.length = self.length.saturating_sub(first.remove().len());
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
        let at = |id: u64| 100 + 100 * i64::try_from(id).expect("small");
        for id in 0..8 {
            assert!(window.accept(id, at(id), 1, 900, 1000));
        }
        // The ninth nonce pushes the oldest one (made at 100) out; nothing of that age is taken any more.
        assert!(window.accept(8, 850, 1, 900, 1000));
        assert!(!window.accept(0, at(0), 2, 900, 1000));
        assert!(!window.accept(9, at(0), 1, 900, 1000));
        assert!(window.accept(1, at(1), 2, 900, 1000));
        assert!(!window.accept(1, at(1), 2, 900, 1000));
    }

    #[test]
    fn many_of_one_moment_cost_those_on_their_way_one_more_round_trip() {
        let mut window = ReplayWindow::new(8);
        for id in 0..8 {
            assert!(window.accept(id, 1000, 1, 1001, 1000));
        }
        assert!(!window.accept(8, 1000, 1, 1002, 1000), "it may have been used before");
        assert!(window.accept(9, 1003, 1, 1004, 1000), "made since");
        assert!(!window.accept(9, 1003, 1, 1004, 1000));
    }

    #[test]
    fn ended_nonces_make_room() {
        let mut window = ReplayWindow::new(8);
        for id in 0..8 {
            assert!(window.accept(id, 0, 1, 0, 1000));
        }
        assert!(window.accept(8, 1001, 1, 1001, 1000));
        assert!(window.accept(9, 500, 1, 1001, 1000));
        assert_eq!(window.length, 2);
    }

    #[test]
    fn nothing_is_kept_of_nonces_that_have_ended() {
        let mut window = ReplayWindow::new(200_000);
        for id in 0..50_000 {
            assert!(window.accept(id, i64::try_from(id).expect("small"), 1, 50_000, 100_000));
        }
        assert_eq!(window.length, 50_000);
        window.forget(100_000 + 49_989, 100_000);
        let held: usize = window.parts.values().map(HashMap::len).sum();
        assert!((11..=100_000 / 32).contains(&held), "{held}");
        assert_eq!((window.length, window.parts.len()), (held, 1));
        assert!(!window.accept(49_990, 49_990, 1, 149_990, 100_000), "it is still known");
        assert!(window.accept(49_990, 49_990, 2, 149_990, 100_000));
        window.forget(300_000, 100_000);
        assert_eq!((window.length, window.parts.len()), (0, 0));
    }

    #[test]
    fn another_lifetime_lets_nothing_be_used_twice() {
        let mut window = ReplayWindow::new(8);
        assert!(window.accept(1, 1000, 1, 1001, 1000));
        assert!(!window.accept(1, 1000, 1, 1001, 2000));
        assert!(window.accept(2, 1002, 1, 1003, 2000));
    }
}
