//! Zones and records of the Dns port as resolvers see them (B115-B129c).

use hickory_proto::op::ResponseCode::{NXDomain, NoError, Refused};
use hickory_proto::rr::RecordType::{A, AAAA, CNAME, MX, NS, SOA, SRV, TXT};
use ngn_tests::dns::{answers, ask, code, dig, lines};
use ngn_tests::fixture::{dns_record, dns_zone, zone};
use ngn_tests::platform::Platform;
use ngn_tests::{both, record};

fn add(p: &Platform, name: &str, kind: &str, value: &str) {
    p.admin().ok(
        "Dns.addRecord",
        record! { record: dns_record("example.com", name, kind, value).with("ttl", 60) },
    );
}

both! {
    // B117, B129a.
    fn the_apex_is_made_from_the_zone(p) {
        p.admin().ok("Dns.addZone", record! { zone: dns_zone("example.com").with("ttl", 120)
            .with("email", "first.last@example.org").with("refresh", 61).with("retry", 62)
            .with("expire", 63).with("minimum", 64) });
        p.settle();
        let server = p.dns_address();
        let soa = answers(server, "example.com", SOA);
        let words: Vec<&str> = soa[0].split(' ').collect();
        assert_eq!(&words[..5], ["example.com.", "120", "SOA", "ns1.example.net.", "first\\.last.example.org."]);
        assert_eq!(&words[6..], ["61", "62", "63", "64"]);
        let stored = p.admin().ok("Dns.getZone", record! { zone: "example.com" }).int_at("serial");
        assert_eq!(words[5].parse::<i64>().unwrap(), stored, "DNS and SOAP show one serial");
        assert_eq!(answers(server, "example.com", NS), [
            "example.com. 120 NS ns1.example.net.", "example.com. 120 NS ns2.example.net.",
        ]);
        let nothing = ask(server, "nothing.example.com", A).unwrap();
        assert_eq!(nothing.metadata.response_code, NXDomain);
        // RFC 2308 section 3: the negative answer lives no longer than the zone's minimum.
        assert_eq!((nothing.authorities[0].record_type(), nothing.authorities[0].ttl), (SOA, 64));
    }

    fn records_of_every_type_are_served(p) {
        zone(&p.admin(), "example.com");
        let long = "long ".repeat(100);
        for (name, kind, value) in [
            ("www", "A", "192.0.2.1"), ("www", "AAAA", "2001:db8::1"), ("alias", "CNAME", "www"),
            ("", "TXT", "v=spf1 -all"), ("long", "TXT", long.as_str()), ("ptr", "PTR", "host.example.org"),
            ("here", "LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"),
            ("*.wild", "A", "192.0.2.9"), ("sub", "NS", "ns1.sub.example.com"), ("ns1.sub", "A", "192.0.2.53"),
        ] {
            add(p, name, kind, value);
        }
        for (name, kind, value, priority) in [
            ("", "MX", "mail", 10), ("_sip._udp", "SRV", "5 5060 sip", 7),
            ("n", "NAPTR", r#"100 10 "s" "SIP+D2U" "" _sip._udp"#, 10),
        ] {
            p.admin().ok("Dns.addRecord", record! {
                record: dns_record("example.com", name, kind, value).with("ttl", 60).with("priority", priority),
            });
        }
        p.settle();
        let server = p.dns_address();
        assert_eq!(answers(server, "www.example.com", A), ["www.example.com. 60 A 192.0.2.1"]);
        assert_eq!(answers(server, "WWW.Example.COM", AAAA).len(), 1);
        assert_eq!(answers(server, "example.com", MX), ["example.com. 60 MX 10 mail.example.com."]);
        assert_eq!(answers(server, "_sip._udp.example.com", SRV), ["_sip._udp.example.com. 60 SRV 7 5 5060 sip.example.com."]);
        // RFC 1034 section 3.6.2: the alias and what it leads to.
        let alias = answers(server, "alias.example.com", A);
        assert_eq!(alias, ["alias.example.com. 60 CNAME www.example.com.", "www.example.com. 60 A 192.0.2.1"]);
        assert_eq!(answers(server, "alias.example.com", CNAME).len(), 1);
        // B129b: one text, cut into strings of 255.
        let text = dig(server, &["+short", "long.example.com", "TXT"]).unwrap();
        assert_eq!(text.replace("\" \"", "").trim().trim_matches('"'), long, "{text}");
        let loc = dig(server, &["+short", "here.example.com", "LOC"]).unwrap();
        assert_eq!(loc.trim(), "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m");
        let naptr = dig(server, &["+short", "n.example.com", "NAPTR"]).unwrap();
        assert_eq!(naptr.trim(), r#"100 10 "s" "SIP+D2U" "" _sip._udp.example.com."#);
        // RFC 4592.
        assert_eq!(answers(server, "a.b.wild.example.com", A), ["a.b.wild.example.com. 60 A 192.0.2.9"]);
        assert_eq!(code(server, "wild.example.com", A), NoError);
        // B129c: a delegation, with its glue, not authoritative.
        let below = ask(server, "host.sub.example.com", A).unwrap();
        assert!(!below.metadata.authoritative && below.answers.is_empty());
        assert_eq!(lines(&below.authorities), ["sub.example.com. 60 NS ns1.sub.example.com."]);
        assert!(lines(&below.additionals).contains(&"ns1.sub.example.com. 60 A 192.0.2.53".to_owned()));
    }

    // B125: fancy records are for the web and mail servers, not for DNS.
    fn fancy_records_are_not_served(p) {
        zone(&p.admin(), "example.com");
        p.admin().ok("Dns.addFancyRecord", record! { record: dns_record("example.com", "old", "URL", "https://example.org/") });
        p.admin().ok("Dns.addFancyRecord", record! { record: dns_record("example.com", "a@example.com", "MBOXFW", "b@example.org") });
        p.settle();
        assert_eq!(code(p.dns_address(), "old.example.com", TXT), NXDomain);
    }

    fn changes_are_followed(p) {
        let server = p.dns_address();
        zone(&p.admin(), "example.com");
        p.settle();
        let id = p.admin().ok("Dns.addRecord", record! { record: dns_record("example.com", "www", "A", "192.0.2.1") }).int_at("id");
        p.settle();
        assert_eq!(answers(server, "www.example.com", A).len(), 1);
        p.admin().ok("Dns.updateRecord", record! {
            record: dns_record("example.com", "www", "A", "192.0.2.2").with("id", id),
        });
        p.settle();
        assert_eq!(answers(server, "www.example.com", A), ["www.example.com. 3600 A 192.0.2.2"]);
        // B118: where name and id disagree, the name decides; there is none, and so nothing changes.
        p.admin().refused(7002, "Dns.updateRecord", record! {
            record: dns_record("example.com", "www2", "A", "192.0.2.3").with("id", id),
        });
        p.settle();
        assert_eq!(code(server, "www2.example.com", A), NXDomain);
        assert_eq!(answers(server, "www.example.com", A), ["www.example.com. 3600 A 192.0.2.2"]);
        p.admin().ok("Dns.deleteRecord", record! { recordId: id });
        p.settle();
        assert_eq!(code(server, "www.example.com", A), NXDomain);
        p.admin().ok("Dns.deleteZone", record! { zone: "example.com" });
        p.settle();
        assert_eq!(code(server, "example.com", SOA), Refused);
    }

    // B116: served serials rise across deletion and restart.
    fn serials_rise_across_restarts(p) {
        zone(&p.admin(), "example.com");
        add(p, "www", "A", "192.0.2.1");
        p.settle();
        let serial = |p: &Platform| -> u64 {
            answers(p.dns_address(), "example.com", SOA)[0].split(' ').nth(5).unwrap().parse().unwrap()
        };
        let before = serial(p);
        p.stop();
        p.launch();
        assert_eq!(serial(p), before, "nothing changed, so neither does the serial");
        add(p, "www2", "A", "192.0.2.1");
        p.settle();
        assert!(serial(p) > before);
        let before = serial(p);
        p.admin().ok("Dns.deleteZone", record! { zone: "example.com" });
        p.kill();
        p.launch();
        zone(&p.admin(), "example.com");
        p.settle();
        assert!(serial(p) > before);
    }
}
