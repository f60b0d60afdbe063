//! Server transactions that are over but for what may come again.

use super::RECORD;
use super::record::{Reader, put_destination, put_option};
use crate::message::Message;
use crate::proxy::Destination;
use crate::proxy::session_timer::Asked;
use crate::stack::Stack;
use crate::stack::arena::Key;
use crate::stack::finished::Rest;
use crate::stack::forwarding::Context;
use crate::stack::output::{Output, SendId, Sent};
use crate::stack::server::{ServerInput, ServerMachine, ServerTransaction};
use crate::stack::tag::Tag;
use crate::transaction::{Action, Machine, MergeKey, Moment, ServerKey};
use bytes::Bytes;

/// What finds a server transaction, for taking it out of the tables.
#[derive(Debug, Clone, Copy)]
pub(in crate::stack) struct FinishedServer {
    id: Key<ServerTransaction>,
    key: ServerKey,
    merge: Option<MergeKey>,
}

/// What a server transaction may still need.
struct Record<'a> {
    tag: Tag,
    /// The context that it belonged to, which may be gone.
    context: Option<Key<Context>>,
    asked: Option<Asked>,
    reply_to: Destination,
    /// What is sent when the request comes again; nothing for INVITE.
    octets: &'a [u8],
}

impl<'a> Record<'a> {
    fn read(record: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(record);
        Some(Self {
            tag: Tag(reader.array()?),
            context: reader.option(Reader::array)?.map(Key::from_bytes),
            asked: reader.option(Reader::array)?.map(Asked::from_bytes),
            reply_to: reader.destination()?,
            octets: reader.0,
        })
    }

    fn write(to: &mut Vec<u8>, server: &ServerTransaction, octets: &[u8]) {
        to.extend(server.to_tag.0);
        put_option(to, server.context.map(Key::to_bytes));
        put_option(to, server.asked.map(Asked::to_bytes));
        put_destination(to, &server.reply_to);
        to.extend(octets);
    }
}

impl Stack {
    /// Keeps only what a server transaction may still need, when it only waits for what may come again; whether it does.
    pub(in crate::stack) fn rest_server(&mut self, id: Key<ServerTransaction>) -> bool {
        self.settle();
        let Some(server) = self.servers.get(id) else { return false };
        let Some((rest, until)) = server.machine.rest() else { return false };
        let octets = server.response.as_deref().filter(|_| rest == Rest::Completed).unwrap_or(&[]);
        let entry = FinishedServer { id, key: server.key, merge: server.merge };
        let write = |to: &mut Vec<u8>| Record::write(to, server, octets);
        let size = octets.len() + RECORD;
        let place = self.finished_servers.push((rest, until), entry, size, write);
        self.servers.finish(id, place);
        self.tidy();
        true
    }

    /// Something comes for a server transaction that rests; whether it is passed up. `response` is what goes out when it
    /// is not the one that went out before.
    pub(in crate::stack) fn wake_server(
        &mut self,
        now: Moment,
        id: Key<ServerTransaction>,
        input: ServerInput,
        response: Option<&Bytes>,
    ) -> bool {
        let Some(place) = self.servers.place(id) else { return false };
        let mut machine = ServerMachine::resting(place.rest);
        let mut passes_up = false;
        for action in machine.handle(input, now, &self.config.timers) {
            match action {
                Action::Transmit => self.transmit_again(id, response),
                Action::TimedOut => self.counters.unacknowledged += 1,
                Action::TransportFailed => self.counters.transport_failures += 1,
                Action::PassUp => passes_up = true,
                Action::Acknowledge => {}
            }
        }
        if machine.is_terminated() {
            self.remove_server(id);
        }
        passes_up
    }

    /// Sends a response of a server transaction that rests: another 2xx (RFC 6026 section 8.5). False when it takes none.
    pub(in crate::stack) fn answer_again(
        &mut self,
        now: Moment,
        id: Key<ServerTransaction>,
        status: u16,
        mut response: Message,
    ) -> bool {
        let Some(place) = self.servers.place(id) else { return false };
        if !ServerMachine::resting(place.rest).admits(status) {
            return false;
        }
        response.ensure_content_length();
        self.wake_server(now, id, ServerInput::Respond(status), Some(&response.to_bytes()));
        true
    }

    fn transmit_again(&mut self, id: Key<ServerTransaction>, response: Option<&Bytes>) {
        let Some(record) = self.record_of_server(id) else { return };
        let octets = response.cloned().unwrap_or_else(|| Bytes::copy_from_slice(record.octets));
        let to = record.reply_to;
        self.outputs.push_back(Output::Send { to, octets, id: Some(SendId(Sent::Server(id))) });
    }

    /// Forgets the server transactions whose time has come.
    pub(in crate::stack) fn forget_servers(&mut self, now: Moment) {
        while let Some(entry) = self.finished_servers.pop_due(now) {
            self.servers.remove(entry.id);
            self.unlist_server(entry.key, entry.merge);
        }
    }

    /// Forgets a server transaction that rests.
    pub(in crate::stack) fn remove_finished_server(&mut self, id: Key<ServerTransaction>) {
        let Some(place) = self.servers.place(id) else { return };
        self.servers.remove(id);
        if let Some(entry) = self.finished_servers.remove(place) {
            self.unlist_server(entry.key, entry.merge);
        }
    }

    /// The To tag of our own responses to a request.
    pub(in crate::stack) fn tag_of_server(&self, id: Key<ServerTransaction>) -> Option<Tag> {
        match self.servers.get(id) {
            Some(server) => Some(server.to_tag),
            None => self.record_of_server(id).map(|record| record.tag),
        }
    }

    /// What the answer to a request has to say of the session.
    pub(in crate::stack) fn asked_of_server(&self, id: Key<ServerTransaction>) -> Option<Asked> {
        match self.servers.get(id) {
            Some(server) => server.asked,
            None => self.record_of_server(id)?.asked,
        }
    }

    /// Whether a request is not there, or is being forwarded.
    pub(in crate::stack) fn is_forwarded(&self, id: Key<ServerTransaction>) -> bool {
        let context = match self.servers.get(id) {
            Some(server) => server.context,
            None => match self.record_of_server(id) {
                Some(record) => record.context,
                None => return true,
            },
        };
        context.is_some_and(|context| self.contexts.has(context))
    }

    fn record_of_server(&self, id: Key<ServerTransaction>) -> Option<Record<'_>> {
        let (_, record) = self.finished_servers.get(self.servers.place(id)?)?;
        Record::read(record)
    }
}
