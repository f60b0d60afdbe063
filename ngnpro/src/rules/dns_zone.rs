//! Attributes of DNS zones and the SOA record made of them (B115-B117, B120, B127, B129a).

use crate::rules::dns_record;
use ngn_dns::rdata;
use ngn_model::DomainName;
use ngn_soap::Fault;
use ngn_soap::fault::code;

/// Time to live in seconds of zones and records that say nothing or 0 (B115, B123).
pub const DEFAULT_TTL: u32 = 3_600;
/// Default refresh, retry, expire and minimum of an SOA, in seconds (B115).
pub const DEFAULT_TIMES: [u32; 4] = [14_400, 3_600, 604_800, 300];
/// The longest time in DNS, in seconds (RFC 2181 section 8).
pub const MAX_SECONDS: u32 = 2_147_483_647;

/// Reads the name of a zone (B115): lower case, without final dot. `member` names it in faults, such as `zone.name`.
///
/// # Errors
///
/// 9001 when it is missing, 9000 when it cannot be a name.
pub fn read_name(name: Option<&str>, member: &str) -> Result<DomainName, Fault> {
    let name = name.map(str::trim).filter(|name| !name.is_empty()).ok_or_else(|| {
        let text = format!("{member} is missing; send the name of the DNS zone");
        Fault::client(code::MISSING_ARGUMENT, text)
    })?;
    DomainName::new(name).map_err(|error| {
        let text = format!(
            "{member}: {error}; use letters, digits and hyphens between dots, and punycode (xn--) for other letters"
        );
        Fault::client(code::INVALID_ARGUMENT, text)
    })
}

/// A time to live: nothing and 0 stand for the default (B115, B123).
///
/// # Errors
///
/// 9000 when it is longer than DNS can say.
pub fn ttl(given: Option<u32>, member: &str) -> Result<u32, Fault> {
    match given {
        None | Some(0) => Ok(DEFAULT_TTL),
        Some(ttl) if ttl <= MAX_SECONDS => Ok(ttl),
        Some(ttl) => Err(Fault::client(
            code::INVALID_ARGUMENT,
            format!(
                "{member} {ttl} is longer than DNS can say; send at most {MAX_SECONDS} seconds"
            ),
        )),
    }
}

/// One of the SOA's times: nothing stands for the default, and so does 0 where 0 makes no sense (not for the minimum).
///
/// # Errors
///
/// 9000 when it is negative.
pub fn time(given: Option<i32>, default: u32, zero: bool, member: &str) -> Result<u32, Fault> {
    match given {
        None => Ok(default),
        Some(0) if !zero => Ok(default),
        Some(seconds) => u32::try_from(seconds).map_err(|_| {
            let text =
                format!("{member} {seconds} is negative; send seconds, or nothing for {default}");
            Fault::client(code::INVALID_ARGUMENT, text)
        }),
    }
}

/// The name servers of a zone: empty strings and duplicates dropped, relative names completed (B121).
///
/// # Errors
///
/// 9000 for what is no name.
pub fn nameservers(given: &[String], zone: &DomainName) -> Result<Vec<String>, Fault> {
    let mut names: Vec<String> = Vec::new();
    for given in given.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        let completed = dns_record::target(given, zone);
        let name = DomainName::new(&completed).map_err(|error| {
            let text =
                format!("zone.nameservers: {error}; send host names such as ns1.example.net");
            Fault::client(code::INVALID_ARGUMENT, text)
        })?;
        if !names.iter().any(|known| known == name.as_str()) {
            names.push(name.to_string());
        }
    }
    Ok(names)
}

/// The content of a zone's SOA record (B129a): mname is the first name server, rname the mail address. A zone without
/// name servers names itself. `times` are refresh, retry, expire and minimum.
///
/// # Errors
///
/// 9000 when the address cannot be written as a name.
pub fn soa(
    zone: &DomainName,
    nameservers: &[String],
    email: &str,
    serial: u32,
    times: [u32; 4],
) -> Result<String, Fault> {
    let mname = nameservers.first().map_or(zone.as_str(), String::as_str);
    let refused = |why: &str| {
        let text = format!("zone.email `{email}` {why}; send an address such as hostmaster@{zone}");
        Fault::client(code::INVALID_ARGUMENT, text)
    };
    let rname = rname(email).ok_or_else(|| refused("is no mail address"))?;
    let [refresh, retry, expire, minimum] = times;
    let content = format!("{mname} {rname} {serial} {refresh} {retry} {expire} {minimum}");
    match rdata::encode("SOA", &content, 0) {
        Ok(_) => Ok(content),
        Err(error) => Err(refused(&format!("cannot stand in an SOA record ({error})"))),
    }
}

/// A mail address as a name: the dots before the @ escaped (RFC 1035 section 8).
fn rname(email: &str) -> Option<String> {
    let (local, domain) = email.rsplit_once('@')?;
    let domain = DomainName::new(domain).ok()?;
    let plain =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'@' | b'"' | b';' | b'(' | b')');
    if local.is_empty() || !local.bytes().all(plain) {
        return None;
    }
    let local = local.replace('\\', "\\\\").replace('.', "\\.");
    Some(format!("{local}.{domain}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> DomainName {
        DomainName::new("example.com").unwrap()
    }

    #[test]
    fn b115_names() {
        assert_eq!(read_name(Some("Example.COM."), "zone").unwrap(), zone());
        for (name, code) in
            [(None, 9001), (Some(" "), 9001), (Some("."), 9000), (Some("a..b"), 9000)]
        {
            assert_eq!(read_name(name, "zone").unwrap_err().code, code, "{name:?}");
        }
    }

    #[test]
    fn b115_b123_times() {
        for (given, expected) in
            [(None, Some(3600)), (Some(0), Some(3600)), (Some(1), Some(1)), (Some(1 << 31), None)]
        {
            assert_eq!(ttl(given, "ttl").ok(), expected, "{given:?}");
        }
        for (given, zero, expected) in [
            (None, false, Some(7)),
            (Some(0), false, Some(7)),
            (Some(0), true, Some(0)),
            (Some(-1), true, None),
        ] {
            assert_eq!(time(given, 7, zero, "retry").ok(), expected, "{given:?}");
        }
    }

    #[test]
    fn b121_name_servers() {
        let given = ["ns1", "NS2.example.net.", "", "ns1.example.com"].map(str::to_owned);
        assert_eq!(nameservers(&given, &zone()).unwrap(), ["ns1.example.com", "ns2.example.net"]);
        assert_eq!(
            nameservers(&["a b".to_owned()], &zone()).unwrap_err().code,
            code::INVALID_ARGUMENT
        );
    }

    #[test]
    fn b129a_soa() {
        let servers = ["ns1.example.net".to_owned()];
        let content =
            |email: &str, servers: &[String]| soa(&zone(), servers, email, 7, DEFAULT_TIMES);
        assert_eq!(
            content("first.last@Example.org", &servers).unwrap(),
            r"ns1.example.net first\.last.example.org 7 14400 3600 604800 300"
        );
        assert!(content("h@a", &[]).unwrap().starts_with("example.com h.a 7 "));
        let long = format!("{}@example.com", "a".repeat(64));
        for email in ["", "nobody", "@a", "a b@c", "a@", "a@b c", "é@a", long.as_str()] {
            assert_eq!(
                content(email, &servers).unwrap_err().code,
                code::INVALID_ARGUMENT,
                "{email}"
            );
        }
    }
}
