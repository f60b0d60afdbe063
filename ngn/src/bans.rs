//! `ngn bans`: whom a running sipd keeps out.

use crate::admin::{self, What};
use crate::say;
use crate::table::{shown, span, table};
use anyhow::Context as _;
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};

/// What is asked for.
const WHAT: What = What { path: "/bans", does: "lists bans" };

/// Which bans, and how they are shown.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    lift: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Lets a source or an account in again, as if nothing had happened.
    Lift(Lift),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Bans of this address.
    #[arg(long, value_name = "ADDRESS")]
    address: Option<IpAddr>,
    /// Bans of this account, such as alice@example.net.
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "address")]
    account: Option<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, clap::Args)]
struct Lift {
    /// The address, or the account as `ngn bans` shows it.
    #[arg(value_name = "WHO")]
    who: String,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, clap::Args)]
struct Output {
    /// One JSON object for each ban, in a line of its own.
    #[arg(long)]
    json: bool,
    /// The admin port of sipd or of `ngn up`; without it 127.0.0.1:9281 (sipd) and then 127.0.0.1:9280 (`ngn up`).
    #[arg(long, value_name = "ADDRESS", env = "NGN_ADMIN")]
    admin: Option<SocketAddr>,
}

/// Asks and prints.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    match options.lift {
        Some(Command::Lift(lift)) => lift_ban(lift).await,
        None => list(options.list).await,
    }
}

async fn list(options: List) -> anyhow::Result<()> {
    let mut given = Vec::new();
    given.extend(options.address.map(|address| ("address", address.to_string())));
    given.extend(options.account.map(|account| ("account", account)));
    let server = admin::find(options.output.admin, &WHAT).await?;
    let (mut found, mut after) = (Vec::new(), None);
    let node = loop {
        let mut parameters = given.clone();
        parameters.extend(after.take().map(|after: String| ("after", after)));
        let target = admin::target(WHAT.path, &parameters);
        let page = read(&admin::ask(Some(server), &WHAT, &target).await?)?;
        found.extend(bans(&page, "bans")?.iter().cloned());
        after = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if after.is_none() {
            break page.get("node").and_then(Value::as_str).unwrap_or_default().to_owned();
        }
    };
    if options.output.json {
        found.iter().for_each(|ban| say(&ban.to_string()));
    } else {
        say(&text(&found, &format!("{} bans on {}", found.len(), shown(&node))));
    }
    Ok(())
}

async fn lift_ban(options: Lift) -> anyhow::Result<()> {
    let Lift { who, output } = options;
    // Sources of IPv6 are shown as a network.
    let address = who.strip_suffix("/64").unwrap_or(&who).parse::<IpAddr>();
    let named = match address {
        Ok(address) => ("address", address.to_string()),
        Err(_) => ("account", who.clone()),
    };
    let server = admin::find(output.admin, &WHAT).await?;
    let target = admin::target(WHAT.path, &[named]);
    let answer = read(&admin::delete(server, &WHAT, &target).await?)?;
    let lifted = bans(&answer, "lifted")?;
    if lifted.is_empty() {
        anyhow::bail!("{who} is not kept out; `ngn bans` lists who is");
    }
    if output.json {
        lifted.iter().for_each(|ban| say(&ban.to_string()));
    } else {
        say(&text(lifted, "lifted"));
    }
    Ok(())
}

fn read(answer: &str) -> anyhow::Result<Value> {
    serde_json::from_str(answer).context("the answer is no list of bans")
}

fn bans<'a>(answer: &'a Value, of: &str) -> anyhow::Result<&'a Vec<Value>> {
    answer.get(of).and_then(Value::as_array).context("the answer has no bans")
}

fn text(bans: &[Value], end: &str) -> String {
    let row = |ban: &Value| {
        let of = |name: &str| shown(ban.get(name).and_then(Value::as_str).unwrap_or_default());
        let seconds = ban.get("seconds").and_then(Value::as_i64).unwrap_or(0);
        vec![of("who"), of("why"), span(seconds.saturating_mul(1000))]
    };
    let rows: Vec<Vec<String>> = bans.iter().map(row).collect();
    format!("{}{end}", table(&["WHO", "WHY", "FOR"], &rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bans_are_shown_in_columns() {
        let ban = |who: &str, why: &str| serde_json::json!({"who": who, "why": why, "seconds": 63});
        let text =
            text(&[ban("192.0.2.1", "wrong passwords"), ban("a\u{1b}@x", "guarded")], "2 bans");
        assert!(text.contains("192.0.2.1  wrong passwords  1m03s\n"), "{text}");
        assert!(text.contains("a?@x       guarded          1m03s\n"), "{text}");
        assert!(text.ends_with("2 bans"), "{text}");
    }
}
