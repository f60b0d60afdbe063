//! Connections: handshakes, then two tasks for each, one that reads and one that writes.

use super::{
    Arrival, Connection, ConnectionId, Live, Peer, Shared, Stream, WRITE_QUEUE, secure, websocket,
};
use crate::config::Limits;
use bytes::Bytes;
use ngn_sip::framing::{Frame, Framer, PONG};
use socket2::{SockRef, TcpKeepalive};
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::server;
use tokio_tungstenite::WebSocketStream;
use tokio_util::sync::CancellationToken;

/// After how much silence the system asks whether a peer is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// How long the system repeats what a server does not acknowledge until the connection to it counts as broken: whoever calls
/// somebody behind a machine that vanished is told before the transaction ends (RFC 3261 section 17.1.1.2, timer B, 32 s).
const UNACKNOWLEDGED: Duration = Duration::from_secs(8);
/// How long a connection attempt may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// How long a peer may take to accept what we write.
pub(super) const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the rest of a message may take to come once it has begun (timer F of RFC 3261).
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(32);
/// How long and how much is read and thrown away on a connection that we close, so that our last words are not
/// lost with it.
const LINGER: (Duration, usize) = (Duration::from_secs(2), 1 << 20);

/// How many connections are open. Asked when one opens or ends, never for a message.
#[derive(Debug, Default)]
pub(super) struct Open {
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

/// The two ends of a connection, and its place among those that may be open.
#[derive(Debug)]
pub(super) struct Ends {
    local: SocketAddr,
    peer: Peer,
    /// The domains that a client proved to be.
    domains: Vec<String>,
    _place: Place,
}

impl Ends {
    const fn new(local: SocketAddr, peer: Peer, place: Place) -> Self {
        Self { local, peer, domains: Vec::new(), _place: place }
    }
}

pub(super) async fn accept(stream: Stream, listener: TcpListener, shared: Shared) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.shutdown.cancelled() => return,
        };
        match accepted {
            Ok((socket, remote)) => {
                let place = shared.open.enter(remote.ip(), &shared.live.load().limits);
                let (Some(place), Ok(local)) = (place, socket.local_addr()) else {
                    tracing::warn!("too many connections, or too many from one address");
                    continue;
                };
                let ends = Ends::new(local, Peer { stream, remote, name: None }, place);
                keep_alive(&socket);
                if stream == Stream::Tcp {
                    let (read, write) = socket.into_split();
                    start(read, write, ends, &shared).await;
                } else {
                    tokio::spawn(greet(socket, ends, shared.clone()));
                }
            }
            // Out of file descriptors, mostly: wait for some to come back.
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "accept failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Carries out the handshakes of whoever came, in limited time.
async fn greet(socket: TcpStream, ends: Ends, shared: Shared) {
    let live = shared.live.load_full();
    let greeted = tokio::select! {
        greeted = tokio::time::timeout(live.handshake, shake_hands(socket, &ends, &shared, &live)) => greeted,
        () = shared.shutdown.cancelled() => return,
    };
    match greeted {
        Ok(Some(Greeted::Tls(stream, domains))) => {
            let (read, write) = tokio::io::split(*stream);
            start(read, write, Ends { domains, ..ends }, &shared).await;
        }
        Ok(Some(Greeted::Ws(socket))) => websocket::start(*socket, ends, &shared).await,
        Ok(Some(Greeted::Wss(socket))) => websocket::start(*socket, ends, &shared).await,
        Ok(None) | Err(_) => {
            shared.handshakes_failed.inc();
        }
    }
}

/// A connection after its handshakes.
enum Greeted {
    /// With the domains that the client proved to be.
    Tls(Box<server::TlsStream<TcpStream>>, Vec<String>),
    Ws(Box<WebSocketStream<TcpStream>>),
    Wss(Box<WebSocketStream<server::TlsStream<TcpStream>>>),
}

async fn shake_hands(
    socket: TcpStream,
    ends: &Ends,
    shared: &Shared,
    live: &Live,
) -> Option<Greeted> {
    let stream = ends.peer.stream;
    if stream == Stream::Ws {
        let socket = websocket::accept(socket, live).await?;
        return Some(Greeted::Ws(Box::new(socket)));
    }
    match secure::accept(socket, ends.local, &shared.profiles).await {
        Ok((secured, _)) if stream == Stream::Wss => {
            let socket = websocket::accept(secured, live).await?;
            Some(Greeted::Wss(Box::new(socket)))
        }
        Ok((secured, domains)) => Some(Greeted::Tls(Box::new(secured), domains)),
        Err(error) => {
            tracing::debug!(remote = %ends.peer.remote, %error, "no TLS handshake");
            None
        }
    }
}

pub(super) async fn connect(peer: Peer, shared: Shared) {
    let unreachable = peer.clone();
    if try_connect(peer, &shared).await.is_none() {
        let _ = shared.arrivals.send(Arrival::Unreachable { peer: unreachable }).await;
    }
}

async fn try_connect(peer: Peer, shared: &Shared) -> Option<()> {
    let live = shared.live.load_full();
    let place = shared.open.enter(peer.remote.ip(), &live.limits)?;
    let connecting = TcpStream::connect(peer.remote);
    let socket = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await.ok()?.ok()?;
    let local = socket.local_addr().ok()?;
    keep_alive(&socket);
    give_up_soon(&socket);
    if peer.stream != Stream::Tls {
        let (read, write) = socket.into_split();
        start(read, write, Ends::new(local, peer, place), shared).await;
        return Some(());
    }
    let address = peer.remote.ip().to_string();
    let name = peer.name.as_deref().unwrap_or(&address);
    let securing = secure::connect(socket, name, &shared.profiles);
    match tokio::time::timeout(live.handshake.min(CONNECT_TIMEOUT), securing).await {
        Ok(Ok(secured)) => {
            let (read, write) = tokio::io::split(secured);
            start(read, write, Ends::new(local, peer, place), shared).await;
            Some(())
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, remote = %peer.remote, server = name, "no TLS handshake with a server");
            shared.handshakes_failed.inc();
            None
        }
        Err(_) => {
            shared.handshakes_failed.inc();
            None
        }
    }
}

/// Peers that vanished are found out by the system.
fn keep_alive(socket: &TcpStream) {
    let _ = socket.set_nodelay(true);
    let probes = TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE / 4);
    let _ = SockRef::from(socket).set_tcp_keepalive(&probes);
}

/// Servers are always there or gone; phones may be out of reach for a while, and are given that time.
fn give_up_soon(socket: &TcpStream) {
    #[cfg(target_os = "linux")]
    let _ = SockRef::from(socket).set_tcp_user_timeout(Some(UNACKNOWLEDGED));
    #[cfg(not(target_os = "linux"))]
    let _ = (socket, UNACKNOWLEDGED);
}

/// A connection that the engine knows of.
pub(super) struct Opened {
    pub(super) id: ConnectionId,
    pub(super) writer: mpsc::Sender<Bytes>,
    pub(super) queue: mpsc::Receiver<Bytes>,
    pub(super) gone: CancellationToken,
}

/// Tells the engine of a connection; `None` when it is gone.
pub(super) async fn announce(ends: &Ends, shared: &Shared) -> Option<Opened> {
    let id = shared.next_id.fetch_add(1, Ordering::Relaxed);
    let (writer, queue) = mpsc::channel(WRITE_QUEUE);
    let gone = shared.shutdown.child_token();
    let connection = Connection {
        id,
        local: ends.local,
        peer: ends.peer.clone(),
        domains: ends.domains.clone(),
        aliases: Vec::new(),
        writer: writer.clone(),
        gone: gone.clone(),
        sent: VecDeque::new(),
    };
    shared.arrivals.send(Arrival::Opened(connection)).await.ok()?;
    Some(Opened { id, writer, queue, gone })
}

/// Announces a connection and starts its two tasks.
async fn start<R, W>(read: R, write: W, ends: Ends, shared: &Shared)
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let Some(opened) = announce(&ends, shared).await else { return };
    tokio::spawn(write_queue(write, opened.queue, opened.gone.clone()));
    tokio::spawn(read_until_end(opened.id, read, opened.writer, shared.clone(), opened.gone, ends));
}

/// Why reading ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The peer closed, was idle for too long, or does not read.
    Peer,
    /// The system says that it is broken.
    Broken,
    /// What came is no SIP.
    Malformed,
}

async fn read_until_end<R: AsyncRead + Unpin>(
    id: ConnectionId,
    mut read: R,
    writer: mpsc::Sender<Bytes>,
    shared: Shared,
    gone: CancellationToken,
    ends: Ends,
) {
    let end = read_stream(id, &mut read, &writer, &shared, &gone).await;
    // The engine drops its end of the queue now; then what waits in it is written, and the connection closed.
    drop(writer);
    let is_broken = end == End::Broken;
    let _ = shared.arrivals.send(Arrival::Closed { connection: id, is_broken }).await;
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
    drop(ends);
}

async fn read_stream<R: AsyncRead + Unpin>(
    id: ConnectionId,
    read: &mut R,
    writer: &mpsc::Sender<Bytes>,
    shared: &Shared,
    gone: &CancellationToken,
) -> End {
    let mut framer = Framer::new(ngn_sip::message::Limits {
        octets: shared.live.load().limits.message_octets,
        ..ngn_sip::message::Limits::default()
    });
    let idle = || Duration::from_secs(shared.live.load().limits.idle_seconds);
    let mut buffer = vec![0; 16 * 1024];
    let mut deadline = Instant::now() + idle();
    loop {
        let received = tokio::select! {
            received = tokio::time::timeout_at(deadline.into(), read.read(&mut buffer)) => received,
            () = gone.cancelled() => return End::Peer,
        };
        let length = match received {
            Ok(Ok(length)) if length > 0 => length,
            Ok(Err(_)) => return End::Broken,
            Ok(Ok(_)) | Err(_) => return End::Peer,
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
            deadline = Instant::now() + idle();
        } else if !was_inside || is_whole {
            deadline = Instant::now() + idle().min(MESSAGE_TIMEOUT);
        }
    }
}

async fn write_queue<W: AsyncWrite + Unpin>(
    mut write: W,
    mut queue: mpsc::Receiver<Bytes>,
    gone: CancellationToken,
) {
    loop {
        let octets = tokio::select! {
            // What waits is written before the end.
            biased;
            octets = queue.recv() => octets,
            () = gone.cancelled() => return,
        };
        let Some(octets) = octets else {
            let _ = tokio::time::timeout(WRITE_TIMEOUT, write.shutdown()).await;
            return;
        };
        let writing = async {
            write.write_all(&octets).await?;
            write.flush().await
        };
        match tokio::time::timeout(WRITE_TIMEOUT, writing).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => {
                gone.cancel();
                return;
            }
        }
    }
}
