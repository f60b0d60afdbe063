//! Signed zones and their keys.

use crate::backend::{Backend, actor};
use crate::on_both;
use crate::zones::{add_zone, name};
use ngn_model::zone::{ZoneKey, ZoneSigning};
use ngn_store::{Keyring, NewZoneKey, StoreError, zone_key_pkcs8};
use std::sync::Arc;

on_both!(keys_are_kept_encrypted_and_go_with_their_zone, one_of_many_renews_a_zone);

async fn signing(backend: &Backend, zone: &str) -> Option<ZoneSigning> {
    let zones = [name(zone)];
    backend.store.zone_signings(&zones).await.expect("signings").remove(0).1
}

/// Signs a zone with a key of each kind.
async fn sign(backend: &Backend, id: i64) {
    let write = backend.store.write::<_, StoreError, _>(actor(), |tx| {
        Box::pin(async move {
            tx.set_zone_signing(id, true, false).await?;
            for ksk in [true, false] {
                tx.insert_zone_key(id, NewZoneKey { ksk, publish_at: 5, active_at: 6 }).await?;
            }
            Ok(())
        })
    });
    write.await.expect("signed");
}

async fn keys_are_kept_encrypted_and_go_with_their_zone(backend: &Backend) {
    let id = add_zone(backend, "a.example", &[]).await;
    assert_eq!(signing(backend, "a.example").await, None);
    assert_eq!(signing(backend, "b.example").await, None, "there is no such zone");
    sign(backend, id).await;
    let clear = signing(backend, "a.example").await.expect("signed");
    assert!(clear.nsec3 && !clear.withdrawn && clear.renewed == 0);
    assert_eq!(
        clear.keys.iter().map(|key| (key.ksk, key.active_at)).collect::<Vec<_>>(),
        [(true, 6), (false, 6)]
    );
    let pkcs8 = |key: &ZoneKey, keyring| zone_key_pkcs8(key, keyring).ok();
    let before: Vec<_> =
        clear.keys.iter().map(|key| pkcs8(key, None).expect("in clear text")).collect();
    assert!(!backend.store.has_sealed_passwords().await.expect("an answer"));
    // From now on private keys are encrypted, those that are there too.
    let directory = tempfile::tempdir().expect("a directory");
    let keyring = Arc::new(Keyring::create(&directory.path().join("key")).expect("a key"));
    backend.store.use_keyring(Arc::clone(&keyring));
    assert_eq!(backend.store.reseal_passwords(false).await.expect("encrypted").changed, 2);
    assert_eq!(backend.store.reseal_passwords(false).await.expect("nothing").changed, 0);
    assert!(backend.store.has_sealed_passwords().await.expect("an answer"));
    backend.store.check_keyring(&keyring).await.expect("it opens them");
    let sealed = signing(backend, "a.example").await.expect("signed");
    let after: Vec<_> =
        sealed.keys.iter().map(|key| pkcs8(key, Some(&keyring)).expect("opened")).collect();
    assert_eq!(before, after);
    assert!(sealed.keys.iter().all(|key| key.secret.contains('.') && pkcs8(key, None).is_none()));
    // What belongs to one key opens no other.
    let moved = ZoneKey { secret: sealed.keys[0].secret.clone(), ..sealed.keys[1].clone() };
    assert_eq!(pkcs8(&moved, Some(&keyring)), None);
    let loaded = backend.store.zone(&name("a.example")).await.expect("read").expect("a zone");
    assert_eq!(loaded.signing, Some(sealed.clone()));
    let ids: Vec<i64> = sealed.keys.iter().map(|key| key.id).collect();
    let write = backend.store.write::<_, StoreError, _>(actor(), |tx| {
        let old = ids[1];
        Box::pin(async move {
            tx.set_zone_signing(id, false, true).await?;
            tx.retire_zone_key(old, Some(7), Some(8)).await?;
            tx.delete_removed_zone_keys(id, 7).await?;
            tx.highest_ttl(id).await
        })
    });
    assert_eq!(write.await.expect("changed").0, 3600);
    let changed = signing(backend, "a.example").await.expect("signed");
    assert!(!changed.nsec3 && changed.withdrawn);
    assert_eq!((changed.keys[1].retire_at, changed.keys[1].remove_at), (Some(7), Some(8)));
    let write = backend.store.write::<_, StoreError, _>(actor(), |tx| {
        Box::pin(async move {
            tx.delete_removed_zone_keys(id, 8).await?;
            tx.delete_zone(id).await
        })
    });
    write.await.expect("deleted");
    assert_eq!(backend.number("SELECT COUNT(*) FROM zone_keys").await, 0);
    assert_eq!(backend.number("SELECT COUNT(*) FROM zone_signing").await, 0);
}

// Every server looks at the clock; the serial rises once.
async fn one_of_many_renews_a_zone(backend: &Backend) {
    let id = add_zone(backend, "a.example", &[]).await;
    let zone = name("a.example");
    assert!(!backend.store.renew_zone(&zone, 7).await.expect("an answer"), "not signed");
    sign(backend, id).await;
    let serial =
        async || backend.store.zone_serials(&["a.example".to_owned()]).await.expect("serials")[0].1;
    let before = serial().await;
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let (store, zone) = (backend.store.clone(), zone.clone());
            tokio::spawn(async move { store.renew_zone(&zone, 7).await.expect("an answer") })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        won += u32::from(task.await.expect("no panic"));
    }
    assert_eq!((won, serial().await), (1, before + 1));
    assert!(!backend.store.renew_zone(&zone, 6).await.expect("an answer"), "an older one");
    assert_eq!(signing(backend, "a.example").await.expect("signed").renewed, 7);
}
