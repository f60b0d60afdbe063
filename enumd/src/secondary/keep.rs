//! Copies of zones that others master, to serve after a restart.
//!
//! ```text
//!   8 octets  "NGNENUM2"
//!   2 octets  version of the format
//!   4 octets  number of zones; for each 8 octets when a master was seen, in milliseconds since 1970 UTC, and the zone as
//!             `ngn_dns` writes it
//!  32 octets  SHA-256 of everything before
//! ```

use crate::snapshot::{Sealed, SnapshotError, count, take, unseal, write_file};
use ngn_dns::name::Name;
use ngn_dns::zone::Zone;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"NGNENUM2";
/// To be raised with every change of the format, that of zones included.
const VERSION: u16 = 1;

/// Zones, each with when a master was seen, in milliseconds since 1970 UTC.
pub(super) type Kept = BTreeMap<Name, (u64, Arc<Zone>)>;

/// Where the copies stand; `None` when no snapshot is kept.
pub(super) fn path(snapshot: &Path) -> Option<PathBuf> {
    if snapshot.as_os_str().is_empty() {
        return None;
    }
    let mut path = snapshot.as_os_str().to_owned();
    path.push(".secondary");
    Some(path.into())
}

pub(super) fn write(path: &Path, kept: &Kept) -> io::Result<()> {
    write_file(path, |out| encode(out, kept))
}

fn encode(out: &mut impl Write, kept: &Kept) -> io::Result<()> {
    let mut sealed = Sealed::begin(out);
    sealed.put(MAGIC)?;
    sealed.put(&VERSION.to_be_bytes())?;
    sealed.put(&count(kept.len())?)?;
    let mut octets = Vec::new();
    for (seen, zone) in kept.values() {
        octets.clear();
        octets.extend_from_slice(&seen.to_be_bytes());
        zone.write_to(&mut octets);
        sealed.put(&octets)?;
    }
    sealed.end()
}

pub(super) fn read(path: &Path) -> Result<Kept, SnapshotError> {
    let octets = fs::read(path).map_err(|error| SnapshotError::Read(path.to_owned(), error))?;
    body(&mut unseal(&octets, MAGIC, VERSION)?).ok_or(SnapshotError::Damaged)
}

fn body(rest: &mut &[u8]) -> Option<Kept> {
    let mut kept = Kept::new();
    for _ in 0..u32::from_be_bytes(take(rest)?) {
        let seen = u64::from_be_bytes(take(rest)?);
        let zone = Zone::read_from(rest).ok()?;
        kept.insert(zone.apex().clone(), (seen, Arc::new(zone)));
    }
    rest.is_empty().then_some(kept)
}
