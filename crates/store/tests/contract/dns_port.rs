//! Zones and records as the Dns port keeps them (B115-B129b).

use crate::backend::{Backend, actor};
use crate::on_both;
use crate::zones::{name, record};
use ngn_model::Ownership;
use ngn_store::{
    DnsRecordRow, DnsZoneRow, Filter, NewRecord, Page, Range, RecordOrigin, StoreError,
};

on_both!(
    attributes_of_zones_come_back,
    zones_are_listed_and_counted,
    records_are_found_and_listed,
    a_record_is_replaced,
    an_rrset_has_one_ttl,
    a_name_is_seen_whole,
    a_held_zone_stays,
);

fn zone(apex: &str, customer: i64, reseller: i64) -> DnsZoneRow {
    DnsZoneRow {
        name: apex.to_owned(),
        customer,
        reseller,
        ttl: 60,
        email: format!("h@{apex}"),
        nameservers: vec!["ns1.example.net".to_owned(), "ns2.example.net".to_owned()],
        refresh: 1,
        retry: 2,
        expire: 3,
        minimum: 4,
        info: Some("text é".to_owned()),
        ..DnsZoneRow::default()
    }
}

async fn add(backend: &Backend, row: &DnsZoneRow) -> i64 {
    let (id, _) = backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                let domain_id = tx.insert_zone(&name(&row.name)).await?;
                tx.insert_dns_zone(&DnsZoneRow { domain_id, ..row.clone() }).await?;
                Ok::<_, StoreError>(domain_id)
            })
        })
        .await
        .expect("a zone");
    id
}

async fn insert(backend: &Backend, record: &NewRecord) -> i64 {
    let write = backend.store.write(actor(), |tx| Box::pin(tx.insert_record(record)));
    write.await.expect("a record").0
}

async fn records(backend: &Backend, filter: Filter, fancy: bool) -> Page<DnsRecordRow> {
    let filter = &filter;
    let order = &("name".to_owned(), "ASC".to_owned());
    backend
        .store
        .read(|tx| {
            Box::pin(tx.list_dns_records(filter.clone(), fancy, Some(order), Range::default()))
        })
        .await
        .expect("records")
}

async fn attributes_of_zones_come_back(backend: &Backend) {
    let given = zone("a.example", 7, 5);
    let domain_id = add(backend, &given).await;
    let apex = &name("a.example");
    let read = || backend.store.read(|tx| Box::pin(tx.dns_zone(apex)));
    let stored = read().await.expect("a read").expect("a zone");
    assert!(stored.change_date > 0);
    assert_eq!(stored, DnsZoneRow { domain_id, change_date: stored.change_date, ..given });
    let changed = &DnsZoneRow { nameservers: Vec::new(), info: None, ttl: 2_147_483_647, ..stored };
    backend
        .store
        .write(actor(), |tx| Box::pin(tx.update_dns_zone(changed)))
        .await
        .expect("a change");
    let stored = read().await.expect("a read").expect("a zone");
    assert_eq!(stored, DnsZoneRow { change_date: stored.change_date, ..changed.clone() });
    // Zones of other ports are none of this one.
    let other = &name("0.2.1.3.e164.arpa");
    backend.store.write(actor(), |tx| Box::pin(tx.insert_zone(other))).await.expect("a zone");
    let none = backend.store.read(|tx| Box::pin(tx.dns_zone(other))).await.expect("a read");
    assert_eq!(none, None);
}

async fn zones_are_listed_and_counted(backend: &Backend) {
    for (apex, customer, reseller) in
        [("b.example", 7, 5), ("a.example", 8, 5), ("c.example", 9, 6)]
    {
        add(backend, &zone(apex, customer, reseller)).await;
    }
    let mut filter = Filter::new();
    filter.text_lower("d.name", Some("%.EXAMPLE")).number("z.reseller", Some(5));
    let (filter, order) = (&filter, &("name".to_owned(), "DESC".to_owned()));
    let range = Range { start: 0, count: Some(1) };
    let page = backend
        .store
        .read(|tx| Box::pin(tx.list_dns_zones(filter.clone(), Some(order), range)))
        .await
        .expect("a page");
    assert_eq!((page.total, page.rows[0].name.as_str()), (2, "b.example"));
    for (customer, reseller, count) in [(0, 5, 2), (7, 0, 1), (7, 6, 0), (0, 0, 3)] {
        let owner = Ownership { customer, reseller };
        let counted = backend.store.read(|tx| Box::pin(tx.count_dns_zones(owner))).await;
        assert_eq!(counted.expect("a count"), count, "{owner:?}");
    }
}

async fn records_are_found_and_listed(backend: &Backend) {
    let a = add(backend, &zone("a.example", 7, 5)).await;
    let apex =
        NewRecord { origin: RecordOrigin::Zone, ..record(a, "a.example", "NS", "ns1.example.net") };
    insert(backend, &apex).await;
    let text = NewRecord {
        value: Some("some text".to_owned()),
        owner: 42,
        priority: 3,
        ..record(a, "t.a.example", "TXT", "\"some text\"")
    };
    let id = insert(backend, &text).await;
    let url = NewRecord {
        origin: RecordOrigin::Fancy,
        ..record(a, "u.a.example", "URL", "https://x.example/")
    };
    let url = insert(backend, &url).await;
    let mail = NewRecord {
        origin: RecordOrigin::Fancy,
        ..record(a, "i@a.example", "MBOXFW", "me@x.example")
    };
    insert(backend, &mail).await;
    let found = backend
        .store
        .read(|tx| Box::pin(tx.dns_record(id)))
        .await
        .expect("a read")
        .expect("a record");
    assert_eq!(
        (found.zone.as_str(), found.name.as_str(), found.rtype.as_str(), found.value.as_str()),
        ("a.example", "t.a.example", "TXT", "some text")
    );
    assert_eq!((found.ttl, found.prio, found.owner, found.fancy), (3600, 3, 42, false));
    assert_eq!((found.customer, found.reseller, found.domain_id), (7, 5, a));
    let fancy = backend
        .store
        .read(|tx| Box::pin(tx.dns_record(url)))
        .await
        .expect("a read")
        .expect("a record");
    assert!(fancy.fancy);
    let mut by_value = Filter::new();
    by_value.text("COALESCE(r.value, r.content)", Some("SOME%"));
    let names =
        |page: Page<DnsRecordRow>| page.rows.into_iter().map(|row| row.name).collect::<Vec<_>>();
    assert_eq!(names(records(backend, by_value, false).await), ["t.a.example"]);
    assert_eq!(names(records(backend, Filter::new(), false).await), ["t.a.example"]);
    assert_eq!(names(records(backend, Filter::new(), true).await), ["i@a.example", "u.a.example"]);
    let like =
        backend.store.read(|tx| Box::pin(tx.dns_records_like(a, "t.a.example", "TXT", false)));
    assert_eq!(like.await.expect("records").len(), 1);
    let like = backend.store.read(|tx| Box::pin(tx.dns_records_like(a, "a.example", "NS", false)));
    assert_eq!(like.await.expect("records").len(), 0);
    let owner = Ownership { customer: 0, reseller: 5 };
    let counted = backend.store.read(|tx| Box::pin(tx.count_mail_forwardings(owner))).await;
    assert_eq!(counted.expect("a count"), 1);
    backend.store.write(actor(), |tx| Box::pin(tx.delete_record(id))).await.expect("a deletion");
    assert_eq!(backend.store.read(|tx| Box::pin(tx.dns_record(id))).await.expect("a read"), None);
}

async fn a_record_is_replaced(backend: &Backend) {
    let a = add(backend, &zone("a.example", 7, 5)).await;
    let keyed = |content: &str, key: &str| NewRecord {
        record_key: Some(key.to_owned()),
        ..record(a, "h.a.example", "A", content)
    };
    insert(backend, &keyed("192.0.2.1", "one")).await;
    let id = insert(backend, &keyed("192.0.2.2", "two")).await;
    let taken = &keyed("192.0.2.1", "one");
    let refused = backend.store.write(actor(), |tx| Box::pin(tx.update_record(id, taken))).await;
    assert!(refused.expect_err("a duplicate").is_duplicate());
    let free = &NewRecord { ttl: 5, owner: 9, ..keyed("192.0.2.3", "three") };
    backend
        .store
        .write(actor(), |tx| Box::pin(tx.update_record(id, free)))
        .await
        .expect("a change");
    let row = backend
        .store
        .read(|tx| Box::pin(tx.dns_record(id)))
        .await
        .expect("a read")
        .expect("a record");
    assert_eq!((row.value.as_str(), row.ttl, row.owner), ("192.0.2.3", 5, 9));
}

async fn an_rrset_has_one_ttl(backend: &Backend) {
    let a = add(backend, &zone("a.example", 7, 5)).await;
    for (owner, rtype, content) in [
        ("h.a.example", "A", "192.0.2.1"),
        ("h.a.example", "A", "192.0.2.2"),
        ("h.a.example", "AAAA", "::1"),
        ("i.a.example", "A", "192.0.2.1"),
    ] {
        insert(backend, &record(a, owner, rtype, content)).await;
    }
    backend
        .store
        .write(actor(), |tx| Box::pin(tx.set_rrset_ttl(a, "h.a.example", "A", 7)))
        .await
        .expect("a change");
    let ttls: Vec<(String, i64)> = records(backend, Filter::new(), false)
        .await
        .rows
        .into_iter()
        .map(|row| (row.rtype, row.ttl))
        .collect();
    let expected = [("A", 7), ("A", 7), ("AAAA", 3600), ("A", 3600)];
    assert_eq!(ttls, expected.map(|(rtype, ttl)| (rtype.to_owned(), ttl)));
}

async fn a_name_is_seen_whole(backend: &Backend) {
    let (a, b) = (
        add(backend, &zone("a.example", 7, 5)).await,
        add(backend, &zone("b.example", 7, 5)).await,
    );
    let soa =
        NewRecord { origin: RecordOrigin::Zone, ..record(a, "a.example", "SOA", "x y 1 2 3 4 5") };
    insert(backend, &soa).await;
    let url = NewRecord {
        origin: RecordOrigin::Fancy,
        record_key: Some("key".to_owned()),
        ..record(a, "a.example", "URL", "https://x.example/")
    };
    insert(backend, &url).await;
    insert(backend, &record(b, "a.example", "A", "192.0.2.1")).await;
    let write = backend.store.write(actor(), |tx| Box::pin(tx.lock_records_at(a, "a.example")));
    let rows = write.await.expect("rows").0;
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.rtype.as_str(), row.disabled, row.record_key.as_deref()))
        .collect();
    assert_eq!(seen, [("SOA", false, None), ("URL", true, Some("key"))]);
}

async fn a_held_zone_stays(backend: &Backend) {
    let a = add(backend, &zone("a.example", 7, 5)).await;
    let apex = &name("a.example");
    // While one transaction holds the zone, its removal waits for that transaction's end.
    let removed = std::sync::atomic::AtomicBool::new(false);
    let holder = backend.store.write(actor(), |tx| {
        let removed = &removed;
        Box::pin(async move {
            assert!(tx.hold_dns_zone(apex).await?.is_some());
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            assert!(!removed.load(std::sync::atomic::Ordering::SeqCst));
            tx.insert_record(&record(a, "h.a.example", "A", "192.0.2.1")).await
        })
    });
    let remover = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let write = backend.store.write(actor(), |tx| {
            Box::pin(async move {
                let found = tx.lock_dns_zone(apex).await?;
                tx.delete_zone(found.expect("a zone").domain_id).await
            })
        });
        write.await.expect("a removal");
        removed.store(true, std::sync::atomic::Ordering::SeqCst);
    };
    let (held, ()) = tokio::join!(holder, remover);
    held.expect("a record");
    assert_eq!(records(backend, Filter::new(), false).await.total, 0);
}
