//! `ngn zone aliases`: mail forwardings (B125) as Postfix reads them (virtual(5)).

use super::master::replace;
use crate::{complain, say};
use anyhow::anyhow;
use ngn_model::Entity;
use ngn_store::{FancyRecord, Store};
use std::path::PathBuf;

/// Where the table goes.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The file, replaced as a whole, and only when the table is another one; standard output without it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Stays, and writes the file whenever a forwarding changes.
    #[arg(long, requires = "out")]
    watch: bool,
    /// Names each domain in a line of its own, for virtual_alias_domains.
    #[arg(long)]
    domains: bool,
}

/// Writes the table.
pub(super) async fn run(store: &Store, options: Options) -> anyhow::Result<()> {
    // From before the first look on, so that no change is missed.
    let mut follower = if options.watch { Some(store.follow().await?) } else { None };
    loop {
        let records = store.fancy_records("MBOXFW").await?;
        let (table, odd) = table(&records, options.domains);
        for record in &odd {
            complain(&anyhow!(
                "left out, since Postfix might read something else: forwarding {} of {}",
                record.id,
                record.zone
            ));
        }
        match &options.out {
            None => say(table.trim_end()),
            // A file that cannot be read is written anew.
            Some(file) if std::fs::read_to_string(file).is_ok_and(|old| old == table) => {}
            Some(file) => {
                replace(file, &table)?;
                say(&format!("{} is written anew", file.display()));
            }
        }
        let Some(follower) = &mut follower else { return Ok(()) };
        loop {
            let rows = follower.next().await?;
            if rows.iter().any(|row| matches!(row.entity, Entity::DnsRecord | Entity::DnsZone)) {
                break;
            }
        }
    }
}

/// The table, and the records that are not in it. The records come in the order of their names.
fn table(records: &[FancyRecord], domains: bool) -> (String, Vec<&FancyRecord>) {
    let (good, odd): (Vec<&FancyRecord>, Vec<&FancyRecord>) =
        records.iter().partition(|record| is_plain(&record.name) && is_plain(&record.value));
    let mut text =
        "# Mail forwardings, written by `ngn zone aliases`; changes are lost.\n".to_owned();
    if domains {
        let mut names: Vec<&str> =
            good.iter().filter_map(|record| Some(record.name.rsplit_once('@')?.1)).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            text.push_str(&format!("{name} forwarded\n"));
        }
    }
    for group in good.chunk_by(|a, b| a.name == b.name) {
        let Some(first) = group.first() else { continue };
        let mut targets: Vec<&str> = Vec::new();
        for record in group {
            if !targets.contains(&record.value.as_str()) {
                targets.push(&record.value);
            }
        }
        text.push_str(&format!("{} {}\n", first.name, targets.join(", ")));
    }
    (text, odd)
}

/// Whether an address is one for Postfix too: a dot-atom (RFC 5321 section 4.1.2), no comment, command or file.
fn is_plain(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let atom = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c);
    !local.is_empty()
        && local.chars().all(atom)
        && !local.starts_with(['#', '|', '/', '-'])
        && !domain.is_empty()
        && domain.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: i64, name: &str, value: &str) -> FancyRecord {
        let zone = "a.example".to_owned();
        FancyRecord { id, zone, name: name.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn b125_a_table_as_postfix_reads_it() {
        let records = [
            record(1, "a@a.example", "x@b.example"),
            record(4, "a@a.example", "y@b.example"),
            record(5, "a@a.example", "x@b.example"),
            record(2, "b+c@sub.a.example", "z@b.example"),
            record(3, "c@a.example", "|/bin/sh@b.example"),
            record(6, "#d@a.example", "x@b.example"),
            record(7, "e@a.example", "x,root@b.example"),
            record(8, "\"f\"@a.example", "x@b.example"),
        ];
        let (text, odd) = table(&records, false);
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(
            lines,
            ["a@a.example x@b.example, y@b.example", "b+c@sub.a.example z@b.example"]
        );
        assert_eq!(odd.iter().map(|record| record.id).collect::<Vec<_>>(), [3, 6, 7, 8]);
        let (text, _) = table(&records, true);
        let lines: Vec<&str> = text.lines().skip(1).take(2).collect();
        assert_eq!(lines, ["a.example forwarded", "sub.a.example forwarded"]);
    }
}
