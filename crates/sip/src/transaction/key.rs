//! What messages of one transaction have in common (RFC 3261 sections 17.1.3, 17.2.3 and 8.2.2.2).

use crate::header::scan::{push_address, push_decimal};
use crate::header::{HeaderError, Via};
use crate::message::{Message, Method};
use crate::uri::Host;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};
use std::num::NonZeroU64;

/// What the requests of one server transaction have in common (section 17.2.3), as one text: for RFC 3261 clients the
/// branch, sent-by and method; for RFC 2543 clients, whose branch says nothing, the fields that section names. An ACK has
/// the text of the INVITE that it acknowledges.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct KeyText(String);

impl KeyText {
    /// The text of a request.
    pub fn of(request: &Message) -> Result<Self, HeaderError> {
        let mut text = Self(String::with_capacity(96));
        text.read(request)?;
        Ok(text)
    }

    /// The text of the INVITE that a CANCEL means (section 9.2).
    pub fn cancelled_by(cancel: &Message) -> Result<Self, HeaderError> {
        let mut text = Self(String::with_capacity(96));
        text.write(cancel, &Method::Invite)?;
        Ok(text)
    }

    /// The texts of other requests that a CANCEL may mean, which it does not end (section 9.2): those of all methods known here.
    pub(crate) fn spared_by(cancel: &Message) -> impl Iterator<Item = Self> {
        let is_spared =
            |method: &&Method| !matches!(method, Method::Invite | Method::Ack | Method::Cancel);
        Method::KNOWN.iter().filter(is_spared).filter_map(|method| {
            let mut text = Self::default();
            text.write(cancel, method).ok()?;
            Some(text)
        })
    }

    /// Becomes the text of a request, in the same room.
    pub fn read(&mut self, request: &Message) -> Result<(), HeaderError> {
        let method = request.method().unwrap_or(&Method::Ack);
        self.write(request, if *method == Method::Ack { &Method::Invite } else { method })
    }

    /// The text as octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Gives back what only a long request needed.
    pub(crate) fn shrink(&mut self) {
        self.0.clear();
        self.0.shrink_to(1024);
    }

    fn write(&mut self, request: &Message, method: &Method) -> Result<(), HeaderError> {
        let key = &mut self.0;
        key.clear();
        let via = request.top_via()?;
        if let Some(branch) = via.rfc3261_branch() {
            key.push_str(branch);
            push_sent_by(key, &via);
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
            key.push('\n');
            push_decimal(key, request.cseq()?.number);
            push_sent_by(key, &via);
            key.push_str(via.branch().unwrap_or(""));
        }
        key.push('\n');
        key.push_str(method.as_str());
        Ok(())
    }
}

fn push_sent_by(key: &mut String, via: &Via) {
    key.push('\n');
    let before = key.len();
    match via.host() {
        Host::Name(name) => key.push_str(name),
        Host::V4(address) => push_address(key, (*address).into()),
        Host::V6(address) => {
            let _ = write!(key, "[{address}]");
        }
    }
    if let Some(host) = key.get_mut(before..) {
        host.make_ascii_lowercase();
    }
    key.push(':');
    push_decimal(key, via.port_or_default().into());
}

/// Finds a server transaction: a digest of its [`KeyText`]. Two texts that somebody chose without knowing what the digests
/// of this process are keyed with have the same one with a probability of 1 in 2^128.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerKey(u64, u64);

/// Finds other arrivals of the same request over another path (section 8.2.2.2): a digest of From tag, Call-ID and `CSeq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MergeKey(NonZeroU64);

/// Makes digests, each as if at random for whoever does not know this very value.
#[derive(Debug, Clone)]
pub struct Digests([RandomState; 3]);

impl Digests {
    /// Others each time.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "no two are alike")]
    pub fn new() -> Self {
        Self(std::array::from_fn(|_| RandomState::new()))
    }

    /// The key of a server transaction.
    #[must_use]
    pub fn server(&self, text: &KeyText) -> ServerKey {
        let [first, second, _] = &self.0;
        let of = |state: &RandomState| {
            let mut hasher = state.build_hasher();
            hasher.write(text.as_bytes());
            hasher.finish()
        };
        ServerKey(of(first), of(second))
    }

    /// The key of a request without To tag; `None` when it has one.
    pub fn merge(&self, request: &Message) -> Result<Option<MergeKey>, HeaderError> {
        if request.to_header()?.tag().is_some() {
            return Ok(None);
        }
        let from = request.from_header()?;
        let cseq = request.cseq()?;
        let [.., third] = &self.0;
        let mut hasher = third.build_hasher();
        for part in [from.tag().unwrap_or(""), request.call_id()?, cseq.method.as_str()] {
            hasher.write(part.as_bytes());
            // No part has it in itself.
            hasher.write_u8(b'\n');
        }
        hasher.write_u32(cseq.number);
        Ok(Some(MergeKey(NonZeroU64::new(hasher.finish()).unwrap_or(NonZeroU64::MIN))))
    }
}

/// Finds the client transaction of a response (section 17.1.3): the unique part of the branch that we wrote
/// into the topmost Via, and whether the response is to a CANCEL, which has the branch of its INVITE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientKey {
    /// The unique part of the branch.
    pub branch: u64,
    /// Whether `CSeq` says CANCEL.
    pub is_cancel: bool,
}

/// A table by keys that nobody outside can choose: digests, or numbers of ours. They are spread well as they are.
pub type ByKey<K, V> = HashMap<K, V, BuildHasherDefault<AsItIs>>;

/// Takes the octets of a key for its hash.
#[derive(Debug, Clone, Copy, Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.0 = self.0.rotate_left(8) ^ u64::from(*octet);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 ^= number;
    }

    fn finish(&self) -> u64 {
        self.0
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

    fn key(method: &str, via: &str) -> KeyText {
        KeyText::of(&request(method, "sip:b@example.com", via, "<sip:b@example.com>", 1))
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
        assert_eq!(KeyText::cancelled_by(&cancel).ok(), Some(key("INVITE", via)));
    }

    #[test]
    fn rfc2543_clients_are_told_apart_by_their_fields() {
        let via = "SIP/2.0/UDP a.example.com;branch=1";
        let of = |method, uri, via, to, cseq| {
            KeyText::of(&request(method, uri, via, to, cseq)).expect("a key")
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
        let digests = Digests::new();
        let of = |via, to, cseq| {
            digests.merge(&request("REGISTER", "sip:example.com", via, to, cseq)).expect("a key")
        };
        let one = of("SIP/2.0/UDP a;branch=z9hG4bK1", "<sip:b@example.com>", 1);
        assert!(one.is_some());
        assert_eq!(one, of("SIP/2.0/UDP a;branch=z9hG4bK2", "<sip:b@example.com>", 1));
        assert_ne!(one, of("SIP/2.0/UDP a;branch=z9hG4bK2", "<sip:b@example.com>", 2));
        assert_eq!(of("SIP/2.0/UDP a;branch=z9hG4bK1", "<sip:b@example.com>;tag=t", 1), None);
    }

    #[test]
    fn digests_tell_texts_apart_and_are_others_in_each_process() {
        let digests = Digests::new();
        let texts: Vec<KeyText> = (0..1000).map(|n| KeyText(format!("z9hG4bK{n}"))).collect();
        let keys: HashMap<ServerKey, usize> =
            texts.iter().map(|text| digests.server(text)).zip(0..).collect();
        assert_eq!(keys.len(), texts.len());
        for (n, text) in texts.iter().enumerate() {
            assert_eq!(keys.get(&digests.server(text)), Some(&n));
        }
        let ServerKey(first, second) = digests.server(&KeyText::default());
        assert_ne!(first, second, "two digests, not one twice");
        assert_ne!(digests.server(&KeyText::default()), Digests::new().server(&KeyText::default()));
    }

    #[test]
    fn a_text_is_read_anew_in_the_same_room() {
        let via = "SIP/2.0/UDP a.example.com;branch=z9hG4bK1";
        let mut text = KeyText("what was there".to_owned());
        let bye = request("BYE", "sip:b@example.com", via, "<sip:b@example.com>", 1);
        text.read(&bye).expect("a key");
        assert_eq!(text, key("BYE", via));
    }

    #[test]
    fn keys_of_clients_differ_by_branch_and_cancel() {
        let mut found = ByKey::default();
        for branch in 0..1000_u64 {
            for is_cancel in [false, true] {
                found.insert(ClientKey { branch, is_cancel }, (branch, is_cancel));
            }
        }
        assert_eq!(found.len(), 2000);
        assert!(found.iter().all(|(key, of)| (key.branch, key.is_cancel) == *of));
    }
}
