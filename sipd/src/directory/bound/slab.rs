//! Octets in places of a few sizes, in chunks that nothing else lies in.

use std::collections::BTreeSet;

/// Places are this long, or a multiple of it.
const STEP: usize = 32;
/// So many sizes of places there are; what is longer has memory of its own.
const SIZES: usize = 63;
/// About so many octets a chunk has.
const CHUNK: usize = 32 * 1024;

/// Where octets are: in the lowest six bits their length in steps, 0 for those that have memory of their own; above
/// them the number of the place among those of its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(u32);

impl Place {
    const fn new(size: u32, number: u32) -> Self {
        Self(number << 6 | size)
    }

    fn size(self) -> usize {
        usize::try_from(self.0 & 63).unwrap_or(0)
    }

    fn number(self) -> usize {
        usize::try_from(self.0 >> 6).unwrap_or(0)
    }
}

/// The places.
#[derive(Debug, Default)]
pub(super) struct Slab {
    /// By their sizes: the first are one step long.
    sizes: Vec<Size>,
    large: Vec<Box<[u8]>>,
    /// Those of `large` that are empty.
    free: Vec<u32>,
}

/// Places of one size.
#[derive(Debug, Default)]
struct Size {
    chunks: Vec<Chunk>,
    /// Chunks in which there is room. The first is filled first, so that the last become empty.
    open: BTreeSet<usize>,
}

/// Some places.
#[derive(Debug, Default)]
struct Chunk {
    /// As long as the places that were ever used.
    octets: Vec<u8>,
    free: Vec<u16>,
}

impl Slab {
    /// What is at a place, zeros behind it perhaps.
    pub(super) fn get(&self, place: Place) -> &[u8] {
        let found = match place.size() {
            0 => self.large.get(place.number()).map(|octets| &**octets),
            size => self.sizes.get(size - 1).and_then(|one| one.get(size, place.number())),
        };
        found.unwrap_or_default()
    }

    /// Puts octets at the place that others had, when they need one of its size; else at another one.
    pub(super) fn put(&mut self, before: Option<Place>, octets: &[u8]) -> Place {
        let size = octets.len().div_ceil(STEP).max(1);
        let size = if size > SIZES { 0 } else { size };
        let place = match before {
            Some(place) if place.size() == size && size > 0 => place,
            _ => {
                if let Some(place) = before {
                    self.remove(place);
                }
                self.add(size)
            }
        };
        match size {
            0 => {
                if let Some(own) = self.large.get_mut(place.number()) {
                    *own = octets.into();
                }
            }
            _ => {
                let one = self.sizes.get_mut(size - 1);
                if let Some(own) = one.and_then(|one| one.get_mut(size, place.number()))
                    && let Some((used, rest)) = own.split_at_mut_checked(octets.len())
                {
                    used.copy_from_slice(octets);
                    rest.fill(0);
                }
            }
        }
        place
    }

    /// Lets a place be used by others.
    pub(super) fn remove(&mut self, place: Place) {
        match place.size() {
            0 => {
                if let Some(own) = self.large.get_mut(place.number()) {
                    *own = Box::default();
                    self.free.push(u32::try_from(place.number()).unwrap_or(0));
                }
            }
            size => {
                if let Some(one) = self.sizes.get_mut(size - 1) {
                    one.remove(size, place.number());
                }
            }
        }
    }

    fn add(&mut self, size: usize) -> Place {
        if size == 0 {
            let number = self.free.pop().unwrap_or_else(|| {
                self.large.push(Box::default());
                u32::try_from(self.large.len() - 1).unwrap_or(u32::MAX)
            });
            return Place::new(0, number);
        }
        if self.sizes.len() < size {
            self.sizes.resize_with(size, Size::default);
        }
        let number = self.sizes.get_mut(size - 1).map_or(0, |one| one.add(size));
        Place::new(u32::try_from(size).unwrap_or(0), u32::try_from(number).unwrap_or(u32::MAX))
    }
}

/// How many places a chunk has.
const fn places(size: usize) -> usize {
    CHUNK / (size * STEP)
}

impl Size {
    fn get(&self, size: usize, number: usize) -> Option<&[u8]> {
        let (length, at) = (size * STEP, number % places(size));
        self.chunks.get(number / places(size))?.octets.get(at * length..(at + 1) * length)
    }

    fn get_mut(&mut self, size: usize, number: usize) -> Option<&mut [u8]> {
        let (length, at) = (size * STEP, number % places(size));
        let chunk = self.chunks.get_mut(number / places(size))?;
        chunk.octets.get_mut(at * length..(at + 1) * length)
    }

    fn add(&mut self, size: usize) -> usize {
        let (length, most) = (size * STEP, places(size));
        let first = self.open.first().copied();
        let number = first.unwrap_or_else(|| {
            self.chunks.push(Chunk::default());
            self.open.insert(self.chunks.len() - 1);
            self.chunks.len() - 1
        });
        let Some(chunk) = self.chunks.get_mut(number) else { return 0 };
        let at = match chunk.free.pop() {
            Some(at) => usize::from(at),
            None => {
                if chunk.octets.capacity() == 0 {
                    chunk.octets.reserve_exact(most * length);
                }
                chunk.octets.resize(chunk.octets.len() + length, 0);
                chunk.octets.len() / length - 1
            }
        };
        if chunk.free.is_empty() && chunk.octets.len() >= most * length {
            self.open.remove(&number);
        }
        number * most + at
    }

    fn remove(&mut self, size: usize, number: usize) {
        let most = places(size);
        let (at, number) = (number % most, number / most);
        let Some(chunk) = self.chunks.get_mut(number) else { return };
        chunk.free.push(u16::try_from(at).unwrap_or(0));
        if chunk.free.len() * size * STEP >= chunk.octets.len() {
            *chunk = Chunk::default();
        }
        self.open.insert(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_found_until_it_is_removed() {
        let mut slab = Slab::default();
        let of = |number: usize| {
            vec![u8::try_from(number % 251).unwrap_or(0) + 1; number * 7 % 2_500 + 1]
        };
        let places: Vec<Place> = (0..2_000).map(|number| slab.put(None, &of(number))).collect();
        for (number, place) in places.iter().enumerate() {
            assert!(slab.get(*place).starts_with(&of(number)), "{number}");
            assert!(slab.get(*place).iter().skip(of(number).len()).all(|octet| *octet == 0));
        }
        for place in places.iter().step_by(2) {
            slab.remove(*place);
        }
        let again: Vec<Place> = (0..1_000).map(|number| slab.put(None, &of(number))).collect();
        for (number, place) in again.iter().enumerate() {
            assert!(slab.get(*place).starts_with(&of(number)), "{number}");
            assert!(!places.iter().skip(1).step_by(2).any(|other| other == place), "{number}");
        }
        for (number, place) in places.iter().enumerate().skip(1).step_by(2) {
            assert!(slab.get(*place).starts_with(&of(number)), "{number}");
        }
    }

    #[test]
    fn what_changes_little_stays_where_it_is() {
        let mut slab = Slab::default();
        let place = slab.put(None, &[1; 70]);
        assert_eq!(slab.put(Some(place), &[2; 96]), place);
        assert_eq!(slab.put(Some(place), &[3; 65]), place);
        assert_eq!(slab.get(place), [[3; 65].as_slice(), &[0; 31]].concat());
        let moved = slab.put(Some(place), &[4; 97]);
        assert_ne!(moved, place);
        assert_eq!(slab.put(None, &[5; 96]), place, "another one has its place");
    }

    #[test]
    fn chunks_that_are_empty_are_given_back() {
        let mut slab = Slab::default();
        let places: Vec<Place> = (0..10_000).map(|_| slab.put(None, &[1; 200])).collect();
        let large = slab.put(None, &[1; 5_000]);
        let held = |slab: &Slab| -> usize {
            let chunks = slab.sizes.iter().flat_map(|size| &size.chunks);
            let large = slab.large.iter().map(|own| own.len()).sum::<usize>();
            chunks.map(|chunk| chunk.octets.capacity()).sum::<usize>() + large
        };
        assert!((10_000 * 224..10_000 * 224 + 2 * CHUNK).contains(&held(&slab)), "{}", held(&slab));
        for place in &places {
            slab.remove(*place);
        }
        slab.remove(large);
        assert_eq!(held(&slab), 0);
        let again: Vec<Place> = (0..10_000).map(|_| slab.put(None, &[2; 200])).collect();
        assert_eq!(again.iter().map(|place| place.0).collect::<BTreeSet<_>>().len(), 10_000);
        assert!(again.iter().all(|place| slab.get(*place).starts_with(&[2; 200])));
        assert_eq!(slab.sizes.iter().map(|size| size.chunks.len()).max(), Some(10_000 / 146 + 1));
    }
}
