use super::*;
use crate::zone::Zone;
use crate::zone::tests::{rows, zone};
use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use proptest::prelude::*;
use std::str::FromStr as _;
use std::sync::LazyLock;

fn zones() -> Zones {
    let big = "x".repeat(200);
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
        ("example.com", RecordType::AXFR, expect(ResponseCode::Refused, false, &[], &[], &[])),
        ("example.com", RecordType::IXFR, expect(ResponseCode::Refused, false, &[], &[], &[])),
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

const OPT: [u8; 11] = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];

/// A query with octets behind the question and these counts of questions and further records.
fn patched(counts: [u8; 4], behind: &[u8]) -> Vec<u8> {
    let mut octets = query("www.example.com", RecordType::A).to_vec().unwrap();
    for (i, count) in counts.into_iter().enumerate() {
        octets[5 + 2 * i] = count;
    }
    octets.extend_from_slice(behind);
    octets
}

#[test]
fn what_is_malformed_is_a_format_error() {
    let good = patched([1, 0, 0, 1], &OPT);
    assert_eq!(raw(&good, Transport::Udp).unwrap().1.rcode, Rcode::NoError);
    let two = [OPT, OPT].concat();
    let mut named = OPT.to_vec();
    named.splice(0..1, [1, b'x', 0]);
    let mut options = OPT.to_vec();
    options[10] = 3;
    options.extend_from_slice(&[0, 10, 0]);
    let mut option = OPT.to_vec();
    option[10] = 5;
    option.extend_from_slice(&[0, 10, 0, 9, 1]);
    for (what, octets) in [
        ("no question", patched([0, 0, 0, 0], &[])),
        ("two questions", patched([2, 0, 0, 0], &[])),
        ("trailing octets", patched([1, 0, 0, 0], &[0])),
        ("trailing octets behind OPT", patched([1, 0, 0, 1], &[&OPT[..], &[0]].concat())),
        ("a record that is not there", patched([1, 0, 0, 9], &OPT)),
        ("two OPT", patched([1, 0, 0, 2], &two)),
        ("OPT as an answer", patched([1, 1, 0, 0], &OPT)),
        ("OPT below the root", patched([1, 0, 0, 1], &named)),
        ("half an option", patched([1, 0, 0, 1], &options)),
        ("an option beyond its record", patched([1, 0, 0, 1], &option)),
        ("half an OPT", patched([1, 0, 0, 1], &OPT[..9])),
        ("half a question", good[..30].to_vec()),
        ("only a header", good[..12].to_vec()),
    ] {
        let (answer, answered) = raw(&octets, Transport::Udp).expect(what);
        assert_eq!(answered.rcode, Rcode::FormErr, "{what}");
        assert_eq!(answer[..2], octets[..2], "{what}");
        assert!(answer[2] & 0x80 != 0 && answer[3] == 1, "{what}");
        assert!(Message::from_vec(&answer).is_ok(), "{what}");
    }
}

#[test]
fn what_is_no_query_gets_nothing_or_a_refusal() {
    let mut response = query("www.example.com", RecordType::A).to_vec().unwrap();
    response[2] |= 0x80;
    for octets in [&response[..], &[], &[0], &[0; 11]] {
        assert_eq!(raw(octets, Transport::Udp), None);
    }
    for opcode in (1..16).map(|opcode: u8| opcode << 3) {
        let mut octets = query("www.example.com", RecordType::A).to_vec().unwrap();
        octets[2] = opcode;
        let (answer, answered) = raw(&octets, Transport::Udp).unwrap();
        assert_eq!((answered.rcode, answer[2] & 0x78), (Rcode::NotImp, opcode));
    }
    // Class CH, HS, NONE, ANY.
    for class in [3, 4, 254, 255] {
        let mut octets = query("www.example.com", RecordType::A).to_vec().unwrap();
        *octets.last_mut().unwrap() = class;
        assert_eq!(raw(&octets, Transport::Udp).unwrap().1.rcode, Rcode::Refused);
    }
}

/// Labels that occur in the zones, so that random names hit.
fn label() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "www", "example", "com", "net", "*", "wild", "sub", "ns", "big", "alias", "loop", "a", "0",
        "1", "2", "3", "e164", "arpa", "_sip", "_udp", "child", "broken", "there", "down", "gone",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_answer_can_be_read_and_keeps_to_its_limit(
        labels in prop::collection::vec(label(), 0..7),
        suffix in prop::sample::select(vec!["example.com", "example.net", "1.3.e164.arpa", "0.2.1.3.e164.arpa", "com"]),
        qtype in prop_oneof![0_u16..70, 240..260_u16],
        payload in prop::option::of(any::<u16>()),
        tcp in any::<bool>(),
    ) {
        let name = labels.iter().copied().chain([suffix]).collect::<Vec<_>>().join(".");
        let mut message = query(&name, RecordType::from(qtype));
        if let Some(payload) = payload {
            message = with_edns(message, payload);
        }
        let octets = message.to_vec().unwrap();
        let transport = if tcp { Transport::Tcp } else { Transport::Udp };
        let (answer, answered) = raw(&octets, transport).unwrap();
        let limit = match (transport, payload) {
            (Transport::Tcp, _) => 65_535,
            (Transport::Udp, None) => 512,
            (Transport::Udp, Some(payload)) => usize::from(payload.clamp(512, 1232)),
        };
        prop_assert!(answer.len() <= limit);
        let read = Message::from_vec(&answer);
        prop_assert!(read.is_ok(), "{:?}: {:?}", read, answer);
        let read = read.unwrap();
        prop_assert_eq!(read.edns.is_some(), payload.is_some());
        prop_assert_eq!(u16::from(read.metadata.response_code), answered.rcode.code());
        prop_assert_eq!(read.queries.len(), 1);
    }

    #[test]
    fn any_octets_are_answered_within_the_limit(
        mut octets in prop::collection::vec(any::<u8>(), 0..80),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        from_query in any::<bool>(),
        tcp in any::<bool>(),
    ) {
        if from_query {
            octets = patched([1, 0, 0, 1], &OPT);
            for (at, octet) in changes {
                let at = at.index(octets.len());
                octets[at] = octet;
            }
        }
        let transport = if tcp { Transport::Tcp } else { Transport::Udp };
        if let Some((answer, _)) = raw(&octets, transport) {
            let limit = if tcp { 65_535 } else { 1232 };
            prop_assert!(answer.len() >= 12 && answer.len() <= limit);
            prop_assert_eq!(&answer[..2], &octets[..2]);
            prop_assert!(answer[2] & 0x80 != 0);
        }
    }
}
