//! `ngn explain`: why a call goes where it goes, or would, by a server that runs.

pub(crate) mod time;

use crate::admin::{self, USUAL, What};
use crate::say;
use anyhow::Context as _;
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};

/// What is asked for.
const WHAT: What = What { path: "/explain", does: "explains calls" };

/// Which call.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Who calls, such as alice@example.net; taken for proved.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "call_id")]
    from: Option<String>,
    /// Who is called: an address, a URI, or what is dialled.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "call_id")]
    to: Option<String>,
    /// When: 2026-11-21T03:00, 2026-11-21T03:00:00+01:00 or seconds since 1970 UTC; now when it is missing.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// The time zone of --at; without it that of $TZ or of this machine.
    #[arg(long, value_name = "NAME", requires = "at")]
    timezone: Option<String>,
    /// The address that the call comes from: that of a trunk, or for an account's access list; this machine's when it is
    /// missing.
    #[arg(long, value_name = "IP")]
    source: Option<IpAddr>,
    /// Instead: one of the last thousand calls, by its Call-ID.
    #[arg(long, value_name = "ID", conflicts_with_all = ["from", "to", "at", "timezone", "source"])]
    call_id: Option<String>,
    /// The admin port of sipd or of `ngn up`; without it 127.0.0.1:9281 (sipd) and then 127.0.0.1:9280 (`ngn up`).
    #[arg(long, value_name = "ADDRESS", env = "NGN_ADMIN")]
    admin: Option<SocketAddr>,
    /// The plan as JSON.
    #[arg(long)]
    json: bool,
}

/// Asks and prints.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let mut parameters: Vec<(&str, String)> = Vec::new();
    parameters.extend(options.from.map(|from| ("from", from)));
    parameters.extend(options.to.map(|to| ("to", to)));
    let zone = time::zone(options.timezone.as_deref())?;
    let at = options.at.as_deref().map(|at| time::read(at, &zone)).transpose()?;
    parameters.extend(at.as_ref().map(|at| ("at", at.timestamp().as_millisecond().to_string())));
    parameters.extend(options.source.map(|source| ("source", source.to_string())));
    parameters.extend(options.call_id.map(|id| ("call_id", id)));
    let answer = match options.admin {
        Some(server) => ask(server, &parameters).await?,
        None => {
            read(&admin::ask_first(&USUAL, &WHAT, &admin::target(WHAT.path, &parameters)).await?)?
        }
    };
    if options.json {
        say(&answer.get("plan").map(ToString::to_string).unwrap_or_default());
    } else {
        if let Some(at) = at {
            say(&format!("at {at}"));
        }
        say(&text(&answer));
    }
    Ok(())
}

/// What a server says about a call: `plan` for programs, `text` for people.
pub(crate) async fn ask(
    server: SocketAddr,
    parameters: &[(&str, String)],
) -> anyhow::Result<Value> {
    read(&admin::ask(Some(server), &WHAT, &admin::target(WHAT.path, parameters)).await?)
}

fn read(answer: &str) -> anyhow::Result<Value> {
    serde_json::from_str(answer).context("the answer is no plan")
}

/// What an answer says to people.
pub(crate) fn text(answer: &Value) -> String {
    answer.get("text").and_then(Value::as_str).unwrap_or_default().trim_end().to_owned()
}
