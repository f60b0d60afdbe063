//! Which database a command works on.

use anyhow::Context as _;
use ngn_daemon::Daemon as _;
use ngn_sipd::Sipd;
use ngn_sipd::config::Config;
use ngn_store::Store;
use std::path::{Path, PathBuf};

/// The database of a platform.
#[derive(Debug, clap::Args)]
pub(crate) struct Source {
    /// The platform's data directory, whose SQLite file is used unless --database names another database.
    #[arg(long, value_name = "DIR", default_value = "data", global = true)]
    pub(crate) data: PathBuf,
    /// The database, `sqlite:PATH` or `mysql://user:password@host:port/name`.
    #[arg(long, value_name = "URL", env = "NGN_DATABASE", hide_env_values = true, global = true)]
    database: Option<String>,
}

impl Source {
    /// Opens it; one that does not exist is not made.
    pub(crate) async fn open(&self) -> anyhow::Result<Store> {
        Self::open_at(&self.url()).await
    }

    /// The settings of its sipd: those of a file, else of `sipd.toml` in the data directory if there is one, and the
    /// environment over them.
    pub(crate) fn sipd(&self, file: Option<&Path>) -> anyhow::Result<Config> {
        let usual = self.data.join(format!("{}.toml", Sipd::NAME));
        ngn_daemon::settings::<Sipd>(file.or_else(|| usual.exists().then_some(usual.as_path())))
    }

    /// Its address, which may hold a password.
    pub(crate) fn url(&self) -> String {
        let file = || format!("sqlite:{}", self.data.join("ngn.sqlite").display());
        self.database.clone().unwrap_or_else(file)
    }

    /// Opens the database with this address; one that does not exist is not made.
    pub(crate) async fn open_at(url: &str) -> anyhow::Result<Store> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            anyhow::ensure!(
                std::path::Path::new(path.strip_prefix("//").unwrap_or(path)).exists(),
                "there is no database at {path}; name the platform's with --data DIR or --database URL"
            );
        }
        let store = Store::open(url).await.context("cannot open the database")?;
        store.check_schema().await.context("run `ngn migrate` first")?;
        Ok(store)
    }
}
