//! Zones as master files: `export`, `import`.

use super::named;
use crate::complain;
use crate::say;
use anyhow::{Context as _, anyhow, bail, ensure};
use ngn_dns::master::{self, Contents, Mistake};
use ngn_dns::name::Name;
use ngn_dns::rdata::RecordType;
use ngn_model::DomainName;
use ngn_ngnpro::ops::Call;
use ngn_ngnpro::ops::zone_file::{Existing, Imported, NotImported, Wanted};
use ngn_store::Store;
use std::io::{Read as _, Write as _};
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

/// The most octets of a file.
const MOST_OCTETS: u64 = 256 << 20;

/// Which file is to be read, and what becomes of a zone that exists.
#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// The file; - for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The zone, which relative names are completed with until the file has a $ORIGIN; without it the SOA record names it.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// The customer who gets the zone when it is new.
    #[arg(long, value_name = "ID")]
    customer: Option<i64>,
    /// The reseller who gets the zone when it is new; without it the customer's.
    #[arg(long, value_name = "ID")]
    reseller: Option<i64>,
    /// Makes a zone that exists what the file says; web redirects and mail forwardings stay.
    #[arg(long, conflicts_with = "merge")]
    replace: bool,
    /// Adds to a zone that exists what it does not have.
    #[arg(long)]
    merge: bool,
    /// Says what would happen, and writes nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Reads a zone.
pub(super) async fn import(call: &Call<'_>, options: Import) -> anyhow::Result<()> {
    let text = text(&options.file)?;
    let named = options.zone.as_deref().map(named).transpose()?;
    let origin = named.as_ref().map(Name::from);
    let Contents { entries, doubts } =
        master::read(&text, origin.as_ref()).map_err(|found| wrong(&options.file, &found))?;
    tell(&options.file, &doubts);
    let zone = match named {
        Some(zone) => zone,
        None => {
            let soa = entries.iter().find(|entry| entry.kind == RecordType::SOA);
            let soa = soa.context("the file has no SOA record; name the zone with --zone")?;
            let name = soa.owner.to_string();
            DomainName::new(&name).with_context(|| format!("`{name}` is no name of a zone"))?
        }
    };
    let wanted = Wanted {
        zone,
        entries,
        existing: match (options.replace, options.merge) {
            (true, _) => Existing::Replace,
            (false, true) => Existing::Merge,
            (false, false) => Existing::Refuse,
        },
        customer: options.customer,
        reseller: options.reseller,
        dry_run: options.dry_run,
    };
    let (done, position) = match ngn_ngnpro::ops::zone_file::import(call, &wanted).await {
        Ok(done) => done,
        Err(NotImported::Wrong(found)) => return Err(wrong(&options.file, &found)),
        Err(error) => return Err(anyhow::Error::new(error).context("nothing was written")),
    };
    done.notes.iter().for_each(|note| say(&format!("note: {note}")));
    say(&summary(&wanted, &done));
    match position {
        Some(position) => {
            say(&format!("as change {position}; `ngn undo {position} --whole` takes it back"))
        }
        None if wanted.dry_run => say("nothing was written"),
        None => {}
    }
    Ok(())
}

/// Adds the records of a file to a zone; tells how many were added.
pub(super) async fn merge(call: &Call<'_>, zone: &DomainName, text: &str) -> anyhow::Result<usize> {
    let read = master::read(text, Some(&Name::from(zone)));
    let Contents { entries, .. } = read.map_err(|found| {
        anyhow!("{}", found.first().map(ToString::to_string).unwrap_or_default())
    })?;
    let wanted = Wanted {
        zone: zone.clone(),
        entries,
        existing: Existing::Merge,
        customer: None,
        reseller: None,
        dry_run: false,
    };
    let done = ngn_ngnpro::ops::zone_file::import(call, &wanted).await;
    let (done, _) = done.with_context(|| format!("nothing was added to {zone}"))?;
    Ok(done.added)
}

fn summary(wanted: &Wanted, done: &Imported) -> String {
    let Imported { created, attributes, added, changed, removed, left, .. } = done;
    let zone = match (created, attributes) {
        (true, _) => "new",
        (false, true) => "with another SOA or other name servers",
        (false, false) => "with the SOA and name servers that it had",
    };
    format!(
        "{} ({zone}): {added} records added, {changed} changed, {removed} removed, {left} as they were",
        wanted.zone
    )
}

/// Says what is wrong, a line each, and that nothing was written.
fn wrong(file: &Path, found: &[Mistake]) -> anyhow::Error {
    tell(file, found);
    let more = if found.len() >= master::MOST_MISTAKES { " or more" } else { "" };
    anyhow!("{} mistakes{more}; nothing was written", found.len())
}

fn tell(file: &Path, found: &[Mistake]) {
    for mistake in found {
        complain(&anyhow!("{}: {mistake}", file.display()));
    }
}

/// What a file holds, or standard input.
fn text(file: &Path) -> anyhow::Result<String> {
    let mut octets = Vec::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().lock().take(MOST_OCTETS + 1).read_to_end(&mut octets)
    } else {
        std::fs::File::open(file)
            .and_then(|open| open.take(MOST_OCTETS + 1).read_to_end(&mut octets))
    };
    read.with_context(|| format!("cannot read {}", file.display()))?;
    ensure!(
        u64::try_from(octets.len()).is_ok_and(|length| length <= MOST_OCTETS),
        "{} has more than {MOST_OCTETS} octets",
        file.display()
    );
    match String::from_utf8(octets) {
        Ok(text) => Ok(text),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let before = error.as_bytes().get(..good).unwrap_or_default();
            let line = before.iter().filter(|octet| **octet == b'\n').count() + 1;
            bail!(
                "{}: line {line}: is no UTF-8; write octets beyond ASCII as \\ and three digits",
                file.display()
            )
        }
    }
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
