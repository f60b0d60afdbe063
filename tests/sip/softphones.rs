//! Telephones that others wrote, over each transport that they have.

use std::fs;

use ngn_tests::baresip::Baresip;

use crate::fixture::DOMAIN;
use crate::world::{Over, Tcp, Tls, Udp, World, over};

fn baresip(world: &World, over: Over, user: &str, answer: bool) -> Baresip {
    let address = format!("{user}@{DOMAIN}");
    // Who is believed over TLS.
    fs::copy(world.authority.file(), world.p.directory().join("authority.pem")).unwrap();
    let server = if over == Tls { world.tls } else { world.p.sip_address() };
    let mut phone = Baresip::start(
        world.p.directory(),
        &address,
        "secret",
        server,
        &format!("{over:?}").to_lowercase(),
        answer,
    )
    .unwrap();
    phone.wait_registered().unwrap();
    phone
}

// RFC 3261 sections 9 and 21.4: baresip gives up while it rings, and is rejected.
#[test]
fn baresip_gives_up_and_is_rejected() {
    over(&[Udp, Tcp, Tls], |world, over| {
        let [one, other] = ["alice", "bob"].map(|name| world.account(name));
        let mut phones = [one, other.clone()].map(|user| baresip(world, over, &user, false));
        for hangs_up in [0, 1] {
            phones[0].command("dial", &format!("sip:{other}@{DOMAIN}")).unwrap();
            phones[0].wait_event("CALL_RINGING").unwrap();
            phones[1].wait_event("CALL_INCOMING").unwrap();
            phones[hangs_up].command("hangup", "").unwrap();
            let closed = phones[0].wait_event("CALL_CLOSED").unwrap();
            phones[1].wait_event("CALL_CLOSED").unwrap();
            let why = closed["param"].as_str().unwrap();
            assert!(hangs_up == 0 || why.contains("486"), "{closed}");
        }
    });
}
