//! Whether a daemon serves, and up to which journal position.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// A handle that followers feed and the admin port reads. Clones are the same handle.
#[derive(Debug, Clone)]
pub struct Readiness {
    state: Arc<watch::Sender<State>>,
}

/// What is known at one time.
#[derive(Debug, Clone, Default)]
struct State {
    ready: bool,
    why: String,
    low_water: u64,
    /// Positions above `low_water` that were applied, sorted; short, since gaps close quickly.
    above: Vec<u64>,
}

impl State {
    fn has(&self, position: u64) -> bool {
        position <= self.low_water || self.above.binary_search(&position).is_ok()
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

impl Readiness {
    /// Not ready, nothing applied.
    #[must_use]
    pub fn new() -> Self {
        let state = State { why: "starting".to_owned(), ..State::default() };
        Self { state: Arc::new(watch::Sender::new(state)) }
    }

    /// Says whether the daemon serves, and why not.
    pub fn set_ready(&self, ready: bool, why: &str) {
        self.state.send_modify(|state| {
            state.ready = ready;
            why.clone_into(&mut state.why);
        });
    }

    /// Says which journal positions were applied: everything up to `low_water`, and `positions`, which may lie
    /// above it, since rows become visible out of order.
    pub fn applied(&self, low_water: u64, positions: impl IntoIterator<Item = u64>) {
        self.state.send_modify(|state| {
            state.low_water = state.low_water.max(low_water);
            state.above.extend(positions);
            let low_water = state.low_water;
            state.above.retain(|position| *position > low_water);
            state.above.sort_unstable();
            state.above.dedup();
        });
    }

    /// Whether the daemon serves, and why not.
    #[must_use]
    pub fn is_ready(&self) -> (bool, String) {
        let state = self.state.borrow();
        (state.ready, state.why.clone())
    }

    /// The position up to which everything was applied.
    #[must_use]
    pub fn position(&self) -> u64 {
        let state = self.state.borrow();
        state.above.last().copied().unwrap_or(state.low_water)
    }

    /// Waits until a position was applied; false when the time ran out.
    pub async fn wait_for(&self, position: u64, limit: Duration) -> bool {
        let mut watch = self.state.subscribe();
        let reached = watch.wait_for(|state| state.has(position));
        matches!(tokio::time::timeout(limit, reached).await, Ok(Ok(_)))
    }

    /// Waits until the daemon serves; false when the time ran out.
    pub async fn wait_ready(&self, limit: Duration) -> bool {
        let mut watch = self.state.subscribe();
        let reached = watch.wait_for(|state| state.ready);
        matches!(tokio::time::timeout(limit, reached).await, Ok(Ok(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn late_positions_count_when_they_are_applied() {
        let readiness = Readiness::new();
        readiness.applied(3, [5]);
        let soon = Duration::from_millis(1);
        assert!(readiness.wait_for(3, soon).await);
        assert!(readiness.wait_for(5, soon).await);
        assert!(!readiness.wait_for(4, soon).await);
        let waiter = tokio::spawn({
            let readiness = readiness.clone();
            async move { readiness.wait_for(4, Duration::from_secs(10)).await }
        });
        readiness.applied(5, [4]);
        assert!(waiter.await.expect("the waiter ends"));
        assert_eq!(readiness.position(), 5);
    }
}
