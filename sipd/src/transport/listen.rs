//! Sockets of our own: bound, or not.

use super::Stream;
use crate::config::{Limits, Listen};
use anyhow::Context as _;
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use tokio::net::TcpListener;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// What was bound.
pub(super) struct Bound {
    pub(super) udp: Vec<(SocketAddr, Arc<UdpSocket>)>,
    pub(super) listeners: Vec<(Stream, TcpListener)>,
}

/// Binds every address once; a TCP address with port 0 takes the port of its UDP twin.
pub(super) fn bind_all(listen: &Listen, limits: &Limits) -> anyhow::Result<Bound> {
    let mut udp = Vec::new();
    for address in &listen.udp {
        let socket = udp_socket(*address, limits.receive_buffer)
            .with_context(|| format!("cannot listen on udp:{address} (listen.udp)"))?;
        udp.push((socket.local_addr()?, Arc::new(socket)));
    }
    let mut listeners = Vec::new();
    for (stream, key, addresses) in [
        (Stream::Tcp, "tcp", &listen.tcp),
        (Stream::Tls, "tls", &listen.tls),
        (Stream::Ws, "ws", &listen.ws),
        (Stream::Wss, "wss", &listen.wss),
    ] {
        for (index, address) in addresses.iter().enumerate() {
            let mut address = *address;
            if stream == Stream::Tcp
                && address.port() == 0
                && let Some((twin, _)) = udp.get(index)
            {
                address.set_port(twin.port());
            }
            let listener = tcp_listener(address)
                .with_context(|| format!("cannot listen on {key}:{address} (listen.{key})"))?;
            listeners.push((stream, listener));
        }
    }
    Ok(Bound { udp, listeners })
}

fn udp_socket(address: SocketAddr, receive_buffer: usize) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A burst must wait in the kernel rather than be lost; the system caps what it grants. Answers come in bursts too:
    // those to all registrations of one commit.
    socket.set_recv_buffer_size(receive_buffer)?;
    socket.set_send_buffer_size(receive_buffer)?;
    for (kind, limit, granted) in [
        ("receive", "net.core.rmem_max", granted(socket.recv_buffer_size()?)),
        ("send", "net.core.wmem_max", granted(socket.send_buffer_size()?)),
    ] {
        if granted < receive_buffer {
            tracing::warn!(
                %address, granted, wanted = receive_buffer,
                "the system grants a smaller {kind} buffer (limits.receive_buffer): raise {limit}, or bursts are lost"
            );
        }
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// What a buffer really holds: Linux says twice as much, for its own bookkeeping.
const fn granted(said: usize) -> usize {
    if cfg!(target_os = "linux") { said / 2 } else { said }
}

/// Each family has its own sockets, so that `[::]` and `0.0.0.0` may stand beside each other.
fn tcp_listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
