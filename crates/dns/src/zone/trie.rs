//! A persistent map: a hash trie with 64-way branches, so that a copy costs one reference count and a change of one
//! entry copies the few branches above it.
//!
//! Keys are hashed with fixed keys: they come from zones, which are provisioned, never from queries. Keys whose
//! hashes agree in all bits that are used stand side by side in a list at the bottom.

use foldhash::quality::FixedState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;

/// Bits of the hash that one level uses.
const BITS: u32 = 6;
/// Levels that use bits of the hash; branches below them are lists.
const LEVELS: u32 = 10;

/// What knows its own key.
pub(crate) trait Keyed: Clone {
    /// The key; it never changes.
    fn key(&self) -> &[u8];

    /// Where keys stand in the trie.
    fn hash(key: &[u8]) -> u64 {
        let mut hasher = FixedState::with_seed(0).build_hasher();
        hasher.write(key);
        hasher.finish()
    }
}

/// A set of values, each under its own key.
#[derive(Debug, Clone)]
pub(crate) struct Trie<V> {
    root: Arc<Branch<V>>,
    length: usize,
}

#[derive(Debug, Clone)]
struct Branch<V> {
    /// Which of the 64 places are taken; unused in lists.
    taken: u64,
    /// The taken places in order; two words here rather than a vector's three, since there is a branch for every few names.
    slots: Box<[Slot<V>]>,
}

#[derive(Debug, Clone)]
enum Slot<V> {
    Value(V),
    Branch(Arc<Branch<V>>),
}

impl<V> Default for Branch<V> {
    fn default() -> Self {
        Self { taken: 0, slots: Box::default() }
    }
}

impl<V> Default for Trie<V> {
    fn default() -> Self {
        Self { root: Arc::default(), length: 0 }
    }
}

impl<V> Branch<V> {
    /// The bit of a hash at a level, and how many taken places lie before it.
    fn place(&self, hash: u64, level: u32) -> (u64, usize) {
        let bit = 1_u64 << ((hash >> (level * BITS)) & 63);
        // At most 63.
        let before = (self.taken & (bit - 1)).count_ones();
        (bit, usize::try_from(before).unwrap_or(0))
    }

    /// Changes the slots as a vector. Its room must be what it has in the end, or it is copied once more.
    fn edit(&mut self, edit: impl FnOnce(&mut Vec<Slot<V>>)) {
        let mut slots = std::mem::take(&mut self.slots).into_vec();
        edit(&mut slots);
        self.slots = slots.into_boxed_slice();
    }

    /// Puts a slot at a place, which is at most behind the last one.
    fn put(&mut self, at: usize, slot: Slot<V>) {
        self.edit(|slots| {
            slots.reserve_exact(1);
            slots.insert(at, slot);
        });
    }
}

impl<V: Keyed> Trie<V> {
    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// The value under a key.
    pub(crate) fn get(&self, key: &[u8]) -> Option<&V> {
        let hash = V::hash(key);
        let mut branch = &*self.root;
        for level in 0..LEVELS {
            let (bit, at) = branch.place(hash, level);
            if branch.taken & bit == 0 {
                return None;
            }
            match branch.slots.get(at)? {
                Slot::Value(value) => return (value.key() == key).then_some(value),
                Slot::Branch(below) => branch = below,
            }
        }
        branch.slots.iter().find_map(|slot| match slot {
            Slot::Value(value) if value.key() == key => Some(value),
            Slot::Value(_) | Slot::Branch(_) => None,
        })
    }

    /// A look-up of [`Self::get`] that goes on step by step.
    pub(crate) fn probe(&self, key: &[u8]) -> Probe<'_, V> {
        Probe { hash: V::hash(key), level: 0, at: Some(&self.root), value: None }
    }

    /// Puts a value under its key, in place of the one that was there.
    pub(crate) fn insert(&mut self, value: V) {
        let hash = V::hash(value.key());
        if insert(Arc::make_mut(&mut self.root), value, hash, 0) {
            self.length += 1;
        }
    }

    /// Changes the value under a key, but not the key; `false` when there is none.
    pub(crate) fn change(&mut self, key: &[u8], change: impl FnOnce(&mut V)) -> bool {
        // A miss must not copy anything.
        if self.get(key).is_none() {
            return false;
        }
        let hash = V::hash(key);
        let mut branch = Arc::make_mut(&mut self.root);
        for level in 0..LEVELS {
            let (_, at) = branch.place(hash, level);
            match branch.slots.get_mut(at) {
                None => return false,
                Some(Slot::Value(value)) => {
                    change(value);
                    return true;
                }
                Some(Slot::Branch(below)) => branch = Arc::make_mut(below),
            }
        }
        let found = branch.slots.iter_mut().find_map(|slot| match slot {
            Slot::Value(value) if value.key() == key => Some(value),
            Slot::Value(_) | Slot::Branch(_) => None,
        });
        found.map(change).is_some()
    }

    /// Removes the value under a key.
    pub(crate) fn remove(&mut self, key: &[u8]) {
        // A miss must not copy anything.
        if self.get(key).is_some() {
            remove(Arc::make_mut(&mut self.root), key, V::hash(key), 0);
            self.length -= 1;
        }
    }

    /// All values, in the order of their hashes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &V> {
        let mut stack = vec![self.root.slots.iter()];
        std::iter::from_fn(move || {
            loop {
                match stack.last_mut()?.next() {
                    Some(Slot::Value(value)) => return Some(value),
                    Some(Slot::Branch(branch)) => stack.push(branch.slots.iter()),
                    None => drop(stack.pop()),
                }
            }
        })
    }
}

/// A look-up whose steps can alternate with those of others, so that they wait for memory together and not one after the other.
#[derive(Debug)]
pub(crate) struct Probe<'t, V> {
    hash: u64,
    level: u32,
    at: Option<&'t Branch<V>>,
    value: Option<&'t V>,
}

impl<'t, V> Probe<'t, V> {
    /// Goes one level down; `false` when there is none further down.
    pub(crate) fn step(&mut self) -> bool {
        let Some(branch) = self.at.take() else { return false };
        let (bit, at) = branch.place(self.hash, self.level);
        if self.level >= LEVELS || branch.taken & bit == 0 {
            return false;
        }
        match branch.slots.get(at) {
            Some(Slot::Branch(below)) => {
                (self.at, self.level) = (Some(&**below), self.level + 1);
                true
            }
            Some(Slot::Value(value)) => {
                self.value = Some(value);
                false
            }
            None => false,
        }
    }

    /// The only value that can have the key, after the last step; it may have another one.
    pub(crate) const fn value(&self) -> Option<&'t V> {
        self.value
    }
}

/// Whether the key is new.
fn insert<V: Keyed>(branch: &mut Branch<V>, value: V, hash: u64, level: u32) -> bool {
    if level == LEVELS {
        let same = |slot: &&mut Slot<V>| matches!(slot, Slot::Value(v) if v.key() == value.key());
        if let Some(slot) = branch.slots.iter_mut().find(same) {
            *slot = Slot::Value(value);
            return false;
        }
        branch.put(branch.slots.len(), Slot::Value(value));
        return true;
    }
    let (bit, at) = branch.place(hash, level);
    if branch.taken & bit == 0 {
        branch.taken |= bit;
        branch.put(at, Slot::Value(value));
        return true;
    }
    let Some(slot) = branch.slots.get_mut(at) else { return false };
    match slot {
        Slot::Value(old) if old.key() == value.key() => {
            *old = value;
            false
        }
        Slot::Value(old) => {
            let mut below = Branch::default();
            let old_hash = V::hash(old.key());
            insert(&mut below, old.clone(), old_hash, level + 1);
            insert(&mut below, value, hash, level + 1);
            *slot = Slot::Branch(Arc::new(below));
            true
        }
        Slot::Branch(below) => insert(Arc::make_mut(below), value, hash, level + 1),
    }
}

fn remove<V: Keyed>(branch: &mut Branch<V>, key: &[u8], hash: u64, level: u32) {
    if level == LEVELS {
        let is_it = |slot: &Slot<V>| matches!(slot, Slot::Value(value) if value.key() == key);
        branch.edit(|slots| slots.retain(|slot| !is_it(slot)));
        return;
    }
    let (bit, at) = branch.place(hash, level);
    let Some(slot) = branch.slots.get_mut(at).filter(|_| branch.taken & bit != 0) else { return };
    let gone = match slot {
        Slot::Value(_) => true,
        Slot::Branch(below) => {
            let below = Arc::make_mut(below);
            remove(below, key, hash, level + 1);
            // A value that is alone moves up, so that the shape depends on the content only.
            if let [Slot::Value(last)] = &*below.slots {
                *slot = Slot::Value(last.clone());
                false
            } else {
                below.slots.is_empty()
            }
        }
    };
    if gone {
        branch.taken &= !bit;
        branch.edit(|slots| drop(slots.remove(at)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Pair(Arc<[u8]>, u32);

    impl Keyed for Pair {
        fn key(&self) -> &[u8] {
            &self.0
        }
    }

    fn pair(key: u32, value: u32) -> Pair {
        Pair(Arc::from(key.to_be_bytes()), value)
    }

    proptest! {
        #[test]
        fn is_a_map_whose_copies_stay(steps in prop::collection::vec((any::<bool>(), 0_u32..400, any::<u32>()), 0..600)) {
            let mut trie = Trie::default();
            let mut map = BTreeMap::new();
            let mut copies = Vec::new();
            for (i, (put, key, value)) in steps.into_iter().enumerate() {
                if i % 50 == 0 {
                    copies.push((trie.clone(), map.clone()));
                }
                if put {
                    trie.insert(pair(key, value));
                    map.insert(key, value);
                } else {
                    trie.remove(&key.to_be_bytes());
                    map.remove(&key);
                }
            }
            copies.push((trie, map));
            for (trie, map) in copies {
                prop_assert_eq!(trie.len(), map.len());
                for key in 0..400 {
                    let found = trie.get(&u32::to_be_bytes(key)).map(|pair| pair.1);
                    prop_assert_eq!(found, map.get(&key).copied());
                }
                prop_assert_eq!(trie.iter().count(), map.len());
            }
        }
    }

    #[test]
    fn probes_find_what_is_there() {
        let mut trie = Trie::default();
        for key in 0..5_000 {
            trie.insert(pair(key, key));
        }
        let mut depths = [0; 4];
        for key in 0..10_000_u32 {
            let key = key.to_be_bytes();
            let mut probe = trie.probe(&key);
            let steps = (0..).take_while(|_| probe.step()).count();
            depths[steps] += 1;
            let found = probe.value().filter(|value| value.key() == key);
            assert_eq!(found, trie.get(&key));
        }
        assert!(depths[1] > 0 && depths[2] > 0, "{depths:?}");
    }

    #[test]
    fn a_slot_is_two_words() {
        // Memory for a record depends on it.
        assert_eq!(size_of::<Slot<Arc<[u8]>>>(), 2 * size_of::<usize>());
    }

    #[derive(Debug, Clone)]
    struct Unlucky(u8);

    impl Keyed for Unlucky {
        fn key(&self) -> &[u8] {
            std::slice::from_ref(&self.0)
        }

        fn hash(_: &[u8]) -> u64 {
            42
        }
    }

    #[test]
    fn equal_hashes_stand_side_by_side() {
        let mut trie = Trie::default();
        for key in [0, 1, 2, 3, 3] {
            trie.insert(Unlucky(key));
        }
        trie.remove(&[2]);
        trie.remove(&[9]);
        let mut keys: Vec<u8> = trie.iter().map(|value| value.0).collect();
        keys.sort_unstable();
        assert_eq!((keys, trie.len()), (vec![0, 1, 3], 3));
        assert!(trie.get(&[3]).is_some() && trie.get(&[2]).is_none());
        for key in [0, 1, 3] {
            trie.remove(&[key]);
        }
        assert_eq!((trie.len(), trie.iter().count()), (0, 0));
    }

    #[test]
    fn a_change_copies_little() {
        let mut trie = Trie::default();
        for key in 0..100_000 {
            trie.insert(pair(key, key));
        }
        let mut changed = trie.clone();
        changed.insert(pair(7, 8));
        let shared = |a: &Branch<Pair>, b: &Branch<Pair>| {
            a.slots
                .iter()
                .zip(&b.slots)
                .filter(|(a, b)| matches!((a, b), (Slot::Branch(a), Slot::Branch(b)) if Arc::ptr_eq(a, b)))
                .count()
        };
        assert_eq!(shared(&trie.root, &changed.root), 63);
        assert_eq!(
            (
                trie.get(&7_u32.to_be_bytes()).unwrap().1,
                changed.get(&7_u32.to_be_bytes()).unwrap().1
            ),
            (7, 8)
        );
    }
}
