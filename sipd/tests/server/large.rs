//! Requests that are too large for UDP (RFC 3261 section 18.1.1).

use crate::phone::Phone;
use crate::scene::{PASSWORD, Scene};
use ngn_sip::message::{Message, Method};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};

/// A body that takes a request beyond 1300 octets.
fn large() -> &'static str {
    Box::leak("v=0\r\n".repeat(300).into_boxed_str())
}

/// A server elsewhere, on UDP and TCP, or on UDP alone: then nobody listens on the TCP port.
async fn elsewhere(is_on_tcp: bool) -> (UdpSocket, Option<TcpListener>, SocketAddr) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = udp.local_addr().unwrap();
        let tcp = TcpListener::bind(address).await;
        match (tcp, is_on_tcp) {
            (Ok(tcp), true) => return (udp, Some(tcp), address),
            (Ok(_), false) => return (udp, None, address),
            (Err(_), _) => {}
        }
    }
}

async fn over_udp(socket: &UdpSocket) -> Message {
    let mut buffer = vec![0; 65_535];
    let received = tokio::time::timeout(Duration::from_secs(10), socket.recv_from(&mut buffer));
    let (length, _) = received.await.expect("in time").unwrap();
    Message::parse(buffer[..length].to_vec().into(), &Default::default()).unwrap()
}

#[tokio::test]
async fn rfc3261_18_1_1_large_requests_go_over_tcp() {
    let scene = Scene::new().await;
    let mut alice = scene.phone("alice").await;
    let (udp, tcp, address) = elsewhere(true).await;
    let uri = format!("sip:x@{address}");
    let invite = alice.challenged("INVITE", &uri, "small", PASSWORD, "").await;
    let small = over_udp(&udp).await;
    assert_eq!(small.top_via().unwrap().transport().as_str(), "UDP");
    let server = scene.udp();
    udp.send_to(&small.response(486, "Busy Here", Some("s")).to_vec(), server).await.unwrap();
    let busy = alice.last_of("small").await;
    alice.ack(&invite, &busy).await;
    alice.body = large();
    let invite = alice.challenged("INVITE", &uri, "large", PASSWORD, "").await;
    let (stream, _) = tcp.unwrap().accept().await.unwrap();
    let mut there = Phone::on("server", Box::new(stream), address, "TCP");
    let at = there.next_request(&Method::Invite).await;
    assert_eq!(at.top_via().unwrap().transport().as_str(), "TCP");
    // Later requests of the dialog may be small, and find their way by themselves.
    let routes = at.record_routes().unwrap();
    assert!(routes.iter().all(|route| route.uri().param("transport").is_none()), "{routes:?}");
    there.send(&at.response(486, "Busy Here", Some("s"))).await;
    let busy = alice.last_of("large").await;
    assert_eq!(busy.status(), Some(486));
    alice.ack(&invite, &busy).await;
    scene.stop().await;
}

/// "If ... the connection attempt fails, ... it SHOULD retry the request, using UDP".
#[tokio::test]
async fn rfc3261_18_1_1_and_over_udp_where_there_is_no_tcp() {
    let scene = Scene::new().await;
    let mut alice = scene.phone("alice").await;
    alice.body = large();
    let (udp, _, address) = elsewhere(false).await;
    for call in ["first", "second"] {
        let uri = format!("sip:x@{address}");
        let invite = alice.challenged("INVITE", &uri, call, PASSWORD, "").await;
        let mut at = over_udp(&udp).await;
        while at.method() != Some(&Method::Invite) {
            at = over_udp(&udp).await;
        }
        assert_eq!(at.top_via().unwrap().transport().as_str(), "UDP");
        let busy = at.response(486, "Busy Here", Some("s"));
        udp.send_to(&busy.to_vec(), scene.udp()).await.unwrap();
        let busy = alice.last_of(call).await;
        assert_eq!(busy.status(), Some(486), "{call}");
        alice.ack(&invite, &busy).await;
    }
    scene.stop().await;
}

/// Where UDP is what leads through a NAT, or where it is asked for, nothing is tried over TCP.
#[tokio::test]
async fn phones_behind_nat_get_large_requests_over_udp() {
    for never in [false, true] {
        let scene = Scene::with(|config| {
            if never {
                config.proxy.largest_datagram = 0;
            }
        })
        .await;
        let mut alice = scene.phone("alice").await;
        alice.body = large();
        let mut bob = scene.phone("bob").await;
        if !never {
            bob.contact = Some("sip:bob@192.168.200.1:5060".to_owned());
        }
        let there = TcpListener::bind(bob.address()).await.unwrap();
        assert_eq!(bob.register("r", PASSWORD).await, 200);
        alice.call("bob", "c").await;
        let at = bob.next_request(&Method::Invite).await;
        assert_eq!(at.top_via().unwrap().transport().as_str(), "UDP");
        let came = tokio::time::timeout(Duration::from_millis(200), there.accept()).await;
        assert!(came.is_err(), "nobody came over TCP");
        scene.stop().await;
    }
}
