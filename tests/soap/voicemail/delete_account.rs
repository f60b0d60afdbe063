//! Voicemail.deleteAccount, and what Sip.deleteAccount does to voicemail.

use super::{id, mailbox, with_alice};
use ngn_tests::fixture::reseller;
use ngn_tests::platform::Platform;
use ngn_tests::{Value, both, record, sip_id};

/// How many rows the voicemail tables have.
fn rows(p: &Platform) -> String {
    p.database
        .sql(
            "SELECT (SELECT COUNT(*) FROM voicemail_users) + (SELECT COUNT(*) FROM voicemail_accounts) \
             + (SELECT COUNT(*) FROM voicemail_announcements)",
        )
        .trim()
        .to_owned()
}

fn announce() -> Value {
    id("alice@example.com").with("message", "UklGRgAAAABXQVZFZm10IA==")
}

both! {
    // B159, B88: everything of the mailbox goes, diversions to it included; others stay.
    fn b88_b159_takes_its_data_along(p) {
        let acme = with_alice(p);
        acme.client.ok("Voicemail.setAnnouncement", announce());
        acme.client.ok("Sip.setCallDiversions", record! {
            sipId: sip_id("alice@example.com"),
            diversions: record! { FBUS: "<voice-mailbox>", FNOA: "sip:bob@example.com", FNOL: "<voice-mailbox>" },
        });
        acme.client.ok("Voicemail.deleteAccount", id("alice@example.com"));
        acme.client.refused(2000, "Voicemail.getAccount", id("alice@example.com"));
        assert_eq!(rows(p), "0");
        let left = acme.client.ok("Sip.getCallDiversions", id("alice@example.com"));
        assert_eq!(left.text_at("FNOA"), "sip:bob@example.com");
        for gone in ["FBUS", "FNOL"] {
            assert!(left.find(gone).is_none_or(ngn_tests::xml::Node::is_nil), "{gone}");
        }
        // Servers are told of the diversions.
        let told = p.database.sql("SELECT entity FROM journal ORDER BY id DESC LIMIT 1");
        assert_eq!(told.trim(), "diversions");
        acme.client.ok("Voicemail.addAccount", record! { account: mailbox("alice@example.com") });
    }

    // B57.
    fn b57_goes_with_the_sip_account(p) {
        let acme = with_alice(p);
        acme.client.ok("Voicemail.setAnnouncement", announce());
        acme.client.ok("Sip.deleteAccount", id("alice@example.com"));
        assert_eq!(rows(p), "0");
        let told = p.database.sql(
            "SELECT COUNT(*) FROM journal WHERE entity = 'voicemail' AND `after` IS NULL AND \
             operation = 'Sip:deleteAccount'",
        );
        assert_eq!(told.trim(), "1");
    }

    fn refusals(p) {
        let (acme, other) = (with_alice(p), reseller(p, "other"));
        acme.client.refused(2000, "Voicemail.deleteAccount", id("bob@example.com"));
        acme.client.refused(1010, "Voicemail.deleteAccount", id("eve@example.com"));
        other.client.refused(1010, "Voicemail.deleteAccount", id("alice@example.com"));
        acme.client.refused(9001, "Voicemail.deleteAccount", Value::empty());
        assert_eq!(rows(p), "2");
    }
}
