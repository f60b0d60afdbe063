//! Trusted peers: trunks that call without credentials (B145 to B148).

use crate::facts::CallFacts;
use crate::paying::Paying;
use ngn_model::call_plan::Why;
use ngn_model::{PeerProtocol, Reject, TrustedPeer};
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

/// Why a trunk may make no call: it is blocked, or has as many calls as it may have at one time (B147).
pub(crate) fn refused(peer: &TrustedPeer, facts: &CallFacts<'_>) -> Option<Reject> {
    if peer.blocked {
        let why = Why::new("B147", "the trusted peer is blocked").with("peer", peer.ip.clone());
        return Some(Reject::new(403, "Forbidden", why));
    }
    let calls = Paying::Peer(peer).usage(facts).map_or(0, |usage| usage.calls);
    (peer.call_limit > 0 && calls >= peer.call_limit).then(|| {
        let why = Why::new("B147", "the trusted peer has as many calls as it may have at one time")
            .with("peer", peer.ip.clone())
            .with("calls", calls.to_string())
            .with("limit", peer.call_limit.to_string());
        Reject::new(403, "Call Limit Reached", why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(ip: &str, protocol: PeerProtocol) -> TrustedPeer {
        TrustedPeer::new(ip, protocol)
    }

    #[test]
    fn b145_peers_are_known_by_address_and_transport() {
        let peers = [
            peer("192.0.2.1", PeerProtocol::Tls),
            peer("192.0.2.2", PeerProtocol::Any),
            peer("2001:db8::1", PeerProtocol::Any),
            peer("pbx.example", PeerProtocol::Udp),
        ];
        let resolves =
            |name: &str, ip: IpAddr| name == "pbx.example" && ip == IpAddr::from([192, 0, 2, 9]);
        for (source, protocol, expected) in [
            ("192.0.2.1", PeerProtocol::Tls, Some("192.0.2.1")),
            ("192.0.2.1", PeerProtocol::Udp, None),
            ("192.0.2.2", PeerProtocol::Udp, Some("192.0.2.2")),
            ("::ffff:192.0.2.2", PeerProtocol::Tcp, Some("192.0.2.2")),
            ("2001:db8:0::1", PeerProtocol::Tcp, Some("2001:db8::1")),
            ("192.0.2.9", PeerProtocol::Udp, Some("pbx.example")),
            ("192.0.2.9", PeerProtocol::Tcp, None),
            ("192.0.2.10", PeerProtocol::Udp, None),
        ] {
            let source = source.parse().expect("an address");
            let found = find(&peers, source, protocol, resolves).map(|peer| peer.ip.as_str());
            assert_eq!(found, expected, "{source} {protocol:?}");
        }
    }

    #[test]
    fn b147_strip_and_prefix() {
        for (strip, prefix, dialled, expected) in [
            (0, None, "+31201", "+31201"),
            (0, Some(""), "9031201", "9031201"),
            (1, None, "90201234567", "0201234567"),
            (1, Some("00"), "+931201", "0031201"),
            (0, Some("00"), "31201", "0031201"),
            (9, None, "112", ""),
            (9, Some("0"), "112", "0"),
            (2, None, "\u{e9}\u{e9}1", "1"),
        ] {
            let mut peer = peer("192.0.2.1", PeerProtocol::Any);
            (peer.strip, peer.prefix) = (strip, prefix.map(str::to_owned));
            assert_eq!(rewrite(&peer, dialled), expected, "{strip} {prefix:?} {dialled}");
        }
    }
}
