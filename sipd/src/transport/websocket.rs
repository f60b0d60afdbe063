//! SIP over WebSocket (RFC 7118): one message of one is one message of the other.

use super::stream::{Ends, WRITE_TIMEOUT, announce};
use super::{Arrival, ConnectionId, Live, Shared};
use crate::config::WebSocket;
use bytes::Bytes;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use ngn_sip::framing::{PING, PONG};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};
use tokio_util::sync::CancellationToken;

/// The subprotocol (section 4).
const SUBPROTOCOL: &str = "sip";
/// What a connection reads at once.
const READ_BUFFER: usize = 8 * 1024;
/// How many of our pings may stay without any sign of life.
const PINGS: u32 = 3;

/// Carries the opening handshake out: who asks for the subprotocol, from a page that may, is let in.
pub(super) async fn accept<S>(stream: S, live: &Live) -> Option<WebSocketStream<S>>
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
    match accept_hdr_async_with_config(stream, callback, Some(config)).await {
        Ok(socket) => Some(socket),
        Err(error) => {
            tracing::debug!(%error, "no WebSocket handshake");
            None
        }
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
    tokio::spawn(write(sink, opened.queue, opened.gone.clone(), every));
    tokio::spawn(read_until_end(
        opened.id,
        stream,
        opened.writer,
        shared.clone(),
        opened.gone,
        ends,
    ));
}

async fn read_until_end<S>(
    id: ConnectionId,
    mut stream: SplitStream<WebSocketStream<S>>,
    writer: mpsc::Sender<Bytes>,
    shared: Shared,
    gone: CancellationToken,
    ends: Ends,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    read(id, &mut stream, &writer, &shared, &gone).await;
    drop(writer);
    let _ = shared.arrivals.send(Arrival::Closed { connection: id, is_broken: false }).await;
    drop(ends);
}

async fn read<S>(
    id: ConnectionId,
    stream: &mut SplitStream<WebSocketStream<S>>,
    writer: &mpsc::Sender<Bytes>,
    shared: &Shared,
    gone: &CancellationToken,
) where
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
            () = gone.cancelled() => return,
        };
        let octets = match received {
            Ok(Some(Ok(Message::Text(text)))) => Bytes::from(text),
            Ok(Some(Ok(Message::Binary(octets)))) => octets,
            // Pings were answered already.
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)))) => continue,
            Ok(Some(Ok(Message::Close(_))) | None) | Err(_) => return,
            Ok(Some(Err(error))) => {
                tracing::debug!(connection = id, %error, "a WebSocket connection ends");
                return;
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
            return;
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
