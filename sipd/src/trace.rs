//! Who sees SIP messages: the record of chosen accounts and addresses (B169), collectors (HEP), and those who watch.
//!
//! ```text
//! engine ──bounded queue──▶ hub ──▶ record: chosen messages, in batches, to the database
//!                            ├────▶ collector: HEP packets over UDP
//!                            └────▶ watchers: `GET /trace` of the admin port, each with a bounded queue
//! ```
//!
//! The engine hands each message over without waiting and without looking at it; when nobody wants any, that is one relaxed
//! load of a number. Credentials are masked for all. What does not fit a queue, or cannot be sent or written, is
//! dropped and counted: a trace may never cost a call.

mod collector;
mod message;
pub(crate) mod watch;

use crate::config::Trace as Settings;
use crate::metrics::Metrics;
use bytes::Bytes;
use collector::Collector;
use message::Parts;
use ngn_sip::header::Transport;
use ngn_store::{SipTraceRow, Store};
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use watch::Watcher;

/// How many messages may wait to be looked at, or to be written.
const QUEUE: usize = 8_192;
/// The most messages of one transaction.
const BATCH: usize = 500;
/// How long a message waits for others to be written with.
const LINGER: Duration = Duration::from_millis(250);
/// How often old messages are removed.
const PRUNE: Duration = Duration::from_secs(60);
/// How many calls are followed at one time; then all are forgotten, and found again by their accounts and addresses.
const CALLS: usize = 20_000;
/// The longest text of a message that is kept, in octets.
const LONGEST: usize = 32_768;

/// A message on its way in or out.
#[derive(Debug)]
pub struct Traced {
    is_in: bool,
    /// Microseconds since 1970 UTC.
    at: i64,
    transport: Transport,
    local: Option<SocketAddr>,
    remote: SocketAddr,
    octets: Bytes,
}

/// The engine's end.
#[derive(Debug, Clone)]
pub struct Tracer {
    queue: mpsc::Sender<Traced>,
    shared: Arc<Shared>,
}

/// What the engine's end, the hub and the watchers share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// How many want messages.
    wanted: AtomicUsize,
    /// How many messages did not fit the queue.
    lost: AtomicU64,
    watchers: Mutex<Vec<Watcher>>,
}

impl Tracer {
    /// Starts the hub, with what the settings name. `own` is the address that stands for ours when a socket's is not known.
    #[must_use]
    pub fn start(
        settings: &Settings,
        store: Store,
        own: Option<SocketAddr>,
        metrics: Metrics,
        shutdown: CancellationToken,
    ) -> Self {
        let (queue, messages) = mpsc::channel(QUEUE);
        let shared = Arc::new(Shared::default());
        let mut hub =
            Hub { shared: Arc::clone(&shared), own, record: None, collector: None, metrics };
        if !(settings.accounts.is_empty() && settings.addresses.is_empty()) {
            let (rows, rows_out) = mpsc::channel(QUEUE);
            hub.record = Some((Chosen::new(settings, own), rows));
            tokio::spawn(run(settings.clone(), store, rows_out, shutdown.clone()));
            shared.wanted.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(collector) = Collector::of(settings) {
            tokio::spawn(collector::keep_looking_up(collector.clone(), shutdown));
            hub.collector = Some(collector);
            shared.wanted.fetch_add(1, Ordering::Relaxed);
        }
        tokio::spawn(hub.run(messages));
        Self { queue, shared }
    }

    /// Where watchers are let in.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Notes a message that came.
    pub fn came(
        &self,
        transport: &Transport,
        local: SocketAddr,
        remote: SocketAddr,
        octets: &Bytes,
    ) {
        self.note(true, transport, Some(local), remote, octets);
    }

    /// Notes a message that goes.
    pub fn goes(
        &self,
        transport: &Transport,
        local: Option<SocketAddr>,
        remote: SocketAddr,
        octets: &Bytes,
    ) {
        self.note(false, transport, local, remote, octets);
    }

    fn note(
        &self,
        is_in: bool,
        transport: &Transport,
        local: Option<SocketAddr>,
        remote: SocketAddr,
        octets: &Bytes,
    ) {
        if self.shared.wanted.load(Ordering::Relaxed) == 0 {
            return;
        }
        let at = microseconds();
        let (transport, octets) = (transport.clone(), octets.clone());
        if self.queue.try_send(Traced { is_in, at, transport, local, remote, octets }).is_err() {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Microseconds since 1970 UTC.
fn microseconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Hands messages to all who want them.
struct Hub {
    shared: Arc<Shared>,
    own: Option<SocketAddr>,
    record: Option<(Chosen, mpsc::Sender<SipTraceRow>)>,
    collector: Option<Collector>,
    metrics: Metrics,
}

impl Hub {
    /// Until the engine is gone; then the watchers are let go.
    async fn run(mut self, mut messages: mpsc::Receiver<Traced>) {
        let mut arrived = Vec::with_capacity(BATCH);
        while messages.recv_many(&mut arrived, BATCH).await > 0 {
            let lost = self.shared.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                self.metrics.trace_queue_lost.inc_by(lost);
            }
            for traced in arrived.drain(..) {
                if let Some((chosen, rows)) = &mut self.record
                    && let Some(row) = chosen.choose(&traced)
                    && rows.try_send(row).is_err()
                {
                    self.metrics.trace_record_lost.inc();
                }
                let mut seen = Seen::new(&traced, self.own);
                if let Some(collector) = &self.collector
                    && !collector.send(&mut seen)
                {
                    self.metrics.trace_collector_lost.inc();
                }
                let mut watchers =
                    self.shared.watchers.lock().unwrap_or_else(PoisonError::into_inner);
                for watcher in watchers.iter_mut() {
                    watcher.show(&mut seen);
                }
            }
            if lost > 0 {
                let mut watchers =
                    self.shared.watchers.lock().unwrap_or_else(PoisonError::into_inner);
                watchers.iter_mut().for_each(|watcher| watcher.lose(lost));
            }
        }
        self.shared.watchers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A message that somebody looks at; its text is made when the first one asks for it.
pub(crate) struct Seen<'a> {
    traced: &'a Traced,
    own: Option<SocketAddr>,
    parts: Option<Option<Parts>>,
    masked: Option<String>,
    line: Option<Bytes>,
}

impl<'a> Seen<'a> {
    fn new(traced: &'a Traced, own: Option<SocketAddr>) -> Self {
        Self { traced, own, parts: None, masked: None, line: None }
    }

    /// What it is about; `None` when it has no Call-ID.
    fn parts(&mut self) -> Option<&Parts> {
        let octets = &self.traced.octets;
        let read = || Parts::read(&String::from_utf8_lossy(octets));
        self.parts.get_or_insert_with(read).as_ref()
    }

    /// Its text without credentials.
    fn masked(&mut self) -> &str {
        let octets = &self.traced.octets;
        let mask = || message::masked(&String::from_utf8_lossy(octets), usize::MAX);
        self.masked.get_or_insert_with(mask)
    }

    /// Sender and receiver; an address of ours that is not known is the unspecified one.
    fn ends(&self) -> (SocketAddr, SocketAddr) {
        let remote = self.traced.remote;
        let unspecified = || match remote {
            SocketAddr::V4(_) => SocketAddr::from(([0; 4], 0)),
            SocketAddr::V6(_) => SocketAddr::from(([0_u16; 8], 0)),
        };
        let local = self.traced.local.or(self.own).unwrap_or_else(unspecified);
        if self.traced.is_in { (remote, local) } else { (local, remote) }
    }
}

/// Which messages are kept.
struct Chosen {
    accounts: HashSet<String>,
    addresses: HashSet<IpAddr>,
    per_call: u32,
    own: Option<SocketAddr>,
    /// Calls that were found, and how many of their messages were kept.
    calls: HashMap<String, u32>,
}

impl Chosen {
    fn new(settings: &Settings, own: Option<SocketAddr>) -> Self {
        Self {
            accounts: settings.accounts.iter().map(|name| name.to_ascii_lowercase()).collect(),
            addresses: settings.addresses.iter().copied().collect(),
            per_call: settings.messages_per_call,
            own,
            calls: HashMap::new(),
        }
    }

    /// The row of a message, if it is to be kept. A call that was found once is kept whole: its other legs too.
    fn choose(&mut self, traced: &Traced) -> Option<SipTraceRow> {
        let text = String::from_utf8_lossy(&traced.octets);
        let parts = Parts::read(&text)?;
        let is_named = self.addresses.contains(&traced.remote.ip())
            || parts.addresses.iter().any(|address| self.accounts.contains(address));
        if !is_named && !self.calls.contains_key(&parts.call_id) {
            return None;
        }
        if self.calls.len() >= CALLS && !self.calls.contains_key(&parts.call_id) {
            self.calls.clear();
        }
        let kept = self.calls.entry(parts.call_id.clone()).or_default();
        if *kept >= self.per_call {
            return None;
        }
        *kept += 1;
        let end = |address: Option<SocketAddr>| {
            (
                address.map(|address| address.ip().to_string()).unwrap_or_default(),
                address.map_or(0, |address| i64::from(address.port())),
            )
        };
        let (ours, theirs) = (end(traced.local.or(self.own)), end(Some(traced.remote)));
        let ((from_ip, from_port), (to_ip, to_port)) =
            if traced.is_in { (theirs, ours) } else { (ours, theirs) };
        let proto = cut(&traced.transport.as_str().to_ascii_lowercase(), 5);
        Some(SipTraceRow {
            id: 0,
            time_us: traced.at,
            callid: cut(&parts.call_id, 255),
            trace_attrs: cut(&parts.domains(), 255),
            msg: message::masked(&text, LONGEST),
            method: cut(&parts.method, 32),
            status: parts.status,
            from_proto: proto.clone(),
            from_ip,
            from_port,
            to_proto: proto,
            to_ip,
            to_port,
            fromtag: cut(&parts.from_tag, 128),
            totag: cut(&parts.to_tag, 128),
            direction: if traced.is_in { "in" } else { "out" }.to_owned(),
        })
    }
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// Writes the rows of the record, and removes old ones.
async fn run(
    settings: Settings,
    store: Store,
    mut chosen: mpsc::Receiver<SipTraceRow>,
    shutdown: CancellationToken,
) {
    let mut prune = tokio::time::interval(PRUNE);
    let mut rows = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            count = chosen.recv_many(&mut rows, BATCH) => {
                if count == 0 {
                    return;
                }
                if let Err(error) = store.insert_sip_trace(&rows).await {
                    tracing::warn!(%error, messages = rows.len(), "recorded messages are lost");
                }
                rows.clear();
                if !shutdown.is_cancelled() {
                    tokio::time::sleep(LINGER).await;
                }
            }
            _ = prune.tick() => {
                let age = i64::from(settings.keep_hours).saturating_mul(3_600_000_000);
                let oldest = microseconds().saturating_sub(age);
                if let Err(error) = store.prune_sip_trace(oldest, settings.keep_messages).await {
                    tracing::warn!(%error, "old recorded messages stay");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
