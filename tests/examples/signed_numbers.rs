//! A signed ENUM zone with a million numbers: `make bench-signed` (takes many minutes; needs delv, dig, dnssec-verify and
//! dnsperf).
//!
//! The numbers are written into a MariaDB by hand, an `enumd` by itself serves them, and `ngn zone sign` signs the zone
//! while it is served, first with NSEC, then with NSEC3. Printed are how long it takes until signatures are given, until a
//! new `enumd` serves the signed zone, memory, and the processor time of a query with DO. delv validates a sample of
//! names, and with `NGN_BENCH_VERIFY=1` dnssec-verify the whole zone as a transfer gives it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use hickory_proto::rr::RecordType::{NAPTR, NSEC3PARAM};
use ngn_tests::binaries::program;
use ngn_tests::database::{Backend, Database};
use ngn_tests::dns::dig;
use ngn_tests::name_servers::{enumd_with, has};
use ngn_tests::numbers::{digits, fill, name};
use ngn_tests::program::{Program, run};
use ngn_tests::usage;

/// How many numbers there are; `NGN_BENCH_NUMBERS` sets another number.
const NUMBERS: u64 = 1_000_000;
/// How many names delv validates of each kind.
const SAMPLE: u64 = 20;
const PREFIX: &str = "9990";
/// Longest time that anything may take.
const PATIENCE: Duration = Duration::from_secs(1_200);

fn main() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let numbers = number("NGN_BENCH_NUMBERS").unwrap_or(NUMBERS);
    let directory = tempfile::Builder::new().prefix("ngn-bench-").tempdir().expect("a directory");
    let database = Database::create(Backend::MariaDb, directory.path());
    run(Command::new(program("ngn")).args(["migrate", "--database", &database.url])).unwrap();
    let started = Instant::now();
    zone(&database);
    fill(&database, PREFIX, numbers);
    println!("{numbers} numbers written in {:.1} s", started.elapsed().as_secs_f64());
    let (mut server, address) = start(directory.path(), &database, numbers);
    say("not signed", &server);
    let apex = name(PREFIX);
    for how in ["--nsec", "--nsec3"] {
        println!("\n{how}");
        let started = Instant::now();
        let text = ngn(directory.path(), &database, &["sign", &apex, how]);
        println!("`ngn zone sign` took {:.1} s", started.elapsed().as_secs_f64());
        assert!(text.contains(" IN DS "), "{text}");
        // Who asks meanwhile gets answers.
        let mut slowest = Duration::ZERO;
        loop {
            let asked = Instant::now();
            assert!(has(address, &name(&digits(PREFIX, 1)), NAPTR), "not served");
            slowest = slowest.max(asked.elapsed());
            let words = ["+dnssec", "+tcp", &apex, "NAPTR"];
            let denial = dig(address, &words).unwrap_or_default();
            let kind = Some(if how == "--nsec" { "NSEC" } else { "NSEC3" });
            let denies = |line: &str| line.split_whitespace().nth(3) == kind;
            if denial.lines().any(denies) && has(address, &apex, NSEC3PARAM) == (how == "--nsec3") {
                break;
            }
            assert!(started.elapsed() < PATIENCE, "{}", server.log());
            thread::sleep(Duration::from_millis(20));
        }
        println!(
            "signed after {:.1} s, meanwhile the slowest answer took {:.0} ms",
            started.elapsed().as_secs_f64(),
            slowest.as_secs_f64() * 1_000.0
        );
        say("signed", &server);
        validate(directory.path(), &database, address, numbers);
        load(directory.path(), &server, address, numbers);
        say("after that", &server);
        if number("NGN_BENCH_VERIFY").is_some() {
            verify(directory.path(), &server, address);
            say("after the transfer", &server);
        }
    }
    server.stop().expect("its end");
    let (server, address) = start(directory.path(), &database, numbers);
    say("signed, after a restart", &server);
    validate(directory.path(), &database, address, 1);
}

/// The range, as `Enum.addRange` makes it.
fn zone(database: &Database) {
    let apex = name(PREFIX);
    _ = database.sql(&format!(
        "INSERT INTO domains (id, name, type) VALUES (1, '{apex}', 'NATIVE'); \
         INSERT INTO zone_serials (zone, base) VALUES ('{apex}', 7); \
         INSERT INTO enum_ranges (prefix, tld, domain_id, nameservers) VALUES ('{PREFIX}', 'e164.arpa', 1, '[]'); \
         INSERT INTO records (domain_id, name, type, content, ttl, origin) VALUES \
         (1, '{apex}', 'SOA', 'ns1.example.net hostmaster.example.net 7 3600 600 604800 300', 3600, 1), \
         (1, '{apex}', 'NS', 'ns1.example.net', 3600, 1), (1, '*.0.{apex}', 'NAPTR', \
         '100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:pbx@example.net!\" .', 3600, 2)"
    ));
}

fn start(directory: &Path, database: &Database, numbers: u64) -> (Program, SocketAddr) {
    let started = Instant::now();
    // `ngn zone sign` makes that file.
    let keys = directory.join("password-key").display().to_string();
    let settings =
        [("ENUMD_TRANSFER__ALLOW", "[\"127.0.0.1\"]"), ("ENUMD_DNSSEC__KEY_FILE", keys.as_str())];
    let (server, address) = enumd_with(&program("enumd"), directory, database, None, &settings);
    assert!(has(address, &name(&digits(PREFIX, numbers)), NAPTR), "the last number");
    println!("served after {:.1} s", started.elapsed().as_secs_f64());
    (server, address)
}

fn say(what: &str, server: &Program) {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap_or_default();
    println!(
        "{what}: {} MiB of memory, at most {} so far",
        usage::memory(server.id()) >> 10,
        peak >> 10
    );
}

fn ngn(directory: &Path, database: &Database, words: &[&str]) -> String {
    let mut command = Command::new(program("ngn"));
    command.arg("zone").args(words).env("NGN_DATABASE", &database.url);
    run(command.arg("--data").arg(directory)).expect("ngn zone")
}

/// Has delv ask for numbers that are there, for names that are not, and for what the wildcard stands for.
fn validate(directory: &Path, database: &Database, address: SocketAddr, numbers: u64) {
    let apex = name(PREFIX);
    let keys: serde_json::Value =
        serde_json::from_str(&ngn(directory, database, &["keys", &apex, "--json"])).unwrap();
    let words: Vec<&str> = keys["ds"][0].as_str().unwrap().split(' ').collect();
    let anchor = format!(
        "trust-anchors {{ {} static-ds {} {} {} \"{}\"; }};\n",
        words[0], words[3], words[4], words[5], words[6]
    );
    let file = directory.join("anchors");
    fs::write(&file, anchor).unwrap();
    let ask = |owner: &str, kind: &str, wanted: &str| {
        let mut command = Command::new("delv");
        command.arg(format!("@{}", address.ip())).args(["-p", &address.port().to_string()]);
        command.args(["-a", file.to_str().unwrap(), &format!("+root={apex}"), owner, kind]);
        let output = command.output().expect("delv");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!((text.clone() + &complaint).contains(wanted), "{owner} {kind}: {text}{complaint}");
    };
    for n in 0..SAMPLE {
        let place = 1 + n * 7_919 % numbers;
        let there = name(&digits(PREFIX, place));
        ask(&there, "NAPTR", "; fully validated");
        ask(&there, "TXT", "; negative response, fully validated");
        ask(&format!("1.{there}"), "NAPTR", "; negative response, fully validated");
        let wild = format!("x{n}.0.{apex}");
        ask(&wild, "NAPTR", "; fully validated");
        ask(&wild, "TXT", "; negative response, fully validated");
        ask(&format!("x{n}.{apex}"), "NAPTR", "; negative response, fully validated");
    }
    println!("delv validated {} answers of {} kinds", SAMPLE * 6, 6);
}

/// Processor time of a query with DO: each name for the first time, then again.
fn load(directory: &Path, server: &Program, address: SocketAddr, numbers: u64) {
    let file = directory.join("questions");
    let of = |kind: &str| -> String {
        let names = (0..10_000).map(|n| {
            let there = name(&digits(PREFIX, 1 + n * 97 % numbers));
            if kind == "there" { format!("{there} NAPTR\n") } else { format!("1.{there} NAPTR\n") }
        });
        names.collect()
    };
    for kind in ["there", "not there"] {
        fs::write(&file, of(kind)).unwrap();
        for time in ["first", "second"] {
            let mut command = Command::new("dnsperf");
            command.args(["-s", &address.ip().to_string(), "-p", &address.port().to_string()]);
            command.args(["-n", "1", "-T", "1", "-c", "4", "-q", "100", "-e", "-D", "-t", "5"]);
            let before = usage::cpu(server.id());
            let text = run(command.arg("-d").arg(&file)).expect("dnsperf");
            let cpu = usage::cpu(server.id()) - before;
            let line =
                text.lines().find(|line| line.contains("Queries completed")).unwrap_or_default();
            println!(
                "{kind}, {time} time: {:.0} µs of enumd for a query; {}",
                cpu * 100.0,
                line.trim()
            );
        }
    }
}

/// Has dnssec-verify read the whole zone.
fn verify(directory: &Path, server: &Program, address: SocketAddr) {
    let (apex, started) = (name(PREFIX), Instant::now());
    let file = directory.join("whole");
    let before = usage::cpu(server.id());
    let mut command = Command::new("dig");
    command.arg(format!("@{}", address.ip())).args(["-p", &address.port().to_string()]);
    command.args(["+onesoa", "+noall", "+answer", "+time=300", &apex, "AXFR"]);
    let status = command.stdout(fs::File::create(&file).unwrap()).status().expect("dig");
    assert!(status.success());
    println!(
        "transferred in {:.1} s, {:.1} s of enumd, {} MiB of text",
        started.elapsed().as_secs_f64(),
        usage::cpu(server.id()) - before,
        fs::metadata(&file).unwrap().len() >> 20
    );
    let started = Instant::now();
    let output = Command::new("dnssec-verify")
        .args(["-q", "-o", &apex])
        .arg(&file)
        .output()
        .expect("dnssec-verify");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    println!("dnssec-verify accepted it after {:.1} s", started.elapsed().as_secs_f64());
    fs::remove_file(&file).unwrap();
}
