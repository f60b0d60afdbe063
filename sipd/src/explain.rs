//! `GET /explain` of the admin port: why a call goes where it goes, or would.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ngn_model::Plan;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr};
use tokio::sync::{mpsc, oneshot};

/// What is asked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wanted {
    /// Who calls, a SIP URI or `user@domain`; it counts as proved.
    pub from: String,
    /// Who is called, a SIP, tel or URN URI, or what is dialled: then in the caller's domain.
    pub to: String,
    /// When, in milliseconds since 1970 UTC; now when it is missing.
    pub at: Option<i64>,
    /// The address that the call comes from.
    pub source: Option<IpAddr>,
    /// Instead: a call of the last thousand.
    pub call_id: Option<String>,
}

impl Wanted {
    /// The address that the call comes from; without one that of this machine.
    pub(crate) fn source(&self) -> IpAddr {
        self.source.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }
}

/// A question to the engine; `Err` says what is wrong with it.
#[derive(Debug)]
pub struct Ask {
    /// What is asked.
    pub wanted: Wanted,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Result<Plan, String>>,
}

/// The routes of the admin port.
pub(crate) fn router(asks: mpsc::Sender<Ask>) -> Router {
    Router::new().route("/explain", get(explain)).with_state(asks)
}

async fn explain(State(asks): State<mpsc::Sender<Ask>>, Query(wanted): Query<Wanted>) -> Response {
    let (answer, answered) = oneshot::channel();
    let asked = asks.try_send(Ask { wanted, answer });
    let Ok(()) = asked else { return (StatusCode::SERVICE_UNAVAILABLE, "busy\n").into_response() };
    match answered.await {
        Ok(Ok(plan)) => {
            let body = serde_json::json!({ "plan": plan, "text": plan.to_string() });
            let json = [(header::CONTENT_TYPE, "application/json")];
            (json, format!("{body}\n")).into_response()
        }
        Ok(Err(why)) => (StatusCode::NOT_FOUND, format!("{why}\n")).into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "ending\n").into_response(),
    }
}
