//! Requests that are forwarded: carries out what their response contexts order.

mod answers;
mod branches;

use super::Stack;
use super::arena::Key;
use super::client::ClientTransaction;
use super::deadlines::Entity;
use super::output::{CallEventKind, Output, RedirectionId, ServerTransactionId};
use super::server::ServerTransaction;
use crate::header::HeaderName;
use crate::message::{Message, Method};
use crate::proxy::branch::loop_hash;
use crate::proxy::context::{Ending, Order, ResponseContext, Waits};
use crate::proxy::plan::{ForwardPlan, ForwardTarget};
use crate::proxy::session_timer::{self, TooSmall};
use crate::proxy::validate::has_hops_left;
use crate::proxy::{Destination, Edit, Source};
use crate::transaction::Moment;
use answers::{call_event, to_tag};
use std::collections::VecDeque;
use std::sync::Arc;

/// Max-Breadth (RFC 5393 section 5.3.1).
const MAX_BREADTH: &str = "Max-Breadth";

/// A request that is forwarded.
pub(super) struct Context {
    pub(super) proxy: ResponseContext,
    pub(super) request: Arc<Message>,
    pub(super) server: Key<ServerTransaction>,
    source: Source,
    /// When it was forwarded first.
    begun: Moment,
    loop_hash: [u8; 6],
    edits: Vec<Edit>,
    /// The client transaction of each branch.
    clients: Vec<Option<Key<ClientTransaction>>>,
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
    /// Why it was cancelled, as the caller put it (RFC 3326 section 2: a reason for each protocol).
    cancel_reasons: Vec<String>,
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
        // RFC 5393 section 5.3.3: more than our own maximum is overwritten by it.
        let breadth = breadth.unwrap_or(u32::MAX).min(self.config.max_breadth);
        if breadth == 0 {
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
            proxy: ResponseContext::new(is_invite, plan.recurse, plan.steps, waits, breadth),
            server: server_id,
            source: server.source.clone(),
            begun: now,
            loop_hash: server.loop_hash.unwrap_or_else(|| {
                let secret = &self.config.secret;
                loop_hash(secret, &request, server.source.remote.ip()).unwrap_or_default()
            }),
            edits: [plan.edits, edits].concat(),
            clients: Vec::new(),
            is_invite,
            is_call,
            is_in_dialog: !is_for_node
                && has_to_tag(&request)
                && request.method() != Some(&Method::Bye),
            has_rung: false,
            is_answered: false,
            is_flow_lost: false,
            is_for_node,
            cancel_reasons: Vec::new(),
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
        let (request, tag) = (server.request.clone(), server.to_tag.to_text());
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
        let reasons = cancel.named(HeaderName::Reason).filter_map(|field| field.text());
        context.cancel_reasons = reasons.map(ToOwned::to_owned).collect();
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
}

impl Context {
    fn client(&self, index: usize) -> Option<Key<ClientTransaction>> {
        self.clients.get(index).copied().flatten()
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
