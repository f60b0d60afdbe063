//! What this element writes into Record-Route, and what it learns when that comes back in Route
//! (RFC 3261 sections 16.4, 16.6 step 4 and 16.12; RFC 5658 for two entries; RFC 5626 section 5.2 for flows).
//!
//! No memory of a dialog is kept: what has to be known to route requests inside it stands in the entry's
//! parameter `ngn`, signed together with the Call-ID:
//!
//! ```text
//! caller ------ our interface A | our interface B ------ callee
//!
//! Record-Route: <sip:B;lr;ngn=..>, <sip:A;lr;ngn=..>
//!                        |                  `-- the caller's connection or address behind NAT
//!                        `-- the callee's
//! ```
//!
//! Each side's entry says how that side is reached, when its Contact does not: over a connection that it opened,
//! or at an address that a NAT put in place of its own. A request from the caller has A, then B on top of
//! Route: both are taken off and the last one tells how to reach the callee; and the other way round. When both
//! sides use one interface and both Contacts can be trusted, one entry is enough.
//!
//! Since the parameter is signed, nobody can have this element relay requests by making up a Route; since the
//! Call-ID is part of it, an entry from one call is of no use in another.
//!
//! The parameter `ngnf` is for a node that does not own the connection of a phone: it sends the request to the
//! node that does, with a Route that names the connection and is signed under the secret that all nodes have.
//! It is signed for another purpose than `ngn`, which the parties of a call see: with that one, a caller could
//! begin new calls to whatever an old one went to.

use super::endpoint::{Destination, FlowId, Interface, Interfaces, Oversize, Source, transport_of};
use super::secret::{Purpose, Secret, decode, encode, same};
use crate::gruu::is_gruu;
use crate::header::{Contacts, RecordRouteHeader, RouteHeader, Transport};
use crate::message::Message;
use crate::uri::Uri;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The URI parameter of entries in Record-Route.
const PARAMETER: &str = "ngn";

/// The URI parameter of a Route to the node that owns a connection.
const FLOW_PARAMETER: &str = "ngnf";

/// How many entries of ours are taken off a Route at once; a request that spiralled through us has more than
/// two in a row.
const MOST_ENTRIES: usize = 16;

/// How one side of a dialog is reached, when its Contact does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) transport: Transport,
    pub(crate) remote: SocketAddr,
    pub(crate) flow: Option<FlowId>,
}

/// What the entries of ours said that were taken off a Route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OwnRoute {
    /// The topmost Route was not ours.
    None,
    /// It was ours, but not all of the entries were signed for this Call-ID: a preloaded Route, or an attempt.
    Unsigned,
    /// All entries were signed: the request belongs to a dialog that was set up through us.
    Signed {
        /// Where to send the request; `None`: to its next Route or Request-URI.
        to: Option<Destination>,
    },
    /// Another node says over which of our connections the request goes.
    Flow(Destination),
}

impl Reach {
    fn into_destination(self, local: Option<SocketAddr>) -> Destination {
        Destination {
            transport: self.transport,
            local,
            remote: self.remote,
            flow: self.flow,
            only_flow: self.flow.is_some(),
            server_name: None,
            oversize: Oversize::Keep,
        }
    }
}

/// How the sender of a request is reached, when its Contact does not say.
pub(crate) fn reach_of_source(request: &Message, source: &Source) -> Option<Reach> {
    let reach =
        || Reach { transport: source.transport.clone(), remote: source.remote, flow: source.flow };
    if source.flow.is_some() {
        // Another proxy that stays on the path can be called back, whatever its connection does.
        let through_proxy = request.has(crate::header::HeaderName::RecordRoute);
        return (!through_proxy).then(reach);
    }
    if request.has(crate::header::HeaderName::RecordRoute) {
        return None;
    }
    let Ok(Contacts::List(contacts)) = request.contacts() else { return None };
    let contact = contacts.first()?.uri();
    // A GRUU leads to us, and not to whom we already have before us (RFC 5627 section 6.1).
    (is_gruu(contact) || !says(contact, &source.transport, source.remote)).then(reach)
}

/// How the element that a request is sent to is reached, when the URI it is sent to does not say.
pub(crate) fn reach_of_destination(next: &Uri, destination: &Destination) -> Option<Reach> {
    let is_needed = match next.host().and_then(|host| host.ip()) {
        Some(_) => !says(next, &destination.transport, destination.remote),
        // A name can be looked up again, unless the connection was opened by the other side.
        None => false,
    };
    (is_needed || destination.flow.is_some()).then(|| Reach {
        transport: destination.transport.clone(),
        remote: destination.remote,
        flow: destination.flow,
    })
}

/// Whether a URI by itself leads to an address. A name is taken to do so.
fn says(uri: &Uri, transport: &Transport, remote: SocketAddr) -> bool {
    let Some(host) = uri.host() else { return false };
    let Some(address) = host.ip() else { return true };
    let wanted = transport_of(uri);
    address == remote.ip()
        && uri.port().unwrap_or_else(|| wanted.default_port()) == remote.port()
        && wanted == *transport
}

/// Makes the entries for a request, topmost first. `is_secure` says that its Request-URI is a SIPS URI.
pub(crate) fn entries(
    secret: &Secret,
    call_id: &str,
    is_secure: bool,
    (inward, sender): (&Interface, Option<&Reach>),
    (outward, receiver): (&Interface, Option<&Reach>),
) -> Vec<RecordRouteHeader> {
    let entry = |interface: &Interface, reach| {
        let uri = if is_secure { interface.secure_uri() } else { interface.uri() };
        let uri = uri.with_param("lr", None).unwrap_or(uri);
        let uri = uri
            .with_param(PARAMETER, Some(&token(secret, Purpose::Route, call_id, reach)))
            .unwrap_or(uri);
        RecordRouteHeader::new(uri)
    };
    if inward == outward && sender.is_none() && receiver.is_none() {
        return vec![entry(outward, None)];
    }
    vec![entry(outward, receiver), entry(inward, sender)]
}

/// Takes our entries off the top of Route (section 16.4) and reads them.
pub(crate) fn take_off(
    secret: &Secret,
    interfaces: &Interfaces,
    is_own_name: &dyn Fn(&Uri) -> bool,
    request: &mut Message,
) -> OwnRoute {
    let call_id = request.call_id().unwrap_or("").to_owned();
    let mut found = OwnRoute::None;
    for _ in 0..MOST_ENTRIES {
        let Ok(Some(top)) = request.first::<RouteHeader>() else { break };
        let interface = interfaces.named_by(top.uri());
        if interface.is_none() && !is_own_name(top.uri()) {
            break;
        }
        if request.pop_first::<RouteHeader>().is_err() {
            break;
        }
        if let Some(to) = read_flow(secret, &call_id, top.uri()) {
            return OwnRoute::Flow(to);
        }
        found = match (read(secret, &call_id, top.uri()), found) {
            (None, _) | (_, OwnRoute::Unsigned) => OwnRoute::Unsigned,
            (Some(reach), _) => {
                let local = interface.map(|interface| interface.local);
                OwnRoute::Signed { to: reach.map(|reach| reach.into_destination(local)) }
            }
        };
    }
    found
}

/// How the two sides of a dialog are reached from here, by the Record-Route of the 2xx to the INVITE: for the caller and
/// for the callee, the routes beyond us, and the destination when our entry says it. `None` when no entry is ours.
pub(crate) fn ways(
    secret: &Secret,
    interfaces: &Interfaces,
    call_id: &str,
    recorded: &[RecordRouteHeader],
) -> Option<[Way; 2]> {
    let own = |entry: &RecordRouteHeader| {
        let interface = interfaces.named_by(entry.uri())?;
        let reach = read(secret, call_id, entry.uri())?;
        Some(reach.map(|reach| reach.into_destination(Some(interface.local))))
    };
    let first = recorded.iter().position(|entry| own(entry).is_some())?;
    let (before, rest) = recorded.split_at_checked(first)?;
    let ours: Vec<_> = rest.iter().map_while(own).collect();
    let after = rest.get(ours.len()..)?;
    let route = |entry: &RecordRouteHeader| RouteHeader::new(entry.uri().clone());
    let to_caller = Way { routes: after.iter().map(route).collect(), to: ours.last()?.clone() };
    let routes = before.iter().rev().map(route).collect();
    let to_callee = Way { routes, to: ours.first()?.clone() };
    Some([to_caller, to_callee])
}

/// How a side of a dialog is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    /// The proxies between us and it.
    pub(crate) routes: Vec<RouteHeader>,
    /// Where it is, when that is neither its Contact nor the next proxy.
    pub(crate) to: Option<Destination>,
}

/// Reads the parameter of an entry; `None` when it is missing or not signed for this Call-ID.
#[allow(clippy::option_option, reason = "signed or not, and what it says")]
pub(crate) fn read(secret: &Secret, call_id: &str, uri: &Uri) -> Option<Option<Reach>> {
    let payload = verified(secret, Purpose::Route, call_id, uri.param(PARAMETER)?)?;
    if payload.is_empty() { Some(None) } else { read_reach(&payload).map(Some) }
}

fn read_flow(secret: &Secret, call_id: &str, uri: &Uri) -> Option<Destination> {
    read_onward(&verified(secret, Purpose::Flow, call_id, uri.param(FLOW_PARAMETER)?)?)
}

/// The Route entry for the node at `node`, which alone can send to this destination.
pub(crate) fn flow_route(
    secret: &Secret,
    call_id: &str,
    node: &Uri,
    to: &Destination,
) -> RouteHeader {
    let token = signed(secret, Purpose::Flow, call_id, write_onward(to));
    let uri = node.with_param("lr", None).unwrap_or_else(|_| node.clone());
    RouteHeader::new(uri.with_param(FLOW_PARAMETER, Some(&token)).unwrap_or(uri))
}

fn token(secret: &Secret, purpose: Purpose, call_id: &str, reach: Option<&Reach>) -> String {
    signed(secret, purpose, call_id, reach.map(write_reach).unwrap_or_default())
}

fn signed(secret: &Secret, purpose: Purpose, call_id: &str, mut octets: Vec<u8>) -> String {
    let signature: [u8; 8] = secret.sign_short(purpose, &[call_id.as_bytes(), &octets]);
    octets.extend(signature);
    encode(&octets)
}

/// What a token says, when its signature holds.
fn verified(secret: &Secret, purpose: Purpose, call_id: &str, token: &str) -> Option<Vec<u8>> {
    let mut octets = decode(token)?;
    let signature = octets.split_off(octets.len().checked_sub(8)?);
    let signed: [u8; 8] = secret.sign_short(purpose, &[call_id.as_bytes(), &octets]);
    same(&signature, &signed).then_some(octets)
}

const TRANSPORTS: [Transport; 6] = [
    Transport::Udp,
    Transport::Tcp,
    Transport::Tls,
    Transport::Sctp,
    Transport::Ws,
    Transport::Wss,
];

/// One octet that says whether an open connection is needed, one for the length of what is reached; that, and from which
/// socket of the node's.
fn write_onward(to: &Destination) -> Vec<u8> {
    let reach =
        |remote, flow| write_reach(&Reach { transport: to.transport.clone(), remote, flow });
    let remote = reach(to.remote, to.flow);
    let length = u8::try_from(remote.len()).unwrap_or(0);
    let local = to.local.map(|local| reach(local, None)).unwrap_or_default();
    [&[u8::from(to.only_flow), length], remote.as_slice(), &local].concat()
}

fn read_onward(octets: &[u8]) -> Option<Destination> {
    let ([only_flow, length], rest) = octets.split_first_chunk::<2>()?;
    let (remote, local) = rest.split_at_checked(usize::from(*length))?;
    let local = if local.is_empty() { None } else { Some(read_reach(local)?.remote) };
    let to = read_reach(remote)?.into_destination(local);
    Some(Destination { only_flow: *only_flow == 1, ..to })
}

/// A destination as text, without its connection.
pub(crate) fn destination_text(to: &Destination) -> String {
    encode(&write_onward(&Destination { flow: None, ..to.clone() }))
}

/// Reads what [`destination_text`] wrote.
pub(crate) fn destination_from(text: &str) -> Option<Destination> {
    read_onward(&decode(text)?)
}

/// One octet for the transport, with a bit each for IPv6 and a flow; address; port; flow.
fn write_reach(reach: &Reach) -> Vec<u8> {
    let transport = TRANSPORTS.iter().position(|known| *known == reach.transport).unwrap_or(0);
    let mut kind = u8::try_from(transport).unwrap_or(0);
    let mut octets = Vec::with_capacity(35);
    match reach.remote.ip() {
        IpAddr::V4(address) => octets.extend(address.octets()),
        IpAddr::V6(address) => {
            kind |= 0x10;
            octets.extend(address.octets());
        }
    }
    octets.extend(reach.remote.port().to_be_bytes());
    if let Some(FlowId(flow)) = reach.flow {
        kind |= 0x20;
        octets.extend(flow.to_be_bytes());
    }
    octets.insert(0, kind);
    octets
}

fn read_reach(octets: &[u8]) -> Option<Reach> {
    let (kind, rest) = octets.split_first()?;
    let transport = TRANSPORTS.get(usize::from(kind & 0x0f))?.clone();
    let (address, rest) = if kind & 0x10 == 0 {
        let (address, rest) = rest.split_first_chunk::<4>()?;
        (IpAddr::V4(Ipv4Addr::from(*address)), rest)
    } else {
        let (address, rest) = rest.split_first_chunk::<16>()?;
        (IpAddr::V6(Ipv6Addr::from(*address)), rest)
    };
    let (port, rest) = rest.split_first_chunk::<2>()?;
    let flow = match (kind & 0x20, rest) {
        (0, []) => None,
        (0, _) => return None,
        (_, rest) => Some(FlowId(u64::from_be_bytes(rest.try_into().ok()?))),
    };
    Some(Reach { transport, remote: SocketAddr::new(address, u16::from_be_bytes(*port)), flow })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Limits;
    use crate::uri::Host;

    fn secret() -> Secret {
        Secret::from_bytes([3; 32])
    }

    fn interface(transport: Transport, port: u16) -> Interface {
        let local = SocketAddr::from(([192, 0, 2, 10], port));
        Interface { transport, local, host: Host::from(local.ip()), port }
    }

    fn reach(remote: &str, flow: Option<u64>) -> Reach {
        let transport = if flow.is_some() { Transport::Ws } else { Transport::Udp };
        Reach { transport, remote: remote.parse().expect("an address"), flow: flow.map(FlowId) }
    }

    fn bye(routes: &[String]) -> Message {
        let route: String = routes.iter().map(|r| format!("Route: {r}\r\n")).collect();
        let text = format!(
            "BYE sip:b@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n{route}\
             From: <sip:a@example.com>;tag=f\r\nTo: <sip:b@example.com>;tag=t\r\nCall-ID: c1\r\n\
             CSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n"
        );
        Message::parse(text.into(), &Limits::default()).expect("a request")
    }

    #[test]
    fn reaches_are_read_as_they_were_written() {
        for reach in [
            reach("192.0.2.1:5060", None),
            reach("[2001:db8::1]:5061", None),
            reach("192.0.2.1:1", Some(u64::MAX)),
            reach("[2001:db8::1]:65535", Some(7)),
        ] {
            assert_eq!(read_reach(&write_reach(&reach)), Some(reach.clone()));
            let mut short = write_reach(&reach);
            short.pop();
            assert_eq!(read_reach(&short), None);
        }
    }

    #[test]
    fn what_a_node_is_asked_to_do_is_read_as_it_was_written() {
        for (local, flow, only_flow) in [
            (None, None, true),
            (Some("192.0.2.10:5060"), None, false),
            (Some("[2001:db8::1]:5060"), Some(7), true),
        ] {
            let to = Destination {
                only_flow,
                local: local.map(|local| local.parse().expect("an address")),
                ..reach("198.51.100.1:4000", flow).into_destination(None)
            };
            let octets = write_onward(&to);
            assert_eq!(read_onward(&octets), Some(to));
            assert!((0..octets.len()).all(|end| {
                let read = read_onward(&octets[..end]);
                read.is_none_or(|read| read.local.is_none())
            }));
        }
    }

    #[test]
    fn each_direction_finds_the_other_side() {
        let (udp, ws) = (interface(Transport::Udp, 5060), interface(Transport::Ws, 80));
        let (caller, callee) =
            (reach("198.51.100.1:4000", None), reach("198.51.100.2:5000", Some(9)));
        let entries = entries(&secret(), "c1", false, (&udp, Some(&caller)), (&ws, Some(&callee)));
        let interfaces = Interfaces(vec![udp.clone(), ws.clone()]);
        let texts: Vec<String> = entries.iter().map(ToString::to_string).collect();
        let next = |routes: Vec<String>| {
            let mut request = bye(&routes);
            let own = take_off(&secret(), &interfaces, &|_| false, &mut request);
            assert!(!request.has(crate::header::HeaderName::Route));
            match own {
                OwnRoute::Signed { to: Some(to) } => (to.remote, to.flow, to.local),
                other => panic!("{other:?}"),
            }
        };
        let from_callee = next(texts.clone());
        assert_eq!(from_callee, (caller.remote, None, Some(udp.local)));
        let from_caller = next(texts.iter().rev().cloned().collect());
        assert_eq!(from_caller, (callee.remote, Some(FlowId(9)), Some(ws.local)));
    }

    #[test]
    fn one_entry_is_enough_for_one_interface_and_good_contacts() {
        let udp = interface(Transport::Udp, 5060);
        let made = entries(&secret(), "c1", false, (&udp, None), (&udp, None));
        assert_eq!(made.len(), 1);
        let mut request = bye(&[made.first().expect("an entry").to_string(), "<sip:x;lr>".into()]);
        let interfaces = Interfaces(vec![udp]);
        let own = take_off(&secret(), &interfaces, &|_| false, &mut request);
        assert_eq!(own, OwnRoute::Signed { to: None });
        assert_eq!(request.routes().map(|r| r.len()), Ok(1), "the other proxy's entry stays");
    }

    #[test]
    fn a_made_up_route_is_not_signed() {
        let udp = interface(Transport::Udp, 5060);
        let interfaces = Interfaces(vec![udp.clone()]);
        let signed = |call_id| {
            let made = entries(&secret(), call_id, false, (&udp, None), (&udp, None));
            made.first().expect("an entry").to_string()
        };
        let own =
            |routes: &[String]| take_off(&secret(), &interfaces, &|_| false, &mut bye(routes));
        assert_eq!(own(&["<sip:192.0.2.10;lr>".into()]), OwnRoute::Unsigned);
        assert_eq!(own(&["<sip:192.0.2.10;lr;ngn=AAAA>".into()]), OwnRoute::Unsigned);
        assert_eq!(own(&[signed("another call")]), OwnRoute::Unsigned);
        assert_eq!(own(&[signed("c1"), "<sip:192.0.2.10;lr>".into()]), OwnRoute::Unsigned);
        assert_eq!(own(&["<sip:192.0.2.10;lr>".into(), signed("c1")]), OwnRoute::Unsigned);
        assert_eq!(own(&["<sip:192.0.2.99;lr>".into()]), OwnRoute::None);
        assert_eq!(own(&[]), OwnRoute::None);
        assert_eq!(own(&[signed("c1")]), OwnRoute::Signed { to: None });
    }

    #[test]
    fn a_side_is_written_down_when_its_contact_does_not_lead_to_it() {
        let source = |remote: &str, flow| Source {
            transport: if flow { Transport::Tcp } else { Transport::Udp },
            local: SocketAddr::from(([192, 0, 2, 10], 5060)),
            remote: remote.parse().expect("an address"),
            flow: flow.then_some(FlowId(1)),
        };
        let invite = |contact: &str, more: &str| {
            let text = format!(
                "INVITE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n{more}\
                 From: <sip:a@example.com>;tag=f\r\nTo: <sip:b@example.com>\r\nCall-ID: c1\r\n\
                 CSeq: 2 INVITE\r\nContact: {contact}\r\nContent-Length: 0\r\n\r\n"
            );
            Message::parse(text.into(), &Limits::default()).expect("a request")
        };
        let needed = |contact: &str, more: &str, remote: &str, flow| {
            reach_of_source(&invite(contact, more), &source(remote, flow)).is_some()
        };
        let public = "198.51.100.1:5060";
        assert!(!needed("<sip:a@198.51.100.1>", "", public, false));
        assert!(!needed("<sip:a@phone.example.com>", "", public, false));
        assert!(needed("<sip:a@10.0.0.1>", "", public, false));
        assert!(needed("<sip:a@198.51.100.1:5070>", "", public, false));
        assert!(needed("<sip:a@198.51.100.1>", "", public, true));
        let through = "Record-Route: <sip:198.51.100.1;lr>\r\n";
        assert!(
            !needed("<sip:a@10.0.0.1>", through, public, false),
            "the other proxy is called back"
        );

        let to = |uri: &str, destination: &Destination| {
            reach_of_destination(&Uri::parse(uri).expect("a URI"), destination).is_some()
        };
        let plain = Destination::new(Transport::Udp, public.parse().expect("an address"));
        assert!(!to("sip:b@198.51.100.1", &plain));
        assert!(!to("sip:gw.example.com", &plain));
        assert!(to("sip:b@10.0.0.1", &plain));
        assert!(to("sip:b@abc.invalid", &Destination { flow: Some(FlowId(1)), ..plain }));
    }
}
