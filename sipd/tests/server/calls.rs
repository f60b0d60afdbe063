//! Registrations and calls over UDP.

use crate::phone::{hang_up, talk};
use crate::scene::{PASSWORD, Scene};
use ngn_sip::message::Method;

#[tokio::test]
async fn b66_registrations_are_authenticated() {
    let scene = Scene::new().await;
    let mut bob = scene.phone("bob").await;
    assert_eq!(bob.register("r1", "wrong").await, 401);
    assert_eq!(bob.register("r2", PASSWORD).await, 200);
    let mut mallory = scene.phone("mallory").await;
    assert_eq!(mallory.register("r3", PASSWORD).await, 403);
    scene.stop().await;
}

#[tokio::test]
async fn calls_are_answered_busy_cancelled_and_refused() {
    let scene = Scene::new().await;
    let mut alice = scene.phone("alice").await;
    let mut bob = scene.registered("bob").await;

    for (callee, status) in [("nobody", 404), ("carol", 480)] {
        let invite = alice.call(callee, callee).await;
        let refusal = alice.last_of(callee).await;
        assert_eq!(refusal.status(), Some(status), "{callee}");
        alice.ack(&invite, &refusal).await;
    }
    let mut mallory = scene.phone("mallory").await;
    mallory.call("bob", "m").await;
    assert_eq!(mallory.last_of("m").await.status(), Some(403));

    let invite = alice.call("bob", "busy").await;
    let at_bob = bob.next_request(&Method::Invite).await;
    bob.send(&at_bob.response(486, "Busy Here", Some("b"))).await;
    let busy = alice.last_of("busy").await;
    assert_eq!(busy.status(), Some(486));
    alice.ack(&invite, &busy).await;

    let invite = alice.call("bob", "cancel").await;
    let at_bob = bob.next_request(&Method::Invite).await;
    bob.send(&at_bob.response(180, "Ringing", Some("b"))).await;
    alice.status(180).await;
    alice.send(&invite.cancel().unwrap()).await;
    let cancel = bob.next_request(&Method::Cancel).await;
    bob.send(&cancel.response(200, "OK", Some("b"))).await;
    bob.send(&at_bob.response(487, "Request Terminated", Some("b"))).await;
    let cancelled = alice.status(487).await;
    alice.ack(&invite, &cancelled).await;

    let (answered, _) = talk(&mut alice, &mut bob, "talk").await;
    assert!(!answered.record_routes().unwrap().is_empty());
    hang_up(&mut alice, &mut bob, &answered).await;
    scene.stop().await;
}
