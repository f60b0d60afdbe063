//! Sip.addRoutes.

use ngn_tests::fixture::{carrier, customer, reseller, route};
use ngn_tests::soap::Client;
use ngn_tests::{Value, both, matching, query, record};

fn add(routes: Vec<Value>) -> Value {
    record! { routes: routes }
}

both! {
    // B17, B130-B132, B136: void, one journal row for each route with its id.
    fn adds_them_all(p) {
        let acme = reseller(p, "acme");
        let id = carrier(&acme.client, "Telco");
        acme.client.ok("Sip.addRoutes", add(vec![
            route(id, "0031"),
            route(id, "").with("originator", "Example.COM").with("priority", 2),
            route(id, "").with("reseller", 4711).with("carrier", "x"),
        ]));
        let found = acme.client.ok("Sip.getRoutes", query(Value::empty(), "changeDate", "ASC", 0, 20));
        assert_eq!(found.int_at("total"), 3);
        assert_eq!(found.column("routes", "prefix"), ["0031", "", ""]);
        assert_eq!(found.column("routes", "originator"), ["", "example.com", ""]);
        assert_eq!(found.column("routes", "priority"), ["0", "2", "0"]);
        assert_eq!(found.column("routes", "carrier"), ["Telco"; 3]);
        assert_eq!(found.int_at("routes/2/reseller"), acme.id);
        assert!(!found.text_at("routes/2/changeDate").is_empty());
        let keys = p.database.sql("SELECT entity_key FROM journal WHERE entity = 'route' ORDER BY id");
        assert_eq!(keys.split_whitespace().collect::<Vec<_>>(), found.column("routes", "id"));
        // More than one statement takes, and none at all.
        let many = (100..350).map(|n| route(id, &format!("00{n}"))).collect();
        acme.client.ok("Sip.addRoutes", add(many));
        acme.client.ok("Sip.addRoutes", add(vec![]));
        assert_eq!(acme.client.ok("Sip.getRoutes", matching(Value::empty())).int_at("total"), 253);
        assert_eq!(p.database.sql("SELECT COUNT(DISTINCT entity_key) FROM journal WHERE entity = 'route'").trim(), "253");
    }

    // B138: one bad item, and nothing is added.
    fn adds_nothing_when_one_is_wrong(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        let (id, second) = (carrier(&acme.client, "Telco"), carrier(&acme.client, "Second"));
        let foreign = carrier(&other.client, "Telco");
        acme.client.ok("Sip.addRoutes", add(vec![route(id, "0031").with("originator", "a")]));
        let refused = |code, bad: Value| {
            acme.client.refused(code, "Sip.addRoutes", add(vec![route(id, "0049"), bad]));
        };
        refused(1079, route(id, "0031").with("originator", "A"));
        refused(1079, route(id, "0049"));
        refused(1070, route(id + 1000, "0031"));
        refused(1070, route(foreign, "0031"));
        refused(9001, record! { prefix: "0031" });
        refused(9000, route(id, "+31"));
        refused(9000, route(id, "0031").with("originator", "a b"));
        acme.client.refused(9001, "Sip.addRoutes", record! { routes: Value::Null });
        child.client.refused(8003, "Sip.addRoutes", add(vec![route(id, "0049")]));
        assert_eq!(p.admin().ok("Sip.getRoutes", matching(Value::empty())).int_at("total"), 1);
        // B132: another originator, prefix or carrier is another route.
        let ok = |client: &Client, route: Value| { client.ok("Sip.addRoutes", add(vec![route])); };
        ok(&acme.client, route(id, "0031"));
        ok(&acme.client, route(second, "0031").with("originator", "a"));
        ok(&other.client, route(foreign, "0031").with("originator", "a"));
    }
}
