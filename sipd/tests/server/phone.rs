//! A phone made of one socket, which does what its test tells it to.

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use ngn_sip::digest::{answer, ha1_md5, ha1_sha256};
use ngn_sip::framing::{Frame, Framer};
use ngn_sip::header::{Challenge, HeaderName};
use ngn_sip::message::{Limits, Message, Method};
use ngn_sip::uri::Uri;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame7118;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(5);

enum Wire {
    Udp { socket: UdpSocket, server: SocketAddr },
    Stream { stream: Octets, framer: Framer, local: SocketAddr, name: &'static str },
    Web { socket: Box<WebSocketStream<Octets>>, local: SocketAddr, name: &'static str },
}

/// A connection, secured or not.
pub(crate) type Octets = Box<dyn Io>;

pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

pub(crate) struct Phone {
    pub(crate) name: &'static str,
    /// Which challenge is answered, `MD5` or `SHA-256`.
    pub(crate) algorithm: &'static str,
    /// What From says; the phone's own address unless a test lies.
    pub(crate) from: String,
    /// Header lines of every request but REGISTER.
    pub(crate) extra: String,
    /// What Contact says when it is not the phone's own address.
    pub(crate) contact: Option<String>,
    /// The body of its requests but REGISTER and ACK.
    pub(crate) body: &'static str,
    wire: Wire,
    count: u32,
    early: VecDeque<Message>,
}

impl Phone {
    pub(crate) async fn udp(name: &'static str, server: SocketAddr) -> Self {
        let own = if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
        let socket = UdpSocket::bind(own).await.unwrap();
        Self::new(name, Wire::Udp { socket, server })
    }

    pub(crate) async fn tcp(name: &'static str, server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).await.unwrap();
        let local = stream.local_addr().unwrap();
        Self::on(name, Box::new(stream), local, "TCP")
    }

    /// On a connection that is there, TCP or TLS.
    pub(crate) fn on(
        name: &'static str,
        stream: Octets,
        local: SocketAddr,
        transport: &'static str,
    ) -> Self {
        let framer = Framer::new(Limits::default());
        Self::new(name, Wire::Stream { stream, framer, local, name: transport })
    }

    /// In a browser: its address is made up, and only its connection leads to it (RFC 7118).
    pub(crate) fn web(
        name: &'static str,
        socket: WebSocketStream<Octets>,
        local: SocketAddr,
        transport: &'static str,
    ) -> Self {
        let mut phone =
            Self::new(name, Wire::Web { socket: socket.into(), local, name: transport });
        phone.contact = Some(format!("sip:{name}@browser.invalid;transport=ws"));
        phone
    }

    /// The WebSocket itself.
    pub(crate) fn socket(&mut self) -> &mut WebSocketStream<Octets> {
        match &mut self.wire {
            Wire::Web { socket, .. } => socket,
            _ => panic!("no WebSocket"),
        }
    }

    fn new(name: &'static str, wire: Wire) -> Self {
        let from = format!("sip:{name}@example.com");
        let (extra, early) = (String::new(), VecDeque::new());
        Self { name, algorithm: "MD5", from, extra, contact: None, body: "", wire, count: 0, early }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        match &self.wire {
            Wire::Udp { socket, .. } => socket.local_addr().unwrap(),
            Wire::Stream { local, .. } | Wire::Web { local, .. } => *local,
        }
    }

    pub(crate) fn contact(&self) -> String {
        if let Some(contact) = &self.contact {
            return contact.clone();
        }
        let transport = match self.transport() {
            "UDP" => String::new(),
            other => format!(";transport={}", other.to_lowercase()),
        };
        format!("sip:{}@{}{transport}", self.name, self.address())
    }

    fn transport(&self) -> &'static str {
        match self.wire {
            Wire::Udp { .. } => "UDP",
            Wire::Stream { name, .. } | Wire::Web { name, .. } => name,
        }
    }

    pub(crate) fn text(
        &mut self,
        method: &str,
        uri: &str,
        to: &str,
        call: &str,
        more: &str,
    ) -> String {
        self.count += 1;
        let own = match self.wire {
            Wire::Web { .. } => "browser.invalid".to_owned(),
            _ => self.address().to_string(),
        };
        let (name, count, from) = (self.name, self.count, &self.from);
        let (transport, contact) = (self.transport(), self.contact());
        let body = if matches!(method, "REGISTER" | "ACK") { "" } else { self.body };
        let length = body.len();
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{transport} {own};rport;branch=z9hG4bK{name}{call}{count}\r\n\
             Max-Forwards: 70\r\nFrom: <{from}>;tag={name}\r\nTo: {to}\r\nCall-ID: {call}\r\n\
             CSeq: {count} {method}\r\nContact: <{contact}>\r\n{more}Content-Length: {length}\r\n\r\n{body}"
        )
    }

    pub(crate) fn request(
        &mut self,
        method: &str,
        uri: &str,
        to: &str,
        call: &str,
        more: &str,
    ) -> Message {
        let more = if method == "REGISTER" { more.to_owned() } else { self.extra.clone() + more };
        parse(self.text(method, uri, to, call, &more).into())
    }

    pub(crate) async fn send(&mut self, message: &Message) {
        self.send_octets(&message.to_bytes()).await;
    }

    pub(crate) async fn send_octets(&mut self, octets: &[u8]) {
        match &mut self.wire {
            Wire::Udp { socket, server } => {
                socket.send_to(octets, *server).await.unwrap();
            }
            Wire::Stream { stream, .. } => {
                stream.write_all(octets).await.unwrap();
                stream.flush().await.unwrap();
            }
            Wire::Web { socket, .. } => {
                let text = std::str::from_utf8(octets).unwrap();
                socket.send(Frame7118::text(text)).await.unwrap();
            }
        }
    }

    /// The next message, or `None` when the connection ends or nothing comes.
    pub(crate) async fn try_next(&mut self, patience: Duration) -> Option<Message> {
        if let Some(message) = self.early.pop_front() {
            return Some(message);
        }
        tokio::time::timeout(patience, self.receive()).await.ok().flatten()
    }

    async fn receive(&mut self) -> Option<Message> {
        let mut buffer = vec![0; 65_535];
        match &mut self.wire {
            Wire::Udp { socket, .. } => {
                let (length, _) = socket.recv_from(&mut buffer).await.unwrap();
                Some(parse(Bytes::copy_from_slice(&buffer[..length])))
            }
            Wire::Web { socket, .. } => loop {
                match socket.next().await {
                    Some(Ok(Frame7118::Text(text))) => return Some(parse(text.into())),
                    Some(Ok(Frame7118::Binary(octets))) => return Some(parse(octets)),
                    Some(Ok(Frame7118::Ping(_) | Frame7118::Pong(_))) => {}
                    _ => return None,
                }
            },
            Wire::Stream { stream, framer, .. } => loop {
                match framer.next_frame().unwrap() {
                    Some(Frame::Message(octets)) => return Some(parse(octets)),
                    Some(_) => {}
                    None => match stream.read(&mut buffer).await {
                        Ok(length) if length > 0 => framer.push(&buffer[..length]),
                        _ => return None,
                    },
                }
            },
        }
    }

    /// Whether the server closes the connection; messages before that are dropped.
    pub(crate) async fn is_closed(&mut self) -> bool {
        tokio::time::timeout(PATIENCE, async { while self.receive().await.is_some() {} })
            .await
            .is_ok()
    }

    pub(crate) async fn next(&mut self) -> Message {
        self.try_next(PATIENCE).await.expect("a message in time")
    }

    pub(crate) async fn next_request(&mut self, method: &Method) -> Message {
        loop {
            let message = self.next().await;
            if message.method() == Some(method) {
                return message;
            }
        }
    }

    /// The next final response.
    pub(crate) async fn last(&mut self) -> Message {
        loop {
            let message = self.next().await;
            if message.status().is_some_and(|status| status >= 200) {
                return message;
            }
        }
    }

    /// The next final response of a call.
    pub(crate) async fn last_of(&mut self, call: &str) -> Message {
        loop {
            let message = self.last().await;
            if message.call_id().unwrap() == call {
                return message;
            }
        }
    }

    /// Waits for a provisional or final response with this status.
    pub(crate) async fn status(&mut self, status: u16) -> Message {
        loop {
            let message = self.next().await;
            if message.status() == Some(status) {
                return message;
            }
        }
    }

    /// Sends with credentials for the challenge that comes first; the second request.
    pub(crate) async fn challenged(
        &mut self,
        method: &str,
        uri: &str,
        call: &str,
        password: &str,
        more: &str,
    ) -> Message {
        let to = if method == "REGISTER" {
            format!("<sip:{}@example.com>", self.name)
        } else {
            format!("<{uri}>")
        };
        let first = self.request(method, uri, &to, call, more);
        self.send(&first).await;
        let challenge = self.last_of(call).await;
        let status = if method == "REGISTER" { 401 } else { 407 };
        assert_eq!(challenge.status(), Some(status));
        if method == "INVITE" {
            self.send(&first.ack(&challenge).unwrap()).await;
        }
        let credentials = self.credentials(&challenge, method, uri, password);
        let request = self.request(method, uri, &to, call, &format!("{credentials}{more}"));
        self.send(&request).await;
        request
    }

    /// The header line that answers a challenge.
    pub(crate) fn credentials(
        &self,
        response: &Message,
        method: &str,
        uri: &str,
        pass: &str,
    ) -> String {
        let (asks, answers) = if response.status() == Some(401) {
            (HeaderName::WwwAuthenticate, "Authorization")
        } else {
            (HeaderName::ProxyAuthenticate, "Proxy-Authorization")
        };
        let challenges = response.named(asks).map(|f| f.text().unwrap().to_owned());
        let challenge = challenges
            .map(|text| Challenge::parse(&text).unwrap())
            .find(|challenge| challenge.algorithm.as_str() == self.algorithm)
            .expect("a challenge with this algorithm");
        let ha1 = match self.algorithm {
            "MD5" => ha1_md5(self.name, "example.com", pass).to_hex(),
            _ => ha1_sha256(self.name, "example.com", pass).to_hex(),
        };
        let (target, method) = (Uri::parse(uri).unwrap(), Method::parse(method).unwrap());
        let credentials = answer(&challenge, self.name, &ha1, &method, &target, "c", 1).unwrap();
        format!("{answers}: {credentials}\r\n")
    }

    pub(crate) async fn register(&mut self, call: &str, password: &str) -> u16 {
        self.challenged("REGISTER", "sip:example.com", call, password, "").await;
        self.last_of(call).await.status().unwrap()
    }

    pub(crate) async fn call(&mut self, callee: &str, call: &str) -> Message {
        let uri = format!("sip:{callee}@example.com");
        self.challenged("INVITE", &uri, call, crate::scene::PASSWORD, "").await
    }

    /// Acknowledges a final response that is not 2xx.
    pub(crate) async fn ack(&mut self, invite: &Message, response: &Message) {
        self.send(&invite.ack(response).unwrap()).await;
    }

    /// The 200 to an INVITE, with what makes a dialog.
    pub(crate) fn ok(&self, invite: &Message) -> Message {
        let mut ok = invite.response(200, "OK", Some(self.name));
        ok.set(HeaderName::Contact, &format!("<{}>", self.contact()));
        ok.copy(HeaderName::RecordRoute, invite);
        ok
    }

    /// A request inside the dialog that a 200 made; the phone called.
    pub(crate) fn within(&mut self, answered: &Message, method: &str) -> Message {
        let routes = answered.record_routes().unwrap();
        let route: String = routes.iter().rev().map(|r| format!("Route: {r}\r\n")).collect();
        self.inside(answered, method, "To", &route)
    }

    /// The same for the phone that was called, with the INVITE that it got.
    pub(crate) fn within_called(&mut self, invite: &Message, method: &str) -> Message {
        let routes = invite.record_routes().unwrap();
        let route: String = routes.iter().map(|r| format!("Route: {r}\r\n")).collect();
        let tag = invite.from_header().unwrap().tag().unwrap().to_owned();
        let caller = invite.from_header().unwrap().uri().to_string();
        let peer = format!("<{caller}>;tag={tag}");
        let target = contact_of(invite);
        let call = invite.call_id().unwrap().to_owned();
        self.request(method, &target, &peer, &call, &route)
    }

    fn inside(&mut self, answered: &Message, method: &str, peer: &str, route: &str) -> Message {
        let to = answered.field_named(peer).unwrap().unfolded().into_owned();
        let call = answered.call_id().unwrap().to_owned();
        self.request(method, &contact_of(answered), &to, &call, route)
    }
}

fn contact_of(message: &Message) -> String {
    let field = message.field_named("Contact").unwrap().unfolded().into_owned();
    field.trim_start_matches('<').split('>').next().unwrap().to_owned()
}

fn parse(octets: Bytes) -> Message {
    Message::parse(octets, &Limits::default()).unwrap()
}

/// Sets a call up: the answer as the caller got it, and the INVITE as the called phone got it.
pub(crate) async fn talk(caller: &mut Phone, called: &mut Phone, call: &str) -> (Message, Message) {
    caller.call(called.name, call).await;
    let invite = called.next_request(&Method::Invite).await;
    let ok = called.ok(&invite);
    called.send(&ok).await;
    let answered = caller.last_of(call).await;
    assert_eq!(answered.status(), Some(200));
    let ack = caller.within(&answered, "ACK");
    caller.send(&ack).await;
    assert_eq!(called.next_request(&Method::Ack).await.call_id().unwrap(), call);
    (answered, invite)
}

/// Hangs up from the caller's side.
pub(crate) async fn hang_up(caller: &mut Phone, called: &mut Phone, answered: &Message) {
    let bye = caller.within(answered, "BYE");
    caller.send(&bye).await;
    let at_called = called.next_request(&Method::Bye).await;
    called.send(&at_called.response(200, "OK", None)).await;
    assert_eq!(caller.last().await.status(), Some(200));
}
