//! `Content-Length` and `Content-Type` (RFC 3261 sections 20.14 and 20.15).

use super::params::Params;
use super::scan::{Scanner, digits, trim};
use super::{Header, HeaderError, HeaderName};
use std::fmt;

/// The octets of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentLength(pub usize);

impl Header for ContentLength {
    const NAME: HeaderName = HeaderName::ContentLength;

    fn parse(value: &str) -> Result<Self, HeaderError> {
        let length = digits(trim(value)).and_then(|length| usize::try_from(length).ok());
        length.map(Self).ok_or(HeaderError::new(Self::NAME, "the value is not a number of octets"))
    }
}

impl fmt::Display for ContentLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The media type of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType {
    /// The type, as written (`application`).
    pub kind: String,
    /// The subtype, as written (`sdp`).
    pub subtype: String,
    /// The parameters.
    pub params: Params,
}

impl ContentType {
    /// Whether the media type is the given one, compared without case.
    #[must_use]
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
    }
}

impl Header for ContentType {
    const NAME: HeaderName = HeaderName::ContentType;

    fn parse(value: &str) -> Result<Self, HeaderError> {
        let wrong = |reason| HeaderError::new(Self::NAME, reason);
        let mut scanner = Scanner::new(trim(value));
        let kind = scanner.token().ok_or(wrong("there is no media type"))?;
        if !scanner.separator(b'/') {
            return Err(wrong("there is no subtype"));
        }
        let subtype = scanner.token().ok_or(wrong("there is no subtype"))?;
        let params = Params::parse(scanner.rest()).map_err(wrong)?;
        Ok(Self { kind: kind.to_owned(), subtype: subtype.to_owned(), params })
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.kind, self.subtype, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lengths() {
        for (text, length) in [
            ("0", Some(0)),
            ("  150", Some(150)),
            ("-999", None),
            ("1e3", None),
            ("13, 13", None),
            ("", None),
        ] {
            assert_eq!(ContentLength::parse(text).ok().map(|l| l.0), length, "{text}");
        }
    }

    #[test]
    fn reads_media_types() {
        let t = ContentType::parse(" multipart / mixed;boundary=\"a b\"").expect("a media type");
        assert!(t.is("Multipart", "MIXED"));
        assert_eq!(t.params.unquoted("boundary").as_deref(), Some("a b"));
        assert_eq!(t.to_string(), "multipart/mixed;boundary=\"a b\"");
        for text in ["", "application", "application/", "/sdp", "a/b c"] {
            assert!(ContentType::parse(text).is_err(), "{text}");
        }
    }
}
