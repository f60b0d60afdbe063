//! Trusted peers: trunks that call without credentials (B145 to B148).

use ngn_model::{PeerProtocol, TrustedPeer};
use std::net::IpAddr;

/// The trusted peer that a request comes from, by address and transport (B145); never [`PeerProtocol::Any`] itself.
///
/// Peers that are known by host name are found when `resolves` says that the name has that address.
pub fn find<'p>(
    peers: impl IntoIterator<Item = &'p TrustedPeer>,
    source: IpAddr,
    protocol: PeerProtocol,
    resolves: impl Fn(&str, IpAddr) -> bool,
) -> Option<&'p TrustedPeer> {
    peers.into_iter().find(|peer| admits(peer, source, protocol, &resolves))
}

/// Whether a request from an address over a transport is the peer's.
fn admits(
    peer: &TrustedPeer,
    source: IpAddr,
    protocol: PeerProtocol,
    resolves: &impl Fn(&str, IpAddr) -> bool,
) -> bool {
    if peer.protocol != PeerProtocol::Any && peer.protocol != protocol {
        return false;
    }
    let source = source.to_canonical();
    match peer.ip.parse::<IpAddr>() {
        Ok(address) => address.to_canonical() == source,
        Err(_) => resolves(&peer.ip, source),
    }
}

/// B147: `strip` leading digits go, then `prefix` comes in front. A `+` goes with the first change.
pub(crate) fn rewrite(peer: &TrustedPeer, dialled: &str) -> String {
    let prefix = peer.prefix.as_deref().unwrap_or_default();
    if peer.strip == 0 && prefix.is_empty() {
        return dialled.to_owned();
    }
    let digits = dialled.strip_prefix('+').unwrap_or(dialled);
    let strip = usize::try_from(peer.strip).unwrap_or(usize::MAX);
    let rest: String = digits.chars().skip(strip).collect();
    format!("{prefix}{rest}")
}
