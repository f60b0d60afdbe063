//! ENUM ranges and numbers.

use crate::backend::{Backend, actor};
use crate::on_both;
use crate::zones::{name, record};
use ngn_model::{E164, Ownership};
use ngn_store::{
    EnumMappingRow, EnumNumberRow, EnumRangeRow, Filter, NewRecord, Range, RangeHold, RecordOrigin,
    StoreError,
};
use std::time::Duration;

on_both!(
    ranges_are_kept_and_counted,
    the_longest_prefix_comes_first,
    numbers_keep_their_mappings,
    numbers_are_found_by_one_mapping,
    nested_ranges_take_their_numbers,
    adding_to_a_range_does_not_queue,
);

fn number(digits: &str) -> E164 {
    E164::new(digits).expect("digits")
}

/// The domain that a range's zone has in these tests.
fn apex(prefix: &str) -> String {
    let reversed: String = prefix.chars().rev().map(|digit| format!("{digit}.")).collect();
    format!("{reversed}e164.arpa")
}

async fn add_range(backend: &Backend, prefix: &str, owner: (i64, i64)) -> EnumRangeRow {
    let row = &EnumRangeRow {
        prefix: prefix.to_owned(),
        tld: "e164.arpa".to_owned(),
        nameservers: "[]".to_owned(),
        ttl: 60,
        size: 7,
        info: Some("Info".to_owned()),
        customer: owner.0,
        reseller: owner.1,
        ..Default::default()
    };
    let (added, _) = backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                let domain_id = tx.insert_zone(&name(&apex(&row.prefix))).await?;
                let id = tx.insert_enum_range(&EnumRangeRow { domain_id, ..row.clone() }).await?;
                tx.hold_enum_range(id, RangeHold::Shared).await
            })
        })
        .await
        .expect("a range");
    added.expect("the range")
}

/// Adds a number with mappings given as (type, URI, priority), and a record for it.
async fn add_number(
    backend: &Backend,
    of: &EnumRangeRow,
    digits: &str,
    maps: &[(&str, &str, i64)],
) -> i64 {
    let row = &EnumNumberRow {
        range_id: of.id,
        number: digits.to_owned(),
        tld: "e164.arpa".to_owned(),
        owner: 42,
        ..Default::default()
    };
    let naptr = &NewRecord {
        origin: RecordOrigin::Enum,
        ..record(
            of.domain_id,
            &apex(digits),
            "NAPTR",
            "100 5 \"u\" \"E2U+sip\" \"!^.*$!sip:a@b!\" .",
        )
    };
    let (id, _) = backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                tx.hold_enum_range(row.range_id, RangeHold::Shared).await?;
                let number_id = tx.insert_enum_number(row).await?;
                for (kind, mapto, priority) in maps {
                    let mapping = EnumMappingRow {
                        number_id,
                        kind: (*kind).to_owned(),
                        mapto: (*mapto).to_owned(),
                        mapto_bare: bare(&mapto.to_lowercase()),
                        priority: *priority,
                        ttl: 3600,
                        ..Default::default()
                    };
                    tx.insert_enum_mapping(&mapping).await?;
                }
                tx.insert_record(naptr).await?;
                Ok::<_, StoreError>(number_id)
            })
        })
        .await
        .expect("a number");
    id
}

fn bare(uri: &str) -> String {
    uri.split_once(':').map_or(uri, |(_, rest)| rest).to_owned()
}

async fn ranges_are_kept_and_counted(backend: &Backend) {
    let added = &add_range(backend, "3120", (8, 5)).await;
    add_range(backend, "3130", (5, 5)).await;
    add_number(backend, added, "31201", &[]).await;
    let zone = backend
        .store
        .write(actor(), |tx| Box::pin(async move { tx.insert_zone(&name(&apex("3120"))).await }));
    assert!(zone.await.expect_err("one zone of a name").is_duplicate());
    let (tld, prefix) = (&name("e164.arpa"), &number("3120"));
    let changed = &EnumRangeRow { ttl: 120, info: None, customer: 9, ..added.clone() };
    backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                let read = tx.enum_range(prefix, tld).await?.expect("the range");
                assert_eq!((read.zone.as_str(), read.used, read.size), ("0.2.1.3.e164.arpa", 1, 7));
                assert_eq!(&EnumRangeRow { used: 0, ..read }, added);
                assert!(tx.enum_range_in_use(added.id).await?);
                assert_eq!(tx.count_in_enum_range(added.id).await?, 1);
                tx.update_enum_range(changed).await?;
                let read = tx.enum_range(prefix, tld).await?.expect("the range");
                assert_eq!((read.ttl, read.info, read.customer), (120, None, 9));
                for (owner, ranges, numbers) in
                    [((0, 5), 2, 1), ((9, 0), 1, 1), ((5, 0), 1, 0), ((8, 0), 0, 0)]
                {
                    let owner = Ownership { customer: owner.0, reseller: owner.1 };
                    assert_eq!(tx.count_enum_ranges(owner).await?, ranges);
                    assert_eq!(tx.count_enum_numbers(owner).await?, numbers);
                }
                Ok::<_, StoreError>(())
            })
        })
        .await
        .expect("a commit");
    // B111: numbers keep their range.
    let (id, domain_id) = (changed.id, changed.domain_id);
    let removed = backend
        .store
        .write(actor(), |tx| Box::pin(async move { tx.delete_enum_range(id).await }))
        .await;
    assert!(matches!(removed, Err(StoreError::Reference(_))));
    backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                let row = tx.enum_number(&number("31201"), tld).await?.expect("the number");
                tx.delete_enum_number(row.id).await?;
                tx.delete_enum_range(id).await?;
                tx.delete_zone(domain_id).await
            })
        })
        .await
        .expect("a commit");
    assert_eq!(backend.number("SELECT COUNT(*) FROM enum_ranges").await, 1);
    assert_eq!(backend.number("SELECT COUNT(*) FROM records").await, 0);
}

async fn the_longest_prefix_comes_first(backend: &Backend) {
    let mut ids = Vec::new();
    for prefix in ["3120", "3", "312", "4"] {
        ids.push(add_range(backend, prefix, (0, 0)).await.id);
    }
    let tld = &name("e164.arpa");
    for (digits, expected) in [
        ("31201", vec![ids[0], ids[2], ids[1]]),
        ("3120", vec![ids[0], ids[2], ids[1]]),
        ("313", vec![ids[1]]),
        ("5", vec![]),
    ] {
        let found = backend
            .store
            .read(|tx| Box::pin(async move { tx.enum_ranges_around(&number(digits), tld).await }))
            .await;
        assert_eq!(found.expect("ranges"), expected, "{digits}");
    }
}

async fn numbers_keep_their_mappings(backend: &Backend) {
    let of = add_range(backend, "3120", (8, 5)).await;
    let maps = [("sip", "sip:a@b", 9), ("mailto", "mailto:a@b", 2)];
    let id = add_number(backend, &of, "31201", &maps).await;
    let tld = &name("e164.arpa");
    backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                let row = tx.enum_number(&number("31201"), tld).await?.expect("the number");
                assert_eq!((row.id, row.owner), (id, 42));
                assert_eq!(row.ownership(), Ownership { customer: 8, reseller: 5 });
                assert_eq!(tx.lock_enum_number(id).await?, Some(of.id));
                assert_eq!(tx.lock_enum_number(id + 1).await?, None);
                let mut mappings = tx.enum_mappings(&[id]).await?.remove(&id).expect("mappings");
                assert_eq!(mappings.iter().map(|m| m.priority).collect::<Vec<_>>(), [2, 9]);
                let mut first = mappings.remove(0);
                first.priority = 10;
                tx.update_enum_mapping(&first).await?;
                let info = Some("desk".to_owned());
                tx.update_enum_number(&EnumNumberRow { info, owner: 0, ..row }).await?;
                let mappings = tx.enum_mappings(&[id]).await?.remove(&id).expect("mappings");
                assert_eq!(mappings.last(), Some(&first));
                tx.delete_enum_mapping(first.id).await?;
                assert_eq!(tx.enum_mappings(&[id]).await?.get(&id).map(Vec::len), Some(1));
                Ok::<_, StoreError>(())
            })
        })
        .await
        .expect("a commit");
    let again = EnumNumberRow {
        range_id: of.id,
        number: "31201".to_owned(),
        tld: "e164.arpa".to_owned(),
        ..Default::default()
    };
    let again = &again;
    let twice = backend
        .store
        .write(actor(), |tx| Box::pin(async move { tx.insert_enum_number(again).await }))
        .await;
    assert!(twice.expect_err("one number once").is_duplicate());
    backend
        .store
        .write(actor(), |tx| Box::pin(async move { tx.delete_enum_number(id).await }))
        .await
        .expect("a commit");
    assert_eq!(backend.number("SELECT COUNT(*) FROM enum_mappings").await, 0);
}

// B47: one mapping fulfils both, with or without its scheme.
async fn numbers_are_found_by_one_mapping(backend: &Backend) {
    let of = add_range(backend, "3120", (8, 5)).await;
    add_number(backend, &of, "31201", &[("sip", "sip:Al|ce@b", 5), ("mailto", "mailto:m@b", 5)])
        .await;
    add_number(backend, &of, "31202", &[("sip", "sip:bob@b", 5), ("sms", "mailto:bob@b", 5)]).await;
    add_number(backend, &of, "31203", &[]).await;
    for (kind, mapto, expected) in [
        (None, None, 3),
        (Some(""), Some("%"), 3),
        (Some("sip"), None, 2),
        (Some("s%"), Some("%bob%"), 1),
        (Some("SIP"), Some("al|CE@b"), 1),
        (Some("sip"), Some("SIP:al|ce@b"), 1),
        (Some("mailto"), Some("al|ce@b"), 0),
        (None, Some("mailto:al|ce@b"), 0),
        (None, Some("b_b@b"), 1),
        (None, Some("mailto:%"), 2),
        (Some("sip"), Some("m@b"), 0),
    ] {
        let found = backend
            .store
            .read(|tx| {
                Box::pin(async move {
                    let mut filter = Filter::new();
                    filter.enum_mapping(kind, mapto, bare);
                    tx.list_enum_numbers(filter, None, Range::default()).await
                })
            })
            .await;
        assert_eq!(found.expect("numbers").total, expected, "{kind:?} {mapto:?}");
    }
}

// B114: each number in the zone of the longest prefix.
async fn nested_ranges_take_their_numbers(backend: &Backend) {
    let outer = add_range(backend, "31", (8, 5)).await;
    for digits in ["3120", "31201", "3121", "31"] {
        add_number(backend, &outer, digits, &[]).await;
    }
    let inner = add_range(backend, "3120", (8, 5)).await;
    let (from, to) = (&outer, &inner);
    let (moved, _) = backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                tx.hold_enum_range(from.id, RangeHold::Exclusive).await?;
                assert!(tx.enum_range_reaches(from.id, &number("3120")).await?);
                let moved = tx.move_enum_numbers(from, to).await?;
                assert!(!tx.enum_range_reaches(from.id, &number("3120")).await?);
                assert_eq!(tx.count_in_enum_range(from.id).await?, 2);
                Ok::<_, StoreError>(moved)
            })
        })
        .await
        .expect("a commit");
    assert_eq!(moved, 2);
    let zone = backend.store.zone(&name(&inner.zone)).await.expect("an answer").expect("the zone");
    let mut names: Vec<_> = zone.records.into_iter().map(|record| record.name).collect();
    names.sort();
    assert_eq!(names, [apex("3120"), apex("31201")]);
    let zone = backend.store.zone(&name(&outer.zone)).await.expect("an answer").expect("the zone");
    assert_eq!(zone.records.len(), 2);
}

// Adding numbers holds the range, its zone and nothing else: open transactions do not wait for one another.
async fn adding_to_a_range_does_not_queue(backend: &Backend) {
    let of = &add_range(backend, "3120", (8, 5)).await;
    if backend.store.dialect() == ngn_store::Dialect::Sqlite {
        // One writer at a time; only the result counts.
        for i in 0..32 {
            add_number(backend, of, &format!("3120{i:03}"), &[]).await;
        }
    } else {
        let all = &tokio::sync::Barrier::new(16);
        let adding = (0..16).map(|i| async move {
            let row = &EnumNumberRow {
                range_id: of.id,
                number: format!("3120{i:03}"),
                tld: "e164.arpa".to_owned(),
                ..Default::default()
            };
            let naptr = &NewRecord {
                origin: RecordOrigin::Enum,
                ..record(of.domain_id, &apex(&row.number), "NAPTR", "x")
            };
            let added = backend.store.write(actor(), |tx| {
                Box::pin(async move {
                    tx.hold_enum_range(of.id, RangeHold::Shared).await?;
                    tx.insert_enum_number(row).await?;
                    tx.insert_record(naptr).await?;
                    // All are in the middle of it at one time.
                    all.wait().await;
                    Ok::<_, StoreError>(())
                })
            });
            added.await.expect("a commit");
        });
        let done = tokio::time::timeout(Duration::from_secs(20), futures::future::join_all(adding));
        assert_eq!(done.await.expect("nobody waits").len(), 16);
    }
    let expected = if backend.store.dialect() == ngn_store::Dialect::Sqlite { 32 } else { 16 };
    assert_eq!(backend.number("SELECT COUNT(*) FROM enum_numbers").await, expected);
}
