//! Types whose text and whose data are the same parts one behind the other.

use super::fields::Fields;
use super::text::{hexadecimal, string};
use super::{RdataError, RecordType, parameters, shown};
use crate::master::name_text;
use crate::name::Name;
use crate::txt::{quote, write_string};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A part of text and data, with what it means.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    /// An octet, in decimal.
    Number8(&'static str),
    /// Two octets, in decimal.
    Number16(&'static str),
    /// A domain name, which is never compressed (RFC 3597 section 4).
    Name(&'static str),
    /// A character string.
    String(&'static str),
    /// One or more of them, to the end.
    Strings(&'static str),
    /// Letters and digits with their length (RFC 8659 section 4.1).
    Tag,
    /// Text of any length to the end, which may be empty.
    Text(&'static str),
    /// Text of any length to the end, which says something.
    Filled(&'static str),
    /// Octets to the end, one or more, in hexadecimal.
    Hexadecimal(&'static str),
    /// Octets to the end, one or more, in Base64.
    Base64(&'static str),
    /// Those of SVCB to the end, none or more.
    Parameters,
}

impl Part {
    /// Whether several words of text make this part.
    pub(crate) const fn is_repeated(self) -> bool {
        matches!(self, Self::Strings(_) | Self::Hexadecimal(_) | Self::Base64(_) | Self::Parameters)
    }
}

/// The parts of a type; none when it is not one of these.
pub(crate) const fn parts(kind: RecordType) -> &'static [Part] {
    use Part::{Base64, Filled, Hexadecimal, Name, Number8, Number16, Parameters, String, Strings};
    match kind {
        // RFC 1035 section 3.3.2.
        RecordType::HINFO => &[String("hardware"), String("system")],
        // RFC 1183 sections 1 and 2.2.
        RecordType::AFSDB => &[Number16("subtype"), Name("server")],
        RecordType::RP => &[Name("mailbox"), Name("name of the text")],
        // RFC 4034 section 5.3.
        RecordType::DS => &[
            Number16("key tag"),
            Number8("algorithm"),
            Number8("digest type"),
            Hexadecimal("digest"),
        ],
        // RFC 4255 section 3.2.
        RecordType::SSHFP => {
            &[Number8("algorithm"), Number8("fingerprint type"), Hexadecimal("fingerprint")]
        }
        // RFC 4701 section 3.2.
        RecordType::DHCID => &[Base64("client")],
        // RFC 6698 section 2.2, RFC 8162 section 2.
        RecordType::TLSA | RecordType::SMIMEA => &[
            Number8("certificate usage"),
            Number8("selector"),
            Number8("matching type"),
            Hexadecimal("certificate association"),
        ],
        // RFC 7208 section 3.1.
        RecordType::SPF => &[Strings("text")],
        // RFC 7553 section 4.
        RecordType::URI => &[Number16("priority"), Number16("weight"), Filled("target")],
        // RFC 7929 section 2.3.
        RecordType::OPENPGPKEY => &[Base64("key")],
        // RFC 8659 section 4.1.1.
        RecordType::CAA => &[Number8("flags"), Part::Tag, Part::Text("value")],
        // RFC 9460 section 2.1.
        RecordType::SVCB | RecordType::HTTPS => &[Number16("priority"), Name("target"), Parameters],
        _ => &[],
    }
}

/// Data of text.
pub(super) fn write(
    parts: &[Part],
    fields: &mut Fields<'_>,
    out: &mut Vec<u8>,
) -> Result<(), RdataError> {
    for part in parts {
        match part {
            Part::Number8(what) => fields.number8(what, out)?,
            Part::Number16(what) => fields.number16(what, out)?,
            Part::Name(what) => fields.name(what, out)?,
            Part::String(what) => fields.string(what, out)?,
            Part::Strings(what) => {
                fields.string(what, out)?;
                while fields.more() {
                    fields.string(what, out)?;
                }
            }
            Part::Tag => {
                let tag = fields.word("tag")?;
                if !is_tag(tag.as_bytes()) {
                    return Err(RdataError::Tag(shown(tag)));
                }
                write_string(tag, out)?;
            }
            Part::Text(what) => fields.text(what, out)?,
            Part::Filled(what) => {
                let before = out.len();
                fields.text(what, out)?;
                if out.len() == before {
                    return Err(RdataError::Empty(what));
                }
            }
            Part::Hexadecimal(what) => fields.hexadecimal(what, out)?,
            Part::Base64(what) => fields.base64(what, out)?,
            Part::Parameters => parameters::write(fields, out)?,
        }
    }
    Ok(())
}

/// Text of data; `None` when the data is not these parts.
pub(super) fn text(parts: &[Part], data: &[u8]) -> Option<String> {
    let mut rest = data;
    let mut words = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Part::Number8(_) => {
                let (number, behind) = rest.split_first()?;
                words.push(number.to_string());
                rest = behind;
            }
            Part::Number16(_) => {
                let (number, behind) = rest.split_first_chunk()?;
                words.push(u16::from_be_bytes(*number).to_string());
                rest = behind;
            }
            Part::Name(_) => {
                let name = Name::from_wire(rest).ok()?;
                rest = rest.get(name.as_wire().len()..)?;
                words.push(name_text(&name));
            }
            Part::String(_) => words.push(string(&mut rest)?),
            Part::Strings(_) => {
                words.push(string(&mut rest)?);
                while !rest.is_empty() {
                    words.push(string(&mut rest)?);
                }
            }
            Part::Tag => {
                let (&length, behind) = rest.split_first()?;
                let (tag, behind) = behind.split_at_checked(length.into())?;
                let tag = std::str::from_utf8(tag).ok().filter(|tag| is_tag(tag.as_bytes()))?;
                words.push(tag.to_owned());
                rest = behind;
            }
            Part::Text(_) => words.push(quote(std::mem::take(&mut rest))),
            Part::Filled(_) => words.push(quote(filled(&mut rest)?)),
            Part::Hexadecimal(_) => {
                let mut digits = String::new();
                hexadecimal(filled(&mut rest)?, &mut digits);
                words.push(digits);
            }
            Part::Base64(_) => words.push(STANDARD.encode(filled(&mut rest)?)),
            Part::Parameters => words.extend(parameters::text(std::mem::take(&mut rest))?),
        }
    }
    rest.is_empty().then(|| words.join(" "))
}

/// All that is left; `None` when that is nothing.
fn filled<'d>(rest: &mut &'d [u8]) -> Option<&'d [u8]> {
    Some(std::mem::take(rest)).filter(|octets| !octets.is_empty())
}

/// Letters and digits, one or more (RFC 8659 section 4.1).
fn is_tag(octets: &[u8]) -> bool {
    !octets.is_empty() && octets.iter().all(u8::is_ascii_alphanumeric)
}
