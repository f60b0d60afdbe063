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
mod forwarding;
mod output;
mod queue;
mod receive;
mod refuser;
mod server;
mod shedding;

pub use crate::proxy::plan::{ForwardPlan, ForwardStep, ForwardTarget};
pub use crate::proxy::{
    Destination, Edit, FlowId, Interface, Oversize, Secret, SessionRules, Source,
};
pub use crate::transaction::Moment;
pub use config::{Config, StackLimits};
pub use output::{
    AnswerResult, CallEvent, CallEventKind, ClientTransactionId, DialogEvent, IncomingRequest,
    LookupId, Output, RedirectionId, SendId, ServerTransactionId, Session, Tried, TriedResult,
};
pub use refuser::Refuser;
pub use shedding::{Pressure, ShedRules, Shedding};

use crate::dialog::Dialog;
use crate::header::{HeaderName, RouteHeader, Transport};
use crate::message::{Malformed, Message, reason_phrase};
use crate::proxy::branch::Branch;
use crate::proxy::endpoint::{Interfaces, transport_of};
use crate::proxy::secret::Numbers;
use crate::proxy::{forward, record_route};
use crate::room::GiveBack as _;
use crate::transaction::{ClientKey, MergeKey, ServerKey};
use crate::uri::Uri;
use arena::{Arena, Key};
use client::{ClientTransaction, Owner};
use forwarding::Context;
use output::{Lookup, Sent};
use queue::Queue;
use server::ServerTransaction;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;

/// Everything that waits for a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Entity {
    Server(Key<ServerTransaction>),
    Client(Key<ClientTransaction>),
    Context(Key<Context>),
    Ack(u64),
}

/// What has been counted since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Requests that came in, retransmissions included.
    pub requests: u64,
    /// Responses that came in.
    pub responses: u64,
    /// Requests that came again and were absorbed.
    pub retransmissions: u64,
    /// Requests that we sent again.
    pub retransmissions_sent: u64,
    /// Octets that were no proper message.
    pub malformed: u64,
    /// Messages that nothing could be done with.
    pub dropped: u64,
    /// Responses that belonged to no transaction.
    pub stray_responses: u64,
    /// Requests that were refused by the checks of RFC 3261 section 16.3.
    pub refused: u64,
    /// Requests that were turned away because too much was going on.
    pub shed: u64,
    /// Final responses to INVITE that were never acknowledged.
    pub unacknowledged: u64,
    /// Messages that could not be sent.
    pub transport_failures: u64,
    /// Requests that the application did not answer in time.
    pub unanswered_by_application: u64,
    /// Requests other than INVITE that timed out and, by RFC 4320, were not answered.
    pub silenced: u64,
}

/// How much is being kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Server transactions.
    pub servers: usize,
    /// Client transactions.
    pub clients: usize,
    /// Requests that are being forwarded.
    pub contexts: usize,
    /// ACKs that wait for a look-up.
    pub pending_acks: usize,
    /// Entries in the tables by which transactions are found.
    pub indexed: usize,
    /// Entries in the queue of deadlines.
    pub deadlines: usize,
}

impl Usage {
    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.servers + self.clients + self.contexts + self.pending_acks + self.indexed == 0
    }
}

/// The stack; see the [module](self).
pub struct Stack {
    config: Config,
    interfaces: Interfaces,
    numbers: Numbers,
    own_names: BTreeSet<String>,
    servers: Arena<ServerTransaction>,
    clients: Arena<ClientTransaction>,
    contexts: Arena<Context>,
    server_index: HashMap<ServerKey, Key<ServerTransaction>>,
    client_index: HashMap<ClientKey, Key<ClientTransaction>>,
    /// How many server transactions have the same request, by another path.
    merges: HashMap<MergeKey, u32>,
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
}

impl Stack {
    /// An empty stack. The seed must be random; branches and tags are made from it and the secret.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        Self {
            interfaces: Interfaces(config.interfaces.clone()),
            numbers: Numbers::new(config.secret.clone(), seed),
            own_names: BTreeSet::new(),
            servers: Arena::default(),
            clients: Arena::default(),
            contexts: Arena::default(),
            server_index: HashMap::new(),
            client_index: HashMap::new(),
            merges: HashMap::new(),
            acks: BTreeMap::new(),
            no_tcp: HashMap::new(),
            queue: Queue::new(),
            outputs: VecDeque::new(),
            counters: Counters::default(),
            is_draining: false,
            shedding: Shedding::Nothing,
            refuser: Refuser::of(&config),
            newest: None,
            config,
        }
    }

    /// Says that a host name is ours: a Route with it is taken off (RFC 3261 section 16.4). Names of interfaces
    /// are known already; this is for the domains that phones may have as their outbound proxy.
    pub fn add_own_name(&mut self, host: &str) {
        self.own_names.insert(host.to_ascii_lowercase());
    }

    /// Says which host names are ours, in place of those that were said before; see
    /// [`add_own_name`](Self::add_own_name).
    pub fn set_own_names<'a>(&mut self, hosts: impl IntoIterator<Item = &'a str>) {
        self.own_names = hosts.into_iter().map(str::to_ascii_lowercase).collect();
    }

    /// Says that a host name is no longer ours.
    pub fn remove_own_name(&mut self, host: &str) {
        self.own_names.remove(&host.to_ascii_lowercase());
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
        let is_forwarded = self.servers.get(id.0).is_none_or(|server| server.context.is_some());
        !is_forwarded && self.send_response(now, id.0, response)
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
        let mut response = request.response(status, phrase, Some(&server.to_tag));
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
    pub fn to_tag(&self, id: ServerTransactionId) -> Option<&str> {
        self.servers.get(id.0).map(|server| server.to_tag.as_str())
    }

    /// Forwards a request; `false` when it has been answered, cancelled or forwarded already.
    ///
    /// Refuses it by itself when it must not be forwarded: 483 when Max-Forwards is used up, 440 when Max-Breadth
    /// does not allow as many branches.
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

    /// The URI by which other nodes reach us: the one that the settings say, or that of an interface, best over TCP, which
    /// tells at once that nobody is there.
    #[must_use]
    pub fn node_uri(&self) -> Option<Uri> {
        let of = |transport: &Transport| {
            self.interfaces.0.iter().find(|interface| interface.transport == *transport)
        };
        let usable = [Transport::Tcp, Transport::Udp, Transport::Tls];
        let interface = || usable.iter().find_map(of).map(Interface::uri);
        self.config.node_uri.clone().or_else(interface)
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

    /// When [`timeout`](Self::timeout) has to be called next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        let newest = self.newest.and_then(|id| self.servers.get(id)?.deadline());
        self.queue.next().into_iter().chain(newest).min()
    }

    /// Lets everything happen that is due.
    pub fn timeout(&mut self, now: Moment) {
        self.settle();
        while let Some((at, entity)) = self.queue.pop_due(now) {
            if let Entity::Ack(number) = entity {
                self.counters.dropped += u64::from(self.acks.remove(&number).is_some());
                continue;
            }
            if self.armed(entity).is_none_or(|armed| *armed != Some(at)) {
                continue;
            }
            if let Some(armed) = self.armed(entity) {
                *armed = None;
            }
            match entity {
                Entity::Server(id) => self.server_timeout(now, id),
                Entity::Client(id) => self.client_timeout(now, id),
                Entity::Context(id) => self.context_timeout(now, id),
                Entity::Ack(_) => {}
            }
        }
        self.tidy();
    }

    /// What has been counted.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How much is being kept.
    #[must_use]
    pub fn usage(&self) -> Usage {
        Usage {
            servers: self.servers.len(),
            clients: self.clients.len(),
            contexts: self.contexts.len(),
            pending_acks: self.acks.len(),
            indexed: self.server_index.len() + self.client_index.len() + self.merges.len(),
            deadlines: self.queue.len(),
        }
    }

    /// Gives back room that only a burst needed; to be called now and then.
    pub fn shrink(&mut self) {
        self.server_index.give_back();
        self.client_index.give_back();
        self.merges.give_back();
        self.no_tcp.give_back();
        self.queue.shrink();
    }

    /// Whether new work is being turned away.
    #[must_use]
    pub fn is_overloaded(&self) -> bool {
        self.level() >= Shedding::Calls
    }

    /// What is turned away: as was said, and by how much is being kept.
    fn level(&self) -> Shedding {
        let (load, limits) = (self.load(), &self.config.limits);
        let own = match load {
            _ if load >= limits.transactions.saturating_add(limits.reserve / 4 * 3) => {
                Shedding::Dialogs
            }
            _ if load >= limits.transactions || self.is_draining => Shedding::Calls,
            _ if load >= limits.transactions - limits.transactions / 10 => Shedding::Registrations,
            _ => Shedding::Nothing,
        };
        own.max(self.shedding)
    }

    fn load(&self) -> usize {
        self.servers.len() + self.clients.len()
    }

    fn hard_limit(&self) -> usize {
        self.config.limits.transactions.saturating_add(self.config.limits.reserve)
    }

    fn is_own_name(&self, uri: &Uri) -> bool {
        if !uri.is_sip() {
            return false;
        }
        if self.config.node_uri.as_ref().is_some_and(|own| is_same_place(own, uri)) {
            return true;
        }
        let is_port = |port| self.interfaces.0.iter().any(|interface| interface.port == port);
        if !uri.port().is_none_or(is_port) {
            return false;
        }
        let host = uri.host_text();
        let host = host.strip_suffix('.').unwrap_or(host);
        self.own_names.contains(&host.to_ascii_lowercase())
    }

    /// The To tag for responses of our own to a request: the same each time, unknown to others.
    fn tag_of(&self, key: &ServerKey) -> String {
        self.refuser.tag_of(key)
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

    fn deadline(&self, entity: Entity) -> Option<Moment> {
        match entity {
            Entity::Server(id) => self.servers.get(id)?.deadline(),
            Entity::Client(id) => self.clients.get(id)?.deadline(),
            Entity::Context(id) => self.contexts.get(id)?.proxy.deadline(),
            Entity::Ack(_) => None,
        }
    }

    fn armed(&mut self, entity: Entity) -> Option<&mut Option<Moment>> {
        match entity {
            Entity::Server(id) => Some(&mut self.servers.get_mut(id)?.armed),
            Entity::Client(id) => Some(&mut self.clients.get_mut(id)?.armed),
            Entity::Context(id) => Some(&mut self.contexts.get_mut(id)?.armed),
            Entity::Ack(_) => None,
        }
    }

    /// Makes sure that the queue has an entry that is not later than the entity's deadline.
    fn arm(&mut self, entity: Entity) {
        let Some(deadline) = self.deadline(entity) else { return };
        let Some(armed) = self.armed(entity) else { return };
        if armed.is_none_or(|armed| armed > deadline) {
            *armed = Some(deadline);
            self.queue.push(deadline, entity);
        }
    }

    /// Throws void entries of the queue out when they are more than half of it.
    fn tidy(&mut self) {
        let live = self.load() + self.contexts.len() + self.acks.len();
        if self.queue.len() < 2 * live + 1024 {
            return;
        }
        let mut queue = std::mem::replace(&mut self.queue, Queue::new());
        queue.retain(|at, entity| match entity {
            Entity::Server(id) => self.servers.get(id).is_some_and(|s| s.armed == Some(at)),
            Entity::Client(id) => self.clients.get(id).is_some_and(|c| c.armed == Some(at)),
            Entity::Context(id) => self.contexts.get(id).is_some_and(|c| c.armed == Some(at)),
            Entity::Ack(number) => self.acks.contains_key(&number),
        });
        self.queue = queue;
    }
}

/// Whether two URIs name the same host, port and transport.
fn is_same_place(a: &Uri, b: &Uri) -> bool {
    let port = |uri: &Uri| uri.port().unwrap_or_else(|| transport_of(uri).default_port());
    let is_same_host = match (a.host(), b.host()) {
        (Some(a), Some(b)) => a.matches(&b),
        _ => false,
    };
    is_same_host && transport_of(a) == transport_of(b) && port(a) == port(b)
}
