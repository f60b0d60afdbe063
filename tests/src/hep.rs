//! A collector of HEP packets (version 3), by its public specification: "HEP3", the length, then chunks of vendor, type,
//! length and value.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// A message as a collector gets it.
#[derive(Debug)]
pub struct Captured {
    /// Who sent it.
    pub source: SocketAddr,
    /// To whom.
    pub destination: SocketAddr,
    /// The protocol above IP: 17 UDP, 6 TCP.
    pub protocol: u8,
    /// Seconds since 1970 UTC.
    pub seconds: u32,
    /// Microseconds of that second.
    pub microseconds: u32,
    /// Who saw it.
    pub capture_id: u32,
    /// What belongs together.
    pub correlation_id: String,
    /// The message.
    pub message: String,
}

/// A collector on a loopback port.
#[derive(Debug)]
pub struct Collector {
    socket: UdpSocket,
}

impl Collector {
    /// On a port of its own.
    pub fn start() -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { socket })
    }

    /// Where it listens.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }

    /// The next message.
    pub fn receive(&self) -> Result<Captured> {
        let mut buffer = vec![0; 65_535];
        let length = self.socket.recv(&mut buffer).context("no packet came")?;
        read(buffer.get(..length).context("a packet")?)
    }
}

/// Reads a packet with IPv4 addresses.
fn read(packet: &[u8]) -> Result<Captured> {
    let rest = packet.strip_prefix(b"HEP3").context("it does not begin with HEP3")?;
    let (length, mut rest) = rest.split_first_chunk::<2>().context("no length")?;
    ensure!(usize::from(u16::from_be_bytes(*length)) == packet.len(), "the length is wrong");
    let mut chunks: HashMap<u16, &[u8]> = HashMap::new();
    while let Some((head, after)) = rest.split_first_chunk::<6>() {
        let [v1, v2, k1, k2, l1, l2] = *head;
        ensure!([v1, v2] == [0, 0], "a chunk of another vendor");
        let length = usize::from(u16::from_be_bytes([l1, l2]));
        let value = after.get(..length.checked_sub(6).context("a chunk's length")?);
        let value = value.context("a chunk that is cut")?;
        chunks.insert(u16::from_be_bytes([k1, k2]), value);
        rest = after.get(value.len()..).unwrap_or_default();
    }
    ensure!(rest.is_empty(), "octets behind the last chunk");
    let chunk = |kind: u16| chunks.get(&kind).copied().with_context(|| format!("no chunk {kind}"));
    let byte = |kind| -> Result<u8> { Ok(u8::from_be_bytes(chunk(kind)?.try_into()?)) };
    let short = |kind| -> Result<u16> { Ok(u16::from_be_bytes(chunk(kind)?.try_into()?)) };
    let long = |kind| -> Result<u32> { Ok(u32::from_be_bytes(chunk(kind)?.try_into()?)) };
    let address = |kind| -> Result<IpAddr> { Ok(IpAddr::from(<[u8; 4]>::try_from(chunk(kind)?)?)) };
    ensure!(byte(1)? == 2, "the family is not IPv4");
    ensure!(byte(11)? == 1, "the type is not SIP");
    Ok(Captured {
        source: SocketAddr::new(address(3)?, short(7)?),
        destination: SocketAddr::new(address(4)?, short(8)?),
        protocol: byte(2)?,
        seconds: long(9)?,
        microseconds: long(10)?,
        capture_id: long(12)?,
        correlation_id: String::from_utf8(chunk(17)?.to_vec())?,
        message: String::from_utf8(chunk(15)?.to_vec())?,
    })
}
