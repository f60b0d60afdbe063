use super::*;
use crate::answer::request::{Header, Request};
use crate::answer::{Answered, Limits, Outcome, Rcode, Server, Transport, answer_for};
use crate::name::Name;
use crate::zone::Zones;
use crate::zone::tests::zone;
use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::RecordType;
use proptest::prelude::*;
use std::str::FromStr as _;

const NOW: u64 = 1_800_000_000;

fn key(algorithm: Algorithm) -> Key {
    let secret: Vec<u8> = (0..32).collect();
    Key::new(Name::parse("a.key").unwrap(), algorithm, &secret).unwrap()
}

fn query(id: u16) -> Vec<u8> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = false;
    let name = hickory_proto::rr::Name::from_str("www.example.com.").unwrap();
    message.add_query(Query::query(name, RecordType::A));
    message.to_vec().unwrap()
}

fn signed(key: &Key, now: u64) -> Vec<u8> {
    let mut octets = query(0x1267);
    Signer::request(key).sign(now, &mut octets);
    octets
}

fn answered(query: &[u8], keys: &Keys, now: u64) -> (Vec<u8>, Answered) {
    let zones: Zones =
        [zone("example.com", &[("www.example.com", "A", 60, "192.0.2.1")])].into_iter().collect();
    let mut out = Vec::new();
    let server =
        Server { limits: Limits::new(Transport::Udp), keys, now, cookies: None, signer: None };
    match answer_for(&zones, query, &server, &mut out) {
        Outcome::Answered(answered) => (out, answered),
        Outcome::Dropped => panic!("no answer"),
    }
}

/// The TSIG record of a message.
fn record(octets: &[u8]) -> Option<Signature<'_>> {
    let header = Header::read(octets)?;
    Request::read(header, octets)?.tsig
}

/// MACs worked out by another implementation of HMAC, by RFC 8945 section 4.3.
#[test]
fn signs_as_the_rfc_says() {
    for (algorithm, mac) in [
        (Algorithm::HmacSha256, "c3846283311e7660765479343e693e66b05bac174aeb4b3d5f3de27a206ead0a"),
        (
            Algorithm::HmacSha384,
            "5a0df7402ccd5f260427aac53311539eaef625e6ad7545b3a372f5e6d2c36ef152eab5646b7da777f6cea66565559f00",
        ),
        (
            Algorithm::HmacSha512,
            "91893bff456c8a97193c36eba8e3bb71125c48b05fe0051d5f927cdb8b035859b3af5354d2cb964dd549e359d3fe330eba78b349bac2ad17071c2be7b7aa4752",
        ),
    ] {
        let octets = signed(&key(algorithm), NOW);
        let hex: String =
            record(&octets).unwrap().mac.iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(hex, mac, "{algorithm:?}");
        let message = Message::from_vec(&octets).expect("a message that a library reads");
        assert_eq!(message.queries.len(), 1);
    }
}

#[test]
fn answers_to_signed_queries_are_signed() {
    for algorithm in [Algorithm::HmacSha256, Algorithm::HmacSha384, Algorithm::HmacSha512] {
        let keys: Keys = [key(algorithm)].into_iter().collect();
        let asked = signed(&key(algorithm), NOW);
        let (octets, said) = answered(&asked, &keys, NOW + 300);
        assert_eq!((said.rcode, said.truncated), (Rcode::NoError, false));
        // RFC 8945 section 5.3.1: over the MAC of the query, the answer without its TSIG, and the variables.
        let key = key(algorithm);
        let theirs = record(&asked).unwrap().mac;
        let ours = record(&octets).unwrap();
        let mut unsigned = octets[..ours.start].to_vec();
        unsigned[11] -= 1;
        let mut signer = Signer::after(&key, theirs);
        signer.sign(NOW + 300, &mut unsigned);
        assert_eq!(unsigned, octets);
        // The messages that follow are over the one before and the time (section 5.3.1).
        let mut next = query(0x1267);
        let mut digest = Digest::new(&key);
        digest.update(&u16::try_from(ours.mac.len()).unwrap().to_be_bytes());
        digest.update(ours.mac);
        digest.update(&next);
        digest.update(&[0, 0, 0x6b, 0x49, 0xd2, 0x00, 1, 44]);
        signer.sign(NOW, &mut next);
        assert!(digest.verify(record(&next).unwrap().mac));
    }
}

/// RFC 8945 section 5.2: what is wrong, in the order in which it is looked at.
#[test]
fn wrong_signatures_are_named() {
    let ours = key(Algorithm::HmacSha256);
    let keys: Keys = [ours.clone()].into_iter().collect();
    let good = signed(&ours, NOW);
    let failed = |query: &[u8], keys: &Keys, now: u64| {
        let (octets, said) = answered(query, keys, now);
        assert_eq!(said.rcode, Rcode::NotAuth);
        let message = Message::from_vec(&octets).unwrap();
        assert!(message.answers.is_empty());
        let found = record(&octets).unwrap();
        (found.error, found.mac.len(), found.other.to_vec())
    };
    assert_eq!(failed(&good, &Keys::none(), NOW), (17, 0, vec![]));
    let other = Key::new(ours.name().clone(), Algorithm::HmacSha512, &[1; 32]).unwrap();
    assert_eq!(failed(&signed(&other, NOW), &keys, NOW), (17, 0, vec![]));
    let wrong = Key::new(ours.name().clone(), Algorithm::HmacSha256, &[1; 32]).unwrap();
    assert_eq!(failed(&signed(&wrong, NOW), &keys, NOW), (16, 0, vec![]));
    // The time is only told to who has the key.
    assert_eq!(failed(&signed(&wrong, 5), &keys, NOW), (16, 0, vec![]));
    for now in [NOW + 301, NOW - 301] {
        let [_, _, here @ ..] = now.to_be_bytes();
        assert_eq!(failed(&good, &keys, now), (18, 32, here.to_vec()));
    }
    assert_eq!(answered(&good, &keys, NOW - 300).1.rcode, Rcode::NoError);
    // A MAC of half the length; one octet less is malformed.
    for (length, code) in [(16, Rcode::NotAuth), (15, Rcode::FormErr)] {
        let mac = [7; 32];
        let mut octets = query(1);
        let (name, algorithm) = (ours.name().as_wire(), ours.algorithm().wire());
        Appended { name, algorithm, time: NOW }.append(&mac[..length], 0, &[], &mut octets);
        let (octets, said) = answered(&octets, &keys, NOW);
        assert_eq!(said.rcode, code);
        assert_eq!(record(&octets).map(|found| found.error), (length == 16).then_some(22));
    }
    // TSIG stands at the end, once.
    let mut twice = good.clone();
    Signer::request(&ours).sign(NOW, &mut twice);
    assert_eq!(answered(&twice, &keys, NOW).1.rcode, Rcode::FormErr);
}

#[test]
fn names_and_ids_may_differ_in_what_does_not_matter() {
    let ours = key(Algorithm::HmacSha256);
    let keys: Keys = [ours.clone()].into_iter().collect();
    let mut octets = signed(&ours, NOW);
    // A forwarder's id; the original one stands in the record (RFC 8945 section 5.2.2).
    octets[0] ^= 0xff;
    let start = record(&octets).unwrap().start;
    octets[start + 1] = b'A';
    assert_eq!(answered(&octets, &keys, NOW).1.rcode, Rcode::NoError);
}

#[test]
fn secrets_are_long_enough_and_stay_hidden() {
    let name = Name::parse("a.key").unwrap();
    assert_eq!(Key::new(name.clone(), Algorithm::HmacSha256, &[9; 15]), Err(KeyError::Short(15)));
    let key = Key::new(name, Algorithm::HmacSha256, b"do not tell anybody").unwrap();
    let debug = format!("{key:?} {:?}", Signer::request(&key));
    assert!(!debug.contains("100, 111") && !debug.contains("do not"), "{debug}");
    assert!("hmac-md5".parse::<Algorithm>().is_err());
}

proptest! {
    /// No octet of a signed query can be changed but for the id, which is not signed: the answer would not be signed, or
    /// say what is wrong.
    #[test]
    fn nothing_can_be_changed(at in 2_usize..200, bit in 0_u8..8) {
        let ours = key(Algorithm::HmacSha384);
        let keys: Keys = [ours.clone()].into_iter().collect();
        let good = signed(&ours, NOW);
        let at = at % good.len();
        prop_assume!(at >= 2);
        let mut changed = good.clone();
        changed[at] ^= 1 << bit;
        if changed[2] & 0x80 == 0 {
            let (octets, _) = answered(&changed, &keys, NOW);
            let good_answer = record(&octets).is_some_and(|tsig| tsig.error == 0);
            // Upper and lower case of the key's and the algorithm's name are the same.
            let start = record(&good).unwrap().start;
            let lower = changed[start..].eq_ignore_ascii_case(&good[start..]);
            prop_assert!(!good_answer || (at >= start && lower), "{} {}", at, bit);
            prop_assert!(octets.len() >= 12);
        }
    }
}
