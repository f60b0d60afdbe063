//! `ngn explain`: why a call goes where it goes, or would, by a server that runs.

mod time;

use crate::say;
use anyhow::{Context as _, bail};
use serde_json::Value;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The admin ports that are asked when none is named, with what usually listens there.
const USUAL: [(&str, SocketAddr); 2] = [("sipd", local(9281)), ("`ngn up`", local(9280))];

const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

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
        None => ask_first(&USUAL, &parameters).await?,
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

/// Asks the first of some admin ports that answers such questions.
async fn ask_first(
    servers: &[(&str, SocketAddr)],
    parameters: &[(&str, String)],
) -> anyhow::Result<Value> {
    let mut tried = Vec::new();
    for (name, server) in servers {
        match get(*server, &target(parameters)).await? {
            Got::Answer(answer) => return read(&answer),
            Got::Nothing(why) => tried.push(format!("{server} ({name}): {why}")),
        }
    }
    bail!(
        "nobody explains calls here; tried {}; name the admin port of sipd or `ngn up` with --admin",
        tried.join(", ")
    )
}

/// What a server says about a call: `plan` for programs, `text` for people.
pub(crate) async fn ask(
    server: SocketAddr,
    parameters: &[(&str, String)],
) -> anyhow::Result<Value> {
    match get(server, &target(parameters)).await? {
        Got::Answer(answer) => read(&answer),
        Got::Nothing(why) => bail!(
            "nobody explains calls at {server}: {why}; name the admin port of sipd or `ngn up` with --admin"
        ),
    }
}

fn target(parameters: &[(&str, String)]) -> String {
    let query: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    format!("/explain?{}", query.join("&"))
}

fn read(answer: &str) -> anyhow::Result<Value> {
    serde_json::from_str(answer).context("the answer is no plan")
}

/// What an answer says to people.
pub(crate) fn text(answer: &Value) -> String {
    answer.get("text").and_then(Value::as_str).unwrap_or_default().trim_end().to_owned()
}

/// What a port says.
#[derive(Debug)]
enum Got {
    /// The body of an answer.
    Answer(String),
    /// Nobody is there, or somebody who does not know such questions; why.
    Nothing(String),
}

/// Asks a port; what it refuses with a reason is an error.
async fn get(server: SocketAddr, target: &str) -> anyhow::Result<Got> {
    let mut stream = match TcpStream::connect(server).await {
        Ok(stream) => stream,
        Err(error) => return Ok(Got::Nothing(error.to_string())),
    };
    let request = format!("GET {target} HTTP/1.0\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(16 << 20).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return Ok(Got::Nothing("it speaks no HTTP".to_owned()));
    };
    match (head.split(' ').nth(1).unwrap_or_default(), body.trim()) {
        ("200", _) => Ok(Got::Answer(body.to_owned())),
        ("404", "") => Ok(Got::Nothing("it has no /explain".to_owned())),
        (status, "") => bail!("{server} answers {status}"),
        (_, why) => bail!("{why}"),
    }
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
    use super::*;
    use tokio::net::TcpListener;

    #[test]
    fn queries_are_escaped() {
        assert_eq!(escaped("sip:+43@a.example;x"), "sip%3A%2B43%40a.example%3Bx");
    }

    /// Answers one request.
    async fn server(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind(local(0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        });
        address
    }

    async fn nobody() -> SocketAddr {
        let listener = TcpListener::bind(local(0)).await.expect("a port");
        listener.local_addr().expect("an address")
    }

    #[tokio::test]
    async fn the_first_port_that_explains_calls_is_asked() {
        let plan = "HTTP/1.0 200 OK\r\n\r\n{\"text\":\"call\"}";
        let unknown = "HTTP/1.0 404 Not Found\r\n\r\n";
        for first in [nobody().await, server(unknown).await, server("SSH-2.0-x\r\n").await] {
            let servers = [("one", first), ("two", server(plan).await)];
            let answer = ask_first(&servers, &[]).await.expect("an answer");
            assert_eq!(text(&answer), "call");
        }
    }

    #[tokio::test]
    async fn what_was_tried_is_named() {
        let (one, two) = (nobody().await, server("HTTP/1.0 404 Not Found\r\n\r\n").await);
        let error = ask_first(&[("sipd", one), ("`ngn up`", two)], &[]).await;
        let error = error.expect_err("nobody answers").to_string();
        assert!(error.contains(&format!("{one} (sipd): Connection refused")), "{error}");
        assert!(error.contains(&format!("{two} (`ngn up`): it has no /explain")), "{error}");
        assert!(error.ends_with("with --admin"), "{error}");
    }

    #[tokio::test]
    async fn a_reason_is_the_answer() {
        let why = "HTTP/1.0 404 Not Found\r\n\r\nx is not among the last 1000 calls\n";
        let plan = "HTTP/1.0 200 OK\r\n\r\n{}";
        let servers = [("one", server(why).await), ("two", server(plan).await)];
        let error = ask_first(&servers, &[]).await.expect_err("refused").to_string();
        assert_eq!(error, "x is not among the last 1000 calls");
    }
}
