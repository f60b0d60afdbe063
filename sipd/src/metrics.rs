//! What `/metrics` shows.
//!
//! Every value is an atomic number that its owner holds a handle of: counting takes no lock and looks nothing
//! up. What others count (the stack, queues, the directory) is copied once a second.

use ngn_sip::message::Method;
use ngn_sip::stack::{Counters, Usage};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

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
    requests: BTreeMap<Method, Counter>,
    other_requests: Counter,
    received: [Counter; 6],
    sent: [Counter; 6],
    stack: StackMetrics,
    /// Datagrams that the socket's send buffer did not take.
    pub datagrams_lost: Counter,
    /// Datagrams that came while the socket's receive buffer was full.
    pub datagrams_dropped: Counter,
    /// New requests in datagrams that came while too many waited.
    pub arrivals_dropped: Counter,
    /// Call records that were given up.
    pub records_lost: Counter,
    /// Requests that were refused because a queue was full.
    pub shed: Counter,
    /// Calls that are neither answered nor refused yet.
    pub calls_in_setup: Gauge,
    /// Calls that were answered and have not ended: rows of this node that are open.
    pub calls_established: Gauge,
    /// Open connections, in the order of [`Stream::ALL`](crate::transport::Stream::ALL).
    pub connections: [Gauge; 4],
    /// Handshakes of connections that came to nothing.
    pub handshakes_failed: Counter,
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

/// What tells gateways apart: id and name.
type GatewayLabel = [(&'static str, String); 2];

/// What is counted of one gateway.
#[derive(Debug, Clone)]
pub struct GatewayMetrics {
    /// Calls that were sent to it.
    pub calls: Counter,
    /// Those of them that it did not answer, or that ended in 408 or 5xx.
    pub failures: Counter,
    /// 1 while it is up, else 0.
    pub up: Gauge,
    label: GatewayLabel,
    families:
        (Family<GatewayLabel, Counter>, Family<GatewayLabel, Counter>, Family<GatewayLabel, Gauge>),
}

impl GatewayMetrics {
    /// Shows it no longer.
    pub fn forget(&self) {
        self.families.0.remove(&self.label);
        self.families.1.remove(&self.label);
        self.families.2.remove(&self.label);
    }
}

/// What the guard keeps out.
#[derive(Debug, Clone)]
pub struct GuardMetrics {
    /// Requests of clients that name themselves after scanners.
    pub scanners: Counter,
    /// Requests of sources that looked for too many users.
    pub probing: Counter,
    /// Requests beyond a rate that were told 503.
    pub told: Counter,
    /// Requests beyond a rate that were not answered.
    pub ignored: Counter,
    /// Requests whose credentials were not looked at.
    pub unproven: Counter,
    /// Wrong passwords.
    pub failures: Counter,
    /// Bans of sources for wrong passwords.
    pub banned: Counter,
    /// Accounts that began to be guarded.
    pub guarded: Counter,
    /// Bans of sources for looking for users.
    pub probers: Counter,
    /// Sources that are remembered.
    pub sources: Gauge,
}

impl GuardMetrics {
    fn new(registry: &mut Registry) -> Self {
        let dropped = counters(registry, "guard_refused", "Requests that were kept out");
        let bans = counters(registry, "guard_bans", "Bans that began");
        let wrong = counters(registry, "guard_failures", "What counts towards bans");
        let sources = Gauge::default();
        registry.register("guard_sources", "Sources that are remembered", sources.clone());
        Self {
            scanners: handle(&dropped, [("why", "scanner")]),
            probing: handle(&dropped, [("why", "probing")]),
            told: handle(&dropped, [("why", "rate, told 503")]),
            ignored: handle(&dropped, [("why", "rate, not answered")]),
            unproven: handle(&dropped, [("why", "too many wrong passwords")]),
            failures: handle(&wrong, [("what", "wrong password")]),
            banned: handle(&bans, [("of", "source, wrong passwords")]),
            guarded: handle(&bans, [("of", "account, wrong passwords")]),
            probers: handle(&bans, [("of", "source, unknown users")]),
            sources,
        }
    }
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
        let requests = Family::<Label, Counter>::default();
        let received = Family::<[(&'static str, &'static str); 2], Counter>::default();
        let text = "SIP requests that came in, retransmissions included, by method";
        registry.register("requests", text, requests.clone());
        registry.register("responses", "SIP responses by class and direction", received.clone());
        let requests_of = |name| handle(&requests, [("method", name)]);
        let responses = |direction| {
            CLASSES.map(|class| handle(&received, [("direction", direction), ("class", class)]))
        };
        let known = Method::KNOWN.map(|method| {
            let counter = requests_of(known_name(&method));
            (method, counter)
        });
        let lost = counters(registry, "datagrams_lost", "Datagrams that were lost here");
        let records = counters(registry, "call_records_lost", "Call records that were given up");
        let shed = counters(registry, "shed", "Requests refused because a queue was full");
        let connections = gauges(registry, "connections", "Open connections");
        let handshakes =
            counters(registry, "handshakes_failed", "Handshakes of connections that failed");
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
            other_requests: requests_of("other"),
            requests: known.into_iter().collect(),
            received: responses("received"),
            sent: responses("sent"),
            datagrams_lost: handle(&lost, [("why", "send buffer full")]),
            datagrams_dropped: handle(&lost, [("why", "receive buffer full")]),
            arrivals_dropped: handle(&lost, [("why", "queue of new requests full")]),
            records_lost: handle(&records, [("why", "queue full")]),
            shed: handle(&shed, [("why", "queue full")]),
            calls_in_setup: handle(&calls, SETUP),
            calls_established: handle(&calls, ESTABLISHED),
            connections: ["tcp", "tls", "ws", "wss"]
                .map(|transport| handle(&connections, [("transport", transport)])),
            handshakes_failed: handle(&handshakes, [("why", "failed or too slow")]),
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

    /// Counts a request that came in.
    pub fn request(&self, method: &Method) {
        self.requests.get(method).unwrap_or(&self.other_requests).inc();
    }

    /// Counts a response that came in.
    pub fn response_received(&self, status: u16) {
        if let Some(counter) = self.received.get(usize::from(status / 100).wrapping_sub(1)) {
            counter.inc();
        }
    }

    /// Counts a message that goes out, when it is a response.
    pub fn sent(&self, octets: &[u8]) {
        let digit = octets.strip_prefix(b"SIP/2.0 ").and_then(|rest| rest.first());
        let class = digit.map(|digit| usize::from(digit.wrapping_sub(b'1')));
        if let Some(counter) = class.and_then(|class| self.sent.get(class)) {
            counter.inc();
        }
    }

    /// What the heartbeat tells: requests since the start, calls in progress, and what is held in memory.
    #[must_use]
    pub fn totals(&self) -> Vec<(&'static str, u64)> {
        let requests = self.requests.values().chain([&self.other_requests]);
        let gauge = |gauge: &Gauge| u64::try_from(gauge.get()).unwrap_or(0);
        vec![
            ("requests", requests.map(Counter::get).sum()),
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
        let events: [(&'static str, Event); 11] = [
            ("retransmission received", |c| c.retransmissions),
            ("retransmission sent", |c| c.retransmissions_sent),
            ("malformed", |c| c.malformed),
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
        let events = events.map(|(name, read)| (handle(&counted, [("event", name)]), read));
        let kept = kept.map(|(name, read)| (handle(&held, [("kind", name)]), read));
        Self { events: events.into(), kept: kept.into() }
    }
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
