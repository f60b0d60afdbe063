//! Which journal rows a follower has seen.
//!
//! Rows get their ids before they are committed, so a lower id can become visible after a higher one. The
//! ids that were passed over are kept as gaps and looked up again, often at first and then less often.
//! After [`HOLD`] a gap no longer holds the low-water mark back; it is still looked up for [`FORGET`], since
//! looking costs little and a row that was never seen would be wrong for ever.

use ngn_model::Position;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a gap holds back the low-water mark; longer than any transaction of ours may live.
const HOLD: Duration = Duration::from_secs(60);
/// How long a gap is looked up at all.
const FORGET: Duration = Duration::from_secs(600);
/// Ranges that lie this close are looked up as one.
const MERGE: u64 = 64;

/// Which journal rows have been seen: everything up to a highest id except some gaps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    high: u64,
    /// By first id.
    gaps: BTreeMap<u64, Gap>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gap {
    last: u64,
    since: Instant,
    look_again: Instant,
}

impl Seen {
    /// Starts after `high`, as if everything up to it had been seen.
    pub(crate) fn starting_after(high: u64) -> Self {
        Self { high, gaps: BTreeMap::new() }
    }

    /// Starts after `high` with gaps below it that are not known since when.
    pub(crate) fn with_gaps(high: u64, gaps: &[(u64, u64)], now: Instant) -> Self {
        let gap = |(first, last): &(u64, u64)| {
            (*first, Gap { last: (*last).min(high), since: now, look_again: now })
        };
        let sound = |(first, last): &&(u64, u64)| (1..=*last).contains(first) && *first < high;
        Self { high, gaps: gaps.iter().filter(sound).map(gap).collect() }
    }

    /// The first and last id of each gap.
    pub(crate) fn gaps(&self) -> Vec<(u64, u64)> {
        self.gaps.iter().map(|(first, gap)| (*first, gap.last)).collect()
    }

    /// The highest id seen.
    pub(crate) fn high(&self) -> u64 {
        self.high
    }

    /// Takes note of a row; `false` when it had been seen already.
    pub(crate) fn observe(&mut self, id: u64, now: Instant) -> bool {
        if id > self.high {
            if id > self.high + 1 {
                let gap = Gap { last: id - 1, since: now, look_again: now };
                self.gaps.insert(self.high + 1, gap);
            }
            self.high = id;
            return true;
        }
        let Some((first, gap)) = self.gap_around(id) else { return false };
        self.gaps.remove(&first);
        if first < id {
            self.gaps.insert(first, Gap { last: id - 1, ..gap });
        }
        if id < gap.last {
            self.gaps.insert(id + 1, gap);
        }
        true
    }

    /// Whether the row at a position has been seen.
    #[must_use]
    pub fn contains(&self, position: Position) -> bool {
        position.0 <= self.high && self.gap_around(position.0).is_none()
    }

    /// The low-water mark: every row up to here has been seen, or was waited for long enough.
    #[must_use]
    pub fn low_water(&self, now: Instant) -> Position {
        let holding = |gap: &Gap| now.saturating_duration_since(gap.since) < HOLD;
        let first = self.gaps.iter().find(|(_, gap)| holding(gap)).map(|(first, _)| *first);
        Position(first.map_or(self.high, |first| first - 1))
    }

    /// Every row up to here has been seen or is not looked for any more; at or below [`Self::low_water`].
    #[must_use]
    pub fn complete_to(&self) -> Position {
        Position(self.gaps.keys().next().map_or(self.high, |first| first - 1))
    }

    /// The ranges of ids to look up again now, merged where they lie close; what it returns between gaps has
    /// been seen before. The caller looks them up and then calls [`Self::looked_up`] with the same time.
    pub(crate) fn due(&self, now: Instant) -> Vec<(u64, u64)> {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for (&first, gap) in self.gaps.iter().filter(|(_, gap)| gap.look_again <= now) {
            match ranges.last_mut() {
                Some((_, last)) if first - *last <= MERGE => *last = gap.last,
                _ => ranges.push((first, gap.last)),
            }
        }
        ranges
    }

    /// Plans the next look at the gaps that were due at `now`, and forgets those that are too old.
    pub(crate) fn looked_up(&mut self, now: Instant) {
        self.gaps.retain(|_, gap| {
            if gap.look_again > now {
                return true;
            }
            let age = now.saturating_duration_since(gap.since);
            let pause = match age {
                age if age < Duration::from_secs(1) => Duration::from_millis(5),
                age if age < Duration::from_secs(10) => Duration::from_millis(250),
                age if age < HOLD => Duration::from_secs(2),
                _ => Duration::from_secs(30),
            };
            gap.look_again = now + pause;
            age < FORGET
        });
    }

    /// Whether some gap is young enough for a row to turn up any moment.
    pub(crate) fn has_young_gap(&self, now: Instant) -> bool {
        let young = |gap: &Gap| now.saturating_duration_since(gap.since) < Duration::from_secs(1);
        // Younger gaps lie at higher ids.
        self.gaps.values().next_back().is_some_and(young)
    }

    fn gap_around(&self, id: u64) -> Option<(u64, Gap)> {
        let (first, gap) = self.gaps.range(..=id).next_back()?;
        (id <= gap.last).then_some((*first, *gap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_late_row_is_new_once() {
        let now = Instant::now();
        let mut seen = Seen::starting_after(10);
        assert!(seen.observe(14, now));
        assert_eq!(seen.low_water(now), Position(10));
        assert_eq!(seen.due(now), [(11, 13)]);
        assert!(seen.observe(12, now));
        assert!(!seen.observe(12, now));
        assert!(!seen.observe(14, now));
        assert!(!seen.observe(9, now));
        assert!(seen.contains(Position(12)) && !seen.contains(Position(11)));
        assert!(seen.observe(11, now) && seen.observe(13, now));
        assert_eq!(seen.low_water(now), Position(14));
        assert!(seen.due(now).is_empty());
    }

    #[test]
    fn a_gap_is_looked_up_less_and_less_and_forgotten_last() {
        let start = Instant::now();
        let mut seen = Seen::default();
        seen.observe(3, start);
        let mut looks = 0;
        let mut now = start;
        while now < start + Duration::from_secs(1200) {
            if !seen.due(now).is_empty() {
                looks += 1;
                seen.looked_up(now);
            }
            let held = now < start + HOLD;
            assert_eq!(seen.low_water(now), Position(if held { 0 } else { 3 }));
            assert_eq!(seen.complete_to(), Position(if seen.gaps.is_empty() { 3 } else { 0 }));
            now += Duration::from_millis(5);
        }
        assert!((200..400).contains(&looks), "{looks} looks");
        assert!(seen.gaps.is_empty());
    }

    #[test]
    fn close_ranges_are_looked_up_together() {
        let now = Instant::now();
        let mut seen = Seen::default();
        for id in [2, 4, 6, 500] {
            seen.observe(id, now);
        }
        // 7..=499 begins right behind 5.
        assert_eq!(seen.due(now), [(1, 499)]);
        for id in 7..=499 {
            seen.observe(id, now);
        }
        seen.observe(502, now);
        assert_eq!(seen.due(now), [(1, 5), (501, 501)]);
    }

    proptest! {
        #[test]
        fn every_order_is_seen_once_each(mut ids in prop::collection::vec(1_u64..200, 1..150)) {
            let now = Instant::now();
            let mut seen = Seen::default();
            let mut reference = std::collections::BTreeSet::new();
            for id in &ids {
                prop_assert_eq!(seen.observe(*id, now), reference.insert(*id));
            }
            for id in 1..200 {
                prop_assert_eq!(seen.contains(Position(id)), reference.contains(&id));
            }
            let first_missing = (1..).find(|id| !reference.contains(id)).expect("some id is missing");
            prop_assert_eq!(seen.low_water(now), Position(first_missing - 1));
            ids.sort_unstable();
            prop_assert_eq!(Some(&seen.high()), ids.last());
            prop_assert_eq!(Seen::with_gaps(seen.high(), &seen.gaps(), now), seen);
        }
    }
}
