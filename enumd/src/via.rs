//! How queries come.

use ngn_dns::answer::Transport;

/// How a query came, for those who count and note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// In a datagram.
    Udp,
    /// Over TCP.
    Tcp,
    /// Within TLS (RFC 7858).
    Tls,
    /// Within HTTP (RFC 8484).
    Https,
}

impl Via {
    /// Every one.
    pub(crate) const ALL: [Self; 4] = [Self::Udp, Self::Tcp, Self::Tls, Self::Https];

    /// Its name in metrics and logs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Https => "https",
        }
    }
}

impl From<Transport> for Via {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Udp => Self::Udp,
            Transport::Tcp => Self::Tcp,
        }
    }
}
