//! Which uses of a nonce have been accepted.

/// Remembers accepted nonce counts, in bounded space.
///
/// A table of sets of eight entries, addressed by the nonce's random number. An entry holds the highest
/// count and the 64 counts below it, so requests may overtake one another. Where a set is full, its oldest
/// nonce is dropped and its time noted: an unknown nonce of that age or older may have been used before, so
/// it is refused. Refusing costs an honest phone one round trip (`stale=true`).
#[derive(Debug, Clone)]
pub struct ReplayWindow {
    sets: Vec<Set>,
}

/// Nonces that share an address.
#[derive(Debug, Clone, Default)]
struct Set {
    entries: Vec<Entry>,
    /// Nonces made up to this time may have been dropped.
    dropped_until: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    id: u64,
    issued: i64,
    /// The highest count that was accepted.
    highest: u32,
    /// Bit n: the count `highest - n` was accepted.
    accepted: u64,
}

/// Entries of one set.
const WAYS: usize = 8;

impl ReplayWindow {
    /// Room for about this many nonces that are in use at one time; 24 octets each once used.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { sets: vec![Set::default(); capacity.div_ceil(WAYS).max(1)] }
    }

    /// Takes one use of a valid nonce; `false` when it was taken before or that cannot be known.
    pub fn accept(&mut self, id: u64, issued: i64, count: u32, now: i64, lifetime: i64) -> bool {
        let sets = u64::try_from(self.sets.len()).unwrap_or(u64::MAX);
        let index = usize::try_from(id.checked_rem(sets).unwrap_or(0)).unwrap_or(0);
        let Some(set) = self.sets.get_mut(index) else { return false };
        if let Some(entry) = set.entries.iter_mut().find(|e| e.id == id && e.issued == issued) {
            return entry.accept(count);
        }
        if set.dropped_until.is_some_and(|until| issued <= until) {
            return false;
        }
        set.entries.retain(|entry| now.saturating_sub(entry.issued) <= lifetime);
        set.make_room();
        set.entries.push(Entry { id, issued, highest: count, accepted: 1 });
        true
    }
}

impl Set {
    fn make_room(&mut self) {
        if self.entries.len() < WAYS {
            return;
        }
        let oldest = self.entries.iter().enumerate().min_by_key(|(_, entry)| entry.issued);
        if let Some((at, issued)) = oldest.map(|(at, entry)| (at, entry.issued)) {
            self.entries.swap_remove(at);
            self.dropped_until = self.dropped_until.max(Some(issued));
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
        let mut window = ReplayWindow::new(1);
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
        let mut window = ReplayWindow::new(1);
        for id in 0..8 {
            assert!(window.accept(id, 0, 1, 0, 1000));
        }
        assert!(window.accept(8, 1001, 1, 1001, 1000));
        assert!(window.accept(9, 500, 1, 1001, 1000));
    }
}
