use super::super::*;
use crate::name::Name;
use crate::rdata::RecordType;
use ngn_model::DomainName;
use ngn_model::zone::{RecordRow, ZoneRows};
use proptest::prelude::*;

/// Records as `owner ttl type priority value`.
fn lines(text: &str) -> Vec<String> {
    let origin = Name::parse("example.com").unwrap();
    let contents = read(text, Some(&origin)).unwrap_or_else(|found| panic!("{found:?}"));
    let line = |entry: &Entry| {
        let Entry { owner, ttl, kind, priority, value, .. } = entry;
        format!("{owner} {ttl} {kind} {priority} {value}")
    };
    contents.entries.iter().map(line).collect()
}

fn mistakes(text: &str) -> Vec<String> {
    let found = read(text, Some(&Name::parse("example.com").unwrap())).unwrap_err();
    found.iter().map(ToString::to_string).collect()
}

// RFC 1035 section 5.1: owners, times and classes that are left out, in any order; section 5.3: the example's shape.
#[test]
fn entries_take_from_those_before() {
    let text = "\u{feff}; a zone\r\n$TTL 1h30m ; RFC 2308\n@ IN SOA ns1 first\\.last (\n  20 ; serial\n  4H 1h\n  1w ) 300\n\
                \tNS ns1\n\tIN 60 NS ns2.example.net.\n\twww 1d IN A 192.0.2.1\n 60 A 192.0.2.2\n$origin sub\n@ in txt a \"b ; c\" \"\\\"\\000\"\n\
                host.  A 192.0.2.3\n$ORIGIN example.org.\n* CNAME @\n";
    let text = text.replace("\twww", "www");
    assert_eq!(
        lines(&text),
        [
            r"example.com 5400 SOA 0 ns1.example.com. first\.last.example.com. 20 14400 3600 604800 300",
            "example.com 5400 NS 0 ns1.example.com.",
            "example.com 60 NS 0 ns2.example.net.",
            "www.example.com 86400 A 0 192.0.2.1",
            "www.example.com 60 A 0 192.0.2.2",
            r#"sub.example.com 5400 TXT 0 "a" "b ; c" "\"\000""#,
            "host 5400 A 0 192.0.2.3",
            "*.example.org 5400 CNAME 0 example.org.",
        ]
    );
    // Without $TTL: the SOA's minimum, then the last one that was written.
    let text = "@ SOA . . 1 2 3 4 7m\n@ NS a.\nx 9 A 192.0.2.1\ny A 192.0.2.1";
    let found: Vec<String> =
        lines(text).iter().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect();
    assert_eq!(found, ["420", "420", "9", "9"]);
}

#[test]
fn every_type_is_read() {
    for (line, expected) in [
        ("a AAAA 2001:DB8::1", "AAAA 0 2001:DB8::1"),
        ("a MX 10 mail", "MX 10 mail.example.com."),
        ("a SRV 1 2 5060 sip.b.", "SRV 1 2 5060 sip.b."),
        (
            r#"a NAPTR 100 7 u E2U+sip !^.*$!sip:a\\b! ."#,
            r#"NAPTR 7 100 7 "u" "E2U+sip" "!^.*$!sip:a\\b!" ."#,
        ),
        ("a PTR b", "PTR 0 b.example.com."),
        ("a DNAME b.", "DNAME 0 b."),
        ("a LOC 52 22 23 N 4 53 32 E -2m", "LOC 0 52 22 23 N 4 53 32 E -2m"),
        ("a DS 60485 13 2 ( 2BB1 ; first\n 83AF )", "DS 0 60485 13 2 2bb183af"),
        // RFC 3597 section 5: unknown types, and known ones in that form.
        ("a TYPE65280 \\# 3 0A0b 0c", "TYPE65280 0 \\# 3 0a0b0c"),
        ("a type65280 CLASS1 \\# 0", ""),
        ("a CAA \\# 4 0001612e", r#"CAA 0 0 a ".""#),
        ("a CAA 128 issue ca.example", r#"CAA 0 128 issue "ca.example""#),
        (r#"a CAA 0 issue "x; y=\"z\"\065""#, r#"CAA 0 0 issue "x; y=\"z\"A""#),
        ("a SSHFP 4 2 ( 00FF ; first\n aa )", "SSHFP 0 4 2 00ffaa"),
        ("a TLSA 3 1 1 00", "TLSA 0 3 1 1 00"),
        ("a HINFO PC-Intel \"any thing\"", r#"HINFO 0 "PC-Intel" "any thing""#),
        ("a RP boss.b. .", "RP 0 boss.b. ."),
        ("a RP Boss t", "RP 0 boss.example.com. t.example.com."),
        ("a AFSDB 1 b", "AFSDB 0 1 b.example.com."),
        ("a URI 1 2 \"https://b.example/;x\"", r#"URI 0 1 2 "https://b.example/;x""#),
        ("a OPENPGPKEY ( mQ EN\n BA== )", "OPENPGPKEY 0 mQENBA=="),
        ("a SPF \"v=spf1\" -all", r#"SPF 0 "v=spf1" "-all""#),
        ("a HTTPS 0 b", "HTTPS 0 0 b.example.com."),
        ("a SVCB 1 .", "SVCB 0 1 ."),
        (
            "a HTTPS ( 1 @ port=8443 ; first\n alpn=\"h2,h3\" key667=a\\\"b )",
            r#"HTTPS 0 1 example.com. alpn="h2,h3" port=8443 key667="a\"b""#,
        ),
        ("a SVCB \\# 5 0001 00 ff00", ""),
        ("a SVCB \\# 7 0001 00 ff00 0000", "SVCB 0 1 . key65280"),
        ("a SVCB \\# 8 0001 0161 00 0003 00", ""),
        ("a A \\# 4 c0000201", "A 0 192.0.2.1"),
        ("a MX \\# 6 000a 0161 00 00", ""),
        ("a MX \\# 5 000a 0161 00", "MX 10 a."),
        ("a TXT \\# 3 026122", "TXT 0 \"a\\\"\""),
    ] {
        if expected.is_empty() {
            assert_eq!(mistakes(&format!("$TTL 1\n{line}")).len(), 1, "{line}");
        } else {
            assert_eq!(lines(&format!("$TTL 1\n{line}")), [format!("a.example.com 1 {expected}")]);
        }
    }
}

// Each mistake with its place and what to write instead; one wrong line does not hide the next one.
#[test]
fn mistakes_are_told_with_their_places() {
    for (text, expected) in [
        (
            "a A 192.0.2.1",
            "line 1, column 1: nothing says how long the record lives; begin the file with $TTL 3600",
        ),
        (
            "$TTL 1\n\n  A 192.0.2.1",
            "line 3, column 3: the line begins with white space, which stands for the name before",
        ),
        ("$TTL 1\na IN A 192.0.2", "line 2, column 8: `192.0.2` is no IPv4 address"),
        (
            "$TTL 1\na IN 1h AAAAA ::1",
            "line 2, column 9: `AAAAA` is no record type; did you mean AAAA?",
        ),
        ("$TTL 1\na IN TXTX b", "column 6: `TXTX` is no record type; did you mean TXT?"),
        (
            "$TTL 1\na UNKNOWN b",
            "`UNKNOWN` is no record type; types without a name are written TYPE",
        ),
        ("$TTL 1\na CH A 192.0.2.1", "column 3: the class CH is not served; write IN or nothing"),
        ("$TTL 1\na AXFR x", "column 3: AXFR is a type of questions"),
        ("$TTL 1\na", "line 2, column 1: the record ends before its type"),
        ("$TTL x", "line 1, column 6: `x` is no time; write seconds, or parts such as 1w2d3h4m5s"),
        ("$TTL 1hh", "`1hh` is no time"),
        ("$TTL 4000w", "`4000w` is longer than DNS can say"),
        ("$TTL", "column 1: $TTL is followed by a time"),
        ("$TTL 1 2", "column 8: $TTL is followed by a time alone"),
        ("$INCLUDE other", "line 1, column 1: $INCLUDE is not followed"),
        ("$generate 1-9 a$ A 192.0.2.$", "$GENERATE is BIND's alone"),
        ("$x A 192.0.2.1", "there is no `$x`; there are $ORIGIN and $TTL, and \\$ begins a name"),
        (
            "$TTL 1\na MX mail",
            "line 2, column 6: `mail` is no whole number from 0 to 65535; MX is written: name",
        ),
        ("$TTL 1\na MX 1", "line 2, column 6: the data of MX ends too early"),
        ("$TTL 1\na MX 1 b c", "line 2, column 10: `c` is left over behind the data of MX"),
        ("$TTL 1\na CNAME \"b\"", "\"b\" is a text and no name; take the quotes away"),
        ("$TTL 1\na..b A 192.0.2.1", "line 2, column 1: `a..b` is no name: a label is empty"),
        (
            "$TTL 1\na TXT \"open\nb A 192.0.2.1",
            "line 2, column 7: this quote is not closed in its line",
        ),
        ("$TTL 1\na TXT ( \"a\"\n", "line 2, column 7: this parenthesis is not closed"),
        ("$TTL 1\na TXT ( ( a ) )", "line 2, column 9: parentheses cannot stand in parentheses"),
        (
            "$TTL 1\na TXT a )",
            "line 2, column 9: nothing is open that this parenthesis could close",
        ),
        ("$TTL 1\na TXT a\\", "column 7: a backslash ends the line"),
        (
            "$TTL 1\na TXT \"\\256\"",
            "column 7: a backslash is not followed by a character or by three digits",
        ),
        ("$TTL 1\na TYPE9 \\# 2 00", "column 9: the value says 2 octets and has 1"),
        ("$TTL 1\na A \\# 3 000000", "column 5: these octets are no data of A"),
        ("$TTL 1\na LOC \\# 1 00", "column 7: these octets are no data of LOC that is known here"),
        (
            "$TTL 1\na CAA 0 issue",
            "line 2, column 9: the data of CAA ends too early; it is written: flags tag",
        ),
        ("$TTL 1\na CAA 256 issue \"x\"", "column 7: flags `256` is no whole number from 0 to 255"),
        ("$TTL 1\na CAA 0 is-sue \"x\"", "column 9: the tag `is-sue` is not of letters and digits"),
        ("$TTL 1\na CAA 0 issue \"x\" y", "column 19: `y` is left over behind the data of CAA"),
        (
            "$TTL 1\na CAA \\# 2 0000",
            "column 7: these octets are no data of CAA that is known here",
        ),
        (
            "$TTL 1\na TLSA 3 1 x 00",
            "column 12: matching type `x` is no whole number from 0 to 255",
        ),
        (
            "$TTL 1\na TLSA 3 1 1 \"00\"",
            "column 14: \"00\" stands in quotes; TLSA is written: usage selector",
        ),
        ("$TTL 1\na SSHFP 4 2 00 0", "column 16: `0` is not hexadecimal with two digits"),
        ("$TTL 1\na OPENPGPKEY mQ", "column 14: the key is not Base64"),
        ("$TTL 1\na URI 1 2 \"\"", "the target is empty"),
        ("$TTL 1\na HTTPS 1", "column 9: the data of HTTPS ends too early"),
        (
            "$TTL 1\na HTTPS 1 . (alpn=h2\n port=x)",
            "line 3, column 2: `port` is a whole number from 0 to 65535",
        ),
        ("$TTL 1\na HTTPS 1 . alpn = h2", "`alpn` is a list of protocols"),
        (
            "$TTL 1\na HTTPS 1 . alpn= \"h2\"",
            "column 19: \"h2\" stands in quotes; HTTPS is written: priority",
        ),
        ("$TTL 1\na HTTPS 1 . alpn=h\"2\"", "column 19: \"2\" stands in quotes"),
        (
            "$TTL 1\na HTTPS 1 . alpn=h2 bogus=1",
            "column 21: `bogus` is no parameter; there are mandatory",
        ),
    ] {
        let found = mistakes(text);
        assert!(found.len() == 1, "{text}: {found:?}");
        assert!(found[0].contains(expected), "{text}: {found:?}");
    }
    let long = format!("$TTL 1\na TXT {}", "b".repeat(256));
    assert!(
        mistakes(&long)[0].contains("more than 255; cut it into several texts"),
        "{:?}",
        mistakes(&long)
    );
    let found = mistakes("$TTL 1\na A x\nb A 192.0.2.1\nc A y\n");
    assert!(found.len() == 2 && found[1].starts_with("line 4, column 5"), "{found:?}");
    assert_eq!(mistakes(&"a A x\n".repeat(1_000)).len(), MOST_MISTAKES);
    let found = read("a 1 A 192.0.2.1", None).unwrap_err();
    assert!(found[0].what.contains("`a` is relative, and nothing says to what"), "{found:?}");
}

#[test]
fn a_final_dot_that_lacks_is_doubted() {
    let origin = Name::parse("example.com").unwrap();
    let found =
        read("$TTL 1\n@ MX 1 mail.example.com\n@ MX 2 mail.example.com.\n", Some(&origin)).unwrap();
    assert_eq!(found.entries.len(), 2);
    let [doubt] = found.doubts.as_slice() else { panic!("{:?}", found.doubts) };
    assert_eq!(
        doubt.to_string(),
        "line 2, column 8: `mail.example.com` lacks its final dot and so means mail.example.com.example.com.; write \
         `mail.example.com.` if it is the whole name"
    );
}

/// The rows that a file's records are in the database.
fn rows(contents: &Contents, serial: u32) -> ZoneRows {
    let row = |entry: &Entry| RecordRow {
        name: entry.owner.to_string(),
        rtype: entry.kind.to_string(),
        content: content(entry.kind, &entry.value),
        ttl: entry.ttl,
        priority: entry.priority,
    };
    let records = contents.entries.iter().map(row).collect();
    ZoneRows { apex: DomainName::new("example.com").unwrap(), serial, records, signing: None }
}

/// A file of everything that is served, with odd names and texts.
fn some_zone() -> impl Strategy<Value = String> {
    let label = r#"[a-zA-Z0-9_-]{1,6}|\\[.$@;"()\\]|\\[01][0-9][0-9]|\*"#;
    let name = (label, prop::option::of(label)).prop_map(|(first, second)| match second {
        Some(second) => format!("{first}.{second}"),
        None => first,
    });
    let target = (name.clone(), prop::sample::select(vec!["", ".", ".example.org."]))
        .prop_map(|(name, end)| format!("{name}{end}"));
    let text = r#""([ -!#-\[\]-~é]|\\"|\\\\|\\[01][0-9][0-9]){0,20}""#;
    let data = prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| format!("A {}", std::net::Ipv4Addr::from(octets))),
        any::<[u8; 16]>().prop_map(|octets| format!("AAAA {}", std::net::Ipv6Addr::from(octets))),
        (any::<u16>(), target.clone()).prop_map(|(number, name)| format!("MX {number} {name}")),
        (any::<[u16; 3]>(), target.clone())
            .prop_map(|([a, b, c], name)| format!("SRV {a} {b} {c} {name}")),
        (any::<[u16; 2]>(), [text; 3], target.clone())
            .prop_map(|([a, b], [f, s, r], name)| format!("NAPTR {a} {b} {f} {s} {r} {name}")),
        prop::collection::vec(text, 1..4).prop_map(|texts| format!("TXT {}", texts.join(" "))),
        target.clone().prop_map(|name| format!("PTR {name}")),
        target.clone().prop_map(|name| format!("NS {name}")),
        any::<[u8; 3]>().prop_map(|[a, b, c]| format!("TYPE65280 \\# 3 {a:02x}{b:02x} {c:02X}")),
        any::<[u8; 3]>().prop_map(|[a, b, c]| format!("DS {a} {b} {c} 00 FF")),
        (any::<u8>(), "[a-zA-Z0-9]{1,9}", text)
            .prop_map(|(flags, tag, value)| format!("CAA {flags} {tag} {value}")),
        ([text; 2]).prop_map(|[a, b]| format!("HINFO {a} {b}")),
        [target.clone(), target.clone()].prop_map(|[a, b]| format!("RP {a} {b}")),
        (any::<u16>(), target.clone(), any::<u16>(), text).prop_map(|(a, name, port, value)| {
            format!("SVCB {a} {name} key9={value} port={port} alpn=\"h2\"")
        }),
        (0..90_u8, 0..60_u8).prop_map(|(a, b)| format!("LOC {a} {b} N 1 E 0m")),
    ];
    let line = (name, 1..100_000_u32, data)
        .prop_map(|(name, ttl, data)| format!("{name} {ttl} IN {data}\n"));
    prop::collection::vec(line, 0..30).prop_map(|lines| {
        format!("@ 60 SOA ns1 hostmaster 1 2 3 4 5\n@ 60 NS ns1\n{}", lines.concat())
    })
}

proptest! {
    // What is written is read as the same zone, and written the same once more.
    #[test]
    fn an_export_of_an_import_is_the_same(text in some_zone(), serial in any::<u32>()) {
        let origin = Name::parse("example.com").unwrap();
        let (first, bad) = file(&rows(&read(&text, Some(&origin)).unwrap(), serial));
        prop_assert_eq!(bad, vec![]);
        let again = read(&first, None).unwrap();
        prop_assert_eq!(&again.doubts, &vec![]);
        let records = read(&text, Some(&origin)).unwrap().entries.len();
        prop_assert!(again.entries.len() <= records && again.entries.len() >= 2);
        prop_assert_eq!(file(&rows(&again, serial)).0, first);
    }

    #[test]
    fn no_text_panics(text in r#"([a-z0-9@$.;()"\\ \t\n#]|TXT|SOA|MX|\\#|IN|\$TTL 1|.){0,80}"#) {
        if let Ok(contents) = read(&text, Some(&Name::root())) {
            for entry in &contents.entries {
                prop_assert!(entry.kind != RecordType::ANY);
            }
        }
    }
}
