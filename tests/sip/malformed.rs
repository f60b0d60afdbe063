//! Messages that break RFC 3261 get the answer that it defines, or none; the proxy goes on.

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::time::Duration;

use ngn_tests::database::Backend;
use ngn_tests::fixture::{account, domain};
use ngn_tests::http;
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::sip::{Message, Phone, Request, unique};

fn platform() -> Platform {
    let p = Platform::start(Backend::Sqlite);
    domain(&p.admin(), "sip.example");
    account(&p.admin(), "alice@sip.example");
    p.settle();
    p
}

/// A correct request; `{}` of the table below are made from it by replacement.
fn good(phone: &Phone, method: &str, uri: &str) -> String {
    let request = Request::new(method, uri, "sip:alice@sip.example", "sip:alice@sip.example");
    String::from_utf8(request.bytes(phone)).unwrap()
}

/// The status that a datagram is answered with; none when there is silence.
fn answer(phone: &Phone, bytes: &[u8]) -> Option<Message> {
    phone.send(bytes).unwrap();
    phone.receive_within(Duration::from_millis(700)).ok()
}

/// The platform goes on. While it has more to do than it can it may say so (503, section 21.5.4), not for ever.
#[track_caller]
fn alive(p: &Platform) {
    eventually("a registration", || {
        let mut phone = Phone::new(p.sip_address(), "alice@sip.example", "secret");
        let status = phone.register(60).unwrap().status();
        assert!(matches!(status, 200 | 503), "{status}");
        (status == 200).then_some(())
    });
}

// Sections 16.3, 8.2 and 18: each fault with the status that the RFC gives it.
#[test]
fn each_fault_has_its_status() {
    let p = platform();
    let uri = "sip:alice@sip.example";
    let phone = || Phone::new(p.sip_address(), "alice@sip.example", "secret");
    let replace = |from: &'static str, to: &'static str| move |m: String| m.replacen(from, to, 1);
    let without = |name: &'static str| move |m: String| strip(&m, name);
    let check = |name: &str, status: u16, change: &dyn Fn(String) -> String| {
        let phone = phone();
        let good = good(&phone, "OPTIONS", uri);
        let bad = change(good.clone());
        assert_ne!(good, bad, "{name}: the change changes nothing");
        let response =
            answer(&phone, bad.as_bytes()).unwrap_or_else(|| panic!("{name}: no answer"));
        assert_eq!(response.status(), status, "{name}: {}", response.start);
    };
    check("16.3 step 3: no hops left", 483, &replace("Max-Forwards: 70", "Max-Forwards: 0"));
    check(
        "16.3 step 2: unknown scheme",
        416,
        &replace("sip:alice@sip.example", "gopher:alice@sip.example"),
    );
    check(
        "16.3 step 5: unknown extension",
        420,
        &replace("Max-Forwards", "Proxy-Require: teleport\r\nMax-Forwards"),
    );
    check("21.5.6: version", 505, &replace("SIP/2.0\r\n", "SIP/3.0\r\n"));
    check("8.1.1.5: CSeq method", 400, &replace("CSeq: 1 OPTIONS", "CSeq: 1 INVITE"));
    check("20.16: CSeq number", 400, &replace("CSeq: 1 ", "CSeq: 99999999999 "));
    check("8.1.1: no Call-ID", 400, &without("Call-ID"));
    check("8.1.1: no CSeq", 400, &without("CSeq"));
    check("8.1.1: no From", 400, &without("From"));
    check("8.1.1: no To", 400, &without("To"));
    check(
        "18.3: body shorter than said",
        400,
        &replace("Content-Length: 0", "Content-Length: 500"),
    );
    check("20.14: length is no number", 400, &replace("Content-Length: 0", "Content-Length: -1"));
    check("25.1: From without URI", 400, &replace("From: <sip:alice@sip.example>", "From: <>"));
    alive(&p);
}

/// The message without its lines of one header field.
fn strip(message: &str, name: &str) -> String {
    message
        .split("\r\n")
        .filter(|line| !line.starts_with(&format!("{name}:")))
        .collect::<Vec<_>>()
        .join("\r\n")
}

// Section 18.2.1 and 17: what cannot be answered is dropped, and a response to nothing is no request.
#[test]
fn what_cannot_be_answered_is_dropped() {
    let p = platform();
    let phone = Phone::new(p.sip_address(), "alice@sip.example", "secret");
    let good = good(&phone, "OPTIONS", "sip:alice@sip.example");
    let stray = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n\
                 To: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
    for bytes in [
        b"".to_vec(),
        b"\r\n\r\n".to_vec(),
        b"\0".to_vec(),
        vec![0xff; 2_000],
        b"hello".to_vec(),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        stray.into(),
        good.replace("OPTIONS", "ACK").into_bytes(),
        strip(&good, "Via").into_bytes(),
        good.as_bytes()[..60].to_vec(),
    ] {
        if let Some(response) = answer(&phone, &bytes) {
            // A refusal is allowed where the sender's address is known; anything else is not.
            assert_eq!(
                response.status(),
                400,
                "{:?}: {}",
                String::from_utf8_lossy(&bytes),
                response.start
            );
            assert!(
                !bytes.starts_with(b"SIP/2.0") && !bytes.starts_with(b"ACK"),
                "{}",
                response.start
            );
        }
    }
    alive(&p);
}

// Every request of a recorded list, with one byte changed, cut or doubled at many places.
#[test]
fn mutations_crash_nothing() {
    let p = platform();
    let phone = Phone::new(p.sip_address(), "alice@sip.example", "secret");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    for round in 0..3_000 {
        let method =
            ["OPTIONS", "REGISTER", "INVITE", "CANCEL", "BYE", "ACK", "SUBSCRIBE", "X"][round % 8];
        let request = Request::new(method, "sip:alice@sip.example", "sip:alice@sip.example", "sip:alice@sip.example")
            .with("Contact", "<sip:alice@127.0.0.1:9>;expires=60;q=0.5")
            .with("Authorization", "Digest username=\"alice\", realm=\"sip.example\", nonce=\"x\", uri=\"sip:x\", response=\"y\"")
            .with("Route", "<sip:127.0.0.1;lr>");
        let mut bytes = request.bytes(&phone);
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            match random(4) {
                0 => bytes[at] = u8::try_from(random(256)).unwrap(),
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, b"\r\n\0\"<>;,:=%@"[random(12)]),
                _ => {
                    let piece = bytes[at..(at + 20).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        socket.send_to(&bytes, p.sip_address()).unwrap();
        if round % 500 == 499 {
            alive(&p);
        }
    }
}

// Section 18.3, RFC 5626: framing over TCP, keep-alives, and a peer that never finishes.
#[test]
fn tcp_streams_are_framed() {
    let p = platform();
    let phone = Phone::new(p.sip_address(), "alice@sip.example", "secret");
    let options = |cseq: u32| {
        let request = Request {
            cseq,
            branch: format!("z9hG4bK{}", unique("t")),
            ..Request::new(
                "OPTIONS",
                "sip:sip.example",
                "sip:alice@sip.example",
                "sip:alice@sip.example",
            )
        };
        String::from_utf8(request.bytes(&phone)).unwrap().replace("SIP/2.0/UDP", "SIP/2.0/TCP")
    };
    let mut stream = http::connect(p.sip_address()).unwrap();
    // Two requests and a keep-alive in pieces that respect no border.
    let both = format!("\r\n\r\n{}{}", options(1), options(2));
    for piece in both.as_bytes().chunks(11) {
        stream.write_all(piece).unwrap();
    }
    let mut seen = String::new();
    let mut buffer = [0; 4096];
    while !(seen.contains("CSeq: 1 OPTIONS") && seen.contains("CSeq: 2 OPTIONS")) {
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "closed after {seen}");
        seen.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
    }
    assert!(
        seen.starts_with("\r\n"),
        "no answer to the keep-alive (RFC 5626 section 3.5.1): {seen}"
    );
    // Without Content-Length a stream has no frame (section 18.3), and a giant one is not collected.
    for hopeless in [
        options(3).replace("Content-Length: 0\r\n", ""),
        options(4).replace("Content-Length: 0", "Content-Length: 999999999"),
        "x".repeat(200_000),
    ] {
        let mut stream = http::connect(p.sip_address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        _ = stream.write_all(hopeless.as_bytes());
        let mut rest = Vec::new();
        _ = stream.read_to_end(&mut rest);
        let text = String::from_utf8_lossy(&rest);
        assert!(
            rest.is_empty() || text.starts_with("SIP/2.0 4") || text.starts_with("SIP/2.0 5"),
            "{text}"
        );
    }
    alive(&p);
}
