//! The clients of `examples/` on a bad line: everything is asked again, and nothing is done twice (doc/safe-writes.md).

use std::io::{BufRead, BufReader, Read, Write, copy};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ngn_tests::binaries::root;
use ngn_tests::database::Backend;
use ngn_tests::platform::Platform;
use ngn_tests::program::run;
use ngn_tests::{matching, record};

use crate::lifecycle::{python, told};

/// What a client gets from a line in the place of the first answer to a request; nothing is a broken connection.
type Trouble = Box<dyn FnMut(SocketAddr, &str) -> Option<Vec<u8>> + Send>;

/// The server does it, and the answer is lost.
fn lost() -> Trouble {
    Box::new(|server, request| {
        pass_on(server, request);
        None
    })
}

/// Something on the way says that the server is not there, which knows nothing of the request.
fn away() -> Trouble {
    Box::new(|_, _| {
        let head =
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nContent-Length: 5";
        Some(format!("{head}\r\nConnection: close\r\n\r\n<hr/>").into_bytes())
    })
}

/// The server does it and loses its power, and is started again.
fn power_cut(p: &Arc<Mutex<Platform>>) -> Trouble {
    let p = Arc::clone(p);
    Box::new(move |server, request| {
        pass_on(server, request);
        let mut p = p.lock().unwrap();
        p.kill();
        p.launch();
        None
    })
}

/// A line between client and server that makes trouble at the first request holding each of some words.
struct Line {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Line {
    fn to(server: SocketAddr, words: &'static [&'static str], mut trouble: Trouble) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for client in listener.incoming() {
                let mut client = client.unwrap();
                // A connection that was opened and not used is none of our concern.
                let Some(request) = read_request(&client) else { continue };
                let first = words.iter().any(|word| {
                    let holds = |request: &String| request.contains(word);
                    holds(&request) && !seen.lock().unwrap().iter().any(holds)
                });
                seen.lock().unwrap().push(request.clone());
                let answer =
                    if first { trouble(server, &request) } else { Some(pass_on(server, &request)) };
                if let Some(answer) = answer {
                    _ = client.write_all(&answer);
                }
            }
        });
        Self { address, requests }
    }

    /// How many requests held a word.
    fn count(&self, word: &str) -> usize {
        self.keys(word).len()
    }

    /// The Idempotency-Key of each request that held a word; empty for one without.
    fn keys(&self, word: &str) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        let key = |request: &String| {
            let lines = request.lines().filter_map(|line| line.split_once(": "));
            let mut keys = lines.filter(|(name, _)| name.eq_ignore_ascii_case("idempotency-key"));
            keys.next().map(|(_, key)| key.to_owned()).unwrap_or_default()
        };
        requests.iter().filter(|request| request.contains(word)).map(key).collect()
    }
}

/// One request, without the wish to keep the connection.
fn read_request(client: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(client);
    let mut text = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            text.push_str("Connection: close\r\n\r\n");
            break;
        }
        if !lower.starts_with("connection:") {
            text.push_str(&line);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    text.push_str(&String::from_utf8(body).unwrap());
    Some(text)
}

fn pass_on(server: SocketAddr, request: &str) -> Vec<u8> {
    let mut server = TcpStream::connect(server).unwrap();
    server.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    answer
}

/// An example, to be run against an address.
fn example(program: &str, file: &str, address: SocketAddr, password: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(file).current_dir(root());
    told(command, &format!("http://{address}/"), password, "lossy", "31201234")
}

/// The whole job was done, and nothing of it twice.
#[track_caller]
fn done(p: &Platform, printed: &str) {
    assert!(printed.ends_with("total 2\nlisted +31201234567 sip sip:alice@lossy.example.com\n"));
    for (operation, total) in [("Sip.getDomains", 1), ("Sip.getAccounts", 2), ("Enum.getRanges", 1)]
    {
        let found = p.admin().ok(operation, matching(record! {}));
        assert_eq!(found.int_at("total"), total, "{operation}");
    }
}

fn survives_lost_answers((program, file): (&str, &str)) {
    let p = Platform::start(Backend::Sqlite);
    let words = &["GET ", "getAccounts", "getNumbers", ":addDomain", ":addRange"];
    let line = Line::to(p.soap_address(), words, lost());
    let printed = run(&mut example(program, file, line.address, &p.password())).unwrap();
    done(&p, &printed);
    assert_eq!(line.keys("getAccounts"), ["", ""], "what reads has no key");
    let (domain, range) = (line.keys(":addDomain"), line.keys(":addRange"));
    assert_eq!((domain.len(), range.len()), (2, 2));
    assert!(!domain[0].is_empty() && domain[0] == domain[1] && range[0] == range[1]);
    assert_ne!(domain[0], range[0], "a key belongs to one change");
    assert_eq!(line.count(":addNumber"), 1, "what was answered is not asked again");
}

fn survives_an_absence((program, file): (&str, &str)) {
    let p = Platform::start(Backend::Sqlite);
    let line = Line::to(p.soap_address(), &["GET ", ":addDomain", "getAccounts"], away());
    let printed = run(&mut example(program, file, line.address, &p.password())).unwrap();
    done(&p, &printed);
    assert_eq!((line.count(":addDomain"), line.count("getAccounts")), (2, 2));
}

fn survives_a_power_cut((program, file): (&str, &str)) {
    let platform = Platform::start(Backend::Sqlite);
    let (server, password) = (platform.soap_address(), platform.password());
    let p = Arc::new(Mutex::new(platform));
    let line = Line::to(server, &[":addDomain"], power_cut(&p));
    let printed = run(&mut example(program, file, line.address, &password)).unwrap();
    done(&p.lock().unwrap(), &printed);
    let keys = line.keys(":addDomain");
    assert!(
        keys.len() > 1 && keys.iter().all(|key| !key.is_empty() && *key == keys[0]),
        "{keys:?}"
    );
}

fn gives_up((program, file): (&str, &str)) {
    // A port that nobody listens at: it was ours a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let began = Instant::now();
    let printed = run(&mut example(program, file, address, "x")).unwrap_err().to_string();
    assert!(printed.contains("not reached: ") && !printed.contains("Traceback"), "{printed}");
    // Six attempts; the pauses between them are at least half of 0.2, 0.4, 0.8, 1.6 and 3.2 s.
    assert!(began.elapsed() >= Duration::from_millis(3100), "after {:?}", began.elapsed());
}

/// A second run under the same keys, as after a crash, gets the answers of the first.
fn keeps_its_promise_after_a_crash((program, file): (&str, &str)) {
    let p = Platform::start(Backend::Sqlite);
    let once = |key: &str| {
        let mut command = example(program, file, p.soap_address(), &p.password());
        run(command.env("NGN_KEY", key)).unwrap()
    };
    let first = once("order-17");
    assert_eq!(first, "customer lossy\ndomain lossy.example.com is theirs true\nrefused key\n");
    assert_eq!(once("order-17"), first);
    let found = p.admin().ok("Sip.getDomains", matching(record! {}));
    assert_eq!(found.int_at("total"), 1);
    assert_eq!(once("order-18"), "fault 5001\n");
}

/// How many connections a client makes for a whole job.
fn connections((program, file): (&str, &str)) -> usize {
    let p = Platform::start(Backend::Sqlite);
    let server = p.soap_address();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    thread::spawn(move || {
        for client in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
            let (client, server) = (client.unwrap(), TcpStream::connect(server).unwrap());
            for (mut from, mut to) in [
                (client.try_clone().unwrap(), server.try_clone().unwrap()),
                (server.try_clone().unwrap(), client.try_clone().unwrap()),
            ] {
                thread::spawn(move || {
                    _ = copy(&mut from, &mut to);
                    _ = to.shutdown(Shutdown::Write);
                });
            }
        }
    });
    let printed = run(&mut example(program, file, address, &p.password())).unwrap();
    done(&p, &printed);
    count.load(Ordering::SeqCst)
}

const PHP: (&str, &str) = ("php", "examples/php/provision.php");
const PHP_ONCE: (&str, &str) = ("php", "tests/clients/once.php");
const PYTHON: &str = "examples/python/provision.py";
const PYTHON_ONCE: &str = "tests/clients/once.py";

#[test]
fn php_survives_lost_answers() {
    survives_lost_answers(PHP);
}

#[test]
fn php_survives_an_absence() {
    survives_an_absence(PHP);
}

#[test]
fn php_survives_a_power_cut() {
    survives_a_power_cut(PHP);
}

#[test]
fn php_gives_up_after_six_attempts() {
    gives_up(PHP);
}

#[test]
fn php_keeps_its_promise_after_a_crash() {
    keeps_its_promise_after_a_crash(PHP_ONCE);
}

#[test]
fn php_keeps_one_connection_per_port() {
    // Three ports are used; the description of each is loaded by another library.
    let connections = connections(PHP);
    assert!(connections <= 6, "{connections}");
}

#[test]
fn python_survives_lost_answers() {
    survives_lost_answers((&python(), PYTHON));
}

#[test]
fn python_survives_an_absence() {
    survives_an_absence((&python(), PYTHON));
}

#[test]
fn python_survives_a_power_cut() {
    survives_a_power_cut((&python(), PYTHON));
}

#[test]
fn python_gives_up_after_six_attempts() {
    gives_up((&python(), PYTHON));
}

#[test]
fn python_keeps_its_promise_after_a_crash() {
    keeps_its_promise_after_a_crash((&python(), PYTHON_ONCE));
}

#[test]
fn python_keeps_one_connection() {
    assert_eq!(connections((&python(), PYTHON)), 1);
}
