//! Moments, timers A to M and their durations (RFC 3261 section 17.1.1.1 and table 4, RFC 6026 section 8.4).

use std::fmt;
use std::ops::Add;
use std::time::Duration;

/// A point in monotonic time, in microseconds since a start that only the caller knows.
///
/// Nothing here reads a clock: a daemon derives moments from its monotonic clock, a test makes them up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(u64);

impl Moment {
    /// The start.
    pub const ZERO: Self = Self(0);

    /// The moment so many microseconds after the start.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The moment so many milliseconds after the start.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// Microseconds since the start.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long it is since an earlier moment; zero when that one is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

/// A timer of a transaction, named as in RFC 3261 table 4 and RFC 6026.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// INVITE request retransmission, unreliable transports only.
    A,
    /// INVITE transaction timeout.
    B,
    /// Wait for retransmissions of a final response to INVITE.
    D,
    /// Retransmission of other requests, unreliable transports only.
    E,
    /// Timeout of other transactions.
    F,
    /// INVITE response retransmission.
    G,
    /// Wait for ACK.
    H,
    /// Wait for retransmissions of ACK.
    I,
    /// Wait for retransmissions of other requests.
    J,
    /// Wait for retransmissions of responses to other requests.
    K,
    /// Wait for retransmissions of an INVITE that was accepted.
    L,
    /// Wait for retransmissions of a 2xx, or 2xx of other branches.
    M,
}

/// The durations that all timers derive from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimerSettings {
    /// Estimate of the round-trip time.
    pub t1: Duration,
    /// Longest interval between retransmissions, INVITE requests excepted.
    pub t2: Duration,
    /// Longest time that a message stays in the network.
    pub t4: Duration,
    /// Timer D over unreliable transports, at least 32 s by the RFC.
    pub d: Duration,
    /// Timer J over unreliable transports. The RFC says 64 times T1; a registrar under high load may forget
    /// answered requests sooner, at the price of handling a very late retransmission as a new request.
    pub j: Duration,
}

impl Default for TimerSettings {
    fn default() -> Self {
        Self::from_t1(Duration::from_millis(500))
    }
}

impl TimerSettings {
    /// The RFC's defaults, scaled with T1.
    #[must_use]
    pub fn from_t1(t1: Duration) -> Self {
        let sixty_four = t1.saturating_mul(64);
        Self { t1, t2: t1 * 8, t4: t1 * 10, d: sixty_four, j: sixty_four }
    }

    /// How long a transaction is tried: timers B, F, H, L and M.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.t1.saturating_mul(64)
    }

    /// The interval after one of a request or response that is not INVITE: doubled, but at most T2.
    #[must_use]
    pub fn next_interval(&self, interval: Duration) -> Duration {
        interval.saturating_mul(2).min(self.t2)
    }
}

/// The pending timers of one transaction; no state of any machine needs more than two.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Schedule([Option<(Moment, Timer)>; 2]);

impl Schedule {
    /// Starts a timer, or starts it anew.
    pub fn start(&mut self, timer: Timer, at: Moment) {
        self.stop(timer);
        if let Some(free) = self.0.iter_mut().find(|entry| entry.is_none()) {
            *free = Some((at, timer));
        }
    }

    /// Stops a timer, when it runs.
    pub fn stop(&mut self, timer: Timer) {
        for entry in &mut self.0 {
            if entry.is_some_and(|(_, running)| running == timer) {
                *entry = None;
            }
        }
    }

    /// Stops all timers.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// When the next timer fires.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        self.0.iter().flatten().map(|(at, _)| *at).min()
    }

    /// Takes the timer out that has been due the longest.
    pub fn pop(&mut self, now: Moment) -> Option<Timer> {
        let (_, timer) = self.0.iter().flatten().copied().filter(|(at, _)| *at <= now).min()?;
        self.stop(timer);
        Some(timer)
    }

    /// Whether a timer runs, and when it fires.
    #[must_use]
    pub fn at(&self, timer: Timer) -> Option<Moment> {
        self.0.iter().flatten().find(|(_, running)| *running == timer).map(|(at, _)| *at)
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().flatten().map(|(at, timer)| (timer, at))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3261_table_4_default_values() {
        let s = TimerSettings::default();
        assert_eq!(s.t1, Duration::from_millis(500));
        assert_eq!(s.t2, Duration::from_secs(4));
        assert_eq!(s.t4, Duration::from_secs(5));
        assert_eq!(s.timeout(), Duration::from_secs(32));
        assert_eq!(s.d, Duration::from_secs(32));
        assert_eq!(s.j, Duration::from_secs(32));
        let mut interval = s.t1;
        let mut seen = vec![];
        for _ in 0..5 {
            seen.push(interval.as_millis());
            interval = s.next_interval(interval);
        }
        assert_eq!(seen, [500, 1000, 2000, 4000, 4000]);
    }

    #[test]
    fn a_schedule_fires_in_order_of_time() {
        let at = Moment::from_millis;
        let mut s = Schedule::default();
        assert_eq!(s.deadline(), None);
        s.start(Timer::B, at(32_000));
        s.start(Timer::A, at(500));
        assert_eq!(s.deadline(), Some(at(500)));
        assert_eq!(s.pop(at(499)), None);
        assert_eq!(s.pop(at(40_000)), Some(Timer::A));
        assert_eq!(s.pop(at(40_000)), Some(Timer::B));
        assert_eq!(s.pop(at(40_000)), None);
        s.start(Timer::A, at(1));
        s.start(Timer::A, at(7));
        assert_eq!(s.at(Timer::A), Some(at(7)));
        s.clear();
        assert_eq!(s.deadline(), None);
    }

    #[test]
    fn moments_do_not_wrap() {
        assert_eq!(Moment::from_micros(u64::MAX) + Duration::MAX, Moment::from_micros(u64::MAX));
        assert_eq!(Moment::ZERO.since(Moment::from_millis(1)), Duration::ZERO);
    }
}
