//! `name-addr` and `addr-spec`, and with them `From` and `To` (RFC 3261 sections 20.10, 20.20, 20.39).

use super::params::Params;
use super::scan::{self, Scanner, is_lws, is_token, trim};
use super::{Header, HeaderError, HeaderName};
use crate::uri::Uri;
use std::borrow::Cow;
use std::fmt;

/// An address with an optional display name, followed by header parameters.
///
/// It prints as it was read, parameters that were edited excepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAddr {
    /// Everything before the parameters, as written.
    head: String,
    /// Length of the display name at the start of `head`, quotes included.
    display: usize,
    uri: Uri,
    /// The header parameters.
    pub params: Params,
}

impl NameAddr {
    /// An address in angle brackets, without display name.
    #[must_use]
    pub fn new(uri: Uri) -> Self {
        Self { head: format!("<{uri}>"), display: 0, uri, params: Params::new() }
    }

    /// An address with a display name, which is quoted.
    #[must_use]
    pub fn with_display_name(name: &str, uri: Uri) -> Self {
        let clean: String = name.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect();
        let name = scan::quote(&clean);
        Self { head: format!("{name} <{uri}>"), display: name.len(), uri, params: Params::new() }
    }

    /// Reads an address; the reason says what is wrong.
    pub(crate) fn read(value: &str) -> Result<Self, &'static str> {
        let value = trim(value);
        let mut scanner = Scanner::new(value);
        let display = read_display_name(&mut scanner)?;
        if scanner.eat(b'<') {
            let uri = scanner.take_while(|b| b != b'>');
            let uri = Uri::parse(uri).map_err(|_| "the URI in angle brackets is malformed")?;
            if !scanner.eat(b'>') {
                return Err("an angle bracket does not close");
            }
            let params = read_params(scanner.rest())?;
            return Ok(Self { head: scanner.since(0).to_owned(), display, uri, params });
        }
        // Without brackets, `;` begins the header's parameters, and a URI with `?` or `,` is not allowed
        // (section 20.10).
        let text = scanner.take_while(|b| b != b';' && !is_lws(b));
        if text.contains(['?', ',']) {
            return Err("a URI with `?` or `,` must stand in angle brackets");
        }
        let uri = Uri::parse(text).map_err(|_| "the URI is malformed")?;
        let params = read_params(scanner.rest())?;
        Ok(Self { head: text.to_owned(), display: 0, uri, params })
    }

    /// Everything before the parameters, as it was written.
    pub(crate) fn before_params(&self) -> &str {
        &self.head
    }

    /// The URI.
    #[must_use]
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The display name without quotes; `None` when there is none.
    #[must_use]
    pub fn display_name(&self) -> Option<Cow<'_, str>> {
        let text = self.head.get(..self.display).filter(|text| !text.is_empty())?;
        Some(scan::unquote(text))
    }

    /// The `tag` parameter.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.params.value("tag")
    }

    /// Sets the `tag` parameter.
    pub fn set_tag(&mut self, tag: &str) {
        self.params.set("tag", Some(tag));
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head)?;
        f.write_str(self.params.as_str())
    }
}

/// Reads the parameters. What was not UTF-8 ([`char::REPLACEMENT_CHARACTER`] stands for it) says nothing in a display name,
/// but two tags must not become one.
fn read_params(text: &str) -> Result<Params, &'static str> {
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Err(HeaderError::NOT_UTF8);
    }
    Params::parse(text)
}

/// Reads `[ display-name ]` up to `<` and returns its length; reads nothing when there is none.
///
/// An unquoted name is tokens and white space. Octets beyond ASCII are let through: the grammar wants
/// quotes around them, but many phones leave them out and nothing else can begin with one.
fn read_display_name(scanner: &mut Scanner<'_>) -> Result<usize, &'static str> {
    if scanner.peek() == Some(b'"') {
        scanner.quoted().ok_or("a quoted string does not end")?;
        let length = scanner.position();
        scanner.skip_lws();
        if scanner.peek() != Some(b'<') {
            return Err("there is no `<` after the display name");
        }
        return Ok(length);
    }
    let mut ahead = scanner.clone();
    let name = ahead.take_while(|b| is_token(b) || is_lws(b) || b >= 0x80);
    match ahead.peek() {
        Some(b'<') => {
            let length = name.trim_end_matches(|c: char| u8::try_from(c).is_ok_and(is_lws)).len();
            *scanner = ahead;
            Ok(length)
        }
        _ => Ok(0),
    }
}

macro_rules! single {
    ($(#[$doc:meta])* $type:ident $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $type(pub NameAddr);

        impl Header for $type {
            const NAME: HeaderName = HeaderName::$name;

            fn parse(value: &str) -> Result<Self, HeaderError> {
                let wrong = |reason| HeaderError::new(Self::NAME, reason);
                NameAddr::read(value).map(Self).map_err(wrong)
            }
        }

        impl std::ops::Deref for $type {
            type Target = NameAddr;
            fn deref(&self) -> &NameAddr {
                &self.0
            }
        }

        impl std::ops::DerefMut for $type {
            fn deref_mut(&mut self) -> &mut NameAddr {
                &mut self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

single! {
    /// The logical initiator of the request.
    FromHeader From
}

single! {
    /// The logical recipient of the request.
    ToHeader To
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_display_name_uri_and_parameters() {
        for (text, display, uri, tag) in [
            ("sip:a@b", None, "sip:a@b", None),
            ("sip:a@b;tag=1", None, "sip:a@b", Some("1")),
            ("\r\n sip:a@b ;   tag    = 1918181833n", None, "sip:a@b", Some("1918181833n")),
            ("<sip:a@b;lr>;tag=1", None, "sip:a@b;lr", Some("1")),
            ("<sip:a@b?x=y>", None, "sip:a@b?x=y", None),
            ("Bob  Smith. <sip:a@b>", Some("Bob  Smith."), "sip:a@b", None),
            ("caller<sip:caller@example.com>", Some("caller"), "sip:caller@example.com", None),
            ("\"Bell, \\\"A\\\"\"<sip:a@b>;x;tag=2", Some("Bell, \"A\""), "sip:a@b", Some("2")),
            ("\"\" <sip:a@b>", Some(""), "sip:a@b", None),
            ("J\u{f6}rg <sip:a@b>", Some("J\u{f6}rg"), "sip:a@b", None),
            ("<tel:+1-201>;tag=3", None, "tel:+1-201", Some("3")),
            (
                "\"J Rosenberg \\\\\\\"\"       <sip:j@e.com>\r\n  ;\r\n  tag = 98",
                Some("J Rosenberg \\\""),
                "sip:j@e.com",
                Some("98"),
            ),
        ] {
            let read = NameAddr::read(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(read.display_name().as_deref(), display, "{text}");
            assert_eq!(read.uri().as_str(), uri, "{text}");
            assert_eq!(read.tag(), tag, "{text}");
            assert_eq!(NameAddr::read(&read.to_string()).as_ref(), Ok(&read), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "",
            "Bob",
            "\"Mr. J. User <sip:j.user@example.com>",
            "\"x\" sip:a@b",
            "Bell, Alexander <sip:a.g.bell@example.com>;tag=43",
            "< sip:t.watson@example.org >",
            "<sip:a@b",
            "<>",
            "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
            "sip:a,b@c",
            "<sip:a@b>;;;;",
            "<sip:a@b> x",
            "<sip:a@b>, <sip:c@d>",
            "sip:a@b c",
            // As which octets stand that are not UTF-8.
            "<sip:a@b>;tag=\u{fffd}",
            "sip:a@b;tag=1\u{fffd}",
            "<sip:\u{fffd}@b>",
        ] {
            assert!(NameAddr::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sets_a_tag_and_keeps_the_rest() {
        let mut to = ToHeader::parse("Bob  <sip:a@b> ; x=1").expect("an address");
        to.set_tag("t1");
        assert_eq!(to.to_string(), "Bob  <sip:a@b>; x=1;tag=t1");
        let uri = Uri::parse("sip:a@b").expect("a URI");
        assert_eq!(
            NameAddr::with_display_name("a\"b\r\nX: y", uri.clone()).to_string(),
            "\"a\\\"bX: y\" <sip:a@b>"
        );
        assert_eq!(NameAddr::new(uri).to_string(), "<sip:a@b>");
    }
}
