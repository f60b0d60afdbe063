//! Sip.getPrepaidStatus.

use super::add_balance::{prepaid, with_alice};
use ngn_tests::fixture::{account, customer, reseller};
use ngn_tests::{Value, both, record, sip_id};

both! {
    // client-usage: the j-th result is that of the j-th account, whatever the account is.
    fn keeps_order_and_length(p) {
        let acme = with_alice(p);
        prepaid(&acme.client, "bob@example.com");
        account(&acme.client, "carol@example.com");
        for (name, value) in [("alice", "1.5"), ("bob", "-0.0001")] {
            let id = sip_id(&format!("{name}@example.com"));
            acme.client.ok("Sip.addBalance", record! { sipId: id, value: value });
        }
        let asked = ["bob", "nobody", "alice", "carol", "Bob", ""];
        let ids: Vec<Value> = asked.iter().map(|name| sip_id(&format!("{name}@example.com"))).collect();
        let status = acme.client.ok("Sip.getPrepaidStatus", record! { sipIds: ids });
        assert_eq!(status.children.len(), asked.len());
        let balances = ["-0.0001", "0", "1.5", "0", "-0.0001", "0"];
        for (j, (name, balance)) in asked.iter().zip(balances).enumerate() {
            assert_eq!(status.text_at(&format!("{j}/balance")), balance, "{name}");
            if !name.is_empty() {
                assert_eq!(status.text_at(&format!("{j}/id/username")), *name);
            }
        }
    }

    // contract B1: clients before 4.1.1 send one sipId.
    fn one_account_by_its_old_name(p) {
        let acme = with_alice(p);
        acme.client.ok("Sip.addBalance", record! { sipId: sip_id("alice@example.com"), value: 2 });
        let status = acme.client.ok("Sip.getPrepaidStatus", record! { sipId: sip_id("alice@example.com") });
        assert_eq!(status.children.len(), 1);
        assert_eq!(status.text_at("0/balance"), "2");
        acme.client.refused(9001, "Sip.getPrepaidStatus", Value::empty());
        let none = acme.client.ok("Sip.getPrepaidStatus", record! { sipIds: Vec::<Value>::new() });
        assert_eq!(none.children.len(), 0);
    }

    // B11: what others have is not shown.
    fn b11_shows_only_what_may_be_seen(p) {
        let (acme, other) = (with_alice(p), reseller(p, "other"));
        let carol = customer(p, &acme, "carol");
        acme.client.ok("Sip.addBalance", record! { sipId: sip_id("alice@example.com"), value: 2 });
        let ids = record! { sipIds: vec![sip_id("alice@example.com")] };
        for client in [&other.client, &carol.client] {
            assert_eq!(client.ok("Sip.getPrepaidStatus", ids.clone()).text_at("0/balance"), "0");
        }
        assert_eq!(p.admin().ok("Sip.getPrepaidStatus", ids).text_at("0/balance"), "2");
    }

    // More accounts than one statement asks for.
    fn many_at_once(p) {
        let acme = with_alice(p);
        acme.client.ok("Sip.addBalance", record! { sipId: sip_id("alice@example.com"), value: 2 });
        let mut ids: Vec<Value> = (0..250).map(|n| sip_id(&format!("u{n}@example.com"))).collect();
        ids.insert(180, sip_id("alice@example.com"));
        let status = acme.client.ok("Sip.getPrepaidStatus", record! { sipIds: ids });
        assert_eq!(status.children.len(), 251);
        assert_eq!(status.text_at("180/balance"), "2");
        assert_eq!(status.text_at("179/balance"), "0");
    }
}
