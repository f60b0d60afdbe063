//! The names by which this element is known.

use super::Stack;
use crate::header::Transport;
use crate::proxy::Interface;
use crate::proxy::endpoint::transport_of;
use crate::uri::Uri;
use std::collections::HashSet;
use std::net::SocketAddr;

impl Stack {
    /// Says that a host name is ours: a Route with it is taken off (RFC 3261 section 16.4). Names of interfaces
    /// are known already; this is for the domains that phones may have as their outbound proxy.
    pub fn add_own_name(&mut self, host: &str) {
        self.own_names.insert(host.to_ascii_lowercase());
    }

    /// Says which host names are ours, in place of those that were said before; see
    /// [`add_own_name`](Self::add_own_name).
    pub fn set_own_names<'a>(&mut self, hosts: impl IntoIterator<Item = &'a str>) {
        self.own_names = hosts.into_iter().map(str::to_ascii_lowercase).collect();
    }

    /// Says that a host name is no longer ours.
    pub fn remove_own_name(&mut self, host: &str) {
        self.own_names.remove(&host.to_ascii_lowercase());
    }

    /// The URI by which other nodes reach us: the one that the settings say, or that of an interface, best over TCP, which
    /// tells at once that nobody is there.
    #[must_use]
    pub fn node_uri(&self) -> Option<Uri> {
        let of = |transport: &Transport| {
            self.interfaces.0.iter().find(|interface| interface.transport == *transport)
        };
        let usable = [Transport::Tcp, Transport::Udp, Transport::Tls];
        let interface = || usable.iter().find_map(of).map(Interface::uri);
        self.config.node_uri.clone().or_else(interface)
    }

    /// Reserves places, whatever the transport: new requests are sent there for targets that may reach them
    /// ([`ForwardTarget::reaches_reserved`](super::ForwardTarget::reaches_reserved)), whatever Request-URI, Route or DNS say
    /// (RFC 3261 section 26.3.2.4); others end with 403.
    pub fn set_reserved(&mut self, places: HashSet<SocketAddr>) {
        self.reserved = places;
    }

    pub(super) fn is_own_name(&self, uri: &Uri) -> bool {
        if !uri.is_sip() {
            return false;
        }
        if self.config.node_uri.as_ref().is_some_and(|own| is_same_place(own, uri)) {
            return true;
        }
        let is_port = |port| self.interfaces.0.iter().any(|interface| interface.port == port);
        if !uri.port().is_none_or(is_port) {
            return false;
        }
        let host = uri.host_text();
        let host = host.strip_suffix('.').unwrap_or(host);
        self.own_names.contains(&host.to_ascii_lowercase())
    }
}

/// Whether two URIs name the same host, port and transport.
fn is_same_place(a: &Uri, b: &Uri) -> bool {
    let port = |uri: &Uri| uri.port().unwrap_or_else(|| transport_of(uri).default_port());
    let is_same_host = match (a.host(), b.host()) {
        (Some(a), Some(b)) => a.matches(&b),
        _ => false,
    };
    is_same_host && transport_of(a) == transport_of(b) && port(a) == port(b)
}
