//! All zones of a server, found by the longest apex.

use super::Zone;
use super::trie::{Keyed, Trie};
use crate::name::{Name, ancestors};
use std::sync::Arc;

/// The zones of a server. A copy shares its memory with the original.
#[derive(Debug, Clone, Default)]
pub struct Zones {
    zones: Trie<Arc<Zone>>,
    /// The names above apexes, since nobody may say that these do not exist.
    above: Trie<Above>,
    /// How long apexes are: a bit for each length in octets, so that most ancestors need no look-up.
    lengths: Lengths,
    /// How long the names above them are, for the same reason.
    above_lengths: Lengths,
    records: usize,
}

/// A name above one or several apexes.
#[derive(Debug, Clone)]
struct Above {
    name: Arc<[u8]>,
    apexes: u32,
}

impl Keyed for Above {
    fn key(&self) -> &[u8] {
        &self.name
    }
}

impl Keyed for Arc<Zone> {
    fn key(&self) -> &[u8] {
        self.apex.as_wire()
    }
}

/// How many apexes there are of each length.
#[derive(Debug, Clone)]
struct Lengths([u32; 256]);

impl Default for Lengths {
    fn default() -> Self {
        Self([0; 256])
    }
}

impl Lengths {
    fn of(&mut self, name: &[u8]) -> Option<&mut u32> {
        self.0.get_mut(name.len())
    }

    fn any(&self, length: usize) -> bool {
        self.0.get(length).is_some_and(|count| *count > 0)
    }
}

impl Zones {
    /// No zone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many zones there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.zones.len()
    }

    /// Whether there is no zone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.zones.len() == 0
    }

    /// How many records all zones have.
    #[must_use]
    pub const fn record_count(&self) -> usize {
        self.records
    }

    /// All zones, in no useful order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Zone>> {
        self.zones.iter()
    }

    /// The zone with this apex.
    #[must_use]
    pub fn get(&self, apex: &[u8]) -> Option<&Arc<Zone>> {
        self.zones.get(apex)
    }

    /// The zone that a name lies in: the one with the longest apex. `name` is in wire form and lower case.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<&Arc<Zone>> {
        ancestors(name)
            .filter(|suffix| self.lengths.any(suffix.len()))
            .find_map(|suffix| self.zones.get(suffix))
    }

    /// The zone above the one with this apex.
    #[must_use]
    pub fn parent_of(&self, apex: &[u8]) -> Option<&Arc<Zone>> {
        ancestors(apex).nth(1).and_then(|parent| self.find(parent))
    }

    /// Whether the apex of some zone lies below a name.
    #[must_use]
    pub fn has_below(&self, name: &[u8]) -> bool {
        self.above_lengths.any(name.len()) && self.above.get(name).is_some()
    }

    /// Adds a zone, in place of the one with the same apex.
    pub fn insert(&mut self, zone: Arc<Zone>) {
        self.records += zone.records;
        if let Some(old) = self.zones.get(zone.apex.as_wire()) {
            self.records -= old.records;
        } else {
            if let Some(count) = self.lengths.of(zone.apex.as_wire()) {
                *count += 1;
            }
            for name in ancestors(zone.apex.as_wire()).skip(1) {
                let apexes = self.above.get(name).map_or(0, |above| above.apexes);
                if let Some(count) = self.above_lengths.of(name) {
                    *count += 1;
                }
                self.above.insert(Above { name: name.into(), apexes: apexes + 1 });
            }
        }
        self.zones.insert(zone);
    }

    /// Removes the zone with this apex.
    pub fn remove(&mut self, apex: &Name) {
        let Some(old) = self.zones.get(apex.as_wire()) else { return };
        self.records -= old.records;
        self.zones.remove(apex.as_wire());
        if let Some(count) = self.lengths.of(apex.as_wire()) {
            *count = count.saturating_sub(1);
        }
        for name in ancestors(apex.as_wire()).skip(1) {
            let apexes = self.above.get(name).map_or(0, |above| above.apexes.saturating_sub(1));
            if let Some(count) = self.above_lengths.of(name) {
                *count = count.saturating_sub(1);
            }
            if apexes == 0 {
                self.above.remove(name);
            } else {
                self.above.insert(Above { name: name.into(), apexes });
            }
        }
    }
}

impl FromIterator<Zone> for Zones {
    fn from_iter<I: IntoIterator<Item = Zone>>(zones: I) -> Self {
        let mut index = Self::new();
        for zone in zones {
            index.insert(Arc::new(zone));
        }
        index
    }
}
