//! Sip.getRoutes.

use ngn_tests::fixture::{carrier, customer, reseller, route};
use ngn_tests::{Value, both, matching, query, record};

both! {
    // B11, B12, B40, B41, B44-B46.
    fn filters_and_sorts(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let (first, second) = (carrier(&acme.client, "b"), carrier(&acme.client, "a"));
        let foreign = carrier(&other.client, "c");
        acme.client.ok("Sip.addRoutes", record! { routes: vec![
            route(first, "0031").with("priority", 2), route(second, "0031").with("priority", 1),
            route(second, "00312").with("originator", "example.com"), route(first, ""),
        ] });
        other.client.ok("Sip.addRoutes", record! { routes: vec![route(foreign, "0031")] });
        let rows = |client: &ngn_tests::soap::Client, filter: Value, order: &str| {
            let found = client.ok("Sip.getRoutes", query(filter, order, "ASC", 0, 20));
            let carriers = found.column("routes", "carrier");
            let prefixes = found.column("routes", "prefix");
            carriers.iter().zip(prefixes).map(|(c, p)| format!("{c}{p}")).collect::<Vec<_>>()
        };
        let screen = record! { prefix: "", carrier_id: 0, reseller: 0, id: 0 };
        assert_eq!(rows(&p.admin(), screen, "prefix"), ["b", "b0031", "a0031", "c0031", "a00312"]);
        assert_eq!(rows(&acme.client, Value::empty(), "priority"), ["a00312", "b", "a0031", "b0031"]);
        assert_eq!(rows(&acme.client, Value::empty(), "carrier"), ["a0031", "a00312", "b0031", "b"]);
        // B44: the first of the type's columns.
        assert_eq!(rows(&acme.client, Value::empty(), "username"), ["b", "b0031", "a0031", "a00312"]);
        assert_eq!(rows(&acme.client, record! { prefix: "0031%" }, "prefix"), ["b0031", "a0031", "a00312"]);
        assert_eq!(rows(&acme.client, record! { prefix: "0031" }, "prefix"), ["b0031", "a0031"]);
        assert_eq!(rows(&acme.client, record! { prefix: "%2" }, "prefix"), ["a00312"]);
        assert_eq!(rows(&acme.client, record! { prefix: "00_1" }, "prefix"), ["b0031", "a0031"]);
        assert_eq!(rows(&acme.client, record! { carrier_id: second }, "prefix"), ["a0031", "a00312"]);
        assert_eq!(rows(&acme.client, record! { priority: 2 }, "prefix"), ["b0031"]);
        assert_eq!(rows(&acme.client, record! { originator: "EXAMPLE.com" }, "prefix"), ["a00312"]);
        assert_eq!(rows(&acme.client, record! { reseller: other.id }, "prefix"), Vec::<String>::new());
        assert_eq!(rows(&p.admin(), record! { reseller: other.id }, "prefix"), ["c0031"]);
        let page = acme.client.ok("Sip.getRoutes", query(Value::empty(), "prefix", "DESC", 1, 2));
        assert_eq!((page.column("routes", "prefix"), page.int_at("total")), (vec!["0031", "0031"], 4));
        let child = customer(p, &acme, "child");
        child.client.refused(8003, "Sip.getRoutes", matching(Value::empty()));
    }
}
