//! Dns.updateRecord.

use ngn_tests::fixture::{dns_record, reseller, zone};
use ngn_tests::{Value, both, record};

both! {
    fn refuses_unknown_and_foreign_records(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        zone(&acme.client, "example.com");
        let id = acme.client.ok("Dns.addRecord", record! { record: dns_record("example.com", "www", "A", "192.0.2.1") }).int_at("id");
        acme.client.ok("Dns.addRecord", record! { record: dns_record("example.com", "www", "A", "192.0.2.2") });
        let change = |value: &str| record! { record: dns_record("example.com", "www", "A", value).with("id", id) };
        other.client.refused(7002, "Dns.updateRecord", change("192.0.2.3"));
        acme.client.refused(7003, "Dns.updateRecord", change("192.0.2.2"));
        acme.client.refused(7004, "Dns.updateRecord", change("not an address"));
        acme.client.refused(7002, "Dns.updateRecord", record! {
            record: dns_record("example.com", "nothing", "A", "192.0.2.9").with("id", 999),
        });
        acme.client.refused(9001, "Dns.updateRecord", Value::empty());
        acme.client.ok("Dns.updateRecord", change("192.0.2.3"));
        let stored = acme.client.ok("Dns.getRecord", record! { recordId: id });
        assert_eq!((stored.text_at("value"), stored.int_at("id")), ("192.0.2.3", id));
    }

    // B118: an import names the id of another server; zone, name and type find the record.
    fn finds_imported_records(p) {
        let admin = p.admin();
        zone(&admin, "example.com");
        zone(&admin, "example.net");
        let here = admin.ok("Dns.addRecord", record! { record: dns_record("example.com", "www", "A", "192.0.2.1") }).int_at("id");
        let there = admin.ok("Dns.addRecord", record! { record: dns_record("example.net", "www", "A", "192.0.2.1") }).int_at("id");
        admin.ok("Dns.updateRecord", record! {
            record: dns_record("example.com", "www.example.com", "A", "192.0.2.1").with("id", 4711).with("ttl", 77),
        });
        assert_eq!(admin.ok("Dns.getRecord", record! { recordId: here }).int_at("ttl"), 77);
        // An id that exists, but in another zone.
        admin.ok("Dns.updateRecord", record! {
            record: dns_record("example.com", "www.example.com", "A", "192.0.2.1").with("id", there).with("ttl", 78),
        });
        assert_eq!(admin.ok("Dns.getRecord", record! { recordId: here }).int_at("ttl"), 78);
        assert_eq!(admin.ok("Dns.getRecord", record! { recordId: there }).int_at("ttl"), 3600);
    }

    // B118: an update changes no name; one that names nothing changes nothing.
    fn changes_no_name(p) {
        let admin = p.admin();
        zone(&admin, "example.com");
        zone(&admin, "example.net");
        let id = admin.ok("Dns.addRecord", record! { record: dns_record("example.com", "www", "A", "192.0.2.1") }).int_at("id");
        for (zone, name, code) in
            [("example.com", "www2", 7002), ("example.net", "www", 7002), ("example.com", "www.example.net.", 7004)]
        {
            admin.refused(code, "Dns.updateRecord", record! {
                record: dns_record(zone, name, "A", "192.0.2.2").with("id", id),
            });
        }
        let stored = admin.ok("Dns.getRecord", record! { recordId: id });
        assert_eq!((stored.text_at("name"), stored.text_at("value")), ("www.example.com", "192.0.2.1"));
    }
}
