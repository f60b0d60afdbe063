//! Reading datagrams: at once while few come, together while many do.
//!
//! To be woken, and to wake the engine, costs more than most messages do. So while many datagrams come the socket is not
//! waited for: all that came is read once in two milliseconds, by one system call, which costs each message so much
//! at most. What requests wait for anyway is counted in hundreds of them (RFC 3261 section 17.1.1.2, T1).

use super::Shared;
use super::sieve::{Sieve, Tallies, WINDOW};
use ngn_daemon::datagrams::{Batch, Headers};
use ngn_sip::stun;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::Interest;

/// How many datagrams are read by one system call.
const AT_ONCE: usize = 32;
/// The longest datagram that there can be, in octets.
const LONGEST: usize = 65_535;
/// How far apart reads are while many come.
const PAUSE: Duration = Duration::from_millis(2);

/// Whether many datagrams come.
#[derive(Debug)]
struct Tempo {
    /// Since when they are counted.
    since: Instant,
    count: usize,
    is_high: bool,
}

impl Tempo {
    /// How long they are counted.
    const WINDOW: Duration = Duration::from_millis(10);
    /// More than so many in that time are many,
    const MANY: usize = 15;
    /// as long as there are no fewer than these.
    const FEW: usize = 8;

    const fn new(now: Instant) -> Self {
        Self { since: now, count: 0, is_high: false }
    }

    /// Takes note of what was read; whether many come.
    fn note(&mut self, count: usize, now: Instant) -> bool {
        self.count += count;
        let passed = now.saturating_duration_since(self.since);
        if passed >= Self::WINDOW {
            let limit = if self.is_high { Self::FEW } else { Self::MANY };
            // A window in which nothing was read ends late.
            self.is_high = self.count >= limit && passed < Self::WINDOW * 2;
            (self.since, self.count) = (now, 0);
        }
        self.is_high
    }
}

/// What was read last.
type Read = Batch<AT_ONCE, LONGEST>;

/// Starts a thread that reads until shutdown, or until nobody takes what was read. Were it a task beside the engine and others, a
/// flood would fill the socket while those have their turns, and what belongs to calls would be lost with the rest. `may_drop`
/// says whether the system may drop most of a flood unread.
///
/// # Errors
///
/// When the system has no more threads or descriptors.
pub(super) fn start(
    local: SocketAddr,
    socket: Arc<UdpSocket>,
    shared: Shared,
    may_drop: bool,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = std::thread::Builder::new().name(format!("udp-{}", local.port()));
    thread.spawn(move || runtime.block_on(read(local, socket, shared, may_drop))).map(drop)
}

async fn read(local: SocketAddr, socket: Arc<UdpSocket>, shared: Shared, may_drop: bool) {
    let shutdown = shared.shutdown.cancelled();
    tokio::select! {
        () = shutdown => {}
        () = read_on(local, &socket, &shared, may_drop) => {}
    }
}

async fn read_on(local: SocketAddr, socket: &Arc<UdpSocket>, shared: &Shared, may_drop: bool) {
    let overload = shared.arrivals.overload();
    let mut sieve = Sieve::new(Instant::now(), may_drop, Arc::clone(&overload.drops_unread));
    let mut headers = Headers::new(local.is_ipv4(), AT_ONCE);
    let mut batch = Read::default();
    let mut tempo = Tempo::new(Instant::now());
    // What says when there is something to be read. It is not there while many come: it would tell of each, and of room for
    // more to send too.
    let mut watch: Option<tokio::net::UdpSocket> = None;
    loop {
        let mut is_all = if tempo.is_high {
            watch = None;
            // The thread has nothing else to do, and its runtime would take three system calls for this.
            std::thread::sleep(PAUSE);
            read_together(socket, &mut headers, &mut batch)
        } else if let Some(watch) = &watch {
            // Less is dropped as soon as less comes.
            let is_ready = if sieve.is_attached() {
                tokio::time::timeout(WINDOW, watch.readable()).await.unwrap_or(Ok(()))
            } else {
                watch.readable().await
            };
            if is_ready.is_err() {
                return;
            }
            let mut is_all = false;
            // When all is read, what comes later makes the socket ready anew; so much is said with this error.
            let _ = watch.try_io(Interest::READABLE, || {
                is_all = read_together(socket, &mut headers, &mut batch);
                if is_all { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            is_all
        } else {
            match socket.try_clone().and_then(tokio::net::UdpSocket::from_std) {
                Ok(new) => watch = Some(new),
                Err(error) => {
                    tracing::warn!(%error, "cannot wait for datagrams");
                    tokio::time::sleep(Tempo::WINDOW).await;
                }
            }
            continue;
        };
        loop {
            let now = Instant::now();
            tempo.note(batch.len(), now);
            let tallies = sieve.tallies();
            let handed_over = hand_over(local, socket, &batch, shared, now, tallies).await;
            if handed_over.is_err() || shared.shutdown.is_cancelled() {
                return;
            }
            sieve.adjust(socket, &overload.emergency, now);
            if is_all {
                break;
            }
            is_all = read_together(socket, &mut headers, &mut batch);
        }
    }
}

/// Reads what waits; whether that was all.
fn read_together(socket: &UdpSocket, headers: &mut Headers, batch: &mut Read) -> bool {
    match batch.read(headers, socket) {
        Ok(_) => batch.has_all(),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => true,
        // Of something that was sent earlier, perhaps; it says nothing about the socket.
        Err(error) => {
            tracing::debug!(kind = ?error.kind(), "udp receive failed");
            false
        }
    }
}

/// The engine is gone.
struct Gone;

/// Hands over what was read now.
async fn hand_over(
    local: SocketAddr,
    socket: &UdpSocket,
    batch: &Read,
    shared: &Shared,
    now: Instant,
    tallies: &mut Tallies,
) -> Result<(), Gone> {
    for (octets, remote) in (0..batch.len()).map_while(|number| batch.get(number)) {
        if stun::may_be_stun(octets) {
            if let Some(answer) = stun::answer(octets, remote) {
                let _ = socket.send_to(&answer, remote);
            }
            continue;
        }
        match shared.arrivals.send_datagram(local, remote, octets, now, tallies).await {
            Ok(None) => {}
            Ok(Some((to, octets))) => {
                let _ = socket.send_to(&octets, to.remote);
            }
            Err(_) => return Err(Gone),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_told_from_few() {
        let start = Instant::now();
        let mut tempo = Tempo::new(start);
        let at = |millis: u64| start + Duration::from_millis(millis);
        // A registration with its challenge, a call: nobody waits.
        for millis in 0..=40 {
            assert!(!tempo.note(1, at(millis)), "{millis}");
        }
        // 3,000 a second are many, a window later at the latest,
        let high: Vec<bool> = (41..=60).map(|millis| tempo.note(3, at(millis))).collect();
        assert_eq!(high.last(), Some(&true), "{high:?}");
        // and so are 1,000 while it lasts,
        assert!((61..=80).all(|millis| tempo.note(1, at(millis))));
        // but not 500.
        let few: Vec<bool> =
            (81..=120).map(|millis| tempo.note(usize::from(millis % 2 == 0), at(millis))).collect();
        assert_eq!(few.last(), Some(&false), "{few:?}");
        // Many after a silence are not known to be many yet.
        assert!(!tempo.note(30, at(1_000)));
        assert!(!tempo.note(30, at(1_001)));
    }
}
