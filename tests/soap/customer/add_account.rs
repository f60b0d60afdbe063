//! Customer.addAccount.

use ngn_tests::fixture::{customer, person, reseller};
use ngn_tests::{Value, both, record};

both! {
    // B23: the name is unique over the whole server, whatever its case, and whoever has it.
    fn refuses_a_taken_username(p) {
        let (first, second) = (reseller(p, "first"), reseller(p, "second"));
        first.client.ok("Customer.addAccount", record! { account: person("taken") });
        second.client.refused(5001, "Customer.addAccount", record! { account: person("taken") });
        p.admin().refused(5001, "Customer.addAccount", record! { account: person("TAKEN") });
        second.client.ok("Customer.addAccount", record! { account: person("taken1") });
    }

    // B21, B22: who may create customers.
    fn refuses_callers_that_may_not(p) {
        let active = reseller(p, "active");
        let plain = customer(p, &active, "plain");
        plain.client.refused(8003, "Customer.addAccount", record! { account: person("x") });
        let sleeping = p.admin().ok(
            "Customer.addAccount",
            record! { account: person("sleeping").with("resellerActive", false) },
        );
        let login = ngn_tests::soap::Login::customer("sleeping", "sleeping-password");
        p.client(login).refused(5003, "Customer.addAccount", record! { account: person("y") });
        // Nor may the administrator in its name.
        p.admin().impersonating(sleeping.int_at("id"))
            .refused(5003, "Customer.addAccount", record! { account: person("y") });
    }

    fn refuses_incomplete_records(p) {
        let admin = p.admin();
        admin.refused(9001, "Customer.addAccount", Value::empty());
        admin.refused(9001, "Customer.addAccount", record! { account: Value::Null });
        admin.refused(9001, "Customer.addAccount", record! { account: record! { firstName: "A" } });
        admin.refused(9000, "Customer.addAccount", record! {
            account: person("x").with("reseller", "seven"),
        });
        admin.refused(5003, "Customer.addAccount", record! {
            account: person("x").with("reseller", 999),
        });
    }

    // B20: without reseller the customer is a reseller of its own; B30: and can be deleted again at once.
    fn makes_a_reseller_of_its_own(p) {
        let admin = p.admin();
        let added = admin.ok("Customer.addAccount", record! { account: person("new") });
        assert!(added.int_at("id") > 0);
        assert_eq!(added.int_at("reseller"), added.int_at("id"));
        admin.ok("Customer.deleteAccount", record! { id: added.int_at("id") });
    }

    // B9, B20: a reseller creates children of itself, whatever it asks for.
    fn makes_children_of_the_reseller_that_calls(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = acme.client.ok("Customer.addAccount", record! {
            account: person("child").with("reseller", other.id),
        });
        assert_eq!(child.int_at("reseller"), acme.id);
        let second = p.admin().impersonating(acme.id).ok("Customer.addAccount", record! {
            account: person("second"),
        });
        assert_eq!(second.int_at("reseller"), acme.id);
        // B28: only the administrator hands these out.
        let rich = acme.client.ok("Customer.addAccount", record! {
            account: person("rich").with("balance", 100.5).with("credit", 7.0).with("companyCode", "C1"),
        });
        assert_eq!(acme.client.ok("Customer.getAccount", record! { id: rich.int_at("id") })
            .find("balance").map(|b| b.text.as_str()).unwrap_or_default().trim_start_matches('0'), "");
    }

    // B190: an import by the administrator keeps a free id; one in use gives way to a new one.
    fn keeps_the_id_of_an_import(p) {
        let admin = p.admin();
        let kept = admin.ok("Customer.addAccount", record! { account: person("kept").with("id", 777) });
        assert_eq!(kept.int_at("id"), 777);
        let moved = admin.ok("Customer.addAccount", record! { account: person("moved").with("id", 777) });
        assert_ne!(moved.int_at("id"), 777);
        let acme = reseller(p, "acme");
        let own = acme.client.ok("Customer.addAccount", record! { account: person("own").with("id", 888) });
        assert_ne!(own.int_at("id"), 888);
        // A reseller of another server names itself; another unknown reseller stays unknown.
        let reseller = person("itself").with("id", 999).with("reseller", 999);
        let added = admin.ok("Customer.addAccount", record! { account: reseller });
        assert_eq!((added.int_at("id"), added.int_at("reseller")), (999, 999));
        let of_none = person("of-none").with("id", 1111).with("reseller", 1112);
        admin.refused(5003, "Customer.addAccount", record! { account: of_none });
    }

    // Every attribute comes back as it was given, markup and other scripts included.
    fn stores_every_attribute(p) {
        let admin = p.admin();
        let text = |name: &str| format!("{name} <&\"'> Zürich 東京");
        let mut account = person("full");
        let names = [
            "firstName", "lastName", "organization", "vatNumber", "web", "tel", "fax", "mobile",
            "sip", "enum", "address", "postcode", "city", "state", "country", "bankAccount",
            "billingAddress", "billingEmail", "companyCode",
        ];
        for name in names {
            account = account.with(name, text(name));
        }
        account = account
            .with("email", "full@example.com")
            .with("timezone", "Europe/Amsterdam")
            .with("language", "nl")
            .with("balance", 12.5)
            .with("credit", 100.25);
        let id = admin.ok("Customer.addAccount", record! { account: account }).int_at("id");
        let stored = admin.ok("Customer.getAccount", record! { id: id });
        for name in names {
            assert_eq!(stored.text_at(name), text(name), "{name}");
        }
        assert_eq!(stored.text_at("timezone"), "Europe/Amsterdam");
        assert_eq!(stored.double_at("balance"), 12.5);
        assert_eq!(stored.double_at("credit"), 100.25);
        assert_eq!(stored.at("properties").children.len(), 0);
        assert_eq!(stored.text_at("changeDate").len(), "2026-01-02 03:04:05".len());
    }
}
