//! All bindings, in memory of their own.
//!
//! Bindings live for hours between requests that live for seconds. In pieces among those they would keep pages from
//! being given back that hold next to nothing else, so they are kept as octets in large blocks: [`slab`] has one place
//! for the bindings of an address, which a refresh overwrites, and an index of sorted blocks finds it.

mod octets;
mod slab;

use ngn_model::{Aor, Binding};
use octets::Reader;
use slab::{Place, Slab};

/// The addresses of one block of the index.
const BLOCK: usize = 256;

/// Bindings by address, in the order of addresses.
#[derive(Debug, Default)]
pub(super) struct Bound {
    /// No block is empty, and each begins behind the end of the one before.
    blocks: Vec<Vec<(Aor, Place)>>,
    slab: Slab,
    /// How many bindings there are.
    bindings: usize,
    /// What is about to be written.
    scratch: Vec<u8>,
}

/// The bindings of one address as they are kept.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    aor: &'a Aor,
    octets: &'a [u8],
}

impl<'a> Held<'a> {
    /// The address of record.
    #[must_use]
    pub const fn aor(&self) -> &'a Aor {
        self.aor
    }

    /// The bindings, one after the other.
    pub fn iter(&self) -> impl Iterator<Item = Binding> + use<'a> {
        let (aor, mut reader) = (self.aor, Reader::new(self.octets));
        std::iter::from_fn(move || reader.binding(aor))
    }

    /// When each of them ends, in milliseconds since 1970 UTC.
    pub fn ends(&self) -> impl Iterator<Item = i64> + use<'a> {
        let mut reader = Reader::new(self.octets);
        std::iter::from_fn(move || reader.end())
    }
}

impl Bound {
    /// How many bindings there are.
    pub(super) const fn len(&self) -> usize {
        self.bindings
    }

    /// Where an address is, or would be: the block and the place in it.
    fn find(&self, aor: &Aor) -> (usize, Result<usize, usize>) {
        let behind = self
            .blocks
            .partition_point(|block| block.first().is_some_and(|(first, _)| first <= aor));
        let at = behind.saturating_sub(1);
        let found = self
            .blocks
            .get(at)
            .map_or(Err(0), |block| block.binary_search_by(|(known, _)| known.cmp(aor)));
        (at, found)
    }

    fn place(&self, aor: &Aor) -> Option<&(Aor, Place)> {
        let (block, at) = self.find(aor);
        self.blocks.get(block)?.get(at.ok()?)
    }

    fn held<'a>(&'a self, (aor, place): &'a (Aor, Place)) -> Held<'a> {
        Held { aor, octets: self.slab.get(*place) }
    }

    /// The bindings of an address, in the order in which they came.
    pub(super) fn get(&self, aor: &Aor) -> Vec<Binding> {
        self.place(aor).map_or_else(Vec::new, |entry| self.held(entry).iter().collect())
    }

    /// The addresses behind one, all when there is none, with their bindings.
    pub(super) fn after(&self, aor: Option<&Aor>) -> impl Iterator<Item = Held<'_>> {
        let (block, at) = match aor.map(|aor| self.find(aor)) {
            None => (0, 0),
            Some((block, Ok(at))) => (block, at + 1),
            Some((block, Err(at))) => (block, at),
        };
        let rest = self.blocks.get(block).and_then(|block| block.get(at..)).unwrap_or_default();
        let others = self.blocks.get(block + 1..).unwrap_or_default();
        rest.iter().chain(others.iter().flatten()).map(|entry| self.held(entry))
    }

    /// Puts bindings in place of those that an address has. They overwrite them where they fit, which they do when
    /// little has changed.
    pub(super) fn set<'b>(&mut self, aor: &Aor, bindings: impl IntoIterator<Item = &'b Binding>) {
        self.scratch.clear();
        let mut count = 0;
        for binding in bindings {
            octets::write(&mut self.scratch, binding);
            count += 1;
        }
        let (block, at) = self.find(aor);
        let entry = at.ok().and_then(|at| self.blocks.get(block)?.get(at));
        let before = entry.map(|(_, place)| *place);
        let had = entry.map_or(0, |entry| self.held(entry).ends().count());
        self.bindings = self.bindings.saturating_sub(had).saturating_add(count);
        let place = match (before, count == 0) {
            (None, true) => return,
            (Some(place), true) => {
                self.slab.remove(place);
                return self.remove_entry(block, at.unwrap_or_default());
            }
            (before, false) => self.slab.put(before, &self.scratch),
        };
        match at {
            Ok(at) => {
                let entry = self.blocks.get_mut(block).and_then(|block| block.get_mut(at));
                if let Some((_, known)) = entry {
                    *known = place;
                }
            }
            Err(at) => self.insert_entry(block, at, (aor.clone(), place)),
        }
    }

    /// Adds a binding to those of its address, whose copies share `aor`.
    pub(super) fn push(&mut self, aor: &Aor, binding: Binding) {
        let mut bindings = self.get(aor);
        bindings.push(binding);
        self.set(aor, &bindings);
    }

    fn insert_entry(&mut self, block: usize, at: usize, entry: (Aor, Place)) {
        let Some(entries) = self.blocks.get_mut(block) else {
            let mut entries = Vec::with_capacity(BLOCK);
            entries.push(entry);
            return self.blocks.push(entries);
        };
        if entries.len() < BLOCK {
            return entries.insert(at, entry);
        }
        // Addresses that come in their order fill each block.
        let middle = if at == BLOCK { BLOCK } else { BLOCK / 2 };
        let mut behind = Vec::with_capacity(BLOCK);
        behind.extend(entries.drain(middle..));
        if at < middle {
            entries.insert(at, entry);
        } else {
            behind.insert(at - middle, entry);
        }
        self.blocks.insert(block + 1, behind);
    }

    fn remove_entry(&mut self, block: usize, at: usize) {
        let Some(entries) = self.blocks.get_mut(block).filter(|entries| at < entries.len()) else {
            return;
        };
        entries.remove(at);
        let left = entries.len();
        if left == 0 {
            self.blocks.remove(block);
        } else if left < BLOCK / 8
            && self.blocks.get(block + 1).is_some_and(|next| next.len() + left <= BLOCK / 4 * 3)
        {
            let next = self.blocks.remove(block + 1);
            if let Some(entries) = self.blocks.get_mut(block) {
                entries.extend(next);
            }
        }
    }

    /// Takes all out.
    pub(super) fn take(&mut self) -> Vec<(Aor, Vec<Binding>)> {
        let taken = std::mem::take(self);
        taken.after(None).map(|held| (held.aor().clone(), held.iter().collect())).collect()
    }

    /// Drops every binding that ended before `now`.
    pub(super) fn sweep(&mut self, now: i64) {
        let is_over = |held: &Held<'_>| held.ends().any(|end| end <= now);
        let over: Vec<Aor> =
            self.after(None).filter(is_over).map(|held| held.aor().clone()).collect();
        for aor in &over {
            let mut bindings = self.get(aor);
            bindings.retain(|binding| binding.expires_at > now);
            self.set(aor, &bindings);
        }
    }
}

#[cfg(test)]
mod tests;
