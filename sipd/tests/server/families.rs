//! IPv6 beside IPv4, on every transport.

use crate::certificates::Authority;
use crate::phone::{Phone, hang_up, talk};
use crate::scene::{PASSWORD, Scene};
use ngn_sip::message::Method;
use std::net::SocketAddr;

fn both() -> Vec<SocketAddr> {
    vec!["127.0.0.1:0".parse().unwrap(), "[::1]:0".parse().unwrap()]
}

/// RFC 5658 section 3: where the family changes, each side has an entry of its own that it can reach.
#[tokio::test]
async fn rfc5658_3_calls_between_families_either_hangs_up() {
    let authority = Authority::new();
    let scene = Scene::with(|config| {
        authority.configure(config);
        (config.listen.udp, config.listen.tcp) = (both(), both());
        (config.listen.tls, config.listen.ws) = (both(), both());
    })
    .await;
    let server = &scene.server;
    for bound in [&server.udp, &server.tcp, &server.tls, &server.ws] {
        assert!(bound[0].is_ipv4() && bound[1].is_ipv6());
    }
    let mut alice = Phone::udp("alice", server.udp[0]).await;
    let mut called = [
        Phone::udp("bob", server.udp[1]).await,
        Phone::tcp("bob", server.tcp[1]).await,
        authority.phone("bob", server.tls[1]).await,
    ];
    for (n, bob) in called.iter_mut().enumerate() {
        assert_eq!(bob.register(&format!("r{n}"), PASSWORD).await, 200);
        let call = format!("c{n}");
        let (answered, invite) = talk(&mut alice, bob, &call).await;
        let routes = invite.record_routes().unwrap();
        let hosts: Vec<_> = routes.iter().map(|route| route.uri().host_text()).collect();
        assert_eq!(hosts, ["[::1]", "127.0.0.1"]);
        hang_up(&mut alice, bob, &answered).await;
        let (_, invite) = talk(&mut alice, bob, &format!("d{n}")).await;
        let bye = bob.within_called(&invite, "BYE");
        bob.send(&bye).await;
        let at_alice = alice.next_request(&Method::Bye).await;
        alice.send(&at_alice.response(200, "OK", None)).await;
        assert_eq!(bob.last().await.status(), Some(200));
        let end = "Expires: 0\r\n";
        bob.challenged("REGISTER", "sip:example.com", &format!("u{n}"), PASSWORD, end).await;
        assert_eq!(bob.last_of(&format!("u{n}")).await.status(), Some(200));
    }
    scene.stop().await;
}

/// Each family has sockets of its own: both wildcard addresses may be listened on with one port.
#[tokio::test]
async fn wildcard_addresses_stand_beside_each_other() {
    let scene = Scene::with(|config| {
        config.listen.udp = vec!["0.0.0.0:0".parse().unwrap()];
        config.listen.tcp = vec!["0.0.0.0:0".parse().unwrap()];
        config.listen.advertised = Some("localhost".to_owned());
    })
    .await;
    let port = scene.server.tcp[0].port();
    let other = Scene::with(|config| {
        config.listen.udp = vec![format!("[::]:{port}").parse().unwrap()];
        config.listen.tcp = vec![format!("[::]:{port}").parse().unwrap()];
        config.listen.advertised = Some("localhost".to_owned());
    })
    .await;
    assert_eq!(other.server.tcp[0].port(), port);
    other.stop().await;
    scene.stop().await;
}
