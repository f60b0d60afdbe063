//! The Voicemail port on a server of its own (B157).

use super::{id, mailbox};
use ngn_tests::database::Backend;
use ngn_tests::fixture::{customer, reseller};
use ngn_tests::platform::Platform;
use ngn_tests::record;

// B157: no SIP account is needed, 1010 never comes, and records belong to whoever made them.
#[test]
fn b157_without_sip_accounts() {
    let settings = "[provisioning]\nstandalone_voicemail = true\nfirst_mailbox = 500\n";
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        let p = Platform::start_with(backend, &[("ngnpro", settings)]);
        let (acme, other) = (reseller(&p, "acme"), reseller(&p, "other"));
        let carol = customer(&p, &acme, "carol");
        let alice = record! { account: mailbox("alice@elsewhere.example") };
        let made = carol.client.ok("Voicemail.addAccount", alice.clone());
        assert_eq!(made.text_at("mailbox"), "500", "{backend}");
        assert_eq!((made.int_at("customer"), made.int_at("reseller")), (carol.id, acme.id));
        carol.client.refused(2001, "Voicemail.addAccount", alice.clone());
        carol.client.refused(2000, "Voicemail.getAccount", id("bob@elsewhere.example"));
        other.client.refused(2000, "Voicemail.getAccount", id("alice@elsewhere.example"));
        other.client.refused(2000, "Voicemail.deleteAccount", id("alice@elsewhere.example"));
        acme.client.ok("Voicemail.updateAccount", alice);
        acme.client.ok("Voicemail.deleteAccount", id("alice@elsewhere.example"));
        carol.client.refused(2000, "Voicemail.getAccount", id("alice@elsewhere.example"));
    }
}
