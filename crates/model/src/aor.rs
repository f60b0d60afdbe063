//! Addresses of record.

use crate::domain_name::{DomainName, DomainNameError, lower};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// An address of record: `username@domain`, both in lower case (B50, B53). Clones share them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Aor {
    username: Arc<str>,
    domain: DomainName,
}

/// Why a text is no address of record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AorError {
    /// The part before `@` is empty, longer than 64 octets, or holds a character it may not hold.
    #[error("`{0}` is not a user name")]
    Username(String),
    /// The part after `@` is no domain name.
    #[error(transparent)]
    Domain(#[from] DomainNameError),
    /// There is no `@`.
    #[error("`{0}` is not of the form user@domain")]
    Shape(String),
}

impl Aor {
    /// Makes an address of record, lowering the case of both parts.
    ///
    /// The user name holds 1 to 64 of RFC 3261's unreserved characters and `+ & = $ ,` (`user` of section
    /// 25.1 without escapes, `;`, `?` and `/`, which no client can type unescaped).
    pub fn new(username: &str, domain: &str) -> Result<Self, AorError> {
        let username = username.trim();
        let is_mark = |b: u8| {
            matches!(b, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')')
                || matches!(b, b'+' | b'&' | b'=' | b'$' | b',' | b'#')
        };
        let allowed = |b: u8| b.is_ascii_alphanumeric() || is_mark(b);
        if username.is_empty() || username.len() > 64 || !username.bytes().all(allowed) {
            return Err(AorError::Username(username.to_ascii_lowercase()));
        }
        Ok(Self { username: lower(username), domain: DomainName::new(domain)? })
    }

    /// The user name, in lower case.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> &DomainName {
        &self.domain
    }
}

impl fmt::Display for Aor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.username, self.domain)
    }
}

impl FromStr for Aor {
    type Err = AorError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (username, domain) =
            text.rsplit_once('@').ok_or_else(|| AorError::Shape(text.to_owned()))?;
        Self::new(username, domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowers_case_and_refuses_what_is_no_address() {
        let aor: Aor = "Alice.B@Example.COM".parse().expect("an address");
        assert_eq!(aor.to_string(), "alice.b@example.com");
        for text in ["", "alice", "@example.com", "a b@example.com", "alice@", "a\u{0}@example.com"]
        {
            assert!(text.parse::<Aor>().is_err(), "{text}");
        }
    }
}
