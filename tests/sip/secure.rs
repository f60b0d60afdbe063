//! SIP over TLS by openssl and baresip, with certificates that are provisioned over SOAP and read from files.

use std::fs;
use std::net::SocketAddr;

use ngn_tests::certificates::{Authority, Issued};
use ngn_tests::database::Backend;
use ngn_tests::fixture::domain;
use ngn_tests::http;
use ngn_tests::net::free_port;
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::program::Program;
use ngn_tests::record;
use ngn_tests::sip::unique;

use crate::phones::two_phones_on;

/// A platform that serves TLS at the address, with the authority that it believes.
pub(crate) fn platform(names: &str) -> (Platform, Authority, SocketAddr) {
    let authority = Authority::new().unwrap();
    let own = authority.issue("own", names).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let settings = format!(
        "[listen]\ntls = [\"{address}\"]\n[tls]\ncertificate = {:?}\nprivate_key = {:?}\nauthorities = {:?}\n",
        own.certificate,
        own.key,
        authority.file()
    );
    let p = Platform::start_with(Backend::Sqlite, &[("sipd", &settings)]);
    fs::copy(authority.file(), p.directory().join("authority.pem")).unwrap();
    (p, authority, address)
}

/// Whether the server answers an OPTIONS on this connection.
pub(crate) fn answers(connection: &mut Program, host: &str) -> bool {
    let call = unique("o");
    let request = format!(
        "OPTIONS sip:{host} SIP/2.0\nVia: SIP/2.0/TLS c.invalid;branch=z9hG4bK{call}\nMax-Forwards: 1\n\
         From: <sip:x@{host}>;tag=x\nTo: <sip:{host}>\nCall-ID: {call}\nCSeq: 1 OPTIONS\n\
         Content-Length: 0\n"
    );
    connection.type_line(&request).is_ok()
        && connection
            .wait_for("the answer", |line| (line == format!("Call-ID: {call}")).then_some(()))
            .is_ok()
}

/// Whether somebody is let believe that the server is `name`.
fn is(authority: &Authority, server: SocketAddr, name: &str) -> bool {
    answers(&mut authority.connect(server, name).unwrap(), "sip.example")
}

fn provision(p: &Platform, name: &str, issued: &Issued) {
    let text = |path| fs::read_to_string(path).unwrap();
    let changed = record! {
        domain: name, certificate: text(&issued.certificate), private_key: text(&issued.key),
    };
    p.admin().ok("Sip.updateDomain", record! { domain: changed });
    p.settle();
}

/// The one that is provisioned last is shown, to those who ask for the domain, without a restart.
#[test]
fn a_domain_gets_its_certificate_over_soap() {
    let (p, authority, server) = platform("DNS:own.example");
    domain(&p.admin(), "sip.example");
    p.settle();
    let mut early = authority.connect(server, "own.example").unwrap();
    assert!(answers(&mut early, "sip.example"));
    assert!(!is(&authority, server, "sip.example"), "it has none yet");
    provision(&p, "sip.example", &authority.issue("first", "DNS:sip.example").unwrap());
    assert!(is(&authority, server, "sip.example"));
    assert!(is(&authority, server, "own.example"), "others see the default one");
    provision(&p, "sip.example", &authority.issue("second", "DNS:changed.example").unwrap());
    assert!(!is(&authority, server, "sip.example"), "it is for another name now");
    assert!(answers(&mut early, "sip.example"), "who is connected notices nothing");
}

/// SIGHUP: new files hold from the next connection on, and no connection ends; files that are wrong change nothing.
#[test]
fn certificates_are_read_again_on_sighup() {
    let (mut p, authority, server) = platform("DNS:old.example");
    domain(&p.admin(), "sip.example");
    p.settle();
    let mut early = authority.connect(server, "old.example").unwrap();
    assert!(answers(&mut early, "sip.example"));
    authority.issue("own", "DNS:new.example").unwrap();
    p.program().signal("HUP").unwrap();
    eventually("the new certificate", || is(&authority, server, "new.example").then_some(()));
    // It is good for two days, which is warned of, and counted down by its domain.
    p.program()
        .wait_for("the warning", |line| {
            (line.contains("a certificate expires soon") && line.contains("(default)"))
                .then_some(())
        })
        .unwrap();
    let left = eventually("the time that is left", || {
        let metrics = http::get(p.admin_address(), "/metrics").unwrap().text();
        let name = "sipd_certificate_remaining_seconds{domain=\"(default)\"} ";
        metrics.lines().find_map(|line| line.strip_prefix(name)?.parse::<i64>().ok())
    });
    assert!((86_000..=2 * 86_400).contains(&left), "{left}");
    // What needs a restart is named by its key.
    let file = p.data().join("sipd.toml");
    let settings = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        format!("{settings}[registrar]\nmax_contacts = 3\n[limits]\nidle_seconds = 99\n"),
    )
    .unwrap();
    p.program().signal("HUP").unwrap();
    let told = p.program().wait_for("what needs a restart", |line| {
        line.contains("these hold after a restart").then(|| line.to_owned())
    });
    let told = told.unwrap();
    assert!(told.contains("registrar.max_contacts") && !told.contains("limits"), "{told}");
    assert!(!is(&authority, server, "old.example"));
    fs::write(authority.file().with_file_name("own.key"), "nothing").unwrap();
    p.program().signal("HUP").unwrap();
    let told = p.program().wait_for("what is wrong", |line| {
        line.contains("holds no private key").then(|| line.to_owned())
    });
    assert!(told.unwrap().contains("own.key"));
    assert!(is(&authority, server, "new.example"));
    assert!(answers(&mut early, "sip.example"));
    assert!(p.program().is_running());
}

#[test]
fn baresip_calls_baresip_over_tls() {
    let (p, _authority, server) = platform("IP:127.0.0.1,DNS:localhost");
    two_phones_on(&p, |_| server, "tls");
}
