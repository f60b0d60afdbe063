//! An HTTP/1 server with every limit set: connections, header size and time, and an orderly end.

use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// What a peer may cost.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at one time; more wait in the system's backlog.
    pub connections: usize,
    /// Time for a request's headers, which is also how long an idle connection is kept.
    pub header_time: Duration,
    /// Header fields of a request.
    pub headers: usize,
    /// Octets of a request's head.
    pub head_octets: usize,
    /// Time that requests in flight get at shutdown.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            header_time: Duration::from_secs(10),
            headers: 64,
            head_octets: 16 * 1_024,
            drain_time: Duration::from_secs(5),
        }
    }
}

/// The peer's address, among a request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Serves until `shutdown`, then lets requests in flight end.
pub async fn serve(
    listener: TcpListener,
    router: axum::Router,
    limits: Limits,
    shutdown: CancellationToken,
) {
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(limits.connections));
    loop {
        let slot = tokio::select! {
            slot = Arc::clone(&slots).acquire_owned() => slot,
            () = shutdown.cancelled() => break,
        };
        let Ok(slot) = slot else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            // Out of file descriptors, mostly: wait for some to come back.
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "accept failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = service_fn(move |request| answer(router.clone(), peer, request));
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_time)
            .max_headers(limits.headers)
            .max_buf_size(limits.head_octets.max(8_192));
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "http connection ended early");
            }
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.drain_time, graceful.shutdown()).await.is_err() {
        tracing::warn!("http requests were still in flight at shutdown");
    }
}

async fn answer(
    router: axum::Router,
    peer: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    // RFC 9112 section 6.1: a request may have come with both framings, of which hyper has dropped one; the
    // connection ends with the answer, so that nothing can be smuggled behind it.
    let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    request.extensions_mut().insert(Peer(peer));
    let mut response = router.oneshot(request.map(Body::new)).await?;
    if chunked {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}
