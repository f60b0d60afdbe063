//! Sip.addAccount by many clients at one time: whoever shares a transaction gets what it would have got alone.

use std::collections::BTreeSet;
use std::thread;

use ngn_tests::database::Backend;
use ngn_tests::fixture::{customer, domain, reseller, subscriber};
use ngn_tests::platform::Platform;
use ngn_tests::soap::{Answer, Client};
use ngn_tests::{Value, record, sip_id};

const CLIENTS: usize = 60;

/// What one of the clients sends, and what becomes of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// A new account by the reseller.
    Reseller,
    /// A new account by the customer whose domain it is.
    Customer,
    /// A new account by the administrator.
    Administrator,
    /// The next number.
    Next,
    /// The same name as all others of this kind.
    Same,
    /// A value that does not fit its column.
    TooLong,
    /// By a reseller that does not see the domain.
    Foreign,
}

const KINDS: [Kind; 7] = [
    Kind::Reseller,
    Kind::Customer,
    Kind::Administrator,
    Kind::Next,
    Kind::Same,
    Kind::TooLong,
    Kind::Foreign,
];

fn on_each(test: impl Fn(&Platform) + Sync) {
    thread::scope(|scope| {
        for backend in [Backend::Sqlite, Backend::MariaDb] {
            let test = &test;
            scope.spawn(move || test(&Platform::start(backend)));
        }
    });
}

// B53-B55, B15: the rules hold for each; soap-api.md D: so do the faults.
#[test]
fn each_gets_what_it_would_get_alone() {
    on_each(|p| {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        domain(&child.client, "example.com");
        let admin = p.admin();
        let sent: Vec<(Kind, &Client, Value)> = (0..CLIENTS)
            .zip(KINDS.iter().copied().cycle())
            .map(|(n, kind)| {
                let address = match kind {
                    Kind::Same => "same@example.com".to_owned(),
                    Kind::Next => "<autoincrement>@example.com".to_owned(),
                    _ => format!("u{n}@example.com"),
                };
                let account = subscriber(&address).with("groups", [format!("group{n}").as_str()]);
                let account = match kind {
                    Kind::TooLong => account.with("firstName", "x".repeat(300)),
                    _ => account,
                };
                let client = match kind {
                    Kind::Customer => &child.client,
                    Kind::Administrator => &admin,
                    Kind::Foreign => &other.client,
                    _ => &acme.client,
                };
                (kind, client, account)
            })
            .collect();
        let answers: Vec<Answer> = thread::scope(|scope| {
            let running: Vec<_> = sent
                .iter()
                .map(|(_, client, account)| {
                    scope.spawn(|| {
                        client.call("Sip.addAccount", &record! { account: account.clone() })
                    })
                })
                .collect();
            running.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let (mut positions, mut numbers, mut same) = (BTreeSet::new(), BTreeSet::new(), 0);
        for (n, ((kind, client, _), answer)) in sent.iter().zip(&answers).enumerate() {
            let code = answer.outcome.as_ref().map_or_else(|fault| fault.code, |_| 0);
            let expected = match kind {
                Kind::TooLong => 9000,
                Kind::Foreign => 1000,
                Kind::Same if code == 1011 => 1011,
                _ => 0,
            };
            assert_eq!(code, expected, "{kind:?} {n} on {}", p.backend);
            let Ok(added) = &answer.outcome else {
                assert_eq!(answer.position, None);
                continue;
            };
            let username = added.text_at("id/username");
            let address = format!("{username}@example.com");
            match kind {
                Kind::Next => assert!(numbers.insert(username.parse::<u64>().unwrap())),
                Kind::Same => same += 1,
                _ => assert_eq!(username, format!("u{n}")),
            }
            // The answer is the record, its position that of its own row, which names who did it.
            let stored = client.ok("Sip.getAccount", record! { sipId: sip_id(&address) });
            assert_eq!(&stored, added, "{kind:?} {n} on {}", p.backend);
            assert_eq!(stored.texts_at("groups"), [format!("group{n}")]);
            assert_eq!((stored.int_at("customer"), stored.int_at("reseller")), (child.id, acme.id));
            let position = answer.position.unwrap();
            assert!(positions.insert(position));
            let login = match kind {
                Kind::Customer => "child",
                Kind::Administrator => "admin",
                _ => "acme",
            };
            let row = p.database.sql(&format!(
                "SELECT login, operation, entity_key FROM journal WHERE id = {position}"
            ));
            let words: Vec<&str> =
                row.split(['\t', '|', '\n', ' ']).filter(|w| !w.is_empty()).collect();
            assert_eq!(words, [login, "Sip:addAccount", &address]);
        }
        assert_eq!(same, 1);
        // B54: no number is left out.
        let (first, count) = (*numbers.first().unwrap(), numbers.len() as u64);
        assert_eq!(numbers, (first..first + count).collect());
    });
}
