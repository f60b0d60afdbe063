//! Every type of record that the API takes, and every way in which a name may be there or not, asked of PowerDNS and of enumd.
//!
//! Each difference has a name and a reason in `doc/dns-differences.md`; one that stands there and was not seen is as wrong as one
//! that was seen and does not stand there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Record, RecordType};
use ngn_tests::binaries::{program, root};
use ngn_tests::database::Backend;
use ngn_tests::dns::{ask, lines};
use ngn_tests::fixture::{dns_record, enum_number, enum_range, zone};
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::program::run;
use ngn_tests::record;

const SETTINGS: &str = "[provisioning]\nredirect_addresses = [\"192.0.2.80\", \"2001:db8::80\"]\n\
    mail_host = \"mail.example.net\"\n";

/// Name relative to the zone, type, priority, value.
const RECORDS: &[(&str, &str, i64, &str)] = &[
    ("www", "A", 0, "192.0.2.1"),
    ("www", "A", 0, "192.0.2.2"),
    ("www", "AAAA", 0, "2001:db8::1"),
    ("www", "TXT", 0, r#""one" "t\"wo" "th;ree""#),
    ("", "MX", 10, "mail"),
    ("", "MX", 20, "mail.example.org."),
    ("", "TXT", 0, "v=spf1 -all"),
    ("caa", "CAA", 0, r#"0 issue "ca.example.net; x=\"y\"""#),
    ("caa", "CAA", 0, r#"128 iodef "mailto:security@example.com""#),
    ("caa", "CAA", 0, r"\# 12 0009697373756577696c64 3b"),
    ("mail", "A", 0, "192.0.2.25"),
    ("alias", "CNAME", 0, "www"),
    ("chain", "CNAME", 0, "alias"),
    ("away", "CNAME", 0, "www.example.org."),
    ("nowhere", "CNAME", 0, "missing"),
    ("other", "CNAME", 0, "www.example.net."),
    ("_sip._udp", "SRV", 7, "5 5060 www"),
    ("_sip._tcp", "SRV", 7, "0 0 ."),
    ("n", "NAPTR", 0, r#"100 10 "s" "SIP+D2U" "" _sip._udp"#),
    ("n", "NAPTR", 0, r#"100 20 "u" "E2U+sip" "!^(.*)$!sip:\\1@example.com!" ."#),
    ("here", "LOC", 0, "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"),
    ("host", "HINFO", 0, r#"any "a thing""#),
    ("host", "SSHFP", 0, "4 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
    ("host", "RP", 0, "boss persons"),
    (
        "_443._tcp.www",
        "TLSA",
        0,
        "3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ),
    (
        "someone._smimecert",
        "SMIMEA",
        0,
        "3 0 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ),
    ("someone._openpgpkey", "OPENPGPKEY", 0, "mQENBFZ+AQ=="),
    ("_ftp._tcp", "URI", 0, r#"10 1 "ftp://ftp.example.com/pub;lic""#),
    ("cell", "AFSDB", 0, "1 host"),
    ("dhcp", "DHCID", 0, "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="),
    ("spf", "SPF", 0, r#""v=spf1 " "-all""#),
    ("1", "PTR", 0, "host"),
    (
        "svc",
        "HTTPS",
        0,
        r#"1 . mandatory=port alpn="h2,h3" no-default-alpn port=8443 ipv4hint=192.0.2.1,192.0.2.2 ech=AAEC"#,
    ),
    ("svc", "HTTPS", 0, "2 www alpn=h2 ipv6hint=2001:db8::1 key667=\\210x"),
    ("svc", "SVCB", 0, r#"1 www port=5061 dohpath="/q{?dns}""#),
    ("svc2", "HTTPS", 0, "0 svc"),
    ("svc2", "SVCB", 0, r"\# 9 0001000003000213c5"),
    ("strange", "TYPE4711", 0, r"\# 4 0a0b0c0d"),
    ("a.deep.empty", "A", 0, "192.0.2.3"),
    ("*.wild", "A", 0, "192.0.2.4"),
    ("*.wild", "MX", 5, "mail"),
    ("there.wild", "TXT", 0, "there"),
    ("*.walias", "CNAME", 0, "www"),
    ("sub", "NS", 0, "ns1.sub.example.com."),
    ("sub", "NS", 0, "ns.example.org."),
    ("sub", "DS", 0, "12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
    ("ns1.sub", "A", 0, "192.0.2.53"),
    ("old", "DNAME", 0, "example.net."),
    ("long", "TXT", 0, "WORDS"),
];

/// Names that are asked for in all types: with records, without, in between, and below what ends a zone.
const NAMES: &[&str] = &[
    "example.com",
    "caa.example.com",
    "www.example.com",
    "WWW.Example.COM",
    "mail.example.com",
    "alias.example.com",
    "chain.example.com",
    "away.example.com",
    "nowhere.example.com",
    "other.example.com",
    "_sip._udp.example.com",
    "_sip._tcp.example.com",
    "_udp.example.com",
    "n.example.com",
    "here.example.com",
    "host.example.com",
    "_443._tcp.www.example.com",
    "_tcp.www.example.com",
    "1.example.com",
    "svc.example.com",
    "svc2.example.com",
    "someone._smimecert.example.com",
    "someone._openpgpkey.example.com",
    "_ftp._tcp.example.com",
    "cell.example.com",
    "dhcp.example.com",
    "spf.example.com",
    "strange.example.com",
    "a.deep.empty.example.com",
    "deep.empty.example.com",
    "empty.example.com",
    "b.empty.example.com",
    "wild.example.com",
    "x.wild.example.com",
    "y.x.wild.example.com",
    "there.wild.example.com",
    "z.there.wild.example.com",
    "*.wild.example.com",
    "x.walias.example.com",
    "sub.example.com",
    "www.sub.example.com",
    "ns1.sub.example.com",
    "old.example.com",
    "www.old.example.com",
    "long.example.com",
    "missing.example.com",
    "a.missing.example.com",
    "web.example.com",
    "example.net",
    "www.example.net",
    "nothing.example.net",
    "example.org",
    "www.example.org",
    "com",
    "0.2.1.3.e164.arpa",
    "1.0.2.1.3.e164.arpa",
    "2.0.2.1.3.e164.arpa",
    "5.1.0.2.1.3.e164.arpa",
    "1.3.e164.arpa",
];

/// Types that are asked for at each of them.
const TYPES: [u16; 29] = [
    1, 2, 5, 6, 12, 13, 15, 16, 17, 18, 28, 29, 33, 35, 39, 43, 44, 49, 52, 53, 61, 64, 65, 99,
    256, 257, 4711, 65_279, 65_280,
];

/// Examples of a difference that are shown.
const SHOWN: usize = 3;

/// The zones: one from a master file, since the API takes ten types only and `ngn zone import` all.
fn provision(p: &Platform) {
    let mut text = "$TTL 3600\n@ SOA ns1.example.net. hostmaster 1 14400 3600 604800 300\n\
        @ NS ns1.example.net.\n@ NS ns2.example.net.\n"
        .to_owned();
    for (name, kind, priority, value) in RECORDS {
        let name = if name.is_empty() { "@" } else { name };
        let words = "word ".repeat(50);
        let value = value.replace("WORDS", &format!("\"{words}\" \"{words}\""));
        let priority =
            if matches!(*kind, "MX" | "SRV") { format!("{priority} ") } else { String::new() };
        text.push_str(&format!("{name} {kind} {priority}{value}\n"));
    }
    let file = p.directory().join("in.zone");
    fs::write(&file, text).unwrap();
    let mut command = Command::new(program("ngn"));
    command.args(["zone", "import"]).arg(file).args(["--zone", "example.com", "--login", "tester"]);
    command.env("NGN_DATABASE", &p.database.url).args(["--data", p.data().to_str().unwrap()]);
    let said = run(&mut command).unwrap();
    assert!(said.contains(&format!("{} records added", RECORDS.len())), "{said}");
    let admin = p.admin();
    zone(&admin, "example.net");
    let www = dns_record("example.net", "www", "A", "192.0.2.99");
    admin.ok("Dns.addRecord", record! { record: www });
    for (zone, name, kind, value) in [
        ("example.com", "web", "URL", "https://example.org/"),
        ("example.net", "sales@example.net", "MBOXFW", "somebody@example.org"),
    ] {
        let record = dns_record(zone, name, kind, value);
        admin.ok("Dns.addFancyRecord", record! { record: record });
    }
    admin.ok("Enum.addRange", record! { range: enum_range("3120") });
    admin.ok("Enum.addNumber", record! { number: enum_number("31201", "sip:alice@example.com") });
}

/// An answer without the order of its records and without what may be added.
#[derive(Debug, Clone, PartialEq)]
struct Said {
    code: ResponseCode,
    authoritative: bool,
    answers: BTreeSet<String>,
    authority: BTreeSet<String>,
}

impl Said {
    fn of(message: &Message) -> Self {
        let set = |records: &[Record]| -> BTreeSet<String> {
            lines(records).iter().map(|line| line.to_lowercase()).collect()
        };
        Self {
            code: message.metadata.response_code,
            authoritative: message.metadata.authoritative,
            answers: set(&message.answers),
            authority: set(&message.authorities),
        }
    }
}

/// Name, type, what enumd says, what PowerDNS says.
type Is = fn(&str, RecordType, &Said, &Said) -> bool;

/// The differences of `doc/dns-differences.md`, from those that explain most to those that explain least.
const KNOWN: [(&str, Is); 3] = [
    ("names without records", |_, _, ours, theirs| {
        let empty = ours.answers.is_empty() && theirs.answers.is_empty();
        empty && (ours.code, theirs.code) == (ResponseCode::NoError, ResponseCode::NXDomain)
    }),
    ("renamed subtrees", |name, _, ours, theirs| {
        name.ends_with(".old.example.com")
            && !ours.answers.is_empty()
            && theirs.code == ResponseCode::NXDomain
    }),
    ("aliases by wildcards", |name, kind, ours, theirs| {
        let same = Said { authority: BTreeSet::new(), ..theirs.clone() };
        name == "x.walias.example.com" && kind == RecordType::CNAME && *ours == same
    }),
];

fn kind(number: u16) -> RecordType {
    RecordType::from(number)
}

fn said(server: SocketAddr, name: &str, kind: RecordType) -> Said {
    Said::of(&ask(server, name, kind).unwrap_or_else(|error| panic!("{name} {kind}: {error:#}")))
}

#[test]
fn powerdns_answers_every_type_as_enumd_does() {
    let p = Platform::start_with(Backend::MariaDb, &[("ngnpro", SETTINGS)]);
    provision(&p);
    p.settle();
    let (_running, powerdns) = super::start(&p);
    let ours = p.dns_address();
    for zone in ["example.com", "example.net", "0.2.1.3.e164.arpa"] {
        let soa = |server| said(server, zone, RecordType::SOA).answers;
        eventually("the SOA", || (soa(powerdns) == soa(ours)).then_some(()));
    }
    let mut seen: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    let (mut same, mut positive) = (0, 0);
    for name in NAMES {
        for kind in TYPES.map(kind) {
            let (our, their) = (said(ours, name, kind), said(powerdns, name, kind));
            if our == their {
                same += 1;
                positive += usize::from(!our.answers.is_empty());
                continue;
            }
            let known = KNOWN.iter().find(|(_, is)| is(name, kind, &our, &their));
            let (count, example) =
                seen.entry(known.map_or("something else", |(n, _)| n)).or_default();
            *count += 1;
            if *count <= SHOWN {
                example.push_str(&format!(
                    "\n  {name} {kind}\n    enumd    {our:?}\n    PowerDNS {their:?}"
                ));
            }
        }
    }
    println!("{same} alike, {positive} of these with records");
    for (name, (count, example)) in &seen {
        println!("{count} times {name}:{example}");
    }
    let text = std::fs::read_to_string(root().join("doc/dns-differences.md")).unwrap();
    let explained: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    assert_eq!(seen.keys().copied().collect::<BTreeSet<_>>(), explained);
    assert!(positive > 100, "{positive}");
}
