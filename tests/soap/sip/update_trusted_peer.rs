//! Sip.updateTrustedPeer.

use ngn_tests::fixture::{customer, reseller, trusted_peer};
use ngn_tests::soap::Client;
use ngn_tests::xml::Node;
use ngn_tests::{both, matching, record};

fn read(client: &Client, ip: &str) -> Node {
    client.ok("Sip.getTrustedPeers", matching(record! { ip: ip })).at("peers/0").clone()
}

both! {
    // B146: replaces attributes as B58 does; protocol and tag, which forms do not send, stay.
    fn replaces_attributes_for_the_administrator(p) {
        let acme = reseller(p, "acme");
        p.admin().ok("Sip.addTrustedPeer", record! { peer: record! {
            ip: "203.0.113.7", protocol: "tls", tag: "t", description: "d", callLimit: 5, tenant: "x",
            enumLookup: false, authToken: "token", owner: acme.id, reseller: acme.id, customer: acme.id,
        } });
        p.admin().ok("Sip.updateTrustedPeer", record! { peer: record! { ip: "203.0.113.7", prefix: "0031" } });
        let now = read(&p.admin(), "203.0.113.7");
        assert_eq!((now.text_at("protocol"), now.text_at("tag")), ("tls", "t"));
        assert_eq!(now.int_at("owner"), acme.id);
        assert_eq!((now.int_at("customer"), now.int_at("reseller")), (acme.id, acme.id));
        for (member, value) in [
            ("description", ""), ("callLimit", "0"), ("tenant", ""), ("authToken", ""), ("prefix", "0031"),
            ("enumLookup", "true"),
        ] {
            assert_eq!(now.text_at(member), value, "{member}");
        }
        p.admin().ok("Sip.updateTrustedPeer", record! { peer: record! {
            ip: "203.0.113.7", protocol: "udp", tag: "", reseller: 0, customer: 0,
        } });
        let now = read(&p.admin(), "203.0.113.7");
        assert_eq!((now.text_at("protocol"), now.text_at("tag")), ("udp", ""));
        assert_eq!((now.int_at("customer"), now.int_at("reseller")), (0, 0));
        let journal = p.database.sql("SELECT `before` FROM journal WHERE operation = 'Sip:updateTrustedPeer'");
        assert!(!journal.contains("token\":\"token"), "{journal}");
    }

    // Forms of non-administrators lack most members: those stay, whatever arrives (client-usage 2.4).
    fn lets_resellers_change_few_members(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        p.admin().ok("Sip.addTrustedPeer", record! { peer: record! {
            ip: "203.0.113.7", description: "d", callLimit: 5, tenant: "x", carrierName: "c", originator: "o",
            tags: "t", billingId: "b", prepaid: true, blocked: 1, enumLookup: false, transit: true,
            msteams: true, reseller: acme.id, customer: acme.id,
        } });
        acme.client.ok("Sip.updateTrustedPeer", record! { peer: record! {
            ip: "203.0.113.7", description: "mine", callLimit: 0, blocked: 0, prepaid: false, enumLookup: false,
            transit: false, msteams: false, strip: 2, prefix: "00", authToken: "new", customer: child.id,
        } });
        let now = read(&acme.client, "203.0.113.7");
        for (member, value) in [
            ("description", "d"), ("callLimit", "5"), ("tenant", "x"), ("carrierName", "c"), ("originator", "o"),
            ("tags", "t"), ("billingId", "b"), ("prepaid", "true"), ("blocked", "1"), ("enumLookup", "false"),
            ("transit", "true"), ("msteams", "true"), ("strip", "2"), ("prefix", "00"), ("authToken", "new"),
        ] {
            assert_eq!(now.text_at(member), value, "{member}");
        }
        assert_eq!((now.int_at("customer"), now.int_at("reseller")), (child.id, acme.id));
    }

    fn refuses_unknown_and_foreign_peers(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        acme.client.ok("Sip.addTrustedPeer", trusted_peer("203.0.113.7"));
        other.client.refused(1050, "Sip.updateTrustedPeer", trusted_peer("203.0.113.7"));
        p.admin().refused(1050, "Sip.updateTrustedPeer", trusted_peer("203.0.113.8"));
        child.client.refused(8003, "Sip.updateTrustedPeer", trusted_peer("203.0.113.7"));
        acme.client.refused(9001, "Sip.updateTrustedPeer", record! { peer: record! { strip: 1 } });
        acme.client.refused(9000, "Sip.updateTrustedPeer", record! {
            peer: record! { ip: "203.0.113.7", strip: -1 },
        });
        p.admin().refused(5000, "Sip.updateTrustedPeer", record! {
            peer: record! { ip: "203.0.113.7", customer: 4711 },
        });
    }
}
