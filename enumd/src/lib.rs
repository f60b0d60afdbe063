//! Authoritative DNS server for SIP domains and ENUM zones.
//!
//! `listen` binds → `udp`, `tcp` and `https` read queries → `served` answers from the zones in memory, by `ngn_dns`, and `transfer`
//! gives whole zones to those that the settings let → `follower` replaces these as the journal tells what changed, `secondary` those that others master, and `notify` tells secondaries → `snapshot` keeps a copy on disk. No query touches the
//! database.

mod by_zone;
pub mod config;
mod follower;
mod https;
mod listen;
mod metrics;
mod notify;
mod query_log;
mod rate;
mod reload;
mod secondary;
mod served;
mod signer;
mod snapshot;
mod tcp;
mod tls;
mod transfer;
mod udp;
mod via;

use crate::config::Config;
use crate::follower::Following;
use crate::metrics::Metrics;
use crate::notify::Notifier;
use crate::query_log::QueryLog;
pub use crate::reload::Reloader;
use crate::secondary::{Fetcher, Secondaries};
use crate::served::Served;
use crate::snapshot::Point;
use crate::tcp::{Places, Speech};
use crate::tls::Certificate;
use crate::transfer::Transfers;
use anyhow::Context as _;
use ngn_daemon::admin::Place;
use ngn_daemon::{Alone, Daemon, Readiness, Reload, Running, Start};
use ngn_store::{Follower, NodeIdentity, Store};
use prometheus_client::registry::Registry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// How long a start waits for a database when there is no snapshot to start from.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait before the database is asked again.
const START_RETRY: Duration = Duration::from_millis(500);

/// A server that serves.
#[derive(Debug)]
pub struct Server {
    /// UDP addresses.
    pub udp: Vec<SocketAddr>,
    /// TCP addresses.
    pub tcp: Vec<SocketAddr>,
    /// Addresses of DNS over TLS.
    pub tls: Vec<SocketAddr>,
    /// Addresses of DNS over HTTPS.
    pub https: Vec<SocketAddr>,
    /// Takes settings that are read again.
    pub reloader: Reloader,
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
/// When an address cannot be bound, or when the zones can be loaded neither from the database nor, while that is down,
/// from the snapshot.
pub async fn serve(
    config: Config,
    store: Store,
    shutdown: CancellationToken,
) -> anyhow::Result<Server> {
    let bound = listen::bind(&config.listen, &config.limits).await?;
    let certificate = Certificate::new(&config)?;
    let (query_log, noted) = QueryLog::new(&config.query_log);
    let query_log = Arc::new(query_log);
    let reloader = Reloader::new(&config, certificate.clone(), Arc::clone(&query_log));
    let keys = config.load_keys().map_err(anyhow::Error::msg)?;
    let mut registry = Registry::default();
    let secondaries = Secondaries::new(&config.secondary, &keys);
    let served =
        Served::new(Metrics::register(&mut registry), keys, config.transfer.bounds(), &config.rate)
            .with_signer(&config.dnssec, &mut registry)
            .with_secondaries(secondaries)
            .watched(query_log, &config.metrics, &mut registry);
    // Ends with the process: who notes something lasts as long.
    tokio::spawn(query_log::write(noted));
    let fetcher = Fetcher::begin(&config, &served);
    let (follower, down) = begin(&store, &served, &config.snapshot, START_PATIENCE).await?;
    let readiness = Readiness::new();
    let udp: Vec<SocketAddr> = bound.udp.iter().map(|(address, _)| *address).collect();
    let tcp: Vec<SocketAddr> = bound.tcp.iter().map(|(address, _)| *address).collect();
    let tls: Vec<SocketAddr> = bound.tls.iter().map(|(address, _)| *address).collect();
    let https: Vec<SocketAddr> = bound.https.iter().map(|(address, _)| *address).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let transfers = Transfers::new(&config.transfer, &served);
    let mut threads = Vec::new();
    for socket in bound.udp.into_iter().flat_map(|(_, sockets)| sockets) {
        let place = config.limits.udp_place(threads.len());
        let (served, transfers) = (served.clone(), Arc::clone(&transfers));
        let thread = udp::start(socket, place, served, transfers, Arc::clone(&stop));
        threads.push(thread.with_context(|| match place.processor {
            None => "cannot start a thread for UDP".to_owned(),
            Some(n) => {
                format!("no thread for UDP can stay on processor {n} (limits.udp_processors)")
            }
        })?);
    }
    let shared = tcp::Shared {
        served: served.clone(),
        transfers,
        max_udp: config.limits.udp_octets,
        idle: Duration::from_secs(config.limits.idle_seconds),
        places: Arc::new(Places::new(
            config.limits.connections,
            config.limits.connections_per_address,
        )),
        shutdown: shutdown.clone(),
    };
    let mut listeners = JoinSet::new();
    for (_, listener) in bound.tcp {
        listeners.spawn(tcp::serve(listener, shared.clone(), Speech::Plain));
    }
    for (_, listener) in bound.tls {
        listeners.spawn(tcp::serve(listener, shared.clone(), Speech::Tls(certificate.clone())));
    }
    let shared = tcp::Shared { places: https::places(&config), ..shared };
    for (_, listener) in bound.https {
        let speech = Speech::Https(https::Speaker::new(&config.https, &certificate));
        listeners.spawn(tcp::serve(listener, shared.clone(), speech));
    }
    let (points, points_out) = watch::channel(Point::default());
    let metrics = Arc::clone(&served.metrics);
    let keeper =
        tokio::spawn(snapshot::keep(config.snapshot, points_out, metrics, shutdown.clone()));
    let metrics = Arc::clone(&served.metrics);
    let (bound, ending) = (udp.iter().chain(&tcp).copied().next(), shutdown.clone());
    let beating = bound.map(|address| {
        let who = NodeIdentity::new("enumd", env!("CARGO_PKG_VERSION"), address, None);
        tokio::spawn(store.clone().beat(who, move || metrics.totals(), ending.cancelled_owned()))
    });
    let own: Vec<SocketAddr> = udp.iter().chain(&tcp).copied().collect();
    let notifier = Notifier::new(&config.notify, &served, &own).await;
    let notifier = notifier.context("cannot open a socket for NOTIFY (notify)")?;
    let notifying = async {
        match notifier {
            Some(notifier) => notifier.run().await,
            None => std::future::pending().await,
        }
    };
    let following = Following { store, served, readiness: readiness.clone(), points };
    following.begin(&follower, down);
    let fetching = tokio::spawn(fetcher.run(shutdown.clone()));
    let task = tokio::spawn(async move {
        tokio::select! {
            () = following.run(follower, down) => {}
            () = following.measure() => {}
            () = notifying => {}
            () = shutdown.cancelled() => {}
        }
        let _ = keeper.await;
        let _ = fetching.await;
        if let Some(beating) = beating {
            let _ = beating.await;
        }
        stop.store(true, Ordering::Relaxed);
        listeners.join_all().await;
        let _ = tokio::task::spawn_blocking(move || {
            for thread in threads {
                let _ = thread.join();
            }
        })
        .await;
    });
    Ok(Server { udp, tcp, tls, https, reloader, task, readiness, registry: Arc::new(registry) })
}

/// Loads the zones from the database; while it is down, from the snapshot, and then the flag is set. When there is no
/// snapshot either, the database is waited for.
async fn begin(
    store: &Store,
    served: &Served,
    settings: &config::Snapshot,
    patience: Duration,
) -> anyhow::Result<(Follower, bool)> {
    let deadline = Instant::now() + patience;
    let mut no_snapshot = None;
    loop {
        let error = match follower::load(store, served).await {
            Ok(follower) => return Ok((follower, false)),
            Err(error) if error.is_temporary() => error,
            Err(error) => return Err(error).context("cannot load the zones"),
        };
        if no_snapshot.is_none() {
            tracing::warn!(%error, "the zones cannot be loaded from the database");
            let file = settings.file.clone();
            match tokio::task::spawn_blocking(move || snapshot::read(&file)).await? {
                Ok((point, written)) => {
                    let age = snapshot::now().saturating_sub(written);
                    tracing::warn!(age.seconds = age, "starting from the snapshot");
                    served.metrics.set_snapshot_time(written);
                    served.replace((*point.zones).clone());
                    return Ok((store.resume(&point.resume), true));
                }
                Err(reason) => no_snapshot = Some(anyhow::Error::new(reason)),
            }
        }
        if Instant::now() >= deadline {
            let reason = no_snapshot.map_or_else(String::new, |reason| format!("; {reason:#}"));
            return Err(anyhow::Error::new(error)
                .context(format!("cannot load the zones from the database{reason}")));
        }
        tokio::time::sleep(START_RETRY).await;
    }
}

/// The daemon by itself.
#[derive(Debug)]
pub struct Enumd;

impl Daemon for Enumd {
    type Config = Config;
    const NAME: &'static str = "enumd";
    const ABOUT: &'static str = "authoritative DNS server of the ngn platform";

    fn check(config: &Config) -> Result<(), String> {
        config.check()
    }

    fn log_filter(config: &Config) -> &str {
        &config.log
    }

    async fn start(config: Config, start: Start) -> anyhow::Result<Running> {
        let store = Store::open(&config.database).await?;
        match store.check_schema().await {
            Err(error) if error.is_temporary() => {
                tracing::warn!(%error, "the database's schema cannot be checked");
            }
            checked => checked.context("run `ngn migrate` first")?,
        }
        let at = Place { address: config.admin, beyond_loopback: config.admin_beyond_loopback };
        let server = serve(config, store.clone(), start.shutdown.clone()).await?;
        let udp = server.udp.iter().map(|address| ("dns-udp", *address));
        let tcp = server.tcp.iter().map(|address| ("dns-tcp", *address));
        let tls = server.tls.iter().map(|address| ("dns-tls", *address));
        let https = server.https.iter().map(|address| ("dns-https", *address));
        let addresses = udp.chain(tcp).chain(tls).chain(https).collect();
        let (reloader, file) = (server.reloader, start.file.clone());
        let reload =
            Reload::new(move || reloader.reload(&ngn_daemon::settings::<Self>(file.as_deref())?));
        let (readiness, registry, task) = (server.readiness, server.registry, server.task);
        let alone = Alone { addresses, readiness, registry, task };
        let running = alone
            .with_admin::<Self>(at, axum::Router::new(), start, async move { store.close().await })
            .await?;
        Ok(Running { reload: Some(reload), ..running })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_dns::tsig::Keys;

    #[tokio::test]
    async fn without_database_and_snapshot_the_start_fails_and_says_why() {
        // Nobody listens on port 1.
        let store = Store::open("mysql://nobody@127.0.0.1:1/none").await.expect("an address");
        let served = Served::new(
            Metrics::default(),
            Keys::none(),
            config::Transfer::default().bounds(),
            &rate::Rate::default(),
        );
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("none");
        let settings = config::Snapshot { file, ..config::Snapshot::default() };
        let result = begin(&store, &served, &settings, Duration::ZERO).await;
        let error = format!("{:#}", result.err().expect("a failure"));
        for part in
            ["cannot load the zones", "cannot read the snapshot", "database is not available"]
        {
            assert!(error.contains(part), "{error}");
        }
    }
}
