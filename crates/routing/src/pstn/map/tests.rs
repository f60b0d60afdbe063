use super::*;
use std::collections::BTreeMap;

/// Numbers that look random and are the same each time.
fn random(state: &mut u64, end: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % end
}

/// What every map must be: sorted, no page too full or empty, all of one height, and the count right.
fn check<K: Ord + Clone, V: Clone>(map: &Map<K, V>) {
    fn height<K: Ord + Clone, V: Clone>(page: &Page<K, V>, is_root: bool) -> usize {
        let (has, most) = page.fullness();
        assert!(has <= most && (is_root || has > 0));
        match page {
            Page::Entries(_) => 1,
            Page::Pages(pages) => {
                assert!(!is_root || pages.len() > 1);
                let heights = pages.iter().map(|below| {
                    let first = below.page.clone().below().expect("something").first;
                    assert!(first == below.first);
                    height(&below.page, false)
                });
                let heights: Vec<usize> = heights.collect();
                assert!(heights.windows(2).all(|two| two[0] == two[1]));
                heights[0] + 1
            }
        }
    }
    height(&map.root, true);
    assert_eq!(map.len(), map.iter().count());
    let keys: Vec<&K> = map.iter().map(|(key, _)| key).collect();
    assert!(keys.windows(2).all(|two| two[0] < two[1]));
}

#[test]
fn any_edits_leave_what_a_plain_map_has() {
    let mut state = 5;
    for keys in [3, 300, 3_000, 60_000] {
        let (mut map, mut plain) = (Map::default(), BTreeMap::new());
        for round in 0..20 {
            // Few edits, many, and rounds that take nearly everything out again.
            let count =
                [1, 1, 7, 500, 20_000][usize::try_from(random(&mut state, 5)).expect("fits")];
            let goes = [2, 10, 1][round % 3];
            let edits: Vec<Edit<u64, u64>> = (0..count)
                .map(|_| {
                    let key = random(&mut state, keys);
                    let value = random(&mut state, 1_000_000);
                    (key, (random(&mut state, 10) >= goes).then_some(value))
                })
                .collect();
            let (before, plain_before) = (map.clone(), plain.clone());
            for (key, value) in &edits {
                match value {
                    Some(value) => plain.insert(*key, *value),
                    None => plain.remove(key),
                };
            }
            map.edit(edits);
            check(&map);
            assert!(map.iter().map(|(k, v)| (k, v)).eq(plain.iter()));
            assert!(
                before.iter().map(|(k, v)| (k, v)).eq(&plain_before),
                "the map before is as it was"
            );
            for _ in 0..20 {
                let (a, b) = (random(&mut state, keys), random(&mut state, keys));
                assert_eq!(map.get(&a), plain.get(&a));
                let last = plain.range(..=a).next_back();
                assert_eq!(map.up_to(|key| *key <= a).last().map(|(k, v)| (k, v)), last);
                let (from, to) = (a.min(b), a.max(b));
                let run = map.run(|key| match key {
                    key if *key < from => std::cmp::Ordering::Less,
                    key if *key > to => std::cmp::Ordering::Greater,
                    _ => std::cmp::Ordering::Equal,
                });
                assert!(run.iter().map(|(k, v)| (k, v)).eq(plain.range(from..=to)));
            }
        }
    }
}

#[test]
fn one_edit_touches_one_page_of_each_height() {
    let mut map = Map::default();
    map.edit((0..100_000_u32).map(|key| (key, Some(key))).collect());
    let before = map.clone();
    map.edit(vec![(70_001, None)]);
    fn pages<'m>(page: &'m Page<u32, u32>, found: &mut Vec<&'m [(u32, u32)]>) {
        match page {
            Page::Entries(entries) => found.push(entries),
            Page::Pages(below) => below.iter().for_each(|below| pages(&below.page, found)),
        }
    }
    let (mut old, mut new) = (Vec::new(), Vec::new());
    pages(&before.root, &mut old);
    pages(&map.root, &mut new);
    assert_eq!(old.len(), new.len());
    let shared = old.iter().zip(&new).filter(|(old, new)| std::ptr::eq(**old, **new)).count();
    assert_eq!(shared, old.len() - 1);
    assert!(before.is_same(&before.clone()) && !before.is_same(&map));
}

#[test]
fn pages_have_no_room_to_spare() {
    let mut map = Map::default();
    map.edit((0..100_000_u64).map(|key| (key, Some(0_u64))).collect());
    let of_entries = 100_000 * 16;
    assert!((of_entries..of_entries + 100_000).contains(&map.octets()), "{}", map.octets());
}
