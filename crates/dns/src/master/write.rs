//! A zone as a master file: one line for each record, in the canonical order of names (RFC 4034 section 6.1), so that two
//! files of one zone differ where the zone does.

use crate::dnssec::ordering_key;
use crate::name::{Name, ancestors};
use crate::rdata::{self, RecordType};
use crate::zone::{BadRecord, by_owner, served};
use ngn_model::zone::ZoneRows;
use std::fmt::Write as _;

/// Time to live of the file's `$TTL` when the zone has no SOA record, in seconds.
const DEFAULT_TTL: u32 = 3_600;

/// A zone as a master file, and the records that no name server could read, which are left out. The SOA record comes
/// first and has the zone's serial; signatures are no part of it, since they are made while answers are.
///
/// The file ends with a line feed and holds printable ASCII only. Names of owners are relative to `$ORIGIN`, those in
/// data are fully qualified.
#[must_use]
pub fn file(zone: &ZoneRows) -> (String, Vec<BadRecord>) {
    let apex = Name::from(&zone.apex);
    let mut bad = Vec::new();
    let mut lines: Vec<(Vec<u8>, u8, u16, String)> = Vec::with_capacity(zone.records.len());
    let mut ttl = DEFAULT_TTL;
    for (owner, rows) in by_owner(&apex, &zone.records, &mut bad) {
        let shown = relative(&owner, &apex);
        for (mut rr, row) in served(&apex, &owner, &rows, &mut bad) {
            let kind = RecordType(rr.rtype);
            if kind == RecordType::SOA {
                ttl = rr.ttl;
                // It was encoded from SOA text just now, so this cannot fail.
                let _ = rdata::set_serial(&mut rr.rdata, zone.serial);
            }
            // What was given as octets and is no data of its type is written as octets.
            let data = rdata::text(kind, &rr.rdata, &row.content);
            let data = data.unwrap_or_else(|| rdata::generic(&rr.rdata));
            let rank = match kind {
                RecordType::SOA => 0,
                RecordType::NS => 1,
                _ => 2,
            };
            let line = format!("{shown}\t{}\tIN\t{kind}\t{data}\n", rr.ttl);
            lines.push((ordering_key(owner.as_wire()), rank, kind.0, line));
        }
    }
    lines.sort_unstable();
    lines.dedup();
    let mut out = format!("$ORIGIN {}\n$TTL {ttl}\n", name_text(&apex));
    out.extend(lines.into_iter().map(|(_, _, _, line)| line));
    (out, bad)
}

/// A name at or below an apex without the apex; `@` for the apex itself.
fn relative(name: &Name, apex: &Name) -> String {
    let mut text = String::new();
    labels(name, name.label_count().saturating_sub(apex.label_count()), &mut text);
    text.pop();
    if text.is_empty() { "@".to_owned() } else { text }
}

/// A name as a master file has it: fully qualified, with its final dot, and with everything escaped that means something
/// else there (RFC 1035 section 5.1).
#[must_use]
pub fn name_text(name: &Name) -> String {
    let mut text = String::new();
    labels(name, name.label_count(), &mut text);
    if text.is_empty() { ".".to_owned() } else { text }
}

/// So many labels of a name, a dot behind each.
fn labels(name: &Name, count: usize, out: &mut String) {
    for suffix in ancestors(name.as_wire()).take(count) {
        let length = suffix.first().copied().map_or(0, usize::from);
        for &octet in suffix.get(1..=length).unwrap_or_default() {
            // Writing to a String cannot fail.
            let _ = match octet {
                b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => {
                    write!(out, "\\{}", char::from(octet))
                }
                b'!'..=b'~' => write!(out, "{}", char::from(octet)),
                _ => write!(out, "\\{octet:03}"),
            };
        }
        out.push('.');
    }
}
