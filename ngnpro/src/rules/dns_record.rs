//! Names and values of DNS records (B119-B125, B129b).

use ngn_dns::name::Name;
use ngn_dns::{rdata, txt};
use ngn_model::DomainName;
use ngn_soap::Fault;
use ngn_soap::fault::code;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Most octets of a value as text: what the column holds in every database.
const MAX_TEXT: usize = 65_535;

/// A record's value in the forms that are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// PowerDNS's content.
    pub content: String,
    /// The value as the API shows it, when that is another text.
    pub value: Option<String>,
    /// Priority of MX and SRV, preference of NAPTR; 0 for other types, which have none (B122).
    pub priority: u16,
}

fn invalid(text: String) -> Fault {
    Fault::client(code::DNS_RECORD_INVALID, text)
}

/// The owner name of a record (B120): "" and `@` are the apex, relative names are completed with the zone.
///
/// # Errors
///
/// 7004 for what is no name and for names outside of the zone.
pub fn owner_name(given: Option<&str>, zone: &DomainName) -> Result<String, Fault> {
    let given = given.unwrap_or_default().trim();
    if given.is_empty() || given == "@" {
        return Ok(zone.to_string());
    }
    let lower = given.to_ascii_lowercase();
    let absolute = lower.strip_suffix('.').filter(|name| !name.is_empty());
    let name = match absolute {
        Some(name) => name.to_owned(),
        None if within(&lower, zone.as_str()) => lower,
        None => format!("{lower}.{zone}"),
    };
    let refused = |why: &str| invalid(format!("record.name `{given}` {why}"));
    let plain = |byte: u8| {
        byte.is_ascii_graphic() && !matches!(byte, b'@' | b'"' | b';' | b'(' | b')' | b'\\')
    };
    if !name.bytes().all(plain) {
        return Err(refused(
            "holds a character that no name in a zone should have; use letters, digits, - and _, and punycode \
             (xn--) for other letters",
        ));
    }
    // RFC 4592 section 2.1.1: an asterisk is special only as the whole first label.
    if name.split('.').skip(1).any(|label| label == "*") {
        return Err(refused("has an asterisk that is not the first label"));
    }
    Name::parse(&name).map_err(|error| refused(&format!("is no domain name: {error}")))?;
    if !within(&name, zone.as_str()) {
        return Err(refused(&format!("lies outside of the zone {zone}")));
    }
    Ok(name)
}

fn within(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|head| head.is_empty() || head.ends_with('.'))
}

/// The name that a record points to (B121, B129b): the final dot is taken off except of the root, and a name without
/// dots, or one that begins with `_` and does not end with the zone, is completed with the zone.
#[must_use]
pub fn target(given: &str, zone: &DomainName) -> String {
    let lower = given.to_ascii_lowercase();
    match lower.strip_suffix('.') {
        Some("") => lower,
        Some(absolute) => absolute.to_owned(),
        None if !lower.contains('.') => format!("{lower}.{zone}"),
        None if lower.starts_with('_') && !within(&lower, zone.as_str()) => {
            format!("{lower}.{zone}")
        }
        None => lower,
    }
}

/// Brings a value into the forms that are stored (B121, B122, B124, B129b). `rtype` is one of the API's types.
///
/// `before` is the priority that the record had, 0 for a new one: a NAPTR's preference stands in its value too, and
/// the priority counts when it is the one that was changed.
///
/// # Errors
///
/// 7004 with what is wrong with the value.
pub fn write(
    rtype: &str,
    value: &str,
    priority: Option<u16>,
    before: u16,
    zone: &DomainName,
) -> Result<Written, Fault> {
    let priority = priority.unwrap_or(0);
    let refused = |error: &dyn std::fmt::Display| {
        invalid(format!("record.value of the {rtype} record: {error}"))
    };
    let words = || value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let mut written = Written { content: words(), value: None, priority: 0 };
    match rtype {
        "A" => {}
        "AAAA" => {
            if let Ok(address) = written.content.parse::<std::net::Ipv6Addr>() {
                written.content = address.to_string();
            }
        }
        "MX" | "SRV" => {
            written.content =
                last_completed(&written.content, if rtype == "MX" { 1 } else { 3 }, zone);
            written.priority = priority;
        }
        "TXT" => {
            written.content = txt::content(value).map_err(|error| refused(&error))?;
            written.value = (written.content != value).then(|| value.to_owned());
        }
        "NAPTR" => (written.content, written.priority) = naptr(value, priority, before, zone),
        "LOC" => {}
        // CNAME, NS and PTR: one name.
        _ => written.content = last_completed(&written.content, 1, zone),
    }
    rdata::encode(rtype, &written.content, written.priority).map_err(|error| refused(&error))?;
    if written.content.len().max(value.len()) > MAX_TEXT {
        return Err(refused(&format!(
            "it takes more than {MAX_TEXT} octets with quotes and escapes"
        )));
    }
    if let Some(name) = names_host(rtype).then(|| written.content.rsplit(' ').next()).flatten() {
        let plain =
            |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'@' | b'"' | b';' | b'(' | b')');
        if !name.bytes().all(plain) {
            return Err(refused(&format!(
                "`{name}` is no name of a host; use letters, digits, - and _, and punycode (xn--) for other letters"
            )));
        }
    }
    Ok(written)
}

/// Whether the value ends with a name.
fn names_host(rtype: &str) -> bool {
    matches!(rtype, "CNAME" | "NS" | "PTR" | "MX" | "SRV" | "NAPTR")
}

/// Completes the last of so many words as a target; another number of words stays for the reader to complain about.
fn last_completed(words: &str, count: usize, zone: &DomainName) -> String {
    let mut words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
    let completed = words.last().map(|last| target(last, zone));
    match completed.as_deref().filter(|_| words.len() == count) {
        Some(completed) => {
            words.pop();
            words.push(completed);
            words.join(" ")
        }
        None => words.join(" "),
    }
}

/// A NAPTR's content and preference. The value is `order preference "flags" "service" "regexp" replacement`; the
/// preference may be left out when the priority says it (B122).
fn naptr(value: &str, priority: u16, before: u16, zone: &DomainName) -> (String, u16) {
    let value = value.trim();
    let Some((order, rest)) = value.split_once(char::is_whitespace) else {
        return (value.to_owned(), priority);
    };
    let rest = rest.trim_start();
    let (preference, rest) = if rest.starts_with('"') {
        (priority, rest)
    } else {
        let (word, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        match word.parse() {
            Ok(own) if priority == 0 || priority == before => (own, rest),
            Ok(_) => (priority, rest),
            // The reader says what is wrong with it.
            Err(_) => return (value.to_owned(), 0),
        }
    };
    let rest = rest.trim();
    // The replacement stands behind the last string; a quote can be its end only.
    let (strings, replacement) = rest.rsplit_once([' ', '\t']).unwrap_or((rest, ""));
    let replacement = if replacement.contains('"') {
        replacement.to_owned()
    } else {
        completed(replacement, zone)
    };
    (
        format!("{order} {preference} {} {replacement}", strings.trim_end()).trim_end().to_owned(),
        preference,
    )
}

fn completed(name: &str, zone: &DomainName) -> String {
    if name.is_empty() { String::new() } else { target(name, zone) }
}

/// The value of a fancy record (B125): where visitors or mail go.
///
/// # Errors
///
/// 7004 with what is wrong with it.
pub fn fancy_value(rtype: &str, value: &str) -> Result<String, Fault> {
    let value = value.trim();
    let refused =
        |why: &str| Err(invalid(format!("record.value `{value}` of the {rtype} record {why}")));
    if value.len() > MAX_TEXT {
        return Err(invalid(format!("record.value has more than {MAX_TEXT} octets")));
    }
    if value.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return refused("holds white space or a control character");
    }
    if rtype == "URL" {
        let host = match value.split_once("://") {
            Some((scheme, rest))
                if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") =>
            {
                rest
            }
            Some(_) => return refused("must begin with http:// or https://"),
            None => value,
        };
        if host.is_empty() || host.starts_with(['/', '?', '#']) {
            return refused("names no host; send an address such as https://www.example.com/");
        }
    } else {
        let parts = value.rsplit_once('@');
        let is_address = parts.is_some_and(|(local, domain)| {
            !local.is_empty() && !local.contains('@') && DomainName::new(domain).is_ok()
        });
        if !is_address {
            return refused("is no mail address such as user@example.com");
        }
    }
    Ok(value.to_owned())
}

/// The name of a mail forwarding, `user@domain` with the domain in the zone (B125); a name without @ lies at the apex.
///
/// # Errors
///
/// 7004 for what is no mailbox in the zone.
pub fn mailbox(given: &str, zone: &DomainName) -> Result<String, Fault> {
    let given = given.trim();
    let (local, domain) = given.rsplit_once('@').unwrap_or((given, ""));
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && c != '@';
    if local.is_empty() || !local.chars().all(plain) {
        let text = format!("record.name `{given}` is no mailbox; send user@{zone}");
        return Err(invalid(text));
    }
    let lower = domain.to_ascii_lowercase();
    let domain = match lower.strip_suffix('.').unwrap_or(&lower) {
        "" => zone.as_str(),
        domain => domain,
    };
    if !within(domain, zone.as_str()) || DomainName::new(domain).is_err() {
        return Err(invalid(format!("record.name `{given}` is no mailbox in the zone {zone}")));
    }
    Ok(format!("{}@{domain}", local.to_lowercase()))
}

/// The digest of what makes a record a duplicate (B119): zone, name, type, content, and the priority of MX and SRV
/// (NAPTR has it in its content).
#[must_use]
pub fn key(zone: &DomainName, name: &str, rtype: &str, content: &str, priority: u16) -> String {
    let mut digest = Sha256::new();
    for part in [zone.as_str(), name, rtype, content, &priority.to_string()] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    digest.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
