//! enumd as a secondary of BIND and Knot: AXFR, IXFR, NOTIFY and TSIG as their makers read the RFCs, and what it does while
//! they are away.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Instant;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType::{self, A, AAAA, CNAME, MX, NAPTR, NS, PTR, SRV, TXT};
use ngn_tests::database::Backend;
use ngn_tests::dns::{ask, code, dig, lines};
use ngn_tests::fixture::dns_zone;
use ngn_tests::http;
use ngn_tests::net::port_for_later;
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::program::Program;
use ngn_tests::record;

use crate::configuration;
use crate::secondaries::{SECRET, serial};

#[derive(Clone, Copy)]
enum Master {
    Bind,
    Knot,
}

/// What is asked of both.
const NAMES: &[(&str, RecordType)] = &[
    ("example.com", NS),
    ("example.com", MX),
    ("example.com", TXT),
    ("www.example.com", A),
    ("www.example.com", AAAA),
    ("alias.example.com", CNAME),
    ("alias.example.com", A),
    ("_sip._udp.example.com", SRV),
    ("n.example.com", NAPTR),
    ("here.example.com", RecordType::Unknown(29)),
    ("4.3.2.1.example.com", PTR),
    ("x.wild.example.com", TXT),
    ("host-77.example.com", A),
    ("odd.example.com", RecordType::Unknown(65_280)),
    ("below.sub.example.com", A),
    ("nothing.example.com", A),
    ("2.1.example.com", A),
];

/// A zone with records of each kind and so many hosts, with these times in seconds.
fn zone_file(hosts: usize, refresh: u32, retry: u32, expire: u32) -> String {
    let mut text = format!(
        "$ORIGIN example.com.\n$TTL 300\n\
         @ SOA ns1.example.net. HostMaster.example.com. 2026010101 {refresh} {retry} {expire} 60\n\
         @ NS ns1.example.net.\n@ NS NS2.Example.Net.\n@ MX 10 Mail\n@ TXT \"v=spf1 -all\" \"two\"\n\
         www A 192.0.2.1\nwww AAAA 2001:db8::1\nalias CNAME WWW\n_sip._udp SRV 7 5 5060 sip\n\
         n NAPTR 100 10 \"s\" \"SIP+D2U\" \"\" _sip._udp\n4.3.2.1 PTR www\n*.wild TXT \"wild\"\n\
         here LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m\n\
         odd TYPE65280 \\# 3 010203\nsub NS ns.sub\nns.sub A 192.0.2.53\n"
    );
    for n in 0..hosts {
        text += &format!("host-{n} A 192.0.2.1\n");
    }
    text
}

impl Master {
    fn start(self, p: &Platform, port: u16, signed: bool) -> Program {
        let directory = p.directory().join("primary").display().to_string();
        let (name, program) = match self {
            Self::Bind => ("named-primary.conf", "named"),
            Self::Knot => ("knot-primary.conf", "knotd"),
        };
        let (key, with, who) = match (self, signed) {
            (Self::Bind, true) => (
                format!("key \"a.key\" {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};"),
                " key \"a.key\"",
                "key \"a.key\"",
            ),
            (Self::Knot, true) => (
                format!("key:\n  - id: a.key\n    algorithm: hmac-sha256\n    secret: {SECRET}"),
                "    key: a.key",
                "",
            ),
            (_, false) => (String::new(), "", "127.0.0.1"),
        };
        let (port, secondary) = (port.to_string(), p.dns_address().port().to_string());
        let path = configuration(
            p,
            name,
            &[
                ("PORT", &port),
                ("SECONDARY", &secondary),
                ("DIRECTORY", &directory),
                ("KEY", &key),
                ("WITH", with),
                ("WHO", who),
            ],
        );
        let path = path.display().to_string();
        let mut command = Command::new(program);
        match self {
            Self::Bind => command.args(["-g", "-4", "-n", "1", "-c", &path]),
            Self::Knot => command.args(["-c", &path]),
        };
        Program::start_with(program, command, "TERM").unwrap()
    }
}

/// A platform whose enumd follows a master that does not run yet.
fn follower(port: u16, signed: bool) -> Platform {
    let (keys, key) = if signed {
        (format!("keys = [{{ name = \"a.key\", secret = \"{SECRET}\" }}]\n"), ", key = \"a.key\"")
    } else {
        (String::new(), "")
    };
    let settings = format!(
        "{keys}secondary = [{{ zone = \"example.com\", masters = [\"127.0.0.1:{port}\"]{key} }}]\n\
         [fetching]\nleast_seconds = 1\n[transfer]\nallow = [\"127.0.0.1\"]\n"
    );
    let p = Platform::start_with(Backend::Sqlite, &[("enumd", &settings)]);
    fs::create_dir(p.directory().join("primary")).unwrap();
    p
}

fn write_zone(p: &Platform, text: &str) {
    fs::write(p.directory().join("primary/example.com.db"), text).unwrap();
}

/// Changes the master's zone (RFC 2136).
fn update(server: SocketAddr, lines: &str) {
    let mut nsupdate = Command::new("nsupdate").stdin(Stdio::piped()).spawn().unwrap();
    let script =
        format!("server {} {}\nzone example.com\n{lines}\nsend\n", server.ip(), server.port());
    nsupdate.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(nsupdate.wait().unwrap().success(), "{script}");
}

/// The records of a whole zone, or of a change.
fn transferred(server: SocketAddr, signed: bool, what: &str) -> Vec<String> {
    let key = format!("hmac-sha256:a.key:{SECRET}");
    let words = ["-y", &key, "+onesoa", "+nocmd", "+nostats", "example.com", what];
    let text = dig(server, if signed { &words } else { &words[2..] }).unwrap();
    let mut lines: Vec<String> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(';'))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase())
        .filter(|line| !line.contains(" any tsig "))
        .collect();
    lines.sort();
    lines
}

fn same_answers(master: SocketAddr, ours: SocketAddr) {
    for (name, kind) in NAMES {
        let [theirs, ours] = [master, ours].map(|server| {
            let answer = ask(server, name, *kind).unwrap();
            let mut text = lines(&answer.answers);
            text.iter_mut().for_each(|line| line.make_ascii_lowercase());
            text.sort();
            (answer.metadata.response_code, answer.metadata.authoritative, text)
        });
        assert_eq!(theirs, ours, "{name} {kind} (the master left, ours right)");
    }
}

fn counted(p: &Platform, line: &str) -> u32 {
    let metrics = http::get(p.admin_address(), "/metrics").unwrap().text();
    let line = metrics.lines().find_map(|found| found.strip_prefix(line));
    line.map_or(0, |count| count.trim().parse().unwrap())
}

fn is_followed(master: Master, signed: bool) {
    let port = port_for_later();
    let p = follower(port, signed);
    let (theirs, ours) = (SocketAddr::from(([127, 0, 0, 1], port)), p.dns_address());
    assert_eq!(code(ours, "www.example.com", A), ResponseCode::ServFail, "it never came");
    // Nobody asks again before long but for NOTIFY.
    write_zone(&p, &zone_file(2_000, 86_400, 86_400, 864_000));
    let mut running = master.start(&p, port, signed);
    eventually("the transfer", || (serial(ours)? == 2_026_010_101).then_some(()));
    same_answers(theirs, ours);
    let whole = transferred(theirs, signed, "AXFR");
    assert!(whole.len() > 2_000);
    assert_eq!(transferred(ours, signed, "AXFR"), whole, "it is given on whole");
    for n in 1..=4_u8 {
        let before = serial(theirs).unwrap();
        let began = Instant::now();
        update(
            theirs,
            &format!(
                "update delete new.example.com\nupdate add new.example.com 60 A 192.0.2.{n}\n\
                 update delete host-{n}.example.com\nupdate add h{n}.wild.example.com 60 TXT \"x\""
            ),
        );
        let expected = [format!("new.example.com. 60 A 192.0.2.{n}")];
        eventually("the change", || {
            (lines(&ask(ours, "new.example.com", A).ok()?.answers) == expected).then_some(())
        });
        println!("the change was there after {:?}", began.elapsed());
        assert_eq!(code(ours, &format!("host-{n}.example.com"), A), ResponseCode::NXDomain);
        same_answers(theirs, ours);
        assert_eq!(serial(ours), serial(theirs));
        // What changed is given on as such.
        let change = transferred(ours, signed, &format!("IXFR={before}"));
        assert!(change.len() < 12, "{change:?}");
        assert!(change.iter().any(|line| line.contains(&format!("host-{n}."))), "{change:?}");
    }
    assert_eq!(transferred(ours, signed, "AXFR"), transferred(theirs, signed, "AXFR"));
    assert_eq!(counted(&p, "enumd_secondary_fetches_total{end=\"Axfr\"} "), 1, "then only changes");
    assert!(counted(&p, "enumd_secondary_fetches_total{end=\"Ixfr\"} ") >= 4);
    assert!(counted(&p, "enumd_notifies_received_total{accepted=\"yes\"} ") >= 4);
    assert_eq!(counted(&p, "enumd_secondary_zones{state=\"Served\"} "), 1);
    // Zones of ours are served beside it, and one of the same name does not take its place.
    let admin = p.admin();
    for name in ["example.com", "example.org"] {
        admin.ok("Dns.addZone", record! { zone: dns_zone(name) });
    }
    p.settle();
    eventually("our zone", || {
        (code(ours, "example.org", NS) == ResponseCode::NoError).then_some(())
    });
    same_answers(theirs, ours);
    let _ = running.stop();
    same_answers_without(ours);
}

/// The master is gone, and nothing else changed.
fn same_answers_without(ours: SocketAddr) {
    let answer = ask(ours, "www.example.com", A).unwrap();
    assert_eq!(lines(&answer.answers), ["www.example.com. 300 A 192.0.2.1"]);
}

#[test]
fn bind_is_followed() {
    is_followed(Master::Bind, false);
}

#[test]
fn bind_is_followed_with_a_key() {
    is_followed(Master::Bind, true);
}

#[test]
fn knot_is_followed() {
    is_followed(Master::Knot, false);
}

#[test]
fn knot_is_followed_with_a_key() {
    is_followed(Master::Knot, true);
}

/// Without its master a zone is served over a restart, until it expires; and again when the master is back.
#[test]
fn a_zone_outlives_its_master_until_it_expires() {
    let port = port_for_later();
    let mut p = follower(port, false);
    let ours = p.dns_address();
    write_zone(&p, &zone_file(10, 86_400, 86_400, 864_000));
    let mut master = Master::Bind.start(&p, port, false);
    eventually("the transfer", || (serial(ours)? == 2_026_010_101).then_some(()));
    master.stop().unwrap();
    p.stop();
    p.launch();
    same_answers_without(ours);
    // The next state lives for few seconds only.
    write_zone(&p, &zone_file(10, 1, 1, 4).replace("2026010101", "2026010102"));
    let mut master = Master::Bind.start(&p, port, false);
    eventually("the transfer", || (serial(ours)? == 2_026_010_102).then_some(()));
    master.stop().unwrap();
    let began = Instant::now();
    eventually("the end", || {
        (code(ours, "www.example.com", A) == ResponseCode::ServFail).then_some(())
    });
    println!("expired {:?} after the master went", began.elapsed());
    assert_eq!(counted(&p, "enumd_secondary_zones{state=\"Expired\"} "), 1);
    // What expired stays expired over a restart.
    p.stop();
    p.launch();
    assert_eq!(code(ours, "www.example.com", A), ResponseCode::ServFail);
    let _master = Master::Bind.start(&p, port, false);
    eventually("the zone", || {
        (code(ours, "www.example.com", A) == ResponseCode::NoError).then_some(())
    });
    same_answers_without(ours);
}

/// A zone that its master signs is not taken: nobody here could answer for it.
#[test]
fn a_signed_zone_is_refused_with_the_reason() {
    let port = port_for_later();
    let mut p = follower(port, false);
    let rrsig = "www RRSIG A 13 3 300 20300101000000 20260101000000 1 example.com. AAAA\n";
    write_zone(&p, &(zone_file(0, 60, 60, 600) + rrsig));
    let _master = Master::Bind.start(&p, port, false);
    let told = p.program().wait_for("the reason", |line| {
        line.contains("zones that their masters sign cannot be served").then_some(())
    });
    told.unwrap();
    assert_eq!(code(p.dns_address(), "www.example.com", A), ResponseCode::ServFail);
}
