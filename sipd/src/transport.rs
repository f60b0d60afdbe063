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

mod stream;

use crate::config::{Limits, Listen};
use bytes::Bytes;
use ngn_sip::message::Malformed;
use ngn_sip::stack::SendId;
use socket2::{Domain, Socket, Type};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use stream::{Open, accept, connect};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How many messages may wait for a slow TCP peer before its connection is given up.
const WRITE_QUEUE: usize = 256;
/// How often ports that the system chooses are tried until UDP and TCP have the same.
const PORT_ATTEMPTS: u32 = 16;

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
