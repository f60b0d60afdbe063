mod edges;
mod freshness;
mod hostile;
mod secure;

use super::*;
use crate::zone::Zone;
use crate::zone::tests::{rows, zone};
use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use std::str::FromStr as _;
use std::sync::LazyLock;

fn zones() -> Zones {
    let big = "x".repeat(200);
    let long = format!("{0}.{0}.example.net", "y".repeat(60));
    let texts: Vec<String> = (0..40).map(|n| format!("\"{n} {big}\"")).collect();
    let mut example = vec![
        ("ns1.example.com", "A", 60, "192.0.2.53"),
        ("www.example.com", "A", 60, "192.0.2.1"),
        ("www.example.com", "AAAA", 60, "2001:db8::1"),
        ("example.com", "MX", 60, "www.example.com"),
        ("_sip._udp.example.com", "SRV", 60, "5 5060 www.example.com"),
        ("example.com", "NAPTR", 60, "100 10 \"s\" \"SIP+D2U\" \"\" _sip._udp.example.com"),
        ("alias.example.com", "CNAME", 60, "www.example.com"),
        ("away.example.com", "CNAME", 60, "www.example.org"),
        ("gone.example.com", "CNAME", 60, "nothing.example.net"),
        ("loop.example.com", "CNAME", 60, "pool.example.com"),
        ("pool.example.com", "CNAME", 60, "loop.example.com"),
        ("down.example.com", "CNAME", 60, "host.sub.example.com"),
        ("*.wild.example.com", "A", 60, "192.0.2.9"),
        ("*.wild.example.com", "TXT", 60, "\"w\""),
        ("there.wild.example.com", "TXT", 60, "\"t\""),
        ("sub.example.com", "NS", 60, "ns.sub.example.com"),
        ("sub.example.com", "NS", 60, "ns1.example.com"),
        ("sub.example.com", "NS", 60, "ns.example.org"),
        ("sub.example.com", "TYPE43", 60, "\\# 4 00010203"),
        ("ns.sub.example.com", "A", 60, "192.0.2.54"),
        ("ns.sub.example.com", "AAAA", 60, "2001:db8::54"),
        ("x.dname.sub.example.com", "DNAME", 60, "example.net"),
        ("old.example.com", "DNAME", 300, "example.net"),
        ("below.old.example.com", "A", 60, "192.0.2.66"),
        ("long.example.com", "DNAME", 60, long.as_str()),
        ("self.example.com", "DNAME", 60, "self.example.com"),
        ("out.example.com", "DNAME", 60, "example.org"),
    ];
    example.extend(texts.iter().map(|text| ("big.example.com", "TXT", 60, text.as_str())));
    let broken = {
        let mut rows = rows("broken.example", &[("www.broken.example", "A", 60, "192.0.2.1")]);
        rows.records.retain(|row| row.rtype != "SOA");
        Zone::build(&rows).0
    };
    let number = "100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:alice@example.com!\" .";
    [
        zone("example.com", &example),
        zone("example.net", &[("a.example.net", "CNAME", 60, "alias.example.com")]),
        zone("1.3.e164.arpa", &[("1.0.3.1.3.e164.arpa", "NAPTR", 300, number)]),
        zone("0.2.1.3.e164.arpa", &[("1.0.2.1.3.e164.arpa", "NAPTR", 300, number)]),
        zone("child.example.com", &[]),
        broken,
    ]
    .into_iter()
    .collect()
}

fn query(name: &str, qtype: RecordType) -> Message {
    let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_str(&format!("{name}.")).unwrap(), qtype));
    message
}

fn raw(octets: &[u8], transport: Transport) -> Option<(Vec<u8>, Answered)> {
    static ZONES: LazyLock<Zones> = LazyLock::new(zones);
    let mut out = b"left over".to_vec();
    look_ahead(&ZONES, [octets]);
    match answer(&ZONES, octets, Limits::new(transport), &mut out) {
        Outcome::Dropped => None,
        Outcome::Answered(answered) => Some((out, answered)),
    }
}

fn ask_by(message: &Message, transport: Transport) -> Message {
    let (octets, answered) = raw(&message.to_vec().unwrap(), transport).expect("an answer");
    let answer = Message::from_vec(&octets).expect("an answer that can be read");
    assert_eq!(u16::from(answer.metadata.response_code), answered.rcode.code());
    assert_eq!(answer.metadata.truncation, answered.truncated);
    assert_eq!(answer.metadata.id, 4711);
    assert!(!answer.metadata.recursion_available);
    answer
}

fn ask(name: &str, qtype: RecordType) -> Message {
    ask_by(&query(name, qtype), Transport::Udp)
}

/// `owner ttl type data` of each record.
fn lines(records: &[hickory_proto::rr::Record]) -> Vec<String> {
    records.iter().map(|r| format!("{} {} {} {}", r.name, r.ttl, r.record_type(), r.data)).collect()
}

struct Expected {
    code: ResponseCode,
    aa: bool,
    answers: &'static [&'static str],
    /// Owners and types.
    authorities: &'static [&'static str],
    additionals: &'static [&'static str],
}

#[test]
fn questions_have_their_answers() {
    use RecordType::{A, AAAA, CNAME, DS, MX, NAPTR, NS, SOA, SRV, TXT};
    let ok = ResponseCode::NoError;
    let nx = ResponseCode::NXDomain;
    let soa: &[&str] = &["example.com. SOA"];
    let www: &[&str] = &["www.example.com. A", "www.example.com. AAAA"];
    let sub: &[&str] = &["sub.example.com. NS"; 3];
    let glue: &[&str] =
        &["ns.sub.example.com. A", "ns.sub.example.com. AAAA", "ns1.example.com. A"];
    let expect = |code, aa, answers, authorities, additionals| Expected {
        code,
        aa,
        answers,
        authorities,
        additionals,
    };
    for (name, qtype, e) in [
        ("www.example.com", A, expect(ok, true, &["www.example.com. 60 A 192.0.2.1"], &[], &[])),
        ("www.example.com", TXT, expect(ok, true, &[], soa, &[])),
        ("nothing.example.com", A, expect(nx, true, &[], soa, &[])),
        ("a.www.example.com", A, expect(nx, true, &[], soa, &[])),
        // RFC 8020: what has names below it exists.
        ("_udp.example.com", A, expect(ok, true, &[], soa, &[])),
        (
            "example.com",
            NS,
            expect(
                ok,
                true,
                &["example.com. 3600 NS ns1.example.com."],
                &[],
                &["ns1.example.com. A"],
            ),
        ),
        (
            "example.com",
            MX,
            expect(ok, true, &["example.com. 60 MX 10 www.example.com."], &[], www),
        ),
        (
            "_sip._udp.example.com",
            SRV,
            expect(
                ok,
                true,
                &["_sip._udp.example.com. 60 SRV 10 5 5060 www.example.com."],
                &[],
                www,
            ),
        ),
        (
            "alias.example.com",
            A,
            expect(
                ok,
                true,
                &[
                    "alias.example.com. 60 CNAME www.example.com.",
                    "www.example.com. 60 A 192.0.2.1",
                ],
                &[],
                &[],
            ),
        ),
        (
            "alias.example.com",
            CNAME,
            expect(ok, true, &["alias.example.com. 60 CNAME www.example.com."], &[], &[]),
        ),
        (
            "alias.example.com",
            TXT,
            expect(ok, true, &["alias.example.com. 60 CNAME www.example.com."], soa, &[]),
        ),
        // Across zones of ours, and out of them.
        (
            "a.example.net",
            AAAA,
            expect(
                ok,
                true,
                &[
                    "a.example.net. 60 CNAME alias.example.com.",
                    "alias.example.com. 60 CNAME www.example.com.",
                    "www.example.com. 60 AAAA 2001:db8::1",
                ],
                &[],
                &[],
            ),
        ),
        (
            "away.example.com",
            A,
            expect(ok, true, &["away.example.com. 60 CNAME www.example.org."], &[], &[]),
        ),
        // RFC 6604: the code is that of the last name.
        (
            "gone.example.com",
            A,
            expect(
                nx,
                true,
                &["gone.example.com. 60 CNAME nothing.example.net."],
                &["example.net. SOA"],
                &[],
            ),
        ),
        (
            "loop.example.com",
            A,
            expect(
                ok,
                true,
                &[
                    "loop.example.com. 60 CNAME pool.example.com.",
                    "pool.example.com. 60 CNAME loop.example.com.",
                ],
                &[],
                &[],
            ),
        ),
        (
            "down.example.com",
            A,
            expect(ok, true, &["down.example.com. 60 CNAME host.sub.example.com."], sub, glue),
        ),
        // RFC 4592: wildcards, blocked by names that exist.
        (
            "a.b.wild.example.com",
            A,
            expect(ok, true, &["a.b.wild.example.com. 60 A 192.0.2.9"], &[], &[]),
        ),
        ("a.wild.example.com", NAPTR, expect(ok, true, &[], soa, &[])),
        ("there.wild.example.com", A, expect(ok, true, &[], soa, &[])),
        ("a.there.wild.example.com", A, expect(nx, true, &[], soa, &[])),
        ("wild.example.com", A, expect(ok, true, &[], soa, &[])),
        (
            "*.wild.example.com",
            A,
            expect(ok, true, &["*.wild.example.com. 60 A 192.0.2.9"], &[], &[]),
        ),
        // Delegations: at the cut, below it, and what stays with the parent.
        ("sub.example.com", A, expect(ok, false, &[], sub, glue)),
        ("sub.example.com", NS, expect(ok, false, &[], sub, glue)),
        ("ns.sub.example.com", A, expect(ok, false, &[], sub, glue)),
        ("sub.example.com", DS, expect(ok, true, &["sub.example.com. 60 DS 1 2 3 "], &[], &[])),
        ("host.sub.example.com", DS, expect(ok, false, &[], sub, glue)),
        // The parent does not delegate, so the child answers.
        ("child.example.com", DS, expect(ok, true, &[], &["child.example.com. SOA"], &[])),
        (
            "child.example.com",
            SOA,
            expect(
                ok,
                true,
                &[
                    "child.example.com. 3600 SOA ns1.child.example.com. hostmaster.child.example.com. 2026010107 14400 3600 604800 300",
                ],
                &[],
                &[],
            ),
        ),
        // B114: the closest apex answers; nobody denies what lies above an apex.
        (
            "1.0.2.1.3.e164.arpa",
            NAPTR,
            expect(
                ok,
                true,
                &[
                    "1.0.2.1.3.e164.arpa. 300 NAPTR 100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:alice@example.com!\" .",
                ],
                &[],
                &[],
            ),
        ),
        ("2.0.2.1.3.e164.arpa", NAPTR, expect(nx, true, &[], &["0.2.1.3.e164.arpa. SOA"], &[])),
        ("2.1.3.e164.arpa", NAPTR, expect(ok, true, &[], &["1.3.e164.arpa. SOA"], &[])),
        ("4.1.3.e164.arpa", NAPTR, expect(nx, true, &[], &["1.3.e164.arpa. SOA"], &[])),
        ("www.broken.example", A, expect(ResponseCode::ServFail, false, &[], &[], &[])),
        ("www.example.org", A, expect(ResponseCode::Refused, false, &[], &[], &[])),
        ("e164.arpa", SOA, expect(ResponseCode::Refused, false, &[], &[], &[])),
        ("www.example.com", RecordType::Unknown(65_280), expect(ok, true, &[], soa, &[])),
        ("example.com", RecordType::IXFR, expect(ResponseCode::FormErr, false, &[], &[], &[])),
    ] {
        for transport in [Transport::Udp, Transport::Tcp] {
            let answer = ask_by(&query(name, qtype), transport);
            let short = |records: &[hickory_proto::rr::Record]| -> Vec<String> {
                records.iter().map(|r| format!("{} {}", r.name, r.record_type())).collect()
            };
            let context = format!("{name} {qtype}: {answer:?}");
            assert_eq!(answer.metadata.response_code, e.code, "{context}");
            assert_eq!(answer.metadata.authoritative, e.aa, "{context}");
            if qtype != DS {
                assert_eq!(lines(&answer.answers), e.answers, "{context}");
            }
            assert_eq!(answer.answers.len(), e.answers.len(), "{context}");
            assert_eq!(short(&answer.authorities), e.authorities, "{context}");
            assert_eq!(short(&answer.additionals), e.additionals, "{context}");
        }
    }
}

// RFC 2308 section 5: negative answers live as long as the lower of MINIMUM and the SOA's TTL.
#[test]
fn negative_answers_say_how_long_they_hold() {
    let answer = ask("nothing.example.com", RecordType::A);
    assert_eq!(
        lines(&answer.authorities),
        [
            "example.com. 300 SOA ns1.example.com. hostmaster.example.com. 2026010107 14400 3600 604800 300"
        ]
    );
}

#[test]
fn the_question_comes_back_letter_by_letter() {
    let octets = query("WwW.eXample.COM", RecordType::A).to_vec().unwrap();
    let (answer, _) = raw(&octets, Transport::Udp).unwrap();
    assert_eq!(answer[12..octets.len()], octets[12..]);
    // The owner of the answer is a pointer to it.
    assert_eq!(answer[octets.len()..octets.len() + 2], [0xc0, 12]);
    assert_eq!(Message::from_vec(&answer).unwrap().answers.len(), 1);
}

// RFC 8482: one RRset over UDP, all over TCP.
#[test]
fn any_is_answered_sparingly() {
    let message = query("example.com", RecordType::ANY);
    let udp = ask_by(&message, Transport::Udp);
    assert_eq!(udp.answers.len(), 1);
    let mut all: Vec<RecordType> =
        ask_by(&message, Transport::Tcp).answers.iter().map(|r| r.record_type()).collect();
    all.sort();
    let mut expected = [RecordType::NS, RecordType::SOA, RecordType::MX, RecordType::NAPTR];
    expected.sort();
    assert_eq!(all, expected);
}

fn with_edns(mut message: Message, payload: u16) -> Message {
    let mut edns = hickory_proto::op::Edns::new();
    edns.set_max_payload(payload);
    message.set_edns(edns);
    message
}

// RFC 6891 section 6.2.3, RFC 2181 section 9.
#[test]
fn answers_keep_to_the_limit() {
    let message = query("big.example.com", RecordType::TXT);
    for (payload, limit) in [(None, 512), (Some(0), 512), (Some(900), 900), (Some(4096), 1232)] {
        let message = match payload {
            Some(payload) => with_edns(message.clone(), payload),
            None => message.clone(),
        };
        let (octets, answered) = raw(&message.to_vec().unwrap(), Transport::Udp).unwrap();
        assert!(octets.len() <= limit && answered.truncated);
        let answer = Message::from_vec(&octets).unwrap();
        assert!(answer.metadata.truncation && answer.answers.is_empty());
        assert_eq!(answer.edns.is_some(), payload.is_some());
    }
    let whole = ask_by(&message, Transport::Tcp);
    assert_eq!((whole.answers.len(), whole.metadata.truncation), (40, false));
}

#[test]
fn additional_records_are_left_out_without_tc_and_glue_with_it() {
    // RFC 9471 section 3: glue for servers below the cut is mandatory; the rest is not.
    let servers: Vec<(String, String)> =
        (0..20).map(|n| (format!("ns{n}.cut.a.example"), format!("ns{n}.cut.b.example"))).collect();
    let mut inside = Vec::new();
    let mut outside = Vec::new();
    for (a, b) in &servers {
        inside.push(("cut.a.example", "NS", 60, a.as_str()));
        inside.push((a.as_str(), "AAAA", 60, "2001:db8::1"));
        // The same names as servers of something else are no glue.
        outside.push(("other.b.example", "NS", 60, b.as_str()));
        outside.push((b.as_str(), "AAAA", 60, "2001:db8::1"));
    }
    let zones: Zones =
        [zone("a.example", &inside), zone("b.example", &outside)].into_iter().collect();
    let ask = |name: &str| {
        let mut out = Vec::new();
        let octets = query(name, RecordType::A).to_vec().unwrap();
        answer(&zones, &octets, Limits::new(Transport::Udp), &mut out);
        assert!(out.len() <= 512);
        Message::from_vec(&out).unwrap()
    };
    let a = ask("www.cut.a.example");
    assert!(a.metadata.truncation && a.authorities.len() == 20, "{a:?}");
    let b = ask("www.other.b.example");
    assert!(
        !b.metadata.truncation && b.authorities.len() == 20 && !b.additionals.is_empty(),
        "{b:?}"
    );
}

#[test]
fn edns_is_answered_in_kind() {
    let mut message = with_edns(query("www.example.com", RecordType::A), 1400);
    message.edns.as_mut().unwrap().set_dnssec_ok(true);
    let edns = ask_by(&message, Transport::Udp).edns.unwrap();
    assert_eq!((edns.version(), edns.max_payload(), edns.flags().dnssec_ok), (0, 1232, true));
    // RFC 6891 section 6.1.3.
    message.edns.as_mut().unwrap().set_version(1);
    let answer = ask_by(&message, Transport::Udp);
    assert_eq!(u16::from(answer.metadata.response_code), 16);
    assert_eq!(answer.edns.unwrap().version(), 0);
    assert!(answer.answers.is_empty() && answer.queries.len() == 1);
}

/// RFC 5936 section 4.2: AXFR is for connections; who may have it there is decided elsewhere.
#[test]
fn axfr_is_no_query_for_datagrams() {
    let message = query("example.com", RecordType::AXFR);
    for (transport, code) in
        [(Transport::Udp, ResponseCode::FormErr), (Transport::Tcp, ResponseCode::Refused)]
    {
        let answer = ask_by(&message, transport);
        assert_eq!((answer.metadata.response_code, answer.answers.len()), (code, 0));
    }
}

/// RFC 7873 section 5.2: who shows a cookie gets it back with one of ours, within the limit; impossible ones are malformed.
#[test]
fn cookies_are_given_to_who_shows_one() {
    let secrets = crate::cookie::Secrets::new([3; 16], None);
    let address: std::net::IpAddr = "192.0.2.1".parse().unwrap();
    let keys = Keys::none();
    let ask = |cookie: &[u8], name: &str, qtype: RecordType, limits: Limits| {
        let mut octets = query(name, qtype).to_vec().unwrap();
        octets[11] = 1;
        let length = u8::try_from(cookie.len()).unwrap();
        octets.extend_from_slice(&[0, 0, 41, 2, 0, 0, 0, 0, 0, 0, length + 4, 0, 10, 0, length]);
        octets.extend_from_slice(cookie);
        let cookies = Some((&secrets, address));
        let server = Server { limits, keys: &keys, now: 1_800_000_000, cookies, signer: None };
        let mut out = Vec::new();
        answer_for(&zones(), &octets, &server, &mut out);
        out
    };
    let udp = Limits::new(Transport::Udp);
    let out = ask(b"12345678", "www.example.com", RecordType::A, udp);
    assert_eq!(out[out.len() - 28..][..12], *b"\x00\x0a\x00\x1812345678");
    let shown = crate::cookie::Shown::read(&out[out.len() - 24..]).unwrap();
    assert!(secrets.check(&shown, address, 1_800_000_000));
    assert_eq!(Message::from_vec(&out).unwrap().answers.len(), 1);
    // One that is not ours does not matter but gets a new one.
    let again = ask(b"123456780123456789abcdef", "www.example.com", RecordType::A, udp);
    assert_eq!(again, out);
    let long = ask(b"12345678", "big.example.com", RecordType::TXT, udp);
    assert!(long.len() <= 512);
    for cookie in [&b"1234567"[..], b"", b"123456789", &[0; 41]] {
        let out = ask(cookie, "www.example.com", RecordType::A, udp);
        let code = Message::from_vec(&out).unwrap().metadata.response_code;
        assert_eq!(code, ResponseCode::FormErr, "{cookie:?}");
    }
}

/// What rate limits count by: one name, a zone where a name tells nothing new, or nothing of ours.
#[test]
fn answers_say_what_they_are_about() {
    let about = |name: &str, qtype: RecordType| {
        let octets = query(name, qtype).to_vec().unwrap();
        match answer(&zones(), &octets, Limits::new(Transport::Udp), &mut Vec::new()) {
            Outcome::Answered(answered) => answered.about,
            Outcome::Dropped => panic!("{name}"),
        }
    };
    let zone = |name: &str| {
        let name = crate::name::Name::parse(name).unwrap();
        About::Zone { octets: name.as_wire().len().try_into().unwrap() }
    };
    let at = |name: &str| match zone(name) {
        About::Zone { octets } => About::Name { octets },
        other => other,
    };
    for (name, qtype, expected) in [
        ("www.example.com", RecordType::A, at("example.com")),
        ("WWW.example.com", RecordType::ANY, at("example.com")),
        ("alias.example.com", RecordType::A, at("example.com")),
        ("www.example.com", RecordType::MX, zone("example.com")),
        ("nothing.example.com", RecordType::A, zone("example.com")),
        ("x.wild.example.com", RecordType::A, zone("example.com")),
        ("x.wild.example.com", RecordType::MX, zone("example.com")),
        ("_udp.example.com", RecordType::A, zone("example.com")),
        ("x.sub.example.com", RecordType::A, zone("example.com")),
        ("2.1.0.3.1.3.e164.arpa", RecordType::NAPTR, zone("1.3.e164.arpa")),
        // What an alias leads to does not matter.
        ("gone.example.com", RecordType::A, at("example.com")),
        ("www.example.org", RecordType::A, About::Nothing),
        ("www.broken.example", RecordType::A, About::Nothing),
    ] {
        assert_eq!(about(name, qtype), expected, "{name} {qtype}");
    }
    // The zone stands in the query, as it is spelt there.
    let mut octets = query("www.example.com", RecordType::A).to_vec().unwrap();
    octets[17] = b'E';
    let outcome = answer(&zones(), &octets, Limits::new(Transport::Udp), &mut Vec::new());
    let Outcome::Answered(answered) = outcome else { panic!("{outcome:?}") };
    assert_eq!(answered.zone(&octets), Some(&b"\x07Example\x03com\0"[..]));
    assert_eq!(answered.zone(&[]), None);
}

/// RFC 7873 section 7: who shows a cookie of ours has the address that it says.
#[test]
fn cookies_prove_an_address() {
    let secrets = crate::cookie::Secrets::new([3; 16], None);
    let keys = Keys::none();
    let ask = |cookie: &[u8], address: &str| {
        let mut octets = query("www.example.com", RecordType::A).to_vec().unwrap();
        octets[11] = 1;
        let length = u8::try_from(cookie.len()).unwrap();
        octets.extend_from_slice(&[0, 0, 41, 2, 0, 0, 0, 0, 0, 0, length + 4, 0, 10, 0, length]);
        octets.extend_from_slice(cookie);
        let cookies = Some((&secrets, address.parse().unwrap()));
        let limits = Limits::new(Transport::Udp);
        let server = Server { limits, keys: &keys, now: 1_800_000_000, cookies, signer: None };
        let mut out = Vec::new();
        let Outcome::Answered(answered) = answer_for(&zones(), &octets, &server, &mut out) else {
            panic!("no answer");
        };
        let cut = cut_short(&octets, &server, &mut Vec::new());
        assert!(matches!(cut, Outcome::Answered(Answered { truncated: true, .. })));
        (answered.proven, out[out.len() - 24..].to_vec())
    };
    let (proven, given) = ask(b"12345678", "192.0.2.1");
    assert!(!proven);
    assert!(ask(&given, "192.0.2.1").0);
    assert!(!ask(&given, "192.0.2.2").0);
    assert!(!ask(b"123456780123456789abcdef", "192.0.2.1").0);
}

/// An answer that is cut short has the question, the cookie and nothing else.
#[test]
fn an_answer_is_cut_short() {
    let message = with_edns(query("www.example.com", RecordType::A), 1400);
    let octets = message.to_vec().unwrap();
    let keys = Keys::none();
    let limits = Limits::new(Transport::Udp);
    let mut out = Vec::new();
    cut_short(
        &octets,
        &Server { limits, keys: &keys, now: 0, cookies: None, signer: None },
        &mut out,
    );
    let answer = Message::from_vec(&out).unwrap();
    assert!(
        answer.metadata.truncation && answer.queries == message.queries && answer.edns.is_some()
    );
    assert_eq!((answer.answers.len(), answer.authorities.len()), (0, 0));
    assert!(out.len() <= octets.len());
}

/// RFC 6672 sections 2.2, 2.4 and 3.2: what lies below a DNAME stands for what lies below its target, also what is stored
/// there, and not the name itself.
#[test]
fn dname_renames_what_lies_below() {
    let ask = |name: &str, qtype: RecordType| {
        let answer = ask_by(&query(name, qtype), Transport::Tcp);
        let answers = answer.answers.iter().map(|record| {
            format!("{} {} {} {}", record.name, record.ttl, record.record_type(), record.data)
        });
        (u16::from(answer.metadata.response_code), answers.collect::<Vec<_>>())
    };
    // The library shows the octets of a type that it does not know, here `example.net`, in Base64.
    let renamed = "old.example.com. 300 DNAME B2V4YW1wbGUDbmV0AA==".to_owned();
    let (code, answers) = ask("a.old.example.com", RecordType::A);
    let chain = [
        renamed.as_str(),
        "a.old.example.com. 300 CNAME a.example.net.",
        "a.example.net. 60 CNAME alias.example.com.",
        "alias.example.com. 60 CNAME www.example.com.",
        "www.example.com. 60 A 192.0.2.1",
    ];
    assert_eq!((code, answers), (0, chain.map(str::to_owned).to_vec()));
    for (name, code, records) in [
        ("nothing.old.example.com", 3, 2),
        ("below.old.example.com", 3, 2),
        ("x.y.old.example.com", 3, 2),
        ("old.example.com", 0, 0),
        // A name that would be too long.
        (format!("{0}.{0}.{0}.long.example.com", "x".repeat(60)).as_str(), 6, 1),
        ("x.self.example.com", 0, 2),
        // What it leads to is not ours.
        ("x.out.example.com", 0, 2),
        // The delegation comes first.
        ("y.x.dname.sub.example.com", 0, 0),
    ] {
        let (got, answers) = ask(name, RecordType::A);
        assert_eq!((got, answers.len()), (code, records), "{name}: {answers:?}");
    }
    assert_eq!(ask("old.example.com", RecordType::Unknown(39)), (0, vec![renamed.clone()]));
    let alias = "b.old.example.com. 300 CNAME b.example.net.".to_owned();
    assert_eq!(ask("b.old.example.com", RecordType::CNAME), (0, vec![renamed, alias]));
}
