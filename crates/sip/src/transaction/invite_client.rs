//! The INVITE client transaction (RFC 3261 section 17.1.1, RFC 6026 section 8.4).
//!
//! ```text
//!                                   |INVITE from TU
//!                 Timer A fires     |INVITE sent      Timer B fires
//!                 Reset A,          V                 or transport error
//!                 INVITE sent +-----------+           inform TU
//!                   +---------|           |--------------------------+
//!                   |         |  Calling  |                          |
//!                   +-------->|           |-----------+              |
//!  300-699                    +-----------+ 2xx       |              |
//!  ACK sent, resp. to TU        |  |        2xx to TU |              |
//!  +----------------------------+  |1xx               |              |
//!  |              1xx              |1xx to TU         |              |
//!  |              1xx to TU        V                  |              |
//!  |                +---------+-----------+           |              |
//!  |                |         |Proceeding |           |              |
//!  |                +-------->|           |           |              |
//!  |                          +-----------+ 2xx       |              |
//!  |         300-699             |    |     2xx to TU |              |
//!  |         ACK sent,           |    |               |              |
//!  |         resp. to TU         |    +---------------+              |
//!  V              +--------------+                    |              |
//! +-----------+<--+                                   V              |
//! |           | 300-699: ACK sent                +-----------+       |
//! | Completed | transport error: inform TU ----+ |           | 2xx: 2xx to TU
//! |           |                                | | Accepted  |       |
//! +-----------+                                | +-----------+       |
//!    |Timer D fires                            |   |Timer M fires    |
//!    |                       +--------------+  |   |                 |
//!    +---------------------->|  Terminated  |<-+---+-----------------+
//!                            +--------------+
//! ```
//!
//! Over a reliable transport timers A and D do not run: Completed is then left as it is entered.

use super::timers::{Moment, Schedule, Timer, TimerSettings};
use super::{Action, Actions, Machine};
use std::time::Duration;

/// Where the transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// The INVITE was sent, nothing came back.
    Calling,
    /// A provisional response came.
    Proceeding,
    /// A final response other than 2xx came and was acknowledged.
    Completed,
    /// A 2xx came; more of them may.
    Accepted,
    /// It is over.
    Terminated,
}

/// What can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// A response of this status arrived.
    Response(u16),
    /// A timer fired.
    Fired(Timer),
    /// The transport could not send.
    TransportError,
}

/// The machine.
#[derive(Debug, Clone)]
pub struct InviteClient {
    state: State,
    is_reliable: bool,
    interval: Duration,
    timers: Schedule,
}

impl InviteClient {
    /// Begins in Calling; the caller sends the INVITE.
    #[must_use]
    pub fn new(is_reliable: bool, now: Moment, settings: &TimerSettings) -> Self {
        let mut timers = Schedule::default();
        timers.start(Timer::B, now + settings.timeout());
        if !is_reliable {
            timers.start(Timer::A, now + settings.t1);
        }
        Self { state: State::Calling, is_reliable, interval: settings.t1, timers }
    }

    /// One that came to this state long ago, Accepted or Completed, where it only waits for its last timer. The owner has that timer.
    #[must_use]
    pub fn resting(state: State) -> Self {
        Self { state, is_reliable: false, timers: Schedule::default(), interval: Duration::ZERO }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Takes an input.
    pub fn handle(&mut self, input: Input, now: Moment, settings: &TimerSettings) -> Actions {
        match self.state {
            State::Calling => self.calling(input, now, settings),
            State::Proceeding => self.proceeding(input, now, settings),
            State::Completed => self.completed(input),
            State::Accepted => self.accepted(input),
            State::Terminated => Actions::NONE,
        }
    }

    fn calling(&mut self, input: Input, now: Moment, settings: &TimerSettings) -> Actions {
        match input {
            Input::Response(100..=199) => {
                self.enter(State::Proceeding);
                Actions::one(Action::PassUp)
            }
            Input::Response(status) => self.finish(status, now, settings),
            Input::Fired(Timer::A) => {
                // Doubled without a limit (section 17.1.1.2).
                self.interval = self.interval.saturating_mul(2);
                self.timers.start(Timer::A, now + self.interval);
                Actions::one(Action::Transmit)
            }
            Input::Fired(Timer::B) => {
                self.enter(State::Terminated);
                Actions::one(Action::TimedOut)
            }
            Input::TransportError => {
                self.enter(State::Terminated);
                Actions::one(Action::TransportFailed)
            }
            Input::Fired(_) => Actions::NONE,
        }
    }

    fn proceeding(&mut self, input: Input, now: Moment, settings: &TimerSettings) -> Actions {
        match input {
            Input::Response(100..=199) => Actions::one(Action::PassUp),
            Input::Response(status) => self.finish(status, now, settings),
            Input::Fired(_) | Input::TransportError => Actions::NONE,
        }
    }

    fn completed(&mut self, input: Input) -> Actions {
        match input {
            Input::Response(300..) => Actions::one(Action::Acknowledge),
            Input::Fired(Timer::D) => {
                self.enter(State::Terminated);
                Actions::NONE
            }
            // The ACK could not be sent.
            Input::TransportError => {
                self.enter(State::Terminated);
                Actions::one(Action::TransportFailed)
            }
            Input::Response(_) | Input::Fired(_) => Actions::NONE,
        }
    }

    fn accepted(&mut self, input: Input) -> Actions {
        match input {
            Input::Response(200..=299) => Actions::one(Action::PassUp),
            Input::Fired(Timer::M) => {
                self.enter(State::Terminated);
                Actions::NONE
            }
            Input::Response(_) | Input::Fired(_) | Input::TransportError => Actions::NONE,
        }
    }

    /// Takes the first final response.
    fn finish(&mut self, status: u16, now: Moment, settings: &TimerSettings) -> Actions {
        if status < 300 {
            self.enter(State::Accepted);
            self.timers.start(Timer::M, now + settings.timeout());
            return Actions::one(Action::PassUp);
        }
        if self.is_reliable {
            self.enter(State::Terminated);
        } else {
            self.enter(State::Completed);
            self.timers.start(Timer::D, now + settings.d);
        }
        Actions::two(Action::Acknowledge, Action::PassUp)
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.timers.clear();
    }
}

impl Machine for InviteClient {
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
    use Action::{Acknowledge, PassUp, TimedOut, Transmit, TransportFailed};
    use State::{Accepted, Calling, Completed, Proceeding, Terminated};

    const STATES: [State; 5] = [Calling, Proceeding, Completed, Accepted, Terminated];

    fn inputs() -> Vec<Input> {
        let timers = [Timer::A, Timer::B, Timer::D, Timer::M];
        [100, 180, 200, 302, 486, 600]
            .map(Input::Response)
            .into_iter()
            .chain(timers.map(Input::Fired))
            .chain([Input::TransportError])
            .collect()
    }

    /// Every pair of state and input that does something. Pairs that are not here do nothing.
    fn expected(state: State, input: Input, is_reliable: bool) -> (State, Vec<Action>) {
        use Input::{Fired, Response};
        let refused = if is_reliable { Terminated } else { Completed };
        match (state, input) {
            (Calling, Response(100..=199)) => (Proceeding, vec![PassUp]),
            (Calling, Response(200..=299)) => (Accepted, vec![PassUp]),
            (Calling, Response(300..)) => (refused, vec![Acknowledge, PassUp]),
            (Calling, Fired(Timer::A)) => (Calling, vec![Transmit]),
            (Calling, Fired(Timer::B)) => (Terminated, vec![TimedOut]),
            (Calling, Input::TransportError) => (Terminated, vec![TransportFailed]),
            (Proceeding, Response(100..=199)) => (Proceeding, vec![PassUp]),
            (Proceeding, Response(200..=299)) => (Accepted, vec![PassUp]),
            (Proceeding, Response(300..)) => (refused, vec![Acknowledge, PassUp]),
            (Completed, Response(300..)) => (Completed, vec![Acknowledge]),
            (Completed, Fired(Timer::D)) => (Terminated, vec![]),
            (Completed, Input::TransportError) => (Terminated, vec![TransportFailed]),
            (Accepted, Response(200..=299)) => (Accepted, vec![PassUp]),
            (Accepted, Fired(Timer::M)) => (Terminated, vec![]),
            (same, _) => (same, vec![]),
        }
    }

    fn in_state(state: State, is_reliable: bool, settings: &TimerSettings) -> InviteClient {
        let mut machine = InviteClient::new(is_reliable, Moment::ZERO, settings);
        machine.enter(state);
        machine
    }

    #[test]
    fn rfc6026_figure_5_every_state_and_input() {
        let settings = TimerSettings::default();
        for is_reliable in [false, true] {
            for state in STATES {
                for input in inputs() {
                    let mut machine = in_state(state, is_reliable, &settings);
                    let actions = machine.handle(input, Moment::ZERO, &settings);
                    let got = (machine.state(), actions.into_iter().collect::<Vec<_>>());
                    assert_eq!(got, expected(state, input, is_reliable), "{state:?} {input:?}");
                }
            }
        }
    }

    #[test]
    fn rfc3261_17_1_1_2_the_invite_is_sent_seven_times_in_32_seconds() {
        let settings = TimerSettings::default();
        let mut machine = InviteClient::new(false, Moment::ZERO, &settings);
        let mut sent = vec![];
        let mut timed_out = None;
        while let Some(at) = machine.deadline() {
            let actions = machine.expire(at, &settings).expect("a timer is due");
            for action in actions {
                match action {
                    Transmit => sent.push(at.as_micros() / 1000),
                    TimedOut => timed_out = Some(at.as_micros() / 1000),
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!(sent, [500, 1500, 3500, 7500, 15_500, 31_500]);
        assert_eq!(timed_out, Some(32_000));
    }

    #[test]
    fn timers_of_each_state() {
        let settings = TimerSettings::default();
        let start = Moment::from_millis(1000);
        let mut machine = InviteClient::new(true, start, &settings);
        assert_eq!(machine.timers.at(Timer::A), None, "no retransmission over TCP");
        assert_eq!(machine.deadline(), Some(start + settings.timeout()));
        let _ = machine.handle(Input::Response(180), start, &settings);
        assert_eq!(machine.deadline(), None, "timer C is the proxy's");
        let _ = machine.handle(Input::Response(200), start, &settings);
        assert_eq!(machine.timers.at(Timer::M), Some(start + settings.timeout()));
        let mut machine = InviteClient::new(false, start, &settings);
        let _ = machine.handle(Input::Response(404), start, &settings);
        assert_eq!(machine.timers.at(Timer::D), Some(start + settings.d));
        assert_eq!(machine.timers.at(Timer::B), None);
    }
}
