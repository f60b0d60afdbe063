//! When the masters of a zone have to be asked, and when its records count no more (RFC 1035 section 3.3.13, RFC 1912 section 2.2).
//!
//! All times are milliseconds since 1970 UTC, so that they mean something after a restart.

use crate::zone::Zone;

/// Refresh, retry and expire are taken as at most this many seconds: four weeks, two weeks and a year.
const MOST: (u32, u32, u32) = (28 * 86_400, 14 * 86_400, 366 * 86_400);
/// How long after an attempt that failed the next one comes, in seconds, while nothing is known of the zone; twice as long each time.
const FIRST_RETRY: u32 = 2;
/// The longest of these.
const LAST_RETRY: u32 = 600;
/// Least time between two attempts, whatever the master tells, in milliseconds.
const APART: u64 = 1_000;

/// What a zone's SOA says of its secondaries, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// From one look at the master to the next.
    pub refresh: u32,
    /// From an attempt that failed to the next.
    pub retry: u32,
    /// From the last look at the master to the end.
    pub expire: u32,
}

impl Times {
    /// The times of a zone, with none of them below `least` seconds nor senseless; `None` when it has no SOA.
    #[must_use]
    pub fn of(zone: &Zone, least: u32) -> Option<Self> {
        let rdata = zone.soa()?.rrset.rdata().next()?;
        let numbers = rdata.last_chunk::<20>()?;
        let [_, _, _, _, r0, r1, r2, r3, t0, t1, t2, t3, e0, e1, e2, e3, ..] = *numbers;
        let number = u32::from_be_bytes;
        let least = least.max(1);
        let refresh = number([r0, r1, r2, r3]).clamp(least, MOST.0.max(least));
        let retry = number([t0, t1, t2, t3]).clamp(least, MOST.1.max(least));
        // Who could not be asked twice is not gone yet.
        let expire = number([e0, e1, e2, e3]).clamp(refresh + retry, MOST.2.max(refresh + retry));
        Some(Self { refresh, retry, expire })
    }
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing for so many milliseconds, unless the master tells of a change.
    Wait(u64),
    /// Ask the masters.
    Ask,
    /// Serve the zone no more; this comes once.
    Expire,
}

/// When to do what about one zone.
#[derive(Debug, Clone)]
pub struct Timers {
    /// When a master was seen last, and what the SOA says.
    seen: Option<(u64, Times)>,
    due: u64,
    attempted: Option<u64>,
    failures: u32,
    expired: bool,
}

impl Timers {
    /// For a zone that nothing is known of: it has to be asked for.
    #[must_use]
    pub const fn new(now: u64) -> Self {
        Self { seen: None, due: now, attempted: None, failures: 0, expired: false }
    }

    /// For a zone that is known since before: it has to be asked for too, and counts from when a master was `seen`.
    #[must_use]
    pub const fn restored(seen: u64, times: Times, now: u64) -> Self {
        Self { seen: Some((seen, times)), ..Self::new(now) }
    }

    /// When a master was seen last.
    #[must_use]
    pub fn seen(&self) -> Option<u64> {
        self.seen.map(|(seen, _)| seen)
    }

    /// Whether the zone counts no more.
    #[must_use]
    pub const fn is_expired(&self) -> bool {
        self.expired
    }

    /// What to do now.
    pub fn step(&mut self, now: u64) -> Step {
        self.no_future(now);
        let expires = self.expires().filter(|_| !self.expired);
        if expires.is_some_and(|at| at <= now) {
            self.expired = true;
            return Step::Expire;
        }
        if self.due <= now {
            return Step::Ask;
        }
        Step::Wait(expires.map_or(self.due, |at| at.min(self.due)) - now)
    }

    /// A clock that was set back must not keep a zone from being asked for, nor from expiring.
    fn no_future(&mut self, now: u64) {
        if let Some((seen, times)) = &mut self.seen {
            *seen = (*seen).min(now);
            self.due = self.due.min(now + millis(times.refresh.max(times.retry).max(LAST_RETRY)));
        } else {
            self.due = self.due.min(now + millis(LAST_RETRY));
        }
        self.attempted = self.attempted.map(|at| at.min(now));
    }

    fn expires(&self) -> Option<u64> {
        self.seen.map(|(seen, times)| seen + millis(times.expire))
    }

    /// The masters are asked now.
    pub const fn asked(&mut self, now: u64) {
        self.attempted = Some(now);
    }

    /// A master answered, and the zone has these times now. `spread`, any number, moves the next look a little ahead, so that
    /// zones that came together do not stay together.
    pub fn succeeded(&mut self, now: u64, times: Times, spread: u8) {
        self.seen = Some((now, times));
        (self.failures, self.expired) = (0, false);
        self.due = now + spread_by(millis(times.refresh), spread);
    }

    /// No master answered.
    pub fn failed(&mut self, now: u64, spread: u8) {
        let doubled = FIRST_RETRY.saturating_mul(1 << self.failures.min(16)).min(LAST_RETRY);
        let wait = self.seen.map_or(doubled, |(_, times)| times.retry);
        self.failures = self.failures.saturating_add(1);
        self.due = now + spread_by(millis(wait), spread);
    }

    /// A master tells that the zone changed (RFC 1996 section 4.7).
    pub fn notified(&mut self, now: u64) {
        self.no_future(now);
        let soonest = self.attempted.map_or(now, |at| now.max(at + APART));
        self.due = self.due.min(soonest);
    }
}

fn millis(seconds: u32) -> u64 {
    u64::from(seconds) * 1_000
}

/// Up to a quarter less.
fn spread_by(time: u64, spread: u8) -> u64 {
    time - time * u64::from(spread) / 1_024
}
