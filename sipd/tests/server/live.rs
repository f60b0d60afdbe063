//! What is provisioned while the server runs shows in calls at once.

use crate::phone::{Phone, hang_up, talk};
use crate::scene::{Change, PASSWORD, Scene, account};
use ngn_model::{Aor, DomainName, Entity};
use ngn_sip::digest::ha1_md5;
use ngn_sip::message::Method;
use ngn_store::{SipDomainRecord, Tx};

fn aor(name: &str) -> Aor {
    format!("{name}@example.com").parse().unwrap()
}

/// How a call of alice to somebody ends who does not answer, or that it rings there.
async fn outcome(alice: &mut Phone, callee: &str, call: &str) -> Option<u16> {
    let invite = alice.call(callee, call).await;
    let refusal = alice.last_of(call).await;
    alice.ack(&invite, &refusal).await;
    refusal.status()
}

async fn rings(alice: &mut Phone, callee: &str, bob: &mut Phone, call: &str) {
    let invite = alice.call(callee, call).await;
    let at_bob = bob.next_request(&Method::Invite).await;
    assert_eq!(at_bob.call_id().unwrap(), call);
    bob.send(&at_bob.response(486, "Busy Here", Some("b"))).await;
    let busy = alice.last_of(call).await;
    assert_eq!(busy.status(), Some(486));
    alice.ack(&invite, &busy).await;
}

fn block<'t>(tx: &'t mut Tx<'_>) -> Change<'t> {
    Box::pin(async move {
        tx.add_sip_group(&aor("alice"), "blocked").await?;
        tx.journal(Entity::SipAccount, aor("alice"), None, None, None);
        Ok(())
    })
}

fn unblock<'t>(tx: &'t mut Tx<'_>) -> Change<'t> {
    Box::pin(async move {
        tx.remove_sip_group(&aor("alice"), "blocked").await?;
        tx.journal(Entity::SipAccount, aor("alice"), None, None, None);
        Ok(())
    })
}

#[tokio::test]
async fn b66_an_account_is_blocked_and_unblocked() {
    let scene = Scene::new().await;
    let mut alice = scene.phone("alice").await;
    let mut bob = scene.registered("bob").await;
    let (answered, _) = talk(&mut alice, &mut bob, "before").await;
    scene.change(block).await;
    assert_eq!(outcome(&mut alice, "bob", "blocked").await, Some(403));
    assert_eq!(alice.register("r", PASSWORD).await, 403);
    // The call that lasts goes on.
    hang_up(&mut alice, &mut bob, &answered).await;
    scene.change(unblock).await;
    rings(&mut alice, "bob", &mut bob, "again").await;
    scene.stop().await;
}

fn remove_bob<'t>(tx: &'t mut Tx<'_>) -> Change<'t> {
    Box::pin(async move {
        tx.delete_sip_account(&aor("bob")).await?;
        tx.journal(Entity::SipAccount, aor("bob"), None, None, None);
        Ok(())
    })
}

fn add_bob<'t>(tx: &'t mut Tx<'_>) -> Change<'t> {
    Box::pin(async move {
        tx.insert_sip_account(&account("bob")).await?;
        tx.journal(Entity::SipAccount, aor("bob"), None, None, None);
        Ok(())
    })
}

#[tokio::test]
async fn b57_an_account_is_removed_with_its_bindings() {
    let scene = Scene::new().await;
    let mut alice = scene.phone("alice").await;
    let mut bob = scene.registered("bob").await;
    rings(&mut alice, "bob", &mut bob, "before").await;
    scene.change(remove_bob).await;
    assert_eq!(outcome(&mut alice, "bob", "gone").await, Some(404));
    assert_eq!(bob.register("r1", PASSWORD).await, 401);
    // Somebody else who gets the address does not inherit the phone.
    scene.change(add_bob).await;
    assert_eq!(outcome(&mut alice, "bob", "new").await, Some(480));
    let scene = scene.restart().await;
    assert_eq!(outcome(&mut alice, "bob", "restarted").await, Some(480));
    assert_eq!(bob.register("r2", PASSWORD).await, 200);
    rings(&mut alice, "bob", &mut bob, "registered").await;
    scene.stop().await;
}

fn new_password<'t>(tx: &'t mut Tx<'_>) -> Change<'t> {
    Box::pin(async move {
        let mut row = account("bob");
        row.ha1 = ha1_md5("bob", "example.com", "other").to_hex();
        row.ha1_sha256 = String::new();
        tx.update_sip_account(&row).await?;
        tx.journal(Entity::SipAccount, aor("bob"), None, None, None);
        Ok(())
    })
}

#[tokio::test]
async fn b61_a_password_is_changed() {
    let scene = Scene::new().await;
    let mut bob = scene.phone("bob").await;
    assert_eq!(bob.register("r1", PASSWORD).await, 200);
    scene.change(new_password).await;
    assert_eq!(bob.register("r2", PASSWORD).await, 401);
    assert_eq!(bob.register("r3", "other").await, 200);
    scene.stop().await;
}

fn add_alias<'t>(tx: &'t mut Tx<'_>) -> Change<'t> {
    Box::pin(async move {
        tx.put_sip_alias(&aor("info"), &aor("bob"), 0).await?;
        tx.journal(Entity::SipAlias, aor("info"), None, None, None);
        Ok(())
    })
}

fn move_alias<'t>(tx: &'t mut Tx<'_>) -> Change<'t> {
    Box::pin(async move {
        tx.put_sip_alias(&aor("info"), &aor("carol"), 0).await?;
        tx.journal(Entity::SipAlias, aor("info"), None, None, None);
        Ok(())
    })
}

fn remove_alias<'t>(tx: &'t mut Tx<'_>) -> Change<'t> {
    Box::pin(async move {
        tx.delete_sip_alias(&aor("info")).await?;
        tx.journal(Entity::SipAlias, aor("info"), None, None, None);
        Ok(())
    })
}

#[tokio::test]
async fn b79_aliases_come_move_and_go() {
    let scene = Scene::new().await;
    let mut alice = scene.phone("alice").await;
    let mut bob = scene.registered("bob").await;
    assert_eq!(outcome(&mut alice, "info", "none").await, Some(404));
    scene.change(add_alias).await;
    rings(&mut alice, "info", &mut bob, "alias").await;
    // Who is called by an alias may also call by it.
    bob.from = "sip:info@example.com".to_owned();
    assert_eq!(outcome(&mut bob, "carol", "by-alias").await, Some(480));
    scene.change(move_alias).await;
    assert_eq!(outcome(&mut alice, "info", "moved").await, Some(480));
    assert_eq!(outcome(&mut bob, "carol", "not-his").await, Some(403));
    scene.change(remove_alias).await;
    assert_eq!(outcome(&mut alice, "info", "gone").await, Some(404));
    scene.stop().await;
}

fn add_domain<'t>(tx: &'t mut Tx<'_>) -> Change<'t> {
    Box::pin(async move {
        let domain = "example.net".to_owned();
        tx.insert_sip_domain(&SipDomainRecord { domain, ..Default::default() }).await?;
        tx.journal(Entity::SipDomain, "example.net", None, None, None);
        Ok(())
    })
}

fn remove_domain<'t>(tx: &'t mut Tx<'_>) -> Change<'t> {
    Box::pin(async move {
        tx.delete_sip_domain(&DomainName::new("example.net").unwrap()).await?;
        tx.journal(Entity::SipDomain, "example.net", None, None, None);
        Ok(())
    })
}

#[tokio::test]
async fn domains_come_and_go() {
    let scene = Scene::new().await;
    let mut stranger = scene.phone("zoe").await;
    stranger.from = "sip:zoe@example.org".to_owned();
    let mut ask = async |call: &str| {
        let uri = "sip:nobody@example.net";
        let invite = stranger.request("INVITE", uri, &format!("<{uri}>"), call, "");
        stranger.send(&invite).await;
        stranger.last_of(call).await.status()
    };
    assert_eq!(ask("foreign").await, Some(403));
    scene.change(add_domain).await;
    assert_eq!(ask("ours").await, Some(404));
    scene.change(remove_domain).await;
    assert_eq!(ask("foreign-again").await, Some(403));
    scene.stop().await;
}
