//! Sip.updateAccount.

use ngn_tests::fixture::{account, customer, domain, reseller, subscriber};
use ngn_tests::{Value, both, record, sip_id};

both! {
    fn refuses_unknown_and_foreign_accounts(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        acme.client.refused(1010, "Sip.updateAccount", record! { account: subscriber("bob@example.com") });
        other.client.refused(1010, "Sip.updateAccount", record! { account: subscriber("alice@example.com") });
        acme.client.refused(9001, "Sip.updateAccount", record! { account: record! { email: "x" } });
        acme.client.refused(9001, "Sip.updateAccount", Value::empty());
    }

    // B58: what is not supplied is cleared; B59: except what the server owns.
    fn replaces_the_whole_record(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        domain(&child.client, "example.com");
        child.client.ok("Sip.addAccount", record! { account: subscriber("alice@example.com")
            .with("groups", ["vip"]).with("quota", 5).with("rpid", "31201234567").with("timeout", 20)
            .with("acl", vec![record! { ip: "192.0.2.0", mask: 24 }])
            .with("properties", vec![record! { name: "a", value: "b" }]) });
        let before = child.client.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        child.client.ok("Sip.updateAccount", record! { account: record! {
            id: sip_id("ALICE@example.com"), email: "new@example.com", customer: 99, reseller: 98,
            createDate: "1999-01-01 00:00:00", ha1: "ff", answerTimeout: 0,
        } });
        let after = child.client.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        assert_eq!(after.text_at("email"), "new@example.com");
        for cleared in ["firstName", "lastName", "rpid"] {
            assert_eq!(after.text_at(cleared), "", "{cleared}");
        }
        for cleared in ["groups", "acl", "properties"] {
            assert_eq!(after.at(cleared).children.len(), 0, "{cleared}");
        }
        for cleared in ["quota", "timeout"] {
            assert_eq!(after.text_at(cleared).trim_start_matches('0'), "", "{cleared}");
        }
        for kept in ["password", "ha1", "createDate", "customer", "reseller"] {
            assert_eq!(after.text_at(kept), before.text_at(kept), "{kept}");
        }
    }

    // What CDRTool does: everything that getAccount gave is sent back, and nothing changes.
    fn takes_back_what_get_account_gave(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        acme.client.ok("Sip.addAccount", record! { account: subscriber("alice@example.com")
            .with("groups", ["vip", "free-pstn"]).with("prepaid", true).with("owner", acme.id)
            .with("acl", vec![record! { ip: "192.0.2.0", mask: 24 }]) });
        let before = acme.client.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        let echo: Vec<(String, Value)> = before.children.iter().map(|m| {
            let value = match m.name.as_str() {
                "id" => sip_id("alice@example.com"),
                "acl" => vec![record! { ip: "192.0.2.0", mask: 24 }].into(),
                "properties" => Value::List(vec![]),
                "groups" => m.children.iter().map(|g| Value::from(&g.text)).collect::<Vec<_>>().into(),
                _ => Value::from(&m.text),
            };
            (m.name.clone(), value)
        }).collect();
        acme.client.ok("Sip.updateAccount", record! { account: Value::Record(echo) });
        let mut after = acme.client.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        for member in &mut after.children {
            if member.name == "changeDate" {
                member.text = before.text_at("changeDate").to_owned();
            }
        }
        assert_eq!(after.describe(), before.describe());
    }

    // B72: a membership that exists may stay when the right is gone.
    fn keeps_an_existing_pstn_membership(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        acme.client.ok("Sip.addAccount", record! {
            account: subscriber("alice@example.com").with("groups", ["free-pstn"]),
        });
        account(&acme.client, "bob@example.com");
        p.admin().ok("Customer.setProperties", record! { customer: acme.id, properties: vec![
            record! { name: "pstn_access", value: "0", category: "credit", permission: "admin" },
        ] });
        acme.client.ok("Sip.updateAccount", record! {
            account: subscriber("alice@example.com").with("groups", ["free-pstn", "vip"]),
        });
        acme.client.refused(8005, "Sip.updateAccount", record! {
            account: subscriber("bob@example.com").with("groups", ["free-pstn"]),
        });
        acme.client.refused(8005, "Sip.addToGroup", record! { sipId: sip_id("bob@example.com"), group: "free-pstn" });
    }

    // B73: the prepaid flag of an existing account needs prepaid_changes, on the customer too.
    fn guards_the_prepaid_flag(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        domain(&child.client, "example.com");
        account(&child.client, "alice@example.com");
        let set = |id, value: &str| p.admin().ok("Customer.setProperties", record! {
            customer: id,
            properties: vec![record! { name: "prepaid_changes", value: value, category: "credit", permission: "admin" }],
        });
        let wish = |flag: bool| record! { account: subscriber("alice@example.com").with("prepaid", flag) };
        let flag = || p.admin().ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") })
            .text_at("prepaid").to_owned();
        set(child.id, "0");
        child.client.refused(8005, "Sip.updateAccount", wish(true));
        acme.client.ok("Sip.updateAccount", wish(true));
        assert_eq!(flag(), "true");
        set(acme.id, "0");
        set(child.id, "1");
        child.client.refused(8005, "Sip.updateAccount", wish(false));
        acme.client.refused(8005, "Sip.updateAccount", wish(false));
        // The same value as stored is no change.
        child.client.ok("Sip.updateAccount", wish(true));
        p.admin().ok("Sip.updateAccount", wish(false));
        assert_eq!(flag(), "false");
    }
}
