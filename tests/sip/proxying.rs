//! What RFC 3261 section 16 asks of a proxy, over each transport: hops, loops, routes, sizes, extensions.

use std::net::{SocketAddr, TcpListener};

use ngn_tests::net::free_port;
use ngn_tests::platform::eventually;
use ngn_tests::sip::{Message, Phone, Request, unique};
use ngn_tests::wire::Wire;

use crate::fixture::DOMAIN;
use crate::pstn::call;
use crate::world::{
    ALL, Dialog, Tls, Udp, World, Ws, hang_up, outcome, over, pass, reply, reply_with, take, talk,
    told, uri_of,
};

/// An INVITE of somebody who has no account here, and is asked for no password.
fn stranger(world: &World, over: crate::world::Over, to: &str) -> (Phone, Request) {
    let phone = Phone::over(world.wire(over), "stranger@elsewhere.example", "");
    let invite = Request::new("INVITE", to, &phone.aor(), to)
        .with("Contact", &format!("<{}>", phone.contact()));
    (phone, invite)
}

fn with_line(request: &Request, phone: &Phone, from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(request.bytes(phone)).unwrap();
    let changed = text.replacen(from, to, 1);
    assert_ne!(text, changed, "the change changes nothing");
    changed.into_bytes()
}

// Section 16.3 step 3, 16.6 step 3: one hop less each time, and 483 when there are none left, except at the last one.
#[test]
fn hops_are_counted() {
    over(ALL, |world, over| {
        let bob = world.online("bob", over);
        let (phone, invite) = stranger(world, over, &bob.aor());
        phone.send(&with_line(&invite, &phone, "Max-Forwards: 70", "Max-Forwards: 0")).unwrap();
        assert_eq!(outcome(&phone, &invite).status(), 483);
        let (phone, invite) = stranger(world, over, &bob.aor());
        phone.send(&with_line(&invite, &phone, "Max-Forwards: 70", "Max-Forwards: 1")).unwrap();
        let arrived = take(&bob, "INVITE");
        assert_eq!(arrived.header("max-forwards"), Some("0"));
        reply(&bob, &arrived, "486 Busy Here", "x");
        assert_eq!(outcome(&phone, &invite).status(), 486);
        let (phone, invite) = stranger(world, over, &bob.aor());
        phone.send(&with_line(&invite, &phone, "Max-Forwards: 70\r\n", "")).unwrap();
        let arrived = take(&bob, "INVITE");
        assert_eq!(arrived.header("max-forwards"), Some("70"), "section 16.6 step 3");
        reply(&bob, &arrived, "486 Busy Here", "x");
    });
}

// Section 16.3 step 5: extensions that a proxy would have to know; those of phones are none of its business (20.32).
#[test]
fn extensions_of_proxies_and_of_phones() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let asked = Request::new("INVITE", &bob.aor(), &alice.aor(), &bob.aor())
            .with("Contact", &format!("<{}>", alice.contact()))
            .with("Proxy-Require", "teleport, privacy");
        let refused = alice.transact(&asked).unwrap();
        assert_eq!(refused.status(), 420);
        let unsupported = refused.all("unsupported").join(",");
        assert!(unsupported.contains("teleport"), "{unsupported}");
        alice.send(&asked.ack(&refused).bytes(&alice)).unwrap();
        let invite = call(&alice, &bob.aor(), &[("Require", "teleport"), ("Supported", "x, y")]);
        let arrived = take(&bob, "INVITE");
        assert_eq!(
            (arrived.header("require"), arrived.header("supported")),
            (Some("teleport"), Some("x, y"))
        );
        reply_with(&bob, &arrived, "420 Bad Extension", "x", &[("Unsupported", "teleport")]);
        let answer = outcome(&alice, &invite);
        assert_eq!((answer.status(), answer.header("unsupported")), (420, Some("teleport")));
    });
}

/// What a proxy makes of a request that it passes on: one hop less, and its own Via on top.
fn forwarded(message: &Message, uri: &str, phone: &Phone) -> Vec<u8> {
    let transport = phone.wire().transport();
    let mut text = format!(
        "{} {uri} SIP/2.0\r\nVia: SIP/2.0/{transport} {};branch=z9hG4bK{};rport\r\n",
        message.method(),
        phone.sent_by(),
        unique("p")
    );
    for (name, value) in &message.headers {
        let hops = value.parse::<u32>().map_or(0, |hops| hops.saturating_sub(1));
        match name.as_str() {
            "max-forwards" => text.push_str(&format!("Max-Forwards: {hops}\r\n")),
            _ => text.push_str(&format!("{name}: {value}\r\n")),
        }
    }
    text.push_str("\r\n");
    text.into_bytes()
}

// Section 16.3 step 4: what comes back as it was is a loop; what comes back for somebody else is a spiral, and goes on.
#[test]
fn loops_end_and_spirals_go_on() {
    over(ALL, |world, over| {
        let (bob, carol) = (world.online("bob", over), world.online("carol", over));
        let (phone, invite) = stranger(world, over, &bob.aor());
        phone.send(&invite.bytes(&phone)).unwrap();
        let arrived = take(&bob, "INVITE");
        // Bob's phone is a proxy, and sends it on to carol, and back to where it was for.
        bob.send(&forwarded(&arrived, &carol.aor(), &bob)).unwrap();
        let spiralled = take(&carol, "INVITE");
        assert_eq!(
            spiralled.all("via").join(",").matches("branch=").count(),
            4,
            "two of the platform's"
        );
        reply(&carol, &spiralled, "480 Away", "c");
        assert_eq!(told(&bob, 480).start, "SIP/2.0 480 Away");
        bob.send(&forwarded(&arrived, &bob.aor(), &bob)).unwrap();
        let again = bob.receive_where(|m| m.method() == "INVITE" || m.status() == 482).unwrap();
        if again.method() == "INVITE" {
            // It came from another address than the first time, so it might have gone elsewhere; now it is the same.
            bob.send(&forwarded(&again, &bob.aor(), &bob)).unwrap();
            told(&bob, 482);
        }
        reply(&bob, &arrived, "486 Busy Here", "b");
        assert_eq!(outcome(&phone, &invite).status(), 486);
    });
}

// Section 16.4: a phone that knows strict routes alone puts ours into the Request-URI, and its target last.
#[test]
fn strict_routers_are_understood() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let (mut ours, _) = talk(&alice, &bob);
        let loose = ours.request("INFO");
        let mut routes: Vec<_> = loose.headers.iter().map(|(_, route)| uri_of(route)).collect();
        routes.push(loose.uri.clone());
        let first = routes.remove(0);
        let mut strict = Request { uri: first, headers: Vec::new(), ..loose.clone() };
        for route in routes {
            strict = strict.with("Route", &format!("<{route}>"));
        }
        let (arrived, answer) = pass(&alice, &bob, &strict, "200 OK", "");
        assert_eq!(arrived.start, format!("INFO {} SIP/2.0", loose.uri));
        assert_eq!((answer.status(), arrived.header("route")), (200, None));
    });
}

// Section 16.12, 26.3: routes that we did not make lead nowhere without a password.
#[test]
fn made_up_routes_relay_nothing() {
    over(ALL, |world, over| {
        let server = Phone::new(world.p.sip_address(), "x@other.example", "");
        let (phone, invite) = stranger(world, over, &format!("sip:x@{}", server.local()));
        for route in [
            format!("<sip:{};lr>", world.p.sip_address()),
            format!("<sip:{DOMAIN};lr>"),
            format!("<sip:{};lr>", server.local()),
        ] {
            let mut invite = invite.clone().with("Route", &route);
            invite.branch = format!("z9hG4bK{}", unique("r"));
            invite.call_id = unique("r");
            let answer = phone.transact(&invite).unwrap();
            assert!(matches!(answer.status(), 403 | 404 | 407), "{route}: {}", answer.start);
            phone.send(&invite.ack(&answer).bytes(&phone)).unwrap();
            let inside = Request {
                to_parameters: ";tag=x".into(),
                method: "BYE".into(),
                cseq: 2,
                ..invite.clone()
            };
            let inside = Request { branch: format!("z9hG4bK{}", unique("r")), ..inside };
            let answer = phone.transact(&inside).unwrap();
            assert!(answer.status() >= 400, "{route}: {}", answer.start);
        }
        assert!(
            server.receive_within(std::time::Duration::from_millis(200)).is_err(),
            "it was relayed"
        );
    });
}

/// Bob's phone, registered, which listens by UDP and TCP at one port.
fn by_both(world: &World) -> (Phone, TcpListener) {
    let bob = world.account("bob");
    let (mut bob, listener) = eventually("a port free for both", || {
        let bob = world.phone(&bob, Udp);
        // Somebody else may have that port.
        TcpListener::bind(bob.local()).ok().map(|listener| (bob, listener))
    });
    assert_eq!(bob.register(300).unwrap().status(), 200);
    (bob, listener)
}

// Section 18.1.1: a request that is too large for a datagram goes over TCP, and its answer comes back over UDP or whatever
// the caller speaks; inside the call, small requests go over UDP.
#[test]
fn large_requests_go_over_tcp() {
    over(ALL, |world, over| {
        let alice = world.online("alice", over);
        let (bob, listener) = by_both(world);
        let by_tcp = |size: usize| {
            let text = "x".repeat(size);
            let invite = call(&alice, &bob.aor(), &[("Subject", &text)]);
            let at = Phone::over(
                Wire::accept(&listener).unwrap(),
                &format!("{}@{DOMAIN}", bob.user),
                "",
            );
            let arrived = take(&at, "INVITE");
            assert_eq!(arrived.header("subject"), Some(text.as_str()));
            assert!(arrived.header("via").unwrap().starts_with("SIP/2.0/TCP"), "section 18.1.1");
            (invite, at, arrived)
        };
        let (invite, at, arrived) = by_tcp(1_500);
        reply(&at, &arrived, "486 Busy Here", "x");
        let answer = outcome(&alice, &invite);
        assert_eq!((answer.status(), answer.all("via").len()), (486, 1));
        alice.send(&invite.ack(&answer).bytes(&alice)).unwrap();
        let invite = call(&alice, &bob.aor(), &[("Subject", "short")]);
        let arrived = take(&bob, "INVITE");
        reply(&bob, &arrived, "486 Busy Here", "x");
        assert_eq!(outcome(&alice, &invite).status(), 486);
    });
}

// Section 8.1.3.1: a connection that is reset before anybody answered fails the request at once, which section 18.1.1 sends over
// UDP then.
#[test]
fn a_connection_that_is_reset_fails_its_requests() {
    over(ALL, |world, over| {
        let alice = world.online("alice", over);
        let (bob, listener) = by_both(world);
        listener.set_nonblocking(true).unwrap();
        let text = "x".repeat(1_500);
        let invite = call(&alice, &bob.aor(), &[("Subject", &text)]);
        let stream = eventually("a connection", || listener.accept().ok()).0;
        stream.set_nonblocking(false).unwrap();
        // Octets that nobody reads make the system reset it.
        assert_eq!(stream.peek(&mut [0]).unwrap(), 1);
        drop(stream);
        let arrived = take(&bob, "INVITE");
        assert_eq!(arrived.header("subject"), Some(text.as_str()));
        assert!(arrived.header("via").unwrap().starts_with("SIP/2.0/UDP"), "{arrived:?}");
        reply(&bob, &arrived, "486 Busy Here", "x");
        let answer = outcome(&alice, &invite);
        assert_eq!((answer.status(), answer.all("via").len()), (486, 1));
        alice.send(&invite.ack(&answer).bytes(&alice)).unwrap();
    });
}

// Section 18.1.2, 18.3: an answer of 20,000 octets, and a request of as many, pass whole over connections.
#[test]
fn large_messages_pass_whole() {
    over(&[crate::world::Tcp, Tls, Ws], |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let (mut ours, mut theirs) = talk(&alice, &bob);
        let body: String = (0..5_000).map(|n| format!("{:03} ", n % 1_000)).collect();
        let large = Request { body: body.clone(), ..ours.request("INFO") };
        let (arrived, _) = pass(&alice, &bob, &large, "200 OK", "");
        assert_eq!(arrived.body, body);
        let asked = theirs.request("INFO");
        bob.send(&asked.bytes(&bob)).unwrap();
        let at = take(&alice, "INFO");
        let text = "y".repeat(20_000);
        reply_with(&alice, &at, "200 OK", "", &[("X-Long", &text)]);
        assert_eq!(told(&bob, 200).header("x-long"), Some(text.as_str()));
    });
}

// RFC 5658 section 3, RFC 3261 section 16.6 step 4: calls between IPv4 and IPv6 record a route for each.
#[test]
fn calls_between_ipv4_and_ipv6() {
    let tls = SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], free_port()));
    let authority = ngn_tests::certificates::Authority::new().unwrap();
    let own = authority.issue("own", "DNS:localhost").unwrap();
    let settings = format!(
        "[listen]\ntls = [\"{tls}\"]\n[tls]\ncertificate = {:?}\nprivate_key = {:?}\n",
        own.certificate, own.key
    );
    let p = ngn_tests::Platform::start_with(
        ngn_tests::database::Backend::Sqlite,
        &[("sipd", &settings)],
    );
    crate::fixture::accounts(&p, "u", 2);
    let mut alice = Phone::new(p.sip_address(), &format!("u0@{DOMAIN}"), "secret");
    let wire = Wire::tls(tls, "localhost", &authority.file()).unwrap();
    let mut bob = Phone::over(wire, &format!("u1@{DOMAIN}"), "secret");
    for phone in [&mut alice, &mut bob] {
        assert_eq!(phone.register(300).unwrap().status(), 200);
    }
    assert!(bob.contact().contains("@[::1]:"), "{}", bob.contact());
    let (mut ours, mut theirs) = talk(&alice, &bob);
    assert_eq!(ours.routes().len(), 2);
    assert!(
        ours.routes()[0].contains("127.0.0.1") && ours.routes()[1].contains("[::1]"),
        "{:?}",
        ours.routes()
    );
    let (_, answer) = pass(&bob, &alice, &theirs.request("INFO"), "200 OK", "");
    assert_eq!(answer.status(), 200);
    hang_up(&alice, &bob, &mut ours);
}

// Section 16.6 step 4, 16.7: a proxy changes what it must and leaves the rest, order, spelling and spaces included.
#[test]
fn the_rest_is_left_as_it_was() {
    over(ALL, |world, over| {
        let bob = world.online("bob", over);
        let (phone, mut invite) = stranger(world, over, &bob.aor());
        let odd = [
            ("X-One", "a,b ;c"),
            ("s", "compact  form"),
            ("x-one", "\"quoted, \\\" comma\""),
            ("P-Unknown", "<sip:x@y;z>;q"),
            ("Accept-Language", "da, en-gb;q=0.8"),
            ("Date", "Sat, 13 Nov 2010 23:29:00 GMT"),
        ];
        for (name, value) in odd {
            invite = invite.with(name, value);
        }
        invite.body = "not\0text".to_owned();
        phone.send(&invite.bytes(&phone)).unwrap();
        let arrived = take(&bob, "INVITE");
        let kept: Vec<_> = arrived
            .headers
            .iter()
            .filter(|(name, _)| odd.iter().any(|(odd, _)| odd.eq_ignore_ascii_case(name)))
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(kept, odd.map(|(_, value)| value));
        assert_eq!(arrived.body, invite.body);
        reply_with(
            &bob,
            &arrived,
            "486 Besetzt",
            "x",
            &[("Warning", "399 x \"y\""), ("X-Two", " z  z")],
        );
        let answer = outcome(&phone, &invite);
        assert_eq!(answer.start, "SIP/2.0 486 Besetzt");
        assert_eq!(
            (answer.header("warning"), answer.header("x-two")),
            (Some("399 x \"y\""), Some("z  z"))
        );
    });
}

// Section 16.6 step 4: every answer that makes a dialog shows the routes, and a request inside it does not add any.
#[test]
fn routes_are_recorded_once() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let invite = call(&alice, &bob.aor(), &[]);
        let arrived = take(&bob, "INVITE");
        let recorded = arrived.all("record-route").len();
        assert!(recorded > 0);
        reply(&bob, &arrived, "180 Ringing", "callee");
        assert_eq!(told(&alice, 180).all("record-route").len(), recorded);
        reply(&bob, &arrived, "200 OK", "callee");
        let answered = outcome(&alice, &invite);
        assert_eq!(answered.all("record-route"), arrived.all("record-route"));
        let mut dialog = Dialog::caller(&invite, &answered);
        alice.send(&dialog.request("ACK").bytes(&alice)).unwrap();
        take(&bob, "ACK");
        let (inside, _) = pass(&alice, &bob, &dialog.request("INFO"), "200 OK", "");
        assert_eq!((inside.header("route"), inside.all("via").len()), (None, 2));
    });
}

// Section 16.7 step 3: a response whose second Via is not that of who asked, or that answers nothing, goes nowhere.
#[test]
fn responses_to_nothing_are_dropped() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let invite = call(&alice, &bob.aor(), &[]);
        let arrived = take(&bob, "INVITE");
        let made_up = Message {
            headers: arrived
                .headers
                .iter()
                .map(|(name, value)| match name.as_str() {
                    "via" => (name.clone(), value.replacen("branch=z9hG4bK", "branch=z9hG4bKx", 1)),
                    _ => (name.clone(), value.clone()),
                })
                .collect(),
            ..arrived.clone()
        };
        reply(&bob, &made_up, "486 Busy Here", "x");
        reply(&bob, &arrived, "180 Ringing", "y");
        let ringing = alice.receive_where(|m| m.status() >= 180).unwrap();
        assert_eq!(ringing.status(), 180);
        reply(&bob, &arrived, "480 Away", "y");
        assert_eq!(outcome(&alice, &invite).status(), 480);
    });
}
