//! SIP over TCP (RFC 3261 section 18).

use crate::phone::{Phone, hang_up, talk};
use crate::scene::{PASSWORD, Scene};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// How long to wait for what must not come.
const SILENCE: Duration = Duration::from_millis(200);

async fn phone(scene: &Scene, name: &'static str) -> Phone {
    Phone::tcp(name, scene.server.tcp[0]).await
}

fn options(phone: &mut Phone, call: &str) -> String {
    phone.text("OPTIONS", "sip:example.com", "<sip:example.com>", call, "")
}

/// The call reaches the phone over the connection that it registered on (RFC 5626 section 5.3).
#[tokio::test]
async fn registrations_and_calls() {
    let scene = Scene::new().await;
    let mut alice = phone(&scene, "alice").await;
    let mut bob = phone(&scene, "bob").await;
    assert_eq!(bob.register("r", PASSWORD).await, 200);
    let (answered, _) = talk(&mut alice, &mut bob, "c").await;
    hang_up(&mut alice, &mut bob, &answered).await;
    scene.stop().await;
}

#[tokio::test]
async fn a_call_from_udp_to_tcp() {
    let scene = Scene::new().await;
    let mut alice = scene.phone("alice").await;
    let mut bob = phone(&scene, "bob").await;
    assert_eq!(bob.register("r", PASSWORD).await, 200);
    let (answered, _) = talk(&mut alice, &mut bob, "c").await;
    hang_up(&mut alice, &mut bob, &answered).await;
    scene.stop().await;
}

/// What is no SIP costs its connection.
#[tokio::test]
async fn other_protocols_are_cut_off() {
    let scene = Scene::new().await;
    let mut stranger = phone(&scene, "x").await;
    stranger.send_octets(b"\x16\x03\x01 a TLS hello").await;
    assert!(stranger.is_closed().await);
    scene.stop().await;
}

/// Without Content-Length nobody knows where the next message begins (section 18.3).
#[tokio::test]
async fn rfc3261_18_3_content_length_is_missing() {
    let scene = Scene::new().await;
    let mut phone = phone(&scene, "alice").await;
    let text = options(&mut phone, "o").replace("Content-Length: 0\r\n", "");
    // More follows, which is not read as a message and must not cost the answer either.
    phone.send_octets(format!("{text}{text}{text}").as_bytes()).await;
    assert_eq!(phone.last().await.status(), Some(400));
    assert!(phone.try_next(Duration::from_secs(5)).await.is_none());
    assert!(phone.is_closed().await);
    scene.stop().await;
}

#[tokio::test]
async fn rfc3261_18_3_messages_share_segments_and_segments_share_messages() {
    let scene = Scene::new().await;
    let mut phone = phone(&scene, "alice").await;
    let many: String = ["a", "b", "c"].map(|call| options(&mut phone, call)).concat();
    phone.send_octets(many.as_bytes()).await;
    for call in ["a", "b", "c"] {
        assert_eq!(phone.last_of(call).await.status(), Some(200));
    }
    let one = options(&mut phone, "d");
    for piece in one.as_bytes().chunks(40) {
        phone.send_octets(piece).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(phone.last_of("d").await.status(), Some(200));
    // A message that is bad but whole costs nothing but itself.
    let bad = options(&mut phone, "e").replace("Content-Length", "no colon\r\nContent-Length");
    let good = options(&mut phone, "f");
    phone.send_octets(format!("{bad}{good}").as_bytes()).await;
    assert_eq!(phone.last_of("e").await.status(), Some(400));
    assert_eq!(phone.last_of("f").await.status(), Some(200));
    scene.stop().await;
}

/// A phone that is gone fails at once and not when a timer ends (section 8.1.3.1: 503 by the transport).
#[tokio::test]
async fn an_unreachable_phone_fails_at_once() {
    let scene = Scene::new().await;
    let mut bob = phone(&scene, "bob").await;
    assert_eq!(bob.register("r", PASSWORD).await, 200);
    drop(bob);
    let mut alice = scene.phone("alice").await;
    let begun = Instant::now();
    let invite = alice.call("bob", "c").await;
    let failed = alice.last_of("c").await;
    assert!(failed.status().is_some_and(|status| status >= 400), "{failed:?}");
    assert!(begun.elapsed() < Duration::from_secs(4));
    alice.ack(&invite, &failed).await;
    scene.stop().await;
}

/// Inside a dialog nobody else's connection will do, nor a new one.
#[tokio::test]
async fn rfc5626_5_3_1_a_flow_that_is_gone_is_said_to_be() {
    let scene = Scene::new().await;
    let mut alice = phone(&scene, "alice").await;
    let mut bob = scene.registered("bob").await;
    let (_, invite) = talk(&mut alice, &mut bob, "c").await;
    drop(alice);
    let mut status = None;
    // The server may not have noticed yet when the first one comes, which then is lost with the connection.
    for _ in 0..50 {
        let bye = bob.within_called(&invite, "BYE");
        bob.send(&bye).await;
        status = bob.try_next(Duration::from_millis(500)).await.and_then(|answer| answer.status());
        if status.is_some() {
            break;
        }
    }
    assert_eq!(status, Some(430));
    scene.stop().await;
}

/// A Route that names a connection of before a restart leads to nobody else's connection.
#[tokio::test]
async fn rfc5626_5_2_flows_are_not_mixed_up_after_a_restart() {
    let scene = Scene::new().await;
    let mut alice = phone(&scene, "alice").await;
    let mut bob = phone(&scene, "bob").await;
    assert_eq!(bob.register("r", PASSWORD).await, 200);
    let (_, invite) = talk(&mut alice, &mut bob, "c").await;
    let scene = scene.restart().await;
    // Others come first and get the first connections.
    let mut others = Vec::new();
    for name in ["carol", "mallory", "x"] {
        let mut other = phone(&scene, name).await;
        let ping = options(&mut other, name);
        other.send_octets(ping.as_bytes()).await;
        assert_eq!(other.last().await.status(), Some(200));
        others.push(other);
    }
    let mut again = scene.phone("bob").await;
    let bye = again.within_called(&invite, "BYE");
    again.send(&bye).await;
    for other in &mut others {
        assert!(other.try_next(SILENCE).await.is_none(), "{} got alice's BYE", other.name);
    }
    scene.stop().await;
}

/// RFC 5626 section 3.5.1: two line ends are answered by one, between messages too.
#[tokio::test]
async fn rfc5626_3_5_1_pings_are_answered() {
    let scene = Scene::new().await;
    let mut stream = tokio::net::TcpStream::connect(scene.server.tcp[0]).await.unwrap();
    let mut answer = [0; 2];
    for _ in 0..3 {
        stream.write_all(b"\r\n\r\n").await.unwrap();
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, *b"\r\n");
    }
    scene.stop().await;
}

#[tokio::test]
async fn connections_are_limited() {
    let scene = Scene::with(|config| {
        config.limits.connections_per_address = 2;
        config.limits.idle_seconds = 1;
    })
    .await;
    let (mut first, mut second) = (phone(&scene, "alice").await, phone(&scene, "bob").await);
    for phone in [&mut first, &mut second] {
        let ping = options(phone, "o");
        phone.send_octets(ping.as_bytes()).await;
        assert_eq!(phone.last().await.status(), Some(200));
    }
    let mut third = phone(&scene, "carol").await;
    assert!(third.is_closed().await);
    // Those that say nothing give their places back, also the one that never ends its message.
    let half = options(&mut second, "half");
    second.send_octets(&half.as_bytes()[..40]).await;
    assert!(first.is_closed().await && second.is_closed().await);
    let mut fourth = phone(&scene, "carol").await;
    let ping = options(&mut fourth, "o");
    fourth.send_octets(ping.as_bytes()).await;
    assert_eq!(fourth.last().await.status(), Some(200));
    scene.stop().await;
}
