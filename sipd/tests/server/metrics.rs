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

/// Messages of a kind (`requests`, `responses`) in a direction over all transports.
fn counted(text: &str, kind: &str, which: &str, direction: &str) -> u64 {
    let start = format!("sipd_{kind}_total{{");
    let direction = format!("direction=\"{direction}\"");
    let lines = text.lines().filter(|line| {
        line.starts_with(&start) && line.contains(which) && line.contains(&direction)
    });
    let mut values =
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).peekable();
    assert!(values.peek().is_some(), "no {kind} with {which} in\n{text}");
    values.sum()
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
    let received = |method: &str| counted(&text, "requests", &format!("method=\"{method}\""), "in");
    assert_eq!(received("REGISTER"), 2);
    // The one that was challenged, and the one that was not.
    assert_eq!(received("INVITE"), 2);
    assert_eq!(received("BYE"), 1);
    assert_eq!(received("other"), 0);
    let class = |class: &str, direction| {
        counted(&text, "responses", &format!("class=\"{class}\""), direction)
    };
    // Two challenges.
    assert_eq!(class("4xx", "out"), 2);
    // REGISTER, INVITE, BYE; of these bob answered two.
    assert_eq!(class("2xx", "out"), 3);
    assert_eq!(class("2xx", "in"), 2);
    becomes(&scene, r#"sipd_queue_length{queue="arrivals"}"#, 0).await;

    alice.send_octets(b"no message at all\r\n\r\n").await;
    becomes(&scene, r#"sipd_parse_failures_total{transport="udp"}"#, 1).await;
    scene.stop().await;
}
