//! Dns.deleteRecord and getRecord.

use ngn_tests::fixture::{dns_record, reseller, zone};
use ngn_tests::{Value, both, record};

both! {
    fn deletes_once(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        zone(&acme.client, "example.com");
        let id = acme.client.ok("Dns.addRecord", record! { record: dns_record("example.com", "www", "A", "192.0.2.1") }).int_at("id");
        for operation in ["Dns.getRecord", "Dns.deleteRecord"] {
            other.client.refused(7002, operation, record! { recordId: id });
            acme.client.refused(7002, operation, record! { recordId: 999 });
            acme.client.refused(9001, operation, Value::empty());
        }
        assert_eq!(acme.client.ok("Dns.getRecord", record! { recordId: id.to_string() }).int_at("id"), id);
        // The form sends the id as a string.
        acme.client.ok("Dns.deleteRecord", record! { recordId: id.to_string() });
        acme.client.refused(7002, "Dns.deleteRecord", record! { recordId: id });
        acme.client.refused(7002, "Dns.getRecord", record! { recordId: id });
    }
}
