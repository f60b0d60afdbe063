//! How many accounts SOAP adds, against rows that are inserted by hand: `make bench-soap`.
//!
//! 32 clients add SIP accounts over SOAP, as a reseller whose credit is counted; then 32 connections insert the very same
//! rows by hand, one transaction for each account, into the same MariaDB, which syncs its log with every commit. Rounds
//! take turns. Processor time is that of the server processes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ngn_tests::database::{Backend, Server};
use ngn_tests::fixture::{domain, reseller, subscriber};
use ngn_tests::platform::Platform;
use ngn_tests::record;
use ngn_tests::soap::Client;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, MySqlConnection};

/// Clients, and connections by hand.
const CLIENTS: usize = 32;
/// Rounds of each kind.
const ROUNDS: usize = 4;
/// How long one round takes; `NGN_BENCH_SECONDS` sets another number.
const SECONDS: u64 = 5;

fn main() {
    let seconds = std::env::var("NGN_BENCH_SECONDS").ok().and_then(|n| n.parse().ok());
    let length = Duration::from_secs(seconds.unwrap_or(SECONDS));
    let server = Server::shared();
    let synced =
        server.sql("SELECT @@innodb_flush_log_at_trx_commit, @@innodb_doublewrite, @@datadir");
    println!("innodb_flush_log_at_trx_commit, innodb_doublewrite, datadir: {}", synced.trim());
    let mut p = Platform::start(Backend::MariaDb);
    let acme = reseller(&p, "acme");
    p.admin().ok("Customer.setProperties", record! { customer: acme.id, properties: vec![
        record! { name: "sip_credit", value: "10000000", category: "credit", permission: "admin" },
    ] });
    domain(&acme.client, "soap.example");
    domain(&acme.client, "hand.example");
    let pids = [p.program().id(), server_id()];
    let mut sums = [Sum::default(), Sum::default()];
    println!("{:<8} {:>9} {:>14} {:>18}", "", "per s", "ngn CPU s/1000", "mariadbd CPU s/1000");
    for round in 0..ROUNDS {
        for (kind, sum) in sums.iter_mut().enumerate() {
            let before = pids.map(cpu);
            let started = Instant::now();
            let done = if kind == 0 {
                soap(&acme.client, round, length)
            } else {
                by_hand(&p, round, length)
            };
            let took = started.elapsed().as_secs_f64();
            let cpu: Vec<f64> = pids.iter().zip(before).map(|(id, b)| cpu(*id) - b).collect();
            sum.rates.push(done as f64 / took);
            sum.done += done;
            sum.cpu[0] += cpu[0];
            sum.cpu[1] += cpu[1];
            let per = |cpu: f64| cpu * 1000.0 / done as f64;
            let name = ["SOAP", "by hand"][kind];
            println!(
                "{name:<8} {:>9.0} {:>14.3} {:>18.3}",
                done as f64 / took,
                per(cpu[0]),
                per(cpu[1])
            );
        }
    }
    let [soap, hand] = &mut sums;
    let ratio = soap.median() / hand.median();
    println!(
        "medians: SOAP {:.0}/s, by hand {:.0}/s: {:.0} %",
        soap.median(),
        hand.median(),
        ratio * 100.0
    );
    for (name, sum) in [("SOAP", &sums[0]), ("by hand", &sums[1])] {
        let per = |cpu: f64| cpu * 1000.0 / sum.done as f64;
        println!("{name}: CPU s/1000: ngn {:.3}, mariadbd {:.3}", per(sum.cpu[0]), per(sum.cpu[1]));
    }
    let rows = |domain: &str| {
        p.database.sql(&format!(
            "SELECT (SELECT COUNT(*) FROM subscriber WHERE domain = '{domain}'), \
             (SELECT COUNT(*) FROM addresses WHERE domain = '{domain}'), \
             (SELECT COUNT(*) FROM grp WHERE domain = '{domain}'), \
             (SELECT COUNT(*) FROM sealed_passwords p JOIN subscriber s ON s.id = p.record AND p.kind = 2 \
              WHERE s.domain = '{domain}'), \
             (SELECT COUNT(*) FROM journal WHERE entity_key LIKE '%@{domain}')"
        ))
    };
    println!("rows by SOAP:    {}", rows("soap.example").trim());
    println!("rows by hand:    {}", rows("hand.example").trim());
}

#[derive(Default)]
struct Sum {
    rates: Vec<f64>,
    done: usize,
    cpu: [f64; 2],
}

impl Sum {
    fn median(&mut self) -> f64 {
        self.rates.sort_by(f64::total_cmp);
        let middle = self.rates.len() / 2;
        (self.rates[middle] + self.rates[(self.rates.len() - 1) / 2]) / 2.0
    }
}

/// Runs work in 32 threads until the time is over; gives how often it was done.
fn race(length: Duration, work: impl Fn(usize, &AtomicBool) -> usize + Sync) -> usize {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let running: Vec<_> = (0..CLIENTS)
            .map(|n| {
                let (work, over) = (&work, &over);
                scope.spawn(move || work(n, over))
            })
            .collect();
        thread::sleep(length);
        over.store(true, Ordering::Relaxed);
        running.into_iter().map(|one| one.join().unwrap()).sum()
    })
}

/// Adds accounts over SOAP, each client on one HTTP connection.
fn soap(client: &Client, round: usize, length: Duration) -> usize {
    let account = subscriber("USERNAME@soap.example").with("groups", ["blocked"]);
    let envelope = client.envelope("Sip", "addAccount", &record! { account: account });
    race(length, |n, over| {
        let mut http = Http::new(client.address);
        let mut done = 0;
        while !over.load(Ordering::Relaxed) {
            let body = envelope.replace("USERNAME", &format!("r{round}c{n}n{done}"));
            let (status, reply) = http.post(&body);
            assert_eq!(status, 200, "{reply}");
            done += 1;
        }
        done
    })
}

struct Http {
    stream: TcpStream,
    host: SocketAddr,
    buffer: Vec<u8>,
}

impl Http {
    fn new(host: SocketAddr) -> Self {
        let stream = TcpStream::connect(host).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, host, buffer: Vec::new() }
    }

    fn post(&mut self, body: &str) -> (u16, String) {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).unwrap();
        self.buffer.clear();
        let mut chunk = [0; 16 * 1024];
        loop {
            let read = self.stream.read(&mut chunk).unwrap();
            assert!(read > 0, "the connection ended");
            self.buffer.extend_from_slice(&chunk[..read]);
            let Some(head) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") else {
                continue;
            };
            let text = std::str::from_utf8(&self.buffer[..head]).unwrap().to_ascii_lowercase();
            let length = text.split("content-length: ").nth(1).and_then(|rest| {
                rest.split("\r\n").next().and_then(|number| number.trim().parse::<usize>().ok())
            });
            if self.buffer.len() >= head + 4 + length.unwrap() {
                let status = text[9..12].parse().unwrap();
                return (status, String::from_utf8_lossy(&self.buffer[head + 4..]).into_owned());
            }
        }
    }
}

/// Inserts the rows of one account, as an account that SOAP added shows them.
const ROWS: [&str; 5] = [
    "INSERT INTO addresses (username, domain, kind) VALUES (?, 'hand.example', 'account')",
    "INSERT INTO subscriber (username, domain, password, ha1, ha1b, ha1_sha256, email_address, rpid, first_name, \
     last_name, timezone, quota, prepaid, quickdial_prefix, region, timeout, call_limit, acl, properties, owner, \
     create_date, change_date) VALUES (?, 'hand.example', '', ?, ?, ?, ?, NULL, 'Ada', 'Example', '', 0, FALSE, NULL, NULL, \
     NULL, NULL, NULL, NULL, 0, ?, ?)",
    "INSERT INTO sealed_passwords (kind, record, sealed) VALUES (2, ?, @sealed)",
    "INSERT INTO grp (username, domain, grp, subscriber_id) VALUES (?, 'hand.example', 'blocked', ?)",
    "INSERT INTO journal (at, login, impersonated, source, operation, entity, entity_key, zone, `before`, `after`) \
     VALUES (?, 'acme', NULL, '127.0.0.1', 'Sip:addAccount', 'sip_account', ?, NULL, NULL, @after)",
];

fn by_hand(p: &Platform, round: usize, length: Duration) -> usize {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let options: MySqlConnectOptions = p.database.url.parse().unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicUsize::new(0));
    runtime.block_on(async {
        let mut running = Vec::new();
        let ready = Arc::new(tokio::sync::Barrier::new(CLIENTS + 1));
        for n in 0..CLIENTS {
            let options = options.clone().charset("utf8mb4").disable_statement_logging();
            let (over, done, ready) = (Arc::clone(&over), Arc::clone(&done), Arc::clone(&ready));
            running.push(tokio::spawn(async move {
                let mut connection = options.connect().await.unwrap();
                connection.execute(MODEL).await.unwrap();
                ready.wait().await;
                let mut count = 0;
                while !over.load(Ordering::Relaxed) {
                    insert(&mut connection, &format!("r{round}c{n}n{count}")).await;
                    count += 1;
                }
                done.fetch_add(count, Ordering::Relaxed);
                connection.close().await.unwrap();
            }));
        }
        ready.wait().await;
        tokio::time::sleep(length).await;
        over.store(true, Ordering::Relaxed);
        for one in running {
            one.await.unwrap();
        }
    });
    done.load(Ordering::Relaxed)
}

/// The values that do not change, of an account that SOAP added.
const MODEL: &str = "SELECT MAX(id) INTO @model FROM subscriber WHERE domain = 'soap.example'; \
    SELECT sealed INTO @sealed FROM sealed_passwords WHERE kind = 2 AND record = @model; \
    SELECT CONCAT(username, '@soap.example') INTO @key FROM subscriber WHERE id = @model; \
    SELECT `after` INTO @after FROM journal WHERE entity = 'sip_account' AND entity_key = @key LIMIT 1";

/// Milliseconds since 1970.
const NOW: i64 = 1_800_000_000_000;

async fn insert(connection: &mut MySqlConnection, username: &str) {
    let mut tx = connection.begin().await.unwrap();
    sqlx::query(ROWS[0]).bind(username).execute(&mut *tx).await.unwrap();
    let id = sqlx::query(ROWS[1])
        .bind(username)
        .bind("0123456789abcdef0123456789abcdef")
        .bind("0123456789abcdef0123456789abcdef")
        .bind("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
        .bind(format!("{username}@hand.example"))
        .bind(NOW)
        .bind(NOW)
        .execute(&mut *tx)
        .await
        .unwrap()
        .last_insert_id();
    sqlx::query(ROWS[2]).bind(id).execute(&mut *tx).await.unwrap();
    sqlx::query(ROWS[3]).bind(username).bind(id).execute(&mut *tx).await.unwrap();
    let key = format!("{username}@hand.example");
    sqlx::query(ROWS[4]).bind(NOW).bind(key).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// The process of the server that `with-mariadb` started.
fn server_id() -> u32 {
    let file = Server::shared().sql("SELECT @@pid_file");
    std::fs::read_to_string(file.trim()).unwrap().trim().parse().unwrap()
}

/// Processor time of a process in seconds.
fn cpu(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // The clock of /proc ticks 100 times a second on Linux.
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}
