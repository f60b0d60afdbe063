//! A database that goes and comes back.

use crate::fixture::{Fixture, start};
use ngn_store::Store;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Connections to a server that can be cut and allowed again.
struct Wire {
    address: SocketAddr,
    server: String,
    up: Option<CancellationToken>,
    hung: watch::Sender<bool>,
}

impl Wire {
    async fn new(url: &str) -> Self {
        let server = url.rsplit('@').next().unwrap().trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut wire = Self {
            address: listener.local_addr().unwrap(),
            server,
            up: None,
            hung: watch::Sender::new(false),
        };
        wire.forward(listener);
        wire
    }

    fn forward(&mut self, listener: TcpListener) {
        let (server, up) = (self.server.clone(), CancellationToken::new());
        self.up = Some(up.clone());
        let hung = self.hung.clone();
        tokio::spawn(up.clone().run_until_cancelled_owned(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let (server, up, mut hung) = (server.clone(), up.clone(), hung.subscribe());
                tokio::spawn(up.run_until_cancelled_owned(async move {
                    let mut far = TcpStream::connect(server).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        () = told(&mut hung) => std::future::pending().await,
                    }
                }));
            }
        }));
    }

    /// Connections stay open and new ones are taken, but nothing is answered any more.
    fn hang(&mut self) {
        self.hung.send_replace(true);
    }

    fn cut(&mut self) {
        self.up.take().unwrap().cancel();
    }

    async fn mend(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(5);
        let listener = loop {
            match TcpListener::bind(self.address).await {
                Ok(listener) => break listener,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        self.forward(listener);
    }
}

async fn told(hung: &mut watch::Receiver<bool>) {
    let _ = hung.wait_for(|hung| *hung).await;
}

#[track_caller]
fn snapshot(fixture: &Fixture) -> PathBuf {
    fixture.directory.path().join("enumd.snapshot")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_known_is_served_until_the_database_is_back() {
    let Some(fixture) = Fixture::mysql().await else { return };
    let (server, name) = fixture.database.clone().unwrap();
    let mut wire = Wire::new(&server).await;
    let user = server.strip_prefix("mysql://").unwrap().split('@').next().unwrap().to_owned();
    let url = format!("mysql://{user}@{}/{name}", wire.address);
    let file = snapshot(&fixture);
    fixture.add_zone("a.example").await;
    fixture.set("a.example", "www.a.example", &["192.0.2.1"]).await;

    let store = Store::open(&url).await.unwrap();
    let running = start(&store, |config| config.snapshot.file = file.clone()).await;
    assert_eq!(running.server.readiness.is_ready(), (true, String::new()));
    wire.cut();
    let missed = fixture.set("a.example", "www.a.example", &["192.0.2.2"]).await;
    let why = wait(|| running.server.readiness.is_ready().1, |why| !why.is_empty()).await;
    assert!(why.contains("database"), "{why}");
    assert!(running.server.readiness.is_ready().0, "it still serves");
    assert_eq!(running.addresses("www.a.example").await, ["192.0.2.1"]);
    let served = running.served_serial("a.example").await;
    assert_eq!(served + 1, fixture.serial("a.example").await);
    running.stop().await;
    store.close().await;

    // A start while the database is down.
    let store = Store::open(&url).await.unwrap();
    let running = start(&store, |config| config.snapshot.file = file.clone()).await;
    let why = wait(|| running.server.readiness.is_ready().1, |why| !why.is_empty()).await;
    assert!(why.contains("database"), "{why}");
    assert_eq!(running.addresses("www.a.example").await, ["192.0.2.1"]);
    assert_eq!(running.served_serial("a.example").await, served);
    wire.mend().await;
    running.reach(missed).await;
    assert_eq!(running.addresses("www.a.example").await, ["192.0.2.2"]);
    assert_eq!(running.served_serial("a.example").await, served + 1);
    let why = wait(|| running.server.readiness.is_ready().1, String::is_empty).await;
    assert_eq!(why, "");
    running.stop().await;
    store.close().await;
    fixture.remove().await;
}

async fn wait(read: impl Fn() -> String, enough: impl Fn(&String) -> bool) -> String {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let now = read();
        if enough(&now) || Instant::now() > deadline {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A database that takes connections and questions, and never answers, is noticed as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_hangs_is_noticed() {
    let Some(fixture) = Fixture::mysql().await else { return };
    let (server, name) = fixture.database.clone().unwrap();
    let mut wire = Wire::new(&server).await;
    let user = server.strip_prefix("mysql://").unwrap().split('@').next().unwrap().to_owned();
    let url = format!("mysql://{user}@{}/{name}", wire.address);
    fixture.add_zone("a.example").await;
    fixture.set("a.example", "www.a.example", &["192.0.2.1"]).await;
    let store = Store::open(&url).await.unwrap();
    let running = start(&store, |_| {}).await;
    assert_eq!(running.server.readiness.is_ready(), (true, String::new()));
    wire.hang();
    let why = wait(|| running.server.readiness.is_ready().1, |why| !why.is_empty()).await;
    assert!(why.contains("database"), "{why}");
    assert_eq!(running.addresses("www.a.example").await, ["192.0.2.1"]);
    wire.cut();
    running.stop().await;
    store.close().await;
    fixture.remove().await;
}

/// The snapshot is no way around the database: as long as that answers, it is what counts.
#[tokio::test]
async fn a_database_that_answers_goes_before_the_snapshot() {
    let fixture = Fixture::sqlite().await;
    let file = snapshot(&fixture);
    fixture.add_zone("a.example").await;
    let running = fixture.start(|config| config.snapshot.file = file.clone()).await;
    running.stop().await;
    assert!(file.is_file());
    let position = fixture.set("a.example", "www.a.example", &["192.0.2.1"]).await;
    let running = fixture.start(|config| config.snapshot.file = file.clone()).await;
    running.reach(position).await;
    assert_eq!(running.addresses("www.a.example").await, ["192.0.2.1"]);
    running.stop().await;
}

/// A journal that was cut behind the snapshot cannot tell what changed, so all zones are loaded anew.
#[tokio::test]
async fn a_journal_that_went_back_makes_all_zones_load_anew() {
    let fixture = Fixture::sqlite().await;
    fixture.add_zone("a.example").await;
    let running = fixture.start(|_| ()).await;
    let path = fixture.directory.path().join("t.sqlite");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    for statement in [
        "INSERT INTO records (domain_id, name, type, content, ttl) \
         SELECT id, 'x.a.example', 'A', '192.0.2.7', 60 FROM domains",
        "DELETE FROM journal",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    pool.close().await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while running.addresses("x.a.example").await.is_empty() {
        assert!(Instant::now() < deadline, "the zones are loaded anew");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let why = wait(|| running.server.readiness.is_ready().1, String::is_empty).await;
    assert_eq!(why, "");
    running.stop().await;
}
