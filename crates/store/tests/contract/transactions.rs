//! Writes, rollbacks, retries and snapshots.

use crate::backend::{Backend, Raw, actor};
use crate::{on_both, on_mysql};
use ngn_model::{Aor, DomainName, Entity, Position};
use ngn_store::{AddressKind, AuditQuery, Dialect, StoreError};
use serde_json::json;
use sqlx::Executor;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::Barrier;

on_both!(
    commit_gives_the_last_position,
    error_leaves_nothing,
    duplicates_and_misfits_are_told_apart,
    opposite_locks_are_tried_again,
    snapshot_stands_still,
    reads_cannot_write,
    address_is_taken_once,
    slow_work_is_cut_off_without_effect_on_others,
    statements_left_in_the_middle_keep_no_connection,
);
on_mysql!(broken_connections_are_replaced, steps_of_a_cluster_are_counted);

fn aor(text: &str) -> Aor {
    text.parse().expect("an address")
}

async fn commit_gives_the_last_position(backend: &Backend) {
    let store = &backend.store;
    let (value, none) = store
        .write(actor(), |_| Box::pin(async { Ok::<_, StoreError>(5) }))
        .await
        .expect("a commit");
    assert_eq!((value, none), (5, None));
    // More rows than go into one statement.
    let ((), position) = store
        .write(actor(), |tx| {
            Box::pin(async move {
                for i in 0..1234 {
                    tx.journal(Entity::Customer, i, None, None, Some(json!({"id": i})));
                }
                Ok::<_, StoreError>(())
            })
        })
        .await
        .expect("a commit");
    assert_eq!(backend.number("SELECT MAX(id) FROM journal").await, 1234);
    assert_eq!(position, Some(Position(1234)));
    let wanted = AuditQuery { key: Some("1233".to_owned()), ..AuditQuery::default() };
    let rows = store.audit(&wanted, 10).await.expect("the audit log");
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(row.position, Position(1234));
    assert_eq!((row.login.as_str(), row.impersonated), ("tester", Some(7)));
    assert_eq!((row.source.as_str(), row.operation.as_str()), ("192.0.2.1", "Test:contract"));
    assert_eq!((row.entity.as_str(), row.after.as_deref()), ("customer", Some(r#"{"id":1233}"#)));
    let wanted = AuditQuery {
        before: Some(Position(1000)),
        entity: Some(Entity::Customer),
        login: Some("tester".to_owned()),
        operation: Some("Test:contract".to_owned()),
        since: Some(row.at - 60_000),
        ..AuditQuery::default()
    };
    let rows = store.audit(&wanted, 3).await.expect("the audit log");
    let ids: Vec<u64> = rows.iter().map(|row| row.position.0).collect();
    assert_eq!(ids, [999, 998, 997]);
}

async fn error_leaves_nothing(backend: &Backend) {
    #[derive(Debug)]
    struct Refused;
    impl From<StoreError> for Refused {
        fn from(error: StoreError) -> Self {
            panic!("{error}")
        }
    }
    let result: Result<((), _), Refused> = backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                tx.start_serial("example.com").await?;
                tx.journal(Entity::Zone, "example.com", Some("example.com"), None, None);
                Err(Refused)
            })
        })
        .await;
    result.expect_err("the refusal");
    assert_eq!(backend.number("SELECT COUNT(*) FROM zone_serials").await, 0);
    assert_eq!(backend.number("SELECT COUNT(*) FROM journal").await, 0);
}

async fn duplicates_and_misfits_are_told_apart(backend: &Backend) {
    let store = &backend.store;
    let claim = async |aor: &Aor| {
        store
            .write(actor(), |tx| {
                Box::pin(async move { tx.claim_address(aor, AddressKind::Account).await })
            })
            .await
    };
    claim(&aor("a@example.com")).await.expect("a free address");
    let error = claim(&aor("a@example.com")).await.expect_err("a taken address");
    assert!(error.is_duplicate(), "{error}");
    assert!(!format!("{error:?}").contains("example"), "{error:?}");
    // 256 characters do not fit anywhere; on SQLite a CHECK says so.
    let long = "z".repeat(256);
    let long = &long;
    let error = store
        .write(actor(), |tx| Box::pin(async move { tx.start_serial(long).await }))
        .await
        .expect_err("a misfit");
    assert!(matches!(error, StoreError::Invalid(_)), "{error}");
}

/// Two transactions that lock the same two rows in opposite order: a deadlock on MySQL, which ends one of
/// them; on SQLite they follow one another.
async fn opposite_locks_are_tried_again(backend: &Backend) {
    backend.sql("INSERT INTO domain (domain) VALUES ('a.example'), ('b.example')").await;
    let meet = Arc::new(Barrier::new(2));
    let attempts = Arc::new(AtomicU32::new(0));
    let concurrent = backend.store.dialect() == Dialect::MySql;
    let lock_both = |first: &'static str, second: &'static str| {
        let (store, meet, attempts) = (backend.store.clone(), meet.clone(), attempts.clone());
        tokio::spawn(async move {
            let (first, second) = (DomainName::new(first), DomainName::new(second));
            let (first, second) = (&first.expect("a name"), &second.expect("a name"));
            let (meet, attempts) = (&meet, &attempts);
            store
                .write(actor(), |tx| {
                    Box::pin(async move {
                        let attempt = attempts.fetch_add(1, Ordering::SeqCst);
                        assert!(tx.lock_sip_domain(first).await?.is_some());
                        if concurrent && attempt < 2 {
                            meet.wait().await;
                        }
                        assert!(tx.lock_sip_domain(second).await?.is_some());
                        tx.journal(Entity::SipDomain, first, None, None, None);
                        Ok::<_, StoreError>(())
                    })
                })
                .await
        })
    };
    let one = lock_both("a.example", "b.example");
    let other = lock_both("b.example", "a.example");
    one.await.expect("no panic").expect("a commit");
    other.await.expect("no panic").expect("a commit");
    assert_eq!(backend.number("SELECT COUNT(*) FROM journal").await, 2);
    let expected = if concurrent { 3 } else { 2 };
    assert_eq!(attempts.load(Ordering::SeqCst), expected);
}

async fn snapshot_stands_still(backend: &Backend) {
    let store = &backend.store;
    let (before, during) = store
        .read(|tx| {
            Box::pin(async move {
                let before = tx.serials(&["example.com"]).await?;
                store
                    .write(actor(), |tx| {
                        Box::pin(async move { tx.start_serial("example.com").await })
                    })
                    .await?;
                let during = tx.serials(&["example.com"]).await?;
                Ok::<_, StoreError>((before, during))
            })
        })
        .await
        .expect("a snapshot");
    assert_eq!(before, during);
    let after = store.zone_serials(&["example.com".to_owned()]).await.expect("serials");
    assert_ne!(before, after);
}

async fn reads_cannot_write(backend: &Backend) {
    let result: Result<(), StoreError> = backend
        .store
        .read(|tx| Box::pin(async move { tx.start_serial("example.com").await }))
        .await;
    result.expect_err("no write in a read");
    assert_eq!(backend.number("SELECT COUNT(*) FROM zone_serials").await, 0);
    // The connection goes on to serve writes on MySQL, where reads and writes share a pool.
    for _ in 0..40 {
        backend
            .store
            .write(actor(), |tx| Box::pin(async move { tx.start_serial("example.com").await }))
            .await
            .expect("a write");
    }
}

async fn address_is_taken_once(backend: &Backend) {
    let taken = Arc::new(AtomicU32::new(0));
    let tasks: Vec<_> = (0..16)
        .map(|i| {
            let (store, taken) = (backend.store.clone(), taken.clone());
            tokio::spawn(async move {
                let kind = if i % 2 == 0 { AddressKind::Account } else { AddressKind::Alias };
                let aor = &aor("one@example.com");
                let claimed = store
                    .write(actor(), |tx| Box::pin(async move { tx.claim_address(aor, kind).await }))
                    .await;
                match claimed {
                    Ok(_) => {
                        taken.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(error) => assert!(error.is_duplicate(), "{error}"),
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    assert_eq!(taken.load(Ordering::SeqCst), 1);
    let aor = &aor("one@example.com");
    let (kind, _) = backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                let kind = tx.address_kind(aor).await?;
                tx.release_address(aor).await?;
                assert_eq!(tx.address_kind(aor).await?, None);
                Ok::<_, StoreError>(kind)
            })
        })
        .await
        .expect("a commit");
    assert!(kind.is_some());
}

/// A caller that goes away in the middle of a transaction leaves no lock and no half-done work.
async fn slow_work_is_cut_off_without_effect_on_others(backend: &Backend) {
    let store = backend.store.clone();
    let slow = store.write(actor(), |tx| {
        Box::pin(async move {
            tx.start_serial("slow.example").await?;
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok::<_, StoreError>(())
        })
    });
    tokio::time::timeout(Duration::from_millis(200), slow).await.expect_err("too slow");
    let quick = backend
        .store
        .write(actor(), |tx| Box::pin(async move { tx.start_serial("slow.example").await }));
    tokio::time::timeout(Duration::from_secs(4), quick)
        .await
        .expect("no lock left behind")
        .expect("a commit");
}

/// More callers than there are connections go away while their statement waits for a lock.
async fn statements_left_in_the_middle_keep_no_connection(backend: &Backend) {
    backend.sql("INSERT INTO domain (domain) VALUES ('a.example')").await;
    let store = match backend.store.dialect() {
        Dialect::MySql => {
            let url = format!("{}{}pool=2", backend.url, joiner(&backend.url));
            ngn_store::Store::open(&url).await.expect("a store")
        }
        Dialect::Sqlite => backend.store.clone(),
    };
    let domain = &DomainName::new("a.example").expect("a name");
    let lock = || {
        store.write(actor(), |tx| {
            Box::pin(async move { tx.lock_sip_domain(domain).await.map(|found| found.is_some()) })
        })
    };
    // Somebody else holds the row (MySQL) or the file (SQLite).
    macro_rules! while_held {
        ($pool:expr, $begin:literal, $select:literal) => {{
            let mut holder = $pool.acquire().await.expect("a connection");
            holder.execute($begin).await.expect("a transaction");
            holder.fetch_all($select).await.expect("a lock");
            for _ in 0..5 {
                let waited = tokio::time::timeout(Duration::from_millis(60), lock()).await;
                waited.expect_err("the lock is held");
            }
            holder.execute("ROLLBACK").await.expect("an end");
        }};
    }
    match &backend.raw {
        Raw::My(pool) => while_held!(
            pool,
            "BEGIN",
            "SELECT id FROM domain WHERE domain = 'a.example' FOR UPDATE"
        ),
        Raw::Lite(pool) => {
            while_held!(pool, "BEGIN IMMEDIATE", "SELECT id FROM domain WHERE domain = 'a.example'")
        }
    }
    for _ in 0..4 {
        assert!(lock().await.expect("a lock").0);
    }
}

async fn broken_connections_are_replaced(backend: &Backend) {
    for round in 0..3 {
        let ids: Vec<i64> = sqlx::query_scalar(
            "SELECT CAST(id AS SIGNED) FROM information_schema.processlist \
             WHERE db = DATABASE() AND id <> CONNECTION_ID()",
        )
        .fetch_all(backend.mysql_pool())
        .await
        .expect("connections");
        for id in ids {
            // Our own raw connections may be among them.
            let kill = sqlx::AssertSqlSafe(format!("KILL {id}"));
            let _ = sqlx::Executor::execute(backend.mysql_pool(), kill).await;
        }
        backend
            .store
            .write(actor(), |tx| {
                Box::pin(async move {
                    tx.journal(Entity::Customer, round, None, None, None);
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .expect("a commit on another connection");
    }
}

/// A Galera cluster of three gives every third number to each node.
async fn steps_of_a_cluster_are_counted(backend: &Backend) {
    backend.sql("SET GLOBAL auto_increment_increment = 3").await;
    let store = ngn_store::Store::open(&format!("{}{}pool=2", backend.url, joiner(&backend.url)))
        .await
        .expect("a store");
    let result = store
        .write(actor(), |tx| {
            Box::pin(async move {
                for i in 0..5 {
                    tx.journal(Entity::Customer, i, None, None, None);
                }
                Ok::<_, StoreError>(())
            })
        })
        .await;
    backend.sql("SET GLOBAL auto_increment_increment = 1").await;
    let (_, position) = result.expect("a commit");
    let last = backend.number("SELECT MAX(id) FROM journal").await;
    assert_eq!(position, Some(Position(last.cast_unsigned())));
    assert_eq!(backend.number("SELECT MAX(id) - MIN(id) FROM journal").await, 12);
    store.close().await;
}

pub(crate) fn joiner(url: &str) -> char {
    if url.contains('?') { '&' } else { '?' }
}
