//! Sip.addToGroup, removeFromGroup and getGroups.

use ngn_tests::fixture::{account, domain, reseller};
use ngn_tests::soap::Client;
use ngn_tests::{Value, both, record, sip_id};

fn member(group: &str) -> Value {
    record! { sipId: sip_id("alice@example.com"), group: group }
}

fn groups(client: &Client) -> String {
    let found = client.ok("Sip.getGroups", record! { sipId: sip_id("alice@example.com") });
    let mut names: Vec<String> = found.children.into_iter().map(|c| c.text).collect();
    names.sort();
    names.join(" ")
}

both! {
    // B69.
    fn tells_members_from_others(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let client = &acme.client;
        client.ok("Sip.addToGroup", member("blocked"));
        client.refused(1030, "Sip.addToGroup", member("blocked"));
        client.ok("Sip.addToGroup", member("my own group"));
        assert_eq!(groups(client), "blocked my own group");
        client.ok("Sip.removeFromGroup", member("blocked"));
        client.refused(1031, "Sip.removeFromGroup", member("blocked"));
        assert_eq!(groups(client), "my own group");
        let account = client.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        assert_eq!(account.texts_at("groups"), ["my own group"]);
    }

    fn refuses_strangers_and_bad_names(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        for operation in ["Sip.addToGroup", "Sip.removeFromGroup"] {
            other.client.refused(1010, operation, member("vip"));
            acme.client.refused(1010, operation, record! { sipId: sip_id("bob@example.com"), group: "vip" });
            acme.client.refused(9001, operation, record! { sipId: sip_id("alice@example.com") });
            // B67: the server's own groups.
            acme.client.refused(1032, operation, member("prepaid"));
            acme.client.refused(1032, operation, member("intercept"));
        }
        other.client.refused(1010, "Sip.getGroups", record! { sipId: sip_id("alice@example.com") });
    }

    // B67: intercept is invisible to all but the administrator, and survives updates.
    fn hides_intercept(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        p.admin().ok("Sip.addToGroup", member("intercept"));
        assert_eq!(groups(&acme.client), "");
        assert_eq!(groups(&p.admin()), "intercept");
        acme.client.ok("Sip.updateAccount", record! {
            account: record! { id: sip_id("alice@example.com"), groups: ["vip"] },
        });
        assert_eq!(groups(&acme.client), "vip");
        assert_eq!(groups(&p.admin()), "intercept vip");
    }
}
