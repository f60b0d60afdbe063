//! The last unit of every credit (B36-B38) and of a range's size (B102), wanted by 64 clients at one time: one gets it.

use std::collections::BTreeMap;
use std::thread;

use ngn_tests::database::Backend;
use ngn_tests::fixture::{
    Tenant, account, customer, dns_record, dns_zone, domain, enum_number, enum_range, person,
    range, reseller, zone,
};
use ngn_tests::platform::Platform;
use ngn_tests::soap::{Client, Login};
use ngn_tests::{Value, matching, record, sip_id};

const CLIENTS: usize = 64;
const EXHAUSTED: i64 = 8002;

/// Whose records are made: a domain, a range and a zone of one owner, where records inherit it (B15), and the owner's id,
/// where a reseller names it (B9).
#[derive(Clone, Copy)]
struct Place {
    /// Two digits that no other place has.
    digits: u8,
    owner: i64,
}

impl Place {
    fn domain(self) -> String {
        format!("p{}.example.com", self.digits)
    }

    fn zone(self) -> String {
        format!("p{}.example.org", self.digits)
    }

    fn prefix(self) -> String {
        format!("31{}", self.digits)
    }

    /// Makes what records lie in.
    fn furnish(self, client: &Client) {
        domain(client, &self.domain());
        account(client, &format!("target@{}", self.domain()));
        range(client, &self.prefix());
        zone(client, &self.zone());
    }
}

/// A kind of record that is counted.
struct Kind {
    /// The property that limits it.
    credit: &'static str,
    /// Adds one.
    add: &'static str,
    /// What is added: the record of that number in a place.
    record: fn(Place, usize) -> Value,
    /// The fault of a key that is taken.
    taken: i64,
    /// Lists them.
    list: &'static str,
}

const KINDS: &[Kind] = &[
    Kind {
        credit: "sip_credit",
        add: "Sip.addAccount",
        record: |place, n| {
            let id = sip_id(&format!("u{n}@{}", place.domain()));
            record! { account: record! { id: id, password: "secret" } }
        },
        taken: 1011,
        list: "Sip.getAccounts",
    },
    Kind {
        credit: "sip_alias_credit",
        add: "Sip.addAlias",
        record: |place, n| {
            let address = |user: &str| sip_id(&format!("{user}@{}", place.domain()));
            record! { alias: record! { id: address(&format!("a{n}")), target: address("target") } }
        },
        taken: 1021,
        list: "Sip.getAliases",
    },
    Kind {
        credit: "enum_range_credit",
        add: "Enum.addRange",
        record: |place, n| {
            let range = enum_range(&format!("49{}{n:03}", place.digits));
            record! { range: range.with("customer", place.owner) }
        },
        taken: 3001,
        list: "Enum.getRanges",
    },
    Kind {
        credit: "enum_number_credit",
        add: "Enum.addNumber",
        record: |place, n| {
            let number = enum_number(&format!("{}{n:04}", place.prefix()), "sip:a@example.com");
            record! { number: number }
        },
        taken: 3003,
        list: "Enum.getNumbers",
    },
    Kind {
        credit: "dns_zone_credit",
        add: "Dns.addZone",
        record: |place, n| {
            let zone = dns_zone(&format!("z{n}.p{}.example.net", place.digits));
            record! { zone: zone.with("customer", place.owner) }
        },
        taken: 7001,
        list: "Dns.getZones",
    },
    Kind {
        credit: "email_credit",
        add: "Dns.addFancyRecord",
        record: |place, n| {
            let name = format!("m{n}@{}", place.zone());
            record! { record: dns_record(&place.zone(), &name, "MBOXFW", "a@example.com") }
        },
        taken: 7003,
        list: "Dns.getFancyRecords",
    },
];

impl Kind {
    fn total(&self, client: &Client) -> i64 {
        client.ok(self.list, matching(Value::empty())).int_at("total")
    }

    /// Lets a tenant have as many more as given.
    fn allow(&self, p: &Platform, tenant: &Tenant, more: i64) {
        let limit = (self.total(&tenant.client) + more).to_string();
        p.admin().ok("Customer.setProperties", record! { customer: tenant.id, properties: vec![
            record! { name: self.credit, value: limit, category: "credit", permission: "admin" },
        ] });
    }
}

/// What 64 clients got: 0 for success, else the fault's code, and how many got it.
fn race(call: impl Fn(usize) -> i64 + Sync) -> BTreeMap<i64, usize> {
    let codes: Vec<i64> = thread::scope(|scope| {
        let running: Vec<_> = (0..CLIENTS)
            .map(|n| {
                let call = &call;
                scope.spawn(move || call(n))
            })
            .collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let mut counts = BTreeMap::new();
    for code in codes {
        *counts.entry(code).or_default() += 1;
    }
    counts
}

fn code(client: &Client, operation: &str, parameters: &Value) -> i64 {
    client.call(operation, parameters).outcome.map_or_else(|fault| fault.code, |_| 0)
}

fn on_each(test: impl Fn(&Platform) + Sync) {
    thread::scope(|scope| {
        for backend in [Backend::Sqlite, Backend::MariaDb] {
            let test = &test;
            scope.spawn(move || test(&Platform::start(backend)));
        }
    });
}

/// A reseller with two customers, each with a place of its own; a record number that no race used yet.
struct Arena<'p> {
    p: &'p Platform,
    acme: Tenant,
    children: [Tenant; 2],
    places: [Place; 2],
    next: std::cell::Cell<usize>,
}

impl<'p> Arena<'p> {
    fn new(p: &'p Platform) -> Self {
        let acme = reseller(p, "acme");
        let children = ["one", "two"].map(|name| customer(p, &acme, name));
        let places = [0, 1].map(|n: u8| {
            let child = &children[usize::from(n)];
            let place = Place { digits: 20 + n, owner: child.id };
            place.furnish(&child.client);
            place
        });
        Self { p, acme, children, places, next: std::cell::Cell::new(0) }
    }

    /// The first of 64 fresh record numbers.
    fn fresh(&self) -> usize {
        self.next.replace(self.next.get() + CLIENTS)
    }

    /// Sets what each may have more of a kind: the reseller, the first customer, the second one.
    fn allow(&self, kind: &Kind, more: [i64; 3]) {
        let tenants = [&self.acme, &self.children[0], &self.children[1]];
        for (tenant, more) in tenants.into_iter().zip(more) {
            kind.allow(self.p, tenant, more);
        }
    }

    /// Every other client belongs to the reseller, the others to the customer whose place it is.
    fn client(&self, n: usize, place: usize) -> &Client {
        if n.is_multiple_of(2) { &self.acme.client } else { &self.children[place].client }
    }

    /// 64 records, each with a key of its own; those of the second place begin at the given client.
    fn race(&self, kind: &Kind, second_from: usize) -> BTreeMap<i64, usize> {
        let first = self.fresh();
        let (before, places) = (kind.total(&self.acme.client), self.places);
        let clients: Vec<(&Client, Place)> = (0..CLIENTS)
            .map(|n| {
                let place = usize::from(n >= second_from);
                (self.client(n, place), places[place])
            })
            .collect();
        let outcome = race(|n| {
            let (client, place) = clients[n];
            code(client, kind.add, &(kind.record)(place, first + n))
        });
        let won = outcome.get(&0).copied().unwrap_or_default();
        let after = kind.total(&self.acme.client);
        assert_eq!(after - before, i64::try_from(won).unwrap(), "{}: {outcome:?}", kind.credit);
        outcome
    }
}

// B36, B37: of 64 that want the last record that a customer, its reseller or both may have, one gets it.
#[test]
fn one_of_64_gets_the_last_unit() {
    on_each(|p| {
        let arena = Arena::new(p);
        let one = BTreeMap::from([(0, 1), (EXHAUSTED, CLIENTS - 1)]);
        for kind in KINDS {
            for (what, more, second_from, expected) in [
                ("a customer's", [1000, 1, 1000], CLIENTS, &one),
                ("a reseller's", [1, 1000, 1000], CLIENTS / 2, &one),
                ("everybody's", [1, 1, 1], CLIENTS / 2, &one),
                // Two customers do not share what is theirs.
                (
                    "each customer's",
                    [1000, 1, 1],
                    CLIENTS / 2,
                    &BTreeMap::from([(0, 2), (EXHAUSTED, CLIENTS - 2)]),
                ),
            ] {
                arena.allow(kind, more);
                let outcome = arena.race(kind, second_from);
                assert_eq!(&outcome, expected, "{what} {} on {}", kind.credit, p.backend);
            }
        }
    });
}

// B36 and B53, B112, B119, B128: two records, each wanted by half of 64 clients, and one unit: one record is made, once,
// and everybody else learns that it exists or that there is no credit for the other.
#[test]
fn two_records_and_one_unit() {
    on_each(|p| {
        let arena = Arena::new(p);
        for kind in KINDS {
            arena.allow(kind, [1, 1000, 1000]);
            let (first, place) = (arena.fresh(), arena.places[0]);
            let before = kind.total(&arena.acme.client);
            let clients: Vec<&Client> = (0..CLIENTS).map(|n| arena.client(n, 0)).collect();
            let add = |client: &Client, key: usize| {
                code(client, kind.add, &(kind.record)(place, first + key))
            };
            let outcome = race(|n| add(clients[n], n / 2 % 2));
            let (name, backend) = (kind.credit, p.backend);
            assert_eq!(outcome.get(&0), Some(&1), "{name} on {backend}: {outcome:?}");
            let known = [0, EXHAUSTED, kind.taken];
            assert!(
                outcome.keys().all(|code| known.contains(code)),
                "{name} on {backend}: {outcome:?}"
            );
            assert_eq!(kind.total(&arena.acme.client), before + 1, "{name} on {backend}");
            // Afterwards the one is there and for the other there is no credit.
            let mut then = [0, 1].map(|key| add(&arena.acme.client, key));
            then.sort_unstable();
            let mut expected = [EXHAUSTED, kind.taken];
            expected.sort_unstable();
            assert_eq!(then, expected, "{name} on {backend}");
        }
    });
}

// B38: what no property limits, the configuration does, as exactly.
#[test]
fn one_of_64_gets_the_last_unit_of_the_default() {
    let settings = "[provisioning]\ndefault_credit = 2\n";
    thread::scope(|scope| {
        for backend in [Backend::Sqlite, Backend::MariaDb] {
            scope.spawn(move || {
                let p = Platform::start_with(backend, &[("ngnpro", settings)]);
                let new = person("acme").with("resellerActive", true);
                let id = p.admin().ok("Customer.addAccount", record! { account: new }).int_at("id");
                let acme = p.client(Login::customer("acme", "acme-password"));
                let place = Place { digits: 20, owner: id };
                // One account, one range and one zone of its two.
                place.furnish(&acme);
                for kind in KINDS {
                    let left = 2 - kind.total(&acme);
                    if left == 2 {
                        assert_eq!(code(&acme, kind.add, &(kind.record)(place, 900)), 0);
                    }
                    let outcome = race(|n| code(&acme, kind.add, &(kind.record)(place, n)));
                    let expected = BTreeMap::from([(0, 1), (EXHAUSTED, CLIENTS - 1)]);
                    assert_eq!(outcome, expected, "{} on {backend}", kind.credit);
                    assert_eq!(kind.total(&acme), 2, "{} on {backend}", kind.credit);
                }
            });
        }
    });
}

// B102: the last number that fits into a range, wanted by the customer and its reseller.
#[test]
fn one_of_64_gets_the_last_number_of_a_range() {
    on_each(|p| {
        let arena = Arena::new(p);
        let range = record! { range: enum_range("3199").with("size", 1) };
        arena.children[0].client.ok("Enum.addRange", range);
        let clients: Vec<&Client> = (0..CLIENTS).map(|n| arena.client(n, 0)).collect();
        let outcome = race(|n| {
            let number = enum_number(&format!("3199{n:03}"), "sip:a@example.com");
            code(clients[n], "Enum.addNumber", &record! { number: number })
        });
        let expected = BTreeMap::from([(0, 1), (3006, CLIENTS - 1)]);
        assert_eq!(outcome, expected, "{}", p.backend);
        let found = arena.acme.client.ok("Enum.getRanges", matching(record! { prefix: "3199" }));
        assert_eq!(found.int_at("ranges/0/used"), 1, "{}", p.backend);
    });
}
