//! Response rate limiting: a network whose address somebody borrows is not flooded, and who really asks is answered.

use hickory_proto::op::Message;
use hickory_proto::rr::RecordType;
use ngn_tests::database::Backend;
use ngn_tests::dns::{dig, exchange_tcp, question};
use ngn_tests::fixture::{dns_record, zone};
use ngn_tests::http::get;
use ngn_tests::platform::Platform;
use ngn_tests::record;
use std::net::UdpSocket;
use std::time::Duration;

/// Queries at once; the answers fit into a socket's buffer.
const FLOOD: u16 = 150;

/// Sends the same query many times and gives what comes back: whole answers, and those cut short.
fn flood(p: &Platform, name: &str) -> (usize, usize) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(p.dns_address()).unwrap();
    // Until nothing has come for a while.
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let (mut whole, mut cut) = (0, 0);
    let mut buffer = [0; 4096];
    for id in 0..FLOOD {
        let mut query = question(name, RecordType::A);
        query.metadata.id = id;
        socket.send(&query.to_vec().unwrap()).unwrap();
    }
    while let Ok(length) = socket.recv(&mut buffer) {
        let answer = Message::from_vec(&buffer[..length]).unwrap();
        if answer.metadata.truncation {
            assert!(answer.answers.is_empty() && answer.authorities.is_empty());
            cut += 1;
        } else {
            whole += 1;
        }
    }
    (whole, cut)
}

fn platform(settings: &str) -> Platform {
    let p = Platform::start_with(Backend::Sqlite, &[("enumd", settings)]);
    zone(&p.admin(), "example.com");
    let address = dns_record("example.com", "www", "A", "192.0.2.1");
    p.admin().ok("Dns.addRecord", record! { record: address });
    p.settle();
    p
}

// A few pass each second, one of two of the others is cut short, and TCP and cookies (RFC 7873) get every answer.
#[test]
fn too_many_answers_are_not_sent() {
    let p = platform("[rate]\nresponses = 3\nnxdomains = 3\nexempt = []\n");
    for name in ["www.example.com", "nothing.example.com"] {
        let (whole, cut) = flood(&p, name);
        // However slow the machine is, it is not slower than a minute for this.
        assert!((1..=3 * 60).contains(&whole), "{name}: {whole} whole, {cut} cut short");
        let limited = usize::from(FLOOD) - whole;
        assert!(cut.abs_diff(limited / 2) <= 1, "{name}: {whole} whole, {cut} cut short");
    }
    let query = question("www.example.com", RecordType::A).to_vec().unwrap();
    for _ in 0..20 {
        let answer = exchange_tcp(p.dns_address(), &query).unwrap();
        assert_eq!(Message::from_vec(&answer).unwrap().answers.len(), 1);
    }
    // dig comes over TCP by itself, and shows the cookie of the first answer.
    for _ in 0..10 {
        let said = dig(p.dns_address(), &["+short", "+tries=9", "+time=1", "www.example.com", "A"])
            .unwrap();
        // What was not answered at first is said before.
        assert_eq!(said.lines().last(), Some("192.0.2.1"));
    }
    let metrics = get(p.admin_address(), "/metrics").unwrap().text();
    let counted = |answer: &str| {
        let begins = format!("enumd_rate_limited_total{{answer=\"{answer}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&begins));
        line.map_or(0, |number| number.parse::<usize>().unwrap())
    };
    assert!(counted("Dropped") > 0 && counted("Truncated") > 0, "{metrics}");
}

#[test]
fn the_own_machine_gets_every_answer() {
    let p = platform("");
    assert_eq!(flood(&p, "www.example.com"), (usize::from(FLOOD), 0));
}
