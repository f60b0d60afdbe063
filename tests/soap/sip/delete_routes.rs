//! Sip.deleteRoutes.

use ngn_tests::fixture::{carrier, customer, reseller, route};
use ngn_tests::{Value, both, matching, query, record};

both! {
    // B138: by id alone, or by what makes a route; all or nothing.
    fn deletes_all_or_nothing(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        let (mine, foreign) = (carrier(&acme.client, "Telco"), carrier(&other.client, "Telco"));
        acme.client.ok("Sip.addRoutes", record! { routes: vec![
            route(mine, "0031"), route(mine, "0032").with("originator", "a"), route(mine, "0033"), route(mine, ""),
        ] });
        other.client.ok("Sip.addRoutes", record! { routes: vec![route(foreign, "0031")] });
        let found = acme.client.ok("Sip.getRoutes", query(Value::empty(), "prefix", "ASC", 0, 20));
        let id = |i: usize| found.int_at(&format!("routes/{i}/id"));
        let theirs = other.client.ok("Sip.getRoutes", matching(Value::empty())).int_at("routes/0/id");
        let refused = |code, bad: Value| {
            let routes = vec![record! { id: id(0) }, bad];
            acme.client.refused(code, "Sip.deleteRoutes", record! { routes: routes });
        };
        refused(1078, record! { id: id(3) + 1000 });
        refused(1078, route(mine, "0032"));
        refused(8001, record! { id: theirs });
        // By its key another's route is as if there were none: the fault would tell its id (D3).
        refused(1078, route(foreign, "0031"));
        refused(9001, record! { prefix: "0031" });
        refused(9000, record! { id: -1 });
        acme.client.refused(9001, "Sip.deleteRoutes", record! { routes: Value::Null });
        child.client.refused(8003, "Sip.deleteRoutes", record! { routes: vec![record! { id: id(0) }] });
        assert_eq!(acme.client.ok("Sip.getRoutes", matching(Value::empty())).int_at("total"), 4);
        // The same route twice is one route.
        acme.client.ok("Sip.deleteRoutes", record! { routes: vec![
            record! { id: id(1) }, route(mine, "0031"), route(mine, "0032").with("originator", "A"),
            record! { id: id(3) },
        ] });
        let left = acme.client.ok("Sip.getRoutes", matching(Value::empty()));
        assert_eq!(left.column("routes", "id"), [id(0).to_string()]);
        let rows = p.database.sql("SELECT COUNT(*) FROM journal WHERE operation = 'Sip:deleteRoutes'");
        assert_eq!(rows.trim(), "3");
    }
}
