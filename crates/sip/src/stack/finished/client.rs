//! Client transactions that are over but for what may come again.

use super::record::{Reader, put_destination, put_text};
use super::{RECORD, Rest};
use crate::message::{Message, Method};
use crate::proxy::Destination;
use crate::proxy::context::Ending;
use crate::stack::Stack;
use crate::stack::arena::Key;
use crate::stack::client::{ClientInput, ClientMachine, ClientTransaction, Owner};
use crate::stack::output::{Output, SendId, Sent};
use crate::transaction::{Action, ClientKey, Machine, Moment};
use bytes::Bytes;

/// What finds a client transaction, and whom it tells what comes back.
#[derive(Debug, Clone, Copy)]
pub(in crate::stack) struct FinishedClient {
    id: Key<ClientTransaction>,
    key: ClientKey,
    owner: Owner,
}

/// What a client transaction may still need.
struct Record<'a> {
    method: &'a [u8],
    to: Destination,
    /// The ACK, for an INVITE that was refused.
    octets: &'a [u8],
}

impl<'a> Record<'a> {
    fn read(record: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(record);
        let (method, to) = (reader.text()?, reader.destination()?);
        Some(Self { method, to, octets: reader.0 })
    }

    fn write(to: &mut Vec<u8>, client: &ClientTransaction, octets: &[u8]) {
        put_text(to, client.method.as_str());
        put_destination(to, &client.to);
        to.extend(octets);
    }
}

impl Stack {
    /// Keeps only what a client transaction may still need, when it only waits for what may come again; whether it does.
    pub(in crate::stack) fn rest_client(&mut self, id: Key<ClientTransaction>) -> bool {
        let Some(client) = self.clients.get(id) else { return false };
        let Some((rest, until)) = client.machine.rest() else { return false };
        let octets = if rest == Rest::Acknowledged { &client.octets[..] } else { &[] };
        let entry = FinishedClient { id, key: client.key, owner: client.owner };
        let write = |to: &mut Vec<u8>| Record::write(to, client, octets);
        let size = octets.len() + RECORD;
        let place = self.finished_clients.push((rest, until), entry, size, write);
        self.clients.finish(id, place);
        self.tidy();
        true
    }

    /// A response comes for a client transaction that rests. It comes back when it is not to the request of that one.
    pub(in crate::stack) fn answered_again(
        &mut self,
        now: Moment,
        id: Key<ClientTransaction>,
        method: &Method,
        response: Message,
    ) -> Option<Message> {
        let found = self.clients.place(id).and_then(|place| self.finished_clients.get(place));
        let is_to_it = found.is_some_and(|(entry, record)| {
            let is_same = |record: Record| record.method == method.as_str().as_bytes();
            entry.owner.takes(&response) && Record::read(record).is_some_and(is_same)
        });
        match response.status().filter(|_| is_to_it) {
            Some(status) => {
                self.wake_client(now, id, ClientInput::Response(status), Some(&response));
                None
            }
            None => Some(response),
        }
    }

    /// Something comes for a client transaction that rests.
    pub(in crate::stack) fn wake_client(
        &mut self,
        now: Moment,
        id: Key<ClientTransaction>,
        input: ClientInput,
        response: Option<&Message>,
    ) {
        let Some(place) = self.clients.place(id) else { return };
        let Some((FinishedClient { owner, .. }, record)) = self.finished_clients.get(place) else {
            return;
        };
        let Some(Record { to, octets, .. }) = Record::read(record) else { return };
        let octets = Bytes::copy_from_slice(octets);
        let mut machine = ClientMachine::resting(place.rest);
        for action in machine.handle(input, now, &self.config.timers) {
            let to = to.clone();
            match action {
                Action::Transmit | Action::Acknowledge if octets.is_empty() => {}
                Action::Transmit | Action::Acknowledge => {
                    let (octets, id) = (octets.clone(), Some(SendId(Sent::Client(id))));
                    self.outputs.push_back(Output::Send { to, octets, id });
                }
                Action::PassUp => {
                    if let Some(response) = response {
                        self.tell_response(now, id, owner, Some(to), response.clone());
                    }
                }
                Action::TimedOut => self.tell_failure(now, id, owner, to, Ending::TimedOut),
                Action::TransportFailed => self.tell_failure(now, id, owner, to, Ending::Failed),
            }
        }
        if machine.is_terminated() {
            self.remove_client(id);
        }
    }

    /// Forgets the client transactions whose time has come.
    pub(in crate::stack) fn forget_clients(&mut self, now: Moment) {
        while let Some(entry) = self.finished_clients.pop_due(now) {
            self.clients.remove(entry.id);
            self.client_index.remove(&entry.key);
        }
    }

    /// Forgets a client transaction that rests.
    pub(in crate::stack) fn remove_finished_client(&mut self, id: Key<ClientTransaction>) {
        let Some(place) = self.clients.place(id) else { return };
        self.clients.remove(id);
        if let Some(entry) = self.finished_clients.remove(place) {
            self.client_index.remove(&entry.key);
        }
    }

    /// Where a request was sent.
    pub(in crate::stack) fn destination_of_client(
        &self,
        id: Key<ClientTransaction>,
    ) -> Option<Destination> {
        match self.clients.get(id) {
            Some(client) => Some(client.to.clone()),
            None => self.record_of_client(id).map(|record| record.to),
        }
    }

    fn record_of_client(&self, id: Key<ClientTransaction>) -> Option<Record<'_>> {
        let (_, record) = self.finished_clients.get(self.clients.place(id)?)?;
        Record::read(record)
    }
}
