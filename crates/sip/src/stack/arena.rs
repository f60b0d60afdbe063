//! Slots with keys that are never used twice.

use super::finished::Rest;
use std::fmt;
use std::marker::PhantomData;

/// Finds a value in its [`Arena`]; finds nothing once that value is gone, whatever is in the slot then.
pub(super) struct Key<T> {
    slot: u32,
    generation: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// In eight octets.
    pub(super) const fn to_bytes(self) -> [u8; 8] {
        let ([a, b, c, d], [e, f, g, h]) = (self.slot.to_le_bytes(), self.generation.to_le_bytes());
        [a, b, c, d, e, f, g, h]
    }

    /// What [`to_bytes`](Self::to_bytes) wrote.
    pub(super) const fn from_bytes([a, b, c, d, e, f, g, h]: [u8; 8]) -> Self {
        let (slot, generation) = ([a, b, c, d], [e, f, g, h]);
        Self {
            slot: u32::from_le_bytes(slot),
            generation: u32::from_le_bytes(generation),
            of: PhantomData,
        }
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.slot, self.generation) == (other.slot, other.generation)
    }
}

impl<T> Eq for Key<T> {}

impl<T> PartialOrd for Key<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Key<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.slot, self.generation).cmp(&(other.slot, other.generation))
    }
}

impl<T> std::hash::Hash for Key<T> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.slot, self.generation).hash(state);
    }
}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}.{}", self.slot, self.generation)
    }
}

/// Where what is left of a value lies that is over, for whoever keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// In which log.
    pub(super) rest: Rest,
    /// In which entry of its block.
    pub(super) index: u16,
    /// In which block.
    pub(super) block: u32,
}

/// A slot; the generation counts its tenants.
enum Slot<T> {
    Free {
        generation: u32,
    },
    /// The value lies apart from the slot, so that slots that are free keep next to nothing of a burst.
    Live {
        generation: u32,
        value: Box<T>,
    },
    Finished {
        generation: u32,
        place: Place,
    },
}

impl<T> Slot<T> {
    const fn generation(&self) -> u32 {
        match self {
            Self::Free { generation }
            | Self::Live { generation, .. }
            | Self::Finished { generation, .. } => *generation,
        }
    }
}

/// The slots.
pub(super) struct Arena<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    /// How many slots have a value.
    live: usize,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), live: 0 }
    }
}

impl<T> Arena<T> {
    pub(super) fn insert(&mut self, value: T) -> Key<T> {
        self.live += 1;
        let value = Box::new(value);
        if let Some(slot) = self.free.pop()
            && let Some(place) = self.slots.get_mut(slot as usize)
        {
            let generation = place.generation();
            *place = Slot::Live { generation, value };
            return Key { slot, generation, of: PhantomData };
        }
        let slot = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(Slot::Live { generation: 0, value });
        Key { slot, generation: 0, of: PhantomData }
    }

    /// The value, as long as it is not over.
    pub(super) fn get(&self, key: Key<T>) -> Option<&T> {
        match self.slots.get(key.slot as usize)? {
            Slot::Live { generation, value } if *generation == key.generation => Some(value),
            _ => None,
        }
    }

    pub(super) fn get_mut(&mut self, key: Key<T>) -> Option<&mut T> {
        match self.slots.get_mut(key.slot as usize)? {
            Slot::Live { generation, value } if *generation == key.generation => Some(value),
            _ => None,
        }
    }

    /// Where what is left of the value lies, when it is over.
    pub(super) fn place(&self, key: Key<T>) -> Option<Place> {
        match self.slots.get(key.slot as usize)? {
            Slot::Finished { generation, place } if *generation == key.generation => Some(*place),
            _ => None,
        }
    }

    /// Whether there is the value, or something that is left of it.
    pub(super) fn has(&self, key: Key<T>) -> bool {
        self.slots.get(key.slot as usize).is_some_and(|slot| {
            !matches!(slot, Slot::Free { .. }) && slot.generation() == key.generation
        })
    }

    /// Takes the value out and writes in its slot where what is left of it lies. The key stays good.
    pub(super) fn finish(&mut self, key: Key<T>, place: Place) -> Option<Box<T>> {
        self.get(key)?;
        let slot = self.slots.get_mut(key.slot as usize)?;
        let finished = Slot::Finished { generation: key.generation, place };
        let Slot::Live { value, .. } = std::mem::replace(slot, finished) else { return None };
        self.live -= 1;
        Some(value)
    }

    /// Frees the slot. What was in it comes back, unless it was over.
    pub(super) fn remove(&mut self, key: Key<T>) -> Option<T> {
        if !self.has(key) {
            return None;
        }
        let slot = self.slots.get_mut(key.slot as usize)?;
        let free = Slot::Free { generation: key.generation.wrapping_add(1) };
        let before = std::mem::replace(slot, free);
        self.free.push(key.slot);
        let Slot::Live { value, .. } = before else { return None };
        self.live -= 1;
        Some(*value)
    }

    /// How many there are, those included that are over.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// How many there are that are not over.
    pub(super) const fn live(&self) -> usize {
        self.live
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_find_the_next_tenant() {
        let mut arena = Arena::default();
        let a = arena.insert("a");
        let b = arena.insert("b");
        assert_eq!((arena.get(a), arena.get(b), arena.len()), (Some(&"a"), Some(&"b"), 2));
        assert_eq!(arena.remove(a), Some("a"));
        assert_eq!(arena.remove(a), None);
        let c = arena.insert("c");
        assert_eq!((arena.get(a), arena.get(c), arena.len()), (None, Some(&"c"), 2));
        assert_eq!(c.slot, a.slot, "the slot is used again");
    }

    #[test]
    fn a_key_finds_what_is_left_until_it_is_removed() {
        let mut arena = Arena::default();
        let (a, b) = (arena.insert("a"), arena.insert("b"));
        let place = Place { rest: Rest::Completed, index: 3, block: 7 };
        assert_eq!((arena.place(a), arena.has(a)), (None, true));
        assert_eq!(arena.finish(a, place), Some(Box::new("a")));
        assert_eq!((arena.get(a), arena.place(a), arena.has(a)), (None, Some(place), true));
        assert_eq!((arena.len(), arena.live()), (2, 1));
        assert_eq!(arena.finish(a, place), None);
        assert_eq!(arena.remove(a), None, "the value is gone already");
        assert_eq!((arena.place(a), arena.has(a), arena.len(), arena.live()), (None, false, 1, 1));
        let c = arena.insert("c");
        assert_eq!((c.slot, arena.place(a), arena.has(a)), (a.slot, None, false));
        assert_eq!(arena.finish(a, place), None);
        assert_eq!(arena.get(c), Some(&"c"));
        assert_eq!(arena.remove(b), Some("b"));
        assert_eq!((arena.len(), arena.live()), (1, 1));
    }

    #[test]
    fn a_slot_is_small() {
        assert_eq!(std::mem::size_of::<Slot<[u64; 50]>>(), 16);
    }
}
