//! The daemons of one machine in one process, on one store, so that a change wakes its followers at once.

use anyhow::Context as _;
use axum::Router;
use ngn_daemon::admin::{self, Admin, Serving};
use ngn_ngnpro::Server;
use ngn_ngnpro::config::Config;
use ngn_store::Store;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Where each part listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    /// SOAP.
    pub(crate) soap: SocketAddr,
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
    store: Store,
    shutdown: CancellationToken,
    ngnpro: Server,
    admin: Serving,
    _lock: File,
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
        let mut config = Config { listen: addresses.soap, ..Config::default() };
        config.administrator.password_file.clone_from(&password_file);
        config.check().map_err(anyhow::Error::msg)?;
        let ngnpro = ngn_ngnpro::serve(config, store.clone(), shutdown.clone())
            .await
            .context("choose another address with --soap")?;
        let parts = Admin {
            parts: vec![("ngnpro", ngnpro.readiness.clone())],
            registries: vec![Arc::clone(&ngnpro.registry)],
        };
        let admin = admin::serve(addresses.admin, false, parts, Router::new(), shutdown.clone())
            .await
            .context("choose another address with --admin")?;
        Ok(Self { new_password, password_file, store, shutdown, ngnpro, admin, _lock: lock })
    }

    /// The line that says that everything answers, with the real addresses.
    #[must_use]
    pub(crate) fn ready_line(&self) -> String {
        format!("ready soap={} admin={}", self.ngnpro.address, self.admin.address)
    }

    /// Stops in order; requests in flight end first.
    ///
    /// # Errors
    ///
    /// When a part failed.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.ngnpro.task.await?;
        self.admin.task.await?;
        self.store.close().await;
        Ok(())
    }
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
        let addresses = Addresses { soap: any, admin: any };
        let first = Platform::start(&data, None, addresses).await.expect("started");
        let password = first.new_password.clone().expect("the first start makes a password");
        assert!(first.ready_line().starts_with("ready soap=127.0.0.1:"));
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
