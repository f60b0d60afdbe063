//! A zone as octets, to be kept outside of this process.
//!
//! ```text
//!  octet    length of the apex, then the apex
//!  4 octets serial
//!  4 octets how many entries
//!  entries: 4 octets length, then the entry as it lies in memory
//! ```

use super::entry::Entry;
use super::trie::Keyed as _;
use super::{Zone, codes};
use crate::name::Name;

/// Octets that are no zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the octets are no zone")]
pub struct CodecError;

impl Zone {
    /// Appends the zone to `out`.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.push(u8::try_from(self.apex.as_wire().len()).unwrap_or(u8::MAX));
        out.extend_from_slice(self.apex.as_wire());
        out.extend_from_slice(&self.serial.to_be_bytes());
        out.extend_from_slice(&u32::try_from(self.names.len()).unwrap_or(u32::MAX).to_be_bytes());
        for entry in self.names.iter() {
            let octets = entry.octets();
            out.extend_from_slice(&u32::try_from(octets.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend_from_slice(octets);
        }
    }

    /// Reads a zone from the beginning of `octets` and leaves what follows it.
    ///
    /// # Errors
    ///
    /// Octets that [`Self::write_to`] did not write.
    pub fn read_from(octets: &mut &[u8]) -> Result<Self, CodecError> {
        let (&length, rest) = octets.split_first().ok_or(CodecError)?;
        let (apex, rest) = rest.split_at_checked(length.into()).ok_or(CodecError)?;
        let apex = Name::from_wire(apex).map_err(|_| CodecError)?;
        if apex.as_wire().len() != usize::from(length) {
            return Err(CodecError);
        }
        *octets = rest;
        let mut zone = Self::new(apex, number(octets)?);
        let mut counted = 0_usize;
        for _ in 0..number(octets)? {
            let length = usize::try_from(number(octets)?).map_err(|_| CodecError)?;
            let (entry, rest) = octets.split_at_checked(length).ok_or(CodecError)?;
            *octets = rest;
            let entry = Entry::from_octets(entry).ok_or(CodecError)?;
            let at_apex = entry.key() == zone.apex.as_wire();
            zone.records += entry.rrsets().map(|set| usize::from(set.count)).sum::<usize>();
            zone.cuts += usize::from(!at_apex && entry.rrset(codes::NS).is_some());
            zone.dnames += usize::from(entry.rrset(codes::DNAME).is_some());
            zone.wildcards += usize::from(!at_apex && entry.key().starts_with(b"\x01*"));
            zone.names.insert(entry);
            counted += 1;
        }
        // An entry that came twice would make the counts wrong.
        if zone.names.len() == counted { Ok(zone) } else { Err(CodecError) }
    }
}

fn number(octets: &mut &[u8]) -> Result<u32, CodecError> {
    let (number, rest) = octets.split_first_chunk().ok_or(CodecError)?;
    *octets = rest;
    Ok(u32::from_be_bytes(*number))
}
