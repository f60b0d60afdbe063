//! SIP over TCP (RFC 3261 section 18).

use crate::phone::{Phone, hang_up, talk};
use crate::scene::{PASSWORD, Scene};

/// The call reaches the phone over the connection that it registered on (RFC 5626 section 5.3).
#[tokio::test]
async fn registrations_and_calls() {
    let scene = Scene::new().await;
    let mut alice = Phone::tcp("alice", scene.server.tcp[0]).await;
    let mut bob = Phone::tcp("bob", scene.server.tcp[0]).await;
    assert_eq!(bob.register("r", PASSWORD).await, 200);
    let (answered, _) = talk(&mut alice, &mut bob, "c").await;
    hang_up(&mut alice, &mut bob, &answered).await;
    scene.stop().await;
}

/// What is no SIP costs its connection.
#[tokio::test]
async fn other_protocols_are_cut_off() {
    let scene = Scene::new().await;
    let mut stranger = Phone::tcp("x", scene.server.tcp[0]).await;
    stranger.send_octets(b"\x16\x03\x01 a TLS hello").await;
    assert!(stranger.is_closed().await);
    scene.stop().await;
}
