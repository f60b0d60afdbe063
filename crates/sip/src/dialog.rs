//! Dialogs that were set up through us, as far as needed to send requests inside them in the place of either side
//! (RFC 3261 section 12.2.1.1): whether a call goes on, and its end when the other side is gone.
//!
//! Such a request must not disturb what the two sides say to each other. A `CSeq` that is higher than the last one of the
//! side in whose place we ask would make the next real request the lower one, which is refused with 500 (section 12.2.2).
//! So a question has the number that was used last, 0 when there was none: neither raises what the other side has noted,
//! and whoever refuses it with 500 lives all the same. Only BYE, after which nothing follows, has a higher number.
//!
//! A dialog can be kept as text and read after a restart. Whoever was reached over a connection that it had opened is not
//! reached then: such a side is not asked. Numbers may be lower than those used since, which does no harm, as said.

use crate::header::{Contacts, FromHeader, Header as _, RouteHeader, ToHeader, Transport, Via};
use crate::message::{Message, Method};
use crate::proxy::plan::ForwardTarget;
use crate::proxy::record_route::{Way, destination_from, destination_text};
use crate::proxy::{Destination, forward};
use crate::uri::{Host, Uri};
use crate::watch::Side;
use std::net::Ipv4Addr;

/// How far beyond the last number known the one of BYE is: requests that were sent before the call was answered, such as
/// PRACK, were not counted.
const BEYOND: u32 = 100;
/// The highest number (section 8.1.1.5).
const HIGHEST: u32 = (1 << 31) - 1;
/// What the text of a dialog begins with: how it is written.
const FORM: &str = "1";
/// The octets that a text may have.
const MOST: usize = 8_192;
/// What a text says of a side that is reached by its routes and target, and of one whose connection is gone.
const BY_TARGET: &str = "-";
const BY_CONNECTION: &str = "!";

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
    /// The connection over which it was reached is gone.
    is_lost: bool,
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
            is_lost: false,
        };
        let callee = Party {
            address: to.to_string(),
            tag: to.tag()?.to_owned(),
            target: contact(answer)?,
            way: to_callee,
            cseq: 0,
            is_lost: false,
        };
        Some(Self { call_id: invite.call_id().ok()?.to_owned(), caller, callee })
    }

    /// As text, to be read after a restart; `None` when there would be too much to say.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        let [caller, callee] = [&self.caller, &self.callee].map(Party::to_text);
        let text = [FORM, &self.call_id, &caller, &callee].join("\n");
        let is_readable = text.len() <= MOST && text.lines().count() == LINES;
        is_readable.then_some(text)
    }

    /// Reads what [`to_text`](Self::to_text) wrote.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().collect();
        let [FORM, call_id, caller, from, callee, to] = *lines.as_slice() else { return None };
        let from_header = FromHeader::parse(from).ok()?;
        let to_header = ToHeader::parse(to).ok()?;
        let caller = Party::from_text(caller, from, from_header.tag().unwrap_or_default())?;
        let callee = Party::from_text(callee, to, to_header.tag()?)?;
        Some(Self { call_id: call_id.to_owned(), caller, callee })
    }

    /// Call-ID, the caller's tag and the callee's.
    #[must_use]
    pub fn id(&self) -> (&str, &str, &str) {
        (&self.call_id, &self.caller.tag, &self.callee.tag)
    }

    /// Whether somebody can be asked at all.
    #[must_use]
    pub const fn can_be_asked(&self) -> bool {
        !(self.caller.is_lost && self.callee.is_lost)
    }

    /// Which side sent a request, by the tag in its From.
    #[must_use]
    pub fn sender(&self, request: &Message) -> Option<Side> {
        let from = request.from_header().ok()?;
        let tag = from.tag().unwrap_or_default();
        Side::BOTH.into_iter().find(|side| self.party(*side).tag == tag)
    }

    /// Takes note of a request and, when it had one, of its 2xx: numbers, and where the sides are now (section 12.2). Says
    /// whether one is elsewhere than before.
    pub fn note(&mut self, request: &Message, answer: Option<&Message>) -> bool {
        let Some(side) = self.sender(request) else { return false };
        let moves = matches!(request.method(), Some(Method::Invite | Method::Update));
        let party = self.party_mut(side);
        party.cseq = party.cseq.max(request.cseq().map_or(0, |cseq| cseq.number));
        let Some(answer) = answer.filter(|_| moves) else { return false };
        let of_sender = contact(request).is_some_and(|target| party.move_to(target));
        let other = self.party_mut(side.other());
        let of_other = contact(answer).is_some_and(|target| other.move_to(target));
        of_sender || of_other
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
        if receiver.is_lost {
            return None;
        }
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

/// The lines of a text: two, and two for each side.
const LINES: usize = 6;

impl Party {
    /// Number, way, target and routes in one line, the address in another one.
    fn to_text(&self) -> String {
        let to = match &self.way.to {
            _ if self.is_lost => BY_CONNECTION.to_owned(),
            Some(to) if to.only_flow => BY_CONNECTION.to_owned(),
            Some(to) => destination_text(to),
            None => BY_TARGET.to_owned(),
        };
        let mut line = format!("{} {to} {}", self.cseq, self.target);
        for route in &self.way.routes {
            line.push(' ');
            line.push_str(route.uri().as_str());
        }
        format!("{line}\n{}", self.address)
    }

    fn from_text(line: &str, address: &str, tag: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let (cseq, way, target) = (words.next()?, words.next()?, words.next()?);
        let to = match way {
            BY_TARGET | BY_CONNECTION => None,
            way => Some(destination_from(way)?),
        };
        let route = |uri| Some(RouteHeader::new(Uri::parse(uri).ok()?));
        Some(Self {
            address: address.to_owned(),
            tag: tag.to_owned(),
            target: Uri::parse(target).ok()?,
            way: Way { routes: words.map(route).collect::<Option<_>>()?, to },
            cseq: cseq.parse().ok()?,
            is_lost: way == BY_CONNECTION,
        })
    }

    /// Says whether that is elsewhere.
    fn move_to(&mut self, target: Uri) -> bool {
        let moves = self.target.as_str() != target.as_str();
        self.target = target;
        moves
    }
}

fn contact(message: &Message) -> Option<Uri> {
    match message.contacts() {
        Ok(Contacts::List(contacts)) => contacts.first().map(|contact| contact.uri().clone()),
        _ => None,
    }
}
