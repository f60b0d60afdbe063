//! `ngn registrations`: the registered phones of a running sipd, or those in the database.

use crate::admin::{self, What};
use crate::say;
use crate::table::{shown, span, table};
use anyhow::Context as _;
use ngn_daemon::wall_clock;
use ngn_sipd::show::{BindingFilter, Registration};
use ngn_store::Store;
use serde_json::Value;
use std::net::SocketAddr;

/// What is asked for.
const WHAT: What = What { path: "/registrations", does: "lists registrations" };
/// The same, counted.
const COUNTS: What = What { path: "/registrations/domains", does: "counts registrations" };
/// How many rows of the database are read at once.
const PAGE: u32 = 1_000;

/// Which registrations, and how they are shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Those of this account, user@domain, or of a user in any domain.
    #[arg(long, value_name = "ADDRESS")]
    account: Option<String>,
    /// Those of this domain.
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// Those that came from an address (192.0.2.7), address and port (192.0.2.7:5060) or network (192.0.2.0/24).
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    /// How many there are in each domain, instead of the registrations.
    #[arg(long, conflicts_with_all = ["account", "domain", "address", "database"])]
    count: bool,
    /// One JSON object for each registration, in a line of its own.
    #[arg(long)]
    json: bool,
    /// What stands in this database (sqlite:PATH or mysql://…) instead of what a server holds in memory.
    #[arg(long, value_name = "URL", conflicts_with = "admin")]
    database: Option<String>,
    /// The admin port of sipd or of `ngn up`; without it 127.0.0.1:9281 (sipd) and then 127.0.0.1:9280 (`ngn up`).
    #[arg(long, value_name = "ADDRESS", env = "NGN_ADMIN")]
    admin: Option<SocketAddr>,
}

/// Asks and prints.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    if options.count {
        return count(options.admin, options.json).await;
    }
    let found = match &options.database {
        Some(url) => from_database(url, &options).await?,
        None => from_server(&options).await?,
    };
    if !options.json {
        say(&format!("{found} registrations"));
    }
    Ok(())
}

async fn from_server(options: &Options) -> anyhow::Result<usize> {
    let mut given = Vec::new();
    let mut add = |name, value: &Option<String>| {
        given.extend(value.clone().map(|value: String| (name, value)));
    };
    add("account", &options.account);
    add("domain", &options.domain);
    add("address", &options.address);
    let server = admin::find(options.admin, &WHAT).await?;
    let (mut found, mut after) = (0, None);
    loop {
        let mut parameters = given.clone();
        parameters.extend(after.take().map(|after: String| ("after", after)));
        let answer =
            admin::ask(Some(server), &WHAT, &admin::target(WHAT.path, &parameters)).await?;
        let mut page: Value =
            serde_json::from_str(&answer).context("the answer is no list of registrations")?;
        let list = page.get_mut("registrations").map(Value::take);
        let list: Vec<Registration> =
            serde_json::from_value(list.context("the answer has no registrations")?)?;
        show(&list, options.json, found == 0)?;
        found += list.len();
        after = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if after.is_none() {
            return Ok(found);
        }
    }
}

async fn from_database(url: &str, options: &Options) -> anyhow::Result<usize> {
    let (account, domain) = (options.account.as_deref(), options.domain.as_deref());
    let filter = BindingFilter::new(account, domain, options.address.as_deref())
        .map_err(anyhow::Error::msg)?;
    let store = Store::open(url).await.context("cannot open the database (--database)")?;
    store.check_schema().await?;
    let (mut found, mut after) = (0, 0);
    loop {
        let (rows, next) = store.bindings_after(after, wall_clock(), PAGE).await?;
        let held: Vec<Registration> = rows
            .iter()
            .filter(|binding| filter.holds(binding))
            .map(|binding| Registration::of(binding, wall_clock()))
            .collect();
        if !held.is_empty() {
            show(&held, options.json, found == 0)?;
        }
        found += held.len();
        let Some(next) = next else { break };
        after = next;
    }
    store.close().await;
    Ok(found)
}

/// Prints a page; the first one with a heading.
fn show(page: &[Registration], json: bool, is_first: bool) -> anyhow::Result<()> {
    if json {
        for one in page {
            say(&serde_json::to_string(one)?);
        }
    } else if !page.is_empty() || is_first {
        say(text(page, wall_clock()).trim_end());
    }
    Ok(())
}

fn text(page: &[Registration], now: i64) -> String {
    let row = |one: &Registration| {
        let received = match (&*one.received, one.nat) {
            ("", _) => "-".to_owned(),
            (address, true) => format!("{address} NAT"),
            (address, false) => address.to_owned(),
        };
        vec![
            shown(&one.account),
            shown(&one.contact),
            one.transport.clone(),
            received,
            span(one.expires.saturating_mul(1000)),
            format!("{} ago", span(now.saturating_sub(one.last_seen))),
            if one.node.is_empty() { "any".to_owned() } else { shown(&one.node) },
            shown(&one.user_agent),
        ]
    };
    let rows: Vec<Vec<String>> = page.iter().map(row).collect();
    let heading =
        ["ACCOUNT", "CONTACT", "OVER", "RECEIVED", "EXPIRES", "SEEN", "NODE", "USER-AGENT"];
    table(&heading, &rows)
}

async fn count(server: Option<SocketAddr>, json: bool) -> anyhow::Result<()> {
    let answer = admin::ask(server, &COUNTS, COUNTS.path).await?;
    let answer: Value =
        serde_json::from_str(&answer).context("the answer is no list of domains")?;
    let counts = answer.get("domains").and_then(Value::as_object);
    let counts = counts.context("the answer has no domains")?;
    if json {
        say(&serde_json::to_string(counts)?);
        return Ok(());
    }
    let of = |count: &Value| count.as_u64().unwrap_or(0);
    let rows: Vec<Vec<String>> =
        counts.iter().map(|(name, count)| vec![shown(name), of(count).to_string()]).collect();
    say(table(&["DOMAIN", "REGISTRATIONS"], &rows).trim_end());
    say(&format!("{} registrations", counts.values().map(of).sum::<u64>()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_model::{Aor, Binding};

    #[test]
    fn registrations_are_shown_in_columns() {
        let aor = Aor::new("alice", "example.com").expect("an address");
        let mut binding = Binding::new(aor, "sip:alice@10.0.0.1:5060", 61_000);
        binding.received = Some("sip:192.0.2.7:1024;transport=udp".to_owned());
        binding.user_agent = "phone/1\u{7}".to_owned();
        let text = text(&[Registration::of(&binding, 1_000)], 1_000);
        let line = text.lines().nth(1).expect("a row");
        assert_eq!(
            line,
            "alice@example.com  sip:alice@10.0.0.1:5060  udp   192.0.2.7:1024 NAT  1m00s    1s ago  any   phone/1?"
        );
    }
}
