//! The forms of a SIP account's password (B60-B64), as addAccount and updateAccount take and getAccount shows them.

use ngn_tests::fixture::{domain, subscriber};
use ngn_tests::sip::md5_hex;
use ngn_tests::soap::Client;
use ngn_tests::xml::Node;
use ngn_tests::{both, record, sip_id};

fn stored(client: &Client) -> Node {
    client.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") })
}

both! {
    // B61, B62: clear text is kept (by default) and digested.
    fn clear_text_is_stored_and_digested(p) {
        let admin = p.admin();
        domain(&admin, "example.com");
        admin.ok("Sip.addAccount", record! {
            account: subscriber("Alice@Example.com").with("password", "s:cr<t é"),
        });
        let account = stored(&admin);
        assert_eq!(account.text_at("password"), "s:cr<t é");
        assert_eq!(account.text_at("ha1"), md5_hex("alice:example.com:s:cr<t é"));
    }

    // B60, B63: two digests replace the clear text.
    fn digests_are_taken_as_they_are(p) {
        let admin = p.admin();
        domain(&admin, "example.com");
        admin.ok("Sip.addAccount", record! { account: subscriber("alice@example.com") });
        let (ha1, ha1b) = (md5_hex("alice:example.com:new"), md5_hex("alice@example.com:example.com:new"));
        admin.ok("Sip.updateAccount", record! {
            account: subscriber("alice@example.com").with("password", format!("{}:{ha1b}", ha1.to_uppercase())),
        });
        let account = stored(&admin);
        assert_eq!(account.text_at("password"), "");
        assert_eq!(account.text_at("ha1"), ha1);
    }

    // B64: anything else with a colon is clear text.
    fn near_digests_are_clear_text(p) {
        let admin = p.admin();
        domain(&admin, "example.com");
        admin.ok("Sip.addAccount", record! { account: subscriber("alice@example.com") });
        let digest = md5_hex("x");
        for near in [format!("{digest}:"), format!("{digest}:{digest}0"), format!("{digest}:{}g", &digest[1..])] {
            admin.ok("Sip.updateAccount", record! {
                account: subscriber("alice@example.com").with("password", &near),
            });
            let account = stored(&admin);
            assert_eq!(account.text_at("password"), near);
            assert_eq!(account.text_at("ha1"), md5_hex(&format!("alice:example.com:{near}")));
        }
    }

    // B59: a missing or empty password keeps what is stored.
    fn an_empty_password_keeps_the_stored_one(p) {
        let admin = p.admin();
        domain(&admin, "example.com");
        admin.ok("Sip.addAccount", record! { account: subscriber("alice@example.com") });
        for account in [
            subscriber("alice@example.com").with("password", ""),
            subscriber("alice@example.com").with("password", ()),
            record! { id: sip_id("alice@example.com") },
        ] {
            admin.ok("Sip.updateAccount", record! { account: account });
            assert_eq!(stored(&admin).text_at("password"), "secret");
        }
    }
}
