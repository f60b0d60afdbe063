//! What `/metrics` shows.
//!
//! Every value is an atomic number that its owner holds a handle of: counting takes no lock and looks nothing
//! up. What others count (the stack, queues, the directory) is copied once a second.

mod families;

use families::GatewayLabel;
pub use families::{GatewayMetrics, GuardMetrics};

use ngn_sip::header::Transport;
use ngn_sip::message::Method;
use ngn_sip::stack::{Counters, Usage};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// The one label of a family.
type Label = [(&'static str, &'static str); 1];

/// Reads one of the stack's counters.
type Event = fn(&Counters) -> u64;
/// Reads one of the stack's numbers.
type Kept = fn(&Usage) -> usize;

/// Classes of status codes, at the place of their first digit minus one.
const CLASSES: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "6xx"];
/// Calls that are neither answered nor refused yet.
const SETUP: Label = [("state", "setup")];
/// Calls that were answered and have not ended.
const ESTABLISHED: Label = [("state", "established")];

/// The handles.
#[derive(Debug, Clone)]
pub struct Metrics {
    requests: BTreeMap<Method, ByWay>,
    other_requests: ByWay,
    responses: [ByWay; 6],
    parse_failures: [Counter; 5],
    registrations: [Counter; 3],
    stack: StackMetrics,
    /// How long messages wait between the socket and the engine, in seconds.
    pub queue_delay: Histogram,
    /// How long registrations wait to be written, in seconds.
    pub registration_commit: Histogram,
    /// Dialogs of calls that were answered here and have not ended.
    pub dialogs: Gauge,
    /// Whether the database answered last time.
    pub database_up: Gauge,
    /// How long its last answer took, in seconds.
    pub database_answer: Gauge<f64, AtomicU64>,
    /// Journal rows that it has and that are not served yet.
    pub journal_lag: Gauge,
    /// Daemons that stopped saying that they are alive.
    pub silent_nodes: Gauge,
    certificates: Family<NameLabel, Gauge>,
    /// Datagrams that the socket's send buffer did not take.
    pub datagrams_lost: Counter,
    /// Datagrams that came while the socket's receive buffer was full.
    pub datagrams_dropped: Counter,
    /// Datagrams that were dropped before they were read, while the system was told to drop most of a flood.
    pub datagrams_unread: Counter,
    /// New requests in datagrams that came while too many waited.
    pub arrivals_dropped: Counter,
    /// Calls whose session ran out.
    pub sessions_ran_out: Counter,
    /// Calls of which one side was gone.
    pub parties_gone: Counter,
    /// Call records that were given up.
    pub records_lost: Counter,
    /// Messages that were not looked at for traces: too many at once.
    pub trace_queue_lost: Counter,
    /// Messages that the record of messages did not take.
    pub trace_record_lost: Counter,
    /// Messages that the collector was not sent.
    pub trace_collector_lost: Counter,
    /// Requests that were refused because a queue was full.
    pub shed: Counter,
    /// Requests that were refused before anybody looked at them, because others waited too long.
    pub refused_early: Counter,
    /// Calls that are neither answered nor refused yet.
    pub calls_in_setup: Gauge,
    /// Calls that were answered and have not ended: rows of this node that are open.
    pub calls_established: Gauge,
    /// Open connections, in the order of [`Stream::ALL`](crate::transport::Stream::ALL).
    pub connections: [Gauge; 4],
    /// Handshakes of connections that came to nothing.
    pub handshakes_failed: Counter,
    /// Connections that clients offered and that requests to them go over.
    pub connections_reused: Counter,
    /// New requests that wait for the engine.
    pub arrivals_waiting: Gauge,
    /// Other messages that wait for the engine.
    pub others_waiting: Gauge,
    /// What is turned away: 0 nothing, 1 what is no call, 2 new calls too, 3 what is in dialogs too.
    pub shedding: Gauge,
    /// What is kept out, and why.
    pub guard: GuardMetrics,
    /// Registrations that wait to be written.
    pub registrations_waiting: Gauge,
    /// Call records that wait to be written.
    pub records_waiting: Gauge,
    /// SIP domains.
    pub domains: Gauge,
    /// Accounts.
    pub accounts: Gauge,
    /// Aliases.
    pub aliases: Gauge,
    /// Bindings of registered phones.
    pub bindings: Gauge,
    /// Trusted peers.
    pub peers: Gauge,
    /// Routes of calls to telephone numbers.
    pub routes: Gauge,
    /// ENUM numbers of ours that lead to SIP URIs.
    pub enum_numbers: Gauge,
    /// Numbers that the DNS was asked about and had.
    pub enum_found: Counter,
    /// Numbers that the DNS was asked about and had not.
    pub enum_unknown: Counter,
    /// Numbers that calls went on with before the DNS said anything about them.
    pub enum_unanswered: Counter,
    gateway_calls: Family<GatewayLabel, Counter>,
    gateway_failures: Family<GatewayLabel, Counter>,
    gateway_up: Family<GatewayLabel, Gauge>,
}

/// A name as the one label.
type NameLabel = [(&'static str, String); 1];

/// Counters by transport, in the order of [`TRANSPORTS`], and direction.
type ByWay = [[Counter; 2]; 5];

/// Transports as labels.
const TRANSPORTS: [&str; 5] = ["udp", "tcp", "tls", "ws", "wss"];
/// What became of a REGISTER.
const REGISTRATIONS: [&str; 3] = ["accepted", "challenged", "refused"];
/// Bounds of histograms, in seconds.
const BOUNDS: [f64; 12] = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0];

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To us.
    In,
    /// From us.
    Out,
}

/// What the stack counts.
#[derive(Debug, Clone)]
struct StackMetrics {
    events: Vec<(Counter, Event)>,
    kept: Vec<(Gauge, Kept)>,
}

impl Metrics {
    /// Registers everything.
    #[must_use]
    pub fn new(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("sipd");
        let by_way = |name: &str, text: &str, registry: &mut Registry| {
            let family = Family::<[(&'static str, &'static str); 3], Counter>::default();
            registry.register(name, text, Family::clone(&family));
            move |label: (&'static str, &'static str)| {
                TRANSPORTS.map(|transport| {
                    ["in", "out"].map(|direction| {
                        let way = ("transport", transport);
                        handle(&family, [label, way, ("direction", direction)])
                    })
                })
            }
        };
        let text = "SIP requests, retransmissions included";
        let requests_of = by_way("requests", text, registry);
        let responses_of = by_way("responses", "SIP responses by class", registry);
        let known = Method::KNOWN.map(|method| {
            let counter = requests_of(("method", known_name(&method)));
            (method, counter)
        });
        let failures = counters(registry, "parse_failures", "What came in and was no SIP message");
        let registrations = counters(registry, "registrations", "REGISTER requests by result");
        let mut histogram = |name: &str, text: &str| {
            let histogram = Histogram::new(BOUNDS);
            registry.register(name, text, histogram.clone());
            histogram
        };
        let text = "How long messages wait between socket and engine";
        let queue_delay = histogram("queue_delay_seconds", text);
        let text = "How long registrations wait to be written";
        let registration_commit = histogram("registration_commit_seconds", text);
        let mut gauge = |name: &str, text: &str| {
            let gauge = Gauge::default();
            registry.register(name, text, Gauge::clone(&gauge));
            gauge
        };
        let dialogs = gauge("dialogs", "Dialogs of calls that were answered and have not ended");
        let database_up = gauge("database_up", "Whether the database answered last time");
        let journal_lag = gauge(
            "journal_lag",
            "Journal rows that the database had and that were not served yet, when last looked at",
        );
        let silent_nodes = gauge("silent_nodes", "Daemons that stopped saying they are alive");
        let database_answer = Gauge::<f64, AtomicU64>::default();
        let text = "How long the last answer of the database took";
        registry.register("database_answer_seconds", text, database_answer.clone());
        let certificates = Family::default();
        let text = "Time until a certificate expires; negative when it has";
        registry.register("certificate_remaining_seconds", text, Family::clone(&certificates));
        let lost = counters(registry, "datagrams_lost", "Datagrams that were lost here");
        let records = counters(registry, "call_records_lost", "Call records that were given up");
        let text = "Calls that ended without anybody saying so";
        let ended = counters(registry, "calls_ended_unsaid", text);
        let shed = counters(registry, "shed", "Requests refused because a queue was full");
        let traces = counters(registry, "trace_lost", "Messages that a trace lost");
        let connections = gauges(registry, "connections", "Open connections");
        let handshakes =
            counters(registry, "handshakes_failed", "Handshakes of connections that failed");
        let reused = Counter::default();
        let text = "Connections that clients offered for requests to them";
        registry.register("connections_reused", text, reused.clone());
        let calls = gauges(registry, "calls", "Calls in progress");
        let queues = gauges(registry, "queue_length", "What waits in a queue");
        let held = gauges(registry, "directory", "Records held in memory");
        let text = "Numbers in no range of ours that the DNS was asked about";
        let enums = counters(registry, "enum_lookups", text);
        let gateway_calls = Family::default();
        let text = "Calls that were sent to a gateway";
        registry.register("gateway_calls", text, Family::clone(&gateway_calls));
        let gateway_failures = Family::default();
        let text = "Calls that a gateway did not answer, or ended in 408 or 5xx";
        registry.register("gateway_failures", text, Family::clone(&gateway_failures));
        let gateway_up = Family::default();
        registry.register("gateway_up", "Whether a gateway answers", Family::clone(&gateway_up));
        let shedding = Gauge::default();
        let text = "What is turned away: 0 nothing, 1 what is no call, 2 new calls too, 3 all but emergency calls";
        registry.register("shedding", text, shedding.clone());
        Self {
            other_requests: requests_of(("method", "other")),
            requests: known.into_iter().collect(),
            responses: CLASSES.map(|class| responses_of(("class", class))),
            parse_failures: TRANSPORTS.map(|name| handle(&failures, [("transport", name)])),
            registrations: REGISTRATIONS.map(|name| handle(&registrations, [("result", name)])),
            queue_delay,
            registration_commit,
            dialogs,
            database_up,
            database_answer,
            journal_lag,
            silent_nodes,
            certificates,
            datagrams_lost: handle(&lost, [("why", "send buffer full")]),
            datagrams_dropped: handle(&lost, [("why", "receive buffer full")]),
            datagrams_unread: handle(&lost, [("why", "turned away unread")]),
            arrivals_dropped: handle(&lost, [("why", "queue of new requests full")]),
            sessions_ran_out: handle(&ended, [("why", "session ran out")]),
            parties_gone: handle(&ended, [("why", "a side is gone")]),
            records_lost: handle(&records, [("why", "queue full")]),
            trace_queue_lost: handle(&traces, [("sink", "queue")]),
            trace_record_lost: handle(&traces, [("sink", "record")]),
            trace_collector_lost: handle(&traces, [("sink", "collector")]),
            shed: handle(&shed, [("why", "queue full")]),
            refused_early: handle(&shed, [("why", "others wait too long")]),
            calls_in_setup: handle(&calls, SETUP),
            calls_established: handle(&calls, ESTABLISHED),
            connections: ["tcp", "tls", "ws", "wss"]
                .map(|transport| handle(&connections, [("transport", transport)])),
            handshakes_failed: handle(&handshakes, [("why", "failed or too slow")]),
            connections_reused: reused,
            arrivals_waiting: handle(&queues, [("queue", "arrivals")]),
            others_waiting: handle(&queues, [("queue", "in_dialog")]),
            shedding,
            guard: GuardMetrics::new(registry),
            registrations_waiting: handle(&queues, [("queue", "registrations")]),
            records_waiting: handle(&queues, [("queue", "call_records")]),
            domains: handle(&held, [("kind", "domains")]),
            accounts: handle(&held, [("kind", "accounts")]),
            aliases: handle(&held, [("kind", "aliases")]),
            bindings: handle(&held, [("kind", "bindings")]),
            peers: handle(&held, [("kind", "trusted_peers")]),
            routes: handle(&held, [("kind", "routes")]),
            enum_numbers: handle(&held, [("kind", "enum_numbers")]),
            enum_found: handle(&enums, [("result", "found")]),
            enum_unknown: handle(&enums, [("result", "unknown")]),
            enum_unanswered: handle(&enums, [("result", "unanswered")]),
            gateway_calls,
            gateway_failures,
            gateway_up,
            stack: StackMetrics::new(registry),
        }
    }

    /// The handles of one gateway.
    #[must_use]
    pub fn gateway(&self, id: i64, name: &str) -> GatewayMetrics {
        let label = [("id", id.to_string()), ("gateway", name.to_owned())];
        GatewayMetrics {
            calls: handle(&self.gateway_calls, label.clone()),
            failures: handle(&self.gateway_failures, label.clone()),
            up: handle(&self.gateway_up, label.clone()),
            families: (
                self.gateway_calls.clone(),
                self.gateway_failures.clone(),
                self.gateway_up.clone(),
            ),
            label,
        }
    }

    /// Counts a request.
    pub fn request(&self, method: &Method, transport: &Transport, direction: Direction) {
        let counters = self.requests.get(method).unwrap_or(&self.other_requests);
        count(counters, transport, direction);
    }

    /// Counts a response.
    pub fn response(&self, status: u16, transport: &Transport, direction: Direction) {
        if let Some(counters) = self.responses.get(usize::from(status / 100).wrapping_sub(1)) {
            count(counters, transport, direction);
        }
    }

    /// Counts a message that goes out.
    pub fn sent(&self, octets: &[u8], transport: &Transport) {
        if let Some(rest) = octets.strip_prefix(b"SIP/2.0 ") {
            let class = rest.first().map_or(0, |digit| u16::from(digit.wrapping_sub(b'0')));
            return self.response(class * 100, transport, Direction::Out);
        }
        let method = octets.split(|octet| *octet == b' ').next().unwrap_or_default();
        let method = std::str::from_utf8(method).ok().and_then(Method::parse);
        let counters = method.and_then(|method| self.requests.get(&method));
        count(counters.unwrap_or(&self.other_requests), transport, Direction::Out);
    }

    /// Counts what came in and was no message.
    pub fn parse_failed(&self, transport: &Transport) {
        if let Some(counter) = self.parse_failures.get(place(transport)) {
            counter.inc();
        }
    }

    /// Counts a REGISTER by its answer.
    pub fn registration(&self, status: u16) {
        let [accepted, challenged, refused] = &self.registrations;
        match status {
            200 => accepted.inc(),
            401 => challenged.inc(),
            _ => refused.inc(),
        };
    }

    /// Says how long certificates are good, in seconds, in place of what was said before.
    pub fn certificates(&self, left: &[(String, i64)]) {
        self.certificates.clear();
        for (domain, seconds) in left {
            self.certificates.get_or_create(&[("domain", domain.clone())]).set(*seconds);
        }
    }

    /// What the heartbeat tells: requests since the start, calls in progress, and what is held in memory.
    #[must_use]
    pub fn totals(&self) -> Vec<(&'static str, u64)> {
        let requests = self.requests.values().chain([&self.other_requests]);
        let received = requests.flatten().map(|[received, _]| received);
        let gauge = |gauge: &Gauge| u64::try_from(gauge.get()).unwrap_or(0);
        vec![
            ("requests", received.map(Counter::get).sum()),
            ("calls_in_setup", gauge(&self.calls_in_setup)),
            ("calls", gauge(&self.calls_established)),
            ("accounts", gauge(&self.accounts)),
            ("bindings", gauge(&self.bindings)),
        ]
    }

    /// Copies what the stack counts.
    pub fn stack(&self, counters: &Counters, usage: &Usage) {
        for (counter, read) in &self.stack.events {
            counter.inner().store(read(counters), Ordering::Relaxed);
        }
        for (gauge, read) in &self.stack.kept {
            set(gauge, read(usage));
        }
    }
}

impl StackMetrics {
    fn new(registry: &mut Registry) -> Self {
        let again: [(&'static str, Event); 2] =
            [("in", |c| c.retransmissions), ("out", |c| c.retransmissions_sent)];
        let events: [(&'static str, Event); 8] = [
            ("dropped", |c| c.dropped),
            ("stray response", |c| c.stray_responses),
            ("refused", |c| c.refused),
            ("shed", |c| c.shed),
            ("unacknowledged", |c| c.unacknowledged),
            ("transport failure", |c| c.transport_failures),
            ("unanswered by application", |c| c.unanswered_by_application),
            ("silenced", |c| c.silenced),
        ];
        let kept: [(&'static str, Kept); 5] = [
            ("server", |u| u.servers),
            ("client", |u| u.clients),
            ("forwarded", |u| u.contexts),
            ("pending ack", |u| u.pending_acks),
            ("deadline", |u| u.deadlines),
        ];
        let counted = counters(registry, "stack_events", "What happened to messages");
        let held = gauges(registry, "transactions", "Transactions and what belongs to them");
        let sent_again = counters(registry, "retransmissions", "Requests that were sent again");
        let events = events.map(|(name, read)| (handle(&counted, [("event", name)]), read));
        let again = again.map(|(name, read)| (handle(&sent_again, [("direction", name)]), read));
        let events: Vec<_> = events.into_iter().chain(again).collect();
        let kept = kept.map(|(name, read)| (handle(&held, [("kind", name)]), read));
        Self { events, kept: kept.into() }
    }
}

/// The place of a transport among [`TRANSPORTS`].
const fn place(transport: &Transport) -> usize {
    match transport {
        Transport::Udp | Transport::Sctp | Transport::Other(_) => 0,
        Transport::Tcp => 1,
        Transport::Tls => 2,
        Transport::Ws => 3,
        Transport::Wss => 4,
    }
}

fn count(counters: &ByWay, transport: &Transport, direction: Direction) {
    let Some([received, sent]) = counters.get(place(transport)) else { return };
    match direction {
        Direction::In => received.inc(),
        Direction::Out => sent.inc(),
    };
}

/// Sets a gauge to a number of things.
pub fn set(gauge: &Gauge, number: usize) {
    gauge.set(i64::try_from(number).unwrap_or(i64::MAX));
}

/// A label must live as long as the program.
fn known_name(method: &Method) -> &'static str {
    match method {
        Method::Invite => "INVITE",
        Method::Ack => "ACK",
        Method::Bye => "BYE",
        Method::Cancel => "CANCEL",
        Method::Register => "REGISTER",
        Method::Options => "OPTIONS",
        Method::Info => "INFO",
        Method::Prack => "PRACK",
        Method::Update => "UPDATE",
        Method::Subscribe => "SUBSCRIBE",
        Method::Notify => "NOTIFY",
        Method::Refer => "REFER",
        Method::Message => "MESSAGE",
        Method::Publish => "PUBLISH",
        Method::Other(_) => "other",
    }
}

fn counters(registry: &mut Registry, name: &str, help: &str) -> Family<Label, Counter> {
    let family = Family::default();
    registry.register(name, help, Family::clone(&family));
    family
}

fn gauges(registry: &mut Registry, name: &str, help: &str) -> Family<Label, Gauge> {
    let family = Family::default();
    registry.register(name, help, Family::clone(&family));
    family
}

/// The one place where a family is asked, which takes its lock.
fn handle<L, M>(family: &Family<L, M>, label: L) -> M
where
    L: Clone + std::hash::Hash + Eq,
    M: Clone + Default,
{
    family.get_or_create(&label).clone()
}
