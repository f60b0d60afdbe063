//! The admin port of a server that runs, as commands ask it.

use anyhow::{Context as _, bail};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// The admin ports that are asked when none is named, with what usually listens there.
pub(crate) const USUAL: [(&str, SocketAddr); 2] =
    [("sipd", local(9281)), ("`ngn up`", local(9280))];

const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// The longest line of an answer's head.
const HEAD_LINE: u64 = 8_192;

/// What a server is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct What {
    /// The path.
    pub(crate) path: &'static str,
    /// What whoever has that path does.
    pub(crate) does: &'static str,
}

/// A path with parameters.
pub(crate) fn target(path: &str, parameters: &[(&str, String)]) -> String {
    let query: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    format!("{path}?{}", query.join("&"))
}

/// Asks a server, or without one the first of the usual ones that answers such questions.
pub(crate) async fn ask(
    server: Option<SocketAddr>,
    what: &What,
    target: &str,
) -> anyhow::Result<String> {
    let Some(server) = server else { return ask_first(&USUAL, what, target).await };
    match get(server, what, target).await? {
        Got::Answer(answer) => Ok(answer),
        Got::Nothing(why) => bail!(
            "nobody {} at {server}: {why}; name the admin port of sipd or `ngn up` with --admin",
            what.does
        ),
    }
}

/// The first of the usual servers that knows a path, or the one that was named.
pub(crate) async fn find(server: Option<SocketAddr>, what: &What) -> anyhow::Result<SocketAddr> {
    if let Some(server) = server {
        return Ok(server);
    }
    let mut tried = Vec::new();
    for (name, server) in USUAL {
        match get(server, what, what.path).await {
            Ok(Got::Nothing(why)) => tried.push(format!("{server} ({name}): {why}")),
            Ok(Got::Answer(_)) | Err(_) => return Ok(server),
        }
    }
    Err(nobody(what, &tried))
}

/// Asks the first of some admin ports that answers such questions.
pub(crate) async fn ask_first(
    servers: &[(&str, SocketAddr)],
    what: &What,
    target: &str,
) -> anyhow::Result<String> {
    let mut tried = Vec::new();
    for (name, server) in servers {
        match get(*server, what, target).await? {
            Got::Answer(answer) => return Ok(answer),
            Got::Nothing(why) => tried.push(format!("{server} ({name}): {why}")),
        }
    }
    Err(nobody(what, &tried))
}

fn nobody(what: &What, tried: &[String]) -> anyhow::Error {
    anyhow::anyhow!(
        "nobody {} here; tried {}; name the admin port of sipd or `ngn up` with --admin",
        what.does,
        tried.join(", ")
    )
}

/// What a port says.
#[derive(Debug)]
pub(crate) enum Got {
    /// The body of an answer.
    Answer(String),
    /// Nobody is there, or somebody who does not know such questions; why.
    Nothing(String),
}

/// Has a server undo what it keeps at a path.
pub(crate) async fn delete(
    server: SocketAddr,
    what: &What,
    target: &str,
) -> anyhow::Result<String> {
    match send("DELETE", server, what, target).await? {
        Got::Answer(answer) => Ok(answer),
        Got::Nothing(why) => bail!("nobody {} at {server}: {why}", what.does),
    }
}

/// Asks a port; what it refuses with a reason is an error.
async fn get(server: SocketAddr, what: &What, target: &str) -> anyhow::Result<Got> {
    send("GET", server, what, target).await
}

async fn send(method: &str, server: SocketAddr, what: &What, target: &str) -> anyhow::Result<Got> {
    let mut stream = match TcpStream::connect(server).await {
        Ok(stream) => stream,
        Err(error) => return Ok(Got::Nothing(error.to_string())),
    };
    let request =
        format!("{method} {target} HTTP/1.0\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(16 << 20).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return Ok(Got::Nothing("it speaks no HTTP".to_owned()));
    };
    match (head.split(' ').nth(1).unwrap_or_default(), body.trim()) {
        ("200", _) => Ok(Got::Answer(body.to_owned())),
        ("404", "") => Ok(Got::Nothing(format!("it has no {}", what.path))),
        (status, "") => bail!("{server} answers {status}"),
        (_, why) => bail!("{why}"),
    }
}

/// Opens an answer that goes on; what a server refuses with a reason is an error.
pub(crate) async fn open(
    server: SocketAddr,
    what: &What,
    target: &str,
) -> anyhow::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(server).await;
    let mut stream = stream.with_context(|| format!("nobody {} at {server}", what.does))?;
    let request = format!("GET {target} HTTP/1.0\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut lines = BufReader::new(stream);
    let mut status = String::new();
    (&mut lines).take(HEAD_LINE).read_line(&mut status).await?;
    for _ in 0..100 {
        let mut line = String::new();
        if (&mut lines).take(HEAD_LINE).read_line(&mut line).await? == 0 || line.trim().is_empty() {
            break;
        }
    }
    match status.split(' ').nth(1).unwrap_or_default() {
        "200" => Ok(lines),
        "404" => bail!("{server} has no {}", what.path),
        status => {
            let mut why = String::new();
            lines.take(4096).read_to_string(&mut why).await?;
            bail!("{server} answers {status}: {}", why.trim())
        }
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

    const WHAT: What = What { path: "/explain", does: "explains calls" };

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
            let answer = ask_first(&servers, &WHAT, "/explain").await.expect("an answer");
            assert_eq!(answer, "{\"text\":\"call\"}");
        }
    }

    #[tokio::test]
    async fn what_was_tried_is_named() {
        let (one, two) = (nobody().await, server("HTTP/1.0 404 Not Found\r\n\r\n").await);
        let error = ask_first(&[("sipd", one), ("`ngn up`", two)], &WHAT, "/explain").await;
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
        let error = ask_first(&servers, &WHAT, "/explain").await.expect_err("refused").to_string();
        assert_eq!(error, "x is not among the last 1000 calls");
    }
}
