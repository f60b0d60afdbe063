//! `GET /trace` of the admin port: messages as they come and go, one JSON object a line, until the reader has enough.

use super::{Seen, Shared};
use crate::address::Addresses;
use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How many may watch at one time.
const WATCHERS: usize = 4;
/// How many messages may wait for a reader.
const WAITING: usize = 1_024;
/// How many octets of messages may wait for a reader.
const WAITING_OCTETS: usize = 4 << 20;
/// How many calls are followed for a reader; then all are forgotten, and found again by their account.
const CALLS: usize = 10_000;
/// How often an empty line is sent when there is nothing else: it shows whether the reader is still there.
const STILL_THERE: Duration = Duration::from_secs(5);

/// What somebody wants to see; all of it must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Which {
    /// Messages that name this account in Request-URI, From or To, and all others of the same Call-ID.
    pub(crate) account: Option<String>,
    /// Messages from or to an address, an address and port, or a network.
    pub(crate) address: Option<String>,
    /// Requests of this method and responses to them.
    pub(crate) method: Option<String>,
    /// Messages of this Call-ID.
    pub(crate) call_id: Option<String>,
    /// For how long, in seconds.
    pub(crate) seconds: Option<u64>,
    /// How many.
    pub(crate) count: Option<u64>,
}

/// Which messages a watcher is shown.
#[derive(Debug)]
struct Filter {
    account: Option<String>,
    address: Option<Addresses>,
    method: Option<String>,
    call_id: Option<String>,
    /// Calls of the account.
    calls: HashSet<String>,
}

impl Filter {
    fn new(which: &Which) -> Result<Self, String> {
        let account = which.account.as_deref().map(|account| {
            let account = account.trim().to_ascii_lowercase();
            account.strip_prefix("sip:").map(str::to_owned).unwrap_or(account)
        });
        if let Some(account) = account.as_ref().filter(|account| !account.contains('@')) {
            return Err(format!("account: `{account}` is not of the form user@domain"));
        }
        Ok(Self {
            account,
            address: which.address.as_deref().map(str::parse).transpose()?,
            method: which.method.clone(),
            call_id: which.call_id.clone(),
            calls: HashSet::new(),
        })
    }

    fn holds(&mut self, seen: &mut Seen<'_>) -> bool {
        if self.address.is_some_and(|address| !address.hold(seen.traced.remote)) {
            return false;
        }
        if self.account.is_none() && self.method.is_none() && self.call_id.is_none() {
            return true;
        }
        let Some(parts) = seen.parts() else { return false };
        let is_method = |method: &String| parts.method.eq_ignore_ascii_case(method);
        let is_call = |call_id: &String| parts.call_id == *call_id;
        if !self.method.as_ref().is_none_or(is_method) || !self.call_id.as_ref().is_none_or(is_call)
        {
            return false;
        }
        let Some(account) = &self.account else { return true };
        if parts.addresses.contains(account) {
            if self.calls.len() >= CALLS {
                self.calls.clear();
            }
            self.calls.insert(parts.call_id.clone());
            return true;
        }
        self.calls.contains(&parts.call_id)
    }
}

/// Somebody who watches, as the hub sees them.
#[derive(Debug)]
pub(crate) struct Watcher {
    id: u64,
    filter: Filter,
    lines: mpsc::Sender<Bytes>,
    /// Octets that wait.
    waiting: Arc<AtomicUsize>,
    /// Messages that were lost since the reader was told.
    lost: u64,
}

impl Watcher {
    /// Shows a message if it is wanted; one for which there is no place is lost.
    pub(super) fn show(&mut self, seen: &mut Seen<'_>) {
        if !self.filter.holds(seen) {
            return;
        }
        if self.lost > 0 {
            let told = Bytes::from(format!("{}\n", json!({ "lost": self.lost })));
            if self.push(told) {
                self.lost = 0;
            }
        }
        let line = seen.line();
        if self.lost > 0 || !self.push(line) {
            self.lost += 1;
        }
    }

    /// Messages were lost before anybody looked at them.
    pub(super) fn lose(&mut self, count: u64) {
        self.lost += count;
    }

    fn push(&self, line: Bytes) -> bool {
        let octets = line.len();
        if self.waiting.fetch_add(octets, Ordering::Relaxed) + octets <= WAITING_OCTETS
            && self.lines.try_send(line).is_ok()
        {
            return true;
        }
        self.waiting.fetch_sub(octets, Ordering::Relaxed);
        false
    }
}

impl Seen<'_> {
    /// The message as a line of JSON.
    fn line(&mut self) -> Bytes {
        if let Some(line) = &self.line {
            return line.clone();
        }
        let (source, destination) = self.ends();
        let (call_id, method, status) = self
            .parts()
            .map(|parts| (parts.call_id.clone(), parts.method.clone(), parts.status.clone()))
            .unwrap_or_default();
        let traced = self.traced;
        let line = json!({
            "at": traced.at,
            "direction": if traced.is_in { "in" } else { "out" },
            "transport": traced.transport.as_str().to_ascii_lowercase(),
            "source": source.to_string(),
            "destination": destination.to_string(),
            "call_id": call_id,
            "method": method,
            "status": status,
            "message": self.masked(),
        });
        let line = Bytes::from(format!("{line}\n"));
        self.line = Some(line.clone());
        line
    }
}

/// What the route needs.
#[derive(Debug, Clone)]
struct Gate {
    shared: Arc<Shared>,
    shutdown: CancellationToken,
}

/// The route of the admin port. Watching ends at `shutdown`.
pub(crate) fn router(shared: Arc<Shared>, shutdown: CancellationToken) -> Router {
    Router::new().route("/trace", get(trace)).with_state(Gate { shared, shutdown })
}

async fn trace(State(gate): State<Gate>, Query(which): Query<Which>) -> Response {
    let filter = match Filter::new(&which) {
        Ok(filter) => filter,
        Err(why) => return (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response(),
    };
    let Some(reader) = Reader::enter(gate, filter, &which) else {
        let why = format!("{WATCHERS} traces are being watched already; end one of them first\n");
        return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    };
    let lines = futures::stream::unfold(reader, |mut reader| async move {
        reader.next().await.map(|line| (Ok::<_, Infallible>(line), reader))
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

/// A watcher's other end; when it goes, the hub forgets the watcher.
struct Reader {
    id: u64,
    gate: Gate,
    lines: mpsc::Receiver<Bytes>,
    waiting: Arc<AtomicUsize>,
    until: Option<Instant>,
    left: Option<u64>,
    /// Whether the reader was told that it is let in.
    is_in: bool,
}

impl Reader {
    /// `None` when enough watch already.
    fn enter(gate: Gate, filter: Filter, which: &Which) -> Option<Self> {
        let (lines, lines_out) = mpsc::channel(WAITING);
        let waiting = Arc::new(AtomicUsize::new(0));
        let mut watchers = gate.shared.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        if watchers.len() >= WATCHERS {
            return None;
        }
        let id = watchers.iter().map(|watcher| watcher.id).max().unwrap_or(0) + 1;
        watchers.push(Watcher { id, filter, lines, waiting: Arc::clone(&waiting), lost: 0 });
        gate.shared.wanted.fetch_add(1, Ordering::Relaxed);
        drop(watchers);
        let until = which
            .seconds
            .and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds)));
        Some(Self { id, gate, lines: lines_out, waiting, until, left: which.count, is_in: false })
    }

    /// The next line; `None` when it is over.
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.is_in, true) {
            return Some(Bytes::from_static(b"\n"));
        }
        if self.left == Some(0) {
            return None;
        }
        let over = async {
            match self.until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.gate.shutdown.cancelled() => None,
            () = over => None,
            line = self.lines.recv() => {
                let line = line?;
                self.waiting.fetch_sub(line.len(), Ordering::Relaxed);
                if let Some(left) = &mut self.left
                    && !line.starts_with(b"{\"lost\"")
                {
                    *left -= 1;
                }
                Some(line)
            }
            () = tokio::time::sleep(STILL_THERE) => Some(Bytes::from_static(b"\n")),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut watchers = self.gate.shared.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.retain(|watcher| watcher.id != self.id);
        self.gate.shared.wanted.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
