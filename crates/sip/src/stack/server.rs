//! Server transactions and what they hold.

mod machine;

pub(super) use machine::{ServerInput, ServerMachine};

use super::forwarding::Context;
use super::output::{Output, SendId, Sent, ServerTransactionId};
use super::{Stack, arena::Key, deadlines::Entity, tag::Tag};
use crate::header::{HeaderName, Transport, Via};
use crate::message::{Message, Method, reason_phrase};
use crate::proxy::forward::response_port;
use crate::proxy::session_timer::Asked;
use crate::proxy::{Destination, Source};
use crate::transaction::{
    Action, Actions, InviteServer, KeyText, Machine, MergeKey, Moment, NonInviteServer, ServerKey,
};
use bytes::Bytes;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// A request that came in.
pub(super) struct ServerTransaction {
    pub(super) machine: ServerMachine,
    pub(super) key: ServerKey,
    pub(super) merge: Option<MergeKey>,
    /// Until the final response.
    pub(super) request: Option<Arc<Message>>,
    pub(super) source: Source,
    pub(super) reply_to: Destination,
    pub(super) response: Option<Bytes>,
    pub(super) to_tag: Tag,
    pub(super) context: Option<Key<Context>>,
    /// Made before Route entries of ours were taken off; `None` when there were none.
    pub(super) loop_hash: Option<[u8; 6]>,
    /// What its answer says of the session (RFC 4028 section 8.2).
    pub(super) asked: Option<Asked>,
    /// When a 100 is due.
    pub(super) trying_at: Option<Moment>,
    /// When the application must have answered.
    pub(super) answer_by: Option<Moment>,
    /// When a request that must not be answered is forgotten.
    forget_at: Option<Moment>,
    pub(super) armed: Option<Moment>,
}

/// How often a response is sent again at least when its INVITE does not come again.
const LEAST_REPEATS: u8 = 3;

impl ServerTransaction {
    pub(super) fn limit_repeats(&mut self, most: u8) {
        if let ServerMachine::Invite(machine) = &mut self.machine {
            machine.limit_repeats(most);
        }
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        let own = [self.trying_at, self.answer_by, self.forget_at].into_iter().flatten();
        own.chain(self.machine.deadline()).min()
    }
}

impl Stack {
    /// Begins a server transaction, which [`settle`](Self::settle) makes one that is found again.
    pub(super) fn open_server(
        &mut self,
        now: Moment,
        (text, key): (&KeyText, ServerKey),
        request: Message,
        source: Source,
    ) -> Key<ServerTransaction> {
        let is_invite = request.method() == Some(&Method::Invite);
        let is_reliable = source.transport.is_reliable();
        let machine = if is_invite {
            ServerMachine::Invite(InviteServer::new(is_reliable, &self.config.timers))
        } else {
            ServerMachine::Other(NonInviteServer::new(is_reliable))
        };
        let merge = self.digests.merge(&request).ok().flatten();
        let transaction = ServerTransaction {
            machine,
            merge,
            reply_to: self.reply_to(&request, &source),
            request: Some(Arc::new(request)),
            source,
            response: None,
            to_tag: self.refuser.tag_of(text),
            context: None,
            loop_hash: None,
            asked: None,
            trying_at: is_invite.then(|| now + self.config.trying_after),
            answer_by: Some(now + self.config.application_timeout),
            forget_at: None,
            armed: None,
            key,
        };
        let id = self.servers.insert(transaction);
        self.newest = Some(id);
        id
    }

    /// Lets the newest server transaction be found by what comes again, and watches its time. Until something else
    /// happens nothing can come again, and what is answered without keeping anything never gets here.
    pub(super) fn settle(&mut self) {
        let Some(id) = self.newest.take() else { return };
        let Some(server) = self.servers.get(id) else { return };
        self.server_index.insert(server.key, id);
        if let Some(merge) = server.merge {
            *self.merges.entry(merge).or_insert(0) += 1;
        }
        self.arm(Entity::Server(id));
    }

    /// Answers a request and forgets it (RFC 3261 section 8.2.7): one that comes again is a new one, and gets an answer
    /// that is as good. Over UDP nothing is sent again by us, since the client sends its request again. False when it
    /// was answered or is being forwarded.
    pub(super) fn answer_statelessly(
        &mut self,
        id: Key<ServerTransaction>,
        status: u16,
        phrase: &str,
        fields: &[(HeaderName, String)],
    ) -> bool {
        let Some(server) = self.servers.get(id) else { return false };
        let Some(request) = &server.request else { return false };
        let mut response = request.response(status, phrase, Some(&server.to_tag.to_text()));
        for (name, value) in fields {
            response.append(*name, value);
        }
        response.ensure_content_length();
        let (to, octets) = (server.reply_to.clone(), response.to_vec().into());
        self.outputs.push_back(Output::Send { to, octets, id: None });
        self.remove_server(id);
        true
    }

    /// Where responses to a request go (section 18.2.2): over the connection that it came by; over UDP as the
    /// Via says, which by now holds where the request came from.
    pub(super) fn reply_to(&self, request: &Message, source: &Source) -> Destination {
        reply_to(request, source, self.config.follows_nat)
    }

    /// Sends a response of this element's own making.
    pub(super) fn reply_own(
        &mut self,
        now: Moment,
        id: Key<ServerTransaction>,
        status: u16,
        fields: &[(HeaderName, String)],
    ) -> bool {
        let Some(server) = self.servers.get(id) else { return false };
        let Some(request) = server.request.clone() else { return false };
        let mut response =
            request.response(status, reason_phrase(status), Some(&server.to_tag.to_text()));
        for (name, value) in fields {
            response.append(*name, value);
        }
        self.send_response(now, id, response)
    }

    /// Sends a response; false when the transaction takes none any more.
    pub(super) fn send_response(
        &mut self,
        now: Moment,
        id: Key<ServerTransaction>,
        mut response: Message,
    ) -> bool {
        self.settle();
        let Some(status) = response.status() else { return false };
        let Some(server) = self.servers.get_mut(id) else {
            return self.answer_again(now, id, status, response);
        };
        if !server.machine.admits(status) {
            return false;
        }
        if let ServerMachine::Invite(machine) = &mut server.machine
            && server.response.is_some()
        {
            machine.raise_repeats(LEAST_REPEATS);
        }
        response.ensure_content_length();
        server.response = Some(response.to_bytes());
        server.trying_at = None;
        if status >= 200 {
            server.answer_by = None;
            server.request = None;
        }
        let input = ServerInput::Respond(status);
        let actions = server.machine.handle(input, now, &self.config.timers);
        self.run_server(now, id, actions);
        true
    }

    /// A request came again.
    pub(super) fn retransmitted(&mut self, now: Moment, id: Key<ServerTransaction>) {
        self.counters.retransmissions += 1;
        self.server_input(now, id, ServerInput::Again);
    }

    /// An ACK came with the key of an INVITE; whether it acknowledges a 2xx and has to travel on.
    pub(super) fn acknowledged(&mut self, now: Moment, id: Key<ServerTransaction>) -> bool {
        self.server_input(now, id, ServerInput::Ack)
    }

    /// A response could not be sent.
    pub(super) fn server_send_failed(&mut self, now: Moment, id: Key<ServerTransaction>) {
        self.server_input(now, id, ServerInput::TransportError);
    }

    /// Something comes for a server transaction; whether it is passed up.
    fn server_input(
        &mut self,
        now: Moment,
        id: Key<ServerTransaction>,
        input: ServerInput,
    ) -> bool {
        let Some(server) = self.servers.get_mut(id) else {
            return self.wake_server(now, id, input, None);
        };
        let actions = server.machine.handle(input, now, &self.config.timers);
        self.run_server(now, id, actions);
        actions.into_iter().any(|action| action == Action::PassUp)
    }

    /// Lets everything happen that is due in a server transaction.
    pub(super) fn server_timeout(&mut self, now: Moment, id: Key<ServerTransaction>) {
        let Some(server) = self.servers.get_mut(id) else { return };
        if server.trying_at.is_some_and(|at| at <= now) {
            server.trying_at = None;
            self.send_trying(now, id);
        }
        let Some(server) = self.servers.get_mut(id) else { return };
        if server.answer_by.is_some_and(|at| at <= now) {
            server.answer_by = None;
            self.counters.unanswered_by_application += 1;
            self.reply_own(now, id, 500, &[]);
        }
        let Some(server) = self.servers.get_mut(id) else { return };
        if server.forget_at.is_some_and(|at| at <= now) {
            return self.remove_server(id);
        }
        while let Some(server) = self.servers.get_mut(id) {
            let expired = server.machine.expire(now, &self.config.timers);
            let Some(actions) = expired else { break };
            self.run_server(now, id, actions);
        }
        self.arm(Entity::Server(id));
    }

    /// Sends 100, unless something was sent already.
    pub(super) fn send_trying(&mut self, now: Moment, id: Key<ServerTransaction>) {
        let Some(server) = self.servers.get(id) else { return };
        if server.response.is_none()
            && let Some(request) = server.request.clone()
        {
            let trying = request.response(100, reason_phrase(100), None);
            self.send_response(now, id, trying);
        }
    }

    fn run_server(&mut self, now: Moment, id: Key<ServerTransaction>, actions: Actions) {
        for action in actions {
            match action {
                Action::Transmit => self.transmit_response(now, id),
                Action::TimedOut => self.counters.unacknowledged += 1,
                Action::TransportFailed => self.counters.transport_failures += 1,
                // The caller looks after the message that came in.
                Action::PassUp | Action::Acknowledge => {}
            }
        }
        if self.servers.get(id).is_some_and(|server| server.machine.is_terminated()) {
            self.remove_server(id);
        } else if !self.rest_server(id) {
            self.arm(Entity::Server(id));
        }
    }

    fn transmit_response(&mut self, now: Moment, id: Key<ServerTransaction>) {
        let Some(server) = self.servers.get(id) else { return };
        let Some(octets) = server.response.clone() else {
            // The INVITE came again before the 100 was due.
            if server.machine.is_invite() {
                self.send_trying(now, id);
            }
            return;
        };
        let to = server.reply_to.clone();
        self.outputs.push_back(Output::Send { to, octets, id: Some(SendId(Sent::Server(id))) });
    }

    /// Leaves a request without final response (RFC 4320 section 4.2). It is kept until its client has given
    /// up, so that retransmissions are not taken for new requests.
    pub(super) fn fall_silent(&mut self, now: Moment, id: Key<ServerTransaction>) {
        self.counters.silenced += 1;
        let Some(server) = self.servers.get_mut(id) else { return };
        server.request = None;
        server.trying_at = None;
        server.forget_at = Some(now + self.config.timers.timeout());
        self.arm(Entity::Server(id));
    }

    /// Forgets a server transaction.
    pub(super) fn remove_server(&mut self, id: Key<ServerTransaction>) {
        let Some(server) = self.servers.get(id) else { return self.remove_finished_server(id) };
        let (key, merge) = (server.key, server.merge);
        self.servers.remove(id);
        if self.newest == Some(id) {
            self.newest = None;
        } else {
            self.unlist_server(key, merge);
        }
    }

    /// Takes a server transaction out of the tables by which it is found.
    pub(super) fn unlist_server(&mut self, key: ServerKey, merge: Option<MergeKey>) {
        self.server_index.remove(&key);
        if let Some(merge) = merge
            && let Some(count) = self.merges.get_mut(&merge)
        {
            *count -= 1;
            if *count == 0 {
                self.merges.remove(&merge);
            }
        }
    }

    /// Answers 487 to an INVITE that the application still has.
    pub(super) fn cancel_unanswered(&mut self, now: Moment, id: Key<ServerTransaction>) {
        if self.reply_own(now, id, 487, &[]) {
            self.outputs.push_back(Output::Cancelled(ServerTransactionId(id)));
        }
    }
}

/// Where responses to a request go (section 18.2.2): over the connection that it came by; over UDP to where it
/// came from, at the port that the Via says. A `maddr` in the Via would let anybody have responses sent to anybody, so
/// it counts for nothing.
pub(super) fn reply_to(request: &Message, source: &Source, follows_nat: bool) -> Destination {
    let mut back = Destination::back_to(source);
    let Ok(via) = request.top_via() else { return back };
    if source.transport.is_reliable() {
        // When the connection is gone, one is opened to the port of sent-by.
        back.remote.set_port(via.port_or_default());
        if source.transport == Transport::Tls {
            back.server_name = Some(via.host().to_string().trim_matches(['[', ']']).to_owned());
        }
    } else if !(follows_nat && is_behind_nat(&via, source.remote))
        && let Some(port) = response_port(&via)
    {
        back.remote.set_port(port);
    }
    back
}

/// Whether a Via holds a private address and the request came from another one.
fn is_behind_nat(via: &Via, remote: SocketAddr) -> bool {
    match via.host().ip() {
        Some(IpAddr::V4(address)) => {
            let [a, b, ..] = address.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            (address.is_private() || is_shared) && IpAddr::V4(address) != remote.ip()
        }
        _ => false,
    }
}
