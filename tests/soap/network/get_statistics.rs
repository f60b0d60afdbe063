//! Network.getStatistics.

use super::ask;
use ngn_tests::fixture::{account, domain, reseller};
use ngn_tests::platform::eventually;
use ngn_tests::sip::Phone;
use ngn_tests::{Value, both};

both! {
    // B170.
    fn is_the_administrators(p) {
        let acme = reseller(p, "acme");
        for client in [&acme.client, &p.admin().impersonating(acme.id)] {
            client.refused(8003, "Network.getStatistics", Value::empty());
        }
    }

    // {summary, address} -> sip_proxy -> section -> domain -> count.
    fn counts_accounts_registrations_and_calls_by_domain(p) {
        let acme = reseller(p, "acme");
        for name in ["example.com", "example.net"] {
            domain(&acme.client, name);
        }
        for address in ["alice@example.com", "bob@example.com", "carol@example.net"] {
            account(&acme.client, address);
        }
        p.settle();
        let mut phone = Phone::new(p.sip_address(), "alice@example.com", "secret");
        assert_eq!(phone.register(600).expect("an answer").status(), 200);
        let node = p.sip_address();
        let now = "2100-01-01 00:00:00";
        // A call that lasts, one that ended, and one from elsewhere over another node.
        _ = p.database.sql(&format!(
            "INSERT INTO radacct (AcctSessionId, SipFromTag, SipToTag, NASPortId, Realm, CanonicalURI, AcctStartTime, \
             AcctStopTime) VALUES \
             ('1', 'a', 'b', '{node}', 'example.com', 'carol@example.net', '{now}', NULL), \
             ('2', 'a', 'b', '{node}', 'example.com', 'bob@example.com', '{now}', '{now}'), \
             ('3', 'a', 'b', 'other', 'elsewhere.example', 'bob@example.com', '{now}', NULL)",
        ));
        let all = eventually("the node's counts", || {
            let all = ask(p, "Network.getStatistics");
            all["127.0.0.1"]["sip_proxy"].is_object().then_some(all)
        });
        let of = |node: &str, section: &str, domain: &str| {
            all[node]["sip_proxy"][section][domain].as_i64().unwrap_or_else(|| panic!("{section} {domain}: {all}"))
        };
        for (node, section, com, net) in [
            ("summary", "total_accounts", 2, 1),
            ("summary", "online_accounts", 1, 0),
            ("summary", "sessions", 2, 1),
            ("summary", "caller", 1, 0),
            ("summary", "callee", 1, 1),
            ("127.0.0.1", "total_accounts", 2, 1),
            ("127.0.0.1", "online_accounts", 1, 0),
            ("127.0.0.1", "sessions", 1, 1),
            ("127.0.0.1", "caller", 1, 0),
            ("127.0.0.1", "callee", 0, 1),
        ] {
            let seen = (of(node, section, "example.com"), of(node, section, "example.net"));
            assert_eq!(seen, (com, net), "{node} {section}");
        }
        assert!(all["summary"]["sip_proxy"]["caller"]["elsewhere.example"].is_null());
    }
}
