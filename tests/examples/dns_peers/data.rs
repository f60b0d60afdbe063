//! ENUM zones and ordinary ones, the same for every server, and questions about them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use hickory_proto::rr::RecordType;
use ngn_tests::zone_data::{ZoneData, soa};

/// Zones over which the numbers are spread.
const RANGES: u64 = 10;
/// Numbers that a zone could have.
const SPAN: u64 = 10_000_000;
/// An odd number that has no factor in common with `SPAN`, so that its multiples come by every number once.
const STRIDE: u64 = 6_180_343;
/// Questions in a file.
const QUESTIONS: u64 = 500_000;

/// Random enough, and the same each time (SplitMix64).
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn reversed(digits: &str) -> String {
    digits.chars().rev().map(String::from).collect::<Vec<_>>().join(".") + ".e164.arpa"
}

/// The digits of the number with this place, and its zone.
fn number(place: u64) -> (String, String) {
    let (range, place) = (place % RANGES, place / RANGES);
    let digits = format!("999{range}{:07}", place * STRIDE % SPAN);
    (digits, reversed(&format!("999{range}")))
}

/// Everything that is served and asked.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) zones: ZoneData,
    /// Names of the last zones of both kinds.
    pub(crate) last: Vec<(String, RecordType)>,
    /// Questions: as they come, for names that are there, and for names that are not.
    pub(crate) questions: [(&'static str, PathBuf); 3],
}

impl Data {
    pub(crate) fn new(directory: &Path, numbers: u64) -> Self {
        let mut zones = ZoneData::new(&directory.join("zones"));
        let ordinary = (numbers / 1_000).max(10);
        for range in 0..RANGES {
            apex(&mut zones, &reversed(&format!("999{range}")));
            for place in (range..numbers).step_by(RANGES as usize) {
                subscriber(&mut zones, place);
            }
        }
        for customer in 0..ordinary {
            company(&mut zones, customer);
        }
        let (digits, _) = number(numbers - 1);
        let last = vec![
            (reversed(&digits), RecordType::NAPTR),
            (format!("c{:06}.example", ordinary - 1), RecordType::MX),
        ];
        let questions = questions(directory, numbers, ordinary);
        Self { zones, last, questions }
    }
}

fn apex(zones: &mut ZoneData, zone: &str) {
    zones.add(zone, zone, "SOA", 3600, &soa(zone));
    for server in ["ns1", "ns2"] {
        zones.add(zone, zone, "NS", 3600, &format!("{server}.{zone}."));
    }
    zones.add(zone, &format!("ns1.{zone}"), "A", 3600, "192.0.2.1");
    zones.add(zone, &format!("ns2.{zone}"), "A", 3600, "192.0.2.2");
}

/// A number with one to five records; one in 500 has a block of extensions below it (RFC 4592).
fn subscriber(zones: &mut ZoneData, place: u64) {
    let (digits, zone) = number(place);
    let owner = reversed(&digits);
    let gateway = mixed(place) % 50;
    let records = [
        format!(r#"10 100 "u" "E2U+sip" "!^.*$!sip:+{digits}@gw{gateway}.carrier.example!" ."#),
        format!(
            r#"10 101 "u" "E2U+sip" "!^.*$!sip:+{digits}@gw{}.carrier.example!" ."#,
            gateway + 1
        ),
        format!(r#"20 100 "u" "E2U+pstn:tel" "!^.*$!tel:+{digits};npdi!" ."#),
        format!(r#"30 100 "u" "E2U+email:mailto" "!^.*$!mailto:u{digits}@mail.example!" ."#),
        format!(r#"40 100 "u" "E2U+web:http" "!^.*$!http://www.example/{digits}!" ."#),
    ];
    for record in records.iter().take(1 + (mixed(!place) % 5) as usize) {
        zones.add(&zone, &owner, "NAPTR", 600, record);
    }
    if place % 500 < RANGES {
        let record = r#"10 100 "u" "E2U+sip" "!^(.*)$!sip:\\1@pbx.example!" ."#;
        zones.add(&zone, &format!("*.{owner}"), "NAPTR", 600, record);
    }
}

fn company(zones: &mut ZoneData, customer: u64) {
    let zone = format!("c{customer:06}.example");
    let mut add = |owner: &str, kind: &str, data: &str| {
        let owner = format!("{owner}{zone}");
        zones.add(&zone, &owner, kind, 300, &data.replace('@', &format!("{zone}.")));
    };
    add("", "SOA", &soa(&zone));
    for (owner, kind, data) in [
        ("", "NS", "ns1.@"),
        ("", "NS", "ns2.@"),
        ("ns1.", "A", "192.0.2.1"),
        ("ns2.", "A", "192.0.2.2"),
        ("", "A", "198.51.100.1"),
        ("", "MX", "10 mx.@"),
        ("mx.", "A", "203.0.113.1"),
        ("", "NAPTR", r#"10 10 "s" "SIP+D2U" "" _sip._udp.@"#),
        ("", "NAPTR", r#"20 10 "s" "SIP+D2T" "" _sip._tcp.@"#),
        ("_sip._udp.", "SRV", "10 10 5060 sip1.@"),
        ("_sip._udp.", "SRV", "10 20 5060 sip2.@"),
        ("_sip._tcp.", "SRV", "10 10 5060 sip1.@"),
        ("_sip._tcp.", "SRV", "10 20 5060 sip2.@"),
        ("sip1.", "A", "198.51.100.2"),
        ("sip2.", "A", "198.51.100.3"),
        ("*.pbx.", "A", "198.51.100.4"),
    ] {
        add(owner, kind, data);
    }
}

/// Of 100 questions 75 are for numbers that are there, 15 for numbers that are not, 5 for what wildcards stand for, 5 for
/// the names of companies; drawn from all names alike.
fn questions(directory: &Path, numbers: u64, ordinary: u64) -> [(&'static str, PathBuf); 3] {
    let there = |draw: u64| {
        let (digits, _) = number(draw % numbers);
        format!("{} NAPTR", reversed(&digits))
    };
    // Places behind the last one are free numbers.
    let not_there = |draw: u64| {
        let (digits, _) = number(numbers + draw % (SPAN * RANGES - numbers));
        format!("{} NAPTR", reversed(&digits))
    };
    let write = |name: &'static str, question: &dyn Fn(u64) -> String| {
        let path = directory.join(format!("{name}.questions"));
        let mut file = BufWriter::new(File::create(&path).expect("a file"));
        for n in 0..QUESTIONS {
            writeln!(file, "{}", question(n)).expect("a question");
        }
        file.flush().expect("questions");
        (name, path)
    };
    let mix = |n: u64| {
        let draw = mixed(n + 1);
        let zone = format!("c{:06}.example", draw % ordinary);
        match mixed(draw) % 100 {
            0..75 => there(draw),
            75..90 => not_there(draw),
            90..94 => {
                let (digits, _) = number((draw % numbers) / 500 * 500 + draw % RANGES);
                format!("{}.{} NAPTR", draw % 10, reversed(&digits))
            }
            94 => format!("x{n}.pbx.{zone} A"),
            95..97 => format!("_sip._udp.{zone} SRV"),
            97 => format!("_sip._tcp.{zone} SRV"),
            98 => format!("{zone} A"),
            _ => format!("sip1.{zone} A"),
        }
    };
    [
        write("mix", &mix),
        write("there", &|n| there(mixed(n))),
        write("not there", &|n| not_there(mixed(n))),
    ]
}
