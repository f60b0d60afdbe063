//! Zones as master files: `export`, `import`.

use super::named;
use crate::complain;
use anyhow::{Context as _, anyhow};
use ngn_dns::master;
use ngn_store::Store;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Which zone is to be written, and where to.
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// The zone; that of an ENUM range too.
    #[arg(value_name = "ZONE")]
    zone: String,
    /// The file, which is replaced as a whole; standard output without it.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Writes a zone.
pub(super) async fn export(store: &Store, options: Export) -> anyhow::Result<()> {
    let zone = named(&options.zone)?;
    let rows = store.zone(&zone).await?;
    let rows = rows.ok_or_else(|| anyhow!("there is no zone {zone}; `ngn zone list` lists all"))?;
    let (text, bad) = master::file(&rows);
    for record in &bad {
        complain(&anyhow!("left out, as DNS servers leave it out: {record}"));
    }
    match &options.file {
        Some(file) if file.as_os_str() != "-" => replace(file, &text),
        _ => Ok(std::io::stdout().lock().write_all(text.as_bytes())?),
    }
}

/// Writes a file as a whole or not at all: whoever reads it meanwhile reads the old one.
pub(super) fn replace(file: &Path, text: &str) -> anyhow::Result<()> {
    let mut name = file.file_name().context("the file has no name")?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = file.with_file_name(name);
    let written = std::fs::File::create(&beside).and_then(|mut new| {
        new.write_all(text.as_bytes())?;
        new.sync_all()?;
        std::fs::rename(&beside, file)
    });
    if written.is_err() {
        // What is left of it helps nobody; the error that counts is the first one.
        let _ = std::fs::remove_file(&beside);
    }
    written.with_context(|| format!("cannot write {}", file.display()))
}
