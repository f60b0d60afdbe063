use super::*;

fn number(digits: &str) -> E164 {
    E164::new(digits).unwrap()
}

fn mapping(kind: &str, mapto: &str) -> EnumMapping {
    EnumMapping {
        r#type: Some(kind.to_owned()),
        mapto: Some(mapto.to_owned()),
        ..Default::default()
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, Fault>) -> u16 {
    result.unwrap_err().code
}

#[test]
fn b100_keys() {
    let id = |prefix: &str, tld: &str| EnumRangeId {
        prefix: Some(prefix.to_owned()),
        tld: Some(tld.to_owned()),
    };
    let (prefix, tld) = read_range_id(Some(&id("3120", "E164.Arpa.")), "id").unwrap();
    assert_eq!((prefix.digits(), tld.as_str()), ("3120", "e164.arpa"));
    for (prefix, tld, code) in [
        ("", "e164.arpa", code::MISSING_ARGUMENT),
        ("31", " ", code::MISSING_ARGUMENT),
        ("+31", "e164.arpa", code::INVALID_ARGUMENT),
        ("31a", "e164.arpa", code::INVALID_ARGUMENT),
        ("31", "e164..arpa", code::INVALID_ARGUMENT),
    ] {
        assert_eq!(refused(read_range_id(Some(&id(prefix, tld)), "id")), code, "{prefix} {tld}");
    }
    assert_eq!(refused(read_range_id(None, "id")), code::MISSING_ARGUMENT);
    let id = EnumId { number: Some("+3120".to_owned()), tld: Some("e164.arpa".to_owned()) };
    assert_eq!(read_id(Some(&id), "id").unwrap().0.digits(), "3120");
}

#[test]
fn b101_country_codes_and_their_heads() {
    for prefix in ["1", "7", "3", "31", "42", "420", "88", "881", "999"] {
        assert!(is_country(&number(prefix)), "{prefix}");
    }
    for prefix in ["12", "79", "312", "4202", "8811", "3120800"] {
        assert!(!is_country(&number(prefix)), "{prefix}");
    }
}

#[test]
fn b102_limits() {
    assert_eq!(read_limit(None, "size"), Ok(0));
    assert_eq!(refused(read_limit(Some(-1), "size")), code::INVALID_ARGUMENT);
    let fits = |digits, min, max| check_length(&number(digits), min, max).is_ok();
    assert!(fits("3120", 0, 0) && fits("3120", 4, 4));
    assert!(!fits("3120", 5, 0) && !fits("3120", 0, 3));
}

#[test]
fn b103_b105_b107_mappings() {
    let mut twice = mapping("sip", "sip:a@example.com");
    twice.priority = Some(1);
    let mut web = mapping("Web:HTTPS", "example.com/~a");
    (web.ttl, web.priority, web.id) = (Some(60), Some(9), Some(7));
    let read = read_mappings(&[mapping("sip", "a@example.com"), twice, web], "m").unwrap();
    let short: Vec<_> =
        read.iter().map(|m| (m.id, m.kind, m.mapto.as_str(), m.priority, m.ttl)).collect();
    assert_eq!(
        short,
        [
            (None, "sip", "sip:a@example.com", 5, 3600),
            (Some(7), "web:https", "https://example.com/~a", 9, 60),
        ]
    );
    assert_eq!(read[1].bare, "example.com/~a");
    assert_eq!(read[0].content, r#"100 5 "u" "E2U+sip" "!^.*$!sip:a@example.com!" ."#);
    assert_eq!(rrset_ttl(&read), 60);
    assert_eq!(rrset_ttl(&[]), DEFAULT_TTL);
}

#[test]
fn b104_b105_refused_mappings() {
    let list: Vec<_> = (0..6).map(|i| mapping("sip", &format!("{i}@example.com"))).collect();
    assert_eq!(refused(read_mappings(&list, "m")), code::TOO_MANY_MAPPINGS);
    assert!(read_mappings(&list[..5], "m").is_ok());
    for (kind, mapto, code) in [
        ("carrier-pigeon", "loft:1", code::MAPPING_INVALID),
        ("sip", "MAILTO:a@example.com", code::MAPPING_INVALID),
        ("web:http", "https://example.com", code::MAPPING_INVALID),
        ("", "sip:a@example.com", code::MISSING_ARGUMENT),
        ("sip", " ", code::MISSING_ARGUMENT),
        ("sip", "sip:", code::MISSING_ARGUMENT),
        ("sip", "sip:a b", code::INVALID_ARGUMENT),
    ] {
        assert_eq!(refused(read_mappings(&[mapping(kind, mapto)], "m")), code, "{kind} {mapto}");
    }
    for (priority, ttl) in [(-1, 0), (65_536, 0), (0, -1)] {
        let mut bad = mapping("sip", "a@example.com");
        (bad.priority, bad.ttl) = (Some(priority), Some(ttl));
        assert_eq!(refused(read_mappings(&[bad], "m")), code::INVALID_ARGUMENT);
    }
    assert!(read_mappings(&[mapping("sip", &"a".repeat(300))], "m").is_err());
}

#[test]
fn b47_bare_uris() {
    for (uri, expected) in [
        ("SIP:Alice@Example.com", "alice@example.com"),
        ("https://example.com/X", "example.com/x"),
        ("alice@example.com", "alice@example.com"),
        ("loft:1", "loft:1"),
        ("%é", "%é"),
    ] {
        assert_eq!(bare(uri), expected);
    }
}
