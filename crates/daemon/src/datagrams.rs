//! Datagrams that leave together.

use rustix::fd::AsFd;
use std::io;
use std::net::SocketAddr;

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
    let parts: Vec<(SocketAddrAny, [IoSlice<'_>; 1])> = datagrams
        .iter()
        .map(|(remote, octets)| ((*remote).into(), [IoSlice::new(octets)]))
        .collect();
    let mut nothing: Vec<SendAncillaryBuffer<'_, '_, '_>> =
        parts.iter().map(|_| SendAncillaryBuffer::default()).collect();
    let mut messages: Vec<MMsgHdr<'_>> = parts
        .iter()
        .zip(&mut nothing)
        .map(|((remote, octets), nothing)| MMsgHdr::new_with_addr(remote, octets, nothing))
        .collect();
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
