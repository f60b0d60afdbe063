//! Many phones behind one UDP socket: they send at a pace, answer challenges and calls, and repeat what is not answered.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::sip::{Message, Phone, Request, response, unique};

/// T1 and T2 of RFC 3261 section 17.1.1.1.
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
/// Timers B and F of RFC 3261: after that nobody answers any more. Twice as long, since what is measured shares its
/// machine with others.
const GIVEN_UP: Duration = Duration::from_secs(64);
/// How often a request is sent with new credentials.
const CHALLENGES: u32 = 3;

/// A request that one of the crowd sends.
#[derive(Debug, Clone)]
pub struct Job {
    /// The request.
    pub request: Request,
    /// The user name of its credentials; the password is `secret`.
    pub user: String,
}

/// What became of a request.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The request as it was sent last.
    pub request: Request,
    /// Its final response; none when nobody answered.
    pub response: Option<Message>,
    /// When it was first sent.
    pub sent: Instant,
    /// When its final response came.
    pub done: Instant,
}

impl Outcome {
    /// The final status; 0 when nobody answered.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.response.as_ref().map_or(0, Message::status)
    }
}

/// How fast a crowd sends.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// New requests in a second.
    pub per_second: u32,
    /// The most requests without a final response.
    pub in_flight: usize,
}

#[derive(Debug)]
struct Pending {
    place: usize,
    job: Job,
    bytes: Vec<u8>,
    challenges: u32,
    sent: Instant,
    next: Instant,
    wait: Duration,
    is_proceeding: bool,
}

/// A 200 to an INVITE that is repeated until its ACK comes (RFC 3261 section 13.3.1.4).
#[derive(Debug)]
struct Unacknowledged {
    bytes: Vec<u8>,
    since: Instant,
    next: Instant,
    wait: Duration,
}

/// Phones behind one socket.
#[derive(Debug)]
pub struct Crowd {
    phone: Phone,
    /// By Call-ID and CSeq.
    pending: HashMap<(String, String), Pending>,
    /// ACKs for 2xx, by Call-ID and CSeq number, for when a 2xx comes again.
    acks: HashMap<(String, String), Vec<u8>>,
    unacknowledged: HashMap<(String, String), Unacknowledged>,
    /// The first INVITE of each call that came, by Call-ID.
    calls: HashMap<String, Message>,
    next_look: Instant,
}

fn number(cseq: &str) -> String {
    cseq.split_whitespace().next().unwrap_or_default().to_owned()
}

fn key(message: &Message) -> (String, String) {
    let of = |name| message.header(name).unwrap_or_default().to_owned();
    (of("call-id"), of("cseq"))
}

impl Crowd {
    /// A crowd whose phones speak through this one's socket.
    #[must_use]
    pub fn new(phone: Phone) -> Self {
        Self {
            phone,
            pending: HashMap::new(),
            acks: HashMap::new(),
            unacknowledged: HashMap::new(),
            calls: HashMap::new(),
            next_look: Instant::now(),
        }
    }

    /// Whose socket it is.
    #[must_use]
    pub fn phone(&self) -> &Phone {
        &self.phone
    }

    /// How many calls came here.
    #[must_use]
    pub fn arrived(&self) -> usize {
        self.calls.len()
    }

    /// The BYE of the callee of a call that came here (RFC 3261 section 12.2.1.1).
    #[must_use]
    pub fn callee_bye(&self, call_id: &str) -> Option<Request> {
        let invite = self.calls.get(call_id)?;
        let uri = |name: &str| {
            let (_, rest) = invite.header(name)?.split_once('<')?;
            Some(rest.split('>').next()?.to_owned())
        };
        let (_, caller_tag) = invite.header("from")?.split_once(";tag=")?;
        let mut bye = Request::new("BYE", &uri("contact")?, &uri("to")?, &uri("from")?);
        bye.call_id = call_id.to_owned();
        bye.from_tag = callee_tag(call_id);
        bye.to_parameters = format!(";tag={}", caller_tag.split(';').next()?);
        for route in invite.all("record-route") {
            bye = bye.with("Route", route);
        }
        Some(bye)
    }

    /// Answers calls and requests until it is told to stop.
    pub fn serve(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::SeqCst) {
            self.turn();
        }
    }

    /// Sends all requests at a pace and waits for each final response; the outcomes are in the order of the jobs.
    #[must_use]
    pub fn run(&mut self, jobs: Vec<Job>, pace: Pace) -> Vec<Outcome> {
        let mut outcomes: Vec<Option<Outcome>> = vec![None; jobs.len()];
        let begun = Instant::now();
        let mut jobs = jobs.into_iter().enumerate().peekable();
        while jobs.peek().is_some() || !self.pending.is_empty() {
            let due = begun.elapsed().as_secs_f64() * f64::from(pace.per_second);
            while self.pending.len() < pace.in_flight
                && let Some((place, job)) = jobs.next_if(|(place, _)| (*place as f64) <= due)
            {
                self.begin(place, job);
            }
            for (place, outcome) in self.turn() {
                outcomes[place] = Some(outcome);
            }
        }
        outcomes.into_iter().map(|outcome| outcome.expect("each job ends")).collect()
    }

    fn begin(&mut self, place: usize, job: Job) {
        let now = Instant::now();
        self.send_first(Pending {
            place,
            bytes: Vec::new(),
            job,
            challenges: 0,
            sent: now,
            next: now,
            wait: T1,
            is_proceeding: false,
        });
    }

    fn send_first(&mut self, mut pending: Pending) {
        let request = &pending.job.request;
        pending.bytes = request.bytes(&self.phone);
        pending.wait = T1;
        pending.next = Instant::now() + T1;
        pending.is_proceeding = false;
        let key = (request.call_id.clone(), format!("{} {}", request.cseq, request.method));
        _ = self.phone.send(&pending.bytes);
        self.pending.insert(key, pending);
    }

    /// Handles what came, for a moment, and repeats what is due.
    fn turn(&mut self) -> Vec<(usize, Outcome)> {
        let mut done = Vec::new();
        let mut patience = Duration::from_millis(2);
        for _ in 0..200 {
            let Ok(message) = self.phone.receive_within(patience) else { break };
            patience = Duration::from_millis(1);
            if message.status() > 0 {
                done.extend(self.response(message));
            } else {
                self.request(&message);
            }
        }
        let now = Instant::now();
        if now >= self.next_look {
            self.next_look = now + Duration::from_millis(20);
            done.extend(self.repeat(now));
        }
        done
    }

    fn repeat(&mut self, now: Instant) -> Vec<(usize, Outcome)> {
        for pending in self.pending.values_mut() {
            if now >= pending.next && !pending.is_proceeding {
                let is_invite = pending.job.request.method == "INVITE";
                pending.wait =
                    if is_invite { pending.wait * 2 } else { (pending.wait * 2).min(T2) };
                pending.next = now + pending.wait.min(T2 * 2);
                _ = self.phone.send(&pending.bytes);
            }
        }
        for answer in self.unacknowledged.values_mut() {
            if now >= answer.next {
                answer.wait = (answer.wait * 2).min(T2);
                answer.next = now + answer.wait;
                _ = self.phone.send(&answer.bytes);
            }
        }
        self.unacknowledged.retain(|_, answer| now < answer.since + GIVEN_UP);
        let lost = self.pending.extract_if(|_, pending| now >= pending.sent + GIVEN_UP);
        lost.map(|(_, pending)| {
            let request = pending.job.request;
            (pending.place, Outcome { request, response: None, sent: pending.sent, done: now })
        })
        .collect()
    }

    fn response(&mut self, message: Message) -> Option<(usize, Outcome)> {
        let (call_id, cseq) = key(&message);
        let is_invite = cseq.ends_with("INVITE");
        let status = message.status();
        if status < 200 {
            if let Some(pending) = self.pending.get_mut(&(call_id, cseq)) {
                pending.is_proceeding = is_invite;
            }
            return None;
        }
        let Some(mut pending) = self.pending.remove(&(call_id.clone(), cseq.clone())) else {
            if let Some(ack) = self.acks.get(&(call_id, number(&cseq))) {
                _ = self.phone.send(ack);
            }
            return None;
        };
        if is_invite {
            let request = &pending.job.request;
            let ack = if status < 300 {
                let mut ack = request.bye(&message);
                ack.method = "ACK".to_owned();
                ack.cseq = request.cseq;
                ack
            } else {
                request.ack(&message)
            };
            let ack = ack.bytes(&self.phone);
            _ = self.phone.send(&ack);
            self.acks.insert((call_id, number(&cseq)), ack);
        }
        if matches!(status, 401 | 407) && pending.challenges < CHALLENGES {
            let user = &pending.job.user;
            if let Ok(request) = pending.job.request.answer(&message, user, "secret") {
                pending.challenges += 1;
                pending.job.request = request;
                self.send_first(pending);
                return None;
            }
        }
        let (sent, done) = (pending.sent, Instant::now());
        let request = pending.job.request;
        Some((pending.place, Outcome { request, response: Some(message), sent, done }))
    }

    fn request(&mut self, message: &Message) {
        let (call_id, cseq) = key(message);
        match message.method() {
            "ACK" => {
                self.unacknowledged.remove(&(call_id, number(&cseq)));
            }
            "INVITE" => {
                let contact = format!("<{}>", self.phone.contact());
                let tag = callee_tag(&call_id);
                let bytes = response(message, "200 OK", &tag, &[("Contact", &contact)]);
                _ = self.phone.send(&bytes);
                let now = Instant::now();
                let answer = Unacknowledged { bytes, since: now, next: now + T1, wait: T1 };
                self.unacknowledged.entry((call_id.clone(), number(&cseq))).or_insert(answer);
                self.calls.entry(call_id).or_insert_with(|| message.clone());
            }
            _ => _ = self.phone.send(&response(message, "200 OK", &unique("o"), &[])),
        }
    }
}

/// The tag of whoever answers a call here: always the same, so that what is answered again is the same answer.
fn callee_tag(call_id: &str) -> String {
    format!("a{call_id}")
}
