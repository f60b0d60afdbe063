//! Logging in and opening a screen (client-usage §1.2, §1.3, §1.5).

use super::{open, remember, tenants};
use ngn_tests::cdrtool::Connection;
use ngn_tests::fixture::domain;
use ngn_tests::{both, query, record};

both! {
    // §1.2: CDRTool reads the login of its user as administrator, and calls with it from then on (B8).
    fn logs_in_with_what_the_server_returned(p) {
        let (acme, child) = tenants(p);
        // Two agents of the reseller: one is the customer alone, one works in the reseller's name.
        let mut agent = ngn_tests::fixture::person("agent").with("reseller", acme.id);
        agent = agent.with("impersonate", acme.id);
        let agent = p.admin().ok("Customer.addAccount", record! { account: agent }).int_at("id");
        let engine = Connection::admin_as(p, 0);
        let find = |filter| {
            let found = engine.ok("Customer.getCustomers", query(filter, "customer", "ASC", 0, 1));
            assert_eq!((found.int("total"), found.list("accounts").len()), (1, 1), "exactly one");
            let account = found.at("accounts/0").clone();
            account.reads("username:s password:s impersonate:i? reseller:i");
            account
        };
        for (customer, sees) in [(acme.id, 1), (child.id, 1), (agent, 3)] {
            let mut account = find(record! { customer: customer });
            if account.at("impersonate").truthy() {
                let impersonated = account.int("impersonate");
                account = find(record! { customer: impersonated, reseller: account.int("reseller") });
            }
            let login = Connection::customer(p, account.text("username"), account.text("password"));
            // The login works, and everything is done in that customer's name.
            let name = format!("of{customer}.example.com");
            login.execute("Sip.addDomain", record! { domain: record! {
                domain: &name, customer: account.int("id"), reseller: account.int("reseller"),
            } });
            let filter = record! { domain: "of%", customer: 0, reseller: 0 };
            let found = login.ok("Sip.getDomains", query(filter, "changeDate", "DESC", 0, 20));
            assert_eq!(found.int("total"), sees, "{name}");
        }
    }

    // §1.3.
    fn opens_a_screen(p) {
        let (acme, child) = tenants(p);
        open(p, acme.id, child.id);
        open(p, acme.id, acme.id);
        // Nobody is impersonated when no reseller is known.
        let engine = Connection::admin_as(p, 0);
        let found = engine.ok("Customer.getResellers", query(record! { customer: child.id }, "customer", "ASC", 0, 1));
        assert_eq!(found.int("accounts/0/reseller"), acme.id);
        let login = Connection::customer(p, "child", "child-password");
        remember(&login, child.id, &[("sip_aliases_last_domain", "example.com"), ("records_per_page", "")]);
        let properties = login.ok("Customer.getProperties", record! { customer: child.id });
        let value = |name: &str| {
            let found = properties.items().iter().find(|property| property.text("name") == name);
            found.map(|property| property.text("value").to_owned())
        };
        assert_eq!(value("sip_aliases_last_domain").as_deref(), Some("example.com"));
        // B31: an empty value is stored as empty, and what was not sent is left alone.
        assert_eq!(value("records_per_page").as_deref(), Some(""));
        assert_eq!(value("sip_credit").as_deref(), Some("1000"));
    }

    // §1.5: pages of 20 from `next`, until the first index that is missing.
    fn pages(p) {
        let (acme, _) = tenants(p);
        for n in 0..45 {
            domain(&acme.client, &format!("d{n:02}.example.com"));
        }
        let engine = Connection::admin_as(p, acme.id);
        let mut seen = Vec::new();
        let mut next = 0;
        loop {
            let filter = record! { domain: "", customer: 0, reseller: acme.id };
            let page = engine.ok("Sip.getDomains", query(filter, "domain", "ASC", next, 20));
            assert_eq!(page.int("total"), 45);
            for domain in page.list("domains") {
                seen.push(domain.text("domain").to_owned());
            }
            next += 20;
            if next >= page.int("total") {
                break;
            }
        }
        let all: Vec<_> = (0..45).map(|n| format!("d{n:02}.example.com")).collect();
        assert_eq!(seen, all);
        let filter = record! { domain: "", customer: 0, reseller: acme.id };
        let beyond = engine.ok("Sip.getDomains", query(filter, "domain", "ASC", 60, 20));
        assert_eq!((beyond.int("total"), beyond.list("domains").len()), (45, 0));
    }
}
