//! Web redirects (B125): whoever asks for the name of a URL record by HTTP is sent to its value.
//!
//! All records are in memory, and follow the journal. A value without a path gets the path and the query that were asked
//! for; one with a path, a query or a fragment is where everybody goes. Nobody is sent anywhere else than to a stored value.

use crate::metrics::Metrics;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use ngn_model::{DomainName, Entity, JournalRow};
use ngn_store::{FancyRecord, Store, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// How long to wait before the journal is followed anew.
const RETRY: Duration = Duration::from_millis(500);
/// Longest name of a host.
const MAX_HOST: usize = 253;

/// The records.
#[derive(Debug, Default)]
pub(crate) struct Redirects {
    table: RwLock<Table>,
}

#[derive(Debug, Default)]
struct Table {
    records: HashMap<i64, FancyRecord>,
    /// Identifiers by name; of several records the oldest one counts.
    names: HashMap<String, BTreeMap<i64, Arc<str>>>,
}

impl Table {
    fn put(&mut self, record: FancyRecord) {
        self.take(record.id);
        let value: Arc<str> = record.value.as_str().into();
        self.names.entry(record.name.clone()).or_default().insert(record.id, value);
        self.records.insert(record.id, record);
    }

    fn take(&mut self, id: i64) {
        let Some(old) = self.records.remove(&id) else { return };
        if let Some(ids) = self.names.get_mut(&old.name) {
            ids.remove(&id);
            if ids.is_empty() {
                self.names.remove(&old.name);
            }
        }
    }

    /// The value of a name, or of the wildcard that is nearest to it (RFC 4592).
    fn find(&self, host: &str) -> Option<Arc<str>> {
        let value = |name: &str| self.names.get(name)?.values().next().cloned();
        if let Some(found) = value(host) {
            return Some(found);
        }
        let mut rest = host;
        while let Some((_, parent)) = rest.split_once('.') {
            if let Some(found) = value(&format!("*.{parent}")) {
                return Some(found);
            }
            rest = parent;
        }
        None
    }
}

impl Redirects {
    /// Follows the journal for ever; to be dropped at the end.
    pub(crate) async fn follow(self: Arc<Self>, store: Store) {
        loop {
            if let Err(error) = self.follow_once(&store).await {
                tracing::debug!(%error, "the journal cannot be followed");
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn follow_once(&self, store: &Store) -> Result<(), StoreError> {
        let mut follower = store.follow().await?;
        let all = store.fancy_records("URL").await?;
        let mut table = Table::default();
        all.into_iter().for_each(|record| table.put(record));
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = table;
        loop {
            let rows = follower.next().await?;
            self.apply(store, &rows).await?;
        }
    }

    async fn apply(&self, store: &Store, rows: &[JournalRow]) -> Result<(), StoreError> {
        let of = |kind: Entity| rows.iter().filter(move |row| row.entity == kind);
        let ids: Vec<i64> = of(Entity::DnsRecord).filter_map(|row| row.key.parse().ok()).collect();
        let zones: Vec<DomainName> =
            of(Entity::DnsZone).filter_map(|row| DomainName::new(&row.key).ok()).collect();
        if ids.is_empty() && zones.is_empty() {
            return Ok(());
        }
        let found = store.fancy_records_of("URL", &zones, &ids).await?;
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let gone = table.records.values().filter(|record| {
            ids.contains(&record.id) || zones.iter().any(|zone| zone.as_str() == record.zone)
        });
        let gone: Vec<i64> = gone.map(|record| record.id).collect();
        gone.into_iter().for_each(|id| table.take(id));
        found.into_iter().for_each(|record| table.put(record));
        Ok(())
    }

    fn find(&self, host: &str) -> Option<Arc<str>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).find(host)
    }
}

/// What the service knows.
#[derive(Debug)]
struct Service {
    redirects: Arc<Redirects>,
    metrics: Arc<Metrics>,
}

/// The service.
pub(crate) fn router(redirects: Arc<Redirects>, metrics: Arc<Metrics>) -> Router {
    Router::new().fallback(handle).with_state(Arc::new(Service { redirects, metrics }))
}

async fn handle(State(service): State<Arc<Service>>, request: Request) -> Response {
    let response = answer(&service.redirects, &request);
    service.metrics.count_redirect(response.status().as_u16());
    response
}

fn answer(redirects: &Redirects, request: &Request) -> Response {
    let Some(host) = host(request) else {
        return (StatusCode::BAD_REQUEST, "the request names no host\n").into_response();
    };
    let Some(value) = redirects.find(&host) else {
        return (StatusCode::NOT_FOUND, "nothing is known of this host\n").into_response();
    };
    let asked = request.uri().path_and_query().map_or("/", |asked| asked.as_str());
    let Ok(location) = HeaderValue::from_str(&location(&value, asked)) else {
        return (StatusCode::NOT_FOUND, "nothing is known of this host\n").into_response();
    };
    // The value may change at any time, so nobody shall remember it; whoever sends something sends it there as well.
    let status = match *request.method() {
        Method::GET | Method::HEAD => StatusCode::FOUND,
        _ => StatusCode::TEMPORARY_REDIRECT,
    };
    (status, [(header::LOCATION, location)]).into_response()
}

/// The host that was asked for (RFC 9112 section 3.2), lower case, without port and final dot.
fn host(request: &Request) -> Option<String> {
    let authority: Authority = match request.uri().authority() {
        Some(authority) => authority.clone(),
        None => {
            let mut all = request.headers().get_all(header::HOST).iter();
            let host = all.next()?;
            if all.next().is_some() {
                return None;
            }
            host.to_str().ok()?.parse().ok()?
        }
    };
    let host = authority.host().to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    (!host.is_empty() && host.len() <= MAX_HOST).then(|| host.to_owned())
}

/// Where a value leads who asked for a path.
fn location(value: &str, asked: &str) -> String {
    let (scheme, rest) = match value.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        None => ("http", value),
    };
    // `asked` begins with a slash, so nothing of it can become part of the host.
    let asked = if asked.starts_with('/') { asked } else { "/" };
    match rest.find(['/', '?', '#']) {
        None => format!("{scheme}://{rest}{asked}"),
        Some(_)
            if rest.ends_with('/')
                && rest.matches('/').count() == 1
                && !rest.contains(['?', '#']) =>
        {
            format!("{scheme}://{}{asked}", rest.trim_end_matches('/'))
        }
        Some(_) => format!("{scheme}://{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: i64, name: &str, value: &str) -> FancyRecord {
        let zone = "example.com".to_owned();
        FancyRecord { id, zone, name: name.to_owned(), value: value.to_owned() }
    }

    fn asked(redirects: &Redirects, method: Method, uri: &str, hosts: &[&str]) -> (u16, String) {
        let mut request = axum::http::Request::builder().method(method).uri(uri);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        let response = answer(redirects, &request.body(axum::body::Body::empty()).unwrap());
        let location = response.headers().get(header::LOCATION);
        let location = location.map(|location| location.to_str().unwrap().to_owned());
        (response.status().as_u16(), location.unwrap_or_default())
    }

    #[test]
    fn b125_who_asks_is_sent_to_the_value_and_nowhere_else() {
        let redirects = Redirects::default();
        for record in [
            record(1, "old.example.com", "https://www.example.org"),
            record(3, "*.w.example.com", "http://wild.example.org/"),
            record(4, "page.example.com", "https://www.example.org/a?b=c#d"),
            record(5, "bare.example.com", "www.example.org"),
            record(2, "bare.example.com", "second.example.org/x"),
        ] {
            redirects.table.write().unwrap().put(record);
        }
        for (uri, hosts, status, location) in [
            ("/", &["old.example.com"][..], 302, "https://www.example.org/"),
            ("/a/b?c=d", &["OLD.example.com.:8080"], 302, "https://www.example.org/a/b?c=d"),
            (
                "//evil.example/x",
                &["old.example.com"],
                302,
                "https://www.example.org//evil.example/x",
            ),
            ("/x?y", &["a.b.w.example.com"], 302, "http://wild.example.org/x?y"),
            ("/x?y", &["page.example.com"], 302, "https://www.example.org/a?b=c#d"),
            ("/x", &["bare.example.com"], 302, "http://second.example.org/x"),
            ("/", &["w.example.com"], 404, ""),
            ("/", &["none.example.com"], 404, ""),
            ("/", &["[::1]"], 404, ""),
            ("/", &[], 400, ""),
            ("/", &["old.example.com", "old.example.com"], 400, ""),
            ("/", &["not a host"], 400, ""),
            ("http://old.example.com/y", &["none.example.com"], 302, "https://www.example.org/y"),
            ("http://evil.example/y", &["old.example.com"], 404, ""),
        ] {
            let found = asked(&redirects, Method::GET, uri, hosts);
            assert_eq!(found, (status, location.to_owned()), "{uri} {hosts:?}");
        }
        let (status, _) = asked(&redirects, Method::POST, "/", &["old.example.com"]);
        assert_eq!(status, 307);
        redirects.table.write().unwrap().take(2);
        let (_, location) = asked(&redirects, Method::GET, "/z", &["bare.example.com"]);
        assert_eq!(location, "http://www.example.org/z");
        for id in 1..=5 {
            redirects.table.write().unwrap().take(id);
        }
        let table = redirects.table.read().unwrap();
        assert!(table.names.is_empty() && table.records.is_empty());
    }
}
