use super::*;
use crate::config;
use crate::listen::UDP_WAIT;
use crate::metrics::Metrics;
use crate::query_log::QueryLog;
use crate::rate::Rate;
use allocation_counter::measure;
use ngn_dns::tsig::Keys;
use ngn_dns::zone::{Zone, Zones};
use ngn_model::DomainName;
use ngn_model::zone::{RecordRow, ZoneRows};
use prometheus_client::registry::Registry;
use std::fs;

/// Zones with counters of their own, as the settings have it when they say nothing.
const COUNTED: usize = 100;
/// Records of `example`.
const RECORDS: [(&str, &str, &str); 14] = [
    ("example", "SOA", "ns.example. root.example. 1 3600 600 86400 300"),
    ("example", "NS", "ns.example"),
    ("ns.example", "A", "192.0.2.1"),
    ("a.example", "NAPTR", "10 100 \"u\" \"E2U+sip\" \"!^.*$!sip:+1@example!\" ."),
    ("a.example", "NAPTR", "10 101 \"u\" \"E2U+sip\" \"!^.*$!sip:+2@example!\" ."),
    ("a.example", "A", "192.0.2.2"),
    ("mx.example", "MX", "a.example"),
    ("*.wild.example", "A", "192.0.2.3"),
    ("one.example", "CNAME", "two.example"),
    ("two.example", "CNAME", "x.old.example"),
    ("old.example", "DNAME", "new.example"),
    ("x.new.example", "A", "192.0.2.4"),
    ("sub.example", "NS", "ns.sub.example"),
    ("ns.sub.example", "A", "192.0.2.5"),
];

fn zone(apex: &str, records: &[(&str, &str, &str)]) -> Zone {
    let records = records.iter().map(|(name, rtype, content)| RecordRow {
        name: (*name).to_owned(),
        rtype: (*rtype).to_owned(),
        content: (*content).to_owned(),
        ttl: 60,
        priority: 0,
    });
    let rows = ZoneRows {
        apex: DomainName::new(apex).unwrap(),
        serial: 1,
        records: records.collect(),
        signing: None,
    };
    let (zone, bad) = Zone::build(&rows);
    assert!(bad.is_empty(), "{bad:?}");
    zone
}

fn served(rate: &Rate) -> Served {
    let bounds = config::Transfer::default().bounds();
    let log = Arc::new(QueryLog::new(&config::QueryLog::default()).0);
    let counting = config::Counting { zones: COUNTED };
    let served = Served::new(Metrics::default(), Keys::none(), bounds, rate);
    let served = served.watched(log, &counting, &mut Registry::default());
    let big: Vec<String> = (0..40).map(|n| format!("\"{n} {}\"", "x".repeat(200))).collect();
    let big: Vec<_> = big.iter().map(|text| ("big.example", "TXT", text.as_str())).collect();
    let mut zones: Zones = [zone("example", &[&RECORDS[..], &big].concat())].into_iter().collect();
    for apex in others() {
        let at = |rtype, content| (apex.as_str(), rtype, content);
        let soa = at("SOA", "ns.example. root.example. 1 3600 600 86400 300");
        zones.insert(Arc::new(zone(&apex, &[soa, at("NS", "ns.example"), at("A", "192.0.2.6")])));
    }
    served.replace(zones);
    served
}

/// Zones beside `example`: more than have counters or places of their own.
fn others() -> impl Iterator<Item = String> {
    (0..2 * COUNTED).map(|n| format!("z{n}.zones"))
}

/// A query: an operation with flags, a name and type, and what stands behind the question, which is one record or nothing.
fn query(first: u8, name: &str, qtype: u8, behind: &[u8]) -> Vec<u8> {
    let count = u8::from(!behind.is_empty());
    let mut query = vec![7, 7, first, 0, 0, 1, 0, 0, 0, 0, 0, count];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).unwrap());
        query.extend_from_slice(label.as_bytes());
    }
    query.extend_from_slice(&[0, 0, qtype, 0, 1]);
    query.extend_from_slice(behind);
    query
}

/// OPT (RFC 6891): version, DO and option.
fn opt(version: u8, flags: u8, option: &[u8]) -> Vec<u8> {
    let length = u8::try_from(option.len()).unwrap();
    [&[0, 0, 41, 4, 208, 0, version, flags, 0, 0, length][..], option].concat()
}

fn code(answer: &[u8]) -> u8 {
    answer[3] & 15
}

fn sections(answer: &[u8]) -> [u8; 3] {
    [answer[7], answer[9], answer[11]]
}

/// Asks, lets one round answer, and gives the answer with how often that round asked for memory.
fn ask(worker: &mut Worker<'_>, client: &UdpSocket, query: &[u8]) -> (Vec<u8>, u64) {
    client.send_to(query, worker.socket.local_addr().unwrap()).unwrap();
    let mut round = None;
    let used = measure(|| round = Some(worker.round()));
    round.expect("a round").expect("a query");
    let mut answer = vec![0; 4096];
    let length = client.recv(&mut answer).expect("an answer");
    answer.truncate(length);
    (answer, used.count_total)
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    socket
}

/// Kinds of queries, with what their answers say: code, and records in each section.
fn kinds() -> Vec<(&'static str, Vec<u8>, u8, [u8; 3])> {
    let cookie = [0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
    let edns = opt(0, 0, &[]);
    vec![
        ("there", query(0, "a.example", 35, &[]), 0, [2, 0, 0]),
        ("there, in capitals", query(1, "A.EXAMPLE", 35, &[]), 0, [2, 0, 0]),
        ("with an address to go with it", query(0, "mx.example", 15, &[]), 0, [1, 0, 1]),
        ("no such name", query(0, "none.example", 1, &[]), 3, [0, 1, 0]),
        ("no such type", query(0, "a.example", 16, &[]), 0, [0, 1, 0]),
        ("wildcard", query(0, "x.y.wild.example", 1, &[]), 0, [1, 0, 0]),
        ("aliases, and one that DNAME makes", query(0, "one.example", 1, &[]), 0, [5, 0, 0]),
        ("referral", query(0, "x.sub.example", 1, &[]), 0, [0, 1, 1]),
        ("EDNS", query(0, "a.example", 35, &edns), 0, [2, 0, 1]),
        ("DO", query(0, "a.example", 35, &opt(0, 128, &[])), 0, [2, 0, 1]),
        ("a cookie", query(0, "a.example", 35, &opt(0, 0, &cookie)), 0, [2, 0, 1]),
        ("BADVERS", query(0, "a.example", 35, &opt(1, 0, &[])), 0, [0, 0, 1]),
        ("ANY", query(0, "a.example", 255, &[]), 0, [1, 0, 0]),
        ("FORMERR", query(0, "a.example", 35, &[1]), 1, [0, 0, 0]),
        ("NOTIMP", query(2 << 3, "a.example", 35, &edns), 4, [0, 0, 1]),
        ("REFUSED", query(0, "a.elsewhere", 1, &[]), 5, [0, 0, 0]),
        ("too long for a datagram", query(0, "big.example", 16, &edns), 0, [0, 0, 1]),
    ]
}

#[test]
fn no_answer_needs_memory_after_the_first_one_of_its_kind() {
    let limits = Limits { max_udp: 1232, transport: Transport::Udp };
    // What loopback usually is exempt from counts here, and never limits.
    let rate = Rate {
        responses: 1_000_000,
        nxdomains: 1_000_000,
        errors: 1_000_000,
        exempt: vec![],
        ..Rate::default()
    };
    let served = served(&rate);
    let transfers = Transfers::new(&config::Transfer::default(), &served);
    let (server, client) = (socket(), socket());
    let mut worker = Worker::new(&server, true, &served, &transfers, limits);
    for (kind, query, expected, records) in kinds() {
        ask(&mut worker, &client, &query);
        let (answer, asked_for) = ask(&mut worker, &client, &query);
        assert_eq!((code(&answer), sections(&answer)), (expected, records), "{kind}: {answer:?}");
        assert_eq!(asked_for, 0, "{kind}");
    }
    // A cookie of ours that comes back.
    let (answer, _) = ask(&mut worker, &client, &kinds()[10].1);
    let whole = query(0, "a.example", 35, &opt(0, 0, &answer[answer.len() - 28..]));
    let (_, asked_for) = ask(&mut worker, &client, &whole);
    assert_eq!(asked_for, 0, "a whole cookie");
    // Zones that share a place, and those beyond the counted ones; the first round makes the counters.
    for round in 0..2 {
        for apex in others() {
            let (answer, asked_for) = ask(&mut worker, &client, &query(0, &apex, 1, &[]));
            assert_eq!((code(&answer), sections(&answer)), (0, [1, 0, 0]), "{apex}");
            assert!(round == 0 || asked_for == 0, "{apex}");
        }
    }
    // All together, and more than one round takes.
    let all: Vec<Vec<u8>> = kinds().into_iter().cycle().take(2 * MOST).map(|kind| kind.1).collect();
    for query in &all {
        client.send_to(query, server.local_addr().unwrap()).unwrap();
    }
    let mut rounds = 0;
    let used = measure(|| {
        while rounds < 2 && worker.round().is_ok() {
            rounds += 1;
        }
    });
    assert_eq!((rounds, used.count_total), (2, 0), "together");
    for query in &all {
        let mut answer = [0; 4096];
        let length = client.recv(&mut answer).expect("an answer");
        assert_eq!((answer[0], answer[1]), (7, 7));
        assert!(length >= 12 && query.len() > 12);
    }
}

#[test]
fn what_is_counted_are_requests_for_memory() {
    let used = measure(|| drop(std::hint::black_box(Vec::<u8>::with_capacity(10))));
    assert_eq!(used.count_total, 1);
}

/// What `/proc` says of the thread with a name: the processors that it may run on.
#[cfg(target_os = "linux")]
fn processors(name: &str) -> Option<String> {
    fs::read_dir("/proc/self/task").ok()?.flatten().find_map(|task| {
        let status = fs::read_to_string(task.path().join("status")).ok()?;
        let field = |key: &str| status.lines().find_map(|line| line.strip_prefix(key));
        let is_it = field("Name:")?.trim() == name;
        is_it.then(|| field("Cpus_allowed_list:").unwrap_or_default().trim().to_owned())
    })
}

#[cfg(target_os = "linux")]
#[test]
fn threads_stay_where_the_settings_say() {
    let settings = |processors: &[usize]| config::Limits {
        udp_processors: processors.to_vec(),
        ..config::Limits::default()
    };
    let place = |number| settings(&[4, 2]).udp_place(number).processor;
    assert_eq!([place(0), place(1), place(2)], [Some(4), Some(2), Some(4)]);
    assert_eq!(settings(&[]).udp_place(1).processor, None);

    let served = served(&Rate::default());
    let transfers = Transfers::new(&config::Transfer::default(), &served);
    let run = |number, processor| {
        let socket = socket();
        socket.set_read_timeout(Some(UDP_WAIT)).unwrap();
        let place = Place { number, processor, max_udp: 1232 };
        let stop = Arc::new(AtomicBool::new(false));
        let started = start(socket, place, served.clone(), Arc::clone(&transfers), stop.clone());
        started.map(|thread| {
            let found = processors(&format!("udp-{number}"));
            stop.store(true, Ordering::Relaxed);
            thread.join().expect("its end");
            found.expect("a thread with this name")
        })
    };
    let everywhere = run(700, None).expect("a thread");
    let last: usize = everywhere.rsplit([',', '-']).next().unwrap().parse().unwrap();
    assert_eq!(run(701, Some(last)).expect("a thread"), last.to_string());
    assert!(run(702, Some(1_000_000)).is_err());
}
