//! The real server on loopback, with phones made of UDP sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

use bytes::Bytes;
use ngn_model::{Aor, Entity};
use ngn_sip::digest::{answer, ha1_md5};
use ngn_sip::header::{Challenge, HeaderName};
use ngn_sip::message::{Limits, Message, Method};
use ngn_sip::uri::Uri;
use ngn_sipd::config::Config;
use ngn_sipd::{Server, serve};
use ngn_store::{Actor, SipAccountRow, SipDomainRecord, Store, StoreError};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

async fn open(path: &std::path::Path) -> Store {
    let store = Store::open(&format!("sqlite:{}", path.join("t.sqlite").display())).await.unwrap();
    store.migrate().await.unwrap();
    store
}

async fn provision(store: &Store) {
    store
        .write::<_, StoreError, _>(&Actor::system("test"), |tx| {
            Box::pin(async move {
                let domain = "example.com".to_owned();
                tx.insert_sip_domain(&SipDomainRecord { domain, ..Default::default() }).await?;
                for name in ["alice", "bob", "carol", "mallory"] {
                    let row = SipAccountRow {
                        username: name.to_owned(),
                        domain: "example.com".to_owned(),
                        ha1: ha1_md5(name, "example.com", "secret").to_hex(),
                        ..Default::default()
                    };
                    tx.insert_sip_account(&row).await?;
                    tx.journal(Entity::SipAccount, format!("{name}@example.com"), None, None, None);
                }
                let mallory: Aor = "mallory@example.com".parse().unwrap();
                tx.add_sip_group(&mallory, "blocked").await?;
                Ok(())
            })
        })
        .await
        .unwrap();
}

async fn start(store: &Store) -> (Server, CancellationToken) {
    let mut config = Config::default();
    config.listen.udp = vec!["127.0.0.1:0".parse().unwrap()];
    config.listen.tcp = vec!["127.0.0.1:0".parse().unwrap()];
    let shutdown = CancellationToken::new();
    (serve(config, store.clone(), shutdown.clone()).await.unwrap(), shutdown)
}

struct Phone {
    name: &'static str,
    socket: UdpSocket,
    server: SocketAddr,
    count: u32,
}

impl Phone {
    async fn new(name: &'static str, server: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        Self { name, socket, server, count: 0 }
    }

    fn request(&mut self, method: &str, uri: &str, to: &str, call: &str, more: &str) -> Message {
        self.count += 1;
        let (own, name, count) = (self.socket.local_addr().unwrap(), self.name, self.count);
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {own};rport;branch=z9hG4bK{name}{call}{count}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{name}@example.com>;tag={name}\r\nTo: {to}\r\n\
             Call-ID: {call}\r\nCSeq: {count} {method}\r\nContact: <sip:{name}@{own}>\r\n{more}\
             Content-Length: 0\r\n\r\n"
        );
        Message::parse(Bytes::from(text), &Limits::default()).unwrap()
    }

    async fn send(&self, message: &Message) {
        self.socket.send_to(&message.to_bytes(), self.server).await.unwrap();
    }

    async fn next(&self) -> Message {
        let mut buffer = vec![0; 65_535];
        let wait = Duration::from_secs(5);
        let received = tokio::time::timeout(wait, self.socket.recv_from(&mut buffer)).await;
        let (length, _) = received.expect("a message in time").unwrap();
        Message::parse(Bytes::copy_from_slice(&buffer[..length]), &Limits::default()).unwrap()
    }

    async fn next_request(&self, method: &Method) -> Message {
        loop {
            let message = self.next().await;
            if message.method() == Some(method) {
                return message;
            }
        }
    }

    async fn last(&self) -> Message {
        loop {
            let message = self.next().await;
            if message.status().is_some_and(|status| status >= 200) {
                return message;
            }
        }
    }

    /// Sends with credentials for the challenge that comes first; the second request and what it has.
    async fn challenged(&mut self, method: &str, uri: &str, call: &str, password: &str) -> Message {
        let to = if method == "REGISTER" {
            format!("<sip:{}@example.com>", self.name)
        } else {
            format!("<{uri}>")
        };
        let first = self.request(method, uri, &to, call, "");
        self.send(&first).await;
        let challenge = self.last().await;
        let (status, asks, answers) = if method == "REGISTER" {
            (401, HeaderName::WwwAuthenticate, "Authorization")
        } else {
            (407, HeaderName::ProxyAuthenticate, "Proxy-Authorization")
        };
        assert_eq!(challenge.status(), Some(status));
        if method == "INVITE" {
            self.send(&first.ack(&challenge).unwrap()).await;
        }
        let field = challenge.field(asks).unwrap();
        let challenge = Challenge::parse(field.text().unwrap()).unwrap();
        let ha1 = ha1_md5(self.name, "example.com", password).to_hex();
        let target = Uri::parse(uri).unwrap();
        let method_name = Method::parse(method).unwrap();
        let credentials =
            answer(&challenge, self.name, &ha1, &method_name, &target, "c", 1).unwrap();
        let request =
            self.request(method, uri, &to, call, &format!("{answers}: {credentials}\r\n"));
        self.send(&request).await;
        request
    }

    async fn register(&mut self, call: &str, password: &str) -> u16 {
        self.challenged("REGISTER", "sip:example.com", call, password).await;
        self.last().await.status().unwrap()
    }

    async fn call(&mut self, callee: &str, call: &str) -> Message {
        self.challenged("INVITE", &format!("sip:{callee}@example.com"), call, "secret").await
    }
}

#[tokio::test]
async fn b66_registrations_are_authenticated_and_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    provision(&store).await;
    let (server, shutdown) = start(&store).await;
    let mut bob = Phone::new("bob", server.udp[0]).await;
    assert_eq!(bob.register("r1", "wrong").await, 401);
    assert_eq!(bob.register("r2", "secret").await, 200);
    let mut mallory = Phone::new("mallory", server.udp[0]).await;
    assert_eq!(mallory.register("r3", "secret").await, 403);
    shutdown.cancel();
    server.task.await.unwrap();
    let (server, shutdown) = start(&store).await;
    let mut alice = Phone::new("alice", server.udp[0]).await;
    let _ = alice.call("bob", "c1").await;
    let invite = bob.next_request(&Method::Invite).await;
    assert_eq!(invite.call_id().unwrap(), "c1");
    shutdown.cancel();
    server.task.await.unwrap();
}

#[tokio::test]
async fn calls_are_answered_busy_cancelled_and_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    provision(&store).await;
    let (server, shutdown) = start(&store).await;
    let mut alice = Phone::new("alice", server.udp[0]).await;
    let mut bob = Phone::new("bob", server.udp[0]).await;
    assert_eq!(bob.register("r", "secret").await, 200);

    for (callee, status) in [("nobody", 404), ("carol", 480)] {
        let invite = alice.call(callee, callee).await;
        let refusal = alice.last().await;
        assert_eq!(refusal.status(), Some(status), "{callee}");
        alice.send(&invite.ack(&refusal).unwrap()).await;
    }
    let mut mallory = Phone::new("mallory", server.udp[0]).await;
    let _ = mallory.call("bob", "m").await;
    assert_eq!(mallory.last().await.status(), Some(403));

    let invite = alice.call("bob", "busy").await;
    let at_bob = bob.next_request(&Method::Invite).await;
    bob.send(&at_bob.response(486, "Busy Here", Some("b"))).await;
    let busy = alice.last().await;
    assert_eq!(busy.status(), Some(486));
    alice.send(&invite.ack(&busy).unwrap()).await;

    let invite = alice.call("bob", "cancel").await;
    let at_bob = bob.next_request(&Method::Invite).await;
    bob.send(&at_bob.response(180, "Ringing", Some("b"))).await;
    while alice.next().await.status() != Some(180) {}
    alice.send(&invite.cancel().unwrap()).await;
    let cancel = bob.next_request(&Method::Cancel).await;
    bob.send(&cancel.response(200, "OK", Some("b"))).await;
    bob.send(&at_bob.response(487, "Request Terminated", Some("b"))).await;
    while alice.next().await.status() != Some(487) {}

    let _ = alice.call("bob", "talk").await;
    let at_bob = bob.next_request(&Method::Invite).await;
    let mut ok = at_bob.response(200, "OK", Some("b"));
    ok.set(HeaderName::Contact, &format!("<sip:bob@{}>", bob.socket.local_addr().unwrap()));
    ok.copy(HeaderName::RecordRoute, &at_bob);
    bob.send(&ok).await;
    let answered = loop {
        let answer = alice.last().await;
        if answer.status() == Some(200) && answer.call_id().unwrap() == "talk" {
            break answer;
        }
    };
    let route: String =
        answered.record_routes().unwrap().iter().rev().map(|r| format!("Route: {r}\r\n")).collect();
    assert!(!route.is_empty());
    let target = format!("sip:bob@{}", bob.socket.local_addr().unwrap());
    let to = "<sip:bob@example.com>;tag=b";
    let bye = alice.request("BYE", &target, to, "talk", &route);
    alice.send(&bye).await;
    let at_bob = bob.next_request(&Method::Bye).await;
    bob.send(&at_bob.response(200, "OK", None)).await;
    assert_eq!(alice.last().await.status(), Some(200));
    shutdown.cancel();
    server.task.await.unwrap();
}
