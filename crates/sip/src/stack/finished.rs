//! Transactions that have their final response and only wait for what may come again.
//!
//! What a transaction needs while it lives is freed when its final response has gone out, and is used anew for the next
//! one. What is left is an entry of a [`Log`], with what it may still have to send and where to; the slot of the
//! transaction says where the entry lies. What comes for it wakes its state machine in the state in which it rests:
//!
//! | rests in | server | client |
//! |---|---|---|
//! | [`Rest::Accepted`] | INVITE, Accepted: until timer L | INVITE, Accepted: until timer M |
//! | [`Rest::Acknowledged`] | INVITE, Confirmed: until timer I | INVITE, Completed: until timer D |
//! | [`Rest::Completed`] | others, Completed: until timer J | others, Completed: until timer K |

mod client;
mod log;
mod record;
mod server;

pub(super) use client::FinishedClient;
pub(super) use server::FinishedServer;

use super::arena::Place;
use crate::transaction::Moment;
use log::Log;

/// In which state a transaction rests; see the [module](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Accepted,
    Acknowledged,
    Completed,
}

/// What is left of transactions, by how long they rest.
pub(super) struct Finished<E> {
    accepted: Log<E>,
    acknowledged: Log<E>,
    completed: Log<E>,
}

impl<E> Default for Finished<E> {
    fn default() -> Self {
        Self { accepted: Log::default(), acknowledged: Log::default(), completed: Log::default() }
    }
}

impl<E: Copy> Finished<E> {
    /// Keeps an entry with its record; `size` is about how many octets the record has.
    pub(super) fn push(
        &mut self,
        (rest, until): (Rest, Moment),
        entry: E,
        size: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Place {
        let (block, index) = self.log_mut(rest).push(until, entry, size, write);
        Place { rest, index, block }
    }

    /// An entry and its record.
    pub(super) fn get(&self, place: Place) -> Option<(E, &[u8])> {
        self.log(place.rest).get(place.block, place.index)
    }

    /// Forgets an entry before its time.
    pub(super) fn remove(&mut self, place: Place) -> Option<E> {
        self.log_mut(place.rest).remove(place.block, place.index)
    }

    /// When something is due.
    pub(super) fn next(&self) -> Option<Moment> {
        let logs = [&self.accepted, &self.acknowledged, &self.completed];
        logs.into_iter().filter_map(Log::next).min()
    }

    /// Forgets an entry whose time has come, and says which.
    pub(super) fn pop_due(&mut self, now: Moment) -> Option<E> {
        let logs = [&mut self.accepted, &mut self.acknowledged, &mut self.completed];
        logs.into_iter().find_map(|log| log.pop_due(now))
    }

    const fn log(&self, rest: Rest) -> &Log<E> {
        match rest {
            Rest::Accepted => &self.accepted,
            Rest::Acknowledged => &self.acknowledged,
            Rest::Completed => &self.completed,
        }
    }

    const fn log_mut(&mut self, rest: Rest) -> &mut Log<E> {
        match rest {
            Rest::Accepted => &mut self.accepted,
            Rest::Acknowledged => &mut self.acknowledged,
            Rest::Completed => &mut self.completed,
        }
    }
}

/// How many octets of a record are not those of its message, about.
const RECORD: usize = 48;

#[cfg(test)]
mod tests;
