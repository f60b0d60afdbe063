//! Answering datagrams: a thread for each socket, which does nothing else.

use crate::served::{Response, Served};
use crate::transfer::{Asker, Transfers};
use ngn_dns::answer::{Limits, Transport};
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Largest datagram.
const MAX_DATAGRAM: usize = 65_535;

/// Starts a thread that answers on a socket until `stop` is set. The socket has a read time-out.
///
/// # Errors
///
/// When the system has no more threads.
pub(crate) fn start(
    socket: UdpSocket,
    number: usize,
    served: Served,
    transfers: Arc<Transfers>,
    max_udp: u16,
    stop: Arc<AtomicBool>,
) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(format!("udp-{number}"))
        .spawn(move || answer(&socket, &served, &transfers, max_udp, &stop))
}

fn answer(
    socket: &UdpSocket,
    served: &Served,
    transfers: &Transfers,
    max_udp: u16,
    stop: &AtomicBool,
) {
    let limits = Limits { max_udp, transport: Transport::Udp };
    let mut responder = served.responder(limits);
    let mut buffer = vec![0; MAX_DATAGRAM];
    while !stop.load(Ordering::Relaxed) {
        match socket.recv_from(&mut buffer) {
            Ok((length, remote)) => {
                let query = buffer.get(..length).unwrap_or_default();
                // A full send buffer loses the answer, as the network might.
                match responder.respond(query, remote.ip()) {
                    Response::None => {}
                    Response::Message(answer) => drop(socket.send_to(answer, remote)),
                    Response::Transfer => {
                        let (zones, mut held) = (served.zones(), None);
                        let asker = Asker { address: remote.ip(), limits };
                        let Some(mut transfer) = transfers.begin(query, &zones, asker, &mut held)
                        else {
                            continue;
                        };
                        if let Some(message) = transfer.next() {
                            let _ = socket.send_to(message, remote);
                        }
                        served.metrics.count_transfer(transfer.end());
                    }
                }
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => responder.rest(),
                io::ErrorKind::Interrupted => {}
                kind => {
                    tracing::debug!(?kind, "udp receive failed");
                    std::thread::sleep(Duration::from_millis(1));
                }
            },
        }
    }
}
