//! Destinations and the like in few octets.

use crate::header::Transport;
use crate::proxy::{Destination, FlowId, Oversize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// Appends whether there is something, and what.
pub(super) fn put_option<const N: usize>(to: &mut Vec<u8>, octets: Option<[u8; N]>) {
    to.push(u8::from(octets.is_some()));
    to.extend(octets.into_iter().flatten());
}

/// Appends a text with its length; of one that is longer than 65,535 octets, only as many.
pub(super) fn put_text(to: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    to.extend(length.to_le_bytes());
    to.extend(text.bytes().take(usize::from(length)));
}

/// Appends a destination.
pub(super) fn put_destination(to: &mut Vec<u8>, destination: &Destination) {
    let Destination { transport, local, remote, flow, only_flow, server_name, oversize } =
        destination;
    let (number, name) = match transport {
        Transport::Udp => (0, None),
        Transport::Tcp => (1, None),
        Transport::Tls => (2, None),
        Transport::Sctp => (3, None),
        Transport::Ws => (4, None),
        Transport::Wss => (5, None),
        Transport::Other(name) => (6, Some(name)),
    };
    to.push(number);
    name.into_iter().for_each(|name| put_text(to, name));
    to.push(match oversize {
        Oversize::Keep => 0,
        Oversize::Switch => 1,
        Oversize::Switched => 2,
    });
    to.push(u8::from(*only_flow));
    put_option(to, flow.map(|flow| flow.0.to_le_bytes()));
    put_address(to, remote);
    to.push(u8::from(local.is_some()));
    local.iter().for_each(|local| put_address(to, local));
    to.push(u8::from(server_name.is_some()));
    server_name.iter().for_each(|name| put_text(to, name));
}

fn put_address(to: &mut Vec<u8>, address: &SocketAddr) {
    match address {
        SocketAddr::V4(address) => {
            to.push(4);
            to.extend(address.ip().octets());
        }
        SocketAddr::V6(address) => {
            to.push(6);
            to.extend(address.ip().octets());
            to.extend(address.flowinfo().to_le_bytes());
            to.extend(address.scope_id().to_le_bytes());
        }
    }
    to.extend(address.port().to_le_bytes());
}

/// Takes what was written from the front of what is left.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn octet(&mut self) -> Option<u8> {
        self.array().map(|[octet]| octet)
    }

    /// What is there, or that there is nothing.
    #[allow(clippy::option_option, reason = "whether it can be read, and whether it is there")]
    pub(super) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.octet()? == 0 { Some(None) } else { read(self).map(Some) }
    }

    pub(super) fn text(&mut self) -> Option<&'a [u8]> {
        let length = u16::from_le_bytes(self.array()?);
        let (text, rest) = self.0.split_at_checked(usize::from(length))?;
        self.0 = rest;
        Some(text)
    }

    fn string(&mut self) -> Option<String> {
        self.text().map(|text| String::from_utf8_lossy(text).into_owned())
    }

    pub(super) fn destination(&mut self) -> Option<Destination> {
        let transport = match self.octet()? {
            0 => Transport::Udp,
            1 => Transport::Tcp,
            2 => Transport::Tls,
            3 => Transport::Sctp,
            4 => Transport::Ws,
            5 => Transport::Wss,
            _ => Transport::Other(self.string()?),
        };
        let oversize = match self.octet()? {
            0 => Oversize::Keep,
            1 => Oversize::Switch,
            _ => Oversize::Switched,
        };
        let only_flow = self.octet()? != 0;
        let flow = self.option(Self::array)?.map(|flow| FlowId(u64::from_le_bytes(flow)));
        let remote = self.address()?;
        let local = self.option(Self::address)?;
        let server_name = self.option(Self::string)?;
        Some(Destination { transport, local, remote, flow, only_flow, server_name, oversize })
    }

    fn address(&mut self) -> Option<SocketAddr> {
        if self.octet()? == 4 {
            let ip = IpAddr::V4(Ipv4Addr::from(self.array::<4>()?));
            return Some(SocketAddr::new(ip, u16::from_le_bytes(self.array()?)));
        }
        let ip = Ipv6Addr::from(self.array::<16>()?);
        let flow_info = u32::from_le_bytes(self.array()?);
        let scope = u32::from_le_bytes(self.array()?);
        let port = u16::from_le_bytes(self.array()?);
        Some(SocketAddr::V6(SocketAddrV6::new(ip, port, flow_info, scope)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses() -> [SocketAddr; 3] {
        let v6 = Ipv6Addr::new(0xfe80, 0, 0, 0, 1, 2, 3, 4);
        [
            "192.0.2.1:5060".parse().expect("an address"),
            "[2001:db8::1]:65535".parse().expect("an address"),
            SocketAddr::V6(SocketAddrV6::new(v6, 1, 7, 9)),
        ]
    }

    #[test]
    fn each_destination_is_read_as_it_was_written() {
        let transports = [
            Transport::Udp,
            Transport::Tcp,
            Transport::Tls,
            Transport::Sctp,
            Transport::Ws,
            Transport::Wss,
            Transport::Other("DCCP".to_owned()),
        ];
        let locals = [None].into_iter().chain(addresses().map(Some));
        let mut tried = 0;
        for (n, local) in locals.enumerate() {
            for (transport, remote) in
                transports.iter().flat_map(|t| addresses().map(|remote| (t.clone(), remote)))
            {
                for oversize in [Oversize::Keep, Oversize::Switch, Oversize::Switched] {
                    let destination = Destination {
                        transport: transport.clone(),
                        local,
                        remote,
                        flow: (n % 2 == 0).then_some(FlowId(u64::MAX - 3)),
                        only_flow: n % 3 == 0,
                        server_name: (n % 2 == 1).then(|| "sip.example.com".to_owned()),
                        oversize,
                    };
                    let mut octets = Vec::new();
                    put_destination(&mut octets, &destination);
                    octets.extend(b"rest");
                    let mut reader = Reader(&octets);
                    assert_eq!(reader.destination().as_ref(), Some(&destination));
                    assert_eq!(reader.0, b"rest");
                    // What is cut off is nothing, and no fault.
                    for length in 0..octets.len() - 4 {
                        assert_eq!(
                            Reader(octets.get(..length).expect("a part")).destination(),
                            None
                        );
                    }
                    tried += 1;
                }
            }
        }
        assert_eq!(tried, 4 * 7 * 3 * 3);
    }

    #[test]
    fn a_datagram_goes_back_by_few_octets() {
        let [remote, ..] = addresses();
        let mut destination = Destination::new(Transport::Udp, remote);
        destination.local = Some(remote);
        let mut octets = Vec::new();
        put_destination(&mut octets, &destination);
        assert_eq!(octets.len(), 20);
    }

    #[test]
    fn options_and_texts() {
        let mut octets = Vec::new();
        put_option(&mut octets, Some([1, 2]));
        put_option::<2>(&mut octets, None);
        put_text(&mut octets, "BYE");
        put_text(&mut octets, &"x".repeat(70_000));
        let mut reader = Reader(&octets);
        assert_eq!(reader.option(Reader::array), Some(Some([1, 2])));
        assert_eq!(reader.option(Reader::array::<2>), Some(None));
        assert_eq!(reader.text(), Some(&b"BYE"[..]));
        assert_eq!(reader.text().map(<[u8]>::len), Some(65_535));
        assert!(reader.0.is_empty() && reader.text().is_none());
        assert_eq!(reader.option(Reader::array::<2>), None);
    }
}
