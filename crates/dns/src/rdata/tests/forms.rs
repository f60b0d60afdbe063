use super::*;

/// Text, the same text as it is written here (empty when it is that already), data.
type Vector = (&'static str, &'static str, &'static str, &'static [u8]);

const VECTORS: &[Vector] = &[
    // RFC 1035 section 3.3.2.
    ("HINFO", r#"PC "any \"os\"""#, r#""PC" "any \"os\"""#, b"\x02PC\x08any \"os\""),
    // RFC 1183 sections 1 and 2.2.
    ("AFSDB", "1 bigbird.toaster.com", "1 bigbird.toaster.com.", b"\0\x01\x07bigbird\x07toaster\x03com\0"),
    ("RP", "louie.trantor .", "louie.trantor. .", b"\x05louie\x07trantor\0\0"),
    // RFC 4255 section 3.2.
    (
        "SSHFP",
        "2 1 123456789abcdef67890123456789abcdef67890",
        "",
        b"\x02\x01\x12\x34\x56\x78\x9a\xbc\xde\xf6\x78\x90\x12\x34\x56\x78\x9a\xbc\xde\xf6\x78\x90",
    ),
    // RFC 4701 section 3.6.1.
    (
        "DHCID",
        "AAIBY2/AuCccgoJbsaxcQc9TUapptP69l OjxfNuVAA2kjEA=",
        "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
        b"\x00\x02\x01\x63\x6f\xc0\xb8\x27\x1c\x82\x82\x5b\xb1\xac\x5c\x41\xcf\x53\x51\xaa\x69\xb4\xfe\xbd\x94\xe8\xf1\x7c\xdb\x95\x00\x0d\xa4\x8c\x40",
    ),
    // RFC 6698 section 2.3, cut short; RFC 8162 section 2.
    ("TLSA", "1 1 2 92003ba3 4942DC74", "1 1 2 92003ba34942dc74", b"\x01\x01\x02\x92\0\x3b\xa3\x49\x42\xdc\x74"),
    ("SMIMEA", "3 0 0 00", "", b"\x03\0\0\0"),
    // RFC 7208 section 3.1.
    ("SPF", r#""v=spf1" "-all""#, "", b"\x06v=spf1\x04-all"),
    // RFC 7553 section 4.6.
    ("URI", r#"10 1 "ftp://ftp1.example.com/public""#, "", b"\0\x0a\0\x01ftp://ftp1.example.com/public"),
    ("OPENPGPKEY", "mQ EN", "mQEN", b"\x99\x01\x0d"),
    // RFC 8659 section 4.2 to 4.4.
    ("CAA", r#"0 issue "ca1.example.net; account=230123""#, "", b"\0\x05issueca1.example.net; account=230123"),
    ("CAA", r#"128 tbs "Unknown""#, "", b"\x80\x03tbsUnknown"),
    ("CAA", r#"0 issuewild """#, "", b"\0\x09issuewild"),
    // RFC 9460 appendix D.1: AliasMode.
    ("HTTPS", "0 foo.example.com.", "", b"\0\0\x03foo\x07example\x03com\0"),
    // Appendix D.2: ServiceMode, figures 3 to 10.
    ("SVCB", "1 .", "", b"\0\x01\0"),
    ("SVCB", "16 foo.example.com port=53", "16 foo.example.com. port=53", b"\0\x10\x03foo\x07example\x03com\0\0\x03\0\x02\0\x35"),
    ("SVCB", "1 foo.example.com. key667=hello", r#"1 foo.example.com. key667="hello""#, b"\0\x01\x03foo\x07example\x03com\0\x02\x9b\0\x05hello"),
    (
        "SVCB",
        r#"1 foo.example.com. key667="hello\210qoo""#,
        "",
        b"\0\x01\x03foo\x07example\x03com\0\x02\x9b\0\x09hello\xd2qoo",
    ),
    (
        "SVCB",
        r#"1 foo.example.com. ipv6hint="2001:db8::1,2001:db8::53:1""#,
        "1 foo.example.com. ipv6hint=2001:db8::1,2001:db8::53:1",
        b"\0\x01\x03foo\x07example\x03com\0\0\x06\0\x20\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\x53\0\x01",
    ),
    (
        "SVCB",
        r#"1 example.com. ipv6hint="2001:db8:122:344::192.0.2.33""#,
        "1 example.com. ipv6hint=2001:db8:122:344::c000:221",
        b"\0\x01\x07example\x03com\0\0\x06\0\x10\x20\x01\x0d\xb8\x01\x22\x03\x44\0\0\0\0\xc0\0\x02\x21",
    ),
    (
        "SVCB",
        "16 foo.example.org. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1",
        r#"16 foo.example.org. mandatory=alpn,ipv4hint alpn="h2,h3-19" ipv4hint=192.0.2.1"#,
        b"\0\x10\x03foo\x07example\x03org\0\0\0\0\x04\0\x01\0\x04\0\x01\0\x09\x02h2\x05h3-19\0\x04\0\x04\xc0\0\x02\x01",
    ),
    (
        "SVCB",
        r#"16 foo.example.org. alpn="f\\\\oo\\,bar,h2""#,
        "",
        b"\0\x10\x03foo\x07example\x03org\0\0\x01\0\x0c\x08f\\oo,bar\x02h2",
    ),
    (
        "SVCB",
        r"16 foo.example.org. alpn=f\\\092oo\092,bar,h2",
        r#"16 foo.example.org. alpn="f\\\\oo\\,bar,h2""#,
        b"\0\x10\x03foo\x07example\x03org\0\0\x01\0\x0c\x08f\\oo,bar\x02h2",
    ),
    // What appendix D has not.
    (
        "HTTPS",
        r#"1 . no-default-alpn ech="AAEC" alpn=h3 ohttp dohpath="/dns-query{?dns}" key9 key65535=x"#,
        r#"1 . alpn="h3" no-default-alpn ech=AAEC key7="/dns-query{?dns}" key8 key9 key65535="x""#,
        b"\0\x01\0\0\x01\0\x03\x02h3\0\x02\0\0\0\x05\0\x03\0\x01\x02\0\x07\0\x10/dns-query{?dns}\0\x08\0\0\0\x09\0\0\xff\xff\0\x01x",
    ),
    ("SVCB", r#"1 . key3="\000\053""#, "1 . port=53", b"\0\x01\0\0\x03\0\x02\0\x35"),
    ("SVCB", "1 . mandatory=key667 key667=", "1 . mandatory=key667 key667", b"\0\x01\0\0\0\0\x02\x02\x9b\x02\x9b\0\0"),
];

#[test]
fn types_have_their_own_forms() {
    for (kind, content, written, wire) in VECTORS {
        let octets = data(kind, content, 7);
        assert_eq!(octets, *wire, "{kind} {content}");
        let expected = if written.is_empty() { content } else { written };
        let kind = RecordType::parse(kind).unwrap();
        assert_eq!(text(kind, wire, "").as_deref(), Some(*expected));
        assert_eq!(data(&kind.to_string(), expected, 0), *wire, "{kind} {expected}");
        // RFC 3597 section 5: the form for unknown types stands for the same.
        assert_eq!(data(&kind.to_string(), &generic(wire), 0), *wire, "{kind} {content}");
    }
}

#[test]
fn errors_name_the_part() {
    let long = format!("1 . alpn={}", "a".repeat(256));
    for (kind, content, expected) in [
        ("CAA", "0 issue", "the value ends before its value; CAA is written: flags tag \"value\""),
        ("CAA", "0 issue a b", "`b` is left over;"),
        ("CAA", "0 a_b c", "the tag `a_b` is not of letters and digits"),
        ("CAA", "0 issue \"a", "a quoted string has no closing quote"),
        ("HINFO", "a", "the value ends before its system;"),
        ("TLSA", "3 1 1", "the value ends before its certificate association;"),
        ("TLSA", "3 1 256 00", "matching type `256` is no whole number from 0 to 255"),
        ("SSHFP", "4 2 0", "`0` is not hexadecimal"),
        ("URI", "1 1 \"\"", "the target is empty"),
        ("OPENPGPKEY", "AA", "the key is not Base64 as RFC 4648 section 4 has it"),
        ("OPENPGPKEY", "A===", "the key is not Base64"),
        ("OPENPGPKEY", "====", "the key is not Base64"),
        ("RP", "a..b .", "mailbox `a..b` is no domain name"),
        // RFC 9460 appendix D.3, figures 11 to 16.
        ("SVCB", "1 foo.example.com. key123=abc key123=def", "`key123` stands twice"),
        ("SVCB", "1 foo.example.com. mandatory", "`mandatory` is a list of other keys, each once"),
        ("SVCB", "1 foo.example.com. alpn", "`alpn` is a list of protocols of 1 to 255 octets"),
        ("SVCB", "1 foo.example.com. port", "`port` is a whole number from 0 to 65535"),
        ("SVCB", "1 foo.example.com. ipv4hint", "`ipv4hint` is a list of IPv4 addresses"),
        ("SVCB", "1 foo.example.com. ipv6hint", "`ipv6hint` is a list of IPv6 addresses"),
        ("SVCB", "1 foo.example.com. no-default-alpn=abc", "`no-default-alpn` has no value"),
        (
            "SVCB",
            "1 foo.example.com. mandatory=key123",
            "`mandatory` names a key that is not there",
        ),
        ("SVCB", "1 foo.example.com. mandatory=mandatory", "`mandatory` is a list of other keys"),
        (
            "SVCB",
            "1 foo.example.com. mandatory=key123,key123 key123=abc",
            "`mandatory` is a list of other keys, each once",
        ),
        // What appendix D.3 has not.
        ("SVCB", "1 . no-default-alpn", "`no-default-alpn` stands beside alpn only"),
        ("SVCB", "1 . port=53 key3=\"\\000\\053\"", "`key3` stands twice"),
        ("SVCB", "1 . key3=x", "`key3` is a whole number from 0 to 65535"),
        ("SVCB", "1 . port=+1", "`port` is a whole number"),
        ("SVCB", "1 . port=65536", "`port` is a whole number"),
        ("SVCB", "1 . alpn=h2,,h3", "`alpn` is a list"),
        ("SVCB", "1 . alpn=\"h2\\\\\"", "`alpn` is a list"),
        ("SVCB", &long, "`alpn` is a list"),
        ("SVCB", "1 . ipv4hint=192.0.2.1,2001:db8::1", "`ipv4hint` is a list"),
        ("SVCB", "1 . ech=AA", "`ech` is an ECHConfigList in Base64"),
        ("SVCB", "1 . dohpath=/dns-query", "`dohpath` is a path with the variable dns"),
        ("SVCB", "1 . dohpath=q{?dns}", "`dohpath` is a path"),
        ("SVCB", "1 . Port=1", "`Port` is no parameter; there are mandatory, alpn"),
        ("SVCB", "1 . key01=1", "`key01` is no parameter"),
        ("SVCB", "1 . key65536=1", "`key65536` is no parameter"),
        ("SVCB", "1 . =1", "`` is no parameter"),
        ("SVCB", "1 . key9=\"a", "a quoted string has no closing quote"),
        ("SVCB", "1 . key9=a\"b\"", "text stands outside the quotes"),
        ("HTTPS", "1", "the value ends before its target; HTTPS is written: priority target"),
    ] {
        let error = encode(kind, content, 0).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{kind} {content}: {error}");
    }
    let huge = format!("1 . key9={}", "a".repeat(65_536));
    assert_eq!(encode("SVCB", &huge, 0), Err(RdataError::TooLong(65_536)));
}

// What came as octets and is no data of its type has no text of its type.
#[test]
fn other_data_has_no_text() {
    for (kind, wire) in [
        (RecordType::TXT, &b""[..]),
        (RecordType::SOA, b"\0\0\0\0\0\x01"),
        (RecordType::CAA, b""),
        (RecordType::CAA, b"\0\0"),
        (RecordType::CAA, b"\0\x02a-x"),
        (RecordType::CAA, b"\0\x05a"),
        (RecordType::HINFO, b"\x01a"),
        (RecordType::HINFO, b"\x01a\x01bc"),
        (RecordType::SPF, b""),
        (RecordType::TLSA, b"\x03\x01\x01"),
        (RecordType::URI, b"\0\x01\0\x01"),
        (RecordType::RP, b"\0"),
        (RecordType::RP, b"\0\xc0\0"),
        (RecordType::OPENPGPKEY, b""),
        (RecordType::SVCB, b"\0\x01\0\0\x03\0\x01\x01"),
        (RecordType::SVCB, b"\0\x01\0\0\x03\0\x03\x01"),
        // Out of order, twice, mandatory without its key, with itself, out of order.
        (RecordType::SVCB, b"\0\x01\0\0\x09\0\0\0\x08\0\0"),
        (RecordType::SVCB, b"\0\x01\0\0\x09\0\0\0\x09\0\0"),
        (RecordType::SVCB, b"\0\x01\0\0\0\0\x02\0\x09"),
        (RecordType::SVCB, b"\0\x01\0\0\0\0\x02\0\0"),
        (RecordType::SVCB, b"\0\x01\0\0\0\0\x04\0\x0a\0\x09\0\x09\0\0\0\x0a\0\0"),
        (RecordType::SVCB, b"\0\x01\0\0\x01\0\x01\0"),
        (RecordType::SVCB, b"\0\x01\0\0\x01\0\x02\x02a"),
        (RecordType::SVCB, b"\0\x01\0\0\x04\0\x05\x01\x02\x03\x04\x05"),
    ] {
        assert_eq!(text(kind, wire, ""), None, "{kind} {wire:?}");
    }
}

/// Types of parts.
fn kinds() -> impl Strategy<Value = RecordType> {
    let all: Vec<RecordType> =
        (0..=u16::MAX).map(RecordType).filter(|kind| !parts(*kind).is_empty()).collect();
    assert_eq!(all.len(), 14);
    prop::sample::select(all)
}

/// Data that has a good chance of being some type's.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<u8>().prop_map(|octet| vec![octet]),
        any::<u16>().prop_map(|number| number.to_be_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(|string| [
            &[u8::try_from(string.len()).unwrap()],
            &string[..]
        ]
        .concat()),
        Just(b"\x01a\0".to_vec()),
        Just(b"\0".to_vec()),
        Just(b"\0\x01\0\x03\x02h2".to_vec()),
        Just(b"\0\x04\0\x04\x01\x02\x03\x04".to_vec()),
        (9..u8::MAX, prop::collection::vec(any::<u8>(), 0..9)).prop_map(|(key, value)| [
            &[0, key, 0, u8::try_from(value.len()).unwrap()],
            &value[..]
        ]
        .concat()),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    // Whatever has a text is that text's data, but for the case of names.
    #[test]
    fn text_is_exact(kind in kinds(), wire in octets()) {
        if let Some(text) = text(kind, &wire, "") {
            prop_assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            let again = data(&kind.to_string(), &text, 0);
            prop_assert!(again.eq_ignore_ascii_case(&wire), "{}", text);
        }
    }

    #[test]
    fn parameters_are_exact(
        priority in any::<u16>(),
        alpn in prop::option::of(prop::collection::vec(prop::collection::vec(any::<u8>(), 1..6), 1..4)),
        hints in prop::collection::vec(any::<[u8; 16]>(), 0..3),
        others in prop::collection::btree_map(9..=u16::MAX, prop::collection::vec(any::<u8>(), 0..20), 0..4),
    ) {
        let mut wire = priority.to_be_bytes().to_vec();
        wire.extend(b"\x01a\0");
        let mut put = |key: u16, value: &[u8]| {
            wire.extend(key.to_be_bytes());
            wire.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            wire.extend(value);
        };
        if let Some(protocols) = alpn {
            let list = protocols.iter().map(|p| [&[u8::try_from(p.len()).unwrap()], &p[..]].concat());
            put(1, &list.collect::<Vec<_>>().concat());
        }
        if !hints.is_empty() {
            put(6, &hints.concat());
        }
        for (key, value) in &others {
            put(*key, value);
        }
        let text = text(RecordType::HTTPS, &wire, "").unwrap();
        prop_assert_eq!(data("HTTPS", &text, 0), wire);
    }

    #[test]
    fn no_parameter_panics(content in r#"(mandatory|alpn|port|ech|key[0-9]|[,="\\ ]|\\[0-9]{3}|ipv4hint|dohpath|.){0,30}"#) {
        if let Ok((kind, wire)) = encode("SVCB", &format!("1 . {content}"), 0) {
            let text = text(kind, &wire, "").unwrap();
            prop_assert_eq!(data("SVCB", &text, 0), wire);
        }
    }
}
