//! Kamailio authenticates a REGISTER against our subscribers.

use std::net::SocketAddr;
use std::process::Command;

use ngn_tests::database::{Backend, Server};
use ngn_tests::fixture::{account, domain, subscriber};
use ngn_tests::net::free_port;
use ngn_tests::platform::Platform;
use ngn_tests::program::Program;
use ngn_tests::sip::{Phone, md5_hex};
use ngn_tests::{record, sip_id};

use crate::configuration;

fn start(p: &Platform) -> (Program, SocketAddr) {
    let port = free_port();
    let database = p.database.name.as_deref().unwrap();
    let url = format!("mysql://root@127.0.0.1:{}/{database}", Server::shared().port());
    let path = configuration(p, "kamailio.cfg", &[("PORT", &port.to_string()), ("DBURL", &url)]);
    let mut command = Command::new("kamailio");
    command.arg("-f").arg(path).args(["-DD", "-E", "-m", "32", "-w"]).arg(p.directory());
    command.arg("-Y").arg(p.directory()).arg("-P").arg(p.directory().join("kamailio.pid"));
    let program = Program::start_with("kamailio", command, "TERM").unwrap();
    (program, SocketAddr::from(([127, 0, 0, 1], port)))
}

#[test]
fn kamailio_authenticates_our_subscribers() {
    let p = Platform::start(Backend::MariaDb);
    let admin = p.admin();
    for name in ["example.com", "example.net"] {
        domain(&admin, name);
        account(&admin, &format!("alice@{name}"));
    }
    let (mut running, kamailio) = start(&p);
    let register = |address: &str, password: &str| {
        // The first datagram may come before the socket; transactions repeat it.
        Phone::new(kamailio, address, password).register(60).unwrap().status()
    };
    assert_eq!(register("alice@example.com", "secret"), 200);
    assert_eq!(register("alice@example.net", "secret"), 200);
    assert_eq!(register("alice@example.com", "wrong"), 401);
    assert_eq!(register("bob@example.com", "secret"), 401);
    // Digests instead of clear text, and a change while it runs.
    let digests = format!(
        "{}:{}",
        md5_hex("alice:example.com:new"),
        md5_hex("alice@example.com:example.com:new")
    );
    admin.ok(
        "Sip.updateAccount",
        record! { account: subscriber("alice@example.com").with("password", digests) },
    );
    assert_eq!(register("alice@example.com", "new"), 200);
    assert_eq!(register("alice@example.com", "secret"), 401);
    admin.ok("Sip.deleteAccount", record! { sipId: sip_id("alice@example.com") });
    assert_eq!(register("alice@example.com", "new"), 401);
    running.stop().unwrap();
}
