//! Input that no honest client sends: each gets its defined answer, and the server goes on.

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use ngn_tests::database::Backend;
use ngn_tests::platform::Platform;
use ngn_tests::soap::{self, Client, Fault, Style, read_reply};
use ngn_tests::{Value, both, http, matching, record};

const LIST: &str =
    "<p:getCustomers xmlns:p=\"urn:AGProjects:NGNPro:Customer\"><query/></p:getCustomers>";

/// An envelope around a body, with the administrator's login.
fn envelope(p: &Platform, body: &str) -> String {
    format!(
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Header><auth><username>admin</username>\
         <password>{}</password><admin>true</admin></auth></e:Header><e:Body>{body}</e:Body></e:Envelope>",
        p.password()
    )
}

/// The fault that a body is answered with.
#[track_caller]
fn fault(p: &Platform, bytes: &[u8]) -> Fault {
    let reply = soap::post(p.soap_address(), "/", bytes).expect("a reply");
    // A document that cannot be read has no style; the answer then has the one that every client digests.
    let encoded = reply.text().contains("encodingStyle");
    let style = if encoded { Style::Encoded } else { Style::Literal };
    read_reply(&reply, "Customer", "getCustomers", style)
        .unwrap_or_else(|error| panic!("{error:#}: {} {}", reply.status, reply.text()))
        .expect_err("a fault")
}

/// The server still answers.
#[track_caller]
fn alive(p: &Platform) {
    p.admin().ok("Customer.getCustomers", matching(Value::empty()));
}

#[test]
fn broken_xml_is_9004() {
    let p = Platform::start(Backend::Sqlite);
    let good = envelope(&p, LIST);
    let bodies: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"   ".to_vec(),
        b"hello".to_vec(),
        b"<".to_vec(),
        b"<a/>".to_vec(),
        b"\xff\xfe\x00<".to_vec(),
        b"\x00\x00\x00\x00".to_vec(),
        good.replace("</e:Body>", "").into_bytes(),
        good.replace("<query/>", "<query>").into_bytes(),
        good.replace("<query/>", "<query a='1' a='2'/>").into_bytes(),
        good.replace("<query/>", "<query>&nosuch;</query>").into_bytes(),
        good.replace("<query/>", "<query>&#0;</query>").into_bytes(),
        good.replace("<query/>", "<q:query/>").into_bytes(),
        good.replace("http://schemas.xmlsoap.org/soap/envelope/", "urn:other").into_bytes(),
        [good.as_bytes(), b"<again/>"].concat(),
        good.replace("<query/>", "<query><filter><city>\u{1}</city></filter></query>").into_bytes(),
        [&good.as_bytes()[..good.len() - 40], b"\xc3\x28"].concat(),
    ];
    for body in bodies {
        let fault = fault(&p, &body);
        assert_eq!(fault.code, 9004, "{}: {}", String::from_utf8_lossy(&body), fault.text);
        assert_eq!(fault.side, "Client");
    }
    alive(&p);
}

// No DTD at all: no entity bombs, no files, no look-ups.
#[test]
fn document_types_are_refused() {
    let p = Platform::start(Backend::Sqlite);
    let good = envelope(&p, LIST);
    let bomb = (0..20).fold("<!ENTITY a0 \"ha\">".to_owned(), |text, n| {
        format!("{text}<!ENTITY a{} \"&a{n};&a{n};&a{n};&a{n};\">", n + 1)
    });
    for declaration in [
        "<!DOCTYPE x>".to_owned(),
        format!("<!DOCTYPE x [{bomb}]>"),
        "<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>".to_owned(),
        "<!DOCTYPE x SYSTEM \"http://127.0.0.1:1/x.dtd\">".to_owned(),
    ] {
        let text = format!("{declaration}{}", good.replace("<query/>", "<query>&a20;&f;</query>"));
        let started = Instant::now();
        let fault = fault(&p, text.as_bytes());
        assert_eq!(fault.code, 9004, "{}", fault.text);
        assert!(!fault.text.contains("root:"));
        assert!(started.elapsed() < Duration::from_secs(2));
    }
    alive(&p);
}

#[test]
fn deep_and_wide_documents_are_refused_quickly() {
    let p = Platform::start(Backend::Sqlite);
    let deep = format!("<query>{}{}</query>", "<a>".repeat(100_000), "</a>".repeat(100_000));
    let wide = format!("<query>{}</query>", "<a/>".repeat(100_000));
    let attributes: String = (0..20_000).map(|n| format!(" a{n}='1'")).collect();
    let prefixes: String = (0..20_000).map(|n| format!(" xmlns:a{n}='u'")).collect();
    for inside in [deep, wide, format!("<query{attributes}/>"), format!("<query{prefixes}/>")] {
        let text = envelope(&p, &LIST.replace("<query/>", &inside));
        let started = Instant::now();
        let fault = fault(&p, text.as_bytes());
        assert_eq!(fault.code, 9004, "{}", fault.text);
        assert!(started.elapsed() < Duration::from_secs(3), "took {:?}", started.elapsed());
    }
    alive(&p);
}

#[test]
fn oversized_bodies_are_refused() {
    let p = Platform::start(Backend::Sqlite);
    let huge =
        envelope(&p, &LIST.replace("<query/>", &format!("<query>{}</query>", " ".repeat(3 << 20))));
    let reply = soap::post(p.soap_address(), "/", huge.as_bytes()).expect("a reply");
    assert!(matches!(reply.status, 413 | 500), "{}", reply.status);
    // A length that lies: nothing is allocated for it, and the answer comes at once.
    let request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: 999999999999\r\n\r\n<a>";
    let started = Instant::now();
    let reply = http::exchange(p.soap_address(), request.as_bytes()).expect("a reply");
    assert!(matches!(reply.status, 400 | 413 | 500), "{}", reply.status);
    assert!(started.elapsed() < Duration::from_secs(5));
    alive(&p);
}

both! {
    // Unknown operations, ports and namespaces; D3: told before the login is looked at.
    fn unknown_operations_are_9002(p) {
        let admin = p.admin();
        for operation in ["Sip.fly", "Nowhere.getAccounts", "Sip.addGatewayGroup", "Sip.getDomainStatistics", "Customer.updateCustomer"] {
            let code = match admin.try_call(operation, &Value::empty()) {
                Ok(answer) => answer.outcome.expect_err("a fault").code,
                Err(error) => panic!("{operation}: {error:#}"),
            };
            assert_eq!(code, 9002, "{operation}");
        }
        let nobody = Client { login: None, ..admin.clone() };
        nobody.refused(9002, "Sip.fly", Value::empty());
        // Names are case-sensitive, and one port's operation is not another's.
        admin.refused(9002, "Sip.GetAccounts", Value::empty());
        admin.refused(9002, "Enum.getZones", Value::empty());
    }

    // W6: wrong types are told with the value, empty is nothing.
    fn wrong_types_are_9000(p) {
        let admin = p.admin();
        for (parameters, word) in [
            (record! { id: "seven" }, "seven"),
            (record! { id: "1e3x" }, "1e3x"),
            (record! { id: "99999999999999999999" }, "99999999999999999999"),
            (record! { id: record! { a: 1 } }, "id"),
        ] {
            let fault = admin.fault("Customer.getAccount", parameters);
            assert_eq!(fault.code, 9000, "{}", fault.text);
            assert!(fault.text.contains(word), "{:?} does not show {word}", fault.text);
        }
        admin.refused(9000, "Customer.addAccount", record! {
            account: ngn_tests::fixture::person("x").with("resellerActive", "perhaps"),
        });
        admin.refused(9001, "Customer.getAccount", record! { id: "" });
        // Fractions are cut off, spaces around numbers ignored.
        admin.refused(5000, "Customer.getAccount", record! { id: "7.9" });
        admin.refused(5000, "Customer.getAccount", record! { id: " 7 " });
    }

    // Texts at and beyond what the columns hold: stored whole or refused, the same on both databases.
    fn long_texts_are_stored_or_refused(p) {
        let admin = p.admin();
        for length in [64, 255, 256, 5_000, 70_000] {
            let name = "é".repeat(length);
            let answer = admin.call("Customer.addAccount", &record! {
                account: ngn_tests::fixture::person(&format!("u{length}")).with("firstName", &name),
            });
            match answer.outcome {
                Ok(added) => {
                    let stored = admin.ok("Customer.getAccount", record! { id: added.int_at("id") });
                    assert_eq!(stored.text_at("firstName"), name);
                }
                Err(fault) => assert_eq!(fault.code, 9000, "{length}: {}", fault.text),
            }
        }
    }
}

#[test]
fn both_versions_of_http_are_served() {
    let p = Platform::start(Backend::Sqlite);
    let body = envelope(&p, LIST);
    let post = |version: &str, headers: &str, body: &[u8]| {
        let mut request = format!(
            "POST /ngnpro/ {version}\r\nHost: localhost\r\nContent-Type: text/xml; charset=UTF-8\r\n{headers}\r\n"
        )
        .into_bytes();
        request.extend_from_slice(body);
        http::exchange(p.soap_address(), &request).expect("a reply")
    };
    let length = format!("Content-Length: {}\r\n", body.len());
    // A2: never chunked, whatever the version; CDRTool reads to the end of the connection.
    for (version, more) in [
        ("HTTP/1.0", ""),
        ("HTTP/1.0", "Connection: close\r\n"),
        ("HTTP/1.1", "Connection: close\r\n"),
        ("HTTP/1.1", ""),
    ] {
        let reply = post(version, &format!("{length}{more}"), body.as_bytes());
        assert_eq!(reply.status, 200, "{version}: {}", reply.text());
        assert!(
            reply.header("transfer-encoding").is_none() && reply.header("content-length").is_some()
        );
    }
    // Chunked requests are read.
    let mut chunked = Vec::new();
    for piece in body.as_bytes().chunks(7) {
        chunked.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        chunked.extend_from_slice(piece);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let reply = post("HTTP/1.1", "Transfer-Encoding: chunked\r\n", &chunked);
    assert_eq!(reply.status, 200, "{}", reply.text());
    // Two framings in one request are how requests are smuggled.
    let reply = post("HTTP/1.1", &format!("{length}Transfer-Encoding: chunked\r\n"), &chunked);
    // One of them is followed and the connection ends, so that nothing can hide behind the body.
    assert_eq!(reply.header("connection"), Some("close"), "{}", reply.status);
    alive(&p);
}

#[test]
fn a_connection_carries_many_calls() {
    let p = Platform::start(Backend::Sqlite);
    let body = envelope(&p, LIST);
    let request = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = http::connect(p.soap_address()).unwrap();
    for _ in 0..20 {
        stream.write_all(request.as_bytes()).unwrap();
        assert_eq!(http::read_reply(&mut stream).unwrap().status, 200);
    }
    // Pipelined.
    stream.write_all(request.repeat(3).as_bytes()).unwrap();
    for _ in 0..3 {
        assert_eq!(http::read_reply(&mut stream).unwrap().status, 200);
    }
}

#[test]
fn http_nonsense_is_refused() {
    let p = Platform::start(Backend::Sqlite);
    for request in [
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "POST /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "BREW / HTCPCP/1.0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "\r\n\r\n\r\n\r\n",
        "\0\0\0\0\0\0\0\0\r\n\r\n",
    ] {
        // An answer of 4xx or 5xx, or no answer and a closed connection.
        if let Ok(reply) = http::exchange(p.soap_address(), request.as_bytes()) {
            assert!(
                (400..=599).contains(&reply.status) || request.starts_with("GET"),
                "{request:?}: {}",
                reply.status
            );
        }
    }
    let many = format!("GET /wsdl HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-A: b\r\n".repeat(2_000));
    let long = format!("GET /wsdl HTTP/1.1\r\nHost: x\r\nX-A: {}\r\n\r\n", "b".repeat(200_000));
    for request in [many, long] {
        if let Ok(reply) = http::exchange(p.soap_address(), request.as_bytes()) {
            assert!(matches!(reply.status, 400 | 431), "{}", reply.status);
        }
    }
    alive(&p);
}

// Connections that send nothing, or a byte now and then, are closed, and hold up nobody meanwhile.
#[test]
fn slow_clients_are_dropped() {
    let p = Platform::start(Backend::Sqlite);
    let started = Instant::now();
    let mut slow: Vec<_> = (0..200).map(|_| http::connect(p.soap_address()).unwrap()).collect();
    for (n, stream) in slow.iter_mut().enumerate() {
        match n % 3 {
            0 => {}
            1 => stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nX-").unwrap(),
            _ => stream
                .write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n<a")
                .unwrap(),
        }
    }
    // Others are served at once.
    alive(&p);
    assert!(started.elapsed() < Duration::from_secs(5), "served after {:?}", started.elapsed());
    // One keeps dribbling a header; a limit that starts anew with each byte would never end it.
    let mut dribbler = http::connect(p.soap_address()).unwrap();
    dribbler.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nX-A: ").unwrap();
    let dribble = thread::spawn(move || {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(60) {
            if dribbler.write_all(b"a").is_err() {
                return Some(started.elapsed());
            }
            thread::sleep(Duration::from_millis(200));
        }
        None
    });
    for (n, mut stream) in slow.into_iter().enumerate() {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut rest = Vec::new();
        let closed = stream.read_to_end(&mut rest);
        assert!(
            closed.is_ok()
                || closed.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset),
            "connection {n} stays open"
        );
    }
    assert!(dribble.join().unwrap().is_some(), "a dribbling client is kept for a minute");
    alive(&p);
}
