//! Voicemail.addAccount.

use super::{id, mailbox, with_alice};
use ngn_tests::database::Backend;
use ngn_tests::fixture::{account, customer, domain, reseller};
use ngn_tests::platform::Platform;
use ngn_tests::{Value, both, record};
use std::collections::BTreeSet;
use std::sync::Mutex;

fn add(address: &str) -> Value {
    record! { account: mailbox(address) }
}

both! {
    // B152, db-hints 5: the number is generated, and Asterisk finds the row as it expects it.
    fn b152_makes_what_asterisk_reads(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let made = acme.client.ok("Voicemail.addAccount", add("alice@example.com"));
        assert_eq!(made.text_at("mailbox"), "1000000");
        assert_eq!(made.text_at("sipId/username"), "alice");
        assert_eq!(made.text_at("options/delete"), "true");
        assert_eq!(made.int_at("reseller"), acme.id);
        let row = p.database.sql(
            "SELECT context, mailbox, password, fullname, email, `delete`, attach FROM voicemail_users",
        );
        assert_eq!(row.trim(), "default\t1000000\t236651\tAlice Example\talice@example.com\tyes\tyes");
        // The PIN is nobody's business in the journal.
        let journal = p.database.sql("SELECT entity_key, `after` FROM journal WHERE entity = 'voicemail'");
        assert!(journal.starts_with("alice@example.com\t"), "{journal}");
        assert!(journal.contains("\"pin\":\"changed\"") && !journal.contains("236651"), "{journal}");
        // B42: the account can be found by it.
        let filter = record! { groups: ["voicemail"] };
        let found = acme.client.ok("Sip.getAccounts", ngn_tests::matching(filter));
        assert_eq!(found.int_at("total"), 1);
    }

    // B152: the next is one more than the highest; a number of the caller's choice is taken if it is free.
    fn b152_numbers(p) {
        let acme = with_alice(p);
        for name in ["c", "d", "e", "f"] {
            account(&acme.client, &format!("{name}@example.com"));
        }
        let made = |address: &str, wanted: &str| {
            let account = mailbox(address).with("mailbox", wanted);
            acme.client.ok("Voicemail.addAccount", record! { account: account }).text_at("mailbox").to_owned()
        };
        assert_eq!(made("bob@example.com", ""), "1000001");
        assert_eq!(made("c@example.com", "2000000"), "2000000");
        assert_eq!(made("d@example.com", ""), "2000001");
        assert_eq!(made("e@example.com", "17"), "17");
        for taken in ["17", "1000000", "2000001"] {
            let account = mailbox("f@example.com").with("mailbox", taken);
            acme.client.refused(2002, "Voicemail.addAccount", record! { account: account });
        }
        // Whoever comes next does not find another one's messages.
        acme.client.ok("Voicemail.deleteAccount", id("d@example.com"));
        assert_eq!(made("f@example.com", ""), "2000002");
    }

    // B152: rows that the voicemail server had before are not in the way.
    fn b152_existing_mailboxes(p) {
        _ = p.database.sql(
            "INSERT INTO voicemail_users (mailbox, password) VALUES ('1000041', '1'), ('operator', '2')",
        );
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let taken = mailbox("alice@example.com").with("mailbox", "1000041");
        acme.client.refused(2002, "Voicemail.addAccount", record! { account: taken });
        let made = acme.client.ok("Voicemail.addAccount", add("alice@example.com"));
        assert_eq!(made.text_at("mailbox"), "1000042");
    }

    // B151, contract D2, D3.
    fn b151_refusals(p) {
        let (acme, other) = (with_alice(p), reseller(p, "other"));
        let carol = customer(p, &acme, "carol");
        acme.client.refused(2001, "Voicemail.addAccount", add("alice@example.com"));
        // Exists goes before the number (contract D3).
        let both = mailbox("alice@example.com").with("mailbox", "1000000");
        acme.client.refused(2001, "Voicemail.addAccount", record! { account: both });
        acme.client.refused(1010, "Voicemail.addAccount", add("eve@example.com"));
        other.client.refused(1010, "Voicemail.addAccount", add("bob@example.com"));
        carol.client.refused(1010, "Voicemail.addAccount", add("bob@example.com"));
        acme.client.refused(9001, "Voicemail.addAccount", Value::empty());
        for (member, value) in [
            ("password", "12a4"),
            ("mailbox", "10-20"),
            ("email", "a@example.com\nBcc: b@example.com"),
            ("name", &"x".repeat(151)),
        ] {
            let account = mailbox("bob@example.com").with(member, value);
            acme.client.refused(9000, "Voicemail.addAccount", record! { account: account });
        }
        acme.client.refused(2000, "Voicemail.getAccount", id("bob@example.com"));
    }
}

// An account without a PIN would be open to everybody: one is made, each time another.
#[test]
fn makes_a_pin() {
    let p = Platform::start(Backend::Sqlite);
    let acme = with_alice(&p);
    let without = mailbox("bob@example.com").with("password", "");
    let made = acme.client.ok("Voicemail.addAccount", record! { account: without });
    let pin = made.text_at("password");
    assert!(pin.len() == 6 && pin.bytes().all(|b| b.is_ascii_digit()), "{pin}");
    let read = acme.client.ok("Voicemail.getAccount", id("bob@example.com"));
    assert_eq!(read.text_at("password"), pin);
}

// B152: many at once get numbers of their own, without gaps.
#[test]
fn b152_parallel() {
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        let p = Platform::start(backend);
        let acme = with_alice(&p);
        for n in 0..32 {
            account(&acme.client, &format!("u{n}@example.com"));
        }
        let numbers = Mutex::new(BTreeSet::new());
        std::thread::scope(|scope| {
            for n in 0..32 {
                let (client, numbers) = (&acme.client, &numbers);
                scope.spawn(move || {
                    let made = client.ok("Voicemail.addAccount", add(&format!("u{n}@example.com")));
                    numbers.lock().unwrap().insert(made.int_at("mailbox"));
                });
            }
        });
        let numbers = numbers.into_inner().unwrap();
        assert!(numbers.iter().copied().eq(1_000_001..1_000_033), "{backend}: {numbers:?}");
    }
}
