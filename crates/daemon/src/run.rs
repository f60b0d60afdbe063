//! The life of a daemon, from its command line to its end.

use crate::admin::{self, Admin};
use crate::readiness::Readiness;
use crate::reload::{Reload, reload_on_hangup};
use crate::{config, logging};
use anyhow::Context as _;
use axum::Router;
use prometheus_client::registry::Registry;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a daemon may take to shut down before it is ended anyway.
const SHUTDOWN_TIME: Duration = Duration::from_secs(15);

/// A program that serves until it is told to stop.
pub trait Daemon {
    /// Its configuration file.
    type Config: DeserializeOwned + Default + Send;
    /// Its name: that of the program, of `etc/NAME.toml`, and in upper case of its environment variables.
    const NAME: &'static str;
    /// One line for `--help`.
    const ABOUT: &'static str;

    /// Finds what is well-formed and still makes no sense.
    ///
    /// # Errors
    ///
    /// A text that names the key and says what to write.
    fn check(config: &Self::Config) -> Result<(), String>;

    /// The log filter of a configuration.
    fn log_filter(config: &Self::Config) -> &str;

    /// Binds, loads and serves. Returns when everything answers.
    fn start(
        config: Self::Config,
        start: Start,
    ) -> impl Future<Output = anyhow::Result<Running>> + Send;
}

/// What a daemon is given at its start.
#[derive(Debug, Clone)]
pub struct Start {
    /// Cancelled when it shall stop.
    pub shutdown: CancellationToken,
    /// The configuration file; `None` when there is none.
    pub file: Option<PathBuf>,
}

/// A daemon that serves.
#[derive(Debug)]
pub struct Running {
    /// What it serves (`sip-udp`, `dns`, `admin`) and the real addresses.
    pub addresses: Vec<(&'static str, SocketAddr)>,
    /// Ends when the daemon has stopped; an error before that is a failure.
    pub task: JoinHandle<anyhow::Result<()>>,
    /// What SIGHUP does; `None`: nothing.
    pub reload: Option<Reload>,
}

/// The one server of a daemon that runs by itself, as the admin port shows it.
#[derive(Debug)]
pub struct Alone {
    /// What it serves and the real addresses.
    pub addresses: Vec<(&'static str, SocketAddr)>,
    /// Whether it is ready.
    pub readiness: Readiness,
    /// Its metrics.
    pub registry: Arc<Registry>,
    /// Ends when it has stopped.
    pub task: JoinHandle<()>,
}

impl Alone {
    /// Adds the admin port, with what the daemon shows there beside the usual, also while it stops. `closing` runs after both
    /// have stopped.
    ///
    /// # Errors
    ///
    /// As [`admin::serve`].
    pub async fn with_admin<D: Daemon>(
        self,
        at: admin::Place,
        more: Router,
        start: Start,
        closing: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<Running> {
        let shown = Admin {
            parts: vec![(D::NAME, self.readiness)],
            registries: vec![self.registry],
            stopping: start.shutdown,
        };
        let stopped = CancellationToken::new();
        let serving = admin::serve(at, shown, more, stopped.clone()).await?;
        let mut addresses = self.addresses;
        addresses.push(("admin", serving.address));
        let task = tokio::spawn(async move {
            let ended = self.task.await;
            stopped.cancel();
            ended?;
            serving.task.await?;
            closing.await;
            Ok(())
        });
        Ok(Running { addresses, task, reload: None })
    }
}

/// The whole `main` of a daemon.
#[must_use]
pub fn run<D: Daemon>() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match command::<D>(&arguments) {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("{}: {error:#}", D::NAME));
            ExitCode::FAILURE
        }
    }
}

enum Mode {
    Serve,
    Check,
}

fn command<D: Daemon>(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let mut path: Option<PathBuf> = None;
    let mut mode = Mode::Serve;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--help" | "-h" => {
                say(&help::<D>());
                return Ok(ExitCode::SUCCESS);
            }
            "--version" | "-V" => {
                say(&format!("{} {}", D::NAME, env!("CARGO_PKG_VERSION")));
                return Ok(ExitCode::SUCCESS);
            }
            "--check-config" => mode = Mode::Check,
            "--config" | "-c" => {
                path = Some(rest.next().context("--config needs a file's name")?.into());
            }
            other => match other.strip_prefix("--config=") {
                Some(name) => path = Some(name.into()),
                None => anyhow::bail!("unknown argument `{other}`; see {} --help", D::NAME),
            },
        }
    }
    let settings = settings::<D>(path.as_deref())?;
    if matches!(mode, Mode::Check) {
        say("ok");
        return Ok(ExitCode::SUCCESS);
    }
    logging::start(D::log_filter(&settings)).map_err(anyhow::Error::msg)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(serve::<D>(settings, path))
}

/// A daemon's settings: a file's, or the defaults, with the environment over them.
///
/// # Errors
///
/// What is wrong, with line or variable, and what to write.
pub fn settings<D: Daemon>(path: Option<&Path>) -> anyhow::Result<D::Config> {
    let prefix = D::NAME.to_ascii_uppercase();
    Ok(config::load(path, &prefix, std::env::vars(), D::check)?)
}

async fn serve<D: Daemon>(settings: D::Config, file: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let shutdown = CancellationToken::new();
    let mut running = D::start(settings, Start { shutdown: shutdown.clone(), file }).await?;
    let addresses: Vec<String> =
        running.addresses.iter().map(|(name, address)| format!("{name}={address}")).collect();
    say(&format!("ready {}", addresses.join(" ")));
    notify_systemd("READY=1");
    tokio::select! {
        ended = &mut running.task => {
            ended.context("the daemon's task failed")??;
            anyhow::bail!("stopped by itself");
        }
        never = reload_on_hangup(running.reload.take()) => match never {},
        () = shutdown_signal() => {}
    }
    notify_systemd("STOPPING=1");
    tracing::info!("shutting down");
    shutdown.cancel();
    tokio::select! {
        ended = tokio::time::timeout(SHUTDOWN_TIME, &mut running.task) => match ended {
            Ok(ended) => ended.context("the daemon's task failed")??,
            Err(_) => anyhow::bail!("did not stop within {} s", SHUTDOWN_TIME.as_secs()),
        },
        () = shutdown_signal() => anyhow::bail!("ended by a second signal"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits for SIGTERM or SIGINT.
pub async fn shutdown_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

/// Tells systemd of a change of state when it asked to be told (`sd_notify`).
pub fn notify_systemd(state: &str) {
    let Ok(path) = std::env::var("NOTIFY_SOCKET") else { return };
    if let Ok(socket) = std::os::unix::net::UnixDatagram::unbound() {
        let _ = socket.send_to(state.as_bytes(), path);
    }
}

fn help<D: Daemon>() -> String {
    let name = D::NAME;
    format!(
        "{name}: {}\n\nUsage: {name} [--config FILE] [--check-config]\n\n\
         Options:\n  -c, --config FILE   configuration file; etc/{name}.toml shows every key\n      \
         --check-config  reads the configuration, says `ok` or what is wrong, and ends\n  \
         -h, --help          this text\n  -V, --version       the version\n\n\
         Environment: {}_KEY=VALUE goes over the file; `__` stands between the parts of a key.",
        D::ABOUT,
        name.to_ascii_uppercase()
    )
}

#[allow(clippy::print_stdout, reason = "the ready line and help are this program's output")]
fn say(text: &str) {
    println!("{text}");
}

#[allow(clippy::print_stderr, reason = "there may be no log yet")]
fn complain(text: &str) {
    eprintln!("{text}");
}
