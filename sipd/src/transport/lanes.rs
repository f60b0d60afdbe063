//! Two queues to the engine: one for what begins something, one for everything else, which is handled first.
//!
//! A flood of new requests fills the queue of new requests and no other: answers, requests inside dialogs, emergency calls
//! and what happens to connections do not wait behind it. What finds it full is dropped if it came in a datagram, and sent
//! again by its sender; who sends it on a connection waits.
//!
//! While requests wait too long for the engine, what would be turned away is told so here (503), so that all of the engine's
//! time is for what is served.

use super::Arrival;
use super::given::Given;
use arc_swap::ArcSwap;
use bytes::Bytes;
use ngn_daemon::wall_clock;
use ngn_sip::digest::NonceKey;
use ngn_sip::digest::nonce::NonceState;
use ngn_sip::header::{Authorization, HeaderName, Transport};
use ngn_sip::message::{Limits as ParseLimits, Message, Method};
use ngn_sip::stack::{Destination, Refuser, Shedding, Source};
use prometheus_client::metrics::counter::Counter;
use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// How many new requests may wait for the engine.
pub(super) const NEW: usize = 1024;
/// How much else may wait; beyond it the sockets' own buffers fill.
pub(super) const OTHER: usize = 8192;

/// For how many other requests a new call counts that waits: its answer, ACK, BYE and what they lead to come before others.
const CALL: usize = 6;

/// How many 503 the sockets tell in a second; others beyond the engine's time are not answered.
const MOST_TOLD: u64 = 10_000;

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
    overload: Arc<Overload>,
    given: Arc<Given>,
}

/// What becomes of a new request in a datagram.
enum Verdict {
    /// The engine gets it.
    HandOver,
    /// Nobody hears of it.
    Drop,
    /// Its sender is told this, and where that goes.
    Answer(Destination, Bytes),
}

/// What the sockets know about how the engine is.
#[derive(Debug)]
pub struct Overload {
    /// Numbers that are emergency numbers.
    pub emergency: EmergencyNumbers,
    /// What is turned away, as [`Shedding::number`] says.
    pub level: AtomicU8,
    /// Says so.
    pub refuser: Refuser,
    /// Makes nonces, which are good for so many milliseconds.
    pub nonces: (NonceKey, i64),
    /// New calls that wait for the engine.
    waiting_calls: AtomicUsize,
    /// Counts datagrams that found their queue full.
    pub dropped: Counter,
    /// Counts requests that were told 503.
    pub refused: Counter,
    numbers: (RandomState, AtomicU64),
    /// How much may be told in this second, and which that is.
    told: (AtomicU64, Instant),
}

impl Overload {
    /// Nothing is turned away yet.
    #[must_use]
    pub fn new(
        emergency: EmergencyNumbers,
        refuser: Refuser,
        nonces: (NonceKey, i64),
        [dropped, refused]: [Counter; 2],
    ) -> Self {
        Self {
            emergency,
            level: AtomicU8::new(0),
            refuser,
            nonces,
            waiting_calls: AtomicUsize::new(0),
            dropped,
            refused,
            numbers: (RandomState::new(), AtomicU64::new(0)),
            told: (AtomicU64::new(0), Instant::now()),
        }
    }

    /// Takes note that something new is about to wait for the engine.
    fn hands_over(&self, arrival: &Arrival) {
        if is_call(arrival) {
            self.waiting_calls.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes note that the engine has something that was new.
    pub fn taken(&self, arrival: &Arrival) {
        if is_call(arrival) {
            self.waiting_calls.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// How much new work waits when so many requests do, in requests.
    #[must_use]
    pub fn work(&self, requests: usize) -> usize {
        requests + self.waiting_calls.load(Ordering::Relaxed) * (CALL - 1)
    }

    /// Whether a request has credentials for a nonce of ours that is still good.
    fn answers_challenge(&self, request: &Message) -> bool {
        let name = match request.method() {
            Some(Method::Register) => HeaderName::Authorization,
            _ => HeaderName::ProxyAuthorization,
        };
        let (nonces, lifetime) = &self.nonces;
        request.authorizations(name).any(|field| match field {
            Ok(Authorization::Digest(found)) => {
                let state = nonces.check(&found.nonce, &found.realm, wall_clock(), *lifetime);
                matches!(state, NonceState::Valid { .. })
            }
            _ => false,
        })
    }

    /// Whether a datagram is turned away, and with what answer. Beyond so many in a second there is none.
    fn refuse(&self, local: SocketAddr, remote: SocketAddr, octets: &Bytes) -> Verdict {
        let level = Shedding::from_number(self.level.load(Ordering::Relaxed));
        if level == Shedding::Nothing {
            return Verdict::HandOver;
        }
        let is_call = octets.starts_with(b"INVITE ");
        if !level.turns_away(is_call, false) {
            return Verdict::HandOver;
        }
        // One number in which the second stands above what was told in it. Threads may lose some, which does not matter.
        let second = self.told.1.elapsed().as_secs() << 32;
        let told = self.told.0.load(Ordering::Relaxed);
        let told = if told >> 32 << 32 == second { told } else { second };
        if told - second >= MOST_TOLD {
            return Verdict::Drop;
        }
        let Ok(message) = Message::parse(octets.clone(), &ParseLimits::default()) else {
            return Verdict::HandOver;
        };
        // What was taken for something new may be folded in an unusual way.
        if message.to_header().is_ok_and(|to| to.tag().is_some()) {
            return Verdict::HandOver;
        }
        // Who was asked for a password a moment ago was let in then; to refuse it now would waste that.
        if self.answers_challenge(&message) {
            return Verdict::HandOver;
        }
        self.told.0.store(told + 1, Ordering::Relaxed);
        self.refused.inc();
        let number = self.numbers.0.hash_one(self.numbers.1.fetch_add(1, Ordering::Relaxed));
        let source = Source { transport: Transport::Udp, local, remote, flow: None };
        match self.refuser.answer(&source, message, number) {
            Some((to, octets)) => Verdict::Answer(to, octets),
            None => Verdict::Drop,
        }
    }
}

/// The engine is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gone;

impl Lanes {
    /// Both queues.
    #[must_use]
    pub fn new(overload: Arc<Overload>) -> (Self, Receivers) {
        let (new, new_end) = mpsc::channel(NEW);
        let (other, other_end) = mpsc::channel(OTHER);
        let given = Arc::new(Given::new());
        (Self { new, other, overload, given }, Receivers { new: new_end, other: other_end })
    }

    /// Hands something over, or gives the answer that it gets instead, which is to be sent.
    ///
    /// # Errors
    ///
    /// [`Gone`] when nobody takes it any more.
    pub(super) async fn send(
        &self,
        arrival: Arrival,
    ) -> Result<Option<(Destination, Bytes)>, Gone> {
        let overload = &self.overload;
        let is_new = |octets: &Bytes| begins_something(octets, &overload.emergency.load());
        let now = Instant::now();
        let sent = match &arrival {
            Arrival::Datagram { local, remote, octets } if is_new(octets) => {
                let number = self.given.number(*remote, octets);
                let verdict = match self.given.has(number) {
                    // It is sent again because it waits, or is served.
                    true => Verdict::HandOver,
                    false => overload.refuse(*local, *remote, octets),
                };
                match verdict {
                    Verdict::HandOver => {}
                    Verdict::Drop => return Ok(None),
                    Verdict::Answer(to, answer) => return Ok(Some((to, answer))),
                }
                overload.hands_over(&arrival);
                return match self.new.try_send((now, arrival)) {
                    Ok(()) => {
                        self.given.note(number);
                        Ok(None)
                    }
                    Err(TrySendError::Full((_, arrival))) => {
                        overload.taken(&arrival);
                        overload.dropped.inc();
                        Ok(None)
                    }
                    Err(TrySendError::Closed(_)) => Err(Gone),
                };
            }
            Arrival::Message { octets, .. } if is_new(octets) => {
                overload.hands_over(&arrival);
                self.new.send((now, arrival)).await
            }
            // What ends a connection does not overtake what came on it.
            Arrival::Malformed { .. } | Arrival::Closed { .. } => {
                self.new.send((now, arrival)).await
            }
            _ => self.other.send((now, arrival)).await,
        };
        sent.map(|()| None).map_err(|_| Gone)
    }
}

fn is_call(arrival: &Arrival) -> bool {
    match arrival {
        Arrival::Datagram { octets, .. } | Arrival::Message { octets, .. } => {
            octets.starts_with(b"INVITE ")
        }
        _ => false,
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

    fn overload() -> Overload {
        let secret = ngn_sip::stack::Secret::from_bytes([1; 32]);
        let refuser = Refuser::of(&ngn_sip::stack::Config::new(secret, Vec::new()));
        let emergency = EmergencyNumbers::default();
        emergency.store(Arc::new(numbers()));
        let nonces = (NonceKey::from_bytes([1; 32]), 300_000);
        Overload::new(emergency, refuser, nonces, [Counter::default(), Counter::default()])
    }

    fn datagram(method: &str, uri: &str, to: &str) -> Arrival {
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1;rport\r\n\
             From: <sip:a@b>;tag=1\r\nTo: {to}\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\n\r\n"
        );
        Arrival::Datagram {
            local: SocketAddr::from(([127, 0, 0, 1], 5060)),
            remote: SocketAddr::from(([127, 0, 0, 1], 5061)),
            octets: text.into(),
        }
    }

    #[tokio::test]
    async fn a_flood_of_new_requests_leaves_room_for_the_rest() {
        let overload = Arc::new(overload());
        let (lanes, mut ends) = Lanes::new(Arc::clone(&overload));
        let new = || datagram("INVITE", "sip:bob@a", "<sip:bob@a>");
        for _ in 0..NEW + 10 {
            assert_eq!(lanes.send(new()).await, Ok(None));
        }
        for (method, uri) in [("INVITE", "sip:112@a"), ("BYE", "sip:bob@a")] {
            assert_eq!(lanes.send(datagram(method, uri, "<sip:bob@a>")).await, Ok(None));
        }
        assert_eq!((ends.new.len(), ends.other.len(), overload.dropped.get()), (NEW, 2, 10));
        // A call counts for more than a registration does, and no more once it was taken.
        assert_eq!(overload.work(ends.new.len()), NEW * CALL);
        for left in (0..NEW).rev() {
            let (_, arrival) = ends.new.try_recv().expect("what waits");
            overload.taken(&arrival);
            assert_eq!(overload.work(ends.new.len()), left * CALL);
        }
        assert_eq!(lanes.send(datagram("REGISTER", "sip:a", "<sip:bob@a>")).await, Ok(None));
        assert_eq!(overload.work(ends.new.len()), 1);
        ends.new.close();
        assert_eq!(lanes.send(new()).await, Err(Gone));
    }

    #[tokio::test]
    async fn what_is_turned_away_is_told_so_before_the_engine_sees_it() {
        let overload = Arc::new(overload());
        let (mut told, mut handed_over) = (Vec::new(), 0);
        for level in [Shedding::Nothing, Shedding::Registrations, Shedding::Calls] {
            let (lanes, ends) = Lanes::new(Arc::clone(&overload));
            overload.level.store(level.number(), Ordering::Relaxed);
            for (method, uri, to) in [
                ("REGISTER", "sip:a", "<sip:bob@a>"),
                ("INVITE", "sip:bob@a", "<sip:bob@a>"),
                ("INVITE", "sip:bob@a", "<sip:bob@a>;tag=x"),
                ("INVITE", "sip:bob@a", "<sip:bob@a>\r\n ;tag=x"),
                ("INVITE", "sip:112@a", "<sip:112@a>"),
            ] {
                let answer = lanes.send(datagram(method, uri, to)).await.expect("taken");
                told.push(answer.is_some());
                if let Some((to, octets)) = answer {
                    assert_eq!(to.remote, SocketAddr::from(([127, 0, 0, 1], 5061)));
                    let text = String::from_utf8(octets.to_vec()).expect("text");
                    assert!(text.starts_with("SIP/2.0 503 ") && text.contains("Retry-After: "));
                }
            }
            handed_over += ends.new.len() + ends.other.len();
        }
        let (n, y) = (false, true);
        assert_eq!(told, [n, n, n, n, n, y, n, n, n, n, y, y, n, n, n]);
        assert_eq!((handed_over, overload.refused.get()), (12, 3));
    }

    #[tokio::test]
    async fn what_is_served_is_not_refused_when_it_comes_again() {
        let overload = Arc::new(overload());
        let (lanes, ends) = Lanes::new(Arc::clone(&overload));
        let call = |to: &str| datagram("INVITE", "sip:bob@a", to);
        assert_eq!(lanes.send(call("<sip:bob@a>")).await, Ok(None));
        overload.level.store(Shedding::Calls.number(), Ordering::Relaxed);
        assert_eq!(lanes.send(call("<sip:bob@a>")).await, Ok(None), "RFC 3261 section 17.2.1");
        assert!(lanes.send(call("<sip:eve@a>")).await.expect("taken").is_some());
        let again = lanes.send(call("<sip:eve@a>")).await.expect("taken");
        assert!(again.is_some(), "what was refused is refused again");
        assert_eq!(ends.new.len(), 2);
    }

    #[tokio::test]
    async fn who_answers_a_challenge_is_let_in() {
        let overload = Arc::new(overload());
        let (lanes, ends) = Lanes::new(Arc::clone(&overload));
        overload.level.store(Shedding::Calls.number(), Ordering::Relaxed);
        let nonce = overload.nonces.0.make("a", wall_clock(), [1; 8]);
        let old = overload.nonces.0.make("a", wall_clock() - 400_000, [1; 8]);
        let mut told = Vec::new();
        for (nonce, realm) in [(&nonce, "a"), (&nonce, "b"), (&old, "a")] {
            let credentials = format!(
                "<sip:bob@a>\r\nProxy-Authorization: Digest username=\"x\", realm=\"{realm}\", \
                 nonce=\"{nonce}\", uri=\"sip:bob@a\", response=\"{:032}\"",
                0
            );
            let sent = lanes.send(datagram("INVITE", "sip:bob@a", &credentials)).await;
            told.push(sent.expect("taken").is_some());
        }
        assert_eq!((told, ends.new.len()), (vec![false, true, true], 1));
    }

    #[tokio::test]
    async fn there_are_only_so_many_answers() {
        let overload = Arc::new(overload());
        let (lanes, _ends) = Lanes::new(Arc::clone(&overload));
        overload.level.store(Shedding::Calls.number(), Ordering::Relaxed);
        let second = overload.told.1.elapsed().as_secs() << 32;
        overload.told.0.store(second + MOST_TOLD, Ordering::Relaxed);
        let answer = lanes.send(datagram("INVITE", "sip:bob@a", "<sip:bob@a>")).await;
        let is_same_second = overload.told.1.elapsed().as_secs() << 32 == second;
        assert!(answer == Ok(None) || !is_same_second);
    }
}
