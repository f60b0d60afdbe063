//! What the owner of an account has set about its calls.

use crate::accept_rules::AcceptRules;
use crate::diversion::{Diversion, DiversionCondition};
use crate::escapes::unescape;

/// The settings of an account about calls to it and from it. Most accounts have none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallOptions {
    /// Diversions, at most one for each condition (B80).
    pub diversions: Vec<Diversion>,
    /// Whose calls are taken, and when (B90).
    pub accept: AcceptRules,
    /// The name of the time zone of the accept rules; empty for UTC.
    pub timezone: String,
    /// Phone-book entries that give callers a group (B91); only there when accept rules need them.
    pub phonebook: Vec<Contact>,
    /// Callers that are refused (B97).
    pub reject: Vec<AddressPattern>,
    /// Prefixes of numbers that are not called: digits without `+` (B96).
    pub barred: Vec<String>,
    /// The account's mailbox number, for diversions to it (B85).
    pub mailbox: Option<String>,
    /// The account's mobile number, for diversions to it (B86).
    pub mobile: Option<String>,
}

impl CallOptions {
    /// The diversion for a condition.
    #[must_use]
    pub fn diversion(&self, when: DiversionCondition) -> Option<&Diversion> {
        self.diversions.iter().find(|diversion| diversion.when == when)
    }
}

/// An entry of a phone book as far as calls depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub address: AddressPattern,
    /// The group that the caller then belongs to.
    pub group: String,
}

/// Addresses of callers: a SIP URI with or without its scheme, in which `%` stands for any run of characters
/// (B97, B98).
///
/// Letters match in either case. A number with a leading `+` is the same as one with `00`. A pattern without `@`
/// is about the user part, whatever the domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressPattern(String);

impl AddressPattern {
    /// Reads a pattern.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(bare(text))
    }

    /// Whether an address, with or without scheme and parameters, is meant by the pattern.
    #[must_use]
    pub fn matches(&self, address: &str) -> bool {
        let address = bare(address.split([';', '?']).next().unwrap_or_default());
        if address.is_empty() || self.0.is_empty() {
            return false;
        }
        let (user, host) = who(&address);
        if !self.0.contains('@') {
            return is_like(&self.0, &user);
        }
        is_like(&self.0, &address)
            || host.is_some_and(|host| is_like(&self.0, &format!("{user}@{host}")))
    }
}

/// Who an address is: its user part without password, escaped characters as they are meant (RFC 3261 section 19.1.2), and
/// its host without port and final dot. Neither says that it is somebody else.
fn who(address: &str) -> (String, Option<&str>) {
    let (user, host) = match address.split_once('@') {
        Some((user, host)) => (user, Some(host)),
        None => (address, None),
    };
    let user = user.split(':').next().unwrap_or_default();
    let user = String::from_utf8(unescape(user, b'%')).unwrap_or_else(|_| user.to_owned());
    let host = host.map(|host| {
        let after_brackets = host.find(']').unwrap_or(0);
        let port = host.get(after_brackets..).and_then(|rest| rest.find(':'));
        let end = port.map_or(host.len(), |port| after_brackets.saturating_add(port));
        host.get(..end).unwrap_or(host).trim_end_matches('.')
    });
    (bare(&user), host)
}

/// Without scheme, in lower case, an international number with `+`.
fn bare(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    let rest = ["sips:", "sip:", "tel:"].iter().find_map(|scheme| lower.strip_prefix(scheme));
    let rest = rest.unwrap_or(&lower);
    match rest.strip_prefix("00") {
        Some(number) if number.starts_with(|c: char| c.is_ascii_digit()) => format!("+{number}"),
        _ => rest.to_owned(),
    }
}

/// Whether the text is like the pattern, in which `%` stands for any run of characters. Takes time in proportion
/// to the product of both lengths at worst.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('%');
    let Some(rest) = text.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    let mut rest = rest;
    // Each piece as early as it can be: if that leaves too little for the others, nothing leaves more.
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b97_b98_patterns_of_addresses() {
        for (pattern, address, expected) in [
            ("sip:spam@example.net", "sip:spam@example.net", true),
            ("sip:spam@example.net", "sip:SPAM@Example.NET;user=phone", true),
            ("spam@example.net", "sips:spam@example.net", true),
            ("sip:spam@example.net", "sip:spam@example.com", false),
            ("sip:spam@example.net", "sip:xspam@example.net", false),
            ("sip:%@example.net", "sip:anybody@example.net", true),
            ("sip:%@example.net", "sip:anybody@example.netx", false),
            ("sip:a%b%c@example.net", "sip:a1b2c@example.net", true),
            ("sip:a%b%c@example.net", "sip:a1c2b@example.net", false),
            ("sip:a%a@example.net", "sip:a@example.net", false),
            ("sip:+31%@%", "sip:+31201234567@gw.example", true),
            ("sip:+31%@%", "sip:0031201234567@gw.example", true),
            ("sip:0031%@%", "sip:+31201234567@gw.example", true),
            ("+31201234567", "sip:+31201234567@gw.example", true),
            ("+31%", "sip:+31201234567@gw.example", true),
            ("+31", "sip:+31201234567@gw.example", false),
            ("sip:spam@example.net", "sip:spam@example.net:5080", true),
            ("sip:spam@example.net", "sip:%73pam:word@example.net.:5080;user=phone", true),
            ("sip:spam@example.net:5080", "sip:spam@example.net:5080", true),
            ("sip:spam@example.net:5080", "sip:spam@example.net", false),
            ("sip:spam@example.net", "sip:spam@example.net.example:5080", false),
            ("sip:%@[2001:db8::1]", "sip:spam@[2001:db8::1]:5080", true),
            ("+31%", "sip:%2B31201234567@gw.example", true),
            ("+31201", "sip:+31201:word@gw.example", true),
            ("sip:%zz@example.net", "sip:%zz@example.net", true),
            ("sip:spam@example.net", "sip:%ff@example.net", false),
            ("sip:%+1x@example.net", "sip:%+1x@example.net", true),
            ("%", "sip:anybody@example.net", true),
            ("%%", "sip:anybody@example.net", true),
            ("", "sip:anybody@example.net", false),
            ("%", "", false),
            ("sip:%", "", false),
        ] {
            let found = AddressPattern::new(pattern).matches(address);
            assert_eq!(found, expected, "{pattern} on {address}");
        }
    }
}
