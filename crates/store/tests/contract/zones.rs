//! What DNS servers read.

use crate::backend::{Backend, actor};
use crate::on_both;
use ngn_model::zone::{RecordRef, RecordRow, ZoneRows};
use ngn_model::{DomainName, Entity};
use ngn_store::{Loaded, NewRecord, RecordOrigin, StoreError};

on_both!(
    zones_are_loaded_whole,
    names_are_read_again,
    fancy_records_are_not_dns,
    duplicates_of_a_record_are_refused,
    a_removed_zone_takes_its_records_along,
    unusable_rows_stop_nothing,
);

pub(crate) fn name(text: &str) -> DomainName {
    DomainName::new(text).expect("a name")
}

pub(crate) fn record(domain_id: i64, name: &str, rtype: &str, content: &str) -> NewRecord {
    NewRecord {
        domain_id,
        name: name.to_owned(),
        rtype: rtype.to_owned(),
        content: content.to_owned(),
        ttl: 3600,
        priority: 0,
        origin: RecordOrigin::Api,
        value: None,
        owner: 0,
        record_key: None,
    }
}

/// Adds a zone with an SOA and records given as (owner, type, content).
pub(crate) async fn add_zone(backend: &Backend, apex: &str, records: &[(&str, &str, &str)]) -> i64 {
    let apex = &name(apex);
    let (id, _) = backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                let id = tx.insert_zone(apex).await?;
                let soa = format!("ns1.{apex} hostmaster.{apex} 0 14400 3600 604800 300");
                let soa = NewRecord {
                    origin: RecordOrigin::Zone,
                    ..record(id, apex.as_str(), "SOA", &soa)
                };
                tx.insert_record(&soa).await?;
                for (owner, rtype, content) in records {
                    tx.insert_record(&record(id, owner, rtype, content)).await?;
                }
                tx.journal(Entity::Zone, apex, Some(apex.as_str()), None, None);
                Ok::<_, StoreError>(id)
            })
        })
        .await
        .expect("a zone");
    id
}

async fn load(backend: &Backend) -> Vec<ZoneRows> {
    let mut zones: Vec<ZoneRows> = Vec::new();
    let each = |loaded: Loaded<'_>| match loaded {
        Loaded::Zone(zone) => zones.push(zone),
        Loaded::Record(zone, RecordRef { name, rtype, content, ttl, priority }) => {
            let (name, rtype, content) = (name.to_owned(), rtype.to_owned(), content.to_owned());
            zones[zone].records.push(RecordRow { name, rtype, content, ttl, priority });
        }
    };
    backend.store.load_zones(each).await.expect("the zones");
    zones
}

async fn zones_are_loaded_whole(backend: &Backend) {
    assert!(load(backend).await.is_empty());
    add_zone(backend, "empty.example", &[]).await;
    backend.sql("DELETE FROM records").await;
    add_zone(
        backend,
        "b.example",
        &[("www.b.example", "A", "192.0.2.1"), ("b.example", "NS", "ns1.b.example")],
    )
    .await;
    add_zone(backend, "a.example", &[("a.example", "TXT", "\"gr\u{fc}n\"")]).await;
    let zones = load(backend).await;
    let sizes: Vec<_> = zones.iter().map(|z| (z.apex.as_str(), z.records.len())).collect();
    assert_eq!(sizes, [("empty.example", 0), ("b.example", 3), ("a.example", 2)]);
    for zone in &zones {
        let mut alone = backend.store.zone(&zone.apex).await.expect("a zone").expect("that zone");
        let mut together = zone.clone();
        let key = |r: &RecordRow| (r.name.clone(), r.rtype.clone(), r.content.clone());
        alone.records.sort_by_key(key);
        together.records.sort_by_key(key);
        assert_eq!(alone, together);
        assert!(zone.serial > 2_026_000_000, "{}", zone.serial);
    }
    assert_eq!(backend.store.zone(&name("c.example")).await.expect("an answer"), None);
}

async fn names_are_read_again(backend: &Backend) {
    add_zone(
        backend,
        "a.example",
        &[("x.a.example", "A", "192.0.2.1"), ("x.a.example", "A", "192.0.2.2")],
    )
    .await;
    // A delegated name stands in both zones (B129c).
    add_zone(backend, "example", &[("x.a.example", "NS", "ns.example")]).await;
    let asked: Vec<(String, String)> = [
        ("a.example", "x.a.example"),
        ("a.example", "nothing.a.example"),
        ("example", "x.a.example"),
        ("a.example", "x.a.example"),
        ("other.example", "x.a.example"),
    ]
    .map(|(zone, owner)| (zone.to_owned(), owner.to_owned()))
    .to_vec();
    let answers = backend.store.records_at(&asked).await.expect("records");
    let counts: Vec<usize> = answers.iter().map(|(_, records)| records.len()).collect();
    assert_eq!(counts, [2, 0, 1, 2, 0]);
    assert!(answers.iter().map(|(name, _)| name).eq(asked.iter()));
    // More names than one statement asks for.
    let many: Vec<(String, String)> =
        (0..450).map(|i| ("a.example".to_owned(), format!("{i}.a.example"))).chain(asked).collect();
    let answers = backend.store.records_at(&many).await.expect("records");
    assert_eq!(answers.len(), 455);
    assert_eq!(answers.iter().map(|(_, records)| records.len()).sum::<usize>(), 5);
}

async fn fancy_records_are_not_dns(backend: &Backend) {
    let id = add_zone(backend, "a.example", &[]).await;
    let fancy = &NewRecord {
        origin: RecordOrigin::Fancy,
        ..record(id, "www.a.example", "URL", "https://example.net/")
    };
    let plain = &record(id, "www.a.example", "A", "192.0.2.1");
    let ((first, second), _) = backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                Ok::<_, StoreError>((
                    tx.insert_record(fancy).await?,
                    tx.insert_record(plain).await?,
                ))
            })
        })
        .await
        .expect("records");
    // One sequence of ids for both kinds.
    assert_eq!(second, first + 1);
    let [zone] = load(backend).await.try_into().expect("one zone");
    assert!(zone.records.iter().all(|record| record.rtype != "URL"));
    let at = [("a.example".to_owned(), "www.a.example".to_owned())];
    let answers = backend.store.records_at(&at).await.expect("records");
    assert_eq!(answers[0].1.len(), 1);
}

async fn duplicates_of_a_record_are_refused(backend: &Backend) {
    let id = add_zone(backend, "a.example", &[]).await;
    let keyed = &NewRecord {
        record_key: Some("digest".to_owned()),
        ..record(id, "www.a.example", "A", "192.0.2.1")
    };
    let insert = || {
        backend.store.write(actor(), |tx| Box::pin(async move { tx.insert_record(keyed).await }))
    };
    insert().await.expect("the first");
    assert!(insert().await.expect_err("the second").is_duplicate());
    let orphan = &record(id + 100, "www.a.example", "A", "192.0.2.1");
    let error = backend
        .store
        .write(actor(), |tx| Box::pin(async move { tx.insert_record(orphan).await }))
        .await
        .expect_err("no such zone");
    assert!(matches!(error, StoreError::Reference(_)), "{error}");
}

async fn a_removed_zone_takes_its_records_along(backend: &Backend) {
    let id = add_zone(backend, "a.example", &[("x.a.example", "A", "192.0.2.1")]).await;
    add_zone(backend, "b.example", &[]).await;
    let apex = &name("a.example");
    let (removed, _) = backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                assert_eq!(tx.zone_id(apex).await?, Some(id));
                let removed = tx.delete_records_at(id, "x.a.example", RecordOrigin::Enum).await?
                    + tx.delete_records_at(id, "x.a.example", RecordOrigin::Api).await?;
                tx.delete_zone(id).await?;
                assert_eq!(tx.zone_id(apex).await?, None);
                Ok::<_, StoreError>(removed)
            })
        })
        .await
        .expect("a commit");
    assert_eq!(removed, 1);
    assert_eq!(backend.number("SELECT COUNT(*) FROM records").await, 1);
    assert_eq!(load(backend).await.len(), 1);
}

/// What other programs may have put there.
async fn unusable_rows_stop_nothing(backend: &Backend) {
    let id = add_zone(backend, "a.example", &[]).await;
    backend
        .sql(format!(
            "INSERT INTO domains (name, type) VALUES ('no domain name', 'NATIVE'); \
             INSERT INTO records (domain_id, name, type) VALUES ({id}, 'ent.a.example', NULL); \
             INSERT INTO records (domain_id, name, type, content, ttl, prio) \
             VALUES ({id}, 'x.a.example', 'A', NULL, NULL, -5); \
             INSERT INTO records (domain_id, name, type, content) \
             SELECT id, 'lost', 'A', '192.0.2.1' FROM domains WHERE name = 'no domain name'"
        ))
        .await;
    let [zone] = load(backend).await.try_into().expect("one zone");
    let odd = zone.records.iter().find(|record| record.name == "x.a.example").expect("the row");
    assert_eq!((odd.content.as_str(), odd.ttl, odd.priority), ("", 0, 0));
    assert_eq!(zone.records.len(), 2);
}
