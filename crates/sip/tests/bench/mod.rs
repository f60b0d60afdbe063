//! A network in memory: phones and our stack on a virtual clock, with loss, duplication, delay and reordering.
#![allow(dead_code, unreachable_pub, reason = "each test file uses what it needs")]

pub mod phone;

use ngn_model::call_plan::Condition;
use ngn_sip::header::Transport;
use ngn_sip::message::{Limits, Message};
use ngn_sip::stack::{
    AnswerResult, CallEvent, Config, Destination, DialogEvent, FlowId, ForwardPlan, ForwardStep,
    ForwardTarget, IncomingRequest, Interface, Output, Secret, SendId, Source, Stack,
};
use ngn_sip::transaction::{Moment, TimerSettings};
use ngn_sip::uri::{Host, Uri};
use phone::Phone;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

pub const MAX_T: u64 = 3_600_000;

/// Numbers that look random and come again with the seed.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        random.next();
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 11) % n.max(1)
    }

    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        let at = usize::try_from(self.below(of.len() as u64)).expect("an index");
        *of.get(at).expect("not empty")
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Settings {
    pub timers: TimerSettings,
    /// Percent of datagrams that are lost, and that arrive twice.
    pub loss: u64,
    pub duplication: u64,
    /// Delay in milliseconds: the least, and what varies on top, which reorders.
    pub delay: u64,
    pub jitter: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { timers: TimerSettings::default(), loss: 0, duplication: 0, delay: 10, jitter: 0 }
    }
}

pub fn proxy_address() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 10], 5060))
}

pub fn parse(octets: Vec<u8>) -> Message {
    let text = String::from_utf8_lossy(&octets).into_owned();
    Message::parse(octets.into(), &Limits::default()).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

pub fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

pub fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

pub fn config(timers: TimerSettings) -> Config {
    let interface = |transport, port| Interface {
        transport,
        local: SocketAddr::from(([192, 0, 2, 10], port)),
        host: Host::parse("192.0.2.10").expect("a host"),
        port,
    };
    let interfaces = vec![interface(Transport::Udp, 5060), interface(Transport::Tcp, 5060)];
    Config { timers, ..Config::new(Secret::from_bytes([42; 32]), interfaces) }
}

enum Event {
    ToProxy { from: SocketAddr, octets: Vec<u8> },
    ToPhone { phone: usize, octets: Vec<u8> },
    SendFailed(SendId),
    Application(Act),
}

/// What the application does later.
#[derive(Debug, Clone)]
pub enum Act {
    Forward(ngn_sip::stack::ServerTransactionId, ForwardPlan),
    Reply(ngn_sip::stack::ServerTransactionId, u16),
    Resolved(ngn_sip::stack::LookupId, Vec<Destination>),
    Redirected(ngn_sip::stack::RedirectionId, Vec<ForwardTarget>),
}

/// Decides what the application does with a request.
pub type Decide = Box<dyn FnMut(&IncomingRequest, &mut Random) -> (u64, Option<Act>)>;

pub struct World {
    pub now: Moment,
    pub stack: Stack,
    pub phones: Vec<Phone>,
    pub settings: Settings,
    pub random: Random,
    pub decide: Decide,
    /// Destinations that cannot be sent to.
    pub unreachable: Vec<SocketAddr>,
    /// Connections that are gone.
    pub closed: Vec<FlowId>,
    /// Names and what they are looked up to.
    pub names: BTreeMap<String, Vec<Destination>>,
    pub events: Vec<CallEvent>,
    pub dialogs: Vec<DialogEvent>,
    pub tried: Vec<ngn_sip::stack::Tried>,
    pub cancelled: usize,
    /// Look-ups because a connection was gone.
    pub fallbacks: usize,
    /// What came back for requests of the stack's own.
    pub answers: Vec<AnswerResult>,
    pub redirected: Vec<Message>,
    pub redirect_to: Vec<ForwardTarget>,
    /// All that the proxy sent, with its time in milliseconds.
    pub sent: Vec<(u64, Destination, Message)>,
    /// Requests that came up, by branch of the topmost Via.
    pub came_up: Vec<IncomingRequest>,
    queue: BTreeMap<(Moment, u64), Event>,
    serial: u64,
    pub is_recording: bool,
}

impl World {
    pub fn new(settings: Settings, seed: u64) -> Self {
        let config = config(settings.timers);
        Self::with(config, settings, seed)
    }

    pub fn with(config: Config, settings: Settings, seed: u64) -> Self {
        Self {
            now: Moment::from_millis(1000),
            stack: Stack::new(config, [7; 32]),
            phones: vec![],
            settings,
            random: Random::new(seed),
            decide: Box::new(|_, _| (0, None)),
            unreachable: vec![],
            closed: vec![],
            names: BTreeMap::new(),
            events: vec![],
            dialogs: vec![],
            tried: vec![],
            cancelled: 0,
            fallbacks: 0,
            answers: vec![],
            redirected: vec![],
            redirect_to: vec![],
            sent: vec![],
            came_up: vec![],
            queue: BTreeMap::new(),
            serial: 0,
            is_recording: true,
        }
    }

    /// Adds a phone at 198.51.100.(n+1).
    pub fn phone(&mut self, user: &str) -> usize {
        let n = u8::try_from(self.phones.len() + 1).expect("few phones");
        let address = SocketAddr::from(([198, 51, 100, n], 5060));
        self.phones.push(Phone::new(user, address, self.settings));
        self.phones.len() - 1
    }

    /// Where a phone is reached.
    pub fn destination(&self, phone: usize) -> Destination {
        let phone_ = self.phones.get(phone).expect("a phone");
        let flow = phone_.transport.is_reliable().then(|| flow_of(phone));
        Destination { flow, ..Destination::new(phone_.transport.clone(), phone_.address) }
    }

    pub fn target(&self, phone: usize) -> ForwardTarget {
        let contact = self.phones.get(phone).expect("a phone").contact();
        ForwardTarget::at(uri(&contact), self.destination(phone))
    }

    pub fn step(
        &self,
        when: Condition,
        phones: &[usize],
        answer_timeout: Option<u64>,
    ) -> ForwardStep {
        let targets = phones.iter().map(|phone| self.target(*phone)).collect();
        let answer_timeout = answer_timeout.map(Duration::from_millis);
        ForwardStep { answer_timeout, ..ForwardStep::new(when, targets) }
    }

    /// Forwards each new request along these steps.
    pub fn forwards(&mut self, steps: Vec<ForwardStep>) {
        let plan = ForwardPlan { steps, ..ForwardPlan::default() };
        self.forwards_plan(plan);
    }

    pub fn forwards_plan(&mut self, plan: ForwardPlan) {
        self.decide = Box::new(move |request, _| (0, Some(Act::Forward(request.id, plan.clone()))));
    }

    fn at(&mut self, at: Moment, event: Event) {
        self.serial += 1;
        self.queue.insert((at, self.serial), event);
    }

    fn after(&mut self, millis: u64, event: Event) {
        let at = self.now + Duration::from_millis(millis);
        self.at(at, event);
    }

    /// Puts a message on its way, as the network pleases.
    fn travel(&mut self, is_reliable: bool, make: impl Fn() -> Event) {
        let s = self.settings;
        if is_reliable {
            return self.after(s.delay, make());
        }
        if self.random.percent(s.loss) {
            return;
        }
        let copies = 1 + u64::from(self.random.percent(s.duplication));
        for _ in 0..copies {
            let delay = s.delay + self.random.below(s.jitter + 1);
            self.after(delay, make());
        }
    }

    /// Has octets arrive at the proxy from somewhere.
    pub fn inject(&mut self, from: &str, text: &str) {
        let from = address(from);
        let octets = text.replace('\n', "\r\n").replace("\r\r\n", "\r\n").into_bytes();
        self.after(0, Event::ToProxy { from, octets });
    }

    fn collect(&mut self) {
        for index in 0..self.phones.len() {
            let phone = self.phones.get_mut(index).expect("it");
            let (from, is_reliable) = (phone.address, phone.transport.is_reliable());
            for (to, octets) in std::mem::take(&mut phone.out) {
                assert_eq!(to, proxy_address(), "phones talk to the proxy only");
                self.travel(is_reliable, || Event::ToProxy { from, octets: octets.clone() });
            }
        }
        while let Some(output) = self.stack.poll_output() {
            self.output(output);
        }
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Send { to, octets, id } => {
                if self.is_recording {
                    let millis = self.now.as_micros() / 1000;
                    self.sent.push((millis, to.clone(), parse(octets.to_vec())));
                }
                let found = match to.flow {
                    Some(FlowId(flow)) => usize::try_from(flow).ok(),
                    None => self.phones.iter().position(|p| p.address == to.remote),
                };
                let is_closed = to.flow.is_some_and(|flow| self.closed.contains(&flow));
                if is_closed || self.unreachable.contains(&to.remote) {
                    if let Some(id) = id {
                        self.after(5, Event::SendFailed(id));
                    }
                } else if to.remote == proxy_address() {
                    let octets = octets.to_vec();
                    self.travel(to.transport.is_reliable(), || Event::ToProxy {
                        from: proxy_address(),
                        octets: octets.clone(),
                    });
                } else if let Some(phone) = found {
                    let octets = octets.to_vec();
                    self.travel(to.transport.is_reliable(), || Event::ToPhone {
                        phone,
                        octets: octets.clone(),
                    });
                }
            }
            Output::Request(request) => {
                let (delay, act) = (self.decide)(&request, &mut self.random);
                if let Some(act) = act {
                    self.after(delay, Event::Application(act));
                }
                self.came_up.push(*request);
            }
            Output::Relay { incoming, to } => {
                let uri = incoming.request.request_uri().cloned().expect("a URI");
                let now = self.now;
                self.stack.relay(now, incoming.id, ForwardTarget::at(uri, to));
            }
            Output::Cancelled(_) => self.cancelled += 1,
            Output::Resolve { id, uri, is_fallback } => {
                self.fallbacks += usize::from(is_fallback);
                let found = self.names.get(uri.host_text()).cloned().unwrap_or_default();
                self.after(20, Event::Application(Act::Resolved(id, found)));
            }
            Output::Redirected { id, response, .. } => {
                self.redirected.push(*response);
                let to = self.redirect_to.clone();
                self.after(1, Event::Application(Act::Redirected(id, to)));
            }
            Output::Answer { result, .. } => self.answers.push(result),
            Output::Call(event) => self.events.push(*event),
            Output::Dialog(event) => self.dialogs.push(*event),
            Output::Tried(tried) => self.tried.push(*tried),
        }
    }

    /// The moment of the next thing that happens.
    fn next(&self) -> Option<Moment> {
        let queued = self.queue.keys().next().map(|(at, _)| *at);
        let phones = self.phones.iter().filter_map(Phone::deadline);
        phones.chain(queued).chain(self.stack.next_deadline()).min()
    }

    /// Lets time go on by one event; false when nothing is left to happen.
    pub fn advance(&mut self, until: Moment) -> bool {
        self.collect();
        let Some(next) = self.next() else { return false };
        if next > until {
            self.now = until;
            return false;
        }
        self.now = self.now.max(next);
        let now = self.now;
        for phone in &mut self.phones {
            if phone.deadline().is_some_and(|at| at <= now) {
                phone.timeout(now);
            }
        }
        if self.stack.next_deadline().is_some_and(|at| at <= now) {
            self.stack.timeout(now);
        }
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let event = entry.remove();
            self.happen(event);
        }
        true
    }

    fn happen(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::ToProxy { from, octets } => {
                let phone = self.phones.iter().position(|p| p.address == from);
                let transport = phone.and_then(|p| self.phones.get(p)).map(|p| p.transport.clone());
                let transport = transport.unwrap_or(Transport::Udp);
                let flow = transport.is_reliable().then(|| flow_of(phone.unwrap_or(0)));
                let source = Source { transport, local: proxy_address(), remote: from, flow };
                match Message::parse(octets.into(), &Limits::default()) {
                    Ok(message) => self.stack.receive(now, source, message),
                    Err(fault) => self.stack.receive_malformed(&source, &fault),
                }
            }
            Event::ToPhone { phone, octets } => {
                self.phones.get_mut(phone).expect("a phone").receive(now, octets);
            }
            Event::SendFailed(id) => self.stack.send_failed(now, id),
            Event::Application(act) => match act {
                Act::Forward(id, plan) => {
                    self.stack.forward(now, id, plan);
                }
                Act::Reply(id, status) => {
                    self.stack.reply(now, id, status, None, &[]);
                }
                Act::Resolved(id, found) => self.stack.resolved(now, id, found),
                Act::Redirected(id, to) => self.stack.redirected(now, id, to),
            },
        }
    }

    /// Lets so many milliseconds pass.
    pub fn run_for(&mut self, millis: u64) {
        let until = self.now + Duration::from_millis(millis);
        while self.advance(until) {}
        self.now = until;
    }

    /// Runs until nothing is left to happen, and checks that nothing is left behind.
    pub fn run_to_end(&mut self) {
        let limit = self.now + Duration::from_millis(MAX_T);
        while self.advance(limit) {}
        assert!(self.now < limit, "something goes on for ever");
        let usage = self.stack.usage();
        assert!(usage.is_empty(), "{usage:?}");
        assert_eq!(usage.deadlines, 0);
        for phone in &self.phones {
            phone.check_quiet();
        }
    }

    /// What the proxy sent, as `time status-or-method`, to a phone.
    pub fn sent_to(&self, phone: usize) -> Vec<String> {
        let to = self.phones.get(phone).expect("a phone").address;
        let describe = |m: &Message| match m.status() {
            Some(status) => format!("{status} {}", m.cseq().expect("CSeq").method),
            None => m.method().expect("a method").to_string(),
        };
        self.sent.iter().filter(|(_, d, _)| d.remote == to).map(|(_, _, m)| describe(m)).collect()
    }

    /// The requests of a method that the proxy sent to a phone.
    pub fn requests_to(&self, phone: usize, method: &str) -> Vec<&Message> {
        let to = self.phones.get(phone).expect("a phone").address;
        let is = |m: &Message| m.method().is_some_and(|found| found.as_str() == method);
        self.sent.iter().filter(|(_, d, m)| d.remote == to && is(m)).map(|(_, _, m)| m).collect()
    }
}

pub fn flow_of(phone: usize) -> FlowId {
    FlowId(phone as u64)
}
