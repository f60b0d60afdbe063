//! `ngn check-config`: reads the daemons' configuration files as they would, and starts nothing.

use crate::say;
use anyhow::Context as _;
use ngn_daemon::Daemon;
use ngn_enumd::Enumd;
use ngn_ngnpro::Ngnpro;
use ngn_sipd::Sipd;
use std::path::{Path, PathBuf};

/// Reads a file as a daemon would.
type Check = fn(&Path) -> anyhow::Result<()>;

/// Every daemon with its check.
const DAEMONS: [(&str, Check); 3] =
    [(Ngnpro::NAME, check::<Ngnpro>), (Sipd::NAME, check::<Sipd>), (Enumd::NAME, check::<Enumd>)];

/// What to check.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The files; each is named after its daemon, such as etc/sipd.toml.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// Checks every file, also after a bad one.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let mut bad = 0_usize;
    for file in &options.files {
        match daemon(file).and_then(|check| check(file)) {
            Ok(()) => say(&format!("{}: ok", file.display())),
            Err(error) => {
                bad += 1;
                say(&format!("{}: {error:#}", file.display()));
            }
        }
    }
    anyhow::ensure!(bad == 0, "{bad} of {} files cannot be used", options.files.len());
    Ok(())
}

fn check<D: Daemon>(path: &Path) -> anyhow::Result<()> {
    ngn_daemon::settings::<D>(Some(path)).map(drop)
}

fn daemon(file: &Path) -> anyhow::Result<Check> {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let names: Vec<String> = DAEMONS.iter().map(|(name, _)| format!("{name}.toml")).collect();
    let found = DAEMONS.iter().find(|(name, _)| *name == stem);
    found.map(|(_, check)| *check).with_context(|| {
        format!("no daemon has a file of this name; the files are {}", names.join(", "))
    })
}
