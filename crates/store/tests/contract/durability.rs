//! What was acknowledged survives a killed process.

use crate::backend::actor;
use ngn_model::Entity;
use ngn_store::{Store, StoreError};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// Runs as a process of its own and writes until it is killed, one line of output per acknowledged commit.
#[tokio::test]
#[ignore = "the victim of the next test"]
async fn victim() {
    let Ok(url) = std::env::var("NGN_TEST_VICTIM") else { return };
    let store = Store::open(&url).await.expect("a store");
    let mut out = std::io::stderr();
    for i in 0_u64.. {
        let zone = &format!("z{i}.example");
        let (_, position) = store
            .write(actor(), |tx| {
                Box::pin(async move {
                    tx.start_serial(zone).await?;
                    tx.journal(Entity::Zone, zone, Some(zone), None, None);
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .expect("a commit");
        writeln!(out, "done {i} {}", position.expect("a position")).expect("a line");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn sqlite_keeps_what_was_acknowledged() {
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite:{}", directory.path().join("ngn.db").display());
    let store = Store::open(&url).await.expect("a store");
    store.migrate().await.expect("a schema");
    store.close().await;
    let mut done = 0;
    for round in 1..=3 {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--ignored", "--exact", "durability::victim", "--nocapture"])
            .env("NGN_TEST_VICTIM", &url)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("a process");
        let lines = BufReader::new(child.stderr.take().expect("its output")).lines();
        let acknowledged: Vec<String> = lines
            .map(|line| line.expect("a line"))
            .filter(|line| line.starts_with("done "))
            .take(40 * round)
            .collect();
        // SIGKILL, in the middle of whatever it does.
        child.kill().expect("a signal");
        child.wait().expect("its end");
        assert_eq!(acknowledged.len(), 40 * round);
        let store = Store::open(&url).await.expect("a store");
        let last = acknowledged.last().expect("a line");
        let zone = format!("z{}.example", last.split(' ').nth(1).expect("a number"));
        done = done.max(40 * round);
        let zones: Vec<String> = (0..done).map(|i| format!("z{i}.example")).collect();
        let serials = store.zone_serials(&zones).await.expect("serials");
        assert!(serials.iter().all(|(_, serial)| *serial > 0));
        assert!(zones.contains(&zone));
        let follower = store.follow().await.expect("a follower");
        let position: u64 = last.rsplit(' ').next().expect("a position").parse().expect("a number");
        assert!(follower.has_seen(ngn_model::Position(position)));
        // Without gaps: what was not acknowledged is there whole or not at all.
        assert!(follower.position().0 >= position);
        store.close().await;
    }
}
