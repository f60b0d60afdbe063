//! Request forwarding (RFC 3261 section 16.6): the copy that goes downstream.

use super::plan::Edit;

use super::endpoint::{Destination, Interface};
use super::plan::ForwardTarget;
use crate::header::{HeaderError, HeaderName, RecordRouteHeader, RouteHeader, Via};
use crate::message::Message;
use crate::uri::Uri;

/// Makes the copy for a target and says which URI decides where it is sent: steps 1 to 3, 5 to 7 in part.
///
/// The request comes as the server transaction holds it, with our own entries taken off Route.
pub(crate) fn retarget(
    request: &Message,
    target: &ForwardTarget,
    edits: &[Edit],
) -> Result<(Message, Uri), HeaderError> {
    let mut copy = request.clone();
    copy.set_request_uri(&target.uri);
    copy.decrement_max_forwards()?;
    for route in target.routes.iter().rev() {
        copy.push_route(route);
    }
    for edit in edits.iter().chain(&target.edits) {
        edit.apply(&mut copy);
    }
    let next = post_process_routes(&mut copy)?;
    Ok((copy, next))
}

/// Steps 6 and 7: the URI that the request is sent to. A first Route without `lr` is a strict router: it
/// becomes the Request-URI, and the Request-URI goes to the end of Route.
fn post_process_routes(copy: &mut Message) -> Result<Uri, HeaderError> {
    let missing = HeaderError::new(HeaderName::Route, "there is no Request-URI");
    let uri = copy.request_uri().ok_or(missing)?.clone();
    let Some(first) = copy.first::<RouteHeader>()? else { return Ok(uri) };
    if first.uri().is_loose() {
        return Ok(first.uri().clone());
    }
    copy.pop_first::<RouteHeader>()?;
    copy.append(HeaderName::Route, &RouteHeader::new(uri).to_string());
    copy.set_request_uri(first.uri());
    Ok(first.uri().clone())
}

/// Finishes the copy once it is known where it goes: steps 4, 8 and 9.
pub(crate) fn finish(
    copy: &mut Message,
    interface: &Interface,
    (branch, offers): (&str, bool),
    record_routes: &[RecordRouteHeader],
) {
    for route in record_routes.iter().rev() {
        copy.push_record_route(route);
    }
    copy.push_via(&via(interface, branch, offers));
    copy.ensure_content_length();
}

/// Our Via. `rport` is asked for, so that responses pass a NAT that we may stand behind (RFC 3581). `offers`: the connection
/// may be used for requests to us (RFC 5923 section 5).
pub(crate) fn via(interface: &Interface, branch: &str, offers: bool) -> Via {
    let default = interface.transport.default_port();
    let port = (interface.port != default).then_some(interface.port);
    let mut via = Via::new(interface.transport.clone(), interface.host.clone(), port, branch);
    via.params.set("rport", None);
    if offers {
        via.params.set("alias", None);
    }
    via
}

/// Where a response goes (section 18.2.2, RFC 3581 section 4). `via` is the one that the request came with,
/// `received` and `rport` filled in by us or, for a response that is forwarded without state, by us when the
/// request passed. `None` when the Via holds a name and nothing was filled in.
pub(crate) fn response_destination(via: &Via) -> Option<Destination> {
    let maddr = via.maddr().and_then(|host| host.ip());
    let address = maddr.or_else(|| via.received()).or_else(|| via.host().ip())?;
    let remote = std::net::SocketAddr::new(address, port_of(via));
    Some(Destination::new(via.transport().clone(), remote))
}

/// The port to which a response goes; `None` where [`response_destination`] has none.
pub(crate) fn response_port(via: &Via) -> Option<u16> {
    let maddr = || via.maddr().and_then(|host| host.ip());
    via.host().ip().or_else(|| via.received()).or_else(maddr)?;
    Some(port_of(via))
}

fn port_of(via: &Via) -> u16 {
    via.rport().unwrap_or_else(|| via.port_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::{ListHeader, Transport};
    use crate::message::Limits;
    use crate::uri::Host;
    use std::net::SocketAddr;

    fn request(fields: &str) -> Message {
        let text = format!(
            "INVITE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n{fields}\
             From: <sip:a@example.com>;tag=f\r\nTo: <sip:b@example.com>\r\nCall-ID: c1\r\n\
             CSeq: 2 INVITE\r\n\r\n"
        );
        Message::parse(text.into(), &Limits::default()).expect("a request")
    }

    fn uri(text: &str) -> Uri {
        Uri::parse(text).expect("a URI")
    }

    fn routes(message: &Message) -> Vec<String> {
        message.routes().expect("routes").iter().map(|r| r.uri().to_string()).collect()
    }

    #[test]
    fn rfc3261_16_6_the_copy() {
        let mut target = ForwardTarget::new(uri("sip:b@198.51.100.1?Subject=x"));
        target.routes = RouteHeader::parse_list("<sip:edge1;lr>, <sip:edge2;lr>").expect("routes");
        target.edits = vec![Edit::Append("X-Branch".into(), "1".into())];
        let edits = [
            Edit::Remove("Proxy-Authorization".into()),
            Edit::Set("X-Set".into(), "2".into()),
            Edit::Prepend(HeaderName::HistoryInfo, "<sip:b@example.com>;index=1".into()),
        ];
        let original =
            request("Max-Forwards: 70\r\nProxy-Authorization: Digest x=y\r\nX-Set: 1\r\n");
        let (mut copy, next) = retarget(&original, &target, &edits).expect("a copy");
        assert_eq!(next.as_str(), "sip:edge1;lr");
        let interface = Interface {
            transport: Transport::Udp,
            local: SocketAddr::from(([192, 0, 2, 10], 5060)),
            host: Host::from(std::net::IpAddr::from([192, 0, 2, 10])),
            port: 5060,
        };
        let record_routes = RecordRouteHeader::parse_list("<sip:r1;lr>, <sip:r2;lr>").expect("r");
        finish(&mut copy, &interface, ("z9hG4bKx", false), &record_routes);
        let text = String::from_utf8(copy.to_vec()).expect("text");
        let expected = "INVITE sip:b@198.51.100.1 SIP/2.0\r\n\
            Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKx;rport\r\n\
            Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\n\
            Record-Route: <sip:r1;lr>\r\nRecord-Route: <sip:r2;lr>\r\n\
            History-Info: <sip:b@example.com>;index=1\r\n\
            Route: <sip:edge1;lr>\r\nRoute: <sip:edge2;lr>\r\n\
            Max-Forwards: 69\r\n\
            From: <sip:a@example.com>;tag=f\r\nTo: <sip:b@example.com>\r\nCall-ID: c1\r\n\
            CSeq: 2 INVITE\r\nX-Set: 2\r\nX-Branch: 1\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(text, expected);
        // The original is untouched.
        assert_eq!(original.request_uri().map(Uri::as_str), Some("sip:b@example.com"));
    }

    #[test]
    fn rfc3261_16_6_step_6_a_strict_router_gets_its_own_uri() {
        let original = request("Route: <sip:strict.example.com>, <sip:loose;lr>\r\n");
        let target = ForwardTarget::new(uri("sip:b@198.51.100.1"));
        let (copy, next) = retarget(&original, &target, &[]).expect("a copy");
        assert_eq!(next.as_str(), "sip:strict.example.com");
        assert_eq!(copy.request_uri().map(Uri::as_str), Some("sip:strict.example.com"));
        assert_eq!(routes(&copy), ["sip:loose;lr", "sip:b@198.51.100.1"]);
    }

    #[test]
    fn without_routes_the_request_uri_decides() {
        let target = ForwardTarget::new(uri("sip:b@198.51.100.1;transport=tcp"));
        let (copy, next) = retarget(&request(""), &target, &[]).expect("a copy");
        assert_eq!(next, target.uri);
        assert_eq!(copy.max_forwards().expect("a value").map(|m| m.0), Some(70), "step 3");
    }

    #[test]
    fn rfc3261_18_2_2_responses_follow_the_via() {
        for (text, expected) in [
            ("SIP/2.0/UDP 198.51.100.1;branch=x", Some("UDP 198.51.100.1:5060")),
            ("SIP/2.0/UDP 198.51.100.1:5070;branch=x", Some("UDP 198.51.100.1:5070")),
            ("SIP/2.0/UDP h:5070;received=198.51.100.9", Some("UDP 198.51.100.9:5070")),
            ("SIP/2.0/UDP h;received=198.51.100.9;rport=4000", Some("UDP 198.51.100.9:4000")),
            (
                "SIP/2.0/UDP h;maddr=198.51.100.8;received=198.51.100.9",
                Some("UDP 198.51.100.8:5060"),
            ),
            ("SIP/2.0/TLS 198.51.100.1;branch=x", Some("TLS 198.51.100.1:5061")),
            ("SIP/2.0/UDP h;branch=x", None),
        ] {
            let via = Via::parse_one(text).expect("a Via");
            let got = response_destination(&via).map(|d| format!("{} {}", d.transport, d.remote));
            assert_eq!(got.as_deref(), expected, "{text}");
        }
    }
}
