//! Sip.getCallStatistics.

use super::get_calls::{CALL, MARCH, Recorded, monthly, with_accounts};
use ngn_tests::fixture::{reseller, subscriber};
use ngn_tests::platform::Platform;
use ngn_tests::{Value, both, record, sip_id};

fn asked(query: Value) -> Value {
    record! { sipId: sip_id("alice@example.com"), query: query }
}

/// A time that is so many seconds away from now, as the database spells it.
fn from_now(p: &Platform, seconds: i64) -> String {
    let sql = match p.backend {
        ngn_tests::database::Backend::Sqlite => {
            format!("SELECT datetime('now', '{seconds} seconds')")
        }
        ngn_tests::database::Backend::MariaDb => {
            format!("SELECT UTC_TIMESTAMP() + INTERVAL {seconds} SECOND")
        }
    };
    p.database.sql(&sql).trim()[..19].to_owned()
}

both! {
    // B167: sums over the window, exact, also over monthly tables.
    fn b167_sums(p) {
        let acme = with_accounts(p);
        monthly(p, "202603");
        for n in 0..10 {
            let id = format!("c{n}");
            Recorded { id: &id, price: "0.1", seconds: Some(6), ..CALL }.write(p);
        }
        Recorded { table: "radacct202603", id: "m", price: "0.0001", ..CALL }.write(p);
        Recorded { id: "before", start: "2026-02-28 23:59:59", price: "9", ..CALL }.write(p);
        Recorded { id: "of-bob", payer: Some("bob@example.com"), price: "9", ..CALL }.write(p);
        Recorded { id: "in", caller: "x@example.net", callee: "alice@example.com", price: "9", ..CALL }.write(p);
        let window = record! { fromDate: MARCH, toDate: MARCH + 31 * 86_400 };
        let query = record! { placed: window.clone(), received: window };
        let sums = acme.client.ok("Sip.getCallStatistics", asked(query));
        assert_eq!(sums.text_at("placed/calls"), "12");
        assert_eq!(sums.text_at("placed/price"), "1.0001");
        assert_eq!(sums.text_at("placed/duration"), "180");
        assert_eq!(sums.text_at("received/calls"), "1");
        assert_eq!(sums.text_at("received/price"), "0");
    }

    // B167: without dates the current calendar month of the account's time zone; the client sends only a limit.
    fn b167_this_month(p) {
        let acme = with_accounts(p);
        let now = from_now(p, 0);
        Recorded { id: "now", start: &now, price: "0.25", ..CALL }.write(p);
        let long_ago = from_now(p, -32 * 86_400);
        Recorded { id: "then", start: &long_ago, price: "9", ..CALL }.write(p);
        for query in [record! { placed: record! { limit: 1 } }, Value::Null] {
            let sums = acme.client.ok("Sip.getCallStatistics", asked(query));
            assert_eq!((sums.text_at("placed/calls"), sums.text_at("placed/price")), ("1", "0.25"));
        }
        // Thirteen hours east it may be the next month already, but never the one before.
        let account = subscriber("alice@example.com").with("timezone", "Pacific/Kiritimati");
        acme.client.ok("Sip.updateAccount", record! { account: account });
        let sums = acme.client.ok("Sip.getCallStatistics", asked(record! { placed: record! { limit: 1 } }));
        assert!(sums.int_at("placed/calls") <= 1);
    }

    fn refuses_unknown_and_foreign_accounts(p) {
        let (acme, other) = (with_accounts(p), reseller(p, "other"));
        other.client.refused(1010, "Sip.getCallStatistics", asked(Value::Null));
        acme.client.refused(1010, "Sip.getCallStatistics", record! { sipId: sip_id("eve@example.com") });
        acme.client.refused(9001, "Sip.getCallStatistics", Value::empty());
        let sums = acme.client.ok("Sip.getCallStatistics", asked(Value::Null));
        assert_eq!(sums.text_at("placed/calls"), "0");
    }
}
