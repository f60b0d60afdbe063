//! `Call-ID` (RFC 3261 section 20.8).

use super::scan::trim;
use super::{Header, HeaderError, HeaderName};
use std::fmt;

/// The identifier that groups the messages of a call or of the registrations of one phone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallId(pub String);

impl CallId {
    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Header for CallId {
    const NAME: HeaderName = HeaderName::CallId;

    fn parse(value: &str) -> Result<Self, HeaderError> {
        check(value).map(|text| Self(text.to_owned()))
    }
}

/// `callid = word [ "@" word ]`, taken liberally: visible characters, no white space inside.
pub(crate) fn check(value: &str) -> Result<&str, HeaderError> {
    let text = trim(value);
    if text.is_empty() || text.bytes().any(|b| b.is_ascii_control() || b == b' ') {
        return Err(HeaderError::new(HeaderName::CallId, "the value is not one word"));
    }
    Ok(text)
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_words() {
        assert_eq!(
            CallId::parse("\r\n intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{").map(|c| c.0),
            Ok("intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{".to_owned())
        );
        for text in ["", " ", "a b", "a\u{0}b"] {
            assert!(CallId::parse(text).is_err(), "{text}");
        }
    }
}
