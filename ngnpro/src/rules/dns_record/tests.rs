use super::*;

fn zone() -> DomainName {
    DomainName::new("example.com").unwrap()
}

#[test]
fn b120_owner_names() {
    for (given, expected) in [
        ("", Some("example.com")),
        ("@", Some("example.com")),
        ("WWW", Some("www.example.com")),
        ("a.b", Some("a.b.example.com")),
        ("c.example.com", Some("c.example.com")),
        ("d.example.com.", Some("d.example.com")),
        ("example.com", Some("example.com")),
        ("myexample.com", Some("myexample.com.example.com")),
        ("*", Some("*.example.com")),
        ("*.sub", Some("*.sub.example.com")),
        ("0/25", Some("0/25.example.com")),
        ("_sip._udp", Some("_sip._udp.example.com")),
        ("www.example.net.", None),
        ("a..b", None),
        ("a b", None),
        ("é", None),
        ("a.*", None),
        (".", None),
    ] {
        assert_eq!(owner_name(Some(given), &zone()).ok().as_deref(), expected, "{given}");
    }
    assert_eq!(owner_name(None, &zone()).unwrap(), "example.com");
    assert_eq!(
        owner_name(Some(&"a".repeat(64)), &zone()).unwrap_err().code,
        code::DNS_RECORD_INVALID
    );
}

#[test]
fn b121_targets() {
    for (given, expected) in [
        ("www", "www.example.com"),
        ("Host.example.NET", "host.example.net"),
        ("host.example.net.", "host.example.net"),
        ("localhost.", "localhost"),
        ("_sip._tcp", "_sip._tcp.example.com"),
        ("_sip._tcp.example.com", "_sip._tcp.example.com"),
        (".", "."),
    ] {
        assert_eq!(target(given, &zone()), expected, "{given}");
    }
}

#[test]
fn b121_b122_b124_values() {
    let write = |rtype: &str, value: &str, priority| write(rtype, value, priority, 0, &zone());
    for (rtype, value, priority, content, stored) in [
        ("A", " 192.0.2.1 ", Some(9), "192.0.2.1", 0),
        ("AAAA", "2001:DB8:0::1", None, "2001:db8::1", 0),
        ("MX", "mail", Some(10), "mail.example.com", 10),
        ("MX", ".", None, ".", 0),
        ("SRV", "0  5060 sip", Some(7), "0 5060 sip.example.com", 7),
        ("NS", "ns1.example.net.", None, "ns1.example.net", 0),
        ("LOC", "52 22 23 N  4 53 32 E -2m", None, "52 22 23 N 4 53 32 E -2m", 0),
        (
            "NAPTR",
            r#"100 10 "s" "SIP+D2U" "" _sip._udp"#,
            None,
            r#"100 10 "s" "SIP+D2U" "" _sip._udp.example.com"#,
            10,
        ),
        (
            "NAPTR",
            r#"100 10 "u" "E2U+sip" "!^.*$!sip:a b@c!" ."#,
            Some(20),
            r#"100 20 "u" "E2U+sip" "!^.*$!sip:a b@c!" ."#,
            20,
        ),
        (
            "NAPTR",
            r#"100 "s" "SIP+D2U" "" sip.example.net."#,
            Some(5),
            r#"100 5 "s" "SIP+D2U" "" sip.example.net"#,
            5,
        ),
    ] {
        let written = write(rtype, value, priority).unwrap();
        assert_eq!(
            (written.content.as_str(), written.priority, written.value),
            (content, stored, None),
            "{rtype} {value}"
        );
    }
    for (rtype, value) in [
        ("A", "192.0.2"),
        ("A", ""),
        ("AAAA", "192.0.2.1"),
        ("LOC", "somewhere"),
        ("SRV", "5060 sip"),
        ("SRV", "0 70000 sip"),
        ("NAPTR", "100"),
        ("NAPTR", "100 x"),
        ("NAPTR", r#"100 10 "s" "x" "y""#),
        ("NAPTR", ""),
        ("MX", "two words"),
        ("MX", "a@b.c"),
        ("CNAME", "é.example.com"),
        ("TXT", "\"unbalanced"),
    ] {
        assert_eq!(
            write(rtype, value, None).unwrap_err().code,
            code::DNS_RECORD_INVALID,
            "{rtype} {value}"
        );
    }
}

#[test]
fn b122_the_changed_one_of_preference_and_priority_counts() {
    let value = r#"100 20 "s" "SIP+D2U" "" sip.example.net"#;
    for (priority, before, preference) in [(10, 10, 20), (30, 10, 30), (0, 10, 20)] {
        assert_eq!(
            write("NAPTR", value, Some(priority), before, &zone()).unwrap().priority,
            preference
        );
    }
}

#[test]
fn b129b_texts() {
    let write = |value: &str| write("TXT", value, None, 0, &zone()).unwrap();
    let bare = write("v=spf1 -all");
    assert_eq!(
        (bare.content.as_str(), bare.value.as_deref()),
        ("\"v=spf1 -all\"", Some("v=spf1 -all"))
    );
    let list = write(r#""one" "t\"wo""#);
    assert_eq!((list.content.as_str(), list.value), (r#""one" "t\"wo""#, None));
}

#[test]
fn values_fit_their_column() {
    let long = "é".repeat(10_000);
    assert!(write("TXT", &long, None, 0, &zone()).unwrap_err().text.contains("65535 octets"));
    assert!(fancy_value("URL", &format!("http://{}", "a".repeat(65_530))).is_err());
}

#[test]
fn b125_fancy_records() {
    for (rtype, value, ok) in [
        ("URL", "https://example.com/new?a=1&b=2", true),
        ("URL", "www.example.com", true),
        ("URL", "javascript://x", false),
        ("URL", "https://", false),
        ("URL", "", false),
        ("URL", "https://a b/", false),
        ("MBOXFW", "me@example.org", true),
        ("MBOXFW", "me", false),
        ("MBOXFW", "a@b@c.d", false),
        ("MBOXFW", "@example.org", false),
    ] {
        assert_eq!(fancy_value(rtype, value).is_ok(), ok, "{rtype} {value}");
    }
    for (given, expected) in [
        ("Info@Example.com", Some("info@example.com")),
        ("info", Some("info@example.com")),
        ("*@sub.example.com", Some("*@sub.example.com")),
        ("info@example.net", None),
        ("info@.example.com", None),
        ("@example.com", None),
        ("", None),
        ("a b@example.com", None),
    ] {
        assert_eq!(mailbox(given, &zone()).ok().as_deref(), expected, "{given}");
    }
}

#[test]
fn b119_keys() {
    let of = |name: &str, content: &str, priority| key(&zone(), name, "MX", content, priority);
    assert_eq!(of("a", "b", 1).len(), 64);
    assert_eq!(of("a", "b", 1), of("a", "b", 1));
    for other in [of("a", "b", 2), of("a", "c", 1), of("ab", "", 1)] {
        assert_ne!(of("a", "b", 1), other);
    }
}
