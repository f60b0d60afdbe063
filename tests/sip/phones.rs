//! baresip registers, and calls another baresip.

use std::net::SocketAddr;

use ngn_tests::baresip::Baresip;
use ngn_tests::database::Backend;
use ngn_tests::platform::Platform;

use crate::fixture::{DOMAIN, accounts};

fn two_phones(transport: &str) {
    two_phones_on(&Platform::start(Backend::Sqlite), |p| p.sip_address(), transport);
}

pub(crate) fn two_phones_on(
    p: &Platform,
    proxy: impl Fn(&Platform) -> SocketAddr,
    transport: &str,
) {
    accounts(p, "phone", 2);
    let phone = |n: usize, answer| {
        let address = format!("phone{n}@{DOMAIN}");
        Baresip::start(p.directory(), &address, "secret", proxy(p), transport, answer).unwrap()
    };
    let (mut caller, mut callee) = (phone(0, false), phone(1, true));
    caller.wait_registered().unwrap();
    callee.wait_registered().unwrap();
    for _ in 0..2 {
        caller.command("dial", &format!("sip:phone1@{DOMAIN}")).unwrap();
        caller.wait_event("CALL_ESTABLISHED").unwrap();
        callee.wait_event("CALL_ESTABLISHED").unwrap();
        caller.command("hangup", "").unwrap();
        caller.wait_event("CALL_CLOSED").unwrap();
        callee.wait_event("CALL_CLOSED").unwrap();
    }
    // The other end hangs up: the request travels the other way along the recorded route.
    caller.command("dial", &format!("sip:phone1@{DOMAIN}")).unwrap();
    caller.wait_event("CALL_ESTABLISHED").unwrap();
    callee.wait_event("CALL_ESTABLISHED").unwrap();
    callee.command("hangup", "").unwrap();
    caller.wait_event("CALL_CLOSED").unwrap();
    // Nobody there.
    caller.command("dial", &format!("sip:nobody@{DOMAIN}")).unwrap();
    let closed = caller.wait_event("CALL_CLOSED").unwrap();
    assert!(closed["param"].as_str().unwrap().contains("404"), "{closed}");
}

#[test]
fn baresip_calls_baresip_over_udp() {
    two_phones("udp");
}

#[test]
fn baresip_calls_baresip_over_tcp() {
    two_phones("tcp");
}
