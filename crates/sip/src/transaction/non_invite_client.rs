//! The client transaction of requests other than INVITE (RFC 3261 section 17.1.2).
//!
//! ```text
//!                                   |Request from TU
//!                                   |send request
//!               Timer E             V
//!               send request  +-----------+
//!                   +---------|           |-------------------+
//!                   |         |  Trying   |  Timer F          |
//!                   +-------->|           |  or transport err.|
//!                             +-----------+  inform TU        |
//!                200-699         |  |                         |
//!                resp. to TU     |  |1xx                      |
//!                +---------------+  |resp. to TU              |
//!                |                  |                         |
//!                |   Timer E        V       Timer F           |
//!                |   send req +-----------+ or transport err. |
//!                |  +---------|           | inform TU         |
//!                |  |         |Proceeding |------------------>|
//!                |  +-------->|           |-----+             |
//!                |            +-----------+     |1xx          |
//!                |              |      ^        |resp to TU   |
//!                | 200-699      |      +--------+             |
//!                | resp. to TU  |                             |
//!                |              V                             |
//!                |            +-----------+                   |
//!                +----------->| Completed |                   |
//!                             +-----------+                   |
//!                                |Timer K                     |
//!                                V                            |
//!                             +-----------+                   |
//!                             |Terminated |<------------------+
//!                             +-----------+
//! ```
//!
//! Over a reliable transport timers E and K do not run: Completed is then left as it is entered.

use super::timers::{Moment, Schedule, Timer, TimerSettings};
use super::{Action, Actions, Machine};
use std::time::Duration;

/// Where the transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// The request was sent, nothing came back.
    Trying,
    /// A provisional response came.
    Proceeding,
    /// A final response came.
    Completed,
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
pub struct NonInviteClient {
    state: State,
    is_reliable: bool,
    interval: Duration,
    timers: Schedule,
}

impl NonInviteClient {
    /// Begins in Trying; the caller sends the request.
    #[must_use]
    pub fn new(is_reliable: bool, now: Moment, settings: &TimerSettings) -> Self {
        let mut timers = Schedule::default();
        timers.start(Timer::F, now + settings.timeout());
        if !is_reliable {
            timers.start(Timer::E, now + settings.t1);
        }
        Self { state: State::Trying, is_reliable, interval: settings.t1, timers }
    }

    /// One that came to this state long ago, Completed, where it only waits for its last timer. The owner has that timer.
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
            State::Trying | State::Proceeding => self.pending(input, now, settings),
            State::Completed => self.completed(input),
            State::Terminated => Actions::NONE,
        }
    }

    fn pending(&mut self, input: Input, now: Moment, settings: &TimerSettings) -> Actions {
        match input {
            Input::Response(100..=199) => {
                self.state = State::Proceeding;
                Actions::one(Action::PassUp)
            }
            Input::Response(_) => {
                if self.is_reliable {
                    self.enter(State::Terminated);
                } else {
                    self.enter(State::Completed);
                    self.timers.start(Timer::K, now + settings.t4);
                }
                Actions::one(Action::PassUp)
            }
            Input::Fired(Timer::E) => {
                // In Proceeding the interval is T2 at once (section 17.1.2.2).
                self.interval = match self.state {
                    State::Proceeding => settings.t2,
                    _ => settings.next_interval(self.interval),
                };
                self.timers.start(Timer::E, now + self.interval);
                Actions::one(Action::Transmit)
            }
            Input::Fired(Timer::F) => {
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

    fn completed(&mut self, input: Input) -> Actions {
        if input == Input::Fired(Timer::K) {
            self.enter(State::Terminated);
        }
        Actions::NONE
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.timers.clear();
    }
}

impl Machine for NonInviteClient {
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
    use Action::{PassUp, TimedOut, Transmit, TransportFailed};
    use State::{Completed, Proceeding, Terminated, Trying};

    const STATES: [State; 4] = [Trying, Proceeding, Completed, Terminated];

    fn inputs() -> Vec<Input> {
        let timers = [Timer::E, Timer::F, Timer::K];
        [100, 183, 200, 302, 404, 503, 603]
            .map(Input::Response)
            .into_iter()
            .chain(timers.map(Input::Fired))
            .chain([Input::TransportError])
            .collect()
    }

    /// Every pair of state and input that does something. Pairs that are not here do nothing.
    fn expected(state: State, input: Input, is_reliable: bool) -> (State, Vec<Action>) {
        use Input::{Fired, Response};
        let done = if is_reliable { Terminated } else { Completed };
        match (state, input) {
            (Trying | Proceeding, Response(100..=199)) => (Proceeding, vec![PassUp]),
            (Trying | Proceeding, Response(_)) => (done, vec![PassUp]),
            (Trying | Proceeding, Fired(Timer::E)) => (state, vec![Transmit]),
            (Trying | Proceeding, Fired(Timer::F)) => (Terminated, vec![TimedOut]),
            (Trying | Proceeding, Input::TransportError) => (Terminated, vec![TransportFailed]),
            (Completed, Fired(Timer::K)) => (Terminated, vec![]),
            (same, _) => (same, vec![]),
        }
    }

    #[test]
    fn rfc3261_figure_6_every_state_and_input() {
        let settings = TimerSettings::default();
        for is_reliable in [false, true] {
            for state in STATES {
                for input in inputs() {
                    let mut machine = NonInviteClient::new(is_reliable, Moment::ZERO, &settings);
                    machine.enter(state);
                    let actions = machine.handle(input, Moment::ZERO, &settings);
                    let got = (machine.state(), actions.into_iter().collect::<Vec<_>>());
                    assert_eq!(got, expected(state, input, is_reliable), "{state:?} {input:?}");
                }
            }
        }
    }

    fn transmissions(provisional_at: Option<u64>) -> (Vec<u64>, Option<u64>) {
        let settings = TimerSettings::default();
        let mut machine = NonInviteClient::new(false, Moment::ZERO, &settings);
        let (mut sent, mut timed_out) = (vec![], None);
        let mut provisional = provisional_at;
        while let Some(at) = machine.deadline() {
            if let Some(p) = provisional.filter(|p| Moment::from_millis(*p) < at) {
                let _ = machine.handle(Input::Response(100), Moment::from_millis(p), &settings);
                provisional = None;
                continue;
            }
            for action in machine.expire(at, &settings).expect("a timer is due") {
                match action {
                    Transmit => sent.push(at.as_micros() / 1000),
                    TimedOut => timed_out = Some(at.as_micros() / 1000),
                    other => panic!("{other:?}"),
                }
            }
        }
        (sent, timed_out)
    }

    #[test]
    fn rfc3261_17_1_2_2_intervals_double_up_to_t2() {
        let (sent, timed_out) = transmissions(None);
        assert_eq!(sent, [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
        assert_eq!(timed_out, Some(32_000));
        let (sent, timed_out) = transmissions(Some(600));
        assert_eq!(sent, [500, 1500, 5500, 9500, 13_500, 17_500, 21_500, 25_500, 29_500]);
        assert_eq!(timed_out, Some(32_000));
    }

    #[test]
    fn over_a_reliable_transport_only_timer_f_runs() {
        let settings = TimerSettings::default();
        let machine = NonInviteClient::new(true, Moment::ZERO, &settings);
        assert_eq!(machine.timers.at(Timer::E), None);
        assert_eq!(machine.deadline(), Some(Moment::ZERO + settings.timeout()));
    }
}
