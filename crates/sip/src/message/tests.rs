use super::*;
use crate::header::{Contacts, FromHeader, Header, HeaderName, ListHeader, ToHeader, Via};

const INVITE: &str = "INVITE sip:bob@biloxi.example SIP/2.0\r\n\
    Via: SIP/2.0/UDP bigbox3.site3.example;branch=z9hG4bK77ef4c2312983.1, SIP/2.0/UDP pc33;branch=z9hG4bKn\r\n\
    v :SIP/2.0/TCP third;branch=z9hG4bK3\r\n\
    Max-Forwards:  69\r\n\
    X-Odd  :  a;;,\r\n \t folded  \r\n\
    t: Bob <sip:bob@biloxi.example>\r\n\
    From: Alice <sip:alice@atlanta.example>;tag=1928301774\r\n\
    Call-ID: a84b4c76e66710\r\n\
    CSeq: 314159 INVITE\r\n\
    Route: <sip:p1;lr>\r\n\
    Timestamp: 54\r\n\
    Contact: <sip:alice@pc33.atlanta.example>\r\n\
    Content-Type: application/octet-stream\r\n\
    Content-Length: 4\r\n\r\n";

fn octets() -> Vec<u8> {
    [INVITE.as_bytes(), b"\x00\xff\r\n"].concat()
}

fn invite() -> Message {
    parse(&octets())
}

fn parse(octets: &[u8]) -> Message {
    Message::parse(octets.to_vec().into(), &Limits::default()).expect("a message")
}

fn text(message: &Message) -> String {
    String::from_utf8_lossy(&message.to_bytes()).into_owned()
}

#[test]
fn untouched_messages_print_as_they_came() {
    let message = invite();
    assert_eq!(message.to_bytes(), octets());
    assert_eq!(message.to_vec(), octets());
    assert_eq!(message.body().as_ref(), b"\x00\xff\r\n");
}

#[test]
fn reads_typed_values() {
    let message = invite();
    assert_eq!(message.method(), Some(&Method::Invite));
    assert_eq!(message.request_uri().map(Uri::as_str), Some("sip:bob@biloxi.example"));
    let vias = message.vias().expect("Via");
    let hosts: Vec<_> = vias.iter().map(|via| via.host().to_string()).collect();
    assert_eq!(hosts, ["bigbox3.site3.example", "pc33", "third"]);
    assert_eq!(message.call_id(), Ok("a84b4c76e66710"));
    assert_eq!(message.cseq().map(|c| c.number), Ok(314_159));
    assert_eq!(message.max_forwards().map(|m| m.map(|m| m.0)), Ok(Some(69)));
    assert_eq!(message.from_header().expect("From").tag(), Some("1928301774"));
    assert_eq!(message.to_header().expect("To").display_name().as_deref(), Some("Bob"));
    let odd = message.field_named("x-odd").expect("a field");
    assert_eq!(odd.name(), HeaderName::Other);
    assert_eq!(odd.value(), b"a;;,\r\n \t folded");
    assert_eq!(odd.unfolded(), "a;;, folded");
    assert!(message.field_named("V").is_some_and(|f| f.name() == HeaderName::Via));
}

/// Each edit, and what it does to the text: lines taken away and lines that stand there instead.
#[test]
fn edits_keep_other_octets() {
    type Edit = fn(&mut Message);
    type Case = (&'static str, Edit, &'static [(&'static str, &'static str)]);
    let via = |m: &mut Message| {
        m.push_via(&Via::parse_one("SIP/2.0/UDP us;branch=z9hG4bKx").expect("Via"))
    };
    let cases: &[Case] = &[
        (
            "Request-URI",
            |m| m.set_request_uri(&Uri::parse("sip:b@c:5070;x?h=v").expect("URI")),
            &[("INVITE sip:bob@biloxi.example SIP", "INVITE sip:b@c:5070;x SIP")],
        ),
        (
            "push Via",
            via,
            &[(
                "Via: SIP/2.0/UDP big",
                "Via: SIP/2.0/UDP us;branch=z9hG4bKx\r\nVia: SIP/2.0/UDP big",
            )],
        ),
        (
            "pop Via",
            |m| drop(m.pop_via()),
            &[("SIP/2.0/UDP bigbox3.site3.example;branch=z9hG4bK77ef4c2312983.1, ", "")],
        ),
        (
            "pop all Via",
            |m| while m.pop_via().is_ok_and(|v| v.is_some()) {},
            &[
                (
                    "Via: SIP/2.0/UDP bigbox3.site3.example;branch=z9hG4bK77ef4c2312983.1, SIP/2.0/UDP pc33;branch=z9hG4bKn\r\n",
                    "",
                ),
                ("v :SIP/2.0/TCP third;branch=z9hG4bK3\r\n", ""),
            ],
        ),
        (
            "record source",
            |m| m.record_source([192, 0, 2, 7].into(), 5060).expect("Via"),
            &[("77ef4c2312983.1,", "77ef4c2312983.1;received=192.0.2.7,")],
        ),
        (
            "decrement",
            |m| assert_eq!(m.decrement_max_forwards(), Ok(Decremented::To(68))),
            &[("Max-Forwards:  69", "Max-Forwards: 68")],
        ),
        (
            "Record-Route",
            |m| m.push_before(HeaderName::RecordRoute, "<sip:us;lr>"),
            &[("Max-Forwards:", "Record-Route: <sip:us;lr>\r\nMax-Forwards:")],
        ),
        (
            "push Route",
            |m| m.push_before(HeaderName::Route, "<sip:p0;lr>"),
            &[("Route: <sip:p1;lr>", "Route: <sip:p0;lr>\r\nRoute: <sip:p1;lr>")],
        ),
        (
            "pop Route",
            |m| drop(m.pop_first::<crate::header::RouteHeader>()),
            &[("Route: <sip:p1;lr>\r\n", "")],
        ),
        (
            "pop last Route",
            |m| drop(m.pop_last::<crate::header::RouteHeader>()),
            &[("Route: <sip:p1;lr>\r\n", "")],
        ),
        (
            "set",
            |m| m.set(HeaderName::To, "<sip:x@y>"),
            &[("t: Bob <sip:bob@biloxi.example>", "t: <sip:x@y>")],
        ),
        (
            "set one of several",
            |m| m.set(HeaderName::Via, "SIP/2.0/UDP z"),
            &[
                (
                    "Via: SIP/2.0/UDP bigbox3.site3.example;branch=z9hG4bK77ef4c2312983.1, SIP/2.0/UDP pc33;branch=z9hG4bKn\r\n",
                    "Via: SIP/2.0/UDP z\r\n",
                ),
                ("v :SIP/2.0/TCP third;branch=z9hG4bK3\r\n", ""),
            ],
        ),
        (
            "remove",
            |m| assert_eq!(m.remove_named("X-ODD"), 1),
            &[("X-Odd  :  a;;,\r\n \t folded  \r\n", "")],
        ),
        (
            "append",
            |m| m.append_named("X-New", "a\r\nVia: b\0"),
            &[("h: 4\r\n\r\n", "h: 4\r\nX-New: a  Via: b \r\n\r\n")],
        ),
        (
            "tag",
            |m| m.set_to_tag("t1").expect("To"),
            &[("t: Bob <sip:bob@biloxi.example>", "t: Bob <sip:bob@biloxi.example>;tag=t1")],
        ),
        ("CSeq", |m| m.set_cseq_number(2).expect("CSeq"), &[("314159", "2")]),
    ];
    for (name, edit, changes) in cases {
        let mut expected = String::from_utf8_lossy(&octets()).into_owned();
        for (from, to) in *changes {
            assert!(expected.contains(from), "{name}: {from}");
            expected = expected.replacen(from, to, 1);
        }
        let mut message = invite();
        edit(&mut message);
        assert_eq!(text(&message), expected, "{name}");
        assert!(message.body().as_ref() == b"\x00\xff\r\n");
    }
}

#[test]
fn rfc3261_16_6_3_max_forwards() {
    let mut message = invite();
    message.remove(HeaderName::MaxForwards);
    assert_eq!(message.decrement_max_forwards(), Ok(Decremented::Added));
    assert!(text(&message).contains("branch=z9hG4bK3\r\nMax-Forwards: 70\r\n"));
    message.set(HeaderName::MaxForwards, "0");
    assert_eq!(message.decrement_max_forwards(), Ok(Decremented::Exhausted));
}

#[test]
fn rfc3261_8_2_6_responses() {
    let request = invite();
    let trying = request.response(100, "Trying", Some("t1"));
    assert_eq!(
        text(&trying),
        "SIP/2.0 100 Trying\r\n\
         Via: SIP/2.0/UDP bigbox3.site3.example;branch=z9hG4bK77ef4c2312983.1, SIP/2.0/UDP pc33;branch=z9hG4bKn\r\n\
         v :SIP/2.0/TCP third;branch=z9hG4bK3\r\n\
         From: Alice <sip:alice@atlanta.example>;tag=1928301774\r\n\
         t: Bob <sip:bob@biloxi.example>\r\n\
         Call-ID: a84b4c76e66710\r\n\
         CSeq: 314159 INVITE\r\n\
         Timestamp: 54\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let busy = request.response(486, "Busy\r\nHere", Some("t1"));
    assert_eq!(busy.to_header().expect("To").tag(), Some("t1"));
    assert!(text(&busy).starts_with("SIP/2.0 486 BusyHere\r\n"));
    assert!(!busy.has(HeaderName::Timestamp));
    // What we make, we can read.
    assert_eq!(parse(&busy.to_bytes()).status(), Some(486));
    // A tag that is there stays.
    let mut tagged = invite();
    tagged.set_to_tag("theirs").expect("To");
    let ok = tagged.response(200, "OK", Some("t1"));
    assert_eq!(ok.to_header().expect("To").tag(), Some("theirs"));
}

#[test]
fn rfc3261_9_1_cancel_and_17_1_1_3_ack() {
    let invite = invite();
    let cancel = invite.cancel().expect("a CANCEL");
    assert_eq!(
        text(&cancel),
        "CANCEL sip:bob@biloxi.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP bigbox3.site3.example;branch=z9hG4bK77ef4c2312983.1\r\n\
         Route: <sip:p1;lr>\r\n\
         Max-Forwards: 70\r\n\
         From: Alice <sip:alice@atlanta.example>;tag=1928301774\r\n\
         t: Bob <sip:bob@biloxi.example>\r\n\
         Call-ID: a84b4c76e66710\r\n\
         CSeq: 314159 CANCEL\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let busy = invite.response(486, "Busy Here", Some("t1"));
    let ack = invite.ack(&busy).expect("an ACK");
    assert_eq!(ack.to_header().expect("To").tag(), Some("t1"));
    assert_eq!(ack.cseq().map(|c| c.to_string()), Ok("314159 ACK".to_owned()));
    assert_eq!(ack.vias().map(|v| v.len()), Ok(1));
    assert_eq!(parse(&ack.to_bytes()).method(), Some(&Method::Ack));
    assert!(busy.cancel().is_err());
}

#[test]
fn makes_requests_and_bodies() {
    let from = FromHeader::parse("<sip:us@h>;tag=1").expect("From");
    let to = ToHeader::parse("<sip:gw@h>").expect("To");
    let via = Via::parse_one("SIP/2.0/UDP us;branch=z9hG4bKx").expect("Via");
    let uri = Uri::parse("sip:gw@h").expect("URI");
    let mut request = Message::request(Method::Options, uri, &via, &from, &to, "c1", 1);
    let content_type = crate::header::ContentType::parse("text/plain").expect("a type");
    request.set_body(&content_type, Bytes::from_static(b"hello"));
    let read = parse(&request.to_bytes());
    assert_eq!(read.body().as_ref(), b"hello");
    request.remove_body();
    assert!(!request.has(HeaderName::ContentType));
    assert!(parse(&request.to_bytes()).body().is_empty());
}

#[test]
fn bodies_end_by_content_length_or_with_the_datagram() {
    let head = "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: sip:a\r\nTo: sip:b\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n";
    let mut open = parse(format!("\r\n\r\n{head}\r\nbody").as_bytes());
    assert_eq!(open.body().as_ref(), b"body");
    open.ensure_content_length();
    assert!(text(&open).ends_with("OPTIONS\r\nContent-Length: 4\r\n\r\nbody"));
    let cut = parse(format!("{head}l: 2\r\n\r\nbody").as_bytes());
    assert_eq!(cut.body().as_ref(), b"bo");
    assert!(cut.to_bytes().ends_with(b"\r\n\r\nbo"));
}

/// Start lines and header sections, and what becomes of them: the status to answer with, or silence.
#[test]
fn refuses_malformed_messages() {
    let rest =
        "Via: SIP/2.0/UDP h\r\nFrom: sip:a\r\nTo: sip:b\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n";
    let with = |start: &str| format!("{start}\r\n{rest}\r\n");
    let adding = |line: &str| format!("OPTIONS sip:a SIP/2.0\r\n{rest}{line}\r\n\r\n");
    let without = |name: &str| {
        let lines = rest.split_inclusive("\r\n").filter(|line| !line.starts_with(name));
        format!("OPTIONS sip:a SIP/2.0\r\n{}\r\n", lines.collect::<String>())
    };
    for (octets, respond) in [
        (String::new(), None),
        ("\r\n\r\n".into(), None),
        ("\0\0\0\0".into(), None),
        (with("GET / HTTP/1.1"), None),
        (with("hello"), None),
        (with(" OPTIONS sip:a SIP/2.0"), None),
        (with("OPTIONS sip:a SIP/3.0"), Some(505)),
        (with("OPTIONS sip:a SIP/2"), Some(400)),
        (with("OPTIONS  sip:a SIP/2.0"), Some(400)),
        (with("OPTIONS sip:a SIP/2.0 "), Some(400)),
        (with("OPTIONS sip:a  SIP/2.0"), Some(400)),
        (with("OPTIONS sip:a;;b SIP/2.0"), Some(400)),
        (with("OPTIONS a SIP/2.0"), Some(400)),
        (with("OPTI:ONS sip:a SIP/2.0"), Some(400)),
        (with("INVITE sip:a SIP/2.0"), Some(400)),
        (with("ACK sip:a SIP/2.0"), None),
        (with("ACK  sip:a SIP/2.0"), None),
        (with("SIP/2.0 99 x"), None),
        (with("SIP/2.0 700 x"), None),
        (with("SIP/2.0 2000 x"), None),
        (with("SIP/3.0 200 x"), None),
        (with("SIP/2.0 200 O\rVia: SIP/2.0/UDP x"), None),
        (with("SIP/2.0"), None),
        (with("OPTIONS sip:a SIP/2.0").replacen("\r\n", "\n", 1), Some(400)),
        (with("SIP/2.0 200 OK").replacen("\r\n", "\n", 1), None),
        (format!("OPTIONS sip:a SIP/2.0\r\n{rest}"), Some(400)),
        (format!("OPTIONS sip:a SIP/2.0\r\n folded\r\n{rest}\r\n"), Some(400)),
        (adding("X-Foo"), Some(400)),
        (adding(": x"), Some(400)),
        (adding("X Foo: x"), Some(400)),
        (adding("X-Foo: a\nb"), Some(400)),
        (adding("X-Foo: a\rb"), Some(400)),
        (adding("X-Foo: a\n"), Some(400)),
        // As many CRs as LFs, but not together: another element may see a field begin after either.
        (adding("X-Foo: a\r  b\n c"), Some(400)),
        (adding("X-Foo: a\rVia: SIP/2.0/UDP x\n b\r\n c"), Some(400)),
        (adding("X-Foo: a\n b\r"), Some(400)),
        (adding("Content-Length: 1"), Some(400)),
        (adding("Content-Length: 0\r\nl: 0"), Some(400)),
        (adding("Content-Length: -1"), Some(400)),
        (adding("CSeq: 1 OPTIONS"), Some(400)),
        (adding("Max-Forwards: 256"), Some(400)),
        (adding("Max-Forwards: 1\r\nMax-Forwards: 1"), Some(400)),
        (adding("Route: <sip:a"), Some(400)),
        (adding("Record-Route: x"), Some(400)),
        (adding("Contact: *\r\nContact: <sip:a>"), Some(400)),
        (adding("Contact: <sip:a>\r\nContact: *"), Some(400)),
        (adding("Require: a b"), Some(400)),
        (adding("Via: SIP/2.0/UDP"), Some(400)),
        (without("From"), Some(400)),
        (without("To"), Some(400)),
        (without("Call-ID"), Some(400)),
        (without("CSeq"), Some(400)),
        (without("Via"), None),
        (without("To").replacen("OPTIONS", "ACK", 2), None),
        (without("To").replacen("OPTIONS sip:a SIP/2.0", "SIP/2.0 200 OK", 1), None),
    ] {
        let read = Message::parse(octets.clone().into(), &Limits::default());
        let malformed = read.expect_err(&octets);
        assert_eq!(malformed.respond, respond, "{octets:?}: {malformed}");
        let response = malformed.response("t1");
        assert_eq!(response.as_ref().and_then(Message::status), respond, "{octets:?}");
    }
    assert!(Message::parse(with("OPTIONS sip:a SIP/2.0").into(), &Limits::default()).is_ok());
    assert!(Message::parse(with("SIP/2.0 200").into(), &Limits::default()).is_ok());
}

#[test]
fn limits_hold() {
    let limits = Limits { octets: 4000, fields: 20 };
    let plenty = |n: usize| {
        let fields: String = (0..n).map(|n| format!("X-{n}: y\r\n")).collect();
        format!(
            "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: sip:a\r\nTo: sip:b\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n{fields}\r\n"
        )
    };
    assert!(Message::parse(plenty(15).into(), &limits).is_ok());
    let many = Message::parse(plenty(16).into(), &limits).expect_err("too many");
    assert_eq!((many.reason, many.respond), (Reason::TooManyFields(20), Some(513)));
    let long =
        Message::parse((plenty(1) + &"x".repeat(4000)).into(), &limits).expect_err("too long");
    assert_eq!((long.reason, long.respond), (Reason::TooLarge(4000), Some(513)));
}

/// The INVITE with other header fields.
fn invite_with(changes: &[(&str, &[u8])]) -> Result<Message, Malformed> {
    let mut octets = octets();
    for (from, to) in changes {
        let at = octets.windows(from.len()).position(|some| some == from.as_bytes());
        let at = at.unwrap_or_else(|| panic!("{from}"));
        octets.splice(at..at + from.len(), to.iter().copied());
    }
    Message::parse(octets.into(), &Limits::default())
}

// RFC 3261 section 25.1 has display names in UTF-8; phones that have them in Latin-1 are not kept from calling.
#[test]
fn rfc3261_25_1_display_names_that_are_no_utf_8() {
    let message = invite_with(&[
        ("Alice <sip:alice", b"\"J\xf6rg \\\"J\xdf\" <sip:alice"),
        ("t: Bob <sip:bob", b"t: Bj\xf8rn <sip:bob"),
        ("Contact: <sip:alice", b"Contact: \"J\xf6rg, J\xe3\" <sip:alice"),
    ]);
    let message = message.expect("a request");
    assert_eq!(message.from_header().expect("From").uri().as_str(), "sip:alice@atlanta.example");
    assert_eq!(message.from_header().expect("From").tag(), Some("1928301774"));
    let Ok(Contacts::List(contacts)) = message.contacts() else { panic!("contacts") };
    assert_eq!(contacts.len(), 1);
    // Nothing is lost of what goes back or on.
    let response = message.response(200, "OK", Some("t1")).to_bytes();
    let has = |octets: &[u8], part: &[u8]| octets.windows(part.len()).any(|some| some == part);
    assert!(has(
        &response,
        b"\"J\xf6rg \\\"J\xdf\" <sip:alice@atlanta.example>;tag=1928301774\r\n"
    ));
    assert!(has(&response, b"To: Bj\xf8rn <sip:bob@biloxi.example>;tag=t1\r\n"));
    assert!(has(&message.to_bytes(), b"Contact: \"J\xf6rg, J\xe3\" <sip:alice"));
    // Elsewhere they could make two different things one.
    for (from, to) in [
        ("tag=1928301774", &b"tag=192830177\xf6"[..]),
        ("<sip:alice@atlanta", b"<sip:al\xefce@atlanta"),
        ("<sip:bob@biloxi", b"<sip:b\xf6b@biloxi"),
    ] {
        assert!(invite_with(&[(from, to)]).is_err(), "{from}");
    }
}
