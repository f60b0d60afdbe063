//! Sockets: octets in, octets out. No SIP rule stands here but where one message of a stream ends.
//!
//! Streams are TCP, TLS, WebSocket (RFC 7118) and both together; handshakes are made by tasks of their own, in limited
//! time, before anybody hears of the connection.
//!
//! Tasks read; what they read arrives at the engine as [`Arrival`]s through two bounded queues ([`Lanes`]). The engine owns
//! [`Transports`] and sends through it: UDP in one go for each round of it, TCP through a bounded queue per connection, so that a peer
//! that does not read costs a limited amount of memory and then its connection.
//!
//! ```text
//!  udp socket ──recv task──▶┐                  ┌──▶ udp socket (sent together)
//!  accept, handshake ─task──┤ Arrival          │
//!  stream read ──task───────┴────▶ engine ─────┴──▶ stream write task ──▶ socket
//! ```

mod datagrams;
mod fates;
mod lanes;
mod listen;
mod outbox;
mod secure;
mod sieve;
mod stream;
mod websocket;

use crate::config::{Config, Limits, WebSocket};
use crate::tls::Profiles;
use arc_swap::ArcSwap;
use bytes::Bytes;
pub use lanes::{EmergencyNumbers, Lanes, Overload, Receivers, Waiting};
use listen::{Bound, bind_all};
use ngn_sip::header::Transport;
use ngn_sip::message::Malformed;
use ngn_sip::stack::SendId;
use outbox::Datagram;
use prometheus_client::metrics::counter::Counter;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};
use stream::{Open, accept, connect};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How many messages may wait for a slow peer before its connection is given up.
const WRITE_QUEUE: usize = 256;
/// For how long it may be unknown whether what was sent on a connection has arrived: a little longer than it takes until the
/// connection counts as broken.
const IN_DOUBT: Duration = Duration::from_secs(10);
/// For how many names and ports a connection is used at most.
const MOST_ALIASES: usize = 16;
/// How often ports that the system chooses are tried until UDP and TCP have the same.
const PORT_ATTEMPTS: u32 = 16;

/// A connection. No two ever have the same, not even after a restart: Record-Route holds them.
pub type ConnectionId = u64;

/// A kind of connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket.
    Ws,
    /// WebSocket over TLS.
    Wss,
}

impl Stream {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tcp, Self::Tls, Self::Ws, Self::Wss];

    /// The kind of a SIP transport; `None` for those that need no connection.
    #[must_use]
    pub const fn of(transport: &Transport) -> Option<Self> {
        match transport {
            Transport::Tcp => Some(Self::Tcp),
            Transport::Tls => Some(Self::Tls),
            Transport::Ws => Some(Self::Ws),
            Transport::Wss => Some(Self::Wss),
            Transport::Udp | Transport::Sctp | Transport::Other(_) => None,
        }
    }

    /// The SIP transport.
    #[must_use]
    pub const fn transport(self) -> Transport {
        match self {
            Self::Tcp => Transport::Tcp,
            Self::Tls => Transport::Tls,
            Self::Ws => Transport::Ws,
            Self::Wss => Transport::Wss,
        }
    }
}

/// Whom a connection leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    /// Its kind.
    pub stream: Stream,
    /// The other end's address.
    pub remote: SocketAddr,
    /// Who the other end has proved to be by its certificate: set for TLS connections that we made for a name.
    pub name: Option<String>,
}

/// Something that happened on a socket.
#[derive(Debug)]
pub enum Arrival {
    /// A datagram.
    Datagram {
        /// Our address.
        local: SocketAddr,
        /// The sender's address.
        remote: SocketAddr,
        /// Its octets.
        octets: Bytes,
    },
    /// A connection is there, accepted or made by us.
    Opened(Connection),
    /// A whole message came on a connection.
    Message {
        /// On which one.
        connection: ConnectionId,
        /// Its octets.
        octets: Bytes,
    },
    /// What came on a connection is no SIP; it ends after the answer that the fault may hold.
    Malformed {
        /// On which one.
        connection: ConnectionId,
        /// What is wrong.
        fault: Box<Malformed>,
    },
    /// A connection is gone.
    Closed {
        /// Which one.
        connection: ConnectionId,
        /// It ended with an error: what was sent on it last may not have arrived.
        is_broken: bool,
    },
    /// A connection that we wanted could not be made.
    Unreachable {
        /// Where to.
        peer: Peer,
    },
}

/// One end of an open connection.
#[derive(Debug)]
pub struct Connection {
    /// Its number.
    pub id: ConnectionId,
    /// Our address.
    pub local: SocketAddr,
    /// The other end.
    pub peer: Peer,
    /// The domains that a client proved to be by its certificate.
    domains: Vec<String>,
    /// For whom it is used beside its peer.
    aliases: Vec<Peer>,
    writer: mpsc::Sender<Bytes>,
    /// Ends both of its tasks.
    gone: CancellationToken,
    /// Requests that were sent on it lately, oldest first.
    sent: VecDeque<(Instant, SendId)>,
}

impl Connection {
    /// Takes note of a request that is sent.
    fn note(&mut self, id: SendId) {
        let now = Instant::now();
        let is_old = |(at, _): &(Instant, SendId)| now.saturating_duration_since(*at) > IN_DOUBT;
        while self.sent.len() >= WRITE_QUEUE || self.sent.front().is_some_and(is_old) {
            self.sent.pop_front();
        }
        self.sent.push_back((now, id));
    }
}

/// Why something was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The socket's buffer is full; a datagram is simply lost, as on the network.
    #[error("the socket's send buffer is full")]
    Full,
    /// The peer does not read, or the connection is gone.
    #[error("the connection is gone or its peer does not read")]
    Gone,
    /// There is no socket of that protocol or address family.
    #[error("no socket of ours can reach that address")]
    NoSocket,
    /// The system refused.
    #[error("the system refused to send ({0:?})")]
    System(io::ErrorKind),
}

/// Every socket of this process, owned by the engine.
#[derive(Debug)]
pub struct Transports {
    udp: Vec<(SocketAddr, Arc<UdpSocket>)>,
    /// Datagrams that wait to be sent together.
    outbox: Vec<Datagram>,
    streams: Vec<(Stream, SocketAddr)>,
    connections: BTreeMap<ConnectionId, Connection>,
    /// How many of them are of each kind.
    open: BTreeMap<Stream, usize>,
    by_peer: BTreeMap<Peer, ConnectionId>,
    /// Messages for peers to whom a connection is being made.
    connecting: BTreeMap<Peer, Vec<(Bytes, Option<SendId>)>>,
    shared: Shared,
}

/// Settings that hold from the next connection on when they change.
#[derive(Debug, Clone)]
pub struct Live {
    limits: Limits,
    websocket: WebSocket,
    /// How long handshakes may take.
    handshake: Duration,
}

impl Live {
    /// Those of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            limits: config.limits.clone(),
            websocket: config.websocket.clone(),
            handshake: Duration::from_secs(config.tls.handshake_seconds),
        }
    }
}

/// What the tasks of one process share.
#[derive(Debug, Clone)]
struct Shared {
    arrivals: Lanes,
    live: Arc<ArcSwap<Live>>,
    profiles: Profiles,
    handshakes_failed: Counter,
    next_id: Arc<AtomicU64>,
    open: Arc<Open>,
    shutdown: CancellationToken,
}

/// What transports need beside their settings.
#[derive(Debug)]
pub struct Around {
    /// Which certificates are shown and believed.
    pub profiles: Profiles,
    /// Where settings change while this process runs.
    pub live: Arc<ArcSwap<Live>>,
    /// Counts handshakes that came to nothing.
    pub handshakes_failed: Counter,
    /// Ends everything.
    pub shutdown: CancellationToken,
}

impl Transports {
    /// Binds every address and starts to read. Arrivals come on `arrivals`.
    ///
    /// # Errors
    ///
    /// The address that could not be bound, with the system's reason.
    pub fn bind(config: &Config, around: Around, arrivals: Lanes) -> anyhow::Result<Self> {
        let shared = Shared {
            arrivals,
            live: around.live,
            profiles: around.profiles,
            handshakes_failed: around.handshakes_failed,
            next_id: Arc::new(AtomicU64::new(first_id()?)),
            open: Arc::default(),
            shutdown: around.shutdown,
        };
        let listen = &config.listen;
        let mut attempts = 1;
        let Bound { udp, listeners } = loop {
            match bind_all(listen, &config.limits) {
                Ok(bound) => break bound,
                // The system chose a UDP port whose TCP twin somebody else has.
                Err(_) if attempts < PORT_ATTEMPTS && listen.udp.iter().any(|a| a.port() == 0) => {
                    attempts += 1;
                }
                Err(error) => return Err(error),
            }
        };
        let mut streams = Vec::new();
        for (local, socket) in &udp {
            let may_drop = config.overload.drop_unread;
            datagrams::start(*local, Arc::clone(socket), shared.clone(), may_drop)?;
        }
        for (stream, listener) in listeners {
            streams.push((stream, listener.local_addr()?));
            tokio::spawn(accept(stream, listener, shared.clone()));
        }
        Ok(Self {
            udp,
            outbox: Vec::new(),
            streams,
            connections: BTreeMap::new(),
            open: BTreeMap::new(),
            by_peer: BTreeMap::new(),
            connecting: BTreeMap::new(),
            shared,
        })
    }

    /// The UDP addresses that are bound, with their real ports.
    pub fn udp_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.udp.iter().map(|(address, _)| *address)
    }

    /// The addresses of one kind of connections that are bound, with their real ports.
    pub fn stream_addresses(&self, stream: Stream) -> impl Iterator<Item = SocketAddr> {
        self.streams.iter().filter(move |(one, _)| *one == stream).map(|(_, address)| *address)
    }

    /// All addresses that are bound, UDP first.
    pub fn addresses(&self) -> impl Iterator<Item = (Transport, SocketAddr)> {
        let udp = self.udp_addresses().map(|address| (Transport::Udp, address));
        udp.chain(self.streams.iter().map(|(stream, address)| (stream.transport(), *address)))
    }

    /// An open connection.
    #[must_use]
    pub fn connection(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections.get(&id)
    }

    /// Puts a datagram into the outbox, from `local` when that is one of our sockets, else from the first one of the
    /// family. [`flush`](Self::flush) sends it; the outbox is bounded by what one round of the engine says.
    pub fn send_datagram(
        &mut self,
        local: Option<SocketAddr>,
        remote: SocketAddr,
        octets: Bytes,
        id: Option<SendId>,
    ) -> Result<(), SendError> {
        let own = |address: &SocketAddr| Some(*address) == local;
        let family = |address: &SocketAddr| address.is_ipv4() == remote.is_ipv4();
        let socket = self
            .udp
            .iter()
            .position(|(address, _)| own(address) && family(address))
            .or_else(|| self.udp.iter().position(|(address, _)| family(address)))
            .ok_or(SendError::NoSocket)?;
        self.outbox.push(Datagram { socket, remote, octets, id });
        Ok(())
    }

    /// Whether the outbox holds as much as is sent at once.
    #[must_use]
    pub fn is_outbox_full(&self) -> bool {
        self.outbox.len() >= outbox::MOST
    }

    /// Sends what is in the outbox; gives what was not sent, with its reason.
    pub fn flush(&mut self) -> Vec<(Option<SendId>, SocketAddr, SendError)> {
        let mut failed = Vec::new();
        let waiting = std::mem::take(&mut self.outbox);
        for some in waiting.chunk_by(|a, b| a.socket == b.socket) {
            let Some((_, socket)) = some.first().and_then(|one| self.udp.get(one.socket)) else {
                continue;
            };
            let mut rest = some;
            loop {
                let (sent, error) = outbox::send(socket, rest);
                let Some(error) = error else { break };
                let Some((lost, others)) = rest.get(sent..).and_then(<[_]>::split_first) else {
                    break;
                };
                failed.push((lost.id, lost.remote, error));
                rest = others;
            }
        }
        // Its room is used again.
        self.outbox = waiting;
        self.outbox.clear();
        failed
    }

    /// Sends on an open connection.
    pub fn send_on(
        &mut self,
        id: ConnectionId,
        octets: Bytes,
        of: Option<SendId>,
    ) -> Result<(), SendError> {
        let connection = self.connections.get_mut(&id).ok_or(SendError::Gone)?;
        if connection.writer.try_send(octets).is_ok() {
            if let Some(of) = of.filter(|of| of.is_request()) {
                connection.note(of);
            }
            return Ok(());
        }
        connection.gone.cancel();
        self.closed(id);
        Err(SendError::Gone)
    }

    /// The connection that is open to a peer; without a name, to whoever is at its address.
    #[must_use]
    pub fn open_to(&self, peer: &Peer) -> Option<ConnectionId> {
        if let Some(open) = self.by_peer.get(peer) {
            return Some(*open);
        }
        if peer.name.is_some() {
            return None;
        }
        let (at, id) = self.by_peer.range(peer..).next()?;
        (at.stream == peer.stream && at.remote == peer.remote).then_some(*id)
    }

    /// Sends to an address: on a connection that is open to it, or on a new one. WebSocket connections are made by their
    /// clients only.
    ///
    /// When the new one cannot be made, [`Arrival::Unreachable`] says so later, and [`unreachable`](Self::unreachable)
    /// gives the ids of what was not sent.
    pub fn send_stream(
        &mut self,
        peer: Peer,
        octets: Bytes,
        id: Option<SendId>,
    ) -> Result<(), SendError> {
        if let Some(open) = self.open_to(&peer)
            && self.send_on(open, octets.clone(), id).is_ok()
        {
            return Ok(());
        }
        if matches!(peer.stream, Stream::Ws | Stream::Wss) {
            return Err(SendError::Gone);
        }
        if self.stream_addresses(peer.stream).next().is_none() {
            return Err(SendError::NoSocket);
        }
        if let Some(waiting) = self.connecting.get_mut(&peer) {
            if waiting.len() >= WRITE_QUEUE {
                return Err(SendError::Gone);
            }
            waiting.push((octets, id));
            return Ok(());
        }
        if self.connecting.len() >= self.shared.live.load().limits.connections {
            return Err(SendError::Gone);
        }
        self.connecting.insert(peer.clone(), vec![(octets, id)]);
        tokio::spawn(connect(peer, self.shared.clone()));
        Ok(())
    }

    /// Takes note of a connection that is there now, and sends what waited for it.
    pub fn opened(&mut self, mut connection: Connection) {
        for (octets, id) in self.connecting.remove(&connection.peer).unwrap_or_default() {
            // The queue is as long as what may wait.
            let _ = connection.writer.try_send(octets);
            if let Some(id) = id.filter(|id| id.is_request()) {
                connection.note(id);
            }
        }
        self.by_peer.insert(connection.peer.clone(), connection.id);
        *self.open.entry(connection.peer.stream).or_default() += 1;
        self.connections.insert(connection.id, connection);
    }

    /// Uses a connection over TLS for requests to the domains that its client proved to be, at its address and this port
    /// (RFC 5923 section 8.2): it was offered. Says whether it was not used so before.
    pub fn alias(&mut self, id: ConnectionId, port: u16) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        let remote = SocketAddr::new(connection.peer.remote.ip().to_canonical(), port);
        let mut is_new = false;
        for domain in &connection.domains {
            let peer = Peer { stream: Stream::Tls, remote, name: Some(domain.clone()) };
            // One that is open goes on being used.
            if connection.aliases.len() < MOST_ALIASES
                && let Entry::Vacant(place) = self.by_peer.entry(peer.clone())
            {
                place.insert(id);
                connection.aliases.push(peer);
                is_new = true;
            }
        }
        is_new
    }

    /// Forgets a connection; gives the requests that were sent on it lately.
    pub fn closed(&mut self, id: ConnectionId) -> Vec<SendId> {
        let Some(Connection { peer, aliases, sent, .. }) = self.connections.remove(&id) else {
            return Vec::new();
        };
        if let Some(open) = self.open.get_mut(&peer.stream) {
            *open = open.saturating_sub(1);
        }
        for peer in aliases.into_iter().chain([peer]) {
            if self.by_peer.get(&peer) == Some(&id) {
                self.by_peer.remove(&peer);
            }
        }
        sent.into_iter().filter(|(at, _)| at.elapsed() <= IN_DOUBT).map(|(_, id)| id).collect()
    }

    /// Forgets what waited for a connection that could not be made, and tells whose it was.
    pub fn unreachable(&mut self, peer: &Peer) -> Vec<SendId> {
        let waiting = self.connecting.remove(peer).unwrap_or_default();
        waiting.into_iter().filter_map(|(_, id)| id).collect()
    }

    /// How many connections of a kind are open.
    #[must_use]
    pub fn open_connections(&self, stream: Stream) -> usize {
        self.open.get(&stream).copied().unwrap_or_default()
    }
}

/// Somewhere in half of all numbers, so that no number comes twice in any number of restarts.
fn first_id() -> anyhow::Result<ConnectionId> {
    let mut octets = [0; 8];
    getrandom::fill(&mut octets)
        .map_err(|_| anyhow::anyhow!("the system has no random numbers"))?;
    Ok(u64::from_be_bytes(octets) >> 1)
}
