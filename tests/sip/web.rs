//! SIP over WebSocket by JsSIP, the library of browsers' phones.

use std::net::SocketAddr;
use std::process::Command;

use ngn_tests::binaries::{root, target};
use ngn_tests::certificates::Authority;
use ngn_tests::database::Backend;
use ngn_tests::net::free_port;
use ngn_tests::platform::Platform;
use ngn_tests::program::run;

use crate::fixture::{DOMAIN, accounts};

/// What the script says, with two accounts, `web0` and `web1`, and with the library and the server in its environment.
fn script(p: &Platform, name: &str, server: &str, more: &[(&str, String)]) -> String {
    let libraries = target().join("node/node_modules");
    let (jssip, wrtc) = (libraries.join("jssip"), libraries.join("@roamhq/wrtc"));
    for library in [&jssip, &wrtc] {
        assert!(
            library.is_dir(),
            "{} is missing; tests/bin/tools install makes it",
            library.display()
        );
    }
    accounts(p, "web", 2);
    let mut command = Command::new("node");
    command.arg("--experimental-websocket").arg(format!("tests/sip/{name}")).current_dir(root());
    command.env("JSSIP", jssip).env("WRTC", wrtc).env("SERVER", server).env("DOMAIN", DOMAIN);
    command.envs(more.iter().map(|(key, value)| (key, value)));
    run(&mut command).unwrap()
}

fn address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], free_port()))
}

/// A platform with WebSocket at the address.
fn plain(address: SocketAddr) -> Platform {
    Platform::start_with(Backend::Sqlite, &[("sipd", &format!("[listen]\nws = [\"{address}\"]\n"))])
}

const CALLS: &str = "both hear each other\nheld and taken up again\nweb1 got digit 7\nended: Terminated\n\
                     refused: Busy\ngiven up: Canceled\n";

/// Two user agents register, and one sends the other a message, which is answered.
#[test]
fn jssip_registers_and_is_reached() {
    let address = address();
    let p = plain(address);
    let said = script(&p, "jssip.js", &format!("ws://{address}"), &[]);
    assert_eq!(said.lines().last(), Some("web1 got: hello from web0"), "{said}");
}

/// Calls with voice over WebRTC: answered, held, with digits, ended, refused and given up.
#[test]
fn jssip_calls_jssip_over_ws() {
    let address = address();
    let p = plain(address);
    assert_eq!(script(&p, "jssip_calls.js", &format!("ws://{address}"), &[]), CALLS);
}

/// The same over secure WebSocket, with a certificate that the script's own checks accept.
#[test]
fn jssip_calls_jssip_over_wss() {
    let authority = Authority::new().unwrap();
    let own = authority.issue("own", "DNS:localhost,IP:127.0.0.1").unwrap();
    let address = address();
    let settings = format!(
        "[listen]\nwss = [\"{address}\"]\n[tls]\ncertificate = {:?}\nprivate_key = {:?}\n",
        own.certificate, own.key
    );
    let p = Platform::start_with(Backend::Sqlite, &[("sipd", &settings)]);
    let believed = [("NODE_EXTRA_CA_CERTS", authority.file().display().to_string())];
    assert_eq!(script(&p, "jssip_calls.js", &format!("wss://{address}"), &believed), CALLS);
}
