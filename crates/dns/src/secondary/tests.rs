mod chains;
mod timers;

use super::*;
use crate::answer::Transport;
use crate::answer::request::{Header, Request};
use crate::answer::writer::{Record, Section, Writer};
use crate::transfer::{Difference, Messages, Query};
use crate::tsig::{Algorithm, Auth, Keys, Unverified};
use crate::zone::Rr;
use crate::zone::tests::zone;

const NOW: u64 = 1_800_000_000;
const LIMITS: super::Limits = super::Limits { records: 10_000, octets: 4_000_000 };

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn key(secret: u8) -> Arc<Key> {
    Arc::new(Key::new(name("a.key"), Algorithm::HmacSha256, &[secret; 32]).unwrap())
}

/// All records of a zone as text, sorted, with its serial.
fn lines(zone: &Zone) -> Vec<String> {
    let mut lines = vec![format!("{} {}", zone.serial(), zone.record_count())];
    for node in zone.nodes() {
        for set in node.rrsets() {
            for rdata in set.rdata().filter(|_| set.rtype != codes::SOA) {
                lines.push(format!("{:?} {} {} {rdata:?}", node.name(), set.rtype, set.ttl));
            }
        }
    }
    lines.sort();
    lines
}

fn asking<'k>(
    held: Option<&'k Arc<Zone>>,
    apex: &'k Name,
    key: Option<&'k Arc<Key>>,
) -> Asking<'k> {
    Asking { apex, held, incremental: true, key, limits: LIMITS }
}

/// What a primary of ours answers: the messages, signed when the request is, but for those numbers.
fn primary(
    request: &[u8],
    now: &Zone,
    difference: Option<&Difference>,
    keys: &Keys,
    unsigned: &[usize],
) -> Vec<Vec<u8>> {
    let limits = crate::answer::Limits::new(Transport::Tcp);
    let query = Query::read(request).expect("a request that our own primary reads");
    let mut messages = match difference {
        Some(difference) => Messages::ixfr(query, difference, limits, 300),
        None => Messages::axfr(query, now, limits, 300, None).unwrap(),
    };
    let mut signer = match query.auth(keys, NOW) {
        Auth::Signed(signer) => Some(signer),
        _ => None,
    };
    let (mut out, mut all, mut before) = (Vec::new(), Vec::new(), Vec::new());
    while messages.next(&mut out).unwrap() {
        if let Some(signer) = &mut signer {
            if unsigned.contains(&all.len()) {
                before.extend_from_slice(&out);
            } else {
                signer.sign_after(&std::mem::take(&mut before), NOW, &mut out);
            }
        }
        all.push(out.clone());
    }
    all
}

fn feed(incoming: &mut Incoming, messages: &[Vec<u8>]) -> Result<Option<Outcome>, Invalid> {
    for message in messages {
        if let Some(outcome) = incoming.take(message, NOW)? {
            return Ok(Some(outcome));
        }
    }
    Ok(None)
}

/// A zone of several messages.
fn large(serial: u32) -> Zone {
    let names: Vec<String> = (0..1_500).map(|n| format!("host-{n}.Example.com")).collect();
    let records: Vec<(&str, &str, u32, &str)> =
        names.iter().map(|name| (name.as_str(), "A", 60, "192.0.2.1")).collect();
    zone("example.com", &records).with_serial(serial)
}

#[test]
fn a_whole_zone_is_taken_with_every_type() {
    let apex = name("example.com");
    let all = zone(
        "example.com",
        &[
            ("www.example.com", "A", 60, "192.0.2.1"),
            ("www.example.com", "AAAA", 60, "2001:db8::1"),
            ("alias.example.com", "CNAME", 60, "www.example.com"),
            ("old.example.com", "DNAME", 60, "new.example.com"),
            ("example.com", "MX", 60, "mail.example.com"),
            ("example.com", "TXT", 60, "\"one\" \"two\""),
            ("_sip._udp.example.com", "SRV", 60, "5 5060 sip.example.com"),
            ("n.example.com", "NAPTR", 60, "100 10 \"s\" \"SIP+D2U\" \"\" _sip._udp.example.com"),
            ("here.example.com", "LOC", 60, "52 22 23.000 N 4 53 32.000 E -2.00m"),
            ("sub.example.com", "NS", 60, "ns.sub.example.com"),
            (
                "sub.example.com",
                "DS",
                60,
                "1 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
            ),
            ("ns.sub.example.com", "A", 60, "192.0.2.2"),
            ("x.example.com", "TYPE65280", 60, "\\# 3 c00c01"),
            ("*.wild.example.com", "PTR", 60, "www.example.com"),
        ],
    );
    let (request, mut incoming) = ask(&asking(None, &apex, None), 7, NOW);
    assert!(!incoming.is_incremental(), "nothing is held");
    let messages = primary(&request, &all, None, &Keys::none(), &[]);
    let Ok(Some(Outcome::Whole(taken))) = feed(&mut incoming, &messages) else { panic!() };
    assert_eq!(lines(&taken), lines(&all));
    assert_eq!(taken.serial(), 2_026_010_107);
    let times = Times::of(&taken, 1).unwrap();
    assert_eq!(times, Times { refresh: 14_400, retry: 3_600, expire: 604_800 });
}

/// RFC 8945 section 5.3.1: what is signed, and that not each message has to be.
#[test]
fn a_signed_transfer_counts_only_with_all_its_signatures() {
    let (apex, key) = (name("example.com"), key(1));
    let keys: Keys = [Key::clone(&key)].into_iter().collect();
    let zone = large(5);
    let begin = || ask(&asking(None, &apex, Some(&key)), 7, NOW);
    let (request, mut incoming) = begin();
    let messages = primary(&request, &zone, None, &keys, &[]);
    assert!(messages.len() >= 3, "{} messages", messages.len());
    let Ok(Some(Outcome::Whole(taken))) = feed(&mut incoming, &messages) else { panic!() };
    assert_eq!(lines(&taken), lines(&zone));
    // Signatures in the middle may be left out; the next one covers what came before it.
    let (request, mut incoming) = begin();
    let sparse = primary(&request, &zone, None, &keys, &[1]);
    assert!(sparse[1].len() < messages[1].len());
    assert!(matches!(feed(&mut incoming, &sparse), Ok(Some(Outcome::Whole(_)))));
    // The first and the last one may not.
    for missing in [0, messages.len() - 1] {
        let (request, mut incoming) = begin();
        let messages = primary(&request, &zone, None, &keys, &[missing]);
        let error = feed(&mut incoming, &messages).unwrap_err();
        assert_eq!(error, Invalid::Unverified(Unverified::Missing), "{missing}");
    }
    // Any bit that changes is noticed, in messages without a signature of their own too.
    for (number, at) in [(0, 60), (1, 300), (1, 9_000), (2, 50)] {
        let (request, mut incoming) = begin();
        let mut messages = primary(&request, &zone, None, &keys, &[1]);
        messages[number][at] ^= 1;
        assert!(feed(&mut incoming, &messages).is_err(), "message {number}, octet {at}");
    }
    // Others have other keys and other times, and answer other requests.
    let other: Keys = [Key::clone(&self::key(2))].into_iter().collect();
    let (request, mut incoming) = begin();
    let unsigned = primary(&request, &zone, None, &other, &[]);
    assert_eq!(
        feed(&mut incoming, &unsigned).unwrap_err(),
        Invalid::Unverified(Unverified::Missing)
    );
    let (request, mut incoming) = begin();
    let messages = primary(&request, &zone, None, &keys, &[]);
    let late = incoming.take(&messages[0], NOW + 301).unwrap_err();
    assert_eq!(late, Invalid::Unverified(Unverified::Time));
    let (_, mut incoming) = ask(&asking(None, &apex, Some(&key)), 7, NOW + 1);
    let replayed = feed(&mut incoming, &messages).unwrap_err();
    assert_eq!(replayed, Invalid::Unverified(Unverified::Signature));
    let (_, mut incoming) = ask(&asking(None, &apex, None), 7, NOW);
    let signed = feed(&mut incoming, &messages).unwrap_err();
    assert_eq!(signed, Invalid::Unverified(Unverified::Key), "nobody asked for a signature");
}

/// A server that does not take our signature says why (RFC 8945 section 5.3.2).
#[test]
fn a_refused_signature_is_named() {
    let (apex, ours) = (name("example.com"), key(1));
    let (request, mut incoming) = ask(&asking(None, &apex, Some(&ours)), 7, NOW);
    let keys: Keys = [Key::clone(&key(2))].into_iter().collect();
    let limits = crate::answer::Limits::new(Transport::Tcp);
    let server =
        crate::answer::Server { limits, keys: &keys, now: NOW, cookies: None, signer: None };
    let mut out = Vec::new();
    let _ = crate::answer::answer_for(&crate::zone::Zones::new(), &request, &server, &mut out);
    let error = incoming.take(&out, NOW).unwrap_err();
    assert_eq!(error, Invalid::Unverified(Unverified::Told(16)));
    assert!(error.to_string().contains("TSIG error 16"), "{error}");
}

/// A response with these records, each of type, owner and data, to the request.
fn response(request: &[u8], records: &[(u16, &str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let request = Request::read(Header::read(request).unwrap(), request).unwrap();
    let mut writer = Writer::new(&mut out, 65_535);
    writer.question(&request);
    for (rtype, owner, rdata) in records {
        let owner = name(owner);
        let serial = message::serial(rdata);
        let record = Record { owner: owner.as_wire(), rtype: *rtype, ttl: 60, rdata, serial };
        assert!(writer.records(Section::Answer, [record].into_iter()));
    }
    let header = request.header.reply(crate::answer::Rcode::NoError, true, false, writer.counts());
    writer.header(&header);
    out
}

/// The data of an SOA.
fn soa(serial: u32) -> Vec<u8> {
    let numbers = [serial, 10, 5, 100, 60].map(u32::to_be_bytes);
    [&[0, 0][..], &numbers.concat()].concat()
}

fn whole(records: &[(u16, &str, &[u8])]) -> Result<Option<Outcome>, Invalid> {
    let apex = name("example.com");
    let (request, mut incoming) = ask(&asking(None, &apex, None), 7, NOW);
    incoming.take(&response(&request, records), NOW)
}

#[test]
fn what_is_no_zone_is_refused_with_the_reason() {
    let (a, soa, x) = ([192, 0, 2, 1], soa(5), "example.com");
    let begin = (6, x, &soa[..]);
    let refused = |records: &[(u16, &str, &[u8])]| {
        let all = [&[begin][..], records, &[begin]].concat();
        whole(&all).expect_err("an error")
    };
    assert!(matches!(
        whole(&[begin, (1, "a.example.com", &a), begin]),
        Ok(Some(Outcome::Whole(_)))
    ));
    assert_eq!(refused(&[(1, "a.example.net", &a)]), Invalid::OutOfZone(name("a.example.net")));
    assert_eq!(refused(&[(1, "com", &a)]), Invalid::OutOfZone(name("com")));
    assert_eq!(refused(&[(252, "a.example.com", &a)]), Invalid::NoData(name("a.example.com")));
    assert_eq!(refused(&[(1, "a.example.com", &a[..3])]), Invalid::Rdata);
    assert_eq!(refused(&[(16, "a.example.com", b"\x05abc")]), Invalid::Rdata);
    assert_eq!(refused(&[(1, "a.example.com", &a), (6, "a.example.com", &soa)]), Invalid::Soa);
    assert_eq!(
        refused(&[(5, "a.example.com", b"\0"), (1, "a.example.com", &a)]),
        Invalid::CnameNotAlone(name("a.example.com"))
    );
    assert_eq!(
        refused(&[(5, "a.example.com", b"\0"), (5, "a.example.com", b"\x01b\0")]),
        Invalid::CnameNotAlone(name("a.example.com"))
    );
    assert_eq!(refused(&[(5, x, b"\0")]), Invalid::CnameNotAlone(name(x)));
    assert_eq!(refused(&[(39, x, b"\0"), (39, x, b"\x01b\0")]), Invalid::SeveralDnames(name(x)));
    let signed = refused(&[(46, x, &[0; 30])]).to_string();
    assert!(signed.contains("RRSIG") && signed.contains("cannot be served"), "{signed}");
    assert_eq!(whole(&[(1, x, &a)]).unwrap_err(), Invalid::Soa);
    assert_eq!(whole(&[]).unwrap_err(), Invalid::Malformed);
    assert_eq!(whole(&[begin, begin, (1, x, &a)]).unwrap_err(), Invalid::Trailing);
    let other = self::soa(6);
    assert_eq!(whole(&[begin, (1, x, &a), (6, x, &other)]).unwrap_err(), Invalid::Soa);
    // RFC 2181 section 5: the same record twice is one.
    let Ok(Some(Outcome::Whole(zone))) = whole(&[begin, (1, x, &a), (1, x, &a), begin]) else {
        panic!()
    };
    assert_eq!(zone.record_count(), 2);
}

#[test]
fn only_answers_to_the_request_are_taken() {
    let apex = name("example.com");
    let zone = zone("example.com", &[]);
    let asked = |id| ask(&asking(None, &apex, None), id, NOW);
    let (request, _) = asked(7);
    let answer = primary(&request, &zone, None, &Keys::none(), &[]).remove(0);
    let take = |octets: &[u8]| asked(7).1.take(octets, NOW).map(|outcome| outcome.is_some());
    assert_eq!(take(&answer), Ok(true));
    assert_eq!(asked(8).1.take(&answer, NOW).unwrap_err(), Invalid::Unexpected);
    let change = |at: usize, value: u8| {
        let mut other = answer.clone();
        other[at] = value;
        take(&other)
    };
    assert_eq!(change(2, 0), Err(Invalid::Malformed), "a query");
    assert_eq!(change(2, 0xa0), Err(Invalid::Unexpected), "another operation");
    assert_eq!(change(2, 0x86), Err(Invalid::Unexpected), "cut short");
    assert_eq!(change(3, 5), Err(Invalid::Refused(5)));
    assert_eq!(change(13, b'f'), Err(Invalid::Unexpected), "another name");
    assert_eq!(change(13, b'E'), Ok(true), "the case of letters does not matter");
    assert_eq!(change(26, 251), Err(Invalid::Unexpected), "another type");
    for length in 0..answer.len() {
        assert!(take(&answer[..length]).is_err(), "{length}");
    }
}

#[test]
fn what_is_too_large_is_not_taken() {
    let apex = name("example.com");
    let zone = large(5);
    for (limits, fits) in [
        (super::Limits { records: zone.record_count(), ..LIMITS }, true),
        (super::Limits { records: zone.record_count() - 2, ..LIMITS }, false),
        (super::Limits { octets: 100_000, ..LIMITS }, false),
    ] {
        let asking = Asking { limits, ..asking(None, &apex, None) };
        let (request, mut incoming) = ask(&asking, 7, NOW);
        let messages = primary(&request, &zone, None, &Keys::none(), &[]);
        match feed(&mut incoming, &messages) {
            Ok(Some(_)) => assert!(fits, "{limits:?}"),
            other => {
                assert!(!fits, "{limits:?}");
                assert_eq!(other.unwrap_err(), Invalid::TooLarge);
            }
        }
    }
}

/// Pointers lead back, or nowhere.
#[test]
fn pointers_that_go_round_are_refused() {
    let apex = name("example.com");
    let (request, mut incoming) = ask(&asking(None, &apex, None), 7, NOW);
    let mut octets =
        response(&request, &[(6, "example.com", &soa(5)), (2, "example.com", b"\x01a\0")]);
    let at = octets.len() - 2;
    // The name in the data points to itself.
    let [high, low] = u16::try_from(at - 1).unwrap().to_be_bytes();
    octets.truncate(at - 1);
    octets.extend_from_slice(&[0xc0 | high, low]);
    let length = octets.len();
    octets[length - 4..length - 2].copy_from_slice(&[0, 2]);
    assert_eq!(incoming.take(&octets, NOW).unwrap_err(), Invalid::Rdata);
}

/// Puts records in place of those that a name has.
fn with(zone: &Zone, owner: &str, records: &[(u16, &[u8])]) -> Zone {
    let mut zone = zone.clone();
    let rr = |(rtype, rdata): &(u16, &[u8])| Rr { rtype: *rtype, ttl: 60, rdata: rdata.to_vec() };
    zone.replace(&name(owner), records.iter().map(rr).collect());
    zone
}
