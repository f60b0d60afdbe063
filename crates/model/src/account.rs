//! What a SIP server must know of an account.

use crate::{Aor, Ha1, Ha1Sha256, Ownership};

/// A SIP account as far as calls and registrations depend on it.
///
/// Provisioning knows more (names, e-mail, properties); none of that influences routing (B75).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account's address.
    pub aor: Aor,
    /// The MD5 digest of the password; `None` when no password is set, so that nobody can log in.
    pub ha1: Option<Ha1>,
    /// The SHA-256 digest of the password; `None` when only MD5 digests were provisioned (B63).
    pub ha1_sha256: Option<Ha1Sha256>,
    /// Customer and reseller, those of the account's domain (B15).
    pub ownership: Ownership,
    /// The groups the account belongs to, sorted (B66).
    pub groups: Vec<String>,
    /// Caller id towards the PSTN.
    pub rpid: Option<String>,
    /// Seconds until a call counts as not answered; `None` is the platform's default (B56).
    pub answer_timeout: Option<u32>,
    /// Emergency region (B78).
    pub region: Option<String>,
    /// Networks that may use the account, as `address/mask`; empty means any (B77).
    pub acl: Vec<String>,
}

impl Account {
    /// Whether the account belongs to a group.
    #[must_use]
    pub fn is_in_group(&self, group: &str) -> bool {
        self.groups.iter().any(|g| g == group)
    }

    /// Whether the account may neither call nor register (group `blocked`, B66).
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.is_in_group("blocked")
    }
}
