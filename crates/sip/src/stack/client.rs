//! Client transactions and what they hold.

mod machine;

pub(super) use machine::{ClientInput, ClientMachine};

use super::forwarding::Context;
use super::output::{AnswerResult, ClientTransactionId, Output, SendId, Sent, TriedResult};
use super::server::ServerTransaction;
use super::{Stack, arena::Key, deadlines::Entity};
use crate::message::{Message, Method};
use crate::proxy::branch::Branch;
use crate::proxy::context::Ending;
use crate::proxy::{Destination, Oversize};
use crate::transaction::{
    Action, Actions, ClientKey, InviteClient, Machine, Moment, NonInviteClient,
};
use bytes::Bytes;

/// A request that went out.
pub(super) struct ClientTransaction {
    pub(super) machine: ClientMachine,
    pub(super) key: ClientKey,
    pub(super) method: Method,
    /// As it was sent, for CANCEL and ACK; until the final response.
    pub(super) request: Option<Message>,
    /// What is sent again: the request, later the ACK.
    pub(super) octets: Bytes,
    pub(super) to: Destination,
    pub(super) owner: Owner,
    pub(super) armed: Option<Moment>,
}

/// Who is told what comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// A branch of a forwarded request; the server transaction is for 2xx that come when the context is gone.
    Branch(Key<Context>, usize, Key<ServerTransaction>),
    /// The application.
    Application,
    /// Nobody: a CANCEL.
    Nobody,
}

impl Owner {
    /// Whether a response may be for it. One without a Via below ours would be for us, who asked in the name of somebody
    /// else (RFC 3261 section 16.7 step 3).
    pub(super) fn takes(self, response: &Message) -> bool {
        !matches!(self, Self::Branch(..)) || response.has_via_below()
    }
}

impl ClientTransaction {
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.machine.deadline()
    }
}

impl Stack {
    /// Sends a request, which has our Via with this branch on top.
    pub(super) fn open_client(
        &mut self,
        now: Moment,
        request: Message,
        branch: u64,
        to: Destination,
        owner: Owner,
    ) -> Key<ClientTransaction> {
        let method = request.method().cloned().unwrap_or(Method::Options);
        let is_reliable = to.transport.is_reliable();
        let timers = &self.config.timers;
        let machine = if method == Method::Invite {
            ClientMachine::Invite(InviteClient::new(is_reliable, now, timers))
        } else {
            ClientMachine::Other(NonInviteClient::new(is_reliable, now, timers))
        };
        let key = ClientKey { branch, is_cancel: method == Method::Cancel };
        let octets = request.to_bytes();
        let transaction = ClientTransaction {
            machine,
            key,
            method,
            request: Some(request),
            octets,
            to,
            owner,
            armed: None,
        };
        let id = self.clients.insert(transaction);
        self.client_index.insert(key, id);
        self.transmit_request(id);
        self.arm(Entity::Client(id));
        id
    }

    /// Takes a response whose topmost Via is ours. The response itself comes back when it belongs to no client
    /// transaction.
    pub(super) fn client_response(
        &mut self,
        now: Moment,
        branch: &Branch,
        response: Message,
    ) -> Option<Message> {
        let Ok(cseq) = response.cseq() else { return Some(response) };
        let key = ClientKey { branch: branch.id, is_cancel: cseq.method == Method::Cancel };
        let found = self.client_index.get(&key).copied();
        let Some(id) = found else { return Some(response) };
        let Some(client) = self.clients.get_mut(id) else {
            return self.answered_again(now, id, &cseq.method, response);
        };
        let Some(status) = response.status().filter(|_| client.method == cseq.method) else {
            return Some(response);
        };
        if !client.owner.takes(&response) {
            return Some(response);
        }
        let input = ClientInput::Response(status);
        let actions = client.machine.handle(input, now, &self.config.timers);
        self.run_client(now, id, actions, Some(response));
        None
    }

    /// A request could not be sent.
    pub(super) fn client_send_failed(&mut self, now: Moment, id: Key<ClientTransaction>) {
        if !self.clients.has(id) {
            return;
        }
        self.counters.transport_failures += 1;
        let input = ClientInput::TransportError;
        let Some(client) = self.clients.get_mut(id) else {
            return self.wake_client(now, id, input, None);
        };
        let actions = client.machine.handle(input, now, &self.config.timers);
        self.run_client(now, id, actions, None);
    }

    /// Lets everything happen that is due in a client transaction.
    pub(super) fn client_timeout(&mut self, now: Moment, id: Key<ClientTransaction>) {
        while let Some(client) = self.clients.get_mut(id) {
            let expired = client.machine.expire(now, &self.config.timers);
            let Some(actions) = expired else { break };
            self.run_client(now, id, actions, None);
        }
        self.arm(Entity::Client(id));
    }

    /// Sends the CANCEL for an INVITE (section 9.1): to the same place, with the same branch.
    pub(super) fn send_cancel(
        &mut self,
        now: Moment,
        id: Key<ClientTransaction>,
        reasons: &[String],
    ) {
        let Some(client) = self.clients.get(id) else { return };
        let Some(Ok(mut cancel)) = client.request.as_ref().map(Message::cancel) else { return };
        for reason in reasons {
            cancel.append(crate::header::HeaderName::Reason, reason);
        }
        let (branch, to) = (client.key.branch, client.to.clone());
        self.open_client(now, cancel, branch, to, Owner::Nobody);
    }

    fn run_client(
        &mut self,
        now: Moment,
        id: Key<ClientTransaction>,
        actions: Actions,
        response: Option<Message>,
    ) {
        for action in actions {
            match action {
                Action::Transmit => {
                    self.counters.retransmissions_sent += 1;
                    self.transmit_request(id);
                }
                Action::Acknowledge => self.acknowledge(id, response.as_ref()),
                Action::PassUp => {
                    if let Some(response) = &response {
                        self.pass_response_up(now, id, response.clone());
                    }
                }
                Action::TimedOut => self.client_failed(now, id, Ending::TimedOut),
                Action::TransportFailed => self.client_failed(now, id, Ending::Failed),
            }
        }
        if self.clients.get(id).is_some_and(|client| client.machine.is_terminated()) {
            self.remove_client(id);
        } else if !self.rest_client(id) {
            self.arm(Entity::Client(id));
        }
    }

    fn pass_response_up(&mut self, now: Moment, id: Key<ClientTransaction>, response: Message) {
        let Some(client) = self.clients.get_mut(id) else { return };
        let status = response.status().unwrap_or(0);
        if status >= 200 {
            client.request = None;
            if !matches!(client.machine, ClientMachine::Invite(_)) || status < 300 {
                client.octets = Bytes::new();
            }
        }
        let (owner, to) = (client.owner, (status >= 200).then(|| client.to.clone()));
        self.tell_response(now, id, owner, to, response);
    }

    /// Tells the owner of a response; `to`: where the request was sent, when the response is a final one.
    pub(super) fn tell_response(
        &mut self,
        now: Moment,
        id: Key<ClientTransaction>,
        owner: Owner,
        to: Option<Destination>,
        response: Message,
    ) {
        let status = response.status().unwrap_or(0);
        match owner {
            Owner::Branch(context, index, server) => {
                if let Some(to) = to {
                    self.tried(context, index, to, TriedResult::Final(status));
                }
                self.branch_response(now, context, index, server, response);
            }
            Owner::Application => {
                let result = AnswerResult::Response(Box::new(response));
                self.outputs.push_back(Output::Answer { id: ClientTransactionId(id), result });
            }
            Owner::Nobody => {}
        }
    }

    fn client_failed(&mut self, now: Moment, id: Key<ClientTransaction>, ending: Ending) {
        let Some(client) = self.clients.get(id) else { return };
        let (owner, to) = (client.owner, client.to.clone());
        self.tell_failure(now, id, owner, to, ending);
    }

    /// Tells the owner that nothing came of a request, which was sent to there.
    pub(super) fn tell_failure(
        &mut self,
        now: Moment,
        id: Key<ClientTransaction>,
        owner: Owner,
        to: Destination,
        ending: Ending,
    ) {
        match owner {
            Owner::Branch(context, index, _) => {
                let is_flow_lost = to.only_flow && matches!(ending, Ending::Failed);
                if let Some(context) = self.contexts.get_mut(context).filter(|_| is_flow_lost) {
                    context.is_flow_lost = true;
                }
                match ending {
                    // It says nothing about the place, which is tried over UDP now.
                    Ending::Failed if to.oversize == Oversize::Switched => {
                        self.note_no_tcp(now, to.remote);
                    }
                    Ending::Failed => self.tried(context, index, to, TriedResult::Failed),
                    Ending::TimedOut => self.tried_in_vain(context, index, to),
                    Ending::Response(..) | Ending::Forbidden => {}
                }
                self.branch_failed(now, context, index, ending);
            }
            Owner::Application => {
                let result = match ending {
                    Ending::TimedOut => AnswerResult::TimedOut,
                    _ => AnswerResult::TransportFailed,
                };
                self.outputs.push_back(Output::Answer { id: ClientTransactionId(id), result });
            }
            Owner::Nobody => {}
        }
    }

    /// Sends the ACK for a final response other than 2xx (section 17.1.1.3).
    fn acknowledge(&mut self, id: Key<ClientTransaction>, response: Option<&Message>) {
        let Some(client) = self.clients.get_mut(id) else { return };
        if let (Some(request), Some(response)) = (&client.request, response)
            && let Ok(ack) = request.ack(response)
        {
            client.octets = ack.to_bytes();
            client.request = None;
        }
        self.transmit_request(id);
    }

    fn transmit_request(&mut self, id: Key<ClientTransaction>) {
        let Some(client) = self.clients.get(id) else { return };
        if client.octets.is_empty() {
            return;
        }
        let (to, octets) = (client.to.clone(), client.octets.clone());
        self.outputs.push_back(Output::Send { to, octets, id: Some(SendId(Sent::Client(id))) });
    }

    /// Forgets a client transaction.
    pub(super) fn remove_client(&mut self, id: Key<ClientTransaction>) {
        let Some(client) = self.clients.get(id) else { return self.remove_finished_client(id) };
        self.client_index.remove(&client.key);
        self.clients.remove(id);
    }
}
