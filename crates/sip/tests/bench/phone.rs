//! A phone: a user agent client and server with its own transactions, made from the crate's machines.

use super::{Settings, proxy_address};
use ngn_sip::header::{HeaderName, RouteHeader, Transport};
use ngn_sip::message::{Message, Method};
use ngn_sip::transaction::invite_server::{Input as InviteIn, State as InviteState};
use ngn_sip::transaction::{
    Action, InviteClient, InviteServer, KeyText, Machine, Moment, NonInviteClient, NonInviteServer,
    invite_client, non_invite_client, non_invite_server,
};
use ngn_sip::uri::Uri;
use std::net::SocketAddr;
use std::time::Duration;

/// What a phone does with a call that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Rings and answers after so many milliseconds.
    Answer(u64),
    /// Rings and refuses after so many milliseconds.
    Refuse(u64, u16),
    /// Rings until it is cancelled.
    RingForever,
    /// Says nothing at all.
    Silent,
    /// Rings anew each so many milliseconds, so many times, and then answers.
    RingAgain(u64, u64),
    /// Says nothing for so many milliseconds, then rings until it is cancelled.
    RingLate(u64),
    /// Rings and is never heard of again.
    RingThenDie,
}

/// How a request of a phone ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Response(u16),
    TimedOut,
}

/// A request that the phone sent.
pub struct Outgoing {
    pub method: Method,
    pub branch: String,
    pub request: Message,
    machine: Client,
    /// All endings; there must be exactly one.
    pub endings: Vec<Ending>,
    pub provisionals: Vec<u16>,
    /// Answers by dialog: To tag and the ACK that is sent for each 2xx.
    acks: Vec<(String, Message)>,
    pub cancel_at: Option<Moment>,
    pub was_cancelled: bool,
    pub octets: Vec<u8>,
}

enum Client {
    Invite(InviteClient),
    Other(NonInviteClient),
}

enum Server {
    Invite(InviteServer),
    Other(NonInviteServer),
}

/// A request that the phone received.
pub struct Incoming {
    key: KeyText,
    pub request: Message,
    machine: Server,
    response: Option<Message>,
    pub final_status: Option<u16>,
    pub was_acknowledged: bool,
    tag: String,
    /// What to answer when.
    todo: Vec<(Moment, u16)>,
    /// A 2xx is repeated until its ACK comes (RFC 3261 section 13.3.1.4).
    repeat: Option<(Moment, Duration, Moment)>,
}

/// One side of a session.
#[derive(Debug, Clone)]
pub struct Dialog {
    pub call_id: String,
    pub local: String,
    pub remote: String,
    pub local_tag: String,
    pub remote_tag: String,
    pub target: Uri,
    pub routes: Vec<RouteHeader>,
    pub cseq: u32,
    pub bye_at: Option<Moment>,
    pub is_over: bool,
    pub is_confirmed: bool,
}

pub struct Phone {
    pub user: String,
    /// As the proxy sees it.
    pub address: SocketAddr,
    /// As the phone sees itself; differs behind a NAT.
    pub own: SocketAddr,
    pub transport: Transport,
    pub behaviour: Behaviour,
    /// After how many milliseconds a dialog is ended by this side; `None` leaves it to the other.
    pub hangs_up: Option<u64>,
    pub outgoing: Vec<Outgoing>,
    pub incoming: Vec<Incoming>,
    pub dialogs: Vec<Dialog>,
    settings: Settings,
    serial: u32,
    /// Octets to be sent.
    pub out: Vec<(SocketAddr, Vec<u8>)>,
}

impl Phone {
    pub fn new(user: &str, address: SocketAddr, settings: Settings) -> Self {
        Self {
            user: user.to_owned(),
            address,
            own: address,
            transport: Transport::Udp,
            behaviour: Behaviour::Answer(1000),
            hangs_up: None,
            outgoing: vec![],
            incoming: vec![],
            dialogs: vec![],
            settings,
            serial: 0,
            out: vec![],
        }
    }

    pub fn contact(&self) -> String {
        let transport = match self.transport {
            Transport::Udp => String::new(),
            ref other => format!(";transport={}", other.as_str().to_ascii_lowercase()),
        };
        format!("sip:{}@{}{transport}", self.user, self.own)
    }

    fn serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    fn via(&mut self) -> (String, String) {
        let n = self.serial();
        let branch = format!("z9hG4bK{}x{n}", self.user);
        (format!("SIP/2.0/{} {};branch={branch};rport", self.transport, self.own), branch)
    }

    /// Sends a request outside a dialog; returns its place in `outgoing`.
    pub fn request(&mut self, now: Moment, method: &str, uri: &str, more: &str) -> usize {
        let (via, branch) = self.via();
        let n = self.serial();
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@example.com>;tag={user}f{n}\r\nTo: <{uri}>\r\n\
             Call-ID: {user}c{n}\r\nCSeq: 1 {method}\r\nContact: <{contact}>\r\n{more}\
             Content-Length: 0\r\n\r\n",
            user = self.user,
            contact = self.contact(),
        );
        self.start(now, branch, super::parse(text.into_bytes()), proxy_address())
    }

    pub fn invite(&mut self, now: Moment, uri: &str) -> usize {
        self.request(now, "INVITE", uri, "")
    }

    fn start(&mut self, now: Moment, branch: String, request: Message, to: SocketAddr) -> usize {
        let method = request.method().cloned().expect("a request");
        let timers = &self.settings.timers;
        let is_reliable = self.transport.is_reliable();
        let machine = if method == Method::Invite {
            Client::Invite(InviteClient::new(is_reliable, now, timers))
        } else {
            Client::Other(NonInviteClient::new(is_reliable, now, timers))
        };
        let octets = request.to_vec();
        self.out.push((to, octets.clone()));
        self.outgoing.push(Outgoing {
            method,
            branch,
            request,
            machine,
            endings: vec![],
            provisionals: vec![],
            acks: vec![],
            cancel_at: None,
            was_cancelled: false,
            octets,
        });
        self.outgoing.len() - 1
    }

    /// Sends a request inside a dialog.
    pub fn in_dialog(&mut self, now: Moment, dialog: usize, method: &str) -> usize {
        let (via, branch) = self.via();
        let contact = self.contact();
        let d = self.dialogs.get_mut(dialog).expect("a dialog");
        d.cseq += 1;
        let message = in_dialog(d, method, d.cseq, &via, &contact);
        let to = first_hop(d);
        self.start(now, branch, message, to)
    }

    /// Takes octets.
    pub fn receive(&mut self, now: Moment, octets: Vec<u8>) {
        let message = super::parse(octets);
        match message.method() {
            None => self.response(now, message),
            Some(Method::Ack) => self.ack(now, &message),
            Some(_) => self.incoming_request(now, message),
        }
    }

    fn response(&mut self, now: Moment, response: Message) {
        let via = response.top_via().expect("a Via");
        let cseq = response.cseq().expect("a CSeq");
        let branch = via.branch().unwrap_or_default();
        let found = self
            .outgoing
            .iter()
            .position(|o| o.branch == branch && o.method == cseq.method)
            .unwrap_or_else(|| panic!("{}: a response to nothing: {response:?}", self.user));
        assert_eq!(response.vias().expect("Vias").len(), 1, "all other Vias are gone");
        let status = response.status().expect("a status");
        let outgoing = self.outgoing.get_mut(found).expect("it");
        let actions = match &mut outgoing.machine {
            Client::Invite(m) => {
                m.handle(invite_client::Input::Response(status), now, &self.settings.timers)
            }
            Client::Other(m) => {
                m.handle(non_invite_client::Input::Response(status), now, &self.settings.timers)
            }
        };
        for action in actions {
            match action {
                Action::Acknowledge => {
                    let ack = outgoing.request.ack(&response).expect("an ACK");
                    self.out.push((proxy_address(), ack.to_vec()));
                }
                Action::PassUp if status < 200 => outgoing.provisionals.push(status),
                Action::PassUp if cseq.method == Method::Invite && status < 300 => {
                    return self.answered(now, found, &response);
                }
                Action::PassUp => outgoing.endings.push(Ending::Response(status)),
                other => panic!("{other:?}"),
            }
        }
    }

    fn answered(&mut self, now: Moment, found: usize, response: &Message) {
        let (via, _) = self.via();
        let contact = self.contact();
        let outgoing = self.outgoing.get_mut(found).expect("it");
        let tag = response.to_header().expect("To").tag().expect("a tag").to_owned();
        if let Some((_, ack)) = outgoing.acks.iter().find(|(known, _)| *known == tag) {
            // The 2xx came again: the same ACK goes out again.
            let to = ack.routes().expect("routes").first().map_or_else(proxy_address, address_of);
            self.out.push((to, ack.to_vec()));
            return;
        }
        if outgoing.acks.is_empty() {
            outgoing.endings.push(Ending::Response(200));
        }
        let request = &outgoing.request;
        let contacts = response.contacts().expect("contacts");
        let ngn_sip::header::Contacts::List(contacts) = contacts else { panic!("no contact") };
        let mut routes: Vec<RouteHeader> = response
            .record_routes()
            .expect("routes")
            .iter()
            .map(|r| RouteHeader::new(r.uri().clone()))
            .collect();
        routes.reverse();
        let is_extra = !outgoing.acks.is_empty() || outgoing.was_cancelled;
        let cseq = request.cseq().expect("CSeq").number;
        let mut dialog = Dialog {
            call_id: request.call_id().expect("Call-ID").to_owned(),
            local: request.from_header().expect("From").uri().to_string(),
            remote: request.to_header().expect("To").uri().to_string(),
            local_tag: request.from_header().expect("From").tag().expect("a tag").to_owned(),
            remote_tag: tag.clone(),
            target: contacts.first().expect("a contact").uri().clone(),
            routes,
            cseq,
            bye_at: None,
            is_over: false,
            is_confirmed: true,
        };
        dialog.bye_at = if is_extra {
            Some(now)
        } else {
            self.hangs_up.map(|ms| now + Duration::from_millis(ms))
        };
        let ack = in_dialog(&dialog, "ACK", cseq, &via, &contact);
        self.out.push((first_hop(&dialog), ack.to_vec()));
        outgoing.acks.push((tag, ack));
        let is_reinvite = request.to_header().expect("To").tag().is_some();
        if !is_reinvite {
            self.dialogs.push(dialog);
        }
    }

    fn ack(&mut self, now: Moment, ack: &Message) {
        let key = KeyText::of(ack).expect("a key");
        let timers = &self.settings.timers;
        if let Some(incoming) = self.incoming.iter_mut().find(|i| i.key == key) {
            if let Server::Invite(machine) = &mut incoming.machine {
                let _ = machine.handle(InviteIn::Ack, now, timers);
                incoming.was_acknowledged = true;
            }
            return;
        }
        // For a 2xx: it has the INVITE's Call-ID, tags and CSeq number.
        let tag = ack.to_header().expect("To").tag().unwrap_or_default().to_owned();
        let number = ack.cseq().expect("CSeq").number;
        let matches = |i: &&mut Incoming| {
            i.request.method() == Some(&Method::Invite)
                && i.request.call_id() == ack.call_id()
                && i.request.cseq().expect("CSeq").number == number
                && i.tag == tag
        };
        if let Some(incoming) = self.incoming.iter_mut().find(matches) {
            assert_eq!(incoming.final_status, Some(200), "an ACK for what was not answered");
            incoming.was_acknowledged = true;
            incoming.repeat = None;
        }
        for dialog in self.dialogs.iter_mut().filter(|d| d.local_tag == tag) {
            dialog.is_confirmed = true;
        }
    }

    fn incoming_request(&mut self, now: Moment, request: Message) {
        let key = KeyText::of(&request).expect("a key");
        let known = self.incoming.iter().position(|i| i.key == key);
        if let Some(known) = known {
            let incoming = self.incoming.get_mut(known).expect("it");
            let actions = match &mut incoming.machine {
                Server::Invite(m) => m.handle(InviteIn::Invite, now, &self.settings.timers),
                Server::Other(m) => {
                    m.handle(non_invite_server::Input::Request, now, &self.settings.timers)
                }
            };
            let response = incoming.response.clone();
            for action in actions {
                assert_eq!(action, Action::Transmit);
                if let Some(response) = &response {
                    self.reply(response);
                }
            }
            return;
        }
        let method = request.method().cloned().expect("a request");
        let is_reliable = self.transport.is_reliable();
        let machine = if method == Method::Invite {
            Server::Invite(InviteServer::new(is_reliable, &self.settings.timers))
        } else {
            Server::Other(NonInviteServer::new(is_reliable))
        };
        let tag = match request.to_header().expect("To").tag() {
            Some(tag) => tag.to_owned(),
            None => {
                let n = self.serial();
                format!("{}t{n}", self.user)
            }
        };
        let is_reinvite = request.to_header().expect("To").tag().is_some();
        let after = |ms| now + Duration::from_millis(ms);
        let todo = match (&method, self.behaviour) {
            (Method::Invite, _) if is_reinvite => vec![(now, 200)],
            (Method::Invite, Behaviour::Answer(ms)) => vec![(now, 180), (after(ms), 200)],
            (Method::Invite, Behaviour::Refuse(ms, status)) => {
                vec![(now, 180), (after(ms), status)]
            }
            (Method::Invite, Behaviour::RingForever | Behaviour::RingThenDie) => vec![(now, 180)],
            (Method::Invite, Behaviour::RingLate(ms)) => vec![(after(ms), 180)],
            (Method::Invite, Behaviour::RingAgain(ms, times)) => {
                let mut todo: Vec<_> = (0..times).map(|n| (after(ms * n), 180)).collect();
                todo.push((after(ms * times), 200));
                todo
            }
            (_, Behaviour::RingThenDie) => return,
            (Method::Bye, _) => vec![(now, self.bye_status(&request))],
            (Method::Cancel, _) => vec![(now, self.cancelled(now, &request))],
            (_, Behaviour::Silent) => vec![],
            _ => vec![(now, 200)],
        };
        self.incoming.push(Incoming {
            key,
            request,
            machine,
            response: None,
            final_status: None,
            was_acknowledged: false,
            tag,
            todo,
            repeat: None,
        });
    }

    fn bye_status(&mut self, bye: &Message) -> u16 {
        let local = bye.to_header().expect("To").tag().unwrap_or_default().to_owned();
        let dialog = self
            .dialogs
            .iter_mut()
            .find(|d| d.local_tag == local && Ok(d.call_id.as_str()) == bye.call_id());
        let Some(dialog) = dialog else { return 481 };
        dialog.is_over = true;
        dialog.bye_at = None;
        200
    }

    fn cancelled(&mut self, now: Moment, cancel: &Message) -> u16 {
        let key = KeyText::cancelled_by(cancel).expect("a key");
        let Some(invite) = self.incoming.iter_mut().find(|i| i.key == key) else { return 481 };
        if invite.final_status.is_none() {
            invite.todo = vec![(now, 487)];
        }
        200
    }

    /// Answers a request.
    fn answer(&mut self, now: Moment, index: usize, status: u16) {
        let contact = self.contact();
        let hangs_up = self.hangs_up;
        let timers = self.settings.timers;
        let incoming = self.incoming.get_mut(index).expect("it");
        let phrase = ngn_sip::message::reason_phrase(status);
        let mut response = incoming.request.response(status, phrase, Some(&incoming.tag));
        let is_invite = incoming.request.method() == Some(&Method::Invite);
        if is_invite && status < 300 {
            response.copy(HeaderName::RecordRoute, &incoming.request);
            response.append(HeaderName::Contact, &format!("<{contact}>"));
        }
        let actions = match &mut incoming.machine {
            Server::Invite(m) => m.handle(InviteIn::Respond(status), now, &timers),
            Server::Other(m) => m.handle(non_invite_server::Input::Respond(status), now, &timers),
        };
        if actions.into_iter().next().is_none() {
            return;
        }
        incoming.response = Some(response.clone());
        if status >= 200 {
            incoming.final_status = Some(status);
        }
        let has_tag = incoming.request.to_header().expect("To").tag().is_some();
        if is_invite && status == 200 {
            incoming.repeat = Some((now + timers.t1, timers.t1, now + timers.timeout()));
        }
        if is_invite && status == 200 && !has_tag {
            let request = &incoming.request;
            let Ok(ngn_sip::header::Contacts::List(contacts)) = request.contacts() else {
                panic!("no contact")
            };
            let routes = request.record_routes().expect("routes");
            let dialog = Dialog {
                call_id: request.call_id().expect("Call-ID").to_owned(),
                local: request.to_header().expect("To").uri().to_string(),
                remote: request.from_header().expect("From").uri().to_string(),
                local_tag: incoming.tag.clone(),
                remote_tag: request.from_header().expect("From").tag().expect("tag").to_owned(),
                target: contacts.first().expect("a contact").uri().clone(),
                routes: routes.iter().map(|r| RouteHeader::new(r.uri().clone())).collect(),
                cseq: 100,
                bye_at: hangs_up.map(|ms| now + Duration::from_millis(ms)),
                is_over: false,
                is_confirmed: false,
            };
            self.dialogs.push(dialog);
        }
        self.reply(&response);
    }

    /// Sends a response as its topmost Via says.
    fn reply(&mut self, response: &Message) {
        let via = response.top_via().expect("a Via");
        let ip = via.received().or_else(|| via.host().ip()).expect("an address");
        let port = via.rport().unwrap_or_else(|| via.port_or_default());
        self.out.push((SocketAddr::new(ip, port), response.to_vec()));
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Moment> {
        let outgoing = self.outgoing.iter().flat_map(|o| {
            let machine = match &o.machine {
                Client::Invite(m) => m.deadline(),
                Client::Other(m) => m.deadline(),
            };
            [machine, o.cancel_at]
        });
        let incoming = self.incoming.iter().flat_map(|i| {
            let machine = match &i.machine {
                Server::Invite(m) => m.deadline(),
                Server::Other(m) => m.deadline(),
            };
            let todo = i.todo.iter().map(|(at, _)| *at).min();
            [machine, todo, i.repeat.map(|(at, ..)| at)]
        });
        let byes = self.dialogs.iter().filter(|d| !d.is_over).map(|d| d.bye_at);
        outgoing.chain(incoming).chain(byes).flatten().min()
    }

    /// Lets everything happen that is due.
    pub fn timeout(&mut self, now: Moment) {
        let timers = self.settings.timers;
        for outgoing in &mut self.outgoing {
            loop {
                let expired = match &mut outgoing.machine {
                    Client::Invite(m) => m.expire(now, &timers),
                    Client::Other(m) => m.expire(now, &timers),
                };
                let Some(actions) = expired else { break };
                for action in actions {
                    match action {
                        Action::Transmit => {
                            let to = match outgoing.request.routes().expect("routes").first() {
                                Some(route) => address_of(route),
                                None => proxy_address(),
                            };
                            self.out.push((to, outgoing.octets.clone()));
                        }
                        Action::TimedOut => outgoing.endings.push(Ending::TimedOut),
                        other => panic!("{other:?}"),
                    }
                }
            }
        }
        self.send_cancels(now);
        for index in 0..self.incoming.len() {
            self.incoming_timeout(now, index);
        }
        for index in 0..self.dialogs.len() {
            let dialog = self.dialogs.get_mut(index).expect("it");
            if !dialog.is_over && dialog.bye_at.is_some_and(|at| at <= now) {
                dialog.bye_at = None;
                dialog.is_over = true;
                self.in_dialog(now, index, "BYE");
            }
        }
    }

    fn send_cancels(&mut self, now: Moment) {
        for index in 0..self.outgoing.len() {
            let outgoing = self.outgoing.get_mut(index).expect("it");
            if outgoing.cancel_at.is_none_or(|at| at > now) {
                continue;
            }
            if !outgoing.endings.is_empty() {
                outgoing.cancel_at = None;
            } else if outgoing.provisionals.is_empty() {
                // Section 9.1: not before a provisional response.
                outgoing.cancel_at = Some(now + Duration::from_millis(50));
            } else {
                outgoing.cancel_at = None;
                outgoing.was_cancelled = true;
                let cancel = outgoing.request.cancel().expect("a CANCEL");
                let branch = outgoing.branch.clone();
                self.start(now, branch, cancel, proxy_address());
            }
        }
    }

    fn incoming_timeout(&mut self, now: Moment, index: usize) {
        let timers = self.settings.timers;
        loop {
            let incoming = self.incoming.get_mut(index).expect("it");
            let Some(next) = incoming.todo.iter().position(|(at, _)| *at <= now) else { break };
            let (_, status) = incoming.todo.remove(next);
            self.answer(now, index, status);
        }
        loop {
            let incoming = self.incoming.get_mut(index).expect("it");
            let expired = match &mut incoming.machine {
                Server::Invite(m) => m.expire(now, &timers),
                Server::Other(m) => m.expire(now, &timers),
            };
            let Some(actions) = expired else { break };
            for action in actions {
                if action == Action::Transmit
                    && let Some(response) = incoming.response.clone()
                {
                    let via = response.top_via().expect("a Via");
                    let ip = via.received().or_else(|| via.host().ip()).expect("an address");
                    let port = via.rport().unwrap_or_else(|| via.port_or_default());
                    self.out.push((SocketAddr::new(ip, port), response.to_vec()));
                }
            }
        }
        let incoming = self.incoming.get_mut(index).expect("it");
        let Some((at, interval, until)) = incoming.repeat.filter(|(at, ..)| *at <= now) else {
            return;
        };
        if at >= until {
            // Nobody acknowledged: the session is ended (section 13.3.1.4).
            incoming.repeat = None;
            let tag = incoming.tag.clone();
            for dialog in self.dialogs.iter_mut().filter(|d| d.local_tag == tag && !d.is_over) {
                dialog.bye_at = Some(now);
            }
            return;
        }
        let next = (interval * 2).min(timers.t2);
        incoming.repeat = Some(((at + next).min(until), next, until));
        if let Some(response) = incoming.response.clone() {
            self.reply(&response);
        }
    }

    /// Complains about what should not be when all is quiet.
    pub fn check_quiet(&self) {
        assert_eq!(self.deadline(), None, "{} still waits", self.user);
        for o in &self.outgoing {
            let what = format!("{} {} {}", self.user, o.method, o.branch);
            assert_eq!(o.endings.len(), 1, "{what} ended with {:?}", o.endings);
        }
        for i in &self.incoming {
            let over = match &i.machine {
                Server::Invite(m) => match m.state() {
                    // Never answered: silent phones, and calls whose CANCEL was lost for good.
                    InviteState::Proceeding => i.final_status.is_none(),
                    _ => m.is_terminated(),
                },
                Server::Other(m) => m.is_terminated() || i.final_status.is_none(),
            };
            assert!(over, "{} {:?}", self.user, i.request);
        }
        for d in &self.dialogs {
            assert!(d.is_over || self.hangs_up.is_none(), "{} {d:?}", self.user);
        }
    }

    /// Calls that ring and that nobody will ever end.
    pub fn forgotten_calls(&self) -> usize {
        let is_forgotten = |i: &&Incoming| {
            let is_invite = i.request.method() == Some(&Method::Invite);
            is_invite && i.response.is_some() && i.final_status.is_none()
        };
        self.incoming.iter().filter(is_forgotten).count()
    }

    pub fn finals_of_invites_in(&self) -> Vec<Option<u16>> {
        let invites = self.incoming.iter().filter(|i| i.request.method() == Some(&Method::Invite));
        invites.map(|i| i.final_status).collect()
    }

    pub fn methods_in(&self) -> Vec<String> {
        self.incoming.iter().filter_map(|i| i.request.method().map(ToString::to_string)).collect()
    }
}

fn in_dialog(d: &Dialog, method: &str, cseq: u32, via: &str, contact: &str) -> Message {
    let routes: String = d.routes.iter().map(|r| format!("Route: {r}\r\n")).collect();
    let text = format!(
        "{method} {} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\n{routes}\
         From: <{}>;tag={}\r\nTo: <{}>;tag={}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n\
         Contact: <{contact}>\r\nContent-Length: 0\r\n\r\n",
        d.target, d.local, d.local_tag, d.remote, d.remote_tag, d.call_id
    );
    super::parse(text.into_bytes())
}

fn first_hop(d: &Dialog) -> SocketAddr {
    d.routes.first().map_or_else(proxy_address, address_of)
}

fn address_of(route: &RouteHeader) -> SocketAddr {
    let host = route.uri().host().and_then(|host| host.ip()).expect("an address in Route");
    SocketAddr::new(host, route.uri().port().unwrap_or(5060))
}
