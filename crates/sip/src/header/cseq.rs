//! `CSeq` (RFC 3261 section 20.16).

use super::scan::{Scanner, digits, trim};
use super::{Header, HeaderError, HeaderName};
use crate::message::Method;
use std::fmt;

/// The sequence number and method of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CSeq {
    /// The number, less than 2^31 in what we send; any 32-bit number is taken.
    pub number: u32,
    /// The method.
    pub method: Method,
}

impl Header for CSeq {
    const NAME: HeaderName = HeaderName::CSeq;

    fn parse(value: &str) -> Result<Self, HeaderError> {
        let wrong = |reason| HeaderError::new(Self::NAME, reason);
        let mut scanner = Scanner::new(trim(value));
        let number = digits(scanner.take_while(|b| b.is_ascii_digit()));
        let number = number.ok_or(wrong("there is no sequence number"))?;
        let number = u32::try_from(number).map_err(|_| wrong("the number exceeds 2^32-1"))?;
        let before = scanner.position();
        scanner.skip_lws();
        if scanner.position() == before {
            return Err(wrong("there is no space after the number"));
        }
        let method = Method::parse(scanner.rest()).ok_or(wrong("the method is not a token"))?;
        Ok(Self { number, method })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints() {
        for (text, printed) in [
            ("1 INVITE", Some("1 INVITE")),
            ("0009\r\n  INVITE", Some("9 INVITE")),
            (" 4294967295\tNEW.meth ", Some("4294967295 NEW.meth")),
            ("4294967296 INVITE", None),
            ("36893488147419103232 REGISTER", None),
            ("-1 INVITE", None),
            ("1INVITE", None),
            ("1", None),
            ("INVITE 1", None),
            ("1 INVITE x", None),
            ("", None),
        ] {
            assert_eq!(CSeq::parse(text).ok().map(|c| c.to_string()).as_deref(), printed, "{text}");
        }
    }
}
