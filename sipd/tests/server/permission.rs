//! Who may do what.

use crate::phone::Phone;
use crate::scene::{PASSWORD, Scene, account};
use ngn_model::Entity;
use ngn_sip::message::Method;

/// Gives accounts access lists: `near` may be used from loopback, `far` from elsewhere.
async fn restrict(scene: &Scene) {
    let change = scene.change(|tx| {
        Box::pin(async move {
            for (name, ip, mask) in [("near", "127.0.0.0", 8), ("far", "192.0.2.0", 24)] {
                let mut row = account(name);
                row.acl = Some(format!("[{{\"ip\":\"{ip}\",\"mask\":{mask}}}]"));
                tx.insert_sip_account(&row).await?;
                tx.journal(Entity::SipAccount, format!("{name}@example.com"), None, None, None);
            }
            Ok(())
        })
    });
    change.await;
}

#[tokio::test]
async fn b77_access_lists_are_enforced() {
    let scene = Scene::new().await;
    restrict(&scene).await;
    let mut bob = scene.registered("bob").await;
    let (mut near, mut far) = (scene.phone("near").await, scene.phone("far").await);
    assert_eq!(near.register("r1", PASSWORD).await, 200);
    assert_eq!(far.register("r2", PASSWORD).await, 403);
    // Nothing is told to somebody who does not know the password.
    assert_eq!(far.register("r3", "wrong").await, 401);
    near.call("bob", "c1").await;
    let invite = bob.next_request(&Method::Invite).await;
    bob.send(&invite.response(486, "Busy Here", Some("b"))).await;
    assert_eq!(near.last_of("c1").await.status(), Some(486));
    far.call("bob", "c2").await;
    assert_eq!(far.last_of("c2").await.status(), Some(403));
    scene.stop().await;
}

#[tokio::test]
async fn rfc3261_11_2_options_to_the_proxy_itself() {
    let scene = Scene::new().await;
    let mut phone = scene.phone("alice").await;
    for uri in ["sip:example.com".to_owned(), format!("sip:{}", scene.udp())] {
        let options = phone.request("OPTIONS", &uri, &format!("<{uri}>"), "o", "");
        phone.send(&options).await;
        let answer = phone.last().await;
        assert_eq!(answer.status(), Some(200), "{uri}");
        assert!(answer.field_named("Allow").is_some(), "{uri}");
    }
    let invite = phone.request("INVITE", "sip:example.com", "<sip:example.com>", "i", "");
    phone.send(&invite).await;
    assert_eq!(phone.last_of("i").await.status(), Some(405));
    scene.stop().await;
}

/// A user at the server's own address is nobody; above all the server does not call itself.
#[tokio::test]
async fn rfc3261_16_5_a_user_at_our_own_address() {
    let scene = Scene::new().await;
    let mut alice = scene.phone("alice").await;
    let uri = format!("sip:bob@{}", scene.udp());
    alice.challenged("INVITE", &uri, "c", PASSWORD, "").await;
    assert_eq!(alice.last_of("c").await.status(), Some(404));
    scene.stop().await;
}

#[tokio::test]
async fn rfc3261_22_1_from_must_be_the_account_that_was_proved() {
    let scene = Scene::new().await;
    scene.registered("bob").await;
    let mut alice = scene.phone("alice").await;
    alice.from = "sip:carol@example.com".to_owned();
    alice.call("bob", "c").await;
    assert_eq!(alice.last_of("c").await.status(), Some(403));
    scene.stop().await;
}

#[tokio::test]
async fn rfc3261_26_3_2_foreign_callers_reach_our_accounts_and_nobody_else() {
    let scene = Scene::new().await;
    let mut bob = scene.registered("bob").await;
    let mut stranger = Phone::udp("zoe", scene.udp()).await;
    stranger.from = "sip:zoe@example.net".to_owned();
    let uri = "sip:bob@example.com";
    let invite = stranger.request("INVITE", uri, &format!("<{uri}>"), "in", "");
    stranger.send(&invite).await;
    let at_bob = bob.next_request(&Method::Invite).await;
    assert_eq!(at_bob.from_header().unwrap().uri().to_string(), "sip:zoe@example.net");
    bob.send(&at_bob.response(486, "Busy Here", Some("b"))).await;
    let busy = stranger.last_of("in").await;
    assert_eq!(busy.status(), Some(486));
    stranger.ack(&invite, &busy).await;

    let uri = "sip:somebody@example.org";
    let through = stranger.request("INVITE", uri, &format!("<{uri}>"), "through", "");
    stranger.send(&through).await;
    assert_eq!(stranger.last_of("through").await.status(), Some(403));
    scene.stop().await;
}
