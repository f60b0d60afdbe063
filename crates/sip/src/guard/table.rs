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
#[derive(Debug)]
pub(super) struct Table<K, V> {
    sets: Vec<Vec<(K, V)>>,
    hasher: RandomState,
    length: usize,
    /// Where there is no set; there always is one.
    spare: V,
}

impl<K: Hash + Eq, V: Keep + Default> Table<K, V> {
    /// Room for about so many; memory is taken when it is needed.
    pub(super) fn new(capacity: usize) -> Self {
        let mut sets = Vec::new();
        sets.resize_with(capacity.div_ceil(WAYS).max(1), Vec::new);
        Self { sets, hasher: RandomState::new(), length: 0, spare: V::default() }
    }

    /// A number for a text, that nobody can foresee.
    pub(super) fn hash(&self, text: &str) -> u64 {
        self.hasher.hash_one(text)
    }

    pub(super) const fn len(&self) -> usize {
        self.length
    }

    fn place(&self, key: &K) -> usize {
        let sets = u64::try_from(self.sets.len()).unwrap_or(u64::MAX);
        let place = self.hasher.hash_one(key).checked_rem(sets).unwrap_or(0);
        usize::try_from(place).unwrap_or(0)
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        let set = self.sets.get(self.place(key))?;
        set.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// The entry of a key, if there is one.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let place = self.place(key);
        let set = self.sets.get_mut(place)?;
        set.iter_mut().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// The entry of a key, made when there is none.
    pub(super) fn entry(&mut self, key: K) -> &mut V {
        let place = self.place(&key);
        let Some(set) = self.sets.get_mut(place) else { return &mut self.spare };
        let at = match set.iter().position(|(known, _)| *known == key) {
            Some(at) => at,
            None => {
                if set.len() < WAYS {
                    self.length += 1;
                } else {
                    let least = set.iter().enumerate().min_by_key(|(_, (_, value))| value.keep());
                    if let Some(at) = least.map(|(at, _)| at) {
                        set.swap_remove(at);
                    }
                }
                set.push((key, V::default()));
                set.len() - 1
            }
        };
        set.get_mut(at).map_or(&mut self.spare, |(_, value)| value)
    }
}
