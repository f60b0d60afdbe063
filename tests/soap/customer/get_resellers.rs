//! Customer.getResellers.

use ngn_tests::fixture::{customer, reseller};
use ngn_tests::{Value, both, matching, query, record};

both! {
    // B24: resellers; but a customer that is asked for by id, whatever it is.
    fn lists_resellers_or_the_customer_asked_for(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        let admin = p.admin();
        let found = admin.ok("Customer.getResellers", record! { query: Value::empty() });
        assert_eq!(found.column("accounts", "username"), ["acme", "other"]);
        let found = admin.ok(
            "Customer.getResellers",
            query(record! { customer: child.id }, "customer", "ASC", 0, 1),
        );
        assert_eq!(found.column("accounts", "username"), ["child"]);
        assert_eq!(found.int_at("accounts/0/reseller"), acme.id);
        let properties = found.at("accounts/0/properties");
        assert!(properties.children.iter().any(|i| i.text_at("name") == "sip_credit"));
        // Within what the caller may see.
        let found = child.client.ok("Customer.getResellers", matching(record! { customer: other.id }));
        assert_eq!((found.at("accounts").children.len(), found.int_at("total")), (0, 0));
        let found = acme.client.ok("Customer.getResellers", record! { query: Value::empty() });
        assert_eq!(found.column("accounts", "username"), ["acme"]);
    }
}
