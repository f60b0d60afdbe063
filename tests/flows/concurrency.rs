//! Many clients at once: nothing is lost, nothing is given out twice, and what DNS shows is what SOAP shows.

use std::collections::BTreeSet;
use std::thread;

use hickory_proto::rr::RecordType::NAPTR;
use ngn_tests::database::Backend;
use ngn_tests::dns::answers;
use ngn_tests::fixture::{domain, enum_number, enum_range, person, range, reseller, subscriber};
use ngn_tests::platform::Platform;
use ngn_tests::soap::{Client, Fault};
use ngn_tests::{matching, record};

const CLIENTS: usize = 16;

fn on_each(test: impl Fn(&Platform)) {
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        test(&Platform::start(backend));
    }
}

/// Runs the same work from many threads at once; gives what each returned.
fn together<T: Send>(work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let running: Vec<_> = (0..CLIENTS)
            .map(|n| {
                let work = &work;
                scope.spawn(move || work(n))
            })
            .collect();
        running.into_iter().map(|r| r.join().unwrap()).collect()
    })
}

#[test]
fn one_name_is_given_out_once() {
    on_each(|p| {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        let outcomes = together(|_| {
            acme.client
                .call(
                    "Sip.addAccount",
                    &record! {
                        account: subscriber("same@example.com"),
                    },
                )
                .outcome
                .map(|_| ())
        });
        assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 1);
        assert!(
            outcomes
                .iter()
                .filter_map(|o| o.as_ref().err())
                .all(|Fault { code, .. }| *code == 1011),
            "{outcomes:?}"
        );
        let outcomes = together(|_| {
            p.admin()
                .call("Customer.addAccount", &record! { account: person("same") })
                .outcome
                .map(|_| ())
        });
        assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 1);
        assert!(
            outcomes.iter().filter_map(|o| o.as_ref().err()).all(|fault| fault.code == 5001),
            "{outcomes:?}"
        );
    });
}

// B54: the server picks free numbers for all that ask at once.
#[test]
fn automatic_numbers_are_unique() {
    on_each(|p| {
        domain(&p.admin(), "example.com");
        let names: BTreeSet<String> = together(|_| {
            (0..5).map(|_| {
                let added = p.admin().ok("Sip.addAccount", record! {
                    account: record! { id: record! { username: "<autoincrement>", domain: "example.com" }, password: "x" },
                });
                added.text_at("id/username").to_owned()
            }).collect::<Vec<_>>()
        }).into_iter().flatten().collect();
        assert_eq!(names.len(), CLIENTS * 5);
    });
}

// B36 under pressure: a credit is never exceeded, and never refused while some is left.
#[test]
fn credits_are_exact() {
    on_each(|p| {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        p.admin().ok("Customer.setProperties", record! { customer: acme.id, properties: vec![
            record! { name: "sip_credit", value: "20", category: "credit", permission: "admin" },
        ] });
        let outcomes: Vec<Result<(), i64>> = together(|n| {
            (0..3)
                .map(|m| {
                    acme.client
                        .call(
                            "Sip.addAccount",
                            &record! {
                                account: subscriber(&format!("u{n}x{m}@example.com")),
                            },
                        )
                        .outcome
                        .map(|_| ())
                        .map_err(|fault| fault.code)
                })
                .collect::<Vec<_>>()
        })
        .into_iter()
        .flatten()
        .collect();
        assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 20);
        assert!(outcomes.iter().filter_map(|o| o.err()).all(|code| code == 8002), "{outcomes:?}");
        let found = acme.client.ok("Sip.getAccounts", matching(record! {}));
        assert_eq!(found.int_at("total"), 20);
    });
}

/// The numbers that [`fill`] adds below 3120.
fn numbers() -> impl Iterator<Item = String> {
    (0..CLIENTS).flat_map(|n| (0..10).map(move |m| format!("3120{n:02}{m}")))
}

fn fill(admin: &Client) {
    range(admin, "3120");
    together(|n| {
        for m in 0..10 {
            let number = format!("3120{n:02}{m}");
            admin.ok(
                "Enum.addNumber",
                record! { number: enum_number(&number, &format!("sip:{number}@example.com")) },
            );
        }
    });
}

#[test]
fn one_range_takes_many_writers() {
    on_each(|p| {
        fill(&p.admin());
        let found = p.admin().ok("Enum.getRanges", matching(record! { prefix: "3120" }));
        assert_eq!(found.int_at("ranges/0/used"), i64::try_from(CLIENTS * 10).unwrap());
        let stored = p.database.sql(
            "SELECT COUNT(*) FROM records r JOIN domains d ON d.id = r.domain_id \
             WHERE d.name = '0.2.1.3.e164.arpa' AND r.type = 'NAPTR'",
        );
        assert_eq!(stored.trim(), (CLIENTS * 10).to_string());
    });
}

#[test]
fn dns_shows_what_many_writers_wrote() {
    on_each(|p| {
        fill(&p.admin());
        p.settle();
        for number in numbers() {
            let name = number.chars().rev().map(String::from).collect::<Vec<_>>().join(".");
            let found = answers(p.dns_address(), &format!("{name}.e164.arpa"), NAPTR);
            assert_eq!(found.len(), 1, "{name}");
        }
    });
}

// B102, B36 under pressure: the size of a range and the credit for its numbers are exact.
#[test]
fn ranges_and_number_credits_are_exact() {
    on_each(|p| {
        let acme = reseller(p, "acme");
        acme.client.ok("Enum.addRange", record! { range: enum_range("3120").with("size", 10) });
        range(&acme.client, "3130");
        let add = |prefix: &str| {
            let outcomes = together(|n| {
                let number = enum_number(&format!("{prefix}{n:02}"), "sip:a@example.com");
                let call = acme.client.call("Enum.addNumber", &record! { number: number });
                call.outcome.map(|_| ()).map_err(|fault| fault.code)
            });
            let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
            (done, outcomes.into_iter().filter_map(Result::err).collect::<BTreeSet<i64>>())
        };
        assert_eq!(add("3120"), (10, BTreeSet::from([3006])));
        p.admin().ok("Customer.setProperties", record! { customer: acme.id, properties: vec![
            record! { name: "enum_number_credit", value: "14", category: "credit", permission: "admin" },
        ] });
        assert_eq!(add("3130"), (4, BTreeSet::from([8002])));
        let found = acme.client.ok("Enum.getNumbers", matching(record! {}));
        assert_eq!(found.int_at("total"), 14);
    });
}
