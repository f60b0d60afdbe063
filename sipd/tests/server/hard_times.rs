//! The database away, too much work, and the end.

use crate::phone::{Phone, hang_up, talk};
use crate::scene::{PASSWORD, Scene};
use ngn_daemon::prefix::Prefix;
use ngn_sip::message::Method;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use std::time::{Duration, Instant};

/// Registrations are served from memory while the database is away, and written when it is back.
#[tokio::test]
async fn registrations_without_a_database() {
    let scene = Scene::new().await;
    let file = scene.folder.path().join("t.sqlite");
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(file)).await.unwrap();
    sqlx::query("ALTER TABLE location RENAME TO away").execute(&pool).await.unwrap();
    let mut bob = scene.registered("bob").await;
    let (is_ready, why) = scene.server.readiness.is_ready();
    assert!(is_ready && why.contains("memory"), "{why}");
    // The phone is reachable all the same.
    let mut alice = scene.phone("alice").await;
    let (answered, _) = talk(&mut alice, &mut bob, "c").await;
    hang_up(&mut alice, &mut bob, &answered).await;
    assert_eq!(bob.register("again", PASSWORD).await, 200);

    sqlx::query("ALTER TABLE away RENAME TO location").execute(&pool).await.unwrap();
    let begun = Instant::now();
    loop {
        let count: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM location").fetch_one(&pool).await.unwrap();
        if count == 1 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "not written");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    while !scene.server.readiness.is_ready().1.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(5), "still said to be away");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    pool.close().await;
    scene.stop().await;
}

#[tokio::test]
async fn rfc3261_21_5_4_too_much_work_is_refused() {
    let scene = Scene::with(|config| config.limits.transactions = 1).await;
    let mut alice = scene.phone("alice").await;
    // The REGISTER leaves a transaction that is remembered for a while; its challenge leaves nothing.
    scene.registered("bob").await;
    let invite = alice.request("INVITE", "sip:bob@example.com", "<sip:bob@example.com>", "c", "");
    alice.send(&invite).await;
    let refusal = alice.last_of("c").await;
    assert_eq!(refusal.status(), Some(503));
    assert!(refusal.field_named("Retry-After").is_some());
    scene.stop().await;
}

/// What a REGISTER without credentials gets.
async fn asks(phone: &mut Phone, call: &str) -> u16 {
    let to = format!("<sip:{}@example.com>", phone.name);
    let request = phone.request("REGISTER", "sip:example.com", &to, call, "");
    phone.send(&request).await;
    phone.last_of(call).await.status().unwrap()
}

/// What sources may do changes while the server runs, and what is remembered of them stays.
#[tokio::test]
async fn the_guard_is_set_anew() {
    let scene = Scene::with(|config| config.guard.exempt.clear()).await;
    let mut alice = scene.phone("alice").await;
    assert_eq!(alice.register("r1", "guess").await, 401);
    let mut config = scene.config.clone();
    config.guard.source_failures = 2;
    assert_eq!(scene.server.reloader.reload(&config).unwrap(), [""; 0], "nothing needs a restart");
    // The engine hears of it a moment later.
    let mut tries = 0;
    while asks(&mut alice, &format!("a{tries}")).await != 403 {
        assert_eq!(alice.register(&format!("g{tries}"), "guess").await, 401);
        tries += 1;
        assert!(tries < 20, "the rules at the start ban by now");
    }
    config.guard.exempt.push(Prefix::from(alice.address().ip()));
    scene.server.reloader.reload(&config).unwrap();
    let mut bob = scene.phone("bob").await;
    let mut asked = 0;
    while asks(&mut bob, &format!("a{asked}")).await != 401 {
        asked += 1;
        assert!(asked < 1_000, "still banned");
    }
    assert_eq!(bob.register("b", PASSWORD).await, 200);
    scene.stop().await;
}

/// A server that ends takes no new calls, but those that ring may be answered.
#[tokio::test]
async fn calls_that_ring_may_be_answered_at_the_end() {
    let scene = Scene::new().await;
    let mut alice = scene.phone("alice").await;
    let mut bob = scene.registered("bob").await;
    alice.call("bob", "rings").await;
    let at_bob = bob.next_request(&Method::Invite).await;
    bob.send(&at_bob.response(180, "Ringing", Some("bob"))).await;
    alice.status(180).await;

    scene.shutdown.cancel();
    let mut carol = scene.phone("carol").await;
    let uri = "sip:bob@example.com";
    let mut refused = None;
    for attempt in ["n1", "n2", "n3", "n4", "n5"] {
        let new = carol.request("INVITE", uri, "<sip:bob@example.com>", attempt, "");
        carol.send(&new).await;
        let answer = carol.last_of(attempt).await;
        if answer.status() == Some(503) {
            refused = Some(answer);
            break;
        }
    }
    assert!(refused.expect("new calls are refused").field_named("Retry-After").is_some());
    let ok = bob.ok(&at_bob);
    bob.send(&ok).await;
    let answered = alice.last_of("rings").await;
    assert_eq!(answered.status(), Some(200));
    // While the call lasts, the server is there for its end.
    hang_up(&mut alice, &mut bob, &answered).await;
    let (folder, _store) = scene.stop().await;

    let file = folder.path().join("t.sqlite");
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(file)).await.unwrap();
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT AcctSessionId, SipResponseCode FROM radacct")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(rows, [("rings".to_owned(), 200)]);
    pool.close().await;
}

/// What nobody answers does not hold the end up for ever, and is recorded.
#[tokio::test]
async fn calls_that_only_ring_are_recorded_at_the_end() {
    let scene = Scene::new().await;
    let mut alice = scene.phone("alice").await;
    let mut bob = scene.registered("bob").await;
    alice.call("bob", "rings").await;
    bob.next_request(&Method::Invite).await;
    let begun = Instant::now();
    let (folder, _store) = scene.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(9));
    let file = folder.path().join("t.sqlite");
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(file)).await.unwrap();
    let row: (i64, i64) =
        sqlx::query_as("SELECT SipResponseCode, AcctStopTime IS NOT NULL FROM radacct")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(row, (503, 1));
    pool.close().await;
}
