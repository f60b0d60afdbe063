//! The ENUM numbers of our own ranges, as calls need them (B100, B105).
//!
//! There may be millions, so a number takes one word and the text of its URIs.

use ngn_model::DomainName;
use std::collections::{HashMap, HashSet};

/// How many trees are told apart.
const MOST_TREES: usize = 1_000;
/// More than the digits of any number with a `1` before them.
const NUMBERS: u64 = 10_000_000_000_000_000;

/// Numbers of some ENUM trees and the SIP URIs that they lead to.
#[derive(Debug, Clone, Default)]
pub struct EnumTable {
    /// The trees, the one that is looked at first in front.
    trees: Vec<DomainName>,
    /// Tree and prefix of each range.
    ranges: HashSet<u64>,
    /// Tree and number; the URIs stand in lines, best first.
    numbers: HashMap<u64, Box<str>>,
}

impl EnumTable {
    /// A table of some trees, the one that counts most in front, without numbers.
    pub fn new(trees: impl IntoIterator<Item = DomainName>) -> Self {
        let mut known: Vec<DomainName> = Vec::new();
        for tree in trees.into_iter().take(MOST_TREES) {
            if !known.contains(&tree) {
                known.push(tree);
            }
        }
        Self { trees: known, ..Self::default() }
    }

    /// Says whether a range of ours has this prefix in a tree. Trees that the table does not have do not matter.
    pub fn set_range(&mut self, prefix: &str, tree: &str, exists: bool) {
        let Some(key) = self.key(prefix, tree) else { return };
        if exists {
            self.ranges.insert(key);
        } else {
            self.ranges.remove(&key);
        }
    }

    /// Says what SIP URIs a number leads to in a tree, best first; none: nothing. Trees that the table does not have do
    /// not matter.
    pub fn set_number<'u>(
        &mut self,
        number: &str,
        tree: &str,
        uris: impl IntoIterator<Item = &'u str>,
    ) {
        let Some(key) = self.key(number, tree) else { return };
        let mut text = String::new();
        // A URI has no line breaks; what has is none.
        for uri in uris.into_iter().filter(|uri| !uri.is_empty() && !uri.contains('\n')) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(uri);
        }
        if text.is_empty() {
            self.numbers.remove(&key);
        } else {
            self.numbers.insert(key, text.into_boxed_str());
        }
    }

    /// The first tree that has SIP URIs of a number, digits with country code, and they, best first.
    #[must_use]
    pub fn find(&self, number: &str) -> Option<(&DomainName, Vec<String>)> {
        let number = packed(number)?;
        let mut found = (0..).zip(&self.trees).filter_map(|(place, tree)| {
            self.numbers.get(&at(place, number)).map(|text| (tree, text))
        });
        let (tree, text) = found.next()?;
        Some((tree, text.lines().map(str::to_owned).collect()))
    }

    /// Whether a number lies in a range of ours in a tree, so that nobody else knows more about it.
    #[must_use]
    pub fn is_ours(&self, number: &str, tree: &DomainName) -> bool {
        (1..=number.len()).any(|length| {
            let prefix = number.get(..length);
            prefix
                .and_then(|prefix| self.key(prefix, tree.as_str()))
                .is_some_and(|key| self.ranges.contains(&key))
        })
    }

    /// How many numbers lead somewhere.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether no number leads anywhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    fn key(&self, digits: &str, tree: &str) -> Option<u64> {
        let tree = tree.trim_end_matches('.');
        let (place, _) =
            (0..).zip(&self.trees).find(|(_, known)| known.as_str().eq_ignore_ascii_case(tree))?;
        Some(at(place, packed(digits)?))
    }
}

/// A number or prefix and the place of its tree in one word.
const fn at(tree: u64, number: u64) -> u64 {
    tree.wrapping_mul(NUMBERS).wrapping_add(number)
}

/// The digits of a number as a number, with a `1` before them so that leading zeros count.
fn packed(digits: &str) -> Option<u64> {
    let is_number = (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number {
        return None;
    }
    Some(digits.bytes().fold(1, |sum: u64, digit| {
        sum.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0')))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> DomainName {
        DomainName::new(text).expect("a name")
    }

    fn table() -> EnumTable {
        EnumTable::new([tree("e164.arpa"), tree("nrenum.net"), tree("e164.arpa")])
    }

    fn uris(table: &EnumTable, number: &str) -> Vec<String> {
        table.find(number).map(|(_, uris)| uris).unwrap_or_default()
    }

    #[test]
    fn b105_the_first_tree_that_has_the_number_counts() {
        let mut table = table();
        assert!(table.is_empty() && table.find("431").is_none());
        table.set_number("431", "nrenum.net", ["sip:a@example.com", "sip:b@example.com"]);
        assert_eq!(uris(&table, "431"), ["sip:a@example.com", "sip:b@example.com"]);
        table.set_number("431", "E164.ARPA.", ["sip:c@example.com"]);
        assert_eq!(uris(&table, "431"), ["sip:c@example.com"]);
        assert_eq!(table.find("431").map(|(tree, _)| tree.as_str()), Some("e164.arpa"));
        table.set_number("431", "other.example", ["sip:d@example.com"]);
        assert_eq!(table.len(), 2);
        table.set_number("431", "e164.arpa", []);
        assert_eq!(uris(&table, "431"), ["sip:a@example.com", "sip:b@example.com"]);
        for number in ["0431", "4310", "43", "", "+431", "4x1", "1234567890123456"] {
            assert!(table.find(number).is_none(), "{number}");
            table.set_number(number, "other.example", ["sip:d@example.com"]);
        }
        table.set_number("+431", "e164.arpa", ["sip:d@example.com"]);
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn b100_ranges_say_whose_numbers_they_are() {
        let (mut table, arpa) = (table(), tree("e164.arpa"));
        table.set_range("4372", "e164.arpa", true);
        for (number, expected) in
            [("4372", true), ("437209", true), ("437", false), ("4371", false), ("", false)]
        {
            assert_eq!(table.is_ours(number, &arpa), expected, "{number}");
            assert!(!table.is_ours(number, &tree("nrenum.net")), "{number}");
        }
        table.set_range("4372", "e164.arpa", false);
        assert!(!table.is_ours("4372", &arpa));
    }

    #[test]
    fn no_two_numbers_share_a_place() {
        let numbers = ["0", "1", "00", "01", "10", "999999999999999", "099999999999999"];
        let mut seen = HashSet::new();
        for tree in [0, 1, 999] {
            for number in numbers {
                let number = packed(number).expect("a number");
                assert!(number < NUMBERS && seen.insert(at(tree, number)));
            }
        }
        const { assert!(u64::MAX / NUMBERS > 1_000) };
    }
}
