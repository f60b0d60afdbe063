mod forms;

use super::*;
use hickory_proto::rr::{self, Name as TheirName, RData};
use hickory_proto::serialize::txt::Parser;
use proptest::prelude::*;

fn data(kind: &str, content: &str, priority: u16) -> Vec<u8> {
    encode(kind, content, priority).unwrap_or_else(|error| panic!("{kind} {content}: {error}")).1
}

#[test]
fn types_have_names_and_numbers() {
    for (text, kind) in [
        ("A", RecordType::A),
        ("naptr", RecordType::NAPTR),
        ("TYPE35", RecordType::NAPTR),
        ("type65280", RecordType(65_280)),
    ] {
        assert_eq!(RecordType::parse(text), Some(kind), "{text}");
    }
    for text in ["", "TYPE", "TYPE65536", "TYPE+1", "TYPE000001", "URL", "MBOXFW", "TYPÉ1", "é"] {
        assert_eq!(RecordType::parse(text), None, "{text}");
    }
    assert_eq!(
        (RecordType::MX.to_string(), RecordType(98).to_string()),
        ("MX".into(), "TYPE98".into())
    );
    assert!(RecordType::A.is_data() && RecordType(65_280).is_data() && RecordType::CAA.is_data());
    assert!(!RecordType::ANY.is_data() && !RecordType::OPT.is_data() && !RecordType(0).is_data());
}

#[test]
fn content_becomes_data() {
    for (kind, content, priority, wire) in [
        ("A", "192.0.2.1", 9, &b"\xc0\x00\x02\x01"[..]),
        ("AAAA", "2001:DB8::1", 0, b"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"),
        ("NS", "ns1.Example", 0, b"\x03ns1\x07example\x00"),
        ("CNAME", r"a\.b.example.", 0, b"\x03a.b\x07example\x00"),
        ("PTR", ".", 0, b"\x00"),
        ("MX", "mail.example", 258, b"\x01\x02\x04mail\x07example\x00"),
        (
            "TXT",
            r#""one" "two \"quoted\"" "\195\169""#,
            0,
            b"\x03one\x0ctwo \"quoted\"\x02\xc3\xa9",
        ),
        ("TXT", "bare", 0, b"\x04bare"),
        ("TXT", r#""""#, 0, b"\x00"),
        ("SRV", "5 5060 sip.example", 7, b"\0\x07\0\x05\x13\xc4\x03sip\x07example\x00"),
        (
            "NAPTR",
            r#"100 10 "s" "SIP+D2U" "" _sip.a"#,
            3,
            b"\0\x64\0\x0a\x01s\x07SIP+D2U\0\x04_sip\x01a\x00",
        ),
        (
            "SOA",
            r"ns.a a\.b.c 1 2 3 4 4294967295",
            0,
            b"\x02ns\x01a\0\x03a.b\x01c\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\xff\xff\xff\xff",
        ),
        // RFC 3597 section 5.
        ("TYPE62347", r"\# 4 0A00 0001", 0, b"\x0a\0\0\x01"),
        ("TYPE731", r"\# 0", 0, b""),
        ("CAA", r"\# 2 abCD", 0, b"\xab\xcd"),
    ] {
        assert_eq!(data(kind, content, priority), wire, "{kind} {content}");
    }
}

// RFC 1876 section 2 and 4; the data of cambridge-net.kei.com and others, worked out by hand.
#[test]
fn rfc1876_locations() {
    let wire = |sizes: [u8; 3], numbers: [u32; 3]| {
        let mut wire = vec![0];
        wire.extend(sizes);
        wire.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        wire
    };
    let middle = 1_u32 << 31;
    for (content, sizes, numbers) in [
        (
            "42 21 54 N 71 06 18 W -24m 30m",
            [0x33, 0x16, 0x13],
            [middle + 152_514_000, middle - 255_978_000, 10_000_000 - 2_400],
        ),
        (
            "42 21 43.952 N 71 5 6.344 W -24m 1m 200m",
            [0x12, 0x24, 0x13],
            [middle + 152_503_952, middle - 255_906_344, 10_000_000 - 2_400],
        ),
        (
            "52 14 05 N 00 08 50 E 10m",
            [0x12, 0x16, 0x13],
            [middle + 188_045_000, middle + 530_000, 10_001_000],
        ),
        (
            "32 7 19 S 116 2 25 E 10m",
            [0x12, 0x16, 0x13],
            [middle - 115_639_000, middle + 417_745_000, 10_001_000],
        ),
        (
            "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
            [0, 0x16, 0x13],
            [middle + 188_543_000, middle + 17_612_000, 9_999_800],
        ),
        (
            "90 n 180 w -100000.00 90000000.00 0.01 99",
            [0x99, 0x10, 0x93],
            [middle + 324_000_000, middle - 648_000_000, 0],
        ),
        ("0 S 0 E 42849672.95m", [0x12, 0x16, 0x13], [middle, middle, u32::MAX]),
    ] {
        assert_eq!(data("LOC", content, 0), wire(sizes, numbers), "{content}");
    }
}

#[test]
fn errors_teach() {
    let long = format!("\"{}\"", "a".repeat(256));
    for (kind, content, text) in [
        (
            "URL",
            "https://a.example/",
            "`URL` is no record type; types without a name are written TYPE and a number, such as TYPE65280",
        ),
        (
            "RRSIG",
            "A 13 2",
            "the text form of RRSIG is not known; write \\# length hexadecimal (RFC 3597)",
        ),
        ("A", "\\# 4 7f000001", "A has a text form of its own; \\# is for types without one"),
        ("A", "", "the value ends before its address; A is written: IPv4 address"),
        ("A", "192.0.2", "`192.0.2` is no IPv4 address such as 192.0.2.1"),
        ("A", "2001:db8::1", "`2001:db8::1` is no IPv4 address such as 192.0.2.1"),
        ("A", "192.0.2.1 192.0.2.2", "`192.0.2.2` is left over; A is written: IPv4 address"),
        ("AAAA", "2001:db8:::1", "`2001:db8:::1` is no IPv6 address such as 2001:db8::1"),
        (
            "MX",
            "two words",
            "`words` is left over; MX is written: name (its preference is the priority)",
        ),
        ("NS", "a..b", "target `a..b` is no domain name: a label is empty"),
        ("SRV", "5060 sip", "port `sip` is no whole number from 0 to 65535"),
        ("SRV", "0 70000 sip", "port `70000` is no whole number from 0 to 65535"),
        ("SRV", "0 +1 sip", "port `+1` is no whole number from 0 to 65535"),
        (
            "SRV",
            "0 5060",
            "the value ends before its target; SRV is written: weight port target (the priority stands apart)",
        ),
        (
            "NAPTR",
            "100",
            "the value ends before its preference; NAPTR is written: order preference \"flags\" \"services\" \"regexp\" replacement",
        ),
        (
            "SOA",
            "a b 1 2 3 4 4294967296",
            "minimum `4294967296` is no whole number from 0 to 4294967295",
        ),
        ("TXT", "\"open", "a quoted string has no closing quote"),
        ("TXT", "\"open\\\"", "a quoted string has no closing quote"),
        ("TXT", long.as_str(), "a character string has 256 octets, more than 255"),
        ("TYPE9", "\\# 2 00", "the value says 2 octets and has 1"),
        ("TYPE9", "\\# 1 0", "`0` is not hexadecimal with two digits for each octet"),
        ("TYPE9", "\\# 1 0g", "`0g` is not hexadecimal with two digits for each octet"),
        ("TYPE9", "\\# x", "the length `x` is no whole number from 0 to 65535"),
    ] {
        assert_eq!(encode(kind, content, 0).unwrap_err().to_string(), text, "{kind} {content}");
    }
    for (content, part) in [
        ("somewhere", "latitude `somewhere`: degrees from 0 to 90;"),
        ("91 N 0 E 0m", "latitude `91`: degrees from 0 to 90;"),
        ("90 0 0.001 N 0 E 0m", "latitude `90`: the whole angle is beyond"),
        ("1 60 N 0 E 0m", "latitude `60`: minutes from 0 to 59;"),
        ("1 0 60 N 0 E 0m", "latitude `60`: seconds from 0 to 59.999;"),
        ("1 0 1.0001 N 0 E 0m", "seconds from 0 to 59.999;"),
        ("1 0 0 0 N 0 E 0m", "latitude `0`: N or S;"),
        ("1 N 181 E 0m", "longitude `181`: degrees from 0 to 180;"),
        ("1 N 1 E", "the value ends before its altitude;"),
        ("1 N 1 E -100000.01m", "altitude `-100000.01m`: metres from"),
        ("1 N 1 E 42849672.96m", "altitude `42849672.96m`: metres from"),
        ("1 N 1 E 0m 90000000.01m", "size `90000000.01m`: metres from 0"),
        ("1 N 1 E 0m 1m 1m 1m 1m", "`1m` is left over;"),
    ] {
        let error = encode("LOC", content, 0).unwrap_err().to_string();
        assert!(error.contains(part), "{content}: {error}");
        assert!(error.contains("LOC is written: degrees"), "{error}");
    }
    let text = "a".repeat(100_000);
    assert!(encode("A", &text, 0).unwrap_err().to_string().len() < 400);
}

#[test]
fn long_data_is_refused() {
    let strings = |n: usize| vec![format!("\"{}\"", "a".repeat(255)); n].join(" ");
    assert_eq!(data("TXT", &strings(255), 0).len(), 65_280);
    assert_eq!(encode("TXT", &strings(256), 0), Err(RdataError::TooLong(65_536)));
}

#[test]
fn a_serial_is_replaced() {
    let mut soa = data("SOA", "ns.a.example h.a.example 1 2 3 4 5", 0);
    set_serial(&mut soa, 0x0102_0304).unwrap();
    assert_eq!(soa, data("SOA", "ns.a.example h.a.example 16909060 2 3 4 5", 0));
    for mut broken in [&b""[..], b"\0", b"\0\0", b"\0\0\0\0\0\x01", b"\xc0\0\0"].map(<[u8]>::to_vec)
    {
        assert_eq!(set_serial(&mut broken, 1), Err(RdataError::NotSoa));
    }
}

#[test]
fn targets_are_found() {
    for (kind, content, expected) in [
        ("NS", "ns.a", Some("ns.a")),
        ("MX", "mail.a", Some("mail.a")),
        ("SRV", "0 1 t.a", Some("t.a")),
        ("NAPTR", r#"1 2 "s" "SIP" "x" r.a"#, Some("r.a")),
        ("TXT", "ns.a", None),
    ] {
        let (kind, wire) = encode(kind, content, 0).unwrap();
        assert_eq!(target(kind, &wire).map(|name| name.to_string()).as_deref(), expected);
    }
    assert_eq!(target(RecordType::MX, b"\0"), None);
    assert_eq!(target(RecordType::NAPTR, b"\0\0\0\0\xff"), None);
}

/// The data that hickory-proto reads from a line of a zone file.
fn theirs(kind: &str, content: &str) -> Vec<u8> {
    let zone = format!("a.example. 60 IN {kind} {content}\n");
    let (_, sets) = Parser::new(zone, None, Some(TheirName::root())).parse().unwrap();
    let record = sets.values().next().unwrap().records_without_rrsigs().next().unwrap().clone();
    wire(&record.data)
}

fn wire(data: &RData) -> Vec<u8> {
    use hickory_proto::serialize::binary::{BinEncodable, BinEncoder, NameEncoding};
    let mut bytes = Vec::new();
    let mut encoder = BinEncoder::new(&mut bytes);
    encoder.set_name_encoding(NameEncoding::Uncompressed);
    data.emit(&mut encoder).unwrap();
    bytes
}

#[test]
fn hickory_proto_agrees() {
    for (kind, priority, content) in [
        ("A", "", "192.0.2.1"),
        ("AAAA", "", "2001:db8::192.0.2.1"),
        ("NS", "", "ns1.example.net"),
        ("CNAME", "", "www.a.example"),
        ("PTR", "", "host.example.org"),
        ("MX", "10 ", "mail.a.example"),
        ("TXT", "", r#""one" "two words""#),
        ("SRV", "10 ", "5 5060 sip.a.example"),
        ("NAPTR", "", r#"100 10 "s" "SIP+D2U" "" _sip._udp.a.example"#),
        ("NAPTR", "", r#"100 10 "u" "E2U+sip" "!^.*$!sip:a@a.example!" ."#),
        ("SOA", "", "ns1.example.net hostmaster.a.example 2026010100 14400 3600 604800 300"),
    ] {
        let ours = data(kind, content, 10);
        assert_eq!(ours, theirs(kind, &format!("{priority}{content}")), "{kind} {content}");
        let kind = rr::RecordType::from(RecordType::parse(kind).unwrap().0);
        let length = u16::try_from(ours.len()).unwrap();
        let mut decoder = hickory_proto::serialize::binary::BinDecoder::new(&ours);
        let read = RData::read(
            &mut decoder,
            kind,
            hickory_proto::serialize::binary::Restrict::new(length),
        )
        .unwrap();
        assert_eq!(wire(&read), ours, "{kind} {content}");
    }
}

proptest! {
    #[test]
    fn no_content_panics(
        kind in "A|AAAA|MX|TXT|SRV|NAPTR|SOA|LOC|TYPE9|CAA|TLSA|DHCID|RP|[A-Z]{1,4}",
        content in r#"(\\#|[0-9 ."NSEWm\\-]|.){0,40}"#,
    ) {
        if let Ok((kind, mut wire)) = encode(&kind, &content, 1) {
            let _ = text(kind, &wire, &content);
            prop_assert!(wire.len() <= MAX_RDATA);
            let _ = target(kind, &wire);
            prop_assert!(set_serial(&mut wire, 1).is_ok() || kind != RecordType::SOA);
        }
    }

    #[test]
    fn no_octets_panic(mut wire in proptest::collection::vec(any::<u8>(), 0..60), kind in any::<u16>()) {
        let _ = target(RecordType(kind), &wire);
        let _ = text(RecordType(kind), &wire, "");
        let _ = set_serial(&mut wire, 1);
    }
}

// RFC 4034 section 5.4: the digest may stand in several words; and the form that it was written in before.
#[test]
fn ds_has_two_forms() {
    let (kind, octets) = encode("DS", "60485 5 1 2BB183AF 5F22588179A5", 0).unwrap();
    assert_eq!(kind, RecordType::DS);
    assert_eq!(octets, b"\xec\x45\x05\x01\x2b\xb1\x83\xaf\x5f\x22\x58\x81\x79\xa5");
    assert_eq!(encode("DS", r"\# 4 00010d02", 0).unwrap().1, b"\x00\x01\x0d\x02");
    for wrong in ["60485 5 1", "60485 5 256 AA", "60485 5 1 AAA", "60485 5 1 XX"] {
        assert!(encode("DS", wrong, 0).is_err(), "{wrong}");
    }
}
