//! What record values become (B121, B122, B124, B129b).

use ngn_tests::fixture::{dns_record, zone};
use ngn_tests::{both, record};

both! {
    fn targets_are_completed(p) {
        let admin = p.admin();
        zone(&admin, "example.com");
        for (name, kind, given, stored) in [
            ("a1", "CNAME", "www", "www.example.com"),
            ("a2", "CNAME", "www.example.net", "www.example.net"),
            ("a3", "CNAME", "www.example.net.", "www.example.net"),
            ("a4", "MX", "mail", "mail.example.com"),
            ("sub", "NS", "ns1", "ns1.example.com"),
            ("a5", "PTR", "host.example.org.", "host.example.org"),
            ("_sip._udp", "SRV", "0 5060 sip", "0 5060 sip.example.com"),
            ("a6", "SRV", "0 5060 _sip._tcp", "0 5060 _sip._tcp.example.com"),
            ("a7", "A", "192.0.2.1", "192.0.2.1"),
            ("a8", "AAAA", "2001:DB8:0::1", "2001:db8::1"),
        ] {
            let added = admin.ok("Dns.addRecord", record! { record: dns_record("example.com", name, kind, given) });
            assert_eq!(added.text_at("value"), stored, "{kind} {given}");
        }
    }

    fn bad_values_are_refused(p) {
        let admin = p.admin();
        zone(&admin, "example.com");
        for (kind, bad) in [
            ("A", "192.0.2"), ("A", "2001:db8::1"), ("A", ""), ("AAAA", "192.0.2.1"), ("AAAA", "2001:db8:::1"),
            ("LOC", "somewhere"), ("SRV", "5060 sip"), ("SRV", "0 70000 sip"), ("NAPTR", "100"),
            ("MX", "two words"), ("TXT", "\"unbalanced"),
        ] {
            let code = admin.fault("Dns.addRecord", record! { record: dns_record("example.com", "x", kind, bad) }).code;
            assert!(code == 7004 || (bad.is_empty() && code == 9001), "{kind} {bad:?}: {code}");
        }
    }

    fn good_values_are_taken(p) {
        let admin = p.admin();
        zone(&admin, "example.com");
        let long = "x".repeat(600);
        for (name, kind, value) in [
            ("t1", "TXT", "v=spf1 -all"),
            ("t2", "TXT", long.as_str()),
            ("t3", "TXT", r#""one" "two \"quoted\"""#),
            ("n1", "NAPTR", r#"100 10 "s" "SIP+D2U" "" _sip._udp.example.com"#),
            ("n2", "NAPTR", r#"100 10 "u" "E2U+sip" "!^.*$!sip:a@example.com!" ."#),
            ("l1", "LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"),
        ] {
            let added = admin.ok("Dns.addRecord", record! { record: dns_record("example.com", name, kind, value) });
            let again = admin.ok("Dns.getRecord", record! { recordId: added.int_at("id") });
            assert_eq!(again.text_at("value"), added.text_at("value"));
        }
    }
}
