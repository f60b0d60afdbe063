//! Requests that are forwarded: carries out what their response contexts order.

use super::arena::Key;
use super::client::{ClientTransaction, Owner};
use super::output::{
    CallEvent, CallEventKind, DialogEvent, Lookup, LookupId, Output, RedirectionId,
    ServerTransactionId, Session, Tried, TriedResult,
};
use super::server::ServerTransaction;
use super::{Entity, Stack};
use crate::header::{HeaderName, SessionExpires, Transport};
use crate::message::{Message, Method};
use crate::proxy::answer::Answer;
use crate::proxy::branch::{Branch, loop_hash};
use crate::proxy::context::{Ending, Order, ResponseContext, Waits};
use crate::proxy::plan::{ForwardPlan, ForwardTarget};
use crate::proxy::session_timer::{self, TooSmall};
use crate::proxy::validate::{has_hops_left, makes_dialog};
use crate::proxy::{Destination, Edit, Interface, Oversize, Source, forward, record_route};
use crate::transaction::Moment;
use crate::uri::Scheme;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Max-Breadth (RFC 5393 section 5.3.1).
const MAX_BREADTH: &str = "Max-Breadth";

/// How many places are remembered that take no TCP, and for how long.
const MOST_WITHOUT_TCP: usize = 10_000;
const WITHOUT_TCP: Duration = Duration::from_secs(600);

/// A request that is forwarded.
pub(super) struct Context {
    pub(super) proxy: ResponseContext,
    pub(super) request: Arc<Message>,
    pub(super) server: Key<ServerTransaction>,
    source: Source,
    loop_hash: [u8; 6],
    edits: Vec<Edit>,
    /// The client transaction of each branch.
    clients: Vec<Option<Key<ClientTransaction>>>,
    /// The breadth that the branches share.
    breadth: u32,
    is_invite: bool,
    /// An INVITE without To tag: a call, as opposed to a change to one.
    is_call: bool,
    /// It belongs to a dialog, and does not end it.
    is_in_dialog: bool,
    has_rung: bool,
    is_answered: bool,
    /// The connection that the request had to take is gone.
    pub(super) is_flow_lost: bool,
    /// It is sent on for another node.
    is_for_node: bool,
    /// Why it was cancelled, as the caller put it.
    cancel_reason: Option<String>,
    pub(super) armed: Option<Moment>,
}

impl Stack {
    /// Forwards a request that is being handled, as [`Stack::forward`](Self::forward) says. The events of a call
    /// are reported by the node that decided about it, and by no other.
    pub(super) fn open_context(
        &mut self,
        now: Moment,
        server_id: Key<ServerTransaction>,
        plan: ForwardPlan,
        is_for_node: bool,
    ) -> bool {
        self.settle();
        let Some(server) = self.servers.get_mut(server_id) else { return false };
        let Some(request) = server.request.clone() else { return false };
        if server.context.is_some() {
            return false;
        }
        let is_invite = request.method() == Some(&Method::Invite);
        let is_call = is_invite && !is_for_node && !has_to_tag(&request);
        if !has_hops_left(&request).unwrap_or(false) {
            return self.refuse_to_forward(now, server_id, 483, &[], is_call);
        }
        let breadth = request.field_named(MAX_BREADTH).and_then(|f| f.text()?.trim().parse().ok());
        let breadth = breadth.unwrap_or(self.config.max_breadth);
        let widest = plan.steps.iter().map(|step| step.targets.len()).max().unwrap_or(0);
        if usize::try_from(breadth).unwrap_or(usize::MAX) < widest {
            return self.refuse_to_forward(now, server_id, 440, &[], is_call);
        }
        let exempt = is_for_node || self.is_emergency(&request);
        let (edits, asked) = match session_timer::consider(&request, self.config.session) {
            _ if exempt => (Vec::new(), None),
            Ok(timed) => timed,
            Err(TooSmall { minimum }) => {
                let field = (HeaderName::MinSe, minimum.to_string());
                return self.refuse_to_forward(now, server_id, 422, &[field], is_call);
            }
        };
        let Some(server) = self.servers.get_mut(server_id) else { return false };
        server.asked = asked;
        let waits = Waits {
            timer_c: self.config.timer_c,
            cancelled: self.config.timers.timeout(),
            next_hop: self.config.next_hop_timeout,
            decision: self.config.lookup_timeout,
        };
        let context = Context {
            proxy: ResponseContext::new(is_invite, plan.recurse, plan.steps, waits),
            server: server_id,
            source: server.source.clone(),
            loop_hash: server.loop_hash.unwrap_or_else(|| {
                let secret = &self.config.secret;
                loop_hash(secret, &request, server.source.remote.ip()).unwrap_or_default()
            }),
            edits: [plan.edits, edits].concat(),
            clients: Vec::new(),
            breadth,
            is_invite,
            is_call,
            is_in_dialog: !is_for_node
                && has_to_tag(&request)
                && request.method() != Some(&Method::Bye),
            has_rung: false,
            is_answered: false,
            is_flow_lost: false,
            is_for_node,
            cancel_reason: None,
            armed: None,
            request,
        };
        let id = self.contexts.insert(context);
        server.context = Some(id);
        server.answer_by = None;
        if is_invite {
            // What is forwarded takes longer than 200 ms.
            self.send_trying(now, server_id);
        } else {
            // RFC 4320 section 4.1: 100 to other requests only when their client would have begun to wait T2.
            let timers = &self.config.timers;
            let (mut interval, mut wait) = (timers.t1, timers.t1);
            while interval * 2 < timers.t2 && !interval.is_zero() {
                interval *= 2;
                wait += interval;
            }
            server.trying_at = Some(now + wait);
        }
        let orders = self.contexts.get_mut(id).map(|context| context.proxy.begin(now));
        self.carry_out(now, id, orders.unwrap_or_default());
        self.arm(Entity::Server(server_id));
        true
    }

    /// Answers a request that must not be forwarded.
    fn refuse_to_forward(
        &mut self,
        now: Moment,
        id: Key<ServerTransaction>,
        status: u16,
        fields: &[(HeaderName, String)],
        is_call: bool,
    ) -> bool {
        let Some(server) = self.servers.get(id) else { return false };
        let (request, tag) = (server.request.clone(), server.to_tag.clone());
        if is_call && let Some(request) = request {
            let kind = CallEventKind::Failed { status };
            let event = call_event(id, &request, Some(tag), None, kind);
            self.outputs.extend(event.map(|event| Output::Call(Box::new(event))));
        }
        self.reply_own(now, id, status, fields)
    }

    /// A response came for a branch.
    pub(super) fn branch_response(
        &mut self,
        now: Moment,
        id: Key<Context>,
        index: usize,
        server: Key<ServerTransaction>,
        response: Message,
    ) {
        let status = response.status().unwrap_or(0);
        let Some(context) = self.contexts.get_mut(id) else {
            // The context is gone, but the branch answers 2xx once more.
            if (200..300).contains(&status) {
                self.relay_late(now, server, response);
            }
            return;
        };
        let orders = match status {
            100..=199 => context.proxy.provisional(index, status, response, now),
            200..=299 => context.proxy.success(index, response, now),
            _ => {
                let ending = Ending::Response(status, Box::new(response));
                context.proxy.failure(index, ending, now)
            }
        };
        self.carry_out(now, id, orders);
    }

    /// A branch got no response.
    pub(super) fn branch_failed(
        &mut self,
        now: Moment,
        id: Key<Context>,
        index: usize,
        ending: Ending,
    ) {
        let Some(context) = self.contexts.get_mut(id) else { return };
        let orders = context.proxy.failure(index, ending, now);
        self.carry_out(now, id, orders);
    }

    /// The next hops of a branch were looked up.
    pub(super) fn branch_resolved(
        &mut self,
        now: Moment,
        id: Key<Context>,
        index: usize,
        next_hops: Vec<Destination>,
    ) {
        let Some(context) = self.contexts.get_mut(id) else { return };
        let orders = context.proxy.resolved(index, next_hops, now);
        self.carry_out(now, id, orders);
    }

    /// It was decided about a redirection.
    pub(super) fn branch_redirected(
        &mut self,
        now: Moment,
        id: Key<Context>,
        index: usize,
        targets: Vec<ForwardTarget>,
    ) {
        let Some(context) = self.contexts.get_mut(id) else { return };
        let orders = context.proxy.redirected(index, targets, now);
        self.carry_out(now, id, orders);
    }

    /// The caller cancels.
    pub(super) fn cancel_context(&mut self, now: Moment, id: Key<Context>, cancel: &Message) {
        let Some(context) = self.contexts.get_mut(id) else { return };
        let reason = cancel.field(HeaderName::Reason).and_then(|field| field.text());
        context.cancel_reason = reason.map(ToOwned::to_owned);
        let orders = context.proxy.cancel(now);
        self.carry_out(now, id, orders);
    }

    /// Lets everything happen that is due in a context.
    pub(super) fn context_timeout(&mut self, now: Moment, id: Key<Context>) {
        let Some(context) = self.contexts.get_mut(id) else { return };
        let orders = context.proxy.timeout(now);
        self.carry_out(now, id, orders);
    }

    fn carry_out(&mut self, now: Moment, id: Key<Context>, orders: Vec<Order>) {
        let mut orders = VecDeque::from(orders);
        while let Some(order) = orders.pop_front() {
            match order {
                Order::Start(index) => orders.extend(self.start_branch(now, id, index)),
                Order::Cancel(index) => self.cancel_branch(now, id, index),
                Order::Silent(index) => self.branch_is_silent(id, index),
                Order::Abandon(index) => {
                    let client = self.contexts.get(id).and_then(|c| c.client(index));
                    if let Some(client) = client {
                        self.remove_client(client);
                    }
                }
                Order::Relay(index, response) => self.relay_response(now, id, index, response),
                Order::Redirect(index, response) => {
                    let Some(context) = self.contexts.get(id) else { continue };
                    self.outputs.push_back(Output::Redirected {
                        id: RedirectionId(id, index),
                        request: ServerTransactionId(context.server),
                        response: Box::new(response),
                    });
                }
                Order::Finish(answer) => self.finish(now, id, answer),
            }
        }
        if self.contexts.get(id).is_some_and(|context| context.proxy.is_over()) {
            if let Some(context) = self.contexts.remove(id)
                && let Some(server) = self.servers.get_mut(context.server)
            {
                server.context = None;
            }
        } else {
            self.arm(Entity::Context(id));
        }
    }

    /// Sends the request of a branch, or asks where to.
    fn start_branch(&mut self, now: Moment, id: Key<Context>, index: usize) -> Vec<Order> {
        let sent = self.try_start(now, id, index);
        let Some(context) = self.contexts.get_mut(id) else { return Vec::new() };
        match sent {
            Some(Started::Sent(client)) => {
                context.set_client(index, client);
                context.proxy.trying(index, now);
                Vec::new()
            }
            Some(Started::Resolving) => {
                context.proxy.resolving(index, now);
                Vec::new()
            }
            None => context.proxy.failure(index, Ending::Failed, now),
        }
    }

    fn try_start(&mut self, now: Moment, id: Key<Context>, index: usize) -> Option<Started> {
        if index >= self.config.limits.branches {
            return None;
        }
        let context = self.contexts.get(id)?;
        let (target, hop) = context.proxy.target(index)?;
        let (mut copy, next) = forward::retarget(&context.request, target, &context.edits).ok()?;
        let mut to = match target.next_hops.get(hop).cloned() {
            Some(to) => to,
            None => match self.interfaces.literal(&next).filter(|_| !target.has_fallback) {
                Some(to) => to,
                None => {
                    let (id, is_fallback) =
                        (LookupId(Lookup::Branch(id, index)), target.has_fallback);
                    self.outputs.push_back(Output::Resolve { id, uri: next, is_fallback });
                    return Some(Started::Resolving);
                }
            },
        };
        let outward = self.interfaces.of_destination(&to)?;
        to.local = Some(outward.local);
        // Also when the contact behind a SIPS address is a SIP URI: what was asked for was TLS on every hop.
        let is_sips = |request: &Message| {
            request.request_uri().is_some_and(|uri| uri.scheme() == Scheme::Sips)
        };
        let is_secure = is_sips(&copy) || is_sips(&context.request);
        if is_secure && !matches!(to.transport, Transport::Tls | Transport::Wss) {
            // Section 26.2.2: a request to a SIPS URI travels over TLS only.
            return None;
        }
        let method = copy.method().cloned().unwrap_or(Method::Options);
        let record_routes = match self.interfaces.of_source(&context.source) {
            Some(inward) if makes_dialog(&method) => {
                let sender = record_route::reach_of_source(&context.request, &context.source);
                let receiver = record_route::reach_of_destination(&next, &to);
                record_route::entries(
                    &self.config.secret,
                    context.request.call_id().ok()?,
                    is_secure,
                    (inward, sender.as_ref()),
                    (outward, receiver.as_ref()),
                )
            }
            _ => Vec::new(),
        };
        let live = u32::try_from(context.proxy.breadth()).unwrap_or(u32::MAX);
        if live > 1 || context.request.field_named(MAX_BREADTH).is_some() {
            copy.remove_named(MAX_BREADTH);
            copy.append_named(MAX_BREADTH, &(context.breadth / live).max(1).to_string());
        }
        let before = context.request.top_via().ok()?;
        let branch = self.numbers.next();
        let branch = Branch::new(&self.config.secret, branch, context.loop_hash, before.branch());
        let offers = self.config.offers(outward, &to);
        forward::finish(&mut copy, outward, (&branch.to_text(), offers), &record_routes);
        let owner = Owner::Branch(id, index, context.server);
        if let Some(outward) = self.instead_of_datagram(now, &copy, &to) {
            // Section 18.1.1: the Via says TCP; Record-Route does not, since that is for requests of any size.
            copy.pop_via().ok()?;
            copy.push_via(&forward::via(outward, &branch.to_text(), false));
            let (transport, local) = (Transport::Tcp, Some(outward.local));
            let datagram = Destination { oversize: Oversize::Keep, ..to.clone() };
            to = Destination { transport, local, oversize: Oversize::Switched, ..to };
            let context = self.contexts.get_mut(id)?;
            context.proxy.switch(index, [to.clone(), datagram]);
        }
        Some(Started::Sent(self.open_client(now, copy, branch.id, to, owner)))
    }

    /// The interface by which a request goes that is too large for the datagram that it would be (section 18.1.1).
    fn instead_of_datagram(
        &self,
        now: Moment,
        request: &Message,
        to: &Destination,
    ) -> Option<&Interface> {
        let may = to.transport == Transport::Udp && to.oversize == Oversize::Switch;
        if !may || request.printed_len() <= self.config.largest_datagram {
            return None;
        }
        let is_in_vain = self.no_tcp.get(&to.remote).is_some_and(|until| *until > now);
        self.interfaces.tcp(to.remote).filter(|_| !is_in_vain)
    }

    /// Takes note that a place takes no TCP: others need not find out again.
    pub(super) fn note_no_tcp(&mut self, now: Moment, remote: SocketAddr) {
        if self.no_tcp.len() >= MOST_WITHOUT_TCP {
            self.no_tcp.retain(|_, until| *until > now);
        }
        if self.no_tcp.len() < MOST_WITHOUT_TCP {
            self.no_tcp.insert(remote, now + WITHOUT_TCP);
        }
    }

    /// Tells what came of sending to a place.
    pub(super) fn tried(
        &mut self,
        id: Key<Context>,
        index: usize,
        to: Destination,
        result: TriedResult,
    ) {
        let Some(context) = self.contexts.get(id) else { return };
        let Some((step, target)) = context.proxy.place(index) else { return };
        let request = ServerTransactionId(context.server);
        let is_lost = match result {
            TriedResult::Failed => to.only_flow,
            TriedResult::Final(status) => status == 430,
            TriedResult::Silent => false,
        };
        let tried_target = context.proxy.target(index).map(|(target, _)| target);
        let flow_lost = tried_target.and_then(|target| target.flow.clone()).filter(|_| is_lost);
        let tried = Tried { request, step, target, to, result, flow_lost };
        self.outputs.push_back(Output::Tried(Box::new(tried)));
    }

    /// A transaction timed out: nobody was there, unless something had come.
    pub(super) fn tried_in_vain(&mut self, id: Key<Context>, index: usize, to: Destination) {
        if self.contexts.get(id).is_some_and(|context| context.proxy.is_silent(index)) {
            self.tried(id, index, to, TriedResult::Silent);
        }
    }

    /// A branch is given up that nothing came from.
    fn branch_is_silent(&mut self, id: Key<Context>, index: usize) {
        let client = self.contexts.get(id).and_then(|context| context.client(index));
        let to = client.and_then(|client| self.clients.get(client)).map(|client| client.to.clone());
        if let Some(to) = to {
            self.tried(id, index, to, TriedResult::Silent);
        }
    }

    fn cancel_branch(&mut self, now: Moment, id: Key<Context>, index: usize) {
        let Some(context) = self.contexts.get(id) else { return };
        let reason = if context.is_answered {
            Some("SIP;cause=200;text=\"Call completed elsewhere\"".to_owned())
        } else {
            context.cancel_reason.clone()
        };
        if let Some(client) = context.client(index) {
            self.send_cancel(now, client, reason.as_deref());
        }
    }

    /// Sends a 1xx or 2xx upstream (section 16.7 steps 3, 8 and 9).
    fn relay_response(
        &mut self,
        now: Moment,
        id: Key<Context>,
        index: usize,
        mut response: Message,
    ) {
        let Some(context) = self.contexts.get_mut(id) else { return };
        let status = response.status().unwrap_or(0);
        let server = context.server;
        let asked = self.servers.get(server).and_then(|server| server.asked);
        let is_theirs = response.has(HeaderName::SessionExpires);
        session_timer::complete(asked, &mut response);
        let (step, target) = context.proxy.place(index).unwrap_or_default();
        let kind = if status < 200 {
            let kind = CallEventKind::Ringing { status, step, target };
            (!std::mem::replace(&mut context.has_rung, true)).then_some(kind)
        } else {
            let kind = CallEventKind::Answered { status, step, target };
            (!std::mem::replace(&mut context.is_answered, true)).then_some(kind)
        };
        let event = kind.filter(|_| context.is_call).and_then(|kind| {
            let answer = (status >= 200).then(|| Arc::new(response.clone()));
            let event = call_event(server, &context.request, to_tag(&response), answer, kind);
            event.map(|event| CallEvent { session: session_of(&response, is_theirs), ..event })
        });
        if status >= 200
            && let Some(event) = ended(server, &context.request)
        {
            self.outputs.push_back(event);
        }
        let session = session_of(&response, is_theirs);
        let went_on =
            (status >= 200).then(|| context.went_on(status, true, Some((&response, session))));
        let went_on = went_on.flatten();
        self.outputs.extend(went_on);
        if response.pop_via().is_err() {
            return;
        }
        if self.servers.get(server).is_some() {
            // A 2xx after another final response cannot be sent any more (RFC 6026 section 8.5).
            if !self.send_response(now, server, response) {
                self.counters.stray_responses += 1;
                return;
            }
        } else {
            self.relay_statelessly(response);
        }
        self.outputs.extend(event.map(|event| Output::Call(Box::new(event))));
    }

    /// Relays a 2xx whose context is gone.
    fn relay_late(&mut self, now: Moment, server: Key<ServerTransaction>, mut response: Message) {
        if response.pop_via().is_err() {
            return;
        }
        if let Some(server_) = self.servers.get(server) {
            session_timer::complete(server_.asked, &mut response);
            self.send_response(now, server, response);
        } else {
            self.relay_statelessly(response);
        }
    }

    /// Sends the answer (section 16.7 steps 6 to 9).
    fn finish(&mut self, now: Moment, id: Key<Context>, answer: Answer) {
        let Some(context) = self.contexts.get(id) else { return };
        let (server, request) = (context.server, context.request.clone());
        let (is_call, is_invite) = (context.is_call, context.is_invite);
        let answer = match answer {
            // RFC 5626 section 5.3.1.
            Answer::Own(500) if context.is_flow_lost || context.is_for_node => Answer::Own(430),
            answer => answer,
        };
        let status = match &answer {
            Answer::Received(response) => response.status().unwrap_or(500),
            Answer::Own(status) => *status,
            Answer::Redirect(_) => 302,
            Answer::Silence => 408,
        };
        if is_call {
            let kind = CallEventKind::Failed { status };
            let tag = match &answer {
                Answer::Received(response) => to_tag(response),
                Answer::Own(_) | Answer::Redirect(_) | Answer::Silence => None,
            };
            let tag = tag.or_else(|| self.servers.get(server).map(|own| own.to_tag.clone()));
            let event = call_event(server, &request, tag, None, kind);
            self.outputs.extend(event.map(|event| Output::Call(Box::new(event))));
        } else if !is_invite && !matches!(status, 401 | 407) {
            self.outputs.extend(ended(server, &request));
        }
        let is_received = matches!(answer, Answer::Received(_));
        let context = self.contexts.get(id);
        self.outputs.extend(context.and_then(|context| context.went_on(status, is_received, None)));
        match answer {
            Answer::Received(mut response) => {
                if response.pop_via().is_ok() {
                    self.send_response(now, server, *response);
                }
            }
            Answer::Own(status) => {
                self.reply_own(now, server, status, &[]);
            }
            Answer::Redirect(uri) => {
                self.reply_own(now, server, 302, &[(HeaderName::Contact, format!("<{uri}>"))]);
            }
            Answer::Silence => self.fall_silent(now, server),
        }
    }
}

enum Started {
    Sent(Key<ClientTransaction>),
    Resolving,
}

impl Context {
    fn client(&self, index: usize) -> Option<Key<ClientTransaction>> {
        self.clients.get(index).copied().flatten()
    }

    /// What is told of a request inside a dialog that has its final answer.
    fn went_on(
        &self,
        status: u16,
        is_received: bool,
        success: Option<(&Message, Option<Session>)>,
    ) -> Option<Output> {
        if !self.is_in_dialog {
            return None;
        }
        let session = success.and_then(|(_, session)| session);
        let refreshes = matches!(self.request.method(), Some(Method::Invite | Method::Update));
        let success = success.filter(|_| refreshes && status < 300);
        let response = success.map(|(response, _)| Arc::new(response.clone()));
        let request = Arc::clone(&self.request);
        let event = DialogEvent { request, response, status, is_received, session };
        Some(Output::Dialog(Box::new(event)))
    }

    fn set_client(&mut self, index: usize, client: Key<ClientTransaction>) {
        if self.clients.len() <= index {
            self.clients.resize(index + 1, None);
        }
        if let Some(place) = self.clients.get_mut(index) {
            *place = Some(client);
        }
    }
}

pub(super) fn has_to_tag(request: &Message) -> bool {
    to_tag(request).is_some()
}

fn to_tag(message: &Message) -> Option<String> {
    message.to_header().ok()?.tag().map(ToOwned::to_owned)
}

fn call_event(
    server: Key<ServerTransaction>,
    request: &Arc<Message>,
    to_tag: Option<String>,
    response: Option<Arc<Message>>,
    kind: CallEventKind,
) -> Option<CallEvent> {
    Some(CallEvent {
        id: ServerTransactionId(server),
        call_id: request.call_id().ok()?.to_owned(),
        from_tag: request.from_header().ok()?.tag().unwrap_or("").to_owned(),
        to_tag,
        request: Arc::clone(request),
        response,
        session: None,
        kind,
    })
}

/// The event of a BYE that was answered; nothing for other requests.
fn ended(server: Key<ServerTransaction>, request: &Arc<Message>) -> Option<Output> {
    if request.method() != Some(&Method::Bye) {
        return None;
    }
    let event = call_event(server, request, to_tag(request), None, CallEventKind::Ended);
    event.map(|event| Output::Call(Box::new(event)))
}

/// What a final response to a request that begins or refreshes a session says of it; `is_theirs`: as it came.
fn session_of(response: &Message, is_theirs: bool) -> Option<Session> {
    let is_success = response.status().is_some_and(|status| (200..300).contains(&status));
    let SessionExpires(seconds) = response.header().ok().flatten().filter(|_| is_success)?;
    Some(Session { seconds, is_enforced: is_theirs })
}
