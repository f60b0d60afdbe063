//! Figures, not judgements: `cargo test -p ngn-store --release --test contract measure -- --ignored --nocapture`.

use crate::backend::{Backend, actor, millis};
use crate::transactions::joiner;
use crate::zones::name;
use ngn_model::{Aor, Binding, Entity};
use ngn_store::{Loaded, NewRecord, RecordOrigin, Store, StoreError};
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute and judges nothing"]
async fn measure() {
    let sqlite = Backend::sqlite().await;
    measure_on("sqlite", &sqlite).await;
    sqlite.remove().await;
    if let Some(mysql) = Backend::mysql().await {
        measure_on("mysql", &mysql).await;
        mysql.remove().await;
    }
}

async fn measure_on(label: &str, backend: &Backend) {
    let store = &backend.store;
    let apex = &name("bulk.example");
    let (zone, _) = store
        .write(actor(), |tx| Box::pin(async move { tx.insert_zone(apex).await }))
        .await
        .expect("a zone");
    let mut one = Vec::new();
    for i in 0..300 {
        let start = Instant::now();
        soap_like(store, zone, &format!("m{i}.bulk.example")).await;
        one.push(start.elapsed());
    }
    show(label, "write, 1 client", &mut one);
    let start = Instant::now();
    let tasks: Vec<_> = (0..32)
        .map(|client| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut times = Vec::new();
                for i in 0..40 {
                    let start = Instant::now();
                    soap_like(&store, zone, &format!("c{client}-{i}.bulk.example")).await;
                    times.push(start.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.expect("no panic"));
    }
    let rate = 1280.0 / start.elapsed().as_secs_f64();
    show(label, "write, 32 clients on one zone", &mut times);
    println!("{label:7} {:34} {rate:.0}/s", "  rate");
    show(label, "follower, same process", &mut wake(store, store, zone, "w").await);
    let other = Store::open(&format!("{}{}pool=2", backend.url, joiner(&backend.url))).await;
    if let (true, Ok(other)) = (label == "mysql", other) {
        show(label, "follower, other process", &mut wake(store, &other, zone, "p").await);
    }
    let bindings: Vec<Binding> = (0..200).map(binding).collect();
    let mut groups = Vec::new();
    for _ in 0..30 {
        let start = Instant::now();
        store.save_bindings("", &bindings, &[]).await.expect("saved");
        groups.push(start.elapsed());
    }
    show(label, "group of 200 bindings", &mut groups);
    bulk(backend, zone).await;
    for _ in 0..2 {
        let start = Instant::now();
        let mut records = 0;
        store
            .load_zones(|loaded| records += usize::from(matches!(loaded, Loaded::Record(..))))
            .await
            .expect("zones");
        println!("{label:7} {:34} {:?}", format!("load of {records} records"), start.elapsed());
    }
}

/// What an addNumber does: facts, two or three rows, two journal rows.
async fn soap_like(store: &Store, zone: i64, owner: &str) {
    let record = &NewRecord {
        domain_id: zone,
        name: owner.to_owned(),
        rtype: "NAPTR".to_owned(),
        content: "100 5 \"u\" \"E2U+sip\" \"!^.*$!sip:a@example.com!\" .".to_owned(),
        ttl: 3600,
        priority: 0,
        origin: RecordOrigin::Api,
        value: None,
        owner: 0,
        record_key: None,
    };
    let apex = &name("bulk.example");
    store
        .write(actor(), |tx| {
            Box::pin(async move {
                tx.zone_id(apex).await?;
                tx.serials(&["bulk.example"]).await?;
                let id = tx.insert_record(record).await?;
                tx.journal(
                    Entity::DnsRecord,
                    id,
                    None,
                    None,
                    Some(json!({"name": owner, "id": id})),
                );
                let key = format!("bulk.example {owner}");
                tx.journal(Entity::RrSet, key, Some("bulk.example"), None, None);
                Ok::<_, StoreError>(())
            })
        })
        .await
        .expect("a commit");
}

async fn wake(writer: &Store, reader: &Store, zone: i64, prefix: &str) -> Vec<Duration> {
    let mut follower = reader.follow().await.expect("a follower");
    let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
    let task = tokio::spawn(async move {
        loop {
            let rows = follower.next().await.expect("rows");
            if send.send((rows.len(), Instant::now())).is_err() {
                return;
            }
        }
    });
    let mut times = Vec::new();
    for i in 0..60 {
        soap_like(writer, zone, &format!("{prefix}{i}.bulk.example")).await;
        let written = Instant::now();
        let (_, given) = receive.recv().await.expect("rows");
        times.push(given.saturating_duration_since(written));
        tokio::time::sleep(Duration::from_millis(7)).await;
    }
    task.abort();
    times
}

fn binding(i: u32) -> Binding {
    Binding {
        aor: Aor::new(&format!("u{i}"), "example.com").expect("an address"),
        contact: format!("sip:u{i}@198.51.100.7:5060"),
        received: None,
        path: String::new(),
        expires_at: millis() + 3_600_000,
        q: 1000,
        call_id: "c".to_owned(),
        cseq: i,
        user_agent: "phone".to_owned(),
        socket: "udp:192.0.2.9:5060".to_owned(),
        instance: None,
        reg_id: 0,
        node: String::new(),
        last_modified: millis(),
    }
}

async fn bulk(backend: &Backend, zone: i64) {
    for chunk in 0..100 {
        let rows: Vec<String> = (0..1000)
            .map(|i| {
                let content = "100 5 \"u\" \"E2U+sip\" \"!^.*$!sip:a@example.com!\" .";
                format!("({zone}, 'n{chunk}-{i}.bulk.example', 'NAPTR', '{content}', 3600, 0)")
            })
            .collect();
        let columns = "domain_id, name, type, content, ttl, prio";
        backend.sql(format!("INSERT INTO records ({columns}) VALUES {}", rows.join(","))).await;
    }
}

fn show(label: &str, what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!("{label:7} {what:34} p50 {:?}  p99 {:?}  max {:?}", at(50), at(99), at(100));
}
