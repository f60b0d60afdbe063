//! `ngn undo`: takes a change of the journal back.

use crate::database::Source;
use crate::say;
use ngn_daemon::Daemon as _;
use ngn_model::Position;
use ngn_ngnpro::Ngnpro;
use ngn_ngnpro::ops::Call;
use ngn_ngnpro::ops::sip_accounts::Adding;
use ngn_ngnpro::principal::Principal;
use ngn_ngnpro::undo::{Wanted, undo, undo_whole};
use ngn_store::Actor;
use std::path::PathBuf;

/// Which change to take back, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    source: Source,
    /// The configuration file of an ngnpro that runs by itself, instead of --data and --database.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "database"])]
    config: Option<PathBuf>,
    /// The position, as `ngn journal` and the X-Journal-Position header tell it.
    #[arg(value_name = "POSITION")]
    position: u64,
    /// Goes on when something cannot come back, such as a password that the journal does not hold.
    #[arg(long)]
    partial: bool,
    /// Takes back all that the same request changed, such as the import of a zone.
    #[arg(long)]
    whole: bool,
    /// Says what would happen, and changes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Who takes it back, for the journal.
    #[arg(long, value_name = "NAME", default_value = "operator", env = "USER")]
    login: String,
}

/// Takes it back.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let data = &options.source.data;
    let (store, config) = match &options.config {
        Some(path) => {
            let config = ngn_daemon::settings::<Ngnpro>(Some(path))?;
            (Source::open_at(&config.database).await?, config)
        }
        None => {
            let file = data.join(format!("{}.toml", Ngnpro::NAME));
            let mut config =
                ngn_daemon::settings::<Ngnpro>(file.exists().then_some(file.as_path()))?;
            config.passwords.key_file = data.join("password-key");
            (options.source.open().await?, config)
        }
    };
    // Records are read whole, with their passwords; a key that nothing needs is not made here.
    if config.passwords.key_file.exists() || store.has_sealed_passwords().await? {
        ngn_ngnpro::passwords::open(&store, &config.passwords).await?;
    }
    let login: String = options.login.chars().take(255).collect();
    let call = Call {
        store: &store,
        settings: &config.provisioning,
        principal: Principal::administrator(&login),
        actor: Actor {
            login: login.clone(),
            impersonated: None,
            source: "ngn".to_owned(),
            operation: format!("undo:{}", options.position),
        },
        adding: &Adding::default(),
    };
    let wanted = Wanted {
        position: Position(options.position),
        partial: options.partial,
        dry_run: options.dry_run,
    };
    let outcome = match options.whole {
        true => undo_whole(&call, wanted).await,
        false => undo(&call, wanted).await,
    };
    store.close().await;
    let undone = match outcome {
        Ok(undone) => undone,
        Err(error) => return Err(anyhow::Error::new(error).context("nothing was changed")),
    };
    let row = &undone.row;
    let by = format!("{} by {}", row.operation, row.login);
    match undone.position {
        Some(position) => {
            say(&format!(
                "took back {} ({by}, {} {}) as change {position}",
                row.position, row.entity, row.key
            ));
        }
        None => say(&format!(
            "would take back {} ({by}, {} {}); nothing was changed",
            row.position, row.entity, row.key
        )),
    }
    for loss in &undone.losses {
        say(&format!("not as before: {loss}"));
    }
    for entry in &undone.entries {
        let what = match (&entry.before, &entry.after) {
            (None, Some(_)) => "added",
            (Some(_), None) => "removed",
            (Some(_), Some(_)) => "changed",
            (None, None) => continue,
        };
        say(&format!("{what}: {} {}", entry.entity.as_str(), entry.key));
    }
    for other in &undone.beside {
        say(&format!(
            "the same request also changed {} {}; `ngn undo {}` takes that back",
            other.entity, other.key, other.position
        ));
    }
    Ok(())
}
