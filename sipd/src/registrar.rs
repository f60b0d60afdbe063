//! RFC 3261 section 10.3 steps 6 to 8: what a REGISTER does to the bindings of an account. No clock, no sockets.

use crate::config::Registrar;
use ngn_model::{Aor, Binding};
use ngn_sip::header::{Contacts, Expires, HeaderName};
use ngn_sip::message::Message;
use ngn_sip::uri::Uri;
use std::net::{IpAddr, SocketAddr};

/// What comes of a REGISTER.
#[derive(Debug, Default, PartialEq)]
pub struct ChangeSet {
    /// All bindings afterwards.
    pub bindings: Vec<Binding>,
    /// Those to write.
    pub upserts: Vec<Binding>,
    /// Those to remove.
    pub deletes: Vec<Binding>,
}

/// Why a REGISTER is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 400, with the reason phrase.
    Malformed(&'static str),
    /// 423 with Min-Expires.
    TooBrief,
    /// 403: more contacts than an account may have.
    TooMany,
    /// 500: an older request of the same Call-ID (step 7).
    OutOfOrder,
}

/// Where a REGISTER came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The peer.
    pub peer: SocketAddr,
    /// The transport, lower case.
    pub transport: String,
    /// Whether the topmost Via names the peer's address, so that no NAT stands between.
    pub knows_its_address: bool,
    /// Our socket.
    pub socket: String,
}

impl Origin {
    /// Where requests for a contact must go instead of to the contact itself: back to where the REGISTER came from
    /// when that is behind NAT, or holds a connection.
    fn received(&self, contact: &Uri) -> Option<String> {
        let host = contact.host().and_then(|host| host.ip());
        let elsewhere = host.is_some_and(|host| {
            let private = match host {
                IpAddr::V4(host) => host.is_private(),
                IpAddr::V6(host) => host.is_unique_local(),
            };
            private && host != self.peer.ip()
        });
        let direct = self.transport == "udp" && self.knows_its_address && !elsewhere;
        (!direct).then(|| format!("sip:{};transport={}", self.peer, self.transport))
    }
}

/// Works out the change; nothing changes when there is no Contact (step 6). All or nothing (step 7).
pub fn change(
    request: &Message,
    aor: &Aor,
    current: &[Binding],
    origin: &Origin,
    rules: &Registrar,
    now: i64,
) -> Result<ChangeSet, Refusal> {
    let malformed = |_| Refusal::Malformed("Bad Request");
    let call_id = request.call_id().map_err(malformed)?;
    let cseq = request.cseq().map_err(malformed)?.number;
    let expires = request.header::<Expires>().ok().flatten().map(|expires| expires.0);
    let live = current.iter().filter(|binding| binding.expires_at > now).cloned().collect();
    let mut set = ChangeSet { bindings: live, ..ChangeSet::default() };
    let is_old = |binding: &Binding| binding.call_id == call_id && binding.cseq >= cseq;
    let contacts = match request.contacts().map_err(malformed)? {
        Contacts::Star if expires == Some(0) => {
            if set.bindings.iter().any(is_old) {
                return Err(Refusal::OutOfOrder);
            }
            set.deletes = std::mem::take(&mut set.bindings);
            return Ok(set);
        }
        Contacts::Star => return Err(Refusal::Malformed("Contact * needs Expires: 0")),
        Contacts::List(contacts) => contacts,
    };
    let paths = request.paths().map_err(malformed)?;
    let path: Vec<String> = paths.iter().map(ToString::to_string).collect();
    for contact in contacts {
        let asked = contact.expires().or(expires).unwrap_or(rules.default_expires);
        if asked > 0 && asked < rules.min_expires {
            return Err(Refusal::TooBrief);
        }
        let binding = Binding {
            aor: aor.clone(),
            contact: contact.uri().to_string(),
            received: origin.received(contact.uri()),
            path: path.join(", "),
            expires_at: now.saturating_add(i64::from(asked.min(rules.max_expires)) * 1000),
            q: contact.q().unwrap_or(1000),
            call_id: call_id.to_owned(),
            cseq,
            user_agent: user_agent(request),
            socket: origin.socket.clone(),
            instance: contact.instance(),
            reg_id: contact.reg_id().unwrap_or(0),
            node: String::new(),
            last_modified: now,
        };
        let key = binding.key();
        let same = |old: &Binding| {
            old.key() == key
                || (binding.reg_id == 0
                    && Uri::parse(&old.contact).is_ok_and(|uri| uri.is_equivalent(contact.uri())))
        };
        let place = set.bindings.iter().position(same);
        if let Some(old) = place.map(|place| set.bindings.swap_remove(place)) {
            if is_old(&old) {
                return Err(Refusal::OutOfOrder);
            }
            if asked == 0 || old.key() != key {
                set.deletes.push(old);
            }
        }
        if asked > 0 {
            set.upserts.push(binding.clone());
            set.bindings.push(binding);
        }
    }
    if set.bindings.len() > rules.max_contacts {
        return Err(Refusal::TooMany);
    }
    Ok(set)
}

/// The Contact fields of a 200 (step 8).
#[must_use]
pub fn contact_fields(bindings: &[Binding], now: i64) -> Vec<(HeaderName, String)> {
    let field = |binding: &Binding| {
        let seconds = binding.expires_at.saturating_sub(now).max(0) / 1000;
        let q = format!("{}.{:03}", binding.q / 1000, binding.q % 1000);
        (HeaderName::Contact, format!("<{}>;q={q};expires={seconds}", binding.contact))
    };
    bindings.iter().map(field).collect()
}

/// The User-Agent, at most as long as it is stored.
fn user_agent(request: &Message) -> String {
    let text = request.field_named("User-Agent").map(|field| field.unfolded().into_owned());
    let text = text.unwrap_or_default();
    let end = text.floor_char_boundary(255);
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin {
            peer: SocketAddr::from(([192, 0, 2, 1], 5060)),
            transport: "udp".to_owned(),
            knows_its_address: true,
            socket: String::new(),
        }
    }

    // RFC 3581 and RFC 5626 section 5.3, for phones that know neither.
    #[test]
    fn goes_back_to_where_it_came_from_only_where_it_must() {
        let uri = |text| Uri::parse(text).expect("a URI");
        let back = Some("sip:192.0.2.1:5060;transport=udp".to_owned());
        assert_eq!(origin().received(&uri("sip:a@192.0.2.1:7060")), None);
        assert_eq!(origin().received(&uri("sip:a@198.51.100.1")), None);
        assert_eq!(origin().received(&uri("sip:a@phone.example")), None);
        assert_eq!(origin().received(&uri("sip:a@192.168.1.2")), back);
        assert_eq!(origin().received(&uri("sip:a@[fd00::1]")), back);
        let behind_nat = Origin { knows_its_address: false, ..origin() };
        assert_eq!(behind_nat.received(&uri("sip:a@192.0.2.1:7060")), back);
        let local = Origin { peer: SocketAddr::from(([10, 0, 0, 1], 5060)), ..origin() };
        assert_eq!(local.received(&uri("sip:a@10.0.0.1")), None);
        let connected = Origin { transport: "tcp".to_owned(), ..origin() };
        assert!(connected.received(&uri("sip:a@192.0.2.1:7060")).is_some());
    }
    use bytes::Bytes;

    fn register(cseq: u32, fields: &str) -> Message {
        let text = format!(
            "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
             From: <sip:a@example.com>;tag=1\r\nTo: <sip:a@example.com>\r\nCall-ID: c\r\n\
             CSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n{fields}Content-Length: 0\r\n\r\n"
        );
        let limits = ngn_sip::message::Limits::default();
        Message::parse(Bytes::from(text), &limits).expect("a message")
    }

    fn run(current: &[Binding], cseq: u32, fields: &str) -> Result<ChangeSet, Refusal> {
        let aor = "a@example.com".parse().expect("an address");
        let origin = origin();
        change(&register(cseq, fields), &aor, current, &origin, &Registrar::default(), 1_000)
    }

    #[test]
    fn rfc3261_10_3_bindings_are_added_refreshed_and_removed() {
        let first = run(&[], 1, "Contact: <sip:a@192.0.2.1>;expires=100\r\n").expect("added");
        assert_eq!(first.upserts.len(), 1);
        assert_eq!(first.bindings[0].expires_at, 101_000);
        let again = run(&first.bindings, 2, "Contact: <sip:a@192.0.2.1>\r\n").expect("refreshed");
        assert_eq!(again.bindings.len(), 1);
        assert_eq!(again.bindings[0].expires_at, 3_601_000);
        let old = run(&again.bindings, 2, "Contact: <sip:a@192.0.2.1>\r\n");
        assert_eq!(old, Err(Refusal::OutOfOrder));
        let query = run(&again.bindings, 3, "").expect("a query");
        assert_eq!((query.bindings.len(), query.upserts.len()), (1, 0));
        let gone = run(&again.bindings, 3, "Contact: *\r\nExpires: 0\r\n").expect("removed");
        assert_eq!((gone.bindings.len(), gone.deletes.len()), (0, 1));
    }

    #[test]
    fn rfc3261_10_3_bad_requests_change_nothing() {
        let brief = run(&[], 1, "Contact: <sip:a@192.0.2.1>;expires=5\r\n");
        assert_eq!(brief, Err(Refusal::TooBrief));
        assert!(matches!(run(&[], 1, "Contact: *\r\n"), Err(Refusal::Malformed(_))));
        let many: String = (0..11).map(|n| format!("Contact: <sip:a{n}@192.0.2.1>\r\n")).collect();
        assert_eq!(run(&[], 1, &many), Err(Refusal::TooMany));
    }
}
