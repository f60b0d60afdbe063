//! What is turned away first when too much waits: registrations and messages, then calls, then what belongs to calls.
//! Emergency calls are taken at every level.

use std::time::Duration;

/// What is turned away (503, Retry-After).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Shedding {
    /// Nothing.
    #[default]
    Nothing,
    /// New requests that are no calls: REGISTER, OPTIONS, MESSAGE, SUBSCRIBE and others.
    Registrations,
    /// New calls too.
    Calls,
    /// Requests inside dialogs too; emergency calls are left.
    Dialogs,
}

/// How much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pressure {
    /// How long what came outside of dialogs waited that is handled now.
    pub new_waited: Duration,
    /// How full its queue is, or the queue of what it leads to, in percent.
    pub new_percent: usize,
    /// How long what belongs to calls waited that is handled now.
    pub other_waited: Duration,
    /// How full its queue is, in percent.
    pub other_percent: usize,
}

/// From which waiting time on what is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShedRules {
    /// New requests that are no calls; also when their queue is half full.
    pub registrations: Duration,
    /// New calls; also when their queue is full to three quarters.
    pub calls: Duration,
    /// Requests inside dialogs, by their own waiting time; also when their queue is full to nine tenths.
    pub dialogs: Duration,
}

/// How full the queue of new requests is, in percent, when those are turned away that are no calls,
const FULL_OF_REQUESTS: usize = 50;
/// and when calls are too.
const FULL_OF_CALLS: usize = 75;

impl Shedding {
    /// What is turned away when the queue of new requests is so full, in percent, whatever else waits. Who fills the queue
    /// sees this before whoever empties it does.
    #[must_use]
    pub const fn of_queue(percent: usize) -> Self {
        match percent {
            FULL_OF_CALLS.. => Self::Calls,
            FULL_OF_REQUESTS.. => Self::Registrations,
            _ => Self::Nothing,
        }
    }

    /// The level that follows. It rises at once, and falls when there is half of what made it rise.
    #[must_use]
    pub fn next(self, pressure: &Pressure, rules: &ShedRules) -> Self {
        let is_beyond = |level: Self| {
            let (waited, longest, percent, most) = match level {
                Self::Nothing => return true,
                Self::Registrations => (
                    pressure.new_waited,
                    rules.registrations,
                    pressure.new_percent,
                    FULL_OF_REQUESTS,
                ),
                Self::Calls => {
                    (pressure.new_waited, rules.calls, pressure.new_percent, FULL_OF_CALLS)
                }
                Self::Dialogs => (pressure.other_waited, rules.dialogs, pressure.other_percent, 90),
            };
            let (part, share) = if level <= self { (2, most / 2) } else { (1, most) };
            waited >= longest / part || percent >= share
        };
        let levels = [Self::Dialogs, Self::Calls, Self::Registrations];
        levels.into_iter().find(|level| is_beyond(*level)).unwrap_or_default()
    }

    /// 0 for nothing to 3 for all but emergency calls.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Registrations => 1,
            Self::Calls => 2,
            Self::Dialogs => 3,
        }
    }

    /// The level of a number; those beyond three are three.
    #[must_use]
    pub const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Nothing,
            1 => Self::Registrations,
            2 => Self::Calls,
            _ => Self::Dialogs,
        }
    }

    /// Whether a new request is turned away that is no emergency call.
    #[must_use]
    pub const fn turns_away(self, is_call: bool, is_in_dialog: bool) -> bool {
        match self {
            Self::Nothing => false,
            Self::Registrations => !is_call && !is_in_dialog,
            Self::Calls => !is_in_dialog,
            Self::Dialogs => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: ShedRules = ShedRules {
        registrations: Duration::from_millis(100),
        calls: Duration::from_millis(200),
        dialogs: Duration::from_millis(1000),
    };

    fn waits(new: u64, other: u64) -> Pressure {
        Pressure {
            new_waited: Duration::from_millis(new),
            other_waited: Duration::from_millis(other),
            ..Pressure::default()
        }
    }

    fn full(new: usize, other: usize) -> Pressure {
        Pressure { new_percent: new, other_percent: other, ..Pressure::default() }
    }

    #[test]
    fn levels_rise_at_their_thresholds_and_fall_at_half() {
        use Shedding::{Calls, Dialogs, Nothing, Registrations};
        let walk = [
            (waits(99, 0), Nothing),
            (waits(100, 0), Registrations),
            (waits(50, 0), Registrations),
            (waits(199, 0), Registrations),
            (waits(200, 0), Calls),
            (waits(100, 0), Calls),
            (waits(99, 0), Registrations),
            (waits(49, 0), Nothing),
            (waits(200, 999), Calls),
            (waits(200, 1000), Dialogs),
            (waits(0, 500), Dialogs),
            (waits(0, 499), Nothing),
            (full(49, 0), Nothing),
            (full(50, 0), Registrations),
            (full(75, 0), Calls),
            (full(38, 0), Calls),
            (full(36, 0), Registrations),
            (full(24, 0), Nothing),
            (full(100, 89), Calls),
            (full(0, 90), Dialogs),
            (full(0, 0), Nothing),
        ];
        let mut level = Nothing;
        for (step, (pressure, expected)) in walk.into_iter().enumerate() {
            level = level.next(&pressure, &RULES);
            assert_eq!(level, expected, "step {step}");
        }
    }

    #[test]
    fn a_queue_that_fills_says_what_the_next_level_would_be() {
        for percent in 0..=100 {
            let next = Shedding::Nothing.next(&full(percent, 0), &RULES);
            assert_eq!(Shedding::of_queue(percent), next, "{percent}");
        }
    }

    #[test]
    fn the_order() {
        let table = |level: Shedding| {
            [(false, false), (true, false), (false, true)]
                .map(|(is_call, is_in_dialog)| level.turns_away(is_call, is_in_dialog))
        };
        assert_eq!(table(Shedding::Nothing), [false, false, false]);
        assert_eq!(table(Shedding::Registrations), [true, false, false]);
        assert_eq!(table(Shedding::Calls), [true, true, false]);
        assert_eq!(table(Shedding::Dialogs), [true, true, true]);
    }
}
