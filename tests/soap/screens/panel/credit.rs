//! Balance, vouchers and payments.

use super::{alice, of_alice, open, with_alice};
use ngn_tests::cdrtool::Php;
use ngn_tests::{both, record, sip_id};

both! {
    fn balance_vouchers_and_payments(p) {
        _ = with_alice(p, true);
        _ = p.database.sql(
            "INSERT INTO prepaid_cards (id, number, value, batch, date_active) \
             VALUES (7, '90071', 12.5, 'b', '2026-01-01')",
        );
        let (panel, account) = open(p);
        assert!(account.flag("prepaid"));
        let balance = || {
            let status = panel.ok("Sip.getPrepaidStatus", record! { sipIds: vec![sip_id(super::ALICE)] });
            assert_eq!(status.items().len(), 1);
            status.items()[0].float("balance")
        };
        assert_eq!(balance(), 0.0);
        let history = panel.ok("Sip.getCreditHistory", alice("count", 200));
        assert_eq!(history.list("entries").len(), 0, "B164");
        // A voucher, its number as a text.
        let card = record! { id: 7, number: "90071" };
        let changed = panel.execute("Sip.addBalanceFromVoucher", alice("card", card.clone()));
        assert!(changed.truthy());
        assert_eq!((changed.float("old_balance"), changed.float("new_balance")), (0.0, 12.5));
        panel.refused(1082, "Sip.addBalanceFromVoucher", alice("card", card));
        panel.refused(1081, "Sip.addBalanceFromVoucher", alice("card", record! { id: 8, number: "x" }));
        // A payment, and its refund.
        let pay = |value: f64, description: &str| {
            let parameters = of_alice().with("value", value).with("description", description);
            panel.execute("Sip.addBalance", parameters)
        };
        let changed = pay(7.25, "CC transaction 4711");
        assert_eq!((changed.float("old_balance"), changed.float("new_balance")), (12.5, 19.75));
        assert_eq!(pay(-7.25, "Refund 4711 with 4712").float("new_balance"), 12.5);
        // B192: with credit checks on, out of the group afterwards.
        assert_eq!(panel.execute("Sip.removeFromGroup", alice("group", "free-pstn")), Php::Flag(true));
        assert_eq!(balance(), 12.5);
        let history = panel.ok("Sip.getCreditHistory", alice("count", 200));
        let entries = history.list("entries");
        assert_eq!(entries.len(), 3);
        for entry in entries {
            entry.reads("date:s action:s description:s value:f balance:f");
            assert_eq!((entry.text("date").len(), entry.text("action")), (19, "Set balance"));
        }
        let descriptions: Vec<_> = entries.iter().map(|entry| entry.text("description")).collect();
        assert_eq!(descriptions, ["Refund 4711 with 4712", "CC transaction 4711", "Prepaid card 7"], "newest first");
        assert_eq!(entries[0].float("value"), -7.25);
    }
}
