//! The IPv6 torture messages of RFC 5118, through the parser and the stack.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may fail")]

mod torture;

use ngn_sip::header::Contacts;
use ngn_sip::uri::{Host, Uri};
use std::net::IpAddr;
use torture::Outcome::{self, Forwarded, Refused};
use torture::{Case, check_all, check_octets, run};

macro_rules! cases {
    ($($section:literal $name:literal $expected:expr;)*) => {
        const CASES: &[Case] = &[$(Case {
            name: $name,
            section: $section,
            octets: include_bytes!(concat!("../../../tests/vectors/sip/rfc5118/", $name, ".dat")),
            expected: $expected,
        }),*];
    };
}

cases! {
    "4.1" "ipv6-good" Forwarded;
    "4.2" "ipv6-bad" Refused(400);
    "4.3" "port-ambiguous" Forwarded;
    "4.4" "port-unambiguous" Forwarded;
    "4.5" "via-received-param-with-delim" Forwarded;
    "4.5" "via-received-param-no-delim" Forwarded;
    "4.6" "ipv6-in-sdp" Forwarded;
    "4.7" "mult-ip-in-header" Forwarded;
    "4.8" "mult-ip-in-sdp" Forwarded;
    "4.9" "ipv4-mapped-ipv6" Forwarded;
    "4.10" "ipv6-bug-abnf-3-colons" Forwarded;
    "4.10" "ipv6-correct-abnf-2-colons" Forwarded;
}

/// What comes out otherwise than the RFC says, what that is, and why.
const EXPECTED_FAILURES: &[(&str, Outcome, &str)] = &[(
    "ipv6-in-sdp",
    Refused(400),
    "its Content-Length of 268 exceeds its body of 251 octets, which RFC 3261 section 18.3 refuses; see below",
)];

fn octets(name: &str) -> &'static [u8] {
    CASES.iter().find(|case| case.name == name).expect("a message").octets
}

#[test]
fn all_come_out_as_the_rfc_says() {
    check_all(CASES, EXPECTED_FAILURES);
    check_octets(CASES);
}

#[test]
fn s4_6_is_forwarded_with_its_real_length() {
    let text = std::str::from_utf8(octets("ipv6-in-sdp")).expect("text");
    let run = run(text.replace("Content-Length: 268", "Content-Length: 251").as_bytes());
    assert_eq!(run.outcome, Forwarded);
    assert_eq!(run.sent().body().len(), 251);
}

#[test]
fn s4_1_to_4_references_and_ports() {
    let uri = |name| run(octets(name)).message().request_uri().cloned().expect("a URI");
    let good = uri("ipv6-good");
    assert_eq!((good.host_text(), good.port()), ("[2001:db8::10]", None));
    let ambiguous = uri("port-ambiguous");
    assert_eq!((ambiguous.host_text(), ambiguous.port()), ("[2001:db8::10:5070]", None));
    let clear = uri("port-unambiguous");
    assert_eq!((clear.host_text(), clear.port()), ("[2001:db8::10]", Some(5070)));
}

#[test]
fn s4_5_received_with_and_without_brackets() {
    let expected: IpAddr = "2001:db8::9:255".parse().expect("an address");
    for name in ["via-received-param-with-delim", "via-received-param-no-delim"] {
        let run = run(octets(name));
        assert_eq!(run.message().top_via().expect("Via").received(), Some(expected), "{name}");
    }
}

#[test]
fn s4_7_and_4_9_addresses_of_both_kinds() {
    let run_7 = run(octets("mult-ip-in-header"));
    let vias = run_7.message().vias().expect("Via");
    assert_eq!(
        (vias[0].host().to_string().as_str(), vias[0].port()),
        ("[2001:db8::9:1]", Some(6050))
    );
    assert_eq!(vias[1].host().ip(), Some(IpAddr::from([192, 0, 2, 1])));
    assert_eq!(vias[2].received(), Some(IpAddr::from([192, 0, 2, 200])));
    let run_9 = run(octets("ipv4-mapped-ipv6"));
    let vias = run_9.message().vias().expect("Via");
    assert_eq!(vias[0].port(), Some(19823));
    let Contacts::List(contacts) = run_9.message().contacts().expect("Contact") else {
        panic!("a list")
    };
    assert_eq!(contacts[0].uri().host(), Host::parse("[::ffff:192.0.2.2]"));
}

/// The grammar of RFC 3261 asks for the third colon; both mean the same.
#[test]
fn s4_10_three_colons_mean_two() {
    let uri = |name| run(octets(name)).message().request_uri().cloned().expect("a URI");
    let (three, two) = (uri("ipv6-bug-abnf-3-colons"), uri("ipv6-correct-abnf-2-colons"));
    assert_eq!(three.host(), two.host());
    assert!(three.is_equivalent(&two));
    assert_eq!(
        Uri::as_str(&three),
        "sip:user@[2001:db8:::192.0.2.1]",
        "it is forwarded as it came"
    );
}
