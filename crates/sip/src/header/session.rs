//! `Session-Expires` and `Min-SE` (RFC 4028 sections 4 and 5).

use super::expires::delta_seconds;
use super::scan::{Scanner, trim};
use super::{Header, HeaderError, HeaderName};
use std::fmt;

/// How long a session lasts without being refreshed, in seconds. Its parameters, such as who refreshes, are not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionExpires(pub u32);

/// The shortest session interval that somebody on the way takes, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MinSe(pub u32);

/// Seconds before parameters.
fn seconds(name: HeaderName, value: &str) -> Result<u32, HeaderError> {
    let mut scanner = Scanner::new(trim(value));
    let seconds = delta_seconds(scanner.take_while(|b| b.is_ascii_digit()));
    let followed = scanner.peek().is_none_or(|b| matches!(b, b' ' | b'\t' | b'\r' | b';'));
    let wrong = HeaderError::new(name, "the value does not begin with a number of seconds");
    seconds.filter(|_| followed).ok_or(wrong)
}

impl Header for SessionExpires {
    const NAME: HeaderName = HeaderName::SessionExpires;

    fn parse(value: &str) -> Result<Self, HeaderError> {
        seconds(Self::NAME, value).map(Self)
    }
}

impl Header for MinSe {
    const NAME: HeaderName = HeaderName::MinSe;

    fn parse(value: &str) -> Result<Self, HeaderError> {
        seconds(Self::NAME, value).map(Self)
    }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for MinSe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc4028_4_seconds_are_read_and_parameters_passed_over() {
        for (text, seconds) in [
            ("1800", Some(1800)),
            ("90;refresher=uac", Some(90)),
            (" 4000 ;refresher=uas;x=y", Some(4000)),
            ("99999999999", Some(u32::MAX)),
            ("", None),
            (";refresher=uac", None),
            ("90x", None),
            ("-90", None),
        ] {
            assert_eq!(SessionExpires::parse(text).ok().map(|s| s.0), seconds, "{text}");
            assert_eq!(MinSe::parse(text).ok().map(|s| s.0), seconds, "{text}");
        }
    }
}
