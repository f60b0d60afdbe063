//! Datagrams that leave together: one system call for all that one round of the engine has to say.

use super::SendError;
use bytes::Bytes;
use ngn_daemon::datagrams::send_together;
use ngn_sip::stack::SendId;
use std::io;
use std::net::{SocketAddr, UdpSocket};

/// The most datagrams of one system call.
pub(super) const MOST: usize = 64;

/// A datagram on its way.
#[derive(Debug)]
pub(super) struct Datagram {
    /// The place of its socket among ours.
    pub(super) socket: usize,
    pub(super) remote: SocketAddr,
    pub(super) octets: Bytes,
    pub(super) id: Option<SendId>,
}

/// Sends datagrams of one socket; tells how many were sent before the first one that was not, and why it was not.
pub(super) fn send(socket: &UdpSocket, datagrams: &[Datagram]) -> (usize, Option<SendError>) {
    let mut sent = 0;
    while let Some(rest) = datagrams.get(sent..).filter(|rest| !rest.is_empty()) {
        let one = match rest {
            [one] => socket.send_to(&one.octets, one.remote).map(|_| 1),
            some => together(socket, some),
        };
        match one {
            Ok(count) => sent += count.max(1),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return (sent, Some(SendError::Full));
            }
            Err(error) => return (sent, Some(SendError::System(error.kind()))),
        }
    }
    (sent, None)
}

fn together(socket: &UdpSocket, datagrams: &[Datagram]) -> io::Result<usize> {
    let datagrams: Vec<(SocketAddr, &[u8])> =
        datagrams.iter().map(|one| (one.remote, &one.octets[..])).collect();
    send_together(socket, &datagrams)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(remote: SocketAddr, text: &str) -> Datagram {
        let octets = Bytes::copy_from_slice(text.as_bytes());
        Datagram { socket: 0, remote, octets, id: None }
    }

    #[test]
    fn all_arrive_in_order_and_one_that_cannot_be_sent_is_told() {
        let any = "127.0.0.1:0";
        let ours = UdpSocket::bind(any).expect("a socket");
        let peers = [UdpSocket::bind(any), UdpSocket::bind(any)];
        let [a, b] = peers.map(|peer| peer.expect("a socket"));
        let (to_a, to_b) = (a.local_addr().expect("it"), b.local_addr().expect("it"));
        ours.set_nonblocking(true).expect("it is");
        let some = [datagram(to_a, "1"), datagram(to_b, "2"), datagram(to_a, "3")];
        assert_eq!(send(&ours, &some), (3, None));
        assert_eq!(send(&ours, &some[..1]), (1, None));
        assert_eq!(send(&ours, &[]), (0, None));
        let mut buffer = [0; 16];
        let mut received = String::new();
        for peer in [&a, &b, &a, &a] {
            let (length, from) = peer.recv_from(&mut buffer).expect("a datagram");
            assert_eq!(from, ours.local_addr().expect("it"));
            received.push_str(std::str::from_utf8(&buffer[..length]).expect("a digit"));
        }
        assert_eq!(received, "1231");
        // Larger than any datagram.
        let huge = "x".repeat(70_000);
        let some = [datagram(to_a, "4"), datagram(to_a, &huge), datagram(to_b, "5")];
        let (sent, why) = send(&ours, &some);
        assert!(sent == 1 && matches!(why, Some(SendError::System(_))), "{why:?}");
    }
}
