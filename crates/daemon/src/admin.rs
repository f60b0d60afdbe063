//! The admin port: `/health`, `/ready`, `/metrics`.

use crate::http::{self, Limits};
use crate::readiness::Readiness;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::registry::Registry;
use serde::Deserialize;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The longest that `/ready?position=` waits.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// What the admin port shows.
#[derive(Debug, Clone)]
pub struct Admin {
    /// Each daemon of this process with its readiness; `/ready` waits for all.
    pub parts: Vec<(&'static str, Readiness)>,
    /// Their metrics.
    pub registries: Vec<Arc<Registry>>,
    /// Cancelled when they shall stop: nothing is ready any more, and is still shown until they have.
    pub stopping: CancellationToken,
}

/// Where an admin port listens.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The address.
    pub address: SocketAddr,
    /// Whether it may be reachable from other machines.
    pub beyond_loopback: bool,
}

/// An admin port that serves.
#[derive(Debug)]
pub struct Serving {
    /// Its real address.
    pub address: SocketAddr,
    /// Its task.
    pub task: JoinHandle<()>,
}

/// Binds the admin port and serves until `shutdown`, which is when what it shows has stopped.
///
/// # Errors
///
/// When the address cannot be bound, or lies beyond loopback and that is not allowed.
pub async fn serve(
    at: Place,
    admin: Admin,
    more: Router,
    shutdown: CancellationToken,
) -> anyhow::Result<Serving> {
    use anyhow::Context as _;
    let Place { address, beyond_loopback } = at;
    anyhow::ensure!(
        beyond_loopback || address.ip().is_loopback(),
        "admin = {address} is reachable from other machines; use a loopback address or set admin_beyond_loopback = true"
    );
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address} (admin)"))?;
    let address = listener.local_addr()?;
    let router = router(admin).merge(more);
    let task = tokio::spawn(http::serve(listener, router, Limits::default(), shutdown));
    Ok(Serving { address, task })
}

fn router(admin: Admin) -> Router {
    Router::new()
        .route("/health", get(|| async { "ok\n" }))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(admin))
}

#[derive(Debug, Deserialize)]
struct ReadyQuery {
    position: Option<u64>,
    timeout_ms: Option<u64>,
}

async fn ready(State(admin): State<Arc<Admin>>, Query(query): Query<ReadyQuery>) -> Response {
    let limit =
        query.timeout_ms.map_or(Duration::from_secs(5), Duration::from_millis).min(MAX_WAIT);
    let deadline = tokio::time::Instant::now() + limit;
    let mut all = true;
    let mut lines = Vec::new();
    for (name, readiness) in &admin.parts {
        if let Some(position) = query.position {
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            all &= readiness.wait_for(position, left).await;
        }
        let (ready, why) = match readiness.is_ready() {
            _ if admin.stopping.is_cancelled() => (false, "it is stopping".to_owned()),
            said => said,
        };
        all &= ready;
        lines.push(format!(
            "{{\"name\":\"{name}\",\"ready\":{ready},\"why\":{},\"position\":{}}}",
            quoted(&why),
            readiness.position()
        ));
    }
    let status = if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = format!("{{\"ready\":{all},\"parts\":[{}]}}\n", lines.join(","));
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    let mut text = String::new();
    for registry in &admin.registries {
        if prometheus_client::encoding::text::encode_registry(&mut text, registry).is_err() {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    }
    text.push_str("# EOF\n");
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    async fn ask(address: SocketAddr, head: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("connected");
        stream.write_all(head.as_bytes()).await.expect("written");
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        let _ = tokio::time::timeout(Duration::from_secs(5), read).await.expect("answered");
        answer
    }

    async fn start(
        readiness: &Readiness,
        stopping: &CancellationToken,
    ) -> (SocketAddr, CancellationToken) {
        let shutdown = CancellationToken::new();
        let admin = Admin {
            parts: vec![("sipd", readiness.clone())],
            registries: vec![Arc::new(Registry::default())],
            stopping: stopping.clone(),
        };
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let at = Place { address, beyond_loopback: false };
        let serving =
            serve(at, admin, Router::new(), shutdown.clone()).await.expect("a loopback port");
        (serving.address, shutdown)
    }

    #[tokio::test]
    async fn answers_and_drains() {
        let readiness = Readiness::new();
        let stopping = CancellationToken::new();
        let (address, shutdown) = start(&readiness, &stopping).await;
        let get = |path: &str| format!("GET {path} HTTP/1.0\r\n\r\n");
        assert!(ask(address, &get("/health")).await.starts_with("HTTP/1.0 200"));
        assert!(ask(address, &get("/ready")).await.starts_with("HTTP/1.0 503"));
        readiness.set_ready(true, "");
        readiness.applied(7, []);
        assert!(ask(address, &get("/ready?position=7")).await.starts_with("HTTP/1.0 200"));
        let late = ask(address, &get("/ready?position=8&timeout_ms=10")).await;
        assert!(late.starts_with("HTTP/1.0 503"), "{late}");
        assert!(ask(address, &get("/metrics")).await.ends_with("# EOF\n"));
        stopping.cancel();
        let stops = ask(address, &get("/ready")).await;
        assert!(stops.starts_with("HTTP/1.0 503") && stops.contains("it is stopping"), "{stops}");
        assert!(ask(address, &get("/metrics")).await.ends_with("# EOF\n"));
        shutdown.cancel();
    }

    #[tokio::test]
    async fn two_framings_at_once_smuggle_nothing() {
        let (address, shutdown) = start(&Readiness::new(), &CancellationToken::new()).await;
        let head = "GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\
                    Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n\
                    GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
        let answer = ask(address, head).await;
        assert!(answer.matches("HTTP/1.1").count() == 1, "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
        shutdown.cancel();
    }

    #[tokio::test]
    async fn loopback_only_unless_allowed() {
        let admin =
            Admin { parts: Vec::new(), registries: Vec::new(), stopping: CancellationToken::new() };
        let address = SocketAddr::from(([0, 0, 0, 0], 0));
        let any = Place { address, beyond_loopback: false };
        let refused = serve(any, admin, Router::new(), CancellationToken::new()).await;
        assert!(refused.is_err_and(|error| error.to_string().contains("admin_beyond_loopback")));
    }
}
