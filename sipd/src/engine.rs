//! The one loop that owns everything calls depend on: sockets, stack, directory. No lock is taken on its way.
//!
//! ```text
//! arrivals ─▶ stack ─▶ Request ─▶ admit (digest) ─▶ register ─▶ location task ─▶ committed ─▶ 200
//!                                               └─▶ facts ─▶ routing::plan ─▶ stack.forward / reply
//! ```

mod admission;
mod bindings;
mod calls;
mod counts;
mod early;
mod enums;
mod explain;
mod gateways;
mod gruus;
mod guarding;
mod hops;
mod identity;
mod live;
mod nodes;
mod register;
mod serving;
mod sessions;
#[cfg(test)]
pub(crate) mod testing;
mod voicemail;

use crate::cdr::Record;
use crate::config::{self, Config};
use crate::directory::{Directory, Update};
use crate::elsewhere::Elsewhere;
use crate::explain::Ask;
use crate::facts::{self, Decision, Question, Sources, Told};
use crate::follower::Batch;
use crate::live::Calls as LiveCalls;
use crate::locate::Locator;
use crate::location::{Change, News, Number};
use crate::metrics::{self, Direction, Metrics};
use crate::show::{Look, Seen};
use crate::trace::Tracer;
use crate::transport::{
    Arrival, ConnectionId, Overload, Peer, Receivers, SendError, Stream, Transports,
};
use bindings::Unwritten;
use bytes::Bytes;
use calls::InSetup;
use counts::Counts;
pub(crate) use counts::{Dialog, dialog as dialog_of};
use early::Early;
use enums::{Answer, Waited, Waiting};
use gateways::{Gateways, Located};
use hops::BackOff;
pub(crate) use identity::PRIVACY;
use ngn_daemon::wall_clock;
use ngn_model::{DomainName, Plan};
use ngn_routing::Settings;
use ngn_sip::digest::{NonceKey, ReplayWindow};
use ngn_sip::gruu::Gruus;
use ngn_sip::guard::{Guard, Scanners};
use ngn_sip::header::{HeaderName, Transport};
use ngn_sip::message::{Limits, Message};
use ngn_sip::room::GiveBack as _;
use ngn_sip::stack::{
    Destination, FlowId, LookupId, Moment, Output, Pressure, SendId, ServerTransactionId, Shedding,
    Source, Stack, Tried,
};
use ngn_sip::uri::Uri;
use ngn_store::LastingCall;
use sessions::Sessions;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;

/// How many uses of nonces are remembered.
const REPLAY_WINDOW: usize = 200_000;
/// How many arrivals are served before anything else is looked at.
const AT_ONCE: usize = 32;
/// How often expired bindings are dropped.
const SWEEP: Duration = Duration::from_secs(10);
/// How many names may be looked up at one time; beyond it a name counts as unknown.
const LOOKUPS: usize = 4096;
/// How long calls, and registrations that wait to be written, may go on when this process is told to end.
const DRAIN: Duration = Duration::from_secs(5);
/// The sockets have let in what came in datagrams; it is refused all the same when it waited so many times as long as calls
/// should.
const LATE: u32 = 4;
/// How often what is counted elsewhere is copied to the metrics.
const PUBLISH: Duration = Duration::from_secs(1);

/// The queues by which the engine is reached, and by which it reaches the other tasks.
#[derive(Debug)]
pub struct Queues {
    /// From the sockets.
    pub arrivals: Receivers,
    /// What the sockets know.
    pub overload: Arc<Overload>,
    /// From the journal's follower.
    pub batches: mpsc::Receiver<Batch>,
    /// To the location task.
    pub changes: mpsc::Sender<Change>,
    /// From the location task.
    pub news: mpsc::Receiver<News>,
    /// To the call records' task.
    pub records: mpsc::Sender<Record>,
    /// To the record of messages, if there is one.
    pub tracer: Tracer,
    /// Where names are looked up.
    pub locator: Locator,
    /// Questions about plans.
    pub asks: mpsc::Receiver<Ask>,
    /// Questions about what there is now.
    pub looks: mpsc::Receiver<Look>,
    /// Calls on other nodes, and where those are.
    pub elsewhere: mpsc::Receiver<Elsewhere>,
    /// Woken when a phone is registered at a node of which nothing is known yet.
    pub stranger: Arc<Notify>,
    /// What sources may do, when that changes.
    pub guard: watch::Receiver<config::Guard>,
}

/// A look-up's result.
type Found = (LookupId, Vec<Destination>);

/// A header field of an answer.
type Fields = Vec<(HeaderName, String)>;

/// The engine.
pub struct Engine {
    config: Config,
    settings: Settings,
    /// Which gateways answer.
    gateways: Gateways,
    counts: Counts,
    /// The calls as they stand, for whoever asks.
    live: LiveCalls,
    /// Whether they go on.
    sessions: Sessions,
    /// The plans of the last calls, by Call-ID.
    recent: VecDeque<(String, Arc<Plan>)>,
    /// A number that is different for each call.
    seed: u64,
    stack: Stack,
    transports: Transports,
    directory: Directory,
    nonce_key: NonceKey,
    gruus: Gruus,
    window: ReplayWindow,
    metrics: Metrics,
    started: Instant,
    /// Answers to REGISTER that wait for the commit.
    waiting: HashMap<Number, (ServerTransactionId, Fields, Instant)>,
    /// The last change that the location task was given.
    last_change: Number,
    unwritten: Unwritten,
    /// INVITEs that are being forwarded.
    calls: HashMap<ServerTransactionId, InSetup>,
    /// What call records call this node.
    node: String,
    /// Where the other nodes are that are alive.
    nodes: HashMap<String, Uri>,
    /// Woken when a phone is registered at another one.
    stranger: Arc<Notify>,
    changes: mpsc::Sender<Change>,
    records: mpsc::Sender<Record>,
    tracer: Tracer,
    found: mpsc::Sender<Found>,
    found_queue: Option<mpsc::Receiver<Found>>,
    /// How many look-ups may run.
    lookups: Arc<Semaphore>,
    locator: Locator,
    located: mpsc::Sender<Located>,
    located_queue: Option<mpsc::Receiver<Located>>,
    back_off: BackOff,
    /// Where voicemail servers are.
    voicemail_addresses: voicemail::Addresses,
    /// The ENUM trees that the DNS is asked about.
    asked_trees: Vec<DomainName>,
    waiting_for_enum: Waiting,
    enum_answers: mpsc::Sender<Answer>,
    enum_answers_queue: Option<mpsc::Receiver<Answer>>,
    guard: Guard,
    scanners: Scanners,
    /// What the sockets know.
    overload: Arc<Overload>,
    /// CANCELs that wait for their INVITE.
    early: Early,
    /// What is refused.
    shedding: Shedding,
    /// The most of it since nothing was refused for a while.
    worst: Shedding,
    /// How long what was handled last had waited: new requests, and others.
    waited: (Duration, Duration),
    /// Since when this process is about to end.
    drains_since: Option<Instant>,
}

impl Engine {
    /// An engine that has not begun.
    pub fn new(
        config: Config,
        stack: Stack,
        transports: Transports,
        directory: Directory,
        (nonce_key, gruus): (NonceKey, Gruus),
        metrics: Metrics,
        queues: &Queues,
    ) -> Self {
        let (found, found_queue) = mpsc::channel(LOOKUPS);
        let (located, located_queue) = mpsc::channel(64);
        let (enum_answers, enum_answers_queue) = mpsc::channel(64);
        let node = config.node(transports.addresses().next().map(|(_, address)| address));
        Self {
            settings: facts::settings(&config),
            gateways: Gateways::default(),
            counts: Counts::default(),
            live: LiveCalls::default(),
            sessions: Sessions::default(),
            recent: VecDeque::new(),
            seed: 0,
            located,
            located_queue: Some(located_queue),
            asked_trees: config.r#enum.asked_trees(),
            waiting_for_enum: Waiting::default(),
            enum_answers,
            enum_answers_queue: Some(enum_answers_queue),
            guard: Guard::new(config.guard.rules()),
            scanners: Scanners::new(&config.guard.scanners),
            overload: Arc::clone(&queues.overload),
            config,
            stack,
            transports,
            directory,
            nonce_key,
            gruus,
            window: ReplayWindow::new(REPLAY_WINDOW),
            metrics,
            started: Instant::now(),
            waiting: HashMap::new(),
            last_change: 0,
            unwritten: Unwritten::default(),
            calls: HashMap::new(),
            node,
            nodes: HashMap::new(),
            stranger: Arc::clone(&queues.stranger),
            changes: queues.changes.clone(),
            records: queues.records.clone(),
            tracer: queues.tracer.clone(),
            found,
            found_queue: Some(found_queue),
            lookups: Arc::new(Semaphore::new(LOOKUPS)),
            locator: queues.locator.clone(),
            back_off: BackOff::default(),
            voicemail_addresses: voicemail::Addresses::default(),
            early: Early::default(),
            shedding: Shedding::Nothing,
            worst: Shedding::Nothing,
            waited: (Duration::ZERO, Duration::ZERO),
            drains_since: None,
        }
    }

    /// Calls that lasted when this node ended count again towards limits, are shown, and are asked whether they go on; to
    /// be called before it begins. `alive_at` is when this node was last alive, in milliseconds since 1970 UTC.
    pub fn restore_calls(&mut self, calls: &[LastingCall], alive_at: i64) {
        self.live.restore(calls);
        self.counts.restore(calls, Instant::now(), wall_clock());
        self.restore_sessions(calls, alive_at);
    }

    /// Serves until `shutdown`; then takes no new work, and ends when what was begun is done, at most five
    /// seconds later.
    pub async fn run(mut self, mut queues: Queues, shutdown: CancellationToken) {
        let Some(mut found) = self.found_queue.take() else { return };
        let Some(mut located) = self.located_queue.take() else { return };
        let Some(mut enum_answers) = self.enum_answers_queue.take() else { return };
        self.gateways_changed();
        self.emergency_changed();
        self.voicemail_changed();
        let mut sweep = tokio::time::interval(SWEEP);
        let mut publish = tokio::time::interval(PUBLISH);
        let cancelled = shutdown.cancelled();
        let wake = tokio::time::sleep(SWEEP);
        tokio::pin!(cancelled, wake);
        loop {
            self.carry_out();
            self.flush();
            self.shed(&queues.arrivals);
            if self.is_drained() {
                return self.record_unfinished();
            }
            let deadline = self.stack.next_deadline().map_or(self.started + SWEEP * 8640, |at| {
                self.started + Duration::from_micros(at.as_micros())
            });
            let deadline = self.drains_since.map_or(deadline, |since| deadline.min(since + DRAIN));
            // Most deadlines move on; then it wakes once for nothing rather than being set for each message.
            if deadline < wake.deadline().into_std() || wake.is_elapsed() {
                wake.as_mut().reset(deadline.into());
            }
            tokio::select! {
                biased;
                () = &mut cancelled, if self.drains_since.is_none() => {
                    self.drains_since = Some(Instant::now());
                    tracing::info!("shutting down: new requests are refused");
                    self.stack.set_draining(true);
                }
                Some(news) = queues.news.recv() => self.location_news(news),
                Some(batch) = queues.batches.recv() => self.apply(batch),
                Some(found) = found.recv() => self.resolved(found),
                Some(located) = located.recv() => self.located(located),
                Some(told) = queues.elsewhere.recv() => self.heard_of_nodes(told),
                Some(answer) = enum_answers.recv() => self.enum_answered(answer),
                Some(ask) = queues.asks.recv() => self.explain(ask, Waited::default()),
                Ok(()) = queues.guard.changed() => {
                    let rules = queues.guard.borrow_and_update().clone();
                    self.set_guard(rules);
                }
                Some(look) = queues.looks.recv() => {
                    let moment = self.now();
                    look.answer(Seen {
                        calls: &self.live,
                        directory: &self.directory,
                        guard: &mut self.guard,
                        now: wall_clock(),
                        moment,
                    });
                }
                () = &mut wake => {
                    let now = self.now();
                    self.stack.timeout(now);
                }
                _ = sweep.tick() => self.sweep(),
                _ = publish.tick() => {
                    self.publish(&queues.arrivals);
                    self.probe();
                    self.watch_sessions();
                }
                Some((since, arrival)) = queues.arrivals.other.recv() => {
                    let arrivals = &mut queues.arrivals;
                    self.arrived_other_or_early(arrivals.new.len(), since, arrival);
                    // Those that are there already, without going round for each.
                    for _ in 0..AT_ONCE {
                        let Ok((since, arrival)) = arrivals.other.try_recv() else { break };
                        self.carry_out();
                        self.arrived_other_or_early(arrivals.new.len(), since, arrival);
                    }
                }
                // Last, so that a flood keeps nothing else from being done.
                Some((since, arrival)) = queues.arrivals.new.recv() => {
                    self.arrived_new(since, arrival);
                    for _ in 0..AT_ONCE {
                        if !queues.arrivals.other.is_empty() {
                            break;
                        }
                        let Ok((since, arrival)) = queues.arrivals.new.try_recv() else { break };
                        self.carry_out();
                        self.arrived_new(since, arrival);
                    }
                }
            }
        }
    }

    /// Takes what belongs to what goes on, or to something new of which so much waits.
    fn arrived_other_or_early(&mut self, waiting: usize, since: Instant, arrival: Arrival) {
        if let Some(arrival) = self.hold_early(waiting, since, arrival) {
            self.arrived_other(since, arrival);
        }
    }

    /// Takes what belongs to what goes on.
    fn arrived_other(&mut self, since: Instant, arrival: Arrival) {
        let now = Instant::now();
        self.waited.1 = now.saturating_duration_since(since);
        self.metrics.queue_delay.observe(self.waited.1.as_secs_f64());
        self.stack.set_shedding(self.shedding);
        self.arrived(self.moment(now), arrival);
    }

    /// Takes what begins something.
    fn arrived_new(&mut self, since: Instant, arrival: Arrival) {
        self.overload.taken(&arrival);
        let now = Instant::now();
        self.waited.0 = now.saturating_duration_since(since);
        self.metrics.queue_delay.observe(self.waited.0.as_secs_f64());
        let is_late = self.waited.0 >= self.config.overload.rules().calls * LATE;
        let is_served = matches!(arrival, Arrival::Datagram { .. }) && !is_late;
        let level = if is_served { Shedding::Nothing } else { self.shedding };
        self.stack.set_shedding(level);
        self.arrived(self.moment(now), arrival);
        self.early.took_one();
        self.let_go_early();
    }

    /// Turns requests away (503, Retry-After) while too much waits: first what is new and no call, then new calls, then
    /// what belongs to calls. Emergency calls are served.
    fn shed(&mut self, arrivals: &Receivers) {
        let percent = |length: usize, most: usize| (length * 100).checked_div(most).unwrap_or(0);
        let records = self.records.max_capacity() - self.records.capacity();
        let records = percent(records, self.records.max_capacity());
        if arrivals.new.is_empty() {
            self.waited.0 = Duration::ZERO;
        }
        if arrivals.other.is_empty() {
            self.waited.1 = Duration::ZERO;
        }
        let new = self.overload.work(arrivals.new.len());
        let pressure = Pressure {
            new_waited: self.waited.0,
            new_percent: percent(new, arrivals.new.max_capacity()).min(100).max(records),
            other_waited: self.waited.1,
            other_percent: percent(arrivals.other.len(), arrivals.other.max_capacity()),
        };
        let level = self.shedding.next(&pressure, &self.config.overload.rules());
        if level == self.shedding {
            return;
        }
        // Levels may change many times in a second; what was reached is said once until all is well again.
        if level > self.worst {
            tracing::warn!(?level, "too much waits: requests are refused");
            self.worst = level;
        }
        self.shedding = level;
        self.overload.level.store(level.number(), Ordering::Relaxed);
    }

    /// Gathers the facts of a request and decides.
    fn decide(&self, question: &Question<'_>, told: &Told) -> Decision {
        let sources = Sources {
            directory: &self.directory,
            settings: &self.settings,
            down: self.gateways.down(),
            calls: &|payer| self.counts.of(payer),
            is_own: &|uri| self.is_own_address(uri),
            gruus: Some(&self.gruus),
        };
        sources.decide(question, told)
    }

    /// Whether a request is an emergency call by what it calls (B165).
    fn is_emergency(&self, uri: &Uri) -> bool {
        let dialled = facts::dialled(uri);
        dialled.to_ascii_lowercase().starts_with("urn:service:sos")
            || self.directory.emergency().knows(&dialled)
    }

    fn is_drained(&self) -> bool {
        let Some(since) = self.drains_since else { return false };
        // Whoever hangs up meanwhile still can.
        let is_done = self.calls.is_empty()
            && self.waiting.is_empty()
            && self.waiting_for_enum.len() == 0
            && self.live.established() == 0;
        since.elapsed() >= DRAIN || (is_done && self.stack.usage().contexts == 0)
    }

    fn now(&self) -> Moment {
        self.moment(Instant::now())
    }

    fn moment(&self, at: Instant) -> Moment {
        let micros = at.saturating_duration_since(self.started).as_micros();
        Moment::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    fn apply(&mut self, batch: Batch) {
        if let Some(anew) = batch.anew {
            self.replace_directory(*anew);
        }
        for update in batch.updates {
            match &update {
                Update::Domain(name, Some(_)) => self.stack.add_own_name(name.as_str()),
                Update::Domain(name, None) => self.stack.remove_own_name(name.as_str()),
                _ => {}
            }
            let is_peer = matches!(update, Update::Peer(_, Some(_)));
            let has_other_gateways = matches!(
                &update,
                Update::Pstn(new) if !new.has_gateways_of(self.directory.pstn())
            );
            let is_emergency = matches!(update, Update::Emergency(_));
            let is_voicemail = matches!(&update, Update::Voicemail(reseller, server)
                if self.directory.voicemail_servers().get(reseller) != server.as_ref());
            self.directory.apply(update);
            if has_other_gateways {
                self.gateways_changed();
            }
            if is_emergency {
                self.emergency_changed();
            }
            if is_voicemail {
                self.voicemail_changed();
            }
            if is_peer {
                self.look_peers_up();
            }
        }
        // The follower may be gone already.
        let _ = batch.applied.send(());
    }

    /// Emergency calls are taken although others are refused.
    fn emergency_changed(&mut self) {
        let numbers: Vec<String> =
            self.directory.emergency().numbers().map(str::to_owned).collect();
        self.overload.emergency.store(Arc::new(numbers.iter().cloned().collect()));
        self.stack.set_emergency_numbers(numbers);
    }

    fn replace_directory(&mut self, anew: Directory) {
        self.stack.set_own_names(anew.domains().map(DomainName::as_str));
        let mut old = std::mem::replace(&mut self.directory, anew);
        let upserts = self.directory.take_bindings_of(&mut old);
        self.write_again(upserts);
        self.gateways_changed();
        self.emergency_changed();
        self.voicemail_changed();
        // Millions of records take a while to be given back, during which calls would wait.
        drop(tokio::task::spawn_blocking(move || drop(old)));
    }

    fn sweep(&mut self) {
        self.counts.sweep(Instant::now());
        self.live.sweep(wall_clock());
        self.look_peers_up();
        self.look_voicemail_up();
        self.sweep_bindings();
        self.stack.shrink();
        self.waiting.give_back();
        self.window.forget(wall_clock(), self.config.digest.nonce_milliseconds());
    }

    fn publish(&mut self, arrivals: &Receivers) {
        if self.shedding == Shedding::Nothing && self.worst > Shedding::Nothing {
            tracing::warn!("new requests are taken again");
            self.worst = Shedding::Nothing;
        }
        let (metrics, sizes) = (&self.metrics, self.directory.sizes());
        metrics.stack(self.stack.counters(), &self.stack.usage());
        for (gauge, number) in [
            (&metrics.calls_in_setup, self.calls.len() + self.waiting_for_enum.len()),
            (&metrics.dialogs, self.live.established()),
            (&metrics.arrivals_waiting, arrivals.new.len()),
            (&metrics.others_waiting, arrivals.other.len()),
            (&metrics.guard.sources, self.guard.sources()),
            (&metrics.shedding, usize::from(self.shedding.number())),
            (&metrics.registrations_waiting, self.waiting.len()),
            (&metrics.domains, sizes.domains),
            (&metrics.accounts, sizes.accounts),
            (&metrics.aliases, sizes.aliases),
            (&metrics.bindings, sizes.bindings),
            (&metrics.peers, sizes.peers),
            (&metrics.routes, sizes.routes),
            (&metrics.enum_numbers, sizes.enum_numbers),
        ] {
            metrics::set(gauge, number);
        }
        for (gauge, stream) in metrics.connections.iter().zip(Stream::ALL) {
            metrics::set(gauge, self.transports.open_connections(stream));
        }
    }

    fn arrived(&mut self, now: Moment, arrival: Arrival) {
        match arrival {
            Arrival::Datagram { local, remote, octets } => {
                let transport = Transport::Udp;
                self.message(now, Source { transport, local, remote, flow: None }, octets);
            }
            Arrival::Opened(connection) => self.transports.opened(connection),
            Arrival::Message { connection, octets } => {
                if let Some(source) = self.connection_source(connection) {
                    self.message(now, source, octets);
                }
            }
            Arrival::Malformed { connection, fault } => {
                if let Some(source) = self.connection_source(connection) {
                    self.metrics.parse_failed(&source.transport);
                    self.stack.receive_malformed(&source, &fault);
                }
            }
            Arrival::Closed { connection, is_broken } => {
                let in_doubt = self.transports.closed(connection);
                // RFC 3261 section 8.1.3.1: those that nobody has answered count as failed; a peer that closes in good order
                // may answer over another connection (section 18.2.2).
                for id in in_doubt.into_iter().filter(|_| is_broken) {
                    self.stack.send_failed(now, id);
                }
            }
            Arrival::Unreachable { peer } => {
                for id in self.transports.unreachable(&peer) {
                    self.stack.send_failed(now, id);
                }
            }
        }
    }

    fn connection_source(&self, id: ConnectionId) -> Option<Source> {
        let open = self.transports.connection(id)?;
        let (local, remote, flow) = (open.local, open.peer.remote, Some(FlowId(id)));
        Some(Source { transport: open.peer.stream.transport(), local, remote, flow })
    }

    fn message(&mut self, now: Moment, source: Source, octets: Bytes) {
        // Phones keep NAT bindings open with empty lines (RFC 5626 section 3.5.2).
        if octets.iter().all(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
            return;
        }
        self.tracer.came(&source.transport, source.local, source.remote, &octets);
        let octets_limit = self.config.limits.message_octets;
        let limits = Limits { octets: octets_limit, ..Limits::default() };
        match Message::parse(octets, &limits) {
            Ok(mut message) => {
                match (message.method(), message.status()) {
                    (Some(method), _) => {
                        self.metrics.request(method, &source.transport, Direction::In);
                    }
                    (None, status) => {
                        let status = status.unwrap_or(0);
                        self.metrics.response(status, &source.transport, Direction::In);
                    }
                }
                if message.is_request() {
                    if !self.lets_in(now, &source, &message) {
                        return;
                    }
                    self.offered(&source, &message);
                }
                self.drop_assertions(&source, &mut message);
                self.translate(&mut message);
                self.stack.receive(now, source, message);
            }
            Err(fault) => {
                self.metrics.parse_failed(&source.transport);
                if self.answers_malformed(now, &source) {
                    self.stack.receive_malformed(&source, &fault);
                } else {
                    self.metrics.guard.ignored.inc();
                }
            }
        }
    }

    /// RFC 5923 section 8.2: the client offers its connection for requests to it.
    fn offered(&mut self, source: &Source, request: &Message) {
        if source.transport != Transport::Tls || !self.config.tls.reuse_connections {
            return;
        }
        let via = request.top_via().ok().filter(|via| via.params.has("alias"));
        if let (Some(FlowId(id)), Some(via)) = (source.flow, via)
            && self.transports.alias(id, via.port_or_default())
        {
            self.metrics.connections_reused.inc();
        }
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.stack.poll_output() {
            match output {
                Output::Send { to, octets, id } => {
                    self.metrics.sent(&octets, &to.transport);
                    self.tracer.goes(&to.transport, to.local, to.remote, &octets);
                    if let Err(error) = self.send(&to, octets, id) {
                        self.not_sent(id, to.remote, error);
                    }
                    if self.transports.is_outbox_full() {
                        self.send_outbox();
                    }
                }
                Output::Request(incoming) => self.request(&incoming),
                Output::Relay { incoming, to } => self.relay(&incoming, to),
                Output::Resolve { id, uri, .. } => self.resolve(id, &uri),
                Output::Redirected { id, .. } => {
                    let now = self.now();
                    self.stack.redirected(now, id, Vec::new());
                }
                Output::Call(event) => self.call_event(&event),
                Output::Tried(tried) => self.tried(&tried),
                Output::Answer { id, result } => {
                    if !self.errand_answered(id, &result) {
                        self.probe_answered(id, &result);
                    }
                }
                Output::Dialog(event) => self.dialog_event(&event),
                Output::Cancelled(id) => self.cancelled(id),
            }
        }
    }

    /// Sends the datagrams that wait, and does what follows when that fails.
    fn flush(&mut self) {
        while self.send_outbox() {
            self.carry_out();
        }
    }

    /// Sends the datagrams that wait; whether one was not sent.
    fn send_outbox(&mut self) -> bool {
        let failed = self.transports.flush();
        for (id, remote, error) in &failed {
            self.not_sent(*id, *remote, *error);
        }
        !failed.is_empty()
    }

    fn not_sent(&mut self, id: Option<SendId>, remote: SocketAddr, error: SendError) {
        // Lost, as on the network: it is sent again when its timer says so.
        if error == SendError::Full {
            self.metrics.datagrams_lost.inc();
            return;
        }
        tracing::debug!(%error, %remote, "not sent");
        let now = self.now();
        if let Some(id) = id {
            self.stack.send_failed(now, id);
        }
    }

    fn send(
        &mut self,
        to: &Destination,
        octets: Bytes,
        id: Option<SendId>,
    ) -> Result<(), SendError> {
        if to.only_flow && to.flow.is_none() {
            return Err(SendError::Gone);
        }
        if to.transport == Transport::Udp {
            return self.transports.send_datagram(to.local, to.remote, octets, id);
        }
        let stream = Stream::of(&to.transport).ok_or(SendError::NoSocket)?;
        let on_flow = to.flow.map(|flow| self.transports.send_on(flow.0, octets.clone(), id));
        match on_flow {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) if to.only_flow => Err(error),
            _ => {
                let name = to.server_name.clone().filter(|_| stream == Stream::Tls);
                self.transports.send_stream(Peer { stream, remote: to.remote, name }, octets, id)
            }
        }
    }

    /// Takes note of what came of sending a request somewhere.
    fn tried(&mut self, tried: &Tried) {
        let lasts = Duration::from_secs(self.config.dns.back_off);
        self.back_off.note(&tried.to, tried.result, lasts, Instant::now());
        if let Some(binding) = &tried.flow_lost {
            self.flow_lost(binding);
        }
        let call = self.calls.get(&tried.request);
        if let Some(id) = call.and_then(|call| call.gateway(tried.step, tried.target)) {
            let most = self.probe_failures();
            self.gateways.tried(id, tried.result, most);
        }
    }

    /// Answers what may be answered anew when it comes again, and keeps nothing of it.
    fn reply_statelessly(&mut self, id: ServerTransactionId, status: u16, fields: &Fields) {
        let now = self.now();
        self.stack.reply_statelessly(now, id, status, None, fields);
    }

    fn reply(
        &mut self,
        id: ServerTransactionId,
        status: u16,
        phrase: Option<&str>,
        fields: &Fields,
    ) {
        let now = self.now();
        self.stack.reply(now, id, status, phrase, fields);
    }
}
