//! Calls by the thousand: a caller that offers them at a rate, and a callee that takes them, a thread and a socket each.
//!
//! The caller sends an INVITE again that nobody answers, as RFC 3261 section 17.1.1.2 asks, acknowledges, and hangs up as
//! soon as it was answered; a call is done when its BYE was answered. One that is refused is not made again.

use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::sip::{Message, Request, response, unique};

/// How long after the last call answers are waited for.
const TAIL: Duration = Duration::from_secs(8);
/// When something is sent again.
const AGAIN: [u64; 4] = [500, 1_500, 3_500, 7_500];

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
}

impl Drop for Callee {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One call on its way.
struct Call {
    octets: Vec<u8>,
    began: Instant,
    tries: usize,
    is_bye: bool,
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

impl Caller {
    /// Makes the calls; ends when all have an outcome, or a while after the last one.
    #[must_use]
    pub fn run(&self) -> Outcome {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.set_nonblocking(true).expect("non-blocking");
        let local = socket.local_addr().expect("an address");
        let mut outcome = Outcome::default();
        let mut calls: HashMap<String, Call> = HashMap::new();
        let (began, mut buffer) = (Instant::now(), vec![0; 65_535]);
        let total = (self.lasts.as_secs_f64() * f64::from(self.rate)) as usize;
        let mut swept = Instant::now();
        loop {
            let due = (began.elapsed().as_secs_f64() * f64::from(self.rate)) as usize;
            // What is behind is caught up little by little, so that answers are read between.
            for _ in outcome.offered..due.min(total).min(outcome.offered + 32) {
                let id = unique("l");
                let octets = self.invite(local, &id).bytes_from(local);
                let _ = socket.send_to(&octets, self.server);
                let call = Call { octets, began: Instant::now(), tries: 0, is_bye: false };
                calls.insert(id, call);
                outcome.offered += 1;
            }
            let mut is_idle = true;
            for _ in 0..256 {
                match socket.recv_from(&mut buffer) {
                    Ok((length, _)) => {
                        is_idle = false;
                        if let Ok(message) = Message::parse(&buffer[..length]) {
                            self.take(&socket, local, &mut calls, &message, &mut outcome, began);
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => {}
                }
            }
            if swept.elapsed() > Duration::from_millis(50) {
                swept = Instant::now();
                for call in calls.values_mut() {
                    let next = AGAIN.get(call.tries).map(|millis| Duration::from_millis(*millis));
                    if next.is_some_and(|next| call.began.elapsed() >= next) {
                        call.tries += 1;
                        outcome.again += 1;
                        let _ = socket.send_to(&call.octets, self.server);
                    }
                }
            }
            let is_over = outcome.offered >= total;
            if is_over && (calls.is_empty() || began.elapsed() > self.lasts + TAIL) {
                return outcome;
            }
            if is_idle {
                thread::sleep(Duration::from_micros(200));
            }
        }
    }

    fn take(
        &self,
        socket: &UdpSocket,
        local: SocketAddr,
        calls: &mut HashMap<String, Call>,
        message: &Message,
        outcome: &mut Outcome,
        began: Instant,
    ) {
        let (status, cseq) = (message.status(), message.header("cseq").unwrap_or_default());
        let id = message.header("call-id").unwrap_or_default();
        if status < 100 || id.is_empty() {
            return;
        }
        if status < 200 {
            if let Some(call) = calls.get_mut(id) {
                // It does not come again after a provisional response.
                call.tries = AGAIN.len();
            }
            return;
        }
        if cseq.ends_with("BYE") {
            if calls.remove(id).is_some() && status == 200 {
                outcome.done += 1;
                let second = began.elapsed().as_secs() as usize;
                if outcome.each_second.len() <= second {
                    outcome.each_second.resize(second + 1, 0);
                }
                outcome.each_second[second] += 1;
            }
            return;
        }
        let request = self.invite(local, id);
        if status >= 300 {
            let _ = socket.send_to(&request.ack(message).bytes_from(local), self.server);
            if calls.remove(id).is_some() {
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
        let _ = socket.send_to(&ack.bytes_from(local), self.server);
        if let Some(call) = calls.get_mut(id)
            && !call.is_bye
        {
            let octets = bye.bytes_from(local);
            let _ = socket.send_to(&octets, self.server);
            *call = Call { octets, began: Instant::now(), tries: 0, is_bye: true };
        }
    }

    /// The INVITE of a call.
    fn invite(&self, local: SocketAddr, id: &str) -> Request {
        let mut request = Request::new("INVITE", &self.to, &self.from, &self.to);
        request.call_id = id.to_owned();
        request.from_tag = "load".to_owned();
        request.branch = format!("z9hG4bK{id}");
        request.with("Contact", &format!("<sip:load@{local}>"))
    }
}
