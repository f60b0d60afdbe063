//! PowerDNS answers what enumd answers.

use std::net::SocketAddr;
use std::process::Command;

use hickory_proto::rr::RecordType::{self, A, AAAA, CNAME, MX, NAPTR, NS, SOA, SRV, TXT};
use ngn_tests::database::{Backend, Server};
use ngn_tests::dns::{ask, lines};
use ngn_tests::fixture::{dns_record, dns_zone, enum_id, enum_number, enum_range};
use ngn_tests::net::free_port;
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::program::Program;
use ngn_tests::record;

use crate::configuration;

fn start(p: &Platform) -> (Program, SocketAddr) {
    let port = free_port();
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

#[test]
fn powerdns_answers_from_our_database() {
    let p = Platform::start(Backend::MariaDb);
    let admin = p.admin();
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
