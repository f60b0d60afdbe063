//! Customer.getCustomers, and with it what all list operations share (B11, B12, B40-B46).

use ngn_tests::fixture::{customer, person, reseller};
use ngn_tests::{Value, both, matching, query, record};

fn names(list: &ngn_tests::xml::Node) -> Vec<&str> {
    list.column("accounts", "username")
}

both! {
    // B11: lists hold what the caller may see, and `total` counts no more.
    fn shows_only_visible_customers(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let (child, _sibling) = (customer(p, &acme, "child"), customer(p, &acme, "sibling"));
        let _foreign = customer(p, &other, "foreign");
        let all = record! { query: Value::empty() };
        let seen = p.admin().ok("Customer.getCustomers", all.clone());
        assert_eq!(names(&seen), ["acme", "other", "child", "sibling", "foreign"]);
        assert_eq!(seen.int_at("total"), 5);
        let seen = acme.client.ok("Customer.getCustomers", all.clone());
        assert_eq!(names(&seen), ["acme", "child", "sibling"]);
        assert_eq!(seen.int_at("total"), 3);
        let seen = child.client.ok("Customer.getCustomers", all.clone());
        assert_eq!(names(&seen), ["child"]);
        // B5, B6: impersonating is seeing the same.
        let seen = p.admin().impersonating(acme.id).ok("Customer.getCustomers", all);
        assert_eq!(names(&seen), ["acme", "child", "sibling"]);
    }

    // B11, B12: filters narrow; beyond the caller's reach they give nothing, not a fault.
    fn intersects_filters_with_visibility(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let (child, foreign) = (customer(p, &acme, "child"), customer(p, &other, "foreign"));
        let by = |filter| matching(filter);
        let admin = p.admin();
        let seen = admin.ok("Customer.getCustomers", by(record! { reseller: other.id }));
        assert_eq!(names(&seen), ["other", "foreign"]);
        let seen = admin.ok("Customer.getCustomers", by(record! { customer: child.id }));
        assert_eq!(names(&seen), ["child"]);
        let seen = acme.client.ok("Customer.getCustomers", by(record! { customer: foreign.id }));
        assert_eq!((names(&seen).len(), seen.int_at("total")), (0, 0));
        let seen = acme.client.ok("Customer.getCustomers", by(record! { reseller: other.id }));
        assert_eq!(names(&seen).len(), 0);
    }

    // B40, B41, B44: empty members restrict nothing; `%` and `_` are wildcards; case does not matter.
    fn matches_like_sql(p) {
        let admin = p.admin();
        for (name, city) in [("ada", "Zürich"), ("adam", "100%"), ("eve", "A_B")] {
            admin.ok("Customer.addAccount", record! { account: person(name).with("city", city) });
        }
        let list = |filter: Value| {
            let found = admin.ok("Customer.getCustomers", matching(filter));
            names(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(list(record! { username: "", firstName: (), customer: 0, reseller: "" }).len(), 3);
        assert_eq!(list(record! { username: "ad%" }), ["ada", "adam"]);
        assert_eq!(list(record! { username: "AD_" }), ["ada"]);
        assert_eq!(list(record! { username: "ad" }), Vec::<String>::new());
        assert_eq!(list(record! { city: "zürich" }), ["ada"]);
        assert_eq!(list(record! { city: "Z%" }), ["ada"]);
        assert_eq!(list(record! { username: "a%", city: "1%" }), ["adam"]);
        assert_eq!(list(record! { username: "a'; drop table customers; --" }), Vec::<String>::new());
        assert_eq!(list(record! { no_such_member: "x", username: "eve" }), ["eve"]);
        assert_eq!(list(record! { email: "%@EXAMPLE.com" }).len(), 3);
    }

    // B44-B46: order, pages, totals.
    fn orders_and_pages(p) {
        let admin = p.admin();
        for name in ["c", "a", "e", "b", "d"] {
            admin.ok("Customer.addAccount", record! { account: person(name) });
        }
        let page = |order: &str, direction: &str, start: i64, count: i64| {
            let found = admin.ok("Customer.getCustomers", query(Value::empty(), order, direction, start, count));
            assert_eq!(found.int_at("total"), 5, "the total counts all matches");
            names(&found).concat()
        };
        assert_eq!(page("username", "ASC", 0, 20), "abcde");
        assert_eq!(page("username", "DESC", 0, 20), "edcba");
        assert_eq!(page("username", "sideways", 1, 2), "bc");
        assert_eq!(page("customer", "DESC", 0, 20), "dbeac");
        assert_eq!(page("no such column", "ASC", 0, 20).len(), 5);
        // Ties are broken by key, so pages neither repeat nor lose a row.
        assert_eq!(page("firstName", "ASC", 0, 3) + &page("firstName", "ASC", 3, 3), "caebd");
        assert_eq!(page("username", "ASC", 17, 20), "");
        assert_eq!(page("username", "ASC", 0, 5000), "abcde");
        // No range: everything, in key order.
        let found = admin.ok("Customer.getCustomers", matching(Value::empty()));
        assert_eq!(names(&found).concat(), "caebd");
    }

    // B25: `only_resellers` comes as a string, here too.
    fn restricts_to_resellers(p) {
        let acme = reseller(p, "acme");
        let _child = customer(p, &acme, "child");
        let admin = p.admin();
        let found = admin.ok("Customer.getCustomers", matching(record! { only_resellers: "1" }));
        assert_eq!(names(&found), ["acme"]);
        let found = admin.ok("Customer.getCustomers", matching(record! { only_resellers: "" }));
        assert_eq!(names(&found), ["acme", "child"]);
    }
}
