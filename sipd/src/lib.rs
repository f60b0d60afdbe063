//! SIP registrar and proxy.
//!
//! `transport` reads → `engine` decides, with `directory` and `ngn_routing` → `location` and `cdr` write; `follower`
//! keeps the directory up to date.

pub mod address;
pub mod alarms;
pub mod cdr;
pub mod config;
pub mod directory;
pub mod drops;
pub mod elsewhere;
mod ended_bindings;
pub mod engine;
mod enum_lookup;
pub mod explain;
pub mod facts;
pub mod follower;
mod gruus;
pub mod heartbeat;
pub mod live;
pub mod locate;
pub mod location;
pub mod metrics;
#[cfg(test)]
mod name_server;
mod pace;
pub mod reload;
pub mod show;
pub mod tls;
pub mod trace;
pub mod transport;

use crate::config::Config;
use crate::engine::{Engine, Queues};
use crate::locate::Locator;
use crate::metrics::Metrics;
use crate::reload::Reloader;
use crate::tls::Profiles;
use crate::trace::Tracer;
use crate::transport::{Around, EmergencyNumbers, Lanes, Live, Overload, Stream, Transports};
use anyhow::Context as _;
use arc_swap::ArcSwap;
use ngn_daemon::admin::Place;
use ngn_daemon::{Alone, Daemon, Readiness, Reload, Running, Start, wall_clock};
use ngn_model::DomainName;
use ngn_sip::digest::NonceKey;
use ngn_sip::gruu::Gruus;
use ngn_sip::header::Transport;
use ngn_sip::stack::{Config as StackConfig, Interface, Refuser, Secret, Stack};
use ngn_sip::uri::{Host, Uri};
use ngn_store::{NodeIdentity, Store};
use prometheus_client::registry::Registry;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How many REGISTERs may wait for the location task; beyond it they are answered 503.
const CHANGES: usize = 16_384;
/// How many call records may wait for their task; long before it is full, new calls are answered 503.
const RECORDS: usize = 65_536;
/// How many questions about plans may wait.
const ASKS: usize = 16;
/// Name of the secret that signs Record-Route and branches.
const ROUTES: &str = "sip.routes";
/// Name of the secret that signs digest nonces.
const NONCES: &str = "sip.nonces";
/// The secret by which GRUUs are made and read.
const GRUUS: &str = "sip.gruus";

/// A server that serves.
#[derive(Debug)]
pub struct Server {
    /// UDP addresses.
    pub udp: Vec<SocketAddr>,
    /// TCP addresses.
    pub tcp: Vec<SocketAddr>,
    /// TLS addresses.
    pub tls: Vec<SocketAddr>,
    /// WebSocket addresses.
    pub ws: Vec<SocketAddr>,
    /// Addresses of WebSocket over TLS.
    pub wss: Vec<SocketAddr>,
    /// Ends when it has stopped.
    pub task: JoinHandle<()>,
    /// What the admin port shows of it.
    pub readiness: Readiness,
    /// Its metrics.
    pub registry: Arc<Registry>,
    /// What its admin port serves in addition: `/explain`, `/calls`, `/registrations`, `/trace`.
    pub router: axum::Router,
    /// Takes settings that are read again.
    pub reloader: Reloader,
}

/// Binds and serves on a store that is open and migrated.
///
/// # Errors
///
/// When an address cannot be bound or the directory cannot be loaded.
pub async fn serve(
    config: Config,
    store: Store,
    shutdown: CancellationToken,
) -> anyhow::Result<Server> {
    // Sockets and writers go on while the engine drains; they end after it, or when this function fails.
    let ended = CancellationToken::new();
    let end = ended.clone().drop_guard();
    let given = follower::Given {
        numbers: config.emergency.numbers.clone().into(),
        trees: config.r#enum.all_trees().into(),
    };
    let profiles = Profiles::new(&config.tls)?;
    // Before everything is loaded, so that nothing passes by in between.
    let mut bindings = store.follow_bindings("").await.context("cannot follow registrations")?;
    let shown = profiles.clone();
    let (loaded, follower) = follower::load(&store, given, profiles.clone())
        .await
        .context("cannot load the accounts")?;
    let follower::Loaded { directory, tables } = loaded;
    let mut registry = Registry::default();
    let metrics = Metrics::new(&mut registry);
    let live = Arc::new(ArcSwap::from_pointee(Live::of(&config)));
    let reloader = Reloader::new(&config, profiles.clone(), Arc::clone(&live));
    let around = Around {
        profiles,
        live,
        handshakes_failed: metrics.handshakes_failed.clone(),
        shutdown: ended.clone(),
    };
    let secret = Secret::from_bytes(shared_secret(&store, ROUTES).await?);
    let refuser = Refuser::of(&stack_settings(&config, secret.clone(), Vec::new()));
    let nonce_key = NonceKey::from_bytes(shared_secret(&store, NONCES).await?);
    let gruus = Gruus::from_bytes(shared_secret(&store, GRUUS).await?);
    let nonces = (nonce_key.clone(), config.digest.nonce_milliseconds());
    let counted = [metrics.arrivals_dropped.clone(), metrics.refused_early.clone()];
    let overload = Overload::new(EmergencyNumbers::default(), refuser, nonces, counted);
    let overload = Arc::new(overload);
    let drops_unread = Arc::clone(&overload.drops_unread);
    let (lanes, arrivals) = Lanes::new(Arc::clone(&overload));
    let transports = Transports::bind(&config, around, lanes)?;
    let udp: Vec<SocketAddr> = transports.udp_addresses().collect();
    let [tcp, tls, ws, wss] = Stream::ALL.map(|one| transports.stream_addresses(one).collect());
    let first = transports.addresses().next().map(|(_, address)| address);
    let mut stack = stack(&config, secret, transports.addresses())?;
    stack.set_own_names(directory.domains().map(DomainName::as_str));
    let node = config.node(first);
    bindings.set_node(&node);
    let (lasting, alive_at) = heartbeat::begin(&store, &node, wall_clock())
        .await
        .context("cannot close calls left open")?;
    let reached_at = stack.node_uri();
    store
        .set_sip_node_address(&node, reached_at.as_ref().map(Uri::as_str))
        .await
        .context("cannot tell other nodes where this one is")?;
    let who = identity(&config, &node, first)?;
    let readiness = Readiness::new();
    let counting = metrics.clone();
    let (batches_in, batches) = mpsc::channel(16);
    let (changes, changes_out) = mpsc::channel(CHANGES);
    let (news_in, news) = mpsc::channel(16);
    let (records, records_out) = mpsc::channel(RECORDS);
    let tracer = Tracer::start(&config.trace, store.clone(), first, metrics.clone(), ended.clone());
    let watching = trace::watch::router(tracer.shared(), shutdown.clone());
    let locator = Locator::new(&config.dns)?;
    let (asks_in, asks) = mpsc::channel(ASKS);
    let (looks_in, looks) = mpsc::channel(ASKS);
    let (elsewhere_in, elsewhere) = mpsc::channel(1);
    let stranger = Arc::new(Notify::new());
    let queues = Queues {
        arrivals,
        overload,
        batches,
        changes,
        news,
        records,
        tracer,
        locator,
        asks,
        looks,
        elsewhere,
        stranger: Arc::clone(&stranger),
        guard: reloader.guard(),
    };
    let named = node.clone();
    let mut engine = Engine::new(
        config,
        stack,
        transports,
        directory,
        (nonce_key, gruus),
        metrics.clone(),
        &queues,
    );
    engine.restore_calls(&lasting, alive_at);
    tokio::spawn(elsewhere::run(
        store.clone(),
        node.clone(),
        elsewhere_in,
        stranger,
        ended.clone(),
    ));
    let dropped = drops::Counters {
        no_room: metrics.datagrams_dropped.clone(),
        unread: metrics.datagrams_unread.clone(),
        drops_unread,
    };
    tokio::spawn(alarms::certificates(shown, metrics.clone(), ended.clone()));
    let watched = (store.clone(), readiness.clone(), metrics.clone());
    tokio::spawn(alarms::database(watched.0, watched.1, watched.2, ended.clone()));
    tokio::spawn(drops::run(udp.clone(), dropped, ended.clone()));
    tokio::spawn(ended_bindings::run(store.clone(), ended.clone()));
    let location_queues = location::Queues { changes: changes_out, news: news_in };
    let writing = [
        tokio::spawn(heartbeat::run(store.clone(), node.clone(), ended.clone())),
        tokio::spawn(store.clone().beat(
            who,
            move || counting.totals(),
            ended.clone().cancelled_owned(),
        )),
        tokio::spawn(location::run(
            store.clone(),
            (node, bindings),
            location_queues,
            readiness.clone(),
            ended.clone(),
        )),
        tokio::spawn(cdr::run(store.clone(), records_out, metrics, ended)),
    ];
    tokio::spawn(follower::run(
        store,
        follower,
        tables,
        batches_in,
        readiness.clone(),
        shutdown.clone(),
    ));
    readiness.set_ready(true, "");
    let running = in_own_thread("engine", engine.run(queues, shutdown))?;
    let task = tokio::spawn(async move {
        running.await;
        drop(end);
        // The engine's end closes the queues, so that these write what is left and end.
        for task in writing {
            let _ = task.await;
        }
    });
    let router = explain::router(asks_in).merge(show::router(looks_in, named)).merge(watching);
    Ok(Server {
        udp,
        tcp,
        tls,
        ws,
        wss,
        task,
        readiness,
        registry: Arc::new(registry),
        router,
        reloader,
    })
}

/// Runs in a thread of its own what is woken for each message: at 6,700 OPTIONS a second the process took a fifth less of the
/// processor than with a task of the runtime. What comes back ends when that has ended, and panics when that did.
fn in_own_thread(
    name: &str,
    work: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<impl Future<Output = ()>> {
    let (end, ended) = oneshot::channel();
    let runtime = Handle::current();
    let thread = std::thread::Builder::new().name(name.to_owned());
    let thread = thread
        .spawn(move || {
            // Said also when it panics.
            let _end: oneshot::Sender<()> = end;
            runtime.block_on(work);
        })
        .with_context(|| format!("cannot start the thread of the {name}"))?;
    Ok(async move {
        let _ = ended.await;
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    })
}

/// By what the platform knows this node, as its call records do.
fn identity(
    config: &Config,
    node: &str,
    bound: Option<SocketAddr>,
) -> anyhow::Result<NodeIdentity> {
    let bound = bound.context("sipd listens nowhere")?;
    let advertised = config.listen.advertised.as_deref();
    let who = NodeIdentity::new("sipd", env!("CARGO_PKG_VERSION"), bound, advertised);
    Ok(NodeIdentity { node: node.to_owned(), ..who })
}

/// A secret of the whole platform: dialogs that were set up through another node, or before a restart, go on.
async fn shared_secret(store: &Store, name: &str) -> anyhow::Result<[u8; 32]> {
    store
        .shared_secret(name, random()?)
        .await
        .with_context(|| format!("cannot get the secret {name}"))
}

fn stack(
    config: &Config,
    secret: Secret,
    addresses: impl Iterator<Item = (Transport, SocketAddr)>,
) -> anyhow::Result<Stack> {
    let advertised = config.listen.advertised.as_deref();
    let interface = |transport: Transport, local: SocketAddr| {
        let own = match local {
            SocketAddr::V4(address) => Host::V4(*address.ip()),
            SocketAddr::V6(address) => Host::V6(*address.ip()),
        };
        let host = advertised.and_then(Host::parse).unwrap_or(own);
        Interface { transport, local, host, port: local.port() }
    };
    let interfaces = addresses.map(|(transport, local)| interface(transport, local)).collect();
    Ok(Stack::new(stack_settings(config, secret, interfaces), random()?))
}

fn stack_settings(config: &Config, secret: Secret, interfaces: Vec<Interface>) -> StackConfig {
    let mut settings = StackConfig::new(secret, interfaces);
    settings.node_uri = config.cluster.uri();
    settings.timer_c = config.timer_c();
    // RFC 3323 section 5: `ngn_routing` says when privacy cannot be kept that is critical.
    settings.supported = vec![engine::PRIVACY.to_owned()];
    settings.offers_connections = config.tls.reuse_connections;
    settings.session = config.calls.session();
    settings.largest_datagram = match config.proxy.largest_datagram {
        0 => usize::MAX,
        octets => octets,
    };
    settings.limits.transactions = config.limits.transactions;
    let [fewest, most] = config.overload.retry_after;
    (settings.retry_after, settings.retry_spread) = (fewest, most.saturating_sub(fewest));
    settings
}

fn random() -> anyhow::Result<[u8; 32]> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets)
        .map_err(|_| anyhow::anyhow!("the system has no random numbers"))?;
    Ok(octets)
}

/// The daemon by itself.
#[derive(Debug)]
pub struct Sipd;

impl Daemon for Sipd {
    type Config = Config;
    const NAME: &'static str = "sipd";
    const ABOUT: &'static str = "SIP registrar and proxy of the ngn platform";

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
        let mut addresses = Vec::new();
        for (name, bound) in [
            ("sip-udp", &server.udp),
            ("sip-tcp", &server.tcp),
            ("sip-tls", &server.tls),
            ("sip-ws", &server.ws),
            ("sip-wss", &server.wss),
        ] {
            addresses.extend(bound.iter().map(|address| (name, *address)));
        }
        let (readiness, registry, task) = (server.readiness, server.registry, server.task);
        let router = server.router;
        let (reloader, file) = (server.reloader, start.file.clone());
        let reload =
            Reload::new(move || reloader.reload(&ngn_daemon::settings::<Self>(file.as_deref())?));
        let alone = Alone { addresses, readiness, registry, task };
        let closing = async move { store.close().await };
        let running = alone.with_admin::<Self>(at, router, start, closing).await?;
        Ok(Running { reload: Some(reload), ..running })
    }
}
