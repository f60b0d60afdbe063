//! Members of trusted peers, gateways, their rules and routes: syntax, limits and defaults (B131-B135, B145-B147).

use ngn_model::pstn::DEFAULT_PORT;
use ngn_model::{DomainName, GatewayTransport};
use ngn_soap::Fault;
use ngn_soap::fault::code;
use std::net::IpAddr;

/// The most digits that can be stripped, stand in a prefix or be asked of a number's length.
const MAX_DIGITS: i64 = 64;
/// The longest name, in characters.
const MAX_NAME: usize = 255;

fn missing(member: &str, what: &str) -> Fault {
    Fault::client(code::MISSING_ARGUMENT, format!("{member} is missing; send {what}"))
}

/// Reads a name that has to be there; spaces around it do not count.
///
/// # Errors
///
/// 9001 when it is missing or empty, 9000 when it is too long.
pub fn read_name(name: Option<&str>, member: &str) -> Result<String, Fault> {
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| missing(member, "a name of 1 to 255 characters"))?;
    if name.chars().count() > MAX_NAME {
        return Err(Fault::invalid(member, "the name is longer than 255 characters"));
    }
    Ok(name.to_owned())
}

/// Reads an id of a record that has to be there; 0 is none.
///
/// # Errors
///
/// 9001 when it is missing or 0, 9000 when it is negative.
pub fn read_id(id: Option<i64>, member: &str) -> Result<i64, Fault> {
    match id {
        Some(id) if id > 0 => Ok(id),
        None | Some(0) => Err(missing(member, "the id that the server gave to the record")),
        Some(id) => Err(Fault::invalid(member, format!("{id} is no id; ids are 1 or more"))),
    }
}

/// Reads where a gateway or a peer is: an address, with or without brackets, comes back in its shortest form, a host
/// name in lower case (B134, B145).
///
/// # Errors
///
/// 9001 when it is missing, 9000 when it is neither.
pub fn read_host(host: Option<&str>, member: &str) -> Result<String, Fault> {
    let host = host.map(str::trim).filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| missing(member, "an IP address or a host name"))?;
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(address.to_canonical().to_string());
    }
    // A host name does not end in a label of digits alone (RFC 1123 section 2.1): that is a mistyped address.
    let numeric = host.rsplit('.').find(|label| !label.is_empty());
    let numeric = numeric.is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
    match DomainName::new(host) {
        Ok(name) if !numeric => Ok(name.to_string()),
        _ => Err(Fault::invalid(
            member,
            format!(
                "`{host}` is neither an IP address nor a host name; send one without port or mask"
            ),
        )),
    }
}

/// Reads a port; nothing and 0 mean 5060 (B134).
///
/// # Errors
///
/// 9000 above 65535 and below 0.
pub fn read_port(port: Option<i32>, member: &str) -> Result<u16, Fault> {
    match port.unwrap_or(0) {
        0 => Ok(DEFAULT_PORT),
        port => u16::try_from(port)
            .map_err(|_| Fault::invalid(member, format!("{port} is no port; send 1 to 65535"))),
    }
}

/// Reads a gateway's transport; nothing means UDP (B134).
///
/// # Errors
///
/// 9000 when it is another one than udp, tcp and tls.
pub fn read_transport(transport: Option<&str>, member: &str) -> Result<GatewayTransport, Fault> {
    match transport.map(str::trim).filter(|name| !name.is_empty()) {
        None => Ok(GatewayTransport::default()),
        Some(name) => GatewayTransport::from_name(name).ok_or_else(|| {
            Fault::invalid(member, format!("`{name}` is no transport; send udp, tcp or tls"))
        }),
    }
}

/// Reads the prefix that numbers are compared with; empty matches every number (B131).
///
/// # Errors
///
/// 9000 when it is not 0 to 64 digits.
pub fn read_prefix(prefix: Option<&str>, member: &str) -> Result<String, Fault> {
    let prefix = prefix.unwrap_or_default().trim();
    if prefix.len() > 64 || !prefix.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Fault::invalid(
            member,
            format!(
                "`{prefix}` is no prefix; send digits only, 00 and the country code first, such as 0031"
            ),
        ));
    }
    Ok(prefix.to_owned())
}

/// Reads what is put in front of a number: digits, also `+`, `*` and `#`.
///
/// # Errors
///
/// 9000 when it holds anything else or more than 64 of them.
pub fn read_prepend(prepend: Option<&str>, member: &str) -> Result<String, Fault> {
    let prepend = prepend.unwrap_or_default().trim();
    let dialled = |b: u8| b.is_ascii_digit() || b"+*#".contains(&b);
    if prepend.len() > 64 || !prepend.bytes().all(dialled) {
        return Err(Fault::invalid(
            member,
            format!("`{prepend}` cannot stand before a number; send up to 64 of 0-9 + * #"),
        ));
    }
    Ok(prepend.to_owned())
}

/// Reads a count of digits; nothing means 0.
///
/// # Errors
///
/// 9000 below 0 and above 64.
pub fn read_digits(count: Option<i32>, member: &str) -> Result<i64, Fault> {
    let count = i64::from(count.unwrap_or(0));
    if (0..=MAX_DIGITS).contains(&count) {
        return Ok(count);
    }
    Err(Fault::invalid(member, format!("{count} is no count of digits; send 0 to {MAX_DIGITS}")))
}

/// Reads whose calls a route is for, in lower case; empty means everybody's (B132).
///
/// # Errors
///
/// 9000 when it is too long or holds spaces.
pub fn read_originator(originator: Option<&str>, member: &str) -> Result<String, Fault> {
    let originator = originator.unwrap_or_default().trim().to_lowercase();
    if originator.chars().count() > 255 || originator.contains(char::is_whitespace) {
        return Err(Fault::invalid(
            member,
            "an originator is a domain, an account or the originator of a trusted peer: up to 255 \
             characters without spaces",
        ));
    }
    Ok(originator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b134_b145_hosts() {
        for (text, expected) in [
            ("192.0.2.1", Some("192.0.2.1")),
            (" [2001:DB8::0:1] ", Some("2001:db8::1")),
            ("2001:db8:0:0::1", Some("2001:db8::1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("SIP.Example.COM", Some("sip.example.com")),
            ("192.0.2.300", None),
            ("192.0.2.0/24", None),
            ("192.0.2.1:5060", None),
            ("a b", None),
            ("sip:gw.example.com", None),
        ] {
            assert_eq!(read_host(Some(text), "ip").ok().as_deref(), expected, "{text}");
        }
        for nothing in [None, Some(" ")] {
            assert_eq!(read_host(nothing, "ip").map_err(|f| f.code), Err(code::MISSING_ARGUMENT));
        }
    }

    #[test]
    fn b134_ports_and_transports() {
        let port = |port| read_port(port, "port").ok();
        assert_eq!([port(None), port(Some(0)), port(Some(5070))], [5060, 5060, 5070].map(Some));
        assert_eq!([port(Some(-1)), port(Some(65536))], [None, None]);
        let transport = |name| read_transport(name, "transport").ok().map(GatewayTransport::as_str);
        assert_eq!([transport(None), transport(Some(""))], [Some("udp"), Some("udp")]);
        assert_eq!([transport(Some("TLS")), transport(Some("ws"))], [Some("tls"), None]);
    }

    #[test]
    fn b131_b135_digits() {
        let prefix = |text| read_prefix(Some(text), "prefix").is_ok();
        assert_eq!(
            ["", "0031", "+31", "00 31", "0031%"].map(prefix),
            [true, true, false, false, false]
        );
        assert!(!prefix(&"0".repeat(65)));
        let prepend = |text| read_prepend(Some(text), "prepend").is_ok();
        assert_eq!(["", "+", "1234#", "sip:"].map(prepend), [true, true, true, false]);
        let digits = |count| read_digits(count, "strip").ok();
        assert_eq!(
            [digits(None), digits(Some(64)), digits(Some(65)), digits(Some(-1))],
            [Some(0), Some(64), None, None]
        );
        let id = |id| read_id(id, "id").map_err(|fault| fault.code);
        assert_eq!(
            [id(Some(7)), id(Some(0)), id(None), id(Some(-1))],
            [
                Ok(7),
                Err(code::MISSING_ARGUMENT),
                Err(code::MISSING_ARGUMENT),
                Err(code::INVALID_ARGUMENT)
            ]
        );
    }
}
