//! Followers: every committed row once, in whatever order rows become visible.

use crate::backend::{Backend, actor};
use crate::transactions::joiner;
use crate::{on_both, on_mysql};
use ngn_model::{DomainName, Entity, JournalRow, Position};
use ngn_store::{Follower, Loaded, Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

on_both!(
    parallel_writers_lose_nothing,
    a_row_that_becomes_visible_late_is_given,
    a_snapshot_and_its_follower_fit_together,
    a_writer_in_this_process_wakes,
    a_journal_that_went_back_is_noticed,
    unknown_kinds_are_passed_over,
    a_cancelled_wait_loses_nothing,
    a_follower_goes_on_where_another_was,
);
on_mysql!(an_open_transaction_is_waited_for, a_broken_connection_is_survived);

async fn next(follower: &mut Follower) -> Vec<JournalRow> {
    tokio::time::timeout(Duration::from_secs(20), follower.next())
        .await
        .expect("rows within the time")
        .expect("rows")
}

async fn write(store: &Store, keys: &[String]) -> Position {
    let (_, position) = store
        .write(actor(), |tx| {
            Box::pin(async move {
                for key in keys {
                    tx.journal(Entity::Customer, key, None, None, None);
                }
                Ok::<_, StoreError>(())
            })
        })
        .await
        .expect("a commit");
    position.expect("a position")
}

/// 32 writers, 10,000 changes, some transactions of several changes, some that fail; two followers, one woken
/// in the process and one that polls.
async fn parallel_writers_lose_nothing(backend: &Backend) {
    const WRITERS: usize = 32;
    const CHANGES: usize = 10_000;
    // Another address for the same database: on MySQL that means no common wake-up.
    let other = match backend.store.dialect() {
        ngn_store::Dialect::MySql => {
            let url = format!("{}{}pool=3", backend.url, joiner(&backend.url));
            Store::open(&url).await.expect("a store")
        }
        ngn_store::Dialect::Sqlite => backend.store.clone(),
    };
    let followers = [
        backend.store.follow().await.expect("a follower"),
        other.follow().await.expect("a follower"),
    ];
    let followers = followers.map(|mut follower| {
        tokio::spawn(async move {
            let mut seen: BTreeMap<u64, String> = BTreeMap::new();
            while seen.len() < CHANGES {
                for row in next(&mut follower).await {
                    let twice = seen.insert(row.position.0, row.key.clone());
                    assert_eq!(twice, None, "{row:?} came twice");
                }
            }
            (seen, follower)
        })
    });
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = backend.store.clone();
            tokio::spawn(async move {
                let mut positions = Vec::new();
                let (mut change, end) =
                    (writer * CHANGES / WRITERS, (writer + 1) * CHANGES / WRITERS);
                while change < end {
                    let count = (1 + (change * 7 + writer) % 4).min(end - change);
                    let keys: Vec<String> =
                        (change..change + count).map(|c| c.to_string()).collect();
                    if change % 5 == 0 {
                        refused(&store, &keys).await;
                    }
                    positions.push(write(&store, &keys).await);
                    change += count;
                }
                positions
            })
        })
        .collect();
    let mut positions = Vec::new();
    for writer in writers {
        positions.extend(writer.await.expect("no panic"));
    }
    for follower in followers {
        let (seen, follower) = follower.await.expect("no panic");
        let keys: BTreeSet<usize> =
            seen.values().map(|key| key.parse().expect("a number")).collect();
        assert_eq!(keys.len(), CHANGES);
        assert_eq!(keys.last(), Some(&(CHANGES - 1)));
        assert!(positions.iter().all(|position| follower.has_seen(*position)));
        assert!(positions.iter().all(|position| follower.seen().contains(*position)));
        assert!(!follower.has_seen(Position(u64::MAX)));
    }
    assert_eq!(backend.number("SELECT COUNT(*) FROM journal").await, 10_000);
}

/// A transaction that is rolled back after it noted its rows.
async fn refused(store: &Store, keys: &[String]) {
    let result: Result<((), _), StoreError> = store
        .write(actor(), |tx| {
            Box::pin(async move {
                for key in keys {
                    tx.journal(Entity::Customer, key, None, None, None);
                }
                Err(StoreError::corrupt("nothing", "refused on purpose"))
            })
        })
        .await;
    result.expect_err("the refusal");
}

async fn a_row_that_becomes_visible_late_is_given(backend: &Backend) {
    backend.journal_row(5, "five").await;
    let mut follower = backend.store.follow().await.expect("a follower");
    assert!(follower.has_seen(Position(5)));
    backend.journal_row(9, "nine").await;
    let keys = |rows: Vec<JournalRow>| rows.into_iter().map(|row| row.key).collect::<Vec<_>>();
    assert_eq!(keys(next(&mut follower).await), ["nine"]);
    // Numbers before the first row were passed over when the follower started, too.
    assert_eq!(follower.position(), Position(0));
    backend.journal_row(7, "seven").await;
    assert_eq!(keys(next(&mut follower).await), ["seven"]);
    assert!(follower.has_seen(Position(7)) && !follower.has_seen(Position(8)));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    backend.journal_row(2, "two").await;
    backend.journal_row(8, "eight").await;
    let mut late = keys(next(&mut follower).await);
    if late.len() < 2 {
        late.extend(keys(next(&mut follower).await));
    }
    assert_eq!(late, ["two", "eight"]);
    let nothing = tokio::time::timeout(Duration::from_millis(100), follower.next()).await;
    nothing.expect_err("nothing new");
}

/// While a writer adds zones, each load must give each zone once: in the snapshot or by the follower.
async fn a_snapshot_and_its_follower_fit_together(backend: &Backend) {
    const ZONES: usize = 300;
    let store = backend.store.clone();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for i in (0..ZONES).filter(|i| i % 4 == writer) {
                    let apex = &DomainName::new(&format!("z{i}.example")).expect("a name");
                    store
                        .write(actor(), |tx| {
                            Box::pin(async move {
                                tx.insert_zone(apex).await?;
                                tx.journal(Entity::Zone, apex, Some(apex.as_str()), None, None);
                                Ok::<_, StoreError>(())
                            })
                        })
                        .await
                        .expect("a commit");
                }
            })
        })
        .collect();
    let mut loads = Vec::new();
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        let mut loaded = BTreeSet::new();
        let follower = store
            .load_zones(|piece| {
                if let Loaded::Zone(zone) = piece {
                    assert!(loaded.insert(zone.apex.to_string()));
                }
            })
            .await
            .expect("a load");
        loads.push((loaded, follower));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for writer in writers {
        writer.await.expect("no panic");
    }
    assert!(loads.iter().any(|(loaded, _)| (1..ZONES).contains(&loaded.len())));
    for (mut known, mut follower) in loads {
        while known.len() < ZONES {
            for row in next(&mut follower).await {
                assert!(known.insert(row.key.clone()), "{} is in both", row.key);
            }
        }
    }
}

async fn a_writer_in_this_process_wakes(backend: &Backend) {
    let mut follower = backend.store.follow().await.expect("a follower");
    // A second opening of the same database, as the daemons of one process have.
    let second = Store::open(&backend.url).await.expect("a store");
    let task = tokio::spawn(async move {
        let rows = next(&mut follower).await;
        (rows, std::time::Instant::now())
    });
    tokio::time::sleep(Duration::from_millis(60)).await;
    write(&second, &["x".to_owned()]).await;
    let written = std::time::Instant::now();
    let (rows, given) = task.await.expect("no panic");
    assert_eq!(rows.len(), 1);
    // A generous bound: this is about arriving, `measure` is about how fast.
    assert!(given.saturating_duration_since(written) < Duration::from_millis(500));
}

async fn a_journal_that_went_back_is_noticed(backend: &Backend) {
    write(&backend.store, &["a".to_owned(), "b".to_owned()]).await;
    let mut follower = backend.store.follow().await.expect("a follower");
    backend.sql("DELETE FROM journal WHERE id = 2").await;
    let result = tokio::time::timeout(Duration::from_secs(10), follower.next()).await;
    let error = result.expect("an answer").expect_err("a journal that went back");
    assert!(matches!(error, StoreError::Rewound { position: 2 }), "{error}");
    follower.next().await.expect_err("it stays so");
}

async fn unknown_kinds_are_passed_over(backend: &Backend) {
    let mut follower = backend.store.follow().await.expect("a follower");
    backend
        .sql(
            "INSERT INTO journal (id, at, login, source, operation, entity, entity_key) \
             VALUES (1, 1, 'l', 's', 'o', 'of_tomorrow', 'k')",
        )
        .await;
    backend.journal_row(2, "known").await;
    let rows = next(&mut follower).await;
    assert_eq!(rows.len(), 1);
    assert!(follower.has_seen(Position(1)));
}

async fn a_cancelled_wait_loses_nothing(backend: &Backend) {
    let mut follower = backend.store.follow().await.expect("a follower");
    let store = backend.store.clone();
    let writer = tokio::spawn(async move {
        for i in 0..200 {
            write(&store, &[i.to_string()]).await;
        }
    });
    let mut seen = BTreeSet::new();
    let mut round = 0_u64;
    while seen.len() < 200 {
        round += 1;
        assert!(round < 100_000, "{} rows after many rounds", seen.len());
        let patience = Duration::from_micros(100 * (round % 40));
        if let Ok(rows) = tokio::time::timeout(patience, follower.next()).await {
            for row in rows.expect("rows") {
                assert!(seen.insert(row.position.0));
            }
        }
    }
    writer.await.expect("no panic");
}

/// The real thing: a transaction takes number N, another one N+1 and commits first.
async fn an_open_transaction_is_waited_for(backend: &Backend) {
    let insert = "INSERT INTO journal (at, login, source, operation, entity, entity_key) \
                  VALUES (?, 'l', 's', 'o', 'customer', ?)";
    let at = crate::backend::millis();
    write(&backend.store, &["first".to_owned()]).await;
    let mut before = backend.store.follow().await.expect("a follower");
    let mut open = backend.mysql_pool().begin().await.expect("a transaction");
    sqlx::query(insert).bind(at).bind("late").execute(&mut *open).await.expect("an insert");
    // A follower that starts while the transaction is open, before and after a higher number is visible.
    let mut between = backend.store.follow().await.expect("a follower");
    let early = write(&backend.store, &["early".to_owned()]).await;
    let mut after = backend.store.follow().await.expect("a follower");
    for follower in [&mut before, &mut between] {
        let rows = next(follower).await;
        assert_eq!(rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["early"]);
    }
    assert!(after.has_seen(early) && !after.has_seen(Position(early.0 - 1)));
    assert_eq!(after.position(), Position(early.0 - 2));
    tokio::time::sleep(Duration::from_millis(300)).await;
    open.commit().await.expect("a commit");
    for follower in [&mut before, &mut between, &mut after] {
        let rows = next(follower).await;
        assert_eq!(rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["late"]);
        assert_eq!(follower.position(), early);
    }
}

async fn a_broken_connection_is_survived(backend: &Backend) {
    let mut follower = backend.store.follow().await.expect("a follower");
    let mut given = BTreeSet::new();
    for round in 0..3 {
        let ids: Vec<i64> = sqlx::query_scalar(
            "SELECT CAST(id AS SIGNED) FROM information_schema.processlist \
             WHERE db = DATABASE() AND id <> CONNECTION_ID()",
        )
        .fetch_all(backend.mysql_pool())
        .await
        .expect("connections");
        for id in ids {
            let kill = sqlx::AssertSqlSafe(format!("KILL {id}"));
            let _ = sqlx::Executor::execute(backend.mysql_pool(), kill).await;
        }
        write(&backend.store, &[round.to_string()]).await;
        let mut errors = 0;
        while given.len() <= round {
            match tokio::time::timeout(Duration::from_secs(10), follower.next()).await {
                Ok(Ok(rows)) => rows.into_iter().for_each(|row| assert!(given.insert(row.key))),
                Ok(Err(error)) => {
                    assert!(error.is_temporary(), "{error}");
                    errors += 1;
                    assert!(errors < 20, "{error}");
                }
                Err(_) => panic!("nothing came"),
            }
        }
    }
}

async fn a_follower_goes_on_where_another_was(backend: &Backend) {
    let mut first = backend.store.follow().await.expect("a follower");
    assert_eq!(backend.store.journal_end().await.expect("the end"), Position(0));
    let keys = ["1".to_owned(), "2".to_owned()];
    let end = write(&backend.store, &keys).await;
    assert_eq!(backend.store.journal_end().await.expect("the end"), end);
    assert_eq!(next(&mut first).await.len(), 2);
    backend.journal_row(end.0 + 3, "late row ahead").await;
    assert_eq!(next(&mut first).await.len(), 1);
    let kept = first.resume_point();
    assert_eq!((kept.high, kept.gaps.as_slice()), (end.0 + 3, &[(end.0 + 1, end.0 + 2)][..]));
    backend.journal_row(end.0 + 1, "the late one").await;
    backend.journal_row(end.0 + 4, "a new one").await;
    let mut second = backend.store.resume(&kept);
    let mut given: Vec<String> = Vec::new();
    while given.len() < 2 {
        given.extend(next(&mut second).await.into_iter().map(|row| row.key));
    }
    given.sort();
    assert_eq!(given, ["a new one", "the late one"]);
    // A journal that does not reach back that far.
    backend.sql(format!("DELETE FROM journal WHERE id <= {}", end.0 + 3)).await;
    let mut third = backend.store.resume(&kept);
    let answer = third.next().await;
    assert!(matches!(answer, Err(StoreError::Rewound { .. })), "{answer:?}");
}
