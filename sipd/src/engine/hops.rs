//! Places that requests are sent to: looked up by name, and left alone for a while when they fail.

use super::{Engine, Found};
use ngn_sip::header::Transport;
use ngn_sip::locate::{Candidate, Socket};
use ngn_sip::stack::{Destination, LookupId, Oversize, TriedResult};
use ngn_sip::uri::Uri;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many places that failed are remembered.
const FAILED: usize = 10_000;

/// Places that failed, and until when they are tried last.
#[derive(Debug, Default)]
pub(super) struct BackOff {
    until: HashMap<(bool, SocketAddr), Instant>,
}

impl BackOff {
    /// Whether a place may be tried like others.
    fn is_fine(&self, place: &Destination, now: Instant) -> bool {
        self.until.get(&key(place)).is_none_or(|until| *until <= now)
    }

    /// Puts those that failed last, without changing the order otherwise.
    pub(super) fn order(&self, places: &mut [Destination], now: Instant) {
        places.sort_by_key(|place| !self.is_fine(place, now));
    }

    /// Notes what came of trying a place.
    pub(super) fn note(
        &mut self,
        place: &Destination,
        result: TriedResult,
        lasts: Duration,
        now: Instant,
    ) {
        let failed = match result {
            TriedResult::Final(status) => status == 503,
            TriedResult::Silent | TriedResult::Failed => true,
        };
        if !failed {
            self.until.remove(&key(place));
            return;
        }
        if self.until.len() >= FAILED {
            self.until.retain(|_, until| *until > now);
        }
        if self.until.len() < FAILED {
            self.until.insert(key(place), now + lasts);
        }
    }
}

fn key(place: &Destination) -> (bool, SocketAddr) {
    (place.transport == Transport::Udp, place.remote)
}

impl Engine {
    /// Looks next hops up, off this loop (RFC 3263).
    pub(super) fn resolve(&mut self, id: LookupId, uri: &Uri) {
        let Ok(permit) = Arc::clone(&self.lookups).try_acquire_owned() else {
            self.metrics.shed.inc();
            let now = self.now();
            return self.stack.resolved(now, id, Vec::new());
        };
        let (found, locator, uri) = (self.found.clone(), self.locator.clone(), uri.clone());
        let sockets = self.sockets();
        tokio::spawn(async move {
            let candidates = locator.locate(&uri, sockets).await;
            let hops = candidates.into_iter().map(|found| destination(found, &uri)).collect();
            let _ = found.send((id, hops)).await;
            drop(permit);
        });
    }

    /// Takes what was found.
    pub(super) fn resolved(&mut self, (id, mut hops): Found) {
        self.back_off.order(&mut hops, Instant::now());
        let now = self.now();
        self.stack.resolved(now, id, hops);
    }

    /// What requests can be sent by.
    pub(super) fn sockets(&self) -> Vec<Socket> {
        crate::locate::sockets(self.transports.addresses())
    }
}

/// A place that was found for a URI. Over TLS, the server must be the URI's host, whatever its own name is (RFC 5922
/// section 4).
pub(super) fn destination(candidate: Candidate, uri: &Uri) -> Destination {
    let is_secure = matches!(candidate.transport, Transport::Tls | Transport::Wss);
    let host = uri.host_text().trim_matches(['[', ']']).trim_end_matches('.');
    let server_name = is_secure.then(|| host.to_ascii_lowercase());
    let to = Destination::new(candidate.transport, candidate.address);
    Destination { server_name, oversize: Oversize::Switch, ..to }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Destination {
        Destination::new(Transport::Udp, text.parse().expect("an address"))
    }

    #[test]
    fn places_that_failed_are_tried_last_for_a_while() {
        let (now, lasts) = (Instant::now(), Duration::from_secs(30));
        let mut back_off = BackOff::default();
        let order = |back_off: &BackOff, at: Instant| {
            let mut places = ["192.0.2.1:5060", "192.0.2.2:5060", "192.0.2.3:5060"].map(place);
            back_off.order(&mut places, at);
            places.map(|place| place.remote.ip().to_string().as_bytes()[8])
        };
        assert_eq!(order(&back_off, now), *b"123");
        back_off.note(&place("192.0.2.1:5060"), TriedResult::Silent, lasts, now);
        back_off.note(&place("192.0.2.2:5060"), TriedResult::Final(486), lasts, now);
        assert_eq!(order(&back_off, now), *b"231");
        back_off.note(&place("192.0.2.2:5060"), TriedResult::Final(503), lasts, now);
        assert_eq!(order(&back_off, now), *b"312");
        assert_eq!(order(&back_off, now + lasts), *b"123");
        back_off.note(&place("192.0.2.1:5060"), TriedResult::Final(200), lasts, now);
        assert_eq!(order(&back_off, now), *b"132");
    }

    #[test]
    fn a_flood_of_failures_costs_limited_memory() {
        let mut back_off = BackOff::default();
        for n in 0..u32::try_from(FAILED).expect("a number") + 100 {
            let address = SocketAddr::from((std::net::Ipv4Addr::from(n), 5060));
            let place = Destination::new(Transport::Udp, address);
            back_off.note(&place, TriedResult::Failed, Duration::from_secs(30), Instant::now());
        }
        assert_eq!(back_off.until.len(), FAILED);
    }
}
