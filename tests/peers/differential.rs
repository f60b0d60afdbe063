//! enumd beside NSD, Knot and BIND: the same zones, the same queries, the answers compared field by field.
//!
//! Each difference has a name and a reason in `doc/dns-differences.md`; one that stands there and was not seen is as wrong as
//! one that was seen and does not stand there. `NGN_DIFF_QUERIES` sets the number of queries (`make diff-dns`), `NGN_DIFF_SEED`
//! draws others.

mod compare;
mod queries;
mod zones;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use hickory_proto::rr::RecordType;
use ngn_tests::binaries::{program, root};
use ngn_tests::database::{Backend, Database};
use ngn_tests::dns::{exchange_tcp, exchange_udp};
use ngn_tests::name_servers::{Make, NameServer, enumd};
use ngn_tests::program::run;
use ngn_tests::zone_data::ZoneData;

use compare::{Answer, differences};
use queries::Query;

/// Queries when nothing else is said.
const QUERIES: usize = 4_000;
/// How long an answer may take; who does not want to answer makes us wait so long.
const PATIENCE: Duration = Duration::from_millis(500);
/// What has no name.
const UNEXPLAINED: &str = "something else";
/// Where the differences are explained.
const EXPLAINED: &str = "doc/dns-differences.md";

/// The same numbers for the same seed (SplitMix64).
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let number = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }
}

fn setting(name: &str, else_: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(else_)
}

fn exchange(server: SocketAddr, query: &Query) -> Option<Vec<u8>> {
    if query.tcp {
        exchange_tcp(server, &query.octets).ok()
    } else {
        exchange_udp(server, &query.octets, PATIENCE).ok()
    }
}

#[test]
fn all_servers_answer_alike() {
    let mut random = Random(setting("NGN_DIFF_SEED", 1) as u64);
    let directory = tempfile::tempdir().unwrap();
    let mut data = ZoneData::new(&directory.path().join("zones"));
    let owners = zones::fill(&mut data, &mut random);
    let database = Database::create(Backend::MariaDb, directory.path());
    run(Command::new(program("ngn")).args(["migrate", "--database", &database.url])).unwrap();
    data.finish(&database);
    let (mut program, ours) = enumd(&program("enumd"), directory.path(), &database, None);
    let files = data.master_files();
    let peers = Make::ALL.map(|make| {
        let directory = directory.path().join(make.name());
        let served: Vec<(String, RecordType)> =
            files.iter().map(|(zone, _)| (zone.clone(), RecordType::SOA)).collect();
        (make, NameServer::start(make, &directory, &files, None, &served))
    });
    assert!(!program.log().contains("left out"), "{}", program.log());

    let mut seen: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    let count = setting("NGN_DIFF_QUERIES", QUERIES);
    for number in 0..count {
        let query = Query::draw(&owners, number as u16, &mut random);
        let ask = |server| Answer::read(&query, exchange(server, &query).as_deref());
        let mut our = ask(ours);
        for (make, peer) in &peers {
            let mut their = ask(peer.address);
            let mut found = differences(&query, &our, &their);
            if found.is_none() && our.is_none() != their.is_none() {
                // A datagram may get lost.
                let (server, answer) =
                    if our.is_none() { (ours, &mut our) } else { (peer.address, &mut their) };
                *answer = ask(server);
                found = differences(&query, &our, &their);
            }
            for name in found.unwrap_or_else(|| vec![UNEXPLAINED]) {
                let (count, example) = seen.entry(name).or_default();
                *count += 1;
                if *count <= setting("NGN_DIFF_SHOW", 1) {
                    example.push_str(&format!(
                        "\n  {query}\n  enumd {our:?}\n  {} {their:?}\n",
                        make.name()
                    ));
                }
            }
        }
    }
    let text = std::fs::read_to_string(root().join(EXPLAINED)).unwrap_or_default();
    let explained: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    for (name, (times, example)) in &seen {
        println!("{times} of {} times {name}:{example}", count * peers.len());
    }
    assert!(program.is_running(), "{}", program.log());
    let unexplained: Vec<&&str> = seen.keys().filter(|name| !explained.contains(name)).collect();
    assert!(unexplained.is_empty(), "{EXPLAINED} does not explain {unexplained:?}");
    let stale: Vec<&&str> = explained.iter().filter(|name| !seen.contains_key(**name)).collect();
    assert!(stale.is_empty(), "{EXPLAINED} explains what is no more: {stale:?}");
}
