//! Many clients at one zone.

use ngn_tests::database::Backend;
use ngn_tests::fixture::{dns_record, reseller, zone};
use ngn_tests::platform::Platform;
use ngn_tests::soap::Client;
use ngn_tests::{matching, record};

/// Runs the work in 32 threads at once, each with its number.
fn at_once(work: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        for n in 0..32 {
            let work = &work;
            scope.spawn(move || work(n));
        }
    });
}

fn add(client: &Client, name: &str, kind: &str, value: &str, ttl: usize) -> Result<(), i64> {
    let record =
        dns_record("example.com", name, kind, value).with("ttl", i64::try_from(ttl).unwrap());
    client
        .call("Dns.addRecord", &record! { record: record })
        .outcome
        .map(drop)
        .map_err(|fault| fault.code)
}

/// On each database; the answers come in any order, so the two are not compared.
fn on_each(test: impl Fn(&Platform)) {
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        test(&Platform::start(backend));
    }
}

// B116: nothing is lost, and the serial counts each of them.
#[test]
fn different_names() {
    on_each(|p| {
        let acme = reseller(p, "acme");
        zone(&acme.client, "example.com");
        let serial =
            || acme.client.ok("Dns.getZone", record! { zone: "example.com" }).int_at("serial");
        let before = serial();
        at_once(|n| {
            for i in 0..5 {
                assert_eq!(add(&acme.client, &format!("h{n}-{i}"), "A", "192.0.2.1", 60), Ok(()));
            }
        });
        let found = acme.client.ok("Dns.getRecords", matching(record! { zone: "example.com" }));
        assert_eq!(found.int_at("total"), 160);
        assert_eq!(serial(), before + 160);
    });
}

// B129b: one RRset has one TTL, also when all of it comes at once to a name that was empty.
#[test]
fn one_new_name() {
    on_each(|p| {
        let acme = reseller(p, "acme");
        zone(&acme.client, "example.com");
        at_once(|n| {
            assert_eq!(add(&acme.client, "www", "A", &format!("192.0.2.{n}"), 60 + n), Ok(()))
        });
        let found = acme.client.ok("Dns.getRecords", matching(record! { zone: "example.com" }));
        assert_eq!(found.int_at("total"), 32);
        let mut ttls = found.column("records", "ttl");
        ttls.dedup();
        assert_eq!(ttls.len(), 1, "{ttls:?}");
    });
}

// B119: one of all that want the same place gets it.
#[test]
fn one_place() {
    on_each(|p| {
        let acme = reseller(p, "acme");
        zone(&acme.client, "example.com");
        at_once(|_| {
            let outcome = add(&acme.client, "same", "A", "192.0.2.1", 60);
            assert!(matches!(outcome, Ok(()) | Err(7003)), "{outcome:?}");
            let outcome = add(&acme.client, "alias", "CNAME", "www", 60);
            assert!(matches!(outcome, Ok(()) | Err(7003)), "{outcome:?}");
        });
        at_once(|n| {
            let (kind, value) = if n % 2 == 0 { ("CNAME", "www") } else { ("TXT", "text") };
            let outcome = add(&acme.client, "either", kind, value, 60);
            assert!(matches!(outcome, Ok(()) | Err(7003 | 7004)), "{outcome:?}");
        });
        for name in ["same", "alias", "either"] {
            let found = acme
                .client
                .ok("Dns.getRecords", matching(record! { name: format!("{name}.example.com") }));
            assert_eq!(found.int_at("total"), 1, "{name}");
        }
    });
}
