//! A table that never grows beyond its size.

use crate::transaction::Moment;
use std::hash::{BuildHasher as _, Hash, RandomState};

/// Entries that may stand at one place.
const WAYS: usize = 8;

/// Until when an entry is worth its place.
pub(super) trait Keep {
    fn keep(&self) -> Moment;
}

/// Sets of eight entries, addressed by a hash that nobody can foresee. Where a set is full, the entry gives way that is
/// worth least.
///
/// Entries lie side by side whatever set they are in: in pieces, those that stay for hours would hold the memory of
/// what lives for seconds around them.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    /// The numbers of a set's entries, counted from 1; 0 where there is none.
    sets: Vec<[u32; WAYS]>,
    entries: Vec<(K, V)>,
    hasher: RandomState,
    /// Where there is no set; there always is one.
    spare: V,
}

impl<K: Hash + Eq, V: Keep + Default> Table<K, V> {
    /// Room for about so many; memory is taken when it is needed.
    pub(super) fn new(capacity: usize) -> Self {
        let sets = vec![[0; WAYS]; capacity.div_ceil(WAYS).max(1)];
        Self { sets, entries: Vec::new(), hasher: RandomState::new(), spare: V::default() }
    }

    /// A number for a text, that nobody can foresee.
    pub(super) fn hash(&self, text: &str) -> u64 {
        self.hasher.hash_one(text)
    }

    pub(super) const fn len(&self) -> usize {
        self.entries.len()
    }

    fn place(&self, key: &K) -> usize {
        let sets = u64::try_from(self.sets.len()).unwrap_or(u64::MAX);
        let place = self.hasher.hash_one(key).checked_rem(sets).unwrap_or(0);
        usize::try_from(place).unwrap_or(0)
    }

    /// The places of a set's entries.
    fn at(set: &[u32; WAYS]) -> impl Iterator<Item = usize> {
        set.iter().filter_map(|number| usize::try_from(number.checked_sub(1)?).ok())
    }

    fn find(&self, set: &[u32; WAYS], key: &K) -> Option<usize> {
        Self::at(set).find(|at| self.entries.get(*at).is_some_and(|(known, _)| known == key))
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        let at = self.find(self.sets.get(self.place(key))?, key)?;
        self.entries.get(at).map(|(_, value)| value)
    }

    /// The entry of a key, if there is one.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = self.find(self.sets.get(self.place(key))?, key)?;
        self.entries.get_mut(at).map(|(_, value)| value)
    }

    /// The entry of a key, made when there is none.
    pub(super) fn entry(&mut self, key: K) -> &mut V {
        let place = self.place(&key);
        let set = self.sets.get(place).copied().unwrap_or_default();
        let at = match self.find(&set, &key) {
            Some(at) => at,
            None => self.make(place, &set, key),
        };
        self.entries.get_mut(at).map_or(&mut self.spare, |(_, value)| value)
    }

    /// Makes an entry, in the place of another one when the set is full.
    fn make(&mut self, place: usize, set: &[u32; WAYS], key: K) -> usize {
        let new = (key, V::default());
        let last = self.entries.len();
        let number = u32::try_from(last + 1).unwrap_or(0);
        let free = self.sets.get_mut(place).and_then(|set| set.iter_mut().find(|one| **one == 0));
        if let Some(free) = free {
            *free = number;
            self.entries.push(new);
            return last;
        }
        let worth = |at: &usize| self.entries.get(*at).map(|(_, value)| value.keep());
        let least = Self::at(set).min_by_key(worth).unwrap_or(last);
        if let Some(entry) = self.entries.get_mut(least) {
            *entry = new;
        }
        least
    }
}
