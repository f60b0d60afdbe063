//! Registered contacts and how they are reached: straight, over the connection that the phone opened, or through the node
//! that the phone is connected to.
//!
//! ```text
//! caller ── INVITE ──▶ this node ── Route: <node;ngnf=…> ──▶ node of the binding ── open connection, NAT ──▶ phone
//! ```
//!
//! The Route says, signed by the secret that all nodes share, where that node sends the request; both nodes stand in
//! Record-Route, so that requests in the dialog go the same way. Only the first one reports the call.

use super::Engine;
use crate::elsewhere::Elsewhere;
use crate::location::Change;
use crate::transport::{Peer, Stream};
use ngn_model::{Binding, Removal};
use ngn_sip::header::{RouteHeader, Transport};
use ngn_sip::message::Message;
use ngn_sip::stack::{Destination, FlowId, ForwardTarget, IncomingRequest};
use ngn_sip::uri::Uri;
use std::net::{IpAddr, SocketAddr};

impl Engine {
    /// Takes note of what other nodes are doing, and where they are.
    pub(super) fn heard_of_nodes(&mut self, told: Elsewhere) {
        self.counts.set_elsewhere(told.calls);
        let read = |(node, uri): (String, String)| Some((node, Uri::parse(&uri).ok()?));
        self.nodes = told.nodes.into_iter().filter_map(read).collect();
    }

    /// Whether another node is known to be at an address.
    pub(super) fn is_node(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let at = |uri: &Uri| uri.host().and_then(|host| host.ip()).map(|ip| ip.to_canonical());
        self.nodes.values().any(|uri| at(uri) == Some(address))
    }

    /// A registered contact as the stack takes it.
    pub(super) fn contact(&self, binding: &Binding, request: &Message) -> Option<ForwardTarget> {
        let mut forward = ForwardTarget::new(Uri::parse(&binding.contact).ok()?);
        forward.is_contact = true;
        if !binding.path.is_empty() {
            for path in binding.path.split(',').filter(|path| !path.trim().is_empty()) {
                let uri = path.trim().trim_start_matches('<').split('>').next()?;
                forward.routes.push(RouteHeader::new(Uri::parse(uri).ok()?));
            }
            // An edge proxy may say that the flow is gone.
            forward.flow = (binding.reg_id != 0).then(|| binding.removal());
            return Some(forward);
        }
        let Some(received) = &binding.received else { return Some(forward) };
        let hop = source(binding, received, &forward.uri)?;
        let own = own_address(&forward.uri, &hop);
        forward.flow = hop.only_flow.then(|| binding.removal());
        if binding.node.is_empty() || binding.node == self.node {
            forward.next_hops = self.opened(hop, own, &forward.uri);
        } else if let Some(node) = self.nodes.get(&binding.node) {
            forward.routes.push(self.stack.flow_route(request, node, &hop));
        } else if hop.only_flow || hop.transport == Transport::Udp {
            // Its node is dead and nobody else has a way to it; the node may come back, so the binding stays.
            forward.flow = None;
            forward.next_hops = vec![Destination { only_flow: true, flow: None, ..hop }];
        } else {
            let listens = own.unwrap_or_else(|| Destination::new(hop.transport, hop.remote));
            forward.next_hops = vec![listens];
        }
        Some(forward)
    }

    /// Sends a request on that another node sent here, to where that one said.
    pub(super) fn relay(&mut self, incoming: &IncomingRequest, to: Destination) {
        let Some(uri) = incoming.request.request_uri() else {
            return self.reply(incoming.id, 400, None, &Vec::new());
        };
        let own = own_address(uri, &to);
        let next_hops = self.opened(to, own, uri);
        let now = self.now();
        self.stack.relay(
            now,
            incoming.id,
            ForwardTarget { next_hops, reaches_reserved: true, ..ForwardTarget::new(uri.clone()) },
        );
    }

    /// The next hops of a contact, over connections that are open.
    ///
    /// A phone that cannot be connected to is reached over the connection that it opened, in the dialog too: browsers, all
    /// of whose addresses are made up (RFC 7118 section 5.4), phones behind NAT, and those without a certificate
    /// (RFC 5626 section 5.3).
    fn opened(&self, hop: Destination, own: Option<Destination>, uri: &Uri) -> Vec<Destination> {
        let is_address = uri.host().is_some_and(|host| host.ip().is_some());
        let mut hops = vec![hop];
        hops.extend(own);
        for hop in &mut hops {
            let Some(stream) = Stream::of(&hop.transport) else { continue };
            if stream != Stream::Tcp || !is_address || hop.only_flow {
                let peer = Peer { stream, remote: hop.remote, name: None };
                hop.flow = self.transports.open_to(&peer).map(FlowId);
            }
        }
        hops
    }

    /// Removes a binding whose flow is gone (RFC 5626 section 5.3.1), unless it was refreshed.
    pub(super) fn flow_lost(&mut self, lost: &Removal) {
        let aor = lost.key.aor();
        let is_lost = |one: &Binding| one.last_modified <= lost.until && one.has_key(&lost.key);
        if self.directory.bindings(aor).iter().any(is_lost) {
            tracing::debug!(%aor, "a phone's connection is gone, and its registration with it");
            self.directory.change_bindings(aor, &[], std::slice::from_ref(&lost.key));
            self.change_location(Change { deletes: vec![lost.clone()], ..Change::default() });
        }
    }
}

/// Where a REGISTER came from. Only the connection itself leads to a phone that registered a flow, or that says nothing
/// about where it takes others.
fn source(binding: &Binding, received: &str, contact: &Uri) -> Option<Destination> {
    let rest = received.strip_prefix("sip:")?;
    let (address, transport) = rest.split_once(";transport=").unwrap_or((rest, "udp"));
    let remote: SocketAddr = address.parse().ok()?;
    let mut hop = Destination::new(Transport::parse(transport), remote);
    hop.local = binding.socket.split_once(':').and_then(|(_, own)| own.parse().ok());
    let listens_there = contact.host().and_then(|host| host.ip()) == Some(remote.ip());
    hop.only_flow = match Stream::of(&hop.transport) {
        None => false,
        Some(Stream::Ws | Stream::Wss) => true,
        Some(Stream::Tcp | Stream::Tls) => binding.reg_id != 0 || !listens_there,
    };
    Some(hop)
}

/// Where a phone that came over a connection says it listens, for when that connection is gone.
fn own_address(contact: &Uri, hop: &Destination) -> Option<Destination> {
    let host = contact.host()?.ip()?;
    let address = SocketAddr::new(host, contact.port().unwrap_or(5060));
    let differs = address.ip() == hop.remote.ip() && address.port() != hop.remote.port();
    (hop.transport == Transport::Tcp && differs && !hop.only_flow)
        .then(|| Destination::new(hop.transport.clone(), address))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether only the connection will do, and where else the phone listens.
    fn way(received: &str, contact: &str, reg_id: u32) -> (bool, Option<String>) {
        let aor = "alice@example.com".parse().expect("an address");
        let binding = Binding { reg_id, ..Binding::new(aor, contact, 0) };
        let contact = Uri::parse(contact).expect("a URI");
        let hop = source(&binding, received, &contact).expect("a way");
        let own = own_address(&contact, &hop).map(|own| own.remote.to_string());
        (hop.only_flow, own)
    }

    #[test]
    fn rfc5626_5_3_what_only_its_connection_reaches() {
        let tcp = "sip:192.0.2.1:40000;transport=tcp";
        let listens = Some("192.0.2.1:5060".to_owned());
        assert_eq!(way(tcp, "sip:a@192.0.2.1;transport=tcp", 0), (false, listens));
        assert_eq!(way(tcp, "sip:a@192.0.2.1:40000;transport=tcp", 0), (false, None));
        assert_eq!(way(tcp, "sip:a@192.0.2.1;transport=tcp", 1), (true, None), "a flow");
        assert_eq!(way(tcp, "sip:a@10.0.0.1;transport=tcp", 0), (true, None), "behind NAT");
        assert_eq!(way(tcp, "sip:a@phone.example;transport=tcp", 0), (true, None));
        let wss = "sip:192.0.2.1:40000;transport=wss";
        assert_eq!(way(wss, "sip:a@x.invalid;transport=ws", 0), (true, None));
        assert_eq!(way(wss, "sip:a@192.0.2.1;transport=ws", 0), (true, None));
        let udp = "sip:192.0.2.1:40000;transport=udp";
        assert_eq!(way(udp, "sip:a@10.0.0.1", 1), (false, None), "no connection to lose");
    }
}
