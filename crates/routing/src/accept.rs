//! Whether an account takes a call from this caller now: reject members and accept rules.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ngn_model::CallOptions;
use ngn_model::accept_rules::{EVERYBODY, NOBODY};
use ngn_model::call_plan::Why;

/// Why an account refuses a caller for good (B97); `None` when it does not.
pub(crate) fn rejected(options: &CallOptions, callers: &[String]) -> Option<Why> {
    let found = callers.iter().find(|c| options.reject.iter().any(|pattern| pattern.matches(c)));
    found.map(|caller| Why::new("B97", "the caller is rejected").with("caller", caller.clone()))
}

/// Why an account takes no calls from a caller now (B90 to B95); `None` when it takes them.
///
/// A temporary rule goes before the persistent ones; of those all that hold now count together; without any
/// everybody's calls are taken.
pub(crate) fn forbidden(options: &CallOptions, callers: &[String], now: i64) -> Option<Why> {
    let rules = &options.accept;
    if let Some(rule) = rules.temporary.as_ref().filter(|rule| rule.holds(now)) {
        let is_admitted = admits(options, rule.groups.iter(), callers);
        return (!is_admitted)
            .then(|| Why::new("B95", "a temporary accept rule forbids the caller"));
    }
    let (weekday, minute) = local_time(&options.timezone, now)?;
    let mut holding = rules.persistent.iter().filter(|rule| rule.holds(weekday, minute)).peekable();
    holding.peek()?;
    let groups = holding.flat_map(|rule| rule.groups.iter());
    (!admits(options, groups, callers))
        .then(|| Why::new("B90", "the accept rules of this hour do not name the caller"))
}

/// Whether a caller belongs to one of the groups (B91).
fn admits<'a>(
    options: &CallOptions,
    groups: impl Iterator<Item = &'a String>,
    callers: &[String],
) -> bool {
    let is_member = |group: &str| {
        options.phonebook.iter().any(|contact| {
            contact.group.eq_ignore_ascii_case(group)
                && callers.iter().any(|caller| contact.address.matches(caller))
        })
    };
    let mut groups = groups.filter(|group| group.as_str() != NOBODY);
    groups.any(|group| group == EVERYBODY || is_member(group))
}

/// The day of the week (0 is Monday) and the minute of the day in a time zone; UTC when it is not known.
fn local_time(timezone: &str, now: i64) -> Option<(u8, u16)> {
    let zone = TimeZone::get(timezone).unwrap_or(TimeZone::UTC);
    let local = Timestamp::from_millisecond(now).ok()?.to_zoned(zone);
    let weekday = u8::try_from(local.weekday().to_monday_zero_offset()).ok()?;
    let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
    Some((weekday, u16::try_from(minute).ok()?))
}

#[cfg(test)]
mod tests;
