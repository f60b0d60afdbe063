//! What a registrar must know of a REGISTER.

use super::Reply;
use crate::header::{Contact, Contacts, Expires, Header, HeaderError, HeaderName, Transport};
use crate::message::Message;
use crate::uri::{Host, Uri};
use ngn_model::{Aor, Binding};
use std::net::{IpAddr, SocketAddr};

/// The octets of a Call-ID, an instance id and a User-Agent that are kept: as many as their columns hold.
const MAX_WORD: usize = 255;
/// The octets that a contact and a Path may have.
const MAX_URI: usize = 2048;

/// Where a REGISTER came from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The transport.
    pub transport: &'a Transport,
    /// The peer's address.
    pub remote: SocketAddr,
    /// Our own socket, as [`Binding::socket`] has it.
    pub socket: &'a str,
    /// The node that got it, as [`Binding::node`] has it when only that one can reach the phone.
    pub node: &'a str,
}

/// The facts of a REGISTER.
#[derive(Debug, Clone, PartialEq)]
pub struct Register {
    /// The address of record, from To.
    pub aor: Aor,
    /// The contacts; an empty list asks for the bindings that hold.
    pub contacts: Contacts,
    /// The Expires field; `None` when it is missing or malformed, which means the default.
    pub expires: Option<u32>,
    /// Call-ID, cut to 255 octets.
    pub call_id: String,
    /// The number of CSeq.
    pub cseq: u32,
    /// The Path fields as one value, empty when there are none.
    pub path: String,
    /// Path is among the option tags that the phone supports.
    pub supports_path: bool,
    /// Outbound is among the option tags that the phone supports.
    pub supports_outbound: bool,
    /// The flow may be registered: the phone is connected to us or to an edge proxy that says so (RFC 5626
    /// section 6). Elsewise `reg-id` is refused, and ignored when the phone does not say that it supports outbound.
    pub is_flow_known: bool,
    /// User-Agent, cut to 255 octets.
    pub user_agent: String,
    /// Where the phone itself is, when the request came straight from it.
    pub source: Option<(Transport, SocketAddr)>,
    /// The top Via names the very address and port that the request came from: no translation is in between.
    pub is_via_true: bool,
    /// Our own socket.
    pub socket: String,
    /// The node that got the request.
    pub node: String,
}

impl Register {
    /// Gathers the facts. The request has passed [`Message::parse`], so errors are rare.
    pub fn read(message: &Message, aor: Aor, origin: &Origin<'_>) -> Result<Self, HeaderError> {
        let vias = message.vias()?;
        let paths = message.paths()?;
        let is_direct = vias.len() == 1 && paths.is_empty();
        let expires = message.field(HeaderName::Expires).and_then(|field| field.text());
        let supported = message.option_tags(HeaderName::Supported).unwrap_or_default();
        let user_agent = message.field(HeaderName::UserAgent).map(|field| field.unfolded());
        let is_via_true = vias.first().is_some_and(|via| {
            let ip = via.host().ip().map(|ip| ip.to_canonical());
            ip == Some(origin.remote.ip().to_canonical())
                && via.port_or_default() == origin.remote.port()
        });
        let path: Vec<_> = paths.iter().map(ToString::to_string).collect();
        // The RFC speaks of the first URI of Path, but the edge proxy's is the last one: either will do.
        let has_edge = paths.iter().any(|path| path.uri().has_param("ob"));
        Ok(Self {
            aor,
            contacts: message.contacts()?,
            expires: expires.and_then(|text| Expires::parse(text).ok()).map(|expires| expires.0),
            call_id: cut(message.call_id()?, MAX_WORD),
            cseq: message.cseq()?.number,
            path: path.join(", "),
            supports_path: supported.has("path"),
            supports_outbound: supported.has("outbound"),
            is_flow_known: is_direct || has_edge,
            user_agent: cut(&user_agent.unwrap_or_default(), MAX_WORD),
            source: is_direct.then(|| (origin.transport.clone(), origin.remote)),
            is_via_true,
            socket: origin.socket.to_owned(),
            node: origin.node.to_owned(),
        })
    }

    /// The binding of a contact; refused when we could not send anything to it or not keep it.
    pub(super) fn binding(
        &self,
        contact: &Contact,
        seconds: u32,
        now: i64,
    ) -> Result<Binding, Reply> {
        let uri = contact.uri();
        if !uri.is_sip() {
            return Err(Reply::refusal(400, "Contact Is Not a SIP URI"));
        }
        let instance = contact.instance();
        if uri.as_str().len() > MAX_URI
            || self.path.len() > MAX_URI
            || instance.as_ref().is_some_and(|instance| instance.len() > MAX_WORD)
        {
            return Err(Reply::refusal(400, "Contact or Path Too Long"));
        }
        let asked = contact.reg_id().filter(|_| instance.is_some());
        if asked.is_some() && self.supports_outbound && !self.is_flow_known {
            // RFC 5626 sections 6 and 11.6: the phone registers again without flows.
            return Err(Reply::refusal(439, "First Hop Lacks Outbound Support"));
        }
        let reg_id = asked.filter(|_| self.is_flow_known);
        let received = self.received(uri);
        // Any node can send to a contact that is reached at its own address, or through the proxies of its Path.
        let node = received.as_ref().map_or_else(String::new, |_| self.node.clone());
        Ok(Binding {
            aor: self.aor.clone(),
            contact: uri.as_str().to_owned(),
            received,
            path: self.path.clone(),
            expires_at: now.saturating_add(i64::from(seconds) * 1000),
            q: contact.q().unwrap_or(1000),
            call_id: self.call_id.clone(),
            cseq: self.cseq,
            user_agent: self.user_agent.clone(),
            socket: self.socket.clone(),
            reg_id: reg_id.unwrap_or(0),
            instance,
            node,
            last_modified: now,
        })
    }

    /// Where requests for a contact must go when the contact itself does not say: back to the source, over
    /// the connection that the phone opened, or through the translator that it is behind.
    ///
    /// A request that came through a proxy shows the proxy's address, which says nothing about the contact.
    fn received(&self, contact: &Uri) -> Option<String> {
        let (transport, remote) = self.source.as_ref()?;
        let (address, port) = (remote.ip().to_canonical(), remote.port());
        let is_true = match contact.host()?.ip().map(|ip| ip.to_canonical()) {
            None => self.is_via_true,
            Some(ip) => {
                let contact_port = contact.port().unwrap_or_else(|| transport.default_port());
                // Without translation a phone may listen elsewhere than it sends from, but not in a network
                // of its own that we cannot see.
                (ip == address && contact_port == port)
                    || (self.is_via_true && (ip == address || !is_local(ip)))
            }
        };
        if is_true && !transport.is_reliable() {
            return None;
        }
        let name = transport.as_str().to_ascii_lowercase();
        Some(format!("sip:{}:{port};transport={name}", Host::from(address)))
    }
}

/// Whether an address means something within one network or machine only.
fn is_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || is_shared
        }
        IpAddr::V6(ip) => {
            ip.is_unique_local()
                || ip.is_loopback()
                || ip.is_unicast_link_local()
                || ip.is_unspecified()
        }
    }
}

/// At most `max` octets of a text, ending at a character.
fn cut(text: &str, max: usize) -> String {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("").to_owned()
}
