//! Room that only a burst needed.

use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};

/// What has less room than this keeps it.
const SMALL: usize = 4096;

/// Collections whose room grows with a burst and stays.
pub trait GiveBack {
    /// Gives room back when less than a quarter of it is used. As much again as there is may come before it has to grow.
    /// To be called now and then, from where nothing waits: what is kept is moved.
    fn give_back(&mut self);
}

fn enough(used: usize, room: usize) -> Option<usize> {
    (room > SMALL && room / 4 > used).then_some(used * 2)
}

impl<K: Hash + Eq, V, S: BuildHasher> GiveBack for HashMap<K, V, S> {
    fn give_back(&mut self) {
        if let Some(room) = enough(self.len(), self.capacity()) {
            self.shrink_to(room);
        }
    }
}

impl<T: Hash + Eq, S: BuildHasher> GiveBack for HashSet<T, S> {
    fn give_back(&mut self) {
        if let Some(room) = enough(self.len(), self.capacity()) {
            self.shrink_to(room);
        }
    }
}

impl<T> GiveBack for VecDeque<T> {
    fn give_back(&mut self) {
        if let Some(room) = enough(self.len(), self.capacity()) {
            self.shrink_to(room);
        }
    }
}

impl<T: Ord> GiveBack for BinaryHeap<T> {
    fn give_back(&mut self) {
        if let Some(room) = enough(self.len(), self.capacity()) {
            self.shrink_to(room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills to 10,000, and leaves so many.
    fn burst<C: Extend<u32> + GiveBack>(
        mut all: C,
        leave: usize,
        take: impl Fn(&mut C, usize),
        room: impl Fn(&C) -> usize,
    ) -> (usize, usize) {
        all.extend(0..10_000);
        take(&mut all, leave);
        let before = room(&all);
        all.give_back();
        (before, room(&all))
    }

    #[test]
    fn what_is_mostly_empty_is_made_smaller() {
        for (leave, gives) in [(10, true), (1_000, true), (6_000, false), (10_000, false)] {
            let rooms = [
                burst(VecDeque::new(), leave, |all, leave| all.truncate(leave), VecDeque::capacity),
                burst(
                    BinaryHeap::new(),
                    leave,
                    |all, leave| all.retain(|one| usize::try_from(*one).is_ok_and(|n| n < leave)),
                    BinaryHeap::capacity,
                ),
                burst(
                    HashSet::new(),
                    leave,
                    |all, leave| all.retain(|one| usize::try_from(*one).is_ok_and(|n| n < leave)),
                    HashSet::capacity,
                ),
            ];
            for (before, after) in rooms {
                assert!(before >= 10_000 && after >= leave);
                assert_eq!(after < before, gives, "{leave}: {before} to {after}");
                assert!(!gives || after < leave * 4 + 100, "{leave}: {before} to {after}");
            }
        }
    }

    #[test]
    fn what_is_small_stays() {
        let mut all: HashMap<u32, u32> = (0..3_000).map(|n| (n, n)).collect();
        let room = all.capacity();
        all.clear();
        all.give_back();
        assert_eq!(all.capacity(), room);
    }
}
