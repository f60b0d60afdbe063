//! `Max-Forwards` (RFC 3261 section 20.22).

use super::scan::{digits, trim};
use super::{Header, HeaderError, HeaderName};
use std::fmt;

/// How many more proxies may forward the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MaxForwards(pub u8);

impl MaxForwards {
    /// What a proxy adds when the field is missing (section 16.6 step 3).
    pub const DEFAULT: Self = Self(70);
}

impl Header for MaxForwards {
    const NAME: HeaderName = HeaderName::MaxForwards;

    fn parse(value: &str) -> Result<Self, HeaderError> {
        let number = digits(trim(value)).and_then(|number| u8::try_from(number).ok());
        number.map(Self).ok_or(HeaderError::new(Self::NAME, "the value is not a number up to 255"))
    }
}

impl fmt::Display for MaxForwards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_up_to_255() {
        for (text, read) in [
            ("70", Some(70)),
            (" 0068 ", Some(68)),
            ("0", Some(0)),
            ("255", Some(255)),
            ("256", None),
            ("300", None),
            ("-1", None),
            ("", None),
            ("7 0", None),
        ] {
            assert_eq!(MaxForwards::parse(text).ok().map(|m| m.0), read, "{text}");
        }
    }
}
