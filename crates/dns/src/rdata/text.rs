//! Record data as a master file has it (RFC 1035 section 5, RFC 3597 section 5).

use super::{RecordType, form, parts, target};
use crate::master::name_text;
use crate::name::Name;
use crate::txt::quote;
use std::fmt::Write as _;

/// Data in the text form of its type, in which names are fully qualified and have their final dot; types without one here
/// in the generic form. `content` is the text that the data was [encoded](super::encode) from, for LOC, whose text says
/// how exact it is. `None` when the data is not that of the type.
#[must_use]
pub fn text(kind: RecordType, data: &[u8], content: &str) -> Option<String> {
    if form(kind).is_none() {
        return Some(generic(data));
    }
    let name = || target(kind, data).map(|name| name_text(&name));
    let numbers = |count: usize| {
        let octets = data.get(..count * 2)?;
        let mut text = String::new();
        for number in octets.chunks_exact(2) {
            let number: [u8; 2] = number.try_into().ok()?;
            // Writing to a String cannot fail.
            let _ = write!(text, "{} ", u16::from_be_bytes(number));
        }
        Some(text)
    };
    Some(match kind {
        RecordType::A => std::net::Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).to_string(),
        RecordType::AAAA => std::net::Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).to_string(),
        RecordType::MX => numbers(1)? + &name()?,
        RecordType::SRV => numbers(3)? + &name()?,
        RecordType::TXT => {
            let mut rest = data;
            let mut strings = Vec::new();
            while !rest.is_empty() {
                strings.push(string(&mut rest)?);
            }
            Some(strings.join(" ")).filter(|text| !text.is_empty())?
        }
        RecordType::NAPTR => {
            let mut text = numbers(2)?;
            let mut rest = data.get(4..)?;
            for _ in 0..3 {
                text = text + &string(&mut rest)? + " ";
            }
            text + &name()?
        }
        RecordType::SOA => soa(data)?,
        RecordType::LOC => content.split_ascii_whitespace().collect::<Vec<_>>().join(" "),
        RecordType::NS | RecordType::CNAME | RecordType::PTR | RecordType::DNAME => name()?,
        _ => parts::text(parts(kind), data)?,
    })
}

/// `\# length hexadecimal`.
pub(crate) fn generic(data: &[u8]) -> String {
    let mut text = format!("\\# {}", data.len());
    if !data.is_empty() {
        text.push(' ');
        hexadecimal(data, &mut text);
    }
    text
}

pub(super) fn hexadecimal(octets: &[u8], out: &mut String) {
    for octet in octets {
        // Writing to a String cannot fail.
        let _ = write!(out, "{octet:02x}");
    }
}

/// The next character string, in quotes.
pub(super) fn string(rest: &mut &[u8]) -> Option<String> {
    let (&length, behind) = rest.split_first()?;
    let (string, behind) = behind.split_at_checked(length.into())?;
    *rest = behind;
    Some(quote(string))
}

fn soa(data: &[u8]) -> Option<String> {
    let mname = Name::from_wire(data).ok()?;
    let rest = data.get(mname.as_wire().len()..)?;
    let rname = Name::from_wire(rest).ok()?;
    let mut text = format!("{} {}", name_text(&mname), name_text(&rname));
    let numbers = rest.get(rname.as_wire().len()..).filter(|numbers| numbers.len() == 20)?;
    for number in numbers.chunks(4) {
        let number = u32::from_be_bytes(number.try_into().ok()?);
        // Writing to a String cannot fail.
        let _ = write!(text, " {number}");
    }
    Some(text)
}
