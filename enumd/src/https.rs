//! DNS over HTTPS (RFC 8484): HTTP/2 where the client wants it (ALPN), else HTTP/1.1.
//!
//! A connection that brings no whole request for the idle time ends, when its requests were answered or as long again has
//! passed. Heads, bodies and requests at one time are limited, as connections are.

use crate::config::{Config, Https, Limits};
use crate::metrics::TransferEnd;
use crate::served::{Response as Answer, Served};
use crate::tcp::{Places, Shared, handshake};
use crate::tls::{Certificate, HTTP2};
use crate::via::Via;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::rt::{Read, Write};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use ngn_dns::answer::{self, Transport, freshness};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

/// The media type of DNS messages (RFC 8484 section 6).
const MESSAGE: &str = "application/dns-message";
/// Octets of a request's head, which has the query of GET.
const HEAD: usize = 16 * 1_024;
/// Header fields of a request.
const FIELDS: usize = 64;
/// Octets of a body that are read at most.
const READ_OVER: usize = 256 * 1_024;
/// Octets of a stream that may be under way.
const WINDOW: u32 = 65_535;

/// What is spoken at an address.
#[derive(Debug, Clone)]
pub(crate) struct Speaker {
    /// None where a proxy speaks TLS.
    certificate: Option<Certificate>,
    settings: Arc<Https>,
}

impl Speaker {
    pub(crate) fn new(settings: &Https, certificate: &Certificate) -> Self {
        let certificate = (!settings.plain).then(|| certificate.clone());
        Self { certificate, settings: Arc::new(settings.clone()) }
    }
}

/// How many connections there may be: as over TCP, and counted for themselves. A proxy has one address.
pub(crate) fn places(config: &Config) -> Arc<Places> {
    let Limits { connections, connections_per_address, .. } = config.limits;
    let each = if config.https.plain { connections } else { connections_per_address };
    Arc::new(Places::new(connections, each))
}

/// What the requests of one connection share.
#[derive(Debug, Clone)]
struct Asked {
    served: Served,
    settings: Arc<Https>,
    remote: IpAddr,
    max_udp: u16,
    idle: Duration,
    /// A request came.
    came: Arc<Notify>,
}

/// Answers on a connection until it ends.
pub(crate) async fn converse(
    stream: TcpStream,
    remote: IpAddr,
    shared: &Shared,
    speaker: Speaker,
) -> io::Result<()> {
    let asked = Asked {
        served: shared.served.clone(),
        settings: Arc::clone(&speaker.settings),
        remote,
        max_udp: shared.max_udp,
        idle: shared.idle,
        came: Arc::default(),
    };
    let Some(certificate) = speaker.certificate else {
        return http1(TokioIo::new(stream), asked).await;
    };
    let stream = handshake(stream, certificate.https(), shared).await?;
    if stream.get_ref().1.alpn_protocol() == Some(HTTP2) {
        http2(TokioIo::new(stream), asked, speaker.settings.streams).await
    } else {
        http1(TokioIo::new(stream), asked).await
    }
}

async fn http1(stream: impl Read + Write + Unpin, asked: Asked) -> io::Result<()> {
    let (came, idle) = (Arc::clone(&asked.came), asked.idle);
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_headers(FIELDS)
        .max_buf_size(HEAD)
        .serve_connection(stream, service_fn(move |request| answer(asked.clone(), request)));
    let graceful = |connection: Pin<&mut _>| {
        hyper::server::conn::http1::Connection::graceful_shutdown(connection);
    };
    watch(connection, graceful, &came, idle).await
}

async fn http2(stream: impl Read + Write + Unpin, asked: Asked, streams: u32) -> io::Result<()> {
    let (came, idle) = (Arc::clone(&asked.came), asked.idle);
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(streams)
        .max_header_list_size(HEAD.try_into().unwrap_or(u32::MAX))
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(4 * WINDOW)
        .max_send_buf_size(4 * usize::from(u16::MAX))
        .serve_connection(stream, service_fn(move |request| answer(asked.clone(), request)));
    let graceful = |connection: Pin<&mut _>| {
        hyper::server::conn::http2::Connection::graceful_shutdown(connection);
    };
    watch(connection, graceful, &came, idle).await
}

/// Serves while requests come.
async fn watch<C: Future<Output = hyper::Result<()>>>(
    connection: C,
    graceful: impl Fn(Pin<&mut C>),
    came: &Notify,
    idle: Duration,
) -> io::Result<()> {
    let mut connection = std::pin::pin!(connection);
    loop {
        tokio::select! {
            ended = &mut connection => return ended.map_err(io::Error::other),
            waited = timeout(idle, came.notified()) => if waited.is_err() { break },
        }
    }
    graceful(connection.as_mut());
    timeout(idle, connection).await?.map_err(io::Error::other)
}

/// Answers a request; there is an answer to each.
async fn answer(
    asked: Asked,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, mut body) = request.into_parts();
    // RFC 9112 section 6.1: a request may have come with both framings, of which hyper has dropped one; the
    // connection ends with the answer, so that nothing can be smuggled behind it.
    let chunked = parts.headers.contains_key(header::TRANSFER_ENCODING);
    let read = timeout(asked.idle, message(&asked, &parts, &mut body)).await;
    let answered = match read.unwrap_or(Err(Refusal::Slow)) {
        Ok(message) => respond(&asked, &message),
        Err(refusal) => Err(refusal),
    };
    asked.came.notify_one();
    let mut response = answered.unwrap_or_else(Refusal::response);
    if chunked && parts.version < Version::HTTP_2 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if parts.method == Method::HEAD {
        // RFC 9110 section 9.3.2: as GET, without the content.
        let length = HeaderValue::from(response.body().len());
        response.headers_mut().insert(header::CONTENT_LENGTH, length);
        response.body_mut().clear();
    }
    Ok(response.map(Full::new))
}

/// Why there is no DNS answer.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    NotFound,
    Method,
    Parameter,
    Type,
    TooLarge,
    Slow,
    Body,
    NoQuery,
}

impl Refusal {
    fn response(self) -> Response<Bytes> {
        let (status, text) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "nothing is here"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "use GET or POST"),
            Self::Parameter => (
                StatusCode::BAD_REQUEST,
                "the URI needs ?dns= with a DNS message in base64url without padding, once",
            ),
            Self::Type => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content must be application/dns-message")
            }
            Self::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "a DNS message has 65535 octets at most")
            }
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, "the content did not come in time"),
            Self::Body => (StatusCode::BAD_REQUEST, "the content did not come whole"),
            Self::NoQuery => (StatusCode::BAD_REQUEST, "this is no DNS query"),
        };
        let mut response = Response::new(Bytes::from_static(text.as_bytes()));
        *response.status_mut() = status;
        let fields = response.headers_mut();
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        match self {
            Self::Method => {
                fields.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            }
            Self::Type => {
                fields.insert(header::ACCEPT, HeaderValue::from_static(MESSAGE));
            }
            _ => {}
        }
        response
    }
}

/// The DNS message of a request (RFC 8484 section 4.1).
async fn message(asked: &Asked, parts: &Parts, body: &mut Incoming) -> Result<Bytes, Refusal> {
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let is_found = parts.uri.path() == asked.settings.path;
    let message = match parts.method {
        _ if !is_found => Err(Refusal::NotFound),
        Method::GET | Method::HEAD => {
            parameter(parts.uri.query().unwrap_or_default()).ok_or(Refusal::Parameter)
        }
        Method::POST if kind.is_some_and(is_message) => return read(body).await,
        Method::POST => Err(Refusal::Type),
        _ => Err(Refusal::Method),
    };
    // A client of HTTP/2 that still sends may not hear what it is told.
    if message.is_err() && parts.version == Version::HTTP_2 {
        let _ = read(body).await;
    }
    message
}

fn parameter(query: &str) -> Option<Bytes> {
    let mut values = query.split('&').filter_map(|part| part.strip_prefix("dns="));
    let value = values.next().filter(|_| values.next().is_none())?;
    URL_SAFE_NO_PAD.decode(value).ok().map(Bytes::from)
}

/// Whether a field says that the content is a DNS message, whatever its parameters.
fn is_message(field: &HeaderValue) -> bool {
    let named = field.as_bytes().split(|octet| *octet == b';').next().unwrap_or_default();
    named.trim_ascii().eq_ignore_ascii_case(MESSAGE.as_bytes())
}

/// Reads a body whole; the rest of one that is somewhat too large is read over.
async fn read(body: &mut Incoming) -> Result<Bytes, Refusal> {
    let mut whole = Vec::new();
    let mut length = 0;
    while length <= READ_OVER
        && let Some(frame) = body.frame().await
    {
        let Ok(octets) = frame.map_err(|_| Refusal::Body)?.into_data() else { continue };
        length += octets.len();
        if length <= usize::from(u16::MAX) {
            whole.extend_from_slice(&octets);
        }
    }
    if length == whole.len() { Ok(whole.into()) } else { Err(Refusal::TooLarge) }
}

/// The answer to a DNS message. Whole zones are refused: a response has one message.
fn respond(asked: &Asked, query: &[u8]) -> Result<Response<Bytes>, Refusal> {
    let limits = answer::Limits { max_udp: asked.max_udp, transport: Transport::Tcp };
    let mut responder = asked.served.responder(limits).over(Via::Https);
    let mut answer = Vec::new();
    match responder.respond(query, asked.remote, &mut answer) {
        Answer::None => return Err(Refusal::NoQuery),
        Answer::Message => {}
        // The refusal is written already.
        Answer::Transfer => asked.served.metrics.count_transfer(TransferEnd::Refused),
    }
    let age = format!("max-age={}", freshness(&answer));
    let mut response = Response::new(Bytes::from(answer));
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(MESSAGE));
    if let Ok(age) = HeaderValue::try_from(age) {
        fields.insert(header::CACHE_CONTROL, age);
    }
    Ok(response)
}
