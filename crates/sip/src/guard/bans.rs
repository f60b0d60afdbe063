//! The bans that last, for whoever wants to see them.

use super::{Guard, Network};
use crate::transaction::Moment;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;

/// The longest name of an account that is kept: 64 octets, `@`, 255 octets. Longer ones are guarded and not listed.
const LONGEST_NAME: usize = 320;

/// Who is kept out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Banned {
    /// A source that gave too many wrong credentials: none are looked at.
    Guessing(Network),
    /// A source that asked for too many users that do not exist: it is not answered.
    Probing(Network),
    /// An account for which too many wrong credentials came from anywhere: it can only be used from where it was lately.
    Account(String),
}

impl fmt::Display for Banned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guessing(network) | Self::Probing(network) => network.fmt(f),
            Self::Account(name) => f.write_str(name),
        }
    }
}

/// Bans by whom they keep out, and by their end. What matters least, the one that ends first, gives way to a new one.
#[derive(Debug)]
pub(super) struct List {
    capacity: usize,
    until: BTreeMap<Banned, Moment>,
    ends: BTreeSet<(Moment, Banned)>,
}

impl List {
    pub(super) const fn new(capacity: usize) -> Self {
        Self { capacity, until: BTreeMap::new(), ends: BTreeSet::new() }
    }

    /// Takes note of a ban, and forgets those that are over.
    pub(super) fn add(&mut self, now: Moment, who: Banned, until: Moment) {
        if matches!(&who, Banned::Account(name) if name.len() > LONGEST_NAME) {
            return;
        }
        self.remove(&who);
        while self.until.len() >= self.capacity
            || self.ends.first().is_some_and(|(until, _)| *until <= now)
        {
            let Some((_, over)) = self.ends.pop_first() else { break };
            self.until.remove(&over);
        }
        self.ends.insert((until, who.clone()));
        self.until.insert(who, until);
    }

    /// Whether there was such a ban.
    fn remove(&mut self, who: &Banned) -> bool {
        match self.until.remove(who) {
            Some(until) => self.ends.remove(&(until, who.clone())),
            None => false,
        }
    }
}

impl Guard {
    /// The bans that are remembered behind one, in an order that stays, with their ends; some may be over. Everybody who is
    /// kept out is among them, except where more than 65,536 are, and accounts with names above 320 octets.
    pub fn bans_after(&self, after: Option<&Banned>) -> impl Iterator<Item = (&Banned, Moment)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.bans.until.range((from, Bound::Unbounded)).map(|(who, until)| (who, *until))
    }

    /// When a ban ends that is remembered; it may be over.
    #[must_use]
    pub fn ban_of(&self, who: &Banned) -> Option<Moment> {
        self.bans.until.get(who).copied()
    }

    /// Lets somebody in again, as if nothing had happened; whether there was a ban that lasts.
    pub fn lift(&mut self, now: Moment, who: &Banned) -> bool {
        let strikes = match who {
            Banned::Guessing(network) => {
                self.sources.get_mut(network).map(|source| &mut source.failures)
            }
            Banned::Probing(network) => {
                self.sources.get_mut(network).map(|source| &mut source.unknown)
            }
            Banned::Account(name) => {
                let name = self.name(name);
                self.accounts.get_mut(&name).map(|account| &mut account.failures)
            }
        };
        self.bans.remove(who);
        strikes.is_some_and(|strikes| std::mem::take(strikes).is_out(now))
    }
}
