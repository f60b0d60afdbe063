//! What is left of transactions that are over, in the order in which it may be forgotten.

use crate::transaction::Moment;
use std::collections::VecDeque;

/// How many octets and how many entries a block takes. One that is larger by itself has a block of its own.
const OCTETS: usize = 64 * 1024;
const ENTRIES: usize = 256;
/// The room that a block begins with.
const FIRST: usize = 4096;

/// Entries that are forgotten in the order in which they were made, and the octets that belong to them. Both are written one
/// behind the other into blocks, and a block is given back whole: what waits for long does not lie between what is used
/// over and over, and nothing is done for each when its time has come but to count on.
///
/// They are made in the order of their times as long as they all wait equally long. When that changes, what waits shorter
/// is forgotten with those before it.
pub(super) struct Log<E> {
    blocks: VecDeque<Block<E>>,
    /// The number of the first block.
    first: u32,
    /// How many entries of the first block are over.
    over: usize,
}

struct Block<E> {
    entries: Vec<Entry<E>>,
    octets: Vec<u8>,
}

struct Entry<E> {
    value: E,
    until: Moment,
    /// Where its octets end; they begin where those of the entry before it end.
    end: u32,
    is_over: bool,
}

impl<E> Default for Log<E> {
    fn default() -> Self {
        Self { blocks: VecDeque::new(), first: 0, over: 0 }
    }
}

impl<E: Copy> Log<E> {
    /// Appends an entry with its octets, which `write` appends and nothing else; `size` is about how many. Says in which
    /// block it is, and where.
    pub(super) fn push(
        &mut self,
        until: Moment,
        value: E,
        size: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> (u32, u16) {
        let has_room = self.blocks.back().is_some_and(|block| {
            block.entries.len() < ENTRIES
                && (block.octets.len() + size <= OCTETS || block.entries.is_empty())
        });
        if !has_room {
            self.blocks.push_back(Block { entries: Vec::new(), octets: Vec::new() });
        }
        let number = self.blocks.len().saturating_sub(1);
        let Some(block) = self.blocks.back_mut() else { return (self.first, 0) };
        let needs = block.octets.len() + size;
        if needs > block.octets.capacity() {
            let room = (block.octets.capacity() * 2).clamp(FIRST, OCTETS).max(needs);
            block.octets.reserve_exact(room - block.octets.len());
        }
        write(&mut block.octets);
        let end = u32::try_from(block.octets.len()).unwrap_or(u32::MAX);
        block.entries.push(Entry { value, until, end, is_over: false });
        let index = u16::try_from(block.entries.len() - 1).unwrap_or(u16::MAX);
        (self.first.wrapping_add(u32::try_from(number).unwrap_or(u32::MAX)), index)
    }

    /// An entry that is not over, and its octets.
    pub(super) fn get(&self, block: u32, index: u16) -> Option<(E, &[u8])> {
        let block = self.blocks.get(self.number(block))?;
        let index = usize::from(index);
        let entry = block.entries.get(index).filter(|entry| !entry.is_over)?;
        let before = index.checked_sub(1).and_then(|before| block.entries.get(before));
        let start = before.map_or(0, |before| before.end);
        Some((entry.value, block.octets.get(start as usize..entry.end as usize)?))
    }

    /// Lets an entry be over before its time.
    pub(super) fn remove(&mut self, block: u32, index: u16) -> Option<E> {
        let number = self.number(block);
        let entry = self.blocks.get_mut(number)?.entries.get_mut(usize::from(index))?;
        if std::mem::replace(&mut entry.is_over, true) {
            return None;
        }
        let value = entry.value;
        self.give_back();
        Some(value)
    }

    /// When the first entry is over.
    pub(super) fn next(&self) -> Option<Moment> {
        self.blocks.front()?.entries.get(self.over).map(|entry| entry.until)
    }

    /// The first entry, when its time has come; it is over then.
    pub(super) fn pop_due(&mut self, now: Moment) -> Option<E> {
        let entry = self.blocks.front_mut()?.entries.get_mut(self.over)?;
        if entry.until > now {
            return None;
        }
        entry.is_over = true;
        let value = entry.value;
        self.give_back();
        Some(value)
    }

    /// Counts over those at the front that are over, so that the first one never is.
    fn give_back(&mut self) {
        while let Some(block) = self.blocks.front() {
            if block.entries.get(self.over).is_some_and(|entry| !entry.is_over) {
                return;
            }
            self.over += 1;
            if self.over >= block.entries.len() {
                self.blocks.pop_front();
                self.first = self.first.wrapping_add(1);
                self.over = 0;
            }
        }
    }

    fn number(&self, block: u32) -> usize {
        block.wrapping_sub(self.first) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn push(log: &mut Log<u64>, until: u64, octets: &[u8]) -> (u32, u16) {
        let until = Moment::from_millis(until);
        log.push(until, u64::from(octets.len() as u32), octets.len(), |to| to.extend(octets))
    }

    fn octets(log: &Log<u64>, (block, index): (u32, u16)) -> Option<Vec<u8>> {
        log.get(block, index).map(|(_, octets)| octets.to_vec())
    }

    /// Against a plain table: entries of all sizes, some removed before their time, across many blocks and the wrap of
    /// their numbers.
    #[test]
    fn it_keeps_what_a_table_would_keep() {
        let mut log = Log { first: u32::MAX - 3, ..Log::default() };
        let mut table = BTreeMap::new();
        let (mut most, mut removed) = (0, 0);
        for n in 0..20_000_u64 {
            let size = usize::try_from(n * 7919 % 1900).expect("small") * usize::from(n % 5 != 0);
            let wrote = vec![n.to_le_bytes()[0]; if n == 777 { 3 * OCTETS } else { size }];
            let place = push(&mut log, n + 1000, &wrote);
            assert!(table.insert(n, (place, wrote)).is_none());
            if n % 3 == 0
                && let Some((place, wrote)) = table.remove(&n.saturating_sub(n * 31 % 997))
            {
                assert_eq!(log.remove(place.0, place.1), Some(wrote.len() as u64));
                assert_eq!(log.remove(place.0, place.1), None);
                assert_eq!(octets(&log, place), None);
                removed += 1;
            }
            while let Some(entry) = table.first_entry()
                && *entry.key() + 1000 <= n
            {
                let (place, wrote) = entry.remove();
                assert_eq!(log.next(), Some(Moment::from_millis(n)));
                assert_eq!(log.pop_due(Moment::from_millis(n)), Some(wrote.len() as u64));
                assert_eq!(octets(&log, place), None);
            }
            assert_eq!(log.pop_due(Moment::from_millis(n)), None);
            let first = table.keys().next().map(|n| Moment::from_millis(n + 1000));
            assert_eq!(log.next(), first);
            if n % 500 == 0 {
                for (place, wrote) in table.values() {
                    assert_eq!(octets(&log, *place).as_ref(), Some(wrote));
                }
            }
            most = most.max(log.blocks.len());
        }
        assert!(most > 8 && most < 60 && removed > 1000, "{most} {removed}");
        assert!(log.first < 1000, "the numbers have wrapped");
        while log.pop_due(Moment::from_millis(50_000)).is_some() {}
        assert_eq!((log.blocks.len(), log.next()), (0, None));
    }

    #[test]
    fn what_waits_shorter_is_forgotten_with_those_before_it() {
        let mut log = Log::default();
        push(&mut log, 30, b"a");
        let place = push(&mut log, 10, b"bc");
        assert_eq!(
            (log.next(), log.pop_due(Moment::from_millis(29))),
            (Some(Moment::from_millis(30)), None)
        );
        assert_eq!(octets(&log, place), Some(b"bc".to_vec()));
        let at = Moment::from_millis(30);
        assert_eq!((log.pop_due(at), log.pop_due(at), log.pop_due(at)), (Some(1), Some(2), None));
    }

    #[test]
    fn a_few_entries_keep_little_room() {
        let mut log = Log::default();
        push(&mut log, 1, &[7; 400]);
        assert_eq!(log.blocks.front().map(|block| block.octets.capacity()), Some(FIRST));
        assert_eq!(log.pop_due(Moment::from_millis(1)), Some(400));
        assert!(log.blocks.is_empty());
    }
}
