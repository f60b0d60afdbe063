//! The processor time of one message, beside gSOAP's C++ for the same one: `make bench-codec`.
//!
//! The message is an `addAccount` request in rpc/encoded. gSOAP's side is made of our WSDL by wsdl2h and soapcpp2 and
//! compiled with -O2. Rounds take turns; time is user time of the process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use ngn_soap::types::{Property, SipAccount, SipId, SubscriberACL};
use ngn_soap::wsdl::{self, Variant};
use ngn_soap::{Auth, Limits, Style, decode, encode_call, sip};
use ngn_tests::binaries::root;
use ngn_tests::program::run;

/// Messages of a round, and rounds of each side.
const MESSAGES: usize = 20_000;
const ROUNDS: usize = 5;

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let (request, auth) = (sip::AddAccount { account: Some(account()) }, auth());
    let message = encode_call(&request, Some(&auth), Style::Encoded);
    fs::write(here.join("message.xml"), &message).unwrap();
    build(here);
    println!(
        "{} octets, {MESSAGES} messages a round; user microseconds for each message",
        message.len()
    );
    println!("{:>12} {:>12} {:>12} {:>12}", "ours decode", "gSOAP", "ours encode", "gSOAP");
    let limits = Limits::default();
    let mut best = [f64::MAX; 4];
    for _ in 0..ROUNDS {
        let decoding =
            timed(|| drop(black_box(decode(black_box(&message), None, &limits).unwrap())));
        let encoding = timed(|| {
            drop(black_box(encode_call(black_box(&request), Some(&auth), Style::Encoded)));
        });
        let mut theirs = Command::new(here.join("codec"));
        theirs.args([here.join("message.xml").as_os_str(), MESSAGES.to_string().as_ref()]);
        let theirs: Vec<f64> =
            run(&mut theirs).unwrap().split_whitespace().map(|n| n.parse().unwrap()).collect();
        let round = [decoding, theirs[0], encoding, theirs[1]];
        println!("{:>12.2} {:>12.2} {:>12.2} {:>12.2}", round[0], round[1], round[2], round[3]);
        for (best, now) in best.iter_mut().zip(round) {
            *best = best.min(now);
        }
    }
    println!(
        "ours to gSOAP, best rounds: decode {:.2}, encode {:.2}",
        best[0] / best[1],
        best[2] / best[3]
    );
}

fn auth() -> Auth {
    Auth {
        username: Some("acme".to_owned()),
        password: Some("acme-password".to_owned()),
        ..Auth::default()
    }
}

fn account() -> SipAccount {
    let text = |text: &str| Some(text.to_owned());
    SipAccount {
        id: Some(SipId { username: text("alice"), domain: text("example.com") }),
        password: text("a-long-password"),
        first_name: text("Alice"),
        last_name: text("Ørsted & Zoë"),
        email: text("alice@example.com"),
        acl: Some(vec![SubscriberACL {
            ip: text("192.0.2.0"),
            mask: Some(24),
            tag: text("office"),
        }]),
        groups: Some(vec!["free-pstn".to_owned(), "quota".to_owned()]),
        properties: Some(vec![Property { name: text("language"), value: text("nl") }]),
        timezone: text("Europe/Amsterdam"),
        rpid: text("31201234567"),
        quota: Some(50),
        call_limit: Some(2),
        prepaid: Some(false),
        timeout: Some(35),
        owner: Some(17),
        ..SipAccount::default()
    }
}

fn build(here: &Path) {
    let document = wsdl::document(Variant::Encoded, None, "http://127.0.0.1/");
    fs::write(here.join("ngn.wsdl"), document).unwrap();
    let clients = root().join("tests/clients");
    let maps = ["/usr/share/gsoap/WS/typemap.dat".into(), clients.join("gsoap.dat")];
    let map = maps.iter().map(|map| fs::read_to_string(map).unwrap()).collect::<String>();
    fs::write(here.join("typemap.dat"), map).unwrap();
    let step = |program: &str, arguments: &[&str]| {
        run(Command::new(program).args(arguments).current_dir(here)).unwrap()
    };
    step("wsdl2h", &["-O1", "-o", "ngn.h", "ngn.wsdl"]);
    step("soapcpp2", &["-C", "-L", "-x", "-w", "-I/usr/share/gsoap/import", "ngn.h"]);
    let program = clients.join("gsoap_codec.cpp");
    step(
        "c++",
        &[
            "-std=c++17",
            "-O2",
            "-w",
            "-I.",
            program.to_str().unwrap(),
            "soapC.cpp",
            "-lgsoap++",
            "-o",
            "codec",
        ],
    );
}

/// User microseconds of one call.
fn timed(work: impl Fn()) -> f64 {
    (0..MESSAGES / 20).for_each(|_| work());
    let before = user_seconds();
    (0..MESSAGES).for_each(|_| work());
    (user_seconds() - before) * 1e6 / MESSAGES as f64
}

/// User time of this process.
fn user_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let field = stat.rsplit(')').next().unwrap().split_whitespace().nth(11).unwrap().to_owned();
    // The clock of /proc ticks 100 times a second on Linux.
    field.parse::<f64>().unwrap() / 100.0
}
