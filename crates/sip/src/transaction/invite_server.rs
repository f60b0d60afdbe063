//! The INVITE server transaction (RFC 3261 section 17.2.1, RFC 6026 section 8.4).
//!
//! ```text
//!                                   |INVITE
//!                                   |pass INVITE to TU
//!                INVITE             V send 100 if TU will not in 200 ms
//!                send response +------------+
//!                    +---------|            |--------+ 101-199 from TU
//!                    |         | Proceeding |        | send response
//!                    +-------->|            |<-------+
//!                              |            |--------+ transport error
//!                              +------------+        | inform TU
//!              300-699 from TU  |    |    ^----------+
//!              send response    |    |2xx from TU
//!                +--------------+    |send response
//!                |                   +---------------+
//!  INVITE        V     Timer G fires                 |
//!  send resp. +-----------+ send resp.               |
//!     +-------| Completed |------+                   V       INVITE: -
//!     +------>|           |<-----+            +------------+ ACK to TU
//!             |           |--+ transport err. |  Accepted  | 2xx from TU: send response
//!             +-----------+<-+ inform TU      +------------+ transport error: inform TU
//!               |      |ACK                          |
//!  Timer H fires|      V                             |
//!     inform TU |   +-----------+                    |
//!               |   | Confirmed | ACK, INVITE: -     |
//!               |   +-----------+                    |Timer L fires
//!               |      |Timer I fires                |
//!               V      V                             V
//!             +----------------------------------------+
//!             |               Terminated               |
//!             +----------------------------------------+
//! ```
//!
//! Over a reliable transport timers G and I do not run: Confirmed is then left as it is entered.

use super::timers::{Moment, Schedule, Timer, TimerSettings};
use super::{Action, Actions, Machine};
use std::time::Duration;

/// Where the transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// The transaction user is working on it.
    Proceeding,
    /// A final response other than 2xx was sent.
    Completed,
    /// That response was acknowledged.
    Confirmed,
    /// A 2xx was sent; more of them may follow.
    Accepted,
    /// It is over.
    Terminated,
}

/// What can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// The INVITE arrived again.
    Invite,
    /// An ACK arrived.
    Ack,
    /// The transaction user sends a response of this status.
    Respond(u16),
    /// A timer fired.
    Fired(Timer),
    /// The transport could not send.
    TransportError,
}

/// The machine.
#[derive(Debug, Clone)]
pub struct InviteServer {
    state: State,
    is_reliable: bool,
    interval: Duration,
    timers: Schedule,
    /// How often a final response other than 2xx may still be sent again by itself.
    repeats: u8,
}

impl InviteServer {
    /// Begins in Proceeding; the caller passes the INVITE up.
    #[must_use]
    pub fn new(is_reliable: bool, settings: &TimerSettings) -> Self {
        let timers = Schedule::default();
        Self {
            state: State::Proceeding,
            is_reliable,
            interval: settings.t1,
            timers,
            repeats: u8::MAX,
        }
    }

    /// Lets a final response other than 2xx be sent again by itself so often at most; without, it is until timer H fires.
    pub const fn limit_repeats(&mut self, most: u8) {
        self.repeats = most;
    }

    /// Lets it be sent again so often at least, unless over a reliable transport.
    pub fn raise_repeats(&mut self, least: u8) {
        self.repeats = self.repeats.max(least);
    }

    /// One that came to this state long ago, Accepted or Confirmed, where it only waits for its last timer. The owner has that timer.
    #[must_use]
    pub fn resting(state: State) -> Self {
        Self {
            state,
            is_reliable: false,
            timers: Schedule::default(),
            interval: Duration::ZERO,
            repeats: 0,
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Takes an input. [`Action::Transmit`] sends the response that is the latest one by then, so the caller
    /// stores a response of its own first, when [`InviteServer::admits`] says that it goes out.
    pub fn handle(&mut self, input: Input, now: Moment, settings: &TimerSettings) -> Actions {
        match self.state {
            State::Proceeding => self.proceeding(input, now, settings),
            State::Completed => self.completed(input, now, settings),
            State::Accepted => self.accepted(input),
            State::Confirmed => self.confirmed(input),
            State::Terminated => Actions::NONE,
        }
    }

    /// Whether a response of that status from the transaction user would be sent now.
    #[must_use]
    pub const fn admits(&self, status: u16) -> bool {
        match self.state {
            State::Proceeding => true,
            State::Accepted => status >= 200 && status < 300,
            State::Completed | State::Confirmed | State::Terminated => false,
        }
    }

    fn proceeding(&mut self, input: Input, now: Moment, settings: &TimerSettings) -> Actions {
        match input {
            Input::Invite | Input::Respond(100..=199) => Actions::one(Action::Transmit),
            Input::Respond(200..=299) => {
                self.enter(State::Accepted);
                self.timers.start(Timer::L, now + settings.timeout());
                Actions::one(Action::Transmit)
            }
            Input::Respond(_) => {
                self.enter(State::Completed);
                self.timers.start(Timer::H, now + settings.timeout());
                if !self.is_reliable && self.repeats > 0 {
                    self.timers.start(Timer::G, now + self.interval);
                }
                Actions::one(Action::Transmit)
            }
            Input::TransportError => Actions::one(Action::TransportFailed),
            Input::Ack | Input::Fired(_) => Actions::NONE,
        }
    }

    fn completed(&mut self, input: Input, now: Moment, settings: &TimerSettings) -> Actions {
        match input {
            Input::Invite => Actions::one(Action::Transmit),
            Input::Ack => {
                if self.is_reliable {
                    self.enter(State::Terminated);
                } else {
                    self.enter(State::Confirmed);
                    self.timers.start(Timer::I, now + settings.t4);
                }
                Actions::NONE
            }
            Input::Fired(Timer::G) => {
                self.interval = settings.next_interval(self.interval);
                self.repeats = self.repeats.saturating_sub(1);
                if self.repeats > 0 {
                    self.timers.start(Timer::G, now + self.interval);
                }
                Actions::one(Action::Transmit)
            }
            Input::Fired(Timer::H) => {
                self.enter(State::Terminated);
                Actions::one(Action::TimedOut)
            }
            Input::TransportError => Actions::one(Action::TransportFailed),
            Input::Respond(_) | Input::Fired(_) => Actions::NONE,
        }
    }

    fn accepted(&mut self, input: Input) -> Actions {
        match input {
            Input::Ack => Actions::one(Action::PassUp),
            Input::Respond(200..=299) => Actions::one(Action::Transmit),
            Input::Fired(Timer::L) => {
                self.enter(State::Terminated);
                Actions::NONE
            }
            Input::TransportError => Actions::one(Action::TransportFailed),
            Input::Invite | Input::Respond(_) | Input::Fired(_) => Actions::NONE,
        }
    }

    fn confirmed(&mut self, input: Input) -> Actions {
        if input == Input::Fired(Timer::I) {
            self.enter(State::Terminated);
        }
        Actions::NONE
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.timers.clear();
    }
}

impl Machine for InviteServer {
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
    use State::{Accepted, Completed, Confirmed, Proceeding, Terminated};

    const STATES: [State; 5] = [Proceeding, Completed, Confirmed, Accepted, Terminated];

    fn inputs() -> Vec<Input> {
        let timers = [Timer::G, Timer::H, Timer::I, Timer::L];
        [100, 183, 200, 302, 404, 503, 603]
            .map(Input::Respond)
            .into_iter()
            .chain(timers.map(Input::Fired))
            .chain([Input::Invite, Input::Ack, Input::TransportError])
            .collect()
    }

    /// Every pair of state and input that does something. Pairs that are not here do nothing.
    fn expected(state: State, input: Input, is_reliable: bool) -> (State, Vec<Action>) {
        use Input::{Ack, Fired, Invite, Respond};
        let confirmed = if is_reliable { Terminated } else { Confirmed };
        match (state, input) {
            (Proceeding, Invite | Respond(100..=199)) => (Proceeding, vec![Transmit]),
            (Proceeding, Respond(200..=299)) => (Accepted, vec![Transmit]),
            (Proceeding, Respond(_)) => (Completed, vec![Transmit]),
            (Proceeding, Input::TransportError) => (Proceeding, vec![TransportFailed]),
            (Completed, Invite | Fired(Timer::G)) => (Completed, vec![Transmit]),
            (Completed, Ack) => (confirmed, vec![]),
            (Completed, Fired(Timer::H)) => (Terminated, vec![TimedOut]),
            (Completed, Input::TransportError) => (Completed, vec![TransportFailed]),
            (Confirmed, Fired(Timer::I)) => (Terminated, vec![]),
            (Accepted, Ack) => (Accepted, vec![PassUp]),
            (Accepted, Respond(200..=299)) => (Accepted, vec![Transmit]),
            (Accepted, Fired(Timer::L)) => (Terminated, vec![]),
            (Accepted, Input::TransportError) => (Accepted, vec![TransportFailed]),
            (same, _) => (same, vec![]),
        }
    }

    #[test]
    fn rfc6026_figure_7_every_state_and_input() {
        let settings = TimerSettings::default();
        for is_reliable in [false, true] {
            for state in STATES {
                for input in inputs() {
                    let mut machine = InviteServer::new(is_reliable, &settings);
                    machine.enter(state);
                    let admits = matches!(input, Input::Respond(s) if machine.admits(s));
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
    fn rfc3261_17_2_1_a_refusal_is_repeated_until_timer_h() {
        let settings = TimerSettings::default();
        let mut machine = InviteServer::new(false, &settings);
        let _ = machine.handle(Input::Respond(486), Moment::ZERO, &settings);
        let (mut sent, mut timed_out) = (vec![], None);
        while let Some(at) = machine.deadline() {
            for action in machine.expire(at, &settings).expect("a timer is due") {
                match action {
                    Transmit => sent.push(at.as_micros() / 1000),
                    TimedOut => timed_out = Some(at.as_micros() / 1000),
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!(sent, [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
        assert_eq!(timed_out, Some(32_000));
    }

    // RFC 3261 section 26.3.2.4.
    #[test]
    fn repeats_can_be_limited() {
        let settings = TimerSettings::default();
        for most in [0, 1, 3] {
            let mut machine = InviteServer::new(false, &settings);
            machine.limit_repeats(most);
            let _ = machine.handle(Input::Respond(401), Moment::ZERO, &settings);
            let mut sent = 0;
            while let Some(at) = machine.deadline() {
                let actions = machine.expire(at, &settings).expect("it is due");
                sent += actions.into_iter().filter(|action| *action == Action::Transmit).count();
            }
            assert_eq!((sent, machine.state()), (usize::from(most), State::Terminated));
            // It is there for whoever asks again.
            let mut machine = InviteServer::new(false, &settings);
            machine.limit_repeats(most);
            let _ = machine.handle(Input::Respond(401), Moment::ZERO, &settings);
            let again = machine.handle(Input::Invite, Moment::from_millis(500), &settings);
            assert_eq!(again.into_iter().collect::<Vec<_>>(), [Action::Transmit]);
        }
    }

    #[test]
    fn timers_of_each_state() {
        let settings = TimerSettings::default();
        let mut machine = InviteServer::new(true, &settings);
        assert_eq!(machine.deadline(), None);
        let _ = machine.handle(Input::Respond(486), Moment::ZERO, &settings);
        assert_eq!(machine.timers.at(Timer::G), None, "no retransmission over TCP");
        assert_eq!(machine.deadline(), Some(Moment::ZERO + settings.timeout()));
        let mut machine = InviteServer::new(false, &settings);
        let _ = machine.handle(Input::Respond(486), Moment::ZERO, &settings);
        let _ = machine.handle(Input::Ack, Moment::ZERO, &settings);
        assert_eq!(machine.deadline(), Some(Moment::ZERO + settings.t4));
        let mut machine = InviteServer::new(false, &settings);
        let _ = machine.handle(Input::Respond(200), Moment::ZERO, &settings);
        assert_eq!(machine.timers.at(Timer::L), Some(Moment::ZERO + settings.timeout()));
    }
}
