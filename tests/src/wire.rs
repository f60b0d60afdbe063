//! What a phone of ours speaks over: a UDP socket, or a connection by TCP, TLS or WebSocket.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// The least time that a socket is asked to wait: zero would be for ever.
const MOMENT: Duration = Duration::from_millis(1);

/// A way to a SIP server or from one.
#[derive(Debug)]
pub struct Wire {
    kind: Kind,
    local: SocketAddr,
}

#[derive(Debug)]
enum Kind {
    Udp { socket: UdpSocket, peer: SocketAddr },
    Stream { name: &'static str, state: Mutex<State> },
}

#[derive(Debug)]
struct State {
    channel: Channel,
    /// Octets that were read and not yet used.
    unread: Vec<u8>,
    /// SIP octets that came in frames of a WebSocket are whole messages.
    is_web: bool,
}

#[derive(Debug)]
enum Channel {
    Plain(TcpStream),
    Secure(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Channel {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Secure(stream) => &stream.sock,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes)?,
            Self::Secure(stream) => {
                stream.write_all(bytes)?;
                stream.flush()?;
            }
        }
        Ok(())
    }

    /// What has come, at most until then; nothing when nothing came, an error when the connection is closed.
    fn read(&mut self, until: Instant) -> Result<Vec<u8>> {
        let left = until.saturating_duration_since(Instant::now()).max(MOMENT);
        self.tcp().set_read_timeout(Some(left))?;
        let mut buffer = vec![0; 65_536];
        let read = match self {
            Self::Plain(stream) => stream.read(&mut buffer),
            Self::Secure(stream) => stream.read(&mut buffer),
        };
        match read {
            Ok(0) => bail!("the connection was closed"),
            Ok(length) => {
                buffer.truncate(length);
                Ok(buffer)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Ok(Vec::new())
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Wire {
    /// A UDP socket on a port of one of this machine's addresses.
    pub fn udp(own: &str, peer: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::bind((own, 0))?;
        Ok(Self { local: socket.local_addr()?, kind: Kind::Udp { socket, peer } })
    }

    /// The UDP socket, if that is what it speaks over, for somebody else to answer with.
    #[must_use]
    pub fn socket(&self) -> Option<UdpSocket> {
        match &self.kind {
            Kind::Udp { socket, .. } => socket.try_clone().ok(),
            Kind::Stream { .. } => None,
        }
    }

    /// A TCP connection to the server.
    pub fn tcp(server: SocketAddr) -> Result<Self> {
        Self::stream("TCP", Channel::Plain(TcpStream::connect(server)?), false)
    }

    /// The TCP connection that somebody opens to us.
    pub fn accept(listener: &TcpListener) -> Result<Self> {
        Self::stream("TCP", Channel::Plain(listener.accept()?.0), false)
    }

    /// A TLS connection to a server that proves to be `name` by a certificate of the authority.
    pub fn tls(server: SocketAddr, name: &str, authority: &Path) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_reader_iter(BufReader::new(File::open(authority)?)) {
            roots.add(certificate?)?;
        }
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from(name.to_owned())?;
        let connection = ClientConnection::new(Arc::new(config), name)?;
        let stream = StreamOwned::new(connection, TcpStream::connect(server)?);
        Self::stream("TLS", Channel::Secure(Box::new(stream)), false)
    }

    /// A WebSocket (RFC 6455, RFC 7118) to the server.
    pub fn ws(server: SocketAddr) -> Result<Self> {
        let mut stream = TcpStream::connect(server)?;
        // The key is the one of RFC 6455 section 1.3, and so is what has to come back.
        write!(
            stream,
            "GET / HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Protocol: sip\r\n\r\n"
        )?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let mut octet = [0];
            ensure!(stream.read(&mut octet)? == 1, "closed after {head}");
            head.push(char::from(octet[0]));
        }
        ensure!(
            head.starts_with("HTTP/1.1 101") && head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            "no WebSocket: {head}"
        );
        Self::stream("WS", Channel::Plain(stream), true)
    }

    fn stream(name: &'static str, channel: Channel, is_web: bool) -> Result<Self> {
        let local = channel.tcp().local_addr()?;
        channel.tcp().set_nodelay(true)?;
        let state = Mutex::new(State { channel, unread: Vec::new(), is_web });
        Ok(Self { kind: Kind::Stream { name, state }, local })
    }

    /// The transport as Via names it.
    #[must_use]
    pub const fn transport(&self) -> &'static str {
        match &self.kind {
            Kind::Udp { .. } => "UDP",
            Kind::Stream { name, .. } => name,
        }
    }

    /// Our own address and port.
    #[must_use]
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends a message, or octets that are none.
    pub fn send(&self, bytes: &[u8]) -> Result<()> {
        match &self.kind {
            Kind::Udp { socket, peer } => {
                socket.send_to(bytes, peer)?;
            }
            Kind::Stream { state, .. } => {
                let mut state = lock(state);
                let framed = if state.is_web { Some(frame(1, bytes)) } else { None };
                state.channel.write(framed.as_deref().unwrap_or(bytes))?;
            }
        }
        Ok(())
    }

    /// The next message, not later than this; answers to keep-alives are skipped.
    pub fn receive(&self, patience: Duration) -> Result<Vec<u8>> {
        match &self.kind {
            Kind::Udp { socket, .. } => {
                socket.set_read_timeout(Some(patience.max(MOMENT)))?;
                let mut buffer = vec![0; 65_535];
                let (length, _) = socket.recv_from(&mut buffer).context("no message came")?;
                buffer.truncate(length);
                Ok(buffer)
            }
            Kind::Stream { state, .. } => {
                let mut state = lock(state);
                let until = Instant::now() + patience;
                loop {
                    let next =
                        if state.is_web { state.next_frame()? } else { state.next_message() };
                    if let Some(message) = next {
                        return Ok(message);
                    }
                    ensure!(Instant::now() < until, "no message came");
                    let more = state.channel.read(until)?;
                    state.unread.extend(more);
                }
            }
        }
    }

    /// Octets as they come over a connection, until it is closed or this time is over.
    pub fn drain(&self, patience: Duration) -> Vec<u8> {
        let Kind::Stream { state, .. } = &self.kind else { return Vec::new() };
        let mut state = lock(state);
        let until = Instant::now() + patience;
        while Instant::now() < until {
            match state.channel.read(until) {
                Ok(more) => state.unread.extend(more),
                Err(_) => break,
            }
        }
        std::mem::take(&mut state.unread)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no other thread of the test failed here")
}

impl State {
    /// A message of a stream, by its Content-Length.
    fn next_message(&mut self) -> Option<Vec<u8>> {
        while self.unread.starts_with(b"\r\n") {
            self.unread.drain(..2);
        }
        let head = self.unread.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(self.unread.get(..head)?).to_ascii_lowercase();
        let length = text
            .split("\r\n")
            .find_map(|line| {
                let (name, value) = line.split_once(':')?;
                matches!(name.trim(), "content-length" | "l").then(|| value.trim().parse().ok())?
            })
            .unwrap_or(0);
        (self.unread.len() >= head + length).then(|| self.unread.drain(..head + length).collect())
    }

    /// A message that came in a frame; pings are answered (RFC 6455 section 5.5.2).
    fn next_frame(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            let [first, second, rest @ ..] = self.unread.as_slice() else { return Ok(None) };
            let (first, second) = (*first, *second);
            let extended = match second {
                126 => 2,
                127 => 8,
                _ => 0,
            };
            let Some(digits) = rest.get(..extended) else { return Ok(None) };
            let length = match extended {
                0 => usize::from(second & 0x7f),
                _ => digits.iter().fold(0, |sum, digit| (sum << 8) | usize::from(*digit)),
            };
            let whole = 2 + extended + length;
            if self.unread.len() < whole {
                return Ok(None);
            }
            let payload: Vec<u8> = self.unread.drain(..whole).skip(2 + extended).collect();
            match first & 0x0f {
                1 | 2 => return Ok(Some(payload)),
                8 => bail!("the WebSocket was closed"),
                9 => self.channel.write(&frame(10, &payload))?,
                _ => {}
            }
        }
    }
}

/// One frame of a client: masked, with a mask that changes nothing (RFC 6455 section 5.3).
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ ..126), _) => frame.push(0x80 | length),
        (_, Ok(length)) => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_a_stream_are_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = Wire::tcp(listener.local_addr().unwrap()).unwrap();
        let theirs = Wire::accept(&listener).unwrap();
        theirs.send(b"\r\nA\r\nl: 2\r\n\r\nxyB\r\nContent-").unwrap();
        theirs.send(b"Length: 0\r\n\r\n").unwrap();
        let patience = Duration::from_secs(10);
        assert_eq!(ours.receive(patience).unwrap(), b"A\r\nl: 2\r\n\r\nxy");
        assert_eq!(ours.receive(patience).unwrap(), b"B\r\nContent-Length: 0\r\n\r\n");
        drop(theirs);
        assert!(ours.receive(patience).unwrap_err().to_string().contains("closed"));
    }

    #[test]
    fn frames_have_their_lengths() {
        for (length, head) in [(5, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let frame = frame(1, &vec![7; length]);
            assert_eq!(frame.len(), head + 4 + length);
        }
    }
}
