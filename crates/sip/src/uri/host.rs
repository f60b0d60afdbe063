//! Hosts in URIs and Via header fields.

use crate::header::scan::Octets;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host name or address (`host` of RFC 3261 section 25.1, IPv6 as in RFC 5954).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// A host name, as written.
    Name(String),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address; brackets are added when it is printed.
    V6(Ipv6Addr),
}

impl Host {
    /// Reads a host; IPv6 addresses stand in brackets.
    ///
    /// Host names are taken liberally: `_` occurs in the field, and so does a final dot.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(address) = Self::read_address(text) {
            return Some(address.into());
        }
        is_name(text).then(|| Self::Name(text.to_owned()))
    }

    /// Reads a host that is an address, or none.
    pub(crate) fn read_address(text: &str) -> Option<IpAddr> {
        if let Some(inner) = text.strip_prefix('[') {
            return read_v6(inner.strip_suffix(']')?).map(IpAddr::V6);
        }
        let may_be_address = text.as_bytes().first().is_some_and(u8::is_ascii_digit);
        if may_be_address { text.parse().ok().map(IpAddr::V4) } else { None }
    }

    /// Whether a text is a host.
    pub(crate) fn is_host(text: &str) -> bool {
        Self::read_address(text).is_some() || is_name(text)
    }

    /// Whether a text, which is a host, names this one, as [`matches`](Self::matches) says.
    pub(crate) fn is_named(&self, text: &str) -> bool {
        match self {
            Self::Name(name) => is_same_name(name, text),
            Self::V4(_) | Self::V6(_) => self.ip() == Self::read_address(text),
        }
    }

    /// The address, when the host is one.
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::V4(address) => Some(IpAddr::V4(*address)),
            Self::V6(address) => Some(IpAddr::V6(*address)),
        }
    }

    /// Whether both name the same host: names without case, addresses by value (RFC 5954 section 4.2).
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => is_same_name(a, b),
            (a, b) => a == b,
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(address),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(address) => write!(f, "{address}"),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// Reads an IPv6 address without brackets.
///
/// The grammar of RFC 3261 produced three colons before an embedded IPv4 address, which elements should
/// accept (RFC 5118 section 4.10).
pub(crate) fn read_v6(text: &str) -> Option<Ipv6Addr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    if text.len() > 64 || !text.contains(":::") || text.contains("::::") {
        return None;
    }
    text.replacen(":::", "::", 1).parse().ok()
}

static NAME: Octets = Octets::alphanumeric_and(b"_");

fn is_same_name(a: &str, b: &str) -> bool {
    let [a, b] = [a, b].map(|name| name.strip_suffix('.').unwrap_or(name));
    a.eq_ignore_ascii_case(b)
}

/// Labels of letters, digits, `-` and `_`; the last one does not begin with a digit unless the name has
/// letters there, so that a broken IPv4 address is not taken for a name.
fn is_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.is_empty() || name.len() > 253 {
        return false;
    }
    // No label begins or ends with `-`, and none is empty.
    let (mut before, mut is_number) = (b'.', true);
    for byte in name.bytes() {
        let fits = match byte {
            b'.' => !matches!(before, b'.' | b'-'),
            b'-' => before != b'.',
            _ => NAME.has(byte),
        };
        if !fits {
            return false;
        }
        is_number = byte == b'.' || (is_number && byte.is_ascii_digit());
        before = byte;
    }
    !matches!(before, b'.' | b'-') && !is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_and_addresses() {
        for (text, printed) in [
            ("example.com", Some("example.com")),
            ("example.com.", Some("example.com.")),
            ("a_b.example", Some("a_b.example")),
            ("localhost", Some("localhost")),
            ("3com.com", Some("3com.com")),
            ("192.0.2.1", Some("192.0.2.1")),
            ("[2001:DB8::1]", Some("[2001:db8::1]")),
            ("[::ffff:192.0.2.10]", Some("[::ffff:192.0.2.10]")),
            ("[2001:db8:::192.0.2.1]", Some("[2001:db8::c000:201]")),
            ("[2001:db8::1", None),
            ("2001:db8::1", None),
            ("[]", None),
            ("", None),
            ("a..b", None),
            ("-a", None),
            ("192.0.2.256", None),
            ("1.2.3", None),
            ("exa mple", None),
            ("ex\u{e4}mple.com", None),
        ] {
            assert_eq!(Host::parse(text).map(|h| h.to_string()).as_deref(), printed, "{text}");
        }
    }

    #[test]
    fn compares_by_meaning() {
        let host = |text| Host::parse(text).expect("a host");
        for (a, b, same) in [
            ("Example.COM", "example.com.", true),
            ("[2001:db8::1]", "[2001:0DB8:0::1]", true),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "example.com", false),
            ("example.com", "192.0.2.1", false),
        ] {
            assert_eq!(host(a).is_named(b), same, "{a} {b}");
            assert_eq!(host(a).matches(&host(b)), same, "{a} {b}");
        }
    }
}
