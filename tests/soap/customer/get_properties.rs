//! Customer.getProperties.

use ngn_tests::fixture::{customer, reseller};
use ngn_tests::{both, record};

both! {
    fn lists_a_bare_array(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        p.admin().refused(5000, "Customer.getProperties", record! { customer: 999 });
        other.client.refused(5000, "Customer.getProperties", record! { customer: child.id });
        let list = child.client.ok("Customer.getProperties", record! { customer: child.id });
        let credit = list.children.iter().find(|i| i.text_at("name") == "sip_credit").unwrap();
        assert_eq!(credit.text_at("value"), "1000");
        assert_eq!(credit.text_at("category"), "credit");
        assert_eq!(credit.text_at("permission"), "admin");
        // R3: a customer without properties has an empty list.
        p.admin().ok("Customer.updateAccount", record! {
            account: ngn_tests::fixture::person("child").with("id", child.id).with("reseller", acme.id)
                .with("properties", ngn_tests::Value::List(vec![])),
        });
        assert_eq!(child.client.ok("Customer.getProperties", record! { customer: child.id }).children.len(), 0);
    }
}
