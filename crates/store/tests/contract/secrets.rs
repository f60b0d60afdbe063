//! Secrets that nodes share.

use crate::backend::Backend;
use crate::on_both;
use ngn_store::Store;

on_both!(the_first_one_makes_a_secret_and_all_get_it, secrets_are_not_journalled);

async fn the_first_one_makes_a_secret_and_all_get_it(backend: &Backend) {
    // Several nodes that start at once, each with connections of its own.
    let tasks: Vec<_> = (1..=6_u8)
        .map(|node| {
            let url = backend.url.clone();
            tokio::spawn(async move {
                let store = Store::open(&url).await.expect("a store");
                store.shared_secret("a", [node; 32]).await.expect("a secret")
            })
        })
        .collect();
    let mut found = Vec::new();
    for task in tasks {
        found.push(task.await.expect("no panic"));
    }
    let first = found[0];
    assert!((1..=6).any(|node| first == [node; 32]), "nobody's candidate");
    assert!(found.iter().all(|secret| *secret == first));
    let other = backend.store.shared_secret("b", [9; 32]).await.expect("a secret");
    assert_eq!(other, [9; 32]);
    let later = backend.store.shared_secret("a", [9; 32]).await.expect("a secret");
    assert_eq!(later, first);
}

async fn secrets_are_not_journalled(backend: &Backend) {
    let before = backend.number("SELECT COUNT(*) FROM journal").await;
    backend.store.shared_secret("a", [1; 32]).await.expect("a secret");
    assert_eq!(backend.number("SELECT COUNT(*) FROM journal").await, before);
}
