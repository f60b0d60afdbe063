//! Where the wildcards of a zone are, so that most names that do not exist need no look at their ancestors.

use crate::name::ancestors;
use std::collections::BTreeMap;

/// How many wildcards there are, by how many octets the names directly above them have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wildcards(BTreeMap<usize, usize>);

impl Wildcards {
    /// Counts a name that is new, if it is a wildcard.
    pub(super) fn appeared(&mut self, name: &[u8]) {
        if let Some(above) = above(name) {
            *self.0.entry(above).or_default() += 1;
        }
    }

    /// Discounts a name that is gone, if it is a wildcard.
    pub(super) fn vanished(&mut self, name: &[u8]) {
        let Some(above) = above(name) else { return };
        if let Some(count) = self.0.get_mut(&above) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&above);
            }
        }
    }

    /// Whether a wildcard could stand for a name: whether there is one below a name as long as one of its ancestors.
    pub(super) fn may_cover(&self, name: &[u8]) -> bool {
        !self.0.is_empty()
            && ancestors(name).skip(1).any(|suffix| self.0.contains_key(&suffix.len()))
    }
}

/// How many octets the name has of which this one is the wildcard.
fn above(name: &[u8]) -> Option<usize> {
    name.strip_prefix(b"\x01*").map(<[u8]>::len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    #[test]
    fn only_what_has_an_ancestor_of_the_right_length_may_be_covered() {
        let name = |text: &str| Name::parse(text).expect("a name");
        let mut wildcards = Wildcards::default();
        let covered = |wildcards: &Wildcards, text: &str| wildcards.may_cover(name(text).as_wire());
        assert!(!covered(&wildcards, "x.1.2.3.example"));
        for text in ["*.1.2.3.example", "*.4.5.6.example", "www.example"] {
            wildcards.appeared(name(text).as_wire());
        }
        assert!(covered(&wildcards, "x.1.2.3.example") && covered(&wildcards, "y.x.7.8.9.example"));
        for text in ["1.2.3.example", "2.3.example", "example"] {
            assert!(!covered(&wildcards, text), "{text}");
        }
        wildcards.vanished(name("*.1.2.3.example").as_wire());
        assert!(covered(&wildcards, "x.1.2.3.example"));
        wildcards.vanished(name("www.example").as_wire());
        wildcards.vanished(name("*.4.5.6.example").as_wire());
        assert_eq!(wildcards, Wildcards::default());
    }
}
