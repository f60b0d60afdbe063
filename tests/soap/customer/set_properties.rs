//! Customer.setProperties.

use ngn_tests::fixture::{customer, person, reseller};
use ngn_tests::soap::{Client, Login};
use ngn_tests::{Value, both, record};

fn property(name: &str, value: &str, permission: &str) -> Value {
    record! { name: name, value: value, category: "web", permission: permission }
}

#[track_caller]
fn set(client: &Client, customer: i64, list: Vec<Value>) {
    client.ok("Customer.setProperties", record! { customer: customer, properties: list });
}

fn get(client: &Client, customer: i64, name: &str) -> Option<(String, String)> {
    let list = client.ok("Customer.getProperties", record! { customer: customer });
    let item = list.children.into_iter().find(|i| i.text_at("name") == name)?;
    Some((item.text_at("value").to_owned(), item.text_at("permission").to_owned()))
}

both! {
    fn refuses_unknown_and_foreign_customers(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let list = vec![property("language", "en", "customer")];
        p.admin().refused(5000, "Customer.setProperties", record! { customer: 999, properties: list.clone() });
        other.client.refused(5000, "Customer.setProperties", record! { customer: acme.id, properties: list });
    }

    // B31: an upsert by name; other names stay; an empty value is a value.
    fn merges_by_name(p) {
        let acme = reseller(p, "acme");
        set(&acme.client, acme.id, vec![property("a", "1", "customer"), property("b", "2", "customer")]);
        set(&acme.client, acme.id, vec![property("b", "", "customer"), property("c", "3", "customer")]);
        assert_eq!(get(&acme.client, acme.id, "a").unwrap().0, "1");
        assert_eq!(get(&acme.client, acme.id, "b").unwrap().0, "");
        assert_eq!(get(&acme.client, acme.id, "c").unwrap().0, "3");
        assert_eq!(get(&acme.client, acme.id, "sip_credit").unwrap().0, "1000");
    }

    // B33, B34: who may change what.
    fn guards_the_levels(p) {
        let acme = reseller(p, "acme");
        p.admin().ok("Customer.addAccount", record! {
            account: person("child").with("reseller", acme.id).with("properties", vec![
                property("secret", "1", "admin"),
                property("theme", "1", "reseller"),
                property("language", "1", "customer"),
                property("sip_credit", "1", "admin"),
            ]),
        });
        let child = p.client(Login::customer("child", "child-password"));
        let id = acme.client.ok("Customer.getCustomers", ngn_tests::matching(record! { username: "child" }))
            .int_at("accounts/0/id");
        let refused = |client: &Client, name: &str| {
            client.refused(5004, "Customer.setProperties", record! {
                customer: id, properties: vec![property(name, "2", "customer")],
            });
        };
        refused(&child, "secret");
        refused(&child, "theme");
        refused(&child, "sip_credit");
        refused(&acme.client, "secret");
        set(&child, id, vec![property("language", "2", "customer")]);
        set(&acme.client, id, vec![property("theme", "2", "reseller")]);
        // B34: credits and rights of a child, but never its own.
        set(&acme.client, id, vec![property("sip_credit", "2", "admin")]);
        acme.client.refused(5004, "Customer.setProperties", record! {
            customer: acme.id, properties: vec![property("sip_credit", "9999", "admin")],
        });
        set(&p.admin(), id, vec![property("secret", "2", "admin")]);
        for name in ["secret", "theme", "language", "sip_credit"] {
            assert_eq!(get(&p.admin(), id, name).unwrap().0, "2", "{name}");
        }
        // A refused call changes nothing, not even the part that would have been allowed.
        child.refused(5004, "Customer.setProperties", record! { customer: id, properties: vec![
            property("language", "3", "customer"), property("secret", "3", "customer"),
        ] });
        assert_eq!(get(&p.admin(), id, "language").unwrap().0, "2");
    }

    // B35: permission and category of what exists stay; a new one gets at most the caller's level.
    fn keeps_levels_as_they_are(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        set(&child.client, child.id, vec![property("colour", "red", "admin")]);
        assert_eq!(get(&child.client, child.id, "colour").unwrap(), ("red".into(), "customer".into()));
        set(&acme.client, child.id, vec![property("colour", "blue", "reseller")]);
        assert_eq!(get(&child.client, child.id, "colour").unwrap(), ("blue".into(), "customer".into()));
        set(&p.admin(), child.id, vec![property("colour", "green", "admin")]);
        assert_eq!(get(&child.client, child.id, "colour").unwrap(), ("green".into(), "admin".into()));
        child.client.refused(5004, "Customer.setProperties", record! {
            customer: child.id, properties: vec![property("colour", "red", "customer")],
        });
    }

    // D3: without its list it would change nothing, which nobody means; an empty list is fine.
    fn wants_its_list(p) {
        let acme = reseller(p, "acme");
        acme.client.refused(9001, "Customer.setProperties", record! { customer: acme.id });
        acme.client.refused(9001, "Customer.setProperties", record! { customer: acme.id, properties: () });
        let none = Vec::<Value>::new();
        acme.client.ok("Customer.setProperties", record! { customer: acme.id, properties: none });
    }
}
