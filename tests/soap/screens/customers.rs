//! The screen of customers (client-usage §2.10).

use super::{filled, listed, open, tenants};
use ngn_tests::cdrtool::{Connection, Php};
use ngn_tests::{Value, both, query, record};

const LISTED: &str = "id:i reseller:i impersonate:i? username:s firstName:s lastName:s organization:s country:s \
                      email:s tel:s changeDate:s properties:a";
/// Every member of a customer, for the form of the only hit.
const WHOLE: &str = "id:i reseller:i impersonate:i? username:s password:s firstName:s lastName:s organization:s \
                     vatNumber:s email:s web:s tel:s fax:s mobile:s sip:s enum:s address:s postcode:s city:s \
                     state:s country:s timezone:s language:s bankAccount:s billingAddress:s billingEmail:s \
                     balance:f? credit:f? companyCode:s resellerActive:b changeDate:s properties:a";

fn filter(username: &str, only_resellers: &str) -> Value {
    record! {
        username: username, firstName: "", lastName: "", organization: "", tel: "", email: "", web: "",
        city: "", country: "", only_resellers: only_resellers, customer: 0, reseller: 0,
    }
}

/// The form of a new customer; an administrator's holds the reseller too.
fn form(username: &str, reseller: Option<i64>) -> Value {
    let mut account = record! {
        username: username, password: "secret-password", firstName: "Ada", lastName: "Example",
        organization: "Example", tel: "+3120", email: "ada@example.com", address: "Street 1\nBack",
        postcode: "1000", city: "Haarlem", state: "N/A", country: "NL", timezone: "Europe/Amsterdam",
    };
    if let Some(reseller) = reseller {
        account = account.with("reseller", reseller);
    }
    account.with("billingEmail", "bill@example.com").with("properties", Vec::<Value>::new())
}

both! {
    fn lists_adds_edits_copies_and_deletes(p) {
        let (acme, child) = tenants(p);
        let engine = Connection::admin_as(p, 0);
        open(p, acme.id, child.id);
        let added = engine.execute("Customer.addAccount", record! { account: form("ada.example", Some(acme.id)) });
        let id = added.int("id");
        engine.refused(5001, "Customer.addAccount", record! { account: form("ada.example", Some(acme.id)) });
        // A reseller's form has no reseller in it (B20).
        let agent = Connection::customer(p, "acme", "acme-password");
        let own = agent.execute("Customer.addAccount", record! { account: form("bea.example", None) });
        let list = |connection: &Connection, operation: &str, filter: Value| {
            connection.ok(operation, query(filter, "changeDate", "DESC", 0, 20))
        };
        let page = list(&engine, "Customer.getCustomers", filter("", ""));
        for account in listed(&page, "accounts", 4) {
            account.reads(LISTED);
            assert_eq!(account.int("reseller"), acme.id);
        }
        // The tick box: the other operation, and in searches the filter member that comes as a text (B25).
        let resellers = list(&engine, "Customer.getResellers", filter("", "1"));
        assert_eq!(listed(&resellers, "accounts", 1)[0].int("id"), acme.id);
        let resellers = list(&engine, "Customer.getCustomers", filter("", "1"));
        assert_eq!(listed(&resellers, "accounts", 1)[0].int("id"), acme.id);
        let hit = list(&engine, "Customer.getCustomers", filter("ada.example", ""));
        listed(&hit, "accounts", 1)[0].reads(WHOLE);
        // Edit as administrator: the object of getAccount with every field of the form, numbers as numbers.
        let account = engine.ok("Customer.getAccount", record! { id: id });
        account.reads(WHOLE);
        let mut properties = account.list("properties").to_vec();
        for (name, value, category, permission) in [
            ("pstn_access", "1", "sip", "admin"), ("support_company", "Example", "web", "reseller"),
            ("language", "nl", "web", "customer"),
        ] {
            properties.push(Php::Object(vec![
                ("name".to_owned(), name.into()), ("value".to_owned(), value.into()),
                ("category".to_owned(), category.into()), ("permission".to_owned(), permission.into()),
            ]));
        }
        let edited = filled(account, vec![
            ("resellerActive", Php::Int(0)), ("impersonate", Php::Int(0)), ("balance", Php::Float(12.5)),
            ("credit", Php::Float(100.0)), ("companyCode", "C1".into()), ("organization", "Changed".into()),
            ("mobile", "+31612345678".into()), ("properties", Php::List(properties)),
        ]);
        let full = Connection::admin(p);
        assert_eq!(full.execute("Customer.updateAccount", record! { account: edited }), Php::Flag(true));
        let now = engine.ok("Customer.getAccount", record! { id: id.to_string() });
        now.reads(WHOLE);
        assert_eq!((now.text("organization"), now.float("balance"), now.float("credit")), ("Changed", 12.5, 100.0));
        assert_eq!((now.text("address"), now.text("password")), ("Street 1\nBack", "secret-password"));
        let properties = engine.ok("Customer.getProperties", record! { customer: id });
        let names: Vec<_> = properties.items().iter().map(|item| item.text("name")).collect();
        assert_eq!(names.len(), 3);
        properties.items().iter().for_each(|item| item.reads("name:s value:s category:s permission:s"));
        // The customer's own form: what only others may change stays (B28, B33).
        let login = Connection::customer(p, "ada.example", "secret-password");
        let mut account = login.ok("Customer.getAccount", record! { id: id });
        for (name, value) in [
            ("balance", Php::Float(9999.0)), ("credit", Php::Float(9999.0)), ("resellerActive", Php::Int(1)),
            ("impersonate", acme.id.into()), ("city", "Leiden".into()), ("password", "".into()),
        ] {
            account.set(name, value);
        }
        assert_eq!(login.execute("Customer.updateAccount", record! { account: account.echo() }), Php::Flag(true));
        let now = login.ok("Customer.getAccount", record! { id: id });
        assert_eq!((now.text("city"), now.float("balance"), now.flag("resellerActive")), ("Leiden", 12.5, false));
        assert!(!now.at("impersonate").truthy());
        assert_eq!(now.list("properties").len(), 3);
        // Copy: digits until the name is free.
        let mut copy = engine.ok("Customer.getAccount", record! { id: id });
        copy.unset("id");
        let mut copies = Vec::new();
        for _ in 0..2 {
            for digit in 1..=8 {
                copy.set("username", format!("ada.example{digit}").as_str().into());
                match engine.call("Customer.addAccount", &record! { account: copy.echo() }) {
                    Ok(added) => {
                        copies.push((added.int("id"), digit));
                        break;
                    }
                    Err(fault) => assert_eq!(fault.code, 5001, "{}", fault.text),
                }
            }
        }
        assert_eq!(copies.iter().map(|(_, digit)| *digit).collect::<Vec<_>>(), [1, 2]);
        // By name, exactly one; with a wildcard of nobody's, none.
        let by_name = |name: &str| {
            let found = engine.ok("Customer.getCustomers", query(record! { username: name }, "customer", "ASC", 0, 1));
            found.list("accounts").len()
        };
        assert_eq!((by_name("ada.example"), by_name("nobody")), (1, 0));
        // Bulk keys, and away with them.
        let keys = engine.ok("Customer.getCustomers", query(filter("ada.example_", ""), "customer", "ASC", 0, 1000));
        let ids: Vec<_> = keys.list("accounts").iter().map(|account| account.int("id")).collect();
        assert_eq!(ids, copies.iter().map(|(id, _)| *id).collect::<Vec<_>>());
        for id in ids.into_iter().chain([id, own.int("id")]) {
            assert_eq!(engine.execute("Customer.deleteAccount", record! { id: id }), Php::Flag(true));
            engine.refused(5000, "Customer.getAccount", record! { id: id });
        }
        engine.refused(5002, "Customer.deleteAccount", record! { id: acme.id });
    }
}
