//! The collector that is shown every message: HEP over UDP, without waiting.

use super::Seen;
use crate::config::Trace as Settings;
use ngn_sip::header::Transport;
use ngn_sip::hep::{Carrier, Packet};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the collector's name is looked up again.
const LOOK_UP: Duration = Duration::from_secs(60);
/// How soon, when that failed.
const RETRY: Duration = Duration::from_secs(5);

/// Where packets go. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Collector {
    name: Arc<str>,
    id: u32,
    state: Arc<Mutex<Option<(UdpSocket, SocketAddr)>>>,
}

impl Collector {
    /// The one that the settings name.
    pub(super) fn of(settings: &Settings) -> Option<Self> {
        (!settings.hep.is_empty()).then(|| Self {
            name: settings.hep.as_str().into(),
            id: settings.hep_id,
            state: Arc::default(),
        })
    }

    /// Shows a message; false when it could not be sent.
    pub(super) fn send(&self, seen: &mut Seen<'_>) -> bool {
        let (source, destination) = seen.ends();
        let correlation_id = seen.parts().map(|parts| parts.call_id.clone()).unwrap_or_default();
        let carrier = carrier(&seen.traced.transport);
        let at = u64::try_from(seen.traced.at).unwrap_or(0);
        let payload = seen.masked().as_bytes();
        let capture_id = self.id;
        let correlation_id = &correlation_id;
        let packet =
            Packet { source, destination, carrier, at, capture_id, correlation_id, payload };
        let Some(octets) = packet.encode() else { return false };
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((socket, address)) = &*state else { return false };
        socket.send_to(&octets, address).is_ok()
    }

    async fn look_up(&self) -> std::io::Result<()> {
        let address = tokio::net::lookup_host(&*self.name).await?.next();
        let address = address.ok_or(std::io::ErrorKind::NotFound)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.as_ref().is_none_or(|(_, known)| *known != address) {
            *state = Some((socket_for(address)?, address));
        }
        Ok(())
    }
}

/// A socket that sends to an address and never waits.
fn socket_for(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?,
        SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?,
    };
    socket.set_nonblocking(true)?;
    Ok(socket)
}

const fn carrier(transport: &Transport) -> Carrier {
    match transport {
        Transport::Udp | Transport::Sctp | Transport::Other(_) => Carrier::Udp,
        Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => Carrier::Tcp,
    }
}

/// Finds the collector, and again when it may have moved.
pub(super) async fn keep_looking_up(collector: Collector, shutdown: CancellationToken) {
    let mut is_known = true;
    loop {
        let found = collector.look_up().await;
        if let Err(error) = &found
            && is_known
        {
            let name = &*collector.name;
            tracing::warn!(name, %error, "trace.hep: the collector is not found");
        }
        is_known = found.is_ok();
        tokio::select! {
            () = tokio::time::sleep(if is_known { LOOK_UP } else { RETRY }) => {}
            () = shutdown.cancelled() => return,
        }
    }
}
