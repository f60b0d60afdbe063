//! Packets that are no questions: their defined answer or none, and the server goes on.

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;
use ngn_tests::database::Backend;
use ngn_tests::dns::{answers, exchange_udp, question};
use ngn_tests::fixture::{dns_record, zone};
use ngn_tests::platform::Platform;
use ngn_tests::{http, record};

const PATIENCE: Duration = Duration::from_millis(700);

fn platform() -> Platform {
    let p = Platform::start(Backend::Sqlite);
    zone(&p.admin(), "example.com");
    p.admin().ok(
        "Dns.addRecord",
        record! { record: dns_record("example.com", "www", "A", "192.0.2.1") },
    );
    p.settle();
    p
}

#[track_caller]
fn alive(p: &Platform) {
    assert_eq!(answers(p.dns_address(), "www.example.com", RecordType::A).len(), 1);
}

/// The question's bytes: 12 of header, then the name.
fn good() -> Vec<u8> {
    question("www.example.com", RecordType::A).to_vec().unwrap()
}

// RFC 1035 section 4.1.1: what has a header and is wrong behind it is a format error.
#[test]
fn format_errors_are_told() {
    let p = platform();
    let patched = |at: usize, with: &[u8]| {
        let mut bytes = good();
        bytes.splice(at..at + with.len(), with.iter().copied());
        bytes
    };
    for (name, bytes) in [
        ("question cut off", good()[..20].to_vec()),
        ("only a header", good()[..12].to_vec()),
        ("label longer than the packet", patched(12, &[60])),
        ("compression pointer to itself", patched(12, &[0xc0, 12])),
        ("compression pointer ahead", patched(12, &[0xc0, 0xff])),
        ("reserved label type", patched(12, &[0x80])),
        ("two questions said, one there", patched(4, &[0, 2])),
        ("an additional record that is not there", patched(10, &[0, 9])),
    ] {
        let answer = exchange_udp(p.dns_address(), &bytes, PATIENCE)
            .unwrap_or_else(|_| panic!("{name}: no answer"));
        assert_eq!(answer[..2], bytes[..2], "{name}: another id");
        assert_eq!(answer[2] & 0x80, 0x80, "{name}: no response");
        assert_eq!(
            answer[3] & 0x0f,
            u8::try_from(u16::from(ResponseCode::FormErr)).unwrap(),
            "{name}"
        );
    }
    alive(&p);
}

// What has no header, or is itself a response, gets nothing: answering it could make two servers talk for ever.
#[test]
fn nonsense_and_responses_are_dropped() {
    let p = platform();
    let mut response = good();
    response[2] |= 0x80;
    for bytes in [vec![], vec![0], vec![0xff; 11], response] {
        assert!(exchange_udp(p.dns_address(), &bytes, PATIENCE).is_err(), "{bytes:?} was answered");
    }
    alive(&p);
}

#[test]
fn mutations_crash_nothing() {
    let p = platform();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    for round in 0..5_000 {
        let kind =
            [RecordType::A, RecordType::ANY, RecordType::AXFR, RecordType::SOA, RecordType::NAPTR]
                [round % 5];
        let mut bytes = question("a.b.www.example.com", kind).to_vec().unwrap();
        for _ in 0..=random(5) {
            let at = random(bytes.len());
            match random(3) {
                0 => bytes[at] = u8::try_from(random(256)).unwrap(),
                1 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, u8::try_from(random(256)).unwrap()),
            }
        }
        socket.send_to(&bytes, p.dns_address()).unwrap();
        if round % 1_000 == 999 {
            alive(&p);
        }
    }
}

// RFC 7766: several queries on a connection, in pieces; a client that never finishes holds up nobody.
#[test]
fn tcp_is_read_in_pieces() {
    let p = platform();
    let mut stream = http::connect(p.dns_address()).unwrap();
    let mut bytes = Vec::new();
    for _ in 0..3 {
        let query = good();
        bytes.extend_from_slice(&u16::try_from(query.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(&query);
    }
    for piece in bytes.chunks(5) {
        stream.write_all(piece).unwrap();
    }
    for _ in 0..3 {
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut answer = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(Message::from_vec(&answer).unwrap().answers.len(), 1);
    }
    for hopeless in [&b"\xff\xff"[..], b"\x00\x00", b"\x00\x05abcde", b"\x00"] {
        let mut stream = http::connect(p.dns_address()).unwrap();
        stream.write_all(hopeless).unwrap();
        alive(&p);
    }
}
