//! Datagrams that come and leave together: one system call for several, where there is one.

use rustix::fd::AsFd;
use smallvec::SmallVec;
use std::io;
use std::net::SocketAddr;

/// How many datagrams are sent together without asking for memory.
const TOGETHER: usize = 64;

/// Datagrams that are going to leave, each with its address; no memory is asked for while they are 64 at most.
pub type Datagrams<'o> = SmallVec<[(SocketAddr, &'o [u8]); TOGETHER]>;

/// Octets between two places: more than a datagram takes, so that the caches keep them apart.
const APART: usize = 64;

/// The datagrams that were read last from a socket: at most `MOST`, of at most `LONGEST` octets each. What is longer is cut.
#[derive(Debug)]
pub struct Batch<const MOST: usize, const LONGEST: usize> {
    octets: Vec<u8>,
    /// How long each is, and where it came from.
    read: Vec<(usize, SocketAddr)>,
}

/// What the system writes senders into. It stays with its thread.
pub struct Headers(system::Headers);

impl Headers {
    /// Room for so many datagrams of a socket, whose addresses are of one family.
    #[must_use]
    pub fn new(is_ipv4: bool, most: usize) -> Self {
        Self(system::Headers::new(is_ipv4, most))
    }
}

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Headers").finish_non_exhaustive()
    }
}

impl<const MOST: usize, const LONGEST: usize> Default for Batch<MOST, LONGEST> {
    fn default() -> Self {
        Self { octets: vec![0; Self::PLACE * MOST], read: Vec::with_capacity(MOST) }
    }
}

impl<const MOST: usize, const LONGEST: usize> Batch<MOST, LONGEST> {
    const PLACE: usize = LONGEST + APART;

    /// Reads all datagrams that wait, as far as there is room, and gives their number. For the first one it waits as the socket
    /// does: as long as its time-out says, or not at all.
    ///
    /// # Errors
    ///
    /// What the system says when there is no datagram; [`io::ErrorKind::WouldBlock`] when none came in time.
    pub fn read(&mut self, headers: &mut Headers, socket: &impl AsFd) -> io::Result<usize> {
        self.read.clear();
        headers.0.read::<MOST, LONGEST>(socket, &mut self.octets, &mut self.read)?;
        Ok(self.read.len())
    }

    /// Whether the last [`read`](Self::read) left nothing in the socket: whatever is there now came later.
    /// It never is known where the system reads one at a time.
    #[must_use]
    pub fn has_all(&self) -> bool {
        system::READS_ALL && self.read.len() < MOST
    }

    /// How many were read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read.len()
    }

    /// Whether none was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read.is_empty()
    }

    /// The octets of all datagrams that were read.
    pub fn all(&self) -> impl Iterator<Item = &[u8]> {
        let places = self.octets.chunks_exact(Self::PLACE).zip(&self.read);
        places.filter_map(|(place, (length, _))| place.get(..*length))
    }

    /// A datagram that was read, and where it came from.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<(&[u8], SocketAddr)> {
        let (length, remote) = self.read.get(number)?;
        let octets = self.octets.get(number * Self::PLACE..)?.get(..*length)?;
        Some((octets, *remote))
    }
}

#[cfg(target_os = "linux")]
mod system {
    use super::APART;
    use nix::sys::socket::{
        MsgFlags, MultiHeaders, SockaddrIn, SockaddrIn6, SockaddrLike, recvmmsg,
    };
    use rustix::fd::{AsFd, AsRawFd as _, RawFd};
    use std::array::from_fn;
    use std::io::{self, IoSliceMut};
    use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};

    pub(super) const READS_ALL: bool = true;

    /// What the system writes addresses into.
    pub(super) enum Headers {
        V4(MultiHeaders<SockaddrIn>),
        V6(MultiHeaders<SockaddrIn6>),
    }

    impl Headers {
        pub(super) fn new(is_ipv4: bool, most: usize) -> Self {
            if is_ipv4 {
                Self::V4(MultiHeaders::preallocate(most, None))
            } else {
                Self::V6(MultiHeaders::preallocate(most, None))
            }
        }

        pub(super) fn read<const MOST: usize, const LONGEST: usize>(
            &mut self,
            socket: &impl AsFd,
            octets: &mut [u8],
            read: &mut Vec<(usize, SocketAddr)>,
        ) -> io::Result<()> {
            let socket = socket.as_fd().as_raw_fd();
            match self {
                Self::V4(headers) => {
                    into::<_, MOST, LONGEST>(headers, socket, octets, read, |from| {
                        SocketAddrV4::from(from).into()
                    })
                }
                Self::V6(headers) => {
                    into::<_, MOST, LONGEST>(headers, socket, octets, read, |from| {
                        SocketAddrV6::from(from).into()
                    })
                }
            }
        }
    }

    fn into<S: SockaddrLike + Copy, const MOST: usize, const LONGEST: usize>(
        headers: &mut MultiHeaders<S>,
        socket: RawFd,
        octets: &mut [u8],
        read: &mut Vec<(usize, SocketAddr)>,
        address: impl Fn(S) -> SocketAddr,
    ) -> io::Result<()> {
        let mut places = octets.chunks_exact_mut(LONGEST + APART);
        let mut places: [[IoSliceMut<'_>; 1]; MOST] = from_fn(|_| {
            let place = places.next().and_then(|place| place.get_mut(..LONGEST));
            [IoSliceMut::new(place.unwrap_or_default())]
        });
        // The first one is waited for, others are not.
        let flags = MsgFlags::MSG_WAITFORONE;
        let received = recvmmsg(socket, headers, &mut places, flags, None)?;
        // Each keeps its place; an answer to nowhere gets lost.
        let nowhere = SocketAddr::from(([0; 4], 0));
        read.extend(received.map(|one| (one.bytes, one.address.map_or(nowhere, &address))));
        Ok(())
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use rustix::fd::AsFd;
    use std::io;
    use std::net::SocketAddr;

    pub(super) const READS_ALL: bool = false;

    /// Nothing: one datagram at a time.
    pub(super) struct Headers;

    impl Headers {
        pub(super) fn new(_: bool, _: usize) -> Self {
            Self
        }

        pub(super) fn read<const MOST: usize, const LONGEST: usize>(
            &mut self,
            socket: &impl AsFd,
            octets: &mut [u8],
            read: &mut Vec<(usize, SocketAddr)>,
        ) -> io::Result<()> {
            let place = octets.get_mut(..LONGEST).unwrap_or_default();
            let flags = rustix::net::RecvFlags::empty();
            let (length, _, from) = rustix::net::recvfrom(socket, place, flags)?;
            // An answer to nowhere gets lost.
            let nowhere = SocketAddr::from(([0; 4], 0));
            let from = from.and_then(|from| from.try_into().ok()).unwrap_or(nowhere);
            read.push((length, from));
            Ok(())
        }
    }
}

/// Sends datagrams, each to its own address, by one system call where there is one for several; gives how many were sent.
/// At least one is, unless there is an error, which is that of the first one.
///
/// # Errors
///
/// What the system says about the first one; [`io::ErrorKind::InvalidInput`] when there is none.
#[cfg(target_os = "linux")]
pub fn send_together(socket: impl AsFd, datagrams: &[(SocketAddr, &[u8])]) -> io::Result<usize> {
    use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg};
    use std::io::IoSlice;

    if datagrams.is_empty() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut parts: SmallVec<[(SocketAddrAny, [IoSlice<'_>; 1]); TOGETHER]> = SmallVec::new();
    let mut nothing: SmallVec<[SendAncillaryBuffer<'_, '_, '_>; TOGETHER]> = SmallVec::new();
    let mut messages: SmallVec<[MMsgHdr<'_>; TOGETHER]> = SmallVec::new();
    for (remote, octets) in datagrams {
        parts.push(((*remote).into(), [IoSlice::new(octets)]));
        nothing.push(SendAncillaryBuffer::default());
    }
    for ((remote, octets), nothing) in parts.iter().zip(&mut nothing) {
        messages.push(MMsgHdr::new_with_addr(remote, octets, nothing));
    }
    Ok(sendmmsg(socket, &mut messages, SendFlags::empty())?)
}

/// Sends the first datagram; gives how many were sent: one.
///
/// # Errors
///
/// What the system says about it; [`io::ErrorKind::InvalidInput`] when there is none.
#[cfg(not(target_os = "linux"))]
pub fn send_together(socket: impl AsFd, datagrams: &[(SocketAddr, &[u8])]) -> io::Result<usize> {
    let (remote, octets) = datagrams.first().ok_or(io::ErrorKind::InvalidInput)?;
    rustix::net::sendto(socket, octets, rustix::net::SendFlags::empty(), remote)?;
    Ok(1)
}
