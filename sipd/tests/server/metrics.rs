//! What `/metrics` shows.

use crate::phone::{hang_up, talk};
use crate::scene::Scene;
use std::time::Duration;

fn shown(scene: &Scene) -> String {
    let mut text = String::new();
    prometheus_client::encoding::text::encode_registry(&mut text, &scene.server.registry).unwrap();
    text
}

/// The value on the line that begins with `name`.
fn value(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().unwrap()
}

/// Waits until it is shown, since some values are copied once a second.
async fn becomes(scene: &Scene, name: &str, expected: u64) {
    for _ in 0..100 {
        if value(&shown(scene), name) == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(value(&shown(scene), name), expected, "{name}");
}

#[tokio::test]
async fn calls_and_registrations_are_counted() {
    let scene = Scene::new().await;
    let mut alice = scene.phone("alice").await;
    let mut bob = scene.registered("bob").await;
    becomes(&scene, r#"sipd_directory{kind="bindings"}"#, 1).await;
    becomes(&scene, r#"sipd_directory{kind="accounts"}"#, 4).await;
    let (answered, _) = talk(&mut alice, &mut bob, "c").await;
    becomes(&scene, r#"sipd_calls{state="setup"}"#, 0).await;
    becomes(&scene, r#"sipd_calls{state="established"}"#, 1).await;
    hang_up(&mut alice, &mut bob, &answered).await;
    becomes(&scene, r#"sipd_calls{state="established"}"#, 0).await;

    let text = shown(&scene);
    assert_eq!(value(&text, r#"sipd_requests_total{method="REGISTER"}"#), 2);
    // The one that was challenged, and the one that was not.
    assert_eq!(value(&text, r#"sipd_requests_total{method="INVITE"}"#), 2);
    assert_eq!(value(&text, r#"sipd_requests_total{method="BYE"}"#), 1);
    assert_eq!(value(&text, r#"sipd_requests_total{method="other"}"#), 0);
    // Two challenges.
    assert_eq!(value(&text, r#"sipd_responses_total{direction="sent",class="4xx"}"#), 2);
    // REGISTER, INVITE, BYE; of these bob answered two.
    assert_eq!(value(&text, r#"sipd_responses_total{direction="sent",class="2xx"}"#), 3);
    assert_eq!(value(&text, r#"sipd_responses_total{direction="received",class="2xx"}"#), 2);
    becomes(&scene, r#"sipd_queue_length{queue="arrivals"}"#, 0).await;

    alice.send_octets(b"no message at all\r\n\r\n").await;
    becomes(&scene, r#"sipd_stack_events_total{event="malformed"}"#, 1).await;
    scene.stop().await;
}
