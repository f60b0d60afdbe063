//! In which domains a telephone number is somebody's user name: trunks call numbers at our address, without a domain.
//!
//! Only user names that are numbers are held, each as one word beside its domain's, since there may be millions.

use ngn_model::{Aor, DomainName};
use std::collections::{BTreeSet, HashMap};

/// The most digits of a number; two words' worth of room is left for the sign.
const MOST_DIGITS: usize = 17;

/// Numbers and the domains that have them.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Number and domain.
    places: BTreeSet<(u64, u32)>,
    /// Domains by their word; a word is never given to another one.
    domains: Vec<DomainName>,
    words: HashMap<DomainName, u32>,
}

impl Numbers {
    /// Notes an address; what is no number does not matter.
    pub(super) fn insert(&mut self, aor: &Aor) {
        let Some(number) = packed(aor.username()) else { return };
        let word = match self.words.get(aor.domain()) {
            Some(word) => *word,
            None => {
                let Ok(word) = u32::try_from(self.domains.len()) else { return };
                self.domains.push(aor.domain().clone());
                self.words.insert(aor.domain().clone(), word);
                word
            }
        };
        self.places.insert((number, word));
    }

    /// Forgets an address.
    pub(super) fn remove(&mut self, aor: &Aor) {
        if let (Some(number), Some(word)) = (packed(aor.username()), self.words.get(aor.domain())) {
            self.places.remove(&(number, *word));
        }
    }

    /// The domains in which a number is somebody's user name.
    pub(super) fn domains_of(&self, number: &str) -> impl Iterator<Item = &DomainName> {
        let range = packed(number).map(|number| (number, 0)..=(number, u32::MAX));
        let places = range.into_iter().flat_map(|range| self.places.range(range));
        places.filter_map(|(_, word)| self.domains.get(usize::try_from(*word).ok()?))
    }

    /// About how many octets of memory they take.
    pub(super) fn octets(&self) -> usize {
        // Leaves of a B-tree are about three quarters full.
        self.places.len() * size_of::<(u64, u32)>() * 4 / 3
    }
}

/// A number, perhaps with `+`, as a word; `None` for what is none. Leading zeros count.
fn packed(username: &str) -> Option<u64> {
    let (plus, digits) = match username.strip_prefix('+') {
        Some(digits) => (1, digits),
        None => (0, username),
    };
    let is_number =
        (1..=MOST_DIGITS).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let number = digits.bytes().try_fold(1_u64, |sum, digit| {
        sum.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')))
    });
    number.filter(|_| is_number)?.checked_mul(2)?.checked_add(plus)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aor(text: &str) -> Aor {
        text.parse().expect("an address")
    }

    fn domains(numbers: &Numbers, number: &str) -> Vec<String> {
        numbers.domains_of(number).map(ToString::to_string).collect()
    }

    #[test]
    fn a_number_has_the_domains_where_somebody_is_called_so() {
        let mut numbers = Numbers::default();
        for address in ["431@b.example", "431@a.example", "+431@c.example", "0431@d.example"] {
            numbers.insert(&aor(address));
        }
        numbers.insert(&aor("alice@a.example"));
        numbers.insert(&aor("123456789012345678@a.example"));
        assert_eq!(domains(&numbers, "431"), ["b.example", "a.example"]);
        assert_eq!(domains(&numbers, "+431"), ["c.example"]);
        assert_eq!(domains(&numbers, "0431"), ["d.example"]);
        for nobody in ["alice", "", "+", "43", "4310", "00431", "123456789012345678"] {
            assert!(domains(&numbers, nobody).is_empty(), "{nobody}");
        }
        numbers.remove(&aor("431@b.example"));
        numbers.remove(&aor("431@nowhere.example"));
        assert_eq!(domains(&numbers, "431"), ["a.example"]);
    }

    #[test]
    fn no_two_numbers_share_a_word() {
        let longest = "9".repeat(MOST_DIGITS);
        let texts = ["0", "00", "1", "01", "10", &longest, &longest[1..]];
        let words: BTreeSet<u64> = texts
            .iter()
            .flat_map(|text| [packed(text), packed(&format!("+{text}"))])
            .map(|word| word.expect("a number"))
            .collect();
        assert_eq!(words.len(), texts.len() * 2);
    }
}
