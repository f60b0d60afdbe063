//! `ngn zone`: what is done to zones beside SOAP.

mod aliases;
mod check;
mod keys;
mod list;
mod master;

use crate::database::Source;
use anyhow::Context as _;
use clap::Subcommand;
use ngn_daemon::Daemon as _;
use ngn_model::DomainName;
use ngn_ngnpro::Ngnpro;
use ngn_ngnpro::config::Config;
use ngn_ngnpro::ops::Call;
use ngn_ngnpro::ops::sip_accounts::Adding;
use ngn_ngnpro::principal::Principal;
use ngn_store::{Actor, Store};
use std::path::PathBuf;

/// What to do.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    source: Source,
    /// The configuration file of an ngnpro that runs by itself, instead of --data and --database.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
    /// Who does it, for the journal.
    #[arg(long, value_name = "NAME", default_value = "operator", env = "USER", global = true)]
    login: String,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists zones: kind, owner, serial, records, size and last change.
    List(list::Options),
    /// Writes a zone as a master file (RFC 1035 section 5), without signatures and without fancy records.
    Export(master::Export),
    /// Reads a zone from a master file (RFC 1035 section 5), all of it or nothing, by the rules of the Dns port.
    Import(master::Import),
    /// Says what a zone's parent must publish, and compares it and the zone's servers with what is here; says which records
    /// telephones look for in vain (RFC 3263). Fails when anything is wrong.
    Check(check::Options),
    /// Writes all mail forwardings (MBOXFW) as a table of aliases for Postfix (virtual_alias_maps).
    Aliases(aliases::Options),
    /// Signs a zone (DNSSEC), with new keys when it has none, and says what its parent has to know.
    Sign(keys::Sign),
    /// Ends signing: first asks the parent to remove its DS records, then, with --no-ds, takes signatures and keys away.
    Unsign(keys::Unsign),
    /// Shows the keys of a zone and what they are at this time.
    Keys(keys::Show),
    /// Replaces a key of a zone, step by step, so that nobody takes the zone for a forged one meanwhile.
    Roll(keys::Roll),
}

/// Does it.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let Options { source, config, action, login } = options;
    let (store, settings) = match &config {
        Some(path) => {
            let settings = ngn_daemon::settings::<Ngnpro>(Some(path))?;
            (Source::open_at(&settings.database).await?, settings)
        }
        None => {
            let file = source.data.join(format!("{}.toml", Ngnpro::NAME));
            let mut settings =
                ngn_daemon::settings::<Ngnpro>(file.exists().then_some(file.as_path()))?;
            settings.passwords.key_file = source.data.join("password-key");
            (source.open().await?, settings)
        }
    };
    let login: String = login.chars().take(255).collect();
    let sipd = source.sipd(None)?;
    let done = act(&store, action, (&settings, &sipd), &login).await;
    store.close().await;
    done
}

async fn act(
    store: &Store,
    action: Action,
    (settings, sipd): (&Config, &ngn_sipd::config::Config),
    login: &str,
) -> anyhow::Result<()> {
    match action {
        Action::Check(options) => {
            let adding = Adding::default();
            check::run(&call(store, settings, login, "zone:check", &adding), options, sipd).await
        }
        Action::Aliases(options) => aliases::run(store, options).await,
        Action::List(options) => list::run(store, options).await,
        Action::Export(options) => master::export(store, options).await,
        Action::Import(options) => {
            // Customers are read with their passwords.
            if settings.passwords.key_file.exists() || store.has_sealed_passwords().await? {
                ngn_ngnpro::passwords::open(store, &settings.passwords).await?;
            }
            let adding = Adding::default();
            master::import(&call(store, settings, login, "zone:import", &adding), options).await
        }
        Action::Sign(options) => {
            // New private keys are encrypted as passwords are.
            ngn_ngnpro::passwords::open(store, &settings.passwords).await?;
            keys::sign(store, options, login).await
        }
        Action::Roll(options) => {
            ngn_ngnpro::passwords::open(store, &settings.passwords).await?;
            keys::roll(store, options, login).await
        }
        Action::Unsign(options) => keys::unsign(store, options, login).await,
        Action::Keys(options) => keys::show(store, options).await,
    }
}

/// What is done in the name of the administrator.
fn call<'a>(
    store: &'a Store,
    settings: &'a Config,
    login: &str,
    operation: &str,
    adding: &'a Adding,
) -> Call<'a> {
    Call {
        store,
        settings: &settings.provisioning,
        principal: Principal::administrator(login),
        actor: Actor {
            login: login.to_owned(),
            impersonated: None,
            source: "ngn".to_owned(),
            operation: operation.to_owned(),
        },
        adding,
    }
}

/// The name of a zone as somebody types it.
fn named(zone: &str) -> anyhow::Result<DomainName> {
    let zone = zone.strip_suffix('.').unwrap_or(zone).to_ascii_lowercase();
    DomainName::new(&zone).with_context(|| format!("`{zone}` is no name of a zone"))
}
