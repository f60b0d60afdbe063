use super::*;
use ngn_model::DomainName;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn row(name: &str, rtype: &str, ttl: u32, content: &str) -> RecordRow {
    RecordRow {
        name: name.to_owned(),
        rtype: rtype.to_owned(),
        content: content.to_owned(),
        ttl,
        priority: 10,
    }
}

/// A zone of lines: owner, type, TTL, content. SOA and NS are there.
pub(crate) fn rows(apex: &str, lines: &[(&str, &str, u32, &str)]) -> ZoneRows {
    let mut records = vec![
        row(apex, "SOA", 3600, &format!("ns1.{apex} hostmaster.{apex} 1 14400 3600 604800 300")),
        row(apex, "NS", 3600, &format!("ns1.{apex}")),
    ];
    records.extend(lines.iter().map(|(name, rtype, ttl, content)| row(name, rtype, *ttl, content)));
    ZoneRows { apex: DomainName::new(apex).unwrap(), serial: 2_026_010_107, records, signing: None }
}

pub(crate) fn zone(apex: &str, lines: &[(&str, &str, u32, &str)]) -> Zone {
    let (zone, bad) = Zone::build(&rows(apex, lines));
    assert_eq!(bad, []);
    zone
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

#[test]
fn empty_non_terminals_come_and_go() {
    let empty = zone("example.com", &[]);
    assert_eq!((empty.name_count(), empty.record_count()), (1, 2));
    let deep = name("a.b.c.example.com");
    let record = row("a.b.c.example.com", "A", 60, "192.0.2.1");
    let (full, bad) = empty.with(&deep, &[record]);
    assert!(bad.is_empty());
    for (text, rrsets) in [("a.b.c.example.com", 1), ("b.c.example.com", 0), ("c.example.com", 0)] {
        let Lookup::Exact(node) = full.lookup(name(text).as_wire(), false) else {
            panic!("{text} exists")
        };
        assert_eq!(node.rrsets().count(), rrsets, "{text}");
    }
    assert!(matches!(full.lookup(name("b.example.com").as_wire(), false), Lookup::NoName));
    let (again, _) = full.with(&deep, &[]);
    assert_eq!((again.name_count(), again.record_count()), (1, 2));
    // The copies are independent.
    assert_eq!((full.name_count(), full.record_count()), (4, 3));
}

#[test]
fn bad_records_are_left_out_with_a_reason() {
    let (zone, bad) = Zone::build(&rows(
        "example.com",
        &[
            ("www.example.com", "A", 60, "192.0.2.300"),
            ("www.example.com", "A", 60, "192.0.2.1"),
            ("www.example.com", "CNAME", 60, "other.example.com"),
            ("alias.example.com", "CNAME", 60, "one.example.com"),
            ("alias.example.com", "CNAME", 60, "two.example.com"),
            ("example.com", "CNAME", 60, "other.example.com"),
            ("example.com", "SOA", 60, "a b 1 2 3 4 5"),
            ("www.example.com", "SOA", 60, "a b 1 2 3 4 5"),
            ("example.net", "A", 60, "192.0.2.1"),
            ("bad..example.com", "A", 60, "192.0.2.1"),
            ("opt.example.com", "TYPE41", 60, "\\# 0"),
            ("odd.example.com", "NOTYPE", 60, "x"),
        ],
    ));
    let mut reasons: Vec<String> = bad.iter().map(ToString::to_string).collect();
    reasons.sort();
    assert_eq!(reasons.len(), 10, "{reasons:#?}");
    assert_eq!(zone.record_count(), 4);
    let count = |reason: &BadReason| bad.iter().filter(|bad| bad.reason == *reason).count();
    assert_eq!(count(&BadReason::CnameNotAlone), 3);
    assert_eq!(count(&BadReason::ExtraSoa), 2);
    assert_eq!(count(&BadReason::OutOfZone), 1);
    assert_eq!(count(&BadReason::MetaType), 1);
    let soa = zone.soa().unwrap();
    assert_eq!(soa.negative_ttl, 300);
}

// RFC 2181 section 5.2: one TTL for an RRset; the lowest is right for every record.
#[test]
fn an_rrset_has_its_lowest_ttl() {
    let lines = [("w.example.com", "A", 60, "192.0.2.1"), ("w.example.com", "A", 30, "192.0.2.2")];
    let zone = zone("example.com", &lines);
    let set = zone.node(name("w.example.com").as_wire()).unwrap().rrset(codes::A).unwrap();
    assert_eq!((set.ttl, set.count), (30, 2));
}

#[test]
fn the_longest_apex_wins() {
    let mut zones: Zones = ["e164.arpa", "1.3.e164.arpa", "0.2.1.3.e164.arpa"]
        .map(|apex| zone(apex, &[]))
        .into_iter()
        .collect();
    let found = |zones: &Zones, text: &str| {
        zones.find(name(text).as_wire()).map(|zone| zone.apex().to_string())
    };
    assert_eq!(found(&zones, "5.0.2.1.3.e164.arpa").unwrap(), "0.2.1.3.e164.arpa");
    assert_eq!(found(&zones, "2.1.3.e164.arpa").unwrap(), "1.3.e164.arpa");
    assert_eq!(found(&zones, "9.4.e164.arpa").unwrap(), "e164.arpa");
    assert_eq!(found(&zones, "arpa"), None);
    assert!(zones.has_below(name("2.1.3.e164.arpa").as_wire()));
    zones.remove(&name("0.2.1.3.e164.arpa"));
    assert!(!zones.has_below(name("2.1.3.e164.arpa").as_wire()));
    assert!(zones.has_below(name("3.e164.arpa").as_wire()));
    assert_eq!(found(&zones, "5.0.2.1.3.e164.arpa").unwrap(), "1.3.e164.arpa");
    assert_eq!((zones.len(), zones.record_count()), (2, 4));
    zones.insert(std::sync::Arc::new(zone("e164.arpa", &[("x.e164.arpa", "A", 60, "192.0.2.1")])));
    assert_eq!((zones.len(), zones.record_count()), (2, 5));
}

const OWNERS: [&str; 12] = [
    "example.com",
    "a.example.com",
    "b.a.example.com",
    "c.b.a.example.com",
    "*.a.example.com",
    "d.*.a.example.com",
    "e.example.com",
    "f.e.example.com",
    "g.f.e.example.com",
    "h.g.f.e.example.com",
    "*.example.com",
    "i.e.example.com",
];

/// The same zone, built at once from what stands at each name.
fn model(content: &BTreeMap<&str, Vec<RecordRow>>) -> (BTreeSet<Name>, usize) {
    let apex = name("example.com");
    let mut names = BTreeSet::from([apex.clone()]);
    for (owner, _) in content.iter().filter(|(_, rows)| !rows.is_empty()) {
        let mut here = Some(name(owner));
        while let Some(owner) = here.filter(|owner| owner.is_within(&apex)) {
            here = owner.parent();
            names.insert(owner);
        }
    }
    (names, content.values().map(Vec::len).sum())
}

proptest! {
    #[test]
    fn changes_one_by_one_make_what_building_makes(
        steps in prop::collection::vec((0_usize..OWNERS.len(), 0_usize..4), 0..40)
    ) {
        let mut content: BTreeMap<&str, Vec<RecordRow>> = BTreeMap::new();
        let mut zone = Zone::new(name("example.com"), 7);
        for (owner, kind) in steps {
            let owner = OWNERS[owner];
            let records = match kind {
                0 => vec![],
                1 => vec![row(owner, "A", 60, "192.0.2.1"), row(owner, "TXT", 60, "\"x\"")],
                2 => vec![row(owner, "NS", 60, "ns.example.net")],
                _ => vec![row(owner, "A", 60, "192.0.2.2")],
            };
            let (next, bad) = zone.with(&name(owner), &records);
            prop_assert!(bad.is_empty());
            zone = next;
            content.insert(owner, records);
        }
        let (names, records) = model(&content);
        let served: BTreeSet<Name> = zone.nodes().map(|node| Name::from_wire(node.name()).unwrap()).collect();
        prop_assert_eq!(&served, &names);
        prop_assert_eq!(zone.record_count(), records);
        let mut wildcards = Wildcards::default();
        names.iter().for_each(|name| wildcards.appeared(name.as_wire()));
        prop_assert_eq!(&zone.wildcards, &wildcards);
        let cuts = content.iter().filter(|(owner, rows)| **owner != "example.com" && rows.iter().any(|r| r.rtype == "NS"));
        prop_assert_eq!(zone.cuts, cuts.count());

        let mut octets = Vec::new();
        zone.write_to(&mut octets);
        octets.extend_from_slice(b"rest");
        let mut rest = octets.as_slice();
        let read = Zone::read_from(&mut rest).unwrap();
        prop_assert_eq!(rest, b"rest");
        let all = |zone: &Zone| {
            let mut entries: Vec<Vec<u8>> = zone.names.iter().map(|entry| entry.octets().to_vec()).collect();
            entries.sort();
            (zone.serial, zone.apex.clone(), zone.records, zone.cuts, zone.wildcards.clone(), entries)
        };
        prop_assert_eq!(all(&read), all(&zone));
    }

    #[test]
    fn any_octets_are_a_zone_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Zone::read_from(&mut octets.as_slice());
    }
}

#[test]
fn the_closest_encloser_is_the_longest_ancestor_that_exists() {
    let deep = "a.".repeat(100) + "example.com";
    let zone = zone("example.com", &[(&deep, "A", 60, "192.0.2.1")]);
    for labels in 0..=110 {
        for other in 0..=4 {
            let below = name(&("b.".repeat(other) + &"a.".repeat(labels) + "example.com"));
            let mut above = ancestors(below.as_wire()).skip(1);
            let longest = above.find(|name| zone.node(name).is_some());
            let found = zone.encloser(below.as_wire()).map(Node::name);
            assert_eq!(found, longest, "{below}");
        }
    }
}
