//! A store with zones, a server on it, and questions to it.

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use ngn_enumd::config::Config;
use ngn_enumd::{Server, serve};
use ngn_model::{DomainName, Entity, Position};
use ngn_store::{Actor, NewRecord, RecordOrigin, Store, StoreError};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use std::net::SocketAddr;
use std::str::FromStr as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio_util::sync::CancellationToken;

pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) directory: tempfile::TempDir,
    /// The server's URL and the name of the database in it.
    pub(crate) database: Option<(String, String)>,
}

impl Fixture {
    pub(crate) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("t.sqlite").display());
        let store = Store::open(&url).await.unwrap();
        store.migrate().await.unwrap();
        Self { store, directory, database: None }
    }

    pub(crate) async fn mysql() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var("NGN_TEST_MYSQL_URL").ok()?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("enumd_{}_{number}", std::process::id());
        sql(&server, format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")).await;
        let store = Store::open(&format!("{server}{name}")).await.unwrap();
        store.migrate().await.unwrap();
        Some(Self {
            store,
            directory: tempfile::tempdir().unwrap(),
            database: Some((server, name)),
        })
    }

    pub(crate) async fn remove(self) {
        self.store.close().await;
        if let Some((server, name)) = self.database {
            sql(&server, format!("DROP DATABASE {name}")).await;
        }
    }

    pub(crate) async fn add_zone(&self, apex: &str) -> Position {
        let name = &DomainName::new(apex).unwrap();
        let write = self.store.write::<_, StoreError, _>(actor(), |tx| {
            Box::pin(async move {
                let id = tx.insert_zone(name).await?;
                let soa = format!("ns1.{name} hostmaster.{name} 0 14400 3600 604800 300");
                for (rtype, content) in [("SOA", soa), ("NS", format!("ns1.{name}"))] {
                    let origin = RecordOrigin::Zone;
                    let record = record(id, name.as_str(), rtype, &content);
                    tx.insert_record(&NewRecord { origin, ..record }).await?;
                }
                tx.journal(Entity::Zone, name, Some(name.as_str()), None, None);
                Ok(())
            })
        });
        write.await.unwrap().1.unwrap()
    }

    pub(crate) async fn delete_zone(&self, apex: &str) -> Position {
        let name = &DomainName::new(apex).unwrap();
        let write = self.store.write::<_, StoreError, _>(actor(), |tx| {
            Box::pin(async move {
                let id = tx.zone_id(name).await?.unwrap();
                tx.delete_zone(id).await?;
                tx.journal(Entity::Zone, name, Some(name.as_str()), None, None);
                Ok(())
            })
        });
        write.await.unwrap().1.unwrap()
    }

    /// Makes these the only A records of a name.
    pub(crate) async fn set(&self, apex: &str, owner: &str, addresses: &[&str]) -> Position {
        let name = &DomainName::new(apex).unwrap();
        let write = self.store.write::<_, StoreError, _>(actor(), |tx| {
            Box::pin(async move {
                let id = tx.zone_id(name).await?.unwrap();
                tx.delete_records_at(id, owner, RecordOrigin::Api).await?;
                for address in addresses {
                    tx.insert_record(&record(id, owner, "A", address)).await?;
                }
                tx.journal(
                    Entity::RrSet,
                    format!("{name} {owner}"),
                    Some(name.as_str()),
                    None,
                    None,
                );
                Ok(())
            })
        });
        write.await.unwrap().1.unwrap()
    }

    /// Notes a change of a whole zone that changes nothing but its serial.
    pub(crate) async fn touch(&self, apex: &str) -> Position {
        let write = self.store.write::<_, StoreError, _>(actor(), |tx| {
            Box::pin(async move {
                tx.journal(Entity::Zone, apex, Some(apex), None, None);
                Ok(())
            })
        });
        write.await.unwrap().1.unwrap()
    }

    pub(crate) async fn serial(&self, apex: &str) -> u32 {
        self.store.zone_serials(&[apex.to_owned()]).await.unwrap()[0].1
    }

    pub(crate) async fn start(&self, change: impl FnOnce(&mut Config)) -> Running {
        start(&self.store, change).await
    }
}

pub(crate) async fn start(store: &Store, change: impl FnOnce(&mut Config)) -> Running {
    let mut config = config();
    change(&mut config);
    let shutdown = CancellationToken::new();
    let server = serve(config, store.clone(), shutdown.clone()).await.unwrap();
    Running { server, shutdown }
}

/// Any port, one for UDP and TCP.
pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.listen.udp = vec!["127.0.0.1:0".parse().unwrap()];
    config.listen.tcp = vec!["127.0.0.1:0".parse().unwrap()];
    config.limits.udp_threads = 2;
    config
}

async fn sql(server: &str, statement: String) {
    let mut connection = sqlx::MySqlConnection::connect(server).await.unwrap();
    connection.execute(AssertSqlSafe(statement)).await.unwrap();
    connection.close().await.unwrap();
}

fn actor() -> &'static Actor {
    static ACTOR: std::sync::LazyLock<Actor> = std::sync::LazyLock::new(|| Actor::system("test"));
    &ACTOR
}

fn record(domain_id: i64, name: &str, rtype: &str, content: &str) -> NewRecord {
    NewRecord {
        domain_id,
        name: name.to_owned(),
        rtype: rtype.to_owned(),
        content: content.to_owned(),
        ttl: 60,
        priority: 0,
        origin: RecordOrigin::Api,
        value: None,
        owner: 0,
        record_key: None,
    }
}

pub(crate) struct Running {
    pub(crate) server: Server,
    shutdown: CancellationToken,
}

impl Running {
    pub(crate) fn address(&self) -> SocketAddr {
        assert_eq!(self.server.udp, self.server.tcp, "one port for both");
        self.server.udp[0]
    }

    pub(crate) async fn reach(&self, position: Position) {
        let reached = self.server.readiness.wait_for(position.0, Duration::from_secs(10)).await;
        assert!(reached, "position {position} in time");
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(10), self.server.task).await;
        ended.expect("ended in time").unwrap();
    }

    pub(crate) async fn ask(&self, name: &str, qtype: RecordType) -> Message {
        ask(self.address(), name, qtype).await
    }

    pub(crate) async fn code(&self, name: &str) -> ResponseCode {
        self.ask(name, RecordType::A).await.metadata.response_code
    }

    /// The addresses of a name, sorted.
    pub(crate) async fn addresses(&self, name: &str) -> Vec<String> {
        let answer = self.ask(name, RecordType::A).await;
        let mut found: Vec<String> = answer.answers.iter().map(|r| r.data.to_string()).collect();
        found.sort();
        found
    }

    pub(crate) async fn served_serial(&self, apex: &str) -> u32 {
        let answer = self.ask(apex, RecordType::SOA).await;
        let RData::SOA(soa) = &answer.answers[0].data else { panic!("no SOA") };
        soa.serial
    }
}

pub(crate) fn query(name: &str, qtype: RecordType) -> Vec<u8> {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_str(&format!("{name}.")).unwrap(), qtype));
    message.to_vec().unwrap()
}

pub(crate) async fn ask(server: SocketAddr, name: &str, qtype: RecordType) -> Message {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&query(name, qtype), server).await.unwrap();
    let mut buffer = vec![0; 65_535];
    let received = tokio::time::timeout(Duration::from_secs(5), socket.recv(&mut buffer)).await;
    Message::from_vec(&buffer[..received.expect("an answer").unwrap()]).unwrap()
}

pub(crate) async fn send_tcp(stream: &mut TcpStream, message: &[u8]) {
    let length = u16::try_from(message.len()).unwrap();
    stream.write_all(&[&length.to_be_bytes()[..], message].concat()).await.unwrap();
}

/// The next answer on a connection; `None` at its end.
pub(crate) async fn next_tcp(stream: &mut TcpStream) -> Option<Message> {
    let read = async {
        let length = stream.read_u16().await.ok()?;
        let mut octets = vec![0; length.into()];
        stream.read_exact(&mut octets).await.ok()?;
        Some(Message::from_vec(&octets).unwrap())
    };
    tokio::time::timeout(Duration::from_secs(5), read).await.expect("an answer or the end in time")
}
