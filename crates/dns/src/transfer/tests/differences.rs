//! Differences lead from what a secondary has to what is served (RFC 1995).

use super::{lines, query, read};
use crate::answer::{Limits, Transport};
use crate::name::Name;
use crate::transfer::{Bounds, Difference, History, Messages, Query, is_later};
use crate::zone::Zone;
use crate::zone::tests::{row, rows, zone};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const WIDE: Bounds = Bounds { differences: 1_000, zone_octets: 1 << 20, octets: 1 << 22 };

fn apex() -> Name {
    Name::parse("example.com").unwrap()
}

/// What a secondary has: its records as text, SOA included.
fn whole(zone: &Zone) -> BTreeSet<String> {
    let asked = query("example.com", None);
    let query = Query::read(&asked).unwrap();
    let limits = Limits::new(Transport::Tcp);
    lines(&read(Messages::axfr(query, zone, limits, 0, None).unwrap())).into_iter().collect()
}

/// Does to a copy what the messages say, as RFC 1995 section 4 has it: each record must be there to go.
fn follow(copy: &mut BTreeSet<String>, difference: &Difference) {
    let asked = query("example.com", Some(1));
    let query = Query::read(&asked).unwrap();
    let limits = Limits::new(Transport::Tcp);
    let lines = lines(&read(Messages::ixfr(query, difference, limits, 0)));
    assert_eq!(lines.first(), lines.last());
    let inner = &lines[1..lines.len() - 1];
    let soas: Vec<usize> = (0..inner.len()).filter(|at| inner[*at].contains(" SOA ")).collect();
    assert_eq!((soas.len(), soas[0]), (2, 0));
    for line in &inner[..soas[1]] {
        assert!(copy.remove(line), "{line} goes and is not there");
    }
    for line in &inner[soas[1]..] {
        assert!(copy.insert(line.clone()), "{line} comes and is there");
    }
}

fn change(zone: &Zone, host: u8, addresses: &BTreeSet<u8>, ttl: u32) -> (Zone, Name) {
    let text = format!("h{host}.example.com");
    let owner = Name::parse(&text).unwrap();
    let rows: Vec<_> =
        addresses.iter().map(|n| row(&text, "A", ttl, &format!("192.0.2.{n}"))).collect();
    let (new, bad) = zone.with(&owner, &rows);
    assert_eq!(bad, []);
    (new.with_serial(zone.serial() + 1), owner)
}

proptest! {
    /// Whatever serial a secondary has, one condensed difference brings it to the present, without what came and went.
    #[test]
    fn condensed_differences_lead_to_the_present(
        changes in prop::collection::vec((0_u8..4, prop::collection::btree_set(0_u8..4, 0..4), 60_u32..63), 1..20),
    ) {
        let mut history = History::new(WIDE);
        let mut states = vec![zone("example.com", &[])];
        for (host, addresses, ttl) in &changes {
            let old = states.last().unwrap();
            let (new, owner) = change(old, *host, addresses, *ttl);
            let names = BTreeSet::from([owner]);
            let named = Difference::between(old, &new, Some(&names), 1 << 20).unwrap();
            prop_assert_eq!(&named, &Difference::between(old, &new, None, 1 << 20).unwrap());
            history.push(&apex(), named);
            states.push(new);
        }
        let last = states.last().unwrap();
        for state in &states[..states.len() - 1] {
            let chain = history.between(&apex(), state.serial(), last.serial()).unwrap();
            let condensed = Difference::condensed(&chain).unwrap();
            let mut copy = whole(state);
            follow(&mut copy, &condensed);
            prop_assert_eq!(copy, whole(last));
            let least = Difference::between(state, last, None, 1 << 20).unwrap();
            prop_assert_eq!(condensed.record_count(), least.record_count());
        }
    }

    /// What is kept stays within its bounds, and what is given is unbroken.
    #[test]
    fn the_history_is_bounded(pushes in prop::collection::vec((0_usize..3, 1_u8..4, 0_u32..20), 1..60)) {
        let bounds = Bounds { differences: 5, zone_octets: 2_000, octets: 3_000 };
        let mut history = History::new(bounds);
        let mut states: BTreeMap<usize, Zone> = (0..3).map(|n| (n, zone("example.com", &[]))).collect();
        let names: Vec<Name> = ["a.example", "b.example", "c.example"].iter().map(|n| Name::parse(n).unwrap()).collect();
        for (number, count, salt) in pushes {
            let old = states[&number].clone();
            let (new, _) = change(&old, 1, &(0..count).collect(), 60 + salt);
            if let Some(difference) = Difference::between(&old, &new, None, history.largest()) {
                history.push(&names[number], difference);
            }
            states.insert(number, new);
            prop_assert!(history.octets() <= bounds.octets);
            let mut sum = 0;
            for (apex, chain) in &history.zones_for_test() {
                prop_assert!(chain.len() <= bounds.differences);
                prop_assert!(chain.windows(2).all(|pair| pair[0].1 == pair[1].0), "{} {:?}", apex, chain);
                let octets: usize = chain.iter().map(|link| link.2).sum();
                prop_assert!(octets <= bounds.zone_octets);
                sum += octets;
            }
            prop_assert_eq!(sum, history.octets());
        }
    }
}

#[test]
fn what_cannot_be_followed_is_forgotten() {
    let first = zone("example.com", &[]);
    let (second, _) = change(&first, 1, &BTreeSet::from([1]), 60);
    let (third, _) = change(&second, 1, &BTreeSet::from([2]), 60);
    let difference = |old: &Zone, new: &Zone| Difference::between(old, new, None, 1 << 20).unwrap();
    let serial = first.serial();
    let known = |history: &History, from: u32, to: u32| {
        history.between(&apex(), from, to).map(|chain| chain.len())
    };
    let mut history = History::new(WIDE);
    history.push(&apex(), difference(&first, &second));
    history.push(&apex(), difference(&second, &third));
    assert_eq!(known(&history, serial, serial + 2), Some(2));
    assert_eq!(known(&history, serial, serial + 1), Some(1), "for who looks at a state before");
    assert_eq!(known(&history, serial - 1, serial + 2), None);
    assert_eq!(known(&history, serial, serial + 3), None);
    assert_eq!(history.between(&Name::root(), serial, serial + 2), None);
    // A gap.
    let (fifth, _) = change(&third.with_serial(serial + 3), 1, &BTreeSet::from([3]), 60);
    history.push(&apex(), difference(&third.with_serial(serial + 3), &fifth));
    assert_eq!(known(&history, serial, serial + 4), None);
    assert_eq!(known(&history, serial + 3, serial + 4), Some(1));
    // Another content under the same serial; nothing under the same serial; a serial that goes back.
    history.push(&apex(), difference(&fifth, &fifth));
    assert_eq!(known(&history, serial + 3, serial + 4), Some(1));
    history.push(&apex(), difference(&fifth, &first.with_serial(serial + 4)));
    assert_eq!(known(&history, serial + 3, serial + 4), None);
    history.push(&apex(), difference(&fifth, &first));
    assert_eq!((known(&history, serial + 4, serial), history.octets()), (None, 0));
}

#[test]
fn large_differences_are_not_made() {
    let empty = zone("example.com", &[]);
    let names: Vec<String> = (0..100).map(|n| format!("h{n}.example.com")).collect();
    let lines: Vec<(&str, &str, u32, &str)> =
        names.iter().map(|name| (name.as_str(), "A", 60, "192.0.2.1")).collect();
    let full = zone("example.com", &lines);
    assert!(Difference::between(&empty, &full, None, 1_000).is_none());
    let made = Difference::between(&empty, &full, None, 100_000).unwrap();
    assert_eq!(made.record_count(), 100);
    let mut rows = rows("example.com", &[]);
    rows.records.clear();
    assert!(Difference::between(&empty, &Zone::build(&rows).0, None, 1 << 20).is_none());
}

/// RFC 1982 section 3.2.
#[test]
fn serials_go_around() {
    for (serial, than, later) in [
        (1, 0, true),
        (0, 1, false),
        (5, 5, false),
        (0, u32::MAX, true),
        (0x7fff_ffff, 0, true),
        (0x8000_0000, 0, false),
    ] {
        assert_eq!(is_later(serial, than), later, "{serial} {than}");
    }
}
