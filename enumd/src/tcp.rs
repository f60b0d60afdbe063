//! Answering on connections (RFC 7766): queries of a connection one after the other, each with its length before it.
//!
//! A connection costs one query, its answers and what the system buffers. A client must send each query whole and take
//! its answers within the idle time, or the connection ends. All connections together, and those of one address, are
//! limited (RFC 7766 section 6.2.2).

use crate::https::{self, Speaker};
use crate::served::{Response, Served};
use crate::tls::Certificate;
use crate::transfer::{Asker, Transfers};
use crate::via::Via;
use ngn_dns::answer::{Limits, Transport};
use rustls::ServerConfig;
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

/// Answers to pipelined queries are sent together up to about this many octets.
const TOGETHER: usize = 16 * 1024;
/// How much is read at once.
const READ: usize = 4 * 1024;

/// What all connections share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) served: Served,
    pub(crate) transfers: Arc<Transfers>,
    pub(crate) max_udp: u16,
    pub(crate) idle: Duration,
    pub(crate) places: Arc<Places>,
    pub(crate) shutdown: CancellationToken,
}

/// How many connections there are, and how many there may be.
#[derive(Debug)]
pub(crate) struct Places {
    limit: usize,
    limit_per_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_address: BTreeMap<IpAddr, usize>,
}

/// The place of one connection; dropping it gives it back.
#[derive(Debug)]
struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

impl Places {
    pub(crate) fn new(limit: usize, limit_per_address: usize) -> Self {
        Self { limit, limit_per_address, taken: Mutex::default() }
    }

    fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let here = taken.by_address.get(&address).copied().unwrap_or(0);
        if taken.all >= self.limit || here >= self.limit_per_address {
            return None;
        }
        taken.all += 1;
        taken.by_address.insert(address, here + 1);
        Some(Place { places: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        if let Some(here) = taken.by_address.get_mut(&self.address) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

/// What is spoken on connections.
#[derive(Debug, Clone)]
pub(crate) enum Speech {
    /// DNS (RFC 7766).
    Plain,
    /// DNS within TLS (RFC 7858).
    Tls(Certificate),
    /// DNS within HTTP.
    Https(Speaker),
}

/// Accepts and answers until the shutdown; connections end with it. TLS has to stand within the idle time.
pub(crate) async fn serve(listener: TcpListener, shared: Shared, speech: Speech) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = shared.shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, remote)) => {
                let Some(place) = shared.places.take(remote.ip()) else {
                    shared.served.metrics.count_refused_connection();
                    continue;
                };
                let (shared, speech) = (shared.clone(), speech.clone());
                connections.spawn(async move {
                    tokio::select! {
                        _ = greet(stream, remote.ip(), &shared, speech) => {}
                        () = shared.shutdown.cancelled() => {}
                    }
                    drop(place);
                });
            }
            // Out of file descriptors, mostly: wait for some to come back.
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "accept failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    connections.shutdown().await;
}

/// Answers on a connection as it is spoken there.
async fn greet(
    stream: TcpStream,
    remote: IpAddr,
    shared: &Shared,
    speech: Speech,
) -> io::Result<()> {
    let _ = stream.set_nodelay(true);
    match speech {
        Speech::Plain => {
            let (read, write) = stream.into_split();
            converse(read, write, remote, shared, Via::Tcp).await
        }
        Speech::Tls(certificate) => {
            let stream = handshake(stream, certificate.dot(), shared).await?;
            let (read, write) = tokio::io::split(stream);
            converse(read, write, remote, shared, Via::Tls).await
        }
        Speech::Https(speaker) => https::converse(stream, remote, shared, speaker).await,
    }
}

/// Speaks TLS on a connection.
pub(crate) async fn handshake(
    stream: TcpStream,
    config: Option<Arc<ServerConfig>>,
    shared: &Shared,
) -> io::Result<TlsStream<TcpStream>> {
    let config = config.ok_or_else(|| io::Error::other("no certificate"))?;
    let handshake = timeout(shared.idle, TlsAcceptor::from(config).accept(stream)).await;
    let stream = handshake.map_err(io::Error::from).and_then(|accepted| accepted);
    shared.served.metrics.count_handshake(stream.is_ok());
    stream
}

/// Answers until the client ends, is too slow or sends what is no query.
async fn converse(
    read: impl AsyncRead + Unpin,
    mut write: impl AsyncWrite + Unpin,
    remote: IpAddr,
    shared: &Shared,
    via: Via,
) -> io::Result<()> {
    let mut read = BufReader::with_capacity(READ, read);
    let limits = Limits { max_udp: shared.max_udp, transport: Transport::Tcp };
    let mut responder = shared.served.responder(limits).over(via);
    let (mut query, mut answer, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        if timeout(shared.idle, read_message(&mut read, &mut query)).await??.is_none() {
            break;
        }
        match responder.respond(&query, remote, &mut answer) {
            Response::None => break,
            Response::Message => {
                if !append(&answer, &mut answers) {
                    break;
                }
            }
            Response::Transfer => {
                // The zone as it is now, held until the last message is out.
                let (zones, mut held) = (shared.served.zones(), None);
                let asker = Asker { address: remote, limits };
                let Some(mut transfer) = shared.transfers.begin(&query, &zones, asker, &mut held)
                else {
                    break;
                };
                while let Some(message) = transfer.next() {
                    if !append(message, &mut answers) {
                        break;
                    }
                    if answers.len() >= TOGETHER {
                        send(&mut write, &mut answers, shared.idle).await?;
                    }
                }
                shared.served.metrics.count_transfer(transfer.end());
                if transfer.is_broken() {
                    break;
                }
            }
        }
        // Wait for more queries only when there is nothing to say (RFC 7766 section 6.2.1.1).
        if read.buffer().is_empty() || answers.len() >= TOGETHER {
            send(&mut write, &mut answers, shared.idle).await?;
        }
    }
    send(&mut write, &mut answers, shared.idle).await
}

/// Reads a message; `None` at the end of the stream. Memory grows with what comes, not with what is announced.
pub(crate) async fn read_message<R: AsyncRead + Unpin>(
    read: &mut BufReader<R>,
    query: &mut Vec<u8>,
) -> io::Result<Option<()>> {
    query.clear();
    let mut length = [0; 2];
    match read.read_exact(&mut length).await {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u16::from_be_bytes(length);
    let whole = read.take(length.into()).read_to_end(query).await?;
    Ok((whole == usize::from(length)).then_some(()))
}

/// Appends a message with its length; `false` when it is too long, which ends the connection.
fn append(message: &[u8], answers: &mut Vec<u8>) -> bool {
    let Ok(length) = u16::try_from(message.len()) else { return false };
    answers.extend_from_slice(&length.to_be_bytes());
    answers.extend_from_slice(message);
    true
}

async fn send(
    write: &mut (impl AsyncWrite + Unpin),
    answers: &mut Vec<u8>,
    limit: Duration,
) -> io::Result<()> {
    if !answers.is_empty() {
        timeout(limit, async {
            write.write_all(answers).await?;
            // TLS keeps back what it has not sent yet.
            write.flush().await
        })
        .await??;
        answers.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_for_all_and_for_each_address() {
        let places = Arc::new(Places::new(3, 2));
        let [a, b] = [IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2])];
        let first = places.take(a).expect("a place");
        let _second = places.take(a).expect("a second place");
        assert!(places.take(a).is_none(), "two for each address");
        let third = places.take(b).expect("a place for another");
        assert!(places.take(b).is_none(), "three in all");
        drop(third);
        drop(first);
        let _again = places.take(a).expect("a place that came back");
        assert_eq!(places.taken.lock().expect("no panic").by_address.len(), 1);
    }
}
