//! What the database says is what is served, and serials only rise (B110, B114, B116).

use crate::fixture::{Fixture, ask};
use crate::on_both;
use hickory_proto::op::ResponseCode::{NXDomain, NoError, Refused};
use hickory_proto::rr::{RData, RecordType};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

on_both!(changes_are_followed, serials_only_rise_and_end_where_the_database_is);

async fn changes_are_followed(fixture: &Fixture) {
    fixture.add_zone("a.example").await;
    fixture.set("a.example", "www.a.example", &["192.0.2.1"]).await;
    let running = fixture.start(|_| ()).await;
    assert_eq!(running.addresses("WWW.a.example").await, ["192.0.2.1"]);
    assert_eq!(running.served_serial("a.example").await, fixture.serial("a.example").await);
    assert_eq!(running.code("www.b.example").await, Refused);
    running
        .reach(fixture.set("a.example", "www.a.example", &["192.0.2.2", "192.0.2.3"]).await)
        .await;
    assert_eq!(running.addresses("www.a.example").await, ["192.0.2.2", "192.0.2.3"]);
    running.reach(fixture.set("a.example", "x.y.a.example", &["192.0.2.4"]).await).await;
    assert_eq!(running.code("y.a.example").await, NoError);
    running.reach(fixture.set("a.example", "x.y.a.example", &[]).await).await;
    assert_eq!(running.code("y.a.example").await, NXDomain);
    assert_eq!(running.served_serial("a.example").await, fixture.serial("a.example").await);
    fixture.add_zone("b.example").await;
    running.reach(fixture.set("b.example", "www.b.example", &["192.0.2.5"]).await).await;
    assert_eq!(running.addresses("www.b.example").await, ["192.0.2.5"]);
    let before = running.served_serial("b.example").await;
    running.reach(fixture.delete_zone("b.example").await).await;
    assert_eq!(running.code("www.b.example").await, Refused);
    running.reach(fixture.add_zone("b.example").await).await;
    assert_eq!(running.code("www.b.example").await, NXDomain);
    assert!(running.served_serial("b.example").await > before);
    assert_eq!(running.served_serial("b.example").await, fixture.serial("b.example").await);
    let serial = running.served_serial("a.example").await;
    running.stop().await;
    let running = fixture.start(|_| ()).await;
    assert_eq!(running.served_serial("a.example").await, serial);
    running.stop().await;
}

/// Writers change names and whole zones at once, while the serial is watched.
async fn serials_only_rise_and_end_where_the_database_is(fixture: &Fixture) {
    const WRITERS: usize = 8;
    const CHANGES: usize = 25;
    fixture.add_zone("a.example").await;
    let running = fixture.start(|_| ()).await;
    let server = running.address();
    let done = Arc::new(AtomicBool::new(false));
    let watcher = tokio::spawn({
        let done = Arc::clone(&done);
        async move {
            let (mut last, mut different) = (0, 0);
            while !done.load(Ordering::Relaxed) {
                let answer = ask(server, "a.example", RecordType::SOA).await;
                let RData::SOA(soa) = &answer.answers[0].data else { panic!("no SOA") };
                assert!(soa.serial >= last, "{} after {last}", soa.serial);
                different += usize::from(soa.serial > last);
                last = soa.serial;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            different
        }
    });
    let writers = (0..WRITERS).map(|writer| async move {
        for change in 0..CHANGES {
            if change % 5 == 4 {
                fixture.touch("a.example").await;
            } else {
                let owner = format!("n{writer}-{change}.a.example");
                fixture.set("a.example", &owner, &["192.0.2.1"]).await;
            }
        }
    });
    futures::future::join_all(writers).await;
    let last = fixture.touch("a.example").await;
    running.reach(last).await;
    // Rows of transactions that committed late may still come.
    let expected = fixture.serial("a.example").await;
    for _ in 0..200 {
        if running.served_serial("a.example").await == expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(running.served_serial("a.example").await, expected);
    done.store(true, Ordering::Relaxed);
    assert!(watcher.await.unwrap() > 2);
    for (writer, change) in [(0, 0), (7, 23), (3, 12)] {
        assert_eq!(
            running.addresses(&format!("n{writer}-{change}.a.example")).await,
            ["192.0.2.1"]
        );
    }
    running.stop().await;
}
