use super::*;
use proptest::prelude::*;

fn number() -> E164 {
    E164::new("+441632960083").unwrap()
}

fn naptr(order: u16, preference: u16, services: &str, regexp: &str) -> Naptr {
    Naptr {
        order,
        preference,
        flags: "u".to_owned(),
        services: services.to_owned(),
        regexp: regexp.to_owned(),
        replaces_nothing: true,
    }
}

fn uris(records: &[Naptr]) -> Vec<String> {
    sip_uris(&number(), records)
}

// RFC 6116 section 3.3, RFC 3403 section 4.1.
#[test]
fn order_and_then_preference() {
    let records = [
        naptr(20, 1, "E2U+sip", "!^.*$!sip:late@example.com!"),
        naptr(10, 20, "E2U+sip", "!^.*$!sip:second@example.com!"),
        naptr(5, 1, "E2U+mailto", "!^.*$!mailto:first@example.com!"),
        naptr(10, 10, "e2u+SIP", "!^.*$!sips:first@example.com!"),
        naptr(10, 30, "E2U+sip", "!^.*$!sip:second@example.com!"),
    ];
    // A lower order without SIP does not keep a higher one from being used.
    assert_eq!(uris(&records), ["sips:first@example.com", "sip:second@example.com"]);
}

// RFC 6116 section 3.4.3: several Enumservices may stand in one record; RFC 3764: `sip` has no subtype.
#[test]
fn services_that_offer_sip() {
    for (services, expected) in [
        ("E2U+sip", true),
        ("E2U+voice:tel+sip", true),
        ("E2U+sip+email:mailto", true),
        ("E2U+email:mailto", false),
        ("E2U+voice:sip", false),
        ("E2U", false),
        ("sip", false),
        ("sip+E2U", false),
        ("SIP+D2U", false),
        ("", false),
    ] {
        assert_eq!(offers_sip(services), expected, "{services}");
    }
}

#[test]
fn rules_that_do_not_end_are_refused() {
    let whole = naptr(1, 1, "E2U+sip", "!^.*$!sip:a@example.com!");
    for flags in ["", "s", "a", "p", "us"] {
        assert!(uris(&[Naptr { flags: flags.to_owned(), ..whole.clone() }]).is_empty(), "{flags}");
    }
    assert_eq!(uris(&[Naptr { flags: "U".to_owned(), ..whole.clone() }]).len(), 1);
    // RFC 3403 section 4.1: REGEXP and REPLACEMENT are mutually exclusive.
    assert!(uris(&[Naptr { replaces_nothing: false, ..whole }]).is_empty());
}

// RFC 3402 section 3.2.
#[test]
fn expressions() {
    for (expression, expected) in [
        ("!^.*$!sip:info@example.com!", Some("sip:info@example.com")),
        ("!^.*$!sip:info@example.com!i", Some("sip:info@example.com")),
        // RFC 6116 section 3.4.2 has this form.
        (r"!^(\+441632960083)$!sip:\1@example.com!", Some("sip:+441632960083@example.com")),
        (r"!^\+44(.*)$!sip:0\1@example.com!", Some("sip:01632960083@example.com")),
        (r"!^\+(..)(....)(.*)$!sip:\3\2\1@example.com!", Some("sip:960083163244@example.com")),
        (r"!(x)?^.*$!sip:a\1@example.com!", Some("sip:a@example.com")),
        (r"/^.*$/sip:a\/b@example.com/", Some("sip:a/b@example.com")),
        (r"+^\+44.*$+sip:a\+b@example.com+", Some("sip:a+b@example.com")),
        (r"<^.*$<sip:a\<b@example.com<", Some("sip:a<b@example.com")),
        (r"!^.*$!sip:a\!b@example.com!", Some("sip:a!b@example.com")),
        (r"!^.*$!sip:a\\b@example.com!", Some(r"sip:a\b@example.com")),
        ("!^[[:punct:]][0-9]{12}$!sip:a@example.com!", Some("sip:a@example.com")),
        // As in sed, what did not match stays.
        ("!83$!x!", Some("+4416329600x")),
        // No match, no such group, no delimiters, unknown flags.
        (r"!^\+43.*$!sip:a@example.com!", None),
        (r"!^.*$!sip:\1@example.com!", None),
        (r"!^(.*)$!sip:\2@example.com!", None),
        (r"!^(.*)$!sip:\0@example.com!", None),
        ("!^.*$!sip:a@example.com", None),
        ("!^.*$!sip:a@example.com!x", None),
        ("!^.*$!sip:a@example.com!i!", None),
        ("!!sip:a@example.com!", None),
        ("1^.*$1sip:a@example.com1", None),
        (r"\^.*$\sip:a@example.com\", None),
        (r"!^.*$!sip:a@example.com!\", None),
        ("!(!sip:a@example.com!", None),
        ("", None),
        ("!", None),
    ] {
        let found = substitute(expression, "+441632960083");
        assert_eq!(found.as_deref(), expected, "{expression}");
    }
}

#[test]
fn what_is_no_sip_uri_is_left_out() {
    for uri in ["tel:+1", "sip:", "sip", "+sip:a@b", "sip:a b", "sip:a\u{7}b", "http://a"] {
        let record = naptr(1, 1, "E2U+sip", &format!("!^.*$!{uri}!"));
        assert!(uris(&[record]).is_empty(), "{uri}");
    }
    let long = format!("!^(.*)$!sip:{}!", r"\1".repeat(60));
    assert!(long.len() < 255 && uris(&[naptr(1, 1, "E2U+sip", &long)]).is_empty());
}

// B114: what our own zones hold leads where the mapping says.
#[test]
fn our_own_records_are_read_back() {
    for uri in ["sip:a@example.com", "sip:a!b@example.com", r"sip:a\1b@example.com", "sip:1;x=!/#"]
    {
        let regexp = crate::naptr::regexp(uri).unwrap();
        assert_eq!(uris(&[naptr(100, 5, "E2U+sip", &regexp)]), [uri]);
    }
}

#[test]
fn what_one_number_may_cost_is_bounded() {
    // Some of these would take gigabytes, or for ever, elsewhere.
    for pattern in ["((a{1,99}){1,99}){1,99}", &"(".repeat(200), "^(\\+?[0-9]*)*x$", "[[:bad:]]"] {
        let _ = uris(&[naptr(1, 1, "E2U+sip", &format!("!{pattern}!sip:a@example.com!"))]);
    }
    assert!(compile("((a{1,99}){1,99}){1,99}", false).is_none());
    let many: Vec<Naptr> =
        (0..1000).map(|n| naptr(1, n, "E2U+sip", &format!("!^.*$!sip:{n}@example.com!"))).collect();
    assert_eq!(uris(&many).len(), MOST_URIS);
}

proptest! {
    #[test]
    fn no_record_breaks_it(flags in ".{0,2}", services in "(E2U\\+sip|.{0,20})", regexp in ".{0,60}") {
        let mut record = naptr(1, 1, &services, &regexp);
        record.flags = flags;
        for uri in uris(&[record]) {
            prop_assert!(uri.len() <= LONGEST_URI);
        }
    }

    #[test]
    fn expressions_made_of_their_own_characters(regexp in r"[!/\\^$.*()+0-9\[\]{}|i:sip@]{0,40}") {
        let _ = substitute(&regexp, "+441632960083");
    }
}
