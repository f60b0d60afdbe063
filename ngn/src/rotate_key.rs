//! `ngn rotate-key`: encrypts all passwords with a new key.

use crate::say;
use anyhow::Context as _;
use ngn_daemon::settings;
use ngn_ngnpro::Ngnpro;
use ngn_store::{Keyring, KeyringError, Store};
use std::path::PathBuf;
use std::sync::Arc;

/// Which platform.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The data directory of `ngn up`.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// The database of `ngn up --database`, when it is not the one in the data directory.
    #[arg(long, value_name = "URL", env = "NGN_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// The configuration file of an ngnpro that runs by itself; its database and key file are used.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "database"])]
    config: Option<PathBuf>,
    /// Removes the passwords whose key is lost. Phones go on, since digests stay; customers need new passwords.
    #[arg(long)]
    give_up_lost: bool,
}

/// Does it, beside daemons that run or do not.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let (url, passwords) = match &options.config {
        Some(path) => {
            let config = settings::<Ngnpro>(Some(path))?;
            (config.database, config.passwords)
        }
        None => {
            let path = options.data.join("ngnpro.toml");
            let config = settings::<Ngnpro>(path.exists().then_some(path.as_path()))?;
            let mut passwords = config.passwords;
            passwords.key_file = options.data.join("password-key");
            let in_data = || format!("sqlite:{}", options.data.join("ngn.sqlite").display());
            (options.database.clone().unwrap_or_else(in_data), passwords)
        }
    };
    anyhow::ensure!(
        passwords.encrypt,
        "passwords are not encrypted (passwords.encrypt = false), so there is no key to replace"
    );
    if let Some(path) = url.strip_prefix("sqlite:") {
        anyhow::ensure!(
            PathBuf::from(path).exists(),
            "there is no database {path}; name the platform with --data or --config"
        );
    }
    let store = Store::open(&url).await.context("cannot open the database")?;
    store.check_schema().await.context("run `ngn migrate` first")?;
    let file = &passwords.key_file;
    let keyring = match Keyring::open(file, true) {
        Err(KeyringError::Missing(_))
            if options.give_up_lost || !store.has_sealed_passwords().await? =>
        {
            Keyring::create(file)?
        }
        Err(KeyringError::Missing(path)) => anyhow::bail!(
            "the password key file {} does not exist; put it back from your backup, or remove the passwords that \
             need it with --give-up-lost",
            path.display()
        ),
        opened => opened?,
    };
    keyring.add_key()?;
    let keyring = Arc::new(keyring);
    store.use_keyring(Arc::clone(&keyring));
    let done = store.reseal_passwords(options.give_up_lost).await?;
    keyring.drop_old_keys()?;
    store.close().await;
    say(&format!(
        "ok: {} passwords are encrypted with a new key, {} were removed; keep a copy of {} apart from copies of the \
         database, and copy it to every machine that runs ngnpro",
        done.changed,
        done.removed,
        file.display()
    ));
    Ok(())
}
