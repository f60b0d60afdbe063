//! What a restart leaves as it was.

use crate::phone::talk;
use crate::scene::{PASSWORD, Scene};
use ngn_sip::message::Method;

/// Record-Route is signed with a secret that outlives the process (RFC 3261 section 16.12: requests in a dialog
/// need nothing but their Route).
#[tokio::test]
async fn dialogs_go_on_after_a_restart() {
    let scene = Scene::new().await;
    let mut alice = scene.phone("alice").await;
    let mut bob = scene.registered("bob").await;
    let (answered, invite) = talk(&mut alice, &mut bob, "talk").await;
    let scene = scene.restart().await;

    let again = bob.within_called(&invite, "INVITE");
    bob.send(&again).await;
    let at_alice = alice.next_request(&Method::Invite).await;
    assert_eq!(at_alice.call_id().unwrap(), "talk");
    let ok = alice.ok(&at_alice);
    alice.send(&ok).await;
    assert_eq!(bob.last_of("talk").await.status(), Some(200));

    let bye = alice.within(&answered, "BYE");
    alice.send(&bye).await;
    let at_bob = bob.next_request(&Method::Bye).await;
    bob.send(&at_bob.response(200, "OK", None)).await;
    assert_eq!(alice.last().await.status(), Some(200));
    scene.stop().await;
}

/// A phone that was challenged before the restart is not challenged again.
#[tokio::test]
async fn rfc7616_3_3_nonces_are_good_after_a_restart() {
    let scene = Scene::new().await;
    let mut bob = scene.phone("bob").await;
    let (uri, to) = ("sip:example.com", "<sip:bob@example.com>");
    let first = bob.request("REGISTER", uri, to, "r", "");
    bob.send(&first).await;
    let challenge = bob.last().await;
    let scene = scene.restart().await;
    let credentials = bob.credentials(&challenge, "REGISTER", uri, PASSWORD);
    let second = bob.request("REGISTER", uri, to, "r", &credentials);
    bob.send(&second).await;
    assert_eq!(bob.last().await.status(), Some(200));
    scene.stop().await;
}

/// A 200 to REGISTER means that the binding is in the database.
#[tokio::test]
async fn bindings_are_there_after_a_restart() {
    let scene = Scene::new().await;
    let mut bob = scene.registered("bob").await;
    let scene = scene.restart().await;
    let mut alice = scene.phone("alice").await;
    alice.call("bob", "c").await;
    assert_eq!(bob.next_request(&Method::Invite).await.call_id().unwrap(), "c");
    scene.stop().await;
}
