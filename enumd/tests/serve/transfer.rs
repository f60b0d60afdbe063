//! Zones that are given away (RFC 5936): to whom, and whole.

use crate::fixture::{Fixture, Running, ask, next_tcp, query, send_tcp};
use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::SOA;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use ngn_enumd::config::{Config, Secondary};
use std::str::FromStr as _;
use std::time::{Duration, Instant};
use tokio::net::{TcpStream, UdpSocket};

fn open(config: &mut Config) {
    config.transfer.allow = vec!["127.0.0.0/8".parse().unwrap()];
}

/// A whole zone as text, sorted, without its SOA; and the serials of its two SOA.
async fn axfr(running: &Running, apex: &str) -> (Vec<String>, Vec<u32>) {
    let mut stream = TcpStream::connect(running.address()).await.unwrap();
    send_tcp(&mut stream, &query(apex, RecordType::AXFR)).await;
    let (mut lines, mut serials) = (Vec::new(), Vec::new());
    while serials.len() < 2 {
        let message = next_tcp(&mut stream).await.expect("a message");
        assert_eq!(message.metadata.response_code, ResponseCode::NoError);
        for record in message.answers {
            match record.data {
                RData::SOA(soa) => serials.push(soa.serial),
                data => lines.push(format!("{} {data}", record.name)),
            }
        }
    }
    lines.sort();
    (lines, serials)
}

#[tokio::test]
async fn nobody_gets_a_zone_unless_allowed() {
    let fixture = Fixture::sqlite().await;
    fixture.add_zone("a.example").await;
    let closed = fixture.start(|_| ()).await;
    let elsewhere =
        fixture.start(|config| config.transfer.allow = vec!["192.0.2.0/24".parse().unwrap()]).await;
    for running in [closed, elsewhere] {
        // Not even whether there is such a zone.
        for apex in ["a.example", "b.example"] {
            let mut stream = TcpStream::connect(running.address()).await.unwrap();
            send_tcp(&mut stream, &query(apex, RecordType::AXFR)).await;
            let answer = next_tcp(&mut stream).await.unwrap();
            assert_eq!(answer.metadata.response_code, ResponseCode::Refused, "{apex}");
            assert!(answer.answers.is_empty());
            // The connection goes on.
            send_tcp(&mut stream, &query("a.example", RecordType::SOA)).await;
            assert_eq!(next_tcp(&mut stream).await.unwrap().answers.len(), 1);
        }
        running.stop().await;
    }
}

#[tokio::test]
async fn those_that_are_allowed_get_zones_whole() {
    let fixture = Fixture::sqlite().await;
    fixture.add_zone("a.example").await;
    let mut names: Vec<String> = (0..40).map(|n| format!("host-{n}.a.example")).collect();
    for name in &names {
        fixture.set("a.example", name, &["192.0.2.1", "192.0.2.2"]).await;
    }
    let running = fixture.start(open).await;
    let (lines, serials) = axfr(&running, "a.example").await;
    let serial = fixture.serial("a.example").await;
    assert_eq!(serials, [serial, serial]);
    names.sort();
    let mut expected = vec!["a.example. ns1.a.example.".to_owned()];
    for name in &names {
        expected.extend([format!("{name}. 192.0.2.1"), format!("{name}. 192.0.2.2")]);
    }
    expected.sort();
    assert_eq!(lines, expected);
    // A name in a zone is no zone, and there is no AXFR over UDP.
    let mut stream = TcpStream::connect(running.address()).await.unwrap();
    for (name, code) in
        [("www.a.example", ResponseCode::NotAuth), ("b.example", ResponseCode::NotAuth)]
    {
        send_tcp(&mut stream, &query(name, RecordType::AXFR)).await;
        assert_eq!(next_tcp(&mut stream).await.unwrap().metadata.response_code, code);
    }
    let udp = ask(running.address(), "a.example", RecordType::AXFR).await;
    assert_eq!(udp.metadata.response_code, ResponseCode::FormErr);
    running.stop().await;
}

/// One serial throughout and one state of the zone, whatever changes meanwhile.
#[tokio::test]
async fn a_transfer_shows_one_state() {
    let fixture = Fixture::sqlite().await;
    fixture.add_zone("a.example").await;
    let running = fixture.start(open).await;
    let change = async {
        for n in 0..20 {
            fixture.set("a.example", "x.a.example", &[&format!("192.0.2.{n}")]).await;
        }
    };
    let transfer = async {
        for _ in 0..20 {
            let (lines, serials) = axfr(&running, "a.example").await;
            assert_eq!(serials[0], serials[1]);
            assert!((1..=2).contains(&lines.len()), "{lines:?}");
        }
    };
    tokio::join!(change, transfer);
    running.stop().await;
}

/// An IXFR query, and the answer's records: an SOA is its serial.
async fn ixfr(running: &Running, serial: u32, over_tcp: bool) -> Vec<String> {
    let mut message = Message::from_vec(&query("a.example", RecordType::IXFR)).unwrap();
    let name = Name::from_str("a.example.").unwrap();
    let soa = SOA::new(name.clone(), name.clone(), serial, 1, 1, 1, 1);
    message.authorities.push(Record::from_rdata(name, 0, RData::SOA(soa)));
    let octets = message.to_vec().unwrap();
    let answer = if over_tcp {
        let mut stream = TcpStream::connect(running.address()).await.unwrap();
        send_tcp(&mut stream, &octets).await;
        next_tcp(&mut stream).await.unwrap()
    } else {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.send_to(&octets, running.address()).await.unwrap();
        let mut buffer = [0; 2_000];
        let received = tokio::time::timeout(Duration::from_secs(5), socket.recv(&mut buffer));
        let length = received.await.unwrap().unwrap();
        Message::from_vec(&buffer[..length]).unwrap()
    };
    assert_eq!(answer.metadata.response_code, ResponseCode::NoError);
    let text = |record: Record| match record.data {
        RData::SOA(soa) => soa.serial.to_string(),
        data => format!("{} {data}", record.name),
    };
    answer.answers.into_iter().map(text).collect()
}

/// RFC 1995: what changed, condensed; all of it when that is not known; over UDP the SOA when it is too much.
#[tokio::test]
async fn who_has_a_serial_gets_what_changed() {
    let fixture = Fixture::sqlite().await;
    fixture.add_zone("a.example").await;
    for n in 0..20 {
        fixture.set("a.example", &format!("h{n}.a.example"), &["192.0.2.1"]).await;
    }
    let running = fixture.start(open).await;
    let start = running.served_serial("a.example").await;
    fixture.set("a.example", "x.a.example", &["192.0.2.1"]).await;
    fixture.set("a.example", "x.a.example", &["192.0.2.2"]).await;
    let position = fixture.set("a.example", "h1.a.example", &[]).await;
    running.reach(position).await;
    let [old, new] = [start, start + 3].map(|serial| serial.to_string());
    let expected =
        vec![&*new, &*old, "h1.a.example. 192.0.2.1", &*new, "x.a.example. 192.0.2.2", &*new];
    for over_tcp in [true, false] {
        assert_eq!(ixfr(&running, start, over_tcp).await, expected);
        // Up to date, and ahead.
        for serial in [start + 3, start + 4] {
            assert_eq!(ixfr(&running, serial, over_tcp).await, [&*new]);
        }
    }
    // From before this server started.
    let whole = ixfr(&running, start - 1, true).await;
    assert_eq!((whole.len(), &whole[0], &whole[22]), (23, &new, &new));
    assert_eq!(ixfr(&running, start - 1, false).await, [&*new]);
    // A zone that is read again as a whole is compared.
    let position = fixture.touch("a.example").await;
    running.reach(position).await;
    let last = (start + 4).to_string();
    assert_eq!(ixfr(&running, start + 3, true).await, [&*last, &*new, &*last, &*last]);
    // Too much for a datagram.
    let many: Vec<String> = (0..60).map(|n| format!("192.0.2.{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for n in 0..2 {
        fixture.set("a.example", &format!("h{n}.a.example"), &[]).await;
    }
    let position = fixture.set("a.example", "many.a.example", &many).await;
    running.reach(position).await;
    assert_eq!(ixfr(&running, start, false).await, [(start + 7).to_string()]);
    assert_eq!(ixfr(&running, start, true).await.len(), 4 + 2 + 1 + 60);
    running.stop().await;
}

/// The serial of the next NOTIFY, which is answered or not.
async fn next_notify(socket: &UdpSocket, answered: bool) -> u32 {
    let mut buffer = [0; 2_000];
    let received = tokio::time::timeout(Duration::from_secs(5), socket.recv_from(&mut buffer));
    let (length, from) = received.await.expect("a NOTIFY in time").unwrap();
    let message = Message::from_vec(&buffer[..length]).unwrap();
    assert_eq!(message.metadata.op_code, OpCode::Notify);
    assert_eq!(message.queries[0].name().to_string(), "a.example.");
    if answered {
        buffer[2] |= 0x80;
        socket.send_to(&buffer[..length], from).await.unwrap();
    }
    let RData::SOA(soa) = &message.answers[0].data else { panic!("{message:?}") };
    soa.serial
}

/// RFC 1996: at the start, at a change at once, then once a second at most, and again until there is an answer.
#[tokio::test]
async fn secondaries_are_told() {
    let fixture = Fixture::sqlite().await;
    fixture.add_zone("a.example").await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let running = fixture
        .start(|config| config.notify.secondaries = vec![Secondary { address, key: None }])
        .await;
    let start = running.served_serial("a.example").await;
    // Twice, as if the first one was lost.
    assert_eq!(next_notify(&socket, false).await, start);
    assert_eq!(next_notify(&socket, true).await, start);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let changed = Instant::now();
    for n in 0..10 {
        fixture.set("a.example", "x.a.example", &[&format!("192.0.2.{n}")]).await;
    }
    let serial = next_notify(&socket, true).await;
    assert!(serial > start);
    // What changed since comes together, a second later.
    if serial < start + 10 {
        assert_eq!(next_notify(&socket, true).await, start + 10);
        assert!(changed.elapsed() >= Duration::from_millis(900));
    }
    let mut buffer = [0; 2_000];
    let more = tokio::time::timeout(Duration::from_millis(1_500), socket.recv(&mut buffer)).await;
    assert!(more.is_err(), "nothing is left to tell");
    running.stop().await;
}
