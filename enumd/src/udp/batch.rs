//! Datagrams that wait together are read by one system call, and their answers leave by another one.

use ngn_daemon::datagrams::{Datagrams, send_together};
use std::io;
use std::net::{SocketAddr, UdpSocket};

/// The most datagrams of one system call.
pub(super) const MOST: usize = 64;
/// Octets of a datagram that are read; what is longer is cut, and so makes no sense as a query any more. We say by EDNS that
/// fewer are welcome.
pub(super) const LONGEST: usize = 4096;

/// The datagrams that were read last.
pub(super) type Batch = ngn_daemon::datagrams::Batch<MOST, LONGEST>;

/// Sends as many answers as there are addresses, each to its own. A full send buffer loses answers, as the network might; one that
/// the system does not take does not keep back the others.
pub(super) fn send(socket: &UdpSocket, remotes: &[SocketAddr], answers: &[Vec<u8>]) {
    let mut datagrams = Datagrams::new();
    datagrams.extend(remotes.iter().copied().zip(answers.iter().map(Vec::as_slice)));
    let mut rest = datagrams.as_slice();
    loop {
        let sent = match rest {
            [] => return,
            [(remote, answer)] => {
                drop(socket.send_to(answer, *remote));
                return;
            }
            _ => match send_together(socket, rest) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
                // An error is that of the first one.
                sent => sent.unwrap_or(0).max(1),
            },
        };
        rest = rest.get(sent..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_daemon::datagrams::Headers;
    use std::time::Duration;

    fn socket(any: &str) -> (UdpSocket, SocketAddr) {
        let socket = UdpSocket::bind(any).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a time-out");
        let address = socket.local_addr().expect("its address");
        (socket, address)
    }

    /// All datagrams that come to a socket until none comes for a while.
    fn all(socket: &UdpSocket) -> Vec<(Vec<u8>, SocketAddr)> {
        let is_ipv4 = socket.local_addr().expect("its address").is_ipv4();
        let (mut batch, mut headers) = (Batch::default(), Headers::new(is_ipv4, MOST));
        let mut all = Vec::new();
        while let Ok(count) = batch.read(&mut headers, socket) {
            assert!(count > 0);
            all.extend(
                (0..count)
                    .filter_map(|n| batch.get(n))
                    .map(|(octets, from)| (octets.to_vec(), from)),
            );
            assert!(batch.get(count).is_none());
        }
        all
    }

    #[test]
    fn all_that_wait_are_read_with_their_senders_and_answered() {
        for any in ["127.0.0.1:0", "[::1]:0"] {
            let (ours, address) = socket(any);
            let peers = [socket(any), socket(any)];
            // More than one system call takes, short ones behind long ones in the same places.
            let mut sent = Vec::new();
            for n in 0..3 * MOST {
                let (peer, from) = &peers[n % 2];
                let text = vec![b'a' + u8::try_from(n % 26).expect("a letter"); 300 - n];
                peer.send_to(&text, address).expect("sent");
                sent.push((text, *from));
            }
            let received = all(&ours);
            assert_eq!(received, sent);
            let (answers, remotes): (Vec<_>, Vec<_>) = received.into_iter().unzip();
            send(&ours, &remotes, &answers);
            for (number, (peer, from)) in peers.iter().enumerate() {
                let back = all(peer);
                let expected = sent
                    .iter()
                    .skip(number)
                    .step_by(2)
                    .map(|(octets, _)| (octets.clone(), address));
                assert_eq!(back, expected.collect::<Vec<_>>(), "{from}");
            }
        }
    }

    #[test]
    fn one_that_cannot_be_sent_does_not_keep_back_the_others() {
        let (ours, _) = socket("127.0.0.1:0");
        let (peer, to) = socket("127.0.0.1:0");
        // Larger than any datagram, and to where nothing can be sent.
        let (huge, nowhere) = (vec![0; 70_000], SocketAddr::from(([255, 255, 255, 255], 9)));
        let text = |text: &str| text.as_bytes().to_vec();
        let answers = [text("1"), huge.clone(), text("x"), text("2"), text("3"), huge, text("4")];
        send(&ours, &[to, to, nowhere, to, to, to], &answers);
        let back = all(&peer);
        let texts: Vec<&[u8]> = back.iter().map(|(octets, _)| octets.as_slice()).collect();
        assert_eq!(texts, [b"1", b"2", b"3"]);
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let (ours, address) = socket("127.0.0.1:0");
        let (peer, _) = socket("127.0.0.1:0");
        for length in [LONGEST, LONGEST + 1, 60_000, 1] {
            peer.send_to(&vec![1; length], address).expect("sent");
        }
        let lengths: Vec<usize> = all(&ours).iter().map(|(o, _)| o.len()).collect();
        assert_eq!(lengths, [LONGEST, LONGEST, LONGEST, 1]);
    }
}
