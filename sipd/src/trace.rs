//! A record of SIP messages of chosen accounts and addresses (B169), off unless the settings name some.
//!
//! The engine hands each message to a bounded queue, without waiting and without looking at it; when recording is off
//! there is no queue. The task behind it chooses, masks credentials, writes in batches, and prunes. What does not fit the
//! queue, or cannot be written, is dropped: a trace may never cost a call.

mod message;

use crate::config::Trace as Settings;
use bytes::Bytes;
use message::Parts;
use ngn_sip::header::Transport;
use ngn_store::{SipTraceRow, Store};
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How many messages may wait to be looked at.
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

/// The engine's end: nothing at all when recording is off.
#[derive(Debug, Clone, Default)]
pub struct Tracer {
    queue: Option<mpsc::Sender<Traced>>,
}

impl Tracer {
    /// Starts to record when the settings name anything. `own` is the address that stands for ours when a socket's is not
    /// known.
    #[must_use]
    pub fn start(
        settings: &Settings,
        store: Store,
        own: Option<SocketAddr>,
        shutdown: CancellationToken,
    ) -> Self {
        if settings.accounts.is_empty() && settings.addresses.is_empty() {
            return Self::default();
        }
        let (queue, messages) = mpsc::channel(QUEUE);
        let chosen = Chosen::new(settings, own);
        tokio::spawn(run(chosen, settings.clone(), store, messages, shutdown));
        Self { queue: Some(queue) }
    }

    /// Whether anything is recorded.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.queue.is_some()
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
        let Some(queue) = &self.queue else { return };
        let at = ngn_daemon::wall_clock().saturating_mul(1000);
        let (transport, octets) = (transport.clone(), octets.clone());
        let _ = queue.try_send(Traced { is_in, at, transport, local, remote, octets });
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

async fn run(
    mut chosen: Chosen,
    settings: Settings,
    store: Store,
    mut messages: mpsc::Receiver<Traced>,
    shutdown: CancellationToken,
) {
    let mut prune = tokio::time::interval(PRUNE);
    let mut arrived = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            count = messages.recv_many(&mut arrived, BATCH) => {
                if count == 0 {
                    return;
                }
                let rows: Vec<SipTraceRow> =
                    arrived.drain(..).filter_map(|traced| chosen.choose(&traced)).collect();
                if !rows.is_empty() && let Err(error) = store.insert_sip_trace(&rows).await {
                    tracing::warn!(%error, messages = rows.len(), "recorded messages are lost");
                }
                if !shutdown.is_cancelled() {
                    tokio::time::sleep(LINGER).await;
                }
            }
            _ = prune.tick() => {
                let age = i64::from(settings.keep_hours).saturating_mul(3_600_000_000);
                let oldest = ngn_daemon::wall_clock().saturating_mul(1000).saturating_sub(age);
                if let Err(error) = store.prune_sip_trace(oldest, settings.keep_messages).await {
                    tracing::warn!(%error, "old recorded messages stay");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
