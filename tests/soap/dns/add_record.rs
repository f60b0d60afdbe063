//! Dns.addRecord.

use ngn_tests::fixture::{customer, dns_record, reseller, zone};
use ngn_tests::{Value, both, record};

both! {
    fn refuses_what_cannot_be(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        zone(&acme.client, "example.com");
        let add = |code, record: Value| acme.client.refused(code, "Dns.addRecord", record! { record: record });
        add(7000, dns_record("example.net", "www", "A", "192.0.2.1"));
        other.client.refused(7000, "Dns.addRecord", record! { record: dns_record("example.com", "www", "A", "192.0.2.1") });
        acme.client.refused(9001, "Dns.addRecord", Value::empty());
        // B119.
        acme.client.ok("Dns.addRecord", record! { record: dns_record("example.com", "www", "A", "192.0.2.1") });
        add(7003, dns_record("example.com", "www.example.com.", "A", "192.0.2.1"));
        acme.client.ok("Dns.addRecord", record! { record: dns_record("example.com", "www", "A", "192.0.2.2") });
        acme.client.ok("Dns.addRecord", record! { record: dns_record("example.com", "", "MX", "mail").with("priority", 10) });
        acme.client.ok("Dns.addRecord", record! { record: dns_record("example.com", "", "MX", "mail").with("priority", 20) });
        add(7003, dns_record("example.com", "", "MX", "mail.example.com.").with("priority", 20));
        add(7004, dns_record("example.com", "www", "CNAME", "other"));
        add(7004, dns_record("example.com", "", "CNAME", "www"));
        acme.client.ok("Dns.addRecord", record! { record: dns_record("example.com", "alias", "CNAME", "www") });
        add(7004, dns_record("example.com", "alias", "A", "192.0.2.1"));
        add(7004, dns_record("example.com", "alias", "CNAME", "other"));
        // A name outside of the zone.
        let code = acme.client.fault("Dns.addRecord", record! {
            record: dns_record("example.com", "www.example.net.", "A", "192.0.2.1"),
        }).code;
        assert!(matches!(code, 7004 | 9000), "{code}");
        for kind in ["SOA", "HINFO", "URL", "", "a b"] {
            let code = acme.client.fault("Dns.addRecord", record! {
                record: dns_record("example.com", "x", kind, "192.0.2.1"),
            }).code;
            assert!(matches!(code, 7004 | 9000 | 9001), "{kind:?}: {code}");
        }
    }

    // B120, B123, B15, client-usage 5.9.
    fn returns_the_record_as_stored(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        zone(&child.client, "example.com");
        for (given, stored) in [
            ("", "example.com"), ("@", "example.com"), ("www", "www.example.com"), ("WWW2", "www2.example.com"),
            ("a.b", "a.b.example.com"), ("c.example.com", "c.example.com"), ("d.example.com.", "d.example.com"),
            ("*", "*.example.com"), ("_sip._udp", "_sip._udp.example.com"),
        ] {
            let added = child.client.ok("Dns.addRecord", record! {
                record: dns_record("example.com", given, "TXT", &format!("text {given}")).with("ttl", 0).with("owner", 42).with("customer", 4711),
            });
            assert_eq!(added.text_at("name"), stored, "{given:?}");
            assert_eq!(added.int_at("ttl"), 3600);
            assert!(added.int_at("id") > 0);
            assert_eq!((added.int_at("customer"), added.int_at("reseller"), added.int_at("owner")), (child.id, acme.id, 42));
        }
    }
}
