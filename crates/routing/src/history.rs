//! What those are told whom a diverted call reaches: whom it was for, and why it comes to them (Diversion, RFC 5806;
//! History-Info, RFC 7044).
//!
//! Each account that diverts is named, the last one first in Diversion and in the order of events in History-Info. One that
//! does not want to be shown (group `anonymous`) is named to those who are
//! trusted only, with the wish; others see that there was somebody. What callers that are not trusted say about earlier
//! diversions goes.

use ngn_model::call_plan::{Diverted, HeaderEdit};
use ngn_model::diversion::DiversionCondition;

/// How many earlier entries of each kind are kept.
const MOST_BEFORE: usize = 16;
/// Who is not shown.
const NOBODY: &str = "sip:anonymous@anonymous.invalid";

/// What a request said about earlier diversions: entries without the field names. Empty when its sender is not trusted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Before<'a> {
    /// Entries of Diversion, the last diversion first.
    pub diversions: &'a [String],
    /// Entries of History-Info, in their order.
    pub history: &'a [String],
}

/// The fields of a request on its way to somebody; nothing for a call that nobody diverted. `called` is the Request-URI as it
/// came, `is_trusted` says whether they may know who does not want to be shown.
#[must_use]
pub fn fields(
    diverted: &[Diverted],
    called: &str,
    before: Before<'_>,
    is_trusted: bool,
) -> Vec<HeaderEdit> {
    if diverted.is_empty() {
        return Vec::new();
    }
    vec![
        HeaderEdit::Set("Diversion", diversion(diverted, before, is_trusted)),
        HeaderEdit::Set("History-Info", history(diverted, called, before, is_trusted)),
    ]
}

/// RFC 5806 section 4.
fn diversion(diverted: &[Diverted], before: Before<'_>, is_trusted: bool) -> String {
    let ours = diverted.iter().rev().map(|one| {
        let who = if one.is_hidden && !is_trusted { NOBODY.to_owned() } else { shown(&one.shown) };
        let privacy = if one.is_hidden { "full" } else { "off" };
        format!("<{who}>;reason={};counter=1;privacy={privacy}", reason(one.condition))
    });
    let before = before.diversions.iter().take(MOST_BEFORE).cloned();
    ours.chain(before).collect::<Vec<_>>().join(", ")
}

/// RFC 7044 sections 5 and 10: an entry for the address that was called, and one for each that the call was diverted to.
fn history(diverted: &[Diverted], called: &str, before: Before<'_>, is_trusted: bool) -> String {
    let skipped = before.history.len().saturating_sub(MOST_BEFORE);
    let mut entries: Vec<String> = before.history.iter().skip(skipped).cloned().collect();
    let mut index = match entries.last().and_then(|last| index_of(last)) {
        Some(last) => format!("{last}.1"),
        None => "1".to_owned(),
    };
    let mut came_from: Option<String> = None;
    let targets = std::iter::once(called).chain(diverted.iter().map(|one| one.to.as_str()));
    for (place, target) in targets.enumerate() {
        // What is known of an address stands with it: why it was left, and whether its owner wants to be shown.
        let (left, hidden) = match diverted.get(place) {
            Some(one) => (cause(one.condition), one.is_hidden),
            None => (None, false),
        };
        let uri = match (hidden, is_trusted) {
            (true, false) => NOBODY.to_owned(),
            (hidden, _) => {
                let reason = left.map(|cause| format!("Reason=SIP%3Bcause%3D{cause}"));
                let privacy = hidden.then(|| "Privacy=history".to_owned());
                let headers: Vec<String> = reason.into_iter().chain(privacy).collect();
                let uri = shown(target);
                if headers.is_empty() { uri } else { format!("{uri}?{}", headers.join("&")) }
            }
        };
        let mapped = came_from.map(|from| format!(";mp={from}")).unwrap_or_default();
        entries.push(format!("<{uri}>;index={index}{mapped}"));
        came_from = Some(index.clone());
        index.push_str(".1");
    }
    entries.join(", ")
}

/// The tokens of RFC 5806 section 4.
const fn reason(condition: DiversionCondition) -> &'static str {
    match condition {
        DiversionCondition::Unconditional => "unconditional",
        DiversionCondition::Busy => "user-busy",
        DiversionCondition::NoAnswer => "no-answer",
        DiversionCondition::NotOnline => "unavailable",
        DiversionCondition::Unavailable => "do-not-disturb",
    }
}

/// The response that made somebody's condition come true (RFC 7044 section 10.2); `None` where there was none.
const fn cause(condition: DiversionCondition) -> Option<u16> {
    match condition {
        DiversionCondition::Unconditional => None,
        DiversionCondition::Busy => Some(486),
        DiversionCondition::NoAnswer => Some(408),
        DiversionCondition::NotOnline | DiversionCondition::Unavailable => Some(480),
    }
}

/// A URI as it can stand in angle brackets, without header fields of its own.
fn shown(uri: &str) -> String {
    let uri = uri.split('?').next().unwrap_or_default();
    let is_fine = |c: &char| c.is_ascii_graphic() && !"<>\"".contains(*c);
    uri.chars().filter(is_fine).take(256).collect()
}

/// The index of an entry.
fn index_of(entry: &str) -> Option<&str> {
    let parameters = entry.rsplit('>').next()?;
    let index = parameters.split(';').find_map(|one| one.trim().strip_prefix("index="))?.trim();
    let is_index = |c: char| c.is_ascii_digit() || c == '.';
    (!index.is_empty() && index.len() <= 64 && index.chars().all(is_index)).then_some(index)
}

/// How many diversions entries of Diversion tell of: their counters, one where there is none.
#[must_use]
pub fn diversions_in(entries: &[String]) -> usize {
    let count = |entry: &String| {
        let counter = entry.split(';').find_map(|one| one.trim().strip_prefix("counter="));
        counter.and_then(|text| text.trim().parse::<usize>().ok()).unwrap_or(1).clamp(1, 1000)
    };
    entries.iter().map(count).sum()
}

#[cfg(test)]
mod tests;
