//! Zones that are given away (RFC 5936): to whom, and whole.

use crate::fixture::{Fixture, Running, ask, next_tcp, query, send_tcp};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{RData, RecordType};
use ngn_enumd::config::Config;
use tokio::net::TcpStream;

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
