//! Dialogs that were set up through us, as far as needed to send requests inside them in the place of either side
//! (RFC 3261 section 12.2.1.1): whether a call goes on, and its end when the other side is gone.
//!
//! Such a request must not disturb what the two sides say to each other. A `CSeq` that is higher than the last one of the
//! side in whose place we ask would make the next real request the lower one, which is refused with 500 (section 12.2.2).
//! So a question has the number that was used last, 0 when there was none: neither raises what the other side has noted,
//! and whoever refuses it with 500 lives all the same. Only BYE, after which nothing follows, has a higher number.

use crate::header::{Contacts, FromHeader, Header as _, ToHeader, Transport, Via};
use crate::message::{Message, Method};
use crate::proxy::plan::ForwardTarget;
use crate::proxy::record_route::Way;
use crate::proxy::{Destination, forward};
use crate::uri::{Host, Uri};
use crate::watch::Side;
use std::net::Ipv4Addr;

/// How far beyond the last number known the one of BYE is: requests that were sent before the call was answered, such as
/// PRACK, were not counted.
const BEYOND: u32 = 100;
/// The highest number (section 8.1.1.5).
const HIGHEST: u32 = (1 << 31) - 1;

/// A dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialog {
    call_id: String,
    caller: Party,
    callee: Party,
}

/// A side of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Party {
    /// The address with tag, as in From and To.
    address: String,
    tag: String,
    target: Uri,
    way: Way,
    /// The last number that it gave a request; 0: it has sent none.
    cseq: u32,
}

/// A request that is to be sent.
#[derive(Debug, Clone)]
pub struct Inside {
    /// The request, without Via.
    pub request: Message,
    /// The URI that says where it goes.
    pub next: Uri,
    /// Where it goes, when that is known without looking it up.
    pub to: Option<Destination>,
}

impl Dialog {
    /// The dialog of an INVITE, as it came, and its 2xx; `ways` by the Record-Route in that.
    pub(crate) fn new(invite: &Message, answer: &Message, ways: [Way; 2]) -> Option<Self> {
        let [to_caller, to_callee] = ways;
        let from = invite.from_header().ok()?;
        let to = answer.to_header().ok()?;
        let caller = Party {
            address: from.to_string(),
            tag: from.tag().unwrap_or_default().to_owned(),
            target: contact(invite)?,
            way: to_caller,
            cseq: invite.cseq().ok()?.number,
        };
        let callee = Party {
            address: to.to_string(),
            tag: to.tag()?.to_owned(),
            target: contact(answer)?,
            way: to_callee,
            cseq: 0,
        };
        Some(Self { call_id: invite.call_id().ok()?.to_owned(), caller, callee })
    }

    /// Which side sent a request, by the tag in its From.
    #[must_use]
    pub fn sender(&self, request: &Message) -> Option<Side> {
        let from = request.from_header().ok()?;
        let tag = from.tag().unwrap_or_default();
        Side::BOTH.into_iter().find(|side| self.party(*side).tag == tag)
    }

    /// Takes note of a request and, when it had one, of its 2xx: numbers, and where the sides are now (section 12.2).
    pub fn note(&mut self, request: &Message, answer: Option<&Message>) {
        let Some(side) = self.sender(request) else { return };
        let moves = matches!(request.method(), Some(Method::Invite | Method::Update));
        let party = self.party_mut(side);
        party.cseq = party.cseq.max(request.cseq().map_or(0, |cseq| cseq.number));
        let Some(answer) = answer.filter(|_| moves) else { return };
        if let Some(target) = contact(request) {
            party.target = target;
        }
        if let Some(target) = contact(answer) {
            self.party_mut(side.other()).target = target;
        }
    }

    /// OPTIONS for a side, as if the other one had sent it.
    #[must_use]
    pub fn question(&self, to: Side) -> Option<Inside> {
        self.request(Method::Options, to, self.party(to.other()).cseq)
    }

    /// BYE for a side, as if the other one had sent it; `is_last_resort`: with the highest number that there is, since
    /// another one was too low.
    #[must_use]
    pub fn bye(&self, to: Side, is_last_resort: bool) -> Option<Inside> {
        let number = self.party(to.other()).cseq.saturating_add(BEYOND).min(HIGHEST);
        self.request(Method::Bye, to, if is_last_resort { HIGHEST } else { number })
    }

    fn request(&self, method: Method, to: Side, cseq: u32) -> Option<Inside> {
        let (receiver, sender) = (self.party(to), self.party(to.other()));
        let from = FromHeader::parse(&sender.address).ok()?;
        let address = ToHeader::parse(&receiver.address).ok()?;
        let host = Host::V4(Ipv4Addr::UNSPECIFIED);
        let via = Via::new(Transport::Udp, host, None, Via::COOKIE);
        let uri = receiver.target.clone();
        let mut plain =
            Message::request(method, uri.clone(), &via, &from, &address, &self.call_id, cseq);
        plain.pop_via().ok()?;
        let routes = receiver.way.routes.clone();
        let target = ForwardTarget { routes, ..ForwardTarget::new(uri) };
        let (request, next) = forward::retarget(&plain, &target, &[]).ok()?;
        Some(Inside { request, next, to: receiver.way.to.clone() })
    }

    const fn party(&self, side: Side) -> &Party {
        match side {
            Side::Caller => &self.caller,
            Side::Callee => &self.callee,
        }
    }

    const fn party_mut(&mut self, side: Side) -> &mut Party {
        match side {
            Side::Caller => &mut self.caller,
            Side::Callee => &mut self.callee,
        }
    }
}

fn contact(message: &Message) -> Option<Uri> {
    match message.contacts() {
        Ok(Contacts::List(contacts)) => contacts.first().map(|contact| contact.uri().clone()),
        _ => None,
    }
}
