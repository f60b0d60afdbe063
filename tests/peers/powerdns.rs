//! PowerDNS answers what enumd answers.

mod types;

use std::net::SocketAddr;
use std::process::Command;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RData;
use hickory_proto::rr::RecordType::{self, A, AAAA, CNAME, MX, NAPTR, NS, SOA, SRV, TXT};
use ngn_tests::database::{Backend, Server};
use ngn_tests::dns::{ask, lines};
use ngn_tests::fixture::{dns_record, dns_zone, enum_id, enum_number, enum_range};
use ngn_tests::net::port_for_later;
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::program::Program;
use ngn_tests::record;
use ngn_tests::soap::Client;

use crate::configuration;

fn start(p: &Platform) -> (Program, SocketAddr) {
    let port = port_for_later();
    let path = configuration(
        p,
        "pdns.conf",
        &[
            ("SOCKET", &Server::shared().socket),
            ("DATABASE", p.database.name.as_deref().unwrap()),
            ("PORT", &port.to_string()),
            ("DIRECTORY", &p.directory().display().to_string()),
        ],
    );
    // It reads pdns.conf of a directory.
    let mut command = Command::new("pdns_server");
    command.arg(format!("--config-dir={}", path.parent().unwrap().display()));
    let program = Program::start_with("pdns_server", command, "TERM").unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    eventually("PowerDNS", || ask(address, "nothing.example", A).ok());
    (program, address)
}

/// A zone with a record of each kind, a fancy one, and an ENUM range with a number.
fn provision(admin: &Client) {
    admin.ok(
        "Dns.addZone",
        record! { zone: dns_zone("example.com").with("email", "a.b@example.org") },
    );
    for (name, kind, value, priority) in [
        ("www", "A", "192.0.2.1", 0),
        ("www", "AAAA", "2001:db8::1", 0),
        ("alias", "CNAME", "www", 0),
        ("", "MX", "mail", 10),
        ("", "TXT", "v=spf1 -all", 0),
        ("_sip._udp", "SRV", "5 5060 sip", 7),
        ("here", "LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m", 0),
        ("*.any", "A", "192.0.2.9", 0),
        ("sub", "NS", "ns1.sub.example.com", 0),
        ("n", "NAPTR", r#"100 10 "s" "SIP+D2U" "" _sip._udp"#, 10),
    ] {
        let added = dns_record("example.com", name, kind, value).with("priority", priority);
        admin.ok("Dns.addRecord", record! { record: added });
    }
    admin.ok(
        "Dns.addRecord",
        record! { record: dns_record("example.com", "quoted", "TXT", r#""one" "t\"wo""#) },
    );
    admin.ok(
        "Dns.addRecord",
        record! { record: dns_record("example.com", "long", "TXT", &"word ".repeat(100)) },
    );
    admin.ok(
        "Dns.addFancyRecord",
        record! { record: dns_record("example.com", "old", "URL", "https://example.org/") },
    );
    admin.ok("Enum.addRange", record! { range: enum_range("3120") });
    admin.ok("Enum.addNumber", record! { number: enum_number("31201", "sip:alice@example.com") });
}

/// The type that hickory-proto has no name for.
const LOC: RecordType = RecordType::Unknown(29);

/// What DNS must say of [`provision`]'s zones, in hickory-proto's words.
const EXPECTED: &[(&str, RecordType, &[&str])] = &[
    ("www.example.com", A, &["www.example.com. 3600 A 192.0.2.1"]),
    ("www.example.com", AAAA, &["www.example.com. 3600 AAAA 2001:db8::1"]),
    ("x.any.example.com", A, &["x.any.example.com. 3600 A 192.0.2.9"]),
    ("www.example.com", TXT, &[]),
    ("alias.example.com", CNAME, &["alias.example.com. 3600 CNAME www.example.com."]),
    (
        "alias.example.com",
        A,
        &["alias.example.com. 3600 CNAME www.example.com.", "www.example.com. 3600 A 192.0.2.1"],
    ),
    ("example.com", MX, &["example.com. 3600 MX 10 mail.example.com."]),
    (
        "example.com",
        NS,
        &["example.com. 3600 NS ns1.example.net.", "example.com. 3600 NS ns2.example.net."],
    ),
    ("example.com", TXT, &["example.com. 3600 TXT v=spf1 -all"]),
    ("quoted.example.com", TXT, &["quoted.example.com. 3600 TXT onet\"wo"]),
    ("long.example.com", TXT, &["long.example.com. 3600 TXT WORDS"]),
    ("_sip._udp.example.com", SRV, &["_sip._udp.example.com. 3600 SRV 7 5 5060 sip.example.com."]),
    (
        "n.example.com",
        NAPTR,
        &["n.example.com. 3600 NAPTR 100 10 \"s\" \"SIP+D2U\" \"\" _sip._udp.example.com."],
    ),
    (
        "1.0.2.1.3.e164.arpa",
        NAPTR,
        &[
            "1.0.2.1.3.e164.arpa. 3600 NAPTR 100 5 \"u\" \"E2U+sip\" \"!^.*$!sip:alice@example.com!\" .",
        ],
    ),
    (
        "0.2.1.3.e164.arpa",
        NS,
        &[
            "0.2.1.3.e164.arpa. 3600 NS ns1.example.net.",
            "0.2.1.3.e164.arpa. 3600 NS ns2.example.net.",
        ],
    ),
];

/// What PowerDNS answers is what was said over SOAP.
#[test]
fn powerdns_answers_what_was_provisioned() {
    let p = Platform::start(Backend::MariaDb);
    let admin = p.admin();
    provision(&admin);
    let (_running, powerdns) = start(&p);
    let answers = |name: &str, kind: RecordType| {
        let answer = ask(powerdns, name, kind).unwrap();
        (answer.metadata.response_code, lines(&answer.answers))
    };
    for (name, kind, expected) in EXPECTED {
        assert_eq!(
            answers(name, *kind),
            (
                ResponseCode::NoError,
                expected
                    .iter()
                    .map(|line| line.replace("WORDS", &"word ".repeat(100)))
                    .collect::<Vec<_>>()
            ),
            "{name} {kind}"
        );
    }
    for name in ["nothing.example.com", "2.0.2.1.3.e164.arpa"] {
        assert_eq!(answers(name, A), (ResponseCode::NXDomain, vec![]), "{name}");
    }
    // The fancy record is no DNS data: nothing else stands at its name.
    assert_eq!(answers("old.example.com", TXT).0, ResponseCode::NXDomain);
    // LOC, which hickory-proto does not know: RFC 1876 section 2, worked out by hand.
    let located = ask(powerdns, "here.example.com", LOC).unwrap();
    let RData::Unknown { rdata, .. } = &located.answers[0].data else {
        panic!("{:?}", located.answers)
    };
    let hex: String = rdata.anything.iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(hex, "000016138b3cf018810cbce0009895b8");
    // A delegation (B129c).
    let below = ask(powerdns, "www.sub.example.com", A).unwrap();
    assert!(!below.metadata.authoritative);
    assert_eq!(lines(&below.authorities), ["sub.example.com. 3600 NS ns1.sub.example.com."]);
    // The serial that PowerDNS gives out becomes that of the API (B116), which rises by each change.
    let serial = |zone: &str| {
        let found = admin.ok("Dns.getZone", record! { zone: zone });
        found.int_at("serial").to_string()
    };
    let soa = |serial: &str| {
        vec![format!(
            "example.com. 3600 SOA ns1.example.net. a\\.b.example.org. {serial} 14400 3600 604800 300"
        )]
    };
    let before = serial("example.com");
    eventually("the SOA", || (answers("example.com", SOA).1 == soa(&before)).then_some(()));
    // Changes are seen while it runs.
    admin.ok(
        "Dns.addRecord",
        record! { record: dns_record("example.com", "www", "A", "192.0.2.2").with("ttl", 60) },
    );
    let www = ["www.example.com. 60 A 192.0.2.1", "www.example.com. 60 A 192.0.2.2"];
    assert_eq!(answers("www.example.com", A).1, www);
    let after = serial("example.com");
    assert_ne!(before, after);
    eventually("the new SOA", || (answers("example.com", SOA).1 == soa(&after)).then_some(()));
    admin.ok(
        "Dns.updateZone",
        record! { zone: record! { name: "example.com", nameservers: ["ns1"], ttl: 77 } },
    );
    assert_eq!(answers("example.com", NS).1, ["example.com. 77 NS ns1.example.com."]);
    admin.ok("Enum.updateNumber", record! { number: enum_number("31201", "sip:bob@example.com") });
    assert!(answers("1.0.2.1.3.e164.arpa", NAPTR).1[0].contains("sip:bob@example.com"));
    admin.ok("Enum.deleteNumber", record! { enumId: enum_id("31201") });
    assert_eq!(answers("1.0.2.1.3.e164.arpa", NAPTR).1, [""; 0]);
    admin.ok("Dns.deleteZone", record! { zone: "example.com" });
    assert_eq!(answers("www.example.com", A), (ResponseCode::Refused, vec![]));
}

/// Names without records above others with records: PowerDNS knows them by rows without a type, which its own tool adds.
#[test]
fn powerdns_rectifies_our_zones() {
    let p = Platform::start(Backend::MariaDb);
    let admin = p.admin();
    provision(&admin);
    p.settle();
    let (_running, powerdns) = start(&p);
    let listed = || admin.call("Dns.getRecords", &ngn_tests::matching(record! {})).body;
    let before = listed();
    let path = p.directory().join("pdns.conf");
    let status = Command::new("pdnsutil")
        .arg(format!("--config-dir={}", path.parent().unwrap().display()))
        .args(["rectify-zone", "example.com"])
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    for name in ["_udp.example.com", "any.example.com"] {
        let theirs = ask(powerdns, name, A).unwrap();
        assert_eq!(theirs.metadata.response_code, ResponseCode::NoError, "{name}");
        let ours = ask(p.dns_address(), name, A).unwrap();
        assert_eq!(ours.metadata.response_code, ResponseCode::NoError, "{name}");
    }
    // Those rows are no records: neither in lists nor in the way of a CNAME.
    assert_eq!(listed(), before);
    admin.ok("Dns.addRecord", record! { record: dns_record("example.com", "any", "CNAME", "www") });
    assert_eq!(ask(powerdns, "any.example.com", A).unwrap().answers.len(), 2);
}

#[test]
fn powerdns_answers_what_enumd_answers() {
    let p = Platform::start(Backend::MariaDb);
    let admin = p.admin();
    provision(&admin);
    p.settle();

    let (_running, powerdns) = start(&p);
    let same = |name: &str, kind: RecordType| {
        let theirs = ask(powerdns, name, kind).unwrap();
        let ours = ask(p.dns_address(), name, kind).unwrap();
        assert_eq!(theirs.metadata.response_code, ours.metadata.response_code, "{name} {kind}");
        assert_eq!(theirs.metadata.authoritative, ours.metadata.authoritative, "{name} {kind}");
        assert_eq!(
            lines(&theirs.answers),
            lines(&ours.answers),
            "{name} {kind} (PowerDNS left, ours right)"
        );
        lines(&theirs.answers)
    };
    // Names without records above others with records are not asked for: PowerDNS finds them only as rows without a
    // type, which `pdnsutil rectify-zone` adds.
    for (name, kind, count) in [
        ("www.example.com", A, 1),
        ("www.example.com", AAAA, 1),
        ("alias.example.com", CNAME, 1),
        ("alias.example.com", A, 2),
        ("example.com", MX, 1),
        ("example.com", NS, 2),
        ("example.com", TXT, 1),
        ("quoted.example.com", TXT, 1),
        ("long.example.com", TXT, 1),
        ("_sip._udp.example.com", SRV, 1),
        ("n.example.com", NAPTR, 1),
        ("1.0.2.1.3.e164.arpa", NAPTR, 1),
        ("0.2.1.3.e164.arpa", NS, 2),
        ("here.example.com", LOC, 1),
        ("x.any.example.com", A, 1),
        ("y.x.any.example.com", A, 1),
        ("www.sub.example.com", A, 0),
        ("sub.example.com", NS, 0),
        ("old.example.com", TXT, 0),
        ("nothing.example.com", A, 0),
        ("2.0.2.1.3.e164.arpa", NAPTR, 0),
    ] {
        assert_eq!(same(name, kind).len(), count, "{name} {kind}");
    }
    // The SOA row is brought up to date in the background.
    for zone in ["example.com", "0.2.1.3.e164.arpa"] {
        eventually(&format!("the SOA of {zone}"), || {
            let theirs = ask(powerdns, zone, SOA).ok()?;
            let ours = ask(p.dns_address(), zone, SOA).ok()?;
            (theirs.answers.len() == 1 && lines(&theirs.answers) == lines(&ours.answers))
                .then_some(())
        });
    }
    // Changes are seen while it runs.
    admin.ok("Enum.updateNumber", record! { number: enum_number("31201", "sip:bob@example.com") });
    p.settle();
    assert!(same("1.0.2.1.3.e164.arpa", NAPTR)[0].contains("sip:bob@example.com"));
    admin.ok("Enum.deleteNumber", record! { enumId: enum_id("31201") });
    admin.ok("Dns.deleteZone", record! { zone: "example.com" });
    p.settle();
    same("1.0.2.1.3.e164.arpa", NAPTR);
    same("www.example.com", A);
}
