//! The copy of the zones on disk, to start from while the database is down.
//!
//! ```text
//!   8 octets  "NGNENUMD"
//!   2 octets  version of the format
//!   8 octets  when it was written, in seconds since 1970 UTC
//!   journal:  8 highest position, 1 whether its time is known, 8 its time, 4 number of gaps, 16 for each gap
//!   4 octets  number of zones, then the zones as `ngn_dns` writes them
//!  32 octets  SHA-256 of everything before
//! ```

use crate::config::Snapshot as Settings;
use crate::metrics::Metrics;
use ngn_dns::zone::{Zone, Zones};
use ngn_store::Resume;
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const MAGIC: &[u8; 8] = b"NGNENUMD";
/// To be raised with every change of the format, that of zones included.
const VERSION: u16 = 2;
const DIGEST: usize = 32;

/// Zones, and the journal position that they show.
#[derive(Debug, Clone, Default)]
pub(crate) struct Point {
    pub(crate) zones: Arc<Zones>,
    pub(crate) resume: Resume,
    /// Every journal row up to here is served.
    pub(crate) low_water: u64,
}

/// Why there is no snapshot to start from.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    /// No file is configured.
    #[error("no snapshot is kept (snapshot.file)")]
    None,
    /// The file cannot be read.
    #[error("cannot read the snapshot {0} (snapshot.file)")]
    Read(PathBuf, #[source] io::Error),
    /// The file is of another release.
    #[error("the snapshot has format {0}, which is not that of this release")]
    Version(u16),
    /// The file is damaged or something else.
    #[error("the snapshot is damaged")]
    Damaged,
}

/// Writes a snapshot, in place of the one that is there only when it is whole.
pub(crate) fn write(path: &Path, point: &Point, now: u64) -> io::Result<()> {
    write_file(path, |out| encode(out, point, now))
}

/// Writes a file, in place of the one that is there only when it is whole.
pub(crate) fn write_file(
    path: &Path,
    encode: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let file =
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&temporary)?;
    let mut out = BufWriter::new(file);
    encode(&mut out)?;
    out.into_inner()?.sync_all()?;
    fs::rename(&temporary, path)?;
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(directory) => File::open(directory)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

/// Writes octets and at their end a digest of them.
pub(crate) struct Sealed<'w, W> {
    out: &'w mut W,
    digest: Sha256,
}

impl<'w, W: Write> Sealed<'w, W> {
    pub(crate) fn begin(out: &'w mut W) -> Self {
        Self { out, digest: Sha256::new() }
    }

    pub(crate) fn put(&mut self, octets: &[u8]) -> io::Result<()> {
        self.digest.update(octets);
        self.out.write_all(octets)
    }

    pub(crate) fn end(self) -> io::Result<()> {
        self.out.write_all(&self.digest.finalize())
    }
}

fn encode(out: &mut impl Write, point: &Point, now: u64) -> io::Result<()> {
    let mut sealed = Sealed::begin(out);
    let resume = &point.resume;
    let mut head = Vec::new();
    head.extend_from_slice(MAGIC);
    head.extend_from_slice(&VERSION.to_be_bytes());
    head.extend_from_slice(&now.to_be_bytes());
    head.extend_from_slice(&resume.high.to_be_bytes());
    head.push(u8::from(resume.high_at.is_some()));
    head.extend_from_slice(&resume.high_at.unwrap_or(0).to_be_bytes());
    head.extend_from_slice(&count(resume.gaps.len())?);
    for (first, last) in &resume.gaps {
        head.extend_from_slice(&first.to_be_bytes());
        head.extend_from_slice(&last.to_be_bytes());
    }
    head.extend_from_slice(&count(point.zones.len())?);
    sealed.put(&head)?;
    let mut octets = Vec::new();
    for zone in point.zones.iter() {
        octets.clear();
        zone.write_to(&mut octets);
        sealed.put(&octets)?;
    }
    sealed.end()
}

pub(crate) fn count(number: usize) -> io::Result<[u8; 4]> {
    u32::try_from(number).map(u32::to_be_bytes).map_err(io::Error::other)
}

/// Reads a snapshot, and when it was written, in seconds since 1970 UTC.
pub(crate) fn read(path: &Path) -> Result<(Point, u64), SnapshotError> {
    if path.as_os_str().is_empty() {
        return Err(SnapshotError::None);
    }
    let octets = fs::read(path).map_err(|error| SnapshotError::Read(path.to_owned(), error))?;
    decode(&octets)
}

fn decode(octets: &[u8]) -> Result<(Point, u64), SnapshotError> {
    let mut rest = unseal(octets, MAGIC, VERSION)?;
    body(&mut rest).ok_or(SnapshotError::Damaged)
}

/// What stands in a sealed file behind its eight octets of magic and its version.
pub(crate) fn unseal<'o>(
    octets: &'o [u8],
    magic: &[u8; 8],
    wanted: u16,
) -> Result<&'o [u8], SnapshotError> {
    let damaged = || SnapshotError::Damaged;
    let (mut rest, digest) = octets.split_last_chunk::<DIGEST>().ok_or_else(damaged)?;
    if Sha256::digest(rest).as_slice() != digest {
        return Err(damaged());
    }
    if take::<8>(&mut rest).as_ref() != Some(magic) {
        return Err(damaged());
    }
    let version = take(&mut rest).map(u16::from_be_bytes).ok_or_else(damaged)?;
    if version == wanted { Ok(rest) } else { Err(SnapshotError::Version(version)) }
}

fn body(rest: &mut &[u8]) -> Option<(Point, u64)> {
    let written = u64::from_be_bytes(take(rest)?);
    let high = u64::from_be_bytes(take(rest)?);
    let [known] = take::<1>(rest)?;
    let high_at = i64::from_be_bytes(take(rest)?);
    let mut gaps = Vec::new();
    for _ in 0..u32::from_be_bytes(take(rest)?) {
        gaps.push((u64::from_be_bytes(take(rest)?), u64::from_be_bytes(take(rest)?)));
    }
    let mut zones = Zones::new();
    for _ in 0..u32::from_be_bytes(take(rest)?) {
        zones.insert(Arc::new(Zone::read_from(rest).ok()?));
    }
    let resume = Resume { high, high_at: (known == 1).then_some(high_at), gaps };
    rest.is_empty().then(|| (Point { zones: Arc::new(zones), resume, low_water: 0 }, written))
}

pub(crate) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (octets, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*octets)
}

/// Seconds since 1970 UTC.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Seconds since 1970 UTC, as keys of zones count them.
pub(crate) fn seconds() -> i64 {
    i64::try_from(now()).unwrap_or(i64::MAX)
}

/// Writes what changed at every interval, and once more at the end.
pub(crate) async fn keep(
    settings: Settings,
    mut points: watch::Receiver<Point>,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) {
    if settings.file.as_os_str().is_empty() {
        return;
    }
    let mut last = false;
    while !last {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(settings.interval_seconds)) => {}
            () = shutdown.cancelled() => last = true,
        }
        // The first change is that something was loaded, so that nothing empty is ever written.
        if !points.has_changed().unwrap_or(false) {
            continue;
        }
        let point = points.borrow_and_update().clone();
        let (path, time) = (settings.file.clone(), now());
        let written = tokio::task::spawn_blocking(move || write(&path, &point, time)).await;
        match written.map_err(io::Error::other).and_then(|written| written) {
            Ok(()) => metrics.set_snapshot_time(time),
            Err(error) => {
                let file = settings.file.display();
                tracing::warn!(%error, %file, "the snapshot cannot be written");
                points.mark_changed();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_model::DomainName;
    use ngn_model::zone::{RecordRow, ZoneRows};

    fn point() -> Point {
        let zone = |apex: &str, serial| {
            let record = RecordRow {
                name: format!("www.{apex}"),
                rtype: "A".to_owned(),
                content: "192.0.2.1".to_owned(),
                ttl: 60,
                priority: 0,
            };
            let apex = DomainName::new(apex).unwrap();
            Zone::build(&ZoneRows { apex, serial, records: vec![record], signing: None }).0
        };
        let zones: Zones = [zone("a.example", 7), zone("b.example", 8)].into_iter().collect();
        let resume = Resume { high: 20, high_at: Some(-5), gaps: vec![(3, 4), (9, 9)] };
        Point { zones: Arc::new(zones), resume, low_water: 0 }
    }

    fn octets() -> Vec<u8> {
        let mut octets = Vec::new();
        encode(&mut octets, &point(), 1_000).unwrap();
        octets
    }

    #[test]
    fn is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("enumd.snapshot");
        for _ in 0..2 {
            write(&path, &point(), 1_000).unwrap();
        }
        let (read, written) = read(&path).unwrap();
        assert_eq!((written, &read.resume), (1_000, &point().resume));
        let serials = |zones: &Zones| -> Vec<(String, u32, usize)> {
            zones.iter().map(|z| (z.apex().to_string(), z.serial(), z.record_count())).collect()
        };
        assert_eq!(serials(&read.zones), serials(&point().zones));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no file is left over");
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn damage_is_noticed_wherever_it_is() {
        let whole = octets();
        assert!(decode(&whole).is_ok());
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x40;
            assert!(decode(&damaged).is_err(), "{at}");
            assert!(decode(&whole[..at]).is_err(), "{at}");
        }
    }

    #[test]
    fn another_format_is_named() {
        let mut other = octets();
        other[9] = 9;
        let body = other.len() - DIGEST;
        let digest = Sha256::digest(&other[..body]);
        other[body..].copy_from_slice(&digest);
        assert!(matches!(decode(&other), Err(SnapshotError::Version(9))));
    }

    #[test]
    fn no_file_says_so() {
        assert!(matches!(read(Path::new("")), Err(SnapshotError::None)));
        assert!(matches!(read(Path::new("/nonexistent/x")), Err(SnapshotError::Read(..))));
    }
}
