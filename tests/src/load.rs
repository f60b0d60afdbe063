//! Calls by the thousand: a caller that offers them at a rate, and a callee that takes them.
//!
//! The caller sends an INVITE again that nobody answers, as RFC 3261 section 17.1.1.2 asks, acknowledges, and hangs up as
//! soon as it was answered; a call is done when its BYE was answered. One that is refused is not made again. It offers in one
//! thread and takes answers in another, since those who call are many in truth: none is late because others call.

use std::collections::{BTreeMap, HashMap};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::sip::{Message, Request, response, unique};

/// How long after the last call answers are waited for.
const TAIL: Duration = Duration::from_secs(8);
/// When something is sent again, in milliseconds after it was sent first.
const AGAIN: [u64; 4] = [500, 1_500, 3_500, 7_500];
/// How long a thread with nothing to do sleeps.
const PAUSE: Duration = Duration::from_micros(500);
/// How many octets may wait in a socket, as far as the system grants them.
const BUFFER: usize = 4 << 20;
/// How many digits the number of a call has.
const DIGITS: usize = 8;

/// What came of calls.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Calls that were offered.
    pub offered: usize,
    /// Calls that were answered and ended.
    pub done: usize,
    /// Calls that were refused, by status.
    pub refused: BTreeMap<u16, usize>,
    /// Messages that were sent again.
    pub again: usize,
    /// How many calls were done in each second.
    pub each_second: Vec<usize>,
    /// Datagrams that found the caller's own socket full: when there are any, it was the caller that was too slow.
    pub lost: u64,
}

/// A callee that takes every call at once, until it is dropped.
#[derive(Debug)]
pub struct Callee {
    socket: UdpSocket,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Callee {
    /// Answers what comes to a socket.
    #[must_use]
    pub fn start(socket: UdpSocket) -> Self {
        widen(&socket);
        let ends = Arc::new(AtomicBool::new(false));
        let (own, stop) = (socket.try_clone().expect("a socket"), Arc::clone(&ends));
        let thread = thread::spawn(move || {
            let contact = format!("<sip:callee@{}>", own.local_addr().expect("an address"));
            own.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
            let mut buffer = vec![0; 65_535];
            while !stop.load(Ordering::Relaxed) {
                let Ok((length, from)) = own.recv_from(&mut buffer) else { continue };
                let Ok(message) = Message::parse(&buffer[..length]) else { continue };
                let tag = message.header("call-id").unwrap_or_default().to_owned();
                let answer = match message.method() {
                    "" | "ACK" => continue,
                    _ => response(&message, "200 OK", &tag, &[("Contact", &contact)]),
                };
                let _ = own.send_to(&answer, from);
            }
        });
        Self { socket, ends, thread: Some(thread) }
    }

    /// Its address.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.socket.local_addr().expect("an address")
    }

    /// How many datagrams found its socket full.
    #[must_use]
    pub fn lost(&self) -> u64 {
        lost(self.local())
    }
}

impl Drop for Callee {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Offers calls from a URI to another at a rate.
#[derive(Debug)]
pub struct Caller {
    /// The server.
    pub server: SocketAddr,
    /// The URI of From.
    pub from: String,
    /// The URI that is called.
    pub to: String,
    /// Calls in a second.
    pub rate: u32,
    /// For so long.
    pub lasts: Duration,
}

/// Whether anything was heard of a call: nothing yet, so that its INVITE is sent again; something; how it ended.
const SILENT: u8 = 0;
const HEARD: u8 = 1;
const OVER: u8 = 2;

/// A run of calls, by their numbers.
struct Calls<'c> {
    caller: &'c Caller,
    socket: UdpSocket,
    local: SocketAddr,
    /// What all Call-IDs begin with.
    prefix: String,
    heard: Vec<AtomicU8>,
    /// How many have ended.
    over: AtomicUsize,
    offered: AtomicUsize,
    again: AtomicUsize,
    began: Instant,
    /// Nobody listens any more.
    ends: AtomicBool,
}

/// A BYE that was not answered yet.
struct Bye {
    octets: Vec<u8>,
    began: Instant,
    tries: usize,
}

impl Caller {
    /// Makes the calls; ends when all have an outcome, or a while after the last one.
    #[must_use]
    pub fn run(&self) -> Outcome {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        widen(&socket);
        socket.connect(self.server).expect("connected");
        socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        let total = (self.lasts.as_secs_f64() * f64::from(self.rate)) as usize;
        let calls = Calls {
            caller: self,
            local: socket.local_addr().expect("an address"),
            socket,
            prefix: unique("l"),
            heard: std::iter::repeat_with(|| AtomicU8::new(SILENT)).take(total).collect(),
            over: AtomicUsize::new(0),
            offered: AtomicUsize::new(0),
            again: AtomicUsize::new(0),
            began: Instant::now(),
            ends: AtomicBool::new(false),
        };
        thread::scope(|scope| {
            scope.spawn(|| calls.offer());
            calls.listen()
        })
    }
}

impl Calls<'_> {
    /// Sends each INVITE when it is due, and again while nothing is heard.
    fn offer(&self) {
        let mut octets = self.invite(&self.id(0)).bytes_from(self.local);
        let first = self.id(0);
        let places: Vec<usize> = (0..octets.len())
            .filter(|at| octets[*at..].starts_with(first.as_bytes()))
            .map(|at| at + self.prefix.len())
            .collect();
        // How many were sent the first time, the second time and so on: all are sent in the same order.
        let mut sent = [0; AGAIN.len() + 1];
        while !self.ends.load(Ordering::Relaxed) && sent[AGAIN.len()] < self.heard.len() {
            let mut is_idle = true;
            for (turn, sent) in sent.iter_mut().enumerate() {
                let delay = turn.checked_sub(1).map_or(0, |turn| AGAIN[turn]);
                let since = self.began.elapsed().checked_sub(Duration::from_millis(delay));
                let due = since.unwrap_or_default().as_secs_f64() * f64::from(self.caller.rate);
                for number in *sent..(due as usize).min(self.heard.len()).min(*sent + 32) {
                    *sent = number + 1;
                    if turn > 0 && self.heard[number].load(Ordering::Relaxed) != SILENT {
                        continue;
                    }
                    is_idle = false;
                    let digits = format!("{number:0DIGITS$}");
                    for place in &places {
                        octets[*place..*place + DIGITS].copy_from_slice(digits.as_bytes());
                    }
                    let _ = self.socket.send(&octets);
                    let counter = if turn == 0 { &self.offered } else { &self.again };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            }
            if is_idle {
                thread::sleep(PAUSE);
            }
        }
    }

    /// Takes what is answered until nothing is to be expected any more.
    fn listen(&self) -> Outcome {
        let (mut outcome, mut byes) = (Outcome::default(), HashMap::new());
        let (mut buffer, mut swept) = (vec![0; 65_535], Instant::now());
        loop {
            if let Ok(length) = self.socket.recv(&mut buffer)
                && let Ok(message) = Message::parse(&buffer[..length])
            {
                self.take(&message, &mut byes, &mut outcome);
            }
            if swept.elapsed() < Duration::from_millis(50) {
                continue;
            }
            swept = Instant::now();
            for bye in byes.values_mut() {
                let Bye { octets, began, tries } = bye;
                let next = AGAIN.get(*tries).map(|millis| Duration::from_millis(*millis));
                if next.is_some_and(|next| began.elapsed() >= next) {
                    *tries += 1;
                    self.again.fetch_add(1, Ordering::Relaxed);
                    let _ = self.socket.send(octets);
                }
            }
            let is_over = self.over.load(Ordering::Relaxed) == self.heard.len();
            if is_over || self.began.elapsed() > self.caller.lasts + TAIL {
                self.ends.store(true, Ordering::Relaxed);
                outcome.offered = self.offered.load(Ordering::Relaxed);
                outcome.again = self.again.load(Ordering::Relaxed);
                outcome.lost = lost(self.local);
                return outcome;
            }
        }
    }

    fn take(&self, message: &Message, byes: &mut HashMap<usize, Bye>, outcome: &mut Outcome) {
        let (status, cseq) = (message.status(), message.header("cseq").unwrap_or_default());
        let id = message.header("call-id").unwrap_or_default();
        let number = id.strip_prefix(&self.prefix).and_then(|digits| digits.parse().ok());
        let Some((number, heard)) =
            number.and_then(|number: usize| self.heard.get(number).map(|heard| (number, heard)))
        else {
            return;
        };
        if status < 200 {
            // It does not come again after a provisional response.
            heard.fetch_max(HEARD, Ordering::Relaxed);
            return;
        }
        if cseq.ends_with("BYE") {
            if byes.remove(&number).is_some() && status == 200 {
                self.is_over(heard);
                outcome.done += 1;
                let second = self.began.elapsed().as_secs() as usize;
                if outcome.each_second.len() <= second {
                    outcome.each_second.resize(second + 1, 0);
                }
                outcome.each_second[second] += 1;
            }
            return;
        }
        let request = self.invite(id);
        if status >= 300 {
            let _ = self.socket.send(&request.ack(message).bytes_from(self.local));
            if self.is_over(heard) {
                *outcome.refused.entry(status).or_default() += 1;
            }
            return;
        }
        let bye = request.bye(message);
        let ack = Request {
            method: "ACK".to_owned(),
            cseq: 1,
            branch: format!("z9hG4bK{id}a"),
            ..bye.clone()
        };
        let _ = self.socket.send(&ack.bytes_from(self.local));
        if heard.fetch_max(HEARD, Ordering::Relaxed) != OVER {
            byes.entry(number).or_insert_with(|| {
                let octets = bye.bytes_from(self.local);
                let _ = self.socket.send(&octets);
                Bye { octets, began: Instant::now(), tries: 0 }
            });
        }
    }

    /// Takes note that a call is over; whether it was not before.
    fn is_over(&self, heard: &AtomicU8) -> bool {
        let is_new = heard.swap(OVER, Ordering::Relaxed) != OVER;
        self.over.fetch_add(usize::from(is_new), Ordering::Relaxed);
        is_new
    }

    /// The Call-ID of a call.
    fn id(&self, number: usize) -> String {
        format!("{}{number:0DIGITS$}", self.prefix)
    }

    /// The INVITE of a call.
    fn invite(&self, id: &str) -> Request {
        let Caller { from, to, .. } = self.caller;
        let mut request = Request::new("INVITE", to, from, to);
        request.call_id = id.to_owned();
        request.from_tag = "load".to_owned();
        request.branch = format!("z9hG4bK{id}");
        request.with("Contact", &format!("<sip:load@{}>", self.local))
    }
}

/// Gives a socket room for a burst.
fn widen(socket: &UdpSocket) {
    // The system may grant less; what is lost for want of room is counted.
    let _ = socket2::SockRef::from(socket).set_recv_buffer_size(BUFFER);
}

/// How many datagrams found the socket at an IPv4 address full; 0 where the system does not tell.
fn lost(local: SocketAddr) -> u64 {
    let sockets = std::fs::read_to_string("/proc/net/udp").unwrap_or_default();
    let port = format!(":{:04X}", local.port());
    let of_port = |line: &&str| {
        line.split_whitespace().nth(1).is_some_and(|address| address.ends_with(&port))
    };
    let drops = |line: &str| -> Option<u64> {
        line.split_whitespace().last().and_then(|drops| drops.parse().ok())
    };
    sockets.lines().filter(of_port).filter_map(drops).sum()
}
