//! `Timestamp` (RFC 3261 section 20.38).

use super::scan::trim;
use super::{Header, HeaderError, HeaderName};
use std::fmt;

/// When the client sent the request, in its own clock; a 100 response repeats it (section 8.2.6.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Timestamp(pub String);

impl Header for Timestamp {
    const NAME: HeaderName = HeaderName::Timestamp;

    fn parse(value: &str) -> Result<Self, HeaderError> {
        let text = trim(value);
        let number = |t: &str| {
            let mut parts = t.splitn(2, '.');
            parts.all(|p| p.bytes().all(|b| b.is_ascii_digit()))
                && t.bytes().any(|b| b.is_ascii_digit())
        };
        let mut words = text.split_ascii_whitespace();
        let fits = words.next().is_some_and(number)
            && words.next().is_none_or(number)
            && words.next().is_none();
        let wrong = HeaderError::new(Self::NAME, "the value is not a time");
        if fits { Ok(Self(text.to_owned())) } else { Err(wrong) }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times() {
        for text in ["54", "54.5", "1.0 0.3", ".5"] {
            assert_eq!(Timestamp::parse(text).map(|t| t.0), Ok(text.to_owned()));
        }
        for text in ["", ".", "a", "1 2 3", "-1", "1.2.3"] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }
}
