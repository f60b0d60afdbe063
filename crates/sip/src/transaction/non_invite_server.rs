//! The server transaction of requests other than INVITE (RFC 3261 section 17.2.2).
//!
//! ```text
//!                                  |Request received
//!                                  |pass to TU
//!                                  V
//!                            +-----------+
//!                            |  Trying   | request: -
//!                            +-----------+
//!                              |      |
//!           1xx from TU        |      |200-699 from TU
//!           send response      |      |send response
//!                 +------------+      |
//!                 V                   |
//!            +-----------+            |
//!            |           |------+     |
//!            |Proceeding | request, 1xx from TU: send response
//!            |           |<-----+     |
//!            |           |--------------------------+
//!            +-----------+            |             |transport error
//!        200-699 from TU |            |             |inform TU
//!        send response   |            |             |
//!                        V            V             |
//!                      +----------------+           |
//!                      |                |------+    |
//!                      |   Completed    | request: send response
//!                      |                |<-----+    |
//!                      +----------------+           |
//!                        |Timer J fires             |
//!                        |or transport err.         |
//!                        V (inform TU)              V
//!                      +------------------------------+
//!                      |          Terminated          |
//!                      +------------------------------+
//! ```
//!
//! Over a reliable transport timer J does not run: Completed is then left as it is entered.

use super::timers::{Moment, Schedule, Timer, TimerSettings};
use super::{Action, Actions, Machine};

/// Where the transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// The transaction user has the request.
    Trying,
    /// A provisional response was sent.
    Proceeding,
    /// The final response was sent.
    Completed,
    /// It is over.
    Terminated,
}

/// What can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// The request arrived again.
    Request,
    /// The transaction user sends a response of this status.
    Respond(u16),
    /// A timer fired.
    Fired(Timer),
    /// The transport could not send.
    TransportError,
}

/// The machine.
#[derive(Debug, Clone)]
pub struct NonInviteServer {
    state: State,
    is_reliable: bool,
    timers: Schedule,
}

impl NonInviteServer {
    /// Begins in Trying; the caller passes the request up.
    #[must_use]
    pub fn new(is_reliable: bool) -> Self {
        Self { state: State::Trying, is_reliable, timers: Schedule::default() }
    }

    /// One that came to this state long ago, Completed, where it only waits for its last timer. The owner has that timer.
    #[must_use]
    pub fn resting(state: State) -> Self {
        Self { state, is_reliable: false, timers: Schedule::default() }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Takes an input. As in the INVITE server transaction, a response that is sent has been stored before.
    pub fn handle(&mut self, input: Input, now: Moment, settings: &TimerSettings) -> Actions {
        match self.state {
            State::Trying | State::Proceeding => self.pending(input, now, settings),
            State::Completed => self.completed(input),
            State::Terminated => Actions::NONE,
        }
    }

    /// Whether a response from the transaction user would be sent now.
    #[must_use]
    pub const fn admits(&self) -> bool {
        matches!(self.state, State::Trying | State::Proceeding)
    }

    fn pending(&mut self, input: Input, now: Moment, settings: &TimerSettings) -> Actions {
        match input {
            Input::Request if self.state == State::Proceeding => Actions::one(Action::Transmit),
            Input::Respond(100..=199) => {
                self.state = State::Proceeding;
                Actions::one(Action::Transmit)
            }
            Input::Respond(_) => {
                if self.is_reliable {
                    self.enter(State::Terminated);
                } else {
                    self.enter(State::Completed);
                    self.timers.start(Timer::J, now + settings.j);
                }
                Actions::one(Action::Transmit)
            }
            Input::TransportError if self.state == State::Proceeding => {
                self.enter(State::Terminated);
                Actions::one(Action::TransportFailed)
            }
            Input::Request | Input::TransportError | Input::Fired(_) => Actions::NONE,
        }
    }

    fn completed(&mut self, input: Input) -> Actions {
        match input {
            Input::Request => Actions::one(Action::Transmit),
            Input::Fired(Timer::J) => {
                self.enter(State::Terminated);
                Actions::NONE
            }
            Input::TransportError => {
                self.enter(State::Terminated);
                Actions::one(Action::TransportFailed)
            }
            // Any other final response from the transaction user is dropped (section 17.2.2).
            Input::Respond(_) | Input::Fired(_) => Actions::NONE,
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.timers.clear();
    }
}

impl Machine for NonInviteServer {
    fn deadline(&self) -> Option<Moment> {
        self.timers.deadline()
    }

    fn expire(&mut self, now: Moment, settings: &TimerSettings) -> Option<Actions> {
        let timer = self.timers.pop(now)?;
        Some(self.handle(Input::Fired(timer), now, settings))
    }

    fn is_terminated(&self) -> bool {
        self.state == State::Terminated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Transmit, TransportFailed};
    use State::{Completed, Proceeding, Terminated, Trying};

    const STATES: [State; 4] = [Trying, Proceeding, Completed, Terminated];

    /// Every pair of state and input that does something. Pairs that are not here do nothing.
    fn expected(state: State, input: Input, is_reliable: bool) -> (State, Vec<Action>) {
        use Input::{Fired, Request, Respond};
        let done = if is_reliable { Terminated } else { Completed };
        match (state, input) {
            (Trying | Proceeding, Respond(100..=199)) => (Proceeding, vec![Transmit]),
            (Trying | Proceeding, Respond(_)) => (done, vec![Transmit]),
            (Proceeding | Completed, Request) => (state, vec![Transmit]),
            (Proceeding | Completed, Input::TransportError) => (Terminated, vec![TransportFailed]),
            (Completed, Fired(Timer::J)) => (Terminated, vec![]),
            (same, _) => (same, vec![]),
        }
    }

    #[test]
    fn rfc3261_figure_8_every_state_and_input() {
        let settings = TimerSettings::default();
        let others = [Input::Request, Input::Fired(Timer::J), Input::TransportError];
        let responses = [100, 183, 200, 302, 404, 503, 603].map(Input::Respond);
        for is_reliable in [false, true] {
            for state in STATES {
                for input in responses.into_iter().chain(others) {
                    let mut machine = NonInviteServer::new(is_reliable);
                    machine.enter(state);
                    let admits = machine.admits();
                    let actions = machine.handle(input, Moment::ZERO, &settings);
                    let got = (machine.state(), actions.into_iter().collect::<Vec<_>>());
                    assert_eq!(got, expected(state, input, is_reliable), "{state:?} {input:?}");
                    if let Input::Respond(status) = input {
                        assert_eq!(admits, got.1 == [Transmit], "{state:?} {status}");
                    }
                }
            }
        }
    }

    #[test]
    fn timer_j_ends_the_wait_for_retransmissions() {
        let settings = TimerSettings::default();
        let mut machine = NonInviteServer::new(false);
        assert_eq!(machine.deadline(), None);
        let _ = machine.handle(Input::Respond(200), Moment::ZERO, &settings);
        assert_eq!(machine.timers.at(Timer::J), Some(Moment::ZERO + settings.j));
        assert!(machine.expire(Moment::ZERO + settings.j, &settings).is_some());
        assert!(machine.is_terminated());
    }
}
