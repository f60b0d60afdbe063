//! Call diversions: where calls go that do not reach an account (B80-B89).

use std::fmt;

/// What must be so for a diversion to be taken (B80, B82).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DiversionCondition {
    /// The account's accept rules forbid the caller now.
    Unavailable,
    /// Always.
    Unconditional,
    /// Nothing is registered.
    NotOnline,
    /// The call was refused as busy.
    Busy,
    /// The call was not answered in time.
    NoAnswer,
}

impl DiversionCondition {
    /// Every condition, in the order in which they are looked at (B81).
    pub const ALL: [Self; 5] =
        [Self::Unavailable, Self::Unconditional, Self::NotOnline, Self::Busy, Self::NoAnswer];
}

impl fmt::Display for DiversionCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "unavailable",
            Self::Unconditional => "unconditional",
            Self::NotOnline => "not online",
            Self::Busy => "busy",
            Self::NoAnswer => "no answer",
        })
    }
}

/// How a diversion is carried out (B80).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiversionAction {
    /// The platform calls the target, on the account.
    Forward,
    /// The caller is told to call the target itself.
    Redirect,
}

/// Where a diversion leads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DiversionTarget {
    /// A SIP URI.
    Uri(String),
    /// The account's mailbox, wherever it is when a call comes (B85).
    VoiceMailbox,
    /// The account's mobile number, whatever it is when a call comes (B86).
    MobileNumber,
}

impl DiversionTarget {
    /// Reads a target as it is stored and sent: one of the wildcards, in any case and with or without its
    /// brackets, or a URI, which is not looked into. `None` when there is nothing.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let bare = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(text);
        match bare.to_ascii_lowercase().as_str() {
            "" => None,
            "voice-mailbox" => Some(Self::VoiceMailbox),
            "mobile-number" => Some(Self::MobileNumber),
            _ => Some(Self::Uri(text.to_owned())),
        }
    }
}

impl fmt::Display for DiversionTarget {
    /// As [`Self::read`] takes it, wildcards with their brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uri(uri) => uri,
            Self::VoiceMailbox => "<voice-mailbox>",
            Self::MobileNumber => "<mobile-number>",
        })
    }
}

/// One diversion of an account. An account has at most one for each condition (B84).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diversion {
    /// When it is taken.
    pub when: DiversionCondition,
    /// How it is carried out.
    pub how: DiversionAction,
    /// Where it leads.
    pub target: DiversionTarget,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b85_b86_wildcards_are_known_in_both_spellings() {
        for (text, expected) in [
            ("<voice-mailbox>", Some(DiversionTarget::VoiceMailbox)),
            (" Voice-Mailbox ", Some(DiversionTarget::VoiceMailbox)),
            ("<mobile-number>", Some(DiversionTarget::MobileNumber)),
            ("mobile-number", Some(DiversionTarget::MobileNumber)),
            ("sip:a@example.com", Some(DiversionTarget::Uri("sip:a@example.com".to_owned()))),
            (" ", None),
            ("<>", None),
        ] {
            assert_eq!(DiversionTarget::read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_printed_is_read_back() {
        for text in ["<voice-mailbox>", "<mobile-number>", "sip:a@example.com"] {
            assert_eq!(DiversionTarget::read(text).map(|t| t.to_string()).as_deref(), Some(text));
        }
    }
}
