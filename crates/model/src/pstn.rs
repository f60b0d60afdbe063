//! Carriers, gateways, gateway rules and routes: where calls to telephone numbers go (B130-B136).
//!
//! A route leads a prefix to a carrier, a carrier has gateways, and a gateway has rules that rewrite the number.
//! All belong to the reseller of the carrier, 0 for the platform (B17, B133): only [`Carrier`] holds it.
//!
//! Numbers are in the form `00` and country code (B131).

use crate::CustomerId;
use std::fmt;

/// The port of a gateway that names none (B134).
pub const DEFAULT_PORT: u16 = 5060;

/// The transport towards a gateway (B134).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum GatewayTransport {
    /// UDP.
    #[default]
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

impl GatewayTransport {
    /// The name, as it is stored and as a URI's `transport` parameter has it (RFC 3261 section 19.1.1).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    /// Reads a name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls]
            .into_iter()
            .find(|t| t.as_str().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for GatewayTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A carrier: a set of gateways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carrier {
    /// Its id.
    pub id: i64,
    /// Its name, unique within its reseller.
    pub name: String,
    /// The reseller for whose callers its routes are, 0 for the platform's default (B133).
    pub reseller: CustomerId,
}

/// A gateway of a carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// Its id.
    pub id: i64,
    /// Its carrier.
    pub carrier_id: i64,
    /// Its name, unique within its carrier.
    pub name: String,
    /// Transport.
    pub transport: GatewayTransport,
    /// Address, without brackets also for IPv6, or host name.
    pub host: String,
    /// Port, 1 to 65535.
    pub port: u16,
}

/// How a gateway wants numbers (B135).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayRule {
    /// Its id.
    pub id: i64,
    /// Its gateway.
    pub gateway_id: i64,
    /// The digits that a number must begin with; empty for every number.
    pub prefix: String,
    /// How many leading digits are removed.
    pub strip: u32,
    /// What is then put in front.
    pub prepend: String,
    /// The fewest digits of a number, 0 for no limit.
    pub min_length: u32,
    /// The most digits of a number, 0 for no limit.
    pub max_length: u32,
}

/// Leads the numbers of a prefix to a carrier (B131, B132).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its id.
    pub id: i64,
    /// Its carrier, whose reseller it has.
    pub carrier_id: i64,
    /// The digits that a number must begin with; empty for every number.
    pub prefix: String,
    /// Whose calls it is for, in lower case: a domain, an account or the originator of a trusted peer; empty for all.
    pub originator: String,
    /// Of routes with one prefix the lowest comes first.
    pub priority: i32,
}

#[cfg(test)]
mod tests {
    use super::GatewayTransport;

    #[test]
    fn b134_transports() {
        for transport in [GatewayTransport::Udp, GatewayTransport::Tcp, GatewayTransport::Tls] {
            assert_eq!(GatewayTransport::from_name(transport.as_str()), Some(transport));
        }
        assert_eq!(GatewayTransport::from_name("TLS"), Some(GatewayTransport::Tls));
        assert_eq!(GatewayTransport::from_name("sctp"), None);
    }
}
