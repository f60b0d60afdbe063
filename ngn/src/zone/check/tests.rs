use super::phones::check;
use super::*;
use ngn_model::zone::{RecordRow, ZoneRows};

fn rows(records: &[(&str, &str, &str)]) -> ZoneRows {
    let row = |(name, rtype, content): &(&str, &str, &str)| RecordRow {
        name: (*name).to_owned(),
        rtype: (*rtype).to_owned(),
        content: (*content).to_owned(),
        ttl: 60,
        priority: 0,
    };
    let records = records.iter().map(row).collect();
    ZoneRows {
        apex: DomainName::new("example.com").expect("a name"),
        serial: 1,
        records,
        signing: None,
    }
}

fn found(
    records: &[(&str, &str, &str)],
    server: Option<&str>,
) -> (Vec<(Level, String)>, Vec<String>) {
    let (found, lines) = check(&rows(records), "example.com", &[UDP, TLS], server);
    (found.0, lines.lines().map(str::to_owned).collect())
}

// RFC 3263 section 4: what telephones ask for, and what they do without it.
#[test]
fn what_telephones_look_for() {
    let (wrong, lines) = found(&[], None);
    let levels: Vec<Level> = wrong.iter().map(|(level, _)| *level).collect();
    assert_eq!(levels, [Level::Doubt, Level::Wrong, Level::Doubt, Level::Wrong]);
    assert!(
        wrong.iter().any(|(_, what)| what.ends_with("--fix --sip-server NAME adds it")),
        "{wrong:?}"
    );
    assert_eq!(lines.len(), 2);
    let (_, lines) = found(&[], Some("SIP.example.net."));
    assert_eq!(
        lines,
        [
            "example.com. 3600 IN NAPTR 10 10 \"s\" \"SIP+D2U\" \"\" _sip._udp.example.com.",
            "_sip._udp.example.com. 3600 IN SRV 10 0 5060 sip.example.net.",
            "example.com. 3600 IN NAPTR 10 20 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.example.com.",
            "_sips._tcp.example.com. 3600 IN SRV 10 0 5061 sip.example.net.",
        ]
    );
    // The domain's own address is where they go without any of these.
    let (doubts, lines) = found(&[("example.com", "A", "192.0.2.1")], None);
    assert!(doubts.iter().all(|(level, _)| *level == Level::Doubt), "{doubts:?}");
    assert!(
        lines
            .iter()
            .any(|line| line == "_sip._udp.example.com. 3600 IN SRV 10 0 5060 example.com.")
    );
    let complete = [
        ("example.com", "NAPTR", "10 10 \"s\" \"sip+d2u\" \"\" _sip._udp.example.com"),
        ("example.com", "NAPTR", "10 20 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.example.com"),
        ("_sip._udp.example.com", "SRV", "0 5060 sip.example.com"),
        ("_sips._tcp.example.com", "SRV", "0 5061 sip.example.net"),
        ("sip.example.com", "AAAA", "2001:db8::1"),
    ];
    assert_eq!(found(&complete, None), (Vec::new(), Vec::new()));
    let without_address = &complete[..4];
    let (wrong, lines) = found(without_address, None);
    assert!(
        wrong.len() == 1 && wrong[0].1.contains("sip.example.com, which has no address"),
        "{wrong:?}"
    );
    assert!(lines.is_empty());
    let alias = [without_address, &[("sip.example.com", "CNAME", "a.example.com")]].concat();
    assert!(found(&alias, None).0[0].1.contains("which is an alias"));
}

#[test]
fn domains_lie_in_the_nearest_zone() {
    let zones = ["example.com", "sub.example.com", "example.org"].map(str::to_owned);
    for (domain, zone) in [
        ("example.com", Some("example.com")),
        ("a.sub.example.com", Some("sub.example.com")),
        ("notexample.com", None),
    ] {
        assert_eq!(nearest(domain, &zones), zone, "{domain}");
    }
}
