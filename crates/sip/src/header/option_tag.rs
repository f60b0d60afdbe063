//! Lists of tokens: `Require`, `Proxy-Require`, `Supported`, `Unsupported` and `Allow`.

use super::scan::{is_token_text, split_list, trim};
use super::{HeaderError, HeaderName, ListHeader};
use crate::message::Method;
use std::fmt;

/// Option tags (RFC 3261 section 19.2) of all fields of one name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptionTags(pub Vec<String>);

impl OptionTags {
    /// Whether a tag is in the list; tags are compared without case (section 7.3.1).
    #[must_use]
    pub fn has(&self, tag: &str) -> bool {
        self.0.iter().any(|t| t.eq_ignore_ascii_case(tag))
    }

    /// The tags that are not in `known`, each once: what a 420 lists in `Unsupported` (section 8.2.2.3). At most
    /// [`Self::MOST_UNKNOWN`], so that the response does not outgrow the request.
    #[must_use]
    pub fn unknown(&self, known: &[&str]) -> Self {
        let is_known = |tag: &str| known.iter().any(|k| k.eq_ignore_ascii_case(tag));
        let mut unknown = Self::default();
        for tag in &self.0 {
            if unknown.0.len() < Self::MOST_UNKNOWN && !is_known(tag) && !unknown.has(tag) {
                unknown.0.push(tag.clone());
            }
        }
        unknown
    }

    /// How many tags [`Self::unknown`] lists. Fewer than that have been registered.
    pub const MOST_UNKNOWN: usize = 100;

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the tags of one field. An empty `Supported` is legal and means none.
    pub(crate) fn read(&mut self, name: HeaderName, value: &str) -> Result<(), HeaderError> {
        if trim(value).is_empty() {
            return Ok(());
        }
        for tag in split_list(value) {
            if !is_token_text(tag) {
                return Err(HeaderError::new(name, "an option tag is not a token"));
            }
            self.0.push(tag.to_owned());
        }
        Ok(())
    }
}

impl fmt::Display for OptionTags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// One method that a user agent supports (RFC 3261 section 20.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow(pub Method);

impl ListHeader for Allow {
    const NAME: HeaderName = HeaderName::Allow;

    fn parse_one(value: &str) -> Result<Self, HeaderError> {
        let wrong = HeaderError::new(Self::NAME, "a method is not a token");
        Method::parse(value).map(Self).ok_or(wrong)
    }

    fn parse_list(value: &str) -> Result<Vec<Self>, HeaderError> {
        if trim(value).is_empty() {
            return Ok(Vec::new());
        }
        split_list(value).map(Self::parse_one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_tags_and_finds_unknown_ones() {
        let mut tags = OptionTags::default();
        assert!(tags.read(HeaderName::Require, "100rel, Path").is_ok());
        assert!(tags.read(HeaderName::Require, " ").is_ok());
        assert!(tags.read(HeaderName::Require, "nothingSupportsThis").is_ok());
        assert!(tags.has("path"));
        assert_eq!(tags.unknown(&["100REL", "path"]).to_string(), "nothingSupportsThis");
        assert!(tags.read(HeaderName::Require, "NothingSupportsThis, x, X").is_ok());
        assert_eq!(tags.unknown(&["100REL", "path"]).to_string(), "nothingSupportsThis, x");
        let many = (0..10_000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        assert!(tags.read(HeaderName::Require, &many).is_ok());
        assert_eq!(tags.unknown(&[]).0.len(), OptionTags::MOST_UNKNOWN);
        assert!(tags.read(HeaderName::Require, "a,,b").is_err());
        assert!(tags.read(HeaderName::Require, "a b").is_err());
    }

    #[test]
    fn reads_methods() {
        let allow = Allow::parse_list("INVITE, NEW").expect("methods");
        assert_eq!(allow, [Allow(Method::Invite), Allow(Method::Other("NEW".into()))]);
        assert_eq!(Allow::parse_list(""), Ok(vec![]));
        assert!(Allow::parse_list("INVITE,,").is_err());
    }
}
