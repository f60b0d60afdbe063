//! Fancy records (B125): web redirects by HTTP and in DNS, mail forwardings as MX and as Postfix's table.

use crate::dnssec::ngn;
use hickory_proto::rr::RecordType::{self, A, AAAA, CNAME, MX};
use ngn_tests::binaries::program;
use ngn_tests::database::Backend;
use ngn_tests::dns::{ask, lines};
use ngn_tests::fixture::{dns_record, zone};
use ngn_tests::platform::{Platform, eventually, on_both};
use ngn_tests::record;
use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::net::TcpStream;
use std::process::{Command, Stdio};

const SETTINGS: &str = "[provisioning]\nredirect_addresses = [\"192.0.2.80\", \"2001:db8::80\"]\n\
    mail_host = \"mail.example.net\"\n[redirect]\nlisten = \"127.0.0.1:0\"\n";

/// The answers to a question, whether the name exists or not.
fn answers(server: SocketAddr, name: &str, kind: RecordType) -> Vec<String> {
    lines(&ask(server, name, kind).unwrap().answers)
}

fn fancy(p: &Platform, name: &str, kind: &str, value: &str) -> i64 {
    let record = dns_record("example.com", name, kind, value);
    p.admin().ok("Dns.addFancyRecord", record! { record: record }).int_at("id")
}

fn plain(p: &Platform, name: &str, kind: &str, value: &str) -> i64 {
    let record = dns_record("example.com", name, kind, value);
    p.admin().ok("Dns.addRecord", record! { record: record }).int_at("id")
}

fn delete(p: &Platform, id: i64) {
    p.admin().ok("Dns.deleteRecord", record! { recordId: id });
}

/// Status and Location of what a host answers.
fn visit(p: &Platform, host: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(p.redirect_address()).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.split(' ').nth(1).unwrap_or_default().to_owned();
    let location = text.lines().find_map(|line| line.strip_prefix("location: "));
    (status, location.unwrap_or_default().to_owned())
}

fn with_settings(test: impl Fn(&mut Platform) + Send + Sync) {
    on_both(|p| {
        p.stop();
        fs::write(p.data().join("ngnpro.toml"), SETTINGS).unwrap();
        p.launch();
        zone(&p.admin(), "example.com");
        test(p);
    });
}

#[test]
fn visitors_are_sent_to_the_value() {
    with_settings(|p| {
        let id = fancy(p, "old", "URL", "https://www.example.org");
        p.settle();
        let server = p.dns_address();
        assert_eq!(answers(server, "old.example.com", A), ["old.example.com. 3600 A 192.0.2.80"]);
        assert_eq!(
            answers(server, "old.example.com", AAAA),
            ["old.example.com. 3600 AAAA 2001:db8::80"]
        );
        let found = |status: &str, location: &str| (status.to_owned(), location.to_owned());
        let there = found("302", "https://www.example.org/a?b");
        eventually("the redirect", || (visit(p, "old.example.com", "/a?b") == there).then_some(()));
        assert_eq!(visit(p, "none.example.com", "/"), found("404", ""));
        p.admin().ok("Dns.updateFancyRecord", record! {
            record: dns_record("example.com", "old", "URL", "http://example.net/new").with("id", id),
        });
        let there = found("302", "http://example.net/new");
        eventually("the new one", || (visit(p, "old.example.com", "/a?b") == there).then_some(()));

        // What the zone's owner writes there goes before; afterwards it is as it was.
        let own = plain(p, "old", "A", "192.0.2.1");
        p.settle();
        assert_eq!(answers(server, "old.example.com", A), ["old.example.com. 3600 A 192.0.2.1"]);
        assert_eq!(answers(server, "old.example.com", AAAA), [""; 0]);
        delete(p, own);
        let alias = plain(p, "old", "CNAME", "www.example.org");
        p.settle();
        assert_eq!(answers(server, "old.example.com", CNAME).len(), 1);
        delete(p, alias);
        p.settle();
        assert_eq!(answers(server, "old.example.com", A), ["old.example.com. 3600 A 192.0.2.80"]);
        // Nobody sees in SOAP what was made of the record.
        let records = p.admin().ok("Dns.getRecords", record! { query: record! {} });
        assert_eq!(records.int_at("total"), 0);

        p.admin().ok("Dns.deleteZone", record! { zone: "example.com" });
        eventually("its end", || {
            (visit(p, "old.example.com", "/") == found("404", "")).then_some(())
        });
    });
}

#[test]
fn forwarded_mail_has_a_host_and_a_table() {
    with_settings(|p| {
        let one = fancy(p, "alice@example.com", "MBOXFW", "alice@example.org");
        let two = fancy(p, "bob@sub.example.com", "MBOXFW", "bob@example.org");
        p.settle();
        let server = p.dns_address();
        let mx = |name: &str| answers(server, name, MX);
        assert_eq!(mx("example.com"), ["example.com. 3600 MX 10 mail.example.net."]);
        assert_eq!(mx("sub.example.com"), ["sub.example.com. 3600 MX 10 mail.example.net."]);
        let own = plain(p, "", "MX", "mx.example.org");
        p.settle();
        assert_eq!(mx("example.com"), ["example.com. 3600 MX 0 mx.example.org."]);
        delete(p, own);
        delete(p, two);
        p.settle();
        assert_eq!(mx("example.com"), ["example.com. 3600 MX 10 mail.example.net."]);
        assert_eq!(mx("sub.example.com"), [""; 0]);

        let text = ngn(p, &["aliases"]).unwrap();
        assert_eq!(
            text.lines().skip(1).collect::<Vec<_>>(),
            ["alice@example.com alice@example.org"]
        );
        let file = p.directory().join("virtual");
        let mut command = Command::new(program("ngn"));
        command.args(["zone", "aliases", "--watch", "--out", file.to_str().unwrap()]);
        command.args(["--data", p.data().to_str().unwrap()]).env("NGN_DATABASE", &p.database.url);
        let mut watch = command.stdout(Stdio::null()).spawn().unwrap();
        let holds = |expected: &[&str]| {
            eventually("the table", || {
                let text = fs::read_to_string(&file).ok()?;
                text.lines().skip(1).eq(expected.iter().copied()).then_some(())
            });
        };
        holds(&["alice@example.com alice@example.org"]);
        fancy(p, "alice@example.com", "MBOXFW", "alice@example.net");
        holds(&["alice@example.com alice@example.org, alice@example.net"]);
        delete(p, one);
        holds(&["alice@example.com alice@example.net"]);
        watch.kill().unwrap();
        watch.wait().unwrap();
    });
}

// A setting that changes is heeded at the next start; without it nothing is made of fancy records.
#[test]
fn settings_that_change_are_followed() {
    let mut p = Platform::start(Backend::Sqlite);
    zone(&p.admin(), "example.com");
    fancy(&p, "old", "URL", "https://www.example.org");
    p.settle();
    assert_eq!(answers(p.dns_address(), "old.example.com", A), [""; 0]);
    let serial = |p: &Platform| {
        p.admin().ok("Dns.getZone", record! { zone: "example.com" }).int_at("serial")
    };
    let before = serial(&p);
    for (settings, expected) in [(SETTINGS, 1), ("", 0)] {
        p.stop();
        fs::write(p.data().join("ngnpro.toml"), settings).unwrap();
        p.launch();
        let now = || answers(p.dns_address(), "old.example.com", A).len() == expected;
        eventually("the setting", || now().then_some(()));
    }
    assert!(serial(&p) > before);
}
