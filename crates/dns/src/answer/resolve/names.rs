//! Names on the way: those that were looked up, those that DNAME makes, and those that records point to.

use crate::name::MAX_NAME;
use crate::zone::codes;

/// How many names are looked up for the additional section.
const MAX_TARGETS: usize = 32;

/// A name that was looked up, and what led to it.
pub(super) struct Seen<'n> {
    pub(super) name: &'n [u8],
    pub(super) before: Option<&'n Seen<'n>>,
    /// How many were looked up before.
    pub(super) hop: usize,
}

impl Seen<'_> {
    pub(super) fn has(&self, name: &[u8]) -> bool {
        self.name == name || self.before.is_some_and(|before| before.has(name))
    }
}

/// A name that DNAME makes.
pub(in crate::answer) struct NewName {
    octets: [u8; MAX_NAME],
    length: usize,
}

impl NewName {
    /// What lies below the owner, below the target instead; `None` when that is too long.
    pub(super) fn new(below: &[u8], target: &[u8]) -> Option<Self> {
        let (mut octets, length) = ([0; MAX_NAME], below.len() + target.len());
        let (first, last) = octets.get_mut(..length)?.split_at_mut_checked(below.len())?;
        first.copy_from_slice(below);
        last.copy_from_slice(target);
        Some(Self { octets, length })
    }

    pub(super) fn octets(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

/// Names that were looked up already.
#[derive(Debug, Default)]
pub(super) struct Targets<'z> {
    names: [&'z [u8]; MAX_TARGETS],
    known: usize,
}

impl<'z> Targets<'z> {
    /// Notes a name; `false` when it was there, when there are too many, or when it is the root.
    pub(super) fn is_new(&mut self, name: &'z [u8]) -> bool {
        if name.len() <= 1 || self.names.iter().take(self.known).any(|known| *known == name) {
            return false;
        }
        match self.names.get_mut(self.known) {
            Some(place) => {
                *place = name;
                self.known += 1;
                true
            }
            None => false,
        }
    }
}

/// The name in the RDATA of a type (RFC 1035 section 3.3, RFC 2782, RFC 3403 section 4.1).
pub(super) fn target(rtype: u16, rdata: &[u8]) -> Option<&[u8]> {
    match rtype {
        codes::NS => Some(rdata),
        codes::MX => rdata.get(2..),
        codes::SRV => rdata.get(6..),
        codes::NAPTR => {
            let mut rest = rdata.get(4..)?;
            for _ in 0..3 {
                let (&length, after) = rest.split_first()?;
                rest = after.get(usize::from(length)..)?;
            }
            Some(rest)
        }
        _ => None,
    }
}
