//! Names of SIP domains and DNS zones in text form.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A domain name in lower case without a final dot, at most 253 octets, labels of 1 to 63 octets.
///
/// Labels hold letters, digits, `-` and `_` (B51; `_` since service labels such as `_sip._udp` are names
/// too). It is used for SIP domains and for zone names; it is text, never wire form. Clones share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DomainName(Arc<str>);

/// Why a text is no domain name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DomainNameError {
    /// Nothing was given.
    #[error("the domain name is empty")]
    Empty,
    /// More than 253 octets, or a label of more than 63.
    #[error("the domain name `{0}` is too long")]
    TooLong(String),
    /// A label is empty, begins or ends with `-`, or holds a character that it may not hold.
    #[error("`{0}` is not a domain name")]
    Malformed(String),
}

impl DomainName {
    /// Reads a name, lowering its case and taking off one final dot.
    pub fn new(text: &str) -> Result<Self, DomainNameError> {
        let text = text.trim();
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.is_empty() {
            return Err(DomainNameError::Empty);
        }
        let (mut is_too_long, mut fits) = (name.len() > 253, true);
        let (mut label, mut before) = (0, b'.');
        for byte in name.bytes() {
            label = if byte == b'.' { 0 } else { label + 1 };
            is_too_long |= label > 63;
            fits &= match byte {
                b'.' => !matches!(before, b'.' | b'-'),
                b'-' => before != b'.',
                _ => byte.is_ascii_alphanumeric() || byte == b'_',
            };
            before = byte;
        }
        if is_too_long {
            return Err(DomainNameError::TooLong(name.to_ascii_lowercase()));
        }
        if !fits || matches!(before, b'.' | b'-') {
            return Err(DomainNameError::Malformed(name.to_ascii_lowercase()));
        }
        Ok(Self(lower(name)))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this name equals `apex` or lies below it.
    #[must_use]
    pub fn is_within(&self, apex: &Self) -> bool {
        self.0 == apex.0
            || self.0.strip_suffix(apex.as_str()).is_some_and(|head| head.ends_with('.'))
    }
}

/// A text in lower case, copied once when it is in lower case already, as most are.
pub(crate) fn lower(text: &str) -> Arc<str> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        text.to_ascii_lowercase().into()
    } else {
        text.into()
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DomainName {
    type Err = DomainNameError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl AsRef<str> for DomainName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names() {
        for (text, expected) in [
            ("Example.COM", Some("example.com")),
            ("example.com.", Some("example.com")),
            ("_sip._udp.example.com", Some("_sip._udp.example.com")),
            ("", None),
            (".", None),
            ("a..b", None),
            ("-a.b", None),
            ("a b.c", None),
            ("ex\u{e4}mple.com", None),
        ] {
            let read = DomainName::new(text).ok();
            assert_eq!(read.as_ref().map(DomainName::as_str), expected, "{text}");
        }
        assert!(DomainName::new(&format!("{}.com", "a".repeat(64))).is_err());
    }

    #[test]
    fn knows_what_lies_below() {
        let name = |text| DomainName::new(text).expect("a name");
        assert!(name("a.example.com").is_within(&name("example.com")));
        assert!(name("example.com").is_within(&name("example.com")));
        assert!(!name("badexample.com").is_within(&name("example.com")));
    }
}
