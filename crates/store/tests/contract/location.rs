//! Bindings.

use crate::backend::{Backend, millis};
use crate::on_both;
use ngn_model::Aor;
use ngn_model::binding::{Binding, Removal};
use ngn_store::{BindingChanges, BindingFollower, ENDED_KEPT, StoreError};

on_both!(
    a_binding_comes_back_as_it_was,
    one_group_makes_replaces_and_removes,
    outbound_flows_are_told_by_instance,
    ended_bindings_go,
    other_programs_can_read_it,
    odd_sizes_are_kept,
    newer_changes_of_other_nodes_stay,
    removals_hold_against_late_writes,
    other_nodes_are_told,
    late_and_lost_changes_are_noticed,
    nodes_know_where_others_are,
    bindings_come_in_pages,
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
    backend.store.save_bindings("", &[full.clone(), bare.clone()], &[]).await.expect("saved");
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
    backend.store.save_bindings("", &all, &[]).await.expect("saved");
    assert_eq!(stored(backend).await.len(), 1000);
    let renewed: Vec<Binding> = all[..600]
        .iter()
        .map(|b| Binding {
            cseq: 2,
            call_id: "renewed".to_owned(),
            expires_at: b.expires_at + 5000,
            ..b.clone()
        })
        .collect();
    let mut gone: Vec<Removal> = all[600..].iter().map(Binding::removal).collect();
    // A key in both lists is saved; one that is unknown or named twice does no harm.
    gone.extend([all[0].removal(), all[700].removal(), binding("nobody", "sip:x@y").removal()]);
    backend.store.save_bindings("", &renewed, &gone).await.expect("saved");
    let loaded = stored(backend).await;
    assert_eq!(loaded.len(), 600);
    assert!(loaded.iter().all(|b| b.cseq == 2));
    // The last one of a key wins.
    let twice = [3, 4].map(|cseq| Binding { cseq, call_id: "new".to_owned(), ..all[0].clone() });
    backend.store.save_bindings("", &twice, &[]).await.expect("saved");
    assert_eq!(stored(backend).await.iter().filter(|b| b.cseq == 4).count(), 1);
    backend.store.save_bindings("", &[], &[]).await.expect("nothing to do");
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
        .save_bindings("", &[flow(1, "sip:a@192.0.2.1"), flow(2, "sip:a@192.0.2.1")], &[])
        .await
        .expect("saved");
    assert_eq!(stored(backend).await.len(), 2);
    backend.store.save_bindings("", &[flow(1, "sip:a@192.0.2.77")], &[]).await.expect("saved");
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
    backend.store.save_bindings("", &old, &[]).await.expect("saved");
    backend.store.save_bindings("", std::slice::from_ref(&fresh), &[]).await.expect("saved");
    assert_eq!(stored(backend).await.len(), 1);
    // Some rows at a time, until all six were looked at.
    let (mut after, mut dropped) = (String::new(), Vec::new());
    loop {
        let looked = backend.store.delete_expired_bindings(now, &after, 2).await.expect("some");
        dropped.push(looked.0);
        let Some(next) = looked.1 else { break };
        assert!(next > after);
        after = next;
    }
    assert_eq!((dropped.len(), dropped.iter().sum::<u64>()), (4, 5), "{dropped:?}");
    assert_eq!(backend.store.delete_expired_bindings(now, "", 300).await.expect("none"), (0, None));
    assert_eq!(stored(backend).await, [fresh]);
}

async fn other_programs_can_read_it(backend: &Backend) {
    let binding = binding("alice", "sip:a@192.0.2.1");
    backend.store.save_bindings("", std::slice::from_ref(&binding), &[]).await.expect("saved");
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
    backend.store.save_bindings("", std::slice::from_ref(&long), &[]).await.expect("saved");
    let [loaded] = stored(backend).await.try_into().expect("one binding");
    assert_eq!(loaded.contact, long.contact);
    assert_eq!(loaded.user_agent.chars().count(), 255);
}

/// RFC 3261 section 10.3 step 7, with requests that come to different nodes.
async fn newer_changes_of_other_nodes_stay(backend: &Backend) {
    let store = &backend.store;
    let first = binding("alice", "sip:alice@192.0.2.1");
    let at = |after: i64, cseq: u32, call_id: &str, node: &str| Binding {
        last_modified: first.last_modified + after,
        cseq,
        call_id: call_id.to_owned(),
        node: node.to_owned(),
        ..first.clone()
    };
    let states = [
        // What is written, and what stands there then.
        (at(0, 10, "one", "a"), ("a", 10)),
        (at(5, 11, "one", "b"), ("b", 11)),
        // Older by its number, whatever clocks say.
        (at(9, 10, "one", "d"), ("b", 11)),
        (at(4, 12, "one", "c"), ("c", 12)),
        // The same once more, and another dialog, whose numbers say nothing.
        (at(4, 12, "one", "e"), ("e", 12)),
        (at(3, 13, "two", "d"), ("e", 12)),
        (at(6, 1, "two", "f"), ("f", 1)),
        (at(7, 2, "two", "g"), ("g", 2)),
    ];
    for (written, (node, cseq)) in states {
        store.save_bindings("x", std::slice::from_ref(&written), &[]).await.expect("saved");
        let [found] = stored(backend).await.try_into().expect("one binding");
        assert_eq!((found.node.as_str(), found.cseq), (node, cseq));
        if node == written.node {
            assert_eq!(found, written, "all of it");
        }
    }
    // Whoever knows an older state removes nothing.
    let old = at(6, 1, "two", "f").removal();
    store.save_bindings("x", &[], std::slice::from_ref(&old)).await.expect("saved");
    assert_eq!(stored(backend).await.len(), 1);
    store.save_bindings("x", &[], &[at(7, 0, "", "").removal()]).await.expect("saved");
    assert_eq!(stored(backend).await, []);
}

/// RFC 3261 section 10.3: what was removed stays so when what was accepted before is written afterwards.
async fn removals_hold_against_late_writes(backend: &Backend) {
    let store = &backend.store;
    let first = binding("alice", "sip:alice@192.0.2.1");
    let flow = Binding { instance: Some("urn:uuid:1".to_owned()), reg_id: 1, ..first.clone() };
    for first in [first, flow] {
        let at = |after: i64, call_id: &str, cseq: u32| Binding {
            last_modified: first.last_modified + after,
            call_id: call_id.to_owned(),
            cseq,
            ..first.clone()
        };
        // What was removed, be it known or not, what is written late, and whether it is there then.
        for (removed, late, comes) in [
            (at(50, "one", 12), at(40, "one", 11), false),
            (at(50, "two", 1), at(40, "one", 11), false),
            (at(50, "one", 12), at(60, "one", 13), true),
            (at(50, "one", 12), at(60, "two", 1), true),
            // A clock that is behind: the number tells.
            (at(50, "one", 12), at(40, "one", 13), true),
            // A phone that counts anew.
            (at(50, "one", 12), at(60, "one", 1), true),
        ] {
            for is_known in [true, false] {
                backend.sql("DELETE FROM location").await;
                if is_known {
                    let known = at(0, "one", 10);
                    store.save_bindings("a", &[known], &[]).await.expect("saved");
                }
                store.save_bindings("b", &[], &[removed.removal()]).await.expect("saved");
                assert_eq!(stored(backend).await, []);
                assert_eq!(backend.number("SELECT COUNT(*) FROM location").await, 1);
                store.save_bindings("a", std::slice::from_ref(&late), &[]).await.expect("saved");
                let expected: &[Binding] = if comes { std::slice::from_ref(&late) } else { &[] };
                assert_eq!(stored(backend).await, expected, "{removed:?}");
                let of = std::slice::from_ref(&first.aor);
                let found = store.bindings(of, millis()).await.expect("bindings");
                assert_eq!(found, [(first.aor.clone(), expected.to_vec())]);
                // The other way round: as if it had been written in time.
                backend.sql("DELETE FROM location").await;
                store.save_bindings("a", std::slice::from_ref(&late), &[]).await.expect("saved");
                store.save_bindings("b", &[], &[removed.removal()]).await.expect("saved");
                assert_eq!(stored(backend).await, expected, "{removed:?}");
            }
        }
    }
    // Whose clock is behind finds it ended too, and nothing of the phone is left.
    backend.sql("DELETE FROM location").await;
    let gone = binding("alice", "sip:alice@192.0.2.1");
    store.save_bindings("b", &[], &[gone.removal()]).await.expect("saved");
    let long_ago = gone.last_modified - ENDED_KEPT;
    let found = store.bindings(std::slice::from_ref(&gone.aor), long_ago).await.expect("bindings");
    assert_eq!(found, [(gone.aor, vec![])]);
    let traces = "SELECT COUNT(*) FROM location WHERE received IS NOT NULL OR user_agent <> ''";
    assert_eq!(backend.number(traces).await, 0);
    // After an hour it is forgotten.
    let now = gone.last_modified;
    for (before, count) in [(now - ENDED_KEPT, 0), (now - ENDED_KEPT + 1, 1)] {
        let dropped = store.delete_expired_bindings(before, "", 9).await.expect("looked at");
        assert_eq!(dropped, (count, None));
    }
}

async fn changed(follower: &mut BindingFollower) -> Vec<String> {
    match follower.changed().await.expect("changes") {
        BindingChanges::At(aors) => aors.iter().map(ToString::to_string).collect(),
        BindingChanges::Missed => panic!("nothing is missing"),
    }
}

async fn other_nodes_are_told(backend: &Backend) {
    let store = &backend.store;
    let of = |user: &str| binding(user, &format!("sip:{user}@192.0.2.1"));
    store.save_bindings("a", &[of("before")], &[]).await.expect("saved");
    let mut here = store.follow_bindings("a").await.expect("a follower");
    let mut there = store.follow_bindings("b").await.expect("a follower");
    assert_eq!(changed(&mut there).await, [""; 0], "it loads what there is");
    store.save_bindings("a", &[of("alice"), of("bob")], &[]).await.expect("saved");
    store.save_bindings("a", &[], &[of("before").removal()]).await.expect("saved");
    store.save_bindings("b", &[of("carol")], &[]).await.expect("saved");
    let users = ["alice", "before", "bob"].map(|user| format!("{user}@example.com"));
    assert_eq!(changed(&mut there).await, users);
    assert_eq!(changed(&mut there).await, [""; 0], "once");
    assert_eq!(changed(&mut here).await, ["carol@example.com"]);
    // More than go into one row.
    let many: Vec<Binding> = (0..1000).map(|i| of(&format!("u{i}"))).collect();
    store.save_bindings("a", &many, &[]).await.expect("saved");
    assert_eq!(changed(&mut there).await.len(), 1000);
    let rows = backend.number("SELECT COUNT(*) FROM location_changes").await;
    assert_eq!(rows, 14);
}

async fn late_and_lost_changes_are_noticed(backend: &Backend) {
    let store = &backend.store;
    let now = millis();
    let row = |id: u32, at: i64, user: &str| {
        backend.sql(format!(
            "INSERT INTO location_changes (id, at, node, addresses) \
             VALUES ({id}, {at}, 'a', '[\"{user}@example.com\"]')"
        ))
    };
    row(5, now, "alice").await;
    let mut there = store.follow_bindings("b").await.expect("a follower");
    row(8, now, "bob").await;
    assert_eq!(changed(&mut there).await, ["bob@example.com"]);
    // Committed later, numbered before.
    row(7, now, "carol").await;
    let late = loop {
        let found = changed(&mut there).await;
        if !found.is_empty() {
            break found;
        }
    };
    assert_eq!(late, ["carol@example.com"]);
    // Old rows go but for the last, by which it is seen that nothing is missing.
    store.trim_binding_changes(now + 600_001).await.expect("trimmed");
    assert_eq!(backend.number("SELECT MIN(id) FROM location_changes").await, 8);
    store.trim_binding_changes(now + 900_000).await.expect("trimmed");
    assert_eq!(backend.number("SELECT MIN(id) FROM location_changes").await, 8);
    let look = async |follower: &mut BindingFollower| loop {
        match follower.changed().await {
            Ok(BindingChanges::At(_)) => {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await
            }
            other => break other,
        }
    };
    // It was away for too long.
    row(20, now, "dave").await;
    backend.sql("DELETE FROM location_changes WHERE id < 20").await;
    let mut away = there;
    // Its last look has to be a while ago for it to make sure.
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    assert_eq!(look(&mut away).await.expect("an answer"), BindingChanges::Missed);
    // The database is another one.
    let mut here = store.follow_bindings("b").await.expect("a follower");
    backend.sql("UPDATE location_changes SET at = at - 1").await;
    let error = look(&mut here).await.expect_err("it went back");
    assert!(matches!(error, StoreError::Rewound { position: 20 }), "{error}");
}

async fn nodes_know_where_others_are(backend: &Backend) {
    let store = &backend.store;
    store.set_sip_node_address("a", Some("sip:192.0.2.1")).await.expect("noted");
    store.set_sip_node_address("b", Some("sip:192.0.2.2")).await.expect("noted");
    assert_eq!(store.sip_node_addresses(0).await.expect("nodes"), [], "nobody beats");
    store.sip_node_is_alive("a", 1_000).await.expect("noted");
    store.sip_node_is_alive("b", 2_000).await.expect("noted");
    store.set_sip_node_address("b", Some("sip:192.0.2.3;transport=tcp")).await.expect("noted");
    let a = ("a".to_owned(), "sip:192.0.2.1".to_owned());
    let b = ("b".to_owned(), "sip:192.0.2.3;transport=tcp".to_owned());
    assert_eq!(store.sip_node_addresses(1_000).await.expect("nodes"), [a, b.clone()]);
    assert_eq!(store.sip_node_addresses(1_001).await.expect("nodes"), [b]);
    store.set_sip_node_address("b", None).await.expect("it ended");
    assert_eq!(store.sip_node_addresses(1_001).await.expect("nodes"), []);
}

async fn bindings_come_in_pages(backend: &Backend) {
    let now = millis();
    let users = ["a", "b", "c", "d", "e"];
    let mut all: Vec<Binding> = users.map(|user| binding(user, "sip:x@192.0.2.1")).into();
    all[1].expires_at = now - 1;
    backend.store.save_bindings("a", &all, &[]).await.expect("saved");
    let (mut found, mut row, mut pages) = (Vec::new(), 0, 0);
    loop {
        let (page, next) = backend.store.bindings_after(row, now, 2).await.expect("a page");
        assert!(page.len() <= 2);
        found.extend(page.into_iter().map(|binding| binding.aor.username().to_owned()));
        pages += 1;
        match next {
            Some(next) => row = next,
            None => break,
        }
    }
    found.sort_unstable();
    assert_eq!((found.join(""), pages), ("acde".to_owned(), 3));
}
