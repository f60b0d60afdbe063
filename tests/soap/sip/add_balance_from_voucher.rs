//! Sip.addBalanceFromVoucher.

use super::add_balance::{prepaid, with_alice};
use ngn_tests::database::Backend;
use ngn_tests::fixture::{account, domain, reseller};
use ngn_tests::platform::Platform;
use ngn_tests::{Value, both, record, sip_id};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Makes a card as CDRTool does.
fn card(p: &Platform, id: i64, value: &str, rest: &str) {
    let (columns, values) = rest.split_once('=').unwrap_or(("batch", "'b'"));
    _ = p.database.sql(&format!(
        "INSERT INTO prepaid_cards (id, number, value, {columns}) VALUES ({id}, '900{id}', {value}, {values})"
    ));
}

fn redeem(address: &str, id: i64, number: &str) -> Value {
    record! { sipId: sip_id(address), card: record! { id: id, number: number } }
}

both! {
    // B162: the value is added and the card's becomes nothing, which is how CDRTool knows used ones.
    fn b162_adds_the_value_once(p) {
        let acme = with_alice(p);
        card(p, 1, "12.3456", "date_active='2026-01-01'");
        let changed =
            acme.client.ok("Sip.addBalanceFromVoucher", redeem("alice@example.com", 1, "9001"));
        assert_eq!((changed.text_at("old_balance"), changed.text_at("new_balance")), ("0", "12.3456"));
        let left = p.database.sql("SELECT value * 1 = 0 FROM prepaid_cards WHERE id = 1");
        assert_eq!(left.trim(), "1");
        acme.client.refused(1082, "Sip.addBalanceFromVoucher", redeem("alice@example.com", 1, "9001"));
        let asked = record! { sipId: sip_id("alice@example.com"), count: 10 };
        let history = acme.client.ok("Sip.getCreditHistory", asked);
        assert_eq!(history.at("entries").children.len(), 1);
        assert_eq!(history.text_at("entries/0/action"), "Set balance");
        assert_eq!(history.text_at("entries/0/description"), "Prepaid card 1");
        let journal = p.database.sql("SELECT `after` FROM journal WHERE entity = 'prepaid'");
        assert!(journal.contains("12.3456") && !journal.contains("9001"), "{journal}");
    }

    // B162: id and number must both match; blocked, inactive.
    fn b162_refuses_cards(p) {
        let acme = with_alice(p);
        card(p, 1, "5", "");
        card(p, 2, "5", "blocked=1");
        card(p, 3, "5", "date_active='2100-01-01'");
        card(p, 4, "0", "");
        for (code, id, number) in [
            (1081, 1, "9002"),
            (1081, 7, "9001"),
            (1081, 1, "900_"),
            (1082, 2, "9002"),
            (1083, 3, "9003"),
            (1082, 4, "9004"),
        ] {
            let asked = redeem("alice@example.com", id, number);
            acme.client.refused(code, "Sip.addBalanceFromVoucher", asked);
        }
        // Nothing was used up by the attempts.
        let changed =
            acme.client.ok("Sip.addBalanceFromVoucher", redeem("alice@example.com", 1, " 9001 "));
        assert_eq!(changed.text_at("new_balance"), "5");
    }

    // A card of another reseller is not there (B10, contract D3).
    fn b10_cards_of_other_resellers(p) {
        let (acme, other) = (with_alice(p), reseller(p, "other"));
        card(p, 1, "5", &format!("reseller_id={}", other.id));
        card(p, 2, "5", &format!("reseller_id={}", acme.id));
        acme.client.refused(1081, "Sip.addBalanceFromVoucher", redeem("alice@example.com", 1, "9001"));
        acme.client.ok("Sip.addBalanceFromVoucher", redeem("alice@example.com", 2, "9002"));
    }

    fn refuses_accounts(p) {
        let (acme, other) = (with_alice(p), reseller(p, "other"));
        account(&acme.client, "bob@example.com");
        card(p, 1, "5", "");
        acme.client.refused(1080, "Sip.addBalanceFromVoucher", redeem("bob@example.com", 1, "9001"));
        acme.client.refused(1010, "Sip.addBalanceFromVoucher", redeem("eve@example.com", 1, "9001"));
        other.client.refused(1010, "Sip.addBalanceFromVoucher", redeem("alice@example.com", 1, "9001"));
        let alice = record! { sipId: sip_id("alice@example.com") };
        acme.client.refused(9001, "Sip.addBalanceFromVoucher", alice.clone());
        for part in [record! { id: 1 }, record! { number: "9001" }, record! { id: 1, number: " " }] {
            acme.client.refused(9001, "Sip.addBalanceFromVoucher", alice.clone().with("card", part));
        }
        acme.client.ok("Sip.addBalanceFromVoucher", redeem("alice@example.com", 1, "9001"));
    }

    // When the balance cannot hold the value the card stays good.
    fn b162_a_card_is_not_lost_on_failure(p) {
        let acme = with_alice(p);
        card(p, 1, "5", "");
        let full = record! { sipId: sip_id("alice@example.com"), value: "999999" };
        acme.client.ok("Sip.addBalance", full);
        acme.client.refused(9000, "Sip.addBalanceFromVoucher", redeem("alice@example.com", 1, "9001"));
        let spent = record! { sipId: sip_id("alice@example.com"), value: "-10" };
        acme.client.ok("Sip.addBalance", spent);
        acme.client.ok("Sip.addBalanceFromVoucher", redeem("alice@example.com", 1, "9001"));
    }
}

// B162: 64 clients with one voucher, each for its own account or all for one: exactly one wins.
#[test]
fn b162_one_of_64_wins() {
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        let p = Platform::start(backend);
        let acme = with_alice(&p);
        domain(&acme.client, "example.net");
        for n in 0..64 {
            prepaid(&acme.client, &format!("u{n}@example.net"));
        }
        for (id, own) in [(1, false), (2, true)] {
            card(&p, id, "2.5", "");
            let won = AtomicUsize::new(0);
            std::thread::scope(|scope| {
                for n in 0..64 {
                    let (client, won) = (&acme.client, &won);
                    scope.spawn(move || {
                        let own_address = format!("u{n}@example.net");
                        let address = if own { own_address.as_str() } else { "alice@example.com" };
                        let asked = redeem(address, id, &format!("900{id}"));
                        match client.call("Sip.addBalanceFromVoucher", &asked).outcome {
                            Ok(_) => _ = won.fetch_add(1, Ordering::SeqCst),
                            Err(fault) => assert_eq!(fault.code, 1082, "{}", fault.text),
                        }
                    });
                }
            });
            assert_eq!(won.load(Ordering::SeqCst), 1, "{backend}");
        }
        let paid = p.database.sql("SELECT COUNT(*), SUM(value * 10000) FROM prepaid_history");
        let paid: Vec<f64> = paid.split_whitespace().map(|n| n.parse().unwrap()).collect();
        assert_eq!(paid, [2.0, 50_000.0], "{backend}");
    }
}
