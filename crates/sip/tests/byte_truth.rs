//! Forwarding edits what RFC 3261 section 16.6 names and leaves every other octet as it came (section 16.6 step 1:
//! "the copy MUST initially contain all of the header fields", and section 7.3.1: order and spelling are kept).
//!
//! Messages are made of lines, odd in every way that the grammar allows: white space, folds, compact names, letters
//! of either case, unknown fields, octets that are no UTF-8, bodies of any octets. What must come out is computed
//! from the lines, not with the code under test.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod torture;

use ngn_sip::header::{ListHeader, RecordRouteHeader, RouteHeader, Via};
use ngn_sip::message::{Decremented, Limits, Message};
use ngn_sip::uri::Uri;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// What a line is for a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Via,
    MaxForwards,
    Route,
    RecordRoute,
    /// Nothing that forwarding edits.
    Other,
}

/// One header field: its name, what stands between name and value, the value and what stands before the CRLF.
#[derive(Debug, Clone)]
struct Line {
    kind: Kind,
    name: String,
    colon: String,
    value: Vec<u8>,
    end: String,
}

impl Line {
    fn octets(&self) -> Vec<u8> {
        let parts: [&[u8]; 5] = [
            self.name.as_bytes(),
            self.colon.as_bytes(),
            &self.value,
            self.end.as_bytes(),
            b"\r\n",
        ];
        parts.concat()
    }

    /// As a line that forwarding has written again.
    fn rewritten(&self, value: &str) -> Self {
        Self { colon: ": ".into(), value: value.into(), end: String::new(), ..self.clone() }
    }

    fn new(kind: Kind, name: &str, value: &str) -> Self {
        let (name, colon, end) = (name.to_owned(), ": ".to_owned(), String::new());
        Self { kind, name, colon, value: value.into(), end }
    }
}

#[derive(Debug, Clone)]
struct Input {
    start: Vec<u8>,
    lines: Vec<Line>,
    body: Vec<u8>,
}

impl Input {
    fn octets(&self) -> Vec<u8> {
        let mut out = self.start.clone();
        for line in &self.lines {
            out.extend(line.octets());
        }
        out.extend(b"\r\n");
        out.extend(&self.body);
        out
    }

    fn position(&self, kind: Kind) -> Option<usize> {
        self.lines.iter().position(|line| line.kind == kind)
    }

    fn after_via(&self) -> usize {
        self.lines.iter().rposition(|line| line.kind == Kind::Via).map_or(0, |at| at + 1)
    }
}

fn mixed_case(name: &'static str) -> impl Strategy<Value = String> {
    vec(any::<bool>(), name.len()).prop_map(move |upper| {
        let letters = name.chars().zip(upper);
        letters
            .map(|(c, up)| if up { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect()
    })
}

/// `HCOLON` with folds after the colon (section 25.1).
fn colon() -> impl Strategy<Value = String> {
    ("[ \t]{0,3}", select(vec!["", " ", "\t  ", "\r\n ", " \r\n \t", "\r\n \r\n "]))
        .prop_map(|(before, after)| format!("{before}:{after}"))
}

fn end() -> impl Strategy<Value = String> {
    select(vec!["", "", "", " ", "\t ", "\r\n ", " \r\n\t "]).prop_map(str::to_owned)
}

/// White space where the grammar allows any.
fn lws() -> impl Strategy<Value = &'static str> {
    select(vec!["", "", " ", "  \t", "\r\n ", " \r\n\t"])
}

fn line(
    kind: Kind,
    names: &'static [&'static str],
    value: impl Strategy<Value = Vec<u8>>,
) -> impl Strategy<Value = Line> {
    (select(names).prop_flat_map(mixed_case), colon(), value, end())
        .prop_map(move |(name, colon, value, end)| Line { kind, name, colon, value, end })
}

fn text(value: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<u8>> {
    value.prop_map(String::into_bytes)
}

/// A value of any octets, folded anywhere; it begins and ends with one that is no white space.
fn any_value() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![
        8 => (0x21_u8..=0x7e).prop_map(|b| vec![b]),
        2 => (0x80_u8..=0xff).prop_map(|b| vec![b]),
        2 => select(vec![0_u8, 7, 0x7f, b'\t', b' ', b';', b',', b'"']).prop_map(|b| vec![b]),
        1 => select(vec!["\r\n ", "\r\n\t\t", " \r\n \r\n "]).prop_map(|s| s.as_bytes().to_vec()),
    ];
    let solid = || prop_oneof![0x21_u8..=0x7e, 0x80_u8..=0xff];
    prop_oneof![
        1 => Just(Vec::new()),
        6 => (solid(), vec(octet, 0..40), solid())
            .prop_map(|(first, rest, last)| [vec![first], rest.concat(), vec![last]].concat()),
    ]
}

/// Fields that a proxy has no business with, known and unknown ones.
fn other() -> impl Strategy<Value = Line> {
    const KNOWN: &[&str] = &[
        "subject",
        "s",
        "user-agent",
        "date",
        "accept",
        "e",
        "k",
        "server",
        "warning",
        "o",
        "r",
        "organization",
        "p-asserted-identity",
        "reason",
        "allow",
        "x",
        "history-info",
        "y",
    ];
    let unknown = ("[a-zA-Z0-9.!%*_+`'~-]{1,24}", colon(), any_value(), end()).prop_map(
        |(name, colon, value, end)| Line {
            kind: Kind::Other,
            name: format!("X-{name}"),
            colon,
            value,
            end,
        },
    );
    prop_oneof![line(Kind::Other, KNOWN, any_value()), unknown]
}

fn via_value() -> impl Strategy<Value = String> {
    let host = select(vec!["192.0.2.1", "a_b.example.com", "[2001:db8::9:1]", "h"]);
    (lws(), lws(), select(vec!["UDP", "TCP", "X"]), host, lws(), "[a-zA-Z0-9]{1,9}").prop_map(
        |(a, b, transport, host, c, branch)| {
            format!("SIP{a}/{b}2.0{a}/{transport} {host}{c};{c}branch{a}={b}z9hG4bK{branch}{c};x")
        },
    )
}

fn list(one: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (vec(one, 1..4), lws(), lws())
        .prop_map(|(values, before, after)| values.join(&format!("{before},{after}")))
}

fn route_value() -> impl Strategy<Value = String> {
    ("[a-z\"]{0}[a-z ]{0,6}", lws(), "[a-z0-9]{1,8}", lws(), any::<bool>()).prop_map(
        |(name, space, host, more, quoted)| {
            let name = name.trim();
            let name = if quoted { format!("\"{name}, \\\"<\" ") } else { name.to_owned() };
            format!("{name}{space}<sip:{host}.example.com;lr>{more};x={more}1")
        },
    )
}

/// Fields that must be there, in every spelling.
fn mandatory(method: &'static str) -> impl Strategy<Value = Vec<Line>> {
    let address = || {
        (lws(), lws(), "[a-z0-9]{1,9}").prop_map(|(a, b, tag)| {
            format!("\"\u{e4}, \\\" ;\"{a}<sip:a@example.com;x>{b};{a}tag{b}={a}{tag}{b};y")
        })
    };
    let cseq = (0_u32..=u32::MAX, select(vec![" ", "\r\n  ", "\t\r\n "]), "0{0,3}")
        .prop_map(move |(n, space, zeros)| format!("{zeros}{n}{space}{method}"));
    (
        line(Kind::Other, &["from", "f"], text(address())),
        line(Kind::Other, &["to", "t"], text(address())),
        line(Kind::Other, &["call-id", "i"], text("[a-zA-Z0-9.!%*_+`'~-]{1,20}(@[a-z0-9.]{1,9})?")),
        line(Kind::Other, &["cseq"], text(cseq)),
    )
        .prop_map(|(from, to, call_id, cseq)| vec![from, to, call_id, cseq])
}

fn lines(method: &'static str) -> impl Strategy<Value = Vec<Line>> {
    let max_forwards =
        (1_u8..=255, "0{0,3}").prop_map(|(n, zeros)| format!("{zeros}{n}").into_bytes());
    let of = |kind, names, one| line(kind, names, text(one));
    (
        mandatory(method),
        vec(of(Kind::Via, &["via", "v"], list(via_value()).boxed()), 1..4),
        vec(line(Kind::MaxForwards, &["max-forwards"], max_forwards), 0..2),
        vec(of(Kind::Route, &["route"], list(route_value()).boxed()), 0..3),
        vec(of(Kind::RecordRoute, &["record-route"], list(route_value()).boxed()), 0..3),
        vec(other(), 0..12),
    )
        .prop_map(|(a, b, c, d, e, f)| [a, b, c, d, e, f].concat())
        .prop_shuffle()
}

/// A message, with Content-Length or without, as a datagram may be.
fn input(
    method: &'static str,
    start: impl Strategy<Value = Vec<u8>>,
) -> impl Strategy<Value = Input> {
    let length = (
        select(vec!["Content-Length", "l", "CONTENT-LENGTH"]),
        colon(),
        end(),
        any::<bool>(),
        any::<prop::sample::Index>(),
    );
    (start, lines(method), vec(any::<u8>(), 0..60), length).prop_map(
        |(start, mut lines, body, (name, colon, end, is_there, at))| {
            if is_there {
                let value = body.len().to_string().into_bytes();
                let line = Line { kind: Kind::Other, name: name.to_owned(), colon, value, end };
                let at = at.index(lines.len() + 1);
                lines.insert(at, line);
            }
            Input { start, lines, body }
        },
    )
}

fn request() -> impl Strategy<Value = Input> {
    input(
        "OPTIONS",
        select(vec!["sip:b@example.com", "sip:%61;x@h:5070;a=b", "tel:+43-1-234"])
            .prop_map(|uri| format!("OPTIONS {uri} SIP/2.0\r\n").into_bytes()),
    )
}

/// The reason phrase of a response may be anything on one line.
fn response() -> impl Strategy<Value = Input> {
    let phrase = vec(prop_oneof![0x20_u8..=0x7e, 0x80_u8..=0xff], 0..20);
    input(
        "INVITE",
        (100_u16..700, phrase).prop_map(|(status, phrase)| {
            [format!("SIP/2.0 {status} ").as_bytes(), &phrase, b"\r\n"].concat()
        }),
    )
}

fn parse(input: &Input) -> Message {
    let octets = input.octets();
    Message::parse(octets.clone().into(), &Limits::default())
        .unwrap_or_else(|e| panic!("{e}\n{}", String::from_utf8_lossy(&octets)))
}

fn uri(text: &str) -> Uri {
    Uri::parse(text).expect("a URI")
}

/// Takes the first value off a list as a reader of RFC 3261 would: by the first comma that stands outside quotes and
/// angle brackets. A fold in what is left has become blanks.
fn without_first(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).expect("text");
    let (mut quoted, mut escaped, mut depth) = (false, false, 0);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => depth += 1,
            '>' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                let rest = text.get(at + 1..).unwrap_or("").trim();
                return Some(rest.replace(['\r', '\n'], " "));
            }
            _ => {}
        }
    }
    None
}

/// Everything that section 16.6 does to a request, done to the lines.
fn expected_request(mut input: Input) -> Input {
    // Section 16.4: our own Route entry goes.
    if let Some(at) = input.position(Kind::Route) {
        let line = input.lines.get(at).expect("a line").clone();
        match without_first(&line.value) {
            Some(rest) => *input.lines.get_mut(at).expect("a line") = line.rewritten(&rest),
            None => drop(input.lines.remove(at)),
        }
    }
    // Step 2: the Request-URI.
    input.start = b"OPTIONS sip:b@192.0.2.99 SIP/2.0\r\n".to_vec();
    // Step 3: Max-Forwards.
    if let Some(at) = input.position(Kind::MaxForwards) {
        let line = input.lines.get(at).expect("a line").clone();
        let left: u8 = String::from_utf8_lossy(&line.value).parse().expect("a number");
        *input.lines.get_mut(at).expect("a line") = line.rewritten(&(left - 1).to_string());
    } else {
        let at = input.after_via();
        input.lines.insert(at, Line::new(Kind::MaxForwards, "Max-Forwards", "70"));
    }
    // Step 4: Record-Route.
    let at = input.position(Kind::RecordRoute).unwrap_or_else(|| input.after_via());
    input.lines.insert(at, Line::new(Kind::RecordRoute, "Record-Route", "<sip:us;lr>"));
    // Step 8: Via.
    let at = input.position(Kind::Via).expect("a Via");
    input.lines.insert(at, Line::new(Kind::Via, "Via", "SIP/2.0/UDP us;branch=z9hG4bKus"));
    input
}

/// The header lines of a message, as they stand there, that forwarding must not touch.
fn untouched(octets: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = vec![];
    let mut at = octets.windows(2).position(|w| w == b"\r\n").expect("a start line") + 2;
    loop {
        let rest = octets.get(at..).expect("a header section");
        let length = rest.windows(2).position(|w| w == b"\r\n").expect("a line") + 2;
        let line = rest.get(..length).expect("a line");
        at += length;
        match line {
            b"\r\n" => break,
            [b' ' | b'\t', ..] => lines.last_mut().expect("a line").extend(line),
            _ => lines.push(line.to_vec()),
        }
    }
    const EDITED: [&str; 7] =
        ["via", "v", "max-forwards", "route", "record-route", "max-breadth", "content-length"];
    lines.retain(|line| {
        let end = line.iter().position(|b| matches!(b, b':' | b' ' | b'\t')).expect("a name");
        let name = String::from_utf8_lossy(line.get(..end).expect("a name")).to_ascii_lowercase();
        !EDITED.contains(&name.as_str()) && name != "l"
    });
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_edited_nothing_changed(input in prop_oneof![request(), response()]) {
        let message = parse(&input);
        prop_assert_eq!(message.to_bytes(), input.octets());
        prop_assert_eq!(message.to_vec(), input.octets());
    }

    #[test]
    fn rfc3261_16_6_a_forwarded_request(input in request()) {
        let mut message = parse(&input);
        message.pop_first::<RouteHeader>().expect("Route");
        message.set_request_uri(&uri("sip:b@192.0.2.99"));
        prop_assert_ne!(message.decrement_max_forwards(), Ok(Decremented::Exhausted));
        message.push_record_route(&RecordRouteHeader::new(uri("sip:us;lr")));
        message.push_via(&Via::parse_one("SIP/2.0/UDP us;branch=z9hG4bKus").expect("a Via"));
        let expected = expected_request(input).octets();
        let printed = message.to_vec();
        prop_assert_eq!(String::from_utf8_lossy(&printed), String::from_utf8_lossy(&expected));
        prop_assert_eq!(printed, expected);
    }

    #[test]
    fn rfc3261_16_7_a_forwarded_response(mut input in response()) {
        let mut message = parse(&input);
        message.pop_via().expect("Via");
        let at = input.position(Kind::Via).expect("a Via");
        let line = input.lines.get(at).expect("a line").clone();
        match without_first(&line.value) {
            Some(rest) => *input.lines.get_mut(at).expect("a line") = line.rewritten(&rest),
            None => drop(input.lines.remove(at)),
        }
        prop_assert_eq!(message.to_vec(), input.octets());
    }

    /// The same through the whole stack, which does more to the fields that are its own, and to no others.
    #[test]
    fn rfc3261_16_6_through_the_stack(input in request()) {
        let octets = input.octets();
        let run = torture::run(&octets);
        prop_assert_eq!(run.outcome, torture::Outcome::Forwarded);
        let sent = run.sent().to_vec();
        prop_assert_eq!(untouched(&sent), untouched(&octets));
        prop_assert!(sent.ends_with(&input.body));
    }
}
