//! SIP over WebSocket by JsSIP, the library of browsers' phones.

use std::net::SocketAddr;
use std::process::Command;

use ngn_tests::binaries::{root, target};
use ngn_tests::database::Backend;
use ngn_tests::net::free_port;
use ngn_tests::platform::Platform;
use ngn_tests::program::run;

use crate::fixture::{DOMAIN, accounts};

/// Two user agents register, and one sends the other a message, which is answered.
#[test]
fn jssip_registers_and_is_reached() {
    let library = target().join("node/node_modules/jssip");
    assert!(library.is_dir(), "{} is missing; tests/bin/tools install makes it", library.display());
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let settings = format!("[listen]\nws = [\"{address}\"]\n");
    let p = Platform::start_with(Backend::Sqlite, &[("sipd", &settings)]);
    accounts(&p, "web", 2);
    let mut command = Command::new("node");
    command.args(["--experimental-websocket", "tests/sip/jssip.js"]).current_dir(root());
    command.env("JSSIP", &library).env("SERVER", format!("ws://{address}")).env("DOMAIN", DOMAIN);
    let said = run(&mut command).unwrap();
    assert_eq!(said.lines().last(), Some("web1 got: hello from web0"), "{said}");
}
