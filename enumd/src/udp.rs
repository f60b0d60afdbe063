//! Answering datagrams: a thread for each socket, which does nothing else.

use crate::served::{Responder, Served};
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
    served: &Served,
    max_udp: u16,
    stop: Arc<AtomicBool>,
) -> io::Result<JoinHandle<()>> {
    let responder = served.responder(Limits { max_udp, transport: Transport::Udp });
    std::thread::Builder::new()
        .name(format!("udp-{number}"))
        .spawn(move || answer(&socket, responder, &stop))
}

fn answer(socket: &UdpSocket, mut responder: Responder, stop: &AtomicBool) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    while !stop.load(Ordering::Relaxed) {
        match socket.recv_from(&mut buffer) {
            Ok((length, remote)) => {
                let query = buffer.get(..length).unwrap_or_default();
                if let Some(answer) = responder.respond(query) {
                    // A full send buffer loses the answer, as the network might.
                    let _ = socket.send_to(answer, remote);
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
