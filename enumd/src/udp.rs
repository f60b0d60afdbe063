//! Answering datagrams: a thread for each socket, which does nothing else.

mod batch;
mod pin;
#[cfg(test)]
mod tests;

use crate::served::{Responder, Response, Served};
use crate::transfer::{Asker, Transfers};
use batch::{Batch, MOST};
use ngn_daemon::datagrams::Headers;
use ngn_dns::answer::{Limits, Transport};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

/// How a thread is to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// Its number, which is in its name.
    pub(crate) number: usize,
    /// The processor that it stays on; it goes where the system likes when there is none.
    pub(crate) processor: Option<usize>,
    /// Longest answer, in octets.
    pub(crate) max_udp: u16,
}

/// Starts a thread that answers on a socket until `stop` is set. The socket has a read time-out.
///
/// # Errors
///
/// When the system has no more threads, does not tell the socket's address, or lets the thread not stay on its processor.
pub(crate) fn start(
    socket: UdpSocket,
    place: Place,
    served: Served,
    transfers: Arc<Transfers>,
    stop: Arc<AtomicBool>,
) -> io::Result<JoinHandle<()>> {
    let is_ipv4 = socket.local_addr()?.is_ipv4();
    let (pinned, is_pinned) = sync_channel(1);
    let thread =
        std::thread::Builder::new().name(format!("udp-{}", place.number)).spawn(move || {
            let stays = place.processor.map_or(Ok(()), pin::stay_on);
            let runs = stays.is_ok();
            if pinned.send(stays).is_ok() && runs {
                let limits = Limits { max_udp: place.max_udp, transport: Transport::Udp };
                Worker::new(&socket, is_ipv4, &served, &transfers, limits).run(&stop);
            }
        })?;
    is_pinned.recv().map_err(io::Error::other)??;
    Ok(thread)
}

/// Answers what comes to one socket. Once it has answered something of each kind it needs no memory any more.
struct Worker<'w> {
    socket: &'w UdpSocket,
    served: &'w Served,
    transfers: &'w Transfers,
    limits: Limits,
    responder: Responder,
    batch: Batch,
    headers: Headers,
    /// Answers to be sent, and where to.
    answers: Vec<Vec<u8>>,
    remotes: Vec<SocketAddr>,
}

impl<'w> Worker<'w> {
    fn new(
        socket: &'w UdpSocket,
        is_ipv4: bool,
        served: &'w Served,
        transfers: &'w Transfers,
        limits: Limits,
    ) -> Self {
        // A record that does not fit may be written before it is taken back.
        let room = 2 * usize::from(limits.max_udp);
        Self {
            socket,
            served,
            transfers,
            limits,
            responder: served.responder(limits),
            batch: Batch::default(),
            headers: Headers::new(is_ipv4, MOST),
            answers: (0..MOST).map(|_| Vec::with_capacity(room)).collect(),
            remotes: Vec::with_capacity(MOST),
        }
    }

    fn run(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            let Err(error) = self.round() else { continue };
            match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.responder.rest(),
                io::ErrorKind::Interrupted => {}
                kind => {
                    tracing::debug!(?kind, "udp receive failed");
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
    }

    /// Waits for queries, as long as the socket's time-out says, and answers all that wait then.
    fn round(&mut self) -> io::Result<()> {
        let count = self.batch.read(&mut self.headers, self.socket)?;
        if count > 1 {
            self.responder.look_ahead(self.batch.all());
        }
        self.remotes.clear();
        for (query, remote) in (0..count).filter_map(|number| self.batch.get(number)) {
            // The place of the next answer.
            let Some(answer) = self.answers.get_mut(self.remotes.len()) else { break };
            let is_ready = match self.responder.respond(query, remote.ip(), answer) {
                Response::None => false,
                Response::Message => true,
                Response::Transfer => {
                    let asker = Asker { address: remote.ip(), limits: self.limits };
                    transfer(query, asker, self.served, self.transfers, answer)
                }
            };
            if is_ready {
                self.remotes.push(remote);
            }
        }
        batch::send(self.socket, &self.remotes, &self.answers);
        Ok(())
    }
}

/// A transfer in a datagram: one message, or nothing.
fn transfer(
    query: &[u8],
    asker: Asker,
    served: &Served,
    transfers: &Transfers,
    answer: &mut Vec<u8>,
) -> bool {
    let (zones, mut held) = (served.zones(), None);
    let Some(mut transfer) = transfers.begin(query, &zones, asker, &mut held) else {
        return false;
    };
    let message = transfer.next();
    answer.clear();
    answer.extend_from_slice(message.unwrap_or_default());
    let is_there = message.is_some();
    served.metrics.count_transfer(transfer.end());
    is_there
}
