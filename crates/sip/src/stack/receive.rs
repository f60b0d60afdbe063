//! Messages that come in.

use super::output::{IncomingRequest, Output, ServerTransactionId};
use super::{Stack, forwarding::has_to_tag};

use crate::header::HeaderName;
use crate::message::{Malformed, Message, Method};
use crate::proxy::branch::{Branch, loop_hash};
use crate::proxy::plan::{ForwardPlan, ForwardTarget};
use crate::proxy::record_route::{OwnRoute, take_off};
use crate::proxy::validate::{is_service_urn, undo_strict_routing, validate};
use crate::proxy::{Destination, Source, forward};
use crate::transaction::{KeyText, Moment, ServerKey};
use crate::uri::Uri;

impl Stack {
    pub(super) fn receive_request(&mut self, now: Moment, source: Source, mut request: Message) {
        self.counters.requests += 1;
        // Section 18.2.1, before anything else looks at the Via.
        let recorded = request.record_source(source.remote.ip(), source.remote.port());
        let mut text = std::mem::take(&mut self.key_text);
        if recorded.is_ok() && text.read(&request).is_ok() {
            self.receive_found(now, source, &text, request);
        } else {
            self.counters.dropped += 1;
        }
        text.shrink();
        self.key_text = text;
    }

    fn receive_found(&mut self, now: Moment, source: Source, text: &KeyText, request: Message) {
        let key = self.digests.server(text);
        let known = self.server_index.get(&key).copied();
        match (request.method(), known) {
            (Some(Method::Ack), known) => {
                // An ACK for a 2xx has a branch of its own, from clients of RFC 2543 excepted.
                if known.is_none_or(|id| self.acknowledged(now, id))
                    && !(known.is_none() && self.is_for_answer_of_ours(text, &request))
                {
                    self.forward_ack(now, request);
                }
            }
            (_, Some(id)) => self.retransmitted(now, id),
            (Some(Method::Cancel), None) => self.receive_cancel(now, source, (text, key), request),
            (_, None) => self.receive_new(now, source, (text, key), request),
        }
    }

    /// Whether an ACK is for an answer that we gave without keeping anything: it has the tag that we made.
    fn is_for_answer_of_ours(&self, text: &KeyText, ack: &Message) -> bool {
        let tag = || self.refuser.tag_of(text).to_text();
        ack.to_header().is_ok_and(|to| to.tag().is_some_and(|theirs| theirs == tag()))
    }

    /// Section 16.10 and 9.2.
    fn receive_cancel(
        &mut self,
        now: Moment,
        source: Source,
        (text, key): (&KeyText, ServerKey),
        cancel: Message,
    ) {
        let found = KeyText::cancelled_by(&cancel).ok();
        let found =
            found.and_then(|text| self.server_index.get(&self.digests.server(&text)).copied());
        if self.load() >= self.hard_limit() {
            return self.refuse_statelessly(&source, text, &cancel, 503);
        }
        // Section 9.2: such a CANCEL is answered, and changes nothing.
        let find = |text| self.server_index.get(&self.digests.server(&text)).copied();
        let spared = || KeyText::spared_by(&cancel).find_map(find);
        let spared = if found.is_none() { spared() } else { None };
        let own = self.open_server(now, (text, key), cancel.clone(), source);
        self.settle();
        let Some(invite) = found.or(spared) else {
            self.reply_own(now, own, 481, &[]);
            return;
        };
        // The 200 has the To tag of the response to the INVITE (section 9.2).
        let tag = self.tag_of_server(invite);
        if let (Some(tag), Some(own)) = (tag, self.servers.get_mut(own)) {
            own.to_tag = tag;
        }
        self.reply_own(now, own, 200, &[]);
        let Some(server) = self.servers.get(invite) else { return };
        if spared.is_some() || !server.machine.is_pending() {
            return;
        }
        match server.context {
            Some(context) => self.cancel_context(now, context, &cancel),
            None => self.cancel_unanswered(now, invite),
        }
    }

    fn receive_new(
        &mut self,
        now: Moment,
        source: Source,
        (text, key): (&KeyText, ServerKey),
        mut request: Message,
    ) {
        let is_in_dialog = has_to_tag(&request);
        if self.is_shed(&request, is_in_dialog) {
            self.counters.shed += 1;
            return self.refuse_statelessly(&source, text, &request, 503);
        }
        let hash = || loop_hash(&self.config.secret, &request, source.remote.ip());
        let refused = validate(&request, &self.interfaces, hash, &self.config.supported);
        let hash = if request.has(HeaderName::Route) { hash().ok() } else { None };
        let own_route = if refused.is_ok() { self.own_route(&mut request) } else { OwnRoute::None };
        let id = self.open_server(now, (text, key), request, source.clone());
        if let Err(refusal) = refused {
            self.counters.refused += 1;
            if let Some(server) = self.servers.get_mut(id) {
                server.limit_repeats(0);
            }
            let fields: Vec<_> = refusal.field.into_iter().collect();
            self.reply_own(now, id, refusal.status, &fields);
            return;
        }
        let Some(server) = self.servers.get_mut(id) else { return };
        server.loop_hash = hash;
        let Some(request) = server.request.clone() else { return };
        let merge = server.merge;
        if let OwnRoute::Flow(to) = own_route {
            let incoming = IncomingRequest {
                id: ServerTransactionId(id),
                request,
                source,
                is_merged: false,
                is_stray: false,
            };
            self.outputs.push_back(Output::Relay { incoming: Box::new(incoming), to });
            return;
        }
        if let Some(to) = self.dialog_route(own_route, is_in_dialog) {
            let Some(uri) = request.request_uri().cloned() else { return };
            let target = ForwardTarget {
                has_fallback: to.as_ref().is_some_and(|to| to.only_flow),
                next_hops: to.into_iter().collect(),
                reaches_reserved: true,
                ..ForwardTarget::new(uri)
            };
            self.open_context(now, id, ForwardPlan::to(target), false);
            return;
        }
        let copies = merge.and_then(|merge| self.merges.get(&merge).copied());
        self.outputs.push_back(Output::Request(Box::new(IncomingRequest {
            id: ServerTransactionId(id),
            request,
            source,
            is_merged: copies.is_some_and(|copies| copies > 0),
            is_stray: is_in_dialog,
        })));
    }

    /// Section 16.4: takes what we wrote off Route.
    fn own_route(&self, request: &mut Message) -> OwnRoute {
        if !request.has(HeaderName::Route) {
            return OwnRoute::None;
        }
        let undone = undo_strict_routing(&self.config.secret, &self.interfaces, request);
        let is_own_name = |uri: &Uri| self.is_own_name(uri);
        match undone {
            Ok(()) => take_off(&self.config.secret, &self.interfaces, &is_own_name, request),
            Err(_) => OwnRoute::None,
        }
    }

    /// Whether a request may be relayed without asking, and where to, when Route told us: inside a dialog. ACKs also for
    /// another node.
    #[allow(clippy::option_option, reason = "whether, and where to")]
    fn dialog_route(&self, own: OwnRoute, is_in_dialog: bool) -> Option<Option<Destination>> {
        match own {
            OwnRoute::Flow(to) => Some(Some(to)),
            OwnRoute::Signed { to } if is_in_dialog => Some(to),
            OwnRoute::Unsigned if is_in_dialog && !self.config.requires_signed_routes => Some(None),
            OwnRoute::Signed { .. } | OwnRoute::Unsigned | OwnRoute::None => None,
        }
    }

    /// An ACK for a 2xx travels like any request in a dialog, but without transaction (section 16.11).
    fn forward_ack(&mut self, now: Moment, mut ack: Message) {
        let own = self.own_route(&mut ack);
        let route = self.dialog_route(own, true);
        let has_hops = crate::proxy::validate::has_hops_left(&ack).unwrap_or(false);
        let (Some(to), true, Some(uri)) = (route, has_hops, ack.request_uri().cloned()) else {
            self.counters.dropped += 1;
            return;
        };
        let Ok((copy, next)) = forward::retarget(&ack, &ForwardTarget::new(uri), &[]) else {
            self.counters.dropped += 1;
            return;
        };
        match to.or_else(|| self.interfaces.literal(&next)) {
            Some(to) => self.send_ack(copy, to),
            None => self.resolve_ack(now, copy, next),
        }
    }

    /// Sends an ACK on, with our Via.
    pub(super) fn send_ack(&mut self, mut ack: Message, mut to: Destination) {
        let Some(outward) = self.interfaces.of_destination(&to) else {
            self.counters.dropped += 1;
            return;
        };
        to.local = Some(outward.local);
        let before = ack.top_via().ok().and_then(|via| via.branch().map(ToOwned::to_owned));
        let branch = Branch::stateless(&self.config.secret, before.as_deref().unwrap_or(""), &ack);
        forward::finish(&mut ack, outward, (&branch.to_text(), false), &[]);
        self.outputs.push_back(Output::Send { to, octets: ack.to_bytes(), id: None });
    }

    pub(super) fn receive_response(&mut self, now: Moment, response: Message) {
        self.counters.responses += 1;
        let via = response.top_via().ok();
        // Section 18.1.2: a response whose topmost Via is not ours was not meant for us.
        let ours = via.filter(|via| self.interfaces.wrote(via.host(), via.port_or_default()));
        let Some(branch) = ours.and_then(|via| Branch::read(&via)) else {
            self.counters.stray_responses += 1;
            return;
        };
        if let Some(response) = self.client_response(now, &branch, response) {
            self.receive_stray(&branch, response);
        }
    }

    /// A response that belongs to no transaction. Only a 2xx to an INVITE is worth passing on, so that a call
    /// is set up although we were restarted while the phone rang, and only when the branch proves that we
    /// forwarded its INVITE (RFC 6026 section 8.13).
    fn receive_stray(&mut self, branch: &Branch, mut response: Message) {
        self.counters.stray_responses += 1;
        let is_success = response.status().is_some_and(|status| (200..300).contains(&status));
        let is_invite = response.cseq().is_ok_and(|cseq| cseq.method == Method::Invite);
        if !is_success || !is_invite || response.pop_via().is_err() {
            return;
        }
        let Ok(next) = response.top_via() else { return };
        if branch.is_genuine(&self.config.secret, next.branch()) {
            self.relay_statelessly(response);
        }
    }

    /// Sends a response where its topmost Via says.
    pub(super) fn relay_statelessly(&mut self, mut response: Message) {
        let to = response.top_via().ok().and_then(|via| forward::response_destination(&via));
        let Some(mut to) = to else {
            self.counters.dropped += 1;
            return;
        };
        to.local = self.interfaces.of_destination(&to).map(|interface| interface.local);
        response.ensure_content_length();
        self.outputs.push_back(Output::Send { to, octets: response.to_bytes(), id: None });
    }

    /// Answers what is no proper request, when it can be answered at all.
    pub(super) fn refuse_malformed(&mut self, source: &Source, fault: &Malformed) {
        self.counters.malformed += 1;
        let tag = crate::proxy::secret::encode(&self.numbers.next().to_be_bytes());
        let Some(mut response) = fault.response(&tag) else { return };
        let recorded = response.record_source(source.remote.ip(), source.remote.port());
        let to = match recorded {
            Ok(()) => self.reply_to(&response, source),
            Err(_) => Destination::back_to(source),
        };
        response.ensure_content_length();
        self.outputs.push_back(Output::Send { to, octets: response.to_bytes(), id: None });
    }

    /// Answers without keeping anything; the same for each retransmission.
    fn refuse_statelessly(
        &mut self,
        source: &Source,
        text: &KeyText,
        request: &Message,
        status: u16,
    ) {
        let number = self.numbers.next();
        let (to, octets) = self.refuser.refuse(source, text, request, status, number);
        self.outputs.push_back(Output::Send { to, octets, id: None });
    }

    /// Whether a request is turned away because too much is going on.
    fn is_shed(&self, request: &Message, is_in_dialog: bool) -> bool {
        if self.load() >= self.hard_limit() {
            return true;
        }
        let is_call = request.method() == Some(&Method::Invite);
        self.level().turns_away(is_call, is_in_dialog) && !self.is_emergency(request)
    }

    /// Whether a request continues something: it came before, acknowledges or cancels what came before, or proves by a
    /// Route that we signed that it belongs to a dialog that was set up through us.
    #[must_use]
    pub fn continues(&self, request: &Message) -> bool {
        let is_known = |text: &KeyText| self.server_index.contains_key(&self.digests.server(text));
        if KeyText::of(request).is_ok_and(|text| is_known(&text))
            || KeyText::cancelled_by(request).is_ok_and(|text| is_known(&text))
        {
            return true;
        }
        let mut copy = request.clone();
        let route = self.own_route(&mut copy);
        self.dialog_route(route, has_to_tag(request)).is_some()
    }

    /// Answers a request without keeping anything: 503 with Retry-After. An ACK is never answered.
    pub fn turn_away(&mut self, source: &Source, request: Message) {
        let number = self.numbers.next();
        if let Some((to, octets)) = self.refuser.answer(source, request, number) {
            self.outputs.push_back(Output::Send { to, octets, id: None });
        }
    }

    pub(super) fn is_emergency(&self, request: &Message) -> bool {
        request.request_uri().is_some_and(|uri| {
            let user = uri.user_unescaped();
            let is_number = |user: &str| self.config.emergency_numbers.iter().any(|n| n == user);
            is_service_urn(uri) || user.is_some_and(|user| is_number(&user))
        })
    }
}
