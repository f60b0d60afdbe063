//! Tables of what is taken and what it becomes.

use super::*;

fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

#[test]
fn b85_b87_targets_become_sip_uris() {
    let domain = DomainName::new("example.com").expect("a name");
    for (text, expected) in [
        ("sip:bob@example.org", Some("sip:bob@example.org")),
        ("SIP:Bob@Example.org", Some("sip:Bob@Example.org")),
        (
            "sips:bob@example.org:5061;transport=tls",
            Some("sips:bob@example.org:5061;transport=tls"),
        ),
        ("bob@example.org", Some("sip:bob@example.org")),
        ("+31201234567", Some("sip:+31201234567@example.com")),
        ("0201234567", Some("sip:0201234567@example.com")),
        ("sip:+31201234567", Some("sip:+31201234567@example.com")),
        ("tel:+31201234567", Some("sip:+31201234567@example.com")),
        ("*70", Some("sip:*70@example.com")),
        ("sip:1000001@192.0.2.1:5060", Some("sip:1000001@192.0.2.1:5060")),
        ("sip:a@[2001:db8::1]:5060", Some("sip:a@[2001:db8::1]:5060")),
        ("sip:a@[2001:db8::1", None),
        ("sip:bob", None),
        ("bob", None),
        ("mailto:bob@example.org", None),
        ("http://example.org", None),
        ("sip:@example.org", None),
        ("sip:bob@", None),
        ("sip:bob@exa mple.org", None),
        ("\"Bob\" <sip:bob@example.org>", None),
        ("sip:bob@example.org:0", None),
        ("sip:bob@example.org:99999", None),
        ("sip:bob@example.org\r\nVia: x", None),
    ] {
        let read = read_uri(text, &domain, "diversions.FUNC").ok();
        assert_eq!(read.as_deref(), expected, "{text}");
    }
    let long = format!("sip:{}@example.org", "a".repeat(300));
    assert!(read_uri(&long, &domain, "diversions.FUNC").is_err());
}

#[test]
fn b84_forwarding_goes_before_redirecting() {
    let aor: Aor = "alice@example.com".parse().expect("an address");
    let given = CallDiversions {
        fbus: Some("sip:f@example.com".to_owned()),
        rbus: Some("sip:r@example.com".to_owned()),
        rnoa: Some("voice-mailbox".to_owned()),
        func: Some(String::new()),
        ..CallDiversions::default()
    };
    let read = read_diversions(&given, &aor).expect("diversions");
    let wire = wire_diversions(&read);
    assert_eq!(wire.fbus.as_deref(), Some("sip:f@example.com"));
    assert_eq!(wire.rnoa.as_deref(), Some("<voice-mailbox>"));
    assert_eq!((wire.rbus, wire.func), (None, None));
}

#[test]
fn b96_prefixes() {
    let read = |items: &[&str]| read_prefixes(&strings(items)).ok();
    assert_eq!(read(&["+31900", "", " +44 ", "+44"]), Some(strings(&["+31900", "+44"])));
    for bad in ["31900", "+", "+0", "+31x", "+1234567890123456", "00319"] {
        assert_eq!(read(&[bad]), None, "{bad}");
    }
    let many: Vec<String> = (0..=MAX_ITEMS).map(|i| format!("+1{i}")).collect();
    assert!(read_prefixes(&many).is_err());
}

#[test]
fn b97_members_get_their_scheme() {
    let read = |items: &[&str]| read_members(&strings(items)).ok();
    assert_eq!(
        read(&["sip:Spam@Example.net", "", "%@example.org", "sip:spam@example.net"]),
        Some(strings(&["sip:spam@example.net", "sip:%@example.org"]))
    );
    for bad in ["a b@example.net", "<sip:a@example.net>", "a\u{7}@example.net"] {
        assert_eq!(read(&[bad]), None, "{bad}");
    }
}

fn rule(days: Option<i32>, start: &str, stop: &str, groups: &[&str]) -> AcceptRulePersistent {
    AcceptRulePersistent {
        days,
        start: Some(start.to_owned()),
        stop: Some(stop.to_owned()),
        groups: Some(strings(groups)),
    }
}

fn stored(rules: &[AcceptRulePersistent]) -> AcceptRules {
    let given = types::AcceptRules { persistent: Some(rules.to_vec()), temporary: None };
    GivenRules::read(&given).expect("rules").applied_to(&AcceptRules::default(), 0)
}

#[test]
fn b94_rules_without_days_take_those_of_the_stored_rule() {
    let before = stored(&[
        rule(Some(31), "08:00", "18:00", &["vip", "family"]),
        rule(Some(96), "10:00", "12:00", &["everybody"]),
    ]);
    let given = types::AcceptRules {
        persistent: Some(vec![
            rule(None, "8:00", "18:00", &["vip", "family"]),
            rule(None, "08:00", "18:00", &["vip"]),
            rule(Some(1), "10:00", "12:00", &["everybody"]),
        ]),
        temporary: None,
    };
    let after = GivenRules::read(&given).expect("rules").applied_to(&before, 0);
    let days: Vec<u8> = after.persistent.iter().map(|rule| rule.days.mask()).collect();
    assert_eq!(days, [31, 1]);
    // Without the member the stored rules stay; with an empty one they go.
    let nothing = types::AcceptRules::default();
    assert_eq!(GivenRules::read(&nothing).expect("rules").applied_to(&before, 0), before);
    let empty = types::AcceptRules { persistent: Some(Vec::new()), temporary: None };
    assert!(GivenRules::read(&empty).expect("rules").applied_to(&before, 0).is_empty());
}

#[test]
fn b93_temporary_rules() {
    for (groups, duration, expected) in [
        (&["nobody"][..], Some(30), Some((&["nobody"][..], Some(1_801_000)))),
        (&["Nobody", "nobody"], Some(0), Some((&["nobody"], None))),
        (&["everybody"], None, Some((&["everybody"], None))),
        (&[], Some(30), None),
        (&["", " "], Some(30), None),
    ] {
        let temporary = AcceptRuleTemporary { groups: Some(strings(groups)), duration };
        let given = types::AcceptRules { persistent: None, temporary: Some(temporary) };
        let rules = GivenRules::read(&given).expect("rules");
        let found = rules.applied_to(&AcceptRules::default(), 1_000).temporary;
        let expected = expected
            .map(|(groups, expires_at)| TemporaryRule { groups: strings(groups), expires_at });
        assert_eq!(found, expected, "{groups:?} {duration:?}");
    }
}

#[test]
fn what_is_no_rule_is_refused() {
    for (days, start, stop, groups, code) in [
        (Some(128), "08:00", "18:00", &["vip"][..], 9000),
        (Some(-1), "08:00", "18:00", &["vip"], 9000),
        (Some(1), "25:00", "18:00", &["vip"], 9000),
        (Some(1), "08:00", "noon", &["vip"], 9000),
        (Some(1), "", "18:00", &["vip"], 9001),
        (Some(1), "08:00", "18:00", &["v\u{1}p"], 9000),
    ] {
        let persistent = Some(vec![rule(days, start, stop, groups)]);
        let given = types::AcceptRules { persistent, temporary: None };
        let fault = GivenRules::read(&given).expect_err("a fault");
        assert_eq!(fault.code, code, "{days:?} {start} {stop} {groups:?}: {}", fault.text);
    }
    let temporary = AcceptRuleTemporary { groups: None, duration: Some(-1) };
    let given = types::AcceptRules { persistent: None, temporary: Some(temporary) };
    assert_eq!(GivenRules::read(&given).expect_err("a fault").code, 9000);
}
