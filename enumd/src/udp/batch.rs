//! Datagrams that wait together are read by one system call, and their answers leave by another one.

use ngn_daemon::datagrams::send_together;
use std::io;
use std::net::{SocketAddr, UdpSocket};

/// The most datagrams of one system call.
pub(super) const MOST: usize = 64;
/// Octets of a datagram that are read; what is longer is cut, and so makes no sense as a query any more. We say by EDNS that
/// fewer are welcome.
pub(super) const LONGEST: usize = 4096;
/// Octets from one datagram's place to the next one's: not a power of two, so that the caches keep them apart.
const PLACE: usize = LONGEST + 64;

/// The datagrams that were read last.
pub(super) struct Batch {
    octets: Vec<u8>,
    /// How long each is, and where it came from.
    read: Vec<(usize, SocketAddr)>,
    system: system::Headers,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("read", &self.read).finish_non_exhaustive()
    }
}

impl Batch {
    /// Room for the datagrams of a socket, whose addresses are of one family.
    pub(super) fn new(is_ipv4: bool) -> Self {
        Self {
            octets: vec![0; PLACE * MOST],
            read: Vec::with_capacity(MOST),
            system: system::Headers::new(is_ipv4),
        }
    }

    /// Waits for a datagram, as long as the socket's time-out says, and reads all that wait then; gives their number.
    pub(super) fn read(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        self.read.clear();
        self.system.read(socket, &mut self.octets, &mut self.read)?;
        Ok(self.read.len())
    }

    /// A datagram that was read, and where it came from.
    pub(super) fn get(&self, number: usize) -> Option<(&[u8], SocketAddr)> {
        let (length, remote) = self.read.get(number)?;
        let octets = self.octets.get(number * PLACE..)?.get(..*length)?;
        Some((octets, *remote))
    }
}

/// Sends as many answers as there are addresses, each to its own. A full send buffer loses answers, as the network might; one that
/// the system does not take does not keep back the others.
pub(super) fn send(socket: &UdpSocket, remotes: &[SocketAddr], answers: &[Vec<u8>]) {
    let datagrams: Vec<(SocketAddr, &[u8])> =
        remotes.iter().copied().zip(answers.iter().map(Vec::as_slice)).collect();
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

#[cfg(target_os = "linux")]
mod system {
    use super::{LONGEST, MOST, PLACE};
    use nix::sys::socket::{
        MsgFlags, MultiHeaders, SockaddrIn, SockaddrIn6, SockaddrLike, recvmmsg,
    };
    use std::array::from_fn;
    use std::io::{self, IoSliceMut};
    use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
    use std::os::fd::AsRawFd as _;

    /// What the system writes addresses into.
    pub(super) enum Headers {
        V4(MultiHeaders<SockaddrIn>),
        V6(MultiHeaders<SockaddrIn6>),
    }

    impl Headers {
        pub(super) fn new(is_ipv4: bool) -> Self {
            if is_ipv4 {
                Self::V4(MultiHeaders::preallocate(MOST, None))
            } else {
                Self::V6(MultiHeaders::preallocate(MOST, None))
            }
        }

        pub(super) fn read(
            &mut self,
            socket: &UdpSocket,
            octets: &mut [u8],
            read: &mut Vec<(usize, SocketAddr)>,
        ) -> io::Result<()> {
            match self {
                Self::V4(headers) => {
                    into(headers, socket, octets, read, |from| SocketAddrV4::from(from).into())
                }
                Self::V6(headers) => {
                    into(headers, socket, octets, read, |from| SocketAddrV6::from(from).into())
                }
            }
        }
    }

    fn into<S: SockaddrLike + Copy>(
        headers: &mut MultiHeaders<S>,
        socket: &UdpSocket,
        octets: &mut [u8],
        read: &mut Vec<(usize, SocketAddr)>,
        address: impl Fn(S) -> SocketAddr,
    ) -> io::Result<()> {
        let mut places = octets.chunks_exact_mut(PLACE);
        let mut places: [[IoSliceMut<'_>; 1]; MOST] = from_fn(|_| {
            let place = places.next().and_then(|place| place.get_mut(..LONGEST));
            [IoSliceMut::new(place.unwrap_or_default())]
        });
        // The first one is waited for, others are not.
        let flags = MsgFlags::MSG_WAITFORONE;
        let received = recvmmsg(socket.as_raw_fd(), headers, &mut places, flags, None)?;
        // Each keeps its place; an answer to nowhere gets lost.
        let nowhere = SocketAddr::from(([0; 4], 0));
        read.extend(received.map(|one| (one.bytes, one.address.map_or(nowhere, &address))));
        Ok(())
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::LONGEST;
    use std::io;
    use std::net::{SocketAddr, UdpSocket};

    /// Nothing: one datagram at a time.
    pub(super) struct Headers;

    impl Headers {
        pub(super) fn new(_: bool) -> Self {
            Self
        }

        pub(super) fn read(
            &mut self,
            socket: &UdpSocket,
            octets: &mut [u8],
            read: &mut Vec<(usize, SocketAddr)>,
        ) -> io::Result<()> {
            let place = octets.get_mut(..LONGEST).unwrap_or_default();
            read.push(socket.recv_from(place)?);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn socket(any: &str) -> (UdpSocket, SocketAddr) {
        let socket = UdpSocket::bind(any).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a time-out");
        let address = socket.local_addr().expect("its address");
        (socket, address)
    }

    /// All datagrams that come to a socket until none comes for a while.
    fn all(socket: &UdpSocket, batch: &mut Batch) -> Vec<(Vec<u8>, SocketAddr)> {
        let mut all = Vec::new();
        while let Ok(count) = batch.read(socket) {
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
            let mut batch = Batch::new(address.is_ipv4());
            // More than one system call takes, short ones behind long ones in the same places.
            let mut sent = Vec::new();
            for n in 0..3 * MOST {
                let (peer, from) = &peers[n % 2];
                let text = vec![b'a' + u8::try_from(n % 26).expect("a letter"); 300 - n];
                peer.send_to(&text, address).expect("sent");
                sent.push((text, *from));
            }
            let received = all(&ours, &mut batch);
            assert_eq!(received, sent);
            let (answers, remotes): (Vec<_>, Vec<_>) = received.into_iter().unzip();
            send(&ours, &remotes, &answers);
            for (number, (peer, from)) in peers.iter().enumerate() {
                let mut batch = Batch::new(address.is_ipv4());
                let back = all(peer, &mut batch);
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
        let back = all(&peer, &mut Batch::new(true));
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
        let lengths: Vec<usize> =
            all(&ours, &mut Batch::new(true)).iter().map(|(o, _)| o.len()).collect();
        assert_eq!(lengths, [LONGEST, LONGEST, LONGEST, 1]);
    }
}
