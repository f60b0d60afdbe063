//! `ngn explain`: why a call goes where it goes, or would, by a server that runs.

use crate::say;
use anyhow::{Context as _, bail};
use serde_json::Value;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Which call.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Who calls, such as alice@example.net; taken for proved.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "call_id")]
    from: Option<String>,
    /// Who is called: an address, a URI, or what is dialled.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "call_id")]
    to: Option<String>,
    /// When, in seconds since 1970 UTC; now when it is missing.
    #[arg(long, value_name = "SECONDS")]
    at: Option<i64>,
    /// The address that the call comes from.
    #[arg(long, value_name = "IP")]
    source: Option<IpAddr>,
    /// Instead: one of the last thousand calls, by its Call-ID.
    #[arg(long, value_name = "ID", conflicts_with_all = ["from", "to", "at", "source"])]
    call_id: Option<String>,
    /// The admin port of sipd or of `ngn up`.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9281")]
    admin: SocketAddr,
    /// The plan as JSON.
    #[arg(long)]
    json: bool,
}

/// Asks and prints.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let mut parameters: Vec<(&str, String)> = Vec::new();
    parameters.extend(options.from.map(|from| ("from", from)));
    parameters.extend(options.to.map(|to| ("to", to)));
    parameters.extend(options.at.map(|at| ("at", at.saturating_mul(1000).to_string())));
    parameters.extend(options.source.map(|source| ("source", source.to_string())));
    parameters.extend(options.call_id.map(|id| ("call_id", id)));
    let answer = ask(options.admin, &parameters).await?;
    if options.json {
        say(&answer.get("plan").map(ToString::to_string).unwrap_or_default());
    } else {
        say(&text(&answer));
    }
    Ok(())
}

/// What a server says about a call: `plan` for programs, `text` for people.
pub(crate) async fn ask(
    server: SocketAddr,
    parameters: &[(&str, String)],
) -> anyhow::Result<Value> {
    let query: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    let body = get(server, &format!("/explain?{}", query.join("&"))).await?;
    serde_json::from_str(&body).context("the answer is no plan")
}

/// What an answer says to people.
pub(crate) fn text(answer: &Value) -> String {
    answer.get("text").and_then(Value::as_str).unwrap_or_default().trim_end().to_owned()
}

async fn get(server: SocketAddr, target: &str) -> anyhow::Result<String> {
    let connected = TcpStream::connect(server).await;
    let mut stream = connected.with_context(|| {
        format!("no admin port at {server}; name the one of sipd or `ngn up` with --admin")
    })?;
    let request = format!("GET {target} HTTP/1.0\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(16 << 20).read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the admin port says nothing")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status != "200" {
        bail!("{}", body.trim());
    }
    Ok(body.to_owned())
}

/// For a query (RFC 3986 section 2.1).
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn queries_are_escaped() {
        assert_eq!(super::escaped("sip:+43@a.example;x"), "sip%3A%2B43%40a.example%3Bx");
    }
}
