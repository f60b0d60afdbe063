//! Sip.updateRoutes.

use ngn_tests::fixture::{carrier, customer, reseller, route};
use ngn_tests::xml::Node;
use ngn_tests::{Value, both, query, record};

fn list(client: &ngn_tests::soap::Client) -> Node {
    client.ok("Sip.getRoutes", query(Value::empty(), "priority", "ASC", 0, 20))
}

both! {
    // B58, but for what would make a route take every number: carrier and prefix stay when they are missing.
    fn replaces_attributes(p) {
        let acme = reseller(p, "acme");
        let (first, second) = (carrier(&acme.client, "First"), carrier(&acme.client, "Second"));
        acme.client.ok("Sip.addRoutes", record! { routes: vec![
            route(first, "0031").with("priority", 1).with("originator", "a"), route(first, "0032").with("priority", 2),
        ] });
        let before = list(&acme.client);
        let id = |i: usize| before.int_at(&format!("routes/{i}/id"));
        acme.client.ok("Sip.updateRoutes", record! { routes: vec![
            record! { id: id(0), priority: 7 },
            record! { id: id(1), priority: 3, carrier_id: second, prefix: "0033", carrier: "x" },
        ] });
        let after = list(&acme.client);
        assert_eq!(after.column("routes", "id"), [id(1).to_string(), id(0).to_string()]);
        assert_eq!(after.column("routes", "prefix"), ["0033", "0031"]);
        assert_eq!(after.column("routes", "originator"), ["", ""]);
        assert_eq!(after.column("routes", "carrier"), ["Second", "First"]);
        // Two routes of one list change places.
        acme.client.ok("Sip.updateRoutes", record! { routes: vec![
            record! { id: id(0), prefix: "0033", carrier_id: second, priority: 1 },
            record! { id: id(1), prefix: "0031", carrier_id: first, priority: 2 },
        ] });
        let after = list(&acme.client);
        assert_eq!(after.column("routes", "id"), before.column("routes", "id"));
        assert_eq!(after.column("routes", "prefix"), ["0033", "0031"]);
    }

    // B138, B139: one bad item, and nothing changes.
    fn changes_nothing_when_one_is_wrong(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        let (mine, foreign) = (carrier(&acme.client, "Telco"), carrier(&other.client, "Telco"));
        acme.client.ok("Sip.addRoutes", record! { routes: vec![
            route(mine, "0031").with("priority", 1), route(mine, "0032").with("priority", 2),
        ] });
        other.client.ok("Sip.addRoutes", record! { routes: vec![route(foreign, "0031")] });
        let before = list(&acme.client);
        let (first, second) = (before.int_at("routes/0/id"), before.int_at("routes/1/id"));
        let theirs = list(&other.client).int_at("routes/0/id");
        let refused = |code, bad: Value| {
            let good = record! { id: first, priority: 99 };
            acme.client.refused(code, "Sip.updateRoutes", record! { routes: vec![good, bad] });
        };
        refused(1078, record! { id: second + 1000 });
        refused(8001, record! { id: theirs, priority: 5 });
        refused(1079, record! { id: second, prefix: "0031" });
        refused(1070, record! { id: second, carrier_id: foreign });
        refused(9001, record! { prefix: "0032" });
        refused(9000, record! { id: first });
        refused(9000, record! { id: second, prefix: "x" });
        acme.client.refused(9001, "Sip.updateRoutes", record! { routes: Value::Null });
        child.client.refused(8003, "Sip.updateRoutes", record! { routes: vec![record! { id: first }] });
        assert_eq!(list(&acme.client).column("routes", "priority"), ["1", "2"]);
        assert_eq!(list(&acme.client).column("routes", "id"), before.column("routes", "id"));
    }
}
