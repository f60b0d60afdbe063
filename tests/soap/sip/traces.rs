//! getSipTrace, getMediaTrace, getMediaSummary, getMediaSessions (B169, B170).

use ngn_tests::database::Backend;
use ngn_tests::fixture::{account, customer, domain, reseller};
use ngn_tests::platform::{ADMIN, Platform, eventually};
use ngn_tests::sip::Phone;
use ngn_tests::soap::{Client, Login};
use ngn_tests::{Value, both, record};
use serde_json::Value as Json;

fn of(call_id: &str) -> Value {
    record! { filter: record! { nodeIp: "127.0.0.1", callId: call_id, fromTag: "", toTag: "" } }
}

/// A call that is answered not to be noted, since ports and times differ from run to run.
fn unnoted(p: &Platform) -> Client {
    Client::new(p.soap_address(), Some(Login::admin(ADMIN, &p.password())))
}

fn json(client: &Client, operation: &str, parameters: Value) -> Json {
    serde_json::from_str(&client.ok(operation, parameters).text).expect("JSON")
}

/// What is recorded of REGISTERs that alice sends with her password.
#[test]
fn messages_of_a_named_account_are_recorded_without_credentials() {
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        let p = Platform::start_with(
            backend,
            &[("sipd", "[trace]\naccounts = [\"alice@example.com\"]\n")],
        );
        let (acme, other) = (reseller(&p, "acme"), reseller(&p, "other"));
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        account(&acme.client, "bob@example.com");
        p.settle();
        for address in ["alice@example.com", "bob@example.com"] {
            let mut phone = Phone::new(p.sip_address(), address, "secret");
            assert_eq!(phone.register(600).expect("an answer").status(), 200);
        }
        let count = || p.database.sql("SELECT count(*) FROM sip_trace");
        eventually("alice's messages", || (count().trim() == "4").then_some(()));
        let call_id = p.database.sql("SELECT DISTINCT callid FROM sip_trace");
        let call_id = call_id.trim();
        let trace = json(&unnoted(&p), "Sip.getSipTrace", of(call_id));
        let list = trace.as_array().expect("a list");
        let seen: Vec<_> = list
            .iter()
            .map(|m| ["direction", "method", "status"].map(|name| m[name].as_str().unwrap_or("?")))
            .collect();
        let (inward, outward) = (["in", "REGISTER", ""], "out");
        assert_eq!(
            seen,
            [inward, [outward, "REGISTER", "401"], inward, [outward, "REGISTER", "200"]]
        );
        for message in list {
            assert_eq!(message["time_stamp"].as_str().expect("a time").len(), 19);
            let ends =
                [&message["from_port"], &message["to_port"]].map(|port| port.as_i64().unwrap_or(0));
            assert!(ends.contains(&i64::from(p.sip_address().port())), "{message}");
            assert_eq!(
                (&message["from_ip"], &message["to_proto"]),
                (&"127.0.0.1".into(), &"udp".into())
            );
        }
        let with_credentials = list[2]["message"].as_str().expect("text");
        assert!(with_credentials.contains("username=\"alice\""), "{with_credentials}");
        assert!(with_credentials.contains("response=\"masked\""), "{with_credentials}");
        // B170: resellers see the calls of their domains, others nothing of them.
        acme.client.ok("Sip.getSipTrace", of(call_id));
        other.client.refused(1060, "Sip.getSipTrace", of(call_id));
        let with_tag = |tag: &str| record! { filter: record! { callId: call_id, fromTag: tag } };
        p.admin().refused(1060, "Sip.getSipTrace", with_tag("nobody's"));
        let tag = p.database.sql("SELECT DISTINCT fromtag FROM sip_trace");
        p.admin().ok("Sip.getSipTrace", with_tag(tag.trim()));
    }
}

both! {
    // B169: without data 1060 and empty lists, never nil. Nothing is recorded unless somebody is named.
    fn nothing_is_recorded_by_default(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        p.settle();
        let mut phone = Phone::new(p.sip_address(), "alice@example.com", "secret");
        assert_eq!(phone.register(600).expect("an answer").status(), 200);
        std::thread::sleep(std::time::Duration::from_millis(800));
        assert_eq!(p.database.sql("SELECT count(*) FROM sip_trace").trim(), "0");
        for operation in ["Sip.getSipTrace", "Sip.getMediaTrace"] {
            let fault = p.admin().fault(operation, of("no-such-call"));
            assert_eq!(fault.code, 1060);
            assert!(fault.text.contains("no-such-call"), "{}", fault.text);
            p.admin().refused(9001, operation, record! {});
            p.admin().refused(9001, operation, of(""));
        }
        assert_eq!(p.admin().ok("Sip.getMediaSummary", Value::empty()).text, "[]");
        assert_eq!(p.admin().ok("Sip.getMediaSessions", Value::empty()).text, "[]");
    }

    // B170: who may ask.
    fn rights(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        for operation in ["Sip.getSipTrace", "Sip.getMediaTrace"] {
            child.client.refused(8003, operation, of("x"));
            acme.client.refused(1060, operation, of("x"));
        }
        for operation in ["Sip.getMediaSummary", "Sip.getMediaSessions"] {
            for client in [&acme.client, &child.client, &p.admin().impersonating(acme.id)] {
                client.refused(8003, operation, Value::empty());
            }
        }
    }

    // Media relays write `media_sessions` and stand among the nodes.
    fn media_sessions_of_relays(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        domain(&acme.client, "example.com");
        let info = |end: &str| format!(
            "{{\"duration\": 12, \"from_uri\": \"alice@example.com\", \"to_uri\": \"bob@example.com\", \
             \"caller_ua\": \"A\", \"streams\": [{{\"media_type\": \"audio\", \"status\": \"closed\", \"end_time\": {end}}}]}}"
        );
        _ = p.database.sql(&format!(
            "INSERT INTO media_sessions (call_id, from_tag, to_tag, info) VALUES \
             ('lasting', 'a', 'b', '{}'), ('over', 'a', 'b', '{}'), ('broken', 'a', 'b', 'no json')",
            info("null"), info("12")
        ));
        _ = p.database.sql(
            "INSERT INTO radacct (AcctSessionId, SipFromTag, SipToTag, Realm, AcctStartTime) \
             VALUES ('over', 'a', 'b', 'example.com', '2026-01-01 00:00:00')",
        );
        let trace = json(&acme.client, "Sip.getMediaTrace", of("over"));
        assert_eq!((trace["duration"].as_i64(), trace["streams"][0]["end_time"].as_i64()), (Some(12), Some(12)));
        other.client.refused(1060, "Sip.getMediaTrace", of("over"));
        p.admin().refused(1060, "Sip.getMediaTrace", of("broken"));
        p.admin().refused(1060, "Sip.getMediaTrace", record! {
            filter: record! { callId: "over", fromTag: "a", toTag: "c" },
        });
        let sessions = json(&p.admin(), "Sip.getMediaSessions", Value::empty());
        assert_eq!(sessions.as_array().map(Vec::len), Some(1));
        assert_eq!((&sessions[0]["call_id"], &sessions[0]["caller_ua"]), (&"lasting".into(), &"A".into()));
        _ = p.database.sql(
            "INSERT INTO nodes (daemon, node, ip, version, started_at, alive_at, counters) VALUES \
             ('media_relay', 'm1', '192.0.2.5', '4.0', 0, 99999999999999, \
             '{\"sessions\": 3, \"audio\": 5, \"video\": 1, \"bps_relayed\": 64000}')",
        );
        let relays = json(&unnoted(p), "Sip.getMediaSummary", Value::empty());
        assert_eq!(relays.as_array().map(Vec::len), Some(1));
        let relay = &relays[0];
        assert_eq!((&relay["ip"], &relay["session_count"]), (&"192.0.2.5".into(), &3.into()));
        assert_eq!(relay["stream_count"], serde_json::json!({ "audio": 5, "video": 1 }));
    }
}
