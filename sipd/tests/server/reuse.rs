//! Connections that are used for requests either way (RFC 5923).

use crate::certificates::{Authority, Issued};
use crate::phone::{Octets, Phone};
use crate::scene::{PASSWORD, Scene};
use crate::tls::elsewhere;
use ngn_sip::message::{Message, Method};
use ngn_sipd::config::ClientCertificates;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Receiver;

/// A platform that uses connections either way or not, and what it asks of clients.
async fn scene(authority: &Authority, reuse: bool, asks: ClientCertificates) -> Scene {
    Scene::with(|config| {
        authority.configure(config);
        config.tls.client_certificates = asks;
        config.tls.reuse_connections = reuse;
    })
    .await
}

/// A metric.
fn metric(scene: &Scene, name: &str) -> u64 {
    let mut text = String::new();
    prometheus_client::encoding::text::encode_registry(&mut text, &scene.server.registry).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap().parse().unwrap()
}

/// How often a connection was taken for requests to its client.
fn taken(scene: &Scene) -> u64 {
    metric(scene, "sipd_connections_reused_total")
}

/// A server elsewhere that also connects to us, and says something on that connection.
struct Server {
    /// Where it listens.
    address: SocketAddr,
    /// Who connects there.
    comes: Receiver<Phone>,
    /// Its own connection.
    own: Phone,
}

impl Server {
    /// `shows`: its certificate as a client; `via`: what its Via says beyond host and port.
    async fn new(scene: &Scene, authority: &Authority, shows: Option<&Issued>, via: &str) -> Self {
        let (address, comes) = elsewhere(&authority.issue(&["localhost"])).await;
        let ours = scene.server.tls[0];
        let stream = authority.connect(ours, "sip.example.com", shows).await.unwrap();
        let local = stream.get_ref().0.local_addr().unwrap();
        let stream: Octets = Box::new(stream);
        let mut own = Phone::on("server", stream, local, "TLS");
        let text = own.text("OPTIONS", "sip:example.com", "<sip:example.com>", "o", "");
        let (port, via) = match via.strip_prefix("at another port") {
            Some(via) => (address.port() - 1, via),
            None => (address.port(), via),
        };
        let sent_by = format!("SIP/2.0/TLS localhost:{port}{via}");
        let text = text.replace(&format!("SIP/2.0/TLS {local}"), &sent_by);
        assert!(text.contains(&sent_by), "{text}");
        own.send_octets(text.as_bytes()).await;
        assert_eq!(own.last_of("o").await.status(), Some(200));
        Self { address, comes, own }
    }

    /// Somebody calls it; gives the INVITE, and whether it came over the server's own connection.
    async fn called(&mut self, alice: &mut Phone, call: &str) -> (Message, bool) {
        let uri = format!("sips:x@localhost:{}", self.address.port());
        let invite = alice.challenged("INVITE", &uri, call, PASSWORD, "").await;
        let (there, is_reused) = tokio::select! {
            there = self.own.next_request(&Method::Invite) => {
                self.own.send(&there.response(486, "Busy Here", Some("s"))).await;
                (there, true)
            }
            Some(mut came) = self.comes.recv() => {
                let there = came.next_request(&Method::Invite).await;
                came.send(&there.response(486, "Busy Here", Some("s"))).await;
                (there, false)
            }
        };
        let busy = alice.last_of(call).await;
        assert_eq!(busy.status(), Some(486));
        alice.ack(&invite, &busy).await;
        (there, is_reused)
    }
}

// Section 8.2: who offers its connection and has proved to be that domain gets requests over it, until it is closed.
#[tokio::test]
async fn rfc5923_8_2_an_offered_connection_is_used_for_requests_to_its_client() {
    let authority = Authority::new();
    let scene = scene(&authority, true, ClientCertificates::Verify).await;
    let mut alice = scene.phone("alice").await;
    let shows = authority.issue(&["other.example", "localhost"]);
    let mut server = Server::new(&scene, &authority, Some(&shows), ";alias").await;
    assert_eq!(taken(&scene), 1);
    for call in ["first", "second"] {
        assert!(server.called(&mut alice, call).await.1, "{call}");
    }
    assert_eq!(taken(&scene), 1, "once");
    let Server { address, comes, own } = server;
    drop(own);
    let begun = Instant::now();
    while metric(&scene, "sipd_connections{transport=\"tls\"}") > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the connection is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let unused = Server::new(&scene, &authority, None, "").await.own;
    let mut server = Server { address, comes, own: unused };
    let (there, is_reused) = server.called(&mut alice, "third").await;
    assert!(!is_reused);
    // Section 5: and what we make, we offer.
    assert!(there.top_via().unwrap().params.has("alias"), "{there:?}");
    scene.stop().await;
}

// Sections 5, 8.2 and 9.1: neither without the offer, nor without proof, nor for another name or port.
#[tokio::test]
async fn rfc5923_9_1_no_other_connection_is_used() {
    let authority = Authority::new();
    let localhost = authority.issue(&["localhost"]);
    let other = authority.issue(&["other.example", "*.localhost"]);
    let verify = ClientCertificates::Verify;
    for (reuse, asks, shows, via) in [
        (true, verify, Some(&localhost), ""),
        (true, verify, Some(&other), ";alias"),
        (true, verify, None, ";alias"),
        (true, verify, Some(&localhost), "at another port;alias"),
        // What it shows is not looked at.
        (true, ClientCertificates::Ignore, Some(&localhost), ";alias"),
        (false, verify, Some(&localhost), ";alias"),
    ] {
        let scene = scene(&authority, reuse, asks).await;
        let mut alice = scene.phone("alice").await;
        let mut server = Server::new(&scene, &authority, shows, via).await;
        let (there, is_reused) = server.called(&mut alice, "c").await;
        assert!(!is_reused, "{reuse} {via}");
        assert_eq!(there.top_via().unwrap().params.has("alias"), reuse);
        scene.stop().await;
    }
}
