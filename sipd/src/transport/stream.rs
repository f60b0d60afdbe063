//! Connections: two tasks for each, one that reads and one that writes.

use super::{Arrival, Connection, ConnectionId, Shared, WRITE_QUEUE};
use crate::config::Limits;
use bytes::Bytes;
use ngn_sip::framing::{Frame, Framer, PONG};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long a connection attempt may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// How long a peer may take to accept what we write.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
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

pub(super) async fn accept(listener: TcpListener, shared: Shared) {
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

pub(super) async fn connect(remote: SocketAddr, shared: Shared) {
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
            // What waits is written before the end.
            biased;
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
