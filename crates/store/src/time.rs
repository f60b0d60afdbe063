//! Times as the ecosystem's DATETIME columns and the API spell them: `YYYY-MM-DD hh:mm:ss`, UTC.

const DAY: i64 = 86_400;

/// Spells a time given in milliseconds since 1970 UTC; the fraction of the second is dropped.
#[must_use]
pub fn utc(millis: i64) -> String {
    let seconds = millis.div_euclid(1000);
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let rest = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// Spells a time given in milliseconds since 1970 UTC as `Date` of SIP does (RFC 3261 section 20.17), such as
/// `Sat, 13 Nov 2010 23:29:00 GMT`.
#[must_use]
pub fn date(millis: i64) -> String {
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let name = |names: &[&'static str], at: i64| {
        usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or_default()
    };
    let seconds = millis.div_euclid(1000);
    let days = seconds.div_euclid(DAY);
    let (year, month, day) = civil(days);
    let rest = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let (weekday, month) = (name(&WEEKDAYS, days.rem_euclid(7)), name(&MONTHS, month - 1));
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// Reads such a time, also with `T` between day and time or without the time; gives milliseconds since 1970.
#[must_use]
pub fn parse_utc(text: &str) -> Option<i64> {
    let text = text.trim();
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let in_range = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    let days = days_since_1970(year, month, day);
    // The 31st of a shorter month comes back as another day.
    if !in_range || civil(days) != (year, month, day) {
        return None;
    }
    Some((days * DAY + hour * 3600 + minute * 60 + second) * 1000)
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(|part| {
        let digits =
            !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<i64>().ok()).flatten()
    });
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

/// Year, month and day of a day counted from 1970, in the proleptic Gregorian calendar. Years are counted
/// from March, so that the leap day is the last one.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// `YYYYMMDD00` of a time: the first serial of a zone made then (B116).
pub(crate) fn serial_base(millis: i64) -> i64 {
    let (year, month, day) = civil(millis.div_euclid(1000).div_euclid(DAY));
    ((year * 100 + month) * 100 + day) * 100
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spells_and_reads_times() {
        for (text, millis) in [
            ("1970-01-01 00:00:00", 0),
            ("2000-02-29 12:34:56", 951_827_696_000),
            ("2026-03-01 00:00:00", 1_772_323_200_000),
            ("2038-01-19 03:14:08", 2_147_483_648_000),
        ] {
            assert_eq!(utc(millis), text);
            assert_eq!(utc(millis + 999), text);
            assert_eq!(parse_utc(text), Some(millis));
        }
        assert_eq!(parse_utc("2026-03-01T00:00:00"), parse_utc("2026-03-01"));
        for text in
            ["", "now", "2026-02-30 00:00:00", "2026-13-01", "2026-01-01 24:00:00", "1-2", "+1-1-1"]
        {
            assert_eq!(parse_utc(text), None, "{text}");
        }
        assert_eq!(serial_base(1_772_323_200_000), 2_026_030_100);
    }

    #[test]
    fn spells_dates() {
        for (text, millis) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
            ("Tue, 29 Feb 2000 12:34:56 GMT", 951_827_696_000),
            ("Sat, 13 Nov 2010 23:29:00 GMT", 1_289_690_940_999),
        ] {
            assert_eq!(date(millis), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_spelt_is_read_back(seconds in 0_i64..200_000_000_000) {
            prop_assert_eq!(parse_utc(&utc(seconds * 1000)), Some(seconds * 1000));
        }
    }
}
