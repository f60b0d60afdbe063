//! Dns.getZone and getZones.

use ngn_tests::fixture::{dns_zone, reseller, zone};
use ngn_tests::{both, query, record};

both! {
    fn lists_and_filters(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        acme.client.ok("Dns.addZone", record! { zone: dns_zone("b.example").with("info", "Some text") });
        zone(&acme.client, "a.example");
        zone(&other.client, "c.example");
        let list = |client: &ngn_tests::soap::Client, filter| {
            let found = client.ok("Dns.getZones", query(filter, "name", "ASC", 0, 20));
            let names = found.column("zones", "name");
            assert_eq!(found.int_at("total"), i64::try_from(names.len()).unwrap());
            names.join(" ")
        };
        let all = record! { name: "", info: "", customer: 0, reseller: 0 };
        assert_eq!(list(&p.admin(), all.clone()), "a.example b.example c.example");
        assert_eq!(list(&acme.client, all), "a.example b.example");
        assert_eq!(list(&acme.client, record! { info: "some%" }), "b.example");
        assert_eq!(list(&p.admin(), record! { name: "%.example", reseller: other.id }), "c.example");
        // ENUM ranges are zones of another port.
        ngn_tests::fixture::range(&p.admin(), "3120");
        assert_eq!(list(&p.admin(), record! { name: "%arpa" }), "");
        p.admin().refused(7000, "Dns.getZone", record! { zone: "0.2.1.3.e164.arpa" });
        other.client.refused(7000, "Dns.getZone", record! { zone: "a.example" });
        acme.client.refused(7000, "Dns.getZone", record! { zone: "nowhere.example" });
        assert_eq!(acme.client.ok("Dns.getZone", record! { zone: "A.example." }).text_at("name"), "a.example");
    }
}
