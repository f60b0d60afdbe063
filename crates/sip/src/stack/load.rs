//! How much is kept and what has been counted.

use super::{Shedding, Stack};
use crate::room::GiveBack as _;

/// What has been counted since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Requests that came in, retransmissions included.
    pub requests: u64,
    /// Responses that came in.
    pub responses: u64,
    /// Requests that came again and were absorbed.
    pub retransmissions: u64,
    /// Requests that we sent again.
    pub retransmissions_sent: u64,
    /// Octets that were no proper message.
    pub malformed: u64,
    /// Messages that nothing could be done with.
    pub dropped: u64,
    /// Responses that belonged to no transaction.
    pub stray_responses: u64,
    /// Requests that were refused by the checks of RFC 3261 section 16.3.
    pub refused: u64,
    /// Requests that were turned away because too much was going on.
    pub shed: u64,
    /// Final responses to INVITE that were never acknowledged.
    pub unacknowledged: u64,
    /// Messages that could not be sent.
    pub transport_failures: u64,
    /// Requests that the application did not answer in time.
    pub unanswered_by_application: u64,
    /// Requests other than INVITE that timed out and, by RFC 4320, were not answered.
    pub silenced: u64,
}

/// How much is being kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Server transactions.
    pub servers: usize,
    /// Client transactions.
    pub clients: usize,
    /// Requests that are being forwarded.
    pub contexts: usize,
    /// ACKs that wait for a look-up.
    pub pending_acks: usize,
    /// Entries in the tables by which transactions are found.
    pub indexed: usize,
    /// Entries in the queue of deadlines.
    pub deadlines: usize,
}

impl Usage {
    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.servers + self.clients + self.contexts + self.pending_acks + self.indexed == 0
    }
}

impl Stack {
    /// What has been counted.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How much is being kept.
    #[must_use]
    pub fn usage(&self) -> Usage {
        Usage {
            servers: self.servers.len(),
            clients: self.clients.len(),
            contexts: self.contexts.len(),
            pending_acks: self.acks.len(),
            indexed: self.server_index.len() + self.client_index.len() + self.merges.len(),
            deadlines: self.queue.len(),
        }
    }

    /// Gives back room that only a burst needed; to be called now and then.
    pub fn shrink(&mut self) {
        self.server_index.give_back();
        self.client_index.give_back();
        self.merges.give_back();
        self.no_tcp.give_back();
        self.queue.shrink();
    }

    /// Whether new work is being turned away.
    #[must_use]
    pub fn is_overloaded(&self) -> bool {
        self.level() >= Shedding::Calls
    }

    /// What is turned away: as was said, and by how much is being kept.
    pub(super) fn level(&self) -> Shedding {
        let (load, limits) = (self.load(), &self.config.limits);
        let own = match load {
            _ if load >= limits.transactions.saturating_add(limits.reserve / 4 * 3) => {
                Shedding::Dialogs
            }
            _ if load >= limits.transactions || self.is_draining => Shedding::Calls,
            _ if load >= limits.transactions - limits.transactions / 10 => Shedding::Registrations,
            _ => Shedding::Nothing,
        };
        own.max(self.shedding)
    }

    pub(super) fn load(&self) -> usize {
        self.servers.len() + self.clients.len()
    }

    pub(super) fn hard_limit(&self) -> usize {
        self.config.limits.transactions.saturating_add(self.config.limits.reserve)
    }
}
