//! REGISTER at the real server; the rules themselves are tested in `crates/sip`.

use crate::phone::Phone;
use crate::scene::{PASSWORD, Scene};
use ngn_sip::message::{Message, Method};

async fn register(phone: &mut Phone, call: &str, more: &str) -> Message {
    phone.challenged("REGISTER", "sip:example.com", call, PASSWORD, more).await;
    phone.last_of(call).await
}

fn contacts(response: &Message) -> usize {
    response.fields().filter(|field| field.is("Contact")).count()
}

#[tokio::test]
async fn rfc3261_10_3_bindings_come_and_go() {
    let scene = Scene::new().await;
    let mut bob = scene.phone("bob").await;
    let brief = register(&mut bob, "r1", "Expires: 5\r\n").await;
    assert_eq!(brief.status(), Some(423));
    assert_eq!(brief.field_named("Min-Expires").unwrap().text(), Some("60"));
    // Step 2 comes before the password.
    let (uri, to) = ("sip:example.com", "<sip:bob@example.com>");
    let asks = bob.request("REGISTER", uri, to, "r2", "Require: magic\r\n");
    bob.send(&asks).await;
    let odd = bob.last_of("r2").await;
    assert_eq!(odd.status(), Some(420));
    assert_eq!(odd.field_named("Unsupported").unwrap().text(), Some("magic"));

    let more = "Contact: <sip:other@127.0.0.1:7060>;q=0.5\r\n";
    assert_eq!(contacts(&register(&mut bob, "r3", more).await), 2);
    assert_eq!(contacts(&register(&mut bob, "r4", "Expires: 0\r\n").await), 1);
    let scene = scene.restart().await;
    // What was removed does not come back, what stayed is still there.
    let mut bob = scene.phone("bob").await;
    assert_eq!(contacts(&register(&mut bob, "r5", "").await), 2);
    scene.stop().await;
}

/// A phone that listens elsewhere than it sends from is called where it listens (RFC 3261 section 10.2.1).
#[tokio::test]
async fn a_contact_at_another_port_is_called_there() {
    let scene = Scene::new().await;
    let mut sender = scene.phone("bob").await;
    let mut listener = scene.phone("bob").await;
    sender.contact = Some(listener.contact());
    assert_eq!(sender.register("r", PASSWORD).await, 200);
    let mut alice = scene.phone("alice").await;
    alice.call("bob", "c").await;
    assert_eq!(listener.next_request(&Method::Invite).await.call_id().unwrap(), "c");
    scene.stop().await;
}

#[tokio::test]
async fn all_contacts_of_one_preference_ring_and_the_first_answer_wins() {
    let scene = Scene::new().await;
    let mut alice = scene.phone("alice").await;
    let (mut desk, mut mobile) = (scene.phone("bob").await, scene.phone("bob").await);
    assert_eq!(desk.register("r1", PASSWORD).await, 200);
    assert_eq!(mobile.register("r2", PASSWORD).await, 200);
    alice.call("bob", "c").await;
    let (at_desk, at_mobile) =
        (desk.next_request(&Method::Invite).await, mobile.next_request(&Method::Invite).await);
    desk.send(&at_desk.response(180, "Ringing", Some("d"))).await;
    let ok = mobile.ok(&at_mobile);
    mobile.send(&ok).await;
    assert_eq!(alice.last_of("c").await.status(), Some(200));
    let cancel = desk.next_request(&Method::Cancel).await;
    assert_eq!(cancel.call_id().unwrap(), "c");
    desk.send(&cancel.response(200, "OK", Some("d"))).await;
    desk.send(&at_desk.response(487, "Request Terminated", Some("d"))).await;
    desk.next_request(&Method::Ack).await;
    scene.stop().await;
}
