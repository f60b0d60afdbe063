//! SIP over WebSocket (RFC 7118).

use crate::certificates::Authority;
use crate::phone::{Octets, Phone, hang_up, talk};
use crate::scene::{PASSWORD, Scene};
use futures::{SinkExt as _, StreamExt as _};
use ngn_sip::message::Method;
use ngn_sipd::config::Config;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message as Frame};
use tokio_tungstenite::{WebSocketStream, client_async};

async fn scene(more: impl FnOnce(&mut Config)) -> Scene {
    Scene::with(|config| {
        config.listen.ws = vec!["127.0.0.1:0".parse().unwrap()];
        more(config);
    })
    .await
}

/// The opening handshake, as a page of `origin` makes it.
async fn open(
    stream: Octets,
    protocol: Option<&'static str>,
    origin: Option<&'static str>,
) -> Result<WebSocketStream<Octets>, Error> {
    let mut request = "ws://sip.example.com/".into_client_request().unwrap();
    let fields = [("sec-websocket-protocol", protocol), ("origin", origin)];
    for (name, value) in fields {
        if let Some(value) = value {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    let (socket, response) = client_async(request, stream).await?;
    assert_eq!(response.headers()["sec-websocket-protocol"], "sip");
    Ok(socket)
}

async fn octets(server: SocketAddr) -> (Octets, SocketAddr) {
    let stream = TcpStream::connect(server).await.unwrap();
    let local = stream.local_addr().unwrap();
    (Box::new(stream), local)
}

async fn phone(scene: &Scene, name: &'static str) -> Phone {
    let (stream, local) = octets(scene.server.ws[0]).await;
    let socket = open(stream, Some("sip"), None).await.unwrap();
    Phone::web(name, socket, local, "WS")
}

fn options(phone: &mut Phone, call: &str) -> String {
    phone.text("OPTIONS", "sip:example.com", "<sip:example.com>", call, "")
}

/// Section 5.4: a contact of `.invalid` is reached over the connection that it was registered on.
#[tokio::test]
async fn rfc7118_browsers_call_each_other() {
    let scene = scene(|_| {}).await;
    let (mut alice, mut bob) = (phone(&scene, "alice").await, phone(&scene, "bob").await);
    assert_eq!(bob.register("r", PASSWORD).await, 200);
    let (answered, invite) = talk(&mut alice, &mut bob, "c").await;
    assert_eq!(invite.top_via().unwrap().transport().as_str(), "WS");
    assert_eq!(invite.request_uri().unwrap().as_str(), "sip:bob@browser.invalid;transport=ws");
    hang_up(&mut alice, &mut bob, &answered).await;
    scene.stop().await;
}

#[tokio::test]
async fn rfc7118_a_browser_and_a_telephone_call_each_other_and_either_hangs_up() {
    let scene = scene(|_| {}).await;
    let mut web = phone(&scene, "alice").await;
    assert_eq!(web.register("r", PASSWORD).await, 200);
    let mut telephone = scene.registered("bob").await;
    let (answered, _) = talk(&mut telephone, &mut web, "to-web").await;
    hang_up(&mut telephone, &mut web, &answered).await;
    let (answered, _) = talk(&mut web, &mut telephone, "from-web").await;
    hang_up(&mut web, &mut telephone, &answered).await;
    for (call, web_calls) in [("a", true), ("b", false)] {
        let (caller, called) =
            if web_calls { (&mut web, &mut telephone) } else { (&mut telephone, &mut web) };
        let (_, invite) = talk(caller, called, call).await;
        let bye = called.within_called(&invite, "BYE");
        called.send(&bye).await;
        let at_caller = caller.next_request(&Method::Bye).await;
        caller.send(&at_caller.response(200, "OK", None)).await;
        assert_eq!(called.last().await.status(), Some(200));
    }
    scene.stop().await;
}

/// Nobody connects to a browser: when it is gone, the call fails at once.
#[tokio::test]
async fn a_browser_that_is_gone_cannot_be_called() {
    let scene = scene(|_| {}).await;
    let mut web = phone(&scene, "bob").await;
    assert_eq!(web.register("r", PASSWORD).await, 200);
    drop(web);
    let mut alice = scene.phone("alice").await;
    let invite = alice.call("bob", "c").await;
    let failed = alice.last_of("c").await;
    assert!(failed.status().is_some_and(|status| status >= 400), "{failed:?}");
    alice.ack(&invite, &failed).await;
    scene.stop().await;
}

#[tokio::test]
async fn rfc7118_over_tls() {
    let authority = Authority::new();
    let scene = Scene::with(|config| {
        authority.configure(config);
        config.listen.wss = vec!["127.0.0.1:0".parse().unwrap()];
    })
    .await;
    let mut phones = Vec::new();
    for name in ["alice", "bob"] {
        let server = scene.server.wss[0];
        let stream = authority.connect(server, "sip.example.com", None).await.unwrap();
        let local = stream.get_ref().0.local_addr().unwrap();
        let socket = open(Box::new(stream), Some("sip"), None).await.unwrap();
        phones.push(Phone::web(name, socket, local, "WSS"));
    }
    let (mut bob, mut alice) = (phones.remove(1), phones.remove(0));
    assert_eq!(bob.register("r", PASSWORD).await, 200);
    let (answered, invite) = talk(&mut alice, &mut bob, "c").await;
    assert_eq!(invite.top_via().unwrap().transport().as_str(), "WSS");
    hang_up(&mut alice, &mut bob, &answered).await;
    // To somebody on TLS, and a SIPS address too: both ends are secured.
    let mut carol = authority.phone("carol", scene.server.tls[0]).await;
    assert_eq!(carol.register("r", PASSWORD).await, 200);
    let (answered, _) = talk(&mut alice, &mut carol, "d").await;
    hang_up(&mut alice, &mut carol, &answered).await;
    alice.challenged("INVITE", "sips:bob@example.com", "e", PASSWORD, "").await;
    assert_eq!(bob.next_request(&Method::Invite).await.call_id().unwrap(), "e");
    scene.stop().await;
}

fn status(refused: Result<WebSocketStream<Octets>, Error>) -> u16 {
    match refused {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
        Ok(_) => 101,
    }
}

/// Section 4: without the subprotocol nobody is let in; browsers only from pages that may.
#[tokio::test]
async fn rfc7118_4_who_is_let_in() {
    let scene =
        scene(|config| config.websocket.origins = vec!["https://phone.example.com".to_owned()])
            .await;
    let server = scene.server.ws[0];
    for (protocol, origin, expected) in [
        (Some("sip"), None, 101),
        (Some("sip"), Some("https://phone.example.com"), 101),
        (Some("sip"), Some("https://PHONE.example.com"), 101),
        (Some("xmpp, sip"), None, 101),
        (Some("sip"), Some("https://evil.example"), 403),
        (Some("sip"), Some("null"), 403),
        (Some("xmpp"), None, 400),
        (None, None, 400),
    ] {
        let opened = open(octets(server).await.0, protocol, origin).await;
        assert_eq!(status(opened), expected, "{protocol:?} {origin:?}");
    }
    scene.stop().await;
}

/// Section 5: text or binary, one message of one in one of the other; Content-Length may be left out.
#[tokio::test]
async fn rfc7118_5_messages_and_frames() {
    let scene = scene(|_| {}).await;
    let mut phone = phone(&scene, "alice").await;
    let text = options(&mut phone, "binary");
    phone.socket().send(Frame::binary(text)).await.unwrap();
    assert_eq!(phone.last_of("binary").await.status(), Some(200));
    let text = options(&mut phone, "short").replace("Content-Length: 0\r\n", "");
    phone.socket().send(Frame::text(text)).await.unwrap();
    assert_eq!(phone.last_of("short").await.status(), Some(200));
    // What is no SIP costs nothing but itself.
    phone.socket().send(Frame::text("hello")).await.unwrap();
    phone.socket().send(Frame::binary(vec![0xff; 100])).await.unwrap();
    let text = options(&mut phone, "after");
    phone.socket().send(Frame::text(text)).await.unwrap();
    assert_eq!(phone.last_of("after").await.status(), Some(200));
    scene.stop().await;
}

/// The next frame that is no message of SIP.
async fn control(phone: &mut Phone) -> Frame {
    let next = tokio::time::timeout(Duration::from_secs(10), phone.socket().next());
    next.await.expect("in time").expect("open").expect("a frame")
}

/// Section 6, and RFC 5626 section 3.5.1 as some clients do it.
#[tokio::test]
async fn rfc7118_6_both_sides_keep_the_connection() {
    let scene = scene(|config| config.websocket.ping_seconds = 1).await;
    let mut phone = phone(&scene, "alice").await;
    phone.socket().send(Frame::Ping("now".into())).await.unwrap();
    assert_eq!(control(&mut phone).await, Frame::Pong("now".into()));
    phone.socket().send(Frame::text("\r\n\r\n")).await.unwrap();
    assert_eq!(control(&mut phone).await, Frame::text("\r\n"));
    assert_eq!(control(&mut phone).await, Frame::Ping("".into()));
    // Who does not answer pings is gone: this client reads nothing, and so does not.
    let (stream, _) = octets(scene.server.ws[0]).await;
    let silent = open(stream, Some("sip"), None).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5_000)).await;
    let mut silent = Phone::web("x", silent, phone.address(), "WS");
    assert!(silent.is_closed().await);
    scene.stop().await;
}

/// What is too large ends its connection and no other.
#[tokio::test]
async fn messages_are_limited() {
    let scene = scene(|config| config.limits.message_octets = 2_000).await;
    let (mut alice, mut bob) = (phone(&scene, "alice").await, phone(&scene, "bob").await);
    let text = options(&mut alice, "large");
    let large =
        text.replace("Content-Length", &format!("X: {}\r\nContent-Length", "x".repeat(2_000)));
    alice.socket().send(Frame::text(large)).await.unwrap();
    assert!(alice.is_closed().await);
    let text = options(&mut bob, "fits");
    bob.socket().send(Frame::text(text)).await.unwrap();
    assert_eq!(bob.last_of("fits").await.status(), Some(200));
    scene.stop().await;
}

/// RFC 6455 sections 4.2.1 and 4.4: who greets in another way is told so.
#[tokio::test]
async fn rfc6455_4_2_what_is_no_greeting_is_answered() {
    let scene = scene(|_| {}).await;
    let greeting = "GET / HTTP/1.1\r\nHost: sip.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
                    Sec-WebSocket-Protocol: sip\r\n\r\n";
    for (from, to, expected) in [
        ("GET", "GET", "HTTP/1.1 101 "),
        ("Version: 13", "Version: 8", "HTTP/1.1 426 "),
        ("GET", "POST", "HTTP/1.1 405 "),
        ("HTTP/1.1", "HTTP/1.0", "HTTP/1.1 400 "),
        ("Upgrade: websocket", "Upgrade: h2c", "HTTP/1.1 400 "),
        ("Connection: Upgrade", "Connection: close", "HTTP/1.1 400 "),
        ("dGhlIHNhbXBsZSBub25jZQ==", "short", "HTTP/1.1 400 "),
        ("GET", "SIP/2.0 200 OK\r\n\r\n", "HTTP/1.1 400 "),
    ] {
        let (mut stream, _) = octets(scene.server.ws[0]).await;
        stream.write_all(greeting.replacen(from, to, 1).as_bytes()).await.unwrap();
        let mut answer = vec![0; 2_000];
        let reading = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut answer));
        let length = reading.await.expect("in time").expect("an answer");
        let answer = String::from_utf8_lossy(&answer[..length]).to_ascii_lowercase();
        assert!(answer.starts_with(&expected.to_ascii_lowercase()), "{to}: {answer}");
        assert_eq!(
            answer.contains("426 "),
            answer.contains("sec-websocket-version: 13"),
            "{answer}"
        );
    }
    scene.stop().await;
}

/// RFC 6455 section 7.4.1: who breaks the protocol is told how.
#[tokio::test]
async fn rfc6455_7_4_1_faults_are_named_when_the_connection_ends() {
    let scene = scene(|config| config.limits.message_octets = 2_000).await;
    for (octets, expected) in [
        // Not masked; a reserved bit; an opcode that there is not; a ping in parts; text that is none; too large.
        (&[0x81, 0x01, b'x'][..], CloseCode::Protocol),
        (&[0xc1, 0x80, 0, 0, 0, 0], CloseCode::Protocol),
        (&[0x83, 0x80, 0, 0, 0, 0], CloseCode::Protocol),
        (&[0x09, 0x80, 0, 0, 0, 0], CloseCode::Protocol),
        (&[0x80, 0x80, 0, 0, 0, 0], CloseCode::Protocol),
        (&[0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe], CloseCode::Invalid),
        (&[0x82, 0xfe, 0x40, 0, 0, 0, 0, 0], CloseCode::Size),
    ] {
        let mut phone = phone(&scene, "alice").await;
        phone.socket().get_mut().write_all(octets).await.unwrap();
        match control(&mut phone).await {
            Frame::Close(Some(close)) => assert_eq!(close.code, expected, "{octets:?}"),
            other => panic!("{octets:?}: {other:?}"),
        }
    }
    scene.stop().await;
}
