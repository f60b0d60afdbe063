//! SIP passwords: the forms in which they arrive and what is stored of them (B59-B64).

use md5::{Digest as _, Md5};
use ngn_model::{Aor, Ha1, Ha1Sha256};
use sha2::Sha256;
use std::fmt;

/// A password as a caller gave it.
#[derive(Clone, PartialEq, Eq)]
pub enum PasswordInput {
    /// None was given: the stored one stays (B59).
    Keep,
    /// Clear text.
    Clear(String),
    /// `HA1:HA1B`, computed by the caller (B60).
    Digests {
        /// `MD5(username:domain:password)`.
        ha1: Ha1,
        /// `MD5(username@domain:domain:password)`.
        ha1b: Ha1,
    },
}

/// What is stored of a password.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPassword {
    /// The clear text, when the platform stores it and it is known.
    pub clear: Option<String>,
    /// `MD5(username:domain:password)`.
    pub ha1: Ha1,
    /// `MD5(username@domain:domain:password)`.
    pub ha1b: Ha1,
    /// `SHA-256(username:domain:password)`; only clear text yields it.
    pub ha1_sha256: Option<Ha1Sha256>,
}

impl fmt::Debug for PasswordInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep => "Keep",
            Self::Clear(_) => "Clear(redacted)",
            Self::Digests { .. } => "Digests(redacted)",
        })
    }
}

impl fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredPassword(redacted)")
    }
}

impl PasswordInput {
    /// Tells the forms apart: two strings of 32 hexadecimal digits with a colon between them are digests, every
    /// other text is clear text, a colon in it or not (B60, B64).
    #[must_use]
    pub fn read(text: Option<&str>) -> Self {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Self::Keep };
        let digests = text
            .split_once(':')
            .and_then(|(ha1, ha1b)| Some((Ha1::from_hex(ha1)?, Ha1::from_hex(ha1b)?)));
        match digests {
            Some((ha1, ha1b)) => Self::Digests { ha1, ha1b },
            None => Self::Clear(text.to_owned()),
        }
    }

    /// What is to be stored for an account; `None` keeps what is stored (B61-B63).
    #[must_use]
    pub fn store(self, aor: &Aor, keep_clear_text: bool) -> Option<StoredPassword> {
        match self {
            Self::Keep => None,
            Self::Digests { ha1, ha1b } => {
                Some(StoredPassword { clear: None, ha1, ha1b, ha1_sha256: None })
            }
            Self::Clear(clear) => {
                let (username, domain) = (aor.username(), aor.domain());
                let short = format!("{username}:{domain}:{clear}");
                let long = format!("{username}@{domain}:{domain}:{clear}");
                Some(StoredPassword {
                    ha1: Ha1::from_bytes(Md5::digest(&short).into()),
                    ha1b: Ha1::from_bytes(Md5::digest(&long).into()),
                    ha1_sha256: Some(Ha1Sha256::from_bytes(Sha256::digest(&short).into())),
                    clear: keep_clear_text.then_some(clear),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "00112233445566778899AABBccddeeff";

    #[test]
    fn b60_b64_forms() {
        let both = format!("{HEX}:{HEX}");
        let three = format!("{HEX}:{HEX}:{HEX}");
        let short = format!("{HEX}:00");
        for (text, digests) in
            [("secret", false), ("a:b", false), (&both, true), (&three, false), (&short, false)]
        {
            let read = PasswordInput::read(Some(text));
            assert_eq!(matches!(read, PasswordInput::Digests { .. }), digests, "{text}");
            assert_eq!(matches!(read, PasswordInput::Clear(_)), !digests, "{text}");
        }
    }

    #[test]
    fn b59_nothing_keeps_what_is_stored() {
        assert_eq!(PasswordInput::read(None), PasswordInput::Keep);
        assert_eq!(PasswordInput::read(Some("")), PasswordInput::Keep);
        let aor: Aor = "alice@example.com".parse().expect("an address");
        assert_eq!(PasswordInput::Keep.store(&aor, true), None);
    }

    #[test]
    fn b61_b62_digests_of_clear_text() {
        // The expected values were computed with coreutils' md5sum and sha256sum.
        let aor: Aor = "Alice@Example.com".parse().expect("an address");
        let stored = PasswordInput::read(Some("secret")).store(&aor, true).expect("a password");
        assert_eq!(stored.ha1.to_hex(), "b1726872c344b6dc8365b774f8fd6412");
        assert_eq!(stored.ha1b.to_hex(), "c79656e4f06dbae9fdf6727654273c65");
        assert_eq!(
            stored.ha1_sha256.map(|digest| digest.to_hex()).as_deref(),
            Some("ed8925b20f9a77b8f8f8d5f8e4467fe32b866f7208ab9e4b20595e9821a0fdee")
        );
        assert_eq!(stored.clear.as_deref(), Some("secret"));
        let hidden = PasswordInput::read(Some("secret")).store(&aor, false).expect("a password");
        assert_eq!(hidden.clear, None);
        assert_eq!(hidden.ha1, stored.ha1);
    }

    #[test]
    fn b63_digests_drop_the_clear_text() {
        let aor: Aor = "alice@example.com".parse().expect("an address");
        let text = format!("{HEX}:{HEX}");
        let stored = PasswordInput::read(Some(&text)).store(&aor, true).expect("a password");
        assert_eq!((stored.clear, stored.ha1_sha256), (None, None));
        assert_eq!(stored.ha1.to_hex(), HEX.to_ascii_lowercase());
    }
}
