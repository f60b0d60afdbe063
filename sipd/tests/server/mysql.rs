//! The same on MySQL or MariaDB, when `NGN_TEST_MYSQL_URL` names a server (`tests/bin/with-mariadb`).

use crate::phone::{hang_up, talk};
use crate::scene::{PASSWORD, Scene};
use sqlx::mysql::MySqlPool;
use std::time::Duration;

#[tokio::test]
async fn registrations_calls_records_and_a_restart() {
    let Some((scene, url)) = Scene::mysql().await else { return };
    let mut alice = scene.phone("alice").await;
    let mut bob = scene.registered("bob").await;
    let (answered, _) = talk(&mut alice, &mut bob, "before").await;
    hang_up(&mut alice, &mut bob, &answered).await;
    // Bindings and dialogs outlive the restart.
    let (lasts, _) = talk(&mut alice, &mut bob, "lasts").await;
    let scene = scene.restart().await;
    hang_up(&mut alice, &mut bob, &lasts).await;
    let (answered, _) = talk(&mut alice, &mut bob, "after").await;
    hang_up(&mut alice, &mut bob, &answered).await;
    assert_eq!(bob.register("again", PASSWORD).await, 200);
    let (_folder, store) = scene.stop().await;

    let pool = MySqlPool::connect(&url).await.unwrap();
    let rows: Vec<(String, i64, String)> = sqlx::query_as(
        "SELECT AcctSessionId, CAST(AcctStopTime IS NOT NULL AS SIGNED), AcctTerminateCause \
         FROM radacct ORDER BY RadAcctId",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let ended = |call: &str| (call.to_owned(), 1, "User-Request".to_owned());
    assert_eq!(rows, [ended("before"), ended("lasts"), ended("after")]);
    let bound: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM location").fetch_one(&pool).await.unwrap();
    assert_eq!(bound, 1);
    store.close().await;
    let name = url.rsplit('/').next().unwrap().to_owned();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("DROP DATABASE {name}")))
        .execute(&pool)
        .await
        .unwrap();
    let _ = tokio::time::timeout(Duration::from_secs(5), pool.close()).await;
}
