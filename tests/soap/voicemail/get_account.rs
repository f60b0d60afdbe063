//! Voicemail.getAccount.

use super::{id, with_alice};
use ngn_tests::fixture::{customer, reseller};
use ngn_tests::{Value, both};

both! {
    // client-usage: 2000 and 1010 both mean "none" to the client.
    fn faults_on_what_is_not_there(p) {
        let (acme, other) = (with_alice(p), reseller(p, "other"));
        let carol = customer(p, &acme, "carol");
        acme.client.refused(2000, "Voicemail.getAccount", id("bob@example.com"));
        acme.client.refused(1010, "Voicemail.getAccount", id("eve@example.com"));
        other.client.refused(1010, "Voicemail.getAccount", id("alice@example.com"));
        carol.client.refused(1010, "Voicemail.getAccount", id("alice@example.com"));
        acme.client.refused(9001, "Voicemail.getAccount", Value::empty());
        let read = p.admin().ok("Voicemail.getAccount", id("Alice@example.com"));
        for (member, value) in [
            ("mailbox", "1000000"),
            ("password", "236651"),
            ("name", "Alice Example"),
            ("email", "alice@example.com"),
            ("options/delete", "true"),
        ] {
            assert_eq!(read.text_at(member), value, "{member}");
        }
    }
}
