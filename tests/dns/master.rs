//! `ngn zone list` and `ngn zone export`: master files (RFC 1035 section 5) as other makes read them.

use crate::dnssec::ngn;
use ngn_tests::fixture::{dns_record, enum_number, enum_range, zone};
use ngn_tests::platform::Platform;
use ngn_tests::{both, record};
use serde_json::Value as Json;
use std::fs;
use std::process::Command;

/// What is in the zone of these tests, beside SOA and NS: name, type, value.
const RECORDS: &[(&str, &str, &str)] = &[
    ("www", "A", "192.0.2.1"),
    ("www", "AAAA", "2001:db8::1"),
    ("alias", "CNAME", "www"),
    ("", "MX", "mail.example.org"),
    ("", "TXT", "v=spf1 -all; \"quoted\" \\ é"),
    ("_sip._udp", "SRV", "5 5060 www"),
    ("", "NAPTR", r#"100 10 "s" "SIP+D2U" "" _sip._udp"#),
    ("*.wild", "A", "192.0.2.9"),
    ("here", "LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 1.00m 10000m 10m"),
    ("ptr", "PTR", "host.example.org"),
    ("sub", "NS", "ns1.sub.example.com"),
    ("ns1.sub", "A", "192.0.2.53"),
];

fn filled(p: &Platform) {
    zone(&p.admin(), "example.com");
    for (name, kind, value) in RECORDS {
        let record = dns_record("example.com", name, kind, value).with("ttl", 60);
        p.admin().ok("Dns.addRecord", record! { record: record });
    }
}

/// Programs of other makes take a file, without a word against it.
pub(super) fn others_accept(p: &Platform, apex: &str, text: &str) {
    let file = p.directory().join("exported.zone");
    fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    for command in
        [&["named-checkzone", "-i", "none", apex, path][..], &["kzonecheck", "-o", apex, path]]
    {
        let output = Command::new(command[0]).args(&command[1..]).output().unwrap();
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(
            output.status.success() && !said.contains("warning"),
            "{command:?}: {said}\n{text}"
        );
    }
}

both! {
    fn others_accept_an_export(p) {
        filled(p);
        let text = ngn(p, &["export", "Example.COM."]).unwrap();
        let serial = p.admin().ok("Dns.getZone", record! { zone: "example.com" }).int_at("serial");
        let first: Vec<&str> = text.lines().take(3).collect();
        let soa = format!("@\t3600\tIN\tSOA\tns1.example.net. hostmaster.example.com. {serial} 14400 3600 604800 300");
        assert_eq!(first, ["$ORIGIN example.com.", "$TTL 3600", soa.as_str()]);
        assert_eq!(text.lines().count(), 2 + 3 + RECORDS.len());
        others_accept(p, "example.com", &text);

        let file = p.directory().join("zone file");
        assert_eq!(ngn(p, &["export", "example.com", file.to_str().unwrap()]).unwrap(), "");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);

        p.admin().ok("Enum.addRange", record! { range: enum_range("31") });
        p.admin().ok("Enum.addNumber", record! { number: enum_number("31201234567", "sip:a@example.com") });
        let text = ngn(p, &["export", "1.3.e164.arpa"]).unwrap();
        assert!(text.contains("7.6.5.4.3.2.1.0.2\t3600\tIN\tNAPTR\t100 5 \"u\" \"E2U+sip\""), "{text}");
        others_accept(p, "1.3.e164.arpa", &text);
        let said = ngn(p, &["export", "example.org"]).unwrap_err();
        assert!(said.contains("there is no zone example.org"), "{said}");
    }

    fn zones_are_listed(p) {
        filled(p);
        zone(&p.admin(), "example.org");
        p.admin().ok("Enum.addRange", record! { range: enum_range("31") });
        let list = |arguments: &[&str]| -> Vec<Json> {
            let text = ngn(p, &[&["list", "--json"], arguments].concat()).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        let names = |arguments: &[&str]| -> Vec<String> {
            list(arguments).iter().map(|zone| zone["zone"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&[]), ["1.3.e164.arpa", "example.com", "example.org"]);
        assert_eq!(names(&["example.*"]), ["example.com", "example.org"]);
        assert_eq!(names(&["--customer", "1"]), [""; 0]);
        let found = &list(&["Example.com."])[0];
        assert_eq!(found["records"], 3 + RECORDS.len());
        assert_eq!(found["kind"], "dns");
        let shown = p.admin().ok("Dns.getZone", record! { zone: "example.com" });
        assert_eq!(found["serial"], shown.int_at("serial"));
        assert!(found["octets"].as_u64().unwrap() > 500, "{found}");
        assert!(found["changed"].as_str().unwrap() >= shown.text_at("changeDate"), "{found}");
        assert_eq!(list(&["*.arpa"])[0]["kind"], "enum");
        let text = ngn(p, &["list"]).unwrap();
        assert!(text.starts_with("ZONE ") && text.ends_with("\n3 zones\n"), "{text}");
    }
}
