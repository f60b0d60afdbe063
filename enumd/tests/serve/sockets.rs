//! UDP and TCP: limits, pieces, and clients that misbehave (RFC 1035 section 4.2, RFC 7766).

use crate::fixture::{Fixture, config, next_tcp, query, send_tcp};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UdpSocket};
use tokio_util::sync::CancellationToken;

async fn fixture() -> Fixture {
    let fixture = Fixture::sqlite().await;
    fixture.add_zone("a.example").await;
    fixture.set("a.example", "www.a.example", &["192.0.2.1"]).await;
    let many: Vec<String> = (0..60).map(|n| format!("192.0.2.{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    fixture.set("a.example", "many.a.example", &many).await;
    fixture
}

#[tokio::test]
async fn pipelined_queries_are_answered_in_whatever_pieces_they_come() {
    let fixture = fixture().await;
    let running = fixture.start(|_| ()).await;
    let mut stream = TcpStream::connect(running.address()).await.unwrap();
    let mut octets = Vec::new();
    for name in ["www.a.example", "many.a.example", "none.a.example"] {
        let query = query(name, RecordType::A);
        octets.extend_from_slice(&u16::try_from(query.len()).unwrap().to_be_bytes());
        octets.extend_from_slice(&query);
    }
    for piece in octets.chunks(7) {
        stream.write_all(piece).await.unwrap();
        stream.flush().await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut counts = Vec::new();
    for _ in 0..3 {
        counts.push(next_tcp(&mut stream).await.unwrap().answers.len());
    }
    assert_eq!(counts, [1, 60, 0]);
    // Over UDP the large one is truncated.
    assert!(running.ask("many.a.example", RecordType::A).await.metadata.truncation);
    running.stop().await;
}

#[tokio::test]
async fn clients_that_misbehave_lose_their_connection_only() {
    let fixture = fixture().await;
    let running = fixture.start(|config| config.limits.idle_seconds = 1).await;
    for octets in [&b"\x00\x00"[..], b"\x00\x05abcde", b"\xff\xffabc", b"\x00", b""] {
        let mut stream = TcpStream::connect(running.address()).await.unwrap();
        stream.write_all(octets).await.unwrap();
        assert!(next_tcp(&mut stream).await.is_none(), "{octets:?}");
    }
    // What is no query but has a header is told so, and the connection goes on.
    let mut stream = TcpStream::connect(running.address()).await.unwrap();
    send_tcp(&mut stream, &[0; 12]).await;
    let answer = next_tcp(&mut stream).await.unwrap();
    assert_eq!(answer.metadata.response_code, ResponseCode::FormErr);
    send_tcp(&mut stream, &query("www.a.example", RecordType::A)).await;
    assert_eq!(next_tcp(&mut stream).await.unwrap().answers.len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn connections_are_limited() {
    let fixture = fixture().await;
    let running = fixture.start(|config| config.limits.connections = 2).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(running.address()).await.unwrap();
        send_tcp(&mut stream, &query("www.a.example", RecordType::A)).await;
        assert!(next_tcp(&mut stream).await.is_some());
        open.push(stream);
    }
    let mut third = TcpStream::connect(running.address()).await.unwrap();
    assert!(next_tcp(&mut third).await.is_none());
    drop(open);
    let mut answered = false;
    for _ in 0..100 {
        let mut stream = TcpStream::connect(running.address()).await.unwrap();
        let query = query("www.a.example", RecordType::A);
        let length = u16::try_from(query.len()).unwrap().to_be_bytes();
        let _ = stream.write_all(&[&length[..], &query].concat()).await;
        answered = next_tcp(&mut stream).await.is_some();
        if answered {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(answered, "places come back");
    running.stop().await;
}

#[tokio::test]
async fn nonsense_over_udp_is_dropped_and_stops_nothing() {
    let fixture = fixture().await;
    let running = fixture.start(|_| ()).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut response = query("www.a.example", RecordType::A);
    response[2] |= 0x80;
    for octets in [&response[..], &[], &[1; 11]] {
        socket.send_to(octets, running.address()).await.unwrap();
    }
    let mut buffer = [0; 512];
    let wait = tokio::time::timeout(Duration::from_millis(300), socket.recv(&mut buffer));
    assert!(wait.await.is_err());
    assert_eq!(running.addresses("www.a.example").await, ["192.0.2.1"]);
    running.stop().await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let fixture = fixture().await;
    let running = fixture.start(|_| ()).await;
    let mut second = config();
    second.listen.udp = vec![running.address()];
    second.listen.tcp = vec![];
    let result = ngn_enumd::serve(second, fixture.store.clone(), CancellationToken::new()).await;
    let error = format!("{:#}", result.expect_err("the address is taken"));
    assert!(error.contains(&format!("udp:{}", running.address())), "{error}");
    running.stop().await;
}

#[tokio::test]
async fn metrics_say_what_is_served_and_asked() {
    let fixture = fixture().await;
    let running = fixture.start(|_| ()).await;
    for name in ["www.a.example", "none.a.example", "www.elsewhere.example"] {
        running.ask(name, RecordType::A).await;
    }
    let end = fixture.set("a.example", "www.a.example", &["192.0.2.1"]).await;
    running.reach(end).await;
    let mut text = String::new();
    prometheus_client::encoding::text::encode_registry(&mut text, &running.server.registry)
        .unwrap();
    for line in [
        r#"enumd_queries_total{transport="udp",qtype="A",rcode="NOERROR"} 1"#,
        r#"enumd_queries_total{transport="udp",qtype="A",rcode="NXDOMAIN"} 1"#,
        r#"enumd_queries_total{transport="udp",qtype="A",rcode="REFUSED"} 1"#,
        "enumd_zones 1",
        "enumd_records 63",
        &format!("enumd_journal_position {end}"),
        "enumd_database_up 1",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    running.stop().await;
}
