//! Dns.deleteZone.

use ngn_tests::fixture::{dns_record, reseller, zone};
use ngn_tests::{Value, both, matching, record};

both! {
    // B128: its records go with it.
    fn takes_its_records_along(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        zone(&acme.client, "example.com");
        let id = acme.client.ok("Dns.addRecord", record! {
            record: dns_record("example.com", "www", "A", "192.0.2.1"),
        }).int_at("id");
        acme.client.ok("Dns.addFancyRecord", record! {
            record: dns_record("example.com", "old", "URL", "https://example.com/"),
        });
        other.client.refused(7000, "Dns.deleteZone", record! { zone: "example.com" });
        acme.client.refused(7000, "Dns.deleteZone", record! { zone: "example.net" });
        acme.client.refused(9001, "Dns.deleteZone", Value::empty());
        acme.client.ok("Dns.deleteZone", record! { zone: "Example.com." });
        acme.client.refused(7000, "Dns.getZone", record! { zone: "example.com" });
        acme.client.refused(7002, "Dns.getRecord", record! { recordId: id });
        for operation in ["Dns.getRecords", "Dns.getFancyRecords"] {
            assert_eq!(p.admin().ok(operation, matching(record! {})).int_at("total"), 0);
        }
    }
}
