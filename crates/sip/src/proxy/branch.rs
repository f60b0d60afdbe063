//! The branch that we write into our Via: unique, loop-detecting and recognisable
//! (RFC 3261 sections 8.1.1.7, 16.6 step 8 and 16.11; RFC 5393 section 4.2).
//!
//! ```text
//! z9hG4bKn  id (8 octets)  loop (6)  signature (6)      all in base64url
//! ```
//!
//! - `id` cannot be guessed and finds the client transaction.
//! - `loop` is a hash over all that decides where the request goes. When the request comes back and the hash
//!   is the same, it would go the same way again: a loop. When it differs, it is a spiral, which is allowed.
//! - the signature binds both to the branch of the hop before. It lets us tell a late 2xx to a request that we
//!   did forward from one that somebody made up, without remembering the request: RFC 6026 section 8.13 forbids
//!   to forward just any response that belongs to no transaction.

use super::secret::{Purpose, Secret, decode, encode, same};
use crate::header::{HeaderError, HeaderName, Via};
use crate::message::Message;
use std::net::IpAddr;

/// What begins our branches, after the cookie.
const MARK: &str = "n";

/// A branch of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Branch {
    /// The unique part.
    pub(crate) id: u64,
    /// The hash over what decides about the route.
    pub(crate) loop_hash: [u8; 6],
    signature: [u8; 6],
}

impl Branch {
    /// Makes the branch for a request on its way from the hop whose Via is topmost in it now.
    pub(crate) fn new(secret: &Secret, id: u64, loop_hash: [u8; 6], before: Option<&str>) -> Self {
        let signature = sign(secret, id, loop_hash, before);
        Self { id, loop_hash, signature }
    }

    /// The branch of a request that is forwarded without state: the same for each retransmission
    /// (section 16.11).
    pub(crate) fn stateless(secret: &Secret, before: &str, request: &Message) -> Self {
        let uri = request.request_uri().map_or("", |uri| uri.as_str());
        let parts = [before.as_bytes(), uri.as_bytes()];
        let id = u64::from_be_bytes(secret.sign_short(Purpose::Stateless, &parts));
        Self::new(secret, id, [0; 6], Some(before))
    }

    /// Reads the branch of a Via, when it has the form of ours.
    pub(crate) fn read(via: &Via) -> Option<Self> {
        let text = via.rfc3261_branch()?.get(Via::COOKIE.len()..)?.strip_prefix(MARK)?;
        let octets: [u8; 20] = decode(text)?.try_into().ok()?;
        let [a, b, c, d, e, f, g, h, rest @ ..] = octets;
        let [i, j, k, l, m, n, signature @ ..] = rest;
        let id = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        Some(Self { id, loop_hash: [i, j, k, l, m, n], signature })
    }

    /// Whether we made it for a request that came with this branch in the Via below ours.
    pub(crate) fn is_genuine(&self, secret: &Secret, before: Option<&str>) -> bool {
        same(&self.signature, &sign(secret, self.id, self.loop_hash, before))
    }

    /// The branch as it stands in a Via.
    pub(crate) fn to_text(self) -> String {
        let mut octets = [0; 20];
        let parts = self.id.to_be_bytes().into_iter().chain(self.loop_hash).chain(self.signature);
        for (octet, part) in octets.iter_mut().zip(parts) {
            *octet = part;
        }
        format!("{}{MARK}{}", Via::COOKIE, encode(&octets))
    }
}

fn sign(secret: &Secret, id: u64, loop_hash: [u8; 6], before: Option<&str>) -> [u8; 6] {
    let before = before.unwrap_or("").as_bytes();
    secret.sign_short(Purpose::Branch, &[&id.to_be_bytes(), &loop_hash, before])
}

/// The hash over what decides where a request goes: Request-URI and Route as received, the dialog's and the
/// request's identity, Proxy-Require and Proxy-Authorization, and the address that it came from, since peers
/// that are trusted by address are routed differently. Via and Max-Forwards, which change with each hop, are
/// not in it (RFC 5393 section 4.2.2).
pub(crate) fn loop_hash(
    secret: &Secret,
    request: &Message,
    from: IpAddr,
) -> Result<[u8; 6], HeaderError> {
    let uri = request.request_uri().map_or("", |uri| uri.as_str());
    let cseq = request.cseq()?.to_string();
    let (from_header, to_header) = (request.from_header()?, request.to_header()?);
    let source = from.to_string();
    let mut parts: Vec<&[u8]> = vec![
        uri.as_bytes(),
        request.call_id()?.as_bytes(),
        from_header.tag().unwrap_or("").as_bytes(),
        to_header.tag().unwrap_or("").as_bytes(),
        cseq.as_bytes(),
        source.as_bytes(),
    ];
    for name in [HeaderName::Route, HeaderName::ProxyRequire, HeaderName::ProxyAuthorization] {
        parts.push(name.as_str().as_bytes());
        parts.extend(request.named(name).map(|field| field.value()));
    }
    Ok(secret.sign_short(Purpose::Loop, &parts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Transport;
    use crate::message::Limits;
    use crate::uri::Host;

    fn via(branch: &str) -> Via {
        Via::new(Transport::Udp, Host::parse("p.example.com").expect("a host"), None, branch)
    }

    #[test]
    fn a_branch_is_read_as_it_was_written() {
        let secret = Secret::from_bytes([1; 32]);
        let branch = Branch::new(&secret, 0x0102_0304_0506_0708, [9; 6], Some("z9hG4bKclient"));
        let text = branch.to_text();
        assert!(text.starts_with("z9hG4bKn"), "{text}");
        assert_eq!(text.len(), 35);
        assert_eq!(Branch::read(&via(&text)), Some(branch));
        for other in ["z9hG4bK", "z9hG4bKnabc", "z9hG4bK776asdhds", "n", &text[..34]] {
            assert_eq!(Branch::read(&via(other)), None, "{other}");
        }
    }

    #[test]
    fn rfc6026_8_13_only_branches_that_we_made_are_genuine() {
        let secret = Secret::from_bytes([1; 32]);
        let branch = Branch::new(&secret, 7, [9; 6], Some("z9hG4bKclient"));
        assert!(branch.is_genuine(&secret, Some("z9hG4bKclient")));
        assert!(!branch.is_genuine(&secret, Some("z9hG4bKother")));
        assert!(!branch.is_genuine(&Secret::from_bytes([2; 32]), Some("z9hG4bKclient")));
        assert!(!Branch { id: 8, ..branch }.is_genuine(&secret, Some("z9hG4bKclient")));
    }

    #[test]
    fn rfc5393_4_2_2_the_loop_hash_ignores_what_each_hop_changes() {
        let secret = Secret::from_bytes([1; 32]);
        let hash = |edit: &dyn Fn(String) -> String| {
            let text = "INVITE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n\
                Max-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=f\r\nTo: <sip:b@example.com>\r\n\
                Call-ID: c1\r\nCSeq: 1 INVITE\r\nRoute: <sip:r.example.com;lr>\r\n\
                Content-Length: 0\r\n\r\n";
            let text = edit(text.to_owned());
            let message = Message::parse(text.into(), &Limits::default()).expect("a request");
            loop_hash(&secret, &message, IpAddr::from([192, 0, 2, 1])).expect("a hash")
        };
        let base = hash(&|text| text);
        assert_eq!(base, hash(&|text| text.replace("Max-Forwards: 70", "Max-Forwards: 68")));
        assert_eq!(
            base,
            hash(&|text| text.replace("Via: ", "Via: SIP/2.0/UDP x;branch=y\r\nVia: "))
        );
        for (from, to) in [
            ("INVITE sip:b@", "INVITE sip:c@"),
            ("tag=f", "tag=g"),
            ("To: <sip:b@example.com>", "To: <sip:b@example.com>;tag=t"),
            ("c1", "c2"),
            ("CSeq: 1", "CSeq: 2"),
            ("sip:r.example", "sip:s.example"),
            ("Content-", "Proxy-Require: x\r\nContent-"),
        ] {
            assert_ne!(base, hash(&|text| text.replace(from, to)), "{from}");
        }
    }
}
