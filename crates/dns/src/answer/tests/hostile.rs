//! Queries that are malformed, that are none, or that are random.

use super::*;
use proptest::prelude::*;

const OPT: [u8; 11] = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];

/// A query with octets behind the question and these counts of questions and further records.
fn patched(counts: [u8; 4], behind: &[u8]) -> Vec<u8> {
    let mut octets = query("www.example.com", RecordType::A).to_vec().unwrap();
    for (i, count) in counts.into_iter().enumerate() {
        octets[5 + 2 * i] = count;
    }
    octets.extend_from_slice(behind);
    octets
}

#[test]
fn what_is_malformed_is_a_format_error() {
    let good = patched([1, 0, 0, 1], &OPT);
    assert_eq!(raw(&good, Transport::Udp).unwrap().1.rcode, Rcode::NoError);
    let two = [OPT, OPT].concat();
    let mut named = OPT.to_vec();
    named.splice(0..1, [1, b'x', 0]);
    let mut options = OPT.to_vec();
    options[10] = 3;
    options.extend_from_slice(&[0, 10, 0]);
    let mut option = OPT.to_vec();
    option[10] = 5;
    option.extend_from_slice(&[0, 10, 0, 9, 1]);
    for (what, octets) in [
        ("no question", patched([0, 0, 0, 0], &[])),
        ("two questions", patched([2, 0, 0, 0], &[])),
        ("trailing octets", patched([1, 0, 0, 0], &[0])),
        ("trailing octets behind OPT", patched([1, 0, 0, 1], &[&OPT[..], &[0]].concat())),
        ("a record that is not there", patched([1, 0, 0, 9], &OPT)),
        ("two OPT", patched([1, 0, 0, 2], &two)),
        ("OPT as an answer", patched([1, 1, 0, 0], &OPT)),
        ("OPT below the root", patched([1, 0, 0, 1], &named)),
        ("half an option", patched([1, 0, 0, 1], &options)),
        ("an option beyond its record", patched([1, 0, 0, 1], &option)),
        ("half an OPT", patched([1, 0, 0, 1], &OPT[..9])),
        ("half a question", good[..30].to_vec()),
        ("only a header", good[..12].to_vec()),
    ] {
        let (answer, answered) = raw(&octets, Transport::Udp).expect(what);
        assert_eq!(answered.rcode, Rcode::FormErr, "{what}");
        assert_eq!(answer[..2], octets[..2], "{what}");
        assert!(answer[2] & 0x80 != 0 && answer[3] == 1, "{what}");
        assert!(Message::from_vec(&answer).is_ok(), "{what}");
    }
}

#[test]
fn what_is_no_query_gets_nothing_or_a_refusal() {
    let mut response = query("www.example.com", RecordType::A).to_vec().unwrap();
    response[2] |= 0x80;
    for octets in [&response[..], &[], &[0], &[0; 11]] {
        assert_eq!(raw(octets, Transport::Udp), None);
    }
    for opcode in (1..16).map(|opcode: u8| opcode << 3) {
        let mut octets = query("www.example.com", RecordType::A).to_vec().unwrap();
        octets[2] = opcode;
        let (answer, answered) = raw(&octets, Transport::Udp).unwrap();
        assert_eq!((answered.rcode, answer[2] & 0x78), (Rcode::NotImp, opcode));
    }
    // Class CH, HS, NONE, ANY.
    for class in [3, 4, 254, 255] {
        let mut octets = query("www.example.com", RecordType::A).to_vec().unwrap();
        *octets.last_mut().unwrap() = class;
        assert_eq!(raw(&octets, Transport::Udp).unwrap().1.rcode, Rcode::Refused);
    }
}

/// Labels that occur in the zones, so that random names hit.
fn label() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "www", "example", "com", "net", "*", "wild", "sub", "ns", "big", "alias", "loop", "a", "0",
        "1", "2", "3", "e164", "arpa", "_sip", "_udp", "child", "broken", "there", "down", "gone",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_answer_can_be_read_and_keeps_to_its_limit(
        labels in prop::collection::vec(label(), 0..7),
        suffix in prop::sample::select(vec!["example.com", "example.net", "1.3.e164.arpa", "0.2.1.3.e164.arpa", "com"]),
        qtype in prop_oneof![0_u16..70, 240..260_u16],
        payload in prop::option::of(any::<u16>()),
        tcp in any::<bool>(),
    ) {
        let name = labels.iter().copied().chain([suffix]).collect::<Vec<_>>().join(".");
        let mut message = query(&name, RecordType::from(qtype));
        if let Some(payload) = payload {
            message = with_edns(message, payload);
        }
        let octets = message.to_vec().unwrap();
        let transport = if tcp { Transport::Tcp } else { Transport::Udp };
        let (answer, answered) = raw(&octets, transport).unwrap();
        let limit = match (transport, payload) {
            (Transport::Tcp, _) => 65_535,
            (Transport::Udp, None) => 512,
            (Transport::Udp, Some(payload)) => usize::from(payload.clamp(512, 1232)),
        };
        prop_assert!(answer.len() <= limit);
        let read = Message::from_vec(&answer);
        prop_assert!(read.is_ok(), "{:?}: {:?}", read, answer);
        let read = read.unwrap();
        prop_assert_eq!(read.edns.is_some(), payload.is_some());
        prop_assert_eq!(u16::from(read.metadata.response_code), answered.rcode.code());
        prop_assert_eq!(read.queries.len(), 1);
    }

    #[test]
    fn any_octets_are_answered_within_the_limit(
        mut octets in prop::collection::vec(any::<u8>(), 0..80),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        from_query in any::<bool>(),
        tcp in any::<bool>(),
    ) {
        if from_query {
            octets = patched([1, 0, 0, 1], &OPT);
            for (at, octet) in changes {
                let at = at.index(octets.len());
                octets[at] = octet;
            }
        }
        let transport = if tcp { Transport::Tcp } else { Transport::Udp };
        if let Some((answer, _)) = raw(&octets, transport) {
            let limit = if tcp { 65_535 } else { 1232 };
            prop_assert!(answer.len() >= 12 && answer.len() <= limit);
            prop_assert_eq!(&answer[..2], &octets[..2]);
            prop_assert!(answer[2] & 0x80 != 0);
        }
    }
}
