//! Bad input and what is said about it: each limit and each rule about numbers and single header fields gives its
//! status with a reason phrase that tells the other side's engineers what to look for, or silence where nothing may
//! answer. RFC 3261 sections 8.1.1, 16.3 (step 1), 18.3, 20 and 21.4.1.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod torture;

use ngn_sip::framing::{Frame, Framer};
use ngn_sip::header::{Expires, HeaderError, HeaderName};
use ngn_sip::message::{Limits, Malformed, Message};
use torture::{Outcome, run};

const MANDATORY: [&str; 5] = [
    "Via: SIP/2.0/UDP 203.0.113.5;branch=z9hG4bK1\r\n",
    "From: <sip:a@example.net>;tag=f\r\n",
    "To: <sip:b@example.com>\r\n",
    "Call-ID: c1\r\n",
    "CSeq: 7 OPTIONS\r\n",
];

fn request(fields: &str, body: &str) -> String {
    format!("OPTIONS sip:b@example.com SIP/2.0\r\n{}{fields}\r\n{body}", MANDATORY.concat())
}

/// The same with one mandatory line replaced.
fn with(name: &str, line: &str) -> String {
    let lines = MANDATORY.map(|l| if l.starts_with(name) { line } else { l });
    format!("OPTIONS sip:b@example.com SIP/2.0\r\n{}Content-Length: 0\r\n\r\n", lines.concat())
}

fn refusal(octets: &str) -> Malformed {
    match Message::parse(octets.to_owned().into(), &Limits::default()) {
        Ok(_) => panic!("this is taken: {}", octets.get(..200).unwrap_or(octets)),
        Err(fault) => fault,
    }
}

/// The status line of the answer, as the stack sends it to where the request came from.
fn answer(octets: &str) -> String {
    let response = refusal(octets).response("t").expect("an answer").to_vec();
    let fault_status = refusal(octets).respond.expect("a status");
    assert_eq!(run(octets.as_bytes()).outcome, Outcome::Refused(fault_status));
    let line = response.split(|b| *b == b'\r').next().expect("a line");
    String::from_utf8(line.to_vec()).expect("text")
}

fn bad(reason: &str) -> String {
    format!("SIP/2.0 400 Bad Request ({reason})")
}

fn is_taken(octets: &str) {
    assert_eq!(run(octets.as_bytes()).outcome, Outcome::Forwarded, "{octets}");
}

#[test]
fn the_number_of_header_fields() {
    let fields = |n: usize| (0..n).map(|n| format!("X-{n}: y\r\n")).collect::<String>();
    let room = Limits::default().fields - MANDATORY.len();
    let most = request(&fields(room), "");
    assert!(Message::parse(most.into(), &Limits::default()).is_ok());
    assert_eq!(answer(&request(&fields(room + 1), "")), "SIP/2.0 513 Message Too Large");
    // A fold is no field of its own.
    let folds = request(&format!("X: y{}\r\n", "\r\n y".repeat(5_000)), "");
    is_taken(&folds);
    // However many there are, reading stops at the limit.
    let flood = request(&"a:\r\n".repeat(16_000), "");
    assert_eq!(answer(&flood), "SIP/2.0 513 Message Too Large");
}

#[test]
fn the_length_of_a_header_field_and_of_the_message() {
    is_taken(&request(&format!("X: {}\r\n", "y".repeat(60_000)), ""));
    let long = request(&format!("X: {}\r\n", "y".repeat(65_536)), "");
    assert_eq!(answer(&long), "SIP/2.0 513 Message Too Large");
    assert_eq!(answer(&request("", &"y".repeat(65_536))), "SIP/2.0 513 Message Too Large");
    // A field that the parser reads as a whole.
    let name = with("From", &format!("From: {} <sip:a@b>;tag=f\r\n", "n ".repeat(30_000)));
    is_taken(&name);
    let endless = with("From", &format!("From: \"{}<sip:a@b>;tag=f\r\n", "n\\\"".repeat(20_000)));
    assert_eq!(answer(&endless), bad("From: a quoted string does not end"));
}

/// Many Via values are a long way, not a fault; what bounds them is the message.
#[test]
fn the_number_of_via_values() {
    let one = "SIP/2.0/UDP h;branch=z9hG4bK2";
    let list = request(&format!("Via: {}\r\n", [one; 1_500].join(",")), "");
    is_taken(&list);
    let fields = format!("v: {one}\r\n");
    is_taken(&request(&fields.repeat(500), ""));
    assert_eq!(answer(&request(&fields.repeat(508), "")), "SIP/2.0 513 Message Too Large");
    // The last of them counts as much as the first.
    let last = request(&format!("Via: {},x\r\n", [one; 1_500].join(",")), "");
    assert_eq!(answer(&last), bad("Via: the protocol is not SIP"));
}

#[test]
fn rfc3261_18_3_content_length_of_a_datagram() {
    let number = "Content-Length: the value is not a number of octets";
    let short = "the body is shorter than Content-Length";
    for (length, reason) in [
        ("-1", number),
        ("-0", number),
        ("+4", number),
        ("0x4", number),
        ("4;x", number),
        ("4 4", number),
        ("4,4", number),
        ("4.0", number),
        ("", number),
        ("\u{664}", number),
        ("5", short),
        ("65536", short),
        ("4294967295", short),
        ("4294967300", short),
        ("9223372036854775807", short),
        ("18446744073709551615", short),
        ("18446744073709551616", short),
        ("18446744073709551620", short),
        ("99999999999999999999999999999999999999", short),
    ] {
        let octets = request(&format!("Content-Length: {length}\r\n"), "body");
        assert_eq!(answer(&octets), bad(reason), "{length}");
    }
    // Octets beyond the length are dropped; without a length, the datagram is the body.
    for (fields, body) in [
        ("l: 4\r\n", "body"),
        ("l: 0004\r\n", "body"),
        ("l:\r\n 2\r\n", "bo"),
        ("l: 0\r\n", ""),
        ("", "body"),
    ] {
        let octets = request(fields, "body");
        let run = run(octets.as_bytes());
        assert_eq!(run.outcome, Outcome::Forwarded, "{fields}");
        assert_eq!(run.message().body().as_ref(), body.as_bytes(), "{fields}");
        assert_eq!(run.sent().body().as_ref(), body.as_bytes(), "{fields}");
    }
}

/// In a stream the same numbers decide where the next message begins, so all of them end the connection.
#[test]
fn rfc3261_18_3_content_length_of_a_stream() {
    for (fields, respond) in [
        ("", Some(400)),
        ("l: -1\r\n", Some(400)),
        ("l: x\r\n", Some(400)),
        ("l: 0\r\nl: 0\r\n", Some(400)),
        ("l: 65536\r\n", Some(513)),
        ("l: 18446744073709551615\r\n", Some(513)),
        ("l: 99999999999999999999999\r\n", Some(513)),
    ] {
        let mut framer = Framer::new(Limits::default());
        framer.push(request(fields, "body").as_bytes());
        let fault = framer.next_frame().expect_err(fields);
        assert_eq!(fault.respond, respond, "{fields}");
        let response = fault.response("t").expect("an answer");
        assert_eq!(response.status(), respond);
        assert_eq!(response.call_id(), Ok("c1"));
        framer.push(request("l: 0\r\n", "").as_bytes());
        assert_eq!(framer.next_frame().expect("nothing"), None, "nothing is read after it");
    }
    // An announced body that is within the limit is waited for, and no more than the limit is kept.
    let mut framer = Framer::new(Limits::default());
    framer.push(request("l: 60000\r\n", "").as_bytes());
    assert_eq!(framer.next_frame().expect("not yet"), None);
    assert!(framer.is_inside_message());
    framer.push(&[b'x'; 60_000]);
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Message(_)))));
}

#[test]
fn rfc3261_8_1_1_5_cseq() {
    for (value, reason) in [
        ("4294967296 OPTIONS", "CSeq: the number exceeds 2^32-1"),
        ("18446744073709551617 OPTIONS", "CSeq: the number exceeds 2^32-1"),
        ("36893488147419103239 OPTIONS", "CSeq: the number exceeds 2^32-1"),
        ("-7 OPTIONS", "CSeq: there is no sequence number"),
        ("+7 OPTIONS", "CSeq: there is no sequence number"),
        ("OPTIONS", "CSeq: there is no sequence number"),
        ("", "CSeq: there is no sequence number"),
        ("7", "CSeq: there is no space after the number"),
        ("7OPTIONS", "CSeq: there is no space after the number"),
        ("7 OPTIONS x", "CSeq: the method is not a token"),
        ("7 OPT\"IONS", "CSeq: the method is not a token"),
        ("7 options", "the methods of the request line and of CSeq differ"),
        ("7 INVITE", "the methods of the request line and of CSeq differ"),
    ] {
        let octets = with("CSeq", &format!("CSeq: {value}\r\n"));
        assert_eq!(answer(&octets), bad(reason), "{value}");
    }
    for value in
        ["0 OPTIONS", "2147483648 OPTIONS", "4294967295 OPTIONS", "00000000000007\tOPTIONS"]
    {
        is_taken(&with("CSeq", &format!("CSeq: {value}\r\n")));
    }
}

#[test]
fn max_forwards_is_a_number_of_at_most_255() {
    for value in ["256", "-1", "", "1 1", "x", "99999999999999999999999"] {
        let line = answer(&request(&format!("Max-Forwards: {value}\r\n"), ""));
        assert!(line.starts_with("SIP/2.0 400 Bad Request (Max-Forwards: "), "{line}");
    }
    // Missing, it is taken for 70 (section 16.6 step 3); zero, it is not forwarded (section 16.3 step 3).
    let run = run(request("", "").as_bytes());
    assert_eq!(run.sent().max_forwards().expect("a number").map(|m| m.0), Some(70));
    let zero = request("Max-Forwards: 0\r\n", "");
    assert_eq!(torture::run(zero.as_bytes()).outcome, Outcome::Refused(483));
}

/// Fields whose grammar allows one value (section 7.3.1): a second one, in whatever spelling, could be the one that
/// the next element goes by.
#[test]
fn rfc3261_7_3_1_single_fields_stand_once() {
    for (field, again, name) in [
        ("", "f: <sip:a@example.net>;tag=f\r\n", "From"),
        ("", "FROM: <sip:x@example.net>;tag=f\r\n", "From"),
        ("", "t: <sip:b@example.com>\r\n", "To"),
        ("", "i: c1\r\n", "Call-ID"),
        ("", "cseq: 7 OPTIONS\r\n", "CSeq"),
        ("Max-Forwards: 70\r\n", "max-forwards: 70\r\n", "Max-Forwards"),
        ("Content-Length: 0\r\n", "l: 0\r\n", "Content-Length"),
        ("Content-Type: text/plain\r\n", "c: text/plain\r\n", "Content-Type"),
    ] {
        let octets = request(&format!("{field}{again}"), "");
        let reason = format!("{name}: the header field is repeated");
        assert_eq!(answer(&octets), bad(&reason), "{again}");
    }
    // Two values in one such field.
    assert_eq!(
        answer(&with("From", "From: <sip:a@b>;tag=1, <sip:c@d>;tag=2\r\n")),
        bad("From: a parameter does not begin with `;`")
    );
    // What a proxy does not act on passes, and whoever asks for it is told.
    let octets = request("Expires: 1\r\nExpires: 2\r\n", "");
    is_taken(&octets);
    let message = Message::parse(octets.into(), &Limits::default()).expect("a message");
    let repeated = HeaderError::new(HeaderName::Expires, HeaderError::REPEATED);
    assert_eq!(message.header::<Expires>(), Err(repeated));
}

#[test]
fn rfc3261_8_1_1_mandatory_fields() {
    for name in ["From", "To", "Call-ID", "CSeq"] {
        let reason = format!("{name}: the header field is missing");
        assert_eq!(answer(&with(name, "")), bad(&reason));
    }
    for (name, reason) in [
        ("From", "From: the URI is malformed"),
        ("To", "To: the URI is malformed"),
        ("CSeq", "CSeq: there is no sequence number"),
        ("Via", "Via: there is no protocol"),
    ] {
        assert_eq!(answer(&with(name, &format!("{name}:\r\n"))), bad(reason));
    }
    let empty = answer(&with("Call-ID", "Call-ID: \r\n"));
    assert!(empty.starts_with("SIP/2.0 400 Bad Request (Call-ID: "), "{empty}");
    // Without Via nobody can be answered, and a client could not match what it got.
    assert_eq!(run(with("Via", "").as_bytes()).outcome, Outcome::Discarded);
}

/// A list that says the same over and over must not make a response that no datagram holds.
#[test]
fn rfc3261_8_2_2_3_unsupported_is_bounded() {
    let octets = request(&format!("Proxy-Require: {}a\r\n", "a,b,".repeat(15_000)), "");
    let run = run(octets.as_bytes());
    assert_eq!(run.outcome, Outcome::Refused(420));
    let unsupported = run.sent().option_tags(HeaderName::Unsupported).expect("Unsupported");
    assert_eq!(unsupported.to_string(), "a, b");
}

/// Nothing answers an ACK (section 17.1.1.3) or a response (section 8.1.3), whatever is wrong with them.
#[test]
fn nothing_answers_a_malformed_ack_or_response() {
    let broken = [
        with("To", ""),
        with("CSeq", "CSeq: 4294967296 OPTIONS\r\n"),
        request("l: -1\r\n", ""),
        request("l: 99\r\n", ""),
        request("no colon\r\n", ""),
        request(&"a:\r\n".repeat(600), ""),
        request("", &"y".repeat(65_536)),
    ];
    for octets in broken {
        for start in ["ACK sip:b@example.com SIP/2.0", "SIP/2.0 200 OK"] {
            let octets = octets
                .replacen("OPTIONS sip:b@example.com SIP/2.0", start, 1)
                .replace("OPTIONS", "ACK");
            assert!(refusal(&octets).response("t").is_none(), "{start}");
            assert_eq!(run(octets.as_bytes()).outcome, Outcome::Discarded, "{start}");
        }
    }
}

/// The answer repeats what the client needs (section 8.2.6.2), and holds nothing that the request could have put
/// into its first line.
#[test]
fn rfc3261_8_2_6_2_what_the_answer_holds() {
    let octets = request("Route: <sip:a\r\nX: y\r\n", "");
    let response = refusal(&octets).response("tag1").expect("an answer").to_vec();
    assert_eq!(
        String::from_utf8_lossy(&response),
        "SIP/2.0 400 Bad Request (Route: an angle bracket does not close)\r\n\
         Via: SIP/2.0/UDP 203.0.113.5;branch=z9hG4bK1\r\n\
         From: <sip:a@example.net>;tag=f\r\n\
         To: <sip:b@example.com>;tag=tag1\r\n\
         Call-ID: c1\r\n\
         CSeq: 7 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    );
}
