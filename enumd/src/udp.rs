//! Answering datagrams: a thread for each socket, which does nothing else.

mod batch;

use crate::served::{Response, Served};
use crate::transfer::{Asker, Transfers};
use batch::{Batch, MOST};
use ngn_daemon::datagrams::Headers;
use ngn_dns::answer::{Limits, Transport};
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Starts a thread that answers on a socket until `stop` is set. The socket has a read time-out.
///
/// # Errors
///
/// When the system has no more threads, or does not tell the socket's address.
pub(crate) fn start(
    socket: UdpSocket,
    number: usize,
    served: Served,
    transfers: Arc<Transfers>,
    max_udp: u16,
    stop: Arc<AtomicBool>,
) -> io::Result<JoinHandle<()>> {
    let is_ipv4 = socket.local_addr()?.is_ipv4();
    std::thread::Builder::new()
        .name(format!("udp-{number}"))
        .spawn(move || answer(&socket, is_ipv4, &served, &transfers, max_udp, &stop))
}

fn answer(
    socket: &UdpSocket,
    is_ipv4: bool,
    served: &Served,
    transfers: &Transfers,
    max_udp: u16,
    stop: &AtomicBool,
) {
    let limits = Limits { max_udp, transport: Transport::Udp };
    let mut responder = served.responder(limits);
    let (mut batch, mut headers) = (Batch::default(), Headers::new(is_ipv4, MOST));
    // Answers to be sent, and where to.
    let mut answers: Vec<Vec<u8>> = vec![Vec::new(); MOST];
    let mut remotes = Vec::with_capacity(MOST);
    while !stop.load(Ordering::Relaxed) {
        let count = match batch.read(&mut headers, socket) {
            Ok(count) => count,
            Err(error) => {
                match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => responder.rest(),
                    io::ErrorKind::Interrupted => {}
                    kind => {
                        tracing::debug!(?kind, "udp receive failed");
                        std::thread::sleep(Duration::from_millis(1));
                    }
                }
                continue;
            }
        };
        remotes.clear();
        for (query, remote) in (0..count).filter_map(|number| batch.get(number)) {
            // The place of the next answer.
            let Some(answer) = answers.get_mut(remotes.len()) else { break };
            let is_ready = match responder.respond(query, remote.ip(), answer) {
                Response::None => false,
                Response::Message => true,
                Response::Transfer => {
                    let asker = Asker { address: remote.ip(), limits };
                    transfer(query, asker, served, transfers, answer)
                }
            };
            if is_ready {
                remotes.push(remote);
            }
        }
        batch::send(socket, &remotes, &answers);
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
