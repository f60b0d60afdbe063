//! Parameters of header values: `;name=value` (RFC 3261 section 7.3.1).

use super::scan::{self, Octets, Scanner, is_token};
use std::borrow::Cow;
use std::fmt;

/// The parameters of a header value, in the order and spelling in which they came.
///
/// The text is kept whole, so what is not edited is printed exactly as it was received.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Params {
    text: String,
    lengths: Lengths,
}

/// How long the names of parameters are, one bit for each length: most that are looked for are not there, which is seen
/// without reading the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Lengths(u32);

impl Lengths {
    fn of(name: &str) -> Self {
        Self(1 << name.len().min(31))
    }

    fn add(&mut self, name: &str) {
        self.0 |= Self::of(name).0;
    }

    fn may_have(self, name: &str) -> bool {
        self.0 & Self::of(name).0 != 0
    }
}

impl Params {
    /// No parameters.
    #[must_use]
    pub const fn new() -> Self {
        Self { text: String::new(), lengths: Lengths(0) }
    }

    /// Reads parameters; the text is empty or begins with `;`.
    ///
    /// Each parameter is a token, alone or with `=` and a token, host or quoted string.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = scan::trim(text);
        let mut scanner = Scanner::new(text);
        let mut lengths = Lengths::default();
        while !scanner.is_at_end() {
            if !scanner.separator(b';') {
                return Err("a parameter does not begin with `;`");
            }
            lengths.add(scanner.token().ok_or("a parameter has no name")?);
            if scanner.separator(b'=') {
                if scanner.peek() == Some(b'"') {
                    scanner.quoted().ok_or("a quoted string does not end")?;
                } else if scanner.take_while(is_value).is_empty() {
                    return Err("a parameter has no value after `=`");
                }
            }
        }
        Ok(Self { text: text.to_owned(), lengths })
    }

    /// The parameters as text, empty or beginning with `;`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Names and values as they were written, quotes included.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        Spans::new(&self.text).map(|span| (span.name, span.value))
    }

    /// Whether a parameter is there, with or without a value. Names are compared without case.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.lengths.may_have(name) && self.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    /// The value of the first parameter of that name, as written; `None` when it is absent or has none.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        if !self.lengths.may_have(name) {
            return None;
        }
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?.1
    }

    /// The value with quotes and backslashes taken off.
    #[must_use]
    pub fn unquoted(&self, name: &str) -> Option<Cow<'_, str>> {
        self.value(name).map(scan::unquote)
    }

    /// Sets a parameter, in its place when it is there and at the end when it is not.
    ///
    /// The value is written as given: quoting is the caller's choice (`set_quoted`). Octets that cannot
    /// stand in a parameter are dropped, so that no value can add a parameter or a header of its own.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let mut text = String::with_capacity(name.len() + value.map_or(0, str::len) + 2);
        text.push(';');
        push_fitting(&mut text, name, is_token);
        if let Some(value) = value {
            text.push('=');
            push_fitting(&mut text, value, is_value);
        }
        self.put(name, &text);
    }

    /// Sets a parameter to a quoted string.
    pub fn set_quoted(&mut self, name: &str, value: &str) {
        let clean: String = value.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect();
        self.put(name, &format!(";{name}={}", scan::quote(&clean)));
    }

    fn put(&mut self, name: &str, text: &str) {
        if !self.replace(name, text) {
            self.text.push_str(text);
            Spans::new(text).for_each(|span| self.lengths.add(span.name));
        }
    }

    /// Removes all parameters of that name; whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        self.replace(name, "")
    }

    /// Puts a text in the place of the first parameter of a name and removes the others, which section 7.3.1
    /// forbids; whether there was one. One pass: a datagram has room for thousands of them.
    fn replace(&mut self, name: &str, text: &str) -> bool {
        if !self.lengths.may_have(name) {
            return false;
        }
        // With room for one more: `received` comes after `rport`.
        let room = self.text.len() + text.len() + 32;
        let (mut replaced, mut kept_to) = (String::with_capacity(room), 0);
        for span in Spans::new(&self.text).filter(|span| span.name.eq_ignore_ascii_case(name)) {
            replaced.push_str(self.text.get(kept_to..span.start).unwrap_or(""));
            if kept_to == 0 {
                replaced.push_str(text);
            }
            kept_to = span.end;
        }
        if kept_to == 0 {
            return false;
        }
        replaced.push_str(self.text.get(kept_to..).unwrap_or(""));
        self.text = replaced;
        if text.is_empty() {
            let mut lengths = Lengths::default();
            self.iter().for_each(|(name, _)| lengths.add(name));
            self.lengths = lengths;
        }
        true
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Appends those characters that fit.
fn push_fitting(text: &mut String, more: &str, fits: fn(u8) -> bool) {
    if more.bytes().all(|b| b.is_ascii() && fits(b)) {
        text.push_str(more);
    } else {
        text.extend(more.chars().filter(|c| u8::try_from(*c).is_ok_and(fits)));
    }
}

static VALUE: Octets = Octets::alphanumeric_and(b"!#$%&'()*+-./:=?@[]^_`{|}~");

/// An octet of an unquoted parameter value: token, host or IPv6 reference, taken liberally, since many
/// clients leave out quotes.
fn is_value(byte: u8) -> bool {
    byte >= 0x80 || VALUE.has(byte)
}

/// One parameter and where it stands.
struct ParamSpan<'a> {
    name: &'a str,
    value: Option<&'a str>,
    start: usize,
    end: usize,
}

/// Walks over parameters; stops at the first thing that is none.
struct Spans<'a>(Scanner<'a>);

impl<'a> Spans<'a> {
    const fn new(text: &'a str) -> Self {
        Self(Scanner::new(text))
    }
}

impl<'a> Iterator for Spans<'a> {
    type Item = ParamSpan<'a>;

    fn next(&mut self) -> Option<ParamSpan<'a>> {
        self.0.skip_lws();
        let start = self.0.position();
        if !self.0.separator(b';') {
            return None;
        }
        let name = self.0.token()?;
        let mut value = None;
        if self.0.separator(b'=') {
            value = match self.0.peek() {
                Some(b'"') => Some(self.0.quoted()?),
                _ => Some(self.0.take_while(is_value)),
            };
        }
        Some(ParamSpan { name, value, start, end: self.0.position() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(text: &str) -> Params {
        Params::parse(text).expect("parameters")
    }

    #[test]
    fn reads_in_order_and_spelling() {
        let p =
            params(" ;\r\n tag = 98asjd8;lr ; x=\"a;b, c\\\"\";Branch=z9hG4bK1;r=[2001:db8::1]");
        assert_eq!(
            p.iter().collect::<Vec<_>>(),
            [
                ("tag", Some("98asjd8")),
                ("lr", None),
                ("x", Some("\"a;b, c\\\"\"")),
                ("Branch", Some("z9hG4bK1")),
                ("r", Some("[2001:db8::1]"))
            ]
        );
        assert_eq!(p.value("branch"), Some("z9hG4bK1"));
        assert_eq!(p.unquoted("X").as_deref(), Some("a;b, c\""));
        assert!(p.has("LR"));
        assert!(!p.has("l"));
    }

    #[test]
    fn refuses_what_is_none() {
        for text in
            ["x", ";", ";;a", ";a;", ";a=", ";a=;b", ";a=\"b", ";a b", ";a=b c", ";a,b", ";=a"]
        {
            assert!(Params::parse(text).is_err(), "{text}");
        }
        assert!(params("").is_empty());
    }

    #[test]
    fn edits_keep_the_rest() {
        let mut p = params(";branch=z9 ; rport;x=\"1\"");
        p.set("RPORT", Some("5060"));
        assert_eq!(p.as_str(), ";branch=z9 ;RPORT=5060;x=\"1\"");
        p.set("received", Some("192.0.2.1"));
        assert!(p.remove("x"));
        assert!(!p.remove("x"));
        assert_eq!(p.as_str(), ";branch=z9 ;RPORT=5060;received=192.0.2.1");
    }

    #[test]
    fn rfc3261_7_3_1_an_edit_leaves_a_name_once() {
        let mut p = params(";a=1;b; A=2 ;c;a");
        p.set("a", Some("3"));
        assert_eq!(p.as_str(), ";a=3;b ;c");
        // As long as a datagram can be; removing one by one would take minutes.
        let mut p = params(&(";x".repeat(15_000) + &";received=1".repeat(3_000)));
        assert!(p.remove("received"));
        assert_eq!(p.as_str().len(), 30_000);
    }

    #[test]
    fn values_cannot_break_out() {
        let mut p = Params::new();
        p.set("tag", Some("a;b\r\nEvil: 1,<x>"));
        assert_eq!(p.as_str(), ";tag=abEvil:1x");
        p.set_quoted("q", "a\r\n\"b");
        assert_eq!(p.unquoted("q").as_deref(), Some("a\"b"));
    }
}
