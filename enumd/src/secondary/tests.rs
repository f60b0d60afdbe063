use super::keep::{self, Kept};
use super::*;
use ngn_dns::tsig::Algorithm;
use ngn_dns::zone::Zone;
use ngn_model::DomainName;
use ngn_model::zone::{RecordRow, ZoneRows};

fn zone(apex: &str) -> Arc<Zone> {
    let record = RecordRow {
        name: apex.to_owned(),
        rtype: "SOA".to_owned(),
        content: "ns.example h.example 7 2 3 4 5".to_owned(),
        ttl: 60,
        priority: 0,
    };
    let apex = DomainName::new(apex).unwrap();
    Arc::new(Zone::build(&ZoneRows { apex, serial: 7, records: vec![record], signing: None }).0)
}

fn key(name: &str) -> Key {
    Key::new(Name::parse(name).unwrap(), Algorithm::HmacSha256, &[1; 32]).unwrap()
}

/// RFC 1996 section 3.10: others may not make us ask.
#[test]
fn only_masters_and_who_has_the_key_may_tell_of_changes() {
    let keys: Keys = [key("a.key"), key("b.key")].into_iter().collect();
    let of = |zone: &str, masters: &[&str], key: Option<&str>| SecondaryZone {
        zone: zone.to_owned(),
        masters: masters.iter().map(|master| master.parse().unwrap()).collect(),
        key: key.map(str::to_owned),
    };
    let settings = [
        of("a.example", &["192.0.2.1:53", "[2001:db8::1]:5353"], Some("a.key")),
        of("b.example", &["192.0.2.3:53"], None),
    ];
    let secondaries = Secondaries::new(&settings, &keys);
    let zones: Zones = [Zone::clone(&zone("own.example"))].into_iter().collect();
    let hear = |apex: &str, key: Option<&Key>, from: &str| {
        let apex = Name::parse(apex).unwrap();
        secondaries.hear(&zones, apex.as_wire(), key, from.parse().unwrap())
    };
    assert_eq!(hear("a.example", None, "192.0.2.1"), Rcode::NoError);
    assert_eq!(hear("a.example", None, "::ffff:192.0.2.1"), Rcode::NoError);
    assert_eq!(hear("a.example", None, "192.0.2.3"), Rcode::Refused);
    assert_eq!(hear("b.example", None, "192.0.2.3"), Rcode::NoError);
    assert_eq!(hear("a.example", Some(&key("a.key")), "192.0.2.99"), Rcode::NoError);
    assert_eq!(hear("a.example", Some(&key("b.key")), "192.0.2.99"), Rcode::Refused);
    assert_eq!(hear("b.example", Some(&key("b.key")), "192.0.2.99"), Rcode::Refused);
    assert_eq!(hear("own.example", None, "192.0.2.1"), Rcode::Refused);
    assert_eq!(hear("www.a.example", None, "192.0.2.1"), Rcode::NotAuth);
    assert_eq!(hear("example", None, "192.0.2.1"), Rcode::NotAuth);
    // The one that told is asked first, once.
    hear("a.example", None, "2001:db8::1");
    let secondary = secondaries.0.get(&Name::parse("a.example").unwrap()).unwrap();
    let order = |masters: Vec<SocketAddr>| masters.iter().map(|m| m.port()).collect::<Vec<_>>();
    assert_eq!(order(secondary.masters()), [5353, 53]);
    assert_eq!(order(secondary.masters()), [53, 5353]);
}

#[test]
fn copies_are_read_back_and_damage_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(keep::path("".as_ref()), None);
    let path = keep::path(&directory.path().join("snapshot")).unwrap();
    assert!(path.ends_with("snapshot.secondary"));
    let kept: Kept = [("a.example", 5_u64), ("b.example", u64::MAX)]
        .into_iter()
        .map(|(apex, seen)| (Name::parse(apex).unwrap(), (seen, zone(apex))))
        .collect();
    keep::write(&path, &kept).unwrap();
    let read = keep::read(&path).unwrap();
    let told = |kept: &Kept| -> Vec<(String, u64, u32, usize)> {
        kept.iter()
            .map(|(apex, (seen, zone))| {
                (apex.to_string(), *seen, zone.serial(), zone.record_count())
            })
            .collect()
    };
    assert_eq!(told(&read), told(&kept));
    let whole = std::fs::read(&path).unwrap();
    for at in [0, 9, 14, 20, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        assert!(keep::read(&path).is_err(), "{at}");
    }
}
