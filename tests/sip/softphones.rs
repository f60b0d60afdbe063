//! Telephones that others wrote: Linphone alone, and with baresip, over each transport that they have.

use std::fs;
use std::net::SocketAddr;

use ngn_tests::baresip::Baresip;
use ngn_tests::linphone::Linphone;

use crate::fixture::DOMAIN;
use crate::world::{Over, Tcp, Tls, Udp, World, over};

fn proxy(world: &World, over: Over) -> SocketAddr {
    // Who is believed over TLS.
    fs::copy(world.authority.file(), world.p.directory().join("authority.pem")).unwrap();
    if over == Tls { world.tls } else { world.p.sip_address() }
}

fn baresip(world: &World, over: Over, user: &str, answer: bool) -> Baresip {
    let (address, server) = (format!("{user}@{DOMAIN}"), proxy(world, over));
    let transport = format!("{over:?}").to_lowercase();
    let mut phone =
        Baresip::start(world.p.directory(), &address, "secret", server, &transport, answer)
            .unwrap();
    phone.wait_registered().unwrap();
    phone
}

/// A phone that takes calls by itself, and is registered.
fn linphone(world: &World, over: Over, user: &str) -> Linphone {
    let (address, server) = (format!("{user}@{DOMAIN}"), proxy(world, over));
    let transport = format!("{over:?}").to_lowercase();
    Linphone::start(world.p.directory(), &address, "secret", server, &transport, true).unwrap()
}

/// What Linphone says.
const TALKS: &str = "Media streams established";
const IS_OVER: &str = " ended (";

/// Linphones of two new accounts that talk, and the address of the second one.
fn two_that_talk(world: &World, over: Over) -> (Linphone, Linphone, String) {
    let [one, other] = ["alice", "bob"].map(|name| world.account(name));
    let (mut alice, mut bob) = (linphone(world, over, &one), linphone(world, over, &other));
    let to = format!("sip:{other}@{DOMAIN}");
    alice.command(&format!("call {to}")).unwrap();
    alice.wait_for(TALKS).unwrap();
    bob.wait_for(TALKS).unwrap();
    (alice, bob, to)
}

// RFC 3261 sections 10, 13, 14 and 15: Linphone registers, calls Linphone, holds the call and takes it up again, and either
// hangs up.
#[test]
fn linphone_calls_linphone() {
    over(&[Udp, Tcp, Tls], |world, over| {
        let (mut alice, mut bob, to) = two_that_talk(world, over);
        alice.command("pause").unwrap();
        bob.wait_for("has been paused by").unwrap();
        alice.wait_for("is now paused").unwrap();
        alice.command("resume 1").unwrap();
        alice.wait_for(TALKS).unwrap();
        bob.wait_for(TALKS).unwrap();
        alice.command("terminate").unwrap();
        alice.wait_for(IS_OVER).unwrap();
        bob.wait_for(IS_OVER).unwrap();
        alice.command(&format!("call {to}")).unwrap();
        alice.wait_for(TALKS).unwrap();
        bob.wait_for(TALKS).unwrap();
        bob.command("terminate").unwrap();
        alice.wait_for(IS_OVER).unwrap();
    });
}

// RFC 3261 sections 13, 15 and 21.4: Linphone calls baresip, baresip calls Linphone, and nobody takes Linphone's last call.
#[test]
fn linphone_and_baresip_call_each_other() {
    over(&[Udp, Tcp, Tls], |world, over| {
        let [one, other] = ["alice", "bob"].map(|name| world.account(name));
        let (mut alice, mut bob) =
            (linphone(world, over, &one), baresip(world, over, &other, true));
        alice.command(&format!("call sip:{other}@{DOMAIN}")).unwrap();
        alice.wait_for(TALKS).unwrap();
        bob.wait_event("CALL_ESTABLISHED").unwrap();
        bob.command("hangup", "").unwrap();
        alice.wait_for(IS_OVER).unwrap();
        bob.command("dial", &format!("sip:{one}@{DOMAIN}")).unwrap();
        bob.wait_event("CALL_ESTABLISHED").unwrap();
        alice.wait_for(TALKS).unwrap();
        alice.command("terminate").unwrap();
        bob.wait_event("CALL_CLOSED").unwrap();
        alice.command(&format!("call sip:nobody@{DOMAIN}")).unwrap();
        alice.wait_for("error").unwrap();
    });
}

// RFC 3515: Linphone sends its caller to baresip.
#[test]
fn linphone_transfers_to_baresip() {
    over(&[Udp, Tcp, Tls], |world, over| {
        let third = world.account("carol");
        let mut carol = baresip(world, over, &third, true);
        let (mut alice, mut bob, _) = two_that_talk(world, over);
        bob.command(&format!("transfer 1 sip:{third}@{DOMAIN}")).unwrap();
        carol.wait_event("CALL_ESTABLISHED").unwrap();
        alice.wait_for(TALKS).unwrap();
        bob.wait_for(IS_OVER).unwrap();
        carol.command("hangup", "").unwrap();
        alice.wait_for(IS_OVER).unwrap();
    });
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
