//! Telephone numbers.

use std::fmt;

/// A telephone number or a prefix of one in international form: 1 to 15 digits, no `+` (E.164).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct E164(String);

/// Why a text is no E.164 number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a telephone number of 1 to 15 digits")]
pub struct NumberError(String);

impl E164 {
    /// Reads digits with or without a leading `+`.
    pub fn new(text: &str) -> Result<Self, NumberError> {
        let trimmed = text.trim();
        let digits = trimmed.strip_prefix('+').unwrap_or(trimmed);
        let length_ok = (1..=15).contains(&digits.len());
        if !length_ok || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NumberError(text.to_owned()));
        }
        Ok(Self(digits.to_owned()))
    }

    /// The digits, without `+`.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_digits_only() {
        assert_eq!(E164::new("+31208005169").map(|n| n.to_string()), Ok("31208005169".to_owned()));
        for text in ["", "+", "31-20", "1234567890123456", "3a"] {
            assert!(E164::new(text).is_err(), "{text}");
        }
    }
}
