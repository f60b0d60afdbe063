//! The daemons of one machine in one process, on one store, so that a change wakes its followers at once.

use anyhow::Context as _;
use axum::Router;
use ngn_daemon::admin::{self, Admin, Place};
use ngn_daemon::{Daemon, Readiness, Reload};
use ngn_enumd::Enumd;
use ngn_ngnpro::Ngnpro;
use ngn_sipd::Sipd;
use ngn_store::Store;
use prometheus_client::registry::Registry;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// How long the parts may take to stop before they are ended anyway.
const STOP_TIME: Duration = Duration::from_secs(15);

/// Where each part listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    /// SOAP.
    pub(crate) soap: SocketAddr,
    /// SIP, UDP and TCP.
    pub(crate) sip: SocketAddr,
    /// DNS, UDP and TCP.
    pub(crate) dns: SocketAddr,
    /// Admin port.
    pub(crate) admin: SocketAddr,
}

/// A platform that runs.
#[derive(Debug)]
pub(crate) struct Platform {
    /// The administrator's password, when this start made it.
    pub(crate) new_password: Option<String>,
    /// Where it is kept.
    pub(crate) password_file: PathBuf,
    /// Where the parts really listen.
    pub(crate) addresses: Addresses,
    /// Where web redirects are served, if they are on.
    redirect: Option<SocketAddr>,
    readiness: Vec<(&'static str, Readiness)>,
    /// The database.
    pub(crate) store: Store,
    shutdown: CancellationToken,
    /// Cancelled when all but the admin port have stopped.
    stopped: CancellationToken,
    /// The parts' tasks; each gives its part's name and how it ended.
    tasks: JoinSet<(&'static str, anyhow::Result<()>)>,
    /// What SIGHUP does.
    pub(crate) reload: Option<Reload>,
    _lock: File,
}

/// The parts as they are started one by one.
struct Parts {
    readiness: Vec<(&'static str, Readiness)>,
    registries: Vec<Arc<Registry>>,
    tasks: JoinSet<(&'static str, anyhow::Result<()>)>,
    /// What SIGHUP does.
    reload: Option<Reload>,
}

impl Parts {
    fn add(
        &mut self,
        name: &'static str,
        readiness: Readiness,
        registry: Arc<Registry>,
        task: JoinHandle<()>,
    ) {
        self.readiness.push((name, readiness));
        self.registries.push(registry);
        self.watch(name, task);
    }

    fn watch(&mut self, name: &'static str, task: JoinHandle<()>) {
        self.tasks.spawn(async move { (name, task.await.map_err(anyhow::Error::from)) });
    }
}

impl Platform {
    /// Makes what is missing, migrates, and starts everything.
    ///
    /// # Errors
    ///
    /// When the directory is in use, the database cannot be opened, or an address cannot be bound.
    pub(crate) async fn start(
        data: &Path,
        database: Option<&str>,
        addresses: Addresses,
    ) -> anyhow::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data)
            .with_context(|| format!("cannot create {} (--data)", data.display()))?;
        let lock = lock(data)?;
        let password_file = data.join("admin-password");
        let new_password = password(&password_file)?;
        let url = match database {
            Some(url) => url.to_owned(),
            None => format!("sqlite:{}", data.join("ngn.sqlite").display()),
        };
        let store = Store::open(&url).await.context("cannot open the database (--database)")?;
        store.migrate().await.context("cannot migrate the database")?;
        let shutdown = CancellationToken::new();
        let mut parts = Parts {
            readiness: Vec::new(),
            registries: Vec::new(),
            tasks: JoinSet::new(),
            reload: None,
        };
        let (soap, redirect) =
            start_soap(&mut parts, data, &store, &shutdown, addresses.soap, &password_file)
                .await
                .context("ngnpro does not start (its address: --soap)")?;
        let (sip, router) = start_sip(&mut parts, data, &store, &shutdown, addresses.sip)
            .await
            .context("sipd does not start (its address: --sip)")?;
        let dns = start_dns(&mut parts, data, &store, &shutdown, addresses.dns)
            .await
            .context("enumd does not start (its address: --dns)")?;
        let Parts { readiness, registries, mut tasks, reload } = parts;
        let stopping = shutdown.clone();
        let admin = Admin { parts: readiness.clone(), registries, stopping };
        let stopped = CancellationToken::new();
        let at = Place { address: addresses.admin, beyond_loopback: false };
        let admin = admin::serve(at, admin, router, stopped.clone())
            .await
            .context("the admin port does not start (its address: --admin)")?;
        let task = admin.task;
        tasks.spawn(async move { ("admin port", task.await.map_err(anyhow::Error::from)) });
        let addresses = Addresses { soap, sip, dns, admin: admin.address };
        Ok(Self {
            new_password,
            password_file,
            addresses,
            redirect,
            readiness,
            store,
            shutdown,
            stopped,
            tasks,
            reload,
            _lock: lock,
        })
    }

    /// The line that says that everything answers, with the real addresses.
    #[must_use]
    pub(crate) fn ready_line(&self) -> String {
        let Addresses { soap, sip, dns, admin } = self.addresses;
        let redirect = self.redirect.map(|at| format!(" redirect={at}")).unwrap_or_default();
        format!("ready soap={soap} sip={sip} dns={dns} admin={admin}{redirect}")
    }

    /// Waits until every part shows a journal position.
    ///
    /// # Errors
    ///
    /// When one does not within ten seconds.
    pub(crate) async fn wait_position(&self, position: u64) -> anyhow::Result<()> {
        for (name, readiness) in &self.readiness {
            let reached = readiness.wait_for(position, Duration::from_secs(10)).await;
            anyhow::ensure!(reached, "{name} does not show change {position}");
        }
        Ok(())
    }

    /// Waits for a part that ends by itself, which is a failure.
    pub(crate) async fn failure(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok((name, Ok(())))) => anyhow::anyhow!("{name} stopped by itself"),
            Some(Ok((name, Err(error)))) => error.context(format!("{name} failed")),
            Some(Err(error)) => error.into(),
            None => anyhow::anyhow!("nothing runs"),
        }
    }

    /// Stops in order; requests in flight end first.
    ///
    /// # Errors
    ///
    /// When a part failed or does not stop in time.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        let all = async {
            // The admin port shows how the others stop.
            while let Some(ended) = self.tasks.join_next().await {
                if self.tasks.len() <= 1 {
                    self.stopped.cancel();
                }
                let (name, result) = ended?;
                result.with_context(|| format!("{name} failed"))?;
            }
            anyhow::Ok(())
        };
        match tokio::time::timeout(STOP_TIME, all).await {
            Ok(ended) => ended?,
            Err(_) => anyhow::bail!("did not stop within {} s", STOP_TIME.as_secs()),
        }
        self.store.close().await;
        Ok(())
    }
}

/// A daemon's settings: its file in the data directory if there is one, and the environment over it, as if it ran by
/// itself. Database and addresses are the platform's.
fn settings<D: Daemon>(data: &Path) -> anyhow::Result<D::Config> {
    let path = data.join(format!("{}.toml", D::NAME));
    ngn_daemon::settings::<D>(path.exists().then_some(path.as_path()))
}

async fn start_soap(
    parts: &mut Parts,
    data: &Path,
    store: &Store,
    shutdown: &CancellationToken,
    listen: SocketAddr,
    password_file: &Path,
) -> anyhow::Result<(SocketAddr, Option<SocketAddr>)> {
    let mut config = settings::<Ngnpro>(data)?;
    config.listen = listen;
    password_file.clone_into(&mut config.administrator.password_file);
    config.passwords.key_file = data.join("password-key");
    // Zones that name no server are served by this machine.
    config.provisioning.nameservers = vec!["ns.localhost".to_owned()];
    let server = ngn_ngnpro::serve(config, store.clone(), shutdown.clone()).await?;
    parts.add("ngnpro", server.readiness, server.registry, server.task);
    Ok((server.address, server.redirect))
}

async fn start_sip(
    parts: &mut Parts,
    data: &Path,
    store: &Store,
    shutdown: &CancellationToken,
    listen: SocketAddr,
) -> anyhow::Result<(SocketAddr, Router)> {
    let data = data.to_owned();
    let read = move || -> anyhow::Result<ngn_sipd::config::Config> {
        let mut config = settings::<Sipd>(&data)?;
        (config.listen.udp, config.listen.tcp) = (vec![listen], vec![listen]);
        Ok(config)
    };
    let config = read()?;
    let server = ngn_sipd::serve(config, store.clone(), shutdown.clone()).await?;
    let reloader = server.reloader;
    parts.reload = Some(Reload::new(move || reloader.reload(&read()?)));
    parts.add("sipd", server.readiness, server.registry, server.task);
    let address = server.udp.first().copied().context("sipd listens nowhere")?;
    Ok((address, server.router))
}

async fn start_dns(
    parts: &mut Parts,
    data: &Path,
    store: &Store,
    shutdown: &CancellationToken,
    listen: SocketAddr,
) -> anyhow::Result<SocketAddr> {
    let data = data.to_owned();
    let read = move || -> anyhow::Result<ngn_enumd::config::Config> {
        let mut config = settings::<Enumd>(&data)?;
        (config.listen.udp, config.listen.tcp) = (vec![listen], vec![listen]);
        config.snapshot.file = data.join("enumd.snapshot");
        config.dnssec.key_file = data.join("password-key");
        Ok(config)
    };
    let server = ngn_enumd::serve(read()?, store.clone(), shutdown.clone()).await?;
    parts.add("enumd", server.readiness, server.registry, server.task);
    let reloader = server.reloader;
    let reload = Reload::new(move || reloader.reload(&read()?));
    parts.reload = Some(match parts.reload.take() {
        Some(before) => before.and_then(reload),
        None => reload,
    });
    server.udp.first().copied().context("enumd listens nowhere")
}

/// Keeps a second platform from using the same directory.
fn lock(data: &Path) -> anyhow::Result<File> {
    let path = data.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.try_lock().map_err(|_| {
        anyhow::anyhow!(
            "another platform runs on {}; stop it, or choose another directory with --data",
            data.display()
        )
    })?;
    Ok(file)
}

/// Makes the administrator's password at the first start.
fn password(path: &Path) -> anyhow::Result<Option<String>> {
    if path.exists() {
        return Ok(None);
    }
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut random = [0_u8; 24];
    getrandom::fill(&mut random).map_err(|_| anyhow::anyhow!("the system has no randomness"))?;
    let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).copied().map(char::from);
    let password: String = random.iter().filter_map(letter).collect();
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    writeln!(file, "{password}")?;
    file.sync_all()?;
    Ok(Some(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn starts_once_per_directory_and_keeps_its_password() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().expect("a directory");
        let data = directory.path().join("data");
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let addresses = Addresses { soap: any, sip: any, dns: any, admin: any };
        let first = Platform::start(&data, None, addresses).await.expect("started");
        let password = first.new_password.clone().expect("the first start makes a password");
        assert!(first.ready_line().starts_with("ready soap=127.0.0.1:"));
        assert!(first.addresses.sip.port() != 0 && first.addresses.admin.port() != 0);
        let mode = fs::metadata(&first.password_file).expect("kept").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = Platform::start(&data, None, addresses).await;
        assert!(second.is_err_and(|error| error.to_string().contains("another platform")));
        first.stop().await.expect("stopped");
        let again = Platform::start(&data, None, addresses).await.expect("started again");
        assert_eq!(again.new_password, None);
        let kept = fs::read_to_string(&again.password_file).expect("kept");
        assert_eq!(kept.trim_end(), password);
        again.stop().await.expect("stopped");
    }
}
