//! Two queues to the engine: one for what begins something, one for everything else, which is handled first.
//!
//! A flood of new requests fills the queue of new requests and no other: answers, requests inside dialogs, emergency calls
//! and what happens to connections do not wait behind it. What finds it full is dropped if it came in a datagram, and sent
//! again by its sender; who sends it on a connection waits.

use super::Arrival;
use arc_swap::ArcSwap;
use bytes::Bytes;
use prometheus_client::metrics::counter::Counter;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// How many new requests may wait for the engine.
pub(super) const NEW: usize = 2048;
/// How much else may wait; beyond it the sockets' own buffers fill.
pub(super) const OTHER: usize = 8192;

/// Numbers that are emergency numbers.
pub type EmergencyNumbers = Arc<ArcSwap<BTreeSet<String>>>;

/// Something, and when it came.
pub type Waiting = (Instant, Arrival);

/// The engine's ends.
#[derive(Debug)]
pub struct Receivers {
    /// New requests.
    pub new: mpsc::Receiver<Waiting>,
    /// Everything else.
    pub other: mpsc::Receiver<Waiting>,
}

/// The sockets' ends.
#[derive(Debug, Clone)]
pub struct Lanes {
    new: mpsc::Sender<Waiting>,
    other: mpsc::Sender<Waiting>,
    emergency: EmergencyNumbers,
    dropped: Counter,
}

/// The engine is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gone;

impl Lanes {
    /// Both queues; `dropped` counts datagrams that found theirs full.
    #[must_use]
    pub fn new(emergency: EmergencyNumbers, dropped: Counter) -> (Self, Receivers) {
        let (new, new_end) = mpsc::channel(NEW);
        let (other, other_end) = mpsc::channel(OTHER);
        (Self { new, other, emergency, dropped }, Receivers { new: new_end, other: other_end })
    }

    /// Hands something over.
    ///
    /// # Errors
    ///
    /// [`Gone`] when nobody takes it any more.
    pub(super) async fn send(&self, arrival: Arrival) -> Result<(), Gone> {
        let is_new = |octets: &Bytes| begins_something(octets, &self.emergency.load());
        let now = Instant::now();
        let sent = match &arrival {
            Arrival::Datagram { octets, .. } if is_new(octets) => {
                return match self.new.try_send((now, arrival)) {
                    Ok(()) => Ok(()),
                    Err(TrySendError::Full(_)) => {
                        self.dropped.inc();
                        Ok(())
                    }
                    Err(TrySendError::Closed(_)) => Err(Gone),
                };
            }
            Arrival::Message { octets, .. } if is_new(octets) => {
                self.new.send((now, arrival)).await
            }
            // What ends a connection does not overtake what came on it.
            Arrival::Malformed { .. } | Arrival::Closed(_) => self.new.send((now, arrival)).await,
            _ => self.other.send((now, arrival)).await,
        };
        sent.map_err(|_| Gone)
    }
}

/// Whether a message is a request outside of a dialog that is no emergency call. This is a guess from its first lines,
/// which decides when it is handled and nothing else.
fn begins_something(octets: &[u8], emergency: &BTreeSet<String>) -> bool {
    let mut lines = octets.split(|octet| *octet == b'\n');
    let start = lines.next().unwrap_or_default();
    let mut words = start.split(|octet| *octet == b' ');
    let method = words.next().unwrap_or_default();
    if matches!(method, b"SIP/2.0" | b"ACK" | b"CANCEL" | b"BYE" | b"PRACK" | b"UPDATE") {
        return false;
    }
    if method == b"INVITE" && is_emergency(words.next().unwrap_or_default(), emergency) {
        return false;
    }
    let to = lines.take_while(|line| line.trim_ascii() != b"").find_map(|line| {
        let colon = line.iter().position(|octet| *octet == b':')?;
        let name = line.get(..colon)?.trim_ascii();
        let is_to = name.eq_ignore_ascii_case(b"to") || name.eq_ignore_ascii_case(b"t");
        is_to.then_some(line)
    });
    let parameters = to.and_then(|line| line.rsplit(|octet| *octet == b'>').next());
    let has_tag = |text: &[u8]| text.windows(5).any(|word| word.eq_ignore_ascii_case(b";tag="));
    !parameters.is_some_and(has_tag)
}

fn is_emergency(uri: &[u8], emergency: &BTreeSet<String>) -> bool {
    const SERVICE: &[u8] = b"urn:service:sos";
    let Ok(uri) = std::str::from_utf8(uri) else { return false };
    if uri.as_bytes().get(..SERVICE.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(SERVICE))
    {
        return true;
    }
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    let user = rest.split(['@', ';']).next().unwrap_or_default();
    emergency.contains(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers() -> BTreeSet<String> {
        BTreeSet::from(["112".to_owned()])
    }

    #[test]
    fn what_begins_something() {
        let request = |start: &str, to: &str| {
            format!("{start} SIP/2.0\r\nVia: x\r\n{to}\r\n\r\nTo: <a>;tag=b")
        };
        for (start, to, expected) in [
            ("INVITE sip:bob@a", "To: <sip:bob@a>", true),
            ("INVITE sip:bob@a", "To: <sip:bob@a;tag=x>", true),
            ("INVITE sip:bob@a", "To: <sip:bob@a>;tag=x", false),
            ("INVITE sip:bob@a", "t : sip:bob@a;x=1;TAG=x", false),
            ("REGISTER sip:a", "To: <sip:bob@a>", true),
            ("OPTIONS sip:112@a", "To: <sip:bob@a>", true),
            ("BYE sip:bob@a", "To: <sip:bob@a>", false),
            ("CANCEL sip:bob@a", "To: <sip:bob@a>", false),
            ("INVITE sip:112@a", "To: <sip:112@a>", false),
            ("INVITE sip:112;x@a", "To: <sip:112@a>", false),
            ("INVITE tel:112", "To: <tel:112>", false),
            ("INVITE urn:service:SOS.fire", "To: <urn:service:sos>", false),
            ("INVITE sip:1125@a", "To: <sip:1125@a>", true),
        ] {
            let text = request(start, to);
            assert_eq!(begins_something(text.as_bytes(), &numbers()), expected, "{text}");
        }
        assert!(!begins_something(b"SIP/2.0 200 OK\r\nTo: <sip:a>\r\n\r\n", &numbers()));
        for nonsense in [&b""[..], b"\n\n", b"\xff\xff", b"INVITE", b"INVITE \xff SIP/2.0\r\n\r\n"]
        {
            assert!(begins_something(nonsense, &numbers()), "{nonsense:?}");
        }
    }

    #[tokio::test]
    async fn a_flood_of_new_requests_leaves_room_for_the_rest() {
        let dropped = Counter::default();
        let emergency = EmergencyNumbers::default();
        emergency.store(Arc::new(numbers()));
        let (lanes, mut ends) = Lanes::new(emergency, dropped.clone());
        let datagram = |text: &'static str| Arrival::Datagram {
            local: std::net::SocketAddr::from(([127, 0, 0, 1], 5060)),
            remote: std::net::SocketAddr::from(([127, 0, 0, 1], 5061)),
            octets: Bytes::from_static(text.as_bytes()),
        };
        for _ in 0..NEW + 10 {
            lanes.send(datagram("INVITE sip:bob@a SIP/2.0\r\n\r\n")).await.expect("taken");
        }
        lanes.send(datagram("INVITE sip:112@a SIP/2.0\r\n\r\n")).await.expect("taken");
        lanes.send(datagram("BYE sip:a@b SIP/2.0\r\n\r\n")).await.expect("taken");
        assert_eq!((ends.new.len(), ends.other.len(), dropped.get()), (NEW, 2, 10));
        ends.new.close();
        assert_eq!(lanes.send(datagram("INVITE sip:bob@a SIP/2.0\r\n\r\n")).await, Err(Gone));
    }
}
