//! What the NAPTR records of a number lead to: SIP URIs, chosen by RFC 6116 and RFC 3402.
//!
//! Records come from anybody, so what is asked of one is bounded: its expression has at most 255 octets (RFC 1035
//! section 3.3) and is compiled within `MOST_COMPILED`, and matching takes time in proportion to the number's digits.

use ngn_model::number::E164;
use regex::bytes::{Regex, RegexBuilder};

/// How many records of one number are looked at.
const MOST_RECORDS: usize = 32;
/// How many URIs are taken of them.
const MOST_URIS: usize = 8;
/// The longest URI that is taken, in octets.
const LONGEST_URI: usize = 512;
/// How much memory a compiled expression may take, in octets.
const MOST_COMPILED: usize = 64 << 10;

/// The fields of a NAPTR record (RFC 3403 section 4.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Naptr {
    /// ORDER: those with the lowest one that can be used decide.
    pub order: u16,
    /// PREFERENCE among those of the same order, the lowest first.
    pub preference: u16,
    /// FLAGS; only `u`, the terminal rule that gives a URI, is used.
    pub flags: String,
    /// SERVICES, such as `E2U+sip`.
    pub services: String,
    /// REGEXP, the substitution expression.
    pub regexp: String,
    /// Whether REPLACEMENT is the root, as it has to be beside an expression.
    pub replaces_nothing: bool,
}

/// The SIP URIs of a number, best first.
///
/// Of the records that offer SIP and give a `sip:` or `sips:` URI, those with the lowest order are taken, by preference
/// (RFC 6116 section 3.3, RFC 3403 section 4.1). Non-terminal rules are refused, so that nobody can lead a look-up in
/// circles; RFC 6116 section 5.2.1 asks not to publish them.
#[must_use]
pub fn sip_uris(number: &E164, records: &[Naptr]) -> Vec<String> {
    let mut sorted: Vec<&Naptr> = records.iter().take(MOST_RECORDS).collect();
    sorted.sort_by_key(|record| (record.order, record.preference));
    let mut order = None;
    let mut uris = Vec::new();
    for record in sorted {
        if order.is_some_and(|order| order != record.order) || uris.len() >= MOST_URIS {
            break;
        }
        if let Some(uri) = sip_uri(number, record) {
            order = Some(record.order);
            if !uris.contains(&uri) {
                uris.push(uri);
            }
        }
    }
    uris
}

/// The SIP URI that one record gives.
fn sip_uri(number: &E164, record: &Naptr) -> Option<String> {
    let is_terminal = record.flags.trim().eq_ignore_ascii_case("u");
    if !is_terminal || !record.replaces_nothing || !offers_sip(&record.services) {
        return None;
    }
    // RFC 6116 section 3.2: the application unique string is the number with `+`.
    let uri = substitute(&record.regexp, &format!("+{}", number.digits()))?;
    let scheme = uri.split_once(':').map(|(scheme, _)| scheme)?;
    let is_sip = scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips");
    let is_clean = !uri.chars().any(|c| c.is_control() || c.is_whitespace());
    (is_sip && is_clean && uri.len() <= LONGEST_URI && uri.len() > scheme.len() + 1).then_some(uri)
}

/// RFC 6116 section 3.4.3, RFC 3764: `E2U` and one or more Enumservices, one of which is `sip`.
fn offers_sip(services: &str) -> bool {
    let mut words = services.trim().split('+');
    words.next().is_some_and(|word| word.eq_ignore_ascii_case("E2U"))
        && words.any(|word| word.eq_ignore_ascii_case("sip"))
}

/// Applies a substitution expression (RFC 3402 section 3.2); `None` when it is none, or does not match.
///
/// It works as in sed: what matches is replaced, anything else stays.
fn substitute(expression: &str, subject: &str) -> Option<String> {
    let Expression { pattern, replacement, ignores_case } = Expression::parse(expression)?;
    if pattern == "^.*$" {
        return fill(&replacement, |group| (group == 0).then_some(subject));
    }
    let regex = compile(&pattern, ignores_case)?;
    let found = regex.captures(subject.as_bytes())?;
    let whole = found.get(0)?;
    let text = |octets| std::str::from_utf8(octets).ok();
    let group = |number: usize| match found.get(number) {
        Some(group) => text(group.as_bytes()),
        // A group that the pattern has, and that took no part.
        None => (number < found.len()).then_some(""),
    };
    let filled = fill(&replacement, group)?;
    let (before, after) = (subject.get(..whole.start())?, subject.get(whole.end()..)?);
    Some(format!("{before}{filled}{after}"))
}

fn compile(pattern: &str, ignores_case: bool) -> Option<Regex> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .case_insensitive(ignores_case)
        .size_limit(MOST_COMPILED)
        .dfa_size_limit(MOST_COMPILED)
        .nest_limit(16)
        .build()
        .ok()
}

/// The parts of a substitution expression.
struct Expression {
    pattern: String,
    replacement: String,
    ignores_case: bool,
}

impl Expression {
    /// Takes `!pattern!replacement!flags` apart at its delimiters that no backslash precedes.
    fn parse(text: &str) -> Option<Self> {
        let mut characters = text.chars();
        let delimiter = characters.next()?;
        // RFC 3402 section 3.2: no digit, no flag; a backslash escapes.
        if delimiter.is_ascii_digit() || delimiter.eq_ignore_ascii_case(&'i') || delimiter == '\\' {
            return None;
        }
        let mut parts = [String::new(), String::new(), String::new()];
        let mut part = parts.iter_mut();
        let mut current = part.next()?;
        while let Some(character) = characters.next() {
            if character == delimiter {
                current = part.next()?;
            } else if character == '\\' {
                let next = characters.next()?;
                // An escaped delimiter stands for itself, also where without backslash it would mean something.
                if next != delimiter || (next.is_ascii_punctuation() && !"<>".contains(next)) {
                    current.push('\\');
                }
                current.push(next);
            } else {
                current.push(character);
            }
        }
        if part.next().is_some() {
            return None;
        }
        let [pattern, replacement, flags] = parts;
        let ignores_case = flags.eq_ignore_ascii_case("i");
        if pattern.is_empty() || !(flags.is_empty() || ignores_case) {
            return None;
        }
        Some(Self { pattern, replacement, ignores_case })
    }
}

/// Puts groups in the place of `\1` to `\9`, and characters in the place of themselves escaped; `None` when the pattern
/// has no such group.
fn fill<'s>(replacement: &str, group: impl Fn(usize) -> Option<&'s str>) -> Option<String> {
    let mut filled = String::with_capacity(replacement.len());
    let mut characters = replacement.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            filled.push(character);
            continue;
        }
        let next = characters.next()?;
        match next.to_digit(10) {
            Some(0) => return None,
            Some(digit) => filled.push_str(group(usize::try_from(digit).ok()?)?),
            None => filled.push(next),
        }
    }
    Some(filled)
}

#[cfg(test)]
mod tests;
