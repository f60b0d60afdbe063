//! Request validation and preparation (RFC 3261 sections 16.3 and 16.4).

use super::branch::Branch;
use super::endpoint::Interfaces;
use super::record_route;
use super::secret::Secret;
use crate::header::{HeaderError, HeaderName, RouteHeader, Via};
use crate::message::{Message, Method};
use crate::uri::{Scheme, Uri};

/// A request that is not let through: the response that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) field: Option<(HeaderName, String)>,
}

impl Refusal {
    pub(crate) const fn new(status: u16) -> Self {
        Self { status, field: None }
    }
}

impl From<HeaderError> for Refusal {
    fn from(_: HeaderError) -> Self {
        Self::new(400)
    }
}

/// Checks that do not depend on whether the request is for us or will be forwarded. Max-Forwards does: see
/// [`has_hops_left`]. Authorization is the caller's business (section 16.3 step 6).
pub(crate) fn validate(
    request: &Message,
    interfaces: &Interfaces,
    loop_hash: impl Fn() -> Result<[u8; 6], HeaderError>,
    supported: &[String],
) -> Result<(), Refusal> {
    // Step 2: the scheme of the Request-URI. URNs of services stand for emergency numbers (RFC 5031).
    let uri = request.request_uri();
    let is_known = uri.is_none_or(|uri| match uri.scheme() {
        Scheme::Sip | Scheme::Sips | Scheme::Tel => true,
        Scheme::Other => is_service_urn(uri),
    });
    if !is_known {
        return Err(Refusal::new(416));
    }
    // Step 4: a Via of ours with the same hash means that the request would go round again.
    let passes = |via: &Via| {
        if interfaces.wrote(via.host(), via.port_or_default())
            && let Some(branch) = Branch::read(via)
            && branch.loop_hash == loop_hash()?
        {
            return Err(Refusal::new(482));
        }
        Ok(())
    };
    passes(&*request.top_via()?)?;
    for via in request.vias_below() {
        passes(&via?)?;
    }
    // Step 5. ACK and CANCEL do not come here (section 8.2.2.3).
    let known: Vec<&str> = supported.iter().map(String::as_str).collect();
    let unknown = request.option_tags(HeaderName::ProxyRequire)?.unknown(&known);
    if !unknown.is_empty() {
        let field = Some((HeaderName::Unsupported, unknown.to_string()));
        return Err(Refusal { status: 420, field });
    }
    Ok(())
}

/// `urn:service:..` (RFC 5031).
pub(crate) fn is_service_urn(uri: &Uri) -> bool {
    uri.scheme_text().eq_ignore_ascii_case("urn")
        && uri.after_scheme().get(..8).is_some_and(|start| start.eq_ignore_ascii_case("service:"))
}

/// Whether Max-Forwards lets the request be forwarded (step 3).
pub(crate) fn has_hops_left(request: &Message) -> Result<bool, HeaderError> {
    Ok(request.max_forwards()?.is_none_or(|left| left.0 > 0))
}

/// Undoes what a strict router did (section 16.4): when the Request-URI is an entry that we wrote into
/// Record-Route, the real one stands last in Route.
pub(crate) fn undo_strict_routing(
    secret: &Secret,
    interfaces: &Interfaces,
    request: &mut Message,
) -> Result<(), HeaderError> {
    let call_id = request.call_id()?.to_owned();
    let Some(uri) = request.request_uri() else { return Ok(()) };
    if interfaces.named_by(uri).is_none() {
        return Ok(());
    }
    if record_route::read(secret, &call_id, uri).is_some() {
        let own = RouteHeader::new(uri.clone());
        if let Some(last) = request.pop_last::<RouteHeader>()? {
            request.set_request_uri(last.uri());
            // What the entry says about the way on is read with the other Route entries.
            request.push_route(&own);
        }
        return Ok(());
    }
    Ok(())
}

/// Whether a method sets up a dialog, so that requests in it should come through us again.
pub(crate) const fn makes_dialog(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Subscribe | Method::Refer | Method::Notify)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Transport;
    use crate::message::Limits;
    use crate::proxy::Interface;
    use crate::uri::Host;
    use std::net::SocketAddr;

    fn message(uri: &str, fields: &str) -> Message {
        let text = format!(
            "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n{fields}\
             From: <sip:a@example.com>;tag=f\r\nTo: <sip:b@example.com>\r\nCall-ID: c1\r\n\
             CSeq: 2 INVITE\r\nContent-Length: 0\r\n\r\n"
        );
        Message::parse(text.into(), &Limits::default()).expect("a request")
    }

    fn interfaces() -> Interfaces {
        let local = SocketAddr::from(([192, 0, 2, 10], 5060));
        let host = Host::from(local.ip());
        Interfaces(vec![Interface { transport: Transport::Udp, local, host, port: 5060 }])
    }

    fn check(request: &Message) -> Result<(), Refusal> {
        validate(request, &interfaces(), || Ok([1; 6]), &["known".to_owned()])
    }

    #[test]
    fn rfc3261_16_3_step_2_schemes() {
        for (uri, status) in [
            ("sip:b@example.com", None),
            ("sips:b@example.com", None),
            ("tel:+431234", None),
            ("urn:service:sos", None),
            ("URN:Service:sos.fire", None),
            ("urn:uuid:1", Some(416)),
            ("http://example.com", Some(416)),
            ("nobodyKnowsThisScheme:x", Some(416)),
        ] {
            assert_eq!(check(&message(uri, "")).err().map(|r| r.status), status, "{uri}");
        }
    }

    #[test]
    fn rfc3261_16_3_step_4_a_loop_is_not_a_spiral() {
        let secret = Secret::from_bytes([1; 32]);
        let with = |hash, host: &str| {
            let branch = Branch::new(&secret, 5, hash, None).to_text();
            let via = format!(
                "Via: SIP/2.0/UDP x;branch=z9hG4bK7, SIP/2.0/UDP {host};branch={branch}\r\n"
            );
            check(&message("sip:b@example.com", &via)).err().map(|r| r.status)
        };
        assert_eq!(with([1; 6], "192.0.2.10"), Some(482));
        assert_eq!(with([2; 6], "192.0.2.10"), None, "a spiral");
        assert_eq!(with([1; 6], "192.0.2.11"), None, "somebody else's");
    }

    #[test]
    fn rfc3261_16_3_step_5_proxy_require() {
        let refused = check(&message("sip:b@example.com", "Proxy-Require: known, a, b\r\n"));
        let field = Some((HeaderName::Unsupported, "a, b".to_owned()));
        assert_eq!(refused, Err(Refusal { status: 420, field }));
        assert_eq!(check(&message("sip:b@example.com", "Proxy-Require: KNOWN\r\n")), Ok(()));
    }

    #[test]
    fn rfc3261_16_3_step_3_max_forwards() {
        for (fields, left) in
            [("", true), ("Max-Forwards: 1\r\n", true), ("Max-Forwards: 0\r\n", false)]
        {
            assert_eq!(has_hops_left(&message("sip:b@example.com", fields)), Ok(left), "{fields}");
        }
    }

    #[test]
    fn rfc3261_16_4_a_strict_router_is_undone() {
        let secret = Secret::from_bytes([1; 32]);
        let all = interfaces();
        let udp = all.0.first().expect("an interface");
        let entries = record_route::entries(&secret, "c1", false, (udp, None), (udp, None));
        let own = entries.first().expect("an entry").uri().to_string();
        let mut request = message(&own, "Route: <sip:next.example.com;lr>, <sip:b@192.0.2.77>\r\n");
        assert_eq!(undo_strict_routing(&secret, &all, &mut request), Ok(()));
        assert_eq!(request.request_uri().map(Uri::as_str), Some("sip:b@192.0.2.77"));
        let routes: Vec<String> =
            request.routes().expect("routes").iter().map(|r| r.uri().to_string()).collect();
        assert_eq!(routes, [own, "sip:next.example.com;lr".to_owned()]);
        // A request for this very element is left alone.
        let mut request = message("sip:192.0.2.10", "Route: <sip:b@192.0.2.77>\r\n");
        assert_eq!(undo_strict_routing(&secret, &all, &mut request), Ok(()));
        assert_eq!(request.request_uri().map(Uri::as_str), Some("sip:192.0.2.10"));
    }
}
