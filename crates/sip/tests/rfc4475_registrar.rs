//! What a registrar makes of the REGISTER requests of RFC 4475.

#![allow(clippy::expect_used, reason = "a test may fail")]

use ngn_model::Binding;
use ngn_sip::header::{HeaderName, Transport};
use ngn_sip::message::{Limits, Message};
use ngn_sip::registrar::{Origin, Outcome, Register, Rules, register};
use ngn_sip::uri::Uri;

const NOW: i64 = 1_700_000_000_000;

macro_rules! message {
    ($name:literal) => {
        Message::parse(
            include_bytes!(concat!("../../../tests/vectors/sip/rfc4475/", $name, ".dat"))[..]
                .into(),
            &Limits::default(),
        )
        .expect("a message")
    };
}

fn outcome(message: &Message, current: &[Binding]) -> Outcome {
    let remote = "192.0.2.7:5060".parse().expect("an address");
    let origin =
        Origin { transport: &Transport::Udp, remote, socket: "udp:192.0.2.9:5060", node: "n1" };
    let aor = "user@example.com".parse().expect("an address of record");
    let request = Register::read(message, aor, &origin).expect("facts");
    register(&request, current, &Rules::default(), NOW)
}

fn bound(outcome: &Outcome) -> Vec<&str> {
    assert_eq!(outcome.reply.status, 200);
    outcome.change.upserts.iter().map(|binding| binding.contact.as_str()).collect()
}

/// Escaped NULs end no string: two contacts, and a name that no account has.
#[test]
fn s3_1_1_4_escnull() {
    let message = message!("escnull");
    let outcome = outcome(&message, &[]);
    assert_eq!(bound(&outcome), ["sip:%00@host5.example.com", "sip:%00%00@host5.example.com"]);
    assert_eq!(outcome.reply.contacts.len(), 2);
    assert_eq!(message.to_header().expect("To").uri().aor(), None);
}

/// What follows the body of a datagram registers nothing.
#[test]
fn s3_1_1_8_dblreq() {
    assert_eq!(bound(&outcome(&message!("dblreq"), &[])), ["sip:j.user@host.example.com"]);
}

/// To is an ISBN, which is the address of nobody.
#[test]
fn s3_3_4_unksm2() {
    assert_eq!(message!("unksm2").to_header().expect("To").uri().aor(), None);
}

/// The parameter belongs to the field in one and to the URI in the other (sections 3.3.12 and 3.3.13).
#[test]
fn s3_3_12_and_13_cparam() {
    let one = outcome(&message!("cparam01"), &[]);
    assert_eq!(bound(&one), ["sip:+19725552222@gw1.example.net"]);
    let two = outcome(&message!("cparam02"), &[]);
    assert_eq!(bound(&two), ["sip:+19725552222@gw1.example.net;unknownparam"]);
    // A parameter that only one of two URIs has is ignored, so the second replaces the first.
    let message = message!("cparam02").to_vec();
    let text = String::from_utf8(message).expect("text").replace("cparam02.", "cparam01.");
    let later = Message::parse(text.into(), &Limits::default()).expect("a message");
    let again = outcome(&later, &one.change.upserts);
    assert_eq!(again.reply.contacts.len(), 1);
}

/// The header in the URI is kept with the binding, and never becomes part of a Request-URI.
#[test]
fn s3_3_14_regescrt() {
    let outcome = outcome(&message!("regescrt"), &[]);
    assert_eq!(bound(&outcome), ["sip:user@example.com?Route=%3Csip:sip.example.com%3E"]);
    let response = outcome.reply.response(&message!("regescrt"), "t");
    let contact = response.field(HeaderName::Contact).expect("Contact");
    assert!(contact.value().starts_with(b"<sip:user@example.com?Route=%3Csip:sip.example.com%3E>"));
    let binding = outcome.change.upserts.first().expect("a binding");
    let mut forwarded = message!("wsinv");
    forwarded.set_request_uri(&binding.contact.parse::<Uri>().expect("a URI"));
    assert_eq!(forwarded.request_uri().map(Uri::as_str), Some("sip:user@example.com"));
}
