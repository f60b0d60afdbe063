//! Trusted peers: addresses whose calls need no credentials (B145).

use crate::Ownership;

/// The transport over which a peer is trusted (B145).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PeerProtocol {
    /// Every transport.
    #[default]
    Any,
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

impl PeerProtocol {
    /// The name, as it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    /// Reads a name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Any, Self::Udp, Self::Tcp, Self::Tls];
        all.into_iter().find(|protocol| protocol.as_str().eq_ignore_ascii_case(name))
    }
}

/// A trusted peer as far as calls depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedPeer {
    /// Its key: an address in its shortest form, or a host name in lower case.
    pub ip: String,
    /// Over which transport it is trusted.
    pub protocol: PeerProtocol,
    /// Customer and reseller.
    pub ownership: Ownership,
    /// Simultaneous calls, 0 for no limit.
    pub call_limit: u32,
    /// Whether it is a Microsoft Teams peer.
    pub msteams: bool,
    /// Its Teams tenant.
    pub tenant: Option<String>,
    /// Whether its calls are paid in advance.
    pub prepaid: bool,
    /// Whether it may not call.
    pub blocked: bool,
    /// Whether its calls are looked up in ENUM (B147).
    pub enum_lookup: bool,
    /// Whether it may reach foreign domains through the platform.
    pub transit: bool,
    /// The name of the carrier that its calls to telephone numbers take.
    pub carrier_name: Option<String>,
    /// The originator by which routes are chosen (B132).
    pub originator: Option<String>,
    /// Whom its calls are billed to.
    pub billing_id: Option<String>,
    /// How many leading digits are removed from the numbers that it calls.
    pub strip: u32,
    /// What is then put in front.
    pub prefix: Option<String>,
}

impl TrustedPeer {
    /// The platform's own peer with the defaults of the API (B145, B147).
    #[must_use]
    pub fn new(ip: impl Into<String>, protocol: PeerProtocol) -> Self {
        Self {
            ip: ip.into(),
            protocol,
            ownership: Ownership::default(),
            call_limit: 0,
            msteams: false,
            tenant: None,
            prepaid: false,
            blocked: false,
            enum_lookup: true,
            transit: false,
            carrier_name: None,
            originator: None,
            billing_id: None,
            strip: 0,
            prefix: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PeerProtocol;

    #[test]
    fn b145_protocols() {
        for name in ["any", "udp", "tcp", "tls"] {
            assert_eq!(PeerProtocol::from_name(name).map(PeerProtocol::as_str), Some(name));
        }
        assert_eq!(PeerProtocol::from_name("sctp"), None);
    }
}
