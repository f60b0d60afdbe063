//! A server with its database and accounts.

use crate::phone::Phone;
use ngn_model::{Entity, Position};
use ngn_sip::digest::{ha1_md5, ha1_sha256};
use ngn_sipd::config::Config;
use ngn_sipd::{Server, serve};
use ngn_store::{Actor, SipAccountRow, SipDomainRecord, Store, StoreError, Tx};
use std::net::SocketAddr;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The accounts' password.
pub(crate) const PASSWORD: &str = "secret";

/// A server that runs, with the accounts alice, bob, carol and mallory (who is blocked) of example.com.
pub(crate) struct Scene {
    pub(crate) folder: TempDir,
    pub(crate) store: Store,
    pub(crate) server: Server,
    pub(crate) config: Config,
    pub(crate) shutdown: CancellationToken,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With settings of its own.
    pub(crate) async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.sqlite");
        Self::at(folder, &format!("sqlite:{}", path.display()), configure).await
    }

    /// On a database of its own in the server that `NGN_TEST_MYSQL_URL` names, with its address; `None` without.
    pub(crate) async fn mysql() -> Option<(Self, String)> {
        let base = std::env::var("NGN_TEST_MYSQL_URL").ok()?;
        let name = format!("ngn_sipd_{}", std::process::id());
        let base = base.trim_end_matches(|c| c != '/');
        let pool = sqlx::MySqlPool::connect(base).await.unwrap();
        let create = format!("DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&pool).await.unwrap();
        pool.close().await;
        let url = format!("{base}{name}");
        Some((Self::at(tempfile::tempdir().unwrap(), &url, |_| {}).await, url))
    }

    async fn at(folder: TempDir, database: &str, configure: impl FnOnce(&mut Config)) -> Self {
        let store = Store::open(database).await.unwrap();
        store.migrate().await.unwrap();
        provision(&store).await;
        let mut config = Config::default();
        config.listen.udp = vec!["127.0.0.1:0".parse().unwrap()];
        config.listen.tcp = vec!["127.0.0.1:0".parse().unwrap()];
        configure(&mut config);
        let (server, shutdown) = start(&config, &store).await;
        Self { folder, store, server, config, shutdown }
    }

    /// Stops and starts again at the same addresses.
    pub(crate) async fn restart(self) -> Self {
        let Self { folder, store, server, mut config, shutdown } = self;
        config.listen.udp.clone_from(&server.udp);
        config.listen.tcp.clone_from(&server.tcp);
        config.listen.tls.clone_from(&server.tls);
        config.listen.ws.clone_from(&server.ws);
        config.listen.wss.clone_from(&server.wss);
        shutdown.cancel();
        server.task.await.unwrap();
        let (server, shutdown) = start(&config, &store).await;
        Self { folder, store, server, config, shutdown }
    }

    /// Stops; everything is written then.
    pub(crate) async fn stop(self) -> (TempDir, Store) {
        self.shutdown.cancel();
        self.server.task.await.unwrap();
        (self.folder, self.store)
    }

    /// Changes accounts as provisioning does, and waits until the server has seen it.
    pub(crate) async fn change<F>(&self, work: F)
    where
        F: for<'t> FnMut(&'t mut Tx<'_>) -> Change<'t> + Send,
    {
        let position = change(&self.store, work).await.expect("a journal row");
        let patience = std::time::Duration::from_secs(10);
        assert!(self.server.readiness.wait_for(position.0, patience).await, "not applied in time");
    }

    pub(crate) fn udp(&self) -> SocketAddr {
        self.server.udp[0]
    }

    pub(crate) async fn phone(&self, name: &'static str) -> Phone {
        Phone::udp(name, self.udp()).await
    }

    /// A phone that is registered.
    pub(crate) async fn registered(&self, name: &'static str) -> Phone {
        let mut phone = self.phone(name).await;
        assert_eq!(phone.register(&format!("r-{name}"), PASSWORD).await, 200);
        phone
    }
}

async fn start(config: &Config, store: &Store) -> (Server, CancellationToken) {
    let shutdown = CancellationToken::new();
    let mut tries = 0;
    loop {
        match serve(config.clone(), store.clone(), shutdown.clone()).await {
            Ok(server) => return (server, shutdown),
            // A task that has not ended yet may still hold the port.
            Err(error) if tries > 50 => panic!("{error:#}"),
            Err(_) => tries += 1,
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// What a change does.
pub(crate) type Change<'t> =
    std::pin::Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 't>>;

async fn change<F>(store: &Store, work: F) -> Option<Position>
where
    F: for<'t> FnMut(&'t mut Tx<'_>) -> Change<'t> + Send,
{
    store.write(&Actor::system("test"), work).await.unwrap().1
}

pub(crate) fn account(name: &str) -> SipAccountRow {
    SipAccountRow {
        username: name.to_owned(),
        domain: "example.com".to_owned(),
        ha1: ha1_md5(name, "example.com", PASSWORD).to_hex(),
        rpid: Some("+31208005169".to_owned()),
        ha1_sha256: ha1_sha256(name, "example.com", PASSWORD).to_hex(),
        ..Default::default()
    }
}

async fn provision(store: &Store) {
    change(store, |tx| {
        Box::pin(async move {
            let domain = "example.com".to_owned();
            tx.insert_sip_domain(&SipDomainRecord { domain, ..Default::default() }).await?;
            for name in ["alice", "bob", "carol", "mallory"] {
                tx.insert_sip_account(&account(name)).await?;
                tx.journal(Entity::SipAccount, format!("{name}@example.com"), None, None, None);
            }
            tx.add_sip_group(&"mallory@example.com".parse().unwrap(), "blocked").await
        })
    })
    .await;
}
