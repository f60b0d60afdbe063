//! A database that goes back to an earlier state, as a restored backup does, under a server that runs.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use ngn_sipd::config::{Config, Listen};
use ngn_store::Store;
use sqlx::{Connection, SqliteConnection};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

struct Asker {
    socket: UdpSocket,
    server: SocketAddr,
    asked: u32,
}

impl Asker {
    /// The status by which a registration without credentials is answered: 401 in a domain that is served, else 404.
    async fn register(&mut self, domain: &str) -> u16 {
        self.asked += 1;
        let (n, own) = (self.asked, self.socket.local_addr().unwrap());
        let text = format!(
            "REGISTER sip:{domain} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{n}\r\n\
             From: <sip:a@{domain}>;tag=1\r\nTo: <sip:a@{domain}>\r\nCall-ID: {n}\r\nCSeq: 1 REGISTER\r\n\
             Contact: <sip:a@{own}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        self.socket.send_to(text.as_bytes(), self.server).await.unwrap();
        let mut answer = [0; 2000];
        let received = tokio::time::timeout(PATIENCE, self.socket.recv(&mut answer)).await;
        let length = received.expect("an answer").unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]);
        answer[8..11].parse().unwrap()
    }

    /// The same, until it has that status.
    async fn registers(&mut self, domain: &str, status: u16) {
        let asking = async {
            while self.register(domain).await != status {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let done = tokio::time::timeout(PATIENCE, asking).await;
        done.unwrap_or_else(|_| panic!("{domain} is never answered {status}"));
    }
}

#[tokio::test]
async fn what_a_restored_database_holds_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("t.sqlite").display());
    let store = Store::open(&url).await.unwrap();
    store.migrate().await.unwrap();
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    let mut sql = async |statement: &'static str| {
        sqlx::query(statement).execute(&mut database).await.unwrap();
    };
    sql("INSERT INTO domain (domain) VALUES ('kept.example'), ('lost.example')").await;
    sql("INSERT INTO journal (at, login, source, operation, entity, entity_key) \
         VALUES (1, 'a', '', 'x', 'sip_domain', 'lost.example')")
    .await;
    let listen =
        Listen { udp: vec!["127.0.0.1:0".parse().unwrap()], tcp: Vec::new(), ..Listen::default() };
    let config = Config { database: url.clone(), listen, ..Config::default() };
    let shutdown = CancellationToken::new();
    let server = ngn_sipd::serve(config, store, shutdown.clone()).await.unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut asker = Asker { socket, server: server.udp[0], asked: 0 };
    assert_eq!(asker.register("kept.example").await, 401);
    assert_eq!(asker.register("lost.example").await, 401);
    assert_eq!(asker.register("restored.example").await, 404);

    sql("DELETE FROM domain WHERE domain = 'lost.example'").await;
    sql("INSERT INTO domain (domain) VALUES ('restored.example')").await;
    sql("DELETE FROM journal").await;
    asker.registers("restored.example", 401).await;
    asker.registers("lost.example", 404).await;
    assert_eq!(asker.register("kept.example").await, 401);

    // It follows the journal from there.
    sql("INSERT INTO domain (domain) VALUES ('added.example')").await;
    sql("INSERT INTO journal (at, login, source, operation, entity, entity_key) \
         VALUES (2, 'a', '', 'x', 'sip_domain', 'added.example')")
    .await;
    asker.registers("added.example", 401).await;
    shutdown.cancel();
    server.task.await.unwrap();
}
