//! What resolvers and testers ask to see whether a server keeps to the protocol: the commands of RFC 8906 section 8 as they stand
//! there, and the queries of EDNS compliance tests, octet by octet. `tests/dns/README.md` lists them.

use crate::dnssec::{ngn, served, signed};
use ngn_tests::database::Backend;
use ngn_tests::dns::{dig, exchange_tcp, exchange_udp};
use ngn_tests::fixture::{dns_record, zone};
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::record;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);
const ZONE: &str = "example.com";

/// What `dig` must say.
struct Said {
    status: &'static str,
    /// Flags of the header but for QR.
    flags: &'static str,
    /// Whether the answer section has the SOA record.
    soa: bool,
    /// The flags of an OPT record of version 0, or that there is none.
    opt: Option<&'static str>,
}

const PLAIN: Said = Said { status: "NOERROR", flags: " aa", soa: true, opt: None };
const EDNS: Said = Said { opt: Some(""), ..PLAIN };
const BADVERS: Said = Said { status: "BADVERS", flags: "", soa: false, opt: Some("") };

/// Section of RFC 8906, the words of the command, and what is expected.
const COMMANDS: [(&str, &str, Said); 18] = [
    ("8.1.1", "+noedns +noad +norec soa $zone", PLAIN),
    ("8.1.2", "+noedns +noad +norec type1000 $zone", Said { soa: false, ..PLAIN }),
    ("8.1.3.1", "+noedns +noad +norec +cd soa $zone", PLAIN),
    ("8.1.3.2", "+noedns +norec +ad soa $zone", PLAIN),
    ("8.1.3.3", "+noedns +noad +norec +zflag soa $zone", PLAIN),
    ("8.1.3.4", "+noedns +noad +rec soa $zone", Said { flags: " aa rd", ..PLAIN }),
    (
        "8.1.4",
        "+noedns +noad +opcode=15 +norec +header-only",
        Said { status: "NOTIMP", flags: "", soa: false, opt: None },
    ),
    ("8.1.5", "+noedns +noad +norec +tcp soa $zone", PLAIN),
    ("8.2.1", "+nocookie +edns=0 +noad +norec soa $zone", EDNS),
    ("8.2.2", "+nocookie +edns=1 +noednsneg +noad +norec soa $zone", BADVERS),
    ("8.2.3", "+nocookie +edns=0 +noad +norec +ednsopt=100 soa $zone", EDNS),
    ("8.2.4", "+nocookie +edns=0 +noad +norec +ednsflags=0x40 soa $zone", EDNS),
    ("8.2.5", "+nocookie +edns=1 +noednsneg +noad +norec +ednsflags=0x40 soa $zone", BADVERS),
    ("8.2.6", "+nocookie +edns=1 +noednsneg +noad +norec +ednsopt=100 soa $zone", BADVERS),
    // The signed keys do not fit into 512 octets.
    (
        "8.2.7",
        "+norec +dnssec +bufsize=512 +ignore dnskey $zone",
        Said { flags: " aa tc", soa: false, opt: Some(" do"), ..PLAIN },
    ),
    (
        "8.2.8",
        "+nocookie +edns=0 +noad +norec +dnssec soa $zone",
        Said { opt: Some(" do"), ..PLAIN },
    ),
    (
        "8.2.9",
        "+nocookie +edns=1 +noednsneg +noad +norec +dnssec soa $zone",
        Said { opt: Some(" do"), ..BADVERS },
    ),
    ("8.2.10", "+edns=0 +noad +norec +cookie +nsid +expire +subnet=0.0.0.0/0 soa $zone", EDNS),
];

/// A signed zone.
fn platform() -> Platform {
    let p = Platform::start(Backend::Sqlite);
    zone(&p.admin(), ZONE);
    let text = "x".repeat(200);
    for n in 0..6 {
        let record = dns_record(ZONE, "big", "TXT", &format!("{n}{text}"));
        p.admin().ok("Dns.addRecord", record! { record: record });
    }
    signed(&p, ZONE, "--nsec3");
    // A second key signing key makes the DNSKEY records long.
    ngn(&p, &["roll", ZONE, "--ksk"]).unwrap();
    eventually("the new key", || (served(&p, ZONE).len() == 3).then_some(()));
    p
}

/// The part of a line of dig's output between two texts.
fn between<'t>(text: &'t str, before: &str, after: char) -> Option<&'t str> {
    text.split_once(before)?.1.split(after).next()
}

#[test]
fn the_commands_of_rfc_8906_are_answered_as_it_says() {
    let p = platform();
    for (section, words, said) in COMMANDS {
        let words: Vec<&str> =
            words.split(' ').map(|word| if word == "$zone" { ZONE } else { word }).collect();
        let text = dig(p.dns_address(), &words).unwrap();
        let check = |found: Option<&str>, wanted: Option<&str>, what: &str| {
            assert_eq!(found, wanted, "{section}: {what}: {text}");
        };
        check(between(&text, "status: ", ','), Some(said.status), "status");
        check(between(&text, ";; flags: qr", ';'), Some(said.flags), "flags");
        let answer = text.split_once(";; ANSWER SECTION:\n").map_or("", |(_, rest)| rest);
        let answer = answer.split_once("\n\n").map_or("", |(answer, _)| answer);
        let soa = answer.lines().any(|line| line.contains("\tSOA\t"));
        assert_eq!(soa, said.soa, "{section}: {text}");
        check(between(&text, "; EDNS: version: 0, flags:", ';'), said.opt, "EDNS");
        // What must be zero, and what nobody knows, is not repeated.
        for echo in ["MBZ", "OPT=100", "EDNS: version: 1"] {
            assert!(!text.contains(echo), "{section}: {text}");
        }
        assert!(!text.contains("Warning") && !text.contains("malformed"), "{section}: {text}");
    }
}

#[test]
fn each_command_is_listed_with_its_section() {
    let listed = include_str!("README.md");
    for (section, words, said) in COMMANDS {
        let row = format!("| {section} | `dig {words} @$server` | {} |", said.status);
        assert!(listed.contains(&row), "{row}");
    }
}

/// A query for the zone's SOA record or the large text, with an OPT record of a version, extended flags and options.
fn query(name: &str, qtype: u16, opt: Option<(u8, u16, u16, &[u8])>) -> Vec<u8> {
    let mut query = vec![0xab, 0xcd, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(opt.is_some())];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).unwrap());
        query.extend_from_slice(label.as_bytes());
    }
    query.push(0);
    query.extend_from_slice(&qtype.to_be_bytes());
    query.extend_from_slice(&[0, 1]);
    if let Some((version, payload, flags, options)) = opt {
        query.extend_from_slice(&[0, 0, 41]);
        query.extend_from_slice(&payload.to_be_bytes());
        query.extend_from_slice(&[0, version]);
        query.extend_from_slice(&flags.to_be_bytes());
        query.extend_from_slice(&u16::try_from(options.len()).unwrap().to_be_bytes());
        query.extend_from_slice(options);
    }
    query
}

/// The parts of an answer that EDNS is about: the code with its upper bits, the header's flags, the number of answers, and
/// the OPT record, which is the last one: payload, version, flags, options.
#[derive(Debug, PartialEq)]
struct Found {
    code: u16,
    flags: u16,
    answers: u16,
    opt: Option<(u16, u8, u16, Vec<u8>)>,
}

fn read(answer: &[u8]) -> Found {
    let word = |at: usize| u16::from_be_bytes([answer[at], answer[at + 1]]);
    assert_eq!(word(0), 0xabcd, "the id");
    let has_opt = word(10) > 0;
    // Without options it has 11 octets.
    let (upper, opt) = if has_opt {
        let at = answer.len() - 11;
        assert_eq!(answer[at..at + 3], [0, 0, 41], "the OPT record is last and bare: {answer:?}");
        assert_eq!(word(at + 9), 0, "no options");
        let upper = u16::from(answer[at + 5]);
        (upper, Some((word(at + 3), answer[at + 6], word(at + 7), Vec::new())))
    } else {
        (0, None)
    };
    let flags = word(2);
    Found { code: upper << 4 | flags & 15, flags: flags & 0xfff0, answers: word(6), opt }
}

// RFC 6891, checked in full as the testers of EDNS compliance do: plain DNS, EDNS 0, EDNS 1, unknown options, unknown flags, both with
// EDNS 1, DO, limits of 512 octets, and TCP.
#[test]
fn edns_is_kept_to() {
    const SOA: u16 = 6;
    const TXT: u16 = 16;
    /// QR and AA; TC.
    const AA: u16 = 0x8400;
    const TC: u16 = 0x0200;
    const DO: u16 = 0x8000;
    let p = platform();
    let server = p.dns_address();
    // Option 100 with two octets.
    let option: &[u8] = &[0, 100, 0, 2, 7, 7];
    let bare = |flags: u16| Some((1_232, 0, flags, Vec::new()));
    let good = |answers: u16, opt| Found { code: 0, flags: AA, answers, opt };
    let bad = |flags: u16| Found { code: 16, flags: 0x8000, answers: 0, opt: bare(flags) };
    let cases = [
        ("dns", query(ZONE, SOA, None), good(1, None)),
        ("edns", query(ZONE, SOA, Some((0, 4_096, 0, &[]))), good(1, bare(0))),
        ("edns1", query(ZONE, SOA, Some((1, 4_096, 0, &[]))), bad(0)),
        // RFC 6891 section 6.1.2: ignored, and not repeated.
        ("ednsopt", query(ZONE, SOA, Some((0, 4_096, 0, option))), good(1, bare(0))),
        ("edns1opt", query(ZONE, SOA, Some((1, 4_096, 0, option))), bad(0)),
        // RFC 6891 section 6.1.4: every flag but DO is cleared.
        ("ednsflags", query(ZONE, SOA, Some((0, 4_096, 0x7fff, &[]))), good(1, bare(0))),
        ("edns1flags", query(ZONE, SOA, Some((1, 4_096, 0x7fff, &[]))), bad(0)),
        // RFC 3225 section 3: DO is repeated; the record comes with its signature.
        ("do", query(ZONE, SOA, Some((0, 4_096, DO, &[]))), good(2, bare(DO))),
        ("edns1do", query(ZONE, SOA, Some((1, 4_096, DO, &[]))), bad(DO)),
    ];
    for (what, query, wanted) in &cases {
        let udp = exchange_udp(server, query, PATIENCE).unwrap();
        assert_eq!(read(&udp), *wanted, "{what}");
        let tcp = exchange_tcp(server, query).unwrap();
        assert_eq!((read(&tcp), tcp.len()), (read(&udp), udp.len()), "{what} over TCP");
    }
    // RFC 6891 section 6.2.3: values below 512 count as 512, and what fits into neither is told by TC.
    let big = format!("big.{ZONE}");
    for (payload, at_most) in [(0, 512), (512, 512), (700, 700), (4_096, 1_232)] {
        let query = query(&big, TXT, Some((0, payload, 0, &[])));
        let udp = exchange_udp(server, &query, PATIENCE).unwrap();
        assert!(udp.len() <= at_most, "{payload}: {}", udp.len());
        let found = read(&udp);
        assert_eq!((found.code, found.flags, found.opt), (0, AA | TC, bare(0)), "{payload}");
        let tcp = exchange_tcp(server, &query).unwrap();
        assert!(tcp.len() > 1_232);
        assert_eq!(read(&tcp), good(6, bare(0)), "{payload} over TCP");
    }
    // Without EDNS, 512 octets (RFC 1035 section 4.2.1).
    let udp = exchange_udp(server, &query(&big, TXT, None), PATIENCE).unwrap();
    assert!(udp.len() <= 512 && read(&udp).opt.is_none(), "{}", udp.len());
    assert_eq!(read(&udp).flags, AA | TC);
}
