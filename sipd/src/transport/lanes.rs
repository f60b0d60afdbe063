//! Two queues to the engine: one for what begins something, one for everything else, which is handled first.
//!
//! A flood of new requests fills the queue of new requests and no other: answers, requests inside dialogs, emergency calls
//! and what happens to connections do not wait behind it. What finds it full is dropped if it came in a datagram, and sent
//! again by its sender; who sends it on a connection waits.
//!
//! While requests wait too long for the engine, what would be turned away is told so here (503), so that all of the engine's
//! time is for what is served; and of that what is told takes little: most of a flood is dropped at a glance.

use super::Arrival;
use super::fates::{Fate, Fates};
use super::sieve::Tallies;
use arc_swap::ArcSwap;
use bytes::Bytes;
use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter, memrchr};
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
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// How many new requests may wait for the engine.
pub(super) const NEW: usize = 4096;
/// How much else may wait; beyond it the sockets' own buffers fill.
pub(super) const OTHER: usize = 8192;

/// For how many other requests a new call counts that waits: its answer, ACK, BYE and what they lead to come before others.
const CALL: usize = 6;

/// In which time it is counted how many are told 503, and looked at: so short that the sockets do not fill while those that it
/// is time for are told one after the other.
const WINDOW: Duration = Duration::from_millis(100);

/// How many 503 the sockets tell in a window, 3,000 in a second; others beyond the engine's time are not answered: to tell takes
/// reading all of the request, making the answer, sending it and hearing the ACK, to drop little more than reading the datagram.
const MOST_TOLD: u64 = 300;

/// How many requests that have credentials the sockets look at in a window, to see whether they answer a challenge of ours.
const MOST_LOOKED_AT: u64 = 1_000;

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
    fates: Arc<Fates>,
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
    /// Set while the system drops some of what is turned away before it is read.
    pub drops_unread: Arc<AtomicBool>,
    numbers: (RandomState, AtomicU64),
    /// Since when windows are counted.
    start: Instant,
    /// What was told in this window.
    told: Count,
    /// What was looked at in this window.
    looked_at: Count,
    /// Finds the names of both header fields with credentials.
    credentials: Finder<'static>,
}

/// What happened in this window: one number in which that of the window stands above it. Threads may lose some, which does not matter.
#[derive(Debug, Default)]
struct Count(AtomicU64);

impl Count {
    /// How many there were in this window.
    fn of(&self, window: u32) -> u64 {
        let all = self.0.load(Ordering::Relaxed);
        if all >> 32 == u64::from(window) { all & u64::from(u32::MAX) } else { 0 }
    }

    /// Takes note of one more, unless there were so many in this window.
    fn take(&self, window: u32, most: u64) -> bool {
        let all = self.of(window);
        let is_within = all < most;
        if is_within {
            self.0.store((u64::from(window) << 32) + all + 1, Ordering::Relaxed);
        }
        is_within
    }
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
            drops_unread: Arc::default(),
            numbers: (RandomState::new(), AtomicU64::new(0)),
            start: Instant::now(),
            told: Count::default(),
            looked_at: Count::default(),
            credentials: Finder::new(b"uthorization"),
        }
    }

    /// Takes note that something new is about to wait for the engine.
    fn hands_over(&self, is_call: bool) {
        if is_call {
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

    /// Whether a new request is turned away when so many others wait. The engine says what it turns away when it has its turn;
    /// until then a flood would have filled the queue, and what it is full of would wait too long.
    fn turns_away(&self, is_call: bool, waiting: usize) -> bool {
        let said = Shedding::from_number(self.level.load(Ordering::Relaxed));
        let level = said.max(Shedding::of_queue(self.work(waiting) * 100 / NEW));
        level != Shedding::Nothing && level.turns_away(is_call, false)
    }

    /// Whether a new request that is turned away is dropped at a glance: its sender is not told, and it has no credentials that
    /// are looked at. Most of a flood ends here.
    fn is_dropped(&self, octets: &[u8], now: Instant) -> bool {
        let window = self.window(now);
        self.told.of(window) >= MOST_TOLD
            && (self.looked_at.of(window) >= MOST_LOOKED_AT
                || self.credentials.find(octets).is_none())
    }

    /// What becomes of a new request that is turned away. Beyond so many in a window there is no answer.
    fn refuse(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
        octets: &[u8],
        now: Instant,
    ) -> Verdict {
        let window = self.window(now);
        let may_be_asked_for = self.credentials.find(octets).is_some();
        let is_looked_at = may_be_asked_for && self.looked_at.take(window, MOST_LOOKED_AT);
        if !is_looked_at && !self.told.take(window, MOST_TOLD) {
            return Verdict::Drop;
        }
        let octets = Bytes::copy_from_slice(octets);
        let Ok(message) = Message::parse(octets, &ParseLimits::default()) else {
            return Verdict::HandOver;
        };
        // What was taken for something new may be folded in an unusual way.
        if message.to_header().is_ok_and(|to| to.tag().is_some()) {
            return Verdict::HandOver;
        }
        if is_looked_at {
            // Who was asked for a password a moment ago was let in then; to refuse it now would waste that.
            if self.answers_challenge(&message) {
                return Verdict::HandOver;
            }
            if !self.told.take(window, MOST_TOLD) {
                return Verdict::Drop;
            }
        }
        self.refused.inc();
        let number = self.numbers.0.hash_one(self.numbers.1.fetch_add(1, Ordering::Relaxed));
        let source = Source { transport: Transport::Udp, local, remote, flow: None };
        match self.refuser.answer(&source, message, number) {
            Some((to, octets)) => Verdict::Answer(to, octets),
            None => Verdict::Drop,
        }
    }

    /// In which window something happens. Their numbers come again after years.
    fn window(&self, now: Instant) -> u32 {
        let windows = now.saturating_duration_since(self.start).as_millis() / WINDOW.as_millis();
        u32::try_from(windows % (1 << 32)).unwrap_or_default()
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
        let fates = Arc::new(Fates::new());
        (Self { new, other, overload, fates }, Receivers { new: new_end, other: other_end })
    }

    /// What the sockets know about how the engine is.
    pub(super) fn overload(&self) -> &Overload {
        &self.overload
    }

    /// Hands a datagram over that came now, or gives the answer that it gets instead, which is to be sent. What becomes of new
    /// requests is counted.
    ///
    /// # Errors
    ///
    /// [`Gone`] when nobody takes it any more.
    pub(super) async fn send_datagram(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
        octets: &[u8],
        now: Instant,
        tallies: &mut Tallies,
    ) -> Result<Option<(Destination, Bytes)>, Gone> {
        let (overload, fates) = (&self.overload, &self.fates);
        let waiting = || {
            let octets = Bytes::copy_from_slice(octets);
            (now, Arrival::Datagram { local, remote, octets })
        };
        if !begins_something(octets, &overload.emergency.load()) {
            let is_ack = octets.starts_with(b"ACK ");
            if is_ack && fates.of(fates.number(remote, octets)) == Some(Fate::Refused) {
                return Ok(None);
            }
            return self.other.send(waiting()).await.map(|()| None).map_err(|_| Gone);
        }
        let is_call = octets.starts_with(b"INVITE ");
        let tally = if is_call { &mut tallies.calls } else { &mut tallies.others };
        tally.came += 1;
        let is_turned_away = overload.turns_away(is_call, NEW - self.new.capacity());
        if is_turned_away && overload.is_dropped(octets, now) {
            tally.dropped += 1;
            return Ok(None);
        }
        let number = fates.number(remote, octets);
        // What was given comes again because it waits, or is served.
        if is_turned_away && fates.of(number) != Some(Fate::Given) {
            match overload.refuse(local, remote, octets, now) {
                Verdict::HandOver => {}
                Verdict::Drop => {
                    tally.dropped += 1;
                    return Ok(None);
                }
                Verdict::Answer(to, answer) => {
                    fates.note(number, Fate::Refused);
                    return Ok(Some((to, answer)));
                }
            }
        }
        overload.hands_over(is_call);
        match self.new.try_send(waiting()) {
            Ok(()) => {
                tally.taken += 1;
                fates.note(number, Fate::Given);
                Ok(None)
            }
            Err(TrySendError::Full((_, arrival))) => {
                overload.taken(&arrival);
                overload.dropped.inc();
                tally.dropped += 1;
                Ok(None)
            }
            Err(TrySendError::Closed(_)) => Err(Gone),
        }
    }

    /// Hands over what came on a connection, or happened to one.
    ///
    /// # Errors
    ///
    /// [`Gone`] when nobody takes it any more.
    pub(super) async fn send(&self, arrival: Arrival) -> Result<(), Gone> {
        let overload = &self.overload;
        let now = Instant::now();
        let sent = match &arrival {
            Arrival::Message { octets, .. }
                if begins_something(octets, &overload.emergency.load()) =>
            {
                overload.hands_over(is_call(&arrival));
                self.new.send((now, arrival)).await
            }
            // What ends a connection does not overtake what came on it.
            Arrival::Malformed { .. } | Arrival::Closed { .. } => {
                self.new.send((now, arrival)).await
            }
            _ => self.other.send((now, arrival)).await,
        };
        sent.map_err(|_| Gone)
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
    let mut ends = memchr_iter(b'\n', octets);
    let Some(mut end) = ends.next() else { return true };
    let mut words = octets.get(..end).unwrap_or_default().split(|octet| *octet == b' ');
    let method = words.next().unwrap_or_default();
    if matches!(method, b"SIP/2.0" | b"ACK" | b"CANCEL" | b"BYE" | b"PRACK" | b"UPDATE") {
        return false;
    }
    if method == b"INVITE" && is_emergency(words.next().unwrap_or_default(), emergency) {
        return false;
    }
    for next in ends {
        let line = octets.get(end + 1..next).unwrap_or_default();
        end = next;
        match line.first() {
            None | Some(b'\r') => return true,
            Some(b't' | b'T') => {}
            Some(_) => continue,
        }
        let Some(colon) = memchr(b':', line) else { continue };
        let name = line.get(..colon).unwrap_or_default().trim_ascii_end();
        if name.eq_ignore_ascii_case(b"to") || name.eq_ignore_ascii_case(b"t") {
            let parameters =
                memrchr(b'>', line).map_or(line, |end| line.get(end..).unwrap_or_default());
            return !parameters.windows(5).any(|word| word.eq_ignore_ascii_case(b";tag="));
        }
    }
    true
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

    fn request(method: &str, uri: &str, to: &str, branch: u32) -> String {
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{branch};rport\r\n\
             From: <sip:a@b>;tag=1\r\nTo: {to}\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\n\r\n"
        )
    }

    /// Sends a request in a datagram, which has a branch of its own; the answer.
    async fn send(lanes: &Lanes, request: String) -> Result<Option<(Destination, Bytes)>, Gone> {
        let local = SocketAddr::from(([127, 0, 0, 1], 5060));
        let remote = SocketAddr::from(([127, 0, 0, 1], 5061));
        let (now, tallies) = (Instant::now(), &mut Tallies::default());
        lanes.send_datagram(local, remote, request.as_bytes(), now, tallies).await
    }

    #[tokio::test]
    async fn a_flood_of_new_requests_leaves_room_for_the_rest() {
        let overload = Arc::new(overload());
        let (lanes, mut ends) = Lanes::new(Arc::clone(&overload));
        let new = |branch| request("INVITE", "sip:bob@a", "<sip:bob@a>", branch);
        let (most, mut told) = (3 * NEW / 4 / CALL, 0);
        for number in 0..u32::try_from(most + 200).expect("a number") {
            told += usize::from(send(&lanes, new(number)).await.expect("taken").is_some());
        }
        // Nobody has said yet that calls are turned away.
        assert_eq!((ends.new.len(), told), (most, 200));
        for (method, uri) in [("INVITE", "sip:112@a"), ("BYE", "sip:bob@a")] {
            let request = request(method, uri, "<sip:bob@a>", 1);
            assert_eq!(send(&lanes, request).await, Ok(None));
        }
        // Those that wait come again.
        for number in (0..u32::try_from(most).expect("a number")).cycle().take(NEW) {
            assert_eq!(send(&lanes, new(number)).await, Ok(None));
        }
        assert_eq!((ends.new.len(), ends.other.len(), overload.dropped.get()), (NEW, 2, 512));
        // A call counts for more than a registration does, and no more once it was taken.
        assert_eq!(overload.work(ends.new.len()), NEW * CALL);
        for left in (0..NEW).rev() {
            let (_, arrival) = ends.new.try_recv().expect("what waits");
            overload.taken(&arrival);
            assert_eq!(overload.work(ends.new.len()), left * CALL);
        }
        let register = request("REGISTER", "sip:a", "<sip:bob@a>", 1);
        assert_eq!(send(&lanes, register).await, Ok(None));
        assert_eq!(overload.work(ends.new.len()), 1);
        ends.new.close();
        assert_eq!(send(&lanes, new(1)).await, Err(Gone));
    }

    #[tokio::test]
    async fn what_is_turned_away_is_told_so_before_the_engine_sees_it() {
        let overload = Arc::new(overload());
        let (mut told, mut handed_over) = (Vec::new(), 0);
        for level in [Shedding::Nothing, Shedding::Registrations, Shedding::Calls] {
            let (lanes, ends) = Lanes::new(Arc::clone(&overload));
            overload.level.store(level.number(), Ordering::Relaxed);
            for (branch, (method, uri, to)) in (0..).zip([
                ("REGISTER", "sip:a", "<sip:bob@a>"),
                ("INVITE", "sip:bob@a", "<sip:bob@a>"),
                ("INVITE", "sip:bob@a", "<sip:bob@a>;tag=x"),
                ("INVITE", "sip:bob@a", "<sip:bob@a>\r\n ;tag=x"),
                ("INVITE", "sip:112@a", "<sip:112@a>"),
            ]) {
                let answer = send(&lanes, request(method, uri, to, branch)).await.expect("taken");
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
        let call = |branch| request("INVITE", "sip:bob@a", "<sip:bob@a>", branch);
        assert_eq!(send(&lanes, call(1)).await, Ok(None));
        overload.level.store(Shedding::Calls.number(), Ordering::Relaxed);
        assert_eq!(send(&lanes, call(1)).await, Ok(None), "RFC 3261 section 17.2.1");
        assert!(send(&lanes, call(2)).await.expect("taken").is_some());
        let again = send(&lanes, call(2)).await.expect("taken");
        assert!(again.is_some(), "what was refused is refused again");
        assert_eq!(ends.new.len(), 2);
    }

    #[tokio::test]
    async fn the_engine_does_not_hear_the_ack_of_a_refusal() {
        let overload = Arc::new(overload());
        let (lanes, ends) = Lanes::new(Arc::clone(&overload));
        let of = |method, branch| request(method, "sip:bob@a", "<sip:bob@a>;tag=x", branch);
        let call = |branch| request("INVITE", "sip:bob@a", "<sip:bob@a>", branch);
        assert_eq!(send(&lanes, call(1)).await, Ok(None));
        overload.level.store(Shedding::Calls.number(), Ordering::Relaxed);
        assert!(send(&lanes, call(2)).await.expect("taken").is_some());
        for ack in [of("ACK", 1), of("ACK", 2), of("ACK", 3)] {
            assert_eq!(send(&lanes, ack).await, Ok(None));
        }
        assert_eq!(ends.other.len(), 2, "the second one was for the refusal");
        // It comes again when there is time for it: from then on its ACK is that of the answer it gets.
        overload.level.store(Shedding::Nothing.number(), Ordering::Relaxed);
        for request in [call(2), of("ACK", 2), of("BYE", 2)] {
            assert_eq!(send(&lanes, request).await, Ok(None));
        }
        assert_eq!((ends.new.len(), ends.other.len()), (2, 4));
    }

    #[tokio::test]
    async fn who_answers_a_challenge_is_let_in() {
        let overload = Arc::new(overload());
        let (lanes, ends) = Lanes::new(Arc::clone(&overload));
        overload.level.store(Shedding::Calls.number(), Ordering::Relaxed);
        let nonce = overload.nonces.0.make("a", wall_clock(), [1; 8]);
        let old = overload.nonces.0.make("a", wall_clock() - 400_000, [1; 8]);
        let mut told = Vec::new();
        for (branch, (nonce, realm)) in (0..).zip([(&nonce, "a"), (&nonce, "b"), (&old, "a")]) {
            let credentials = format!(
                "<sip:bob@a>\r\nProxy-Authorization: Digest username=\"x\", realm=\"{realm}\", \
                 nonce=\"{nonce}\", uri=\"sip:bob@a\", response=\"{:032}\"",
                0
            );
            let sent = send(&lanes, request("INVITE", "sip:bob@a", &credentials, branch)).await;
            told.push(sent.expect("taken").is_some());
        }
        assert_eq!((told, ends.new.len()), (vec![false, true, true], 1));
    }

    #[test]
    fn so_many_in_a_window() {
        let count = Count::default();
        for window in [0, 1, u32::MAX, 0] {
            let taken = (0..5).filter(|_| count.take(window, 3)).count();
            assert_eq!((taken, count.of(window)), (3, 3), "window {window}");
        }
    }

    #[tokio::test]
    async fn there_are_only_so_many_answers() {
        let overload = Arc::new(overload());
        let (lanes, ends) = Lanes::new(Arc::clone(&overload));
        overload.level.store(Shedding::Calls.number(), Ordering::Relaxed);
        let window = || u64::from(overload.window(Instant::now()));
        let (began, mut told) = (window(), 0);
        for number in 0..=2 * u32::try_from(MOST_TOLD).expect("a number") {
            let call = request("INVITE", "sip:bob@a", "<sip:bob@a>", number);
            told += u64::from(send(&lanes, call).await.expect("taken").is_some());
        }
        assert!((MOST_TOLD..=MOST_TOLD * (window() - began + 1)).contains(&told), "{told}");
        assert_eq!((overload.refused.get(), ends.new.len()), (told, 0));
    }
}
