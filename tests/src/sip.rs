//! A phone made of one socket or connection: it writes its messages by hand, so that a test decides every byte.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use md5::{Digest, Md5};

use crate::wire::Wire;

/// How long a phone waits for a message.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A received message.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// Request line or status line.
    pub start: String,
    /// Header fields in order, names in lower case and in their long form, values trimmed.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Message {
    /// Reads a datagram.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes)?;
        let (head, body) = text.split_once("\r\n\r\n").context("no empty line")?;
        let mut lines = head.split("\r\n");
        let start = lines.next().context("no start line")?.to_owned();
        let headers = lines
            .map(|line| {
                let (name, value) = line.split_once(':').context("header field without colon")?;
                let name = name.trim().to_ascii_lowercase();
                let name = match name.as_str() {
                    "v" => "via",
                    "f" => "from",
                    "t" => "to",
                    "m" => "contact",
                    "i" => "call-id",
                    "l" => "content-length",
                    other => other,
                };
                Ok((name.to_owned(), value.trim().to_owned()))
            })
            .collect::<Result<_>>()?;
        Ok(Self { start, headers, body: body.to_owned() })
    }

    /// The first header field of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// All header fields of that name.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect()
    }

    /// The status code; 0 for a request.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.start
            .strip_prefix("SIP/2.0 ")
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .unwrap_or(0)
    }

    /// The method; empty for a response.
    #[must_use]
    pub fn method(&self) -> &str {
        if self.status() > 0 { "" } else { self.start.split(' ').next().unwrap_or_default() }
    }
}

/// A phone.
#[derive(Debug)]
pub struct Phone {
    /// `user` of its address.
    pub user: String,
    /// `domain` of its address.
    pub domain: String,
    /// Its password.
    pub password: String,
    wire: Wire,
    call_id: String,
    cseq: u32,
    /// How often a request is sent before it counts as lost; 7 as in RFC 3261 section 17.1.2.
    pub attempts: u32,
}

impl Phone {
    /// A phone on a loopback port of its own.
    #[must_use]
    pub fn new(proxy: SocketAddr, address: &str, password: &str) -> Self {
        Self::at("127.0.0.1", proxy, address, password)
    }

    /// A phone on a port of one of this machine's addresses.
    #[must_use]
    pub fn at(ip: &str, proxy: SocketAddr, address: &str, password: &str) -> Self {
        Self::over(Wire::udp(ip, proxy).expect("a port"), address, password)
    }

    /// A phone that speaks over what there is.
    #[must_use]
    pub fn over(wire: Wire, address: &str, password: &str) -> Self {
        let (user, domain) = address.split_once('@').expect("user@domain");
        Self {
            attempts: 7,
            user: user.to_owned(),
            domain: domain.to_owned(),
            password: password.to_owned(),
            wire,
            call_id: unique("reg"),
            cseq: 0,
        }
    }

    /// Its own address and port.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.wire.local()
    }

    /// What it speaks over.
    #[must_use]
    pub fn wire(&self) -> &Wire {
        &self.wire
    }

    /// What it says in Via that it is: a browser does not know its address (RFC 7118 section 5).
    #[must_use]
    pub fn sent_by(&self) -> String {
        match self.wire.transport() {
            "WS" => format!("{}.invalid", self.local().port()),
            _ => self.local().to_string(),
        }
    }

    /// Its socket, for somebody else to answer with.
    #[must_use]
    pub fn socket(&self) -> UdpSocket {
        self.wire.socket().expect("a phone over UDP")
    }

    /// `sip:user@domain`.
    #[must_use]
    pub fn aor(&self) -> String {
        format!("sip:{}@{}", self.user, self.domain)
    }

    /// `sip:user@ip:port`, with its transport unless that is UDP.
    #[must_use]
    pub fn contact(&self) -> String {
        let transport = match self.wire.transport() {
            "UDP" => String::new(),
            other => format!(";transport={}", other.to_ascii_lowercase()),
        };
        format!("sip:{}@{}{transport}", self.user, self.sent_by())
    }

    /// Sends bytes as they are.
    pub fn send(&self, bytes: &[u8]) -> Result<()> {
        self.wire.send(bytes)
    }

    /// Sends bytes as they are to an address that is not its proxy's.
    pub fn send_to(&self, bytes: &[u8], to: SocketAddr) -> Result<()> {
        self.socket().send_to(bytes, to)?;
        Ok(())
    }

    /// Waits for the next message.
    pub fn receive(&self) -> Result<Message> {
        self.receive_within(PATIENCE)
    }

    /// Waits for the next message, not longer than this.
    pub fn receive_within(&self, patience: Duration) -> Result<Message> {
        Message::parse(&self.wire.receive(patience)?)
    }

    /// Waits for a message that the function accepts; others are skipped.
    pub fn receive_where(&self, accept: impl Fn(&Message) -> bool) -> Result<Message> {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        while Instant::now() < deadline {
            let Ok(message) = self.receive_within(Duration::from_secs(1)) else { continue };
            if accept(&message) {
                return Ok(message);
            }
            seen.push(message.start);
        }
        bail!("the message did not come; these did: {seen:?}")
    }

    /// Sends a request until a final response comes, as RFC 3261 section 17.1 asks; gives that response.
    pub fn transact(&self, request: &Request) -> Result<Message> {
        let bytes = request.bytes(self);
        let method = request.method.clone();
        let cseq = format!("{} {method}", request.cseq);
        // Nothing is sent twice over a connection.
        let is_datagram = self.wire.transport() == "UDP";
        let (attempts, mut wait) =
            if is_datagram { (self.attempts, Duration::from_millis(500)) } else { (1, PATIENCE) };
        for _ in 0..attempts {
            self.send(&bytes)?;
            let until = Instant::now() + wait;
            while let Some(left) = until.checked_duration_since(Instant::now()) {
                let Ok(message) = self.receive_within(left.max(Duration::from_millis(1))) else {
                    break;
                };
                let ours = message.header("cseq") == Some(&cseq)
                    && message.header("call-id") == Some(&request.call_id);
                if ours && message.status() >= 200 {
                    return Ok(message);
                }
                if ours && message.status() >= 100 && method == "INVITE" {
                    return self.receive_where(|m| {
                        m.header("cseq") == Some(&cseq)
                            && m.header("call-id") == Some(&request.call_id)
                            && m.status() >= 200
                    });
                }
            }
            wait *= 2;
        }
        bail!("{} had no final response", request.method)
    }

    /// Registers its contact for that many seconds; answers a challenge once. Gives the final response.
    pub fn register(&mut self, expires: u32) -> Result<Message> {
        let contact = format!("<{}>", self.contact());
        self.register_with(&[("Contact", &contact), ("Expires", &expires.to_string())])
    }

    /// Registers with the given header fields; answers a challenge once.
    pub fn register_with(&mut self, headers: &[(&str, &str)]) -> Result<Message> {
        self.cseq += 1;
        let uri = format!("sip:{}", self.domain);
        let aor = self.aor();
        let mut request = Request::new("REGISTER", &uri, &aor, &aor);
        request.call_id = self.call_id.clone();
        request.cseq = self.cseq;
        for (name, value) in headers {
            request = request.with(name, value);
        }
        let response = self.transact(&request)?;
        if response.status() != 401 {
            return Ok(response);
        }
        self.cseq += 1;
        let request = request.answer(&response, &self.user, &self.password)?;
        self.transact(&Request { cseq: self.cseq, ..request })
    }
}

/// A request under construction.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Request-URI.
    pub uri: String,
    /// URI of From.
    pub from: String,
    /// URI of To.
    pub to: String,
    /// Parameters of To, such as `;tag=x`.
    pub to_parameters: String,
    /// Tag of From.
    pub from_tag: String,
    /// Call-ID.
    pub call_id: String,
    /// Number of CSeq.
    pub cseq: u32,
    /// Branch of Via.
    pub branch: String,
    /// Further header fields.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: String,
}

impl Request {
    /// A request outside of a dialog.
    #[must_use]
    pub fn new(method: &str, uri: &str, from: &str, to: &str) -> Self {
        Self {
            method: method.to_owned(),
            uri: uri.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            to_parameters: String::new(),
            from_tag: unique("f"),
            call_id: unique("c"),
            cseq: 1,
            branch: format!("z9hG4bK{}", unique("b")),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// The request with one more header field.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The next request, with the credentials that a 401 or 407 asks for (RFC 2617, MD5, qop=auth).
    pub fn answer(&self, challenge: &Message, username: &str, password: &str) -> Result<Self> {
        let (from, to) = match challenge.status() {
            401 => ("www-authenticate", "Authorization"),
            407 => ("proxy-authenticate", "Proxy-Authorization"),
            other => bail!("{other} is no challenge"),
        };
        let parameters = challenge
            .all(from)
            .into_iter()
            .map(parameters)
            .find(|p| p.get("algorithm").is_none_or(|a| a.eq_ignore_ascii_case("MD5")))
            .context("no MD5 challenge")?;
        let credentials = digest(&parameters, &self.method, &self.uri, username, password)?;
        let mut next = self.clone();
        next.headers.retain(|(name, _)| name != to);
        next.cseq += 1;
        next.branch = format!("z9hG4bK{}", unique("b"));
        Ok(next.with(to, &credentials))
    }

    /// The ACK to a final response other than 2xx (RFC 3261 section 17.1.1.3).
    #[must_use]
    pub fn ack(&self, response: &Message) -> Self {
        let to = response.header("to").unwrap_or_default();
        Self {
            method: "ACK".to_owned(),
            to_parameters: to.split_once(">").map(|(_, p)| p.to_owned()).unwrap_or_default(),
            body: String::new(),
            headers: Vec::new(),
            ..self.clone()
        }
    }

    /// The BYE by which the sender of this request ends the call that a response set up (RFC 3261 section 12.2.1.1).
    #[must_use]
    pub fn bye(&self, response: &Message) -> Self {
        let to = response.header("to").unwrap_or_default();
        let contact = response.header("contact").unwrap_or_default();
        let target = contact.trim_start_matches('<').split('>').next().unwrap_or_default();
        let routes = response.all("record-route").into_iter().rev();
        Self {
            method: "BYE".to_owned(),
            uri: target.to_owned(),
            to_parameters: to.split_once('>').map(|(_, p)| p.to_owned()).unwrap_or_default(),
            cseq: self.cseq + 1,
            branch: format!("z9hG4bK{}", unique("b")),
            headers: routes.map(|route| ("Route".to_owned(), route.to_owned())).collect(),
            body: String::new(),
            ..self.clone()
        }
    }

    /// The CANCEL of this request (RFC 3261 section 9.1).
    #[must_use]
    pub fn cancel(&self) -> Self {
        Self {
            method: "CANCEL".to_owned(),
            body: String::new(),
            headers: Vec::new(),
            ..self.clone()
        }
    }

    /// The request as the phone sends it.
    #[must_use]
    pub fn bytes(&self, phone: &Phone) -> Vec<u8> {
        self.bytes_by(phone.wire().transport(), &phone.sent_by())
    }

    /// The request as it is sent from a UDP address.
    #[must_use]
    pub fn bytes_from(&self, local: SocketAddr) -> Vec<u8> {
        self.bytes_by("UDP", &local.to_string())
    }

    fn bytes_by(&self, transport: &str, sent_by: &str) -> Vec<u8> {
        let mut text = format!(
            "{} {} SIP/2.0\r\nVia: SIP/2.0/{} {};branch={};rport\r\nMax-Forwards: 70\r\n\
             From: <{}>;tag={}\r\nTo: <{}>{}\r\nCall-ID: {}\r\nCSeq: {} {}\r\n",
            self.method,
            self.uri,
            transport,
            sent_by,
            self.branch,
            self.from,
            self.from_tag,
            self.to,
            self.to_parameters,
            self.call_id,
            self.cseq,
            self.method,
        );
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{}", self.body.len(), self.body));
        text.into_bytes()
    }
}

/// A response to a request that arrived, with the header fields that RFC 3261 section 8.2.6 has copied.
#[must_use]
pub fn response(request: &Message, status: &str, tag: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let mut text = format!("SIP/2.0 {status}\r\n");
    for (name, value) in &request.headers {
        match name.as_str() {
            "via" | "from" | "call-id" | "cseq" | "record-route" => {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            "to" => {
                let tag = if value.contains(";tag=") || tag.is_empty() {
                    String::new()
                } else {
                    format!(";tag={tag}")
                };
                text.push_str(&format!("to: {value}{tag}\r\n"));
            }
            _ => {}
        }
    }
    for (name, value) in more {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("Content-Length: 0\r\n\r\n");
    text.into_bytes()
}

/// The parameters of a challenge, names in lower case, quotes removed.
fn parameters(challenge: &str) -> HashMap<String, String> {
    let list = challenge.trim_start().strip_prefix("Digest ").unwrap_or(challenge);
    let mut quoted = false;
    list.split(|c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
    .filter_map(|item| {
        let (name, value) = item.trim().split_once('=')?;
        Some((name.to_ascii_lowercase(), value.trim_matches('"').to_owned()))
    })
    .collect()
}

fn digest(
    challenge: &HashMap<String, String>,
    method: &str,
    uri: &str,
    username: &str,
    password: &str,
) -> Result<String> {
    let of = |name: &str| challenge.get(name).map(String::as_str);
    let (realm, nonce) = (of("realm").context("no realm")?, of("nonce").context("no nonce")?);
    let ha1 = md5_hex(&format!("{username}:{realm}:{password}"));
    let ha2 = md5_hex(&format!("{method}:{uri}"));
    let mut out = format!(
        "Digest username=\"{username}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm=MD5"
    );
    let response = match of("qop") {
        Some(qop) => {
            ensure!(qop.split(',').any(|q| q.trim() == "auth"), "no qop=auth in `{qop}`");
            out.push_str(", qop=auth, nc=00000001, cnonce=\"0a4f113b\"");
            md5_hex(&format!("{ha1}:{nonce}:00000001:0a4f113b:auth:{ha2}"))
        }
        None => md5_hex(&format!("{ha1}:{nonce}:{ha2}")),
    };
    out.push_str(&format!(", response=\"{response}\""));
    if let Some(opaque) = of("opaque") {
        out.push_str(&format!(", opaque=\"{opaque}\""));
    }
    Ok(out)
}

/// MD5 in hexadecimal digits.
#[must_use]
pub fn md5_hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A word that no other part of this test program uses.
#[must_use]
pub fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}{}x{number}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_the_challenge_of_rfc_2617_section_3_5() {
        let challenge = parameters(
            r#"Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093""#,
        );
        let answer =
            digest(&challenge, "GET", "/dir/index.html", "Mufasa", "Circle Of Life").unwrap();
        assert!(answer.contains(r#"response="6629fae49393a05397450978507c4ef1""#), "{answer}");
    }
}
