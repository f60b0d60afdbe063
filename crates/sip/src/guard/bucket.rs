//! So many in a second (generic cell rate algorithm).

use crate::transaction::Moment;
use std::time::Duration;

/// A rate with room for bursts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// So many in a second in the long run; 0: any number.
    pub each_second: u32,
    /// So many at once.
    pub burst: u32,
}

/// What is left of a rate.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bucket {
    /// Until when what was taken is paid for.
    paid: Moment,
}

impl Bucket {
    /// Takes one; `false`, and nothing is taken, when there is none.
    pub fn take(&mut self, now: Moment, rate: Rate) -> bool {
        let Some(each) = Duration::from_secs(1).checked_div(rate.each_second) else { return true };
        let paid = self.paid.max(now);
        let is_left = paid.since(now) <= each.saturating_mul(rate.burst.saturating_sub(1));
        if is_left {
            self.paid = paid + each;
        }
        is_left
    }
}
