//! Dns.updateZone.

use ngn_tests::fixture::{customer, dns_record, dns_zone, reseller, zone};
use ngn_tests::{Value, both, matching, record};

both! {
    // B127: attributes are replaced, missing name servers kept; B15: records follow the zone.
    fn replaces_attributes(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        zone(&acme.client, "example.com");
        acme.client.ok("Dns.addRecord", record! { record: dns_record("example.com", "www", "A", "192.0.2.1") });
        other.client.refused(7000, "Dns.updateZone", record! { zone: dns_zone("example.com") });
        acme.client.refused(7000, "Dns.updateZone", record! { zone: dns_zone("example.net") });
        acme.client.ok("Dns.updateZone", record! { zone: record! {
            name: "example.com", ttl: 60, info: "new", customer: child.id, serial: 0, email: "a@example.org",
        } });
        let stored = child.client.ok("Dns.getZone", record! { zone: "example.com" });
        assert_eq!((stored.int_at("ttl"), stored.text_at("info")), (60, "new"));
        assert_eq!(stored.texts_at("nameservers"), ["ns1.example.net", "ns2.example.net"]);
        let records = child.client.ok("Dns.getRecords", matching(record! { zone: "example.com" }));
        assert_eq!(records.int_at("records/0/customer"), child.id);
        acme.client.ok("Dns.updateZone", record! {
            zone: dns_zone("example.com").with("nameservers", ["ns3.example.net"]),
        });
        let stored = acme.client.ok("Dns.getZone", record! { zone: "example.com" });
        assert_eq!(stored.texts_at("nameservers"), ["ns3.example.net"]);
    }

    // B116: strictly rising with every change, also when a zone comes back after its deletion.
    fn raises_the_serial(p) {
        let acme = reseller(p, "acme");
        zone(&acme.client, "example.com");
        let serial = || acme.client.ok("Dns.getZone", record! { zone: "example.com" }).int_at("serial");
        let mut last = serial();
        let mut rises = |what: &str| {
            let now = serial();
            assert!(now > last, "{what}: {now} is not above {last}");
            last = now;
        };
        acme.client.ok("Dns.updateZone", record! { zone: dns_zone("example.com").with("serial", 0) });
        rises("updateZone");
        let added = acme.client.ok("Dns.addRecord", record! {
            record: dns_record("example.com", "www", "A", "192.0.2.1"),
        });
        rises("addRecord");
        let id = added.int_at("id");
        acme.client.ok("Dns.updateRecord", record! {
            record: dns_record("example.com", "www", "A", "192.0.2.2").with("id", id),
        });
        rises("updateRecord");
        acme.client.ok("Dns.deleteRecord", record! { recordId: id });
        rises("deleteRecord");
        acme.client.ok("Dns.deleteZone", record! { zone: "example.com" });
        zone(&acme.client, "example.com");
        rises("deleteZone and addZone");
    }

    fn refuses_missing_arguments(p) {
        p.admin().refused(9001, "Dns.updateZone", Value::empty());
        p.admin().refused(9001, "Dns.updateZone", record! { zone: record! { ttl: 60 } });
    }
}
