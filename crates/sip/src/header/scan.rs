//! Character classes and a cursor for header values (RFC 3261 section 25.1).
//!
//! A header value reaches the parsers as it stood in the message, so a folded value still holds its line
//! breaks. The message index guarantees that a CR or LF inside a value belongs to a fold, so the cursor
//! counts both as white space and nothing has to be copied to unfold.

use memchr::memchr2;
use std::borrow::Cow;
use std::net::IpAddr;

/// A set of octets. To ask it is to look in one place of a table.
pub(crate) struct Octets([bool; 256]);

impl Octets {
    /// ASCII letters, digits and others.
    pub(crate) const fn alphanumeric_and(others: &[u8]) -> Self {
        let mut all = [false; 256];
        let mut at = 0;
        while at < all.len() {
            all[at] = at < 128 && (at as u8).is_ascii_alphanumeric();
            at += 1;
        }
        let mut rest = others;
        while let [other, others @ ..] = rest {
            all[*other as usize] = true;
            rest = others;
        }
        Self(all)
    }

    /// Whether an octet is one of them.
    pub(crate) fn has(&self, octet: u8) -> bool {
        self.0.get(usize::from(octet)).copied().unwrap_or(false)
    }
}

static TOKEN: Octets = Octets::alphanumeric_and(b"-.!%*_+`'~");

/// Whether an octet may stand in a `token`.
pub(crate) fn is_token(byte: u8) -> bool {
    TOKEN.has(byte)
}

/// Whether an octet is white space inside a header value.
pub(crate) const fn is_lws(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Takes white space off both ends.
pub(crate) fn trim(text: &str) -> &str {
    let mut octets = text.as_bytes();
    while let [first, rest @ ..] = octets
        && is_lws(*first)
    {
        octets = rest;
    }
    let start = text.len() - octets.len();
    while let [rest @ .., last] = octets
        && is_lws(*last)
    {
        octets = rest;
    }
    text.get(start..start + octets.len()).unwrap_or("")
}

/// Where an octet stands first in a text that is short, as parts of header values are.
pub(crate) fn find(text: &str, octet: u8) -> Option<usize> {
    text.bytes().position(|b| b == octet)
}

/// Whether a text is a non-empty `token`.
pub(crate) fn is_token_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token)
}

/// Reads a decimal number; digits only. A number that does not fit becomes `u64::MAX`.
pub(crate) fn digits(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.bytes().fold(0_u64, |sum, b| {
        sum.saturating_mul(10).saturating_add(u64::from(b.wrapping_sub(b'0')))
    }))
}

/// Writes a number in decimal digits: what `Display` does, in a fraction of the time.
pub(crate) fn push_decimal(text: &mut String, number: u32) {
    if number >= 10 {
        push_decimal(text, number / 10);
    }
    text.push(char::from_digit(number % 10, 10).unwrap_or('0'));
}

/// Writes an address, without brackets.
pub(crate) fn push_address(text: &mut String, address: IpAddr) {
    let address = match address {
        IpAddr::V4(address) => address,
        IpAddr::V6(address) => return text.push_str(&address.to_string()),
    };
    let [first, rest @ ..] = address.octets();
    push_decimal(text, first.into());
    for octet in rest {
        text.push('.');
        push_decimal(text, octet.into());
    }
}

/// Takes the quotes and backslashes off a `quoted-string`; other text is returned as it is.
pub(crate) fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else {
        return Cow::Borrowed(text);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.extend(chars.next()),
            _ => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

/// Makes a `quoted-string`.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    if memchr2(b'"', b'\\', text.as_bytes()).is_none() {
        quoted.push_str(text);
    } else {
        for c in text.chars() {
            if matches!(c, '"' | '\\') {
                quoted.push('\\');
            }
            quoted.push(c);
        }
    }
    quoted.push('"');
    quoted
}

/// A value as it must be written: as it is when it is a `token`, quoted when it is not.
pub(crate) fn token_or_quoted(text: &str) -> Cow<'_, str> {
    if is_token_text(text) { Cow::Borrowed(text) } else { Cow::Owned(quote(text)) }
}

/// Makes each fold one space, as which it counts (RFC 3261 section 7.3.1).
pub(crate) fn unfold(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains(['\r', '\n']) {
        return text;
    }
    let lines = text.split(['\r', '\n']).map(|line| line.trim_matches([' ', '\t']));
    let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    Cow::Owned(lines.join(" "))
}

/// A cursor over a header value.
#[derive(Clone)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// Begins at the start of a text.
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// How many octets have been read.
    pub(crate) const fn position(&self) -> usize {
        self.at
    }

    /// What has not been read yet.
    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// What was read since a position.
    pub(crate) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or("")
    }

    /// The next octet.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Whether all has been read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// Reads octets as long as they fit.
    pub(crate) fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> &'a str {
        let start = self.at;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        self.at += rest.iter().position(|b| !fits(*b)).unwrap_or(rest.len());
        self.since(start)
    }

    /// Reads over white space.
    pub(crate) fn skip_lws(&mut self) {
        if self.peek().is_some_and(is_lws) {
            self.take_while(is_lws);
        }
    }

    /// Reads one given octet.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    /// Reads a separator with the white space on both sides; nothing is read when it is not there.
    pub(crate) fn separator(&mut self, byte: u8) -> bool {
        let start = self.at;
        self.skip_lws();
        if !self.eat(byte) {
            self.at = start;
            return false;
        }
        self.skip_lws();
        true
    }

    /// Reads a `token`.
    pub(crate) fn token(&mut self) -> Option<&'a str> {
        Some(self.take_while(is_token)).filter(|token| !token.is_empty())
    }

    /// Reads a `quoted-string` and returns it with its quotes; `None` when it does not begin or end here.
    pub(crate) fn quoted(&mut self) -> Option<&'a str> {
        let start = self.at;
        if !self.eat(b'"') {
            return None;
        }
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => return Some(self.since(start)),
                // The escaped octet is ASCII (`quoted-pair`), so stepping over one octet is enough.
                b'\\' => self.at += 1,
                _ => {}
            }
        }
        self.at = start;
        None
    }
}

/// Splits a comma-separated header value; commas in quotes and angle brackets do not count.
///
/// Each part comes without the white space around it. An empty part is returned as such: the caller
/// decides whether that is an error.
pub fn split_list(value: &str) -> ListParts<'_> {
    ListParts { rest: Some(value) }
}

/// The parts of a comma-separated header value.
#[derive(Debug)]
pub struct ListParts<'a> {
    rest: Option<&'a str>,
}

impl<'a> ListParts<'a> {
    /// What follows the part that was returned last, without its comma; `None` when that was the last.
    pub(crate) const fn rest(&self) -> Option<&'a str> {
        self.rest
    }
}

impl<'a> Iterator for ListParts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.rest?;
        if !text.as_bytes().contains(&b',') {
            self.rest = None;
            return Some(trim(text));
        }
        let (mut quoted, mut escaped, mut bracketed) = (false, false, false);
        let comma = text.bytes().position(|byte| {
            if escaped {
                escaped = false;
                return false;
            }
            match byte {
                b'\\' if quoted => escaped = true,
                b'"' if !bracketed => quoted = !quoted,
                b'<' if !quoted => bracketed = true,
                b'>' if !quoted => bracketed = false,
                b',' => return !quoted && !bracketed,
                _ => {}
            }
            false
        });
        let Some(comma) = comma else {
            self.rest = None;
            return Some(trim(text));
        };
        self.rest = text.get(comma + 1..);
        text.get(..comma).map(trim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_lists_outside_quotes_and_brackets() {
        for (value, expected) in [
            ("a", vec!["a"]),
            ("a, b ,\r\n c", vec!["a", "b", "c"]),
            (r#""x, \" y" <sip:a,b@c>, <sip:d>"#, vec![r#""x, \" y" <sip:a,b@c>"#, "<sip:d>"]),
            ("", vec![""]),
            ("a,", vec!["a", ""]),
            (",,", vec!["", "", ""]),
            (r#"<sip:a"b>, c"#, vec![r#"<sip:a"b>"#, "c"]),
        ] {
            assert_eq!(split_list(value).collect::<Vec<_>>(), expected, "{value}");
        }
    }

    #[test]
    fn writes_numbers() {
        for number in [0, 7, 10, 99, 100, 5060, 65_535, u32::MAX] {
            let mut text = String::from("n");
            push_decimal(&mut text, number);
            assert_eq!(text, format!("n{number}"));
        }
        for address in ["192.0.2.10", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::"] {
            let (mut text, address) = (String::new(), address.parse().expect("an address"));
            push_address(&mut text, address);
            assert_eq!(text, address.to_string());
        }
    }

    #[test]
    fn quotes_and_unquotes() {
        for (plain, quoted) in [("", r#""""#), ("a b", r#""a b""#), (r#"a"\b"#, r#""a\"\\b""#)] {
            assert_eq!(quote(plain), quoted);
            assert_eq!(unquote(quoted), plain);
        }
        assert_eq!(unquote("token"), "token");
    }

    #[test]
    fn quoted_strings_must_end() {
        assert_eq!(Scanner::new(r#""a\"" x"#).quoted(), Some(r#""a\"""#));
        assert_eq!(Scanner::new(r#""a\""#).quoted(), None);
        assert_eq!(Scanner::new(r#""a"#).quoted(), None);
        assert_eq!(Scanner::new(r#""a\"#).quoted(), None);
    }

    #[test]
    fn numbers_that_do_not_fit_are_the_largest() {
        assert_eq!(digits("0068"), Some(68));
        assert_eq!(digits("36893488147419103232"), Some(u64::MAX));
        assert_eq!(digits("-1"), None);
        assert_eq!(digits(""), None);
    }
}
