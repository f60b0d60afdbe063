//! Telephone numbers as they are dialled and as routes have them.
//!
//! Routes, gateway rules and barring know one form: `00`, country code and the rest (B131). People dial in the forms
//! of their country; a [`NumberPlan`] says which those are.

/// How numbers are dialled somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NumberPlan {
    /// The country code, digits; empty: only international numbers are understood.
    pub country_code: String,
    /// The area code, without national prefix, for numbers that are dialled without any; empty: those are none.
    pub area_code: String,
    /// What is dialled before area code and number: `0` in most countries, `1` in North America, empty in some.
    pub national_prefix: String,
    /// What is dialled before a country code, beside `00` and `+`, which are always understood.
    pub international_prefix: String,
    /// The fewest digits of a number dialled without prefix, for those that are dialled so at all.
    pub min_local_digits: usize,
    /// Whether numbers are looked for in ENUM before a gateway takes them.
    pub is_enum_first: bool,
}

impl Default for NumberPlan {
    fn default() -> Self {
        Self {
            country_code: String::new(),
            area_code: String::new(),
            national_prefix: "0".to_owned(),
            international_prefix: "00".to_owned(),
            min_local_digits: 5,
            is_enum_first: true,
        }
    }
}

impl NumberPlan {
    /// The form `00` and country code of what was dialled; `None` when it is no telephone number.
    ///
    /// Separators that people read do not count (RFC 3966 section 5.1.1). A number has 3 to 15 digits (E.164).
    #[must_use]
    pub fn international(&self, dialled: &str) -> Option<String> {
        let (is_plus, digits) = digits(dialled)?;
        let with_country = |rest: &str| {
            (!self.country_code.is_empty()).then(|| format!("{}{rest}", self.country_code))
        };
        let prefix = |prefix: &str| (!prefix.is_empty()).then(|| digits.strip_prefix(prefix));
        let number = if is_plus {
            digits
        } else if let Some(rest) =
            digits.strip_prefix("00").or_else(|| prefix(&self.international_prefix).flatten())
        {
            rest.to_owned()
        } else if let Some(rest) = prefix(&self.national_prefix).flatten() {
            with_country(rest)?
        } else if digits.len() < self.min_local_digits {
            return None;
        } else if !self.area_code.is_empty() {
            with_country(&format!("{}{digits}", self.area_code))?
        } else if self.national_prefix.is_empty() {
            with_country(&digits)?
        } else {
            return None;
        };
        international(&number)
    }
}

/// `00` before the digits of an international number, if they can be one.
pub(crate) fn international(digits: &str) -> Option<String> {
    let is_number = (3..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| format!("00{digits}"))
}

/// Whether a `+` comes first, and the digits, without the separators that people read; `None` when there is anything
/// else, or no digit.
pub(crate) fn digits(dialled: &str) -> Option<(bool, String)> {
    let dialled = dialled.trim();
    let (is_plus, rest) = dialled.strip_prefix('+').map_or((false, dialled), |rest| (true, rest));
    if rest.len() > 64 {
        return None;
    }
    let digits: String = rest.chars().filter(|c| !"-.() ".contains(*c)).collect();
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some((is_plus, digits))
}

/// The digits of a number in the form `00` and country code, as ENUM has them (B108).
pub(crate) fn e164(number: &str) -> &str {
    number.strip_prefix("00").unwrap_or(number)
}

#[cfg(test)]
mod tests;
