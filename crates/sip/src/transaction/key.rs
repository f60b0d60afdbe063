//! What messages of one transaction have in common (RFC 3261 sections 17.1.3, 17.2.3 and 8.2.2.2).

use crate::header::{HeaderError, Via};
use crate::message::{Message, Method};
use std::fmt::Write as _;
use std::sync::Arc;

/// Finds the server transaction of a request (section 17.2.3).
///
/// It is one text, so that a look-up hashes and compares once: for RFC 3261 clients the branch, sent-by and
/// method; for RFC 2543 clients, whose branch says nothing, the fields that section names. An ACK has the
/// key of the INVITE that it acknowledges. Copies share the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerKey(Arc<str>);

impl ServerKey {
    /// The key of a request.
    pub fn of(request: &Message) -> Result<Self, HeaderError> {
        let method = request.method().unwrap_or(&Method::Ack);
        Self::with_method(request, if *method == Method::Ack { &Method::Invite } else { method })
    }

    /// The key of the INVITE that a CANCEL means (section 9.2).
    pub fn cancelled_by(cancel: &Message) -> Result<Self, HeaderError> {
        Self::with_method(cancel, &Method::Invite)
    }

    fn with_method(request: &Message, method: &Method) -> Result<Self, HeaderError> {
        let via = request.top_via()?;
        let mut key = String::with_capacity(96);
        if let Some(branch) = via.rfc3261_branch() {
            key.push_str(branch);
            push_sent_by(&mut key, &via);
        } else {
            // RFC 2543: no branch that is unique. The To tag is left out for INVITE, since its ACK has the
            // tag of the response while the INVITE itself has none.
            key.push_str(request.request_uri().map_or("", |uri| uri.as_str()));
            key.push('\n');
            key.push_str(request.from_header()?.tag().unwrap_or(""));
            key.push('\n');
            if *method != Method::Invite {
                key.push_str(request.to_header()?.tag().unwrap_or(""));
            }
            key.push('\n');
            key.push_str(request.call_id()?);
            let _ = write!(key, "\n{}", request.cseq()?.number);
            push_sent_by(&mut key, &via);
            key.push_str(via.branch().unwrap_or(""));
        }
        key.push('\n');
        key.push_str(method.as_str());
        Ok(Self(key.into()))
    }

    /// The key as octets, for making tags from it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn push_sent_by(key: &mut String, via: &Via) {
    let before = key.len();
    let _ = write!(key, "\n{}:{}", via.host(), via.port_or_default());
    if let Some(sent_by) = key.get_mut(before..) {
        sent_by.make_ascii_lowercase();
    }
}

/// Finds the client transaction of a response (section 17.1.3): the unique part of the branch that we wrote
/// into the topmost Via, and whether the response is to a CANCEL, which has the branch of its INVITE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientKey {
    /// The unique part of the branch.
    pub branch: u64,
    /// Whether CSeq says CANCEL.
    pub is_cancel: bool,
}

/// Finds other arrivals of the same request over another path (section 8.2.2.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MergeKey(Arc<str>);

impl MergeKey {
    /// The key of a request without To tag; `None` when it has one.
    pub fn of(request: &Message) -> Result<Option<Self>, HeaderError> {
        if request.to_header()?.tag().is_some() {
            return Ok(None);
        }
        let from = request.from_header()?;
        let cseq = request.cseq()?;
        let key = format!("{}\n{}\n{cseq}", from.tag().unwrap_or(""), request.call_id()?);
        Ok(Some(Self(key.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Limits;

    fn request(method: &str, uri: &str, via: &str, to: &str, cseq: u32) -> Message {
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: {via}\r\nFrom: <sip:a@example.com>;tag=f\r\nTo: {to}\r\n\
             Call-ID: c1\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n"
        );
        Message::parse(text.into(), &Limits::default()).expect("a request")
    }

    fn key(method: &str, via: &str) -> ServerKey {
        ServerKey::of(&request(method, "sip:b@example.com", via, "<sip:b@example.com>", 1))
            .expect("a key")
    }

    #[test]
    fn rfc3261_17_2_3_branch_sent_by_and_method() {
        let via = "SIP/2.0/UDP a.example.com;branch=z9hG4bK1";
        assert_eq!(key("INVITE", via), key("INVITE", via));
        assert_eq!(key("INVITE", via), key("ACK", via));
        assert_eq!(
            key("INVITE", via),
            key("INVITE", "SIP/2.0/UDP A.Example.com:5060;branch=z9hG4bK1")
        );
        assert_eq!(
            key("INVITE", via),
            key("INVITE", &format!("{via};received=192.0.2.1;rport=7")),
            "what we write into the Via changes nothing"
        );
        assert_ne!(key("INVITE", via), key("CANCEL", via));
        assert_ne!(key("INVITE", via), key("BYE", via));
        assert_ne!(key("INVITE", via), key("INVITE", "SIP/2.0/UDP a.example.com;branch=z9hG4bK2"));
        assert_ne!(key("INVITE", via), key("INVITE", "SIP/2.0/UDP b.example.com;branch=z9hG4bK1"));
        assert_ne!(
            key("INVITE", via),
            key("INVITE", "SIP/2.0/UDP a.example.com:5070;branch=z9hG4bK1")
        );
    }

    #[test]
    fn rfc3261_9_2_a_cancel_names_its_invite() {
        let via = "SIP/2.0/UDP a.example.com;branch=z9hG4bK1";
        let cancel = request("CANCEL", "sip:b@example.com", via, "<sip:b@example.com>", 1);
        assert_eq!(ServerKey::cancelled_by(&cancel).ok(), Some(key("INVITE", via)));
    }

    #[test]
    fn rfc2543_clients_are_told_apart_by_their_fields() {
        let via = "SIP/2.0/UDP a.example.com;branch=1";
        let of = |method, uri, via, to, cseq| {
            ServerKey::of(&request(method, uri, via, to, cseq)).expect("a key")
        };
        let invite = of("INVITE", "sip:b@example.com", via, "<sip:b@example.com>", 1);
        assert_eq!(invite, of("INVITE", "sip:b@example.com", via, "<sip:b@example.com>", 1));
        assert_eq!(invite, of("ACK", "sip:b@example.com", via, "<sip:b@example.com>;tag=t", 1));
        assert_ne!(invite, of("INVITE", "sip:c@example.com", via, "<sip:b@example.com>", 1));
        assert_ne!(invite, of("INVITE", "sip:b@example.com", via, "<sip:b@example.com>", 2));
        let other = "SIP/2.0/UDP other.example.com;branch=1";
        assert_ne!(invite, of("INVITE", "sip:b@example.com", other, "<sip:b@example.com>", 1));
        let bye = of("BYE", "sip:b@example.com", via, "<sip:b@example.com>;tag=1", 2);
        assert_ne!(bye, of("BYE", "sip:b@example.com", via, "<sip:b@example.com>;tag=2", 2));
    }

    #[test]
    fn rfc3261_8_2_2_2_merged_requests_have_one_key() {
        let of = |via, to, cseq| {
            MergeKey::of(&request("REGISTER", "sip:example.com", via, to, cseq)).expect("a key")
        };
        let one = of("SIP/2.0/UDP a;branch=z9hG4bK1", "<sip:b@example.com>", 1);
        assert!(one.is_some());
        assert_eq!(one, of("SIP/2.0/UDP a;branch=z9hG4bK2", "<sip:b@example.com>", 1));
        assert_ne!(one, of("SIP/2.0/UDP a;branch=z9hG4bK2", "<sip:b@example.com>", 2));
        assert_eq!(of("SIP/2.0/UDP a;branch=z9hG4bK1", "<sip:b@example.com>;tag=t", 1), None);
    }
}
