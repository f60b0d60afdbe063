//! An address, one of its ports, or a network, as operators name them.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// Which addresses are meant: `192.0.2.7`, `192.0.2.7:5060`, `[2001:db8::7]:5060`, `192.0.2.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    base: IpAddr,
    /// How many leading bits count.
    bits: u32,
    port: Option<u16>,
}

impl Addresses {
    /// Whether an address is among them; IPv4 addresses that are written as IPv6 ones are IPv4 addresses.
    #[must_use]
    pub fn hold(&self, address: SocketAddr) -> bool {
        if self.port.is_some_and(|port| port != address.port()) {
            return false;
        }
        let (differ, width) = match (self.base, address.ip().to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits() ^ b.to_bits()), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits(), 128),
            _ => return false,
        };
        differ.checked_shr(width - self.bits.min(width)).unwrap_or(0) == 0
    }
}

impl FromStr for Addresses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = || {
            format!(
                "`{text}` is no address; write 192.0.2.7, 192.0.2.7:5060, [2001:db8::7]:5060 or 192.0.2.0/24"
            )
        };
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self {
                base: address.ip().to_canonical(),
                bits: 128,
                port: Some(address.port()),
            });
        }
        let (base, bits) = match text.split_once('/') {
            Some((base, bits)) => (base, Some(bits)),
            None => (text, None),
        };
        let base = base.trim_start_matches('[').trim_end_matches(']');
        let base = base.parse::<IpAddr>().map_err(|_| wrong())?.to_canonical();
        let width = if base.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => width,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= width).ok_or_else(wrong)?,
        };
        Ok(Self { base, bits, port: None })
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
