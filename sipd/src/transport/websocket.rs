//! SIP over WebSocket (RFC 7118): one message of one is one message of the other.

use super::stream::{Ends, WRITE_TIMEOUT, announce};
use super::{Arrival, ConnectionId, Live, Shared};
use crate::config::WebSocket;
use bytes::Bytes;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use ngn_sip::framing::{PING, PONG};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};
use tokio_util::sync::CancellationToken;

/// The subprotocol (section 4).
const SUBPROTOCOL: &str = "sip";
/// What a connection reads at once.
const READ_BUFFER: usize = 8 * 1024;
/// How many of our pings may stay without any sign of life.
const PINGS: u32 = 3;

/// Carries the opening handshake out: who asks for the subprotocol, from a page that may, is let in.
pub(super) async fn accept<S>(mut stream: S, live: &Live) -> Option<WebSocketStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let octets = live.limits.message_octets;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(octets.saturating_mul(4))
        .max_message_size(Some(octets))
        .max_frame_size(Some(octets));
    let settings = live.websocket.clone();
    #[allow(clippy::result_large_err, reason = "the library's type")]
    let callback = move |request: &Request, response| admit(&settings, request, response);
    let greeted = accept_hdr_async_with_config(&mut stream, callback, Some(config)).await;
    if let Err(error) = greeted.map(drop) {
        tracing::debug!(%error, "no WebSocket handshake");
        if let Some(refusal) = refusal(&error) {
            let _ = tokio::time::timeout(WRITE_TIMEOUT, stream.write_all(refusal.as_bytes())).await;
            let _ = tokio::time::timeout(WRITE_TIMEOUT, stream.shutdown()).await;
        }
        return None;
    }
    // A client says nothing more before it has our answer, so nothing was read that is lost here.
    Some(WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await)
}

/// What a client is told whose opening handshake is none (RFC 6455 sections 4.2.1 and 4.4); `None` when it was told, or is gone.
fn refusal(error: &Error) -> Option<String> {
    let (status, field) = match error {
        Error::Protocol(ProtocolError::MissingSecWebSocketVersionHeader) => {
            ("426 Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n")
        }
        Error::Protocol(ProtocolError::WrongHttpMethod) => {
            ("405 Method Not Allowed", "Allow: GET\r\n")
        }
        Error::Protocol(ProtocolError::HandshakeIncomplete) => return None,
        Error::Protocol(_) | Error::HttpFormat(_) => ("400 Bad Request", ""),
        _ => return None,
    };
    Some(format!("HTTP/1.1 {status}\r\n{field}Connection: close\r\nContent-Length: 0\r\n\r\n"))
}

/// What a client is told that broke the protocol (RFC 6455 section 7.4.1); `None` when it is gone.
fn close_code(error: &Error) -> Option<CloseCode> {
    match error {
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(CloseCode::Protocol),
        Error::Utf8(_) => Some(CloseCode::Invalid),
        Error::Capacity(_) => Some(CloseCode::Size),
        _ => None,
    }
}

#[allow(clippy::result_large_err, reason = "the library's type")]
fn admit(
    settings: &WebSocket,
    request: &Request,
    mut response: Response,
) -> Result<Response, ErrorResponse> {
    let refuse = |status, why: &str| {
        let mut refusal = ErrorResponse::new(Some(why.to_owned()));
        *refusal.status_mut() = status;
        Err(refusal)
    };
    let texts = |name| request.headers().get_all(name).into_iter().map(HeaderValue::to_str);
    let offered = texts(header::SEC_WEBSOCKET_PROTOCOL).flatten().flat_map(|text| text.split(','));
    if !offered.into_iter().any(|name| name.trim().eq_ignore_ascii_case(SUBPROTOCOL)) {
        return refuse(StatusCode::BAD_REQUEST, "the subprotocol must be sip (RFC 7118)\n");
    }
    // RFC 6455 section 10.2: a browser says which page it is; other clients send nothing and prove nothing.
    let mut origins = texts(header::ORIGIN);
    let is_welcome =
        |origin: &str| settings.origins.iter().any(|one| one.eq_ignore_ascii_case(origin));
    if !settings.origins.is_empty() && origins.any(|origin| !origin.is_ok_and(is_welcome)) {
        return refuse(StatusCode::FORBIDDEN, "pages of this origin are not let in\n");
    }
    response
        .headers_mut()
        .insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    Ok(response)
}

/// Announces a connection and starts its two tasks.
pub(super) async fn start<S>(socket: WebSocketStream<S>, ends: Ends, shared: &Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Some(opened) = announce(&ends, shared).await else { return };
    let (sink, stream) = socket.split();
    let every = Duration::from_secs(shared.live.load().websocket.ping_seconds);
    let fault = Arc::new(OnceLock::new());
    tokio::spawn(write(sink, opened.queue, opened.gone.clone(), every, Arc::clone(&fault)));
    tokio::spawn(read_until_end(
        opened.id,
        stream,
        opened.writer,
        shared.clone(),
        opened.gone,
        (ends, fault),
    ));
}

async fn read_until_end<S>(
    id: ConnectionId,
    mut stream: SplitStream<WebSocketStream<S>>,
    writer: mpsc::Sender<Bytes>,
    shared: Shared,
    gone: CancellationToken,
    (ends, fault): (Ends, Arc<OnceLock<CloseCode>>),
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if let Some(code) = read(id, &mut stream, &writer, &shared, &gone).await {
        let _ = fault.set(code);
    }
    drop(writer);
    let _ = shared.arrivals.send(Arrival::Closed { connection: id, is_broken: false }).await;
    drop(ends);
}

/// Reads until the connection ends; gives what the client did wrong, if anything.
async fn read<S>(
    id: ConnectionId,
    stream: &mut SplitStream<WebSocketStream<S>>,
    writer: &mpsc::Sender<Bytes>,
    shared: &Shared,
    gone: &CancellationToken,
) -> Option<CloseCode>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let live = shared.live.load_full();
        let idle = Duration::from_secs(live.limits.idle_seconds);
        let pings = Duration::from_secs(live.websocket.ping_seconds) * PINGS;
        // A browser that is there answers pings.
        let patience = if pings.is_zero() { idle } else { idle.min(pings) };
        let deadline = Instant::now() + patience;
        let received = tokio::select! {
            received = tokio::time::timeout_at(deadline.into(), stream.next()) => received,
            () = gone.cancelled() => return None,
        };
        let octets = match received {
            Ok(Some(Ok(Message::Text(text)))) => Bytes::from(text),
            Ok(Some(Ok(Message::Binary(octets)))) => octets,
            // Pings were answered already.
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)))) => continue,
            Ok(Some(Ok(Message::Close(_))) | None) | Err(_) => return None,
            Ok(Some(Err(error))) => {
                tracing::debug!(connection = id, %error, "a WebSocket connection ends");
                return close_code(&error);
            }
        };
        // RFC 5626 section 3.5.1 in a frame, as some clients send it.
        if octets.iter().all(|octet| matches!(octet, b'\r' | b'\n')) {
            if *octets == *PING {
                let _ = writer.try_send(Bytes::from_static(PONG));
            }
            continue;
        }
        if shared.arrivals.send(Arrival::Message { connection: id, octets }).await.is_err() {
            return None;
        }
    }
}

/// A message as a text frame when it is text, which all clients take; else binary (section 5).
fn frame(octets: Bytes) -> Message {
    match octets.clone().try_into() {
        Ok(text) => Message::Text(text),
        Err(_) => Message::Binary(octets),
    }
}

async fn write<S>(
    mut sink: SplitSink<WebSocketStream<S>, Message>,
    mut queue: mpsc::Receiver<Bytes>,
    gone: CancellationToken,
    every: Duration,
    fault: Arc<OnceLock<CloseCode>>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut ping = tokio::time::interval(every.max(Duration::from_secs(1)));
    ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ping.reset();
    loop {
        let message = tokio::select! {
            biased;
            octets = queue.recv() => match octets {
                Some(octets) => frame(octets),
                None => {
                    if let Some(&code) = fault.get() {
                        let close = CloseFrame { code, reason: Utf8Bytes::default() };
                        let closing = sink.send(Message::Close(Some(close)));
                        let _ = tokio::time::timeout(WRITE_TIMEOUT, closing).await;
                    }
                    let _ = tokio::time::timeout(WRITE_TIMEOUT, sink.close()).await;
                    return;
                }
            },
            () = gone.cancelled() => return,
            _ = ping.tick(), if !every.is_zero() => Message::Ping(Bytes::new()),
        };
        match tokio::time::timeout(WRITE_TIMEOUT, sink.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => {
                gone.cancel();
                return;
            }
        }
    }
}
