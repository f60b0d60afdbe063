//! Bindings.

use crate::backend::{Backend, millis};
use crate::on_both;
use ngn_model::Aor;
use ngn_model::binding::{Binding, BindingKey};

on_both!(
    a_binding_comes_back_as_it_was,
    one_group_makes_replaces_and_removes,
    outbound_flows_are_told_by_instance,
    ended_bindings_go,
    other_programs_can_read_it,
    odd_sizes_are_kept,
);

fn binding(user: &str, contact: &str) -> Binding {
    let now = millis();
    Binding {
        aor: Aor::new(user, "example.com").expect("an address"),
        contact: contact.to_owned(),
        received: Some("sip:192.0.2.1:5062;transport=udp".to_owned()),
        path: "<sip:edge.example.com;lr>".to_owned(),
        expires_at: now + 3_600_123,
        q: 755,
        call_id: "a84b4c76e66710".to_owned(),
        cseq: u32::MAX,
        user_agent: "phone/1.0".to_owned(),
        socket: "udp:192.0.2.9:5060".to_owned(),
        instance: None,
        reg_id: 0,
        node: "node-1".to_owned(),
        last_modified: now,
    }
}

async fn stored(backend: &Backend) -> Vec<Binding> {
    backend.store.load_directory().await.expect("the directory").0.bindings
}

async fn a_binding_comes_back_as_it_was(backend: &Backend) {
    let full = Binding {
        instance: Some("<urn:uuid:00000000-0000-1000-8000-000A95A0E128>".to_owned()),
        reg_id: u32::MAX,
        ..binding("alice", "sip:alice@198.51.100.3:5060;transport=tcp")
    };
    let bare = Binding {
        received: None,
        path: String::new(),
        node: String::new(),
        q: 0,
        ..binding("bob", "sip:bob@198.51.100.4")
    };
    backend.store.save_bindings(&[full.clone(), bare.clone()], &[]).await.expect("saved");
    let mut loaded = stored(backend).await;
    loaded.sort_by(|a, b| a.aor.cmp(&b.aor));
    assert_eq!(loaded, [full.clone(), bare]);
    let found =
        backend.store.bindings(std::slice::from_ref(&full.aor), millis()).await.expect("bindings");
    assert_eq!(found, [(full.aor.clone(), vec![full.clone()])]);
    let later = full.expires_at;
    let found =
        backend.store.bindings(std::slice::from_ref(&full.aor), later).await.expect("bindings");
    assert_eq!(found, [(full.aor, vec![])]);
}

async fn one_group_makes_replaces_and_removes(backend: &Backend) {
    let all: Vec<Binding> = (0..1000)
        .map(|i| binding(&format!("u{i}"), &format!("sip:u{i}@198.51.100.7:{}", 1024 + i)))
        .collect();
    backend.store.save_bindings(&all, &[]).await.expect("saved");
    assert_eq!(stored(backend).await.len(), 1000);
    let renewed: Vec<Binding> = all[..600]
        .iter()
        .map(|b| Binding { cseq: 2, expires_at: b.expires_at + 5000, ..b.clone() })
        .collect();
    let mut gone: Vec<BindingKey> = all[600..].iter().map(Binding::key).collect();
    // A key in both lists is saved; one that is unknown or named twice does no harm.
    gone.extend([all[0].key(), all[700].key(), binding("nobody", "sip:x@y").key()]);
    backend.store.save_bindings(&renewed, &gone).await.expect("saved");
    let loaded = stored(backend).await;
    assert_eq!(loaded.len(), 600);
    assert!(loaded.iter().all(|b| b.cseq == 2));
    // The last one of a key wins.
    let twice = [3, 4].map(|cseq| Binding { cseq, ..all[0].clone() });
    backend.store.save_bindings(&twice, &[]).await.expect("saved");
    assert_eq!(stored(backend).await.iter().filter(|b| b.cseq == 4).count(), 1);
    backend.store.save_bindings(&[], &[]).await.expect("nothing to do");
    assert_eq!(backend.number("SELECT COUNT(*) FROM journal").await, 0);
}

async fn outbound_flows_are_told_by_instance(backend: &Backend) {
    let flow = |reg_id, contact: &str| Binding {
        instance: Some("urn:uuid:1".to_owned()),
        reg_id,
        ..binding("alice", contact)
    };
    backend
        .store
        .save_bindings(&[flow(1, "sip:a@192.0.2.1"), flow(2, "sip:a@192.0.2.1")], &[])
        .await
        .expect("saved");
    assert_eq!(stored(backend).await.len(), 2);
    backend.store.save_bindings(&[flow(1, "sip:a@192.0.2.77")], &[]).await.expect("saved");
    let contacts: Vec<String> = stored(backend).await.into_iter().map(|b| b.contact).collect();
    assert_eq!(contacts.len(), 2);
    assert!(contacts.contains(&"sip:a@192.0.2.77".to_owned()));
}

async fn ended_bindings_go(backend: &Backend) {
    let now = millis();
    let old: Vec<Binding> = (0..5)
        .map(|i| Binding {
            expires_at: now - 1000 - i,
            ..binding("old", &format!("sip:o@192.0.2.{i}"))
        })
        .collect();
    let fresh = binding("new", "sip:n@192.0.2.1");
    backend.store.save_bindings(&old, &[]).await.expect("saved");
    backend.store.save_bindings(std::slice::from_ref(&fresh), &[]).await.expect("saved");
    assert_eq!(stored(backend).await.len(), 1);
    assert_eq!(backend.store.delete_expired_bindings(now, 3).await.expect("some"), 3);
    assert_eq!(backend.store.delete_expired_bindings(now, 300).await.expect("the rest"), 2);
    assert_eq!(backend.store.delete_expired_bindings(now, 300).await.expect("none"), 0);
    assert_eq!(stored(backend).await, [fresh]);
}

async fn other_programs_can_read_it(backend: &Backend) {
    let binding = binding("alice", "sip:a@192.0.2.1");
    backend.store.save_bindings(std::slice::from_ref(&binding), &[]).await.expect("saved");
    let seconds = backend.number("SELECT expires FROM location").await;
    assert_eq!(seconds, binding.expires_at / 1000 + 1);
    let counted = backend.number(
        "SELECT COUNT(*) FROM location WHERE domain = 'example.com' AND q > 0.75 AND q < 0.76",
    );
    assert_eq!(counted.await, 1);
}

async fn odd_sizes_are_kept(backend: &Backend) {
    let long = Binding {
        contact: format!("sip:a@192.0.2.1;x={}", "y".repeat(4000)),
        user_agent: "\u{fc}".repeat(400),
        ..binding("alice", "")
    };
    backend.store.save_bindings(std::slice::from_ref(&long), &[]).await.expect("saved");
    let [loaded] = stored(backend).await.try_into().expect("one binding");
    assert_eq!(loaded.contact, long.contact);
    assert_eq!(loaded.user_agent.chars().count(), 255);
}
