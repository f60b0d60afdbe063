//! Sip.addAccount.

use ngn_tests::fixture::{account, customer, domain, generous, person, reseller, subscriber};
use ngn_tests::soap::Login;
use ngn_tests::{Value, both, record, sip_id};

both! {
    fn refuses_what_cannot_be(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        domain(&acme.client, "example.com");
        let add = |code, account: Value| acme.client.refused(code, "Sip.addAccount", record! { account: account });
        acme.client.refused(9001, "Sip.addAccount", Value::empty());
        add(9001, record! { password: "x" });
        add(9001, record! { id: record! { username: "", domain: "example.com" } });
        add(1000, subscriber("alice@nowhere.example"));
        // A domain that the caller may not see does not exist for it (D3).
        other.client.refused(1000, "Sip.addAccount", record! { account: subscriber("alice@example.com") });
        for bad in ["a b", "a@b", "a/b", "<a>", "a\"b", "ä%"] {
            add(1012, record! { id: record! { username: bad, domain: "example.com" }, password: "x" });
        }
        add(9000, subscriber("alice@example.com").with("quota", "much"));
        add(9000, subscriber("alice@example.com").with("acl", vec![record! { ip: "not an address", mask: 24 }]));
        add(9000, subscriber("alice@example.com").with("acl", vec![record! { ip: "192.0.2.0", mask: 33 }]));
    }

    // B53: the key is unique together with aliases, case does not matter.
    fn refuses_taken_addresses(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        acme.client.ok("Sip.addAlias", record! { alias: record! {
            id: sip_id("info@example.com"), target: sip_id("alice@example.com"),
        } });
        for taken in ["alice@example.com", "ALICE@Example.Com", "info@example.com"] {
            let fault = acme.client.fault("Sip.addAccount", record! { account: subscriber(taken) });
            assert_eq!(fault.code, 1011, "{taken}");
            // Enrollment shows this to people.
            assert!(fault.text.contains("example.com") && fault.side == "Client", "{fault:?}");
        }
    }

    // The reply is what enrollment reads, and B15, B55.
    fn returns_the_account(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        domain(&child.client, "example.com");
        let added = acme.client.ok("Sip.addAccount", record! {
            account: subscriber("Alice@Example.com").with("customer", 4711).with("reseller", 4712),
        });
        assert_eq!(added.text_at("id/username"), "alice");
        assert_eq!(added.text_at("id/domain"), "example.com");
        assert_eq!(added.text_at("email"), "Alice@Example.com");
        let stored = acme.client.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        assert_eq!((stored.int_at("customer"), stored.int_at("reseller")), (child.id, acme.id));
        assert_eq!(stored.text_at("createDate").len(), 19);
        assert_eq!(stored.text_at("createDate"), stored.text_at("changeDate"));
    }

    fn stores_every_attribute(p) {
        let admin = p.admin();
        domain(&admin, "example.com");
        let full = subscriber("alice@example.com")
            .with("firstName", "Zoë <&\">")
            .with("acl", vec![
                record! { ip: "192.0.2.0", mask: 24, tag: "office" },
                record! { ip: "2001:db8::", mask: 32 },
            ])
            .with("groups", ["free-pstn", "", "vip", "free-pstn"])
            .with("properties", vec![record! { name: "language", value: "nl" }])
            .with("timezone", "Europe/Amsterdam").with("rpid", "31201234567").with("quota", 50)
            .with("quickdialPrefix", "3120").with("callLimit", "2").with("region", "north")
            .with("timeout", 20).with("prepaid", 0).with("answerTimeout", 3);
        admin.ok("Sip.addAccount", record! { account: full });
        let stored = admin.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        assert_eq!(stored.text_at("firstName"), "Zoë <&\">");
        assert_eq!(stored.column("acl", "ip"), ["192.0.2.0", "2001:db8::"]);
        assert_eq!(stored.text_at("acl/0/tag"), "office");
        assert_eq!(stored.int_at("acl/1/mask"), 32);
        // B68: empty ones are dropped, duplicates collapse.
        let mut groups = stored.texts_at("groups");
        groups.sort_unstable();
        assert_eq!(groups, ["free-pstn", "vip"]);
        assert_eq!(stored.text_at("properties/0/value"), "nl");
        assert_eq!(stored.text_at("timezone"), "Europe/Amsterdam");
        assert_eq!(stored.text_at("rpid"), "31201234567");
        assert_eq!((stored.int_at("quota"), stored.int_at("callLimit"), stored.int_at("timeout")), (50, 2, 20));
        assert_eq!((stored.text_at("quickdialPrefix"), stored.text_at("region")), ("3120", "north"));
        assert_eq!(stored.text_at("prepaid"), "false");
        // Read through by a literal client as well.
        let literal = admin.literal().ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        assert_eq!(literal.column("acl", "ip"), ["192.0.2.0", "2001:db8::"]);
    }

    // B56: no more than 900 seconds.
    fn bounds_the_timeout(p) {
        let admin = p.admin();
        domain(&admin, "example.com");
        admin.ok("Sip.addAccount", record! { account: subscriber("alice@example.com").with("timeout", 5000) });
        let stored = admin.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        assert_eq!(stored.int_at("timeout"), 900);
    }

    // B54: the next number after the highest one.
    fn numbers_accounts_on_request(p) {
        let admin = p.admin();
        domain(&admin, "example.com");
        domain(&admin, "other.example");
        let next = |domain: &str| {
            let added = admin.ok("Sip.addAccount", record! {
                account: record! { id: record! { username: "<autoincrement>", domain: domain }, password: "pw" },
            });
            added.text_at("id/username").to_owned()
        };
        let first = next("example.com");
        assert!(first.chars().all(|c| c.is_ascii_digit()), "{first}");
        for (name, then) in [("31200", "31201"), ("99a", "31202"), ("5", "31203")] {
            account(&admin, &format!("{name}@example.com"));
            assert_eq!(next("example.com"), then);
        }
        assert_eq!(next("other.example"), first);
    }

    // B36, B38: credits count a reseller's accounts over all its customers, and a customer's own.
    fn counts_credits(p) {
        let credits = |n: &str| generous().clone().pick("sip_credit", n);
        let admin = p.admin();
        let acme_id = admin.ok("Customer.addAccount", record! {
            account: person("acme").with("resellerActive", true).with("properties", credits("3")),
        }).int_at("id");
        for name in ["one", "two"] {
            admin.ok("Customer.addAccount", record! {
                account: person(name).with("reseller", acme_id).with("properties", credits("2")),
            });
        }
        let login = |name: &str| p.client(Login::customer(name, &format!("{name}-password")));
        let (acme, one, two) = (login("acme"), login("one"), login("two"));
        domain(&one, "one.example");
        domain(&two, "two.example");
        account(&one, "a@one.example");
        account(&one, "b@one.example");
        one.refused(8002, "Sip.addAccount", record! { account: subscriber("c@one.example") });
        account(&two, "a@two.example");
        two.refused(8002, "Sip.addAccount", record! { account: subscriber("b@two.example") });
        acme.refused(8002, "Sip.addAccount", record! { account: subscriber("b@two.example") });
        // What exists is told before what is used up.
        one.refused(1011, "Sip.addAccount", record! { account: subscriber("a@one.example") });
        // Deleting makes room; the administrator is not limited (B38).
        one.ok("Sip.deleteAccount", record! { sipId: sip_id("a@one.example") });
        account(&two, "b@two.example");
        account(&admin, "c@two.example");
    }

    // B72: the right to call telephone numbers hangs on the reseller.
    fn needs_the_right_to_the_pstn(p) {
        let admin = p.admin();
        let poor = admin.ok("Customer.addAccount", record! {
            account: person("poor").with("resellerActive", true)
                .with("properties", generous().pick("pstn_access", "0")),
        }).int_at("id");
        let client = p.client(Login::customer("poor", "poor-password"));
        domain(&client, "poor.example");
        let wish = subscriber("a@poor.example").with("groups", ["free-pstn"]);
        client.refused(8005, "Sip.addAccount", record! { account: wish });
        client.refused(8005, "Sip.addAccount", record! {
            account: subscriber("a@poor.example").with("prepaid", true),
        });
        admin.ok("Customer.setProperties", record! { customer: poor, properties: vec![
            record! { name: "pstn_access", value: "1", category: "pstn", permission: "admin" },
        ] });
        client.ok("Sip.addAccount", record! {
            account: subscriber("a@poor.example").with("groups", ["free-pstn"]).with("prepaid", true),
        });
    }

    // B67: prepaid mirrors the flag, intercept is not for callers.
    fn keeps_reserved_groups_to_itself(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        let groups = |address: &str| {
            let found = acme.client.ok("Sip.getGroups", record! { sipId: sip_id(address) });
            let mut names: Vec<String> = found.children.into_iter().map(|c| c.text).collect();
            names.sort();
            names.join(" ")
        };
        for (address, list, prepaid, expected) in [
            ("a@example.com", ["prepaid", "vip", "intercept"], false, "vip"),
            ("b@example.com", ["prepaid", "vip", ""], true, "prepaid vip"),
            ("c@example.com", ["vip", "", ""], true, "prepaid vip"),
        ] {
            acme.client.ok("Sip.addAccount", record! {
                account: subscriber(address).with("groups", list).with("prepaid", prepaid),
            });
            assert_eq!(groups(address), expected, "{address}");
        }
    }
}

/// Sets the value of one property in a list of them.
trait Pick {
    fn pick(self, name: &str, value: &str) -> Self;
}

impl Pick for Value {
    fn pick(self, name: &str, value: &str) -> Self {
        let Self::List(items) = self else { return self };
        let named = |item: &Self| matches!(item, Self::Record(m) if m.iter().any(|(n, v)| n == "name" && *v == Self::from(name)));
        Self::List(
            items
                .into_iter()
                .map(|item| if named(&item) { item.with("value", value) } else { item })
                .collect(),
        )
    }
}
