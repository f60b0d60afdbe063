//! The clients of `examples/` on a bad line: what is harmless is asked again, what changes something never twice.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ngn_tests::binaries::root;
use ngn_tests::database::Backend;
use ngn_tests::platform::Platform;
use ngn_tests::program::run;
use ngn_tests::{matching, record};

use crate::lifecycle::{python, told};

/// A line between client and server that loses the first answer to every request holding one of some words.
struct Line {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Line {
    fn to(server: SocketAddr, lossy: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for client in listener.incoming() {
                let mut client = client.unwrap();
                // A connection that was opened and not used is none of our concern.
                let Some(request) = read_request(&client) else { continue };
                let answer = pass_on(server, &request);
                let lost = lossy.iter().any(|word| {
                    let holds = |request: &&String| request.contains(word);
                    holds(&&request) && !seen.lock().unwrap().iter().any(|r| holds(&r))
                });
                seen.lock().unwrap().push(request);
                if !lost {
                    _ = client.write_all(&answer);
                }
            }
        });
        Self { address, requests }
    }

    /// How many requests held a word.
    fn count(&self, word: &str) -> usize {
        self.requests.lock().unwrap().iter().filter(|request| request.contains(word)).count()
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

fn survives(program: &str, file: &str) {
    let p = Platform::start(Backend::Sqlite);
    let line = Line::to(p.soap_address(), &["GET ", "getAccounts", "getNumbers"]);
    let printed = run(&mut example(program, file, line.address, &p.password())).unwrap();
    assert!(printed.ends_with("total 2\nlisted +31201234567 sip sip:alice@lossy.example.com\n"));
    assert_eq!((line.count("getAccounts"), line.count("getNumbers")), (2, 2));
    assert_eq!(line.count("addDomain"), 1, "what was answered is not asked again");
}

fn does_nothing_twice(program: &str, file: &str) {
    let p = Platform::start(Backend::Sqlite);
    let line = Line::to(p.soap_address(), &["addDomain"]);
    let printed =
        run(&mut example(program, file, line.address, &p.password())).unwrap_err().to_string();
    assert!(printed.contains("customer lossy\n"), "{printed}");
    assert!(printed.contains("not reached: ") && !printed.contains("Traceback"), "{printed}");
    assert_eq!(line.count("addDomain"), 1);
    let found = p.admin().ok("Sip.getDomains", matching(record! {}));
    assert_eq!(found.int_at("total"), 1, "the server had done it");
}

fn gives_up(program: &str, file: &str) {
    // A port that nobody listens at: it was ours a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let began = Instant::now();
    let printed = run(&mut example(program, file, address, "x")).unwrap_err().to_string();
    assert!(printed.contains("not reached: ") && !printed.contains("Traceback"), "{printed}");
    // Four attempts with pauses of 0.2, 0.4 and 0.8 s between them.
    assert!(began.elapsed() >= Duration::from_millis(1400), "after {:?}", began.elapsed());
}

const PHP: &str = "examples/php/provision.php";
const PYTHON: &str = "examples/python/provision.py";

#[test]
fn php_repeats_what_is_harmless() {
    survives("php", PHP);
}

#[test]
fn php_does_nothing_twice() {
    does_nothing_twice("php", PHP);
}

#[test]
fn php_gives_up_after_four_attempts() {
    gives_up("php", PHP);
}

#[test]
fn python_repeats_what_is_harmless() {
    survives(&python(), PYTHON);
}

#[test]
fn python_does_nothing_twice() {
    does_nothing_twice(&python(), PYTHON);
}

#[test]
fn python_gives_up_after_four_attempts() {
    gives_up(&python(), PYTHON);
}
