//! Who has to be told of what, and when.

use ngn_dns::name::Name;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Least time between two messages to a target about a zone.
const APART: Duration = Duration::from_secs(1);
/// How long an answer is waited for, after each message; then the next one is sent.
const WAITS: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
    Duration::from_secs(30),
];

/// A zone, and who is told of it.
pub(super) type About = (Name, SocketAddr);

/// What is going on with a target about a zone.
#[derive(Debug, Clone, Copy)]
struct State {
    /// When something has to be done.
    due: Instant,
    /// When it was told last, and with which id.
    told: Option<(Instant, u16)>,
    /// How often it was told since the last change or answer.
    attempts: usize,
    /// It answered, and is remembered until it may be told again.
    answered: bool,
}

/// Everything that is going on; nothing stays when there is nothing to do any more.
#[derive(Debug, Default)]
pub(super) struct Queue {
    states: BTreeMap<About, State>,
    due: BTreeSet<(Instant, About)>,
    /// What each id that is out belongs to.
    out: BTreeMap<(SocketAddr, u16), Name>,
}

impl Queue {
    /// A zone changed: the target is to be told, at once when it was not told within the last second.
    pub(super) fn add(&mut self, about: About, now: Instant) {
        let told = self.states.get(&about).and_then(|state| state.told);
        let due = told.map_or(now, |(at, _)| now.max(at + APART));
        self.set(about, State { due, told, attempts: 0, answered: false });
    }

    /// When the next thing has to be done.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Takes who is to be told now, with this id; the flag says that it was told often enough.
    pub(super) fn take(&mut self, now: Instant, id: u16) -> Option<(About, bool)> {
        loop {
            let (_, about) = self.due.first().filter(|(due, _)| *due <= now)?.clone();
            let state = *self.states.get(&about)?;
            let wait = WAITS.get(state.attempts).filter(|_| !state.answered);
            let Some(wait) = wait else {
                self.forget(&about);
                if state.answered {
                    continue;
                }
                return Some((about, true));
            };
            let (told, attempts) = (Some((now, id)), state.attempts + 1);
            self.set(about.clone(), State { due: now + *wait, told, attempts, answered: false });
            return Some((about, false));
        }
    }

    /// A target answered; `false` when it was not asked with this id. When the zone changed since, it is told again.
    pub(super) fn acknowledge(&mut self, target: SocketAddr, id: u16, now: Instant) -> bool {
        let Some(apex) = self.out.get(&(target, id)) else { return false };
        let about = (apex.clone(), target);
        let Some(state) = self.states.get(&about).copied() else { return false };
        if state.attempts > 0 && !state.answered {
            let due = state.told.map_or(now, |(at, _)| at + APART);
            self.set(about, State { due, answered: true, ..state });
        }
        true
    }

    /// Forgets a zone at a target.
    pub(super) fn forget(&mut self, about: &About) {
        if let Some(state) = self.states.remove(about) {
            self.due.remove(&(state.due, about.clone()));
            if let Some((_, id)) = state.told {
                self.out.remove(&(about.1, id));
            }
        }
    }

    fn set(&mut self, about: About, state: State) {
        self.forget(&about);
        if let Some((_, id)) = state.told {
            self.out.insert((about.1, id), about.0.clone());
        }
        self.due.insert((state.due, about.clone()));
        self.states.insert(about, state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(apex: &str) -> About {
        (Name::parse(apex).unwrap(), SocketAddr::from(([127, 0, 0, 1], 53)))
    }

    const SECOND: Duration = Duration::from_secs(1);

    /// However often a zone changes, a target hears of it at once and then once a second.
    #[test]
    fn changes_are_told_together() {
        let (mut queue, start, a) = (Queue::default(), Instant::now(), about("a.example"));
        let mut told = Vec::new();
        for tenth in 0..35_u16 {
            let now = start + SECOND / 10 * u32::from(tenth);
            queue.add(a.clone(), now);
            while let Some((found, gives_up)) = queue.take(now, tenth) {
                assert!(!gives_up && found == a);
                assert!(queue.acknowledge(a.1, tenth, now));
                told.push(tenth);
            }
        }
        assert_eq!(told, [0, 10, 20, 30]);
        assert_eq!(queue.next_due(), Some(start + 4 * SECOND), "the last change is told too");
        assert_eq!(queue.take(start + 4 * SECOND, 99), Some((a.clone(), false)));
        assert!(queue.acknowledge(a.1, 99, start + 4 * SECOND));
        assert_eq!(queue.take(start + 5 * SECOND, 100), None);
        assert!(queue.states.is_empty() && queue.due.is_empty() && queue.out.is_empty());
    }

    #[test]
    fn who_does_not_answer_is_told_again_for_a_minute() {
        let (mut queue, start, a) = (Queue::default(), Instant::now(), about("a.example"));
        queue.add(a.clone(), start);
        let (mut told, mut id) = (Vec::new(), 0);
        while let Some(due) = queue.next_due() {
            let (_, gives_up) = queue.take(due, id).unwrap();
            told.push(((due - start).as_secs(), gives_up));
            id += 1;
        }
        let often = [0, 1, 3, 7, 15, 30].map(|second| (second, false));
        assert_eq!(told, [&often[..], &[(60, true)]].concat());
        assert!(queue.states.is_empty() && queue.out.is_empty());
    }

    /// An answer that another one made up, or that speaks of a state before, ends nothing.
    #[test]
    fn only_answers_to_the_last_message_count() {
        let (mut queue, start, a) = (Queue::default(), Instant::now(), about("a.example"));
        queue.add(a.clone(), start);
        queue.take(start, 7).unwrap();
        let other = SocketAddr::from(([127, 0, 0, 2], 53));
        assert!(!queue.acknowledge(a.1, 8, start) && !queue.acknowledge(other, 7, start));
        queue.add(a.clone(), start);
        assert!(queue.acknowledge(a.1, 7, start));
        assert_eq!(queue.take(start + SECOND, 9), Some((a.clone(), false)), "it changed since");
        assert!(!queue.acknowledge(a.1, 7, start), "an id of before");
    }
}
