//! A raw HTTP client: every byte of a request is the test's, every byte of a reply is kept.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// Longest time that a test waits for bytes.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A reply.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status line's version, such as `HTTP/1.1`.
    pub version: String,
    /// The status code.
    pub status: u16,
    /// Header fields in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, chunked coding removed.
    pub body: Vec<u8>,
}

impl Reply {
    /// A header field's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Opens a connection with time limits.
pub fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends bytes and reads the one reply to them.
pub fn exchange(address: SocketAddr, request: &[u8]) -> Result<Reply> {
    let mut stream = connect(address)?;
    // A server that refuses a body by its length may close before it has read all of it.
    let sent = stream.write_all(request);
    match read_reply(&mut stream) {
        Ok(reply) => Ok(reply),
        Err(error) => {
            sent.context("sending the request")?;
            Err(error)
        }
    }
}

/// GET over HTTP/1.1.
pub fn get(address: SocketAddr, target: &str) -> Result<Reply> {
    get_as(address, target, &address.to_string())
}

/// GET over HTTP/1.1 with the given Host.
pub fn get_as(address: SocketAddr, target: &str, host: &str) -> Result<Reply> {
    exchange(
        address,
        format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes(),
    )
}

/// Reads one reply; a connection stays usable for the next one.
pub fn read_reply(stream: &mut TcpStream) -> Result<Reply> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        ensure!(head.len() < 64 * 1024, "reply head without end");
        match stream.read(&mut byte) {
            Ok(0) if head.is_empty() => bail!("connection closed without a reply"),
            Ok(0) => bail!("connection closed inside the reply head"),
            Ok(_) => head.push(byte[0]),
            Err(error) => return Err(error).context("reading the reply head"),
        }
    }
    let head = String::from_utf8(head)?;
    let mut lines = head.trim_end().split("\r\n");
    let status_line = lines.next().context("no status line")?;
    let mut words = status_line.splitn(3, ' ');
    let version = words.next().context("no version")?.to_owned();
    let status = words.next().context("no status")?.parse()?;
    let headers: Vec<(String, String)> = lines
        .map(|line| {
            let (name, value) = line.split_once(':').context("header field without colon")?;
            Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect::<Result<_>>()?;
    let mut reply = Reply { version, status, headers, body: Vec::new() };
    reply.body = if reply.header("transfer-encoding") == Some("chunked") {
        read_chunks(stream)?
    } else if let Some(length) = reply.header("content-length") {
        let mut body = vec![0; length.parse()?];
        stream.read_exact(&mut body).context("body shorter than its Content-Length")?;
        body
    } else {
        let mut body = Vec::new();
        stream.read_to_end(&mut body)?;
        body
    };
    Ok(reply)
}

fn read_chunks(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            line.push(byte[0]);
        }
        let size = usize::from_str_radix(String::from_utf8(line)?.trim(), 16)?;
        let mut chunk = vec![0; size + 2];
        stream.read_exact(&mut chunk)?;
        if size == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}
