//! Authoritative DNS server for SIP domains and ENUM zones.
//!
//! `listen` binds → `udp` and `tcp` read queries → `served` answers from the zones in memory, by `ngn_dns` →
//! `follower` replaces these as the journal tells what changed. No query touches the database.

pub mod config;
mod follower;
mod listen;
mod metrics;
mod served;
mod tcp;
mod udp;

use crate::config::Config;
use crate::follower::Following;
use crate::metrics::Metrics;
use crate::served::Served;
use anyhow::Context as _;
use ngn_daemon::admin::{self, Admin};
use ngn_daemon::{Daemon, Readiness, Running, Start};
use ngn_store::Store;
use prometheus_client::registry::Registry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// A server that serves.
#[derive(Debug)]
pub struct Server {
    /// UDP addresses.
    pub udp: Vec<SocketAddr>,
    /// TCP addresses.
    pub tcp: Vec<SocketAddr>,
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
/// When an address cannot be bound or the zones cannot be loaded.
pub async fn serve(
    config: Config,
    store: Store,
    shutdown: CancellationToken,
) -> anyhow::Result<Server> {
    let bound = listen::bind(&config.listen, &config.limits).await?;
    let mut registry = Registry::default();
    let served = Served::new(Metrics::register(&mut registry));
    let follower = follower::load(&store, &served).await.context("cannot load the zones")?;
    let readiness = Readiness::new();
    let udp: Vec<SocketAddr> = bound.udp.iter().map(|(address, _)| *address).collect();
    let tcp: Vec<SocketAddr> = bound.tcp.iter().map(|(address, _)| *address).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let mut threads = Vec::new();
    for socket in bound.udp.into_iter().flat_map(|(_, sockets)| sockets) {
        let number = threads.len();
        let max_udp = config.limits.udp_octets;
        threads.push(udp::start(socket, number, &served, max_udp, Arc::clone(&stop))?);
    }
    let shared = tcp::Shared {
        served: served.clone(),
        max_udp: config.limits.udp_octets,
        idle: Duration::from_secs(config.limits.idle_seconds),
        connections: Arc::new(Semaphore::new(config.limits.connections)),
        shutdown: shutdown.clone(),
    };
    let mut listeners = JoinSet::new();
    for (_, listener) in bound.tcp {
        listeners.spawn(tcp::serve(listener, shared.clone()));
    }
    let following = Following { store, served, readiness: readiness.clone() };
    let task = tokio::spawn(async move {
        tokio::select! {
            () = following.run(follower) => {}
            () = shutdown.cancelled() => {}
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
    readiness.set_ready(true, "");
    Ok(Server { udp, tcp, task, readiness, registry: Arc::new(registry) })
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
        store.check_schema().await.context("run `ngn migrate` first")?;
        let (admin_address, beyond) = (config.admin, config.admin_beyond_loopback);
        let server = serve(config, store.clone(), start.shutdown.clone()).await?;
        let admin = Admin {
            parts: vec![("enumd", server.readiness.clone())],
            registries: vec![Arc::clone(&server.registry)],
        };
        let serving =
            admin::serve(admin_address, beyond, admin, axum::Router::new(), start.shutdown).await?;
        let mut addresses: Vec<(String, SocketAddr)> = Vec::new();
        addresses.extend(server.udp.iter().map(|address| ("dns-udp".to_owned(), *address)));
        addresses.extend(server.tcp.iter().map(|address| ("dns-tcp".to_owned(), *address)));
        addresses.push(("admin".to_owned(), serving.address));
        let task = tokio::spawn(async move {
            server.task.await?;
            serving.task.await?;
            store.close().await;
            Ok(())
        });
        Ok(Running { addresses, task })
    }
}
