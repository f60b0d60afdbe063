//! Dns.getRecords.

use ngn_tests::fixture::{dns_record, reseller, zone};
use ngn_tests::{both, query, record};

both! {
    fn lists_and_filters(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        zone(&acme.client, "example.com");
        zone(&other.client, "example.net");
        for (name, kind, value) in [("www", "A", "192.0.2.1"), ("mail", "A", "192.0.2.2"), ("", "TXT", "hello world")] {
            acme.client.ok("Dns.addRecord", record! { record: dns_record("example.com", name, kind, value).with("owner", 42) });
        }
        other.client.ok("Dns.addRecord", record! { record: dns_record("example.net", "www", "A", "192.0.2.1") });
        acme.client.ok("Dns.addFancyRecord", record! { record: dns_record("example.com", "old", "URL", "https://example.com/") });
        let list = |client: &ngn_tests::soap::Client, filter| {
            let found = client.ok("Dns.getRecords", query(filter, "name", "ASC", 0, 20));
            let names = found.column("records", "name");
            assert_eq!(found.int_at("total"), i64::try_from(names.len()).unwrap());
            names.join(" ")
        };
        // The zone's own SOA and NS, and fancy records, are not records of this list (B117, B125).
        let all = record! { id: 0, zone: "", name: "", r#type: "", value: "", owner: 0, customer: 0, reseller: 0 };
        assert_eq!(list(&p.admin(), all.clone()), "example.com mail.example.com www.example.com www.example.net");
        assert_eq!(list(&acme.client, all), "example.com mail.example.com www.example.com");
        assert_eq!(list(&acme.client, record! { zone: "example.com", name: "www%" }), "www.example.com");
        assert_eq!(list(&acme.client, record! { r#type: "TXT" }), "example.com");
        assert_eq!(list(&p.admin(), record! { value: "192.0.2.1" }), "www.example.com www.example.net");
        assert_eq!(list(&p.admin(), record! { owner: 42, r#type: "A" }), "mail.example.com www.example.com");
        let found = acme.client.ok("Dns.getRecords", query(record! { value: "hello%" }, "changeDate", "DESC", 0, 1));
        let id = found.int_at("records/0/id");
        assert_eq!(list(&acme.client, record! { id: id }), "example.com");
    }
}
