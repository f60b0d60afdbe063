//! SIP over TLS (RFC 3261 section 26, RFC 5922).

use crate::certificates::{Authority, Issued};
use crate::phone::{Octets, Phone, hang_up, talk};
use crate::scene::{Change, PASSWORD, Scene};
use ngn_model::Entity;
use ngn_sip::message::Method;
use ngn_sipd::config::{ClientCertificates, Config};
use ngn_store::SipDomainRecord;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

async fn scene(authority: &Authority, more: impl FnOnce(&mut Config)) -> Scene {
    Scene::with(|config| {
        authority.configure(config);
        more(config);
    })
    .await
}

async fn is_served(phone: &mut Phone, call: &str) -> bool {
    let text = phone.text("OPTIONS", "sip:example.com", "<sip:example.com>", call, "");
    phone.send_octets(text.as_bytes()).await;
    phone.last_of(call).await.status() == Some(200)
}

#[tokio::test]
async fn registrations_and_calls() {
    let authority = Authority::new();
    let scene = scene(&authority, |_| {}).await;
    let server = scene.server.tls[0];
    let mut alice = authority.phone("alice", server).await;
    let mut bob = authority.phone("bob", server).await;
    assert_eq!(bob.register("r", PASSWORD).await, 200);
    let (answered, invite) = talk(&mut alice, &mut bob, "c").await;
    let via = invite.top_via().unwrap();
    assert_eq!((via.transport().as_str(), via.port()), ("TLS", Some(server.port())));
    let routes = invite.record_routes().unwrap();
    assert!(routes.iter().all(|route| route.uri().param("transport") == Some("tls")), "{routes:?}");
    hang_up(&mut alice, &mut bob, &answered).await;
    scene.stop().await;
}

/// RFC 5658: where the transport changes, each side has an entry of its own.
#[tokio::test]
async fn rfc5658_a_call_between_tls_and_udp_both_ways() {
    let authority = Authority::new();
    let scene = scene(&authority, |_| {}).await;
    let mut alice = authority.phone("alice", scene.server.tls[0]).await;
    let mut bob = scene.registered("bob").await;
    let (answered, invite) = talk(&mut alice, &mut bob, "c").await;
    let transports: Vec<_> = invite
        .record_routes()
        .unwrap()
        .iter()
        .map(|route| route.uri().param("transport").map(str::to_owned))
        .collect();
    assert_eq!(transports, [None, Some("tls".to_owned())]);
    hang_up(&mut alice, &mut bob, &answered).await;
    // The called one hangs up: the request finds its way onto alice's connection.
    let (_, invite) = talk(&mut alice, &mut bob, "d").await;
    let bye = bob.within_called(&invite, "BYE");
    bob.send(&bye).await;
    let at_alice = alice.next_request(&Method::Bye).await;
    alice.send(&at_alice.response(200, "OK", None)).await;
    assert_eq!(bob.last().await.status(), Some(200));
    scene.stop().await;
}

/// Section 26.2.2: what is asked of a SIPS address goes over TLS on every hop, or nowhere.
#[tokio::test]
async fn rfc3261_26_2_2_a_sips_address_is_called_over_tls_only() {
    let authority = Authority::new();
    let scene = scene(&authority, |_| {}).await;
    let mut alice = authority.phone("alice", scene.server.tls[0]).await;
    let mut bob = scene.registered("bob").await;
    let call = |call: &'static str| ("INVITE", "sips:bob@example.com", call);
    let (method, uri, id) = call("plain");
    let invite = alice.challenged(method, uri, id, PASSWORD, "").await;
    let refused = alice.last_of(id).await;
    assert!(refused.status().is_some_and(|status| status >= 400), "{refused:?}");
    alice.ack(&invite, &refused).await;
    assert!(bob.try_next(Duration::from_millis(200)).await.is_none(), "nothing over UDP");
    drop(bob);
    let mut bob = authority.phone("bob", scene.server.tls[0]).await;
    assert_eq!(bob.register("r", PASSWORD).await, 200);
    let (method, uri, id) = call("secure");
    alice.challenged(method, uri, id, PASSWORD, "").await;
    let at_bob = bob.next_request(&Method::Invite).await;
    let routes = at_bob.record_routes().unwrap();
    assert!(routes.iter().all(|route| route.uri().as_str().starts_with("sips:")), "{routes:?}");
    let ok = bob.ok(&at_bob);
    bob.send(&ok).await;
    let answered = alice.last_of(id).await;
    let ack = alice.within(&answered, "ACK");
    alice.send(&ack).await;
    bob.next_request(&Method::Ack).await;
    hang_up(&mut alice, &mut bob, &answered).await;
    scene.stop().await;
}

async fn set_domain(scene: &Scene, issued: Option<Issued>, requires: bool) {
    scene
        .change(move |tx| {
            let (issued, domain) = (issued.clone(), "example.com".to_owned());
            let change: Change<'_> = Box::pin(async move {
                tx.update_sip_domain(&SipDomainRecord {
                    domain: domain.clone(),
                    certificate: issued.as_ref().map(|one| one.certificate.clone()),
                    private_key: issued.as_ref().map(|one| one.key.clone()),
                    verify_cert: requires,
                    require_cert: requires,
                    ..Default::default()
                })
                .await?;
                tx.journal(Entity::SipDomain, domain, None, None, None);
                Ok(())
            });
            change
        })
        .await;
}

/// A certificate that is provisioned holds for the next handshake; nobody who is connected notices.
#[tokio::test]
async fn a_domain_has_a_certificate_of_its_own() {
    let authority = Authority::new();
    let scene = scene(&authority, |_| {}).await;
    let server = scene.server.tls[0];
    let mut early = authority.phone("alice", server).await;
    assert!(authority.connect(server, "example.com", None).await.is_err(), "not served yet");
    set_domain(&scene, Some(authority.issue(&["example.com"])), false).await;
    let mut phone = authority.phone_at("bob", server, "example.com").await;
    assert!(is_served(&mut phone, "new").await);
    let shown = |stream: &tokio_rustls::client::TlsStream<TcpStream>| {
        stream.get_ref().1.peer_certificates().unwrap()[0].clone()
    };
    let first = shown(&authority.connect(server, "example.com", None).await.unwrap());
    set_domain(&scene, Some(authority.issue(&["example.com"])), false).await;
    let second = shown(&authority.connect(server, "example.com", None).await.unwrap());
    assert_ne!(first, second, "the new one is shown");
    // Names of nobody's get the default one, and so does the domain when its own is taken away.
    assert!(authority.connect(server, "sip.example.com", None).await.is_ok());
    set_domain(&scene, None, false).await;
    assert!(authority.connect(server, "example.com", None).await.is_err());
    assert!(is_served(&mut early, "early").await && is_served(&mut phone, "late").await);
    scene.stop().await;
}

/// Whether a client gets an answer: with TLS 1.3 it learns only then that its certificate was not good enough.
async fn answers(
    authority: &Authority,
    server: SocketAddr,
    host: &str,
    own: Option<&Issued>,
) -> bool {
    let Ok(mut stream) = authority.connect(server, host, own).await else { return false };
    if stream.write_all(b"\r\n\r\n").await.is_err() {
        return false;
    }
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await.is_ok_and(|_| answer == *b"\r\n")
}

#[tokio::test]
async fn clients_show_certificates_where_they_must() {
    let authority = Authority::new();
    let scene = scene(&authority, |config| {
        config.tls.client_certificates = ClientCertificates::Verify;
    })
    .await;
    let server = scene.server.tls[0];
    let (good, bad) =
        (authority.issue(&["phone.example.com"]), Authority::new().issue(&["phone.example.com"]));
    set_domain(&scene, Some(authority.issue(&["example.com"])), true).await;
    for (host, own, served) in [
        ("sip.example.com", None, true),
        ("sip.example.com", Some(&good), true),
        ("sip.example.com", Some(&bad), false),
        ("example.com", None, false),
        ("example.com", Some(&bad), false),
        ("example.com", Some(&good), true),
    ] {
        let shows = own.map(|own| own.certificate == good.certificate);
        assert_eq!(answers(&authority, server, host, own).await, served, "{host} {shows:?}");
    }
    scene.stop().await;
}

/// Who says nothing, or speaks something else, gives its place back.
#[tokio::test]
async fn handshakes_take_limited_time() {
    let authority = Authority::new();
    let scene = scene(&authority, |config| {
        config.tls.handshake_seconds = 1;
        config.limits.connections_per_address = 2;
    })
    .await;
    let server = scene.server.tls[0];
    let mut silent = TcpStream::connect(server).await.unwrap();
    let mut wrong = TcpStream::connect(server).await.unwrap();
    wrong.write_all(b"OPTIONS sip:example.com SIP/2.0\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    let _ = silent.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    let _ = wrong.read_to_end(&mut rest).await;
    let mut phone = authority.phone("alice", server).await;
    assert!(is_served(&mut phone, "o").await);
    let mut text = String::new();
    prometheus_client::encoding::text::encode_registry(&mut text, &scene.server.registry).unwrap();
    assert!(text.contains("sipd_handshakes_failed_total{why=\"failed or too slow\"} 2"), "{text}");
    scene.stop().await;
}

/// A server elsewhere, with a certificate for `name`; each connection that gets through its handshake comes out.
pub(crate) async fn elsewhere(issued: &Issued) -> (SocketAddr, tokio::sync::mpsc::Receiver<Phone>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Authority::server(issued));
    let (came, comes) = tokio::sync::mpsc::channel(16);
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { return };
            if let Ok(stream) = acceptor.accept(stream).await {
                let stream: Octets = Box::new(stream);
                let _ = came.send(Phone::on("server", stream, address, "TLS")).await;
            }
        }
    });
    (address, comes)
}

/// RFC 5922 section 7: the server must be whom the request is for. RFC 3261 section 18: one connection serves all.
#[tokio::test]
async fn rfc5922_7_servers_are_checked_and_their_connections_used_again() {
    let authority = Authority::new();
    let scene = scene(&authority, |_| {}).await;
    let mut alice = scene.phone("alice").await;
    let (address, mut comes) = elsewhere(&authority.issue(&["127.0.0.1"])).await;
    let uri = format!("sips:x@{address}");
    let invite = alice.challenged("INVITE", &uri, "first", PASSWORD, "").await;
    let mut server = comes.recv().await.unwrap();
    for call in ["first", "second", "third"] {
        let invite = if call == "first" {
            invite.clone()
        } else {
            alice.challenged("INVITE", &uri, call, PASSWORD, "").await
        };
        let there = server.next_request(&Method::Invite).await;
        assert_eq!(there.call_id().unwrap(), call);
        server.send(&there.response(486, "Busy Here", Some("s"))).await;
        let busy = alice.last_of(call).await;
        assert_eq!(busy.status(), Some(486));
        alice.ack(&invite, &busy).await;
    }
    assert!(comes.try_recv().is_err(), "one connection");
    // Somebody else at that address, and somebody whom nobody vouches for.
    let other = authority.issue(&["192.0.2.1"]);
    for (call, issued) in [("other", other), ("own", Authority::new().issue(&["127.0.0.1"]))] {
        let (address, mut comes) = elsewhere(&issued).await;
        let uri = format!("sip:x@{address};transport=tls");
        let invite = alice.challenged("INVITE", &uri, call, PASSWORD, "").await;
        let failed = alice.last_of(call).await;
        assert!(failed.status().is_some_and(|status| status >= 500), "{failed:?}");
        alice.ack(&invite, &failed).await;
        assert!(comes.try_recv().is_err());
    }
    scene.stop().await;
}

#[tokio::test]
async fn servers_are_not_checked_when_that_is_asked_for() {
    let authority = Authority::new();
    let scene = scene(&authority, |config| config.tls.verify_servers = false).await;
    let mut alice = scene.phone("alice").await;
    let (address, mut comes) = elsewhere(&Authority::new().issue(&["other.example"])).await;
    alice.challenged("INVITE", &format!("sips:x@{address}"), "c", PASSWORD, "").await;
    let mut server = comes.recv().await.unwrap();
    assert_eq!(server.next_request(&Method::Invite).await.call_id().unwrap(), "c");
    scene.stop().await;
}

/// Files that changed are shown from the next handshake on; nobody who is connected notices, and what is wrong changes
/// nothing.
#[tokio::test]
async fn certificates_are_read_again() {
    let authority = Authority::new();
    let scene = scene(&authority, |_| {}).await;
    let server = scene.server.tls[0];
    let mut early = authority.phone("alice", server).await;
    let renewed = authority.issue(&["new.example.com"]);
    authority.file("own.pem", &renewed.certificate);
    let wrong = scene.server.reloader.reload(&scene.config).unwrap_err().to_string();
    assert!(wrong.contains("tls.certificate"), "the key is still the old one: {wrong}");
    assert!(authority.connect(server, "sip.example.com", None).await.is_ok());
    authority.file("own.key", &renewed.key);
    assert_eq!(scene.server.reloader.reload(&scene.config).unwrap(), [""; 0]);
    assert!(authority.connect(server, "sip.example.com", None).await.is_err());
    let mut late = authority.phone_at("bob", server, "new.example.com").await;
    assert!(is_served(&mut early, "early").await && is_served(&mut late, "late").await);
    // Limits too; what needs a restart is named.
    let mut config = scene.config.clone();
    config.limits.connections_per_address = 2;
    config.registrar.max_contacts = 3;
    assert_eq!(scene.server.reloader.reload(&config).unwrap(), ["registrar.max_contacts"]);
    let refused = authority.connect(server, "new.example.com", None).await;
    assert!(refused.is_err(), "two are connected");
    assert!(is_served(&mut early, "again").await);
    scene.stop().await;
}
