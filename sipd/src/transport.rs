//! Sockets: octets in, octets out. No SIP rule stands here but where one message of a stream ends.
//!
//! Tasks read; what they read arrives at the engine as [`Arrival`]s through one bounded queue. The engine owns
//! [`Transports`] and sends through it: UDP at once, TCP through a bounded queue per connection, so that a peer
//! that does not read costs a limited amount of memory and then its connection.
//!
//! ```text
//!  udp socket ──recv task──▶┐                  ┌──▶ udp socket (sent at once)
//!  tcp accept ──task────────┤ Arrival          │
//!  tcp read   ──task────────┴────▶ engine ─────┴──▶ tcp write task ──▶ socket
//! ```

use crate::config::{Limits, Listen};
use bytes::Bytes;
use ngn_sip::framing::{Frame, Framer, PONG};
use ngn_sip::message::Malformed;
use ngn_sip::stack::SendId;
use socket2::{Domain, Socket, Type};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How many messages may wait for a slow TCP peer before its connection is given up.
const WRITE_QUEUE: usize = 256;
/// How often ports that the system chooses are tried until UDP and TCP have the same.
const PORT_ATTEMPTS: u32 = 16;
/// How long a connection attempt may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// How long a peer may take to accept what we write.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the rest of a message may take to come once it has begun (timer F of RFC 3261).
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(32);
/// How long and how much is read and thrown away on a connection that we close, so that our last words are not
/// lost with it.
const LINGER: (Duration, usize) = (Duration::from_secs(2), 1 << 20);

/// A connection. No two ever have the same, not even after a restart: Record-Route holds them.
pub type ConnectionId = u64;

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
    Closed(ConnectionId),
    /// A connection that we wanted could not be made.
    Unreachable {
        /// Where to.
        remote: SocketAddr,
    },
}

/// One end of an open connection.
#[derive(Debug)]
pub struct Connection {
    /// Its number.
    pub id: ConnectionId,
    /// Our address.
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
    writer: mpsc::Sender<Bytes>,
    /// Ends both of its tasks.
    gone: CancellationToken,
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
    tcp: Vec<SocketAddr>,
    connections: BTreeMap<ConnectionId, Connection>,
    by_remote: BTreeMap<SocketAddr, ConnectionId>,
    /// Messages for peers to whom a connection is being made.
    connecting: BTreeMap<SocketAddr, Vec<(Bytes, Option<SendId>)>>,
    shared: Shared,
}

/// What the tasks of one process share.
#[derive(Debug, Clone)]
struct Shared {
    arrivals: mpsc::Sender<Arrival>,
    limits: Arc<Limits>,
    next_id: Arc<AtomicU64>,
    open: Arc<Open>,
    shutdown: CancellationToken,
}

/// How many connections are open. Asked when one opens or ends, never for a message.
#[derive(Debug, Default)]
struct Open {
    by_address: Mutex<(usize, HashMap<IpAddr, usize>)>,
}

/// A connection's place among those that may be open.
#[derive(Debug)]
struct Place {
    open: Arc<Open>,
    address: IpAddr,
}

impl Open {
    /// Takes a place, when there is one.
    fn enter(self: &Arc<Self>, address: IpAddr, limits: &Limits) -> Option<Place> {
        let mut counts = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let (total, by_address) = &mut *counts;
        let here = by_address.get(&address).copied().unwrap_or(0);
        if *total >= limits.connections || here >= limits.connections_per_address {
            return None;
        }
        *total += 1;
        by_address.insert(address, here + 1);
        Some(Place { open: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.open.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        counts.0 = counts.0.saturating_sub(1);
        let left = counts.1.get(&self.address).map_or(0, |here| here.saturating_sub(1));
        if left == 0 {
            counts.1.remove(&self.address);
        } else {
            counts.1.insert(self.address, left);
        }
    }
}

impl Transports {
    /// Binds every address and starts to read. Arrivals come on `arrivals`.
    ///
    /// # Errors
    ///
    /// The address that could not be bound, with the system's reason.
    pub async fn bind(
        listen: &Listen,
        limits: &Limits,
        arrivals: mpsc::Sender<Arrival>,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Self> {
        let shared = Shared {
            arrivals,
            limits: Arc::new(limits.clone()),
            next_id: Arc::new(AtomicU64::new(first_id()?)),
            open: Arc::default(),
            shutdown,
        };
        let mut attempts = 1;
        let (udp, listeners) = loop {
            match bind_all(listen, limits).await {
                Ok(bound) => break bound,
                // The system chose a UDP port whose TCP twin somebody else has.
                Err(_) if attempts < PORT_ATTEMPTS && listen.udp.iter().any(|a| a.port() == 0) => {
                    attempts += 1;
                }
                Err(error) => return Err(error),
            }
        };
        let mut tcp = Vec::new();
        for (local, socket) in &udp {
            tokio::spawn(read_datagrams(*local, Arc::clone(socket), shared.clone()));
        }
        for listener in listeners {
            tcp.push(listener.local_addr()?);
            tokio::spawn(accept(listener, shared.clone()));
        }
        Ok(Self {
            udp,
            tcp,
            connections: BTreeMap::new(),
            by_remote: BTreeMap::new(),
            connecting: BTreeMap::new(),
            shared,
        })
    }

    /// The UDP addresses that are bound, with their real ports.
    pub fn udp_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.udp.iter().map(|(address, _)| *address)
    }

    /// The TCP addresses that are bound, with their real ports.
    pub fn tcp_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.tcp.iter().copied()
    }

    /// An open connection.
    #[must_use]
    pub fn connection(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections.get(&id)
    }

    /// Sends a datagram, from `local` when that is one of our sockets, else from the first one of the family.
    pub fn send_datagram(
        &self,
        local: Option<SocketAddr>,
        remote: SocketAddr,
        octets: &[u8],
    ) -> Result<(), SendError> {
        let own = |address: &SocketAddr| Some(*address) == local;
        let family = |address: &SocketAddr| address.is_ipv4() == remote.is_ipv4();
        let (_, socket) = self
            .udp
            .iter()
            .find(|(address, _)| own(address) && family(address))
            .or_else(|| self.udp.iter().find(|(address, _)| family(address)))
            .ok_or(SendError::NoSocket)?;
        match socket.try_send_to(octets, remote) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(SendError::Full),
            Err(error) => Err(SendError::System(error.kind())),
        }
    }

    /// Sends on an open connection.
    pub fn send_on(&mut self, id: ConnectionId, octets: Bytes) -> Result<(), SendError> {
        let connection = self.connections.get(&id).ok_or(SendError::Gone)?;
        if connection.writer.try_send(octets).is_ok() {
            return Ok(());
        }
        connection.gone.cancel();
        self.closed(id);
        Err(SendError::Gone)
    }

    /// Sends to an address by TCP: on a connection that is open to it, or on a new one.
    ///
    /// When the new one cannot be made, [`Arrival::Unreachable`] says so later, and [`unreachable`](Self::unreachable)
    /// gives the ids of what was not sent.
    pub fn send_stream(
        &mut self,
        remote: SocketAddr,
        octets: Bytes,
        id: Option<SendId>,
    ) -> Result<(), SendError> {
        if let Some(open) = self.by_remote.get(&remote).copied()
            && self.send_on(open, octets.clone()).is_ok()
        {
            return Ok(());
        }
        if self.tcp.is_empty() {
            return Err(SendError::NoSocket);
        }
        if let Some(waiting) = self.connecting.get_mut(&remote) {
            if waiting.len() >= WRITE_QUEUE {
                return Err(SendError::Gone);
            }
            waiting.push((octets, id));
            return Ok(());
        }
        if self.connecting.len() >= self.shared.limits.connections {
            return Err(SendError::Gone);
        }
        self.connecting.insert(remote, vec![(octets, id)]);
        tokio::spawn(connect(remote, self.shared.clone()));
        Ok(())
    }

    /// Takes note of a connection that is there now, and sends what waited for it.
    pub fn opened(&mut self, connection: Connection) {
        for (octets, _) in self.connecting.remove(&connection.remote).unwrap_or_default() {
            // The queue is as long as what may wait.
            let _ = connection.writer.try_send(octets);
        }
        self.by_remote.insert(connection.remote, connection.id);
        self.connections.insert(connection.id, connection);
    }

    /// Forgets a connection.
    pub fn closed(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.remove(&id)
            && self.by_remote.get(&connection.remote) == Some(&id)
        {
            self.by_remote.remove(&connection.remote);
        }
    }

    /// Forgets what waited for a connection that could not be made, and tells whose it was.
    pub fn unreachable(&mut self, remote: SocketAddr) -> Vec<SendId> {
        let waiting = self.connecting.remove(&remote).unwrap_or_default();
        waiting.into_iter().filter_map(|(_, id)| id).collect()
    }

    /// How many connections are open.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.connections.len()
    }
}

/// Binds every address once; a TCP address with port 0 takes the port of its UDP twin.
async fn bind_all(
    listen: &Listen,
    limits: &Limits,
) -> anyhow::Result<(Vec<(SocketAddr, Arc<UdpSocket>)>, Vec<TcpListener>)> {
    use anyhow::Context as _;
    let mut udp = Vec::new();
    for address in &listen.udp {
        let socket = udp_socket(*address, limits.receive_buffer)
            .with_context(|| format!("cannot listen on udp:{address} (listen.udp)"))?;
        udp.push((socket.local_addr()?, Arc::new(socket)));
    }
    let mut listeners = Vec::new();
    for (index, address) in listen.tcp.iter().enumerate() {
        let mut address = *address;
        if address.port() == 0
            && let Some((twin, _)) = udp.get(index)
        {
            address.set_port(twin.port());
        }
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on tcp:{address} (listen.tcp)"))?;
        listeners.push(listener);
    }
    Ok((udp, listeners))
}

/// Somewhere in half of all numbers, so that no number comes twice in any number of restarts.
fn first_id() -> anyhow::Result<ConnectionId> {
    let mut octets = [0; 8];
    getrandom::fill(&mut octets)
        .map_err(|_| anyhow::anyhow!("the system has no random numbers"))?;
    Ok(u64::from_be_bytes(octets) >> 1)
}

fn udp_socket(address: SocketAddr, receive_buffer: usize) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A burst must wait in the kernel rather than be lost; the system caps what it grants.
    socket.set_recv_buffer_size(receive_buffer)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

async fn read_datagrams(local: SocketAddr, socket: Arc<UdpSocket>, shared: Shared) {
    let mut buffer = vec![0; 65_535];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut buffer) => received,
            () = shared.shutdown.cancelled() => return,
        };
        match received {
            Ok((length, remote)) => {
                let octets = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
                if shared.arrivals.send(Arrival::Datagram { local, remote, octets }).await.is_err()
                {
                    return;
                }
            }
            // An ICMP error of an earlier send surfaces here; it says nothing about the socket.
            Err(error) => {
                tracing::debug!(kind = ?error.kind(), "udp receive failed");
                tokio::task::yield_now().await;
            }
        }
    }
}

async fn accept(listener: TcpListener, shared: Shared) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.shutdown.cancelled() => return,
        };
        match accepted {
            Ok((stream, remote)) => match shared.open.enter(remote.ip(), &shared.limits) {
                Some(place) => start(stream, remote, place, &shared).await,
                None => tracing::warn!("too many connections, or too many from one address"),
            },
            // Out of file descriptors, mostly: wait for some to come back.
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "accept failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connect(remote: SocketAddr, shared: Shared) {
    if let Some(place) = shared.open.enter(remote.ip(), &shared.limits)
        && let Ok(Ok(stream)) =
            tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(remote)).await
    {
        return start(stream, remote, place, &shared).await;
    }
    let _ = shared.arrivals.send(Arrival::Unreachable { remote }).await;
}

/// Announces a connection and starts its two tasks.
async fn start(stream: TcpStream, remote: SocketAddr, place: Place, shared: &Shared) {
    let Ok(local) = stream.local_addr() else {
        let _ = shared.arrivals.send(Arrival::Unreachable { remote }).await;
        return;
    };
    let _ = stream.set_nodelay(true);
    let id = shared.next_id.fetch_add(1, Ordering::Relaxed);
    let (writer, queue) = mpsc::channel(WRITE_QUEUE);
    let (read, write) = stream.into_split();
    let gone = shared.shutdown.child_token();
    let connection = Connection { id, local, remote, writer: writer.clone(), gone: gone.clone() };
    if shared.arrivals.send(Arrival::Opened(connection)).await.is_err() {
        return;
    }
    tokio::spawn(write_queue(write, queue, gone.clone()));
    tokio::spawn(read_until_end(id, read, writer, shared.clone(), gone, place));
}

/// Why reading ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The peer closed, was idle for too long, or does not read.
    Peer,
    /// What came is no SIP.
    Malformed,
}

async fn read_until_end(
    id: ConnectionId,
    mut read: OwnedReadHalf,
    writer: mpsc::Sender<Bytes>,
    shared: Shared,
    gone: CancellationToken,
    place: Place,
) {
    let end = read_stream(id, &mut read, &writer, &shared, &gone).await;
    // The engine drops its end of the queue now; then what waits in it is written, and the connection closed.
    drop(writer);
    let _ = shared.arrivals.send(Arrival::Closed(id)).await;
    if end == End::Malformed {
        // Octets that nobody read would make the system reset the connection, and the answer might be lost.
        let _ = tokio::time::timeout(LINGER.0, async {
            let (mut buffer, mut dropped) = (vec![0; 4096], 0);
            while dropped < LINGER.1 {
                match read.read(&mut buffer).await {
                    Ok(length) if length > 0 => dropped += length,
                    Ok(_) | Err(_) => return,
                }
            }
        })
        .await;
    }
    drop(place);
}

async fn read_stream(
    id: ConnectionId,
    read: &mut OwnedReadHalf,
    writer: &mpsc::Sender<Bytes>,
    shared: &Shared,
    gone: &CancellationToken,
) -> End {
    let mut framer = Framer::new(ngn_sip::message::Limits {
        octets: shared.limits.message_octets,
        ..ngn_sip::message::Limits::default()
    });
    let idle = Duration::from_secs(shared.limits.idle_seconds);
    let mut buffer = vec![0; 16 * 1024];
    let mut deadline = Instant::now() + idle;
    loop {
        let received = tokio::select! {
            received = tokio::time::timeout_at(deadline.into(), read.read(&mut buffer)) => received,
            () = gone.cancelled() => return End::Peer,
        };
        let length = match received {
            Ok(Ok(length)) if length > 0 => length,
            Ok(Ok(_) | Err(_)) | Err(_) => return End::Peer,
        };
        let was_inside = framer.is_inside_message();
        let mut is_whole = false;
        framer.push(buffer.get(..length).unwrap_or_default());
        loop {
            match framer.next_frame() {
                Ok(Some(Frame::Message(octets))) => {
                    is_whole = true;
                    let arrival = Arrival::Message { connection: id, octets };
                    if shared.arrivals.send(arrival).await.is_err() {
                        return End::Peer;
                    }
                }
                // RFC 5626 section 3.5.1: a double CRLF is answered by a single one.
                Ok(Some(Frame::Ping)) => {
                    let _ = writer.try_send(Bytes::from_static(PONG));
                }
                Ok(Some(Frame::Pong)) => {}
                Ok(None) => break,
                Err(fault) => {
                    tracing::debug!(connection = id, %fault, "stream cannot be framed");
                    let fault = Box::new(fault);
                    let arrival = Arrival::Malformed { connection: id, fault };
                    let _ = shared.arrivals.send(arrival).await;
                    return End::Malformed;
                }
            }
        }
        // A message that trickles in does not keep its connection open.
        if !framer.is_inside_message() {
            deadline = Instant::now() + idle;
        } else if !was_inside || is_whole {
            deadline = Instant::now() + idle.min(MESSAGE_TIMEOUT);
        }
    }
}

async fn write_queue(
    mut write: OwnedWriteHalf,
    mut queue: mpsc::Receiver<Bytes>,
    gone: CancellationToken,
) {
    loop {
        let octets = tokio::select! {
            octets = queue.recv() => octets,
            () = gone.cancelled() => return,
        };
        let Some(octets) = octets else {
            let _ = write.shutdown().await;
            return;
        };
        match tokio::time::timeout(WRITE_TIMEOUT, write.write_all(&octets)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => {
                gone.cancel();
                return;
            }
        }
    }
}
