//! Devices, history and monthly usage.

use super::{ALICE, alice, open, with_alice};
use ngn_tests::platform::Platform;
use ngn_tests::sip::Phone;
use ngn_tests::{both, record, sip_id};

/// 2026-03-01 00:00:00 UTC.
const MARCH: i64 = 1_772_323_200;

/// A call as a proxy records it, a minute long.
fn call(p: &Platform, id: &str, caller: &str, callee: &str, start: &str, price: &str) {
    _ = p.database.sql(&format!(
        "INSERT INTO radacct (AcctSessionId, SipFromTag, SipToTag, UserName, CallingStationId, CanonicalURI, \
         CalledStationId, FromHeader, SipApplicationType, NASIPAddress, AcctStartTime, AcctStopTime, \
         AcctSessionTime, SipResponseCode, Price) VALUES ('{id}', 'f', 't', '{caller}', '{caller}', '{callee}', \
         '{callee}', '<sip:{caller}>', 'audio', '192.0.2.1', '{start}', '{start}', 60, 200, {price})"
    ));
}

both! {
    fn history_and_usage(p) {
        _ = with_alice(p, false);
        call(p, "placed", ALICE, "bob@example.net", "2026-03-02 10:00:00", "0.0125");
        call(p, "received", "bob@example.net", ALICE, "2026-03-03 10:00:00", "NULL");
        let this_month = match p.backend {
            ngn_tests::database::Backend::Sqlite => "SELECT datetime('now')",
            ngn_tests::database::Backend::MariaDb => "SELECT UTC_TIMESTAMP()",
        };
        let now = p.database.sql(this_month).trim()[..19].to_owned();
        call(p, "now", ALICE, "bob@example.net", &now, "0.5");
        let (panel, _) = open(p);
        let window = record! { fromDate: MARCH, toDate: MARCH + 14 * 86_400, limit: 50 };
        let asked = record! { placed: window.clone(), received: window };
        let calls = panel.ok("Sip.getCalls", alice("query", asked));
        for (list, id) in [("placed", "placed"), ("received", "received")] {
            let calls = calls.list(list);
            assert_eq!(calls.len(), 1, "{list}");
            calls[0].reads("applicationTypes:a fromURI:s toURI:s fromHeader:s sessionId:s fromTag:s toTag:s \
                            startTime:i stopTime:i? duration:i status:i price:f? proxyIP:s");
            assert_eq!(calls[0].text("sessionId"), id);
            assert_eq!(calls[0].text("applicationTypes/0"), "audio");
            assert_eq!((calls[0].int("duration"), calls[0].int("status")), (60, 200));
        }
        assert_eq!(calls.float("placed/0/price"), 0.0125);
        // The page of the month sends nothing but a limit of one (B167).
        let asked = record! { placed: record! { limit: 1 } };
        let sums = panel.ok("Sip.getCallStatistics", alice("query", asked));
        sums.reads("placed/calls:i placed/price:f");
        assert_eq!((sums.int("placed/calls"), sums.float("placed/price")), (1, 0.5));
    }

    fn devices(p) {
        _ = with_alice(p, false);
        let (panel, _) = open(p);
        let panel = panel.unnoted();
        let asked = || record! { sipIds: vec![sip_id(ALICE)] };
        let found = panel.ok("Sip.getSipDeviceLocations", asked());
        assert_eq!((found.items().len(), found.items()[0].list("locations").len()), (1, 0));
        p.settle();
        let mut phone = Phone::new(p.sip_address(), ALICE, "secret");
        assert_eq!(phone.register(600).unwrap().status(), 200);
        let device = ngn_tests::eventually("the device", || {
            let found = panel.ok("Sip.getSipDeviceLocations", asked());
            found.items()[0].list("locations").first().cloned()
        });
        device.reads("address:s port:i publicAddress:s publicPort:i? expires:i userAgent:s transport:s");
        assert_eq!((device.text("address"), device.text("transport")), ("127.0.0.1", "udp"));
        assert_eq!(device.int("port"), i64::from(phone.local().port()));
        assert!((1..=600).contains(&device.int("expires")));
    }
}
