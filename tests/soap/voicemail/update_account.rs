//! Voicemail.updateAccount.

use super::{id, mailbox, with_alice};
use ngn_tests::fixture::reseller;
use ngn_tests::{Value, both, record, sip_id};

both! {
    // B153: without mailbox and info they stay; e-mail, name, PIN and options are as sent.
    fn b153_replaces_what_is_sent(p) {
        let acme = with_alice(p);
        let update = |account: Value| acme.client.ok("Voicemail.updateAccount", record! { account: account });
        let read = || acme.client.ok("Voicemail.getAccount", id("alice@example.com"));
        update(mailbox("alice@example.com").with("info", "second floor").with("owner", 77));
        update(record! {
            sipId: sip_id("alice@example.com"), email: "a@example.net", name: "A", password: "99",
            options: record! { delete: 0 },
        });
        let now = read();
        for (member, value) in [
            ("mailbox", "1000000"), ("info", "second floor"), ("owner", "77"), ("email", "a@example.net"),
            ("name", "A"), ("password", "99"), ("options/delete", "false"),
        ] {
            assert_eq!(now.text_at(member), value, "{member}");
        }
        let row = p.database.sql("SELECT mailbox, password, `delete` FROM voicemail_users");
        assert_eq!(row.trim(), "1000000\t99\tno");
        // A mailbox is never left without a PIN.
        update(record! { sipId: sip_id("alice@example.com"), info: "" });
        let now = read();
        assert_eq!((now.text_at("password"), now.text_at("email")), ("99", ""));
        assert!(now.find("info").is_none_or(|info| info.is_nil() || info.text.is_empty()));
        update(mailbox("alice@example.com").with("mailbox", "42"));
        assert_eq!(read().text_at("mailbox"), "42");
    }

    fn refusals(p) {
        let (acme, other) = (with_alice(p), reseller(p, "other"));
        let update = |address: &str| record! { account: mailbox(address) };
        acme.client.refused(2000, "Voicemail.updateAccount", update("bob@example.com"));
        acme.client.refused(1010, "Voicemail.updateAccount", update("eve@example.com"));
        other.client.refused(1010, "Voicemail.updateAccount", update("alice@example.com"));
        acme.client.refused(9001, "Voicemail.updateAccount", Value::empty());
        acme.client.ok("Voicemail.addAccount", update("bob@example.com"));
        let taken = mailbox("bob@example.com").with("mailbox", "1000000");
        acme.client.refused(2002, "Voicemail.updateAccount", record! { account: taken });
        let letters = mailbox("bob@example.com").with("password", "secret");
        let fault = acme.client.fault("Voicemail.updateAccount", record! { account: letters });
        assert_eq!(fault.code, 9000);
        assert!(!fault.text.contains("secret"), "{}", fault.text);
    }
}
