//! Prefixes of telephone numbers as one integer: sorted as the texts are, and quickly compared from the left.

/// The most digits that one holds: `00`, the 15 digits of an E.164 number, and one more.
const MOST: u32 = 18;
/// Ten digits, and one for the end.
const BASE: u64 = 11;

/// Up to [`MOST`] digits: each is a place of a number to the base of 11, one more than it is, the first one on the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Digits(u64);

impl Digits {
    /// What no digits are.
    pub(super) const NONE: Self = Self(u64::MAX);

    /// A text of digits; `None` when it holds something else or too many.
    pub(super) fn whole(text: &str) -> Option<Self> {
        let (digits, count) = Self::beginning(text);
        (usize::try_from(count) == Ok(text.len())).then_some(digits)
    }

    /// The digits at the beginning of a text, and how many.
    pub(super) fn beginning(text: &str) -> (Self, u32) {
        let digits = text.bytes().take_while(u8::is_ascii_digit).zip(0..MOST);
        let (value, count) = digits.fold((0, 0), |(value, count), (digit, _)| {
            (value * BASE + u64::from(digit - b'0') + 1, count + 1)
        });
        (Self(value * BASE.pow(MOST - count)), count)
    }

    /// The first few of them.
    pub(super) fn first(self, count: u32) -> Self {
        Self(self.0 - self.0 % BASE.pow(MOST.saturating_sub(count)))
    }

    /// How many digits from the left both have in common, of `count` at most.
    pub(super) fn common(self, other: Self, count: u32) -> u32 {
        let (mut low, mut high) = (0, count.min(MOST));
        while low < high {
            let middle = (low + high).div_ceil(2);
            if self.first(middle) == other.first(middle) { low = middle } else { high = middle - 1 }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_sorted_as_texts_and_nothing_else_is_taken() {
        let texts =
            ["", "0", "00", "003", "0031", "0031201", "0032", "01", "1", "9", "999999999999999999"];
        let digits: Vec<Digits> = texts.iter().map(|t| Digits::whole(t).expect("digits")).collect();
        assert!(digits.is_sorted());
        assert!(digits.iter().all(|digits| *digits < Digits::NONE));
        for wrong in ["+31", "0031 ", "a", "0031a", "1234567890123456789"] {
            assert_eq!(Digits::whole(wrong), None, "{wrong}");
        }
        assert_eq!(Digits::beginning("0031x2"), (Digits::whole("0031").expect("digits"), 4));
        let long = "0031201234567890123456789";
        assert_eq!(Digits::beginning(long), (Digits::whole(&long[..18]).expect("digits"), 18));
    }

    #[test]
    fn what_is_common_is_what_texts_have_in_common() {
        let of = |text: &str| Digits::whole(text).expect("digits");
        for (a, b, common) in [
            ("", "", 0),
            ("0031", "0031", 4),
            ("0031", "0032", 3),
            ("003", "0031", 3),
            ("1", "0031", 0),
            ("003120123456789012", "003120123456789012", 18),
            ("003120123456789012", "003120123456789013", 17),
        ] {
            let least = u32::try_from(a.len().min(b.len())).expect("fits");
            assert_eq!(of(a).common(of(b), least), common, "{a} {b}");
            for count in 0..=common {
                assert_eq!(of(a).first(count), of(b).first(count));
                let text = &a[..usize::try_from(count).expect("fits")];
                assert_eq!(of(a).first(count), of(text));
            }
        }
    }
}
