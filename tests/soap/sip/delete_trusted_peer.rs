//! Sip.deleteTrustedPeer.

use ngn_tests::fixture::{customer, person, reseller, trusted_peer};
use ngn_tests::soap::Login;
use ngn_tests::{Value, both, matching, record};

both! {
    fn deletes_once(p) {
        let acme = reseller(p, "acme");
        acme.client.ok("Sip.addTrustedPeer", trusted_peer("2001:db8::7"));
        // B29: whoever has a peer cannot be deleted.
        p.admin().refused(5002, "Customer.deleteAccount", record! { id: acme.id });
        acme.client.ok("Sip.deleteTrustedPeer", record! { ip: "2001:DB8::0:7" });
        acme.client.refused(1050, "Sip.deleteTrustedPeer", record! { ip: "2001:db8::7" });
        let left = p.admin().ok("Sip.getTrustedPeers", matching(Value::empty()));
        assert_eq!(left.int_at("total"), 0);
        assert!(p.database.sql("SELECT entity_key FROM journal WHERE operation = 'Sip:deleteTrustedPeer'").contains("2001:db8::7"));
        p.admin().ok("Customer.deleteAccount", record! { id: acme.id });
    }

    // B10, B18.
    fn refuses_strangers(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        acme.client.ok("Sip.addTrustedPeer", trusted_peer("203.0.113.7"));
        other.client.refused(1050, "Sip.deleteTrustedPeer", record! { ip: "203.0.113.7" });
        child.client.refused(8003, "Sip.deleteTrustedPeer", record! { ip: "203.0.113.7" });
        p.admin().ok("Customer.addAccount", record! { account: person("asleep") });
        let asleep = p.client(Login::customer("asleep", "asleep-password"));
        asleep.refused(8003, "Sip.deleteTrustedPeer", record! { ip: "203.0.113.7" });
        acme.client.refused(9001, "Sip.deleteTrustedPeer", record! { ip: "" });
        acme.client.refused(9000, "Sip.deleteTrustedPeer", record! { ip: "203.0.113" });
    }
}
