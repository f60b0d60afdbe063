//! `Retry-After` (RFC 3261 section 20.33).

use super::expires::delta_seconds;
use super::scan::{Scanner, trim};
use super::{Header, HeaderError, HeaderName};
use std::fmt;

/// How long to stay away after a 503, 486 or 600.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RetryAfter(pub u32);

impl Header for RetryAfter {
    const NAME: HeaderName = HeaderName::RetryAfter;

    /// Reads the seconds; the comment and the parameters after them mean nothing to a server.
    fn parse(value: &str) -> Result<Self, HeaderError> {
        let mut scanner = Scanner::new(trim(value));
        let seconds = delta_seconds(scanner.take_while(|b| b.is_ascii_digit()));
        let followed =
            scanner.peek().is_none_or(|b| matches!(b, b' ' | b'\t' | b'\r' | b'(' | b';'));
        let wrong =
            HeaderError::new(Self::NAME, "the value does not begin with a number of seconds");
        seconds.filter(|_| followed).map(Self).ok_or(wrong)
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_seconds() {
        for (text, seconds) in [
            ("18000;duration=3600", Some(18000)),
            ("120 (I'm in a meeting)", Some(120)),
            ("5", Some(5)),
            ("949302838503028349304023988", Some(u32::MAX)),
            ("soon", None),
            ("5x", None),
        ] {
            assert_eq!(RetryAfter::parse(text).ok().map(|r| r.0), seconds, "{text}");
        }
    }
}
