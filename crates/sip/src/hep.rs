//! Packets by which messages are shown to a collector such as Homer: HEP3, the Homer Encapsulation Protocol.
//!
//! ```text
//! "HEP3" | length of all (16 bits) | chunk | chunk | …
//! chunk: vendor (16) | type (16) | length with these six octets (16) | value
//! ```
//!
//! Source: "HEP3 Network Protocol Specification", sections "Packet Format" and "Chunk Payload Types"; vendor 0 has
//! the types of that document. All numbers are in network order.

use std::net::{IpAddr, SocketAddr};

/// What every packet begins with.
const MAGIC: &[u8; 4] = b"HEP3";
/// Octets before the first chunk.
const HEAD: usize = 6;
/// Address family of IPv4 and of IPv6.
const FAMILIES: [u8; 2] = [0x02, 0x0a];
/// Type "SIP" of what was captured.
const SIP: u8 = 0x01;

/// How a message was carried: the number of the protocol above IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// TCP, with or without TLS or WebSocket.
    Tcp,
    /// UDP.
    Udp,
}

/// A message that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Who sent it.
    pub source: SocketAddr,
    /// To whom.
    pub destination: SocketAddr,
    /// How.
    pub carrier: Carrier,
    /// When, in microseconds since 1970 UTC.
    pub at: u64,
    /// Who saw it: the number by which the collector knows this node.
    pub capture_id: u32,
    /// What belongs together: the Call-ID; empty when there is none.
    pub correlation_id: &'a str,
    /// The message.
    pub payload: &'a [u8],
}

impl Packet<'_> {
    /// The packet's octets; `None` when it is longer than 65,535, or the time is beyond the year 2106.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(HEAD + 120 + self.payload.len());
        out.extend(MAGIC);
        out.extend([0, 0]);
        let (source, destination) = (self.source.ip(), self.destination.ip());
        let protocol = match self.carrier {
            Carrier::Tcp => 6,
            Carrier::Udp => 17,
        };
        let [v4, v6] = FAMILIES;
        match (source.to_canonical(), destination.to_canonical()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                chunk(&mut out, 0x01, &[v4])?;
                chunk(&mut out, 0x02, &[protocol])?;
                chunk(&mut out, 0x03, &from.octets())?;
                chunk(&mut out, 0x04, &to.octets())?;
            }
            // One of each, which only a node without a proper address of its own has, is shown as IPv6.
            (from, to) => {
                let octets = |address: IpAddr| match address {
                    IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
                    IpAddr::V6(address) => address.octets(),
                };
                chunk(&mut out, 0x01, &[v6])?;
                chunk(&mut out, 0x02, &[protocol])?;
                chunk(&mut out, 0x05, &octets(from))?;
                chunk(&mut out, 0x06, &octets(to))?;
            }
        }
        chunk(&mut out, 0x07, &self.source.port().to_be_bytes())?;
        chunk(&mut out, 0x08, &self.destination.port().to_be_bytes())?;
        let seconds = u32::try_from(self.at / 1_000_000).ok()?;
        let micros = u32::try_from(self.at % 1_000_000).ok()?;
        chunk(&mut out, 0x09, &seconds.to_be_bytes())?;
        chunk(&mut out, 0x0a, &micros.to_be_bytes())?;
        chunk(&mut out, 0x0b, &[SIP])?;
        chunk(&mut out, 0x0c, &self.capture_id.to_be_bytes())?;
        chunk(&mut out, 0x0f, self.payload)?;
        if !self.correlation_id.is_empty() {
            chunk(&mut out, 0x11, self.correlation_id.as_bytes())?;
        }
        let length = u16::try_from(out.len()).ok()?.to_be_bytes();
        out.splice(4..HEAD, length);
        Some(out)
    }
}

/// A chunk of vendor 0; nothing when its value is too long.
fn chunk(out: &mut Vec<u8>, kind: u16, value: &[u8]) -> Option<()> {
    let length = u16::try_from(value.len()).ok()?.checked_add(6)?;
    out.extend([0, 0]);
    out.extend(kind.to_be_bytes());
    out.extend(length.to_be_bytes());
    out.extend(value);
    Some(())
}

#[cfg(test)]
mod tests;
