//! The parameters of SVCB and HTTPS (RFC 9460 section 2.1 and appendix A).

use super::fields::{Fields, base64, decimal};
use super::{RdataError, shown};
use crate::txt::{quote, unescape};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const PORT: u16 = 3;
const IPV4HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6HINT: u16 = 6;
const DOHPATH: u16 = 7;
const OHTTP: u16 = 8;

/// Keys by name (RFC 9460 section 14.3.2, RFC 9461 section 5, RFC 9540 section 4).
const NAMES: [(&str, u16); 9] = [
    ("mandatory", MANDATORY),
    ("alpn", ALPN),
    ("no-default-alpn", NO_DEFAULT_ALPN),
    ("port", PORT),
    ("ipv4hint", IPV4HINT),
    ("ech", ECH),
    ("ipv6hint", IPV6HINT),
    ("dohpath", DOHPATH),
    ("ohttp", OHTTP),
];

/// The keys that are written by name. Readers from before RFC 9461 and RFC 9540 know the later ones as numbers only, and all
/// know those.
const WRITTEN_BY_NAME: u16 = IPV6HINT;

/// Reads parameters in any order and writes them in that of their numbers (RFC 9460 section 2.2).
pub(super) fn write(fields: &mut Fields<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let mut found: BTreeMap<u16, (&str, Vec<u8>)> = BTreeMap::new();
    while let Some((key, text)) = fields.parameter()? {
        let wrong = |wrong| RdataError::Parameter { key: shown(key), wrong };
        let Some((number, by_name)) = number(key) else {
            return Err(wrong(
                "is no parameter; there are mandatory, alpn, no-default-alpn, port, ipv4hint, ech, ipv6hint, dohpath, ohttp, \
                 and key with a number, such as key667 (RFC 9460 section 2.1)",
            ));
        };
        let mut octets = Vec::new();
        unescape(text.unwrap_or_default(), &mut octets)?;
        if by_name {
            octets = data(number, &octets).ok_or_else(|| wrong(expected(number)))?;
        } else if value(number, &octets).is_none() {
            return Err(wrong(expected(number)));
        }
        if found.insert(number, (key, octets)).is_some() {
            return Err(wrong("stands twice"));
        }
    }
    if let Some((key, wrong)) =
        lacking(|number| found.get(&number).map(|(_, value)| value.as_slice()))
    {
        let key = found.get(&key).map_or("", |(key, _)| key);
        return Err(RdataError::Parameter { key: shown(key), wrong });
    }
    for (number, (_, octets)) in found {
        let length = u16::try_from(octets.len()).map_err(|_| RdataError::TooLong(octets.len()))?;
        out.extend(number.to_be_bytes());
        out.extend(length.to_be_bytes());
        out.extend(octets);
    }
    Ok(())
}

/// The words of parameters; `None` when they are none, or not as RFC 9460 section 2.2 has them.
pub(super) fn text(mut rest: &[u8]) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut found: BTreeMap<u16, &[u8]> = BTreeMap::new();
    while !rest.is_empty() {
        let (number, behind) = rest.split_first_chunk()?;
        let (length, behind) = behind.split_first_chunk()?;
        let (octets, behind) = behind.split_at_checked(u16::from_be_bytes(*length).into())?;
        let number = u16::from_be_bytes(*number);
        if found.last_key_value().is_some_and(|(before, _)| *before >= number) {
            return None;
        }
        let value = value(number, octets)?;
        let key = key(number);
        words.push(if value.is_empty() { key } else { format!("{key}={value}") });
        found.insert(number, octets);
        rest = behind;
    }
    lacking(|number| found.get(&number).copied()).is_none().then_some(words)
}

/// A key, and whether it was given by name.
fn number(key: &str) -> Option<(u16, bool)> {
    if let Some((_, number)) = NAMES.iter().find(|(name, _)| *name == key) {
        return Some((*number, true));
    }
    let digits = key.strip_prefix("key").filter(|digits| !digits.is_empty())?;
    let plain = digits == "0" || !digits.starts_with('0');
    plain.then(|| decimal(digits)).flatten().map(|number| (number, false))
}

fn key(number: u16) -> String {
    match NAMES.iter().find(|(_, known)| *known == number && number <= WRITTEN_BY_NAME) {
        Some((name, _)) => (*name).to_owned(),
        None => format!("key{number}"),
    }
}

/// What the value of a key is, for errors.
const fn expected(number: u16) -> &'static str {
    match number {
        MANDATORY => {
            "is a list of other keys, each once, such as mandatory=alpn,port (RFC 9460 section 8)"
        }
        ALPN => {
            "is a list of protocols of 1 to 255 octets, such as alpn=h2,h3 (RFC 9460 section 7.1.1)"
        }
        NO_DEFAULT_ALPN | OHTTP => "has no value",
        PORT => "is a whole number from 0 to 65535, such as port=443 (RFC 9460 section 7.2)",
        IPV4HINT => {
            "is a list of IPv4 addresses, such as ipv4hint=192.0.2.1,192.0.2.2 (RFC 9460 section 7.3)"
        }
        ECH => "is an ECHConfigList in Base64 (RFC 9460 section 9)",
        IPV6HINT => {
            "is a list of IPv6 addresses, such as ipv6hint=2001:db8::1,2001:db8::2 (RFC 9460 section 7.3)"
        }
        DOHPATH => {
            "is a path with the variable dns, such as dohpath=/dns-query{?dns} (RFC 9461 section 5)"
        }
        _ => "has a wrong value",
    }
}

/// The data of a value that was written by its key's name, without escapes of character strings.
fn data(number: u16, text: &[u8]) -> Option<Vec<u8>> {
    let list = || {
        std::str::from_utf8(text).ok().filter(|text| !text.is_empty()).map(|text| text.split(','))
    };
    let octets = match number {
        MANDATORY => {
            let keys = list()?.map(|key| self::number(key).map(|(number, _)| number));
            let mut keys: Vec<u16> = keys.collect::<Option<_>>()?;
            keys.sort_unstable();
            keys.into_iter().flat_map(u16::to_be_bytes).collect()
        }
        ALPN => protocols(text)?,
        PORT => decimal::<u16>(std::str::from_utf8(text).ok()?)?.to_be_bytes().to_vec(),
        IPV4HINT => {
            let addresses =
                list()?.map(|word| word.parse().ok().map(|word: Ipv4Addr| word.octets()));
            addresses.collect::<Option<Vec<_>>>()?.concat()
        }
        IPV6HINT => {
            let addresses =
                list()?.map(|word| word.parse().ok().map(|word: Ipv6Addr| word.octets()));
            addresses.collect::<Option<Vec<_>>>()?.concat()
        }
        ECH => base64(std::str::from_utf8(text).ok()?)?,
        _ => text.to_vec(),
    };
    value(number, &octets).map(|_| octets)
}

/// Protocols with their lengths, of a list in which a backslash takes the octet behind it along (RFC 9460 appendix A.1).
fn protocols(text: &[u8]) -> Option<Vec<u8>> {
    let mut all = vec![Vec::new()];
    let mut octets = text.iter();
    while let Some(&octet) = octets.next() {
        match octet {
            b',' => all.push(Vec::new()),
            b'\\' => all.last_mut()?.push(*octets.next()?),
            _ => all.last_mut()?.push(octet),
        }
    }
    let mut out = Vec::new();
    for protocol in all {
        out.push(u8::try_from(protocol.len()).ok().filter(|length| *length > 0)?);
        out.extend(protocol);
    }
    Some(out)
}

/// A value as it is written, empty when there is nothing to say; `None` when the data is not that of the key.
fn value(number: u16, octets: &[u8]) -> Option<String> {
    let joined = |words: Vec<String>| (!words.is_empty()).then(|| words.join(","));
    match number {
        MANDATORY => {
            let (keys, []) = octets.as_chunks() else { return None };
            let keys: Vec<u16> = keys.iter().map(|key| u16::from_be_bytes(*key)).collect();
            let in_order = keys.is_sorted_by(|a, b| a < b) && keys.first() != Some(&MANDATORY);
            in_order.then(|| joined(keys.into_iter().map(key).collect())).flatten()
        }
        ALPN => {
            let mut rest = octets;
            let mut list = Vec::new();
            while let Some((&length, behind)) =
                rest.split_first().filter(|(length, _)| **length > 0)
            {
                let (protocol, behind) = behind.split_at_checked(length.into())?;
                if !list.is_empty() {
                    list.push(b',');
                }
                for &octet in protocol {
                    if matches!(octet, b',' | b'\\') {
                        list.push(b'\\');
                    }
                    list.push(octet);
                }
                rest = behind;
            }
            (rest.is_empty() && !list.is_empty()).then(|| quote(&list))
        }
        NO_DEFAULT_ALPN | OHTTP => octets.is_empty().then(String::new),
        PORT => Some(u16::from_be_bytes(octets.try_into().ok()?).to_string()),
        IPV4HINT => {
            let (addresses, []) = octets.as_chunks::<4>() else { return None };
            joined(addresses.iter().map(|octets| Ipv4Addr::from(*octets).to_string()).collect())
        }
        IPV6HINT => {
            let (addresses, []) = octets.as_chunks::<16>() else { return None };
            joined(addresses.iter().map(|octets| Ipv6Addr::from(*octets).to_string()).collect())
        }
        ECH => (!octets.is_empty()).then(|| STANDARD.encode(octets)),
        DOHPATH => {
            std::str::from_utf8(octets).ok().filter(|path| is_template(path)).map(|_| quote(octets))
        }
        _ => Some(if octets.is_empty() { String::new() } else { quote(octets) }),
    }
}

/// Whether this is a relative URI template with the variable `dns` (RFC 9461 section 5, RFC 6570 section 2).
fn is_template(path: &str) -> bool {
    let of_dns = |expression: &str| {
        let variables = expression.trim_start_matches(['?', '&', '/', '+', '#', '.', ';']);
        variables.split(',').any(|variable| variable == "dns")
    };
    let expressions = path.split('{').skip(1).filter_map(|part| part.split_once('}'));
    path.starts_with('/') && expressions.map(|(expression, _)| expression).any(of_dns)
}

/// The first key that wants another one which is not there, and what it wants.
fn lacking<'v>(get: impl Fn(u16) -> Option<&'v [u8]>) -> Option<(u16, &'static str)> {
    let (keys, _) = get(MANDATORY).unwrap_or_default().as_chunks();
    if keys.iter().any(|key| get(u16::from_be_bytes(*key)).is_none()) {
        return Some((MANDATORY, "names a key that is not there (RFC 9460 section 8)"));
    }
    let alone = get(NO_DEFAULT_ALPN).is_some() && get(ALPN).is_none();
    alone.then_some((NO_DEFAULT_ALPN, "stands beside alpn only (RFC 9460 section 7.1.1)"))
}
