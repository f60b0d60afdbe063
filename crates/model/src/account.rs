//! What a SIP server must know of an account.

use crate::{Aor, CallOptions, Ha1, Ha1Sha256, Ownership};
use std::net::IpAddr;

/// A SIP account as far as calls and registrations depend on it.
///
/// Provisioning knows more (names, e-mail, properties); none of that influences routing (B75).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account's address.
    pub aor: Aor,
    /// The MD5 digest of the password; `None` when no password is set, so that nobody can log in.
    pub ha1: Option<Ha1>,
    /// The MD5 digest for phones that put `user@domain` as their user name in credentials (HA1B, B61); `None` when
    /// no password is set.
    pub ha1b: Option<Ha1>,
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
    /// Digits that are put in front of short dialled numbers (B78).
    pub quickdial_prefix: Option<String>,
    /// Simultaneous calls to the PSTN; `None` is the platform's default (B76).
    pub call_limit: Option<u32>,
    /// Networks that may use the account, as `address/mask`; empty means any (B77).
    pub acl: Vec<String>,
    /// What its owner has set about calls; `None` when that is nothing, as with most accounts.
    pub options: Option<Box<CallOptions>>,
}

impl Account {
    /// An account of which nothing but the address is known: no password, no groups, no owner.
    #[must_use]
    pub fn new(aor: Aor) -> Self {
        Self {
            aor,
            ha1: None,
            ha1b: None,
            ha1_sha256: None,
            ownership: Ownership::default(),
            groups: Vec::new(),
            rpid: None,
            answer_timeout: None,
            region: None,
            quickdial_prefix: None,
            call_limit: None,
            acl: Vec::new(),
            options: None,
        }
    }

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

    /// Whether the account may be used from an address (B77). An entry that cannot be read admits nobody.
    #[must_use]
    pub fn admits(&self, address: IpAddr) -> bool {
        self.acl.is_empty() || self.acl.iter().any(|network| is_within(address, network))
    }
}

/// Whether an address lies in a network, written as `address/mask` or `address`.
fn is_within(address: IpAddr, network: &str) -> bool {
    let (base, mask) = match network.split_once('/') {
        Some((base, mask)) => (base, mask.parse().ok()),
        None => (network, Some(128)),
    };
    let (Ok(base), Some(mask)) = (base.trim().parse::<IpAddr>(), mask) else { return false };
    let differ = |differing: u128, width: u32| {
        let kept = width.min(mask);
        // What lies right of the mask does not count.
        differing.checked_shr(width - kept).unwrap_or(0) != 0
    };
    match (address.to_canonical(), base.to_canonical()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => !differ(u128::from(a.to_bits() ^ b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => !differ(a.to_bits() ^ b.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_within;

    #[test]
    fn b77_networks() {
        for (address, network, expected) in [
            ("192.0.2.7", "192.0.2.0/24", true),
            ("192.0.3.7", "192.0.2.0/24", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.8", "192.0.2.7", false),
            ("192.0.2.8", "192.0.2.7/32", false),
            ("192.0.2.8", "0.0.0.0/0", true),
            ("192.0.2.128", "192.0.2.0/25", false),
            ("::ffff:192.0.2.7", "192.0.2.0/24", true),
            ("2001:db8::7", "2001:db8::/32", true),
            ("2001:db9::7", "2001:db8::/32", false),
            ("2001:db8::7", "2001:db8::7", true),
            ("2001:db8::7", "::/0", true),
            ("192.0.2.7", "::/0", false),
            ("192.0.2.7", "nonsense", false),
            ("192.0.2.7", "192.0.2.0/x", false),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(is_within(address, network), expected, "{address} in {network}");
        }
    }
}
