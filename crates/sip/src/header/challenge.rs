//! `WWW-Authenticate` and `Proxy-Authenticate` (RFC 3261 sections 20.27 and 20.44, RFC 7616 section 3.3).

use super::authorization::{Algorithm, AuthParams};
use super::scan::{self, Scanner, trim};
use std::fmt;

/// A digest challenge with `qop="auth"` and without opaque value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The realm.
    pub realm: String,
    /// The nonce.
    pub nonce: String,
    /// The hash.
    pub algorithm: Algorithm,
    /// The client's password may be right, only its nonce was too old.
    pub stale: bool,
    /// The offered qualities of protection; empty when the challenge has none.
    pub qop: String,
    /// The opaque value, which we do not use ourselves.
    pub opaque: Option<String>,
}

impl Challenge {
    /// Reads a challenge; the error says what is wrong.
    pub fn parse(value: &str) -> Result<Self, &'static str> {
        let mut scanner = Scanner::new(trim(value));
        let scheme = scanner.token().ok_or("there is no scheme")?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return Err("the scheme is not Digest");
        }
        let mut params = AuthParams::default();
        params.read(&mut scanner)?;
        Ok(Self {
            realm: params.take("realm").ok_or("there is no realm")?,
            nonce: params.take("nonce").ok_or("there is no nonce")?,
            algorithm: params.take("algorithm").map_or(Algorithm::Md5, |a| Algorithm::parse(&a)),
            stale: params.take("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            qop: params.take("qop").unwrap_or_default(),
            opaque: params.take("opaque"),
        })
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (realm, nonce) = (scan::quote(&self.realm), scan::quote(&self.nonce));
        let algorithm = scan::token_or_quoted(self.algorithm.as_str());
        write!(f, "Digest realm={realm}, nonce={nonce}, algorithm={algorithm}")?;
        if !self.qop.is_empty() {
            write!(f, ", qop={}", scan::quote(&self.qop))?;
        }
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque={}", scan::quote(opaque))?;
        }
        if self.stale { f.write_str(", stale=true") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints() {
        let text =
            "Digest realm=\"example.com\", nonce=\"abc\", algorithm=MD5, qop=\"auth\", stale=true";
        let challenge = Challenge::parse(text).expect("a challenge");
        assert!(challenge.stale);
        assert_eq!(challenge.to_string(), text);
        let bare = Challenge::parse("digest nonce=x , realm=\"r\"").expect("a challenge");
        assert_eq!(bare.to_string(), "Digest realm=\"r\", nonce=\"x\", algorithm=MD5");
        for text in ["", "Basic realm=\"x\"", "Digest realm=\"x\"", "Digest nonce=\"x\""] {
            assert!(Challenge::parse(text).is_err(), "{text}");
        }
    }
}
