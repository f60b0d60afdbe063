//! Sip.getGateways.

use ngn_tests::fixture::{carrier, customer, gateway, reseller};
use ngn_tests::{Value, both, matching, query, record};

both! {
    // B11, B12, B40, B41, B45.
    fn filters_and_sorts(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let (first, second) = (carrier(&acme.client, "First"), carrier(&acme.client, "Second"));
        let id = gateway(&acme.client, second, "a");
        gateway(&acme.client, first, "b");
        gateway(&other.client, carrier(&other.client, "Third"), "c");
        let names = |client: &ngn_tests::soap::Client, filter: Value, order: &str| {
            let found = client.ok("Sip.getGateways", query(filter, order, "ASC", 0, 1000));
            found.column("gateways", "name").into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(names(&p.admin(), record! { name: "" }, "name"), ["a", "b", "c"]);
        assert_eq!(names(&p.admin(), record! { id: 0, carrier_id: 0, customer: 0, reseller: acme.id }, "carrier_id"), ["b", "a"]);
        assert_eq!(names(&acme.client, Value::empty(), "ip"), ["a", "b"]);
        assert_eq!(names(&acme.client, record! { carrier_id: first }, "name"), ["b"]);
        assert_eq!(names(&acme.client, record! { id: id, name: "A%" }, "name"), ["a"]);
        assert_eq!(names(&acme.client, record! { reseller: other.id }, "name"), Vec::<String>::new());
        let page = p.admin().ok("Sip.getGateways", query(Value::empty(), "name", "DESC", 1, 1));
        assert_eq!((page.column("gateways", "name"), page.int_at("total")), (vec!["b"], 3));
        let child = customer(p, &acme, "child");
        child.client.refused(8003, "Sip.getGateways", matching(Value::empty()));
    }
}
