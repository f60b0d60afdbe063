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
