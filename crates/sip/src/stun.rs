//! STUN on a SIP port (RFC 5389), as phones behind NAT use it to keep their way open and to learn whether it still is
//! the same (RFC 5626 section 4.4.2): Binding requests are answered with where they came from, and nothing else is.
//!
//! The two most significant bits of STUN are zero. Those of some octets that a method may begin with are too (`!`, `%`, `'`,
//! `*`, `+`, `-`, `.`, digits; RFC 3261 section 25.1), and of the line ends that may stand before a message (section 7.5), but
//! STUN has no types that begin so.

use std::net::{IpAddr, SocketAddr};

const HEADER: usize = 20;
const COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;
const MAPPED_ADDRESS: u16 = 0x0001;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
/// Attributes below must be understood (section 15).
const OPTIONAL: u16 = 0x8000;
/// CHANGE-REQUEST, RESPONSE-ADDRESS and others that RFC 3489 had mandatory; and those of RFC 5389 that say who asks, which
/// nobody has to for this (section 10).
const UNDERSTOOD: [u16; 6] = [0x0001, 0x0006, 0x0008, 0x0014, 0x0015, 0x0020];
/// The most unknown attributes that are named in an answer.
const MOST_UNKNOWN: usize = 8;

/// Whether a datagram cannot be SIP, and may be STUN.
#[must_use]
pub fn may_be_stun(octets: &[u8]) -> bool {
    let is_type = |first: &u8| *first < 0x20 && !matches!(*first, b'\r' | b'\n');
    octets.len() >= HEADER && octets.first().is_some_and(is_type)
}

/// The answer to a Binding request that came from `remote`; `None` for everything else, which is dropped. It is at most
/// 48 octets long.
#[must_use]
pub fn answer(octets: &[u8], remote: SocketAddr) -> Option<Vec<u8>> {
    let (head, attributes) = octets.split_first_chunk::<HEADER>()?;
    let (kind, rest) = head.split_first_chunk::<2>()?;
    let (length, transaction) = rest.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    if u16::from_be_bytes(*kind) != BINDING_REQUEST
        || length != attributes.len()
        || !length.is_multiple_of(4)
    {
        return None;
    }
    let unknown = unknown(attributes)?;
    let is_modern = transaction.starts_with(&COOKIE);
    if !unknown.is_empty() {
        // Section 7.3.1.
        let code = vec![0, 0, 4, 20];
        let names: Vec<u8> = unknown.iter().flat_map(|kind| kind.to_be_bytes()).collect();
        let parts = [(ERROR_CODE, code), (UNKNOWN_ATTRIBUTES, names)];
        return message(BINDING_ERROR, transaction, &parts);
    }
    let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
    let part = if is_modern {
        (XOR_MAPPED_ADDRESS, mapped(remote, transaction))
    } else {
        // Section 12.2: who speaks RFC 3489 has a longer transaction ID in place of the cookie.
        (MAPPED_ADDRESS, mapped(remote, &[0; 16]))
    };
    message(BINDING_SUCCESS, transaction, &[part])
}

/// The attributes that would have to be understood and are not; `None` when they cannot be told apart.
fn unknown(mut attributes: &[u8]) -> Option<Vec<u16>> {
    let mut unknown = Vec::new();
    while !attributes.is_empty() {
        let (kind, rest) = attributes.split_first_chunk::<2>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let padded = usize::from(u16::from_be_bytes(*length)).next_multiple_of(4);
        attributes = rest.get(padded..)?;
        let kind = u16::from_be_bytes(*kind);
        let is_new = !UNDERSTOOD.contains(&kind) && !unknown.contains(&kind);
        if kind < OPTIONAL && is_new && unknown.len() < MOST_UNKNOWN {
            unknown.push(kind);
        }
    }
    Some(unknown)
}

/// Section 15.2: port and address, each octet changed by one of the mask.
fn mapped(remote: SocketAddr, mask: &[u8]) -> Vec<u8> {
    let (family, address) = match remote.ip() {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    let port = remote.port().to_be_bytes();
    let masked = |octets: &[u8]| -> Vec<u8> {
        octets.iter().zip(mask).map(|(octet, mask)| octet ^ mask).collect()
    };
    let mut value = vec![0, family];
    value.extend(masked(&port));
    value.extend(masked(&address));
    value
}

fn message(kind: u16, transaction: &[u8], parts: &[(u16, Vec<u8>)]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    for (kind, value) in parts {
        body.extend(kind.to_be_bytes());
        body.extend(u16::try_from(value.len()).ok()?.to_be_bytes());
        body.extend(value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    let mut octets = Vec::with_capacity(HEADER + body.len());
    octets.extend(kind.to_be_bytes());
    octets.extend(u16::try_from(body.len()).ok()?.to_be_bytes());
    octets.extend_from_slice(transaction);
    octets.extend(body);
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transaction of RFC 5769.
    const TRANSACTION: [u8; 16] = [
        0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf,
        0xae,
    ];

    fn request(attributes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(attributes.len()).expect("short").to_be_bytes();
        [&BINDING_REQUEST.to_be_bytes(), &length[..], &TRANSACTION, attributes].concat()
    }

    fn from(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    /// The mapped addresses of RFC 5769 sections 2.2 and 2.3.
    #[test]
    fn rfc5769_2_sample_responses() {
        let v4 = answer(&request(&[]), from("192.0.2.1:32853")).expect("an answer");
        let head = [&[0x01, 0x01, 0x00, 0x0c][..], &TRANSACTION].concat();
        let xored = [0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
        assert_eq!(v4, [&head[..], &xored].concat());
        let remote = from("[2001:db8:1234:5678:11:2233:4455:6677]:32853");
        let v6 = answer(&request(&[]), remote).expect("an answer");
        let xored = [
            0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3,
            0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
        ];
        assert_eq!(v6[HEADER..], xored);
    }

    #[test]
    fn rfc5389_12_2_who_speaks_rfc3489_gets_the_plain_address() {
        let mut request = request(&[]);
        request[4..8].copy_from_slice(b"old!");
        let answer = answer(&request, from("192.0.2.1:5060")).expect("an answer");
        assert_eq!(answer[4..20], request[4..20]);
        assert_eq!(answer[20..], [0, 1, 0, 8, 0, 1, 0x13, 0xc4, 192, 0, 2, 1]);
    }

    #[test]
    fn rfc5389_7_3_1_attributes_that_are_not_understood_are_named() {
        let optional = [0x80, 0x22, 0, 3, b'a', b'b', b'c', 0];
        assert!(answer(&request(&optional), from("192.0.2.1:1")).expect("an answer")[1] == 1);
        let strange = [0x7f, 0xff, 0, 0, 0x7f, 0xfe, 0, 1, 9, 0, 0, 0, 0x7f, 0xff, 0, 0];
        let refused = answer(&request(&strange), from("192.0.2.1:1")).expect("an answer");
        assert_eq!(refused[..2], BINDING_ERROR.to_be_bytes());
        assert_eq!(refused[20..28], [0, 9, 0, 4, 0, 0, 4, 20]);
        assert_eq!(refused[28..], [0, 10, 0, 4, 0x7f, 0xff, 0x7f, 0xfe]);
    }

    #[test]
    fn what_is_no_binding_request_gets_no_answer() {
        let good = request(&[]);
        let remote = from("192.0.2.1:1");
        for end in 0..good.len() {
            assert_eq!(answer(&good[..end], remote), None);
        }
        let changed = |at: usize, octet: u8| {
            let mut octets = good.clone();
            octets[at] = octet;
            answer(&octets, remote)
        };
        assert_eq!(changed(1, 0x11), None, "an indication");
        assert_eq!(changed(0, 0x01), None, "a response");
        assert_eq!(changed(3, 4), None, "a length that is not there");
        assert_eq!(answer(&request(&[0x80, 0x22, 0, 9, 1, 2, 3, 4]), remote), None);
        assert_eq!(answer(&request(&[0x80, 0x22]), remote), None);
        assert!(!may_be_stun(b"OPTIONS sip:example.com SIP/2.0\r\n"));
        assert!(!may_be_stun(b"\r\n\r\n") && may_be_stun(&good));
    }

    #[test]
    fn sip_is_not_taken_for_stun() {
        for begin in ["!odd", "%41", "'", "*", "+", "-", ".", "0", "\r\nOPTIONS", "\nX", "OPTIONS"]
        {
            let octets = format!("{begin} sip:example.com SIP/2.0\r\n");
            assert!(!may_be_stun(octets.as_bytes()), "{begin:?}");
        }
        let mut request = [0; HEADER];
        assert!(may_be_stun(&request));
        assert!(!may_be_stun(request.get(1..).unwrap_or_default()));
        for kind in [BINDING_REQUEST, BINDING_SUCCESS, BINDING_ERROR, 0x0003, 0x0011] {
            request[..2].copy_from_slice(&kind.to_be_bytes());
            assert!(may_be_stun(&request), "{kind:#06x}");
        }
    }
}
