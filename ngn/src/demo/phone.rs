//! A phone without sound: it registers, calls and answers over UDP. Messages are written and read by rsip, which the
//! server's own SIP does not use.

use anyhow::{Context as _, bail, ensure};
use rsip::headers::auth::{Algorithm, AuthQop, Scheme};
use rsip::headers::{ToTypedHeader as _, UntypedHeader as _};
use rsip::services::DigestGenerator;
use rsip::typed::{Authorization, WwwAuthenticate};
use rsip::{Header, Headers, Method, Request, Response, SipMessage, StatusCode, Uri, Version};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

/// Longest time that a phone waits for a final response.
const PATIENCE: Duration = Duration::from_secs(10);
/// Timer T1 (RFC 3261 section 17.1.1.1).
const T1: Duration = Duration::from_millis(500);

/// What a phone does when it rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// It rings and is picked up.
    Answer,
    /// It is busy.
    Busy,
}

/// A phone of an account.
#[derive(Debug)]
pub(super) struct Phone {
    socket: UdpSocket,
    own: SocketAddr,
    proxy: SocketAddr,
    user: String,
    domain: String,
    password: String,
}

/// How a request fared: the statuses of its responses in order, the last one final.
#[derive(Debug, Default)]
pub(super) struct Story(Vec<u16>);

impl Story {
    /// The final status.
    pub(super) fn outcome(&self) -> u16 {
        self.0.last().copied().unwrap_or(0)
    }
}

impl std::fmt::Display for Story {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let statuses: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&statuses.join(", "))
    }
}

impl Phone {
    /// A phone that is plugged in, on a port of its own.
    pub(super) async fn new(
        proxy: SocketAddr,
        user: &str,
        domain: &str,
        password: &str,
    ) -> anyhow::Result<Self> {
        let socket =
            UdpSocket::bind(if proxy.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" }).await?;
        let own = socket.local_addr()?;
        let (user, domain) = (user.to_owned(), domain.to_owned());
        Ok(Self { socket, own, proxy, user, domain, password: password.to_owned() })
    }

    /// Its account's address.
    pub(super) fn address(&self) -> String {
        format!("sip:{}@{}", self.user, self.domain)
    }

    /// Registers for an hour (RFC 3261 section 10.2), alone: contacts that an earlier demonstration left would ring
    /// on for half a minute wherever somebody is busy.
    pub(super) async fn register(&self) -> anyhow::Result<Story> {
        let target = format!("sip:{}", self.domain);
        let mut dialog = Dialog::new(&self.address(), &self.address())?;
        let none = [Header::Contact("*".into()), Header::Expires("0".into())];
        let mut story = Story::default();
        self.authenticated(&mut dialog, Method::Register, &target, &none, &mut story).await?;
        ensure!(story.outcome() == 200, "the old contacts were not removed: {story}");
        let expires = [self.contact(), Header::Expires("3600".into())];
        let mut story = Story::default();
        dialog.cseq += 1;
        self.authenticated(&mut dialog, Method::Register, &target, &expires, &mut story).await?;
        Ok(story)
    }

    fn contact(&self) -> Header {
        Header::Contact(format!("<sip:{}@{}>", self.user, self.own).into())
    }

    /// Calls an address, and hangs up at once when it is answered.
    pub(super) async fn call(&self, callee: &str) -> anyhow::Result<Story> {
        let mut story = Story::default();
        let mut dialog = Dialog::new(&self.address(), callee)?;
        let more = [self.contact()];
        let response =
            self.authenticated(&mut dialog, Method::Invite, callee, &more, &mut story).await?;
        if story.outcome() != 200 {
            return Ok(story);
        }
        // RFC 3261 section 12.1.2: the route set is what was recorded, in reverse; the target is the contact.
        let target = header(&response.headers, "contact").context("the answer has no Contact")?;
        let target = uri_of(&target).to_owned();
        dialog.remote = header(&response.headers, "to").context("the answer has no To")?;
        dialog.routes = all(&response.headers, "record-route");
        dialog.routes.reverse();
        let ack = self.request(&dialog, Method::Ack, &target, &[])?;
        self.socket.send_to(ack.to_string().as_bytes(), self.proxy).await?;
        dialog.cseq += 1;
        let bye = self.request(&dialog, Method::Bye, &target, &[])?;
        self.transact(&bye, &mut story).await?;
        Ok(story)
    }

    /// Sends a request, and once more with credentials when it is challenged.
    async fn authenticated(
        &self,
        dialog: &mut Dialog,
        method: Method,
        target: &str,
        more: &[Header],
        story: &mut Story,
    ) -> anyhow::Result<Response> {
        let first = self.request(dialog, method, target, more)?;
        let response = self.transact(&first, story).await?;
        let (challenge, is_proxy) = match story.outcome() {
            401 => (header(&response.headers, "www-authenticate"), false),
            407 => (header(&response.headers, "proxy-authenticate"), true),
            _ => return Ok(response),
        };
        let challenge = challenge.context("the refusal has no challenge")?;
        let credentials = self.credentials(&challenge, method, target)?.to_string();
        let credentials = if is_proxy {
            Header::ProxyAuthorization(credentials.into())
        } else {
            Header::Authorization(credentials.into())
        };
        dialog.cseq += 1;
        let mut headers = more.to_vec();
        headers.push(credentials);
        let again = self.request(dialog, method, target, &headers)?;
        self.transact(&again, story).await
    }

    fn credentials(
        &self,
        challenge: &str,
        method: Method,
        target: &str,
    ) -> anyhow::Result<Authorization> {
        let challenge: WwwAuthenticate = rsip::headers::WwwAuthenticate::new(challenge).typed()?;
        let uri = Uri::try_from(target)?;
        let qop = match challenge.qop {
            Some(_) => Some(AuthQop::Auth { cnonce: token()?, nc: 1 }),
            None => None,
        };
        let algorithm = challenge.algorithm.unwrap_or(Algorithm::Md5);
        let response = DigestGenerator {
            username: &self.user,
            password: &self.password,
            nonce: &challenge.nonce,
            uri: &uri,
            realm: &challenge.realm,
            method: &method,
            qop: qop.as_ref(),
            algorithm,
        }
        .compute();
        Ok(Authorization {
            scheme: Scheme::Digest,
            username: self.user.clone(),
            realm: challenge.realm,
            nonce: challenge.nonce,
            uri,
            response,
            algorithm: Some(algorithm),
            opaque: challenge.opaque,
            qop,
        })
    }

    fn request(
        &self,
        dialog: &Dialog,
        method: Method,
        target: &str,
        more: &[Header],
    ) -> anyhow::Result<Request> {
        let mut headers = Headers::default();
        let via = format!("SIP/2.0/UDP {};branch=z9hG4bK{};rport", self.own, token()?);
        headers.push(Header::Via(via.into()));
        headers.push(Header::MaxForwards("70".into()));
        for route in &dialog.routes {
            headers.push(Header::Route(route.as_str().into()));
        }
        headers.push(Header::From(dialog.local.as_str().into()));
        headers.push(Header::To(dialog.remote.as_str().into()));
        headers.push(Header::CallId(dialog.call_id.as_str().into()));
        headers.push(Header::CSeq(format!("{} {method}", dialog.cseq).into()));
        headers.extend(more.to_vec());
        headers.push(Header::ContentLength("0".into()));
        let uri = Uri::try_from(target)?;
        Ok(Request { method, uri, version: Version::V2, headers, body: Vec::new() })
    }

    /// Sends a request until a final response comes, and acknowledges a refused INVITE (RFC 3261 section 17.1).
    async fn transact(&self, request: &Request, story: &mut Story) -> anyhow::Result<Response> {
        let (octets, cseq) = (request.to_string(), header(&request.headers, "cseq"));
        let call_id = header(&request.headers, "call-id");
        let end = Instant::now() + PATIENCE;
        let (mut pause, mut is_heard) = (T1, false);
        self.socket.send_to(octets.as_bytes(), self.proxy).await?;
        let mut again = Instant::now() + pause;
        loop {
            let until = if is_heard { end } else { again.min(end) };
            let Ok(message) = timeout_at(until, self.receive()).await else {
                ensure!(Instant::now() < end, "no answer to {} ({story})", request.method);
                self.socket.send_to(octets.as_bytes(), self.proxy).await?;
                pause *= 2;
                again = Instant::now() + pause;
                continue;
            };
            let Some(SipMessage::Response(response)) = message? else { continue };
            let (its_cseq, its_call) =
                (header(&response.headers, "cseq"), header(&response.headers, "call-id"));
            if its_cseq != cseq || its_call != call_id {
                continue;
            }
            is_heard = true;
            let status = response.status_code.code();
            if story.0.last() != Some(&status) {
                story.0.push(status);
            }
            if status < 200 {
                continue;
            }
            if request.method == Method::Invite && status >= 300 {
                let ack = acknowledge(request, &response);
                self.socket.send_to(ack.to_string().as_bytes(), self.proxy).await?;
            }
            return Ok(response);
        }
    }

    /// The next message; `None` for what is no SIP.
    async fn receive(&self) -> anyhow::Result<Option<SipMessage>> {
        let mut buffer = vec![0; 65_535];
        let (length, _) = self.socket.recv_from(&mut buffer).await?;
        Ok(SipMessage::try_from(buffer.get(..length).unwrap_or_default()).ok())
    }

    /// Serves calls until the task is dropped.
    pub(super) async fn serve(self, manner: Manner) -> anyhow::Result<()> {
        loop {
            let Some(SipMessage::Request(request)) = self.receive().await? else { continue };
            let statuses: &[u16] = match (&request.method, manner) {
                (Method::Ack, _) => &[],
                (Method::Invite, Manner::Answer) => &[180, 200],
                (Method::Invite, Manner::Busy) => &[486],
                (Method::Bye | Method::Options | Method::Cancel, _) => &[200],
                _ => &[501],
            };
            for status in statuses {
                let response = self.response(&request, *status)?;
                self.socket.send_to(response.to_string().as_bytes(), self.proxy).await?;
            }
        }
    }

    /// RFC 3261 section 8.2.6; always with the same tag, so that retransmissions get the same answer.
    fn response(&self, request: &Request, status: u16) -> anyhow::Result<Response> {
        let mut headers = Headers::default();
        for name in ["via", "record-route", "from", "to", "call-id", "cseq"] {
            for value in all(&request.headers, name) {
                let tag = if name == "to" && !value.contains(";tag=") { ";tag=phone" } else { "" };
                headers.push(named(name, &format!("{value}{tag}"))?);
            }
        }
        headers.push(self.contact());
        headers.push(Header::ContentLength("0".into()));
        let status_code = StatusCode::from(status);
        Ok(Response { status_code, version: Version::V2, headers, body: Vec::new() })
    }
}

/// What the requests of a dialog share.
#[derive(Debug)]
struct Dialog {
    local: String,
    remote: String,
    call_id: String,
    cseq: u32,
    routes: Vec<String>,
}

impl Dialog {
    fn new(local: &str, remote: &str) -> anyhow::Result<Self> {
        Ok(Self {
            local: format!("<{local}>;tag={}", token()?),
            remote: format!("<{remote}>"),
            call_id: token()?,
            cseq: 1,
            routes: Vec::new(),
        })
    }
}

/// RFC 3261 section 17.1.1.3.
fn acknowledge(invite: &Request, response: &Response) -> Request {
    let mut ack = Request { method: Method::Ack, ..invite.clone() };
    let to = header(&response.headers, "to").unwrap_or_default();
    let kept = |header: &&Header| {
        !matches!(
            header,
            Header::Contact(_) | Header::ProxyAuthorization(_) | Header::Authorization(_)
        )
    };
    let headers: Vec<Header> = invite
        .headers
        .iter()
        .filter(kept)
        .map(|header| match header {
            Header::To(_) => Header::To(to.as_str().into()),
            Header::CSeq(cseq) => Header::CSeq(cseq.value().replace("INVITE", "ACK").into()),
            other => other.clone(),
        })
        .collect();
    ack.headers = headers.into();
    ack
}

fn named(name: &str, value: &str) -> anyhow::Result<Header> {
    Ok(match name {
        "via" => Header::Via(value.into()),
        "record-route" => Header::RecordRoute(value.into()),
        "from" => Header::From(value.into()),
        "to" => Header::To(value.into()),
        "call-id" => Header::CallId(value.into()),
        "cseq" => Header::CSeq(value.into()),
        _ => bail!("no header field {name}"),
    })
}

/// A header field's values, by its name in lower case.
fn all(headers: &Headers, name: &str) -> Vec<String> {
    let of = |header: &Header| {
        let text = header.to_string();
        let (its_name, value) = text.split_once(':')?;
        its_name.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    };
    headers.iter().filter_map(of).collect()
}

fn header(headers: &Headers, name: &str) -> Option<String> {
    all(headers, name).into_iter().next()
}

/// The URI within a name-addr.
fn uri_of(text: &str) -> &str {
    text.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(text, |(uri, _)| uri)
}

/// Sixteen random hexadecimal digits.
pub(super) fn token() -> anyhow::Result<String> {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).map_err(|_| anyhow::anyhow!("the system has no randomness"))?;
    let mut text = String::new();
    for octet in random {
        write!(text, "{octet:02x}")?;
    }
    Ok(text)
}
