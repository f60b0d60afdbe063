//! The state machine of a server transaction.

use crate::stack::finished::Rest;
use crate::transaction::{
    Actions, Either, InviteServer, Machine, Moment, NonInviteServer, TimerSettings, invite_server,
    non_invite_server,
};

/// That of an INVITE or of another request.
pub(in crate::stack) type ServerMachine = Either<InviteServer, NonInviteServer>;

/// What can happen to it, apart from time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::stack) enum ServerInput {
    /// The request came again.
    Again,
    /// An ACK came.
    Ack,
    /// A response of this status goes out.
    Respond(u16),
    /// A response could not be sent.
    TransportError,
}

impl ServerMachine {
    pub(in crate::stack) const fn is_invite(&self) -> bool {
        matches!(self, Self::Invite(_))
    }

    pub(in crate::stack) const fn admits(&self, status: u16) -> bool {
        match self {
            Self::Invite(machine) => machine.admits(status),
            Self::Other(machine) => machine.admits(),
        }
    }

    /// Whether no final response has been sent yet.
    pub(in crate::stack) const fn is_pending(&self) -> bool {
        match self {
            Self::Invite(machine) => matches!(machine.state(), invite_server::State::Proceeding),
            Self::Other(machine) => machine.admits(),
        }
    }

    /// In which state it only waits for its last timer, and when that fires.
    pub(in crate::stack) fn rest(&self) -> Option<(Rest, Moment)> {
        let rest = match self {
            Self::Invite(machine) => match machine.state() {
                invite_server::State::Accepted => Rest::Accepted,
                invite_server::State::Confirmed => Rest::Acknowledged,
                _ => return None,
            },
            Self::Other(machine) => match machine.state() {
                non_invite_server::State::Completed => Rest::Completed,
                _ => return None,
            },
        };
        Some((rest, self.deadline()?))
    }

    /// One that rests, without its timer.
    pub(in crate::stack) fn resting(rest: Rest) -> Self {
        use invite_server::State::{Accepted, Confirmed};
        match rest {
            Rest::Accepted => Self::Invite(InviteServer::resting(Accepted)),
            Rest::Acknowledged => Self::Invite(InviteServer::resting(Confirmed)),
            Rest::Completed => {
                Self::Other(NonInviteServer::resting(non_invite_server::State::Completed))
            }
        }
    }

    pub(in crate::stack) fn handle(
        &mut self,
        input: ServerInput,
        now: Moment,
        timers: &TimerSettings,
    ) -> Actions {
        match self {
            Self::Invite(machine) => {
                let input = match input {
                    ServerInput::Again => invite_server::Input::Invite,
                    ServerInput::Ack => invite_server::Input::Ack,
                    ServerInput::Respond(status) => invite_server::Input::Respond(status),
                    ServerInput::TransportError => invite_server::Input::TransportError,
                };
                machine.handle(input, now, timers)
            }
            Self::Other(machine) => {
                let input = match input {
                    ServerInput::Again => non_invite_server::Input::Request,
                    ServerInput::Ack => return Actions::NONE,
                    ServerInput::Respond(status) => non_invite_server::Input::Respond(status),
                    ServerInput::TransportError => non_invite_server::Input::TransportError,
                };
                machine.handle(input, now, timers)
            }
        }
    }
}
