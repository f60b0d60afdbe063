//! Digest algorithms at the real server (RFC 8760).

use crate::phone::{hang_up, talk};
use crate::scene::{PASSWORD, Scene};
use ngn_sipd::config::DigestAlgorithm;

#[tokio::test]
async fn rfc8760_2_4_phones_choose_among_the_algorithms_that_are_offered() {
    let both = vec![DigestAlgorithm::Md5, DigestAlgorithm::Sha256];
    let scene = Scene::with(|config| config.digest.algorithms = both).await;
    let mut alice = scene.phone("alice").await;
    let mut bob = scene.phone("bob").await;
    alice.algorithm = "SHA-256";
    assert_eq!(bob.register("md5", PASSWORD).await, 200);
    bob.algorithm = "SHA-256";
    assert_eq!(bob.register("sha", PASSWORD).await, 200);
    assert_eq!(bob.register("wrong", "wrong").await, 401);
    let (answered, _) = talk(&mut alice, &mut bob, "c").await;
    hang_up(&mut alice, &mut bob, &answered).await;
    scene.stop().await;
}

#[tokio::test]
async fn rfc8760_2_6_one_algorithm_alone() {
    let sha = vec![DigestAlgorithm::Sha256];
    let scene = Scene::with(|config| config.digest.algorithms = sha).await;
    let mut bob = scene.phone("bob").await;
    bob.algorithm = "SHA-256";
    let first = bob.request("REGISTER", "sip:example.com", "<sip:bob@example.com>", "r", "");
    bob.send(&first).await;
    let challenge = bob.last().await;
    assert_eq!(challenge.fields().filter(|f| f.is("WWW-Authenticate")).count(), 1);
    let credentials = bob.credentials(&challenge, "REGISTER", "sip:example.com", PASSWORD);
    let second =
        bob.request("REGISTER", "sip:example.com", "<sip:bob@example.com>", "r", &credentials);
    bob.send(&second).await;
    assert_eq!(bob.last().await.status(), Some(200));
    // The same credentials once more, by somebody who overheard them.
    let mut thief = scene.phone("bob").await;
    let stolen =
        thief.request("REGISTER", "sip:example.com", "<sip:bob@example.com>", "s", &credentials);
    thief.send(&stolen).await;
    assert_eq!(thief.last().await.status(), Some(401));
    scene.stop().await;
}
