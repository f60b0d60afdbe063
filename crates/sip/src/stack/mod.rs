//! The whole of RFC 3261 sections 16 to 18 without sockets and clocks.
//!
//! One owner drives a [`Stack`]: it hands messages in, takes [`Output`]s until there are none, and comes back
//! at the next deadline. The stack matches transactions, absorbs and sends retransmissions, validates, routes
//! requests inside dialogs, walks call plans, and chooses answers. The owner moves octets, looks names up, and
//! decides about new requests.
//!
//! ```text
//!            octets                      octets
//!              |                           ^
//!   framing / Message::parse               |
//!              |                           |
//!   receive(now, source, message)    Output::Send
//!              |                           |
//!  +-----------v---------------------------+---------------------+
//!  |        server transactions     client transactions          |  timeout(now)
//!  |              |        ^             ^       |               |<------------- next_deadline()
//!  |              |        |  response   |       |               |
//!  |  validate,   v        +- context ---+<------+               |
//!  |  loose route +------------>^                                |
//!  +--------------+-------------|--------------------------------+
//!                 |             |
//!        Output::Request   forward(now, id, plan)     or respond / reply
//!                 |             ^
//!                 v             |
//!            facts -> routing::plan      Output::Resolve -> resolved(..), Output::Redirected -> redirected(..)
//! ```
//!
//! - New requests come up exactly once as [`Output::Request`]. Each must be answered ([`Stack::respond`],
//!   [`Stack::reply`]) or forwarded ([`Stack::forward`]); what is forgotten is answered 500 after a while.
//! - Requests inside a dialog that was set up through us never come up: their Route, which we signed, says
//!   where they go. Neither do ACK and CANCEL.
//! - What is kept is bounded: see [`StackLimits`].
//!
//! An owner's loop: carry out what [`Stack::poll_output`] gives until it gives nothing; then wait for a message,
//! for an answer from the application, or for [`Stack::next_deadline`] and call [`Stack::timeout`].
//!
//! ```
//! use ngn_sip::header::Transport;
//! use ngn_sip::message::{Limits, Message};
//! use ngn_sip::stack::{Config, Interface, Moment, Output, Secret, Source, Stack};
//! use ngn_sip::uri::Host;
//!
//! let local = "192.0.2.10:5060".parse()?;
//! let host = Host::parse("sip.example.com").ok_or("no host")?;
//! let udp = Interface { transport: Transport::Udp, local, host, port: 5060 };
//! // Both must be random in earnest; the secret must be the same after a restart.
//! let (secret, seed) = (Secret::from_bytes([1; 32]), [2; 32]);
//! let mut stack = Stack::new(Config::new(secret, vec![udp]), seed);
//!
//! let octets = b"OPTIONS sip:sip.example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
//!     From: <sip:a@example.com>;tag=1\r\nTo: <sip:sip.example.com>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";
//! let message = Message::parse(octets.to_vec().into(), &Limits::default())?;
//! let remote = "192.0.2.1:5060".parse()?;
//! let source = Source { transport: Transport::Udp, local, remote, flow: None };
//! let now = Moment::ZERO;
//! stack.receive(now, source, message);
//!
//! let Some(Output::Request(request)) = stack.poll_output() else { panic!("it is new") };
//! stack.reply(now, request.id, 200, None, &[]);
//! let Some(Output::Send { to, octets, .. }) = stack.poll_output() else { panic!("a response") };
//! assert_eq!(to.remote, remote);
//! assert!(octets.starts_with(b"SIP/2.0 200 OK\r\n"));
//! // What comes again is absorbed for a while, after which the request is forgotten.
//! assert!(stack.next_deadline().is_some());
//! stack.timeout(Moment::from_millis(40_000));
//! assert!(stack.usage().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arena;
mod client;
mod config;
mod deadlines;
mod finished;
mod forwarding;
mod load;
mod names;
mod output;
mod queue;
mod receive;
mod refuser;
mod server;
mod shedding;
mod tag;

pub use crate::proxy::plan::{ForwardPlan, ForwardStep, ForwardTarget};
pub use crate::proxy::{
    Destination, Edit, FlowId, Interface, Oversize, Secret, SessionRules, Source,
};
pub use crate::transaction::Moment;
pub use config::{Config, StackLimits};
pub use load::{Counters, Usage};
pub use output::{
    AnswerResult, CallEvent, CallEventKind, ClientTransactionId, DialogEvent, IncomingRequest,
    LookupId, Output, RedirectionId, SendId, ServerTransactionId, Session, Tried, TriedResult,
};
pub use refuser::Refuser;
pub use shedding::{Pressure, ShedRules, Shedding};

use crate::dialog::Dialog;
use crate::header::{HeaderName, RouteHeader};
use crate::message::{Malformed, Message, reason_phrase};
use crate::proxy::branch::Branch;
use crate::proxy::endpoint::Interfaces;
use crate::proxy::secret::Numbers;
use crate::proxy::{forward, record_route};
use crate::transaction::{ByKey, ClientKey, Digests, KeyText, MergeKey, ServerKey};
use crate::uri::Uri;
use arena::{Arena, Key};
use client::{ClientTransaction, Owner};
use deadlines::Entity;
use finished::{Finished, FinishedClient, FinishedServer};
use forwarding::Context;
use output::{Lookup, Sent};
use queue::Queue;
use server::ServerTransaction;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use tag::Tag;

/// The stack; see the [module](self).
pub struct Stack {
    config: Config,
    interfaces: Interfaces,
    numbers: Numbers,
    own_names: BTreeSet<String>,
    /// Places that only targets that say so may lead to.
    reserved: HashSet<SocketAddr>,
    servers: Arena<ServerTransaction>,
    clients: Arena<ClientTransaction>,
    contexts: Arena<Context>,
    /// What is left of those that only wait for what may come again.
    finished_servers: Finished<FinishedServer>,
    finished_clients: Finished<FinishedClient>,
    server_index: ByKey<ServerKey, Key<ServerTransaction>>,
    client_index: ByKey<ClientKey, Key<ClientTransaction>>,
    /// How many server transactions have the same request, by another path.
    merges: ByKey<MergeKey, u32>,
    acks: BTreeMap<u64, Message>,
    /// Where large requests could not be sent over TCP, and until when that is not tried again.
    no_tcp: HashMap<SocketAddr, Moment>,
    queue: Queue<Entity>,
    outputs: VecDeque<Output>,
    counters: Counters,
    is_draining: bool,
    shedding: Shedding,
    refuser: Refuser,
    /// A server transaction that is not in the tables yet.
    newest: Option<Key<ServerTransaction>>,
    digests: Digests,
    /// For the text of each request that comes in.
    key_text: KeyText,
}

impl Stack {
    /// An empty stack. The seed must be random; branches and tags are made from it and the secret.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        Self {
            interfaces: Interfaces(config.interfaces.clone()),
            numbers: Numbers::new(config.secret.clone(), seed),
            own_names: BTreeSet::new(),
            reserved: HashSet::new(),
            servers: Arena::default(),
            clients: Arena::default(),
            contexts: Arena::default(),
            finished_servers: Finished::default(),
            finished_clients: Finished::default(),
            server_index: ByKey::default(),
            client_index: ByKey::default(),
            merges: ByKey::default(),
            acks: BTreeMap::new(),
            no_tcp: HashMap::new(),
            queue: Queue::new(),
            outputs: VecDeque::new(),
            counters: Counters::default(),
            is_draining: false,
            shedding: Shedding::Nothing,
            refuser: Refuser::of(&config),
            newest: None,
            digests: Digests::new(),
            key_text: KeyText::default(),
            config,
        }
    }

    /// Says which user parts of Request-URIs are emergency calls; see [`Config::emergency_numbers`].
    pub fn set_emergency_numbers(&mut self, numbers: Vec<String>) {
        self.config.emergency_numbers = numbers;
    }

    /// Takes new settings. Calls that are being set up go on with the ones they have; dialogs that were set up
    /// under another secret, or through an interface that is gone, can no longer be routed.
    pub fn reconfigure(&mut self, config: Config) {
        self.interfaces = Interfaces(config.interfaces.clone());
        self.refuser = Refuser::of(&config);
        self.config = config;
    }

    /// Turns new work away (503 with Retry-After) or takes it again, for instance before the process ends.
    /// Requests inside dialogs and emergency calls are served on.
    pub fn set_draining(&mut self, is_draining: bool) {
        self.is_draining = is_draining;
    }

    /// What says 503 in the place of this stack.
    #[must_use]
    pub fn refuser(&self) -> Refuser {
        self.refuser.clone()
    }

    /// Says what is turned away (503 with Retry-After) because too much waits before it gets here.
    pub const fn set_shedding(&mut self, level: Shedding) {
        self.shedding = level;
    }

    /// Takes a message that arrived.
    pub fn receive(&mut self, now: Moment, source: Source, message: Message) {
        self.settle();
        if message.is_request() {
            self.receive_request(now, source, message);
        } else {
            self.receive_response(now, message);
        }
    }

    /// Takes note of octets that were no proper message, and answers them when they deserve it.
    pub fn receive_malformed(&mut self, source: &Source, fault: &Malformed) {
        self.refuse_malformed(source, fault);
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        if output.is_none() && self.outputs.capacity() > 4096 {
            self.outputs.shrink_to(1024);
        }
        output
    }

    /// Answers a request with a response that [`Message::response`] made from it; `false` when it has its
    /// final response already, or is being forwarded.
    pub fn respond(&mut self, now: Moment, id: ServerTransactionId, response: Message) -> bool {
        !self.is_forwarded(id.0) && self.send_response(now, id.0, response)
    }

    /// Answers a request with this status, phrase and further fields, and a To tag of our own; `false` as in
    /// [`respond`](Self::respond).
    pub fn reply(
        &mut self,
        now: Moment,
        id: ServerTransactionId,
        status: u16,
        phrase: Option<&str>,
        fields: &[(HeaderName, String)],
    ) -> bool {
        let Some(server) = self.servers.get(id.0) else { return false };
        let Some(request) = server.request.clone() else { return false };
        let phrase = phrase.unwrap_or(reason_phrase(status));
        let mut response = request.response(status, phrase, Some(&server.to_tag.to_text()));
        for (name, value) in fields {
            response.append(*name, value);
        }
        self.respond(now, id, response)
    }

    /// Limits how often a final response other than 2xx to an INVITE is sent again by itself while no ACK comes: somebody
    /// else may have been made to pay for it, whose address a stranger wrote (RFC 3261 section 26.3.2.4). The response
    /// still goes out each time when the INVITE comes again. When the INVITE had a provisional response, after which it
    /// does not come again, the final one is sent again three times at least.
    pub fn limit_repeats(&mut self, id: ServerTransactionId, most: u8) {
        if let Some(server) = self.servers.get_mut(id.0) {
            server.limit_repeats(most);
        }
    }

    /// Answers a request like [`reply`](Self::reply) and keeps nothing of it, when nothing has happened since it came up
    /// (RFC 3261 section 8.2.7): for challenges and whatever else may be answered anew when the request comes again. An
    /// ACK for the answer is absorbed.
    pub fn reply_statelessly(
        &mut self,
        now: Moment,
        id: ServerTransactionId,
        status: u16,
        phrase: Option<&str>,
        fields: &[(HeaderName, String)],
    ) -> bool {
        if self.newest == Some(id.0) {
            let phrase = phrase.unwrap_or(reason_phrase(status));
            return self.answer_statelessly(id.0, status, phrase, fields);
        }
        self.reply(now, id, status, phrase, fields)
    }

    /// The tag that responses of our own to a request have in To.
    #[must_use]
    pub fn to_tag(&self, id: ServerTransactionId) -> Option<String> {
        self.tag_of_server(id.0).map(Tag::to_text)
    }

    /// Forwards a request; `false` when it has been answered, cancelled or forwarded already.
    ///
    /// Refuses it by itself when it must not be forwarded: 483 when Max-Forwards is used up, 440 when Max-Breadth
    /// is. Where it does not allow as many branches at once as the plan has, they have their turns one after the other.
    pub fn forward(&mut self, now: Moment, id: ServerTransactionId, plan: ForwardPlan) -> bool {
        self.open_context(now, id.0, plan, false)
    }

    /// Sends a request on for another node, which an [`Output::Relay`] brought. When it cannot be sent, that node is
    /// told so (430, RFC 5626 section 5.3.1); it alone reports the call. `false` as in [`forward`](Self::forward).
    pub fn relay(&mut self, now: Moment, id: ServerTransactionId, target: ForwardTarget) -> bool {
        self.open_context(now, id.0, ForwardPlan::to(target), true)
    }

    /// Answers an [`Output::Resolve`]: the next hops in order of preference, none when there are none.
    pub fn resolved(&mut self, now: Moment, id: LookupId, next_hops: Vec<Destination>) {
        match id.0 {
            Lookup::Branch(context, index) => {
                self.branch_resolved(now, context, index, next_hops);
            }
            Lookup::Ack(number) => {
                let Some(ack) = self.acks.remove(&number) else { return };
                match next_hops.into_iter().next() {
                    Some(to) => self.send_ack(ack, to),
                    None => self.counters.dropped += 1,
                }
            }
        }
    }

    /// The Route entry that makes another node, which has the same secret, send a request to where only that one can
    /// send it: for [`ForwardTarget::routes`], when the binding says that the phone is connected to `node`.
    #[must_use]
    pub fn flow_route(&self, request: &Message, node: &Uri, to: &Destination) -> RouteHeader {
        let call_id = request.call_id().unwrap_or("");
        record_route::flow_route(&self.config.secret, call_id, node, to)
    }

    /// Answers an [`Output::Redirected`]: where the call goes instead; with no targets, the redirection is
    /// passed back to the caller like any other answer.
    pub fn redirected(&mut self, now: Moment, id: RedirectionId, targets: Vec<ForwardTarget>) {
        self.branch_redirected(now, id.0, id.1, targets);
    }

    /// The dialog of a call, by its INVITE and the 2xx with which [`CallEventKind::Answered`] told of it; `None` when the
    /// callee did not repeat our Record-Route, or a side gave no Contact.
    #[must_use]
    pub fn dialog(&self, invite: &Message, answer: &Message) -> Option<Dialog> {
        let recorded = answer.record_routes().ok()?;
        let call_id = invite.call_id().ok()?;
        let ways = record_route::ways(&self.config.secret, &self.interfaces, call_id, &recorded)?;
        Dialog::new(invite, answer, ways)
    }

    /// Sends a request of our own. It must have no Via; what comes back is an [`Output::Answer`]. `None` when
    /// we have no socket of that transport, or too much is going on.
    pub fn send(
        &mut self,
        now: Moment,
        mut request: Message,
        mut to: Destination,
    ) -> Option<ClientTransactionId> {
        let outward = self.interfaces.of_destination(&to)?;
        if self.load() >= self.hard_limit() {
            return None;
        }
        to.local = Some(outward.local);
        let branch = self.numbers.next();
        let branch = Branch::new(&self.config.secret, branch, [0; 6], None);
        let offers = self.config.offers(outward, &to);
        request.push_via(&forward::via(outward, &branch.to_text(), offers));
        request.ensure_content_length();
        let id = self.open_client(now, request, branch.id, to, Owner::Application);
        Some(ClientTransactionId(id))
    }

    /// Says that an [`Output::Send`] failed.
    pub fn send_failed(&mut self, now: Moment, id: SendId) {
        match id.0 {
            Sent::Client(id) => self.client_send_failed(now, id),
            Sent::Server(id) => self.server_send_failed(now, id),
        }
    }

    /// Keeps an ACK until its next hop is known.
    fn resolve_ack(&mut self, now: Moment, ack: Message, next: Uri) {
        if self.acks.len() >= self.config.limits.pending_acks {
            self.counters.dropped += 1;
            return;
        }
        let number = self.numbers.next();
        let until = now + self.config.lookup_timeout;
        self.acks.insert(number, ack);
        self.queue.push(until, Entity::Ack(number));
        let id = LookupId(Lookup::Ack(number));
        self.outputs.push_back(Output::Resolve { id, uri: next, is_fallback: false });
    }
}
