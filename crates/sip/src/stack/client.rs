//! Client transactions and what they hold.

use super::forwarding::Context;
use super::output::{AnswerResult, ClientTransactionId, Output, SendId, Sent, TriedResult};
use super::server::ServerTransaction;
use super::{Stack, arena::Key, deadlines::Entity};
use crate::message::{Message, Method};
use crate::proxy::branch::Branch;
use crate::proxy::context::Ending;
use crate::proxy::{Destination, Oversize};
use crate::transaction::invite_client;
use crate::transaction::non_invite_client;
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

#[derive(Debug)]
pub(super) enum ClientMachine {
    Invite(InviteClient),
    Other(NonInviteClient),
}

impl ClientMachine {
    fn machine(&self) -> &dyn Machine {
        match self {
            Self::Invite(machine) => machine,
            Self::Other(machine) => machine,
        }
    }
}

impl ClientTransaction {
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.machine.machine().deadline()
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
        let client = self.clients.get_mut(id).filter(|client| client.method == cseq.method);
        let (Some(client), Some(status)) = (client, response.status()) else {
            return Some(response);
        };
        // RFC 3261 section 16.7 step 3: it would be for us, who asked in the name of somebody else.
        if matches!(client.owner, Owner::Branch(..)) && !response.has_via_below() {
            return Some(response);
        }
        let timers = &self.config.timers;
        let actions = match &mut client.machine {
            ClientMachine::Invite(machine) => {
                machine.handle(invite_client::Input::Response(status), now, timers)
            }
            ClientMachine::Other(machine) => {
                machine.handle(non_invite_client::Input::Response(status), now, timers)
            }
        };
        self.run_client(now, id, actions, Some(response));
        None
    }

    /// A request could not be sent.
    pub(super) fn client_send_failed(&mut self, now: Moment, id: Key<ClientTransaction>) {
        let Some(client) = self.clients.get_mut(id) else { return };
        let timers = &self.config.timers;
        let actions = match &mut client.machine {
            ClientMachine::Invite(machine) => {
                machine.handle(invite_client::Input::TransportError, now, timers)
            }
            ClientMachine::Other(machine) => {
                machine.handle(non_invite_client::Input::TransportError, now, timers)
            }
        };
        self.counters.transport_failures += 1;
        self.run_client(now, id, actions, None);
    }

    /// Lets everything happen that is due in a client transaction.
    pub(super) fn client_timeout(&mut self, now: Moment, id: Key<ClientTransaction>) {
        while let Some(client) = self.clients.get_mut(id) {
            let expired = match &mut client.machine {
                ClientMachine::Invite(machine) => machine.expire(now, &self.config.timers),
                ClientMachine::Other(machine) => machine.expire(now, &self.config.timers),
            };
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
        reason: Option<&str>,
    ) {
        let Some(client) = self.clients.get(id) else { return };
        let Some(Ok(mut cancel)) = client.request.as_ref().map(Message::cancel) else { return };
        if let Some(reason) = reason {
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
        let is_over = self.clients.get(id).is_some_and(|c| c.machine.machine().is_terminated());
        if is_over {
            self.remove_client(id);
        } else {
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
        let to = (status >= 200).then(|| client.to.clone());
        match client.owner {
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
        match client.owner {
            Owner::Branch(context, index, _) => {
                let to = client.to.clone();
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
                    Ending::Response(..) => {}
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
        if let Some(client) = self.clients.remove(id) {
            self.client_index.remove(&client.key);
        }
    }
}
