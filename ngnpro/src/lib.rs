//! SOAP provisioning server.
//!
//! `http` reads a request → `ngn_soap` decodes it → `auth` turns its header into a principal → `dispatch` picks the
//! operation → `ops` loads facts, decides by `rules` and `principal`, and writes in one transaction → `ngn_soap`
//! encodes the reply, or `fault` maps the error.

pub mod announcements;
pub mod auth;
pub mod config;
pub mod dispatch;
pub mod docs;
pub mod fault;
pub mod http;
pub mod logins;
mod metrics;
pub mod ops;
pub mod passwords;
pub mod perform;
pub mod principal;
mod redirect;
pub mod rules;
pub mod together;
pub mod undo;
pub mod wishes;

use crate::auth::AdministratorLogin;
use crate::config::Config;
use crate::logins::Logins;
use anyhow::Context as _;
use ngn_daemon::admin::Place;
use ngn_daemon::{Alone, Daemon, Readiness, Running, Start};
use ngn_store::{NodeIdentity, SoaWriter, Store};
use prometheus_client::registry::Registry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// A server that serves.
#[derive(Debug)]
pub struct Server {
    /// Its real address.
    pub address: SocketAddr,
    /// That of the web redirects, if they are on.
    pub redirect: Option<SocketAddr>,
    /// Ends when it has stopped.
    pub task: JoinHandle<()>,
    /// What the admin port shows of it.
    pub readiness: Readiness,
    /// Its metrics.
    pub registry: Arc<Registry>,
}

/// Binds and serves on a store that is open and migrated.
///
/// # Errors
///
/// When the password file cannot be read or the address cannot be bound.
pub async fn serve(
    config: Config,
    store: Store,
    shutdown: CancellationToken,
) -> anyhow::Result<Server> {
    let file = &config.administrator.password_file;
    let password = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read {} (administrator.password_file)", file.display()))?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    anyhow::ensure!(
        !password.is_empty(),
        "{} is empty; write the administrator's password into it",
        file.display()
    );
    let administrator =
        AdministratorLogin { username: config.administrator.username.clone(), password };
    let keyring = passwords::open(&store, &config.passwords).await?;
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|_| anyhow::anyhow!("the system has no random numbers"))?;
    let logins = Arc::new(Logins::new(key));
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {} (listen)", config.listen))?;
    let address = listener.local_addr()?;
    let redirecting = match config.redirect.listen {
        Some(address) => {
            let bound = TcpListener::bind(address).await;
            Some(bound.with_context(|| format!("cannot listen on {address} (redirect.listen)"))?)
        }
        None => None,
    };
    let redirect = redirecting.as_ref().map(TcpListener::local_addr).transpose()?;
    let mut registry = Registry::default();
    let metrics = Arc::new(metrics::Metrics::register(&mut registry));
    let visitors = ngn_daemon::http::Limits {
        connections: config.redirect.connections,
        ..ngn_daemon::http::Limits::default()
    };
    let limits = ngn_daemon::http::Limits {
        connections: config.limits.connections,
        drain_time: Duration::from_secs(config.limits.call_seconds + 1),
        ..ngn_daemon::http::Limits::default()
    };
    let config = Config { listen: address, ..config };
    let soa = SoaWriter::new(store.clone());
    let answers = store.clone();
    let app = Arc::new(http::App {
        store,
        config,
        administrator,
        logins,
        adding: Default::default(),
        metrics,
    });
    let readiness = Readiness::new();
    readiness.set_ready(true, "");
    // Every position is one that this server has written or could read.
    readiness.applied(u64::MAX, []);
    let who = NodeIdentity::new("ngnpro", env!("CARGO_PKG_VERSION"), address, None);
    let task = tokio::spawn(async move {
        let mut background = JoinSet::new();
        background.spawn(soa.run());
        background.spawn(Arc::clone(&app.logins).follow(app.store.clone()));
        if keyring.is_some() {
            background.spawn(passwords::bring_up_to_date(app.store.clone()));
        }
        background.spawn(forget_answers(answers));
        background.spawn(settle_fancy_records(Arc::clone(&app)));
        if let Some(listener) = redirecting {
            let redirects = Arc::new(redirect::Redirects::default());
            background.spawn(Arc::clone(&redirects).follow(app.store.clone()));
            let router = redirect::router(redirects, Arc::clone(&app.metrics));
            background.spawn(ngn_daemon::http::serve(listener, router, visitors, shutdown.clone()));
        }
        let (counting, ending) = (Arc::clone(&app), shutdown.clone());
        let beating = tokio::spawn(app.store.clone().beat(
            who,
            move || counting.metrics.totals(),
            ending.cancelled_owned(),
        ));
        ngn_daemon::http::serve(listener, http::router(app), limits, shutdown).await;
        background.shutdown().await;
        let _ = beating.await;
    });
    Ok(Server { address, redirect, task, readiness, registry: Arc::new(registry) })
}

/// How often answers to old requests are removed.
const FORGETTING: Duration = Duration::from_secs(600);

/// Removes answers that are kept no longer, for as long as the server runs.
async fn forget_answers(store: Store) {
    loop {
        tokio::time::sleep(FORGETTING).await;
        if let Err(error) = store.forget_answers().await {
            tracing::debug!(error = %error, "old answers were not removed");
        }
    }
}

/// How long to wait before a database that failed is asked again.
const RETRY: Duration = Duration::from_secs(5);

/// Makes what DNS servers see of fancy records what the settings say (B125), once.
async fn settle_fancy_records(app: Arc<http::App>) {
    loop {
        match ops::derived::settle(&app.store, &app.config.provisioning).await {
            Ok(0) => return,
            Ok(names) => {
                tracing::info!(names, "names of fancy records have other records in DNS now");
                return;
            }
            Err(error) => {
                tracing::debug!(%error, "fancy records cannot be looked at yet");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// The daemon by itself.
#[derive(Debug)]
pub struct Ngnpro;

impl Daemon for Ngnpro {
    type Config = Config;
    const NAME: &'static str = "ngnpro";
    const ABOUT: &'static str = "SOAP provisioning server of the ngn platform";

    fn check(config: &Config) -> Result<(), String> {
        config.check()
    }

    fn log_filter(config: &Config) -> &str {
        &config.log
    }

    async fn start(config: Config, start: Start) -> anyhow::Result<Running> {
        let store = Store::open(&config.database).await?;
        store.check_schema().await.context("run `ngn migrate` first")?;
        let at = Place { address: config.admin, beyond_loopback: config.admin_beyond_loopback };
        let server = serve(config, store.clone(), start.shutdown.clone()).await?;
        let mut addresses = vec![("soap", server.address)];
        addresses.extend(server.redirect.map(|address| ("redirect", address)));
        let (readiness, registry, task) = (server.readiness, server.registry, server.task);
        let alone = Alone { addresses, readiness, registry, task };
        alone
            .with_admin::<Self>(at, axum::Router::new(), start, async move { store.close().await })
            .await
    }
}
