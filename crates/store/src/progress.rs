//! How far a long load has come, told every few seconds under the target `ngn::load`.

use std::time::{Duration, Instant};

/// How often it is told.
const EVERY: Duration = Duration::from_secs(3);
/// The clock is looked at once in so many rows.
const STEP: u64 = 1024;

/// Counts the rows of one kind that were read.
#[derive(Debug)]
pub(crate) struct Progress {
    what: &'static str,
    rows: u64,
    begun: Instant,
    told: Instant,
}

impl Progress {
    /// Nothing was read yet of what has that name in the log.
    pub(crate) fn of(what: &'static str) -> Self {
        let begun = Instant::now();
        Self { what, rows: 0, begun, told: begun }
    }

    /// One row more.
    pub(crate) fn row(&mut self) {
        self.rows = self.rows.saturating_add(1);
        if self.rows.is_multiple_of(STEP) && self.is_due(Instant::now()) {
            let (what, rows) = (self.what, self.rows);
            let seconds = self.begun.elapsed().as_secs();
            tracing::info!(
                target: "ngn::load",
                { load.what = what, load.rows = rows, load.seconds = seconds },
                "loading"
            );
        }
    }

    /// Whether it is time to tell; then it is not for a while.
    fn is_due(&mut self, now: Instant) -> bool {
        let is_due = now.saturating_duration_since(self.told) >= EVERY;
        if is_due {
            self.told = now;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_every_few_seconds() {
        let mut progress = Progress::of("accounts");
        (0..5000).for_each(|_| progress.row());
        assert_eq!(progress.rows, 5000);
        let told: Vec<u64> = (0..10)
            .filter(|second| {
                let begun = progress.begun;
                progress.is_due(begun + Duration::from_secs(*second))
            })
            .collect();
        assert_eq!(told, [3, 6, 9]);
    }
}
