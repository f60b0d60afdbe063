//! Whether a call goes on of whose end nobody tells: session timers (RFC 4028 section 8.3), and OPTIONS inside the
//! dialog to both sides where there are none.
//!
//! ```text
//!              2xx with Session-Expires from the callee
//!            +------------------------------------------+
//!            |                                          v
//!         probed                                      timed ----- the session ran out -----> over
//!            ^                                          |          (no BYE: section 8.3)
//!            |   2xx to a refresh, without one          |
//!            +------------------------------------------+
//!            |
//!            |  due: ask each side that has not been heard of for an interval
//!            |    anything but 481 and 408 ---> alive: asked again an interval later
//!            |    481, 408 or nothing --------> asked again soon; so many times in a row ---> over
//!            |                                                      (BYE to the other side)
//! ```
//!
//! A session interval that this proxy gave in the callee's place is known to the caller alone (section 8.2). When such a
//! session runs out, the callee may go on, and charge for it: then both are asked, and their answers count.
//!
//! The machine knows neither messages nor clocks: the owner tells it what happened and when.

use crate::stack::Session;
use crate::transaction::Moment;
use std::time::Duration;

/// How calls are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How often a side is asked that was not heard of; zero: never.
    pub interval: Duration,
    /// How soon it is asked again when it said nothing, or that it knows nothing of the call.
    pub again: Duration,
    /// How many times in a row until the call is over.
    pub failures: u32,
}

/// A side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Who sent the INVITE.
    Caller,
    /// Who answered it.
    Callee,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Caller, Self::Callee];

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}

/// Why a call is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Its session ran out.
    SessionRanOut,
    /// This side is not there any more, or knows nothing of the call.
    Gone(Side),
}

/// The end of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    /// Why.
    pub cause: Cause,
    /// When it was last known to go on.
    pub alive_at: Moment,
}

/// What the owner has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Ask this side, and tell [`Watch::answered`].
    Probe(Side),
    /// The call is over: forget it.
    End(Over),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Life {
    /// When it was heard of last.
    heard_at: Moment,
    /// How many probes in a row were in vain.
    failures: u32,
    /// A probe has no answer yet.
    is_asked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Over at this moment, unless it is refreshed; `is_enforced` as in [`Session`].
    Timed { until: Moment, is_enforced: bool },
    /// The next probe is due then.
    Probed { due: Moment },
    /// Nobody can be asked.
    Unwatched,
}

/// A call that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    caller: Life,
    callee: Life,
    state: State,
    can_probe: bool,
}

/// How much longer than its interval a session is taken to last: as long before its end, at most, a user agent says BYE
/// (RFC 4028 section 10), which may be sent again for as long.
fn grace(interval: Duration) -> Duration {
    (interval / 3).min(Duration::from_secs(32))
}

impl Watch {
    /// A call that is answered now; `can_probe` says whether its sides can be asked at all.
    #[must_use]
    pub fn new(now: Moment, session: Option<Session>, can_probe: bool, rules: &Rules) -> Self {
        let life = Life { heard_at: now, failures: 0, is_asked: false };
        let state = State::Unwatched;
        let can_probe = can_probe && !rules.interval.is_zero();
        let mut watch = Self { caller: life, callee: life, state, can_probe };
        watch.refreshed(now, session, rules);
        watch
    }

    /// When [`timeout`](Self::timeout) has to be called next.
    #[must_use]
    pub const fn deadline(&self) -> Option<Moment> {
        match self.state {
            State::Timed { until, .. } => Some(until),
            State::Probed { due } => Some(due),
            State::Unwatched => None,
        }
    }

    /// The call was answered, or an INVITE or UPDATE in it: a session begins, or there is none.
    pub fn refreshed(&mut self, now: Moment, session: Option<Session>, rules: &Rules) {
        self.state = match session {
            Some(Session { seconds, is_enforced }) => {
                let interval = Duration::from_secs(seconds.into());
                State::Timed { until: now + interval + grace(interval), is_enforced }
            }
            None if self.can_probe => State::Probed { due: now + rules.interval },
            None => State::Unwatched,
        };
    }

    /// Something came from a side that belongs to the call.
    pub const fn heard(&mut self, side: Side, now: Moment) {
        let life = self.life_mut(side);
        life.heard_at = now;
        life.failures = 0;
    }

    /// Lets happen what is due.
    pub fn timeout(&mut self, now: Moment, rules: &Rules) -> Vec<Order> {
        if self.deadline().is_none_or(|deadline| deadline > now) {
            return Vec::new();
        }
        match self.state {
            State::Timed { is_enforced: true, .. } => {
                let alive_at = self.caller.heard_at.min(self.callee.heard_at);
                return vec![Order::End(Over { cause: Cause::SessionRanOut, alive_at })];
            }
            State::Timed { is_enforced: false, .. } if !self.can_probe => {
                self.state = State::Unwatched;
                return Vec::new();
            }
            State::Timed { .. } | State::Probed { .. } | State::Unwatched => {}
        }
        // A session that ran out is doubted now.
        let is_doubted = matches!(self.state, State::Timed { .. });
        let mut orders = Vec::new();
        let mut due = now + rules.interval;
        for side in Side::BOTH {
            let life = self.life_mut(side);
            let quiet =
                life.heard_at + if life.failures > 0 { rules.again } else { rules.interval };
            if life.is_asked {
                continue;
            }
            if is_doubted || quiet <= now {
                life.is_asked = true;
                orders.push(Order::Probe(side));
            } else {
                due = due.min(quiet);
            }
        }
        self.state = State::Probed { due };
        orders
    }

    /// A side was asked: whether it is there and knows of the call.
    pub fn answered(
        &mut self,
        side: Side,
        is_alive: bool,
        now: Moment,
        rules: &Rules,
    ) -> Option<Over> {
        let life = self.life_mut(side);
        life.is_asked = false;
        if is_alive {
            self.heard(side, now);
            return None;
        }
        life.failures = life.failures.saturating_add(1);
        let is_gone = life.failures >= rules.failures;
        let State::Probed { due } = &mut self.state else { return None };
        *due = (*due).min(now + rules.again);
        // When both are silent, it is over since the first one was.
        let silent = [self.caller, self.callee].into_iter().filter(|life| life.failures > 0);
        let alive_at = silent.map(|life| life.heard_at).min().unwrap_or(now);
        is_gone.then_some(Over { cause: Cause::Gone(side), alive_at })
    }

    /// A probe could not be sent, which says nothing about whom it was for.
    pub const fn not_asked(&mut self, side: Side) {
        self.life_mut(side).is_asked = false;
    }

    const fn life_mut(&mut self, side: Side) -> &mut Life {
        match side {
            Side::Caller => &mut self.caller,
            Side::Callee => &mut self.callee,
        }
    }
}

/// Whether the final answer to a request inside a dialog shows that whoever gave it still knows of the dialog (RFC 3261
/// section 12.2.1.2; 430: its connection is gone, RFC 5626 section 5.3.1).
#[must_use]
pub const fn is_alive(status: u16) -> bool {
    !matches!(status, 408 | 430 | 481)
}

#[cfg(test)]
mod tests;
