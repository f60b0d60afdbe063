//! Branches of requests that are forwarded: each is sent to one place after the other.

use super::{Context, MAX_BREADTH};
use crate::header::Transport;
use crate::message::{Message, Method};
use crate::proxy::branch::Branch;
use crate::proxy::context::{Ending, Order};
use crate::proxy::validate::makes_dialog;
use crate::proxy::{Destination, Interface, Oversize, forward, record_route};
use crate::stack::Stack;
use crate::stack::arena::Key;
use crate::stack::client::{ClientTransaction, Owner};
use crate::stack::output::{Lookup, LookupId, Output, ServerTransactionId, Tried, TriedResult};
use crate::transaction::Moment;
use crate::uri::Scheme;
use std::net::SocketAddr;
use std::time::Duration;

/// How many places are remembered that take no TCP, and for how long.
const MOST_WITHOUT_TCP: usize = 10_000;
const WITHOUT_TCP: Duration = Duration::from_secs(600);

impl Stack {
    /// Sends the request of a branch, or asks where to.
    pub(super) fn start_branch(
        &mut self,
        now: Moment,
        id: Key<Context>,
        index: usize,
    ) -> Vec<Order> {
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
            Some(Started::Forbidden) => context.proxy.failure(index, Ending::Forbidden, now),
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
        if !target.reaches_reserved && to.flow.is_none() && self.reserved.contains(&to.remote) {
            return Some(Started::Forbidden);
        }
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
        let (share, is_less) = context.proxy.share(index);
        if is_less || context.request.field_named(MAX_BREADTH).is_some() {
            copy.remove_named(MAX_BREADTH);
            copy.append_named(MAX_BREADTH, &share.to_string());
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
    pub(in crate::stack) fn note_no_tcp(&mut self, now: Moment, remote: SocketAddr) {
        if self.no_tcp.len() >= MOST_WITHOUT_TCP {
            self.no_tcp.retain(|_, until| *until > now);
        }
        if self.no_tcp.len() < MOST_WITHOUT_TCP {
            self.no_tcp.insert(remote, now + WITHOUT_TCP);
        }
    }

    /// Tells what came of sending to a place.
    pub(in crate::stack) fn tried(
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
    pub(in crate::stack) fn tried_in_vain(
        &mut self,
        id: Key<Context>,
        index: usize,
        to: Destination,
    ) {
        if self.contexts.get(id).is_some_and(|context| context.proxy.is_silent(index)) {
            self.tried(id, index, to, TriedResult::Silent);
        }
    }

    /// A branch is given up that nothing came from.
    pub(super) fn branch_is_silent(&mut self, id: Key<Context>, index: usize) {
        let client = self.contexts.get(id).and_then(|context| context.client(index));
        let to = client.and_then(|client| self.destination_of_client(client));
        if let Some(to) = to {
            self.tried(id, index, to, TriedResult::Silent);
        }
    }

    pub(super) fn cancel_branch(&mut self, now: Moment, id: Key<Context>, index: usize) {
        let Some(context) = self.contexts.get(id) else { return };
        let reasons = if context.is_answered {
            vec!["SIP;cause=200;text=\"Call completed elsewhere\"".to_owned()]
        } else {
            context.cancel_reasons.clone()
        };
        if let Some(client) = context.client(index) {
            self.send_cancel(now, client, &reasons);
        }
    }
}

enum Started {
    Sent(Key<ClientTransaction>),
    Resolving,
    Forbidden,
}
