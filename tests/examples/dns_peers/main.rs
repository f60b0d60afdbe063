//! `enumd` beside NSD, Knot and BIND: `make bench-dns` (needs dnsperf).
//!
//! All serve the same zones, `enumd` out of a MariaDB, the others out of master files, one after the other on the first
//! processor with one thread each; dnsperf asks from the second one, with EDNS, as many questions at once as gives the highest rate, in
//! turns. Printed are the processor time of the server for a query and the rate, medians of all rounds, then memory and how
//! long loading took.
//!
//! `NGN_BENCH_NUMBERS`, `NGN_BENCH_ROUNDS` and `NGN_BENCH_SECONDS` set other sizes, `NGN_BENCH_NICE=-15` puts all that takes
//! part before other users of the machine (root), `NGN_BENCH_PEERS=NSD,Knot` chooses, `NGN_BENCH_ENUMD=PATH` takes another
//! `enumd`, and several of them, separated by commas, are measured beside each other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod data;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use data::Data;
use ngn_tests::binaries::program;
use ngn_tests::database::{Backend, Database, Server};
use ngn_tests::name_servers::{Make, NameServer, enumd, has};
use ngn_tests::program::{Program, run};
use ngn_tests::usage;

/// How many numbers there are.
const NUMBERS: u64 = 100_000;
/// How often each is measured.
const ROUNDS: u64 = 5;
/// How long each time, in seconds.
const SECONDS: u64 = 3;
/// The processors of server and load.
const SERVER: &str = "0";
const LOAD: &str = "1";

/// A server that is measured.
#[derive(Debug)]
enum Rival {
    Peer(Make, NameServer),
    Enumd(String, SocketAddr, Program, Duration),
}

impl Rival {
    fn name(&self) -> &str {
        match self {
            Self::Peer(make, _) => make.name(),
            Self::Enumd(name, ..) => name,
        }
    }

    const fn address(&self) -> SocketAddr {
        match self {
            Self::Peer(_, server) => server.address,
            Self::Enumd(_, address, ..) => *address,
        }
    }

    fn id(&self) -> u32 {
        match self {
            Self::Peer(_, server) => server.id(),
            Self::Enumd(_, _, program, _) => program.id(),
        }
    }

    const fn loading(&self) -> Duration {
        match self {
            Self::Peer(_, server) => server.loading,
            Self::Enumd(.., loading) => *loading,
        }
    }
}

/// What one run gave.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Microseconds of the server for a query.
    server: f64,
    /// Microseconds of the load for a query.
    load: f64,
    rate: f64,
    lost: f64,
}

fn main() {
    let number = |name: &str, else_: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(else_)
    };
    let numbers = number("NGN_BENCH_NUMBERS", NUMBERS);
    let (rounds, seconds) =
        (number("NGN_BENCH_ROUNDS", ROUNDS), number("NGN_BENCH_SECONDS", SECONDS));
    if let Ok(nice) = std::env::var("NGN_BENCH_NICE") {
        // Where sessions share the processor, it is the session's that counts.
        fs::write("/proc/self/autogroup", nice).expect("a priority, as root");
    }
    let directory = tempfile::Builder::new().prefix("ngn-bench-").tempdir().expect("a directory");
    let mut data = Data::new(directory.path(), numbers);
    let database = Database::create(Backend::MariaDb, directory.path());
    run(Command::new(program("ngn")).args(["migrate", "--database", &database.url])).unwrap();
    data.zones.finish(&database);
    let file = Server::shared().sql("SELECT @@pid_file");
    let database_id: u32 = fs::read_to_string(file.trim()).unwrap().trim().parse().unwrap();
    run(Command::new("taskset").args(["-apc", SERVER, &database_id.to_string()])).unwrap();
    println!(
        "{numbers} numbers, {} records; load average {}",
        data.zones.records(),
        load_average()
    );

    let chosen = std::env::var("NGN_BENCH_PEERS").unwrap_or_else(|_| "NSD,Knot,BIND".to_owned());
    let mut rivals = Vec::new();
    for make in Make::ALL.into_iter().filter(|make| chosen.split(',').any(|it| it == make.name())) {
        let directory = directory.path().join(make.name());
        let zones = data.zones.master_files();
        let server = NameServer::start(make, &directory, &zones, Some(SERVER), &data.last);
        rivals.push(Rival::Peer(make, server));
    }
    let paths =
        std::env::var("NGN_BENCH_ENUMD").unwrap_or_else(|_| program("enumd").display().to_string());
    let mut several = 0;
    for path in paths.split(',') {
        several += 1;
        let name =
            if paths.contains(',') { format!("enumd {several}") } else { "enumd".to_owned() };
        rivals.push(start(name, path, directory.path(), &database, &data));
    }
    println!("\n{:<10} {:>9} {:>12} {:>16}", "", "loaded s", "memory MiB", "octets a record");
    for rival in &rivals {
        let memory = usage::memory(rival.id()) as f64 * 1024.0;
        println!(
            "{:<10} {:>9.2} {:>12.0} {:>16.0}",
            rival.name(),
            rival.loading().as_secs_f64(),
            memory / f64::from(1 << 20),
            memory / data.zones.records() as f64
        );
    }
    for (name, questions) in &data.questions {
        println!(
            "\n{name}: µs of the server for a query, µs of the load, queries a second, lost of 1,000; load average {}",
            load_average()
        );
        let mut all: Vec<Vec<Run>> = vec![Vec::new(); rivals.len()];
        // The first round warms up.
        for round in 0..=rounds {
            for (rival, runs) in rivals.iter().zip(&mut all) {
                let run = measure(rival, questions, if round == 0 { 1 } else { seconds });
                if round > 0 {
                    runs.push(run);
                }
            }
        }
        let medians: Vec<Run> = all.iter().map(|runs| median(runs)).collect();
        for (rival, Run { server, load, rate, lost }) in rivals.iter().zip(&medians) {
            println!(
                "{:<10} {server:>7.2} {load:>7.2} {rate:>10.0} {:>6.2}   {:.2} x the time, {:.2} x the rate of {}",
                rival.name(),
                lost * 1_000.0,
                server / medians[0].server,
                rate / medians[0].rate,
                rivals[0].name(),
            );
        }
    }
}

fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

fn start(name: String, path: &str, directory: &Path, database: &Database, data: &Data) -> Rival {
    let started = Instant::now();
    let (program, address) = enumd(Path::new(path), directory, database, Some(SERVER));
    while !data.last.iter().all(|(name, kind)| has(address, name, *kind)) {
        assert!(started.elapsed() < Duration::from_secs(300), "{}", program.log());
    }
    Rival::Enumd(name, address, program, started.elapsed())
}

fn measure(rival: &Rival, questions: &Path, seconds: u64) -> Run {
    let address = rival.address();
    let mut command = Command::new("taskset");
    command.args(["-c", LOAD, "dnsperf", "-s", &address.ip().to_string()]);
    command.args(["-p", &address.port().to_string(), "-d", &questions.display().to_string()]);
    command.args(["-l", &seconds.to_string(), "-T", "1", "-c", "4", "-q", "400", "-t", "1"]);
    command.args(["-e", "-O", "suppress=timeout"]);
    let (before, ours) = (usage::cpu(rival.id()), children());
    let text = run(&mut command).expect("dnsperf");
    let (server, load) = (usage::cpu(rival.id()) - before, children() - ours);
    let value = |label: &str| -> f64 {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(label)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    let (sent, completed) = (value("Queries sent:"), value("Queries completed:"));
    Run {
        server: server * 1e6 / completed,
        load: load * 1e6 / completed,
        rate: value("Queries per second:"),
        lost: (sent - completed) / sent,
    }
}

/// Processor time of all that this process has run and waited for, in seconds.
fn children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // The clock of /proc ticks 100 times a second on Linux.
    (fields[13].parse::<f64>().unwrap() + fields[14].parse::<f64>().unwrap()) / 100.0
}

fn median(runs: &[Run]) -> Run {
    let middle = |pick: fn(&Run) -> f64| {
        let mut all: Vec<f64> = runs.iter().map(pick).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    Run {
        server: middle(|run| run.server),
        load: middle(|run| run.load),
        rate: middle(|run| run.rate),
        lost: middle(|run| run.lost),
    }
}
