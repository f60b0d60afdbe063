//! Times as people write them.

use anyhow::{Context as _, bail};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::path::Path;

/// A time with the zone that it was written in.
///
/// Seconds since 1970 UTC; RFC 3339 (`2026-11-21T03:00:00+01:00`), also with a zone (RFC 9557); or a date with or without
/// a time of day, in `zone`. One that the clock skips or shows twice is read as jiff's "compatible" says: the later
/// of those around the gap, the first of two.
pub(super) fn read(text: &str, zone: &TimeZone) -> anyhow::Result<Zoned> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<i64>() {
        let time = Timestamp::from_second(seconds);
        return Ok(time.context("that is beyond the year 9999")?.to_zoned(zone.clone()));
    }
    if let Ok(time) = text.parse::<Zoned>() {
        return Ok(time);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.to_zoned(zone.clone()));
    }
    let Ok(local) = text.parse::<DateTime>() else {
        bail!(
            "`{text}` is no time; write 2026-11-21T03:00, 2026-11-21T03:00:00+01:00 or seconds since 1970 UTC"
        )
    };
    local.to_zoned(zone.clone()).context("there is no such time")
}

/// The zone of a name; without one that of the environment variable TZ, else that of this machine, else UTC.
pub(crate) fn zone(name: Option<&str>) -> anyhow::Result<TimeZone> {
    match name {
        Some(name) => TimeZone::get(name).with_context(|| {
            format!("there is no time zone `{name}`; write one such as Europe/Vienna")
        }),
        None => {
            let tz = std::env::var("TZ").ok();
            let tz = tz.as_deref().map(|tz| tz.trim_start_matches(':')).filter(|tz| !tz.is_empty());
            let found = tz.and_then(|tz| TimeZone::get(tz).ok());
            Ok(found.or_else(|| machine(Path::new("/etc/localtime"))).unwrap_or(TimeZone::UTC))
        }
    }
}

/// The zone that a link into the tz database names.
fn machine(link: &Path) -> Option<TimeZone> {
    let target = std::fs::read_link(link).ok()?;
    let (_, name) = target.to_str()?.split_once("zoneinfo/")?;
    TimeZone::get(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let vienna = zone(Some("Europe/Vienna")).expect("a zone");
        let at = |text: &str| read(text, &vienna).expect(text).timestamp().to_string();
        for (text, expected) in [
            ("0", "1970-01-01T00:00:00Z"),
            ("1795230000", "2026-11-21T03:00:00Z"),
            ("2026-11-21T03:00:00Z", "2026-11-21T03:00:00Z"),
            ("2026-11-21T03:00:00-05:00", "2026-11-21T08:00:00Z"),
            ("2026-11-21T03:00[Asia/Tokyo]", "2026-11-20T18:00:00Z"),
            ("2026-11-21T03:00", "2026-11-21T02:00:00Z"),
            ("2026-11-21 03:00:30", "2026-11-21T02:00:30Z"),
            ("2026-07-21T03:00", "2026-07-21T01:00:00Z"),
            ("2026-11-21", "2026-11-20T23:00:00Z"),
            // Summer begins: 02:30 does not exist. Summer ends: 02:30 is twice.
            ("2026-03-29T02:30", "2026-03-29T01:30:00Z"),
            ("2026-10-25T02:30", "2026-10-25T00:30:00Z"),
        ] {
            assert_eq!(at(text), expected, "{text}");
        }
        for text in ["", "noon", "2026-13-01", "2026-11-21T25:00", "99999999999999999"] {
            assert!(read(text, &vienna).is_err(), "{text}");
        }
        let wrong = read("noon", &vienna).expect_err("no time").to_string();
        assert!(wrong.starts_with("`noon` is no time; write 2026-11-21T03:00"), "{wrong}");
    }

    #[test]
    fn a_machine_has_the_zone_that_its_link_names() {
        let directory = tempfile::tempdir().expect("a directory");
        let link = directory.path().join("localtime");
        assert!(machine(&link).is_none());
        std::os::unix::fs::symlink("/usr/share/zoneinfo/Asia/Tokyo", &link).expect("a link");
        assert_eq!(
            machine(&link).and_then(|zone| zone.iana_name().map(str::to_owned)),
            Some("Asia/Tokyo".to_owned())
        );
        assert!(zone(Some("Europe/Wien")).is_err());
    }
}
