//! Members of SIP accounts, aliases and domains: syntax, limits and defaults.

use ngn_model::aor::AorError;
use ngn_model::{Aor, DomainName};
use ngn_soap::Fault;
use ngn_soap::fault::code;
use ngn_soap::types::{SipId, SubscriberACL};
use std::net::IpAddr;

/// The username with which a caller asks the server to choose one (B54).
pub const AUTOINCREMENT: &str = "<autoincrement>";

/// The longest no-answer timeout, in seconds (B56).
pub const MAX_TIMEOUT: u32 = 900;

/// What the key of a new account asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewId {
    /// This address.
    Given(Aor),
    /// The next free numeric username of the domain.
    Autoincrement(DomainName),
}

/// Reads the key of an account or alias that should exist. `member` names it in faults, such as `sipId`.
///
/// # Errors
///
/// 9001 when it or a part of it is missing, 1012 when it cannot be an address.
pub fn read_id(id: Option<&SipId>, member: &str) -> Result<Aor, Fault> {
    let missing = |part: &str| {
        Fault::client(
            code::MISSING_ARGUMENT,
            format!("{member}{part} is missing; send username and domain of the SIP address"),
        )
    };
    let id = id.ok_or_else(|| missing(""))?;
    let part = |value: &Option<String>| value.clone().filter(|text| !text.trim().is_empty());
    let username = part(&id.username).ok_or_else(|| missing(".username"))?;
    let domain = part(&id.domain).ok_or_else(|| missing(".domain"))?;
    Aor::new(&username, &domain).map_err(|error| match error {
        AorError::Username(name) => Fault::client(
            code::SIP_ID_INVALID,
            format!(
                "{member}.username `{name}` cannot be a SIP user name; use 1 to 64 letters, digits or \
                 any of . _ - + ~ ! * ' ( ) & = $ , #"
            ),
        ),
        AorError::Domain(error) => invalid_domain(&format!("{member}.domain"), &error),
        AorError::Shape(text) => Fault::client(
            code::SIP_ID_INVALID,
            format!("{member} `{text}` is not of the form user@domain"),
        ),
    })
}

/// Reads the key of an account to be added (B53, B54).
///
/// # Errors
///
/// As [`read_id`].
pub fn read_new_id(id: Option<&SipId>, member: &str) -> Result<NewId, Fault> {
    match id {
        Some(SipId { username: Some(username), domain }) if username == AUTOINCREMENT => {
            read_domain(domain.as_deref(), &format!("{member}.domain")).map(NewId::Autoincrement)
        }
        _ => read_id(id, member).map(NewId::Given),
    }
}

/// Reads the name of a SIP domain (B50, B51).
///
/// # Errors
///
/// 9001 when it is missing, 1012 when it cannot be a name.
pub fn read_domain(name: Option<&str>, member: &str) -> Result<DomainName, Fault> {
    let name = name.map(str::trim).filter(|name| !name.is_empty()).ok_or_else(|| {
        Fault::client(
            code::MISSING_ARGUMENT,
            format!("{member} is missing; send the name of the SIP domain"),
        )
    })?;
    DomainName::new(name).map_err(|error| invalid_domain(member, &error))
}

fn invalid_domain(member: &str, error: &ngn_model::domain_name::DomainNameError) -> Fault {
    Fault::client(
        code::SIP_ID_INVALID,
        format!("{member}: {error}; use letters, digits, - and dots, such as sip.example.com"),
    )
}

/// The next username after the highest purely numeric one of a domain (B54).
#[must_use]
pub fn next_username(highest: Option<u64>) -> String {
    highest.map_or(1, |number| number.saturating_add(1)).to_string()
}

/// The no-answer timeout that is stored: what was sent, at most [`MAX_TIMEOUT`] (B56).
#[must_use]
pub fn bounded_timeout(timeout: Option<u32>) -> Option<u32> {
    timeout.filter(|seconds| *seconds > 0).map(|seconds| seconds.min(MAX_TIMEOUT))
}

/// Checks a number that may not be negative, such as a quota or a call limit (B70, B76).
///
/// # Errors
///
/// 9000 below zero.
pub fn check_not_negative(value: Option<i32>, member: &str) -> Result<Option<i32>, Fault> {
    match value {
        Some(number) if number < 0 => {
            Err(Fault::invalid(member, format!("{number} is negative; send 0 or more, 0 for none")))
        }
        other => Ok(other),
    }
}

/// Checks a list of networks (B77): IPv4 with a mask of 0 to 32, IPv6 with one of 0 to 128. An entry without a mask
/// is a single host; an empty tag is none.
///
/// # Errors
///
/// 9000 naming the first entry that is wrong.
pub fn check_acl(acl: &[SubscriberACL]) -> Result<Vec<SubscriberACL>, Fault> {
    acl.iter()
        .enumerate()
        .map(|(index, entry)| {
            let text = entry.ip.as_deref().unwrap_or_default().trim();
            let ip: IpAddr = text.parse().map_err(|_| {
                Fault::invalid(
                    format_args!("account.acl[{index}].ip"),
                    format!("`{text}` is not an IP address"),
                )
            })?;
            let longest = if ip.is_ipv4() { 32 } else { 128 };
            let mask = entry.mask.unwrap_or(longest);
            if !(0..=longest).contains(&mask) {
                return Err(Fault::invalid(
                    format_args!("account.acl[{index}].mask"),
                    format!("{mask} is not between 0 and {longest}"),
                ));
            }
            let tag = entry.tag.clone().filter(|tag| !tag.is_empty());
            Ok(SubscriberACL { ip: Some(ip.to_string()), mask: Some(mask), tag })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(username: &str, domain: &str) -> SipId {
        SipId { username: Some(username.to_owned()), domain: Some(domain.to_owned()) }
    }

    #[test]
    fn keys_of_accounts() {
        let code_of = |id: Option<&SipId>| read_id(id, "sipId").map_err(|fault| fault.code);
        assert_eq!(
            code_of(Some(&id("Alice", "Example.COM"))).map(|aor| aor.to_string()),
            Ok("alice@example.com".to_owned())
        );
        assert_eq!(code_of(None), Err(code::MISSING_ARGUMENT));
        assert_eq!(code_of(Some(&SipId::default())), Err(code::MISSING_ARGUMENT));
        assert_eq!(code_of(Some(&id("alice", ""))), Err(code::MISSING_ARGUMENT));
        assert_eq!(code_of(Some(&id("a b", "example.com"))), Err(code::SIP_ID_INVALID));
        assert_eq!(code_of(Some(&id("alice", "exa mple"))), Err(code::SIP_ID_INVALID));
        assert_eq!(code_of(Some(&id(AUTOINCREMENT, "example.com"))), Err(code::SIP_ID_INVALID));
    }

    #[test]
    fn b54_autoincrement() {
        let new = read_new_id(Some(&id(AUTOINCREMENT, "Example.com")), "account.id");
        let domain = DomainName::new("example.com").expect("a name");
        assert_eq!(new, Ok(NewId::Autoincrement(domain)));
        assert_eq!(next_username(None), "1");
        assert_eq!(next_username(Some(31_208_005_169)), "31208005170");
    }

    #[test]
    fn b56_b70_limits() {
        assert_eq!(bounded_timeout(Some(20)), Some(20));
        assert_eq!(bounded_timeout(Some(901)), Some(900));
        assert_eq!(bounded_timeout(Some(0)), None);
        assert_eq!(check_not_negative(None, "account.quota"), Ok(None));
        assert!(check_not_negative(Some(-1), "account.quota").is_err());
    }

    #[test]
    fn b77_networks() {
        let entry = |ip: &str, mask: Option<i32>, tag: Option<&str>| SubscriberACL {
            ip: Some(ip.to_owned()),
            mask,
            tag: tag.map(str::to_owned),
        };
        for (given, good) in [
            (entry("192.0.2.0", Some(24), None), true),
            (entry("192.0.2.0", Some(33), None), false),
            (entry("2001:db8::", Some(64), None), true),
            (entry("2001:db8::", Some(129), None), false),
            (entry("192.0.2", Some(24), None), false),
            (SubscriberACL::default(), false),
        ] {
            assert_eq!(check_acl(std::slice::from_ref(&given)).is_ok(), good, "{given:?}");
        }
        let read = check_acl(&[entry("192.0.2.1", None, Some(""))]).expect("a host");
        assert_eq!(read, [entry("192.0.2.1", Some(32), None)]);
    }
}
