//! `Authorization` and `Proxy-Authorization` (RFC 3261 sections 20.7 and 20.28, RFC 7616 section 3.4).

use super::scan::{self, Scanner, trim};
use std::borrow::Cow;
use std::fmt;

/// What a client presents to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// Digest credentials.
    Digest(Box<Credentials>),
    /// Another scheme, which means the same as no credentials.
    Other(String),
}

/// The hash of a digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `MD5`, also when no algorithm is named.
    Md5,
    /// `SHA-256` (RFC 8760).
    Sha256,
    /// Any other, as written.
    Other(String),
}

impl Algorithm {
    /// Reads a name of either case.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text.eq_ignore_ascii_case("MD5") {
            Self::Md5
        } else if text.eq_ignore_ascii_case("SHA-256") {
            Self::Sha256
        } else {
            Self::Other(text.to_owned())
        }
    }

    /// The name as the RFCs spell it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
            Self::Other(name) => name,
        }
    }
}

/// Digest credentials. Values stand here without quotes and backslashes.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The realm.
    pub realm: String,
    /// The nonce of the challenge that is answered.
    pub nonce: String,
    /// The URI that entered the response.
    pub uri: String,
    /// The response, hexadecimal.
    pub response: String,
    /// The hash; MD5 when none was named.
    pub algorithm: Algorithm,
    /// The client's own nonce.
    pub cnonce: Option<String>,
    /// The challenge's opaque value.
    pub opaque: Option<String>,
    /// The quality of protection that the client chose.
    pub qop: Option<String>,
    /// How often the client has used the nonce, as written: it enters the response.
    pub nc: Option<String>,
}

impl Authorization {
    /// Reads credentials; the error says what is wrong.
    pub fn parse(value: &str) -> Result<Self, &'static str> {
        let mut scanner = Scanner::new(trim(value));
        let scheme = scanner.token().ok_or("there is no scheme")?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return Ok(Self::Other(scheme.to_owned()));
        }
        let mut params = AuthParams::default();
        params.read(&mut scanner)?;
        let mut take = |name: &str| params.take(name);
        let mut must = |name, reason| take(name).ok_or(reason);
        Ok(Self::Digest(Box::new(Credentials {
            username: must("username", "there is no username")?,
            realm: must("realm", "there is no realm")?,
            nonce: must("nonce", "there is no nonce")?,
            uri: must("uri", "there is no uri")?,
            response: must("response", "there is no response")?,
            algorithm: take("algorithm").map_or(Algorithm::Md5, |name| Algorithm::parse(&name)),
            cnonce: take("cnonce"),
            opaque: take("opaque"),
            qop: take("qop"),
            nc: take("nc"),
        })))
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Digest username={}, realm={}, nonce={}, uri={}, response={}, algorithm={}",
            scan::quote(&self.username),
            scan::quote(&self.realm),
            scan::quote(&self.nonce),
            scan::quote(&self.uri),
            scan::quote(&self.response),
            scan::token_or_quoted(self.algorithm.as_str())
        )?;
        for (name, value) in [("cnonce", &self.cnonce), ("opaque", &self.opaque)] {
            if let Some(value) = value {
                write!(f, ", {name}={}", scan::quote(value))?;
            }
        }
        for (name, value) in [("qop", &self.qop), ("nc", &self.nc)] {
            if let Some(value) = value {
                write!(f, ", {name}={}", scan::token_or_quoted(value))?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Credentials {
    /// Shows who asks, not with what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .field("realm", &self.realm)
            .finish_non_exhaustive()
    }
}

/// `name=value` pairs separated by commas, as in credentials and challenges.
#[derive(Default)]
pub(crate) struct AuthParams<'a>(Vec<(&'a str, Cow<'a, str>)>);

impl<'a> AuthParams<'a> {
    /// As many as a digest has at most.
    const USUAL: usize = 12;
    /// How many pairs are read. A digest has a dozen; a datagram has room for thousands, each to be compared with
    /// each before anybody has proved who it is.
    const MOST: usize = 64;

    /// Reads pairs to the end; a name may stand only once.
    pub(crate) fn read(&mut self, scanner: &mut Scanner<'a>) -> Result<(), &'static str> {
        self.0.reserve(Self::USUAL);
        scanner.skip_lws();
        loop {
            let name = scanner.token().ok_or("a parameter has no name")?;
            if !scanner.separator(b'=') {
                return Err("a parameter has no value");
            }
            let value: Cow<'a, str> = if scanner.peek() == Some(b'"') {
                scan::unfold(scan::unquote(scanner.quoted().ok_or("a quoted string does not end")?))
            } else {
                let bare = |b: u8| b.is_ascii_graphic() && !matches!(b, b',' | b'"' | b';');
                Cow::Borrowed(scanner.take_while(bare))
            };
            if self.0.iter().any(|(n, _)| n.eq_ignore_ascii_case(name)) {
                return Err("a parameter is repeated");
            }
            if self.0.len() >= Self::MOST {
                return Err("there are too many parameters");
            }
            self.0.push((name, value));
            if !scanner.separator(b',') {
                break;
            }
        }
        scanner.skip_lws();
        if scanner.is_at_end() { Ok(()) } else { Err("parameters are not separated by commas") }
    }

    /// Takes one value out.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(n, _)| n.eq_ignore_ascii_case(name))?;
        Some(self.0.swap_remove(at).1.into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_digest_credentials() {
        let text = "Digest username=\"a\\\"b\", realm=\"example.com\",\r\n nonce=\"84a4cc6f\" , uri=\"sip:b@c\",\
                    response=\"7587\", algorithm=SHA-256, cnonce=\"0a4f\", qop=auth, nc=00000001, x=y";
        let Ok(Authorization::Digest(c)) = Authorization::parse(text) else {
            panic!("credentials")
        };
        assert_eq!(c.username, "a\"b");
        assert_eq!(c.nonce, "84a4cc6f");
        assert_eq!(c.algorithm, Algorithm::Sha256);
        assert_eq!(c.nc.as_deref(), Some("00000001"));
        assert_eq!(c.opaque, None);
        assert_eq!(Authorization::parse(&c.to_string()), Ok(Authorization::Digest(c.clone())));
        assert!(!format!("{c:?}").contains("7587"));
    }

    #[test]
    fn a_fold_is_a_space_and_what_is_no_token_is_quoted() {
        let text = "Digest username=\"a \r\n\tb\", realm=\"\r\n r\", nonce=n, uri=u, response=0,\
                    algorithm=\"x, y\", qop=\"a b\", nc=\"\"";
        let Ok(Authorization::Digest(c)) = Authorization::parse(text) else {
            panic!("credentials")
        };
        assert_eq!((c.username.as_str(), c.realm.as_str()), ("a b", "r"));
        assert!(c.to_string().ends_with("algorithm=\"x, y\", qop=\"a b\", nc=\"\""), "{c}");
        assert_eq!(Authorization::parse(&c.to_string()), Ok(Authorization::Digest(c)));
    }

    #[test]
    fn other_schemes_are_not_errors() {
        // RFC 4475 section 3.3.7
        let read = Authorization::parse("NoOneKnowsThisScheme opaque-data=here");
        assert_eq!(read, Ok(Authorization::Other("NoOneKnowsThisScheme".into())));
        assert_eq!(Authorization::parse("Basic YTpi"), Ok(Authorization::Other("Basic".into())));
    }

    #[test]
    fn refuses_broken_credentials() {
        let whole = "username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"0\"";
        assert!(Authorization::parse(&format!("Digest {whole}")).is_ok());
        for text in [
            String::new(),
            "Digest".into(),
            "Digest username=\"a\"".into(),
            format!("Digest {whole}, realm=\"s\""),
            format!("Digest {whole} x=y"),
            format!("Digest {whole}, x"),
            format!("Digest {whole}, x=\"y"),
            format!("Digest {whole},"),
            "\"Digest\" a=b".into(),
            format!("Digest {whole}{}", (0..60).map(|n| format!(", x{n}=y")).collect::<String>()),
        ] {
            assert!(Authorization::parse(&text).is_err(), "{text}");
        }
    }
}
