//! Serials only rise (B110, B116).

use crate::backend::{Backend, actor};
use crate::on_both;
use crate::zones::{add_zone, name};
use ngn_model::Entity;
use ngn_store::{SoaWriter, StoreError};
use std::time::Duration;

on_both!(
    each_change_raises_the_serial,
    a_zone_that_is_made_again_goes_on,
    parallel_changes_all_count,
    folding_changes_no_serial,
    soa_rows_follow,
    a_zone_from_elsewhere_goes_on,
    pruning_keeps_what_is_needed,
    a_zone_comes_with_what_its_follower_lacks,
);

async fn serial(backend: &Backend, zone: &str) -> u32 {
    let serials = backend.store.zone_serials(&[zone.to_owned()]).await.expect("a serial");
    serials[0].1
}

async fn change(backend: &Backend, zone: &str) {
    backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                tx.journal(Entity::RrSet, format!("{zone} x.{zone}"), Some(zone), None, None);
                Ok::<_, StoreError>(())
            })
        })
        .await
        .expect("a commit");
}

async fn each_change_raises_the_serial(backend: &Backend) {
    assert_eq!(serial(backend, "a.example").await, 0);
    add_zone(backend, "a.example", &[]).await;
    add_zone(backend, "b.example", &[]).await;
    let (mut a, b) = (serial(backend, "a.example").await, serial(backend, "b.example").await);
    assert!(a > 2_026_000_000);
    for _ in 0..5 {
        change(backend, "a.example").await;
        let now = serial(backend, "a.example").await;
        assert_eq!(now, a + 1);
        a = now;
    }
    assert_eq!(serial(backend, "b.example").await, b);
    let asked = ["b.example", "none.example", "a.example"].map(str::to_owned);
    let serials = backend.store.zone_serials(&asked).await.expect("serials");
    assert_eq!(serials, asked.into_iter().zip([b, 0, a]).collect::<Vec<_>>());
}

async fn a_zone_that_is_made_again_goes_on(backend: &Backend) {
    for _ in 0..3 {
        let before = serial(backend, "a.example").await;
        let id = add_zone(backend, "a.example", &[]).await;
        assert!(serial(backend, "a.example").await > before);
        let before = serial(backend, "a.example").await;
        backend
            .store
            .write(actor(), |tx| {
                Box::pin(async move {
                    tx.delete_zone(id).await?;
                    tx.journal(Entity::Zone, "a.example", Some("a.example"), None, None);
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .expect("a commit");
        assert!(serial(backend, "a.example").await > before);
    }
}

async fn parallel_changes_all_count(backend: &Backend) {
    add_zone(backend, "a.example", &[]).await;
    let before = serial(backend, "a.example").await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let store = backend.store.clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    store
                        .write(actor(), |tx| {
                            Box::pin(async move {
                                tx.start_serial("a.example").await?;
                                tx.journal(
                                    Entity::Zone,
                                    "a.example",
                                    Some("a.example"),
                                    None,
                                    None,
                                );
                                Ok::<_, StoreError>(())
                            })
                        })
                        .await
                        .expect("a commit");
                }
            })
        })
        .collect();
    let mut last = before;
    while !tasks.iter().all(tokio::task::JoinHandle::is_finished) {
        let now = serial(backend, "a.example").await;
        assert!(now >= last);
        last = now;
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    assert_eq!(serial(backend, "a.example").await, before + 320);
}

/// Makes what is in the journal look older than anything that could still be open.
async fn grow_old(backend: &Backend) {
    backend.sql("UPDATE journal SET at = at - 3600000").await;
}

async fn folding_changes_no_serial(backend: &Backend) {
    add_zone(backend, "a.example", &[]).await;
    for _ in 0..120 {
        change(backend, "a.example").await;
    }
    add_zone(backend, "b.example", &[]).await;
    let (a, b) = (serial(backend, "a.example").await, serial(backend, "b.example").await);
    assert_eq!(backend.store.fold_serials().await.expect("nothing old"), 0);
    grow_old(backend).await;
    change(backend, "b.example").await;
    // Few changes of a zone are not worth a write.
    assert_eq!(backend.store.fold_serials().await.expect("one zone"), 1);
    assert_eq!(
        backend.number("SELECT counted FROM zone_serials WHERE zone = 'a.example'").await,
        121
    );
    assert_eq!(backend.store.fold_serials().await.expect("nothing left"), 0);
    assert_eq!(serial(backend, "a.example").await, a);
    assert_eq!(serial(backend, "b.example").await, b + 1);
    change(backend, "a.example").await;
    assert_eq!(serial(backend, "a.example").await, a + 1);
}

const SOA: &str = "SELECT content FROM records WHERE type = 'SOA' AND name = 'a.example'";

async fn soa_rows_follow(backend: &Backend) {
    add_zone(backend, "a.example", &[]).await;
    add_zone(backend, "b.example", &[]).await;
    assert_eq!(backend.store.refresh_soa(None).await.expect("both zones"), 2);
    assert_eq!(backend.store.refresh_soa(None).await.expect("nothing to do"), 0);
    let writer = tokio::spawn(SoaWriter::new(backend.store.clone()).run());
    tokio::time::sleep(Duration::from_millis(100)).await;
    for _ in 0..3 {
        change(backend, "a.example").await;
    }
    let serial = serial(backend, "a.example").await;
    let expected = format!("ns1.a.example hostmaster.a.example {serial} 14400 3600 604800 300");
    let mut waited = 0;
    while backend.text(SOA).await != expected {
        tokio::time::sleep(Duration::from_millis(20)).await;
        waited += 1;
        assert!(waited < 250, "{}", backend.text(SOA).await);
    }
    writer.abort();
}

async fn a_zone_from_elsewhere_goes_on(backend: &Backend) {
    backend
        .sql(
            "INSERT INTO domains (name, type) VALUES ('a.example', 'NATIVE'); \
             INSERT INTO records (domain_id, name, type, content) \
             SELECT id, name, 'SOA', 'ns.a.example h.a.example 3000000005 1 2 3 4' FROM domains; \
             INSERT INTO domains (name, type) VALUES ('nosoa.example', 'NATIVE')",
        )
        .await;
    backend.store.refresh_soa(None).await.expect("the zones");
    assert_eq!(serial(backend, "a.example").await, 3_000_000_005);
    change(backend, "a.example").await;
    assert_eq!(serial(backend, "a.example").await, 3_000_000_006);
    assert_eq!(backend.store.refresh_soa(Some(&["a.example".to_owned()])).await.expect("one"), 1);
    assert_eq!(backend.text(SOA).await, "ns.a.example h.a.example 3000000006 1 2 3 4");
    let apex = &name("a.example");
    let zone = backend.store.zone(apex).await.expect("an answer").expect("the zone");
    assert_eq!(zone.serial, 3_000_000_006);
}

async fn pruning_keeps_what_is_needed(backend: &Backend) {
    add_zone(backend, "a.example", &[]).await;
    for _ in 0..20 {
        change(backend, "a.example").await;
        backend
            .store
            .write(actor(), |tx| {
                Box::pin(async move {
                    tx.journal(Entity::Customer, 1, None, None, None);
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .expect("a commit");
    }
    let before = serial(backend, "a.example").await;
    let far = i64::MAX;
    // Young rows stay whatever is asked for.
    assert_eq!(backend.store.prune_journal(far, 1000).await.expect("nothing"), 0);
    grow_old(backend).await;
    change(backend, "a.example").await;
    assert_eq!(backend.store.prune_journal(far, 10).await.expect("a few"), 10);
    assert_eq!(backend.store.prune_journal(far, 1000).await.expect("the rest"), 31);
    assert_eq!(backend.number("SELECT COUNT(*) FROM journal").await, 1);
    assert_eq!(serial(backend, "a.example").await, before + 1);
    let mut follower = backend.store.follow().await.expect("a follower");
    change(backend, "a.example").await;
    assert_eq!(follower.next().await.expect("the change").len(), 1);
}

async fn a_zone_comes_with_what_its_follower_lacks(backend: &Backend) {
    add_zone(backend, "a.example", &[]).await;
    let mut follower = backend.store.load_zones(|_| {}).await.expect("the zones");
    let loaded = serial(backend, "a.example").await;
    for _ in 0..3 {
        change(backend, "a.example").await;
    }
    add_zone(backend, "b.example", &[]).await;
    let apex = &name("a.example");
    let (zone, lacking) =
        backend.store.zone_for(apex, &follower.seen()).await.expect("an answer").expect("the zone");
    assert_eq!(zone.serial, loaded + 3);
    assert_eq!(lacking.len(), 3);
    let mut given = Vec::new();
    while given.len() < 4 {
        given.extend(follower.next().await.expect("rows"));
    }
    let of_zone = given.iter().filter(|row| row.zone.as_deref() == Some("a.example"));
    assert!(of_zone.map(|row| row.position).eq(lacking));
    let (zone, lacking) =
        backend.store.zone_for(apex, &follower.seen()).await.expect("an answer").expect("the zone");
    assert_eq!((zone.serial, lacking), (loaded + 3, vec![]));
    let none = backend.store.zone_for(&name("c.example"), &follower.seen()).await;
    assert_eq!(none.expect("an answer"), None);
}
