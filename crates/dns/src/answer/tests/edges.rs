//! What the comparison with other servers brought to light.

use super::*;
use hickory_proto::op::Edns;

/// AA is clear in a referral, also when its name servers do not fit (RFC 1034 section 4.3.2, RFC 2181 section 9).
#[test]
fn a_referral_that_is_cut_short_is_a_referral() {
    let servers: Vec<String> =
        (0..40).map(|n| format!("a-long-name-of-a-server-{n}.sub.example.net")).collect();
    let lines: Vec<(&str, &str, u32, &str)> =
        servers.iter().map(|server| ("sub.example.net", "NS", 60, server.as_str())).collect();
    let zones: Zones = [crate::zone::tests::zone("example.net", &lines)].into_iter().collect();
    for (name, qtype) in [
        ("sub.example.net", RecordType::NS),
        ("www.sub.example.net", RecordType::A),
        ("www.sub.example.net", RecordType::ANY),
    ] {
        let octets = query(name, qtype).to_vec().unwrap();
        let mut out = Vec::new();
        for (transport, truncated) in [(Transport::Udp, true), (Transport::Tcp, false)] {
            answer(&zones, &octets, Limits::new(transport), &mut out);
            let answer = Message::from_vec(&out).unwrap();
            assert_eq!(answer.metadata.truncation, truncated, "{name} {qtype}");
            assert!(!answer.metadata.authoritative, "{name} {qtype}");
            assert_eq!(answer.authorities.is_empty(), truncated, "{name} {qtype}");
        }
    }
}

/// RFC 6891 section 6.1.1: whoever sends OPT gets OPT, also for an operation that is none of ours (RFC 8906 section 8.2).
#[test]
fn unknown_operations_with_edns_are_answered_with_edns() {
    for opcode in (1..16).map(|opcode: u8| opcode << 3) {
        let mut message = query("www.example.com", RecordType::A);
        message.set_edns(Edns::new());
        let mut octets = message.to_vec().unwrap();
        octets[2] = opcode;
        let (answer, answered) = raw(&octets, Transport::Udp).unwrap();
        assert_eq!((answered.rcode, answer[2] & 0x78), (Rcode::NotImp, opcode));
        // No question, one OPT of version 0 without options.
        assert_eq!(answer[4..12], [0, 0, 0, 0, 0, 0, 0, 1], "{opcode}");
        assert_eq!(answer[12..], [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0], "{opcode}");
    }
    // Neither where there was none nor where nothing can be read.
    for (octets, cut) in
        [(query("www.example.com", RecordType::A), 0), (query("a.example", RecordType::A), 3)]
    {
        let mut octets = octets.to_vec().unwrap();
        octets[2] = 0x28;
        octets.truncate(octets.len() - cut);
        assert_eq!(raw(&octets, Transport::Udp).unwrap().0.len(), 12);
    }
}

/// Names are compressed by pointing to labels (RFC 1035 section 4.1.4), not to octets within one that look the same.
#[test]
fn nothing_points_into_a_label_of_the_question() {
    let lines =
        [("*.example.org", "MX", 60, "b.example.org"), ("b.example.org", "A", 60, "192.0.2.1")];
    let zones: Zones = [crate::zone::tests::zone("example.org", &lines)].into_iter().collect();
    for (name, exchange) in [
        // The end of the first label and what follows it are the octets of `b.example.org`.
        ("x?B.example.org", &b"\x01b\xc0\x10"[..]),
        ("xx.Example.org", b"\x01b\xc0\x0f"),
    ] {
        let mut octets = query(&name.replace('?', "-"), RecordType::MX).to_vec().unwrap();
        if let Some(at) = name.find('?') {
            octets[13 + at] = 1;
        }
        let mut out = Vec::new();
        answer(&zones, &octets, Limits::new(Transport::Udp), &mut out);
        let read = Message::from_vec(&out).unwrap();
        let rdata = [&b"\x00\x0a"[..], exchange].concat();
        let rdata = [&u16::try_from(rdata.len()).unwrap().to_be_bytes()[..], &rdata].concat();
        assert!(out.windows(rdata.len()).any(|octets| octets == rdata), "{name}: {out:x?}");
        assert_eq!(lines_of(&read), ["10 b.example.org."], "{name}");
    }
}

fn lines_of(message: &Message) -> Vec<String> {
    message.answers.iter().map(|record| record.data.to_string()).collect()
}
