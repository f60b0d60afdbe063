//! The state machine of a client transaction.

use crate::stack::finished::Rest;
use crate::transaction::{
    Actions, Either, InviteClient, Machine, Moment, NonInviteClient, TimerSettings, invite_client,
    non_invite_client,
};

/// That of an INVITE or of another request.
pub(in crate::stack) type ClientMachine = Either<InviteClient, NonInviteClient>;

/// What can happen to it, apart from time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::stack) enum ClientInput {
    /// A response of this status came.
    Response(u16),
    /// What was sent could not be.
    TransportError,
}

impl ClientMachine {
    /// In which state it only waits for its last timer, and when that fires.
    pub(in crate::stack) fn rest(&self) -> Option<(Rest, Moment)> {
        let rest = match self {
            Self::Invite(machine) => match machine.state() {
                invite_client::State::Accepted => Rest::Accepted,
                invite_client::State::Completed => Rest::Acknowledged,
                _ => return None,
            },
            Self::Other(machine) => match machine.state() {
                non_invite_client::State::Completed => Rest::Completed,
                _ => return None,
            },
        };
        Some((rest, self.deadline()?))
    }

    /// One that rests, without its timer.
    pub(in crate::stack) fn resting(rest: Rest) -> Self {
        use invite_client::State::{Accepted, Completed};
        match rest {
            Rest::Accepted => Self::Invite(InviteClient::resting(Accepted)),
            Rest::Acknowledged => Self::Invite(InviteClient::resting(Completed)),
            Rest::Completed => {
                Self::Other(NonInviteClient::resting(non_invite_client::State::Completed))
            }
        }
    }

    pub(in crate::stack) fn handle(
        &mut self,
        input: ClientInput,
        now: Moment,
        timers: &TimerSettings,
    ) -> Actions {
        match self {
            Self::Invite(machine) => {
                let input = match input {
                    ClientInput::Response(status) => invite_client::Input::Response(status),
                    ClientInput::TransportError => invite_client::Input::TransportError,
                };
                machine.handle(input, now, timers)
            }
            Self::Other(machine) => {
                let input = match input {
                    ClientInput::Response(status) => non_invite_client::Input::Response(status),
                    ClientInput::TransportError => non_invite_client::Input::TransportError,
                };
                machine.handle(input, now, timers)
            }
        }
    }
}
