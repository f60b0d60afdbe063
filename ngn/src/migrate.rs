//! `ngn migrate`: brings a database to the schema that this program needs.

use crate::say;
use anyhow::Context as _;
use ngn_store::Store;

/// What to migrate.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The database, `sqlite:PATH` or `mysql://user:password@host:port/name`.
    #[arg(long, value_name = "URL", env = "NGN_DATABASE", hide_env_values = true)]
    database: String,
    /// Says whether the schema fits, and changes nothing.
    #[arg(long)]
    check: bool,
}

/// Does it.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let store = Store::open(&options.database).await.context("cannot open the database")?;
    if options.check {
        store.check_schema().await.context("run `ngn migrate` without --check")?;
        say("ok: the schema fits this program");
    } else {
        let report = store.migrate().await.context("cannot migrate the database")?;
        say(&format!("ok: {report:?}"));
    }
    store.close().await;
    Ok(())
}
