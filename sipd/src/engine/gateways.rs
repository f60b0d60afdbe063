//! Which gateways answer: probed by OPTIONS, and told by the calls that they take.

use super::Engine;
use super::sessions::Errand;
use crate::metrics::GatewayMetrics;
use ngn_model::{Gateway, GatewayTransport};
use ngn_sip::header::{FromHeader, Header as _, HeaderName, ToHeader, Transport, Via};
use ngn_sip::message::{Message, Method};
use ngn_sip::stack::{AnswerResult, ClientTransactionId, Destination, TriedResult};
use ngn_sip::uri::{Host, Uri};
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a gateway has for the answer to a probe.
const PATIENCE: Duration = Duration::from_secs(4);
/// How many host names of trusted peers are looked up.
const MOST_NAMES: usize = 1000;
/// How many addresses of one gateway are kept.
const MOST_ADDRESSES: usize = 32;
/// How many probes are sent at one moment.
const AT_ONCE: usize = 50;

/// The gateways' states.
#[derive(Debug, Default)]
pub(super) struct Gateways {
    known: HashMap<i64, State>,
    down: HashSet<i64>,
    probes: HashMap<ClientTransactionId, i64>,
    /// The addresses of each, as far as they are known.
    addresses: HashMap<i64, HashSet<IpAddr>>,
}

#[derive(Debug)]
struct State {
    name: String,
    uri: Uri,
    failures: u32,
    /// When the next probe is due.
    due: Instant,
    /// When the probe was sent that has no answer yet.
    waits: Option<Instant>,
    /// How many probes were sent: each goes to another address of the name.
    sent: usize,
    metrics: GatewayMetrics,
}

impl Gateways {
    /// Those that do not answer.
    pub(super) fn down(&self) -> &HashSet<i64> {
        &self.down
    }

    /// Whether one of them is at an address.
    pub(super) fn is_at(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.addresses.values().any(|known| known.contains(&address))
    }

    /// Where nobody is let who just asks to be sent there. A gateway lets us in by our address, and so would let in anybody
    /// whose requests we send to it; it may take them over TLS too.
    fn places(&self) -> HashSet<SocketAddr> {
        let of = |(id, state): (&i64, &State)| {
            let port = state.uri.port().unwrap_or(5060);
            let ports = if matches!(port, 5060 | 5061) { [5060, 5061] } else { [port; 2] };
            let addresses = self.addresses.get(id).into_iter().flatten().copied();
            addresses.flat_map(move |ip| ports.map(|port| SocketAddr::new(ip, port)))
        };
        self.known.iter().flat_map(of).collect()
    }

    /// Says that a gateway is at an address.
    fn found_at(&mut self, id: i64, address: IpAddr) {
        if self.known.contains_key(&id) {
            let known = self.addresses.entry(id).or_default();
            if known.len() < MOST_ADDRESSES {
                known.insert(address.to_canonical());
            }
        }
    }

    /// Takes the gateways that there are now.
    pub(super) fn set<'g>(
        &mut self,
        gateways: impl Iterator<Item = &'g Gateway>,
        make: impl Fn(&Gateway) -> GatewayMetrics,
        now: Instant,
    ) {
        let mut before = std::mem::take(&mut self.known);
        for gateway in gateways {
            let Some(uri) = probe_uri(gateway) else { continue };
            let state = match before.remove(&gateway.id) {
                Some(old) if old.uri == uri && old.name == gateway.name => old,
                other => {
                    if let Some(old) = other {
                        old.metrics.forget();
                    }
                    // A gateway that is new, or somewhere else now, is taken for up until a probe says otherwise.
                    self.down.remove(&gateway.id);
                    let metrics = make(gateway);
                    metrics.up.set(1);
                    let name = gateway.name.clone();
                    State { name, uri, failures: 0, due: now, waits: None, sent: 0, metrics }
                }
            };
            self.known.insert(gateway.id, state);
            self.addresses.remove(&gateway.id);
            if let Ok(address) = gateway.host.parse() {
                self.found_at(gateway.id, address);
            }
        }
        for (id, gone) in before {
            self.down.remove(&id);
            self.addresses.remove(&id);
            gone.metrics.forget();
        }
        let known = &self.known;
        self.probes.retain(|_, id| known.contains_key(id));
    }

    /// The gateways that are to be probed now, with the number of the probe.
    fn due(&mut self, every: Duration, most: u32, now: Instant) -> Vec<(i64, Uri, usize)> {
        let late: Vec<i64> = self
            .known
            .iter()
            .filter(|(_, state)| state.waits.is_some_and(|at| now.duration_since(at) >= PATIENCE))
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            self.failed(id, most);
        }
        let mut due = Vec::new();
        for (id, state) in &mut self.known {
            if due.len() < AT_ONCE && state.due <= now && state.waits.is_none() {
                state.due = now + every;
                state.waits = Some(now);
                due.push((*id, state.uri.clone(), state.sent));
                state.sent = state.sent.wrapping_add(1);
            }
        }
        due
    }

    fn failed(&mut self, id: i64, most: u32) {
        let Some(state) = self.known.get_mut(&id) else { return };
        state.waits = None;
        state.failures = state.failures.saturating_add(1);
        if state.failures >= most {
            self.goes_down(id, "it does not answer");
        }
    }

    fn goes_down(&mut self, id: i64, why: &str) {
        let Some(state) = self.known.get_mut(&id) else { return };
        state.waits = None;
        if self.down.insert(id) {
            tracing::warn!(gateway = state.name, id, why, "gateway is down");
            state.metrics.up.set(0);
        }
    }

    fn succeeded(&mut self, id: i64) {
        let Some(state) = self.known.get_mut(&id) else { return };
        state.waits = None;
        state.failures = 0;
        if self.down.remove(&id) {
            tracing::info!(gateway = state.name, id, "gateway is up");
            state.metrics.up.set(1);
        }
    }

    /// What a call to a gateway came to. `most` failures in a row take it down; `None` when nobody would bring it up
    /// again.
    pub(super) fn tried(&mut self, id: i64, result: TriedResult, most: Option<u32>) {
        let Some(state) = self.known.get(&id) else { return };
        let is_failure = match result {
            TriedResult::Final(status) => (500..600).contains(&status) || status == 408,
            TriedResult::Silent | TriedResult::Failed => true,
        };
        state.metrics.calls.inc();
        if is_failure {
            state.metrics.failures.inc();
        }
        let Some(most) = most else { return };
        match result {
            TriedResult::Silent | TriedResult::Failed => self.failed(id, most),
            // An overloaded gateway refuses a call now and then; only a probe takes it down at once.
            TriedResult::Final(503) => self.failed(id, most),
            TriedResult::Final(_) => self.succeeded(id),
        }
    }
}

fn probe_uri(gateway: &Gateway) -> Option<Uri> {
    let (open, close) = if gateway.host.contains(':') { ("[", "]") } else { ("", "") };
    let transport = match gateway.transport {
        GatewayTransport::Udp => String::new(),
        other => format!(";transport={other}"),
    };
    Uri::parse(&format!("sip:{open}{}{close}:{}{transport}", gateway.host, gateway.port)).ok()
}

/// What was looked up for the engine itself.
pub(super) enum Located {
    /// Where the probe of a gateway goes.
    Gateway(i64, Box<Uri>, Option<Box<Destination>>),
    /// The addresses of a trusted peer's host name.
    Peer(String, Vec<IpAddr>),
    /// The addresses of a voicemail server.
    Voicemail(String, Vec<IpAddr>),
    /// Where a request inside a call goes.
    Errand(Errand, Box<Message>, Option<Box<Destination>>),
}

impl Engine {
    /// Takes the gateways that the directory has now.
    pub(super) fn gateways_changed(&mut self) {
        let pstn = Arc::clone(self.directory.pstn());
        let metrics = &self.metrics;
        let make = |gateway: &Gateway| metrics.gateway(gateway.id, &gateway.name);
        self.gateways.set(pstn.gateways(), make, Instant::now());
        self.stack.set_reserved(self.gateways.places());
    }

    /// How many failures take a gateway down; `None` when none is probed.
    pub(super) fn probe_failures(&self) -> Option<u32> {
        let pstn = &self.config.pstn;
        (pstn.probe_seconds > 0).then_some(pstn.probe_failures)
    }

    /// Probes what is due.
    pub(super) fn probe(&mut self) {
        let Some(most) = self.probe_failures() else { return };
        let every = Duration::from_secs(self.config.pstn.probe_seconds);
        for (id, uri, number) in self.gateways.due(every, most, Instant::now()) {
            let (locator, located, sockets) =
                (self.locator.clone(), self.located.clone(), self.sockets());
            tokio::spawn(async move {
                let places = locator.locate(&uri, sockets).await;
                let place = number.checked_rem(places.len()).and_then(|n| places.get(n).cloned());
                let place = place.map(|found| Box::new(super::hops::destination(found, &uri)));
                let _ = located.send(Located::Gateway(id, Box::new(uri), place)).await;
            });
        }
    }

    /// Takes what was looked up.
    pub(super) fn located(&mut self, located: Located) {
        match located {
            Located::Gateway(id, uri, place) => {
                if let Some(place) = &place {
                    self.gateways.found_at(id, place.remote.ip());
                    self.stack.set_reserved(self.gateways.places());
                }
                self.send_probe(id, *uri, place.map(|p| *p));
            }
            Located::Peer(name, addresses) => self.directory.set_peer_addresses(&name, &addresses),
            Located::Voicemail(name, addresses) => self.voicemail_located(name, addresses),
            Located::Errand(errand, request, place) => {
                self.send_errand(errand, *request, place.map(|place| *place));
            }
        }
    }

    /// Looks the host names of trusted peers up (B145); answers are kept as long as they may be.
    pub(super) fn look_peers_up(&self) {
        for name in self.directory.peer_names().take(MOST_NAMES) {
            // The port keeps it to addresses.
            let Ok(uri) = Uri::parse(&format!("sip:{name}:5060")) else { continue };
            let (locator, located, name) =
                (self.locator.clone(), self.located.clone(), name.to_owned());
            let sockets = self.sockets();
            tokio::spawn(async move {
                let places = locator.locate(&uri, sockets).await;
                let addresses: Vec<IpAddr> =
                    places.iter().map(|place| place.address.ip()).collect();
                // While nobody answers it is where it was.
                if !addresses.is_empty() {
                    let _ = located.send(Located::Peer(name, addresses)).await;
                }
            });
        }
    }

    fn send_probe(&mut self, id: i64, uri: Uri, place: Option<Destination>) {
        let Some(most) = self.probe_failures() else { return };
        let Some(place) = place else { return self.gateways.failed(id, most) };
        let own = self.config.node(self.transports.udp_addresses().next());
        let mut random = [0; 8];
        let from = FromHeader::parse(&format!("<sip:{own}>;tag=probe"));
        let to = ToHeader::parse(&format!("<{uri}>"));
        let (Ok(()), Ok(from), Ok(to)) = (getrandom::fill(&mut random), from, to) else { return };
        let call_id = format!("probe-{id}-{:x}", u64::from_ne_bytes(random));
        let now = self.now();
        // The stack writes the Via itself.
        let via = Via::new(Transport::Udp, Host::from(place.remote.ip()), None, Via::COOKIE);
        let mut request = Message::request(Method::Options, uri, &via, &from, &to, &call_id, 1);
        if request.pop_via().is_err() {
            return;
        }
        request.append(HeaderName::Accept, "application/sdp");
        match self.stack.send(now, request, place) {
            Some(transaction) => {
                self.gateways.probes.insert(transaction, id);
            }
            // No socket of that transport, or too much is going on, which says nothing about the gateway.
            None => self.gateways.succeeded(id),
        }
    }

    /// Takes what came back for a probe.
    pub(super) fn probe_answered(
        &mut self,
        transaction: ClientTransactionId,
        result: &AnswerResult,
    ) {
        let Some(most) = self.probe_failures() else { return };
        let status = match result {
            AnswerResult::Response(response) => response.status(),
            AnswerResult::TimedOut | AnswerResult::TransportFailed => None,
        };
        if status.is_some_and(|status| status < 200) {
            return;
        }
        let Some(id) = self.gateways.probes.remove(&transaction) else { return };
        match status {
            Some(503) => self.gateways.goes_down(id, "it answers 503"),
            // Whatever else it says, it is there.
            Some(_) => self.gateways.succeeded(id),
            // Its silence was counted when its time was over.
            None if self.gateways.known.get(&id).is_some_and(|state| state.waits.is_none()) => {}
            None => self.gateways.failed(id, most),
        }
    }
}

#[cfg(test)]
mod tests;
