//! Signed zones: every answer proves what it says.

mod verifier;

use super::*;
use crate::dnssec::{Key, Signer, Signing};
use crate::zone::tests::row;
use ngn_model::zone::{RecordRow, ZoneKey, ZoneSigning};
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use std::collections::BTreeMap;
use verifier::{Labels, Trust};

const NOW: u64 = 1_800_000_000;

/// The keys of tests: one of each role.
#[derive(Debug)]
pub(crate) struct Pairs(Vec<(ZoneKey, EcdsaKeyPair)>);

pub(crate) static PAIRS: LazyLock<Pairs> = LazyLock::new(|| {
    let pair = |ksk| {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let octets = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, octets.as_ref(), &random).unwrap();
        let public = pair.public_key().as_ref()[1..].to_vec();
        let (id, secret) = (i64::from(ksk), "sealed".to_owned());
        let (publish_at, active_at, retire_at, remove_at) = (0, 0, None, None);
        (ZoneKey { id, ksk, public, secret, publish_at, active_at, retire_at, remove_at }, pair)
    };
    Pairs(vec![pair(true), pair(false)])
});

impl Signer for Pairs {
    fn sign(&self, key: &Key, data: &[u8], _: bool) -> Option<[u8; 64]> {
        let (_, pair) = self.0.iter().find(|(row, _)| row.public == key.row().public)?;
        pair.sign(&SystemRandom::new(), data).unwrap().as_ref().try_into().ok()
    }
}

/// No private key is there.
#[derive(Debug)]
struct Nothing;

impl Signer for Nothing {
    fn sign(&self, _: &Key, _: &[u8], _: bool) -> Option<[u8; 64]> {
        None
    }
}

pub(crate) fn signing(nsec3: bool) -> Signing {
    let keys = PAIRS.0.iter().map(|(row, _)| row.clone()).collect();
    Signing::new(&ZoneSigning { nsec3, withdrawn: false, renewed: 0, keys })
}

pub(crate) fn signed(zone: &Zone, nsec3: bool) -> Zone {
    zone.with_signing(Some(signing(nsec3)), NOW.cast_signed())
}

fn labels(text: &str) -> Labels {
    text.split('.').rev().map(|label| label.as_bytes().to_vec()).collect()
}

fn octets(name: &str, qtype: u16, dnssec_ok: bool) -> Vec<u8> {
    let mut query = b"\0\x07\0\0\0\x01\0\0\0\0\0\x01".to_vec();
    query.extend(verifier::wire(&labels(name)));
    query.extend_from_slice(&qtype.to_be_bytes());
    query.extend_from_slice(&[0, 1, 0, 0, 41, 0x10, 0, 0, 0, u8::from(dnssec_ok) << 7, 0, 0, 0]);
    query
}

fn ask_with(
    zones: &Zones,
    query: &[u8],
    transport: Transport,
    signer: &dyn Signer,
) -> verifier::Message {
    let keys = Keys::none();
    let limits = Limits::new(transport);
    let server = Server { limits, keys: &keys, now: NOW, cookies: None, signer: Some(signer) };
    let mut out = Vec::new();
    let outcome = answer_for(zones, query, &server, &mut out);
    assert!(matches!(outcome, Outcome::Answered(_)));
    verifier::Message::read(&out)
}

/// Asks a zone with DO, over TCP, and checks that the answer is right and proven.
fn check(zone: &Zone, name: &str, qtype: u16) -> Result<verifier::Message, String> {
    let zones: Zones = [zone.clone()].into_iter().collect();
    let message = ask_with(&zones, &octets(name, qtype, true), Transport::Tcp, &*PAIRS);
    let apex = labels(&zone.apex().to_string());
    let keys = zone.signing().unwrap().keys().iter().map(|key| key.dnskey().to_vec()).collect();
    let trust =
        Trust { apex: apex.clone(), keys, now: u32::try_from(NOW).unwrap(), message: &message };
    let expanded = trust.signatures()?;
    for (owner, labels) in &expanded {
        if !trust.only_by_wildcard(owner, *labels) {
            return Err(format!("{owner:?} may exist"));
        }
    }
    // The last name of the chain, and what is said of it.
    let mut last = labels(name);
    for _ in 0..12 {
        let alias =
            message.records.iter().find(|r| r.section == 1 && r.owner == last && r.rtype == 5);
        // An alias has signatures of its own, unless it is the one that a DNAME makes.
        let is_signature = qtype == 46 && message.has(1, &last, 46);
        let Some(alias) = alias.filter(|_| qtype != 5 && qtype != 255 && !is_signature) else {
            break;
        };
        last = labels_of(&alias.rdata);
    }
    let ours = last.starts_with(&apex);
    let asked = |r: &&verifier::Record| r.owner == last && (r.rtype == qtype || qtype == 255);
    let positive = message.records.iter().filter(|r| r.section == 1).any(|r| asked(&r));
    let cut = message.records.iter().find(|r| r.section == 2 && r.rtype == 2 && r.owner != apex);
    let denied = message.has(2, &apex, 6);
    let proven = match (message.rcode, cut) {
        (0, Some(cut)) => message.has(2, &cut.owner, 43) || trust.no_data(&cut.owner, 43),
        (0, None) if positive || !ours => true,
        (0, None) if denied => trust.no_data(&last, qtype),
        // An alias that leads back to where it was.
        (0, None) => message.has(1, &last, 5) || message.has(1, &last, 39),
        (3, None) => denied && trust.no_name(&last),
        (6, None) => true,
        (..) => false,
    };
    if proven { Ok(message) } else { Err(format!("nothing proves this: {message:#?}")) }
}

fn labels_of(wire: &[u8]) -> Labels {
    let mut labels = Vec::new();
    let mut rest = wire;
    while let [length @ 1..=63, after @ ..] = rest {
        let (label, after) = after.split_at(usize::from(*length));
        labels.push(label.to_vec());
        rest = after;
    }
    labels.reverse();
    labels
}

const LABELS: [&str; 4] = ["a", "b", "c", "*"];
const KINDS: [(&str, &str); 10] = [
    ("A", "192.0.2.1"),
    ("TXT", "\"text\""),
    ("CNAME", "a.b.example"),
    ("CNAME", "x.c.example"),
    ("MX", "a.a.example"),
    ("NS", "a.b.example"),
    ("NS", "ns.example.net"),
    ("TYPE43", "\\# 4 00010d02"),
    ("DNAME", "b.example"),
    ("DNAME", "example.net"),
];
const QTYPES: [u16; 11] = [1, 2, 5, 15, 16, 39, 43, 46, 47, 48, 255];

/// A name of labels below `example`, by their places in [`LABELS`].
fn owner(places: &[usize]) -> String {
    let mut name: String = places.iter().map(|place| format!("{}.", LABELS[*place])).collect();
    name.push_str("example");
    name
}

type Steps = Vec<(Vec<usize>, usize)>;

fn steps(most: usize) -> impl Strategy<Value = Steps> {
    let owner = prop::collection::vec(0..LABELS.len(), 1..4);
    prop::collection::vec((owner, 0..KINDS.len()), 0..most)
}

fn random_zone(steps: &Steps) -> Zone {
    let mut rows = rows("example", &[("example", "TXT", 60, "\"apex\"")]);
    // What a delegation or DNAME at a wildcard means is not defined (RFC 4592 sections 4.2 and 4.4).
    let defined = |(places, kind): &&(Vec<usize>, usize)| *kind < 5 || places.first() != Some(&3);
    rows.records.extend(steps.iter().filter(defined).map(|(places, kind)| {
        let (rtype, content) = KINDS[*kind];
        row(&owner(places), rtype, 60, content)
    }));
    Zone::build(&rows).0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    // RFC 4035 section 3.1, RFC 5155 section 7.2.
    #[test]
    fn every_answer_is_signed_and_proven(
        steps in steps(12),
        nsec3 in any::<bool>(),
        names in prop::collection::vec(prop::collection::vec(0..LABELS.len(), 0..5), 12),
        qtypes in prop::collection::vec(0..QTYPES.len(), 12),
    ) {
        let plain = random_zone(&steps);
        let zone = signed(&plain, nsec3);
        for (places, qtype) in names.iter().zip(qtypes) {
            let (name, qtype) = (owner(places), QTYPES[qtype]);
            let answer = check(&zone, &name, qtype);
            prop_assert!(answer.is_ok(), "{name} {qtype} {steps:?}: {}", answer.unwrap_err());
            if matches!(qtype, 46..=48 | 255) {
                continue;
            }
            // Those who do not ask for signatures see what they would see of a zone that is not signed.
            let see = |zone: &Zone| {
                let zones: Zones = [zone.clone()].into_iter().collect();
                ask_with(&zones, &octets(&name, qtype, false), Transport::Tcp, &*PAIRS)
            };
            let (bare, without) = (see(&plain), see(&zone));
            prop_assert_eq!((&bare.records, bare.rcode), (&without.records, without.rcode));
            let mut stripped = answer.unwrap().records;
            stripped.retain(|r| {
                r.rtype != 46 && (r.section != 2 || !matches!(r.rtype, 43 | 47 | 50))
            });
            prop_assert_eq!(&stripped, &bare.records);
        }
    }

    // Changes one by one keep the orders that a zone signed at once has.
    #[test]
    fn orders_follow_changes(before in steps(20), after in steps(20), nsec3 in any::<bool>()) {
        let mut zone = signed(&random_zone(&before), nsec3);
        for (places, kind) in &after {
            let (rtype, content) = KINDS[*kind];
            let name = owner(places);
            // Half of the changes take everything away.
            let records: Vec<RecordRow> =
                (kind % 2 == 0).then(|| row(&name, rtype, 60, content)).into_iter().collect();
            zone = zone.with(&crate::name::Name::parse(&name).unwrap(), &records).0;
            prop_assert!(zone.orders_agree());
        }
        let mut octets = Vec::new();
        zone.write_to(&mut octets);
        let read = Zone::read_from(&mut octets.as_slice()).unwrap();
        prop_assert!(read.orders_agree());
        prop_assert_eq!(read.signing(), zone.signing());
        prop_assert!(!read.is_outdated(NOW.cast_signed()));
        let unsigned = zone.with_signing(None, 0);
        prop_assert_eq!(unsigned.record_count() + 4 + usize::from(nsec3), zone.record_count());
    }
}

fn example(nsec3: bool) -> Zone {
    let big = "x".repeat(250);
    let texts: Vec<String> = (0..12).map(|n| format!("\"{n} {big}\"")).collect();
    let mut lines = vec![
        ("www.example", "A", 60, "192.0.2.1"),
        ("ns1.example", "A", 60, "192.0.2.53"),
        ("deep.empty.example", "A", 60, "192.0.2.2"),
        ("*.wild.example", "TXT", 60, "\"w\""),
        ("safe.example", "NS", 60, "ns1.example"),
        ("safe.example", "TYPE43", 60, "\\# 4 00010d02"),
        ("plain.example", "NS", 60, "ns.plain.example"),
        ("ns.plain.example", "A", 60, "192.0.2.3"),
        ("alias.example", "CNAME", 60, "www.example"),
        ("old.example", "DNAME", 60, "wild.example"),
    ];
    lines.extend(texts.iter().map(|text| ("big.example", "TXT", 60, text.as_str())));
    signed(&crate::zone::tests::zone("example", &lines), nsec3)
}

// RFC 6672 section 5.3.3: an alias that a DNAME makes has no signatures, so whoever asks for them is led on.
#[test]
fn signatures_below_a_dname() {
    for nsec3 in [false, true] {
        let lines = [("a.example", "DNAME", 60, "b.example")];
        let zone = signed(&crate::zone::tests::zone("example", &lines), nsec3);
        let answer = check(&zone, "a.a.example", 46).unwrap();
        assert_eq!(answer.rcode, 3);
    }
}

// RFC 2181 section 5: a chain that comes by a DNAME twice has its record once.
#[test]
fn a_dname_is_told_once() {
    for nsec3 in [false, true] {
        let lines =
            [("c.example", "DNAME", 60, "b.example"), ("a.b.example", "CNAME", 60, "x.c.example")];
        let zone = signed(&crate::zone::tests::zone("example", &lines), nsec3);
        let answer = check(&zone, "a.c.example", 1).unwrap();
        assert_eq!(answer.records.iter().filter(|r| r.rtype == 39).count(), 1);
        assert_eq!(answer.rcode, 3);
    }
}

#[test]
fn each_kind_of_answer_has_its_proof() {
    for nsec3 in [false, true] {
        let zone = example(nsec3);
        let denial = if nsec3 { 50 } else { 47 };
        let table: [(&str, u16, u8, usize); 16] = [
            ("example", 6, 0, 0),
            ("example", 48, 0, 0),
            ("example", 59, 0, 0),
            ("www.example", 1, 0, 0),
            ("www.example", 28, 0, 1),
            ("alias.example", 1, 0, 0),
            // NSEC: one covers the name, and the same or another one the wildcard; NSEC3: the encloser too.
            ("none.example", 1, 3, 2),
            ("empty.example", 1, 0, 1),
            ("x.wild.example", 16, 0, 1),
            ("x.wild.example", 1, 0, 2),
            ("safe.example", 1, 0, 0),
            ("x.safe.example", 43, 0, 0),
            ("plain.example", 1, 0, 1),
            ("plain.example", 43, 0, 1),
            ("x.old.example", 16, 0, 1),
            ("example", 43, 0, 1),
        ];
        for (name, qtype, rcode, proofs) in table {
            let answer = check(&zone, name, qtype).unwrap();
            let found = answer.records.iter().filter(|r| r.section == 2 && r.rtype == denial);
            let found = found.count();
            // Three hashes may lie in fewer gaps.
            let bounds = if nsec3 && proofs == 2 { 1..=3 } else { 1.min(proofs)..=proofs };
            assert!(
                answer.rcode == rcode && bounds.contains(&found),
                "{name} {qtype} {nsec3} {found}"
            );
        }
        let www = check(&zone, "www.example", 46).unwrap();
        assert_eq!(www.records.iter().map(|r| r.rtype).collect::<Vec<_>>(), [46]);
        let nsec = check(&zone, "www.example", 47);
        assert_eq!(nsec.is_ok_and(|m| m.has(1, &labels("www.example"), 47)), !nsec3);
        // RFC 9077: no denial lives longer than the SOA says.
        let none = check(&zone, "none.example", 1).unwrap();
        assert!(none.records.iter().filter(|r| r.section == 2).all(|r| r.ttl == 300));
    }
}

#[test]
fn what_does_not_fit_is_asked_for_over_tcp() {
    let zones: Zones = [example(true)].into_iter().collect();
    let big = ask_with(&zones, &octets("big.example", 16, true), Transport::Udp, &*PAIRS);
    assert!(big.truncated);
    let big = ask_with(&zones, &octets("big.example", 16, true), Transport::Tcp, &*PAIRS);
    assert!(!big.truncated && big.has(1, &labels("big.example"), 46));
    // The answer fits, its proof does not: nothing is left out silently (RFC 4035 section 3.1.1).
    let mut query = octets("none.example", 1, true);
    let payload = query.len() - 8;
    query[payload..payload + 2].copy_from_slice(&512_u16.to_be_bytes());
    assert!(ask_with(&zones, &query, Transport::Udp, &*PAIRS).truncated);
}

#[test]
fn without_private_keys_those_who_ask_for_signatures_are_told_so() {
    let zones: Zones = [example(false)].into_iter().collect();
    for name in ["www.example", "none.example", "plain.example"] {
        let failed = ask_with(&zones, &octets(name, 1, true), Transport::Udp, &Nothing);
        assert_eq!((failed.rcode, failed.records.len()), (2, 0), "{name}");
    }
    let plain = ask_with(&zones, &octets("www.example", 1, false), Transport::Udp, &Nothing);
    assert_eq!((plain.rcode, plain.records.len()), (0, 1));
}

#[test]
fn a_signed_zone_is_given_away_with_all_that_proves() {
    for nsec3 in [false, true] {
        let zone = example(nsec3);
        let query = octets("example", 252, false);
        let query = crate::transfer::Query::read(&query).unwrap();
        let limits = Limits::new(Transport::Tcp);
        let signer: Option<(&dyn Signer, i64)> = Some((&*PAIRS, NOW.cast_signed()));
        let mut messages =
            crate::transfer::Messages::axfr(query, &zone, limits, 0, signer).unwrap();
        let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
        let mut out = Vec::new();
        while messages.next(&mut out).unwrap() {
            for record in verifier::Message::read(&out).records {
                *counts.entry(record.rtype).or_default() += 1;
            }
        }
        let records = zone.record_count() + 1;
        let denials = counts.get(&47).or(counts.get(&50)).copied().unwrap();
        // Names with records, less the glue; hashes stand for the empty name too.
        assert_eq!(denials, if nsec3 { 12 } else { 10 }, "{counts:?}");
        // Two NS RRsets and the glue are not signed.
        let sets = zone.nodes().map(|node| node.rrsets().count()).sum::<usize>() - 3;
        assert_eq!(counts[&46], sets + denials);
        assert_eq!(counts.values().sum::<usize>(), records + counts[&46] + denials);
        let mut messages =
            crate::transfer::Messages::axfr(query, &zone, limits, 0, Some((&Nothing, 0))).unwrap();
        let ended =
            std::iter::from_fn(|| Some(messages.next(&mut out))).find(|next| next != &Ok(true));
        assert_eq!(ended, Some(Err(crate::transfer::Broken::Unsigned)));
    }
}
