//! `ngn trace`: SIP messages as they come to a running sipd and go from it.

use crate::admin::{self, What};
use crate::explain::time;
use crate::table::shown;
use crate::{complain, say};
use anyhow::{Context as _, bail};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ngn_sip::hep::{Carrier, Packet};
use serde_json::Value;
use std::net::SocketAddr;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};
use tokio::net::UdpSocket;

/// What is asked for.
const WHAT: What = What { path: "/trace", does: "shows messages" };
/// The longest line that is read: a message of 64 KiB, each octet escaped.
const LONGEST: u64 = 1 << 20;

/// Which messages, and what becomes of them.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Messages that name this account, such as alice@example.net, and all others of the same calls.
    #[arg(long, value_name = "ADDRESS")]
    account: Option<String>,
    /// Messages from or to an address (192.0.2.7), address and port (192.0.2.7:5060) or network (192.0.2.0/24).
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    /// Requests of this method and the responses to them.
    #[arg(long, value_name = "NAME")]
    method: Option<String>,
    /// Messages of this Call-ID.
    #[arg(long, value_name = "ID")]
    call_id: Option<String>,
    /// Ends after so many seconds.
    #[arg(long, value_name = "NUMBER")]
    seconds: Option<u64>,
    /// Ends after so many messages.
    #[arg(long, value_name = "NUMBER")]
    count: Option<u64>,
    /// One JSON object for each message, in a line of its own.
    #[arg(long)]
    json: bool,
    /// Sends the messages to a collector such as Homer (HEP version 3 over UDP) instead of printing them; ID is the number by
    /// which it knows this node, 2001 when it is missing.
    #[arg(long, value_name = "HOST:PORT[:ID]", conflicts_with = "json")]
    hep: Option<Collector>,
    /// The admin port of sipd or of `ngn up`; without it 127.0.0.1:9281 (sipd) and then 127.0.0.1:9280 (`ngn up`).
    #[arg(long, value_name = "ADDRESS", env = "NGN_ADMIN")]
    admin: Option<SocketAddr>,
}

/// Where packets go, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Collector {
    /// Host and port.
    place: String,
    id: u32,
}

impl std::str::FromStr for Collector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no collector; write HOST:PORT or HOST:PORT:ID");
        let (host, rest) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, rest) = rest.split_once("]:").ok_or_else(wrong)?;
                (format!("[{address}]"), rest)
            }
            None => {
                let (host, rest) = text.split_once(':').ok_or_else(wrong)?;
                (host.to_owned(), rest)
            }
        };
        let (port, id) = match rest.split_once(':') {
            Some((port, id)) => (port, id.parse().map_err(|_| wrong())?),
            None => (rest, 2001),
        };
        let port: u16 = port.parse().map_err(|_| wrong())?;
        if host.is_empty() || port == 0 {
            return Err(wrong());
        }
        Ok(Self { place: format!("{host}:{port}"), id })
    }
}

/// Watches until there is enough.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let mut parameters = Vec::new();
    let mut given = |name, value: Option<String>| parameters.extend(value.map(|one| (name, one)));
    given("account", options.account);
    given("address", options.address);
    given("method", options.method);
    given("call_id", options.call_id);
    given("seconds", options.seconds.map(|one| one.to_string()));
    given("count", options.count.map(|one| one.to_string()));
    let server = admin::find(options.admin, &What { path: "/calls", ..WHAT }).await?;
    let mut lines = admin::open(server, &WHAT, &admin::target(WHAT.path, &parameters)).await?;
    let mut sink = match (&options.hep, options.json) {
        (Some(collector), _) => Sink::Collector(Sender::to(collector).await?),
        (None, true) => Sink::Json,
        (None, false) => Sink::Text(time::zone(None)?),
    };
    complain(&anyhow::anyhow!("watching {server}; Ctrl-C ends it"));
    let mut lost = 0;
    loop {
        let line = tokio::select! {
            line = next(&mut lines) => line?,
            _ = tokio::signal::ctrl_c() => None,
        };
        let Some(line) = line else { break };
        let message: Value = serde_json::from_slice(&line).context("the answer is no message")?;
        if let Some(count) = message.get("lost").and_then(Value::as_u64) {
            lost += count;
        }
        sink.take(&message).await;
    }
    if let Sink::Collector(sender) = &sink {
        say(&format!("{} messages sent, {} too long or refused", sender.sent, sender.failed));
    }
    if lost > 0 {
        bail!("{lost} messages were lost: there were more than could be read in time");
    }
    Ok(())
}

/// The next line that holds something; nothing at the end.
async fn next(lines: &mut (impl AsyncBufRead + Unpin)) -> anyhow::Result<Option<Vec<u8>>> {
    loop {
        let mut line = Vec::new();
        // The server has ended, or cut the connection: either way there is no more.
        if lines.take(LONGEST).read_until(b'\n', &mut line).await.unwrap_or(0) == 0 {
            return Ok(None);
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some(line));
        }
    }
}

/// Where messages go.
enum Sink {
    Text(TimeZone),
    Json,
    Collector(Sender),
}

impl Sink {
    async fn take(&mut self, message: &Value) {
        match self {
            Self::Text(zone) => say(&text(message, zone)),
            Self::Json => say(&message.to_string()),
            Self::Collector(sender) => sender.send(message).await,
        }
    }
}

fn of<'a>(message: &'a Value, name: &str) -> &'a str {
    message.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A message as people read it.
fn text(message: &Value, zone: &TimeZone) -> String {
    if let Some(count) = message.get("lost").and_then(Value::as_u64) {
        return format!("---- {count} messages were lost here ----\n");
    }
    let at = message.get("at").and_then(Value::as_i64).unwrap_or(0);
    let at = Timestamp::from_microsecond(at).unwrap_or_default().to_zoned(zone.clone());
    let lines = of(message, "message").lines().map(shown);
    format!(
        "{} {} {} {} -> {}\n{}\n",
        at.strftime("%Y-%m-%d %H:%M:%S.%6f %Z"),
        of(message, "direction"),
        of(message, "transport"),
        of(message, "source"),
        of(message, "destination"),
        lines.collect::<Vec<_>>().join("\n")
    )
}

/// A socket to a collector.
struct Sender {
    socket: UdpSocket,
    id: u32,
    sent: u64,
    failed: u64,
}

impl Sender {
    async fn to(collector: &Collector) -> anyhow::Result<Self> {
        let place = &collector.place;
        let addresses = tokio::net::lookup_host(place).await;
        let address = addresses.ok().and_then(|mut found| found.next());
        let address = address.with_context(|| format!("--hep: {place} is not found"))?;
        let own = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(own).await?;
        socket.connect(address).await?;
        Ok(Self { socket, id: collector.id, sent: 0, failed: 0 })
    }

    async fn send(&mut self, message: &Value) {
        let Some(octets) = packet(message, self.id) else { return };
        match octets {
            Some(octets) if self.socket.send(&octets).await.is_ok() => self.sent += 1,
            _ => self.failed += 1,
        }
    }
}

/// The packet of a message; `Some(None)` when it is too long, `None` for what is no message.
fn packet(message: &Value, capture_id: u32) -> Option<Option<Vec<u8>>> {
    let packet = Packet {
        source: of(message, "source").parse().ok()?,
        destination: of(message, "destination").parse().ok()?,
        carrier: if of(message, "transport") == "udp" { Carrier::Udp } else { Carrier::Tcp },
        at: message.get("at").and_then(Value::as_u64)?,
        capture_id,
        correlation_id: of(message, "call_id"),
        payload: of(message, "message").as_bytes(),
    };
    Some(packet.encode())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collectors_are_read() {
        for (text, place, id) in [
            ("homer.example:9060", "homer.example:9060", 2001),
            ("192.0.2.9:9060:7", "192.0.2.9:9060", 7),
            ("[2001:db8::9]:9060:7", "[2001:db8::9]:9060", 7),
        ] {
            assert_eq!(text.parse(), Ok(Collector { place: place.to_owned(), id }));
        }
        for wrong in ["homer", ":9060", "a:0", "a:b", "a:1:b", "[::1]", "[::1]9060"] {
            assert!(wrong.parse::<Collector>().is_err_and(|why| why.contains("HOST:PORT:ID")));
        }
    }

    #[test]
    fn messages_are_printed_with_time_and_both_ends() {
        let message = serde_json::json!({
            "at": 1_795_420_800_000_001_u64, "direction": "in", "transport": "wss", "source": "192.0.2.7:1024",
            "destination": "192.0.2.1:5443", "message": "BYE sip:a SIP/2.0\r\nX: \u{1b}[2J\r\n\r\n",
        });
        assert_eq!(
            text(&message, &TimeZone::UTC),
            "2026-11-23 08:00:00.000001 UTC in wss 192.0.2.7:1024 -> 192.0.2.1:5443\n\
             BYE sip:a SIP/2.0\nX: ?[2J\n\n"
        );
        let lost = serde_json::json!({ "lost": 12 });
        assert!(text(&lost, &TimeZone::UTC).contains("12 messages were lost"));
        assert!(packet(&lost, 1).is_none() && packet(&message, 1).flatten().is_some());
    }
}
