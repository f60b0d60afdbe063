//! What signing an ENUM zone costs: time to build, memory, a change, and answers with and without signatures.
//!
//! `cargo run --release -p ngn-dns --example signed_zone -- 1000000`

#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout)]

use ngn_dns::answer::{Limits, Server, Transport, answer_for};
use ngn_dns::dnssec::{Key, Signer, Signing};
use ngn_dns::name::Name;
use ngn_dns::tsig::Keys;
use ngn_dns::zone::{Zone, Zones};
use ngn_model::DomainName;
use ngn_model::zone::{RecordRow, ZoneKey, ZoneRows, ZoneSigning};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use std::time::Instant;

#[derive(Debug)]
struct Pair(EcdsaKeyPair, SystemRandom);

impl Signer for Pair {
    fn sign(&self, _: &Key, data: &[u8], _: bool) -> Option<[u8; 64]> {
        self.0.sign(&self.1, data).ok()?.as_ref().try_into().ok()
    }
}

/// The time and the resident octets that something takes, in milliseconds and MiB.
fn measured<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (before, start) = (resident(), Instant::now());
    let done = work();
    let (took, after) = (start.elapsed().as_millis(), resident());
    println!("{what}: {took} ms, {} MiB more", (after.saturating_sub(before)) >> 20);
    done
}

fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

fn row(name: String, rtype: &str, content: &str) -> RecordRow {
    let (rtype, content) = (rtype.to_owned(), content.to_owned());
    RecordRow { name, rtype, content, ttl: 300, priority: 0 }
}

/// `3120` and a number of seven digits.
fn owner(number: usize) -> String {
    let digits = format!("{number:07}");
    let reversed: String = digits.chars().rev().flat_map(|digit| [digit, '.']).collect();
    format!("{reversed}0.2.1.3.e164.arpa")
}

fn main() {
    let count: usize = std::env::args().nth(1).map_or(1_000_000, |text| text.parse().unwrap());
    let apex = "0.2.1.3.e164.arpa";
    let mut records = vec![
        row(
            apex.to_owned(),
            "SOA",
            "ns1.example.net hostmaster.example.net 1 14400 3600 604800 300",
        ),
        row(apex.to_owned(), "NS", "ns1.example.net"),
    ];
    let uri = "100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:alice@example.com!\" .";
    records.extend((0..count).map(|number| row(owner(number), "NAPTR", uri)));
    let rows = ZoneRows { apex: DomainName::new(apex).unwrap(), serial: 1, records, signing: None };
    let plain = measured("without signing", || Zone::build(&rows).0);
    drop(rows);
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let octets = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, octets.as_ref(), &random).unwrap();
    let public = pair.public_key().as_ref().get(1..).unwrap().to_vec();
    let key = |id, ksk| ZoneKey {
        id,
        ksk,
        public: public.clone(),
        secret: String::new(),
        publish_at: 0,
        active_at: 0,
        retire_at: None,
        remove_at: None,
    };
    let signer = Pair(pair, random);
    for nsec3 in [false, true] {
        let keys = vec![key(1, true), key(2, false)];
        let signing = Signing::new(&ZoneSigning { nsec3, withdrawn: false, renewed: 0, keys });
        let what = if nsec3 { "NSEC3" } else { "NSEC" };
        let zone = measured(what, || plain.with_signing(Some(signing), 1));
        let name = owner(count + 1);
        let start = Instant::now();
        let changed = (0..1_000).fold(zone, |zone, number| {
            let owner = format!("{number}.{name}");
            zone.with(&Name::parse(&owner).unwrap(), &[row(owner.clone(), "NAPTR", uri)]).0
        });
        println!("{what}: a new name {:.1} us", start.elapsed().as_secs_f64() * 1_000.0);
        let zones: Zones = [changed].into_iter().collect();
        for (asked, dnssec_ok) in [("exists", false), ("exists", true), ("does not exist", true)] {
            let (keys, limits) = (Keys::none(), Limits::new(Transport::Udp));
            let server =
                Server { limits, keys: &keys, now: 1, cookies: None, signer: Some(&signer) };
            let start = Instant::now();
            let mut out = Vec::new();
            for number in 0..1_000 {
                let number =
                    if asked == "exists" { number * 7 % count } else { count + 9 + number };
                let mut query = b"\0\x07\0\0\0\x01\0\0\0\0\0\x01".to_vec();
                query.extend_from_slice(Name::parse(&owner(number)).unwrap().as_wire());
                query.extend_from_slice(&[0, 35, 0, 1, 0, 0, 41, 4, 208, 0, 0]);
                query.extend_from_slice(&[u8::from(dnssec_ok) << 7, 0, 0, 0]);
                answer_for(&zones, &query, &server, &mut out);
            }
            let each = start.elapsed().as_secs_f64() * 1_000.0;
            let octets = out.len();
            println!("{what}: a name that {asked}, DO {dnssec_ok}: {each:.1} us, {octets} octets");
        }
    }
}
