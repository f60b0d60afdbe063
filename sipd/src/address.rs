//! An address, one of its ports, or a network, as operators name them.

use ngn_daemon::prefix::Prefix;
use std::net::SocketAddr;
use std::str::FromStr;

/// Which addresses are meant: `192.0.2.7`, `192.0.2.7:5060`, `[2001:db8::7]:5060`, `192.0.2.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    prefix: Prefix,
    port: Option<u16>,
}

impl Addresses {
    /// Whether an address is among them; IPv4 addresses that are written as IPv6 ones are IPv4 addresses.
    #[must_use]
    pub fn hold(&self, address: SocketAddr) -> bool {
        self.port.is_none_or(|port| port == address.port()) && self.prefix.contains(address.ip())
    }
}

impl FromStr for Addresses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(address) = text.parse::<SocketAddr>() {
            let prefix = Prefix::from(address.ip().to_canonical());
            return Ok(Self { prefix, port: Some(address.port()) });
        }
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        let prefix = bare.parse().map_err(|_| {
            format!(
                "`{text}` is no address; write 192.0.2.7, 192.0.2.7:5060, [2001:db8::7]:5060 or 192.0.2.0/24"
            )
        })?;
        Ok(Self { prefix, port: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_ports_and_networks() {
        for (named, held, not_held) in [
            ("192.0.2.7", "192.0.2.7:1", "192.0.2.8:1"),
            ("192.0.2.7", "[::ffff:192.0.2.7]:1", "[2001:db8::7]:1"),
            ("192.0.2.7:5060", "192.0.2.7:5060", "192.0.2.7:5061"),
            ("192.0.2.0/24", "192.0.2.255:9", "192.0.3.0:9"),
            ("192.0.2.9/24", "192.0.2.255:9", "192.0.3.0:9"),
            ("0.0.0.0/0", "203.0.113.1:9", "[2001:db8::7]:1"),
            ("2001:db8::/32", "[2001:db8:ffff::1]:1", "[2001:db9::1]:1"),
            ("[2001:db8::7]:5061", "[2001:db8::7]:5061", "[2001:db8::7]:5060"),
            ("[2001:db8::7]", "[2001:db8::7]:5061", "[2001:db8::8]:5060"),
        ] {
            let addresses: Addresses = named.parse().expect("addresses");
            assert!(addresses.hold(held.parse().expect("an address")), "{named} {held}");
            assert!(!addresses.hold(not_held.parse().expect("an address")), "{named} {not_held}");
        }
        for wrong in ["", "a.example", "192.0.2.0/33", "192.0.2.7:99999", "2001:db8::/129"] {
            let error = wrong.parse::<Addresses>().expect_err("no address");
            assert!(error.contains(wrong) && error.contains("192.0.2.0/24"), "{error}");
        }
    }
}
