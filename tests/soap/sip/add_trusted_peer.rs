//! Sip.addTrustedPeer.

use ngn_tests::fixture::{customer, person, reseller, trusted_peer};
use ngn_tests::soap::{Client, Login};
use ngn_tests::{Value, both, matching, record};

both! {
    // B145, B147; the defaults stand in the row, not only in the answer.
    fn fills_in_defaults(p) {
        let acme = reseller(p, "acme");
        let added = acme.client.ok("Sip.addTrustedPeer", record! { peer: record! { ip: "203.0.113.7" } });
        assert_eq!((added.text_at("protocol"), added.text_at("description")), ("any", ""));
        assert_eq!((added.text_at("enumLookup"), added.text_at("transit")), ("true", "false"));
        assert_eq!((added.int_at("blocked"), added.int_at("strip"), added.int_at("callLimit")), (0, 0, 0));
        assert_eq!((added.int_at("customer"), added.int_at("reseller")), (acme.id, acme.id));
        assert!(!added.text_at("changeDate").is_empty());
        assert_eq!(p.database.sql("SELECT enum_lookup FROM trusted_peers").trim(), "1");
        let listed = acme.client.ok("Sip.getTrustedPeers", matching(record! { ip: "203.0.113.7" }));
        assert_eq!(listed.text_at("peers/0/enumLookup"), "true");
    }

    // B148: customer and owner are stored; B9: within reach.
    fn keeps_what_was_sent(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        let peer = record! {
            ip: "203.0.113.7", protocol: "tls", tag: "t", description: "d", callLimit: 5, msteams: true,
            tenant: "tenant", authToken: "token", prepaid: true, blocked: 2, enumLookup: 0, transit: 1,
            carrierName: "carrier", originator: "trunk", billingId: "b", tags: "a,b", strip: 2, prefix: "00",
            owner: child.id, customer: child.id, reseller: other.id,
        };
        let added = acme.client.ok("Sip.addTrustedPeer", record! { peer: peer });
        for (member, value) in [
            ("protocol", "tls"), ("tag", "t"), ("description", "d"), ("callLimit", "5"), ("msteams", "true"),
            ("tenant", "tenant"), ("authToken", "token"), ("prepaid", "true"), ("blocked", "2"),
            ("enumLookup", "false"), ("transit", "true"), ("carrierName", "carrier"), ("originator", "trunk"),
            ("billingId", "b"), ("tags", "a,b"), ("strip", "2"), ("prefix", "00"),
        ] {
            assert_eq!(added.text_at(member), value, "{member}");
        }
        let ids = ["owner", "customer", "reseller"].map(|member| added.int_at(member));
        assert_eq!(ids, [child.id, child.id, acme.id]);
        // The token is a secret: the journal has none.
        let journal = p.database.sql("SELECT `after` FROM journal WHERE entity = 'trusted_peer'");
        assert!(journal.contains("tenant") && !journal.contains("\"token\""), "{journal}");
    }

    // B18: for administrators and active resellers; B21: an inactive one reads why.
    fn is_not_for_plain_customers(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        child.client.refused(8003, "Sip.addTrustedPeer", trusted_peer("203.0.113.7"));
        p.admin().ok("Customer.addAccount", record! { account: person("asleep") });
        let asleep = p.client(Login::customer("asleep", "asleep-password"));
        asleep.refused(5003, "Sip.addTrustedPeer", trusted_peer("203.0.113.7"));
        p.client(Login::admin("admin", "wrong")).refused(8000, "Sip.addTrustedPeer", trusted_peer("203.0.113.7"));
        // B14: of nobody.
        let added = p.admin().ok("Sip.addTrustedPeer", trusted_peer("203.0.113.7"));
        assert_eq!((added.int_at("customer"), added.int_at("reseller")), (0, 0));
    }

    // 1051 comes whoever owns the other one; one address has one spelling.
    fn refuses_what_cannot_be(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        acme.client.ok("Sip.addTrustedPeer", trusted_peer("2001:DB8:0::1"));
        acme.client.ok("Sip.addTrustedPeer", trusted_peer("SIP.Example.com"));
        let add = |client: &Client, code, peer: Value| {
            client.refused(code, "Sip.addTrustedPeer", record! { peer: peer });
        };
        add(&other.client, 1051, record! { ip: "[2001:db8::1]" });
        add(&p.admin(), 1051, record! { ip: "sip.example.com" });
        add(&acme.client, 9001, Value::Null);
        add(&acme.client, 9001, record! { description: "no address" });
        for ip in ["203.0.113.256", "203.0.113.0/24", "203.0.113.7:5060", "a b"] {
            add(&acme.client, 9000, record! { ip: ip });
        }
        for (member, value) in [("strip", -1), ("strip", 65), ("callLimit", -1), ("blocked", -1)] {
            add(&acme.client, 9000, record! { ip: "203.0.113.7" }.with(member, value));
        }
        add(&acme.client, 9000, record! { ip: "203.0.113.7", prefix: "sip:" });
        add(&acme.client, 9000, record! { ip: "203.0.113.7", protocol: "sctp" });
        add(&acme.client, 9000, record! { ip: "203.0.113.7", description: "d".repeat(256) });
        add(&p.admin(), 5000, record! { ip: "203.0.113.7", reseller: 4711 });
    }
}
