//! Network.getStatus.

use super::ask;
use ngn_tests::fixture::{customer, reseller};
use ngn_tests::platform::eventually;
use ngn_tests::{Value, both};

both! {
    // B170: nobody but the administrator.
    fn is_the_administrators(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        for client in [&acme.client, &child.client, &p.admin().impersonating(acme.id)] {
            client.refused(8003, "Network.getStatus", Value::empty());
        }
    }

    // Every daemon of `ngn up` is there, where it listens, with its role and version; one that ended is not.
    fn shows_every_daemon_that_runs(p) {
        _ = reseller(p, "acme");
        let wanted = [
            ("ngnpro", p.soap_address(), "provisioning_server"),
            ("sipd", p.sip_address(), "sip_proxy"),
            ("enumd", p.dns_address(), "thor_dnsmanager"),
        ];
        let status = eventually("all daemons in getStatus", || {
            let status = ask(p, "Network.getStatus");
            (status.as_object().expect("an object").len() == 3).then_some(status)
        });
        for (daemon, address, role) in wanted {
            let node = &status[format!("{daemon}@{address}")];
            assert_eq!(node["ip"], "127.0.0.1", "{status}");
            assert_eq!(node["roles"], serde_json::json!([role]));
            assert_eq!(node["version"], env!("CARGO_PKG_VERSION"));
            assert!(node["uptime"].as_i64().expect("seconds") < 600);
            assert!(node["started"].as_str().expect("a time").starts_with("20"));
        }
        p.stop();
        assert_eq!(p.database.sql("SELECT count(*) FROM nodes").trim(), "0");
        // A row that nobody renews is no daemon that runs.
        _ = p.database.sql(
            "INSERT INTO nodes (daemon, node, ip, version, started_at, alive_at, counters) \
             VALUES ('sipd', '192.0.2.9:5060', '192.0.2.9', '0', 1, 86400000, '{}')",
        );
        p.launch();
        let status = ask(p, "Network.getStatus");
        assert!(status["sipd@192.0.2.9:5060"].is_null(), "{status}");
    }
}
