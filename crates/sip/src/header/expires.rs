//! `Expires` and `Min-Expires` (RFC 3261 sections 20.19 and 20.23).

use super::scan::{digits, trim};
use super::{Header, HeaderError, HeaderName};
use std::fmt;

/// Seconds after which a registration, subscription or invitation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Expires(pub u32);

/// The shortest registration that a registrar takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MinExpires(pub u32);

/// `delta-seconds`; what exceeds 2^32-1 becomes that.
pub(crate) fn delta_seconds(value: &str) -> Option<u32> {
    digits(trim(value)).map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX))
}

impl Header for Expires {
    const NAME: HeaderName = HeaderName::Expires;

    fn parse(value: &str) -> Result<Self, HeaderError> {
        let wrong = HeaderError::new(Self::NAME, "the value is not a number of seconds");
        delta_seconds(value).map(Self).ok_or(wrong)
    }
}

impl Header for MinExpires {
    const NAME: HeaderName = HeaderName::MinExpires;

    fn parse(value: &str) -> Result<Self, HeaderError> {
        let wrong = HeaderError::new(Self::NAME, "the value is not a number of seconds");
        delta_seconds(value).map(Self).ok_or(wrong)
    }
}

impl fmt::Display for Expires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for MinExpires {
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
            ("0", Some(0)),
            (" 3600 ", Some(3600)),
            ("10000000000", Some(u32::MAX)),
            ("-1", None),
            ("", None),
            ("Thu, 01 Dec 1994 16:00:00 GMT", None),
        ] {
            assert_eq!(Expires::parse(text).ok().map(|e| e.0), seconds, "{text}");
            assert_eq!(MinExpires::parse(text).ok().map(|e| e.0), seconds, "{text}");
        }
    }
}
