//! The one loop that owns everything calls depend on: sockets, stack, directory. No lock is taken on its way.
//!
//! ```text
//! arrivals ─▶ stack ─▶ Request ─▶ admit (digest) ─▶ register ─▶ location task ─▶ committed ─▶ 200
//!                                               └─▶ facts ─▶ routing::plan ─▶ stack.forward / reply
//! ```

use crate::cdr::Record;
use crate::config::{Config, DigestAlgorithm, DigestUri};
use crate::directory::Directory;
use crate::follower::Batch;
use crate::location::{Change, Committed, Ticket};
use crate::registrar::{self, Origin, Refusal};
use crate::transport::{Arrival, Transports};
use bytes::Bytes;
use ngn_model::call_plan::Target;
use ngn_model::{Account, Aor, DomainName, Plan};
use ngn_routing::{CallFacts, Callee, Caller, Settings};
use ngn_sip::digest::{self, NonceKey, ReplayWindow, Rules, Secret, UriRule, Verdict};
use ngn_sip::header::{Algorithm, Authorization, HeaderName, Transport};
use ngn_sip::message::{Limits, Message, Method};
use ngn_sip::stack::{
    CallEvent, CallEventKind, Destination, FlowId, ForwardPlan, ForwardStep, ForwardTarget,
    IncomingRequest, LookupId, Moment, Output, ServerTransactionId, Source, Stack,
};
use ngn_sip::uri::Uri;
use ngn_store::{Cdr, CdrStop};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How many uses of nonces are remembered.
const REPLAY_WINDOW: usize = 200_000;
/// How often expired bindings are dropped.
const SWEEP: Duration = Duration::from_secs(10);

/// The queues by which the engine is reached, and by which it reaches the other tasks.
#[derive(Debug)]
pub struct Queues {
    /// From the sockets.
    pub arrivals: mpsc::Receiver<Arrival>,
    /// From the journal's follower.
    pub batches: mpsc::Receiver<Batch>,
    /// To the location task.
    pub changes: mpsc::UnboundedSender<Change>,
    /// From the location task.
    pub committed: mpsc::UnboundedReceiver<Committed>,
    /// To the call records' task.
    pub records: mpsc::UnboundedSender<Record>,
}

/// A look-up's result.
type Found = (LookupId, Vec<Destination>);

/// A header field of an answer.
type Fields = Vec<(HeaderName, String)>;

/// The engine.
pub struct Engine {
    config: Config,
    settings: Settings,
    stack: Stack,
    transports: Transports,
    directory: Directory,
    nonce_key: NonceKey,
    window: ReplayWindow,
    started: Instant,
    /// Answers to REGISTER that wait for the commit.
    waiting: HashMap<Ticket, (ServerTransactionId, Fields)>,
    last_ticket: Ticket,
    /// INVITEs that are being forwarded.
    calls: HashMap<ServerTransactionId, (Cdr, Instant)>,
    changes: mpsc::UnboundedSender<Change>,
    records: mpsc::UnboundedSender<Record>,
    found: mpsc::UnboundedSender<Found>,
    found_queue: Option<mpsc::UnboundedReceiver<Found>>,
}

/// Who a request comes from, or the answer that it deserves instead.
enum Admission {
    Account(Box<Account>),
    Stranger,
    Refused(u16, Option<&'static str>, Fields),
}

impl Engine {
    /// An engine that has not begun.
    pub fn new(
        config: Config,
        stack: Stack,
        transports: Transports,
        directory: Directory,
        nonce_key: NonceKey,
        queues: &Queues,
    ) -> Self {
        let (found, found_queue) = mpsc::unbounded_channel();
        Self {
            settings: Settings {
                default_answer_timeout: Duration::from_secs(config.proxy.answer_timeout),
            },
            config,
            stack,
            transports,
            directory,
            nonce_key,
            window: ReplayWindow::new(REPLAY_WINDOW),
            started: Instant::now(),
            waiting: HashMap::new(),
            last_ticket: 0,
            calls: HashMap::new(),
            changes: queues.changes.clone(),
            records: queues.records.clone(),
            found,
            found_queue: Some(found_queue),
        }
    }

    /// Serves until `shutdown`.
    pub async fn run(mut self, mut queues: Queues, shutdown: CancellationToken) {
        let Some(mut found) = self.found_queue.take() else { return };
        let mut sweep = tokio::time::interval(SWEEP);
        loop {
            self.carry_out();
            let deadline = self.stack.next_deadline().map_or(self.started + SWEEP * 8640, |at| {
                self.started + Duration::from_micros(at.as_micros())
            });
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                Some(committed) = queues.committed.recv() => self.committed(&committed),
                Some(batch) = queues.batches.recv() => self.apply(batch),
                Some((id, hops)) = found.recv() => {
                    let now = self.now();
                    self.stack.resolved(now, id, hops);
                }
                () = tokio::time::sleep_until(deadline.into()) => {
                    let now = self.now();
                    self.stack.timeout(now);
                }
                Some(arrival) = queues.arrivals.recv() => self.arrived(arrival),
                _ = sweep.tick() => self.sweep(),
            }
        }
    }

    fn now(&self) -> Moment {
        let micros = self.started.elapsed().as_micros();
        Moment::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    fn apply(&mut self, batch: Batch) {
        for update in batch.updates {
            if let crate::directory::Update::Domain(name, is_ours) = &update {
                if *is_ours {
                    self.stack.add_own_name(name.as_str());
                } else {
                    self.stack.remove_own_name(name.as_str());
                }
            }
            self.directory.apply(update);
        }
        // The follower may be gone already.
        let _ = batch.applied.send(());
    }

    fn sweep(&mut self) {
        let deletes = self.directory.sweep(wall_clock());
        if !deletes.is_empty() {
            let _ = self.changes.send(Change { ticket: None, upserts: Vec::new(), deletes });
        }
    }

    fn committed(&mut self, committed: &Committed) {
        let now = self.now();
        for ticket in &committed.tickets {
            if let Some((id, fields)) = self.waiting.remove(ticket) {
                self.stack.reply(now, id, 200, None, &fields);
            }
        }
    }

    fn arrived(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Datagram { local, remote, octets } => {
                let transport = Transport::Udp;
                self.message(Source { transport, local, remote, flow: None }, octets);
            }
            Arrival::Opened(connection) => self.transports.opened(connection),
            Arrival::Message { connection, octets } => {
                let Some(open) = self.transports.connection(connection) else { return };
                let (local, remote) = (open.local, open.remote);
                let flow = Some(FlowId(connection));
                self.message(Source { transport: Transport::Tcp, local, remote, flow }, octets);
            }
            Arrival::Closed(id) => self.transports.closed(id),
            Arrival::Unreachable { remote } => self.transports.unreachable(remote),
        }
    }

    fn message(&mut self, source: Source, octets: Bytes) {
        // Phones keep NAT bindings open with empty lines (RFC 5626 section 3.5.2).
        if octets.iter().all(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
            return;
        }
        let octets_limit = self.config.limits.message_octets;
        let limits = Limits { octets: octets_limit, ..Limits::default() };
        match Message::parse(octets, &limits) {
            Ok(message) => {
                let now = self.now();
                self.stack.receive(now, source, message);
            }
            Err(fault) => self.stack.receive_malformed(&source, &fault),
        }
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.stack.poll_output() {
            match output {
                Output::Send { to, octets, id } => {
                    let sent = if to.transport == Transport::Udp {
                        self.transports.send_datagram(to.local, to.remote, &octets)
                    } else {
                        let on_flow = to.flow.map(|f| self.transports.send_on(f.0, octets.clone()));
                        match on_flow {
                            Some(Ok(())) => Ok(()),
                            Some(Err(error)) if to.only_flow => Err(error),
                            _ => self.transports.send_stream(to.remote, octets),
                        }
                    };
                    if let (Err(error), Some(id)) = (sent, id) {
                        tracing::debug!(%error, remote = %to.remote, "not sent");
                        let now = self.now();
                        self.stack.send_failed(now, id);
                    }
                }
                Output::Request(incoming) => self.request(&incoming),
                Output::Resolve { id, uri, .. } => self.resolve(id, &uri),
                Output::Redirected { id, .. } => {
                    let now = self.now();
                    self.stack.redirected(now, id, Vec::new());
                }
                Output::Call(event) => self.call_event(&event),
                Output::Cancelled(_) | Output::Answer { .. } => {}
            }
        }
    }

    /// Addresses and names of the system's resolver, off this loop; SRV and NAPTR (RFC 3263) are not asked.
    fn resolve(&self, id: LookupId, uri: &Uri) {
        let is_tcp = uri.param("transport").is_some_and(|name| name.eq_ignore_ascii_case("tcp"));
        let transport = if is_tcp { Transport::Tcp } else { Transport::Udp };
        let (host, port) = (uri.host_text().to_owned(), uri.port().unwrap_or(5060));
        let found = self.found.clone();
        tokio::spawn(async move {
            let addresses = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await;
            let hops = addresses.map(|all| all.map(|a| Destination::new(transport.clone(), a)));
            let _ = found.send((id, hops.map(Iterator::collect).unwrap_or_default()));
        });
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

    fn request(&mut self, incoming: &IncomingRequest) {
        let (id, request) = (incoming.id, &incoming.request);
        let (Some(method), Some(uri)) = (request.method(), request.request_uri()) else {
            return self.reply(id, 400, None, &Vec::new());
        };
        if *method == Method::Register {
            return self.register(incoming);
        }
        let host = DomainName::new(uri.host_text()).ok();
        let is_domain = host.is_some_and(|name| self.directory.serves(&name));
        if uri.user().is_none() && (is_domain || self.is_own_address(uri)) {
            return match method {
                Method::Options => {
                    let allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE";
                    self.reply(id, 200, None, &vec![(HeaderName::Allow, allow.to_owned())]);
                }
                _ => self.reply(id, 405, None, &Vec::new()),
            };
        }
        if incoming.is_stray {
            return self.reply(id, 481, None, &Vec::new());
        }
        let admission = self.admit(request, method, uri);
        let caller = match &admission {
            Admission::Account(account) => Caller::Account(account),
            Admission::Stranger => Caller::Stranger,
            Admission::Refused(status, phrase, fields) => {
                return self.reply(id, *status, *phrase, fields);
            }
        };
        let address = uri.aor();
        let callee = match &address {
            Some(aor) if is_domain => self.directory.callee(aor, uri.as_str()),
            None if is_domain => Callee::Unknown { address: uri.as_str() },
            _ => Callee::Foreign { uri: uri.as_str() },
        };
        let canonical = match callee {
            Callee::Account { account, .. } => account.aor.to_string(),
            _ => String::new(),
        };
        let facts = CallFacts { caller, callee, now: wall_clock(), settings: &self.settings };
        let plan = ngn_routing::plan(&facts);
        let cdr = (*method == Method::Invite).then(|| {
            let payer = match caller {
                Caller::Account(account) => account.aor.to_string(),
                Caller::Stranger => String::new(),
            };
            Cdr { canonical_uri: canonical, ..call_record(incoming, payer) }
        });
        let now = self.now();
        match plan {
            Plan::Reject(reject) => {
                tracing::info!(status = reject.status, reason = reject.reason, "call refused");
                self.reply(id, reject.status, Some(reject.phrase), &Vec::new());
                if let Some(cdr) = cdr {
                    self.record_failure(cdr, reject.status, Instant::now());
                }
            }
            Plan::Call(plan) => {
                let steps = plan.steps.iter().map(forward_step).collect();
                let plan = ForwardPlan { steps, ..ForwardPlan::default() };
                if let Some(cdr) = cdr {
                    self.calls.insert(id, (cdr, Instant::now()));
                }
                if !self.stack.forward(now, id, plan) {
                    self.calls.remove(&id);
                }
            }
        }
    }

    fn is_own_address(&self, uri: &Uri) -> bool {
        let port = uri.port().unwrap_or(5060);
        let host = uri.host().and_then(|host| host.ip());
        let mut own = self.transports.udp_addresses().chain(self.transports.tcp_addresses());
        own.any(|a| a.port() == port && (Some(a.ip()) == host || a.ip().is_unspecified()))
            || self.config.listen.advertised.as_deref() == Some(uri.host_text())
    }

    /// Who calls: From in a domain of ours must be proved, any other proves nothing.
    fn admit(&mut self, request: &Message, method: &Method, uri: &Uri) -> Admission {
        let Ok(from) = request.from_header() else {
            return Admission::Refused(400, None, Vec::new());
        };
        let Ok(domain) = DomainName::new(from.uri().host_text()) else {
            return Admission::Stranger;
        };
        if !self.directory.serves(&domain) {
            return Admission::Stranger;
        }
        match self.authenticate(request, method, uri, &domain, HeaderName::ProxyAuthorization) {
            Ok(account) => {
                let claimed = from.uri().aor();
                let resolved = claimed.as_ref().and_then(|aor| self.directory.resolve(aor));
                if resolved.is_some_and(|(owner, _)| owner.aor == account.aor) {
                    Admission::Account(Box::new(account))
                } else {
                    Admission::Refused(403, Some("From Is Not Yours"), Vec::new())
                }
            }
            Err((status, fields)) => Admission::Refused(status, None, fields),
        }
    }

    /// The account whose password a request proves to know, or the answer to give.
    fn authenticate(
        &mut self,
        request: &Message,
        method: &Method,
        uri: &Uri,
        domain: &DomainName,
        name: HeaderName,
    ) -> Result<Account, (u16, Fields)> {
        let (now, realm) = (wall_clock(), domain.as_str());
        let credentials = request.authorizations(name).find_map(|field| match field {
            Ok(Authorization::Digest(credentials)) if credentials.realm == realm => {
                Some(credentials)
            }
            _ => None,
        });
        let mut stale = false;
        if let Some(credentials) = credentials {
            let username = credentials.username.split('@').next().unwrap_or_default();
            let account = Aor::new(username, realm).ok();
            let account = account.and_then(|aor| self.directory.account(&aor));
            let secret = account.map_or(Secret::default(), |account| Secret {
                md5: account.ha1.as_ref(),
                sha256: account.ha1_sha256.as_ref(),
            });
            let rules = Rules {
                nonce_lifetime: i64::try_from(self.config.digest.nonce_seconds).unwrap_or(300)
                    * 1000,
                allow_without_qop: self.config.digest.allow_without_qop,
                uri: match self.config.digest.uri {
                    DigestUri::Any => UriRule::Any,
                    DigestUri::SameTarget => UriRule::SameTarget,
                    DigestUri::Equivalent => UriRule::Equivalent,
                },
            };
            let asked = digest::Request { method, uri, realm };
            let window = &mut self.window;
            match digest::verify(&credentials, &asked, secret, &rules, &self.nonce_key, window, now)
            {
                Verdict::Accepted => {
                    if let Some(account) = account {
                        return Ok(account.clone());
                    }
                }
                Verdict::Malformed(_) => return Err((400, Vec::new())),
                Verdict::Stale => stale = true,
                Verdict::Wrong | Verdict::Unsuitable(_) => {}
            }
        }
        let mut random = [0; 8];
        if getrandom::fill(&mut random).is_err() {
            return Err((500, Vec::new()));
        }
        let algorithms: Vec<Algorithm> = self
            .config
            .digest
            .algorithms
            .iter()
            .map(|algorithm| match algorithm {
                DigestAlgorithm::Md5 => Algorithm::Md5,
                DigestAlgorithm::Sha256 => Algorithm::Sha256,
            })
            .collect();
        let challenges =
            digest::challenges(realm, &algorithms, stale, &self.nonce_key, now, random);
        let (status, field) = if name == HeaderName::Authorization {
            (401, HeaderName::WwwAuthenticate)
        } else {
            (407, HeaderName::ProxyAuthenticate)
        };
        Err((status, challenges.iter().map(|challenge| (field, challenge.to_string())).collect()))
    }

    /// RFC 3261 section 10.3.
    fn register(&mut self, incoming: &IncomingRequest) {
        let (id, request) = (incoming.id, &incoming.request);
        let none = Vec::new();
        let (Some(uri), Ok(to)) = (request.request_uri(), request.to_header()) else {
            return self.reply(id, 400, None, &none);
        };
        let Some(address) = to.uri().aor() else { return self.reply(id, 404, None, &none) };
        if !self.directory.serves(address.domain()) {
            return self.reply(id, 404, None, &none);
        }
        let name = HeaderName::Authorization;
        let domain = address.domain();
        let account = match self.authenticate(request, &Method::Register, uri, domain, name) {
            Ok(account) => account,
            Err((status, fields)) => return self.reply(id, status, None, &fields),
        };
        let owner = self.directory.resolve(&address).map(|(owner, _)| &owner.aor);
        if owner != Some(&account.aor) || account.is_blocked() {
            return self.reply(id, 403, None, &none);
        }
        let (now, aor) = (wall_clock(), &account.aor);
        let transport = incoming.source.transport.as_str().to_ascii_lowercase();
        let origin = Origin {
            received: format!("sip:{};transport={transport}", incoming.source.remote),
            socket: format!("{transport}:{}", incoming.source.local),
        };
        let current = self.directory.bindings(aor);
        match registrar::change(request, aor, current, &origin, &self.config.registrar, now) {
            Ok(set) => {
                let fields = registrar::contact_fields(&set.bindings, now);
                if set.upserts.is_empty() && set.deletes.is_empty() {
                    return self.reply(id, 200, None, &fields);
                }
                self.directory.set_bindings(aor, set.bindings);
                self.last_ticket += 1;
                let ticket = self.last_ticket;
                self.waiting.insert(ticket, (id, fields));
                let (upserts, deletes) = (set.upserts, set.deletes);
                let change = Change { ticket: Some(ticket), upserts, deletes };
                if self.changes.send(change).is_err() {
                    self.waiting.remove(&ticket);
                    self.reply(id, 500, None, &none);
                }
            }
            Err(Refusal::TooBrief) => {
                let shortest = self.config.registrar.min_expires.to_string();
                self.reply(id, 423, None, &vec![(HeaderName::MinExpires, shortest)]);
            }
            Err(Refusal::Malformed(phrase)) => self.reply(id, 400, Some(phrase), &none),
            Err(Refusal::TooMany) => self.reply(id, 403, Some("Too Many Contacts"), &none),
            Err(Refusal::OutOfOrder) => self.reply(id, 500, Some("CSeq Out of Order"), &none),
        }
    }

    fn call_event(&mut self, event: &CallEvent) {
        match event.kind {
            CallEventKind::Ringing { .. } => {}
            CallEventKind::Answered { status, .. } => {
                let Some((mut cdr, begun)) = self.calls.remove(&event.id) else { return };
                cdr.to_tag = event.to_tag.clone().unwrap_or_default();
                cdr.status = status;
                cdr.started_at = wall_clock();
                cdr.delay = seconds(begun);
                let _ = self.records.send(Record::Call(Box::new(cdr)));
            }
            CallEventKind::Failed { status } => {
                if let Some((cdr, begun)) = self.calls.remove(&event.id) {
                    self.record_failure(cdr, status, begun);
                }
            }
            CallEventKind::Ended => {
                // Either side may hang up, so the tags may be the other way round; only one of the two exists.
                let to_tag = event.to_tag.clone().unwrap_or_default();
                let tags =
                    [(event.from_tag.clone(), to_tag.clone()), (to_tag, event.from_tag.clone())];
                for (from_tag, to_tag) in tags {
                    let _ = self.records.send(Record::Stop(CdrStop {
                        session_id: event.call_id.clone(),
                        from_tag,
                        to_tag,
                        stopped_at: wall_clock(),
                        cause: "User-Request".to_owned(),
                    }));
                }
            }
        }
    }

    fn record_failure(&self, mut cdr: Cdr, status: u16, begun: Instant) {
        cdr.status = status;
        cdr.started_at = wall_clock();
        cdr.stopped_at = Some(cdr.started_at);
        cdr.delay = seconds(begun);
        let _ = self.records.send(Record::Call(Box::new(cdr)));
    }
}

fn forward_step(step: &ngn_model::call_plan::Step) -> ForwardStep {
    ForwardStep {
        when: step.when,
        targets: step.targets.iter().filter_map(forward_target).collect(),
        answer_timeout: Some(step.answer_timeout),
    }
}

/// A binding is reached where its REGISTER came from.
fn forward_target(target: &Target) -> Option<ForwardTarget> {
    match target {
        Target::Uri(uri) => Uri::parse(uri).ok().map(ForwardTarget::new),
        Target::Binding(binding) => {
            let mut forward = ForwardTarget::new(Uri::parse(&binding.contact).ok()?);
            if binding.path.is_empty()
                && let Some(received) = &binding.received
            {
                let rest = received.strip_prefix("sip:")?;
                let (address, transport) = rest.split_once(";transport=").unwrap_or((rest, "udp"));
                let remote: SocketAddr = address.parse().ok()?;
                let mut hop = Destination::new(Transport::parse(transport), remote);
                hop.local = binding.socket.split_once(':').and_then(|(_, own)| own.parse().ok());
                forward.next_hops.push(hop);
            }
            for path in binding.path.split(',').filter(|path| !path.trim().is_empty()) {
                let uri = path.trim().trim_start_matches('<').split('>').next()?;
                forward.routes.push(ngn_sip::header::RouteHeader::new(Uri::parse(uri).ok()?));
            }
            Some(forward)
        }
    }
}

/// What is known of a call when it begins.
fn call_record(incoming: &IncomingRequest, payer: String) -> Cdr {
    let request = &incoming.request;
    let text = |name: &str| {
        request.field_named(name).map(|f| f.unfolded().into_owned()).unwrap_or_default()
    };
    let from = request.from_header().ok();
    let from_aor = from.as_ref().and_then(|from| from.uri().aor());
    let uri = request.request_uri().map(ToString::to_string).unwrap_or_default();
    Cdr {
        session_id: request.call_id().unwrap_or_default().to_owned(),
        from_tag: from.as_ref().and_then(|from| from.tag()).unwrap_or_default().to_owned(),
        to_tag: String::new(),
        username: payer.clone(),
        billing_party: payer,
        realm: from_aor.as_ref().map(|aor| aor.domain().to_string()).unwrap_or_default(),
        from_uri: from_aor.map(|aor| aor.to_string()).unwrap_or_default(),
        from_header: text("From"),
        to_uri: uri.trim_start_matches("sip:").to_owned(),
        canonical_uri: String::new(),
        translated_uri: String::new(),
        method: "INVITE".to_owned(),
        status: 0,
        started_at: 0,
        stopped_at: None,
        application: "audio".to_owned(),
        codecs: String::new(),
        user_agents: text("User-Agent"),
        rpid: String::new(),
        source_ip: incoming.source.remote.ip().to_string(),
        source_port: incoming.source.remote.port(),
        proxy_ip: incoming.source.local.ip().to_string(),
        billing_id: String::new(),
        enum_tld: String::new(),
        contact: text("Contact"),
        delay: 0,
    }
}

fn seconds(begun: Instant) -> u32 {
    u32::try_from(begun.elapsed().as_secs()).unwrap_or(u32::MAX)
}

/// Milliseconds since 1970 UTC.
fn wall_clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
