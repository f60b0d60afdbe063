//! Sip.getCarriers.

use ngn_tests::fixture::{carrier, customer, reseller};
use ngn_tests::{Value, both, matching, query, record};

both! {
    // B11, B12, B40, B41, B44-B46.
    fn filters_and_sorts(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let first = carrier(&acme.client, "Beta");
        carrier(&acme.client, "alpha");
        carrier(&other.client, "Gamma");
        let names = |client: &ngn_tests::soap::Client, filter: Value, order: &str, direction: &str| {
            let found = client.ok("Sip.getCarriers", query(filter, order, direction, 0, 1000));
            found.column("carriers", "name").into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        // The filter that every screen begins with.
        assert_eq!(names(&p.admin(), record! { name: "" }, "name", "ASC"), ["Beta", "Gamma", "alpha"]);
        assert_eq!(names(&p.admin(), record! { id: 0, name: "%a", reseller: acme.id }, "name", "DESC"), ["alpha", "Beta"]);
        assert_eq!(names(&acme.client, record! { name: "BETA" }, "name", "ASC"), ["Beta"]);
        assert_eq!(names(&acme.client, record! { id: first }, "name", "ASC"), ["Beta"]);
        assert_eq!(names(&acme.client, record! { reseller: other.id }, "name", "ASC"), Vec::<String>::new());
        assert_eq!(names(&other.client, Value::empty(), "bogus", "DESC"), ["Gamma"]);
        let page = acme.client.ok("Sip.getCarriers", query(Value::empty(), "name", "ASC", 1, 1));
        assert_eq!((page.column("carriers", "name"), page.int_at("total")), (vec!["alpha"], 2));
        let child = customer(p, &acme, "child");
        child.client.refused(8003, "Sip.getCarriers", matching(Value::empty()));
    }
}
