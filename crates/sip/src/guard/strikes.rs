//! Failures, and how long they keep somebody out.

use crate::transaction::Moment;
use std::time::Duration;

/// How many failures are too many, and what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StrikeRules {
    /// So many within [`within`](Self::within) are too many; 0: any number is fine.
    pub most: u32,
    /// The time in which failures are counted together.
    pub within: Duration,
    /// How long the first ban lasts; each further one lasts twice as long.
    pub first: Duration,
    /// The longest ban, and how long somebody must do nothing wrong after a ban for the next one to be a first one.
    pub longest: Duration,
}

/// The failures of somebody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Strikes {
    count: u32,
    since: Moment,
    bans: u32,
    until: Moment,
}

impl Strikes {
    /// Counts a failure; gives how long the ban lasts when one begins.
    pub fn strike(&mut self, now: Moment, rules: &StrikeRules) -> Option<Duration> {
        if rules.most == 0 {
            return None;
        }
        if self.is_over(now, rules) {
            (self.count, self.since) = (0, now);
        }
        if self.bans > 0 && now.since(self.until) >= rules.longest {
            self.bans = 0;
        }
        self.count += 1;
        if self.count < rules.most {
            return None;
        }
        let factor = 1_u32.checked_shl(self.bans).unwrap_or(u32::MAX);
        let length = rules.first.saturating_mul(factor).min(rules.longest);
        self.bans = (self.bans + 1).min(31);
        self.count = 0;
        self.until = now + length;
        Some(length)
    }

    /// Whether a ban lasts.
    #[must_use]
    pub fn is_out(&self, now: Moment) -> bool {
        now < self.until
    }

    /// When the last ban ends.
    #[must_use]
    pub const fn until(&self) -> Moment {
        self.until
    }

    /// Whether the next failure is counted from one again.
    pub(super) fn is_over(&self, now: Moment, rules: &StrikeRules) -> bool {
        self.count == 0 || now.since(self.since) >= rules.within
    }
}
