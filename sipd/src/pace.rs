//! Writing in groups: what comes while a group waits for its turn goes with it.
//!
//! A commit costs the database about as much for one row as for twenty. The first change after a quiet moment is
//! written at once; under load groups begin a fixed time apart, so that each holds what came in between.

use std::time::Duration;
use tokio::time::Instant;

/// When the next group may be written.
#[derive(Debug)]
pub(crate) struct Pace {
    gap: Duration,
    next: Option<Instant>,
}

impl Pace {
    /// Groups that begin at least this far apart.
    pub(crate) const fn new(gap: Duration) -> Self {
        Self { gap, next: None }
    }

    /// Waits for the turn of the next group, at most for one gap.
    pub(crate) async fn turn(&mut self) {
        if let Some(next) = self.next {
            tokio::time::sleep_until(next).await;
        }
        self.next = Some(Instant::now() + self.gap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_goes_at_once_and_others_keep_their_distance() {
        let gap = Duration::from_millis(20);
        let (start, mut pace) = (Instant::now(), Pace::new(gap));
        pace.turn().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        tokio::time::advance(Duration::from_millis(5)).await;
        pace.turn().await;
        assert!(start.elapsed() >= gap && start.elapsed() < gap * 2);
        tokio::time::advance(gap * 5).await;
        let quiet = Instant::now();
        pace.turn().await;
        assert_eq!(quiet.elapsed(), Duration::ZERO);
    }
}
