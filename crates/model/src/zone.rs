//! Zones and records as they stand in the database, PowerDNS style.

use crate::DomainName;

/// A zone with all its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneRows {
    /// The apex.
    pub apex: DomainName,
    /// The serial that an SOA answer must carry now; it only rises (B110, B116).
    pub serial: u32,
    /// All records, SOA and NS included; the serial within the SOA row's content is not authoritative.
    pub records: Vec<RecordRow>,
    /// How it is signed; none when it is not.
    pub signing: Option<ZoneSigning>,
}

/// How a zone is signed (RFC 4035).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneSigning {
    /// Whether names that do not exist are denied by their hashes (NSEC3, RFC 5155) instead of by name (NSEC).
    pub nsec3: bool,
    /// Whether the parent is asked to remove its DS records (RFC 8078 section 4), before the zone is signed no more.
    pub withdrawn: bool,
    /// The last renewal that raised the serial: [`ZoneSigning`] changes with time, and secondaries have to fetch it.
    pub renewed: i64,
    /// All keys that are not removed yet, by id.
    pub keys: Vec<ZoneKey>,
}

/// A key of a zone, ECDSA P-256 with SHA-256 (algorithm 13, RFC 6605). Times are in seconds since 1970 UTC.
#[derive(Clone, PartialEq, Eq)]
pub struct ZoneKey {
    /// Its row.
    pub id: i64,
    /// Whether it is what the parent vouches for (key signing key) or what signs the records (zone signing key).
    pub ksk: bool,
    /// The public key, x and y; 64 octets.
    pub public: Vec<u8>,
    /// The private key as it is stored: encrypted where passwords are.
    pub secret: String,
    /// From when on it stands in the DNSKEY RRset; a key signing key signs it then.
    pub publish_at: i64,
    /// From when on a zone signing key signs, and the parent is told of a key signing key (CDS).
    pub active_at: i64,
    /// Until when.
    pub retire_at: Option<i64>,
    /// Until when it stands in the DNSKEY RRset.
    pub remove_at: Option<i64>,
}

/// Without the private key.
impl std::fmt::Debug for ZoneKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ZoneKey")
            .field("id", &self.id)
            .field("ksk", &self.ksk)
            .finish_non_exhaustive()
    }
}

/// One record in presentation form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// Owner name, fully qualified, lower case, without final dot.
    pub name: String,
    /// Type mnemonic, such as `NAPTR`.
    pub rtype: String,
    /// RDATA in presentation form without the priority of MX and SRV; names without final dot. PowerDNS's
    /// `content`: NAPTR carries its order and preference here, TXT its quotes.
    pub content: String,
    /// Time to live in seconds.
    pub ttl: u32,
    /// Priority of MX and SRV; 0 otherwise.
    pub priority: u16,
}

/// As [`RecordRow`], with text that belongs to somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordRef<'r> {
    /// Owner name, fully qualified, lower case, without final dot.
    pub name: &'r str,
    /// Type mnemonic, such as `NAPTR`.
    pub rtype: &'r str,
    /// RDATA in presentation form without the priority of MX and SRV; names without final dot.
    pub content: &'r str,
    /// Time to live in seconds.
    pub ttl: u32,
    /// Priority of MX and SRV; 0 otherwise.
    pub priority: u16,
}

impl<'r> From<&'r RecordRow> for RecordRef<'r> {
    fn from(row: &'r RecordRow) -> Self {
        let RecordRow { name, rtype, content, ttl, priority } = row;
        Self { name, rtype, content, ttl: *ttl, priority: *priority }
    }
}
