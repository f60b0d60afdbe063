//! Where messages come from and go to.

use crate::header::Transport;
use crate::uri::{Host, Scheme, Uri};
use std::net::{IpAddr, SocketAddr};

/// A connection, numbered by whoever owns the sockets. The number must not come back for another connection
/// while messages may still name it; random numbers do, counters from a random start too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u64);

/// How a message arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The transport.
    pub transport: Transport,
    /// Our socket: the `local` of an [`Interface`].
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
    /// The connection; `None` over UDP.
    pub flow: Option<FlowId>,
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The transport.
    pub transport: Transport,
    /// Our socket, or `None` when the first interface of the transport and address family will do.
    pub local: Option<SocketAddr>,
    /// The peer's address: used over UDP, and to open a connection when there is no open `flow`.
    pub remote: SocketAddr,
    /// The connection to use when it is still open.
    pub flow: Option<FlowId>,
    /// There is nobody at `remote` to open a connection to: when the flow is gone, sending fails.
    pub only_flow: bool,
    /// The name that the peer's certificate must have, for TLS connections that are opened.
    pub server_name: Option<String>,
    /// Whether requests that are too large for UDP go over TCP instead.
    pub oversize: Oversize,
}

/// What becomes of requests to a UDP destination that are larger than datagrams should be (RFC 3261 section 18.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Oversize {
    /// They go over UDP all the same: the way back through a NAT, a connection, or where TCP failed.
    #[default]
    Keep,
    /// They go over TCP first.
    Switch,
    /// This is the TCP destination that takes the place of a UDP one, which is tried when this one fails.
    Switched,
}

impl Destination {
    /// A destination that is an address and no more.
    #[must_use]
    pub const fn new(transport: Transport, remote: SocketAddr) -> Self {
        Self {
            transport,
            local: None,
            remote,
            flow: None,
            only_flow: false,
            server_name: None,
            oversize: Oversize::Keep,
        }
    }

    /// Back to where a message came from.
    #[must_use]
    pub fn back_to(source: &Source) -> Self {
        Self {
            transport: source.transport.clone(),
            local: Some(source.local),
            remote: source.remote,
            flow: source.flow,
            only_flow: false,
            server_name: None,
            oversize: Oversize::Keep,
        }
    }
}

/// One of our sockets and how the world names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The transport.
    pub transport: Transport,
    /// The socket's own address, as it stands in [`Source::local`]; it may be a wildcard address.
    pub local: SocketAddr,
    /// The host for Via and Record-Route; it must lead back to this very node.
    pub host: Host,
    /// The port for Via and Record-Route.
    pub port: u16,
}

impl Interface {
    /// Whether a URI names this socket.
    #[must_use]
    pub fn is_named_by(&self, uri: &Uri) -> bool {
        let transport = transport_of(uri);
        uri.is_sip()
            && self.host.is_named(uri.host_text())
            && transport == self.transport
            && uri.port().unwrap_or_else(|| transport.default_port()) == self.port
    }

    /// The URI of this socket, without user part.
    #[must_use]
    pub fn uri(&self) -> Uri {
        let is_default = self.port == self.transport.default_port();
        let uri = Uri::sip(None, &self.host, (!is_default).then_some(self.port));
        if self.transport == Transport::Udp {
            return uri;
        }
        let name = self.transport.as_str().to_ascii_lowercase();
        uri.with_param("transport", Some(&name)).unwrap_or(uri)
    }

    /// The URI of this socket for a request whose Request-URI is a SIPS URI, which Record-Route must then be
    /// too (RFC 3261 section 16.6 step 4). The same as [`uri`](Self::uri) when the transport is not secure.
    #[must_use]
    pub fn secure_uri(&self) -> Uri {
        let transport = match self.transport {
            Transport::Tls => "",
            Transport::Wss => ";transport=ws",
            _ => return self.uri(),
        };
        let is_default = self.port == self.transport.default_port();
        let port = if is_default { String::new() } else { format!(":{}", self.port) };
        Uri::parse(&format!("sips:{}{port}{transport}", self.host)).unwrap_or_else(|_| self.uri())
    }
}

/// All our sockets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interfaces(pub(crate) Vec<Interface>);

impl Interfaces {
    /// The interface that a message came in by.
    pub(crate) fn of_source(&self, source: &Source) -> Option<&Interface> {
        self.pick(&source.transport, Some(source.local), source.remote.ip())
    }

    /// The interface that a message goes out by.
    pub(crate) fn of_destination(&self, destination: &Destination) -> Option<&Interface> {
        self.pick(&destination.transport, destination.local, destination.remote.ip())
    }

    fn pick(
        &self,
        transport: &Transport,
        local: Option<SocketAddr>,
        peer: IpAddr,
    ) -> Option<&Interface> {
        let same = || self.0.iter().filter(|interface| interface.transport == *transport);
        let exact = same().find(|interface| Some(interface.local) == local);
        let family = || same().find(|interface| interface.local.is_ipv4() == peer.is_ipv4());
        exact.or_else(family).or_else(|| same().next())
    }

    /// The TCP interface of an address family.
    pub(crate) fn tcp(&self, remote: SocketAddr) -> Option<&Interface> {
        let is_same = |one: &&Interface| {
            one.transport == Transport::Tcp && one.local.is_ipv4() == remote.is_ipv4()
        };
        self.0.iter().find(is_same)
    }

    /// The interface that a URI names.
    pub(crate) fn named_by(&self, uri: &Uri) -> Option<&Interface> {
        self.0.iter().find(|interface| interface.is_named_by(uri))
    }

    /// Whether a Via was written by us, as far as sent-by tells.
    pub(crate) fn wrote(&self, host: &Host, port: u16) -> bool {
        self.0.iter().any(|interface| interface.port == port && interface.host.matches(host))
    }

    /// Where a request to a URI goes when its host is an address, so that nothing has to be looked up
    /// (RFC 3263 sections 4.1 and 4.2). `None` when the host is a name, or we lack the transport.
    pub(crate) fn literal(&self, uri: &Uri) -> Option<Destination> {
        let maddr = uri.param("maddr").and_then(Host::parse);
        let address = maddr.or_else(|| uri.host())?.ip()?;
        let transport = transport_of(uri);
        if !self.0.iter().any(|interface| interface.transport == transport) {
            return None;
        }
        let port = uri.port().unwrap_or_else(|| transport.default_port());
        let is_secure = matches!(transport, Transport::Tls | Transport::Wss);
        let server_name = is_secure.then(|| address.to_string());
        let to = Destination::new(transport, SocketAddr::new(address, port));
        Some(Destination { server_name, oversize: Oversize::Switch, ..to })
    }
}

/// The transport that a URI asks for, or the default of its scheme for a host that is not looked up.
pub(crate) fn transport_of(uri: &Uri) -> Transport {
    match uri.param("transport") {
        Some(name) => match (Transport::parse(name), uri.scheme()) {
            // `sips` with `transport=tcp` means TLS over TCP (section 26.2.2), with `ws` WSS.
            (Transport::Tcp, Scheme::Sips) => Transport::Tls,
            (Transport::Ws, Scheme::Sips) => Transport::Wss,
            (transport, _) => transport,
        },
        None if uri.scheme() == Scheme::Sips => Transport::Tls,
        None => Transport::Udp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(transport: Transport, host: &str, port: u16) -> Interface {
        let local = SocketAddr::from(([192, 0, 2, 10], port));
        Interface { transport, local, host: Host::parse(host).expect("a host"), port }
    }

    fn uri(text: &str) -> Uri {
        Uri::parse(text).expect("a URI")
    }

    #[test]
    fn an_interface_is_named_by_its_uri_and_prints_it() {
        let udp = interface(Transport::Udp, "p.example.com", 5060);
        let tls = interface(Transport::Tls, "p.example.com", 5061);
        let tcp = interface(Transport::Tcp, "p.example.com", 5080);
        assert_eq!(udp.uri().as_str(), "sip:p.example.com");
        assert_eq!(tls.uri().as_str(), "sip:p.example.com;transport=tls");
        assert_eq!(tcp.uri().as_str(), "sip:p.example.com:5080;transport=tcp");
        let wss = interface(Transport::Wss, "p.example.com", 443);
        assert_eq!(tls.secure_uri().as_str(), "sips:p.example.com");
        assert_eq!(wss.secure_uri().as_str(), "sips:p.example.com;transport=ws");
        assert_eq!(tcp.secure_uri(), tcp.uri());
        for interface in [&udp, &tls, &tcp, &wss] {
            assert!(interface.is_named_by(&interface.uri()));
            assert!(interface.is_named_by(&interface.secure_uri()));
        }
        assert!(tls.is_named_by(&uri("sips:P.example.com")));
        assert!(udp.is_named_by(&uri("sip:x@p.example.com:5060;lr")));
        assert!(!udp.is_named_by(&uri("sip:p.example.com:5080")));
        assert!(!udp.is_named_by(&uri("sip:p.example.com;transport=tcp")));
        assert!(!udp.is_named_by(&uri("tel:+431")));
    }

    #[test]
    fn rfc3263_4_2_addresses_are_not_looked_up() {
        let all = Interfaces(vec![
            interface(Transport::Udp, "p.example.com", 5060),
            interface(Transport::Tls, "p.example.com", 5061),
        ]);
        let literal =
            |text: &str| all.literal(&uri(text)).map(|d| format!("{} {}", d.transport, d.remote));
        assert_eq!(literal("sip:a@192.0.2.1").as_deref(), Some("UDP 192.0.2.1:5060"));
        assert_eq!(literal("sip:a@192.0.2.1:70").as_deref(), Some("UDP 192.0.2.1:70"));
        assert_eq!(literal("sips:a@192.0.2.1").as_deref(), Some("TLS 192.0.2.1:5061"));
        assert_eq!(
            literal("sips:a@192.0.2.1;transport=tcp").as_deref(),
            Some("TLS 192.0.2.1:5061")
        );
        assert_eq!(literal("sip:a@[2001:db8::1]").as_deref(), Some("UDP [2001:db8::1]:5060"));
        assert_eq!(
            literal("sip:a@h.example;maddr=192.0.2.7").as_deref(),
            Some("UDP 192.0.2.7:5060")
        );
        assert_eq!(literal("sip:a@h.example"), None);
        assert_eq!(literal("sip:a@192.0.2.1;transport=sctp"), None);
    }
}
