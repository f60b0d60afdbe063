//! Money of prepaid accounts and call prices, exact to its last digit.

use std::fmt;

/// Steps of one unit of the currency: the columns of the rating tables have four decimals.
const STEPS: i64 = 10_000;
/// Decimals of an amount.
const DECIMALS: usize = 4;
/// The largest balance that the `prepaid` table holds, DECIMAL(10,4), in ten-thousandths.
const MAX_BALANCE: i64 = 9_999_999_999;

/// An amount of money in ten-thousandths of the rating currency. Sums of it never round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Amount(pub i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Reads a decimal number such as `-12.5`. Digits after the fourth decimal are rounded half away from zero.
    ///
    /// `None` when it is no decimal number without exponent, or beyond what an amount can be.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction)
        {
            return None;
        }
        let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let mut rest = fraction.bytes().map(|b| i64::from(b.saturating_sub(b'0')));
        let mut steps = 0;
        for _ in 0..DECIMALS {
            steps = steps * 10 + rest.next().unwrap_or(0);
        }
        let round_up = i64::from(rest.next().is_some_and(|digit| digit >= 5));
        let steps = whole.checked_mul(STEPS)?.checked_add(steps)?.checked_add(round_up)?;
        Some(Self(if negative { -steps } else { steps }))
    }

    /// The amount that a number of the API stands for: its shortest decimal spelling, to four decimals.
    ///
    /// `None` for what is not finite or beyond what an amount can be.
    #[must_use]
    pub fn from_double(value: f64) -> Option<Self> {
        // Written without exponent and with no more digits than tell the number from its neighbours: what a
        // client wrote as 0.1 is read as 0.1.
        Self::parse(&value.to_string())
    }

    /// The number of the API that is closest to the amount; its shortest spelling is the amount's.
    #[must_use]
    pub fn to_double(self) -> f64 {
        self.to_string().parse().unwrap_or_default()
    }

    /// The sum; `None` when it is beyond what an amount can be.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Whether a prepaid account can have this balance: the column holds up to 999999.9999 either way.
    #[must_use]
    pub const fn fits_balance(self) -> bool {
        self.0 >= -MAX_BALANCE && self.0 <= MAX_BALANCE
    }
}

impl fmt::Display for Amount {
    /// Four decimals, such as `-0.0500`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (steps, unit) = (self.0.unsigned_abs(), STEPS.unsigned_abs());
        write!(f, "{sign}{}.{:04}", steps / unit, steps % unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_decimals() {
        for (text, steps, written) in [
            ("7.25", 72_500, "7.2500"),
            ("-0.05", -500, "-0.0500"),
            ("+3", 30_000, "3.0000"),
            (".5", 5_000, "0.5000"),
            ("1.", 10_000, "1.0000"),
            ("0.00005", 1, "0.0001"),
            ("-0.00005", -1, "-0.0001"),
            ("0.00004999", 0, "0.0000"),
            ("0.99995", 10_000, "1.0000"),
            ("999999.9999", 9_999_999_999, "999999.9999"),
        ] {
            assert_eq!(Amount::parse(text), Some(Amount(steps)), "{text}");
            assert_eq!(Amount(steps).to_string(), written);
        }
        for text in ["", ".", "-", "1e3", "1,5", "--1", "0x1", "99999999999999999999", "NaN", "inf"]
        {
            assert_eq!(Amount::parse(text), None, "{text}");
        }
        assert_eq!(Amount(i64::MIN).to_string(), "-922337203685477.5808");
    }

    #[test]
    fn numbers_of_clients_are_read_as_they_were_written() {
        // What floating point makes of 0.1 + 0.2.
        assert_eq!(Amount::from_double(0.1 + 0.2), Some(Amount(3_000)));
        assert_eq!(Amount::from_double(1e-7), Some(Amount::ZERO));
        assert_eq!(Amount::from_double(1e300), None);
        assert_eq!(Amount::from_double(f64::NAN), None);
        assert_eq!(Amount::from_double(f64::INFINITY), None);
    }

    #[test]
    fn balances_have_limits() {
        assert!(Amount(MAX_BALANCE).fits_balance() && Amount(-MAX_BALANCE).fits_balance());
        assert!(
            !Amount(MAX_BALANCE + 1).fits_balance() && !Amount(-MAX_BALANCE - 1).fits_balance()
        );
        assert_eq!(Amount(i64::MAX).checked_add(Amount(1)), None);
        assert_eq!(Amount(1).checked_add(Amount(-3)), Some(Amount(-2)));
    }

    #[test]
    fn every_balance_survives_the_api() {
        // A prime step meets all last digits and magnitudes between both limits.
        let mut steps = -MAX_BALANCE;
        while steps <= MAX_BALANCE {
            let amount = Amount(steps);
            assert_eq!(Amount::from_double(amount.to_double()), Some(amount));
            assert_eq!(Amount::parse(&amount.to_string()), Some(amount));
            steps += 199_933;
        }
    }
}
