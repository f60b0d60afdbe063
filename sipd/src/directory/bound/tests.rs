use super::*;
use std::collections::BTreeMap;

fn aor(number: u64) -> Aor {
    format!("u{number}@d{}.example", number % 3).parse().expect("an address")
}

/// A binding all of whose fields differ from those of others, some of them left out.
fn binding(number: u64, variant: u64) -> Binding {
    let given = |bit: u64, text: String| (variant >> bit & 1 == 1).then_some(text);
    let long = usize::try_from(variant % 7 * 90).expect("small");
    Binding {
        received: given(0, format!("sip:192.0.2.1:{variant};transport=udp")),
        path: given(1, "<sip:edge.example;lr>".repeat(long / 20)).unwrap_or_default(),
        q: u16::try_from(variant % 1_001).expect("small"),
        call_id: format!("{variant}-{number}"),
        cseq: u32::try_from(variant).expect("small"),
        user_agent: "é".repeat(long / 3),
        socket: "udp:192.0.2.9:5060".to_owned(),
        instance: given(2, format!("urn:uuid:{variant}")),
        reg_id: u32::MAX - u32::try_from(variant).expect("small"),
        node: given(3, "n1".to_owned()).unwrap_or_default(),
        last_modified: -i64::try_from(variant).expect("small"),
        ..Binding::new(aor(number), format!("sip:{variant}@192.0.2.1"), i64::MAX - 1)
    }
}

#[test]
fn every_field_comes_back() {
    let mut bound = Bound::default();
    let all: Vec<Binding> = (0..64).map(|variant| binding(1, variant * 37)).collect();
    bound.set(&aor(1), &all);
    assert_eq!(bound.get(&aor(1)), all);
    assert_eq!(bound.len(), 64);
    let empty = Binding { received: Some(String::new()), ..Binding::new(aor(2), "", 5) };
    bound.set(&aor(2), std::slice::from_ref(&empty));
    assert_eq!(bound.get(&aor(2)), [empty]);
    assert_eq!(bound.get(&aor(3)), []);
}

/// Against a map: what is set, removed, swept and listed at random, many times.
#[test]
fn it_does_what_a_map_does() {
    let mut bound = Bound::default();
    let mut map: BTreeMap<Aor, Vec<Binding>> = BTreeMap::new();
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for step in 0_u64..60_000 {
        // It grows, then shrinks.
        let (number, keeps) = (random(4_000), if step < 30_000 { 9 } else { 3 });
        let own = aor(number);
        let count = if random(10) < keeps { random(8) / 5 + 1 } else { 0 };
        let bindings: Vec<Binding> = (0..count)
            .map(|_| {
                let ends = i64::try_from(step + random(20_000)).expect("small");
                Binding { expires_at: ends, ..binding(number, random(2_000)) }
            })
            .collect();
        bound.set(&own, &bindings);
        if bindings.is_empty() {
            map.remove(&own);
        } else {
            map.insert(own.clone(), bindings);
        }
        assert_eq!(bound.get(&own), map.get(&own).cloned().unwrap_or_default());
        if step % 5_000 == 4_999 {
            let now = i64::try_from(step).expect("small");
            let before = bound.len();
            map.retain(|_, all| {
                all.retain(|one| one.expires_at > now);
                !all.is_empty()
            });
            bound.sweep(now);
            assert!(bound.len() < before);
            let listed: Vec<_> =
                bound.after(None).map(|held| (held.aor().clone(), held.iter().collect())).collect();
            assert_eq!(listed, map.clone().into_iter().collect::<Vec<_>>());
            assert_eq!(bound.len(), map.values().map(Vec::len).sum::<usize>());
            assert!(bound.blocks.iter().all(|block| (1..=BLOCK).contains(&block.len())));
            for number in [0, 17, 3_999, 5_000] {
                let behind = bound.after(Some(&aor(number))).next().map(|held| held.aor());
                assert_eq!(behind, map.keys().find(|known| **known > aor(number)));
            }
        }
    }
    assert!(map.len() > 100);
    assert_eq!(bound.take().len(), map.len());
    assert_eq!((bound.len(), bound.after(None).count()), (0, 0));
}

#[test]
fn addresses_that_come_in_order_fill_their_blocks() {
    let mut bound = Bound::default();
    for number in 0..10_000 {
        let aor: Aor = format!("u{number:06}@example.com").parse().expect("an address");
        bound.set(&aor, &[Binding::new(aor.clone(), "sip:a@192.0.2.1", 1)]);
    }
    assert_eq!(bound.blocks.len(), 10_000_usize.div_ceil(BLOCK));
}
