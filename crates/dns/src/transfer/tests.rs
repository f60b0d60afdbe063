mod differences;

use super::*;
use crate::answer::Transport;
use crate::zone::tests::{row, rows, zone};
use hickory_proto::op::{Edns, Message, MessageType, OpCode};
use hickory_proto::rr::rdata::SOA;
use hickory_proto::rr::{Name, RData, Record as Rr, RecordType};
use std::str::FromStr as _;

pub(super) fn query(name: &str, serial: Option<u32>) -> Vec<u8> {
    let name = Name::from_str(&format!("{name}.")).unwrap();
    let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
    let qtype = if serial.is_some() { RecordType::IXFR } else { RecordType::AXFR };
    message.add_query(hickory_proto::op::Query::query(name.clone(), qtype));
    if let Some(serial) = serial {
        let soa = SOA::new(name.clone(), name.clone(), serial, 1, 1, 1, 1);
        message.authorities.push(Rr::from_rdata(name, 0, RData::SOA(soa)));
    }
    message.set_edns(Edns::new());
    message.to_vec().unwrap()
}

/// All messages, each read by a library.
pub(super) fn read(mut messages: Messages<'_>) -> Vec<Message> {
    let mut out = b"left over".to_vec();
    let mut read = Vec::new();
    while messages.next(&mut out).unwrap() {
        let message = Message::from_vec(&out).expect("a message that can be read");
        assert_eq!((message.metadata.id, message.metadata.authoritative), (4711, true));
        assert_eq!(message.queries.len(), 1);
        assert!(message.edns.is_some(), "RFC 5936 section 2.2.5");
        read.push(message);
    }
    read
}

/// Records as text, in their order; types that the library has no name for are left as it shows them.
pub(super) fn lines(messages: &[Message]) -> Vec<String> {
    let records = messages.iter().flat_map(|message| &message.answers);
    records.map(|r| format!("{} {} {} {}", r.name, r.ttl, r.record_type(), r.data)).collect()
}

#[test]
fn only_transfers_that_make_sense_are_read() {
    let axfr = query("example.com", None);
    assert_eq!(Query::read(&axfr).unwrap().kind(), Kind::Axfr);
    let ixfr = query("example.com", Some(77));
    assert_eq!(Query::read(&ixfr).unwrap().kind(), Kind::Ixfr { serial: 77 });
    for length in 0..ixfr.len() {
        assert!(Query::read(&ixfr[..length]).is_none(), "{length}");
    }
    // A response, another operation, another class, an IXFR without SOA, EDNS version 1.
    let spoilt: [(usize, u8); 3] = [(2, 0x80), (2, 0x28), (12 + 13 + 3, 4)];
    for (at, value) in spoilt {
        let mut other = axfr.clone();
        other[at] = value;
        assert!(Query::read(&other).is_none(), "{at}");
    }
    let mut bare = axfr.clone();
    bare[12 + 13 + 1] = 251;
    assert!(Query::read(&bare).is_none());
    let mut version = axfr;
    let at = version.len() - 5;
    version[at] = 1;
    assert!(Query::read(&version).is_none());
}

/// RFC 5936 section 2.2: SOA, everything else once, SOA; glue and what lies below delegations too (section 3.5).
#[test]
fn a_whole_zone_in_several_messages() {
    let names: Vec<String> = (0..3_000).map(|n| format!("host-{n}.example.com")).collect();
    let mut records: Vec<(&str, &str, u32, &str)> =
        names.iter().map(|name| (name.as_str(), "A", 60, "192.0.2.1")).collect();
    records.extend([
        ("sub.example.com", "NS", 60, "ns.sub.example.com"),
        ("ns.sub.example.com", "A", 60, "192.0.2.54"),
        ("ns.sub.example.com", "A", 60, "192.0.2.55"),
        ("*.wild.example.com", "TXT", 60, "\"w\""),
        ("example.com", "MX", 60, "host-1.example.com"),
    ]);
    let zone = zone("example.com", &records);
    let asked = query("example.com", None);
    let query = Query::read(&asked).unwrap();
    let limits = Limits::new(Transport::Tcp);
    let messages = read(Messages::axfr(query, &zone, limits, 0, None).unwrap());
    assert!(messages.len() > 3, "{} messages", messages.len());
    let mut lines = lines(&messages);
    let (last, first) = (lines.pop().unwrap(), lines.remove(0));
    assert_eq!(first, last);
    assert!(first.contains(" SOA ns1.example.com. hostmaster.example.com. 2026010107 "), "{first}");
    assert_eq!(lines.len(), zone.record_count() - 1);
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), zone.record_count() - 1);
    for line in ["ns.sub.example.com. 60 A 192.0.2.55", "*.wild.example.com. 60 TXT w"] {
        assert!(lines.iter().any(|found| found == line), "{line}");
    }
}

#[test]
fn long_records_get_messages_of_their_own_and_impossible_ones_end_the_transfer() {
    let asked = query("example.com", None);
    let query = Query::read(&asked).unwrap();
    let limits = Limits::new(Transport::Tcp);
    let long = |octets: usize| format!("\\# {octets} {}", "00".repeat(octets));
    let large = zone("example.com", &[("a.example.com", "TYPE65280", 1, &long(60_000))]);
    let messages = read(Messages::axfr(query, &large, limits, 300, None).unwrap());
    assert_eq!(lines(&messages).len(), 4);
    let impossible = zone("example.com", &[("a.example.com", "TYPE65280", 1, &long(65_500))]);
    let mut messages = Messages::axfr(query, &impossible, limits, 300, None).unwrap();
    let mut out = Vec::new();
    let end = loop {
        match messages.next(&mut out) {
            Ok(true) => {}
            end => break end,
        }
    };
    assert_eq!(end, Err(Broken::RecordTooLong));
}

#[test]
fn a_zone_without_soa_is_not_given_away() {
    let mut rows = rows("example.com", &[]);
    rows.records = vec![row("www.example.com", "A", 60, "192.0.2.1")];
    let (zone, _) = Zone::build(&rows);
    let asked = query("example.com", None);
    let query = Query::read(&asked).unwrap();
    assert!(Messages::axfr(query, &zone, Limits::new(Transport::Tcp), 0, None).is_none());
    let mut out = Vec::new();
    query.refuse(Rcode::ServFail, 1232, &mut out);
    let answer = Message::from_vec(&out).unwrap();
    assert_eq!(u16::from(answer.metadata.response_code), 2);
    assert_eq!((answer.answers.len(), answer.metadata.authoritative), (0, false));
}
