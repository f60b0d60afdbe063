//! `ngn calls`: the calls of a running sipd.

use crate::admin::{self, What};
use crate::say;
use crate::table::{shown, span, table};
use anyhow::Context as _;
use ngn_daemon::wall_clock;
use serde_json::Value;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::time::Duration;

/// What is asked for.
const WHAT: What = What { path: "/calls", does: "lists calls" };

/// Which calls, and how they are shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Calls of this account or trunk, whoever calls, such as alice@example.net.
    #[arg(long, value_name = "ADDRESS")]
    account: Option<String>,
    /// Calls of this domain, whoever calls.
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// Calls from or to this number, with or without what stands before it.
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// Shows them again and again until Ctrl-C.
    #[arg(long)]
    watch: bool,
    /// How often, in seconds, 1 to 3600.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, requires = "watch",
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: u64,
    /// One JSON object for each call, in a line of its own.
    #[arg(long)]
    json: bool,
    /// The admin port of sipd or of `ngn up`; without it 127.0.0.1:9281 (sipd) and then 127.0.0.1:9280 (`ngn up`).
    #[arg(long, value_name = "ADDRESS", env = "NGN_ADMIN")]
    admin: Option<SocketAddr>,
}

/// Asks and prints.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let mut parameters = Vec::new();
    let mut given = |name, value: Option<String>| parameters.extend(value.map(|one| (name, one)));
    given("account", options.account);
    given("domain", options.domain);
    given("number", options.number);
    let server = admin::find(options.admin, &WHAT).await?;
    loop {
        let (node, calls) = all(server, &parameters).await?;
        if options.json {
            calls.iter().for_each(|call| say(&call.to_string()));
        } else {
            if options.watch && std::io::stdout().is_terminal() {
                say("\u{1b}[2J\u{1b}[H");
            }
            say(&text(&node, &calls, wall_clock()));
        }
        if !options.watch {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(options.every)) => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

/// All calls, page by page, and the node's name.
async fn all(
    server: SocketAddr,
    parameters: &[(&str, String)],
) -> anyhow::Result<(String, Vec<Value>)> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let mut parameters = parameters.to_vec();
        parameters.extend(after.take().map(|after: u64| ("after", after.to_string())));
        let answer =
            admin::ask(Some(server), &WHAT, &admin::target(WHAT.path, &parameters)).await?;
        let page: Value =
            serde_json::from_str(&answer).context("the answer is no list of calls")?;
        let calls = page.get("calls").and_then(Value::as_array);
        found.extend(calls.context("the answer has no calls")?.iter().cloned());
        after = page.get("next").and_then(Value::as_u64);
        if after.is_none() {
            let node = page.get("node").and_then(Value::as_str).unwrap_or_default();
            return Ok((node.to_owned(), found));
        }
    }
}

fn text(node: &str, calls: &[Value], now: i64) -> String {
    let row = |call: &Value| {
        let of = |name: &str| shown(call.get(name).and_then(Value::as_str).unwrap_or_default());
        let since = call.get("since").and_then(Value::as_i64).unwrap_or(now);
        let leg = call.get("leg").and_then(Value::as_u64).unwrap_or(0);
        let mut to = match of("gateway") {
            none if none.is_empty() => of("target"),
            gateway => format!("gateway {gateway}"),
        };
        if leg > 0 {
            to.push_str(&format!(" (leg {leg})"));
        }
        if call.get("emergency").and_then(Value::as_bool) == Some(true) {
            to.push_str(" EMERGENCY");
        }
        if call.get("before_start").and_then(Value::as_bool) == Some(true) {
            to.push_str(" (from before a restart)");
        }
        let since = span(now.saturating_sub(since));
        vec![of("state"), since, of("caller"), of("callee"), to, of("source"), of("call_id")]
    };
    let rows: Vec<Vec<String>> = calls.iter().map(row).collect();
    let heading = ["STATE", "SINCE", "CALLER", "CALLED", "AT", "FROM", "CALL-ID"];
    format!("{}{} calls on {node}", table(&heading, &rows), calls.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_shown_in_columns() {
        let call = serde_json::json!({
            "state": "established", "since": 1_000, "caller": "sip:a@x", "callee": "sip:1@x",
            "target": "sip:1@192.0.2.1", "gateway": "gw", "leg": 1, "emergency": true,
            "before_start": true,
            "source": "udp:192.0.2.7:5060", "call_id": "c\u{1b}",
        });
        let text = text("here", &[call], 63_000);
        assert!(
            text.contains(
                "established  1m02s  sip:a@x  sip:1@x  gateway gw (leg 1) EMERGENCY (from before a restart)  udp:192.0.2.7:5060  c?\n"
            ),
            "{text}"
        );
        assert!(text.ends_with("1 calls on here"), "{text}");
    }
}
