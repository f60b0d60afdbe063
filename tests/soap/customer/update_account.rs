//! Customer.updateAccount.

use ngn_tests::fixture::{customer, person, reseller};
use ngn_tests::soap::Login;
use ngn_tests::{Value, both, record};

fn property(name: &str, value: &str, permission: &str) -> Value {
    record! { name: name, value: value, category: "web", permission: permission }
}

both! {
    fn refuses_what_it_cannot_find_or_change(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        p.admin().refused(5000, "Customer.updateAccount", record! { account: person("x").with("id", 999) });
        // Another reseller's customer cannot be told from one that does not exist (D3).
        other.client.refused(5000, "Customer.updateAccount", record! {
            account: person("child").with("id", child.id),
        });
        // A customer does not see its siblings either.
        let sibling = customer(p, &acme, "sibling");
        sibling.client.refused(5000, "Customer.updateAccount", record! {
            account: person("child").with("id", child.id),
        });
        acme.client.refused(5001, "Customer.updateAccount", record! {
            account: person("sibling").with("id", child.id),
        });
        acme.client.refused(9001, "Customer.updateAccount", Value::empty());
    }

    // B26: what is not supplied is cleared; an empty password keeps the old one.
    fn replaces_all_attributes_but_an_empty_password(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        acme.client.ok("Customer.updateAccount", record! { account: record! {
            id: child.id, username: "child", password: "", city: "Utrecht",
        } });
        let stored = child.client.ok("Customer.getAccount", record! { id: child.id });
        assert_eq!(stored.text_at("city"), "Utrecht");
        assert_eq!(stored.text_at("firstName"), "");
        assert_eq!(stored.int_at("reseller"), acme.id);
        acme.client.ok("Customer.updateAccount", record! { account: record! {
            id: child.id, username: "renamed", password: "new-password",
        } });
        child.client.refused(8000, "Customer.getAccount", record! { id: child.id });
        let renamed = p.client(Login::customer("renamed", "new-password"));
        assert_eq!(renamed.ok("Customer.getAccount", record! { id: child.id }).text_at("city"), "");
    }

    // B26, B28: reseller and money are the administrator's.
    fn leaves_the_administrators_attributes_to_the_administrator(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        let wish = person("child").with("id", child.id).with("reseller", other.id)
            .with("balance", 50.0).with("credit", 60.0).with("companyCode", "C9").with("resellerActive", true);
        for client in [&child.client, &acme.client] {
            client.ok("Customer.updateAccount", record! { account: wish.clone() });
            let stored = acme.client.ok("Customer.getAccount", record! { id: child.id });
            assert_eq!(stored.int_at("reseller"), acme.id);
            assert_ne!(stored.text_at("balance"), "50");
            assert_eq!(stored.text_at("companyCode"), "");
            assert_eq!(stored.text_at("resellerActive"), "false");
        }
        p.admin().ok("Customer.updateAccount", record! { account: wish });
        let stored = p.admin().ok("Customer.getAccount", record! { id: child.id });
        assert_eq!(stored.int_at("reseller"), other.id);
        assert_eq!(stored.double_at("balance"), 50.0);
        assert_eq!(stored.double_at("credit"), 60.0);
        assert_eq!(stored.text_at("companyCode"), "C9");
    }

    // B27, B10: a child whose `impersonate` is its reseller's id has the reseller's rights.
    fn lets_a_child_act_as_its_reseller(p) {
        let acme = reseller(p, "acme");
        let (child, sibling) = (customer(p, &acme, "child"), customer(p, &acme, "sibling"));
        child.client.ok("Customer.updateAccount", record! {
            account: person("child").with("id", child.id).with("impersonate", acme.id),
        });
        child.client.refused(5000, "Customer.getAccount", record! { id: sibling.id });
        acme.client.ok("Customer.updateAccount", record! {
            account: person("child").with("id", child.id).with("impersonate", acme.id),
        });
        let seen = child.client.ok("Customer.getAccount", record! { id: sibling.id });
        assert_eq!(seen.text_at("username"), "sibling");
        let added = child.client.ok("Customer.addAccount", record! { account: person("grandchild") });
        assert_eq!(added.int_at("reseller"), acme.id);
    }

    // B32: a list of properties is the whole new list, as far as the caller may change it.
    fn replaces_the_properties_that_the_caller_may_change(p) {
        let acme = reseller(p, "acme");
        let added = p.admin().ok("Customer.addAccount", record! {
            account: person("child").with("reseller", acme.id).with("properties", vec![
                property("language", "en", "customer"),
                property("limit", "5", "admin"),
                property("theme", "dark", "reseller"),
            ]),
        });
        let id = added.int_at("id");
        let child = p.client(Login::customer("child", "child-password"));
        let names = || {
            let list = p.admin().ok("Customer.getProperties", record! { customer: id });
            let mut pairs: Vec<_> = list.children.iter()
                .map(|i| format!("{}={}", i.text_at("name"), i.text_at("value"))).collect();
            pairs.sort();
            pairs.join(" ")
        };
        // Missing: unchanged.
        child.ok("Customer.updateAccount", record! { account: person("child").with("id", id) });
        assert_eq!(names(), "language=en limit=5 theme=dark");
        child.ok("Customer.updateAccount", record! { account: person("child").with("id", id)
            .with("properties", vec![property("colour", "red", "admin"), property("limit", "9", "customer")]) });
        assert_eq!(names(), "colour=red limit=5 theme=dark");
        // B35: the new one got the caller's level, so the caller can remove it again.
        child.ok("Customer.updateAccount", record! {
            account: person("child").with("id", id).with("properties", Value::List(vec![])),
        });
        assert_eq!(names(), "limit=5 theme=dark");
        acme.client.ok("Customer.updateAccount", record! {
            account: person("child").with("id", id).with("properties", Value::List(vec![])),
        });
        assert_eq!(names(), "limit=5");
        p.admin().ok("Customer.updateAccount", record! {
            account: person("child").with("id", id).with("reseller", acme.id)
                .with("properties", Value::List(vec![])),
        });
        assert_eq!(names(), "");
    }
}
