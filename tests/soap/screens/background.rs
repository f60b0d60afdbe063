//! The users behind the screens (client-usage §4): jobs, windows of traces and networks, enrollment, logins.

use super::tenants;
use ngn_tests::cdrtool::{Connection, Php};
use ngn_tests::fixture::{account, domain};
use ngn_tests::platform::Platform;
use ngn_tests::{Value, both, eventually, query, record, sip_id};
use serde_json::Value as Json;

/// The string of JSON that an operation gives.
#[track_caller]
fn json(result: &Php) -> Json {
    let Php::Text(text) = result else { panic!("no text but {result:?}") };
    serde_json::from_str(text).unwrap()
}

fn trace(call_id: &str, to_tag: &str) -> Value {
    record! { filter: record! { nodeIp: "192.0.2.1", callId: call_id, fromTag: "a", toTag: to_tag } }
}

/// What enrollment does for a person (B184): customer, account, mailbox, alias; undone when the account is taken.
fn enroll(p: &Platform, username: &str) -> Result<(i64, String), String> {
    let engine = Connection::admin(p);
    let credit =
        |name: &str| record! { name: name, value: "1", category: "credit", permission: "admin" };
    let mut customer = None;
    for suffix in ["", "x", "y"] {
        let form = record! { account: record! {
            username: format!("{username}{suffix}"), password: "secret-password", firstName: "Ada",
            lastName: "Example", email: "ada@example.net", timezone: "Europe/Amsterdam",
            properties: vec![credit("sip_credit"), credit("sip_alias_credit"), credit("email_credit")],
        } };
        match engine.call("Customer.addAccount", &form) {
            Ok(added) => {
                customer = Some(added.int("id"));
                break;
            }
            Err(fault) => assert_eq!(fault.code, 5001, "{}", fault.text),
        }
    }
    let customer = customer.expect("a free name");
    let address = format!("{username}@example.com");
    let form = record! { account: record! {
        id: sip_id(&address), firstName: "Ada", lastName: "Example", password: "pw1pw2pw3",
        timezone: "Europe/Amsterdam", email: "ada@example.net", owner: customer, groups: [""], prepaid: 0, quota: 0,
        properties: vec![record! { name: "ip", value: "192.0.2.1" }],
    } };
    match engine.call("Sip.addAccount", &form) {
        Ok(added) => {
            added.reads("id/username:s id/domain:s email:s");
            let mailbox = record! { account: record! {
                sipId: sip_id(&address), name: "Ada", password: "1234", email: "ada@example.net",
                options: record! { delete: 1 },
            } };
            engine.execute("Voicemail.addAccount", mailbox);
            let divert = record! { FBUS: "<voice-mailbox>", FNOA: "<voice-mailbox>", FNOL: "<voice-mailbox>" };
            engine.execute(
                "Sip.setCallDiversions",
                record! { sipId: sip_id(&address), diversions: divert },
            );
            engine.execute("Dns.addFancyRecord", record! { record: record! {
                name: &address, zone: "example.com", r#type: "MBOXFW", value: "ada@example.net", owner: customer,
                ttl: 3600, priority: 0,
            } });
            Ok((customer, format!("{}@{}", added.text("id/username"), added.text("id/domain"))))
        }
        Err(fault) => {
            assert_eq!(fault.code, 1011);
            // B30: nothing stands in the way of taking the customer back.
            assert_eq!(
                engine.execute("Customer.deleteAccount", record! { id: customer }),
                Php::Flag(true)
            );
            Err(fault.text)
        }
    }
}

both! {
    // B180: 1030 and 1031 are fine, everything else is mailed to the operator.
    fn quota_job(p) {
        let (_, child) = tenants(p);
        domain(&child.client, "example.com");
        account(&child.client, "alice@example.com");
        let job = Connection::admin(p);
        let group = |address: &str| record! { sipId: sip_id(address), group: "quota" };
        assert_eq!(job.execute("Sip.addToGroup", group("alice@example.com")), Php::Flag(true));
        job.refused(1030, "Sip.addToGroup", group("alice@example.com"));
        assert_eq!(job.execute("Sip.removeFromGroup", group("alice@example.com")), Php::Flag(true));
        job.refused(1031, "Sip.removeFromGroup", group("alice@example.com"));
        job.refused(1010, "Sip.addToGroup", group("gone@example.com"));
        job.refused(1010, "Sip.removeFromGroup", group("gone@example.com"));
    }

    fn trace_windows(p) {
        let (acme, _) = tenants(p);
        domain(&acme.client, "example.com");
        let window = Connection::admin(p);
        for operation in ["Sip.getSipTrace", "Sip.getMediaTrace"] {
            window.refused(1060, operation, trace("nosuch", "b"));
            // Calls that nobody answered have no tag at the other end.
            window.refused(1060, operation, trace("nosuch", ""));
        }
        _ = p.database.sql(
            "INSERT INTO media_sessions (call_id, from_tag, to_tag, info) VALUES ('call', 'a', 'b', \
             '{\"duration\": 12, \"from_uri\": \"a@example.com\", \"to_uri\": \"b@example.com\", \"streams\": \
             [{\"media_type\": \"audio\", \"status\": \"closed\", \"end_time\": 12}]}')",
        );
        for to_tag in ["b", ""] {
            let found = json(&window.ok("Sip.getMediaTrace", trace("call", to_tag)));
            assert_eq!((&found["duration"], &found["streams"][0]["status"]), (&12.into(), &"closed".into()));
        }
    }

    fn network_windows(p) {
        let (acme, _) = tenants(p);
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let window = Connection::admin(p).unnoted();
        assert_eq!(json(&window.ok("Sip.getMediaSessions", Value::empty())), serde_json::json!([]));
        assert!(json(&window.ok("Sip.getMediaSummary", Value::empty())).is_array());
        let status = eventually("the nodes", || {
            let status = json(&window.ok("Network.getStatus", Value::empty()));
            (status.as_object()?.len() == 3).then_some(status)
        });
        for node in status.as_object().unwrap().values() {
            assert!(node["ip"].is_string() && node["version"].is_string() && node["roles"].is_array(), "{node}");
        }
        // The graphs take every domain of every section.
        eventually("the counts", || {
            let all = json(&window.ok("Network.getStatistics", Value::empty()));
            let summary = &all["summary"]["sip_proxy"];
            let counted = summary["total_accounts"]["example.com"].as_i64() == Some(1);
            (counted && summary["online_accounts"].is_object()).then_some(())
        });
        // §1.1: other logins have no business there.
        for login in [Connection::admin_as(p, acme.id), Connection::customer(p, "acme", "acme-password")] {
            login.refused(8003, "Network.getStatus", Value::empty());
            login.refused(8003, "Sip.getMediaSessions", Value::empty());
        }
    }

    fn enrollment(p) {
        let (acme, _) = tenants(p);
        domain(&acme.client, "example.com");
        ngn_tests::fixture::zone(&acme.client, "example.com");
        let (first, address) = enroll(p, "ada").unwrap();
        assert_eq!(address, "ada@example.com");
        let engine = Connection::admin(p);
        let customers = || {
            let all = query(record! { username: "ada%" }, "customer", "ASC", 0, 100);
            engine.ok("Customer.getCustomers", all).int("total")
        };
        assert_eq!(customers(), 1);
        // The same name again: another customer by another name, then the account is taken, and nothing is left.
        let text = enroll(p, "ada").unwrap_err();
        assert!(text.contains("ada@example.com"), "shown to the person: {text}");
        assert_eq!(customers(), 1);
        let account = engine.ok("Sip.getAccount", record! { sipId: sip_id(&address) });
        assert_eq!((account.int("owner"), account.int("reseller")), (first, acme.id));
    }

    // B186: the digest login gets the account, the one by certificate searches for it.
    fn panel_login(p) {
        let (_, child) = tenants(p);
        domain(&child.client, "example.com");
        let subscriber = ngn_tests::fixture::subscriber("alice@example.com").with("owner", child.id);
        p.admin().ok("Sip.addAccount", record! { account: subscriber });
        let login = Connection::admin(p);
        let found = login.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        found.reads("password:s ha1:s properties:a id/username:s id/domain:s");
        let ha1 = ngn_tests::sip::md5_hex("alice:example.com:secret");
        assert!(found.text("password") == "secret" || found.text("ha1") == ha1);
        login.refused(1010, "Sip.getAccount", record! { sipId: sip_id("eve@example.com") });
        for (owner, total) in [(child.id, 1), (child.id + 1, 0)] {
            let filter = record! { username: "alice", domain: "example.com", owner: owner };
            let found = login.ok("Sip.getAccounts", query(filter, "changeDate", "DESC", 0, 1));
            assert_eq!(found.int("total"), total);
        }
    }
}
