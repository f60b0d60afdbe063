//! `ngn emergency`: where calls to emergency numbers go (B165).

mod check;

use crate::database::Source;
use crate::say;
use anyhow::{Context as _, bail, ensure};
use ngn_model::journal::Entity;
use ngn_model::{DomainName, EmergencyMapping, Position};
use ngn_routing::EmergencyTable;
use ngn_sip::uri::Uri;
use ngn_store::{Actor, Store, StoreError, Tx};
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::PathBuf;

/// The most rows of a file.
const MOST: usize = 100_000;

/// What to do.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    source: Source,
    #[command(subcommand)]
    action: Action,
    /// Who does it, for the journal.
    #[arg(long, value_name = "NAME", default_value = "operator", env = "USER", global = true)]
    login: String,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Adds a row, or changes where the calls of one go that is there already.
    Add(Add),
    /// Lists all rows.
    List {
        /// One JSON object on each line.
        #[arg(long)]
        json: bool,
    },
    /// Removes rows by their ids.
    Delete {
        /// The ids, as `list` shows them.
        #[arg(value_name = "ID", required = true)]
        ids: Vec<i64>,
    },
    /// Adds the rows of a file, all of them or none: number,domain,region,target on each line; # begins a comment.
    Import {
        /// The file; - for standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Removes all rows that the file does not name.
        #[arg(long)]
        replace: bool,
    },
    /// Proves that every account reaches somebody under every emergency number; lists account, number and reason of each
    /// call that does not, and fails then. With a number it says which rows a call goes by.
    Check {
        /// The number that is called, for one call instead of all.
        #[arg(value_name = "NUMBER")]
        number: Option<String>,
        /// Checks the rows of the table and no accounts.
        #[arg(long, conflicts_with = "number")]
        table: bool,
        /// Configuration file of sipd, for the emergency numbers and the number plan; without it DATA/sipd.toml if there
        /// is one.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// The domain of the caller's account.
        #[arg(long, value_name = "DOMAIN", default_value = "")]
        domain: String,
        /// The region of the caller's account.
        #[arg(long, value_name = "REGION", default_value = "")]
        region: String,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// The number that is dialled, such as 112.
    #[arg(value_name = "NUMBER")]
    number: String,
    /// Where its calls go, such as sip:112@psap.example.net.
    #[arg(value_name = "URI")]
    target: String,
    /// Only for callers of this domain.
    #[arg(long, value_name = "DOMAIN", default_value = "")]
    domain: String,
    /// Only for callers of this region.
    #[arg(long, value_name = "REGION", default_value = "")]
    region: String,
}

/// Does it.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let store = options.source.open().await?;
    let login: String = options.login.chars().take(255).collect();
    let done = act(&store, options.action, &options.source, &login).await;
    store.close().await;
    done
}

async fn act(store: &Store, action: Action, source: &Source, login: &str) -> anyhow::Result<()> {
    match action {
        Action::Add(add) => {
            let row = checked(&add.number, &add.domain, &add.region, &add.target)?;
            let (counts, _) = change(store, login, "emergency:add", vec![row], false).await?;
            say(&counts.to_string());
        }
        Action::List { json } => {
            for row in rows(store).await? {
                let line = if json { snapshot(&row).to_string() } else { shown(&row) };
                say(&line);
            }
        }
        Action::Delete { ids } => {
            delete(store, login, &ids).await?;
            say(&format!("{} removed", ids.len()));
        }
        Action::Import { file, replace } => {
            let rows = parse(&read(&file)?)?;
            let (counts, _) = change(store, login, "emergency:import", rows, replace).await?;
            say(&counts.to_string());
        }
        Action::Check { number, domain, region, table, config } => {
            let rows = rows(store).await?;
            for row in &rows {
                let found = checked(&row.number, &row.domain, &row.region, &row.target);
                found.with_context(|| format!("row {} is not used well", row.id))?;
            }
            match number {
                None => {
                    say(&format!("{} rows, all of them well", rows.len()));
                    if !table {
                        let config = source.sipd(config.as_deref())?;
                        accounts(&check::every_account(store, &config).await?)?;
                    }
                }
                Some(number) => say(&chosen(rows, &number, &domain, &region)?),
            }
        }
    }
    Ok(())
}

/// Says what came of checking every account.
fn accounts(outcome: &check::Outcome) -> anyhow::Result<()> {
    let check::Outcome { accounts, numbers, unreached } = outcome;
    let numbers = numbers.join(", ");
    ensure!(
        *unreached == 0,
        "{unreached} emergency calls reach nobody, of {accounts} accounts under {numbers}"
    );
    say(&format!("{accounts} accounts, each of which reaches somebody under {numbers}"));
    Ok(())
}

/// Where a call goes, by the rule that servers use.
fn chosen(
    rows: Vec<EmergencyMapping>,
    number: &str,
    domain: &str,
    region: &str,
) -> anyhow::Result<String> {
    let table = EmergencyTable::new([], rows);
    let fitting = table.rows(number, &domain.to_ascii_lowercase(), region);
    let Some(first) = fitting.first() else {
        bail!("no row is for {number} with that domain and region")
    };
    let others: String =
        fitting.iter().skip(1).map(|row| format!("\nthen {}", shown(row))).collect();
    Ok(format!("{}{others}", shown(first)))
}

fn shown(row: &EmergencyMapping) -> String {
    let any = |text: &str| if text.is_empty() { "*".to_owned() } else { text.to_owned() };
    let (domain, region) = (any(&row.domain), any(&row.region));
    format!("{}\t{}\t{domain}\t{region}\t{}", row.id, row.number, row.target)
}

fn snapshot(row: &EmergencyMapping) -> Value {
    json!({
        "id": row.id,
        "number": row.number,
        "domain": row.domain,
        "region": row.region,
        "target": row.target,
    })
}

/// A row that makes sense; its id is not known yet.
fn checked(
    number: &str,
    domain: &str,
    region: &str,
    target: &str,
) -> anyhow::Result<EmergencyMapping> {
    let is_dialled = |b: u8| b.is_ascii_digit() || b"+*#".contains(&b);
    ensure!(
        (1..=64).contains(&number.len()) && number.bytes().all(is_dialled),
        "`{number}` cannot be dialled"
    );
    let domain = if domain.is_empty() {
        String::new()
    } else {
        let name = DomainName::new(domain);
        name.with_context(|| format!("`{domain}` is no domain"))?.as_str().to_owned()
    };
    ensure!(domain.len() <= 64, "the domain is longer than 64 characters");
    ensure!(region.chars().count() <= 32, "the region is longer than 32 characters");
    ensure!(target.len() <= 128, "the target is longer than 128 characters");
    let uri = Uri::parse(target).with_context(|| format!("`{target}` is no URI"))?;
    let has_host = uri.is_sip() && !uri.host_text().is_empty();
    ensure!(has_host, "`{target}` is no SIP URI; write sip:user@host");
    Ok(EmergencyMapping {
        id: 0,
        number: number.to_owned(),
        domain,
        region: region.to_owned(),
        target: target.to_owned(),
    })
}

fn read(file: &std::path::Path) -> anyhow::Result<String> {
    if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The rows of a file.
fn parse(text: &str) -> anyhow::Result<Vec<EmergencyMapping>> {
    let mut rows: Vec<EmergencyMapping> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let at = || format!("line {}", index + 1);
        let fields: Vec<&str> = line.splitn(4, ',').map(str::trim).collect();
        let [number, domain, region, target] = fields.as_slice() else {
            bail!("{}: is not number,domain,region,target", at())
        };
        let row = checked(number, domain, region, target).with_context(at)?;
        ensure!(!rows.iter().any(|other| same(other, &row)), "{}: stands there twice", at());
        rows.push(row);
        ensure!(rows.len() <= MOST, "more than {MOST} rows");
    }
    Ok(rows)
}

/// Whether two rows are for the same calls.
fn same(a: &EmergencyMapping, b: &EmergencyMapping) -> bool {
    (&a.number, &a.domain, &a.region) == (&b.number, &b.domain, &b.region)
}

async fn rows(store: &Store) -> anyhow::Result<Vec<EmergencyMapping>> {
    let found: Result<_, StoreError> =
        store.read(|tx| Box::pin(async move { tx.list_emergency().await })).await;
    Ok(found?)
}

/// How many rows were touched.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    added: usize,
    changed: usize,
    removed: usize,
    left: usize,
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { added, changed, removed, left } = self;
        write!(f, "{added} added, {changed} changed, {removed} removed, {left} as they were")
    }
}

fn actor(login: &str, operation: &str) -> Actor {
    Actor {
        login: login.to_owned(),
        impersonated: None,
        source: "ngn".to_owned(),
        operation: operation.to_owned(),
    }
}

/// Makes the table hold these rows, and with `replace` no others.
async fn change(
    store: &Store,
    login: &str,
    operation: &str,
    wanted: Vec<EmergencyMapping>,
    replace: bool,
) -> anyhow::Result<(Counts, Option<Position>)> {
    let wanted = &wanted;
    let actor = actor(login, operation);
    let work = store.write(&actor, |tx| {
        Box::pin(async move {
            let mut counts = Counts::default();
            let before = tx.list_emergency().await?;
            for row in wanted {
                match before.iter().find(|old| same(old, row)) {
                    Some(old) if old.target == row.target => counts.left += 1,
                    Some(old) => {
                        let new = EmergencyMapping { id: old.id, ..row.clone() };
                        tx.update_emergency(old.id, &row.target).await?;
                        note(tx, Some(old), Some(&new));
                        counts.changed += 1;
                    }
                    None => {
                        let id = tx.insert_emergency(row).await?;
                        note(tx, None, Some(&EmergencyMapping { id, ..row.clone() }));
                        counts.added += 1;
                    }
                }
            }
            for old in before.iter().filter(|_| replace) {
                if !wanted.iter().any(|row| same(old, row)) {
                    tx.delete_emergency(old.id).await?;
                    note(tx, Some(old), None);
                    counts.removed += 1;
                }
            }
            Ok::<_, StoreError>(counts)
        })
    });
    Ok(work.await?)
}

/// Maps an emergency number, as it is dialled in a domain, to a target. Gives the position of the change, if there was any.
pub(crate) async fn map(
    store: &Store,
    login: &str,
    (number, domain): (&str, &str),
    target: &str,
) -> anyhow::Result<Option<Position>> {
    let row = checked(number, domain, "", target)?;
    Ok(change(store, login, "emergency:add", vec![row], false).await?.1)
}

async fn delete(store: &Store, login: &str, ids: &[i64]) -> anyhow::Result<()> {
    let actor = actor(login, "emergency:delete");
    let work = store.write(&actor, |tx| {
        Box::pin(async move {
            let before = tx.list_emergency().await?;
            let missing = ids.iter().find(|id| !before.iter().any(|row| row.id == **id));
            if let Some(id) = missing {
                return Ok::<_, StoreError>(Some(*id));
            }
            for old in before.iter().filter(|row| ids.contains(&row.id)) {
                tx.delete_emergency(old.id).await?;
                note(tx, Some(old), None);
            }
            Ok(None)
        })
    });
    match work.await?.0 {
        Some(id) => bail!("there is no row {id}; nothing was removed"),
        None => Ok(()),
    }
}

fn note(tx: &mut Tx<'_>, old: Option<&EmergencyMapping>, new: Option<&EmergencyMapping>) {
    let Some(id) = old.or(new).map(|row| row.id) else { return };
    tx.journal(Entity::Emergency, id, None, old.map(snapshot), new.map(snapshot));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_line_by_line() {
        let text = "# emergency\n112,,,sip:112@psap.example\n\n 110 , Example.DE, berlin ,sip:1,10@p.example;a=b # x\n";
        let rows = parse(text).expect("rows");
        let [first, second] = rows.as_slice() else { panic!("two rows, not {}", rows.len()) };
        assert_eq!((first.number.as_str(), first.target.as_str()), ("112", "sip:112@psap.example"));
        assert_eq!((second.domain.as_str(), second.region.as_str()), ("example.de", "berlin"));
        for (bad, said) in [
            ("112,,sip:a@b", "line 1"),
            ("\nabc,,,sip:a@b.example", "line 2"),
            ("112,,,tel:+49", "line 1"),
            ("112,no domain,,sip:a@b.example", "line 1"),
            ("112,,,sip:a@b.example\n112,,,sip:c@b.example", "line 2: stands there twice"),
        ] {
            let error = parse(bad).expect_err(bad);
            assert!(format!("{error:#}").contains(said), "{error:#}");
        }
    }

    #[test]
    fn b165_the_row_that_is_chosen() {
        let text = "112,,,sip:any@p.example\n112,a.example,,sip:domain@p.example\n112,,vienna,sip:region@p.example";
        let chosen = |domain, region| {
            let shown = chosen(parse(text).expect("rows"), "112", domain, region).expect("a row");
            let first = shown.lines().next().unwrap_or_default().to_owned();
            first.split("sip:").nth(1).and_then(|rest| rest.split('@').next().map(str::to_owned))
        };
        assert_eq!(chosen("A.example", "vienna").as_deref(), Some("domain"));
        assert_eq!(chosen("", "vienna").as_deref(), Some("region"));
        assert_eq!(chosen("", "").as_deref(), Some("any"));
    }
}
