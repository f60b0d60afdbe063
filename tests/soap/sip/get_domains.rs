//! Sip.getDomains.

use ngn_tests::fixture::{customer, domain, reseller};
use ngn_tests::{both, matching, query, record};

both! {
    fn lists_and_filters(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        domain(&acme.client, "b.example");
        domain(&child.client, "a.example");
        domain(&other.client, "c.example");
        domain(&p.admin(), "d.example");
        let names = |client: &ngn_tests::soap::Client, parameters| {
            let found = client.ok("Sip.getDomains", parameters);
            let names = found.column("domains", "domain").join(" ");
            (names, found.int_at("total"))
        };
        let page = |start, count| query(record! { domain: "", customer: 0, reseller: 0 }, "domain", "ASC", start, count);
        assert_eq!(names(&p.admin(), page(0, 20)), ("a.example b.example c.example d.example".into(), 4));
        assert_eq!(names(&p.admin(), page(1, 2)), ("b.example c.example".into(), 4));
        assert_eq!(names(&acme.client, page(0, 20)), ("a.example b.example".into(), 2));
        assert_eq!(names(&child.client, page(0, 20)), ("a.example".into(), 1));
        assert_eq!(names(&p.admin(), matching(record! { domain: "%.EXAMPLE", reseller: acme.id })).1, 2);
        assert_eq!(names(&p.admin(), matching(record! { customer: child.id })).0, "a.example");
        assert_eq!(names(&child.client, matching(record! { customer: acme.id })).1, 0);
    }
}
