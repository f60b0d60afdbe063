//! Sip.getCalls.

use ngn_tests::fixture::{Tenant, account, domain, reseller};
use ngn_tests::platform::Platform;
use ngn_tests::{Value, both, record, sip_id};

/// 2026-03-01 00:00:00 UTC.
pub(super) const MARCH: i64 = 1_772_323_200;

/// A reseller with the accounts alice@example.com and bob@example.com.
pub(super) fn with_accounts(p: &Platform) -> Tenant {
    let acme = reseller(p, "acme");
    domain(&acme.client, "example.com");
    account(&acme.client, "alice@example.com");
    account(&acme.client, "bob@example.com");
    acme
}

/// A call as a proxy records it.
#[derive(Clone, Copy)]
pub(super) struct Recorded<'a> {
    pub(super) table: &'a str,
    pub(super) id: &'a str,
    pub(super) caller: &'a str,
    pub(super) callee: &'a str,
    pub(super) start: &'a str,
    pub(super) status: i64,
    pub(super) seconds: Option<i64>,
    pub(super) price: &'a str,
    pub(super) payer: Option<&'a str>,
}

pub(super) const CALL: Recorded<'static> = Recorded {
    table: "radacct",
    id: "c1",
    caller: "alice@example.com",
    callee: "bob@example.com",
    start: "2026-03-02 10:00:00",
    status: 200,
    seconds: Some(60),
    price: "NULL",
    payer: None,
};

impl Recorded<'_> {
    pub(super) fn write(self, p: &Platform) {
        let stop =
            self.seconds.map_or("NULL".to_owned(), |_| format!("'{}:59'", &self.start[..16]));
        let seconds = self.seconds.map_or("NULL".to_owned(), |seconds| seconds.to_string());
        let (column, payer) = self.payer.map_or((String::new(), String::new()), |p| {
            (", BillingPartyId".into(), format!(", '{p}'"))
        });
        _ = p.database.sql(&format!(
            "INSERT INTO {} (AcctSessionId, SipFromTag, SipToTag, UserName, CallingStationId, CanonicalURI, \
             CalledStationId, FromHeader, SipApplicationType, NASIPAddress, AcctStartTime, AcctStopTime, \
             AcctSessionTime, SipResponseCode, Price{column}) VALUES ('{}', 'f=3D1', 't', '{}', '{}', '{}', \
             'dialled@example.com', '\"A\" <sip:a@example.com>', 'audio', '192.0.2.1', '{}', {stop}, {seconds}, \
             {}, {}{payer})",
            self.table, self.id, self.caller, self.caller, self.callee, self.start, self.status, self.price,
        ));
    }
}

/// A monthly table as other programs make it, without columns of ours.
pub(super) fn monthly(p: &Platform, month: &str) {
    _ = p.database.sql(&format!(
        "CREATE TABLE radacct{month} (RadAcctId INTEGER, AcctSessionId VARCHAR(255), SipFromTag VARCHAR(128), \
         SipToTag VARCHAR(128), UserName VARCHAR(64), CallingStationId VARCHAR(64), CanonicalURI VARCHAR(255), \
         CalledStationId VARCHAR(50), SipTranslatedRequestURI VARCHAR(255), FromHeader VARCHAR(128), \
         SipApplicationType VARCHAR(255), NASIPAddress VARCHAR(50), AcctStartTime DATETIME, \
         AcctStopTime DATETIME NULL, AcctSessionTime INTEGER NULL, SipResponseCode VARCHAR(32), \
         Price DECIMAL(20,4) NULL, BillingId VARCHAR(255))"
    ));
}

fn asked(address: &str, query: Value) -> Value {
    record! { sipId: sip_id(address), query: query }
}

/// The window of CDRTool's history page.
fn days(from: i64, to: i64, limit: i64) -> Value {
    record! { fromDate: from, toDate: to, limit: limit }
}

both! {
    // B166, contract C2 (Call): every member, as it is stored.
    fn b166_all_members(p) {
        let acme = with_accounts(p);
        Recorded { price: "0.0125", ..CALL }.write(p);
        let window = days(MARCH, MARCH + 14 * 86_400, 50);
        let query = record! { placed: window.clone(), received: window };
        let calls = acme.client.ok("Sip.getCalls", asked("alice@example.com", query.clone()));
        assert_eq!(calls.at("placed").children.len(), 1);
        for (member, value) in [
            ("sessionId", "c1"),
            ("fromTag", "f=3D1"),
            ("toTag", "t"),
            ("fromURI", "alice@example.com"),
            ("toURI", "bob@example.com"),
            ("fromHeader", "\"A\" <sip:a@example.com>"),
            ("applicationTypes/0", "audio"),
            ("startTime", "1772445600"),
            ("stopTime", "1772445659"),
            ("duration", "60"),
            ("status", "200"),
            ("price", "0.0125"),
            ("proxyIP", "192.0.2.1"),
        ] {
            assert_eq!(calls.text_at(&format!("placed/0/{member}")), value, "{member}");
        }
        assert_eq!(calls.at("received").children.len(), 0);
        assert_eq!(calls.at("missed").children.len(), 0);
        // The one who was called does not learn what it cost.
        let calls = acme.client.ok("Sip.getCalls", asked("bob@example.com", query));
        assert_eq!(calls.at("placed").children.len(), 0);
        assert_eq!(calls.text_at("received/0/sessionId"), "c1");
        assert!(calls.at("received/0").find("price").is_none_or(ngn_tests::xml::Node::is_nil));
    }

    // B166: only the lists that are asked for; received includes missed; newest first; limits.
    fn b166_lists(p) {
        let acme = with_accounts(p);
        for (id, start, status, seconds) in [
            ("answered", "2026-03-02 10:00:00", 200, Some(60)),
            ("busy", "2026-03-03 10:00:00", 486, Some(0)),
            ("open", "2026-03-04 10:00:00", 200, None),
            ("cancelled", "2026-03-05 10:00:00", 487, Some(0)),
        ] {
            Recorded { id, start, status, seconds, ..CALL }.write(p);
        }
        let ids = |address: &str, query: Value, list: &str| {
            let calls = acme.client.ok("Sip.getCalls", asked(address, query));
            calls.column(list, "sessionId").join(" ")
        };
        let all = || record! { limit: 50 };
        let received = record! { received: all() };
        assert_eq!(ids("bob@example.com", received.clone(), "received"), "cancelled open busy answered");
        assert_eq!(ids("bob@example.com", received, "missed"), "");
        assert_eq!(ids("bob@example.com", record! { missed: all() }, "missed"), "cancelled busy");
        assert_eq!(ids("bob@example.com", record! { missed: all() }, "received"), "");
        assert_eq!(ids("alice@example.com", record! { placed: all() }, "placed"), "cancelled open busy answered");
        assert_eq!(ids("alice@example.com", record! { placed: record! { limit: 2 } }, "placed"), "cancelled open");
        let window = record! { placed: days(MARCH + 2 * 86_400, MARCH + 3 * 86_400 + 36_000, 0) };
        assert_eq!(ids("alice@example.com", window, "placed"), "open busy");
        let calls = acme.client.ok("Sip.getCalls", asked("alice@example.com", record! { placed: all() }));
        assert_eq!(calls.text_at("placed/1/stopTime"), "0");
        let none = acme.client.ok("Sip.getCalls", record! { sipId: sip_id("alice@example.com") });
        assert_eq!(none.at("placed").children.len(), 0);
    }

    // db-hints: placed are those that the account made or pays; what another one pays has no price here.
    fn calls_that_another_one_pays(p) {
        let acme = with_accounts(p);
        let carried = Recorded {
            payer: Some("bob@example.com"), callee: "31201", price: "0.5", ..CALL
        };
        carried.write(p);
        Recorded { id: "own", payer: Some("alice@example.com"), ..carried }.write(p);
        let query = record! { placed: record! { limit: 50 } };
        let alice = acme.client.ok("Sip.getCalls", asked("alice@example.com", query.clone()));
        assert_eq!(alice.at("placed").children.len(), 2);
        let priced = |name: &str, calls: &ngn_tests::xml::Node| {
            let calls = calls.at("placed").children.iter();
            let found = calls.filter(|call| call.text_at("sessionId") == name).collect::<Vec<_>>();
            found[0].find("price").filter(|price| !price.is_nil()).is_some()
        };
        assert!(priced("own", &alice) && !priced("c1", &alice));
        let bob = acme.client.ok("Sip.getCalls", asked("bob@example.com", query));
        assert_eq!(bob.at("placed").children.len(), 1);
        assert!(priced("c1", &bob));
    }

    // db-hints: `radacctYYYYMM`, beside the single table, also where they lack columns of ours.
    fn monthly_tables(p) {
        let acme = with_accounts(p);
        monthly(p, "202602");
        monthly(p, "202603");
        // Not ours, whatever stands in it.
        _ = p.database.sql("CREATE TABLE radacct_old (a INTEGER)");
        for (table, id, start) in [
            ("radacct202602", "february", "2026-02-28 23:59:00"),
            ("radacct202603", "march", "2026-03-01 00:01:00"),
            ("radacct", "single", "2026-02-28 12:00:00"),
        ] {
            Recorded { table, id, start, ..CALL }.write(p);
        }
        let ids = |query: Value| {
            let query = asked("alice@example.com", record! { placed: query });
            acme.client.ok("Sip.getCalls", query).column("placed", "sessionId").join(" ")
        };
        assert_eq!(ids(record! { limit: 50 }), "march february single");
        assert_eq!(ids(record! { limit: 1 }), "march");
        assert_eq!(ids(days(MARCH, MARCH + 86_400, 50)), "march");
        assert_eq!(ids(days(MARCH - 86_400, MARCH - 1, 50)), "february single");
        assert_eq!(ids(days(MARCH - 86_400, MARCH + 86_400, 2)), "march february");
        let missed = asked("bob@example.com", record! { received: record! {}, missed: record! { limit: 9 } });
        acme.client.ok("Sip.getCalls", missed);
    }

    fn refuses_unknown_and_foreign_accounts(p) {
        let (acme, other) = (with_accounts(p), reseller(p, "other"));
        let query = record! { placed: record! { limit: 5 } };
        other.client.refused(1010, "Sip.getCalls", asked("alice@example.com", query.clone()));
        acme.client.refused(1010, "Sip.getCalls", asked("eve@example.com", query.clone()));
        acme.client.refused(9001, "Sip.getCalls", record! { query: query.clone() });
        p.admin().ok("Sip.getCalls", asked("alice@example.com", query));
    }
}
