//! BIND, Knot, NSD and PowerDNS as secondaries of enumd: AXFR, IXFR, NOTIFY and TSIG as their makers read the RFCs.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType::{A, NAPTR, SOA, TXT};
use hickory_proto::rr::{RData, RecordType};
use ngn_tests::database::{Backend, Database, Server};
use ngn_tests::dns::{ask, dig, lines};
use ngn_tests::fixture::{dns_record, zone};
use ngn_tests::http;
use ngn_tests::net::port_for_later;
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::program::Program;
use ngn_tests::record;

use crate::configuration;

/// 32 octets in Base64.
pub(crate) const SECRET: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
/// Longer than enumd waits between two NOTIFY messages for one zone.
const APART: Duration = Duration::from_millis(1200);

#[derive(Clone, Copy)]
enum Peer {
    Bind,
    Knot,
    Nsd,
    PowerDns,
}

/// A peer that runs, with its database when it has one.
struct Running {
    _program: Program,
    database: Option<Database>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(database) = &self.database {
            database.discard();
        }
    }
}

impl Peer {
    fn start(self, p: &Platform, port: u16, signed: bool) -> Running {
        if matches!(self, Self::PowerDns) {
            return powerdns(p, port, signed);
        }
        let directory = p.directory().join("secondary");
        fs::create_dir(&directory).unwrap();
        let directory = directory.display().to_string();
        let (key, with) = match (self, signed) {
            (Self::Bind, true) => (
                format!("key \"a.key\" {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};"),
                " key \"a.key\"",
            ),
            (Self::Knot, true) => (
                format!("key:\n  - id: a.key\n    algorithm: hmac-sha256\n    secret: {SECRET}"),
                "    key: a.key",
            ),
            (Self::Nsd, true) => (
                format!(
                    "key:\n    name: a.key\n    algorithm: hmac-sha256\n    secret: \"{SECRET}\""
                ),
                "a.key",
            ),
            (Self::Nsd, false) => (String::new(), "NOKEY"),
            _ => (String::new(), ""),
        };
        let (name, program) = match self {
            Self::Bind => ("named.conf", "named"),
            Self::Knot => ("knot.conf", "knotd"),
            Self::Nsd | Self::PowerDns => ("nsd.conf", "nsd"),
        };
        let path = configuration(
            p,
            name,
            &[
                ("PORT", &port.to_string()),
                ("PRIMARY", &p.dns_address().port().to_string()),
                ("DIRECTORY", &directory),
                ("KEY", &key),
                ("WITH", with),
            ],
        );
        let path = path.display().to_string();
        let mut command = Command::new(program);
        // Each stays in the foreground.
        match self {
            Self::Bind => command.args(["-g", "-4", "-n", "1", "-c", &path]),
            Self::Knot => command.args(["-c", &path]),
            Self::Nsd | Self::PowerDns => command.args(["-d", "-c", &path]),
        };
        let program = Program::start_with(program, command, "TERM").unwrap();
        Running { _program: program, database: None }
    }
}

/// Its zone, key and the wish for incremental transfers are rows of its database, whose tables it brings along.
fn powerdns(p: &Platform, port: u16, signed: bool) -> Running {
    let server = Server::shared();
    let database = Database::create_on(server);
    let schema =
        fs::read_to_string("/usr/share/pdns-backend-mysql/schema/schema.mysql.sql").unwrap();
    let primary = p.dns_address();
    let key = format!(
        "insert into tsigkeys (name, algorithm, secret) values ('a.key', 'hmac-sha256', '{SECRET}');
         insert into domainmetadata (domain_id, kind, content) values (1, 'AXFR-MASTER-TSIG', 'a.key');"
    );
    let _ = database.sql(&format!(
        "{schema} insert into domains (id, name, master, type) values (1, 'example.com', '{primary}', 'SLAVE');
         insert into domainmetadata (domain_id, kind, content) values (1, 'IXFR', '1'); {}",
        if signed { &key } else { "" }
    ));
    let directory = p.directory().join("secondary");
    fs::create_dir(&directory).unwrap();
    let path = configuration(
        p,
        "pdns-secondary.conf",
        &[
            ("SOCKET", &server.socket),
            ("DATABASE", database.name.as_deref().unwrap()),
            ("PORT", &port.to_string()),
            ("DIRECTORY", &directory.display().to_string()),
        ],
    );
    // It reads pdns-NAME.conf of a directory.
    let mut command = Command::new("pdns_server");
    command.arg(format!("--config-dir={}", path.parent().unwrap().display()));
    command.arg("--config-name=secondary");
    let program = Program::start_with("pdns_server", command, "TERM").unwrap();
    Running { _program: program, database: Some(database) }
}

fn served(server: SocketAddr, name: &str, kind: RecordType) -> Option<Vec<String>> {
    let answer = ask(server, name, kind).ok()?;
    (answer.metadata.response_code == ResponseCode::NoError && answer.metadata.authoritative)
        .then(|| lines(&answer.answers))
}

pub(crate) fn serial(server: SocketAddr) -> Option<u32> {
    let answer = ask(server, "example.com", SOA).ok()?;
    match &answer.answers.first()?.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    }
}

fn follows(peer: Peer, signed: bool) {
    let port = port_for_later();
    let secondary = SocketAddr::from(([127, 0, 0, 1], port));
    let settings = if signed {
        format!(
            "keys = [{{ name = \"a.key\", secret = \"{SECRET}\" }}]\n[transfer]\nkeys = [\"a.key\"]\n\
             [notify]\nsecondaries = [{{ address = \"{secondary}\", key = \"a.key\" }}]\n"
        )
    } else {
        format!(
            "[transfer]\nallow = [\"127.0.0.1\"]\n[notify]\nsecondaries = [{{ address = \"{secondary}\" }}]\n"
        )
    };
    let p = Platform::start_with(Backend::Sqlite, &[("enumd", &settings)]);
    let admin = p.admin();
    zone(&admin, "example.com");
    let add = |name: &str, kind: &str, value: &str| {
        admin.ok("Dns.addRecord", record! { record: dns_record("example.com", name, kind, value) });
    };
    let long = "long ".repeat(100);
    add("n", "NAPTR", r#"100 10 "s" "SIP+D2U" "" _sip._udp"#);
    add("*.wild", "TXT", &long);
    add("here", "LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m");
    for n in 0..20 {
        add(&format!("host-{n}"), "A", "192.0.2.1");
    }
    p.settle();
    let _program = peer.start(&p, port, signed);
    let last = || serial(p.dns_address()).unwrap();
    // The whole zone, at its start.
    let whole = last();
    eventually("the transfer", || (serial(secondary)? == whole).then_some(()));
    for (name, kind) in
        [("n.example.com", NAPTR), ("x.wild.example.com", TXT), ("host-7.example.com", A)]
    {
        assert_eq!(served(secondary, name, kind), served(p.dns_address(), name, kind), "{name}");
        assert_eq!(served(secondary, name, kind).unwrap().len(), 1, "{name}");
    }
    // Changes, each told apart from the one before.
    let mut seen = vec![whole];
    for n in 0..4_u8 {
        sleep(APART);
        let value = format!("192.0.2.{n}");
        add("new", "A", &value);
        let line = format!("new.example.com. 3600 A {value}");
        let began = Instant::now();
        eventually("the change", || {
            seen.extend(serial(secondary));
            served(secondary, "new.example.com", A)?.contains(&line).then_some(())
        });
        println!("the change was there after {:?}", began.elapsed());
    }
    admin.ok("Dns.deleteZone", record! { zone: "example.com" });
    assert!(seen.is_sorted(), "serials only rise (B110, B116): {seen:?}");
    assert!(seen.last() > seen.first(), "{seen:?}");
    let metrics = http::get(p.admin_address(), "/metrics").unwrap().text();
    let changes = metrics.lines().find_map(|line| {
        line.strip_prefix("enumd_transfers_total{end=\"Ixfr\"} ")?.parse::<u32>().ok()
    });
    assert!(changes.is_some_and(|count| count >= 4), "what changed comes alone: {metrics}");
}

#[test]
fn bind_follows() {
    follows(Peer::Bind, false);
}

#[test]
fn bind_follows_with_a_key() {
    follows(Peer::Bind, true);
}

#[test]
fn knot_follows() {
    follows(Peer::Knot, false);
}

#[test]
fn knot_follows_with_a_key() {
    follows(Peer::Knot, true);
}

#[test]
fn nsd_follows() {
    follows(Peer::Nsd, false);
}

#[test]
fn nsd_follows_with_a_key() {
    follows(Peer::Nsd, true);
}

#[test]
fn powerdns_follows() {
    follows(Peer::PowerDns, false);
}

#[test]
fn powerdns_follows_with_a_key() {
    follows(Peer::PowerDns, true);
}

/// `dig` checks our signatures, and we check those of `dig`.
#[test]
fn dig_and_keys() {
    let settings = format!(
        "keys = [\n{{ name = \"a.key\", secret = \"{SECRET}\" }},\n\
         {{ name = \"b.key\", algorithm = \"hmac-sha384\", secret = \"{SECRET}\" }},\n\
         {{ name = \"c.key\", algorithm = \"hmac-sha512\", secret = \"{SECRET}\" }}]\n\
         [transfer]\nkeys = [\"b.key\", \"c.key\"]\n"
    );
    let p = Platform::start_with(Backend::Sqlite, &[("enumd", &settings)]);
    zone(&p.admin(), "example.com");
    for n in 0..3 {
        let record = dns_record("example.com", "many", "TXT", &n.to_string().repeat(4_000));
        p.admin().ok("Dns.addRecord", record! { record: record });
    }
    p.settle();
    let server = p.dns_address();
    let key = |name: &str, algorithm: &str, secret: &str| format!("{algorithm}:{name}:{secret}");
    for (name, algorithm, transfer) in [
        ("a.key", "hmac-sha256", false),
        ("b.key", "hmac-sha384", true),
        ("c.key", "hmac-sha512", true),
    ] {
        let key = key(name, algorithm, SECRET);
        let soa = dig(server, &["-y", &key, "example.com", "SOA"]).unwrap();
        assert!(soa.contains("status: NOERROR") && soa.contains("TSIG PSEUDOSECTION"), "{soa}");
        assert!(!soa.contains("verify"), "{soa}");
        // It shows a cookie, and looks whether it gets that one back (RFC 7873).
        assert!(soa.contains("(good)"), "{soa}");
        let zone = dig(server, &["-y", &key, "example.com", "AXFR"]).unwrap();
        assert_eq!(zone.contains("XFR size: 7 records"), transfer, "{zone}");
        assert!(!zone.contains("verify"), "{zone}");
    }
    let other = SECRET.replace("MDEy", "MDEz");
    for (key, error) in [
        (key("a.key", "hmac-sha256", &other), "BADSIG"),
        (key("d.key", "hmac-sha256", SECRET), "BADKEY"),
    ] {
        let answer = dig(server, &["-y", &key, "example.com", "SOA"]).unwrap();
        assert!(answer.contains("status: NOTAUTH") && answer.contains(error), "{answer}");
    }
}
