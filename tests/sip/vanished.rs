//! A machine that vanishes: nothing that is sent to it comes back, not even that its connections are gone.
//!
//! The test runs itself again in a network of its own, which ends with it: the address of the machine that will vanish lies on one
//! end of a cable, and once it is taken away, what is sent there goes into the cable, whose other end is nobody's.

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use ngn_tests::database::Backend;
use ngn_tests::fixture::{account, domain};
use ngn_tests::platform::Platform;
use ngn_tests::program::run;
use ngn_tests::sip::{Message, Phone, Request};
use ngn_tests::wire::Wire;

use crate::fixture::DOMAIN;
use crate::messages::send;
use crate::pstn::{call, uri};
use crate::world::{reply, take};

/// Says to the test that it runs in a network of its own.
const WITHIN: &str = "NGN_TEST_OWN_NETWORK";
/// The machine that vanishes.
const MACHINE: &str = "192.0.2.2";
/// RFC 3261 section 17.1.1.2 and 17.1.2.2: timers B and F, 64 times T1.
const TIMER: Duration = Duration::from_secs(32);

fn ip(arguments: &str) {
    run(Command::new("ip").args(arguments.split(' '))).unwrap();
}

/// Runs a test of this program in a network of its own, as the owner of that network alone.
fn in_own_network(test: &str) {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(WITHIN, "yes");
    let said = run(&mut command).unwrap();
    assert!(said.contains("1 passed"), "{said}");
}

/// The final answer to a request, for as long as the timers would take, and longer.
fn outcome(phone: &Phone, request: &Request) -> Message {
    let end = Instant::now() + TIMER * 2;
    loop {
        assert!(Instant::now() < end, "no answer to {}", request.method);
        let Ok(message) = phone.receive_within(Duration::from_secs(1)) else { continue };
        if message.status() >= 200 && message.header("call-id") == Some(&request.call_id) {
            return message;
        }
    }
}

// RFC 3261 section 8.1.3.1: a request on a connection that broke failed, long before timers B and F.
#[test]
fn requests_to_a_vanished_machine_fail_soon() {
    if std::env::var_os(WITHIN).is_none() {
        return in_own_network("vanished::requests_to_a_vanished_machine_fail_soon");
    }
    ip("link set lo up");
    ip("link add near type veth peer name far");
    ip("addr add 192.0.2.1/24 dev near");
    ip(&format!("addr add {MACHINE}/32 dev near"));
    ip("link set near up");
    ip("link set far up");
    let p = Platform::start(Backend::Sqlite);
    domain(&p.admin(), DOMAIN);
    let users = ["alice", "bob", "carol"].map(|user| format!("{user}@{DOMAIN}"));
    users.iter().for_each(|user| account(&p.admin(), user));
    p.settle();
    let [alice, mut bob, carol] =
        users.each_ref().map(|user| Phone::new(p.sip_address(), user, "secret"));
    let listener = TcpListener::bind((MACHINE, 0)).unwrap();
    let contact = format!("<sip:bob@{};transport=tcp>", listener.local_addr().unwrap());
    let fields = [("Contact", contact.as_str()), ("Expires", "300")];
    assert_eq!(bob.register_with(&fields).unwrap().status(), 200);
    // It is there, and what comes over the connection is answered.
    let invite = call(&alice, &uri("bob"), &[]);
    let machine = Phone::over(Wire::accept(&listener).unwrap(), &users[1], "");
    reply(&machine, &take(&machine, "INVITE"), "486 Busy Here", "x");
    let answer = outcome(&alice, &invite);
    assert_eq!(answer.status(), 486);
    alice.send(&invite.ack(&answer).bytes(&alice)).unwrap();
    take(&machine, "ACK");
    // No neighbour is asked for, as when the machine is behind a router that knows nothing either.
    ip(&format!("addr del {MACHINE}/32 dev near"));
    ip(&format!("neigh replace {MACHINE} lladdr 02:00:00:00:00:02 dev near nud permanent"));
    let begun = Instant::now();
    let invite = call(&alice, &uri("bob"), &[]);
    let message = send(&carol, &Request::new("MESSAGE", &uri("bob"), &carol.aor(), &uri("bob")));
    let told = [outcome(&alice, &invite), outcome(&carol, &message)];
    let took = begun.elapsed();
    assert!(took < TIMER, "{took:?}: {told:?}");
    let statuses = told.map(|answer| answer.status());
    // Section 21.4.18: nobody else was there to be asked.
    assert_eq!(statuses, [480, 480], "after {took:?}");
    alice.send(&invite.ack(&answer).bytes(&alice)).unwrap();
    assert!(machine.receive_within(Duration::from_millis(1)).is_err(), "nothing came to it");
}
