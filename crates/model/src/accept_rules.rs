//! Accept rules: whose calls an account takes, and when (B90-B95).

use std::fmt;

/// The group that every caller belongs to (B91).
pub const EVERYBODY: &str = "everybody";
/// The group that no caller belongs to (B91).
pub const NOBODY: &str = "nobody";

/// Whose calls an account takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AcceptRules {
    /// Rules by time of the week.
    pub persistent: Vec<AcceptRule>,
    /// A rule that goes before those while it lasts (B95).
    pub temporary: Option<TemporaryRule>,
}

impl AcceptRules {
    /// Whether there is no rule, so that everybody's calls are taken (B95).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.persistent.is_empty() && self.temporary.is_none()
    }
}

/// A rule that holds at certain times of the week, in the account's time zone (B90).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptRule {
    /// On which days it begins.
    pub days: Days,
    /// When it begins to hold.
    pub start: TimeOfDay,
    /// When it no longer holds. When that is not after the start, it is a time of the next day; 23:59 is the
    /// end of the day, as is 24:00.
    pub stop: TimeOfDay,
    /// Groups of callers whose calls are taken; never empty.
    pub groups: Vec<String>,
}

impl AcceptRule {
    /// Whether the rule holds at a local time: minutes since midnight of a day of the week (0 is Monday).
    #[must_use]
    pub fn holds(&self, weekday: u8, minute: u16) -> bool {
        let (start, stop) = (self.start.minutes(), self.stop.minutes());
        let stop = if stop == TimeOfDay::LAST_MINUTE { TimeOfDay::MIDNIGHT } else { stop };
        let yesterday = (weekday % 7 + 6) % 7;
        if start < stop {
            return self.days.has(weekday) && (start..stop).contains(&minute);
        }
        self.days.has(weekday) && minute >= start || self.days.has(yesterday) && minute < stop
    }
}

/// A rule from when it was set until it ends (B90, B93).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemporaryRule {
    /// Groups of callers whose calls are taken; never empty.
    pub groups: Vec<String>,
    /// When it ends, in milliseconds since 1970 UTC; `None` for never.
    pub expires_at: Option<i64>,
}

impl TemporaryRule {
    /// Whether the rule still holds.
    #[must_use]
    pub fn holds(&self, now: i64) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// The minutes that remain, a begun one counted as whole; 0 for a rule without an end.
    #[must_use]
    pub fn remaining_minutes(&self, now: i64) -> i64 {
        let left = self.expires_at.map_or(0, |end| end.saturating_sub(now).max(0));
        left.saturating_add(59_999) / 60_000
    }
}

/// Days of the week (B90): Monday is 1, Tuesday 2, Wednesday 4 and so on to Sunday, 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Days(u8);

impl Days {
    /// Reads a bit mask of 1 to 127.
    #[must_use]
    pub fn new(mask: i64) -> Option<Self> {
        u8::try_from(mask).ok().filter(|mask| (1..=127).contains(mask)).map(Self)
    }

    /// The bit mask.
    #[must_use]
    pub fn mask(self) -> u8 {
        self.0
    }

    /// Whether a day of the week (0 is Monday) is among them.
    #[must_use]
    pub fn has(self, weekday: u8) -> bool {
        weekday < 7 && self.0 & (1 << weekday) != 0
    }
}

/// A time of day, from 00:00 to 24:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    const MIDNIGHT: u16 = 24 * 60;
    const LAST_MINUTE: u16 = 24 * 60 - 1;

    /// Reads `HH:MM`; seconds behind it, and a missing leading zero, are passed over.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(3, ':');
        let mut number = || {
            let digits = parts.next()?;
            let is_number = (1..=2).contains(&digits.len());
            (is_number && digits.bytes().all(|b| b.is_ascii_digit()))
                .then(|| digits.parse().ok())?
        };
        let (hours, minutes): (u16, u16) = (number()?, number()?);
        let seconds: Option<u16> = number();
        if parts.next().is_some() || seconds.is_none() && text.matches(':').count() > 1 {
            return None;
        }
        let total = hours.checked_mul(60)?.checked_add(minutes)?;
        (minutes < 60 && seconds.unwrap_or(0) < 60 && total <= Self::MIDNIGHT)
            .then_some(Self(total))
    }

    /// Minutes since midnight, at most 1440.
    #[must_use]
    pub fn minutes(self) -> u16 {
        self.0
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> TimeOfDay {
        TimeOfDay::read(text).expect("a time")
    }

    #[test]
    fn times_are_read_and_printed() {
        for (text, expected) in [
            ("08:00", Some("08:00")),
            ("8:05", Some("08:05")),
            ("23:59:59", Some("23:59")),
            ("24:00", Some("24:00")),
            ("24:01", None),
            ("12:60", None),
            ("12", None),
            ("12:", None),
            ("-1:00", None),
            ("1:2:3:4", None),
            ("12:00:xx", None),
            ("", None),
        ] {
            let read = TimeOfDay::read(text).map(|time| time.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn b90_days_are_a_mask_from_monday() {
        for (mask, days) in [(1, "0"), (31, "01234"), (96, "56"), (127, "0123456"), (64, "6")] {
            let found = Days::new(mask).expect("days");
            let has: String = (0..9).filter(|d| found.has(*d)).map(|d| d.to_string()).collect();
            assert_eq!(has, days, "{mask}");
        }
        for mask in [0, -1, 128, i64::MAX] {
            assert_eq!(Days::new(mask), None, "{mask}");
        }
    }

    #[test]
    fn b90_a_rule_holds_from_start_to_stop_on_its_days() {
        for (days, start, stop, weekday, at, expected) in [
            (31, "08:00", "18:00", 0, "08:00", true),
            (31, "08:00", "18:00", 0, "07:59", false),
            (31, "08:00", "18:00", 4, "17:59", true),
            (31, "08:00", "18:00", 4, "18:00", false),
            (31, "08:00", "18:00", 5, "12:00", false),
            (127, "00:00", "24:00", 6, "23:59", true),
            (127, "00:00", "23:59", 6, "23:59", true),
            (127, "00:00", "00:00", 3, "12:00", true),
            // Friday night into Saturday morning.
            (16, "22:00", "06:00", 4, "23:00", true),
            (16, "22:00", "06:00", 5, "05:59", true),
            (16, "22:00", "06:00", 5, "06:00", false),
            (16, "22:00", "06:00", 4, "05:00", false),
            (16, "22:00", "06:00", 5, "23:00", false),
            // Sunday night into Monday morning.
            (64, "22:00", "06:00", 0, "01:00", true),
        ] {
            let rule = AcceptRule {
                days: Days::new(days).expect("days"),
                start: time(start),
                stop: time(stop),
                groups: vec![EVERYBODY.to_owned()],
            };
            let holds = rule.holds(weekday, time(at).minutes());
            assert_eq!(holds, expected, "{days} {start}-{stop} on {weekday} at {at}");
        }
    }

    #[test]
    fn b93_a_temporary_rule_ends_or_does_not() {
        let rule = |expires_at| TemporaryRule { groups: vec![NOBODY.to_owned()], expires_at };
        assert!(rule(None).holds(i64::MAX));
        assert!(rule(Some(100)).holds(99) && !rule(Some(100)).holds(100));
        assert_eq!(rule(None).remaining_minutes(5), 0);
        assert_eq!(rule(Some(60_000)).remaining_minutes(0), 1);
        assert_eq!(rule(Some(60_001)).remaining_minutes(0), 2);
        assert_eq!(rule(Some(5)).remaining_minutes(9), 0);
    }
}
