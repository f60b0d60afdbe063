//! Sip.getCreditHistory.

use super::add_balance::with_alice;
use ngn_tests::fixture::{account, reseller};
use ngn_tests::{both, record, sip_id};

both! {
    // B163: newest first, at most `count`; rows of the rating engine among them.
    fn b163_newest_first(p) {
        let acme = with_alice(p);
        for (value, text) in [("10", "CC transaction 5"), ("-2.5", "Refund 5 with 6")] {
            let change = record! { sipId: sip_id("alice@example.com"), value: value, description: text };
            acme.client.ok("Sip.addBalance", change);
        }
        _ = p.database.sql(
            "INSERT INTO prepaid_history (username, domain, action, description, value, balance, date) VALUES \
             ('alice', 'example.com', 'Debit balance', 'Session to 31201 for 60s', -0.0125, 7.4875, \
             '2026-11-20 20:10:36')",
        );
        let history = acme.client.ok("Sip.getCreditHistory", record! {
            sipId: sip_id("alice@example.com"), count: 200,
        });
        let rows: Vec<[&str; 4]> = ["0", "1", "2"]
            .map(|j| {
                ["action", "description", "value", "balance"]
                    .map(|member| history.text_at(&format!("entries/{j}/{member}")))
            })
            .to_vec();
        assert_eq!(rows, [
            ["Debit balance", "Session to 31201 for 60s", "-0.0125", "7.4875"],
            ["Set balance", "Refund 5 with 6", "-2.5", "7.5"],
            ["Set balance", "CC transaction 5", "10", "10"],
        ]);
        assert_eq!(history.text_at("entries/0/date"), "2026-11-20 20:10:36");
        let today = history.text_at("entries/1/date");
        assert!(today.len() == 19 && today > "2026", "{today}");
        let two = acme.client.ok("Sip.getCreditHistory", record! {
            sipId: sip_id("alice@example.com"), count: 2,
        });
        assert_eq!(two.at("entries").children.len(), 2);
        assert_eq!(two.text_at("entries/1/value"), "-2.5");
        let all = acme.client.ok("Sip.getCreditHistory", record! { sipId: sip_id("alice@example.com") });
        assert_eq!(all.at("entries").children.len(), 3);
    }

    // B164: no history is an empty list, also for accounts that are not prepaid.
    fn b164_empty_history(p) {
        let (acme, other) = (with_alice(p), reseller(p, "other"));
        account(&acme.client, "bob@example.com");
        for address in ["alice@example.com", "bob@example.com"] {
            let asked = record! { sipId: sip_id(address), count: 200 };
            let history = acme.client.ok("Sip.getCreditHistory", asked.clone());
            assert_eq!(history.at("entries").children.len(), 0);
            other.client.refused(1010, "Sip.getCreditHistory", asked);
        }
        acme.client.refused(1010, "Sip.getCreditHistory", record! { sipId: sip_id("eve@example.com") });
        acme.client.refused(9001, "Sip.getCreditHistory", record! { count: 200 });
    }
}
