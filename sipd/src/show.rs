//! `GET /calls`, `/registrations`, `/registrations/domains` and `/bans` of the admin port: what there is now.
//!
//! The engine owns all of it, so whoever asks is answered in slices: each looks at a limited number of records, and between
//! two of them the engine does what else there is to do. A page goes on behind the one before by its `next`.

mod bans;

use crate::address::Addresses;
use crate::directory::Directory;
use crate::live::{Call, Calls};
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ngn_model::{Aor, Binding};
use ngn_sip::guard::Guard;
use ngn_sip::transaction::Moment;
use ngn_sip::uri::Uri;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// How many records a slice looks at.
const SLICE: usize = 1_000;
/// The most records of a page.
const PAGE: usize = 1_000;
/// How long the engine is left alone between slices.
const PAUSE: Duration = Duration::from_millis(1);
/// How many pages are gathered at one time; others wait.
const READERS: usize = 2;

/// Which calls are meant; nothing of it: all.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WhichCalls {
    /// Of an account or trunk, on either side.
    pub account: Option<String>,
    /// Of a domain, on either side.
    pub domain: Option<String>,
    /// Of a number on either side, with or without `+`, `00` or what else stands before it.
    pub number: Option<String>,
    /// Behind this one.
    pub after: Option<u64>,
    /// How many at most, 1 to 1000.
    pub limit: Option<usize>,
}

/// Which registrations are meant; nothing of it: all.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WhichBindings {
    /// Of an account, `user@domain`, or `user` in any domain.
    pub account: Option<String>,
    /// Of a domain.
    pub domain: Option<String>,
    /// From an address, an address and port, or a network.
    pub address: Option<String>,
    /// Behind this account.
    pub after: Option<String>,
    /// How many at most, 1 to 1000; those of one account stay together.
    pub limit: Option<usize>,
}

/// A registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The account.
    pub account: String,
    /// The contact URI as the phone gave it.
    pub contact: String,
    /// `udp`, `tcp`, `tls`, `ws`, `wss`; empty when it is not known.
    pub transport: String,
    /// Seconds until it ends; not positive: it has ended.
    pub expires: i64,
    /// When it ends, in milliseconds since 1970 UTC.
    pub expires_at: i64,
    /// The phone's User-Agent.
    pub user_agent: String,
    /// The node that alone can reach it; empty when any can.
    pub node: String,
    /// Where the REGISTER came from; empty when that is not known.
    pub received: String,
    /// Whether that is not where the contact says.
    pub nat: bool,
    /// Path (RFC 3327).
    pub path: String,
    /// Preference in thousandths.
    pub q: u16,
    /// Instance id of RFC 5626; empty when there is none.
    pub instance: String,
    /// When it was made or refreshed, in milliseconds since 1970 UTC.
    pub last_seen: i64,
}

impl Registration {
    /// A binding as it is shown at `now`, in milliseconds since 1970 UTC.
    #[must_use]
    pub fn of(binding: &Binding, now: i64) -> Self {
        let received = binding.received.as_deref().and_then(origin);
        let contact = at(&binding.contact);
        let named = |text: &str| text.split_once(";transport=").map(|(_, name)| name.to_owned());
        let transport = binding
            .received
            .as_deref()
            .and_then(named)
            .or_else(|| binding.socket.split_once(':').map(|(name, _)| name.to_owned()))
            .unwrap_or_default();
        Self {
            account: binding.aor.to_string(),
            contact: binding.contact.clone(),
            transport: transport.to_ascii_lowercase(),
            expires: binding.expires_at.saturating_sub(now).div_euclid(1000),
            expires_at: binding.expires_at,
            user_agent: binding.user_agent.clone(),
            node: binding.node.clone(),
            received: received.map(|address| address.to_string()).unwrap_or_default(),
            nat: received.is_some() && received != contact,
            path: binding.path.clone(),
            q: binding.q,
            instance: binding.instance.clone().unwrap_or_default(),
            last_seen: binding.last_modified,
        }
    }
}

/// `sip:192.0.2.1:5060;transport=udp`
fn origin(received: &str) -> Option<SocketAddr> {
    received.strip_prefix("sip:")?.split(';').next()?.parse().ok()
}

/// The address in a URI, if it holds one and no name.
fn at(uri: &str) -> Option<SocketAddr> {
    let uri = Uri::parse(uri).ok()?;
    Some(SocketAddr::new(uri.host()?.ip()?, uri.port().unwrap_or(5060)))
}

/// Which bindings a filter lets through.
#[derive(Debug, Clone, Default)]
pub struct BindingFilter {
    account: Option<String>,
    domain: Option<String>,
    address: Option<Addresses>,
}

impl BindingFilter {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// When the address is none; the text says what to write.
    pub fn new(
        account: Option<&str>,
        domain: Option<&str>,
        address: Option<&str>,
    ) -> Result<Self, String> {
        Ok(Self {
            account: account.map(plain),
            domain: domain.map(plain),
            address: address.map(str::parse).transpose()?,
        })
    }

    /// Whether it lets an account through.
    fn names(&self, aor: &Aor) -> bool {
        let is_account = |account: &String| match account.split_once('@') {
            Some((user, domain)) => aor.username() == user && aor.domain().as_str() == domain,
            None => aor.username() == account,
        };
        self.account.as_ref().is_none_or(is_account)
            && self.domain.as_ref().is_none_or(|domain| aor.domain().as_str() == domain)
    }

    /// Whether it lets a binding through.
    #[must_use]
    pub fn holds(&self, binding: &Binding) -> bool {
        let come_from = || {
            let received = binding.received.as_deref().and_then(origin);
            received.or_else(|| at(&binding.contact))
        };
        self.names(&binding.aor)
            && self
                .address
                .is_none_or(|named| come_from().is_some_and(|address| named.hold(address)))
    }
}

/// An address as it is compared.
fn plain(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix("sip:").or_else(|| text.strip_prefix("sips:")).unwrap_or(text);
    text.to_ascii_lowercase()
}

/// Which calls a filter lets through.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    account: Option<String>,
    domain: Option<String>,
    number: Option<String>,
}

impl CallFilter {
    fn new(which: &WhichCalls) -> Result<Self, String> {
        let digits = |text: &String| {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let digits = digits.strip_prefix("00").unwrap_or(&digits).to_owned();
            if digits.is_empty() { Err(format!("`{text}` is no number")) } else { Ok(digits) }
        };
        Ok(Self {
            account: which.account.as_deref().map(plain),
            domain: which.domain.as_deref().map(plain),
            number: which.number.as_ref().map(digits).transpose()?,
        })
    }

    fn holds(&self, call: &Call) -> bool {
        let sides = || [&call.caller, &call.callee, &call.canonical, &call.account];
        // `user@host` without scheme, port and parameters.
        let address = |text: &str| {
            let text = plain(text);
            let (user, host) = text.split_once('@').unwrap_or(("", &text));
            let host = host.split([':', ';', '>', '?']).next().unwrap_or_default();
            if user.is_empty() { host.to_owned() } else { format!("{user}@{host}") }
        };
        let is_account =
            |account: &String| sides().into_iter().any(|side| address(side) == *account);
        let is_domain = |domain: &String| {
            let of = |side: &String| address(side).rsplit('@').next() == Some(domain.as_str());
            sides().into_iter().any(of)
        };
        let is_number = |number: &String| {
            let of = |side: &&String| {
                let side = plain(side);
                let user = side.split('@').next().unwrap_or_default();
                let digits: String = user.chars().filter(char::is_ascii_digit).collect();
                digits.ends_with(number)
            };
            sides().iter().any(of)
        };
        self.account.as_ref().is_none_or(is_account)
            && self.domain.as_ref().is_none_or(is_domain)
            && self.number.as_ref().is_none_or(is_number)
    }
}

/// Some records, and behind which one there may be more.
#[derive(Debug)]
pub struct Slice<T, C> {
    found: Vec<T>,
    next: Option<C>,
}

/// A question to the engine about a slice.
#[derive(Debug)]
pub struct Look {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Calls(CallFilter, u64, usize, oneshot::Sender<Slice<Call, u64>>),
    Bindings(BindingFilter, Option<Aor>, usize, oneshot::Sender<Slice<Registration, Aor>>),
    Domains(Option<Aor>, oneshot::Sender<Slice<(String, u64), Aor>>),
    Bans(bans::Asked),
}

/// What the engine answers from, and when.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) calls: &'a Calls,
    pub(crate) directory: &'a Directory,
    pub(crate) guard: &'a mut Guard,
    /// In milliseconds since 1970 UTC.
    pub(crate) now: i64,
    /// The same by the clock of transactions.
    pub(crate) moment: Moment,
}

impl Look {
    /// Answers. Who asked may be gone.
    pub(crate) fn answer(self, seen: Seen<'_>) {
        let Seen { calls, directory, guard, now, moment } = seen;
        match self.kind {
            Kind::Bans(asked) => asked.answer(guard, moment),
            Kind::Calls(filter, after, most, answer) => {
                let _ = answer.send(slice(
                    calls.after(after),
                    most,
                    |call| call.number,
                    |call, found| found.extend(filter.holds(call).then(|| call.clone())),
                ));
            }
            Kind::Bindings(filter, after, most, answer) => {
                let _ = answer.send(slice(
                    directory.bound_after(after.as_ref()),
                    most,
                    |held| held.aor().clone(),
                    |held, found| {
                        if filter.names(held.aor()) {
                            let held = held.iter().filter(|binding| {
                                binding.expires_at > now && filter.holds(binding)
                            });
                            found.extend(held.map(|binding| Registration::of(&binding, now)));
                        }
                    },
                ));
            }
            Kind::Domains(after, answer) => {
                let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
                let Slice { next, .. } = slice(
                    directory.bound_after(after.as_ref()),
                    usize::MAX,
                    |held| held.aor().clone(),
                    |held, _: &mut Vec<()>| {
                        let lasting = held.ends().filter(|end| *end > now).count();
                        let lasting = u64::try_from(lasting).unwrap_or(0);
                        *counts.entry(held.aor().domain().as_str()).or_default() += lasting;
                    },
                );
                let found = counts.into_iter().map(|(name, count)| (name.to_owned(), count));
                let _ = answer.send(Slice { found: found.collect(), next });
            }
        }
    }
}

/// Looks at records in their order until there are no more, it has looked at enough of them, or `most` were found.
fn slice<R: Copy, T, C>(
    records: impl Iterator<Item = R>,
    most: usize,
    place: impl Fn(R) -> C,
    mut gather: impl FnMut(R, &mut Vec<T>),
) -> Slice<T, C> {
    let mut found = Vec::new();
    for (seen, record) in records.enumerate() {
        gather(record, &mut found);
        if seen + 1 >= SLICE || found.len() >= most {
            return Slice { found, next: Some(place(record)) };
        }
    }
    Slice { found, next: None }
}

/// What the routes share.
#[derive(Debug)]
struct Window {
    looks: mpsc::Sender<Look>,
    readers: Semaphore,
    node: String,
}

impl Window {
    /// Asks the engine; `None` when this process ends.
    async fn ask(&self, kind: Kind) -> Option<()> {
        self.looks.send(Look { kind }).await.ok()
    }

    /// Asks for slices until a page is full or nothing is left; `None` when this process ends.
    async fn page<T, C: Clone>(
        &self,
        mut after: Option<C>,
        most: usize,
        ask: impl Fn(Option<C>, usize, oneshot::Sender<Slice<T, C>>) -> Kind,
    ) -> Option<Slice<T, C>> {
        let _turn = self.readers.acquire().await.ok()?;
        let mut page: Vec<T> = Vec::new();
        loop {
            let (answer, answered) = oneshot::channel();
            let kind = ask(after.take(), most.saturating_sub(page.len()), answer);
            self.ask(kind).await?;
            let Slice { found, next } = answered.await.ok()?;
            page.extend(found);
            if next.is_none() || page.len() >= most {
                return Some(Slice { found: page, next });
            }
            after = next;
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// The routes of the admin port; `node` is what call records call this one.
pub(crate) fn router(looks: mpsc::Sender<Look>, node: String) -> Router {
    let window = Window { looks, readers: Semaphore::new(READERS), node };
    Router::new()
        .route("/calls", get(calls))
        .route("/registrations", get(registrations))
        .route("/registrations/domains", get(domains))
        .route("/bans", get(bans::list).delete(bans::lift))
        .with_state(Arc::new(window))
}

async fn calls(State(window): State<Arc<Window>>, Query(which): Query<WhichCalls>) -> Response {
    let filter = match CallFilter::new(&which) {
        Ok(filter) => filter,
        Err(why) => return wrong(&why),
    };
    let page = window
        .page(which.after, most(which.limit), |after, most, answer| {
            Kind::Calls(filter.clone(), after.unwrap_or(0), most, answer)
        })
        .await;
    let Some(Slice { found, next }) = page else { return ending() };
    json(&json!({ "node": window.node, "calls": found, "next": next }))
}

async fn registrations(
    State(window): State<Arc<Window>>,
    Query(which): Query<WhichBindings>,
) -> Response {
    let (account, domain) = (which.account.as_deref(), which.domain.as_deref());
    let filter = match BindingFilter::new(account, domain, which.address.as_deref()) {
        Ok(filter) => filter,
        Err(why) => return wrong(&why),
    };
    let after = match which.after.as_deref().map(str::parse::<Aor>).transpose() {
        Ok(after) => after,
        Err(error) => return wrong(&format!("after: {error}")),
    };
    let page = window
        .page(after, most(which.limit), |after, most, answer| {
            Kind::Bindings(filter.clone(), after, most, answer)
        })
        .await;
    let Some(Slice { found, next }) = page else { return ending() };
    let next = next.map(|aor| aor.to_string());
    json(&json!({ "node": window.node, "registrations": found, "next": next }))
}

async fn domains(State(window): State<Arc<Window>>) -> Response {
    let page = window.page(None, usize::MAX, |after, _, answer| Kind::Domains(after, answer)).await;
    let Some(Slice { found, .. }) = page else { return ending() };
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (name, count) in found {
        *counts.entry(name).or_default() += count;
    }
    json(&json!({ "node": window.node, "domains": counts }))
}

fn most(limit: Option<usize>) -> usize {
    limit.unwrap_or(PAGE).clamp(1, PAGE)
}

fn json(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response()
}

fn wrong(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response()
}

fn ending() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "ending\n").into_response()
}

#[cfg(test)]
mod tests;
