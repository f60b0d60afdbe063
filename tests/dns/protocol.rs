//! The protocol itself: truncation, TCP, EDNS, classes and operation codes.

use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::{DNSClass, RecordType};
use ngn_tests::database::Backend;
use ngn_tests::dns::{dig, exchange_tcp, exchange_udp, question};
use ngn_tests::fixture::{dns_record, zone};
use ngn_tests::platform::Platform;
use ngn_tests::record;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

fn platform() -> Platform {
    let p = Platform::start(Backend::Sqlite);
    zone(&p.admin(), "example.com");
    for n in 0..40 {
        let text = format!("{n} {}", "x".repeat(100));
        p.admin().ok(
            "Dns.addRecord",
            record! { record: dns_record("example.com", "big", "TXT", &text) },
        );
    }
    p.admin().ok(
        "Dns.addRecord",
        record! { record: dns_record("example.com", "www", "A", "192.0.2.1") },
    );
    p.settle();
    p
}

fn udp(p: &Platform, message: &Message) -> Message {
    Message::from_vec(&exchange_udp(p.dns_address(), &message.to_vec().unwrap(), PATIENCE).unwrap())
        .unwrap()
}

// RFC 6891 section 6.2.3, RFC 2181 section 9: no more than the asker can take, told by TC, whole over TCP.
#[test]
fn large_answers_are_truncated_and_come_whole_over_tcp() {
    let p = platform();
    let mut query = question("big.example.com", RecordType::TXT);
    let bytes = exchange_udp(p.dns_address(), &query.to_vec().unwrap(), PATIENCE).unwrap();
    assert!(bytes.len() <= 1232, "{}", bytes.len());
    assert!(Message::from_vec(&bytes).unwrap().metadata.truncation);
    query.edns = None;
    let bytes = exchange_udp(p.dns_address(), &query.to_vec().unwrap(), PATIENCE).unwrap();
    assert!(bytes.len() <= 512, "{}", bytes.len());
    let plain = Message::from_vec(&bytes).unwrap();
    assert!(plain.metadata.truncation && plain.edns.is_none());
    let whole =
        Message::from_vec(&exchange_tcp(p.dns_address(), &query.to_vec().unwrap()).unwrap())
            .unwrap();
    assert_eq!((whole.answers.len(), whole.metadata.truncation), (40, false));
    assert_eq!(
        dig(p.dns_address(), &["+short", "big.example.com", "TXT"]).unwrap().lines().count(),
        40
    );
}

#[test]
fn odd_questions_have_defined_answers() {
    let p = platform();
    // RFC 6891 section 6.1.3.
    let mut query = question("www.example.com", RecordType::A);
    query.edns.as_mut().unwrap().set_version(9);
    // BADVERS and BADSIG are one number, which the library reads as the latter.
    assert_eq!(u16::from(udp(&p, &query).metadata.response_code), 16);
    // Not our class, and not our business.
    let mut query = question("www.example.com", RecordType::A);
    query.queries[0].set_query_class(DNSClass::HS);
    assert_eq!(udp(&p, &query).metadata.response_code, ResponseCode::Refused);
    // RFC 1996, RFC 2136: from strangers.
    for opcode in [OpCode::Notify, OpCode::Update, OpCode::Status] {
        let mut query = question("example.com", RecordType::SOA);
        query.metadata.op_code = opcode;
        let code = udp(&p, &query).metadata.response_code;
        assert!(matches!(code, ResponseCode::NotImp | ResponseCode::Refused), "{opcode:?}: {code}");
    }
    // Zone transfers are for those that are named.
    let transfer =
        exchange_tcp(p.dns_address(), &question("example.com", RecordType::AXFR).to_vec().unwrap())
            .unwrap();
    assert_eq!(Message::from_vec(&transfer).unwrap().metadata.response_code, ResponseCode::Refused);
    // RFC 8482.
    let any = udp(&p, &question("www.example.com", RecordType::ANY));
    assert_eq!(any.metadata.response_code, ResponseCode::NoError);
    // An authoritative server: recursion is not on offer.
    assert!(!udp(&p, &question("www.example.com", RecordType::A)).metadata.recursion_available);
}
