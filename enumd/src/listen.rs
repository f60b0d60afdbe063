//! Binding addresses.

use crate::config::{Limits, Listen};
use anyhow::Context as _;
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::num::NonZeroUsize;
use std::time::Duration;
use tokio::net::TcpListener;

/// How often ports that the system chooses are tried until UDP and TCP have the same.
const PORT_ATTEMPTS: u32 = 16;
/// How long a thread waits for a packet before it looks whether it shall end.
pub(crate) const UDP_WAIT: Duration = Duration::from_millis(200);

/// Sockets that are bound and not read yet.
#[derive(Debug)]
pub(crate) struct Bound {
    /// For each UDP address one socket for each thread.
    pub(crate) udp: Vec<(SocketAddr, Vec<UdpSocket>)>,
    /// TCP listeners.
    pub(crate) tcp: Vec<(SocketAddr, TcpListener)>,
    /// Listeners for DNS over TLS.
    pub(crate) tls: Vec<(SocketAddr, TcpListener)>,
    /// Listeners for DNS over HTTPS.
    pub(crate) https: Vec<(SocketAddr, TcpListener)>,
}

/// Binds every address.
///
/// # Errors
///
/// The address that could not be bound, with the system's reason.
pub(crate) async fn bind(listen: &Listen, limits: &Limits) -> anyhow::Result<Bound> {
    let mut attempts = 1;
    loop {
        match bind_once(listen, limits).await {
            Ok(bound) => return Ok(bound),
            // The system chose a UDP port whose TCP twin somebody else has.
            Err(_) if attempts < PORT_ATTEMPTS && listen.udp.iter().any(|a| a.port() == 0) => {
                attempts += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn bind_once(listen: &Listen, limits: &Limits) -> anyhow::Result<Bound> {
    let threads = match limits.udp_threads {
        0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        threads => threads,
    };
    let mut udp = Vec::new();
    for address in &listen.udp {
        let sockets = udp_sockets(*address, threads, limits.receive_buffer)
            .with_context(|| format!("cannot listen on udp:{address} (listen.udp)"))?;
        udp.push(sockets);
    }
    let mut tcp = Vec::new();
    for (index, address) in listen.tcp.iter().enumerate() {
        let mut address = *address;
        if address.port() == 0
            && let Some((twin, _)) = udp.get(index)
        {
            address.set_port(twin.port());
        }
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on tcp:{address} (listen.tcp)"))?;
        tcp.push((listener.local_addr()?, listener));
    }
    let tls = listeners(&listen.tls, "tls").await?;
    let https = listeners(&listen.https, "https").await?;
    Ok(Bound { udp, tcp, tls, https })
}

async fn listeners(
    addresses: &[SocketAddr],
    key: &str,
) -> anyhow::Result<Vec<(SocketAddr, TcpListener)>> {
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {key}:{address} (listen.{key})"))?;
        listeners.push((listener.local_addr()?, listener));
    }
    Ok(listeners)
}

/// Sockets on one address among which the system spreads the packets by their senders.
fn udp_sockets(
    address: SocketAddr,
    threads: usize,
    receive_buffer: usize,
) -> io::Result<(SocketAddr, Vec<UdpSocket>)> {
    // The first one is bound alone, so that another server on the address is noticed, and shared only then.
    let first = udp_socket(address, receive_buffer)?;
    first.bind(&address.into())?;
    first.set_reuse_port(true)?;
    let first = UdpSocket::from(first);
    let address = first.local_addr()?;
    let mut sockets = vec![first];
    for _ in 1..threads {
        let socket = udp_socket(address, receive_buffer)?;
        socket.set_reuse_port(true)?;
        socket.bind(&address.into())?;
        sockets.push(socket.into());
    }
    Ok((address, sockets))
}

fn udp_socket(address: SocketAddr, receive_buffer: usize) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A burst must wait in the kernel rather than be lost; the system caps what it grants.
    socket.set_recv_buffer_size(receive_buffer)?;
    socket.set_read_timeout(Some(UDP_WAIT))?;
    Ok(socket)
}
