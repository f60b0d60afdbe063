//! A zone as octets, to be kept outside of this process.
//!
//! ```text
//!  octet    length of the apex, then the apex
//!  4 octets serial
//!  4 octets how many entries
//!  entries: 4 octets length, then the entry as it lies in memory
//!  octet    1 when it is signed, then
//!    octets   denies by hashes, withdrawn; 8 octets the last renewal; 2 octets how many keys
//!    per key  8 octets id, octet whether it is a key signing key, 64 octets public key, 2 octets length and the private
//!             key as the database holds it, 8 octets each publish_at, active_at, and retire_at and remove_at, which are
//!             the least number when they are not known
//! ```
//!
//! Private keys are as they stand in the database, which means encrypted where passwords are.

use super::entry::Entry;
use super::trie::Keyed as _;
use super::{Zone, codes};
use crate::dnssec::Signing;
use crate::name::Name;
use ngn_model::zone::{ZoneKey, ZoneSigning};

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
        let Some(signing) = self.signing().map(Signing::rows) else {
            out.push(0);
            return;
        };
        out.extend_from_slice(&[1, u8::from(signing.nsec3), u8::from(signing.withdrawn)]);
        out.extend_from_slice(&signing.renewed.to_be_bytes());
        out.extend_from_slice(&u16::try_from(signing.keys.len()).unwrap_or(u16::MAX).to_be_bytes());
        for key in signing.keys.iter().take(usize::from(u16::MAX)) {
            out.extend_from_slice(&key.id.to_be_bytes());
            out.push(u8::from(key.ksk));
            out.extend_from_slice(&key.public);
            let secret = key.secret.as_bytes();
            out.extend_from_slice(&u16::try_from(secret.len()).unwrap_or(0).to_be_bytes());
            out.extend_from_slice(
                secret.get(..secret.len().min(usize::from(u16::MAX))).unwrap_or_default(),
            );
            let times = [Some(key.publish_at), Some(key.active_at), key.retire_at, key.remove_at];
            for time in times {
                out.extend_from_slice(&time.unwrap_or(i64::MIN).to_be_bytes());
            }
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
            if !at_apex {
                zone.wildcards.appeared(entry.key());
            }
            zone.names.insert(entry);
            counted += 1;
        }
        // An entry that came twice would make the counts wrong.
        if zone.names.len() != counted {
            return Err(CodecError);
        }
        if take::<1>(octets)? == [1] {
            zone.restore_signing(signing(octets)?);
        }
        Ok(zone)
    }
}

fn signing(octets: &mut &[u8]) -> Result<Signing, CodecError> {
    let [nsec3, withdrawn] = take(octets)?;
    let renewed = i64::from_be_bytes(take(octets)?);
    let mut keys = Vec::new();
    for _ in 0..u16::from_be_bytes(take(octets)?) {
        let id = i64::from_be_bytes(take(octets)?);
        let [ksk] = take(octets)?;
        let public = take::<64>(octets)?.to_vec();
        let length = usize::from(u16::from_be_bytes(take(octets)?));
        let (secret, rest) = octets.split_at_checked(length).ok_or(CodecError)?;
        *octets = rest;
        let secret = String::from_utf8(secret.to_vec()).map_err(|_| CodecError)?;
        let mut time = || take(octets).map(i64::from_be_bytes);
        let (publish_at, active_at, retire_at, remove_at) = (time()?, time()?, time()?, time()?);
        let known = |time: i64| (time != i64::MIN).then_some(time);
        let (retire_at, remove_at) = (known(retire_at), known(remove_at));
        keys.push(ZoneKey {
            id,
            ksk: ksk == 1,
            public,
            secret,
            publish_at,
            active_at,
            retire_at,
            remove_at,
        });
    }
    Ok(Signing::new(&ZoneSigning { nsec3: nsec3 == 1, withdrawn: withdrawn == 1, renewed, keys }))
}

fn take<const N: usize>(octets: &mut &[u8]) -> Result<[u8; N], CodecError> {
    let (taken, rest) = octets.split_first_chunk().ok_or(CodecError)?;
    *octets = rest;
    Ok(*taken)
}

fn number(octets: &mut &[u8]) -> Result<u32, CodecError> {
    take(octets).map(u32::from_be_bytes)
}
