//! Record data: from the text that stands in PowerDNS's `records.content` to wire form.
//!
//! Names in that text are fully qualified and have no final dot; the priority of MX and SRV stands apart
//! (`records.prio`). Everything is written uncompressed (RFC 3597 section 4).

mod fields;
mod loc;
mod parameters;
mod parts;
mod record_type;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use parts::{Part, parts};
pub use record_type::RecordType;
pub(crate) use text::generic;
pub use text::text;

use crate::name::{Name, NameError};
use crate::txt::{MAX_STRING, TextError};
use fields::Fields;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Most octets that the data of one record can have (RFC 1035 section 3.2.1).
pub const MAX_RDATA: usize = 65_535;

/// Why text is no data of that type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RdataError {
    /// The type has no known name and is not `TYPE` with a number either.
    #[error(
        "`{0}` is no record type; types without a name are written TYPE and a number, such as TYPE65280"
    )]
    UnknownType(String),
    /// The type is known, but its text is not.
    #[error("the text form of {0} is not known; write \\# length hexadecimal (RFC 3597)")]
    OnlyGeneric(RecordType),
    /// The type has a text form, so the one for unknown types is not taken.
    #[error("{0} has a text form of its own; \\# is for types without one")]
    NotGeneric(RecordType),
    /// Words are missing.
    #[error("the value ends before its {missing}; {kind} is written: {form}")]
    Missing {
        /// Type of the record.
        kind: RecordType,
        /// What should have come next.
        missing: &'static str,
        /// All words that the type has.
        form: &'static str,
    },
    /// Words are left over.
    #[error("`{text}` is left over; {kind} is written: {form}")]
    LeftOver {
        /// Type of the record.
        kind: RecordType,
        /// The first word too many.
        text: String,
        /// All words that the type has.
        form: &'static str,
    },
    /// A word is no number, or one that does not fit.
    #[error("{what} `{text}` is no whole number from 0 to {max}")]
    Number {
        /// What the number means.
        what: &'static str,
        /// What stands there.
        text: String,
        /// Greatest value that fits.
        max: u32,
    },
    /// Not four decimal numbers with dots.
    #[error("`{0}` is no IPv4 address such as 192.0.2.1")]
    Ipv4(String),
    /// Not an IPv6 address.
    #[error("`{0}` is no IPv6 address such as 2001:db8::1")]
    Ipv6(String),
    /// A word is no domain name.
    #[error("{what} `{text}` is no domain name: {reason}")]
    Name {
        /// What the name means.
        what: &'static str,
        /// What stands there.
        text: String,
        /// What is wrong with it.
        reason: NameError,
    },
    /// Broken quoting or escaping, or a string that is too long.
    #[error("{0}")]
    Text(#[from] TextError),
    /// A location is out of range or not as RFC 1876 section 3 has it.
    #[error("{what} `{text}`: {expected}; LOC is written: {}", loc::FORM)]
    Location {
        /// What the word means.
        what: &'static str,
        /// What stands there.
        text: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// The tag of a CAA record.
    #[error("the tag `{0}` is not of letters and digits, such as issue (RFC 8659 section 4.1)")]
    Tag(String),
    /// A text that has to say something.
    #[error("the {0} is empty")]
    Empty(&'static str),
    /// Octets that are not Base64 with its padding (RFC 4648 section 4).
    #[error(
        "the {0} is not Base64 as RFC 4648 section 4 has it, with = at the end where it lacks octets"
    )]
    Base64(&'static str),
    /// A parameter of SVCB or HTTPS (RFC 9460 section 2.1).
    #[error("`{key}` {wrong}")]
    Parameter {
        /// Its key as it was written.
        key: String,
        /// What is wrong, and what may stand there.
        wrong: &'static str,
    },
    /// The generic form's length and its octets differ.
    #[error("the value says {said} octets and has {found}")]
    GenericLength {
        /// The number behind `\#`.
        said: usize,
        /// Octets that follow.
        found: usize,
    },
    /// The generic form's octets are not hexadecimal.
    #[error("`{0}` is not hexadecimal with two digits for each octet")]
    Hexadecimal(String),
    /// The data is longer than a record can be.
    #[error("the value has {0} octets, more than a record can hold")]
    TooLong(usize),
    /// Octets that should be the data of an SOA record are not.
    #[error("the octets are no SOA data")]
    NotSoa,
}

/// The wire form of record content, uncompressed.
///
/// `content` is what PowerDNS keeps in `records.content`: names fully qualified, the priority of MX and SRV left out
/// and given as `priority`. Other types ignore `priority`. `rtype` is a mnemonic in any case or `TYPEnnn`; types
/// without a text form here are written as RFC 3597 section 5 has it: `\# length hexadecimal`.
///
/// # Errors
///
/// Unknown types, and content that is not what the type asks for; the text says what should stand there.
pub fn encode(
    rtype: &str,
    content: &str,
    priority: u16,
) -> Result<(RecordType, Vec<u8>), RdataError> {
    let mut out = Vec::new();
    let kind = encode_into(rtype, content, priority, &mut out)?;
    Ok((kind, out))
}

/// As [`encode`], and appends the data; what it appended before an error is to be thrown away.
pub(crate) fn encode_into(
    rtype: &str,
    content: &str,
    priority: u16,
    out: &mut Vec<u8>,
) -> Result<RecordType, RdataError> {
    let kind = RecordType::parse(rtype).ok_or_else(|| RdataError::UnknownType(shown(rtype)))?;
    let generic = content.trim_ascii_start().starts_with("\\#")
        && content.split_ascii_whitespace().next() == Some("\\#");
    let before = out.len();
    match form(kind) {
        // Types that had no text form once.
        Some(_) if generic && parts(kind).is_empty() => return Err(RdataError::NotGeneric(kind)),
        _ if generic => fields::generic(content, out)?,
        None => return Err(RdataError::OnlyGeneric(kind)),
        Some(form) => write(&mut Fields::new(content, kind, form), priority, out)?,
    }
    let length = out.len() - before;
    if length > MAX_RDATA { Err(RdataError::TooLong(length)) } else { Ok(kind) }
}

/// Puts another serial into the data of an SOA record.
///
/// # Errors
///
/// `NotSoa` when the octets are not two uncompressed names and 20 octets.
pub fn set_serial(soa: &mut [u8], serial: u32) -> Result<(), RdataError> {
    let mname = Name::from_wire(soa).map_err(|_| RdataError::NotSoa)?.as_wire().len();
    let rest = soa.get(mname..).ok_or(RdataError::NotSoa)?;
    let rname = Name::from_wire(rest).map_err(|_| RdataError::NotSoa)?.as_wire().len();
    match soa.get_mut(mname + rname..) {
        Some(numbers) if numbers.len() == 20 => {
            for (to, from) in numbers.iter_mut().zip(serial.to_be_bytes()) {
                *to = from;
            }
            Ok(())
        }
        _ => Err(RdataError::NotSoa),
    }
}

/// The words of a type's content, for errors; `None` for types without a text form here.
pub(crate) const fn form(kind: RecordType) -> Option<&'static str> {
    Some(match kind {
        RecordType::A => "IPv4 address",
        RecordType::AAAA => "IPv6 address",
        RecordType::NS | RecordType::CNAME | RecordType::PTR | RecordType::DNAME => "name",
        RecordType::MX => "name (its preference is the priority)",
        RecordType::TXT => "\"string\" ...",
        RecordType::SRV => "weight port target (the priority stands apart)",
        RecordType::NAPTR => "order preference \"flags\" \"services\" \"regexp\" replacement",
        RecordType::SOA => "mname rname serial refresh retry expire minimum",
        RecordType::LOC => loc::FORM,
        RecordType::DS => "key-tag algorithm digest-type hexadecimal",
        RecordType::HINFO => "\"hardware\" \"system\"",
        RecordType::RP => "mailbox-name text-name",
        RecordType::AFSDB => "subtype server",
        RecordType::SSHFP => "algorithm fingerprint-type hexadecimal",
        RecordType::DHCID | RecordType::OPENPGPKEY => "base64",
        RecordType::TLSA | RecordType::SMIMEA => "usage selector matching-type hexadecimal",
        RecordType::SVCB | RecordType::HTTPS => "priority target [key=value ...]",
        RecordType::SPF => "\"string\" ...",
        RecordType::URI => "priority weight \"target\"",
        RecordType::CAA => "flags tag \"value\"",
        _ => return None,
    })
}

fn write(fields: &mut Fields<'_>, priority: u16, out: &mut Vec<u8>) -> Result<(), RdataError> {
    match fields.kind() {
        RecordType::A => {
            let word = fields.word("address")?;
            let address: Ipv4Addr = word.parse().map_err(|_| RdataError::Ipv4(shown(word)))?;
            out.extend(address.octets());
        }
        RecordType::AAAA => {
            let word = fields.word("address")?;
            let address: Ipv6Addr = word.parse().map_err(|_| RdataError::Ipv6(shown(word)))?;
            out.extend(address.octets());
        }
        RecordType::MX => {
            out.extend(priority.to_be_bytes());
            fields.name("mail server", out)?;
        }
        RecordType::TXT => {
            fields.string("text", out)?;
            while fields.more() {
                fields.string("text", out)?;
            }
        }
        RecordType::SRV => {
            out.extend(priority.to_be_bytes());
            fields.number16("weight", out)?;
            fields.number16("port", out)?;
            fields.name("target", out)?;
        }
        RecordType::NAPTR => {
            fields.number16("order", out)?;
            fields.number16("preference", out)?;
            fields.string("flags", out)?;
            fields.string("services", out)?;
            fields.string("regexp", out)?;
            fields.name("replacement", out)?;
        }
        RecordType::SOA => {
            fields.name("mname", out)?;
            fields.name("rname", out)?;
            for what in ["serial", "refresh", "retry", "expire", "minimum"] {
                fields.number32(what, out)?;
            }
        }
        RecordType::LOC => loc::write(fields, out)?,
        // One name.
        RecordType::NS | RecordType::CNAME | RecordType::PTR | RecordType::DNAME => {
            fields.name("target", out)?;
        }
        kind => parts::write(parts(kind), fields, out)?,
    }
    fields.end()
}

/// The name in the data of NS, CNAME, PTR, DNAME, MX, SRV or NAPTR; `None` for other types and for broken data.
#[must_use]
pub fn target(kind: RecordType, rdata: &[u8]) -> Option<Name> {
    let at = match kind {
        RecordType::NS | RecordType::CNAME | RecordType::PTR | RecordType::DNAME => 0,
        RecordType::MX => 2,
        RecordType::SRV => 6,
        RecordType::NAPTR => {
            let mut at = 4;
            for _ in 0..3 {
                at += 1 + usize::from(*rdata.get(at)?);
            }
            at
        }
        _ => return None,
    };
    let wire = rdata.get(at..)?;
    let name = Name::from_wire(wire).ok()?;
    (name.as_wire().len() == wire.len()).then_some(name)
}

/// Text for an error: no longer than a character string, whatever came in.
fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_STRING) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
