//! HTTP: SOAP by POST on any path, the WSDL by GET (contract A1, A2).

use crate::announcements;
use crate::auth::{AdministratorLogin, authenticate};
use crate::config::Config;
use crate::fault::OpError;
use crate::ops::Call;
use crate::perform::{Performed, perform};
use crate::wishes::{self, Wishes};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::FutureExt as _;
use http_body_util::BodyExt as _;
use ngn_daemon::http::Peer;
use ngn_soap::fault::code;
use ngn_soap::wsdl::{self, Variant};
use ngn_soap::{Auth, Fault, Port, Style, encode_fault};
use ngn_store::{Actor, Store};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The response header that carries the journal position of a change.
pub const POSITION_HEADER: &str = "x-journal-position";

/// Octets of a body that is too large which are read and dropped before the connection ends.
const DROPPED: u64 = 16 << 20;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// What every request needs.
#[derive(Debug)]
pub struct App {
    /// The store.
    pub store: Store,
    /// The configuration.
    pub config: Config,
    /// The administrator's login.
    pub administrator: AdministratorLogin,
    /// Logins that were checked a moment ago.
    pub logins: Arc<crate::logins::Logins>,
    /// Where accounts wait to be added together.
    pub adding: crate::ops::sip_accounts::Adding,
    /// Counters.
    pub metrics: Arc<crate::metrics::Metrics>,
}

/// The routes: there is one handler, since the port is chosen by the body and never by the path.
pub fn router(app: Arc<App>) -> Router {
    Router::new().fallback(handle).with_state(app)
}

async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    match *request.method() {
        Method::POST => soap(&app, request).await,
        Method::GET | Method::HEAD => match announcements::mailbox(request.uri().path()) {
            Some(mailbox) => announcements::serve(&app, mailbox, request.headers()).await,
            None => page(&app, request.uri(), request.headers()),
        },
        _ => {
            let allowed = [(header::ALLOW, "GET, POST")];
            (StatusCode::METHOD_NOT_ALLOWED, allowed, "send SOAP by POST\n").into_response()
        }
    }
}

async fn soap(app: &App, request: Request) -> Response {
    let started = Instant::now();
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_string());
    let charset = charset(request.headers());
    let wishes = Wishes::read(request.headers());
    let body = match read_body(request, app.config.limits.body).await {
        Ok(body) => body,
        Err(text) => {
            let mut response = answer_fault(&Fault::malformed(text), Style::Encoded);
            // The rest of the body is not read, so the connection cannot be used again.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return response;
        }
    };
    let limit = Duration::from_secs(app.config.limits.call_seconds);
    let work = serve(app, &body, charset.as_deref(), peer.unwrap_or_default(), wishes);
    let work = AssertUnwindSafe(work);
    let served = match tokio::time::timeout(limit, work.catch_unwind()).await {
        Ok(Ok(served)) => served,
        Ok(Err(_)) => {
            tracing::error!("a request ended in a panic");
            Served::failed("the server failed on this request; the operator's log says where")
        }
        Err(_) => Served::failed("the request took too long; it may or may not have been done"),
    };
    app.metrics.count(served.operation, served.code, started.elapsed());
    tracing::debug!(
        operation = served.operation,
        fault = served.code,
        micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "soap call"
    );
    served.response
}

/// Reads a body of at most `limit` octets, or says what is wrong with it. A body that is somewhat larger is read
/// and dropped, since a client that still writes would not read the answer.
async fn read_body(request: Request, limit: usize) -> Result<Bytes, String> {
    let too_large =
        || format!("the request is larger than {limit} octets; send fewer records at once");
    let mut body = request.into_body();
    let declared = axum::body::HttpBody::size_hint(&body).lower();
    if declared > DROPPED {
        return Err(too_large());
    }
    let mut octets = Vec::new();
    let mut length: u64 = 0;
    let whole = async {
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| "the request's body ended early".to_owned())?;
            let Some(data) = frame.data_ref() else { continue };
            length += data.len() as u64;
            if length > DROPPED {
                return Err(too_large());
            }
            if length <= limit as u64 {
                octets.extend_from_slice(data);
            }
        }
        if length > limit as u64 { Err(too_large()) } else { Ok(()) }
    };
    match tokio::time::timeout(BODY_TIME, whole).await {
        Ok(Ok(())) => Ok(octets.into()),
        Ok(Err(text)) => Err(text),
        Err(_) => Err("the request's body came too slowly".to_owned()),
    }
}

struct Served {
    response: Response,
    operation: &'static str,
    /// The fault's code, 0 for success.
    code: u16,
}

impl Served {
    fn fault(fault: &Fault, style: Style, operation: &'static str) -> Self {
        Self { response: answer_fault(fault, style), operation, code: fault.code }
    }

    fn failed(text: &str) -> Self {
        Self::fault(&Fault::server(code::BACKEND_FAILURE, text), Style::Encoded, "")
    }
}

async fn serve(
    app: &App,
    body: &Bytes,
    charset: Option<&str>,
    peer: String,
    wishes: Result<Wishes, Fault>,
) -> Served {
    let limits = ngn_soap::Limits {
        body: app.config.limits.body,
        depth: app.config.limits.depth,
        nodes: app.config.limits.nodes,
        ..ngn_soap::Limits::default()
    };
    let call = match ngn_soap::decode(body, charset, &limits) {
        Ok(call) => call,
        Err(rejected) => {
            let operation = rejected.operation.map_or("", |row| row.name);
            // Contract D3: who is not known learns that before anything about the arguments.
            let known = rejected.fault.code == code::MALFORMED
                || rejected.fault.code == code::UNKNOWN_OPERATION;
            if !known && let Err(error) = login(app, rejected.auth.as_ref()).await {
                return Served::fault(&error.into_fault(), rejected.style, operation);
            }
            return Served::fault(&rejected.fault, rejected.style, operation);
        }
    };
    let style = call.style;
    let row = call.request.operation();
    let outcome = async {
        let principal = login(app, call.auth.as_ref()).await?;
        let actor = Actor {
            login: principal.login.clone(),
            impersonated: principal
                .caller
                .as_ref()
                .filter(|_| principal.administrator_login)
                .map(|caller| caller.customer),
            source: peer,
            operation: format!("{}:{}", row.port.name(), row.name),
        };
        let context = Call {
            store: &app.store,
            settings: &app.config.provisioning,
            principal,
            actor,
            adding: &app.adding,
        };
        perform(&context, call.request, style, &wishes?).await
    }
    .await;
    // Also after a failure, which may have come after the commit.
    let wrote = !matches!(&outcome, Ok(reply) if reply.position.is_none());
    if row.port == Port::Customer && wrote {
        app.logins.forget();
    }
    match outcome {
        Ok(done) => Served { response: answer_result(done), operation: row.name, code: 0 },
        Err(error) => Served::fault(&error.into_fault(), style, row.name),
    }
}

async fn login(app: &App, auth: Option<&Auth>) -> Result<crate::principal::Principal, OpError> {
    let ticket = match auth.map(|auth| app.logins.find(auth)) {
        Some(Ok(principal)) => return Ok(principal),
        Some(Err(ticket)) => Some(ticket),
        None => None,
    };
    let principal =
        app.store.read(|tx| Box::pin(authenticate(tx, &app.administrator, auth))).await?;
    if let Some(ticket) = ticket {
        app.logins.remember(ticket, &principal);
    }
    Ok(principal)
}

fn answer_result(done: Performed) -> Response {
    let mut response = answer(StatusCode::OK, done.body);
    let headers = response.headers_mut();
    if let Some(position) = done.position {
        headers.insert(POSITION_HEADER, HeaderValue::from(position.0));
    }
    if done.replayed {
        headers.insert(wishes::REPLAYED_HEADER, HeaderValue::from_static("true"));
    }
    if let Some(entries) = done.dry_run {
        headers.insert(wishes::DRY_RUN_HEADER, HeaderValue::from_static("1"));
        headers.insert(wishes::ENTRIES_HEADER, HeaderValue::from(entries));
    }
    response
}

fn answer_fault(fault: &Fault, style: Style) -> Response {
    // Contract A2: any 4xx hides the fault from the original client.
    answer(StatusCode::INTERNAL_SERVER_ERROR, encode_fault(fault, style))
}

fn answer(status: StatusCode, body: Vec<u8>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/xml; charset=utf-8")];
    (status, kind, Body::from(body)).into_response()
}

fn charset(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("charset").then(|| value.to_owned())
    })
}

fn page(app: &App, uri: &Uri, headers: &HeaderMap) -> Response {
    if matches!(uri.path(), "/docs" | "/docs/") {
        let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
        return (kind, crate::docs::html()).into_response();
    }
    let query = uri.query().unwrap_or_default();
    let mut wanted = uri.path().ends_with("wsdl");
    let mut variant = Variant::Encoded;
    let mut port = None;
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (name.to_ascii_lowercase().as_str(), value.to_ascii_lowercase().as_str()) {
            ("wsdl", "literal") | ("style", "literal") => {
                wanted |= name.eq_ignore_ascii_case("wsdl");
                variant = Variant::Literal;
            }
            ("wsdl", _) => wanted = true,
            ("style", "encoded") => variant = Variant::Encoded,
            ("style", other) => {
                let text = format!("there is no style `{other}`; use encoded or literal\n");
                return (StatusCode::NOT_FOUND, text).into_response();
            }
            ("port", _) => match Port::ALL.iter().find(|p| p.name().eq_ignore_ascii_case(value)) {
                Some(found) => port = Some(*found),
                None => {
                    let ports: Vec<&str> = Port::ALL.iter().map(|p| p.name()).collect();
                    let text =
                        format!("there is no port `{value}`; use one of {}\n", ports.join(", "));
                    return (StatusCode::NOT_FOUND, text).into_response();
                }
            },
            _ => {}
        }
    }
    if !wanted {
        let text = "This is ngnpro. Send SOAP requests here by POST.\n\n\
                    /wsdl                the API, rpc/encoded\n\
                    /wsdl?style=literal  the API, document/literal\n\
                    /wsdl?port=Sip       one port of it\n\
                    /docs                the reference, with examples\n";
        return match uri.path() {
            "/" | "/ngnpro" | "/ngnpro/" | "/voicemail" | "/voicemail/" | "/ngnpro/voicemail"
            | "/ngnpro/voicemail/" => text.into_response(),
            _ => (StatusCode::NOT_FOUND, text).into_response(),
        };
    }
    let document = wsdl::document(variant, port, &location(app, uri, headers));
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], document).into_response()
}

/// The URL by which the client came, without `wsdl` (contract A1).
fn location(app: &App, uri: &Uri, headers: &HeaderMap) -> String {
    if let Some(url) = &app.config.public_url {
        return url.clone();
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .filter(|host| {
            let good = |b: u8| b.is_ascii_alphanumeric() || b".:-_[]".contains(&b);
            !host.is_empty() && host.bytes().all(good)
        })
        .map_or_else(|| app.config.listen.to_string(), str::to_owned);
    let path = uri.path();
    let base = path.strip_suffix("wsdl").unwrap_or(path);
    let base = if base.ends_with('/') { base.to_owned() } else { format!("{base}/") };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.".contains(&b);
    let base = if base.bytes().all(plain) { base } else { "/".to_owned() };
    format!("http://{host}{base}")
}
