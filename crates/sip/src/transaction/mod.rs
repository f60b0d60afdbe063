//! Transactions (RFC 3261 section 17, RFC 6026): four state machines and the keys that find them.
//!
//! A machine knows neither messages nor sockets. It takes inputs (a response of a status, a timer, ...) and
//! returns [`Actions`] that its owner, the [stack](crate::stack), carries out with the messages it holds.
//! Each machine's module begins with its diagram, and its test goes through every pair of state and input.

pub mod invite_client;
pub mod invite_server;
pub mod key;
pub mod non_invite_client;
pub mod non_invite_server;
pub mod timers;

pub use invite_client::InviteClient;
pub use invite_server::InviteServer;
pub use key::{ByKey, ClientKey, Digests, KeyText, MergeKey, ServerKey};
pub use non_invite_client::NonInviteClient;
pub use non_invite_server::NonInviteServer;
pub use timers::{Moment, Timer, TimerSettings};

/// What a machine wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Send the request (client) or the latest response (server).
    Transmit,
    /// Send the ACK for the final response that has come.
    Acknowledge,
    /// Give the message that came in to the transaction user.
    PassUp,
    /// Tell the transaction user that the peer did not answer.
    TimedOut,
    /// Tell the transaction user that the transport failed.
    TransportFailed,
}

/// What a machine wants done upon one input, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Actions([Option<Action>; 2]);

impl Actions {
    pub(crate) const NONE: Self = Self([None, None]);

    pub(crate) const fn one(action: Action) -> Self {
        Self([Some(action), None])
    }

    pub(crate) const fn two(first: Action, second: Action) -> Self {
        Self([Some(first), Some(second)])
    }
}

impl IntoIterator for Actions {
    type Item = Action;
    type IntoIter = std::iter::Flatten<std::array::IntoIter<Option<Action>, 2>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().flatten()
    }
}

/// What all four machines have in common.
pub trait Machine {
    /// When the next timer fires.
    fn deadline(&self) -> Option<Moment>;

    /// Lets the timer fire that has been due the longest; `None` when none is due.
    fn expire(&mut self, now: Moment, settings: &TimerSettings) -> Option<Actions>;

    /// Whether the transaction is over.
    fn is_terminated(&self) -> bool;
}

/// That of an INVITE or of another request, on one side.
#[derive(Debug)]
pub(crate) enum Either<I, O> {
    /// Of an INVITE.
    Invite(I),
    /// Of another request.
    Other(O),
}

impl<I: Machine, O: Machine> Machine for Either<I, O> {
    fn deadline(&self) -> Option<Moment> {
        match self {
            Self::Invite(machine) => machine.deadline(),
            Self::Other(machine) => machine.deadline(),
        }
    }

    fn expire(&mut self, now: Moment, settings: &TimerSettings) -> Option<Actions> {
        match self {
            Self::Invite(machine) => machine.expire(now, settings),
            Self::Other(machine) => machine.expire(now, settings),
        }
    }

    fn is_terminated(&self) -> bool {
        match self {
            Self::Invite(machine) => machine.is_terminated(),
            Self::Other(machine) => machine.is_terminated(),
        }
    }
}
