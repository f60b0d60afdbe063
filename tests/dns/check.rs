//! `ngn zone check`: delegations, servers, and what telephones look for (RFC 3263). The platform is parent, child and
//! resolver at once.

use crate::dnssec::ngn;
use ngn_tests::fixture::{dns_record, domain, enum_range};
use ngn_tests::platform::Platform;
use ngn_tests::{both, record};
use serde_json::Value as Json;
use std::net::UdpSocket;

fn add(p: &Platform, zone: &str, name: &str, kind: &str, value: &str) -> i64 {
    let record = dns_record(zone, name, kind, value);
    p.admin().ok("Dns.addRecord", record! { record: record }).int_at("id")
}

fn zone(p: &Platform, name: &str) {
    let servers = record! { name: name, nameservers: ["ns1.example"] };
    p.admin().ok("Dns.addZone", record! { zone: servers });
}

/// Whether a check found nothing wrong, and what it said.
fn check(p: &Platform, zone: &str, more: &[&str]) -> (bool, String) {
    let server = p.dns_address();
    let (resolver, port) = (server.to_string(), server.port().to_string());
    let arguments = ["check", zone, "--resolver", resolver.as_str(), "--port", port.as_str()];
    match ngn(p, &[&arguments[..], more].concat()) {
        Ok(said) => (true, said),
        Err(said) => (false, said),
    }
}

/// What is said with --json, of one level.
fn said(p: &Platform, zone: &str, level: &str) -> Vec<String> {
    let server = p.dns_address();
    let (resolver, port) = (server.to_string(), server.port().to_string());
    let mut command = std::process::Command::new(ngn_tests::binaries::program("ngn"));
    command.args(["zone", "check", zone, "--json", "--resolver", &resolver, "--port", &port]);
    command.env("NGN_DATABASE", &p.database.url).args(["--data", p.data().to_str().unwrap()]);
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let found = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let found = found.filter(|line| line["level"] == level);
    found.map(|line| line["what"].as_str().unwrap().to_owned()).collect()
}

both! {
    fn a_delegation_is_compared_with_the_zone(p) {
        zone(p, "example");
        add(p, "example", "ns1", "A", "127.0.0.1");
        zone(p, "sub.example");
        add(p, "example", "sub", "NS", "ns1.example");
        p.settle();
        let (well, text) = check(p, "sub.example", &[]);
        assert!(well, "{text}");
        assert!(text.contains("note: the parent publishes: sub.example. NS ns1.example."), "{text}");
        assert!(text.contains("doubt: sub.example has one name server alone"), "{text}");
        let address = p.dns_address();
        assert!(text.contains(&format!("note: ns1.example ({address}) leads to ns1.example")), "{text}");
        assert!(text.contains(&format!("note: ns1.example ({address}) has serial")), "{text}");

        // A server of which the parent knows nothing, and that has no address.
        let servers = record! { name: "sub.example", nameservers: ["ns1.example", "ns2.sub.example"] };
        p.admin().ok("Dns.updateZone", record! { zone: servers });
        p.settle();
        let wrong = said(p, "sub.example", "wrong");
        assert!(wrong.iter().any(|what| what.contains("leads to ns2.sub.example, which has no address")), "{wrong:?}");
        assert!(wrong.iter().any(|what| what.contains("ns2.sub.example has no address that the resolver knows")), "{wrong:?}");
        // A server that is silent is said, and not waited for without end.
        let silent = UdpSocket::bind(("127.0.0.2", address.port()));
        add(p, "sub.example", "ns2", "A", "127.0.0.2");
        p.settle();
        let wrong = said(p, "sub.example", "wrong");
        assert!(wrong.iter().any(|what| what.starts_with("ns2.sub.example (127.0.0.2")), "{wrong:?}");
        drop(silent);

        // RFC 4034: a signed zone whose parent has no DS.
        let servers = record! { name: "sub.example", nameservers: ["ns1.example"] };
        p.admin().ok("Dns.updateZone", record! { zone: servers });
        ngn(p, &["sign", "sub.example"]).unwrap();
        let wrong = said(p, "sub.example", "wrong");
        assert!(wrong.iter().any(|what| what.contains("has the DS records none, and they should be")), "{wrong:?}");
        let (well, text) = check(p, "nowhere.example", &[]);
        assert!(!well && text.contains("there is no zone nowhere.example"), "{text}");
    }

    fn telephones_find_the_servers_of_sip_domains(p) {
        zone(p, "example");
        add(p, "example", "ns1", "A", "127.0.0.1");
        add(p, "example", "sip", "A", "127.0.0.1");
        domain(&p.admin(), "example");
        p.admin().ok("Enum.addRange", record! { range: enum_range("31") });
        p.settle();
        let offline = |more: &[&str]| ngn(p, &[&["check", "example", "--offline"], more].concat());
        let wrong = offline(&[]).unwrap_err();
        assert!(wrong.contains("2 things are wrong in 1 zones"), "{wrong}");
        let fixed = offline(&["--fix", "--sip-server", "sip.example"]).unwrap();
        assert!(fixed.contains("note: 4 records were added by which telephones find the servers"), "{fixed}");
        let again = offline(&["--fix"]).unwrap();
        assert!(!again.contains("added") && !again.contains("NAPTR"), "{again}");
        let exported = ngn(p, &["export", "example"]).unwrap();
        assert!(exported.contains("_sip._tcp\t3600\tIN\tSRV\t10 0 5060 sip.example.\n"), "{exported}");
        assert!(exported.contains("@\t3600\tIN\tNAPTR\t10 10 \"s\" \"SIP+D2U\" \"\" _sip._udp.example.\n"), "{exported}");
        // Everything at once: of the range, the name servers have no addresses that need be known offline.
        let all = ngn(p, &["check", "--all", "--offline"]).unwrap();
        assert!(all.contains("1.3.e164.arpa: note: the parent publishes: 1.3.e164.arpa. NS ns1.example.net."), "{all}");
    }
}
