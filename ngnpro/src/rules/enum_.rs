//! Members of ENUM ranges, numbers and mappings: syntax, limits and defaults (B100-B107).

use crate::rules::dns_zone::{self, DEFAULT_TTL};
use ngn_dns::naptr::{self, MAPPING_TYPES, NaptrError};
use ngn_model::{DomainName, E164};
use ngn_soap::Fault;
use ngn_soap::fault::code;
use ngn_soap::types::{EnumId, EnumMapping, EnumRangeId};
use std::collections::HashSet;

/// Priority of a mapping that names none (B103).
const DEFAULT_PRIORITY: u16 = 5;
/// The most mappings of a number (B104).
const MAX_MAPPINGS: usize = 5;

/// A mapping as a number keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The id that the caller gave, if any.
    pub id: Option<i64>,
    /// Its type.
    pub kind: &'static str,
    /// The URI, complete.
    pub mapto: String,
    /// The URI in lower case without its scheme.
    pub bare: String,
    /// Preference, 1 to 65535, the lowest first.
    pub priority: u16,
    /// Time to live in seconds.
    pub ttl: u32,
    /// The content of its NAPTR record (B114).
    pub content: String,
}

fn missing(member: &str, what: &str) -> Fault {
    Fault::client(code::MISSING_ARGUMENT, format!("{member} is missing; send {what}"))
}

fn given(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// Reads the key of a range; `member` names it in faults.
///
/// # Errors
///
/// 9001 when it or a part is missing, 9000 when the prefix is not 1 to 15 digits or the tld is no domain name.
pub fn read_range_id(id: Option<&EnumRangeId>, member: &str) -> Result<(E164, DomainName), Fault> {
    let id = id.ok_or_else(|| missing(member, "prefix and tld of the range"))?;
    let prefix = given(id.prefix.as_ref())
        .ok_or_else(|| missing(&format!("{member}.prefix"), "the digits of the prefix"))?;
    let digits = E164::new(prefix).ok().filter(|_| !prefix.starts_with('+'));
    let digits = digits.ok_or_else(|| {
        Fault::client(
            code::INVALID_ARGUMENT,
            format!(
                "{member}.prefix `{prefix}` is no prefix; send 1 to 15 digits, country code first"
            ),
        )
    })?;
    Ok((digits, read_tld(id.tld.as_ref(), member)?))
}

/// Reads the key of a number, whose plus sign is only decoration (B108); `member` names it in faults.
///
/// # Errors
///
/// As [`read_range_id`].
pub fn read_id(id: Option<&EnumId>, member: &str) -> Result<(E164, DomainName), Fault> {
    let id = id.ok_or_else(|| missing(member, "number and tld"))?;
    let number = given(id.number.as_ref())
        .ok_or_else(|| missing(&format!("{member}.number"), "the digits of the number"))?;
    let digits = E164::new(number).map_err(|_| {
        Fault::client(
            code::INVALID_ARGUMENT,
            format!(
                "{member}.number `{number}` is no number; send 1 to 15 digits, country code first"
            ),
        )
    })?;
    Ok((digits, read_tld(id.tld.as_ref(), member)?))
}

fn read_tld(tld: Option<&String>, member: &str) -> Result<DomainName, Fault> {
    let tld = given(tld).ok_or_else(|| {
        missing(&format!("{member}.tld"), "the domain of the tree, such as e164.arpa")
    })?;
    DomainName::new(tld).map_err(|error| {
        Fault::client(
            code::INVALID_ARGUMENT,
            format!("{member}.tld: {error}; send one such as e164.arpa"),
        )
    })
}

/// Country codes of two digits; 1 and 7 have one, all others three (ITU-T E.164 annex D).
const TWO_DIGITS: [&str; 44] = [
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47",
    "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65",
    "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
];

/// Whether a prefix holds a whole country: it is a country code or the beginning of some (B101).
#[must_use]
pub fn is_country(prefix: &E164) -> bool {
    let digits = prefix.digits();
    let length = match digits.get(..2) {
        _ if digits.starts_with(['1', '7']) => 1,
        Some(head) if TWO_DIGITS.contains(&head) => 2,
        _ => 3,
    };
    digits.len() <= length
}

/// Reads a limit, of which 0 or nothing means none (B102).
///
/// # Errors
///
/// 9000 when it is negative.
pub fn read_limit(value: Option<i32>, member: &str) -> Result<i64, Fault> {
    let value = value.unwrap_or(0);
    if value < 0 {
        return Err(Fault::client(
            code::INVALID_ARGUMENT,
            format!("{member} is {value}; send 0 for no limit, or a positive number"),
        ));
    }
    Ok(i64::from(value))
}

/// Reads a list of name servers, in the order given and each once.
///
/// # Errors
///
/// 9000 when one is no domain name.
pub fn read_nameservers(names: &[String], member: &str) -> Result<Vec<String>, Fault> {
    let mut read: Vec<String> = Vec::new();
    for name in names.iter().filter(|name| !name.trim().is_empty()) {
        let name = DomainName::new(name)
            .map_err(|error| Fault::client(code::INVALID_ARGUMENT, format!("{member}: {error}")))?;
        if !read.iter().any(|known| known == name.as_str()) {
            read.push(name.to_string());
        }
    }
    Ok(read)
}

/// Checks the digits of a number against the limits of its range (B102).
///
/// # Errors
///
/// 3007 when there are too few or too many.
pub fn check_length(number: &E164, min: i64, max: i64) -> Result<(), Fault> {
    let digits = i64::try_from(number.digits().len()).unwrap_or(i64::MAX);
    if digits < min || (max > 0 && digits > max) {
        return Err(Fault::client(
            code::NUMBER_LENGTH_INVALID,
            format!(
                "{number} has {digits} digits; its range wants at least {min} and at most {max} (0 is any)"
            ),
        ));
    }
    Ok(())
}

/// Reads the mappings of a number: completed, without duplicates (B103-B107), in the order given.
///
/// # Errors
///
/// 3008 when there are more than five; 3009 for an unknown type or a scheme that the type does not have; 9001
/// without type or value; 9000 when a value cannot stand in a NAPTR record or a number is out of bounds.
pub fn read_mappings(list: &[EnumMapping], member: &str) -> Result<Vec<Mapping>, Fault> {
    let mut seen = HashSet::new();
    let mut mappings = Vec::new();
    for (i, mapping) in list.iter().enumerate() {
        let member = format!("{member}[{i}]");
        let mapping = read_mapping(mapping, &member)?;
        if !seen.insert(mapping.mapto.clone()) {
            continue;
        }
        if mappings.len() == MAX_MAPPINGS {
            return Err(Fault::client(
                code::TOO_MANY_MAPPINGS,
                format!("a number has at most {MAX_MAPPINGS} mappings; take some out"),
            ));
        }
        mappings.push(mapping);
    }
    Ok(mappings)
}

fn read_mapping(mapping: &EnumMapping, member: &str) -> Result<Mapping, Fault> {
    let invalid = |text: String| Fault::client(code::INVALID_ARGUMENT, text);
    let name = given(mapping.r#type.as_ref())
        .ok_or_else(|| missing(&format!("{member}.type"), "a mapping type such as sip"))?;
    let value = given(mapping.mapto.as_ref())
        .ok_or_else(|| missing(&format!("{member}.mapto"), "the URI that the number leads to"))?;
    let kind = naptr::mapping_type(name).ok_or_else(|| {
        Fault::client(
            code::MAPPING_INVALID,
            format!(
                "{member}.type `{name}` is no mapping type; use one such as sip, tel or mailto"
            ),
        )
    })?;
    if let Some(scheme) = scheme(value).filter(|scheme| !kind.schemes.contains(scheme)) {
        let allowed = kind.schemes.join(" or ");
        return Err(Fault::client(
            code::MAPPING_INVALID,
            format!("{member}.mapto begins with {scheme}; the type {} takes {allowed}", kind.name),
        ));
    }
    let priority = match mapping.priority.unwrap_or(0) {
        0 => DEFAULT_PRIORITY,
        given => u16::try_from(given)
            .map_err(|_| invalid(format!("{member}.priority is {given}; send 1 to 65535")))?,
    };
    let ttl = u32::try_from(mapping.ttl.unwrap_or(0))
        .map_err(|_| invalid(format!("{member}.ttl is negative; send seconds")))?;
    let unusable = |error: NaptrError| match error {
        NaptrError::EmptyValue => missing(&format!("{member}.mapto"), "more than a scheme"),
        error => invalid(format!("{member}.mapto: {error}")),
    };
    let mapto = kind.complete(value).map_err(unusable)?;
    Ok(Mapping {
        id: mapping.id.map(i64::from).filter(|id| *id > 0),
        kind: kind.name,
        bare: bare(&mapto),
        content: naptr::content(kind.name, &mapto, priority).map_err(unusable)?,
        mapto,
        priority,
        ttl: dns_zone::ttl(Some(ttl), &format!("{member}.ttl"))?,
    })
}

/// The scheme of a value, when it is one that some mapping type has.
fn scheme(value: &str) -> Option<&'static str> {
    let known = MAPPING_TYPES.iter().flat_map(|kind| kind.schemes);
    known.copied().find(|scheme| {
        value.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme))
    })
}

/// A URI, or a pattern of one, in lower case without its scheme (B47).
#[must_use]
pub fn bare(uri: &str) -> String {
    let lower = uri.to_lowercase();
    let rest = scheme(&lower).and_then(|scheme| lower.get(scheme.len()..));
    rest.map_or_else(|| lower.clone(), str::to_owned)
}

/// The time to live of all NAPTR records of a number: one RRset has one, the shortest here (RFC 2181 section
/// 5.2).
#[must_use]
pub fn rrset_ttl(mappings: &[Mapping]) -> u32 {
    mappings.iter().map(|mapping| mapping.ttl).min().unwrap_or(DEFAULT_TTL)
}

#[cfg(test)]
mod tests;
