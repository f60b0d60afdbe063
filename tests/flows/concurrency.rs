//! Many clients at once: nothing is lost, nothing is given out twice, and what DNS shows is what SOAP shows.

use std::collections::BTreeSet;
use std::thread;

use hickory_proto::rr::RecordType::NAPTR;
use ngn_tests::database::Backend;
use ngn_tests::dns::answers;
use ngn_tests::fixture::{domain, enum_number, person, range, reseller, subscriber};
use ngn_tests::platform::Platform;
use ngn_tests::soap::Fault;
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

#[ignore = "ngn up runs neither sipd nor enumd yet"]
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
#[ignore = "ngn up runs neither sipd nor enumd yet"]
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
#[ignore = "ngn up runs neither sipd nor enumd yet"]
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

#[ignore = "ngn up runs neither sipd nor enumd yet"]
#[test]
fn one_range_takes_many_writers() {
    on_each(|p| {
        let admin = p.admin();
        range(&admin, "3120");
        together(|n| {
            for m in 0..10 {
                let number = format!("3120{n:02}{m}");
                admin.ok(
                    "Enum.addNumber",
                    record! { number: enum_number(&number, &format!("sip:{number}@example.com")) },
                );
            }
        });
        let found = admin.ok("Enum.getRanges", matching(record! { prefix: "3120" }));
        assert_eq!(found.int_at("ranges/0/used"), i64::try_from(CLIENTS * 10).unwrap());
        p.settle();
        for n in 0..CLIENTS {
            for m in 0..10 {
                let digits: Vec<char> = format!("3120{n:02}{m}").chars().rev().collect();
                let name = digits.iter().map(char::to_string).collect::<Vec<_>>().join(".");
                assert_eq!(
                    answers(p.dns_address(), &format!("{name}.e164.arpa"), NAPTR).len(),
                    1,
                    "{name}"
                );
            }
        }
    });
}
