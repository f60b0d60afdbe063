//! Phones behind translators of addresses (NAT): where answers and calls go, and what keeps the way open.

use std::net::UdpSocket;
use std::time::Duration;

use ngn_tests::sip::{PATIENCE, Phone, Request, unique};

use crate::fixture::DOMAIN;
use crate::pstn::call;
use crate::world::{ALL, Tcp, Tls, Udp, World, Ws, hang_up, outcome, over, reply, take, talk};

/// An OPTIONS to the platform, as text, with another Via than the phone's own.
fn options(phone: &Phone, via: &str) -> (String, String) {
    let asked =
        Request::new("OPTIONS", &format!("sip:{DOMAIN}"), &phone.aor(), &format!("sip:{DOMAIN}"));
    let text = String::from_utf8(asked.bytes(phone)).unwrap();
    let own = text.split("\r\n").nth(1).unwrap().to_owned();
    (text.replacen(&own, via, 1), asked.call_id)
}

// RFC 3261 section 18.2.1, RFC 3581 section 4: the address that a request came from is noted; the port when that is asked.
#[test]
fn the_source_of_a_request_is_noted() {
    over(ALL, |world, over| {
        let phone = world.offline("alice", over);
        let transport = phone.wire().transport();
        let branch = format!("z9hG4bK{}", unique("n"));
        let via = format!("Via: SIP/2.0/{transport} 192.168.77.7:4711;branch={branch};rport;x=y");
        let (text, call_id) = options(&phone, &via);
        phone.send(text.as_bytes()).unwrap();
        let answer = phone.receive_where(|m| m.header("call-id") == Some(&call_id)).unwrap();
        let via = answer.header("via").unwrap();
        let local = phone.local();
        assert!(via.contains("received=127.0.0.1"), "{via}");
        assert!(via.contains(&format!("rport={}", local.port())), "{via}");
        assert!(via.contains("192.168.77.7:4711") && via.contains(";x=y"), "{via}");
    });
}

// RFC 3261 section 18.2.2: without rport the answer goes to the port of Via, at the address that the request came from.
#[test]
fn without_rport_the_port_of_via_counts() {
    let world = World::new();
    let phone = world.offline("alice", Udp);
    let other = UdpSocket::bind("127.0.0.1:0").unwrap();
    other.set_read_timeout(Some(PATIENCE)).unwrap();
    let port = other.local_addr().unwrap().port();
    let via = format!("Via: SIP/2.0/UDP 203.0.113.7:{port};branch=z9hG4bK{}", unique("n"));
    let (text, call_id) = options(&phone, &via);
    phone.send(text.as_bytes()).unwrap();
    let mut buffer = [0; 4096];
    let (length, _) = other.recv_from(&mut buffer).unwrap();
    let answer = String::from_utf8_lossy(&buffer[..length]);
    assert!(answer.starts_with("SIP/2.0 200") && answer.contains(&call_id), "{answer}");
}

// RFC 5626, RFC 3261 section 16: a phone whose contact means nothing outside is called where it registered from, and its
// calls go on there, whoever hangs up.
#[test]
fn phones_behind_translators_are_called() {
    over(ALL, |world, over| {
        let mut bob = world.offline("bob", over);
        let transport = bob.wire().transport().to_ascii_lowercase();
        let contact = format!("<sip:{}@10.0.0.7:5060;transport={transport}>", bob.user);
        let fields = [("Contact", contact.as_str()), ("Expires", "300")];
        assert_eq!(bob.register_with(&fields).unwrap().status(), 200);
        let alice = world.online("alice", over);
        let invite = call(&alice, &bob.aor(), &[]);
        let arrived = take(&bob, "INVITE");
        assert!(
            arrived.start.contains("@10.0.0.7:5060"),
            "its contact as it is: {}",
            arrived.start
        );
        let answer =
            ngn_tests::sip::response(&arrived, "200 OK", "callee", &[("Contact", &contact)]);
        bob.send(&answer).unwrap();
        let answered = outcome(&alice, &invite);
        let mut dialog = crate::world::Dialog::caller(&invite, &answered);
        alice.send(&dialog.request("ACK").bytes(&alice)).unwrap();
        take(&bob, "ACK");
        hang_up(&alice, &bob, &mut dialog);
    });
}

// RFC 5626 section 3.5.1: two line ends are answered by one over connections, and by nothing over UDP; the phone stays.
#[test]
fn line_ends_keep_connections_open() {
    over(&[Tcp, Tls], |world, over| {
        let bob = world.online("bob", over);
        let alice = world.online("alice", over);
        for _ in 0..3 {
            bob.send(b"\r\n\r\n").unwrap();
            assert_eq!(bob.wire().drain(Duration::from_millis(150)), b"\r\n");
        }
        let (mut ours, _) = talk(&alice, &bob);
        hang_up(&alice, &bob, &mut ours);
    });
    over(&[Udp], |world, over| {
        let bob = world.online("bob", over);
        for bytes in [&b"\r\n\r\n"[..], b"\0\0\0\0", b"\r\n", b""] {
            bob.send(bytes).unwrap();
        }
        assert!(bob.receive_within(Duration::from_millis(200)).is_err());
        let alice = world.online("alice", over);
        let (mut ours, _) = talk(&alice, &bob);
        hang_up(&alice, &bob, &mut ours);
    });
}

// RFC 5626 section 4.4.2, RFC 5389 section 7.3.1: a phone asks by STUN at the SIP port where it is seen.
#[test]
fn stun_says_where_a_phone_is() {
    let world = World::new();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let asked = *b"\x00\x01\x00\x00\x21\x12\xa4\x42twelve octet";
    socket.send_to(&asked, world.p.sip_address()).unwrap();
    let mut answer = [0; 256];
    let (length, _) = socket.recv_from(&mut answer).unwrap();
    assert_eq!((&answer[..2], &answer[4..20]), (&[1, 1][..], &asked[4..]));
    // XOR-MAPPED-ADDRESS: 0x0020, 8 octets, family 1, port and address under the cookie.
    let at = answer[20..length].windows(4).position(|w| w == [0, 0x20, 0, 8]).unwrap() + 24;
    let port = u16::from_be_bytes([answer[at + 2], answer[at + 3]]) ^ 0x2112;
    let address = [0x21, 0x12, 0xa4, 0x42].map({
        let mut n = at + 3;
        move |cookie: u8| {
            n += 1;
            answer[n] ^ cookie
        }
    });
    assert_eq!((address, port), ([127, 0, 0, 1], socket.local_addr().unwrap().port()));
}

// RFC 5626 section 7: a phone whose connection is gone cannot be called there, and is called again when it is back.
#[test]
fn a_phone_that_lost_its_connection() {
    over(&[Tcp, Tls, Ws], |world, over| {
        let user = world.account("bob");
        let mut bob = world.phone(&user, over);
        assert_eq!(bob.register(300).unwrap().status(), 200);
        drop(bob);
        let alice = world.online("alice", over);
        let to = format!("sip:{user}@{DOMAIN}");
        let gone = call(&alice, &to, &[]);
        let answer = outcome(&alice, &gone);
        assert_eq!(answer.status(), 480, "{}", answer.start);
        alice.send(&gone.ack(&answer).bytes(&alice)).unwrap();
        let mut bob = world.phone(&user, over);
        assert_eq!(bob.register(300).unwrap().status(), 200);
        let invite = call(&alice, &to, &[]);
        let arrived = take(&bob, "INVITE");
        reply(&bob, &arrived, "486 Busy Here", "x");
        assert_eq!(outcome(&alice, &invite).status(), 486);
    });
}
