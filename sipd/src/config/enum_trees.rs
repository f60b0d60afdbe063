//! Where numbers are looked for by ENUM (RFC 6116).

use ngn_model::DomainName;
use serde::Deserialize;
use std::time::Duration;

/// How many trees there may be.
const MOST: usize = 16;

/// Numbers that ENUM knows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnumTrees {
    /// Trees in which the numbers of our own ranges are looked for; the first that has a number counts.
    pub trees: Vec<String>,
    /// Trees that the DNS is asked about for numbers in no range of ours; empty: no call waits for the DNS.
    pub dns_trees: Vec<String>,
    /// How long a call waits for the DNS in all, in milliseconds, 100 to 10,000.
    pub timeout_milliseconds: u64,
}

impl Default for EnumTrees {
    fn default() -> Self {
        Self {
            trees: vec!["e164.arpa".to_owned()],
            dns_trees: Vec::new(),
            timeout_milliseconds: 2_000,
        }
    }
}

impl EnumTrees {
    /// Every tree, each once, those of our own ranges first.
    #[must_use]
    pub fn all_trees(&self) -> Vec<DomainName> {
        names(self.trees.iter().chain(&self.dns_trees))
    }

    /// The trees that the DNS is asked about.
    #[must_use]
    pub fn asked_trees(&self) -> Vec<DomainName> {
        names(&self.dns_trees)
    }

    /// How long a call waits for the DNS in all.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        Duration::from_millis(self.timeout_milliseconds)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        for (key, trees) in [("trees", &self.trees), ("dns_trees", &self.dns_trees)] {
            if let Some(wrong) = trees.iter().find(|tree| DomainName::new(tree).is_err()) {
                return Err(format!("enum.{key}: `{wrong}` is no domain name"));
            }
            if trees.len() > MOST {
                return Err(format!("enum.{key}: has more than {MOST} trees"));
            }
        }
        if !(100..=10_000).contains(&self.timeout_milliseconds) {
            return Err("enum.timeout_milliseconds: must be 100 to 10000".to_owned());
        }
        Ok(())
    }
}

fn names<'t>(trees: impl IntoIterator<Item = &'t String>) -> Vec<DomainName> {
    let mut known: Vec<DomainName> = Vec::new();
    for name in trees.into_iter().filter_map(|tree| DomainName::new(tree).ok()) {
        if !known.contains(&name) {
            known.push(name);
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tree_once() {
        let trees = EnumTrees {
            dns_trees: vec!["nrenum.net".to_owned(), "E164.ARPA.".to_owned()],
            ..EnumTrees::default()
        };
        let text =
            |names: Vec<DomainName>| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(text(trees.all_trees()), ["e164.arpa", "nrenum.net"]);
        assert_eq!(text(trees.asked_trees()), ["nrenum.net", "e164.arpa"]);
        assert_eq!(trees.patience(), Duration::from_secs(2));
    }
}
