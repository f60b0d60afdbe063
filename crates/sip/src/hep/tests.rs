use super::*;
use std::collections::BTreeMap;

/// The chunks of a packet by type, read as the specification's section "Packet Format" says; `None` when it is none.
fn decode(octets: &[u8]) -> Option<BTreeMap<u16, Vec<u8>>> {
    let number = |at: usize| -> Option<usize> {
        Some(usize::from(u16::from_be_bytes([*octets.get(at)?, *octets.get(at + 1)?])))
    };
    if octets.get(..4)? != b"HEP3" || number(4)? != octets.len() {
        return None;
    }
    let (mut chunks, mut at) = (BTreeMap::new(), 6);
    while at < octets.len() {
        let (vendor, kind, length) = (number(at)?, number(at + 2)?, number(at + 4)?);
        if vendor != 0 || length < 6 {
            return None;
        }
        let value = octets.get(at + 6..at + length)?.to_vec();
        if chunks.insert(u16::try_from(kind).ok()?, value).is_some() {
            return None;
        }
        at += length;
    }
    Some(chunks)
}

fn packet<'a>(source: &str, destination: &str, payload: &'a [u8]) -> Packet<'a> {
    Packet {
        source: source.parse().expect("an address"),
        destination: destination.parse().expect("an address"),
        carrier: Carrier::Udp,
        at: 1_313_440_459_120_000,
        capture_id: 228,
        correlation_id: "",
        payload,
    }
}

/// A packet as the tables of the specification put it together, octet by octet.
#[test]
fn a_packet_is_laid_out_as_the_specification_says() {
    let octets = packet("212.202.0.1:12010", "82.116.0.211:5060", b"INVITE bob\r\n\r\n").encode();
    #[rustfmt::skip]
    let expected: &[u8] = &[
        0x48, 0x45, 0x50, 0x33, 0x00, 0x71,
        0x00, 0x00, 0x00, 0x01, 0x00, 0x07, 0x02,
        0x00, 0x00, 0x00, 0x02, 0x00, 0x07, 0x11,
        0x00, 0x00, 0x00, 0x03, 0x00, 0x0a, 0xd4, 0xca, 0x00, 0x01,
        0x00, 0x00, 0x00, 0x04, 0x00, 0x0a, 0x52, 0x74, 0x00, 0xd3,
        0x00, 0x00, 0x00, 0x07, 0x00, 0x08, 0x2e, 0xea,
        0x00, 0x00, 0x00, 0x08, 0x00, 0x08, 0x13, 0xc4,
        0x00, 0x00, 0x00, 0x09, 0x00, 0x0a, 0x4e, 0x49, 0x82, 0xcb,
        0x00, 0x00, 0x00, 0x0a, 0x00, 0x0a, 0x00, 0x01, 0xd4, 0xc0,
        0x00, 0x00, 0x00, 0x0b, 0x00, 0x07, 0x01,
        0x00, 0x00, 0x00, 0x0c, 0x00, 0x0a, 0x00, 0x00, 0x00, 0xe4,
        0x00, 0x00, 0x00, 0x0f, 0x00, 0x14,
        0x49, 0x4e, 0x56, 0x49, 0x54, 0x45, 0x20, 0x62, 0x6f, 0x62, 0x0d, 0x0a, 0x0d, 0x0a,
    ];
    assert_eq!(octets.as_deref(), Some(expected));
}

#[test]
fn addresses_of_both_families_and_what_belongs_together() {
    let mut packet = packet("[2001:db8::7]:5061", "[2001:db8::1]:5060", b"x");
    (packet.carrier, packet.correlation_id) = (Carrier::Tcp, "call-1@a");
    let chunks = decode(&packet.encode().expect("octets")).expect("a packet");
    assert_eq!((&chunks[&1][..], &chunks[&2][..]), (&[0x0a][..], &[6][..]));
    assert_eq!(chunks[&5][..4], [0x20, 0x01, 0x0d, 0xb8]);
    assert_eq!((chunks[&5][15], chunks[&6][15]), (7, 1));
    assert!(!chunks.contains_key(&3) && !chunks.contains_key(&4));
    assert_eq!(chunks[&0x11], b"call-1@a");
    assert_eq!(chunks[&0x0f], b"x");
    // IPv4 that is written as IPv6 is IPv4.
    packet.source = "[::ffff:192.0.2.7]:5060".parse().expect("an address");
    packet.destination = "192.0.2.1:5060".parse().expect("an address");
    let chunks = decode(&packet.encode().expect("octets")).expect("a packet");
    assert_eq!((&chunks[&1][..], &chunks[&3][..]), (&[0x02][..], &[192, 0, 2, 7][..]));
    // One of each is shown as IPv6.
    packet.destination = "[2001:db8::1]:5060".parse().expect("an address");
    let chunks = decode(&packet.encode().expect("octets")).expect("a packet");
    assert_eq!(chunks[&5][10..], [0xff, 0xff, 192, 0, 2, 7]);
}

#[test]
fn what_is_too_long_is_no_packet() {
    let longest = vec![b'x'; 65_535 - 99];
    let encoded = packet("192.0.2.1:1", "192.0.2.2:2", &longest).encode().expect("octets");
    assert_eq!(encoded.len(), 65_535);
    assert_eq!(decode(&encoded).expect("a packet")[&0x0f].len(), longest.len());
    let longer = vec![b'x'; longest.len() + 1];
    assert_eq!(packet("192.0.2.1:1", "192.0.2.2:2", &longer).encode(), None);
    assert_eq!(packet("192.0.2.1:1", "192.0.2.2:2", &vec![0; 70_000]).encode(), None);
    let late = Packet { at: u64::MAX, ..packet("192.0.2.1:1", "192.0.2.2:2", b"x") };
    assert_eq!(late.encode(), None);
}
