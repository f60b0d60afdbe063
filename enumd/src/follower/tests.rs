use super::*;

fn row(entity: Entity, key: &str, zone: Option<&str>) -> JournalRow {
    JournalRow { position: Position(1), entity, key: key.to_owned(), zone: zone.map(str::to_owned) }
}

fn records(lines: &[(&str, &str, &str)]) -> Vec<RecordRow> {
    let record = |(name, rtype, content): &(&str, &str, &str)| RecordRow {
        name: (*name).to_owned(),
        rtype: (*rtype).to_owned(),
        content: (*content).to_owned(),
        ttl: 60,
        priority: 0,
    };
    lines.iter().map(record).collect()
}

fn rows(apex: &str, serial: u32, lines: &[(&str, &str, &str)]) -> ZoneRows {
    ZoneRows {
        apex: DomainName::new(apex).unwrap(),
        serial,
        records: records(lines),
        signing: None,
    }
}

fn serial(zones: &Zones, apex: &str) -> Option<u32> {
    zones.get(Name::parse(apex).unwrap().as_wire()).map(|zone| zone.serial())
}

#[test]
fn rows_name_each_record_once_and_hostile_keys_nothing() {
    let named = Named::by(&[
        row(Entity::RrSet, "a.example www.a.example", Some("a.example")),
        row(Entity::RrSet, "a.example www.a.example", Some("a.example")),
        row(Entity::RrSet, "b.example www.b.example", Some("b.example")),
        row(Entity::Zone, "b.example", Some("b.example")),
        row(Entity::Zone, "no zone..", None),
        row(Entity::RrSet, "nothing", None),
        row(Entity::DnsRecord, "17", Some("c.example")),
        row(Entity::SipAccount, "x@y", None),
    ]);
    assert_eq!(named.zones.len(), 1);
    // A zone that is read as a whole needs none of its names.
    assert_eq!(named.names.len(), 1);
    let rises: Vec<(&str, u32)> = named.rises.iter().map(|(z, n)| (z.as_str(), *n)).collect();
    assert_eq!(rises, [("a.example", 2), ("b.example", 2), ("c.example", 1)]);
}

// B110, B116: serials rise by what was given, and a zone read whole is not counted twice.
#[test]
fn serials_count_what_was_given() {
    let mut zones: Zones = ["a.example", "b.example", "gone.example"]
        .map(|apex| Zone::build(&rows(apex, u32::MAX - 1, &[])).0)
        .into_iter()
        .collect();
    let name = |zone: &str, owner: &str| (zone.to_owned(), owner.to_owned());
    let update = Update {
        zones: vec![
            (
                DomainName::new("b.example").unwrap(),
                Some((rows("b.example", 20, &[]), vec![Position(7), Position(9)])),
            ),
            (DomainName::new("gone.example").unwrap(), None),
        ],
        names: vec![
            (name("a.example", "x.a.example"), records(&[("x.a.example", "A", "192.0.2.1")])),
            (name("a.example", "y.a.example"), records(&[("y.a.example", "A", "nonsense")])),
            (name("unknown.example", "y.unknown.example"), vec![]),
        ],
        keys: Vec::new(),
        rises: [("a.example", 3), ("b.example", 5), ("gone.example", 1)]
            .map(|(zone, rise)| (zone.to_owned(), rise))
            .into(),
    };
    let Applied { complaints, differences } = update.apply(&mut zones, 1 << 20);
    // Without an SOA nothing is known of how they changed, only that they did.
    let changed: Vec<_> =
        differences.iter().map(|(apex, known)| (apex.to_string(), known.is_some())).collect();
    let all = ["gone.example", "a.example", "b.example"].map(|apex| (apex.to_owned(), false));
    assert_eq!(changed, all);
    assert_eq!(complaints.len(), 1);
    // Modulo 2^32 (RFC 1982).
    assert_eq!(serial(&zones, "a.example"), Some(1));
    assert_eq!(serial(&zones, "b.example"), Some(18));
    assert_eq!(serial(&zones, "gone.example"), None);
    assert_eq!((zones.len(), zones.record_count()), (2, 1));
}
